//! Bounded staleness: a read is at most so many versions, or so much time, behind.
//!
//! The versions of a register are the writes of it. A history keeps the bound if its writes can be put in one order, those
//! that had taken effect before another began first, in which every read is within it: of the writes that were over before it
//! began, at most so many, or only some that were over for at most so long, come after the one it found. With a time, and
//! with no version at all, that is exactly Golab, Li and Shah's Δ-atomicity without its order of reads (*Analyzing
//! consistency properties for fun and profit*, 2011), and is decided: each read says who stands before what it found, and the
//! order exists if that does not go round. With several versions one order is tried; if a read is too old in it and not in
//! every order, that is left open.

mod order;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use kernel::Span;

use super::versions::{Source, Versions};
use super::{Edge, Listed, Said, edges, open, wrong};
use crate::history::{NilRead, Operation, Outcome, Refusal, Value};

/// What the largest number of all registers is called among the counts.
pub(super) const WORST: &str = "behind";

/// How far a read may be behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// By so many completed writes.
    Versions(u64),
    /// By so many nanoseconds: since when something newer was there.
    Nanoseconds(u64),
}

impl Bound {
    const fn allowed(self) -> u64 {
        match self {
            Self::Versions(allowed) | Self::Nanoseconds(allowed) => allowed,
        }
    }

    /// An amount in words.
    fn words(self, amount: u64) -> String {
        match self {
            Self::Versions(_) => format!("{amount} versions"),
            Self::Nanoseconds(_) => Span(amount).to_string(),
        }
    }

    /// When a write was over, as far as anybody knows.
    fn over(self, write: &Operation) -> i64 {
        let known = match self {
            _ if write.answer().is_none() => None,
            Self::Versions(_) => Some(i64::from(write.returned)),
            Self::Nanoseconds(_) => write.times.1,
        };
        known.unwrap_or(i64::MAX)
    }

    /// Writes that were over earlier than this are too old to come after what a read found.
    fn horizon(self, read: &Operation) -> Result<i64, Refusal> {
        Ok(match self {
            Self::Versions(_) => i64::from(read.invoked),
            Self::Nanoseconds(allowed) => {
                let Some(began) = read.times.0 else { return Err(read.refuse("`time` is missing")) };
                began.saturating_sub_unsigned(allowed)
            }
        })
    }
}

/// A write that happened.
struct Write<'a> {
    index: u32,
    operation: &'a Operation,
    /// When it was over.
    over: i64,
    /// Position by which it had taken effect: its end, or that of a read that found it.
    effect: u32,
    /// All that were over earlier come before it: the read that says so, its place among the reads.
    horizon: Option<(i64, usize)>,
    /// Position at which it was last found.
    last: u32,
}

/// A read, and the place of the write that it found; the newest of those it may have found. `None`: what was there at first.
struct Read<'a> {
    index: u32,
    operation: &'a Operation,
    found: Option<usize>,
    /// There are others that it may have found.
    one_of: bool,
}

/// Judges one register, written with values that differ.
pub fn bounded(operations: &Listed<'_>, initial: &Value, nil_read: NilRead, bound: Bound) -> Said {
    if let Bound::Nanoseconds(_) = bound {
        times_grow(operations)?;
    }
    let versions = Versions::of(operations, initial, nil_read)?;
    let sources: Vec<Vec<Source<'_>>> = versions.reads.iter().map(|(_, read)| versions.found(read)).collect();
    if let Some(phantom) = sources.iter().position(Vec::is_empty) {
        let (index, read) = versions.reads[phantom];
        return wrong("phantom", format!("{read}: nobody had written that"), vec![index]);
    }
    let (mut writes, reads) = pair(&versions, &sources, bound);
    let (allowed, mut worst) = (bound.allowed(), 0);
    for (place, read) in reads.iter().enumerate() {
        let horizon = bound.horizon(read.operation)?;
        let behind = behind(&writes, read, bound);
        if behind > allowed {
            let (told, behind, allowed) = (read.operation, bound.words(behind), bound.words(allowed));
            let sentence = format!("{told} is at least {behind} behind, more than {allowed}");
            return wrong("stale", sentence, vec![read.index]);
        }
        worst = worst.max(behind);
        if !read.one_of {
            read.rests(&mut writes, (horizon, place));
        }
    }
    let exact = !matches!(bound, Bound::Versions(1..));
    if exact && let Err(circle) = order::by(&writes, true) {
        return together(&writes, &reads, &circle, &bound.words(allowed));
    }
    // Of several deletions it may have found, the newest is tried: it leaves most others before it.
    let chosen = reads.iter().enumerate().filter(|(_, read)| read.one_of);
    for (place, read) in chosen.clone() {
        read.rests(&mut writes, (bound.horizon(read.operation)?, place));
        if let Some(found) = read.found {
            writes[found].found_by(read.operation);
        }
    }
    let some_order = || open("in the one order of the writes that was tried, not every read is within the bound");
    match order::by(&writes, exact) {
        Ok(order) if exact || order::too_old(&writes, &order, &reads, allowed).is_none() => {
            Ok(Ok(vec![("reads", reads.len() as u64), (WORST, worst)]))
        }
        Ok(_) | Err(_) => some_order(),
    }
}

