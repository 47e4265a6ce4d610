//! A lock.

use alloc::string::String;

use super::{Spec, Step, unknown_function};
use crate::history::{Dialect, Operation, Outcome, Refusal, Value};

/// `acquire`, `release`; free at first. It does not ask who holds it: a release by anybody frees it.
#[derive(Clone, Debug)]
pub struct Mutex;

/// What is asked of a lock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Call {
    /// It was free and is held now.
    Acquire,
    /// It was held and is free now.
    Release,
}

impl Spec for Mutex {
    type State = bool;
    type Call = Call;

    fn call(&self, operation: &Operation, _: Dialect) -> Result<Option<Call>, Refusal> {
        let call = match &*operation.f {
            "acquire" | "lock" => Call::Acquire,
            "release" | "unlock" => Call::Release,
            _ => return Err(unknown_function(operation, "mutex", "acquire, release")),
        };
        Ok((operation.outcome != Outcome::Fail).then_some(call))
    }

    fn initial(&self, _: &Value) -> bool {
        false
    }

    fn step(&self, held: &bool, call: &Call) -> Step<bool> {
        match (call, held) {
            (Call::Acquire, false) => Step::To(true),
            (Call::Release, true) => Step::To(false),
            (Call::Acquire, true) | (Call::Release, false) => Step::Refused,
        }
    }

    fn reads_only(&self, _: &Call) -> bool {
        false
    }

    fn refusal(&self, held: &bool, _: &Call) -> String {
        if *held { "it is held already" } else { "nobody holds it" }.into()
    }

    fn shown(&self, held: &bool) -> String {
        if *held { "held" } else { "free" }.into()
    }
}
