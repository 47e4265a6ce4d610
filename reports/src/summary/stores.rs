//! Replicated stores in `summary.json`: who led when, and when nobody was answered.

use super::time;
use crate::number::rounded;
use kernel::Time;
use lab::outcome::{GapsResult, StoreResult};
use serde::Serialize;

#[derive(Serialize, Debug)]
pub(super) struct Store<'a> {
    name: &'a str,
    elections: Option<usize>,
    leading: Vec<Leading<'a>>,
    unavailable: Vec<Unavailable<'a>>,
}

#[derive(Serialize, Debug)]
struct Leading<'a> {
    machine: &'a str,
    term: u64,
    from_s: Option<f64>,
    to_s: Option<f64>,
}

#[derive(Serialize, Debug)]
struct Unavailable<'a> {
    to: &'a str,
    gaps: u64,
    longest_s: Option<f64>,
    /// From, to; the first few thousand.
    spans_s: Vec<[Option<f64>; 2]>,
}

pub(super) fn store(result: &StoreResult) -> Store<'_> {
    let leading = result.leading.iter().flatten().map(|leading| Leading {
        machine: &result.machines[leading.machine],
        term: leading.term,
        from_s: time(leading.from),
        to_s: time(leading.to),
    });
    Store {
        name: &result.name,
        elections: result.elections(),
        leading: leading.collect(),
        unavailable: result.gaps.iter().map(unavailable).collect(),
    }
}

fn unavailable(gaps: &GapsResult) -> Unavailable<'_> {
    let span = |(from, to): &(Time, Time)| [time(*from), time(*to)];
    Unavailable {
        to: &gaps.who,
        gaps: gaps.count,
        longest_s: rounded(gaps.longest.0 as f64 / 1e9),
        spans_s: gaps.spans.iter().map(span).collect(),
    }
}
