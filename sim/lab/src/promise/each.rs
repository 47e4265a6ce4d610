//! `leads_to` with `for_each`: each row of a map by itself. Its `when` turning true begins a wait, `leads_to` ends it.
//!
//! A row that is not there has no `when`, so deleting it begins nothing; but what it led to is still awaited. Something
//! is kept for rows that wait, and one bit per slot of the mirror.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{CellId, Span, Time};
use systems::expression::{Fault, VariableId};

use super::predicate::located;
use super::row_scope::{About, RowPredicate, RowScope};
use super::scope::PromiseScope;
use super::state::State;
use super::watch::{Moment, Pending};
use super::witness::row;
use crate::expression::{Problem, parse};
use crate::model::{At, ItemPath};
use crate::names::{ItemKind, Names, path_of};
use crate::nearest::nearest;

/// What is demanded of each row, and which rows wait.
#[derive(Clone, Debug)]
pub(super) struct Each {
    /// `order.orders`
    item: String,
    /// Which rows there are.
    present: u32,
    when: Condition,
    then: Condition,
    within: Option<Span>,
    /// By slot: `when` was true.
    was: Vec<bool>,
    /// By key: the rows that wait.
    waiting: BTreeMap<u64, Waiting>,
    /// Those whose bound has not passed, by the beginning of the wait: when, event, key.
    due: BTreeSet<(Time, u64, u64)>,
}

/// A predicate over one row.
#[derive(Clone, Debug)]
struct Condition {
    text: String,
    compiled: RowPredicate,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    pending: Pending,
    /// Its bound has passed.
    late: bool,
}

/// What a change of a row came to.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Turned {
    /// Its `when` turned true.
    pub(super) triggered: bool,
    /// What it leads to came, for a wait that began then.
    pub(super) led: Option<Time>,
    pub(super) fault: Option<Fault>,
}

impl Each {
    /// Compiles it; also tells whose changes it must know of.
    pub(super) fn compile(
        (when, then, within): (&At<String>, &At<String>, Option<Span>),
        for_each: &ItemPath,
        names: &Names,
        state: &mut State,
    ) -> Result<(Self, Vec<CellId>), Vec<Problem>> {
        let item = if for_each.owner.is_empty() {
            for_each.item.clone()
        } else {
            format!("{}.{}", for_each.owner, for_each.item)
        };
        let Some(found) = names.items.iter().find(|known| known.path == item) else {
            return Err(vec![unknown(for_each, &item, names)]);
        };
        let ItemKind::Map { present, .. } = &found.kind else {
            let mut problem = unknown(for_each, &item, names);
            problem.message = format!("`{item}` is no map: it has no rows that come and go");
            return Err(vec![problem]);
        };
        let mut compile = |at: &At<String>| {
            let tree = parse(&at.value).map_err(|f| located(vec![f], at))?;
            let mut findings = Vec::new();
            let mut scope = PromiseScope::new(names, state, false);
            let compiled = RowScope::compile(&tree, About::Map(found), &mut scope, &mut findings);
            match compiled {
                Some(compiled) if findings.is_empty() => Ok(Condition { text: at.value.clone(), compiled }),
                Some(_) | None => Err(located(findings, at)),
            }
        };
        let (when, then) = super::forms::both(compile(when), compile(then))?;
        let cells = [&[*present], &when.compiled.cells[..], &then.compiled.cells].concat();
        let column = state.column(*present, &found.kind);
        let (was, waiting, due) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        Ok((Self { item, present: column, when, then, within, was, waiting, due }, cells))
    }

    /// Something has changed that this row's predicates read.
    pub(super) fn look(&mut self, key: u64, at: Moment, state: &State) -> Turned {
        let slot = state.table.slot(key);
        let there = state.table.value(self.present, slot) != 0;
        let mut turned = Turned::default();
        let mut holds =
            |condition: &Condition| match condition.compiled.program.truth(&state.mirror().row(key, slot, 0)) {
                Ok(holds) => holds,
                Err(fault) => {
                    turned.fault.get_or_insert(fault);
                    false
                }
            };
        let now = there && holds(&self.when);
        let was = slot.is_some_and(|slot| self.replace_was(slot, now));
        let rises = now && !was;
        if !rises && !self.waiting.contains_key(&key) {
            return turned;
        }
        let followed = holds(&self.then);
        turned.triggered = rises;
        if followed {
            turned.led = match self.waiting.remove(&key) {
                Some(Waiting { pending, .. }) => {
                    self.due.remove(&(pending.since.time, pending.since.event, key));
                    Some(pending.since.time)
                }
                None => Some(at.time),
            };
        } else if rises {
            if !self.waiting.contains_key(&key) && self.within.is_some() {
                self.due.insert((at.time, at.event, key));
            }
            let first = Waiting { pending: Pending { since: at, count: 0 }, late: false };
            self.waiting.entry(key).or_insert(first).pending.count += 1;
        }
        turned
    }

