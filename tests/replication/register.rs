//! Whether what clients of one register were told can be put in one order: by trying (J. M. Wing, C. Gong, "Testing and
//! Verifying Concurrent Objects", 1993), remembering what was tried (G. Lowe, "Testing for Linearizability", 2017).

use std::collections::BTreeSet;

use kernel::Time;
use systems::replication::keys::{Answer, Operation};

/// One operation of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call {
    pub asked: Time,
    /// When it was answered and how; without an answer it may happen at any time after it was asked, or never.
    pub told: Option<(Time, Answer)>,
    pub operation: Operation,
}

/// What the register holds afterwards, if the operation can have happened now.
fn next(call: &Call, has: Option<u64>) -> Option<Option<u64>> {
    let (answer, after) = match call.operation {
        Operation::Read { .. } => (Answer::Value(has), has),
        Operation::Write { value, .. } => (Answer::Done, Some(value)),
        Operation::Cas { expected, value, .. } if expected == has => (Answer::Done, Some(value)),
        Operation::Cas { .. } => (Answer::Mismatch(has), has),
    };
    call.told.is_none_or(|told| told.1 == answer).then_some(after)
}

/// Whether the calls, all of one key, have an order that explains them. At most 128, reads without answer not counted.
pub fn linearizable(calls: &[Call]) -> bool {
    let useful = |call: &&Call| call.told.is_some() || !call.operation.reads();
    let mut calls: Vec<Call> = calls.iter().filter(useful).copied().collect();
    calls.sort_by_key(|call| call.asked);
    assert!(calls.len() <= 128, "{} calls of one key are too many for this judge", calls.len());
    let must = calls.iter().enumerate().filter(|(_, call)| call.told.is_some()).fold(0, |set, (n, _)| set | 1_u128 << n);
    let mut tried = BTreeSet::new();
    let mut open = vec![(0_u128, None)];
    while let Some((done, has)) = open.pop() {
        if done & must == must {
            return true;
        }
        if !tried.insert((done, has)) {
            continue;
        }
        let waiting = || calls.iter().enumerate().filter(|(n, _)| done & (1 << n) == 0);
        // Nothing can happen after an answer that was given before it was asked for.
        let first = waiting().filter_map(|(_, call)| call.told.map(|told| told.0)).min().unwrap_or(Time::END);
        for (n, call) in waiting().filter(|(_, call)| call.asked <= first) {
            if let Some(after) = next(call, has) {
                open.push((done | 1 << n, after));
            }
        }
    }
    false
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
    let first = write(1, Some(2), 1);
    assert!(linearizable(&[first, write(3, Some(4), 2), read(5, 6, Some(2))]));
    assert!(!linearizable(&[first, write(3, Some(4), 2), read(5, 6, Some(1))]), "stale");
    assert!(linearizable(&[first, write(3, Some(6), 2), read(5, 6, Some(1))]), "at once");
    assert!(linearizable(&[first, write(3, None, 2), read(5, 6, Some(1)), read(7, 8, Some(2))]), "late");
    assert!(!linearizable(&[first, write(3, None, 2), read(5, 6, Some(2)), read(7, 8, Some(1))]), "and not undone");
    let cas = Operation::Cas { key: 0, expected: Some(1), value: 3 };
    assert!(linearizable(&[first, call(3, Some((4, Answer::Done)), cas), read(5, 6, Some(3))]));
    assert!(!linearizable(&[first, call(3, Some((4, Answer::Mismatch(Some(1)))), cas)]), "it had what was expected");
}
