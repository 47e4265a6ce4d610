//! One run: a compiled scenario and its seed become an outcome.
//!
//! A `World` is a cluster with everybody who listens to it: statistics, promises, history. `step` handles one event;
//! the run's phases (heal, end of load, rest, end) are decided between events (docs/semantics.md, "What happens when").

/// The body of every run, once for each sort of listener. A function that takes another would not stay one loop.
macro_rules! advance {
    ($world:ident, $step:expr) => {{
        $world.listener.events = $world.cluster.events() + 1;
        let mut until = $world.calm();
        let handled = loop {
            if until == Time::ZERO {
                if $world.over() {
                    return None;
                }
                until = Time::END;
            }
            match $step(&mut $world.cluster, until, &mut $world.listener) {
                Some(handled) => break handled,
                None if until == Time::END => return None,
                None => until = Time::ZERO,
            }
        };
        let resting = $world.cluster.unfinished() == 0;
        if resting && !$world.resting {
            $world.rests += 1;
            $world.listener.rest(handled.time);
        }
        $world.resting = resting;
        Some(handled)
    }};
}

mod another;
mod availability;
mod beside;
mod leading;
mod ledger;
mod listener;
mod stores;
mod topology;
mod twice;
mod warmup;

use cluster::{Cluster, Loses};
use kernel::{NodeId, Process as _, Seed, Span, Time};
use systems::app::machine::Machine;
use systems::app::plan::Part;

pub(crate) use another::settled;
pub use listener::HISTORY_LINES_MAX;
use listener::Listener;
pub use topology::topology;
pub use twice::{Divergence, EventRecord, twice};

use crate::compile::{Compiled, Edits, compile};
use crate::measure::{Detail, window_width};
use crate::model::Model;
use crate::outcome::{Outcome, Times};
use crate::scenario::{Diagnostic, Scenario};

/// The engine's version of the event order; it enters every run id.
pub const EPOCH: u32 = 1;

/// How a run is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// Series for charts, or totals only.
    pub detail: Detail,
    /// Whether the clients' operations are kept.
    pub history: History,
    /// Whether it is kept where the time of calls goes.
    pub spent: bool,
    /// Terms that nobody's threshold asks for, such as those of tests against theory.
    pub wanted: Vec<crate::measure::Wanted>,
    /// Whether the ledger of faults names the messages that were lost or copied.
    pub named_hits: bool,
    /// Changes that have no place in the file.
    pub edits: Edits,
}

/// Whether the clients' operations are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum History {
    /// Only if the scenario has state to judge them by.
    IfThereIsState,
    /// No.
    Never,
    /// No, but clients tell of them, for whoever else listens.
    Told,
}

impl Options {
    /// A run for people to look at.
    pub fn full() -> Self {
        Self {
            detail: Detail::Windows,
            history: History::IfThereIsState,
            spent: true,
            wanted: Vec::new(),
            named_hits: false,
            edits: Edits::default(),
        }
    }

    /// One of many runs.
    pub fn lean() -> Self {
        Self { detail: Detail::Totals, history: History::Never, spent: false, ..Self::full() }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Virtual time now.
    pub now: Time,
    /// When it ends at the latest.
    pub limit: Time,
    /// Events handled.
    pub events: u64,
}

/// Whether to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Go {
    /// Yes.
    On,
    /// Stop now; what was found so far is kept.
    Stop,
}

/// Events between two calls of the progress function.
const PROGRESS_EVERY: u64 = 1 << 16;

/// A run with more events than this in one instant goes round in a circle without delay; it is ended.
pub const EVENTS_PER_INSTANT_MAX: u64 = 2_000_000;

/// A cluster and its listeners, at one moment of a run. A clone goes on exactly as the original does.
#[derive(Clone)]
pub struct World {
    /// The simulated world.
    pub cluster: Cluster<Machine>,
    listener: Listener,
    times: Times,
    /// Until here, time alone changes nothing: no fault is healed, load does not end.
    calm: Time,
    healed: bool,
    load_ended: bool,
    rests: u64,
    resting: bool,
}

