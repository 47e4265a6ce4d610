//! A process of a known type, as a machine of the application.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use kernel::{
    CellId, Delay, Delta, Digest as _, Disturbance, Effects, FactKind, Frame, Hit, NodeId, PointId, Sample, SeriesId,
    Span, Time,
};

use super::{Alarm, Answer, Caller, Entry, Guest, Host, Request, Sealed, Serve, Stage};
use crate::app::machine::Machine;
use crate::app::message::{Message, Request as Call};
use crate::app::plan::Plan;
use crate::app::record::Record;
use crate::app::timer::Timer;

/// What all machines of a service share.
pub(super) struct Part<P: Serve> {
    shared: Arc<Shared<P>>,
}

struct Shared<P: Serve> {
    plan: P::Plan,
    stage: Arc<Stage>,
}

impl<P: Serve> Part<P> {
    pub(super) fn new(plan: P::Plan, stage: Stage) -> Self {
        Self { shared: Arc::new(Shared { plan, stage: Arc::new(stage) }) }
    }
}

impl<P: Serve> fmt::Debug for Part<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({})", self.shared.stage.service)
    }
}

impl<P: Serve> Host for Part<P> {
    fn boot(&self, me: NodeId) -> Box<dyn Guest> {
        let shared = Arc::clone(&self.shared);
        let process = P::boot(&shared.plan, me);
        Box::new(Playing::<P> { process, shared, asked: BTreeMap::new(), requests: 0, alarms: BTreeMap::new() })
    }

    fn owed(&self, me: NodeId, log: &[Record]) -> u64 {
        P::owed(&self.shared.plan, me, &own_records::<P>(log))
    }
}

fn own_records<P: Serve>(log: &[Record]) -> Vec<P::Record> {
    let own = |record: &Record| record.guest()?.0.seen().downcast_ref::<P::Record>().cloned();
    log.iter().filter_map(own).collect()
}

/// One machine.
struct Playing<P: Serve> {
    process: P,
    shared: Arc<Shared<P>>,
    /// Requests without an answer.
    asked: BTreeMap<u64, Caller>,
    /// Requests so far.
    requests: u64,
    /// What its timers say, by digest, while one of them is on its way.
    alarms: BTreeMap<u64, Pending<P::Timer>>,
}

/// A timer's value, and how often it will still come.
#[derive(Clone, Copy, Debug)]
struct Pending<T> {
    says: T,
    /// As a timer.
    set: bool,
    /// As finished work, or as a wake.
    each: u32,
}

impl<P: Serve> fmt::Debug for Playing<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.process.fmt(f)
    }
}

impl<P: Serve> Playing<P> {
    /// Does something with the process, whose effects become the machine's.
    fn with<R>(
        &mut self,
        plan: &Plan,
        out: &mut dyn Effects<Machine>,
        act: impl FnOnce(&mut P, &P::Plan, &mut Said<'_, P>) -> R,
    ) -> R {
        let Self { process, shared, asked, alarms, .. } = self;
        act(process, &shared.plan, &mut Said { out, asked, alarms, plan, stage: &shared.stage })
    }

    fn alarm(&mut self, alarm: Alarm) -> Option<P::Timer> {
        let pending = self.alarms.get_mut(&alarm.says)?;
        if alarm.each {
            pending.each -= 1;
        } else {
            pending.set = false;
        }
        let Pending { says, set, each } = *pending;
        if !set && each == 0 {
            self.alarms.remove(&alarm.says);
        }
        Some(says)
    }
}

impl<P: Serve> Guest for Playing<P> {
    fn copy(&self) -> Box<dyn Guest> {
        Box::new(Self {
            process: self.process.clone(),
            shared: Arc::clone(&self.shared),
            asked: self.asked.clone(),
            requests: self.requests,
            alarms: self.alarms.clone(),
        })
    }

    fn on_start(&mut self, plan: &Plan, now: Time, log: &[Record], out: &mut dyn Effects<Machine>) {
        let log = own_records::<P>(log);
        self.with(plan, out, |process, own, out| process.on_start(own, now, &log, out));
    }

    fn on_request(&mut self, plan: &Plan, now: Time, from: NodeId, call: Call, out: &mut dyn Effects<Machine>) {
        self.requests += 1;
        let Call { op, operation, hop, frame, token, variables, .. } = call;
        self.asked.insert(self.requests, Caller { node: from, frame, token, op, operation, hop });
        let stage = Arc::clone(&self.shared.stage);
        let request = Request { id: self.requests, operation, hop, op, variables, stage };
        out.frame(Frame(operation));
        self.with(plan, out, |process, own, out| process.on_request(own, now, request, out));
    }

    fn on_message(&mut self, plan: &Plan, now: Time, from: NodeId, letter: Sealed, out: &mut dyn Effects<Machine>) {
        // What another protocol says to this machine is none of its business.
        let Ok(message) = letter.letter.open().downcast::<P::Message>() else { return };
        self.with(plan, out, |process, own, out| process.on_message(own, now, from, *message, out));
    }

