//! Orders guessed from values: when every value is written once, answers say nearly everything about the order.

mod fifo;
mod zones;

use alloc::vec::Vec;

pub(super) use fifo::queue;
pub(super) use zones::register;

/// What values alone say about calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Guess {
    /// This order, as indices of calls, may explain the answers. It is tried: a wrong one costs nothing but time.
    Order(Vec<u32>),
    /// These few calls may contradict each other. They are searched alone, and if they have no order, all have none: so a
    /// model names calls only if any object that gave the answers to all would have given them to these alone.
    Conflict(Vec<u32>),
    /// Nothing.
    Nothing,
}

/// No call, no value.
const NONE: u32 = u32::MAX;