impl World {
    /// A world at time 0. What the compiler could refuse was told when the scenario was loaded.
    pub fn new(scenario: &Scenario, seed: u64, options: &Options) -> Result<Self, Vec<Diagnostic>> {
        let model = &scenario.model;
        let mut compiled = compile(model, Seed(seed), &options.edits)?;
        crate::code::attach(scenario, &mut compiled);
        let has_state = !model.transactions.is_empty() || !model.stores.is_empty();
        std::sync::Arc::make_mut(&mut compiled.plan).history = options.history == History::IfThereIsState && has_state;
        let times = times(model);
        if options.spent {
            std::sync::Arc::make_mut(&mut compiled.plan).spent_since = Some(times.warmup);
        }
        let listener = Listener::new(scenario, &compiled, times, options)?;
        let told = options.history == History::Told || listener.wants_outputs();
        std::sync::Arc::make_mut(&mut compiled.plan).history = told;
        let Compiled { plan, hardware, mut faults, .. } = compiled;
        faults.named_hits = options.named_hits;
        let cluster = Cluster::new(plan, hardware, faults, Seed(seed));
        Ok(Self {
            cluster,
            listener,
            times,
            calm: Time::ZERO,
            healed: false,
            load_ended: false,
            rests: 0,
            resting: false,
        })
    }

    /// Handles one event. None when the run is over.
    pub fn step(&mut self) -> Option<cluster::Handled> {
        self.advance()
    }

    #[expect(clippy::inline_always, reason = "the loop of a run does not look at what was handled")]
    #[inline(always)]
    fn advance(&mut self) -> Option<cluster::Handled> {
        advance!(self, Cluster::step_until)
    }

    /// Until when the run is certainly not over and no phase of it ends, whatever happens; 0 if that must be looked at.
    #[inline]
    fn calm(&self) -> Time {
        let stuck = self.cluster.events_in_instant() > EVENTS_PER_INSTANT_MAX;
        if stuck || self.listener.stops() { Time::ZERO } else { self.calm }
    }

    /// Crashes a machine now, between two events; it comes back after `length`. Already down, it stays as it is.
    pub fn crash(&mut self, node: NodeId, length: Span) {
        self.listener.events = self.cluster.events();
        self.cluster.crash_for(node, Loses::USUAL, length, &mut self.listener);
        self.resting = self.resting && self.cluster.unfinished() == 0;
    }

    /// Whether the run is over: nothing can happen any more, it is at rest after its load, its time is up, or a promise
    /// that ends it is broken.
    fn over(&mut self) -> bool {
        let next = self.cluster.next_time().unwrap_or(Time::END);
        if !self.healed && next > self.times.heal {
            self.healed = true;
            self.listener.healed(self.times.heal);
        }
        if !self.load_ended && next >= self.times.duration {
            self.load_ended = true;
            self.listener.load_ended(self.times.duration);
        }
        let phase_ends = if self.healed { self.times.duration } else { self.times.duration.min(self.times.heal) };
        self.calm = if self.load_ended { Time::ZERO } else { Time(phase_ends.0.saturating_sub(1)) };
        let waits_for = self.listener.not_before(self.times.duration, self.times.limit);
        let rested = self.load_ended && self.cluster.unfinished() == 0 && next > waits_for;
        if self.cluster.events_in_instant() > EVENTS_PER_INSTANT_MAX {
            let at = self.cluster.now();
            self.listener.gives_up(format!(
                "gave up at {at}: more than {EVENTS_PER_INSTANT_MAX} events in one instant, a cycle without delay"
            ));
            return true;
        }
        rested || next > self.times.limit || self.listener.stops()
    }

    /// When the run ended.
    fn end(&mut self) -> Time {
        if self.listener.stops() || self.listener.ended_early() {
            return self.cluster.now();
        }
        if self.cluster.unfinished() == 0 {
            return self
                .cluster
                .now()
                .max(self.listener.not_before(self.times.duration, self.times.limit))
                .min(self.times.limit);
        }
        self.times.limit
    }

