//! What a sweep came to, over all its points and seeds: the input of the sweep's text, JSON, table, page and heat map.
//! [`of`] makes it from the runs.

pub mod heat;
mod of;

use kernel::statistics::wilson;
use lab::outcome::Quantity;
use serde::{Serialize, Serializer};

pub(crate) use of::value;
pub use of::{of, replay};

/// The result of a sweep.
#[derive(Clone, Serialize, Debug)]
pub struct SweepSummary {
    /// The scenario's name.
    pub scenario: String,
    /// Seeds `from..to`.
    pub seeds: (u64, u64),
    /// What tells the points apart: the paths of a matrix, joined by `, `; `variant` for variants; empty for one point.
    pub axis: String,
    /// The axes of its matrix.
    pub axes: Vec<Axis>,
    /// The points, in order: variants and matrix points.
    pub points: Vec<Point>,
    /// The measured term, as in a threshold: `p99(latency{op=gateway.checkout})`.
    pub measured: Option<String>,
    /// What was broken, most frequent first.
    pub failures: Vec<FailureGroup>,
    /// Seeds run twice to compare fingerprints.
    pub reruns: Option<Reruns>,
    /// What failed earlier and was tried first.
    pub earlier: Option<Tried>,
    /// It was interrupted after this many runs: everything here is about those.
    pub interrupted: Option<u64>,
    /// Everything came out as expected, over all points that have an expectation.
    pub as_expected: bool,
    /// Exit code of the command.
    pub exit: u8,
    /// Why: `transfers lose money on 3 of 100 seeds`; may be empty.
    pub summary: String,
    /// The command to go on with, for the last line: `stormglass shrink … --seed 311`.
    pub next: Option<String>,
}

impl SweepSummary {
    /// No point has an expectation, and the sweep came to its end: there is nothing to be as expected.
    pub(crate) fn only_measured(&self) -> bool {
        self.exit == 0 && !self.points.is_empty() && self.points.iter().all(|point| point.as_expected.is_none())
    }
}

/// One point of a sweep, over all seeds.
#[derive(Clone, Serialize, Debug)]
pub struct Point {
    /// Its name: the variant, or the values of the axes joined by `, `.
    pub name: String,
    /// Its variant; none: the base.
    pub variant: Option<String>,
    /// Its values of the axes, in their order.
    pub values: Vec<String>,
    /// Seeds on which every promise held.
    pub pass: u64,
    /// Seeds on which one was broken.
    pub fail: u64,
    /// Seeds that stayed undecided.
    pub unknown: u64,
    /// How likely a run is to fail: to break a promise, or to have nothing to judge one by.
    pub violation: Share,
    /// How likely a run is to break each of them.
    pub promises: Vec<Broken>,
    /// Its `sometimes` promises.
    pub sometimes: Vec<Reached>,
    /// As `[expect]` says; `None`: no expectation, only measured.
    pub as_expected: Option<bool>,
    /// The median of the measured term over the seeds.
    pub median: Option<Median>,
    /// Failing seeds, ascending; the first ones are enough.
    pub failing: Vec<u64>,
    /// Those of the failing seeds that crossed nothing but thresholds, which are not judged there.
    pub unjudged: Option<Unjudged>,
    /// How well its thresholds are known, if the file asks for that.
    pub precision: Option<Precise>,
}

/// A path of the matrix, with its values.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Axis {
    /// The path.
    pub path: String,
    /// Its values, in their order.
    pub values: Vec<String>,
}

/// A share of runs, with its 95 % interval (Wilson's score interval).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Of these runs.
    pub runs: u64,
    /// Of so many.
    pub of: u64,
}

impl Share {
    /// Runs over all of them; none of none.
    pub fn p(self) -> Option<f64> {
        (self.of > 0).then(|| self.runs as f64 / self.of as f64)
    }

    /// Both ends of its interval; everything from 0 to 1 if there are no runs.
    pub fn interval(self) -> (f64, f64) {
        let interval = wilson(self.runs.min(self.of), self.of, 0.95);
        (interval.low, interval.high)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Plain {
            runs: u64,
            of: u64,
            p: Option<f64>,
            low_95: Option<f64>,
            high_95: Option<f64>,
        }
        let (low, high) = self.interval();
        Plain {
            runs: self.runs,
            of: self.of,
            p: self.p().and_then(crate::number::rounded),
            low_95: crate::number::rounded(low),
            high_95: crate::number::rounded(high),
        }
        .serialize(serializer)
    }
}

