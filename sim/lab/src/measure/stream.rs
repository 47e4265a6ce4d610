//! One series of samples: what is kept of it, whole and per time window.

use std::collections::BTreeMap;

use kernel::{Histogram, Sample, Span, Time};
use systems::app::ending::{CUT_SHORT, Ending};

use super::tally::{Hit, Tally};
use crate::outcome::{OperationWindow, Times};

/// What the samples of a series are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    /// Calls: what did not end has no latency.
    Call,
    /// Lengths of which only whole ones count: waits, service times, sojourns.
    Whole,
    /// Lengths that count as far as they were seen: being in doubt, holding a lock.
    Seen,
    /// Occurrences, by tag: refusals, aborts, wounds, retries.
    Occurrence,
}

impl Meaning {
    pub(super) fn of(metric: &str) -> Self {
        match metric {
            "latency" => Self::Call,
            "in_doubt" | "lock_wait" | "hold_time" => Self::Seen,
            "refused" | "aborted" | "wounded" | "retries" | "rejected" | "elections" => Self::Occurrence,
            _ => Self::Whole,
        }
    }

    /// Whether a sample has a length that counts.
    #[inline]
    fn measures(self, sample: &Sample) -> bool {
        sample.tag != CUT_SHORT || self == Self::Seen || self == Self::Occurrence
    }

    /// Counts one sample in a tally.
    #[inline]
    pub(super) fn record(self, tally: &mut Tally, now: Time, sample: &Sample) {
        if self.measures(sample) {
            tally.record(now, sample.tag, sample.value.0);
        } else {
            tally.cut();
        }
    }
}

/// How much of its samples a series keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keep {
    /// Everything: how they are distributed, too.
    All,
    /// How many there were, and their sum.
    Sum,
    /// Nothing: no term asks for it.
    Nothing,
}

/// The time windows of a series of calls.
#[derive(Clone, Debug)]
struct Windows {
    width: Span,
    rows: Vec<OperationWindow>,
    /// What ended in the current window and does not count: that of the warm-up.
    rest: Histogram,
    now: usize,
    /// When the current window began.
    begun: Time,
}

/// One series.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) meaning: Meaning,
    pub(super) keep: Keep,
    /// Whether charts show it over time.
    pub(super) has_windows: bool,
    /// What began after the warm-up.
    pub(super) tally: Tally,
    /// The same by tag, for occurrences.
    pub(super) tags: BTreeMap<u16, u64>,
    /// Σ of the values that the tally has not got: those of the warm-up, of what was cut short, of a series of sums.
    rest: u128,
    /// A sum that was kept elsewhere.
    pub(super) kept: u128,
    /// Calls of the warm-up that ended; the second those that ended ok.
    warm: (u64, u64),
    /// And those that were cut short.
    warm_cut: u64,
    /// Open when the run ended, begun after the warm-up.
    pub(super) open: u64,
    /// Terms with a phase or an outcome, by number of their probe.
    pub(super) probes: Vec<u32>,
    windows: Option<Box<Windows>>,
}

impl Stream {
    pub(super) fn new(metric: &str) -> Self {
        Self {
            meaning: Meaning::of(metric),
            keep: match metric {
                "sojourn" => Keep::Sum,
                "service_time" => Keep::Nothing,
                _ => Keep::All,
            },
            has_windows: matches!(metric, "latency" | "outbox_lag" | "retries"),
            tally: Tally::new(Hit::Error),
            tags: BTreeMap::new(),
            rest: 0,
            kept: 0,
            warm: (0, 0),
            warm_cut: 0,
            open: 0,
            probes: Vec::new(),
            windows: None,
        }
    }

    pub(super) fn keep_windows(&mut self, times: &Times) {
        let count = times.limit.0.div_ceil(times.window.0).max(1) as usize;
        self.windows = Some(Box::new(Windows {
            width: times.window,
            rows: vec![OperationWindow::default(); count],
            rest: Histogram::new(Histogram::PER_OP),
            now: 0,
            begun: Time::ZERO,
        }));
    }

    /// A sample comes in at `now` of which everything is kept; `counts` if it began after the warm-up.
    #[inline]
    pub(super) fn record(&mut self, now: Time, sample: &Sample, counts: bool) {
        if counts && self.meaning.measures(sample) {
            self.tally.record(now, sample.tag, sample.value.0);
        } else {
            self.record_rest(sample, counts);
        }
        if let Some(windows) = &mut self.windows {
            windows.record(sample);
        }
        if self.meaning == Meaning::Occurrence && counts {
            *self.tags.entry(sample.tag).or_default() += 1;
        }
    }

