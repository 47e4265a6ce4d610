//! Timers of constant delays: each lane is armed in the order of time, so arming, cancelling and taking the first need no
//! search.
//!
//! A lane is a list of chunks of 32 timers in the order of arming. Which of them are live is a mask in a small header that
//! stays in the cache: cancelling clears a bit, and never touches the timer. A chunk without live timers goes back to the
//! pool at once, so a lane whose timers are nearly all cancelled stays small. Which lane is next says a tree of winners.

use alloc::vec::Vec;

use super::NEVER;

/// Timers of a chunk.
const CHUNK_BITS: u32 = 5;
const CHUNK: usize = 1 << CHUNK_BITS;
/// So many delays have lanes of their own. Each level of the tree costs as much as a level of a heap of that size, and
/// beyond so many the wheel is as fast.
pub(super) const LANES_MAX: usize = 64;
/// So many chunks at most.
const CHUNKS_MAX: usize = 1 << 26;
/// The bit that tells a handle of a lane.
pub(super) const LANE_BIT: u64 = 1 << 63;
/// Bits of a key that name its lane.
const NUMBER_BITS: u32 = 24;
/// No chunk.
const NOWHERE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Timer<E> {
    time: u64,
    sequence: u64,
    event: E,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    /// Which timers are live.
    live: u32,
    /// How often the chunk was given back: handles of then are stale.
    generation: u32,
    lane: u32,
    /// Its neighbours, towards later ones; of a free chunk the next free one.
    next: u32,
    before: u32,
}

/// Its first and last chunk, and how many places of the last one are used. Only the last may be without live timers.
#[derive(Clone, Copy, Debug)]
struct Lane {
    first: u32,
    last: u32,
    filled: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Lanes<E> {
    ends: Vec<Lane>,
    headers: Vec<Header>,
    /// What belongs to each header.
    timers: Vec<[Timer<E>; CHUNK]>,
    /// The chunk that was given back last.
    free: u32,
    /// The keys of the lanes' first timers are the second half of it, each other place has the earlier of its two.
    tree: Vec<u128>,
    /// The earliest of all: `time << 64 | sequence << 24 | lane`.
    first: u128,
    count: usize,
}

impl<E: Copy> Lanes<E> {
    pub(super) const fn new() -> Self {
        Self {
            ends: Vec::new(),
            headers: Vec::new(),
            timers: Vec::new(),
            free: NOWHERE,
            tree: Vec::new(),
            first: NEVER,
            count: 0,
        }
    }

    /// One more lane, if there may be one.
    pub(super) fn declare(&mut self) {
        if self.ends.len() == LANES_MAX {
            return;
        }
        self.ends.push(Lane { first: NOWHERE, last: NOWHERE, filled: CHUNK as u32 });
        let leaves = self.ends.len().next_power_of_two();
        if self.tree.len() < 2 * leaves {
            self.tree = alloc::vec![NEVER; 2 * leaves];
            self.first = NEVER;
            for lane in 0..self.ends.len() {
                self.head(lane);
            }
        }
    }