    /// Judges, and gives the outcome.
    pub fn finish(mut self, scenario: &Scenario, seed: u64, variant: Option<&str>) -> Outcome {
        let end = self.end();
        let at_rest = self.cluster.unfinished() == 0;
        for node in 0..self.cluster.len() as u32 {
            let (plan, process) = (self.cluster.plan(), self.cluster.process(NodeId(node)));
            let listener = &mut self.listener;
            process.kept_sums(plan, &mut |series, sum| listener.kept(series, sum));
            if self.cluster.up(NodeId(node)) {
                process.open_samples(plan, &mut |series, since| listener.still_open(end, NodeId(node), series, since));
            }
        }
        let unfinished = self.what_is_unfinished();
        self.listener.finish(
            scenario,
            &listener::Ending { cluster: &self.cluster, end, at_rest, unfinished, rests: self.rests, seed, variant },
        )
    }

    /// By workload, how many operations were begun or left out.
    fn begun(&self) -> Vec<u64> {
        let mut all = Vec::new();
        for node in 0..self.cluster.len() as u32 {
            let (plan, process) = (self.cluster.plan(), self.cluster.process(NodeId(node)));
            if let (Part::Workload(n), Some(begun)) = (plan.nodes[node as usize].part, process.begun()) {
                all.resize(all.len().max(n as usize + 1), 0);
                all[n as usize] = begun;
            }
        }
        all
    }

    /// For people: what keeps the run from being at rest.
    fn what_is_unfinished(&self) -> String {
        let mut parts = Vec::new();
        for node in 0..self.cluster.len() as u32 {
            let count = self.cluster.process(NodeId(node)).unfinished();
            if count > 0 {
                parts.push(format!("{count} at {}", self.listener.names.node(NodeId(node))));
            }
        }
        if parts.is_empty() { format!("{} on the way", self.cluster.unfinished()) } else { parts.join(", ") }
    }
}

/// The phases of a scenario's runs.
pub fn times(model: &Model) -> Times {
    let limit = model.run.duration + model.run.quiesce;
    Times {
        warmup: model.run.warmup,
        heal: model.run.heal,
        duration: model.run.duration,
        limit,
        window: window_width(limit).max(Span::nanos(1)),
    }
}

/// Runs a scenario with a seed.
pub fn run(
    scenario: &Scenario,
    seed: u64,
    variant: Option<&str>,
    options: &Options,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Result<Outcome, Vec<Diagnostic>> {
    let ended = to_the_end(scenario, seed, options, progress)?;
    Ok(ended.conclude(scenario, seed, variant))
}

/// What came of a run, and what it was made of.
pub struct Recorded {
    /// What came of it.
    pub outcome: Outcome,
    /// Every instance of a fault, in the order of the ledger, with the messages it hit if `Options::named_hits` asks for them.
    pub ledger: Vec<cluster::Instance>,
    /// What the numbers are called.
    pub names: crate::names::Names,
    /// By workload, how many operations were begun or left out.
    pub begun: Vec<u64>,
}

/// Runs a scenario with a seed, and keeps what it was made of.
pub fn recorded(
    scenario: &Scenario,
    seed: u64,
    variant: Option<&str>,
    options: &Options,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Result<Recorded, Vec<Diagnostic>> {
    let ended = to_the_end(scenario, seed, options, progress)?;
    let world = &ended.world;
    let (ledger, names) = (world.cluster.ledger().to_vec(), world.listener.names.clone());
    let begun = world.begun();
    Ok(Recorded { outcome: ended.conclude(scenario, seed, variant), ledger, names, begun })
}

/// A world that has come to its end, with the warm-up that was chosen for it.
struct Ended {
    world: World,
    settled: Option<warmup::Settled>,
}

fn to_the_end(
    scenario: &Scenario,
    seed: u64,
    options: &Options,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Result<Ended, Vec<Diagnostic>> {
    let settled = warmup::settle(scenario, seed, progress)?;
    let scenario = settled.as_ref().map_or(scenario, |settled| &settled.scenario);
    let mut world = World::new(scenario, seed, options)?;
    world.go_on(progress);
    Ok(Ended { world, settled })
}

impl Ended {
    fn conclude(self, scenario: &Scenario, seed: u64, variant: Option<&str>) -> Outcome {
        let Self { world, settled } = self;
        let mut outcome = world.finish(settled.as_ref().map_or(scenario, |settled| &settled.scenario), seed, variant);
        if let Some(settled) = settled {
            settled.tell(&mut outcome);
        }
        outcome
    }
}
