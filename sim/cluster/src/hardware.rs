//! What the simulated world is made of: machines with disks and clocks, and the links between groups of machines.
//!
//! Configuration only. There are no defaults here: the scenario's stand in its schema; `plain` leaves everything out that
//! has a cost. Durations are in nanoseconds, shares from 0 to 1.

use alloc::vec;
use alloc::vec::Vec;

use kernel::{Distribution, Span, Time};

/// All machines and links.
#[derive(Clone, Debug)]
pub struct Hardware {
    /// The machines; the index is the [`kernel::NodeId`]. At most [`crate::MACHINES_MAX`].
    pub nodes: Vec<NodeHardware>,
    /// How many link groups there are.
    pub groups: u16,
    /// `groups × groups` links; the row is the sender's group, the column the receiver's.
    pub links: Vec<Link>,
}

/// One machine.
#[derive(Clone, Debug)]
pub struct NodeHardware {
    /// Its disk.
    pub disk: Disk,
    /// Its clock.
    pub clock: Clock,
    /// Its processors, 1 to [`crate::CORES_MAX`]; more work than that shares them evenly. `None`: as many as there is work.
    pub cores: Option<u32>,
    /// Which row and column of the links are its own: machines of one group have the same links.
    pub group: u16,
}

/// The disk of a machine: a log and the time it takes to make it durable.
#[derive(Clone, PartialEq, Debug)]
pub struct Disk {
    /// How long one fsync takes, in nanoseconds, whatever it writes. A constant 0, if nothing else is said about the
    /// disk, makes a record durable in the instant it is appended: since a crash falls between two instants, nothing can
    /// come between.
    pub fsync: Distribution,
    /// What a write takes for its bytes, on top of the fsync; `None`: nothing.
    pub throughput: Option<Bandwidth>,
    /// A write begins this long after its first record, or when the one before it ends if that is later.
    pub group_commit: Span,
    /// How many bytes of log it holds; a write that does not fit never ends. `None`: unlimited.
    pub capacity: Option<u64>,
}

/// The clock of a machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// How many nanoseconds it gains per true second (parts per 10⁹): a timer of the machine takes 1 / (1 + drift) of its
    /// length. At most [`DRIFT_MAX`] either way.
    pub drift: i32,
    /// What it shows at time 0, in nanoseconds.
    pub offset: i64,
}

/// The largest drift of a clock, in parts per 10⁹: 10 %.
pub const DRIFT_MAX: i32 = 100_000_000;

/// Bits per second; not 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bandwidth(u64);

/// A link, in one direction.
#[derive(Clone, Debug)]
pub struct Link {
    /// One way, in nanoseconds.
    pub latency: Distribution,
    /// Which messages get lost.
    pub loss: Loss,
    /// Share of messages that are handed over twice; the copy has a latency of its own.
    pub duplicate: f64,
    /// Share of messages that take a second latency. Without effect on TCP, which puts them in order again.
    pub reorder: f64,
    /// Share of messages whose checksum fails: a loss with a reason of its own.
    pub corrupt: f64,
    /// Per pair of machines and direction; `None`: a message takes no time for its size.
    pub bandwidth: Option<Bandwidth>,
    /// How many bytes may wait for the bandwidth, per pair of machines and direction; `None`: any number.
    pub buffer: Option<u64>,
    /// What a loss means.
    pub transport: Transport,
    /// What a connection costs before its first message.
    pub opening: Opening,
}

/// Which messages a link loses by itself.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Loss {
    /// This share, independently.
    Share(f64),
    /// In bursts: a chain of two states for each pair of machines and direction, which takes one step before each
    /// transmission (E. N. Gilbert, "Capacity of a burst-noise channel", 1960, with nothing lost in the good state).
    Bursts {
        /// The chance to go from the good to the bad state.
        good_to_bad: f64,
        /// The chance to go back.
        bad_to_good: f64,
        /// The share that is lost in the bad state.
        bad: f64,
    },
}

