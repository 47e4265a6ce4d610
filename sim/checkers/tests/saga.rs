//! The judges of sagas: a planted violation of each rule is found, and nothing else is.

use checkers::{Demand, SagaIsolation, Sagas, Verdict};
use kernel::SagaFact::{Begun, Compensated, Compensating, Done, Ended, Failed, Intent, Owner, Pivot, Stuck, Touched};
use kernel::{CellId, Fact, FactKind, NodeId, SagaFact, Span, Time};

const WITHIN: Demand = Demand::Ends(Span(30_000_000_000));

fn fact(second: u64, instance: u64, said: SagaFact) -> Fact {
    Fact { time: Time(second * 1_000_000_000), node: NodeId(1), protocol: 4, instance, kind: FactKind::Saga(said) }
}

/// Saga 7 of protocol 4, a fact per second; the run ends a second after the last.
fn verdict(demand: Demand, facts: &[SagaFact], at_rest: bool) -> Verdict {
    let mut judge = Sagas::new(4, demand);
    for (second, &said) in (1..).zip(facts) {
        judge.see(&fact(second, 7, said));
    }
    judge.finish(at_rest, Time((facts.len() as u64 + 1) * 1_000_000_000))
}

/// The sentence of the witness, with its rule.
fn broken(verdict: Verdict) -> String {
    match verdict {
        Verdict::Violated(witness) => {
            assert!(!witness.facts.is_empty());
            let said = witness.sentence(&|_| "orders[0]".to_owned(), &|step| {
                ["reserve", "charge", "confirm"][step as usize].to_owned()
            });
            format!("{} {}: {said}", witness.rule, witness.instance)
        }
        Verdict::Holds { judged } => format!("holds, {judged}"),
        Verdict::Unknown(why) => format!("unknown: {why}"),
    }
}

fn check(demand: Demand, facts: &[SagaFact], expected: &str) {
    assert_eq!(broken(verdict(demand, facts, true)), expected, "{facts:?}");
}

fn joined(parts: &[&[SagaFact]]) -> Vec<SagaFact> {
    parts.concat()
}

const fn done(step: u32) -> [SagaFact; 2] {
    [Intent { step }, Done { step }]
}
const fn undone(step: u32) -> [SagaFact; 2] {
    [Compensating { step }, Compensated { step }]
}
const BEGUN: [SagaFact; 2] = [Begun { steps: 3 }, Owner { incarnation: 0 }];
const COMPLETE: [SagaFact; 1] = [Ended { completed: true }];
const UNDONE: [SagaFact; 1] = [Ended { completed: false }];
const CHARGE_FAILED: [SagaFact; 2] = [Intent { step: 1 }, Failed { step: 1, certain: false }];
const CHARGE_DECLINED: [SagaFact; 2] = [Intent { step: 1 }, Failed { step: 1, certain: true }];

#[test]
fn what_is_right_holds() {
    let pivot = [Intent { step: 2 }, Pivot, Failed { step: 2, certain: false }, Intent { step: 2 }, Done { step: 2 }];
    let complete = joined(&[&BEGUN, &done(0), &done(1), &pivot, &COMPLETE]);
    // The outcome of the charge is not known, so it is undone too; then the order is cancelled, as step 3.
    let unknown = joined(&[&BEGUN, &done(0), &CHARGE_FAILED, &undone(1), &undone(0), &done(3), &UNDONE]);
    let declined = joined(&[&BEGUN, &done(0), &CHARGE_DECLINED, &undone(0), &UNDONE]);
    // Its owner dies; the next one says again what the log says, and goes on.
    let [reserve, reserved] = done(0);
    let again = [reserve, Owner { incarnation: 1 }, BEGUN[0], reserve, reserved, reserved];
    let taken_over = joined(&[&BEGUN, &again, &done(1), &done(2), &COMPLETE, &[Done { step: 2 }], &COMPLETE]);
    for facts in [complete, unknown, declined, taken_over] {
        for demand in [WITHIN, Demand::Atomic, Demand::Order] {
            check(demand, &facts, "holds, 1");
        }
    }
    check(WITHIN, &[], "holds, 0");
}

