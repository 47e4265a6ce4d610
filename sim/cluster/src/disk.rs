//! The disk of one machine: its log, the writes of it, and what waits for them.
//!
//! The persist barrier needs no sorting: at most two writes are outstanding, the one in flight and the one that begins
//! when it ends. Each has the frames it will make durable and the effects that wait for it, in the order they were said.
//! Most machines of a large cluster never write a thing: what a log needs is there from its first record on.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use kernel::hashing::Set;
use kernel::{Frame, NodeId, Process, Record, Span, Time, fold};

use crate::event::Event;
use crate::host::{Late, Waiting};
use crate::plan::Loses;
use crate::watch::Watch;
use crate::world::World;

/// Log and disk of a machine.
#[derive(Clone)]
pub(crate) struct DiskState<P: Process> {
    /// An fsync takes no time.
    pub(crate) instant: bool,
    /// Which of the cluster's kinds of disks it is.
    pub(crate) kind: u32,
    /// How many records there are, lent out or not.
    pub(crate) length: u32,
    /// How many of them are durable.
    pub(crate) durable: u32,
    /// None before the first record.
    log: Option<Box<Log<P>>>,
}

/// The records of a machine, and how far they are written.
#[derive(Clone)]
pub(crate) struct Log<P: Process> {
    /// While a process reads its log at start, the records it reads are lent out and missing here.
    pub(crate) records: Vec<P::Record>,
    /// Digests of those that are not durable yet.
    pub(crate) digests: VecDeque<u64>,
    /// Until where the write in flight goes; as many as are durable if there is none.
    pub(crate) writing: u32,
    pub(crate) current: Batch<P>,
    pub(crate) next: Batch<P>,
    /// Frame and digest of the first record of the next write: its duration is drawn for them.
    pub(crate) first: Option<(Frame, u64)>,
    /// Until when the next write waits for more records, once it has one; only where the disk gathers.
    gathering: Option<Time>,
    /// Bytes of the log that are durable or being written; only where they are limited.
    used: u64,
    /// A write did not fit: no write ends any more.
    full: bool,
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
    pub(crate) const fn new(instant: bool, kind: u32) -> Self {
        Self { instant, kind, length: 0, durable: 0, log: None }
    }

    /// Every record is durable.
    #[inline]
    pub(crate) fn is_durable(&self) -> bool {
        self.durable == self.length
    }

    /// The records, but for those that are lent out.
    pub(crate) fn records(&self) -> &[P::Record] {
        self.log.as_ref().map_or(&[], |log| &log.records)
    }

    /// The log, once there is one.
    pub(crate) fn log(&mut self) -> Option<&mut Log<P>> {
        self.log.as_deref_mut()
    }

    /// One more record.
    pub(crate) fn append(&mut self, record: P::Record) -> &mut Log<P> {
        let log = self.log.get_or_insert_with(|| Box::new(Log::new()));
        log.records.push(record);
        self.length += 1;
        if self.instant {
            (self.durable, log.writing) = (self.length, self.length);
        }
        log
    }

    /// All records, to be read by a process that starts.
    pub(crate) fn lend(&mut self) -> Vec<P::Record> {
        self.log().map_or_else(Vec::new, |log| core::mem::take(&mut log.records))
    }

    /// What was lent comes back, before whatever was appended meanwhile.
    pub(crate) fn give_back(&mut self, mut records: Vec<P::Record>) {
        if let Some(log) = self.log() {
            records.append(&mut log.records);
            log.records = records;
        }
    }

    /// Which write an effect of this frame waits for.
    #[inline]
    pub(crate) fn gate(&self, frame: Frame) -> Gate {
        match &self.log {
            Some(log) if !self.is_durable() => {
                if log.next.frames.contains(frame) {
                    Gate::Next
                } else if log.current.frames.contains(frame) {
                    Gate::Current
                } else {
                    Gate::Open
                }
            }
            Some(_) | None => Gate::Open,
        }
    }

    /// The write in flight is durable. Returns how many records it had, a digest of all of them, and what waited for it.
    fn finish(&mut self) -> (u32, u64, VecDeque<Waiting<P>>) {
        let log = self.log.as_mut().expect("what is written stands in a log");
        let records = log.writing - self.durable;
        self.durable = log.writing;
        log.current.frames.clear();
        let digest = log.digests.drain(..records as usize).fold(0, fold);
        (records, digest, core::mem::take(&mut log.current.waiting))
    }

    /// Everything that waits for a write, in order: nothing will be written any more.
    pub(crate) fn abandon(&mut self) -> VecDeque<Waiting<P>> {
        let Some(log) = self.log() else { return VecDeque::new() };
        let mut effects = core::mem::take(&mut log.current.waiting);
        effects.append(&mut log.next.waiting);
        effects
    }
}

impl<P: Process> Log<P> {
    #[cold]
    fn new() -> Self {
        Self {
            records: Vec::new(),
            digests: VecDeque::new(),
            writing: 0,
            current: Batch::new(),
            next: Batch::new(),
            first: None,
            gathering: None,
            used: 0,
            full: false,
        }
    }

