//! Calls: tries with their timeouts, pauses between them, breakers, and what an answer does.

use alloc::boxed::Box;

use kernel::{Delay, Delta, Effects, NodeId, Sample, SeriesId, Span, Time, fold};

use super::asking::WITHIN;
use super::frame::Frame;
use super::interpreter::ending;
use super::machine::{Machine, Timer};
use super::message::{CallResult, Failure, Message, Request, system_errors};
use super::plan::{BreakerUse, Call, Otherwise, Part, Plan, Service};
use super::spent::{Clock, Kept};
use crate::expression::Value;
use crate::resilience::{self, Admission, Allowance, Breaker, ErrorClass, Token, Transition};
use crate::variables::Variables;

/// A call that a frame waits for.
#[derive(Clone, Copy, Debug)]
pub struct Calling {
    /// The call site.
    pub call: u16,
    /// When its first try began.
    pub since: Time,
    /// When its last try began.
    tried: Time,
    /// Tries so far.
    made: u32,
    /// A try may have had an effect, though nobody said so.
    unknown: bool,
    /// The last pause between two tries.
    pause: Span,
    /// What the breaker wants to be told about.
    admitted: Option<(NodeId, Token)>,
}

/// A breaker of this node, and where its state is told.
#[derive(Clone, Debug)]
pub(super) struct BreakerHere {
    breaker: Breaker,
    cell: kernel::CellId,
    key: u64,
}

impl Machine {
    /// A frame calls.
    pub(super) fn call(&mut self, plan: &Plan, now: Time, number: u32, call: u16, out: &mut impl Effects<Self>) {
        if let Some(allowance) = self.allowance(plan, &plan.calls[usize::from(call)]) {
            allowance.request(now);
        }
        let (tried, pause) = (now, Span::ZERO);
        let calling = Calling { call, since: now, tried, made: 0, unknown: false, pause, admitted: None };
        self.attempt(plan, now, (number, calling), out);
    }

    /// The next try.
    #[expect(clippy::inline_always, reason = "nearly every try is the first, and of that everything is known")]
    #[inline(always)]
    fn attempt(&mut self, plan: &Plan, now: Time, (number, mut calling): (u32, Calling), out: &mut impl Effects<Self>) {
        (calling.tried, calling.admitted) = (now, None);
        let site = &plan.calls[usize::from(calling.call)];
        let frame = self.frames.get(number);
        calling.unknown |= core::mem::take(&mut frame.resumed);
        if now >= frame.deadline {
            frame.calling = Some(calling);
            let failure = Failure::system(system_errors::TIMEOUT, !calling.unknown);
            return self.call_failed(plan, now, number, (failure, None), out);
        }
        calling.made += 1;
        let op = &plan.ops[site.op as usize];
        let to = if site.local { self.me } else { self.next_node(plan, op.service) };
        if let Some(used) = site.breaker {
            match self.admit(plan, now, used, (op.service, to), out) {
                Admission::Yes(token) => calling.admitted = Some((to, token)),
                Admission::No => {
                    self.frames.get(number).calling = Some(calling);
                    let failure = Failure::system(system_errors::BREAKER_OPEN, true);
                    return self.try_failed(plan, now, number, (failure, None), out);
                }
            }
        }
        let frame = self.frames.wait(number);
        frame.calling = Some(calling);
        let (token, left) = (frame.token, frame.deadline.since(now));
        let timeout = site.timeout.map(|timeout| timeout.min(left));
        let mut variables = frame.variables.clone();
        for (variable, assignment) in &site.with {
            variables.set(*variable, assignment.value(&frame.variables).unwrap_or(Value::Null));
        }
        if let Some(variable) = plan.attempt {
            variables.set(variable, Value::Int(i64::from(calling.made)));
        }
        if let Some(timeout) = timeout {
            out.set_timer(Timer::Timeout { frame: number, token }, Delay::Fixed(timeout));
        }
        let place = u64::from(frame.turns) << 48 | u64::from(frame.pc) << 16 | u64::from(calling.made & 0xffff);
        let request = Request {
            op: site.op,
            operation: frame.operation,
            hop: fold(frame.hop, place),
            frame: number,
            token,
            bytes: op.size,
            variables,
            deadline: match (site.deadline, timeout) {
                (true, Some(timeout)) => now + timeout,
                (true, None) => frame.deadline,
                (false, _) => Time::END,
            },
            step: if site.step == 0 && frame.step != 0 { frame.step | WITHIN } else { site.step },
        };
        out.send(to, Message::Request(request));
    }

