//! The pending events of a run, totally ordered by (time, sequence).
//!
//! Events that fall on the same instant come out in the order they were scheduled. What is scheduled for the present
//! instant stands in line by itself: whatever else is due now was scheduled before. Of the rest the nearest few keys stand
//! sorted in an array, all others behind it in a heap: a small system never leaves the array, a large one pays one heap
//! operation per event. Cancelling is O(1): the slot is freed at once and its key is dropped when it surfaces, or swept when
//! dead keys outnumber the living two to one; in the line those behind it close up. A delay that is used again and again may be declared
//! as a *lane*; today that is only a name for the delay, so that the queue behind this interface can change without any
//! caller or fingerprint noticing.

use alloc::vec::Vec;

use crate::time::{Span, Time};

/// Bits of a key that name the slot: at most 2^24 events are pending at once.
const SLOT_BITS: u32 = 24;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
/// Sequence numbers have 40 bits: 10^12 events a run. They begin at 1, so the id of an event is above `SLOT_MASK`.
const SEQUENCE_LIMIT: u64 = 1 << 40;
/// Children per heap node: four keys are one cache line.
const ARITY: usize = 4;
/// How many keys stand sorted at most; half of them move when they are too many or none.
const NEAR_MAX: usize = 64;
/// So many stand in line at most, but for what a doubling more makes room for.
const LINE_MAX: usize = 1 << 24;
/// So many that have left the line may still have a place in it; beyond that no more than half of all.
const GONE_MIN: usize = 4096;

/// A pending event, for cancelling it. Stale handles are harmless.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Handle(u64);

impl Handle {
    /// A handle of no event.
    pub const NONE: Self = Self(0);
}

/// A delay declared beforehand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lane(u32);

#[derive(Clone, Copy, Debug)]
struct Slot<E> {
    /// Sequence and slot of the event here; of a free slot the next free one, or `SLOT_MASK`.
    id: u64,
    event: E,
}

/// The pending events.
#[derive(Clone, Debug)]
pub struct Queue<E: Copy> {
    now: Time,
    sequence: u64,
    /// What is due at once, in order, each with its id; the slot in these is `SLOT_MASK`. Those before `first` are gone.
    line: Vec<(u64, E)>,
    first: usize,
    /// The nearest keys, `time << 64 | sequence << 24 | slot`, in descending order: the next is the last.
    near: Vec<u128>,
    /// Every other key, all of them later: a 4-ary min-heap.
    far: Vec<u128>,
    slots: Vec<Slot<E>>,
    /// The slot that was freed last, or `SLOT_MASK`.
    free: u64,
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
            line: Vec::new(),
            first: 0,
            near: Vec::with_capacity(NEAR_MAX),
            far: Vec::new(),
            slots: Vec::new(),
            free: SLOT_MASK,
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
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Events pending.
    pub fn len(&self) -> usize {
        self.line.len() - self.first + self.near.len() + self.far.len() - self.dead
    }

    /// Nothing pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Schedules an event one lane's delay from now.
    #[expect(clippy::inline_always, reason = "most of what has a lane is due at once, and then there is little to do")]
    #[inline(always)]
    pub fn arm(&mut self, lane: Lane, event: E) -> Handle {
        let delay = self.lanes[lane.0 as usize];
        self.schedule(self.now + delay, event)
    }

    /// Schedules an event `delay` from now.
    #[inline]
    pub fn after(&mut self, delay: Span, event: E) -> Handle {
        self.schedule(self.now + delay, event)
    }

    /// Schedules an event at `time`, or now if that is past.
    #[inline]
    pub fn at(&mut self, time: Time, event: E) -> Handle {
        self.schedule(time.max(self.now), event)
    }

