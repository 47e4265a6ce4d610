//! The ledger of faults: every instance that was planned, what became of it, and what it hit.
//!
//! A fault that was injected and hit nothing has tested nothing; the ledger tells the two apart.

use alloc::vec::Vec;

use kernel::{Hit, NodeId, PointId, Time};

/// One occurrence of a fault.
#[derive(Clone, PartialEq, Debug)]
pub struct Instance {
    /// Its place in the ledger.
    pub id: u32,
    /// Index of its fault in the plan; `None` if it was injected by hand.
    pub fault: Option<u32>,
    /// Which instance of its fault it is, from 0.
    pub number: u32,
    /// The nodes it was aimed at; empty until it begins. For losses and copies by link, every node of the links.
    pub nodes: Vec<NodeId>,
    /// Of a partition: who was on which side.
    pub sides: Vec<Vec<NodeId>>,
    /// The messages it hit, if the plan asks for their names.
    pub hits: Vec<Hit>,
    /// Of one that waited for a point: what it was reached for.
    pub reached: Option<Reached>,
    /// Clocks: by how many nanoseconds each of the nodes was set, in their order.
    pub offsets: Vec<i64>,
    /// When it was due.
    pub planned: Time,
    /// When it began, if it did.
    pub start: Option<Time>,
    /// When it ended, if it did.
    pub end: Option<Time>,
    /// What became of it.
    pub state: State,
    /// What it hit.
    pub impact: Impact,
}

/// The occurrence of a point at which an instance began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reached {
    /// The point.
    pub point: PointId,
    /// Whose it was.
    pub of: u32,
    /// Its how manieth occurrence, counted for that one alone; 1 is the first.
    pub nth: i64,
}

/// What became of an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Not due yet.
    Planned,
    /// Injected and holding its leases.
    Active,
    /// Injected and over.
    Ended,
    /// Never injected.
    Skipped(Skip),
}

/// Why an instance was not injected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Skip {
    /// Every node it would have crashed was down.
    AlreadyDown,
    /// The draw of its `chance` said no.
    Chance,
    /// Its targets were no nodes at all when it was due.
    NoTarget,
    /// It was due outside of its window.
    OutsideWindow,
    /// Faults were healed before it was due.
    Healed,
    /// Whoever drew it found that it would break this budget.
    Budget(FaultBudget),
}

/// What limits faults that are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultBudget {
    /// So many at once.
    MaxConcurrent,
    /// A store keeps more than half of its machines.
    KeepQuorum,
}

/// What an instance hit, by counts. All zero: it had no effect.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Impact {
    /// Partition, loss: transmissions that were lost.
    pub messages_lost: u64,
    /// Partition: messages that were held back.
    pub messages_held: u64,
    /// Crash: messages that reached the machine while it was down, or were in its inbox.
    pub messages_vanished: u64,
    /// Crash: messages of the machine that were never sent, or lost and now never sent again.
    pub messages_unsent: u64,
    /// Crash: open requests, transactions, sagas that were in memory.
    pub work_lost: u64,
    /// Crash: log records that did not survive.
    pub records_lost: u64,
    /// Crash: timers that were pending.
    pub timers_lost: u64,
    /// Pause: messages, timers and releases that had to wait.
    pub events_delayed: u64,
    /// Slow processors: works that were in progress or began, and took longer.
    pub works_slowed: u64,
    /// Duplicate: copies that were made.
    pub messages_duplicated: u64,
    /// Disturbances: how often a process said that it made a difference.
    pub disturbances: u64,
    /// Clocks that were set.
    pub clocks_set: u64,
}

impl Impact {
    /// It hit something.
    pub fn effective(&self) -> bool {
        *self != Self::default()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.messages_lost += other.messages_lost;
        self.messages_held += other.messages_held;
        self.messages_vanished += other.messages_vanished;
        self.messages_unsent += other.messages_unsent;
        self.work_lost += other.work_lost;
        self.records_lost += other.records_lost;
        self.timers_lost += other.timers_lost;
        self.events_delayed += other.events_delayed;
        self.works_slowed += other.works_slowed;
        self.messages_duplicated += other.messages_duplicated;
        self.disturbances += other.disturbances;
        self.clocks_set += other.clocks_set;
    }
}

/// What happened to an instance just now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultEvent {
    /// It was injected.
    Began,
    /// Its leases ended.
    Ended,
    /// It was not injected.
    Skipped(Skip),
}
