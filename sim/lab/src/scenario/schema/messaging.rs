//! The tables of messaging: brokers, queues, exchanges, topics, and what services have for them.

use super::hardware::{CLOCK, DISK, ZONE};
use super::world::{DURATIONS, IDEMPOTENT, LIKE};
use super::{Choice, Form, Key, Preset, Shape, Short, StepsOf, key};

/// What a message can be sent to.
pub(super) const ANYWHERE: Shape = Shape::Destination(&["queues", "exchanges", "topics"]);

/// What a consumer can take from.
pub(super) const SOURCE: Shape = Shape::Destination(&["queues", "topics"]);

const BROKER_OF: Key =
    key("broker", Shape::Name, Preset::Absent, "Where it lives; else on the only broker of its kind.");

pub(super) static BROKER_SHAPE: Shape = Shape::Table(&BROKER);

static BROKER: Form = Form {
    what: "a broker",
    keys: &[
        LIKE,
        key(
            "kind",
            Shape::Word(&["amqp", "log"], &[]),
            Preset::Required,
            "amqp: queues and exchanges live on it; log: topics do.",
        ),
        key("nodes", Shape::Integer(1, 10_000), Preset::Integer(1), "Machines."),
        key("disk", Shape::Table(&DISK), Preset::Table, "The disk of each node."),
        key("clock", Shape::Table(&CLOCK), Preset::Table, "The clock of each node."),
        ZONE,
        key("zones", Shape::Names, Preset::Absent, "The zones of its nodes, dealt in turn."),
        key("latency", DURATIONS, Preset::Text("0s"), "On top of the network, for each message that comes in."),
        key("message_time", DURATIONS, Preset::Text("0s"), "CPU time of each message."),
        key("external", Shape::Boolean, Preset::Boolean(false), "Not ours: random faults leave it alone.")
            .judging("only random schedules of faults read it"),
        key("mutant", Shape::Name, Preset::Absent, "A built-in wrong behaviour, for tests."),
    ],
    later: &["unclean_election", "spare"],
    short: Short::None,
    choices: &[Choice { what: "ways to say where it is", keys: &["zone", "zones"], needed: false }],
};

const BINDINGS: Key = key("bindings", Shape::List(&BINDING), Preset::Absent, "What it takes from exchanges.");

static BINDING: Form = Form {
    what: "a binding",
    keys: &[
        key("exchange", Shape::Name, Preset::Required, "The exchange it takes from."),
        key(
            "key",
            Shape::Pattern,
            Preset::Text("#"),
            "Messages with this key; of a topic exchange `*` is one word and `#` any words.",
        ),
    ],
    later: &[],
    short: Short::None,
    choices: &[],
};

pub(super) static QUEUE_SHAPE: Shape = Shape::Table(&QUEUE);

static QUEUE: Form = Form {
    what: "a queue of messages",
    keys: &[
        LIKE,
        BROKER_OF,
        BINDINGS,
        key("durable", Shape::Boolean, Preset::Boolean(true), "It survives a crash of its broker."),
        key("replicas", Shape::Integer(1, 100), Preset::Integer(1), "Copies of it."),
        key(
            "ordering",
            Shape::Word(&["per_key", "fifo", "none"], &[]),
            Preset::Text("fifo"),
            "per_key: of one key one message at a time; fifo: as they were stored; none: any order.",
        ),
        key("capacity", Shape::Count(1), Preset::Text("unlimited"), "Messages it holds; when full, publishers wait."),
        key("max_length", Shape::Count(1), Preset::Text("unlimited"), "Messages it holds; when full, `overflow`."),
        key(
            "overflow",
            Shape::Word(&["reject_publish", "drop_oldest", "dead_letter"], &[]),
            Preset::Text("reject_publish"),
            "What a queue of `max_length` does when it is full.",
        ),
        key(
            "visibility_timeout",
            Shape::Duration,
            Preset::Absent,
            "A message not acknowledged for this long is delivered again; so it is when its consumer's node dies.",
        ),
        key(
            "max_deliveries",
            Shape::Count(1),
            Preset::Text("unlimited"),
            "Delivered so often and not acknowledged, it goes to `dead_letter`, or is dropped.",
        ),
        key("dead_letter", Shape::Table(&DEAD_LETTER), Preset::Absent, "Where messages go that nobody can have."),
        key(
            "message_ttl",
            Shape::Duration,
            Preset::Absent,
            "A message that waits longer is dead-lettered, or dropped.",
        ),
        key("priorities", Shape::Integer(1, 255), Preset::Integer(1), "How many priorities."),
        key("latency", DURATIONS, Preset::Text("0s"), "From stored to deliverable."),
        key("size", Shape::Size, Preset::Text("1KiB"), "Bytes of a message."),
        key("redelivery_delay", Shape::Duration, Preset::Text("0s"), "Before what came back is delivered again."),
    ],
    later: &[],
    short: Short::None,
    choices: &[],
};

