//! The pending events of a run, totally ordered by (time, sequence).
//!
//! Events that fall on the same instant come out in the order they were scheduled. They stand in three places, and the
//! next of all is the earlier of two cached keys. What is scheduled for the present instant stands in line by itself:
//! whatever else is due now was scheduled before. A delay that is used again and again is declared as a *lane* (`lanes`),
//! whose timers need no search at all. Everything else has a key in a sorted array, if it is near, or in a wheel (`timed`,
//! `wheel`). Cancelling is O(1), but for the line, in which those behind close up.
//!
//! How events are kept changes nothing that can be seen: tests/queue.rs compares all of it with a plain heap.

mod lanes;
mod line;
mod timed;
mod wheel;

use alloc::vec::Vec;

use crate::time::{Span, Time};
use lanes::{LANE_BIT, Lanes};
use line::Line;
use timed::Timed;

/// Bits of a key that name the slot: at most 2^24 events are pending at once.
const SLOT_BITS: u32 = 24;
/// The slot of those that stand in line.
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
/// Sequence numbers have 39 bits: 5 * 10^11 events a run. They begin at 1, so the id of an event is above `SLOT_MASK`.
const SEQUENCE_LIMIT: u64 = 1 << 39;
/// A key after those of all events.
const NEVER: u128 = u128::MAX;

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

/// The pending events.
#[derive(Clone, Debug)]
pub struct Queue<E: Copy> {
    now: Time,
    sequence: u64,
    /// What is due at once.
    line: Line<E>,
    /// What is due after a declared delay.
    lanes: Lanes<E>,
    /// What is due at any other time.
    timed: Timed<E>,
    /// The delays of the lanes, first of all that of those in line. The others with lanes of their own follow, and then those
    /// for which there was none left.
    delays: Vec<Span>,
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
            line: Line::new(),
            lanes: Lanes::new(),
            timed: Timed::new(),
            delays: alloc::vec![Span::ZERO],
        }
    }

    /// The lane of delay 0, always there.
    pub const fn at_once() -> Lane {
        Lane(0)
    }

    /// Declares a delay that will be used often. So that the next of all lanes is found quickly, only the first few have
    /// places of their own; what others are armed with is kept as `after` keeps it.
    pub fn lane(&mut self, delay: Span) -> Lane {
        if let Some(found) = self.delays.iter().position(|&d| d == delay) {
            return Lane(found as u32);
        }
        self.delays.push(delay);
        self.lanes.declare();
        Lane(self.delays.len() as u32 - 1)
    }

    /// The time of the last event that was handled.
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Events pending.
    pub fn len(&self) -> usize {
        self.line.len() + self.lanes.len() + self.timed.len()
    }

    /// Nothing pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Schedules an event one lane's delay from now.
    #[expect(clippy::inline_always, reason = "most of what has a lane is due at once, and then there is little to do")]
    #[inline(always)]
    pub fn arm(&mut self, lane: Lane, event: E) -> Handle {
        if lane == Self::at_once() {
            self.count();
            return Handle(self.line.push(self.sequence, event));
        }
        self.arm_later(lane, event)
    }

    #[inline(never)]
    fn arm_later(&mut self, lane: Lane, event: E) -> Handle {
        let time = self.now + self.delays[lane.0 as usize];
        let number = lane.0 as usize - 1;
        // At the end of time every delay is no delay.
        if time == self.now || number >= self.lanes.declared() {
            return self.schedule(time, event);
        }
        self.count();
        Handle(self.lanes.arm(number, time.0, self.sequence, event))
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
        self.count();
        if time == self.now {
            return Handle(self.line.push(self.sequence, event));
        }
        Handle(self.timed.keep(time.0, self.sequence, event))
    }

    /// One more event gets a number.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn count(&mut self) {
        assert!(self.sequence < SEQUENCE_LIMIT - 1, "a run has at most 2^39 events");
        self.sequence += 1;
    }

    /// Forgets a pending event. False if it has been handled or cancelled before.
    #[inline]
    pub fn cancel(&mut self, handle: Handle) -> bool {
        if handle.0 & LANE_BIT != 0 {
            self.lanes.cancel(handle.0)
        } else if handle.0 & SLOT_MASK == SLOT_MASK {
            self.line.leave(handle.0)
        } else {
            self.timed.cancel(handle.0)
        }
    }

    /// When the next event is due.
    #[inline]
    pub fn next_time(&mut self) -> Option<Time> {
        if !self.line.is_empty() {
            return Some(self.now);
        }
        loop {
            self.timed.bury();
            let lane = self.lanes.first();
            let key = match self.timed.first() {
                Some(key) => key.min(lane),
                None if self.timed.may_open((lane >> 64) as u64) => {
                    self.timed.open();
                    continue;
                }
                None => lane,
            };
            return (key != NEVER).then_some(Time((key >> 64) as u64));
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
        let (time, sequence, event) = self.take_until(latest)?;
        Some((time, sequence, *event))
    }

    /// Takes the next event where it stands: what it is copied to is its caller's affair, and needs no way there.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn take_until(&mut self, latest: Time) -> Option<(Time, u64, &E)> {
        let (time, key) = loop {
            let lane = self.lanes.first();
            let Some(key) = self.timed.first() else {
                if self.timed.may_open(latest.0) && self.opens(latest) {
                    continue;
                }
                return self.take_lane(latest);
            };
            let time = Time((key >> 64) as u64);
            // Of what is due now, those in line come last.
            if !self.line.is_empty() && time > self.now && Time((lane >> 64) as u64) > self.now {
                return self.take_line(latest);
            }
            if lane < key {
                return self.take_lane(latest);
            }
            if time > latest {
                return None;
            }
            if self.timed.take(key) {
                break (time, key);
            }
        };
        self.now = time;
        Some((time, key as u64 >> SLOT_BITS, self.timed.event(key)))
    }

    /// What is next, if no key that stands sorted is.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn take_lane(&mut self, latest: Time) -> Option<(Time, u64, &E)> {
        let first = self.lanes.first();
        let time = Time((first >> 64) as u64);
        if !self.line.is_empty() && time > self.now || first == NEVER {
            return self.take_line(latest);
        }
        if time > latest {
            return None;
        }
        self.now = time;
        Some((time, first as u64 >> SLOT_BITS, self.lanes.take()))
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn take_line(&mut self, latest: Time) -> Option<(Time, u64, &E)> {
        if self.now > latest {
            return None;
        }
        let now = self.now;
        self.line.take().map(|(sequence, event)| (now, sequence, event))
    }

    /// No key stands sorted: some come out of the wheel, if they may be next and are due by then. Otherwise the wheel stays as
    /// it is: where it stands, it should not be ahead of what is scheduled.
    #[inline(never)]
    fn opens(&mut self, latest: Time) -> bool {
        let lane = (self.lanes.first() >> 64) as u64;
        let latest = if self.line.is_empty() { latest.0.min(lane) } else { self.now.0 };
        let opens = self.timed.may_open(latest);
        if opens {
            self.timed.open();
        }
        opens
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
