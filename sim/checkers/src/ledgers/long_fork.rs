//! Long forks (Jepsen's `long-fork`): keys are written once each, and reads of several keys must agree on the order in
//! which the writes came: of two reads of the same keys one has seen all that the other has.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::{Listed, Said, open, wrong};
use crate::history::{Outcome, Refusal, Value};

/// A read: its index, and what it saw of each key.
type Seen<'a> = (u32, BTreeMap<&'a Value, &'a Value>);

/// Judges transactions `[[r k v] …]`, and `[[w k v]]` of which each key has one.
pub fn none(operations: &Listed<'_>) -> Said {
    let mut groups: BTreeMap<Vec<&Value>, Vec<Seen<'_>>> = BTreeMap::new();
    let mut written: BTreeMap<&Value, u32> = BTreeMap::new();
    let mut count = 0;
    for &(index, operation) in operations {
        let value = if operation.outcome == Outcome::Ok { &operation.result } else { operation.asked() };
        let refuse = || -> Refusal { operation.refuse("expected [[r k v] …] or [[w k v] …]") };
        let mut seen = BTreeMap::new();
        // The invoke of a read may say nothing yet.
        for step in value.members().map_or_else(|| if value.is_nil() { Ok(&[][..]) } else { Err(refuse()) }, Ok)? {
            let Some([f, key, value]) = step.members() else { return Err(refuse()) };
            match f.as_text() {
                Some("r" | "read") => drop(seen.insert(key, value)),
                Some("w" | "write") => {
                    if operation.outcome != Outcome::Fail && written.insert(key, index).is_some() {
                        return open(format!("key {key} was written more than once: what came first cannot be seen"));
                    }
                }
                _ => return Err(refuse()),
            }
        }
        if operation.outcome == Outcome::Ok && !seen.is_empty() {
            count += 1;
            groups.entry(seen.keys().copied().collect()).or_default().push((index, seen));
        }
    }
    for reads in groups.values_mut() {
        reads.sort_by_key(|(_, seen)| seen.values().filter(|value| !value.is_nil()).count());
        for pair in reads.windows(2) {
            let ((fewer, less), (more, all)) = (&pair[0], &pair[1]);
            for (key, value) in less.iter().filter(|(_, value)| !value.is_nil()) {
                let other = all[*key];
                if other.is_nil() {
                    let why = format!(
                        "two reads saw the writes in opposite orders: one has key {key}, the other another key instead"
                    );
                    return wrong("long fork", why, vec![*fewer, *more]);
                }
                if other != *value {
                    return open(format!("key {key} was read as {value} and as {other}, and is written once at most"));
                }
            }
        }
    }
    Ok(Ok(vec![("reads", count)]))
}
