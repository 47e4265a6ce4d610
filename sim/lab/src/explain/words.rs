//! What messages, changes, facts and timers are called in a story.

use kernel::{FactKind, NULL, NodeId, SagaFact};
use systems::messaging::{Destination, Settlement, Verdict};
use systems::replication::keys::{Answer, Operation};

use super::alarm::Alarm;
use super::tale::{Says, Went};
use super::trace::Change;
use crate::expression::Type;
use crate::facts::told;
use crate::model::Model;
use crate::names::{ItemKind, Names};

/// Who knows what everything is called.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) names: &'a Names,
    pub(super) model: &'a Model,
}

impl Words<'_> {
    pub(super) fn node(&self, node: NodeId) -> &str {
        self.names.node(node)
    }

    fn queue(&self, number: u32) -> &str {
        self.model.queues.get(number as usize).map_or("a queue", |(name, _)| &name.value)
    }

    fn place(&self, to: Destination) -> &str {
        match to {
            Destination::Queue(number) => self.queue(number),
            Destination::Exchange(number) => {
                self.model.exchanges.get(number as usize).map_or("an exchange", |(name, _)| &name.value)
            }
        }
    }

    pub(super) fn error(&self, number: u16) -> &str {
        self.names.errors.get(usize::from(number)).map_or("failed", String::as_str)
    }

    fn saga(&self, number: u16) -> &str {
        self.model.sagas.get(usize::from(number)).map_or("the saga", |(name, _)| &name.value)
    }

    /// For whom something is done: ` for operation shoppers/2148`.
    pub(super) fn operation(&self, operation: u64) -> String {
        let workload = self.model.workloads.get((operation >> 40) as usize).filter(|_| operation != 0);
        workload.map_or_else(String::new, |(name, _)| {
            format!(" for operation {}/{}", name.value, systems::app::clients::number_of(operation))
        })
    }

    /// A message, as one that is sent.
    pub(super) fn says(&self, says: Says) -> String {
        match says {
            Says::Request { op, undoes } => {
                let name = self.names.ops.get(op as usize).map_or("a request", String::as_str);
                if undoes { format!("to undo: {name}") } else { name.to_owned() }
            }
            Says::Reply(Went::Well) => "ok".to_owned(),
            Says::Reply(Went::Failed(error)) | Says::Data(Went::Failed(error)) => self.error(error).to_owned(),
            Says::Script => "rows".to_owned(),
            Says::Remember => "remember the answer".to_owned(),
            Says::BeginSaga(saga) => format!("begin {}", self.saga(saga)),
            Says::MarkSaga(saga) => format!("how far {} is", self.saga(saga)),
            Says::FreeRows => "free the saga's rows".to_owned(),
            Says::Outbox => "the outbox".to_owned(),
            Says::Renew => "I am here".to_owned(),
            Says::Data(Went::Well) => "done".to_owned(),
            Says::Known => "known already".to_owned(),
            Says::Locked => "a saga keeps the row".to_owned(),
            Says::DataNews(news) => news.to_owned(),
            Says::Prepare => "prepare".to_owned(),
            Says::Vote(Some(true)) => "yes".to_owned(),
            Says::Vote(Some(false)) => "no".to_owned(),
            Says::Vote(None) => "has only read".to_owned(),
            Says::Decision { commit: true } => "commit".to_owned(),
            Says::Decision { commit: false } => "abort".to_owned(),
            Says::Acknowledge => "acknowledged".to_owned(),
            Says::InDoubt => "how did it end?".to_owned(),
            Says::PeerKnows { commit } => if commit { "it committed" } else { "it aborted" }.to_owned(),
            Says::Begin => "begin".to_owned(),
            Says::Publish(to) => format!("publish to {}", self.place(to)),
            Says::PublishTopic(topic) => {
                let name = self.model.topics.get(topic as usize).map_or("a topic", |(name, _)| &name.value);
                format!("publish to {name}")
            }
            Says::Published(Some(Verdict::Stored) | None) => "stored".to_owned(),
            Says::Published(Some(Verdict::Unroutable)) => "nobody wants it".to_owned(),
            Says::Published(Some(Verdict::Refused)) => "refused: no room".to_owned(),
            Says::Deliver { queue, nth: 0 | 1 } => format!("deliver from {}", self.queue(queue)),
            Says::Deliver { queue, nth } => format!("deliver from {} for the {nth}th time", self.queue(queue)),
            Says::Settle { how: Settlement::Ack, .. } => "acknowledged".to_owned(),
            Says::Settle { how: Settlement::Requeue, .. } => "put back".to_owned(),
            Says::Settle { how: Settlement::Reject, .. } => "rejected".to_owned(),
            Says::Fetched { letters } => format!("{letters} letters"),
            Says::StoreAsk(operation) => asked(operation),
            Says::StoreAnswer(Answer::Value(value)) => format!("→ {}", some(value)),
            Says::StoreAnswer(Answer::Done) => "ok".to_owned(),
            Says::StoreAnswer(Answer::Mismatch(found)) => format!("refused: it is {}", some(found)),
            Says::Elsewhere(Some(leader)) => format!("not here: ask {}", self.node(leader)),
            Says::Elsewhere(None) => "not here".to_owned(),
            Says::Elect { term } => format!("elect me in term {term}"),
            Says::ElectVote { granted: true, term } => format!("yes, in term {term}"),
            Says::ElectVote { granted: false, term } => format!("no, in term {term}"),
            Says::Append { term, entries: 0 } => format!("heartbeat, term {term}"),
            Says::Append { term, entries: 1 } => format!("append 1 entry, term {term}"),
            Says::Append { term, entries } => format!("append {entries} entries, term {term}"),
            Says::Copied { refused: true, term } => format!("refused: there is term {term}"),
            Says::Copied { .. } => "copied".to_owned(),
            Says::QuorumRow(value) => format!("→ {}", some(value)),
            Says::Put { key, value } => format!("keep {key} := {}", some(value)),
            Says::Get { key } => format!("what is {key}?"),
            Says::Own(kind) => self.names.kinds.get(usize::from(kind)).map_or("a message", String::as_str).to_owned(),
            Says::Other => "a message".to_owned(),
        }
    }

    /// Rows that were changed, each as it is now.
    pub(super) fn change(&self, changes: &[Change]) -> Vec<String> {
        let mut lines = Vec::new();
        for item in &self.names.items {
            let path = &item.path;
            let of = |cell| changes.iter().filter(move |change: &&Change| change.cell == cell);
            match &item.kind {
                ItemKind::Counter { cell } => {
                    lines.extend(of(*cell).map(|change| match self.names.cells[cell.0 as usize].keys {
                        1 => format!("{path}: {} → {}", change.before, change.after),
                        _ => format!("{path}[{}]: {} → {}", change.key, change.before, change.after),
                    }));
                }
                ItemKind::List { size } => {
                    lines.extend(of(*size).map(|change| format!("size({path}): {} → {}", change.before, change.after)));
                }
                ItemKind::Map { present, fields, .. } => {
                    let cells: Vec<_> =
                        std::iter::once(*present).chain(fields.iter().map(|field| field.cell)).collect();
                    let mut keys: Vec<u64> =
                        changes.iter().filter(|change| cells.contains(&change.cell)).map(|change| change.key).collect();
                    keys.sort_unstable();
                    keys.dedup();
                    for key in keys {
                        let there = of(*present).find(|change| change.key == key);
                        let set: Vec<String> = fields
                            .iter()
                            .filter_map(|field| {
                                let change = of(field.cell).find(|change| change.key == key)?;
                                let value = self.value(change.after, field.sort)?;
                                Some(format!("{} = {value}", field.name))
                            })
                            .collect();
                        let set = set.join(", ");
                        lines.push(match there.map(|change| (change.before, change.after)) {
                            Some((0, 1)) if set.is_empty() => format!("{path}[{key}] is new"),
                            Some((0, 1)) => format!("{path}[{key}] is new: {set}"),
                            Some((_, 0)) => format!("{path}[{key}] is gone"),
                            Some(_) | None => format!("{path}[{key}]: {set}"),
                        });
                    }
                }
            }
        }
        lines
    }

    fn value(&self, coded: i64, sort: Type) -> Option<String> {
        if coded == NULL {
            return None;
        }
        Some(match sort {
            Type::Bool => (coded != 0).to_string(),
            Type::Text => format!("'{}'", self.names.texts.get(coded as usize).map_or("?", String::as_str)),
            Type::Duration => kernel::Span(coded.max(0) as u64).to_string(),
            Type::Int => coded.to_string(),
        })
    }

    /// What a fact says, if it is worth a line.
    pub(super) fn fact(&self, protocol: u32, kind: FactKind) -> Option<String> {
        let steps = self.names.steps.get(protocol as usize);
        let step = |step: u32| {
            let name = steps.and_then(|steps| steps.get(step as usize)).cloned();
            name.unwrap_or_else(|| format!("step {}", step + 1))
        };
        match kind {
            // The story shows these by other lines.
            FactKind::Crashed
            | FactKind::Recovered
            | FactKind::Saga(SagaFact::Owner { incarnation: 0 } | SagaFact::Intent { .. } | SagaFact::Touched { .. }) => {
                None
            }
            FactKind::Begun { .. }
            | FactKind::Voted { .. }
            | FactKind::VotedReadOnly
            | FactKind::Decided { .. }
            | FactKind::Applied { .. }
            | FactKind::Told { .. }
            | FactKind::Leads { .. }
            | FactKind::StoodDown
            | FactKind::Saga(_) => Some(told(kind, &step)),
        }
    }

    /// What a timer means that somebody waited for in vain.
    pub(super) fn alarm(alarm: Alarm) -> &'static str {
        match alarm {
            Alarm::Timeout => "stops waiting: timeout",
            Alarm::Retry => "tries again",
            Alarm::VotesLate => "has waited long enough for votes",
            Alarm::AcksLate => "says its decision again",
            Alarm::LockLate => "has waited long enough for a lock",
            Alarm::DecisionLate => "is in doubt: no decision has come",
            Alarm::StoreLate => "asks another machine",
            Alarm::StoreSilent => "stops waiting: no machine answers",
            Alarm::Unconfirmed => "publishes again: not confirmed",
            Alarm::Unsettled => "takes the message back: not acknowledged in time",
        }
    }
}

/// What is asked of a store.
pub(super) fn asked(operation: Operation) -> String {
    match operation {
        Operation::Read { key } => format!("read {key}"),
        Operation::Write { key, value } => format!("write {key} := {value}"),
        Operation::Delete { key } => format!("delete {key}"),
        Operation::Cas { key, expected, value } => format!("cas {key}: {} → {value}", some(expected)),
    }
}

fn some(value: Option<u64>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}
