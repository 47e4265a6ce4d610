//! Which operations are open when: the levels of the search.
//!
//! A level ends with an operation that returns, so there are as many as operations that did. An operation that is open has
//! a slot, the lowest that is free, so a set of open operations is a few bits. Those that never return have no slot:
//! equal ones form a class, and only how many of a class are spent matters.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::part::{Item, Part};
use super::planted::{Mistake, Planted};
use crate::history::NEVER;

/// No operation.
pub(super) const NONE: u32 = u32::MAX;
/// A level at which nothing is open yet.
const BEFORE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Level {
    /// The item that returns at its end.
    item: u32,
    /// Items before this one have begun.
    begun: u32,
}

/// The levels, and what is open at one of them.
#[derive(Debug)]
pub(super) struct Timeline {
    levels: Vec<Level>,
    /// Per item its slot, or its class if it never returns.
    places: Vec<u32>,
    /// Per class its items, by invoke.
    pub(super) classes: Vec<Vec<u32>>,
    /// How many slots there are.
    pub(super) slots: usize,
    at: u32,
    /// Per slot the item in it, or `NONE`.
    pub(super) open: Vec<u32>,
    /// The slots that have one, as bits.
    pub(super) bits: Vec<u64>,
    /// Per class how many have begun.
    pub(super) begun: Vec<u32>,
}

impl Timeline {
    pub(super) fn new<Call>(part: &Part<Call>, planted: Planted) -> Self {
        let items = &part.items;
        let mut by_return: Vec<u32> =
            (0..items.len() as u32).filter(|&n| items[n as usize].returned != NEVER).collect();
        by_return.sort_unstable_by_key(|&n| items[n as usize].returned);
        let mut line = Self {
            levels: Vec::with_capacity(by_return.len()),
            places: vec![NONE; items.len()],
            classes: Vec::new(),
            slots: 0,
            at: BEFORE,
            open: Vec::new(),
            bits: Vec::new(),
            begun: Vec::new(),
        };
        let mut free = Vec::new();
        let mut begun = 0;
        for item in by_return {
            while begun < items.len() && items[begun].invoked < items[item as usize].returned {
                if items[begun].returned != NEVER {
                    line.places[begun] = free.pop().unwrap_or_else(|| {
                        line.slots += 1;
                        line.slots as u32 - 1
                    });
                }
                begun += 1;
            }
            line.levels.push(Level { item, begun: begun as u32 });
            free.push(line.places[item as usize]);
        }
        line.classify(items, begun, planted);
        line.open = vec![NONE; line.slots];
        line.bits = vec![0; line.slots.div_ceil(64)];
        line.begun = vec![0; line.classes.len()];
        line
    }

    /// Gives classes to those that never return. What begins after the last return is of no use to anybody.
    fn classify(&mut self, items: &[Item], begun: usize, planted: Planted) {
        let mut numbers: BTreeMap<u32, u32> = BTreeMap::new();
        for (n, item) in items[..begun].iter().enumerate() {
            if item.returned == NEVER {
                let call = if planted.has(Mistake::MergesCrashed) { 0 } else { item.call };
                let class = *numbers.entry(call).or_insert_with(|| {
                    self.classes.push(Vec::new());
                    self.classes.len() as u32 - 1
                });
                self.places[n] = class;
                self.classes[class as usize].push(n as u32);
            }
        }
    }

    pub(super) fn levels(&self) -> u32 {
        self.levels.len() as u32
    }

    /// The item that returns at the end of a level.
    pub(super) fn returning(&self, level: u32) -> u32 {
        self.levels[level as usize].item
    }

    /// How many items have begun by the end of a level.
    pub(super) fn begun_by(&self, level: u32) -> u32 {
        self.levels[level as usize].begun
    }

    pub(super) fn slot(&self, item: u32) -> u32 {
        self.places[item as usize]
    }

    /// Goes to a level, forwards or back.
    pub(super) fn seek(&mut self, items: &[Item], level: u32) {
        while self.at != level {
            if self.at == BEFORE {
                self.begin(items, 0..self.levels[0].begun);
                self.at = 0;
            } else if self.at < level {
                let now = self.levels[self.at as usize];
                self.put(now.item, NONE);
                self.at += 1;
                self.begin(items, now.begun..self.levels[self.at as usize].begun);
            } else {
                let before = self.levels[self.at as usize - 1];
                for item in before.begun..self.levels[self.at as usize].begun {
                    if items[item as usize].returned == NEVER {
                        self.begun[self.places[item as usize] as usize] -= 1;
                    } else {
                        self.put(item, NONE);
                    }
                }
                self.put(before.item, before.item);
                self.at -= 1;
            }
        }
    }

    fn begin(&mut self, items: &[Item], which: core::ops::Range<u32>) {
        for item in which {
            if items[item as usize].returned == NEVER {
                self.begun[self.places[item as usize] as usize] += 1;
            } else {
                self.put(item, item);
            }
        }
    }

    /// Fills or frees the slot of an item.
    fn put(&mut self, item: u32, holds: u32) {
        let slot = self.places[item as usize] as usize;
        self.open[slot] = holds;
        let bit = 1 << (slot % 64);
        if holds == NONE {
            self.bits[slot / 64] &= !bit;
        } else {
            self.bits[slot / 64] |= bit;
        }
    }
}
