//! Isolation of sagas (`saga_isolation`): between two changes that one saga makes of a row nobody else reads or changes
//! it. Sagas give up isolation (Garcia-Molina and Salem, 1987, §1); a semantic lock gives it back for chosen rows.
//!
//! Whoever reads between a saga's first and its last change of a row has seen what was then changed again (`read`);
//! whoever changes the row there builds on it, or is lost (`write`). Which change is the last is known only when the next
//! one comes, so a saga that leaves its row alone after others were there is no offence. What ended is not asked again.
//!
//! **Memory and time.** Per row the last two accesses by different people, which is enough to find one that was not the
//! saga's own; per open saga its changes. A constant number of look-ups per access.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{CellId, Fact, FactKind, SagaFact};

use crate::story::Story;
use crate::verdict::{Phrase, Verdict, Witness};

/// The judge of one saga of the scenario.
#[derive(Clone, Debug)]
pub struct SagaIsolation {
    protocol: u32,
    /// By row: the last access, and the last one before it by somebody else.
    rows: BTreeMap<Row, [Option<Access>; 2]>,
    /// By open saga: its last change of each row.
    changes: BTreeMap<u64, Vec<(Row, Access)>>,
    accesses: u64,
    first: Option<Witness>,
    violations: u64,
}

type Row = (CellId, u64);

#[derive(Clone, Copy, Debug)]
struct Access {
    /// Counts accesses: which came first in one instant.
    number: u64,
    /// Who: an instance of this saga, or somebody else.
    who: (bool, u64),
    write: bool,
    fact: Fact,
}

impl SagaIsolation {
    /// A judge of facts that bear this protocol's number.
    pub const fn new(protocol: u32) -> Self {
        Self { protocol, rows: BTreeMap::new(), changes: BTreeMap::new(), accesses: 0, first: None, violations: 0 }
    }

    /// Takes in the next fact; what is not about rows or ends is passed over.
    pub fn see(&mut self, fact: &Fact) {
        let FactKind::Saga(said) = fact.kind else { return };
        if fact.protocol != self.protocol {
            return;
        }
        match said {
            SagaFact::Touched { cell, key, write, own } => {
                self.accesses += 1;
                let access = Access { number: self.accesses, who: (own, fact.instance), write, fact: *fact };
                self.touched((cell, key), access);
            }
            SagaFact::Ended { .. } => drop(self.changes.remove(&fact.instance)),
            SagaFact::Begun { .. }
            | SagaFact::Owner { .. }
            | SagaFact::Intent { .. }
            | SagaFact::Done { .. }
            | SagaFact::Failed { .. }
            | SagaFact::Pivot
            | SagaFact::Compensating { .. }
            | SagaFact::Compensated { .. }
            | SagaFact::Stuck => {}
        }
    }

    /// The first violation so far.
    pub const fn violation(&self) -> Option<&Witness> {
        self.first.as_ref()
    }

    /// How many accesses were judged.
    pub const fn accesses(&self) -> u64 {
        self.accesses
    }

    /// Violations, the first included.
    pub const fn violations(&self) -> u64 {
        self.violations
    }

    /// The run is over. What was not changed again was not disturbed, so nothing stays open.
    pub fn finish(self) -> Verdict {
        match self.first {
            Some(witness) => Verdict::Violated(witness),
            None => Verdict::Holds { judged: self.accesses },
        }
    }

    fn touched(&mut self, row: Row, access: Access) {
        let last = self.rows.entry(row).or_default();
        // The last one by somebody else is one of the two.
        let other = last.iter().flatten().find(|a| a.who != access.who).copied();
        *last = [Some(access), other];
        let ((true, saga), true) = (access.who, access.write) else { return };
        let changes = self.changes.entry(saga).or_default();
        let Some((_, before)) = changes.iter_mut().find(|(changed, _)| *changed == row) else {
            changes.push((row, access));
            return;
        };
        let before = core::mem::replace(before, access);
        if let Some(other) = other.filter(|other| other.number > before.number) {
            self.condemn(saga, row.1, [before, other, access]);
        }
    }

    fn condemn(&mut self, saga: u64, key: u64, [before, other, again]: [Access; 3]) {
        self.violations += 1;
        self.first.get_or_insert_with(|| {
            let (rule, verb) = if other.write { ("write", " changed row ") } else { ("read", " read row ") };
            let sentence = vec![
                Phrase::Text(if other.who.0 { "saga " } else { "request " }),
                Phrase::Number(other.who.1),
                Phrase::Text(verb),
                Phrase::Number(key),
                Phrase::Text(" at "),
                Phrase::Moment(other.fact.time),
                Phrase::Text(", between two changes of it by this saga, at "),
                Phrase::Moment(before.fact.time),
                Phrase::Text(" and "),
                Phrase::Moment(again.fact.time),
            ];
            let mut story = Story::of(&before.fact);
            story.keep(&other.fact);
            story.keep(&again.fact);
            story.witness(rule, saga, sentence)
        });
    }
}