    /// Round robin over the nodes of a service.
    #[inline]
    pub(super) fn next_node(&mut self, plan: &Plan, service: u32) -> NodeId {
        let target = &plan.services[service as usize];
        if target.nodes == 1 { target.first } else { self.node_in_turn(target, service) }
    }

    #[inline(never)]
    fn node_in_turn(&mut self, target: &Service, service: u32) -> NodeId {
        let turn = self.turns.entry(service).or_insert(0);
        let node = NodeId(target.first.0 + *turn);
        *turn = (*turn + 1) % target.nodes;
        node
    }

    /// The try a frame waits for came to an end: an answer with where its time went, a timeout, a reset. Anything stale
    /// is ignored.
    #[expect(clippy::inline_always, reason = "nearly every try is answered; that it was not is a function of its own")]
    #[inline(always)]
    pub(super) fn answered(
        &mut self,
        plan: &Plan,
        now: Time,
        (number, token): (u32, u64),
        (result, values, heard): (CallResult, Variables, Option<Box<Clock>>),
        out: &mut impl Effects<Self>,
    ) {
        let fresh = self.frames.token();
        let Some(mut frame) = self.frames.current(number, token) else { return };
        let Some(calling) = &mut frame.calling else { return };
        let site = &plan.calls[usize::from(calling.call)];
        frame.token = fresh;
        if site.timeout.is_some() {
            out.cancel_timer(Timer::Timeout { frame: number, token });
        }
        if let (Some(used), Some((node, admitted))) = (site.breaker, calling.admitted.take()) {
            let ending = match result {
                CallResult::Ok => resilience::Ending::Ok,
                CallResult::Failed(failure) if failure.business => resilience::Ending::Ignored,
                CallResult::Failed(_) => resilience::Ending::Failed,
            };
            self.breaker_result(plan, now, (used, node, admitted), ending, out);
            frame = self.frames.get(number);
        }
        match result {
            CallResult::Failed(failure) if !failure.business || site.stubborn => {
                self.try_failed(plan, now, number, (failure, heard), out);
            }
            CallResult::Ok | CallResult::Failed(_) => {
                match call_ended(plan, now, frame, &mut self.spent, (result, heard), out) {
                    CallResult::Ok => {
                        for (variable, value) in site.into.iter().zip(values.values()) {
                            frame.variables.set(*variable, value);
                        }
                        self.ready.push(number);
                    }
                    CallResult::Failed(failure) => self.otherwise(plan, now, number, (failure, site.otherwise), out),
                }
            }
        }
    }

    /// The try a frame waits for came to an end without an answer.
    #[inline(never)]
    pub(super) fn unanswered(
        &mut self,
        plan: &Plan,
        now: Time,
        at: (u32, u64),
        failure: Failure,
        out: &mut impl Effects<Self>,
    ) {
        self.answered(plan, now, at, (CallResult::Failed(failure), Variables::default(), None), out);
    }

