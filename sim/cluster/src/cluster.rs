//! The loop: takes the next event, lets the process of its machine handle it, and performs what the process says.

use alloc::sync::Arc;
use alloc::vec::Vec;

use kernel::{Digest, NodeId, Process, Queue, Seed, Time};

use crate::event::{Event, Handled, Kind, Trace};
use crate::hardware::Hardware;
use crate::host::{HOST_BYTES_MAX, Host, Late, Trouble};
use crate::ledger::Instance;
use crate::perform::Perform;
use crate::plan::FaultPlan;
use crate::timers::Pending;
use crate::watch::{Passage, Reason, Watch};
use crate::world::{INBOX_LIMIT, PAPERS_BYTES_MAX, Parcel, World, tell};

/// The protocol number of facts about a machine itself (crashed, recovered).
pub const MACHINE: u32 = u32::MAX;

/// A world of machines that run `P`, at one moment of its run. A clone goes on exactly as the original does.
pub struct Cluster<P: Process> {
    pub(crate) plan: Arc<P::Plan>,
    pub(crate) processes: Vec<P>,
    pub(crate) world: World<P>,
    handled: u64,
    /// When the last event was handled, and how many had been handled before that instant.
    instant: (Time, u64),
}

impl<P: Process> Clone for Cluster<P> {
    fn clone(&self) -> Self {
        Self {
            plan: Arc::clone(&self.plan),
            processes: self.processes.clone(),
            world: self.world.clone(),
            handled: self.handled,
            instant: self.instant,
        }
    }
}

impl<P: Process> Cluster<P> {
    /// All machines booted, at time 0. Their first events are pending in the order of the machines, before any fault.
    pub fn new(plan: Arc<P::Plan>, hardware: Hardware, faults: FaultPlan, seed: Seed) -> Self {
        const {
            assert!(size_of::<Event<P::Timer>>() <= 32, "an event has at most 32 bytes: a timer at most 24");
            assert!(size_of::<Host<P>>() <= HOST_BYTES_MAX, "a machine that does nothing has at most 88 bytes");
            assert!(
                size_of::<Option<Parcel<P::Message>>>()
                    <= size_of::<P::Message>().next_multiple_of(8) + PAPERS_BYTES_MAX,
                "the papers of a message have at most 48 bytes"
            );
        };
        let processes: Vec<P> = (0..hardware.nodes.len() as u32).map(|node| P::boot(&plan, NodeId(node))).collect();
        let mut world = World::new(&hardware, faults, seed);
        // It has more bytes than the machines that were made of it.
        drop(hardware);
        for (process, host) in processes.iter().zip(&mut world.hosts) {
            host.unfinished = process.unfinished();
            world.unfinished += host.unfinished;
        }
        Self { plan, processes, world, handled: 0, instant: (Time::ZERO, 0) }
    }

    /// Handles the next event; `None` if there is none.
    #[inline]
    pub fn step<W: Watch<P>>(&mut self, watch: &mut W) -> Option<Handled> {
        self.step_until(Time::END, watch)
    }

    /// Handles the next event if it is due by then; `None` if there is none.
    #[expect(clippy::inline_always, reason = "whoever drives a run most often looks at nothing of what was handled")]
    #[inline(always)]
    pub fn step_until<W: Watch<P>>(&mut self, latest: Time, watch: &mut W) -> Option<Handled> {
        let (time, sequence, event) = self.world.queue.pop_until(latest)?;
        let trace = self.handle(&event, watch);
        if !self.world.strikes.is_empty() {
            self.settle(watch);
        }
        let word = trace.word(sequence).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.world.fingerprint.eat(time.0, trace.digest.wrapping_add(word));
        if self.instant.0 != time {
            self.instant = (time, self.handled);
        }
        self.handled += 1;
        Some(Handled { time, sequence, node: trace.node(), kind: trace.kind(), digest: trace.digest })
    }

