//! The number of each wanted term, once the run is over.

use kernel::{Span, Time};
use systems::app::ending::Ending;

use super::level::Extremes;
use super::source::{Source, Value, workers_behind};
use super::tally::{BATCHES, Estimate, Hit, Tally, ratio};
use super::wanted::{Metric, Phase, Stat, Wanted};
use super::{Recorder, Sort};
use crate::names::Names;

impl Value {
    fn of(number: f64) -> Self {
        Self { number, error: None, at: None }
    }

    fn seen(number: f64, at: Time) -> Self {
        Self { number, error: None, at: Some(at) }
    }

    fn estimate(estimate: Estimate, unit: f64) -> Self {
        let error = Some(estimate.error / unit).filter(|error| error.is_finite());
        Self { number: estimate.value / unit, error, at: None }
    }
}

/// Nanoseconds in a second.
const SECOND: f64 = 1e9;

impl Recorder {
    /// The number of the `term`th wanted term; `None` if there was nothing to measure. After `finish` only.
    pub fn value(&self, term: usize) -> Option<Value> {
        assert!(self.end.is_some(), "a run has numbers when it is over");
        let (wanted, source) = &self.wanted[term];
        match source {
            Source::Whole(series) => self.of_samples(wanted, &self.together(series)),
            Source::Probe(probe) => self.of_samples(wanted, &self.probes[*probe].tally),
            Source::Level { level, workers, phase } => self.of_level(wanted.stat, *level, *workers, *phase),
            Source::Flow(flow) => Some(self.of_flow(wanted, *flow)),
            Source::Share(above, below) => {
                let (above, below) = (self.flows[*above].total(), self.flows[*below].total());
                (below > 0).then(|| Value::of(above as f64 / below as f64))
            }
            Source::Left { level, given_up } => Some(self.of_what_is_left(wanted.stat, *level, given_up)),
        }
    }

    /// The statistic of the `term`th wanted term.
    pub fn stat(&self, term: usize) -> Stat {
        self.wanted[term].0.stat
    }

    /// The mean of a metric over the measured time, in nanoseconds for samples, with its standard error by batch means.
    /// For samples and levels; `None` if there are none. Of a level, `count` is the number of batches.
    pub fn mean_with_error(&self, metric: Metric, labels: &[(&str, &str)], names: &Names) -> Option<Estimate> {
        let wanted = Wanted { above: None, ..Wanted::above(metric, labels, Span::ZERO) };
        match metric.entry().sort {
            // Its cells are counters.
            _ if metric == Metric::QueueIdentityError => None,
            Sort::Samples => self.together(&super::wanted::series_of(names, &wanted)).mean(),
            Sort::Level => {
                let rows = super::wanted::rows_of(names, &wanted);
                let workers =
                    if metric == Metric::Utilisation { workers_behind(&rows, names, &self.services) } else { 1.0 };
                let Estimate { value, error, count } = self.of_rows(&rows)?;
                Some(Estimate { value: value / workers, error: error / workers, count })
            }
            Sort::Ratio | Sort::Count | Sort::Rate => None,
        }
    }

    /// The same for a level that thresholds cannot ask for, by the name of its metric among the cells: `in_system`.
    pub fn level_with_error(&self, metric: &str, labels: &[(&str, &str)], names: &Names) -> Option<Estimate> {
        let labels: Vec<_> = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.of_rows(&super::wanted::rows_called(names, metric, &labels))
    }

    fn of_rows(&self, rows: &[(usize, u64)]) -> Option<Estimate> {
        let mut sums = vec![(0.0, 1.0); BATCHES];
        let mut value = 0.0;
        for (cell, row) in rows {
            let level = self.levels.row(*cell, *row);
            value += level.occupancy.mean();
            for (sum, (part, _)) in sums.iter_mut().zip(level.batches(self.batch_length())) {
                sum.0 += part;
            }
        }
        let (_, error) = ratio(&sums)?;
        (!rows.is_empty()).then_some(Estimate { value, error, count: BATCHES as u64 })
    }

    /// The exact share of a metric's samples that were longer than `limit`, with its standard error by batch means. It
    /// must have been wanted with [`Wanted::above`]; `None` if it was not or there are no samples.
    pub fn share_above(&self, metric: Metric, labels: &[(&str, &str)], limit: Span) -> Option<Estimate> {
        let asked = Wanted::above(metric, labels, limit);
        let (_, source) = self.wanted.iter().find(|(wanted, _)| *wanted == asked)?;
        match source {
            Source::Probe(probe) => {
                let tally = &self.probes[*probe].tally;
                if tally.answers(Hit::Above(limit.0)) { tally.hits() } else { None }
            }
            Source::Whole(_) | Source::Level { .. } | Source::Flow(_) | Source::Share(..) | Source::Left { .. } => None,
        }
    }

    fn together(&self, series: &[usize]) -> Tally {
        let mut whole = Tally::new(Hit::Error);
        for &number in series {
            whole.merge(&self.streams[number].tally);
        }
        whole
    }