/// Times are there where they are needed, and none is earlier than one before it.
fn times_grow(operations: &Listed<'_>) -> Result<(), Refusal> {
    let mut latest = i64::MIN;
    for (_, edge, place) in edges(operations) {
        let operation = operations[place].1;
        let (time, line) = match edge {
            Edge::Begin => (operation.times.0, operation.lines.0),
            Edge::End => (operation.times.1, operation.lines.1),
        };
        let refuse = |what: &str| Err(Refusal { line, what: what.into() });
        match time {
            Some(time) if time < latest => return refuse("`time` goes back, and the bound is a time"),
            Some(time) => latest = time,
            None if operation.outcome == Outcome::Ok => return refuse("`time` is missing, and the bound is a time"),
            None => {}
        }
    }
    Ok(())
}

/// Each of these reads can be within the bound, and all of them together cannot.
fn together(writes: &[Write<'_>], reads: &[Read<'_>], circle: &[usize], bound: &str) -> Said {
    let demanding = || circle.iter().filter_map(|&write| writes[write].horizon.map(|(_, read)| &reads[read]));
    let told: Vec<_> = demanding().map(|read| read.operation.to_string()).collect();
    let mut shown: Vec<u32> = circle.iter().map(|&write| writes[write].index).collect();
    shown.extend(demanding().map(|read| read.index));
    // Who shows that a write had taken effect before its end.
    let early = reads.iter().filter(|read| !read.one_of).filter(|read| {
        let found = read.found.filter(|found| circle.contains(found));
        found.is_some_and(|found| writes[found].effect == read.operation.returned)
    });
    shown.extend(early.map(|read| read.index));
    shown.sort_unstable();
    shown.dedup();
    let sentence = format!("{} cannot all be within {bound}, in whatever order the writes came", told.join(", "));
    wrong("stale", sentence, shown)
}

impl Write<'_> {
    /// It had taken effect when this read was over.
    fn found_by(&mut self, read: &Operation) {
        (self.effect, self.last) = (self.effect.min(read.returned), self.last.max(read.returned));
    }
}

impl Read<'_> {
    /// What was over before the horizon of this read comes before what it found.
    fn rests(&self, writes: &mut [Write<'_>], horizon: (i64, usize)) {
        if let Some(found) = self.found {
            writes[found].horizon = writes[found].horizon.max(Some(horizon));
        }
    }
}

/// The writes that may have happened, in the order of their beginnings, and what reads found of them.
fn pair<'a>(versions: &Versions<'a>, sources: &[Vec<Source<'a>>], bound: Bound) -> (Vec<Write<'a>>, Vec<Read<'a>>) {
    let happened: BTreeMap<u32, &Operation> =
        versions.sure().chain(sources.iter().flatten().flatten().copied()).collect();
    let write = |(&index, &operation): (&u32, &&'a Operation)| {
        let (over, effect) = (bound.over(operation), operation.returned);
        Write { index, operation, over, effect, horizon: None, last: operation.invoked }
    };
    let mut writes: Vec<Write<'a>> = happened.iter().map(write).collect();
    for ((_, read), sources) in versions.reads.iter().zip(sources) {
        if let [Some((index, _))] = sources[..]
            && let Ok(found) = writes.binary_search_by_key(&index, |write| write.index)
        {
            writes[found].found_by(read);
        }
    }
    let newest = |(&(index, operation), sources): (&(u32, &'a Operation), &Vec<Source<'a>>)| {
        let places = sources.iter().flatten().filter_map(|(index, _)| {
            let place = writes.binary_search_by_key(index, |write| write.index).ok()?;
            Some((writes[place].effect, place))
        });
        Read { index, operation, found: places.max().map(|(_, place)| place), one_of: sources.len() > 1 }
    };
    let reads = versions.reads.iter().zip(sources).map(newest).collect();
    (writes, reads)
}

/// How far a read is behind at least: by what was over before it began, and began after what it found had taken effect.
fn behind(writes: &[Write<'_>], read: &Read<'_>, bound: Bound) -> u64 {
    let effect = read.found.map(|found| writes[found].effect);
    let from = effect.map_or(0, |effect| writes.partition_point(|write| write.operation.invoked < effect));
    let (invoked, began) = (read.operation.invoked, read.operation.times.0);
    let newer = writes[from..].iter().take_while(|write| write.operation.invoked < invoked).map(|write| write.over);
    match bound {
        Bound::Versions(_) => newer.filter(|over| *over < i64::from(invoked)).count() as u64,
        Bound::Nanoseconds(_) => {
            let since = newer.min().zip(began).map(|(first, began)| began.saturating_sub(first).max(0) as u64);
            since.unwrap_or(0)
        }
    }
}
