//! Every form with a stream of its own.

use super::*;
use crate::outcome::Status;
use kernel::FactKind;

/// The promise `p` of one form.
fn promise(form: model::Form) -> Promises {
    Promises::compile(&model(vec![("p", form)]), &names()).expect("it compiles")
}

/// Sets `queues.q.depth`, so many nanoseconds after the start.
struct Depth(Promises, i64);

impl Depth {
    fn of(form: model::Form) -> Self {
        Self(promise(form), 0)
    }
    fn set(mut self, time: u64, depth: i64) -> Self {
        self.0.change(Time(time), time * 10, true, &[delta(4, 0, self.1, depth)]);
        self.1 = depth;
        self
    }
    fn heal(mut self, time: u64) -> Self {
        self.0.heal(Time(time));
        self
    }
    fn rest(mut self, time: u64) -> Self {
        self.0.rest(Time(time), time * 10);
        self
    }
    fn end(mut self, time: u64, rest: bool) -> InvariantResult {
        self.0.load_ended(Time(100));
        self.0.finish(Time(time), rest, "3 sagas, 1 message").remove(0)
    }
}

pub(super) fn check(result: &InvariantResult, status: Status, first: Option<(u64, u64)>, witness: &[&str]) {
    assert_eq!(result.status, status, "{:?}", result.witness);
    assert_eq!(result.first, first.map(|(time, event)| (Time(time), event)));
    assert_eq!(result.witness, witness);
    assert_eq!(result.class.is_empty(), status != Status::Violated);
}

#[test]
fn always_is_judged_once_per_change_and_tells_the_parts_of_the_false_side() {
    let form =
        model::Form::Always(at("sum(bank_a.accounts) + sum(bank_b.accounts) == 800 && min(bank_a.accounts) >= 0"));
    let mut p = promise(form);
    p.change(Time(5), 50, true, &[delta(0, 2, 100, -20), delta(0, 2, -20, 40), delta(1, 3, 100, 160)]);
    p.change(Time(6), 60, true, &[delta(2, 0, 5, 4)]);
    assert!(!p.stop());
    p.change(Time(7), 70, true, &[delta(0, 1, 100, -5)]);
    p.change(Time(8), 80, true, &[delta(0, 1, -5, 100)]);
    let result = &p.finish(Time(9), true, "")[0];
    check(
        result,
        Status::Violated,
        Some((7, 70)),
        &[
            "sum(bank_a.accounts) + sum(bank_b.accounts) == 800 is false",
            "sum(bank_a.accounts) + sum(bank_b.accounts) = 695",
            "sum(bank_a.accounts) = 235",
            "sum(bank_b.accounts) = 460",
            "min(bank_a.accounts) >= 0 is false",
            "min(bank_a.accounts) = -5 in row 1",
        ],
    );
    assert_eq!((result.evaluations, result.class.as_str(), result.form.as_str()), (3, "p/always", "always"));
}

#[test]
fn a_row_that_a_restart_states_anew_moves_the_aggregates_from_what_was_known() {
    let mut p = promise(model::Form::Always(at("sum(bank_a.accounts) == 400 || sum(bank_a.accounts) == 430")));
    // Nobody was told how row 1 came to 130: its record became durable in the instant of the crash.
    p.change(Time(5), 50, true, &[delta(0, 1, 130, 130)]);
    p.change(Time(6), 60, true, &[delta(0, 1, 130, 130), delta(0, 2, 100, 100)]);
    let result = &p.finish(Time(9), true, "")[0];
    check(result, Status::Holds, None, &[]);
}

#[test]
fn never_and_all_name_the_rows() {
    let mut p = promise(model::Form::Never(at("any(bank_a.accounts, value < bank_b.accounts[key])")));
    p.change(Time(1), 1, true, &[delta(1, 3, 100, 101)]);
    check(
        &p.finish(Time(2), true, "")[0],
        Status::Violated,
        Some((1, 1)),
        &[
            "any(bank_a.accounts, value < bank_b.accounts[key]) = true in row 3 (100)",
            "bank_a.accounts[3] = 100 · bank_b.accounts[3] = 101",
        ],
    );
    let mut p = promise(model::Form::Always(at("all(bank_a.accounts, value >= 0 || key == 2)")));
    for key in 0..4 {
        p.change(Time(key), key, true, &[delta(0, key, 100, -1_000)]);
    }
    check(
        &p.finish(Time(9), true, "")[0],
        Status::Violated,
        Some((0, 0)),
        &["all(bank_a.accounts, value >= 0 || key == 2) = false in row 0 (-1 000)", "broken in 4 of 4 evaluations"],
    );
}

