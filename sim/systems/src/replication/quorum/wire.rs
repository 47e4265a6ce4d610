//! What a quorum store sends, writes, waits for and tells.
//!
//! Sizes: a header of 40 bytes is in every message and record; a row is 32 bytes more.

use kernel::{Digest, NodeId, Route, fold};

use crate::replication::keys::{Session, optional};

/// Which of two rows of a key is newer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version {
    /// What the clock of its client showed when it began, in nanoseconds.
    pub clock: i64,
    /// Whose request it was.
    pub session: Session,
    /// Which; a session's numbers grow.
    pub number: u64,
}

/// The value of a key at one version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Row {
    /// Which.
    pub version: Version,
    /// Nothing: a tombstone.
    pub value: Option<u64>,
}

/// What a client wants of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Its value.
    Read,
    /// A new value.
    Write(u64),
    /// No value any more.
    Delete,
}

/// One operation of one client; sent again, it stays the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// Whose, which, and when: what it writes has this version.
    pub version: Version,
    /// About which key.
    pub key: u64,
    /// What is wanted.
    pub wish: Wish,
}

/// One attempt of one request: what a coordinator and its copies speak about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket {
    /// Whose request.
    pub session: Session,
    /// Which attempt of the machine's, over all its requests.
    pub attempt: u64,
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Who sends it.
    pub from: NodeId,
    /// To whom.
    pub to: NodeId,
    /// About which attempt.
    pub ticket: Ticket,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// Client → coordinator.
    Ask(Request),
    /// Coordinator → client: the row that was read or written; none if there never was one.
    Answered {
        /// Which request.
        number: u64,
        /// What it saw or made.
        row: Option<Row>,
    },
    /// Coordinator → copy: keep this, unless you have a newer one.
    Put {
        /// Of which key.
        key: u64,
        /// What.
        row: Row,
    },
    /// Copy → coordinator: I have this, or a newer one.
    Kept,
    /// Coordinator → copy: what do you have?
    Get {
        /// Of which key.
        key: u64,
    },
    /// Copy → coordinator.
    Has(Option<Row>),
    /// Coordinator → copy: a read found you to be behind. Nothing is answered.
    Mend {
        /// Of which key.
        key: u64,
        /// The newest row.
        row: Row,
    },
}

/// Names of the kinds of messages, by number.
pub const KINDS: [&str; 7] = ["ask", "answered", "put", "kept", "get", "has", "mend"];

const HEADER: u32 = 40;
const ROW: u32 = 32;

impl kernel::Message for Message {
    fn route(&self) -> Route {
        let Ticket { session, attempt } = self.ticket;
        let ends = u64::from(self.from.0) << 32 | u64::from(self.to.0);
        Route { operation: fold(session.digest(), attempt), hop: fold(ends, u64::from(self.kind())) }
    }

    fn bytes(&self) -> u32 {
        match self.body {
            Body::Put { .. } | Body::Mend { .. } | Body::Ask(_) | Body::Answered { .. } | Body::Has(_) => HEADER + ROW,
            Body::Kept | Body::Get { .. } => HEADER,
        }
    }

    fn kind(&self) -> u8 {
        match self.body {
            Body::Ask(_) => 0,
            Body::Answered { .. } => 1,
            Body::Put { .. } => 2,
            Body::Kept => 3,
            Body::Get { .. } => 4,
            Body::Has(_) => 5,
            Body::Mend { .. } => 6,
        }
    }
}

impl Digest for Version {
    fn digest(&self) -> u64 {
        fold(fold(self.clock as u64, self.session.digest()), self.number)
    }
}

impl Digest for Row {
    fn digest(&self) -> u64 {
        optional(self.version.digest(), self.value)
    }
}

impl Digest for Message {
    fn digest(&self) -> u64 {
        let route = kernel::Message::route(self);
        let row = |row: &Option<Row>| row.map_or(0, |row| row.digest());
        let words = match &self.body {
            Body::Ask(Request { version, key, wish }) => {
                let wish = match *wish {
                    Wish::Read => 0,
                    Wish::Write(value) => fold(1, value),
                    Wish::Delete => 2,
                };
                fold(fold(version.digest(), *key), wish)
            }
            Body::Answered { number, row: seen } => fold(*number, row(seen)),
            Body::Put { key, row } | Body::Mend { key, row } => fold(*key, row.digest()),
            Body::Kept => 0,
            Body::Get { key } => *key,
            Body::Has(seen) => row(seen),
        };
        fold(fold(route.operation, route.hop), words)
    }
}

/// What is written: a row of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// Of which key.
    pub key: u64,
    /// What.
    pub row: Row,
}

impl kernel::Record for Record {
    fn bytes(&self) -> u32 {
        HEADER + ROW
    }
}

impl Digest for Record {
    fn digest(&self) -> u64 {
        fold(self.key, self.row.digest())
    }
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// Coordinator: what it was asked as this is forgotten.
    Forget(u64),
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
            Self::Forget(asked) => fold(1, asked),
            Self::Order => 2,
            Self::Late(attempt) => fold(3, u64::from(attempt)),
            Self::GiveUp(number) => fold(4, number),
        }
    }
}

/// What is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// A client wants something.
    Asks(Request),
    /// A client has its answer: the row it read, or the row it wrote.
    Told(Request, Option<Row>),
    /// A client gave up: what it wanted may have happened or not, or may happen later.
    Unknown(Request),
}
