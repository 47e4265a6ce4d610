//! Small statistics of results: how sure a share, a mean of a correlated series, or a difference is.
//!
//! For reports and thresholds only; nothing that happens in a run depends on it.

use alloc::vec::Vec;

pub use crate::distribution::{normal_cdf, normal_quantile};

/// An interval that holds the true value with the confidence it was asked for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A mean and how far it may be off.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The standard error of the mean; infinite if fewer than two values tell nothing about it.
    pub error: f64,
    /// How many independent values it rests on.
    pub values: usize,
}

impl Estimate {
    /// The interval around the mean, by Student's distribution; `confidence` such as 0.95.
    pub fn interval(&self, confidence: f64) -> Interval {
        if self.values < 2 {
            return Interval { low: f64::NEG_INFINITY, high: f64::INFINITY };
        }
        let reach = self.error * student_quantile(f64::midpoint(1.0, confidence), self.values as u64 - 1);
        Interval { low: self.mean - reach, high: self.mean + reach }
    }
}

/// The interval of a probability after `successes` of `trials`; `confidence` such as 0.95. Everything if `trials` is 0.
///
/// Wilson, "Probable inference, the law of succession, and statistical inference" (1927): unlike the textbook's interval
/// it does not shrink to a point at 0 or at all.
pub fn wilson(successes: u64, trials: u64, confidence: f64) -> Interval {
    assert!(successes <= trials, "no more successes than trials");
    if trials == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let (n, share) = (trials as f64, successes as f64 / trials as f64);
    let z = normal_quantile(f64::midpoint(1.0, confidence));
    let square = z * z / n;
    let centre = (share + square / 2.0) / (1.0 + square);
    let reach = z / (1.0 + square) * libm::sqrt(share * (1.0 - share) / n + square / (4.0 * n));
    // The ends are exact where nothing or everything succeeded; rounding would leave a speck.
    Interval {
        low: if successes == 0 { 0.0 } else { (centre - reach).max(0.0) },
        high: if successes == trials { 1.0 } else { (centre + reach).min(1.0) },
    }
}

/// Mean and standard error of independent values, such as one per seed or the differences of paired runs.
pub fn estimate(values: &[f64]) -> Estimate {
    let n = values.len() as f64;
    let mean = if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / n };
    let error = if values.len() < 2 {
        f64::INFINITY
    } else {
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        libm::sqrt(squares / (n - 1.0) / n)
    };
    Estimate { mean, error, values: values.len() }
}

/// Mean and standard error of a correlated series, by the means of `batches` equal consecutive batches: batches much
/// longer than the correlation are as good as independent (Law and Kelton, "Simulation Modeling and Analysis",
/// section 9.5). What does not fill the last batch is left out; fewer values than batches give one batch a value.
pub fn batch_means(series: &[f64], batches: usize) -> Estimate {
    assert!(batches > 0, "at least one batch");
    let length = (series.len() / batches).max(1);
    let means: Vec<f64> =
        series.chunks_exact(length).take(batches).map(|batch| batch.iter().sum::<f64>() / length as f64).collect();
    estimate(&means)
}

/// Where a series settles, as a number of batch means to leave out at its beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Truncation {
    /// Batches before this one are transient.
    pub batch: usize,
    /// It lies in the first half, as it must: else the series is too short to know.
    pub settled: bool,
}

/// Fewer batches than this say nothing about where a series settles.
pub const MSER_BATCHES_MIN: usize = 10;

/// The truncation point that minimises the squared standard error of the mean of what is left, over the first half of a
/// series of batch means; with batches of 5 values this is MSER-5.
///
/// White, "An effective truncation heuristic for bias reduction in simulation output" (1997); Franklin and White,
/// "Stationarity tests and MSER-5" (2008). The least of a whole series often lies in its last few values, which are few
/// enough to be alike by chance; the search therefore leaves out the last tenth.
pub fn mser(means: &[f64]) -> Truncation {
    if means.len() < MSER_BATCHES_MIN {
        return Truncation { batch: 0, settled: false };
    }
    let half = means.len() / 2;
    let last = means.len() - (means.len() / 10).max(5);
    // From the end: mean and sum of squared deviations of what is left (Welford), so that each step costs the same.
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    let (mut anywhere, mut early) = ((f64::INFINITY, 0), (f64::INFINITY, 0));
    for (batch, &value) in means.iter().enumerate().rev() {
        count += 1.0;
        let deviation = value - mean;
        mean += deviation / count;
        squares += deviation * (value - mean);
        let error = squares / (count * count);
        if batch <= last && error <= anywhere.0 {
            anywhere = (error, batch);
        }
        if batch <= half && error <= early.0 {
            early = (error, batch);
        }
    }
    Truncation { batch: early.1, settled: anywhere.1 <= half }
}

