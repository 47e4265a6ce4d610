//! The orders that matter, as transcripts.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use kernel::{Digest, Message as _, NodeId, Span, Time};

use super::bank::{Bank, Branch, COORDINATOR, INSUFFICIENT, Transfer, head, kind, lines, plan};
use crate::commit::Reason;
use crate::commit::two_phase::{
    Ask, Ballot, Begin, Coordinator, DecisionLog, Kind, Locks, Message, Mutant, Output, Party, Plan, Presumption,
    Recovery, Timer,
};
use crate::locks::Deadlock;

/// A coordinator of transaction 7 with participants on nodes 2 and 3, and what it says.
struct Office {
    plan: Plan,
    coordinator: Coordinator<Bank>,
}

impl Office {
    fn new(kind: Kind) -> Self {
        let plan = plan(kind);
        let coordinator = Coordinator::new(&plan, COORDINATOR);
        Self { plan, coordinator }
    }

    fn begin(&mut self) -> Vec<String> {
        let participants = vec![(NodeId(2), Transfer(vec![(0, -10)])), (NodeId(3), Transfer(vec![(0, 10)]))];
        let begin = Begin { kind: 0, transaction: 7, began: Time(7), participants };
        let mut out = Vec::new();
        self.coordinator.begin(&self.plan, Time(7), begin, &mut out);
        lines(&out)
    }

    fn hear(&mut self, from: u32, message: Message<Transfer>) -> Vec<String> {
        let mut out = Vec::new();
        self.coordinator.on_message(&self.plan, Time(9), NodeId(from), message, &mut out);
        lines(&out)
    }

    fn due(&mut self, timer: Timer) -> Vec<String> {
        let mut out = Vec::new();
        self.coordinator.on_timer(&self.plan, Time(9), timer, &mut out);
        lines(&out)
    }

    fn vote(&mut self, part: u16, ballot: Ballot) -> Vec<String> {
        self.hear(u32::from(part) + 2, Message::Vote(head(7, part), ballot))
    }
}

fn presumed_abort() -> Kind {
    Kind { presumption: Presumption::Abort, ..kind() }
}

const NOTHING: [&str; 0] = [];

#[test]
fn presumed_nothing_writes_before_it_says() {
    let mut office = Office::new(kind());
    assert_eq!(office.begin(), ["persist begun 2", "wake Begun(7)"]);
    assert_eq!(office.hear(9, Message::Ask(head(7, 0))), NOTHING, "no opinion before the decision is durable");
    assert_eq!(
        office.due(Timer::Begun(7)),
        [
            "fact begun 2",
            "point before_prepare_sent",
            "set VotesLate(7)",
            "send 2 prepare, 0 peers",
            "send 3 prepare, 0 peers"
        ]
    );
    assert_eq!(office.vote(0, Ballot::Yes), NOTHING);
    assert_eq!(office.vote(0, Ballot::Yes), NOTHING, "a vote counts once");
    assert_eq!(
        office.vote(1, Ballot::Yes),
        [
            "point after_last_vote",
            "cancel VotesLate(7)",
            "point before_decision_logged",
            "persist decided commit, 2",
            "wake Decided(7)"
        ]
    );
    assert_eq!(office.hear(2, Message::Ask(head(7, 0))), NOTHING);
    assert_eq!(
        office.due(Timer::Decided(7)),
        [
            "fact decided commit",
            "point after_decision_logged",
            "tell Decided { transaction: 7, kind: 0, outcome: Ok(()) }",
            "send 2 commit",
            "point after_first_decision_sent",
            "send 3 commit",
            "set AcksLate(7)"
        ]
    );
    assert_eq!(office.hear(2, Message::Ack(head(7, 0))), NOTHING);
    assert_eq!(office.due(Timer::AcksLate(7)), ["send 3 commit", "set AcksLate(7)"]);
    assert_eq!(office.hear(3, Message::Ack(head(7, 1))), ["cancel AcksLate(7)", "persist ended", "point after_end"]);
    assert_eq!(office.coordinator.unfinished(), 0);
    assert_eq!(office.begin(), NOTHING, "a duplicate of what is finished begins nothing");
}

