//! The orders that matter, as transcripts.

use alloc::boxed::Box;
use alloc::string::String;

use kernel::Span;

use super::stage::{Stage, append, entry, plan, write};
use crate::replication::keys::{Operation, Request};
use crate::replication::leader_follower::{
    Acks, Body, Choice, Copied, Extent, Lease, LeaseClock, Mutant, Plan, Position, Reads, Snapshot, Stamp, State, Timer,
};

const NOTHING: [&str; 0] = [];

fn says(said: &[String], line: &str) -> bool {
    said.iter().any(|said| said == line)
}

fn elect(term: u64, index: u64, last: u64) -> Body {
    Body::Elect { term, last: Position { index, term: last } }
}

fn copied(index: u64, round: u64) -> Body {
    Body::Copied { term: 1, stamp: Stamp { round, clock: 0 }, copied: Copied::UpTo(index) }
}

#[test]
fn a_candidate_asks_when_its_own_vote_is_durable_and_leads_with_an_entry_of_its_own() {
    let mut stage = Stage::new(plan(), &[]);
    assert_eq!(stage.due(Timer::Silence), ["set Silence", "persist promise 1 Some(0)", "wake Stood(1)"]);
    let asks = [
        "send 1 elect me in 1, I have 0 of 0 (forced)",
        "send 2 elect me in 1, I have 0 of 0 (forced)",
        "set Heartbeat",
    ];
    assert_eq!(stage.due(Timer::Stood(1)), asks);
    assert_eq!(stage.due(Timer::Heartbeat), asks, "asked again until somebody leads");
    assert_eq!(stage.hear(2, Body::Vote { term: 1, granted: false }), NOTHING);
    assert_eq!(
        stage.hear(1, Body::Vote { term: 1, granted: true }),
        [
            "cancel Silence",
            "tell Leads { term: 1 }",
            "persist entry 1 of 1",
            "wake Written { term: 1, index: 1 }",
            "set Heartbeat",
            "send 1 append of term 1: 1 behind 0, agreed 0",
            "send 2 append of term 1: 1 behind 0, agreed 0",
        ]
    );
    assert_eq!(stage.hear(1, copied(1, 1)), NOTHING, "two have it, but one of them is not sure that it is durable");
    assert_eq!(
        stage.due(Timer::Written { term: 1, index: 1 }),
        ["tell Agreed { index: 1, entry: Entry { term: 1, request: None } }"]
    );
}

#[test]
fn a_vote_is_durable_before_it_is_given_and_given_once() {
    let mut stage = Stage::new(plan(), &[]);
    assert_eq!(
        stage.hear(1, elect(1, 0, 0)),
        ["persist promise 1 None", "persist promise 1 Some(1)", "set Silence", "send 1 vote in 1: true (forced)"]
    );
    assert_eq!(stage.hear(2, elect(1, 0, 0)), ["send 2 vote in 1: false (forced)"]);
    assert_eq!(
        stage.hear(1, elect(1, 0, 0)),
        ["set Silence", "send 1 vote in 1: true (forced)"],
        "its answer was lost"
    );
    stage.plan.mutant = Some(Mutant::VoteTwice);
    assert_eq!(stage.hear(2, elect(1, 0, 0))[2], "send 2 vote in 1: true (forced)");
}

#[test]
fn nobody_is_elected_who_lacks_what_the_voter_has() {
    let mut stage = Stage::new(plan(), &[]);
    stage.hear(1, append(2, (0, 0), &[entry(1, 1), entry(2, 2)], 0));
    let mut check = |term, (index, last), granted| {
        let said = stage.hear(2, elect(term, index, last));
        assert_eq!(said[said.len() - 1], alloc::format!("send 2 vote in {term}: {granted} (forced)"));
    };
    check(3, (9, 1), false);
    check(4, (1, 2), false);
    check(5, (2, 2), true);
}

