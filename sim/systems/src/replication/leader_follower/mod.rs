//! A store of kind `leader_follower`: one leader orders all changes in a log, followers copy it, and a majority elects
//! another leader when the heartbeats stop. The algorithm is Raft (D. Ongaro, J. Ousterhout, "In Search of an Understandable
//! Consensus Algorithm", 2014, figure 2; snapshots: §7; clients and read index: §8; leases: Ongaro's thesis, 2014, §6.4.1).
//!
//! **What is written, and when** (forced = the answer that rests on it waits for it):
//!
//! | | record | rests on it |
//! |---|---|---|
//! | a higher term is heard of | `Promise { term, vote: none }` | every later answer in that term |
//! | stands for election | `Promise { term, vote: itself }`, forced | its own vote, and asking for others |
//! | votes | `Promise { term, vote }`, forced | the vote |
//! | a leader takes a request | `Entry` | its own copy counts; copies travel to followers meanwhile |
//! | a follower takes entries | `Entry`, forced | "I have it up to here" |
//! | a follower takes a snapshot | `Snapshot`, forced | the same |
//! | the log has grown by `snapshot_every` | `Snapshot` | – |
//!
//! An `Entry` takes the place of everything the log had from its index on, so cutting off a tail is no record of its own.
//! A restarted replica reads promise, snapshot and entries; how much of it is agreed upon it learns from the leader. The
//! disk keeps the old records: a snapshot bounds what a replica must keep in memory and send, not what the disk holds.
//!
//! **Who does what.** A *follower* that hears of no leader for `election_timeout` (drawn anew each time) stands for
//! election in a new term; a *candidate* asks again every heartbeat until it has a majority, hears of a leader, or its time
//! is up. A *leader* begins its term with an empty entry, sends what each follower lacks, and a heartbeat where nothing is
//! lacking. An entry is *agreed* when a majority has it durably and it is of the leader's own term; older ones become agreed
//! with it (§5.4.2). A vote goes only to whoever has all that the voter has.
//!
//! **[`Acks`]** say when a client is told that its change is done: when so many replicas have it durably. Fewer than a
//! majority: the leader executes it before it is agreed (asynchronous and semi-synchronous replication), and a change whose
//! client was told can be lost with the leader; a leader that steps down takes back what was not agreed. A majority: nothing
//! that was told is lost while a majority of disks survives. More: the client waits longer; what is agreed is executed
//! nevertheless.
//!
//! **[`Reads`]** say who answers a read, and what is asked before. `ReadIndex` and `Lease` wait until an entry of the
//! leader's own term is agreed. A *lease*: a follower that hears from its leader promises to elect nobody else for `length`
//! on its own clock, counted from hearing it, and keeps the promise over a restart by promising anew. The leader counts
//! `length − margin` from *sending*, so clocks that drift by less than the margin do no harm; with [`LeaseClock::Wall`] a jump
//! of the leader's clock back, or a follower's ahead, makes it answer what is no longer true.
//!
//! **Fencing.** Every message bears its sender's term, and whoever knows a newer one refuses it. The same token protects
//! what is outside of the store: a leader publishes how far it has got to a [`Device`], which refuses a term older than the
//! newest it has seen. With [`Fencing::None`] neither does, and a leader that was paused or cut off goes on as if nothing
//! had happened.
//!
//! **Exactly once.** A client numbers its requests and sends a request again until it is answered; the state remembers, per
//! client, the last number executed and its answer, and so do snapshots. A client that is told nothing in time does not
//! know whether its change happened.
//!
//! **Alone and inside.** A [`Replica`] and a [`Device`] are plain state machines whose handlers say their effects as a
//! [`Role`], so an enclosing node needs one `Embed` value for all of them; what it must tell them beside the time is what the
//! clocks of its machine show ([`Moment`]). Every handler may leave the frame at one of the store's.
//!
//! Not here: pre-vote, changes of membership, snapshots in pieces.

mod alone;
mod catching_up;
mod client;
mod device;
mod election;
mod inquiring;
mod log;
mod mutant;
mod reading;
mod replica;
mod replicating;
mod state;
mod wire;

#[cfg(test)]
mod tests;

pub use crate::replication::routing::Choice;
pub use alone::{Cast, Play, Role};
pub use client::{Client, Order, Script};
pub use device::Device;
pub use inquiring::Extent;
pub use log::{Entry, Log, Position, Snapshot};
pub use mutant::Mutant;
pub use replica::{Moment, Replica};
pub use state::State;
pub use wire::{Body, Copied, KINDS, Message, Output, Record, Stamp, Timer};

use alloc::vec::Vec;

use super::keys::Operation;
use super::routing::Wanted;
use kernel::{CellId, Distribution, Effects, Frame, Key, NodeId, PointId, Process, Span, fold};

