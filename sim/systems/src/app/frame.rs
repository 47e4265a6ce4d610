//! A request in progress: a program counter, who waits for the answer, and what it is waiting for itself.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use kernel::{NodeId, Time};

use super::calls::Calling;
use super::consulting::Consulting;
use super::spent::{Clock, Waiting};
use crate::database::Receipt;
use crate::messaging::Tag;
use crate::variables::Variables;

/// A request in progress on one machine, or a client's operation.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Changes with every wait and on release, so that late answers, timeouts and resumes find it stale.
    pub token: u64,
    /// Next instruction.
    pub pc: u32,
    /// The root operation.
    pub operation: u64,
    /// Position in the call tree.
    pub hop: u64,
    /// Draws made so far: the `n` of the next one.
    pub draws: u32,
    /// Who gets the answer.
    pub caller: Caller,
    /// When it arrived here (for a client: the intended start).
    pub entered: Time,
    /// Where its time went, if somebody wants to know.
    pub clock: Option<Box<Clock>>,
    /// When it was first given a worker.
    pub served: Option<Time>,
    /// It has a worker now.
    pub holds_worker: bool,
    /// The call it waits for.
    pub calling: Option<Calling>,
    /// The request's variables.
    pub variables: Variables,
    /// Its caller waits until here.
    pub deadline: Time,
    /// Which op it serves, if it serves one.
    pub op: Option<u32>,
    /// Which step of a saga asks for it, from 1; else 0.
    pub step: u32,
    /// Its answer is stored: it, or one like it, has had its effect.
    pub stored: bool,
    /// What it answers; if nothing is said here, what its variables say at the end.
    pub result: Option<Variables>,
    /// How often it went back to an earlier instruction.
    pub turns: u32,
    /// How often it asked its database again.
    pub again: u32,
    /// It is not begun if its caller no longer waits.
    pub late_check: bool,
    /// It waits for the database.
    pub asks: bool,
    /// The query whose answer it waits for, if it is one.
    pub asking: Option<u16>,
    /// The saga whose beginning it waits for.
    pub beginning: Option<u16>,
    /// The first and the last of the records of a saga that it waits for.
    pub marking: Option<(u16, u16)>,
    /// The message whose effect it is, if that is remembered.
    pub receipt: Option<Receipt>,
    /// What it asks a replicated store, if it waits for that.
    pub consulting: Option<Box<Consulting>>,
    /// The publish whose confirmation it waits for.
    pub posting: Option<u16>,
    /// A saga that somebody else drove until now: what it asked for last may have been done, though nobody heard.
    pub resumed: bool,
}

impl Frame {
    /// A frame at this instruction, which nobody has served yet.
    pub fn new(caller: Caller, pc: u32, operation: u64, variables: Variables, now: Time) -> Self {
        Self {
            token: 0,
            pc,
            operation,
            hop: 0,
            draws: 0,
            caller,
            entered: now,
            clock: None,
            served: None,
            holds_worker: false,
            calling: None,
            variables,
            deadline: Time::END,
            op: None,
            step: 0,
            stored: false,
            result: None,
            turns: 0,
            again: 0,
            late_check: false,
            asks: false,
            asking: None,
            beginning: None,
            marking: None,
            receipt: None,
            consulting: None,
            posting: None,
            resumed: false,
        }
    }
}

impl Frame {
    /// The same as a new one, in the place of one that has ended. Every part is named, so that none stays as it was.
    #[inline]
    fn renew(&mut self, new: Caller, at: u32, root: u64, given: Variables, now: Time) {
        let Self {
            token: _,
            pc,
            operation,
            hop,
            draws,
            caller,
            entered,
            clock,
            served,
            holds_worker,
            calling,
            variables,
            deadline,
            op,
            step,
            stored,
            result,
            turns,
            again,
            late_check,
            asks,
            asking,
            beginning,
            marking,
            receipt,
            consulting,
            posting,
            resumed,
        } = self;
        (*pc, *operation, *hop, *draws, *caller, *entered) = (at, root, 0, 0, new, now);
        (*served, *holds_worker, *calling) = (None, false, None);
        (*variables, *deadline, *op, *step, *stored) = (given, Time::END, None, 0, false);
        (*turns, *again, *late_check, *asks) = (0, 0, false, false);
        (*asking, *beginning, *marking, *receipt) = (None, None, None, None);
        (*posting, *resumed) = (None, false);
        // What has memory of its own was given back when the last one ended.
        debug_assert!(clock.is_none() && result.is_none() && consulting.is_none(), "it has ended");
    }

