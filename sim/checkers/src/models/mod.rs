//! What objects do: sequential specifications. A judge of orders asks one of them whether an order explains the answers.
//!
//! [`Spec`] is open to users: whoever describes an object of their own can have it judged like the built-in ones.

mod counter;
mod guess;
pub(crate) mod kv;
mod multi_register;
mod mutex;
mod queue;
mod register;
mod set;

use alloc::string::String;
use core::hash::Hash;

pub use counter::Counter;
pub use guess::Guess;
pub use kv::{Append, Kv};
pub use multi_register::MultiRegister;
pub use mutex::Mutex;
pub use queue::Queue;
pub use register::{Cas, Register};
pub use set::Set;

use crate::history::{Dialect, Operation, Refusal, Value};

/// An object, as one client alone would see it. Everything is a function: the same state and call give the same step.
pub trait Spec {
    /// What it holds.
    type State: Clone + Eq + Hash;
    /// What is asked of it, with the answer if there was one. Equal calls are interchangeable.
    type Call: Clone + Eq + Hash;

    /// Whether [`Spec::reachable`] says anything. Judges ask it only then.
    const FORESEES: bool = false;

    /// Reads an operation. `None` if it constrains nothing: it failed, or it is no business of this object.
    fn call(&self, operation: &Operation, dialect: Dialect) -> Result<Option<Self::Call>, Refusal>;

    /// Which of many independent objects it is about.
    fn key(&self, operation: &Operation) -> Value {
        operation.key.clone().unwrap_or_default()
    }

    /// What an object holds at first.
    fn initial(&self, key: &Value) -> Self::State;

    /// What a call does in a state. A call whose answer is not known steps whenever it can take effect.
    fn step(&self, state: &Self::State, call: &Self::Call) -> Step<Self::State>;

    /// Whether the call changes no state in which it is legal.
    fn reads_only(&self, call: &Self::Call) -> bool;

    /// Why [`Spec::step`] refuses, in words.
    fn refusal(&self, state: &Self::State, call: &Self::Call) -> String;

    /// A state in words.
    fn shown(&self, state: &Self::State) -> String;

    /// Does what [`Spec::step`] does to the state itself; `false` if the call is refused, and then the state is as it was.
    fn advance(&self, state: &mut Self::State, call: &Self::Call) -> bool {
        match self.step(state, call) {
            Step::Refused => return false,
            Step::Same => {}
            Step::To(next) => *state = next,
        }
        true
    }

    /// What can be said of these calls before anything is searched. `asked` stands in the order of the invokes.
    fn guess(&self, _initial: &Self::State, _asked: &[Asked<'_, Self::Call>]) -> Guess {
        Guess::Nothing
    }

    /// How much memory a state takes, in bytes: judges keep many.
    fn bytes(&self, _state: &Self::State) -> usize {
        size_of::<Self::State>()
    }

    /// Whether calls other than those that [`Spec::forgets`] can lead from a state to one that allows this reading call.
    fn reachable(&self, _state: &Self::State, _reading: &Self::Call) -> bool {
        true
    }

    /// Whether the state after this call may lack what the state before it held.
    fn forgets(&self, _call: &Self::Call) -> bool {
        true
    }
}

/// A call, with the positions of its two ends; the second is [`crate::history::NEVER`] if it may never have happened.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a, Call> {
    /// The call.
    pub call: &'a Call,
    /// When it began.
    pub invoked: u32,
    /// When it ended.
    pub returned: u32,
}

/// What a call does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step<State> {
    /// It cannot have been answered so.
    Refused,
    /// It is answered so, and changes nothing.
    Same,
    /// It is answered so, and leaves this state.
    To(State),
}

/// What a writing call wrote: what was asked. An answer that says something else is no answer to it.
fn written<'a>(operation: &'a Operation, asked: &'a Value, told: &'a Value) -> Result<&'a Value, Refusal> {
    if operation.answer().is_some() && !told.is_nil() && !asked.is_nil() && told != asked {
        return Err(operation.refuse(alloc::format!("`{}` of {asked} ends with {told}", operation.f)));
    }
    Ok(if asked.is_nil() { told } else { asked })
}

/// A function that the model does not have.
fn unknown_function(operation: &Operation, model: &str, has: &str) -> Refusal {
    operation.refuse(alloc::format!("model {model} has no `{}`; it has {has}", operation.f))
}
