//! The effects of one step, performed as they are said.

use core::mem::ManuallyDrop;

use kernel::{
    Delay, Delta, Digest, Effects, FactKind, Frame, Hit, NodeId, PointId, Process, Queue, Sample, Span, Time, fold,
};

use crate::disk::Gate;
use crate::event::Event;
use crate::host::{Late, Waiting};
use crate::timers::Pending;
use crate::watch::Watch;
use crate::world::World;

/// Where the process of one machine says its effects during one step.
pub(crate) struct Perform<'a, P: Process, W> {
    world: &'a mut World<P>,
    watch: &'a mut W,
    node: u32,
    incarnation: u16,
    frame: Frame,
    /// Nothing is being written and nothing waits in the inbox: whatever frame speaks, its effects happen at once.
    calm: bool,
    /// Which write the effects of this frame wait for.
    gate: Gate,
    /// Effects happen at once: nothing is being written for this frame, the machine is not paused, and none of its
    /// earlier effects still waits in the inbox.
    direct: bool,
    /// Something was appended to the log.
    appended: bool,
    /// The machine crashed in the middle of this step: nothing more happens.
    stopped: bool,
}

impl<'a, P: Process, W: Watch<P>> Perform<'a, P, W> {
    #[expect(clippy::inline_always, reason = "it belongs to every event, and a calm machine needs a few stores")]
    #[inline(always)]
    pub(crate) fn new(world: &'a mut World<P>, watch: &'a mut W, node: u32) -> Self {
        let host = world.host(node);
        let (incarnation, calm) = (host.incarnation, host.calm());
        let (gate, direct, stopped) = if calm { (Gate::Open, true, false) } else { host.doors(Frame(0)) };
        Self { incarnation, world, watch, node, frame: Frame(0), calm, gate, direct, appended: false, stopped }
    }

    /// The step is over: what it appended begins to be written.
    pub(crate) fn finish(self) {
        if self.appended && !self.stopped {
            self.world.begin_write(self.node, self.watch);
        }
    }

    #[inline(never)]
    fn look(&mut self) {
        let host = self.world.host(self.node);
        self.calm = host.calm();
        (self.gate, self.direct, self.stopped) = host.doors(self.frame);
    }

    /// A message that is not sent at once, or never.
    #[inline(never)]
    fn send_later(&mut self, to: NodeId, message: P::Message) {
        if self.stopped {
            return;
        }
        let parcel = self.world.accept(self.node, to, message);
        self.watch.withheld(self.world.now(), NodeId(self.node), parcel);
        self.wait(Waiting::Send(parcel));
    }

    /// An effect that does not happen at once.
    fn wait(&mut self, effect: Waiting<P>) {
        if self.gate == Gate::Open {
            return self.world.postpone(self.node, Late::Effect(effect));
        }
        let log = self.world.host_mut(self.node).disk.log().expect("an effect waits for what was appended");
        let batch = if self.gate == Gate::Current { &mut log.current } else { &mut log.next };
        batch.waiting.push_back(effect);
    }
}

