//! The queue alone: the hold model (take the next event, schedule another) with so many events pending, and the life of
//! timeouts that are nearly always cancelled.
//!
//! Delays are exponential and drawn beforehand. Each bench first prints a hash of what it computes: a queue that gives
//! events in another order prints another one.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kernel::{Distribution, Fingerprint, Handle, Queue, Seed, Span};

/// Steps that enter the printed hash.
const HASHED_STEPS: usize = 10_000;
/// Delays drawn beforehand; a power of two.
const DELAYS: usize = 1 << 16;

fn delays() -> Vec<Span> {
    let key = Seed(1).key("benches.queue", "delay");
    let law = Distribution::exponential(1e9).expect("a mean of one second is valid");
    (0..DELAYS as u64).map(|n| law.span(&mut key.draw(n, 0, 0))).collect()
}

/// A queue in the steady state of the hold model, and how many delays it has used.
fn hold(pending: usize, delays: &[Span]) -> (Queue<u64>, usize) {
    let mut queue = Queue::new();
    for n in 0..pending {
        queue.after(delays[n % DELAYS], n as u64);
    }
    (queue, pending)
}

fn step(queue: &mut Queue<u64>, used: &mut usize, delays: &[Span]) -> u64 {
    let (_, _, event) = queue.pop().expect("as many events as ever are pending");
    queue.after(delays[*used % DELAYS], event);
    *used += 1;
    event
}

fn hold_model(criterion: &mut Criterion) {
    let delays = delays();
    let mut group = criterion.benchmark_group("queue/hold");
    group.throughput(Throughput::Elements(1));
    for (name, pending) in [("1k", 1_000), ("16k", 16_000), ("100k", 100_000), ("1M", 1_000_000)] {
        let (mut queue, mut used) = hold(pending, &delays);
        let mut hash = Fingerprint::new();
        for _ in 0..HASHED_STEPS {
            let event = step(&mut queue, &mut used, &delays);
            hash.eat(queue.now().0, event);
        }
        eprintln!("queue/hold/{name}: {:016x}", hash.value());
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| step(&mut queue, &mut used, &delays));
        });
    }
    group.finish();
}

/// Callers with one call each: its answer comes after a while and cancels the timeout that was set at the call.
struct Calls {
    queue: Queue<(u32, bool)>,
    timeouts: Vec<Handle>,
    used: usize,
}

impl Calls {
    fn new(callers: u32, delays: &[Span]) -> Self {
        let mut calls = Self { queue: Queue::new(), timeouts: vec![Handle::NONE; callers as usize], used: 0 };
        for caller in 0..callers {
            calls.call(caller, delays);
        }
        calls
    }

    fn call(&mut self, caller: u32, delays: &[Span]) {
        self.timeouts[caller as usize] = self.queue.after(Span::secs(1), (caller, true));
        // The mean of an answer is a hundredth of the timeout.
        let answer = Span(delays[self.used % DELAYS].0 / 100);
        self.used += 1;
        self.queue.after(answer, (caller, false));
    }

    /// One answer, or one of the rare timeouts, after which the caller waits for its answer without one.
    fn step(&mut self, delays: &[Span]) -> u32 {
        let (_, _, (caller, timeout)) = self.queue.pop().expect("every caller has a call");
        if !timeout {
            self.queue.cancel(self.timeouts[caller as usize]);
            self.call(caller, delays);
        }
        caller
    }
}

fn cancelled_timeouts(criterion: &mut Criterion) {
    let delays = delays();
    let mut calls = Calls::new(100_000, &delays);
    let mut hash = Fingerprint::new();
    for _ in 0..HASHED_STEPS {
        let caller = calls.step(&delays);
        hash.eat(calls.queue.now().0, u64::from(caller));
    }
    eprintln!("queue/cancel/100k: {:016x}", hash.value());
    let mut group = criterion.benchmark_group("queue/cancel");
    group.throughput(Throughput::Elements(1));
    group.bench_function("100k", |bencher| bencher.iter(|| calls.step(&delays)));
    group.finish();
}

criterion_group!(benches, hold_model, cancelled_timeouts);
criterion_main!(benches);
