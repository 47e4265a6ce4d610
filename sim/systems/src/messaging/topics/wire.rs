//! What a log broker, its publishers and its readers send, write and wait for.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kernel::{Digest, NodeId, Route, Time, fold};

use super::Plan;
use crate::messaging::wire::{Confirm, Letter, Payload};

/// A message.
#[derive(Clone, PartialEq, Debug)]
pub enum Message<P> {
    /// Publisher → broker.
    Publish {
        /// Where to.
        topic: u32,
        /// What.
        letter: Letter<P>,
        /// Which of the operation's messages this is, attempt included.
        hop: u64,
        /// Whether the publisher waits for an answer.
        confirm: Confirm,
    },
    /// Broker → publisher: it is in the log.
    Published {
        /// The letter's.
        id: u64,
        /// The letter's.
        operation: u64,
        /// That of the publish.
        hop: u64,
    },
    /// Reader → broker: give me what comes from there on.
    Fetch {
        /// Who.
        at: Stand,
        /// From where; `None`: from what the group has committed.
        from: Option<u64>,
    },
    /// Broker → reader: these are they, at least one.
    Fetched {
        /// Who asked.
        at: Stand,
        /// The offset of the first.
        from: u64,
        /// The offset behind the last.
        next: u64,
        /// What; a fault may have put some of them there twice.
        letters: Vec<Letter<P>>,
    },
    /// Reader → broker: the group need not read again what is before this.
    Commit {
        /// Who.
        at: Stand,
        /// The first offset that is not committed.
        upto: u64,
    },
    /// Broker → reader: that is durable.
    Committed {
        /// Who asked.
        at: Stand,
        /// The first offset that is not committed.
        upto: u64,
    },
}

/// A reader of one partition, and the how-many-th time it asks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stand {
    /// Its group.
    pub group: u32,
    /// The partition.
    pub partition: u32,
    /// Where it is.
    pub node: NodeId,
    /// When it started: answers to an earlier life mean nothing to it.
    pub life: Time,
    /// Counts what it asks; an answer bears the number of the question.
    pub turn: u64,
}

/// For whom a message or timer is, on a node that has several roles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The broker.
    Broker,
    /// A publisher.
    Publisher,
    /// A reader.
    Reader,
}

impl<P> Message<P> {
    /// Which role handles it.
    pub const fn receiver(&self) -> Part {
        match self {
            Self::Publish { .. } | Self::Fetch { .. } | Self::Commit { .. } => Part::Broker,
            Self::Published { .. } => Part::Publisher,
            Self::Fetched { .. } | Self::Committed { .. } => Part::Reader,
        }
    }
}

const HEADER: u32 = 40;

fn letters_bytes<P: Payload>(letters: &[Letter<P>]) -> u32 {
    letters.iter().map(|letter| 12 + letter.payload.bytes()).sum()
}

impl<P: Payload> kernel::Message for Message<P> {
    fn route(&self) -> Route {
        let kind = u64::from(self.kind());
        match self {
            Self::Publish { letter, hop, .. } => Route { operation: letter.operation, hop: *hop },
            Self::Published { operation, hop, .. } => Route { operation: *operation, hop: fold(*hop, kind) },
            Self::Fetch { at, .. }
            | Self::Fetched { at, .. }
            | Self::Commit { at, .. }
            | Self::Committed { at, .. } => {
                Route { operation: u64::from(at.group) << 32 | u64::from(at.partition), hop: fold(at.digest(), kind) }
            }
        }
    }

    fn bytes(&self) -> u32 {
        match self {
            Self::Publish { letter, .. } => HEADER + letter.payload.bytes(),
            Self::Fetched { letters, .. } => HEADER + letters_bytes(letters),
            Self::Published { .. } | Self::Fetch { .. } | Self::Commit { .. } | Self::Committed { .. } => HEADER,
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Publish { .. } => 0,
            Self::Published { .. } => 1,
            Self::Fetch { .. } => 2,
            Self::Fetched { .. } => 3,
            Self::Commit { .. } => 4,
            Self::Committed { .. } => 5,
        }
    }

    fn background(&self) -> bool {
        match self {
            Self::Fetch { .. } => true,
            Self::Publish { .. }
            | Self::Published { .. }
            | Self::Fetched { .. }
            | Self::Commit { .. }
            | Self::Committed { .. } => false,
        }
    }
}

/// The names of the message kinds, in the order of their numbers.
pub const KINDS: [&str; 6] = ["append", "appended", "fetch", "fetched", "commit", "committed"];

