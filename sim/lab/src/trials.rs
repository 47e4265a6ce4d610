//! Many seeds of one scenario or one of its variants: what property tests do.
//!
//! Like a sweep of one point: results stand in the order of the seeds, whatever the number of threads.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::promise::{SeedFindings, SweepVerdict, judge_sweep};
use crate::scenario::{Choice, Diagnostics, Scenario, Source, load};
use crate::sweep::{SeedResult, attempt, seed_result};

/// Which seeds, and how.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Seeds from, to; else those of the file's `[sweep]`; else the file's one.
    pub seeds: Option<(u64, u64)>,
    /// Seeds that are tried before these.
    pub earlier: Vec<u64>,
    /// How many at once; 0: as many as there are processors.
    pub jobs: usize,
    /// Stop at the first seed that breaks a promise.
    pub until_broken: bool,
}

/// What came of them.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The scenario.
    pub scenario: Scenario,
    /// By seed: those tried earlier, then the others in ascending order.
    pub results: Vec<SeedResult>,
    /// What they came to together.
    pub verdict: SweepVerdict,
    /// It was stopped from outside.
    pub interrupted: bool,
}

/// Runs handed to the threads at once, per thread.
const BATCH_PER_JOB: usize = 8;

/// Runs the seeds.
pub fn trials(source: &Source, choice: &Choice, request: &Request, stop: &AtomicBool) -> Result<Tried, Diagnostics> {
    let scenario = load(source, choice)?;
    let seeds = seeds(&scenario, request);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(request.jobs).build().expect("threads can be started");
    let one = |&seed: &u64| {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        Some(seed_result(0, seed, attempt(&scenario, choice.variant.as_deref(), seed, false, stop)?))
    };
    let mut results: Vec<SeedResult> = Vec::with_capacity(seeds.len());
    let mut interrupted = false;
    for batch in seeds.chunks(pool.current_num_threads() * BATCH_PER_JOB) {
        let ran: Vec<Option<SeedResult>> = pool.install(|| batch.par_iter().map(one).collect());
        let finished: Vec<SeedResult> = ran.into_iter().map_while(|result| result).collect();
        interrupted = finished.len() < batch.len();
        let broken = finished.iter().position(breaks).filter(|_| request.until_broken);
        let count = broken.map_or(finished.len(), |at| at + 1);
        results.extend(finished.into_iter().take(count));
        if broken.is_some() {
            interrupted = false;
            break;
        }
        if interrupted {
            break;
        }
    }
    let findings: Vec<SeedFindings> = results.iter().map(|result| result.findings.clone()).collect();
    let verdict = judge_sweep(&scenario.model, &findings);
    Ok(Tried { scenario, results, verdict, interrupted })
}

/// The run of a seed breaks an invariant, or the engine failed.
fn breaks(result: &SeedResult) -> bool {
    result.panic.is_some() || !result.findings.failing.is_empty()
}

/// The seeds in the order in which they are tried, each once. Thresholds are judged on the file's own seed, so that is one
/// of them.
fn seeds(scenario: &Scenario, request: &Request) -> Vec<u64> {
    let model = &scenario.model;
    let own = model.run.seed;
    let (from, to) = request.seeds.or(model.sweep.seeds).unwrap_or((own, own.saturating_add(1)));
    let judged = (!model.thresholds.is_empty() && !(from..to).contains(&own)).then_some(own);
    let mut all = Vec::new();
    for seed in request.earlier.iter().copied().chain(judged) {
        if !all.contains(&seed) {
            all.push(seed);
        }
    }
    let first = all.len();
    all.extend((from..to).filter(|seed| !request.earlier.contains(seed) && judged != Some(*seed)));
    debug_assert!(all[first..].is_sorted(), "the rest stands in ascending order");
    all
}
