//! Claims about whole scenarios with services, queues, sagas and outboxes: they are read, with all their variants,
//! and the resolved file of each means the same.

use std::fs;
use std::path::PathBuf;

use lab::model::{
    Backoff, BreakerWindow, Budget, Change, DestinationKind, Jitter, Model, Otherwise, Relay, SagaStyle, State, Value,
    Verb,
};
use lab::outcome::LinkKind;
use lab::scenario::{Choice, Colour, Scenario, Source, load};

const EXAMPLES: [&str; 4] = ["checkout_saga", "choreography", "order_flow", "sharing"];

fn text(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/examples/{name}.toml"));
    fs::read_to_string(path).expect("an example")
}

fn read(name: &str, text: &str, variant: Option<&str>, sets: &[(&str, &str)]) -> Scenario {
    let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    let choice = Choice { variant: variant.map(str::to_owned), sets, seed: None };
    load(&Source::new(format!("{name}.toml"), text), &choice)
        .unwrap_or_else(|errors| panic!("{name} {variant:?}\n{}\n{text}", errors.render(Colour::Plain)))
}

fn model(name: &str, variant: Option<&str>) -> Model {
    read(name, &text(name), variant, &[]).model
}

fn find<'m, T>(named: &'m lab::model::Named<T>, name: &str) -> &'m T {
    &named.iter().find(|(own, _)| own.value == name).expect(name).1
}

#[test]
fn examples_are_read_with_all_variants_and_their_resolved_files_mean_the_same() {
    for name in EXAMPLES {
        let file = text(name);
        let base = read(name, &file, None, &[]);
        let variants: Vec<String> = base.model.variants.iter().map(|v| v.value.clone()).collect();
        for variant in core::iter::once(None).chain(variants.iter().map(|v| Some(v.as_str()))) {
            let first = read(name, &file, variant, &[]);
            let again = read(name, &first.resolved, None, &[]);
            assert_eq!((&again.canonical, &again.resolved), (&first.canonical, &first.resolved), "{name} {variant:?}");
        }
    }
}

#[test]
fn every_value_of_an_example_can_be_set_to_itself() {
    for name in EXAMPLES {
        let file = text(name);
        let scenario = read(name, &file, None, &[]);
        for leaf in scenario.leaves() {
            let again = read(name, &file, None, &[(&leaf.path, &leaf.value)]);
            assert_eq!(again.canonical, scenario.canonical, "{name}: {} = {}", leaf.path, leaf.value);
        }
    }
}

#[test]
fn what_is_not_simulated_yet_is_an_error_with_a_place() {
    let choice = Choice { sets: vec![("topics.trips.replicas".to_owned(), "3".to_owned())], ..Choice::default() };
    let errors = load(&Source::new("choreography", text("choreography")), &choice).expect_err("not yet");
    assert!(errors.list.iter().any(|error| error.message == "`replicas` of a topic is not supported yet"));
    for error in errors.list {
        assert!(error.place.end > error.place.start, "{}", error.message);
    }
}

#[test]
fn lints_have_their_numbers_and_examples_have_none() {
    let said = |name: &str, sets: &[(&str, &str)]| {
        let scenario = read(name, &text(name), None, sets);
        scenario.warnings.list.iter().map(|w| format!("{}: {}", w.message, w.label)).collect::<Vec<_>>()
    };
    for name in EXAMPLES {
        assert_eq!(said(name, &[]), [""; 0], "{name}");
    }
    for (path, value, expected) in [
        (
            "queues.order_events.dead_letter",
            "none",
            "nobody takes from `queues.order_events_dead`: no consumer, no saga; and no queue sends its dead letters here",
        ),
        (
            "sagas.checkout.steps.reserve.compensate",
            "none",
            "nothing undoes the step `reserve` of `checkout`: it has no `compensate`, and the pivot is `confirm`",
        ),
        (
            "workloads.shoppers.client.retry",
            "{ attempts = 4 }",
            "one request can become 12 calls of `orders.place`: retries of retries: 4 × 3",
        ),
        (
            "sagas.checkout.steps.charge.timeout",
            "20ms",
            "most calls of `payment.charge` time out: `timeout` is 20ms; half of its answers take at least 25ms, with no wait",
        ),
        ("services.payment.ops.audit", "1ms", "nobody calls `payment.audit`: no workload reaches this op"),
    ] {
        let found = said("checkout_saga", &[(path, value)]);
        assert!(found.iter().any(|line| line == expected), "{path}: {found:?}");
    }
}

