//! What a run tells whoever listens: recorders, judges, traces. Listening never changes a run.

use kernel::{Delta, Fact, NodeId, PointId, Process, Sample, SeriesId, Time};

use crate::ledger::{FaultEvent, Instance};

/// A listener. Every method does nothing unless it is written.
pub trait Watch<P: Process> {
    /// A process told its user.
    fn output(&mut self, _now: Time, _node: NodeId, _output: &P::Output) {}
    /// A process, or the hardware (crashed, recovered), stated a fact.
    fn fact(&mut self, _fact: Fact) {}
    /// Committed state changed: one change, to be judged after all of it.
    fn change(&mut self, _now: Time, _node: NodeId, _change: &[Delta]) {}
    /// Something was measured.
    fn sample(&mut self, _now: Time, _node: NodeId, _sample: Sample) {}
    /// A crash cut short what was being measured since `since`.
    fn cut_short(&mut self, _now: Time, _node: NodeId, _series: SeriesId, _since: Time) {}
    /// A process that is about to forget it tells a sum that it has kept.
    fn kept_sum(&mut self, _now: Time, _node: NodeId, _series: SeriesId, _sum: u128) {}
    /// A moment of a protocol was reached.
    fn point(&mut self, _now: Time, _node: NodeId, _point: PointId, _of: u32) {}
    /// A message leaves its sender for its receiver: what it says. `Sent` is told right after it. What waited for the disk was told as
    /// `withheld` under this number when it was said.
    fn letter(&mut self, _now: Time, _id: u64, _ends: (NodeId, NodeId), _message: &P::Message, _waited: Option<u32>) {}
    /// A process said a message that must wait for the disk, or until its machine goes on.
    fn withheld(&mut self, _now: Time, _node: NodeId, _waiting: u32) {}
    /// A link made a copy of a message: its number, and that of what it copies. `Duplicated` is told right after it.
    fn copied(&mut self, _now: Time, _copy: u64, _of: u64) {}
    /// A process set a timer, began a work or asked to be woken: the same value comes to it later.
    fn armed(&mut self, _now: Time, _node: NodeId, _timer: &P::Timer) {}
    /// A timer, finished work or a wake comes to its process: what it says until the end of the event it says because of it.
    fn fires(&mut self, _now: Time, _node: NodeId, _timer: &P::Timer) {}
    /// A sender hears that the connection of this message was reset.
    fn hears_reset(&mut self, _now: Time, _node: NodeId, _id: u64) {}
    /// A process appends a record to its log.
    fn persists(&mut self, _now: Time, _node: NodeId, _record: &P::Record) {}
    /// Something happened to a message.
    fn message(&mut self, _now: Time, _message: MessageEvent) {}
    /// Something happened to a fault.
    fn fault(&mut self, _now: Time, _instance: &Instance, _event: FaultEvent) {}
    /// A write of `records` log records became durable.
    fn fsync(&mut self, _now: Time, _node: NodeId, _records: u32) {}
    /// A write did not fit on the disk of a machine: no write of its ends any more, until a crash.
    fn disk_full(&mut self, _now: Time, _node: NodeId) {}
    /// A machine went down.
    fn crashed(&mut self, _now: Time, _node: NodeId) {}
    /// A machine came back; its process reads its log next.
    fn restarted(&mut self, _now: Time, _node: NodeId) {}
}

/// Nobody listens.
impl<P: Process> Watch<P> for () {}

/// Something that happened to a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MessageEvent {
    /// What.
    pub passage: Passage,
    /// Unique in the run, in the order in which messages were sent.
    pub id: u64,
    /// The sender.
    pub from: NodeId,
    /// The receiver.
    pub to: NodeId,
    /// Its kind, as [`kernel::Message::kind`].
    pub kind: u8,
    /// Its size on the wire.
    pub bytes: u32,
}

/// A station of a message's way. The first is always `Sent`; of a message that never left its sender nothing is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passage {
    /// It left its sender.
    Sent,
    /// It reached its receiver, which handles it.
    Delivered,
    /// One transmission was lost; TCP will try again.
    Lost(Reason),
    /// TCP sends it again.
    Retransmitted,
    /// The link made this copy of it, which is on its way, too.
    Duplicated,
    /// It waits for a cut link.
    Held,
    /// The cut that held it is over, and it is on its way again.
    Released,
    /// It will never arrive.
    Dropped(Reason),
    /// Its connection was reset before it could be delivered; the sender is told.
    Reset,
}

/// Why a message did not arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The link is lossy, by itself or by a fault.
    Loss,
    /// Its checksum failed.
    Corrupt,
    /// Too many bytes waited for the bandwidth of the link.
    BufferFull,
    /// The link is cut.
    Cut,
    /// The receiver was down, or went down with the message in its inbox.
    CrashedReceiver,
    /// It was addressed to an earlier incarnation of the receiver.
    StaleIncarnation,
    /// The sender went down before it could send again what was lost.
    CrashedSender,
    /// The inbox of the paused receiver was full.
    InboxFull,
}
