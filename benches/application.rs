//! A generated application of 100 machines, in events: 25 services of four machines each in five layers, whose requests work,
//! call one or two services of the next layer with a timeout over a lognormal network, and answer. The bar is 120 ns an
//! event, which is 8.3 million events a second on one core.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kernel::fold;
use lab::outcome::Outcome;
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Scenario, Source, load};

const LAYERS: u64 = 5;
const SERVICES: u64 = 5;
const MACHINES: u64 = 4;

/// The scenario file: which service calls which is drawn, and always the same.
fn text() -> String {
    let mut text = "version = 1\nrun = { duration = \"20s\", warmup = \"1s\", seed = 1 }\n\
                    network = { latency = \"lognormal(p50=300us, p99=2ms)\" }\n"
        .to_owned();
    for layer in 0..LAYERS {
        for service in 0..SERVICES {
            let drawn = fold(layer, service);
            let mut steps = format!("{{ work = \"exp({}us)\" }}", 500 + drawn % 1_500);
            let calls = if layer + 1 < LAYERS { 1 + drawn / 7 % 2 } else { 0 };
            for n in 0..calls {
                let called = (drawn / 31 + n) % SERVICES;
                write!(steps, ", {{ call = \"s{}{called}.run\", timeout = \"1s\" }}", layer + 1)
                    .expect("a text takes all");
            }
            writeln!(
                text,
                "[services.s{layer}{service}]\nnodes = {MACHINES}\nworkers = 16\nmode = \"async\"\nops.run = [{steps}]"
            )
            .expect("a text takes all");
        }
    }
    for service in 0..SERVICES {
        writeln!(text, "[workloads.w{service}]\nrate = \"200/s\"\ntarget = \"s0{service}.run\"")
            .expect("a text takes all");
    }
    text
}

fn outcome(scenario: &Scenario) -> Outcome {
    run(scenario, scenario.model.run.seed, None, &Options::lean(), &mut |_| Go::On).expect("the scenario compiles")
}

fn application(criterion: &mut Criterion) {
    let scenario = load(&Source::new("application.toml", text()), &Choice::default()).expect("the scenario is valid");
    let first = outcome(&scenario);
    let (requests, failed) =
        first.operations.iter().filter(|operation| operation.external).fold((0, 0), |(all, failed), operation| {
            (all + operation.ok, failed + operation.failed + operation.unknown)
        });
    assert!(requests > 10_000 && failed * 100 < requests, "it is an application that works: {requests}, {failed}");
    assert!(first.little.iter().all(|law| law.integral == law.sojourns), "Little's law holds on every queue");
    eprintln!("application: {:016x}, {} events, {requests} requests", first.fingerprint, first.events);
    let mut group = criterion.benchmark_group("application");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.throughput(Throughput::Elements(first.events));
    group.bench_function("events", |bencher| bencher.iter(|| black_box(outcome(&scenario))));
    group.finish();
}

criterion_group!(benches, application);
criterion_main!(benches);
