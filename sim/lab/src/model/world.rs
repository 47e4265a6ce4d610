//! The simulated hardware as a scenario says it: links, zones, disks, and the targets that name machines.

use kernel::Span;

use super::{At, Dist, Place};

/// The keys of `[network]` and of one link; `None`: as the less specific one says.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// One way.
    pub latency: Option<Dist>,
    /// Which messages get lost.
    pub loss: Option<Loss>,
    /// Share of messages handed over twice, 0 to 1.
    pub duplicate: Option<f64>,
    /// Share of messages that take a second latency, 0 to 1.
    pub reorder: Option<At<f64>>,
    /// Share of messages whose checksum fails, 0 to 1.
    pub corrupt: Option<f64>,
    /// Bits per second.
    pub bandwidth: Option<Limit>,
    /// Bytes that may wait for the bandwidth.
    pub buffer: Option<At<Limit>>,
    /// What connections there are.
    pub transport: Option<Transport>,
}

/// Which messages a link loses by itself; all numbers from 0 to 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Loss {
    /// This share, independently.
    Independent(f64),
    /// By a chain of two states.
    GilbertElliott {
        /// The chance to go from the good to the bad state, per transmission.
        good_to_bad: f64,
        /// The chance to go back.
        bad_to_good: f64,
        /// The share lost in the bad state.
        bad: f64,
    },
}

/// A number, or no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// At most this.
    At(u64),
    /// `unlimited`.
    Unlimited,
}

impl Limit {
    /// The number, if there is one.
    pub const fn value(self) -> Option<u64> {
        match self {
            Self::At(value) => Some(value),
            Self::Unlimited => None,
        }
    }
}

/// How a link treats order and loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// Ordered; a loss costs a retransmission.
    Tcp,
    /// Lost is lost.
    Udp,
    /// A pool of connections: a loss costs one message a retransmission.
    Http1,
    /// As TCP: one connection.
    Http2,
    /// As HTTP/2.
    Grpc,
}

/// One entry of `[zones]`.
#[derive(Clone, PartialEq, Debug)]
pub struct ZonePath {
    /// From this zone
    pub from: At<String>,
    /// to this one,
    pub to: At<String>,
    /// one way.
    pub latency: Dist,
}

/// `disk` of everything with nodes.
#[derive(Clone, PartialEq, Debug)]
pub struct Disk {
    /// How long a write takes to be durable.
    pub fsync: Dist,
    /// Bits per second, on top of that.
    pub throughput: Limit,
    /// How long a write waits to gather more records.
    pub group_commit: Span,
    /// Bytes of log it holds.
    pub capacity: Limit,
}

/// The ends of `"a -> b"` or `"a <-> b"`.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkEnds {
    /// The left end.
    pub from: Target,
    /// The right end.
    pub to: Target,
    /// `<->`.
    pub both: bool,
    /// As it is written; empty if it is none of the file.
    pub text: String,
    /// The whole text's place.
    pub place: Place,
}

/// A target (grammar §5), by name.
#[derive(Clone, PartialEq, Debug)]
pub struct Target {
    /// Which things.
    pub kind: TargetKind,
    /// The text's place.
    pub place: Place,
}

/// The forms of a target.
#[derive(Clone, PartialEq, Debug)]
pub enum TargetKind {
    /// `*` in a link.
    Everything,
    /// `payment`, `payment[0..2]`, `payment[any]`: a thing with nodes, and which of its nodes.
    Nodes {
        /// Its name.
        name: String,
        /// Which.
        pick: Pick,
    },
    /// `workloads.near`.
    Workload(String),
    /// `queues.q`.
    Queue(String),
    /// `topics.t`.
    Topic(String),
    /// `faults.f`: the nodes that fault hit.
    HitBy(String),
    /// `zones.eu`: the nodes and workloads in it.
    Zone(String),
    /// `others`: everything not named in this fault.
    Others,
}

/// Which nodes of a thing.
#[derive(Clone, PartialEq, Debug)]
pub enum Pick {
    /// All of them.
    All,
    /// Those with these numbers.
    Numbers(Vec<u32>),
    /// The seed picks this many.
    Any(u32),
    /// Fewer than half.
    Minority,
    /// More than half.
    Majority,
    /// This share, 0 to 1, rounded, at least one.
    Fraction(f64),
    /// Where the fault's point was reached.
    Same,
    /// The one that leads.
    Leader,
    /// The others, if one leads.
    Followers,
}
