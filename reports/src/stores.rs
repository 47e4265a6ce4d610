//! What is told of replicated stores in more than one place.

use crate::number::{quantity, thousands};
use lab::outcome::{GapsResult, Outcome, Quantity};

/// How many writes to a store were acknowledged, and how many of these are lost, if a promise asked.
pub(crate) fn ledger(outcome: &Outcome, store: &str) -> Option<(u64, u64)> {
    let evidence = outcome.invariants.iter().filter_map(|result| result.evidence.as_ref());
    let mut counts = evidence.filter(|evidence| evidence.store == store).filter_map(|evidence| {
        let count = |wanted: &str| evidence.counts.iter().find(|(name, _)| name == wanted).map(|(_, count)| *count);
        count("acknowledged").zip(count("lost"))
    });
    counts.next()
}

/// `2 gaps, longest 285ms`.
pub(crate) fn gaps_told(gaps: &GapsResult) -> String {
    match gaps.count {
        0 => "always answered".to_owned(),
        1 => format!("1 gap, {}", longest(gaps)),
        count => format!("{} gaps, longest {}", thousands(count), longest(gaps)),
    }
}

fn longest(gaps: &GapsResult) -> String {
    quantity(Quantity::Seconds(gaps.longest.0 as f64 / 1e9))
}
