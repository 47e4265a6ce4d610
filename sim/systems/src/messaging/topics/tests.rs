//! Topics in a hostile little world, and what a broker says to one reader.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec;
use alloc::vec::Vec;

use kernel::random::{Key, Keyed};
use kernel::{
    CellId, Delay, Delta, Digest, Distribution, Effect, Effects, FactKind, Frame, NodeId, PointId, Process, Sample,
    Span, Time,
};

use super::wire::Stand;
use super::{
    Cast, Commit, GroupPlan, Message, Mutant, Order, Output, Plan, Play, Record, Repeats, Role, Timer, TopicBroker,
    TopicPlan,
};
use crate::messaging::{Chance, Latency, Letter};

type Machine = Role<u64>;

const LETTERS: u64 = 60;
const PARTITIONS: u32 = 3;
const HEAL: Time = Time(2_000_000_000);
const END: Time = Time(20_000_000_000);
const PUBLISHED: CellId = CellId(0);
const LAG: CellId = CellId(1);

/// Node 0 is the broker, 1 the writer, 2 and 3 the readers.
fn play(commit: Commit, repeats: Repeats, mutant: Option<Mutant>, seed: u64) -> Play<u64> {
    let topic = TopicPlan { broker: NodeId(0), of: 0, partitions: PARTITIONS, repeats, published: Some(PUBLISHED) };
    let nodes = vec![NodeId(2), NodeId(3)];
    let group = GroupPlan { topic: 0, nodes, commit, batch: 4, lag: Some(LAG), age: None };
    let point = Some(PointId(0));
    let (topics, groups, patience) = (vec![topic], vec![group], Span::millis(200));
    let plan = Plan { topics, groups, patience, after_store_before_confirm: point, mutant };
    let mut chance = Key(seed).draw(9, 9, 9);
    let orders = (1..=LETTERS).map(|id| {
        let key = Some(chance.bits() % 7);
        let letter = Letter { id, operation: id, key, kind: None, priority: 0, from_queue: None, payload: id };
        Order { at: Time(chance.bits() % 1_500_000_000), topic: 0, letter }
    });
    let law = Distribution::exponential(10e6).expect("a length");
    let reader = || Cast::Reader { group: 0, work: Latency { law: law.clone(), key: Key(seed) } };
    let writer = Cast::Writer { orders: orders.collect(), patience: Span::millis(150) };
    Play { plan, cast: vec![Cast::Broker, writer, reader(), reader()] }
}

enum Event {
    Deliver { to: NodeId, from: NodeId, message: Message<u64> },
    Due { node: u32, epoch: u32, timer: Timer },
    Durable { node: u32, epoch: u32, upto: usize },
    Restart { node: u32 },
}

struct Host {
    process: Option<Machine>,
    epoch: u32,
    timers: BTreeMap<u64, (u64, u64)>,
    log: Vec<Record<u64>>,
    durable: usize,
    writing: bool,
    last_of_frame: BTreeMap<Frame, usize>,
    outbox: Vec<(usize, Effect<Machine>)>,
}

struct World<'a> {
    play: &'a Play<u64>,
    hosts: Vec<Host>,
    queue: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    now: Time,
    chance: Keyed,
    told: BTreeMap<(CellId, u64), i64>,
    /// Letters worked off, in order, over all lives.
    worked: Vec<u64>,
}

struct Step<'a, 'b> {
    world: &'a mut World<'b>,
    node: u32,
    frame: Frame,
    wakes: VecDeque<Timer>,
}

impl<'b> World<'b> {
    fn run(play: &'b Play<u64>, seed: u64) -> Self {
        let (chance, told) = (Key(seed).draw(1, 2, 3), BTreeMap::new());
        let hosts = (0..play.cast.len() as u32).map(|node| Host::new(play, node, 0, Vec::new())).collect();
        let (queue, worked) = (BTreeMap::new(), Vec::new());
        let mut world = World { play, hosts, queue, sequence: 0, now: Time::ZERO, chance, told, worked };
        (0..play.cast.len() as u32).for_each(|node| world.start(node));
        while let Some(((time, _), event)) = world.queue.pop_first() {
            world.now = Time(time);
            if world.now > END {
                break;
            }
            if world.strikes(100) {
                let victim = [0, 2, 3][(world.chance.bits() % 3) as usize];
                world.crash(victim);
            }
            world.handle(event);
        }
        world
    }

    fn push(&mut self, after: u64, event: Event) -> (u64, u64) {
        self.sequence += 1;
        let key = (self.now.0 + after, self.sequence);
        self.queue.insert(key, event);
        key
    }

