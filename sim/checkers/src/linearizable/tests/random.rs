//! Small random histories: of an object that works, and then, often, with one answer changed.

use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use super::oracle::{Model, Oracle};
use crate::history::{Clock, Dialect, Event, FailedCas, History, NilRead, Orphans, Phase, Value, WriteOrder};

/// A stream of numbers.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn value(&mut self) -> Value {
        Value::Int(self.below(3) as i64)
    }
}

/// What a process asks: key, function, argument.
fn ask(model: Model, dice: &mut Dice) -> (Option<Value>, &'static str, Value) {
    let key = Some(Value::Int(dice.below(2) as i64));
    let nil = Value::Nil;
    match (model, dice.below(4)) {
        (Model::Register, 0 | 1) => (None, "read", nil),
        (Model::Register | Model::CasRegister, 2) => (None, "write", dice.value()),
        (Model::Register, _) => (None, "write", dice.value()),
        (Model::CasRegister, 0) => (None, "read", nil),
        (Model::CasRegister, _) => (None, "cas", Value::list(vec![dice.value(), dice.value()])),
        (Model::Kv, 0 | 1) => (key, "get", nil),
        (Model::Kv, 2) => (key, "put", dice.value()),
        (Model::Kv, _) => (key, "cas", Value::list(vec![dice.value(), dice.value()])),
        (Model::KvAppend, 0 | 1) => (key, "get", nil),
        (Model::KvAppend, 2) if dice.below(2) == 0 => (key, "put", Value::text(&dice.below(3).to_string())),
        (Model::KvAppend, _) => (key, "append", Value::text(&dice.below(3).to_string())),
        (Model::MultiRegister, _) => {
            let mut part = || {
                let (f, value) = if dice.below(2) == 0 { ("read", Value::Nil) } else { ("write", dice.value()) };
                Value::list(vec![Value::text(f), dice.value(), value])
            };
            (None, "txn", Value::list(vec![part(), part()]))
        }
        (Model::Queue, 0 | 1) => (None, "dequeue", nil),
        (Model::Queue, _) => (None, "enqueue", dice.value()),
        (Model::Set, 0) => (None, "contains", dice.value()),
        (Model::Set, 1) => (None, "remove", dice.value()),
        (Model::Set, 2) => (None, "add", dice.value()),
        (Model::Set, _) => (None, "read", Value::text("all")),
        (Model::Mutex, 0 | 1) => (None, "acquire", nil),
        (Model::Mutex, _) => (None, "release", nil),
        (Model::Counter, 0 | 1) => (None, "read", nil),
        (Model::Counter, _) => (None, "increment", Value::Int(dice.below(4) as i64 - 1)),
    }
}

/// What became of a call.
enum Told {
    /// It has not taken effect.
    NotYet,
    /// It could not be done.
    Refused,
    Answered(Value),
}

struct Call {
    key: Option<Value>,
    f: &'static str,
    asked: Value,
    told: Told,
}

/// A history of at most `calls` operations of three processes, a third of them with an unknown end in some histories.
pub(super) fn history(model: Model, calls: usize, dice: &mut Dice) -> History {
    let failed_cas = if dice.below(2) == 0 { FailedCas::Observed } else { FailedCas::Dropped };
    let crashes = dice.below(2) == 0;
    let mut oracle = Oracle::new(model);
    let mut events = Vec::new();
    let mut open: Vec<(i64, Call)> = Vec::new();
    let (mut begun, mut process) = (0, 0);
    while begun < calls || !open.is_empty() {
        if begun < calls && open.len() < 3 && dice.below(2) == 0 {
            let (key, f, asked) = ask(model, dice);
            // The argument "all" is for the oracle only; the history keeps it as what was asked.
            events.push(event(process, Phase::Invoke, key.as_ref(), f, asked.clone()));
            open.push((process, Call { key, f, asked, told: Told::NotYet }));
            (begun, process) = (begun + 1, process + 1);
            continue;
        }
        if open.is_empty() {
            continue;
        }
        let n = dice.below(open.len() as u64) as usize;
        let (_, call) = &mut open[n];
        if let Told::NotYet = call.told {
            let crashed_before = crashes && dice.below(6) == 0;
            if !crashed_before {
                let answer = oracle.apply(&call.key.clone().unwrap_or_default(), call.f, &call.asked);
                call.told = answer.map_or(Told::Refused, Told::Answered);
                continue;
            }
        }
        let (process, call) = open.swap_remove(n);
        let (phase, value) = match call.told {
            Told::NotYet => (Phase::Info, call.asked),
            Told::Refused | Told::Answered(_) if crashes && dice.below(4) == 0 => (Phase::Info, call.asked),
            Told::Answered(told) => (Phase::Ok, told),
            Told::Refused => (Phase::Fail, call.asked),
        };
        events.push(event(process, phase, call.key.as_ref(), call.f, value));
    }
    for _ in 0..dice.below(6) {
        spoil(&mut events, dice);
    }
    let dialect =
        Dialect { failed_cas, nil_read: NilRead::Nothing, clock: Clock::Shared, write_order: WriteOrder::Unknown };
    History::new(&events, dialect, Orphans::Refused).unwrap()
}

/// What a history looks like in which values differ.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) calls: usize,
    /// How many values there are; then the first comes again.
    pub(super) values: usize,
    /// How many of ten calls read, or take.
    pub(super) takes: u64,
    /// How many of a hundred ends nobody knows.
    pub(super) unknown: u64,
    /// Answers that are exchanged for others.
    pub(super) wrong: u64,
}

