//! The pending events of a run, totally ordered by (time, sequence).
//!
//! Events that fall on the same instant come out in the order they were scheduled. Cancelling is O(1): the slot is freed
//! at once and its key is dropped when it surfaces, or swept when dead keys outnumber the living two to one. A delay that
//! is used again and again may be declared as a *lane*; today that is only a name for the delay, so that the queue behind
//! this interface can change without any caller or fingerprint noticing.

use alloc::vec::Vec;

use crate::time::{Span, Time};

/// Bits of a key that name the slot: at most 2^24 events are pending at once.
const SLOT_BITS: u32 = 24;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
/// Sequence numbers have 40 bits: 10^12 events a run.
const SEQUENCE_LIMIT: u64 = 1 << 40;
/// The id of a free slot; no event has it, for sequence numbers begin at 1.
const FREE: u64 = 0;
/// Children per heap node: four keys are one cache line.
const ARITY: usize = 4;

/// A pending event, for cancelling it. Stale handles are harmless.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Handle(u64);

impl Handle {
    /// A handle of no event.
    pub const NONE: Self = Self(FREE);
}

/// A delay declared beforehand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lane(u32);

#[derive(Clone, Copy, Debug)]
struct Slot<E> {
    /// Sequence and slot of the event here, or `FREE`.
    id: u64,
    event: Option<E>,
}

/// The pending events.
#[derive(Clone, Debug)]
pub struct Queue<E: Copy> {
    now: Time,
    sequence: u64,
    /// `time << 64 | sequence << 24 | slot`, a 4-ary min-heap.
    heap: Vec<u128>,
    slots: Vec<Slot<E>>,
    free: Vec<u32>,
    dead: usize,
    lanes: Vec<Span>,
}

impl<E: Copy> Default for Queue<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Copy> Queue<E> {
    /// No events, at time 0, with one lane: the zero delay.
    pub fn new() -> Self {
        Self {
            now: Time::ZERO,
            sequence: 0,
            heap: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            dead: 0,
            lanes: alloc::vec![Span::ZERO],
        }
    }

    /// The lane of delay 0, always there.
    pub const fn at_once() -> Lane {
        Lane(0)
    }

    /// Declares a delay that will be used often.
    pub fn lane(&mut self, delay: Span) -> Lane {
        if let Some(found) = self.lanes.iter().position(|&d| d == delay) {
            return Lane(found as u32);
        }
        self.lanes.push(delay);
        Lane(self.lanes.len() as u32 - 1)
    }

    /// The time of the last event that was handled.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Events pending.
    pub fn len(&self) -> usize {
        self.heap.len() - self.dead
    }

    /// Nothing pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Schedules an event one lane's delay from now.
    pub fn arm(&mut self, lane: Lane, event: E) -> Handle {
        let delay = self.lanes[lane.0 as usize];
        self.at(self.now + delay, event)
    }

    /// Schedules an event `delay` from now.
    pub fn after(&mut self, delay: Span, event: E) -> Handle {
        self.at(self.now + delay, event)
    }

    /// Schedules an event at `time`, or now if that is past.
    pub fn at(&mut self, time: Time, event: E) -> Handle {
        let time = time.max(self.now);
        self.sequence += 1;
        assert!(self.sequence < SEQUENCE_LIMIT, "a run has at most 2^40 events");
        let slot = if let Some(slot) = self.free.pop() {
            slot
        } else {
            assert!((self.slots.len() as u64) < SLOT_MASK, "at most 2^24 events are pending at once");
            self.slots.push(Slot { id: FREE, event: None });
            self.slots.len() as u32 - 1
        };
        let id = self.sequence << SLOT_BITS | u64::from(slot);
        self.slots[slot as usize] = Slot { id, event: Some(event) };
        self.push(u128::from(time.0) << 64 | u128::from(id));
        Handle(id)
    }

    /// Forgets a pending event. False if it has been handled or cancelled before.
    pub fn cancel(&mut self, handle: Handle) -> bool {
        let slot = (handle.0 & SLOT_MASK) as usize;
        match self.slots.get_mut(slot) {
            Some(found) if found.id == handle.0 && handle.0 != FREE => {
                *found = Slot { id: FREE, event: None };
                self.free.push(slot as u32);
                self.dead += 1;
                if self.dead > 64 && self.dead > 2 * self.len() {
                    self.sweep();
                }
                true
            }
            _ => false,
        }
    }

