//! Judges that look at everything once and keep count: no order is searched for.
//!
//! Each takes the operations of one object and says what is wrong with them, or what it counted. [`each`] asks one for
//! every object of a history. Where Jepsen has a checker of the same name, it is that checker's question.

pub mod bank;
pub mod convergence;
pub mod counter;
pub mod delivery;
pub mod durability;
pub mod leaders;
pub mod long_fork;
pub mod set;
pub mod set_full;
pub mod staleness;
pub mod unique_ids;
mod versions;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::history::{Certificate, Counterexample, History, Judgement, NEVER, Operation, Refusal, Value};

/// Operations with their indices in the history.
pub type Listed<'a> = [(u32, &'a Operation)];

/// What a ledger says of one object: what it counted, or a judgement against it.
pub type Said = Result<Result<Vec<(&'static str, u64)>, Against>, Refusal>;

/// A judgement that is not `Valid`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Against {
    /// Something is wrong, shown by these operations.
    Wrong(&'static str, String, Vec<u32>),
    /// It cannot be said.
    Open(String),
}

/// Asks a ledger about every object; a violation goes before what is open.
pub fn each(history: &History, ask: impl Fn(&Listed<'_>) -> Said) -> Result<Judgement, Refusal> {
    let mut objects = objects(history);
    if objects.is_empty() {
        objects.insert(Value::Nil, Vec::new());
    }
    let mut counts: Vec<(&'static str, u64)> = Vec::new();
    let mut open = None;
    for (key, operations) in &objects {
        match ask(operations)? {
            Ok(counted) => {
                for (name, count) in counted {
                    match counts.iter_mut().find(|(known, _)| *known == name) {
                        Some((staleness::WORST, worst)) => *worst = count.max(*worst),
                        Some((_, sum)) => *sum += count,
                        None => counts.push((name, count)),
                    }
                }
            }
            Err(Against::Wrong(rule, sentence, operations)) => {
                let key = key.known().cloned();
                let sentence = match &key {
                    Some(key) => alloc::format!("key {key}: {sentence}"),
                    None => sentence,
                };
                let told = Counterexample { rule, sentence, key, operations, ..Counterexample::default() };
                return Ok(Judgement::Violated(told));
            }
            Err(Against::Open(why)) => drop(open.get_or_insert(why)),
        }
    }
    Ok(match open {
        Some(why) => Judgement::Unknown { why, spent: history.operations.len() as u64 },
        None => Judgement::Valid(Certificate::Counts(counts)),
    })
}

/// The operations of each object, with their indices.
pub fn objects(history: &History) -> BTreeMap<Value, Vec<(u32, &Operation)>> {
    let mut objects: BTreeMap<Value, Vec<(u32, &Operation)>> = BTreeMap::new();
    for (index, operation) in history.operations.iter().enumerate() {
        objects.entry(operation.key.clone().unwrap_or_default()).or_default().push((index as u32, operation));
    }
    objects
}

/// Asks a ledger that needs all objects together.
pub fn whole(history: &History, ask: impl Fn(&Listed<'_>) -> Said) -> Result<Judgement, Refusal> {
    let all: Vec<(u32, &Operation)> =
        history.operations.iter().enumerate().map(|(index, operation)| (index as u32, operation)).collect();
    Ok(match ask(&all)? {
        Ok(counts) => Judgement::Valid(Certificate::Counts(counts)),
        Err(Against::Wrong(rule, sentence, operations)) => {
            Judgement::Violated(Counterexample { rule, sentence, operations, ..Counterexample::default() })
        }
        Err(Against::Open(why)) => Judgement::Unknown { why, spent: all.len() as u64 },
    })
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a ledger returns: not refused, but said")]
fn wrong<T>(
    rule: &'static str,
    sentence: impl Into<String>,
    operations: Vec<u32>,
) -> Result<Result<T, Against>, Refusal> {
    Ok(Err(Against::Wrong(rule, sentence.into(), operations)))
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a ledger returns: not refused, but said")]
fn open<T>(why: impl Into<String>) -> Result<Result<T, Against>, Refusal> {
    Ok(Err(Against::Open(why.into())))
}

/// Which end of an operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Edge {
    Begin,
    End,
}

/// Beginnings and known ends in the order in which they were seen: position, edge, place in the list.
fn edges(operations: &Listed<'_>) -> Vec<(u32, Edge, usize)> {
    let mut edges = Vec::with_capacity(2 * operations.len());
    for (place, (_, operation)) in operations.iter().enumerate() {
        edges.push((operation.invoked, Edge::Begin, place));
        if operation.returned != NEVER {
            edges.push((operation.returned, Edge::End, place));
        }
    }
    edges.sort_unstable();
    edges
}
