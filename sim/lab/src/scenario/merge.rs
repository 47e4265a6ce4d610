//! Copying: variants, `--set` and `like` (grammar §6), before anything is checked.
//!
//! Tables merge key by key, arrays and scalars replace, `"none"` deletes, and a short form merges as its table; for the
//! last the schema must be known. `like` is resolved after variants and `--set`, so that changing a sibling changes its
//! copies; only then are the `"none"`s taken out.

use super::diagnostic::Diagnostic;
use super::nearest::{listed, nearest};
use super::schema::{self, Form, ROOT, Shape, Short};
use super::tree::{Entry, Node, Table, Value};
use crate::model::Place;

/// Copies may make this many values of a file.
const VALUES_MAX: usize = 1_000_000;

/// Copies of copies of copies.
const COPIES_MAX: usize = 100;

/// The scenario's root shape.
pub(super) const fn root() -> Shape {
    Shape::Table(&ROOT)
}

/// Rewrites `work` and `steps` of services as the op `run`, so that the short form merges as its table.
pub(super) fn expand_services(root: &mut Node) {
    let services = root.table_mut().and_then(|t| t.entries.get_mut("services")).and_then(|e| e.node.table_mut());
    let Some(services) = services else { return };
    for entry in services.entries.values_mut() {
        let Some(service) = entry.node.table_mut() else { continue };
        let taken = match service.get("ops") {
            Some(ops) => ops.table().is_none_or(|ops| ops.get("run").is_some()),
            None => false,
        };
        let short: Vec<&str> = ["work", "steps"].into_iter().filter(|k| service.get(k).is_some()).collect();
        if taken || short.is_empty() {
            continue;
        }
        let mut op = Table::default();
        let mut at = Place::default();
        for name in short {
            let Some(Entry { key, node }) = service.remove(name) else { continue };
            at = key;
            op.insert(name, key, node);
        }
        if !service.entries.contains_key("ops") {
            service.insert("ops", at, Node::new(Value::Table(Table::default()), at));
        }
        let ops = service.entries.get_mut("ops").and_then(|e| e.node.table_mut());
        ops.expect("it was inserted, or is a table").insert("run", at, Node::new(Value::Table(op), at));
    }
}

/// What a value that is no table stands for, if it stands for a table.
pub(super) fn grow(form: &Form, node: Node) -> Node {
    if node.table().is_some() {
        return node;
    }
    let name = match (form.short, &node.value) {
        (Short::Key(name), _) => name,
        (Short::Op, Value::Array(_)) => "steps",
        (Short::Op, Value::Text(_)) => "work",
        (Short::None | Short::Op | Short::Body, _) => return node,
    };
    let place = node.place;
    let mut table = Table::default();
    table.insert(name, place, node);
    Node::new(Value::Table(table), place)
}

/// `over` on top of `base`.
pub(super) fn merge(base: Node, over: Node, shape: Option<Shape>) -> Node {
    if over.is_none_word() || base.is_none_word() {
        return over;
    }
    let (base, over) = match shape {
        Some(Shape::Table(form)) if base.table().is_some() != over.table().is_some() => {
            (grow(form, base), grow(form, over))
        }
        _ => (base, over),
    };
    let place = base.place;
    match (base.value, over.value) {
        (Value::Table(mut base), Value::Table(over_table)) => {
            if let Some(Shape::Table(form)) = shape.filter(is_op) {
                replace_other_short_form(form, &mut base, &over_table);
            }
            merge_tables(&mut base, over_table, shape);
            Node::new(Value::Table(base), place)
        }
        (_, value) => Node::new(value, over.place),
    }
}

fn is_op(shape: &Shape) -> bool {
    matches!(shape, Shape::Table(form) if form.has_body())
}

/// An op's `work` replaces its `steps` and the other way round: they are two spellings of one thing.
fn replace_other_short_form(form: &Form, base: &mut Table, over: &Table) {
    for choice in form.choices {
        let chosen: Vec<&&str> =
            choice.keys.iter().filter(|k| over.get(k).is_some_and(|n| !n.is_none_word())).collect();
        if let [one] = chosen.as_slice() {
            base.entries.retain(|name, _| name == **one || !choice.keys.contains(&name.as_str()));
        }
    }
}