    /// When the next event is due.
    pub fn next_time(&mut self) -> Option<Time> {
        self.world.queue.next_time()
    }

    /// The time of the last event that was handled.
    pub fn now(&self) -> Time {
        self.world.now()
    }

    /// Over all events so far, and all faults.
    pub fn fingerprint(&self) -> u64 {
        self.world.fingerprint.value()
    }

    /// How many events were handled.
    pub fn events(&self) -> u64 {
        self.handled
    }

    /// How many events were handled in the instant of the last one. Time stands still while this grows: whoever runs the
    /// cluster sets a limit, and reaching it is an outcome of the run.
    #[inline]
    pub fn events_in_instant(&self) -> u64 {
        self.handled - self.instant.1
    }

    /// What keeps the run from being at rest: unfinished work of machines that are up, what the logs of the others owe,
    /// messages that are not background, and what waits for a disk. A running sum.
    pub fn unfinished(&self) -> u64 {
        self.world.unfinished
    }

    /// The process of a machine; an empty one while the machine is down.
    pub fn process(&self, node: NodeId) -> &P {
        &self.processes[node.0 as usize]
    }

    /// What the clock of a machine shows now, in nanoseconds.
    pub fn clock(&self, node: NodeId) -> i64 {
        self.world.host(node.0).clock.reading(self.now())
    }

    /// The plan of all processes.
    pub fn plan(&self) -> &P::Plan {
        &self.plan
    }

    /// How many machines there are.
    pub fn len(&self) -> usize {
        self.processes.len()
    }

    /// There are no machines.
    pub fn is_empty(&self) -> bool {
        self.processes.is_empty()
    }

    /// Whether a machine is up (perhaps paused).
    pub fn up(&self, node: NodeId) -> bool {
        self.world.hosts[node.0 as usize].up()
    }

    /// Whether a machine is paused.
    pub fn paused(&self, node: NodeId) -> bool {
        self.world.hosts[node.0 as usize].pauses > 0
    }

    /// The log of a machine, with what is not yet durable.
    pub fn log(&self, node: NodeId) -> &[P::Record] {
        self.world.hosts[node.0 as usize].disk.records()
    }

    /// How much of a machine's log is durable.
    pub fn durable(&self, node: NodeId) -> usize {
        self.world.hosts[node.0 as usize].disk.durable as usize
    }

    /// Every instance of every fault, in the order they were planned.
    pub fn ledger(&self) -> &[Instance] {
        &self.world.faults.ledger
    }

    /// What most often happens is decided here, everything else apart.
    #[expect(clippy::inline_always, reason = "it is the loop's body")]
    #[inline(always)]
    fn handle<W: Watch<P>>(&mut self, event: &Event<P::Timer>, watch: &mut W) -> Trace {
        match *event {
            Event::Deliver { parcel } => {
                let papers = self.world.parcels.at(parcel);
                let host = &self.world.hosts[papers.to as usize];
                // While a machine is down, its incarnation is already the next one.
                let ready = host.up() && host.incarnation == papers.to_incarnation && !host.late;
                if ready && !self.world.network.is_cut() {
                    return self.deliver(parcel, watch);
                }
            }
            Event::Done { node, incarnation, timer } | Event::Timer { node, incarnation, timer } => {
                let host = self.world.host_mut(node);
                if host.incarnation == incarnation && !host.late {
                    let kind = if let Event::Timer { .. } = event {
                        host.timers.remove(&timer);
                        Kind::Timer
                    } else {
                        Kind::Done
                    };
                    return self.fire(node, timer, kind, watch);
                }
            }
            Event::Wake { .. }
            | Event::Start { .. }
            | Event::Finished { .. }
            | Event::Written { .. }
            | Event::Gathered { .. }
            | Event::Retransmit { .. }
            | Event::Reset { .. }
            | Event::Drain { .. }
            | Event::Strike { .. }
            | Event::End { .. }
            | Event::Heal => {}
        }
        self.handle_rarer(*event, watch)
    }

