//! The versions of a register: who wrote what a read found. Written values differ, so that is one operation; but what is
//! deleted leaves nothing, as every other deletion does, and as it was at first.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use super::Listed;
use crate::history::{NilRead, Operation, Outcome, Refusal, Value};

/// What every deletion leaves.
static NOTHING: Value = Value::Nil;

/// The operations of one register.
pub(super) struct Versions<'a> {
    initial: &'a Value,
    /// Those that change it, by what they leave; failed ones too.
    writers: BTreeMap<&'a Value, Vec<(u32, &'a Operation)>>,
    /// Answered reads.
    pub(super) reads: Vec<(u32, &'a Operation)>,
}

/// Whom a read may have found: an operation, or `None` if nobody had changed it yet.
pub(super) type Source<'a> = Option<(u32, &'a Operation)>;

impl<'a> Versions<'a> {
    /// `write v`, `put v`, `cas [from to]`, `delete`; `read`, `get`.
    pub(super) fn of(operations: &Listed<'a>, initial: &'a Value, nil_read: NilRead) -> Result<Self, Refusal> {
        let mut new = Self { initial, writers: BTreeMap::new(), reads: Vec::new() };
        for &(index, operation) in operations {
            let value = match &*operation.f {
                "read" | "get" => {
                    let unknown = operation.result.is_nil() && nil_read == NilRead::Unknown;
                    if operation.outcome == Outcome::Ok && !unknown {
                        new.reads.push((index, operation));
                    }
                    continue;
                }
                "write" | "put" => operation.asked(),
                "delete" => &NOTHING,
                "cas" => expected(operation)?.1,
                other => {
                    return Err(operation.refuse(format!("there is no `{other}`; there are write, read, cas, delete")));
                }
            };
            let known = new.writers.entry(value).or_default();
            known.push((index, operation));
            if !value.is_nil() && (known.len() > 1 || value == initial) {
                return Err(operation.refuse(format!("{value} is written twice; values must differ")));
            }
        }
        Ok(new)
    }

    /// Whom this read may have found; nobody if nobody had written that.
    pub(super) fn found(&self, read: &Operation) -> Vec<Source<'a>> {
        let first = (read.result == *self.initial).then_some(None);
        let writers = self.writers.get(&read.result).into_iter().flatten();
        let may = |(_, write): &&(u32, &Operation)| write.outcome != Outcome::Fail && write.invoked < read.returned;
        first.into_iter().chain(writers.filter(may).map(|&write| Some(write))).collect()
    }

    /// The changes that surely happened.
    pub(super) fn sure(&self) -> impl Iterator<Item = (u32, &'a Operation)> {
        self.writers.values().flatten().copied().filter(|(_, write)| write.outcome == Outcome::Ok)
    }
}

/// What a `cas` expects and what it leaves.
pub(super) fn expected(operation: &Operation) -> Result<(&Value, &Value), Refusal> {
    operation.asked().pair().ok_or_else(|| operation.refuse("`cas` takes a pair: what is expected, and what is set"))
}
