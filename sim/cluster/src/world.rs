//! Everything of a run but the processes: what an effect of a process acts upon while the process is still borrowed.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::ManuallyDrop;

use kernel::{Delta, Fact, FactKind, Fingerprint, Handle, Key, Message, NodeId, PointId, Process, Queue, Seed, Time};

use crate::cpu;
use crate::event::Event;
use crate::faults::Faults;
use crate::habits::Habits;
use crate::hardware::{Disk, Hardware, NodeHardware};
use crate::host::{Host, Late, Waiting};
use crate::ledger::Impact;
use crate::network::Network;
use crate::plan::{FaultKind, FaultPlan, Loses};
use crate::slab::Slab;
use crate::timers::Pending;
use crate::watch::{MessageEvent, Passage, Reason, Watch};

/// Messages that wait for one paused machine; more are dropped.
pub const INBOX_LIMIT: u32 = 65_536;
/// Machines of one cluster: 1 048 576. Then each may have sixteen events pending at once before the queue is full (2^24).
pub const MACHINES_MAX: usize = 1 << 20;

/// What a message takes in flight besides itself; its event has at most 60 bytes more in the queue, its key included.
pub(crate) const PAPERS_BYTES_MAX: usize = 48;

/// A message and its papers.
#[derive(Clone)]
pub(crate) struct Parcel<M> {
    pub(crate) message: M,
    /// Its event, while it is in flight.
    pub(crate) flight: Handle,
    /// Its number in the order in which messages left their senders; 0 before.
    pub(crate) order: u64,
    /// When its last transmission began.
    pub(crate) sent: Time,
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) from_incarnation: u16,
    pub(crate) to_incarnation: u16,
    /// How many transmissions there were.
    pub(crate) attempt: u16,
    pub(crate) background: bool,
    /// What the message says of itself, asked once.
    kind: u8,
    pub(crate) bytes: u32,
}

#[derive(Clone)]
pub(crate) struct World<P: Process> {
    /// The kinds of disks that machines have.
    pub(crate) disks: Arc<[Disk]>,
    pub(crate) queue: Queue<Event<P::Timer>>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) parcels: Slab<Parcel<P::Message>>,
    pub(crate) hosts: Vec<Host<P>>,
    pub(crate) network: Network,
    pub(crate) faults: Faults,
    pub(crate) habits: Habits,
    /// Instances of crashes and disturbances that were decided in this event and follow it.
    pub(crate) strikes: VecDeque<u32>,
    pub(crate) unfinished: u64,
    pub(crate) fsync: Key,
    pub(crate) torn: Key,
}

impl<P: Process> World<P> {
    pub(crate) fn new(hardware: &Hardware, plan: FaultPlan, seed: Seed) -> Self {
        let count = hardware.nodes.len();
        assert!(count <= MACHINES_MAX, "a cluster has at most 2^20 machines");
        let mut queue = Queue::new();
        let cpus = cpu::of_machines(&hardware.nodes, &plan);
        let mut disks: Vec<Disk> = Vec::new();
        let host = |(node, cpu): (&NodeHardware, _)| {
            // Machines of one sort stand together.
            if disks.last() != Some(&node.disk) {
                disks.push(node.disk.clone());
            }
            Host::new(node, disks.len() as u32 - 1, cpu)
        };
        let hosts = hardware.nodes.iter().zip(cpus).map(host).collect();
        for node in 0..count as u32 {
            queue.at(Time::ZERO, Event::Start { node, incarnation: 0 });
        }
        Self {
            network: Network::new(hardware, &mut queue, seed),
            faults: Faults::new(plan, count, &mut queue, seed),
            disks: disks.into(),
            queue,
            fingerprint: Fingerprint::new(),
            parcels: Slab::new(),
            hosts,
            habits: Habits::new(),
            strikes: VecDeque::new(),
            unfinished: 0,
            fsync: seed.key("disk", "fsync"),
            torn: seed.key("disk", "torn"),
        }
    }

    /// Draws of disks are those of another seed from here on.
    pub(crate) fn rekey_disks(&mut self, seed: Seed) {
        (self.fsync, self.torn) = (seed.key("disk", "fsync"), seed.key("disk", "torn"));
    }

    pub(crate) fn now(&self) -> Time {
        self.queue.now()
    }

    pub(crate) fn host(&self, node: u32) -> &Host<P> {
        &self.hosts[node as usize]
    }

    pub(crate) fn host_mut(&mut self, node: u32) -> &mut Host<P> {
        &mut self.hosts[node as usize]
    }

    /// What an instance hit, to be added to.
    pub(crate) fn impact(&mut self, instance: Option<u32>) -> Option<&mut Impact> {
        Some(&mut self.faults.ledger.get_mut(instance? as usize)?.impact)
    }

    pub(crate) fn tell<W: Watch<P>>(&self, parcel: u32, passage: Passage, watch: &mut W) {
        tell(self.now(), self.parcels.at(parcel), passage, watch);
    }

