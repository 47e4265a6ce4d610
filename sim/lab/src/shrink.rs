//! Makes a failing run small: the same violation, with as few faults and operations as will do.
//!
//! A candidate is the user's file with a few values set, so whatever a file can say can be made smaller, and what is left
//! is again a file. Passes, each over and over until nothing more can go: the end is cut off, faults go, their instances,
//! the messages they hit, operations (delta debugging: Zeller and Hildebrandt 2002), machines, lengths. A candidate counts
//! if its run breaks the same promise in the same way; what cannot be loaded or does not end does not.
//!
//! Draws are keyed, so what is left out shifts nobody else's. Candidates are tried in parallel, a fixed number at a time, of
//! which the first that counts is taken: the result does not depend on the number of threads.

pub mod deltas;
mod edit;
mod state;
mod timeline;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use kernel::{Span, Time};
use rayon::prelude::*;

use crate::outcome::Outcome;
use crate::repro::{record, violated, without_chaos, written};
use crate::run::Go;
use crate::scenario::{Choice, Diagnostics, Scenario, Source, load, toml_text};
use crate::sweep::{Attempt, attempt};
use state::{Element, State};

/// Candidates that are tried at once.
const AT_ONCE: usize = 8;
/// With so few operations each is tried alone anyway.
const ALONE_BEYOND: usize = 8;
/// So many operations that began before a fault are tried alone with it.
const ALONE_TRIED: usize = 3;
/// So long before and after a violation or a fault operations are looked for.
const NEAR: [Span; 5] = [Span::millis(20), Span::millis(100), Span::millis(500), Span::secs(2), Span::secs(8)];
/// To so many moments a fault is moved.
const MOMENTS: usize = 100;
/// An instance's length is halved so often at the most.
const HALVINGS: u32 = 12;

/// What to make smaller.
#[derive(Clone, Debug)]
pub struct Request {
    /// Variant, seed and `--set`s of the failing run.
    pub choice: Choice,
    /// The promise that it breaks; else the first that is broken.
    pub promise: Option<String>,
    /// How many runs may be spent.
    pub budget: u64,
    /// How many at once; 0: as many as there are processors.
    pub jobs: usize,
}

/// How much there is in a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Size {
    /// Instances of faults, counting each message that one hit.
    pub faults: usize,
    /// Operations that are begun.
    pub operations: usize,
    /// Machines of services.
    pub machines: usize,
    /// How long load arrives, in nanoseconds.
    pub duration: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The class of the violation.
    pub class: String,
    /// The promise that is broken.
    pub promise: String,
    /// How much there was,
    pub from: Size,
    /// and how much there is.
    pub to: Size,
    /// Runs spent.
    pub runs: u64,
    /// Each fault, each message it hits and each operation that is left was left out once more, and then the violation was
    /// gone. Else the budget was spent before.
    pub necessary: bool,
    /// What was tried: pass, candidate, whether it counted.
    pub log: Vec<String>,
    /// The file.
    pub text: String,
    /// It is the user's, with its comments; else everything is written out.
    pub edited: bool,
    /// The run of that file.
    pub outcome: Outcome,
}

/// Why nothing was made smaller.
#[derive(Clone, Debug)]
pub enum Refused {
    /// The scenario is wrong.
    Wrong(Diagnostics),
    /// The run breaks no promise, or not this one; the classes of those that it breaks.
    NotBroken(Vec<String>),
    /// The run that was written down does not break the promise any more.
    NotReproduced(String),
    /// It was stopped from outside.
    Interrupted,
}

/// What is told while it goes on.
#[derive(Clone, Debug)]
pub struct Step {
    /// Runs spent.
    pub runs: u64,
    /// What it does.
    pub pass: &'static str,
    /// How much is left.
    pub left: Size,
}

