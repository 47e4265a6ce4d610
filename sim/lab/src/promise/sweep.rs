//! The verdict of a sweep: every seed's findings against `[expect]`, and the promises that only a sweep judges.
//!
//! Thresholds are judged on the pinned seed (`run.seed`) only, which the caller therefore runs too; with
//! `seeds = "some"` one that stands in `fails` counts on any seed. The result is a function of the set of seeds.

use std::collections::BTreeMap;

use super::expect::{Comparison, NameSet, Rules, SeedFindings, Sets, Word, exit, unmet};
use crate::model::{Expected, Form, Model};
use crate::outcome::Found;

/// The verdict of a sweep of one variant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SweepVerdict {
    /// What happened, over all seeds.
    pub found: Found,
    /// It is what `[expect]` says.
    pub as_expected: bool,
    /// 0, 1 or 3.
    pub exit: u8,
    /// One line.
    pub summary: String,
    /// The broken promises by name, each with its seeds in ascending order.
    pub failing: Vec<(String, Vec<u64>)>,
    /// The `sometimes` promises that too few seeds reached, each with seeds that did and all seeds.
    pub not_reached: Vec<(String, u64, u64)>,
    /// Seeds that contradict the expectation or are undecided, ascending, each with its exit code and why.
    pub unexpected: Vec<(u64, u8, String)>,
}

/// The verdict of a sweep: `model` is the base's or the variant's, `seeds` what each seed's run came to.
pub fn judge_sweep(model: &Model, seeds: &[SeedFindings]) -> SweepVerdict {
    let mut seeds: Vec<&SeedFindings> = seeds.iter().collect();
    seeds.sort_by_key(|s| s.seed);
    let sweep = Sweep::of(model);
    let mut found = Found::Pass;
    let mut unexpected = Vec::new();
    for seed in &seeds {
        let (seed_found, exit, why) = sweep.one(seed);
        found = worse(found, seed_found);
        if exit != 0 {
            unexpected.push((seed.seed, exit, why));
        }
    }
    let failing = sweep.failing(&seeds);
    let not_reached = sweep.not_reached(&seeds);
    let over_all = sweep.over_all(&failing, &not_reached, &seeds);
    if !not_reached.is_empty() {
        found = Found::Fail;
    }
    let wrong = !over_all.wrong.is_empty() || unexpected.iter().any(|&(_, exit, _)| exit == 1);
    let open = !over_all.open.is_empty() || !unexpected.is_empty();
    let exit = match (wrong, open) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => 0,
    };
    let mut told = [over_all.wrong, over_all.open].concat();
    if let Some((seed, _, why)) = unexpected.first() {
        told.push(format!("{} of {} seeds not as expected, first seed {seed}: {why}", unexpected.len(), seeds.len()));
    }
    if told.is_empty() {
        told.push(sweep.met(&failing, &not_reached, &seeds));
    }
    SweepVerdict { found, as_expected: exit == 0, exit, summary: told.join("; "), failing, not_reached, unexpected }
}

/// What a sweep is judged by.
struct Sweep<'a> {
    model: &'a Model,
    pinned: u64,
    thresholds: NameSet,
    /// The `sometimes` promises a sweep judges, with the share of seeds that must reach them.
    sometimes: BTreeMap<String, Option<f64>>,
}

impl<'a> Sweep<'a> {
    fn of(model: &'a Model) -> Self {
        let sometimes = model.invariants.iter().filter_map(|(name, invariant)| match &invariant.form {
            Form::Sometimes { at_least, .. } if at_least.is_none_or(|share| share < 1.0) => {
                Some((name.value.clone(), *at_least))
            }
            Form::Always(_)
            | Form::Never(_)
            | Form::AtRest { .. }
            | Form::Finally { .. }
            | Form::EventuallyAfterHeal { .. }
            | Form::Sometimes { .. }
            | Form::Transition(_)
            | Form::LeadsTo { .. }
            | Form::Check(_) => None,
        });
        Self {
            model,
            pinned: model.run.seed,
            thresholds: model.thresholds.iter().map(|(name, _)| name.value.clone()).collect(),
            sometimes: sometimes.collect(),
        }
    }

    /// One seed against what is expected of every seed: what it came to, its exit code, and why.
    fn one(&self, seed: &SeedFindings) -> (Found, u8, String) {
        if let Some(bug) = &seed.engine_bug {
            return (Found::Fail, 1, format!("engine bug: {bug}"));
        }
        let expect = &self.model.expect;
        let pinned = seed.seed == self.pinned;
        let sets = seed.sets(pinned);
        let mut rules = Rules::of(expect);
        rules.fails.retain(|name| !self.sometimes.contains_key(name));
        if !pinned {
            for names in [&mut rules.fails, &mut rules.may_fail, &mut rules.vacuous] {
                names.retain(|name| !self.thresholds.contains(name));
            }
        }
        // What fails on a threshold only has no reason to fail on a seed where thresholds are not judged.
        let verdict = match expect.verdict {
            Expected::Fail if !pinned && rules.fails.is_empty() => Expected::Pass,
            verdict @ (Expected::Pass | Expected::Fail | Expected::Inconclusive) => verdict,
        };
        if expect.some_seed {
            rules.tolerate_fails();
        }
        let comparison = rules.compare(&sets);
        let word = if expect.some_seed { Word::Fits } else { rules.word(verdict, &sets) };
        let found = rules.found(&sets);
        (found, exit(&comparison, &word, verdict), unmet(&sets, &comparison, &word))
    }

