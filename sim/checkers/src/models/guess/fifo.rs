//! Queues whose values differ: an order, or the few calls that have none.
//!
//! Henzinger, Sezgin and Vafeiadis (*Aspect-oriented linearizability proofs*, 2013): such a history has an order unless a
//! value comes out that did not go in, or comes out twice, or two of them come out in another order than they went in, or
//! somebody finds nothing while at every moment some value is surely there. So:
//!
//! 1. Who found nothing is given a moment at which no value is surely there, and cuts the history in two there.
//! 2. Values and cuts are put in a line, each after all that went in, or came out, before it began to. Two intervals of
//!    each are compared, so a circle of several holds one of two, and two values in a circle are the conflict.
//! 3. Every call of the line happens as early as it can.
//!
//! A dequeue whose answer nobody knows takes a value that must be gone, the one that must be gone first before the others.
//! Leaving out values, with what put them in and took them out, changes no other answer, unless such a dequeue took them:
//! it may then take another. So a conflict of values of which it is not known that they came out has all of these dequeues.

use alloc::collections::BinaryHeap;
use alloc::vec;
use alloc::vec::IntoIter;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::iter::Peekable;

use super::{Guess, NONE};
use crate::history::{NEVER, Value};
use crate::models::Asked;
use crate::models::queue::Call;
use kernel::hashing::{Fixed, Map};

/// Later than every moment of a history, and earlier than never.
const SOME_TIME: u32 = NEVER - 1;

/// A value's time in the queue, or a moment at which somebody found nothing.
#[derive(Clone, Copy)]
struct Stay {
    /// Who put it there, or found nothing.
    put: u32,
    /// Who took it away.
    took: u32,
    /// When it went in: not earlier, not later.
    into: (u32, u32),
    /// When it came out; [`NEVER`] if it stays.
    out: (u32, u32),
}

impl Stay {
    /// The moments between which it is surely there.
    fn surely(&self) -> (u32, u32) {
        (self.into.1, self.out.0)
    }
}

/// What was asked, sorted out.
struct Calls {
    stays: Vec<Stay>,
    /// Who found nothing, and when: by beginning.
    empty: Vec<(u32, (u32, u32))>,
    /// Whose answer is not known, after the moment of its beginning.
    lost: Vec<(u32, u32)>,
}