#[test]
fn presumed_abort_writes_and_remembers_nothing_of_an_abort() {
    let mut office = Office::new(presumed_abort());
    assert_eq!(office.begin().len(), 5, "nothing is written before prepare is sent");
    assert_eq!(
        office.vote(1, Ballot::No(INSUFFICIENT)),
        [
            "cancel VotesLate(7)",
            "point before_decision_logged",
            "fact decided abort",
            "point after_decision_logged",
            "tell Decided { transaction: 7, kind: 0, outcome: Err(Reason(1)) }",
            "send 2 abort",
            "point after_first_decision_sent",
            "cancel AcksLate(7)",
            "point after_end"
        ],
        "only who may be prepared is told, once"
    );
    assert_eq!(office.hear(2, Message::Ask(head(7, 0))), ["send 2 abort"], "the presumption");
    let mut branch = Branch::new(presumed_abort());
    branch.prepare(7, &[(0, -10)]);
    branch.due(Timer::Voted(7));
    assert_eq!(branch.decide(7, false), ["cancel DecisionLate(7)", "fact applied abort", "persist outcome abort"]);
    assert_eq!(branch.participant.unfinished(), 0, "nobody waits for the record of an abort");
}

#[test]
fn a_decision_log_in_memory_writes_nothing_at_all() {
    for presumption in [Presumption::Nothing, Presumption::Abort] {
        let mut office = Office::new(Kind { decision_log: DecisionLog::Memory, presumption, ..kind() });
        let mut said = office.begin();
        said.extend(office.vote(0, Ballot::Yes));
        said.extend(office.vote(1, Ballot::Yes));
        assert!(said.contains(&"fact decided commit".to_string()));
        said.extend(office.hear(2, Message::Ack(head(7, 0))));
        said.extend(office.hear(3, Message::Ack(head(7, 1))));
        assert!(said.iter().all(|line| !line.starts_with("persist")), "{said:?}");
        assert_eq!(office.coordinator.unfinished(), 0);
    }
}

#[test]
fn a_missing_vote_aborts_in_time_and_a_mutant_commits_instead() {
    let mut office = Office::new(presumed_abort());
    office.begin();
    office.vote(0, Ballot::Yes);
    let mut mutant = office.coordinator.clone();
    let said = office.due(Timer::VotesLate(7));
    assert!(
        said.contains(&"tell Decided { transaction: 7, kind: 0, outcome: Err(Reason(65285)) }".to_string()),
        "{said:?}"
    );
    let mut out = Vec::new();
    let plan = plan(Kind { mutant: Some(Mutant::CommitOnTimeout), ..presumed_abort() });
    mutant.on_timer(&plan, Time(9), Timer::VotesLate(7), &mut out);
    assert!(lines(&out).contains(&"persist decided commit, 2".to_string()));
}

#[test]
fn a_vote_is_said_after_it_is_written_and_rows_change_when_the_outcome_is() {
    let mut branch = Branch::new(kind());
    assert_eq!(
        branch.prepare(7, &[(0, -10)]),
        [
            "set LockLate(7)",
            "cancel LockLate(7)",
            "point before_vote_logged",
            "persist voted",
            "point after_vote_logged",
            "fact voted yes",
            "send 1 yes",
            "point after_vote_sent",
            "wake Voted(7)",
            "set DecisionLate(7)"
        ]
    );
    assert!(branch.participant.deliberates(7));
    assert_eq!(branch.due(Timer::Voted(7)), NOTHING);
    assert_eq!(branch.participant.in_doubt().count(), 1);
    assert_eq!(branch.prepare(7, &[(0, -10)]), ["send 1 yes"], "a repeated prepare is answered again");
    assert_eq!(branch.due(Timer::DecisionLate(7)), ["send 1 ask", "set DecisionLate(7)"]);
    assert_eq!(branch.decide(7, true), ["cancel DecisionLate(7)", "persist outcome commit", "wake Outcome(7)"]);
    assert_eq!(branch.bank.accounts, [100, 50], "nobody sees what is not durable");
    assert_eq!(branch.participant.holder(0), Some(7));
    assert_eq!(branch.decide(7, true), NOTHING, "the ack follows when the record is durable");
    assert_eq!(
        branch.due(Timer::Outcome(7)),
        ["row 0 is 90", "fact applied commit", "point participant.after_decision_logged", "send 1 ack"]
    );
    assert_eq!((branch.participant.holder(0), branch.participant.unfinished()), (None, 0));
    assert_eq!(branch.decide(7, true), ["send 1 ack"], "again, without effect");
    assert_eq!(branch.prepare(7, &[(0, -10)]), NOTHING, "a late copy of the prepare does nothing");
    assert_eq!(branch.bank.accounts, [90, 50]);
}

