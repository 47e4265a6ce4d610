//! Bounded staleness: a read is at most so many versions, or so much time, behind.
//!
//! The versions of a register are the writes of it. Those that overlap have no known order, so a read is behind by at least
//! the writes that surely came after what it found and were over before it began, and by at most those that may have come
//! after it. Between the two nothing is decided.

use alloc::format;
use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use kernel::Span;

use super::versions::{Source, Versions};
use super::{Against, Listed, Said, wrong};
use crate::history::{Operation, Refusal, Value};

/// How far a read may be behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// So many versions.
    Versions(u64),
    /// So many nanoseconds since a newer version was there.
    Nanoseconds(u64),
}

/// Judges one register, written with values that differ.
pub fn bounded(operations: &Listed<'_>, initial: &Value, bound: Bound) -> Said {
    let versions = Versions::of(operations, initial)?;
    let (mut reads, mut worst, mut open) = (0, 0, None);
    for &(index, read) in &versions.reads {
        let behind = versions.found(read).into_iter().map(|found| behind(&versions, read, found, bound));
        let behind = behind.collect::<Result<Vec<_>, _>>()?;
        // Who found nothing may have found any of several deletions: the newest of them will do.
        let Some(least) = behind.iter().map(|(least, _)| *least).min() else {
            return wrong("phantom", format!("{read}: nobody had written that"), vec![index]);
        };
        let most = behind.iter().map(|(_, most)| *most).min().unwrap_or(least);
        let (Bound::Versions(allowed) | Bound::Nanoseconds(allowed)) = bound;
        let length = |amount: u64| match bound {
            Bound::Versions(_) => format!("{amount} versions"),
            Bound::Nanoseconds(_) => Span(amount).to_string(),
        };
        let (shortest, longest, bound) = (length(least), length(most), length(allowed));
        if least > allowed {
            return wrong("stale", format!("{read} is at least {shortest} behind, more than {bound}"), vec![index]);
        }
        if most > allowed {
            let between =
                format!("{read} is {shortest} to {longest} behind, as overlapping writes came; {bound} are allowed");
            open.get_or_insert(between);
        }
        (reads, worst) = (reads + 1, worst.max(most));
    }
    Ok(match open {
        Some(why) => Err(Against::Open(why)),
        None => Ok(vec![("reads", reads), ("behind at most", worst)]),
    })
}

/// How far a read that found this is behind: at least, and at most.
fn behind(versions: &Versions<'_>, read: &Operation, found: Source<'_>, bound: Bound) -> Result<(u64, u64), Refusal> {
    let over = || versions.sure().filter(|(_, write)| write.returned < read.invoked);
    let surely = over().filter(|(_, write)| found.is_none_or(|(_, found)| found.returned < write.invoked));
    let maybe = over()
        .filter(|(index, write)| found.is_none_or(|(other, found)| write.returned > found.invoked && *index != other));
    Ok(match bound {
        Bound::Versions(_) => (surely.count() as u64, maybe.count() as u64),
        Bound::Nanoseconds(_) => {
            let Some(began) = read.times.0 else { return Err(read.refuse("`time` is missing")) };
            let age =
                |(_, write): (u32, &Operation)| write.times.1.map(|ended| began.saturating_sub(ended).max(0) as u64);
            (surely.filter_map(age).max().unwrap_or(0), maybe.filter_map(age).max().unwrap_or(0))
        }
    })
}
