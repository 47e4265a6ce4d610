//! Facts of a protocol, for judges: who voted, decided, applied, crashed; what a saga began, did and undid. Plain
//! numbers; a judge knows no system.
//!
//! A fact may be stated again after a restart: a judge takes the same fact twice without complaint.

use crate::observe::CellId;
use crate::process::NodeId;
use crate::time::Time;

/// One thing that certainly happened, as the judges of crate `checkers` read it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fact {
    /// When.
    pub time: Time,
    /// On which machine.
    pub node: NodeId,
    /// The protocol (a transaction or saga of the scenario) it belongs to.
    pub protocol: u32,
    /// The instance, such as the transaction's number; 0 for facts about the machine itself.
    pub instance: u64,
    /// What.
    pub kind: FactKind,
}

/// What a fact says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FactKind {
    /// The coordinator began the instance, with this many participants.
    Begun {
        /// How many participants were asked.
        participants: u32,
    },
    /// A participant's vote became binding (durable and on its way).
    Voted {
        /// Ready to commit.
        yes: bool,
    },
    /// A participant that only read is content with either decision and takes no part in the second phase.
    VotedReadOnly,
    /// The coordinator's decision became binding.
    Decided {
        /// Commit, else abort.
        commit: bool,
    },
    /// A participant made the decision its own: durable and, if it is a commit, visible.
    Applied {
        /// Commit, else abort.
        commit: bool,
    },
    /// The client was told.
    Told {
        /// Committed, else aborted.
        commit: bool,
    },
    /// The machine lost its memory.
    Crashed,
    /// The machine is back and has read its log.
    Recovered,
    /// Something of a saga.
    Saga(SagaFact),
    /// The machine leads from now on, in a term that nobody else leads in: so it believes.
    Leads {
        /// Which term.
        term: u64,
    },
    /// It leads no more.
    StoodDown,
}

/// What a fact says of a saga: the fact's protocol is the saga, its instance the saga's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SagaFact {
    /// It began. Its steps up to completion are 0 … steps − 1, in their order; what has a larger number (`on_abort`,
    /// the steps of a choreographed saga that say it is off) belongs to the undoing and is not judged.
    Begun {
        /// How many steps must be done for it to be complete.
        steps: u32,
    },
    /// This node is its owner from now on.
    Owner {
        /// Counts the owners of this instance, from 0.
        incarnation: u32,
    },
    /// The action of a step is about to be sent: its intent is durable.
    Intent {
        /// Which step.
        step: u32,
    },
    /// The action of a step is done.
    Done {
        /// Which step.
        step: u32,
    },
    /// The action of a step failed.
    Failed {
        /// Which step.
        step: u32,
        /// It is known to have had no effect; else it may have one, or get it late.
        certain: bool,
    },
    /// From now on it only goes forward: the intent of its pivot is durable, or, without a coordinator, its action
    /// is done.
    Pivot,
    /// The compensation of a step is about to be sent.
    Compensating {
        /// Which step.
        step: u32,
    },
    /// The compensation of a step is done.
    Compensated {
        /// Which step.
        step: u32,
    },
    /// It is over.
    Ended {
        /// All of its steps are done; else it was undone.
        completed: bool,
    },
    /// It gave up half way, a compensation having failed for good: nobody goes on with it.
    Stuck,
    /// A committed step looked at or changed a row that sagas of this protocol keep to themselves.
    Touched {
        /// The row's item: its counter, or the presence of its rows.
        cell: CellId,
        /// The row.
        key: u64,
        /// It was changed.
        write: bool,
        /// In the name of an instance of this saga: the fact's instance. Else that is the request it was done for.
        own: bool,
    },
}
