//! Many runs of one scenario: seeds × variants × values of a matrix, in parallel, with results in the order of the seeds.
//!
//! The result is a function of the set of seeds, and of what failed earlier: which seed is the smallest failing one, where
//! `fail_fast` stops and what is expected are decided on finished prefixes in seed order, whatever the number of jobs
//! (docs/semantics.md, rule 46). One run is one thread; a panic in one seed is that seed's verdict.
//!
//! A sweep can be told what is already known ([`Known`]): results that a journal kept ([`journal`]) of a sweep that was
//! stopped, or those of shards. They are taken as they are, so what comes out has the same bytes.

pub mod earlier;
pub mod journal;

mod conclude;
mod points;
mod precision;
mod result;
mod shard;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use precision::Replications;
use rayon::prelude::*;

use crate::promise::judge_sweep;
use crate::run::EPOCH;
use crate::scenario::{Choice, Diagnostics, Source, load};

pub use conclude::Swept;
pub use earlier::Earlier;
pub use points::Point;
pub use precision::{Mean, Precision, REPLICATIONS_MAX, REPLICATIONS_MIN};
pub(crate) use result::{Attempt, attempt, seed_result};
pub use result::{Promise, SeedResult, Violation};
pub use shard::{SHARDS_MAX, Shard};

/// What to sweep over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
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
    /// Only the seeds of this shard.
    pub shard: Option<Shard>,
}

impl Request {
    /// Where its results belong: `sweep-0-100`; with a tail if values are set or variants chosen, so that sweeps of others do
    /// not replace each other's results.
    pub fn folder(&self, seeds: Option<(u64, u64)>) -> String {
        let range = seeds.map_or_else(|| "until-precise".to_owned(), |(from, to)| format!("{from}-{to}"));
        // Of a path that is set twice the last value counts; the order of others does not.
        let sets: BTreeMap<&str, &str> =
            self.sets.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
        let mut all: Vec<&str> = sets.into_iter().flat_map(|(path, value)| ["set", path, value]).collect();
        for (path, values) in &self.matrix {
            all.extend(["matrix", path]);
            all.extend(values.iter().map(String::as_str));
        }
        all.extend(self.variants.iter().flat_map(|names| ["variants", names]));
        let hash = || xxhash_rust::xxh3::xxh3_64(all.join("\0").as_bytes()) as u32;
        let tail = if all.is_empty() { String::new() } else { format!("-{:08x}", hash()) };
        let shard = self.shard.map(|shard| format!("-shard-{}-of-{}", shard.number, shard.of));
        format!("sweep-{range}{tail}{}", shard.unwrap_or_default())
    }
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

/// What is known before a sweep begins, and who is told what it finds out.
pub struct Known<'a> {
    /// Points that failed earlier: they are tried first.
    pub earlier: Vec<Earlier>,
    /// Results that need not be found out again. Those of other points or seeds are left out.
    pub results: Vec<SeedResult>,
    /// Called from several threads with each result that was found out, as soon as it is.
    pub keep: &'a (dyn Fn(&SeedResult) + Sync),
}

impl Known<'_> {
    /// Nothing is known, and nobody is told.
    pub fn nothing() -> Self {
        Self { earlier: Vec::new(), results: Vec::new(), keep: &|_| () }
    }
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
    Ok(prepare(source, request)?.run(Known::nothing(), stop, step))
}

/// A sweep that was understood.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The scenario's name.
    pub name: String,
    /// Its points.
    pub points: Vec<Point>,
    request: Request,
    plan: Vec<Seeds>,
}

/// Reads the scenario at every point.
pub fn prepare(source: &Source, request: &Request) -> Result<Prepared, Diagnostics> {
    let base = load(source, &Choice { variant: None, sets: request.sets.clone(), seed: None })?;
    let points = points::points(source, &base.model, request)?;
    let plan = points.iter().map(|point| Seeds::of(point, request.seeds)).collect();
    Ok(Prepared { name: base.model.name, points, request: request.clone(), plan })
}

impl Prepared {
    /// Its seeds from, to: the widest range over its points; none if precision decides where it ends.
    pub fn seeds(&self) -> Option<(u64, u64)> {
        let from = self.plan.iter().map(|seeds| seeds.from).min()?;
        let to = self.plan.iter().map(|seeds| seeds.to).max()?;
        (!self.plan.iter().any(|seeds| seeds.until_precise)).then_some((from, to))
    }

