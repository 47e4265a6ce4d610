//! Histories: what clients asked and what they were told, in the order in which it was seen.
//!
//! A history begins as [`Event`]s, one per line of a file: a call begins (`invoke`) or ends (`ok`, `fail`, `info`).
//! [`History::new`] pairs them to [`Operation`]s and refuses what cannot have happened, with the line. Three rules:
//!
//! * The order of events is the order of the file; `time` is for people and for staleness.
//! * `ok` happened, `fail` did not, and `info`, or no end at all, may have happened at any time after its invoke, or never.
//! * A process does one thing at a time.
//!
//! Judges take a history and a name of what is asked ([`crate::catalogue`]), and answer with a [`Judgement`].

mod judgement;
mod pairing;
mod value;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

pub use judgement::{Certificate, Counterexample, Judgement, Order, Refused};
pub use value::{Value, brief};

/// One line of a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Line of the file, from 1.
    pub line: u32,
    /// Who; `None` if the history does not say.
    pub process: Option<i64>,
    /// What this line tells.
    pub phase: Phase,
    /// The function, such as `read`.
    pub f: Arc<str>,
    /// Argument or result.
    pub value: Value,
    /// Of which object; `None` if there is only one, or if the value says it.
    pub key: Option<Value>,
    /// Nanoseconds.
    pub time: Option<i64>,
    /// The node that was asked.
    pub node: Option<Value>,
}

/// What an event says about its operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// It begins.
    Invoke,
    /// It happened.
    Ok,
    /// It did not happen.
    Fail,
    /// Nobody knows whether it happened.
    Info,
}

/// How an operation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It happened between its two events.
    Ok,
    /// It did not happen.
    Fail,
    /// It may have happened at any time after its invoke, or never.
    Info,
}

/// A position that no event has: the operation never ended, or its end says nothing.
pub const NEVER: u32 = u32::MAX;

/// A call and its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// Who.
    pub process: i64,
    /// The function.
    pub f: Arc<str>,
    /// Of which object.
    pub key: Option<Value>,
    /// What was asked: the value of the invoke.
    pub argument: Value,
    /// What was told: the value of the end, or of the invoke if there is no end.
    pub result: Value,
    /// How it ended.
    pub outcome: Outcome,
    /// Position of its invoke among all events.
    pub invoked: u32,
    /// Position of its end, or [`NEVER`] if nothing is known to be over then.
    pub returned: u32,
    /// Lines of the two events; the second is 0 if there is none.
    pub lines: (u32, u32),
    /// Times of the two events, in nanoseconds.
    pub times: (Option<i64>, Option<i64>),
    /// The node that was asked.
    pub node: Option<Value>,
}

/// What cannot have happened, or cannot be judged, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The line, from 1; 0 if it is about the whole.
    pub line: u32,
    /// What is wrong with it.
    pub what: String,
}

/// What a failed cas means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailedCas {
    /// The register was read, and held something else: it constrains the order.
    Observed,
    /// Nothing happened.
    Dropped,
}

/// What an answered read of nothing means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NilRead {
    /// There was nothing in it.
    Nothing,
    /// The answer is not known.
    Unknown,
}

/// What the order of events means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clock {
    /// What stands earlier was seen earlier.
    Shared,
    /// Only among the events of one process.
    PerProcess,
}

/// In which order writes of one key took effect, as far as clients can know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteOrder {
    /// One that was over before another began came before it: whoever wrote the history knows that.
    RealTime,
    /// Perhaps not: where the last writer wins by clocks, or nothing is said.
    Unknown,
}

/// How a format is to be understood where formats differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dialect {
    /// What a failed cas means.
    pub failed_cas: FailedCas,
    /// What an answered read of nothing means.
    pub nil_read: NilRead,
    /// What the order of events means.
    pub clock: Clock,
    /// In which order writes took effect.
    pub write_order: WriteOrder,
}

/// Whether every end must have a beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Orphans {
    /// An end without a beginning is refused.
    Refused,
    /// It began when it ended: judges that count values need no more.
    Counted,
}

/// Operations in the order of their invokes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History {
    /// All operations, failed ones too.
    pub operations: Vec<Operation>,
    /// How the format is to be understood.
    pub dialect: Dialect,
}

impl History {
    /// Pairs events to operations. `events` stand in the order in which they were seen.
    pub fn new(events: &[Event], dialect: Dialect, orphans: Orphans) -> Result<Self, Refusal> {
        Ok(Self { operations: pairing::pair(events, orphans)?, dialect })
    }
}

impl Operation {
    /// A refusal that points at its first line.
    pub fn refuse(&self, what: impl Into<String>) -> Refusal {
        Refusal { line: self.lines.0, what: what.into() }
    }

    /// What it asked: an answer may repeat it, or be the first to say it.
    pub fn asked(&self) -> &Value {
        if self.argument.is_nil() { &self.result } else { &self.argument }
    }

    /// What was answered, if it was answered.
    pub fn answer(&self) -> Option<&Value> {
        (self.outcome == Outcome::Ok).then_some(&self.result)
    }
}

impl fmt::Display for Operation {
    /// As people say it: `p3 cas [2 4] ok`, with lines and object.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "process {} {}", self.process, self.f)?;
        if let Some(key) = &self.key {
            write!(out, " key {}", brief(key))?;
        }
        let shown = match self.outcome {
            Outcome::Ok if !self.result.is_nil() => &self.result,
            Outcome::Ok | Outcome::Fail | Outcome::Info => &self.argument,
        };
        write!(out, " {}", brief(shown))?;
        match self.outcome {
            Outcome::Ok => out.write_str(" ok"),
            Outcome::Fail => out.write_str(" fail"),
            Outcome::Info => out.write_str(" outcome unknown"),
        }?;
        match self.lines {
            (first, 0) => write!(out, " (line {first})"),
            (first, last) => write!(out, " (lines {first}, {last})"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 { write!(out, "line {}: {}", self.line, self.what) } else { out.write_str(&self.what) }
    }
}
