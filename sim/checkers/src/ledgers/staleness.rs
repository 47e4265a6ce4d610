//! Bounded staleness: a read is at most so many versions, or so much time, behind.
//!
//! The versions of a register are the writes of it. Those that overlap have no known order, so a read is behind by at least
//! the writes that surely came after what it found and were over before it began, and by at most those that may have come
//! after it. Between the two nothing is decided.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;

use super::{Against, Listed, Said, wrong};
use crate::history::{Operation, Outcome, Value};

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
    let mut writes: BTreeMap<&Value, (u32, &Operation)> = BTreeMap::new();
    for &(index, operation) in operations {
        match &*operation.f {
            "write" | "put" => {
                if writes.insert(operation.asked(), (index, operation)).is_some() || operation.asked() == initial {
                    return Err(operation.refuse(format!("{} is written twice; values must differ", operation.asked())));
                }
            }
            "read" | "get" => {}
            other => return Err(operation.refuse(format!("there is no `{other}`; there are write, read"))),
        }
    }
    let (mut reads, mut worst, mut open) = (0, 0, None);
    for &(index, read) in operations {
        if !matches!(&*read.f, "read" | "get") || read.outcome != Outcome::Ok {
            continue;
        }
        let found = match writes.get(&read.result) {
            None if read.result == *initial => None,
            Some((_, write)) if write.outcome != Outcome::Fail && write.invoked < read.returned => Some(*write),
            Some(_) | None => return wrong("phantom", format!("{read}: nobody had written that"), vec![index]),
        };
        let over = |write: &Operation| write.outcome == Outcome::Ok && write.returned < read.invoked;
        let others = || writes.values().filter(|(_, write)| over(write));
        let surely = others().filter(|(_, write)| found.is_none_or(|found| found.returned < write.invoked));
        let maybe =
            others().filter(|(_, write)| found.is_none_or(|found| write.returned > found.invoked && **write != *found));
        let (least, most) = match bound {
            Bound::Versions(_) => (surely.count() as u64, maybe.count() as u64),
            Bound::Nanoseconds(_) => {
                let Some(began) = read.times.0 else { return Err(read.refuse("`time` is missing")) };
                let age = |(_, write): &(u32, &Operation)| {
                    write.times.1.map(|ended| began.saturating_sub(ended).max(0) as u64)
                };
                (surely.filter_map(age).max().unwrap_or(0), maybe.filter_map(age).max().unwrap_or(0))
            }
        };
        let (Bound::Versions(allowed) | Bound::Nanoseconds(allowed)) = bound;
        let unit = if matches!(bound, Bound::Versions(_)) { "versions" } else { "ns" };
        if least > allowed {
            return wrong(
                "stale",
                format!("{read} is at least {least} {unit} behind; {allowed} are allowed"),
                vec![index],
            );
        }
        if most > allowed {
            let between =
                format!("{read} is {least} to {most} {unit} behind, as overlapping writes came; {allowed} are allowed");
            open.get_or_insert(between);
        }
        (reads, worst) = (reads + 1, worst.max(most));
    }
    Ok(match open {
        Some(why) => Err(Against::Open(why)),
        None => Ok(vec![("reads", reads), ("behind at most", worst)]),
    })
}
