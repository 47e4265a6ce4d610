//! What a replicated log sends, writes, waits for and tells.
//!
//! Sizes: a header of 40 bytes is in every message; an entry is 48 bytes, a snapshot 16 per key and 32 per client.

use alloc::boxed::Box;
use alloc::vec::Vec;

use kernel::{Digest, NodeId, Route, fold};

use super::inquiring::Extent;
use super::log::{Entry, Position, Snapshot};
use crate::replication::keys::{Answer, Operation, Request, optional};

/// A message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Who sends it.
    pub from: NodeId,
    /// To whom.
    pub to: NodeId,
    /// Tells it from others of its sort with the same sender and receiver: attempt, round or index.
    pub nth: u64,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// Client → replica.
    Ask(Request),
    /// Replica → client. `nth` is that of the question.
    Answered {
        /// Whose request.
        seat: u32,
        /// Which request.
        number: u64,
        /// What came of it.
        answer: Answer,
    },
    /// Replica → client: not here. `nth` is that of the question.
    Elsewhere {
        /// Whose request.
        seat: u32,
        /// Which.
        number: u64,
        /// Who leads, as far as is known here.
        leader: Option<NodeId>,
    },
    /// Candidate → replica.
    Elect {
        /// In which term.
        term: u64,
        /// Where the candidate's log ends.
        last: Position,
    },
    /// Replica → candidate.
    Vote {
        /// The term of the voter.
        term: u64,
        /// Yes.
        granted: bool,
    },
    /// Leader → follower: heartbeat and entries.
    Append {
        /// The leader's.
        term: u64,
        /// Comes back with the answer.
        stamp: Stamp,
        /// The place before the entries.
        previous: Position,
        /// None for a mere heartbeat.
        entries: Vec<Entry>,
        /// Up to where the leader knows the log to be agreed.
        agreed: u64,
    },
    /// Leader → follower, when what the follower lacks is only in the snapshot.
    Install {
        /// The leader's.
        term: u64,
        /// Comes back with the answer.
        stamp: Stamp,
        /// All that was executed up to a place.
        snapshot: Box<Snapshot>,
    },
    /// Follower → leader.
    Copied {
        /// The term of the follower.
        term: u64,
        /// That of the leader's message.
        stamp: Stamp,
        /// How far it has the same log.
        copied: Copied,
    },
    /// Leader → device: up to here everything is agreed.
    Publish {
        /// The leader's.
        term: u64,
        /// Which entry.
        index: u64,
    },
    /// Device → leader.
    Published {
        /// The newest term the device has seen.
        term: u64,
        /// Which entry it was told of.
        index: u64,
    },
    /// Replica → replica: how far does your log go? For a read.
    Inquire,
    /// Replica → replica. `nth` is that of the question.
    Extends(Extent),
}

/// When a leader sent something: it counts its messages, and reads its clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Stamp {
    /// The how manieth message of its term.
    pub round: u64,
    /// What the clock of its lease showed, in nanoseconds.
    pub clock: i64,
}

/// How far a follower's log is the leader's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Copied {
    /// Up to this index, durably.
    UpTo(u64),
    /// Not at the place asked for: try from this index.
    NotThere(u64),
    /// The leader is refused: there is a newer term.
    Refused,
}

/// Names of the kinds of messages, by number.
pub const KINDS: [&str; 12] = [
    "ask",
    "answered",
    "elsewhere",
    "elect",
    "vote",
    "append",
    "install",
    "copied",
    "publish",
    "published",
    "inquire",
    "extends",
];

const HEADER: u32 = 40;
const ENTRY: u32 = 48;

impl kernel::Message for Message {
    fn route(&self) -> Route {
        let operation = match self.body {
            Body::Ask(Request { session, number, .. }) => fold(u64::from(session.node.0), number),
            Body::Answered { number, .. } | Body::Elsewhere { number, .. } => fold(u64::from(self.to.0), number),
            Body::Elect { term, .. }
            | Body::Vote { term, .. }
            | Body::Append { term, .. }
            | Body::Install { term, .. }
            | Body::Copied { term, .. }
            | Body::Publish { term, .. }
            | Body::Published { term, .. } => term,
            Body::Inquire | Body::Extends(_) => 0,
        };
        let ends = u64::from(self.from.0) << 32 | u64::from(self.to.0);
        Route { operation, hop: fold(fold(ends, u64::from(self.kind())), self.nth) }
    }

    fn bytes(&self) -> u32 {
        match &self.body {
            Body::Append { entries, .. } => HEADER + ENTRY * entries.len() as u32,
            Body::Install { snapshot, .. } => HEADER + snapshot.state.bytes(),
            Body::Ask(_)
            | Body::Answered { .. }
            | Body::Elsewhere { .. }
            | Body::Elect { .. }
            | Body::Vote { .. }
            | Body::Copied { .. }
            | Body::Publish { .. }
            | Body::Published { .. }
            | Body::Inquire
            | Body::Extends(_) => HEADER,
        }
    }

    fn kind(&self) -> u8 {
        match self.body {
            Body::Ask(_) => 0,
            Body::Answered { .. } => 1,
            Body::Elsewhere { .. } => 2,
            Body::Elect { .. } => 3,
            Body::Vote { .. } => 4,
            Body::Append { .. } => 5,
            Body::Install { .. } => 6,
            Body::Copied { .. } => 7,
            Body::Publish { .. } => 8,
            Body::Published { .. } => 9,
            Body::Inquire => 10,
            Body::Extends(_) => 11,
        }
    }

