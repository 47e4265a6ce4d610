//! From when on a violation was to be expected: at moments of a run, how many of its other futures come to the same.
//!
//! A world is cloned and everything that is still left to chance is drawn anew (`Cluster::reseed`), many times; the share of
//! futures in which the same class is violated is told with its interval (Wilson). Moments are tried where the story has
//! events: first both ends, then always the middle of the steepest stretch, until the step stands between two neighbours.
//! All moments have the same futures by number, so that chance does not make steps. What is spent is counted in events and
//! not in time: the result is a function of the scenario, the seed, `futures` and `budget`.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use kernel::statistics::wilson;
use kernel::{Time, fold};
use rayon::prelude::*;

use super::options;
use crate::repro::violated;
use crate::run::World;
use crate::scenario::{Diagnostic, Scenario};

/// A step of less is none.
const STEP_LEAST: f64 = 0.2;
/// Whether a promise is broken is looked at after so many events.
const LOOK_EVERY: u64 = 64;
/// Seeds of futures are those of nobody's runs.
const FUTURES: u64 = 0xd003_ed00;

/// How much may be spent.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Futures of each moment.
    pub futures: u64,
    /// Events in all; what is begun is finished.
    pub budget: u64,
    /// How many at once; 0: as many as there are processors.
    pub jobs: usize,
}

/// The chance of a violation over the time of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Doom {
    /// In order of time.
    pub chances: Vec<Chance>,
    /// The steepest step, if there is one that chance does not explain.
    pub step: Option<Step>,
    /// The budget was spent, or it was stopped, before the step was found as exactly as can be.
    pub cut_short: bool,
    /// Events of all futures.
    pub spent: u64,
}

/// How likely it was at a moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Chance {
    /// After this event of the run, counted from 1; 0: at the beginning.
    pub event: u64,
    /// When that was.
    pub time: Time,
    /// Futures in which it is broken,
    pub broken: u64,
    /// of so many.
    pub futures: u64,
    /// The 95 % interval.
    pub low: f64,
    /// Its other end.
    pub high: f64,
}

/// A step of the chance.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Before it, by place in `chances`; the next one is after it.
    pub before: usize,
    /// The event that makes it, if it is one.
    pub event: Option<u64>,
    /// What happened there: in that event, or in the last that was looked at.
    pub what: String,
}

impl Chance {
    /// The share of futures.
    pub fn share(&self) -> f64 {
        if self.futures == 0 { 0.0 } else { self.broken as f64 / self.futures as f64 }
    }
}

/// The run that is looked at.
pub(super) struct Doomed<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) seed: u64,
    /// The promise and its class.
    pub(super) promise: (&'a str, &'a str),
    /// The event that breaks it, and when that is.
    pub(super) broken: (u64, Time),
    /// Events that may make it so, in order.
    pub(super) events: &'a [u64],
    pub(super) stop: &'a AtomicBool,
}

