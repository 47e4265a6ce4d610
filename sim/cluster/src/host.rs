//! One machine as the hardware sees it: its life, its timers, its log and what waits for its disk.
//!
//! The persist barrier needs no sorting: at most two writes are outstanding, the one in flight and the one that begins
//! when it ends. Each has the frames it will make durable and the effects that wait for it, in the order they were said.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use kernel::hashing::Set;
use kernel::{Delta, FactKind, Frame, PointId, Process, Record, Time, fold};

use crate::cpu::Cpu;
use crate::event::Event;
use crate::hardware::{Clock, NodeHardware};
use crate::timers::Timers;

/// A machine.
#[derive(Clone)]
pub(crate) struct Host<P: Process> {
    /// Its life; a crash begins the next one. Messages and events carry the one they belong to.
    pub(crate) incarnation: u16,
    /// A crash was decided in the middle of a step: nothing that is said from here on happens.
    pub(crate) doomed: bool,
    /// Events go to the inbox: it is paused, or something in there must come first.
    pub(crate) late: bool,
    /// A `Drain` is on its way.
    pub(crate) draining: bool,
    /// Leases of crashes and pauses: down while there is one of the first, paused while there is one of the second.
    pub(crate) crashes: u16,
    pub(crate) pauses: u16,
    /// The instances that are to be told what they hit.
    pub(crate) crash: Option<u32>,
    pub(crate) pause: Option<u32>,
    /// What the process, or its log while it is down, says is unfinished.
    pub(crate) unfinished: u64,
    pub(crate) timers: Timers<P::Timer>,
    pub(crate) inbox: VecDeque<Late<P>>,
    /// Messages in the inbox.
    pub(crate) messages_waiting: u32,
    /// Effects in the inbox: what is said later comes behind them.
    pub(crate) effects_waiting: u32,
    /// What a lost disk held, to be told when the machine is back.
    pub(crate) gone: Vec<Delta>,
    pub(crate) clock: Clock,
    /// Processors that are shared or may be slowed; none where a work takes what it demands.
    pub(crate) cpu: Option<Box<Cpu<P::Timer>>>,
    pub(crate) disk: DiskState<P>,
}

/// What waits for a paused machine.
#[derive(Clone)]
pub(crate) enum Late<P: Process> {
    Event(Event<P::Timer>),
    Effect(Waiting<P>),
    Disturbance { instance: u32, active: bool },
}

/// An effect behind the barrier.
#[derive(Clone)]
pub(crate) enum Waiting<P: Process> {
    Send(u32),
    Output(P::Output),
    Fact(u32, u64, FactKind),
    Point(PointId, u32),
    Wake(P::Timer),
}

/// Log and disk of a machine.
#[derive(Clone)]
pub(crate) struct DiskState<P: Process> {
    /// An fsync takes no time.
    pub(crate) instant: bool,
    /// The records. While a process reads its log at start, those it reads are lent out and missing here.
    pub(crate) log: Vec<P::Record>,
    /// Digests of those that are not durable yet.
    pub(crate) digests: VecDeque<u64>,
    /// How many records there are, lent out or not.
    pub(crate) length: u32,
    /// How many of them are durable.
    pub(crate) durable: u32,
    /// Until where the write in flight goes; `durable` if there is none.
    pub(crate) writing: u32,
    pub(crate) current: Batch<P>,
    pub(crate) next: Batch<P>,
    /// Frame and digest of the first record of the next write: its duration is drawn for them.
    pub(crate) first: Option<(Frame, u64)>,
    /// Until when the next write waits for more records, once it has one; only where the disk gathers.
    pub(crate) gathering: Option<Time>,
    /// Bytes of the log that are durable or being written; only where they are limited.
    pub(crate) used: u64,
    /// A write did not fit: no write ends any more.
    pub(crate) full: bool,
}

/// One write, in flight or still to begin.
#[derive(Clone)]
pub(crate) struct Batch<P: Process> {
    pub(crate) frames: Frames,
    pub(crate) waiting: VecDeque<Waiting<P>>,
}

/// The frames of a write. Most have a few, which are found sooner by looking at each than by a hash.
#[derive(Clone, Default)]
pub(crate) struct Frames {
    few: Vec<Frame>,
    others: Set<Frame>,
}

/// So many are few.
const FEW: usize = 8;

/// Which write an effect waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    Open,
    Current,
    Next,
}

