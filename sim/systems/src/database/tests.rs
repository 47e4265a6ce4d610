//! What a database does, step by step.

use alloc::vec;
use alloc::vec::Vec;

use kernel::{CellId, Delta, NULL, NodeId, SeriesId, Time};

use super::*;
use crate::expression::{Instruction, ItemId, Operand, Operator, Program, Value, VariableId};

const STOCK: CellId = CellId(0);
const HELD: CellId = CellId(1);
const STATUS: CellId = CellId(2);
const OUTBOX: CellId = CellId(3);

fn plan() -> Arc<DatabasePlan> {
    let counter =
        TablePlan { kind: TableKind::Counter, keys: 1, columns: vec![(STOCK, Value::Int(2))], presence: None };
    let map = TablePlan { kind: TableKind::Map, keys: 0, columns: vec![(STATUS, Value::Null)], presence: Some(HELD) };
    let places = vec![
        Place { table: 0, part: Part::Column(0) },
        Place { table: 1, part: Part::Presence },
        Place { table: 1, part: Part::Column(0) },
    ];
    let outbox = Some(OutboxPlan { waiting: OUTBOX, lag: SeriesId(0) });
    Arc::new(DatabasePlan { tables: vec![counter, map], places, outbox, mutant: None })
}

fn number(n: i64) -> Program {
    Program::constant(Value::Int(n))
}

/// Takes one from the stock if there is one, and holds it for the request; leaves a message.
fn reserve() -> Script {
    let guard = Program::new(
        vec![
            Instruction::Load(Operand::Constant(0)),
            Instruction::Row(ItemId(0)),
            Instruction::Apply(Operator::GreaterEqual, Operand::Constant(1)),
        ],
        vec![Value::Int(0), Value::Int(1)],
    );
    let held = Assignment::Program(Program::constant(Value::Text(7)));
    let change = |table, key, action, guard, error| Step::Change {
        table,
        key,
        action,
        guard,
        otherwise: Otherwise::Fail(error),
        into: Vec::new(),
    };
    let steps = vec![
        change(1, Program::variable(VariableId(0)), Action::Insert(vec![(0, held)]), None, 50),
        change(0, number(0), Action::Add(number(-1)), Some(guard), 51),
        Step::Outbox(Letter { to: 0, key: None, kind: None, with: Vec::new() }),
    ];
    Script { steps, writes: true, result: Vec::new() }
}

fn look() -> Script {
    let steps = vec![Step::Read { table: 0, key: number(0), into: vec![(Source::Column(0), VariableId(1))] }];
    Script { steps, writes: false, result: vec![VariableId(1)] }
}

fn request(id: u64) -> Variables {
    [Value::Int(id as i64)].into_iter().collect()
}

fn asked(id: u64) -> Asked {
    let identity = Some(Identity { op: 0, value: Value::Int(id as i64), step: 0 });
    Asked { operation: id, identity, stores: true, receipt: None }
}

fn seen(database: &mut Database) -> Value {
    let nothing = Asked { operation: 9, identity: None, stores: false, receipt: None };
    let (Outcome::Done(variables), When::Now, None) = database.run(&look(), request(9), (nothing, Time::ZERO)) else {
        panic!("a look waits for nothing and writes nothing");
    };
    variables.get(VariableId(1))
}

#[test]
fn rows_are_seen_when_they_are_durable_and_written_upon_before() {
    let mut database = Database::new(&plan());
    let (first, When::After(one), Some(commit)) = database.run(&reserve(), request(11), (asked(11), Time(1))) else {
        panic!("it writes")
    };
    assert!(matches!(first, Outcome::Done(_)) && one == 1 && commit.letters.len() == 1);
    assert_eq!(seen(&mut database), Value::Int(2), "not durable, not seen");
    // The second takes the last one, the third finds none left: though nothing is durable yet.
    let (_, When::After(two), Some(_)) = database.run(&reserve(), request(12), (asked(12), Time(1))) else {
        panic!("it writes")
    };
    let (third, when, commit) = database.run(&reserve(), request(13), (asked(13), Time(1)));
    assert_eq!(third, Outcome::Refused(Refusal { error: 51, business: true }));
    assert_eq!((when, commit), (When::After(two), None), "a refusal waits for what it rests on");
    // A second request with the same key waits for the answer of the first.
    let (again, when, commit) = database.run(&reserve(), request(11), (asked(11), Time(1)));
    assert_eq!((again, when, commit), (Outcome::Answered(Answer::Done(Variables::default())), When::After(1), None));

    let mut changes = Vec::new();
    database.durable(one, &mut changes);
    let delta = |cell, key, before, after| Delta { cell, key, before, after };
    let together = [delta(HELD, 11, 0, 1), delta(STATUS, 11, NULL, 7), delta(STOCK, 0, 2, 1), delta(OUTBOX, 0, 0, 1)];
    assert_eq!(changes, together, "all of it in one change");
    assert_eq!(seen(&mut database), Value::Int(1));
    assert_eq!((database.being_written(), database.relay.waiting()), (1, 1));
    database.durable(two, &mut Vec::new());
    assert_eq!((seen(&mut database), database.unfinished()), (Value::Int(0), 2));

    // The relay has them in the order of the commits; taking one out is a commit, too.
    let numbers: Vec<u64> = database.relay.batch(10).into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, [1, 2]);
    let (taken, _) = database.begin(Commit { relayed: vec![1], ..Commit::default() });
    assert_eq!(database.relay.waiting(), 2, "not durable yet");
    database.durable(taken, &mut Vec::new());
    assert_eq!(database.relay.waiting(), 1);
}