/// How a link treats order and loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// One connection per pair of machines. Ordered; what is lost is sent again, and what was sent behind it with it;
    /// after 15 s the connection is reset. HTTP/2 and gRPC are this too.
    Tcp,
    /// As many connections per pair of machines as there are messages on their way at once (HTTP/1.1). Unordered; what
    /// is lost is sent again by itself, and given up after 15 s.
    Pool,
    /// Unordered; lost is lost.
    Udp,
}

/// What a connection costs before its first message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// Nothing.
    Free,
    /// A round trip: there and back. UDP has no connections.
    RoundTrip,
}

impl Hardware {
    /// `count` equal machines with perfect clocks, all with one kind of link between them.
    pub fn uniform(count: usize, disk: &Disk, link: Link) -> Self {
        let node = NodeHardware { disk: disk.clone(), clock: Clock::PERFECT, cores: None, group: 0 };
        Self { nodes: vec![node; count], groups: 1, links: vec![link] }
    }
}

impl Disk {
    /// Only an fsync: no limit of bytes, and no waiting for more of them.
    pub const fn plain(fsync: Distribution) -> Self {
        Self { fsync, throughput: None, group_commit: Span::ZERO, capacity: None }
    }

    /// A write takes no time at all and always ends.
    pub(crate) fn is_instant(&self) -> bool {
        let fsync_is_free = matches!(self.fsync, Distribution::Constant { value, .. } if value <= 0.0);
        fsync_is_free && self.throughput.is_none() && self.group_commit == Span::ZERO && self.capacity.is_none()
    }
}

impl Clock {
    /// True time.
    pub const PERFECT: Self = Self { drift: 0, offset: 0 };

    /// What it shows at a true time, in nanoseconds.
    pub fn reading(self, now: Time) -> i64 {
        let gained = i128::from(now.0) * i128::from(self.drift) / 1_000_000_000;
        let shown = i128::from(now.0) + i128::from(self.offset) + gained;
        i64::try_from(shown).unwrap_or(if shown < 0 { i64::MIN } else { i64::MAX })
    }

    /// What a clock shows at a true time that was never set, not even at the beginning.
    pub fn unset(self, now: Time) -> i64 {
        Self { offset: 0, ..self }.reading(now)
    }

    /// How long, in true time, a machine waits that wants to wait for `span` by this clock; to the nearest nanosecond.
    pub fn true_span(self, span: Span) -> Span {
        const BILLION: i128 = 1_000_000_000;
        let rate = BILLION + i128::from(self.drift);
        Span(u64::try_from((i128::from(span.0) * BILLION + rate / 2) / rate).unwrap_or(u64::MAX))
    }
}

impl Bandwidth {
    /// So many bits per second; `None` if that is 0.
    pub const fn bits_per_second(bits: u64) -> Option<Self> {
        if bits == 0 { None } else { Some(Self(bits)) }
    }

    /// How long these bytes take, rounded up to the nanosecond.
    pub fn span(self, bytes: u64) -> Span {
        let nanoseconds = (u128::from(bytes) * 8_000_000_000).div_ceil(u128::from(self.0));
        Span(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// How many bytes pass in this time, rounded up.
    pub(crate) fn bytes(self, span: Span) -> u64 {
        let bytes = (u128::from(span.0) * u128::from(self.0)).div_ceil(8_000_000_000);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

impl Link {
    /// A link that only delays and loses.
    pub const fn plain(latency: Distribution, loss: f64, transport: Transport) -> Self {
        Self {
            latency,
            loss: Loss::Share(loss),
            duplicate: 0.0,
            reorder: 0.0,
            corrupt: 0.0,
            bandwidth: None,
            buffer: None,
            transport,
            opening: Opening::Free,
        }
    }

    /// Nothing but its latency ever happens to a message in flight.
    pub(crate) fn only_delays(&self) -> bool {
        let shares = [self.duplicate, self.reorder, self.corrupt];
        self.loss == Loss::Share(0.0) && self.bandwidth.is_none() && shares.iter().all(|share| *share <= 0.0)
    }
}