    /// What it waited for is over.
    #[inline]
    pub fn turn(&mut self, now: Time) {
        if let Some(clock) = &mut self.clock {
            clock.turn(now);
        }
    }

    /// What it waits for from now on.
    #[inline]
    pub fn wait_for(&mut self, waiting: Waiting) {
        if let Some(clock) = &mut self.clock {
            clock.wait_for(waiting);
        }
    }
}

/// Who gets the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    /// A frame elsewhere, by node, frame and token; with the op it called.
    Frame {
        /// Its node.
        node: NodeId,
        /// Its number there.
        frame: u32,
        /// Its token at the call.
        token: u64,
        /// The op that was called.
        op: u32,
    },
    /// The open-loop operation with this number is over.
    Arrival(u64),
    /// This user of a closed loop thinks again; the operation's number.
    User(u32, u64),
    /// Nobody: a participant's vote is the answer to a prepare.
    Coordinator,
    /// Nobody any more: the answer was given before the end.
    Answered,
    /// Nobody: it is a saga of this kind, driven in this term, and holds no worker.
    Saga(u16, u32),
    /// The broker, about this delivery.
    Delivery {
        /// What was delivered.
        tag: Tag,
        /// It was acknowledged already.
        settled: bool,
    },
    /// The group that reads a topic: the letter of this partition is worked off. Without an op it holds no worker.
    Read {
        /// The group.
        group: u32,
        /// The partition.
        partition: u32,
    },
    /// The broker, about a delivery that begins a saga; it holds no worker.
    Trigger(Tag),
}

/// The token of a slot without a frame in progress.
const ENDED: u64 = 0;

/// The frames of one machine; numbers are used again, tokens are not, not even after a crash: an answer to the last
/// incarnation may still be on its way.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    slots: Vec<Frame>,
    free: Vec<u32>,
    tokens: u64,
    live: u32,
    /// Frames have clocks.
    clocks: bool,
}

impl Frames {
    /// No frames yet; those to come have clocks, or not.
    pub fn new(clocks: bool) -> Self {
        Self { clocks, ..Self::default() }
    }

    /// Frames in progress.
    pub fn len(&self) -> u32 {
        self.live
    }

    /// None in progress.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Stores a frame under a fresh token.
    pub fn put(&mut self, frame: Frame) -> u32 {
        let (number, place) = self.open(frame.caller, frame.pc, frame.operation, Variables::default(), frame.entered);
        let (token, clock) = (place.token, place.clock.take());
        *place = Frame { token, clock, ..frame };
        number
    }

    /// A new frame under a fresh token. It is made where it stays: frames are large.
    #[expect(clippy::inline_always, reason = "it is made where it stays, of what is at hand there")]
    #[inline(always)]
    pub fn open(
        &mut self,
        caller: Caller,
        pc: u32,
        operation: u64,
        variables: Variables,
        now: Time,
    ) -> (u32, &mut Frame) {
        let token = self.token();
        self.live += 1;
        let number = if let Some(number) = self.free.pop() {
            self.slots[number as usize].renew(caller, pc, operation, variables, now);
            number
        } else {
            self.slots.push(Frame::new(caller, pc, operation, variables, now));
            self.slots.len() as u32 - 1
        };
        let frame = &mut self.slots[number as usize];
        frame.token = token;
        if self.clocks {
            frame.clock = Some(Box::new(Clock::new(now)));
        }
        (number, frame)
    }

