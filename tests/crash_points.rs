//! A crash between any two events of the first 200 transfers breaks no promise (docs/semantics.md, rule 7).
//!
//! The world is run once; at every boundary a copy of it loses one machine for 300 ms and runs on to its rest. Faults at
//! random moments find what is likely; this finds the boundary nobody thought of. `cargo test` takes every 23rd boundary
//! and the machines in turn; `STORMGLASS_LONG=1 cargo test --release --test crash_points` all boundaries and machines.

#![allow(clippy::print_stdout, reason = "what was found is told to whoever runs it with --nocapture")]

mod common;

use common::scenario;
use kernel::{NodeId, Span};
use lab::outcome::{Outcome, Status};
use lab::run::{Options, World};
use lab::scenario::Scenario;
use rayon::prelude::*;

/// How long the machine is down.
const DOWN: Span = Span::millis(300);

/// In `cargo test`, every so manieth boundary.
const STRIDE: u64 = 23;

fn bank() -> Scenario {
    // Few rows with little on them: whoever holds a lock too long or too short is noticed.
    let changes = [
        ("run.duration", "4010ms"),
        ("run.heal", "4010ms"),
        ("workloads.transfers.rate", "50/s"),
        ("workloads.transfers.arrivals", "even"),
        ("workloads.transfers.vars.from", "int(0, 4)"),
        ("workloads.transfers.vars.to", "int(0, 4)"),
        ("services.bank_a.state.accounts.keys", "5"),
        ("services.bank_a.state.accounts.initial", "400"),
        ("faults.coordinator_dies_in_doubt", "none"),
        (
            "invariants.money_is_conserved.at_rest",
            "sum(bank_a.accounts) + sum(bank_b.accounts) + sum(bank_c.accounts) == 4_000",
        ),
    ];
    scenario("bank/two-phase-commit", None, &changes, &[])
}

fn finish(mut world: World, scenario: &Scenario) -> Outcome {
    while world.step().is_some() {}
    world.finish(scenario, scenario.model.run.seed, None)
}

/// What is wrong with the end of a run, if anything.
fn wrong(outcome: &Outcome) -> Option<String> {
    let bad = outcome.invariants.iter().find(|invariant| invariant.status != Status::Holds)?;
    Some(format!("{} {:?}: {:?}", bad.name, bad.status, bad.witness))
}

/// Those that broke a promise; the others left one undecided.
fn broken(failures: &[String]) -> usize {
    failures.iter().filter(|failure| failure.contains(&format!(" {:?}: ", Status::Violated))).count()
}

/// Crashes at the boundaries of one run, each machine at each of them, or every `stride`th boundary and the machines in
/// turn: how many were tried, at how many boundaries, and what they broke.
fn campaign(scenario: &Scenario, most: u64, machines: &[NodeId], stride: Option<u64>) -> (usize, u64, Vec<String>) {
    let mut world = World::new(scenario, scenario.model.run.seed, &Options::lean()).expect("it loaded");
    let (mut cases, mut boundary, mut tried) = (Vec::new(), 0, 0);
    let mut failures: Vec<String> = Vec::new();
    loop {
        match stride {
            None => cases.extend(machines.iter().map(|&machine| (boundary, machine, world.clone()))),
            Some(stride) if boundary % stride == 0 => {
                cases.push((boundary, machines[(boundary / stride) as usize % machines.len()], world.clone()));
            }
            Some(_) => {}
        }
        let over = world.step().is_none() || boundary + 1 >= most;
        // Copies are run in batches: all of them at once would fill the memory.
        if over || cases.len() >= 256 {
            tried += cases.len();
            let batch = std::mem::take(&mut cases).into_par_iter().filter_map(|(boundary, machine, mut world)| {
                world.crash(machine, DOWN);
                let what = wrong(&finish(world, scenario))?;
                Some(format!("boundary {boundary}, machine {}: {what}", machine.0))
            });
            failures.extend(batch.collect::<Vec<_>>());
        }
        if over {
            return (tried, boundary, failures);
        }
        boundary += 1;
    }
}

fn long() -> bool {
    std::env::var_os("STORMGLASS_LONG").is_some()
}

#[test]
fn a_crash_at_every_event_boundary_of_200_transfers_breaks_nothing() {
    let scenario = bank();
    let world = World::new(&scenario, scenario.model.run.seed, &Options::lean()).expect("it loaded");
    let machines = world.cluster.len() as u32 - 1;
    assert_eq!(machines, 4, "three banks and a coordinator; the last node is the clients'");
    let undisturbed = finish(world, &scenario);
    assert_eq!((undisturbed.transactions[0].requests, wrong(&undisturbed)), (200, None));
    let machines: Vec<NodeId> = (0..machines).map(NodeId).collect();
    let (tried, boundary, failures) = campaign(&scenario, u64::MAX, &machines, (!long()).then_some(STRIDE));
    println!("{tried} crashes at {boundary} event boundaries of {} transfers", undisturbed.transactions[0].requests);
    assert!(boundary > 4_000, "{boundary} events are too few for 200 transfers");
    assert!(failures.is_empty(), "{} of {tried}: {:#?}", failures.len(), &failures[..failures.len().min(10)]);
}

