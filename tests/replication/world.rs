//! Machines, clients and faults, drawn from a seed: each family of faults is there or not with even chance, and how often
//! it strikes is drawn as well (A. Groce and others, "Swarm Testing", 2012).

use std::sync::Arc;

use cluster::{
    Clock, Cluster, Direction, Disk, Fault, FaultKind, FaultPlan, Hardware, Link, Loses, NodeHardware, Target,
    Transport, Trigger, Window, Wire,
};
use kernel::{Distribution, Keyed, NodeId, PointId, Seed, Span, Time};
use systems::replication::keys::Operation;
use systems::replication::leader_follower::{
    Acks, Cast, Fencing, Lease, LeaseClock, Mutant, Order, Plan, Play, Points, Reads, Role, Script,
};

use crate::judge::{Judge, operation};

/// No fault acts from here on.
pub(crate) const HEAL: Time = Time(15_000_000_000);
/// Orders are given until here.
const ORDERS: u64 = 16_000_000_000;
/// The run ends here at the latest.
const END: Time = Time(19_000_000_000);
/// How often the logs are looked at, in events, besides at every new leader.
const LOOK: u64 = 500;
pub(crate) const CLIENTS: u32 = 4;
pub(crate) const KEYS: u64 = 5;
/// How often a second a clock is set, where they are.
const JUMPS: f64 = 7.0;

pub(crate) const POINTS: Points = Points {
    after_vote_persisted: Some(PointId(0)),
    after_vote_sent: Some(PointId(1)),
    after_elected: Some(PointId(2)),
    after_entries_persisted: Some(PointId(3)),
    after_agreed: Some(PointId(4)),
    after_snapshot: Some(PointId(5)),
    after_first_agreed: Some(PointId(6)),
};

/// What a world is to be like; what is not said here the seed draws.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wanted {
    pub(crate) acks: Option<Acks>,
    pub(crate) reads: Option<Reads>,
    pub(crate) unfenced: bool,
    pub(crate) jumps: bool,
    pub(crate) mutant: Option<Mutant>,
}

/// A world that has not begun.
pub(crate) struct World {
    pub(crate) play: Play,
    pub(crate) hardware: Hardware,
    pub(crate) faults: FaultPlan,
    pub(crate) seed: Seed,
}

pub(crate) fn millis(from: u64, to: u64) -> Distribution {
    Distribution::uniform(from as f64 * 1e6, to as f64 * 1e6).expect("it is a range")
}

pub(crate) fn lease(clock: LeaseClock) -> Reads {
    Reads::Lease(Lease { length: Span::millis(100), margin: Span::millis(20), clock })
}

pub(crate) fn below(draw: &mut Keyed, limit: u64) -> u64 {
    draw.bits() % limit
}

impl World {
    pub(crate) fn draw(seed: u64, wanted: Wanted) -> Self {
        let key = Seed(seed).key("world", "all");
        let draw = &mut key.draw(0, 0, 0);
        let count = [3, 3, 5][below(draw, 3) as usize];
        let replicas: Vec<NodeId> = (0..count).map(NodeId).collect();
        let all_reads = [Reads::ReadIndex, lease(LeaseClock::Monotonic), Reads::Log];
        let reads = all_reads[below(draw, 3) as usize];
        let all_acks = [Acks::Majority, Acks::Majority, Acks::All, Acks::Count(count as usize / 2 + 2)];
        let acks = all_acks[below(draw, 4) as usize];
        let plan = Plan {
            store: 1,
            replicas: replicas.clone(),
            acks: wanted.acks.unwrap_or(acks),
            reads: wanted.reads.unwrap_or(reads),
            heartbeat: Span::millis(50),
            election_timeout: millis(150, 300),
            key: Seed(seed).key("store", "election_timeout"),
            fencing: if wanted.unfenced { Fencing::None } else { Fencing::Term },
            snapshot_every: [3, 10, 10_000][below(draw, 3) as usize],
            batch: [1, 1, 2, 100][below(draw, 4) as usize],
            device: Some(NodeId(count + CLIENTS)),
            first: None,
            told: true,
            cells: None,
            points: POINTS,
            mutant: wanted.mutant,
        };
        let mut cast = vec![Cast::Replica; count as usize];
        cast.extend(scripts(draw).into_iter().map(Cast::Client));
        cast.push(Cast::Device);
        let hardware = hardware(draw, cast.len(), count as usize);
        let mut faults = faults(draw, &replicas);
        faults.extend(wanted.jumps.then(|| jumps(&replicas)));
        let faults = FaultPlan { faults, heal: HEAL, ..FaultPlan::none() };
        Self { play: Play { plan, cast }, hardware, faults, seed: Seed(seed) }
    }

