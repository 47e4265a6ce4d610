//! The nodes' side of a service's database: frames ask it and wait, sagas write their records, and what it tells goes to
//! who waits for it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use kernel::{Delay, Effects, Frame as Barrier, NodeId, Span, Time, fold};

use super::frame::{Caller, Frame};
use super::machine::{Machine, Timer};
use super::message::{CallResult, Failure, Message, system_errors};
use super::mutant::Mutant;
use super::plan::{MarkKind, Plan};
use super::question::{Ask, Question, Tell, Told};
use crate::database::{Adopted, Answer, Asked, Asker, Identity, Outcome, Receipt, SAGA_LEASE, SAGA_SIGNS, SagaKey};
use crate::expression::Value;

/// A protocol asks again when its database has not answered for so long: the database may have been down.
pub(super) const ASK_AGAIN: Span = Span::secs(1);
/// Where an answer can be lost for good, a request waits for one of its database so long: as long as a connection would.
const ANSWER_LOST: Span = Span::secs(15);
/// Who waits for a row that a saga keeps looks there so often.
const LOCKED_AGAIN: Span = Span::millis(5);
/// The part of a request's step that says which it is.
pub(super) const STEP: u32 = (1 << 20) - 1;
/// It is asked for by the op of that step, not by the step itself.
pub(super) const WITHIN: u32 = 1 << 31;
/// How often a node says that it lives.
pub(super) const RENEW: Span = Span(SAGA_LEASE.0 / SAGA_SIGNS);

impl Machine {
    /// The database of this node's service.
    fn database(&self, plan: &Plan) -> NodeId {
        plan.service(self.me).0.database
    }

    fn ask(&mut self, plan: &Plan, number: u32, token: u64, salt: u64, ask: Ask, out: &mut impl Effects<Self>) {
        self.ask_of(self.database(plan), number, token, salt, ask, out);
    }

    fn ask_of(&mut self, to: NodeId, number: u32, token: u64, salt: u64, ask: Ask, out: &mut impl Effects<Self>) {
        let frame = self.frames.get(number);
        let place = u64::from(frame.turns) << 48 | u64::from(frame.pc) << 16 | salt;
        let mut hop = fold(frame.hop, place);
        if frame.again > 0 {
            // A link that lost the question, or its answer, does not lose this one because of that.
            hop = fold(hop, u64::from(frame.again));
        }
        let asker = Asker { node: self.me, frame: number, token, operation: frame.operation, hop };
        out.send(to, Message::Question(Box::new(Question { asker, ask })));
    }

    /// A frame asks for a script.
    pub(super) fn query(&mut self, plan: &Plan, now: Time, number: u32, query: u16, out: &mut impl Effects<Self>) {
        let _ = now;
        let site = plan.queries[usize::from(query)];
        let script = &plan.scripts[site.script as usize];
        let frame = self.frames.get(number);
        if let (Some(point), Some(op), true) = (plan.points.before_write, frame.op, script.writes) {
            out.point(point, op);
        }
        let remembers = plan.service(self.me).0.mutant != Some(Mutant::ForgetAnswers);
        let identity = if script.writes && remembers { identity(plan, frame) } else { None };
        // What a step of a choreographed saga does at its end belongs to the saga, whatever op it is.
        let effect = if site.effect == 0 && site.stores { plan.effect_of(frame.step) } else { site.effect };
        let inbox = plan.effect(effect).and_then(|effect| effect.inbox);
        let step = inbox.map(|consumer| Receipt { consumer, message: frame.operation });
        let receipt = step.or(frame.receipt.filter(|_| script.writes));
        let saga = plan.saga_of(frame.step);
        let asked = Asked { operation: frame.operation, identity, stores: site.stores, receipt, effect, saga };
        let variables = frame.variables.clone();
        (frame.asking, frame.asks) = (Some(query), true);
        let token = self.wait(number);
        self.ask(plan, number, token, 2, Ask::Script { script: site.script, asked, variables }, out);
        Self::answer_may_be_lost(plan, (number, token), out);
    }

    /// Under which identity the answer of a frame is to be stored, if it serves an idempotent op and no script has stored it.
    #[expect(clippy::inline_always, reason = "most ops are not idempotent")]
    #[inline(always)]
    pub(super) fn unstored(&mut self, plan: &Plan, number: u32) -> Option<Identity> {
        let frame = self.frames.get(number);
        if frame.stored {
            return None;
        }
        let identity = identity(plan, frame)?;
        let service = plan.service_of(self.me)?;
        (service.mutant != Some(Mutant::ForgetAnswers)).then_some(identity)
    }

