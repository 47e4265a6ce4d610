//! Are keyed draws as good as independent ones? Consecutive operations, hops and draw numbers under one key, and the
//! same operations under neighbouring keys. The same battery fails a mix that is only half as thorough.
#![expect(clippy::print_stdout, reason = "a test shows its numbers: cargo test -- --nocapture")]

use kernel::random::{Key, Seed};

const DRAWS: u64 = 1 << 20;
const SIGMAS: f64 = 4.5;

/// What is wrong with a sequence of words; a truly random one has nothing with probability 99.97 % (about 45 statistics
/// within 4.5 standard deviations each).
fn flaws(word: impl Fn(u64) -> u64) -> Vec<String> {
    let words: Vec<u64> = (0..DRAWS).map(word).collect();
    let n = DRAWS as f64;
    let mut flaws = Vec::new();
    let mut judge = |name: String, sigmas: f64| {
        if sigmas.abs() > SIGMAS {
            flaws.push(format!("{name}: {sigmas:.1} sigmas"));
        }
    };
    // Centred to mean 0 and scaled to variance 1; a uniform then has a fourth moment of 9/5.
    let scaled: Vec<f64> =
        words.iter().map(|word| ((word >> 11) as f64 / (1_u64 << 53) as f64 - 0.5) * 12_f64.sqrt()).collect();
    judge("mean".into(), scaled.iter().sum::<f64>() / n.sqrt());
    judge("variance".into(), scaled.iter().map(|x| x * x - 1.0).sum::<f64>() / (n * 0.8).sqrt());
    judge("skewness".into(), scaled.iter().map(|x| x * x * x).sum::<f64>() / (n * 27.0 / 7.0).sqrt());
    for lag in [1, 2, 3, 7, 8, 64, 256, 4096] {
        let products = scaled.iter().zip(&scaled[lag..]).map(|(x, y)| x * y).sum::<f64>();
        judge(format!("correlation at lag {lag}"), products / (n - lag as f64).sqrt());
    }
    // 256 buckets of every byte of the word, and 16 × 16 of neighbours: χ² of 255 degrees, mean 255, variance 510.
    let chi_square = |name: String, bucket: &dyn Fn(usize) -> u64| {
        let mut counts = [0_u64; 256];
        for place in 0..words.len() {
            counts[bucket(place) as usize] += 1;
        }
        let expected = n / 256.0;
        let square: f64 = counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum();
        (name, (square - 255.0) / 510_f64.sqrt())
    };
    for byte in 0..8 {
        let (name, sigmas) = chi_square(format!("byte {byte}"), &|place| words[place] >> (8 * byte) & 255);
        judge(name, sigmas);
    }
    for lag in [1, 2, 5, 16, 256, 1 << 16] {
        let high = |place: usize| words[place % words.len()] >> 60;
        let (name, sigmas) = chi_square(format!("pairs at lag {lag}"), &|place| high(place) << 4 | high(place + lag));
        judge(name, sigmas);
    }
    for bit in 0..16 {
        // Does a bit of the position show in the top bit of the word?
        let agree = words.iter().enumerate().filter(|(place, word)| *place as u64 >> bit & 1 == *word >> 63).count();
        judge(format!("position bit {bit}"), (agree as f64 - n / 2.0) / (n / 4.0).sqrt());
    }
    flaws
}

/// The product of two sequences' deviations, in standard errors.
fn correlation(left: impl Fn(u64) -> u64, right: impl Fn(u64) -> u64) -> f64 {
    let scaled = |word: u64| ((word >> 11) as f64 / (1_u64 << 53) as f64 - 0.5) * 12_f64.sqrt();
    (0..DRAWS).map(|n| scaled(left(n)) * scaled(right(n))).sum::<f64>() / (DRAWS as f64).sqrt()
}

#[test]
fn draws_over_operations_hops_and_numbers_look_independent() {
    for key in [Key(0), Key(1), Seed(7).key("services.orders", "work")] {
        let none: Vec<String> = Vec::new();
        assert_eq!(flaws(|n| key.draw(n, 0, 0).bits()), none, "consecutive operations, {key:?}");
        assert_eq!(flaws(|n| key.draw(n, 3, 1).bits()), none, "consecutive operations at a later hop, {key:?}");
        assert_eq!(flaws(|n| key.draw(5, n, 0).bits()), none, "consecutive hops, {key:?}");
        assert_eq!(flaws(|n| key.draw(5, 2, n).bits()), none, "consecutive numbers, {key:?}");
        assert_eq!(flaws(|n| key.draw(n << 32, 1, 0).bits()), none, "ids that differ in high bits only, {key:?}");
        assert_eq!(flaws(|n| key.draw(n >> 4, n & 15, 0).bits()), none, "sixteen hops of each operation, {key:?}");
        assert_eq!(flaws(|n| key.draw(n >> 3, 0, n & 7).bits()), none, "eight numbers of each operation, {key:?}");
        assert_eq!(flaws(|n| Key(n).draw(5, 1, 0).bits()), none, "one operation under consecutive keys");
        let second = |n| {
            let mut keyed = key.draw(n, 0, 0);
            keyed.bits();
            keyed.bits()
        };
        assert_eq!(flaws(second), none, "second words, {key:?}");
        let word = std::cell::RefCell::new(key.draw(1, 1, 1));
        assert_eq!(flaws(|_| word.borrow_mut().bits()), none, "many words of one draw, {key:?}");
    }
}

