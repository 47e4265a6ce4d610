//! Many scenario files at once: every variant of each, and whether all of it is as the files expect.
//!
//! Without seeds each variant is one run, with its own seed, and is compared with the fingerprint that was pinned for it
//! ([`pins`]); with seeds it is a sweep of its own. Results stand in the order of the files and their variants, whatever
//! the number of threads.

pub mod pins;

use std::cmp::Reverse;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rayon::prelude::*;

use crate::model::{Model, Place};
use crate::outcome::{Expectation, Outcome, Quantity, Status};
use crate::promise::{SeedFindings, SweepVerdict, judge_sweep};
use crate::run::Divergence;
use crate::scenario::{Choice, Diagnostics, Scenario, Source, load};
use crate::sweep::{Attempt, SeedResult, attempt, seed_result};

/// What to run of every file.
#[derive(Clone, Debug)]
pub struct Request {
    /// Seeds from, to of every variant; else its own seed, once.
    pub seeds: Option<(u64, u64)>,
    /// How many at once; 0: as many as there are processors.
    pub jobs: usize,
    /// Run everything twice and compare.
    pub twice: bool,
    /// Wall time since some moment: how long things take is for people, and the engine knows no clock.
    pub clock: fn() -> Duration,
}

/// One variant of one file.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Which file.
    pub file: usize,
    /// Which variant; none: the base.
    pub variant: Option<String>,
    /// How many seeds were run.
    pub seeds: u64,
    /// What came of it.
    pub state: State,
    /// One line: `fails blocking, nothing else`.
    pub summary: String,
    /// What is not as expected.
    pub complaints: Vec<Complaint>,
    /// Over every event of its only run.
    pub fingerprint: Option<u64>,
    /// How that compares with what was pinned.
    pub pin: Pin,
    /// Events of all runs.
    pub events: u64,
    /// How long all its runs took, one after the other.
    pub took: Duration,
}

/// What came of a variant; the order is that in which they decide how a suite ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// It is as the file expects.
    AsExpected,
    /// A judge gave up.
    Inconclusive,
    /// It is not as the file expects.
    NotAsExpected,
    /// The engine itself failed.
    EngineBug,
    /// Run twice, it differed.
    Nondeterministic,
    /// The file is wrong.
    Invalid,
}

impl State {
    /// The exit code of a suite of which this is the worst.
    pub const fn exit(self) -> u8 {
        match self {
            Self::AsExpected => 0,
            Self::Inconclusive => 3,
            Self::NotAsExpected | Self::EngineBug => 1,
            Self::Nondeterministic => 4,
            Self::Invalid => 2,
        }
    }

    const fn of_exit(exit: u8) -> Self {
        match exit {
            0 => Self::AsExpected,
            3 => Self::Inconclusive,
            _ => Self::NotAsExpected,
        }
    }
}

/// How a fingerprint compares with the one that was pinned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pin {
    /// There is no fingerprint: several seeds, or no run.
    None,
    /// Nothing was pinned.
    New,
    /// It is the same.
    Same,
    /// It was this.
    Changed(u64),
}

/// Something that is not as expected.
#[derive(Clone, PartialEq, Debug)]
pub struct Complaint {
    /// The line of the file it is about, from 1.
    pub line: usize,
    /// On which seed, if it is about a run.
    pub seed: Option<u64>,
    /// The promise it is about, or what kind of trouble it is.
    pub what: String,
    /// Witness, reason or error, line by line.
    pub told: Vec<String>,
    /// What a threshold came to.
    pub value: Option<Quantity>,
}

impl Complaint {
    fn plain(what: &str, told: Vec<String>) -> Self {
        Self { line: 1, seed: None, what: what.to_owned(), told, value: None }
    }
}

/// A whole suite.
#[derive(Clone, Debug)]
pub struct Tested {
    /// By file, then the base, then its variants.
    pub tried: Vec<Tried>,
    /// It was stopped from outside: what had not been run is not in `tried`.
    pub interrupted: bool,
}

