//! A puppet: a process that does what a script says, and a listener that writes down what happens.
//!
//! Messages, timers and records are numbers. The puppet's memory is how often it heard what; numbers from `OPEN` on are
//! unfinished work until the timer of the same number is heard.

use std::collections::BTreeMap;
use std::sync::Arc;

use cluster::{
    Cluster, Disk, Fault, FaultEvent, FaultKind, FaultPlan, Hardware, Instance, Link, Loses, MessageEvent, Passage,
    Target, Transport, Trigger, Watch, Window,
};
use kernel::{
    CellId, Delay, Delta, Digest, Distribution, Disturbance, Effect, Effects, Fact, FactKind, Frame, Message, NodeId,
    PointId, Process, Route, Seed, Span, Time,
};

/// Messages from here on open work, which the timer of the same number closes.
pub(crate) const OPEN: u64 = 1_000;
/// Messages from here on are background.
pub(crate) const BACKGROUND: u64 = 9_000;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct N(pub u64);

impl Digest for N {
    fn digest(&self) -> u64 {
        self.0.digest()
    }
}

impl Message for N {
    fn route(&self) -> Route {
        Route { operation: self.0, hop: 7 }
    }
    fn bytes(&self) -> u32 {
        100
    }
    fn kind(&self) -> u8 {
        (self.0 % 256) as u8
    }
    fn background(&self) -> bool {
        self.0 >= BACKGROUND
    }
}

impl kernel::Record for N {
    fn bytes(&self) -> u32 {
        1_000
    }
}

/// What a puppet can hear.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Cue {
    Start,
    /// A start that finds this many records.
    Restart(usize),
    Hear(u64),
    Timer(u64),
    Reset(u64),
    /// This goes wrong from now on, or no longer.
    Disturbance(u32, bool),
}

pub(crate) type Say = Effect<Puppet>;

#[derive(Debug, Default)]
pub(crate) struct Script {
    lines: BTreeMap<(u32, Cue), Vec<Say>>,
    /// Every message is answered with the next number until this one.
    pub(crate) chatter_until: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Puppet {
    me: NodeId,
    pub(crate) heard: Vec<(Time, Cue)>,
    open: Vec<u64>,
    /// What goes wrong here: each that strikes a message is reported.
    disturbances: BTreeMap<u32, Disturbance>,
}

impl Puppet {
    fn play(&mut self, plan: &Script, now: Time, cue: Cue, out: &mut impl Effects<Self>) {
        self.heard.push((now, cue));
        for effect in plan.lines.get(&(self.me.0, cue)).into_iter().flatten() {
            match effect {
                Effect::Frame(frame) => out.frame(*frame),
                Effect::Send(to, message) => out.send(*to, *message),
                Effect::SetTimer(timer, delay) => out.set_timer(*timer, *delay),
                Effect::CancelTimer(timer) => out.cancel_timer(*timer),
                Effect::Work(timer, span) => out.work(*timer, *span),
                Effect::Persist(record) => out.persist(*record),
                Effect::Wake(timer) => out.wake(*timer),
                Effect::Output(output) => out.output(*output),
                Effect::Fact(protocol, instance, kind) => out.fact(*protocol, *instance, *kind),
                Effect::Point(point, of) => out.point(*point, *of),
                Effect::Note(change) => out.note(change),
                Effect::Measure(sample) => out.measure(*sample),
                Effect::Disturbed(instance) => out.disturbed(*instance),
            }
        }
    }
}

impl Process for Puppet {
    type Plan = Script;
    type Message = N;
    type Timer = N;
    type Record = N;
    type Output = u64;

