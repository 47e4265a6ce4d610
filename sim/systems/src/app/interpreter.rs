//! Runs the steps of a frame until it must wait: for a worker, for work to be done, for an answer, for a decision.

use kernel::{Delay, Effects, Frame as Barrier, Sample, Time};

use super::clients;
use super::ending::Ending;
use super::frame::{Caller, Frame};
use super::machine::{Machine, Role, Timer};
use super::message::{CallResult, Failure, Message, Reply, system_errors};
use super::plan::{Draw, Instruction, Plan, Setting};
use super::spent::Waiting;
use super::station::{Admission, Worker};
use crate::database::Answer;
use crate::expression::Value;
use crate::variables::Variables;

/// The program counter of a prepare: it has no steps, the participant does its work.
pub(super) const PREPARE: u32 = u32::MAX;

/// The consumer of a message that begins a saga, as points know it.
pub(super) const TRIGGER: u32 = u32::MAX;

impl Machine {
    /// Runs a frame until it waits or ends. Not part of its caller's loop: it would look all of the plan up beforehand.
    #[inline(never)]
    pub(super) fn run(&mut self, plan: &Plan, now: Time, number: u32, out: &mut impl Effects<Self>) {
        let mut frame = self.frames.get(number);
        if frame.pc == PREPARE {
            self.run_prepare(plan, now, number, out);
            return;
        }
        frame.turn(now);
        out.frame(Barrier(frame.operation));
        if frame.late_check {
            frame.late_check = false;
            if now >= frame.deadline {
                // Its caller no longer waits: it is not begun.
                let failure = Failure::system(system_errors::TIMEOUT, true);
                self.finish(plan, now, number, CallResult::Failed(failure), out);
                return;
            }
        }
        let mut instruction = plan.program[frame.pc as usize];
        if instruction.takes_no_time() {
            instruction = self.pass(plan, number, out);
            frame = self.frames.get(number);
        }
        match instruction {
            Instruction::Work(draw) => {
                if frame.holds_worker || self.have_worker(plan, now, number, out) {
                    self.work(plan, number, draw, out);
                }
            }
            Instruction::Call(call) => {
                frame.pc += 1;
                self.call(plan, now, number, call, out);
            }
            Instruction::Return => {
                let Some(identity) = self.unstored(plan, number) else {
                    return self.conclude(plan, now, number, CallResult::Ok, out);
                };
                let answer = Answer::Done(answer(plan, self.frames.get(number)));
                self.store_answer(plan, number, (identity, answer), out);
            }
            Instruction::Fail(error) => self.fail(plan, now, number, Failure::business(error), out),
            Instruction::Sleep(draw) => {
                frame.pc += 1;
                frame.wait_for(Waiting::Work);
                let span = draw_span(plan, frame, draw);
                let token = self.wait(number);
                out.set_timer(Timer::Resume { frame: number, token }, Delay::Fixed(span));
            }
            Instruction::Query(query) => {
                frame.pc += 1;
                self.query(plan, now, number, query, out);
            }
            Instruction::Publish(publish) => {
                frame.pc += 1;
                self.publish(plan, now, number, publish, out);
            }
            Instruction::Consult(access) => {
                frame.pc += 1;
                frame.wait_for(Waiting::Data);
                self.consult(plan, now, number, access, out);
            }
            Instruction::Mark(mark) => {
                frame.pc += 1;
                self.mark(plan, now, number, mark, out);
            }
            Instruction::Transaction(transaction) => {
                frame.pc += 1;
                self.begin_transaction(plan, now, number, u32::from(transaction), out);
            }
            Instruction::Chance { .. }
            | Instruction::Branch { .. }
            | Instruction::Jump(_)
            | Instruction::Set(_)
            | Instruction::Reply
            | Instruction::Point(_) => unreachable!("what takes no time was passed"),
        }
    }

    /// Goes on to the next instruction that takes time, or ends, and gives it. Apart from `run`, which most often has none to
    /// pass: a loop there would look all of the plan up beforehand.
    #[inline(never)]
    fn pass(&mut self, plan: &Plan, number: u32, out: &mut impl Effects<Self>) -> Instruction {
        loop {
            let frame = self.frames.get(number);
            let instruction = plan.program[frame.pc as usize];
            match instruction {
                Instruction::Chance { draw, otherwise } => {
                    let law = &plan.draws[draw as usize];
                    let taken = law.law.integer(&mut law.key.draw(frame.operation, frame.hop, u64::from(frame.draws)));
                    frame.draws += 1;
                    frame.pc = if taken == 0 { otherwise } else { frame.pc + 1 };
                }
                Instruction::Branch { condition, otherwise } => {
                    // A condition about what is not there does not hold.
                    let holds = plan.conditions[usize::from(condition)].truth(&frame.variables) == Ok(true);
                    frame.pc = if holds { frame.pc + 1 } else { otherwise };
                }
                Instruction::Jump(to) => {
                    frame.turns += u32::from(to <= frame.pc);
                    frame.pc = to;
                }
                Instruction::Set(setting) => {
                    frame.pc += 1;
                    set(plan, frame, setting);
                }
                Instruction::Reply => {
                    frame.pc += 1;
                    self.reply_early(plan, number, out);
                }
                Instruction::Point(moment) => {
                    frame.pc += 1;
                    let (point, of) = plan.moments[usize::from(moment)];
                    out.point(point, of);
                }
                Instruction::Work(_)
                | Instruction::Sleep(_)
                | Instruction::Call(_)
                | Instruction::Fail(_)
                | Instruction::Transaction(_)
                | Instruction::Query(_)
                | Instruction::Publish(_)
                | Instruction::Consult(_)
                | Instruction::Mark(_)
                | Instruction::Return => return instruction,
            }
        }
    }

