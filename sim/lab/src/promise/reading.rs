//! What a predicate over one row sees: the row, and the rows with the same key elsewhere.

use kernel::NULL;
use systems::expression::{Environment, ItemId, Value, VariableId};

use super::table::Table;
use crate::expression::Type;

/// Where the rows of a counter stand among the mirrored values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rows {
    pub(super) base: u32,
    pub(super) keys: u32,
}

/// The bare name `value` in a predicate over a counter's rows.
pub(super) const VALUE: VariableId = VariableId(0);
/// The bare name `key` in a predicate over rows.
pub(super) const KEY: VariableId = VariableId(1);

/// What a name in a predicate over rows reads, always at the row's own key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reading {
    /// A counter's row; null beyond its keys.
    Counter(Rows),
    /// A field of a map's row; null if either is missing.
    Field { column: u32, sort: Type },
    /// Whether a map has the row: null if not.
    Present { column: u32 },
}

impl Reading {
    /// The type of its value.
    pub(super) const fn sort(self) -> Type {
        match self {
            Self::Counter(_) => Type::Int,
            Self::Field { sort, .. } => sort,
            Self::Present { .. } => Type::Bool,
        }
    }
}

/// A reading, with what it is called.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) reading: Reading,
    /// `inventory.holds`
    pub(super) item: String,
    /// `status`; empty for a counter, or for the row itself.
    pub(super) field: String,
}

/// The mirrored state that predicates over rows see.
#[derive(Clone, Copy)]
pub(super) struct Mirror<'a> {
    /// Rows of counters.
    pub(super) values: &'a [i64],
    /// Rows of maps.
    pub(super) table: &'a Table,
    /// By `VariableId`, behind `VALUE` and `KEY`.
    pub(super) readings: &'a [Named],
}

impl<'a> Mirror<'a> {
    /// One row; `slot` is where maps have rows of its key.
    #[inline]
    pub(super) const fn row(self, key: u64, slot: Option<u32>, value: i64) -> RowView<'a> {
        RowView { key, slot, value, mirror: self }
    }
}

/// One row, and what else has its key.
pub(super) struct RowView<'a> {
    key: u64,
    slot: Option<u32>,
    value: i64,
    mirror: Mirror<'a>,
}

impl Environment for RowView<'_> {
    #[inline]
    fn variable(&self, variable: VariableId) -> Value {
        let Some(number) = variable.0.checked_sub(KEY.0 + 1) else {
            return Value::Int(if variable == VALUE { self.value } else { self.key as i64 });
        };
        match self.mirror.readings[number as usize].reading {
            Reading::Counter(rows) if self.key < u64::from(rows.keys) => {
                Value::Int(self.mirror.values[rows.base as usize + self.key as usize])
            }
            Reading::Counter(_) => Value::Null,
            Reading::Field { column, sort } => decoded(self.mirror.table.value(column, self.slot), sort),
            Reading::Present { column } => present(self.mirror.table.value(column, self.slot)),
        }
    }

    fn row(&self, item: ItemId, key: i64) -> Value {
        unreachable!("row {key} of {item:?}: predicates over rows read through variables")
    }
}

/// The value that a field's cell tells.
#[inline]
pub(super) fn decoded(coded: i64, sort: Type) -> Value {
    match sort {
        _ if coded == NULL => Value::Null,
        Type::Int | Type::Duration => Value::Int(coded),
        Type::Bool => Value::Bool(coded != 0),
        Type::Text => Value::Text(coded as u32),
    }
}

/// Something, if there is a row.
#[inline]
pub(super) const fn present(count: i64) -> Value {
    if count == 0 { Value::Null } else { Value::Bool(true) }
}
