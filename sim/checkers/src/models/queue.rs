//! A queue: first in, first out.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Asked, Guess, Spec, Step, guess, unknown_function, written};
use crate::history::{Dialect, Operation, Outcome, Refusal, Value, brief};

/// `enqueue v`, `dequeue`, which answers the oldest value, or nil if there is none; empty at first.
#[derive(Clone, Debug)]
pub struct Queue;

/// What is asked of a queue.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Call {
    /// A value went in.
    Enqueue(Value),
    /// The oldest came out, and it was this.
    Dequeue(Value),
    /// Nothing was in it.
    Empty,
    /// The oldest came out, if there was one.
    Lost,
}

impl Spec for Queue {
    type State = VecDeque<Value>;
    type Call = Call;

    fn call(&self, operation: &Operation, _: Dialect) -> Result<Option<Call>, Refusal> {
        match &*operation.f {
            "enqueue" | "dequeue" if operation.outcome == Outcome::Fail => Ok(None),
            "enqueue" => Ok(Some(Call::Enqueue(written(operation, &operation.argument, &operation.result)?.clone()))),
            "dequeue" => Ok(Some(match operation.answer() {
                Some(Value::Nil) => Call::Empty,
                Some(told) => Call::Dequeue(told.clone()),
                None => Call::Lost,
            })),
            _ => Err(unknown_function(operation, "queue", "enqueue, dequeue")),
        }
    }

    fn initial(&self, _: &Value) -> VecDeque<Value> {
        VecDeque::new()
    }

    fn step(&self, state: &VecDeque<Value>, call: &Call) -> Step<VecDeque<Value>> {
        let mut next = match (call, state.front()) {
            (Call::Dequeue(told), first) if first != Some(told) => return Step::Refused,
            (Call::Empty, Some(_)) => return Step::Refused,
            (Call::Empty | Call::Lost, None) => return Step::Same,
            (Call::Enqueue(_) | Call::Dequeue(_) | Call::Lost, _) => state.clone(),
        };
        if let Call::Enqueue(value) = call {
            next.push_back(value.clone());
        } else {
            next.pop_front();
        }
        Step::To(next)
    }

    fn advance(&self, state: &mut VecDeque<Value>, call: &Call) -> bool {
        match call {
            Call::Enqueue(value) => state.push_back(value.clone()),
            Call::Dequeue(told) => {
                if state.front() != Some(told) {
                    return false;
                }
                state.pop_front();
            }
            Call::Empty => return state.is_empty(),
            Call::Lost => drop(state.pop_front()),
        }
        true
    }

    fn bytes(&self, state: &VecDeque<Value>) -> usize {
        size_of::<VecDeque<Value>>() + state.capacity() * size_of::<Value>()
    }

    fn guess(&self, _: &VecDeque<Value>, asked: &[Asked<'_, Call>]) -> Guess {
        guess::queue(asked)
    }

    fn reads_only(&self, call: &Call) -> bool {
        matches!(call, Call::Empty)
    }

    fn refusal(&self, state: &VecDeque<Value>, call: &Call) -> String {
        let first = state
            .front()
            .map_or_else(|| "the queue is empty".into(), |first| format!("the oldest is {}", brief(first)));
        match call {
            Call::Dequeue(told) => format!("it took {}, but {first}", brief(told)),
            Call::Empty => format!("it found nothing, but {first}"),
            Call::Enqueue(_) | Call::Lost => "it is allowed".into(),
        }
    }

    fn shown(&self, state: &VecDeque<Value>) -> String {
        brief(&Value::list(state.iter().cloned().collect::<Vec<_>>()))
    }
}