#[test]
fn a_change_is_told_when_a_majority_has_it_durably() {
    let mut stage = Stage::leading(plan());
    stage.hear(1, copied(1, 1));
    assert_eq!(
        stage.hear(7, Body::Ask(write(1))),
        ["persist entry 2 of 1", "wake Written { term: 1, index: 2 }", "send 1 append of term 1: 1 behind 1, agreed 1",],
        "node 2 has not answered the first entry: it gets both then"
    );
    assert_eq!(stage.hear(7, Body::Ask(write(1))), NOTHING, "asked again: it is under way");
    assert_eq!(stage.hear(2, copied(1, 2)), ["send 2 append of term 1: 1 behind 1, agreed 1"]);
    let told = [
        "tell Agreed { index: 2, entry: Entry { term: 1, request: Some(Request { session: Session { node: NodeId(7), seat: 0 }, number: 1, operation: Write { key: 1, value: 10 } }) } }",
        "send 7 answer 1: Done",
    ];
    assert_eq!(stage.hear(1, copied(2, 3)), NOTHING);
    assert_eq!(stage.hear(2, copied(2, 4)), told, "the disk of the leader is the slowest");
    assert_eq!(stage.hear(7, Body::Ask(write(1))), ["send 7 answer 1: Done"], "done once, told twice");
}

#[test]
fn acks_say_how_many_copies_a_client_waits_for() {
    let check = |acks, said: [usize; 3]| {
        let mut stage = Stage::leading(Plan { acks, ..plan() });
        stage.hear(1, copied(1, 1));
        stage.hear(7, Body::Ask(write(1)));
        let mut answers = |body| {
            let said = match body {
                Some((from, body)) => stage.hear(from, body),
                None => stage.due(Timer::Written { term: 1, index: 2 }),
            };
            said.iter().filter(|line| line.starts_with("send 7 answer")).count()
        };
        let heard = [answers(None), answers(Some((1, copied(2, 3)))), answers(Some((2, copied(2, 4))))];
        assert_eq!(heard, said, "{acks:?}");
    };
    check(Acks::Leader, [1, 0, 0]);
    check(Acks::Count(1), [1, 0, 0]);
    check(Acks::Majority, [0, 1, 0]);
    check(Acks::All, [0, 0, 1]);
}

#[test]
fn a_leader_of_the_past_says_so_and_takes_back_what_was_not_agreed() {
    let mut stage = Stage::leading(Plan { acks: Acks::Leader, ..plan() });
    stage.hear(1, copied(1, 1));
    stage.hear(7, Body::Ask(write(1)));
    assert_eq!(stage.due(Timer::Written { term: 1, index: 2 }), ["send 7 answer 1: Done"]);
    stage.hear(7, Body::Ask(write(2)));
    assert_eq!(stage.replica.state().value(1), Some(10), "the first is executed before it is agreed");
    assert_eq!(
        stage.hear(2, append(2, (1, 1), &[entry(2, 0)], 1)),
        [
            "persist promise 2 None",
            "send 7 elsewhere 2: None",
            "cancel Heartbeat",
            "set Silence",
            "set Silence",
            "persist entry 2 of 2",
            "send 2 copied in 2: UpTo(2) (forced)",
        ]
    );
    assert_eq!(stage.replica.state().value(1), None, "told, and lost: asynchronous replication");
    assert_eq!(stage.hear(1, append(1, (1, 1), &[], 1)), ["send 1 copied in 2: Refused (forced)"]);
    assert_eq!(stage.hear(7, Body::Ask(write(2))), ["send 7 elsewhere 2: Some(2)"]);
}

#[test]
fn a_leader_goes_back_until_it_finds_what_a_follower_has() {
    let mut stage = Stage::leading(plan());
    for number in 1..5 {
        stage.hear(
            7,
            Body::Ask(Request {
                session: crate::replication::keys::Session::only(kernel::NodeId(7 + number as u32)),
                ..write(number)
            }),
        );
    }
    stage.hear(1, copied(5, 1));
    let not_there = Body::Copied { term: 1, stamp: Stamp { round: 2, clock: 0 }, copied: Copied::NotThere(1) };
    assert_eq!(stage.hear(2, not_there), ["send 2 append of term 1: 5 behind 0, agreed 1"]);

    let mut follower = Stage::new(plan(), &[]);
    follower.hear(1, append(1, (0, 0), &[entry(1, 0), entry(1, 1), entry(1, 2)], 1));
    let hears = |follower: &mut Stage, body| follower.hear(2, body).pop().expect("it answers");
    assert_eq!(hears(&mut follower, append(3, (9, 2), &[], 1)), "send 2 copied in 3: NotThere(4) (forced)");
    assert_eq!(hears(&mut follower, append(3, (3, 2), &[], 1)), "send 2 copied in 3: NotThere(1) (forced)");
    let other = append(3, (1, 1), &[entry(2, 0), entry(3, 0)], 1);
    assert_eq!(hears(&mut follower, other.clone()), "send 2 copied in 3: UpTo(3) (forced)");
    assert_eq!(follower.replica.log().last(), Position { index: 3, term: 3 }, "another leader's tail is gone");
    assert_eq!(follower.hear(2, other), ["set Silence", "send 2 copied in 3: UpTo(3) (forced)"], "twice is once");
}

