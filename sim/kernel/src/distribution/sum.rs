//! The distribution function of a sum of independent parts.
//!
//! There is no formula. The part with the largest variance keeps its exact distribution function F; the others are
//! averaged over: P(S ≤ x) = E F(x − the others). The mean is taken over the 1024 points of a rank-1 lattice (Korobov,
//! "The approximate computation of multiple integrals", 1959), which for one other part is the midpoint rule. The
//! result is right to about 1/1024 where F jumps, and far better where it is smooth. With constants only, it is exact.

use alloc::vec;
use alloc::vec::Vec;

use super::Distribution;
use super::special::least;

const POINTS: u64 = 1024;
/// The lattice's generator: odd, so that every part meets each of its 1024 strata exactly once.
const STEP: u64 = 363;

/// A sum, prepared for questions.
pub(super) struct Addends<'a> {
    parts: &'a [Distribution],
    /// The values of all parts but one, at each point.
    others: Vec<f64>,
    exact: &'a Distribution,
}

impl<'a> Addends<'a> {
    pub(super) fn new(parts: &'a [Distribution]) -> Self {
        let widest = |a: &usize, b: &usize| parts[*a].variance().total_cmp(&parts[*b].variance());
        let exact = (0..parts.len()).max_by(widest).expect("the constructor wants a part");
        let rest = || parts.iter().enumerate().filter(|(place, _)| *place != exact).map(|(_, part)| part);
        let constant = |part: &&Distribution| matches!(part, Distribution::Constant { .. });
        let shift: f64 = rest().filter(constant).map(Distribution::mean).sum();
        let varying: Vec<_> = rest().filter(|part| !constant(part)).collect();
        let mut others = vec![shift; if varying.is_empty() { 1 } else { POINTS as usize }];
        let mut step = 1;
        for part in varying {
            for (point, sum) in others.iter_mut().enumerate() {
                let stratum = point as u64 * step % POINTS;
                *sum += part.quantile((stratum as f64 + 0.5) / POINTS as f64);
            }
            step = step * STEP % POINTS;
        }
        Self { parts, others, exact: &parts[exact] }
    }

    pub(super) fn cdf(&self, x: f64) -> f64 {
        self.others.iter().map(|others| self.exact.cdf(x - others)).sum::<f64>() / self.others.len() as f64
    }

    pub(super) fn quantile(&self, p: f64) -> f64 {
        if let [others] = self.others[..] {
            return others + self.exact.quantile(p);
        }
        // If no part is below its quantile at p/n, the sum is not below the sum of these; and as much from above.
        let n = self.parts.len() as f64;
        let sum_at = |p: f64| self.parts.iter().map(|part| part.quantile(p)).sum::<f64>();
        match p {
            0.0 | 1.0 => sum_at(p),
            _ => least(sum_at(p / n), sum_at(1.0 - (1.0 - p) / n), |x| self.cdf(x) >= p),
        }
    }
}
