//! The histogram against sorted data.
#![expect(clippy::print_stdout, reason = "a test shows its numbers: cargo test -- --nocapture")]

use kernel::Histogram;
use kernel::distribution::examples;
use kernel::random::Key;

/// Values over all magnitudes: small counts, latencies, the ends of the range.
fn values(seed: u64, n: u64) -> Vec<u64> {
    let value = |place| {
        let word = Key(seed).draw(place, 0, 0).bits();
        match seed % 3 {
            0 => word >> (word % 64),
            1 => 1_000_000 + word % 9_000_000,
            _ => word % 300,
        }
    };
    (0..n).map(value).collect()
}

fn recorded(steps: u32, values: &[u64]) -> Histogram {
    let mut histogram = Histogram::new(steps);
    for value in values {
        histogram.record(*value);
    }
    histogram
}

#[test]
fn counts_sums_and_extremes_are_exact() {
    for seed in 0..12 {
        let values = values(seed, 5_000);
        let histogram = recorded(Histogram::PER_OP, &values);
        assert_eq!(histogram.count(), 5_000);
        assert_eq!(histogram.sum(), values.iter().map(|value| u128::from(*value)).sum());
        assert_eq!(Some(histogram.min()), values.iter().copied().min());
        assert_eq!(Some(histogram.max()), values.iter().copied().max());
        let mean = values.iter().map(|value| *value as f64).sum::<f64>() / 5_000.0;
        assert!((histogram.mean() / mean - 1.0).abs() < 1e-12);
    }
}

#[test]
fn what_is_recorded_where_there_is_memory_is_the_same() {
    for seed in 0..12 {
        let values = values(seed, 5_000);
        for steps in [Histogram::PER_OP, Histogram::PER_WINDOW] {
            let (mut histogram, mut quick) = (Histogram::new(steps), 0);
            for value in &values {
                let before = histogram.clone();
                if histogram.record_known(*value) {
                    quick += 1;
                } else {
                    assert_eq!(histogram, before, "nothing has happened");
                    histogram.record(*value);
                }
            }
            assert_eq!(histogram, recorded(steps, &values));
            assert_eq!(quick > 4_900, steps == Histogram::PER_OP, "{quick}");
        }
    }
}

#[test]
fn the_deviation_is_exact_even_far_from_zero() {
    // 10^15 ± a few: a sum of squares in 64-bit floats would lose all of it.
    let offsets = [0_u64, 1, 1, 2, 5, 8, 13];
    let mut histogram = Histogram::new(7);
    for offset in offsets {
        histogram.record(1_000_000_000_000_000 + offset);
    }
    let mean = 30.0 / 7.0;
    let variance = offsets.iter().map(|offset| (*offset as f64 - mean).powi(2)).sum::<f64>() / 6.0;
    assert!((histogram.variance() / variance - 1.0).abs() < 1e-12, "{} {variance}", histogram.variance());
    // And the case that the sum of squares was said not to hold: 10^8 samples of 10^12 ns.
    let mut long = Histogram::new(7);
    long.record_n(1_000_000_000_000, 50_000_000);
    long.record_n(3_000_000_000_000, 50_000_000);
    assert!((long.deviation() / 1e12 - 1.0).abs() < 1e-7, "{}", long.deviation());
    let mut beyond = Histogram::new(7);
    beyond.record_n(u64::MAX, 3);
    assert!(beyond.variance().is_infinite(), "a full sum of squares says so");
}

#[test]
fn quantiles_are_within_the_documented_error_of_sorted_data() {
    for (steps, bound) in [(Histogram::PER_OP, 1.0 / 256.0), (Histogram::PER_WINDOW, 1.0 / 64.0), (1, 1.0 / 4.0)] {
        let mut worst = 0.0_f64;
        for seed in 0..30 {
            let mut values = values(seed, 3_000 + seed);
            let histogram = recorded(steps, &values);
            values.sort_unstable();
            for permille in 0..=1000 {
                let q = f64::from(permille) / 1000.0;
                let rank = (values.len() as u64 * permille as u64).div_ceil(1000).max(1);
                let exact = values[rank as usize - 1];
                let error = histogram.quantile(q).abs_diff(exact) as f64 / exact.max(1) as f64;
                worst = worst.max(error);
                assert!(error <= bound, "seed {seed}, q {q}: {} for {exact}", histogram.quantile(q));
            }
            assert_eq!((histogram.quantile(0.0), histogram.quantile(1.0)), (values[0], values[values.len() - 1]));
        }
        println!("{} steps per octave: worst relative error {worst:.6} of {bound:.6}", 1 << steps);
        assert!(worst > bound / 2.0, "the bound is not idle");
    }
}