#[test]
fn an_always_whose_state_never_changes_is_vacuous() {
    let mut p = promise(model::Form::Always(at("shop.stock >= 0")));
    p.change(Time(1), 1, true, &[delta(0, 0, 100, 99)]);
    check(&p.finish(Time(2), true, "")[0], Status::Vacuous, None, &["never evaluated: nothing it reads has changed"]);
}

#[test]
fn what_is_false_at_the_start_is_told_with_its_numbers() {
    let all = model(vec![
        ("money", model::Form::AtRest { predicate: at("sum(bank_a.accounts) == 200_000"), of: None }),
        ("fine", model::Form::Always(at("shop.up == 3"))),
        ("later", model::Form::Finally { predicate: at("shop.stock == 0"), after: Span::ZERO }),
    ]);
    let problems = Promises::compile(&all, &names()).expect_err("false at the start");
    let told: Vec<_> = problems.iter().map(|p| (p.message.as_str(), p.label.as_str())).collect();
    assert_eq!(
        told,
        [("`money` is broken before the run begins", "the initial state gives sum(bank_a.accounts) = 400")]
    );
    assert_eq!(problems[0].place.end, 31);
}

#[test]
fn at_rest_sees_rests_only() {
    let form = || model::Form::AtRest { predicate: at("queues.q.depth == 0"), of: None };
    let passing = Depth::of(form()).set(1, 7).set(2, 0).rest(2).set(3, 9).set(4, 0).end(5, true);
    check(&passing, Status::Holds, None, &[]);
    assert_eq!(passing.evaluations, 2, "the end at rest counts");
    assert_eq!(Depth::of(form()).rest(2).end(2, true).evaluations, 1, "but not twice");
    check(
        &Depth::of(form()).set(1, 7).rest(3).end(5, true),
        Status::Violated,
        Some((3, 30)),
        &["queues.q.depth = 7", "broken in 2 of 2 evaluations"],
    );
    check(
        &Depth::of(form()).rest(1).set(2, 7).end(5, false),
        Status::Unknown,
        None,
        &["not at rest: 3 sagas, 1 message"],
    );
    check(
        &Depth::of(form()).set(2, 7).end(5, false),
        Status::Vacuous,
        None,
        &["the run was never at rest (not at rest: 3 sagas, 1 message)"],
    );
}

#[test]
fn finally_is_judged_once_at_rest_and_not_too_soon() {
    let form = || model::Form::Finally { predicate: at("queues.q.depth == 0"), after: Span(12) };
    check(&Depth::of(form()).set(1, 7).set(9, 0).end(112, true), Status::Holds, None, &[]);
    check(&Depth::of(form()).set(1, 7).end(112, true), Status::Violated, Some((112, 10)), &["queues.q.depth = 7"]);
    check(
        &Depth::of(form()).end(111, true),
        Status::Unknown,
        None,
        &["the run ended sooner than 12ns after load ended"],
    );
    check(&Depth::of(form()).end(112, false), Status::Unknown, None, &["not at rest: 3 sagas, 1 message"]);
    assert_eq!(promise(form()).not_before(), Span(12));
}