/// A timer, or the news that something is durable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// Broker: the record of the publish with this ticket is durable.
    Appended(u64),
    /// Broker: a commit is durable.
    Committed {
        /// The group.
        group: u32,
        /// The partition.
        partition: u32,
    },
    /// Reader: no answer came.
    Ask {
        /// The group.
        group: u32,
        /// The partition.
        partition: u32,
    },
    /// Publisher, alone: time for its nth order, or no answer came.
    Order(u64),
    /// Reader, alone: the letter of a partition is worked off.
    Done(u32),
}

impl Timer {
    /// Which role it belongs to.
    pub const fn owner(self) -> Part {
        match self {
            Self::Appended(_) | Self::Committed { .. } => Part::Broker,
            Self::Order(_) => Part::Publisher,
            Self::Ask { .. } | Self::Done(_) => Part::Reader,
        }
    }
}

/// A log record.
#[derive(Clone, PartialEq, Debug)]
pub enum Record<P> {
    /// A letter is in the log.
    Appended {
        /// The topic.
        topic: u32,
        /// The partition.
        partition: u32,
        /// What.
        letter: Letter<P>,
        /// When.
        time: Time,
    },
    /// A group need not read again what is before this.
    Committed {
        /// The group.
        group: u32,
        /// The partition.
        partition: u32,
        /// The first offset that is not committed.
        upto: u64,
    },
}

impl<P: Payload> kernel::Record for Record<P> {
    fn bytes(&self) -> u32 {
        match self {
            Self::Appended { letter, .. } => HEADER + letter.payload.bytes(),
            Self::Committed { .. } => HEADER,
        }
    }
}

/// How many letters a durable log says are still to be read, over all groups.
pub fn owed<'a, P: 'a>(plan: &Plan, log: impl IntoIterator<Item = &'a Record<P>>) -> u64 {
    let (mut ends, mut committed) = (BTreeMap::<_, u64>::new(), BTreeMap::<_, u64>::new());
    for record in log {
        match record {
            Record::Appended { topic, partition, .. } => *ends.entry((*topic, *partition)).or_default() += 1,
            Record::Committed { group, partition, upto } => {
                let known = committed.entry((*group, *partition)).or_default();
                *known = (*known).max(*upto);
            }
        }
    }
    let of = |group: usize| {
        let topic = plan.groups[group].topic;
        let ends = ends.iter().filter(move |((other, _), _)| *other == topic);
        ends.map(|((_, partition), end)| end - committed.get(&(group as u32, *partition)).unwrap_or(&0)).sum::<u64>()
    };
    (0..plan.groups.len()).map(of).sum()
}

/// What is told to whoever uses the protocol: nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Output {}

impl Digest for Stand {
    fn digest(&self) -> u64 {
        let place = u64::from(self.group) << 32 | u64::from(self.partition);
        fold(fold(fold(place, u64::from(self.node.0)), self.life.0), self.turn)
    }
}

impl<P: Payload> Digest for Message<P> {
    fn digest(&self) -> u64 {
        let state = u64::from(kernel::Message::kind(self));
        match self {
            Self::Publish { topic, letter, hop, confirm } => {
                fold(fold(fold(fold(state, u64::from(*topic)), letter.digest()), *hop), *confirm as u64)
            }
            Self::Published { id, operation, hop } => fold(fold(fold(state, *id), *operation), *hop),
            Self::Fetch { at, from } => fold(fold(state, at.digest()), from.map_or(1, |from| fold(2, from))),
            Self::Fetched { at, from, next, letters } => {
                let state = fold(fold(fold(state, at.digest()), *from), *next);
                letters.iter().fold(state, |state, letter| fold(state, letter.digest()))
            }
            Self::Commit { at, upto } | Self::Committed { at, upto } => fold(fold(state, at.digest()), *upto),
        }
    }
}

impl Digest for Timer {
    fn digest(&self) -> u64 {
        let (kind, of, number) = match *self {
            Self::Appended(ticket) => (0, 0, ticket),
            Self::Committed { group, partition } => (1, group, u64::from(partition)),
            Self::Ask { group, partition } => (2, group, u64::from(partition)),
            Self::Order(n) => (3, 0, n),
            Self::Done(partition) => (4, partition, 0),
        };
        fold(kind << 32 | u64::from(of), number)
    }
}

impl<P: Payload> Digest for Record<P> {
    fn digest(&self) -> u64 {
        match self {
            Self::Appended { topic, partition, letter, time } => {
                fold(fold(fold(1, u64::from(*topic) << 32 | u64::from(*partition)), letter.digest()), time.0)
            }
            Self::Committed { group, partition, upto } => {
                fold(fold(2, u64::from(*group) << 32 | u64::from(*partition)), *upto)
            }
        }
    }
}