    /// Stores an answer.
    pub(super) fn store_answer(
        &mut self,
        plan: &Plan,
        number: u32,
        (identity, answer): (Identity, Answer),
        out: &mut impl Effects<Self>,
    ) {
        let frame = self.frames.get(number);
        (frame.asking, frame.asks) = (None, true);
        let token = self.wait(number);
        self.ask(plan, number, token, 3, Ask::Remember { identity, answer }, out);
        Self::answer_may_be_lost(plan, (number, token), out);
    }

    /// Without connections nobody says that an answer will not come.
    fn answer_may_be_lost(plan: &Plan, (frame, token): (u32, u64), out: &mut impl Effects<Self>) {
        if plan.unconnected {
            out.set_timer(Timer::AskAgain { frame, token }, Delay::Fixed(ANSWER_LOST));
        }
    }

    /// The database tells something.
    pub(super) fn told(&mut self, plan: &Plan, now: Time, told: Told, out: &mut impl Effects<Self>) {
        let at = (told.asker.frame, told.asker.token);
        match told.tell {
            Tell::Outcome(outcome) => self.script_ended(plan, now, at, outcome, out),
            Tell::Begun { known } => self.saga_begun(plan, now, at, known, out),
            Tell::Marked { kept } => self.marked(plan, at, kept, out),
            Tell::Adopted(sagas) => self.adopted(plan, now, sagas),
            Tell::Batch(batch) => self.relay_batch(plan, now, batch, out),
            Tell::Relayed { last } => self.relayed(plan, now, last, out),
            Tell::Restarted => {
                let waiting: Vec<(u32, u64)> =
                    self.frames.numbered().filter(|(_, f)| f.asks).map(|(n, f)| (n, f.token)).collect();
                for at in waiting {
                    self.database_lost(plan, now, at, out);
                }
            }
        }
    }

    /// No answer will come: what was asked may have been done.
    pub(super) fn database_lost(
        &mut self,
        plan: &Plan,
        now: Time,
        (number, token): (u32, u64),
        out: &mut impl Effects<Self>,
    ) {
        let Some(frame) = self.frames.current(number, token).filter(|frame| frame.asks) else { return };
        frame.asks = false;
        let asked = frame.asking.take();
        out.frame(Barrier(frame.operation));
        self.wait(number);
        let failure = Failure::system(system_errors::UNAVAILABLE, false);
        match asked {
            Some(query) => {
                let otherwise = plan.queries[usize::from(query)].otherwise;
                self.otherwise(plan, now, number, (failure, otherwise), out);
            }
            None => self.finish(plan, now, number, CallResult::Failed(failure), out),
        }
    }

    fn script_ended(
        &mut self,
        plan: &Plan,
        now: Time,
        (number, token): (u32, u64),
        outcome: Outcome,
        out: &mut impl Effects<Self>,
    ) {
        let Some(frame) = self.frames.current(number, token) else { return };
        out.frame(Barrier(frame.operation));
        frame.asks = false;
        let asking = frame.asking.take();
        let asked = asking.map(|query| plan.queries[usize::from(query)]);
        match (outcome, asked) {
            (Outcome::Done(variables), Some(query)) => {
                frame.variables = variables;
                frame.stored |= query.stores;
                if let (Some(point), Some(op), true) =
                    (plan.points.after_write, frame.op, plan.scripts[query.script as usize].writes)
                {
                    out.point(point, op);
                }
                self.ready.push(number);
            }
            (Outcome::Refused(refusal), Some(query)) => {
                let failure = Failure { error: refusal.error, certain: true, business: refusal.business };
                self.otherwise(plan, now, number, (failure, query.otherwise), out);
            }
            (Outcome::Answered(answer), _) => {
                frame.stored = true;
                match answer {
                    Answer::Done(values) => {
                        frame.result = Some(values);
                        self.finish(plan, now, number, CallResult::Ok, out);
                    }
                    Answer::Failed(error) => {
                        let failure = Failure::business(error);
                        self.finish(plan, now, number, CallResult::Failed(failure), out);
                    }
                }
            }
            // The message had its effect before.
            (Outcome::Known, _) => self.finish(plan, now, number, CallResult::Ok, out),
            (Outcome::Locked, Some(query)) if frame.deadline <= now => {
                let failure = Failure::system(system_errors::TIMEOUT, true);
                self.otherwise(plan, now, number, (failure, query.otherwise), out);
            }
            (Outcome::Locked, Some(_)) => {
                frame.asking = asking;
                out.set_timer(Timer::AskAgain { frame: number, token }, Delay::Fixed(LOCKED_AGAIN));
            }
            (Outcome::Done(_) | Outcome::Refused(_) | Outcome::Locked, None) => panic!("an answer is stored, or known"),
        }
    }

