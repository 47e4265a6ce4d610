//! The table of sagas. The keys of the other style are left out, so that a variant may switch it.

use super::policies::UNTIL_DONE;
use super::steps::{BREAKER_KEY, DEADLINE, RETRY_KEY, SIZES, TIMEOUT, WITH};
use super::world::LIKE;
use super::{Choice, Form, Key, Preset, Shape, Short, key};

pub(super) static SAGA_SHAPE: Shape = Shape::Table(&SAGA);

const ORCHESTRATED: &[&str] = &["orchestrated"];
const CHOREOGRAPHED: &[&str] = &["choreographed"];

static SAGA: Form = Form {
    what: "a saga",
    keys: &[
        LIKE,
        key(
            "style",
            Shape::Word(&["orchestrated", "choreographed"], &[]),
            Preset::Text("orchestrated"),
            "Its coordinator knows what comes next, or each step waits for the event of another.",
        ),
        key("coordinator", Shape::Name, Preset::Required, "The service that coordinates.").only("style", ORCHESTRATED),
        key(
            "log",
            Shape::Word(&["durable", "memory"], &[]),
            Preset::Text("durable"),
            "memory: a crash of the coordinator forgets its sagas.",
        )
        .only("style", ORCHESTRATED),
        key(
            "trigger",
            Shape::Table(&TRIGGER),
            Preset::Absent,
            "Messages that begin one; else `call = \"sagas.x\"` does.",
        ),
        key("topic", Shape::Name, Preset::Required, "The topic of its events.").only("style", CHOREOGRAPHED),
        key("steps", Shape::List(&STEP), Preset::Required, "Its steps."),
        key("on_abort", Shape::Table(&ON_ABORT), Preset::Absent, "What is called after the compensations.")
            .only("style", ORCHESTRATED),
        key(
            "compensation_retry",
            Shape::Policy(&UNTIL_DONE),
            Preset::Table,
            "How compensations are tried again, after business errors too. Default: until done.",
        ),
        key(
            "recovery",
            Shape::Word(&["backward", "forward"], &[]),
            Preset::Text("backward"),
            "When a step fails before the pivot: undo what was done, or try again.",
        ),
        key("subject", Shape::Item, Preset::Absent, "The map whose row `$id` says what became of it."),
        key(
            "inbox",
            Shape::Boolean,
            Preset::Boolean(false),
            "Participants remember (saga, step): a second event of one step has no effect.",
        )
        .only("style", CHOREOGRAPHED),
        key("isolation", Shape::Table(&ISOLATION), Preset::Absent, "What keeps others from seeing it half done."),
    ],
    later: &["via"],
    short: Short::None,
    choices: &[],
};

static TRIGGER: Form = Form {
    what: "a trigger",
    keys: &[
        key("queue", Shape::Name, Preset::Absent, "Messages of this queue."),
        key("topic", Shape::Name, Preset::Absent, "Messages of this topic."),
        key("type", Shape::Text, Preset::Absent, "Of this type; else all of them."),
    ],
    later: &[],
    short: Short::None,
    choices: &[Choice { what: "sources", keys: &["queue", "topic"], needed: true }],
};

const EVENT: &str = "Choreographed: the event when its action is done.";

/// A step. Its modifiers of calls are those of its action, and but for `retry` of its compensation.
static STEP: Form = Form {
    what: "a step of a saga",
    keys: &[
        key("name", Shape::Name, Preset::Required, "Its name."),
        key("action", Shape::CallTarget, Preset::Required, "What it does: an op."),
        key("compensate", Shape::CallTarget, Preset::Absent, "What undoes it: an op."),
        key(
            "pivot",
            Shape::Boolean,
            Preset::Absent,
            "Once it is begun there is no way back. Default: the first step without `compensate`.",
        ),
        key("on", Shape::Events, Preset::Absent, "Choreographed: the events that begin it."),
        key("emits", Shape::Text, Preset::Absent, EVENT),
        key("emits_on_failure", Shape::Text, Preset::Absent, "Choreographed: the event when its action failed."),
        key("compensate_on", Shape::Events, Preset::Absent, "Choreographed: the events that make it undo what it did."),
        WITH,
        TIMEOUT,
        RETRY_KEY,
        BREAKER_KEY,
        DEADLINE,
        SIZES.0,
        SIZES.1,
    ],
    later: &["parallel_with", "hedge", "bulkhead", "balance", "priority", "shard"],
    short: Short::None,
    choices: &[],
};

const CALL: Key = key("call", Shape::CallTarget, Preset::Required, "This op.");

static ON_ABORT: Form = Form {
    what: "`on_abort`",
    keys: &[CALL, WITH, TIMEOUT, RETRY_KEY, BREAKER_KEY, DEADLINE, SIZES.0, SIZES.1],
    later: &["hedge", "bulkhead", "balance", "priority", "shard"],
    short: Short::Key("call"),
    choices: &[],
};

static ISOLATION: Form = Form {
    what: "`isolation`",
    keys: &[
        key(
            "kind",
            Shape::Word(&["none", "semantic_lock"], &["reread", "version_file", "commutative"]),
            Preset::Required,
            "semantic_lock: the rows are marked while it is open.",
        ),
        key("keys", Shape::Rows, Preset::Absent, "Which rows; without a lock judges see who comes there."),
        key(
            "others",
            Shape::Word(&["reject", "wait"], &[]),
            Preset::Text("reject"),
            "Who comes there meanwhile fails with `locked`, or waits.",
        )
        .only("kind", &["semantic_lock"]),
    ],
    later: &[],
    short: Short::Key("kind"),
    choices: &[],
};
