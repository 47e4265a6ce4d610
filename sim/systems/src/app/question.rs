//! What the nodes of a service ask its database, and what it tells them.

use alloc::vec::Vec;

use kernel::{Digest, Route, fold};

use crate::database::{Adopted, Answer, Asked, Asker, Batch, Identity, Outcome, Owner, SagaKey};
use crate::expression::Value;
use crate::variables::Variables;

/// A question on its way to a database.
#[derive(Clone, PartialEq, Debug)]
pub struct Question {
    /// Who asks; `node` is filled in by whom it reaches.
    pub asker: Asker,
    /// What.
    pub ask: Ask,
}

/// What is asked.
#[derive(Clone, PartialEq, Debug)]
pub enum Ask {
    /// To run a script.
    Script {
        /// Which.
        script: u32,
        /// What else it wants.
        asked: Asked,
        /// The request's variables.
        variables: Variables,
    },
    /// To store an answer that no script stores.
    Remember {
        /// Of which request.
        identity: Identity,
        /// The answer.
        answer: Answer,
    },
    /// To begin a saga.
    Begin {
        /// Which.
        saga: SagaKey,
        /// Who drives it.
        owner: Owner,
        /// What it carries.
        variables: Variables,
    },
    /// To write records of a saga, all of them or none.
    Mark {
        /// Which.
        saga: SagaKey,
        /// Who drives it.
        owner: Owner,
        /// In which term.
        term: u32,
        /// The first and the last of them: what they say.
        marks: (u16, u16),
        /// Where the saga goes on after the last.
        position: u32,
        /// What it carries.
        variables: Variables,
    },
    /// To keep this owner's sagas, and to have those that nobody keeps.
    Renew {
        /// Who asks.
        owner: Owner,
    },
    /// For messages of the outbox.
    Fetch {
        /// The relay.
        owner: Owner,
        /// How many at most.
        most: u32,
        /// Not before there are some.
        waits: bool,
    },
    /// To free the rows that a saga keeps here: it is over.
    Free {
        /// Which.
        saga: SagaKey,
    },
    /// To take these messages out of the outbox.
    Relayed {
        /// Their numbers.
        numbers: Vec<u64>,
    },
}

/// What a database tells.
#[derive(Clone, PartialEq, Debug)]
pub struct Told {
    /// Whom.
    pub asker: Asker,
    /// What.
    pub tell: Tell,
}

/// The answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Tell {
    /// How a script went.
    Outcome(Outcome),
    /// A saga has begun now, or long ago.
    Begun {
        /// It was known before.
        known: bool,
    },
    /// A record of a saga is durable; or it was not written, because the saga is somebody else's by now.
    Marked {
        /// It was written.
        kept: bool,
    },
    /// Sagas that are the asker's, from now on or without its knowing.
    Adopted(Vec<Adopted>),
    /// Messages of the outbox.
    Batch(Batch),
    /// Messages are out of the outbox.
    Relayed {
        /// The last of them.
        last: u64,
    },
    /// The database has started again: whoever waits for it waits in vain.
    Restarted,
}

/// Bytes on the wire of a question or an answer, without the variables it carries.
const BYTES: u32 = 64;
const VALUE_BYTES: u32 = 8;

impl Question {
    /// Polls and signs of life do not keep a run from being at rest.
    pub fn background(&self) -> bool {
        match self.ask {
            Ask::Renew { .. } | Ask::Fetch { .. } => true,
            Ask::Script { .. }
            | Ask::Remember { .. }
            | Ask::Begin { .. }
            | Ask::Mark { .. }
            | Ask::Free { .. }
            | Ask::Relayed { .. } => false,
        }
    }

    /// Bytes on the wire.
    pub fn bytes(&self) -> u32 {
        let carried = match &self.ask {
            Ask::Script { variables, .. } | Ask::Begin { variables, .. } | Ask::Mark { variables, .. } => {
                variables.len()
            }
            Ask::Relayed { numbers } => numbers.len(),
            Ask::Remember { .. } | Ask::Renew { .. } | Ask::Fetch { .. } | Ask::Free { .. } => 0,
        };
        BYTES + VALUE_BYTES * carried as u32
    }

    /// What its draws are keyed by.
    pub fn route(&self) -> Route {
        Route { operation: self.asker.operation, hop: self.asker.hop }
    }
}

impl Told {
    /// See [`Question::background`].
    pub fn background(&self) -> bool {
        match &self.tell {
            Tell::Adopted(sagas) => sagas.is_empty(),
            Tell::Batch(_) | Tell::Restarted => true,
            Tell::Outcome(_) | Tell::Begun { .. } | Tell::Marked { .. } | Tell::Relayed { .. } => false,
        }
    }

