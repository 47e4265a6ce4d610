//! One run of many: what is kept of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use kernel::Time;

use crate::outcome::{Found, Outcome, Quantity, Status};
use crate::promise::SeedFindings;
use crate::run::{Divergence, Go, Options, Progress, run, twice};
use crate::scenario::Scenario;

/// One seed at one point.
#[derive(Clone, PartialEq, Debug)]
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
    /// Its promises: the invariants, then the thresholds.
    pub promises: Vec<Promise>,
    /// What its promises came to, by name.
    pub findings: SeedFindings,
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
    /// Of a `sometimes`, whether it was reached.
    pub reached: Option<bool>,
    /// How it was broken, if it was.
    pub violation: Option<Violation>,
}

/// How a promise was broken in one run. Runs with the same class and signature most likely fail for the same reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// `conservation/always`, `p99/crossed`.
    pub class: String,
    /// The faults that had begun by then and had an effect, by name, each once, sorted.
    pub signature: Vec<String>,
    /// The first lines of its witness.
    pub witness: Vec<String>,
}

/// Lines of a witness that are kept of each run.
const WITNESS_LINES: usize = 3;

/// Columns of such a line.
const WITNESS_COLUMNS: usize = 200;

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
        Attempt::Ran(outcome, divergence) => SeedResult {
            fingerprint: outcome.fingerprint,
            events: outcome.events,
            found: outcome.verdict.found,
            findings: SeedFindings::of(seed, &outcome.invariants, &outcome.thresholds),
            promises: promises(&outcome),
            divergence,
            ..SeedResult::empty(point, seed)
        },
        Attempt::Failed(text) => SeedResult {
            findings: SeedFindings { seed, engine_bug: Some(text.clone()), ..SeedFindings::default() },
            panic: Some(text),
            ..SeedResult::empty(point, seed)
        },
    }
}

impl SeedResult {
    /// Nothing is known of it yet.
    pub(super) fn empty(point: usize, seed: u64) -> Self {
        Self {
            point,
            seed,
            fingerprint: 0,
            events: 0,
            found: Found::Fail,
            promises: Vec::new(),
            findings: SeedFindings { seed, ..SeedFindings::default() },
            panic: None,
            divergence: None,
        }
    }
}

fn promises(outcome: &Outcome) -> Vec<Promise> {
    let invariants = outcome.invariants.iter().map(|invariant| Promise {
        name: invariant.name.clone(),
        status: invariant.status,
        threshold: None,
        reached: invariant.reached,
        violation: (invariant.status == Status::Violated).then(|| Violation {
            class: invariant.class.clone(),
            signature: signature(outcome, invariant.broken_by().map(|(time, _)| time)),
            witness: invariant.witness.iter().flat_map(|text| text.lines()).take(WITNESS_LINES).map(clipped).collect(),
        }),
    });
    let thresholds = outcome.thresholds.iter().map(|threshold| Promise {
        name: threshold.name.clone(),
        status: threshold.status,
        threshold: Some(threshold.value),
        reached: None,
        violation: (threshold.status == Status::Violated).then(|| Violation {
            class: format!("{}/crossed", threshold.name),
            signature: signature(outcome, threshold.at),
            witness: Vec::new(),
        }),
    });
    invariants.chain(thresholds).collect()
}

/// The faults that may have brought a violation about: those that had begun when it was first seen and had an effect; of
/// one without a moment, all that had an effect. By name, so that it does not matter how many instances a fault had or
/// which machines the seed picked.
fn signature(outcome: &Outcome, until: Option<Time>) -> Vec<String> {
    let before = outcome.faults.iter().filter(|fault| fault.effective && until.is_none_or(|until| fault.from <= until));
    let mut names: Vec<String> = before.map(|fault| fault.name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn clipped(line: &str) -> String {
    let mut short: String = line.chars().take(WITNESS_COLUMNS).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|t| (*t).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without text".to_owned())
}