    /// A token no frame has had before.
    #[inline]
    pub fn token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    /// A new incarnation begins. No machine waits a thousand million times a second, so counting on from the time in
    /// nanoseconds gives tokens that no earlier incarnation gave.
    pub fn begin(&mut self, now: Time) {
        self.tokens = self.tokens.max(now.0);
    }

    /// The frame with this number, if it still has this token.
    #[inline]
    pub fn current(&mut self, number: u32, token: u64) -> Option<&mut Frame> {
        self.slots.get_mut(number as usize).filter(|frame| frame.token == token && token != ENDED)
    }

    /// The frame with this number: numbers are only kept by who knows that it is live.
    #[inline]
    pub fn get(&mut self, number: u32) -> &mut Frame {
        let frame = &mut self.slots[number as usize];
        debug_assert!(frame.token != ENDED, "the holder of a frame's number keeps it live");
        frame
    }

    /// The frame with this number waits: whatever was under way for it before is stale now.
    #[inline]
    pub fn wait(&mut self, number: u32) -> &mut Frame {
        let token = self.token();
        let frame = self.get(number);
        frame.token = token;
        frame
    }

    /// The frame with this number, if one is in progress.
    pub fn at(&self, number: u32) -> Option<&Frame> {
        self.slots.get(number as usize).filter(|frame| frame.token != ENDED)
    }

    /// Ends a frame.
    #[expect(clippy::inline_always, reason = "every frame ends, nearly all of them at one place")]
    #[inline(always)]
    pub fn end(&mut self, number: u32) {
        let frame = &mut self.slots[number as usize];
        debug_assert!(frame.token != ENDED, "a frame ends once");
        frame.token = ENDED;
        // Whoever shares them may change them in place from now on.
        frame.variables = Variables::default();
        frame.result = None;
        frame.clock = None;
        frame.consulting = None;
        self.free.push(number);
        self.live -= 1;
    }

    /// Every frame in progress, with its number.
    pub fn numbered(&self) -> impl Iterator<Item = (u32, &Frame)> {
        (0..).zip(&self.slots).filter(|(_, frame)| frame.token != ENDED)
    }

    /// Every frame in progress.
    pub fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.slots.iter().filter(|frame| frame.token != ENDED)
    }
}

/// Frames that can go on, in order: most often there is one.
#[derive(Clone, Debug, Default)]
pub struct Ready {
    first: Option<u32>,
    /// Those behind the first.
    others: VecDeque<u32>,
}

impl Ready {
    /// One more can.
    #[inline]
    pub fn push(&mut self, number: u32) {
        if self.first.is_none() {
            self.first = Some(number);
        } else {
            self.others.push_back(number);
        }
    }

    /// The next one.
    #[inline]
    pub fn pop(&mut self) -> Option<u32> {
        let next = self.first.take()?;
        if !self.others.is_empty() {
            self.first = self.others.pop_front();
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn a_renewed_frame_is_as_a_new_one() {
        let variables = Variables::default();
        let mut used = Frame {
            token: 9,
            pc: 1,
            operation: 2,
            hop: 3,
            draws: 4,
            caller: Caller::Answered,
            entered: Time(5),
            served: Some(Time(6)),
            holds_worker: true,
            deadline: Time(7),
            op: Some(8),
            step: 9,
            stored: true,
            turns: 10,
            again: 11,
            late_check: true,
            asks: true,
            asking: Some(12),
            beginning: Some(13),
            marking: Some((14, 15)),
            posting: Some(16),
            resumed: true,
            ..Frame::new(Caller::Coordinator, 0, 0, Variables::default(), Time(0))
        };
        used.renew(Caller::Arrival(1), 17, 18, variables.clone(), Time(19));
        let new = Frame { token: 9, ..Frame::new(Caller::Arrival(1), 17, 18, variables, Time(19)) };
        assert_eq!(format!("{used:?}"), format!("{new:?}"));
    }
}
