//! The sections of a run's text: promises first, then tables.

use super::grid::Grid;
use super::paint::Paint;
use super::{WIDTH, clean, columns, wrapped};
use crate::mood::Mood;
use crate::names::operation_name;
use crate::number::{mean, percent, plain, quantile, quantity, thousands, thousands_signed};
use lab::outcome::{Expectation, FaultResult, InvariantResult, Outcome, Status, ThresholdResult, TransactionResult};

/// As many rows as a table shows; all of them stand in the files.
pub(super) const MOST_ROWS: usize = 20;
pub(super) const NONE: &str = "–";

pub(super) fn invariants(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let all = &outcome.invariants;
    if all.is_empty() {
        return Vec::new();
    }
    let title = paint.bold("INVARIANTS");
    let in_one_line: usize = all.iter().map(|result| columns(&result.name) + 5).sum();
    let as_usual = |result: &InvariantResult| Mood::of(result.status, result.expected) == Mood::Good;
    if all.iter().all(as_usual) && 10 + in_one_line <= WIDTH {
        let each = all
            .iter()
            .map(|result| format!("   {} {}", paint.mark(result.status, result.expected), clean(&result.name)));
        return vec![format!("{title}{}", each.collect::<String>())];
    }
    let name_width = all.iter().map(|result| columns(&result.name)).max().unwrap_or(0).min(44);
    let form_width = all.iter().map(|result| columns(&result.form)).max().unwrap_or(0).min(24);
    let mut lines = vec![title];
    for result in all {
        lines.extend(invariant(result, name_width, form_width, paint));
    }
    lines
}

fn invariant(result: &InvariantResult, name_width: usize, form_width: usize, paint: Paint) -> Vec<String> {
    let told = invariant_told(result);
    let expected = expectation(result.status, result.expected).map(|told| format!("   {told}")).unwrap_or_default();
    let mut lines = vec![format!(
        "  {} {:name_width$}  {:form_width$}  {told}{expected}",
        paint.mark(result.status, result.expected),
        clean(&result.name),
        clean(&result.form),
    )];
    if result.status != Status::Holds && !left_to_sweeps(result) {
        let below = std::iter::once(&result.says).filter(|says| !says.is_empty()).chain(&result.witness);
        lines.extend(below.flat_map(|text| wrapped(text, WIDTH - 6)).map(|line| format!("      {line}")));
    }
    lines
}

/// What became of an invariant, in a few words; empty if it holds.
pub(crate) fn invariant_told(result: &InvariantResult) -> String {
    match (result.status, result.first) {
        (Status::Holds, _) => String::new(),
        (Status::Violated, Some((at, event))) => format!("first broken at {at} (event {})", thousands(event)),
        (Status::Violated, None) => "broken".to_owned(),
        (Status::Unknown, _) if left_to_sweeps(result) => "not reached in this run; a sweep judges it".to_owned(),
        (Status::Unknown, _) => "undecided".to_owned(),
        (Status::Vacuous, _) => "never evaluated".to_owned(),
    }
}

/// A `sometimes` that was not reached: one run does not judge it, and the run's verdict leaves it out.
pub(crate) fn left_to_sweeps(result: &InvariantResult) -> bool {
    result.status == Status::Unknown && result.reached == Some(false)
}

/// What is added to a promise that stands in `fails` or `may_fail`.
pub(crate) fn expectation(status: Status, expected: Expectation) -> Option<&'static str> {
    match (expected, status) {
        (Expectation::Fails | Expectation::FailsOnSomeSeed, Status::Violated) => Some("expected"),
        (Expectation::Fails, Status::Holds | Status::Unknown | Status::Vacuous) => Some("was expected to fail"),
        (Expectation::FailsOnSomeSeed, Status::Holds) => Some("holds on this seed, expected to fail on some"),
        (Expectation::FailsOnSomeSeed, Status::Unknown | Status::Vacuous) => Some("expected to fail on some seed"),
        (Expectation::MayFail, Status::Violated | Status::Unknown) => Some("allowed"),
        (Expectation::MayFail, Status::Holds | Status::Vacuous) | (Expectation::Holds, _) => None,
    }
}

