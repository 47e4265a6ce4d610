//! Messaging: brokers with their queues, exchanges and topics, and the outboxes and consumers of services.

use kernel::Span;

use super::{At, Disk, Dist, Place, Step, Value};

/// `[brokers.*]`. A queue or topic that names none, where none is written, lives on one called `broker`.
#[derive(Clone, PartialEq, Debug)]
pub struct Broker {
    /// What lives on it.
    pub kind: BrokerKind,
    /// Machines.
    pub nodes: u32,
    /// `disk` of each node.
    pub disk: Disk,
    /// `clock.drift`, in parts per million, drawn for each node.
    pub drift: Dist,
    /// `clock.offset`, in nanoseconds, drawn for each node.
    pub offset: Dist,
    /// `zone`, or `zones`: dealt to its nodes in turn. Empty: in none.
    pub zones: Vec<At<String>>,
    /// On top of the network, for each message that comes in.
    pub latency: Dist,
    /// CPU time of each message.
    pub message_time: Dist,
    /// `mutant`: a built-in wrong behaviour.
    pub mutant: Option<At<String>>,
    /// `external`.
    pub external: bool,
}

/// Sorts of broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BrokerKind {
    /// Queues and exchanges.
    Amqp,
    /// Topics.
    Log,
}

/// `[queues.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Queue {
    /// The broker it lives on; always the name of one.
    pub broker: At<String>,
    /// Exchanges it takes from.
    pub bindings: Vec<Binding>,
    /// Survives a crash of its broker.
    pub durable: bool,
    /// Copies of it.
    pub replicas: u32,
    /// What order its consumers see.
    pub ordering: Ordering,
    /// Messages it holds; a publisher waits when it is full. `None`: unlimited.
    pub capacity: Option<u32>,
    /// Messages it holds; `overflow` says what happens when it is full. `None`: unlimited.
    pub max_length: Option<u32>,
    /// What a queue of `max_length` does.
    pub overflow: QueueOverflow,
    /// A message not acknowledged for this long is delivered again.
    pub visibility_timeout: Option<Span>,
    /// A message delivered so often and not acknowledged is dead-lettered, or dropped. `None`: unlimited.
    pub max_deliveries: Option<u32>,
    /// Where messages go that nobody can have.
    pub dead_letter: Option<DeadLetter>,
    /// A message that waits longer is dead-lettered, or dropped.
    pub message_ttl: Option<Span>,
    /// How many; 1: none.
    pub priorities: u32,
    /// From stored to deliverable.
    pub latency: Dist,
    /// Bytes of a message.
    pub size: u32,
    /// Before a message that came back is delivered again.
    pub redelivery_delay: Span,
}

/// What order the consumers of a queue see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ordering {
    /// One message of a key at a time, in the order they were stored.
    PerKey,
    /// In the order they were stored.
    Fifo,
    /// Any.
    None,
}

/// What a queue of `max_length` does when it is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueueOverflow {
    /// Refuses the new message.
    RejectPublish,
    /// Drops the oldest.
    DropOldest,
    /// Dead-letters the oldest.
    DeadLetter,
}

/// Where messages go that nobody can have.
#[derive(Clone, PartialEq, Debug)]
pub struct DeadLetter {
    /// A queue or an exchange.
    pub to: Destination,
    /// The key they have then; `None`: their own.
    pub key: Option<At<Value>>,
}

/// One of `bindings`: what an exchange hands on.
#[derive(Clone, PartialEq, Debug)]
pub struct Binding {
    /// The exchange it comes from.
    pub exchange: At<String>,
    /// Which keys; `*` is one word and `#` any words. A fanout does not look at it.
    pub key: At<String>,
    /// The table's place.
    pub place: Place,
}

/// `[exchanges.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Exchange {
    /// How it routes.
    pub kind: ExchangeKind,
    /// The broker it lives on; always the name of one.
    pub broker: At<String>,
    /// Exchanges it takes from.
    pub bindings: Vec<Binding>,
}

/// How an exchange routes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExchangeKind {
    /// To bindings with this very key.
    Direct,
    /// To bindings whose pattern fits the key.
    Topic,
    /// To all bindings.
    Fanout,
}

/// `[topics.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Topic {
    /// The broker it lives on; always the name of one.
    pub broker: At<String>,
    /// Logs, each in order; a key is always in the same one.
    pub partitions: u32,
    /// Copies of each.
    pub replicas: u32,
    /// Copies that must have a message before it is confirmed to `acks = "all"`.
    pub min_isr: u32,
    /// A copy further behind is not in sync.
    pub replica_lag: Span,
}

/// A queue, an exchange or a topic, by its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    /// Which section it stands in.
    pub kind: DestinationKind,
    /// Its name there, and where it is said.
    pub name: String,
    /// Where it is said.
    pub place: Place,
}

/// The sections of messaging.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DestinationKind {
    /// `[queues.*]`.
    Queue,
    /// `[exchanges.*]`.
    Exchange,
    /// `[topics.*]`.
    Topic,
}

/// `outbox` of a service.
#[derive(Clone, PartialEq, Debug)]
pub struct Outbox {
    /// How the relay finds messages.
    pub relay: Relay,
    /// Between two looks of a polling relay.
    pub every: Span,
    /// Messages it takes at once.
    pub batch: u32,
    /// The table's place.
    pub place: Place,
}

/// How the relay of an outbox finds messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relay {
    /// It looks every so often.
    Poll,
    /// It follows the log: at once.
    LogTail,
}

/// `consumers.*` of a service.
#[derive(Clone, PartialEq, Debug)]
pub struct Consumer {
    /// A queue or a topic.
    pub from: Destination,
    /// Its steps.
    pub steps: Vec<Step>,
    /// Types of message it wants; the others are acknowledged unseen. Empty: all.
    pub types: Vec<At<String>>,
    /// Unacknowledged at once, per node; `None`: unlimited.
    pub prefetch: Option<u32>,
    /// When a message is acknowledged.
    pub ack: Ack,
    /// It remembers the ids of messages in the transaction that has the effect.
    pub inbox: bool,
    /// A second message with this value is acknowledged without its steps; `true` is `$id`.
    pub idempotent: Option<At<Value>>,
    /// The group that shares the messages of a topic; default the service.
    pub group: At<String>,
    /// The table's place.
    pub place: Place,
}

/// When a consumer acknowledges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ack {
    /// After its steps.
    After,
    /// Before them: a crash loses the message.
    Before,
}