    /// When the next event is due.
    pub fn next_time(&mut self) -> Option<Time> {
        loop {
            let key = *self.heap.first()?;
            if self.slots[(key as u64 & SLOT_MASK) as usize].id == key as u64 {
                return Some(Time((key >> 64) as u64));
            }
            self.pop_key();
            self.dead -= 1;
        }
    }

    /// Takes the next event: its time, its sequence number, and itself. Time advances to it.
    pub fn pop(&mut self) -> Option<(Time, u64, E)> {
        loop {
            let key = self.pop_key()?;
            let id = key as u64;
            let slot = (id & SLOT_MASK) as usize;
            let found = &mut self.slots[slot];
            if found.id != id {
                self.dead -= 1;
                continue;
            }
            let event = found.event.take();
            found.id = FREE;
            self.free.push(slot as u32);
            self.now = Time((key >> 64) as u64);
            return Some((self.now, id >> SLOT_BITS, event.expect("a slot with an id holds an event")));
        }
    }

    fn sweep(&mut self) {
        let slots = &self.slots;
        self.heap.retain(|&key| slots[(key as u64 & SLOT_MASK) as usize].id == key as u64);
        self.dead = 0;
        for at in (0..self.heap.len().div_ceil(ARITY)).rev() {
            self.sift_down(at);
        }
    }

    fn push(&mut self, key: u128) {
        let mut at = self.heap.len();
        self.heap.push(key);
        while at > 0 {
            let parent = (at - 1) / ARITY;
            if self.heap[parent] <= key {
                break;
            }
            self.heap[at] = self.heap[parent];
            at = parent;
        }
        self.heap[at] = key;
    }

    fn pop_key(&mut self) -> Option<u128> {
        let last = self.heap.pop()?;
        let Some(first) = self.heap.first_mut() else { return Some(last) };
        let top = core::mem::replace(first, last);
        self.sift_down(0);
        Some(top)
    }

    fn sift_down(&mut self, from: usize) {
        let heap = &mut self.heap[..];
        let key = heap[from];
        let mut at = from;
        loop {
            let first = at * ARITY + 1;
            if first >= heap.len() {
                break;
            }
            let end = (first + ARITY).min(heap.len());
            let mut least = first;
            for child in first + 1..end {
                if heap[child] < heap[least] {
                    least = child;
                }
            }
            if heap[least] >= key {
                break;
            }
            heap[at] = heap[least];
            at = least;
        }
        heap[at] = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    /// The same operations on the queue and on an ordered map: 200 seeds of arm, at, cancel, pop and clone.
    #[test]
    fn behaves_as_an_ordered_map_under_random_operations() {
        for seed in 0..200_u64 {
            let mut state = seed;
            let mut random = move || {
                state = crate::fold(state, 0x9e37_79b9);
                state
            };
            let mut queue = Queue::new();
            let lanes = [0, 5, 1_000, 50_000].map(|d| queue.lane(Span(d)));
            let mut model: BTreeMap<(Time, u64), u32> = BTreeMap::new();
            let mut handles: Vec<(Handle, (Time, u64))> = Vec::new();
            let mut scheduled = 0;
            for step in 0..2_000_u32 {
                match random() % 8 {
                    0 | 1 => {
                        let n = random() as usize % 4;
                        scheduled += 1;
                        let at = queue.now() + [0, 5, 1_000, 50_000].map(Span)[n];
                        handles.push((queue.arm(lanes[n], step), (at, scheduled)));
                        model.insert((at, scheduled), step);
                    }
                    2 | 3 => {
                        scheduled += 1;
                        let at = queue.now() + Span(random() % 100_000);
                        handles.push((queue.at(at, step), (at, scheduled)));
                        model.insert((at, scheduled), step);
                    }
                    4 | 5 if !handles.is_empty() => {
                        let (handle, key) = handles.swap_remove(random() as usize % handles.len());
                        assert_eq!(queue.cancel(handle), model.remove(&key).is_some());
                    }
                    6 if step % 64 == 0 => queue = queue.clone(),
                    _ => {
                        let expected = model.pop_first();
                        assert_eq!(queue.next_time(), expected.map(|((t, _), _)| t));
                        assert_eq!(queue.pop(), expected.map(|((t, n), e)| (t, n, e)));
                    }
                }
                assert_eq!(queue.len(), model.len());
            }
        }
    }
}
