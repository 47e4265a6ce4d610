//! The faults: when, whom, what became of them, what they did, and what the clients saw before, during and after.

use super::Section;
use super::markup::Markup;
use super::table::{NONE, Table, moments, most, numbers, words};
use crate::number::{percent, plain};
use crate::terminal::{fault_name, when};
use crate::windows::window;
use lab::outcome::{FaultResult, Outcome};

/// A row per instance.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let (shown, note) = most(&outcome.faults, "those that did something first", "faults.csv", |fault| fault.effective);
    if shown.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        words("fault"),
        moments("when"),
        words("whom"),
        words("what became of it"),
        numbers("served per s: before", ""),
        numbers("during", ""),
        numbers("after", ""),
        numbers("failed: before", ""),
        numbers("during", ""),
        numbers("after", ""),
    ]);
    for fault in shown {
        let seen = seen(outcome, fault);
        let mut cells = vec![fault_name(fault), when(fault), fault.target.clone(), fault.state.clone()];
        cells.extend(seen.iter().map(|seen| seen.map_or(NONE.to_owned(), |seen| plain(seen.served))));
        cells.extend(seen.iter().map(|seen| seen.and_then(|seen| seen.failed).map_or(NONE.to_owned(), percent)));
        table.row(cells);
        if !fault.effective {
            table.faint();
        }
        if !fault.effects.is_empty() {
            table.below(fault.effects.join(", "));
        }
    }
    let effective = outcome.faults.iter().filter(|fault| fault.effective).count();
    let mut body = Markup::default();
    let all = outcome.faults.len();
    let lead = format!(
        "{effective} of {all} had an effect. Before and after are as long as the fault lasted, as far as the run goes; \
         served and failed are operations of all workloads, counted where they ended."
    );
    body.leaf("p", &[("class", "lead")], &lead);
    table.write(&mut body, note.as_deref());
    Some(Section { id: "faults", title: "Faults", body })
}

/// What the clients saw in a stretch of time.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Ended ok, per second.
    served: f64,
    /// Share of what ended that failed; `None` if nothing ended.
    failed: Option<f64>,
}

/// Before, during and after a fault; `None` where no whole window of the series lies.
fn seen(outcome: &Outcome, fault: &FaultResult) -> [Option<Seen>; 3] {
    let Some(to) = fault.to.filter(|to| *to > fault.from) else { return [None; 3] };
    let (from, to) = (fault.from.0, to.0);
    let long = to - from;
    [(from.saturating_sub(long), from), (from, to), (to, to.saturating_add(long).min(outcome.times.duration.0))]
        .map(|(from, to)| between(outcome, from, to))
}

/// Over the windows whose middles lie in this stretch.
fn between(outcome: &Outcome, from_ns: u64, to_ns: u64) -> Option<Seen> {
    let width = outcome.times.window.0.max(1);
    let nearest = |ns: u64| (ns.saturating_add(width / 2) / width) as usize;
    let (mut served, mut failed, mut ended) = (0, 0, 0);
    let external = || outcome.operations.iter().filter(|operation| operation.external);
    let windows = external().map(|operation| operation.windows.len()).max().unwrap_or(0);
    let numbers = nearest(from_ns)..nearest(to_ns).min(windows);
    for operation in external() {
        let rows = operation.windows.get(numbers.start..numbers.end.min(operation.windows.len()));
        for window in rows.unwrap_or_default() {
            served += window.ok;
            failed += window.failed;
            ended += window.ok + window.failed + window.rejected;
        }
    }
    let seconds: f64 = numbers.map(|number| window(outcome, number).seconds()).sum();
    (seconds > 0.0)
        .then(|| Seen { served: served as f64 / seconds, failed: (ended > 0).then(|| failed as f64 / ended as f64) })
}
