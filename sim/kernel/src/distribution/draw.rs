//! Drawing: from uniform words to values. One word and no rejection wherever the inverse is cheap.

use rand::Rng;

use super::Distribution;
use super::elementary::{exp, ln};
use super::special::normal_quantile;
use crate::time::Span;

/// From this many stages an Erlang is drawn as a gamma: the product of more words could underflow.
const STAGES_BY_PRODUCT: u32 = 16;
/// From this mean a Poisson is drawn by rejection instead of by a search from 0.
const POISSON_BY_SEARCH: f64 = 30.0;

impl Distribution {
    /// One draw.
    #[inline]
    pub fn sample<R: Rng + ?Sized>(&self, bits: &mut R) -> f64 {
        match self {
            Self::Constant { value } => *value,
            Self::Uniform { low, high } => low + (high - low) * unit(bits),
            Self::Exponential { mean } => mean * exponential(bits),
            Self::Lognormal { log_mean, log_deviation } => lognormal(*log_mean, *log_deviation, unit(bits)),
            Self::Normal { .. }
            | Self::Pareto { .. }
            | Self::BoundedPareto { .. }
            | Self::Weibull { .. }
            | Self::Erlang { .. }
            | Self::Gamma { .. }
            | Self::Hyperexponential { .. }
            | Self::Mixture { .. }
            | Self::Sum { .. }
            | Self::Empirical { .. }
            | Self::Integer { .. }
            | Self::Zipf { .. }
            | Self::Hotspot { .. }
            | Self::Geometric { .. }
            | Self::Poisson { .. }
            | Self::Chance { .. }
            | Self::Choice { .. } => self.sample_other(bits),
        }
    }

    /// One draw as a length of time: nanoseconds, rounded once to the nearest; negative values are 0.
    #[inline]
    pub fn span<R: Rng + ?Sized>(&self, bits: &mut R) -> Span {
        nearest(self.sample(bits))
    }

    /// One draw as a whole number, rounded to the nearest; exact for the distributions of whole numbers.
    #[inline]
    pub fn integer<R: Rng + ?Sized>(&self, bits: &mut R) -> i64 {
        libm::round(self.sample(bits)) as i64
    }

    /// Everything; the few that are worth a place in the caller's loop stand above once more.
    #[inline(never)]
    fn sample_other<R: Rng + ?Sized>(&self, bits: &mut R) -> f64 {
        match self {
            Self::Constant { value } => *value,
            Self::Uniform { low, high } => low + (high - low) * unit(bits),
            Self::Exponential { mean } => mean * exponential(bits),
            Self::Normal { mean, deviation, floor } => (mean + deviation * normal(bits)).max(*floor),
            Self::Lognormal { log_mean, log_deviation } => lognormal(*log_mean, *log_deviation, unit(bits)),
            Self::Pareto { min, alpha } => min * exp(exponential(bits) / alpha),
            Self::BoundedPareto { min, alpha, beyond } => min * exp(-ln(1.0 - (1.0 - beyond) * unit(bits)) / alpha),
            Self::Weibull { scale, shape } => scale * exp(ln(exponential(bits)) / shape),
            Self::Erlang { stages, stage_mean } => stage_mean * erlang(*stages, bits),
            Self::Gamma { shape, scale } => scale * gamma(*shape, bits),
            Self::Hyperexponential { share, first_mean, second_mean } => {
                let mean = if unit(bits) < *share { first_mean } else { second_mean };
                mean * exponential(bits)
            }
            Self::Mixture { parts } => {
                let u = unit(bits);
                parts[parts.partition_point(|part| part.0 <= u)].1.sample(bits)
            }
            Self::Sum { parts } => parts.iter().map(|part| part.sample(bits)).sum(),
            Self::Empirical { values } => values[below(values.len() as u64, bits) as usize],
            Self::Integer { low, high } => (low + below((high - low) as u64 + 1, bits) as i64) as f64,
            Self::Zipf { law } => law.sample(bits) as f64,
            Self::Hotspot { n, hot, share } => {
                let is_hot = unit(bits) < *share;
                (if is_hot { below(*hot, bits) } else { hot + below(n - hot, bits) }) as f64
            }
            Self::Geometric { rate, .. } => libm::floor(exponential(bits) / rate),
            Self::Poisson { mean } => poisson(*mean, bits),
            Self::Chance { probability } => f64::from(u8::from(unit(bits) < *probability)),
            Self::Choice { cumulative } => {
                let u = unit(bits);
                cumulative.partition_point(|share| *share <= u) as f64
            }
        }
    }
}

