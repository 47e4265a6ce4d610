//! A register that is read, written, and compared and set.

use alloc::format;
use alloc::string::String;

use super::{Asked, Guess, Spec, Step, guess, unknown_function, written};
use crate::history::{Dialect, FailedCas, NilRead, Operation, Outcome, Refusal, Value, brief};

/// `read`, `write v`, `cas [from to]`, and `delete`, after which it holds nothing. Without `cas` it is the plain register.
#[derive(Clone, Debug)]
pub struct Register {
    /// What it holds at first.
    pub initial: Value,
    /// Whether it can compare and set.
    pub cas: Cas,
}

/// Whether a register can compare and set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cas {
    /// `cas [from to]` is one of its functions.
    Allowed,
    /// It is not.
    Unknown,
}

/// What is asked of a register.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Call {
    /// It answered this; `None` if the answer is not known.
    Read(Option<Value>),
    /// It was set.
    Write(Value),
    /// It held the first and now holds the second.
    Swapped(Value, Value),
    /// It did not hold this.
    Differed(Value),
    /// If it held the first it now holds the second.
    MaySwap(Value, Value),
}

impl Spec for Register {
    type State = Value;
    type Call = Call;

    fn call(&self, operation: &Operation, dialect: Dialect) -> Result<Option<Call>, Refusal> {
        read_call(operation, (&operation.argument, &operation.result), dialect, self.cas)
    }

    fn initial(&self, _: &Value) -> Value {
        self.initial.clone()
    }

    fn step(&self, state: &Value, call: &Call) -> Step<Value> {
        step(state, call)
    }

    fn reads_only(&self, call: &Call) -> bool {
        reads_only(call)
    }

    fn refusal(&self, state: &Value, call: &Call) -> String {
        refusal(state, call)
    }

    fn shown(&self, state: &Value) -> String {
        brief(state)
    }

    fn guess(&self, initial: &Value, asked: &[Asked<'_, Call>]) -> Guess {
        guess::register(initial, asked)
    }
}

/// Reads a register's operation, whose values are given: those of a map stand beside a key.
pub(super) fn read_call(
    operation: &Operation,
    (asked, told): (&Value, &Value),
    dialect: Dialect,
    cas: Cas,
) -> Result<Option<Call>, Refusal> {
    let failed = operation.outcome == Outcome::Fail;
    match &*operation.f {
        "read" | "get" | "r" => Ok((!failed).then(|| {
            let known = operation.answer().is_some() && (dialect.nil_read == NilRead::Nothing || !told.is_nil());
            Call::Read(known.then(|| told.clone()))
        })),
        "write" | "put" | "w" if failed => Ok(None),
        "write" | "put" | "w" => Ok(Some(Call::Write(written(operation, asked, told)?.clone()))),
        "delete" if failed => Ok(None),
        "delete" => Ok(Some(Call::Write(Value::Nil))),
        "cas" if cas == Cas::Allowed => {
            let Some((from, to)) = written(operation, asked, told)?.pair() else {
                return Err(operation.refuse("`cas` takes a pair: what is expected, and what is set"));
            };
            let (from, to) = (from.clone(), to.clone());
            Ok(match (operation.outcome, dialect.failed_cas) {
                (Outcome::Ok, _) => Some(Call::Swapped(from, to)),
                (Outcome::Info, _) => Some(Call::MaySwap(from, to)),
                (Outcome::Fail, FailedCas::Observed) => Some(Call::Differed(from)),
                (Outcome::Fail, FailedCas::Dropped) => None,
            })
        }
        _ => match cas {
            Cas::Allowed => Err(unknown_function(operation, "cas-register", "read, write, cas, delete")),
            Cas::Unknown => Err(unknown_function(operation, "register", "read, write, delete")),
        },
    }
}

pub(super) fn step(state: &Value, call: &Call) -> Step<Value> {
    let (allowed, next) = match call {
        Call::Read(None) => (true, None),
        Call::Read(Some(value)) => (state == value, None),
        Call::Write(value) => (true, Some(value)),
        Call::Swapped(from, to) => (state == from, Some(to)),
        Call::Differed(from) => (state != from, None),
        Call::MaySwap(from, to) => (true, (state == from).then_some(to)),
    };
    match (allowed, next) {
        (false, _) => Step::Refused,
        (true, Some(next)) if next != state => Step::To(next.clone()),
        (true, _) => Step::Same,
    }
}

pub(super) fn reads_only(call: &Call) -> bool {
    match call {
        Call::Read(_) | Call::Differed(_) => true,
        Call::Swapped(from, to) | Call::MaySwap(from, to) => from == to,
        Call::Write(_) => false,
    }
}

pub(super) fn refusal(state: &Value, call: &Call) -> String {
    let state = brief(state);
    match call {
        Call::Read(Some(value)) => format!("it read {}, but the value is {state}", brief(value)),
        Call::Swapped(from, _) => format!("it found {}, but the value is {state}", brief(from)),
        Call::Differed(_) => format!("it found another value, but the value is {state}"),
        Call::Read(None) | Call::Write(_) | Call::MaySwap(..) => "it is allowed".into(),
    }
}
