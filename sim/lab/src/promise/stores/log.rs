//! What the clients of one store asked and were told, as it came: numbers only. At the end it becomes a history.

use std::collections::BTreeMap;
use std::sync::Arc;

use checkers::history::{Clock, Dialect, FailedCas, History, NEVER, NilRead, Operation, Outcome, Value, WriteOrder};
use kernel::Time;
use systems::app::output::{Asked, Told};
use systems::replication::keys::{self, Answer};

use super::super::watch::Moment;
use crate::outcome::{Ended, StoreOperation, Wish};

/// A log keeps at most this many lines; of what came later nobody can say anything.
pub const LINES_MAX: usize = 4_000_000;

/// The lines of a history file before the first operation.
pub(super) const HEADER_LINES: u32 = 1;

/// How its values are to be understood; a file's header says the same.
const fn dialect(ordered: bool) -> Dialect {
    let write_order = if ordered { WriteOrder::RealTime } else { WriteOrder::Unknown };
    Dialect { failed_cas: FailedCas::Observed, nil_read: NilRead::Nothing, clock: Clock::Shared, write_order }
}

/// The log of one store.
#[derive(Clone, Debug)]
pub struct Log {
    /// A leader puts writes in order.
    ordered: bool,
    lines: Vec<Line>,
    cut: bool,
}

/// One line: when, in which event, and what.
#[derive(Clone, Copy, Debug)]
struct Line {
    time: Time,
    event: u64,
    told: Told,
}

/// A log as judges read it.
#[derive(Clone, Debug)]
pub struct Book {
    /// Its operations in the order of their beginnings.
    pub history: History,
    /// The same for people.
    pub shown: Vec<Entry>,
}

/// An operation: when its ends were, as events, and what was wanted and answered.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    began: Time,
    ended: Option<(Time, u64)>,
    told: Told,
}

impl Log {
    /// One without lines; of a store in which writes that do not overlap take effect in real time, or perhaps not.
    pub const fn new(ordered: bool) -> Self {
        Self { ordered, lines: Vec::new(), cut: false }
    }

    /// Writes take effect in real time.
    pub const fn ordered(&self) -> bool {
        self.ordered
    }

    /// One more line.
    #[inline]
    pub fn push(&mut self, now: Time, event: u64, told: &Told) {
        if self.lines.len() < LINES_MAX {
            self.lines.push(Line { time: now, event, told: *told });
        } else {
            self.cut = true;
        }
    }

    /// It lacks its end.
    pub const fn cut(&self) -> bool {
        self.cut
    }

    /// When what was told, in order.
    pub fn lines(&self) -> impl Iterator<Item = (Time, Told)> {
        self.lines.iter().map(|line| (line.time, line.told))
    }

    /// The history it tells.
    pub fn book(&self) -> Book {
        let words = ["read", "write", "delete", "cas"].map(Arc::<str>::from);
        let mut open: BTreeMap<u64, usize> = BTreeMap::new();
        let (mut operations, mut shown) = (Vec::new(), Vec::<Entry>::new());
        for (at, line) in self.lines.iter().enumerate() {
            let (at, number) = (at as u32, at as u32 + 1 + HEADER_LINES);
            if matches!(line.told.what, Asked::Begins) {
                open.insert(line.told.process, operations.len());
                operations.push(begun(line, (at, number), &words));
                shown.push(Entry { began: line.time, ended: None, told: line.told });
                continue;
            }
            let index = open.remove(&line.told.process).expect("what ends has begun: a step tells both");
            shown[index].ended = Some((line.time, line.event));
            shown[index].told = line.told;
            end(&mut operations[index], line, (at, number));
        }
        Book { history: History { operations, dialect: dialect(self.ordered) }, shown }
    }
}

impl Book {
    /// A position behind all of it.
    pub(super) fn end(&self) -> u32 {
        let last = |operation: &Operation| match operation.returned {
            NEVER => operation.invoked,
            returned => returned.max(operation.invoked),
        };
        self.history.operations.iter().map(last).max().map_or(0, |last| last + 1)
    }
}