fn merge_tables(base: &mut Table, over: Table, shape: Option<Shape>) {
    for (name, entry) in over.entries {
        let child = shape.and_then(|s| s.child(&name)).map(|(shape, _)| shape);
        match base.entries.get_mut(&name) {
            Some(old) => {
                let before = core::mem::replace(&mut old.node, Node::text("", Place::default()));
                old.node = merge(before, entry.node, child);
                // An error about a table as a whole points at where it is changed last only if all of it is.
                if old.node.place == entry.key || old.node.table().is_none() {
                    old.key = entry.key;
                }
            }
            None => {
                base.entries.insert(name, entry);
            }
        }
    }
}

/// Merges the variant called `name` on the file, `like` chain first. Without a name the file itself is chosen.
pub(super) fn choose_variant(root: Node, name: Option<&str>) -> Result<Node, Vec<Diagnostic>> {
    let place = root.place;
    let Some(name) = name else { return Ok(root) };
    let variants = root.table().and_then(|t| t.get("variants")).cloned();
    let variants = variants.as_ref().and_then(Node::table);
    let known = || variants.into_iter().flat_map(|t| t.entries.keys().map(String::as_str));
    let mut chain: Vec<(String, Place)> = Vec::new();
    let (mut wanted, mut at) = (name.to_owned(), place);
    let overlays = loop {
        let Some(entry) = variants.and_then(|t| t.entries.get(&wanted)) else {
            let label = match known().next() {
                Some(_) => format!("the variants are {}", listed(known(), 20)),
                None => "the file has no variants".to_owned(),
            };
            let error = Diagnostic::error(at, format!("there is no variant `{wanted}`"), label);
            return Err(vec![
                error.maybe_help(nearest(&wanted, known()).map(|near| format!("did you mean `{near}`?"))),
            ]);
        };
        if chain.iter().any(|(name, _)| *name == wanted) {
            return Err(vec![cycle("variants", &chain, &wanted)]);
        }
        chain.push((wanted.clone(), entry.key));
        match entry.node.table().and_then(|t| t.get("like")) {
            Some(like) => {
                let Some(next) = like.as_text() else {
                    return Err(vec![Diagnostic::error(like.place, "`like` is not a name", like.sort())]);
                };
                (wanted, at) = (next.to_owned(), like.place);
            }
            None => break chain.iter().rev().filter_map(|(n, _)| variants?.get(n)).cloned().collect::<Vec<_>>(),
        }
    };
    let mut merged = root;
    for mut overlay in overlays {
        if let (Some(base), Some(over)) = (merged.table_mut(), overlay.table_mut()) {
            over.remove("like");
            // A variant's own expectation replaces the whole of the base's.
            if over.get("expect").is_some() {
                base.remove("expect");
            }
        }
        if overlay.table().is_some() {
            expand_services(&mut overlay);
            merged = merge(merged, overlay, Some(self::root()));
        }
    }
    Ok(merged)
}

fn cycle(section: &str, chain: &[(String, Place)], again: &str) -> Diagnostic {
    let from = chain.iter().position(|(name, _)| name == again).unwrap_or(0);
    let mut names: Vec<&str> = chain[from..].iter().map(|(name, _)| name.as_str()).collect();
    names.push(again);
    let mut error = Diagnostic::error(
        chain[from].1,
        format!("`like` goes round in a circle in `{section}`"),
        format!("{} is like itself", names.join(" → ")),
    );
    for (name, place) in chain[from + 1..].iter().take(8) {
        error = error.also(*place, format!("`{name}`"));
    }
    error
}

/// Sections whose tables may copy a sibling.
pub(super) const WITH_LIKE: [&str; 11] = [
    "retry",
    "breaker",
    "services",
    "brokers",
    "queues",
    "exchanges",
    "topics",
    "transactions",
    "sagas",
    "workloads",
    "faults",
];

