//! Candidates are tried: a fixed number at a time, each once, until the budget is spent.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::candidate::{Test, Tried};
use super::journal::{self, Known};
use super::prefix::Prefix;
use super::state::State;
use super::{Refused, Step};
use crate::scenario::Scenario;

/// Candidates that are tried at once.
pub(super) const AT_ONCE: usize = 8;

/// A candidate, and what to call it.
pub(super) type Candidate = (String, State);

/// How far it is.
pub(super) struct Search<'a> {
    pub(super) test: Test<'a>,
    pub(super) pool: rayon::ThreadPool,
    /// Different candidates that were tried, those of the journal too.
    pub(super) runs: u64,
    pub(super) log: Vec<String>,
    pub(super) told: &'a mut dyn FnMut(Step),
    pub(super) scenario: &'a Scenario,
    /// From the journal.
    pub(super) known: &'a Known,
    /// In this search.
    pub(super) tried: BTreeMap<u128, Tried>,
    /// Worlds on the way of the run of what is left, if operations of it are left out now.
    pub(super) prefix: Option<Prefix>,
    /// There was no room for what was to be tried next.
    pub(super) spent: bool,
}

impl Search<'_> {
    pub(super) fn refused(&self) -> Refused {
        if self.stopped() { Refused::Interrupted } else { Refused::NotReproduced(self.test.class.clone()) }
    }

    pub(super) fn stopped(&self) -> bool {
        self.test.stop.load(Ordering::Relaxed)
    }

    /// Whether anything more can be tried.
    pub(super) fn left(&self) -> bool {
        !self.spent && !self.stopped()
    }

    /// Keeps worlds on the way of the run of a state, from which candidates go on that leave out some of its operations.
    pub(super) fn share(&mut self, state: &State) {
        let before = self.prefix.take();
        let Some(scenario) = self.test.scenario(state) else { return };
        let seed = self.test.seed;
        let made = catch_unwind(AssertUnwindSafe(|| Prefix::new(state, &scenario, seed, before)));
        self.prefix = made.ok().flatten();
    }

    /// What these came to; `None` if there is no room for them, or it was stopped.
    pub(super) fn all(&mut self, pass: &'static str, some: &[Candidate]) -> Option<Vec<Tried>> {
        if !self.left() {
            return None;
        }
        let names: Vec<u128> = some.iter().map(|(_, state)| self.test.name(state)).collect();
        let mut fresh: Vec<usize> = Vec::new();
        for (n, name) in names.iter().enumerate() {
            if !self.tried.contains_key(name) && !names[..n].contains(name) {
                fresh.push(n);
            }
        }
        if self.runs + fresh.len() as u64 > self.test.request.budget {
            self.spent = true;
            return None;
        }
        let (test, known, prefix) = (&self.test, self.known, self.prefix.as_ref());
        let one = |&n: &usize| known.get(&names[n]).copied().or_else(|| test.tried(&some[n].1, prefix));
        let ran: Vec<Option<Tried>> = self.pool.install(|| fresh.par_iter().map(one).collect());
        let ran: Option<Vec<Tried>> = ran.into_iter().collect();
        let ran = ran.filter(|_| !self.stopped())?;
        let mut lines = String::new();
        for (&n, tried) in fresh.iter().zip(ran) {
            self.tried.insert(names[n], tried);
            if !self.known.contains_key(&names[n]) {
                lines += &journal::line(names[n], tried);
            }
            let counts = if tried.breaks { "breaks it" } else { "-" };
            self.log.push(format!("{pass}\t{}\t{counts}", some[n].0));
        }
        self.runs += fresh.len() as u64;
        let all: Vec<Tried> = names.iter().filter_map(|name| self.tried.get(name).copied()).collect();
        if !fresh.is_empty() {
            let smallest = all.iter().position(|tried| tried.breaks).unwrap_or(0);
            let left = some[smallest].1.size(self.scenario);
            (self.told)(Step { runs: self.runs, pass, left, journal: lines });
        }
        Some(all)
    }

    /// The first of so many that counts.
    pub(super) fn first(
        &mut self,
        pass: &'static str,
        count: usize,
        make: &dyn Fn(usize) -> Candidate,
    ) -> Option<(State, Tried)> {
        for from in (0..count).step_by(AT_ONCE) {
            let mut some: Vec<Candidate> = (from..count.min(from + AT_ONCE)).map(make).collect();
            let all = self.all(pass, &some)?;
            if let Some(at) = all.iter().position(|tried| tried.breaks) {
                return Some((some.swap_remove(at).1, all[at]));
            }
        }
        None
    }

    /// Takes the first of these that counts.
    pub(super) fn take(&mut self, pass: &'static str, state: &mut State, all: &[Candidate]) -> bool {
        let found = self.first(pass, all.len(), &|n| all[n].clone());
        found.map(|(smaller, _)| *state = smaller).is_some()
    }
}
