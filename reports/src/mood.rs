//! How a result is to be taken: the one meaning that colours carry, on the terminal and in the report.

use lab::outcome::{Expectation, Status};

/// How a result is to be taken; the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Mood {
    /// Wrong.
    Bad,
    /// To be looked at: open, never evaluated, a failure that was expected or is allowed, or one that only other seeds show.
    Doubtful,
    /// Right.
    Good,
}

impl Mood {
    /// That of a promise.
    pub(crate) fn of(status: Status, expected: Expectation) -> Self {
        match (status, expected) {
            (Status::Violated, Expectation::Holds) | (Status::Holds, Expectation::Fails) => Self::Bad,
            (Status::Violated, Expectation::Fails | Expectation::FailsOnSomeSeed | Expectation::MayFail)
            | (Status::Holds, Expectation::FailsOnSomeSeed)
            | (Status::Unknown | Status::Vacuous, _) => Self::Doubtful,
            (Status::Holds, Expectation::Holds | Expectation::MayFail) => Self::Good,
        }
    }
}
