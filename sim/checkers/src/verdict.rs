//! What a judge says.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use kernel::{Fact, NodeId, Span, Time};

/// The end of a judge's work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing forbidden happened, and everything that had to happen did.
    Holds {
        /// How many things were judged (instances, operations). With 0 the promise is vacuous.
        judged: u64,
    },
    /// Something forbidden happened.
    Violated(Witness),
    /// It could not be decided.
    Unknown(String),
}

/// A violation, small enough to be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    /// Which rule of the judge was broken, such as `AC1`: the class of the violation.
    pub rule: &'static str,
    /// In which instance.
    pub instance: u64,
    /// One sentence, in pieces, because a judge does not know what machines and steps are called.
    pub sentence: Vec<Phrase>,
    /// The facts about the instance that led to it, in order.
    pub facts: Vec<Fact>,
    /// How many more there were than were kept.
    pub omitted: u64,
}

/// A piece of a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Phrase {
    /// Words.
    Text(&'static str),
    /// A number.
    Number(u64),
    /// The name of a machine.
    Node(NodeId),
    /// A step of the protocol, from 0.
    Step(u32),
    /// A moment.
    Moment(Time),
    /// A length of time.
    Span(Span),
}

impl Witness {
    /// The sentence, with names for machines and steps.
    pub fn sentence(&self, node: &dyn Fn(NodeId) -> String, step: &dyn Fn(u32) -> String) -> String {
        let mut sentence = String::new();
        for phrase in &self.sentence {
            match phrase {
                Phrase::Text(text) => sentence.push_str(text),
                Phrase::Number(number) => sentence.push_str(&number.to_string()),
                Phrase::Node(number) => sentence.push_str(&node(*number)),
                Phrase::Step(number) => sentence.push_str(&step(*number)),
                Phrase::Moment(time) => sentence.push_str(&time.to_string()),
                Phrase::Span(span) => sentence.push_str(&span.to_string()),
            }
        }
        sentence
    }
}
