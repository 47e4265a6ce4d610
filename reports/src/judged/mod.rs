//! A judged history, told: text for the terminal, JSON, a page, and a graph for Graphviz. The same history and question give
//! the same bytes.

mod dot;
mod json;
mod page;
mod scene;

use std::fmt::Write as _;

use crate::mood::Mood;
use checkers::catalogue::{self, Question};
use checkers::history::{Certificate, Counterexample, History, Judgement, Operation, Outcome, brief};

/// A judged history.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The file's name.
    pub file: String,
    /// What was asked.
    pub question: Question,
    /// The options that asked it, as they are written: whoever judges it again needs them.
    pub options: Vec<String>,
    /// What was judged.
    pub history: History,
    /// What was said.
    pub judgement: Judgement,
}

impl Judged {
    /// The exit code: 0 valid, 1 violated, 3 unknown.
    pub const fn exit(&self) -> u8 {
        match self.judgement {
            Judgement::Valid(_) => 0,
            Judgement::Violated(_) => 1,
            Judgement::Unknown { .. } => 3,
        }
    }

    /// For people: the verdict first, then the smallest story.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let (sign, word, _) = self.mark();
        let (model, consistency) = self.names();
        let operations = self.history.operations.len();
        let _ = writeln!(text, "{sign} {word:<9} {}   {model} {consistency} · {operations} operations", self.file);
        match &self.judgement {
            Judgement::Valid(Certificate::Orders(orders)) => {
                let _ = writeln!(text, "  an order explains every answer; objects: {}", orders.len());
            }
            Judgement::Valid(Certificate::Counts(counts)) => {
                let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
                let _ = writeln!(text, "  {}", counts.join(" · "));
            }
            Judgement::Violated(shown) => self.story(shown, &mut text),
            Judgement::Unknown { why, spent } => {
                let _ = writeln!(text, "  {why} ({spent} steps spent)");
            }
        }
        text
    }

    fn story(&self, shown: &Counterexample, text: &mut String) {
        let operation = |index: u32| &self.history.operations[index as usize];
        let _ = writeln!(text, "  {}", shown.sentence);
        if !shown.operations.is_empty() {
            text.push_str("\n  the operations that show it\n");
            for &index in &shown.operations {
                let _ = writeln!(text, "    {}", operation(index));
            }
        }
        if let Some(state) = &shown.state {
            let _ = match shown.left_out {
                0 => writeln!(
                    text,
                    "\n  the longest beginning that can be explained ends in the state {state}, and then"
                ),
                _ => writeln!(text, "\n  of these alone, the longest beginning ends in the state {state}, and then"),
            };
            for refused in &shown.refused {
                let _ = writeln!(text, "    {}: {}", operation(refused.operation), refused.why);
            }
        }
    }

    /// How a verdict is said: a sign, a word, and how it is to be taken.
    const fn mark(&self) -> (&'static str, &'static str, Mood) {
        match self.judgement {
            Judgement::Valid(_) => ("✓", "VALID", Mood::Good),
            Judgement::Violated(_) => ("✗", "VIOLATED", Mood::Bad),
            Judgement::Unknown { .. } => ("?", "UNKNOWN", Mood::Doubtful),
        }
    }

    /// Why nothing has a place for this operation, if that is so.
    fn why(&self, index: u32) -> Option<&str> {
        let Judgement::Violated(told) = &self.judgement else { return None };
        told.refused.iter().find(|refused| refused.operation == index).map(|refused| &refused.why[..])
    }

    /// The model and what was asked of it.
    fn names(&self) -> (&'static str, String) {
        (catalogue::name(self.question.model), catalogue::told(self.question.consistency))
    }
}

/// An operation as people say it, clipped: its function is whatever the history calls it.
fn told(operation: &Operation) -> String {
    clipped(&operation.to_string(), 300)
}

/// A text of at most so many letters.
fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// What an operation did, in as few words as fit above a bar.
fn deed(operation: &Operation) -> String {
    const SHOWN: usize = 26;
    let value = match operation.outcome {
        Outcome::Ok if !operation.result.is_nil() => &operation.result,
        Outcome::Ok | Outcome::Fail | Outcome::Info => &operation.argument,
    };
    let told = if value.is_nil() { operation.f.to_string() } else { format!("{} {}", operation.f, brief(value)) };
    clipped(&told, SHOWN)
}
