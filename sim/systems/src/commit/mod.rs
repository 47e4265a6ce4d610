//! Atomic commitment: a transaction over several machines commits at all of them or at none.
//!
//! What is decided about is a [`Resource`]: rows that work is done on. The protocols here know nothing else of it, and
//! a resource knows nothing of messages, logs or locks. Read `two_phase` for the protocol and `crate::locks` for what
//! keeps the rows still between a vote and its decision.

pub mod two_phase;

use alloc::vec::Vec;
use core::fmt::Debug;

use kernel::{Delta, Digest};

/// What one participant is asked to do in a transaction. It travels in the prepare message and lies in the vote record.
pub trait Work: Clone + Debug + Digest + Eq {
    /// Its size in a message or a record, in bytes.
    fn bytes(&self) -> u32;
}

/// What is done to a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Access {
    /// Looked at. A participant whose whole work is reading has nothing to commit.
    Read,
    /// Changed, if the transaction commits.
    Write,
}

/// Rows with committed values: what a participant takes care of.
///
/// `vote` is asked, and `apply` told, while the rows of `work` are locked (unless the design takes no locks).
pub trait Resource: Clone + Debug {
    /// What it is asked to do.
    type Work: Work;
    /// The rows that `work` touches, in the order in which they are locked. A row may be named twice.
    fn rows(&self, work: &Self::Work) -> Vec<(u64, Access)>;
    /// Whether `work` could be done on the committed rows; changes none of them.
    fn vote(&mut self, work: &Self::Work) -> Result<(), Reason>;
    /// Appends every row as it is, `before` equal to `after`: observers saw rows that a crash may have set back.
    fn restate(&self, changes: &mut Vec<Delta>);
    /// Does `work`, which was voted for, and appends the changes of observable state to `changes`. Must do the same
    /// again when the log is replayed.
    fn apply(&mut self, work: &Self::Work, changes: &mut Vec<Delta>);
}

/// Why a transaction was aborted. Numbers below [`Reason::RESERVED`] belong to the resource (the `else` words of a
/// scenario); the rest are the protocol's own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Reason(pub u16);

impl Reason {
    /// Of a commit: no reason needed.
    pub const NONE: Self = Self(0);
    /// The first number that belongs to the protocol.
    pub const RESERVED: u16 = 0xff00;
    /// An older transaction took the lock away (wound-wait).
    pub const WOUNDED: Self = Self(0xff01);
    /// Younger than the holder of a lock (wait-die).
    pub const DIED: Self = Self(0xff02);
    /// Chosen as the victim of a deadlock.
    pub const DEADLOCK: Self = Self(0xff03);
    /// Waited too long for a lock.
    pub const LOCK_TIMEOUT: Self = Self(0xff04);
    /// Not all votes were there when `prepare_timeout` had passed.
    pub const PREPARE_TIMEOUT: Self = Self(0xff05);
    /// The connection to a participant was reset before the prepare message could be delivered.
    pub const UNAVAILABLE: Self = Self(0xff06);
    /// The coordinator lost its memory before it decided.
    pub const COORDINATOR_CRASHED: Self = Self(0xff07);
    /// The prepare message is older than what the participant still remembers.
    pub const STALE: Self = Self(0xff08);
    /// The participant promised another one, which was in doubt, not to vote yes any more.
    pub const PEER_IN_DOUBT: Self = Self(0xff09);

    /// The word for reports; `None` for the resource's own reasons.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NONE => "none",
            Self::WOUNDED => "wounded",
            Self::DIED => "died",
            Self::DEADLOCK => "deadlock",
            Self::LOCK_TIMEOUT => "lock_timeout",
            Self::PREPARE_TIMEOUT => "prepare_timeout",
            Self::UNAVAILABLE => "unavailable",
            Self::COORDINATOR_CRASHED => "coordinator_crashed",
            Self::STALE => "stale",
            Self::PEER_IN_DOUBT => "peer_in_doubt",
            Self(_) => return None,
        })
    }
}
