//! Something for each ordered pair of machines: a table as long as there are few machines, a hash map when a table of all
//! pairs would be mostly empty.

use alloc::vec::Vec;

use kernel::hashing::Map;

use crate::passage::pair;

/// Up to so many machines there is a table: 65 536 places.
const TABLE_MAX: usize = 256;

/// By pair, at first the default.
#[derive(Clone)]
pub(crate) struct Pairs<T> {
    machines: usize,
    table: Vec<T>,
    map: Map<u64, T>,
}

impl<T: Clone + Default> Pairs<T> {
    pub(crate) fn new(machines: usize) -> Self {
        let places = if machines <= TABLE_MAX { machines * machines } else { 0 };
        Self { machines, table: alloc::vec![T::default(); places], map: Map::default() }
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
}
