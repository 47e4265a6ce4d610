//! Samples counted: a histogram, how they ended, and batches for the standard error.
//!
//! The batches divide the measured time into equal parts. The error of a mean (or share) over them is that of a ratio of
//! two sums, numerator and count per batch (Cochran, *Sampling Techniques*, 1977, §6.3; batch means: Law, *Simulation
//! Modeling and Analysis*, §9.5.3): neighbouring samples depend on each other, far batches hardly do.

use kernel::{Histogram, Time};
use systems::app::ending::{CUT_SHORT, Ending};

/// Batches of the measured time.
pub(super) const BATCHES: usize = 32;
/// Slots by ending, and one for what was cut short.
const CUT: usize = Ending::ALL.len();

/// An estimate from dependent samples.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Estimate {
    /// The estimate: nanoseconds, or a share.
    pub value: f64,
    /// Its standard error; infinite when there were too few batches to tell.
    pub error: f64,
    /// From how many samples; of levels, how many batches.
    pub count: u64,
}

/// Which samples are `hits`, whose share gets an error too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hit {
    /// Those that failed or whose outcome is unknown.
    Error,
    /// Those longer than this, in nanoseconds.
    Above(u64),
}

#[derive(Clone, Copy, Default, Debug)]
struct Batch {
    count: u64,
    sum: u128,
    hits: u64,
}

/// Counted samples.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// Of those that ended, nanoseconds; without those that are still in `fresh`.
    pub(super) histogram: Histogram,
    /// What was counted since `settle`: a window's own, so that nothing is counted twice.
    pub(super) fresh: Histogram,
    /// One more than the largest so far; 0 before the first.
    record: u64,
    endings: [u64; CUT + 1],
    pub(super) max_at: Time,
    pub(super) last: Option<(Time, u64)>,
    hit: Hit,
    /// Those longer than the limit, if there is one.
    above: u64,
    /// The batches that are over, and their sum.
    batches: Vec<Batch>,
    over: Batch,
}

impl Tally {
    pub(super) fn new(hit: Hit) -> Self {
        Self {
            histogram: Histogram::new(Histogram::PER_OP),
            fresh: Histogram::new(Histogram::PER_OP),
            record: 0,
            endings: [0; CUT + 1],
            max_at: Time::ZERO,
            last: None,
            hit,
            above: 0,
            batches: vec![Batch::default(); BATCHES],
            over: Batch::default(),
        }
    }

    /// Counts a sample that ended at `now`.
    #[expect(clippy::inline_always, reason = "it is the innermost loop of what is measured")]
    #[inline(always)]
    pub(super) fn record(&mut self, now: Time, tag: u16, value: u64) {
        self.endings[slot(tag)] += 1;
        if value >= self.record {
            (self.record, self.max_at) = (value.saturating_add(1), now);
        }
        self.last = Some((now, value));
        self.fresh.record(value);
        if let Hit::Above(limit) = self.hit {
            self.above += u64::from(value > limit);
        }
    }

    /// Counts a sample of which nothing is new but that it is there; otherwise nothing happens, and it gives false.
    #[expect(clippy::inline_always, reason = "it is the innermost loop of what is measured")]
    #[inline(always)]
    pub(super) fn record_known(&mut self, now: Time, tag: u16, value: u64) -> bool {
        let is_known = value < self.record && self.hit == Hit::Error && self.fresh.record_known(value);
        if is_known {
            self.endings[slot(tag)] += 1;
            self.last = Some((now, value));
        }
        is_known
    }

    /// Counts a sample whose length does not matter.
    #[inline]
    pub(super) fn count(&mut self, tag: u16) {
        self.endings[slot(tag)] += 1;
    }

    /// The histogram takes in what is fresh.
    pub(super) fn settle(&mut self) {
        if !self.fresh.is_empty() {
            self.histogram.merge(&self.fresh);
            self.fresh.clear();
        }
    }