    pub(crate) fn begin(self) -> Cluster<Role> {
        Cluster::new(Arc::new(self.play), self.hardware, self.faults, self.seed)
    }
}

/// Clocks are set ahead and back.
fn jumps(replicas: &[NodeId]) -> Fault {
    Fault {
        name: "jumps".to_owned(),
        kind: FaultKind::ClockJump { by: Distribution::uniform(-5e8, 5e8).expect("it is a range") },
        targets: vec![Target::Any { of: replicas.to_vec(), count: 1 }],
        trigger: Trigger::Rate(JUMPS),
        window: Window { from: Time::ZERO, to: HEAL },
        length: None,
        chance: 1.0,
        require_effect: false,
    }
}

/// Runs a world to its end, and looks at the logs from time to time.
pub(crate) fn finish(cluster: &mut Cluster<Role>, judge: &mut Judge, end: Time) {
    let mut leaders = 0;
    while cluster.step_until(end, judge).is_some() {
        let elected = std::mem::replace(&mut leaders, judge.leaders().len()) < judge.leaders().len();
        if elected || cluster.events().is_multiple_of(LOOK) {
            judge.look(cluster);
        }
    }
    judge.look(cluster);
}

/// The whole life of a world.
pub(crate) fn run(seed: u64, wanted: Wanted) -> Judge {
    let (mut cluster, mut judge) = (World::draw(seed, wanted).begin(), Judge::default());
    finish(&mut cluster, &mut judge, END);
    judge
}

/// Three replicas (nodes 0 to 2) without faults, and a client for each list of orders.
pub(crate) fn small<const CLIENTS: usize>(orders: [Vec<Order>; CLIENTS], reads: Reads) -> World {
    let mut world = World::draw(0, Wanted { acks: Some(Acks::Majority), reads: Some(reads), ..Wanted::default() });
    world.play.plan.replicas = (0..3).map(NodeId).collect();
    world.play.plan.device = None;
    world.play.plan.snapshot_every = 5;
    world.play.cast = vec![Cast::Replica; 3];
    let script = |orders| Cast::Client(Script { orders, retry: Span::millis(60), patience: Span::secs(2) });
    world.play.cast.extend(orders.map(script));
    world.hardware = calm_hardware(3 + CLIENTS);
    world.faults = FaultPlan::none();
    world
}

/// Machines on which nothing goes wrong: latencies longer than an fsync, no losses, right clocks.
pub(crate) fn calm_hardware(nodes: usize) -> Hardware {
    let latency = Distribution::lognormal_p50_p99(4e6, 20e6).expect("the median is below the tail");
    let fsync = Distribution::exponential(1e6).expect("it is positive");
    Hardware::uniform(nodes, &Disk::plain(fsync), Link::plain(latency, 0.0, Transport::Udp))
}

fn scripts(draw: &mut Keyed) -> Vec<Script> {
    let mut latest = vec![None; KEYS as usize];
    let count = [40, 120, 200][below(draw, 3) as usize];
    let mut orders: Vec<(u64, u64)> =
        (0..count).map(|_| (below(draw, ORDERS), below(draw, u64::from(CLIENTS)))).collect();
    orders.sort_unstable();
    let script = Script { orders: Vec::new(), retry: Span::millis(60), patience: Span::millis(700) };
    let mut scripts = vec![script; CLIENTS as usize];
    for (value, (at, client)) in (1..).zip(orders) {
        let key = below(draw, KEYS);
        let operation = operation(key, draw.bits(), value, latest[key as usize]);
        if !operation.reads() {
            latest[key as usize] = Some(value);
        }
        scripts[client as usize].orders.push(Order { at: Time(at), operation });
    }
    // Everybody wants something when the faults are over.
    for (value, script) in (1_000..).zip(&mut scripts) {
        script.orders.push(Order { at: Time(ORDERS), operation: Operation::Write { key: 0, value } });
    }
    scripts
}

