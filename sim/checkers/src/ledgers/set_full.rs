//! A set that is read all the time (Jepsen's `set-full`): once it is known that an element was added, reads that begin
//! later must find it, up to the last.
//!
//! Of every element the last read that had it and the last that lacked it are kept, by when they began. It is *stable* if
//! the former began later, and *lost* if the latter did, and after the element was known. If it is neither, nobody ever
//! read it when it should have been there. Without any stable element nothing is known.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;

use super::{Edge, Listed, Said, edges, open, wrong};
use crate::history::{Outcome, Value};

#[derive(Default)]
struct Element {
    added: u32,
    /// When it was first known to be in the set.
    known: Option<u32>,
    /// When the last read began that had it, and which.
    present: Option<(u32, u32)>,
    /// When the last read began that lacked it, and which.
    absent: Option<(u32, u32)>,
}

/// Judges the operations `add v` and `read`.
pub fn every_read(operations: &Listed<'_>) -> Said {
    let mut elements: BTreeMap<&Value, Element> = BTreeMap::new();
    for (at, edge, place) in edges(operations) {
        let (index, operation) = operations[place];
        match (&*operation.f, edge) {
            ("add", Edge::Begin) => {
                elements.entry(operation.asked()).or_default().added = index;
            }
            ("add", Edge::End) => {
                if operation.outcome == Outcome::Ok
                    && let Some(element) = elements.get_mut(operation.asked())
                {
                    element.known.get_or_insert(at);
                }
            }
            ("read", Edge::End) if operation.outcome == Outcome::Ok => {
                let Some(members) = operation.result.members() else {
                    return Err(operation.refuse("`read` answers a list or set"));
                };
                let mut counts: BTreeMap<&Value, u32> = BTreeMap::new();
                for value in members {
                    *counts.entry(value).or_default() += 1;
                }
                if let Some((value, count)) = counts.iter().find(|(_, count)| **count > 1) {
                    return wrong("duplicated", format!("{value} is there {count} times in {operation}"), vec![index]);
                }
                if let Some(value) = counts.keys().find(|value| !elements.contains_key(**value)) {
                    return wrong(
                        "unexpected",
                        format!("{operation} has {value}, which nobody had added"),
                        vec![index],
                    );
                }
                let read = (operation.invoked, index);
                for (value, element) in &mut elements {
                    if counts.contains_key(value) {
                        element.known.get_or_insert(at);
                        element.present = element.present.max(Some(read));
                    } else {
                        element.absent = element.absent.max(Some(read));
                    }
                }
            }
            ("read", _) => {}
            (other, _) => return Err(operation.refuse(format!("a set has no `{other}`; it has add, read"))),
        }
    }
    let mut stable = 0;
    for (value, element) in &elements {
        if element.present.is_some() && element.absent < element.present {
            stable += 1;
        } else if let (Some(known), Some((began, read))) = (element.known, element.absent)
            && known < began
        {
            let why = format!("{value} was known to be added, and a read that began later lacks it");
            return wrong("lost", why, vec![element.added, read]);
        }
    }
    if stable == 0 {
        return open("no element was read after it was added, up to the last read");
    }
    let never = elements.len() as u64 - stable;
    Ok(Ok(vec![("stable", stable), ("never read", never)]))
}
