//! What shall go wrong.

use cluster::Hit;
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
}
