//! A choreographed saga keeps its promises while every machine of it dies again and again, and each way of doing it wrong is
//! caught by the promise named for it.
//!
//! The world is the trip of `scenarios/checkout/choreography.toml` with few seats, so that compensations are usual, and
//! machines that die at random: nodes of every service, their databases, the broker.

#![allow(clippy::print_stdout, reason = "what was found is told to whoever runs it with --nocapture")]

use lab::outcome::{Outcome, Status};
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Scenario, Source, load};
use rayon::prelude::*;

/// A mistake is caught within so many seeds.
const SEEDS_MAX: u64 = 60;

/// The honest trip keeps everything on so many seeds.
const SEEDS_HELD: u64 = 60;

/// What dies, how often, and for how long.
const DEATHS: [(&str, &str); 7] = [
    ("trips_die", "trips[any]"),
    ("trip_database_dies", "trips.db"),
    ("hotel_dies", "hotel[any]"),
    ("hotel_database_dies", "hotel.db"),
    ("flight_dies", "flight[any]"),
    ("flight_database_dies", "flight.db"),
    ("broker_dies", "logs"),
];

fn world(variant: Option<&str>, sets: &[(&str, &str)]) -> Scenario {
    let path = format!("{}/scenarios/checkout/choreography.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the scenario is in the repository");
    let mut all: Vec<(String, String)> = Vec::new();
    let mut set = |path: &str, value: &str| all.push((path.to_owned(), value.to_owned()));
    for (path, value) in [
        ("run.duration", "20s"),
        ("run.quiesce", "120s"),
        ("services.trips.disk.fsync", "exp(2ms)"),
        ("services.hotel.disk.fsync", "exp(2ms)"),
        ("services.flight.disk.fsync", "exp(2ms)"),
        ("services.flight.state.seats.initial", "6"),
        ("invariants.seats_conserved.always", "sum(flight.seats) + count(flight.tickets, status == 'booked') == 300"),
        ("brokers.logs.kind", "log"),
        ("brokers.logs.disk.fsync", "exp(2ms)"),
        ("topics.trips.broker", "logs"),
        ("thresholds.trip_p95", "none"),
        ("thresholds.lock_cost", "none"),
        ("thresholds.stuck", "none"),
        ("expect", "none"),
    ] {
        set(path, value);
    }
    for (name, target) in DEATHS {
        set(&format!("faults.{name}.kind"), "crash");
        set(&format!("faults.{name}.target"), target);
        set(&format!("faults.{name}.at"), "none");
        set(&format!("faults.{name}.rate"), "0.4/s");
        set(&format!("faults.{name}.for"), "exp(400ms)");
    }
    for (path, value) in sets {
        set(path, value);
    }
    let variant = variant.map(str::to_owned);
    load(&Source::new("choreography", text), &Choice { variant, sets: all, ..Choice::default() })
        .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)))
}

fn outcome(scenario: &Scenario, seed: u64) -> Outcome {
    run(scenario, seed, None, &Options::lean(), &mut |_| Go::On).expect("it loaded, so it compiles")
}

/// The names of the promises that a seed breaks.
fn broken(scenario: &Scenario, seed: u64) -> Vec<String> {
    let violated = outcome(scenario, seed).invariants.into_iter().filter(|i| i.status == Status::Violated);
    violated.map(|invariant| invariant.name).collect()
}

/// A way of doing it wrong, the key that makes it so, and the promise that must catch it.
const MISTAKES: [(&str, (&str, &str), &str); 7] = [
    ("an effect without inbox", ("sagas.trip.inbox", "false"), "all_or_undone"),
    ("an event emitted outside the commit", ("services.hotel.mutant", "outbox_outside_transaction"), "every_trip_ends"),
    (
        "an event that leaves the outbox unconfirmed",
        ("services.hotel.mutant", "relay_before_confirm"),
        "every_trip_ends",
    ),
    ("an event committed before its step", ("brokers.logs.mutant", "commit_when_read"), "every_trip_ends"),
    ("an event confirmed before it is stored", ("brokers.logs.mutant", "confirm_before_append"), "every_trip_ends"),
    ("a compensation that is given up", ("sagas.trip.compensation_retry", "{ attempts = 2 }"), "booked_is_booked"),
    ("a room that others see half booked", ("sagas.trip.isolation.kind", "none"), "nobody_peeks"),
];

#[test]
fn each_mistake_of_a_choreography_is_caught_by_the_promise_named_for_it() {
    let mut missed = Vec::new();
    println!("{:<44} {:<18} {:>10}   also broken there", "mistake", "promise", "first seed");
    for (mistake, set, wanted) in MISTAKES {
        let scenario = world(None, &[set]);
        let first = (0..SEEDS_MAX).find_map(|seed| {
            let names = broken(&scenario, seed);
            names.iter().any(|name| name == wanted).then_some((seed, names))
        });
        let Some((seed, names)) = first else {
            println!("{mistake:<44} {wanted:<18} {:>10}", "none");
            missed.push(mistake);
            continue;
        };
        let others: Vec<_> = names.into_iter().filter(|name| name != wanted).collect();
        println!("{mistake:<44} {wanted:<18} {seed:>10}   {}", others.join(", "));
    }
    assert!(missed.is_empty(), "not caught within {SEEDS_MAX} seeds: {missed:?}");
}

#[test]
fn the_honest_choreography_keeps_every_promise_while_machines_die() {
    let scenario = world(None, &[]);
    let found: Vec<(u64, Vec<String>)> = (0..SEEDS_HELD)
        .into_par_iter()
        .map(|seed| {
            let outcome = outcome(&scenario, seed);
            let undone = outcome.sagas[0].undone;
            let bad = outcome.invariants.into_iter().filter(|i| i.status != Status::Holds);
            (undone, bad.map(|i| format!("seed {seed}: {} {:?}: {:?}", i.name, i.status, i.witness)).collect())
        })
        .collect();
    let wrong: Vec<&String> = found.iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "{} in {SEEDS_HELD} seeds: {:#?}", wrong.len(), &wrong[..wrong.len().min(6)]);
    let undone = found.iter().map(|(undone, _)| undone).sum::<u64>() / SEEDS_HELD;
    assert!(undone > 100, "{undone} trips of a seed are undone: too few to tell");
}

/// Who waits has what they came for when the trip is over; a trip that meets another is refused, for the event that ends the
/// other may stand behind its own.
#[test]
fn whoever_waits_for_a_room_gets_it_when_the_trip_is_over() {
    let quiet = DEATHS.map(|(name, _)| (format!("faults.{name}"), "none".to_owned()));
    let quiet: Vec<(&str, &str)> = quiet.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
    let locked = "rejects{workload=onlookers, reason=locked} == 0%";
    let waits = [("sagas.trip.isolation.others", "wait"), ("thresholds.lock_cost", locked)];
    for (sets, rejected) in [(&waits[..], false), (&waits[1..], true)] {
        let outcome = outcome(&world(None, &[&quiet, sets].concat()), 3);
        let bad: Vec<_> = outcome.invariants.iter().filter(|i| i.status != Status::Holds).collect();
        assert!(bad.is_empty(), "{bad:?}");
        assert_eq!(outcome.thresholds[0].status == Status::Violated, rejected, "{:?}", outcome.thresholds[0].value);
        let looks = outcome.operations.iter().find(|op| op.name == "hotel.look").expect("they look");
        assert_eq!((looks.rejected > 0, looks.unknown), (rejected, 0));
    }
}