    fn boot(_: &Script, me: NodeId) -> Self {
        Self { me, heard: Vec::new(), open: Vec::new(), disturbances: BTreeMap::new() }
    }
    fn on_start(&mut self, plan: &Script, now: Time, log: &[N], out: &mut impl Effects<Self>) {
        self.disturbances.clear();
        let cue = if log.is_empty() && now == Time::ZERO { Cue::Start } else { Cue::Restart(log.len()) };
        self.play(plan, now, cue, out);
    }
    fn on_message(&mut self, plan: &Script, now: Time, from: NodeId, message: N, out: &mut impl Effects<Self>) {
        if (OPEN..BACKGROUND).contains(&message.0) {
            self.open.push(message.0);
        }
        if message.0 < plan.chatter_until {
            out.send(from, N(message.0 + 1));
        }
        let strikes = |disturbance: &&Disturbance| disturbance.strikes(message.0, 7, 0);
        for disturbance in self.disturbances.values().filter(strikes) {
            out.disturbed(disturbance.instance);
        }
        self.play(plan, now, Cue::Hear(message.0), out);
    }
    fn on_timer(&mut self, plan: &Script, now: Time, timer: N, out: &mut impl Effects<Self>) {
        self.open.retain(|&n| n != timer.0);
        self.play(plan, now, Cue::Timer(timer.0), out);
    }
    fn on_reset(&mut self, plan: &Script, now: Time, _to: NodeId, message: N, out: &mut impl Effects<Self>) {
        self.play(plan, now, Cue::Reset(message.0), out);
    }
    fn on_disturbance(
        &mut self,
        plan: &Script,
        now: Time,
        disturbance: Disturbance,
        active: bool,
        out: &mut impl Effects<Self>,
    ) {
        self.disturbances.remove(&disturbance.instance);
        if active {
            self.disturbances.insert(disturbance.instance, disturbance);
        }
        self.play(plan, now, Cue::Disturbance(disturbance.what, active), out);
    }
    fn unfinished(&self) -> u64 {
        self.open.len() as u64
    }
    /// Records from `OPEN` on are owed.
    fn owed(_: &Script, _: NodeId, log: &[N]) -> u64 {
        log.iter().filter(|record| record.0 >= OPEN).count() as u64
    }
    fn volatile_cells(&self, _: &Script, each: &mut impl FnMut(CellId, u64, i64)) {
        each(CellId(self.me.0), 0, self.open.len() as i64);
    }
}

/// What the listener writes down, with its time.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Line {
    Output(u32, u64),
    Fact(u32, FactKind),
    Change(Delta),
    Point(u32, u32),
    Message(Passage, u8),
    Fault(u32, FaultEvent),
    Fsync(u32, u32),
    DiskFull(u32),
    Crashed(u32),
    Restarted(u32),
}

#[derive(Default)]
pub(crate) struct Notebook {
    pub(crate) lines: Vec<(Time, Line)>,
}

impl Watch<Puppet> for Notebook {
    fn output(&mut self, now: Time, node: NodeId, output: &u64) {
        self.lines.push((now, Line::Output(node.0, *output)));
    }
    fn fact(&mut self, fact: Fact) {
        self.lines.push((fact.time, Line::Fact(fact.node.0, fact.kind)));
    }
    fn change(&mut self, now: Time, _: NodeId, change: &[Delta]) {
        self.lines.extend(change.iter().map(|delta| (now, Line::Change(*delta))));
    }
    fn point(&mut self, now: Time, node: NodeId, _: PointId, of: u32) {
        self.lines.push((now, Line::Point(node.0, of)));
    }
    fn message(&mut self, now: Time, message: MessageEvent) {
        self.lines.push((now, Line::Message(message.passage, message.kind)));
    }
    fn fault(&mut self, now: Time, instance: &Instance, event: FaultEvent) {
        self.lines.push((now, Line::Fault(instance.id, event)));
    }
    fn fsync(&mut self, now: Time, node: NodeId, records: u32) {
        self.lines.push((now, Line::Fsync(node.0, records)));
    }
    fn disk_full(&mut self, now: Time, node: NodeId) {
        self.lines.push((now, Line::DiskFull(node.0)));
    }
    fn crashed(&mut self, now: Time, node: NodeId) {
        self.lines.push((now, Line::Crashed(node.0)));
    }
    fn restarted(&mut self, now: Time, node: NodeId) {
        self.lines.push((now, Line::Restarted(node.0)));
    }
}

impl Notebook {
    /// When and to how many microseconds a thing happened.
    pub(crate) fn times(&self, wanted: impl Fn(&Line) -> bool) -> Vec<u64> {
        self.lines.iter().filter(|(_, line)| wanted(line)).map(|(time, _)| time.0 / 1_000).collect()
    }
    /// The outputs of all nodes, with their times in microseconds.
    pub(crate) fn outputs(&self) -> Vec<(u64, u64)> {
        let output = |(time, line): &(Time, Line)| {
            let Line::Output(_, output) = line else { return None };
            Some((time.0 / 1_000, *output))
        };
        self.lines.iter().filter_map(output).collect()
    }
    pub(crate) fn dropped(&self, reason: cluster::Reason) -> usize {
        self.times(|line| matches!(line, Line::Message(Passage::Dropped(r), _) if *r == reason)).len()
    }
}

/// A world in the making.
pub(crate) struct Stage {
    pub(crate) script: Script,
    pub(crate) hardware: Hardware,
    pub(crate) faults: FaultPlan,
    pub(crate) seed: Seed,
}

/// `count` puppets; every message takes 1 ms over TCP, every fsync 5 ms.
pub(crate) fn stage(count: usize) -> Stage {
    let disk = Disk::plain(constant(Span::millis(5)));
    let link = Link::plain(constant(Span::millis(1)), 0.0, Transport::Tcp);
    Stage {
        script: Script::default(),
        hardware: Hardware::uniform(count, &disk, link),
        faults: FaultPlan::none(),
        seed: Seed(1),
    }
}