    fn of_samples(&self, wanted: &Wanted, tally: &Tally) -> Option<Value> {
        let (histogram, ended) = (&tally.histogram, tally.ended());
        let phase = self.phases.watched.iter().position(|watch| watch.phase == wanted.phase);
        let seconds = phase.map_or(0.0, |phase| self.phases.seconds(phase));
        if wanted.metric == Metric::Errors || wanted.above.is_some() {
            return tally.hits().map(|hits| Value::estimate(hits, 1.0));
        }
        if wanted.metric == Metric::Rejects {
            return (ended > 0).then(|| Value::of(tally.ended_as(Ending::Reject) as f64 / ended as f64));
        }
        if wanted.metric == Metric::Offered {
            return Some(per_second(ended + tally.cut_short(), seconds));
        }
        let count = histogram.count();
        if count == 0 && !matches!(wanted.stat, Stat::Count | Stat::Rate) {
            return None;
        }
        match wanted.stat {
            Stat::Count => Some(Value::of(count as f64)),
            Stat::Rate => Some(per_second(count, seconds)),
            Stat::Mean => tally.mean().map(|mean| Value::estimate(mean, SECOND)),
            Stat::Min => Some(Value::of(histogram.min() as f64 / SECOND)),
            Stat::Max => Some(Value::seen(histogram.max() as f64 / SECOND, tally.max_at)),
            Stat::Last | Stat::End => tally.last.map(|(at, last)| Value::seen(last as f64 / SECOND, at)),
            Stat::Sum => Some(Value::of(histogram.sum() as f64 / SECOND)),
            Stat::Share => {
                let those = Ending::ALL.iter().filter(|ending| Some(ending.tag()) == wanted.tag);
                let those: u64 = those.map(|ending| tally.ended_as(*ending)).sum();
                (ended > 0).then(|| Value::of(those as f64 / ended as f64))
            }
            Stat::Percentile(q) => Some(Value::of(histogram.quantile(q) as f64 / SECOND)),
        }
    }

    fn of_level(&self, stat: Stat, level: usize, workers: f64, phase: usize) -> Option<Value> {
        let level = self.levels.get(level);
        let (end, occupancy) = (self.end.expect("asserted by the caller"), &level.occupancy);
        let Extremes { max, max_at, min } = if level.extremes.seen() {
            level.extremes
        } else {
            Extremes { max: level.value, max_at: end, min: level.value }
        };
        let seen = level.extremes.seen() && (occupancy.total() > 0 || matches!(stat, Stat::Min | Stat::Max));
        if !seen && stat != Stat::End {
            return None;
        }
        match stat {
            Stat::End => Some(Value::seen(level.value as f64 / workers, end)),
            Stat::Max => Some(Value::seen(max as f64 / workers, max_at)),
            Stat::Min => Some(Value::of(min as f64 / workers)),
            Stat::Mean => {
                // Batches cut the measured time; of another phase they tell nothing.
                let error = if phase == 0 { ratio(&level.batches(self.batch_length())) } else { None };
                let error = error.map(|(_, error)| error / workers).filter(|error| error.is_finite());
                Some(Value { number: occupancy.mean() / workers, error, at: None })
            }
            Stat::Share => Some(Value::of(occupancy.share_above_zero())),
            Stat::Percentile(q) => Some(Value::of(occupancy.quantile(q) as f64 / workers)),
            Stat::Last | Stat::Count | Stat::Rate | Stat::Sum => None,
        }
    }

    fn of_flow(&self, wanted: &Wanted, flow: usize) -> Value {
        let flow = &self.flows[flow];
        let rate = wanted.stat == Stat::Rate || wanted.metric.entry().sort == Sort::Rate;
        if rate {
            return per_second(flow.during(), self.phases.seconds(flow.phase));
        }
        Value::of(flow.total() as f64)
    }

    fn of_what_is_left(&self, stat: Stat, level: usize, given_up: &[usize]) -> Value {
        let given_up: u64 = given_up.iter().map(|&kind| self.sagas.given_up(kind)).sum();
        let left = self.levels.get(level).value.max(0) as u64 + given_up;
        if stat == Stat::Rate { per_second(left, self.measured_seconds()) } else { Value::of(left as f64) }
    }

    pub(super) fn batch_length(&self) -> f64 {
        self.times.duration.since(self.times.warmup).0 as f64 / BATCHES as f64
    }

    /// The length of the measured time, in seconds.
    pub(super) fn measured_seconds(&self) -> f64 {
        let measured = self.phases.watched.iter().position(|watch| watch.phase == Phase::Measured);
        self.phases.seconds(measured.expect("the measured phase is always watched"))
    }
}

/// A rate; in a phase that had no length there is none, and nothing happened.
fn per_second(count: u64, seconds: f64) -> Value {
    Value::of(if seconds > 0.0 { count as f64 / seconds } else { 0.0 })
}
