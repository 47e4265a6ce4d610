//! Delays that timers are set with again and again: timeouts, heartbeats, polls. Each soon gets a lane of the queue.
//!
//! Which delays those are stands in the plans of processes, which the hardware does not know: so it looks at what comes.
//! A delay that was drawn hardly ever comes twice, and takes no lane.

use kernel::{Lane, Queue, Span};

/// So many delays are looked at, and may get lanes.
const PLACES: usize = 32;
/// So often in a row, among those of its place, a delay must come.
const TIMES: u8 = 4;

#[derive(Clone, Copy)]
struct Habit {
    delay: Span,
    seen: u8,
    lane: Option<Lane>,
}

#[derive(Clone)]
pub(crate) struct Habits {
    places: [Habit; PLACES],
}

impl Habits {
    pub(crate) const fn new() -> Self {
        Self { places: [Habit { delay: Span::ZERO, seen: 0, lane: None }; PLACES] }
    }

    /// The lane of a delay that timers are often set with, if it has one.
    #[inline]
    pub(crate) fn lane<E: Copy>(&mut self, delay: Span, queue: &mut Queue<E>) -> Option<Lane> {
        let place = delay.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - PLACES.ilog2());
        let habit = &mut self.places[place as usize];
        if habit.delay == delay && habit.lane.is_some() {
            return habit.lane;
        }
        if habit.lane.is_none() {
            habit.seen = if habit.delay == delay { habit.seen + 1 } else { 1 };
            habit.delay = delay;
            if habit.seen == TIMES {
                habit.lane = Some(queue.lane(delay));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_delay_that_comes_again_and_again_gets_a_lane() {
        let (mut habits, mut queue) = (Habits::new(), Queue::<u64>::new());
        for n in 0..10_000 {
            // Others come between.
            assert_eq!(habits.lane(Span(1_000_003 * n), &mut queue), None);
        }
        let timeout = Span::millis(500);
        let lanes: [_; 6] = core::array::from_fn(|_| habits.lane(timeout, &mut queue));
        assert_eq!(lanes[..4], [None; 4]);
        assert_eq!(lanes[4..], [Some(queue.lane(timeout)); 2]);
        for n in 0..10_000 {
            habits.lane(Span(n), &mut queue);
        }
        assert_eq!(habits.lane(timeout, &mut queue), lanes[5], "a lane is there for good");
    }
}
