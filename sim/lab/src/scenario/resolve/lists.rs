//! What is neither a fixed table nor a single value: lists of tables, links, variants, and policies written in place.

use super::super::diagnostic::Diagnostic;
use super::super::nearest::{listed, nearest};
use super::super::resolved::write_key;
use super::super::schema::{Form, Shape};
use super::super::targets;
use super::super::tree::{Node, Table, Value};
use super::super::values::clip;
use super::{Resolver, join, step_path};
use crate::model::Place;

impl Resolver<'_> {
    /// An array of so many tables at the most; one with a `name` goes by it.
    pub(super) fn list(&mut self, node: &Node, (form, most): (&'static Form, usize), path: &str) -> Node {
        let items = node.array().unwrap_or(&[]);
        if items.is_empty() || items.len() > most {
            let label = match node.array() {
                None => format!("found {}; they stand in `[ … ]`, each is a table", node.sort()),
                Some([]) => "at least one is needed".to_owned(),
                Some(_) => format!("at most {most}"),
            };
            let message = format!("`{path}` is not a list of tables");
            self.error(path, Diagnostic::error(node.place, message, label));
        }
        let mut checked = Vec::new();
        let mut names: Vec<(&str, Place)> = Vec::new();
        for (n, item) in items.iter().take(most).enumerate() {
            let named = form.key("name").and_then(|_| item.table()?.get("name"));
            let name = named.and_then(|node| Some((node.as_text()?, node.place)));
            if let Some((name, place)) = name {
                if let Some((_, first)) = names.iter().find(|(other, _)| *other == name) {
                    let message = format!("two of `{path}` are called `{}`", clip(name));
                    let error = Diagnostic::error(place, message, "the second").also(*first, "the first");
                    self.error(path, error);
                }
                names.push((name, place));
            }
            let child = step_path(path, n, name.map(|(name, _)| name));
            checked.push(self.value(item, Shape::Table(form), &child, item.place));
        }
        Node::new(Value::Array(checked), node.place)
    }

    /// A policy that is written where it is used.
    pub(super) fn policy(&mut self, node: &Node, form: &'static Form, path: &str, owner: Place) -> Node {
        if let Some(like) = node.table().and_then(|t| t.entries.get("like")) {
            let label = "only a policy with a name of its own is like another";
            let error = Diagnostic::error(like.key, format!("`{path}` cannot be like another"), label);
            self.error(path, error);
        }
        self.table(node, form, path, owner)
    }

    /// Every policy that is named exists.
    pub(super) fn named_policies(&mut self, complete: &Node) {
        for (form, name, place) in core::mem::take(&mut self.policies) {
            let section = form.section();
            let table = complete.table().and_then(|t| t.get(section)).and_then(Node::table);
            let known = || table.into_iter().flat_map(|t| t.entries.keys().map(String::as_str));
            if known().any(|known| known == name) || self.broken.contains(section) {
                continue;
            }
            let label = match listed(known(), 12) {
                all if all.is_empty() => format!("there is no `[{section}.{}]`", clip(&name)),
                all => format!("there are {all}"),
            };
            let mut error = Diagnostic::error(place, format!("there is no policy `{section}.{}`", clip(&name)), label);
            if let Some(near) = nearest(&name, known()) {
                let at = table.and_then(|t| t.entries.get(near)).map_or(place, |entry| entry.key);
                error = error.help(format!("did you mean `{near}`?")).also(at, format!("`{near}` is here"));
            }
            self.error(&format!("{section}.{name}"), error);
        }
    }

    pub(super) fn links(&mut self, node: &Node, form: &'static Form, path: &str) -> Node {
        let mut result = Table::default();
        let entries = self.entries(node, "a table of links", path);
        for (name, entry) in entries.into_iter().flat_map(|t| &t.entries) {
            let child = format!("{path}.{}", write_key(name));
            let written = match targets::link(name, entry.key) {
                Ok(link) => targets::write_link(&link),
                Err(bad) => {
                    let message = format!("`{}` is not a link", clip(name));
                    self.error(&child, Diagnostic::error(entry.key, message, bad.label).maybe_help(bad.help));
                    continue;
                }
            };
            let checked = self.value(&entry.node, Shape::Table(form), &child, entry.key);
            if let Some(first) = result.entries.get(&written) {
                let error = Diagnostic::error(entry.key, format!("the link `{written}` is here twice"), "again");
                let error = error.also(first.key, "first");
                self.error(&child, error);
            }
            result.insert(written, entry.key, checked);
        }
        Node::new(Value::Table(result), node.place)
    }

    pub(super) fn variants(&mut self, node: &Node, path: &str) -> Node {
        // Each variant is checked when it is merged; here only its name is.
        let mut result = Table::default();
        let entries = self.entries(node, "a table of variants", path);
        for (name, entry) in entries.into_iter().flat_map(|t| &t.entries) {
            self.name(name, entry.key, path);
            if self.entries(&entry.node, "a partial scenario", &join(path, name)).is_some() {
                result.insert(name.clone(), entry.key, Node::new(Value::Table(Table::default()), entry.key));
            }
        }
        Node::new(Value::Table(result), node.place)
    }
}
