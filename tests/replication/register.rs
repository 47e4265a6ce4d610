//! Whether what clients of one register were told can be put in one order: by trying (J. M. Wing, C. Gong, "Testing and
//! Verifying Concurrent Objects", 1993), remembering what was tried (G. Lowe, "Testing for Linearizability", 2017).

use std::collections::BTreeSet;

use kernel::Time;
use systems::replication::keys::{Answer, Operation};

/// How many beginnings of orders are looked at.
const TRIES_MAX: usize = 100_000;

/// One operation of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Call {
    pub(crate) asked: Time,
    /// When it was answered and how; without an answer it may happen at any time after it was asked, or never.
    pub(crate) told: Option<(Time, Answer)>,
    pub(crate) operation: Operation,
}

/// What a register holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Held(Option<u64>);

/// What the register holds afterwards, if the operation can have happened now.
fn next(call: &Call, Held(has): Held) -> Option<Held> {
    let (answer, after) = match call.operation {
        Operation::Read { .. } => (Answer::Value(has), has),
        Operation::Write { value, .. } => (Answer::Done, Some(value)),
        Operation::Delete { .. } => (Answer::Done, None),
        Operation::Cas { expected, value, .. } if expected == has => (Answer::Done, Some(value)),
        Operation::Cas { .. } => (Answer::Mismatch(has), has),
    };
    call.told.is_none_or(|told| told.1 == answer).then_some(Held(after))
}

/// The value that a call shows to have been there.
fn seen(call: &Call) -> Option<u64> {
    match (call.told?.1, call.operation) {
        (Answer::Value(value) | Answer::Mismatch(value), _) => value,
        (Answer::Done, Operation::Cas { expected, .. }) => expected,
        (Answer::Done, Operation::Read { .. } | Operation::Write { .. } | Operation::Delete { .. }) => None,
    }
}

/// What must be explained: not what was never answered and left no trace. Every value is written once, so a change whose
/// value nobody saw may as well not have happened. (What an unanswered cas expects is a trace: it may have happened.)
fn telling(calls: &[Call]) -> Vec<Call> {
    let mut traces: BTreeSet<u64> = calls.iter().filter_map(seen).collect();
    traces.extend(calls.iter().filter_map(|call| match call.operation {
        Operation::Cas { expected, .. } => expected,
        Operation::Read { .. } | Operation::Write { .. } | Operation::Delete { .. } => None,
    }));
    let left_a_trace = |call: &&Call| match call.operation {
        // A deletion leaves nothing behind that could be told from what was there before.
        Operation::Read { .. } => call.told.is_some(),
        Operation::Delete { .. } => true,
        Operation::Write { value, .. } | Operation::Cas { value, .. } => call.told.is_some() || traces.contains(&value),
    };
    calls.iter().filter(left_a_trace).copied().collect()
}

/// Whether the calls, all of one key, have an order that explains them. `None`: not found out within `TRIES_MAX`.
pub(crate) fn linearizable(calls: &[Call]) -> Option<bool> {
    let mut calls = telling(calls);
    calls.sort_by_key(|call| call.asked);
    assert!(calls.len() <= 128, "{} calls of one key are too many for this judge", calls.len());
    let must =
        calls.iter().enumerate().filter(|(_, call)| call.told.is_some()).fold(0, |set, (n, _)| set | 1_u128 << n);
    let mut tried = BTreeSet::new();
    let mut open = vec![(0_u128, Held(None))];
    while let Some((done, has)) = open.pop() {
        if done & must == must {
            return Some(true);
        }
        if !tried.insert((done, has)) {
            continue;
        }
        if tried.len() > TRIES_MAX {
            return None;
        }
        let waiting = || calls.iter().enumerate().filter(|(n, _)| done & (1 << n) == 0);
        // Nothing can happen after an answer that was given before it was asked for.
        let first = waiting().filter_map(|(_, call)| call.told.map(|told| told.0)).min().unwrap_or(Time::END);
        let possible: Vec<(u128, Held)> = waiting()
            .filter(|(_, call)| call.asked <= first)
            .filter_map(|(n, call)| Some((done | 1 << n, next(call, has)?)))
            .collect();
        // What fits and changes nothing can be put here at once: it is in nobody's way.
        match possible.iter().find(|(after, value)| *value == has && after & must != done & must) {
            Some(still) => open.push(*still),
            None => open.extend(possible),
        }
    }
    Some(false)
}

#[test]
fn a_read_of_an_overwritten_value_has_no_place_and_a_lost_answer_leaves_both_possible() {
    let call = |asked, told: Option<(u64, Answer)>, operation| Call {
        asked: Time(asked),
        told: told.map(|(at, answer)| (Time(at), answer)),
        operation,
    };
    let write = |asked, told: Option<u64>, value| {
        call(asked, told.map(|at| (at, Answer::Done)), Operation::Write { key: 0, value })
    };
    let read = |asked, told, value| call(asked, Some((told, Answer::Value(value))), Operation::Read { key: 0 });
    let check = |expected, calls: &[Call]| assert_eq!(linearizable(calls), Some(expected), "{calls:?}");
    let first = write(1, Some(2), 1);
    check(true, &[first, write(3, Some(4), 2), read(5, 6, Some(2))]);
    check(false, &[first, write(3, Some(4), 2), read(5, 6, Some(1))]);
    check(true, &[first, write(3, Some(6), 2), read(5, 6, Some(1))]);
    check(true, &[first, write(3, None, 2), read(5, 6, Some(1)), read(7, 8, Some(2))]);
    check(false, &[first, write(3, None, 2), read(5, 6, Some(2)), read(7, 8, Some(1))]);
    let cas = Operation::Cas { key: 0, expected: Some(1), value: 3 };
    check(true, &[first, call(3, Some((4, Answer::Done)), cas), read(5, 6, Some(3))]);
    check(false, &[first, call(3, Some((4, Answer::Mismatch(Some(1)))), cas)]);
}
