//! Several registers that are read and written together.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Spec, Step, unknown_function};
use crate::history::{Dialect, NilRead, Operation, Outcome, Refusal, Value, brief};

/// `txn [[read k v] [write k v] …]`: all of it at one moment, in this order.
#[derive(Clone, Debug)]
pub struct MultiRegister {
    /// What registers hold at first.
    pub initial: BTreeMap<Value, Value>,
    /// What every other register holds at first.
    pub otherwise: Value,
}

/// One step of a transaction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    /// This register held this; `None` if the answer is not known.
    Read(Value, Option<Value>),
    /// This register was set.
    Write(Value, Value),
}

impl MultiRegister {
    fn holds<'a>(&'a self, state: &'a BTreeMap<Value, Value>, key: &Value) -> &'a Value {
        state.get(key).unwrap_or(&self.otherwise)
    }

    /// The first part that was answered otherwise, and what the register held.
    fn wrong(&self, state: &BTreeMap<Value, Value>, call: &[Part]) -> Option<(Value, Value, Value)> {
        let mut state = state.clone();
        for part in call {
            match part {
                Part::Read(key, Some(told)) if self.holds(&state, key) != told => {
                    return Some((key.clone(), told.clone(), self.holds(&state, key).clone()));
                }
                Part::Read(..) => {}
                Part::Write(key, value) => drop(state.insert(key.clone(), value.clone())),
            }
        }
        None
    }
}

impl Spec for MultiRegister {
    type State = BTreeMap<Value, Value>;
    type Call = Vec<Part>;

    fn call(&self, operation: &Operation, dialect: Dialect) -> Result<Option<Vec<Part>>, Refusal> {
        let value = if operation.answer().is_some() { &operation.result } else { operation.asked() };
        let steps = match &*operation.f {
            "txn" => {
                value.members().ok_or_else(|| operation.refuse("a `txn` is a list of [read k v] and [write k v]"))?
            }
            "read" | "write" => core::slice::from_ref(value),
            _ => return Err(unknown_function(operation, "multi-register", "txn")),
        };
        if operation.outcome == Outcome::Fail {
            return Ok(None);
        }
        let mut parts = Vec::new();
        for step in steps {
            let Some([f, key, value]) = step.members() else {
                return Err(operation.refuse(format!("{} is neither [read k v] nor [write k v]", brief(step))));
            };
            parts.push(match f.as_text() {
                Some("read" | "r") => {
                    let known =
                        operation.answer().is_some() && (dialect.nil_read == NilRead::Nothing || !value.is_nil());
                    Part::Read(key.clone(), known.then(|| value.clone()))
                }
                Some("write" | "w") => Part::Write(key.clone(), value.clone()),
                _ => return Err(operation.refuse(format!("{} is neither [read k v] nor [write k v]", brief(step)))),
            });
        }
        Ok(Some(parts))
    }

    fn initial(&self, _: &Value) -> BTreeMap<Value, Value> {
        self.initial.clone()
    }

    fn step(&self, state: &BTreeMap<Value, Value>, call: &Vec<Part>) -> Step<BTreeMap<Value, Value>> {
        if self.wrong(state, call).is_some() {
            return Step::Refused;
        }
        let mut next = state.clone();
        for part in call {
            if let Part::Write(key, value) = part {
                // What is held at first is not written down, so that equal states look equal.
                if *value == self.otherwise && !self.initial.contains_key(key) {
                    next.remove(key);
                } else {
                    next.insert(key.clone(), value.clone());
                }
            }
        }
        if next == *state { Step::Same } else { Step::To(next) }
    }

    fn bytes(&self, state: &BTreeMap<Value, Value>) -> usize {
        size_of::<BTreeMap<Value, Value>>() + 4 * state.len() * size_of::<Value>()
    }

    fn reads_only(&self, call: &Vec<Part>) -> bool {
        call.iter().all(|part| matches!(part, Part::Read(..)))
    }

    fn refusal(&self, state: &BTreeMap<Value, Value>, call: &Vec<Part>) -> String {
        match self.wrong(state, call) {
            Some((key, told, held)) => {
                format!("it read {} as {}, but it is {}", brief(&key), brief(&told), brief(&held))
            }
            None => "it is allowed".into(),
        }
    }

    fn shown(&self, state: &BTreeMap<Value, Value>) -> String {
        brief(&Value::map(state.iter().map(|(key, value)| (key.clone(), value.clone())).collect()))
    }
}