pub(super) fn thresholds(outcome: &Outcome, paint: Paint) -> Vec<String> {
    const SAYS: usize = 64;
    let all = &outcome.thresholds;
    if all.is_empty() {
        return Vec::new();
    }
    let width = all.iter().map(|result| columns(&result.says)).filter(|width| *width <= SAYS).max().unwrap_or(0);
    let mut lines = vec![paint.bold("THRESHOLDS")];
    for result in all {
        let (says, told) = (clean(&result.says), told(result));
        let mark = paint.mark(result.status, result.expected);
        if columns(&says) <= width {
            lines.push(format!("  {mark} {says:width$}  {told}"));
        } else {
            let mut says = wrapped(&says, WIDTH - 4).into_iter();
            lines.push(format!("  {mark} {}", says.next().unwrap_or_default()));
            lines.extend(says.map(|line| format!("    {line}")));
            lines.push(format!("    {:width$}  {told}", ""));
        }
    }
    lines
}

fn told(result: &ThresholdResult) -> String {
    let measured = result.value.map(quantity);
    let mut told = match (result.status, measured) {
        (Status::Holds | Status::Violated, value) => value.unwrap_or_else(|| NONE.to_owned()),
        (Status::Unknown, value) => value.map_or("undecided".to_owned(), |value| format!("{value}  undecided")),
        (Status::Vacuous, value) => value.map_or("no samples".to_owned(), |value| format!("{value}  never evaluated")),
    };
    if let Some(at) = result.at {
        told = format!("{told}  at {at}");
    }
    if let Some(expected) = expectation(result.status, result.expected) {
        told = format!("{told}   {expected}");
    }
    told
}

pub(super) fn operations(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let columns =
        ["OPERATIONS", "requests", "per s", "failed", "rejected", "open", "p50", "p90", "p99", "p99.9", "max"];
    let mut grid = Grid::new(&columns);
    for operation in outcome.operations.iter().take(MOST_ROWS) {
        let ended = operation.ok + operation.failed + operation.unknown + operation.rejected;
        let share = |n: u64| if ended == 0 { NONE.to_owned() } else { percent(n as f64 / ended as f64) };
        let rate = ended as f64 / operation.seconds;
        let mut row = vec![clean(&operation_name(outcome, operation)), thousands(ended)];
        row.push(if rate.is_finite() { plain(rate) } else { NONE.to_owned() });
        row.extend([share(operation.failed + operation.unknown), share(operation.rejected), thousands(operation.open)]);
        row.extend([0.5, 0.9, 0.99, 0.999, 1.0].map(|q| quantile(&operation.latency, q)));
        grid.row(row);
    }
    rest(&mut grid, outcome.operations.len(), "operations.csv");
    let never_rejected = outcome.operations.iter().all(|operation| operation.rejected == 0);
    // A column of nothing but `0`, `0%` and `–` says nothing.
    let grid = grid.without_empty(&["open"], "0");
    let grid =
        if never_rejected { grid.without_empty(&["rejected"], "0%").without_empty(&["rejected"], NONE) } else { grid };
    grid.lines(paint)
}

pub(super) fn rest(grid: &mut Grid, all: usize, file: &str) {
    if all > MOST_ROWS {
        grid.remark(format!("… {} more in {file}", all - MOST_ROWS));
    }
}

pub(super) fn queues(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let mut grid = Grid::new(&[
        "QUEUES",
        "in",
        "out",
        "refused",
        "lost",
        "waited",
        "wait mean",
        "wait p99",
        "depth mean",
        "max",
        "at end",
        "busy",
    ]);
    for queue in outcome.queues.iter().take(MOST_ROWS) {
        let mut row = vec![clean(&queue.name)];
        row.extend([queue.entered, queue.left, queue.refused, queue.lost].map(thousands));
        row.extend([
            percent(queue.waited_share),
            mean(&queue.wait),
            quantile(&queue.wait, 0.99),
            plain(queue.depth.mean),
        ]);
        row.extend([queue.depth.max, queue.depth.end].map(thousands_signed));
        row.push(plain(queue.busy.mean));
        grid.row(row);
    }
    rest(&mut grid, outcome.queues.len(), "queues.csv");
    grid.without_empty(&["refused", "lost"], "0").lines(paint)
}

