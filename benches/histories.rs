//! Linearizability of generated histories, in the shapes of those that other tools are timed on: registers with timed-out
//! operations as in the etcd logs of Jepsen, and texts that grow under keys, each both obedient and violated.
//!
//! Histories come from an object that works, with operations that overlap; to violate, a read gets an older answer. Each
//! bench first prints how many obey: a judge that says otherwise prints another number.

use std::cell::Cell;
use std::collections::VecDeque;

use checkers::history::{Clock, Dialect, Event, FailedCas, History, NilRead, Orphans, Phase, Value, WriteOrder};
use checkers::linearizable::{Budget, check, holds};
use checkers::models::{Append, Cas, Queue, Register, Spec};
use criterion::{Criterion, criterion_group, criterion_main};
use kernel::Seed;

/// The command line's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sides of a die, from a keyed stream.
struct Dice {
    key: kernel::Key,
    thrown: u64,
}

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.thrown += 1;
        self.key.draw(self.thrown, 0, 0).bits() % sides
    }
}

/// A call that is open, with its answer once it took effect.
struct Call {
    f: &'static str,
    key: Option<Value>,
    asked: Value,
    told: Option<(Phase, Value)>,
}

/// A client: its process, and what it waits for.
struct Client {
    process: i64,
    call: Option<Call>,
}

/// Who asks how often, and how often nobody knows the end, in percent.
struct Load {
    clients: usize,
    calls: usize,
    unknown: u64,
}

fn history(
    dice: &mut Dice,
    load: &Load,
    mut ask: impl FnMut(&mut Dice) -> (&'static str, Option<Value>, Value),
    mut answer: impl FnMut(&str, Option<&Value>, &Value) -> (Phase, Value),
    mut spoil: impl FnMut(&mut [Event]),
) -> History {
    let mut clients: Vec<Client> = (0..load.clients).map(|n| Client { process: n as i64, call: None }).collect();
    let (mut events, mut begun, mut processes) = (Vec::new(), 0, load.clients as i64);
    while begun < load.calls || clients.iter().any(|client| client.call.is_some()) {
        let client = &mut clients[dice.below(load.clients as u64) as usize];
        let event = |process, phase, f: &str, key: &Option<Value>, value| Event {
            line: 0,
            process: Some(process),
            phase,
            f: f.into(),
            value,
            key: key.clone(),
            time: None,
            node: None,
        };
        match client.call.take() {
            None if begun < load.calls => {
                let (f, key, asked) = ask(dice);
                events.push(event(client.process, Phase::Invoke, f, &key, asked.clone()));
                client.call = Some(Call { f, key, asked, told: None });
                begun += 1;
            }
            None => {}
            Some(Call { f, key, .. }) if dice.below(100) < load.unknown => {
                events.push(event(client.process, Phase::Info, f, &key, Value::Nil));
                client.process = processes;
                processes += 1;
            }
            Some(Call { f, key, asked, told: None }) => {
                let told = answer(f, key.as_ref(), &asked);
                client.call = Some(Call { f, key, asked, told: Some(told) });
            }
            Some(Call { f, key, told: Some((phase, told)), .. }) => {
                events.push(event(client.process, phase, f, &key, told));
            }
        }
    }
    spoil(&mut events);
    let dialect = Dialect {
        failed_cas: FailedCas::Observed,
        nil_read: NilRead::Nothing,
        clock: Clock::Shared,
        write_order: WriteOrder::Unknown,
    };
    History::new(&events, dialect, Orphans::Refused).expect("a process does one thing at a time")
}

/// A history like the etcd logs: five clients, five values, every tenth end unknown, one answered read wrong.
fn etcd(dice: &mut Dice) -> History {
    let mut held = Value::Nil;
    let load = Load { clients: 5, calls: 85, unknown: 5 };
    let spoiled = dice.below(3) > 0;
    let place = dice.below(40) as usize;
    history(
        dice,
        &load,
        |dice| {
            let mut value = || Value::Int(dice.below(5) as i64);
            let (one, other) = (value(), value());
            match dice.below(3) {
                0 => ("read", None, Value::Nil),
                1 => ("write", None, one),
                _ => ("cas", None, Value::list(vec![one, other])),
            }
        },
        |f, _, asked| match (f, asked.pair()) {
            ("read", _) => (Phase::Ok, held.clone()),
            (_, None) => {
                held = asked.clone();
                (Phase::Ok, asked.clone())
            }
            (_, Some((from, to))) if *from == held => {
                held = to.clone();
                (Phase::Ok, asked.clone())
            }
            (_, Some(_)) => (Phase::Fail, asked.clone()),
        },
        |events| {
            let mut reads = events.iter_mut().filter(|event| event.phase == Phase::Ok && &*event.f == "read");
            if let Some(read) = reads.nth(place).filter(|_| spoiled) {
                read.value = Value::Int((read.value.int().unwrap_or(0) + 1) % 5);
            }
        },
    )
}

/// Texts that grow under ten keys. `spoiled`: near the end a get finds nothing.
fn append(dice: &mut Dice, load: &Load, spoiled: Option<()>) -> History {
    let mut texts = vec![String::new(); 10];
    let mut number = 0;
    history(
        dice,
        load,
        |dice| {
            let key = Some(Value::Int(dice.below(10) as i64));
            number += 1;
            match dice.below(2) {
                0 => ("get", key, Value::Nil),
                _ => ("append", key, Value::text(&format!("x {number} y"))),
            }
        },
        |_, key, asked| {
            let text = &mut texts[key.and_then(Value::int).unwrap_or(0) as usize];
            text.push_str(asked.as_text().unwrap_or(""));
            (Phase::Ok, if asked.is_nil() { Value::text(text) } else { asked.clone() })
        },
        |events| {
            let gets: Vec<usize> =
                (0..events.len()).filter(|&n| events[n].phase == Phase::Ok && &*events[n].f == "get").collect();
            if let (Some(()), Some(&late)) = (spoiled, gets.get(gets.len() * 9 / 10)) {
                events[late].value = Value::text("");
            }
        },
    )
}

/// What holds values of which each is written once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Object {
    Register,
    /// Half of what is written there is set by cas, where what was there last is expected.
    CasRegister,
    Queue,
}

