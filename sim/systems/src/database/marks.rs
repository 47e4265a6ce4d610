//! Rows that open sagas keep to themselves: semantic locks (Garcia-Molina and Salem, 1987, §1 give isolation up; this gives
//! it back for chosen rows).
//!
//! The commit in which a saga changes a guarded row marks it; whoever comes there in another name is locked out, to read or
//! to change, until a commit says that the saga is over. Marks are in the log with what they belong to, so a crash leaves
//! them as they were. Who changes rows looks at the newest marks, who only reads at those that are durable, as with rows.
//! What comes late in the name of a saga that is over marks nothing, for nobody would take the mark away.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use kernel::CellId;

use super::journal::SagaEntry;
use super::sagas::SagaKey;
use super::{Asked, Attempt};
use crate::expression::{Program, Value};

/// Rows that a kind of saga keeps to itself.
#[derive(Clone, PartialEq, Debug)]
pub struct Guard {
    /// The saga.
    pub saga: u16,
    /// Where the rows are.
    pub table: u16,
    /// Which one it is, for a request in the saga's name.
    pub key: Program,
    /// What judges know the table by.
    pub cell: CellId,
    /// What happens to others; none: it is only watched who comes there.
    pub others: Option<LockedOut>,
}

/// What happens to who comes to a marked row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockedOut {
    /// It is refused, with this business error.
    Refused(u16),
    /// It tries again until the mark is gone. Another saga of a kind that reads a topic does not, and is refused with this error:
    /// the event that frees the row may stand behind its own.
    Waits(Option<u16>),
}

/// Somebody looked at a guarded row, or changed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Touch {
    /// Whose row it is.
    pub saga: u16,
    /// The root request.
    pub operation: u64,
    /// The table, as judges know it.
    pub cell: CellId,
    /// The row.
    pub key: i64,
    /// It was changed.
    pub write: bool,
    /// In the name of that saga.
    pub own: bool,
}

/// Marks on rows: whose each is.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    newest: BTreeMap<(u16, i64), SagaKey>,
    durable: BTreeMap<(u16, i64), SagaKey>,
    over: BTreeSet<SagaKey>,
}

impl Marks {
    /// What later commits see at once.
    pub(super) fn enter(&mut self, entry: &SagaEntry) {
        change(&mut self.newest, entry);
        if let SagaEntry::Freed { saga } = entry {
            self.over.insert(*saga);
        }
    }

    /// What readers see from now on.
    pub(super) fn apply(&mut self, entry: &SagaEntry) {
        change(&mut self.durable, entry);
    }

    /// Whether this saga's marks were taken away.
    pub fn is_over(&self, saga: SagaKey) -> bool {
        self.over.contains(&saga)
    }

    /// What a script may not do, because somebody else's mark is on a row that it touched.
    pub(super) fn locked_out(&self, guards: &[Guard], attempt: &Attempt<'_>, asked: Asked) -> Option<LockedOut> {
        let marks = if attempt.newest { &self.newest } else { &self.durable };
        let touched = attempt.touched.borrow();
        let whose = |row: &(u16, i64)| marks.get(row).filter(|saga| asked.name() != Some(**saga)).map(|s| (*s, row.0));
        let (holder, table) = touched.iter().find_map(whose)?;
        let guard = guards.iter().find(|guard| guard.saga == holder.saga && guard.table == table)?;
        match guard.others {
            Some(LockedOut::Waits(Some(error))) if asked.saga == Some(holder.saga) => Some(LockedOut::Refused(error)),
            others => others,
        }
    }

    /// The marks that a commit makes.
    pub(super) fn made(&self, guards: &[Guard], attempt: &Attempt<'_>, asked: Asked) -> Vec<SagaEntry> {
        let Some(saga) = asked.name().filter(|saga| !self.is_over(*saga)) else { return Vec::new() };
        let mut made = Vec::new();
        for guard in guards.iter().filter(|guard| guard.saga == saga.saga && guard.others.is_some()) {
            let written = |key: &i64| attempt.writes.iter().any(|w| w.table == guard.table && w.key == *key);
            if let Some(key) = guard.row(attempt).filter(written)
                && !self.newest.contains_key(&(guard.table, key))
            {
                made.push(SagaEntry::Marked { saga, table: guard.table, key });
            }
        }
        made
    }

    /// Which guarded rows a script touched.
    pub(super) fn touched(guards: &[Guard], attempt: &Attempt<'_>, asked: Asked) -> Vec<Touch> {
        let mut found = Vec::new();
        for guard in guards {
            let own = asked.name().is_some_and(|saga| saga.saga == guard.saga);
            let mine = if own { guard.row(attempt) } else { None };
            for &(table, key) in attempt.touched.borrow().iter() {
                if table != guard.table || own && mine != Some(key) {
                    continue;
                }
                let write = attempt.writes.iter().any(|w| w.table == table && w.key == key);
                let touch = Touch { saga: guard.saga, operation: asked.operation, cell: guard.cell, key, write, own };
                found.push(touch);
            }
        }
        found
    }
}

impl Guard {
    fn row(&self, attempt: &Attempt<'_>) -> Option<i64> {
        match self.key.evaluate(&attempt.variables) {
            Ok(Value::Int(key)) => Some(key),
            Ok(Value::Text(symbol)) => Some(i64::from(symbol)),
            Ok(Value::Null | Value::Bool(_)) | Err(_) => None,
        }
    }
}

fn change(marks: &mut BTreeMap<(u16, i64), SagaKey>, entry: &SagaEntry) {
    match entry {
        SagaEntry::Marked { saga, table, key } => drop(marks.insert((*table, *key), *saga)),
        SagaEntry::Freed { saga } => marks.retain(|_, holder| holder != saga),
        SagaEntry::Begun { .. }
        | SagaEntry::At { .. }
        | SagaEntry::Owned { .. }
        | SagaEntry::Ended { .. }
        | SagaEntry::Started { .. }
        | SagaEntry::Step { .. }
        | SagaEntry::Left { .. }
        | SagaEntry::Undone { .. }
        | SagaEntry::Over { .. }
        | SagaEntry::GivenUp { .. } => {}
    }
}
