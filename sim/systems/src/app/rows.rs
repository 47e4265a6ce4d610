//! The rows a service owns, and what transactions do to them.
//!
//! The committed values live here; a vote looks at them under locks, a commit changes them. Expressions were compiled at
//! load; a request brings its variables along.

use alloc::sync::Arc;
use alloc::vec::Vec;

use kernel::{Delta, Digest};

use super::message::system_errors;
use super::plan::{RowChange, RowStep, RowsPlan};
use crate::commit::{Access, Reason, Resource};
use crate::expression::{Environment, Fault, ItemId, Program, Value, VariableId};
use crate::variables::Variables;

/// What an owner is asked to do in a transaction: the steps of its kind, with these variables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Work {
    /// The transaction type.
    pub kind: u16,
    /// The request's variables.
    pub variables: Variables,
}

impl Digest for Work {
    fn digest(&self) -> u64 {
        self.variables.fold(u64::from(self.kind))
    }
}

impl crate::commit::Work for Work {
    fn bytes(&self) -> u32 {
        8 * self.variables.len() as u32
    }
}

/// The committed rows of one service.
#[derive(Clone, Debug)]
pub struct Rows {
    plan: Arc<RowsPlan>,
    /// By item, then by key.
    values: Vec<Vec<i64>>,
}

/// A row, and the value it would have.
type Written = (u32, i64, i64);

impl Rows {
    /// Every row at its first value.
    pub fn new(plan: &Arc<RowsPlan>) -> Self {
        let values = plan.items.iter().map(|item| alloc::vec![item.initial; item.keys as usize]).collect();
        Self { plan: plan.clone(), values }
    }

    /// The committed value of a row, if there is such a row.
    pub fn value(&self, item: u32, key: i64) -> Option<i64> {
        self.values.get(item as usize)?.get(usize::try_from(key).ok()?).copied()
    }

    /// Does every step on a copy of the touched rows. Stops at the first that cannot be done.
    fn attempt(&self, work: &Work, guarded: Guarded) -> Result<Vec<Written>, Reason> {
        let mut written: Vec<Written> = Vec::new();
        for step in self.steps(work) {
            let view = View { rows: self, written: &written, variables: &work.variables };
            let key = view.number(&step.key)?;
            let before = view.row_value(step.item, key).ok_or(INVALID)?;
            if let (Some(guard), Guarded::Yes) = (&step.guard, guarded)
                && !guard.truth(&view).map_err(refusal)?
            {
                return Err(Reason(step.refusal));
            }
            let after = match &step.change {
                RowChange::Read => continue,
                RowChange::Add(program) => before.checked_add(view.number(program)?).ok_or(INVALID)?,
                RowChange::Set(program) => view.number(program)?,
            };
            written.push((step.item, key, after));
        }
        Ok(written)
    }

    fn steps(&self, work: &Work) -> &[RowStep] {
        self.plan.steps.get(usize::from(work.kind)).map_or(&[], Vec::as_slice)
    }
}

/// Whether guards are looked at: when voting they are, when a decision is carried out they no longer are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guarded {
    Yes,
    No,
}

const INVALID: Reason = Reason(system_errors::INVALID);

fn refusal(_: Fault) -> Reason {
    INVALID
}

/// What an expression sees: the request's variables, and the rows as the steps before it left them.
struct View<'a> {
    rows: &'a Rows,
    written: &'a [Written],
    variables: &'a Variables,
}

impl View<'_> {
    fn number(&self, program: &Program) -> Result<i64, Reason> {
        program.integer(self).map_err(refusal)
    }

    fn row_value(&self, item: u32, key: i64) -> Option<i64> {
        let mine = self.written.iter().rev().find(|w| w.0 == item && w.1 == key);
        mine.map(|w| w.2).or_else(|| self.rows.value(item, key))
    }
}

impl Environment for View<'_> {
    fn variable(&self, variable: VariableId) -> Value {
        self.variables.get(variable)
    }

    fn row(&self, item: ItemId, key: i64) -> Value {
        self.row_value(item.0, key).map_or(Value::Null, Value::Int)
    }
}

impl Resource for Rows {
    type Work = Work;

    fn rows(&self, work: &Work) -> Vec<(u64, Access)> {
        let view = View { rows: self, written: &[], variables: &work.variables };
        let row = |step: &RowStep| {
            let key = step.key.integer(&view).ok()?;
            let access = if step.change == RowChange::Read { Access::Read } else { Access::Write };
            Some((u64::from(step.item) << 32 | (key as u64 & 0xffff_ffff), access))
        };
        self.steps(work).iter().filter_map(row).collect()
    }

    fn restate(&self, changes: &mut Vec<Delta>) {
        for (item, values) in self.plan.items.iter().zip(&self.values) {
            let row =
                |(key, &value): (usize, &i64)| Delta { cell: item.cell, key: key as u64, before: value, after: value };
            changes.extend(values.iter().enumerate().map(row));
        }
    }

    fn vote(&mut self, work: &Work) -> Result<(), Reason> {
        self.attempt(work, Guarded::Yes).map(|_| ())
    }

    fn apply(&mut self, work: &Work, changes: &mut Vec<Delta>) {
        // A commit that can no longer be carried out (only without locks) leaves the rows as they are; the promises tell.
        let Ok(written) = self.attempt(work, Guarded::No) else { return };
        for (item, key, after) in written {
            let value = &mut self.values[item as usize][key as usize];
            let before = core::mem::replace(value, after);
            changes.push(Delta { cell: self.plan.items[item as usize].cell, key: key as u64, before, after });
        }
    }
}
