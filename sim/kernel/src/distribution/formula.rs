//! What is known without drawing: mean, variance, distribution function.

use super::Distribution;
use super::special::{gamma_cdf, growth, normal_cdf};
use super::sum::Addends;

/// Beyond this many standard deviations above its floor a Gaussian's cut changes nothing that 64 bits show.
const FAR_ABOVE_FLOOR: f64 = 8.3;

impl Distribution {
    /// The mean; infinite where it is.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Constant { value } => *value,
            Self::Uniform { low, high } => low + (high - low) / 2.0,
            Self::Exponential { mean } | Self::Geometric { mean, .. } | Self::Poisson { mean } => *mean,
            Self::Normal { mean, deviation, floor } => cut_gaussian(*mean, *deviation, *floor).0,
            Self::Lognormal { log_mean, log_deviation } => libm::exp(log_mean + log_deviation * log_deviation / 2.0),
            Self::Pareto { min, alpha } => {
                if *alpha > 1.0 {
                    alpha * min / (alpha - 1.0)
                } else {
                    f64::INFINITY
                }
            }
            Self::BoundedPareto { min, alpha, beyond } => min * bounded_moment(*alpha, *beyond, 1.0),
            Self::Weibull { scale, shape } => scale * libm::tgamma(1.0 + 1.0 / shape),
            Self::Erlang { stages, stage_mean } => f64::from(*stages) * stage_mean,
            Self::Gamma { shape, scale } => shape * scale,
            Self::Hyperexponential { share, first_mean, second_mean } => {
                share * first_mean + (1.0 - share) * second_mean
            }
            Self::Mixture { parts } => weighted(parts).map(|(weight, part)| weight * part.mean()).sum(),
            Self::Sum { parts } => parts.iter().map(Self::mean).sum(),
            Self::Empirical { values } => values.iter().sum::<f64>() / values.len() as f64,
            Self::Integer { low, high } => (low + high) as f64 / 2.0,
            Self::Zipf { law } => law.moment(1.0) - 1.0,
            Self::Hotspot { n, hot, share } => {
                let (n, hot) = (*n as f64, *hot as f64);
                share * (hot - 1.0) / 2.0 + (1.0 - share) * (hot + n - 1.0) / 2.0
            }
            Self::Chance { probability } => *probability,
            Self::Choice { cumulative } => indices(cumulative).map(|(index, weight)| index * weight).sum(),
        }
    }

    /// The variance; infinite where it is.
    pub fn variance(&self) -> f64 {
        if self.mean() == f64::INFINITY {
            return f64::INFINITY;
        }
        match self {
            Self::Constant { .. } => 0.0,
            Self::Uniform { low, high } => (high - low) * (high - low) / 12.0,
            Self::Exponential { mean } => mean * mean,
            Self::Normal { mean, deviation, floor } => cut_gaussian(*mean, *deviation, *floor).1,
            Self::Lognormal { log_deviation, .. } => {
                let mean = self.mean();
                mean * mean * libm::expm1(log_deviation * log_deviation)
            }
            Self::Pareto { min, alpha } if *alpha > 2.0 => {
                let less = alpha - 1.0;
                min * min * alpha / (less * less * (alpha - 2.0))
            }
            Self::Pareto { .. } => f64::INFINITY,
            Self::BoundedPareto { min, alpha, beyond } => {
                let first = bounded_moment(*alpha, *beyond, 1.0);
                min * min * (bounded_moment(*alpha, *beyond, 2.0) - first * first)
            }
            Self::Weibull { scale, shape } => {
                let first = libm::tgamma(1.0 + 1.0 / shape);
                scale * scale * (libm::tgamma(1.0 + 2.0 / shape) - first * first)
            }
            Self::Erlang { stages, stage_mean } => f64::from(*stages) * stage_mean * stage_mean,
            Self::Gamma { shape, scale } => shape * scale * scale,
            Self::Hyperexponential { share, first_mean, second_mean } => {
                let square = 2.0 * (share * first_mean * first_mean + (1.0 - share) * second_mean * second_mean);
                let mean = self.mean();
                square - mean * mean
            }
            Self::Mixture { parts } => {
                let mean = self.mean();
                let about = |part: &Self| (part.mean() - mean) * (part.mean() - mean);
                weighted(parts).map(|(weight, part)| weight * (part.variance() + about(part))).sum()
            }
            Self::Sum { parts } => parts.iter().map(Self::variance).sum(),
            Self::Empirical { values } => {
                let mean = self.mean();
                values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len() as f64
            }
            Self::Integer { low, high } => even_variance((high - low) as f64 + 1.0),
            Self::Zipf { law } => law.moment(2.0) - law.moment(1.0) * law.moment(1.0),
            Self::Hotspot { n, hot, share } => {
                let (n, hot) = (*n as f64, *hot as f64);
                let between = n / 2.0;
                share * even_variance(hot)
                    + (1.0 - share) * even_variance(n - hot)
                    + share * (1.0 - share) * between * between
            }
            Self::Geometric { mean, .. } => mean * (mean + 1.0),
            Self::Poisson { mean } => *mean,
            Self::Chance { probability } => probability * (1.0 - probability),
            Self::Choice { cumulative } => {
                let mean = self.mean();
                indices(cumulative).map(|(index, weight)| weight * (index - mean) * (index - mean)).sum()
            }
        }
    }

    /// The share of draws that do not exceed `x`. Exact but for sums of more than one varying part: see `sum`.
    pub fn cdf(&self, x: f64) -> f64 {
        if x == f64::INFINITY {
            return 1.0;
        }
        let whole = libm::floor(x);
        match self {
            Self::Constant { value } => f64::from(u8::from(x >= *value)),
            Self::Uniform { low, .. } if x < *low => 0.0,
            Self::Uniform { high, .. } if x >= *high => 1.0,
            Self::Uniform { low, high } => (x - low) / (high - low),
            Self::Exponential { mean } => -libm::expm1(-x.max(0.0) / mean),
            Self::Normal { floor, .. } if x < *floor => 0.0,
            Self::Normal { mean, deviation, .. } if *deviation == 0.0 => f64::from(u8::from(x >= *mean)),
            Self::Normal { mean, deviation, .. } => normal_cdf((x - mean) / deviation),
            Self::Lognormal { .. } if x <= 0.0 => 0.0,
            Self::Lognormal { log_mean, log_deviation } => normal_cdf((libm::log(x) - log_mean) / log_deviation),
            Self::Pareto { min, alpha } => -libm::expm1(alpha * libm::log(min / x.max(*min))),
            Self::BoundedPareto { min, alpha, beyond } => {
                (-libm::expm1(alpha * libm::log(min / x.max(*min))) / (1.0 - beyond)).min(1.0)
            }
            Self::Weibull { scale, shape } => -libm::expm1(-libm::pow(x.max(0.0) / scale, *shape)),
            Self::Erlang { stages, stage_mean } => gamma_cdf(f64::from(*stages), x / stage_mean),
            Self::Gamma { shape, scale } => gamma_cdf(*shape, x / scale),
            Self::Hyperexponential { share, first_mean, second_mean } => {
                let part = |mean: f64| -libm::expm1(-x.max(0.0) / mean);
                share * part(*first_mean) + (1.0 - share) * part(*second_mean)
            }
            Self::Mixture { parts } => weighted(parts).map(|(weight, part)| weight * part.cdf(x)).sum::<f64>().min(1.0),
            Self::Sum { parts } => Addends::new(parts).cdf(x),
            Self::Empirical { values } => values.partition_point(|value| *value <= x) as f64 / values.len() as f64,
            Self::Integer { low, high } => ((whole - *low as f64 + 1.0) / ((high - low) as f64 + 1.0)).clamp(0.0, 1.0),
            Self::Zipf { .. }
            | Self::Hotspot { .. }
            | Self::Geometric { .. }
            | Self::Poisson { .. }
            | Self::Chance { .. }
            | Self::Choice { .. }
                if x < 0.0 =>
            {
                0.0
            }
            Self::Zipf { law } => law.below((whole as u64).saturating_add(1)),
            Self::Hotspot { n, hot, share } => {
                let (n, hot, ranks) = (*n as f64, *hot as f64, whole + 1.0);
                share * (ranks / hot).min(1.0) + (1.0 - share) * ((ranks - hot) / (n - hot)).clamp(0.0, 1.0)
            }
            Self::Geometric { rate, .. } => -libm::expm1(-(whole + 1.0) * rate),
            Self::Poisson { mean } => 1.0 - gamma_cdf(whole + 1.0, *mean),
            Self::Chance { probability } => {
                if x < 1.0 {
                    1.0 - probability
                } else {
                    1.0
                }
            }
            Self::Choice { cumulative } => cumulative.get(whole as usize).copied().unwrap_or(1.0),
        }
    }
}