    /// A process has made a step: so much is unfinished there now.
    #[expect(clippy::inline_always, reason = "it belongs to every event")]
    #[inline(always)]
    pub(crate) fn count_unfinished(&mut self, node: u32, unfinished: u64) {
        let before = core::mem::replace(&mut self.host_mut(node).unfinished, unfinished);
        if before != unfinished {
            self.unfinished = self.unfinished - before + unfinished;
        }
    }

    /// Takes a message over from its sender, which may still have to wait for its disk.
    #[inline]
    pub(crate) fn accept(&mut self, from: u32, to: NodeId, message: P::Message) -> u32 {
        assert!((to.0 as usize) < self.hosts.len(), "a message is for a machine that exists");
        let to = to.0;
        let (background, kind, bytes) = (message.background(), message.kind(), message.bytes());
        self.unfinished += u64::from(!background);
        self.parcels.put(Parcel {
            message,
            kind,
            bytes,
            flight: Handle::NONE,
            order: 0,
            sent: Time::ZERO,
            from,
            to,
            from_incarnation: self.host(from).incarnation,
            to_incarnation: 0,
            attempt: 0,
            background,
        })
    }

    /// A message is sent, and leaves its sender at once. Over a link on which nothing can happen to it this is all.
    ///
    /// It comes as what need not be dropped when something here panics: so it has no address of its own, and is made where
    /// it stays.
    #[expect(clippy::inline_always, reason = "what is put is built near its place, not handed on from call to call")]
    #[inline(always)]
    pub(crate) fn post<W: Watch<P>>(
        &mut self,
        (from, from_incarnation): (u32, u16),
        to: NodeId,
        message: ManuallyDrop<P::Message>,
        watch: &mut W,
    ) {
        let receiver = to.0;
        let (background, kind, bytes) = (message.background(), message.kind(), message.bytes());
        let lane = self.network.quiet_lane(from, receiver);
        self.unfinished += u64::from(!background);
        let (now, order) = (self.now(), self.network.number());
        let at = NodeId(from);
        watch.letter(now, order, (at, to), &message, None);
        watch.message(now, MessageEvent { passage: Passage::Sent, id: order, from: at, to, kind, bytes });
        let to_incarnation = self.host(receiver).incarnation;
        let parcel = self.parcels.vacant();
        let (flight, attempt) = match lane {
            Some(lane) => (self.queue.arm(lane, Event::Deliver { parcel }), 1),
            None => (Handle::NONE, 0),
        };
        self.parcels.fill(parcel, || Parcel {
            message: ManuallyDrop::into_inner(message),
            kind,
            bytes,
            flight,
            order,
            sent: now,
            from,
            to: receiver,
            from_incarnation,
            to_incarnation,
            attempt,
            background,
        });
        if lane.is_none() {
            self.embark(parcel, watch);
        }
    }

    /// Takes a message out of the world.
    #[inline]
    pub(crate) fn take(&mut self, parcel: u32) -> Parcel<P::Message> {
        self.unfinished -= u64::from(!self.parcels.at(parcel).background);
        self.parcels.take(parcel)
    }

    /// A message will never arrive.
    pub(crate) fn discard<W: Watch<P>>(&mut self, parcel: u32, reason: Reason, watch: &mut W) {
        self.tell(parcel, Passage::Dropped(reason), watch);
        self.take(parcel);
    }

    /// Performs an effect whose barrier is passed, unless the machine is paused: then it waits in the inbox.
    pub(crate) fn release<W: Watch<P>>(&mut self, node: u32, effect: Waiting<P>, watch: &mut W) {
        if self.host(node).pauses > 0 {
            self.postpone(node, Late::Effect(effect));
            return;
        }
        let now = self.now();
        match effect {
            Waiting::Send(parcel) => self.dispatch(parcel, watch),
            Waiting::Output(output) => {
                self.unfinished -= 1;
                watch.output(now, NodeId(node), &output);
            }
            Waiting::Fact(protocol, instance, kind) => {
                let node = NodeId(node);
                if let FactKind::Leads { term } = kind {
                    self.faults.leaders.insert(node, term);
                } else if kind == FactKind::StoodDown {
                    self.faults.leaders.remove(&node);
                }
                watch.fact(Fact { time: now, node, protocol, instance, kind });
            }
            Waiting::Point(point, of) => {
                self.reach(node, point, of, watch);
            }
            Waiting::Wake(timer) => {
                let incarnation = self.host(node).incarnation;
                self.queue.arm(Queue::<Event<P::Timer>>::at_once(), Event::Wake { node, incarnation, timer });
            }
        }
    }

    /// An effect that was said but never happens. Returns how many messages that loses.
    pub(crate) fn forget(&mut self, effect: &Waiting<P>) -> u64 {
        match effect {
            // Nobody was told that it was sent, so nobody is told that it was dropped.
            Waiting::Send(parcel) => {
                self.take(*parcel);
                return 1;
            }
            Waiting::Output(_) | Waiting::Wake(_) => self.unfinished -= 1,
            Waiting::Fact(..) | Waiting::Point(..) => {}
        }
        0
    }