#[test]
fn merging_is_the_same_as_recording_everything() {
    for seed in 0..60 {
        let parts = [values(seed, seed % 7 * 50), values(seed + 1, 200), values(seed + 2, 1 + seed)];
        let mut merged = Histogram::new(5);
        for part in &parts {
            merged.merge(&recorded(5, part));
        }
        assert_eq!(merged, recorded(5, &parts.concat()), "seed {seed}");
        let mut backwards = Histogram::new(5);
        for part in parts.iter().rev() {
            backwards.merge(&recorded(5, part));
        }
        assert_eq!(merged, backwards, "seed {seed}: the order does not matter");
    }
}

#[test]
fn recording_n_times_is_recording_one_n_times_over() {
    let (mut at_once, mut one_by_one) = (Histogram::new(7), Histogram::new(7));
    for (value, n) in [(0, 3), (127, 1), (128, 2), (999_999, 17), (5, 0), (u64::MAX, 1)] {
        at_once.record_n(value, n);
        (0..n).for_each(|_| one_by_one.record(value));
    }
    assert_eq!(at_once, one_by_one);
    at_once.clear();
    assert_eq!(at_once, Histogram::new(7));
}

#[test]
fn buckets_tile_the_range_in_order() {
    let mut histogram = Histogram::new(3);
    let mut edges: Vec<u64> = (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]).collect();
    edges.extend([u64::MAX - 1, u64::MAX]);
    for value in &edges {
        histogram.record(*value);
    }
    let buckets: Vec<_> = histogram.buckets().collect();
    assert!(buckets.iter().all(|bucket| bucket.low <= bucket.high));
    assert!(buckets.windows(2).all(|pair| pair[0].high < pair[1].low), "ascending and apart");
    assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<u64>(), edges.len() as u64);
    for bucket in &buckets {
        let inside = edges.iter().filter(|value| (bucket.low..=bucket.high).contains(value)).count();
        assert_eq!(bucket.count, inside as u64, "{bucket:?}");
    }
    assert_eq!(buckets.last().expect("not empty").high, u64::MAX);
}

#[test]
fn memory_follows_the_octaves_in_use() {
    let mut window = Histogram::new(Histogram::PER_WINDOW);
    assert_eq!(window.memory(), 0, "an idle window costs nothing");
    for n in 0..10_000 {
        window.record(2_000_000 + n * 100);
    }
    assert!(window.memory() <= 2 * 32 * 8, "{} bytes for two octaves", window.memory());
}

#[test]
fn an_empty_histogram_says_nothing_and_survives_questions() {
    let empty = Histogram::new(7);
    assert!(empty.is_empty());
    assert_eq!((empty.count(), empty.min(), empty.max(), empty.quantile(0.5)), (0, 0, 0, 0));
    assert!(empty.mean() == 0.0 && empty.deviation() == 0.0 && empty.share_at_most(5) == 0.0);
    assert_eq!(empty.buckets().count(), 0);
}

#[test]
fn quantiles_of_draws_meet_the_formula() {
    const DRAWS: u64 = 200_000;
    for (name, distribution) in examples() {
        let p99 = distribution.quantile(0.99);
        if p99 < 1e5 || matches!(distribution, kernel::Distribution::Sum { .. }) {
            continue; // Whole numbers have atoms, sums no exact formula: tested elsewhere.
        }
        let mut histogram = Histogram::new(Histogram::PER_OP);
        for n in 0..DRAWS {
            histogram.record(distribution.span(&mut Key(77).draw(n, 0, 0)).0);
        }
        // The p99 drawn lies between the formula's quantiles four standard errors below and above 0.99, give or take
        // the histogram's 1/256.
        let error = 4.0 * (0.99 * 0.01 / DRAWS as f64).sqrt();
        let (low, high) = (distribution.quantile(0.99 - error), distribution.quantile(0.99 + error));
        let found = histogram.quantile(0.99) as f64;
        assert!(
            low * (1.0 - 1.0 / 256.0) <= found + 1.0 && found <= high * (1.0 + 1.0 / 256.0) + 1.0,
            "{name}: {found}"
        );
        let share = histogram.share_at_most(p99 as u64);
        let near = 1.0 / 128.0;
        let (least, most) = (distribution.cdf(p99 * (1.0 - near)), distribution.cdf(p99 * (1.0 + near)));
        assert!(least - error <= share && share <= most + error, "{name}: {share}");
    }
}
