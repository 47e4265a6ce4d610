//! What the worlds of this comparison are made of, and how a number and its standard error come out of them.

use cluster::{Clock, Disk, Hardware, Link, NodeHardware, Transport};
use kernel::statistics::estimate;
use kernel::{Distribution, Span, Time};

pub(crate) const MILLISECOND: f64 = 1e6;
pub(crate) const HOUR: f64 = 3600e9;

/// A row as the simulator has it, in the unit of the row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) id: &'static str,
    pub(crate) value: f64,
    /// Its standard error; 0 if nothing is random about it.
    pub(crate) error: f64,
}

pub(crate) fn constant(milliseconds: f64) -> Distribution {
    Distribution::constant(milliseconds * MILLISECOND).expect("a length")
}

pub(crate) fn exponential(mean_ms: f64) -> Distribution {
    Distribution::exponential(mean_ms * MILLISECOND).expect("it is positive")
}

pub(crate) fn milliseconds(span: Span) -> f64 {
    span.0 as f64 / MILLISECOND
}

pub(crate) const fn time(milliseconds: u64) -> Time {
    Time(milliseconds * 1_000_000)
}

/// Machines with perfect clocks and disks that take no time, each in its group; `latency` has the law of the link from one
/// group to another. Messages overtake each other and none is lost.
pub(crate) fn hardware(groups: &[u16], latency: &dyn Fn(u16, u16) -> Distribution) -> Hardware {
    let count = 1 + groups.iter().max().expect("there are machines");
    let ends = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
    let links = ends.map(|(from, to)| Link::plain(latency(from, to), 0.0, Transport::Udp)).collect();
    let disk = Disk::plain(constant(0.0));
    let node = |group: &u16| NodeHardware { disk: disk.clone(), clock: Clock::PERFECT, cores: None, group: *group };
    Hardware { nodes: groups.iter().map(node).collect(), groups: count, links }
}

/// A share of independent trials.
pub(crate) fn share(id: &'static str, hits: u64, trials: u64) -> Found {
    let value = hits as f64 / trials as f64;
    Found { id, value, error: (value * (1.0 - value) / trials as f64).sqrt() }
}

/// The mean of independent values.
pub(crate) fn mean(id: &'static str, values: &[f64]) -> Found {
    let found = estimate(values);
    Found { id, value: found.mean, error: found.error }
}

/// A ratio of sums over independent worlds (Cochran, "Sampling Techniques", §6.3).
pub(crate) fn ratio(id: &'static str, worlds: &[(f64, f64)]) -> Found {
    let (above, below) = worlds.iter().fold((0.0, 0.0), |sum, world| (sum.0 + world.0, sum.1 + world.1));
    let (value, count) = (above / below, worlds.len() as f64);
    let squares: f64 = worlds.iter().map(|world| (world.0 - value * world.1).powi(2)).sum();
    Found { id, value, error: (squares * count / (count - 1.0)).sqrt() / below }
}

/// A percentile, with the error that the order statistics around it have.
pub(crate) fn percentile(id: &'static str, spans: &mut [u32], share: f64) -> Found {
    spans.sort_unstable();
    let count = spans.len() as f64;
    let (place, reach) = (count * share, (count * share * (1.0 - share)).sqrt());
    let at = |place: f64| f64::from(spans[(place as usize).min(spans.len() - 1)]) / MILLISECOND;
    Found { id, value: at(place), error: (at(place + reach) - at(place - reach)) / 2.0 }
}
