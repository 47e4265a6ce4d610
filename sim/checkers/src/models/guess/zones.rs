//! Registers whose values differ: an order, or the few calls that have none.
//!
//! Gibbons and Korach (*Testing shared memories*, 1997): the calls on one value stand together. If one of them ends before
//! another begins, nothing else fits between these two moments; else they stand at any one moment that they share, outside
//! of the stretches that others need for themselves. So two values are enough to show that there is no order, and leaving
//! out all calls on the others changes no answer.
//!
//! A cas joins two values: what it set stands at once behind what it found. So values that were set by cas stand in chains,
//! and a chain is to others what a value is. Within it the order of its values is known.

mod differing;

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
    /// The value that its writer found, and the one that was set in its place, if that is known.
    found: u32,
    next: u32,
    /// What may never have happened, and what nobody read or found, did not happen.
    happened: bool,
}

impl Cluster {
    const NEW: Self = Self {
        write: NONE,
        reads: (NONE, NONE),
        first_end: NEVER,
        last_begin: 0,
        found: NONE,
        next: NONE,
        happened: false,
    };
    /// Of what the register holds at first: somebody wrote it before anything began.
    const INITIAL: Self = Self { first_end: 0, happened: true, ..Self::NEW };

    fn add(&mut self, invoked: u32, returned: u32) {
        self.first_end = self.first_end.min(returned);
        self.last_begin = self.last_begin.max(invoked);
    }
}

/// Values each of which was set by a cas that found the one before it.
#[derive(Clone, Copy)]
struct Chain {
    first: u32,
    /// The earliest end and the latest beginning of all its calls.
    first_end: u32,
    last_begin: u32,
}

impl Chain {
    /// A value alone.
    const fn of(first: u32, cluster: &Cluster) -> Self {
        Self { first, first_end: cluster.first_end, last_begin: cluster.last_begin }
    }

    /// Whether it needs a stretch of time for itself.
    const fn stretches(&self) -> bool {
        self.first_end < self.last_begin
    }
}

/// The moment at which a chain stands, its latest beginning, its number.
type Place = (u32, u32, u32);
/// From when to when a chain needs the register for itself, and its number.
type Stretch = (u32, u32, u32);

/// The first moment from this one on that belongs to nobody, and to whom this one belongs.
fn free_from(stretches: &[Stretch], moment: u32) -> (u32, Option<u32>) {
    let before = stretches.partition_point(|&(from, ..)| from <= moment);
    match before.checked_sub(1).map(|last| stretches[last]) {
        Some((_, until, whose)) if until > moment => (until, Some(whose)),
        Some(_) | None => (moment, None),
    }
}

/// All values and what was asked about them.
struct Values<'a> {
    asked: &'a [Asked<'a, Call>],
    /// What the register holds at first is number 0.
    clusters: Vec<Cluster>,
    next_read: Vec<u32>,
    /// Calls that found something else than this value; [`NONE`] if it was never there.
    differing: Vec<(u32, u32)>,
}

