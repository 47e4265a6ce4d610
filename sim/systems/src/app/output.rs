//! What clients tell the history.

use super::ending::Ending;
use crate::variables::Variables;

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