#[test]
fn draws_of_different_consumers_are_uncorrelated() {
    let seed = Seed(11);
    let work = seed.key("services.orders", "work");
    let others = [
        seed.key("services.orders", "loss"),
        seed.key("services.payment", "work"),
        Seed(12).key("services.orders", "work"),
        Key(work.0 ^ 1),
        Key(work.0 ^ 1 << 63),
        Key(!work.0),
    ];
    for (place, other) in others.into_iter().enumerate() {
        let sigmas = correlation(|n| work.draw(n, 0, 0).bits(), |n| other.draw(n, 0, 0).bits());
        println!("consumer {place}: {sigmas:.2} sigmas");
        assert!(sigmas.abs() < SIGMAS, "consumer {place}: {sigmas}");
    }
    for (hop, number) in [(1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (1 << 32, 0), (0, 1 << 32)] {
        let sigmas = correlation(|n| work.draw(n, 0, 0).bits(), |n| work.draw(n, hop, number).bits());
        println!("hop {hop}, number {number}: {sigmas:.2} sigmas");
        assert!(sigmas.abs() < SIGMAS, "hop {hop}, number {number}: {sigmas}");
    }
}

#[test]
fn flipping_any_input_bit_flips_every_output_bit_half_the_time() {
    const TRIALS: u64 = 1 << 14;
    // Of 4 × 64 × 64 binomials the greatest deviation of a true coin stays below 5.5 sigmas with probability 99.9 %.
    let limit = 5.5 * (TRIALS as f64 / 4.0).sqrt();
    for (input, name) in ["key", "operation", "hop", "number"].into_iter().enumerate() {
        for flipped in 0..64 {
            let mut counts = [0_u64; 64];
            for trial in 0..TRIALS {
                // Small, correlated inputs, as a run has them.
                let at =
                    |part: usize| [trial * 31, trial, trial % 9, trial % 4][part] ^ u64::from(part == input) << flipped;
                let plain = Key(trial * 31).draw(trial, trial % 9, trial % 4).bits();
                let mut changed = plain ^ Key(at(0)).draw(at(1), at(2), at(3)).bits();
                while changed != 0 {
                    counts[changed.trailing_zeros() as usize] += 1;
                    changed &= changed - 1;
                }
            }
            for (bit, count) in counts.iter().enumerate() {
                let off = (*count as f64 - TRIALS as f64 / 2.0).abs();
                assert!(off < limit, "bit {flipped} of the {name} flips bit {bit} {count} times in {TRIALS}");
            }
        }
    }
}

#[test]
fn the_battery_catches_half_a_mix() {
    let weyl = flaws(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    assert!(weyl.len() > 5, "a Weyl sequence passes: {weyl:?}");
    let xorshift = flaws(|n| {
        let word = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (word ^ word >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93)
    });
    assert!(!xorshift.is_empty(), "half of a finaliser passes");
    let repeated = flaws(|n| Key(1).draw(n >> 1, 0, 0).bits());
    assert!(!repeated.is_empty(), "every draw twice passes");
    let same = correlation(|n| Key(1).draw(n, 0, 0).bits(), |n| !Key(1).draw(n, 0, 0).bits());
    assert!(same < -100.0, "a mirror image passes: {same}");
}

#[test]
fn a_draw_depends_on_nothing_but_its_name() {
    let key = Seed(3).key("stores.kv", "fsync");
    let word = key.draw(17, 2, 0).bits();
    for other in 0..100 {
        key.draw(other, 2, 0).bits();
    }
    assert_eq!(word, Seed(3).key("stores.kv", "fsync").draw(17, 2, 0).bits());
    let names = [("a", "bc"), ("ab", "c"), ("abc", ""), ("", "abc"), ("a", "b"), ("a", "")];
    let keys: std::collections::BTreeSet<u64> =
        names.iter().map(|(path, purpose)| Seed(3).key(path, purpose).0).collect();
    assert_eq!(keys.len(), names.len(), "a path and a purpose do not run into each other");
}