    fn strikes(&mut self, n: u64) -> bool {
        self.now < HEAL && self.chance.bits().is_multiple_of(n)
    }

    fn start(&mut self, node: u32) {
        let log = self.hosts[node as usize].log.clone();
        self.step(node, |machine, play, now, out| machine.on_start(play, now, &log, out));
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Deliver { to, from, message } => {
                self.step(to.0, |machine, play, now, out| machine.on_message(play, now, from, message, out));
            }
            Event::Due { node, epoch, timer } => {
                let host = &mut self.hosts[node as usize];
                if host.epoch == epoch {
                    host.timers.remove(&timer.digest());
                    self.step(node, |machine, play, now, out| machine.on_timer(play, now, timer, out));
                }
            }
            Event::Durable { node, epoch, upto } => {
                let host = &mut self.hosts[node as usize];
                if host.epoch == epoch {
                    (host.durable, host.writing) = (upto, false);
                    let waiting = core::mem::take(&mut host.outbox);
                    let (free, wait): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(need, _)| *need <= upto);
                    host.outbox = wait;
                    self.step(node, |_, _, _, step| free.into_iter().for_each(|(_, effect)| step.perform(effect)));
                }
            }
            Event::Restart { node } => {
                let host = &mut self.hosts[node as usize];
                if host.process.is_none() {
                    let log = core::mem::take(&mut host.log);
                    *host = Host::new(self.play, node, host.epoch, log);
                    self.start(node);
                }
            }
        }
    }

    fn step(&mut self, node: u32, go: impl FnOnce(&mut Machine, &Play<u64>, Time, &mut Step<'_, 'b>)) {
        let Some(mut machine) = self.hosts[node as usize].process.take() else { return };
        let worked = |machine: &Machine| match machine {
            Role::Reader(reader) => reader.worked().to_vec(),
            Role::Broker(..) | Role::Writer(_) => Vec::new(),
        };
        let before = worked(&machine).len();
        let (play, now) = (self.play, self.now);
        let mut step = Step { world: self, node, frame: Frame(0), wakes: VecDeque::new() };
        go(&mut machine, play, now, &mut step);
        while let Some(timer) = step.wakes.pop_front() {
            step.frame = Frame(0);
            machine.on_timer(play, now, timer, &mut step);
        }
        self.worked.extend(&worked(&machine)[before..]);
        let host = &mut self.hosts[node as usize];
        host.process = Some(machine);
        if host.durable < host.log.len() && !host.writing {
            host.writing = true;
            let (epoch, upto) = (host.epoch, host.log.len());
            let after = 500_000 + self.chance.bits() % 4_000_000;
            self.push(after, Event::Durable { node, epoch, upto });
        }
    }

    fn crash(&mut self, node: u32) {
        let host = &mut self.hosts[node as usize];
        if host.process.take().is_none() {
            return;
        }
        host.epoch += 1;
        host.log.truncate(host.durable);
        host.outbox.clear();
        host.timers.clear();
        let after = self.chance.bits() % 200_000_000;
        self.push(after, Event::Restart { node });
    }

    fn confirmed(&self) -> BTreeSet<u64> {
        let Some(Role::Writer(writer)) = &self.hosts[1].process else { panic!("node 1 writes") };
        writer.told().collect()
    }

    /// What was broken of: everything ends, nothing confirmed is lost, and no letter is worked off twice.
    fn broken(&self) -> BTreeSet<&'static str> {
        let mut broken = BTreeSet::new();
        if self.hosts.iter().any(|host| host.process.as_ref().is_none_or(|machine| machine.unfinished() > 0)) {
            broken.insert("everything_ends");
        }
        let worked: BTreeSet<u64> = self.worked.iter().copied().collect();
        if !self.confirmed().is_subset(&worked) {
            broken.insert("no_loss");
        }
        if worked.len() < self.worked.len() {
            broken.insert("at_most_once");
        }
        let published = |partition| self.told.get(&(PUBLISHED, partition)).copied().unwrap_or(0);
        let of_log = self.hosts[0].log.iter().filter(|record| matches!(record, Record::Appended { .. })).count() as i64;
        assert_eq!(
            (0..u64::from(PARTITIONS)).map(published).sum::<i64>(),
            of_log,
            "observers were told of every letter"
        );
        broken
    }

    /// The first time each letter was worked off must follow the order of its log.
    fn keeps_order(&self) -> bool {
        let first = |id: &u64| self.worked.iter().position(|worked| worked == id);
        let mut last: BTreeMap<u32, usize> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        self.hosts[0].log.iter().all(|record| match record {
            Record::Appended { partition, letter, .. } if seen.insert(letter.id) => {
                let Some(at) = first(&letter.id) else { return true };
                last.insert(*partition, at).is_none_or(|before| before < at)
            }
            Record::Appended { .. } | Record::Committed { .. } => true,
        })
    }
}