    /// Something must wait until the machine handles things again.
    pub(crate) fn postpone(&mut self, node: u32, late: Late<P>) {
        let host = self.host_mut(node);
        host.late = true;
        match &late {
            Late::Event(Event::Deliver { .. }) => host.trouble_mut().messages_waiting += 1,
            Late::Event(Event::Timer { timer, .. }) => {
                host.timers.insert(*timer, Pending::Late);
            }
            Late::Effect(_) => host.trouble_mut().effects_waiting += 1,
            Late::Event(_) | Late::Disturbance { .. } => {}
        }
        let trouble = host.trouble_mut();
        trouble.inbox.push_back(late);
        let pause = trouble.pause;
        if let Some(impact) = self.impact(pause) {
            impact.events_delayed += 1;
        }
    }

    /// The latest crash that was decided in this event for a machine.
    pub(crate) fn doom(&self, node: u32) -> Option<u32> {
        let dooms = |&instance: &u32| {
            let entry = &self.faults.ledger[instance as usize];
            let kind = entry.fault.map(|fault| &self.faults.plan.faults[fault as usize].kind);
            let crash = matches!(kind, None | Some(FaultKind::Crash(_)));
            crash && entry.nodes.binary_search(&NodeId(node)).is_ok()
        };
        self.strikes.iter().copied().rev().find(dooms)
    }

    /// Everything of a machine that a crash takes, except its process.
    pub(crate) fn power_off<W: Watch<P>>(&mut self, node: u32, loses: Loses, watch: &mut W) -> Impact {
        let host = self.host_mut(node);
        host.incarnation = host.incarnation.checked_add(1).expect("a machine crashes at most 65 535 times in a run");
        (host.doomed, host.draining) = (false, false);
        let trouble = host.trouble_mut();
        (trouble.messages_waiting, trouble.effects_waiting) = (0, 0);
        let inbox = core::mem::take(&mut trouble.inbox);
        host.late = host.pauses > 0;
        self.faults.leaders.remove(&NodeId(node));
        let host = self.host_mut(node);
        let mut impact = Impact { timers_lost: host.timers.len() as u64, ..Impact::default() };
        host.timers.clear();
        let mut effects = host.disk.abandon();
        for late in inbox {
            match late {
                Late::Effect(effect) => effects.push_back(effect),
                Late::Disturbance { .. } => {}
                Late::Event(Event::Deliver { parcel }) => {
                    impact.messages_vanished += 1;
                    self.discard(parcel, Reason::CrashedReceiver, watch);
                }
                Late::Event(Event::Reset { parcel }) => self.discard(parcel, Reason::CrashedSender, watch),
                Late::Event(Event::Wake { .. }) => self.unfinished -= 1,
                Late::Event(Event::Done { .. }) => impact.timers_lost += 1,
                Late::Event(
                    Event::Timer { .. }
                    | Event::Start { .. }
                    | Event::Finished { .. }
                    | Event::Written { .. }
                    | Event::Gathered { .. }
                    | Event::Retransmit { .. }
                    | Event::Drain { .. }
                    | Event::Strike { .. }
                    | Event::End { .. }
                    | Event::Heal,
                ) => {}
            }
        }
        for effect in effects {
            impact.messages_unsent += self.forget(&effect);
        }
        impact.messages_unsent += self.silence(node, watch);
        self.abandon_work(node);
        impact.records_lost = self.cut_log(node, loses);
        impact
    }

    /// A point was reached. Whether a fault may have struck there.
    #[inline]
    pub(crate) fn reach<W: Watch<P>>(&mut self, node: u32, point: PointId, of: u32, watch: &mut W) -> bool {
        let at = NodeId(node);
        watch.point(self.now(), at, point, of);
        if self.faults.has_points {
            self.strike_at(at, point, of, watch);
        }
        self.faults.has_points
    }

    #[inline(never)]
    fn strike_at<W: Watch<P>>(&mut self, at: NodeId, point: PointId, of: u32, watch: &mut W) {
        for instance in self.faults.reach(self.queue.now(), point, of) {
            self.strike(instance, Some(at), watch);
        }
    }

    /// State changed: what it became enters the fingerprint.
    #[expect(clippy::inline_always, reason = "how many changes are noted at once is known where they are")]
    #[inline(always)]
    pub(crate) fn change<W: Watch<P>>(&mut self, node: u32, change: &[Delta], watch: &mut W) {
        for delta in change {
            self.fingerprint.eat(u64::from(delta.cell.0) << 32 | delta.key, delta.after as u64);
        }
        watch.change(self.now(), NodeId(node), change);
    }
}

/// Says what happens to a message.
#[expect(clippy::inline_always, reason = "at each call the passage is known, and all but one counter falls away")]
#[inline(always)]
pub(crate) fn tell<P: Process, W: Watch<P>>(now: Time, of: &Parcel<P::Message>, passage: Passage, watch: &mut W) {
    let (from, to) = (NodeId(of.from), NodeId(of.to));
    watch.message(now, MessageEvent { passage, id: of.order, from, to, kind: of.kind, bytes: of.bytes });
}
