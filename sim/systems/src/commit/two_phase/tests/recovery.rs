//! What a restarted node does with what its log says.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{Delay, Effect, NodeId, Span, Time};

use super::bank::{Branch, COORDINATOR, Transfer, head, kind, lines, plan};
use crate::commit::two_phase::{Coordinator, Kind, Mutant, Party, Presumption, Record, Timer, owed};

type Log = Vec<Record<Transfer>>;

fn parties() -> Vec<Party> {
    vec![Party { part: 0, node: NodeId(2) }, Party { part: 1, node: NodeId(3) }]
}

fn begun() -> Record<Transfer> {
    Record::Begun { head: head(7, 0), parties: parties() }
}

fn decided(commit: bool) -> Record<Transfer> {
    Record::Decided { head: head(7, 0), commit, tell: parties() }
}

fn voted(time: Time) -> Record<Transfer> {
    let work = Transfer(vec![(0, -10)]);
    Record::Voted { head: head(7, 0), coordinator: COORDINATOR, peers: Vec::new(), work, time }
}

fn outcome(commit: bool) -> Record<Transfer> {
    Record::Outcome { head: head(7, 0), commit }
}

#[test]
fn a_restarted_coordinator_ends_what_it_began() {
    let abort = ["cancel VotesLate(7)", "point before_decision_logged", "persist decided abort, 2", "wake Decided(7)"];
    let told = |word| {
        ["fact decided", "send 2", "point after_first_decision_sent", "send 3"].map(|line| match line {
            "point after_first_decision_sent" => line.to_string(),
            _ => alloc::format!("{line} {word}"),
        })
    };
    let check = |log: Log, said: &[alloc::string::String], owes: u64| {
        let plan = plan(kind());
        let mut coordinator = Coordinator::new(&plan, COORDINATOR);
        let mut out = Vec::new();
        coordinator.start(&plan, &log, &mut out);
        assert_eq!(lines(&out), said, "{log:?}");
        assert_eq!((coordinator.unfinished(), owed(&log)), (owes, owes));
    };
    check(vec![], &[], 0);
    check(vec![begun()], &abort.map(ToString::to_string), 1);
    for (commit, word) in [(true, "commit"), (false, "abort")] {
        let mut said = told(word).to_vec();
        said.push("set AcksLate(7)".to_string());
        check(vec![begun(), decided(commit)], &said, 1);
        check(vec![begun(), decided(commit), Record::Ended(head(7, 0))], &[], 0);
    }
}

#[test]
fn a_restarted_participant_holds_its_rows_and_asks_when_its_time_has_come() {
    let mut branch = Branch::new(kind());
    branch.now = Time(0) + Span::millis(130);
    let log = vec![voted(Time(0) + Span::millis(90))];
    let mut out = Vec::new();
    branch.participant.start(&branch.plan, branch.now, &log, &mut branch.bank, &mut out);
    let asks = Effect::SetTimer(Timer::DecisionLate(7), Delay::Fixed(Span::millis(60)));
    assert!(alloc::format!("{out:?}").contains(&alloc::format!(
        "{asks:?}",
        asks = asks as Effect<crate::commit::two_phase::Role<super::bank::Bank>>
    )));
    assert_eq!((branch.participant.holder(0), branch.participant.unfinished(), owed(&log)), (Some(7), 1, 1));
    assert_eq!(branch.participant.in_doubt().next(), Some((0, Time(0) + Span::millis(90))), "counted from the vote");
    assert_eq!(branch.due(Timer::DecisionLate(7)), ["send 1 ask", "set DecisionLate(7)"]);
    assert_eq!(branch.decide(7, true)[1], "persist outcome commit");
    assert_eq!(branch.due(Timer::Outcome(7))[0], "row 0 is 90");
}

#[test]
fn a_restarted_participant_has_the_rows_that_its_log_says() {
    for (commit, balance) in [(true, 90), (false, 100)] {
        let mut branch = Branch::new(kind());
        let log = vec![voted(Time(1)), outcome(commit)];
        let mut out = Vec::new();
        branch.participant.start(&branch.plan, branch.now, &log, &mut branch.bank, &mut out);
        let restated =
            if commit { ["row 0 is 90", "fact applied commit"] } else { ["row 0 is 100", "fact applied abort"] };
        assert_eq!(lines(&out), restated);
        assert_eq!((branch.bank.accounts[0], branch.participant.holder(0), owed(&log)), (balance, None, 0));
        assert_eq!(branch.decide(7, commit), ["send 1 ack"], "the coordinator may not have heard it");
        assert_eq!(branch.bank.accounts[0], balance);
    }
}

#[test]
fn a_mutant_forgets_its_locks_or_never_asks() {
    for (mutant, holder, timers) in [(Mutant::ForgetLocksOnRestart, None, 1), (Mutant::NeverAsk, Some(7), 0)] {
        let mut branch = Branch::new(Kind { mutant: Some(mutant), ..kind() });
        let mut out = Vec::new();
        branch.participant.start(&branch.plan, branch.now, &[voted(Time(1))], &mut branch.bank, &mut out);
        assert_eq!(branch.participant.holder(0), holder);
        assert_eq!(lines(&out).len(), 2 + timers, "the row and the vote are stated again");
    }
}

#[test]
fn under_presumed_abort_only_commits_survive_the_coordinator() {
    let plan = plan(Kind { presumption: Presumption::Abort, ..kind() });
    let mut coordinator = Coordinator::<super::bank::Bank>::new(&plan, COORDINATOR);
    let mut out = Vec::new();
    coordinator.start(&plan, &[decided(true)], &mut out);
    assert_eq!(lines(&out)[1], "send 2 commit");
}
