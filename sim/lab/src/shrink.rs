//! Makes a failing run small: the same violation, with as few faults and operations as will do.
//!
//! A candidate is the user's file with a few values set, so whatever a file can say can be made smaller, and what is left
//! is again a file. Passes, each over and over until nothing more can go: the end is cut off, faults go, their instances,
//! the messages they hit, operations (delta debugging: Zeller and Hildebrandt 2002), machines, lengths. A candidate counts
//! if its run breaks the same promise in the same way; what cannot be loaded or does not end does not.
//!
//! Draws are keyed, so what is left out shifts nobody else's. Candidates are tried in parallel, a fixed number at a time, of
//! which the first that counts is taken: the result does not depend on the number of threads.

mod candidate;
pub mod deltas;
mod edit;
mod journal;
mod passes;
mod placing;
mod prefix;
mod search;
mod state;
mod text;
mod timeline;
mod whom;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::{At, Load, Only};
use crate::outcome::Outcome;
use crate::repro::{record, violated, without_chaos, written};
use crate::run::{EPOCH, Go};
use crate::scenario::{Choice, Diagnostics, Scenario, Source, load, toml_text};
pub use candidate::Tried;
use candidate::{Test, tilt};
pub use journal::{Known, known};
use search::Search;
use state::{Operations, State};

/// Closed loops with more operations than this are not written down.
const TIMED_MAX: usize = 100_000;

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
    /// What was tried before.
    pub known: Known,
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
    /// Runs spent; what the journal knew is counted, too.
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
    /// Lines for the journal.
    pub journal: String,
}

/// Where the journal of a search belongs, below the folder of results.
pub fn journal_name(source: &Source, request: &Request) -> Result<String, Diagnostics> {
    let scenario = load(source, &request.choice)?;
    let (name, id) = (&scenario.model.name, scenario.run_id(EPOCH, scenario.model.run.seed));
    let promise = request.promise.as_ref().map(|promise| format!("-{promise}")).unwrap_or_default();
    Ok(format!("{name}/min/{id}{promise}.attempts"))
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
    let tilt = tilt(&run.outcome, &class);
    let faults = written(&scenario.model, &run);
    let Some(loads) = loads(&scenario, seed) else {
        return Err(Refused::NotReproduced(class));
    };
    let mut state = State { faults, loads, sets: BTreeMap::new(), end: None };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(request.jobs).build().expect("threads can be started");
    let test = Test::new(source, request, &scenario, (class, tilt, seed), stop);
    let mut search = Search {
        test,
        pool,
        runs: 0,
        log: Vec::new(),
        told,
        scenario: &scenario,
        known: &request.known,
        tried: BTreeMap::new(),
        prefix: None,
        spent: false,
    };
    let from = state.size(&scenario);
    if search.first("written down", 1, &|_| ("as it was".to_owned(), state.clone())).is_none() {
        return Err(search.refused());
    }
    let necessary = search.passes(&mut state);
    if search.stopped() {
        return Err(Refused::Interrupted);
    }
    search.finish(&state, from, necessary)
}

/// The operations of all workloads, those of closed loops with their times.
fn loads(scenario: &Scenario, seed: u64) -> Option<Vec<Operations>> {
    let begins = timeline::begins(scenario, seed)?;
    let each = scenario.model.workloads.iter().zip(begins).map(|((name, workload), begins)| {
        let closed = matches!(workload.load, Load::Users { .. });
        let timed = matches!(workload.only, Some(Only::Listed(_))) || (closed && begins.len() <= TIMED_MAX);
        Operations { workload: name.value.clone(), timed, begins }
    });
    Some(each.collect())
}

/// A file with a comment at its head, behind the line that tells editors of the schema.
fn headed(text: &str, about: &str) -> String {
    match text.split_once('\n') {
        Some((first, rest)) if first.starts_with("#:schema") => format!("{first}\n{about}{rest}"),
        Some(_) | None => format!("{about}{text}"),
    }
}

impl Search<'_> {
    fn finish(mut self, state: &State, from: Size, necessary: bool) -> Result<Shrunk, Refused> {
        let model = &self.scenario.model;
        let mut choice = self.test.choice(state);
        // Of which run the original was, that says itself.
        choice.sets.extend(model.repro.is_some().then(|| ("repro".to_owned(), "none".to_owned())));
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
        // A design that is known to break it goes on being known for that.
        let breaks = |name: &At<String>| name.value == promise;
        let known = model.expect.fails.iter().chain(&model.expect.may_fail).any(breaks);
        let edited = || edit::edited(&self.test.source.text, variant, &sets, &promise, known);
        let edited = alone.then(edited).flatten();
        let edited = edited.map(|text| headed(&text, &about));
        let source = |text: String| Source { name: "min.toml".to_owned(), text, ..self.test.source.clone() };
        let whole = |search: &Self, text: &str| {
            search.test.broken(&load(&source(text.to_owned()), &Choice::default()).ok()?)?
        };
        let mine = edited.and_then(|text| Some((whole(&self, &text)?, text)));
        let edited = mine.is_some();
        let (outcome, text) = if let Some(mine) = mine {
            mine
        } else {
            let expect = format!("{{ verdict = \"fail\", fails = [{}] }}", toml_text(&promise));
            let expect = known.then(|| ("expect".to_owned(), expect));
            let sets = choice.sets.into_iter().chain(self.test.alone.iter().cloned()).chain(expect);
            let choice = Choice { sets: sets.collect(), ..choice };
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
