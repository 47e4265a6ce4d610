//! The transactions: how they were decided, and how long rows and participants waited for that.

use super::Section;
use super::markup::Markup;
use super::table::{Table, most, numbers, words};
use crate::number::{quantile, thousands, thousands_signed};
use crate::terminal::reasons;
use lab::outcome::Outcome;

/// A row per transaction type.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let (shown, note) = most(&outcome.transactions, "those asked for most", "summary.json", |result| result.requests);
    if shown.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        words("transaction"),
        numbers("requests", ""),
        numbers("begun", ""),
        numbers("committed", ""),
        numbers("aborted", ""),
        numbers("wounded", ""),
        numbers("in doubt max", ""),
        numbers("in doubt p99", ""),
        numbers("longest", ""),
        numbers("locks max", ""),
        numbers("held p99", ""),
        numbers("lock wait p99", ""),
    ]);
    for result in shown {
        let mut cells = vec![result.name.clone()];
        let counts = [result.requests, result.begun, result.committed, result.aborted, result.wounded];
        cells.extend(counts.map(thousands));
        cells.push(thousands_signed(result.in_doubt_level.max));
        cells.extend([0.99, 1.0].map(|q| quantile(&result.in_doubt, q)));
        cells.push(thousands_signed(result.locks_held.max));
        cells.extend([quantile(&result.hold_time, 0.99), quantile(&result.lock_wait, 0.99)]);
        table.row(cells);
        if let Some(reasons) = reasons(result) {
            table.below(reasons);
        }
    }
    let mut body = Markup::default();
    body.leaf(
        "p",
        &[("class", "lead")],
        "In doubt: participants that have voted yes and do not know the decision; they keep their row locks.",
    );
    table.without_empty(&["wounded"], &["0"]).write(&mut body, note.as_deref());
    Some(Section { id: "transactions", title: "Transactions", body })
}
