//! The shape of a protocol: a state machine that takes events and says effects.
//!
//! A `Process` has no clock, no randomness, no I/O and no threads: the time comes in, a random delay is named and drawn
//! by the host. Effects are performed in the order they are said. `send`, `output`, `fact`, `point` and `wake` wait
//! behind the *persist barrier*: until every record that the same **frame** persisted before them, in this or an earlier
//! step, is durable; if the machine crashes first they never happen. So write-ahead is the order of two lines. Timers,
//! notes, samples and effects of disturbances do not wait.
//!
//! A `Vec<Effect>` implements `Effects`, so a test sees what a protocol says as data. `Within` embeds one protocol in
//! another process: alone and embedded, a protocol behaves the same.

use alloc::vec::Vec;
use core::fmt::Debug;
use core::hash::Hash;
use core::marker::PhantomData;

use crate::fact::FactKind;
use crate::fingerprint::Digest;
use crate::observe::{CellId, Delta, PointId, Sample, SeriesId};
use crate::random::Key;
use crate::time::{Span, Time};

/// A machine (or a client population) of the simulated world; dense from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub u32);

/// One request, or one instance of a protocol: the unit of the persist barrier, and the operation that random draws
/// made on its behalf are keyed by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Frame(pub u64);

/// What random draws for a message are keyed by (docs/semantics.md, rule 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route {
    /// The operation that caused the message.
    pub operation: u64,
    /// Which of the operation's messages it is: position in the call tree, attempt, sender and receiver, mixed.
    pub hop: u64,
}

/// A message on the simulated wire.
pub trait Message: Clone + Debug + Digest {
    /// What its random draws are keyed by.
    fn route(&self) -> Route;
    /// Its size on the wire, in bytes.
    fn bytes(&self) -> u32;
    /// A dense number of its kind, for counts by kind; below 256.
    fn kind(&self) -> u8;
    /// A poll or heartbeat, which does not keep the run from being at rest.
    fn background(&self) -> bool {
        false
    }
}

/// What a process writes to its log.
pub trait Record: Clone + Debug + Digest {
    /// Its size on the disk, in bytes.
    fn bytes(&self) -> u32;
}

/// How long a timer runs, on the node's own clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delay {
    /// Exactly this long.
    Fixed(Span),
    /// Drawn evenly between the two by the host, keyed by (key, operation, n).
    Uniform {
        /// The shortest.
        from: Span,
        /// The longest.
        to: Span,
        /// The consumer's key.
        key: Key,
        /// For which operation or instance.
        operation: u64,
        /// Which draw for it.
        n: u64,
    },
}

/// What a fault hits besides machines, named by what it is part of, so that others may come and go: a message on the wire, or
/// what a disturbance strikes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Hit {
    /// Its operation.
    pub operation: u64,
    /// The hop of the operation; of a disturbance whatever the process tells one from another by.
    pub hop: u64,
    /// Which transmission of that hop.
    pub number: u64,
}

/// A fault that acts inside a process, which alone knows what it means; the host only says when it is there.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Disturbance {
    /// What goes wrong; a number of the process's own.
    pub what: u32,
    /// Which instance of a fault it is: for [`Effects::disturbed`].
    pub instance: u32,
    /// How often it goes wrong, 0 to 1.
    pub chance: f64,
    /// What its draws are keyed by; each instance has its own.
    pub key: Key,
}

impl Disturbance {
    /// Whether it strikes this time: the `n`th for one hop of one operation.
    pub fn strikes(&self, operation: u64, hop: u64, n: u64) -> bool {
        self.key.draw(operation, hop, n).share() < self.chance
    }
}

/// A protocol, or a whole machine of the simulated world, as a state machine.
pub trait Process: Clone + Debug {
    /// What every node is configured with; shared, and never changed during a run.
    type Plan;
    /// What travels between nodes.
    type Message: Message;
    /// What a timer says when it is due. A value: setting an equal one replaces it.
    type Timer: Copy + Eq + Hash + Debug + Digest;
    /// What is written to the log.
    type Record: Record;
    /// What is told to whoever uses the protocol.
    type Output: Clone + Debug;

