//! What clients of replicated stores asked and were told, and what of it contradicts a promise.

use checkers::history::Outcome;
use kernel::Time;
use systems::app::output::{Asked, Told};
use systems::replication::keys::{Answer, Operation};

/// What a judge of histories counted and has to show beside its words.
#[derive(Clone, PartialEq, Debug)]
pub struct Evidence {
    /// The store that was judged.
    pub store: String,
    /// What was counted, each with its name: `acknowledged`, `lost`.
    pub counts: Vec<(String, u64)>,
    /// Operations that cannot all be as they are, if there are some.
    pub contradiction: Option<Contradiction>,
}

/// Operations on a store that contradict a promise, as far as they are shown.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Contradiction {
    /// Which rule is broken.
    pub rule: String,
    /// One sentence.
    pub sentence: String,
    /// The key it is about, if it is about one.
    pub key: Option<u64>,
    /// Those that are shown, in the order in which they began.
    pub operations: Vec<StoreOperation>,
    /// Those that contradict each other, as places in `operations`.
    pub against: Vec<usize>,
    /// The end of the longest order that explains a beginning, as places in `operations`.
    pub order: Vec<usize>,
    /// How many stand before that in this order and are not shown.
    pub before: u64,
    /// What the key holds after this order.
    pub state: Option<String>,
    /// Operations that could have come next, and why they cannot.
    pub refused: Vec<Refused>,
}

/// An operation that cannot come next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Its place among those that are shown.
    pub operation: usize,
    /// Why.
    pub why: String,
}

/// One question to a store and its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreOperation {
    /// Who asked, for people: `far/2`, `orders[1]/204`, or the machine that holds this at the end.
    pub client: String,
    /// Who asked, as the history has it.
    pub process: i64,
    /// Of which key.
    pub key: u64,
    /// For what.
    pub wish: Wish,
    /// When it began.
    pub began: Time,
    /// When it ended, if it did.
    pub ended: Option<Time>,
    /// How.
    pub end: Ended,
}

/// What an operation was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// The value; with what was told, if the answer was one. The inner is nothing where there was none.
    Read(Option<Option<i64>>),
    /// A new value.
    Write(i64),
    /// No value.
    Delete,
    /// A new value in the place of this one.
    Cas(Option<i64>, i64),
}

/// How an operation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// It was done.
    Ok,
    /// A cas found another value.
    Mismatch,
    /// It surely had no effect.
    Fail,
    /// It may have one, now or later.
    Unknown,
    /// It is what a machine holds when the run has ended.
    There,
}

/// What the clients of one store asked and were told, in order.
#[derive(Clone, PartialEq, Debug)]
pub struct StoreHistory {
    /// Writes of a key took effect in real time: a leader put them in order.
    pub ordered: bool,
    /// The store.
    pub store: String,
    /// When, and what.
    pub lines: Vec<(Time, Told)>,
    /// It was cut after so many lines.
    pub cut: bool,
}

/// One line of such a history, as files have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoreLine {
    /// Virtual time.
    pub time: Time,
    /// Who.
    pub process: i64,
    /// `invoke`, `ok`, `fail`, `info`.
    pub kind: &'static str,
    /// `read`, `write`, `delete`, `cas`.
    pub function: &'static str,
    /// Of which key.
    pub key: i64,
    /// What is asked, or answered.
    pub value: LineValue,
}

/// What a line carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineValue {
    /// Nothing, or that nothing is there.
    Nothing,
    /// A value.
    Number(i64),
    /// What a cas expects, and what it sets.
    Pair(Option<i64>, i64),
}

impl StoreHistory {
    /// Its lines, as files have them.
    pub fn each(&self) -> impl Iterator<Item = StoreLine> {
        self.lines.iter().map(|(time, told)| {
            let kind = match (told.what, crate::promise::stores::outcome(*told)) {
                (Asked::Begins, _) => "invoke",
                (_, Outcome::Ok) => "ok",
                (_, Outcome::Fail) => "fail",
                (_, Outcome::Info) => "info",
            };
            let (function, asked) = match told.operation {
                Operation::Read { .. } => ("read", LineValue::Nothing),
                Operation::Write { value, .. } => ("write", LineValue::Number(value as i64)),
                Operation::Delete { .. } => ("delete", LineValue::Nothing),
                Operation::Cas { expected, value, .. } => {
                    ("cas", LineValue::Pair(expected.map(|value| value as i64), value as i64))
                }
            };
            let value = match told.what {
                Asked::Hears(Answer::Value(found)) => {
                    found.map_or(LineValue::Nothing, |value| LineValue::Number(value as i64))
                }
                Asked::Hears(Answer::Done | Answer::Mismatch(_))
                | Asked::Begins
                | Asked::Fails
                | Asked::KnowsNothing => asked,
            };
            let (process, key) = (told.process as i64, told.operation.key() as i64);
            StoreLine { time: *time, process, kind, function, key, value }
        })
    }
}

impl Wish {
    /// The word of it: `read`, `write`, `delete`, `cas`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read(_) => "read",
            Self::Write(_) => "write",
            Self::Delete => "delete",
            Self::Cas(..) => "cas",
        }
    }
}

impl Ended {
    /// The word of it, as histories have it; what a cas was refused is a failure.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Mismatch => "mismatch",
            Self::Fail => "fail",
            Self::Unknown => "info",
            Self::There => "there",
        }
    }
}

impl StoreOperation {
    /// What it did to which key: `write 7 := 41`, `read 7 → 38`.
    pub fn deed(&self) -> String {
        let value = |value: Option<i64>| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
        let key = self.key;
        match self.wish {
            Wish::Read(Some(found)) => format!("read {key} → {}", value(found)),
            Wish::Read(None) => format!("read {key}"),
            Wish::Write(new) => format!("write {key} := {new}"),
            Wish::Delete => format!("delete {key}"),
            Wish::Cas(old, new) => format!("cas {key}: {} → {new}", value(old)),
        }
    }

    /// How it ended: `ok 00:10.912`, `outcome unknown`.
    pub fn ending(&self) -> String {
        let at = self.ended.map_or_else(String::new, |ended| format!(" {ended}"));
        match self.end {
            Ended::Ok => format!("ok{at}"),
            Ended::Mismatch => format!("refused{at}"),
            Ended::Fail => format!("failed{at}"),
            Ended::Unknown => "outcome unknown".to_owned(),
            Ended::There => "at the end".to_owned(),
        }
    }
}
