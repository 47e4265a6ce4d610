//! A rate that changes in straight lines: the arrivals of an open loop with stages.
//!
//! Arrivals are those of a process of rate 1 on another clock, which has run ∫ rate dt when the time is t (time change of a
//! point process; Çınlar, Introduction to Stochastic Processes, 1975, ch. 4.7). So an arrival comes when that integral has
//! grown by the next gap; in a straight piece this is the root of a quadratic.

use alloc::vec::Vec;

use crate::time::{Span, Time};

/// A piece of a rate.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Piece {
    from: f64,
    to: f64,
    /// Per nanosecond, at its beginning.
    rate: f64,
    /// Change per nanosecond.
    slope: f64,
}

/// A rate over time, in straight pieces; the last value holds.
#[derive(Clone, PartialEq, Debug)]
pub struct Ramp {
    pieces: Vec<Piece>,
}

impl Ramp {
    /// Begins at `start` with `rate` (per second); each stage goes evenly to its own rate, or holds, for so long.
    pub fn new(start: Time, rate: f64, stages: impl IntoIterator<Item = (Option<f64>, Span)>) -> Self {
        let mut pieces = Vec::new();
        let (mut from, mut rate) = (start.0 as f64, rate * 1e-9);
        for (to_rate, over) in stages {
            let to_rate = to_rate.map_or(rate, |rate| rate * 1e-9);
            let length = over.0 as f64;
            if length > 0.0 {
                pieces.push(Piece { from, to: from + length, rate, slope: (to_rate - rate) / length });
                from += length;
            }
            rate = to_rate;
        }
        pieces.push(Piece { from, to: f64::INFINITY, rate, slope: 0.0 });
        Self { pieces }
    }

    /// When the integral of the rate has grown by `amount` since `at` (nanoseconds, with fractions); none if it never does.
    pub fn after(&self, at: f64, amount: f64) -> Option<f64> {
        let (mut at, mut left) = (at, amount);
        for piece in &self.pieces {
            if piece.to <= at {
                continue;
            }
            at = at.max(piece.from);
            let rate = piece.rate + piece.slope * (at - piece.from);
            if let Some(x) = root(rate, piece.slope, left)
                && at + x <= piece.to
            {
                return Some(at + x);
            }
            let length = piece.to - at;
            left -= rate * length + piece.slope * length * length / 2.0;
            at = piece.to;
        }
        None
    }
}

/// The least x ≥ 0 with rate·x + slope·x²/2 = amount.
fn root(rate: f64, slope: f64, amount: f64) -> Option<f64> {
    let discriminant = rate * rate + 2.0 * slope * amount;
    if discriminant < 0.0 {
        return None;
    }
    let x = 2.0 * amount / (rate + libm::sqrt(discriminant));
    x.is_finite().then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integral_between_two_arrivals_is_the_gap() {
        let second = 1e9;
        let stages = [(Some(120.0), Span::secs(20)), (None, Span::secs(30)), (Some(20.0), Span::secs(10))];
        let ramp = Ramp::new(Time::ZERO, 20.0, stages);
        // ∫ over the whole: 20 s at 70/s on average, 30 s at 120/s, 10 s at 70/s, then 20/s.
        let whole = ramp.after(0.0, 1400.0 + 3600.0 + 700.0).expect("it is reached");
        assert!((whole - 60.0 * second).abs() < 1.0, "{whole}");
        let half = ramp.after(0.0, 1400.0 + 1800.0).expect("it is reached");
        assert!((half - 35.0 * second).abs() < 1.0, "{half}");
        // 20 t + 2.5 t² = 45 at t = 1.8…: the root of the quadratic.
        let early = ramp.after(0.0, 45.0).expect("it is reached") / second;
        assert!((20.0 * early + 2.5 * early * early - 45.0).abs() < 1e-9, "{early}");
        assert!((ramp.after(60.0 * second, 20.0).expect("the last value holds") - 61.0 * second).abs() < 1.0);
        let nothing = Ramp::new(Time::ZERO, 0.0, []);
        assert_eq!(nothing.after(0.0, 1.0), None);
    }
}
