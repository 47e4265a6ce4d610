//! What a restarted replica reads.

use alloc::boxed::Box;
use alloc::vec;

use kernel::NodeId;

use super::stage::{CLIENT, Stage, append, entry, plan, write};
use crate::replication::leader_follower::{Body, Mutant, Plan, Position, Record, Snapshot, State, Timer};

fn at(index: u64, term: u64, number: u64) -> Record {
    Record::Entry { index, entry: entry(term, number) }
}

#[test]
fn an_entry_takes_the_place_of_all_behind_it() {
    let log = [at(1, 1, 1), at(2, 1, 2), at(3, 1, 3), at(2, 2, 0)];
    let stage = Stage::new(plan(), &log);
    assert_eq!(stage.replica.log().last(), Position { index: 2, term: 2 });
    assert_eq!(stage.replica.log().entry(1), Some(entry(1, 1)));
    assert_eq!(stage.replica.agreed(), 0, "how much of it is agreed, the leader says");
}

#[test]
fn a_vote_outlives_the_machine_unless_it_is_forgotten() {
    let log = [Record::Promise { term: 4, vote: None }, Record::Promise { term: 4, vote: Some(NodeId(1)) }];
    let check = |mutant, line: &str| {
        let mut stage = Stage::new(Plan { mutant, ..plan() }, &log);
        let said = stage.hear(2, Body::Elect { term: 4, last: Position::default() });
        assert_eq!(said.last().map(alloc::string::String::as_str), Some(line));
    };
    check(None, "send 2 vote in 4: false (forced)");
    check(Some(Mutant::ForgetVote), "send 2 vote in 4: true (forced)");
    assert_eq!(Stage::new(plan(), &log).due(Timer::Silence)[1], "persist promise 5 Some(0)", "and so does the term");
}

#[test]
fn a_snapshot_stands_for_the_beginning_and_knows_what_was_executed() {
    let mut state = State::default();
    state.execute(2, write(1));
    let snapshot = |state| Record::Snapshot(Box::new(Snapshot { last: Position { index: 2, term: 1 }, state }));
    let whole = vec![at(1, 1, 0), at(2, 1, 1), at(3, 1, 2), snapshot(state.clone())];
    let mut stage = Stage::new(plan(), &whole);
    assert_eq!((stage.replica.agreed(), stage.replica.state().value(1)), (2, Some(10)));
    assert_eq!(stage.replica.log().last(), Position { index: 3, term: 1 }, "what goes on from it stays");
    stage.hear(1, append(1, (3, 1), &[entry(1, 1)], 4));
    assert_eq!(stage.replica.state().value(1), Some(20), "request 1 again, behind request 2, is nothing");

    let other = vec![at(1, 1, 0), at(2, 3, 3), at(3, 3, 2), snapshot(state)];
    assert_eq!(Stage::new(plan(), &other).replica.log().last(), Position { index: 2, term: 1 }, "it does not go on");

    let forgetful = Stage::new(plan(), &[snapshot(stage.replica.state().forgetful())]);
    assert_eq!(forgetful.replica.state().executed(CLIENT), None, "what the mutant writes");
}