/// Makes a failing run small.
pub fn shrink(
    source: &Source,
    request: &Request,
    stop: &AtomicBool,
    told: &mut dyn FnMut(Step),
) -> Result<Shrunk, Refused> {
    let request = &Request { choice: without_chaos(source, &request.choice), ..request.clone() };
    let scenario = load(source, &request.choice).map_err(Refused::Wrong)?;
    let (seed, variant) = (scenario.model.run.seed, request.choice.variant.as_deref());
    let mut go = |_| if stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On };
    let wrong = |list| Refused::Wrong(scenario.diagnostics(list));
    let run = record(&scenario, seed, variant, &mut go).map_err(wrong)?;
    if stop.load(Ordering::Relaxed) {
        return Err(Refused::Interrupted);
    }
    let classes = violated(&run.outcome);
    let of = |class: &&String| class.split('/').next() == request.promise.as_deref();
    let chosen = if request.promise.is_some() { classes.iter().find(of) } else { classes.first() };
    let Some(class) = chosen.cloned() else { return Err(Refused::NotBroken(classes)) };
    let faults = written(&scenario.model, &run);
    let begun = scenario.model.workloads.iter().zip(&run.begun);
    let operations = begun.map(|((name, _), &begun)| (name.value.clone(), (0..begun).collect())).collect();
    let state = State { faults, operations, sets: BTreeMap::new(), end: None };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(request.jobs).build().expect("threads can be started");
    let test = Test { source, request, class, seed, stop };
    let search = Search { test, pool, runs: 0, log: Vec::new(), told, scenario: &scenario };
    search.run(state)
}

/// What a candidate must do to count.
struct Test<'a> {
    source: &'a Source,
    request: &'a Request,
    class: String,
    seed: u64,
    stop: &'a AtomicBool,
}

impl Test<'_> {
    /// The run of a candidate, if it breaks the same promise in the same way.
    fn breaks(&self, source: &Source, choice: &Choice) -> Option<Box<Outcome>> {
        let scenario = load(source, choice).ok()?;
        match attempt(&scenario, choice.variant.as_deref(), self.seed, false, self.stop)? {
            Attempt::Ran(outcome, _) if violated(&outcome).contains(&self.class) => Some(outcome),
            Attempt::Ran(..) | Attempt::Failed(_) => None,
        }
    }

    fn choice(&self, state: &State) -> Choice {
        let mut choice = self.request.choice.clone();
        choice.seed = Some(self.seed);
        choice.sets.extend(state.sets());
        choice
    }
}

struct Search<'a> {
    test: Test<'a>,
    pool: rayon::ThreadPool,
    runs: u64,
    log: Vec<String>,
    told: &'a mut dyn FnMut(Step),
    scenario: &'a Scenario,
}

/// A file with a comment at its head, behind the line that tells editors of the schema.
fn headed(text: &str, about: &str) -> String {
    match text.split_once('\n') {
        Some((first, rest)) if first.starts_with("#:schema") => format!("{first}\n{about}{rest}"),
        Some(_) | None => format!("{about}{text}"),
    }
}