impl Tested {
    /// 0, 1, 2, 3, 4 or 130.
    pub fn exit(&self) -> u8 {
        let worst = self.tried.iter().map(|tried| tried.state).max();
        if self.interrupted { 130 } else { worst.map_or(0, State::exit) }
    }
}

impl Tried {
    fn compare(&mut self, fingerprint: u64, pinned: Option<u64>) {
        self.pin = match pinned {
            None => Pin::New,
            Some(pinned) if pinned == fingerprint => Pin::Same,
            Some(pinned) => Pin::Changed(pinned),
        };
        if let Pin::Changed(pinned) = self.pin {
            self.state = self.state.max(State::NotAsExpected);
            let told = format!(
                "{fingerprint:016x} was pinned as {pinned:016x}: the scenario or the engine does something else now; if that \
                 is meant, `stormglass test --bless REASON`"
            );
            self.complaints.push(Complaint::plain("fingerprint", vec![told]));
        }
    }
}

/// One variant, ready to run.
struct Trial {
    file: usize,
    variant: Option<String>,
    scenario: Scenario,
}

/// What is pinned of a file's variant.
pub type Pinned<'a> = dyn Fn(usize, Option<&str>) -> Option<u64> + Sync + 'a;

/// Runs them all. `step` is called from several threads, as each variant is over, with how many there are.
pub fn test(
    files: &[Source],
    request: &Request,
    pinned: &Pinned<'_>,
    stop: &AtomicBool,
    step: &(dyn Fn(&Tried, usize) + Sync),
) -> Tested {
    let (mut trials, mut tried) = (Vec::new(), Vec::new());
    for (file, source) in files.iter().enumerate() {
        match trials_of(file, source) {
            Ok(found) => trials.extend(found),
            Err(errors) => tried.push(invalid(file, &errors)),
        }
    }
    let all = trials.len() + tried.len();
    for wrong in &tried {
        step(wrong, all);
    }
    let seeds = |trial: &Trial| {
        let own = trial.scenario.model.run.seed;
        request.seeds.map_or(own..=own, |(from, to)| from..=to.saturating_sub(1))
    };
    let each = |(n, trial): (usize, &Trial)| seeds(trial).map(move |seed| (n, seed));
    let mut jobs: Vec<(usize, u64)> = trials.iter().enumerate().flat_map(each).collect();
    // The longest first: else all wait in the end for one that has just begun.
    jobs.sort_by_key(|&(n, _)| Reverse(trials[n].scenario.model.run.duration));
    // How many runs of each trial are missing, and those there are.
    let open = |trial: &Trial| Mutex::new((seeds(trial).count(), Vec::new()));
    let open: Vec<Mutex<(usize, Vec<Ran>)>> = trials.iter().map(open).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(request.jobs).build().expect("threads can be started");
    let over: Vec<Tried> = pool.install(|| {
        let one = |&(n, seed): &(usize, u64)| {
            let trial = &trials[n];
            let ran = ran(trial, seed, request, stop)?;
            let mut open = open[n].lock().expect("who holds it does not panic");
            open.0 -= 1;
            open.1.push(ran);
            let runs = if open.0 == 0 { core::mem::take(&mut open.1) } else { return None };
            drop(open);
            let mut tried = judge(trial, runs, request.seeds.is_some());
            if let Some(fingerprint) = tried.fingerprint {
                tried.compare(fingerprint, pinned(trial.file, trial.variant.as_deref()));
            }
            step(&tried, all);
            Some(tried)
        };
        jobs.iter().par_bridge().filter_map(one).collect()
    });
    tried.extend(over);
    let place = |tried: &Tried| {
        let same = |trial: &Trial| trial.file == tried.file && trial.variant == tried.variant;
        (tried.file, trials.iter().position(same))
    };
    tried.sort_by_key(place);
    Tested { interrupted: tried.len() < all, tried }
}

