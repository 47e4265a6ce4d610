//! Comparisons of what was measured: `p99(latency{op=gateway.checkout}) < 250ms` (docs/scenario grammar, §16).
//!
//! `parse` reads one comparison against the names of a compiled scenario and reports everything wrong with it at once. Its
//! terms are appended to the list of `Wanted` that a recorder is given; `judge` puts their numbers in when the run is
//! over. All numbers are in seconds, shares of 1, per second, or plain.

mod judge;
mod literal;
mod parser;
mod term;

pub use judge::{judge, standard_error};

use crate::compile::Compiled;
use crate::expression::{Finding, Problem};
use crate::measure::{ServiceInfo, Wanted};
use crate::model::{Model, Window};
use crate::names::Names;
use crate::outcome::Quantity;

/// A comparison.
#[derive(Clone, PartialEq, Debug)]
pub struct Threshold {
    /// As written.
    pub says: String,
    /// The measured side.
    pub left: Expression,
    /// How they must compare.
    pub comparison: Comparison,
    /// The limit.
    pub right: Expression,
    /// The sort of both sides.
    pub(crate) kind: Kind,
}

/// An arithmetic expression.
#[derive(Clone, PartialEq, Debug)]
pub enum Expression {
    /// A literal, in its SI unit.
    Literal(f64),
    /// The term with this number in the list of wanted ones.
    Term(usize),
    /// `-x`.
    Negative(Box<Self>),
    /// `x + y` and the like.
    Binary(Operator, Box<Self>, Box<Self>),
}

/// `+ - * /`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
}

/// How two sides must compare.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Comparison {
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `within 1% of`: this share of the right side, 0.01.
    Within(f64),
}

/// The sort of an expression's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Seconds,
    Share,
    PerSecond,
    Number,
    /// Two of a kind divided: compares with a share as well as with a number.
    Quotient,
    /// Something is wrong with it, and that has been said.
    Unknown,
}

impl Kind {
    fn quantity(self, number: f64) -> Quantity {
        match self {
            Self::Seconds => Quantity::Seconds(number),
            Self::Share => Quantity::Ratio(number),
            Self::PerSecond => Quantity::PerSecond(number),
            Self::Number | Self::Quotient | Self::Unknown => Quantity::Number(number),
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Seconds => "a duration",
            Self::Share => "a share",
            Self::PerSecond => "a rate",
            Self::Number | Self::Quotient | Self::Unknown => "a number",
        }
    }
}

/// What the words in a threshold can refer to.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary<'a> {
    /// Series, cells, kinds, protocols and errors of the compiled scenario.
    pub names: &'a Names,
    /// Its services.
    pub services: &'a [ServiceInfo],
    /// `[phases]`.
    pub phases: &'a [(String, Window)],
    /// `[faults.*]`, in the order of their numbers.
    pub faults: &'a [String],
}

/// Reads a comparison. Its terms are appended to `wanted`; nothing is appended if there is a mistake.
/// Places are bytes of `text`.
pub fn parse(text: &str, vocabulary: &Vocabulary<'_>, wanted: &mut Vec<Wanted>) -> Result<Threshold, Vec<Finding>> {
    let before = wanted.len();
    let mut parser = parser::Parser::new(text, vocabulary, wanted);
    let threshold = parser.comparison();
    let mistakes = parser.into_mistakes();
    match threshold {
        Some(threshold) if mistakes.is_empty() => Ok(threshold),
        Some(_) | None => {
            wanted.truncate(before);
            Err(mistakes)
        }
    }
}

/// Reads the thresholds of a scenario, each with its name, and says everything that is wrong with them; the terms they
/// need are appended to `wanted`.
pub fn compile(
    model: &Model,
    compiled: &Compiled,
    wanted: &mut Vec<Wanted>,
) -> Result<Vec<(String, Threshold)>, Vec<Problem>> {
    let phases: Vec<_> = model.phases.iter().map(|(name, window)| (name.value.clone(), *window)).collect();
    let faults: Vec<_> = model.faults.iter().map(|(name, _)| name.value.clone()).collect();
    let vocabulary =
        Vocabulary { names: &compiled.names, services: &compiled.services, phases: &phases, faults: &faults };
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for (name, text) in &model.thresholds {
        match parse(&text.value, &vocabulary, wanted) {
            Ok(threshold) => found.push((name.value.clone(), threshold)),
            Err(findings) => problems.extend(findings.into_iter().map(|finding| finding.at(text))),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

#[cfg(test)]
mod tests;
