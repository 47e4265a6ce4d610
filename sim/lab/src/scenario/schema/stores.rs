//! The table of replicated stores.

use super::hardware::{CLOCK, DISK, ZONE};
use super::world::{DURATIONS, LIKE};
use super::{Choice, Form, Preset, Shape, Short, key};

pub(super) static STORE_SHAPE: Shape = Shape::Table(&STORE);

const ORDERED: &[&str] = &["single", "leader_follower"];
const COPIED: &[&str] = &["leader_follower"];
const QUORUM: &[&str] = &["quorum"];

/// `[stores.*]`.
pub(super) static STORE: Form = Form {
    what: "a store",
    keys: &[
        LIKE,
        key(
            "kind",
            Shape::Word(&["single", "leader_follower", "quorum"], &["chain", "craq", "raft", "gossip", "locks"]),
            Preset::Text("single"),
            "single: one machine; leader_follower: a leader whose log the others copy; quorum: copies that vote.",
        ),
        key("nodes", Shape::Integer(1, 100), Preset::Integer(1), "Machines."),
        key("leader", Shape::Integer(0, 99), Preset::Integer(0), "Which of them stands for election first.")
            .only("kind", COPIED),
        key(
            "acks",
            Shape::Acks,
            Preset::Text("majority"),
            "When a client is told that its change is done: leader, majority, all, or how many have it.",
        )
        .only("kind", COPIED),
        key(
            "reads",
            Shape::Word(&["leader", "lease", "read_index", "log", "quorum", "any", "nearest", "sticky"], &[]),
            Preset::Chosen(
                "kind",
                &[("single", "read_index"), ("leader_follower", "read_index"), ("quorum", "nearest")],
            ),
            "Who answers a read; of a quorum: whom a client asks to coordinate.",
        ),
        key("heartbeat", Shape::Duration, Preset::Text("50ms"), "How often a leader is heard of.").only("kind", COPIED),
        key(
            "election_timeout",
            DURATIONS,
            Preset::Text("uniform(150ms, 300ms)"),
            "After what silence a machine stands for election.",
        )
        .only("kind", COPIED),
        key("fencing", Shape::Boolean, Preset::Boolean(true), "An older term is refused.").only("kind", COPIED),
        key(
            "snapshot_every",
            Shape::Integer(1, 1_000_000_000),
            Preset::Integer(10_000),
            "After so many entries the log is cut.",
        )
        .only("kind", ORDERED),
        key("lease", Shape::Duration, Preset::Text("100ms"), "How long followers elect nobody else.")
            .only("reads", &["lease"]),
        key(
            "lease_clock",
            Shape::Word(&["monotonic", "wall"], &[]),
            Preset::Text("monotonic"),
            "Which clock times a lease: the one that only drifts, or the one that can be set.",
        )
        .only("reads", &["lease"]),
        key("replicas", Shape::Integer(1, 100), Preset::Absent, "Copies of each key; else as many as nodes.")
            .only("kind", QUORUM),
        key("read_quorum", Shape::Integer(1, 100), Preset::Absent, "Copies a read waits for; else more than half.")
            .only("kind", QUORUM),
        key("write_quorum", Shape::Integer(1, 100), Preset::Absent, "Copies a write waits for; else more than half.")
            .only("kind", QUORUM),
        key(
            "read_repair",
            Shape::Word(&["none", "async"], &["sync"]),
            Preset::Text("none"),
            "async: copies that answer a read with something old are sent the newest.",
        )
        .only("kind", QUORUM),
        key(
            "conflicts",
            Shape::Word(&["last_writer_wins"], &["version_check", "siblings", "crdt"]),
            Preset::Text("last_writer_wins"),
            "Which of two writes stays: that of the later clock.",
        )
        .only("kind", QUORUM),
        key(
            "ask_again",
            Shape::Duration,
            Preset::Chosen("kind", &[("leader_follower", "150ms"), ("quorum", "150ms")]),
            "After this without an answer a client asks another machine; of a single store it waits.",
        ),
        key("disk", Shape::Table(&DISK), Preset::Table, "The disk of each node."),
        key("clock", Shape::Table(&CLOCK), Preset::Table, "The clock of each node."),
        ZONE,
        key("zones", Shape::Names, Preset::Absent, "The zones of its nodes, dealt in turn."),
        key("external", Shape::Boolean, Preset::Boolean(false), "Not ours: random faults leave it alone.")
            .judging("only random schedules of faults read it"),
        key("mutant", Shape::Name, Preset::Absent, "A built-in wrong behaviour, for tests."),
    ],
    later: &[
        "workers",
        "read_time",
        "write_time",
        "isolation",
        "locks",
        "queue",
        "state",
        "outbox",
        "shards",
        "by",
        "pre_vote",
        "sloppy",
        "hinted_handoff",
        "anti_entropy",
        "fanout",
        "period",
        "detector",
        "spare",
    ],
    short: Short::None,
    choices: &[Choice { what: "ways to say where it is", keys: &["zone", "zones"], needed: false }],
};
