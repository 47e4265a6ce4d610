//! Distributions of durations and numbers, on `libm` alone, so that a draw has the same bits on every machine
//! (docs/semantics.md, rule 3; `rand_distr` changes its last digits with the features of other crates).
//!
//! A distribution knows no units: the caller decides that its numbers are nanoseconds, keys or bytes. It takes its
//! randomness from any `rand::Rng`: a keyed draw for what belongs to an operation, a ChaCha8 stream for generators.
//! Wherever there is a cheap one, a draw is the inverse of the distribution function at one uniform word: the same word
//! gives the same rank under other parameters, which is what makes variants of a scenario comparable.
//!
//! `draw` has the sampling, `elementary` its logarithm and exponential, `formula` and `inverse` what is known without sampling (mean, variance, distribution
//! function, quantiles), `special` the functions they need, `zipf` the law that is too large for a line, `golden` the
//! hashes that say whether any of it moved.

mod draw;
mod elementary;
mod formula;
mod golden;
mod inverse;
mod special;
mod sum;
mod zipf;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

pub use golden::{examples, golden};
pub use special::{normal_cdf, normal_quantile};
pub use zipf::Zipf;

/// A distribution with parameters that were checked: the constructors are the only way to make one.
///
/// At most 32 bytes, and cloning never copies more than that.
#[derive(Clone, PartialEq, Debug)]
pub enum Distribution {
    /// Always the same.
    #[non_exhaustive]
    Constant {
        /// What it always is.
        value: f64,
    },
    /// Evenly between two bounds.
    #[non_exhaustive]
    Uniform {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// Memoryless.
    #[non_exhaustive]
    Exponential {
        /// The mean.
        mean: f64,
    },
    /// Gaussian; what falls below `floor` is `floor`.
    #[non_exhaustive]
    Normal {
        /// The mean before the cut.
        mean: f64,
        /// The standard deviation before the cut.
        deviation: f64,
        /// The least value: 0 for durations, else minus infinity.
        floor: f64,
    },
    /// The exponential of a Gaussian.
    #[non_exhaustive]
    Lognormal {
        /// The mean of the logarithm: the median is its exponential.
        log_mean: f64,
        /// The standard deviation of the logarithm.
        log_deviation: f64,
    },
    /// P(X > x) = (min / x)^alpha.
    #[non_exhaustive]
    Pareto {
        /// The least value.
        min: f64,
        /// The tail index: moments of this order and above are infinite.
        alpha: f64,
    },
    /// A Pareto given that it does not exceed a maximum.
    #[non_exhaustive]
    BoundedPareto {
        /// The least value.
        min: f64,
        /// The tail index.
        alpha: f64,
        /// The share of the unbounded Pareto that would exceed the maximum: (min / max)^alpha.
        beyond: f64,
    },
    /// P(X > x) = exp(−(x / scale)^shape).
    #[non_exhaustive]
    Weibull {
        /// The value that 1/e of the draws exceed.
        scale: f64,
        /// Below 1 the hazard falls with age, above 1 it rises.
        shape: f64,
    },
    /// The sum of equal exponential stages.
    #[non_exhaustive]
    Erlang {
        /// How many.
        stages: u32,
        /// The mean of each.
        stage_mean: f64,
    },
    /// Gamma.
    #[non_exhaustive]
    Gamma {
        /// 1 / cv².
        shape: f64,
        /// mean / shape.
        scale: f64,
    },
    /// One of two exponentials, which contribute equally to the mean ("balanced means").
    #[non_exhaustive]
    Hyperexponential {
        /// The share of draws that come from the first.
        share: f64,
        /// The mean of the first, the shorter one.
        first_mean: f64,
        /// The mean of the second.
        second_mean: f64,
    },
    /// One of several distributions.
    #[non_exhaustive]
    Mixture {
        /// Each with the share of draws that come from it or an earlier one; the last share is 1.
        parts: Arc<[(f64, Distribution)]>,
    },
    /// The sum of independent draws.
    #[non_exhaustive]
    Sum {
        /// What is added.
        parts: Arc<[Distribution]>,
    },
    /// One of the values measured, each as likely as the others.
    #[non_exhaustive]
    Empirical {
        /// In ascending order.
        values: Arc<[f64]>,
    },
    /// Whole numbers, evenly, both bounds included.
    #[non_exhaustive]
    Integer {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// Rank r of 0 … n−1 with a probability proportional to 1 / (r + 1)^s.
    #[non_exhaustive]
    Zipf {
        /// Its parameters and what sampling needs of them.
        law: Arc<Zipf>,
    },
    /// A number of 0 … n−1; the first `hot` of them share `share` of the draws evenly, the others the rest.
    #[non_exhaustive]
    Hotspot {
        /// How many numbers.
        n: u64,
        /// How many of them are hot.
        hot: u64,
        /// The share of draws that are hot.
        share: f64,
    },
    /// The number of failures before the first success: 0, 1, 2, …
    #[non_exhaustive]
    Geometric {
        /// The mean.
        mean: f64,
        /// The exponential rate whose whole part this is: ln(1 + 1/mean).
        rate: f64,
    },
    /// The number of independent rare events.
    #[non_exhaustive]
    Poisson {
        /// The mean.
        mean: f64,
    },
    /// 1 with this probability, else 0.
    #[non_exhaustive]
    Chance {
        /// The probability of 1.
        probability: f64,
    },
    /// An index, by weights.
    #[non_exhaustive]
    Choice {
        /// Per index the probability of it or an earlier one; the last is 1.
        cumulative: Arc<[f64]>,
    },
}

/// Parameters that make no distribution. Reads as `cv must be greater than 0`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// The parameter, as the scenario file calls it.
    pub parameter: &'static str,
    /// What it must be.
    pub rule: &'static str,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must {}", self.parameter, self.rule)
    }
}

