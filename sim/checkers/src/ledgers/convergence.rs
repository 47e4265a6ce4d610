//! Convergence: once nothing changes any more, all replicas hold the same.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;

use super::{Listed, Said, open, wrong};
use crate::history::{NilRead, Outcome, Value};

/// Judges one object: of the answered `read`s (or `digest`s) that began after everything else was over, the last of each
/// node. Everything else counts as a change.
pub fn at_the_end(operations: &Listed<'_>, nil_read: NilRead) -> Said {
    let reads = |f: &str| matches!(f, "read" | "get" | "digest");
    let over = operations
        .iter()
        .filter(|(_, operation)| !reads(&operation.f))
        .map(|(_, operation)| if operation.outcome == Outcome::Info { operation.invoked } else { operation.returned })
        .max();
    let mut last: BTreeMap<&Value, (u32, u32, &Value)> = BTreeMap::new();
    for &(index, operation) in operations {
        let late = over.is_none_or(|over| over < operation.invoked);
        let unknown = operation.result.is_nil() && nil_read == NilRead::Unknown;
        if !reads(&operation.f) || operation.outcome != Outcome::Ok || !late || unknown {
            continue;
        }
        let Some(node) = &operation.node else {
            return Err(operation.refuse("which replica was read? `node` is missing"));
        };
        let read = (operation.returned, index, &operation.result);
        last.entry(node).and_modify(|known| *known = (*known).max(read)).or_insert(read);
    }
    if last.len() < 2 {
        return open("fewer than two replicas were read after the last change was over");
    }
    let mut replicas = last.iter();
    if let Some((node, (_, index, value))) = replicas.next()
        && let Some((other, (_, against, differs))) = replicas.find(|(_, (_, _, other))| other != value)
    {
        let why = format!("{node} holds {value}, {other} holds {differs}, and nothing changed any more");
        return wrong("diverged", why, vec![*index, *against]);
    }
    Ok(Ok(vec![("replicas", last.len() as u64)]))
}