#[test]
fn a_database_that_reads_its_log_is_the_same_again() {
    let mut database = Database::new(&plan());
    let mut log = Vec::new();
    for id in [11, 12] {
        log.extend(database.run(&reserve(), request(id), (asked(id), Time(1))).2);
    }
    let mut again = Database::new(&plan());
    again.replay(log.iter().map(|commit| &**commit));
    assert_eq!(seen(&mut again), Value::Int(0));
    assert_eq!(Database::owed(log.iter().map(|commit| &**commit)), 2, "two messages wait for the relay");
    let (answer, when, _) = again.run(&reserve(), request(12), (asked(12), Time(5)));
    assert_eq!((answer, when), (Outcome::Answered(Answer::Done(Variables::default())), When::Now));
}

#[test]
fn sagas_go_to_who_asks_when_their_owner_no_longer_does() {
    let mut database = Database::new(&plan());
    let owner = |node, since| Owner { node: NodeId(node), since: Time(since) };
    let (first, second, reborn) = (owner(1, 0), owner(2, 0), owner(1, 3_000_000_000));
    let saga = SagaKey { saga: 0, operation: 5 };
    let begun = SagaEntry::Begun { saga, owner: first, variables: request(5), since: Time(1) };
    database.begin(Commit { sagas: vec![begun], ..Commit::default() });
    let lease = SAGA_LEASE.0;
    database.sagas.lives(first, Time(1));
    assert!(database.sagas.renew(second, Time(lease)).0.is_empty(), "its owner was heard of");
    assert!(database.sagas.renew(reborn, Time(lease)).0.is_empty(), "the owner's next life is another owner");
    let (adopted, _) = database.sagas.renew(second, Time(lease + 1));
    assert_eq!(adopted.iter().map(|(saga, row)| (saga.operation, row.owner)).collect::<Vec<_>>(), [(5, second)]);
    let owned = SagaEntry::Owned { saga, owner: second };
    database.begin(Commit { sagas: vec![owned], ..Commit::default() });
    let row = database.sagas.get(saga).expect("it is not over");
    assert_eq!((row.owner, row.term), (second, 1), "what its first owner says in its term is of no account");
}

#[test]
fn a_saga_that_its_owner_does_not_know_of_is_handed_to_it_again() {
    let mut database = Database::new(&plan());
    let owner = Owner { node: NodeId(1), since: Time(0) };
    let saga = SagaKey { saga: 0, operation: 5 };
    let handed = |database: &mut Database| -> Vec<usize> {
        let signs = (1..=2 * SAGA_SIGNS + 2).map(|sign| database.sagas.renew(owner, Time(sign)).1.len());
        signs.collect()
    };
    let begun = SagaEntry::Begun { saga, owner, variables: request(5), since: Time(1) };
    database.begin(Commit { sagas: vec![begun], ..Commit::default() });
    assert_eq!(
        handed(&mut database),
        [0, 0, 0, 1, 0, 0, 0, 1],
        "a lease after its last record, and a lease after that"
    );
    database.sagas.renew(owner, Time(9));
    let record = SagaEntry::At { saga, mark: 0, position: 3, variables: request(5) };
    database.begin(Commit { sagas: vec![record], ..Commit::default() });
    assert_eq!(handed(&mut database)[..3], [0, 0, 0], "there was a record");
}