/// A value as stores keep it and histories tell it.
const fn number(value: u64) -> Value {
    Value::Int(value as i64)
}

fn optional(value: Option<u64>) -> Value {
    value.map_or(Value::Nil, number)
}

/// What is asked: the function and its argument.
fn asked(operation: keys::Operation, words: &[Arc<str>; 4]) -> (Arc<str>, Value) {
    match operation {
        keys::Operation::Read { .. } => (words[0].clone(), Value::Nil),
        keys::Operation::Write { value, .. } => (words[1].clone(), number(value)),
        keys::Operation::Delete { .. } => (words[2].clone(), Value::Nil),
        keys::Operation::Cas { expected, value, .. } => {
            (words[3].clone(), Value::list(vec![optional(expected), number(value)]))
        }
    }
}

fn begun(line: &Line, (at, number): (u32, u32), words: &[Arc<str>; 4]) -> Operation {
    let (f, argument) = asked(line.told.operation, words);
    Operation {
        process: line.told.process as i64,
        f,
        key: Some(self::number(line.told.operation.key())),
        result: argument.clone(),
        argument,
        outcome: Outcome::Info,
        invoked: at,
        returned: NEVER,
        lines: (number, 0),
        times: (Some(line.time.0 as i64), None),
        node: None,
    }
}

fn end(operation: &mut Operation, line: &Line, (at, number): (u32, u32)) {
    operation.lines.1 = number;
    operation.times.1 = Some(line.time.0 as i64);
    operation.outcome = outcome(line.told);
    if operation.outcome != Outcome::Info {
        operation.returned = at;
    }
    if let Asked::Hears(Answer::Value(value)) = line.told.what {
        operation.result = optional(value);
    }
}

/// How an operation ended, as histories know it. There a cas that failed has found another value; one that was surely not
/// carried out has found nothing, and is taken for one that perhaps was.
pub const fn outcome(told: Told) -> Outcome {
    match (told.what, told.operation) {
        (Asked::Hears(Answer::Value(_) | Answer::Done), _) => Outcome::Ok,
        (Asked::Hears(Answer::Mismatch(_)), _) => Outcome::Fail,
        (Asked::Fails, keys::Operation::Cas { .. }) | (Asked::Begins | Asked::KnowsNothing, _) => Outcome::Info,
        (Asked::Fails, _) => Outcome::Fail,
    }
}

impl Entry {
    /// When it ended, and in which event.
    pub(super) fn end(&self) -> Option<Moment> {
        self.ended.map(|(time, event)| Moment { time, event })
    }

    /// For people, who know its client by this name.
    pub(super) fn shown(&self, client: String) -> StoreOperation {
        let signed = |value: u64| value as i64;
        let wish = match self.told.operation {
            keys::Operation::Read { .. } => Wish::Read(match self.told.what {
                Asked::Hears(Answer::Value(value)) => Some(value.map(signed)),
                Asked::Hears(Answer::Done | Answer::Mismatch(_))
                | Asked::Begins
                | Asked::Fails
                | Asked::KnowsNothing => None,
            }),
            keys::Operation::Write { value, .. } => Wish::Write(signed(value)),
            keys::Operation::Delete { .. } => Wish::Delete,
            keys::Operation::Cas { expected, value, .. } => Wish::Cas(expected.map(signed), signed(value)),
        };
        let end = match self.told.what {
            Asked::Hears(Answer::Value(_) | Answer::Done) => Ended::Ok,
            Asked::Hears(Answer::Mismatch(_)) => Ended::Mismatch,
            Asked::Fails => Ended::Fail,
            Asked::Begins | Asked::KnowsNothing => Ended::Unknown,
        };
        let ended = self.ended.map(|(time, _)| time);
        let (process, key, began) = (self.told.process as i64, self.told.operation.key(), self.began);
        StoreOperation { client, process, key, wish, began, ended, end }
    }
}
