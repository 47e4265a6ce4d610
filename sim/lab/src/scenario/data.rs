//! Files that a scenario names: `empirical("latencies.csv")`, `trace = "arrivals.csv"`.
//!
//! Whoever loads a scenario hands in their contents; nothing here touches a file. A file has one column of values, with
//! or without a header: durations with their unit (`5ms`), numbers whose unit stands last in the header (`latency_ms`),
//! or plain numbers where the scenario wants numbers. Lines that begin with `#` and empty lines are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::distributions::{EMPIRICAL, Sort, signed};
use super::set;
use super::tree::{self, Node, Value};
use super::values::{self, Bad, clip};
use crate::model::Place;

/// Rows that are read of one file.
const ROWS_MAX: usize = 100_000;

/// Rows that are told of as wrong.
const WRONG_MAX: usize = 5;

/// Contents of files by name, or why they could not be read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Files(Arc<BTreeMap<String, Result<String, String>>>);

impl Files {
    /// These files.
    pub fn new(files: BTreeMap<String, Result<String, String>>) -> Self {
        Self(Arc::new(files))
    }

    /// All of them, by name.
    pub fn all(&self) -> &BTreeMap<String, Result<String, String>> {
        &self.0
    }

    /// No file is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of a file's only column.
    pub(super) fn column(&self, name: &str, sort: Sort) -> Result<Vec<f64>, Bad> {
        match self.0.get(name) {
            None => Err(Bad::new(format!("the contents of `{}` are not at hand", clip(name)))
                .help("whoever loads this scenario hands them in with it: `Source::with_files`")),
            Some(Err(why)) => Err(Bad::new(format!("`{}` cannot be read: {why}", clip(name)))
                .help("a file is found from the folder of the scenario")),
            Some(Ok(text)) => column(name, text, sort),
        }
    }
}

fn column(name: &str, text: &str, sort: Sort) -> Result<Vec<f64>, Bad> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let (mut found, mut wrong, mut unit) = (Vec::new(), Vec::new(), None);
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(|error| Bad::new(format!("`{}` is no table: {error}", clip(name))))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = record.get(0).unwrap_or("");
        if record.len() != 1 {
            wrong.push(format!("line {line} has {} columns, and one is read", record.len()));
        } else if row == 0 && cell.starts_with(char::is_alphabetic) {
            unit = values::unit_at_end(cell);
        } else {
            match value(cell, sort, unit) {
                Ok(value) => found.push(value),
                Err(bad) => wrong.push(format!("line {line}: `{}`: {}", clip(cell), bad.label)),
            }
        }
        if found.len() > ROWS_MAX {
            return Err(Bad::new(format!("`{}` has more than {ROWS_MAX} values", clip(name))));
        }
    }
    match wrong.split_first() {
        None if found.is_empty() => Err(Bad::new(format!("`{}` has no values", clip(name)))),
        None => Ok(found),
        Some((first, others)) => {
            let bad = Bad::new(format!("in `{}`, {first}", clip(name)));
            let more = others.len().saturating_sub(WRONG_MAX);
            let listed = others.iter().take(WRONG_MAX).cloned().collect::<Vec<_>>().join("; ");
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            Err(if listed.is_empty() { bad } else { bad.help(format!("also {listed}{more}")) })
        }
    }
}

/// One cell; `unit` is what a number of the column is in, in nanoseconds.
fn value(cell: &str, sort: Sort, unit: Option<u64>) -> Result<f64, Bad> {
    let number = || signed(cell).ok_or_else(|| Bad::new("this is no number"));
    match (sort, unit) {
        (Sort::Durations, Some(unit)) => {
            let ns = (number()? * unit as f64).round();
            let fits = (0.0..=values::SPAN_MAX as f64).contains(&ns);
            if fits { Ok(ns) } else { Err(Bad::new("this is no length of time")) }
        }
        (Sort::Durations, None) => values::duration(cell).map(|ns| ns as f64).map_err(|bad| match signed(cell) {
            Some(number) if number >= 0.0 => Bad::new("a unit is missing: write it here, or in a header, `latency_ms`"),
            Some(_) | None => bad,
        }),
        (Sort::Numbers | Sort::Counts, _) => number(),
        (Sort::Drifts, _) => values::drift(cell),
        (Sort::Offsets, _) => values::offset(cell),
    }
}

/// The files that a scenario's text, or one of these `--set`s, names: to be read and handed in.
pub(super) fn named(text: &str, sets: &[(String, String)]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Ok(root) = tree::parse(0, text) {
        walk(&root, "", &mut names);
    }
    for (path, value) in sets {
        let node = tree::parse_value(0, 0, value).unwrap_or_else(|| Node::text(value, Place::default()));
        walk(&node, path, &mut names);
    }
    names
}

fn walk(node: &Node, key: &str, names: &mut BTreeSet<String>) {
    match &node.value {
        Value::Text(text) => {
            if is_trace(key) && values::duration(text).is_err() && text != "none" {
                names.insert(text.clone());
            }
            let mut rest = text.as_str();
            while let Some(at) = rest.find(EMPIRICAL) {
                rest = rest[at + EMPIRICAL.len()..].trim_start();
                let inner = rest.strip_prefix('(').map(str::trim_start).and_then(quoted);
                names.extend(inner.map(|(name, _)| name.to_owned()));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, key, names)),
        Value::Table(table) => table.entries.iter().for_each(|(name, entry)| walk(&entry.node, name, names)),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Date(_) => {}
    }
}

/// `trace`, also as the last step of a path in a matrix.
fn is_trace(key: &str) -> bool {
    key.rsplit('.').next() == Some(set::TRACE)
}

/// `"name"` or `'name'` at the beginning, and what follows it.
pub(super) fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    text[1..].split_once(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, sort: Sort) -> Result<Vec<f64>, Bad> {
        column("a.csv", text, sort)
    }

    #[test]
    fn a_column_has_units_in_its_cells_or_in_its_header() {
        let ms = |values: &[f64]| Ok(values.iter().map(|v| v * 1e6).collect());
        for text in
            ["5ms\n1.5ms\n", "latency\r\n5ms\r\n1500us\r\n", "latency_ms\n5\n1.5\n", "\u{feff}ms\n\n# a\n5\n1.5"]
        {
            assert_eq!(read(text, Sort::Durations), ms(&[5.0, 1.5]), "{text:?}");
        }
        assert_eq!(read("Latency (s)\n\"0.0123456789\"\n", Sort::Durations), Ok(vec![12_345_679.0]), "rounded");
        assert_eq!(read("items\n3\n-1_000\n", Sort::Numbers), Ok(vec![3.0, -1000.0]));
    }

    #[test]
    fn every_wrong_row_is_told_with_its_line() {
        let wrong = |text, sort| read(text, sort).expect_err("it is wrong");
        let bad = wrong("latency_ms\n5\nfast\n6,7\n-1\n", Sort::Durations);
        assert_eq!(bad.label, "in `a.csv`, line 3: `fast`: this is no number");
        let others = "also line 4 has 2 columns, and one is read; line 5: `-1`: this is no length of time";
        assert_eq!(bad.help.as_deref(), Some(others));
        assert!(wrong("5\n", Sort::Durations).label.contains("a unit is missing"));
        assert_eq!(wrong("latency_ms\n", Sort::Durations).label, "`a.csv` has no values");
        assert!(wrong(&"1ms\n".repeat(ROWS_MAX + 1), Sort::Durations).label.contains("more than 100000"));
    }
}
