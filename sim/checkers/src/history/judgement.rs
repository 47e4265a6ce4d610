//! What a judge of histories says.

use alloc::string::String;
use alloc::vec::Vec;

use super::Value;

/// The end of a judge's work. A judge that gives up says `Unknown`, never `Valid`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Judgement {
    /// The history obeys, and this is why.
    Valid(Certificate),
    /// It does not, and this is where.
    Violated(Counterexample),
    /// It could not be decided.
    Unknown {
        /// Why, with the object that was too large if there is one.
        why: String,
        /// Steps spent.
        spent: u64,
    },
}

/// Why a history obeys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Certificate {
    /// An order of operations per object that explains every answer; [`crate::linearizable::replay`] checks it.
    Orders(Vec<Order>),
    /// What was counted, for judges that look at everything once.
    Counts(Vec<(&'static str, u64)>),
}

/// An order of operations that explains every answer of one object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// The object; `Nil` if there is only one.
    pub key: Value,
    /// Indices of operations, in the order in which they took effect.
    pub operations: Vec<u32>,
}

/// A violation, small enough to be read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counterexample {
    /// Which rule was broken: the class of the violation.
    pub rule: &'static str,
    /// One sentence.
    pub sentence: String,
    /// The object, if there are several.
    pub key: Option<Value>,
    /// Indices of the operations that show it.
    pub operations: Vec<u32>,
    /// How many operations of the object were left out: `prefix`, `state` and `refused` are about the others alone.
    pub left_out: usize,
    /// The longest order that explains a beginning, as indices.
    pub prefix: Vec<u32>,
    /// The state after it.
    pub state: Option<String>,
    /// Why no operation can come next.
    pub refused: Vec<Refused>,
}

/// An operation that could have come next, and why it cannot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Its index.
    pub operation: u32,
    /// The model's words.
    pub why: String,
}
