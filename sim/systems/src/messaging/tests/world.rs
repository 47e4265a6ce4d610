//! A little world of brokers, publishers and workers that knows no more than the contract in `kernel::process`. Until the
//! heal it is as hostile as it is told: messages are lost, doubled and overtaken, machines crash between any two events and
//! at named moments, and come back. (The real hardware is crate `cluster`.)

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::rc::Rc;
use alloc::vec::Vec;

use kernel::random::{Key, Keyed};
use kernel::{
    CellId, Delay, Delta, Digest, Effect, Effects, FactKind, Frame, NodeId, PointId, Process, Sample, SeriesId, Span,
    Time,
};

use super::desk::identity_error;
use crate::messaging::{
    Chance, Durability, End, Figure, Message, Ordering, Output, Place, Play, Record, Role, Settlement, Tag, Timer,
    Trouble, Verdict,
};

type Machine = Role<u64>;

/// What happens until the heal, and how long anything takes.
#[derive(Clone, Copy)]
pub(super) struct Climate {
    pub(super) hostile: bool,
    pub(super) heal: Time,
    pub(super) end: Time,
}

enum Event {
    Deliver { to: NodeId, from: NodeId, message: Message<u64> },
    Due { node: u32, epoch: u32, timer: Timer },
    Durable { node: u32, epoch: u32, upto: usize },
    Restart { node: u32 },
    ConnectionLost { of: NodeId },
    Heal,
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

/// Node 0 is the broker.
pub(super) struct World {
    pub(super) play: Rc<Play<u64>>,
    climate: Climate,
    hosts: Vec<Host>,
    queue: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    pub(super) now: Time,
    chance: Keyed,
    /// Last value told, by cell.
    told: BTreeMap<CellId, i64>,
    pub(super) broken: BTreeSet<&'static str>,
    /// Sum and number of samples.
    pub(super) samples: BTreeMap<SeriesId, (u128, u64)>,
    /// How often each message was sent, and under which tag last.
    sent: BTreeMap<Place, (u32, Tag)>,
    acknowledged: BTreeSet<Tag>,
    /// Letters that a worker has done, by queue.
    pub(super) worked: BTreeSet<(u32, u64)>,
    pub(super) crashes: u64,
}

/// One step: effects are collected behind the barrier of their frame, as `kernel::process` says.
struct Step<'a> {
    world: &'a mut World,
    node: u32,
    frame: Frame,
    crashed: bool,
    wakes: VecDeque<Timer>,
}

impl World {
    pub(super) fn new(play: Play<u64>, climate: Climate, seed: u64) -> Self {
        let play = Rc::new(play);
        let nodes = play.cast.len() as u32;
        let hosts = (0..nodes).map(|node| Host::new(&play, NodeId(node), 0, Vec::new())).collect();
        let mut world = Self {
            play,
            climate,
            hosts,
            queue: BTreeMap::new(),
            sequence: 0,
            now: Time::ZERO,
            chance: Key(seed).draw(1, 2, 3),
            told: BTreeMap::new(),
            broken: BTreeSet::new(),
            samples: BTreeMap::new(),
            sent: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            worked: BTreeSet::new(),
            crashes: 0,
        };
        (0..nodes).for_each(|node| world.start(node));
        world.push(climate.heal.0, Event::Heal);
        world
    }

    pub(super) fn process(&self, node: u32) -> &Machine {
        self.hosts[node as usize].process.as_ref().expect("it is up")
    }

    fn push(&mut self, after: u64, event: Event) -> (u64, u64) {
        self.sequence += 1;
        let key = (self.now.0 + after, self.sequence);
        self.queue.insert(key, event);
        key
    }

    /// True once in `n` times, before the heal.
    fn strikes(&mut self, n: u64) -> bool {
        self.climate.hostile && self.now < self.climate.heal && self.chance.bits().is_multiple_of(n)
    }