    /// A processor is busy with the frame, which has its worker.
    fn work(&mut self, plan: &Plan, number: u32, draw: u16, out: &mut impl Effects<Self>) {
        let frame = self.frames.wait(number);
        frame.pc += 1;
        frame.wait_for(Waiting::Work);
        let span = draw_span(plan, frame, draw);
        out.work(Timer::Resume { frame: number, token: frame.token }, span);
    }

    /// In an async service `work` needs a worker of its own. False if the frame has to wait for one.
    fn have_worker(&mut self, plan: &Plan, now: Time, number: u32, out: &mut impl Effects<Self>) -> bool {
        let Role::Server(server) = &mut self.role else { return true };
        let (service, node) = server.service(plan);
        match server.station.acquire(service, node, number, now, out) {
            Admission::Served => {
                let frame = self.frames.get(number);
                frame.holds_worker = true;
                frame.served = frame.served.or(Some(now));
                true
            }
            Admission::Waits => {
                self.frames.get(number).wait_for(Waiting::Worker);
                false
            }
            Admission::Refused => {
                self.overloaded(plan, now, number, out);
                false
            }
            Admission::Replaces(oldest) => {
                self.overloaded(plan, now, oldest, out);
                false
            }
        }
    }

    /// The frame waits: whatever was under way for it before is stale now.
    pub(super) fn wait(&mut self, number: u32) -> u64 {
        self.frames.wait(number).token
    }

    /// Work or sleep is over.
    pub(super) fn resume(&mut self, plan: &Plan, now: Time, (number, token): (u32, u64), out: &mut impl Effects<Self>) {
        let Some(frame) = self.frames.current(number, token) else { return };
        self.ready.push(number);
        if let Role::Server(server) = &mut self.role
            && frame.holds_worker
        {
            let (service, node) = server.service(plan);
            if !service.blocking {
                frame.holds_worker = false;
                if let Some(next) = server.station.release(service, node, now, out) {
                    self.serve(now, next);
                }
            }
        }
    }

    /// A frame fails; the answer of an idempotent op is stored first, if it is final.
    pub(super) fn fail(&mut self, plan: &Plan, now: Time, number: u32, failure: Failure, out: &mut impl Effects<Self>) {
        if let Some(identity) = self.unstored(plan, number).filter(|_| failure.business) {
            return self.store_answer(plan, number, (identity, Answer::Failed(failure.error)), out);
        }
        self.finish(plan, now, number, CallResult::Failed(failure), out);
    }

    /// A frame is over: its worker is free, its caller is answered.
    #[inline(never)]
    pub(super) fn finish(
        &mut self,
        plan: &Plan,
        now: Time,
        number: u32,
        result: CallResult,
        out: &mut impl Effects<Self>,
    ) {
        self.conclude(plan, now, number, result, out);
    }

