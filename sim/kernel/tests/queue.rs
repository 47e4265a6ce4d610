//! The queue of events against a plain heap: the same random operations on both, and whatever can be seen is compared.
//!
//! `STORMGLASS_LONG=1 cargo test --release -p kernel --test queue` does ten million operations. Operations come in moods, so
//! that queues grow to thousands and are emptied again, and are of one kind for a while: ties, delays of many magnitudes,
//! lanes of their own and beyond the number that there may be, timers armed and cancelled, far futures up to the end of
//! time, and after it. A clone goes on beside the original now and then.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use kernel::{Handle, Lane, Queue, Span, Time};

/// A heap of (time, sequence), and of each sequence number whether it is still pending.
#[derive(Clone, Default)]
struct Plain {
    now: u64,
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    /// By sequence number, which begins at 1.
    pending: Vec<bool>,
    count: usize,
}

impl Plain {
    fn schedule(&mut self, time: u64) -> u64 {
        let sequence = self.pending.len() as u64 + 1;
        self.pending.push(true);
        self.count += 1;
        self.heap.push(Reverse((time, sequence)));
        sequence
    }

    fn cancel(&mut self, sequence: u64) -> bool {
        let pending = &mut self.pending[sequence as usize - 1];
        self.count -= usize::from(*pending);
        std::mem::take(pending)
    }

    fn next(&mut self) -> Option<(u64, u64)> {
        while let Some(&Reverse((time, sequence))) = self.heap.peek() {
            if self.pending[sequence as usize - 1] {
                return Some((time, sequence));
            }
            self.heap.pop();
        }
        None
    }

    fn pop_until(&mut self, latest: u64) -> Option<(u64, u64)> {
        let (time, sequence) = self.next().filter(|(time, _)| *time <= latest)?;
        self.heap.pop();
        self.cancel(sequence);
        self.now = time;
        Some((time, sequence))
    }
}

/// What is done for a while.
#[derive(Clone, Copy)]
struct Mood {
    /// Of 64: how many operations schedule, and how many cancel; the others take.
    schedules: u64,
    cancels: u64,
    /// Delays are drawn below two to this power.
    magnitude: u64,
    /// Of 64: how many of what is scheduled goes to a lane.
    lanes: u64,
    /// How many of the lanes are in use.
    in_use: u64,
}

/// A queue and its model.
#[derive(Clone)]
struct Pair {
    queue: Queue<u64>,
    plain: Plain,
    lanes: Vec<(Lane, u64)>,
    /// Also of events that are long gone.
    handles: Vec<(Handle, u64)>,
}

/// Handles that are remembered.
const HANDLES_MAX: usize = 4_096;

impl Pair {
    fn new(lanes: usize, random: &mut impl FnMut() -> u64) -> Self {
        let mut queue = Queue::new();
        let lanes = (0..lanes)
            .map(|_| {
                let delay = random() >> (20 + random() % 44);
                (queue.lane(Span(delay)), delay)
            })
            .collect();
        Self { queue, plain: Plain::default(), lanes, handles: Vec::new() }
    }

    fn remember(&mut self, handle: Handle, time: u64, random: u64) {
        let known = (handle, self.plain.schedule(time));
        if self.handles.len() < HANDLES_MAX {
            self.handles.push(known);
        } else {
            self.handles[random as usize % HANDLES_MAX] = known;
        }
    }

    fn schedule(&mut self, mood: Mood, random: &mut impl FnMut() -> u64) {
        let now = self.plain.now;
        // The event is its own sequence number.
        let event = self.plain.pending.len() as u64 + 1;
        let (handle, time);
        if random() % 64 < mood.lanes && !self.lanes.is_empty() {
            let (lane, delay) = self.lanes[(random() % mood.in_use) as usize % self.lanes.len()];
            (handle, time) = (self.queue.arm(lane, event), now.saturating_add(delay));
        } else {
            let some = random() >> (64 - mood.magnitude);
            match random() % 64 {
                0 => (handle, time) = (self.queue.arm(Queue::<u64>::at_once(), event), now),
                1 => (handle, time) = (self.queue.after(Span::ZERO, event), now),
                2 => (handle, time) = (self.queue.after(Span::MAX, event), u64::MAX),
                3 => (handle, time) = (self.queue.at(Time(u64::MAX - some), event), now.max(u64::MAX - some)),
                4 => (handle, time) = (self.queue.at(Time(now.saturating_sub(some)), event), now),
                5..10 => {
                    // Something that ties with what others are due at.
                    let tied = (now | 0xfff).max(now);
                    (handle, time) = (self.queue.at(Time(tied), event), tied);
                }
                _ => (handle, time) = (self.queue.after(Span(some), event), now.saturating_add(some)),
            }
        }
        self.remember(handle, time, random());
    }

    fn cancel(&mut self, random: u64) {
        if self.handles.is_empty() {
            return assert!(!self.queue.cancel(Handle::NONE));
        }
        // Often one of the latest, as timers are.
        let among = if random & 1 == 0 { self.handles.len() } else { self.handles.len().min(16) };
        let at = self.handles.len() - 1 - (random >> 1) as usize % among;
        // Now and then many that were scheduled one after the other, so that whole chunks of timers go.
        let many = if random >> 58 == 0 { 150 } else { 1 };
        for (handle, sequence) in self.handles.iter().skip(at).take(many) {
            assert_eq!(self.queue.cancel(*handle), self.plain.cancel(*sequence), "cancelling the event {sequence}");
        }
    }

