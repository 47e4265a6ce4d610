//! Promises over maps and lists, row by row.

use super::forms::check;
use super::shop::*;
use super::*;
use crate::model::ItemPath;
use crate::outcome::Status;
use kernel::{FactKind, NULL, SagaFact};

/// An operation's number, as large as they are.
const BIG: u64 = (3 << 40) + 1234;

const HELD_IFF_CONFIRMED: &str =
    "all(orders.orders, (status == 'confirmed') == (inventory.holds[key].status == 'held'))";

fn always(text: &str) -> Shop {
    Shop::new(model::Form::Always(at(text)))
}

#[test]
fn a_row_is_compared_with_the_row_of_another_map_that_may_be_missing() {
    let mut shop = Shop::new(model::Form::AtRest { predicate: at(HELD_IFF_CONFIRMED), of: None });
    shop.order(BIG, PENDING).rest();
    shop.write(&[(HOLDS, BIG, 1), (HELD, BIG, ON_HOLD)]).write(&[(STATUS, BIG, CONFIRMED)]).rest();
    shop.order(7, CANCELLED).rest();
    // The other map changes, and its row is gone.
    let mut broken = Shop::new(model::Form::AtRest { predicate: at(HELD_IFF_CONFIRMED), of: None });
    broken.order(BIG, CONFIRMED).order(7, PENDING);
    broken.write(&[(HOLDS, BIG, 1), (HELD, BIG, ON_HOLD)]).rest().write(&[(HELD, BIG, RELEASED)]).rest();
    broken.write(&[(HOLDS, BIG, 0), (HELD, BIG, NULL)]).rest();
    check(&shop.end(9, true), Status::Holds, None, &[]);
    check(
        &broken.end(9, true),
        Status::Violated,
        Some((4, 4)),
        &[
            &format!("{HELD_IFF_CONFIRMED} = false in row {BIG}"),
            &format!("orders.orders[{BIG}]: status = 'confirmed' · inventory.holds[{BIG}].status = 'released'"),
            "broken in 3 of 4 evaluations",
        ],
    );
}

#[test]
fn all_of_a_local_transaction_is_one_change() {
    let text = "inventory.stock + count(inventory.holds, status == 'held') == 12";
    let mut shop = always(text);
    shop.write(&[(HOLDS, BIG, 1), (HELD, BIG, ON_HOLD), (STOCK, 0, 9)]);
    shop.write(&[(STOCK, 0, 10), (HELD, BIG, RELEASED)]);
    // It says no more than it said before.
    shop.promises.change(Time(8), 8, true, &[delta(HELD, BIG, RELEASED, RELEASED)]);
    let mut dual = always(text);
    dual.write(&[(HOLDS, BIG, 1), (HELD, BIG, ON_HOLD)]).write(&[(STOCK, 0, 9)]);
    check(&shop.end(9, true), Status::Holds, None, &[]);
    check(
        &dual.end(9, true),
        Status::Violated,
        Some((1, 1)),
        &[
            &format!("{} = 13", &text[..text.len() - 6]),
            "inventory.stock = 10",
            &format!("count(inventory.holds, status == 'held') = 3 in rows 0, 1, {BIG}"),
            "inventory.holds[0]: status = 'held'",
            "inventory.holds[1]: status = 'held'",
            &format!("inventory.holds[{BIG}]: status = 'held'"),
        ],
    );
}

#[test]
fn every_function_over_rows_leaves_out_what_is_missing() {
    let holds = |text: &str| {
        let mut shop = Shop::new(model::Form::Finally { predicate: at(text), after: Span::ZERO });
        shop.write(&[(ORDERS, 5, 1), (STATUS, 5, PENDING), (AMOUNT, 5, 30), (GIFT, 5, 1)]);
        shop.write(&[(ORDERS, 6, 1), (STATUS, 6, CONFIRMED), (AMOUNT, 6, -4)]);
        shop.write(&[(ORDERS, 9, 1)]).write(&[(CHARGES, 0, 3), (UNITS, 1, 7)]);
        shop.write(&[(ORDERS, 8, 1), (AMOUNT, 8, 500)]).write(&[(ORDERS, 8, 0), (AMOUNT, 8, NULL)]);
        shop.promises.load_ended(Time(1));
        shop.end(9, true).status == Status::Holds
    };
    for text in [
        "count(orders.orders) == 3 && size(orders.orders) == 3 && size(payment.charges) == 3",
        "sum(orders.orders.amount) == 26 && sum(orders.orders.amount, status == 'pending') == 30",
        "min(orders.orders.amount) == -4 && max(orders.orders.amount, key < 6) == 30",
        "distinct(orders.orders.status) == 2 && distinct(orders.orders.status, key == 9) == 0",
        "all_equal(orders.orders.gift) && any(orders.orders, status in ['paid', 'confirmed'])",
        "count(orders.orders, exists(status)) == 2 && count(orders.orders, exists(gift) && gift) == 1",
        "count(orders.orders, status != 'pending') == 1",
        "all(orders.orders, !exists(inventory.holds[key])) && all(inventory.holds, !exists(orders.orders[key].status))",
        "exists(orders.orders[9]) && !exists(orders.orders[8]) && !exists(orders.orders[9].status)",
        "orders.orders[5].status == 'pending' && !(orders.orders[8].amount > 0) && inventory.holds[1].status == 'held'",
        "any(inventory.units, value == 7 && !exists(orders.orders[key]))",
        "count(orders.orders, inventory.units[key] == 7) == 0 && count(inventory.holds, inventory.units[key] == 7) == 1",
    ] {
        assert!(holds(text), "{text}");
    }
}