    fn start(&mut self, node: u32) {
        let log = self.hosts[node as usize].log.clone();
        self.step(node, |machine, play, now, out| machine.on_start(play, now, &log, out));
        let troubled = self.climate.hostile && self.now < self.climate.heal;
        self.trouble(troubled.then_some(Chance { key: Key(5), threshold: u64::MAX / 20, instance: 0 }));
    }

    fn trouble(&mut self, chance: Option<Chance>) {
        if let Some(Role::Broker(broker)) = &mut self.hosts[0].process {
            for queue in 0..self.play.plan.queues.len() as u32 {
                broker.trouble(queue, Trouble::Redeliver, chance);
                broker.trouble(queue, Trouble::LostAck, chance);
            }
        }
    }

    pub(super) fn run(&mut self) {
        while let Some(((time, _), event)) = self.queue.pop_first() {
            self.now = Time(time);
            if self.now > self.climate.end {
                return;
            }
            if self.strikes(150) {
                // All but the publisher, who remembers what it was told.
                let victim = self.chance.bits() % self.hosts.len() as u64;
                self.crash(if victim == 1 { 0 } else { victim as u32 });
            }
            self.handle(event);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Deliver { to, from, message } => {
                if let Message::Settle { tag, how: Settlement::Ack, .. } = &message {
                    self.acknowledged.insert(*tag);
                }
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
                    host.durable = upto;
                    host.writing = false;
                    self.flush(node);
                }
            }
            Event::Restart { node } => {
                let host = &mut self.hosts[node as usize];
                if host.process.is_none() {
                    let log = core::mem::take(&mut host.log);
                    *host = Host::new(&self.play, NodeId(node), host.epoch, log);
                    self.start(node);
                }
            }
            Event::ConnectionLost { of } => self.step(0, |machine, play, now, out| {
                if let Role::Broker(broker) = machine {
                    broker.consumer_gone(&play.plan, now, of, out);
                }
            }),
            Event::Heal => self.trouble(None),
        }
    }

    fn step(&mut self, node: u32, go: impl FnOnce(&mut Machine, &Play<u64>, Time, &mut Step<'_>)) {
        let Some(mut machine) = self.hosts[node as usize].process.take() else { return };
        let (play, now) = (self.play.clone(), self.now);
        let mut step = Step { world: self, node, frame: Frame(0), crashed: false, wakes: VecDeque::new() };
        go(&mut machine, &play, now, &mut step);
        while let Some(timer) = step.wakes.pop_front() {
            if !step.crashed {
                step.frame = Frame(0);
                machine.on_timer(&play, now, timer, &mut step);
            }
        }
        let crashed = step.crashed;
        self.hosts[node as usize].process = Some(machine);
        if crashed {
            self.crash(node);
        } else {
            self.write(node);
        }
    }

    /// Begins the next write if there is something to write. Writes that wait share it.
    fn write(&mut self, node: u32) {
        let host = &mut self.hosts[node as usize];
        if host.durable < host.log.len() && !host.writing {
            host.writing = true;
            let (epoch, upto) = (host.epoch, host.log.len());
            let after = if self.climate.hostile { 500_000 + self.chance.bits() % 4_000_000 } else { 0 };
            self.push(after, Event::Durable { node, epoch, upto });
        }
    }

    /// Releases what waited for the records that are durable now.
    fn flush(&mut self, node: u32) {
        let host = &mut self.hosts[node as usize];
        let durable = host.durable;
        let (free, wait): (Vec<_>, Vec<_>) =
            core::mem::take(&mut host.outbox).into_iter().partition(|(need, _)| *need <= durable);
        host.outbox = wait;
        self.step(node, |_, _, _, step| free.into_iter().for_each(|(_, effect)| step.perform(effect)));
    }

    fn crash(&mut self, node: u32) {
        let host = &mut self.hosts[node as usize];
        let Some(machine) = &host.process else { return };
        let mut lost = Vec::new();
        machine.volatile_cells(&self.play, &mut |cell, _, _| lost.push(cell));
        self.crashes += 1;
        host.epoch += 1;
        host.process = None;
        host.log.truncate(host.durable);
        host.writing = false;
        host.outbox.clear();
        host.timers.clear();
        self.told.extend(lost.into_iter().map(|cell| (cell, 0)));
        self.look();
        let after = self.chance.bits() % 200_000_000;
        self.push(after, Event::Restart { node });
        if self.strikes(2) {
            let after = self.chance.bits() % 100_000_000;
            self.push(after, Event::ConnectionLost { of: NodeId(node) });
        }
    }

    /// The identity, after every change.
    fn look(&mut self) {
        for rules in &self.play.plan.queues {
            let of = |figure| rules.cells.of(figure).and_then(|cell| self.told.get(&cell)).copied().unwrap_or(0);
            if identity_error(of) != 0 || of(Figure::Depth) != of(Figure::Ready) + of(Figure::InFlight) {
                self.broken.insert("identity");
            }
        }
    }

    /// A delivery leaves the broker: is it allowed to?
    fn delivers(&mut self, tag: Tag, key: Option<u64>) {
        let rules = &self.play.plan.queues[tag.queue as usize];
        if rules.durability == Durability::Transient {
            // After a restart it counts anew, and a number means another message.
            return;
        }
        let place = Place { queue: tag.queue, number: tag.number };
        let sent = self.sent.entry(place).or_insert((0, tag));
        *sent = (sent.0 + 1, tag);
        if rules.max_deliveries.is_some_and(|most| sent.0 > most) {
            self.broken.insert("max_deliveries");
        }
        if rules.ordering == Ordering::PerKey && !self.before_are_gone(place, key) {
            self.broken.insert("one_of_a_key_at_a_time");
        }
    }

    /// Whether every message of this key that stood before it left, for good, and not behind the back of who had it.
    fn before_are_gone(&self, place: Place, key: Option<u64>) -> bool {
        let host = &self.hosts[0];
        let mut open = BTreeSet::new();
        for record in &host.log[..host.durable] {
            match record {
                Record::Stored { letter, places, from, .. } => {
                    let before = |other: &&Place| other.queue == place.queue && other.number < place.number;
                    open.extend(places.iter().filter(|other| letter.key == key && before(other)));
                    open.retain(|other| Some(*other) != *from);
                }
                Record::Gone { place, end: End::Acknowledged } => {
                    if self.sent.get(place).is_none_or(|(_, tag)| self.acknowledged.contains(tag)) {
                        open.remove(place);
                    }
                }
                Record::Gone { place, .. } => drop(open.remove(place)),
                Record::Delivered { .. } => {}
            }
        }
        open.is_empty()
    }

    /// What every publisher was told.
    pub(super) fn verdicts(&self) -> BTreeMap<u64, Verdict> {
        let told = |host: &Host| match &host.process {
            Some(Role::Publisher(publisher)) => publisher.told().clone(),
            Some(Role::Broker(_) | Role::Worker(_)) | None => BTreeMap::new(),
        };
        self.hosts.iter().flat_map(told).collect()
    }

    pub(super) fn unfinished(&self) -> u64 {
        self.hosts.iter().map(|host| host.process.as_ref().map_or(1, Process::unfinished)).sum()
    }
}

