//! Every mistake of the commit protocol is caught by the promise named for it, and the protocol without mistakes keeps
//! every promise (docs/semantics.md, rules 37 to 42).
//!
//! The world is `scenarios/bank/swarm.toml`: machines die, stop, part and lose messages at random while little money moves
//! between few rows. Mutant and honest protocol are the same code, one line apart, in the same worlds, so a promise that
//! holds there holds because the protocol is right, not because nothing happened. `cargo test` looks at the first seeds;
//! `STORMGLASS_LONG=1 cargo test --release --test mutants -- --nocapture` is the whole campaign.

#![allow(clippy::print_stdout, reason = "what was found is told to whoever runs it with --nocapture")]

mod common;

use std::sync::atomic::AtomicBool;

use common::{first_broken, outcome, scenario, tell_mistake};
use lab::outcome::Status;
use lab::scenario::{Colour, Source};
use lab::sweep::{Request, Swept, sweep};
use systems::commit::two_phase::Mutant;

/// A mutant is caught within so many seeds.
const SEEDS_MAX: u64 = 200;

fn source(name: &str) -> Source {
    let path = format!("{}/scenarios/bank/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Source::new(name, std::fs::read_to_string(path).expect("the scenario is in the repository"))
}

fn long() -> bool {
    std::env::var_os("STORMGLASS_LONG").is_some()
}

/// What the scenario calls a promise of `Mutant::ALL`.
fn invariant(promise: &str) -> &'static str {
    match promise {
        "atomic_commit" => "all_or_none",
        "conservation" => "money_is_conserved",
        "no_overdraft" => "no_overdraft",
        "decided_again" => "decided_again",
        other => panic!("no promise of the swarm is `{other}`"),
    }
}

#[test]
fn each_mutant_is_caught_by_the_promise_named_for_it() {
    let mut missed = Vec::new();
    println!("{:<44} {:<20} {:>10}   also broken there", "mutant", "promise", "first seed");
    for (mutant, name, promise) in Mutant::ALL {
        let scenario = scenario("bank/swarm", None, &[("services.coordinator.mutant", name)], &[]);
        let wanted = invariant(promise);
        if !tell_mistake(name, wanted, first_broken(&scenario, wanted, SEEDS_MAX).as_ref()) {
            missed.push(mutant);
        }
    }
    assert!(missed.is_empty(), "not caught within {SEEDS_MAX} seeds: {missed:?}");
}

fn swept(name: &str, seeds: (u64, u64), variants: &str) -> Swept {
    let request = Request { seeds: Some(seeds), variants: Some(variants.to_owned()), ..Request::default() };
    sweep(&source(name), &request, &AtomicBool::new(false), &|_| ())
        .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)))
}

#[test]
fn the_honest_protocol_keeps_every_promise_in_the_swarm() {
    let seeds = if long() { 1_000 } else { 40 };
    let swept = swept("swarm", (0, seeds), "all");
    for result in &swept.results {
        let point = swept.points[result.point].name();
        for promise in &result.promises {
            let (name, seed, status) = (&promise.name, result.seed, promise.status);
            assert_eq!(status, Status::Holds, "{point}, seed {seed}: {name}: {:?}", promise.violation);
        }
    }
    assert_eq!((swept.results.len() as u64, swept.exit), (seeds * swept.points.len() as u64, 0));
    assert_eq!(swept.points.len(), 4, "the base and three designs");
}

#[test]
fn the_swarm_strikes_with_every_fault_and_much_is_committed_and_aborted() {
    let scenario = scenario("bank/swarm", None, &[], &[]);
    let (mut committed, mut aborted) = (0, 0);
    let mut effective = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let outcome = outcome(&scenario, seed);
        committed += outcome.transactions[0].committed;
        aborted += outcome.transactions[0].aborted;
        effective.extend(outcome.faults.into_iter().filter(|fault| fault.effective).map(|fault| fault.name));
    }
    assert_eq!(effective.len(), scenario.model.faults.len(), "only these had an effect: {effective:?}");
    assert!(committed > 500 && aborted > 500, "nothing much happened: {committed} committed, {aborted} aborted");
}
