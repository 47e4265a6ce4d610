//! A TOML text as a tree whose every value remembers its place.
//!
//! Nothing here knows what a scenario is. What the `toml` crate cannot bear (megabytes, deep nesting) is refused before it
//! sees the text; what it says about syntax is replaced where a scenario's author needs another hint.

use indexmap::IndexMap;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostic;
use crate::model::Place;

/// Larger files are refused.
pub(super) const BYTES_MAX: usize = 4 << 20;

/// Tables, arrays and dotted keys within each other.
const DEPTH_MAX: usize = 64;

/// Keys in one table.
const ENTRIES_MAX: usize = 1_000;

/// A value and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
    /// Stands as a comment in the resolved file.
    pub(super) note: Option<String>,
}

/// What TOML can say.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// A date or time, which no scenario has a use for.
    Date(String),
    Array(Vec<Node>),
    Table(Table),
}

/// Entries in the order of the file.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Table {
    pub(super) entries: IndexMap<String, Entry>,
}

/// A key's place and its value.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Entry {
    pub(super) key: Place,
    pub(super) node: Node,
}

impl Node {
    pub(super) fn new(value: Value, place: Place) -> Self {
        Self { value, place, note: None }
    }

    pub(super) fn text(text: impl Into<String>, place: Place) -> Self {
        Self::new(Value::Text(text.into()), place)
    }

    pub(super) fn table(&self) -> Option<&Table> {
        let Value::Table(table) = &self.value else { return None };
        Some(table)
    }

    pub(super) fn table_mut(&mut self) -> Option<&mut Table> {
        let Value::Table(table) = &mut self.value else { return None };
        Some(table)
    }

    pub(super) fn array(&self) -> Option<&[Self]> {
        let Value::Array(items) = &self.value else { return None };
        Some(items)
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        let Value::Text(text) = &self.value else { return None };
        Some(text)
    }

    pub(super) fn is_none_word(&self) -> bool {
        self.as_text() == Some("none")
    }

    /// How many values it has in it, itself included.
    pub(super) fn size(&self) -> usize {
        match &self.value {
            Value::Array(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Value::Table(table) => 1 + table.entries.values().map(|e| e.node.size()).sum::<usize>(),
            Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Date(_) => 1,
        }
    }

    /// What it is, for "found a table".
    pub(super) fn sort(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "text",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number with a point",
            Value::Boolean(_) => "true or false",
            Value::Date(_) => "a date",
            Value::Array(_) => "an array",
            Value::Table(_) => "a table",
        }
    }
}

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries.get(key).map(|e| &e.node)
    }

    pub(super) fn insert(&mut self, key: impl Into<String>, place: Place, node: Node) {
        self.entries.insert(key.into(), Entry { key: place, node });
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Entry> {
        self.entries.shift_remove(key)
    }
}

/// Parses a file.
pub(super) fn parse(source: u32, text: &str) -> Result<Node, Vec<Diagnostic>> {
    refuse_monsters(source, text)?;
    // The strict parse keeps one error only, so it is cheap on noise; the other one is asked when there is something to tell.
    let Ok(table) = DeTable::parse(text) else {
        let (_, errors) = DeTable::parse_recoverable(text);
        return Err(super::hints::all(source, text, &errors));
    };
    let place = Place { source, start: 0, end: 0 };
    let mut errors = Vec::new();
    let node = Node::new(Value::Table(convert_table(source, 0, table.into_inner(), &mut errors)), place);
    if errors.is_empty() { Ok(node) } else { Err(errors) }
}

/// Parses one value, as `--set` takes it; `None` if it is none.
pub(super) fn parse_value(source: u32, offset: u32, text: &str) -> Option<Node> {
    refuse_monsters(source, text).ok()?;
    let value = DeValue::parse(text).ok()?;
    let span = value.span();
    let mut errors = Vec::new();
    let value = convert(source, offset, value.into_inner(), place(source, offset, &span), &mut errors);
    let place = place(source, offset, &span);
    errors.is_empty().then(|| Node::new(value, place))
}

fn place(source: u32, offset: u32, span: &core::ops::Range<usize>) -> Place {
    Place { source, start: offset + span.start as u32, end: offset + span.end as u32 }
}

fn convert_table(source: u32, offset: u32, table: DeTable<'_>, errors: &mut Vec<Diagnostic>) -> Table {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    if let Some((key, _)) = entries.get(ENTRIES_MAX) {
        let label = format!("one table has at most {ENTRIES_MAX} keys");
        errors.push(Diagnostic::error(place(source, offset, &key.span()), "a table is too large", label));
        entries.truncate(ENTRIES_MAX);
    }
    let mut result = Table::default();
    for (key, value) in entries {
        let at = place(source, offset, &value.span());
        let key_place = place(source, offset, &key.span());
        let value = convert(source, offset, value.into_inner(), at, errors);
        result.insert(key.into_inner().into_owned(), key_place, Node::new(value, at));
    }
    result
}

