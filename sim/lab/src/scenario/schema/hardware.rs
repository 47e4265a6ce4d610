//! The tables of the simulated hardware: network, links, zones, disks, clocks.

use super::world::DURATIONS;
use super::{Form, Key, Preset, Shape, Short, key};
use crate::scenario::distributions::Sort;

/// What the presets stand for: one-way latency and loss. Orders of magnitude, to begin with: a switched network of one
/// data centre, data centres of one city, and two continents by leased lines.
const LATENCIES: &[(&str, &str)] = &[
    ("ideal", "0s"),
    ("lan", "lognormal(p50=200us, p99=1ms)"),
    ("multi_zone", "lognormal(p50=600us, p99=3ms)"),
    ("wan", "lognormal(p50=40ms, p99=80ms)"),
];
const LOSSES: &[(&str, &str)] = &[("ideal", "0%"), ("lan", "0%"), ("multi_zone", "0.001%"), ("wan", "0.01%")];

const LATENCY: Key = key("latency", DURATIONS, Preset::Chosen("preset", LATENCIES), "One way.");
const LOSS: Key = key("loss", Shape::Table(&LOSS_FORM), Preset::Chosen("preset", LOSSES), "Which messages get lost.");
const DUPLICATE: Key = key(
    "duplicate",
    Shape::Percentage,
    Preset::Text("0%"),
    "Share of messages handed over twice; the copy has a latency of its own.",
);
const REORDER: Key = key(
    "reorder",
    Shape::Percentage,
    Preset::Text("0%"),
    "Share of messages that take a second latency; without effect on an ordered connection.",
);
const CORRUPT: Key =
    key("corrupt", Shape::Percentage, Preset::Text("0%"), "Share of messages whose checksum fails: lost.");
const BANDWIDTH: Key = key(
    "bandwidth",
    Shape::Bandwidth,
    Preset::Text("unlimited"),
    "Per pair of nodes and direction: messages queue for it.",
);
const BUFFER: Key = key(
    "buffer",
    Shape::Capacity,
    Preset::Text("unlimited"),
    "Bytes that may wait for `bandwidth`, per pair of nodes and direction; a message beyond is lost.",
);
const TRANSPORT: Key = key(
    "transport",
    Shape::Word(&["tcp", "udp", "http1", "http2", "grpc"], &[]),
    Preset::Text("tcp"),
    "tcp, http2, grpc: one ordered connection per pair of nodes, a loss becomes a delay; http1: a pool of \
     connections, a loss delays one message; udp: lost is lost.",
);

const fn absent(mut key: Key) -> Key {
    key.preset = Preset::Absent;
    key
}

pub(super) static NETWORK: Form = Form {
    what: "`[network]`",
    keys: &[
        key(
            "preset",
            Shape::Word(&["ideal", "lan", "multi_zone", "wan"], &[]),
            Preset::Text("ideal"),
            "What `latency` and `loss` are if they are not written.",
        ),
        LATENCY,
        LOSS,
        DUPLICATE,
        REORDER,
        CORRUPT,
        BANDWIDTH,
        BUFFER,
        TRANSPORT,
        key("links", Shape::Links(&LINK), Preset::Table, "The same keys for `\"a -> b\"` or `\"a <-> b\"`."),
    ],
    later: &[],
    short: Short::None,
    choices: &[],
};

pub(super) static LINK: Form = Form {
    what: "a link",
    keys: &[
        absent(LATENCY),
        absent(LOSS),
        absent(DUPLICATE),
        absent(REORDER),
        absent(CORRUPT),
        absent(BANDWIDTH),
        absent(BUFFER),
        absent(TRANSPORT),
    ],
    later: &[],
    short: Short::None,
    choices: &[],
};

static LOSS_FORM: Form = Form {
    what: "`loss`",
    keys: &[
        key(
            "kind",
            Shape::Word(&["independent", "gilbert_elliott"], &[]),
            Preset::Text("independent"),
            "gilbert_elliott: in bursts, by a chain of two states that takes one step before each transmission.",
        ),
        key("share", Shape::Percentage, Preset::Text("0%"), "Share of messages lost.").only("kind", &["independent"]),
        key("good_to_bad", Shape::Percentage, Preset::Required, "The chance to go from the good to the bad state.")
            .only("kind", GILBERT_ELLIOTT),
        key("bad_to_good", Shape::Percentage, Preset::Required, "The chance to go back; a burst lasts its inverse.")
            .only("kind", GILBERT_ELLIOTT),
        key("bad", Shape::Percentage, Preset::Text("100%"), "Share of messages lost in the bad state.")
            .only("kind", GILBERT_ELLIOTT),
    ],
    later: &[],
    short: Short::Key("share"),
    choices: &[],
};

const GILBERT_ELLIOTT: &[&str] = &["gilbert_elliott"];

/// `zones.*`: the zones it is connected with.
pub(super) static ZONE_SHAPE: Shape = Shape::Keyed(&DURATIONS);

pub(super) const ZONE: Key = key("zone", Shape::Name, Preset::Absent, "The zone it is in.");

pub(super) static DISK: Form = Form {
    what: "a disk",
    keys: &[
        key("fsync", DURATIONS, Preset::Text("0s"), "How long a write takes to be durable."),
        key("throughput", Shape::Bandwidth, Preset::Text("unlimited"), "What a write takes for its bytes, on top."),
        key("group_commit", Shape::Duration, Preset::Text("0s"), "How long a write waits to gather more records."),
        key("capacity", Shape::Capacity, Preset::Text("unlimited"), "A write that does not fit never ends."),
    ],
    later: &[],
    short: Short::Key("fsync"),
    choices: &[],
};

pub(super) static CLOCK: Form = Form {
    what: "a clock",
    keys: &[
        key(
            "drift",
            Shape::Distribution(Sort::Drifts),
            Preset::Text("0ppm"),
            "How much faster it runs than true time, drawn for each node; its timers take 1 / (1 + drift) of their length.",
        ),
        key(
            "offset",
            Shape::Distribution(Sort::Offsets),
            Preset::Text("0s"),
            "What it shows at time 0, drawn for each node; `$now` reads it, timers do not.",
        ),
    ],
    later: &[],
    short: Short::None,
    choices: &[],
};