    /// A machine with empty memory. Called for each node at time 0 and again after each crash: nothing else survives.
    fn boot(plan: &Self::Plan, me: NodeId) -> Self;
    /// First event of an incarnation: `log` holds what was durable when the last one ended, empty at time 0.
    fn on_start(&mut self, plan: &Self::Plan, now: Time, log: &[Self::Record], out: &mut impl Effects<Self>);
    /// A message arrived.
    fn on_message(
        &mut self,
        plan: &Self::Plan,
        now: Time,
        from: NodeId,
        message: Self::Message,
        out: &mut impl Effects<Self>,
    );
    /// A timer is due, finished work or a `wake` came through.
    fn on_timer(&mut self, plan: &Self::Plan, now: Time, timer: Self::Timer, out: &mut impl Effects<Self>);
    /// The connection to `to` was reset before `message` could be delivered.
    fn on_reset(
        &mut self,
        plan: &Self::Plan,
        now: Time,
        to: NodeId,
        message: Self::Message,
        out: &mut impl Effects<Self>,
    );
    /// A disturbance is there from now on (`active`), or no longer. A state, not a signal: hearing the same twice, or of
    /// the end of one never heard of, means nothing. A machine that is down hears nothing; what is active when it comes
    /// back it hears right after `on_start`, which has forgotten all others.
    fn on_disturbance(
        &mut self,
        _plan: &Self::Plan,
        _now: Time,
        _disturbance: Disturbance,
        _active: bool,
        _out: &mut impl Effects<Self>,
    ) {
    }
    /// How much unfinished work is in memory here: open requests, transactions, sagas. Zero everywhere means at rest.
    fn unfinished(&self) -> u64;
    /// The same for a machine that is down: what its durable log says it still owes.
    fn owed(plan: &Self::Plan, me: NodeId, log: &[Self::Record]) -> u64;
    /// The cells that a crash sets back (queue lengths, busy workers, open calls), each with the value it had: the host
    /// reports them as changes to zero.
    fn volatile_cells(&self, plan: &Self::Plan, each: &mut impl FnMut(CellId, u64, i64));
    /// Rows that have been told and that nobody can state again once the disk is lost, as changes to nothing: the host tells
    /// them when the machine is back without what its disk held.
    fn rows_on_disk(&self, _plan: &Self::Plan, _each: &mut impl FnMut(Delta)) {}
    /// What is being measured and has not ended: the host closes these samples when a crash cuts them short, and the
    /// recorder when the run ends.
    fn open_samples(&self, _plan: &Self::Plan, _each: &mut impl FnMut(SeriesId, Time)) {}
    /// What is measured so often that only its sum is kept, here: told when a crash forgets it, and when the run ends.
    fn kept_sums(&self, _plan: &Self::Plan, _each: &mut impl FnMut(SeriesId, u128)) {}
}

/// Where a process says what should be done, in order.
pub trait Effects<P: Process> {
    /// What is said from here on belongs to this frame, until the next `frame` or the end of the step. A step begins in
    /// `Frame(0)`, the node's own.
    fn frame(&mut self, frame: Frame);
    /// Sends a message; behind the barrier.
    fn send(&mut self, to: NodeId, message: P::Message);
    /// Sets a timer, or replaces the pending one of the same value. Does not wait.
    fn set_timer(&mut self, timer: P::Timer, after: Delay);
    /// Forgets a pending timer, if there is one.
    fn cancel_timer(&mut self, timer: P::Timer);
    /// Uses a processor for `demand`; `done` comes to `on_timer` when it is finished. Cannot be cancelled.
    fn work(&mut self, done: P::Timer, demand: Span);
    /// Appends a record to the node's log and begins to make it durable.
    fn persist(&mut self, record: P::Record);
    /// `timer` comes to `on_timer` as soon as the barrier is passed; at once if nothing is being written.
    fn wake(&mut self, timer: P::Timer);
    /// Tells the user of the protocol; behind the barrier.
    fn output(&mut self, output: P::Output);
    /// States a fact for the judges; behind the barrier.
    fn fact(&mut self, protocol: u32, instance: u64, kind: FactKind);
    /// A named moment of the protocol was reached, for `of`; behind the barrier. A fault may strike here: then nothing
    /// that is said afterwards in this step happens.
    fn point(&mut self, point: PointId, of: u32);
    /// Committed state changed. One call is one change: promises are judged after it, not in the middle of it.
    fn note(&mut self, change: &[Delta]);
    /// Something was measured.
    fn measure(&mut self, sample: Sample);
    /// This instance of a disturbance just made a difference here. Does not wait.
    fn disturbed(&mut self, instance: u32);
    /// This instance of a disturbance may strike here, and by its draw it does or does not: whether it does. Who replays a
    /// run without chance knows what was struck. What strikes has made a difference. Does not wait.
    fn strikes(&mut self, instance: u32, _what: Hit, drawn: bool) -> bool {
        if drawn {
            self.disturbed(instance);
        }
        drawn
    }
    /// What the node's own clock shows at this time, in nanoseconds; before 0 if it was set too early. Right unless the
    /// hardware says otherwise.
    fn clock(&self, now: Time) -> i64 {
        i64::try_from(now.0).unwrap_or(i64::MAX)
    }
    /// The same of the clock that is never set: it drifts, and shows 0 at the beginning of time.
    fn monotonic(&self, now: Time) -> i64 {
        self.clock(now)
    }
}

