//! Objects once more, written without a look at the models: what they answer, and whether a history has an order at all,
//! by trying all of them.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::history::{FailedCas, History, Operation, Outcome, Value};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Model {
    Register,
    CasRegister,
    Kv,
    KvAppend,
    MultiRegister,
    Queue,
    Set,
    Mutex,
    Counter,
}

impl Model {
    pub(super) const ALL: [Self; 9] = [
        Self::Register,
        Self::CasRegister,
        Self::Kv,
        Self::KvAppend,
        Self::MultiRegister,
        Self::Queue,
        Self::Set,
        Self::Mutex,
        Self::Counter,
    ];

    /// What registers hold at first.
    pub(super) fn blank(self) -> Value {
        match self {
            Self::KvAppend => Value::text(""),
            Self::MultiRegister | Self::Counter => Value::Int(0),
            Self::Mutex => Value::Bool(false),
            Self::Register | Self::CasRegister | Self::Kv | Self::Queue | Self::Set => Value::Nil,
        }
    }
}

/// All objects at once.
#[derive(Clone, Debug)]
pub(super) struct Oracle {
    blank: Value,
    cells: BTreeMap<Value, Value>,
    line: Vec<Value>,
}

impl Oracle {
    pub(super) fn new(model: Model) -> Self {
        Self { blank: model.blank(), cells: BTreeMap::new(), line: Vec::new() }
    }

    /// Does it, and says what it answers; `None` if it cannot be done.
    pub(super) fn apply(&mut self, key: &Value, f: &str, asked: &Value) -> Option<Value> {
        match f {
            "read" if !self.line.is_empty() || asked == &Value::text("all") => {
                let mut all = self.line.clone();
                all.sort();
                Some(Value::list(all))
            }
            "read" | "get" => Some(self.cell(key)),
            "write" | "put" => {
                self.cells.insert(key.clone(), asked.clone());
                Some(asked.clone())
            }
            "cas" => {
                let [from, to] = asked.members().unwrap() else { unreachable!() };
                let equal = self.cell(key) == *from;
                if equal {
                    self.cells.insert(key.clone(), to.clone());
                }
                equal.then(|| asked.clone())
            }
            "append" => {
                let longer = format!("{}{}", self.cell(key).as_text().unwrap(), asked.as_text().unwrap());
                self.cells.insert(key.clone(), Value::text(&longer));
                Some(asked.clone())
            }
            "increment" => {
                let next = self.cell(key).int().unwrap() + asked.int().unwrap();
                self.cells.insert(key.clone(), Value::Int(next));
                Some(asked.clone())
            }
            "acquire" | "release" => {
                let wanted = Value::Bool(f == "acquire");
                let free = self.cell(key) != wanted;
                self.cells.insert(key.clone(), wanted);
                free.then_some(Value::Nil)
            }
            "enqueue" => {
                self.line.push(asked.clone());
                Some(asked.clone())
            }
            "dequeue" => Some(if self.line.is_empty() { Value::Nil } else { self.line.remove(0) }),
            "add" => {
                self.line.retain(|value| value != asked);
                self.line.push(asked.clone());
                Some(asked.clone())
            }
            "remove" => {
                self.line.retain(|value| value != asked);
                Some(asked.clone())
            }
            "contains" => Some(Value::Bool(self.line.contains(asked))),
            "txn" => Some(Value::list(asked.members().unwrap().iter().map(|part| self.part(part)).collect())),
            _ => unreachable!("{f}"),
        }
    }

    fn cell(&self, key: &Value) -> Value {
        self.cells.get(key).unwrap_or(&self.blank).clone()
    }

    fn part(&mut self, part: &Value) -> Value {
        let [f, key, value] = part.members().unwrap() else { unreachable!() };
        let told = self.apply(key, f.as_text().unwrap(), value).unwrap();
        Value::list(vec![f.clone(), key.clone(), told])
    }
}

/// Which orders are tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keeping {
    /// Those that keep to real time.
    RealTime,
    /// Those that keep to the order of each process.
    Processes,
}

/// Whether any order explains the history.
pub(super) fn any_order(model: Model, history: &History, keeping: Keeping) -> bool {
    let dropped = |operation: &&Operation| {
        let observed = &*operation.f == "cas" && history.dialect.failed_cas == FailedCas::Observed;
        operation.outcome != Outcome::Fail || observed
    };
    let left: Vec<&Operation> = history.operations.iter().filter(dropped).collect();
    goes_on(&Oracle::new(model), &left, keeping)
}

fn goes_on(oracle: &Oracle, left: &[&Operation], keeping: Keeping) -> bool {
    if left.iter().all(|operation| operation.outcome == Outcome::Info) {
        return true;
    }
    let waits_for = |first: &Operation, then: &Operation| match keeping {
        Keeping::RealTime => first.returned < then.invoked,
        Keeping::Processes => {
            first.outcome != Outcome::Info && first.process == then.process && first.invoked < then.invoked
        }
    };
    let next = |n: &usize| !left.iter().any(|first| waits_for(first, left[*n]));
    (0..left.len()).filter(next).any(|n| {
        let operation = left[n];
        let mut next = oracle.clone();
        let told = next.apply(&operation.key.clone().unwrap_or_default(), &operation.f, &operation.argument);
        let explained = match operation.outcome {
            Outcome::Ok => told.as_ref() == Some(&operation.result),
            // Only a cas that did not find what it expected.
            Outcome::Fail => told.is_none(),
            Outcome::Info => told.is_some(),
        };
        let mut rest = left.to_vec();
        rest.remove(n);
        explained && goes_on(&next, &rest, keeping)
    })
}

/// A history for messages.
pub(super) fn listing(history: &History) -> String {
    let line = |o: &Operation| format!("{o} [{}, {}]", o.invoked, o.returned);
    history.operations.iter().map(line).collect::<Vec<_>>().join("\n")
}
