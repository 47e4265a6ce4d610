//! The statistics against the theory of M/M/1: mean sojourn 1/(μ − λ), sojourns exponential, mean number λ/(μ − λ).

use std::collections::VecDeque;

use super::tests::{IN_SYSTEM, change, names, services};
use super::*;
use kernel::{Distribution, Seed};
use systems::app::ending::Ending;

const CHARGE: SeriesId = super::tests::CHARGE;
const SECOND: f64 = 1e9;

/// A single server with Poisson arrivals, one customer served per second on average: Lindley's recursion, in nanoseconds.
fn single_server(seed: u64, rate: f64, seconds: u64, above: Span) -> Recorder {
    let (names, services) = (names(), services());
    let end = Time(seconds * 1_000_000_000);
    let times = Times { warmup: Time(end.0 / 20), heal: end, duration: end, limit: end, window: window_width(end) };
    let wanted = [Wanted::above(Metric::Latency, &[("op", "bank.charge")], above)];
    let scope = Scope {
        names: &names,
        times,
        settle: Span::ZERO,
        services: &services,
        faults: 0,
        detail: Detail::Windows,
        wanted: &wanted,
    };
    let mut recorder = Recorder::new(&scope);
    let mut bits = Seed(seed).stream("customers");
    let between = Distribution::exponential(SECOND / rate).expect("positive");
    let service = Distribution::exponential(SECOND).expect("positive");
    let (mut now, mut free, mut inside) = (Time::ZERO, Time::ZERO, VecDeque::new());
    // Until the run ends, departures before arrivals.
    loop {
        now += between.span(&mut bits);
        while inside.front().is_some_and(|(left, _)| *left <= now.min(end)) {
            let (left, since): (Time, Time) = inside.pop_front().expect("seen to be there");
            let number = inside.len() as i64;
            change(&mut recorder, left, IN_SYSTEM, 0, number + 1, number);
            super::tests::sample(&mut recorder, left, CHARGE, Ending::Ok, since);
        }
        if now >= end {
            break;
        }
        let number = inside.len() as i64;
        change(&mut recorder, now, IN_SYSTEM, 0, number, number + 1);
        free = free.max(now) + service.span(&mut bits);
        inside.push_back((free, now));
    }
    recorder.finish(end, &names);
    recorder
}

/// The deviations of mean, number in the system and share above the 99th percentile from theory, in standard errors.
fn deviations(seed: u64, rate: f64, seconds: u64) -> [f64; 3] {
    let mean = 1.0 / (1.0 - rate);
    // ln 100 = 4.605 170 186 exponential means is where 1 % is left.
    let recorder = single_server(seed, rate, seconds, Span((4.605_170_186 * mean * SECOND) as u64));
    let labels = [("op", "bank.charge")];
    let latency = recorder.mean_with_error(Metric::Latency, &labels, &names()).expect("there were customers");
    let limit = Span((4.605_170_186 * mean * SECOND) as u64);
    let tail = recorder.share_above(Metric::Latency, &labels, limit).expect("it was wanted");
    assert!(recorder.share_above(Metric::Latency, &labels, Span(1)).is_none(), "what was not wanted is not told");
    let number = recorder.level_with_error("in_system", &[("node", "bank[0]")], &names()).expect("there was time");
    [
        (latency.value / SECOND - mean) / (latency.error / SECOND),
        (number.value - rate * mean) / number.error,
        (tail.value - 0.01) / tail.error,
    ]
}

#[test]
fn a_single_server_agrees_with_theory_within_four_standard_errors() {
    for (seed, rate) in [(1, 0.5), (2, 0.8)] {
        for (what, deviation) in ["mean", "number", "tail"].iter().zip(deviations(seed, rate, 400_000)) {
            assert!(deviation.abs() < 4.0, "{what} at load {rate} is off by {deviation:.1} standard errors");
        }
    }
}

/// Of 50 runs about 47 should lie within two standard errors (Student's t with 31 degrees of freedom: 94.6 %); fewer than
/// 42 or a mean square outside 0.5 … 2 have a probability below one in a thousand if the error is right.
/// The tail has 500 samples in a run, 16 in a batch: with 3 in a batch its error is too small too often.
#[test]
fn the_standard_error_is_neither_too_small_nor_too_large() {
    let runs: Vec<[f64; 3]> = (0..50).map(|seed| deviations(1_000 + seed, 0.5, 100_000)).collect();
    for what in 0..3 {
        let within = runs.iter().filter(|run| run[what].abs() < 2.0).count();
        let square = runs.iter().map(|run| run[what] * run[what]).sum::<f64>() / 50.0;
        assert!(within >= 42, "only {within} of 50 lie within two standard errors");
        assert!((0.5..2.0).contains(&square), "the mean square deviation is {square:.2}");
    }
}
