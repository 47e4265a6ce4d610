//! The time windows every series of a run shares: window `n` covers `[n · width, (n + 1) · width)`, the last one ends with
//! the run and may be shorter.

use kernel::Time;
use lab::outcome::Outcome;

/// One window, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) from_ns: u64,
    pub(crate) to_ns: u64,
}

impl Window {
    /// Its length in seconds; never 0, so that rates are numbers.
    pub(crate) fn seconds(self) -> f64 {
        (self.to_ns - self.from_ns).max(1) as f64 / 1e9
    }

    /// Its middle in seconds: where a chart puts what was measured in it.
    pub(crate) fn middle(self) -> f64 {
        (self.from_ns as f64 + self.to_ns as f64) / 2e9
    }
}

/// How often per second something happened that was counted in a window. `None` in a last window of less than half a width:
/// over so short a time a single event looks like a storm.
pub(crate) fn per_second(outcome: &Outcome, number: usize, count: u64) -> Option<f64> {
    let Window { from_ns, to_ns } = window(outcome, number);
    let stub = number > 0 && to_ns - from_ns < outcome.times.window.0 / 2;
    (!stub).then(|| count as f64 / window(outcome, number).seconds())
}

/// The window with this number.
pub(crate) fn window(outcome: &Outcome, number: usize) -> Window {
    let width = outcome.times.window.0.max(1);
    let from_ns = width.saturating_mul(number as u64);
    let Time(end) = outcome.end;
    Window { from_ns, to_ns: from_ns.saturating_add(width).min(end.max(from_ns)) }
}