#[test]
fn eventually_after_heal_must_turn_true_in_time_and_stay() {
    let form = |within| model::Form::EventuallyAfterHeal { predicate: at("queues.q.depth == 0"), within };
    let bound = || form(Some(Span(10)));
    check(&Depth::of(bound()).set(1, 7).heal(50).set(60, 0).end(90, true), Status::Holds, None, &[]);
    check(
        &Depth::of(bound()).set(1, 7).heal(50).set(61, 0).end(90, true),
        Status::Violated,
        Some((60, 610)),
        &["queues.q.depth = 7"],
    );
    check(
        &Depth::of(bound()).heal(50).set(55, 1).end(90, true),
        Status::Violated,
        Some((60, 550)),
        &["queues.q.depth = 1"],
    );
    check(
        &Depth::of(bound()).heal(50).set(70, 1).set(71, 0).end(90, true),
        Status::Violated,
        Some((70, 700)),
        &["queues.q.depth = 1"],
    );
    check(
        &Depth::of(bound()).set(1, 7).heal(50).end(59, true),
        Status::Unknown,
        None,
        &["the run ended before its bound had passed"],
    );
    check(
        &Depth::of(bound()).set(1, 7).heal(50).end(60, false),
        Status::Violated,
        Some((60, 10)),
        &["queues.q.depth = 7"],
    );
    check(&Depth::of(bound()).set(1, 7).end(60, false), Status::Vacuous, None, &["the run ended before the heal"]);
    check(&Depth::of(bound()).heal(50).end(55, true), Status::Holds, None, &[]);
    check(
        &Depth::of(bound()).heal(50).end(55, false),
        Status::Unknown,
        None,
        &["the run ended before its bound had passed"],
    );
    check(
        &Depth::of(form(None)).set(1, 7).heal(50).end(90, true),
        Status::Violated,
        Some((90, 10)),
        &["queues.q.depth = 7"],
    );
    check(
        &Depth::of(form(None)).set(1, 7).heal(50).end(90, false),
        Status::Unknown,
        None,
        &["not at rest: 3 sagas, 1 message"],
    );
    check(&Depth::of(form(None)).set(1, 7).set(3, 0).heal(50).end(90, false), Status::Holds, None, &[]);
}

#[test]
fn sometimes_reports_and_is_judged_here_only_if_every_seed_must_reach_it() {
    let form = |at_least| model::Form::Sometimes { predicate: at("queues.q.depth >= 3"), at_least };
    let reached = Depth::of(form(None)).set(4, 2).set(5, 3).set(6, 0).end(9, true);
    check(&reached, Status::Holds, None, &["reached at 00:00.000, event 50"]);
    assert_eq!(reached.reached, Some(true));
    let missed = Depth::of(form(Some(0.5))).set(4, 2).end(9, true);
    check(&missed, Status::Unknown, None, &["not reached in this run; a sweep judges"]);
    assert_eq!(missed.reached, Some(false));
    check(
        &Depth::of(form(Some(1.0))).set(4, 2).end(9, true),
        Status::Violated,
        Some((9, 40)),
        &["queues.q.depth >= 3 was never true"],
    );
}

#[test]
fn transition_compares_each_state_with_the_one_before() {
    let form = || model::Form::Transition(at("before(queues.q.depth) <= after(queues.q.depth) || queues.q.depth == 0"));
    check(&Depth::of(form()).set(1, 3).set(2, 5).set(3, 0).set(4, 1).end(9, true), Status::Holds, None, &[]);
    check(
        &Depth::of(form()).set(1, 3).set(2, 2).set(3, 4).end(9, true),
        Status::Violated,
        Some((2, 20)),
        &["before(queues.q.depth) = 3", "after(queues.q.depth) = 2", "queues.q.depth = 2"],
    );
}

#[test]
fn leads_to_holds_every_trigger_to_its_bound() {
    let form = |within| model::Form::LeadsTo {
        when: at("queues.q.depth >= 5"),
        then: at("queues.q.depth == 0"),
        within,
        for_each: None,
    };
    let bound = || form(Some(Span(10)));
    let kept = Depth::of(bound()).set(1, 5).set(3, 1).set(5, 6).set(11, 0).set(20, 9).set(30, 0).end(90, true);
    check(&kept, Status::Holds, None, &[]);
    assert_eq!(kept.evaluations, 3, "three times it turned true");
    check(
        &Depth::of(bound()).set(1, 5).set(3, 1).set(5, 6).set(12, 0).end(90, true),
        Status::Violated,
        Some((11, 120)),
        &[
            "turned true at 00:00.000, event 10 (and once more), and did not lead to queues.q.depth == 0",
            "queues.q.depth = 6",
        ],
    );
    check(
        &Depth::of(bound()).set(85, 5).end(90, true),
        Status::Unknown,
        None,
        &["turned true at 00:00.000, event 850; the run ended before the bound had passed"],
    );
    check(
        &Depth::of(bound()).set(80, 5).end(90, false),
        Status::Violated,
        Some((90, 800)),
        &["turned true at 00:00.000, event 800, and did not lead to queues.q.depth == 0", "queues.q.depth = 5"],
    );
    check(&Depth::of(bound()).set(1, 4).end(90, true), Status::Vacuous, None, &["its `when` was never true"]);
    check(
        &Depth::of(form(None)).set(1, 5).end(90, true),
        Status::Violated,
        Some((90, 10)),
        &["turned true at 00:00.000, event 10, and never led to queues.q.depth == 0"],
    );
    assert_eq!(Depth::of(form(None)).set(1, 5).end(90, false).status, Status::Unknown);
}