impl Doomed<'_> {
    /// The chance over time.
    pub(super) fn doom(&self, effort: Effort, say: &dyn Fn(u64) -> String) -> Result<Doom, Vec<Diagnostic>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(effort.jobs).build().expect("threads can be started");
        let mut places: Vec<u64> = vec![0];
        places.extend(self.events.iter().filter(|event| **event < self.broken.0).flat_map(|event| [event - 1, *event]));
        places.push(self.broken.0.saturating_sub(1));
        places.sort_unstable();
        places.dedup();
        let start = World::new(self.scenario, self.seed, &options())?;
        let mut worlds = BTreeMap::from([(0, start)]);
        let mut chances: BTreeMap<u64, Chance> = BTreeMap::new();
        let (mut spent, mut cut_short) = (0, false);
        let mut next = Some(0);
        while let Some(place) = next {
            if spent >= effort.budget || self.stop.load(Ordering::Relaxed) {
                cut_short = true;
                break;
            }
            let world = world_at(place, &worlds);
            let (chance, events) = pool.install(|| self.chance(place, &world, effort.futures));
            spent += events;
            worlds.insert(place, world);
            chances.insert(place, chance);
            next = steepest(&places, &chances);
        }
        if self.stop.load(Ordering::Relaxed) {
            cut_short = true;
        }
        // What happened is certain.
        let mut chances: Vec<Chance> = chances.into_values().filter(|chance| chance.futures > 0).collect();
        let certain = Chance {
            event: self.broken.0,
            time: self.broken.1,
            broken: effort.futures,
            futures: effort.futures,
            low: 1.0,
            high: 1.0,
        };
        chances.extend((!chances.is_empty()).then_some(certain));
        let step = step(&chances, &places, say);
        Ok(Doom { chances, step, cut_short, spent })
    }

    /// How many futures of a world come to the same, and what that cost.
    fn chance(&self, place: u64, world: &World, futures: u64) -> (Chance, u64) {
        let came: Vec<Option<(bool, u64)>> =
            (0..futures).into_par_iter().map(|number| self.future(world, number)).collect();
        let known: Vec<(bool, u64)> = came.into_iter().flatten().collect();
        let broken = known.iter().filter(|(broken, _)| *broken).count() as u64;
        let interval = wilson(broken, known.len() as u64, 0.95);
        let chance = Chance {
            event: place,
            time: world.cluster.now(),
            broken,
            futures: known.len() as u64,
            low: interval.low,
            high: interval.high,
        };
        (chance, known.iter().map(|(_, events)| events).sum())
    }

    /// Whether a future breaks the promise in the same way, and its events; nothing if it was stopped or the engine failed.
    fn future(&self, world: &World, number: u64) -> Option<(bool, u64)> {
        let run = || {
            let mut world = world.clone();
            let before = world.cluster.events();
            world.reseed(self.scenario, fold(fold(FUTURES, self.seed), number) >> 1).ok()?;
            let (name, class) = self.promise;
            while world.step().is_some() {
                if world.cluster.events().is_multiple_of(LOOK_EVERY) {
                    if world.promises().seen_broken(name) {
                        break;
                    }
                    if self.stop.load(Ordering::Relaxed) {
                        return None;
                    }
                }
            }
            let events = world.cluster.events() - before;
            let outcome = world.finish(self.scenario, self.seed, None);
            Some((violated(&outcome).iter().any(|other| other == class), events))
        };
        catch_unwind(AssertUnwindSafe(run)).ok()?
    }
}

/// The world after this event.
fn world_at(place: u64, worlds: &BTreeMap<u64, World>) -> World {
    let (_, before) = worlds.range(..=place).next_back().expect("the beginning is kept");
    let mut world = before.clone();
    while world.cluster.events() < place && world.step().is_some() {}
    world
}

/// Where to look next: both ends, then the middle of the steepest stretch that has one.
fn steepest(places: &[u64], chances: &BTreeMap<u64, Chance>) -> Option<u64> {
    let last = *places.last()?;
    if !chances.contains_key(&last) {
        return Some(last);
    }
    let known: Vec<(usize, f64)> =
        places.iter().enumerate().filter_map(|(number, place)| Some((number, chances.get(place)?.share()))).collect();
    let open = known.windows(2).filter_map(|pair| {
        let [(from, low), (to, high)] = [pair[0], pair[1]];
        let step = high - low;
        (to - from > 1 && step.abs() >= STEP_LEAST).then_some((step.abs(), from, to))
    });
    // Of equally steep ones the first.
    let (_, from, to) = open.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
    Some(places[from.midpoint(to)])
}

/// The steepest rise whose ends' intervals do not meet.
fn step(chances: &[Chance], places: &[u64], say: &dyn Fn(u64) -> String) -> Option<Step> {
    let rises = chances.windows(2).enumerate().filter(|(_, pair)| pair[0].high < pair[1].low);
    let (before, pair) = rises.max_by(|(m, a), (n, b)| {
        let rise = |pair: &[Chance]| pair[1].share() - pair[0].share();
        rise(a).total_cmp(&rise(b)).then(n.cmp(m))
    })?;
    let (from, to) = (pair[0].event, pair[1].event);
    let between = places.iter().any(|place| (from + 1..to).contains(place));
    let event = (to == from + 1).then_some(to);
    let what = if between { format!("somewhere before: {}", say(to)) } else { say(to) };
    Some(Step { before, event, what })
}