#[test]
fn a_transition_sees_a_row_before_and_after() {
    let text = "!(before(orders.orders[3].status) == 'cancelled') || after(orders.orders[3].status) == 'cancelled'";
    let mut shop = Shop::new(model::Form::Transition(at(text)));
    shop.order(3, PENDING).order(4, CANCELLED).write(&[(STATUS, 4, CONFIRMED)]).write(&[(STATUS, 3, CANCELLED)]);
    shop.write(&[(STATUS, 3, CONFIRMED)]);
    let result = shop.end(9, true);
    assert_eq!((result.status, result.first), (Status::Violated, Some((Time(5), 5))));
    assert!(
        result.witness.contains(&"before(orders.orders[3].status) = 'cancelled'".to_owned()),
        "{:?}",
        result.witness
    );
}

#[test]
fn a_row_without_a_value_makes_the_promise_unknown_until_it_has_one() {
    let mut shop = always("all(orders.orders, amount + 1 > 0)");
    shop.order(3, PENDING).write(&[(AMOUNT, 3, 5)]);
    let why = "could not be evaluated at 00:00.000 (event 1): a value that is not there";
    check(&shop.end(9, true), Status::Unknown, None, &[why]);
}

fn every_order_ends(within: Option<u64>) -> Shop {
    Shop::new(model::Form::LeadsTo {
        when: at("status == 'pending'"),
        then: at("status in ['confirmed', 'cancelled']"),
        within: within.map(Span),
        for_each: Some(ItemPath { owner: "orders".to_owned(), item: "orders".to_owned(), place: Place::default() }),
    })
}

#[test]
fn leads_to_holds_each_row_to_its_bound() {
    let mut shop = every_order_ends(Some(10));
    assert_eq!((shop.promises.keep_times("p"), shop.promises.keep_times("q")), (Some(0), None));
    shop.order(BIG, PENDING).order(7, PENDING).at(11).write(&[(STATUS, BIG, CONFIRMED)]);
    shop.at(12).write(&[(STATUS, 7, CANCELLED)]).order(8, CONFIRMED);
    let mut times = Vec::new();
    shop.promises.take_times(|number, since, time| times.push((number, since.0, time.0)));
    assert_eq!(times, [(0, 1, 10), (0, 2, 10)]);
    let result = shop.end(90, true);
    check(&result, Status::Holds, None, &[]);
    assert_eq!((result.evaluations, result.form.as_str()), (2, "within 10ns"));
    let says = "for each of orders.orders: status == 'pending' leads to status in ['confirmed', 'cancelled']";
    assert_eq!(result.says, says);

    let mut late = every_order_ends(Some(10));
    late.order(BIG, PENDING).order(7, PENDING).order(8, PENDING).write(&[(ORDERS, 8, 0), (STATUS, 8, NULL)]);
    late.at(12).write(&[(STATUS, 7, CANCELLED)]).at(20).order(9, PENDING).write(&[(STATUS, BIG, CONFIRMED)]);
    check(
        &late.end(29, true),
        Status::Violated,
        Some((11, 12)),
        &[
            &format!(
                "orders.orders[{BIG}] turned true at 00:00.000, event 1, and did not lead to status in ['confirmed', 'cancelled']"
            ),
            &format!("orders.orders[{BIG}]: status = 'pending'"),
            "broken in 2 of 4 evaluations",
        ],
    );
}

