//! Events that are due at any later time: in slots, with their keys in order beside them.
//!
//! The nearest few keys stand sorted in an array, all others behind them in a wheel: a small system never leaves the array.
//! When the array is empty, the lowest bucket of the wheel is sorted into it. Cancelling frees the slot at once; its key is
//! dropped when it surfaces, or swept when dead keys outnumber the living two to one.

use alloc::vec::Vec;

use super::wheel::Wheel;
use super::{SLOT_BITS, SLOT_MASK};

/// So many more keys than at first may stand sorted before the later ones go to the wheel.
const NEAR_MAX: usize = 128;
/// A bucket of the wheel with at most so many keys is sorted as it is, others are spread over finer ones first.
const SORTED_MAX: usize = 96;
/// One with more is, too, if it is so small a share of all that few new keys will belong there.
const RUN_MAX: usize = 320;
const RUN_SHARE: usize = 8;
/// So many keys at once are worth fetching, out of several buckets if they are sparse.
const FETCHED_MIN: usize = 8;
/// So many dead keys are not worth sweeping.
const DEAD_MIN: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Slot<E> {
    /// Sequence and slot of the event here; of a free slot the next free one, or `SLOT_MASK`.
    id: u64,
    event: E,
}

#[derive(Clone, Debug)]
pub(super) struct Timed<E> {
    /// The nearest keys, `time << 64 | sequence << 24 | slot`, in descending order: the next is the last.
    near: Vec<u128>,
    /// When so many stand sorted, they are too many.
    near_max: usize,
    /// Every other key, all of them later.
    wheel: Wheel,
    slots: Vec<Slot<E>>,
    /// The slot that was freed last, or `SLOT_MASK`.
    free: u64,
    /// Keys whose events were cancelled.
    dead: usize,
}

/// Whether the event of a key is still there.
fn lives<E>(slots: &[Slot<E>], key: u128) -> bool {
    slots[(key as u64 & SLOT_MASK) as usize].id == key as u64
}

impl<E: Copy> Timed<E> {
    pub(super) fn new() -> Self {
        Self {
            near: Vec::with_capacity(NEAR_MAX),
            near_max: NEAR_MAX,
            wheel: Wheel::new(),
            slots: Vec::new(),
            free: SLOT_MASK,
            dead: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.near.len() + self.wheel.len() - self.dead
    }

    /// The next key that stands sorted, dead or alive.
    #[expect(clippy::inline_always, reason = "it is asked for every event")]
    #[inline(always)]
    pub(super) fn first(&self) -> Option<u128> {
        self.near.last().copied()
    }

    /// No key stands sorted, and the wheel's may be due by then.
    #[inline]
    pub(super) fn may_open(&self, latest: u64) -> bool {
        !self.wheel.is_empty() && self.wheel.bound() <= latest
    }

    /// Keeps an event under the latest sequence number.
    #[inline(never)]
    pub(super) fn keep(&mut self, time: u64, sequence: u64, event: E) -> u64 {
        let id;
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            id = sequence << SLOT_BITS | self.free;
            self.free = slot.id;
            *slot = Slot { id, event };
        } else {
            let slot = self.slots.len() as u64;
            assert!(slot < SLOT_MASK, "at most 2^24 events are pending at once");
            id = sequence << SLOT_BITS | slot;
            self.slots.push(Slot { id, event });
        }
        self.insert(time, u128::from(time) << 64 | u128::from(id));
        id
    }

    /// Takes the next key; whether its event is alive. If so it is there until another one is kept.
    #[expect(clippy::inline_always, reason = "it is the loop of every run")]
    #[inline(always)]
    pub(super) fn take(&mut self, key: u128) -> bool {
        self.near.pop();
        let id = key as u64;
        let number = id & SLOT_MASK;
        let slot = &mut self.slots[number as usize];
        if slot.id != id {
            self.dead -= 1;
            return false;
        }
        slot.id = core::mem::replace(&mut self.free, number);
        true
    }

    /// The event of a key that was just taken.
    #[inline]
    pub(super) fn event(&self, key: u128) -> &E {
        &self.slots[(key as u64 & SLOT_MASK) as usize].event
    }

    /// Drops dead keys before the next living one that stands sorted.
    pub(super) fn bury(&mut self) {
        while let Some(&key) = self.near.last()
            && !lives(&self.slots, key)
        {
            self.near.pop();
            self.dead -= 1;
        }
    }

    /// Forgets a pending event; false if it is not there.
    pub(super) fn cancel(&mut self, id: u64) -> bool {
        let number = id & SLOT_MASK;
        match self.slots.get_mut(number as usize) {
            Some(slot) if slot.id == id && id > SLOT_MASK => {
                slot.id = core::mem::replace(&mut self.free, number);
                self.dead += 1;
                if self.dead > DEAD_MIN && self.dead > 2 * self.len() {
                    self.sweep();
                }
                true
            }
            _ => false,
        }
    }

    #[inline]
    fn insert(&mut self, time: u64, key: u128) {
        if time >= self.wheel.bound() || (self.near.len() >= self.near_max && !self.make_room(time)) {
            return self.wheel.push(key);
        }
        // A new key has the largest sequence number: what is due in the same instant is before it.
        let later = |other: u128| (other >> 64) as u64 > time;
        match self.near[..] {
            [] => self.near.push(key),
            [.., next] if later(next) => self.near.push(key),
            [next] => self.put_second(key, next),
            [.., second, next] if later(second) => self.put_second(key, next),
            [..] => {
                let place = self.near.partition_point(|&other| later(other));
                self.near.insert(place, key);
            }
        }
    }

    /// A new key comes right after the next one, as in a small system it often does.
    #[inline]
    fn put_second(&mut self, key: u128, next: u128) {
        if let Some(last) = self.near.last_mut() {
            *last = key;
        }
        self.near.push(next);
    }

    /// A key belongs before the wheel, but those that stand sorted are too many: if it is not later than they are, their
    /// later half goes to the wheel. False: the key must, too.
    #[cold]
    fn make_room(&mut self, time: u64) -> bool {
        if (self.near[0] >> 64) as u64 > time {
            let moved = self.near.len() - NEAR_MAX / 2;
            self.near.drain(..moved).for_each(|key| self.wheel.push(key));
            self.near_max = NEAR_MAX;
        }
        time < self.wheel.bound() && self.near.len() < self.near_max
    }

    /// No key stands sorted: the next ones come. It may be that all of them are dead.
    #[cold]
    pub(super) fn open(&mut self) {
        let Self { near, wheel, slots, dead, .. } = self;
        let mut wanted = |key: u128| {
            let lives = lives(slots, key);
            *dead -= usize::from(!lives);
            lives
        };
        while !wheel.is_empty() && near.len() < FETCHED_MIN {
            let (place, count) = wheel.lowest();
            let is_run = near.is_empty() && count <= RUN_MAX && count * RUN_SHARE <= wheel.len();
            if place.is_instant() || near.len() + count <= SORTED_MAX || is_run {
                wheel.take(place, |key| {
                    if wanted(key) {
                        near.push(key);
                    }
                });
            } else if near.is_empty() {
                wheel.spread(place, &mut wanted);
            } else {
                break;
            }
        }
        near.sort_unstable_by(|one, other| other.cmp(one));
        self.near_max = NEAR_MAX.max(near.len() + NEAR_MAX / 2);
    }

    fn sweep(&mut self) {
        let slots = &self.slots;
        self.near.retain(|key| lives(slots, *key));
        self.wheel.retain(|key| lives(slots, key));
        self.dead = 0;
    }
}
