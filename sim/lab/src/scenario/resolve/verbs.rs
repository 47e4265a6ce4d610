//! Tables with one verb: steps and invariants.

use super::super::diagnostic::Diagnostic;
use super::super::nearest::{listed, nearest};
use super::super::schema::{Key, Verbs};
use super::super::tree::{Node, Table, Value};
use super::super::values::clip;
use super::{Resolver, join, step_path};
use crate::model::Place;

/// Elements of one array of steps.
const STEPS_MAX: usize = 10_000;

impl Resolver<'_> {
    pub(super) fn steps(&mut self, node: &Node, verbs: &'static Verbs, path: &str) -> Node {
        let Some(items) = node.array() else {
            let label =
                format!("found {}; steps stand in `[ … ]`, each is a table `{{ work = \"1ms\" }}`", node.sort());
            self.error(path, Diagnostic::error(node.place, format!("`{path}` is not a list of steps"), label));
            return Node::new(Value::Array(Vec::new()), node.place);
        };
        if items.is_empty() || items.len() > STEPS_MAX {
            let label = if items.is_empty() {
                "at least one step is needed".to_owned()
            } else {
                format!("at most {STEPS_MAX}")
            };
            self.error(path, Diagnostic::error(node.place, format!("`{path}` is not a list of steps"), label));
        }
        let mut checked = Vec::new();
        let mut names: Vec<(&str, Place)> = Vec::new();
        for (n, item) in items.iter().take(STEPS_MAX).enumerate() {
            let name =
                item.table().and_then(|t| t.entries.get("name")).and_then(|e| Some((e.node.as_text()?, e.node.place)));
            if let Some((name, place)) = name {
                if let Some((_, first)) = names.iter().find(|(other, _)| *other == name) {
                    let error =
                        Diagnostic::error(place, format!("two steps are called `{}`", clip(name)), "the second");
                    self.error(path, error.also(*first, "the first"));
                }
                names.push((name, place));
            }
            let child = step_path(path, n, name.map(|(name, _)| name));
            checked.push(self.verbed(item, verbs, &child, item.place));
        }
        Node::new(Value::Array(checked), node.place)
    }

    /// A table with one verb.
    pub(super) fn verbed(&mut self, node: &Node, verbs: &'static Verbs, path: &str, owner: Place) -> Node {
        let Some(entries) = self.entries(node, verbs.what, path) else { return no_verb(node.place) };
        let found: Vec<&str> = entries.entries.keys().map(String::as_str).filter(|k| verbs.verb(k).is_some()).collect();
        let verb = match found.as_slice() {
            // `within` modifies, `when` modifies; a verb that is also a modifier of the other one is none.
            [one] => *one,
            [] => {
                self.without_verb(entries, verbs, path, owner);
                return no_verb(node.place);
            }
            [first, second, ..] => {
                let (one, two) = (entries.entries[*first].key, entries.entries[*second].key);
                let kind = verbs.what.rsplit(' ').next().unwrap_or(verbs.what);
                let message = format!("two verbs, `{first}` and `{second}`: {} has one", verbs.what);
                let help = if kind == "invariant" { "write two invariants" } else { "write two steps" };
                self.error(path, Diagnostic::error(two, message, "the second").also(one, "the first").help(help));
                return no_verb(node.place);
            }
        };
        let Some(verb) = verbs.verb(verb) else { return no_verb(node.place) };
        let keys: Vec<&'static Key> = core::iter::once(&verb.key).chain(verb.modifiers).chain(verbs.common).collect();
        for (name, entry) in &entries.entries {
            if keys.iter().any(|k| k.name == name) {
                continue;
            }
            if name == "else" {
                let label = format!("`{}` cannot fail in this version, so there is no `else`", verb.key.name);
                self.error(
                    &join(path, name),
                    Diagnostic::error(entry.key, format!("`{path}` has no use for `else`"), label),
                );
                continue;
            }
            let known: Vec<&str> = keys.iter().map(|k| k.name).collect();
            let what = format!("`{}`", verb.key.name);
            let later = verb.later.contains(&name.as_str());
            self.unknown_key(name, entry, &known, later, path, &what);
        }
        self.choices(entries, verb.choices, path, owner);
        let mut result = Table::default();
        for key in keys {
            let child = join(path, key.name);
            if let Some(entry) = entries.entries.get(key.name) {
                let checked = self.value(&entry.node, key.shape, &child, entry.key);
                result.insert(key.name, entry.key, checked);
            } else if let Some(checked) = self.preset(key, &result, path, &child, owner) {
                result.insert(key.name, owner, checked);
            }
        }
        Node::new(Value::Table(result), node.place)
    }

    fn without_verb(&mut self, entries: &Table, verbs: &Verbs, path: &str, owner: Place) {
        let known = || verbs.each.iter().map(|v| v.key.name);
        for (name, entry) in &entries.entries {
            if verbs.later.contains(&name.as_str()) {
                let message = format!("`{}` is known, but not built", join(path, name));
                self.error(path, Diagnostic::error(entry.key, message, "not supported by this version yet"));
                return;
            }
            if let Some(near) = nearest(name, known()).filter(|_| verbs.key(name).is_none()) {
                let error = Diagnostic::error(entry.key, format!("there is no verb `{}`", clip(name)), "unknown key");
                self.error(path, error.help(format!("did you mean `{near}`?")));
                return;
            }
        }
        let what = verbs.what;
        let label = format!("one of {} is missing", listed(known(), 24));
        self.error(path, Diagnostic::error(owner, format!("`{path}` is not {what}: it has no verb"), label));
    }
}

/// What stands for a table whose verb is not known; `build` leaves it out.
fn no_verb(place: Place) -> Node {
    Node::new(Value::Table(Table::default()), place)
}