/// How often a promise was broken.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Broken {
    /// The promise.
    pub name: String,
    /// In which share of the runs.
    pub violation: Share,
    /// In how many it was not decided, or there was nothing to judge.
    pub unknown: u64,
}

/// On how many seeds a `sometimes` promise was reached.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct Reached {
    /// The promise.
    pub name: String,
    /// On which share of the seeds.
    pub reached: Share,
    /// The share it must be; `None`: one seed is enough.
    pub at_least: Option<f64>,
    /// It is enough.
    pub enough: bool,
}

/// What failed earlier, and how it went now.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Tried {
    /// Seeds that were tried first.
    pub seeds: u64,
    /// Those of them that are none of the sweep's.
    pub outside: u64,
    /// Of those, the ones that are not as expected.
    pub failing: Vec<Again>,
}

/// A seed outside of the sweep that is not as expected.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Again {
    /// The seed.
    pub seed: u64,
    /// At which point.
    pub point: String,
    /// What is wrong.
    pub why: String,
    /// The command that shows it.
    pub replay: String,
}

/// Seeds that crossed nothing but thresholds that are judged on another one.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
pub struct Unjudged {
    /// How many.
    pub seeds: u64,
    /// Where those thresholds are judged: the file's own seed.
    pub judged_on: u64,
}

/// How well the thresholds of a point are known.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct Precise {
    /// The half width of every interval, relative to its mean, that was wanted.
    pub wanted: f64,
    /// Seeds that were run.
    pub replications: u64,
    /// Every interval is as narrow as wanted.
    pub reached: bool,
    /// Per threshold its mean over the seeds.
    pub means: Vec<Mean>,
}

/// The mean of what a threshold measures, with half the width of its 95 % interval.
#[derive(Clone, PartialEq, Debug)]
pub struct Mean {
    /// The threshold.
    pub name: String,
    /// The mean over the seeds; `None` without values.
    pub mean: Option<Quantity>,
    /// Half the width; `None` with fewer than two values.
    pub half_width: Option<Quantity>,
    /// Its interval is as narrow as wanted.
    pub narrow: bool,
}

impl Mean {
    /// Half the width relative to the mean.
    pub fn relative(&self) -> Option<f64> {
        let (mean, half) = (number(self.mean?), number(self.half_width?));
        (mean != 0.0).then(|| half / mean.abs())
    }
}

impl Serialize for Mean {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Plain<'a> {
            name: &'a str,
            mean: Option<f64>,
            half_width_95: Option<f64>,
            unit: Option<&'static str>,
            narrow: bool,
        }
        let plain = |quantity: Option<Quantity>| quantity.and_then(|q| crate::number::rounded(number(q)));
        Plain {
            name: &self.name,
            mean: plain(self.mean),
            half_width_95: plain(self.half_width),
            unit: self.mean.map(|mean| crate::number::number_and_unit(mean).1),
            narrow: self.narrow,
        }
        .serialize(serializer)
    }
}

/// A median with its confidence interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Median {
    /// The median.
    pub value: Quantity,
    /// Lower end of the 95 % interval; `None`: too few seeds for one.
    pub low: Option<Quantity>,
    /// Its upper end.
    pub high: Option<Quantity>,
}

/// All runs at one point that broke one promise, or that had nothing to judge it by.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct FailureGroup {
    /// The promise.
    pub promise: String,
    /// They had nothing to judge it by, which is no better than to break it.
    pub vacuous: bool,
    /// How many runs.
    pub runs: u64,
    /// The smallest failing seed.
    pub seed: u64,
    /// At which point.
    pub point: String,
    /// It was expected.
    pub expected: bool,
    /// It may fail.
    pub allowed: bool,
    /// A threshold: it is judged on this seed only, the file's own.
    pub judged_on: Option<u64>,
    /// They, of all runs at that point: how likely one is to break it, or to have nothing to judge it by.
    pub share: Share,
    /// The ways in which it was broken, most frequent first.
    pub clusters: Vec<Cluster>,
}

/// Runs that broke a promise in one way, under the same faults.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Cluster {
    /// The class of the violation: `conservation/always`.
    pub class: String,
    /// The faults that had begun by then and had an effect, by name; none: it needs no fault.
    pub signature: Vec<String>,
    /// How many runs.
    pub runs: u64,
    /// The smallest seed.
    pub seed: u64,
    /// The first lines of its witness.
    pub witness: Vec<String>,
    /// The command that shows it.
    pub replay: String,
}

