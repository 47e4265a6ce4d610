//! Values as the TOML text that a person would write: a header for each part, an element of a list on its own line if they
//! do not fit on one, keys in columns.

use core::fmt::Write as _;

use super::value::{Table, Value};

/// Lines are broken that would be longer.
const LINE_MAX: usize = 100;
/// So are lists of tables.
const LIST_MAX: usize = 72;
/// Keys longer than this do not move the column of the others.
const COLUMN_MAX: usize = 28;
/// Sections whose things are a line each: `name = { always = "…" }`.
const IN_LINES: [&str; 4] = ["invariants", "thresholds", "phases", "zones"];
/// Sections whose things have a header each.
const WITH_HEADERS: [&str; 12] = [
    "retry",
    "breaker",
    "services",
    "stores",
    "brokers",
    "queues",
    "exchanges",
    "topics",
    "transactions",
    "sagas",
    "workloads",
    "faults",
];
const VARIANTS: &str = "variants";

const UNITS: [(&str, u128); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A length of time in the largest unit that leaves no fraction; what is shorter than an hour, or no whole one, in seconds
/// at most, as people write it.
pub(super) fn duration(nanoseconds: u128) -> String {
    if nanoseconds == 0 {
        return "0s".to_owned();
    }
    let fits = |unit: &&(&str, u128)| unit.0 != "m" && nanoseconds.is_multiple_of(unit.1);
    let (name, size) = UNITS.iter().find(fits).expect("one nanosecond divides every length");
    format!("{}{name}", nanoseconds / size)
}

/// A whole file: `order` are its sections.
pub(super) fn file(root: &Table, order: &[&str]) -> String {
    let place = |name: &str| order.iter().position(|section| *section == name).unwrap_or(order.len());
    let mut sections: Vec<&(String, Value)> = root.entries.iter().collect();
    sections.sort_by_key(|(name, _)| place(name));
    let mut out = String::new();
    let is_line = |value: &Value| !matches!(value, Value::Table(_));
    let lines: Vec<(String, &Value)> =
        sections.iter().filter(|(_, value)| is_line(value)).map(|(name, value)| (key(name), value)).collect();
    columns(&mut out, &lines);
    for (name, value) in sections {
        let Value::Table(section) = value else { continue };
        let mut path = vec![key(name)];
        if name == VARIANTS {
            for (variant, parts) in &section.entries {
                path.push(key(variant));
                variant_of(&mut out, &mut path, parts);
                path.pop();
            }
        } else if WITH_HEADERS.contains(&name.as_str()) {
            for (thing, value) in &section.entries {
                path.push(key(thing));
                if let Value::Table(table) = value {
                    table_of(&mut out, &mut path, table, true);
                } else {
                    table_of(&mut out, &mut vec![key(name)], &one(thing, value), true);
                }
                path.pop();
            }
        } else {
            table_of(&mut out, &mut path, section, !IN_LINES.contains(&name.as_str()) || !section.entries.is_empty());
        }
    }
    out
}

fn one(name: &str, value: &Value) -> Table {
    Table { entries: vec![(name.to_owned(), value.clone())] }
}

/// A header and what stands below it. What fits on no line has a header of its own; what stands beside it in a table that
/// is none by itself has its path there: `ops.get = "1ms"`.
fn table_of(out: &mut String, path: &mut Vec<String>, table: &Table, always: bool) {
    let in_lines = path.len() == 1 && IN_LINES.contains(&path[0].as_str());
    let (mut lines, mut below) = (Vec::new(), Vec::new());
    for (name, value) in &table.entries {
        let inner = if let Value::Table(inner) = value { Some(inner) } else { None };
        let Some(inner) = inner.filter(|_| !in_lines && !fits(name, value)) else {
            lines.push((key(name), value));
            continue;
        };
        for (deeper, value) in &inner.entries {
            if let Value::Table(table) = value
                && !fits(deeper, value)
            {
                below.push(([key(name), key(deeper)], table));
            } else {
                lines.push((format!("{}.{}", key(name), key(deeper)), value));
            }
        }
    }
    if always && below.is_empty() || !lines.is_empty() {
        header(out, path);
    }
    columns(out, &lines);
    for (names, inner) in below {
        path.extend(names);
        table_of(out, path, inner, true);
        path.truncate(path.len() - 2);
    }
}

fn header(out: &mut String, path: &[String]) {
    let _ = write!(out, "\n[{}]\n", path.join("."));
}

/// On one line with its name.
fn fits(name: &str, value: &Value) -> bool {
    name.len() + line(value).len() < LINE_MAX - 3 && !has_long_lists(value)
}

/// Lists of tables are easier to read on lines of their own, unless they are short.
fn has_long_lists(value: &Value) -> bool {
    match value {
        Value::Array(items) => {
            items.len() > 1 && items.iter().any(|item| matches!(item, Value::Table(_))) && line(value).len() > LIST_MAX
        }
        Value::Table(table) => table.entries.iter().any(|(_, value)| has_long_lists(value)),
        Value::Text(_) | Value::Integer(_) | Value::Number(_) | Value::Truth(_) => false,
    }
}

/// A variant changes single values, so it says them by their paths; whole things that fit on no line have a header.
fn variant_of(out: &mut String, path: &mut Vec<String>, parts: &Value) {
    let Value::Table(parts) = parts else { return };
    let (mut lines, mut below) = (Vec::new(), Vec::new());
    for (name, value) in &parts.entries {
        spread(&mut lines, &mut below, vec![key(name)], value);
    }
    header(out, path);
    columns(out, &lines);
    for (names, table) in below {
        let depth = path.len();
        path.extend(names);
        table_of(out, path, table, true);
        path.truncate(depth);
    }
}

/// Lines with their names, and tables with their paths.
type Lines<'a> = Vec<(String, &'a Value)>;
type Tables<'a> = Vec<(Vec<String>, &'a Table)>;

