//! What travels between the machines of the composed application.

use alloc::boxed::Box;

use kernel::{Digest, Message as Wire, Route, Time, fold};

use super::guest::Sealed;
use super::keeper;
use super::question::{Question, Told};
use super::rows::Work;
use super::spent::Clock;
use crate::commit::two_phase;
use crate::messaging::{self, topics};
use crate::variables::Variables;

/// Bytes of a request or reply when its op does not say.
pub const DEFAULT_SIZE: u32 = 1024;

/// A message of the application. What is large and rarer than calls is in a box: messages are moved often.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// A call.
    Request(Request),
    /// Its answer.
    Reply(Reply),
    /// A commit protocol's own message.
    Commit(two_phase::Message<Work>),
    /// A database is asked,
    Question(Box<Question>),
    /// and tells.
    Told(Told),
    /// To or from a broker.
    Mail(Box<messaging::Message<Mail>>),
    /// To or from a broker of topics.
    Topic(Box<topics::Message<Mail>>),
    /// To or from a machine of a replicated store.
    Store(Box<keeper::Message>),
    /// Of a process that plays a service.
    Guest(Sealed),
}

/// What a message of a queue or topic carries: the variables of the request that caused it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    /// The variables.
    pub variables: Variables,
    /// Its size, as the place says where it was sent.
    pub bytes: u32,
}

impl Digest for Mail {
    fn digest(&self) -> u64 {
        self.variables.fold(u64::from(self.bytes))
    }
}

impl messaging::Payload for Mail {
    fn bytes(&self) -> u32 {
        self.bytes
    }
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
    /// Until when it is waited for.
    pub deadline: Time,
    /// Which step of a saga asks, from 1; else 0.
    pub step: u32,
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
    /// What it answers, if it went well.
    pub values: Variables,
    /// Where the time went, if somebody wants to know: nobody acts upon it.
    pub clock: Option<Box<Clock>>,
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
    /// The breaker let nothing through.
    pub const BREAKER_OPEN: u16 = 4;
    /// The first abort reason of a commit protocol.
    const ABORTS: u16 = 5;

    /// All words, by number.
    pub fn words() -> Vec<&'static str> {
        let mut words = alloc::vec!["timeout", "unavailable", "overload", "invalid_expression", "breaker_open"];
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
    #[expect(clippy::inline_always, reason = "every message that arrives enters the fingerprint")]
    #[inline(always)]
    fn digest(&self) -> u64 {
        match self {
            Self::Request(r) => {
                let word = fold(fold(r.operation, r.hop), u64::from(r.op) << 32 | u64::from(r.bytes));
                let word = fold(fold(fold(word, u64::from(r.frame)), r.token), r.deadline.0);
                r.variables.fold(fold(word, u64::from(r.step)))
            }
            Self::Reply(r) => {
                let result = match r.result {
                    CallResult::Ok => 1,
                    CallResult::Failed(f) => {
                        u64::from(f.error) << 8 | u64::from(f.certain) << 1 | u64::from(f.business) << 2
                    }
                };
                let word = fold(fold(fold(!r.operation, r.hop), u64::from(r.frame)), r.token);
                r.values.fold(fold(word, result << 32 | u64::from(r.bytes)))
            }
            Self::Question(question) => fold(question.digest(), 3),
            Self::Told(told) => fold(told.digest(), 4),
            Self::Mail(mail) => fold(mail.digest(), 5),
            Self::Topic(message) => fold(message.digest(), 6),
            Self::Store(message) => fold(message.digest(), 7),
            Self::Guest(sealed) => fold(sealed.letter.digest(), 8),
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
            Self::Question(question) => question.route(),
            Self::Told(told) => told.route(),
            Self::Mail(mail) => mail.route(),
            Self::Topic(message) => message.route(),
            Self::Store(message) => message.route(),
            Self::Guest(sealed) => sealed.letter.route(),
        }
    }

    #[expect(clippy::inline_always, reason = "where a message is sent its sort is known")]
    #[inline(always)]
    fn bytes(&self) -> u32 {
        match self {
            Self::Request(r) => r.bytes,
            Self::Reply(r) => r.bytes,
            Self::Commit(message) => message.bytes(),
            Self::Question(question) => question.bytes(),
            Self::Told(told) => told.bytes(),
            Self::Mail(mail) => Wire::bytes(&**mail),
            Self::Topic(message) => Wire::bytes(&**message),
            Self::Store(message) => message.bytes(),
            Self::Guest(sealed) => sealed.letter.bytes(),
        }
    }

    #[expect(clippy::inline_always, reason = "where a message is sent its sort is known")]
    #[inline(always)]
    fn kind(&self) -> u8 {
        match self {
            Self::Request(_) => 0,
            Self::Reply(_) => 1,
            Self::Question(_) => 2,
            Self::Told(_) => 3,
            Self::Mail(mail) => FIRST_OF_MAIL + mail.kind(),
            Self::Commit(message) => FIRST_OF_COMMIT + message.kind(),
            Self::Topic(message) => FIRST_OF_TOPICS + message.kind(),
            Self::Store(message) => FIRST_OF_STORES + message.kind(),
            Self::Guest(sealed) => sealed.kinds_from + sealed.letter.kind(),
        }
    }

    #[expect(clippy::inline_always, reason = "where a message is sent its sort is known")]
    #[inline(always)]
    fn background(&self) -> bool {
        match self {
            Self::Request(_) | Self::Reply(_) => false,
            Self::Commit(message) => message.background(),
            Self::Question(question) => question.background(),
            Self::Told(told) => told.background(),
            Self::Mail(mail) => mail.background(),
            Self::Topic(message) => message.background(),
            Self::Store(message) => message.background(),
            Self::Guest(sealed) => sealed.letter.background(),
        }
    }
}

/// The kinds of protocols' messages come after those of the application's own.
const FIRST_OF_MAIL: u8 = 4;
const FIRST_OF_COMMIT: u8 = FIRST_OF_MAIL + messaging::KINDS.len() as u8;
const FIRST_OF_TOPICS: u8 = FIRST_OF_COMMIT + two_phase::KINDS.len() as u8;
const FIRST_OF_STORES: u8 = FIRST_OF_TOPICS + topics::KINDS.len() as u8;

/// Names of the message kinds, by number.
pub fn kinds() -> alloc::vec::Vec<&'static str> {
    let mut names = alloc::vec!["request", "reply", "question", "told"];
    names.extend(messaging::KINDS);
    debug_assert_eq!(names.len(), usize::from(FIRST_OF_COMMIT));
    names.extend(two_phase::KINDS);
    debug_assert_eq!(names.len(), usize::from(FIRST_OF_TOPICS));
    names.extend(topics::KINDS);
    debug_assert_eq!(names.len(), usize::from(FIRST_OF_STORES));
    names.extend(keeper::Message::KINDS);
    names
}
