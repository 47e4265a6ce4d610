//! One machine as the hardware sees it: its life, its timers, its disk and what waits for it.
//!
//! Of a machine that does nothing there is little: what every event asks for stands here, everything else is elsewhere
//! and comes into being when it is first needed.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use kernel::{Delta, FactKind, Frame, PointId, Process};

use crate::cpu::Cpu;
use crate::disk::{DiskState, Gate};
use crate::event::Event;
use crate::hardware::{Clock, NodeHardware};
use crate::timers::Timers;

/// What a machine that does nothing takes, whatever its process is; six bytes more are in the network.
pub(crate) const HOST_BYTES_MAX: usize = 88;

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
    /// What the process, or its log while it is down, says is unfinished.
    pub(crate) unfinished: u64,
    pub(crate) timers: Timers<P::Timer>,
    pub(crate) clock: Clock,
    /// Processors that are shared or may be slowed; none where a work takes what it demands.
    pub(crate) cpu: Option<Box<Cpu<P::Timer>>>,
    pub(crate) disk: DiskState<P>,
    /// None before the first crash or pause.
    trouble: Option<Box<Trouble<P>>>,
}

/// What crashes and pauses have left behind on a machine.
#[derive(Clone)]
pub(crate) struct Trouble<P: Process> {
    /// The instances that are to be told what they hit.
    pub(crate) crash: Option<u32>,
    pub(crate) pause: Option<u32>,
    pub(crate) inbox: VecDeque<Late<P>>,
    /// Messages in the inbox.
    pub(crate) messages_waiting: u32,
    /// Effects in the inbox: what is said later comes behind them.
    pub(crate) effects_waiting: u32,
    /// What a lost disk held, to be told when the machine is back.
    pub(crate) gone: Vec<Delta>,
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

impl<P: Process> Host<P> {
    pub(crate) fn new(node: &NodeHardware, disk: u32, cpu: Option<Box<Cpu<P::Timer>>>) -> Self {
        Self {
            incarnation: 0,
            doomed: false,
            late: false,
            draining: false,
            crashes: 0,
            pauses: 0,
            unfinished: 0,
            timers: Timers::new(),
            clock: node.clock,
            cpu,
            disk: DiskState::new(node.disk.is_instant(), disk),
            trouble: None,
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

    /// What crashes and pauses have left behind, if there were any.
    pub(crate) fn trouble(&self) -> Option<&Trouble<P>> {
        self.trouble.as_deref()
    }

    /// The same, to be changed.
    pub(crate) fn trouble_mut(&mut self) -> &mut Trouble<P> {
        self.trouble.get_or_insert_with(|| Box::new(Trouble::new()))
    }

    /// Which write the effects of a frame wait for, whether they happen at once, and whether nothing happens any more.
    #[inline(never)]
    pub(crate) fn doors(&self, frame: Frame) -> (Gate, bool, bool) {
        let gate = self.disk.gate(frame);
        let nothing_waits = self.trouble().is_none_or(|trouble| trouble.effects_waiting == 0);
        (gate, gate == Gate::Open && self.pauses == 0 && nothing_waits, self.doomed)
    }
}

impl<P: Process> Trouble<P> {
    #[cold]
    fn new() -> Self {
        Self {
            crash: None,
            pause: None,
            inbox: VecDeque::new(),
            messages_waiting: 0,
            effects_waiting: 0,
            gone: Vec::new(),
        }
    }
}