    /// A saga begins: `frame` waits until that is durable.
    pub(super) fn begin_saga(&mut self, plan: &Plan, number: u32, saga: u16, out: &mut impl Effects<Self>) {
        let token = self.wait(number);
        self.ask_begin(plan, number, token, saga, out);
    }

    fn ask_begin(&mut self, plan: &Plan, number: u32, token: u64, saga: u16, out: &mut impl Effects<Self>) {
        let owner = self.server().life;
        let frame = self.frames.get(number);
        frame.beginning = Some(saga);
        let (operation, variables) = (frame.operation, frame.variables.clone());
        let saga = SagaKey { saga, operation };
        self.ask(plan, number, token, 4, Ask::Begin { saga, owner, variables }, out);
        out.set_timer(Timer::AskAgain { frame: number, token }, Delay::Fixed(ASK_AGAIN));
    }

    /// The saga is on record; a new one is driven from here.
    fn saga_begun(
        &mut self,
        plan: &Plan,
        now: Time,
        (number, token): (u32, u64),
        known: bool,
        out: &mut impl Effects<Self>,
    ) {
        let Some(frame) = self.frames.current(number, token) else { return };
        let Some(saga) = frame.beginning.take() else { return };
        out.cancel_timer(Timer::AskAgain { frame: number, token });
        let (operation, variables) = (frame.operation, frame.variables.clone());
        if !known {
            out.frame(Barrier(operation));
            let entry = plan.sagas[usize::from(saga)].entry;
            let first = plan.first_records(entry);
            Self::reached(plan, first.clone(), out);
            let position = entry + first.len() as u32;
            let frame = Frame::new(Caller::Saga(saga, 0), position, operation, variables, now);
            let number = self.frames.put(frame);
            self.ready.push(number);
        }
        self.finish(plan, now, number, CallResult::Ok, out);
    }

    /// These sagas are this node's; it drives those that it does not drive yet, from where their last records say.
    fn adopted(&mut self, plan: &Plan, now: Time, sagas: Vec<Adopted>) {
        for (saga, row) in sagas {
            let caller = Caller::Saga(saga.saga, row.term);
            let driven = |frame: &Frame| frame.caller == caller && frame.operation == saga.operation;
            if self.frames.iter().any(driven) {
                continue;
            }
            let resumed = row.position.is_some() && !self.is(plan, Mutant::TakeoverTrustsItself);
            let position = row.position.unwrap_or(plan.sagas[usize::from(saga.saga)].entry);
            let frame = Frame::new(caller, position, saga.operation, row.variables, now);
            let number = self.frames.put(Frame { resumed, ..frame });
            self.ready.push(number);
        }
    }

    /// A saga writes a record, with those that follow at once, and waits until they are durable: what is over and what
    /// comes next need one write.
    pub(super) fn mark(&mut self, plan: &Plan, now: Time, number: u32, mark: u16, out: &mut impl Effects<Self>) {
        let _ = now;
        let last = plan.last_record(mark, self.frames.get(number).pc);
        self.frames.get(number).pc += u32::from(last - mark);
        let records = &plan.marks[usize::from(mark)..=usize::from(last)];
        for record in records {
            if let Some(point) = record.points.1 {
                out.point(point, record.of);
            }
        }
        let token = self.wait(number);
        self.ask_mark(plan, number, token, (mark, last), out);
        if self.is(plan, Mutant::SagaLogAfterSend) && matches!(plan.marks[usize::from(last)].what, MarkKind::At(_)) {
            // What the records are about is done before it is durable.
            out.cancel_timer(Timer::AskAgain { frame: number, token });
            self.wait(number);
            self.ready.push(number);
        }
    }

