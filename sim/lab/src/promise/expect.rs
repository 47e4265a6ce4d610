//! What happened against what `[expect]` says (docs/semantics.md, rule 45): of one run, and of a sweep.
//!
//! The expectation is exact: the promises that fail are those of `fails`, give or take `may_fail`; those that are vacuous
//! are those of `vacuous`. What could not be decided makes a run inconclusive, unless something else already
//! contradicts the expectation, or the promise stands in `may_fail`.

use std::collections::BTreeSet;

use crate::model::{At, Expect, Expected};
use crate::outcome::{Expectation, Found, InvariantResult, RunVerdict, Status, ThresholdResult};

/// Names of promises.
pub type NameSet = BTreeSet<String>;

/// What the promises of one run came to, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SeedFindings {
    /// The seed.
    pub seed: u64,
    /// Broken.
    pub failing: NameSet,
    /// Not decided.
    pub unknown: NameSet,
    /// Never evaluated.
    pub vacuous: NameSet,
    /// Broken thresholds. Apart, because a sweep judges thresholds on the pinned seed only.
    pub failing_thresholds: NameSet,
    /// Thresholds without samples.
    pub vacuous_thresholds: NameSet,
    /// Thresholds that were not decided.
    pub unknown_thresholds: NameSet,
    /// The `sometimes` promises that a sweep judges, and whether this run reached them.
    pub reached: Vec<(String, bool)>,
    /// The run panicked: this is its verdict.
    pub engine_bug: Option<String>,
}

impl SeedFindings {
    /// What one run came to.
    pub fn of(seed: u64, invariants: &[InvariantResult], thresholds: &[ThresholdResult]) -> Self {
        let invariant = |status| named(invariants.iter().filter(|i| judged(i)).map(|i| (&i.name, i.status)), status);
        let threshold = |status| named(thresholds.iter().map(|t| (&t.name, t.status)), status);
        Self {
            seed,
            failing: invariant(Status::Violated),
            unknown: invariant(Status::Unknown),
            vacuous: invariant(Status::Vacuous),
            failing_thresholds: threshold(Status::Violated),
            vacuous_thresholds: threshold(Status::Vacuous),
            unknown_thresholds: threshold(Status::Unknown),
            reached: invariants.iter().filter_map(|i| Some((i.name.clone(), i.reached?))).collect(),
            engine_bug: None,
        }
    }

    /// The sets that count: with thresholds or without.
    pub(super) fn sets(&self, thresholds: bool) -> Sets {
        let with = |a: &NameSet, b: &NameSet| if thresholds { a | b } else { a.clone() };
        Sets {
            failing: with(&self.failing, &self.failing_thresholds),
            unknown: with(&self.unknown, &self.unknown_thresholds),
            vacuous: with(&self.vacuous, &self.vacuous_thresholds),
        }
    }
}

/// The names with a status.
fn named<'a>(results: impl Iterator<Item = (&'a String, Status)>, status: Status) -> NameSet {
    results.filter(|&(_, s)| s == status).map(|(name, _)| name.clone()).collect()
}

/// A `sometimes` that one run does not judge leaves an unknown that is none.
fn judged(invariant: &InvariantResult) -> bool {
    !(invariant.reached == Some(false) && invariant.status == Status::Unknown)
}

/// What promises came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Sets {
    pub(super) failing: NameSet,
    pub(super) unknown: NameSet,
    pub(super) vacuous: NameSet,
}

/// Writes to each promise what `[expect]` says of it.
pub fn mark_expected(invariants: &mut [InvariantResult], thresholds: &mut [ThresholdResult], expect: &Expect) {
    let Rules { fails, may_fail, .. } = Rules::of(expect);
    let of = |name: &String| match (fails.contains(name), may_fail.contains(name)) {
        (true, _) if expect.some_seed => Expectation::FailsOnSomeSeed,
        (true, _) => Expectation::Fails,
        (false, true) => Expectation::MayFail,
        (false, false) => Expectation::Holds,
    };
    for invariant in invariants {
        invariant.expected = of(&invariant.name);
    }
    for threshold in thresholds {
        threshold.expected = of(&threshold.name);
    }
}

/// The verdict of one run. With `seeds = "some"` each of `fails` may fail or not.
pub fn judge(invariants: &[InvariantResult], thresholds: &[ThresholdResult], expect: &Expect) -> RunVerdict {
    // A `sometimes` that a sweep judges can neither meet nor contradict an expectation here.
    let left_to_sweep = |name: &String| {
        invariants.iter().any(|i| i.name == *name && i.reached.is_some() && i.status != Status::Violated)
    };
    let sets = SeedFindings::of(0, invariants, thresholds).sets(true);
    let mut rules = Rules::of(expect);
    rules.fails.retain(|name| !left_to_sweep(name));
    let allowed = rules.may_fail.clone();
    let missed = if expect.some_seed { rules.tolerate_fails() } else { NameSet::new() };
    let comparison = rules.compare(&sets);
    let word = if expect.some_seed { Word::Fits } else { rules.word(expect.verdict, &sets) };
    let exit = exit(&comparison, &word, expect.verdict);
    let summary = if exit == 0 { met(&sets, &allowed, &missed) } else { unmet(&sets, &comparison, &word) };
    RunVerdict { found: rules.found(&sets), as_expected: exit == 0, exit, summary }
}

/// The names of a list.
pub(super) fn names(list: &[At<String>]) -> NameSet {
    list.iter().map(|name| name.value.clone()).collect()
}

