//! The faults of a run: from declarations to instances, and from instances to leases.
//!
//! Everything that does not depend on how the run goes is planned beforehand, so that the ledger shows it even if the
//! run ends before it is due; instances at points and after other faults are added when their moment comes.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{Distribution, Hit, Key, NodeId, PointId, Process, Queue, Seed, Span, Time, fold};

use crate::event::Event;
use crate::host::Host;
use crate::ledger::{FaultEvent, Impact, Instance, Reached, Skip, State};
use crate::network::Cut;
use crate::nuisance::{Does, Nuisance};
use crate::plan::{FaultKind, FaultPlan, Loses, Trigger};
use crate::targets::{Aim, Choice};
use crate::watch::Watch;
use crate::world::World;

/// Instances of one run; more are a mistake in the scenario.
pub const INSTANCE_LIMIT: usize = 1_000_000;

/// The faults and their ledger.
#[derive(Clone)]
pub(crate) struct Faults {
    pub(crate) plan: Arc<FaultPlan>,
    pub(crate) keys: Arc<[Keys]>,
    pub(crate) ledger: Vec<Instance>,
    /// What a crash injected by hand takes, by instance.
    pub(crate) by_hand: BTreeMap<u32, Loses>,
    /// How many instances each fault has had.
    numbers: Vec<u32>,
    /// The nodes of each fault's latest instance.
    pub(crate) latest: Vec<Vec<NodeId>>,
    /// Some fault waits for a point.
    pub(crate) has_points: bool,
    /// Occurrences so far, by (fault, of).
    occurrences: BTreeMap<(u32, u32), i64>,
    /// Which draw says which occurrence strikes, where it is not the first: only in another future of a run.
    rounds: BTreeMap<(u32, u32), u64>,
    /// Which machines believe to lead, and in which term.
    pub(crate) leaders: BTreeMap<NodeId, u64>,
    struck: Vec<bool>,
    /// The instances that hold leases.
    active: BTreeSet<u32>,
    healed: bool,
    pub(crate) nodes: usize,
}

/// The keys of one fault's draws.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) target: Key,
    length: Key,
    chance: Key,
    /// Of what it does to messages, or inside a process.
    pub(crate) effect: Key,
    /// Of its trigger: time, delay or occurrence.
    trigger: Key,
}

impl Faults {
    pub(crate) fn new<T: Copy>(plan: FaultPlan, nodes: usize, queue: &mut Queue<Event<T>>, seed: Seed) -> Self {
        let count = plan.faults.len();
        let mut faults = Self {
            keys: keys(&plan, seed),
            ledger: Vec::new(),
            by_hand: BTreeMap::new(),
            numbers: vec![0; count],
            latest: vec![Vec::new(); count],
            has_points: plan.faults.iter().any(|fault| matches!(fault.trigger, Trigger::Point { .. })),
            occurrences: BTreeMap::new(),
            rounds: BTreeMap::new(),
            leaders: BTreeMap::new(),
            struck: vec![false; count],
            active: BTreeSet::new(),
            healed: false,
            nodes,
            plan: Arc::new(plan),
        };
        if faults.plan.heal < Time::END {
            queue.at(faults.plan.heal, Event::Heal);
        }
        for fault in 0..count {
            for time in faults.schedule(fault, seed) {
                let instance = faults.issue(fault as u32, time);
                queue.at(time, Event::Strike { instance });
            }
            let plan = Arc::clone(&faults.plan);
            if let Trigger::Listed(all) = &plan.faults[fault].trigger {
                for listed in all {
                    let instance = faults.enter(Some(fault as u32), listed.number, listed.at);
                    queue.at(listed.at, Event::Strike { instance });
                }
            }
        }
        faults
    }

    /// Draws are those of another seed from here on.
    pub(crate) fn rekey(&mut self, seed: Seed) {
        self.keys = keys(&self.plan, seed);
    }

    pub(crate) fn trigger_key(&self, fault: u32) -> Key {
        self.keys[fault as usize].trigger
    }

    /// Which occurrence of a point strikes is drawn again where some have passed in vain: it is a later one.
    pub(crate) fn draw_occurrences(&mut self, tries: u64) {
        let Self { plan, keys, occurrences, rounds, struck, .. } = self;
        rounds.clear();
        for (&(fault, what), &passed) in occurrences.iter().filter(|((fault, _), _)| !struck[*fault as usize]) {
            let Trigger::Point { nth, .. } = &plan.faults[fault as usize].trigger else { continue };
            let key = keys[fault as usize].trigger;
            let later = |n: &u64| nth.integer(&mut key.draw(u64::from(what), 0, *n)) > passed;
            if let Some(round) = (0..tries).find(later) {
                rounds.insert((fault, what), round);
            }
        }
    }

