//! Hashes of every stream of draws: they decide whether `libm`, `rand_chacha`, a compiler or a machine changed a bit.

use alloc::vec::Vec;

use rand::Rng;

use super::{Distribution, Invalid};
use crate::fingerprint::fold;
use crate::random::{Key, Seed};

/// Draws per hash.
const DRAWS: u64 = 20_000;

/// The hash of each stream by name: the keyed mix, ChaCha8, and 20 000 keyed draws of each of [`examples`].
///
/// The same on every machine, in debug and release, in tests and in the installed program (docs/semantics.md, rule 3).
pub fn golden() -> Vec<(&'static str, u64)> {
    let key = Key(0x5eed_0000_0000_0042);
    let mut stream = Seed(42).stream("workloads.shoppers");
    let mut hashes = alloc::vec![
        ("keyed mix", hash(|n| key.draw(n, n % 7, n % 3).bits())),
        ("chacha8 stream", hash(|_| stream.next_u64())),
        ("keys", hash(|n| Seed(n).key("services.orders", "work").0)),
    ];
    hashes.extend(
        examples()
            .into_iter()
            .map(|(name, distribution)| (name, hash(|n| distribution.sample(&mut key.draw(n, 1, 0)).to_bits()))),
    );
    hashes
}

fn hash(mut word: impl FnMut(u64) -> u64) -> u64 {
    (0..DRAWS).fold(0, |state, n| fold(state, word(n)))
}

/// One or more of every kind, in nanoseconds or whole numbers, by name: what tests and hashes go over.
pub fn examples() -> Vec<(&'static str, Distribution)> {
    let known = |(name, distribution): (&'static str, Result<Distribution, Invalid>)| {
        (name, distribution.expect("the parameters are fixed here and tested"))
    };
    continuous().into_iter().chain(composed()).chain(discrete()).map(known).collect()
}

type Example = (&'static str, Result<Distribution, Invalid>);

fn continuous() -> Vec<Example> {
    alloc::vec![
        ("constant(5ms)", Distribution::constant(5e6)),
        ("uniform(2ms, 6ms)", Distribution::uniform(2e6, 6e6)),
        ("exp(5ms)", Distribution::exponential(5e6)),
        ("normal(10, 30)", Distribution::normal(10.0, 30.0)),
        ("normal(10ms, 8ms) cut at 0", Distribution::normal_duration(1e7, 8e6)),
        ("lognormal(mean=5ms, cv=0.8)", Distribution::lognormal_mean_cv(5e6, 0.8)),
        ("lognormal(p50=2ms, p99=9ms)", Distribution::lognormal_p50_p99(2e6, 9e6)),
        ("pareto(min=1ms, alpha=5)", Distribution::pareto(1e6, 5.0)),
        ("pareto(min=1ms, alpha=1.2)", Distribution::pareto(1e6, 1.2)),
        ("pareto(min=1ms, alpha=1.1, max=1s)", Distribution::bounded_pareto(1e6, 1.1, 1e9)),
        ("pareto(min=1ms, alpha=1, max=20ms)", Distribution::bounded_pareto(1e6, 1.0, 2e7)),
        ("weibull(scale=5ms, shape=0.7)", Distribution::weibull(5e6, 0.7)),
        ("weibull(scale=5ms, shape=3)", Distribution::weibull(5e6, 3.0)),
        ("erlang(k=4, mean=8ms)", Distribution::erlang(4, 8e6)),
        ("erlang(k=40, mean=8ms)", Distribution::erlang(40, 8e6)),
        ("gamma(mean=5ms, cv=0.5)", Distribution::gamma(5e6, 0.5)),
        ("gamma(mean=5ms, cv=1.6)", Distribution::gamma(5e6, 1.6)),
        ("hyperexp(mean=5ms, cv=1)", Distribution::hyperexponential(5e6, 1.0)),
        ("hyperexp(mean=5ms, cv=3)", Distribution::hyperexponential(5e6, 3.0)),
    ]
}

fn composed() -> Vec<Example> {
    let made = |distribution: Result<Distribution, Invalid>| distribution.expect("the parameters are fixed here");
    let exponential = made(Distribution::exponential(2e6));
    let slow = made(Distribution::uniform(5e7, 9e7));
    let constant = made(Distribution::constant(1e6));
    let normal = made(Distribution::normal_duration(3e6, 1e6));
    let values: Vec<f64> = (0..1000_u64).map(|n| (n * n % 977) as f64 * 1e4).collect();
    alloc::vec![
        ("mix(99%: exp(2ms), 1%: uniform(50ms, 90ms))", {
            Distribution::mixture(&[(99.0, exponential.clone()), (1.0, slow.clone())])
        }),
        ("mix(3: 1ms, 1: exp(2ms))", Distribution::mixture(&[(3.0, constant.clone()), (1.0, exponential.clone())])),
        ("1ms + exp(2ms)", Distribution::sum(&[constant.clone(), exponential.clone()])),
        ("1ms + exp(2ms) + normal + uniform", Distribution::sum(&[constant, exponential, normal, slow])),
        ("empirical of 1000 values", Distribution::empirical(&values)),
    ]
}

fn discrete() -> Vec<Example> {
    alloc::vec![
        ("int(-3, 12)", Distribution::int(-3, 12)),
        ("zipf(1000, 0)", Distribution::zipf(1_000, 0.0)),
        ("zipf(1000, 0.6)", Distribution::zipf(1_000, 0.6)),
        ("zipf(1000, 1)", Distribution::zipf(1_000, 1.0)),
        ("zipf(1000000, 1.2)", Distribution::zipf(1_000_000, 1.2)),
        ("zipf(50, 2.5)", Distribution::zipf(50, 2.5)),
        ("hotspot(1000, hot=5, share=90%)", Distribution::hotspot(1_000, 5, 0.9)),
        ("geometric(4)", Distribution::geometric(4.0)),
        ("poisson(3)", Distribution::poisson(3.0)),
        ("poisson(250)", Distribution::poisson(250.0)),
        ("chance(0.2)", Distribution::chance(0.2)),
        ("choice(98, 0, 2)", Distribution::choice(&[98.0, 0.0, 2.0])),
    ]
}
