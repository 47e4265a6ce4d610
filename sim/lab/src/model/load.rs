//! Workloads: who asks for what, and when.

use std::ops::Range;

use kernel::{Span, Time};

use super::{At, Call, Dist, Named, Place, Step};

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
    /// `only`: the operations that are begun; `None`: all.
    pub only: Option<Only>,
    /// What an operation does.
    pub activity: Activity,
    /// Drawn once per operation.
    pub vars: Named<Variable>,
    /// `zone`.
    pub zone: Option<At<String>>,
}

/// `only`.
#[derive(Clone, PartialEq, Debug)]
pub enum Only {
    /// Ranges of numbers, in order; each begins when its load has it begin.
    Numbers(Vec<Range<u64>>),
    /// Each with the time at which it begins, in the order of the times.
    Listed(Vec<Begin>),
}

/// An operation that begins at a time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Begin {
    /// Its number, which its draws are keyed with.
    pub number: u64,
    /// When; if its user is still busy then, as soon as that is over.
    pub at: Time,
    /// Whose it is, in a closed loop.
    pub user: Option<u32>,
    /// The table's place.
    pub place: Place,
}

/// What an operation of a workload does.
#[derive(Clone, PartialEq, Debug)]
pub enum Activity {
    /// `target`: one call, with the modifiers of `client`.
    Call(Box<Call>),
    /// `steps`, one after the other, within `client.timeout`.
    Steps(Vec<Step>, Option<Span>),
    /// `mix`: one of these, by their weights.
    Mix(Vec<(f64, Step)>, Option<Span>),
}

impl Workload {
    /// What it calls, if its operations are one call.
    pub const fn call(&self) -> Option<&Call> {
        if let Activity::Call(call) = &self.activity { Some(call) } else { None }
    }

    /// The steps of its operations, if they are steps.
    pub fn steps(&self) -> Vec<&Step> {
        match &self.activity {
            Activity::Call(_) => Vec::new(),
            Activity::Steps(steps, _) => steps.iter().collect(),
            Activity::Mix(mix, _) => mix.iter().map(|(_, step)| step).collect(),
        }
    }

    /// How long an operation may take, if it consists of steps.
    pub const fn timeout(&self) -> Option<Span> {
        match &self.activity {
            Activity::Call(_) => None,
            Activity::Steps(_, timeout) | Activity::Mix(_, timeout) => *timeout,
        }
    }
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