#[test]
fn leads_to_counts_a_when_that_is_true_from_the_start() {
    let when = || at("shop.stock == 5");
    let form =
        model::Form::LeadsTo { when: when(), then: at("queues.q.depth > 0"), within: Some(Span(10)), for_each: None };
    check(
        &Depth::of(form).set(11, 1).end(90, true),
        Status::Violated,
        Some((10, 110)),
        &["turned true at 00:00.000, event 0, and did not lead to queues.q.depth > 0", "queues.q.depth = 0"],
    );
}

#[test]
fn a_bound_passes_after_its_last_instant_and_for_its_own_promise_only() {
    let form = |then: &str, within| model::Form::LeadsTo {
        when: at("queues.q.depth >= 5"),
        then: at(then),
        within: Some(Span(within)),
        for_each: None,
    };
    let two = [("soon", form("queues.q.depth == 0", 10)), ("later", form("queues.q.depth == 1", 12))];
    let mut p = Promises::compile(&model(two.to_vec()), &names()).expect("it compiles");
    p.change(Time(1), 1, true, &[delta(4, 0, 0, 5)]);
    p.change(Time(13), 2, true, &[delta(4, 0, 5, 1)]);
    let statuses: Vec<_> = p.finish(Time(50), true, "").iter().map(|r| r.status).collect();
    assert_eq!(statuses, [Status::Violated, Status::Holds]);
    let heal = model::Form::EventuallyAfterHeal { predicate: at("queues.q.depth == 0"), within: Some(Span(10)) };
    check(&Depth::of(heal).heal(50).set(60, 1).set(60, 0).end(90, true), Status::Holds, None, &[]);
}

#[test]
fn what_cannot_be_evaluated_is_unknown_with_its_place() {
    let form = || model::Form::Always(at("100 / (queues.q.depth - 3) > -99 || shop.stock == 0"));
    check(
        &Depth::of(form()).set(1, 7).set(2, 3).set(3, 1).end(9, true),
        Status::Unknown,
        None,
        &["could not be evaluated at 00:00.000 (event 20): a division by zero"],
    );
    let mut p = promise(model::Form::Always(at("sum(bank_a.accounts) > 0")));
    p.change(Time(1), 1, true, &[delta(0, 0, 100, i64::MAX)]);
    p.change(Time(2), 2, true, &[delta(0, 0, i64::MAX, 7)]);
    check(
        &p.finish(Time(3), true, "")[0],
        Status::Unknown,
        None,
        &["could not be evaluated at 00:00.000 (event 1): a number beyond 64 bits"],
    );
}

#[test]
fn the_run_stops_at_a_violation_that_aborts() {
    let mut all = model(vec![
        ("idle", model::Form::Always(at("queues.q.depth < 9"))),
        ("tidy", model::Form::Always(at("shop.stock >= 0"))),
    ]);
    all.run.abort_on_fail = vec![at("tidy")];
    let mut p = Promises::compile(&all, &names()).expect("it compiles");
    p.change(Time(1), 1, true, &[delta(4, 0, 0, 9)]);
    assert!(!p.stop());
    p.change(Time(2), 2, true, &[delta(2, 0, 5, -1)]);
    assert!(p.stop());
    all.run.abort_on_fail = vec![at("tdiy")];
    let problems = Promises::compile(&all, &names()).expect_err("an unknown name");
    assert_eq!(
        (problems[0].message.as_str(), problems[0].help.as_deref()),
        ("no invariant is called `tdiy`", Some("`tidy`?"))
    );
}

#[test]
#[should_panic(expected = "from a value it did not have")]
fn a_change_from_a_value_that_was_not_there_is_an_engine_bug() {
    promise(model::Form::Always(at("shop.stock >= 0"))).change(Time(1), 1, true, &[delta(2, 0, 6, 7)]);
}

