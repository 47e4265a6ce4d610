//! What the log holds: one record per commit.

use alloc::vec::Vec;

use kernel::{Digest, Time, fold};

use super::sagas::{Owner, SagaKey};
use super::table::{Row, code};
use crate::expression::Value;
use crate::variables::Variables;

/// What makes a request the same as an earlier one: the op, the value that identifies it (by default the root request),
/// and the step of a saga that asks, if one does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Identity {
    /// The op or consumer.
    pub op: u32,
    /// Which request.
    pub value: Value,
    /// Which of a saga's steps, from 1; else 0.
    pub step: u32,
}

/// A message that had its effect: whose consumer, and which message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Receipt {
    /// The consumer.
    pub consumer: u32,
    /// The message.
    pub message: u64,
}

/// The stored answer of an idempotent request: only what is final is stored.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// It was done, with this result.
    Done(Variables),
    /// It failed for good, with this business error.
    Failed(u16),
}

/// A row becomes this, or goes.
#[derive(Clone, PartialEq, Debug)]
pub struct Write {
    /// Which table.
    pub table: u16,
    /// Which row.
    pub key: i64,
    /// What it is now.
    pub row: Option<Row>,
}

/// A message that waits for the relay.
#[derive(Clone, PartialEq, Debug)]
pub struct Outgoing {
    /// Where to.
    pub to: u16,
    /// What orders it.
    pub key: Value,
    /// Its type or routing key.
    pub kind: Option<u32>,
    /// The root request that caused it.
    pub operation: u64,
    /// What it carries.
    pub variables: Variables,
    /// When it was written.
    pub since: Time,
}

/// A record of a saga.
#[derive(Clone, PartialEq, Debug)]
pub enum SagaEntry {
    /// It began.
    Begun {
        /// Which.
        saga: SagaKey,
        /// Who drives it.
        owner: Owner,
        /// What it carries.
        variables: Variables,
        /// When.
        since: Time,
    },
    /// It has come here: this is where it goes on if somebody else takes over.
    At {
        /// Which.
        saga: SagaKey,
        /// What the record says, as the program's marks are numbered.
        mark: u16,
        /// An instruction.
        position: u32,
        /// What it carries now.
        variables: Variables,
    },
    /// Somebody else drives it now.
    Owned {
        /// Which.
        saga: SagaKey,
        /// Who.
        owner: Owner,
    },
    /// It is over.
    Ended {
        /// Which.
        saga: SagaKey,
        /// How, as the program's marks are numbered.
        mark: u16,
        /// When it had begun.
        since: Time,
    },
    /// A choreographed one began.
    Started {
        /// Which.
        saga: SagaKey,
        /// When.
        since: Time,
    },
    /// A step of it was done, undone, or has failed.
    Step {
        /// Which saga.
        saga: SagaKey,
        /// What, as `DatabasePlan::effects` numbers it.
        effect: u32,
    },
    /// Its end is decided.
    Left {
        /// Which saga.
        saga: SagaKey,
        /// It is complete, else it is undone.
        completed: bool,
        /// The steps to be undone first, a bit for each.
        due: u64,
    },
    /// Its home knows that a step was undone.
    Undone {
        /// Which saga.
        saga: SagaKey,
        /// Which step.
        step: u32,
    },
    /// It is over.
    Over {
        /// Which saga.
        saga: SagaKey,
        /// It is complete, else it is undone.
        completed: bool,
        /// When it had begun.
        since: Time,
    },
    /// Nobody goes on with it.
    GivenUp {
        /// Which saga.
        saga: SagaKey,
    },
    /// It keeps a row to itself.
    Marked {
        /// Which saga.
        saga: SagaKey,
        /// Where the row is,
        table: u16,
        /// and which it is.
        key: i64,
    },
    /// It keeps no row to itself any more: it is over.
    Freed {
        /// Which saga.
        saga: SagaKey,
    },
}