    /// The times of a fault that are known beforehand.
    fn schedule(&self, fault: usize, seed: Seed) -> Vec<Time> {
        let declared = &self.plan.faults[fault];
        let (from, to) = (declared.window.from, declared.window.to.min(self.plan.heal));
        let mut times = Vec::new();
        match &declared.trigger {
            Trigger::At(time) => times.push(Time(time.span(&mut self.keys[fault].trigger.draw(0, 0, 0)).0)),
            Trigger::Always => times.extend((from < to).then_some(from)),
            Trigger::Every(every) => {
                assert!(*every > Span::ZERO, "a fault cannot happen every 0 s");
                assert!(to < Time::END, "what happens again and again has an end");
                let mut at = from + *every;
                while at < to {
                    times.push(at);
                    at += *every;
                }
            }
            Trigger::Rate(rate) => {
                assert!(to < Time::END, "what happens again and again has an end");
                let Ok(gap) = Distribution::exponential(1e9 / rate) else { return times };
                let mut stream = seed.stream(&format!("faults.{}", declared.name));
                let mut at = from + gap.span(&mut stream);
                while at < to {
                    times.push(at);
                    at += gap.span(&mut stream).max(Span(1));
                }
            }
            Trigger::Point { .. } | Trigger::After { .. } | Trigger::Listed(_) => {}
        }
        assert!(times.len() < INSTANCE_LIMIT, "a run has at most 1 000 000 instances of faults");
        times
    }

    /// Writes a new instance into the ledger.
    pub(crate) fn issue(&mut self, fault: u32, planned: Time) -> u32 {
        let number = self.numbers[fault as usize];
        self.numbers[fault as usize] += 1;
        self.enter(Some(fault), number, planned)
    }

    pub(crate) fn enter(&mut self, fault: Option<u32>, number: u32, planned: Time) -> u32 {
        assert!(self.ledger.len() < INSTANCE_LIMIT, "a run has at most 1 000 000 instances of faults");
        let id = self.ledger.len() as u32;
        self.ledger.push(Instance {
            id,
            fault,
            number,
            nodes: Vec::new(),
            sides: Vec::new(),
            hits: Vec::new(),
            reached: None,
            offsets: Vec::new(),
            planned,
            start: None,
            end: None,
            state: State::Planned,
            impact: Impact::default(),
        });
        id
    }

    /// An instance hit something: its impact, to be counted.
    pub(crate) fn hit(&mut self, instance: u32, what: Hit) -> &mut Impact {
        let entry = &mut self.ledger[instance as usize];
        if self.plan.named_hits {
            entry.hits.push(what);
        }
        &mut entry.impact
    }

    /// Whether an instance hits this, if what it hits is written down.
    pub(crate) fn is_hit(&self, instance: u32, what: Hit) -> Option<bool> {
        let entry = &self.ledger[instance as usize];
        let hits = self.plan.faults[entry.fault? as usize].hits(entry.number)?;
        Some(hits.binary_search(&what).is_ok())
    }

    /// A point was reached: the instances that strike there.
    pub(crate) fn reach(&mut self, now: Time, reached: PointId, what: u32) -> Vec<u32> {
        let plan = Arc::clone(&self.plan);
        let mut strikes = Vec::new();
        for (at, fault) in plan.faults.iter().enumerate() {
            let Trigger::Point { points, of, nth } = &fault.trigger else { continue };
            let counts = points.contains(&reached)
                && of.is_none_or(|of| of == what)
                && !self.struck[at]
                && !self.healed
                && (fault.window.from..fault.window.to).contains(&now);
            if counts {
                let occurrence = self.occurrences.entry((at as u32, what)).or_insert(0);
                *occurrence += 1;
                let round = self.rounds.get(&(at as u32, what)).copied().unwrap_or(0);
                let nth = nth.integer(&mut self.keys[at].trigger.draw(u64::from(what), 0, round)).max(1);
                if *occurrence == nth {
                    self.struck[at] = true;
                    let instance = self.issue(at as u32, now);
                    self.ledger[instance as usize].reached = Some(Reached { point: reached, of: what, nth });
                    strikes.push(instance);
                }
            }
        }
        strikes
    }