#[test]
fn a_row_whose_bound_has_not_passed_is_unknown_and_one_without_a_bound_is_awaited_until_rest() {
    let mut shop = every_order_ends(Some(10));
    shop.order(3, PENDING).order(4, PENDING);
    let open = "orders.orders[3] turned true at 00:00.000, event 1, one of 2 rows that wait";
    check(&shop.end(10, true), Status::Unknown, None, &[&format!("{open}; the run ended before the bound had passed")]);
    let mut shop = every_order_ends(None);
    shop.order(3, PENDING).order(4, PENDING);
    let cut_short = format!("{open}; not at rest: 3 sagas, 1 message");
    check(&shop.clone().end(9, false), Status::Unknown, None, &[&cut_short]);
    let result = shop.end(9, true);
    assert_eq!((result.status, result.witness.len()), (Status::Violated, 3));
    assert_eq!(result.witness[2], "broken in 2 of 2 evaluations");
    let vacuous = &["its `when` was true for no row"];
    check(&every_order_ends(None).order(3, CONFIRMED).end(9, true), Status::Vacuous, None, vacuous);
}

#[test]
fn rows_that_come_and_go_leave_nothing_behind() {
    let mut shop = every_order_ends(Some(100));
    for n in 0..10_000 {
        shop.order(n, PENDING).write(&[(STATUS, n, CONFIRMED)]).write(&[(ORDERS, n, 0), (STATUS, n, NULL)]);
    }
    assert!(shop.promises.state.table.len() < 8, "{} slots", shop.promises.state.table.len());
    assert_eq!(shop.end(40_000, true).evaluations, 10_000);
}

#[test]
fn at_rest_of_a_saga_is_judged_when_its_last_instance_ends() {
    let promise = || {
        let predicate = at("count(orders.orders, status == 'pending') == 0");
        Shop::new(model::Form::AtRest { predicate, of: Some(at("sagas.checkout")) })
    };
    let mut shop = promise();
    shop.order(3, PENDING).write(&[(OPEN, 0, 2)]).write(&[(STATUS, 3, CONFIRMED)]).write(&[(OPEN, 0, 1)]);
    shop.order(4, PENDING).write(&[(STATUS, 4, CANCELLED), (OPEN, 0, 0)]).order(5, CONFIRMED);
    let result = shop.end(9, true);
    check(&result, Status::Holds, None, &[]);
    assert_eq!((result.evaluations, result.form.as_str()), (2, "at rest of sagas.checkout"));
    let mut shop = promise();
    shop.write(&[(OPEN, 0, 1)]).order(4, PENDING).write(&[(OPEN, 0, 0)]).write(&[(STATUS, 4, CANCELLED)]);
    let result = shop.end(9, false);
    assert_eq!((result.status, result.first, result.evaluations), (Status::Violated, Some((Time(3), 3)), 2));
    assert_eq!(result.witness[1], "orders.orders[4]: status = 'pending'");
    let mut shop = promise();
    shop.write(&[(OPEN, 0, 1)]).write(&[(OPEN, 0, 0)]).write(&[(OPEN, 0, 3)]);
    check(&shop.end(9, false), Status::Unknown, None, &["3 of sagas.checkout open at the end"]);
    let never = "sagas.checkout was never without an open instance, 1 at the end";
    check(&promise().write(&[(OPEN, 0, 1)]).end(9, false), Status::Vacuous, None, &[never]);
}

#[test]
fn the_judges_of_sagas_name_steps_and_machines() {
    let judge = |judge: &str, of: &str, within| {
        let form = model::Form::Check(model::Check { within, ..model::Check::plain(at(judge), at(of)) });
        Promises::compile(&model(vec![("p", form)]), &shop_names())
    };
    let mut p = judge("saga_order", "sagas.checkout", None).expect("it compiles");
    let said = [SagaFact::Begun { steps: 2 }, SagaFact::Intent { step: 1 }];
    for (time, said) in (1..).zip(said) {
        let (time, node, kind) = (Time(time), NodeId(0), FactKind::Saga(said));
        p.fact(&Fact { time, node, protocol: 1, instance: 5, kind });
    }
    let result = &p.finish(Time(9), true, "")[0];
    assert_eq!((result.status, result.class.as_str()), (Status::Violated, "p/forward"));
    assert_eq!(
        result.witness,
        [
            "forward: sagas.checkout 5: node 0 was about to do charge at 00:00.000, but reserve was not done",
            "00:00.000  node 0  begins the saga of 2 steps",
            "00:00.000  node 0  is about to do charge",
        ]
    );
    for name in ["saga_atomic", "saga_isolation"] {
        let mut p = judge(name, "sagas.checkout", None).expect("it compiles");
        assert_eq!(p.finish(Time(9), true, "")[0].status, Status::Vacuous);
    }
    judge("saga_ends", "sagas.checkout", Some(Span(9))).expect("it compiles");
    let wrong = |name, of, within| judge(name, of, within).expect_err("a mistake").remove(0).message;
    assert_eq!(wrong("saga_ends", "sagas.checkout", None), "`saga_ends` needs a bound");
    let bound = wrong("saga_order", "sagas.checkout", Some(Span(9)));
    assert_eq!(bound, "`saga_order` has no bound: `within` says nothing here");
    let subject = wrong("saga_order", "transactions.transfer", None);
    assert_eq!(subject, "`saga_order` judges sagas, not `transactions.transfer`");
}

