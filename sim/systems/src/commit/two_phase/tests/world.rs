//! A hostile little world: messages are lost, doubled and overtaken, machines crash between any two events and at named
//! moments, and come back. The honest protocol keeps its promises in it, and every mutant breaks the promise it is
//! named with. (The real hardware is crate `cluster`; this one knows no more than the contract in `kernel::process`.)

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;

use kernel::random::{Key, Keyed};
use kernel::{Delay, Delta, Digest, Effect, Effects, FactKind, Frame, NodeId, PointId, Process, Sample, Span, Time};

use super::bank::{Bank, COORDINATOR, Transfer, kind, plan};
use crate::commit::two_phase::{
    Cast, Kind, Locks, Message, Mutant, Order, Output, Plan, Play, Presumption, ReadOnly, Record, Recovery, Role, Timer,
};
use crate::locks::Deadlock;

type Machine = Role<Bank>;

const BANKS: u32 = 3;
const ACCOUNTS: u64 = 6;
const BALANCE: i64 = 12;
const ORDERS: u64 = 50;
const HEAL: Time = Time(2_000_000_000);
const END: Time = Time(20_000_000_000);

enum Event {
    Deliver { to: NodeId, from: NodeId, message: Message<Transfer> },
    Due { node: u32, epoch: u32, timer: Timer },
    Durable { node: u32, epoch: u32, upto: usize },
    Restart { node: u32 },
}

struct Host {
    process: Option<Machine>,
    epoch: u32,
    timers: BTreeMap<u64, (u64, u64)>,
    log: Vec<Record<Transfer>>,
    durable: usize,
    writing: bool,
    last_of_frame: BTreeMap<Frame, usize>,
    outbox: Vec<(usize, Effect<Machine>)>,
}

struct World {
    play: Rc<Play<Bank>>,
    hosts: Vec<Host>,
    queue: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    now: Time,
    chance: Keyed,
    facts: Vec<(NodeId, u64, FactKind)>,
    overdrawn: bool,
    /// What observers believe of the rows: last value told.
    told: BTreeMap<(u32, u64), i64>,
    /// The same of levels, by cell and node; zeros are left out.
    levels: BTreeMap<(u32, u64), i64>,
}

/// What is known of one transaction.
#[derive(Default)]
struct History {
    participants: usize,
    ends: BTreeSet<bool>,
    ready: BTreeSet<NodeId>,
    readers: BTreeSet<NodeId>,
    applied: BTreeSet<NodeId>,
}

impl History {
    fn broken(&self, open: bool) -> bool {
        let commit = self.ends.contains(&true);
        let unasked = self.ready.len() + self.readers.len() < self.participants;
        let half_done = !open && !self.ready.is_subset(&self.applied);
        self.ends.len() > 1 || (commit && (unasked || half_done))
    }
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
    fn new(kind: Kind, seed: u64) -> Self {
        let mut chance = Key(seed).draw(1, 2, 3);
        let orders = orders(&mut chance);
        let bank = |node| Bank { cell: node, accounts: vec![BALANCE; ACCOUNTS as usize] };
        let mut cast = vec![Cast::Client { orders, patience: Span::secs(3) }, Cast::Coordinator];
        cast.extend((0..BANKS).map(|n| Cast::Participant(bank(n + 2))));
        let play = Rc::new(Play { plan: Plan { remembered: 4096, ..plan(kind) }, cast });
        let hosts = (0..BANKS + 2).map(|node| Host::new(&play, NodeId(node), 0, Vec::new())).collect();
        let (queue, facts, told, levels) = (BTreeMap::new(), Vec::new(), BTreeMap::new(), BTreeMap::new());
        let mut world =
            Self { play, hosts, queue, sequence: 0, now: Time::ZERO, chance, facts, overdrawn: false, told, levels };
        (0..BANKS + 2).for_each(|node| world.start(node));
        world
    }

    fn push(&mut self, after: u64, event: Event) -> (u64, u64) {
        self.sequence += 1;
        let key = (self.now.0 + after, self.sequence);
        self.queue.insert(key, event);
        key
    }

    /// True once in `n` times, before the heal.
    fn strikes(&mut self, n: u64) -> bool {
        self.now < HEAL && self.chance.bits().is_multiple_of(n)
    }

    fn start(&mut self, node: u32) {
        let log = self.hosts[node as usize].log.clone();
        self.step(node, |machine, play, now, out| machine.on_start(play, now, &log, out));
    }

