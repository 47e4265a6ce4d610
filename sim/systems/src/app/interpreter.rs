//! Runs the steps of a frame until it must wait: for a worker, for work to be done, for an answer, for a decision.

use kernel::{Delay, Effects, Frame as Barrier, NodeId, Sample, Time, fold};

use super::ending::Ending;
use super::frame::{Caller, Frame};
use super::machine::{Machine, Role, Timer};
use super::message::{CallResult, Failure, Message, Reply, Request};
use super::plan::{Instruction, Otherwise, Plan};
use super::station::{Admission, Worker};

/// The program counter of a prepare: it has no steps, the participant does its work.
pub(super) const PREPARE: u32 = u32::MAX;

/// What an answer must know of the request.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    caller: Caller,
    operation: u64,
    hop: u64,
}

impl Asked {
    #[inline]
    pub(super) fn of(frame: &Frame) -> Self {
        Self { caller: frame.caller, operation: frame.operation, hop: frame.hop }
    }
}

impl Machine {
    /// Runs a frame until it waits or ends. Not part of its caller's loop: it would look all of the plan up beforehand.
    #[inline(never)]
    pub(super) fn run(&mut self, plan: &Plan, now: Time, number: u32, out: &mut impl Effects<Self>) {
        let frame = self.frames.get(number);
        if frame.pc == PREPARE {
            self.run_prepare(plan, now, number, out);
            return;
        }
        out.frame(Barrier(frame.operation));
        loop {
            let frame = self.frames.get(number);
            let instruction = plan.program[frame.pc as usize];
            match instruction {
                Instruction::Work(draw) => {
                    if !self.have_worker(plan, now, number, out) {
                        return;
                    }
                    let token = self.frames.token();
                    let frame = self.frames.get(number);
                    frame.token = token;
                    frame.pc += 1;
                    let span = draw_span(plan, frame, draw);
                    out.work(Timer::Resume { frame: number, token }, span);
                    return;
                }
                Instruction::Sleep(draw) => {
                    frame.pc += 1;
                    let span = draw_span(plan, frame, draw);
                    let token = self.wait(number);
                    out.set_timer(Timer::Resume { frame: number, token }, Delay::Fixed(span));
                    return;
                }
                Instruction::Call(call) => {
                    frame.pc += 1;
                    self.call(plan, now, number, call, out);
                    return;
                }
                Instruction::Chance { draw, otherwise } => {
                    frame.pc += 1;
                    let law = &plan.draws[draw as usize];
                    let taken = law.law.integer(&mut law.key.draw(frame.operation, frame.hop, u64::from(frame.draws)));
                    frame.draws += 1;
                    if taken == 0 {
                        frame.pc = otherwise;
                    }
                }
                Instruction::Fail(error) => {
                    self.finish(plan, now, number, CallResult::Failed(Failure::business(error)), out);
                    return;
                }
                Instruction::Transaction(transaction) => {
                    frame.pc += 1;
                    self.begin_transaction(plan, now, number, u32::from(transaction), out);
                    return;
                }
                Instruction::Return => {
                    self.finish(plan, now, number, CallResult::Ok, out);
                    return;
                }
            }
        }
    }

