//! The judge of atomic commitment: a planted violation of each rule is found, and nothing else is.

use checkers::{AtomicCommit, Verdict};
use kernel::{Fact, FactKind, NodeId, Time};

const COORDINATOR: u32 = 1;
const CLIENT: u32 = 0;

/// Facts of instance 7 of protocol 4, one per second; kinds on nodes.
fn judge(facts: &[(u32, FactKind)]) -> AtomicCommit {
    let mut judge = AtomicCommit::new(4);
    for (second, (node, kind)) in (1..).zip(facts) {
        let time = Time(second * 1_000_000_000);
        judge.see(&Fact { time, node: NodeId(*node), protocol: 4, instance: 7, kind: *kind });
    }
    judge
}

fn check(facts: &[(u32, FactKind)], at_rest: bool, expected: Result<u64, (&str, &str)>) {
    match (judge(facts).finish(at_rest), expected) {
        (Verdict::Holds { judged }, Ok(expected)) => assert_eq!(judged, expected, "{facts:?}"),
        (Verdict::Violated(witness), Err((rule, sentence))) => {
            let name = |node: NodeId| ["client", "coordinator", "a", "b", "c"][node.0 as usize].to_string();
            let said = witness.sentence(&name, &|_| unreachable!("it has no steps"));
            assert_eq!((witness.rule, said.as_str(), witness.instance), (rule, sentence, 7), "{facts:?}");
            assert!(!witness.facts.is_empty());
        }
        (verdict, expected) => panic!("{verdict:?} instead of {expected:?} for {facts:?}"),
    }
}

const fn begun(participants: u32) -> (u32, FactKind) {
    (COORDINATOR, FactKind::Begun { participants })
}
const fn yes(node: u32) -> (u32, FactKind) {
    (node, FactKind::Voted { yes: true })
}
const fn decided(commit: bool) -> (u32, FactKind) {
    (COORDINATOR, FactKind::Decided { commit })
}
const fn applied(node: u32, commit: bool) -> (u32, FactKind) {
    (node, FactKind::Applied { commit })
}
const fn told(commit: bool) -> (u32, FactKind) {
    (CLIENT, FactKind::Told { commit })
}
const fn crashed(node: u32) -> (u32, FactKind) {
    (node, FactKind::Crashed)
}

#[test]
fn what_is_right_holds() {
    let commit = [begun(2), yes(2), yes(3), decided(true), told(true), applied(2, true), applied(3, true)];
    check(&commit, true, Ok(1));
    check(&commit, false, Ok(1));
    // Facts are stated again after a crash, and a no may be forgotten.
    let again = [commit.as_slice(), &[crashed(1), decided(true), crashed(2), applied(2, true)]].concat();
    check(&again, true, Ok(1));
    let no = (3, FactKind::Voted { yes: false });
    check(&[begun(2), yes(2), no, decided(false), applied(2, false)], true, Ok(1));
    check(&[begun(2), no, crashed(3), yes(3), yes(2), decided(true), applied(2, true), applied(3, true)], true, Ok(1));
    let reader = (3, FactKind::VotedReadOnly);
    check(&[begun(2), yes(2), reader, decided(true), applied(2, true)], true, Ok(1));
    // Presumed abort: the coordinator forgot it, everybody who was bound aborted.
    check(&[begun(2), yes(2), crashed(COORDINATOR), applied(2, false)], true, Ok(1));
    check(&[begun(2), crashed(COORDINATOR)], true, Ok(1));
    check(&[], true, Ok(0));
}

#[test]
fn two_ends_break_ac1() {
    let facts = [begun(2), yes(2), yes(3), decided(true), applied(2, true), applied(3, false)];
    check(&facts, true, Err(("AC1", "coordinator decided to commit at 00:04.000, but b applied abort at 00:06.000")));
    check(&facts, false, Err(("AC1", "coordinator decided to commit at 00:04.000, but b applied abort at 00:06.000")));
    let facts = [begun(1), yes(2), decided(false), told(true)];
    check(
        &facts,
        true,
        Err(("AC1", "coordinator decided to abort at 00:03.000, but client was told commit at 00:04.000")),
    );
}

