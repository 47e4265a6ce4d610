//! Durable acknowledgements: what was acknowledged is there at the end, unless something newer is.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;

use super::{Listed, Said, open, wrong};
use crate::history::{Operation, Outcome, Value};

/// Judges one register, written (`write v` or `put v`) with values that differ: the answered reads that began after the
/// last write was over must find the newest, or one of the newest.
pub fn acknowledged(operations: &Listed<'_>, initial: &Value) -> Said {
    let mut writes: BTreeMap<&Value, (u32, &Operation)> = BTreeMap::new();
    let mut reads = vec![];
    for &(index, operation) in operations {
        match &*operation.f {
            "write" | "put" => {
                if writes.insert(operation.asked(), (index, operation)).is_some() || operation.asked() == initial {
                    return Err(operation.refuse(format!("{} is written twice; values must differ", operation.asked())));
                }
            }
            "read" | "get" if operation.outcome == Outcome::Ok => reads.push((index, operation)),
            "read" | "get" => {}
            other => return Err(operation.refuse(format!("there is no `{other}`; there are write, read"))),
        }
    }
    // An acknowledged write that surely came after what was read is lost.
    let sure = |(_, operation): &&(u32, &Operation)| operation.outcome == Outcome::Ok;
    let over = writes.values().filter(sure).map(|(_, operation)| operation.returned).max();
    reads.retain(|(_, operation)| over.is_none_or(|over| over < operation.invoked));
    if reads.is_empty() {
        return open("nothing was read after the last acknowledged write");
    }
    for &(index, read) in &reads {
        let found = match writes.get(&read.result) {
            None if read.result == *initial => None,
            Some((_, write)) if write.outcome != Outcome::Fail && write.invoked < read.returned => Some(*write),
            Some(_) | None => return wrong("phantom", format!("{read}: nobody wrote that"), vec![index]),
        };
        let newer = |(_, write): &&(u32, &Operation)| found.is_none_or(|found| found.returned < write.invoked);
        if let Some((lost, write)) = writes.values().filter(sure).find(newer) {
            let why = format!("{write} was acknowledged and is lost: {read} found something older");
            return wrong("lost", why, vec![*lost, index]);
        }
    }
    Ok(Ok(vec![("acknowledged", writes.values().filter(sure).count() as u64), ("last reads", reads.len() as u64)]))
}
