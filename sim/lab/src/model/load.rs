//! Workloads: who asks for what, and when.

use kernel::{Span, Time};

use super::{At, Call, Dist, Named, Place};

/// `[workloads.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Workload {
    /// Open or closed.
    pub load: Load,
    /// `stages`: how the load changes from there, one after the other; the last value holds.
    pub stages: Vec<Stage>,
    /// Identities (`$client`) of an open loop; `None`: each operation its own.
    pub clients: Option<u32>,
    /// `start`.
    pub start: Time,
    /// `stop`.
    pub stop: Time,
    /// What an operation does: one call, with the modifiers of `client`.
    pub call: Call,
    /// Drawn once per operation.
    pub vars: Named<Variable>,
    /// `zone`.
    pub zone: Option<At<String>>,
}

/// One of `stages`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stage {
    /// Where the rate (per second) or the number of users goes, evenly; `None`: it holds.
    pub to: Option<f64>,
    /// How long this takes.
    pub over: Span,
    /// The table's place.
    pub place: Place,
}

/// One of `vars`.
#[derive(Clone, PartialEq, Debug)]
pub enum Variable {
    /// A number.
    Number(Dist),
    /// True if what is drawn is not 0.
    Truth(Dist),
    /// One of these texts, by the index that is drawn.
    Text(Dist, Vec<String>),
    /// Counted from this number, one for each operation.
    Sequence(i64),
}

/// How operations come.
#[derive(Clone, PartialEq, Debug)]
pub enum Load {
    /// Open loop: this many per second, poisson or even.
    Rate {
        /// Per second.
        per_second: f64,
        /// Poisson, else evenly spaced.
        poisson: bool,
    },
    /// Closed loop: users with one operation at a time and think time between.
    Users {
        /// How many.
        users: u32,
        /// Between an answer and the next operation.
        think: Dist,
    },
    /// Arrivals at these times.
    Trace(Vec<Time>),
}
