//! A counter within bounds: a read is at least what had surely been added when it began or while it ran, and at most what
//! may have been added before it ended (Jepsen's `counter`; amounts may be negative too).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;

use super::{Edge, Listed, Said, edges, wrong};
use crate::history::Outcome;

/// Judges the operations `add n`, `increment`, `decrement` and `read`.
pub fn bounds(operations: &Listed<'_>, initial: i64) -> Said {
    let (mut lower, mut upper) = (i128::from(initial), i128::from(initial));
    let mut reading: BTreeMap<usize, (i128, i128)> = BTreeMap::new();
    let mut reads = 0;
    for (_, edge, place) in edges(operations) {
        let (index, operation) = operations[place];
        if operation.outcome == Outcome::Fail {
            continue;
        }
        let by = match &*operation.f {
            "read" => None,
            "add" | "increment" | "inc" | "decrement" | "dec" => {
                let sign = if operation.f.starts_with("dec") { -1 } else { 1 };
                let amount = match operation.asked() {
                    asked if asked.is_nil() && &*operation.f != "add" => Some(1),
                    asked => asked.int(),
                };
                let refused = || operation.refuse(format!("{} is no whole number", operation.asked()));
                Some(i128::from(amount.ok_or_else(refused)?) * sign)
            }
            other => {
                return Err(
                    operation.refuse(format!("a counter has no `{other}`; it has add, increment, decrement, read"))
                );
            }
        };
        match (by, edge) {
            (None, Edge::Begin) => drop(reading.insert(place, (lower, upper))),
            (None, Edge::End) => {
                let (least, most) = reading.remove(&place).unwrap_or((lower, upper));
                if operation.result.is_nil() {
                    continue;
                }
                let told = operation.result.int().map(i128::from);
                let told = told.ok_or_else(|| operation.refuse(format!("{} is no whole number", operation.result)))?;
                reads += 1;
                if !(least..=most).contains(&told) {
                    let why =
                        format!("{operation} is outside of {least} to {most}, which is all that could have been read");
                    return wrong("bounds", why, vec![index]);
                }
            }
            // What raises may count from its beginning and does count from its end; what lowers the other way round.
            (Some(by), Edge::Begin) => *(if by > 0 { &mut upper } else { &mut lower }) += by,
            (Some(by), Edge::End) => *(if by > 0 { &mut lower } else { &mut upper }) += by,
        }
        for (least, most) in reading.values_mut() {
            *least = (*least).min(lower);
            *most = (*most).max(upper);
        }
    }
    Ok(Ok(vec![("reads", reads)]))
}