    /// Who of these leads: if several believe to, the one with the newest term.
    pub(crate) fn leader(&self, of: &[NodeId]) -> Option<NodeId> {
        let leading = of.iter().filter_map(|node| Some((*self.leaders.get(node)?, *node)));
        leading.max().map(|(_, node)| node)
    }

    /// The ids of all instances that hold leases, in the order of the ledger.
    pub(crate) fn active(&self) -> Vec<u32> {
        self.active.iter().copied().collect()
    }

    /// The leases of an instance are over; false if it had none.
    pub(crate) fn release(&mut self, instance: u32, now: Time) -> bool {
        let entry = &mut self.ledger[instance as usize];
        let held = self.active.remove(&instance);
        if held {
            (entry.state, entry.end) = (State::Ended, Some(now));
        }
        held
    }

    /// No instance begins any more.
    pub(crate) fn close(&mut self) -> Vec<u32> {
        self.healed = true;
        self.ledger.iter().filter(|i| i.state == State::Planned).map(|i| i.id).collect()
    }
}

impl<P: Process> World<P> {
    /// An instance is due: it begins, or is skipped. A crash, or a word to a process, follows right after the
    /// event that is being handled.
    pub(crate) fn strike<W: Watch<P>>(&mut self, instance: u32, at: Option<NodeId>, watch: &mut W) {
        let now = self.now();
        let entry = &self.faults.ledger[instance as usize];
        if entry.state != State::Planned {
            return;
        }
        let (index, number) = (entry.fault.expect("what was planned has a fault") as usize, entry.number);
        let plan = Arc::clone(&self.faults.plan);
        let fault = &*plan.faults[index].instance(number);
        let keys = self.faults.keys[index].clone();
        let repeated = matches!(fault.trigger, Trigger::After { .. } | Trigger::Always);
        let refused = if self.faults.healed || now >= plan.heal {
            Some(Skip::Healed)
        } else if repeated && !(fault.window.from..fault.window.to).contains(&now) {
            Some(Skip::OutsideWindow)
        } else if let Some(budget) = plan.faults[index].over(number) {
            Some(Skip::Budget(budget))
        } else if fault.chance < 1.0 && keys.chance.draw(u64::from(number), 0, 0).share() >= fault.chance {
            Some(Skip::Chance)
        } else {
            None
        };
        let injected = refused.map_or_else(
            || {
                let aim = Choice::new(&self.faults, index, number, at).aim(fault);
                self.begin(instance, &fault.kind, aim)
            },
            Err,
        );
        match injected {
            Err(skip) => self.skip(instance, skip, watch),
            Ok(nodes) => {
                self.faults.latest[index].clone_from(&nodes);
                self.began(instance, nodes, watch);
                let length =
                    fault.length.as_ref().map(|length| length.span(&mut keys.length.draw(number.into(), 0, 0)));
                let window = matches!(fault.trigger, Trigger::Always).then(|| fault.window.to.since(now));
                if let Some(length) = length.or(window) {
                    self.queue.after(length, Event::End { instance });
                }
                self.follow(index, number);
            }
        }
    }

    /// Plans the faults that follow a fault which has just begun.
    fn follow(&mut self, begun: usize, number: u32) {
        let plan = Arc::clone(&self.faults.plan);
        for (at, fault) in plan.faults.iter().enumerate() {
            if let Trigger::After { fault, delay } = &fault.trigger
                && *fault == begun
            {
                let due = self.now() + delay.span(&mut self.faults.keys[at].trigger.draw(number.into(), 0, 0));
                let instance = self.faults.issue(at as u32, due);
                self.queue.at(due, Event::Strike { instance });
            }
        }
    }

    pub(crate) fn skip<W: Watch<P>>(&mut self, instance: u32, skip: Skip, watch: &mut W) {
        let now = self.now();
        let entry = &mut self.faults.ledger[instance as usize];
        entry.state = State::Skipped(skip);
        self.fingerprint.eat(now.0, fold(u64::from(instance), 1));
        watch.fault(now, entry, FaultEvent::Skipped(skip));
    }

    /// An instance holds its leases from now on.
    pub(crate) fn began<W: Watch<P>>(&mut self, instance: u32, nodes: Vec<NodeId>, watch: &mut W) {
        let now = self.now();
        let entry = &mut self.faults.ledger[instance as usize];
        self.faults.active.insert(instance);
        (entry.state, entry.start, entry.nodes) = (State::Active, Some(now), nodes);
        let digest = entry.nodes.iter().fold(u64::from(instance), |state, node| fold(state, u64::from(node.0)));
        self.fingerprint.eat(now.0, fold(digest, 2));
        watch.fault(now, entry, FaultEvent::Began);
    }

