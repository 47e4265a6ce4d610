//! The tables of the simulated world: time, network, services, steps, transactions, workloads, faults.

use super::{Choice, Form, Key, Preset, Shape, Short, Verb, Verbs, key};
use crate::scenario::distributions::Sort;

const DURATIONS: Shape = Shape::Distribution(Sort::Durations);

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
        key("warmup", Shape::Duration, Preset::Text("0s"), "Left out of every metric, never out of invariants."),
        key("heal", Shape::Duration, Preset::RunDuration, "Every fault is revoked here. Default: `duration`."),
        key("quiesce", Shape::Duration, Preset::Text("0s"), "At most this long after `duration` work may come to rest."),
        key("settle", Shape::Duration, Preset::Text("10s"), "How long after a fault `phase=steady` begins again.")
            .judging("it bounds a phase, and phases only sort measurements"),
        key("seed", Shape::Integer(0, i64::MAX), Preset::Integer(0), "The seed, if no flag gives one."),
        key("abort_on_fail", Shape::Names, Preset::Words(&[]), "Stop at the first violation of these.")
            .judging("it only ends a run whose verdict is certain"),
    ],
    later: &["precision"],
    short: Short::None,
    choices: &[],
};

const LATENCY: Key = key("latency", DURATIONS, Preset::Text("0s"), "One way.");
const LOSS: Key = key("loss", Shape::Percentage, Preset::Text("0%"), "Share of messages lost.");
const TRANSPORT: Key = key(
    "transport",
    Shape::Word(&["tcp", "udp"], &["http1", "http2", "grpc"]),
    Preset::Text("tcp"),
    "tcp: ordered, a loss becomes a delay; udp: lost is lost.",
);
const NETWORK_LATER: &[&str] = &["preset", "duplicate", "reorder", "corrupt", "bandwidth", "buffer"];

const fn absent(mut key: Key) -> Key {
    key.preset = Preset::Absent;
    key
}

pub(super) static NETWORK: Form = Form {
    what: "`[network]`",
    keys: &[
        LATENCY,
        LOSS,
        TRANSPORT,
        key("links", Shape::Links(&LINK), Preset::Table, "The same keys for `\"a -> b\"` or `\"a <-> b\"`."),
    ],
    later: NETWORK_LATER,
    short: Short::None,
    choices: &[],
};

pub(super) static LINK: Form = Form {
    what: "a link",
    keys: &[absent(LATENCY), absent(LOSS), absent(TRANSPORT)],
    later: NETWORK_LATER,
    short: Short::None,
    choices: &[],
};

pub(super) static SERVICE_SHAPE: Shape = Shape::Table(&SERVICE);

const LIKE: Key = key("like", Shape::Name, Preset::Absent, "Copies a sibling; this table is merged on top of it.");

/// `[services.*]`.
pub(super) static SERVICE: Form = Form {
    what: "a service",
    keys: &[
        LIKE,
        key("nodes", Shape::Integer(1, 10_000), Preset::Integer(1), "Machines."),
        key("workers", Shape::Count(1), Preset::Integer(1), "Requests served at once, per node."),
        key(
            "mode",
            Shape::Word(&["blocking", "async"], &[]),
            Preset::Text("blocking"),
            "blocking: a request holds its worker until the reply; async: only during `work` and local state.",
        ),
        key("queue", Shape::Table(&QUEUE), Preset::Table, "The requests that wait for a worker."),
        key("disk", Shape::Table(&DISK), Preset::Table, "The disk of each node."),
        key("external", Shape::Boolean, Preset::Boolean(false), "Not ours: random faults leave it alone.")
            .judging("only random schedules of faults read it"),
        key("mutant", Shape::Name, Preset::Absent, "A built-in wrong behaviour, for tests."),
        key("work", DURATIONS, Preset::Absent, "Short form of one op, called `run`, that works this long."),
        key("steps", Shape::Steps(&STEPS), Preset::Absent, "Short form of one op, called `run`, with these steps."),
        key("state", Shape::Keyed(&STATE_SHAPE), Preset::Table, "What it remembers, behind all its nodes."),
        key("ops", Shape::Keyed(&OP_SHAPE), Preset::Table, "What it can be asked for."),
    ],
    later: &[
        "cores", "concurrency", "deadline_check", "cold_start", "idle_after", "before", "routes", "consumers", "jobs",
        "calls", "isolation", "outbox", "producer", "register", "shards", "by", "spare", "zone", "zones", "clock",
    ],
    short: Short::None,
    choices: &[],
};