    #[expect(
        clippy::inline_always,
        reason = "of what is scheduled a constant time ahead it is known which way it goes"
    )]
    #[inline(always)]
    fn schedule(&mut self, time: Time, event: E) -> Handle {
        self.sequence += 1;
        assert!(self.sequence < SEQUENCE_LIMIT, "a run has at most 2^40 events");
        if time == self.now {
            let id = self.sequence << SLOT_BITS | SLOT_MASK;
            if self.line.len() == self.line.capacity() {
                self.lengthen();
            }
            self.line.push((id, event));
            return Handle(id);
        }
        self.keep(time, event)
    }

    /// Makes room for more in line.
    #[cold]
    fn lengthen(&mut self) {
        assert!(self.line.len() < LINE_MAX, "at most 2^24 events are due at once");
        self.line.reserve(1);
    }

    /// Keeps an event that is due later, under the latest sequence number.
    #[inline(never)]
    fn keep(&mut self, time: Time, event: E) -> Handle {
        let id;
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            id = self.sequence << SLOT_BITS | self.free;
            self.free = slot.id;
            *slot = Slot { id, event };
        } else {
            let slot = self.slots.len() as u64;
            assert!(slot < SLOT_MASK, "at most 2^24 events are pending at once");
            id = self.sequence << SLOT_BITS | slot;
            self.slots.push(Slot { id, event });
        }
        self.push(u128::from(time.0) << 64 | u128::from(id));
        Handle(id)
    }

    /// Forgets a pending event. False if it has been handled or cancelled before.
    pub fn cancel(&mut self, handle: Handle) -> bool {
        let number = handle.0 & SLOT_MASK;
        if number == SLOT_MASK {
            return self.leave_line(handle.0);
        }
        match self.slots.get_mut(number as usize) {
            Some(slot) if slot.id == handle.0 && handle != Handle::NONE => {
                slot.id = core::mem::replace(&mut self.free, number);
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
    #[inline]
    pub fn next_time(&mut self) -> Option<Time> {
        if !self.line.is_empty() {
            return Some(self.now);
        }
        loop {
            let Some(&key) = self.near.last() else {
                if self.far.is_empty() {
                    return None;
                }
                self.come_near();
                continue;
            };
            if self.slots[(key as u64 & SLOT_MASK) as usize].id == key as u64 {
                return Some(Time((key >> 64) as u64));
            }
            self.near.pop();
            self.dead -= 1;
        }
    }

    /// Takes the next event: its time, its sequence number, and itself. Time advances to it.
    #[inline]
    pub fn pop(&mut self) -> Option<(Time, u64, E)> {
        self.pop_until(Time::END)
    }

    /// The same, if it is due by then.
    #[expect(clippy::inline_always, reason = "it is the loop of every run, and its caller takes the event apart")]
    #[inline(always)]
    pub fn pop_until(&mut self, latest: Time) -> Option<(Time, u64, E)> {
        loop {
            let next = self.near.last().copied();
            if next.is_none() && !self.far.is_empty() {
                self.come_near();
                continue;
            }
            let key = match next {
                Some(key) if (key >> 64) as u64 <= self.now.0 || self.line.is_empty() => key,
                Some(_) | None => return self.pop_line(latest),
            };
            let (time, id) = ((key >> 64) as u64, key as u64);
            let number = id & SLOT_MASK;
            let slot = &mut self.slots[number as usize];
            if slot.id == id && time > latest.0 {
                return None;
            }
            self.near.pop();
            if slot.id != id {
                self.dead -= 1;
                continue;
            }
            slot.id = core::mem::replace(&mut self.free, number);
            self.now = Time(time);
            return Some((self.now, id >> SLOT_BITS, slot.event));
        }
    }

    /// The first in line, of which nothing is ahead: what else is due in its instant was scheduled before it.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn pop_line(&mut self, latest: Time) -> Option<(Time, u64, E)> {
        if self.now > latest {
            return None;
        }
        let &(id, event) = self.line.get(self.first)?;
        self.first += 1;
        if self.first == self.line.len() {
            self.line.clear();
            self.first = 0;
        } else if self.first >= GONE_MIN {
            self.close_up();
        }
        Some((self.now, id >> SLOT_BITS, event))
    }

    /// Those that have left a long line give up their places, once they are half of all.
    #[cold]
    fn close_up(&mut self) {
        if self.first >= self.line.len() / 2 {
            self.line.drain(..self.first);
            self.first = 0;
        }
    }

    /// Forgets an event that stands in line; false if it does not.
    fn leave_line(&mut self, id: u64) -> bool {
        let Ok(place) = self.line[self.first..].binary_search_by_key(&id, |(id, _)| *id) else { return false };
        self.line.remove(self.first + place);
        if self.first == self.line.len() {
            self.line.clear();
            self.first = 0;
        }
        true
    }

    #[inline]
    fn push(&mut self, key: u128) {
        let belongs_near = match self.near.first() {
            Some(&latest) => key < latest || (self.far.is_empty() && self.near.len() < NEAR_MAX),
            None => self.far.is_empty(),
        };
        if !belongs_near || (self.near.len() == NEAR_MAX && !self.make_room(key)) {
            return self.push_far(key);
        }
        // A new key has the largest sequence number: what is due in the same instant is before it.
        let later = |other: u128| other >> 64 > key >> 64;
        if self.near.last().is_none_or(|&next| later(next)) {
            self.near.push(key);
        } else {
            let place = self.near.partition_point(|&other| later(other));
            self.near.insert(place, key);
        }
    }

    /// A key belongs among the near ones, which are too many: their later half joins the others. False: the key must, too.
    #[cold]
    fn make_room(&mut self, key: u128) -> bool {
        for n in (0..NEAR_MAX / 2).rev() {
            self.push_far(self.near[n]);
        }
        self.near.drain(..NEAR_MAX / 2);
        key < self.near[0]
    }

    /// No key is near: the next ones come.
    #[cold]
    fn come_near(&mut self) {
        for _ in 0..NEAR_MAX / 2 {
            let Some(key) = self.pop_far() else { break };
            self.near.push(key);
        }
        self.near.reverse();
    }

    fn sweep(&mut self) {
        let slots = &self.slots;
        let lives = |key: &u128| slots[(*key as u64 & SLOT_MASK) as usize].id == *key as u64;
        self.near.retain(lives);
        self.far.retain(lives);
        self.dead = 0;
        for at in (0..self.far.len().div_ceil(ARITY)).rev() {
            self.sift_down(at);
        }
    }

    fn push_far(&mut self, key: u128) {
        let mut at = self.far.len();
        self.far.push(key);
        while at > 0 {
            let parent = (at - 1) / ARITY;
            if self.far[parent] <= key {
                break;
            }
            self.far[at] = self.far[parent];
            at = parent;
        }
        self.far[at] = key;
    }

    fn pop_far(&mut self) -> Option<u128> {
        let last = self.far.pop()?;
        let Some(first) = self.far.first_mut() else { return Some(last) };
        let top = core::mem::replace(first, last);
        self.sift_down(0);
        Some(top)
    }

    fn sift_down(&mut self, from: usize) {
        let heap = &mut self.far[..];
        let key = heap[from];
        let mut at = from;
        loop {
            let first = at * ARITY + 1;
            let (least, smallest) = if let Some(children) = heap.get(first..first + ARITY) {
                // A tournament of four: two pairs, then their winners.
                let pair = |a: usize| if children[a + 1] < children[a] { a + 1 } else { a };
                let (left, right) = (pair(0), pair(2));
                let winner = if children[right] < children[left] { right } else { left };
                (first + winner, children[winner])
            } else {
                let rest = heap.get(first..).unwrap_or(&[]);
                let Some((winner, &smallest)) = rest.iter().enumerate().min_by_key(|(_, key)| **key) else { break };
                (first + winner, smallest)
            };
            if smallest >= key {
                break;
            }
            heap[at] = smallest;
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

    /// A line so long that those who have left it give up their places: who leaves from its midst, who stands behind what is
    /// due by heap, and nobody before his time.
    #[test]
    fn a_long_line_stays_in_order() {
        let mut queue = Queue::new();
        let at_once = queue.lane(Span::ZERO);
        queue.at(Time(5), 0);
        queue.at(Time(5), 1);
        queue.at(Time(9), 2);
        assert_eq!(queue.pop_until(Time(4)), None);
        assert_eq!(queue.pop().map(|(time, _, event)| (time, event)), Some((Time(5), 0)));
        let handles: Vec<Handle> = (10..20_010).map(|event| queue.arm(at_once, event)).collect();
        let gone: Vec<usize> = (0..20_000).filter(|n| n % 7 == 3).collect();
        for n in &gone {
            assert!(queue.cancel(handles[*n]));
            assert!(!queue.cancel(handles[*n]));
        }
        assert_eq!(queue.pop_until(Time(4)), None, "it is later than that");
        let left = (0..20_000).filter(|n| n % 7 != 3).map(|n| n + 10);
        let expected: Vec<u32> = core::iter::once(1).chain(left).collect();
        let mut popped = Vec::new();
        while let Some((time, _, event)) = queue.pop_until(Time(8)) {
            assert_eq!(time, Time(5));
            popped.push(event);
            // Some come while others leave.
            if event < 100_000 && event % 4_000 == 0 {
                queue.arm(at_once, 100_000 + event);
            }
        }
        let late: Vec<u32> = expected.iter().filter(|event| *event % 4_000 == 0).map(|event| 100_000 + event).collect();
        assert_eq!(popped.len(), expected.len() + popped.iter().filter(|event| **event >= 100_000).count());
        assert_eq!(popped[..expected.len()], expected);
        assert_eq!(popped[expected.len()..][..late.len()], late);
        assert_eq!((queue.len(), queue.next_time()), (1, Some(Time(9))));
    }
}