pub(super) fn transactions(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let mut grid = Grid::new(&[
        "TRANSACTIONS",
        "requests",
        "begun",
        "committed",
        "aborted",
        "wounded",
        "in doubt max",
        "longest",
        "locks",
        "wait p99",
    ]);
    for result in outcome.transactions.iter().take(MOST_ROWS) {
        let mut row = vec![clean(&result.name)];
        let counts = [result.requests, result.begun, result.committed, result.aborted, result.wounded];
        row.extend(counts.map(thousands));
        row.extend([thousands_signed(result.in_doubt_level.max), quantile(&result.in_doubt, 1.0)]);
        row.extend([thousands_signed(result.locks_held.max), quantile(&result.lock_wait, 0.99)]);
        grid.row(row);
        if let Some(reasons) = reasons(result) {
            grid.remark(reasons);
        }
    }
    rest(&mut grid, outcome.transactions.len(), "summary.json");
    grid.lines(paint)
}

/// Why transactions were aborted: `aborted: 14 wounded, 83 insufficient funds`.
pub(crate) fn reasons(result: &TransactionResult) -> Option<String> {
    let told: Vec<String> =
        result.reasons.iter().map(|(reason, count)| format!("{} {}", thousands(*count), clean(reason))).collect();
    (!told.is_empty()).then(|| format!("aborted: {}", told.join(", ")))
}

pub(super) fn faults(outcome: &Outcome, paint: Paint) -> Vec<String> {
    if outcome.faults.is_empty() {
        return Vec::new();
    }
    let shown = &outcome.faults[..outcome.faults.len().min(MOST_ROWS)];
    let width = |text: fn(&FaultResult) -> String| shown.iter().map(|f| columns(&text(f))).max().unwrap_or(0);
    let target = |fault: &FaultResult| clean(&fault.target);
    let (when_width, name_width, target_width) = (width(when), width(fault_name), width(target).min(30));
    let beside = 2 + when_width + 2 + name_width + 2 + target_width + 2;
    let mut lines = vec![paint.bold("FAULTS")];
    for fault in shown {
        let told = if fault.effects.is_empty() { clean(&fault.state) } else { fault.effects.join(", ") };
        let told = if fault.effective || fault.effects.is_empty() { told } else { format!("{}: {told}", fault.state) };
        let shade = |line: String| if fault.effective { line } else { paint.doubtful(&line) };
        let (when, name, target) = (when(fault), fault_name(fault), target(fault));
        let head = format!("  {when:when_width$}  {name:name_width$}  {target:target_width$}  ");
        // What it did stands beside it if that takes one line, else below.
        if beside + columns(&told) <= WIDTH {
            lines.push(format!("{head}{}", shade(clean(&told))));
        } else {
            lines.push(head);
            lines.extend(wrapped(&told, WIDTH - 6).into_iter().map(|line| format!("      {}", shade(line))));
        }
    }
    if outcome.faults.len() > MOST_ROWS {
        let effective = outcome.faults.iter().filter(|fault| fault.effective).count();
        let (all, more) = (outcome.faults.len(), outcome.faults.len() - MOST_ROWS);
        lines.push(format!("  … {more} more in faults.csv; {effective} of {all} had an effect"));
    }
    lines
}

/// When a fault began and ended.
pub(crate) fn when(fault: &FaultResult) -> String {
    match fault.to {
        Some(to) => format!("{}–{to}", fault.from),
        None => fault.from.to_string(),
    }
}

/// The fault's name, and its kind if the name does not say it.
pub(crate) fn fault_name(fault: &FaultResult) -> String {
    let (name, kind) = (clean(&fault.name), clean(&fault.kind));
    if kind.is_empty() || name.contains(&kind) { name } else { format!("{name} ({kind})") }
}

pub(super) fn warnings(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    for warning in &outcome.warnings {
        for (number, line) in wrapped(warning, WIDTH - 9).into_iter().enumerate() {
            let label = if number == 0 { paint.doubtful("warning") } else { " ".repeat(7) };
            lines.push(format!("{label}  {line}"));
        }
    }
    lines
}