#[test]
fn atomic_commit_is_judged_by_its_facts() {
    let form = || model::Form::Check(model::Check::plain(at("atomic_commit"), at("transactions.transfer")));
    let (begun, yes, commit) = (FactKind::Begun { participants: 2 }, FactKind::Voted { yes: true }, true);
    let good = [
        fact(1, 0, begun),
        fact(2, 1, yes),
        fact(3, 2, yes),
        fact(4, 0, FactKind::Decided { commit }),
        fact(5, 1, FactKind::Applied { commit }),
    ];
    let run = |facts: &[Fact], rest: bool| {
        let mut p = promise(form());
        for (n, fact) in facts.iter().enumerate() {
            p.event(100 + n as u64);
            p.fact(fact);
        }
        p.finish(Time(9), rest, "1 message").remove(0)
    };
    let last = |commit| [&good[..], &[fact(6, 2, FactKind::Applied { commit })]].concat();
    check(&run(&last(true), true), Status::Holds, None, &[]);
    let split = run(&last(false), true);
    assert_eq!((split.status, split.first, split.class.as_str()), (Status::Violated, Some((Time(6), 105)), "p/AC1"));
    assert!(
        split.witness[0].starts_with("AC1: transactions.transfer 42: coordinator decided to commit"),
        "{:?}",
        split.witness
    );
    assert_eq!(split.witness.last().map(String::as_str), Some("00:00.000  bank_b  applies the abort"));
    assert_eq!(run(&good, true).class, "p/AC5");
    assert_eq!(run(&good, false).status, Status::Unknown);
    check(&run(&[], true), Status::Vacuous, None, &["no instance of transactions.transfer began"]);
}

#[test]
fn mistakes_in_promises_are_told_all_at_once() {
    let problems = Promises::compile(
        &model(vec![
            ("a", model::Form::Always(at("sum(bank_a.acounts) == bank_b.accounts"))),
            ("b", model::Form::Always(at("count(bank_a.accounts, status == 3) > $x"))),
            ("c", model::Form::Always(at("before(shop.stock) > 1"))),
            ("d", model::Form::Always(at("bank_a.accounts[4] + bank_a.accounts[shop.stock] == 1"))),
            ("e", model::Form::Always(at("size(bank_a.accounts) == 4"))),
            ("f", model::Form::Check(model::Check::plain(at("atomic_comit"), at("transactions.transfr")))),
            (
                "g",
                model::Form::LeadsTo {
                    when: at("sum(1) >"),
                    then: at("summ(shop.up) == 1"),
                    within: None,
                    for_each: None,
                },
            ),
            ("h", model::Form::Always(at("all(bank_a.accounts, value > shop.stock) && any(bank_b.accounts)"))),
            ("i", model::Form::Always(at("shop == 1"))),
        ]),
        &names(),
    )
    .expect_err("many mistakes");
    let told: Vec<_> =
        problems.iter().map(|p| format!("{} | {}", p.message, p.help.as_deref().unwrap_or(""))).collect();
    assert_eq!(
        told,
        [
            "nothing is called `bank_a.acounts` | `bank_a.accounts`?",
            "`bank_b.accounts` has 4 rows: which one? | `bank_b.accounts[0]`, `sum(bank_b.accounts)`, `all(bank_b.accounts, value >= 0)`",
            "a row of a counter has no field `status` | its value is `value`, its key `key`",
            "a promise belongs to no request: there is no `$x` | promises are about state, such as `bank.accounts`, and views, such as `bank.up`",
            "`before` stands in `transition` only | other promises see one state, not two",
            "`bank_a.accounts` has no row 4 | its rows are 0 to 3",
            "the key must be a constant here | over all rows: `all(bank_a.accounts, value >= 0)`",
            "this reads nothing that can change | a promise is about state, such as `sum(bank.accounts) == 100`",
            "there is no judge called `atomic_comit` | `atomic_commit`?",
            "nothing that can be judged is called `transactions.transfr` | `transactions.transfer`?",
            "the end is found where a value is expected | ",
            "there is no function `summ` | `sum`?",
            "inside a predicate over rows, another item is read at the row's key only | `shop.stock[key]`; a value that is the same for all rows would concern them all when it changes",
            "`any` needs a predicate over a row | `all(bank.accounts, value >= 0)`, `all(shop.orders, status == 'paid')`",
            "nothing is called `shop` | there is shop.stock, shop.up",
        ]
    );
}
