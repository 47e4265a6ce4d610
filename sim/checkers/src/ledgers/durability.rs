//! Durable acknowledgements: what was acknowledged is there at the end, unless something newer is.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::versions::{Source, Versions, expected};
use super::{Listed, Said, open, wrong};
use crate::history::{NilRead, Operation, Refusal, Value};

/// What became of the acknowledged changes of one register.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Audit {
    /// How many there were.
    pub acknowledged: u64,
    /// Reads after the last of them.
    pub last_reads: u64,
    /// Those that are lost, each with a read that found something older.
    pub lost: Vec<(u32, u32)>,
    /// Reads that found what nobody wrote.
    pub phantoms: Vec<u32>,
}

/// Goes through the operations on one register (`write v`, `put v`, `cas [from to]`, `delete`), whose written values differ:
/// the answered reads that began after the last acknowledged change was over must find the newest, or one of the newest.
pub fn audit(operations: &Listed<'_>, initial: &Value, nil_read: NilRead) -> Result<Audit, Refusal> {
    let versions = Versions::of(operations, initial, nil_read)?;
    let over = versions.sure().map(|(_, write)| write.returned).max();
    let mut audit = Audit { acknowledged: versions.sure().count() as u64, ..Audit::default() };
    let late = versions.reads.iter().filter(|(_, read)| over.is_none_or(|over| over < read.invoked));
    for &(index, read) in late {
        audit.last_reads += 1;
        let found = versions.found(read);
        if found.is_empty() {
            audit.phantoms.push(index);
            continue;
        }
        for (write, operation) in versions.sure() {
            let lost = found.iter().all(|source| newer((write, operation), *source));
            if lost && audit.lost.iter().all(|(known, _)| *known != write) {
                audit.lost.push((write, index));
            }
        }
    }
    Ok(audit)
}

/// An acknowledged change surely came after what was found: that was over, or it took its place.
fn newer((write, operation): (u32, &Operation), found: Source<'_>) -> bool {
    let Some((index, found)) = found else { return true };
    let took_its_place = || {
        let left = if &*found.f == "cas" { expected(found).ok()?.1 } else { found.asked() };
        let wanted = expected(operation).ok()?.0;
        (&*operation.f == "cas" && wanted == left && !left.is_nil()).then_some(())
    };
    index != write && (found.returned < operation.invoked || took_its_place().is_some())
}

/// Judges one register: nothing is lost.
pub fn acknowledged(operations: &Listed<'_>, initial: &Value, nil_read: NilRead) -> Said {
    let audit = audit(operations, initial, nil_read)?;
    let told = |wanted: u32| operations.iter().find(|(index, _)| *index == wanted).map(|(_, operation)| *operation);
    if audit.last_reads == 0 {
        return open("nothing was read after the last acknowledged write");
    }
    if let Some(&index) = audit.phantoms.first()
        && let Some(read) = told(index)
    {
        return wrong("phantom", format!("{read}: nobody wrote that"), vec![index]);
    }
    if let Some(&(lost, index)) = audit.lost.first()
        && let (Some(write), Some(read)) = (told(lost), told(index))
    {
        let why = format!("{write} was acknowledged and is lost: {read} found something older");
        return wrong("lost", why, vec![lost, index]);
    }
    Ok(Ok(vec![("acknowledged", audit.acknowledged), ("last reads", audit.last_reads)]))
}
