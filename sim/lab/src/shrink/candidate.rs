//! A candidate becomes a scenario, and its run an answer: does it break the same promise in the same way?
//!
//! What a file with all its lists would say is put into the model of the same file without them, which is loaded once:
//! reading thousands of operations again for each candidate takes longer than most runs.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::Time;

use super::Request;
use super::prefix::Prefix;
use super::state::{Operations, State};
use crate::model::{self, Only, Place, Trigger};
use crate::outcome::{Outcome, Tilt};
use crate::repro::{Came, violated};
use crate::run::{EPOCH, Go, World};
use crate::scenario::{Choice, Scenario, Source, load};
use crate::sweep::{Attempt, attempt};

/// Files without their lists that are kept.
const TEMPLATES_MAX: usize = 64;

/// By what is set, the file without its lists; `None` if it is wrong.
type Templates = BTreeMap<Vec<(String, String)>, Option<Arc<Scenario>>>;

/// What a candidate came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tried {
    /// It breaks the same promise in the same way.
    pub breaks: bool,
    /// When it is first broken, if that has a time.
    pub first: Option<Time>,
}

/// What a candidate must do to count.
pub(super) struct Test<'a> {
    pub(super) source: &'a Source,
    pub(super) request: &'a Request,
    pub(super) class: String,
    /// Which side of an equation was greater.
    tilt: Tilt,
    pub(super) seed: u64,
    pub(super) stop: &'a AtomicBool,
    /// What has to be set so that no other promise is there: one that is not kept from the beginning is refused.
    pub(super) alone: Vec<(String, String)>,
    /// What all candidates have in common, in the hash that names them.
    common: u128,
    templates: Mutex<Templates>,
}

impl<'a> Test<'a> {
    pub(super) fn new(
        source: &'a Source,
        request: &'a Request,
        scenario: &Scenario,
        (class, tilt, seed): (String, Tilt, u64),
        stop: &'a AtomicBool,
    ) -> Self {
        let promise = class.split('/').next().unwrap_or("");
        let invariants = scenario.model.invariants.iter().map(|(name, _)| ("invariants", &name.value));
        let thresholds = scenario.model.thresholds.iter().map(|(name, _)| ("thresholds", &name.value));
        let others = invariants.chain(thresholds).filter(|(_, name)| *name != promise);
        let gone = others.map(|(section, name)| format!("{section}.{name}")).chain(["expect".to_owned()]);
        let alone = gone.map(|path| (path, "none".to_owned())).collect();
        let choice = &request.choice;
        let version = env!("CARGO_PKG_VERSION");
        let common = format!(
            "{version} {EPOCH} {class} {tilt:?} {seed} {:?} {:?}\n{}\n{:?}",
            choice.variant, choice.sets, source.text, source.files
        );
        let common = xxhash_rust::xxh3::xxh3_128(common.as_bytes());
        Self { source, request, class, tilt, seed, stop, alone, common, templates: Mutex::default() }
    }

    /// The name of the promise.
    pub(super) fn promise(&self) -> &str {
        self.class.split('/').next().unwrap_or("")
    }

    /// What a candidate came to; `None` if it was stopped.
    pub(super) fn tried(&self, state: &State, prefix: Option<&Prefix>) -> Option<Tried> {
        let broken = match (self.scenario(state), prefix.and_then(|prefix| prefix.world(state))) {
            (Some(scenario), Some(world)) => self.goes_on(world, &scenario)?,
            (Some(scenario), None) => self.broken(&scenario)?,
            (None, _) => None,
        };
        let first = |outcome: Box<Outcome>| outcome.invariants.iter().find(|i| i.class == self.class)?.first;
        let breaks = broken.is_some();
        Some(Tried { breaks, first: broken.and_then(first).map(|(time, _)| time) })
    }

    /// The run of a scenario, if it breaks the same promise in the same way; `None` if it was stopped.
    #[expect(clippy::option_option, reason = "stopped is not the same as whole")]
    pub(super) fn broken(&self, scenario: &Scenario) -> Option<Option<Box<Outcome>>> {
        Some(match attempt(scenario, self.request.choice.variant.as_deref(), self.seed, false, self.stop)? {
            Attempt::Ran(outcome, _) if self.is_it(&outcome) => Some(outcome),
            Attempt::Ran(..) | Attempt::Failed(_) => None,
        })
    }

    /// The same violation: its class, and if sides do not add up the same is greater.
    fn is_it(&self, outcome: &Outcome) -> bool {
        violated(outcome).contains(&self.class) && tilt(outcome, &self.class) == self.tilt
    }

