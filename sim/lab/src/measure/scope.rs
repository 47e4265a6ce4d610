//! What statistics must know of a scenario before the run.

use kernel::Span;

use super::wanted::Wanted;
use crate::names::Names;
use crate::outcome::Times;

/// A service, as far as statistics need it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceInfo {
    /// Its name.
    pub name: String,
    /// Its machines.
    pub nodes: u32,
    /// Workers per node; `None`: unlimited.
    pub workers: Option<u32>,
}

/// Whether time series are wanted; thresholds and tables are the same either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detail {
    /// Totals only: for sweeps.
    Totals,
    /// Time windows too: for charts.
    Windows,
}

/// What a recorder must know before the run.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Every name; cells and series say what they are.
    pub names: &'a Names,
    /// The run's phases.
    pub times: Times,
    /// How long after a fault `phase=steady` begins again.
    pub settle: Span,
    /// The services.
    pub services: &'a [ServiceInfo],
    /// How many `[faults.*]` there are; they go by their number.
    pub faults: usize,
    /// Whether time series are wanted.
    pub detail: Detail,
    /// The terms that thresholds ask for.
    pub wanted: &'a [Wanted],
}
