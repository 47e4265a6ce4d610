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
    "raft.after_vote_persisted",
    "raft.after_vote_sent",
    "raft.after_elected",
    "raft.after_entries_persisted",
    "raft.after_agreed",
    "raft.after_first_agreed",
    "raft.after_snapshot",
    "saga.step.before_action",
    "saga.step.after_action",
    "saga.step.before_compensate",
    "saga.step.after_compensate",
    "outbox.after_write",
    "outbox.after_send",
    "outbox.before_mark",
    "consumer.after_deliver",
    "consumer.after_effect_before_ack",
    "consumer.after_ack",
    "broker.after_store_before_confirm",
    "broker.after_deliver_before_ack",
    "service.before_write",
    "service.after_write",
    "service.before_reply",
];

static FAULT: Form = Form {
    what: "a fault",
    keys: &[
        LIKE,
        key(
            "kind",
            Shape::Word(
                &["crash", "pause", "partition", "loss", "duplicate", "slow_cpu", "redeliver", "clock_jump"],
                &[
                    "clog",
                    "swizzle_clog",
                    "flap",
                    "disconnect",
                    "blackhole",
                    "delay",
                    "slow_link",
                    "reorder",
                    "corrupt",
                    "bandwidth",
                    "crash_loop",
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
        key(
            "target",
            Shape::Targets,
            Preset::Absent,
            "What it acts on: nodes; links or nodes for a loss and for duplicates; queues and topics for redelivery.",
        ),
        key("at", DURATIONS, Preset::Absent, "It strikes once, at this time."),
        key("every", Shape::Duration, Preset::Absent, "It strikes again and again within its window."),
        key("rate", Shape::Rate, Preset::Absent, "It strikes at random times at this rate within its window."),
        key("point", Shape::Point, Preset::Absent, "It strikes when a protocol reaches this point."),
        key("after", Shape::Table(&AFTER), Preset::Absent, "It strikes some time after another fault did."),
        key(
            "instances",
            Shape::List(&INSTANCE),
            Preset::Absent,
            "It strikes exactly so and not otherwise: what random ones came to, written down.",
        ),
        key("window", Shape::WindowOrPhase, Preset::Chaos, "Where it may strike. Default: from warm-up to heal."),
        key(
            "of",
            Shape::Path,
            Preset::Absent,
            "Whose point: `transactions.transfer`, `orders.place`, `sagas.checkout.charge`.",
        )
        .only("point", &[]),
        key("nth", Shape::Distribution(Sort::Counts), Preset::Absent, "Which occurrence of the point; else the first.")
            .only("point", &[]),
        key(
            "chance",
            Shape::Percentage,
            Preset::Text("100%"),
            "Whether it strikes; for a loss, duplicates and redelivery, the share of messages.",
        ),
        key("for", DURATIONS, Preset::Absent, "How long each instance lasts; else until heal."),
        key(
            "loses",
            Shape::Words(&["memory", "unsynced", "disk"], &[]),
            Preset::Words(&["memory", "unsynced"]),
            "What a crash loses.",
        )
        .only("kind", &["crash"]),
        key("factor", Shape::Factor(0.0), Preset::Required, "How many times as long its CPUs need.")
            .only("kind", &["slow_cpu"]),
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
        key(
            "offset",
            Shape::Distribution(Sort::Offsets),
            Preset::Required,
            "By how much a clock is set, ahead or back (`\"-500ms\"`); drawn for each machine.",
        )
        .only("kind", &["clock_jump"]),
        key("require_effect", Shape::Boolean, Preset::Boolean(false), "No effect is an error, not a warning.")
            .judging("it judges the fault after the run"),
    ],
    later: &[
        "when", "shape", "add", "silent", "limit", "up", "down", "gap", "drift", "period", "key", "share", "error",
        "to", "knobs",
    ],
    short: Short::None,
    choices: &[Choice {
        what: "triggers",
        keys: &["at", "every", "rate", "point", "after", "instances"],
        needed: false,
    }],
};

static INSTANCE: Form = Form {
    what: "an instance",
    keys: &[
        key(
            "n",
            Shape::Integer(0, 999_999),
            Preset::Absent,
            "Its number, which its draws are keyed with; else its place.",
        ),
        key("at", Shape::Duration, Preset::Required, "When it begins."),
        key("for", Shape::Duration, Preset::Absent, "How long it lasts; else until heal."),
        key("target", Shape::Targets, Preset::Absent, "Whom it hits; else those of the fault."),
        key("split", Shape::Sides, Preset::Absent, "The sides of a partition; else those of the fault."),
        key(
            "hits",
            Shape::Hits,
            Preset::Absent,
            "The messages that are lost, copied or delivered again; else by `chance`.",
        ),
        key(
            "offset",
            Shape::Distribution(Sort::Offsets),
            Preset::Absent,
            "By how much a clock is set; else as the fault says.",
        ),
    ],
    later: &[],
    short: Short::None,
    choices: &[],
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

/// `[repro]`.
pub(super) static REPRO: Form = Form {
    what: "`[repro]`",
    keys: &[
        key("epoch", Shape::Integer(1, 1_000_000), Preset::Required, "The engine's version of the event order."),
        key("fingerprint", Shape::Text, Preset::Required, "Over every event."),
        key("violates", Shape::Texts, Preset::Required, "The classes of its violations: `paid_iff_confirmed/at_rest`."),
    ],
    later: &[],
    short: Short::None,
    choices: &[],
};

/// The profiles of `[chaos]` that draw schedules.
const RANDOM: &[&str] = &["gentle", "realistic", "harsh", "swarm"];

/// `[chaos]`.
pub(super) static CHAOS: Form = Form {
    what: "`[chaos]`",
    keys: &[
        key(
            "profile",
            Shape::Word(&["none", "gentle", "realistic", "harsh", "swarm", "exhaustive"], &["gray"]),
            Preset::Absent,
            "How hard; swarm takes each family of faults in or out by the seed; exhaustive: a crash at one (point, nth) per \
             run, one after the other over the seeds of a sweep; else none.",
        ),
        key(
            "families",
            Shape::Words(
                &["crash", "pause", "partition", "loss", "duplicate", "slow_cpu", "clock_jump", "redeliver"],
                &["membership", "disk", "call", "load", "knobs"],
            ),
            Preset::Absent,
            "Only these sorts of faults; else all that the profile has.",
        )
        .only("profile", RANDOM),
        key(
            "targets",
            Shape::Names,
            Preset::Absent,
            "Only these services, stores and brokers; else all that are ours.",
        )
        .only("profile", RANDOM),
        key("max_concurrent", Shape::Integer(1, 1000), Preset::Integer(2), "So many at once; what is more is skipped.")
            .only("profile", RANDOM),
        key(
            "keep_quorum",
            Shape::Names,
            Preset::Absent,
            "Stores of which more than half of the machines are always left alone; else all of several machines.",
        )
        .only("profile", RANDOM),
        key("points", Shape::Points, Preset::Absent, "At these points; else at all.").only("profile", &["exhaustive"]),
        key("nth", Shape::Distribution(Sort::Counts), Preset::Absent, "Which occurrences of a point; else the first.")
            .only("profile", &["exhaustive"]),
        key("for", DURATIONS, Preset::Absent, "How long each fault lasts; else until heal.")
            .only("profile", &["exhaustive"]),
    ],
    later: &["min_up"],
    short: Short::Key("profile"),
    choices: &[],
};