    /// Takes the next event, if it is due by some time.
    fn take(&mut self, random: u64) -> bool {
        if random.is_multiple_of(8) {
            assert_eq!(self.queue.next_time().map(|time| time.0), self.plain.next().map(|(time, _)| time));
        }
        let latest =
            if random & 0x38 == 0 { self.plain.now.saturating_add(random >> (6 + random % 58)) } else { u64::MAX };
        let expected = self.plain.pop_until(latest);
        let popped = self.queue.pop_until(Time(latest));
        assert_eq!(popped, expected.map(|(time, sequence)| (Time(time), sequence, sequence)));
        popped.is_some()
    }

    fn step(&mut self, mood: Mood, random: &mut impl FnMut() -> u64) {
        let which = random() % 64;
        if which < mood.schedules {
            self.schedule(mood, random);
        } else if which < mood.schedules + mood.cancels {
            self.cancel(random());
            // Half of them are re-armed.
            if which & 1 == 0 {
                self.schedule(mood, random);
            }
        } else {
            self.take(random());
        }
        assert_eq!((self.queue.len(), self.queue.now().0), (self.plain.count, self.plain.now));
    }
}

/// A generator of numbers, from a seed.
fn generator(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        kernel::fold(state, 0xa076_1d64_78bd_642f)
    }
}

/// So many operations between moods.
const MOOD: usize = 1_000;

fn mood(random: &mut impl FnMut() -> u64, magnitude_max: u64) -> Mood {
    let schedules = [8, 20, 30, 40, 60][random() as usize % 5];
    let cancels = [0, 2, 12, 24][random() as usize % 4].min(64 - schedules);
    let magnitude = 1 + random() % magnitude_max;
    let lanes = [0, 16, 60][random() as usize % 3];
    Mood { schedules, cancels, magnitude, lanes, in_use: [1, 3, 1_000][random() as usize % 3] }
}

/// A run of so many operations, a while beside its clone, until both are empty; and what comes after the end of time.
fn run(seed: u64, operations: usize) {
    let mut random = generator(seed);
    let lanes = [0, 1, 2, 5, 40, 100][random() as usize % 6];
    // In most runs time does not come to its end.
    let magnitude_max = [8, 20, 36, 36, 50, 64][random() as usize % 6];
    let mut pair = Pair::new(lanes, &mut random);
    for _ in 0..operations / MOOD {
        let mood = mood(&mut random, magnitude_max);
        if random().is_multiple_of(8) {
            let (mut clone, seed) = (pair.clone(), random());
            let mut random = generator(seed);
            for _ in 0..MOOD {
                clone.step(mood, &mut random);
            }
        }
        for _ in 0..MOOD {
            pair.step(mood, &mut random);
        }
    }
    while pair.take(random()) || !pair.queue.is_empty() {}
    pair.queue.at(Time::END, 0);
    pair.plain.schedule(u64::MAX);
    assert_eq!(pair.queue.pop().map(|(time, _, _)| time), Some(Time::END));
    pair.plain.pop_until(u64::MAX);
    let last = Mood { schedules: 20, cancels: 20, magnitude: 40, lanes: 30, in_use: 8 };
    for _ in 0..MOOD {
        pair.step(last, &mut random);
    }
}

#[test]
fn behaves_as_a_plain_heap_under_random_operations() {
    let long = std::env::var_os("STORMGLASS_LONG").is_some();
    let (seeds, operations) = if long { (400, 25_000) } else { (60, 10_000) };
    for seed in 0..seeds {
        run(seed, operations);
    }
}

/// Whoever asks when the first event is due, and then schedules many earlier ones, gets those first: at every magnitude of
/// time, with the later ones anywhere from far to near.
#[test]
fn what_is_earlier_than_the_first_known_event_still_comes_first() {
    let mut random = generator(7);
    for magnitude in 12..64 {
        let mut queue = Queue::new();
        let mut times: Vec<u64> = (1..=200).collect();
        // Those of before keep all of the others away from the front, until they are gone.
        for time in &times {
            queue.at(Time(*time), 0);
        }
        let mut popped = Vec::new();
        for round in (10..magnitude).rev() {
            for n in 0..200 {
                let time = (1 << round) + (random() & ((1 << round) - 1));
                queue.at(Time(time), n);
                times.push(time);
            }
            while let Some((time, _, _)) = queue.pop_until(Time(200)) {
                popped.push(time.0);
            }
            let later = times.iter().filter(|time| **time > 200).min().expect("there are some");
            assert_eq!(queue.next_time(), Some(Time(*later)));
        }
        while let Some((time, _, _)) = queue.pop() {
            popped.push(time.0);
        }
        times.sort_unstable();
        assert_eq!(popped, times);
    }
}

/// Memory is bounded by what is pending, not by what was cancelled: timers are armed and cancelled a million times, and a
/// clone costs what is there.
#[test]
fn a_million_cancelled_timers_leave_nothing_behind() {
    for in_lane in [false, true] {
        let mut queue = Queue::new();
        let lane = queue.lane(Span::secs(3_600));
        let mut timers = std::collections::VecDeque::new();
        for n in 0..1_000_000_u64 {
            timers.push_back(if in_lane { queue.arm(lane, n) } else { queue.after(Span::secs(3_600), n) });
            if timers.len() > 100 {
                let oldest = timers.pop_front().expect("there are some");
                assert!(queue.cancel(oldest) && !queue.cancel(oldest));
            }
        }
        assert_eq!(queue.len(), 100);
        let text = format!("{queue:?}");
        assert!(text.len() < 200_000, "{} bytes of it are written for 100 timers", text.len());
    }
}