impl<P: Process, W: Watch<P>> Effects<P> for Perform<'_, P, W> {
    #[inline]
    fn frame(&mut self, frame: Frame) {
        if self.frame != frame {
            self.frame = frame;
            if !self.calm {
                self.look();
            }
        }
    }

    #[expect(clippy::inline_always, reason = "what is put is built near its place, not handed on from call to call")]
    #[inline(always)]
    fn send(&mut self, to: NodeId, message: P::Message) {
        let message = ManuallyDrop::new(message);
        if self.direct && !self.stopped {
            self.world.post((self.node, self.incarnation), to, message, self.watch);
        } else {
            self.send_later(to, ManuallyDrop::into_inner(message));
        }
    }

    fn set_timer(&mut self, timer: P::Timer, after: Delay) {
        if self.stopped {
            return;
        }
        let (node, incarnation, clock) = (self.node, self.incarnation, self.world.host(self.node).clock);
        let mut lane = None;
        let after = match after {
            Delay::Fixed(span) => {
                if clock.drift == 0 {
                    lane = self.world.habits.lane(span, &mut self.world.queue);
                }
                span
            }
            Delay::Uniform { from, to, key, operation, n } => {
                assert!(from <= to, "a delay is drawn between its shortest and its longest");
                let width = u128::from(to.0 - from.0) + 1;
                Span(from.0 + ((width * u128::from(key.draw(operation, 0, n).bits())) >> 64) as u64)
            }
        };
        self.watch.armed(self.world.now(), NodeId(node), &timer);
        let event = Event::Timer { node, incarnation, timer };
        let handle = match lane {
            Some(lane) => self.world.queue.arm(lane, event),
            None if clock.drift == 0 => self.world.queue.after(after, event),
            None => self.world.queue.after(clock.true_span(after), event),
        };
        if let Some(Pending::Queued(old)) = self.world.host_mut(node).timers.insert(timer, Pending::Queued(handle)) {
            self.world.queue.cancel(old);
        }
    }

    fn clock(&self, now: Time) -> i64 {
        self.world.host(self.node).clock.reading(now)
    }

    fn monotonic(&self, now: Time) -> i64 {
        self.world.host(self.node).clock.unset(now)
    }

    fn cancel_timer(&mut self, timer: P::Timer) {
        if self.stopped {
            return;
        }
        if let Some(Pending::Queued(handle)) = self.world.host_mut(self.node).timers.remove(&timer) {
            self.world.queue.cancel(handle);
        }
    }

    fn work(&mut self, done: P::Timer, demand: Span) {
        if self.stopped {
            return;
        }
        let (node, incarnation) = (self.node, self.incarnation);
        self.watch.armed(self.world.now(), NodeId(node), &done);
        if self.world.host(node).cpu.is_some() {
            return self.world.begin_work(node, done, demand);
        }
        self.world.queue.after(demand, Event::Done { node, incarnation, timer: done });
    }

    fn persist(&mut self, record: P::Record) {
        if self.stopped {
            return;
        }
        let (now, node) = (self.world.now(), self.node);
        self.watch.persists(now, NodeId(node), &record);
        let disk = &mut self.world.host_mut(node).disk;
        let digest = record.digest();
        let instant = disk.instant;
        let log = disk.append(record);
        if instant {
            self.world.fingerprint.eat(now.0, fold(digest, u64::from(node)));
            self.watch.fsync(now, NodeId(node), 1);
        } else {
            log.next.frames.insert(self.frame);
            log.first.get_or_insert((self.frame, digest));
            log.digests.push_back(digest);
            (self.gate, self.direct, self.calm, self.appended) = (Gate::Next, false, false, true);
        }
    }

    fn wake(&mut self, timer: P::Timer) {
        if self.stopped {
            return;
        }
        self.world.unfinished += 1;
        self.watch.armed(self.world.now(), NodeId(self.node), &timer);
        if self.gate == Gate::Open {
            let (node, incarnation) = (self.node, self.incarnation);
            self.world.queue.arm(Queue::<Event<P::Timer>>::at_once(), Event::Wake { node, incarnation, timer });
        } else {
            self.wait(Waiting::Wake(timer));
        }
    }

    fn output(&mut self, output: P::Output) {
        if self.stopped {
            return;
        }
        if self.direct {
            self.watch.output(self.world.now(), NodeId(self.node), &output);
        } else {
            self.world.unfinished += 1;
            self.wait(Waiting::Output(output));
        }
    }

    fn fact(&mut self, protocol: u32, instance: u64, kind: FactKind) {
        if self.stopped {
            return;
        }
        let fact = Waiting::Fact(protocol, instance, kind);
        if self.direct { self.world.release(self.node, fact, self.watch) } else { self.wait(fact) }
    }

    fn point(&mut self, point: PointId, of: u32) {
        if self.stopped {
            return;
        }
        if self.direct {
            if self.world.reach(self.node, point, of, self.watch) {
                self.look();
            }
        } else {
            self.wait(Waiting::Point(point, of));
        }
    }

    #[expect(clippy::inline_always, reason = "how many changes are noted at once is known where they are")]
    #[inline(always)]
    fn note(&mut self, change: &[Delta]) {
        if !self.stopped {
            self.world.change(self.node, change, self.watch);
        }
    }

    #[expect(clippy::inline_always, reason = "of many series only a sum is kept, or nothing")]
    #[inline(always)]
    fn measure(&mut self, sample: Sample) {
        if !self.stopped {
            self.watch.sample(self.world.now(), NodeId(self.node), sample);
        }
    }

    fn disturbed(&mut self, instance: u32) {
        if !self.stopped {
            let entry = self.world.faults.ledger.get_mut(instance as usize);
            entry.expect("a process names an instance that it heard of").impact.disturbances += 1;
        }
    }

    fn strikes(&mut self, instance: u32, what: Hit, drawn: bool) -> bool {
        let strikes = self.world.faults.is_hit(instance, what).unwrap_or(drawn);
        if strikes && !self.stopped {
            self.world.faults.hit(instance, what).disturbances += 1;
        }
        strikes
    }
}
