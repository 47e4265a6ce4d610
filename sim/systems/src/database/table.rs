//! One item of state: rows by key.

use alloc::sync::Arc;
use alloc::vec::Vec;

use kernel::{Delta, NULL};

use super::script::{TableKind, TablePlan};
use super::sparse::SparseRows;
use crate::expression::Value;

/// A row. What a commit writes is in its record, among the newest rows and among the visible ones: all share its values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// By column; of a value of a list how often it is there.
    pub values: Arc<[Value]>,
    /// How often it was changed.
    pub version: u64,
}

/// Rows by key.
#[derive(Clone, Debug)]
pub enum Table {
    /// Rows 0 … n − 1, always there.
    Dense(Vec<Row>),
    /// Rows that come and go; and how many values a list has.
    Sparse(SparseRows, i64),
}

impl Table {
    /// As it is before the run.
    pub fn new(plan: &TablePlan) -> Self {
        let row = || Row { values: plan.columns.iter().map(|(_, initial)| *initial).collect(), version: 0 };
        let first = 0..plan.keys;
        match plan.kind {
            TableKind::Counter => Self::Dense(first.map(|_| row()).collect()),
            TableKind::Map => Self::Sparse(first.map(|key| (i64::from(key), row())).collect(), 0),
            TableKind::List => Self::Sparse(SparseRows::default(), 0),
        }
    }

    /// The row with this key, if there is one.
    pub fn get(&self, key: i64) -> Option<&Row> {
        match self {
            Self::Dense(rows) => rows.get(usize::try_from(key).ok()?),
            Self::Sparse(rows, _) => rows.get(key),
        }
    }

    /// Rows in the order of their keys.
    pub fn len(&self) -> usize {
        match self {
            Self::Dense(rows) => rows.len(),
            Self::Sparse(rows, _) => rows.len(),
        }
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A row becomes this, or goes. What that changes is appended.
    pub fn put(&mut self, plan: &TablePlan, key: i64, row: Option<&Row>, changes: Option<&mut Vec<Delta>>) {
        match self {
            Self::Dense(rows) => {
                let Some(slot) = usize::try_from(key).ok().and_then(|n| rows.get_mut(n)) else { return };
                let Some(row) = row else { return };
                if let Some(changes) = changes {
                    columns(plan, key, Some(slot), Some(row), changes);
                }
                slot.clone_from(row);
            }
            Self::Sparse(rows, size) => {
                let before = match row {
                    Some(row) => rows.insert(key, row.clone()),
                    None => rows.remove(key),
                };
                if plan.kind == TableKind::List {
                    let (was, is) = (times(before.as_ref()), times(row));
                    *size += is - was;
                    if let (Some(changes), Some(cell)) = (changes, plan.presence) {
                        changes.push(Delta { cell, key: 0, before: *size - is + was, after: *size });
                    }
                    return;
                }
                let Some(changes) = changes else { return };
                if let Some(cell) = plan.presence {
                    let (was, is) = (i64::from(before.is_some()), i64::from(row.is_some()));
                    if was != is {
                        changes.push(Delta { cell, key: key as u64, before: was, after: is });
                    }
                }
                columns(plan, key, before.as_ref(), row, changes);
            }
        }
    }

    /// Appends that every row is gone which would not be stated again: those of a counter always are, and a list's size.
    pub fn gone(&self, plan: &TablePlan, each: &mut impl FnMut(Delta)) {
        let Self::Sparse(rows, _) = self else { return };
        if plan.kind == TableKind::List {
            return;
        }
        let mut changes = Vec::new();
        for (key, row) in rows.in_order() {
            changes.extend(plan.presence.map(|cell| Delta { cell, key: *key as u64, before: 1, after: 0 }));
            columns(plan, *key, Some(row), None, &mut changes);
        }
        changes.into_iter().for_each(each);
    }

    /// Appends every row as it is.
    pub fn restate(&self, plan: &TablePlan, changes: &mut Vec<Delta>) {
        let mut state = |key: i64, row: &Row| {
            if let Some(cell) = plan.presence {
                changes.push(Delta { cell, key: key as u64, before: 1, after: 1 });
            }
            for ((cell, _), value) in plan.columns.iter().zip(row.values.iter()) {
                let value = code(*value);
                changes.push(Delta { cell: *cell, key: key as u64, before: value, after: value });
            }
        };
        match self {
            Self::Dense(rows) => rows.iter().enumerate().for_each(|(key, row)| state(key as i64, row)),
            Self::Sparse(rows, size) if plan.kind == TableKind::List => {
                debug_assert!(rows.len() as i64 <= *size, "each value is there at least once");
                changes.extend(plan.presence.map(|cell| Delta { cell, key: 0, before: *size, after: *size }));
            }
            Self::Sparse(rows, _) => rows.in_order().into_iter().for_each(|(key, row)| state(*key, row)),
        }
    }
}

fn times(row: Option<&Row>) -> i64 {
    match row.and_then(|row| row.values.first()) {
        Some(Value::Int(times)) => *times,
        Some(Value::Null | Value::Bool(_) | Value::Text(_)) | None => 0,
    }
}

fn columns(plan: &TablePlan, key: i64, before: Option<&Row>, after: Option<&Row>, changes: &mut Vec<Delta>) {
    for (n, (cell, _)) in plan.columns.iter().enumerate() {
        let value = |row: Option<&Row>| row.map_or(NULL, |row| code(row.values[n]));
        let (before, after) = (value(before), value(after));
        if before != after {
            changes.push(Delta { cell: *cell, key: key as u64, before, after });
        }
    }
}

/// A value as a cell has it: a number as it is, a truth value as 0 or 1, a text as its symbol.
pub fn code(value: Value) -> i64 {
    match value {
        Value::Null => NULL,
        Value::Int(number) => number,
        Value::Bool(truth) => i64::from(truth),
        Value::Text(symbol) => i64::from(symbol),
    }
}
