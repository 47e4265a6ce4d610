//! Many runs of one scenario: seeds × variants × values of a matrix, in parallel, with results in the order of the seeds.
//!
//! The result is a function of the set of seeds: which seed is the smallest failing one, where `fail_fast` stops and what
//! is expected are decided on finished prefixes in seed order, whatever the number of jobs (docs/semantics.md, rule 46).
//! One run is one thread; a panic in one seed is that seed's verdict.

mod precision;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use precision::Replications;
use rayon::prelude::*;

use crate::model::{Model, SweepVariants};
use crate::outcome::{Found, Outcome, Quantity, Status};
use crate::promise::{SeedFindings, SweepVerdict, judge_sweep};
use crate::run::{Divergence, Go, Options, Progress, run, twice};
use crate::scenario::{Choice, Diagnostics, Scenario, Source, load};

pub use precision::{Mean, Precision, REPLICATIONS_MAX, REPLICATIONS_MIN};

/// What to sweep over.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `--set`s of every run.
    pub sets: Vec<(String, String)>,
    /// Seeds from, to; else the file's, else as many from `run.seed` on as `run.precision` needs.
    pub seeds: Option<(u64, u64)>,
    /// `all`, `none` or names; else the file's.
    pub variants: Option<String>,
    /// Paths with their values; else the file's.
    pub matrix: Vec<(String, Vec<String>)>,
    /// How many at once; 0: as many as there are processors.
    pub jobs: usize,
    /// Stop at the smallest failing seed.
    pub fail_fast: bool,
    /// Run every seed twice.
    pub twice: bool,
}

/// One variant with one combination of the matrix.
#[derive(Clone, Debug)]
pub struct Point {
    /// The variant; none: the base.
    pub variant: Option<String>,
    /// What the matrix sets here.
    pub sets: Vec<(String, String)>,
    /// The scenario, ready to run.
    pub scenario: Scenario,
    /// It has an expectation; a matrix point is only measured.
    pub judged: bool,
}

impl Point {
    /// `base`, `lost_decisions`, `0.1%, 64`.
    pub fn name(&self) -> String {
        let values: Vec<&str> = self.sets.iter().map(|(_, value)| value.as_str()).collect();
        match (&self.variant, values.is_empty()) {
            (None, true) => "base".to_owned(),
            (Some(variant), true) => variant.clone(),
            (None, false) => values.join(", "),
            (Some(variant), false) => format!("{variant}, {}", values.join(", ")),
        }
    }
}

/// One seed at one point.
#[derive(Clone, Debug)]
pub struct SeedResult {
    /// Index of the point.
    pub point: usize,
    /// The seed.
    pub seed: u64,
    /// Over every event.
    pub fingerprint: u64,
    /// Events handled.
    pub events: u64,
    /// What its promises came to.
    pub found: Found,
    /// Per promise: name, status, for thresholds the value.
    pub promises: Vec<Promise>,
    /// What its promises came to, by name.
    pub findings: SeedFindings,
    /// The first lines of its first violation.
    pub witness: Vec<String>,
    /// The engine's own failure.
    pub panic: Option<String>,
    /// Run twice, the two differed here.
    pub divergence: Option<Divergence>,
}

/// One promise of one run.
#[derive(Clone, PartialEq, Debug)]
pub struct Promise {
    /// Its name.
    pub name: String,
    /// How it came out.
    pub status: Status,
    /// A threshold, and what was measured.
    pub threshold: Option<Option<Quantity>>,
}

/// A whole sweep.
#[derive(Clone, Debug)]
pub struct Swept {
    /// The scenario's name.
    pub name: String,
    /// Seeds from, to; with `run.precision` those of the point that needed most.
    pub seeds: (u64, u64),
    /// The points.
    pub points: Vec<Point>,
    /// By point, then by seed.
    pub results: Vec<SeedResult>,
    /// Per point its verdict; none for a matrix point, which is only measured.
    pub verdicts: Vec<Option<SweepVerdict>>,
    /// Per point, if the file asks for precision.
    pub precisions: Vec<Option<Precision>>,
    /// It was stopped from outside.
    pub interrupted: bool,
    /// 0, 1, 3, 4 or 130.
    pub exit: u8,
}

