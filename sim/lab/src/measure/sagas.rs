//! Sagas, counted from the facts that their logs tell: how many began and how each ended, and how far they came.
//!
//! Totals are of everything; the counts per step are of sagas that began after the warm-up, so that none can be done more
//! often than begun. A database that starts again states its log again; what was heard before counts once.

use std::collections::BTreeSet;

use kernel::hashing::{Map, Set};
use kernel::{Fact, FactKind, SagaFact, Time};

use super::wanted::carries;
use crate::names::Names;
use crate::outcome::SagaStepCounts;

/// All kinds of sagas.
#[derive(Clone, Debug)]
pub(super) struct Sagas {
    /// By protocol.
    by_protocol: Vec<Option<usize>>,
    pub(super) kinds: Vec<Kind>,
    warmup: Time,
    /// Those that began after the warm-up and have not ended, by kind and instance: by step a bit for each `Heard`.
    open: Map<(usize, u64), Vec<u8>>,
    /// Those that have ended.
    over: Set<(usize, u64)>,
}

/// What is heard of a step.
#[derive(Clone, Copy, Debug)]
enum Heard {
    Begun,
    Done,
    Failed,
    Compensated,
}

/// One kind of saga.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) name: String,
    /// Those of the whole run that ended undone.
    undone_in_all: u64,
    /// Those of the whole run that were given up.
    given_up: BTreeSet<u64>,
    /// Of those that began after the warm-up.
    pub(super) started: u64,
    pub(super) completed: u64,
    pub(super) undone: u64,
    pub(super) steps: Vec<SagaStepCounts>,
}

impl Sagas {
    pub(super) fn new(names: &Names, warmup: Time) -> Self {
        let mut kinds = Vec::new();
        let mut by_protocol = Vec::new();
        for (number, protocol) in names.protocols.iter().enumerate() {
            by_protocol.push(protocol.strip_prefix("sagas.").map(|name| {
                let steps = names.steps.get(number).map(Vec::as_slice).unwrap_or_default();
                let steps = steps.iter().map(|step| SagaStepCounts { name: step.clone(), ..SagaStepCounts::default() });
                let name = name.to_owned();
                kinds.push(Kind {
                    name,
                    undone_in_all: 0,
                    given_up: BTreeSet::new(),
                    started: 0,
                    completed: 0,
                    undone: 0,
                    steps: steps.collect(),
                });
                kinds.len() - 1
            }));
        }
        Self { by_protocol, kinds, warmup, open: Map::default(), over: Set::default() }
    }

    /// The numbers of the kinds that carry labels.
    pub(super) fn called(&self, labels: &[(String, String)]) -> Vec<usize> {
        let fits = |n: usize| carries(&[("saga", self.kinds[n].name.clone())], labels);
        (0..self.kinds.len()).filter(|&n| fits(n)).collect()
    }

    /// How many ended undone, over the whole run.
    pub(super) fn undone(&self, kind: usize) -> u64 {
        self.kinds[kind].undone_in_all
    }

    /// How many were given up, over the whole run.
    pub(super) fn given_up(&self, kind: usize) -> u64 {
        self.kinds[kind].given_up.len() as u64
    }

    pub(super) fn fact(&mut self, fact: &Fact) {
        let FactKind::Saga(what) = fact.kind else { return };
        let Some(Some(number)) = self.by_protocol.get(fact.protocol as usize) else { return };
        let (kind, instance) = (&mut self.kinds[*number], (*number, fact.instance));
        if self.over.contains(&instance) {
            return;
        }
        if let SagaFact::Ended { completed } = what {
            self.over.insert(instance);
            kind.undone_in_all += u64::from(!completed);
        }
        if what == SagaFact::Stuck {
            kind.given_up.insert(fact.instance);
        }
        if matches!(what, SagaFact::Begun { .. }) && fact.time >= self.warmup {
            kind.started += u64::from(!self.open.contains_key(&instance));
            self.open.entry(instance).or_default();
        }
        let Some(heard) = self.open.get_mut(&instance) else { return };
        let mut step = |step: u32, what: Heard| {
            // What has a larger number belongs to the undoing as a whole.
            let Some(counts) = kind.steps.get_mut(step as usize) else { return };
            heard.resize(heard.len().max(step as usize + 1), 0);
            let (known, bit) = (&mut heard[step as usize], 1 << what as u8);
            if *known & bit != 0 {
                return;
            }
            *known |= bit;
            *match what {
                Heard::Begun => &mut counts.begun,
                Heard::Done => &mut counts.done,
                Heard::Failed => &mut counts.failed,
                Heard::Compensated => &mut counts.compensated,
            } += 1;
        };
        match what {
            SagaFact::Intent { step: n } => step(n, Heard::Begun),
            SagaFact::Done { step: n } => step(n, Heard::Done),
            SagaFact::Failed { step: n, certain: _ } => step(n, Heard::Failed),
            SagaFact::Compensated { step: n } => step(n, Heard::Compensated),
            SagaFact::Ended { completed } => {
                self.open.remove(&instance);
                kind.completed += u64::from(completed);
                kind.undone += u64::from(!completed);
            }
            SagaFact::Begun { .. }
            | SagaFact::Owner { .. }
            | SagaFact::Pivot
            | SagaFact::Compensating { .. }
            | SagaFact::Stuck
            | SagaFact::Touched { .. } => {}
        }
    }
}