    /// Records wait and no write is in flight: the next one takes all of them.
    fn begin(&mut self, (length, durable): (u32, u32)) -> Option<(Frame, u64)> {
        if self.writing > durable || length == durable {
            return None;
        }
        self.writing = length;
        core::mem::swap(&mut self.current, &mut self.next);
        debug_assert!(self.next.frames.is_empty() && self.next.waiting.is_empty(), "no write was in flight");
        self.first.take()
    }

    /// How many bytes the records `from..to` of `length` have, which no process has been lent.
    fn bytes(&self, length: u32, from: u32, to: u32) -> u64 {
        let lent = length as usize - self.records.len();
        self.records[from as usize - lent..to as usize - lent].iter().map(|record| u64::from(record.bytes())).sum()
    }
}

impl<P: Process> World<P> {
    /// Begins to write what waits to be written, if the disk is free.
    pub(crate) fn begin_write<W: Watch<P>>(&mut self, node: u32, watch: &mut W) {
        let host = &mut self.hosts[node as usize];
        let (incarnation, length, durable) = (host.incarnation, host.disk.length, host.disk.durable);
        let hardware = &self.disks[host.disk.kind as usize];
        let Some(log) = host.disk.log() else { return };
        if hardware.group_commit > Span::ZERO && length > log.writing {
            let now = self.queue.now();
            let until = *log.gathering.get_or_insert_with(|| {
                let event = Event::Gathered { node, incarnation };
                self.queue.after(hardware.group_commit, event);
                now + hardware.group_commit
            });
            if now < until {
                return;
            }
        }
        if log.full {
            return;
        }
        if let Some((frame, digest)) = log.begin((length, durable)) {
            log.gathering = None;
            let mut draw = self.fsync.draw(frame.0, u64::from(node), digest);
            let mut span = hardware.fsync.span(&mut draw);
            if hardware.throughput.is_some() || hardware.capacity.is_some() {
                let bytes = log.bytes(length, durable, log.writing);
                span = hardware.throughput.map_or(span, |throughput| span + throughput.span(bytes));
                log.used += bytes;
                log.full = hardware.capacity.is_some_and(|capacity| log.used > capacity);
            }
            if log.full {
                watch.disk_full(self.queue.now(), NodeId(node));
            } else {
                self.queue.after(span, Event::Written { node, incarnation });
            }
        }
    }

    /// The write in flight is durable: its records enter the fingerprint, what waited for it happens, and the next
    /// write begins.
    pub(crate) fn written<W: Watch<P>>(&mut self, node: u32, watch: &mut W) -> u64 {
        let now = self.now();
        let disk = &mut self.hosts[node as usize].disk;
        let (records, digest, mut batch) = disk.finish();
        watch.fsync(now, NodeId(node), records);
        self.begin_write(node, watch);
        while let Some(effect) = batch.pop_front() {
            if self.host(node).doomed {
                let unsent = self.forget(&effect);
                let crash = self.doom(node);
                if let Some(of) = self.impact(crash) {
                    of.messages_unsent += unsent;
                }
            } else if self.host(node).late {
                // What waits already was said before.
                self.postpone(node, Late::Effect(effect));
            } else {
                self.release(node, effect, watch);
            }
        }
        if let Some(log) = self.host_mut(node).disk.log() {
            let spare = if log.current.waiting.capacity() == 0 { &mut log.current } else { &mut log.next };
            if spare.waiting.is_empty() {
                spare.waiting = batch;
            }
        }
        digest
    }

    /// What the disk of a machine still has after a crash. Returns how many records were lost.
    pub(crate) fn cut_log(&mut self, node: u32, loses: Loses) -> u64 {
        let (now, torn) = (self.now(), self.torn);
        let host = self.host_mut(node);
        let incarnation = host.incarnation;
        let DiskState { length, durable, log, .. } = &mut host.disk;
        let (kept, lost) = log.as_mut().map_or((0, 0), |log| {
            let kept = if loses.disk {
                0
            } else if log.full {
                *durable
            } else if !loses.unsynced {
                *length
            } else if log.writing == *durable {
                *durable
            } else {
                // Whole, absent or a prefix, each in a third of all crashes.
                let mut draw = torn.draw(u64::from(node), u64::from(incarnation), u64::from(*durable));
                let within = |n: u32, bits: u64| ((u128::from(n) * u128::from(bits)) >> 64) as u32;
                match within(3, draw.bits()) {
                    0 => log.writing,
                    1 => *durable,
                    _ => *durable + within(log.writing - *durable, draw.bits()),
                }
            };
            let lost = *length - kept;
            log.records.truncate(kept as usize);
            log.digests.clear();
            (*length, *durable, log.writing, log.first) = (kept, kept, kept, None);
            (log.gathering, log.full) = (None, false);
            if log.used > 0 {
                log.used = log.bytes(kept, 0, kept);
            }
            log.current.frames.clear();
            log.next.frames.clear();
            (kept, u64::from(lost))
        });
        self.fingerprint.eat(now.0, fold(u64::from(kept), lost));
        lost
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