/// Such an object: so many clients, a million operations, of which so many of twenty read (or take). `spoiled`: two answers
/// near the end are exchanged.
fn distinct(dice: &mut Dice, object: Object, (clients, takes): (usize, u64), spoiled: Option<()>) -> History {
    let load = Load { clients, calls: 1_000_000, unknown: 0 };
    let (mut held, latest) = (VecDeque::new(), Cell::new(0));
    let mut fresh = 0;
    history(
        dice,
        &load,
        |dice| {
            if dice.below(20) < takes {
                return (if object == Object::Queue { "dequeue" } else { "read" }, None, Value::Nil);
            }
            fresh += 1;
            match object {
                Object::Queue => ("enqueue", None, Value::Int(fresh)),
                Object::CasRegister if fresh % 2 == 0 => {
                    ("cas", None, Value::list(vec![Value::Int(latest.get()), Value::Int(fresh)]))
                }
                Object::Register | Object::CasRegister => ("write", None, Value::Int(fresh)),
            }
        },
        |f, _, asked| match f {
            "read" => (Phase::Ok, held.back().cloned().unwrap_or_default()),
            "dequeue" => (Phase::Ok, held.pop_front().unwrap_or_default()),
            "cas" if asked.pair().is_some_and(|(found, _)| held.back() != Some(found)) => (Phase::Fail, asked.clone()),
            _ => {
                if object != Object::Queue {
                    held.clear();
                }
                let written = asked.pair().map_or(asked, |(_, set)| set);
                held.push_back(written.clone());
                latest.set(written.int().unwrap_or(0));
                (Phase::Ok, asked.clone())
            }
        },
        |events| {
            let answered = |n: &usize| events[*n].phase == Phase::Ok && ["read", "dequeue"].contains(&&*events[*n].f);
            let answers: Vec<usize> = (0..events.len()).filter(answered).collect();
            if let (Some(()), [.., one, _, _, _, _, _, _, _, _, _, _, other]) = (spoiled, &answers[..]) {
                let told = events[*one].value.clone();
                events[*one].value = core::mem::replace(&mut events[*other].value, told);
            }
        },
    )
}