#[test]
fn who_lacks_what_was_cut_gets_a_snapshot() {
    let mut stage = Stage::leading(Plan { snapshot_every: 2, ..plan() });
    stage.hear(1, copied(1, 1));
    stage.hear(7, Body::Ask(write(1)));
    stage.due(Timer::Written { term: 1, index: 2 });
    assert_eq!(stage.hear(1, copied(2, 3))[1..], ["persist snapshot up to 2", "send 7 answer 1: Done"]);
    assert_eq!(stage.due(Timer::Heartbeat)[2], "send 2 snapshot of term 1 up to 2");

    let mut follower = Stage::new(plan(), &[]);
    let mut state = State::default();
    state.execute(2, write(1));
    let snapshot = Box::new(Snapshot { last: Position { index: 2, term: 1 }, state });
    let install = Body::Install { term: 1, stamp: Stamp::default(), snapshot };
    let said = follower.hear(1, install.clone());
    assert_eq!(said[2..], ["persist snapshot up to 2", "send 1 copied in 1: UpTo(2) (forced)"]);
    assert_eq!(follower.hear(1, install)[1..], ["send 1 copied in 1: UpTo(2) (forced)"], "it has all of that");
    assert_eq!(follower.replica.state().value(1), Some(10));
    follower.hear(1, append(1, (2, 1), &[entry(1, 1)], 3));
    assert_eq!(follower.replica.state().executed(super::stage::CLIENT).map(|last| last.index), Some(2), "not again");
}

#[test]
fn an_entry_of_an_older_term_is_agreed_only_with_one_of_the_own() {
    let check = |mutant, agreed| {
        let mut stage = Stage::new(Plan { mutant, ..plan() }, &[]);
        stage.hear(2, append(1, (0, 0), &[entry(1, 1)], 0));
        stage.due(Timer::Silence);
        stage.due(Timer::Stood(2));
        stage.hear(1, Body::Vote { term: 2, granted: true });
        stage.due(Timer::Written { term: 2, index: 2 });
        let stamp = Stamp { round: 1, clock: 0 };
        stage.hear(1, Body::Copied { term: 2, stamp, copied: Copied::UpTo(1) });
        assert_eq!(stage.replica.agreed(), agreed);
        stage.hear(1, Body::Copied { term: 2, stamp, copied: Copied::UpTo(2) });
        assert_eq!(stage.replica.agreed(), 2);
    };
    check(None, 0);
    check(Some(Mutant::CommitOldTerm), 1);
}

#[test]
fn a_read_waits_for_a_majority_that_was_asked_after_it() {
    let mut stage = Stage::leading(plan());
    let read = Body::Ask(Request { operation: Operation::Read { key: 1 }, ..write(1) });
    let beats = ["send 1 append of term 1: 0 behind 0, agreed 0", "send 2 append of term 1: 0 behind 0, agreed 0"];
    assert_eq!(stage.hear(7, read.clone()), beats);
    assert_eq!(stage.hear(2, copied(0, 4)), NOTHING, "a majority has confirmed, but nothing of its term is agreed");
    let said = stage.hear(1, copied(1, 1));
    assert_eq!(said[1..], ["send 7 answer 1: Value(None)"]);
    let Body::Ask(read) = read else { unreachable!() };
    stage.hear(7, Body::Ask(Request { number: 2, ..read }));
    let refused = Body::Copied { term: 1, stamp: Stamp { round: 900, clock: 0 }, copied: Copied::Refused };
    assert_eq!(stage.hear(1, refused), NOTHING, "an answer to what it sent when it led an older term");
    assert_eq!(stage.hear(1, copied(1, 4)), NOTHING, "an answer to what was sent before");
    assert_eq!(stage.hear(1, copied(1, 5)), ["send 7 answer 2: Value(None)"]);
    stage.plan.mutant = Some(Mutant::StaleLeader);
    assert_eq!(stage.hear(7, Body::Ask(Request { number: 3, ..read })), ["send 7 answer 3: Value(None)"]);
}