    /// The same of a sample that counts, if it only adds to what is there; otherwise nothing happens, and it gives false.
    #[expect(clippy::inline_always, reason = "it is the innermost loop of what is measured")]
    #[inline(always)]
    pub(super) fn record_known(&mut self, now: Time, sample: &Sample) -> bool {
        let is_plain = sample.tag != CUT_SHORT && self.meaning != Meaning::Occurrence && self.probes.is_empty();
        let is_known = is_plain && self.tally.record_known(now, sample.tag, sample.value.0);
        if is_known && let Some(windows) = &mut self.windows {
            windows.record(sample);
        }
        is_known
    }

    /// The same, if only the sum is kept.
    #[inline]
    pub(super) fn add(&mut self, tag: u16, value: Span, counts: bool) {
        self.rest += u128::from(value.0);
        if counts {
            self.tally.count(tag);
        }
    }

    /// Samples of the warm-up, and what was cut short.
    #[cold]
    fn record_rest(&mut self, sample: &Sample, counts: bool) {
        self.rest += u128::from(sample.value.0);
        if counts {
            self.tally.cut();
        } else if sample.tag != CUT_SHORT {
            self.warm.0 += 1;
            self.warm.1 += u64::from(sample.tag == Ending::Ok.tag());
            if let Some(windows) = &mut self.windows {
                windows.rest.record(sample.value.0);
            }
        } else {
            self.warm_cut += 1;
        }
    }

    /// Σ of all values, warm-up included, also of what was cut short.
    pub(super) fn sum(&self) -> u128 {
        self.rest + self.tally.histogram.sum() + self.tally.fresh.sum()
    }

    /// Calls that have ended so far, warm-up included.
    pub(super) fn ended(&self) -> u64 {
        self.warm.0 + self.tally.ended()
    }

    /// Calls that ended or were cut short so far, warm-up included.
    pub(super) fn called(&self) -> u64 {
        self.ended() + self.warm_cut + self.tally.cut_short()
    }

    /// Those that ended ok.
    pub(super) fn ended_ok(&self) -> u64 {
        self.warm.1 + self.tally.ended_as(Ending::Ok)
    }

    /// The current time window is over.
    pub(super) fn close_window(&mut self) {
        if let Some(windows) = &mut self.windows {
            windows.close(&self.tally.fresh);
            self.tally.settle();
        }
    }

    /// The windows of a run that lasted until `end`. What ended at that very instant is counted in the last.
    pub(super) fn windows(&self, end: Time) -> Vec<OperationWindow> {
        let Some(windows) = &self.windows else { return Vec::new() };
        let count = (end.0.div_ceil(windows.width.0) as usize).clamp(1, windows.rows.len());
        let mut rows = windows.rows[..count].to_vec();
        let last = rows.last_mut().expect("there is at least one window");
        for row in &windows.rows[count..] {
            last.offered += row.offered;
            last.ok += row.ok;
            last.failed += row.failed;
            last.rejected += row.rejected;
            last.percentiles = last.percentiles.or(row.percentiles);
        }
        rows
    }
}

impl Windows {
    #[expect(clippy::inline_always, reason = "it is the innermost loop of what is measured")]
    #[inline(always)]
    fn record(&mut self, sample: &Sample) {
        let last = self.rows.len() - 1;
        let begun = if sample.since >= self.begun { self.now } else { (sample.since.0 / self.width.0) as usize };
        self.rows[begun.min(last)].offered += 1;
        if sample.tag == CUT_SHORT {
            return;
        }
        let row = &mut self.rows[self.now.min(last)];
        if sample.tag == Ending::Ok.tag() {
            row.ok += 1;
        } else if sample.tag == Ending::Reject.tag() {
            row.rejected += 1;
        } else {
            row.failed += 1;
        }
    }

    /// The current window is over; `counted` is what ended in it and counts.
    fn close(&mut self, counted: &Histogram) {
        let latency = if self.rest.is_empty() {
            counted
        } else {
            self.rest.merge(counted);
            &self.rest
        };
        if !latency.is_empty() {
            let last = self.rows.len() - 1;
            self.rows[self.now.min(last)].percentiles = Some([0.5, 0.9, 0.99].map(|q| latency.quantile(q)));
        }
        self.rest.clear();
        self.now += 1;
        self.begun += self.width;
    }
}
