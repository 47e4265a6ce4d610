//! Draws against formulas, for every distribution. Every tolerance is four standard errors of the statistic at hand: a
//! true claim fails once in 16 000 times, and since the keys are fixed it either always does or never.
#![expect(clippy::print_stdout, reason = "a test shows its numbers: cargo test -- --nocapture")]

use std::fmt::Write;

use kernel::Distribution;
use kernel::distribution::{examples, normal_cdf};
use kernel::random::{Key, Seed};
use kernel::time::Span;
use rand::Rng;

const DRAWS: u64 = 400_000;
const SIGMAS: f64 = 4.0;
/// A sum's distribution function is right to about a thousandth; everything else's is exact.
const SUM_ERROR: f64 = 0.001;

fn draws(distribution: &Distribution) -> Vec<f64> {
    let mut values: Vec<_> = (0..DRAWS).map(|n| distribution.sample(&mut Key(2026).draw(n, 3, 1))).collect();
    values.sort_by(f64::total_cmp);
    values
}

fn formula_error(distribution: &Distribution) -> f64 {
    if matches!(distribution, Distribution::Sum { .. }) { SUM_ERROR } else { 1e-9 }
}

#[test]
fn means_and_variances_meet_their_formulas() {
    println!(
        "{:45} {:>12} {:>12} {:>6} {:>12} {:>12} {:>6}",
        "", "mean", "drawn", "sigmas", "variance", "drawn", "sigmas"
    );
    for (name, distribution) in examples() {
        let values = draws(&distribution);
        let n = DRAWS as f64;
        let drawn = values.iter().sum::<f64>() / n;
        let moment = |order: i32| values.iter().map(|value| (value - drawn).powi(order)).sum::<f64>() / n;
        let (mean, variance) = (distribution.mean(), distribution.variance());
        if variance == f64::INFINITY {
            // The mean has no standard error then; the test of the quantiles still speaks.
            println!("{name:45} {mean:12.5e} {drawn:12.5e}    (infinite variance)");
            continue;
        }
        let sigmas = |difference: f64, error: f64| if difference == 0.0 { 0.0 } else { difference / error };
        let off_mean = sigmas(drawn - mean, (variance / n).sqrt());
        // The standard error of a variance is sqrt((fourth moment − variance²) / n).
        let off_variance = sigmas(moment(2) - variance, ((moment(4) - variance * variance).max(0.0) / n).sqrt());
        println!(
            "{name:45} {mean:12.5e} {drawn:12.5e} {off_mean:6.2} {variance:12.5e} {:12.5e} {off_variance:6.2}",
            moment(2)
        );
        assert!(off_mean.abs() < SIGMAS, "{name}: mean {mean} by formula, {drawn} drawn");
        assert!(off_variance.abs() < SIGMAS, "{name}: variance {variance} by formula, {} drawn", moment(2));
    }
}

#[test]
fn quantiles_meet_their_formulas() {
    println!("{:45} {:>8} {:>8} {:>8} {:>8}  (sigmas)", "", "p10", "p50", "p90", "p99");
    for (name, distribution) in examples() {
        let values = draws(&distribution);
        let mut row = String::new();
        for p in [0.1, 0.5, 0.9, 0.99] {
            let quantile = distribution.quantile(p);
            let share = |count: usize| count as f64 / DRAWS as f64;
            let below = share(values.partition_point(|value| *value < quantile));
            let within = share(values.partition_point(|value| *value <= quantile));
            // By definition P(X < quantile) ≤ p ≤ P(X ≤ quantile); the counts are binomial.
            let error = (p * (1.0 - p) / DRAWS as f64).sqrt();
            let slack = SIGMAS * error + formula_error(&distribution);
            assert!(
                below <= p + slack && within >= p - slack,
                "{name}: p{} is {quantile}, {below} {within}",
                p * 100.0
            );
            write!(row, " {:8.2}", (below - p).max(p - within).max(0.0) / error).expect("a string grows");
        }
        println!("{name:45}{row}");
    }
}