/// What a sweep tells while it goes on.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Runs finished.
    pub finished: usize,
    /// Runs in all.
    pub all: usize,
    /// The run that just finished was not as it should be.
    pub failed: bool,
}

/// Runs handed to the threads at once, per thread: enough to keep them busy, few enough to stop soon.
const BATCH_PER_JOB: usize = 16;

/// Sweeps. `step` is called from several threads.
pub fn sweep(
    source: &Source,
    request: &Request,
    stop: &AtomicBool,
    step: &(dyn Fn(Step) + Sync),
) -> Result<Swept, Diagnostics> {
    let base = load(source, &Choice { variant: None, sets: request.sets.clone(), seed: None })?;
    let points = points(source, &base.model, request)?;
    let plan: Vec<Seeds> = points.iter().map(|point| Seeds::of(point, request.seeds)).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(request.jobs).build().expect("threads can be started");
    let all = plan.iter().map(|seeds| (seeds.to - seeds.from) as usize).sum();
    let runs = Runs { points: &points, plan: &plan, request, stop, step, pool, all, finished: AtomicUsize::new(0) };
    let done = if plan.iter().any(|seeds| seeds.until_precise) { runs.until_precise() } else { runs.every_seed() };
    Ok(conclude(base.model.name, &plan, points, done))
}

/// The seeds of one point.
struct Seeds {
    from: u64,
    to: u64,
    /// `to` is where it gives up; precision decides where it ends.
    until_precise: bool,
}

impl Seeds {
    /// Those of the command, else those of the file, else as many as its precision needs.
    fn of(point: &Point, asked: Option<(u64, u64)>) -> Self {
        let model = &point.scenario.model;
        let from = model.run.seed;
        let needed = Self { from, to: from.saturating_add(REPLICATIONS_MAX), until_precise: true };
        asked.or(model.sweep.seeds).map_or(needed, |(from, to)| Self { from, to, until_precise: false })
    }
}

/// What came of the runs of a sweep.
struct Done {
    results: Vec<SeedResult>,
    interrupted: bool,
}

/// The runs of a sweep, on their threads.
struct Runs<'a> {
    points: &'a [Point],
    plan: &'a [Seeds],
    request: &'a Request,
    stop: &'a AtomicBool,
    step: &'a (dyn Fn(Step) + Sync),
    pool: rayon::ThreadPool,
    all: usize,
    finished: AtomicUsize,
}

impl Runs<'_> {
    /// Every seed of every point.
    fn every_seed(&self) -> Done {
        let each = |(point, seeds): (usize, &Seeds)| (seeds.from..seeds.to).map(move |seed| (point, seed));
        let jobs: Vec<(usize, u64)> = self.plan.iter().enumerate().flat_map(each).collect();
        let mut done = Done { results: Vec::with_capacity(jobs.len()), interrupted: false };
        for chunk in jobs.chunks(self.batch()) {
            if self.add(chunk, &mut done) {
                break;
            }
        }
        done
    }

    /// One point after the other, each up to the seed that makes it precise.
    fn until_precise(&self) -> Done {
        let mut done = Done { results: Vec::new(), interrupted: false };
        for (index, seeds) in self.plan.iter().enumerate() {
            let first = done.results.len();
            let mut replications = replications(&self.points[index]);
            let jobs: Vec<(usize, u64)> = (seeds.from..seeds.to).map(|seed| (index, seed)).collect();
            for chunk in jobs.chunks(self.batch()) {
                let before = done.results.len();
                let over = self.add(chunk, &mut done);
                let enough = done.results[before..].iter().position(|result| replications.push(result));
                if let (Some(at), true) = (enough, seeds.until_precise) {
                    done.results.truncate(before + at + 1);
                    break;
                }
                if over {
                    return done;
                }
            }
            assert!(done.results.len() > first || done.interrupted, "a point has at least one seed");
        }
        done
    }

    fn batch(&self) -> usize {
        self.pool.current_num_threads() * BATCH_PER_JOB
    }

    /// Runs these and keeps a finished prefix. Whether the sweep is over.
    fn add(&self, chunk: &[(usize, u64)], done: &mut Done) -> bool {
        let one = |&(point, seed): &(usize, u64)| {
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            let Point { scenario, variant, .. } = &self.points[point];
            let attempt = attempt(scenario, variant.as_deref(), seed, self.request.twice, self.stop)?;
            let result = seed_result(point, seed, attempt);
            let finished = self.finished.fetch_add(1, Ordering::Relaxed) + 1;
            let failed = !one_as_expected(&self.points[point], &result);
            (self.step)(Step { finished, all: self.all, failed });
            Some(result)
        };
        let ran: Vec<Option<SeedResult>> = self.pool.install(|| chunk.par_iter().map(one).collect());
        // Only a finished prefix counts.
        let prefix: Vec<SeedResult> = ran.into_iter().map_while(|result| result).collect();
        done.interrupted = prefix.len() < chunk.len();
        let before = done.results.len();
        done.results.extend(prefix);
        let failing = |r: &SeedResult| !one_as_expected(&self.points[r.point], r);
        if let (true, Some(at)) = (self.request.fail_fast, done.results[before..].iter().position(failing)) {
            done.results.truncate(before + at + 1);
            return true;
        }
        done.interrupted
    }
}

