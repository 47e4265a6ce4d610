//! What shall go wrong.

use kernel::Span;

use super::{At, Dist, LinkEnds, Place, Target, Window};

/// `[faults.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    /// What it does.
    pub kind: FaultKind,
    /// What it acts on (for a loss: links; for a split partition: empty).
    pub targets: Vec<Target>,
    /// When it strikes.
    pub trigger: Trigger,
    /// Where `every`, `rate` and `point` may strike.
    pub window: Window,
    /// Each instance's length; `None`: until heal.
    pub length: Option<Dist>,
    /// Whether it strikes; per message for a loss.
    pub chance: f64,
    /// No effect is an error.
    pub require_effect: bool,
    /// The table's place.
    pub place: Place,
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
        /// Of which transaction or op; `None`: any.
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
}