impl core::error::Error for Invalid {}

/// The greatest whole number up to which every whole number is exact in the numbers of a distribution: 2^53.
pub const LIMIT: i64 = 1 << 53;

const POSITIVE: &str = "be greater than 0";

impl Distribution {
    /// Always `value`.
    pub fn constant(value: f64) -> Result<Self, Invalid> {
        finite("value", value)?;
        Ok(Self::Constant { value })
    }

    /// Evenly between `low` and `high`.
    pub fn uniform(low: f64, high: f64) -> Result<Self, Invalid> {
        finite("the lower bound", low)?;
        finite("the upper bound", high)?;
        require(low <= high, "the upper bound", "not be less than the lower bound")?;
        Ok(Self::Uniform { low, high })
    }

    /// Exponential.
    pub fn exponential(mean: f64) -> Result<Self, Invalid> {
        positive("mean", mean)?;
        Ok(Self::Exponential { mean })
    }

    /// Gaussian, of numbers: may be negative.
    pub fn normal(mean: f64, sd: f64) -> Result<Self, Invalid> {
        finite("mean", mean)?;
        finite("sd", sd)?;
        require(sd >= 0.0, "sd", "not be negative")?;
        Ok(Self::Normal { mean, deviation: sd, floor: f64::NEG_INFINITY })
    }

    /// Gaussian, of durations: what would be negative is 0. Mean, variance and quantiles are those after the cut.
    pub fn normal_duration(mean: f64, sd: f64) -> Result<Self, Invalid> {
        Self::normal(mean, sd)?;
        Ok(Self::Normal { mean, deviation: sd, floor: 0.0 })
    }

    /// Lognormal, by its mean and its coefficient of variation (standard deviation / mean).
    pub fn lognormal_mean_cv(mean: f64, cv: f64) -> Result<Self, Invalid> {
        positive("mean", mean)?;
        positive("cv", cv)?;
        require(cv <= 1e6, "cv", "be at most 1000000")?;
        let log_variance = libm::log1p(cv * cv);
        Ok(Self::Lognormal { log_mean: libm::log(mean) - log_variance / 2.0, log_deviation: libm::sqrt(log_variance) })
    }

    /// Lognormal, by its median and its 99th percentile.
    pub fn lognormal_p50_p99(p50: f64, p99: f64) -> Result<Self, Invalid> {
        positive("p50", p50)?;
        finite("p99", p99)?;
        require(p99 > p50, "p99", "be greater than p50")?;
        require(p99 / p50 <= 1e12, "p99", "be at most 10^12 times p50")?;
        Ok(Self::Lognormal { log_mean: libm::log(p50), log_deviation: libm::log(p99 / p50) / normal_quantile(0.99) })
    }

