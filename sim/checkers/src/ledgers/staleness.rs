//! Bounded staleness: a read is at most so many versions, or so much time, behind.
//!
//! The versions of a register are the writes of it. A read is behind by those that were over before it began and came after
//! what it found. Writes that overlap came in whatever order is best for it: each read is judged by itself, as weak
//! regularity with several writers does (Shao, Welch, Pierce and Lee, *Multiwriter consistency conditions for shared memory
//! registers*, 2011). How far behind it would be in the worst order is counted.

use alloc::format;
use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use kernel::Span;

use super::versions::{Source, Versions};
use super::{Listed, Said, wrong};
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
    let (mut reads, mut worst, mut perhaps) = (0, 0, 0);
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
        let (behind, bound) = (length(least), length(allowed));
        if least > allowed {
            return wrong("stale", format!("{read} is {behind} behind, more than {bound}"), vec![index]);
        }
        (perhaps, reads) = (perhaps.max(most), reads + 1);
        worst = worst.max(least);
    }
    Ok(Ok(vec![("reads", reads), ("behind", worst), ("behind perhaps", perhaps)]))
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
