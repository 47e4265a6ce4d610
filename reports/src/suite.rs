//! What came of many files: the input of a suite's text, and of the forms that CI systems read.

mod github;
mod junit;

use std::time::Duration;

use lab::suite::{Complaint, Pin, State, Tested};
use serde::Serialize;

use crate::number;

pub use github::github;
pub use junit::junit;

/// The result of `stormglass test`.
#[derive(Clone, Serialize, Debug)]
pub struct SuiteSummary {
    /// Every variant of every file, in order.
    pub tests: Vec<Test>,
    /// How many files there were.
    pub files: u64,
    /// It was stopped: `tests` has what was over by then.
    pub interrupted: bool,
    /// Exit code of the command.
    pub exit: u8,
}

/// One variant of one file.
#[derive(Clone, Serialize, Debug)]
pub struct Test {
    /// The file's path.
    pub file: String,
    /// The variant; none: the base.
    pub variant: Option<String>,
    /// How many seeds were run.
    pub seeds: u64,
    /// `as expected`, `not as expected`, `inconclusive`, `engine bug`, `nondeterministic`, `invalid`.
    pub state: &'static str,
    /// One line; of an invalid file all of its errors.
    pub summary: String,
    /// What is not as expected.
    pub complaints: Vec<Trouble>,
    /// Over every event of its only run: 16 hex digits.
    pub fingerprint: Option<String>,
    /// `as pinned`, `changed`, `new`.
    pub pin: Option<&'static str>,
    /// Events of all runs.
    pub events: u64,
    /// Wall time; not in the document, which is the same every time.
    #[serde(skip)]
    pub took: Duration,
}

/// Something that is not as expected.
#[derive(Clone, Serialize, Debug)]
pub struct Trouble {
    /// The line of the file, from 1.
    pub line: usize,
    /// The seed, if it is about a run.
    pub seed: Option<u64>,
    /// The promise, or the kind of trouble.
    pub what: String,
    /// Line by line.
    pub told: Vec<String>,
}

impl SuiteSummary {
    /// Of these files, by their paths.
    pub fn new(paths: &[String], tested: &Tested) -> Self {
        let test = |tried: &lab::suite::Tried| Test {
            file: paths[tried.file].clone(),
            variant: tried.variant.clone(),
            seeds: tried.seeds,
            state: word(tried.state),
            summary: tried.summary.clone(),
            complaints: tried.complaints.iter().map(trouble).collect(),
            fingerprint: tried.fingerprint.map(|print| format!("{print:016x}")),
            pin: match tried.pin {
                Pin::None => None,
                Pin::New => Some("new"),
                Pin::Same => Some("as pinned"),
                Pin::Changed(_) => Some("changed"),
            },
            events: tried.events,
            took: tried.took,
        };
        Self {
            tests: tested.tried.iter().map(test).collect(),
            files: paths.len() as u64,
            interrupted: tested.interrupted,
            exit: tested.exit(),
        }
    }
}

impl Test {
    /// `base`, or the variant.
    pub(crate) fn name(&self) -> &str {
        self.variant.as_deref().unwrap_or("base")
    }

    pub(crate) fn passed(&self) -> bool {
        self.state == word(State::AsExpected)
    }

    /// The command that shows what is wrong.
    pub(crate) fn again(&self) -> Option<String> {
        let seed = self.complaints.iter().find_map(|trouble| trouble.seed)?;
        let variant = self.variant.as_ref().map_or_else(String::new, |variant| format!(" --variant {variant}"));
        Some(format!("stormglass run {}{variant} --seed {seed}", crate::quoted_for_shell(&self.file)))
    }
}

/// What came of a variant, in words.
pub fn word(state: State) -> &'static str {
    match state {
        State::AsExpected => "as expected",
        State::Inconclusive => "inconclusive",
        State::NotAsExpected => "not as expected",
        State::EngineBug => "engine bug",
        State::Nondeterministic => "nondeterministic",
        State::Invalid => "invalid",
    }
}

fn trouble(complaint: &Complaint) -> Trouble {
    let mut told = complaint.told.clone();
    if let (Some(value), Some(last)) = (complaint.value, told.last_mut()) {
        last.push_str(": ");
        last.push_str(&number::quantity(value));
    }
    Trouble { line: complaint.line, seed: complaint.seed, what: complaint.what.clone(), told }
}