    /// A try failed with a system error: perhaps there is another.
    fn try_failed(
        &mut self,
        plan: &Plan,
        now: Time,
        number: u32,
        (failure, heard): (Failure, Option<Box<Clock>>),
        out: &mut impl Effects<Self>,
    ) {
        let frame = self.frames.get(number);
        let (operation, hop, pc, deadline) = (frame.operation, frame.hop, frame.pc, frame.deadline);
        let calling = frame.calling.as_mut().expect("a frame that tries is calling");
        calling.unknown |= !failure.certain;
        let (since, made, before, certain) = (calling.since, calling.made, calling.pause, !calling.unknown);
        let site = &plan.calls[usize::from(calling.call)];
        let again = site.retry.filter(|(policy, _)| {
            let policy = &plan.retries[usize::from(*policy)];
            match class(failure.error) {
                Some(class) if !failure.business => policy.again(made, class),
                Some(_) | None => site.stubborn && policy.attempts.is_none_or(|attempts| made < attempts),
            }
        });
        if let Some((policy, retries)) = again
            && self.allowance(plan, site).is_none_or(|allowance| allowance.retry(now))
        {
            let key = plan.pauses;
            let draw = || key.draw(operation, fold(hop, u64::from(pc)), u64::from(made)).bits();
            let pause = plan.retries[usize::from(policy)].pause(made, before, draw);
            if pause < deadline.since(now) {
                let token = self.wait(number);
                if let Some(calling) = &mut self.frames.get(number).calling {
                    calling.pause = pause;
                }
                out.measure(Sample { series: retries, tag: failure.error, since, value: pause });
                out.set_timer(Timer::Retry { frame: number, token }, Delay::Fixed(pause));
                return;
            }
        }
        self.call_failed(plan, now, number, (Failure { certain, ..failure }, heard), out);
    }

    /// A call is over without an answer that counts.
    #[inline(never)]
    fn call_failed(
        &mut self,
        plan: &Plan,
        now: Time,
        number: u32,
        (failure, heard): (Failure, Option<Box<Clock>>),
        out: &mut impl Effects<Self>,
    ) {
        let frame = self.frames.get(number);
        let calling = frame.calling.as_ref().expect("a call that ends was made");
        let otherwise = plan.calls[usize::from(calling.call)].otherwise;
        let ended = call_ended(plan, now, frame, &mut self.spent, (CallResult::Failed(failure), heard), out);
        if let CallResult::Failed(failure) = ended {
            self.otherwise(plan, now, number, (failure, otherwise), out);
        }
    }

    /// A pause is over.
    pub(super) fn try_again(
        &mut self,
        plan: &Plan,
        now: Time,
        (number, token): (u32, u64),
        out: &mut impl Effects<Self>,
    ) {
        if let Some(frame) = self.frames.current(number, token) {
            out.frame(kernel::Frame(frame.operation));
            let calling = frame.calling.expect("a frame that tries is calling");
            self.attempt(plan, now, (number, calling), out);
        }
    }

    /// A step could not be done.
    pub(super) fn otherwise(
        &mut self,
        plan: &Plan,
        now: Time,
        number: u32,
        (failure, otherwise): (Failure, Otherwise),
        out: &mut impl Effects<Self>,
    ) {
        match otherwise {
            Otherwise::Skip => self.ready.push(number),
            Otherwise::Fail => self.fail(plan, now, number, failure, out),
            Otherwise::Word(error) => {
                let failure = Failure { error, business: true, certain: failure.certain };
                self.fail(plan, now, number, failure, out);
            }
            Otherwise::Jump(pc) => self.go_to(number, pc),
            Otherwise::Undo { certain, unknown } => {
                self.go_to(number, if failure.certain { certain } else { unknown });
            }
        }
    }

    fn go_to(&mut self, number: u32, pc: u32) {
        self.frames.get(number).pc = pc;
        self.ready.push(number);
    }

    #[expect(clippy::inline_always, reason = "most calls are made without a policy")]
    #[inline(always)]
    fn allowance(&mut self, plan: &Plan, site: &Call) -> Option<&mut Allowance> {
        let (policy, _) = site.retry?;
        let budget = plan.retries[usize::from(policy)].budget?;
        let service = plan.ops[site.op as usize].service;
        Some(self.allowances.entry((policy, service)).or_insert_with(|| Allowance::new(budget)))
    }

    /// The node of a callee whose breaker counts.
    fn breaker_of(plan: &Plan, used: BreakerUse, (service, node): (u32, NodeId)) -> (u16, NodeId) {
        (used.policy, if used.whole_service { plan.services[service as usize].first } else { node })
    }

