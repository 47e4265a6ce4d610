//! What is wrong with an expression, and where.

use crate::model::{At, Place};

/// A mistake at bytes `from..to` of an expression's text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// First byte.
    pub from: u32,
    /// After the last byte.
    pub to: u32,
    /// What is wrong: `nothing is called bank_a.acounts`.
    pub message: String,
    /// Short words under the underlined text, or empty.
    pub label: String,
    /// What would be right.
    pub help: Option<String>,
    /// Where in the file that lies which it is about (`services.bank.state.accounts`): if something is wrong there, this
    /// is no mistake of its own, and is not told.
    pub about: Vec<String>,
}

/// A mistake at a place of the scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The text to underline.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// Short words under the underlined text, or empty.
    pub label: String,
    /// What would be right.
    pub help: Option<String>,
    /// Other places that matter, each with its label.
    pub others: Vec<(Place, String)>,
    /// As in a `Finding`.
    pub about: Vec<String>,
}

impl Problem {
    /// A mistake with nothing but a message, and perhaps what would be right.
    pub fn plain(place: Place, message: String, help: Option<String>) -> Self {
        Self { place, message, label: String::new(), help, others: Vec::new(), about: Vec::new() }
    }
}

impl Finding {
    /// A mistake with nothing but a message.
    pub fn new(from: u32, to: u32, message: impl Into<String>) -> Self {
        Self { from, to, message: message.into(), label: String::new(), help: None, about: Vec::new() }
    }

    /// With words under the underlined text.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// With a help.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// With the part of the file it is about.
    #[must_use]
    pub fn about(mut self, path: impl Into<String>) -> Self {
        self.about.push(path.into());
        self
    }

    /// The mistake as a problem of the scenario, `at` being the expression it was found in.
    pub fn at(self, at: &At<String>) -> Problem {
        Problem {
            place: within(at, self.from, self.to),
            message: self.message,
            label: self.label,
            help: self.help,
            others: Vec::new(),
            about: self.about,
        }
    }
}

/// The place of bytes `from..to` of a text. The text's own place covers it with its quotes or without; where escapes
/// make the written text longer than its value, the whole place is all that can be said.
pub(super) fn within(at: &At<String>, from: u32, to: u32) -> Place {
    let length = at.value.len() as u32;
    let Place { source, start, end } = at.place;
    let quote = match end.saturating_sub(start).checked_sub(length) {
        Some(0) => 0,
        Some(2) => 1,
        Some(6) => 3,
        Some(_) | None => return at.place,
    };
    Place { source, start: start + quote + from, end: start + quote + to.max(from) }
}
