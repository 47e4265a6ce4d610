//! What is due at once, in the order of scheduling.

use alloc::vec::Vec;

use super::{SLOT_BITS, SLOT_MASK};

/// So many stand in line at most, but for what a doubling more makes room for.
const LINE_MAX: usize = 1 << 24;
/// So many that have left the line may still have a place in it; beyond that no more than half of all.
const GONE_MIN: usize = 4096;

#[derive(Clone, Debug)]
pub(super) struct Line<E> {
    /// In order, each with its id, whose slot is `SLOT_MASK`. Those before `first` are gone, perhaps all of them.
    line: Vec<(u64, E)>,
    first: usize,
}

impl<E: Copy> Line<E> {
    pub(super) const fn new() -> Self {
        Self { line: Vec::new(), first: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.line.len() - self.first
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first == self.line.len()
    }

    #[expect(clippy::inline_always, reason = "most of what happens is due at once")]
    #[inline(always)]
    pub(super) fn push(&mut self, sequence: u64, event: E) -> u64 {
        let id = sequence << SLOT_BITS | SLOT_MASK;
        if self.is_empty() {
            self.line.clear();
            self.first = 0;
        } else if self.line.len() == self.line.capacity() {
            self.lengthen();
        }
        self.line.push((id, event));
        id
    }

    /// The first one, with its sequence number: it is there until another one comes.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub(super) fn take(&mut self) -> Option<(u64, &E)> {
        if self.first >= GONE_MIN {
            self.close_up();
        }
        let (id, event) = self.line.get(self.first)?;
        self.first += 1;
        Some((id >> SLOT_BITS, event))
    }

    /// Forgets one; false if it does not stand here.
    pub(super) fn leave(&mut self, id: u64) -> bool {
        let Ok(place) = self.line[self.first..].binary_search_by_key(&id, |(id, _)| *id) else { return false };
        self.line.remove(self.first + place);
        true
    }

    /// Makes room for more.
    #[cold]
    fn lengthen(&mut self) {
        assert!(self.line.len() < LINE_MAX, "at most 2^24 events are due at once");
        self.line.reserve(1);
    }

    /// Those that have left a long line give up their places, once they are half of all.
    #[cold]
    fn close_up(&mut self) {
        if self.first >= self.line.len() / 2 {
            self.line.drain(..self.first);
            self.first = 0;
            // All machines start at once, and never again: what that took is not kept.
            if self.line.len() < self.line.capacity() / 4 {
                self.line.shrink_to(2 * self.line.len().max(GONE_MIN));
            }
        }
    }
}