fn replications(point: &Point) -> Replications {
    let model = &point.scenario.model;
    Replications::new(
        model.run.precision.map_or(0.0, |wanted| wanted.value),
        model.thresholds.iter().map(|(name, _)| name.value.clone()),
    )
}

/// One run of many.
pub(crate) enum Attempt {
    /// It came to its end; if it was run twice and the two differ, where.
    Ran(Box<Outcome>, Option<Divergence>),
    /// The engine failed.
    Failed(String),
}

/// Runs one seed, or the same twice; none if it was stopped.
pub(crate) fn attempt(
    scenario: &Scenario,
    variant: Option<&str>,
    seed: u64,
    both: bool,
    stop: &AtomicBool,
) -> Option<Attempt> {
    let mut go = |_: Progress| if stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On };
    let ran = catch_unwind(AssertUnwindSafe(|| {
        if both {
            twice(scenario, seed, variant, &Options::lean(), &mut go)
        } else {
            run(scenario, seed, variant, &Options::lean(), &mut go).map(|outcome| (outcome, None))
        }
    }));
    if stop.load(Ordering::Relaxed) {
        return None;
    }
    Some(match ran {
        Ok(Ok((outcome, divergence))) => Attempt::Ran(Box::new(outcome), divergence),
        Ok(Err(errors)) => Attempt::Failed(format!("the scenario did not compile: {errors:?}")),
        Err(payload) => Attempt::Failed(panic_text(payload.as_ref())),
    })
}

/// What one run of many came to.
pub(crate) fn seed_result(point: usize, seed: u64, attempt: Attempt) -> SeedResult {
    match attempt {
        Attempt::Ran(outcome, divergence) => result(point, seed, &outcome, divergence),
        Attempt::Failed(text) => engine_bug(point, seed, text),
    }
}

fn result(index: usize, seed: u64, outcome: &Outcome, divergence: Option<Divergence>) -> SeedResult {
    let invariants =
        outcome.invariants.iter().map(|i| Promise { name: i.name.clone(), status: i.status, threshold: None });
    let thresholds =
        outcome.thresholds.iter().map(|t| Promise { name: t.name.clone(), status: t.status, threshold: Some(t.value) });
    let promises: Vec<Promise> = invariants.chain(thresholds).collect();
    let witness = outcome.invariants.iter().find(|i| i.status == Status::Violated).map(|i| i.witness.clone());
    SeedResult {
        point: index,
        seed,
        fingerprint: outcome.fingerprint,
        events: outcome.events,
        found: outcome.verdict.found,
        promises,
        findings: SeedFindings::of(seed, &outcome.invariants, &outcome.thresholds),
        witness: witness.unwrap_or_default(),
        panic: None,
        divergence,
    }
}

fn engine_bug(point: usize, seed: u64, text: String) -> SeedResult {
    SeedResult {
        point,
        seed,
        fingerprint: 0,
        events: 0,
        found: Found::Fail,
        promises: Vec::new(),
        findings: SeedFindings { seed, engine_bug: Some(text.clone()), ..SeedFindings::default() },
        witness: vec![format!("engine bug: {text}")],
        panic: Some(text),
        divergence: None,
    }
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|t| (*t).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without text".to_owned())
}

