//! What a broker, its publishers and its consumers send, write, wait for and tell.
//!
//! Sizes: a header of 40 bytes is in every message and record; a letter adds what its payload says.

use core::fmt::Debug;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use kernel::{Digest, Frame, NodeId, Route, Time, fold};

use super::plan::{AtRest, Destination, End, Plan};

/// What a letter carries.
pub trait Payload: Clone + Debug + PartialEq + Digest {
    /// Its size in a message or a record, in bytes.
    fn bytes(&self) -> u32;
}

/// What is published, stored and delivered.
#[derive(Clone, PartialEq, Debug)]
pub struct Letter<P> {
    /// Unique in the world; the same when it is published again, so that consumers recognise it.
    pub id: u64,
    /// The root operation that caused it.
    pub operation: u64,
    /// Routing key, and key of the order; a number or the number of a text.
    pub key: Option<u64>,
    /// Its type, as the number of a text.
    pub kind: Option<u32>,
    /// 0 is the lowest; more than the queue has levels is its highest.
    pub priority: u8,
    /// The queue that dead-lettered it last.
    pub from_queue: Option<u32>,
    /// What it says.
    pub payload: P,
}

/// Names one delivery: what an acknowledgement is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tag {
    /// The queue.
    pub queue: u32,
    /// The how-many-th delivery of the message it is, since the broker started or, where deliveries are logged, ever.
    pub delivery: u32,
    /// The message's number in the queue.
    pub number: u64,
    /// When the broker started: deliveries of its earlier lives mean nothing to it.
    pub epoch: Time,
}

/// A message.
#[derive(Clone, PartialEq, Debug)]
pub enum Message<P> {
    /// Publisher → broker.
    Publish {
        /// Where to.
        to: Destination,
        /// What.
        letter: Letter<P>,
        /// Which of the operation's messages this is, attempt included: what its draws are keyed by, and what makes the
        /// publisher recognise the answer.
        hop: u64,
        /// Whether the publisher waits for an answer.
        confirm: Confirm,
    },
    /// Broker → publisher: what became of a publish.
    Published {
        /// The letter's.
        id: u64,
        /// The letter's.
        operation: u64,
        /// That of the latest publish that this is the answer to.
        hop: u64,
        /// What became of it.
        verdict: Verdict,
    },
    /// Consumer → broker: I am here. Said again with every heartbeat: a broker that knows it does nothing.
    Subscribe {
        /// Which consumer of the plan.
        consumer: u32,
        /// On which node.
        node: NodeId,
        /// The life of the node: when it started. A later one ends what earlier ones had.
        incarnation: Time,
        /// The how-many-th time it is said.
        beat: u64,
    },
    /// Broker → node with consumers: I have forgotten you.
    Hello {
        /// Which node.
        node: NodeId,
        /// When the broker started.
        epoch: Time,
    },
    /// Broker → consumer.
    Deliver {
        /// Which consumer of the plan.
        consumer: u32,
        /// Which delivery.
        tag: Tag,
        /// How often it was delivered, this time included.
        deliveries: u32,
        /// A copy that the broker made by mistake.
        copy: u32,
        /// What.
        letter: Letter<P>,
    },
    /// Consumer → broker: what became of a delivery.
    Settle {
        /// Which.
        tag: Tag,
        /// The letter's.
        operation: u64,
        /// What.
        how: Settlement,
    },
}

/// Whether the publisher waits for an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confirm {
    /// It does.
    Wanted,
    /// It does not.
    Unwanted,
}

/// What became of a publish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is in every queue it belongs in, and durable where the queue is.
    Stored,
    /// No queue wanted it. For AMQP that is a confirm, too.
    Unroutable,
    /// A queue has no room: it is nowhere.
    Refused,
}

/// What a consumer did with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settlement {
    /// All there was to do.
    Ack,
    /// Nothing; somebody shall try again.
    Requeue,
    /// Nothing, and nobody shall: it is dead-lettered, or dropped.
    Reject,
}

/// For whom a message or timer is, on a node that has several roles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The broker.
    Broker,
    /// A publisher.
    Publisher,
    /// A consumer.
    Consumer,
}

impl<P> Message<P> {
    /// Which role handles it.
    pub const fn receiver(&self) -> Part {
        match self {
            Self::Publish { .. } | Self::Subscribe { .. } | Self::Settle { .. } => Part::Broker,
            Self::Published { .. } => Part::Publisher,
            Self::Hello { .. } | Self::Deliver { .. } => Part::Consumer,
        }
    }

