//! `--set path=value`: one leaf, merged last. And the way back: every leaf of a file with its path.
//!
//! A path goes through tables by key, through arrays by `[n]` or by the `name` of an element, and through short forms as
//! if they were written out.

use core::ops::Range;

use super::Leaf;
use super::diagnostic::Diagnostic;
use super::merge::{grow, judging, merge, root};
use super::resolved::{write_key, write_value};
use super::schema::Shape;
use super::tree::{Node, Table, Value, parse_value};
use super::values::clip;
use crate::model::Place;

/// The key of a workload's arrival times, which may be a file.
pub(super) const TRACE: &str = "trace";

/// One step of a path, and its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Segment {
    Name(String, Range<usize>),
    Index(usize, Range<usize>),
}

/// Applies one `--set`; `source` is the number of its text `path=value`.
pub(super) fn apply(tree: &mut Node, source: u32, path: &str, value: &str) -> Result<(), Box<Diagnostic>> {
    let mut segments = segments(path).map_err(|(range, label)| {
        Diagnostic::error(place(source, &range), "this path cannot be read", label)
            .help("a path is written `services.payment.nodes` or `services.gateway.ops.checkout[0].work`")
    })?;
    if matches!(segments.first(), Some(Segment::Name(first, _)) if first == "variants") {
        let at = place(source, &(0..path.len()));
        let label = "variants are merged before this; set the path itself";
        return Err(Diagnostic::error(at, "`--set` does not reach into variants", label).into());
    }
    spell_out_run(tree, &mut segments);
    let offset = path.len() as u32 + 1;
    let whole = Place { source, start: offset, end: offset + value.len() as u32 };
    let value = parse_value(source, offset, value).unwrap_or_else(|| Node::text(value, whole));
    let mut walk = Walk { source, at: place(source, &(0..path.len())) };
    walk.descend(tree, Some(root()), &segments, value)
}

fn place(source: u32, range: &Range<usize>) -> Place {
    Place { source, start: range.start as u32, end: range.end as u32 }
}

/// `services.x.work` is `services.x.ops.run.work`, as `merge::expand_services` made it in the file.
fn spell_out_run(tree: &Node, segments: &mut Vec<Segment>) {
    let [Segment::Name(section, _), Segment::Name(service, _), Segment::Name(key, range), ..] = segments.as_slice()
    else {
        return;
    };
    let written = |name: &str| {
        let services = tree.table().and_then(|t| t.get("services")).and_then(Node::table);
        services.and_then(|t| t.get(service)).and_then(Node::table).is_some_and(|t| t.get(name).is_some())
    };
    if section == "services" && (key == "work" || key == "steps") && !written(key) {
        let range = range.clone();
        segments.splice(2..2, ["ops", "run"].map(|name| Segment::Name(name.to_owned(), range.clone())));
    }
}

fn segments(path: &str) -> Result<Vec<Segment>, (Range<usize>, String)> {
    let mut result = Vec::new();
    let mut at = 0;
    let end = |from: usize, stop: &[char]| path[from..].find(stop).map_or(path.len(), |n| from + n);
    while at < path.len() || result.is_empty() {
        let rest = &path[at..];
        if rest.starts_with('[') {
            let close = end(at, &[']']);
            let number = path.get(at + 1..close).and_then(|n| n.trim().parse().ok());
            let Some(number) = number.filter(|_| close < path.len()) else {
                return Err((at..close.max(at + 1).min(path.len()), "`[n]` was expected here".to_owned()));
            };
            result.push(Segment::Index(number, at..close + 1));
            at = close + 1;
        } else if let Some(quote) = rest.chars().next().filter(|c| *c == '"' || *c == '\'') {
            let close = end(at + 1, &[quote]);
            if close == path.len() {
                return Err((at..path.len(), "this quote is not closed".to_owned()));
            }
            result.push(Segment::Name(path[at + 1..close].to_owned(), at..close + 1));
            at = close + 1;
        } else {
            let stop = end(at, &['.', '[']);
            let name = path[at..stop].trim();
            match name.parse::<usize>() {
                Ok(number) => result.push(Segment::Index(number, at..stop)),
                Err(_) if name.is_empty() => return Err((at..stop.max(at), "a name is missing here".to_owned())),
                Err(_) => result.push(Segment::Name(name.to_owned(), at..stop)),
            }
            at = stop;
        }
        match path[at..].chars().next() {
            Some('.') if at + 1 < path.len() => at += 1,
            Some('[') | None => {}
            Some(_) => return Err((at..path.len(), "`.` and a name were expected here".to_owned())),
        }
    }
    if result.len() > 32 {
        return Err((0..path.len(), "no path of a scenario is that long".to_owned()));
    }
    Ok(result)
}

struct Walk {
    source: u32,
    at: Place,
}

