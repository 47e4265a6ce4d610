//! Values and rows for a person: which rows make an aggregate what it is, and what stands in them.

use kernel::Span;
use systems::expression::{Environment, Value, VariableId};

use super::aggregate::{Aggregate, Over};
use super::predicate::grouped;
use super::reading::Named;
use super::state::State;
use super::tally::Kind;
use crate::expression::Type;

/// At most this many rows are told.
const ROWS_MAX: usize = 3;

/// Which rows make an aggregate what it is: ` in row 17`, ` in rows 3 (-5), 17 (-20)`, empty if that says nothing; then a
/// line for each of them with what its predicate reads.
pub(super) fn rows(number: u32, state: &State) -> (String, Vec<String>) {
    let aggregate = &state.aggregates[number as usize];
    let reads = &state.reads[number as usize];
    let mut guilty = guilty(aggregate, state);
    guilty.sort_unstable();
    let many = guilty.len();
    guilty.truncate(ROWS_MAX);
    let extreme = matches!(aggregate.kind, Kind::Min | Kind::Max);
    let named = guilty.iter().map(|&(key, value)| match aggregate.over {
        Over::Counter { .. } if !extreme => format!("{key} ({})", grouped(i128::from(value))),
        Over::Counter { .. } | Over::Map { .. } => key.to_string(),
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let place = match many {
        0 => String::new(),
        1 => format!(" in row {named}"),
        2..=ROWS_MAX => format!(" in rows {named}"),
        n => format!(" in {} rows: {named}, …", grouped(n as i128)),
    };
    let item = &state.items[number as usize];
    let lines = guilty.iter().filter_map(|&(key, value)| {
        let told = row(item, key, reads, state)?;
        Some(match aggregate.over {
            Over::Counter { .. } => format!("{item}[{key}] = {} · {told}", grouped(i128::from(value))),
            Over::Map { .. } => format!("{item}[{key}]: {told}"),
        })
    });
    (place, lines.collect())
}

/// The rows that make it what it is, each with its value.
pub(super) fn guilty(aggregate: &Aggregate, state: &State) -> Vec<(u64, i64)> {
    let result = aggregate.value();
    let decides = |counted: Option<i64>| match aggregate.kind {
        Kind::Min | Kind::Max => counted.map(Value::Int) == Some(result),
        Kind::All => counted.is_none(),
        Kind::Any => counted.is_some(),
        // Some few of many are worth a name.
        Kind::Count => counted.is_some() && aggregate.filter.is_some() && aggregate.matching() <= ROWS_MAX as u64,
        Kind::Sum | Kind::Distinct | Kind::AllEqual => false,
    };
    let mirror = state.mirror();
    match aggregate.over {
        Over::Counter { rows, .. } => {
            let row = |key: u64| {
                let value = mirror.values[rows.base as usize + key as usize];
                let counted = aggregate.row(key, value, mirror).ok()?;
                decides(counted).then_some((key, value))
            };
            (0..u64::from(rows.keys)).filter_map(row).collect()
        }
        Over::Map { present, .. } => {
            let row = |slot: u32| {
                let there = mirror.table.value(present, Some(slot)) != 0;
                let counted = aggregate.slot(slot, mirror).ok()?;
                (there && decides(counted)).then(|| (mirror.table.key(slot), 0))
            };
            (0..mirror.table.len()).filter_map(row).collect()
        }
    }
}

/// What a predicate reads of the row of `item` with this key, and of others:
/// `status = 'paid' · inventory.holds[12].status = 'released'`. Nothing if it reads key and value alone.
pub(super) fn row(item: &str, key: u64, reads: &[VariableId], state: &State) -> Option<String> {
    let view = state.mirror().row(key, state.table.slot(key), 0);
    let read = |&variable: &VariableId| {
        let Named { reading, item: of, field } = state.named(variable)?;
        let value = told(view.variable(variable), reading.sort(), state);
        let (own, whole) = (of == item, field.is_empty());
        Some(match (own, whole) {
            (true, false) => format!("{field} = {value}"),
            (false, false) => format!("{of}[{key}].{field} = {value}"),
            (_, true) => format!("{of}[{key}] = {value}"),
        })
    };
    let told: Vec<_> = reads.iter().filter_map(read).collect();
    (!told.is_empty()).then(|| told.join(" · "))
}

/// A value for a person.
pub(super) fn told(value: Value, sort: Type, state: &State) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Int(n) if sort == Type::Duration && n >= 0 => Span(n as u64).to_string(),
        Value::Int(n) => grouped(i128::from(n)),
        Value::Bool(b) => b.to_string(),
        Value::Text(symbol) => format!("'{}'", state.text(symbol)),
    }
}
