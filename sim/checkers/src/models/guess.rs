//! Orders guessed from values: when every value is written once, answers say nearly everything about the order.
//!
//! Nothing rests on these guesses: who asks for one tries it, and searches if it is none.

use alloc::collections::BinaryHeap;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::Asked;
use super::{queue, register};
use crate::history::{NEVER, Value};
use kernel::hashing::{Fixed, Map};

/// No call, no value.
const NONE: u32 = u32::MAX;

/// A value's writer, the first and the last of its readers, each of which knows the next one.
#[derive(Clone, Copy)]
struct Cluster {
    write: u32,
    reads: (u32, u32),
    /// The earliest end and the latest beginning of its calls.
    first_end: u32,
    last_begin: u32,
}

impl Cluster {
    const NEW: Self = Self { write: NONE, reads: (NONE, NONE), first_end: NEVER, last_begin: 0 };

    /// What may never have happened and was never read did not happen.
    fn happened<Call>(&self, asked: &[Asked<'_, Call>]) -> bool {
        self.reads.0 != NONE || (self.write != NONE && asked[self.write as usize].returned != NEVER)
    }
}

/// Gibbons and Korach (*Testing shared memories*, 1997): the calls on one value stand together. If one of them ends before
/// another begins, nothing else fits between these two moments; else they stand at any one moment that they share, outside
/// of the stretches that others need for themselves.
pub(super) fn register(initial: &Value, asked: &[Asked<'_, register::Call>]) -> Option<Vec<u32>> {
    let mut clusters = vec![Cluster { first_end: 0, ..Cluster::NEW }];
    let mut places: Map<&Value, u32> = Map::with_capacity_and_hasher(asked.len() / 2, Fixed);
    places.insert(initial, 0);
    let mut next_read = vec![NONE; asked.len()];
    for (n, &Asked { call, invoked, returned }) in (0..).zip(asked) {
        let (value, writes) = match call {
            register::Call::Write(value) => (value, true),
            register::Call::Read(Some(value)) => (value, false),
            // Answers that are not known fit anywhere, so they need no guess: whoever has some is searched.
            register::Call::Read(None)
            | register::Call::Swapped(..)
            | register::Call::Differed(_)
            | register::Call::MaySwap(..) => return None,
        };
        let place = *places.entry(value).or_insert_with(|| {
            clusters.push(Cluster::NEW);
            clusters.len() as u32 - 1
        });
        let cluster = &mut clusters[place as usize];
        if writes {
            if place == 0 || core::mem::replace(&mut cluster.write, n) != NONE {
                return None;
            }
        } else {
            match cluster.reads.1 {
                NONE => cluster.reads.0 = n,
                last => next_read[last as usize] = n,
            }
            cluster.reads.1 = n;
        }
        cluster.first_end = cluster.first_end.min(returned);
        cluster.last_begin = cluster.last_begin.max(invoked);
    }
    let mut stretches: Vec<(u32, u32)> = clusters
        .iter()
        .filter(|cluster| cluster.first_end < cluster.last_begin && cluster.happened(asked))
        .map(|cluster| (cluster.first_end, cluster.last_begin))
        .collect();
    stretches.sort_unstable();
    // Where each stands: the beginning of what it needs for itself, or a moment that belongs to nobody.
    let mut order: Vec<(u32, u32, u32)> = Vec::with_capacity(clusters.len());
    for (n, cluster) in (0..).zip(&clusters).filter(|(n, cluster)| *n == 0 || cluster.happened(asked)) {
        let moment = if cluster.first_end < cluster.last_begin {
            cluster.first_end
        } else {
            let around = stretches.partition_point(|&(from, _)| from <= cluster.last_begin);
            match around.checked_sub(1).map(|before| stretches[before].1) {
                Some(until) if n > 0 => cluster.last_begin.max(until),
                Some(_) | None => cluster.last_begin,
            }
        };
        order.push((if n == 0 { 0 } else { moment }, cluster.last_begin, n));
    }
    order[1..].sort_unstable();
    let mut path: Vec<u32> = Vec::with_capacity(asked.len());
    for (.., n) in order {
        let Cluster { write, reads: (mut read, _), .. } = clusters[n as usize];
        path.extend((write != NONE).then_some(write));
        while read != NONE {
            path.push(read);
            read = next_read[read as usize];
        }
    }
    Some(path)
}

/// Values come out in the order in which they go in, so it is one order that both must keep to: every value in turn that
/// surely nothing else must precede, neither into the queue nor out of it.
pub(super) fn queue(asked: &[Asked<'_, queue::Call>]) -> Option<Vec<u32>> {
    let mut values: Map<&Value, usize> = Map::with_capacity_and_hasher(asked.len() / 2, Fixed);
    let mut pairs: Vec<(u32, Option<u32>)> = Vec::with_capacity(asked.len() / 2);
    let mut empty = Vec::new();
    for (n, one) in asked.iter().enumerate() {
        match one.call {
            queue::Call::Enqueue(value) => {
                if values.insert(value, pairs.len()).is_some() {
                    return None;
                }
                pairs.push((n as u32, None));
            }
            // What may have come out to nobody is guessed to have stayed.
            queue::Call::Dequeue(_) | queue::Call::Lost => {}
            queue::Call::Empty => empty.push(n as u32),
        }
    }
    for (n, one) in asked.iter().enumerate() {
        if let queue::Call::Dequeue(value) = one.call
            && pairs[*values.get(value)?].1.replace(n as u32).is_some()
        {
            return None;
        }
    }
    pairs.retain(|&(put, took)| took.is_some() || asked[put as usize].returned != NEVER);
    let ends = |of: &dyn Fn(usize) -> (u32, u32)| Ready::new(pairs.len(), of);
    let put = |n: usize| (asked[pairs[n].0 as usize].invoked, asked[pairs[n].0 as usize].returned);
    let took = |n: usize| {
        pairs[n].1.map_or((NEVER, NEVER), |took| (asked[took as usize].invoked, asked[took as usize].returned))
    };
    let (mut into, mut out) = (ends(&put), ends(&took));
    // Of several the one that must be gone first, so that the queue is empty as early as it can be.
    let mut ready: BinaryHeap<Reverse<(u32, u32, usize)>> = BinaryHeap::new();
    let mut once = vec![0_u8; pairs.len()];
    let mut done = vec![false; pairs.len()];
    let mut sequence = Vec::with_capacity(pairs.len());
    for _ in 0..pairs.len() {
        let mut more = |n: usize| {
            once[n] += 1;
            if once[n] == 2 {
                ready.push(Reverse((took(n).1, put(n).1, n)));
            }
        };
        into.next(&done, &mut more);
        out.next(&done, &mut more);
        let Reverse((.., n)) = ready.pop()?;
        done[n] = true;
        sequence.push(n);
    }
    let interval = |n: u32| (asked[n as usize].invoked, asked[n as usize].returned);
    let ordered: Vec<(u32, Option<u32>)> = sequence.into_iter().map(|n| pairs[n]).collect();
    scheduled(&ordered, &empty, interval)
}

/// Gives every call a moment: values as early as they can, one after the other, and those that found nothing at the first
/// moment at which a value can be gone and the next not be there yet.
fn scheduled(ordered: &[(u32, Option<u32>)], empty: &[u32], interval: impl Fn(u32) -> (u32, u32)) -> Option<Vec<u32>> {
    // When the value after the last `k` must be there at the latest, for each `k`.
    let mut latest = vec![NEVER; ordered.len() + 1];
    let mut took_by = NEVER;
    for (k, &(put, took)) in ordered.iter().enumerate().rev() {
        took_by = took_by.min(took.map_or(NEVER, |took| interval(took).1));
        latest[k] = latest[k + 1].min(interval(put).1).min(took_by);
    }
    // Moment, place in the sequence, call; what went in or found nothing, and what came out: each in its order.
    let mut into: Vec<(u32, u32, u32)> = Vec::with_capacity(ordered.len() + empty.len());
    let mut out: Vec<(u32, u32, u32)> = Vec::with_capacity(ordered.len());
    let (mut put_at, mut took_at, mut found_nothing) = (0, 0, empty.iter().copied().peekable());
    for (k, &deadline) in latest.iter().enumerate() {
        // The first `k` values are gone from `took_at` on.
        while let Some(&n) = found_nothing.peek() {
            let moment = interval(n).0.max(took_at);
            if moment >= deadline {
                break;
            }
            into.push((moment, (into.len() + out.len()) as u32, n));
            put_at = put_at.max(moment);
            found_nothing.next();
        }
        let Some(&(put, took)) = ordered.get(k) else { break };
        put_at = put_at.max(interval(put).0);
        into.push((put_at, (into.len() + out.len()) as u32, put));
        took_at = match took {
            Some(took) => took_at.max(put_at).max(interval(took).0),
            None => NEVER,
        };
        if let Some(took) = took {
            out.push((took_at, (into.len() + out.len()) as u32, took));
        }
    }
    if found_nothing.peek().is_some() {
        return None;
    }
    let mut path = Vec::with_capacity(into.len() + out.len());
    let mut into = into.into_iter().peekable();
    for taken in out {
        path.extend(core::iter::from_fn(|| into.next_if(|put| *put < taken)).map(|(.., call)| call));
        path.push(taken.2);
    }
    path.extend(into.map(|(.., call)| call));
    Some(path)
}

/// Which of many intervals nothing surely precedes, of those that are not done.
struct Ready {
    /// By beginning, the last first.
    waiting: Vec<(u32, u32)>,
    /// By end, the last first.
    ends: Vec<(u32, u32)>,
}

impl Ready {
    fn new(count: usize, of: &dyn Fn(usize) -> (u32, u32)) -> Self {
        let sorted = |of: &dyn Fn(usize) -> u32| {
            let mut sorted: Vec<(u32, u32)> = (0..count).rev().map(|n| (of(n), n as u32)).collect();
            sorted.sort_unstable_by_key(|&one| Reverse(one));
            sorted
        };
        Self { waiting: sorted(&|n| of(n).0), ends: sorted(&|n| of(n).1) }
    }

    /// Says those that have become ready.
    fn next(&mut self, done: &[bool], say: &mut impl FnMut(usize)) {
        while self.ends.pop_if(|(_, n)| done[*n as usize]).is_some() {}
        let first_end = self.ends.last().map_or(NEVER, |(end, _)| *end);
        while let Some((_, n)) = self.waiting.pop_if(|(begin, _)| *begin <= first_end) {
            say(n as usize);
        }
    }
}