    /// Nothing that replicas tell each other is owed to anybody: they never stop.
    fn background(&self) -> bool {
        !matches!(self.body, Body::Ask(_) | Body::Answered { .. } | Body::Elsewhere { .. })
    }
}

impl Digest for Message {
    fn digest(&self) -> u64 {
        let ends = fold(u64::from(self.from.0) << 32 | u64::from(self.to.0), self.nth);
        let words = match &self.body {
            Body::Ask(request) => fold(0, request.digest()),
            Body::Answered { seat, number, answer } => fold(fold(fold(1, *number), u64::from(*seat)), answer.digest()),
            Body::Elsewhere { seat, number, leader } => {
                let head = fold(fold(2, *number), u64::from(*seat));
                optional(head, leader.map(|node| u64::from(node.0)))
            }
            Body::Elect { term, last } => fold(fold(3, *term), last.digest()),
            Body::Vote { term, granted } => fold(fold(4, *term), u64::from(*granted)),
            Body::Append { term, stamp, previous, entries, agreed } => {
                let head = fold(fold(fold(fold(5, *term), stamp.digest()), previous.digest()), *agreed);
                entries.iter().fold(head, |state, entry| fold(state, entry.digest()))
            }
            Body::Install { term, stamp, snapshot } => fold(fold(fold(6, *term), stamp.digest()), snapshot.digest()),
            Body::Copied { term, stamp, copied } => {
                let (sort, index) = match *copied {
                    Copied::UpTo(index) => (0, index),
                    Copied::NotThere(index) => (1, index),
                    Copied::Refused => (2, 0),
                };
                fold(fold(fold(fold(7, *term), stamp.digest()), sort), index)
            }
            Body::Publish { term, index } => fold(fold(8, *term), *index),
            Body::Published { term, index } => fold(fold(9, *term), *index),
            Body::Inquire => 10,
            Body::Extends(Extent { last, agreed }) => fold(fold(11, last.digest()), agreed.digest()),
        };
        fold(ends, words)
    }
}

impl Digest for Stamp {
    fn digest(&self) -> u64 {
        fold(self.round, self.clock as u64)
    }
}

/// What is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// Nobody of an older term is obeyed any more, and nobody else is voted for in this one.
    Promise {
        /// The newest term known.
        term: u64,
        /// Who has the vote in it.
        vote: Option<NodeId>,
    },
    /// An entry, in place of all that was at its index and behind.
    Entry {
        /// Where.
        index: u64,
        /// What.
        entry: Entry,
    },
    /// In place of the beginning of the log.
    Snapshot(Box<Snapshot>),
    /// A device was published to.
    Published {
        /// By a leader of this term.
        term: u64,
        /// Up to here.
        index: u64,
    },
}

impl kernel::Record for Record {
    fn bytes(&self) -> u32 {
        match self {
            Self::Promise { .. } | Self::Published { .. } => HEADER,
            Self::Entry { .. } => ENTRY,
            Self::Snapshot(snapshot) => HEADER + snapshot.state.bytes(),
        }
    }
}

impl Digest for Record {
    fn digest(&self) -> u64 {
        match self {
            Self::Promise { term, vote } => optional(fold(1, *term), vote.map(|node| u64::from(node.0))),
            Self::Entry { index, entry } => fold(fold(2, *index), entry.digest()),
            Self::Snapshot(snapshot) => fold(3, snapshot.digest()),
            Self::Published { term, index } => fold(fold(4, *term), *index),
        }
    }
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// Replica: nothing was heard of a leader, or there were not enough votes.
    Silence,
    /// Leader: it is time to be heard of. Candidate: to ask again.
    Heartbeat,
    /// Candidate: its own vote is durable.
    Stood(u64),
    /// Leader: its own log is durable up to here.
    Written {
        /// As leader of this term.
        term: u64,
        /// Which entry.
        index: u64,
    },
    /// Replica: nobody has been heard who must be for a read, or what it rests on is not agreed yet.
    Inquire,
    /// Client: the next order of its list is due.
    Order,
    /// Client: no answer to this attempt.
    Late(u32),
    /// Client: nothing is known of the request, and it is given up.
    GiveUp(u64),
}

impl Digest for Timer {
    fn digest(&self) -> u64 {
        match *self {
            Self::Silence => 1,
            Self::Heartbeat => 2,
            Self::Stood(term) => fold(3, term),
            Self::Written { term, index } => fold(fold(4, term), index),
            Self::Order => 5,
            Self::Late(attempt) => fold(6, u64::from(attempt)),
            Self::GiveUp(number) => fold(7, number),
            Self::Inquire => 8,
        }
    }
}

/// What is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// A replica leads a term from now on.
    Leads {
        /// Which.
        term: u64,
    },
    /// A replica knows that an entry is agreed.
    Agreed {
        /// Where.
        index: u64,
        /// What.
        entry: Entry,
    },
    /// The device was told how far a leader has got, and took it.
    Published {
        /// The leader's term.
        term: u64,
        /// Which entry.
        index: u64,
    },
    /// A client wants something.
    Asks(Request),
    /// A client has its answer.
    Told(Request, Answer),
    /// A client gave up: what it wanted may have happened or not, or may happen later.
    Unknown {
        /// Which of its requests.
        number: u64,
        /// What it was.
        operation: Operation,
    },
}