pub(crate) fn hardware(draw: &mut Keyed, nodes: usize, replicas: usize) -> Hardware {
    let transport = [Transport::Udp, Transport::Udp, Transport::Tcp][below(draw, 3) as usize];
    let latency = Distribution::lognormal_p50_p99(1e6, [3e6, 10e6, 60e6][below(draw, 3) as usize]);
    let loss = [0.0, 0.0, 0.02][below(draw, 3) as usize];
    let mut link = Link::plain(latency.expect("the median is below the tail"), loss, transport);
    link.duplicate = [0.0, 0.02][below(draw, 2) as usize];
    link.reorder = [0.0, 0.05][below(draw, 2) as usize];
    let fsync = Distribution::exponential([0.5e6, 2e6, 10e6][below(draw, 3) as usize]).expect("it is positive");
    let mut hardware = Hardware::uniform(nodes, &Disk::plain(fsync), link);
    let mut wrong = |node: &mut NodeHardware| {
        let (drift, offset) = (below(draw, 100_000_001) as i32 - 50_000_000, below(draw, 2_000_000_000) as i64);
        node.clock = Clock { drift, offset: offset - 1_000_000_000 };
    };
    hardware.nodes[..replicas].iter_mut().for_each(&mut wrong);
    hardware
}

pub(crate) fn faults(draw: &mut Keyed, replicas: &[NodeId]) -> Vec<Fault> {
    let of = || replicas.to_vec();
    let one = || vec![Target::Any { of: of(), count: 1 }];
    let apart = |sides, direction| FaultKind::Partition { sides, direction, wire: Wire::Drop };
    let halves = vec![vec![Target::Minority(of())], vec![Target::Others]];
    let crash = || FaultKind::Crash(Loses::USUAL);
    let at = |points: &[u32]| {
        let points = points.iter().map(|point| PointId(*point)).collect();
        Trigger::Point { points, of: None, nth: Distribution::int(1, 15).expect("it is a range") }
    };
    let window = Window { from: Time::ZERO, to: HEAL };
    let fault = |name: &str, kind, targets, trigger, length| Fault {
        name: name.to_owned(),
        kind,
        targets,
        trigger,
        window,
        length: Some(length),
        chance: 1.0,
        require_effect: false,
    };
    // Small rates as often as large ones.
    let mut rate = || Trigger::Rate([0.3, 0.6, 1.2, 2.5, 4.0][below(draw, 5) as usize]);
    let mut faults = vec![
        fault("crash", crash(), one(), rate(), millis(1, 600)),
        fault("blink", crash(), one(), rate(), millis(1, 30)),
        fault("pause", FaultKind::Pause, one(), rate(), millis(20, 900)),
        fault("alone", apart(Vec::new(), Direction::Both), one(), rate(), millis(50, 1500)),
        fault("deaf", apart(Vec::new(), Direction::In), one(), rate(), millis(50, 800)),
        fault("mute", apart(Vec::new(), Direction::Out), one(), rate(), millis(50, 800)),
        fault("halves", apart(halves, Direction::Both), Vec::new(), rate(), millis(50, 1500)),
        fault("loss", FaultKind::Loss { chance: 0.3, links: Vec::new() }, one(), rate(), millis(50, 1000)),
    ];
    let moments = [
        ("vote", 3, &[0, 1][..]),
        ("elected", 3, &[2]),
        ("entries", 3, &[3]),
        ("agreed", 3, &[4]),
        ("first", 6, &[6]),
        ("cut", 3, &[5]),
    ];
    for (name, times, points) in moments {
        for nth in 0..times {
            let targets = vec![Target::Same(of())];
            faults.push(fault(&format!("{name}{nth}"), crash(), targets, at(points), millis(1, 400)));
        }
    }
    // Elected, and at once cut off: a leader with an entry that nobody else has.
    for nth in 0..6 {
        let (kind, targets) = (apart(Vec::new(), Direction::Both), vec![Target::Same(of())]);
        faults.push(fault(&format!("usurper{nth}"), kind, targets, at(&[2]), millis(100, 800)));
    }
    // The clients still reach both sides.
    for (nth, one) in replicas.iter().enumerate() {
        let others = replicas.iter().filter(|other| *other != one).copied().collect();
        let sides = vec![vec![Target::All(vec![*one])], vec![Target::All(others)]];
        faults.push(fault(
            &format!("outcast{nth}"),
            apart(sides, Direction::Both),
            Vec::new(),
            Trigger::Rate(0.5),
            millis(50, 1500),
        ));
    }
    faults.retain(|_| below(draw, 2) == 0);
    faults
}