    /// Which role sent it: a reset is its business.
    pub const fn sender(&self) -> Part {
        match self {
            Self::Publish { .. } => Part::Publisher,
            Self::Published { .. } | Self::Hello { .. } | Self::Deliver { .. } => Part::Broker,
            Self::Subscribe { .. } | Self::Settle { .. } => Part::Consumer,
        }
    }
}

const HEADER: u32 = 40;

impl<P: Payload> kernel::Message for Message<P> {
    fn route(&self) -> Route {
        let kind = u64::from(self.kind());
        match self {
            Self::Publish { letter, hop, .. } => Route { operation: letter.operation, hop: *hop },
            Self::Published { operation, hop, .. } => Route { operation: *operation, hop: fold(*hop, kind) },
            Self::Subscribe { consumer, node, incarnation, beat } => {
                let hop = fold(fold(incarnation.0, *beat), kind);
                Route { operation: u64::from(*consumer) << 32 | u64::from(node.0), hop }
            }
            Self::Hello { node, epoch } => Route { operation: u64::from(node.0), hop: fold(epoch.0, kind) },
            Self::Deliver { tag, copy, letter, .. } => {
                let hop = fold(tag.digest(), u64::from(*copy) << 32 | kind);
                Route { operation: letter.operation, hop }
            }
            Self::Settle { tag, operation, how } => {
                Route { operation: *operation, hop: fold(tag.digest(), (*how as u64) << 32 | kind) }
            }
        }
    }

    fn bytes(&self) -> u32 {
        match self {
            Self::Publish { letter, .. } | Self::Deliver { letter, .. } => HEADER + letter.payload.bytes(),
            Self::Published { .. } | Self::Subscribe { .. } | Self::Hello { .. } | Self::Settle { .. } => HEADER,
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Publish { .. } => 0,
            Self::Published { .. } => 1,
            Self::Subscribe { .. } => 2,
            Self::Hello { .. } => 3,
            Self::Deliver { .. } => 4,
            Self::Settle { .. } => 5,
        }
    }

    fn background(&self) -> bool {
        match self {
            Self::Subscribe { .. } | Self::Hello { .. } => true,
            Self::Publish { .. } | Self::Published { .. } | Self::Deliver { .. } | Self::Settle { .. } => false,
        }
    }
}

/// The names of the message kinds, in the order of their numbers.
pub const KINDS: [&str; 6] = ["publish", "published", "subscribe", "hello", "deliver", "settle"];

/// A timer, or the news that something is durable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// Broker: the record of the publish with this ticket is durable.
    Stored(u64),
    /// Broker: the record of how a message left is durable.
    Gone {
        /// The queue.
        queue: u32,
        /// The message.
        number: u64,
    },
    /// Broker: a message may be delivered from now on.
    Due {
        /// The queue.
        queue: u32,
        /// The message.
        number: u64,
    },
    /// Broker: a delivery was not settled in time.
    Unsettled {
        /// The queue.
        queue: u32,
        /// The message.
        number: u64,
    },
    /// Broker: the oldest ready message of a queue has waited too long.
    Expire(u32),
    /// Consumer: time to say again that it is there.
    Beat(u32),
    /// Publisher, alone: time for its nth order, or no answer came.
    Order(u64),
    /// Consumer, alone: the nth delivery is worked off.
    Done(u64),
}

impl Timer {
    /// Which role it belongs to.
    pub const fn owner(self) -> Part {
        match self {
            Self::Stored(_) | Self::Gone { .. } | Self::Due { .. } | Self::Unsettled { .. } | Self::Expire(_) => {
                Part::Broker
            }
            Self::Order(_) => Part::Publisher,
            Self::Beat(_) | Self::Done(_) => Part::Consumer,
        }
    }
}

/// Where a message stands: its number in a queue counts everything that ever came there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The queue.
    pub queue: u32,
    /// The message's number there.
    pub number: u64,
}

/// A log record. Of transient queues nothing is written.
#[derive(Clone, PartialEq, Debug)]
pub enum Record<P> {
    /// A letter is in these queues; if it was in another one before, it left it.
    Stored {
        /// What.
        letter: Letter<P>,
        /// Where; durable queues only.
        places: Vec<Place>,
        /// Which queue dead-lettered it.
        from: Option<Place>,
        /// When.
        time: Time,
    },
    /// A message is about to be delivered. Written only where deliveries are counted.
    Delivered {
        /// Which.
        place: Place,
        /// For the how-many-th time.
        deliveries: u32,
    },
    /// A message left.
    Gone {
        /// Which.
        place: Place,
        /// How.
        end: End,
    },
}

impl<P: Payload> kernel::Record for Record<P> {
    fn bytes(&self) -> u32 {
        match self {
            Self::Stored { letter, places, .. } => HEADER + 12 * places.len() as u32 + letter.payload.bytes(),
            Self::Delivered { .. } | Self::Gone { .. } => HEADER,
        }
    }
}

