//! What a store is asked and what it answers: registers of numbers, one per key.

use kernel::{Digest, NodeId, fold};

/// What a client wants of one key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Operation {
    /// Its value.
    Read {
        /// Of which key.
        key: u64,
    },
    /// A new value.
    Write {
        /// Of which key.
        key: u64,
        /// The new one.
        value: u64,
    },
    /// No value any more.
    Delete {
        /// Of which key.
        key: u64,
    },
    /// A new value if it still has the expected one.
    Cas {
        /// Of which key.
        key: u64,
        /// `None`: if it has none yet.
        expected: Option<u64>,
        /// The new one.
        value: u64,
    },
}

/// What a client is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Answer {
    /// The value of the key, if it has one.
    Value(Option<u64>),
    /// It is written.
    Done,
    /// It is not: the key has this value.
    Mismatch(Option<u64>),
}

/// Who asks: a machine may have many that do, each with one request at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Session {
    /// On which machine.
    pub node: NodeId,
    /// Which of those there.
    pub seat: u32,
}

/// One operation of one session. Its number is one that no other request of the machine has, and grows within the session;
/// sent again, a request keeps it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Request {
    /// Whose.
    pub session: Session,
    /// Which.
    pub number: u64,
    /// What it wants.
    pub operation: Operation,
}

impl Operation {
    /// The key it is about.
    pub const fn key(self) -> u64 {
        match self {
            Self::Read { key } | Self::Write { key, .. } | Self::Delete { key } | Self::Cas { key, .. } => key,
        }
    }

    /// It changes nothing.
    pub const fn reads(self) -> bool {
        matches!(self, Self::Read { .. })
    }
}

/// A value that may be missing, as words of a digest.
pub(super) fn optional(state: u64, value: Option<u64>) -> u64 {
    value.map_or(fold(state, 0), |value| fold(fold(state, 1), value))
}

impl Session {
    /// The only one of its machine.
    pub const fn only(node: NodeId) -> Self {
        Self { node, seat: 0 }
    }
}

impl Digest for Session {
    fn digest(&self) -> u64 {
        u64::from(self.seat) << 32 | u64::from(self.node.0)
    }
}

impl Digest for Operation {
    fn digest(&self) -> u64 {
        match *self {
            Self::Read { key } => fold(1, key),
            Self::Write { key, value } => fold(fold(2, key), value),
            Self::Delete { key } => fold(4, key),
            Self::Cas { key, expected, value } => optional(fold(fold(3, key), value), expected),
        }
    }
}

impl Digest for Answer {
    fn digest(&self) -> u64 {
        match *self {
            Self::Value(value) => optional(1, value),
            Self::Done => 2,
            Self::Mismatch(value) => optional(3, value),
        }
    }
}

impl Digest for Request {
    fn digest(&self) -> u64 {
        fold(fold(self.session.digest(), self.number), self.operation.digest())
    }
}