/// What is expected of one run, by name.
pub(super) struct Rules {
    pub(super) fails: NameSet,
    pub(super) may_fail: NameSet,
    pub(super) vacuous: NameSet,
}

/// How the sets of one run compare with the rules.
pub(super) struct Comparison {
    /// Contradictions, in words.
    pub(super) wrong: Vec<String>,
    /// Undecided, in words.
    pub(super) open: Vec<String>,
}

/// Whether the verdict word of `[expect]` fits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    /// It does.
    Fits,
    /// It cannot be told: something is unknown.
    Open,
    /// It does not.
    Wrong(&'static str),
}

impl Rules {
    pub(super) fn of(expect: &Expect) -> Self {
        Self { fails: names(&expect.fails), may_fail: names(&expect.may_fail), vacuous: names(&expect.vacuous) }
    }

    /// What must fail now only may; returns what that was.
    pub(super) fn tolerate_fails(&mut self) -> NameSet {
        let fails = std::mem::take(&mut self.fails);
        self.may_fail.extend(fails.iter().cloned());
        fails
    }

    /// What the sets come to. An unexpected vacuous promise is as bad as a broken one.
    pub(super) fn found(&self, sets: &Sets) -> Found {
        if !sets.failing.is_empty() || !sets.vacuous.is_subset(&self.vacuous) {
            Found::Fail
        } else if sets.unknown.is_empty() {
            Found::Pass
        } else {
            Found::Inconclusive
        }
    }

    pub(super) fn compare(&self, sets: &Sets) -> Comparison {
        let Sets { failing, unknown, vacuous } = sets;
        let allowed = &self.fails | &self.may_fail;
        let mut wrong: Vec<String> = failing.difference(&allowed).map(|name| format!("{name} fails")).collect();
        let mut open = Vec::new();
        for name in self.fails.difference(failing) {
            if unknown.contains(name) {
                open.push(format!("{name} is unknown"));
            } else {
                wrong.push(format!("{name} should fail and does not"));
            }
        }
        // A name of `fails` that is vacuous has already been told.
        for name in vacuous.difference(&(&self.vacuous | &self.fails)) {
            wrong.push(format!("{name} is vacuous"));
        }
        for name in self.vacuous.difference(vacuous) {
            wrong.push(format!("{name} should be vacuous and is not"));
        }
        open.extend(unknown.difference(&allowed).map(|name| format!("{name} is unknown")));
        Comparison { wrong, open }
    }

    /// Compares the verdict word. Promises of `may_fail` do not make a `pass` a `fail`, but are enough for an expected
    /// one.
    pub(super) fn word(&self, expected: Expected, sets: &Sets) -> Word {
        let undecided = !sets.unknown.is_subset(&self.may_fail);
        let tolerable = sets.failing.is_subset(&self.may_fail);
        match (expected, self.found(sets)) {
            (Expected::Pass, _) if tolerable && undecided => Word::Open,
            (Expected::Pass, _) if tolerable => Word::Fits,
            (Expected::Pass, _) => Word::Wrong("expected to pass"),
            (Expected::Fail, Found::Fail) => Word::Fits,
            (Expected::Fail, Found::Inconclusive) => Word::Open,
            (Expected::Fail, Found::Pass) => Word::Wrong("expected to fail"),
            (Expected::Inconclusive, _) if !sets.unknown.is_empty() => Word::Fits,
            (Expected::Inconclusive, _) => Word::Wrong("expected to be inconclusive"),
        }
    }
}

/// The exit code. Where an inconclusive end is expected, what is open is no lack.
pub(super) fn exit(comparison: &Comparison, word: &Word, expected: Expected) -> u8 {
    let wrong = matches!(word, Word::Wrong(_)) || !comparison.wrong.is_empty();
    let open = *word == Word::Open || !comparison.open.is_empty() && expected != Expected::Inconclusive;
    match (wrong, open) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => 0,
    }
}

/// One line for a run that is as expected; `missed` are those that have to fail on some seed.
fn met(sets: &Sets, allowed: &NameSet, missed: &NameSet) -> String {
    let (excused, failing) = (&sets.failing & allowed, &sets.failing - allowed);
    let told = match (failing.is_empty(), excused.is_empty()) {
        (true, true) if sets.unknown.is_empty() => "everything holds".to_owned(),
        (true, true) => format!("{} unknown, nothing fails", list(&sets.unknown)),
        (true, false) => format!("fails nothing but {}, which may", list(&excused)),
        (false, true) => format!("fails {}, nothing else", list(&failing)),
        (false, false) => format!("fails {}, nothing else but {}, which may", list(&failing), list(&excused)),
    };
    let missed: NameSet = missed - &sets.failing;
    match missed.len() {
        0 => told,
        1 => format!("{told}; {} is expected to fail on some seed, not on this one", list(&missed)),
        _ => format!("{told}; {} are expected to fail on some seed each, not on this one", list(&missed)),
    }
}

/// One line for a run that is not as expected, or undecided.
pub(super) fn unmet(sets: &Sets, comparison: &Comparison, word: &Word) -> String {
    let told = [&comparison.wrong[..], &comparison.open[..]].concat().join("; ");
    match word {
        Word::Wrong(word) if comparison.wrong.is_empty() => {
            let came = if sets.failing.is_empty() {
                "nothing fails".to_owned()
            } else {
                format!("fails {}", list(&sets.failing))
            };
            format!("{word}, but {came}")
        }
        Word::Fits | Word::Open | Word::Wrong(_) => told,
    }
}

fn list(names: &NameSet) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "expect_tests.rs"]
mod tests;
