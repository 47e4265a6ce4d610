//! What a system tells the world about itself: plain numbers, so that faults, promises and statistics need not know it.
//!
//! Ids are dense and given out when a scenario is loaded; names stay with whoever loaded it.

use crate::time::{Span, Time};

/// A piece of observable state: a counter row, a queue's length, the number of busy workers, whether a node is up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CellId(pub u32);

/// A moment of a protocol that a fault can name, such as `2pc.coordinator.after_last_vote`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PointId(pub u32);

/// A stream of samples, such as the latency of one op.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SeriesId(pub u32);

/// The value of a row that is not there, in cells whose values are coded (truth values, symbols of texts).
pub const NULL: i64 = i64::MIN;

/// Committed state changed: row `key` of `cell` went from `before` to `after`.
///
/// With `before` equal to `after` the row is *stated again*, after a restart: a change that became durable in the very
/// instant of the crash was never told, and the last told value may differ. So an observer keeps `after`, and takes the
/// difference to what it kept, not to `before`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delta {
    /// Which piece of state.
    pub cell: CellId,
    /// Which row of it; 0 if it has one only.
    pub key: u64,
    /// The value until now.
    pub before: i64,
    /// The value from now on.
    pub after: i64,
}

/// One measured value of a series.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Which stream.
    pub series: SeriesId,
    /// What kind of end it had; the meaning belongs to the series (for calls: ok, fail, info, …).
    pub tag: u16,
    /// When the measured thing began: decides the phase it is counted in.
    pub since: Time,
    /// The value: a length of time.
    pub value: Span,
}