    fn on_timer(&mut self, plan: &Plan, now: Time, alarm: Alarm, out: &mut dyn Effects<Machine>) {
        let Some(timer) = self.alarm(alarm) else { return };
        self.with(plan, out, |process, own, out| process.on_timer(own, now, timer, out));
    }

    fn on_reset(&mut self, plan: &Plan, now: Time, to: NodeId, letter: Sealed, out: &mut dyn Effects<Machine>) {
        let Ok(message) = letter.letter.open().downcast::<P::Message>() else { return };
        self.with(plan, out, |process, own, out| process.on_reset(own, now, to, *message, out));
    }

    fn on_disturbance(
        &mut self,
        plan: &Plan,
        now: Time,
        (disturbance, active): (Disturbance, bool),
        out: &mut dyn Effects<Machine>,
    ) {
        self.with(plan, out, |process, own, out| process.on_disturbance(own, now, disturbance, active, out));
    }

    fn unfinished(&self) -> u64 {
        self.process.unfinished()
    }

    fn volatile_cells(&self, mut each: &mut dyn FnMut(CellId, u64, i64)) {
        self.process.volatile_cells(&self.shared.plan, &mut each);
    }

    fn rows_on_disk(&self, mut each: &mut dyn FnMut(Delta)) {
        self.process.rows_on_disk(&self.shared.plan, &mut each);
    }

    fn open_samples(&self, mut each: &mut dyn FnMut(SeriesId, Time)) {
        self.process.open_samples(&self.shared.plan, &mut each);
    }
}

/// What a guest says, as a machine says it.
struct Said<'a, P: Serve> {
    out: &'a mut dyn Effects<Machine>,
    asked: &'a mut BTreeMap<u64, Caller>,
    alarms: &'a mut BTreeMap<u64, Pending<P::Timer>>,
    plan: &'a Plan,
    stage: &'a Stage,
}

impl<P: Serve> Said<'_, P> {
    fn pending(&mut self, timer: P::Timer) -> (u64, &mut Pending<P::Timer>) {
        let digest = timer.digest();
        let pending = self.alarms.entry(digest).or_insert(Pending { says: timer, set: false, each: 0 });
        assert!(pending.says == timer, "two timers with one digest: {:?} and {timer:?}", pending.says);
        (digest, pending)
    }

    fn each(&mut self, timer: P::Timer) -> Timer {
        let (says, pending) = self.pending(timer);
        pending.each += 1;
        Timer::Guest(Alarm { says, each: true })
    }
}

impl<P: Serve> Effects<P> for Said<'_, P> {
    fn frame(&mut self, frame: Frame) {
        self.out.frame(frame);
    }
    fn send(&mut self, to: NodeId, message: P::Message) {
        let sealed = Sealed { kinds_from: self.stage.kinds_from, letter: Box::new(message) };
        self.out.send(to, Message::Guest(sealed));
    }
    fn set_timer(&mut self, timer: P::Timer, after: Delay) {
        let (says, pending) = self.pending(timer);
        pending.set = true;
        self.out.set_timer(Timer::Guest(Alarm { says, each: false }), after);
    }
    fn cancel_timer(&mut self, timer: P::Timer) {
        let says = timer.digest();
        if let Some(pending) = self.alarms.get_mut(&says) {
            pending.set = false;
            if pending.each == 0 {
                self.alarms.remove(&says);
            }
        }
        self.out.cancel_timer(Timer::Guest(Alarm { says, each: false }));
    }
    fn work(&mut self, done: P::Timer, demand: Span) {
        let done = self.each(done);
        self.out.work(done, demand);
    }
    fn persist(&mut self, record: P::Record) {
        self.out.persist(Record::Guest(Entry(Arc::new(record))));
    }
    fn wake(&mut self, timer: P::Timer) {
        let timer = self.each(timer);
        self.out.wake(timer);
    }
    fn output(&mut self, answer: Answer) {
        // Who was answered before, or by whoever was here before a crash, is not answered again.
        let Some(caller) = self.asked.remove(&answer.to) else { return };
        self.out.send(caller.node, Message::Reply(caller.reply(self.plan, self.stage, &answer)));
    }
    fn fact(&mut self, protocol: u32, instance: u64, kind: FactKind) {
        self.out.fact(protocol, instance, kind);
    }
    fn point(&mut self, point: PointId, of: u32) {
        self.out.point(point, of);
    }
    fn note(&mut self, change: &[Delta]) {
        self.out.note(change);
    }
    fn measure(&mut self, sample: Sample) {
        self.out.measure(sample);
    }
    fn disturbed(&mut self, instance: u32) {
        self.out.disturbed(instance);
    }
    fn strikes(&mut self, instance: u32, what: Hit, drawn: bool) -> bool {
        self.out.strikes(instance, what, drawn)
    }
    fn clock(&self, now: Time) -> i64 {
        self.out.clock(now)
    }
    fn monotonic(&self, now: Time) -> i64 {
        self.out.monotonic(now)
    }
}