impl Host {
    fn new(play: &Play<u64>, node: u32, epoch: u32, log: Vec<Record<u64>>) -> Self {
        let process = Some(Machine::boot(play, NodeId(node)));
        let durable = log.len();
        let (timers, last_of_frame, outbox) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { process, epoch, timers, log, durable, writing: false, last_of_frame, outbox }
    }
}

impl Step<'_, '_> {
    fn behind_barrier(&mut self, effect: Effect<Machine>) {
        let host = &mut self.world.hosts[self.node as usize];
        let need = host.last_of_frame.get(&self.frame).copied().unwrap_or(0);
        if need > host.durable { host.outbox.push((need, effect)) } else { self.perform(effect) }
    }

    fn perform(&mut self, effect: Effect<Machine>) {
        match effect {
            Effect::Send(to, message) => {
                let from = NodeId(self.node);
                let copies = if self.world.strikes(15) { self.world.chance.bits() % 3 } else { 1 };
                for _ in 0..copies {
                    let after = 1_000_000 + self.world.chance.bits() % 15_000_000;
                    self.world.push(after, Event::Deliver { to, from, message: message.clone() });
                }
            }
            Effect::Wake(timer) => self.wakes.push_back(timer),
            Effect::Point(..)
            | Effect::Output(_)
            | Effect::Fact(..)
            | Effect::Frame(_)
            | Effect::SetTimer(..)
            | Effect::CancelTimer(_)
            | Effect::Work(..)
            | Effect::Persist(_)
            | Effect::Note(_)
            | Effect::Measure(_)
            | Effect::Disturbed(_) => {}
        }
    }
}

impl Effects<Machine> for Step<'_, '_> {
    fn frame(&mut self, frame: Frame) {
        self.frame = frame;
    }
    fn send(&mut self, to: NodeId, message: Message<u64>) {
        self.behind_barrier(Effect::Send(to, message));
    }
    fn set_timer(&mut self, timer: Timer, after: Delay) {
        self.cancel_timer(timer);
        let Delay::Fixed(after) = after else { unreachable!("nobody draws delays here") };
        let (node, epoch) = (self.node, self.world.hosts[self.node as usize].epoch);
        let key = self.world.push(after.0, Event::Due { node, epoch, timer });
        self.world.hosts[node as usize].timers.insert(timer.digest(), key);
    }
    fn cancel_timer(&mut self, timer: Timer) {
        if let Some(key) = self.world.hosts[self.node as usize].timers.remove(&timer.digest()) {
            self.world.queue.remove(&key);
        }
    }
    fn work(&mut self, _: Timer, _: Span) {
        unreachable!("nobody uses a processor here")
    }
    fn persist(&mut self, record: Record<u64>) {
        let host = &mut self.world.hosts[self.node as usize];
        host.log.push(record);
        host.last_of_frame.insert(self.frame, host.log.len());
    }
    fn wake(&mut self, timer: Timer) {
        self.behind_barrier(Effect::Wake(timer));
    }
    fn output(&mut self, output: Output) {
        match output {}
    }
    fn fact(&mut self, _: u32, _: u64, _: FactKind) {}
    fn point(&mut self, _: PointId, _: u32) {}
    fn note(&mut self, change: &[Delta]) {
        for delta in change {
            let told = self.world.told.insert((delta.cell, delta.key), delta.after).unwrap_or(0);
            assert!(delta.before == told || delta.before == delta.after, "{delta:?}, told {told}");
            assert!(delta.after >= 0);
        }
    }
    fn measure(&mut self, _: Sample) {}
    fn disturbed(&mut self, _: u32) {}
}

