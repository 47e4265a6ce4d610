//! What all nodes agree on: queues, exchanges, consumers, and where their numbers go. Never changed during a run.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kernel::{CellId, Distribution, Key, NodeId, PointId, SeriesId, Span};

use super::mutant::Mutant;

/// All messaging of a scenario.
#[derive(Clone, Debug)]
pub struct Plan {
    /// By number.
    pub queues: Vec<QueuePlan>,
    /// By number.
    pub exchanges: Vec<ExchangePlan>,
    /// By number.
    pub consumers: Vec<ConsumerPlan>,
    /// Nodes that publish and want to hear of a broker that has forgotten what they published: it is back.
    pub publishers: Vec<NodeId>,
    /// How often a consumer says again that it is there.
    pub heartbeat: Span,
    /// The named moments.
    pub points: Points,
    /// A deliberate mistake, to show that a check catches it.
    pub mutant: Option<Mutant>,
}

/// A queue.
#[derive(Clone, Debug)]
pub struct QueuePlan {
    /// The machine it lives on.
    pub broker: NodeId,
    /// The number that its points bear.
    pub of: u32,
    /// What a crash of the broker leaves of it.
    pub durability: Durability,
    /// In which order messages are delivered.
    pub ordering: Ordering,
    /// How many messages it takes, ready and in flight; when there are so many, publishers wait for their confirm.
    pub capacity: Option<u32>,
    /// How many messages may be ready; when there are so many, `overflow` says what happens.
    pub max_length: Option<u32>,
    /// What a queue of `max_length` does.
    pub overflow: Overflow,
    /// A message not settled for this long after its delivery is delivered again.
    pub visibility_timeout: Option<Span>,
    /// How often a message is delivered, the first time included.
    pub max_deliveries: Option<u32>,
    /// Where messages go that nobody can have.
    pub dead_letter: Option<DeadLetter>,
    /// How long a message may be in the queue without being delivered; more than zero.
    pub message_ttl: Option<Span>,
    /// How many levels of priority there are, at least 1; a higher one goes first.
    pub priorities: u8,
    /// How long a message that came back waits before it is delivered again.
    pub redelivery_delay: Span,
    /// From accepted to deliverable.
    pub latency: Option<Latency>,
    /// Whether its messages keep the run from being at rest.
    pub at_rest: AtRest,
    /// Where its numbers go.
    pub cells: Cells,
    /// Where its samples go.
    pub series: Series,
}

/// What a crash of the broker leaves of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// Everything that was confirmed.
    Durable,
    /// Nothing.
    Transient,
}

/// In which order messages are delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ordering {
    /// Those of one key one after the other, settled or dead-lettered before the next; keys and messages without one
    /// independently.
    PerKey,
    /// In the order they were accepted; what comes back takes its old place, and those behind it wait until it may be
    /// delivered. Several may be in flight at once.
    Fifo,
    /// As they become deliverable; what comes back goes to the end.
    None,
}

/// What a queue of `max_length` does with one message too many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overflow {
    /// The publish is refused, for all queues it would have gone to.
    RejectPublish,
    /// The oldest ready message is dropped.
    DropOldest,
    /// The oldest ready message is dead-lettered.
    DeadLetter,
}

/// Where messages go that nobody can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeadLetter {
    /// A queue or exchange of the same broker,
    pub to: Destination,
    /// with this key; `None`: with their own.
    pub key: Option<u64>,
}

/// Where a message is published to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Destination {
    /// A queue, by number.
    Queue(u32),
    /// An exchange, by number.
    Exchange(u32),
}

/// A length that is drawn for every message: keyed by (its id, the queue).
#[derive(Clone, PartialEq, Debug)]
pub struct Latency {
    /// In nanoseconds.
    pub law: Distribution,
    /// Keyed by seed and path in the file.
    pub key: Key,
}

/// Whether the messages of a queue keep the run from being at rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AtRest {
    /// They do: somebody is to consume them.
    Empty,
    /// They do not: dead letters lie where they are.
    Any,
}

/// An exchange: where each routing key leads, through all exchanges behind it. Made by [`resolve`](super::resolve): matching
/// needs no text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExchangePlan {
    /// The machine it lives on, which is that of all its queues.
    pub broker: NodeId,
    /// The queues of each key, in ascending order, each once.
    pub routes: BTreeMap<u64, Vec<u32>>,
    /// The queues of any other key, and of messages without one.
    pub otherwise: Vec<u32>,
    /// Counts messages that no queue wanted.
    pub unroutable: Option<CellId>,
}

/// A consumer: the same on each of its nodes, which compete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsumerPlan {
    /// What it consumes.
    pub queue: u32,
    /// How many deliveries of each node may be unsettled; `None`: any number.
    pub prefetch: Option<u32>,
    /// Who consumes: told when the broker is back.
    pub nodes: Vec<NodeId>,
}