/// The value that the share `p` of Student's distribution of so many degrees of freedom does not exceed.
///
/// Exact for 1 and 2, else Hill, "Algorithm 396: Student's t-quantiles" (1970): six digits from 3 degrees on.
#[expect(clippy::many_single_char_names, reason = "the names of the published algorithm")]
pub fn student_quantile(p: f64, degrees: u64) -> f64 {
    assert!(degrees > 0, "at least one degree of freedom");
    if p < 0.5 {
        return -student_quantile(1.0 - p, degrees);
    }
    let tails = 2.0 * (1.0 - p);
    let n = degrees as f64;
    if degrees == 1 {
        return libm::tan(core::f64::consts::PI * (p - 0.5));
    }
    if degrees == 2 {
        return libm::sqrt(2.0 / (tails * (2.0 - tails)) - 2.0);
    }
    let a = 1.0 / (n - 0.5);
    let b = (48.0 / a) / a;
    let c = ((20_700.0 * a / b - 98.0) * a - 16.0) * a + 96.36;
    let d = ((94.5 / (b + c) - 3.0) / b + 1.0) * libm::sqrt(a * core::f64::consts::FRAC_PI_2) * n;
    let y = libm::pow(d * tails, 2.0 / n);
    let square = if y > 0.05 + a {
        let x = normal_quantile(tails / 2.0);
        let y = x * x;
        let c = if degrees < 5 { c + 0.3 * (n - 4.5) * (x + 0.6) } else { c };
        let c = (((0.05 * d * x - 5.0) * x - 7.0) * x - 2.0) * x + b + c;
        let corrected = (((((0.4 * y + 6.3) * y + 36.0) * y + 94.5) / c - y - 3.0) / b + 1.0) * x;
        libm::expm1(a * corrected * corrected)
    } else {
        let first = ((n + 6.0) / (n * y) - 0.089 * d - 0.822) * (n + 2.0) * 3.0;
        ((1.0 / first + 0.5 / (n + 4.0)) * y - 1.0) * (n + 1.0) / (n + 2.0) + 1.0 / y
    };
    libm::sqrt(n * square)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Distribution;
    use crate::random::Key;

    #[test]
    fn wilson_meets_published_values_and_its_own_equation() {
        // Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I: 81 of 263, 15 of 148.
        for (successes, trials, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]
        {
            let found = wilson(successes, trials, 0.95);
            assert!(
                (found.low - low).abs() < 5e-5 && (found.high - high).abs() < 5e-5,
                "{successes}/{trials}: {found:?}"
            );
        }
        assert!(wilson(7, 7, 0.95).high >= 1.0, "all of seven does not exclude certainty");
        assert_eq!(wilson(0, 0, 0.95), Interval { low: 0.0, high: 1.0 });
    }

    #[test]
    fn mser_cuts_a_planted_transient_and_leaves_a_stationary_series() {
        let noise = Distribution::normal(0.0, 1.0).expect("valid");
        let series = |seed: u64, transient: usize, height: f64| -> Vec<f64> {
            let level = |n: usize| if n < transient { height * (1.0 - n as f64 / transient as f64) } else { 0.0 };
            (0..1000).map(|n| 10.0 + level(n) + noise.sample(&mut Key(seed).draw(n as u64, 0, 0))).collect()
        };
        let (mut planted, mut flat) = (0, 0);
        for seed in 0..100 {
            // A ramp from 20 to 0 over 200 batches sinks under the noise of one batch at 190.
            let found = mser(&series(seed, 200, 20.0));
            planted += usize::from(found.settled && (150..=260).contains(&found.batch));
            let found = mser(&series(seed, 0, 0.0));
            flat += usize::from(found.settled && found.batch <= 100);
            // Two thirds of the series are transient: the rest is too little.
            assert!(!mser(&series(seed, 666, 100.0)).settled, "seed {seed}");
        }
        // The cut is the least of a random walk: now and then it strays.
        assert!(planted >= 95 && flat >= 85, "{planted} and {flat} of 100");
        assert_eq!(mser(&[1.0; 9]), Truncation { batch: 0, settled: false }, "too few to say");
        assert_eq!(mser(&[1.0; 50]), Truncation { batch: 0, settled: true }, "of equals the earliest");
    }

    #[test]
    fn student_quantiles_meet_the_tables() {
        let table = [
            (1, 0.975, 12.706_205),
            (2, 0.975, 4.302_653),
            (3, 0.975, 3.182_446),
            (4, 0.995, 4.604_095),
            (9, 0.975, 2.262_157),
            (9, 0.6, 0.260_955),
            (29, 0.975, 2.045_230),
            (120, 0.995, 2.617_421),
        ];
        for (degrees, p, wanted) in table {
            let found = student_quantile(p, degrees);
            assert!((found / wanted - 1.0).abs() < 1e-5, "t({degrees}) at {p}: {found}, not {wanted}");
            assert!((student_quantile(1.0 - p, degrees) + found).abs() < 1e-9);
        }
    }

    #[test]
    fn batch_means_cover_the_truth_of_a_correlated_series_and_naive_errors_do_not() {
        // x ← 0.95 x + noise: neighbours correlate by 0.95; the mean is 0.
        let noise = Distribution::normal(0.0, 1.0).expect("valid");
        let (mut covered, mut naively) = (0, 0);
        for seed in 0..400 {
            let mut x = 0.0;
            let step = |n| {
                x = 0.95 * x + noise.sample(&mut Key(seed).draw(n, 0, 0));
                x
            };
            let series: Vec<f64> = (0..8_000).map(step).collect();
            let holds = |estimate: Estimate| {
                let interval = estimate.interval(0.95);
                usize::from(interval.low <= 0.0 && 0.0 <= interval.high)
            };
            covered += holds(batch_means(&series, 20));
            naively += holds(estimate(&series));
        }
        // 95 % of 400 is 380, four standard errors of a binomial are 17.4; batches of 400 lose about one more percent.
        assert!((358..=398).contains(&covered), "{covered} of 400");
        assert!(naively < 200, "{naively} of 400: treating neighbours as independent must fail here");
    }
}