impl Host {
    fn new(play: &Play<u64>, me: NodeId, epoch: u32, log: Vec<Record<u64>>) -> Self {
        let process = Some(Machine::boot(play, me));
        let durable = log.len();
        let (timers, last_of_frame, outbox) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { process, epoch, timers, log, durable, writing: false, last_of_frame, outbox }
    }
}

impl Step<'_> {
    fn behind_barrier(&mut self, effect: Effect<Machine>) {
        if self.crashed {
            return;
        }
        let host = &mut self.world.hosts[self.node as usize];
        let need = host.last_of_frame.get(&self.frame).copied().unwrap_or(0);
        if need > host.durable {
            host.outbox.push((need, effect));
        } else {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect<Machine>) {
        if self.crashed {
            return;
        }
        let from = NodeId(self.node);
        match effect {
            Effect::Send(to, message) => {
                match &message {
                    Message::Deliver { tag, copy: 0, letter, .. } => self.world.delivers(*tag, letter.key),
                    Message::Settle { tag, operation, how: Settlement::Ack } => {
                        self.world.worked.insert((tag.queue, *operation));
                    }
                    Message::Deliver { .. }
                    | Message::Settle { .. }
                    | Message::Publish { .. }
                    | Message::Published { .. }
                    | Message::Subscribe { .. }
                    | Message::Hello { .. } => {}
                }
                let copies = if self.world.strikes(20) { self.world.chance.bits() % 3 } else { 1 };
                for _ in 0..copies {
                    let hostile = self.world.climate.hostile;
                    let after = if hostile { 1_000_000 + self.world.chance.bits() % 15_000_000 } else { 0 };
                    self.world.push(after, Event::Deliver { to, from, message: message.clone() });
                }
            }
            Effect::Wake(timer) => self.wakes.push_back(timer),
            Effect::Point(..) => self.crashed = self.world.strikes(100),
            Effect::Output(_)
            | Effect::Fact(..)
            | Effect::Frame(_)
            | Effect::SetTimer(..)
            | Effect::CancelTimer(_)
            | Effect::Work(..)
            | Effect::Persist(_)
            | Effect::Note(_)
            | Effect::Measure(_)
            | Effect::Disturbed(_) => unreachable!("not behind the barrier, or not said here"),
        }
    }
}

