//! A whole run of `scenarios/theory/four-stations.toml`, in requests: percentiles, both sides of Little's law and one
//! promise over state are on: once as in a sweep, once with the time series of charts, and once with timeouts over a
//! lognormal network. The bar is 500 000 requests a second on one core.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lab::outcome::Outcome;
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Scenario, Source, load};

/// Virtual time; a thousand requests arrive each second.
const SECONDS: u64 = 100;

fn scenario(more: &[(&str, &str)]) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/theory/four-stations.toml");
    let text = std::fs::read_to_string(&path).expect("the scenario is part of the project");
    let set = |path: &str, value: &str| (path.to_owned(), value.to_owned());
    let mut sets =
        vec![set("run.duration", &format!("{SECONDS}s")), set("invariants.busy.always", "gateway.busy <= 4")];
    sets.extend(more.iter().map(|(path, value)| set(path, value)));
    let choice = Choice { sets, ..Choice::default() };
    load(&Source::new("four-stations.toml", text), &choice).expect("the scenario is valid")
}

fn outcome(scenario: &Scenario, options: &Options) -> Outcome {
    run(scenario, scenario.model.run.seed, None, options, &mut |_| Go::On).expect("the scenario compiles")
}

fn four_stations(criterion: &mut Criterion) {
    let scenario = self::scenario(&[]);
    let called = |service: &str| format!("{{ call = \"{service}\", timeout = \"1s\" }}");
    let steps = ["auth", "inventory", "payment"].map(called).join(", ");
    let steps = format!("[{{ work = \"exp(2ms)\" }}, {steps}]");
    let far = self::scenario(&[
        ("services.gateway.ops.checkout.steps", &steps),
        ("network.latency", "lognormal(p50=500us, p99=3ms)"),
    ]);
    let lean = Options::lean();
    let charted = Options { spent: false, ..Options::full() };
    let first = outcome(&scenario, &lean);
    assert!(first.invariants.iter().any(|promise| promise.evaluations > 0), "the promise is judged");
    assert!(first.little.iter().all(|law| law.integral == law.sojourns), "Little's law holds on every queue");
    eprintln!("four_stations: {:016x}, {} events", first.fingerprint, first.events);
    let mut group = criterion.benchmark_group("four_stations");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.throughput(Throughput::Elements(SECONDS * 1_000));
    group.bench_function("requests", |bencher| bencher.iter(|| black_box(outcome(&scenario, &lean))));
    group.bench_function("requests, charted", |bencher| bencher.iter(|| black_box(outcome(&scenario, &charted))));
    group.bench_function("requests, timeouts and a lognormal network", |bencher| {
        bencher.iter(|| black_box(outcome(&far, &lean)));
    });
    group.finish();
}

criterion_group!(benches, four_stations);
criterion_main!(benches);