/// An order, if every value is written once.
pub(in crate::models) fn register(initial: &Value, asked: &[Asked<'_, Call>]) -> Guess {
    let Some(mut values) = Values::read(initial, asked) else { return Guess::Nothing };
    values.order().map_or_else(|guess| guess, Guess::Order)
}

impl<'a> Values<'a> {
    /// Reads what was asked. `None` if a value was written twice, or if an answer is not known: that fits anywhere, so it
    /// needs no guess.
    fn read(initial: &'a Value, asked: &'a [Asked<'a, Call>]) -> Option<Self> {
        let mut clusters = vec![Cluster::INITIAL];
        let mut places: Map<&Value, u32> = Map::with_capacity_and_hasher(asked.len() / 2, Fixed);
        places.insert(initial, 0);
        let mut next_read = vec![NONE; asked.len()];
        let mut differing: Vec<(u32, &Value)> = Vec::new();
        let mut place = |clusters: &mut Vec<Cluster>, value| {
            *places.entry(value).or_insert_with(|| {
                clusters.push(Cluster::NEW);
                clusters.len() as u32 - 1
            })
        };
        for (n, &Asked { call, invoked, returned }) in (0..).zip(asked) {
            let (value, found) = match call {
                Call::Read(Some(value)) => (value, None),
                Call::Swapped(from, to) if from == to => (to, None),
                Call::MaySwap(from, to) if from == to => continue,
                Call::Write(value) => (value, Some(NONE)),
                Call::Swapped(from, to) | Call::MaySwap(from, to) => (to, Some(place(&mut clusters, from))),
                Call::Differed(value) => {
                    differing.push((n, value));
                    continue;
                }
                Call::Read(None) => return None,
            };
            let place = place(&mut clusters, value);
            let cluster = &mut clusters[place as usize];
            if let Some(found) = found {
                if place == 0 || core::mem::replace(&mut cluster.write, n) != NONE {
                    return None;
                }
                cluster.found = found;
            } else {
                match cluster.reads.1 {
                    NONE => cluster.reads.0 = n,
                    last => next_read[last as usize] = n,
                }
                cluster.reads.1 = n;
            }
            cluster.add(invoked, returned);
        }
        let place = |(n, value)| (n, places.get(value).copied().unwrap_or(NONE));
        let differing = differing.into_iter().map(place).collect();
        Some(Self { asked, clusters, next_read, differing })
    }

    fn cluster(&self, place: u32) -> &Cluster {
        &self.clusters[place as usize]
    }

    fn reads(&self, place: u32) -> impl Iterator<Item = u32> {
        let some = |n: u32| (n != NONE).then_some(n);
        core::iter::successors(some(self.cluster(place).reads.0), move |&n| some(self.next_read[n as usize]))
    }

    /// A value and those that stand behind it, one after the other.
    fn chain(&self, first: u32) -> impl Iterator<Item = u32> {
        let some = |n: u32| (n != NONE).then_some(n);
        core::iter::successors(Some(first), move |&place| some(self.cluster(place).next))
    }

    /// The order, or what is said instead.
    fn order(&mut self) -> Result<Vec<u32>, Guess> {
        self.unwritten()?;
        self.link()?;
        let chains = self.chains()?;
        let mut stretches: Vec<Stretch> = (0..)
            .zip(&chains)
            .filter(|(_, chain)| chain.stretches())
            .map(|(n, chain)| (chain.first_end, chain.last_begin, n))
            .collect();
        stretches.sort_unstable();
        let conflict = |one: u32, other: u32| {
            let few = [one, other].into_iter().flat_map(|n| self.bounds(&chains[n as usize]));
            Guess::Conflict(few.collect())
        };
        if let Some(pair) = stretches.windows(2).find(|pair| pair[1].0 < pair[0].1) {
            return Err(conflict(pair[0].2, pair[1].2));
        }
        // Where each stands: the beginning of what it needs for itself, or a moment that belongs to nobody.
        let mut order: Vec<Place> = Vec::with_capacity(chains.len());
        for (n, chain) in (0..).zip(&chains) {
            let moment = if n == 0 {
                0
            } else if chain.stretches() {
                chain.first_end
            } else {
                let (moment, whose) = free_from(&stretches, chain.last_begin);
                match whose {
                    Some(other) if moment > chain.first_end => return Err(conflict(n, other)),
                    Some(_) | None => moment,
                }
            };
            order.push((moment, chain.last_begin, n));
        }
        order[1..].sort_unstable();
        if self.differing.is_empty() {
            return Ok(self.path(&chains, &order).0);
        }
        differing::woven(self, chains, &stretches, order)
    }

    /// The calls in the order of their chains; each value and the place of its first call.
    fn path(&self, chains: &[Chain], order: &[Place]) -> (Vec<u32>, Vec<(u32, u32)>) {
        let mut path: Vec<u32> = Vec::with_capacity(self.asked.len());
        let mut held = Vec::new();
        for place in order.iter().flat_map(|&(.., n)| self.chain(chains[n as usize].first)) {
            if !self.differing.is_empty() {
                held.push((place, path.len() as u32));
            }
            let Cluster { write, .. } = *self.cluster(place);
            path.extend((write != NONE).then_some(write));
            path.extend(self.reads(place));
        }
        (path, held)
    }

    /// Refuses a read of what nobody had begun to write when it ended.
    fn unwritten(&self) -> Result<(), Guess> {
        for (cluster, place) in self.clusters.iter().zip(0..).skip(1) {
            let begun = self.asked.get(cluster.write as usize).map_or(NEVER, |write| write.invoked);
            if let Some(read) = self.reads(place).find(|&n| self.asked[n as usize].returned < begun) {
                let mut few = self.writers(place).unwrap_or_default();
                few.push(read);
                return Err(Guess::Conflict(few));
            }
        }
        Ok(())
    }

    /// Finds out what happened, and what was set in the place of what.
    fn link(&mut self) -> Result<(), Guess> {
        for place in 1..self.clusters.len() {
            let mut place = place as u32;
            let seen = self.seen(place);
            while seen && place != NONE && !core::mem::replace(&mut self.clusters[place as usize].happened, true) {
                place = self.cluster(place).found;
            }
        }
        for place in 1..self.clusters.len() as u32 {
            let Cluster { happened, found, write, .. } = *self.cluster(place);
            if !happened || found == NONE {
                continue;
            }
            match core::mem::replace(&mut self.clusters[found as usize].next, place) {
                NONE => {}
                other => {
                    // Both found the same value, and each set another.
                    let mut few = self.writers(found).ok_or(Guess::Nothing)?;
                    few.extend([write, self.cluster(other).write]);
                    return Err(Guess::Conflict(few));
                }
            }
        }
        Ok(())
    }

    /// Whether a value was read, or its writer answered.
    fn seen(&self, place: u32) -> bool {
        let Cluster { write, reads, .. } = *self.cluster(place);
        reads.0 != NONE || self.asked.get(write as usize).is_some_and(|write| write.returned != NEVER)
    }

    /// Who wrote a value and those before it, from the first of its chain on; `None` if each is found by another.
    fn writers(&self, place: u32) -> Option<Vec<u32>> {
        let some = |n: u32| (n != NONE).then_some(n);
        let back = core::iter::successors(Some(place), |&place| some(self.cluster(place).found));
        let writers: Vec<u32> = back.take(self.clusters.len() + 1).map(|place| self.cluster(place).write).collect();
        (writers.len() <= self.clusters.len()).then(|| writers.into_iter().filter(|&n| n != NONE).collect())
    }

    /// All chains, that of the initial value first. Refuses those whose own calls contradict their order.
    fn chains(&self) -> Result<Vec<Chain>, Guess> {
        let (mut chains, mut placed) = (Vec::new(), 0);
        for (place, cluster) in
            (0..).zip(&self.clusters).filter(|(_, cluster)| cluster.happened && cluster.found == NONE)
        {
            if cluster.write == NONE && place != 0 {
                // Nobody wrote it, but a cas found it.
                let seen = self.chain(place).find(|&value| self.seen(value)).unwrap_or(place);
                let mut few = self.writers(seen).unwrap_or_default();
                few.extend(self.reads(seen).next());
                return Err(Guess::Conflict(few));
            }
            let mut chain = Chain { last_begin: 0, ..Chain::of(place, cluster) };
            let mut latest = place;
            for value in self.chain(place) {
                let Cluster { first_end, last_begin, .. } = *self.cluster(value);
                if first_end < chain.last_begin && value != place {
                    let mut few = self.writers(value).ok_or(Guess::Nothing)?;
                    few.extend(self.bound(value, first_end, NEVER));
                    few.extend(self.bound(latest, NEVER, chain.last_begin));
                    return Err(Guess::Conflict(few));
                }
                if last_begin > chain.last_begin {
                    (chain.last_begin, latest) = (last_begin, value);
                }
                chain.first_end = chain.first_end.min(first_end);
                placed += 1;
            }
            chains.push(chain);
        }
        // What is in no chain was found by its own successors.
        let all = self.clusters.iter().filter(|cluster| cluster.happened).count();
        if placed == all { Ok(chains) } else { Err(Guess::Nothing) }
    }

    /// The calls that make a chain what it is: the first that ended, the last that began, and who wrote these values.
    fn bounds(&self, chain: &Chain) -> Vec<u32> {
        let (mut few, mut last) = (Vec::new(), chain.first);
        for place in self.chain(chain.first) {
            let Cluster { first_end, last_begin, .. } = *self.cluster(place);
            if first_end == chain.first_end || last_begin == chain.last_begin {
                few.extend(self.bound(place, chain.first_end, chain.last_begin));
                last = place;
            }
        }
        few.extend(self.writers(last).unwrap_or_default());
        few
    }

    /// The calls on a value that ended or began then.
    fn bound(&self, place: u32, end: u32, begin: u32) -> impl Iterator<Item = u32> {
        let write = self.cluster(place).write;
        let calls = (write != NONE).then_some(write).into_iter().chain(self.reads(place));
        calls.filter(move |&n| {
            let Asked { invoked, returned, .. } = self.asked[n as usize];
            (returned == end && end != NEVER) || invoked == begin
        })
    }
}