impl Effects<Machine> for Step<'_> {
    fn frame(&mut self, frame: Frame) {
        self.frame = frame;
    }
    fn send(&mut self, to: NodeId, message: Message<u64>) {
        self.behind_barrier(Effect::Send(to, message));
    }
    fn set_timer(&mut self, timer: Timer, after: Delay) {
        self.cancel_timer(timer);
        let Delay::Fixed(after) = after else { unreachable!("a broker draws its own delays") };
        let (node, epoch) = (self.node, self.world.hosts[self.node as usize].epoch);
        let key = self.world.push(after.0, Event::Due { node, epoch, timer });
        self.world.hosts[node as usize].timers.insert(timer.digest(), key);
    }
    fn cancel_timer(&mut self, timer: Timer) {
        if let Some(key) = self.world.hosts[self.node as usize].timers.remove(&timer.digest()) {
            self.world.queue.remove(&key);
        }
    }
    fn work(&mut self, _done: Timer, _demand: Span) {
        unreachable!("a broker uses no processor")
    }
    fn persist(&mut self, record: Record<u64>) {
        if !self.crashed {
            let host = &mut self.world.hosts[self.node as usize];
            host.log.push(record);
            host.last_of_frame.insert(self.frame, host.log.len());
        }
    }
    fn wake(&mut self, timer: Timer) {
        self.behind_barrier(Effect::Wake(timer));
    }
    fn output(&mut self, output: Output) {
        match output {}
    }
    fn fact(&mut self, _protocol: u32, _instance: u64, _kind: FactKind) {
        unreachable!("a broker states no facts")
    }
    fn point(&mut self, point: PointId, of: u32) {
        self.behind_barrier(Effect::Point(point, of));
    }
    fn note(&mut self, change: &[Delta]) {
        if self.crashed {
            return;
        }
        for delta in change {
            let before = self.world.told.insert(delta.cell, delta.after).unwrap_or(0);
            assert!(delta.before == before || delta.before == delta.after, "{delta:?}, told {before}");
        }
        self.world.look();
    }
    fn measure(&mut self, sample: Sample) {
        let (sum, count) = self.world.samples.entry(sample.series).or_default();
        (*sum, *count) = (*sum + u128::from(sample.value.0), *count + 1);
    }
    fn disturbed(&mut self, _: u32) {}
}
