//! How a result is to be taken: the one meaning that colours carry, on the terminal and in the report.

use lab::outcome::Status;

/// How a result is to be taken; the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Mood {
    /// Wrong.
    Bad,
    /// To be looked at: open, never evaluated, or a failure that was expected.
    Doubtful,
    /// Right.
    Good,
}

impl Mood {
    /// That of a promise.
    pub(crate) fn of(status: Status, expected_to_fail: bool) -> Self {
        match (status, expected_to_fail) {
            (Status::Violated, false) | (Status::Holds, true) => Self::Bad,
            (Status::Violated, true) | (Status::Unknown | Status::Vacuous, _) => Self::Doubtful,
            (Status::Holds, false) => Self::Good,
        }
    }
}
