//! Maps: many registers or many texts, each under a key. Keys are independent, so each is judged alone.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;

use super::register::{self, Cas};
use super::{Asked, Guess, Spec, Step, guess, unknown_function, written};
use crate::history::{Dialect, History, Operation, Outcome, Refusal, Value, brief};

/// `get` or `read`, `put` or `write`, `cas`, `delete`, each of one key. The key stands in `key`, or the value is `[key value]`.
#[derive(Clone, Debug)]
pub struct Kv {
    /// What every key holds at first.
    pub initial: Value,
}

/// The key and the values of an operation on a map: what was asked, what was told.
fn keyed(operation: &Operation) -> Option<(Value, Value, Value)> {
    if let Some(key) = &operation.key {
        return Some((key.clone(), operation.argument.clone(), operation.result.clone()));
    }
    let asked = operation.argument.pair();
    let told = operation.result.pair();
    let (key, _) = asked.or(told)?;
    let value = |pair: Option<(&Value, &Value)>| pair.map_or(Value::Nil, |(_, value)| value.clone());
    told.is_none_or(|(again, _)| again == key).then(|| (key.clone(), value(asked), value(told)))
}

/// The same history with all keys in `key`, and values without them. Whoever names no key at all has one object.
pub(crate) fn by_key(history: &History) -> Cow<'_, History> {
    if history.operations.iter().all(|operation| operation.key.is_some()) {
        return Cow::Borrowed(history);
    }
    let mut apart = history.clone();
    for operation in apart.operations.iter_mut().filter(|operation| operation.key.is_none()) {
        // `cas [from to]` names no key, `cas [key [from to]]` does.
        let names =
            |value: &Value| &*operation.f != "cas" || value.pair().is_some_and(|(_, swap)| swap.pair().is_some());
        if names(operation.asked())
            && let Some((key, asked, told)) = keyed(operation)
        {
            (operation.key, operation.argument, operation.result) = (Some(key), asked, told);
        }
    }
    Cow::Owned(apart)
}

fn with_key(operation: &Operation) -> Result<(Value, Value, Value), Refusal> {
    keyed(operation).ok_or_else(|| operation.refuse("of which key? `key` is missing, and the value is no [key value]"))
}

impl Spec for Kv {
    type State = Value;
    type Call = register::Call;

    fn call(&self, operation: &Operation, dialect: Dialect) -> Result<Option<Self::Call>, Refusal> {
        let (_, asked, told) = with_key(operation)?;
        register::read_call(operation, (&asked, &told), dialect, Cas::Allowed)
    }

    fn key(&self, operation: &Operation) -> Value {
        keyed(operation).map_or(Value::Nil, |(key, _, _)| key)
    }

    fn initial(&self, _: &Value) -> Value {
        self.initial.clone()
    }

    fn step(&self, state: &Value, call: &Self::Call) -> Step<Value> {
        register::step(state, call)
    }

    fn reads_only(&self, call: &Self::Call) -> bool {
        register::reads_only(call)
    }

    fn refusal(&self, state: &Value, call: &Self::Call) -> String {
        register::refusal(state, call)
    }

    fn shown(&self, state: &Value) -> String {
        brief(state)
    }

    fn guess(&self, initial: &Value, asked: &[Asked<'_, Self::Call>]) -> Guess {
        guess::register(initial, asked)
    }
}

/// `get`, `put text`, `append text`, each of one key: a get answers the whole text.
#[derive(Clone, Debug)]
pub struct Append {
    /// What every key holds at first.
    pub initial: Arc<str>,
}

/// What is asked of a text.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum AppendCall {
    /// It answered this; `None` if the answer is not known.
    Get(Option<Arc<str>>),
    /// It was replaced.
    Put(Arc<str>),
    /// This was written at its end.
    Append(Arc<str>),
}

impl Spec for Append {
    type State = Arc<str>;
    type Call = AppendCall;

    const FORESEES: bool = true;

    fn call(&self, operation: &Operation, _: Dialect) -> Result<Option<AppendCall>, Refusal> {
        let (_, asked, told) = with_key(operation)?;
        let text = |value: &Value| match value {
            Value::Text(text) => Ok(text.clone()),
            Value::Nil
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Decimal(_)
            | Value::List(_)
            | Value::Set(_)
            | Value::Map(_) => Err(operation.refuse(alloc::format!("{} is no text", brief(value)))),
        };
        if operation.outcome == Outcome::Fail && matches!(&*operation.f, "get" | "put" | "append") {
            return Ok(None);
        }
        match &*operation.f {
            "get" => match operation.answer().and(told.known()) {
                Some(told) => Ok(Some(AppendCall::Get(Some(text(told)?)))),
                None => Ok(Some(AppendCall::Get(None))),
            },
            "put" => Ok(Some(AppendCall::Put(text(written(operation, &asked, &told)?)?))),
            "append" => Ok(Some(AppendCall::Append(text(written(operation, &asked, &told)?)?))),
            _ => Err(unknown_function(operation, "kv-append", "get, put, append")),
        }
    }

    fn key(&self, operation: &Operation) -> Value {
        keyed(operation).map_or(Value::Nil, |(key, _, _)| key)
    }

    fn initial(&self, _: &Value) -> Arc<str> {
        self.initial.clone()
    }

    fn step(&self, state: &Arc<str>, call: &AppendCall) -> Step<Arc<str>> {
        match call {
            AppendCall::Get(Some(text)) if text != state => Step::Refused,
            AppendCall::Get(_) => Step::Same,
            AppendCall::Put(text) | AppendCall::Append(text) if text == state && state.is_empty() => Step::Same,
            AppendCall::Put(text) => Step::To(text.clone()),
            AppendCall::Append(text) if text.is_empty() => Step::Same,
            AppendCall::Append(text) => {
                let mut longer = String::with_capacity(state.len() + text.len());
                longer.push_str(state);
                longer.push_str(text);
                Step::To(longer.into())
            }
        }
    }

    fn bytes(&self, state: &Arc<str>) -> usize {
        size_of::<Arc<str>>() + state.len()
    }

    fn reads_only(&self, call: &AppendCall) -> bool {
        matches!(call, AppendCall::Get(_))
    }

    fn refusal(&self, state: &Arc<str>, call: &AppendCall) -> String {
        let AppendCall::Get(Some(text)) = call else { return "it is allowed".into() };
        let end = |text: &Arc<str>| brief(&Value::Text(text.clone()));
        let common = text.bytes().zip(state.bytes()).take_while(|(a, b)| a == b).count();
        alloc::format!(
            "it read {} ({} bytes), but the text is {} ({} bytes); they differ after {common} bytes",
            end(text),
            text.len(),
            end(state),
            state.len()
        )
    }

    fn shown(&self, state: &Arc<str>) -> String {
        brief(&Value::Text(state.clone()))
    }

    fn reachable(&self, state: &Arc<str>, reading: &AppendCall) -> bool {
        match reading {
            AppendCall::Get(Some(text)) => text.as_bytes().starts_with(state.as_bytes()),
            AppendCall::Get(None) | AppendCall::Put(_) | AppendCall::Append(_) => true,
        }
    }

    fn forgets(&self, call: &AppendCall) -> bool {
        matches!(call, AppendCall::Put(_))
    }
}
