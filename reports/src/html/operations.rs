//! The operations as their callers see them.

use super::Section;
use super::markup::Markup;
use super::table::{NONE, Table, most, numbers, words};
use crate::names::operation_name;
use crate::number::{percent, plain, quantile, thousands};
use lab::outcome::{OperationResult, Outcome};

/// A row per operation.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let (shown, note) = most(&outcome.operations, "those called most", "operations.csv", ended);
    if shown.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        words("operation"),
        words("called by"),
        numbers("ended", ""),
        numbers("per s", ""),
        numbers("failed", ""),
        numbers("rejected", ""),
        numbers("open", ""),
        numbers("p50", ""),
        numbers("p90", ""),
        numbers("p99", ""),
        numbers("p99.9", ""),
        numbers("max", ""),
    ]);
    for operation in shown {
        let all = ended(operation);
        let rate = all as f64 / operation.seconds;
        let share = |n: u64| if all == 0 { NONE.to_owned() } else { percent(n as f64 / all as f64) };
        let mut cells = vec![operation_name(outcome, operation), operation.from.clone(), thousands(all)];
        cells.push(if rate.is_finite() { plain(rate) } else { NONE.to_owned() });
        cells.extend([share(operation.failed + operation.unknown), share(operation.rejected)]);
        cells.push(thousands(operation.open));
        cells.extend([0.5, 0.9, 0.99, 0.999, 1.0].map(|q| quantile(&operation.latency, q)));
        table.row(cells);
    }
    let mut body = Markup::default();
    body.leaf("p", &[("class", "lead")], "After warm-up, until load ends. Failed: known to have had no effect, or outcome unknown. Rejected: business errors, which are no failures.");
    table.without_empty(&["rejected", "open"], &["0", NONE]).write(&mut body, note.as_deref());
    Some(Section { id: "operations", title: "Operations", body })
}

pub(super) fn ended(operation: &OperationResult) -> u64 {
    operation.ok + operation.failed + operation.unknown + operation.rejected
}