/// Nanoseconds to the nearest, half to even; nothing below 0; the end of time for what lies beyond it.
#[inline]
fn nearest(value: f64) -> Span {
    // From 2^52 on, neighbouring floats are 1 apart: the addition rounds, and the low bits are the whole number.
    const ONES: f64 = (1_u64 << 52) as f64;
    if (0.0..ONES).contains(&value) {
        Span((value + ONES).to_bits().wrapping_sub(ONES.to_bits()))
    } else {
        Span(value as u64)
    }
}

/// A number between 0 and 1, never either: the midpoints of 2^52 equal parts, each exact.
#[inline]
pub(super) fn unit<R: Rng + ?Sized>(bits: &mut R) -> f64 {
    // 52 bits behind the point of 1.…, and 1 minus half of the last of them taken away.
    f64::from_bits(0x3ff << 52 | bits.next_u64() >> 12) - (1.0 - f64::EPSILON / 2.0)
}

/// A whole number below `n`. The multiplication favours some by at most n / 2^64 of their probability.
#[inline]
fn below<R: Rng + ?Sized>(n: u64, bits: &mut R) -> u64 {
    ((u128::from(bits.next_u64()) * u128::from(n)) >> 64) as u64
}

/// An exponential of mean 1: between 2^-53 and 36.8, never 0 and never infinite.
#[inline]
fn exponential<R: Rng + ?Sized>(bits: &mut R) -> f64 {
    -ln(unit(bits))
}

fn normal<R: Rng + ?Sized>(bits: &mut R) -> f64 {
    normal_quantile(unit(bits))
}

/// The exponential function of a normal of this mean and deviation, from a number between 0 and 1.
#[inline(never)]
fn lognormal(mean: f64, deviation: f64, unit: f64) -> f64 {
    exp(mean + deviation * normal_quantile(unit))
}

/// The sum of `stages` exponentials of mean 1: the logarithm of the product of as many words.
fn erlang<R: Rng + ?Sized>(stages: u32, bits: &mut R) -> f64 {
    if stages > STAGES_BY_PRODUCT {
        return gamma(f64::from(stages), bits);
    }
    -ln((0..stages).map(|_| unit(bits)).product())
}

/// A gamma of scale 1, by Marsaglia and Tsang, "A simple method for generating gamma variables" (2000); a shape below 1
/// is that of shape + 1 times U^(1/shape), their section 6.
fn gamma<R: Rng + ?Sized>(shape: f64, bits: &mut R) -> f64 {
    if shape < 1.0 {
        let power = exp(-exponential(bits) / shape);
        return gamma(shape + 1.0, bits) * power;
    }
    let third = shape - 1.0 / 3.0;
    let spread = 1.0 / libm::sqrt(9.0 * third);
    loop {
        let z = normal(bits);
        let root = 1.0 + spread * z;
        if root <= 0.0 {
            continue;
        }
        let cube = root * root * root;
        if ln(unit(bits)) < 0.5 * z * z + third * (1.0 - cube + ln(cube)) {
            return third * cube;
        }
    }
}

/// Small means: a search from 0 with one word. Others: PTRS, Hörmann, "The transformed rejection method for generating
/// Poisson random variables" (1993), section 2.
fn poisson<R: Rng + ?Sized>(mean: f64, bits: &mut R) -> f64 {
    if mean < POISSON_BY_SEARCH {
        let mut left = unit(bits);
        let (mut count, mut probability) = (0.0, libm::exp(-mean));
        // Beyond the word's 2^-53 the probabilities no longer change what is left of it.
        while left > probability && (probability > 1e-18 || count < mean) {
            left -= probability;
            count += 1.0;
            probability *= mean / count;
        }
        return count;
    }
    let slope = 0.931 + 2.53 * libm::sqrt(mean);
    let offset = -0.059 + 0.02483 * slope;
    let inverse_alpha = 1.1239 + 1.1328 / (slope - 3.4);
    let squeeze = 0.9277 - 3.6224 / (slope - 2.0);
    loop {
        let u = unit(bits) - 0.5;
        let v = unit(bits);
        let distance = 0.5 - u.abs();
        let count = libm::floor((2.0 * offset / distance + slope) * u + mean + 0.43);
        if distance >= 0.07 && v <= squeeze {
            return count;
        }
        if count < 0.0 || (distance < 0.013 && v > distance) {
            continue;
        }
        let accepted = libm::log(v * inverse_alpha / (offset / (distance * distance) + slope));
        if accepted <= count * libm::log(mean) - mean - libm::lgamma(count + 1.0) {
            return count;
        }
    }
}
