//! Topics: logs that are read, not emptied, in the way of a log broker.
//!
//! A topic has partitions; a key is always in the same one. A letter is appended, and confirmed, when its record is durable;
//! only then can anybody read it. The nodes of a group share the partitions, dealt out in turn once and for all. A node
//! reads a partition in batches, from the offset that its group has committed; after a crash it begins there again.
//! `Commit::After` commits a batch when all of it is done: at least once. `Commit::Before` waits until the commit is durable
//! and then begins: at most once.
//!
//! The broker knows nothing of who reads: a [`Fetch`](Message::Fetch) says from where, and is answered as soon as there is
//! something. So neither side forgets what the other needs, and whatever is lost is asked for again.
//!
//! Not here: replicas, rebalancing (a dead node's partitions wait for it), retention, transactions.

mod alone;
mod broker;
mod member;
mod wire;

#[cfg(test)]
mod tests;

pub use alone::{Cast, Order, Play, Reader, Role, Writer};
pub use broker::TopicBroker;
pub use member::Member;
pub use wire::{KINDS, Message, Output, Part, Record, Timer, owed};

use alloc::vec::Vec;

use kernel::{CellId, NodeId, PointId, SeriesId, Span, fold};

use super::wire::{Letter, Payload};

/// All topics of a scenario.
#[derive(Clone, Debug)]
pub struct Plan {
    /// By number.
    pub topics: Vec<TopicPlan>,
    /// By number.
    pub groups: Vec<GroupPlan>,
    /// How long a reader waits for an answer before it asks again.
    pub patience: Span,
    /// `broker.after_store_before_confirm`: durable, and the publisher does not know.
    pub after_store_before_confirm: Option<PointId>,
    /// A deliberate mistake, to show that a check catches it.
    pub mutant: Option<Mutant>,
}

/// A topic.
#[derive(Clone, Debug)]
pub struct TopicPlan {
    /// The machine it lives on.
    pub broker: NodeId,
    /// The number that its points bear.
    pub of: u32,
    /// How many logs it is; at least 1.
    pub partitions: u32,
    /// What is done with a letter that was published before.
    pub repeats: Repeats,
    /// Letters appended; row = partition. A crash leaves it as it is.
    pub published: Option<CellId>,
}

/// What is done with a letter that was published before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeats {
    /// It is appended again.
    Stored,
    /// It is confirmed again (an idempotent producer).
    Recognised,
}

/// Nodes that share the letters of a topic.
#[derive(Clone, Debug)]
pub struct GroupPlan {
    /// What they read.
    pub topic: u32,
    /// Who; partition p belongs to the node at p mod their number.
    pub nodes: Vec<NodeId>,
    /// When a batch is committed.
    pub commit: Commit,
    /// How many letters are read at once, at most; at least 1.
    pub batch: u32,
    /// Letters appended and not committed; row = partition. A crash leaves it as it is.
    pub lag: Option<CellId>,
    /// From appended to committed.
    pub age: Option<SeriesId>,
}

/// When a batch is committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Commit {
    /// When it is done.
    After,
    /// Before it is begun.
    Before,
}

/// A mistake, with the promise that must catch it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    /// A letter is confirmed before its record is durable. Caught by `no_loss`.
    ConfirmBeforeAppend,
    /// A batch is committed when it was read. Caught by `no_loss`.
    CommitWhenRead,
    /// Reading goes on at the end of what was read, not of what was committed, after a crash. Caught by `no_loss`.
    BeginAtTheEnd,
}

impl Mutant {
    /// All of them, with the name each has in a scenario and the promise that must catch it.
    pub const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::ConfirmBeforeAppend, "confirm_before_append", "no_loss"),
        (Self::CommitWhenRead, "commit_when_read", "no_loss"),
        (Self::BeginAtTheEnd, "begin_at_the_end", "no_loss"),
    ];

    /// The mutant of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.1 == name).map(|entry| entry.0)
    }
}

impl TopicPlan {
    /// The partition of a letter: that of its key; without one, that of its id.
    pub fn partition<P: Payload>(&self, letter: &Letter<P>) -> u32 {
        let mixed = letter.key.map_or(fold(1, letter.id), |key| fold(2, key));
        (mixed % u64::from(self.partitions)) as u32
    }
}

impl Plan {
    /// The partitions of a group that a node reads.
    pub fn partitions_of(&self, group: u32, node: NodeId) -> impl Iterator<Item = u32> {
        let rules = &self.groups[group as usize];
        let all = 0..self.topics[rules.topic as usize].partitions;
        all.filter(move |partition| rules.nodes[*partition as usize % rules.nodes.len()] == node)
    }

    fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn broker_of(&self, group: u32) -> NodeId {
        self.topics[self.groups[group as usize].topic as usize].broker
    }
}