    /// How many lanes there are.
    #[inline]
    pub(super) fn declared(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The key of the earliest timer, or `NEVER`.
    #[inline]
    pub(super) fn first(&self) -> u128 {
        self.first
    }

    /// Arms a timer, later than all of its lane. The handle has `LANE_BIT`.
    #[inline]
    pub(super) fn arm(&mut self, lane: usize, time: u64, sequence: u64, event: E) -> u64 {
        if self.ends[lane].filled == CHUNK as u32 {
            self.lengthen(lane, Timer { time, sequence, event });
        }
        let at = &mut self.ends[lane];
        let (chunk, place) = (at.last, at.filled);
        at.filled += 1;
        self.timers[chunk as usize][place as usize % CHUNK] = Timer { time, sequence, event };
        let header = &mut self.headers[chunk as usize];
        let alone = header.live == 0 && at.first == chunk;
        header.live |= 1 << place;
        self.count += 1;
        let id = LANE_BIT | u64::from(header.generation) << 31 | u64::from(chunk) << CHUNK_BITS | u64::from(place);
        if alone {
            self.rank(lane, key(time, sequence, lane));
        }
        id
    }

    /// Takes the earliest timer. There must be one, and it is there until another one is armed.
    #[inline]
    pub(super) fn take(&mut self) -> &E {
        let lane = self.first as usize & ((1 << NUMBER_BITS) - 1);
        let chunk = self.ends[lane].first as usize;
        let header = &mut self.headers[chunk];
        let place = header.live.trailing_zeros() as usize;
        header.live &= header.live.wrapping_sub(1);
        let live = header.live;
        self.count -= 1;
        if live == 0 {
            self.head(lane);
        } else {
            let next = self.timers[chunk][live.trailing_zeros() as usize % CHUNK];
            self.rank(lane, key(next.time, next.sequence, lane));
        }
        &self.timers[chunk][place % CHUNK].event
    }

    /// Forgets a timer; false if it is not live.
    #[inline]
    pub(super) fn cancel(&mut self, id: u64) -> bool {
        let (chunk, place) = ((id >> CHUNK_BITS) as u32 % CHUNKS_MAX as u32, id as u32 % CHUNK as u32);
        let Some(header) = self.headers.get_mut(chunk as usize) else { return false };
        if u64::from(header.generation) != (id ^ LANE_BIT) >> 31 || header.live & 1 << place == 0 {
            return false;
        }
        let was_first = header.live.trailing_zeros() == place;
        header.live &= !(1 << place);
        self.count -= 1;
        let (lane, empty) = (header.lane as usize, header.live == 0);
        if self.ends[lane].first == chunk {
            if was_first {
                self.head(lane);
            }
        } else if empty && self.ends[lane].last != chunk {
            let Header { before, next, .. } = self.headers[chunk as usize];
            self.headers[before as usize].next = next;
            self.headers[next as usize].before = before;
            self.give_back(chunk);
        }
        true
    }

    /// The first timer of a lane is another one now, or none.
    #[inline(never)]
    fn head(&mut self, lane: usize) {
        let at = self.ends[lane];
        let mut chunk = at.first;
        let Some(header) = self.headers.get(chunk as usize) else { return };
        let mut live = header.live;
        if live == 0 && chunk != at.last {
            let next = header.next;
            self.give_back(chunk);
            self.ends[lane].first = next;
            chunk = next;
            live = self.headers[chunk as usize].live;
        }
        if live == 0 {
            return self.rank(lane, NEVER);
        }
        let timer = &self.timers[chunk as usize][live.trailing_zeros() as usize % CHUNK];
        let key = key(timer.time, timer.sequence, lane);
        self.rank(lane, key);
    }

    /// A lane has another first key: those above it in the tree follow.
    #[inline]
    fn rank(&mut self, lane: usize, mut key: u128) {
        let tree = &mut self.tree[..];
        let mut at = tree.len() / 2 + lane;
        tree[at] = key;
        while at > 1 {
            key = key.min(tree[at ^ 1]);
            at /= 2;
            tree[at] = key;
        }
        self.first = key;
    }

    /// The last chunk of a lane is full: it gets another one, with copies of a timer in its places.
    #[inline(never)]
    fn lengthen(&mut self, lane: usize, timer: Timer<E>) {
        let before = self.ends[lane].last;
        let fresh = Header { live: 0, generation: 0, lane: lane as u32, next: NOWHERE, before };
        let chunk = if let Some(header) = self.headers.get_mut(self.free as usize) {
            let generation = header.generation;
            let chunk = core::mem::replace(&mut self.free, header.next);
            *header = Header { generation, ..fresh };
            chunk
        } else {
            assert!(self.headers.len() < CHUNKS_MAX, "at most 2^26 chunks of timers are pending at once");
            self.headers.push(fresh);
            self.timers.push([timer; CHUNK]);
            self.headers.len() as u32 - 1
        };
        let at = &mut self.ends[lane];
        (at.last, at.filled) = (chunk, 0);
        if before == NOWHERE {
            at.first = chunk;
        } else {
            self.headers[before as usize].next = chunk;
            if self.headers[before as usize].live == 0 {
                // Nobody has been pending since it became full, or it would not be the last: it is the only one.
                self.drop_empty(lane, before);
            }
        }
    }

    /// A chunk without live timers is the last of its lane no longer.
    fn drop_empty(&mut self, lane: usize, chunk: u32) {
        let Header { before, next, .. } = self.headers[chunk as usize];
        self.headers[next as usize].before = before;
        match self.headers.get_mut(before as usize) {
            Some(header) if self.ends[lane].first != chunk => header.next = next,
            Some(_) | None => self.ends[lane].first = next,
        }
        self.give_back(chunk);
    }

    /// A chunk is free again. One whose generations are used up is never used again, or stale handles would be valid.
    fn give_back(&mut self, chunk: u32) {
        let header = &mut self.headers[chunk as usize];
        header.generation += 1;
        if header.generation < u32::MAX {
            header.next = core::mem::replace(&mut self.free, chunk);
        }
    }
}

fn key(time: u64, sequence: u64, lane: usize) -> u128 {
    u128::from(time) << 64 | u128::from(sequence << NUMBER_BITS | lane as u64)
}
