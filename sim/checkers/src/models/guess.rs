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
use kernel::hashing::Map;

/// A value's writer and readers.
struct Cluster {
    write: Option<u32>,
    reads: Vec<u32>,
    /// The earliest end and the latest beginning of its calls.
    first_end: u32,
    last_begin: u32,
}

/// Gibbons and Korach (*Testing shared memories*, 1997): the calls on one value stand together. If one of them ends before
/// another begins, nothing else fits between these two moments; else they stand at any one moment that they share, outside
/// of the stretches that others need for themselves.
pub(super) fn register(initial: &Value, asked: &[Asked<'_, register::Call>]) -> Option<Vec<u32>> {
    let mut clusters = vec![Cluster { write: None, reads: Vec::new(), first_end: 0, last_begin: 0 }];
    let mut places: Map<&Value, usize> = Map::default();
    places.insert(initial, 0);
    let mut anytime = Vec::new();
    let blank = || Cluster { write: None, reads: Vec::new(), first_end: NEVER, last_begin: 0 };
    for (n, &Asked { call, invoked, returned }) in asked.iter().enumerate() {
        let (value, writes) = match call {
            register::Call::Write(value) => (value, true),
            register::Call::Read(Some(value)) => (value, false),
            register::Call::Read(None) => {
                anytime.push(n as u32);
                continue;
            }
            register::Call::Swapped(..) | register::Call::Differed(_) | register::Call::MaySwap(..) => return None,
        };
        let place = *places.entry(value).or_insert_with(|| {
            clusters.push(blank());
            clusters.len() - 1
        });
        let cluster = &mut clusters[place];
        if !writes {
            cluster.reads.push(n as u32);
        } else if place == 0 || cluster.write.replace(n as u32).is_some() {
            return None;
        }
        cluster.first_end = cluster.first_end.min(returned);
        cluster.last_begin = cluster.last_begin.max(invoked);
    }
    // What may never have happened and was never read did not happen.
    let happened = |cluster: &Cluster| {
        !cluster.reads.is_empty() || cluster.write.is_some_and(|write| asked[write as usize].returned != NEVER)
    };
    let mut stretches: Vec<(u32, u32)> = clusters
        .iter()
        .filter(|cluster| happened(cluster) && cluster.first_end < cluster.last_begin)
        .map(|cluster| (cluster.first_end, cluster.last_begin))
        .collect();
    stretches.sort_unstable();
    // Where each stands: the beginning of what it needs for itself, or a moment that belongs to nobody.
    let mut order: Vec<(u32, u32, usize)> = Vec::with_capacity(clusters.len());
    for (n, cluster) in clusters.iter().enumerate().filter(|(n, cluster)| *n == 0 || happened(cluster)) {
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
    for (_, _, n) in order {
        path.extend(clusters[n].write);
        path.extend_from_slice(&clusters[n].reads);
    }
    // Answers that are not known fit anywhere, so they need no guess: whoever has many is searched.
    anytime.is_empty().then_some(path)
}

/// Values come out in the order in which they go in, so it is one order that both must keep to: every value in turn that
/// surely nothing else must precede, neither into the queue nor out of it.
pub(super) fn queue(asked: &[Asked<'_, queue::Call>]) -> Option<Vec<u32>> {
    let mut values: Map<&Value, usize> = Map::default();
    let mut pairs: Vec<(u32, Option<u32>)> = Vec::new();
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
        for n in into.next(&done).into_iter().chain(out.next(&done)) {
            once[n] += 1;
            if once[n] == 2 {
                ready.push(Reverse((took(n).1, put(n).1, n)));
            }
        }
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
    // Moment, place in the sequence, call.
    let mut moments: Vec<(u32, u32, u32)> = Vec::with_capacity(2 * ordered.len() + empty.len());
    let say = |moments: &mut Vec<(u32, u32, u32)>, moment, call| moments.push((moment, moments.len() as u32, call));
    let (mut put_at, mut took_at, mut found_nothing) = (0, 0, empty.iter().copied().peekable());
    for (k, &deadline) in latest.iter().enumerate() {
        // The first `k` values are gone from `took_at` on.
        while let Some(&n) = found_nothing.peek() {
            let moment = interval(n).0.max(took_at);
            if moment >= deadline {
                break;
            }
            say(&mut moments, moment, n);
            put_at = put_at.max(moment);
            found_nothing.next();
        }
        let Some(&(put, took)) = ordered.get(k) else { break };
        put_at = put_at.max(interval(put).0);
        say(&mut moments, put_at, put);
        took_at = match took {
            Some(took) => took_at.max(put_at).max(interval(took).0),
            None => NEVER,
        };
        if let Some(took) = took {
            say(&mut moments, took_at, took);
        }
    }
    moments.sort_unstable();
    found_nothing.peek().is_none().then(|| moments.into_iter().map(|(_, _, call)| call).collect())
}

/// Which of many intervals nothing surely precedes, of those that are not done.
struct Ready {
    /// By beginning, the last first.
    waiting: Vec<(u32, usize)>,
    /// By end.
    ends: BinaryHeap<Reverse<(u32, usize)>>,
}

impl Ready {
    fn new(count: usize, of: &dyn Fn(usize) -> (u32, u32)) -> Self {
        let mut waiting: Vec<(u32, usize)> = (0..count).map(|n| (of(n).0, n)).collect();
        waiting.sort_unstable_by_key(|&one| Reverse(one));
        Self { waiting, ends: (0..count).map(|n| Reverse((of(n).1, n))).collect() }
    }

    /// Those that have become ready.
    fn next(&mut self, done: &[bool]) -> Vec<usize> {
        while self.ends.peek().is_some_and(|Reverse((_, n))| done[*n]) {
            self.ends.pop();
        }
        let first_end = self.ends.peek().map_or(NEVER, |Reverse((end, _))| *end);
        let mut ready = Vec::new();
        while let Some(&(begin, n)) = self.waiting.last()
            && begin <= first_end
        {
            ready.push(n);
            self.waiting.pop();
        }
        ready
    }
}
