//! Numbers that are given out: none twice (Jepsen's `unique-ids`).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;

use super::{Listed, Said, wrong};
use crate::history::Outcome;

/// Judges the answered `generate`s.
pub fn once_each(operations: &Listed<'_>) -> Said {
    let mut given = BTreeMap::new();
    for &(index, operation) in operations {
        if &*operation.f != "generate" {
            return Err(operation.refuse(format!("there is no `{}`; there is generate", operation.f)));
        }
        if operation.outcome == Outcome::Ok
            && let Some(before) = given.insert(&operation.result, index)
        {
            return wrong("duplicate", format!("{} was given out twice", operation.result), vec![before, index]);
        }
    }
    Ok(Ok(vec![("given out", given.len() as u64)]))
}
