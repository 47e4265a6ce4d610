//! Commit protocols and their locks.

use kernel::Span;

use super::{At, Step};

/// `[transactions.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Transaction {
    /// Which protocol.
    pub protocol: Protocol,
    /// A service.
    pub coordinator: At<String>,
    /// `update` and `read` steps on owners: the owners are the participants.
    pub work: Vec<Step>,
    /// From prepare sent to abort.
    pub prepare_timeout: Span,
    /// How long a prepared participant waits before it acts, and between two tries.
    pub decision_timeout: Span,
    /// Decisions survive a crash.
    pub decision_log: DecisionLog,
    /// Whom an in-doubt participant asks.
    pub recovery: Recovery,
    /// `locks`.
    pub locks: Locks,
}

/// Commit protocols.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// Presumed nothing.
    TwoPhase,
    /// Presumed abort.
    TwoPhasePresumedAbort,
}

/// Where decisions are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecisionLog {
    /// On disk.
    Durable,
    /// In memory: lost by a crash.
    Memory,
}

/// Whom an in-doubt participant asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recovery {
    /// The coordinator.
    AskCoordinator,
    /// The other participants too.
    Cooperative,
}

/// `locks`.
#[derive(Clone, PartialEq, Debug)]
pub struct Locks {
    /// Exclusive, or none at all (a bad design, to be shown).
    pub mode: LockMode,
    /// What is done about deadlocks.
    pub deadlock: Deadlock,
    /// A wait longer than this is a vote no.
    pub timeout: Option<Span>,
}

/// Lock modes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockMode {
    /// One transaction per row.
    Exclusive,
    /// No locks.
    None,
}

/// Deadlock policies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deadlock {
    /// The older takes the lock from an unprepared younger, the younger waits.
    WoundWait,
    /// The older waits, the younger gives up.
    WaitDie,
    /// A cycle among waiters at one participant is broken at its youngest.
    Detect,
    /// Only the timeout.
    Timeout,
}
