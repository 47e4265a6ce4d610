//! A run as others see it: step by step with one more listener, and with another future from some moment on.

use std::sync::Arc;

use cluster::{Cluster, Handled, Watch};
use kernel::{Seed, Time};
use systems::app::machine::Machine;
use systems::app::plan::Plan;

use super::beside::Beside;
use super::{Go, PROGRESS_EVERY, Progress, World, warmup};
use crate::compile::{Edits, compile};
use crate::names::Names;
use crate::outcome::Outcome;
use crate::promise::Promises;
use crate::scenario::{Diagnostic, Scenario};

/// The scenario as it is run: with the warm-up that a pilot run chooses, if it is to choose one.
pub(crate) fn settled(
    scenario: &Scenario,
    seed: u64,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Result<Option<Scenario>, Vec<Diagnostic>> {
    Ok(warmup::settle(scenario, seed, progress)?.map(|settled| settled.scenario))
}

impl World {
    /// Handles one event, of which one more hears. None when the run is over.
    pub(crate) fn step_told(&mut self, also: &mut dyn Watch<Machine>) -> Option<Handled> {
        advance!(self, |cluster: &mut Cluster<Machine>, until, listener| {
            cluster.step_until(until, &mut Beside(Some(listener), &mut *also))
        })
    }

    /// From here on everything that is left to chance is drawn as with another seed (docs/semantics.md, rule 68).
    pub(crate) fn reseed(&mut self, scenario: &Scenario, seed: u64) -> Result<(), Vec<Diagnostic>> {
        let plan = self.planned(scenario, seed)?;
        self.cluster.reseed(plan, Seed(seed), |plan, machine| machine.reseed(plan), &mut self.listener);
        Ok(())
    }

    /// From here on those operations begin that this scenario says, which is the same in everything else.
    pub(crate) fn begin_as(&mut self, scenario: &Scenario, seed: u64) -> Result<(), Vec<Diagnostic>> {
        let plan = self.planned(scenario, seed)?;
        self.cluster.replan(plan);
        Ok(())
    }

    /// The plan of a scenario; what this world is asked to tell stays.
    fn planned(&self, scenario: &Scenario, seed: u64) -> Result<Arc<Plan>, Vec<Diagnostic>> {
        let mut compiled = compile(&scenario.model, Seed(seed), &Edits::default())?;
        crate::code::attach(scenario, &mut compiled);
        let now = self.cluster.plan();
        let new = Arc::make_mut(&mut compiled.plan);
        (new.history, new.spent_since) = (now.history, now.spent_since);
        Ok(compiled.plan)
    }

    /// Goes on to the end of the run, or until it is stopped.
    pub(super) fn go_on(&mut self, progress: &mut dyn FnMut(Progress) -> Go) {
        let limit = self.times.limit;
        while self.advance().is_some() {
            let events = self.cluster.events();
            if events.is_multiple_of(PROGRESS_EVERY)
                && progress(Progress { now: self.cluster.now(), limit, events }) == Go::Stop
            {
                self.listener.interrupted = true;
                break;
            }
        }
    }

    /// The rest of a run, and what came of all of it.
    pub(crate) fn rest(
        mut self,
        scenario: &Scenario,
        seed: u64,
        variant: Option<&str>,
        progress: &mut dyn FnMut(Progress) -> Go,
    ) -> Outcome {
        self.go_on(progress);
        self.finish(scenario, seed, variant)
    }

    /// What the numbers are called.
    pub(crate) const fn names(&self) -> &Names {
        &self.listener.names
    }

    /// When the run ends at the latest.
    pub(crate) const fn limit(&self) -> Time {
        self.times.limit
    }

    /// What was promised, and what became of it so far.
    pub(crate) const fn promises(&self) -> &Promises {
        &self.listener.promises
    }
}
