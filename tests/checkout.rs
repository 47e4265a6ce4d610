//! Every mistake of services, outboxes and sagas is caught by the promise named for it, and the honest checkout keeps every
//! promise in the same worlds.
//!
//! The world is the checkout of `scenarios/checkout/saga.toml` with machines that die again and again: nodes of every
//! service, their databases, the broker. `cargo test` looks at the first seeds;
//! `STORMGLASS_LONG=1 cargo test --release --test checkout -- --nocapture` is the whole campaign.

#![allow(clippy::print_stdout, reason = "what was found is told to whoever runs it with --nocapture")]

use lab::outcome::{Outcome, Status};
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Scenario, Source, load};
use rayon::prelude::*;
use systems::app::mutant::Mutant;

/// A mutant is caught within so many seeds.
const SEEDS_MAX: u64 = 200;

/// What dies in the world of the mutants, how often, and for how long.
const DEATHS: [(&str, &str); 5] = [
    ("orders_die", "orders[any]"),
    ("order_database_dies", "orders.db"),
    ("stock_dies", "inventory[any]"),
    ("payment_dies", "payment[any]"),
    ("broker_dies", "broker"),
];

fn world(variant: Option<&str>, sets: &[(&str, &str)]) -> Scenario {
    let path = format!("{}/scenarios/checkout/saga.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the scenario is in the repository");
    let mut all: Vec<(String, String)> = Vec::new();
    let mut set = |path: &str, value: &str| all.push((path.to_owned(), value.to_owned()));
    for (path, value) in [
        ("run.duration", "20s"),
        ("run.warmup", "0s"),
        ("run.quiesce", "90s"),
        ("workloads.shoppers.stages", "none"),
        ("workloads.shoppers.rate", "50/s"),
        ("services.inventory.disk.fsync", "exp(2ms)"),
        ("faults.payment_node_dies", "none"),
        ("faults.broker_duplicates", "none"),
        ("faults.slow_inventory", "none"),
        ("thresholds", "none"),
        ("expect", "none"),
    ] {
        set(path, value);
    }
    for (name, target) in DEATHS {
        set(&format!("faults.{name}.kind"), "crash");
        set(&format!("faults.{name}.target"), target);
        set(&format!("faults.{name}.rate"), "0.4/s");
        set(&format!("faults.{name}.for"), "exp(400ms)");
    }
    for (path, value) in sets {
        set(path, value);
    }
    let variant = variant.map(str::to_owned);
    load(&Source::new("saga", text), &Choice { variant, sets: all, ..Choice::default() })
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

/// Whose mistake it is, and which promise must catch it.
const fn named(mutant: Mutant) -> (&'static str, &'static str) {
    match mutant {
        Mutant::ReadThenWrite => ("inventory", "stock_is_conserved"),
        Mutant::AckBeforeProcessing | Mutant::OutboxOutsideTransaction | Mutant::RelayBeforeConfirm => {
            ("orders", "no_order_forgotten")
        }
        Mutant::SagaLogAfterSend | Mutant::TakeoverTrustsItself => ("orders", "paid_iff_confirmed"),
        Mutant::ForgetAnswers => ("payment", "paid_iff_confirmed"),
    }
}

#[test]
fn each_mistake_is_caught_by_the_promise_named_for_it() {
    let mut missed = Vec::new();
    println!("{:<28} {:<20} {:>10}   also broken there", "mutant", "promise", "first seed");
    for (mutant, name) in Mutant::ALL {
        let (service, wanted) = named(mutant);
        let path = format!("services.{service}.mutant");
        let honest = ("services.payment.ops.charge.idempotent", "true");
        let scenario = match mutant {
            // Rows of a map can be inserted only once anyway; a list takes whatever comes.
            Mutant::ForgetAnswers => world(Some("charge_twice"), &[honest, (&path, name)]),
            Mutant::ReadThenWrite
            | Mutant::AckBeforeProcessing
            | Mutant::SagaLogAfterSend
            | Mutant::OutboxOutsideTransaction
            | Mutant::RelayBeforeConfirm
            | Mutant::TakeoverTrustsItself => world(None, &[(&path, name)]),
        };
        let first = (0..SEEDS_MAX).find_map(|seed| {
            let names = broken(&scenario, seed);
            names.iter().any(|name| name == wanted).then_some((seed, names))
        });
        let Some((seed, names)) = first else {
            println!("{name:<28} {wanted:<20} {:>10}", "none");
            missed.push(mutant);
            continue;
        };
        let others: Vec<_> = names.into_iter().filter(|name| name != wanted).collect();
        println!("{name:<28} {wanted:<20} {seed:>10}   {}", others.join(", "));
    }
    assert!(missed.is_empty(), "not caught within {SEEDS_MAX} seeds: {missed:?}");
}

#[test]
fn the_honest_checkout_keeps_every_promise_while_machines_die() {
    let scenario = world(None, &[]);
    let seeds = if std::env::var_os("STORMGLASS_LONG").is_some() { 1_000 } else { 40 };
    let wrong: Vec<String> = (0..seeds)
        .into_par_iter()
        .flat_map_iter(|seed| {
            let outcome = outcome(&scenario, seed);
            let bad = outcome.invariants.into_iter().filter(|i| i.status != Status::Holds);
            bad.map(move |i| format!("seed {seed}: {} {:?}: {:?}", i.name, i.status, i.witness)).collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {seeds} seeds: {:#?}", wrong.len(), &wrong[..wrong.len().min(6)]);
}

/// Seeds 0 and 18 of the dual write: an order's node dies while a charge is out; who takes over finds the breaker open.
#[test]
fn an_owner_that_took_over_trusts_no_failure_of_what_was_asked_before() {
    let path = format!("{}/scenarios/checkout/saga.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the scenario is in the repository");
    let found = |mutant: &str, seed: u64| {
        let sets = vec![("services.orders.mutant".to_owned(), mutant.to_owned())];
        let choice = Choice { variant: Some("dual_write".to_owned()), sets, ..Choice::default() };
        let scenario = load(&Source::new("saga", text.clone()), &choice)
            .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
        broken(&scenario, seed).contains(&"paid_iff_confirmed".to_owned())
    };
    for seed in [0, 18] {
        assert!(found("takeover_trusts_itself", seed), "seed {seed} no longer shows it");
        assert!(!found("none", seed), "seed {seed}: a charge that nobody undid");
    }
}
