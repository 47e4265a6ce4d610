//! The loop of the kernel: messages that go to and fro on the simulated hardware, and a queueing station written straight
//! on the event queue, which is what everything above it costs nothing against.

use std::sync::Arc;

use cluster::{Cluster, Disk, FaultPlan, Hardware, Link, Transport};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kernel::{
    CellId, Digest, Distribution, Effects, Fingerprint, Message, NodeId, Process, Queue, Record, Route, Seed, Span,
    Time,
};

/// Events that enter the printed hash.
const HASHED_EVENTS: usize = 10_000;
/// Pairs of machines that play.
const PAIRS: u32 = 1_000;

/// A machine that sends back whatever comes.
#[derive(Clone, Debug)]
struct Player {
    me: NodeId,
}

/// The ball, and how often it was hit.
#[derive(Clone, Copy, Debug)]
struct Ball {
    pair: u32,
    hits: u64,
}

/// Players set no timers and write nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Nothing {}

impl Digest for Nothing {
    fn digest(&self) -> u64 {
        match *self {}
    }
}

impl Record for Nothing {
    fn bytes(&self) -> u32 {
        match *self {}
    }
}

impl Digest for Ball {
    fn digest(&self) -> u64 {
        kernel::fold(u64::from(self.pair), self.hits)
    }
}

impl Message for Ball {
    fn route(&self) -> Route {
        Route { operation: u64::from(self.pair), hop: self.hits }
    }
    fn bytes(&self) -> u32 {
        64
    }
    fn kind(&self) -> u8 {
        0
    }
}

impl Process for Player {
    type Plan = ();
    type Message = Ball;
    type Timer = Nothing;
    type Record = Nothing;
    type Output = ();

    fn boot(_plan: &(), me: NodeId) -> Self {
        Self { me }
    }
    fn on_start(&mut self, _plan: &(), _now: Time, _log: &[Nothing], out: &mut impl Effects<Self>) {
        if self.me.0.is_multiple_of(2) {
            out.send(NodeId(self.me.0 + 1), Ball { pair: self.me.0 / 2, hits: 0 });
        }
    }
    fn on_message(&mut self, _plan: &(), _now: Time, from: NodeId, ball: Ball, out: &mut impl Effects<Self>) {
        out.send(from, Ball { hits: ball.hits + 1, ..ball });
    }
    fn on_timer(&mut self, _plan: &(), _now: Time, timer: Nothing, _out: &mut impl Effects<Self>) {
        match timer {}
    }
    fn on_reset(&mut self, _plan: &(), _now: Time, _to: NodeId, _ball: Ball, _out: &mut impl Effects<Self>) {}
    fn unfinished(&self) -> u64 {
        0
    }
    fn owed(_plan: &(), _me: NodeId, _log: &[Nothing]) -> u64 {
        0
    }
    fn volatile_cells(&self, _plan: &(), _each: &mut impl FnMut(CellId, u64, i64)) {}
}

fn ping_pong(criterion: &mut Criterion) {
    let constant = |nanoseconds| Distribution::constant(nanoseconds).expect("a constant is valid");
    let link = Link::plain(constant(1e6), 0.0, Transport::Tcp);
    let hardware = Hardware::uniform(2 * PAIRS as usize, &Disk::plain(constant(0.0)), link);
    let mut cluster: Cluster<Player> = Cluster::new(Arc::new(()), hardware, FaultPlan::none(), Seed(1));
    for _ in 0..HASHED_EVENTS {
        cluster.step(&mut ()).expect("the ball is in the air");
    }
    eprintln!("kernel/ping_pong: {:016x}", cluster.fingerprint());
    let mut group = criterion.benchmark_group("kernel");
    group.throughput(Throughput::Elements(1));
    group.bench_function("ping_pong", |bencher| bencher.iter(|| cluster.step(&mut ())));
    group.finish();
}

/// One server and a line, at 80 % load: arrivals (true) and departures (false) of the queue.
struct Station {
    queue: Queue<bool>,
    waiting: u64,
    drawn: u64,
    gap: Distribution,
    service: Distribution,
    hash: Fingerprint,
}

impl Station {
    fn new() -> Self {
        let exponential = |mean| Distribution::exponential(mean).expect("a positive mean is valid");
        let (gap, service) = (exponential(1.25e9), exponential(1e9));
        let mut queue = Queue::new();
        queue.after(Span::ZERO, true);
        Self { queue, waiting: 0, drawn: 0, gap, service, hash: Fingerprint::new() }
    }

    fn step(&mut self) -> u64 {
        let key = kernel::Key(0x6d6d_3162_656e_6368);
        let (time, sequence, arrival) = self.queue.pop().expect("one more always arrives");
        let mut draw = key.draw(self.drawn, 0, 0);
        self.drawn += 1;
        let starts = if arrival {
            self.queue.after(self.gap.span(&mut draw), true);
            self.waiting += 1;
            self.waiting == 1
        } else {
            self.waiting -= 1;
            self.waiting > 0
        };
        if starts {
            self.queue.after(self.service.span(&mut draw), false);
        }
        self.hash.eat(time.0, sequence << 1 | u64::from(arrival));
        self.waiting
    }
}

fn station(criterion: &mut Criterion) {
    let mut station = Station::new();
    for _ in 0..HASHED_EVENTS {
        station.step();
    }
    eprintln!("kernel/station: {:016x}", station.hash.value());
    let mut group = criterion.benchmark_group("kernel");
    group.throughput(Throughput::Elements(1));
    group.bench_function("station", |bencher| bencher.iter(|| station.step()));
    group.finish();
}

criterion_group!(benches, ping_pong, station);
criterion_main!(benches);
