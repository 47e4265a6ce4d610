//! The table of faults: kinds, triggers, parameters, and the protocol points they may wait for.

use super::world::{DURATIONS, LIKE};
use super::{Choice, Form, Preset, Shape, Short, key};
use crate::scenario::distributions::Sort;

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
                    "clog",
                    "swizzle_clog",
                    "flap",
                    "disconnect",
                    "blackhole",
                    "delay",
                    "slow_link",
                    "duplicate",
                    "reorder",
                    "corrupt",
                    "bandwidth",
                    "crash_loop",
                    "slow_cpu",
                    "hang",
                    "zone_outage",
                    "rolling_restart",
                    "out_of_memory",
                    "disk_slow",
                    "disk_stall",
                    "disk_full",
                    "disk_error",
                    "disk_never",
                    "disk_bitflip",
                    "disk_torn_write",
                    "disk_fsync_lost",
                    "clock_skew",
                    "clock_drift",
                    "clock_jump",
                    "clock_strobe",
                    "clock_freeze",
                    "burst",
                    "hot_key",
                    "retry_storm",
                    "poison_message",
                    "cache_flush",
                    "call_fail_before",
                    "call_fail_after",
                    "call_error",
                    "call_slow",
                    "redeliver",
                    "lost_ack",
                    "rebalance",
                    "offset_reset",
                    "queue_full",
                    "member_add",
                    "member_remove",
                    "leader_transfer",
                    "leader_kill",
                    "buggify",
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
        key(
            "chance",
            Shape::Percentage,
            Preset::Text("100%"),
            "Whether it strikes; for a loss, the share of messages.",
        ),
        key("for", DURATIONS, Preset::Absent, "How long each instance lasts; else until heal."),
        key(
            "loses",
            Shape::Words(&["memory", "unsynced", "disk"], &[]),
            Preset::Words(&["memory", "unsynced"]),
            "What a crash loses.",
        )
        .only("kind", &["crash"]),
        key(
            "split",
            Shape::Sides,
            Preset::Absent,
            "Sides that cannot reach each other; one side: it against all others.",
        )
        .only("kind", &["partition"]),
        key(
            "direction",
            Shape::Word(&["both", "in", "out"], &[]),
            Preset::Text("both"),
            "Which way is cut, seen from the first side.",
        )
        .only("kind", &["partition"]),
        key("wire", Shape::Word(&["drop", "hold"], &[]), Preset::Text("drop"), "What happens to messages on the wire.")
            .only("kind", &["partition"]),
        key("require_effect", Shape::Boolean, Preset::Boolean(false), "No effect is an error, not a warning.")
            .judging("it judges the fault after the run"),
    ],
    later: &[
        "when", "shape", "add", "factor", "silent", "limit", "up", "down", "gap", "offset", "drift", "period", "key",
        "share", "error", "to", "knobs",
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