fn trials_of(file: usize, source: &Source) -> Result<Vec<Trial>, Diagnostics> {
    let base = load(source, &Choice::default())?;
    let names: Vec<String> = base.model.variants.iter().map(|variant| variant.value.clone()).collect();
    let mut trials = vec![Trial { file, variant: None, scenario: base }];
    for name in names {
        let choice = Choice { variant: Some(name.clone()), ..Choice::default() };
        trials.push(Trial { file, variant: Some(name), scenario: load(source, &choice)? });
    }
    Ok(trials)
}

/// One run of a trial.
struct Ran {
    result: SeedResult,
    /// Of a single run: how it compares with what the file expects of one run.
    single: Option<(u8, String, Vec<Complaint>)>,
    took: Duration,
}

fn ran(trial: &Trial, seed: u64, request: &Request, stop: &AtomicBool) -> Option<Ran> {
    if stop.load(Ordering::Relaxed) {
        return None;
    }
    let since = (request.clock)();
    let attempt = attempt(&trial.scenario, trial.variant.as_deref(), seed, request.twice, stop)?;
    let took = (request.clock)().saturating_sub(since);
    let single = match &attempt {
        Attempt::Ran(outcome, _) if request.seeds.is_none() => {
            let complaints = complaints(&trial.scenario, seed, outcome);
            Some((outcome.verdict.exit, outcome.verdict.summary.clone(), complaints))
        }
        Attempt::Ran(..) | Attempt::Failed(_) => None,
    };
    Some(Ran { result: seed_result(0, seed, attempt), single, took })
}

fn judge(trial: &Trial, mut runs: Vec<Ran>, swept: bool) -> Tried {
    runs.sort_by_key(|ran| ran.result.seed);
    let (state, summary, complaints) = found(trial, &mut runs);
    let whole = !swept && state != State::EngineBug;
    Tried {
        file: trial.file,
        variant: trial.variant.clone(),
        seeds: runs.len() as u64,
        state,
        summary,
        complaints,
        fingerprint: runs.first().filter(|_| whole).map(|ran| ran.result.fingerprint),
        pin: Pin::None,
        events: runs.iter().map(|ran| ran.result.events).sum(),
        took: runs.iter().map(|ran| ran.took).sum(),
    }
}

fn found(trial: &Trial, runs: &mut [Ran]) -> (State, String, Vec<Complaint>) {
    let trouble = |seed, what, told| vec![Complaint { seed: Some(seed), ..Complaint::plain(what, vec![told]) }];
    for SeedResult { seed, divergence, panic, .. } in runs.iter().map(|ran| &ran.result) {
        if let Some(divergence) = divergence {
            let told = trouble(*seed, "nondeterminism", differs(divergence));
            return (State::Nondeterministic, "the same scenario and seed differ".to_owned(), told);
        }
        if let Some(panic) = panic {
            return (State::EngineBug, "the engine failed".to_owned(), trouble(*seed, "engine bug", panic.clone()));
        }
    }
    if let Some((exit, summary, complaints)) = runs.iter_mut().find_map(|ran| ran.single.take()) {
        return (State::of_exit(exit), summary, if exit == 0 { Vec::new() } else { complaints });
    }
    let findings: Vec<SeedFindings> = runs.iter().map(|ran| ran.result.findings.clone()).collect();
    let verdict = judge_sweep(&trial.scenario.model, &findings);
    let complaints = of_seeds(trial, &verdict, runs);
    (State::of_exit(verdict.exit), verdict.summary, complaints)
}

fn differs(divergence: &Divergence) -> String {
    let side = |record: &Option<crate::run::EventRecord>| {
        record.as_ref().map_or_else(
            || "has ended".to_owned(),
            |record| format!("{} at {}, {}, digest {:016x}", record.kind, record.node, record.time, record.digest),
        )
    };
    let (first, second) = (side(&divergence.first), side(&divergence.second));
    format!("event {}: the first run {first}; the second {second}", divergence.event)
}

