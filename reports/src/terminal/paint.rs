//! Colours of the terminal, and the marks of verdicts. Without colour every text stays as it is.

use lab::outcome::Status;

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

    /// The mark of a promise; a failure that was expected is not red.
    pub(super) fn mark(self, status: Status, expected: bool) -> String {
        match (status, expected) {
            (Status::Holds, _) => self.good("✓"),
            (Status::Violated, false) => self.bad("✗"),
            (Status::Violated, true) => self.doubtful("✗"),
            (Status::Unknown, _) => self.doubtful("?"),
            (Status::Vacuous, _) => self.doubtful("○"),
        }
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