impl<P: Process> Host<P> {
    pub(crate) fn new(node: &NodeHardware, cpu: Option<Box<Cpu<P::Timer>>>) -> Self {
        Self {
            incarnation: 0,
            doomed: false,
            late: false,
            draining: false,
            crashes: 0,
            pauses: 0,
            crash: None,
            pause: None,
            unfinished: 0,
            timers: Timers::new(),
            inbox: VecDeque::new(),
            messages_waiting: 0,
            effects_waiting: 0,
            gone: Vec::new(),
            clock: node.clock,
            cpu,
            disk: DiskState {
                instant: node.disk.is_instant(),
                log: Vec::new(),
                digests: VecDeque::new(),
                length: 0,
                durable: 0,
                writing: 0,
                current: Batch::new(),
                next: Batch::new(),
                first: None,
                gathering: None,
                used: 0,
                full: false,
            },
        }
    }

    #[inline]
    pub(crate) fn up(&self) -> bool {
        self.crashes == 0
    }

    /// Nothing is being written and nothing waits in the inbox: whatever frame speaks, its effects happen at once.
    #[inline]
    pub(crate) fn calm(&self) -> bool {
        !self.late && !self.doomed && self.disk.is_durable()
    }

    /// Which write the effects of a frame wait for, whether they happen at once, and whether nothing happens any more.
    #[inline(never)]
    pub(crate) fn doors(&self, frame: Frame) -> (Gate, bool, bool) {
        let gate = self.disk.gate(frame);
        (gate, gate == Gate::Open && self.pauses == 0 && self.effects_waiting == 0, self.doomed)
    }
}

impl<P: Process> Batch<P> {
    fn new() -> Self {
        Self { frames: Frames::default(), waiting: VecDeque::new() }
    }
}

impl Frames {
    pub(crate) fn insert(&mut self, frame: Frame) {
        if self.contains(frame) {
            return;
        }
        if self.few.len() < FEW {
            self.few.push(frame);
        } else {
            self.others.insert(frame);
        }
    }

    #[inline]
    pub(crate) fn contains(&self, frame: Frame) -> bool {
        self.few.contains(&frame) || !self.others.is_empty() && self.others.contains(&frame)
    }

    pub(crate) fn clear(&mut self) {
        self.few.clear();
        if !self.others.is_empty() {
            self.others.clear();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.few.is_empty()
    }
}

impl<P: Process> DiskState<P> {
    /// Every record is durable.
    #[inline]
    pub(crate) fn is_durable(&self) -> bool {
        self.durable == self.length
    }

    /// Which write an effect of this frame waits for.
    #[inline]
    pub(crate) fn gate(&self, frame: Frame) -> Gate {
        if self.is_durable() {
            Gate::Open
        } else if self.next.frames.contains(frame) {
            Gate::Next
        } else if self.current.frames.contains(frame) {
            Gate::Current
        } else {
            Gate::Open
        }
    }

    /// Records wait and no write is in flight: the next one takes all of them.
    pub(crate) fn begin(&mut self) -> Option<(Frame, u64)> {
        if self.writing > self.durable || self.length == self.durable {
            return None;
        }
        self.writing = self.length;
        core::mem::swap(&mut self.current, &mut self.next);
        debug_assert!(self.next.frames.is_empty() && self.next.waiting.is_empty(), "no write was in flight");
        self.first.take()
    }

    /// How many bytes the records `from..to` have, which no process has been lent.
    pub(crate) fn bytes(&self, from: u32, to: u32) -> u64 {
        let lent = self.length as usize - self.log.len();
        self.log[from as usize - lent..to as usize - lent].iter().map(|record| u64::from(record.bytes())).sum()
    }

    /// The write in flight is durable. Returns how many records it had and a digest of all of them; its effects stand in
    /// `current.waiting`.
    pub(crate) fn finish(&mut self) -> (u32, u64) {
        let records = self.writing - self.durable;
        self.durable = self.writing;
        self.current.frames.clear();
        (records, self.digests.drain(..records as usize).fold(0, fold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_a_write_are_found_whether_few_or_many() {
        for count in [0, 1, FEW as u64, 3 * FEW as u64] {
            let mut frames = Frames::default();
            for _ in 0..2 {
                (0..count).for_each(|n| frames.insert(Frame(n * n)));
                assert!((0..count).all(|n| frames.contains(Frame(n * n))));
                assert!(!frames.contains(Frame(2)) && frames.is_empty() == (count == 0));
            }
            frames.clear();
            assert!(frames.is_empty() && (0..count).all(|n| !frames.contains(Frame(n * n))));
        }
    }
}
