//! The tables of the simulated world: time, services, transactions. `hardware` has its machines and links.

use super::hardware::{CLOCK, DISK, ZONE};
use super::messaging::{CONSUMER_SHAPE, OUTBOX};
use super::{Choice, Form, Key, Preset, Shape, Short, StepsOf, key};
use crate::scenario::distributions::Sort;

pub(super) const DURATIONS: Shape = Shape::Distribution(Sort::Durations);

pub(super) static SCENARIO: Form = Form {
    what: "`[scenario]`",
    keys: &[
        key("name", Shape::FileName, Preset::Stem, "Its name; a directory of results. Default: the file's stem."),
        key("question", Shape::Text, Preset::Text(""), "The one question this file answers."),
        key("tags", Shape::Texts, Preset::Words(&[]), "For `list`."),
    ],
    later: &[],
    short: Short::None,
    choices: &[],
};

pub(super) static RUN: Form = Form {
    what: "`[run]`",
    keys: &[
        key("duration", Shape::Duration, Preset::Required, "Load arrives from 0 to here."),
        key(
            "warmup",
            Shape::Warmup,
            Preset::Text("0s"),
            "Left out of every metric, never out of invariants. auto: chosen by MSER-5 from a pilot run.",
        ),
        key("heal", Shape::Duration, Preset::RunDuration, "Every fault is revoked here. Default: `duration`."),
        key(
            "quiesce",
            Shape::Duration,
            Preset::Text("0s"),
            "At most this long after `duration` work may come to rest.",
        ),
        key("settle", Shape::Duration, Preset::Text("10s"), "How long after a fault `phase=steady` begins again.")
            .judging("it bounds a phase, and phases only sort measurements"),
        key("seed", Shape::Integer(0, i64::MAX), Preset::Integer(0), "The seed, if no flag gives one."),
        key("abort_on_fail", Shape::Names, Preset::Words(&[]), "Stop at the first violation of these.")
            .judging("it only ends a run whose verdict is certain"),
        key(
            "precision",
            Shape::Percentage,
            Preset::Absent,
            "`sweep` goes on until every threshold's mean is known this well: half its 95% interval, of the mean.",
        )
        .judging("it says how many seeds a sweep runs, and changes none of them"),
    ],
    later: &[],
    short: Short::None,
    choices: &[],
};

pub(super) static SERVICE_SHAPE: Shape = Shape::Table(&SERVICE);

pub(super) const LIKE: Key =
    key("like", Shape::Name, Preset::Absent, "Copies a sibling; this table is merged on top of it.");

/// `[services.*]`.
pub(super) static SERVICE: Form = Form {
    what: "a service",
    keys: &[
        LIKE,
        key("nodes", Shape::Integer(1, 100_000), Preset::Integer(1), "Machines."),
        key("workers", Shape::Count(1), Preset::Integer(1), "Requests served at once, per node."),
        key(
            "cores",
            Shape::Count(1),
            Preset::Absent,
            "`work` of more requests than these shares the CPU; else as workers.",
        ),
        key(
            "mode",
            Shape::Word(&["blocking", "async"], &[]),
            Preset::Text("blocking"),
            "blocking: a request holds its worker until the reply; async: only during `work` and local state.",
        ),
        key("queue", Shape::Table(&QUEUE), Preset::Table, "The requests that wait for a worker."),
        key("disk", Shape::Table(&DISK), Preset::Table, "The disk of each node."),
        key("clock", Shape::Table(&CLOCK), Preset::Table, "The clock of each node."),
        ZONE,
        key("zones", Shape::Names, Preset::Absent, "The zones of its nodes, dealt in turn."),
        key("external", Shape::Boolean, Preset::Boolean(false), "Not ours: random faults leave it alone.")
            .judging("only random schedules of faults read it"),
        key("mutant", Shape::Name, Preset::Absent, "A built-in wrong behaviour, for tests."),
        key(
            "process",
            Shape::Name,
            Preset::Absent,
            "A process written in Rust plays its machines; `reply` and `fail` of its ops say what it can answer.",
        ),
        key("work", DURATIONS, Preset::Absent, "Short form of one op, called `run`, that works this long."),
        key(
            "steps",
            Shape::Steps(StepsOf::Op),
            Preset::Absent,
            "Short form of one op, called `run`, with these steps.",
        ),
        key("state", Shape::Keyed(&STATE_SHAPE), Preset::Table, "What it remembers, behind all its nodes."),
        key("ops", Shape::Keyed(&OP_SHAPE), Preset::Table, "What it can be asked for."),
        key("consumers", Shape::Keyed(&CONSUMER_SHAPE), Preset::Table, "What it takes from queues and topics."),
        key("outbox", Shape::Table(&OUTBOX), Preset::Absent, "How messages of its transactions leave."),
        key(
            "deadline_check",
            Shape::Boolean,
            Preset::Absent,
            "Work whose caller's deadline has passed is not begun; else it is.",
        ),
    ],
    later: &[
        "concurrency",
        "deadline_check",
        "cold_start",
        "idle_after",
        "before",
        "routes",
        "jobs",
        "calls",
        "isolation",
        "producer",
        "register",
        "shards",
        "by",
        "spare",
    ],
    short: Short::None,
    choices: &[Choice { what: "ways to say where it is", keys: &["zone", "zones"], needed: false }],
};

