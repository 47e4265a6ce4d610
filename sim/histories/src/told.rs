//! A judgement, told to people and to programs. The same history and question give the same bytes.

use std::fmt::Write as _;

use checkers::catalogue::{self, Question};
use checkers::history::{Certificate, Counterexample, History, Judgement};
use serde_json::{Value as Json, json};

/// A judged history.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The file's name.
    pub file: String,
    /// What was asked.
    pub question: Question,
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
        let (sign, word) = match self.judgement {
            Judgement::Valid(_) => ("✓", "VALID"),
            Judgement::Violated(_) => ("✗", "VIOLATED"),
            Judgement::Unknown { .. } => ("?", "UNKNOWN"),
        };
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
            let _ =
                writeln!(text, "\n  the longest beginning that can be explained ends in the state {state}, and then");
            for refused in &shown.refused {
                let _ = writeln!(text, "    {}: {}", operation(refused.operation), refused.why);
            }
        }
    }

    /// For programs.
    pub fn json(&self) -> Json {
        let (model, consistency) = self.names();
        let lines = |indices: &[u32]| -> Vec<Json> {
            let operation = |&index: &u32| {
                let operation = &self.history.operations[index as usize];
                json!({ "index": index, "lines": [operation.lines.0, operation.lines.1], "told": operation.to_string() })
            };
            indices.iter().map(operation).collect()
        };
        let mut told = json!({
            "file": self.file,
            "model": model,
            "consistency": consistency,
            "operations": self.history.operations.len(),
        });
        let more = match &self.judgement {
            Judgement::Valid(Certificate::Orders(orders)) => {
                let orders: Vec<Json> = orders
                    .iter()
                    .map(|order| json!({ "key": order.key.known().map(ToString::to_string), "operations": order.operations }))
                    .collect();
                json!({ "verdict": "valid", "orders": orders })
            }
            Judgement::Valid(Certificate::Counts(counts)) => {
                let counts: serde_json::Map<String, Json> =
                    counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
                json!({ "verdict": "valid", "counts": counts })
            }
            Judgement::Violated(shown) => {
                let refused: Vec<Json> = shown
                    .refused
                    .iter()
                    .map(|refused| json!({ "operation": refused.operation, "why": refused.why }))
                    .collect();
                json!({
                    "verdict": "violated",
                    "rule": shown.rule,
                    "sentence": shown.sentence,
                    "key": shown.key.as_ref().map(ToString::to_string),
                    "witness": lines(&shown.operations),
                    "prefix": shown.prefix,
                    "state": shown.state,
                    "refused": refused,
                })
            }
            Judgement::Unknown { why, spent } => json!({ "verdict": "unknown", "why": why, "spent": spent }),
        };
        if let (Json::Object(told), Json::Object(more)) = (&mut told, more) {
            told.extend(more);
        }
        told
    }

    fn names(&self) -> (&'static str, String) {
        (catalogue::name(self.question.model), catalogue::told(self.question.consistency))
    }
}