#[test]
fn committed_after_it_is_at_least_once_and_before_it_at_most_once() {
    let (mut twice, mut lost, mut again) = (0, 0, 0);
    for seed in 0..500 {
        let repeats = if seed % 2 == 0 { Repeats::Recognised } else { Repeats::Stored };
        let after = play(Commit::After, repeats, None, seed);
        let world = World::run(&after, seed);
        let broken = world.broken();
        assert!(broken.is_subset(&BTreeSet::from(["at_most_once"])), "after, seed {seed}: {broken:?}");
        assert!(world.keeps_order(), "seed {seed}");
        twice += broken.len();
        let appended = world.hosts[0].log.iter().filter(|record| matches!(record, Record::Appended { .. })).count();
        assert!(repeats == Repeats::Stored || appended == LETTERS as usize, "seed {seed}: each is there once");
        again += appended - LETTERS as usize;
        let before = play(Commit::Before, Repeats::Recognised, None, seed);
        let world = World::run(&before, seed);
        let broken = world.broken();
        assert!(broken.is_subset(&BTreeSet::from(["no_loss"])), "before, seed {seed}: {broken:?}");
        lost += broken.len();
    }
    assert!(twice > 100 && lost > 100 && again > 100, "a quiet world shows nothing: {twice}, {lost}, {again}");
}

#[test]
fn every_mutant_of_a_log_broker_breaks_its_promise() {
    for (mutant, name, promise) in Mutant::ALL {
        assert_eq!(Mutant::named(name), Some(mutant));
        let caught = (0..300).any(|seed| {
            let play = play(Commit::After, Repeats::Stored, Some(mutant), seed);
            World::run(&play, seed).broken().contains(promise)
        });
        assert!(caught, "{name}");
    }
}

#[test]
fn partitions_are_dealt_out_and_a_key_stays_in_one() {
    let play = play(Commit::After, Repeats::Stored, None, 1);
    let of = |node| play.plan.partitions_of(0, NodeId(node)).collect::<Vec<_>>();
    assert_eq!((of(2), of(3), of(4)), (vec![0, 2], vec![1], vec![]));
    let letter = |id, key| Letter { id, operation: id, key, kind: None, priority: 0, from_queue: None, payload: 0 };
    let topic = &play.plan.topics[0];
    assert!((0..100).all(|key| topic.partition(&letter(1, Some(key))) == topic.partition(&letter(2, Some(key)))));
    let mut counts = [0; PARTITIONS as usize];
    (0..3000).for_each(|id| counts[topic.partition(&letter(id, None)) as usize] += 1);
    assert!(counts.iter().all(|count| (870..1130).contains(count)), "five standard deviations are 129: {counts:?}");
}

/// What the broker says to one reader that asks for everything, while a fault strikes this share of 2⁶⁴ draws.
fn handed(threshold: Option<u64>) -> (u64, Vec<u64>, usize) {
    let play = play(Commit::After, Repeats::Recognised, None, 3);
    let plan = Plan { groups: vec![GroupPlan { batch: 1_000, ..play.plan.groups[0].clone() }], ..play.plan };
    let mut broker = TopicBroker::new(&plan, NodeId(0));
    let letter =
        |id| Letter { id, operation: id, key: Some(1), kind: None, priority: 0, from_queue: None, payload: id };
    let partition = plan.topics[0].partition(&letter(1));
    let time = Time::ZERO;
    let log: Vec<_> = (1..=400).map(|id| Record::Appended { topic: 0, partition, letter: letter(id), time }).collect();
    broker.start(&plan, time, &log, &mut Vec::new());
    broker.trouble(0, threshold.map(|threshold| Chance { key: Key(4), threshold, instance: 7 }));
    let at = Stand { group: 0, partition, node: NodeId(2), life: time, turn: 1 };
    let mut out: Vec<Effect<Machine>> = Vec::new();
    broker.on_message(&plan, time, NodeId(2), Message::Fetch { at, from: None }, &mut out);
    let struck = out.iter().filter(|effect| matches!(effect, Effect::Disturbed(7))).count();
    let answer = out.into_iter().find_map(|effect| {
        let Effect::Send(_, Message::Fetched { next, letters, .. }) = effect else { return None };
        Some((next, letters))
    });
    let (next, letters) = answer.expect("there is something to read");
    (next, letters.into_iter().map(|letter| letter.id).collect(), struck)
}

#[test]
fn a_fault_hands_a_share_of_a_topics_letters_over_twice_behind_their_batch() {
    let all: Vec<u64> = (1..=400).collect();
    assert_eq!(handed(None), (400, all.clone(), 0));
    let (next, letters, struck) = handed(Some(u64::MAX));
    assert_eq!((next, struck), (400, 400), "copies move no offset");
    assert_eq!(letters, [all.clone(), all.clone()].concat());
    let (next, letters, struck) = handed(Some(u64::MAX / 4));
    assert_eq!((next, &letters[..400]), (400, &all[..]));
    assert!((65..135).contains(&struck) && letters.len() == 400 + struck, "{struck}: four standard deviations are 35");
    assert!(letters[400..].is_sorted());
}