#[test]
fn who_does_not_end_in_time_breaks_its_bound() {
    let mut judge = Sagas::new(4, WITHIN);
    judge.see(&fact(1, 7, BEGUN[0]));
    judge.see(&fact(2, 8, BEGUN[0]));
    judge.see(&fact(31, 7, COMPLETE[0]));
    assert!(judge.violation().is_none(), "the bound has not passed in its own instant");
    assert_eq!(
        broken(judge.clone().finish(false, Time(31_999_999_999))),
        "unknown: 1 open when the run ended, the first is 8"
    );
    let late = "bound 8: orders[0] began at 00:02.000 and had not ended 30s later";
    assert_eq!(broken(judge.clone().finish(false, Time(32_000_000_000))), late);
    // A fact about anybody tells the time.
    judge.see(&Fact { protocol: 5, ..fact(33, 1, COMPLETE[0]) });
    assert!(judge.violation().is_some());
    judge.see(&fact(34, 8, COMPLETE[0]));
    assert_eq!((broken(judge.clone().finish(true, Time::END)).as_str(), judge.violations()), (late, 1));
    check(WITHIN, &BEGUN, "bound 7: orders[0] began at 00:01.000 and never ended, though nothing is in flight");
    let stuck = joined(&[&BEGUN, &done(0), &[Stuck]]);
    check(WITHIN, &stuck, "stuck 7: orders[0] began at 00:01.000 and was given up half way");
}

#[test]
fn all_or_nothing() {
    let atomic = |parts: &[&[SagaFact]], expected| check(Demand::Atomic, &joined(parts), expected);
    atomic(&[&BEGUN, &done(0), &done(1), &COMPLETE], "all 7: it ended complete, but confirm is not done");
    let all = [done(0), done(1), done(2)].concat();
    atomic(&[&BEGUN, &all, &undone(1), &COMPLETE], "all 7: it ended complete, but charge was undone");
    let charged = "nothing 7: it is undone, but charge may have had an effect and is not compensated";
    atomic(&[&BEGUN, &done(0), &CHARGE_FAILED, &undone(0), &UNDONE], charged);
    let under_way = [Intent { step: 1 }];
    atomic(&[&BEGUN, &done(0), &under_way, &undone(0), &UNDONE], charged);
    let reserved = "nothing 7: it is undone, but reserve is done and not compensated";
    let begun_only = [Compensating { step: 0 }];
    atomic(&[&BEGUN, &done(0), &CHARGE_DECLINED, &begun_only, &UNDONE], reserved);
    atomic(
        &[&BEGUN, &done(0), &CHARGE_DECLINED, &[Stuck]],
        "nothing 7: it is given up, but reserve is done and not compensated",
    );
    let left = joined(&[&BEGUN, &done(0)]);
    check(Demand::Atomic, &left, "nothing 7: it is left as it is, but reserve is done and not compensated");
    assert_eq!(broken(verdict(Demand::Atomic, &left, false)), "unknown: 1 open when the run ended, the first is 7");
    atomic(&[&BEGUN, &all], "holds, 1");
    atomic(&[&BEGUN, &UNDONE, &COMPLETE], "both 7: orders[0] ended it complete at 00:04.000, but it had ended undone");
}

