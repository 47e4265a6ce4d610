//! Expressions in CEL's syntax (grammar §4): text → tree → checked tree → program of `systems::expression`.
//!
//! `parse` knows syntax only. `check` resolves names through a `Scope` and settles types; it finds all mistakes of an
//! expression at once. `step` is the scope of steps: request variables and rows of state. The scope of promises, with
//! its aggregates, stands in `promise`. Every mistake has its place and says what would be right.

mod check;
mod parse;
mod problem;
mod program;
mod step;
mod syntax;
mod token;

pub use check::Type;
pub(crate) use check::{Checked, CheckedNode, Scope, check, check_any, check_as};
pub use parse::{SyntaxError, parse};
pub use problem::{Finding, Problem};
pub(crate) use program::lower;
pub(crate) use step::LATER;
pub(crate) use step::key_in_range;
pub use step::{Item, Map, Meaning, StepScope, compile_step};
pub use syntax::{BinaryOperator, Expression, Node, Path, UnaryOperator, Word};