static DEAD_LETTER: Form = Form {
    what: "`dead_letter`",
    keys: &[
        key("queue", Shape::Name, Preset::Absent, "This queue."),
        key("exchange", Shape::Name, Preset::Absent, "This exchange."),
        key("key", Shape::Value, Preset::Absent, "With this key; else with its own.").only("exchange", &[]),
    ],
    later: &[],
    short: Short::Key("queue"),
    choices: &[Choice { what: "places for dead letters", keys: &["queue", "exchange"], needed: true }],
};

pub(super) static EXCHANGE_SHAPE: Shape = Shape::Table(&EXCHANGE);

static EXCHANGE: Form = Form {
    what: "an exchange",
    keys: &[
        LIKE,
        key(
            "kind",
            Shape::Word(&["direct", "topic", "fanout"], &[]),
            Preset::Text("direct"),
            "To bindings with this very key; whose pattern fits it; to all of them.",
        ),
        BINDINGS,
        BROKER_OF,
    ],
    later: &[],
    short: Short::None,
    choices: &[],
};

pub(super) static TOPIC_SHAPE: Shape = Shape::Table(&TOPIC);

static TOPIC: Form = Form {
    what: "a topic",
    keys: &[
        LIKE,
        BROKER_OF,
        key("partitions", Shape::Integer(1, 10_000), Preset::Integer(1), "Logs; a key is always in the same one."),
        key("replicas", Shape::Integer(1, 100), Preset::Integer(1), "Copies of each."),
        key("min_isr", Shape::Integer(1, 100), Preset::Integer(1), "Copies that must have a message before it counts."),
        key("replica_lag", Shape::Duration, Preset::Text("10s"), "A copy further behind is not in sync."),
    ],
    later: &["retention", "cdc_of"],
    short: Short::None,
    choices: &[],
};

/// `outbox` of a service.
pub(super) static OUTBOX: Form = Form {
    what: "an outbox",
    keys: &[
        key(
            "relay",
            Shape::Word(&["poll", "log_tail"], &[]),
            Preset::Text("poll"),
            "poll: the relay looks every so often; log_tail: it follows the log.",
        ),
        key("every", Shape::Duration, Preset::Text("100ms"), "Between two looks.").only("relay", &["poll"]),
        key("batch", Shape::Integer(1, 1_000_000), Preset::Integer(100), "Messages that the relay takes at once."),
    ],
    later: &[],
    short: Short::Key("relay"),
    choices: &[],
};

pub(super) static CONSUMER_SHAPE: Shape = Shape::Table(&CONSUMER);

static CONSUMER: Form = Form {
    what: "a consumer",
    keys: &[
        key("from", SOURCE, Preset::Required, "A queue or a topic."),
        key("types", Shape::Texts, Preset::Absent, "Types of message it wants, others are acknowledged; else all."),
        key("prefetch", Shape::Count(1), Preset::Integer(1), "Unacknowledged at once, per node."),
        key(
            "ack",
            Shape::Word(&["after", "before"], &["manual"]),
            Preset::Text("after"),
            "after its steps, or before them: then a crash loses the message.",
        ),
        key(
            "inbox",
            Shape::Boolean,
            Preset::Boolean(false),
            "It remembers the ids of messages in the transaction that has the effect.",
        ),
        IDEMPOTENT,
        key("group", Shape::Name, Preset::Absent, "Who shares the messages of a topic; else the service."),
        key("work", DURATIONS, Preset::Absent, "Its only step works this long."),
        key("steps", Shape::Steps(StepsOf::Op), Preset::Absent, "Its steps, one after the other."),
    ],
    later: &["commit", "isolation", "assignment", "session_timeout", "heartbeat", "start", "transactional"],
    short: Short::Body,
    choices: &[Choice { what: "ways to say what a consumer does", keys: &["work", "steps"], needed: true }],
};