impl Stage {
    pub(crate) fn on(mut self, node: u32, cue: Cue, say: Vec<Say>) -> Self {
        self.script.lines.entry((node, cue)).or_default().extend(say);
        self
    }
    pub(crate) fn link(mut self, latency: Distribution, loss: f64, transport: Transport) -> Self {
        self.hardware.links = vec![Link::plain(latency, loss, transport)];
        self
    }
    /// Changes every link.
    pub(crate) fn links(mut self, change: impl Fn(&mut Link)) -> Self {
        self.hardware.links.iter_mut().for_each(change);
        self
    }
    /// Changes every disk.
    pub(crate) fn disks(mut self, change: impl Fn(&mut Disk)) -> Self {
        self.hardware.nodes.iter_mut().for_each(|node| change(&mut node.disk));
        self
    }
    pub(crate) fn fsync(mut self, fsync: Span) -> Self {
        for node in &mut self.hardware.nodes {
            node.disk.fsync = constant(fsync);
        }
        self
    }
    pub(crate) fn fault(mut self, fault: Fault) -> Self {
        self.faults.faults.push(fault);
        self
    }
    pub(crate) fn heal(mut self, at: Span) -> Self {
        self.faults.heal = Time(at.0);
        self
    }
    pub(crate) fn seed(mut self, seed: u64) -> Self {
        self.seed = Seed(seed);
        self
    }
    pub(crate) fn world(self) -> Cluster<Puppet> {
        Cluster::new(Arc::new(self.script), self.hardware, self.faults, self.seed)
    }
    /// Runs to the end, or to 60 s.
    pub(crate) fn run(self) -> (Cluster<Puppet>, Notebook) {
        let mut world = self.world();
        let mut notebook = Notebook::default();
        until(&mut world, Span::secs(60), &mut notebook);
        (world, notebook)
    }
}

/// Handles everything before `end`.
pub(crate) fn until(world: &mut Cluster<Puppet>, end: Span, watch: &mut impl Watch<Puppet>) {
    while world.next_time().is_some_and(|time| time < Time(end.0)) {
        world.step(watch);
    }
}

pub(crate) fn constant(span: Span) -> Distribution {
    Distribution::constant(span.0 as f64).expect("a span is finite")
}

pub(crate) fn number(n: u32) -> Distribution {
    Distribution::constant(f64::from(n)).expect("a number is finite")
}

/// A fault on all of these nodes, at this time, for this long.
pub(crate) fn fault(name: &str, kind: FaultKind, nodes: &[u32], at: Span, length: Span) -> Fault {
    Fault {
        name: name.to_owned(),
        kind,
        targets: vec![Target::All(ids(nodes))],
        trigger: Trigger::At(constant(at)),
        window: Window { from: Time::ZERO, to: Time(60_000_000_000) },
        length: Some(constant(length)),
        chance: 1.0,
        require_effect: false,
    }
}

pub(crate) fn crash(nodes: &[u32], at: Span, length: Span) -> Fault {
    fault("crash", FaultKind::Crash(Loses::USUAL), nodes, at, length)
}

pub(crate) fn pause(nodes: &[u32], at: Span, length: Span) -> Fault {
    fault("pause", FaultKind::Pause, nodes, at, length)
}

pub(crate) fn ids(nodes: &[u32]) -> Vec<NodeId> {
    nodes.iter().map(|&node| NodeId(node)).collect()
}

/// The cue after everything that is planned for time 0.
pub(crate) const READY: Cue = Cue::Timer(99);

pub(crate) fn ready() -> Vec<Say> {
    vec![timer(99, ms(0))]
}

pub(crate) fn ms(n: u64) -> Span {
    Span::millis(n)
}

pub(crate) fn send(to: u32, n: u64) -> Say {
    Effect::Send(NodeId(to), N(n))
}

pub(crate) fn timer(n: u64, after: Span) -> Say {
    Effect::SetTimer(N(n), Delay::Fixed(after))
}

pub(crate) fn persist(n: u64) -> Say {
    Effect::Persist(N(n))
}

pub(crate) fn output(n: u64) -> Say {
    Effect::Output(n)
}

pub(crate) fn frame(n: u64) -> Say {
    Effect::Frame(Frame(n))
}

pub(crate) fn point(n: u32) -> Say {
    Effect::Point(PointId(n), 0)
}

/// What a node's process has heard since it was booted, with times in microseconds.
pub(crate) fn heard(world: &Cluster<Puppet>, node: u32) -> Vec<(u64, Cue)> {
    world.process(NodeId(node)).heard.iter().map(|(time, cue)| (time.0 / 1_000, *cue)).collect()
}

/// The messages a node has heard.
pub(crate) fn messages(world: &Cluster<Puppet>, node: u32) -> Vec<u64> {
    let message = |(_, cue): (u64, Cue)| match cue {
        Cue::Hear(n) => Some(n),
        Cue::Start | Cue::Restart(_) | Cue::Timer(_) | Cue::Reset(_) | Cue::Disturbance(..) => None,
    };
    heard(world, node).into_iter().filter_map(message).collect()
}
