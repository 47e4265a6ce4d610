//! A run as others see it: step by step with one more listener, and with another future from some moment on.

use std::sync::Arc;

use cluster::{Cluster, Handled, Watch};
use kernel::{Seed, Time};
use systems::app::machine::Machine;

use super::both::Both;
use super::{Go, Progress, World, warmup};
use crate::compile::{Edits, compile};
use crate::names::Names;
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
    pub(crate) fn step_told(&mut self, also: &mut impl Watch<Machine>) -> Option<Handled> {
        advance!(self, |cluster: &mut Cluster<Machine>, until, listener| {
            cluster.step_until(until, &mut Both(listener, &mut *also))
        })
    }

    /// From here on everything that is left to chance is drawn as with another seed (docs/semantics.md, rule 68).
    pub(crate) fn reseed(&mut self, scenario: &Scenario, seed: u64) -> Result<(), Vec<Diagnostic>> {
        let mut compiled = compile(&scenario.model, Seed(seed), &Edits::default())?;
        crate::code::attach(scenario, &mut compiled);
        let mut plan = compiled.plan;
        let now = self.cluster.plan();
        let (history, spent_since) = (now.history, now.spent_since);
        let new = Arc::make_mut(&mut plan);
        (new.history, new.spent_since) = (history, spent_since);
        self.cluster.reseed(plan, Seed(seed), |plan, machine| machine.reseed(plan), &mut self.listener);
        Ok(())
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