    /// Pareto. With `alpha` ≤ 1 the mean is infinite, with `alpha` ≤ 2 the variance.
    pub fn pareto(min: f64, alpha: f64) -> Result<Self, Invalid> {
        positive("min", min)?;
        positive("alpha", alpha)?;
        require(alpha >= 0.1, "alpha", "be at least 0.1")?;
        Ok(Self::Pareto { min, alpha })
    }

    /// Pareto given that it does not exceed `max`.
    pub fn bounded_pareto(min: f64, alpha: f64, max: f64) -> Result<Self, Invalid> {
        Self::pareto(min, alpha)?;
        finite("max", max)?;
        require(max > min, "max", "be greater than min")?;
        let beyond = libm::pow(min / max, alpha);
        // A bound that not one draw in 10^300 meets would only lose the maximum to underflow.
        if beyond < 1e-300 { Self::pareto(min, alpha) } else { Ok(Self::BoundedPareto { min, alpha, beyond }) }
    }

    /// Weibull.
    pub fn weibull(scale: f64, shape: f64) -> Result<Self, Invalid> {
        positive("scale", scale)?;
        positive("shape", shape)?;
        require(shape >= 0.02, "shape", "be at least 0.02")?;
        Ok(Self::Weibull { scale, shape })
    }

    /// The sum of `k` equal exponentials; `mean` is that of the sum.
    pub fn erlang(k: u32, mean: f64) -> Result<Self, Invalid> {
        require(k > 0, "k", "be at least 1")?;
        positive("mean", mean)?;
        Ok(Self::Erlang { stages: k, stage_mean: mean / f64::from(k) })
    }

    /// Gamma, by its mean and its coefficient of variation.
    pub fn gamma(mean: f64, cv: f64) -> Result<Self, Invalid> {
        positive("mean", mean)?;
        positive("cv", cv)?;
        let shape = 1.0 / (cv * cv);
        require(1e-4 < shape && shape < 1e12, "cv", "be between 0.000001 and 100")?;
        Ok(Self::Gamma { shape, scale: mean / shape })
    }

    /// Hyperexponential with two branches and balanced means, by its mean and its coefficient of variation.
    pub fn hyperexponential(mean: f64, cv: f64) -> Result<Self, Invalid> {
        positive("mean", mean)?;
        finite("cv", cv)?;
        require(cv >= 1.0, "cv", "be at least 1 (below 1 use erlang or gamma)")?;
        require(cv <= 1e6, "cv", "be at most 1000000")?;
        let squared = cv * cv;
        // (1 − sqrt((c² − 1)/(c² + 1))) / 2, written without the cancellation.
        let root = libm::sqrt((squared - 1.0) / (squared + 1.0));
        let rare = 1.0 / ((squared + 1.0) * (1.0 + root));
        let share = 1.0 - rare;
        Ok(Self::Hyperexponential { share, first_mean: mean / (2.0 * share), second_mean: mean / (2.0 * rare) })
    }

    /// One of `parts`, each with its weight; weights need not add up to anything.
    pub fn mixture(parts: &[(f64, Self)]) -> Result<Self, Invalid> {
        let shares = cumulative(parts.iter().map(|part| part.0))?;
        let parts = shares.into_iter().zip(parts).map(|(share, part)| (share, part.1.clone()));
        Ok(Self::Mixture { parts: parts.collect() })
    }

    /// The sum of independent draws of `parts`. Sums within it are taken apart.
    pub fn sum(parts: &[Self]) -> Result<Self, Invalid> {
        require(!parts.is_empty(), "a sum", "have a part")?;
        let mut flat = Vec::new();
        for part in parts {
            if let Self::Sum { parts } = part {
                flat.extend(parts.iter().cloned());
            } else {
                flat.push(part.clone());
            }
        }
        Ok(Self::Sum { parts: flat.into() })
    }

    /// One of `values`, in any order, each as likely as the others; repeat a value to make it likelier.
    pub fn empirical(values: &[f64]) -> Result<Self, Invalid> {
        require(!values.is_empty(), "the values", "not be empty")?;
        require(values.iter().all(|value| value.is_finite()), "the values", "be finite")?;
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        Ok(Self::Empirical { values: values.into() })
    }

