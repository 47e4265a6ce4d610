//! Keys of what is due later, in a hierarchical wheel: exact nanoseconds, 64 buckets to a level.
//!
//! A key stands at the level of the highest digit (to base 64) in which its time differs from the time the wheel stands
//! at, in the bucket of that digit. So whatever is at a lower level is due before whatever is at a higher one, and the
//! lowest bucket of the lowest level has the next keys. Buckets are lists of chunks from one pool. After G. Varghese and
//! A. Lauck, Hashed and hierarchical timing wheels, 1987, without its ticks: an empty bucket is never looked at.

use alloc::vec::Vec;

/// Bits of a digit.
const DIGIT_BITS: u32 = 6;
/// Buckets of a level.
const DIGITS: usize = 1 << DIGIT_BITS;
/// Levels, so that 64 bits are covered.
const LEVELS: usize = 11;
/// Keys of a chunk: with what it needs besides them it has 256 bytes.
const CHUNK_KEYS: usize = 15;
/// No chunk.
const NOWHERE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Chunk {
    keys: [u128; CHUNK_KEYS],
    filled: u32,
    /// The next of its bucket, or the next free one.
    next: u32,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Its first chunk, which alone may have room.
    first: u32,
    count: u32,
}

/// Which bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    level: u32,
    digit: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Wheel {
    /// Where it stands: no key is due before.
    base: u64,
    /// No key is due before this either, and it may be later. Without keys, the end of time.
    bound: u64,
    count: usize,
    /// A bit for each level that has keys.
    levels: u32,
    /// Of each level, a bit for each bucket that has keys.
    occupied: [u64; LEVELS],
    /// All levels, one after another; none until the first key.
    buckets: Vec<Bucket>,
    chunks: Vec<Chunk>,
    /// The chunk that was freed last.
    free: u32,
}

/// Everything that stands below this digit.
const fn below(level: u32) -> u64 {
    (1 << (level * DIGIT_BITS)) - 1
}

const fn time(key: u128) -> u64 {
    (key >> 64) as u64
}