    /// Bytes on the wire.
    pub fn bytes(&self) -> u32 {
        let carried = match &self.tell {
            Tell::Outcome(Outcome::Done(variables) | Outcome::Answered(Answer::Done(variables))) => variables.len(),
            Tell::Outcome(
                Outcome::Refused(_) | Outcome::Answered(Answer::Failed(_)) | Outcome::Known | Outcome::Locked,
            )
            | Tell::Begun { .. }
            | Tell::Marked { .. }
            | Tell::Relayed { .. }
            | Tell::Restarted => 0,
            Tell::Adopted(sagas) => sagas.iter().map(|(_, row)| row.variables.len()).sum(),
            Tell::Batch(batch) => batch.iter().map(|(_, letter)| letter.variables.len()).sum(),
        };
        BYTES + VALUE_BYTES * carried as u32
    }

    /// What its draws are keyed by.
    pub fn route(&self) -> Route {
        Route { operation: self.asker.operation, hop: fold(self.asker.hop, 1) }
    }
}

fn asker(asker: Asker) -> u64 {
    fold(fold(fold(asker.operation, asker.hop), u64::from(asker.frame)), asker.token)
}

fn value(value: Value) -> u64 {
    match value {
        Value::Null => 1,
        Value::Int(number) => fold(2, number as u64),
        Value::Bool(truth) => fold(3, u64::from(truth)),
        Value::Text(symbol) => fold(4, u64::from(symbol)),
    }
}

impl Digest for Answer {
    fn digest(&self) -> u64 {
        match self {
            Self::Done(variables) => variables.fold(1),
            Self::Failed(error) => fold(2, u64::from(*error)),
        }
    }
}

impl Digest for Question {
    fn digest(&self) -> u64 {
        let state = asker(self.asker);
        match &self.ask {
            Ask::Script { script, asked, variables } => {
                let state = fold(fold(state, 1), u64::from(*script) << 1 | u64::from(asked.stores));
                let state = if asked.effect == 0 { state } else { fold(state, u64::from(asked.effect)) };
                let state = asked.identity.map_or(state, |i| fold(fold(state, u64::from(i.op)), value(i.value)));
                let state = asked.receipt.map_or(state, |r| fold(fold(state, u64::from(r.consumer)), r.message));
                variables.fold(state)
            }
            Ask::Remember { identity, answer } => {
                fold(fold(fold(fold(state, 2), u64::from(identity.op)), value(identity.value)), answer.digest())
            }
            Ask::Begin { saga, owner, variables } => {
                variables.fold(fold(fold(fold(state, 3), saga.operation), owner.digest()))
            }
            Ask::Mark { saga, owner, term, marks, position, variables } => {
                let here = u64::from(marks.0) << 48 | u64::from(marks.1) << 32 | u64::from(*position);
                let driver = fold(owner.digest(), u64::from(*term));
                variables.fold(fold(fold(fold(fold(state, 4), saga.operation), driver), here))
            }
            Ask::Renew { owner } => fold(fold(state, 5), owner.digest()),
            Ask::Fetch { owner, most, waits } => {
                fold(fold(fold(state, 6), owner.digest()), u64::from(*most) << 1 | u64::from(*waits))
            }
            Ask::Free { saga } => fold(fold(state, 8), saga.operation),
            Ask::Relayed { numbers } => numbers.iter().fold(fold(state, 7), |state, number| fold(state, *number)),
        }
    }
}

impl Digest for Told {
    fn digest(&self) -> u64 {
        let state = asker(self.asker);
        match &self.tell {
            Tell::Outcome(Outcome::Done(variables)) => variables.fold(fold(state, 1)),
            Tell::Outcome(Outcome::Refused(refusal)) => {
                fold(fold(state, 2), u64::from(refusal.error) << 1 | u64::from(refusal.business))
            }
            Tell::Outcome(Outcome::Answered(answer)) => fold(fold(state, 3), answer.digest()),
            Tell::Outcome(Outcome::Known) => fold(state, 4),
            Tell::Outcome(Outcome::Locked) => fold(state, 11),
            Tell::Begun { known } => fold(fold(state, 5), u64::from(*known)),
            Tell::Marked { kept } => fold(fold(state, 6), u64::from(*kept)),
            Tell::Adopted(sagas) => sagas.iter().fold(fold(state, 7), |state, (saga, row)| {
                row.variables.fold(fold(fold(state, saga.operation), row.position.map_or(0, |p| u64::from(p) + 1)))
            }),
            Tell::Batch(batch) => batch.iter().fold(fold(state, 8), |state, (number, letter)| {
                letter.variables.fold(fold(fold(state, *number), letter.operation))
            }),
            Tell::Relayed { last } => fold(fold(state, 9), *last),
            Tell::Restarted => fold(state, 10),
        }
    }
}
