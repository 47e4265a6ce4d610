//! Every mistake of services, outboxes and sagas is caught by the promise named for it, and the honest checkout keeps every
//! promise in the same worlds.
//!
//! The world is the checkout of `scenarios/checkout/saga.toml` with machines that die again and again: nodes of every
//! service, their databases, the broker. `cargo test` looks at the first seeds;
//! `STORMGLASS_LONG=1 cargo test --release --test checkout -- --nocapture` is the whole campaign.

#![allow(clippy::print_stdout, reason = "what was found is told to whoever runs it with --nocapture")]

mod common;

use common::{broken, first_broken, outcome, scenario, tell_mistake, wrong};
use lab::scenario::Scenario;
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

fn world(variant: Option<&str>, changes: &[(&str, &str)]) -> Scenario {
    let common = [
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
    ];
    scenario("checkout/saga", variant, &[&common, changes].concat(), &DEATHS)
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
    println!("{:<44} {:<20} {:>10}   also broken there", "mutant", "promise", "first seed");
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
        if !tell_mistake(name, wanted, first_broken(&scenario, wanted, SEEDS_MAX).as_ref()) {
            missed.push(mutant);
        }
    }
    assert!(missed.is_empty(), "not caught within {SEEDS_MAX} seeds: {missed:?}");
}

#[test]
fn the_honest_checkout_keeps_every_promise_while_machines_die() {
    let scenario = world(None, &[]);
    let seeds = if std::env::var_os("STORMGLASS_LONG").is_some() { 1_000 } else { 40 };
    let found: Vec<String> =
        (0..seeds).into_par_iter().flat_map_iter(|seed| wrong(&outcome(&scenario, seed), seed)).collect();
    assert!(found.is_empty(), "{} of {seeds} seeds: {:#?}", found.len(), &found[..found.len().min(6)]);
}

/// Seeds 0 and 18 of the dual write: an order's node dies while a charge is out; who takes over finds the breaker open.
#[test]
fn an_owner_that_took_over_trusts_no_failure_of_what_was_asked_before() {
    let found = |mutant: &str, seed: u64| {
        let world = scenario("checkout/saga", Some("dual_write"), &[("services.orders.mutant", mutant)], &[]);
        broken(&world, seed).contains(&"paid_iff_confirmed".to_owned())
    };
    for seed in [0, 18] {
        assert!(found("takeover_trusts_itself", seed), "seed {seed} no longer shows it");
        assert!(!found("none", seed), "seed {seed}: a charge that nobody undid");
    }
}