#[test]
fn mistakes_about_rows_are_told_with_what_is_right() {
    let told = |text: &str| {
        let problems = Promises::compile(&model(vec![("p", model::Form::Always(at(text)))]), &shop_names());
        let problem = problems.expect_err(text).remove(0);
        format!("{} | {}", problem.message, problem.help.unwrap_or_default())
    };
    for (text, expected) in [
        ("count(orders.orders, statsu == 'held') > 0", "a row of `orders.orders` has no field `statsu` | `status`?"),
        (
            "count(orders.orders, total > 0) > 0",
            "a row of `orders.orders` has no field `total` | its fields are `status`, `amount`, `gift`, its key is `key`",
        ),
        (
            "sum(orders.orders.price) > 0",
            "a row of `orders.orders` has no field `price` | its fields are `status`, `amount`, `gift`, its key is `key`",
        ),
        ("sum(orders.orders) > 0", "`sum` needs a field of the rows of `orders.orders` | `sum(orders.orders.status)`"),
        (
            "sum(orders.orders.status) > 0",
            "`sum` needs numbers, and `status` is text | `count(…)` and `distinct(…)` take every field",
        ),
        (
            "count(orders.orders.status) > 0",
            "`count` is about rows, not about one of their fields | `count(orders.orders, status …)`",
        ),
        (
            "count(payment.charges) > 0",
            "a list has no rows that a promise could look at | `size(payment.charges)` is how many values are in it",
        ),
        ("payment.charges == 0", "`payment.charges` is a list | `size(payment.charges)` is how many values are in it"),
        (
            "orders.orders > 0",
            "`orders.orders` is a map: which row? | `orders.orders[0].status`, `count(orders.orders)`, `all(orders.orders, status …)`",
        ),
        (
            "orders.orders[3] == 1",
            "a row of `orders.orders` is no value: which field? | add `.status`, or ask `exists(…)`",
        ),
        (
            "orders.orders[inventory.stock].amount == 1",
            "the key must be a constant here | over all rows: `all(orders.orders, status …)`",
        ),
        (
            "orders.orders.status == 'held'",
            "`status` is a field of every row of `orders.orders`: of which row? | `orders.orders[0].status`, `distinct(orders.orders.status)`",
        ),
        ("all(orders.orders, amount == 'held')", "`==` cannot be applied to a number and text | "),
        (
            "all(orders.orders, status < 'held')",
            "`<` cannot be applied to text and text | texts are compared with `==` and `!=`",
        ),
        (
            "all(orders.orders, inventory.holds[amount].status == 'held')",
            "a field cannot be a key here: its changes would have to be followed | the rows with this row's own key are `inventory.holds[key]`",
        ),
        (
            "all(orders.orders, amount < inventory.stock)",
            "inside a predicate over rows, another item is read at the row's key only | `inventory.stock[key]`; a value that is the same for all rows would concern them all when it changes",
        ),
        (
            "all(orders.orders, inventory.holds[key] == 1)",
            "a row of `inventory.holds` is no value: which field? | `inventory.holds[key].status`, `exists(inventory.holds[key])`",
        ),
        (
            "all(orders.orders, inventory.holds.status == 'held')",
            "`status` is a field of every row of `inventory.holds`: of which row? | `inventory.holds[key].status`",
        ),
        ("all(orders.orders, size(payment.charges) > 0)", "`size` cannot stand inside a predicate over rows | "),
        ("count(orders.ordres) == 0", "nothing is called `orders.ordres` | `orders.orders`?"),
        ("all(orders.orders, holds[key].status == 'held')", "nothing is called `holds` | there is inventory.holds"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
    let mut shop = every_order_ends(None);
    shop.promises.keep_times("p");
    let for_each =
        |item: &str| Some(ItemPath { owner: "orders".to_owned(), item: item.to_owned(), place: Place::default() });
    let form = |item| model::Form::LeadsTo {
        when: at("key > 0"),
        then: at("key > 1"),
        within: None,
        for_each: for_each(item),
    };
    let problem =
        Promises::compile(&model(vec![("p", form("ordres"))]), &shop_names()).expect_err("a mistake").remove(0);
    assert_eq!(
        (problem.message.as_str(), problem.help.as_deref()),
        ("no map is called `orders.ordres`", Some("`orders.orders`?"))
    );
    let form = model::Form::AtRest { predicate: at("inventory.stock > 0"), of: Some(at("sagas.chekout")) };
    let problem = Promises::compile(&model(vec![("p", form)]), &shop_names()).expect_err("a mistake").remove(0);
    assert_eq!(problem.help.as_deref(), Some("`sagas.checkout`?"));
}