/// One effect, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect<P: Process> {
    /// See [`Effects::frame`].
    Frame(Frame),
    /// See [`Effects::send`].
    Send(NodeId, P::Message),
    /// See [`Effects::set_timer`].
    SetTimer(P::Timer, Delay),
    /// See [`Effects::cancel_timer`].
    CancelTimer(P::Timer),
    /// See [`Effects::work`].
    Work(P::Timer, Span),
    /// See [`Effects::persist`].
    Persist(P::Record),
    /// See [`Effects::wake`].
    Wake(P::Timer),
    /// See [`Effects::output`].
    Output(P::Output),
    /// See [`Effects::fact`].
    Fact(u32, u64, FactKind),
    /// See [`Effects::point`].
    Point(PointId, u32),
    /// See [`Effects::note`].
    Note(Vec<Delta>),
    /// See [`Effects::measure`].
    Measure(Sample),
    /// See [`Effects::disturbed`].
    Disturbed(u32),
}

impl<P: Process> Effects<P> for Vec<Effect<P>> {
    fn frame(&mut self, frame: Frame) {
        self.push(Effect::Frame(frame));
    }
    fn send(&mut self, to: NodeId, message: P::Message) {
        self.push(Effect::Send(to, message));
    }
    fn set_timer(&mut self, timer: P::Timer, after: Delay) {
        self.push(Effect::SetTimer(timer, after));
    }
    fn cancel_timer(&mut self, timer: P::Timer) {
        self.push(Effect::CancelTimer(timer));
    }
    fn work(&mut self, done: P::Timer, demand: Span) {
        self.push(Effect::Work(done, demand));
    }
    fn persist(&mut self, record: P::Record) {
        self.push(Effect::Persist(record));
    }
    fn wake(&mut self, timer: P::Timer) {
        self.push(Effect::Wake(timer));
    }
    fn output(&mut self, output: P::Output) {
        self.push(Effect::Output(output));
    }
    fn fact(&mut self, protocol: u32, instance: u64, kind: FactKind) {
        self.push(Effect::Fact(protocol, instance, kind));
    }
    fn point(&mut self, point: PointId, of: u32) {
        self.push(Effect::Point(point, of));
    }
    fn note(&mut self, change: &[Delta]) {
        self.push(Effect::Note(change.to_vec()));
    }
    fn measure(&mut self, sample: Sample) {
        self.push(Effect::Measure(sample));
    }
    fn disturbed(&mut self, instance: u32) {
        self.push(Effect::Disturbed(instance));
    }
}

/// How protocol `P` sits inside process `O`. A value, so that one node can hold many instances of one protocol.
pub trait Embed<P: Process, O: Process> {
    /// Wraps a message.
    fn message(&self, message: P::Message) -> O::Message;
    /// Wraps a timer.
    fn timer(&self, timer: P::Timer) -> O::Timer;
    /// Wraps a record.
    fn record(&self, record: P::Record) -> O::Record;
    /// An output goes to the enclosing node, which is woken with it once the barrier is passed.
    fn output(&self, output: P::Output) -> O::Timer;
}

/// The adaptor that lets `P` say its effects inside `O`.
pub struct Within<'a, O, S, W> {
    out: &'a mut S,
    wrap: W,
    outer: PhantomData<O>,
}

impl<'a, O, S, W> Within<'a, O, S, W> {
    /// Wraps the enclosing process's effects for an embedded protocol.
    pub fn new(out: &'a mut S, wrap: W) -> Self {
        Self { out, wrap, outer: PhantomData }
    }
}

impl<P: Process, O: Process, S: Effects<O>, W: Embed<P, O>> Effects<P> for Within<'_, O, S, W> {
    fn frame(&mut self, frame: Frame) {
        self.out.frame(frame);
    }
    fn send(&mut self, to: NodeId, message: P::Message) {
        self.out.send(to, self.wrap.message(message));
    }
    fn set_timer(&mut self, timer: P::Timer, after: Delay) {
        self.out.set_timer(self.wrap.timer(timer), after);
    }
    fn cancel_timer(&mut self, timer: P::Timer) {
        self.out.cancel_timer(self.wrap.timer(timer));
    }
    fn work(&mut self, done: P::Timer, demand: Span) {
        self.out.work(self.wrap.timer(done), demand);
    }
    fn persist(&mut self, record: P::Record) {
        self.out.persist(self.wrap.record(record));
    }
    fn wake(&mut self, timer: P::Timer) {
        self.out.wake(self.wrap.timer(timer));
    }
    fn output(&mut self, output: P::Output) {
        self.out.wake(self.wrap.output(output));
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