    #[inline(never)]
    fn handle_rarer<W: Watch<P>>(&mut self, event: Event<P::Timer>, watch: &mut W) -> Trace {
        match event {
            Event::Deliver { parcel } => self.arrive(parcel, watch),
            Event::Timer { node, incarnation, .. }
            | Event::Done { node, incarnation, .. }
            | Event::Wake { node, incarnation, .. }
            | Event::Start { node, incarnation } => {
                let host = self.world.host(node);
                if host.incarnation != incarnation {
                    self.world.unfinished -= u64::from(matches!(event, Event::Wake { .. }));
                    return Trace::of(node, Kind::Stale);
                }
                if host.late {
                    self.world.postpone(node, Late::Event(event));
                    return Trace::of(node, Kind::Late);
                }
                self.act(event, watch)
            }
            Event::Finished { node } => {
                let timer = self.world.end_work(node);
                let host = self.world.host(node);
                let event = Event::Done { node, incarnation: host.incarnation, timer };
                if host.late {
                    self.world.postpone(node, Late::Event(event));
                    return Trace::of(node, Kind::Late);
                }
                self.act(event, watch)
            }
            Event::Reset { parcel } => {
                let papers = self.world.parcels.at(parcel);
                let (node, digest) = (papers.from, papers.message.digest());
                let host = self.world.host(node);
                if host.incarnation != papers.from_incarnation {
                    self.world.discard(parcel, Reason::CrashedSender, watch);
                    return Trace::of(node, Kind::Stale).with(digest);
                }
                if host.late {
                    self.world.postpone(node, Late::Event(event));
                    return Trace::of(node, Kind::Late).with(digest);
                }
                self.act(event, watch)
            }
            Event::Written { node, incarnation } => {
                if self.world.host(node).incarnation != incarnation {
                    return Trace::of(node, Kind::Stale);
                }
                let digest = self.world.written(node, watch);
                Trace::of(node, Kind::Written).with(digest)
            }
            Event::Gathered { node, incarnation } => {
                if self.world.host(node).incarnation != incarnation {
                    return Trace::of(node, Kind::Stale);
                }
                self.world.begin_write(node, watch);
                Trace::of(node, Kind::Gathered)
            }
            Event::Retransmit { from, to, stream } => {
                self.world.retransmit((from, to, stream), watch);
                Trace::of(from, Kind::Retransmit).with(u64::from(to))
            }
            Event::Drain { node, incarnation } => self.drain(node, incarnation, watch),
            Event::Strike { instance } => {
                self.world.strike(instance, None, watch);
                Trace::of(0, Kind::Strike).with(u64::from(instance))
            }
            Event::End { instance } => {
                self.end(instance, watch);
                Trace::of(0, Kind::End).with(u64::from(instance))
            }
            Event::Heal => {
                self.heal(watch);
                Trace::of(0, Kind::Heal)
            }
        }
    }

    /// A message comes to the end of its way, and something may keep it from its receiver.
    fn arrive<W: Watch<P>>(&mut self, parcel: u32, watch: &mut W) -> Trace {
        let world = &mut self.world;
        let papers = world.parcels.at(parcel);
        let (node, incarnation) = (papers.to, papers.to_incarnation);
        let cut = world.network.is_cut();
        let digest = papers.message.digest();
        let trace = Trace::of(node, Kind::Undelivered).with(digest);
        if cut && !world.arrives(parcel, watch) {
            return trace;
        }
        let host = &world.hosts[node as usize];
        let reason = if !host.up() {
            Reason::CrashedReceiver
        } else if host.incarnation != incarnation {
            Reason::StaleIncarnation
        } else if host.late && host.trouble().is_some_and(|trouble| trouble.messages_waiting >= INBOX_LIMIT) {
            Reason::InboxFull
        } else if host.late {
            world.postpone(node, Late::Event(Event::Deliver { parcel }));
            return Trace::of(node, Kind::Late).with(digest);
        } else {
            return self.deliver_after_all(parcel, watch);
        };
        let of = |trouble: &Trouble<P>| if reason == Reason::InboxFull { trouble.pause } else { trouble.crash };
        let culprit = host.trouble().and_then(of);
        if let Some(impact) = world.impact(culprit) {
            impact.messages_vanished += 1;
        }
        world.discard(parcel, reason, watch);
        trace
    }

