//! Registers whose values differ: an order, or the few calls that have none.
//!
//! Gibbons and Korach (*Testing shared memories*, 1997): the calls on one value stand together. If one of them ends before
//! another begins, nothing else fits between these two moments; else they stand at any one moment that they share, outside
//! of the stretches that others need for themselves. So two values are enough to show that there is no order, and leaving
//! out all calls on the others changes no answer.

use alloc::vec;
use alloc::vec::Vec;

use super::{Guess, NONE};
use crate::history::{NEVER, Value};
use crate::models::Asked;
use crate::models::register::Call;
use kernel::hashing::{Fixed, Map};

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
    /// Of what the register holds at first: somebody wrote it before anything began.
    const INITIAL: Self = Self { first_end: 0, ..Self::NEW };

    /// What may never have happened and was never read did not happen.
    fn happened(&self, asked: &[Asked<'_, Call>]) -> bool {
        self.reads.0 != NONE || (self.write != NONE && asked[self.write as usize].returned != NEVER)
    }

    /// Whether it needs a stretch of time for itself.
    fn stretches(&self) -> bool {
        self.first_end < self.last_begin
    }

    fn reads<'a>(&self, next_read: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
        let some = |n: u32| (n != NONE).then_some(n);
        core::iter::successors(some(self.reads.0), move |&n| some(next_read[n as usize]))
    }

    /// The calls that make it what it is: the writer, the first that ended, the last that began.
    fn bounds(&self, asked: &[Asked<'_, Call>], next_read: &[u32], into: &mut Vec<u32>) {
        into.extend((self.write != NONE).then_some(self.write));
        let is_bound = |&n: &u32| {
            let Asked { invoked, returned, .. } = asked[n as usize];
            returned == self.first_end || invoked == self.last_begin
        };
        into.extend(self.reads(next_read).filter(is_bound));
    }
}

/// An order, if every value is written once and no call depends on what is there.
pub(in crate::models) fn register(initial: &Value, asked: &[Asked<'_, Call>]) -> Guess {
    let mut clusters = vec![Cluster::INITIAL];
    let mut places: Map<&Value, u32> = Map::with_capacity_and_hasher(asked.len() / 2, Fixed);
    places.insert(initial, 0);
    let mut next_read = vec![NONE; asked.len()];
    for (n, &Asked { call, invoked, returned }) in (0..).zip(asked) {
        let (value, writes) = match call {
            Call::Write(value) => (value, true),
            Call::Read(Some(value)) => (value, false),
            // Answers that are not known fit anywhere, so they need no guess: whoever has some is searched.
            Call::Read(None) | Call::Swapped(..) | Call::Differed(_) | Call::MaySwap(..) => return Guess::Nothing,
        };
        let place = *places.entry(value).or_insert_with(|| {
            clusters.push(Cluster::NEW);
            clusters.len() as u32 - 1
        });
        let cluster = &mut clusters[place as usize];
        if writes {
            if place == 0 || core::mem::replace(&mut cluster.write, n) != NONE {
                return Guess::Nothing;
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
    if let Some(few) = unwritten(&clusters[1..], asked, &next_read) {
        return Guess::Conflict(few);
    }
    let mut stretches: Vec<(u32, u32, u32)> = (0..)
        .zip(&clusters)
        .filter(|(_, cluster)| cluster.stretches() && cluster.happened(asked))
        .map(|(n, cluster)| (cluster.first_end, cluster.last_begin, n))
        .collect();
    stretches.sort_unstable();
    let conflict = |one: u32, other: u32| {
        let mut few = Vec::new();
        clusters[one as usize].bounds(asked, &next_read, &mut few);
        clusters[other as usize].bounds(asked, &next_read, &mut few);
        Guess::Conflict(few)
    };
    if let Some(pair) = stretches.windows(2).find(|pair| pair[1].0 < pair[0].1) {
        return conflict(pair[0].2, pair[1].2);
    }
    // Where each stands: the beginning of what it needs for itself, or a moment that belongs to nobody.
    let mut order: Vec<(u32, u32, u32)> = Vec::with_capacity(clusters.len());
    for (n, cluster) in (0..).zip(&clusters).filter(|(n, cluster)| *n == 0 || cluster.happened(asked)) {
        let moment = if n == 0 {
            0
        } else if cluster.stretches() {
            cluster.first_end
        } else {
            let before = stretches.partition_point(|&(from, ..)| from <= cluster.last_begin);
            match before.checked_sub(1).map(|last| stretches[last]) {
                Some((_, until, other)) if until > cluster.first_end => return conflict(n, other),
                Some((_, until, _)) => cluster.last_begin.max(until),
                None => cluster.last_begin,
            }
        };
        order.push((moment, cluster.last_begin, n));
    }
    order[1..].sort_unstable();
    let mut path: Vec<u32> = Vec::with_capacity(asked.len());
    for (.., n) in order {
        let cluster = &clusters[n as usize];
        path.extend((cluster.write != NONE).then_some(cluster.write));
        path.extend(cluster.reads(&next_read));
    }
    Guess::Order(path)
}

/// A read of what nobody had begun to write when it ended.
fn unwritten(clusters: &[Cluster], asked: &[Asked<'_, Call>], next_read: &[u32]) -> Option<Vec<u32>> {
    clusters.iter().find_map(|cluster| {
        let write = asked.get(cluster.write as usize);
        let begun = write.map_or(NEVER, |write| write.invoked);
        let read = cluster.reads(next_read).find(|&n| asked[n as usize].returned < begun)?;
        Some(write.map(|_| cluster.write).into_iter().chain([read]).collect())
    })
}