/// Proof of determinism.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
pub struct Reruns {
    /// Seeds run twice.
    pub seeds: u64,
    /// Those with identical fingerprints.
    pub identical: u64,
}

impl Median {
    /// The median of one term over seeds, all of the same sort; `None` without values or with one that is no number.
    ///
    /// The interval is the distribution-free one of order statistics: ranks n/2 ∓ 1.96 · √n / 2 (Conover, Practical
    /// Nonparametric Statistics, 3rd ed., §3.2), which needs at least eight values.
    pub fn of(values: &[Quantity]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(|a, b| number(*a).total_cmp(&number(*b)));
        if sorted.is_empty() || sorted.iter().any(|value| number(*value).is_nan()) {
            return None;
        }
        let n = sorted.len();
        let middle = if n % 2 == 1 {
            sorted[n / 2]
        } else {
            let (below, above) = (sorted[n / 2 - 1], sorted[n / 2]);
            with(below, f64::midpoint(number(below), number(above)))
        };
        let reach = 0.98 * (n as f64).sqrt();
        let low = (n as f64 / 2.0 - reach).floor() as i64;
        let high = (n as f64 / 2.0 + reach).ceil() as i64 + 1;
        let rank = |rank: i64| (1 <= rank && rank <= n as i64).then(|| sorted[rank as usize - 1]);
        let interval = rank(low).zip(rank(high));
        Some(Self { value: middle, low: interval.map(|ends| ends.0), high: interval.map(|ends| ends.1) })
    }
}

impl Serialize for Median {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Plain {
            value: Option<f64>,
            low: Option<f64>,
            high: Option<f64>,
            unit: &'static str,
        }
        let plain = |quantity: Quantity| crate::number::rounded(number(quantity));
        Plain {
            value: plain(self.value),
            low: self.low.and_then(plain),
            high: self.high.and_then(plain),
            unit: crate::number::number_and_unit(self.value).1,
        }
        .serialize(serializer)
    }
}

/// The files of a sweep: `sweep.json` and `sweep.csv`, a row per point.
pub fn files(summary: &SweepSummary) -> Vec<(String, Vec<u8>)> {
    vec![
        ("sweep.json".to_owned(), crate::json::sweep(summary).into_bytes()),
        ("sweep.csv".to_owned(), crate::tables::sweep(summary)),
    ]
}

fn number(quantity: Quantity) -> f64 {
    crate::number::number_and_unit(quantity).0
}

fn with(like: Quantity, number: f64) -> Quantity {
    match like {
        Quantity::Seconds(_) => Quantity::Seconds(number),
        Quantity::Ratio(_) => Quantity::Ratio(number),
        Quantity::PerSecond(_) => Quantity::PerSecond(number),
        Quantity::Number(_) => Quantity::Number(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
    #[test]
    fn shares_have_the_published_intervals_at_none_and_at_all_too() {
        let published =
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)];
        for (runs, of, low, high) in published {
            let found = Share { runs, of }.interval();
            assert!((found.0 - low).abs() < 5e-5 && (found.1 - high).abs() < 5e-5, "{runs} of {of}: {found:?}");
        }
        let all = Share { runs: 20, of: 20 }.interval();
        assert!((all.0 - (1.0 - 0.1611)).abs() < 5e-5 && all.1.to_bits() == 1.0_f64.to_bits(), "{all:?}");
        let none = Share { runs: 0, of: 0 };
        assert_eq!((none.p(), none.interval()), (None, (0.0, 1.0)), "without runs nothing is known");
    }

    #[test]
    fn the_median_of_a_hundred_lies_between_ranks_40_and_61() {
        let values: Vec<Quantity> = (1..=100).rev().map(|n| Quantity::Seconds(f64::from(n))).collect();
        let median = Median::of(&values).expect("there are values");
        assert_eq!(median.value, Quantity::Seconds(50.5));
        assert_eq!((median.low, median.high), (Some(Quantity::Seconds(40.0)), Some(Quantity::Seconds(61.0))));
        assert_eq!(Median::of(&values[..5]).and_then(|m| m.low), None, "five values cannot give 95 %");
        assert_eq!(Median::of(&[]), None);
    }
}