    /// A hash of what its runs are: the engine, every point as it was resolved, and the seeds; not of the shard.
    pub fn identity(&self) -> String {
        let mut text = format!("{EPOCH}\n{}\ntwice {}\n", env!("CARGO_PKG_VERSION"), self.request.twice);
        for (point, seeds) in self.points.iter().zip(&self.plan) {
            let Point { variant, sets, scenario, .. } = point;
            let _ = write!(text, "{variant:?} {sets:?} {seeds:?}\n{}\n", scenario.resolved);
        }
        format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
    }

    /// Every run of it, by point and seed, if precision does not decide; of a shard only its own.
    pub fn runs(&self, shard: Option<Shard>) -> impl Iterator<Item = (usize, u64)> {
        let each = |(point, seeds): (usize, &Seeds)| (seeds.from..seeds.to).map(move |seed| (point, seed));
        let mine = move |seed| shard.is_none_or(|shard| shard.has(seed));
        self.plan.iter().enumerate().flat_map(each).filter(move |&(_, seed)| mine(seed))
    }

    /// How many those are.
    pub fn count(&self) -> u64 {
        let below = |seed: u64| match self.request.shard {
            None => seed,
            Some(shard) => (seed + shard.of - shard.number) / shard.of,
        };
        self.plan.iter().map(|seeds| below(seeds.to) - below(seeds.from)).fold(0, u64::saturating_add)
    }

    /// The runs of what failed earlier, by point and seed: of points that this sweep has; of a shard only its own.
    pub fn first(&self, earlier: &[Earlier], shard: Option<Shard>) -> Vec<(usize, u64)> {
        let here = |one: &Earlier| self.points.iter().position(|point| one.is_at(point, &self.request.sets));
        let mine = |one: &&Earlier| shard.is_none_or(|shard| shard.has(one.seed));
        let mut found: Vec<(usize, u64)> =
            earlier.iter().filter(mine).filter_map(|one| Some((here(one)?, one.seed))).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Runs what is not yet known, and judges all of it.
    pub fn run(self, known: Known<'_>, stop: &AtomicBool, step: &(dyn Fn(Step) + Sync)) -> Swept {
        let Self { points, plan, request, .. } = &self;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(request.jobs).build().expect("threads can be started");
        let first = self.first(&known.earlier, request.shard);
        let outside = first.iter().filter(|&&(point, seed)| !plan[point].has(seed)).count();
        let at = |result: SeedResult| ((result.point, result.seed), Ready { result, counted: false });
        let runs = Runs {
            points,
            plan,
            request,
            stop,
            step,
            keep: known.keep,
            pool,
            all: self.count() as usize + outside,
            finished: AtomicUsize::new(0),
            ready: Mutex::new(known.results.into_iter().map(at).collect()),
        };
        let done = runs.all(&first, self.runs(request.shard));
        drop(runs);
        conclude::conclude(self.name, &self.plan, self.points, done)
    }
}

/// The seeds of one point.
#[derive(Clone, Debug)]
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

    const fn has(&self, seed: u64) -> bool {
        self.from <= seed && seed < self.to
    }
}

/// What came of the runs of a sweep.
#[derive(Default)]
struct Done {
    results: Vec<SeedResult>,
    extra: Vec<SeedResult>,
    earlier: u64,
    interrupted: bool,
}

/// A result that need not be found out.
struct Ready {
    result: SeedResult,
    /// It was told as finished.
    counted: bool,
}

/// The runs of a sweep, on their threads.
struct Runs<'a> {
    points: &'a [Point],
    plan: &'a [Seeds],
    request: &'a Request,
    stop: &'a AtomicBool,
    step: &'a (dyn Fn(Step) + Sync),
    keep: &'a (dyn Fn(&SeedResult) + Sync),
    pool: rayon::ThreadPool,
    all: usize,
    finished: AtomicUsize,
    ready: Mutex<BTreeMap<(usize, u64), Ready>>,
}

