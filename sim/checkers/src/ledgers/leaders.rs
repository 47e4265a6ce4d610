//! Leaders: in every term one at most (*election safety* of Raft).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;

use super::{Listed, Said, wrong};
use crate::history::{Outcome, Value};

/// Judges the operations `lead` (or `leader`, `elected`) with the value `[term node]` or `{term …, node …}`. Who was
/// elected and does not know it yet counts too; who failed does not.
pub fn one_per_term(operations: &Listed<'_>) -> Said {
    let mut leaders: BTreeMap<&Value, (&Value, u32)> = BTreeMap::new();
    for &(index, operation) in operations {
        if !matches!(&*operation.f, "lead" | "leader" | "elected") {
            return Err(operation.refuse(format!("there is no `{}`; there is lead [term node]", operation.f)));
        }
        if operation.outcome == Outcome::Fail {
            continue;
        }
        let value = &operation.result;
        let field = |name: &str| {
            let entries = value.entries()?;
            entries.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
        };
        let pair = value.pair().or_else(|| Some((field("term")?, field("node").or(operation.node.as_ref())?)));
        let Some((term, node)) = pair else {
            return Err(operation.refuse("expected [term node] or {term …, node …}"));
        };
        let (first, before) = *leaders.entry(term).or_insert((node, index));
        if first != node {
            return wrong("two leaders", format!("in term {term} both {first} and {node} led"), vec![before, index]);
        }
    }
    Ok(Ok(vec![("terms", leaders.len() as u64)]))
}
