//! What executing the log gives: a value per key, and per session the last request that was executed.

use alloc::collections::BTreeMap;

use kernel::{Digest, fold};

use crate::replication::keys::{Answer, Operation, Request, Session, optional};

/// The state after some entry of the log.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct State {
    values: BTreeMap<u64, u64>,
    sessions: BTreeMap<Session, Executed>,
}

/// The last request of a session that was executed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Executed {
    pub(super) number: u64,
    pub(super) answer: Answer,
    /// The entry it was.
    pub(super) index: u64,
}

impl State {
    /// The value of a key.
    pub fn value(&self, key: u64) -> Option<u64> {
        self.values.get(&key).copied()
    }

    /// The keys that have a value, with it.
    pub fn values(&self) -> impl Iterator<Item = (u64, u64)> {
        self.values.iter().map(|(key, value)| (*key, *value))
    }

    pub(super) fn executed(&self, session: Session) -> Option<Executed> {
        self.sessions.get(&session).copied()
    }

    /// Executes the request of entry `index`, once: the numbers of a session grow, and it has one request at a time.
    pub(super) fn execute(&mut self, index: u64, request: Request) {
        let Request { session, number, operation } = request;
        if self.sessions.get(&session).is_some_and(|last| last.number >= number) {
            return;
        }
        let has = self.value(operation.key());
        let answer = match operation {
            Operation::Read { .. } => Answer::Value(has),
            Operation::Write { key, value } => {
                self.values.insert(key, value);
                Answer::Done
            }
            Operation::Delete { key } => {
                self.values.remove(&key);
                Answer::Done
            }
            Operation::Cas { key, expected, value } if expected == has => {
                self.values.insert(key, value);
                Answer::Done
            }
            Operation::Cas { .. } => Answer::Mismatch(has),
        };
        self.sessions.insert(session, Executed { number, answer, index });
    }

    /// Without memory of what was executed: for a mutant.
    pub(super) fn forgetful(&self) -> Self {
        Self { values: self.values.clone(), sessions: BTreeMap::new() }
    }

    pub(super) fn bytes(&self) -> u32 {
        16 * self.values.len() as u32 + 32 * self.sessions.len() as u32
    }
}

impl Digest for State {
    fn digest(&self) -> u64 {
        let values = self.values.iter().fold(1, |state, (key, value)| optional(fold(state, *key), Some(*value)));
        self.sessions.iter().fold(values, |state, (session, last)| {
            fold(fold(fold(state, session.digest()), last.number), last.answer.digest())
        })
    }
}
