//! The verbs of steps, in ops and in transactions, and what modifies them.

use super::messaging::ANYWHERE;
use super::policies::{BREAKER, RETRY};
use super::world::DURATIONS;
use super::{Choice, Key, Preset, Shape, StepsOf, Verb, Verbs, key};
use crate::scenario::distributions::Sort;

const NAME: Key =
    key("name", Shape::Name, Preset::Absent, "For traces and for paths.").judging("it names a step in traces");

const STEP_COMMON: &[Key] =
    &[NAME, key("chance", Shape::Percentage, Preset::Text("100%"), "Else the step is skipped.")];

/// All participants, and each of them again after a crash, must do the same: so no step is left to chance.
const TRANSACTION_STEP_COMMON: &[Key] = &[NAME];

const ELSE: Key = key(
    "else",
    Shape::Else(StepsOf::Op),
    Preset::Text("fail"),
    "When it cannot be done: \"fail\" with the step's error, \"skip\" it, fail with this business error, or do these \
     steps.",
);

pub(super) const TIMEOUT: Key = key("timeout", Shape::Duration, Preset::Absent, "Per try.");

pub(super) const WITH: Key =
    key("with", Shape::Keyed(&Shape::Value), Preset::Absent, "Variables for the callee, besides those of the request.");

pub(super) const RETRY_KEY: Key =
    key("retry", Shape::Policy(&RETRY), Preset::Absent, "How it is tried again: a policy or its name.");

pub(super) const BREAKER_KEY: Key =
    key("breaker", Shape::Policy(&BREAKER), Preset::Absent, "When it is not even tried: a policy or its name.");

pub(super) const DEADLINE: Key = key(
    "deadline",
    Shape::Word(&["propagate", "none"], &[]),
    Preset::Absent,
    "none: the caller's deadline does not go with it; else it does.",
);

pub(super) const SIZES: (Key, Key) = (
    key("size", Shape::Size, Preset::Absent, "Bytes of the request, instead of what the op says."),
    key("reply_size", Shape::Size, Preset::Absent, "Bytes of the reply, instead of what the op says."),
);

/// Modifiers of everything that is sent and answered.
pub(super) static SENT: [Key; 6] = [TIMEOUT, RETRY_KEY, BREAKER_KEY, DEADLINE, SIZES.0, SIZES.1];

pub(super) const CALL_LATER: &[&str] = &["hedge", "bulkhead", "balance", "priority", "shard", "idempotent"];

const INTO: Key = key("into", Shape::Name, Preset::Absent, "The variable that what was found goes into.");

const IF: Key = key("if", Shape::Expression, Preset::Absent, "Only if this holds; else it fails.");

const FIELDS: Key = key("set", Shape::Keyed(&Shape::Value), Preset::Absent, "Its fields.");

const VALUE: Key = key("value", Shape::Value, Preset::Required, "What is written, appended or taken out.");

const ROW_LATER: &[&str] = &["timeout"];

const UPDATE: Verb = Verb {
    key: key("update", Shape::Row, Preset::Required, "Changes a row: `accounts[$from]`."),
    modifiers: &[
        key("add", Shape::Expression, Preset::Absent, "Adds this."),
        key(
            "set",
            Shape::Assigned,
            Preset::Absent,
            "Becomes this: a number, `\"$x\"`, or `\"= $x * 2\"`; of a map's row, these fields.",
        ),
        IF,
        INTO,
        ELSE,
    ],
    later: ROW_LATER,
    choices: &[Choice { what: "changes", keys: &["add", "set"], needed: true }],
};

const READ: Verb = Verb {
    key: key("read", Shape::Row, Preset::Required, "Reads a row; a missing one is null."),
    modifiers: &[INTO],
    later: &["if", "else", "timeout"],
    choices: &[],
};

/// Steps that may be about a key of a replicated store have what those need.
const READ_ANY: Verb = plain(
    verb("read", Shape::Row, "Reads a row, or a key of a store; a missing one is null."),
    &[INTO, TIMEOUT, ELSE],
    &["if"],
);

const WRITE_ANY: Verb = plain(
    verb("write", Shape::Row, "A row of a counter, or a key of a store, becomes `value`."),
    &[VALUE, TIMEOUT, ELSE],
    &[],
);

const DELETE_ANY: Verb = plain(
    verb("delete", Shape::Row, "Takes a row out of a map, where it must be, or a key out of a store."),
    &[IF, TIMEOUT, ELSE],
    &[],
);

const CAS: Verb = plain(
    verb("cas", Shape::Row, "A key of a store becomes `value` if it is `expected`; fails if it is not."),
    &[key("expected", Shape::Value, Preset::Required, "What it must be; `none`: not there."), VALUE, TIMEOUT, ELSE],
    &[],
);

const VERBS_LATER: &[&str] =
    &["parallel", "choose", "merge", "ack", "nack", "lookup", "invalidate", "lock", "limit", "auth"];

