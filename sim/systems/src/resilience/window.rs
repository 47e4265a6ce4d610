//! Counts over the last so-much time.
//!
//! The window is cut into [`PARTS`] equal parts, aligned to the start of the run. Counted is what fell into the part that
//! holds `now` and the `PARTS − 1` before it: an event is forgotten after (1 − 1/PARTS) to 1 times the window. That is what
//! resilience4j does with seconds; twenty parts keep the same promise for any length, in constant memory.

use alloc::vec;
use alloc::vec::Vec;

use kernel::{Span, Time};

/// How many parts a window has.
pub(super) const PARTS: usize = 20;

/// How many numbers are counted at once.
pub(super) const KINDS: usize = 3;

/// Counts by kind; what a kind is belongs to the user.
pub(super) type Counts = [u64; KINDS];

/// The counts of the parts, and their sum.
#[derive(Clone, Debug)]
pub(super) struct Sliding {
    part: u64,
    counts: Vec<Counts>,
    sum: Counts,
    /// The number of the latest part that was looked at.
    latest: u64,
}

impl Sliding {
    pub(super) fn new(length: Span) -> Self {
        let part = (length.0 / PARTS as u64).max(1);
        Self { part, counts: vec![[0; KINDS]; PARTS], sum: [0; KINDS], latest: 0 }
    }

    /// Counts one more of `kind`.
    pub(super) fn add(&mut self, now: Time, kind: usize) {
        self.forget(now);
        self.counts[(self.latest % PARTS as u64) as usize][kind] += 1;
        self.sum[kind] += 1;
    }

    /// What the window holds.
    pub(super) fn sum(&mut self, now: Time) -> Counts {
        self.forget(now);
        self.sum
    }

    fn forget(&mut self, now: Time) {
        let current = now.0 / self.part;
        // After a whole window nothing is left, however long it was.
        let steps = current.saturating_sub(self.latest).min(PARTS as u64);
        for step in 1..=steps {
            let old = &mut self.counts[((self.latest + step) % PARTS as u64) as usize];
            for (sum, old) in self.sum.iter_mut().zip(old) {
                *sum -= core::mem::take(old);
            }
        }
        self.latest = self.latest.max(current);
    }
}
