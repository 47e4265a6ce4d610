//! Delivery: what went in comes out, once, in order.
//!
//! In: `enqueue` (or `send`, `publish`, `request`). Out: `dequeue` (or `receive`, `deliver`, `effect`), or `drain`, which
//! answers a list. An answer of nil took nothing.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::{Edge, Listed, Said, edges, open, wrong};
use crate::history::{NEVER, Operation, Outcome, Refusal, Value};

/// What is asked of delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Promise {
    /// Nothing comes out that had not gone in by then (Jepsen's `queue` with an unordered model).
    NothingElse,
    /// What surely went in comes out, and nothing else (Jepsen's `total-queue`).
    NoLoss,
    /// Nothing comes out more often than it went in.
    AtMostOnce,
    /// Both.
    ExactlyOnce,
    /// What one process puts in comes out in that order.
    Fifo,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

fn way(operation: &Operation) -> Result<Way, Refusal> {
    match &*operation.f {
        "enqueue" | "send" | "publish" | "request" => Ok(Way::In),
        "dequeue" | "receive" | "deliver" | "effect" | "drain" => Ok(Way::Out),
        other => Err(operation.refuse(format!("there is no `{other}`; there are enqueue, dequeue, drain"))),
    }
}

/// The values that an answered operation took out.
fn taken(operation: &Operation) -> Result<&[Value], Refusal> {
    match (&*operation.f, operation.outcome) {
        (_, Outcome::Fail | Outcome::Info) => Ok(&[]),
        ("drain", Outcome::Ok) => {
            let list = operation.result.members();
            list.ok_or_else(|| operation.refuse("`drain` answers a list"))
        }
        (_, Outcome::Ok) if operation.result.is_nil() => Ok(&[]),
        (_, Outcome::Ok) => Ok(core::slice::from_ref(&operation.result)),
    }
}

#[derive(Default)]
struct Tally {
    tried: u64,
    surely: u64,
    out: u64,
    first: u32,
    last: u32,
}

/// Judges a queue.
pub fn judge(operations: &Listed<'_>, promise: Promise) -> Said {
    if promise == Promise::Fifo {
        return fifo(operations);
    }
    let mut tallies: BTreeMap<&Value, Tally> = BTreeMap::new();
    let mut unknown = None;
    for (_, edge, place) in edges(operations) {
        let (index, operation) = operations[place];
        match (way(operation)?, edge) {
            (Way::In, Edge::Begin) if operation.outcome != Outcome::Fail => {
                let tally = tallies.entry(operation.asked()).or_default();
                tally.tried += 1;
                tally.surely += u64::from(operation.outcome == Outcome::Ok);
                tally.first = index;
            }
            (Way::In, _) => {}
            (Way::Out, Edge::Begin) => {
                if operation.outcome == Outcome::Info {
                    unknown = unknown.or(Some(operation));
                }
            }
            (Way::Out, Edge::End) => {
                for value in taken(operation)? {
                    let tally = tallies.entry(value).or_default();
                    if tally.tried == 0 {
                        return wrong("unexpected", format!("{value} came out, and nobody had put it in"), vec![index]);
                    }
                    tally.out += 1;
                    if tally.out > tally.tried && !matches!(promise, Promise::NoLoss) {
                        let why = format!("{value} came out {} times, and went in {} times", tally.out, tally.tried);
                        return wrong("duplicated", why, vec![tally.first, tally.last, index]);
                    }
                    tally.last = index;
                }
            }
        }
    }
    let lost = || tallies.iter().find(|(_, tally)| tally.surely > tally.out);
    if matches!(promise, Promise::NoLoss | Promise::ExactlyOnce)
        && let Some((value, tally)) = lost()
    {
        return match unknown {
            Some(operation) => open(format!("{value} did not come out, but {operation} may have taken it")),
            None => wrong("lost", format!("{value} went in and never came out"), vec![tally.first]),
        };
    }
    let sum = |count: fn(&Tally) -> u64| tallies.values().map(count).sum();
    Ok(Ok(vec![
        ("in", sum(|tally| tally.surely)),
        ("out", sum(|tally| tally.out)),
        ("duplicated", sum(|tally| tally.out.saturating_sub(tally.tried))),
        ("recovered", sum(|tally| tally.out.min(tally.tried).saturating_sub(tally.surely))),
    ]))
}

/// Of what one process put in, nothing comes out surely before what it put in earlier.
fn fifo(operations: &Listed<'_>) -> Said {
    let mut taken_by: BTreeMap<&Value, u32> = BTreeMap::new();
    let mut producers: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    let mut known: BTreeMap<&Value, u32> = BTreeMap::new();
    let place_of = |index: u32| operations.partition_point(|(other, _)| *other < index);
    for &(index, operation) in operations {
        match way(operation)? {
            Way::In => {
                if known.insert(operation.asked(), index).is_some() {
                    return Err(operation
                        .refuse(format!("{} goes in twice; the order needs values that differ", operation.asked())));
                }
                producers.entry(operation.process).or_default().push(index);
            }
            Way::Out if &*operation.f == "drain" => {
                return Err(operation.refuse("the order within a `drain` is not known"));
            }
            Way::Out => {
                for value in taken(operation)? {
                    // The first delivery counts: a repeated one is late by its nature.
                    taken_by.entry(value).or_insert(index);
                }
            }
        }
    }
    for sent in producers.values() {
        let mut earliest: Option<(u32, u32)> = None;
        for &index in sent.iter().rev() {
            let Some(&out) = taken_by.get(operations[place_of(index)].1.asked()) else { continue };
            let dequeue = operations[place_of(out)].1;
            if let Some((ended, later)) = earliest
                && ended < dequeue.invoked
            {
                let why = format!("{dequeue} came after {}, which was put in later", operations[place_of(later)].1);
                return wrong("order", why, vec![index, later, out]);
            }
            let end = if dequeue.returned == NEVER { u32::MAX } else { dequeue.returned };
            earliest = Some(earliest.map_or((end, out), |known| known.min((end, out))));
        }
    }
    Ok(Ok(vec![("delivered", taken_by.len() as u64)]))
}
