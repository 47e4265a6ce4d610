//! Zipf's law over n ranks, in constant time and memory.
//!
//! Sampling is rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone
//! discrete distributions", 1996), exact for every s ≥ 0 with about 1.1 words a draw. Sums of powers, for the
//! distribution function and the moments, are added up to 128 terms and continued by Euler and Maclaurin's formula,
//! whose first omitted term is below 10^-16 of the sum there.

use rand::Rng;

use super::draw::unit;
use super::elementary::{exp, ln};
use super::special::growth;

/// The law of ranks 0 … n−1, rank r with a probability proportional to 1 / (r + 1)^s.
#[derive(Clone, PartialEq, Debug)]
pub struct Zipf {
    n: u64,
    s: f64,
    /// The integral of the hat up to the left and the right end, and the width in which the hat needs no test.
    left: f64,
    right: f64,
    safe: f64,
}

impl Zipf {
    pub(super) fn new(n: u64, s: f64) -> Self {
        let mut law = Self { n, s, left: 0.0, right: 0.0, safe: 0.0 };
        law.left = law.area(1.5) - 1.0;
        law.right = law.area(n as f64 + 0.5);
        law.safe = 2.0 - law.area_inverse(law.area(2.5) - law.height(2.0));
        law
    }

    /// How many ranks.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The exponent.
    pub fn s(&self) -> f64 {
        self.s
    }

    pub(super) fn sample<R: Rng + ?Sized>(&self, bits: &mut R) -> u64 {
        loop {
            let u = self.right + unit(bits) * (self.left - self.right);
            let x = self.area_inverse(u);
            let place = libm::round(x).clamp(1.0, self.n as f64);
            if place - x <= self.safe || u >= self.area(place + 0.5) - self.height(place) {
                return place as u64 - 1;
            }
        }
    }

    /// The sum over all ranks of (r + 1)^`power`, by probability.
    pub(super) fn moment(&self, power: f64) -> f64 {
        sum_of_powers(self.n, self.s - power) / sum_of_powers(self.n, self.s)
    }

    /// The probability of a rank below `ranks`.
    pub(super) fn below(&self, ranks: u64) -> f64 {
        if ranks >= self.n { 1.0 } else { sum_of_powers(ranks, self.s) / sum_of_powers(self.n, self.s) }
    }

    /// x^−s.
    fn height(&self, x: f64) -> f64 {
        exp(-self.s * ln(x))
    }

    /// The integral of t^−s from 1 to x.
    fn area(&self, x: f64) -> f64 {
        let log = ln(x);
        growth((1.0 - self.s) * log) * log
    }

    /// The x with that area.
    fn area_inverse(&self, area: f64) -> f64 {
        // Rounding may take the argument a hair below −1, where the true value is −1.
        let grown = (area * (1.0 - self.s)).max(-1.0);
        let log = if grown.abs() > 1e-8 {
            libm::log1p(grown) / grown
        } else {
            1.0 - grown * (0.5 - grown * (1.0 / 3.0 - grown * 0.25))
        };
        exp(log * area)
    }
}

/// Σ k^−s for k = 1 … n.
fn sum_of_powers(n: u64, s: f64) -> f64 {
    const TERMS: u64 = 128;
    let power = |k: f64| libm::pow(k, -s);
    let head: f64 = (1..=n.min(TERMS)).rev().map(|k| power(k as f64)).sum();
    if n <= TERMS {
        return head;
    }
    let (from, to) = (TERMS as f64, n as f64);
    let log = libm::log(to / from);
    let integral = from * power(from) * log * growth((1.0 - s) * log);
    let odd = |x: f64| {
        let (first, square) = (-s * power(x) / x, x * x);
        let third = first * (s + 1.0) * (s + 2.0) / square;
        let fifth = third * (s + 3.0) * (s + 4.0) / square;
        first / 12.0 - third / 720.0 + fifth / 30240.0
    };
    head + integral + (power(to) - power(from)) / 2.0 + odd(to) - odd(from)
}