/// How many messages a durable log says are still to be consumed, in queues that are to be empty at rest.
pub fn owed<'a, P: 'a>(plan: &Plan, log: impl IntoIterator<Item = &'a Record<P>>) -> u64 {
    let mut held = BTreeSet::<Place>::new();
    for record in log {
        match record {
            Record::Stored { places, from, .. } => {
                held.extend(places);
                if let Some(from) = from {
                    held.remove(from);
                }
            }
            Record::Delivered { .. } => {}
            Record::Gone { place, .. } => drop(held.remove(place)),
        }
    }
    held.iter().filter(|place| plan.queues[place.queue as usize].at_rest == AtRest::Empty).count() as u64
}

/// What is told to whoever uses the protocol: nothing. Publishers and consumers hear messages.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Output {}

/// The frame of a publish: several queues wait for one record.
pub(super) fn publish_frame(ticket: u64) -> Frame {
    Frame(fold(0xb20c, ticket))
}

/// The frame of a message in a queue.
pub(super) fn place_frame(place: Place) -> Frame {
    Frame(fold(fold(0xb20d, u64::from(place.queue)), place.number))
}

impl Digest for Tag {
    fn digest(&self) -> u64 {
        fold(fold(self.number, self.epoch.0), u64::from(self.queue) << 32 | u64::from(self.delivery))
    }
}

impl Digest for Place {
    fn digest(&self) -> u64 {
        fold(u64::from(self.queue), self.number)
    }
}

fn option(value: Option<u64>) -> u64 {
    value.map_or(1, |value| fold(2, value))
}

impl<P: Payload> Digest for Letter<P> {
    fn digest(&self) -> u64 {
        let state = fold(fold(self.id, self.operation), option(self.key));
        let state = fold(state, option(self.kind.map(u64::from)));
        fold(fold(state, option(self.from_queue.map(u64::from))), fold(u64::from(self.priority), self.payload.digest()))
    }
}

impl Digest for Destination {
    fn digest(&self) -> u64 {
        match *self {
            Self::Queue(queue) => u64::from(queue),
            Self::Exchange(exchange) => 1 << 32 | u64::from(exchange),
        }
    }
}

impl<P: Payload> Digest for Message<P> {
    fn digest(&self) -> u64 {
        let state = u64::from(kernel::Message::kind(self));
        match self {
            Self::Publish { to, letter, hop, confirm } => {
                fold(fold(fold(fold(state, to.digest()), letter.digest()), *hop), *confirm as u64)
            }
            Self::Published { id, operation, hop, verdict } => {
                fold(fold(fold(fold(state, *id), *operation), *hop), *verdict as u64)
            }
            Self::Subscribe { consumer, node, incarnation, beat } => {
                let who = u64::from(*consumer) << 32 | u64::from(node.0);
                fold(fold(fold(state, who), incarnation.0), *beat)
            }
            Self::Hello { node, epoch } => fold(fold(state, u64::from(node.0)), epoch.0),
            Self::Deliver { consumer, tag, deliveries, copy, letter } => {
                let numbers = u64::from(*deliveries) << 32 | u64::from(*copy);
                fold(fold(fold(fold(state, u64::from(*consumer)), tag.digest()), numbers), letter.digest())
            }
            Self::Settle { tag, operation, how } => fold(fold(fold(state, tag.digest()), *operation), *how as u64),
        }
    }
}

impl Digest for Timer {
    fn digest(&self) -> u64 {
        let (kind, queue, of) = match *self {
            Self::Stored(of) => (0, 0, of),
            Self::Gone { queue, number } => (1, queue, number),
            Self::Due { queue, number } => (2, queue, number),
            Self::Unsettled { queue, number } => (3, queue, number),
            Self::Expire(queue) => (4, queue, 0),
            Self::Beat(consumer) => (5, consumer, 0),
            Self::Order(of) => (6, 0, of),
            Self::Done(of) => (7, 0, of),
        };
        fold(kind << 32 | u64::from(queue), of)
    }
}

impl<P: Payload> Digest for Record<P> {
    fn digest(&self) -> u64 {
        match self {
            Self::Stored { letter, places, from, time } => {
                let state = fold(fold(1, letter.digest()), time.0);
                let state = places.iter().fold(state, |state, place| fold(state, place.digest()));
                fold(state, option(from.map(|from| from.digest())))
            }
            Self::Delivered { place, deliveries } => fold(fold(2, place.digest()), u64::from(*deliveries)),
            Self::Gone { place, end } => fold(fold(3, place.digest()), *end as u64),
        }
    }
}
