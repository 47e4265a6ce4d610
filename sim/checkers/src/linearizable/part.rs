//! One object's operations, made ready for the search: calls as numbers, and when each is open.

use alloc::vec::Vec;
use core::hash::Hash;

use hashbrown::HashTable;

use super::planted::{Mistake, Planted};
use crate::hashing::hash_of;
use crate::history::{History, NEVER, Order, Outcome, Refusal, Value};
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
    /// What was asked, by number.
    pub(super) calls: Vec<Call>,
    /// Its operations, by invoke.
    pub(super) items: Vec<Item>,
    /// How many operations it has that are not among them.
    pub(super) left_out: usize,
}

impl<Call: Clone + Eq + Hash> Part<Call> {
    /// The operations of a path of items.
    pub(super) fn order(&self, path: Vec<u32>) -> Order {
        let operations = path.into_iter().map(|item| self.items[item as usize].operation).collect();
        Order { key: self.key.clone(), operations }
    }

    /// These of its items alone.
    pub(super) fn only(&self, mut few: Vec<u32>) -> Self {
        few.sort_unstable();
        few.dedup();
        let items: Vec<Item> = few.into_iter().filter_map(|item| self.items.get(item as usize)).copied().collect();
        let calls = items.iter().map(|item| self.calls[item.call as usize].clone()).collect();
        let items: Vec<Item> = (0..).zip(items).map(|(call, item)| Item { call, ..item }).collect();
        let left_out = self.items.len() - items.len();
        Self { key: self.key.clone(), calls, items, left_out }
    }

    /// Equal calls have one number from now on, from 0 in the order in which they first stand.
    pub(super) fn merge(&mut self) {
        let mut calls: Vec<Call> = Vec::new();
        // Hash and number: a table that grows must not look at the calls again.
        let mut numbers: HashTable<(u64, u32)> = HashTable::new();
        for (call, item) in core::mem::take(&mut self.calls).into_iter().zip(&mut self.items) {
            let hash = hash_of(&call);
            let same = |&(known, number): &(u64, u32)| known == hash && calls[number as usize] == call;
            item.call = if let Some(&(_, number)) = numbers.find(hash, same) {
                number
            } else {
                let number = calls.len() as u32;
                calls.push(call);
                numbers.insert_unique(hash, (hash, number), |&(hash, _)| hash);
                number
            };
        }
        self.calls = calls;
    }
}

/// Splits a history into objects, smallest first; each operation has a call of its own. Of operations that may never have
/// happened, those that only read are left out.
pub(super) fn split<S: Spec>(spec: &S, history: &History, planted: Planted) -> Result<Vec<Part<S::Call>>, Refusal> {
    let mut parts: Vec<Part<S::Call>> = Vec::new();
    let mut places: Map<Value, usize> = Map::default();
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
                parts.push(Part { key: key.clone(), calls: Vec::new(), items: Vec::new(), left_out: 0 });
                parts.len() - 1
            }),
        };
        last = Some((key, place));
        let part = &mut parts[place];
        let returned = if crashed { NEVER } else { operation.returned };
        let (call_number, operation_number) = (part.calls.len() as u32, index as u32);
        part.calls.push(call);
        let item = Item { call: call_number, invoked: operation.invoked, returned, operation: operation_number };
        part.items.push(item);
    }
    parts.sort_by_key(|part| part.items.len());
    Ok(parts)
}