#[test]
fn draws_follow_the_distribution_function_everywhere() {
    // Kolmogorov and Smirnov: the greatest distance times sqrt(n) exceeds 2.2 with probability 2·exp(−2·2.2²) = 0.000125,
    // which is less than that of four sigmas, two-sided, times two.
    for (name, distribution) in examples() {
        let values = draws(&distribution);
        let mut greatest = 0.0_f64;
        // 2000 places suffice: between two neighbours either function grows by 1/2000 at most.
        for place in (0..values.len()).step_by(values.len() / 2_000) {
            let value = values[place];
            let within = values.partition_point(|other| *other <= value) as f64 / DRAWS as f64;
            greatest = greatest.max((within - distribution.cdf(value)).abs());
        }
        let scaled = (greatest - formula_error(&distribution)).max(0.0) * (DRAWS as f64).sqrt();
        println!("{name:45} {scaled:6.3}");
        assert!(scaled < 2.2, "{name}: {greatest}");
    }
}

#[test]
fn quantile_inverts_the_distribution_function() {
    for (name, distribution) in examples() {
        for p in [0.0001, 0.01, 0.25, 0.5, 0.77, 0.99, 0.9999] {
            let quantile = distribution.quantile(p);
            let hair = quantile.abs() * 1e-9;
            assert!(distribution.cdf(quantile + hair) >= p - 1e-9, "{name}: at {p}");
            assert!(distribution.cdf(quantile - hair.max(1e-9)) <= p + 1e-9, "{name}: before {p}");
        }
        let at = |x: f64| distribution.cdf(x);
        assert!(at(f64::NEG_INFINITY) <= 0.0 && at(f64::INFINITY) >= 1.0, "{name}: the ends");
        let (first, last) = (distribution.quantile(0.0), distribution.quantile(1.0));
        assert!(first <= distribution.quantile(0.5) && distribution.quantile(0.5) <= last, "{name}: {first} {last}");
    }
}

#[test]
fn textbook_values_come_out() {
    let close = |found: f64, wanted: f64| assert!((found / wanted - 1.0).abs() < 1e-9, "{found}, not {wanted}");
    let known = |distribution: Result<Distribution, _>| distribution.expect("valid");
    let exponential = known(Distribution::exponential(2.0));
    close(exponential.quantile(0.99), 2.0 * libm::log(100.0));
    let lognormal = known(Distribution::lognormal_p50_p99(2e6, 9e6));
    close(lognormal.quantile(0.5), 2e6);
    close(lognormal.quantile(0.99), 9e6);
    let lognormal = known(Distribution::lognormal_mean_cv(5.0, 0.8));
    close(lognormal.mean(), 5.0);
    close(lognormal.variance(), 16.0);
    let hyper = known(Distribution::hyperexponential(5.0, 3.0));
    close(hyper.mean(), 5.0);
    close(hyper.variance(), 225.0);
    close(known(Distribution::gamma(5.0, 1.6)).variance(), 64.0);
    close(known(Distribution::weibull(3.0, 2.0)).mean(), 3.0 * std::f64::consts::PI.sqrt() / 2.0);
    close(known(Distribution::pareto(1.0, 3.0)).variance(), 0.75);
    assert!(known(Distribution::pareto(1.0, 1.0)).mean().is_infinite());
    assert!(known(Distribution::pareto(1.0, 2.0)).variance().is_infinite());
    close(known(Distribution::bounded_pareto(1.0, 2.0, 10.0)).mean(), 2.0 / 0.99 * 0.9);
    close(
        known(Distribution::bounded_pareto(1.0, 2.0, 10.0)).variance(),
        2.0 / 0.99 * libm::log(10.0) - (1.8 / 0.99_f64).powi(2),
    );
    close(known(Distribution::bounded_pareto(1.0, 2.0, 10.0)).quantile(1.0), 10.0);
    let cut = known(Distribution::normal_duration(1.0, 1.0));
    close(cut.mean(), normal_cdf(1.0) + libm::exp(-0.5) / (2.0 * std::f64::consts::PI).sqrt());
    let rolled = known(Distribution::int(1, 6));
    close(rolled.mean(), 3.5);
    close(rolled.variance(), 35.0 / 12.0);
    // Two dice: the sum is exact where its parts are whole numbers and few.
    let dice = known(Distribution::sum(&[rolled.clone(), rolled]));
    assert!((dice.cdf(7.0) - 21.0 / 36.0).abs() < SUM_ERROR, "{}", dice.cdf(7.0));
}

