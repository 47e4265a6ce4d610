//! A complete tree as text: the resolved file for people, the canonical text for hashing.
//!
//! The resolved file is a scenario again, and means the same; comments in it say what a distribution comes to. The
//! canonical text has its keys sorted and lacks what neither changes a run nor is asked of it.

use core::fmt::Write as _;

use super::merge::WITH_LIKE;
use super::tree::{Node, Table, Value};

/// Inline tables longer than this get a header of their own.
const INLINE_MAX: usize = 100;

/// A key, in quotes if it must be.
pub(crate) fn write_key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { name.to_owned() } else { write_text(name) }
}

/// Text as a TOML basic string.
pub(crate) fn write_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A value on one line.
pub(super) fn write_value(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => write_text(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(truth) => truth.to_string(),
        Value::Date(date) => date.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(write_value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(table) => {
            let entry =
                |(name, e): (&String, &super::tree::Entry)| format!("{} = {}", write_key(name), write_value(&e.node));
            let entries: Vec<String> = table.entries.iter().map(entry).collect();
            if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
        }
    }
}

/// The resolved file.
pub(super) fn write_file(root: &Node) -> String {
    let mut out = String::new();
    let mut root = root.clone();
    if let Some(table) = root.table_mut() {
        // A resolved file has no variants any more, so it sweeps none.
        let sweep = table.entries.get_mut("sweep").and_then(|e| e.node.table_mut());
        sweep.map(|sweep| sweep.remove("variants"));
        write_table(&mut out, table, &mut Vec::new());
    }
    out
}

fn write_table(out: &mut String, table: &Table, path: &mut Vec<String>) {
    let (mut lines, mut sections) = (Vec::new(), Vec::new());
    for (name, entry) in &table.entries {
        match entry.node.table() {
            Some(inner) if inner.entries.is_empty() => {}
            Some(inner) if !is_inline(inner, path) => sections.push((name, inner)),
            Some(_) | None => lines.push((name, &entry.node)),
        }
    }
    if !path.is_empty() && !lines.is_empty() {
        let keys: Vec<String> = path.iter().map(|name| write_key(name)).collect();
        let _ = writeln!(out, "\n[{}]", keys.join("."));
    }
    for (name, node) in lines {
        write_line(out, name, node);
    }
    for (name, inner) in sections {
        path.push(name.clone());
        write_table(out, inner, path);
        path.pop();
    }
}

/// A small table of plain values below the things of a section.
fn is_inline(table: &Table, path: &[String]) -> bool {
    let plain = table.entries.values().all(|e| match &e.node.value {
        Value::Table(_) => false,
        Value::Array(items) => items.iter().all(|i| i.table().is_none()),
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Date(_) => true,
    });
    let thing = matches!(path, [section] if WITH_LIKE.contains(&section.as_str()));
    let width: usize = table.entries.iter().map(|(name, e)| name.len() + write_value(&e.node).len() + 5).sum();
    plain && !thing && !path.is_empty() && width <= INLINE_MAX
}

fn write_line(out: &mut String, name: &str, node: &Node) {
    let steps = node.array().filter(|items| items.iter().any(|i| i.table().is_some()));
    let Some(items) = steps else {
        let _ = writeln!(out, "{} = {}{}", write_key(name), write_value(node), comment(node));
        return;
    };
    let _ = writeln!(out, "{} = [", write_key(name));
    for item in items {
        let _ = writeln!(out, "  {},{}", write_value(item), comment(item));
    }
    out.push_str("]\n");
}

/// The notes in a value, as a comment; several say whose they are.
fn comment(node: &Node) -> String {
    let mut notes = Vec::new();
    collect_notes(node, "", &mut notes);
    match notes.as_slice() {
        [] => String::new(),
        [(_, only)] => format!("  # {only}"),
        several => {
            let each: Vec<String> = several.iter().map(|(name, note)| format!("{name}: {note}")).collect();
            format!("  # {}", each.join("; "))
        }
    }
}

fn collect_notes<'a>(node: &'a Node, name: &'a str, notes: &mut Vec<(&'a str, &'a str)>) {
    notes.extend(node.note.as_deref().map(|note| (name, note)));
    match &node.value {
        Value::Table(table) => table.entries.iter().for_each(|(name, e)| collect_notes(&e.node, name, notes)),
        Value::Array(items) => items.iter().for_each(|i| collect_notes(i, name, notes)),
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Date(_) => {}
    }
}

/// Neither changes what happens nor what is asked of it.
const NOT_HASHED: [&[&str]; 8] = [
    &["version"],
    &["scenario", "question"],
    &["scenario", "tags"],
    &["run", "seed"],
    &["run", "precision"],
    &["expect"],
    &["sweep"],
    &["variants"],
];

/// What is hashed: one line, sorted keys.
pub(super) fn write_canonical(root: &Node) -> String {
    let mut out = String::new();
    canonical(&mut out, root, &mut Vec::new());
    out
}

fn canonical<'a>(out: &mut String, node: &'a Node, path: &mut Vec<&'a str>) {
    match &node.value {
        Value::Table(table) => {
            let mut names: Vec<&'a String> = table.entries.keys().collect();
            names.sort();
            out.push('{');
            for name in names {
                path.push(name);
                let child = &table.entries[name].node;
                let empty = child.table().is_some_and(|t| t.entries.is_empty());
                if !empty && !NOT_HASHED.contains(&path.as_slice()) {
                    out.push_str(&write_text(name));
                    out.push('=');
                    canonical(out, child, path);
                    out.push(';');
                }
                path.pop();
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                canonical(out, item, path);
                out.push(',');
            }
            out.push(']');
        }
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Date(_) => {
            out.push_str(&write_value(node));
        }
    }
}