/// The first moments of the checkout, without the faults of its file.
fn checkout(variant: Option<&str>) -> Scenario {
    let changes = [
        ("run.duration", "2s"),
        ("run.heal", "2s"),
        ("run.warmup", "0s"),
        ("workloads.shoppers.stages", "none"),
        ("faults", "none"),
        ("thresholds", "none"),
        ("expect", "none"),
    ];
    scenario("checkout/saga", variant, &changes, &[])
}

#[test]
fn a_crash_at_each_of_the_first_2000_event_boundaries_breaks_the_dual_write_and_not_the_outbox() {
    let run = |variant: Option<&str>| {
        let scenario = checkout(variant);
        let world = World::new(&scenario, scenario.model.run.seed, &Options::lean()).expect("it loaded");
        let clients = scenario.model.services.iter().map(|(_, service)| service.nodes).sum::<u32>();
        // Every machine but the clients', who are numbered behind the services.
        let machines = (0..world.cluster.len() as u32).filter(|node| *node != clients).map(NodeId);
        let machines: Vec<NodeId> = machines.collect();
        assert_eq!(wrong(&finish(world, &scenario)), None, "undisturbed");
        let (tried, boundaries, failures) = campaign(&scenario, 2_000, &machines, (!long()).then_some(STRIDE));
        println!(
            "{}: {} of {tried} crashes of {} machines at {} event boundaries break a promise, {} leave one undecided",
            variant.unwrap_or("base"),
            broken(&failures),
            machines.len(),
            boundaries + 1,
            failures.len() - broken(&failures)
        );
        failures
    };
    let base = run(None);
    assert!(base.is_empty(), "{}: {:#?}", base.len(), &base[..base.len().min(10)]);
    assert!(broken(&run(Some("dual_write"))) > 0, "a crash between the database and the queue loses an order");
}

/// The first moments of the trip, without the faults of its file; every second seat is sold.
fn trip(inbox: &str, duration: &str) -> Scenario {
    let changes = [
        ("run.duration", duration),
        ("run.heal", duration),
        ("services.flight.state.seats.keys", "10"),
        ("services.flight.state.seats.initial", "2"),
        ("workloads.travellers.vars.flight", "int(0, 9)"),
        ("invariants.seats_conserved.always", "sum(flight.seats) + count(flight.tickets, status == 'booked') == 20"),
        ("invariants.compensation_seen", "none"),
        ("sagas.trip.inbox", inbox),
        ("faults", "none"),
        ("thresholds", "none"),
        ("expect", "none"),
    ];
    scenario("checkout/choreography", None, &changes, &[])
}

#[test]
fn a_crash_at_each_event_boundary_of_choreographed_trips_breaks_nothing_if_they_remember_their_steps() {
    let run = |inbox: &str| {
        // All of the first 2 000, or some of five times as many; who forgets is found out soon enough.
        let all = long() && inbox == "true";
        let (most, stride, duration) = if all { (2_000, None, "1s") } else { (10_000, Some(STRIDE), "2s") };
        let scenario = trip(inbox, duration);
        let world = World::new(&scenario, scenario.model.run.seed, &Options::lean()).expect("it loaded");
        let first = scenario.model.services.iter().map(|(_, service)| service.nodes).sum::<u32>();
        let clients = first..first + scenario.model.workloads.len() as u32;
        let machines = (0..world.cluster.len() as u32).filter(|node| !clients.contains(node)).map(NodeId);
        let machines: Vec<NodeId> = machines.collect();
        let undisturbed = finish(world, &scenario);
        assert_eq!(wrong(&undisturbed), None, "undisturbed");
        assert!(undisturbed.sagas[0].undone > 10, "{} trips are undone", undisturbed.sagas[0].undone);
        let (tried, boundaries, failures) = campaign(&scenario, most, &machines, stride);
        println!(
            "inbox {inbox}: {} of {tried} crashes at {boundaries} event boundaries break a promise",
            broken(&failures)
        );
        failures
    };
    let honest = run("true");
    assert!(honest.is_empty(), "{}: {:#?}", honest.len(), &honest[..honest.len().min(10)]);
    assert!(broken(&run("false")) > 0, "a step that a crash makes begin again has its effect twice");
}
