//! What a database does, step by step.

use alloc::vec;
use alloc::vec::Vec;

use kernel::{CellId, Delta, NULL, NodeId, SagaFact, SeriesId, Time};

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
    let (effects, homes, guards) = (Arc::default(), Vec::new(), Vec::new());
    Arc::new(DatabasePlan { tables: vec![counter, map], places, outbox, effects, homes, guards, mutant: None })
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
    Asked { operation: id, identity, stores: true, receipt: None, effect: 0, saga: None }
}

fn seen(database: &mut Database) -> Value {
    let nothing = Asked { operation: 9, identity: None, stores: false, receipt: None, effect: 0, saga: None };
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

/// A saga of the table of requests: message 5 to place 3 begins one; effects 1 to 4 complete it, refuse it while step 0 is
/// to be undone, are the home's note that it is, and ask whether the first was done.
fn home() -> Arc<DatabasePlan> {
    let letter = |kind| {
        let kind = Some(Assignment::Program(Program::constant(Value::Text(kind))));
        Letter { to: 3, key: None, kind, with: Vec::new() }
    };
    let effect = |inbox, letters, says, means| Effect { saga: 0, inbox, letters, says, means };
    let done = |step| vec![SagaFact::Done { step }];
    let effects = vec![
        effect(Some(70), vec![letter(6)], done(1), Means::Step { completes: true, last: true, due: 0 }),
        effect(Some(71), Vec::new(), done(2), Means::Step { completes: false, last: true, due: 1 }),
        effect(None, Vec::new(), Vec::new(), Means::Undone(0)),
        effect(Some(70), Vec::new(), vec![SagaFact::Intent { step: 1 }], Means::Asks),
    ];
    let homes = vec![Home { saga: 0, to: 3, kind: 5, subject: Some((1, 0)), over: None }];
    let plan = Arc::unwrap_or_clone(plan());
    Arc::new(DatabasePlan { effects: Arc::new(effects), homes, ..plan })
}

/// The status of the request's row becomes this; a message of type 5 goes with the first.
fn becomes(status: u32) -> Script {
    let set = || vec![(0, Assignment::Program(Program::constant(Value::Text(status))))];
    let action = if status == 1 { Action::Insert(set()) } else { Action::Update(set()) };
    let (key, otherwise, into) = (Program::variable(VariableId(0)), Otherwise::Fail(50), Vec::new());
    let mut steps = vec![Step::Change { table: 1, key, action, guard: None, otherwise, into }];
    if status == 1 {
        let kind = Some(Assignment::Program(Program::constant(Value::Text(5))));
        steps.push(Step::Outbox(Letter { to: 3, key: None, kind, with: Vec::new() }));
    }
    Script { steps, writes: true, result: Vec::new() }
}

fn nothing(writes: bool) -> Script {
    Script { steps: Vec::new(), writes, result: Vec::new() }
}

/// Runs a script for a request in the name of an effect, and makes it durable: its records of sagas.
fn does(database: &mut Database, script: &Script, id: u64, effect: u32) -> (Outcome, Vec<SagaEntry>) {
    let inbox = database.plan().effect(effect).and_then(|effect| effect.inbox);
    let receipt = inbox.map(|consumer| Receipt { consumer, message: id });
    let asked = Asked { operation: id, identity: None, stores: script.writes, receipt, effect, saga: None };
    let (outcome, when, commit) = database.run(script, request(id), (asked, Time(id)));
    if let (When::After(number), Some(_)) = (when, &commit) {
        database.durable(number, &mut Vec::new());
    }
    (outcome, commit.map_or_else(Vec::new, |commit| commit.sagas.clone()))
}

#[test]
fn a_choreographed_saga_ends_with_its_row_and_what_that_calls_for() {
    let mut database = Database::new(&home());
    let saga = |operation| SagaKey { saga: 0, operation };
    let begun = |id| vec![SagaEntry::Started { saga: saga(id), since: Time(id) }];
    for id in [21, 22] {
        assert_eq!(does(&mut database, &becomes(1), id, 0).1, begun(id), "with the event that begins it");
    }
    assert_eq!(does(&mut database, &nothing(false), 21, 4), (Outcome::Done(request(21)), Vec::new()), "not done yet");
    // Nothing is due: it is over with its row.
    let step = |id, effect| SagaEntry::Step { saga: saga(id), effect };
    let left = |id, completed, due| SagaEntry::Left { saga: saga(id), completed, due };
    let over = |id, completed| SagaEntry::Over { saga: saga(id), completed, since: Time(id) };
    assert_eq!(does(&mut database, &becomes(2), 21, 1).1, [step(21, 1), left(21, true, 0), over(21, true)]);
    assert_eq!(does(&mut database, &becomes(2), 21, 1), (Outcome::Known, Vec::new()), "the inbox knows the step");
    assert_eq!(does(&mut database, &nothing(false), 21, 4), (Outcome::Known, Vec::new()));
    // A compensation is due: it is over when that is done.
    assert_eq!(does(&mut database, &becomes(3), 22, 2).1, [step(22, 2), left(22, false, 1)]);
    assert_eq!(database.sagas.open(), 1);
    let undone = SagaEntry::Undone { saga: saga(22), step: 0 };
    assert_eq!(does(&mut database, &nothing(true), 22, 3).1, [undone, over(22, false)]);
    assert_eq!(does(&mut database, &nothing(true), 22, 3).1, [], "said twice without harm");
    // Somebody else may end it, too; and an event that is sent again begins nothing.
    does(&mut database, &becomes(1), 23, 0);
    assert_eq!(does(&mut database, &becomes(4), 23, 0).1, [left(23, false, 0), over(23, false)]);
    assert_eq!(database.sagas.open(), 0);
    let events = database.relay.rows().filter(|letter| letter.kind == Some(6)).count();
    assert_eq!(events, 1, "one event follows, in the commit of the step");
}

#[test]
fn an_outbox_that_lost_its_disk_gives_no_number_twice() {
    let first = |id| {
        let mut database = Database::new(&home());
        does(&mut database, &becomes(1), id, 0);
        database.relay.batch(1)[0].0
    };
    assert!(first(21) < first(22), "a relay that was given the first takes out by number what it was given");
}

#[test]
fn what_is_undone_before_the_row_says_so_is_not_forgotten_by_a_crash() {
    let mut database = Database::new(&home());
    let mut log = Vec::new();
    for (script, effect) in [(becomes(1), 0), (nothing(true), 3), (becomes(3), 2)] {
        let mut again = Database::new(&home());
        again.replay(log.iter().map(|commit: &Arc<Commit>| &**commit));
        assert_eq!(again.sagas.open(), database.sagas.open());
        let asked = Asked { operation: 5, identity: None, stores: true, receipt: None, effect, saga: None };
        log.extend(again.run(&script, request(5), (asked, Time(1))).2);
        database = again;
    }
    assert_eq!(log.len(), 3);
    assert!(matches!(
        log[2].sagas[..],
        [SagaEntry::Step { .. }, SagaEntry::Left { due: 1, .. }, SagaEntry::Over { .. }]
    ));
    assert_eq!(Database::owed(log[..2].iter().map(|commit| &**commit)), 2, "a message for the relay, a saga");
}

/// Saga 0 keeps the stock to itself; step 1 of it takes some.
#[test]
fn a_saga_keeps_its_row_until_it_is_over() {
    let guarded = |others| {
        let guards = vec![Guard { saga: 0, table: 0, key: number(0), cell: STOCK, others }];
        Database::new(&Arc::new(DatabasePlan { guards, ..Arc::unwrap_or_clone(plan()) }))
    };
    let asked = |operation, saga| Asked { operation, identity: None, stores: true, receipt: None, effect: 0, saga };
    let run = |database: &mut Database, script: &Script, id: u64, saga: Option<u16>| {
        let (outcome, when, commit) = database.run(script, request(id), (asked(id, saga), Time::ZERO));
        let touched: Vec<_> = database.just_touched().iter().map(|t| (t.key, t.write, t.own)).collect();
        (outcome, when, commit.map_or_else(Vec::new, |commit| commit.sagas.clone()), touched)
    };
    let locked = Outcome::Refused(Refusal { error: 60, business: true });
    let mut database = guarded(Some(LockedOut::Refused(60)));
    let saga = SagaKey { saga: 0, operation: 1 };
    let (_, when, entries, touched) = run(&mut database, &reserve(), 1, Some(0));
    assert_eq!((entries, touched), (vec![SagaEntry::Marked { saga, table: 0, key: 0 }], vec![(0, true, true)]));
    // Who changes sees the newest mark; who only looks the durable ones, as with rows.
    assert_eq!(run(&mut database, &reserve(), 2, None).0, locked);
    assert_eq!(run(&mut database, &look(), 2, None).3, [(0, false, false)], "seen before the change");
    let When::After(number) = when else { panic!("it is written") };
    database.durable(number, &mut Vec::new());
    assert_eq!(run(&mut database, &look(), 2, None).0, locked);
    assert_eq!(run(&mut database, &look(), 2, Some(0)).0, locked, "another saga of the kind");
    assert!(matches!(run(&mut database, &look(), 1, Some(0)).0, Outcome::Done(_)), "itself");
    // A restart changes nothing; the end does, and what comes late in its name marks nothing.
    let freed = database.begin(Commit { sagas: vec![SagaEntry::Freed { saga }], ..Commit::default() });
    assert!(matches!(run(&mut database, &reserve(), 3, None).0, Outcome::Done(_)), "it rests on the end");
    assert_eq!(run(&mut database, &look(), 2, None).0, locked, "not durable yet");
    database.durable(freed.0, &mut Vec::new());
    assert!(matches!(run(&mut database, &look(), 2, None).0, Outcome::Done(_)));
    assert!(run(&mut database, &look(), 1, Some(0)).2.is_empty() && database.sagas.marks.is_over(saga));
    // Waiting; and without a lock it is only seen who comes.
    for (others, outcome) in [(Some(LockedOut::Waits(None)), Some(Outcome::Locked)), (None, None)] {
        let mut database = guarded(others);
        run(&mut database, &reserve(), 1, Some(0));
        let (found, _, _, touched) = run(&mut database, &reserve(), 2, None);
        assert_eq!(outcome.is_none(), touched == [(0, true, false)]);
        assert!(outcome.is_none_or(|outcome| outcome == found));
    }
}