/// How one store is carried out; the same on all its nodes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which of several stores of one world it is: keeps their frames apart, and is the protocol of its facts.
    pub store: u32,
    /// The machines with copies.
    pub replicas: Vec<NodeId>,
    /// When a client is told that its change is done.
    pub acks: Acks,
    /// Who answers a read.
    pub reads: Reads,
    /// How often a leader is heard of.
    pub heartbeat: Span,
    /// After what silence a replica stands for election, in nanoseconds: drawn anew each time.
    pub election_timeout: Distribution,
    /// What election timeouts are keyed by.
    pub key: Key,
    /// Whether an older term is refused.
    pub fencing: Fencing,
    /// After how many agreed entries the log is cut; at least 1.
    pub snapshot_every: u64,
    /// How many entries one message has at most; at least 1.
    pub batch: usize,
    /// To whom a leader publishes how far it has got.
    pub device: Option<NodeId>,
    /// Who stands for election at once when everything begins; else whoever first hears nothing for long enough.
    pub first: Option<NodeId>,
    /// Who was elected and what is agreed is told, as outputs.
    pub told: bool,
    /// What its replicas show of themselves: a row for each, in their order.
    pub cells: Option<Cells>,
    /// The named moments.
    pub points: Points,
    /// A deliberate mistake, to show that a check catches it.
    pub mutant: Option<Mutant>,
}

/// What a replica shows of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cells {
    /// The newest term it knows.
    pub term: CellId,
    /// 1 if it believes to lead, else 0.
    pub leads: CellId,
    /// Up to where it knows the log to be agreed.
    pub agreed: CellId,
    /// Up to where it has executed the log.
    pub executed: CellId,
    /// Where its log ends.
    pub end: CellId,
}

/// How many replicas have a change durably when its client is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acks {
    /// The leader: asynchronous replication.
    Leader,
    /// More than half.
    Majority,
    /// All of them.
    All,
    /// So many, the leader among them or not: semi-synchronous if that is less than a majority. 1 to the number of replicas.
    Count(usize),
}

/// Who answers a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// Whoever believes to be the leader, from its memory. A documented bad design.
    Leader,
    /// The leader, when a majority has confirmed after the question that it still is.
    ReadIndex,
    /// The leader, while its lease holds; as `ReadIndex` when it does not.
    Lease(Lease),
    /// A read is an entry of the log.
    Log,
    /// Some replica, when a majority has told it how far their logs go and its own is agreed that far.
    Quorum(Choice),
    /// Some replica, from its memory: what it answers may be old.
    Memory(Choice),
}

/// How long followers stand by their leader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lease {
    /// What a follower promises.
    pub length: Span,
    /// How much less the leader counts on.
    pub margin: Span,
    /// By which clock.
    pub clock: LeaseClock,
}

/// Which clock of a machine times a lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeaseClock {
    /// The one that only drifts.
    Monotonic,
    /// The one that tells the time of day: it jumps, too.
    Wall,
}

/// What becomes of a leader of an older term.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fencing {
    /// It is refused.
    Term,
    /// It is obeyed. A documented bad design.
    None,
}

/// The named moments; each is reached when what it names is durable.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Points {
    /// `raft.after_vote_persisted`: the vote is on the disk, nobody knows of it.
    pub after_vote_persisted: Option<PointId>,
    /// `raft.after_vote_sent`: somebody may count on it.
    pub after_vote_sent: Option<PointId>,
    /// `raft.after_elected`: a leader, of which nobody has heard.
    pub after_elected: Option<PointId>,
    /// `raft.after_entries_persisted`: a follower has entries, the leader does not know.
    pub after_entries_persisted: Option<PointId>,
    /// `raft.after_agreed`: the leader knows that entries are agreed, and nobody else does.
    pub after_agreed: Option<PointId>,
    /// `raft.after_first_agreed`: the same, for the first time in its term.
    pub after_first_agreed: Option<PointId>,
    /// `raft.after_snapshot`: a snapshot begins to be written.
    pub after_snapshot: Option<PointId>,
}

impl Cells {
    const fn all(self) -> [CellId; 5] {
        [self.term, self.leads, self.agreed, self.executed, self.end]
    }
}

impl Plan {
    /// What is durable before it is answered for.
    fn log_frame(&self) -> Frame {
        Frame(fold(u64::from(self.store), 1))
    }

    /// What waits for no disk: nothing is ever written in it.
    fn open_frame(&self) -> Frame {
        Frame(fold(u64::from(self.store), 2))
    }

    fn majority(&self) -> usize {
        self.replicas.len() / 2 + 1
    }

    /// How many copies a client waits for.
    fn copies(&self) -> usize {
        match self.acks {
            Acks::Leader => 1,
            Acks::Majority => self.majority(),
            Acks::All => self.replicas.len(),
            Acks::Count(copies) => copies,
        }
    }

    fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// A named moment is reached, if anybody cares.
    fn point<P: Process>(&self, point: Option<PointId>, out: &mut impl Effects<P>) {
        if let Some(point) = point {
            out.point(point, self.store);
        }
    }

    /// Whom a request is for.
    pub fn wanted(&self, operation: Operation) -> Wanted {
        match self.reads {
            Reads::Memory(choice) | Reads::Quorum(choice) if operation.reads() => Wanted::Anyone(choice),
            Reads::Memory(_) | Reads::Quorum(_) | Reads::Leader | Reads::ReadIndex | Reads::Lease(_) | Reads::Log => {
                Wanted::Leader
            }
        }
    }

    /// The place of a replica among them.
    ///
    /// # Panics
    /// If it is none.
    pub fn place(&self, node: NodeId) -> usize {
        self.replicas.iter().position(|replica| *replica == node).expect("only replicas speak as replicas")
    }
}
