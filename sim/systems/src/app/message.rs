//! What travels between the machines of the composed application.

use kernel::{Digest, Message as Wire, Route, fold};

use super::rows::{Variables, Work};
use crate::commit::two_phase;

/// Bytes of a request or reply when its op does not say.
pub const DEFAULT_SIZE: u32 = 1024;

/// A message of the application.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// A call.
    Request(Request),
    /// Its answer.
    Reply(Reply),
    /// A commit protocol's own message.
    Commit(two_phase::Message<Work>),
}

/// A call on its way to a service.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// The op.
    pub op: u32,
    /// The root operation.
    pub operation: u64,
    /// Position in the call tree, attempt included.
    pub hop: u64,
    /// The caller's frame,
    pub frame: u32,
    /// and what makes it recognise the answer.
    pub token: u64,
    /// Bytes on the wire.
    pub bytes: u32,
    /// The request's variables.
    pub variables: Variables,
}

/// An answer on its way back.
#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    /// The root operation.
    pub operation: u64,
    /// The call's hop.
    pub hop: u64,
    /// The caller's frame,
    pub frame: u32,
    /// and its token at the call.
    pub token: u64,
    /// Bytes on the wire.
    pub bytes: u32,
    /// How it went.
    pub result: CallResult,
}

/// How a call went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallResult {
    /// Well.
    Ok,
    /// Not.
    Failed(Failure),
}

/// Why a call failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The error's number (`system_errors` first, then business words).
    pub error: u16,
    /// It certainly had no effect.
    pub certain: bool,
    /// A business error: final, not retried.
    pub business: bool,
}

/// Numbers of the system errors; abort reasons and business words follow.
pub mod system_errors {
    use alloc::vec::Vec;

    use crate::commit::Reason;

    /// No answer in time.
    pub const TIMEOUT: u16 = 0;
    /// Refused or reset connection.
    pub const UNAVAILABLE: u16 = 1;
    /// A full queue.
    pub const OVERLOAD: u16 = 2;
    /// An expression could not be evaluated.
    pub const INVALID: u16 = 3;
    /// The first abort reason of a commit protocol.
    const ABORTS: u16 = 4;

    /// All words, by number.
    pub fn words() -> Vec<&'static str> {
        let mut words = alloc::vec!["timeout", "unavailable", "overload", "invalid_expression"];
        words.extend((1..).map_while(|n| Reason(Reason::RESERVED + n).name()));
        words
    }

    /// The error of an abort reason: a resource's own reasons are errors already.
    pub const fn of_abort(reason: Reason) -> u16 {
        if reason.0 > Reason::RESERVED { reason.0 - Reason::RESERVED - 1 + ABORTS } else { reason.0 }
    }
}

impl Failure {
    /// A system error.
    pub const fn system(error: u16, certain: bool) -> Self {
        Self { error, certain, business: false }
    }

    /// A business error.
    pub const fn business(error: u16) -> Self {
        Self { error, certain: true, business: true }
    }
}

impl Digest for Message {
    #[inline]
    fn digest(&self) -> u64 {
        match self {
            Self::Request(r) => {
                let word = fold(fold(r.operation, r.hop), u64::from(r.op) << 32 | u64::from(r.bytes));
                r.variables.fold(fold(fold(word, u64::from(r.frame)), r.token))
            }
            Self::Reply(r) => {
                let result = match r.result {
                    CallResult::Ok => 1,
                    CallResult::Failed(f) => {
                        u64::from(f.error) << 8 | u64::from(f.certain) << 1 | u64::from(f.business) << 2
                    }
                };
                let word = fold(fold(fold(!r.operation, r.hop), u64::from(r.frame)), r.token);
                fold(word, result << 32 | u64::from(r.bytes))
            }
            Self::Commit(message) => fold(message.digest(), 2),
        }
    }
}

impl Wire for Message {
    #[inline]
    fn route(&self) -> Route {
        match self {
            Self::Request(r) => Route { operation: r.operation, hop: r.hop },
            Self::Reply(r) => Route { operation: r.operation, hop: fold(r.hop, 1) },
            Self::Commit(message) => message.route(),
        }
    }

    #[inline]
    fn bytes(&self) -> u32 {
        match self {
            Self::Request(r) => r.bytes,
            Self::Reply(r) => r.bytes,
            Self::Commit(message) => message.bytes(),
        }
    }

    #[inline]
    fn kind(&self) -> u8 {
        match self {
            Self::Request(_) => 0,
            Self::Reply(_) => 1,
            Self::Commit(message) => 2 + message.kind(),
        }
    }

    #[inline]
    fn background(&self) -> bool {
        match self {
            Self::Request(_) | Self::Reply(_) => false,
            Self::Commit(message) => message.background(),
        }
    }
}

/// Names of the message kinds, by number.
pub fn kinds() -> alloc::vec::Vec<&'static str> {
    let mut names = alloc::vec!["request", "reply"];
    names.extend(two_phase::KINDS);
    names
}