/// Mean and variance of max(floor, Gaussian).
fn cut_gaussian(mean: f64, deviation: f64, floor: f64) -> (f64, f64) {
    if mean - floor >= FAR_ABOVE_FLOOR * deviation {
        return (mean, deviation * deviation);
    }
    if deviation == 0.0 {
        return (floor, 0.0);
    }
    // Of the excess over the floor, with z the distance of the mean in deviations:
    // E = d·(z·Φ(z) + φ(z)), E² = d²·((1 + z²)·Φ(z) + z·φ(z)).
    let z = (mean - floor) / deviation;
    let density = libm::exp(-z * z / 2.0) / libm::sqrt(2.0 * core::f64::consts::PI);
    let above = normal_cdf(z);
    let first = z * above + density;
    let second = (1.0 + z * z) * above + z * density;
    (floor + deviation * first, deviation * deviation * (second - first * first).max(0.0))
}

/// The moment of order k of a bounded Pareto of minimum 1: α/(1 − r^α) · (1 − r^(α−k))/(α − k), with r = 1 / max.
fn bounded_moment(alpha: f64, beyond: f64, order: f64) -> f64 {
    let log_ratio = libm::log(beyond) / alpha;
    alpha / (1.0 - beyond) * -log_ratio * growth((alpha - order) * log_ratio)
}

/// The variance of `n` whole numbers in a row, evenly.
fn even_variance(n: f64) -> f64 {
    (n * n - 1.0) / 12.0
}

/// The parts of a mixture that can be drawn, each with its own share.
pub(super) fn weighted(parts: &[(f64, Distribution)]) -> impl Iterator<Item = (f64, &Distribution)> {
    let before = core::iter::once(0.0).chain(parts.iter().map(|part| part.0));
    parts.iter().zip(before).map(|(part, before)| (part.0 - before, &part.1)).filter(|(weight, _)| *weight > 0.0)
}

/// The indices of a choice, each with its probability.
fn indices(cumulative: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    let before = core::iter::once(0.0).chain(cumulative.iter().copied());
    cumulative.iter().zip(before).enumerate().map(|(index, (share, before))| (index as f64, share - before))
}