fn obedient<S: Spec>(spec: &S, histories: &[History]) -> usize {
    let obeys = |history: &&History| holds(spec, history, Budget::USUAL) == Ok(Some(true));
    histories.iter().filter(obeys).count()
}

fn linearizable(criterion: &mut Criterion) {
    let mut dice = Dice { key: Seed(1).key("benches.histories", "load"), thrown: 0 };
    let mut group = criterion.benchmark_group("histories");
    let register = Register { initial: Value::Nil, cas: Cas::Allowed };
    let logs: Vec<History> = (0..102).map(|_| etcd(&mut dice)).collect();
    eprintln!("histories/etcd: {} of 102 obey", obedient(&register, &logs));
    group.bench_function("etcd/102", |bencher| bencher.iter(|| obedient(&register, &logs)));
    let texts = Append { initial: "".into() };
    let load = Load { clients: 50, calls: 1_712, unknown: 0 };
    for (name, spoiled) in [("append/1712", None), ("append/1712/violated", Some(()))] {
        let history = [append(&mut dice, &load, spoiled)];
        eprintln!("histories/{name}: {} of 1 obeys", obedient(&texts, &history));
        group.bench_function(name, |bencher| bencher.iter(|| obedient(&texts, &history)));
    }
    let history = append(&mut dice, &Load { calls: 2_000, ..load }, Some(()));
    group.bench_function("append/2000/explained", |bencher| {
        bencher.iter(|| check(&texts, &history, Budget::USUAL));
    });
    let load = Load { clients: 50, calls: 400, unknown: 0 };
    let history = [append(&mut dice, &load, None)];
    group.bench_function("append/400/by key", |bencher| bencher.iter(|| obedient(&texts, &history)));
    group.sample_size(10);
    let registers = [
        (Object::Register, (10, 10), None, "register/1000000"),
        (Object::Register, (10, 18), None, "register/1000000/read"),
        (Object::Register, (10, 10), Some(()), "register/1000000/violated"),
        (Object::CasRegister, (10, 10), None, "cas-register/1000000"),
        (Object::CasRegister, (40, 10), None, "cas-register/1000000/40 clients"),
        (Object::CasRegister, (10, 10), Some(()), "cas-register/1000000/violated"),
    ];
    for (object, load, spoiled, name) in registers {
        let history = [distinct(&mut dice, object, load, spoiled)];
        eprintln!("histories/{name}: {} of 1 obeys", obedient(&register, &history));
        group.bench_function(name, |bencher| bencher.iter(|| obedient(&register, &history)));
    }
    // More goes in than out; as much; more is asked for than there is.
    let queues = [
        (9, None, "1000000"),
        (10, None, "1000000/level"),
        (14, None, "1000000/empty"),
        (10, Some(()), "1000000/violated"),
    ];
    for (takes, spoiled, name) in queues {
        let history = [distinct(&mut dice, Object::Queue, (10, takes), spoiled)];
        eprintln!("histories/queue/{name}: {} of 1 obeys", obedient(&Queue, &history));
        group.bench_function(format!("queue/{name}"), |bencher| bencher.iter(|| obedient(&Queue, &history)));
    }
    group.finish();
}

criterion_group!(benches, linearizable);
criterion_main!(benches);