/// An order, or a conflict if every value goes in once. Of equal values that which went in first is guessed to come out
/// first, and then nothing is known if there is no order.
pub(in crate::models) fn queue(asked: &[Asked<'_, Call>]) -> Guess {
    let mut differ = true;
    match sort_out(asked, &mut differ).and_then(order) {
        Ok(path) => Guess::Order(path),
        Err(conflict) if differ => conflict,
        Err(_) => Guess::Nothing,
    }
}

fn order(mut calls: Calls) -> Result<Vec<u32>, Guess> {
    calls.take_lost()?;
    for stay in &mut calls.stays {
        stay.into.1 = stay.into.1.min(stay.out.1);
        stay.out.0 = stay.out.0.max(stay.into.0);
    }
    let cuts = calls.cuts()?;
    calls.stays.extend(cuts);
    let line = calls.line()?;
    Ok(scheduled(&calls.stays, line))
}

/// Finds out which calls are about the same value, and whether all values differ.
fn sort_out(asked: &[Asked<'_, Call>], differ: &mut bool) -> Result<Calls, Guess> {
    // Of each value the first stay that nobody ended, and the last; of each stay the next of an equal value.
    let mut places: Map<&Value, (u32, u32)> = Map::with_capacity_and_hasher(asked.len() / 2, Fixed);
    let mut next = Vec::with_capacity(asked.len() / 2);
    let mut calls = Calls { stays: Vec::with_capacity(asked.len() / 2), empty: Vec::new(), lost: Vec::new() };
    for (n, one) in (0..).zip(asked) {
        let when = (one.invoked, one.returned);
        match one.call {
            Call::Enqueue(value) => {
                let place = calls.stays.len() as u32;
                if let Some((_, last)) = places.get_mut(value) {
                    *differ = false;
                    next[core::mem::replace(last, place) as usize] = place;
                } else {
                    places.insert(value, (place, place));
                }
                next.push(NONE);
                calls.stays.push(Stay { put: n, took: NONE, into: when, out: (NEVER, NEVER) });
            }
            Call::Dequeue(_) => {}
            Call::Empty => calls.empty.push((n, when)),
            // It has no end, as nobody heard its answer: it may never have happened.
            Call::Lost => calls.lost.push((one.invoked, n)),
        }
    }
    for (n, one) in (0..).zip(asked) {
        let Call::Dequeue(value) = one.call else { continue };
        let Some((first, _)) = places.get_mut(value) else { return Err(Guess::Conflict(vec![n])) };
        let stay = &mut calls.stays[*first as usize];
        if stay.took != NONE {
            return Err(Guess::Conflict(vec![stay.put, stay.took, n]));
        }
        if next[*first as usize] != NONE {
            *first = next[*first as usize];
        }
        if one.returned < stay.into.0 {
            return Err(Guess::Conflict(vec![stay.put, n]));
        }
        (stay.took, stay.out) = (n, (one.invoked, one.returned));
    }
    // What may never have gone in and never came out did not go in.
    calls.stays.retain(|stay| stay.took != NONE || stay.into.1 != NEVER);
    Ok(calls)
}

impl Calls {
    /// Values that stay and must not are taken by those whose answer is not known.
    fn take_lost(&mut self) -> Result<(), Guess> {
        // What needs all that went in before it to be gone: since when it does, until when they must, whose calls show it.
        let mut needs: Vec<(u32, u32, [u32; 2])> = self
            .stays
            .iter()
            .filter(|stay| stay.took != NONE)
            .map(|stay| (stay.into.0, stay.out.1, [stay.put, stay.took]))
            .chain(self.empty.iter().map(|&(n, (begin, end))| (begin, end, [n, NONE])))
            .collect();
        // Two runs that are sorted already.
        needs.sort_by_key(|&(begin, ..)| begin);
        for n in (1..needs.len()).rev() {
            if needs[n].1 < needs[n - 1].1 {
                (needs[n - 1].1, needs[n - 1].2) = (needs[n].1, needs[n].2);
            }
        }
        let mut urgent: Vec<(u32, usize, [u32; 2])> = Vec::new();
        for (place, stay) in self.stays.iter().enumerate().filter(|(_, stay)| stay.took == NONE) {
            let first = needs.partition_point(|&(begin, ..)| begin <= stay.into.1);
            if let Some(&(_, until, shown)) = needs.get(first) {
                urgent.push((until, place, shown));
            }
        }
        urgent.sort_unstable();
        for (n, &(until, place, _)) in urgent.iter().enumerate() {
            match self.lost.get(n) {
                Some(&(begin, lost)) if begin < until => {
                    let stay = &mut self.stays[place];
                    (stay.took, stay.out) = (lost, (begin, SOME_TIME));
                }
                Some(_) | None => {
                    let mut few: Vec<u32> = self.lost.iter().map(|&(_, lost)| lost).collect();
                    for &(_, place, shown) in &urgent[..=n] {
                        few.push(self.stays[place].put);
                        few.extend(shown.into_iter().filter(|&call| call != NONE));
                    }
                    return Err(Guess::Conflict(few));
                }
            }
        }
        Ok(())
    }

    /// A moment for everybody who found nothing.
    fn cuts(&self) -> Result<Vec<Stay>, Guess> {
        if self.empty.is_empty() {
            return Ok(Vec::new());
        }
        let surely = |&place: &u32| {
            let (from, until) = self.stays[place as usize].surely();
            (from < until).then_some((from, until, place as usize))
        };
        let full: Vec<(u32, u32, usize)> =
            by_moment(self.stays.iter().map(|stay| stay.into.1)).iter().filter_map(surely).collect();
        // Stretches of time in which at every moment between their two ends some value is surely there.
        let mut stretches: Vec<(u32, u32)> = Vec::new();
        for &(from, until, _) in &full {
            match stretches.last_mut() {
                Some(last) if from < last.1 => last.1 = last.1.max(until),
                Some(_) | None => stretches.push((from, until)),
            }
        }
        let mut cuts = Vec::with_capacity(self.empty.len());
        for &(n, (begin, end)) in &self.empty {
            let before = stretches.partition_point(|&(from, _)| from < begin);
            let free = before.checked_sub(1).map_or(begin, |last| stretches[last].1.max(begin));
            if free > end {
                return Err(self.never_empty(&full, n, (begin, end)));
            }
            cuts.push(Stay { put: n, took: NONE, into: (free, free), out: (free, free) });
        }
        Ok(cuts)
    }

    /// Fewest values one of which is there at every moment of this time, at which somebody found nothing.
    fn never_empty(&self, full: &[(u32, u32, usize)], empty: u32, (begin, end): (u32, u32)) -> Guess {
        let (mut moment, mut few, mut next) = (begin, Vec::new(), full.iter().peekable());
        let mut longest: Option<(u32, usize)> = None;
        while moment <= end {
            while let Some(&(_, until, place)) = next.next_if(|(from, ..)| *from < moment) {
                longest = longest.max(Some((until, place)));
            }
            let Some((until, place)) = longest.filter(|&(until, _)| until > moment) else { return Guess::Nothing };
            few.push(place);
            moment = until;
        }
        self.conflict(&few, &[empty])
    }

    /// The calls on these values, and these calls.
    fn conflict(&self, places: &[usize], others: &[u32]) -> Guess {
        let mut few = others.to_vec();
        let mut all_came_out = true;
        for stay in places.iter().map(|&place| &self.stays[place]) {
            all_came_out &= stay.out.1 < SOME_TIME;
            few.extend([stay.put, stay.took].into_iter().filter(|&call| call != NONE));
        }
        if !all_came_out {
            few.extend(self.lost.iter().map(|&(_, lost)| lost));
        }
        Guess::Conflict(few)
    }

    /// All in a line, as places: each after those that surely went in or came out before it did.
    fn line(&self) -> Result<Vec<usize>, Guess> {
        let count = self.stays.len();
        let mut into = Ready::new(count, |place| self.stays[place as usize].into);
        let mut out = Ready::new(count, |place| self.stays[place as usize].out);
        // Of several the one that must be gone first.
        let mut ready: BinaryHeap<Reverse<(u32, u32, usize)>> = BinaryHeap::new();
        let (mut once, mut done) = (vec![false; count], vec![false; count]);
        let mut line = Vec::with_capacity(count);
        for _ in 0..count {
            let mut say = |place: usize| {
                if core::mem::replace(&mut once[place], true) {
                    let stay = &self.stays[place];
                    ready.push(Reverse((stay.out.1, stay.into.1, place)));
                }
            };
            into.next(&done, &mut say);
            out.next(&done, &mut say);
            let Some(Reverse((.., place))) = ready.pop() else { return Err(self.crossed(&done)) };
            done[place] = true;
            line.push(place);
        }
        Ok(line)
    }

    /// Two of those that are not done of which one went in first and came out last.
    fn crossed(&self, done: &[bool]) -> Guess {
        let left = || (0..self.stays.len()).filter(|&place| !done[place]);
        let mut went: Vec<usize> = left().collect();
        went.sort_unstable_by_key(|&place| self.stays[place].into.1);
        let mut next: Vec<usize> = left().collect();
        next.sort_unstable_by_key(|&place| self.stays[place].into.0);
        let (mut went, mut last) = (went.into_iter().peekable(), None);
        for second in next {
            let begin = self.stays[second].into.0;
            while let Some(first) = went.next_if(|&first| self.stays[first].into.1 < begin) {
                last = last.max(Some((self.stays[first].out.0, first)));
            }
            if let Some((_, first)) = last.filter(|&(out, _)| self.stays[second].out.1 < out) {
                return self.conflict(&[first, second], &[]);
            }
        }
        Guess::Nothing
    }
}

/// Gives every call of a line the earliest moment that it can have, and returns all by moment.
fn scheduled(stays: &[Stay], line: Vec<usize>) -> Vec<u32> {
    // Moment, place among all calls, call: what goes in or finds nothing, and what comes out. Each is in its order.
    let mut into: Vec<(u32, u32, u32)> = Vec::with_capacity(stays.len());
    let mut out: Vec<(u32, u32, u32)> = Vec::with_capacity(stays.len());
    let (mut put_at, mut took_at) = (0, 0);
    for (n, place) in (0..).step_by(2).zip(line) {
        let stay = &stays[place];
        put_at = put_at.max(stay.into.0);
        if stay.into.0 == stay.into.1 {
            put_at = put_at.max(took_at);
        }
        into.push((put_at, n, stay.put));
        took_at = took_at.max(put_at).max(stay.out.0);
        if stay.took != NONE {
            out.push((took_at, n + 1, stay.took));
        }
    }
    let mut path = Vec::with_capacity(into.len() + out.len());
    let mut into = into.into_iter().peekable();
    for taken in out {
        path.extend(core::iter::from_fn(|| into.next_if(|put| *put < taken)).map(|(.., call)| call));
        path.push(taken.2);
    }
    path.extend(into.map(|(.., call)| call));
    path
}

/// Which of many intervals nothing surely precedes, of those that are not done.
struct Ready<When> {
    when: When,
    /// By beginning.
    waiting: Peekable<IntoIter<u32>>,
    /// By end.
    ends: Peekable<IntoIter<u32>>,
}

impl<When: Fn(u32) -> (u32, u32)> Ready<When> {
    fn new(count: usize, when: When) -> Self {
        let places = 0..count as u32;
        let waiting = by_moment(places.clone().map(|n| when(n).0)).into_iter().peekable();
        let ends = by_moment(places.map(|n| when(n).1)).into_iter().peekable();
        Self { when, waiting, ends }
    }

    /// Says those that have become ready.
    fn next(&mut self, done: &[bool], say: &mut impl FnMut(usize)) {
        while self.ends.next_if(|&n| done[n as usize]).is_some() {}
        let first_end = self.ends.peek().map_or(NEVER, |&n| (self.when)(n).1);
        while let Some(n) = self.waiting.next_if(|&n| (self.when)(n).0 <= first_end) {
            say(n as usize);
        }
    }
}

/// So many positions for each moment are worth a count.
const CLOSE: usize = 16;

/// The places of these moments, the earliest first; equal ones stay in their order. Moments are positions in a history:
/// if they lie as close as those of an object of its own they are counted, which is faster than comparing them.
fn by_moment(moments: impl Iterator<Item = u32> + Clone) -> Vec<u32> {
    let end = moments.clone().filter(|&moment| moment < SOME_TIME).max().map_or(0, |last| last as usize + 1);
    if end / CLOSE > moments.clone().count() {
        let mut places: Vec<(u32, u32)> = moments.zip(0..).collect();
        places.sort_unstable();
        return places.into_iter().map(|(_, place)| place).collect();
    }
    let slot = |moment: u32| if moment < SOME_TIME { moment as usize } else { end + (moment - SOME_TIME) as usize };
    // Where each begins, one slot later, so that it can be counted on.
    let mut starts = vec![0; end + 3];
    moments.clone().for_each(|moment| starts[slot(moment) + 1] += 1);
    for n in 1..starts.len() {
        starts[n] += starts[n - 1];
    }
    let mut places = vec![0; starts[end + 2] as usize];
    for (n, moment) in (0..).zip(moments) {
        let start: &mut u32 = &mut starts[slot(moment)];
        places[*start as usize] = n;
        *start += 1;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::{NEVER, SOME_TIME, by_moment};

    #[test]
    fn moments_are_put_in_order_wherever_they_lie() {
        for distance in [1, 1000] {
            let moments = [NEVER, 7 * distance, 3 * distance, SOME_TIME, 7 * distance, 0];
            assert_eq!(by_moment(moments.into_iter()), [5, 2, 1, 4, 3, 0]);
        }
        assert!(by_moment([].into_iter()).is_empty());
    }
}
