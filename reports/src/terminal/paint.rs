//! Colours of the terminal, and the marks of verdicts. Without colour every text stays as it is.

use crate::mood::Mood;
use lab::outcome::{Expectation, Status};

/// Whether to write ANSI codes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    pub(super) colour: bool,
}

impl Paint {
    pub(super) fn bold(self, text: &str) -> String {
        self.code("1", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.code("2", text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.code("32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.code("1;31", text)
    }

    pub(super) fn doubtful(self, text: &str) -> String {
        self.code("33", text)
    }

    /// The mark of a promise; a failure that was expected or is allowed is not red.
    pub(super) fn mark(self, status: Status, expected: Expectation) -> String {
        let mark = match status {
            Status::Holds => "✓",
            Status::Violated => "✗",
            Status::Unknown => "?",
            Status::Vacuous => "○",
        };
        self.mood(Mood::of(status, expected), mark)
    }

    pub(super) fn mood(self, mood: Mood, text: &str) -> String {
        match mood {
            Mood::Good => self.good(text),
            Mood::Bad => self.bad(text),
            Mood::Doubtful => self.doubtful(text),
        }
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