#[test]
fn zipf_is_exact_for_every_exponent() {
    // χ² over ranks of few, brute-force probabilities; mean k − 1, variance 2(k − 1).
    for s in [0.0, 0.3, 0.99, 1.0, 1.01, 1.7, 4.0] {
        for n in [1_u64, 2, 3, 40, 500] {
            let distribution = Distribution::zipf(n, s).expect("valid");
            let total: f64 = (1..=n).map(|k| libm::pow(k as f64, -s)).sum();
            let mut counts = vec![0_u64; n as usize];
            for operation in 0..DRAWS {
                counts[distribution.integer(&mut Key(9).draw(operation, n, 0)) as usize] += 1;
            }
            let (mut square, mut cells, mut pooled, mut pooled_count) = (0.0, 0.0, 0.0, 0.0);
            let mut cumulative = 0.0;
            for (rank, count) in counts.iter().enumerate() {
                let probability = libm::pow(rank as f64 + 1.0, -s) / total;
                cumulative += probability;
                assert!((distribution.cdf(rank as f64) - cumulative).abs() < 1e-12, "zipf({n}, {s}) rank {rank}");
                pooled += probability * DRAWS as f64;
                pooled_count += *count as f64;
                // Cells of fewer than 20 expected draws are pooled with the next.
                if pooled >= 20.0 {
                    square += (pooled_count - pooled) * (pooled_count - pooled) / pooled;
                    (cells, pooled, pooled_count) = (cells + 1.0, 0.0, 0.0);
                }
            }
            let free: f64 = cells - 1.0;
            println!("zipf({n}, {s}): chi-square {square:.1} for {free} degrees of freedom");
            // A χ² of few degrees has a long tail: its cube root is close to Gaussian (Wilson and Hilferty).
            if free > 0.0 {
                let spread = 2.0 / (9.0 * free);
                let sigmas = ((square / free).cbrt() - (1.0 - spread)) / spread.sqrt();
                assert!(sigmas < SIGMAS, "zipf({n}, {s}): {square} for {free}");
            }
        }
    }
}

#[test]
fn large_zipf_sums_match_adding_up() {
    for s in [0.0, 0.5, 1.0, 1.3, 3.0] {
        let n = 200_000_u64;
        let weight = |k: u64| libm::pow(k as f64, -s);
        let total: f64 = (1..=n).rev().map(weight).sum();
        let mean: f64 = (1..=n).rev().map(|k| weight(k) * (k - 1) as f64).sum::<f64>() / total;
        let half: f64 = (1..=n / 2).rev().map(weight).sum::<f64>() / total;
        let distribution = Distribution::zipf(n, s).expect("valid");
        assert!((distribution.mean() / mean - 1.0).abs() < 1e-10, "s = {s}: {} and {mean}", distribution.mean());
        assert!((distribution.cdf((n / 2 - 1) as f64) - half).abs() < 1e-12, "s = {s}");
    }
}

/// A source of the extreme words.
struct Fixed(u64);

impl rand::TryRng for Fixed {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.0 as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(self.0 as u8);
        Ok(())
    }
}

