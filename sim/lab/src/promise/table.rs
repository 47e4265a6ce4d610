//! Rows that come and go under any key: the mirror of maps.
//!
//! All maps share one index from keys to slots, so a row of one map and the row with the same key of another stand in one
//! slot, and a predicate that reads both finds the second without looking it up. A column is one cell of the convention
//! (the presence of a map's rows, or one of their fields). A slot in which every column is empty again is given away.

use std::hash::{BuildHasher, Hasher};

use indexmap::IndexMap;
use kernel::fold;

/// The slots and columns.
#[derive(Clone, Default, Debug)]
pub(super) struct Table {
    /// Only asked, never iterated.
    index: IndexMap<u64, u32, Fixed>,
    /// By slot: the key, and in how many columns there is something.
    slots: Vec<(u64, u32)>,
    free: Vec<u32>,
    /// Slots that may have become empty.
    emptied: Vec<u32>,
    columns: Vec<Column>,
}

#[derive(Clone, Debug)]
struct Column {
    /// What stands where nothing is.
    empty: i64,
    /// By slot.
    values: Vec<i64>,
}

impl Table {
    /// Adds a column in which `empty` means that nothing is there.
    pub(super) fn column(&mut self, empty: i64) -> u32 {
        self.columns.push(Column { empty, values: vec![empty; self.slots.len()] });
        self.columns.len() as u32 - 1
    }

    /// Where the rows of this key stand, if there is one.
    #[inline]
    pub(super) fn slot(&self, key: u64) -> Option<u32> {
        self.index.get(&key).copied()
    }

    /// The key of a slot.
    pub(super) fn key(&self, slot: u32) -> u64 {
        self.slots[slot as usize].0
    }

    /// How many slots there are, used or not.
    pub(super) const fn len(&self) -> u32 {
        self.slots.len() as u32
    }

    /// What stands in a column.
    #[inline]
    pub(super) fn value(&self, column: u32, slot: Option<u32>) -> i64 {
        let column = &self.columns[column as usize];
        slot.map_or(column.empty, |slot| column.values[slot as usize])
    }

    /// A slot for this key that is never given away.
    pub(super) fn pin(&mut self, key: u64) -> u32 {
        let slot = self.make(key);
        self.slots[slot as usize].1 += 1;
        slot
    }

    /// Writes a value. The slot stays until `sweep`, also if nothing is left in it.
    #[inline]
    pub(super) fn write(&mut self, column: u32, slot: u32, value: i64) {
        let Column { empty, values } = &mut self.columns[column as usize];
        let before = std::mem::replace(&mut values[slot as usize], value);
        let filled = &mut self.slots[slot as usize].1;
        *filled = *filled + u32::from(value != *empty) - u32::from(before != *empty);
        if *filled == 0 {
            self.emptied.push(slot);
        }
    }

    /// Gives away the slots in which nothing is left.
    #[inline]
    pub(super) fn sweep(&mut self) {
        while let Some(slot) = self.emptied.pop() {
            let (key, filled) = self.slots[slot as usize];
            // It may stand here twice, or be in use again.
            if filled == 0 && self.index.get(&key) == Some(&slot) {
                self.index.swap_remove(&key);
                self.free.push(slot);
            }
        }
    }

    /// The slot of this key, which something will be written to.
    #[inline]
    pub(super) fn make(&mut self, key: u64) -> u32 {
        if let Some(slot) = self.slot(key) {
            return slot;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            for column in &mut self.columns {
                column.values.push(column.empty);
            }
            self.slots.push((key, 0));
            self.slots.len() as u32 - 1
        });
        self.slots[slot as usize].0 = key;
        self.index.insert(key, slot);
        slot
    }
}

/// A hasher without a secret: the same on every machine and in every run.
#[derive(Clone, Copy, Default, Debug)]
struct Fixed;

impl BuildHasher for Fixed {
    type Hasher = Folding;
    fn build_hasher(&self) -> Folding {
        Folding(0)
    }
}

/// One multiplication per word.
#[derive(Clone, Copy, Debug)]
struct Folding(u64);

impl Hasher for Folding {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = fold(self.0, word);
    }
}