    #[inline(never)]
    fn deliver_after_all<W: Watch<P>>(&mut self, parcel: u32, watch: &mut W) -> Trace {
        self.deliver(parcel, watch)
    }

    /// A message is handed to its receiver.
    #[expect(clippy::inline_always, reason = "it is the loop's body, and elsewhere a function of its own")]
    #[inline(always)]
    fn deliver<W: Watch<P>>(&mut self, parcel: u32, watch: &mut W) -> Trace {
        let papers = self.world.parcels.at(parcel);
        tell::<P, W>(self.world.now(), papers, Passage::Delivered, watch);
        let (digest, from, to) = (papers.message.digest(), NodeId(papers.from), papers.to);
        self.world.unfinished -= u64::from(!papers.background);
        let now = self.world.now();
        let process = &mut self.processes[to as usize];
        let message = self.world.parcels.take(parcel).message;
        let mut out = Perform::new(&mut self.world, watch, to);
        process.on_message(&self.plan, now, from, message, &mut out);
        out.finish();
        let unfinished = process.unfinished();
        self.world.count_unfinished(to, unfinished);
        Trace::of(to, Kind::Message).with(digest)
    }

    /// The process of a machine handles an event. Nothing stands in its way any more.
    fn act<W: Watch<P>>(&mut self, event: Event<P::Timer>, watch: &mut W) -> Trace {
        match event {
            Event::Deliver { parcel } => self.deliver_after_all(parcel, watch),
            Event::Reset { parcel } => {
                let papers = self.world.take(parcel);
                let digest = papers.message.digest();
                let (to, message) = (NodeId(papers.to), papers.message);
                watch.hears_reset(self.world.now(), NodeId(papers.from), papers.order);
                self.run(papers.from, watch, |process, plan, now, out| process.on_reset(plan, now, to, message, out));
                Trace::of(papers.from, Kind::Reset).with(digest)
            }
            Event::Timer { node, timer, .. } => {
                self.world.host_mut(node).timers.remove(&timer);
                self.fire_after_all(node, timer, Kind::Timer, watch)
            }
            Event::Done { node, timer, .. } => self.fire_after_all(node, timer, Kind::Done, watch),
            Event::Wake { node, timer, .. } => {
                self.world.unfinished -= 1;
                self.fire_after_all(node, timer, Kind::Wake, watch)
            }
            Event::Start { node, .. } => {
                self.start(node, watch);
                Trace::of(node, Kind::Start)
            }
            Event::Finished { .. }
            | Event::Written { .. }
            | Event::Gathered { .. }
            | Event::Retransmit { .. }
            | Event::Drain { .. }
            | Event::Strike { .. }
            | Event::End { .. }
            | Event::Heal => unreachable!("the hardware handles these itself"),
        }
    }

    #[inline(never)]
    fn fire_after_all<W: Watch<P>>(&mut self, node: u32, timer: P::Timer, kind: Kind, watch: &mut W) -> Trace {
        self.fire(node, timer, kind, watch)
    }

    /// A timer, finished work or a wake comes to its process.
    #[expect(clippy::inline_always, reason = "it is the loop's body, and elsewhere a function of its own")]
    #[inline(always)]
    fn fire<W: Watch<P>>(&mut self, node: u32, timer: P::Timer, kind: Kind, watch: &mut W) -> Trace {
        watch.fires(self.world.now(), NodeId(node), &timer);
        self.run(node, watch, |process, plan, now, out| process.on_timer(plan, now, timer, out));
        Trace::of(node, kind).with(timer.digest())
    }