#[test]
fn abort_that_overtakes_prepare_is_remembered() {
    let mut branch = Branch::new(kind());
    assert_eq!(branch.decide(7, false), ["send 1 ack"]);
    assert_eq!(branch.prepare(7, &[(0, -10)]), NOTHING);
    assert_eq!(branch.participant.unfinished(), 0);
}

#[test]
fn abort_before_the_vote_is_durable_is_written_behind_it() {
    let mut branch = Branch::new(kind());
    branch.prepare(7, &[(0, -10)]);
    assert_eq!(branch.decide(7, false), ["cancel DecisionLate(7)", "persist outcome abort", "wake Outcome(7)"]);
    assert_eq!(branch.due(Timer::Voted(7)), NOTHING);
    assert_eq!(branch.participant.in_doubt().count(), 0);
    let said = branch.due(Timer::Outcome(7));
    assert_eq!(said, ["fact applied abort", "point participant.after_decision_logged", "send 1 ack"]);
}

#[test]
fn a_refusal_holds_nothing_and_is_repeated() {
    let mut branch = Branch::new(kind());
    let said = branch.prepare(7, &[(1, -60)]);
    assert_eq!(said, ["set LockLate(7)", "cancel LockLate(7)", "fact voted no", "send 1 no: business"]);
    assert_eq!((branch.participant.holder(1), branch.participant.unfinished()), (None, 0));
    assert_eq!(branch.prepare(7, &[(1, -60)]), ["send 1 no: business"]);
}

#[test]
fn a_reader_leaves_early_unless_peers_may_ask_it() {
    let mut branch = Branch::new(kind());
    let said = branch.prepare(7, &[(0, 0)]);
    assert_eq!(said, ["set LockLate(7)", "cancel LockLate(7)", "fact voted read-only", "send 1 read-only"]);
    assert_eq!((branch.participant.holder(0), branch.participant.unfinished()), (None, 0));
    assert_eq!(branch.prepare(7, &[(0, 0)]), ["send 1 read-only"]);
    let mut branch = Branch::new(Kind { recovery: Recovery::Cooperative, ..kind() });
    assert!(branch.prepare(7, &[(0, 0)]).contains(&"persist voted".to_string()));
    let mut office = Office::new(presumed_abort());
    office.begin();
    office.vote(0, Ballot::ReadOnly);
    let said = office.vote(1, Ballot::ReadOnly);
    assert!(said.iter().all(|line| !line.starts_with("persist") && !line.starts_with("send")), "{said:?}");
}

#[test]
fn a_prepared_transaction_is_never_wounded_and_a_waiting_one_is() {
    let mut branch = Branch::new(kind());
    branch.prepare(5, &[(1, -10)]);
    assert_eq!(branch.prepare(6, &[(0, 1), (1, 1)]), ["set LockLate(6)"], "waits for row 1 and holds row 0");
    let said = branch.prepare(4, &[(0, 1), (1, 1)]);
    assert_eq!(
        said,
        ["set LockLate(4)", "cancel LockLate(6)", "fact voted no", "send 1 no: wounded"],
        "4 is older: it takes row 0 from 6, and waits for the prepared 5"
    );
    assert_eq!(branch.participant.holder(1), Some(5));
    branch.decide(5, true);
    let said = branch.due(Timer::Outcome(5));
    assert!(said.contains(&"persist voted".to_string()), "4 votes in the step that frees row 1: {said:?}");
    assert_eq!(said[0], "row 1 is 40");
}

#[test]
fn who_waits_too_long_for_a_lock_refuses() {
    let locks = Locks::Exclusive { deadlock: Deadlock::Timeout, timeout: Some(Span::millis(150)) };
    let mut branch = Branch::new(Kind { locks, ..kind() });
    branch.prepare(5, &[(1, -10)]);
    branch.prepare(6, &[(0, 1), (1, 1)]);
    let said = branch.due(Timer::LockLate(6));
    assert_eq!(said, ["cancel LockLate(6)", "fact voted no", "send 1 no: lock_timeout"]);
    assert_eq!(branch.participant.holder(0), None);
    branch.prepare(7, &[(1, 1)]);
    assert_eq!(branch.decide(7, false), ["cancel LockLate(7)", "send 1 ack"], "aborted while it waits");
}

