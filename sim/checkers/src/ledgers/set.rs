//! A set that is read at the end: everything that was surely added is there, and nothing that nobody tried to add
//! (Jepsen's `set`).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;

use super::{Listed, Said, open, wrong};
use crate::history::{Outcome, Value};

/// Judges the operations `add v` and `read`, of which the last that was answered counts.
pub fn last_read(operations: &Listed<'_>) -> Said {
    let mut tried: BTreeMap<&Value, u32> = BTreeMap::new();
    let mut added: BTreeMap<&Value, u32> = BTreeMap::new();
    let mut last = None;
    for &(index, operation) in operations {
        match &*operation.f {
            "add" => {
                tried.insert(operation.asked(), index);
                if operation.outcome == Outcome::Ok {
                    added.insert(operation.asked(), index);
                }
            }
            "read" if operation.outcome == Outcome::Ok => {
                let Some(members) = operation.result.members() else {
                    return Err(operation.refuse("`read` answers a list or set"));
                };
                if last.is_none_or(|(_, before, _)| before < operation.returned) {
                    last = Some((index, operation.returned, members));
                }
            }
            "read" => {}
            other => return Err(operation.refuse(format!("a set has no `{other}`; it has add, read"))),
        }
    }
    let Some((read, _, members)) = last else { return open("the set was never read") };
    let members: BTreeSet<&Value> = members.iter().collect();
    if let Some(unexpected) = members.iter().find(|value| !tried.contains_key(**value)) {
        return wrong("unexpected", format!("the last read has {unexpected}, which nobody added"), vec![read]);
    }
    let mut lost = added.iter().filter(|(value, _)| !members.contains(**value));
    if let Some((value, index)) = lost.next() {
        let more = lost.count();
        let others = if more > 0 { format!(" and {more} more") } else { String::new() };
        return wrong("lost", format!("{value}{others}: added, and not in the last read"), vec![*index, read]);
    }
    let recovered = members.iter().filter(|value| !added.contains_key(**value)).count();
    Ok(Ok(vec![("added", added.len() as u64), ("read", members.len() as u64), ("recovered", recovered as u64)]))
}
