//! Replicated stores, and the steps that ask them.

use kernel::Span;

use super::{At, Disk, Dist, Otherwise, Row, Value};

/// `[stores.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Store {
    /// How its copies are kept alike.
    pub kind: StoreKind,
    /// Machines.
    pub nodes: u32,
    /// `ask_again`: after this without an answer a client asks another machine.
    pub ask_again: Option<Span>,
    /// `disk` of each node.
    pub disk: Disk,
    /// `clock.drift`, in parts per million, drawn for each node.
    pub drift: Dist,
    /// `clock.offset`, in nanoseconds, drawn for each node.
    pub offset: Dist,
    /// `zone`, or `zones`: dealt to its nodes in turn. Empty: in none.
    pub zones: Vec<At<String>>,
    /// `mutant`: a built-in wrong behaviour.
    pub mutant: Option<At<String>>,
    /// `external`.
    pub external: bool,
}

/// Kinds of stores.
#[derive(Clone, PartialEq, Debug)]
pub enum StoreKind {
    /// One machine, or a leader whose log the others copy.
    Log(LogStore),
    /// Copies that vote.
    Quorum(QuorumStore),
}

/// A store whose changes a leader puts in order.
#[derive(Clone, PartialEq, Debug)]
pub struct LogStore {
    /// Who stands for election first.
    pub leader: Option<At<u32>>,
    /// When a client is told that its change is done.
    pub acks: At<Acks>,
    /// Who answers a read.
    pub reads: At<Reads>,
    /// How often a leader is heard of.
    pub heartbeat: Span,
    /// After what silence a replica stands for election.
    pub election_timeout: Dist,
    /// An older term is refused.
    pub fencing: bool,
    /// After how many entries the log is cut.
    pub snapshot_every: u64,
    /// How long followers stand by their leader.
    pub lease: Span,
    /// Leases go by the clock that can be set.
    pub lease_by_wall: bool,
}

/// When a client is told that its change is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acks {
    /// The leader has it.
    Leader,
    /// More than half have it.
    Majority,
    /// All have it.
    All,
    /// So many have it.
    Count(u32),
}

/// Who answers a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// Whoever believes to lead.
    Leader,
    /// The leader, while its lease holds.
    Lease,
    /// The leader, confirmed by a majority.
    ReadIndex,
    /// By way of the log.
    Log,
    /// Any machine, when a majority has told it how far their logs go.
    Quorum,
    /// Each time another machine.
    Any,
    /// The client's own machine.
    Nearest,
    /// The machine that answered last.
    Sticky,
}

/// A store without order.
#[derive(Clone, PartialEq, Debug)]
pub struct QuorumStore {
    /// Copies of each key; `None`: as many as there are nodes.
    pub replicas: Option<At<u32>>,
    /// Copies a read waits for; `None`: more than half.
    pub read_quorum: Option<At<u32>>,
    /// Copies a write waits for; `None`: more than half.
    pub write_quorum: Option<At<u32>>,
    /// Reads mend what they find.
    pub read_repair: bool,
    /// Whom a client asks to coordinate: any, nearest or sticky.
    pub reads: At<Reads>,
}

/// A step that asks a replicated store.
#[derive(Clone, PartialEq, Debug)]
pub struct Consult {
    /// The store's name and place.
    pub store: At<String>,
    /// The whole row as written; its owner is the store.
    pub row: Row,
    /// What is wanted of it.
    pub wants: Wants,
    /// How long this may take.
    pub timeout: Option<Span>,
    /// `else`.
    pub otherwise: Otherwise,
}

/// What is wanted of a key.
#[derive(Clone, PartialEq, Debug)]
pub enum Wants {
    /// Its value.
    Read {
        /// The variable that it goes into.
        into: Option<At<String>>,
    },
    /// A new value.
    Write {
        /// Which.
        value: At<Value>,
    },
    /// No value.
    Delete,
    /// A new value if it has the expected one.
    Cas {
        /// `null` if it should have none.
        expected: At<Value>,
        /// Which.
        value: At<Value>,
    },
}

impl Wants {
    /// The verb's word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Read { .. } => "read",
            Self::Write { .. } => "write",
            Self::Delete => "delete",
            Self::Cas { .. } => "cas",
        }
    }
}
