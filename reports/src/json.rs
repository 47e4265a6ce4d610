//! `--format json`: the same documents that stand in the files.

use crate::suite::SuiteSummary;
use crate::summary;
use crate::sweep::SweepSummary;
use lab::outcome::Outcome;
use lab::shrink::{Shrunk, Size};
use serde::Serialize;

/// The text of `summary.json`: pretty, keys in a fixed order, a line feed at the end.
pub fn run(outcome: &Outcome) -> String {
    pretty(&summary::of(outcome))
}

/// The text of `sweep.json`.
pub fn sweep(summary: &SweepSummary) -> String {
    pretty(summary)
}

/// What came of making a failing run small; `file` is where it is now.
pub fn shrink(shrunk: &Shrunk, file: &str) -> String {
    let size = |size: Size| {
        serde_json::json!({
            "faults": size.faults,
            "operations": size.operations,
            "machines": size.machines,
            "load_s": kernel::Time(size.duration).seconds(),
        })
    };
    pretty(&serde_json::json!({
        "file": file,
        "promise": shrunk.promise,
        "class": shrunk.class,
        "from": size(shrunk.from),
        "to": size(shrunk.to),
        "runs": shrunk.runs,
        "necessary": shrunk.necessary,
        "comments_kept": shrunk.edited,
        "fingerprint": format!("{:016x}", shrunk.outcome.fingerprint),
    }))
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