#[test]
fn a_lease_answers_at_once_while_it_lasts_and_binds_who_gave_it() {
    let lease = Lease { length: Span::millis(100), margin: Span::millis(20), clock: LeaseClock::Monotonic };
    let mut stage = Stage::leading(Plan { reads: Reads::Lease(lease), ..plan() });
    let stamp = Stamp { round: 1, clock: 200_000_000 };
    stage.hear(1, Body::Copied { term: 1, stamp, copied: Copied::UpTo(1) });
    let read = |number| Body::Ask(Request { operation: Operation::Read { key: 1 }, ..write(number) });
    stage.now += 79_999_999;
    assert_eq!(stage.hear(7, read(1)), ["send 7 answer 1: Value(None)"]);
    stage.now += 1;
    assert_eq!(stage.hear(7, read(2)).len(), 2, "it asks");

    let mut follower = Stage::new(Plan { reads: Reads::Lease(lease), ..plan() }, &[]);
    follower.now = 1_000_000_000;
    follower.hear(1, append(1, (0, 0), &[], 0));
    follower.now += 99_999_999;
    assert_eq!(follower.hear(2, elect(2, 0, 0)), NOTHING);
    assert_eq!(follower.due(Timer::Silence), ["set Silence"], "nor itself");
    follower.now += 1;
    assert_eq!(follower.hear(2, elect(2, 0, 0)).len(), 4);
}

#[test]
fn a_read_of_a_quorum_waits_until_the_newest_log_of_a_majority_is_agreed_here() {
    let mut stage = Stage::new(Plan { reads: Reads::Quorum(Choice::Nearest), ..plan() }, &[]);
    stage.hear(1, append(1, (0, 0), &[entry(1, 0), entry(1, 1)], 1));
    let read = |number| Body::Ask(Request { operation: Operation::Read { key: 1 }, ..write(number) });
    let at = |index| Position { term: 1, index };
    let extends = |last, agreed| Body::Extends(Extent { last: at(last), agreed: at(agreed) });
    assert_eq!(stage.hear(7, read(2)), ["set Inquire", "send 1 inquire", "send 2 inquire"]);
    assert_eq!(stage.hear_nth(2, 0, extends(1, 1)), NOTHING, "to an earlier question");
    assert_eq!(stage.hear_nth(2, 1, extends(1, 1)), NOTHING, "here is an entry that may have been told");
    let said = stage.hear(1, append(1, (2, 1), &[], 2));
    assert_eq!(said.last().map(String::as_str), Some("cancel Inquire"));
    assert!(says(&said, "send 7 answer 2: Value(Some(10))"), "{said:?}");

    // A longer log of an older term has nothing that counts; what another one knows to be agreed is agreed.
    stage.hear(1, append(1, (2, 1), &[entry(1, 3)], 2));
    stage.hear(7, read(4));
    let said = stage.hear_nth(1, 2, extends(3, 3));
    assert!(says(&said, "send 7 answer 4: Value(Some(30))"), "{said:?}");
    stage.hear(7, read(5));
    let old = Extent { last: Position { term: 0, index: 9 }, agreed: at(1) };
    assert!(says(&stage.hear_nth(2, 3, Body::Extends(old)), "send 7 answer 5: Value(Some(30))"));

    // A tail that is never agreed is asked about anew, and so is everybody if nobody answers.
    stage.hear(7, read(6));
    assert_eq!(stage.hear_nth(2, 4, extends(8, 3)), NOTHING);
    assert_eq!(stage.due(Timer::Inquire), ["send 1 inquire", "send 2 inquire", "set Inquire"]);
    assert!(says(&stage.hear_nth(1, 5, extends(3, 3)), "send 7 answer 6: Value(Some(30))"));
    assert_eq!(stage.hear(2, Body::Inquire), ["send 2 log up to 3 of 1, agreed up to 3 of 1"]);

    stage.plan.mutant = Some(Mutant::ReadAlone);
    assert_eq!(
        stage.hear(7, read(7)).last().map(String::as_str),
        Some("cancel Inquire"),
        "it asks, and does not listen"
    );
}
