//! What the timers of a machine say.

use kernel::{Digest, fold};

use super::guest::Alarm;
use super::keeper;
use crate::commit::two_phase;
use crate::messaging::{self, topics};

/// What a timer says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// The next operation of an open loop.
    Arrive,
    /// A user of a closed loop has thought.
    User(u32),
    /// A frame goes on.
    Resume {
        /// Which,
        frame: u32,
        /// if it still is the same.
        token: u64,
    },
    /// A call took too long.
    Timeout {
        /// Whose,
        frame: u32,
        /// if it still waits for it.
        token: u64,
    },
    /// The pause between two tries of a call is over.
    Retry {
        /// Whose,
        frame: u32,
        /// if it still waits for it.
        token: u64,
    },
    /// The database has not answered a saga.
    AskAgain {
        /// Which frame asked,
        frame: u32,
        /// if it still waits.
        token: u64,
    },
    /// A commit of the database is durable.
    Durable(u64),
    /// The node says to the database that it lives.
    Renew,
    /// The relay asks for messages.
    Relay,
    /// The broker has not confirmed a message.
    Unconfirmed {
        /// Which frame published it,
        frame: u32,
        /// if it still waits.
        token: u64,
    },
    /// A broker's own timer, or a subscription's.
    Mail(messaging::Timer),
    /// The same where there are topics.
    Topic(topics::Timer),
    /// A letter of a topic is tried again.
    ReadAgain {
        /// The group that reads it,
        group: u32,
        /// in this partition.
        partition: u32,
    },
    /// A replicated store's own timer.
    Keep(keeper::Timer),
    /// No machine of a store has answered the last attempt,
    StoreLate {
        /// of this frame,
        frame: u32,
        /// if it still waits for it.
        token: u64,
    },
    /// No machine of a store has answered at all,
    StoreSilent {
        /// this frame,
        frame: u32,
        /// if it still waits for this request.
        request: u64,
    },
    /// A commit protocol's own timer.
    Commit(two_phase::Timer),
    /// That of a process that plays a service.
    Guest(Alarm),
    /// A coordinator has decided.
    Decided {
        /// The transaction,
        transaction: u64,
        /// of this type.
        kind: u16,
        /// Why it aborted; none if it committed.
        reason: Option<u16>,
    },
}

impl Digest for Timer {
    #[expect(clippy::inline_always, reason = "every timer that fires enters the fingerprint")]
    #[inline(always)]
    fn digest(&self) -> u64 {
        let two = |tag: u64, a: u32, b: u64| fold(tag << 32 | u64::from(a), b);
        match *self {
            Self::Arrive => 1,
            Self::User(user) => fold(2, u64::from(user)),
            Self::Resume { frame, token } => two(3, frame, token),
            Self::Timeout { frame, token } => two(4, frame, token),
            Self::Commit(ref timer) => fold(5, timer.digest()),
            Self::Retry { frame, token } => two(7, frame, token),
            Self::AskAgain { frame, token } => two(8, frame, token),
            Self::Durable(number) => fold(9, number),
            Self::Renew => 10,
            Self::Relay => 11,
            Self::Unconfirmed { frame, token } => two(12, frame, token),
            Self::Mail(timer) => fold(13, timer.digest()),
            Self::Topic(timer) => fold(14, timer.digest()),
            Self::ReadAgain { group, partition } => two(15, group, u64::from(partition)),
            Self::Keep(timer) => fold(16, timer.digest()),
            Self::StoreLate { frame, token } => two(17, frame, token),
            Self::StoreSilent { frame, request } => two(18, frame, request),
            Self::Guest(Alarm { says, each }) => fold(fold(19, says), u64::from(each)),
            Self::Decided { transaction, kind, reason } => {
                fold(fold(6, transaction), u64::from(kind) << 32 | reason.map_or(1 << 16, u64::from))
            }
        }
    }
}
