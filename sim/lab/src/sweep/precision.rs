//! `run.precision`: how many seeds it takes until every threshold's mean is known well enough.
//!
//! Decided on finished prefixes in seed order: after each seed, as if the seeds had been run one after the other, so that
//! the number of threads changes nothing (docs/semantics.md, rule 46).

use kernel::statistics::{Estimate, estimate};

use super::SeedResult;
use crate::outcome::Quantity;

/// Replications after which a sweep gives up on being precise enough.
pub const REPLICATIONS_MAX: u64 = 1000;

/// Fewer replications than this are never enough: their spread is hardly known itself.
pub const REPLICATIONS_MIN: usize = 10;

/// Of the intervals.
const CONFIDENCE: f64 = 0.95;

/// How well a point's thresholds are known.
#[derive(Clone, PartialEq, Debug)]
pub struct Precision {
    /// The half width of every interval, relative to its mean, that was wanted.
    pub wanted: f64,
    /// Seeds that were run.
    pub replications: u64,
    /// Every interval is as narrow as wanted.
    pub reached: bool,
    /// Per threshold its mean over the seeds.
    pub means: Vec<Mean>,
}

/// The mean of what one threshold measures, over seeds.
#[derive(Clone, PartialEq, Debug)]
pub struct Mean {
    /// The threshold.
    pub name: String,
    /// The mean of the values measured; `None` if there were none.
    pub mean: Option<Quantity>,
    /// Half the width of its 95 % interval (Student's); `None` with fewer than two values.
    pub half_width: Option<Quantity>,
    /// Seeds with a value.
    pub values: u64,
    /// Its interval is as narrow as wanted.
    pub narrow: bool,
}

/// The values of every threshold, as results come in.
#[derive(Clone, Debug)]
pub(super) struct Replications {
    wanted: f64,
    seeds: usize,
    thresholds: Vec<(String, Option<Quantity>, Vec<f64>)>,
}

impl Replications {
    pub(super) fn new(wanted: f64, thresholds: impl Iterator<Item = String>) -> Self {
        Self { wanted, seeds: 0, thresholds: thresholds.map(|name| (name, None, Vec::new())).collect() }
    }

    /// Takes the next seed's result. Whether it is enough now.
    pub(super) fn push(&mut self, result: &SeedResult) -> bool {
        self.seeds += 1;
        for promise in &result.promises {
            let Some(Some(value)) = promise.threshold else { continue };
            if let Some(threshold) = self.thresholds.iter_mut().find(|t| t.0 == promise.name) {
                threshold.1 = Some(value);
                threshold.2.push(number(value));
            }
        }
        self.enough()
    }

    fn enough(&self) -> bool {
        let narrow = |values: &[f64]| values.is_empty() || self.narrow(values);
        self.seeds >= REPLICATIONS_MIN && self.thresholds.iter().all(|(_, _, values)| narrow(values))
    }

    fn narrow(&self, values: &[f64]) -> bool {
        let about = estimate(values);
        values.len() >= REPLICATIONS_MIN && half_width(&about) <= self.wanted * about.mean.abs()
    }

    pub(super) fn finish(self) -> Precision {
        let means = self.thresholds.iter().map(|(name, like, values)| {
            let about = estimate(values);
            let half_width = Some(half_width(&about)).filter(|half| half.is_finite());
            Mean {
                name: name.clone(),
                mean: like.map(|like| with(like, about.mean)),
                half_width: like.zip(half_width).map(|(like, half)| with(like, half)),
                values: values.len() as u64,
                narrow: values.is_empty() || self.narrow(values),
            }
        });
        Precision {
            wanted: self.wanted,
            replications: self.seeds as u64,
            reached: self.enough(),
            means: means.collect(),
        }
    }
}

fn half_width(about: &Estimate) -> f64 {
    let interval = about.interval(CONFIDENCE);
    (interval.high - interval.low) / 2.0
}

fn number(quantity: Quantity) -> f64 {
    match quantity {
        Quantity::Seconds(n) | Quantity::Ratio(n) | Quantity::PerSecond(n) | Quantity::Number(n) => n,
    }
}

fn with(like: Quantity, number: f64) -> Quantity {
    match like {
        Quantity::Seconds(_) => Quantity::Seconds(number),
        Quantity::Ratio(_) => Quantity::Ratio(number),
        Quantity::PerSecond(_) => Quantity::PerSecond(number),
        Quantity::Number(_) => Quantity::Number(number),
    }
}