#[test]
fn forward_in_order_then_backward_in_order() {
    let order = |parts: &[&[SagaFact]], expected| check(Demand::Order, &joined(parts), expected);
    order(&[&BEGUN, &done(1)], "forward 7: orders[0] was about to do charge at 00:03.000, but reserve was not done");
    order(
        &[&BEGUN, &[Intent { step: 0 }, Failed { step: 0, certain: false }], &done(1)],
        "forward 7: orders[0] was about to do charge at 00:05.000, but reserve was not done",
    );
    order(
        &[&BEGUN, &done(0), &CHARGE_FAILED, &undone(1), &done(1)],
        "forward 7: orders[0] was about to do charge at 00:09.000, but it was being undone already",
    );
    order(
        &[&BEGUN, &done(0), &undone(0)],
        "cause 7: orders[0] was about to undo reserve at 00:05.000, but nothing had failed",
    );
    let undo_first = "backward 7: orders[0] was about to undo reserve at 00:07.000, but charge was not undone yet";
    order(&[&BEGUN, &done(0), &CHARGE_FAILED, &undone(0)], undo_first);
    order(
        &[&BEGUN, &done(0), &CHARGE_FAILED, &[Compensating { step: 1 }], &undone(0)],
        "backward 7: orders[0] was about to undo reserve at 00:08.000, but charge was not undone yet",
    );
    order(
        &[&BEGUN, &done(0), &CHARGE_DECLINED, &undone(2)],
        "backward 7: orders[0] was about to undo confirm at 00:07.000, but its action never began",
    );
    order(
        &[&BEGUN, &done(0), &done(1), &[Intent { step: 2 }, Pivot, Failed { step: 2, certain: true }], &undone(1)],
        "pivot 7: orders[0] was about to undo charge at 00:10.000, but it only went forward since 00:08.000",
    );
    order(
        &[&BEGUN, &done(0), &CHARGE_DECLINED, &undone(0), &UNDONE, &[Intent { step: 1 }]],
        "end 7: orders[0] was about to do charge at 00:10.000, but it had ended undone",
    );
    order(
        &[&BEGUN, &done(0), &CHARGE_DECLINED, &undone(0), &UNDONE, &[Compensating { step: 0 }]],
        "end 7: orders[0] was about to undo reserve at 00:10.000, but it had ended undone",
    );
    // A prefix of what is right is right.
    assert_eq!(broken(verdict(Demand::Order, &BEGUN, false)), "holds, 1");
}

#[test]
fn ended_sagas_keep_no_facts_and_other_protocols_are_not_judged() {
    for demand in [WITHIN, Demand::Atomic, Demand::Order] {
        let mut judge = Sagas::new(4, demand);
        for instance in 0..10_000 {
            for said in [&BEGUN[..], &done(0), &done(1), &done(2), &COMPLETE].concat() {
                judge.see(&fact(instance, instance, said));
            }
            judge.see(&Fact { protocol: 5, ..fact(instance, instance, Intent { step: 2 }) });
        }
        let kept = format!("{judge:?}");
        assert!(!kept.contains("Instance {") && kept.contains("bounds: {}"), "ended means forgotten");
        assert_eq!(judge.finish(false, Time::END), Verdict::Holds { judged: 10_000 });
    }
}

/// Accesses of row 3, one per second: who (sagas below 100), and whether they change it.
fn isolation(accesses: &[(u64, bool)], ended: Option<u64>) -> String {
    let mut judge = SagaIsolation::new(4);
    for (second, &(who, write)) in (1..).zip(accesses) {
        judge.see(&fact(second, who, Touched { cell: CellId(9), key: 3, write, own: who < 100 }));
        if let Some(saga) = ended.filter(|&saga| saga == who) {
            judge.see(&fact(second, saga, COMPLETE[0]));
        }
    }
    broken(judge.finish())
}

#[test]
fn nobody_comes_between_two_changes_of_a_saga() {
    let between = ", between two changes of it by this saga, at 00:01.000 and 00:";
    assert_eq!(
        isolation(&[(7, true), (200, false), (7, false), (7, true)], None),
        format!("read 7: request 200 read row 3 at 00:02.000{between}04.000")
    );
    assert_eq!(
        isolation(&[(7, true), (8, true), (7, true)], None),
        format!("write 7: saga 8 changed row 3 at 00:02.000{between}03.000")
    );
    // Not even if the saga, or the other one, has looked since.
    assert!(isolation(&[(7, true), (200, false), (201, false), (7, false), (7, true)], None).starts_with("read 7"));
    assert_eq!(isolation(&[(200, false), (7, true), (7, true), (200, false), (8, true)], None), "holds, 5");
    assert_eq!(isolation(&[(7, true), (200, false), (7, false)], None), "holds, 3", "it was not changed again");
    assert_eq!(isolation(&[(7, true), (200, true), (7, true)], Some(7)), "holds, 3", "what has ended holds nothing");
    let mut judge = SagaIsolation::new(4);
    for (second, key, who) in [(1, 3, 7), (2, 4, 200), (3, 3, 7)] {
        judge.see(&fact(second, who, Touched { cell: CellId(9), key, write: true, own: who < 100 }));
    }
    assert_eq!(broken(judge.finish()), "holds, 3", "another row");
}
