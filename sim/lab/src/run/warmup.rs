//! `warmup = "auto"`: a pilot run says where the latencies settle, the run itself leaves out what was before.
//!
//! The pilot is the run itself, with the same seed and the same draws, without faults: those begin when the warm-up is
//! over, and what they stir up is not what is to be left out. The cut is MSER-5 (`kernel::statistics::mser`) on the
//! latencies of each workload in the order in which they end; the latest of the workloads' cuts counts. A workload that
//! stops before the load ends says nothing about how the run settles.

use cluster::{Cluster, FaultPlan, Watch};
use kernel::statistics::{MSER_BATCHES_MIN, mser};
use kernel::{NodeId, Sample, Seed, Time};
use systems::app::ending::CUT_SHORT;
use systems::app::machine::Machine;

use super::beside::Beside;
use super::{EVENTS_PER_INSTANT_MAX, Go, PROGRESS_EVERY, Progress};
use crate::compile::{Edits, compile};
use crate::outcome::{Outcome, WarmupBy};
use crate::scenario::{Diagnostic, Scenario};

/// Values in the smallest batch.
const BATCH: u64 = 5;

/// Batches kept per workload; when there are more, each two become one.
const BATCHES_MAX: usize = 1 << 14;

/// A warm-up that was chosen.
pub(super) struct Settled {
    /// The scenario with it.
    pub(super) scenario: Scenario,
    /// What is to be told about it.
    warning: Option<String>,
    /// Who chose it.
    by: WarmupBy,
}

impl Settled {
    /// Says in the outcome how its warm-up came about.
    pub(super) fn tell(self, outcome: &mut Outcome) {
        outcome.warmup_by = self.by;
        outcome.warnings.extend(self.warning);
    }
}

/// Chooses the warm-up of a scenario that leaves it to us; `None` for one that says it.
pub(super) fn settle(
    scenario: &Scenario,
    seed: u64,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Result<Option<Settled>, Vec<Diagnostic>> {
    let run = &scenario.model.run;
    if !run.automatic_warmup {
        return Ok(None);
    }
    let pilot = pilot(scenario, seed, progress)?;
    let cuts: Vec<(Time, bool)> = pilot.by_id.iter().flatten().filter_map(Series::cut).collect();
    let latest = cuts.iter().map(|cut| cut.0).max();
    let warmup = latest.map_or(Time::ZERO, |cut| round(cut, run.heal));
    let warning = if latest.is_none() {
        let least = MSER_BATCHES_MIN as u64 * BATCH;
        Some(format!(
            "the warm-up is 0s: no workload that lasts has {least} operations to choose it by (`run.warmup = \"auto\"`)"
        ))
    } else if cuts.iter().any(|cut| !cut.1) {
        let advice = "the run is too short to tell, or never settles";
        Some(format!("the latencies settle in the second half of the load, if at all: {advice} (warm-up {warmup})"))
    } else if latest > Some(run.heal) {
        Some(format!("the latencies settle only after `run.heal`, at which the warm-up ends ({warmup})"))
    } else {
        None
    };
    let by = if latest.is_none() { WarmupBy::Nobody } else { WarmupBy::Mser5 };
    Ok(Some(Settled { scenario: scenario.settled(warmup), warning, by }))
}

/// To the next whole millisecond, but not beyond the end of the faults.
fn round(cut: Time, heal: Time) -> Time {
    const MILLISECOND: u64 = 1_000_000;
    let whole = Time(cut.0.div_ceil(MILLISECOND) * MILLISECOND);
    if whole < heal { whole } else { cut.min(heal) }
}

fn pilot(scenario: &Scenario, seed: u64, progress: &mut dyn FnMut(Progress) -> Go) -> Result<Pilot, Vec<Diagnostic>> {
    let compiled = compile(&scenario.model, Seed(seed), &Edits::default())?;
    let duration = scenario.model.run.duration;
    let lasting = compiled.plan.workloads.iter().filter(|w| w.stop >= duration);
    let mut pilot = Pilot { by_id: vec![None; compiled.names.series.len()] };
    for workload in lasting {
        if let Some(measured) = &workload.measured {
            pilot.by_id[measured.latency.0 as usize] = Some(Series::default());
        }
    }
    let mut cluster: Cluster<Machine> = Cluster::new(compiled.plan, compiled.hardware, FaultPlan::none(), Seed(seed));
    let before = Time(duration.0.saturating_sub(1));
    while cluster.step_until(before, &mut Beside(None, &mut pilot)).is_some() {
        let events = cluster.events();
        let mut stop = || progress(Progress { now: cluster.now(), limit: duration, events }) == Go::Stop;
        if cluster.events_in_instant() > EVENTS_PER_INSTANT_MAX || events.is_multiple_of(PROGRESS_EVERY) && stop() {
            break;
        }
    }
    Ok(pilot)
}

/// Who listens to a pilot run.
struct Pilot {
    /// By `SeriesId`: the latencies of a workload that lasts.
    by_id: Vec<Option<Series>>,
}

impl Watch<Machine> for Pilot {
    fn sample(&mut self, now: Time, _: NodeId, sample: Sample) {
        if let Some(series) = self.by_id[sample.series.0 as usize].as_mut().filter(|_| sample.tag != CUT_SHORT) {
            series.push(now, sample.value.0 as f64);
        }
    }
}

/// The means of batches of a series, each with the time of its last value. Memory is bounded.
#[derive(Clone)]
struct Series {
    /// Values in a batch: 5, then 10, 20, …
    size: u64,
    batches: Vec<(f64, Time)>,
    sum: f64,
    count: u64,
}

impl Default for Series {
    fn default() -> Self {
        Self { size: BATCH, batches: Vec::new(), sum: 0.0, count: 0 }
    }
}

impl Series {
    fn push(&mut self, now: Time, value: f64) {
        self.sum += value;
        self.count += 1;
        if self.count < self.size {
            return;
        }
        self.batches.push((self.sum / self.size as f64, now));
        (self.sum, self.count) = (0.0, 0);
        if self.batches.len() == BATCHES_MAX {
            let pairs = self.batches.chunks_exact(2);
            self.batches = pairs.map(|pair| (f64::midpoint(pair[0].0, pair[1].0), pair[1].1)).collect();
            self.size *= 2;
        }
    }

    /// Where it settles, and whether it is long enough to know; `None` if it is too short for anything.
    fn cut(&self) -> Option<(Time, bool)> {
        if self.batches.len() < MSER_BATCHES_MIN {
            return None;
        }
        let means: Vec<f64> = self.batches.iter().map(|batch| batch.0).collect();
        let found = mser(&means);
        let at = found.batch.checked_sub(1).map_or(Time::ZERO, |last| self.batches[last].1);
        Some((at, found.settled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_series_takes_no_more_memory_and_is_cut_at_the_same_place() {
        let cut = |values: u64| {
            let mut series = Series::default();
            for n in 0..values {
                // The first tenth is slow; the rest is noise from 0 to 6.
                let noise = (kernel::fold(1, n) >> 40) as f64 * 6.0 / f64::from(1 << 24);
                let value = if n < values / 10 { 50.0 } else { noise };
                series.push(Time(n * 1_000_000 / values), value);
            }
            assert!(series.batches.len() < BATCHES_MAX);
            series.cut().expect("there is enough")
        };
        for values in [1_000, 100_000, 2_000_000] {
            let (at, settled) = cut(values);
            assert!(
                settled && (100_000 - 5_000..150_000).contains(&at.0),
                "{values} values: cut at {} of 1000000",
                at.0
            );
        }
    }
}