#[test]
fn a_saga_has_its_calls_with_policies_and_the_pivot_that_was_not_written() {
    let checkout = model("checkout_saga", None);
    let saga = find(&checkout.sagas, "checkout");
    assert_eq!(saga.style, SagaStyle::Orchestrated);
    let charge = &saga.steps[1];
    assert_eq!((charge.name.value.as_str(), charge.path.as_str()), ("charge", "sagas.checkout.steps.charge"));
    let gentle = charge.action.retry.as_ref().expect("a retry");
    assert_eq!((gentle.name.as_deref(), gentle.attempts, gentle.jitter), (Some("gentle"), Some(3), Jitter::Full));
    assert!(matches!(gentle.backoff, Backoff::Exponential { factor: 2.0, max: Some(_), .. }));
    assert_eq!(gentle.budget, Budget::Share(0.2));
    let breaker = charge.action.breaker.as_ref().expect("a breaker");
    assert_eq!((breaker.window, breaker.min_calls, breaker.trials), (BreakerWindow::Calls(20), 20, 3));
    let refund = charge.compensate.as_ref().expect("what undoes it");
    assert_eq!(refund.retry.as_ref().expect("until done").attempts, None);
    assert_eq!(refund.timeout, charge.action.timeout);
    assert_eq!(saga.steps.iter().position(|step| step.pivot), Some(2));
    let variant =
        read("checkout_saga", &text("checkout_saga"), None, &[("sagas.checkout.steps.confirm.pivot", "false")]);
    let pivots = find(&variant.model.sagas, "checkout").steps.iter().position(|step| step.pivot);
    assert_eq!(pivots, Some(2), "else it is the first that cannot be undone");
    assert_eq!(find(&checkout.workloads, "shoppers").stages.len(), 3);
    // Without a written broker, queues live on one that is ideal.
    assert_eq!(checkout.brokers.len(), 1);
    assert_eq!(find(&checkout.queues, "order_events").broker.value, "broker");
}

#[test]
fn steps_keep_the_types_and_the_places_of_what_they_carry() {
    let flow = model("order_flow", None);
    let order = find(&flow.services, "order");
    assert_eq!(order.outbox.as_ref().map(|o| o.relay), Some(Relay::LogTail));
    let create = find(&order.ops, "create");
    let Some(Value::Variable(id)) = create.idempotent.as_ref().map(|at| &at.value) else { panic!("`true` is `$id`") };
    assert_eq!(id.name, "id");
    let Verb::Transaction { steps, otherwise: Otherwise::Fail } = &create.steps[1].verb else {
        panic!("a transaction")
    };
    let Verb::Insert(insert) = &steps[0].verb else { panic!("an insert") };
    assert_eq!((insert.row.item.as_str(), insert.row.key.value.as_str()), ("orders", "$id"), "a map's row is `$id`");
    let (name, amount) = &insert.set[1];
    let Value::Variable(path) = &amount.value else { panic!("exactly a variable") };
    assert_eq!((name.value.as_str(), path.name.as_str(), path.field.as_deref()), ("amount", "amount", None));
    let file = text("order_flow");
    assert_eq!(&file[path.place.start as usize..path.place.end as usize], "$amount");
    let Verb::Outbox(message) = &steps[1].verb else { panic!("an outbox") };
    assert_eq!((message.to.kind, message.to.name.as_str()), (DestinationKind::Exchange, "shop"));
    assert_eq!(steps[1].path, "services.order.ops.create[1].transaction[1]");
    let callback = find(&find(&flow.services, "payment").ops, "callback");
    let Verb::Transaction { steps, .. } = &callback.steps[0].verb else { panic!("a transaction") };
    let Some(Value::Text(parts)) = steps[1].verb.message().and_then(|m| m.key.as_ref()).map(|key| &key.value) else {
        panic!("text with a variable in it")
    };
    assert_eq!(parts.len(), 2);
    let Verb::Update(update) = &steps[0].verb else { panic!("an update") };
    assert!(matches!(&update.change, Change::Fields(fields) if fields.len() == 1));
    assert_eq!(find(&flow.queues, "to_stock").bindings[0].key.value, "order.paid", "a copy of a copy");
    assert_eq!(find(&flow.queues, "to_stock").max_deliveries, Some(20));
    let users = model("sharing", None);
    let State::Map { keys: 5000, initial } = find(&find(&users.services, "users").state, "users") else {
        panic!("a map")
    };
    assert_eq!(initial[0].1.value, Value::Integer(0));
}

#[test]
fn what_undoes_a_saga_is_a_link_of_its_own() {
    let topology = lab::run::topology(&model("checkout_saga", None));
    let named = |part: usize| topology.parts[part].name.as_str();
    let undoing = topology.calls.iter().filter(|link| link.kind == LinkKind::Undo);
    let found: Vec<_> = undoing.map(|link| (named(link.from), named(link.to), link.label.as_str())).collect();
    let wanted = [("inventory", "release"), ("payment", "refund"), ("orders", "cancel")];
    assert_eq!(found, wanted.map(|(to, op)| ("checkout", to, op)));
}
