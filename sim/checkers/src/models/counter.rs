//! A counter that is read, raised and lowered.

use alloc::format;
use alloc::string::{String, ToString};

use super::{Spec, Step, unknown_function, written};
use crate::history::{Dialect, Operation, Outcome, Refusal, Value};

/// `add n`, `increment` and `decrement` (by n, or by 1), `read`.
#[derive(Clone, Debug)]
pub struct Counter {
    /// What it shows at first.
    pub initial: i64,
}

/// What is asked of a counter.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Call {
    /// It showed this; `None` if the answer is not known.
    Read(Option<i64>),
    /// It was raised by this.
    Add(i64),
}

impl Spec for Counter {
    type State = i64;
    type Call = Call;

    fn call(&self, operation: &Operation, _: Dialect) -> Result<Option<Call>, Refusal> {
        if operation.outcome == Outcome::Fail {
            return Ok(None);
        }
        let number = |value: &Value| value.int().ok_or_else(|| operation.refuse(format!("{value} is no whole number")));
        let by = || {
            let by = written(operation, &operation.argument, &operation.result)?;
            if by.is_nil() { Ok(1) } else { number(by) }
        };
        match &*operation.f {
            "read" => {
                operation.answer().and_then(Value::known).map(number).transpose().map(|told| Some(Call::Read(told)))
            }
            "add" => number(written(operation, &operation.argument, &operation.result)?).map(|by| Some(Call::Add(by))),
            "increment" | "inc" => by().map(|by| Some(Call::Add(by))),
            "decrement" | "dec" => by().map(|by| Some(Call::Add(by.wrapping_neg()))),
            _ => Err(unknown_function(operation, "counter", "add, increment, decrement, read")),
        }
    }

    fn initial(&self, _: &Value) -> i64 {
        self.initial
    }

    fn step(&self, state: &i64, call: &Call) -> Step<i64> {
        match call {
            Call::Read(Some(told)) if told != state => Step::Refused,
            Call::Read(_) | Call::Add(0) => Step::Same,
            Call::Add(by) => Step::To(state.wrapping_add(*by)),
        }
    }

    fn reads_only(&self, call: &Call) -> bool {
        matches!(call, Call::Read(_))
    }

    fn refusal(&self, state: &i64, call: &Call) -> String {
        match call {
            Call::Read(Some(told)) => format!("it read {told}, but the counter is at {state}"),
            Call::Read(None) | Call::Add(_) => "it is allowed".into(),
        }
    }

    fn shown(&self, state: &i64) -> String {
        state.to_string()
    }
}
