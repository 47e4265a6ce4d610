//! A choreographed saga keeps its promises while every machine of it dies again and again, and each way of doing it wrong is
//! caught by the promise named for it.
//!
//! The world is the trip of `scenarios/checkout/choreography.toml` with few seats, so that compensations are usual, and
//! machines that die at random: nodes of every service, their databases, the broker.

#![allow(clippy::print_stdout, reason = "what was found is told to whoever runs it with --nocapture")]

mod common;

use common::{first_broken, outcome, scenario, tell_mistake, wrong};
use lab::outcome::Status;
use lab::scenario::Scenario;
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

fn world(changes: &[(&str, &str)]) -> Scenario {
    let common = [
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
    ];
    scenario("checkout/choreography", None, &[&common, changes].concat(), &DEATHS)
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
    println!("{:<44} {:<20} {:>10}   also broken there", "mistake", "promise", "first seed");
    for (mistake, set, wanted) in MISTAKES {
        if !tell_mistake(mistake, wanted, first_broken(&world(&[set]), wanted, SEEDS_MAX).as_ref()) {
            missed.push(mistake);
        }
    }
    assert!(missed.is_empty(), "not caught within {SEEDS_MAX} seeds: {missed:?}");
}

#[test]
fn the_honest_choreography_keeps_every_promise_while_machines_die() {
    let scenario = world(&[]);
    let found: Vec<(u64, Vec<String>)> = (0..SEEDS_HELD)
        .into_par_iter()
        .map(|seed| {
            let outcome = outcome(&scenario, seed);
            (outcome.sagas[0].undone, wrong(&outcome, seed))
        })
        .collect();
    let bad: Vec<&String> = found.iter().flat_map(|(_, bad)| bad).collect();
    assert!(bad.is_empty(), "{} in {SEEDS_HELD} seeds: {:#?}", bad.len(), &bad[..bad.len().min(6)]);
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
        let outcome = outcome(&world(&[&quiet, sets].concat()), 3);
        let bad: Vec<_> = outcome.invariants.iter().filter(|i| i.status != Status::Holds).collect();
        assert!(bad.is_empty(), "{bad:?}");
        assert_eq!(outcome.thresholds[0].status == Status::Violated, rejected, "{:?}", outcome.thresholds[0].value);
        let looks = outcome.operations.iter().find(|op| op.name == "hotel.look").expect("they look");
        assert_eq!((looks.rejected > 0, looks.unknown), (rejected, 0));
    }
}