static QUEUE: Form = Form {
    what: "a queue",
    keys: &[
        key(
            "capacity",
            Shape::Count(0),
            Preset::Text("unlimited"),
            "How many may wait, per node; those served do not count.",
        ),
        key(
            "order",
            Shape::Word(&["fifo", "lifo"], &["priority", "adaptive_lifo", "srpt", "processor_sharing", "random"]),
            Preset::Text("fifo"),
            "Who is served next.",
        ),
        key(
            "overflow",
            Shape::Word(&["reject", "drop_oldest"], &["wait"]),
            Preset::Text("reject"),
            "What a full queue does: the newcomer or the oldest fails with `overload`.",
        ),
    ],
    later: &["shed"],
    short: Short::Key("capacity"),
    choices: &[],
};

static STATE_SHAPE: Shape = Shape::Table(&STATE);

static STATE: Form = Form {
    what: "an item of state",
    keys: &[
        key(
            "kind",
            Shape::Word(
                &["counter", "map", "list"],
                &["register", "set", "pn_counter", "lww_register", "mv_register", "or_set", "lww_map"],
            ),
            Preset::Required,
            "counter: one integer per key; map: rows of named fields; list: values in their order.",
        ),
        key(
            "keys",
            Shape::Integer(1, 10_000_000),
            Preset::For("kind", "counter", 1),
            "Rows 0 … keys − 1 are there from the beginning; of a map none, if it is not written.",
        )
        .only("kind", &["counter", "map"]),
        key(
            "initial",
            Shape::Initial,
            Preset::For("kind", "counter", 0),
            "The first value of every row: a number, or the fields of a map's rows.",
        )
        .only("kind", &["counter", "map"]),
    ],
    later: &["scope", "ttl", "on_expiry", "copy_of"],
    short: Short::None,
    choices: &[],
};

pub(super) const IDEMPOTENT: Key = key(
    "idempotent",
    Shape::Value,
    Preset::Absent,
    "A second one with this value (`true`: with this `$id`) has no effect, and gets the first's answer.",
);

static OP_SHAPE: Shape = Shape::Table(&OP);

/// `ops.*`.
static OP: Form = Form {
    what: "an op",
    keys: &[
        key("size", Shape::Size, Preset::Text("1KiB"), "Bytes of a request."),
        key("reply_size", Shape::Size, Preset::Text("1KiB"), "Bytes of a reply."),
        key("work", DURATIONS, Preset::Absent, "Its only step works this long."),
        key("steps", Shape::Steps(StepsOf::Op), Preset::Absent, "Its steps, one after the other."),
        IDEMPOTENT,
        key("vars", Shape::Keyed(&Shape::Variable), Preset::Table, "Variables, drawn once per execution."),
    ],
    later: &["priority", "timeout"],
    short: Short::Op,
    choices: &[Choice { what: "ways to say what an op does", keys: &["work", "steps"], needed: true }],
};

pub(super) static TRANSACTION_SHAPE: Shape = Shape::Table(&TRANSACTION);

static TRANSACTION: Form = Form {
    what: "a transaction",
    keys: &[
        LIKE,
        key(
            "protocol",
            Shape::Word(
                &["2pc", "2pc_presumed_abort"],
                &["2pc_presumed_commit", "linear_2pc", "decentralised_2pc", "3pc", "paxos_commit", "tcc"],
            ),
            Preset::Required,
            "The commit protocol.",
        ),
        key("coordinator", Shape::Name, Preset::Required, "The service that coordinates."),
        key("prepare_timeout", Shape::Duration, Preset::Text("1s"), "From prepare sent to abort."),
        key(
            "decision_timeout",
            Shape::Duration,
            Preset::Text("500ms"),
            "How long a prepared participant waits before it acts as `recovery` says, and between two tries.",
        ),
        key(
            "decision_log",
            Shape::Word(&["durable", "memory"], &[]),
            Preset::Text("durable"),
            "memory: a crash of the coordinator forgets its decisions.",
        ),
        key(
            "recovery",
            Shape::Word(&["ask_coordinator", "cooperative"], &[]),
            Preset::Text("ask_coordinator"),
            "Whom a participant in doubt asks.",
        ),
        key("locks", Shape::Table(&LOCKS), Preset::Table, "Row locks at the participants."),
        key(
            "work",
            Shape::Steps(StepsOf::Transaction),
            Preset::Required,
            "Its steps on rows of services; the owners are the participants.",
        ),
    ],
    later: &["branches", "try_timeout", "acceptors", "read_only", "retry"],
    short: Short::None,
    choices: &[],
};

static LOCKS: Form = Form {
    what: "`locks`",
    keys: &[
        key(
            "mode",
            Shape::Word(&["exclusive", "none"], &["shared_exclusive"]),
            Preset::Text("exclusive"),
            "none: no locks at all, a bad design to be shown.",
        ),
        key(
            "deadlock",
            Shape::Word(&["wound_wait", "wait_die", "detect", "timeout"], &[]),
            Preset::Text("detect"),
            "What is done about deadlocks.",
        )
        .only("mode", &["exclusive"]),
        key("timeout", Shape::Duration, Preset::Absent, "A longer wait is a vote no.").only("mode", &["exclusive"]),
    ],
    later: &[],
    short: Short::Key("mode"),
    choices: &[],
};