impl Wheel {
    pub(super) const fn new() -> Self {
        Self {
            base: 0,
            bound: u64::MAX,
            count: 0,
            levels: 0,
            occupied: [0; LEVELS],
            buckets: Vec::new(),
            chunks: Vec::new(),
            free: NOWHERE,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// No key is due before this time; if there are none, the end of time.
    #[inline]
    pub(super) fn bound(&self) -> u64 {
        self.bound
    }

    pub(super) fn push(&mut self, key: u128) {
        if time(key) < self.base || self.buckets.is_empty() {
            self.prepare(time(key));
        }
        self.count += 1;
        self.bound = self.bound.min(time(key));
        self.put(key);
    }

    /// The bucket with the next keys, and how many it has. There must be some.
    #[inline]
    pub(super) fn lowest(&self) -> (Place, usize) {
        let level = self.levels.trailing_zeros();
        let digit = self.occupied[level as usize].trailing_zeros();
        let place = Place { level, digit };
        (place, self.buckets[place.index()].count as usize)
    }

    /// Empties a bucket; in no order.
    #[inline]
    pub(super) fn take(&mut self, place: Place, mut each: impl FnMut(u128)) {
        let mut at = self.clear(place);
        while at != NOWHERE {
            let chunk = &mut self.chunks[at as usize];
            for key in chunk.keys.iter().take(chunk.filled as usize) {
                each(*key);
            }
            let next = core::mem::replace(&mut chunk.next, self.free);
            self.free = at;
            at = next;
        }
        self.settle();
    }

    /// Moves on to the beginning of the lowest bucket and spreads its keys over the levels below, but for those that
    /// are not wanted any more.
    pub(super) fn spread(&mut self, place: Place, mut wanted: impl FnMut(u128) -> bool) {
        self.base = self.start(place);
        let mut at = self.clear(place);
        while at != NOWHERE {
            let chunk = self.chunks[at as usize];
            self.chunks[at as usize].next = self.free;
            self.free = at;
            at = chunk.next;
            for key in chunk.keys.iter().take(chunk.filled as usize).filter(|key| wanted(**key)) {
                self.count += 1;
                self.put(*key);
            }
        }
        self.settle();
    }

    /// Forgets every key that is not wanted.
    pub(super) fn retain(&mut self, mut wanted: impl FnMut(u128) -> bool) {
        let bound = self.bound;
        let mut kept = Vec::new();
        for level in 0..LEVELS as u32 {
            let mut digits = self.occupied[level as usize];
            while digits != 0 {
                let place = Place { level, digit: digits.trailing_zeros() };
                digits &= digits - 1;
                self.take(place, |key| {
                    if wanted(key) {
                        kept.push(key);
                    }
                });
                self.count += kept.len();
                kept.drain(..).for_each(|key| self.put(key));
            }
        }
        self.bound = bound;
        self.settle();
    }

    #[inline]
    fn put(&mut self, key: u128) {
        let apart = (time(key) ^ self.base) | 1;
        let level = apart.ilog2() / DIGIT_BITS;
        let digit = (time(key) >> (level * DIGIT_BITS)) as u32 % DIGITS as u32;
        self.levels |= 1 << level;
        self.occupied[level as usize] |= 1 << digit;
        let bucket = &mut self.buckets[Place { level, digit }.index()];
        bucket.count += 1;
        if let Some(chunk) = self.chunks.get_mut(bucket.first as usize)
            && let Some(place) = chunk.keys.get_mut(chunk.filled as usize)
        {
            *place = key;
            chunk.filled += 1;
            return;
        }
        let fresh = Chunk { keys: [key; CHUNK_KEYS], filled: 1, next: bucket.first };
        if let Some(chunk) = self.chunks.get_mut(self.free as usize) {
            bucket.first = core::mem::replace(&mut self.free, chunk.next);
            (chunk.keys[0], chunk.filled, chunk.next) = (key, 1, fresh.next);
        } else {
            bucket.first = self.chunks.len() as u32;
            self.chunks.push(fresh);
        }
    }

    /// The first key of all, or one that is due before the time at which the wheel stands: it goes back. What stands below
    /// the highest digit that changes then belongs at that digit.
    #[cold]
    fn prepare(&mut self, time: u64) {
        if self.buckets.is_empty() {
            self.buckets = alloc::vec![Bucket { first: NOWHERE, count: 0 }; LEVELS * DIGITS];
        }
        if time >= self.base {
            return;
        }
        let highest = (time ^ self.base).ilog2() / DIGIT_BITS;
        let bound = self.bound;
        let mut moved = Vec::new();
        while self.levels.trailing_zeros() < highest {
            let (place, _) = self.lowest();
            self.take(place, |key| moved.push(key));
        }
        self.base = time;
        self.count += moved.len();
        for key in moved {
            self.put(key);
        }
        self.bound = bound;
    }

    /// The earliest time that belongs into a bucket.
    fn start(&self, place: Place) -> u64 {
        let above = if place.level as usize == LEVELS - 1 { 0 } else { self.base & !below(place.level + 1) };
        above | u64::from(place.digit) << (place.level * DIGIT_BITS)
    }

    /// Takes all chunks from a bucket.
    fn clear(&mut self, place: Place) -> u32 {
        let occupied = &mut self.occupied[place.level as usize];
        *occupied &= !(1 << place.digit);
        if *occupied == 0 {
            self.levels &= !(1 << place.level);
        }
        let bucket = &mut self.buckets[place.index()];
        self.count -= bucket.count as usize;
        core::mem::replace(bucket, Bucket { first: NOWHERE, count: 0 }).first
    }

    /// Keys are gone, so that the bound may be later now, never earlier: what stands before it elsewhere relies on that.
    fn settle(&mut self) {
        self.bound = if self.is_empty() { u64::MAX } else { self.bound.max(self.start(self.lowest().0)) };
    }
}

impl Place {
    #[inline]
    const fn index(self) -> usize {
        self.level as usize * DIGITS + self.digit as usize
    }

    /// All keys of the bucket are due in the same instant.
    #[inline]
    pub(super) const fn is_instant(self) -> bool {
        self.level == 0
    }
}
