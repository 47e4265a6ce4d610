//! `history.jsonl`: the operations of the clients, one Jepsen operation per line; `history-STORE.jsonl`: what a replicated
//! store was asked and answered, with a header that says how `check` is to understand it.
//!
//! `{"index":0,"time":1250000,"process":3,"type":"invoke","f":"transactions.transfer","value":{"amount":5}}`; `time` is
//! virtual, in nanoseconds. `check` reads it back, and so does every tool that reads Jepsen histories as JSON.

use lab::outcome::{HistoryLine, LineValue, Outcome, StoreHistory, StoreLine, Word};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The whole file.
pub fn lines(outcome: &Outcome) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, line) in outcome.history.iter().enumerate() {
        serde_json::to_writer(&mut out, &Line { index, line }).expect("writing plain values into memory cannot fail");
        out.push(b'\n');
    }
    out
}

/// The first line of a store's history: each key is a register, and a cas that failed had found another value.
fn header(ordered: bool) -> String {
    let order = if ordered { "real_time" } else { "unknown" };
    format!(
        "{{\"history\":1,\"model\":\"kv\",\"init\":null,\"failed_cas\":\"observed\",\"write_order\":\"{order}\"}}\n"
    )
}

/// The whole file of a store: its name and its bytes.
pub fn of_store(history: &StoreHistory) -> (String, Vec<u8>) {
    let mut out = header(history.ordered).into_bytes();
    for (index, line) in history.each().enumerate() {
        serde_json::to_writer(&mut out, &OfStore { index, line })
            .expect("writing plain values into memory cannot fail");
        out.push(b'\n');
    }
    (format!("history-{}.jsonl", history.store), out)
}

struct OfStore {
    index: usize,
    line: StoreLine,
}

impl Serialize for OfStore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let StoreLine { time, process, kind, function, key, value } = self.line;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("index", &self.index)?;
        map.serialize_entry("time", &time.0)?;
        map.serialize_entry("process", &process)?;
        map.serialize_entry("type", kind)?;
        map.serialize_entry("f", function)?;
        map.serialize_entry("key", &key)?;
        match value {
            LineValue::Nothing => map.serialize_entry("value", &())?,
            LineValue::Number(number) => map.serialize_entry("value", &number)?,
            LineValue::Pair(expected, set) => map.serialize_entry("value", &(expected, set))?,
        }
        map.end()
    }
}

struct Line<'a> {
    index: usize,
    line: &'a HistoryLine,
}

struct Variables<'a>(&'a [(String, Word)]);

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("index", &self.index)?;
        map.serialize_entry("time", &self.line.time.0)?;
        map.serialize_entry("process", &self.line.process)?;
        map.serialize_entry("type", self.line.kind)?;
        map.serialize_entry("f", &self.line.function)?;
        map.serialize_entry("value", &Variables(&self.line.value))?;
        if let Some(error) = &self.line.error {
            map.serialize_entry("error", error)?;
        }
        map.serialize_entry("operation", &self.line.operation)?;
        map.end()
    }
}

impl Serialize for Variables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_empty() {
            return serializer.serialize_none();
        }
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            match value {
                Word::Number(number) => map.serialize_entry(name, number)?,
                Word::Truth(truth) => map.serialize_entry(name, truth)?,
                Word::Text(text) => map.serialize_entry(name, text)?,
            }
        }
        map.end()
    }
}
