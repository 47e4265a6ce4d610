//! What shall go wrong.

pub use cluster::FaultBudget;
use kernel::Hit;
use kernel::{Span, Time};

use super::{At, Dist, LinkEnds, Place, Target, Window};

/// `[faults.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    /// What it does.
    pub kind: FaultKind,
    /// What it acts on (for a loss or duplicates: links; for a split partition: empty; redelivery: queues and topics).
    pub targets: Vec<Target>,
    /// When it strikes.
    pub trigger: Trigger,
    /// Where `every`, `rate` and `point` may strike.
    pub window: Window,
    /// Each instance's length; `None`: until heal.
    pub length: Option<Dist>,
    /// Whether it strikes; per message for a loss, for duplicates and for redelivery.
    pub chance: f64,
    /// No effect is an error.
    pub require_effect: bool,
    /// The table's place.
    pub place: Place,
}

impl Fault {
    /// Its targets, and those of instances that are written down.
    pub fn every_target(&self) -> impl Iterator<Item = &Target> {
        let listed = if let Trigger::Listed(all) = &self.trigger { &all[..] } else { &[] };
        self.targets.iter().chain(listed.iter().flat_map(|one| one.targets.iter().flatten()))
    }
}

/// Kinds of fault.
#[derive(Clone, PartialEq, Debug)]
pub enum FaultKind {
    /// The machine dies and comes back.
    Crash {
        /// Memory is lost.
        memory: bool,
        /// Writes not yet synced are lost.
        unsynced: bool,
        /// The disk is lost.
        disk: bool,
    },
    /// The machine stands still.
    Pause,
    /// Links are cut.
    Partition {
        /// Sides that cannot reach each other; one side only: it against all others.
        split: Vec<Vec<Target>>,
        /// Which way.
        direction: Direction,
        /// `hold`, else `drop`.
        hold: bool,
    },
    /// Messages are lost.
    Loss {
        /// On these links; empty: on all links of the targets, or everywhere.
        links: Vec<LinkEnds>,
    },
    /// Messages on the wire are handed over twice.
    Duplicate {
        /// On these links; empty: on all links of the targets, or everywhere.
        links: Vec<LinkEnds>,
    },
    /// Its clock is set, and stays so.
    ClockJump {
        /// By how much, in nanoseconds.
        by: Dist,
    },
    /// Its CPUs need this many times as long.
    SlowCpu {
        /// Above 0; 10 is ten times as slow.
        factor: f64,
    },
    /// The targets' brokers deliver messages again that were acknowledged.
    Redeliver,
}

impl FaultKind {
    /// Its word in files.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Crash { .. } => "crash",
            Self::Pause => "pause",
            Self::Partition { .. } => "partition",
            Self::Loss { .. } => "loss",
            Self::Duplicate { .. } => "duplicate",
            Self::SlowCpu { .. } => "slow_cpu",
            Self::ClockJump { .. } => "clock_jump",
            Self::Redeliver => "redeliver",
        }
    }
}

/// Which way a partition cuts, seen from the first side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Both.
    Both,
    /// Nothing comes in.
    In,
    /// Nothing goes out.
    Out,
}

/// When a fault strikes.
#[derive(Clone, PartialEq, Debug)]
pub enum Trigger {
    /// Once, at a time.
    At(Dist),
    /// Again and again.
    Every(Span),
    /// Poisson, per second.
    Rate(f64),
    /// At a protocol point.
    Point {
        /// Its name.
        point: At<String>,
        /// Of which transaction, op (`orders.place`), consumer (`cart.on_paid`), queue, saga or saga step
        /// (`sagas.checkout.charge`); `None`: any.
        of: Option<At<String>>,
        /// Its nth occurrence.
        nth: Option<Dist>,
    },
    /// Some time after another fault.
    After {
        /// That fault.
        fault: At<String>,
        /// How long.
        delay: Dist,
    },
    /// Over all of the window.
    Always,
    /// Exactly so.
    Listed(Vec<Listed>),
}

/// An instance that is written down.
#[derive(Clone, PartialEq, Debug)]
pub struct Listed {
    /// Its number.
    pub number: u32,
    /// When it begins.
    pub at: Time,
    /// How long it lasts; `None`: until heal.
    pub length: Option<Span>,
    /// Whom it hits; `None`: the targets of the fault.
    pub targets: Option<Vec<Target>>,
    /// The sides of a partition; empty: those of the fault.
    pub split: Vec<Vec<Target>>,
    /// The messages that it hits; `None`: by chance.
    pub hits: Option<Vec<Hit>>,
    /// The budget that it would break, and for which it is skipped.
    pub over: Option<FaultBudget>,
    /// By how much a clock is set; `None`: as the fault says.
    pub offset: Option<Dist>,
    /// The table's place.
    pub place: Place,
}

/// `[chaos]`: random schedules of faults.
#[derive(Clone, PartialEq, Debug)]
pub struct Chaos {
    /// Which schedules.
    pub profile: ChaosProfile,
    /// Which families of faults; empty: all that the profile has.
    pub families: Vec<Family>,
    /// Which services, stores and brokers; empty: all that are ours.
    pub targets: Vec<At<String>>,
    /// So many instances at once.
    pub max_concurrent: u32,
    /// The stores of which more than half of the machines are left alone; `None`: all.
    pub keep_quorum: Option<Vec<At<String>>>,
    /// `points`: patterns of protocol points. Empty: all of them.
    pub points: Vec<At<String>>,
    /// Which occurrence of a point; `None`: the first.
    pub nth: Option<Dist>,
    /// How long each fault lasts; `None`: until heal.
    pub length: Option<Dist>,
    /// The table's place.
    pub place: Place,
}

/// Which schedules of faults `[chaos]` makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChaosProfile {
    /// None.
    None,
    /// A crash at one (point, nth) per run, one after the other over the seeds of a sweep.
    Exhaustive,
    /// Short pauses, slow CPUs, a few messages lost and copied.
    Gentle,
    /// One or two faults of every family.
    Realistic,
    /// Many of every family, and long ones.
    Harsh,
    /// Each family with a chance of one half, as hard as the seed says.
    Swarm,
}

/// Sorts of faults that `[chaos]` draws.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Family {
    /// A machine dies and comes back.
    Crash,
    /// A machine stands still.
    Pause,
    /// Some machines are cut off from everybody else.
    Partition,
    /// Messages are lost.
    Loss,
    /// Messages come twice.
    Duplicate,
    /// A machine computes slowly.
    SlowCpu,
    /// A clock is set.
    ClockJump,
    /// A broker delivers again what was acknowledged.
    Redeliver,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Crash,
        Self::Pause,
        Self::Partition,
        Self::Loss,
        Self::Duplicate,
        Self::SlowCpu,
        Self::ClockJump,
        Self::Redeliver,
    ];

    /// Its word in files: that of the kind of its faults.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Pause => "pause",
            Self::Partition => "partition",
            Self::Loss => "loss",
            Self::Duplicate => "duplicate",
            Self::SlowCpu => "slow_cpu",
            Self::ClockJump => "clock_jump",
            Self::Redeliver => "redeliver",
        }
    }
}