#[test]
fn who_is_asked_and_has_not_voted_promises_not_to() {
    let cooperative = Kind { recovery: Recovery::Cooperative, ..kind() };
    let (asker, ask) = (NodeId(3), Ask { from: 1, to: 0 });
    let question = || Message::AskPeer(head(7, 0), ask);
    let mut branch = Branch::new(cooperative.clone());
    assert_eq!(branch.hear(asker, question()), ["persist outcome abort", "send 3 knows abort"]);
    assert_eq!(branch.prepare(7, &[(0, -10)]), ["send 1 no: peer_in_doubt"]);
    let mut branch = Branch::new(cooperative.clone());
    branch.prepare(7, &[(0, -10)]);
    branch.due(Timer::Voted(7));
    assert_eq!(branch.hear(asker, question()), NOTHING, "in doubt as well");
    branch.decide(7, true);
    branch.due(Timer::Outcome(7));
    assert_eq!(branch.hear(asker, question()), ["send 3 knows commit"]);
    // And the one that asks.
    let mut branch = Branch::new(cooperative);
    let peers = vec![Party { part: 1, node: asker }];
    branch.hear(COORDINATOR, Message::Prepare { head: head(7, 0), work: Transfer(vec![(0, -10)]), peers });
    branch.due(Timer::Voted(7));
    assert_eq!(branch.due(Timer::DecisionLate(7)), ["send 1 ask", "send 3 ask peer", "set DecisionLate(7)"]);
    let knows = Message::PeerKnows { head: head(7, 1), commit: true, ask: Ask { from: 0, to: 1 } };
    assert_eq!(branch.hear(asker, knows)[1], "persist outcome commit");
}

#[test]
fn what_is_forgotten_is_refused_not_repeated() {
    let mut branch = Branch::new(kind());
    for transaction in 1..=5 {
        branch.prepare(transaction, &[(0, -1)]);
        branch.decide(transaction, true);
        branch.due(Timer::Outcome(transaction));
    }
    assert_eq!(branch.prepare(1, &[(0, -1)]), ["send 1 no: stale"], "the plan remembers four");
    assert_eq!(branch.prepare(2, &[(0, -1)]), NOTHING);
    assert_eq!(branch.bank.accounts[0], 95);
}

#[test]
fn a_participant_that_cannot_be_reached_is_a_no() {
    let mut office = Office::new(presumed_abort());
    office.begin();
    let prepare = Message::Prepare { head: head(7, 1), work: Transfer(Vec::new()), peers: Vec::new() };
    let mut out = Vec::new();
    office.coordinator.on_reset(&office.plan, Time(9), NodeId(3), &prepare, &mut out);
    let said = lines(&out);
    assert!(
        said.contains(&"tell Decided { transaction: 7, kind: 0, outcome: Err(Reason(65286)) }".to_string()),
        "{said:?}"
    );
    assert!(said.contains(&"send 2 abort".to_string()) && !said.contains(&"send 3 abort".to_string()));
}

#[test]
fn every_message_of_a_transaction_draws_for_itself() {
    let ask = |from, to| Ask { from, to };
    let messages: Vec<Message<Transfer>> = vec![
        Message::Prepare { head: head(7, 0), work: Transfer(Vec::new()), peers: Vec::new() },
        Message::Prepare { head: head(7, 1), work: Transfer(Vec::new()), peers: Vec::new() },
        Message::Vote(head(7, 0), Ballot::Yes),
        Message::Decision { head: head(7, 0), commit: true },
        Message::Ack(head(7, 0)),
        Message::Ask(head(7, 0)),
        Message::AskPeer(head(7, 0), ask(1, 0)),
        Message::AskPeer(head(7, 0), ask(2, 0)),
        Message::PeerKnows { head: head(7, 0), commit: true, ask: ask(1, 0) },
    ];
    for (n, one) in messages.iter().enumerate() {
        assert_eq!(one.route().operation, 7);
        for two in &messages[..n] {
            assert_ne!(one.route().hop, two.route().hop, "{one:?} {two:?}");
            assert_ne!(one.digest(), two.digest());
        }
    }
    let (yes, no) = (Message::<Transfer>::Vote(head(7, 0), Ballot::Yes), Ballot::No(Reason(1)));
    assert_eq!(yes.route(), Message::<Transfer>::Vote(head(7, 0), no).route(), "what is said does not change draws");
    assert_ne!(yes.digest(), Message::<Transfer>::Vote(head(7, 0), no).digest());
}

#[test]
fn timers_and_outputs_stay_small_and_mutants_have_names() {
    assert!(size_of::<Timer>() <= 16 && size_of::<Output>() <= 16);
    for (mutant, name, _) in Mutant::ALL {
        assert_eq!((Mutant::named(name), mutant.name()), (Some(mutant), name));
    }
}