fn conclude(name: String, plan: &[Seeds], points: Vec<Point>, done: Done) -> Swept {
    let Done { results, interrupted } = done;
    let verdict = |(index, point): (usize, &Point)| {
        let mine: Vec<SeedFindings> = results.iter().filter(|r| r.point == index).map(|r| r.findings.clone()).collect();
        point.judged.then(|| judge_sweep(&point.scenario.model, &mine))
    };
    let verdicts: Vec<Option<SweepVerdict>> = points.iter().enumerate().map(verdict).collect();
    let precision = |(index, point): (usize, &Point)| {
        point.scenario.model.run.precision?;
        let mut replications = replications(point);
        results.iter().filter(|r| r.point == index).for_each(|result| _ = replications.push(result));
        Some(replications.finish())
    };
    let precisions: Vec<Option<Precision>> = points.iter().enumerate().map(precision).collect();
    let vague = |(seeds, precision): (&Seeds, &Option<Precision>)| {
        seeds.until_precise && precision.as_ref().is_some_and(|precision| !precision.reached)
    };
    let vague = plan.iter().zip(&precisions).any(vague);
    let exits = || verdicts.iter().flatten().map(|v| v.exit);
    let exit = if interrupted {
        130
    } else if results.iter().any(|r| r.divergence.is_some()) {
        4
    } else if results.iter().any(|r| r.panic.is_some()) || exits().any(|exit| exit == 1) {
        1
    } else {
        exits().max().unwrap_or(0).max(if vague { 3 } else { 0 })
    };
    // A point that was stopped by its precision has fewer seeds than it might have had.
    let last = results.iter().map(|r| r.seed + 1).max();
    let from = plan.iter().map(|seeds| seeds.from).min().unwrap_or(0);
    let until_precise = plan.iter().any(|seeds| seeds.until_precise);
    let to = plan.iter().map(|seeds| seeds.to).max().unwrap_or(0);
    let seeds = (from, if until_precise { last.unwrap_or(from) } else { to });
    Swept { name, seeds, points, results, verdicts, precisions, interrupted, exit }
}

/// Whether one seed alone contradicts its expectation.
fn one_as_expected(point: &Point, result: &SeedResult) -> bool {
    if result.divergence.is_some() || result.panic.is_some() {
        return false;
    }
    if !point.judged {
        return true;
    }
    let verdict = judge_sweep(&point.scenario.model, std::slice::from_ref(&result.findings));
    verdict.unexpected.is_empty()
}

/// The base and the wanted variants, each with every combination of the matrix.
fn points(source: &Source, base: &Model, request: &Request) -> Result<Vec<Point>, Diagnostics> {
    let known: Vec<String> = base.variants.iter().map(|v| v.value.clone()).collect();
    let mut variants: Vec<Option<String>> = vec![None];
    let wanted: Vec<String> = match request.variants.as_deref() {
        Some("all") => known,
        Some("none") => Vec::new(),
        Some(names) => names.split(',').map(|name| name.trim().to_owned()).collect(),
        None => match &base.sweep.variants {
            SweepVariants::Base => Vec::new(),
            SweepVariants::All => known,
            SweepVariants::Named(names) => names.iter().map(|name| name.value.clone()).collect(),
        },
    };
    variants.extend(wanted.into_iter().map(Some));
    let matrix: Vec<(String, Vec<String>)> = if request.matrix.is_empty() {
        base.sweep.matrix.iter().map(|(path, values)| (path.value.clone(), values.clone())).collect()
    } else {
        request.matrix.clone()
    };
    let mut found = Vec::new();
    for variant in variants {
        for sets in combinations(&matrix) {
            let all = request.sets.iter().chain(&sets).cloned().collect();
            let scenario = load(source, &Choice { variant: variant.clone(), sets: all, seed: None })?;
            found.push(Point { variant: variant.clone(), judged: sets.is_empty(), sets, scenario });
        }
    }
    Ok(found)
}

fn combinations(matrix: &[(String, Vec<String>)]) -> Vec<Vec<(String, String)>> {
    let Some(((path, values), rest)) = matrix.split_first() else { return vec![Vec::new()] };
    let tails = combinations(rest);
    let with = |value: &String| {
        let (path, value) = (path.clone(), value.clone());
        tails.iter().map(move |tail| [vec![(path.clone(), value.clone())], tail.clone()].concat()).collect::<Vec<_>>()
    };
    values.iter().flat_map(with).collect()
}