    /// In an async service `work` needs a worker of its own. False if the frame has to wait for one.
    fn have_worker(&mut self, plan: &Plan, now: Time, number: u32, out: &mut impl Effects<Self>) -> bool {
        let Role::Server(server) = &mut self.role else { return true };
        if self.frames.get(number).holds_worker {
            return true;
        }
        let (service, node) = plan.service(self.me);
        match server.station.acquire(service, node, number, now, out) {
            Admission::Served => {
                let frame = self.frames.get(number);
                frame.holds_worker = true;
                frame.served = frame.served.or(Some(now));
                true
            }
            Admission::Waits => false,
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
        let token = self.frames.token();
        self.frames.get(number).token = token;
        token
    }

    /// Work or sleep is over.
    pub(super) fn resume(&mut self, plan: &Plan, now: Time, (number, token): (u32, u64), out: &mut impl Effects<Self>) {
        let Some(frame) = self.frames.current(number, token) else { return };
        self.ready.push(number);
        if let Role::Server(server) = &mut self.role {
            let (service, node) = plan.service(self.me);
            if !service.blocking && frame.holds_worker {
                frame.holds_worker = false;
                if let Some(next) = server.station.release(service, node, now, out) {
                    self.serve(now, next);
                }
            }
        }
    }

    fn call(&mut self, plan: &Plan, now: Time, number: u32, call: u16, out: &mut impl Effects<Self>) {
        let site = &plan.calls[call as usize];
        let op = plan.ops[site.op as usize];
        let to = self.next_node(plan, op.service);
        let token = self.frames.token();
        let frame = self.frames.get(number);
        (frame.token, frame.calling) = (token, Some((call, now)));
        let hop = fold(frame.hop, u64::from(frame.pc) << 16 | 1);
        let request = Request {
            op: site.op,
            operation: frame.operation,
            hop,
            frame: number,
            token,
            bytes: op.size,
            variables: frame.variables.clone(),
        };
        if let Some(timeout) = site.timeout {
            out.set_timer(Timer::Timeout { frame: number, token }, Delay::Fixed(timeout));
        }
        out.send(to, Message::Request(request));
    }

    /// Round robin over the nodes of a service.
    fn next_node(&mut self, plan: &Plan, service: u32) -> NodeId {
        let target = &plan.services[service as usize];
        if target.nodes == 1 {
            return target.first;
        }
        let turn = self.turns.entry(service).or_insert(0);
        let node = NodeId(target.first.0 + *turn);
        *turn = (*turn + 1) % target.nodes;
        node
    }

    /// The call a frame waits for came to an end: an answer, a timeout, a reset. Anything stale is ignored.
    pub(super) fn answered(
        &mut self,
        plan: &Plan,
        now: Time,
        (number, token): (u32, u64),
        result: CallResult,
        out: &mut impl Effects<Self>,
    ) {
        let fresh = self.frames.token();
        let Some(frame) = self.frames.current(number, token) else { return };
        let Some((call, since)) = frame.calling.take() else { return };
        frame.token = fresh;
        let site = &plan.calls[call as usize];
        if site.timeout.is_some() {
            out.cancel_timer(Timer::Timeout { frame: number, token });
        }
        if let Some(series) = site.latency {
            out.measure(Sample { series, tag: ending(result).tag(), since, value: now.since(since) });
        }
        match (result, site.otherwise) {
            (CallResult::Ok, _) | (CallResult::Failed(_), Otherwise::Skip) => self.ready.push(number),
            (CallResult::Failed(_), Otherwise::Fail) => self.finish(plan, now, number, result, out),
            (CallResult::Failed(failure), Otherwise::Word(error)) => {
                let failure = Failure { error, business: true, certain: failure.certain };
                self.finish(plan, now, number, CallResult::Failed(failure), out);
            }
        }
    }

    /// A frame is over: its worker is free, its caller is answered.
    pub(super) fn finish(
        &mut self,
        plan: &Plan,
        now: Time,
        number: u32,
        result: CallResult,
        out: &mut impl Effects<Self>,
    ) {
        let frame = self.frames.get(number);
        out.frame(Barrier(frame.operation));
        let Role::Server(server) = &mut self.role else {
            let frame = self.frames.take(number);
            self.end_operation(plan, now, &frame, result, out);
            return;
        };
        let (asked, entered, served) = (Asked::of(frame), frame.entered, frame.served);
        let worker = if frame.holds_worker { Worker::Held } else { Worker::None };
        self.frames.end(number);
        let (service, node) = plan.service(self.me);
        let next = server.station.leave(service, node, (entered, now), worker, out);
        if let Some(since) = served {
            let series = service.series[node as usize].service_time;
            out.measure(Sample { series, tag: ending(result).tag(), since, value: now.since(since) });
        }
        if let Some(next) = next {
            self.serve(now, next);
        }
        Self::reply(plan, asked, result, out);
    }

    /// Answers whoever called.
    pub(super) fn reply(plan: &Plan, asked: Asked, result: CallResult, out: &mut impl Effects<Self>) {
        match asked.caller {
            Caller::Frame { node, frame: number, token, op } => {
                let reply = Reply {
                    operation: asked.operation,
                    hop: asked.hop,
                    frame: number,
                    token,
                    bytes: plan.ops[op as usize].reply_size,
                    result,
                };
                out.send(node, Message::Reply(reply));
            }
            // A participant's vote is its answer; clients answer nobody.
            Caller::Coordinator | Caller::Arrival(_) | Caller::User(..) => {}
        }
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

/// The next draw of a frame.
fn draw_span(plan: &Plan, frame: &mut Frame, draw: u16) -> kernel::Span {
    let law = &plan.draws[draw as usize];
    let span = law.law.span(&mut law.key.draw(frame.operation, frame.hop, u64::from(frame.draws)));
    frame.draws += 1;
    span
}