#[test]
fn a_late_contradiction_of_a_closed_instance_breaks_ac1() {
    let closed = [begun(1), yes(2), decided(true), applied(2, true)];
    let late = [closed.as_slice(), &[applied(2, false)]].concat();
    check(&late, true, Err(("AC1", "a applied abort at 00:05.000, but the decision had been commit")));
}

#[test]
fn a_change_of_mind_breaks_ac2() {
    let facts = [begun(2), yes(2), yes(3), decided(true), crashed(1), decided(false)];
    let said = "coordinator decided to commit at 00:04.000, and reversed it: coordinator decided to abort at 00:06.000";
    check(&facts, true, Err(("AC2", said)));
    let facts = [begun(2), yes(2), applied(2, false), applied(2, true)];
    let said = "a applied abort at 00:03.000, and reversed it: a applied commit at 00:04.000";
    check(&facts, true, Err(("AC2", said)));
}

#[test]
fn a_commit_without_all_votes_breaks_ac3() {
    let facts = [begun(2), yes(2), decided(true)];
    let said = "coordinator decided to commit at 00:03.000, but only 1 of 2 participants had voted yes";
    check(&facts, false, Err(("AC3", said)));
    let said = "coordinator decided to commit at 00:01.000, but only 0 of 0 participants had voted yes";
    check(&[decided(true)], false, Err(("AC3", said)));
}

#[test]
fn a_needless_abort_is_counted_but_not_condemned() {
    let facts = [begun(2), yes(2), yes(3), decided(false), applied(2, false), applied(3, false)];
    check(&facts, true, Ok(1));
    assert_eq!(judge(&facts).counts().aborted_though_ready, 1);
    let facts = [begun(2), yes(2), yes(3), crashed(2), decided(false), applied(2, false), applied(3, false)];
    assert_eq!(judge(&facts).counts().aborted_though_ready, 0);
}

#[test]
fn who_never_ends_breaks_ac5_at_rest_and_is_unknown_before() {
    let in_doubt = [begun(2), yes(2), yes(3), decided(true), applied(2, true)];
    check(&in_doubt, true, Err(("AC5", "b voted yes and never applied the commit")));
    let Verdict::Unknown(why) = judge(&in_doubt).finish(false) else { panic!("open, and not at rest") };
    assert_eq!(why, "not at rest: 1 open, the first is 7");
    check(&[begun(2), yes(2)], true, Err(("AC5", "a voted yes and never heard a decision")));
    check(&[begun(1)], true, Err(("AC5", "coordinator began at 00:01.000 and never decided")));
    // A yes that comes after the end binds its voter as any other.
    let late = [begun(2), yes(2), decided(false), applied(2, false), yes(3)];
    check(&late, true, Err(("AC5", "b voted yes and never applied the abort")));
    let late = [late.as_slice(), &[applied(3, false)]].concat();
    check(&late, true, Ok(1));
}

#[test]
fn closed_instances_keep_no_facts_and_other_protocols_are_not_judged() {
    let mut judge = AtomicCommit::new(4);
    for instance in 0..10_000 {
        for (node, kind) in [begun(1), yes(2), decided(true), applied(2, true)] {
            judge.see(&Fact { time: Time(instance), node: NodeId(node), protocol: 4, instance, kind });
        }
        let (time, node) = (Time(instance), NodeId(2));
        judge.see(&Fact { time, node, protocol: 5, instance, kind: FactKind::Applied { commit: false } });
    }
    assert!(!format!("{judge:?}").contains("Instance {"), "closed means forgotten");
    assert_eq!(judge.counts().committed, 10_000);
    assert_eq!(judge.finish(false), Verdict::Holds { judged: 10_000 });
}