impl Walk {
    fn descend(
        &mut self,
        node: &mut Node,
        shape: Option<Shape>,
        rest: &[Segment],
        value: Node,
    ) -> Result<(), Box<Diagnostic>> {
        let Some((segment, after)) = rest.split_first() else {
            let old = core::mem::replace(node, Node::text("", self.at));
            *node = merge(old, value, shape);
            return Ok(());
        };
        if let Some(Shape::Table(form)) = shape {
            // A path into a short form spells it out; a path into what was deleted brings it back.
            let old = core::mem::replace(node, Node::text("", self.at));
            *node = if old.is_none_word() { self.empty() } else { grow(form, old) };
        }
        match (segment, &mut node.value) {
            (Segment::Name(name, range), Value::Table(table)) => {
                if let Some(inner) = Self::op_steps(table, shape, name) {
                    return self.descend(inner.0, inner.1, rest, value);
                }
                let key = place(self.source, range);
                let child = shape.and_then(|s| s.child(name)).map(|(s, _)| s);
                let created = self.empty();
                let entry = table.entries.entry(name.clone());
                let entry = entry.or_insert_with(|| super::tree::Entry { key, node: created });
                if after.is_empty()
                    && (entry.node.table().is_some_and(|t| t.entries.is_empty()) || value.table().is_none())
                {
                    entry.key = key;
                }
                self.descend(&mut entry.node, child, after, value)
            }
            (Segment::Index(..), Value::Table(table)) if is_op(shape) && table.get("steps").is_some() => {
                let steps = table.entries.get_mut("steps").expect("it was just there");
                let child = shape.and_then(|s| s.child("steps")).map(|(s, _)| s);
                self.descend(&mut steps.node, child, rest, value)
            }
            (Segment::Index(number, range), Value::Array(items)) => {
                let count = items.len();
                let Some(item) = items.get_mut(*number) else {
                    let label = format!("there are {count}, counted from 0");
                    return Err(Diagnostic::error(place(self.source, range), "there is no such element", label).into());
                };
                self.descend(item, item_shape(shape), after, value)
            }
            (Segment::Name(name, range), Value::Array(items)) => {
                let Some(item) = items.iter_mut().find(|item| is_named(item, name)) else {
                    let label = "elements are counted `[0]`, `[1]`, …, or found by their `name`";
                    let message = format!("no element here is called `{}`", clip(name));
                    return Err(Diagnostic::error(place(self.source, range), message, label).into());
                };
                self.descend(item, item_shape(shape), after, value)
            }
            (Segment::Name(_, range) | Segment::Index(_, range), _) => {
                let label = format!("this is not inside a table: what comes before is {}", node.sort());
                Err(Diagnostic::error(place(self.source, range), "this path leads nowhere", label).into())
            }
        }
    }

    fn empty(&self) -> Node {
        Node::new(Value::Table(Table::default()), self.at)
    }

    /// `ops.checkout.charge` is the step called `charge` of that op.
    fn op_steps<'a>(table: &'a mut Table, shape: Option<Shape>, name: &str) -> Option<(&'a mut Node, Option<Shape>)> {
        let Some(Shape::Table(form)) = shape else { return None };
        let wanted = form.has_body() && form.key(name).is_none();
        let steps = table.entries.get_mut("steps").filter(|_| wanted)?;
        steps.node.array()?.iter().any(|item| is_named(item, name)).then_some(())?;
        Some((&mut steps.node, form.key("steps").map(|k| k.shape)))
    }
}

fn is_op(shape: Option<Shape>) -> bool {
    matches!(shape, Some(Shape::Table(form)) if form.has_body())
}

fn is_named(item: &Node, name: &str) -> bool {
    item.table().and_then(|t| t.get("name")).and_then(Node::as_text) == Some(name)
}

fn item_shape(shape: Option<Shape>) -> Option<Shape> {
    shape.and_then(|shape| shape.item())
}

/// Every leaf of a parsed file, but for those of its variants.
pub(super) fn leaves(tree: &Node) -> Vec<Leaf> {
    let mut found = Vec::new();
    collect(tree, String::new(), &mut Vec::new(), &mut found);
    found
}

fn collect(node: &Node, path: String, names: &mut Vec<String>, found: &mut Vec<Leaf>) {
    match &node.value {
        Value::Table(table) if !table.entries.is_empty() => {
            for (name, entry) in &table.entries {
                if names.is_empty() && name == "variants" {
                    continue;
                }
                let dot = if path.is_empty() { "" } else { "." };
                names.push(name.clone());
                collect(&entry.node, format!("{path}{dot}{}", write_key(name)), names, found);
                names.pop();
            }
        }
        Value::Array(items) if items.iter().any(|item| item.table().is_some()) => {
            for (n, item) in items.iter().enumerate() {
                collect(item, format!("{path}[{n}]"), names, found);
            }
        }
        Value::Table(_)
        | Value::Array(_)
        | Value::Text(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Date(_) => {
            let judging = judging(names);
            found.push(Leaf { path, value: write_value(node), judging });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_take_names_quotes_and_indices() {
        let name = |n: &str, r: Range<usize>| Segment::Name(n.into(), r);
        assert_eq!(
            segments("a.b[2].\"x -> y\".0"),
            Ok(vec![
                name("a", 0..1),
                name("b", 2..3),
                Segment::Index(2, 3..6),
                name("x -> y", 7..15),
                Segment::Index(0, 16..17)
            ])
        );
        for bad in ["", ".a", "a..b", "a[", "a[x]", "a.\"b", "a]b.c[1]x"] {
            assert!(segments(bad).is_err() || bad == "a]b.c[1]x", "{bad}");
        }
        assert!(segments("a.").is_err() && segments("a[1]x").is_err());
    }
}