    fn ask_mark(&mut self, plan: &Plan, number: u32, token: u64, marks: (u16, u16), out: &mut impl Effects<Self>) {
        let owner = self.server().life;
        let frame = self.frames.get(number);
        frame.marking = Some(marks);
        let Caller::Saga(_, term) = frame.caller else { panic!("only a saga has records") };
        let saga = SagaKey { saga: plan.marks[usize::from(marks.0)].saga, operation: frame.operation };
        let (position, variables) = (frame.pc, frame.variables.clone());
        let ask = match plan.marks[usize::from(marks.0)].what {
            MarkKind::Free { service } => {
                self.ask_of(plan.services[service as usize].database, number, token, 6, Ask::Free { saga }, out);
                return out.set_timer(Timer::AskAgain { frame: number, token }, Delay::Fixed(ASK_AGAIN));
            }
            MarkKind::At(_) | MarkKind::Ended { .. } | MarkKind::GivenUp => {
                Ask::Mark { saga, owner, term, marks, position, variables }
            }
        };
        self.ask(plan, number, token, 5, ask, out);
        out.set_timer(Timer::AskAgain { frame: number, token }, Delay::Fixed(ASK_AGAIN));
    }

    /// The database did not answer: it may have been down.
    pub(super) fn ask_again(
        &mut self,
        plan: &Plan,
        now: Time,
        (number, token): (u32, u64),
        out: &mut impl Effects<Self>,
    ) {
        let Some(frame) = self.frames.current(number, token) else { return };
        frame.again += 1;
        match (frame.beginning, frame.marking, frame.posting) {
            (Some(saga), ..) => self.ask_begin(plan, number, token, saga, out),
            (None, Some(marks), _) => self.ask_mark(plan, number, token, marks, out),
            (None, None, Some(publish)) => self.post_again(plan, (number, token), publish, out),
            (None, None, None) if frame.asks => self.database_lost(plan, now, (number, token), out),
            (None, None, None) => {
                if let Some(query) = frame.asking {
                    self.query(plan, now, number, query, out);
                }
            }
        }
    }

    /// Records of a saga are durable; or the saga is somebody else's.
    fn marked(&mut self, plan: &Plan, (number, token): (u32, u64), kept: bool, out: &mut impl Effects<Self>) {
        let Some(frame) = self.frames.current(number, token) else { return };
        let Some((first, last)) = frame.marking.take() else { return };
        out.frame(Barrier(frame.operation));
        out.cancel_timer(Timer::AskAgain { frame: number, token });
        let over = matches!(plan.marks[usize::from(last)].what, MarkKind::Ended { .. } | MarkKind::GivenUp);
        if !kept || over {
            return self.frames.end(number);
        }
        Self::reached(plan, first..last + 1, out);
        self.wait(number);
        self.ready.push(number);
    }

    /// These records are durable.
    fn reached(plan: &Plan, records: Range<u16>, out: &mut impl Effects<Self>) {
        for record in &plan.marks[usize::from(records.start)..usize::from(records.end)] {
            if let Some(point) = record.points.0 {
                out.point(point, record.of);
            }
        }
    }

    /// This node lives, and takes over what nobody drives.
    pub(super) fn renew(&mut self, plan: &Plan, out: &mut impl Effects<Self>) {
        let owner = self.server().life;
        self.poll(plan, Ask::Renew { owner }, out);
        out.set_timer(Timer::Renew, Delay::Fixed(RENEW));
    }

    /// Asks for no frame's sake.
    pub(super) fn poll(&mut self, plan: &Plan, ask: Ask, out: &mut impl Effects<Self>) {
        let to = self.database(plan);
        let me = self.me;
        let server = self.server();
        server.polls += 1;
        // No operation of a client has such a number.
        let asker =
            Asker { node: me, frame: u32::MAX, token: 0, operation: u64::MAX - u64::from(me.0), hop: server.polls };
        out.send(to, Message::Question(Box::new(Question { asker, ask })));
    }

    /// Whether this node's service makes this mistake.
    pub(super) fn is(&self, plan: &Plan, mutant: Mutant) -> bool {
        plan.service(self.me).0.mutant == Some(mutant)
    }

    /// Whether this node has sagas to drive.
    pub(super) fn drives(&self, plan: &Plan) -> bool {
        plan.service_of(self.me).is_some_and(|service| service.drives)
    }
}

/// What makes a request the same as an earlier one, if its op is idempotent.
#[expect(clippy::inline_always, reason = "most ops are not idempotent")]
#[inline(always)]
fn identity(plan: &Plan, frame: &Frame) -> Option<Identity> {
    let op = frame.op?;
    let program = plan.ops[op as usize].idempotent.as_ref()?;
    let value = program.evaluate(&frame.variables).unwrap_or(Value::Null);
    // Which of its events it reacts to makes no other step of it.
    let step = if frame.step & WITHIN == 0 { frame.step & STEP } else { 0 };
    Some(Identity { op, value, step })
}