    /// Takes the leases of an instance.
    fn begin(&mut self, instance: u32, kind: &FaultKind, aim: Aim) -> Result<Vec<NodeId>, Skip> {
        if aim.nodes.is_empty() {
            return Err(Skip::NoTarget);
        }
        match kind {
            FaultKind::Crash(_) => {
                let falls = |host: &Host<P>| host.up() && !host.doomed;
                if !aim.nodes.iter().any(|node| falls(self.host(node.0))) {
                    return Err(Skip::AlreadyDown);
                }
                for node in &aim.nodes {
                    let host = self.host_mut(node.0);
                    host.doomed = host.up();
                }
                self.strikes.push_back(instance);
            }
            FaultKind::Pause => {
                for node in &aim.nodes {
                    let host = self.host_mut(node.0);
                    (host.pauses, host.late) = (host.pauses + 1, true);
                    host.trouble_mut().pause.get_or_insert(instance);
                }
            }
            FaultKind::SlowCpu { factor } => {
                for node in &aim.nodes {
                    self.slow_down(node.0, instance, *factor);
                }
            }
            FaultKind::ClockJump { by } => {
                let entry = &self.faults.ledger[instance as usize];
                let (number, fault) = (entry.number, entry.fault.expect("what is injected by hand is a crash"));
                let key = self.faults.keys[fault as usize].effect;
                let mut offsets = Vec::new();
                for node in &aim.nodes {
                    let by = by.integer(&mut key.draw(u64::from(number), u64::from(node.0), 0));
                    let clock = &mut self.host_mut(node.0).clock;
                    clock.offset = clock.offset.saturating_add(by);
                    offsets.push(by);
                    self.fingerprint.eat(self.queue.now().0, fold(node.0.into(), by as u64));
                }
                let entry = &mut self.faults.ledger[instance as usize];
                (entry.impact.clocks_set, entry.offsets) = (aim.nodes.len() as u64, offsets);
                self.queue.after(Span::ZERO, Event::End { instance });
            }
            FaultKind::Disturb { .. } => self.strikes.push_back(instance),
            FaultKind::Partition { direction, wire, .. } => {
                let last = aim.side.iter().copied().max().unwrap_or(0);
                let on = |side: u16| {
                    (0..).zip(&aim.side).filter(move |(_, at)| **at == side).map(|(node, _)| NodeId(node)).collect()
                };
                self.faults.ledger[instance as usize].sides = (1..=last).map(on).collect();
                self.network.cuts.push(Cut { instance, side: aim.side, direction: *direction, wire: *wire });
            }
            FaultKind::Loss { chance, .. } => {
                self.disturb_links(instance, Does::Lose, *chance, aim.links);
            }
            FaultKind::Duplicate { chance, .. } => {
                self.disturb_links(instance, Does::Copy, *chance, aim.links);
            }
        }
        Ok(aim.nodes)
    }

    fn disturb_links(&mut self, instance: u32, does: Does, chance: f64, links: Vec<(Vec<bool>, Vec<bool>)>) {
        let fault = self.faults.ledger[instance as usize].fault.expect("what is injected by hand is a crash");
        let key = self.faults.keys[fault as usize].effect;
        let number = self.faults.ledger[instance as usize].number;
        let only = self.faults.plan.faults[fault as usize].hits(number).map(<[_]>::to_vec);
        self.network.nuisances.push(Nuisance { instance, does, chance, key, links, only });
    }
}

/// The keys of all faults' draws.
fn keys(plan: &FaultPlan, seed: Seed) -> Arc<[Keys]> {
    let each = plan.faults.iter().map(|fault| {
        let path = format!("faults.{}", fault.name);
        let key = |purpose| seed.key(&path, purpose);
        Keys {
            target: key("target"),
            length: key("length"),
            chance: key("chance"),
            effect: key(purpose(&fault.kind)),
            trigger: key("trigger"),
        }
    });
    each.collect()
}

/// What the draws of a fault for each message, or inside a process, are for.
const fn purpose(kind: &FaultKind) -> &'static str {
    match kind {
        FaultKind::Duplicate { .. } => "duplicate",
        FaultKind::Disturb { .. } => "disturb",
        FaultKind::ClockJump { .. } => "offset",
        FaultKind::Loss { .. }
        | FaultKind::Partition { .. }
        | FaultKind::Crash(_)
        | FaultKind::Pause
        | FaultKind::SlowCpu { .. } => "loss",
    }
}