static QUEUE: Form = Form {
    what: "a queue",
    keys: &[
        key("capacity", Shape::Count(0), Preset::Text("unlimited"), "How many may wait, per node; those served do not count."),
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

static DISK: Form = Form {
    what: "a disk",
    keys: &[key("fsync", DURATIONS, Preset::Text("0s"), "How long a write takes to be durable.")],
    later: &["throughput", "group_commit", "capacity"],
    short: Short::Key("fsync"),
    choices: &[],
};

static STATE_SHAPE: Shape = Shape::Table(&STATE);

static STATE: Form = Form {
    what: "an item of state",
    keys: &[
        key(
            "kind",
            Shape::Word(
                &["counter"],
                &["register", "map", "list", "set", "pn_counter", "lww_register", "mv_register", "or_set", "lww_map"],
            ),
            Preset::Required,
            "counter: one integer per key.",
        ),
        key("keys", Shape::Integer(1, 10_000_000), Preset::Integer(1), "How many rows: 0 … keys − 1."),
        key("initial", Shape::Integer(i64::MIN, i64::MAX), Preset::Integer(0), "The first value of every row."),
    ],
    later: &["scope", "ttl", "on_expiry", "copy_of"],
    short: Short::None,
    choices: &[],
};

static OP_SHAPE: Shape = Shape::Table(&OP);

/// `ops.*`.
pub(in crate::scenario) static OP: Form = Form {
    what: "an op",
    keys: &[
        key("size", Shape::Size, Preset::Text("1KiB"), "Bytes of a request."),
        key("reply_size", Shape::Size, Preset::Text("1KiB"), "Bytes of a reply."),
        key("work", DURATIONS, Preset::Absent, "Its only step works this long."),
        key("steps", Shape::Steps(&STEPS), Preset::Absent, "Its steps, one after the other."),
    ],
    later: &["idempotent", "vars", "priority", "timeout"],
    short: Short::Op,
    choices: &[Choice { what: "ways to say what an op does", keys: &["work", "steps"], needed: true }],
};

const STEP_COMMON: &[Key] = &[
    key("name", Shape::Name, Preset::Absent, "For traces and for paths.").judging("it names a step in traces"),
    key("chance", Shape::Percentage, Preset::Text("100%"), "Else the step is skipped."),
];

const ELSE: Key = key(
    "else",
    Shape::Else,
    Preset::Text("fail"),
    "When it cannot be done: \"fail\" with the step's error, \"skip\" it, or fail with this business error.",
);

const TIMEOUT: Key = key("timeout", Shape::Duration, Preset::Absent, "Per try.");

const CALL_LATER: &[&str] = &[
    "with", "into", "retry", "breaker", "hedge", "bulkhead", "balance", "priority", "shard", "deadline", "size",
    "reply_size", "idempotent",
];

const UPDATE: Verb = Verb {
    key: key("update", Shape::Row, Preset::Required, "Changes a row: `accounts[$from]`."),
    modifiers: &[
        key("add", Shape::Expression, Preset::Absent, "Adds this."),
        key("set", Shape::Assigned, Preset::Absent, "Becomes this: a number, `\"$x\"`, or `\"= $x * 2\"`."),
        key("if", Shape::Expression, Preset::Absent, "Only if this holds; else it fails."),
        ELSE,
    ],
    later: &["into", "timeout"],
    choices: &[Choice { what: "changes", keys: &["add", "set"], needed: true }],
};

const READ: Verb = Verb {
    key: key("read", Shape::Row, Preset::Required, "Reads a row."),
    modifiers: &[],
    later: &["into", "if", "else", "timeout"],
    choices: &[],
};

const VERBS_LATER: &[&str] = &[
    "parallel", "choose", "repeat", "when", "transaction", "scan", "insert", "upsert", "delete", "write", "cas", "append",
    "remove", "merge", "publish", "outbox", "ack", "nack", "lookup", "invalidate", "lock", "limit", "auth", "reply",
];

/// The verbs of steps of ops.
pub(super) static STEPS: Verbs = Verbs {
    what: "a step",
    verbs: &[
        Verb {
            key: key("work", DURATIONS, Preset::Required, "CPU time; uses a worker."),
            modifiers: &[],
            later: &["cores", "timeout"],
            choices: &[],
        },
        Verb {
            key: key("sleep", DURATIONS, Preset::Required, "Time without CPU."),
            modifiers: &[],
            later: &["timeout"],
            choices: &[],
        },
        Verb {
            key: key("call", Shape::CallTarget, Preset::Required, "Asks a service, an op, or `transactions.x`, and waits."),
            modifiers: &[TIMEOUT, ELSE],
            later: CALL_LATER,
            choices: &[],
        },
        Verb {
            key: key("fail", Shape::Name, Preset::Required, "The request fails with this business error."),
            modifiers: &[],
            later: &["timeout"],
            choices: &[],
        },
        UPDATE,
        READ,
    ],
    common: STEP_COMMON,
    later: VERBS_LATER,
};

/// The verbs of the work of a transaction.
static TRANSACTION_STEPS: Verbs = Verbs {
    what: "a step of a transaction",
    verbs: &[UPDATE, READ],
    common: STEP_COMMON,
    later: &["insert", "write", "delete"],
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
            Shape::Steps(&TRANSACTION_STEPS),
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

pub(super) static WORKLOAD_SHAPE: Shape = Shape::Table(&WORKLOAD);

static WORKLOAD: Form = Form {
    what: "a workload",
    keys: &[
        LIKE,
        key("rate", Shape::Rate, Preset::Absent, "Open loop: operations begin at this rate."),
        key("users", Shape::Integer(1, 1_000_000), Preset::Absent, "Closed loop: each has one operation at a time."),
        key("trace", Shape::Trace, Preset::Absent, "Operations begin at these times."),
        key(
            "arrivals",
            Shape::Word(&["poisson", "even"], &[]),
            Preset::Text("poisson"),
            "How an open loop spreads its arrivals.",
        )
        .only("rate", &[]),
        key("think", DURATIONS, Preset::Text("0s"), "Between an answer and the user's next operation.")
            .only("users", &[]),
        key("start", Shape::Duration, Preset::Text("0s"), "It begins here."),
        key("stop", Shape::Duration, Preset::RunDuration, "It ends here. Default: `run.duration`."),
        key("target", Shape::CallTarget, Preset::Required, "What each operation calls."),
        key("client", Shape::Table(&CLIENT), Preset::Table, "How the whole operation is called."),
        key(
            "vars",
            Shape::Keyed(&Shape::Distribution(Sort::Numbers)),
            Preset::Table,
            "Variables, drawn once per operation.",
        ),
    ],
    later: &["stages", "bursts", "iterations", "total", "steps", "mix", "clients", "bad_tokens", "zone"],
    short: Short::None,
    choices: &[Choice { what: "kinds of load", keys: &["rate", "users", "trace"], needed: true }],
};

static CLIENT: Form = Form {
    what: "`client`",
    keys: &[TIMEOUT],
    later: CALL_LATER,
    short: Short::None,
    choices: &[],
};

pub(super) static FAULT_SHAPE: Shape = Shape::Table(&FAULT);

/// Protocol points by name; the first word `commit` is whatever protocol the transaction has.
pub(in crate::scenario) const POINTS: &[&str] = &[
    "2pc.coordinator.before_prepare_sent",
    "2pc.coordinator.after_last_vote",
    "2pc.coordinator.before_decision_logged",
    "2pc.coordinator.after_decision_logged",
    "2pc.coordinator.after_first_decision_sent",
    "2pc.coordinator.after_end",
    "2pc.participant.before_vote_logged",
    "2pc.participant.after_vote_logged",
    "2pc.participant.after_vote_sent",
    "2pc.participant.after_decision_logged",
];

static FAULT: Form = Form {
    what: "a fault",
    keys: &[
        LIKE,
        key(
            "kind",
            Shape::Word(
                &["crash", "pause", "partition", "loss"],
                &[
                    "clog", "swizzle_clog", "flap", "disconnect", "blackhole", "delay", "slow_link", "duplicate",
                    "reorder", "corrupt", "bandwidth", "crash_loop", "slow_cpu", "hang", "zone_outage",
                    "rolling_restart", "out_of_memory", "disk_slow", "disk_stall", "disk_full", "disk_error",
                    "disk_never", "disk_bitflip", "disk_torn_write", "disk_fsync_lost", "clock_skew", "clock_drift",
                    "clock_jump", "clock_strobe", "clock_freeze", "burst", "hot_key", "retry_storm", "poison_message",
                    "cache_flush", "call_fail_before", "call_fail_after", "call_error", "call_slow", "redeliver",
                    "lost_ack", "rebalance", "offset_reset", "queue_full", "member_add", "member_remove",
                    "leader_transfer", "leader_kill", "buggify",
                ],
            ),
            Preset::Required,
            "What goes wrong.",
        ),
        key("target", Shape::Targets, Preset::Absent, "What it acts on: nodes; links or nodes for a loss."),
        key("at", DURATIONS, Preset::Absent, "It strikes once, at this time."),
        key("every", Shape::Duration, Preset::Absent, "It strikes again and again within its window."),
        key("rate", Shape::Rate, Preset::Absent, "It strikes at random times at this rate within its window."),
        key("point", Shape::Point, Preset::Absent, "It strikes when a protocol reaches this point."),
        key("after", Shape::Table(&AFTER), Preset::Absent, "It strikes some time after another fault did."),
        key("window", Shape::WindowOrPhase, Preset::Chaos, "Where it may strike. Default: from warm-up to heal."),
        key("of", Shape::Path, Preset::Absent, "Whose point: `transactions.transfer`.").only("point", &[]),
        key("nth", Shape::Distribution(Sort::Counts), Preset::Absent, "Which occurrence of the point; else the first.")
            .only("point", &[]),
        key("chance", Shape::Percentage, Preset::Text("100%"), "Whether it strikes; for a loss, the share of messages."),
        key("for", DURATIONS, Preset::Absent, "How long each instance lasts; else until heal."),
        key(
            "loses",
            Shape::Words(&["memory", "unsynced", "disk"], &[]),
            Preset::Words(&["memory", "unsynced"]),
            "What a crash loses.",
        )
        .only("kind", &["crash"]),
        key("split", Shape::Sides, Preset::Absent, "Sides that cannot reach each other; one side: it against all others.")
            .only("kind", &["partition"]),
        key(
            "direction",
            Shape::Word(&["both", "in", "out"], &[]),
            Preset::Text("both"),
            "Which way is cut, seen from the first side.",
        )
        .only("kind", &["partition"]),
        key(
            "wire",
            Shape::Word(&["drop", "hold"], &[]),
            Preset::Text("drop"),
            "What happens to messages on the wire.",
        )
        .only("kind", &["partition"]),
        key("require_effect", Shape::Boolean, Preset::Boolean(false), "No effect is an error, not a warning.")
            .judging("it judges the fault after the run"),
    ],
    later: &[
        "when", "shape", "add", "factor", "silent", "limit", "up", "down", "gap", "offset", "drift", "period",
        "key", "share", "error", "to", "knobs",
    ],
    short: Short::None,
    choices: &[Choice { what: "triggers", keys: &["at", "every", "rate", "point", "after"], needed: false }],
};

static AFTER: Form = Form {
    what: "`after`",
    keys: &[
        key("fault", Shape::Name, Preset::Required, "That fault."),
        key("delay", DURATIONS, Preset::Text("0s"), "How long after it began."),
    ],
    later: &[],
    short: Short::Key("fault"),
    choices: &[],
};
