//! Something for each ordered pair of machines: a table as long as there are few machines, a hash map when a table of all
//! pairs would be mostly empty.

use alloc::vec::Vec;

use kernel::hashing::Map;

use crate::passage::pair;

/// Up to so many machines there is a table: 65 536 places.
const TABLE_MAX: usize = 256;

/// So many pairs in the map are not worth looking through.
const SWEPT_MIN: usize = 4096;

/// By pair, at first the default.
#[derive(Clone)]
pub(crate) struct Pairs<T> {
    machines: usize,
    table: Vec<T>,
    map: Map<u64, T>,
    /// With so many pairs in the map, those that matter no more go.
    sweep_at: usize,
}

impl<T: Clone + Default> Pairs<T> {
    pub(crate) fn new(machines: usize) -> Self {
        let places = if machines <= TABLE_MAX { machines * machines } else { 0 };
        Self { machines, table: alloc::vec![T::default(); places], map: Map::default(), sweep_at: SWEPT_MIN }
    }

    /// No table, however few machines there are: for what few pairs have.
    pub(crate) fn sparse() -> Self {
        Self::new(usize::MAX)
    }

    /// What there is for this pair.
    #[expect(clippy::inline_always, reason = "most systems have a table")]
    #[inline(always)]
    pub(crate) fn at(&mut self, from: u32, to: u32) -> &mut T {
        if self.table.is_empty() {
            return self.in_map(from, to);
        }
        &mut self.table[from as usize * self.machines + to as usize]
    }

    /// The same for things that are as good as the default after some time: whoever has talked to whom before, the map has
    /// at most half again as many as matter.
    #[inline]
    pub(crate) fn at_swept(&mut self, from: u32, to: u32, matters: impl Fn(&T) -> bool) -> &mut T {
        if self.map.len() >= self.sweep_at {
            self.sweep(matters);
        }
        self.at(from, to)
    }

    /// Those that matter are put back into the empty map: removing the others would leave marks, for which it would grow.
    /// In which order they come makes no difference to anybody.
    #[cold]
    fn sweep(&mut self, matters: impl Fn(&T) -> bool) {
        let kept: Vec<(u64, T)> = self.map.drain().filter(|(_, thing)| matters(thing)).collect();
        self.sweep_at = (kept.len() / 2 * 3).max(SWEPT_MIN);
        self.map.extend(kept);
    }

    #[inline(never)]
    fn in_map(&mut self, from: u32, to: u32) -> &mut T {
        self.map.entry(pair(from, to)).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ordered_pair_has_a_place_of_its_own_in_the_table_and_beyond_it() {
        for machines in [3, 300] {
            let mut pairs = Pairs::new(machines);
            let last = machines as u32 - 1;
            let ways = [(0, 0), (0, 1), (1, 0), (0, last), (last, 0), (last, last)];
            for (n, (from, to)) in ways.into_iter().enumerate() {
                assert_eq!(*pairs.at(from, to), 0, "at first the default");
                *pairs.at(from, to) = n + 1;
            }
            assert_eq!(ways.map(|(from, to)| *pairs.at(from, to)), [1, 2, 3, 4, 5, 6]);
        }
    }

    #[test]
    fn what_matters_no_more_takes_no_place() {
        let mut times = Pairs::new(100_000);
        for now in 1..200_000_u64 {
            // Each matters for a thousand steps.
            *times.at_swept(now as u32 % 99_991, now as u32 % 99_989, |time| *time > now) = now + 1_000;
            assert!(times.map.len() <= SWEPT_MIN);
        }
        assert_eq!(*times.at(199_999 % 99_991, 199_999 % 99_989), 200_999, "what still matters is there");
    }
}
