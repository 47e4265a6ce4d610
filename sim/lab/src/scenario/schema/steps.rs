//! The verbs of steps, in ops and in transactions, and what modifies them.

use super::world::DURATIONS;
use super::{Choice, Key, Preset, Shape, Verb, Verbs, key};

const NAME: Key =
    key("name", Shape::Name, Preset::Absent, "For traces and for paths.").judging("it names a step in traces");

const STEP_COMMON: &[Key] =
    &[NAME, key("chance", Shape::Percentage, Preset::Text("100%"), "Else the step is skipped.")];

/// All participants, and each of them again after a crash, must do the same: so no step is left to chance.
const TRANSACTION_STEP_COMMON: &[Key] = &[NAME];

const ELSE: Key = key(
    "else",
    Shape::Else,
    Preset::Text("fail"),
    "When it cannot be done: \"fail\" with the step's error, \"skip\" it, or fail with this business error.",
);

pub(super) const TIMEOUT: Key = key("timeout", Shape::Duration, Preset::Absent, "Per try.");

pub(super) const CALL_LATER: &[&str] = &[
    "with",
    "into",
    "retry",
    "breaker",
    "hedge",
    "bulkhead",
    "balance",
    "priority",
    "shard",
    "deadline",
    "size",
    "reply_size",
    "idempotent",
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
    "parallel",
    "choose",
    "repeat",
    "when",
    "transaction",
    "scan",
    "insert",
    "upsert",
    "delete",
    "write",
    "cas",
    "append",
    "remove",
    "merge",
    "publish",
    "outbox",
    "ack",
    "nack",
    "lookup",
    "invalidate",
    "lock",
    "limit",
    "auth",
    "reply",
];

/// The verbs of steps of ops.
pub(super) static STEPS: Verbs = Verbs {
    what: "a step",
    each: &[
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
            key: key(
                "call",
                Shape::CallTarget,
                Preset::Required,
                "Asks a service, an op, or `transactions.x`, and waits.",
            ),
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
pub(super) static TRANSACTION_STEPS: Verbs = Verbs {
    what: "a step of a transaction",
    each: &[UPDATE, READ],
    common: TRANSACTION_STEP_COMMON,
    later: &["insert", "write", "delete"],
};