impl Runs<'_> {
    /// First what failed earlier, then all seeds.
    fn all(&self, first: &[(usize, u64)], every: impl Iterator<Item = (usize, u64)>) -> Done {
        let mut tried = Done::default();
        for chunk in first.chunks(self.batch()) {
            if self.add(chunk, &mut tried) {
                return self.stopped_at_once(tried);
            }
        }
        let again =
            |result: &SeedResult| ((result.point, result.seed), Ready { result: result.clone(), counted: true });
        self.ready().extend(tried.results.iter().map(again));
        let mut done = if self.plan.iter().any(|seeds| seeds.until_precise) {
            self.until_precise()
        } else {
            self.every_seed(every)
        };
        done.earlier = tried.results.len() as u64;
        // What precision, or a failing seed, left out of the sweep was tried all the same.
        let swept: BTreeSet<(usize, u64)> = done.results.iter().map(|r| (r.point, r.seed)).collect();
        done.extra = tried.results.into_iter().filter(|r| !swept.contains(&(r.point, r.seed))).collect();
        done
    }

    /// What failed earlier fails again, and that is enough; or it was interrupted.
    fn stopped_at_once(&self, tried: Done) -> Done {
        let earlier = tried.results.len() as u64;
        let (results, extra) = tried.results.into_iter().partition(|r| self.plan[r.point].has(r.seed));
        Done { results, extra, earlier, interrupted: tried.interrupted }
    }

    /// Every seed of every point.
    fn every_seed(&self, every: impl Iterator<Item = (usize, u64)>) -> Done {
        let mut every = every;
        let mut done = Done::default();
        loop {
            let chunk: Vec<(usize, u64)> = every.by_ref().take(self.batch()).collect();
            if chunk.is_empty() || self.add(&chunk, &mut done) {
                return done;
            }
        }
    }

    /// One point after the other, each up to the seed that makes it precise.
    fn until_precise(&self) -> Done {
        let mut done = Done::default();
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

    fn ready(&self) -> std::sync::MutexGuard<'_, BTreeMap<(usize, u64), Ready>> {
        self.ready.lock().expect("who holds it does not panic")
    }

    /// Runs these and keeps a finished prefix. Whether the sweep is over.
    fn add(&self, chunk: &[(usize, u64)], done: &mut Done) -> bool {
        let ran: Vec<Option<SeedResult>> = self.pool.install(|| chunk.par_iter().map(|&job| self.one(job)).collect());
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

    /// One run, or what is known of it; none if it was stopped.
    fn one(&self, (point, seed): (usize, u64)) -> Option<SeedResult> {
        let ready = self.ready().remove(&(point, seed));
        let (result, counted) = if let Some(Ready { result, counted }) = ready {
            (result, counted)
        } else {
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            let Point { scenario, variant, .. } = &self.points[point];
            let attempt = attempt(scenario, variant.as_deref(), seed, self.request.twice, self.stop)?;
            let result = seed_result(point, seed, attempt);
            (self.keep)(&result);
            (result, false)
        };
        if !counted {
            let finished = self.finished.fetch_add(1, Ordering::Relaxed) + 1;
            let failed = !one_as_expected(&self.points[point], &result);
            (self.step)(Step { finished, all: self.all, failed });
        }
        Some(result)
    }
}

fn replications(point: &Point) -> Replications {
    let model = &point.scenario.model;
    Replications::new(
        model.run.precision.map_or(0.0, |wanted| wanted.value),
        model.thresholds.iter().map(|(name, _)| name.value.clone()),
    )
}

/// Whether one seed alone meets its expectation.
fn one_as_expected(point: &Point, result: &SeedResult) -> bool {
    contradiction(point, result).is_none()
}

/// How one seed alone contradicts its expectation, or leaves it open: the exit code, and why.
pub fn contradiction(point: &Point, result: &SeedResult) -> Option<(u8, String)> {
    if let Some(divergence) = &result.divergence {
        return Some((4, format!("run twice, event {} differs", divergence.event)));
    }
    if let Some(panic) = &result.panic {
        return Some((1, format!("engine bug: {panic}")));
    }
    if !point.judged {
        return None;
    }
    let verdict = judge_sweep(&point.scenario.model, std::slice::from_ref(&result.findings));
    verdict.unexpected.into_iter().next().map(|(_, exit, why)| (exit, why))
}
