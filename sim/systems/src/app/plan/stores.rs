//! Replicated stores, and where in the program they are asked.

use kernel::{NodeId, SeriesId, Span};

use super::Otherwise;
use crate::database::Assignment;
use crate::expression::{Program, VariableId};
use crate::replication::{leader_follower, quorum};

/// A replicated store.
#[derive(Clone, Debug)]
pub struct StorePlan {
    /// Its first node; the others follow.
    pub first: NodeId,
    /// How many nodes.
    pub nodes: u32,
    /// How its copies are kept alike.
    pub keeping: Keeping,
    /// After this without an answer a client asks another machine; none: it waits until its own time is up.
    pub ask_again: Option<Span>,
    /// How long a client waits that was told by a machine that there is nobody to ask, or could not reach it.
    pub pause: Span,
    /// Clients remember the last value that they read of each key.
    pub remembered: bool,
}

/// How the copies of a store are kept alike.
#[derive(Clone, Debug)]
pub enum Keeping {
    /// By one log.
    Ordered(leader_follower::Plan),
    /// By quorums.
    Quorum(quorum::Plan),
}

/// Where in the program a store is asked.
#[derive(Clone, Debug)]
pub struct Access {
    /// Which store.
    pub store: u32,
    /// Which key: a whole number.
    pub key: Program,
    /// What is wanted.
    pub wants: Wants,
    /// What this client last read of the key goes there first, if the step names that.
    pub last_read: Option<VariableId>,
    /// How long this may take.
    pub timeout: Option<Span>,
    /// From the beginning of the step to its end.
    pub latency: SeriesId,
    /// What happens if it cannot be done.
    pub otherwise: Otherwise,
}

/// What is wanted of a key.
#[derive(Clone, Debug)]
pub enum Wants {
    /// Its value; it goes there.
    Read {
        /// Where it goes, if anybody wants to know.
        into: Option<VariableId>,
    },
    /// A new value.
    Write {
        /// Which.
        value: Assignment,
    },
    /// No value any more.
    Delete,
    /// A new value if it still has the expected one.
    Cas {
        /// Nothing: if it has none yet.
        expected: Assignment,
        /// Which.
        value: Assignment,
        /// The business error if it has another.
        mismatch: u16,
    },
}

impl Keeping {
    /// The machines, in their order.
    pub fn nodes(&self) -> &[NodeId] {
        match self {
            Self::Ordered(plan) => &plan.replicas,
            Self::Quorum(plan) => &plan.nodes,
        }
    }
}
