//! A judged history, for programs.

use super::Judged;
use checkers::history::{Certificate, Judgement};
use serde_json::{Value as Json, json};

impl Judged {
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
}