fn convert(source: u32, offset: u32, value: DeValue<'_>, at: Place, errors: &mut Vec<Diagnostic>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => {
            Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or_else(|_| {
                errors.push(Diagnostic::error(at, "a number is too large", "whole numbers end at 9223372036854775807"));
                0
            }))
        }
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Boolean(value),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => {
            let nodes = items.into_iter().map(|item| {
                let at = place(source, offset, &item.span());
                Node::new(convert(source, offset, item.into_inner(), at, errors), at)
            });
            Value::Array(nodes.collect())
        }
        DeValue::Table(table) => Value::Table(convert_table(source, offset, table, errors)),
    }
}

/// Refuses what is too large, too deep, or empty of any meaning, before a recursive parser sees it.
fn refuse_monsters(source: u32, text: &str) -> Result<(), Vec<Diagnostic>> {
    let start = Place { source, start: 0, end: 0 };
    if text.len() > BYTES_MAX {
        let found = format!("this file has {} MiB; a scenario has at most {} MiB", text.len() >> 20, BYTES_MAX >> 20);
        return Err(vec![Diagnostic::error(start, "the file is too large", found)]);
    }
    if let Some(at) = too_deep(text.as_bytes()) {
        let at = Place { source, start: at as u32, end: at as u32 + 1 };
        let found = format!("tables, arrays and dotted keys may lie {DEPTH_MAX} deep in each other");
        return Err(vec![Diagnostic::error(at, "the file is nested too deeply", found)]);
    }
    Ok(())
}

/// The first byte at which brackets and dots of keys lie too deep in each other. Strings and comments do not count.
fn too_deep(text: &[u8]) -> Option<usize> {
    // Per open bracket the dots seen in it since the last comma, equals sign or line.
    let mut open: Vec<usize> = Vec::new();
    let (mut dots, mut depth, mut at) = (0, 0, 0);
    while at < text.len() {
        match text[at] {
            b'#' => {
                at = line_end(text, at);
                continue;
            }
            b'"' | b'\'' => {
                at = string_end(text, at);
                continue;
            }
            b'[' | b'{' => {
                open.push(dots);
                depth += 1 + dots;
                dots = 0;
            }
            b']' | b'}' => {
                depth -= open.pop().map_or(0, |outer| outer + 1);
                dots = 0;
            }
            b'.' => dots += 1,
            // A line may end within an array, so brackets stay open; the dots of a finished key are forgotten.
            b',' | b'\n' => dots = 0,
            _ => {}
        }
        if depth + dots > DEPTH_MAX {
            return Some(at);
        }
        at += 1;
    }
    None
}

fn line_end(text: &[u8], from: usize) -> usize {
    text[from..].iter().position(|b| *b == b'\n').map_or(text.len(), |n| from + n)
}

/// The byte after the string that begins at `from`; an unclosed one ends with its line.
fn string_end(text: &[u8], from: usize) -> usize {
    let quote = text[from];
    let triple = [quote; 3];
    if text[from..].starts_with(&triple) {
        let mut at = from + 3;
        while at < text.len() {
            if text[at] == b'\\' && quote == b'"' {
                at += 2;
            } else if text[at..].starts_with(&triple) {
                return at + 3;
            } else {
                at += 1;
            }
        }
        return text.len();
    }
    let mut at = from + 1;
    while at < text.len() && text[at] != b'\n' {
        if text[at] == quote {
            return at + 1;
        }
        at += if text[at] == b'\\' && quote == b'"' { 2 } else { 1 };
    }
    at.min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_the_order_and_the_places_of_the_file() {
        let text = "[b]\nx = 1\n[a]\ny = 'two'\n";
        let tree = parse(0, text).expect("a correct text");
        let table = tree.table().expect("a table");
        assert_eq!(table.entries.keys().collect::<Vec<_>>(), ["b", "a"]);
        let y = table.get("a").and_then(Node::table).and_then(|t| t.get("y")).expect("a.y");
        assert_eq!(&text[y.place.start as usize..y.place.end as usize], "'two'");
    }

    #[test]
    fn depth_counts_brackets_and_dots_but_no_text() {
        let deep = |text: &str| too_deep(text.as_bytes()).is_some();
        assert!(deep(&"[".repeat(100_000)));
        assert!(deep(&format!("a = {}", "[".repeat(70))));
        assert!(deep(&format!("{}z = 1", "a.".repeat(70))));
        assert!(!deep(&format!("x = \"{}\" # {}", "[.".repeat(70), "a.".repeat(70))));
        assert!(!deep(&"[a.b]\nx = 1.5\n".repeat(100)));
        assert!(!deep(&"x = '''\n[[[\n'''\n".repeat(100)));
    }
}