impl Search<'_> {
    fn run(mut self, mut state: State) -> Result<Shrunk, Refused> {
        let from = state.size(self.scenario);
        if self.first("written down", &[("as it was".to_owned(), state.clone())]).is_none() {
            return Err(self.refused());
        }
        let mut necessary = false;
        while self.left() {
            let before = state.clone();
            self.cut(&mut state);
            self.elements(&mut state, "faults", State::whole_faults);
            self.elements(&mut state, "instances", State::instances);
            self.elements(&mut state, "messages", State::hits);
            self.near(&mut state);
            self.alone(&mut state);
            self.timed(&mut state);
            self.elements(&mut state, "operations", State::operations);
            self.machines(&mut state);
            self.lengths(&mut state);
            if state == before {
                necessary = self.left();
                break;
            }
        }
        if self.test.stop.load(Ordering::Relaxed) {
            return Err(Refused::Interrupted);
        }
        self.finish(&state, from, necessary)
    }

    fn refused(&self) -> Refused {
        if self.test.stop.load(Ordering::Relaxed) {
            Refused::Interrupted
        } else {
            Refused::NotReproduced(self.test.class.clone())
        }
    }

    fn left(&self) -> bool {
        self.runs < self.test.request.budget && !self.test.stop.load(Ordering::Relaxed)
    }

    /// The first of these that counts.
    fn first(&mut self, pass: &'static str, candidates: &[(String, State)]) -> Option<(usize, Box<Outcome>)> {
        for (batch, some) in candidates.chunks(AT_ONCE).enumerate() {
            if !self.left() {
                return None;
            }
            let room = usize::try_from(self.test.request.budget - self.runs).unwrap_or(usize::MAX);
            let some = &some[..some.len().min(room)];
            let test = &self.test;
            let one = |(_, state): &(String, State)| test.breaks(test.source, &test.choice(state));
            let mut ran: Vec<Option<Box<Outcome>>> = self.pool.install(|| some.par_iter().map(one).collect());
            self.runs += some.len() as u64;
            let found = ran.iter().position(Option::is_some);
            for ((what, _), outcome) in some.iter().zip(&ran) {
                let counts = if outcome.is_some() { "breaks it" } else { "-" };
                self.log.push(format!("{pass}\t{what}\t{counts}"));
            }
            let left = found.map_or_else(|| some[0].1.size(self.scenario), |at| some[at].1.size(self.scenario));
            (self.told)(Step { runs: self.runs, pass, left });
            if let Some(at) = found {
                return Some((batch * AT_ONCE + at, ran.swap_remove(at).expect("it was found")));
            }
        }
        None
    }

    /// Takes the first candidate that counts; its run.
    fn take(&mut self, pass: &'static str, state: &mut State, mut all: Vec<(String, State)>) -> Option<Box<Outcome>> {
        let (at, outcome) = self.first(pass, &all)?;
        *state = all.swap_remove(at).1;
        Some(outcome)
    }

    /// What waits for the nth time that a point is reached needs all the operations before that: where it does as well, it
    /// strikes at a time instead.
    fn timed(&mut self, state: &mut State) {
        if state.operations().len() <= ALONE_BEYOND {
            return;
        }
        let faults = state.whole_faults();
        let all: Vec<(String, State)> =
            faults.iter().filter_map(|f| Some((f.to_string(), state.at_a_time(f)?))).collect();
        for one in all {
            if self.take("at a time", state, vec![one]).is_some() {
                self.near(state);
                self.alone(state);
            }
        }
    }

    /// Only what began shortly before the violation, or before a fault.
    fn near(&mut self, state: &mut State) {
        if state.operations().len() <= ALONE_BEYOND {
            return;
        }
        let Ok(scenario) = load(self.test.source, &self.test.choice(state)) else { return };
        let Some((_, outcome)) = self.first("near", &[("as it is".to_owned(), state.clone())]) else { return };
        let begins = timeline::begins(&scenario, self.test.seed);
        let broken = outcome.invariants.iter().find(|i| i.class == self.test.class).and_then(|i| Some(i.first?.0));
        let struck = state.whole_faults().into_iter().chain(state.instances());
        let centres: Vec<Time> = broken.into_iter().chain(struck.filter_map(|fault| state.strikes(&fault))).collect();
        let mut all = Vec::new();
        for wide in NEAR {
            for &centre in &centres {
                let from = Time(centre.0.saturating_sub(wide.0));
                let some = state.within(&begins, from, centre + wide, self.scenario);
                all.push((format!("{wide} round {centre}"), some));
            }
        }
        all.retain(|(_, some)| some.operations().len() < state.operations().len());
        self.take("near", state, all);
    }

    /// One fault and one operation: a fault that strikes at a time misses what it hit as soon as others, for which that had
    /// to wait, are left out; so it is moved to each moment of that operation, and to the machine that has it now.
    fn alone(&mut self, state: &mut State) {
        if state.operations().len() <= ALONE_BEYOND {
            return;
        }
        let load = |test: &Test<'_>, state: &State| load(test.source, &test.choice(state)).ok();
        let Some(scenario) = load(&self.test, state) else { return };
        let begins = timeline::begins(&scenario, self.test.seed);
        for fault in state.whole_faults().into_iter().chain(state.instances()) {
            let Some(at) = state.strikes(&fault) else { continue };
            let before = begins.partition_point(|begin| begin.0 <= at);
            let near = begins[..before].iter().rev().take(ALONE_TRIED).chain(begins[before..].first());
            for &(began, workload, number) in near {
                let name = &self.scenario.model.workloads[workload].0.value;
                let quiet = state.only(name, number, None);
                let moments = match load(&self.test, &quiet) {
                    Some(scenario) => timeline::moments(&scenario, self.test.seed, began, MOMENTS),
                    None => Vec::new(),
                };
                let all = state.only(name, number, Some(&fault)).moved(&fault, &moments, self.scenario);
                if self.take("one operation", state, all).is_some() {
                    return;
                }
            }
        }
    }

    /// Load ends earlier: just after the violation, or after a part of the time.
    fn cut(&mut self, state: &mut State) {
        let duration = state.size(self.scenario).duration;
        let Some((_, outcome)) = self.first("end", &[("as it is".to_owned(), state.clone())]) else { return };
        let first = outcome.invariants.iter().find(|i| i.class == self.test.class).and_then(|i| i.first);
        let after = first.map(|(time, _)| (time.0 / 1_000_000 + 1) * 1_000_000);
        let mut ends: Vec<u64> = after.into_iter().chain([64, 16, 8, 4, 2].map(|part| duration / part)).collect();
        ends.retain(|end| (1_000_000..duration - duration / 16).contains(end));
        ends.sort_unstable();
        let all = ends.into_iter().map(|end| (format!("{end} ns"), state.ending(self.scenario, end))).collect();
        self.take("end", state, all);
    }

    /// Leaves out elements until none can go alone (delta debugging).
    fn elements(&mut self, state: &mut State, pass: &'static str, of: impl Fn(&State) -> Vec<Element>) {
        let mut all = of(state);
        if all.is_empty() {
            return;
        }
        let empty = state.without(&all);
        if all.len() > 1 && self.take(pass, state, vec![("without all".to_owned(), empty)]).is_some() {
            return;
        }
        let mut parts = 2.min(all.len());
        while self.left() {
            let size = all.len().div_ceil(parts);
            let candidates: Vec<(String, State)> = all
                .chunks(size)
                .map(|some| (format!("{} of {}: {}", some.len(), all.len(), some[0]), state.without(some)))
                .collect();
            if let Some((at, _)) = self.first(pass, &candidates) {
                let gone: Vec<Element> = all.chunks(size).nth(at).unwrap_or(&[]).to_vec();
                *state = state.without(&gone);
                all.retain(|element| !gone.contains(element));
                parts = parts.saturating_sub(1).max(2).min(all.len());
                if all.is_empty() {
                    return;
                }
            } else if size == 1 {
                return;
            } else {
                parts = (parts * 2).min(all.len());
            }
        }
    }

    /// Services and closed loops get along with one machine, or one user, or half of them.
    fn machines(&mut self, state: &mut State) {
        for (path, count) in state.counts(self.scenario) {
            let fewer = [1, count / 2, count - 1];
            let mut fewer: Vec<u32> = fewer.into_iter().filter(|n| (1..count).contains(n)).collect();
            fewer.dedup();
            let all = fewer.into_iter().map(|n| (format!("{path} = {n}"), state.with(&path, n.to_string()))).collect();
            self.take("machines", state, all);
        }
    }

    /// Instances last half as long, as long as that will do.
    fn lengths(&mut self, state: &mut State) {
        for element in state.instances() {
            for _ in 0..HALVINGS {
                let Some(half) = state.halved(&element) else { break };
                if self.take("lengths", state, vec![(element.to_string(), half)]).is_none() {
                    break;
                }
            }
        }
    }

    fn finish(mut self, state: &State, from: Size, necessary: bool) -> Result<Shrunk, Refused> {
        let choice = self.test.choice(state);
        let promise = self.test.class.split('/').next().unwrap_or("").to_owned();
        let variant = self.test.request.choice.variant.as_deref();
        let about = format!(
            "# The smallest story found of how `{promise}` breaks in {}, seed {}{}.\n",
            self.scenario.model.name,
            self.test.seed,
            variant.map(|variant| format!(", variant {variant}")).unwrap_or_default(),
        );
        let seed = ("run.seed".to_owned(), self.test.seed.to_string());
        let name = ("scenario.name".to_owned(), toml_text(&self.scenario.model.name));
        let sets: Vec<(String, String)> = choice.sets.iter().cloned().chain([seed, name]).collect();
        // A file that names others says nothing where it is put: its values are written out.
        let alone = self.test.source.files.is_empty();
        let edited = alone.then(|| edit::edited(&self.test.source.text, variant, &sets, &promise)).flatten();
        let edited = edited.map(|text| headed(&text, &about));
        let source = |text: String| Source { name: "min.toml".to_owned(), text, ..self.test.source.clone() };
        let whole = |search: &Self, text: &str| search.test.breaks(&source(text.to_owned()), &Choice::default());
        let mine = edited.and_then(|text| Some((whole(&self, &text)?, text)));
        let edited = mine.is_some();
        let (outcome, text) = if let Some(mine) = mine {
            mine
        } else {
            let Ok(scenario) = load(self.test.source, &choice) else { return Err(self.refused()) };
            let text = format!("{about}{}", scenario.resolved);
            let Some(outcome) = whole(&self, &text) else { return Err(self.refused()) };
            (outcome, text)
        };
        self.runs += 1;
        let to = state.size(self.scenario);
        let (class, runs, log) = (self.test.class, self.runs, self.log);
        Ok(Shrunk { class, promise, from, to, runs, necessary, log, text, edited, outcome: *outcome })
    }
}
