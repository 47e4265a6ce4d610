//! What a reviewer found, with the checkout of `scenarios/checkout/saga.toml` and other faults than its own.

use lab::outcome::{Outcome, Status};
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Source, load};

/// As in the file.
const OUTBOX: &str = r#"{ relay = "poll", every = "100ms", batch = 50 }"#;

/// Half a minute of the checkout with these faults instead of its own, and this outbox.
fn checkout(faults: &str, outbox: &str) -> Outcome {
    let path = format!("{}/scenarios/checkout/saga.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the scenario is in the repository");
    let common = [
        ("run.duration", "30s"),
        ("run.warmup", "0s"),
        ("workloads.shoppers.stages", "none"),
        ("faults", "none"),
        ("thresholds", "none"),
    ];
    let changes = [("faults", faults), ("services.orders.outbox", outbox)];
    let sets = common.iter().chain(&changes).map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    let scenario = load(&Source::new("saga", text), &Choice { sets, ..Choice::default() })
        .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
    run(&scenario, scenario.model.run.seed, None, &Options::lean(), &mut |_| Go::On)
        .unwrap_or_else(|errors| panic!("{}", scenario.diagnostics(errors).render(Colour::Plain)))
}

fn holds(outcome: &Outcome) {
    let bad: Vec<_> = outcome.invariants.iter().filter(|invariant| invariant.status != Status::Holds).collect();
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

#[test]
fn a_request_whose_answer_from_the_database_met_a_cut_ends_after_the_heal() {
    let cut = r#"{ cut = { kind = "partition", split = [["orders[0]"], ["orders.db"]], at = "8s", for = "16s", direction = "in" } }"#;
    holds(&checkout(cut, OUTBOX));
}
