//! One object's operations, made ready for the search: calls as numbers, and when each is open.

use alloc::vec::Vec;

use hashbrown::HashTable;

use super::planted::{Mistake, Planted};
use crate::hashing::hash_of;
use crate::history::{History, NEVER, Outcome, Refusal, Value};
use crate::models::Spec;
use kernel::hashing::Map;

/// An operation of one object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Which of the object's distinct calls.
    pub(super) call: u32,
    /// Position of its invoke among all events.
    pub(super) invoked: u32,
    /// Position of its end, or [`NEVER`] if it may never have happened.
    pub(super) returned: u32,
    /// Index in the history.
    pub(super) operation: u32,
}

/// One object.
#[derive(Debug)]
pub(super) struct Part<Call> {
    /// Which.
    pub(super) key: Value,
    /// Its distinct calls.
    pub(super) calls: Vec<Call>,
    /// Its operations, by invoke.
    pub(super) items: Vec<Item>,
}

/// Splits a history into objects, smallest first. Of operations that may never have happened, those that only read are left out.
pub(super) fn split<S: Spec>(spec: &S, history: &History, planted: Planted) -> Result<Vec<Part<S::Call>>, Refusal> {
    let mut parts: Vec<Part<S::Call>> = Vec::new();
    let mut places: Map<Value, usize> = Map::default();
    let mut numbers: HashTable<(usize, u32)> = HashTable::new();
    let mut last: Option<(Value, usize)> = None;
    for (index, operation) in history.operations.iter().enumerate() {
        let Some(call) = spec.call(operation, history.dialect)? else { continue };
        let crashed = operation.outcome == Outcome::Info;
        if crashed && (spec.reads_only(&call) || planted.has(Mistake::ForgetsCrashed)) {
            continue;
        }
        let key = spec.key(operation);
        let place = match &last {
            Some((same, place)) if *same == key => *place,
            _ => *places.entry(key.clone()).or_insert_with(|| {
                parts.push(Part { key: key.clone(), calls: Vec::new(), items: Vec::new() });
                parts.len() - 1
            }),
        };
        last = Some((key, place));
        let part = &mut parts[place];
        let hash = hash_of(&(place, &call));
        let known = numbers.find(hash, |&(other, number)| other == place && part.calls[number as usize] == call);
        let number = if let Some(&(_, number)) = known {
            number
        } else {
            let number = part.calls.len() as u32;
            part.calls.push(call);
            let hash_again = |&(place, number): &(usize, u32)| hash_of(&(place, &parts[place].calls[number as usize]));
            numbers.insert_unique(hash, (place, number), hash_again);
            number
        };
        let part = &mut parts[place];
        let returned = if crashed { NEVER } else { operation.returned };
        part.items.push(Item { call: number, invoked: operation.invoked, returned, operation: index as u32 });
    }
    parts.sort_by_key(|part| part.items.len());
    Ok(parts)
}
