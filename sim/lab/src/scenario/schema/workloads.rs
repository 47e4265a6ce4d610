//! The table of workloads: how operations come, and what they call.

use super::hardware::ZONE;
use super::steps::{CALL_LATER, SENT};
use super::world::{DURATIONS, LIKE};
use super::{Choice, Form, Preset, Shape, Short, StepsOf, key};

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
        key("target", Shape::CallTarget, Preset::Absent, "What each operation calls."),
        key(
            "steps",
            Shape::Steps(StepsOf::Client),
            Preset::Absent,
            "What each operation does at stores, one after the other.",
        ),
        key("mix", Shape::Steps(StepsOf::Mix), Preset::Absent, "Each operation is one of these, by their weights."),
        key("client", Shape::Table(&CLIENT), Preset::Table, "How the whole operation is called."),
        key(
            "stages",
            Shape::List(&STAGE),
            Preset::Absent,
            "How the load changes, one after the other; the last holds.",
        ),
        key(
            "only",
            Shape::Operations(&BEGIN),
            Preset::Absent,
            "Only these operations, by number from 0, or with the times at which they begin; nobody else's draws change.",
        ),
        key("clients", Shape::Count(1), Preset::Absent, "Identities of an open loop; else each operation its own."),
        key("vars", Shape::Keyed(&Shape::Variable), Preset::Table, "Variables, drawn once per operation."),
        ZONE,
    ],
    later: &["bursts", "iterations", "total", "bad_tokens"],
    short: Short::None,
    choices: &[
        Choice { what: "kinds of load", keys: &["rate", "users", "trace"], needed: true },
        Choice { what: "ways to say what an operation does", keys: &["target", "steps", "mix"], needed: true },
    ],
};

static BEGIN: Form = Form {
    what: "an operation",
    keys: &[
        key("n", Shape::Integer(0, NUMBER_MAX), Preset::Required, "Its number, which its draws are keyed with."),
        key(
            "at",
            Shape::Duration,
            Preset::Required,
            "When it begins; if its user is busy then, as soon as that is over.",
        ),
        key("user", Shape::Integer(0, 999_999), Preset::Absent, "Whose it is, in a closed loop; from 0."),
    ],
    later: &[],
    short: Short::None,
    choices: &[],
};

/// Numbers of operations stay below this, for ids hold the workload too.
const NUMBER_MAX: i64 = (1 << 40) - 2;

static CLIENT: Form = Form { what: "`client`", keys: &SENT, later: CALL_LATER, short: Short::None, choices: &[] };

static STAGE: Form = Form {
    what: "a stage",
    keys: &[
        key("to", Shape::RateOrUsers, Preset::Absent, "The rate, or the number of users, that it leads to, evenly."),
        key("over", Shape::Duration, Preset::Required, "How long that takes.").only("to", &[]),
        key("hold", Shape::Duration, Preset::Absent, "Nothing changes for this long."),
    ],
    later: &["shape"],
    short: Short::None,
    choices: &[Choice { what: "things a stage does", keys: &["to", "hold"], needed: true }],
};
