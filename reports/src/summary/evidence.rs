//! What judges of stores counted and have to show, in `summary.json`: operations as data, for pictures and other programs.

use std::collections::BTreeMap;

use super::time;
use lab::outcome::{self, Contradiction, StoreOperation, Wish};
use serde::Serialize;

#[derive(Serialize, Debug)]
pub(super) struct Evidence<'a> {
    store: &'a str,
    counts: BTreeMap<&'a str, u64>,
    contradiction: Option<Shown<'a>>,
}

#[derive(Serialize, Debug)]
struct Shown<'a> {
    rule: &'a str,
    sentence: &'a str,
    key: Option<u64>,
    operations: Vec<Operation<'a>>,
    /// Places in `operations`.
    against: &'a [usize],
    order: &'a [usize],
    order_before: u64,
    state: Option<&'a str>,
    refused: Vec<Refused<'a>>,
}

#[derive(Serialize, Debug)]
struct Operation<'a> {
    client: &'a str,
    process: i64,
    key: u64,
    function: &'static str,
    value: Option<i64>,
    expected: Option<i64>,
    began_s: Option<f64>,
    ended_s: Option<f64>,
    outcome: &'static str,
}

#[derive(Serialize, Debug)]
struct Refused<'a> {
    operation: usize,
    why: &'a str,
}

pub(super) fn evidence(evidence: &outcome::Evidence) -> Evidence<'_> {
    Evidence {
        store: &evidence.store,
        counts: evidence.counts.iter().map(|(name, count)| (name.as_str(), *count)).collect(),
        contradiction: evidence.contradiction.as_ref().map(shown),
    }
}

fn shown(shown: &Contradiction) -> Shown<'_> {
    fn refused(refused: &outcome::Refused) -> Refused<'_> {
        let outcome::Refused { operation, why } = refused;
        Refused { operation: *operation, why }
    }
    Shown {
        rule: &shown.rule,
        sentence: &shown.sentence,
        key: shown.key,
        operations: shown.operations.iter().map(operation).collect(),
        against: &shown.against,
        order: &shown.order,
        order_before: shown.before,
        state: shown.state.as_deref(),
        refused: shown.refused.iter().map(refused).collect(),
    }
}

fn operation(shown: &StoreOperation) -> Operation<'_> {
    let (value, expected) = match shown.wish {
        Wish::Read(found) => (found.flatten(), None),
        Wish::Write(value) => (Some(value), None),
        Wish::Delete => (None, None),
        Wish::Cas(expected, value) => (Some(value), expected),
    };
    Operation {
        client: &shown.client,
        process: shown.process,
        key: shown.key,
        function: shown.wish.word(),
        value,
        expected,
        began_s: time(shown.began),
        ended_s: shown.ended.and_then(time),
        outcome: shown.end.word(),
    }
}