fn spread<'a>(lines: &mut Lines<'a>, below: &mut Tables<'a>, mut path: Vec<String>, value: &'a Value) {
    // Named things of a section, or a section without names.
    let is_thing = path.len() > 1 || !WITH_HEADERS.contains(&path[0].as_str());
    let Value::Table(table) = value else {
        lines.push((path.join("."), value));
        return;
    };
    let plain = |(_, value): &(String, Value)| !matches!(value, Value::Table(_)) || fits("", value);
    match table.entries.len() {
        0 => lines.push((path.join("."), value)),
        2.. if is_thing && fits(&path.join("."), value) => lines.push((path.join("."), value)),
        2.. if is_thing && table.entries.iter().all(plain) => below.push((path, table)),
        _ => {
            for (name, inner) in &table.entries {
                path.push(key(name));
                spread(lines, below, path.clone(), inner);
                path.pop();
            }
        }
    }
}

fn columns(out: &mut String, lines: &[(String, &Value)]) {
    let width =
        lines.iter().map(|(name, _)| name.chars().count()).filter(|width| *width <= COLUMN_MAX).max().unwrap_or(0);
    for (name, value) in lines {
        let _ = writeln!(out, "{name:width$} = {}", broken(value, 0, name.len().max(width) + 3));
    }
}

/// A value that begins so many columns from the left, on as many lines as it needs.
fn broken(value: &Value, indent: usize, column: usize) -> String {
    let whole = line(value);
    if column + whole.len() <= LINE_MAX && (indent > 0 || !has_long_lists(value)) {
        return whole;
    }
    match value {
        Value::Array(items) if items.iter().any(|item| matches!(item, Value::Table(_) | Value::Array(_))) => {
            let inner = indent + 2;
            let items: Vec<String> =
                items.iter().map(|item| format!("{:inner$}{},\n", "", broken(item, inner, inner))).collect();
            format!("[\n{}{:indent$}]", items.concat(), "")
        }
        Value::Table(table) if has_long_lists(value) => {
            let entry =
                |(name, value): &(String, Value)| format!("{} = {}", key(name), broken(value, indent, LINE_MAX / 2));
            let entries: Vec<String> = table.entries.iter().map(entry).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(_) | Value::Table(_) | Value::Text(_) | Value::Integer(_) | Value::Number(_) | Value::Truth(_) => {
            whole
        }
    }
}

/// A value on one line.
pub(super) fn line(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Integer(number) => grouped(*number),
        Value::Number(number) => format!("{number:?}").replace("NaN", "nan"),
        Value::Truth(truth) => truth.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(line).collect::<Vec<_>>().join(", ")),
        Value::Table(table) if table.entries.is_empty() => "{}".to_owned(),
        Value::Table(table) => {
            let entries: Vec<String> =
                table.entries.iter().map(|(name, value)| format!("{} = {}", key(name), line(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// Thousands apart, from ten thousand on: `30_000`.
fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    if digits.len() < 5 {
        return number.to_string();
    }
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    let groups: Vec<String> = groups.into_iter().map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    format!("{}{}", if number < 0 { "-" } else { "" }, groups.join("_"))
}

/// A key, in quotes if it must be.
pub(super) fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { name.to_owned() } else { quoted(name) }
}

/// Text as TOML; without escapes where that can be.
fn quoted(text: &str) -> String {
    if text.contains('"') && !text.contains('\'') && !text.chars().any(char::is_control) {
        return format!("'{text}'");
    }
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
