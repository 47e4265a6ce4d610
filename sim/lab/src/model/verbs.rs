//! What all verbs have in common: rows, expressions, values, steps within.

use super::{
    At, Call, Change, Consult, Delete, Fields, Insert, Message, Otherwise, Publish, Read, Row, Scan, Step, Update,
    Upsert, Value, Verb, Wants,
};

impl Verb {
    /// Its word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Work(_) => "work",
            Self::Sleep(_) => "sleep",
            Self::Call(_) => "call",
            Self::Fail(_) => "fail",
            Self::Reply(_) => "reply",
            Self::When { .. } => "when",
            Self::Repeat { .. } => "repeat",
            Self::Transaction { .. } => "transaction",
            Self::Insert(_) => "insert",
            Self::Update(_) => "update",
            Self::Upsert(_) => "upsert",
            Self::Delete(_) => "delete",
            Self::Read(_) => "read",
            Self::Scan(_) => "scan",
            Self::Write { .. } => "write",
            Self::Append { .. } => "append",
            Self::Remove { .. } => "remove",
            Self::Consult(consult) => consult.wants.word(),
            Self::Publish(_) => "publish",
            Self::Outbox(_) => "outbox",
        }
    }

    /// The row it reads or changes.
    pub const fn row(&self) -> Option<&Row> {
        let (Self::Insert(Insert { row, .. })
        | Self::Update(Update { row, .. })
        | Self::Upsert(Upsert { row, .. })
        | Self::Delete(Delete { row, .. })
        | Self::Read(Read { row, .. })
        | Self::Write { row, .. }
        | Self::Append { row, .. }
        | Self::Remove { row, .. }) = self
        else {
            return None;
        };
        Some(row)
    }

    /// What its `else` says, if it can have one.
    pub const fn otherwise(&self) -> Option<&Otherwise> {
        let (Self::Call(Call { otherwise, .. })
        | Self::Transaction { otherwise, .. }
        | Self::Insert(Insert { otherwise, .. })
        | Self::Update(Update { otherwise, .. })
        | Self::Upsert(Upsert { otherwise, .. })
        | Self::Delete(Delete { otherwise, .. })
        | Self::Remove { otherwise, .. }
        | Self::Consult(Consult { otherwise, .. })
        | Self::Publish(Publish { otherwise, .. })) = self
        else {
            return None;
        };
        Some(otherwise)
    }

    /// The message it sends.
    pub const fn message(&self) -> Option<&Message> {
        let (Self::Publish(Publish { message, .. }) | Self::Outbox(message)) = self else { return None };
        Some(message)
    }

    /// The variable it sets: `into`.
    pub const fn into_variable(&self) -> Option<&At<String>> {
        let (Self::Call(Call { into, .. })
        | Self::Update(Update { into, .. })
        | Self::Read(Read { into, .. })
        | Self::Consult(Consult { wants: Wants::Read { into }, .. })
        | Self::Scan(Scan { into, .. })) = self
        else {
            return None;
        };
        into.as_ref()
    }

    /// The steps within it: what may come next, in the order of the file.
    pub fn within(&self) -> Vec<&[Step]> {
        let mut within: Vec<&[Step]> = match self {
            Self::When { then, otherwise, .. } => vec![then, otherwise],
            Self::Repeat { steps, .. } | Self::Transaction { steps, .. } => vec![steps],
            Self::Work(_)
            | Self::Sleep(_)
            | Self::Call(_)
            | Self::Fail(_)
            | Self::Reply(_)
            | Self::Insert(_)
            | Self::Update(_)
            | Self::Upsert(_)
            | Self::Delete(_)
            | Self::Read(_)
            | Self::Scan(_)
            | Self::Write { .. }
            | Self::Append { .. }
            | Self::Remove { .. }
            | Self::Consult(_)
            | Self::Publish(_)
            | Self::Outbox(_) => Vec::new(),
        };
        if let Some(Otherwise::Steps(steps)) = self.otherwise() {
            within.push(steps);
        }
        within
    }

    /// Its own expressions, without those of the steps within it.
    pub fn expressions(&self) -> Vec<&At<String>> {
        let mut found: Vec<&At<String>> = self.row().map(|row| &row.key).into_iter().collect();
        match self {
            Self::When { condition, .. } => found.push(condition),
            Self::Consult(consult) => found.push(&consult.row.key),
            Self::Update(update) => {
                match &update.change {
                    Change::Add(text) | Change::Set(text) => found.push(text),
                    Change::Fields(_) => {}
                }
                found.extend(&update.guard);
            }
            Self::Upsert(Upsert { guard, .. })
            | Self::Delete(Delete { guard, .. })
            | Self::Scan(Scan { guard, .. }) => {
                found.extend(guard);
            }
            Self::Work(_)
            | Self::Sleep(_)
            | Self::Call(_)
            | Self::Fail(_)
            | Self::Reply(_)
            | Self::Repeat { .. }
            | Self::Transaction { .. }
            | Self::Insert(_)
            | Self::Read(_)
            | Self::Write { .. }
            | Self::Append { .. }
            | Self::Remove { .. }
            | Self::Publish(_)
            | Self::Outbox(_) => {}
        }
        found
    }

    /// Its own values, without those of the steps within it.
    pub fn values(&self) -> Vec<&At<Value>> {
        match self {
            Self::Call(call) => all(&call.with),
            Self::Insert(Insert { set, .. }) | Self::Upsert(Upsert { set, .. }) => all(set),
            Self::Update(Update { change: Change::Fields(set), .. }) => all(set),
            Self::Write { value, .. }
            | Self::Append { value, .. }
            | Self::Remove { value, .. }
            | Self::Reply(value) => {
                vec![value]
            }
            Self::Consult(consult) => match &consult.wants {
                Wants::Read { .. } | Wants::Delete => Vec::new(),
                Wants::Write { value } => vec![value],
                Wants::Cas { expected, value } => vec![expected, value],
            },
            Self::Publish(publish) => publish.message.values(),
            Self::Outbox(message) => message.values(),
            Self::Work(_)
            | Self::Sleep(_)
            | Self::Fail(_)
            | Self::When { .. }
            | Self::Repeat { .. }
            | Self::Transaction { .. }
            | Self::Update(_)
            | Self::Delete(_)
            | Self::Read(_)
            | Self::Scan(_) => Vec::new(),
        }
    }
}

/// These steps and all steps within them.
pub fn all_steps(steps: &[Step]) -> Vec<&Step> {
    let mut found = Vec::new();
    let mut open: Vec<&Step> = steps.iter().rev().collect();
    while let Some(step) = open.pop() {
        found.push(step);
        open.extend(step.verb.within().into_iter().rev().flat_map(|steps| steps.iter().rev()));
    }
    found
}

impl Message {
    fn values(&self) -> Vec<&At<Value>> {
        self.key.iter().chain(&self.kind).chain(all(&self.with)).collect()
    }
}

fn all(fields: &Fields) -> Vec<&At<Value>> {
    fields.iter().map(|(_, value)| value).collect()
}