    fn run(&mut self) {
        while let Some(((time, _), event)) = self.queue.pop_first() {
            self.now = Time(time);
            if self.now > END {
                return;
            }
            if self.strikes(300) {
                let victim = 1 + (self.chance.bits() % u64::from(BANKS + 1)) as u32;
                self.crash(victim);
            }
            self.handle(event);
        }
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
        }
    }

    fn step(&mut self, node: u32, go: impl FnOnce(&mut Machine, &Play<Bank>, Time, &mut Step<'_>)) {
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
        if step.crashed {
            self.crash(node);
        } else {
            self.hosts[node as usize].process = Some(machine);
            self.write(node);
        }
    }

    /// Begins the next write if there is something to write. Writes that wait share it.
    fn write(&mut self, node: u32) {
        let host = &mut self.hosts[node as usize];
        if host.durable < host.log.len() && !host.writing {
            host.writing = true;
            let (epoch, upto) = (host.epoch, host.log.len());
            let after = 500_000 + self.chance.bits() % 4_000_000;
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
        let told = self.levels_of(node);
        if let Some(machine) = &self.hosts[node as usize].process {
            let mut lost = BTreeMap::new();
            machine.volatile_cells(&self.play, &mut |cell, key, value| lost.extend([((cell.0, key), value)]));
            assert_eq!(lost, told, "what a crash sets back is what was told");
        }
        self.levels.retain(|level, _| !told.contains_key(level));
        let host = &mut self.hosts[node as usize];
        host.epoch += 1;
        host.process = None;
        host.log.truncate(host.durable);
        host.outbox.clear();
        host.timers.clear();
        let longest = if NodeId(node) == COORDINATOR { 400_000_000 } else { 40_000_000 };
        let after = self.chance.bits() % longest;
        self.push(after, Event::Restart { node });
    }

    fn levels_of(&self, node: u32) -> BTreeMap<(u32, u64), i64> {
        self.levels
            .iter()
            .filter(|((_, key), _)| *key == u64::from(node))
            .map(|(level, value)| (*level, *value))
            .collect()
    }

    fn histories(&self) -> BTreeMap<u64, History> {
        let mut all: BTreeMap<u64, History> = BTreeMap::new();
        for (node, id, kind) in &self.facts {
            let history = all.entry(*id).or_default();
            match *kind {
                FactKind::Begun { participants } => history.participants = participants as usize,
                FactKind::Decided { commit } | FactKind::Told { commit } => drop(history.ends.insert(commit)),
                FactKind::Applied { commit } => {
                    history.ends.insert(commit);
                    history.applied.insert(*node);
                }
                FactKind::Voted { yes: true } => drop(history.ready.insert(*node)),
                FactKind::VotedReadOnly => drop(history.readers.insert(*node)),
                FactKind::Voted { yes: false } | FactKind::Crashed | FactKind::Recovered => {}
                FactKind::Saga(_) | FactKind::Leads { .. } | FactKind::StoodDown => {
                    unreachable!("no sagas or leaders here")
                }
            }
        }
        all
    }

    /// The promises that do not hold.
    fn broken(&self) -> BTreeSet<&'static str> {
        let mut broken = BTreeSet::new();
        let open = self.hosts.iter().any(|host| host.process.as_ref().is_none_or(|machine| machine.unfinished() > 0));
        if open {
            broken.insert("decided_again");
        } else {
            assert!(self.levels.is_empty(), "nothing is open: {:?}", self.levels);
        }
        if self.histories().values().any(|history| history.broken(open)) {
            broken.insert("atomic_commit");
        }
        let mut total = 0;
        for (host, node) in self.hosts.iter().zip(0..) {
            if let Some(Role::Participant(_, bank)) = &host.process {
                total += bank.accounts.iter().sum::<i64>();
                let told = |row: u64| self.told.get(&(node, row)).copied().unwrap_or(BALANCE);
                let right = (0..ACCOUNTS).all(|row| told(row) == bank.accounts[row as usize]);
                assert!(right, "observers were told of every change");
            }
        }
        if !open && total != i64::from(BANKS) * ACCOUNTS as i64 * BALANCE {
            broken.insert("conservation");
        }
        if self.overdrawn {
            broken.insert("no_overdraft");
        }
        broken
    }
}

fn orders(chance: &mut Keyed) -> Vec<Order<Transfer>> {
    (1..=ORDERS)
        .map(|transaction| {
            let amount = 1 + (chance.bits() % 9) as i64;
            let from = chance.bits() % u64::from(BANKS);
            let (to, looked) = ((from + 1) % u64::from(BANKS), (from + 2) % u64::from(BANKS));
            // Rows in any order, so that transactions can wait for each other in a ring; few of them are drawn from.
            let mut row = |rows| chance.bits() % rows;
            let work = [
                (from, vec![(row(2), -amount), (row(ACCOUNTS), 0)]),
                (to, vec![(row(ACCOUNTS), 0), (row(ACCOUNTS), amount)]),
                (looked, vec![(row(ACCOUNTS), 0)]),
            ];
            let work = work.map(|(bank, rows)| (NodeId(bank as u32 + 2), Transfer(rows))).to_vec();
            let at = Time(chance.bits() % 1_800_000_000);
            Order { at, kind: 0, transaction, coordinator: COORDINATOR, work }
        })
        .collect()
}