/// The named moments of the scenario grammar, §12; `of` is the queue's.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Points {
    /// `broker.after_store_before_confirm`: durable, and the publisher does not know.
    pub after_store_before_confirm: Option<PointId>,
    /// `broker.after_deliver_before_ack`: the delivery is out.
    pub after_deliver_before_ack: Option<PointId>,
}

/// A number of a queue that others may watch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Figure {
    /// Ready and in flight.
    Depth,
    /// Waiting in the queue, deliverable or not yet.
    Ready,
    /// Delivered and not settled, or settled by a record that is not durable yet.
    InFlight,
    /// Came in.
    Accepted,
    /// Left by an acknowledgement.
    Acknowledged,
    /// Left because nobody had it in time, for nowhere.
    Expired,
    /// Left for the dead-letter queue, whatever the reason.
    DeadLettered,
    /// Left for nowhere: refused for good, too many deliveries, or no room.
    Dropped,
    /// Deliveries.
    Delivered,
    /// Deliveries that were not the first.
    Redelivered,
    /// Publishes that wait for room.
    Blocked,
    /// Publishes refused.
    Refused,
    /// Acknowledgements that came too late.
    StaleAcks,
}

impl Figure {
    /// All of them, with the names they have in a scenario.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::Depth, "depth"),
        (Self::Ready, "ready"),
        (Self::InFlight, "unacked"),
        (Self::Accepted, "accepted"),
        (Self::Acknowledged, "acknowledged"),
        (Self::Expired, "expired"),
        (Self::DeadLettered, "dead_lettered"),
        (Self::Dropped, "dropped"),
        (Self::Delivered, "delivered"),
        (Self::Redelivered, "redelivered"),
        (Self::Blocked, "blocked"),
        (Self::Refused, "refused"),
        (Self::StaleAcks, "stale_acks"),
    ];

    /// Whether the log of a durable queue says it. Everything else, and everything of a transient queue, starts at zero when
    /// the broker does.
    pub const fn logged(self) -> bool {
        match self {
            Self::Depth
            | Self::Ready
            | Self::InFlight
            | Self::Accepted
            | Self::Acknowledged
            | Self::Expired
            | Self::DeadLettered
            | Self::Dropped => true,
            Self::Delivered | Self::Redelivered | Self::Blocked | Self::Refused | Self::StaleAcks => false,
        }
    }
}

/// How many figures there are.
pub(super) const FIGURES: usize = Figure::ALL.len();

/// Where the figures of a queue go.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Cells {
    ids: [Option<CellId>; FIGURES],
    /// The row of each cell.
    pub row: u64,
}

impl Cells {
    /// Nobody watches; figures are told in this row.
    pub const fn none(row: u64) -> Self {
        Self { ids: [None; FIGURES], row }
    }

    /// The figure goes to this cell.
    pub fn set(&mut self, figure: Figure, cell: CellId) {
        self.ids[figure as usize] = Some(cell);
    }

    /// Where the figure goes.
    pub fn of(&self, figure: Figure) -> Option<CellId> {
        self.ids[figure as usize]
    }
}

/// Where samples go; `None` where nobody listens.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Series {
    /// From accepted to the first delivery.
    pub wait: Option<SeriesId>,
    /// From accepted to gone; the tag is [`End::tag`]. After a restart of the broker it is counted from the time in the record.
    pub age: Option<SeriesId>,
}

/// How a message left a queue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum End {
    /// Acknowledged.
    Acknowledged,
    /// Nobody had it in time.
    Expired,
    /// Moved to the dead-letter queue.
    DeadLettered,
    /// Lost on purpose.
    Dropped,
}

impl End {
    /// The tag of its sample.
    pub const fn tag(self) -> u16 {
        self as u16
    }

    /// What counts it.
    pub(super) const fn figure(self) -> Figure {
        match self {
            Self::Acknowledged => Figure::Acknowledged,
            Self::Expired => Figure::Expired,
            Self::DeadLettered => Figure::DeadLettered,
            Self::Dropped => Figure::Dropped,
        }
    }
}

impl Plan {
    /// Whom to tell what is for a queue or exchange.
    pub fn broker_of(&self, to: Destination) -> NodeId {
        match to {
            Destination::Queue(queue) => self.queues[queue as usize].broker,
            Destination::Exchange(exchange) => self.exchanges[exchange as usize].broker,
        }
    }

    /// The queues that a message goes to.
    pub fn route<'a>(&'a self, to: &'a Destination, key: Option<u64>) -> &'a [u32] {
        match to {
            Destination::Queue(queue) => core::slice::from_ref(queue),
            Destination::Exchange(exchange) => {
                let exchange = &self.exchanges[*exchange as usize];
                key.and_then(|key| exchange.routes.get(&key)).unwrap_or(&exchange.otherwise)
            }
        }
    }

    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}