#[test]
fn extreme_words_give_finite_values_within_the_support() {
    for (name, distribution) in examples() {
        // Rejection from one repeated word may never end: those distributions are not inverses of one word.
        let rejects = matches!(
            distribution,
            Distribution::Gamma { .. }
                | Distribution::Zipf { .. }
                | Distribution::Poisson { .. }
                | Distribution::Erlang { .. }
        );
        for word in [0, u64::MAX] {
            if rejects {
                continue;
            }
            let value = distribution.sample(&mut Fixed(word));
            let (low, high) = (distribution.quantile(0.0), distribution.quantile(1.0));
            assert!(
                value.is_finite() && value >= low && value <= high * (1.0 + 1e-12),
                "{name}: {value}, {low} to {high}"
            );
        }
    }
    let exponential = Distribution::exponential(1.0).expect("valid");
    assert!(exponential.sample(&mut Fixed(u64::MAX)) > 0.0, "an exponential is never 0");
}

#[test]
fn a_word_gives_the_same_rank_under_other_parameters() {
    let (slow, fast) = (Distribution::exponential(9e6).expect("valid"), Distribution::exponential(3e6).expect("valid"));
    for n in 0..1000 {
        let keyed = || Key(4).draw(n, 0, 0);
        let ratio = slow.sample(&mut keyed()) / fast.sample(&mut keyed());
        assert!((ratio - 3.0).abs() < 1e-12, "operation {n}: {ratio}");
    }
}

#[test]
fn spans_are_rounded_once_and_never_negative() {
    let mut bits = Key(0).draw(0, 0, 0);
    for (value, nanos) in [
        (-3.0, 0),
        (-0.4, 0),
        (0.49, 0),
        (0.51, 1),
        (2.5, 2),
        (3.5, 4),
        (1e15 + 0.25, 1_000_000_000_000_000),
        (1e30, u64::MAX),
    ] {
        let constant = Distribution::constant(value).expect("valid");
        assert_eq!(constant.span(&mut bits), Span(nanos), "{value}");
    }
    let below_half = Distribution::constant(0.5_f64.next_down()).expect("valid");
    assert_eq!(below_half.span(&mut bits), Span(0), "rounded once");
    let whole = Distribution::constant((1_u64 << 52) as f64 + 1.0).expect("valid");
    assert_eq!(whole.span(&mut bits), Span((1 << 52) + 1));
}

#[test]
fn invalid_parameters_are_refused_by_name() {
    let cases = [
        (Distribution::exponential(0.0), "mean must be greater than 0"),
        (Distribution::normal(1.0, -1.0), "sd must not be negative"),
        (Distribution::uniform(3.0, 2.0), "the upper bound must not be less than the lower bound"),
        (Distribution::lognormal_p50_p99(2.0, 2.0), "p99 must be greater than p50"),
        (Distribution::lognormal_mean_cv(2.0, 0.0), "cv must be greater than 0"),
        (Distribution::pareto(1.0, -1.0), "alpha must be greater than 0"),
        (Distribution::bounded_pareto(2.0, 1.0, 1.0), "max must be greater than min"),
        (Distribution::hyperexponential(1.0, 0.9), "cv must be at least 1 (below 1 use erlang or gamma)"),
        (Distribution::erlang(0, 1.0), "k must be at least 1"),
        (Distribution::exponential(f64::NAN), "mean must be finite, and at most 10^100"),
        (Distribution::zipf(0, 1.0), "n must be at least 1"),
        (Distribution::hotspot(5, 5, 0.9), "hot must be at least 1 and less than n"),
        (Distribution::chance(1.5), "a chance must be between 0% and 100%"),
        (Distribution::choice(&[0.0, 0.0]), "the sum of the weights must be greater than 0"),
        (Distribution::empirical(&[]), "the values must not be empty"),
        (Distribution::sum(&[]), "a sum must have a part"),
    ];
    for (found, wanted) in cases {
        assert_eq!(found.expect_err(wanted).to_string(), wanted);
    }
}

#[test]
fn a_distribution_is_small_and_streams_serve_too() {
    assert!(size_of::<Distribution>() <= 32, "{}", size_of::<Distribution>());
    let mut stream = Seed(1).stream("workloads.shoppers");
    let before = stream.clone().next_u64();
    let gap = Distribution::exponential(1e6).expect("valid").span(&mut stream);
    assert!(gap.0 > 0 && stream.next_u64() != before);
}
