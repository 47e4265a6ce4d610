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

/// One operation of one client. The number is the client's own and grows; sent again, a request keeps it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Request {
    /// Whose.
    pub client: NodeId,
    /// Which of its requests, from 1.
    pub number: u64,
    /// What it wants.
    pub operation: Operation,
}

impl Operation {
    /// The key it is about.
    pub const fn key(self) -> u64 {
        match self {
            Self::Read { key } | Self::Write { key, .. } | Self::Cas { key, .. } => key,
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

impl Digest for Operation {
    fn digest(&self) -> u64 {
        match *self {
            Self::Read { key } => fold(1, key),
            Self::Write { key, value } => fold(fold(2, key), value),
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
        fold(fold(u64::from(self.client.0), self.number), self.operation.digest())
    }
}