/// A history of four processes that write one value after the other, or set it by cas, and read.
pub(super) fn distinct(model: Model, shape: Shape, dice: &mut Dice) -> History {
    let Shape { calls, values, takes: share, unknown, wrong } = shape;
    let [puts, takes] = if model == Model::Queue { ["enqueue", "dequeue"] } else { ["write", "read"] };
    let mut oracle = Oracle::new(model);
    let mut events = Vec::new();
    let mut open: [Option<Call>; 4] = [const { None }; 4];
    let mut processes = [0, 1, 2, 3];
    let (mut begun, mut latest) = (0, Value::Nil);
    while begun < calls || open.iter().any(Option::is_some) {
        let at = dice.below(4) as usize;
        let process = &mut processes[at];
        match open[at].take() {
            None if begun < calls => {
                begun += 1;
                let puts_now = dice.below(10) >= share;
                let fresh = Value::Int((begun % values) as i64);
                let (f, asked) = match (puts_now, model) {
                    (true, Model::CasRegister) if dice.below(3) > 0 => {
                        let seen = if dice.below(3) > 0 {
                            latest.clone()
                        } else {
                            Value::Int(dice.below(1 + begun as u64) as i64)
                        };
                        ("cas", Value::list(vec![seen, fresh]))
                    }
                    (true, _) => (puts, fresh),
                    (false, _) => (takes, Value::Nil),
                };
                events.push(event(*process, Phase::Invoke, None, f, asked.clone()));
                open[at] = Some(Call { key: None, f, asked, told: Told::NotYet });
            }
            None => {}
            Some(Call { f, asked, .. }) if dice.below(100) < unknown => {
                events.push(event(*process, Phase::Info, None, f, asked));
                *process += 4;
            }
            Some(Call { f, told: Told::Answered(told), .. }) => {
                events.push(event(*process, Phase::Ok, None, f, told));
            }
            Some(Call { f: "cas", asked, told: Told::Refused, .. }) => {
                events.push(event(*process, Phase::Fail, None, "cas", asked));
            }
            Some(call) => {
                let told = oracle.apply(&Value::Nil, call.f, &call.asked).map_or(Told::Refused, Told::Answered);
                if matches!(told, Told::Answered(_)) && call.f != takes {
                    latest = call.asked.pair().map_or(&call.asked, |(_, set)| set).clone();
                }
                open[at] = Some(Call { told, ..call });
            }
        }
    }
    let answers: Vec<usize> =
        (0..events.len()).filter(|&n| events[n].phase == Phase::Ok && &*events[n].f == takes).collect();
    for _ in 0..wrong.min(answers.len() as u64) {
        let cases: Vec<usize> =
            (0..events.len()).filter(|&n| events[n].phase != Phase::Invoke && &*events[n].f == "cas").collect();
        if !cases.is_empty() && dice.below(3) == 0 {
            let one = &mut events[cases[dice.below(cases.len() as u64) as usize]];
            one.phase = if one.phase == Phase::Ok { Phase::Fail } else { Phase::Ok };
            continue;
        }
        let mut any = || answers[dice.below(answers.len() as u64) as usize];
        let (one, other) = (any(), any());
        let told = match dice.below(4) {
            0 => Value::Nil,
            1 => Value::Int(1 + dice.below(calls as u64) as i64),
            _ => events[other].value.clone(),
        };
        events[other].value = core::mem::replace(&mut events[one].value, told);
    }
    let dialect = Dialect {
        failed_cas: FailedCas::Observed,
        nil_read: NilRead::Nothing,
        clock: Clock::Shared,
        write_order: WriteOrder::Unknown,
    };
    History::new(&events, dialect, Orphans::Refused).unwrap()
}

/// Gives a read another answer, or lets what failed succeed.
fn spoil(events: &mut [Event], dice: &mut Dice) {
    const ANSWERING: [&str; 7] = ["read", "get", "dequeue", "contains", "txn", "cas", "acquire"];
    let ends: Vec<usize> =
        (0..events.len()).filter(|&n| events[n].phase != Phase::Invoke && ANSWERING.contains(&&*events[n].f)).collect();
    if ends.is_empty() {
        return;
    }
    let (one, other) = (ends[dice.below(ends.len() as u64) as usize], ends[dice.below(ends.len() as u64) as usize]);
    let answered = events[one].phase == Phase::Ok;
    match &*events[one].f {
        "cas" | "acquire" => events[one].phase = if answered { Phase::Fail } else { Phase::Ok },
        "txn" if answered => {
            let mut parts = events[one].value.members().unwrap().to_vec();
            let at = dice.below(2) as usize;
            let part = parts[at].members().unwrap();
            if part[0] == Value::text("read") {
                parts[at] = Value::list(vec![part[0].clone(), part[1].clone(), dice.value()]);
            }
            events[one].value = Value::list(parts);
        }
        "contains" if answered => events[one].value = Value::Bool(events[one].value == Value::Bool(false)),
        _ if answered && events[one].value.int().is_some() => events[one].value = dice.value(),
        f if answered && events[other].phase == Phase::Ok && f == &*events[other].f => {
            events[one].value = events[other].value.clone();
        }
        _ => {}
    }
}

pub(super) fn event(process: i64, phase: Phase, key: Option<&Value>, f: &str, value: Value) -> Event {
    Event { line: 0, process: Some(process), phase, f: f.into(), value, key: key.cloned(), time: None, node: None }
}