    /// A batch of the measured time is over: what was counted since the last one is its own.
    pub(super) fn close_batch(&mut self, batch: usize) {
        let hits = match self.hit {
            Hit::Error => self.ended_as(Ending::Fail) + self.ended_as(Ending::Info),
            Hit::Above(_) => self.above,
        };
        let count = self.histogram.count() + self.fresh.count();
        let all = Batch { count, sum: self.histogram.sum() + self.fresh.sum(), hits };
        let over = std::mem::replace(&mut self.over, all);
        self.batches[batch] =
            Batch { count: all.count - over.count, sum: all.sum - over.sum, hits: all.hits - over.hits };
    }

    /// Counts something that did not end, and has no length.
    #[inline]
    pub(super) fn cut(&mut self) {
        self.endings[CUT] += 1;
    }

    /// Takes in another, in which the same are hits.
    pub(super) fn merge(&mut self, other: &Self) {
        assert_eq!(self.hit, other.hit, "only tallies of the same question merge");
        if other.record > self.record {
            (self.record, self.max_at) = (other.record, other.max_at);
        }
        self.last = self.last.max(other.last);
        self.fresh.merge(&other.fresh);
        self.histogram.merge(&other.histogram);
        for (mine, theirs) in self.endings.iter_mut().zip(other.endings) {
            *mine += theirs;
        }
        self.above += other.above;
        for (mine, theirs) in self.batches.iter_mut().zip(&other.batches) {
            mine.count += theirs.count;
            mine.sum += theirs.sum;
            mine.hits += theirs.hits;
        }
    }

    pub(super) fn ended_as(&self, ending: Ending) -> u64 {
        self.endings[usize::from(ending.tag())]
    }

    /// Those whose end was seen.
    pub(super) fn ended(&self) -> u64 {
        self.endings[..CUT].iter().sum()
    }

    /// Those that did not end.
    pub(super) fn cut_short(&self) -> u64 {
        self.endings[CUT]
    }

    /// The mean in nanoseconds.
    pub(super) fn mean(&self) -> Option<Estimate> {
        let pairs: Vec<(f64, f64)> = self.batches.iter().map(|b| (b.sum as f64, b.count as f64)).collect();
        ratio(&pairs).map(|(_, error)| Estimate { value: self.histogram.mean(), error, count: self.histogram.count() })
    }

    /// The share of hits.
    pub(super) fn hits(&self) -> Option<Estimate> {
        let pairs: Vec<(f64, f64)> = self.batches.iter().map(|b| (b.hits as f64, b.count as f64)).collect();
        ratio(&pairs).map(|(value, error)| Estimate { value, error, count: self.histogram.count() })
    }

    pub(super) fn answers(&self, hit: Hit) -> bool {
        self.hit == hit
    }
}

/// Where an ending is counted; what occurs for a reason of its own stands with the last.
#[inline]
fn slot(tag: u16) -> usize {
    match usize::from(tag) {
        tag if tag < CUT => tag,
        _ if tag == CUT_SHORT => CUT,
        _ => CUT - 1,
    }
}

/// Σ numerators / Σ denominators and its standard error, over batches; batches in which nothing was counted have no say.
pub(super) fn ratio(batches: &[(f64, f64)]) -> Option<(f64, f64)> {
    let batches: Vec<_> = batches.iter().filter(|(_, weight)| *weight > 0.0).collect();
    let (above, below) = batches.iter().fold((0.0, 0.0), |(a, b), (sum, weight)| (a + sum, b + weight));
    if batches.is_empty() {
        return None;
    }
    let (value, n) = (above / below, batches.len() as f64);
    if batches.len() < 2 {
        return Some((value, f64::INFINITY));
    }
    let squares: f64 = batches.iter().map(|(sum, weight)| (sum - value * weight) * (sum - value * weight)).sum();
    let error = (squares * n / (n - 1.0)).sqrt() / below;
    Some((value, error))
}