    /// The same, from a world that its run has come to.
    #[expect(clippy::option_option, reason = "stopped is not the same as whole")]
    fn goes_on(&self, world: &World, scenario: &Scenario) -> Option<Option<Box<Outcome>>> {
        let mut go = |_| if self.stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On };
        let variant = self.request.choice.variant.as_deref();
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let mut world = world.clone();
            world.begin_as(scenario, self.seed).ok()?;
            Some(Box::new(world.rest(scenario, self.seed, variant, &mut go)))
        }));
        (!self.stop.load(Ordering::Relaxed)).then(|| ran.ok().flatten().filter(|outcome| self.is_it(outcome)))
    }

    /// How a candidate is asked for.
    pub(super) fn choice(&self, state: &State) -> Choice {
        self.with(state.sets())
    }

    /// With no other promise than the one that it is about.
    fn loaded(&self, mut sets: Vec<(String, String)>) -> Option<Scenario> {
        sets.extend_from_slice(&self.alone);
        load(self.source, &self.with(sets)).ok()
    }

    fn with(&self, sets: Vec<(String, String)>) -> Choice {
        let mut choice = self.request.choice.clone();
        choice.seed = Some(self.seed);
        choice.sets.extend(sets);
        choice
    }

    /// A number for a candidate, by which it is known again.
    pub(super) fn name(&self, state: &State) -> u128 {
        use std::fmt::Write as _;
        let mut text = format!("{:032x}\n", self.common);
        for (path, value) in state.sets() {
            let _ = writeln!(text, "{path}={value}");
        }
        xxhash_rust::xxh3::xxh3_128(text.as_bytes())
    }

    /// A candidate, with no other promise than the one that it is about.
    pub(super) fn scenario(&self, state: &State) -> Option<Scenario> {
        // Where numbers of machines change, it is looked at whether targets are still there.
        let counted = state.sets.keys().any(|path| path.rsplit('.').next() == Some("nodes"));
        if counted { self.loaded(state.sets()) } else { self.patched(state) }
    }

    fn patched(&self, state: &State) -> Option<Scenario> {
        let template = self.template(state)?;
        // Then it is loaded again from its text before it runs.
        if template.model.run.automatic_warmup {
            return self.loaded(state.sets());
        }
        let mut scenario = (*template).clone();
        for fault in &state.faults {
            let Came::Instances(all) = &fault.came else { continue };
            let (_, declared) = scenario.model.faults.iter_mut().find(|(name, _)| name.value == fault.name)?;
            declared.trigger = Trigger::Listed(all.iter().map(|one| one.listed(declared.place)).collect());
        }
        for load in &state.loads {
            let (_, declared) = scenario.model.workloads.iter_mut().find(|(name, _)| name.value == load.workload)?;
            declared.only = Some(load.only());
        }
        Some(scenario)
    }

    /// The file with short lists of instances, and without lists of operations.
    fn template(&self, state: &State) -> Option<Arc<Scenario>> {
        let mut short = state.clone();
        for fault in &mut short.faults {
            if let Came::Instances(all) = &mut fault.came {
                *all = fault.first.iter().cloned().collect();
            }
        }
        for load in &mut short.loads {
            load.begins.clear();
        }
        let sets = short.sets();
        let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = templates.get(&sets) {
            return known.clone();
        }
        if templates.len() >= TEMPLATES_MAX {
            templates.clear();
        }
        let loaded = self.loaded(sets.clone()).map(Arc::new);
        templates.insert(sets, loaded.clone());
        loaded
    }
}

/// Which side was greater where a promise was broken.
pub(super) fn tilt(outcome: &Outcome, class: &str) -> Tilt {
    outcome.invariants.iter().find(|promise| promise.class == class).map_or(Tilt::Neither, |promise| promise.tilt)
}

impl Operations {
    /// As a model has it.
    fn only(&self) -> Only {
        if self.timed {
            let begin = |b: &super::timeline::Begin| model::Begin {
                number: b.number,
                at: b.at,
                user: b.user,
                place: Place::default(),
            };
            return Only::Listed(self.begins.iter().map(begin).collect());
        }
        let mut numbers: Vec<u64> = self.begins.iter().map(|begin| begin.number).collect();
        numbers.sort_unstable();
        let mut ranges: Vec<std::ops::Range<u64>> = Vec::new();
        for number in numbers {
            match ranges.last_mut() {
                Some(last) if last.end == number => last.end += 1,
                Some(_) | None => ranges.push(number..number + 1),
            }
        }
        Only::Numbers(ranges)
    }
}