    /// The same where its steps have come to their end, as nearly always.
    #[expect(
        clippy::inline_always,
        reason = "it is the end of each frame's last run, and elsewhere a function of its own"
    )]
    #[inline(always)]
    fn conclude(&mut self, plan: &Plan, now: Time, number: u32, result: CallResult, out: &mut impl Effects<Self>) {
        let frame = self.frames.get(number);
        frame.turn(now);
        out.frame(Barrier(frame.operation));
        let Role::Server(server) = &mut self.role else {
            return self.end_operation(plan, now, number, result, out);
        };
        match frame.caller {
            Caller::Saga(..) => return self.frames.end(number),
            Caller::Trigger(tag) => {
                let operation = frame.operation;
                self.frames.end(number);
                return Self::settle(plan, (tag, operation, TRIGGER), result, out);
            }
            Caller::Frame { .. }
            | Caller::Arrival(_)
            | Caller::User(..)
            | Caller::Coordinator
            | Caller::Answered
            | Caller::Delivery { .. } => {}
            Caller::Read { group, partition } => {
                if frame.op.is_none() {
                    self.frames.end(number);
                    return self.letter_done(plan, now, (group, partition), result, out);
                }
            }
        }
        let (caller, entered, served) = (frame.caller, frame.entered, frame.served);
        let (worker, op) = (if frame.holds_worker { Worker::Held } else { Worker::None }, frame.op);
        if let (Some(point), Some(op)) = (plan.points.before_reply, op) {
            out.point(point, op);
        }
        let (service, node) = server.service(plan);
        let next = server.station.leave(service, node, (entered, now), worker, out);
        if let Some(since) = served {
            let series = service.series[node as usize].service_time;
            out.measure(Sample { series, tag: ending(result).tag(), since, value: now.since(since) });
        }
        if let Some(next) = next {
            self.serve(now, next);
        }
        let frame = self.frames.get(number);
        match caller {
            Caller::Frame { .. } => {
                Self::reply(plan, frame, result, out);
                self.frames.end(number);
            }
            Caller::Delivery { tag, settled: false } => {
                let operation = frame.operation;
                self.frames.end(number);
                Self::settle(plan, (tag, operation, op.unwrap_or(TRIGGER)), result, out);
            }
            Caller::Read { group, partition } => {
                self.frames.end(number);
                self.letter_done(plan, now, (group, partition), result, out);
            }
            // A participant's vote is its answer; the others have been answered, or wait for nothing.
            Caller::Delivery { settled: true, .. }
            | Caller::Coordinator
            | Caller::Answered
            | Caller::Arrival(_)
            | Caller::User(..)
            | Caller::Saga(..)
            | Caller::Trigger(_) => self.frames.end(number),
        }
    }

    /// The caller is answered, and the frame goes on without it.
    fn reply_early(&mut self, plan: &Plan, number: u32, out: &mut impl Effects<Self>) {
        let frame = self.frames.get(number);
        if let Caller::Frame { .. } = frame.caller {
            Self::reply(plan, frame, CallResult::Ok, out);
            frame.caller = Caller::Answered;
            // Nobody waits any more: what is left to do has all the time it needs.
            frame.deadline = Time::END;
        }
        frame.clock = None;
    }

    /// Answers the frame that called, if one did.
    #[expect(clippy::inline_always, reason = "the answer is built near its place, not handed on from call to call")]
    #[inline(always)]
    pub(super) fn reply(plan: &Plan, frame: &mut Frame, result: CallResult, out: &mut impl Effects<Self>) {
        let Caller::Frame { node, frame: number, token, op } = frame.caller else { return };
        let values = match result {
            CallResult::Ok => answer(plan, frame),
            CallResult::Failed(_) => Variables::default(),
        };
        let reply = Reply {
            operation: frame.operation,
            hop: frame.hop,
            frame: number,
            token,
            bytes: plan.ops[op as usize].reply_size,
            result,
            values,
            clock: frame.clock.take(),
        };
        out.send(node, Message::Reply(reply));
    }
}

/// How a caller counts a result (docs/semantics.md, rule 25).
pub fn ending(result: CallResult) -> Ending {
    match result {
        CallResult::Ok => Ending::Ok,
        CallResult::Failed(Failure { business: true, .. }) => Ending::Reject,
        CallResult::Failed(Failure { certain: true, .. }) => Ending::Fail,
        CallResult::Failed(Failure { certain: false, .. }) => Ending::Info,
    }
}

/// What a frame answers.
#[expect(clippy::inline_always, reason = "the answer is built near its place, not handed on from call to call")]
#[inline(always)]
pub(super) fn answer(plan: &Plan, frame: &Frame) -> Variables {
    match (&frame.result, frame.op) {
        (Some(result), _) => result.clone(),
        (None, Some(op)) if plan.ops[op as usize].result.is_empty() => Variables::default(),
        (None, Some(op)) => plan.ops[op as usize].result.iter().map(|v| frame.variables.get(*v)).collect(),
        (None, None) => Variables::default(),
    }
}

/// Sets a variable of a frame.
fn set(plan: &Plan, frame: &mut Frame, setting: u16) {
    match &plan.settings[usize::from(setting)] {
        Setting::Value(variable, assignment) => {
            let value = assignment.value(&frame.variables).unwrap_or(Value::Null);
            frame.variables.set(*variable, value);
        }
        Setting::Drawn(variable, from) => {
            let number = clients::number_of(frame.operation);
            let drawn =
                |draw: &Draw| draw.law.integer(&mut draw.key.draw(frame.operation, frame.hop, u64::from(frame.turns)));
            let value = clients::value(from, frame.operation, (number, number), drawn);
            frame.variables.set(*variable, value);
        }
    }
}

/// The next draw of a frame.
#[inline]
fn draw_span(plan: &Plan, frame: &mut Frame, draw: u16) -> kernel::Span {
    let law = &plan.draws[draw as usize];
    let span = law.law.span(&mut law.key.draw(frame.operation, frame.hop, u64::from(frame.draws)));
    frame.draws += 1;
    span
}
