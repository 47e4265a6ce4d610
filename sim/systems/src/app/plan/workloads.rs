//! Client populations: how their operations come, and what these carry.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::ops::Range;

use kernel::{CellId, Distribution, SeriesId, Span, Time};

use super::Draw;
use crate::app::spent::SpentSeries;

/// A client population.
#[derive(Clone, Debug)]
pub struct Workload {
    /// How operations come.
    pub load: Load,
    /// Gaps of a process of rate 1.
    pub unit: Distribution,
    /// Identities of an open loop; none: each operation has its own.
    pub clients: Option<u32>,
    /// The first may begin here,
    pub start: Time,
    /// none begins from here on.
    pub stop: Time,
    /// First instruction of an operation.
    pub entry: u32,
    /// By number: where it comes from, once per operation.
    pub variables: Vec<Variable>,
    /// How long an operation may take; none: no limit that its steps do not have.
    pub timeout: Option<Span>,
    /// What is measured of its operations; nothing where each is one step, which is measured itself.
    pub measured: Option<Measured>,
    /// Operations in flight.
    pub in_flight: CellId,
    /// The transaction type its operations call directly, if any.
    pub transaction: Option<u32>,
    /// Operations (by their number here) that are left out; nobody else's draws change.
    pub dropped: BTreeSet<u64>,
    /// Which are begun.
    pub only: Only,
}

/// Which operations of a workload are begun.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Only {
    /// All.
    All,
    /// Those whose numbers are in these ranges, which are in order.
    Numbers(Vec<Range<u64>>),
    /// These at these times: by user of a closed loop, else all in one list; each list in the order of its times.
    Listed(Vec<Vec<Listed>>),
}

/// An operation that begins at a time, and not when its load would have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listed {
    /// When.
    pub at: Time,
    /// Its number.
    pub number: u64,
}

impl Workload {
    /// Whether an operation is begun, by its number.
    #[inline]
    pub fn begins(&self, number: u64) -> bool {
        let wanted = match &self.only {
            Only::All | Only::Listed(_) => true,
            Only::Numbers(only) => {
                let after = only.partition_point(|range| range.start <= number);
                after > 0 && number < only[after - 1].end
            }
        };
        wanted && !self.dropped.contains(&number)
    }

    /// The operations that begin at times of their own, of a user or of all: those that have not begun yet.
    pub fn listed(&self, user: Option<u32>, begun: usize) -> Option<&[Listed]> {
        let Only::Listed(lists) = &self.only else { return None };
        let list = lists.get(user.unwrap_or(0) as usize).map_or(&[][..], Vec::as_slice);
        Some(list.get(begun..).unwrap_or(&[]))
    }

    /// Whether none is begun from this number on.
    #[inline]
    pub fn is_over(&self, number: u64) -> bool {
        match &self.only {
            Only::All | Only::Listed(_) => false,
            Only::Numbers(only) => only.last().is_none_or(|range| range.end <= number),
        }
    }
}

/// What is measured of the operations of a workload.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Their latency,
    pub latency: SeriesId,
    /// and where it went.
    pub spent: SpentSeries,
    /// Those that ended in a business error, which is the tag.
    pub rejected: SeriesId,
}

/// Where a variable of a request comes from.
#[derive(Clone, Debug)]
pub enum Variable {
    /// Nowhere: this workload does not set it.
    Unset,
    /// A number that is drawn.
    Number(Draw),
    /// True if what is drawn is not 0.
    Truth(Draw),
    /// The text whose index is drawn; by index its symbol.
    Text(Draw, Vec<u32>),
    /// This for the first operation, and so much more for each that follows.
    Sequence {
        /// The first.
        first: i64,
        /// How much more.
        step: i64,
    },
    /// The operation's id: the same for all that it causes.
    Operation,
    /// The user of a closed loop; in an open loop every operation is a client of its own.
    Client,
}

/// How operations come.
#[derive(Clone, Debug)]
pub enum Load {
    /// Open loop.
    Rate {
        /// Between two arrivals: exponential or constant, in nanoseconds.
        gap: Distribution,
        /// What the generator's stream is seeded with.
        seed: kernel::Seed,
        /// The path that names the stream.
        path: alloc::string::String,
    },
    /// Open loop whose rate changes.
    Stages {
        /// The rate over time.
        ramp: kernel::Ramp,
        /// Gaps are exponential; else even.
        poisson: bool,
        /// What the generator's stream is seeded with.
        seed: kernel::Seed,
        /// The path that names the stream.
        path: alloc::string::String,
    },
    /// Closed loop.
    Users {
        /// How many.
        users: u32,
        /// Between an answer and the next operation.
        think: Draw,
    },
    /// At these times, ascending.
    Trace(Vec<Time>),
}