impl Host {
    fn new(play: &Play<Bank>, me: NodeId, epoch: u32, log: Vec<Record<Transfer>>) -> Self {
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
                let copies = if self.world.strikes(20) { self.world.chance.bits() % 3 } else { 1 };
                for _ in 0..copies {
                    let after = 1_000_000 + self.world.chance.bits() % 15_000_000;
                    self.world.push(after, Event::Deliver { to, from, message: message.clone() });
                }
            }
            Effect::Wake(timer) => self.wakes.push_back(timer),
            Effect::Fact(_, instance, kind) => self.world.facts.push((from, instance, kind)),
            Effect::Point(..) => self.crashed = self.world.strikes(100),
            Effect::Output(_)
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

impl Effects<Machine> for Step<'_> {
    fn frame(&mut self, frame: Frame) {
        self.frame = frame;
    }
    fn send(&mut self, to: NodeId, message: Message<Transfer>) {
        self.behind_barrier(Effect::Send(to, message));
    }
    fn set_timer(&mut self, timer: Timer, after: Delay) {
        self.cancel_timer(timer);
        let Delay::Fixed(after) = after else { unreachable!("two-phase commit draws no delays") };
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
        unreachable!("two-phase commit uses no processor")
    }
    fn persist(&mut self, record: Record<Transfer>) {
        let host = &mut self.world.hosts[self.node as usize];
        if !self.crashed {
            host.log.push(record);
            host.last_of_frame.insert(self.frame, host.log.len());
        }
    }
    fn wake(&mut self, timer: Timer) {
        self.behind_barrier(Effect::Wake(timer));
    }
    fn output(&mut self, output: Output) {
        self.behind_barrier(Effect::Output(output));
    }
    fn fact(&mut self, protocol: u32, instance: u64, kind: FactKind) {
        self.behind_barrier(Effect::Fact(protocol, instance, kind));
    }
    fn point(&mut self, point: PointId, of: u32) {
        self.behind_barrier(Effect::Point(point, of));
    }
    fn note(&mut self, change: &[Delta]) {
        if self.crashed {
            return;
        }
        for delta in change {
            let place = (delta.cell.0, delta.key);
            if delta.cell.0 < 100 {
                self.world.told.insert(place, delta.after);
                self.world.overdrawn |= delta.after < 0;
            } else {
                assert_eq!(self.world.levels.remove(&place).unwrap_or(0), delta.before);
                if delta.after != 0 {
                    self.world.levels.insert(place, delta.after);
                }
            }
        }
    }
    fn measure(&mut self, sample: Sample) {
        assert!(sample.since + sample.value == self.world.now);
    }
    fn disturbed(&mut self, _instance: u32) {
        unreachable!("two-phase commit knows no disturbances")
    }
}

/// All combinations of settings under which the protocol is right.
fn designs() -> Vec<Kind> {
    let mut designs = Vec::new();
    for presumption in [Presumption::Nothing, Presumption::Abort] {
        for recovery in [Recovery::AskCoordinator, Recovery::Cooperative] {
            for deadlock in [Deadlock::WoundWait, Deadlock::WaitDie, Deadlock::Detect, Deadlock::Timeout] {
                let locks = Locks::Exclusive { deadlock, timeout: Some(Span::millis(150)) };
                let read_only = if deadlock == Deadlock::Timeout { ReadOnly::Stays } else { ReadOnly::LeavesEarly };
                designs.push(Kind { presumption, recovery, locks, read_only, ..kind() });
            }
        }
    }
    designs
}

#[test]
fn the_honest_protocol_keeps_every_promise_in_a_hostile_world() {
    let (mut commits, mut aborts) = (0, 0);
    for (n, design) in designs().into_iter().enumerate() {
        for seed in 0..40 {
            let mut world = World::new(design.clone(), seed);
            world.run();
            assert_eq!(world.broken(), BTreeSet::new(), "design {n}, seed {seed}");
            for (_, _, kind) in &world.facts {
                commits += u64::from(*kind == FactKind::Decided { commit: true });
                aborts += u64::from(*kind == FactKind::Decided { commit: false });
            }
        }
    }
    assert!(commits > 5_000 && aborts > 5_000, "a world in which nothing happens shows nothing: {commits}, {aborts}");
}

#[test]
fn every_mutant_breaks_the_promise_it_is_named_with() {
    let (designs, mut quiet) = (designs(), Vec::new());
    for (mutant, name, promise) in Mutant::ALL {
        let mut caught = false;
        for seed in 0..400 {
            let design = designs[seed as usize % designs.len()].clone();
            let mut world = World::new(Kind { mutant: Some(mutant), ..design }, seed);
            world.run();
            if world.broken().contains(promise) {
                caught = true;
                break;
            }
        }
        if !caught {
            quiet.push(name);
        }
    }
    assert!(quiet.is_empty(), "not caught: {quiet:?}");
}

#[test]
fn no_locks_and_no_decision_log_are_as_bad_as_documented() {
    let loses = |kind: &Kind, promise| {
        (0..400).any(|seed| {
            let mut world = World::new(kind.clone(), seed);
            world.run();
            world.broken().contains(promise)
        })
    };
    assert!(loses(&Kind { locks: Locks::None, ..kind() }, "no_overdraft"));
    let memory = Kind { decision_log: crate::commit::two_phase::DecisionLog::Memory, ..kind() };
    assert!(loses(&memory, "atomic_commit") && loses(&memory, "conservation"));
}