/// All that becomes durable at one instant.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Commit {
    /// Rows.
    pub writes: Vec<Write>,
    /// The answer of an idempotent request.
    pub answer: Option<(Identity, Answer)>,
    /// The message whose effect this is.
    pub receipt: Option<Receipt>,
    /// Messages for the relay.
    pub letters: Vec<Outgoing>,
    /// Messages that the relay has handed over, by number.
    pub relayed: Vec<u64>,
    /// Sagas.
    pub sagas: Vec<SagaEntry>,
}

impl Commit {
    /// Nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
            && self.answer.is_none()
            && self.receipt.is_none()
            && self.letters.is_empty()
            && self.relayed.is_empty()
            && self.sagas.is_empty()
    }
}

/// Bytes of what a record says of each thing in it.
const ENTRY_BYTES: usize = 24;
const VALUE_BYTES: usize = 8;

impl kernel::Record for Commit {
    fn bytes(&self) -> u32 {
        let rows: usize =
            self.writes.iter().map(|w| ENTRY_BYTES + w.row.as_ref().map_or(0, |r| VALUE_BYTES * r.values.len())).sum();
        let letters: usize = self.letters.iter().map(|l| ENTRY_BYTES + VALUE_BYTES * l.variables.len()).sum();
        let answer = if self.answer.is_some() { ENTRY_BYTES } else { 0 };
        let receipt = if self.receipt.is_some() { ENTRY_BYTES } else { 0 };
        let others = VALUE_BYTES * self.relayed.len() + ENTRY_BYTES * self.sagas.len();
        (ENTRY_BYTES + rows + letters + answer + receipt + others) as u32
    }
}

impl Digest for Commit {
    fn digest(&self) -> u64 {
        let mut state = 7;
        for write in &self.writes {
            state = fold(fold(state, u64::from(write.table)), write.key as u64);
            let values = write.row.iter().flat_map(|row| row.values.iter());
            state = values.fold(state, |state, value| fold(state, code(*value) as u64));
        }
        if let Some((identity, answer)) = &self.answer {
            state =
                fold(fold(state, u64::from(identity.op) << 32 | u64::from(identity.step)), code(identity.value) as u64);
            state = match answer {
                Answer::Done(variables) => variables.fold(state),
                Answer::Failed(error) => fold(state, u64::from(*error) << 1 | 1),
            };
        }
        if let Some(receipt) = self.receipt {
            state = fold(fold(state, u64::from(receipt.consumer)), receipt.message);
        }
        for letter in &self.letters {
            state = letter.variables.fold(fold(fold(state, letter.operation), u64::from(letter.to)));
        }
        state = self.relayed.iter().fold(state, |state, number| fold(state, *number));
        self.sagas.iter().fold(state, |state, entry| fold(state, entry.digest()))
    }
}

impl Digest for SagaEntry {
    fn digest(&self) -> u64 {
        match self {
            Self::Begun { saga, owner, variables, since: _ } => {
                variables.fold(fold(fold(11, saga.operation), owner.digest()))
            }
            Self::At { saga, mark, position, variables } => {
                let here = u64::from(*mark) << 32 | u64::from(*position);
                variables.fold(fold(fold(12, saga.operation), here))
            }
            Self::Owned { saga, owner } => fold(fold(13, saga.operation), owner.digest()),
            Self::Ended { saga, mark, since: _ } => fold(fold(14, saga.operation), u64::from(*mark)),
            Self::Started { saga, since: _ } => fold(15, saga.operation),
            Self::Step { saga, effect } => fold(fold(16, saga.operation), u64::from(*effect)),
            Self::Left { saga, completed, due } => fold(fold(fold(17, saga.operation), u64::from(*completed)), *due),
            Self::Undone { saga, step } => fold(fold(18, saga.operation), u64::from(*step)),
            Self::Over { saga, completed, since: _ } => fold(fold(19, saga.operation), u64::from(*completed)),
            Self::GivenUp { saga } => fold(20, saga.operation),
            Self::Marked { saga, table, key } => fold(fold(fold(21, saga.operation), u64::from(*table)), *key as u64),
            Self::Freed { saga } => fold(22, saga.operation),
        }
    }
}
