//! `--format json`: the same documents that stand in the files.

use crate::suite::SuiteSummary;
use crate::summary;
use crate::sweep::SweepSummary;
use lab::outcome::Outcome;
use serde::Serialize;

/// The text of `summary.json`: pretty, keys in a fixed order, a line feed at the end.
pub fn run(outcome: &Outcome) -> String {
    pretty(&summary::of(outcome))
}

/// The text of `sweep.json`.
pub fn sweep(summary: &SweepSummary) -> String {
    pretty(summary)
}

/// The document of a suite.
pub fn suite(summary: &SuiteSummary) -> String {
    pretty(summary)
}

pub(crate) fn pretty(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document)
        .expect("our documents have string keys and write into memory, so serialising them cannot fail");
    text.push('\n');
    text
}