/// Replaces every `like` by what it copies.
///
/// Returns the paths of the tables whose copy could not be made.
pub(super) fn resolve_likes(root: &mut Node, errors: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut broken = Vec::new();
    let mut size = root.size();
    for section in WITH_LIKE {
        let table = root.table_mut().and_then(|t| t.entries.get_mut(section)).and_then(|e| e.node.table_mut());
        let Some(table) = table else { continue };
        let names: Vec<String> = table.entries.keys().cloned().collect();
        let mut copier = Copier { section, table, chain: Vec::new(), size, errors, broken: &mut broken };
        for name in &names {
            copier.copy(name);
        }
        size = copier.size;
        if size > VALUES_MAX {
            break;
        }
    }
    broken
}

struct Copier<'a> {
    section: &'static str,
    table: &'a mut Table,
    /// Being resolved now: who copies whom.
    chain: Vec<(String, Place)>,
    size: usize,
    errors: &'a mut Vec<Diagnostic>,
    broken: &'a mut Vec<String>,
}

impl Copier<'_> {
    /// Takes the `like` off the entry `name` after merging the entry on a copy of its sibling.
    fn copy(&mut self, name: &str) {
        let Some(entry) = self.table.entries.get_mut(name) else { return };
        let Some(like) = entry.node.table_mut().and_then(|t| t.remove("like")) else { return };
        let key = entry.key;
        let told = self.errors.len();
        let Some(sibling) = like.node.as_text().map(str::to_owned) else {
            self.broken.push(format!("{}.{name}", self.section));
            let error =
                Diagnostic::error(like.node.place, "`like` is not a name", format!("found {}", like.node.sort()));
            self.errors.push(error);
            return;
        };
        self.chain.push((name.to_owned(), key));
        if self.chain.iter().any(|(n, _)| *n == sibling) {
            let error = cycle(self.section, &self.chain, &sibling);
            self.errors.push(error);
        } else if self.table.get(&sibling).is_none_or(|n| n.table().is_none()) {
            self.unknown(&sibling, like.node.place);
        } else if self.chain.len() >= COPIES_MAX {
            let label = format!("copies of copies go at most {COPIES_MAX} deep");
            self.errors.push(Diagnostic::error(like.node.place, "`like` goes too deep", label));
        } else {
            self.copy(&sibling);
            self.merge_on(name, &sibling, key);
        }
        self.chain.pop();
        if self.errors.len() > told {
            self.broken.push(format!("{}.{name}", self.section));
        }
    }

    fn merge_on(&mut self, name: &str, sibling: &str, key: Place) {
        let Some(original) = self.table.get(sibling) else { return };
        self.size += original.size();
        if self.size > VALUES_MAX {
            let label = format!("copies make more than {VALUES_MAX} values of this file");
            self.errors.push(Diagnostic::error(key, "the scenario is too large", label));
            return;
        }
        let copy = original.clone();
        let shape = root().child(self.section).and_then(|(s, _)| s.child(sibling)).map(|(s, _)| s);
        if let Some(entry) = self.table.entries.get_mut(name) {
            let own = core::mem::replace(&mut entry.node, Node::text("", key));
            let place = own.place;
            entry.node = merge(copy, own, shape);
            entry.node.place = place;
        }
    }

    fn unknown(&mut self, sibling: &str, place: Place) {
        let names: Vec<&str> = self.table.entries.keys().map(String::as_str).collect();
        let error = Diagnostic::error(
            place,
            format!("nothing in `{}` is called `{}`", self.section, super::values::clip(sibling)),
            format!("there are {}", listed(names.iter().copied(), 12)),
        );
        let near = nearest(sibling, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        self.errors.push(error.maybe_help(near));
    }
}

/// Takes out every key that is `"none"`, except where that word means something.
pub(super) fn strip_none(node: &mut Node, shape: Option<Shape>) {
    match &mut node.value {
        Value::Table(table) => {
            table.entries.retain(|name, entry| {
                let child = shape.and_then(|s| s.child(name)).map(|(s, _)| s);
                let deleted = entry.node.is_none_word() && child.is_some_and(|s| !s.has_none_word());
                if !deleted {
                    strip_none(&mut entry.node, child);
                }
                !deleted
            });
        }
        Value::Array(items) => {
            let child = shape.and_then(|s| s.item());
            for item in items {
                strip_none(item, child);
            }
        }
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Date(_) => {}
    }
}

/// Why a leaf of the schema cannot change a run.
pub(super) fn judging(path: &[String]) -> Option<&'static str> {
    schema::judging_only(path)
}
