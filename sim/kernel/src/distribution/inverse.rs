//! Quantiles: by formula, else by halving an interval on the distribution function.

use super::Distribution;
use super::formula::weighted;
use super::special::{gamma_cdf, least, least_whole, normal_quantile};
use super::sum::Addends;

impl Distribution {
    /// The least value that at least the share `p` (0 to 1) of draws do not exceed; infinite where there is none.
    ///
    /// Exact but for sums of more than one varying part, where it is right to about a thousandth in `p`.
    pub fn quantile(&self, p: f64) -> f64 {
        assert!(!p.is_nan(), "a share is a number");
        let p = p.clamp(0.0, 1.0);
        // How many means an exponential exceeds with that probability.
        let depth = -libm::log1p(-p);
        match self {
            Self::Constant { value } => *value,
            Self::Uniform { low, high } => low + (high - low) * p,
            Self::Exponential { mean } => mean * depth,
            Self::Normal { mean, deviation, floor } if *deviation == 0.0 => mean.max(*floor),
            Self::Normal { mean, deviation, floor } => (mean + deviation * normal_quantile(p)).max(*floor),
            Self::Lognormal { log_mean, log_deviation } => libm::exp(log_mean + log_deviation * normal_quantile(p)),
            Self::Pareto { min, alpha } => min * libm::exp(depth / alpha),
            Self::BoundedPareto { min, alpha, beyond } => min * libm::exp(-libm::log1p(-(1.0 - beyond) * p) / alpha),
            Self::Weibull { scale, shape } => scale * libm::pow(depth, 1.0 / shape),
            Self::Erlang { stages, stage_mean } => stage_mean * gamma_quantile(f64::from(*stages), p),
            Self::Gamma { shape, scale } => scale * gamma_quantile(*shape, p),
            Self::Hyperexponential { first_mean, second_mean, .. } => {
                if p >= 1.0 {
                    p / 0.0
                } else {
                    least(first_mean * depth, second_mean * depth, |x| self.cdf(x) >= p)
                }
            }
            Self::Mixture { parts } => {
                let each = || weighted(parts).map(|(_, part)| part.quantile(p));
                let (low, high) = (each().fold(f64::INFINITY, f64::min), each().fold(f64::NEG_INFINITY, f64::max));
                match p {
                    0.0 => low,
                    1.0 => high,
                    _ => least(low, high, |x| self.cdf(x) >= p),
                }
            }
            Self::Sum { parts } => Addends::new(parts).quantile(p),
            Self::Empirical { values } => values[rank(p, values.len() as u64) as usize - 1],
            Self::Integer { low, high } => (low - 1) as f64 + rank(p, (high - low) as u64 + 1) as f64,
            Self::Zipf { law } => least_whole(|k| law.below(k + 1) >= p) as f64,
            Self::Hotspot { n, hot, share } => {
                if *share > 0.0 && p <= *share {
                    rank(p / share, *hot) as f64 - 1.0
                } else {
                    (hot + rank((p - share) / (1.0 - share), n - hot)) as f64 - 1.0
                }
            }
            Self::Geometric { rate, .. } => (libm::ceil(depth / rate * BACK) - 1.0).max(0.0),
            Self::Poisson { .. } if p >= 1.0 => f64::INFINITY,
            Self::Poisson { .. } => least_whole(|k| self.cdf(k as f64) >= p) as f64,
            Self::Chance { probability } => f64::from(u8::from(p > 1.0 - probability)),
            Self::Choice { cumulative } => {
                cumulative.partition_point(|share| *share < p || *share <= 0.0).min(cumulative.len() - 1) as f64
            }
        }
    }
}

/// Takes back what a product may have gained in rounding, so that 0.07 · 100 is 7 and not 8.
const BACK: f64 = 1.0 - 4.0 * f64::EPSILON;

/// Which of `n` equally likely values, from 1, is the least that the share `p` does not exceed.
fn rank(p: f64, n: u64) -> u64 {
    (libm::ceil(p * n as f64 * BACK) as u64).clamp(1, n)
}

/// The quantile of a gamma of scale 1. Halves the interval of the logarithm: a small shape has quantiles of 10^-200.
fn gamma_quantile(shape: f64, p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return if p <= 0.0 { 0.0 } else { f64::INFINITY };
    }
    let mut high = libm::log(shape + 1.0);
    while gamma_cdf(shape, libm::exp(high)) < p && high < 700.0 {
        high += 0.5;
    }
    let low = if gamma_cdf(shape, libm::exp(high - 1.0)) < p { high - 1.0 } else { -700.0 };
    libm::exp(least(low, high, |log| gamma_cdf(shape, libm::exp(log)) >= p))
}
