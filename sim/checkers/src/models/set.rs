//! A set.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use super::{Spec, Step, unknown_function, written};
use crate::history::{Dialect, History, Operation, Outcome, Refusal, Value, brief};

/// `add v`, `remove v`, `contains v` (answers true or false), `read` (answers all); empty at first.
#[derive(Clone, Debug)]
pub struct Set {
    /// Without a `read` of all, every element is an object of its own.
    whole: bool,
}

/// What is asked of a set.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Call {
    /// It has the value now.
    Add(Value),
    /// It does not have it now.
    Remove(Value),
    /// Whether it had the value.
    Contains(Value, bool),
    /// All that it had.
    Read(BTreeSet<Value>),
    /// Nobody knows what it answered.
    Unanswered,
}

impl Set {
    /// The set of a history: whether elements can be judged alone depends on what is asked.
    pub fn of(history: &History) -> Self {
        Self { whole: history.operations.iter().any(|operation| &*operation.f == "read") }
    }
}

impl Spec for Set {
    type State = BTreeSet<Value>;
    type Call = Call;

    fn call(&self, operation: &Operation, _: Dialect) -> Result<Option<Call>, Refusal> {
        let failed = operation.outcome == Outcome::Fail;
        match &*operation.f {
            "add" | "remove" | "contains" | "read" if failed => Ok(None),
            "add" => Ok(Some(Call::Add(written(operation, &operation.argument, &operation.result)?.clone()))),
            "remove" => Ok(Some(Call::Remove(written(operation, &operation.argument, &operation.result)?.clone()))),
            "contains" => match operation.answer() {
                Some(Value::Bool(told)) => Ok(Some(Call::Contains(operation.argument.clone(), *told))),
                Some(_) => Err(operation.refuse("`contains` answers true or false")),
                None => Ok(Some(Call::Unanswered)),
            },
            "read" => match operation.answer().and_then(Value::known) {
                Some(told) => match told.members() {
                    Some(members) => Ok(Some(Call::Read(members.iter().cloned().collect()))),
                    None => Err(operation.refuse("`read` answers a list or set")),
                },
                None => Ok(Some(Call::Unanswered)),
            },
            _ => Err(unknown_function(operation, "set", "add, remove, contains, read")),
        }
    }

    fn key(&self, operation: &Operation) -> Value {
        match (&operation.key, self.whole) {
            (Some(key), true) => key.clone(),
            (Some(key), false) => Value::list(alloc::vec![key.clone(), operation.asked().clone()]),
            (None, true) => Value::Nil,
            (None, false) => operation.asked().clone(),
        }
    }

    fn initial(&self, _: &Value) -> BTreeSet<Value> {
        BTreeSet::new()
    }

    fn step(&self, state: &BTreeSet<Value>, call: &Call) -> Step<BTreeSet<Value>> {
        match call {
            Call::Contains(value, told) if state.contains(value) != *told => Step::Refused,
            Call::Read(told) if told != state => Step::Refused,
            Call::Contains(..) | Call::Read(_) | Call::Unanswered => Step::Same,
            Call::Add(value) if state.contains(value) => Step::Same,
            Call::Remove(value) if !state.contains(value) => Step::Same,
            Call::Add(value) => {
                let mut next = state.clone();
                next.insert(value.clone());
                Step::To(next)
            }
            Call::Remove(value) => {
                let mut next = state.clone();
                next.remove(value);
                Step::To(next)
            }
        }
    }

    fn bytes(&self, state: &BTreeSet<Value>) -> usize {
        size_of::<BTreeSet<Value>>() + 2 * state.len() * size_of::<Value>()
    }

    fn reads_only(&self, call: &Call) -> bool {
        matches!(call, Call::Contains(..) | Call::Read(_) | Call::Unanswered)
    }

    fn refusal(&self, state: &BTreeSet<Value>, call: &Call) -> String {
        match call {
            Call::Contains(value, true) => format!("it found {}, which is not in it", brief(value)),
            Call::Contains(value, false) => format!("it did not find {}, which is in it", brief(value)),
            Call::Read(told) => match (state.difference(told).next(), told.difference(state).next()) {
                (Some(missing), _) => format!("it did not read {}, which is in it", brief(missing)),
                (None, Some(extra)) => format!("it read {}, which is not in it", brief(extra)),
                (None, None) => "it is allowed".into(),
            },
            Call::Add(_) | Call::Remove(_) | Call::Unanswered => "it is allowed".into(),
        }
    }

    fn shown(&self, state: &BTreeSet<Value>) -> String {
        brief(&Value::set(state.iter().cloned().collect()))
    }
}