    /// The seeds of every broken promise that counts.
    fn failing(&self, seeds: &[&SeedFindings]) -> Vec<(String, Vec<u64>)> {
        let mut by_name: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let fails = Rules::of(&self.model.expect).fails;
        for seed in seeds {
            let Sets { failing, .. } = seed.sets(seed.seed == self.pinned);
            let counted =
                seed.failing_thresholds.iter().filter(|name| self.model.expect.some_seed && fails.contains(*name));
            for name in failing.iter().chain(counted) {
                let list = by_name.entry(name.clone()).or_default();
                if list.last() != Some(&seed.seed) {
                    list.push(seed.seed);
                }
            }
        }
        by_name.into_iter().collect()
    }

    /// The `sometimes` promises that too few seeds reached.
    fn not_reached(&self, seeds: &[&SeedFindings]) -> Vec<(String, u64, u64)> {
        let all = seeds.len() as u64;
        let count = |name: &String| {
            let reached = |s: &&&SeedFindings| s.reached.iter().any(|(n, reached)| n == name && *reached);
            seeds.iter().filter(reached).count() as u64
        };
        let missed = self.sometimes.iter().filter_map(|(name, share)| {
            let reached = count(name);
            let enough = reached > 0 && share.is_none_or(|share| reached as f64 >= share * all as f64);
            (!enough).then(|| (name.clone(), reached, all))
        });
        missed.collect()
    }

    /// What no single seed can meet or contradict.
    fn over_all(
        &self,
        failing: &[(String, Vec<u64>)],
        not_reached: &[(String, u64, u64)],
        seeds: &[&SeedFindings],
    ) -> Comparison {
        let expect = &self.model.expect;
        let rules = Rules::of(expect);
        let mut wrong = Vec::new();
        let mut open = Vec::new();
        for (name, reached, all) in not_reached {
            if !rules.fails.contains(name) && !rules.may_fail.contains(name) {
                wrong.push(format!("{name} was reached on {reached} of {all} seeds"));
            }
        }
        for name in &rules.fails {
            if self.sometimes.contains_key(name) {
                if not_reached.iter().all(|(missed, _, _)| missed != name) {
                    wrong.push(format!("{name} should fail and does not"));
                }
            } else if expect.some_seed && failing.iter().all(|(broken, _)| broken != name) {
                if seeds.iter().any(|s| s.unknown.contains(name) || s.unknown_thresholds.contains(name)) {
                    open.push(format!("{name} fails on no seed, and is unknown on some"));
                } else {
                    wrong.push(format!("{name} should fail on some seed and does not"));
                }
            } else if !expect.some_seed && self.thresholds.contains(name) && seeds.iter().all(|s| s.seed != self.pinned)
            {
                open.push(format!("{name} is judged on seed {} only, which did not run", self.pinned));
            }
        }
        Comparison { wrong, open }
    }

    /// One line for a sweep that is as expected: what was judged, and on which seeds.
    fn met(
        &self,
        failing: &[(String, Vec<u64>)],
        not_reached: &[(String, u64, u64)],
        seeds: &[&SeedFindings],
    ) -> String {
        let (all, pinned, Rules { fails, may_fail, .. }) = (seeds.len(), self.pinned, Rules::of(&self.model.expect));
        let on_any = |name: &String| self.model.expect.some_seed && fails.contains(name);
        let on_pinned = |name: &String| self.thresholds.contains(name) && !on_any(name);
        let judged = seeds.iter().any(|seed| seed.seed == pinned);
        let plural = if all == 1 { "" } else { "s" };
        let (and_thresholds, thresholds) = match (self.thresholds.iter().any(on_pinned), judged) {
            (false, _) => (String::new(), String::new()),
            (true, true) => (
                format!(", every threshold on seed {pinned}"),
                format!("; thresholds were judged on seed {pinned} only"),
            ),
            (true, false) => {
                let not = format!("; thresholds were not judged: seed {pinned} did not run");
                (not.clone(), not)
            }
        };
        if failing.is_empty() && not_reached.is_empty() {
            let what = if and_thresholds.is_empty() { "everything" } else { "every invariant" };
            return format!("{what} holds on {all} seed{plural}{and_thresholds}");
        }
        let broken = failing.iter().map(|(name, on)| {
            let on = if on_pinned(name) { format!("seed {pinned}") } else { format!("{} of {all}", on.len()) };
            let allowed = if may_fail.contains(name) && !fails.contains(name) { " (allowed)" } else { "" };
            format!("{name} on {on}{allowed}")
        });
        let missed = not_reached.iter().map(|(name, on, all)| format!("{name} (reached on {on} of {all})"));
        format!("fails {}, nothing else{thresholds}", broken.chain(missed).collect::<Vec<_>>().join(", "))
    }
}

/// The worse of two findings.
fn worse(a: Found, b: Found) -> Found {
    match (a, b) {
        (Found::Fail, _) | (_, Found::Fail) => Found::Fail,
        (Found::Inconclusive, _) | (_, Found::Inconclusive) => Found::Inconclusive,
        (Found::Pass, Found::Pass) => Found::Pass,
    }
}
