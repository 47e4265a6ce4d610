//! The nearest run that keeps the promise, and where it first does something else.
//!
//! Nearest is the failing run without one of its faults, those of the story first; else without one of the operations of the
//! story; else with another seed. Draws are keyed, so leaving one thing out shifts nobody else's: up to the first event that
//! differs the two are the same, and what comes after is its doing.

use std::sync::atomic::{AtomicBool, Ordering};

use cluster::{Handled, Kind};
use kernel::Time;
use systems::app::clients;

use super::trace::{Trace, Tracer};
use super::{describe, options};
use crate::compile::Edits;
use crate::repro::violated;
use crate::run::{Go, Options, World, recorded};
use crate::scenario::{Choice, Scenario, Source, load};

/// Runs that are tried.
const TRIED_MAX: usize = 12;
/// Other seeds that are tried.
const SEEDS: u64 = 4;

/// A run that keeps the promise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passing {
    /// What it does without, or its seed.
    pub change: Change,
    /// Runs that were tried.
    pub tried: usize,
    /// Where the two first differ; none if that says nothing, as with another seed.
    pub differs: Option<Differs>,
}

/// In what the nearest run differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// It does without this fault.
    WithoutFault(String),
    /// It does without this operation: workload and number.
    WithoutOperation(String, u64),
    /// It has this seed.
    Seed(u64),
}

/// The first event that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Differs {
    /// Its number in the failing run.
    pub event: u64,
    /// When.
    pub time: Time,
    /// What happens in the failing run; nothing if that had ended.
    pub failing: String,
    /// What happens instead: when and what.
    pub passing: Option<(Time, String)>,
}

/// The failing run.
pub(super) struct Failing<'a> {
    pub(super) source: &'a Source,
    pub(super) choice: &'a Choice,
    pub(super) scenario: &'a Scenario,
    pub(super) seed: u64,
    pub(super) class: &'a str,
    /// Faults of the story, those that hit it first.
    pub(super) faults: &'a [String],
    /// Operations of the story.
    pub(super) operations: &'a [u64],
    pub(super) stop: &'a AtomicBool,
}

impl Failing<'_> {
    /// The nearest run that keeps the promise; none if none was found, and how many were tried.
    pub(super) fn nearest(&self) -> (Option<Passing>, usize) {
        let mut tried = 0;
        for change in self.changes().into_iter().take(TRIED_MAX) {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let Some((scenario, seed, edits)) = self.changed(&change) else { continue };
            tried += 1;
            let lean = Options { edits: edits.clone(), ..Options::lean() };
            let mut go = |_| if self.stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On };
            let Ok(run) = recorded(&scenario, seed, None, &lean, &mut go) else { continue };
            let stopped = self.stop.load(Ordering::Relaxed);
            if stopped || violated(&run.outcome).iter().any(|class| class == self.class) {
                continue;
            }
            let differs = match change {
                Change::Seed(_) => None,
                Change::WithoutFault(_) | Change::WithoutOperation(..) => self.differs(&scenario, &edits),
            };
            return (Some(Passing { change, tried, differs }), tried);
        }
        (None, tried)
    }

    /// What may be changed, nearest first.
    fn changes(&self) -> Vec<Change> {
        let mut changes: Vec<Change> = self.faults.iter().cloned().map(Change::WithoutFault).collect();
        let named = |operation: &u64| {
            let (workload, _) = self.scenario.model.workloads.get((operation >> 40) as usize)?;
            Some(Change::WithoutOperation(workload.value.clone(), clients::number_of(*operation)))
        };
        changes.extend(self.operations.iter().filter_map(named));
        changes.extend((1..=SEEDS).map(|more| Change::Seed(self.seed.wrapping_add(more))));
        changes
    }

    fn changed(&self, change: &Change) -> Option<(Scenario, u64, Edits)> {
        let mut choice = self.choice.clone();
        let (mut seed, mut edits) = (self.seed, Edits::default());
        match change {
            Change::WithoutFault(name) => choice.sets.push((format!("faults.{name}"), "none".to_owned())),
            Change::WithoutOperation(workload, number) => edits.dropped.push((workload.clone(), *number)),
            Change::Seed(other) => seed = *other,
        }
        choice.seed = Some(seed);
        Some((load(self.source, &choice).ok()?, seed, edits))
    }

    /// The first event that differs, both runs side by side.
    fn differs(&self, other: &Scenario, edits: &Edits) -> Option<Differs> {
        let mut failing = Side::new(self.scenario, self.seed, &Edits::default())?;
        let mut passing = Side::new(other, self.seed, edits)?;
        loop {
            let (one, two) = (failing.step(), passing.step());
            match (one, two) {
                (None, None) => return None,
                (Some(a), Some(b)) if same(&a, &b) => {}
                (Some(a), two) => {
                    let instead = two.map(|b| (b.time, passing.last(other)));
                    return Some(Differs {
                        event: failing.world.cluster.events(),
                        time: a.time,
                        failing: failing.last(self.scenario),
                        passing: instead,
                    });
                }
                (None, Some(b)) => {
                    return Some(Differs {
                        event: failing.world.cluster.events(),
                        time: failing.world.cluster.now(),
                        failing: String::new(),
                        passing: Some((b.time, passing.last(other))),
                    });
                }
            }
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
        }
    }
}

/// One of two runs that are compared.
struct Side {
    world: World,
    tracer: Tracer,
}

impl Side {
    fn new(scenario: &Scenario, seed: u64, edits: &Edits) -> Option<Self> {
        let world = World::new(scenario, seed, &Options { edits: edits.clone(), ..options() }).ok()?;
        let tracer = Tracer::new(world.names());
        Some(Self { world, tracer })
    }

    /// The next event that is not a fault's own: those differ in number.
    fn step(&mut self) -> Option<Handled> {
        loop {
            let handled = self.world.step_told(&mut self.tracer)?;
            self.tracer.end(&handled);
            match handled.kind {
                Kind::Strike | Kind::End | Kind::Heal | Kind::Disturbed | Kind::Stale => {}
                Kind::Start
                | Kind::Message
                | Kind::Undelivered
                | Kind::Timer
                | Kind::Done
                | Kind::Wake
                | Kind::Written
                | Kind::Retransmit
                | Kind::Reset
                | Kind::Late
                | Kind::Released
                | Kind::Gathered => return Some(handled),
            }
        }
    }

    fn last(&self, scenario: &Scenario) -> String {
        let trace: &Trace = &self.tracer.trace;
        describe::event(trace, super::words::Words { names: self.world.names(), model: &scenario.model }, trace.last())
    }
}

/// Where two events stand in the order of scheduling says nothing, if one run has a fault less.
fn same(one: &Handled, two: &Handled) -> bool {
    (one.time, one.node, one.kind, one.digest) == (two.time, two.node, two.kind, two.digest)
}