    fn admit(
        &mut self,
        plan: &Plan,
        now: Time,
        used: BreakerUse,
        callee: (u32, NodeId),
        out: &mut impl Effects<Self>,
    ) -> Admission {
        let policy = &plan.breakers[usize::from(used.policy)];
        let at = Self::breaker_of(plan, used, callee);
        let target = &plan.services[callee.0 as usize];
        let mine = match plan.nodes[self.me.0 as usize].part {
            Part::Service(_) => plan.nodes[self.me.0 as usize].number,
            Part::Database(_) | Part::Broker(_) | Part::Topics(_) | Part::Replica(_) | Part::Workload(_) => 0,
        };
        let key = u64::from(mine) * u64::from(target.nodes) + u64::from(at.1.0 - target.first.0);
        let new = || BreakerHere { breaker: Breaker::new(policy), cell: used.state, key };
        let here = self.breakers.entry(at).or_insert_with(new);
        let (admission, transition) = here.breaker.admit(policy, now);
        here.note(transition, out);
        admission
    }

    fn breaker_result(
        &mut self,
        plan: &Plan,
        now: Time,
        (used, node, token): (BreakerUse, NodeId, Token),
        ending: resilience::Ending,
        out: &mut impl Effects<Self>,
    ) {
        let Part::Service(service) = plan.nodes[node.0 as usize].part else { return };
        let at = Self::breaker_of(plan, used, (service, node));
        let Some(here) = self.breakers.get_mut(&at) else { return };
        let transition = here.breaker.result(&plan.breakers[usize::from(used.policy)], now, token, ending);
        here.note(transition, out);
    }

    /// The breakers that are not closed: a crash closes them.
    pub(super) fn breaker_cells(&self, each: &mut impl FnMut(kernel::CellId, u64, i64)) {
        for here in self.breakers.values() {
            each(here.cell, here.key, here.breaker.state().number());
        }
    }
}

impl BreakerHere {
    fn note(&self, transition: Option<Transition>, out: &mut impl Effects<Machine>) {
        if let Some(Transition { from, to }) = transition {
            let (before, after) = (from.number(), to.number());
            out.note(&[Delta { cell: self.cell, key: self.key, before, after }]);
        }
    }
}

/// A call is over, with all its tries: how it went, for whoever made it.
#[expect(clippy::inline_always, reason = "nearly every call is answered, at the only place that is not a failure's")]
#[inline(always)]
fn call_ended(
    plan: &Plan,
    now: Time,
    frame: &mut Frame,
    kept: &mut Kept,
    (result, heard): (CallResult, Option<Box<Clock>>),
    out: &mut impl Effects<Machine>,
) -> CallResult {
    let calling = frame.calling.take().expect("a call that ends was made");
    let site = &plan.calls[usize::from(calling.call)];
    // What a later try brought says nothing of one whose outcome is unknown (rule 25).
    let result = match result {
        CallResult::Failed(failure) if calling.unknown => {
            CallResult::Failed(Failure { certain: false, business: false, ..failure })
        }
        CallResult::Ok | CallResult::Failed(_) => result,
    };
    let spent = frame.clock.as_mut().map(|clock| {
        let heard = heard.map(|callee| callee.spent());
        clock.called(now, calling.tried, heard)
    });
    if let Some((series, _)) = site.latency {
        let (tag, since) = (ending(result).tag(), calling.since);
        out.measure(Sample { series, tag, since, value: now.since(since) });
        if let Some(spent) = spent {
            kept.add(plan, usize::from(calling.call), since, &spent);
        }
    }
    measure_reject(site.rejected, result, (calling.since, now), out);
    result
}

/// Which sort of error a system error is to a retry policy.
fn class(error: u16) -> Option<ErrorClass> {
    match error {
        system_errors::TIMEOUT => Some(ErrorClass::Timeout),
        system_errors::UNAVAILABLE => Some(ErrorClass::Unavailable),
        system_errors::OVERLOAD => Some(ErrorClass::Overload),
        system_errors::BREAKER_OPEN => Some(ErrorClass::BreakerOpen),
        _ => None,
    }
}

/// Which business error ended what began at the first of these times and is over at the second.
#[expect(clippy::inline_always, reason = "most ends are no error")]
#[inline(always)]
pub(super) fn measure_reject(
    series: Option<SeriesId>,
    result: CallResult,
    (since, now): (Time, Time),
    out: &mut impl Effects<Machine>,
) {
    if let (Some(series), CallResult::Failed(Failure { business: true, error, .. })) = (series, result) {
        out.measure(Sample { series, tag: error, since, value: now.since(since) });
    }
}