    /// A process reads its log, which is lent to it meanwhile.
    pub(crate) fn start<W: Watch<P>>(&mut self, node: u32, watch: &mut W) {
        let host = self.world.host_mut(node);
        if host.trouble().is_some_and(|trouble| !trouble.gone.is_empty()) {
            let gone = core::mem::take(&mut host.trouble_mut().gone);
            watch.change(self.world.now(), NodeId(node), &gone);
        }
        let log = self.world.host_mut(node).disk.lend();
        self.run(node, watch, |process, plan, now, out| process.on_start(plan, now, &log, out));
        self.world.host_mut(node).disk.give_back(log);
        self.remind(node, watch);
    }

    /// One step of one process.
    #[expect(clippy::inline_always, reason = "it is the loop's body, and elsewhere a function of its own")]
    #[inline(always)]
    pub(crate) fn run<W: Watch<P>>(
        &mut self,
        node: u32,
        watch: &mut W,
        step: impl FnOnce(&mut P, &P::Plan, Time, &mut Perform<'_, P, W>),
    ) {
        let now = self.world.now();
        let process = &mut self.processes[node as usize];
        let mut out = Perform::new(&mut self.world, watch, node);
        step(process, &self.plan, now, &mut out);
        out.finish();
        let unfinished = process.unfinished();
        self.world.count_unfinished(node, unfinished);
    }

    /// A resumed machine handles the first of what waited for it.
    fn drain<W: Watch<P>>(&mut self, node: u32, incarnation: u16, watch: &mut W) -> Trace {
        let host = self.world.host_mut(node);
        if host.incarnation != incarnation {
            return Trace::of(node, Kind::Stale);
        }
        host.draining = false;
        if host.pauses > 0 {
            return Trace::of(node, Kind::Late);
        }
        let trouble = host.trouble_mut();
        let trace = match trouble.inbox.pop_front() {
            None => Trace::of(node, Kind::Late),
            Some(Late::Effect(effect)) => {
                trouble.effects_waiting -= 1;
                self.world.release(node, effect, watch);
                Trace::of(node, Kind::Released)
            }
            Some(Late::Disturbance { instance, active }) => {
                self.tell_disturbance(node, instance, active, watch);
                Trace::of(node, Kind::Disturbed).with(u64::from(instance))
            }
            Some(Late::Event(event)) => self.catch_up(node, event, watch),
        };
        self.drain_next(node);
        trace
    }

    /// Something late is handled, unless it was cancelled or replaced since.
    fn catch_up<W: Watch<P>>(&mut self, node: u32, event: Event<P::Timer>, watch: &mut W) -> Trace {
        let host = self.world.host_mut(node);
        match &event {
            Event::Deliver { .. } => host.trouble_mut().messages_waiting -= 1,
            Event::Timer { timer, .. } if host.timers.get(timer) != Some(Pending::Late) => {
                return Trace::of(node, Kind::Late);
            }
            Event::Timer { .. }
            | Event::Start { .. }
            | Event::Done { .. }
            | Event::Wake { .. }
            | Event::Finished { .. }
            | Event::Written { .. }
            | Event::Gathered { .. }
            | Event::Retransmit { .. }
            | Event::Reset { .. }
            | Event::Drain { .. }
            | Event::Strike { .. }
            | Event::End { .. }
            | Event::Heal => {}
        }
        self.act(event, watch)
    }

    /// Goes on with the inbox, or is through with it.
    pub(crate) fn drain_next(&mut self, node: u32) {
        let host = self.world.host_mut(node);
        if host.pauses > 0 || host.draining || host.doomed {
            return;
        }
        host.late = host.trouble().is_some_and(|trouble| !trouble.inbox.is_empty());
        if host.late {
            host.draining = true;
            let incarnation = host.incarnation;
            self.world.queue.arm(Queue::<Event<P::Timer>>::at_once(), Event::Drain { node, incarnation });
        }
    }
}
