//! The tables of policies: named once, used by name, or written where they are used.

use super::world::LIKE;
use super::{Choice, Form, Key, Preset, Shape, Short, key};

/// The policies that have a section.
pub(in crate::scenario) static POLICIES: [&Form; 2] = [&RETRY, &BREAKER];

pub(super) static RETRY_SHAPE: Shape = Shape::Table(&RETRY);

/// The system errors that a call may be tried again after.
const RETRIED: Shape = Shape::Words(
    &["timeout", "unavailable", "overload", "breaker_open"],
    &["no_leader", "not_enough_replicas", "corrupt"],
);

const RETRY_ON: Key = key(
    "retry_on",
    RETRIED,
    Preset::Words(&["timeout", "unavailable", "overload"]),
    "The system errors after which it is tried again; business errors are final.",
);

const TRIES: &str = "Tries in all, the first included.";

/// `[retry.*]`, or an inline policy.
pub(super) static RETRY: Form = Form {
    what: "a retry policy",
    keys: &[
        LIKE,
        key("attempts", Shape::Count(1), Preset::Integer(3), TRIES),
        key("backoff", Shape::Table(&BACKOFF), Preset::Absent, "How long before the next try; else none."),
        RETRY_ON,
        BUDGET_KEY,
    ],
    later: &["avoid_tried_node"],
    short: Short::None,
    choices: &[],
};

/// The same for what is done until it succeeds, if nothing else is written.
pub(super) static UNTIL_DONE: Form = Form {
    what: "a retry policy",
    keys: &[
        key("attempts", Shape::Count(1), Preset::Text("unlimited"), TRIES),
        key("backoff", Shape::Table(&PATIENT), Preset::Table, "How long before the next try."),
        RETRY_ON,
        BUDGET_KEY,
    ],
    later: &["avoid_tried_node"],
    short: Short::None,
    choices: &[],
};

const BUDGET_KEY: Key =
    key("budget", Shape::Table(&BUDGET), Preset::Absent, "What limits retries as a whole, per node of the caller.");

const KIND: &[&str] = &["constant", "exponential", "decorrelated"];
const GROWING: &[&str] = &["exponential", "decorrelated"];

const fn kind(preset: &'static str) -> Key {
    key("kind", Shape::Word(KIND, &[]), Preset::Text(preset), "How it grows.")
}

const FACTOR: Key = key("factor", Shape::Factor(1.0), Preset::Integer(2), "How many times as long each time.")
    .only("kind", &["exponential"]);

const JITTER: Key = key(
    "jitter",
    Shape::Word(&["none", "full", "equal"], &[]),
    Preset::Chosen("kind", &[("exponential", "full"), ("constant", "none")]),
    "What is left to chance: nothing, all of it, half of it.",
)
.only("kind", &["constant", "exponential"]);

static BACKOFF: Form = Form {
    what: "a backoff",
    keys: &[
        kind("constant"),
        key("base", Shape::Duration, Preset::Required, "Before the second try."),
        FACTOR,
        key("max", Shape::Duration, Preset::Absent, "It is never longer than this.").only("kind", GROWING),
        JITTER,
    ],
    later: &[],
    short: Short::Key("base"),
    choices: &[],
};

/// The backoff of what must succeed.
static PATIENT: Form = Form {
    what: "a backoff",
    keys: &[
        kind("exponential"),
        key("base", Shape::Duration, Preset::Text("100ms"), "Before the second try."),
        FACTOR,
        key("max", Shape::Duration, Preset::Text("5s"), "It is never longer than this.").only("kind", GROWING),
        JITTER,
    ],
    later: &[],
    short: Short::Key("base"),
    choices: &[],
};

static BUDGET: Form = Form {
    what: "a retry budget",
    keys: &[
        key("share", Shape::Percentage, Preset::Absent, "Retries are at most this share of the caller's requests."),
        key("tokens", Shape::Integer(1, 1_000_000), Preset::Absent, "Each retry takes one of so many tokens."),
        key("refill", Shape::Rate, Preset::Required, "New tokens.").only("tokens", &[]),
    ],
    later: &[],
    short: Short::Key("share"),
    choices: &[Choice { what: "budgets", keys: &["share", "tokens"], needed: true }],
};

pub(super) static BREAKER_SHAPE: Shape = Shape::Table(&BREAKER);

/// `[breaker.*]`, or an inline policy.
pub(super) static BREAKER: Form = Form {
    what: "a circuit breaker",
    keys: &[
        LIKE,
        key("failure_rate", Shape::Percentage, Preset::Text("50%"), "It opens at this share of failures."),
        key("slow_rate", Shape::Percentage, Preset::Absent, "It opens at this share of slow calls."),
        key("slow_after", Shape::Duration, Preset::Required, "A call this long is slow.").only("slow_rate", &[]),
        key(
            "window",
            Shape::CallsOrDuration,
            Preset::Integer(100),
            "It looks at so many calls, or at those of this last time.",
        ),
        key(
            "min_calls",
            Shape::Integer(1, 1_000_000),
            Preset::MinCalls,
            "Fewer calls open nothing. Default: the window if it counts calls, else 20.",
        ),
        key("open_for", Shape::Duration, Preset::Text("60s"), "How long it stays open."),
        key("trials", Shape::Integer(1, 1_000_000), Preset::Integer(10), "Calls let through when it is half open."),
        key(
            "scope",
            Shape::Word(&["node", "service"], &[]),
            Preset::Text("node"),
            "At each node of the caller: one for each node of the callee, or one for all of it.",
        ),
    ],
    later: &[],
    short: Short::None,
    choices: &[],
};
