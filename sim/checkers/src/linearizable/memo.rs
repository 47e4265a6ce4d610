//! Where the search has been.
//!
//! A configuration is where one is (level, state, which open operations are linearized) and which operations that may
//! never have happened were spent. Of two at the same place, one is at least as good if of every class it has spent at
//! most as many: whatever the other can still do, it can do as well. Fewer in sum is not enough, for another class may
//! be the one that is needed. Places are found by a 128-bit print and confirmed word by word.

use alloc::vec::Vec;

use hashbrown::HashTable;

use super::planted::{Mistake, Planted};

/// No further entry.
const END: u32 = u32::MAX;
/// The highest bit of each of the four counts in a word: counts stay below it.
const HIGH: u64 = 0x8000_8000_8000_8000;
/// The largest count.
pub(super) const COUNT_MAX: usize = 0x7fff;

#[derive(Debug)]
pub(super) struct Memo {
    /// Words of a place.
    place_words: usize,
    /// Words of counts.
    spent_words: usize,
    table: HashTable<u32>,
    places: Vec<u64>,
    prints: Vec<u128>,
    /// Per place the first of its entries in `next` and `spent`.
    firsts: Vec<u32>,
    next: Vec<u32>,
    spent: Vec<u64>,
    planted: Planted,
}

impl Memo {
    /// Room for so many configurations at first.
    pub(super) fn new(place_words: usize, spent_words: usize, room: usize, planted: Planted) -> Self {
        Self {
            place_words,
            spent_words,
            table: HashTable::with_capacity(room),
            places: Vec::with_capacity(room * place_words),
            prints: Vec::with_capacity(room),
            firsts: Vec::with_capacity(room),
            next: Vec::new(),
            spent: Vec::new(),
            planted,
        }
    }

    pub(super) fn clear(&mut self) {
        self.table.clear();
        self.places.clear();
        self.prints.clear();
        self.firsts.clear();
        self.next.clear();
        self.spent.clear();
    }

    /// How much memory it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        8 * (self.places.len() + self.spent.len()) + 25 * self.prints.len() + 4 * self.next.len()
    }

    /// Enters a configuration; `false` if one as good was here before.
    pub(super) fn enter(&mut self, print: u128, place: &[u64], spent: &[u64]) -> bool {
        let (words, low) = (self.place_words, print as u64);
        let found = self.table.find(low, |&n| {
            let known = &self.places[n as usize * words..][..words];
            let completed = self.planted.has(Mistake::ForgetsCompleted) || known[1..] == place[1..];
            self.prints[n as usize] == print && known[0] == place[0] && completed
        });
        if let Some(&n) = found {
            return self.add(n, spent);
        }
        let n = self.prints.len() as u32;
        self.places.extend_from_slice(place);
        self.prints.push(print);
        self.firsts.push(END);
        let prints = &self.prints;
        self.table.insert_unique(low, n, |&n| prints[n as usize] as u64);
        self.spent_words == 0 || self.add(n, spent)
    }

    /// Adds what was spent at a known place, unless as little was before; drops what is worse.
    fn add(&mut self, place: u32, spent: &[u64]) -> bool {
        if self.spent_words == 0 {
            return false;
        }
        let (mut at, mut before) = (self.firsts[place as usize], END);
        while at != END {
            let known = &self.spent[at as usize * self.spent_words..][..self.spent_words];
            if self.at_most(known, spent) {
                return false;
            }
            let next = self.next[at as usize];
            if !self.at_most(spent, known) {
                before = at;
            } else if before == END {
                self.firsts[place as usize] = next;
            } else {
                self.next[before as usize] = next;
            }
            at = next;
        }
        self.next.push(self.firsts[place as usize]);
        self.spent.extend_from_slice(spent);
        self.firsts[place as usize] = self.next.len() as u32 - 1;
        true
    }

    /// Whether of every class at most as many were spent.
    fn at_most(&self, fewer: &[u64], more: &[u64]) -> bool {
        if self.planted.has(Mistake::CountsSpentAlone) {
            return total(fewer) <= total(more);
        }
        fewer.iter().zip(more).all(|(a, b)| ((b | HIGH) - a) & HIGH == HIGH)
    }
}

/// How many were spent in all.
pub(super) fn total(spent: &[u64]) -> u32 {
    spent.iter().flat_map(|word| (0..4).map(move |lane| (word >> (16 * lane)) as u32 & 0xffff)).sum()
}