    /// The whole numbers from `low` to `high`, both included, evenly; neither beyond ± 2^53.
    pub fn int(low: i64, high: i64) -> Result<Self, Invalid> {
        require(low <= high, "the upper bound", "not be less than the lower bound")?;
        require(-LIMIT <= low && high <= LIMIT, "the bounds", "lie within plus or minus 2^53")?;
        Ok(Self::Integer { low, high })
    }

    /// Rank 0 … `n`−1, rank r with a probability proportional to 1 / (r + 1)^`s`; `s` = 0 is even, `s` = 1 Zipf's own.
    pub fn zipf(n: u64, s: f64) -> Result<Self, Invalid> {
        require(n > 0, "n", "be at least 1")?;
        require(n <= 1 << 40, "n", "be at most 2^40")?;
        finite("s", s)?;
        require((0.0..=20.0).contains(&s), "s", "be between 0 and 20")?;
        Ok(Self::Zipf { law: Arc::new(Zipf::new(n, s)) })
    }

    /// A number of 0 … `n`−1: `share` of the draws fall evenly on the first `hot` numbers, the rest evenly on the others.
    pub fn hotspot(n: u64, hot: u64, share: f64) -> Result<Self, Invalid> {
        require(n <= LIMIT as u64, "n", "be at most 2^53")?;
        require(0 < hot && hot < n, "hot", "be at least 1 and less than n")?;
        require((0.0..=1.0).contains(&share), "share", "be between 0% and 100%")?;
        Ok(Self::Hotspot { n, hot, share })
    }

    /// The number of failures before the first success: 0, 1, 2, … with this mean (the success has probability
    /// 1 / (1 + mean)).
    pub fn geometric(mean: f64) -> Result<Self, Invalid> {
        positive("mean", mean)?;
        require(mean <= 1e12, "mean", "be at most 10^12")?;
        Ok(Self::Geometric { mean, rate: libm::log1p(1.0 / mean) })
    }

    /// Poisson.
    pub fn poisson(mean: f64) -> Result<Self, Invalid> {
        positive("mean", mean)?;
        require(mean <= 1e9, "mean", "be at most 10^9")?;
        Ok(Self::Poisson { mean })
    }

    /// 1 with this probability, else 0.
    pub fn chance(probability: f64) -> Result<Self, Invalid> {
        require((0.0..=1.0).contains(&probability), "a chance", "be between 0% and 100%")?;
        Ok(Self::Chance { probability })
    }

    /// An index of `weights`, by weight.
    pub fn choice(weights: &[f64]) -> Result<Self, Invalid> {
        Ok(Self::Choice { cumulative: cumulative(weights.iter().copied())?.into() })
    }
}

fn require(holds: bool, parameter: &'static str, rule: &'static str) -> Result<(), Invalid> {
    if holds { Ok(()) } else { Err(Invalid { parameter, rule }) }
}

fn finite(parameter: &'static str, value: f64) -> Result<(), Invalid> {
    // Also keeps every draw finite: none is further out than 10^80 times a parameter.
    require(value.abs() <= 1e100, parameter, "be finite, and at most 10^100")
}

fn positive(parameter: &'static str, value: f64) -> Result<(), Invalid> {
    finite(parameter, value)?;
    require(value > 0.0, parameter, POSITIVE)
}

/// Weights as running shares; everything from the last positive weight on is exactly 1, so that a draw always lands.
fn cumulative(weights: impl Iterator<Item = f64> + Clone) -> Result<Vec<f64>, Invalid> {
    require(weights.clone().all(|weight| weight.is_finite() && weight >= 0.0), "a weight", "not be negative")?;
    let total: f64 = weights.clone().sum();
    require(total.is_finite() && total > 0.0, "the sum of the weights", POSITIVE)?;
    let last = weights.clone().enumerate().filter(|(_, weight)| *weight > 0.0).last().map_or(0, |(place, _)| place);
    let mut so_far = 0.0;
    let share = |(place, weight): (usize, f64)| {
        so_far += weight;
        if place >= last { 1.0 } else { (so_far / total).min(1.0) }
    };
    Ok(weights.enumerate().map(share).collect())
}