/// What is not as expected of one run.
fn complaints(scenario: &Scenario, seed: u64, outcome: &Outcome) -> Vec<Complaint> {
    let wrong = |status: Status, expected: Expectation| match status {
        Status::Violated => expected == Expectation::Holds,
        Status::Holds => expected == Expectation::Fails,
        Status::Unknown | Status::Vacuous => true,
    };
    let invariants = outcome.invariants.iter().filter(|one| wrong(one.status, one.expected) && one.reached.is_none());
    let invariants = invariants.map(|one| Complaint {
        line: line(scenario, &one.name),
        seed: Some(seed),
        what: one.name.clone(),
        told: told(one.status, &one.witness),
        value: None,
    });
    let thresholds = outcome.thresholds.iter().filter(|one| wrong(one.status, one.expected));
    let thresholds = thresholds.map(|one| Complaint {
        line: line(scenario, &one.name),
        seed: Some(seed),
        what: one.name.clone(),
        told: told(one.status, &[]),
        value: one.value,
    });
    invariants.chain(thresholds).collect()
}

fn told(status: Status, witness: &[String]) -> Vec<String> {
    if !witness.is_empty() {
        return witness.to_vec();
    }
    let what = match status {
        Status::Violated => "it fails",
        Status::Holds => "it holds, and is expected to fail",
        Status::Unknown => "it is not known whether it holds",
        Status::Vacuous => "there was nothing to judge",
    };
    vec![what.to_owned()]
}

/// What is not as expected over many seeds: the first seeds that show it.
fn of_seeds(trial: &Trial, verdict: &SweepVerdict, runs: &[Ran]) -> Vec<Complaint> {
    let shown = verdict.unexpected.iter().take(SEEDS_SHOWN).map(|(seed, _, why)| {
        let broken = runs.iter().find(|ran| ran.result.seed == *seed).and_then(|ran| {
            ran.result.promises.iter().find(|promise| promise.status == Status::Violated).map(|p| p.name.as_str())
        });
        let what = broken.unwrap_or("expectation");
        let line = broken.map_or(1, |name| line(&trial.scenario, name));
        Complaint { line, seed: Some(*seed), ..Complaint::plain(what, vec![why.clone()]) }
    });
    let mut complaints: Vec<Complaint> = shown.collect();
    if complaints.is_empty() && verdict.exit != 0 {
        complaints.push(Complaint::plain("expectation", vec![verdict.summary.clone()]));
    }
    complaints
}

/// Seeds of a sweep that are told one by one.
const SEEDS_SHOWN: usize = 3;

/// The line of the file that declares a promise; 1 if it stands elsewhere.
fn line(scenario: &Scenario, name: &str) -> usize {
    let model: &Model = &scenario.model;
    let invariants = model.invariants.iter().map(|(name, _)| name);
    let mut all = invariants.chain(model.thresholds.iter().map(|(name, _)| name));
    all.find(|promise| promise.value == name).map_or(1, |promise| line_of(&scenario.sources, promise.place))
}

fn line_of(sources: &[Source], place: Place) -> usize {
    match (place.source, sources.first()) {
        (0, Some(file)) => file.position(place.start as usize).0,
        _ => 1,
    }
}

fn invalid(file: usize, errors: &Diagnostics) -> Tried {
    let complaint = |error: &crate::scenario::Diagnostic| Complaint {
        line: line_of(&errors.sources, error.place),
        ..Complaint::plain("error", vec![error.message.clone()])
    };
    Tried {
        file,
        variant: None,
        seeds: 0,
        state: State::Invalid,
        summary: errors.render(crate::scenario::Colour::Plain),
        complaints: errors.list.iter().map(complaint).collect(),
        fingerprint: None,
        pin: Pin::None,
        events: 0,
        took: Duration::ZERO,
    }
}