const fn plain(key: Key, modifiers: &'static [Key], later: &'static [&'static str]) -> Verb {
    Verb { key, modifiers, later, choices: &[] }
}

const fn verb(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    key(name, shape, Preset::Required, doc)
}

const MESSAGE_KEY: Key = key(
    "key",
    Shape::Value,
    Preset::Absent,
    "What exchanges route by, and what orders messages; else the request's id.",
);

const MESSAGE_TYPE: Key = key("type", Shape::Value, Preset::Absent, "What consumers and sagas choose by.");

const MESSAGE_SIZE: Key =
    key("size", Shape::Size, Preset::Absent, "Bytes of the message, instead of what the queue says.");

const MESSAGE_LATER: &[&str] = &["partition", "priority"];

/// The verbs of steps of ops.
pub(super) static STEPS: Verbs = Verbs {
    what: "a step",
    each: &[
        plain(verb("work", DURATIONS, "CPU time; uses a worker."), &[], &["cores", "timeout"]),
        plain(verb("sleep", DURATIONS, "Time without CPU."), &[], &["timeout"]),
        plain(
            verb("call", Shape::CallTarget, "Asks a service, an op, `transactions.x` or `sagas.x`, and waits."),
            &[WITH, INTO, TIMEOUT, RETRY_KEY, BREAKER_KEY, DEADLINE, SIZES.0, SIZES.1, ELSE],
            CALL_LATER,
        ),
        plain(verb("fail", Shape::Name, "The request fails with this business error."), &[], &["timeout"]),
        plain(verb("reply", Shape::Value, "Answers now; later steps go on without the caller."), &[], &[]),
        plain(
            verb("when", Shape::Expression, "One way or the other."),
            &[
                key("then", Shape::Steps(StepsOf::Op), Preset::Required, "If it holds."),
                key("else", Shape::Steps(StepsOf::Op), Preset::Absent, "If it does not."),
            ],
            &["timeout"],
        ),
        plain(
            verb("repeat", Shape::Steps(StepsOf::Op), "The same steps several times; `$i` counts from 0."),
            &[key("times", Shape::Distribution(Sort::Counts), Preset::Required, "How often.")],
            &["while", "timeout"],
        ),
        plain(
            verb("transaction", Shape::Steps(StepsOf::Op), "Steps on the state of this service: all of them or none."),
            &[ELSE],
            &["isolation", "retry", "timeout"],
        ),
        plain(verb("insert", Shape::Row, "A new row of a map; fails if it is there."), &[FIELDS, ELSE], ROW_LATER),
        UPDATE,
        plain(
            verb("upsert", Shape::Row, "A row of a map, whether it is there or not."),
            &[FIELDS, IF, ELSE],
            ROW_LATER,
        ),
        DELETE_ANY,
        READ_ANY,
        CAS,
        plain(
            verb("scan", Shape::Item, "Reads the rows of a map."),
            &[
                key("if", Shape::Expression, Preset::Absent, "Which rows; bare names are their fields."),
                key("max", Shape::Count(1), Preset::Text("unlimited"), "At most so many, in the order of their keys."),
                INTO,
            ],
            &["since", "sort", "timeout"],
        ),
        WRITE_ANY,
        plain(verb("append", Shape::Row, "Puts `value` at the end of a list."), &[VALUE], ROW_LATER),
        plain(
            verb("remove", Shape::Row, "Takes the first `value` out of a list; fails if there is none."),
            &[VALUE, ELSE],
            ROW_LATER,
        ),
        plain(
            verb("publish", ANYWHERE, "A message to a queue, an exchange or a topic."),
            &[
                MESSAGE_KEY,
                MESSAGE_TYPE,
                WITH,
                MESSAGE_SIZE,
                key("confirm", Shape::Boolean, Preset::Boolean(true), "It waits until the broker has it."),
                TIMEOUT,
                RETRY_KEY,
                ELSE,
            ],
            MESSAGE_LATER,
        ),
        plain(
            verb("outbox", ANYWHERE, "The same, in a transaction: the relay sends it after the commit."),
            &[MESSAGE_KEY, MESSAGE_TYPE, WITH, MESSAGE_SIZE],
            MESSAGE_LATER,
        ),
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

const WEIGHT: Key = key("weight", Shape::Factor(0.0), Preset::Required, "How often, compared with the others.");

/// The verbs of `steps` of a workload.
pub(super) static CLIENT_STEPS: Verbs =
    Verbs { what: "a step of a workload", each: CLIENT_VERBS, common: STEP_COMMON, later: CLIENT_LATER };

/// The verbs of `mix` of a workload.
pub(super) static MIX_STEPS: Verbs =
    Verbs { what: "a step of a mix", each: CLIENT_VERBS, common: &[NAME, WEIGHT], later: CLIENT_LATER };

const CLIENT_VERBS: &[Verb] = &[READ_ANY, WRITE_ANY, DELETE_ANY, CAS];

const CLIENT_LATER: &[&str] = &["call", "sleep", "publish", "repeat", "when", "parallel", "choose"];
