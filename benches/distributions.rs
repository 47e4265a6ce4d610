//! One draw of each distribution, keyed as an operation's draws are: the key is part of the price.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kernel::{Distribution, Fingerprint, Seed};

/// Draws that enter the printed hash.
const HASHED_DRAWS: u64 = 10_000;

fn laws() -> Vec<(&'static str, Distribution)> {
    let made = [
        ("uniform", Distribution::uniform(1e6, 3e6)),
        ("exponential", Distribution::exponential(2e6)),
        ("normal", Distribution::normal_duration(2e6, 5e5)),
        ("lognormal", Distribution::lognormal_p50_p99(2e6, 2e7)),
        ("pareto", Distribution::pareto(1e6, 2.5)),
        ("weibull", Distribution::weibull(2e6, 0.7)),
        ("erlang3", Distribution::erlang(3, 2e6)),
        ("gamma", Distribution::gamma(2e6, 1.5)),
        ("hyperexponential", Distribution::hyperexponential(2e6, 2.0)),
        ("zipf", Distribution::zipf(1_000_000, 1.1)),
        ("poisson", Distribution::poisson(7.0)),
        ("chance", Distribution::chance(0.3)),
    ];
    made.into_iter().map(|(name, law)| (name, law.expect("its parameters are in range"))).collect()
}

fn draws(criterion: &mut Criterion) {
    let key = Seed(1).key("benches.distributions", "draw");
    let mut group = criterion.benchmark_group("distributions");
    group.throughput(Throughput::Elements(1));
    for (name, law) in laws() {
        let mut hash = Fingerprint::new();
        for n in 0..HASHED_DRAWS {
            hash.eat(n, law.sample(&mut key.draw(n, 1, 0)).to_bits());
        }
        eprintln!("distributions/{name}: {:016x}", hash.value());
        let mut operation = 0;
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| {
                operation += 1;
                law.sample(&mut key.draw(operation, 1, 0))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, draws);
criterion_main!(benches);
