//! What a reviewer found, with the checkout of `scenarios/checkout/saga.toml` and other faults than its own.

mod common;

use common::{scenario, wrong};
use lab::outcome::{Outcome, Status};

/// As in the file.
const OUTBOX: &str = r#"{ relay = "poll", every = "100ms", batch = 50 }"#;

/// Half a minute of the checkout with these faults instead of its own, and this outbox.
fn checkout(faults: &str, outbox: &str) -> Outcome {
    changed(faults, outbox, &[])
}

/// The same with more changes.
fn changed(faults: &str, outbox: &str, more: &[(&str, &str)]) -> Outcome {
    let common = [
        ("run.duration", "30s"),
        ("run.warmup", "0s"),
        ("workloads.shoppers.stages", "none"),
        ("thresholds", "none"),
        ("faults", "none"),
        ("faults", faults),
        ("services.orders.outbox", outbox),
    ];
    let world = scenario("checkout/saga", None, &[&common, more].concat(), &[]);
    common::outcome(&world, world.model.run.seed)
}

fn holds(outcome: &Outcome) {
    let bad = wrong(outcome, outcome.seed);
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn a_relay_sends_each_message_once_if_nothing_fails() {
    let outcome = checkout("none", r#"{ relay = "poll", every = "5ms", batch = 2 }"#);
    holds(&outcome);
    let queue = outcome.message_queues.iter().find(|queue| queue.name == "order_events").expect("it is there");
    let orders = outcome.operations.iter().find(|operation| operation.name == "orders.place").expect("it is called");
    assert_eq!(queue.accepted, orders.ok, "ticks fall between the question to take messages out and its answer");
}

#[test]
fn a_database_that_starts_again_begins_no_saga_twice() {
    let crash = r#"{ database_dies = { kind = "crash", target = "orders.db", at = "15s", for = "2s" } }"#;
    let outcome = checkout(crash, OUTBOX);
    holds(&outcome);
    let saga = &outcome.sagas[0];
    let placed = outcome.operations.iter().find(|operation| operation.name == "orders.confirm").expect("it is called");
    assert!(saga.started <= outcome.message_queues[0].accepted, "{} began", saga.started);
    assert_eq!(saga.started, saga.completed + saga.undone);
    assert!(saga.completed <= placed.ok, "each was confirmed: {} of {}", saga.completed, placed.ok);
    let done: Vec<u64> = saga.steps.iter().map(|step| step.done).collect();
    assert!(done.iter().all(|done| *done <= saga.started), "{done:?} of {}", saga.started);
}

/// The disk of the orders' database goes, a second later it is back and empty.
fn disk_lost(at: &str) -> String {
    format!(
        "{{ disk_dies = {{ kind = \"crash\", target = \"orders.db\", at = \"{at}\", for = \"1s\", loses = [\"memory\", \"disk\"] }} }}"
    )
}

fn status(outcome: &Outcome, name: &str) -> Status {
    outcome.invariants.iter().find(|invariant| invariant.name == name).expect("it is judged").status
}

#[test]
fn a_database_that_loses_its_disk_has_lost_its_rows_for_promises_too() {
    let promise = [("invariants.all_there.sometimes", "count(orders.orders) >= 450")];
    let all_there = |faults: &str| status(&changed(faults, OUTBOX, &promise), "all_there");
    assert_eq!(all_there("none"), Status::Holds, "600 orders in half a minute");
    assert_ne!(all_there(&disk_lost("15s")), Status::Holds, "those of the first half are gone");
}

#[test]
fn a_request_whose_answer_was_lost_for_good_ends_without_a_connection_too() {
    let udp = [
        ("network.transport", "udp"),
        ("network.loss", "2%"),
        ("run.quiesce", "300s"),
        ("thresholds", r#"{ idle = "end(utilisation{service=inventory}) == 0%" }"#),
    ];
    let outcome = changed("none", OUTBOX, &udp);
    assert_eq!(outcome.thresholds[0].status, Status::Holds, "{:?}", outcome.thresholds[0].value);
}

#[test]
fn a_request_whose_answer_from_the_database_met_a_cut_ends_after_the_heal() {
    let cut = r#"{ cut = { kind = "partition", split = [["orders[0]"], ["orders.db"]], at = "8s", for = "16s", direction = "in" } }"#;
    holds(&checkout(cut, OUTBOX));
}
