//! Facts of a protocol, for judges: who voted, decided, applied, crashed. Plain numbers; a judge knows no system.

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
}
