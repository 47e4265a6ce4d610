//! What clients tell the history.

use super::ending::Ending;
use crate::replication::keys::{Answer, Operation};
use crate::variables::Variables;

/// What a step and a replicated store had to say to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    /// Which store.
    pub store: u32,
    /// Who asks: a client's process, or the step itself.
    pub process: u64,
    /// For what.
    pub operation: Operation,
    /// How far it is.
    pub what: Asked,
}

/// How far a question to a store is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// It is asked.
    Begins,
    /// It is answered.
    Hears(Answer),
    /// It surely had no effect.
    Fails,
    /// It may have one, now or later.
    KnowsNothing,
}

/// An operation of a client began or ended.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// It began.
    Invoked {
        /// The workload.
        workload: u32,
        /// The operation's number in it.
        number: u64,
        /// The client process.
        process: u64,
        /// What it carries.
        variables: Variables,
    },
    /// A step asks a replicated store, or is over.
    Store(Told),
    /// It ended.
    Completed {
        /// The workload.
        workload: u32,
        /// The operation's number in it.
        number: u64,
        /// The client process.
        process: u64,
        /// How.
        ending: Ending,
        /// The error's number, if it failed.
        error: Option<u16>,
        /// What it carried.
        variables: Variables,
    },
}