    fn replace_was(&mut self, slot: u32, now: bool) -> bool {
        if slot as usize >= self.was.len() {
            self.was.resize(slot as usize + 1, false);
        }
        std::mem::replace(&mut self.was[slot as usize], now)
    }

    /// The keys of the rows that are there.
    pub(super) fn keys(&self, state: &State) -> Vec<u64> {
        let slots = 0..state.table.len();
        slots.filter(|&s| state.table.value(self.present, Some(s)) != 0).map(|s| state.table.key(s)).collect()
    }

    /// When the next bound passes.
    pub(super) fn deadline(&self) -> Time {
        match (self.due.first(), self.within) {
            (Some((since, ..)), Some(within)) => *since + within,
            (None, _) | (_, None) => Time::END,
        }
    }

    /// The first bound has passed: when, and why that is a violation.
    pub(super) fn expire(&mut self, state: &State) -> Option<(Time, Vec<String>)> {
        let deadline = self.deadline();
        let (.., key) = self.due.pop_first()?;
        let waiting = self.waiting.get_mut(&key).expect("what is due waits");
        waiting.late = true;
        let told = waiting.pending.told();
        Some((deadline, self.witness(key, &format!("{told}, and did not lead to"), state)))
    }

    /// Nothing is in flight that could still bring what is missing: how many rows wait without a bound, and the first.
    pub(super) fn forsaken(&self, state: &State) -> Option<(u64, Vec<String>)> {
        if self.within.is_some() {
            return None;
        }
        let (key, waiting) = self.first()?;
        let told = waiting.pending.told();
        Some((self.waiting.len() as u64, self.witness(key, &format!("{told}, and never led to"), state)))
    }

    /// The row that waits longest and is not late, in words.
    pub(super) fn waits(&self) -> Option<String> {
        let (key, waiting) = self.first()?;
        let others = match self.waiting.values().filter(|w| !w.late).count() {
            1 => String::new(),
            n => format!(", one of {n} rows that wait"),
        };
        Some(format!("{}[{key}] {}{others}", self.item, waiting.pending.told()))
    }

    pub(super) const fn within(&self) -> Option<Span> {
        self.within
    }

    /// As written.
    pub(super) fn says(&self) -> String {
        format!("for each of {}: {} leads to {}", self.item, self.when.text, self.then.text)
    }

    pub(super) fn item(&self) -> &str {
        &self.item
    }

    /// The row that has waited longest: one whose bound has passed, else any.
    pub(super) fn late(&self) -> Option<u64> {
        let order = |(key, w): &(&u64, &Waiting)| (!w.late, w.pending.since.time, w.pending.since.event, **key);
        self.waiting.iter().min_by_key(order).map(|(key, _)| *key)
    }

    fn first(&self) -> Option<(u64, &Waiting)> {
        let open = self.waiting.iter().filter(|(_, w)| !w.late);
        open.min_by_key(|(key, w)| (w.pending.since.time, w.pending.since.event, **key)).map(|(key, w)| (*key, w))
    }

    fn witness(&self, key: u64, told: &str, state: &State) -> Vec<String> {
        let mut reads: Vec<VariableId> = self.when.compiled.reads.clone();
        reads.extend(self.then.compiled.reads.iter().filter(|v| !self.when.compiled.reads.contains(v)));
        let mut witness = vec![format!("{}[{key}] {told} {}", self.item, self.then.text)];
        witness.extend(row(&self.item, key, &reads, state).map(|told| format!("{}[{key}]: {told}", self.item)));
        witness
    }
}

/// No map is called so.
fn unknown(at: &ItemPath, item: &str, names: &Names) -> Problem {
    let maps = || names.items.iter().filter(|i| matches!(i.kind, ItemKind::Map { .. })).map(|i| i.path.as_str());
    let help = nearest(item, maps()).map(|near| format!("`{near}`?")).or_else(|| {
        let all: Vec<_> = maps().take(6).collect();
        (!all.is_empty()).then(|| format!("there is {}", all.join(", ")))
    });
    Problem {
        place: at.place,
        message: format!("no map is called `{item}`"),
        label: String::new(),
        help,
        others: Vec::new(),
        about: vec![path_of(item)],
    }
}
