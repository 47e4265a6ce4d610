//! Steps that ask a replicated store: whom, how often, and what an answer does.
//!
//! A frame asks one thing at a time: its number on its machine is the seat of the session, the token of the step the number
//! of the request. A request is asked again, of another machine, when nobody answers; its number stays, so that it happens
//! once.

use alloc::boxed::Box;

use kernel::{Delay, Effects, NodeId, Sample, SeriesId, Time};

use super::ending::Ending;
use super::frame::Caller;
use super::interpreter::ending;
use super::keeper;
use super::machine::{Machine, Role, Timer};
use super::message::{CallResult, Failure, Message, system_errors};
use super::output::{Asked, Output, Told};
use super::plan::{Access, Keeping, Plan, StorePlan, Wants};
use crate::database::Assignment;
use crate::expression::Value;
use crate::replication::keys::{self, Answer, Operation, Session};
use crate::replication::leader_follower;
use crate::replication::quorum::{self, Ticket, Version, Wish};
use crate::replication::routing::{Routing, Wanted};
use crate::variables::Variables;

/// What a frame waits for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Consulting {
    /// Which step.
    access: u16,
    /// When it began.
    since: Time,
    /// The number of the request.
    number: u64,
    /// What is wanted.
    operation: Operation,
    /// As a store without leader knows it.
    version: i64,
    /// In whose name, as the history knows it.
    process: u64,
    /// The place of the machine that is asked.
    place: usize,
}

impl Machine {
    /// A frame asks a store.
    pub(super) fn consult(&mut self, plan: &Plan, now: Time, number: u32, access: u16, out: &mut impl Effects<Self>) {
        let site = &plan.accesses[usize::from(access)];
        let request = self.wait(number);
        let key = site.key.evaluate(&self.frames.get(number).variables).ok().and_then(whole);
        let Some(key) = key else {
            let failure = Failure::system(system_errors::INVALID, true);
            return self.otherwise(plan, now, number, (failure, site.otherwise), out);
        };
        if let Some(last_read) = site.last_read {
            let last = self.last_read(number, (site.store, key));
            self.frames
                .get(number)
                .variables
                .set(last_read, last.map_or(Value::Null, |value| Value::Int(value as i64)));
        }
        let frame = self.frames.get(number);
        let Some(operation) = site.operation(key, &frame.variables) else {
            let failure = Failure::system(system_errors::INVALID, true);
            return self.otherwise(plan, now, number, (failure, site.otherwise), out);
        };
        let left = (frame.deadline < Time::END).then(|| frame.deadline.since(now));
        let timeout = site.timeout.into_iter().chain(left).min();
        let process = self.process_of(plan, number, request);
        let version = out.clock(now);
        let wanted = plan.stores[site.store as usize].wanted(operation);
        let routing = self.routing(plan, site.store);
        routing.begin(wanted);
        let place = routing.place(wanted);
        let consulting = Consulting { access, since: now, number: request, operation, version, process, place };
        self.frames.get(number).consulting = Some(Box::new(consulting));
        if plan.history {
            let told = Told { store: site.store, process, operation, what: Asked::Begins };
            out.output(Output::Store(told));
        }
        if let Some(timeout) = timeout {
            out.set_timer(Timer::StoreSilent { frame: number, request }, Delay::Fixed(timeout));
        }
        self.ask_store(plan, number, out);
    }

    /// Asks, for the first time or again.
    fn ask_store(&mut self, plan: &Plan, number: u32, out: &mut impl Effects<Self>) {
        let token = self.wait(number);
        let frame = self.frames.get(number);
        let Some(consulting) = frame.consulting.as_deref().copied() else { return };
        out.frame(kernel::Frame(frame.operation));
        let index = plan.accesses[usize::from(consulting.access)].store;
        let store = &plan.stores[index as usize];
        let (me, to) = (self.me, store.keeping.nodes()[consulting.place]);
        let session = Session { node: me, seat: number };
        let message = match &store.keeping {
            Keeping::Ordered(_) => {
                let request = keys::Request { session, number: consulting.number, operation: consulting.operation };
                let body = leader_follower::Body::Ask(request);
                keeper::Message::Ordered(leader_follower::Message { from: me, to, nth: token, body })
            }
            Keeping::Quorum(_) => {
                let version = Version { clock: consulting.version, session, number: consulting.number };
                let (key, wish) = match consulting.operation {
                    Operation::Read { key } => (key, Wish::Read),
                    Operation::Write { key, value } => (key, Wish::Write(value)),
                    Operation::Delete { key } => (key, Wish::Delete),
                    Operation::Cas { .. } => unreachable!("a store without order compares nothing"),
                };
                let body = quorum::Body::Ask(quorum::Request { version, key, wish });
                let ticket = Ticket { session, attempt: token };
                keeper::Message::Quorum(quorum::Message { from: me, to, ticket, body })
            }
        };
        out.send(to, Message::Store(Box::new(message)));
        if let Some(after) = store.ask_again {
            out.set_timer(Timer::StoreLate { frame: number, token }, Delay::Fixed(after));
        }
    }

    /// Nobody has answered the last attempt: another machine is asked.
    pub(super) fn store_late(&mut self, plan: &Plan, (number, token): (u32, u64), out: &mut impl Effects<Self>) {
        let frame = self.frames.current(number, token);
        let Some(consulting) = frame.and_then(|frame| frame.consulting.as_deref_mut()) else { return };
        let store = &plan.stores[plan.accesses[usize::from(consulting.access)].store as usize];
        consulting.place = (consulting.place + 1) % store.nodes as usize;
        self.ask_store(plan, number, out);
    }

    /// The time of the step is up.
    pub(super) fn store_silent(
        &mut self,
        plan: &Plan,
        now: Time,
        (number, request): (u32, u64),
        out: &mut impl Effects<Self>,
    ) {
        if let Some(consulting) = self.consulting(number, request) {
            // Whoever comes next asks another machine.
            let index = plan.accesses[usize::from(consulting.access)].store;
            let wanted = plan.stores[index as usize].wanted(consulting.operation);
            self.routing(plan, index).next(wanted);
            let failure = Failure::system(system_errors::TIMEOUT, consulting.operation.reads());
            self.consulted(plan, now, number, Err(failure), out);
        }
    }

    /// A machine of a store says something: to another one, or to a client.
    pub(super) fn store_message(
        &mut self,
        plan: &Plan,
        now: Time,
        from: NodeId,
        message: keeper::Message,
        out: &mut impl Effects<Self>,
    ) {
        if let Role::Keeper(keeper) = &mut self.role {
            return keeper.on_message(plan.store(self.me), now, message, out);
        }
        match message {
            keeper::Message::Ordered(message) => match message.body {
                leader_follower::Body::Answered { seat, number, answer } => {
                    if self.consulting(seat, number).is_some() {
                        self.consulted(plan, now, seat, Ok(answer), out);
                    }
                }
                leader_follower::Body::Elsewhere { seat, number, leader } => {
                    if self.consulting(seat, number).is_some() {
                        self.store_elsewhere(plan, (seat, message.nth), (from, leader), out);
                    }
                }
                leader_follower::Body::Ask(_)
                | leader_follower::Body::Elect { .. }
                | leader_follower::Body::Vote { .. }
                | leader_follower::Body::Append { .. }
                | leader_follower::Body::Install { .. }
                | leader_follower::Body::Copied { .. }
                | leader_follower::Body::Publish { .. }
                | leader_follower::Body::Published { .. }
                | leader_follower::Body::Inquire
                | leader_follower::Body::Extends(_) => unreachable!("replicas hear that"),
            },
            keeper::Message::Quorum(message) => {
                let quorum::Body::Answered { number, row } = message.body else {
                    unreachable!("a client hears answers only")
                };
                let seat = message.ticket.session.seat;
                if let Some(consulting) = self.consulting(seat, number) {
                    let value = row.and_then(|row| row.value);
                    let answer = if consulting.operation.reads() { Answer::Value(value) } else { Answer::Done };
                    self.consulted(plan, now, seat, Ok(answer), out);
                }
            }
        }
    }

    /// It is not the leader who was asked.
    fn store_elsewhere(
        &mut self,
        plan: &Plan,
        (number, token): (u32, u64),
        (from, leader): (NodeId, Option<NodeId>),
        out: &mut impl Effects<Self>,
    ) {
        // Only what is said of the last attempt is news.
        let frame = self.frames.current(number, token);
        let Some(consulting) = frame.and_then(|frame| frame.consulting.as_deref_mut()) else { return };
        let index = plan.accesses[usize::from(consulting.access)].store;
        let store = &plan.stores[index as usize];
        let place = |leader: NodeId| store.keeping.nodes().iter().position(|node| *node == leader);
        match leader.filter(|leader| *leader != from).and_then(place) {
            Some(leader) => {
                consulting.place = leader;
                self.routing(plan, index).heard(leader);
                out.cancel_timer(Timer::StoreLate { frame: number, token });
                self.ask_store(plan, number, out);
            }
            None => out.set_timer(Timer::StoreLate { frame: number, token }, Delay::Fixed(store.pause)),
        }
    }

    /// A message did not reach a machine of a store, or one of its machines did not reach somebody.
    pub(super) fn store_reset(&self, plan: &Plan, message: &keeper::Message, out: &mut impl Effects<Self>) {
        let asked = match message {
            keeper::Message::Ordered(leader_follower::Message {
                nth,
                body: leader_follower::Body::Ask(keys::Request { session, .. }),
                ..
            }) => Some((session.seat, *nth)),
            keeper::Message::Quorum(quorum::Message { ticket, body: quorum::Body::Ask(_), .. }) => {
                Some((ticket.session.seat, ticket.attempt))
            }
            // Heartbeats, entries and rows are sent again by themselves; clients ask again.
            keeper::Message::Ordered(_) | keeper::Message::Quorum(_) => None,
        };
        let Some((frame, token)) = asked else { return };
        let Some(found) = self.frames.at(frame).filter(|found| found.token == token) else { return };
        if let Some(consulting) = found.consulting.as_deref() {
            let store = &plan.stores[plan.accesses[usize::from(consulting.access)].store as usize];
            out.set_timer(Timer::StoreLate { frame, token }, Delay::Fixed(store.pause));
        }
    }

    /// The step is over.
    fn consulted(
        &mut self,
        plan: &Plan,
        now: Time,
        number: u32,
        heard: Result<Answer, Failure>,
        out: &mut impl Effects<Self>,
    ) {
        let token = self.frames.get(number).token;
        let fresh = self.wait(number);
        debug_assert!(fresh != token, "what was under way is stale now");
        let frame = self.frames.get(number);
        let Some(consulting) = frame.consulting.take() else { return };
        let Consulting { access, since, number: request, operation, process, place, .. } = *consulting;
        let site = &plan.accesses[usize::from(access)];
        out.frame(kernel::Frame(frame.operation));
        out.cancel_timer(Timer::StoreLate { frame: number, token });
        out.cancel_timer(Timer::StoreSilent { frame: number, request });
        let result = match (heard, &site.wants) {
            (Ok(Answer::Mismatch(_)), Wants::Cas { mismatch, .. }) => CallResult::Failed(Failure::business(*mismatch)),
            (Ok(_), _) => CallResult::Ok,
            (Err(failure), _) => CallResult::Failed(failure),
        };
        if let (Ok(Answer::Value(value)), Wants::Read { into: Some(into) }) = (heard, &site.wants) {
            frame.variables.set(*into, value.map_or(Value::Null, |value| Value::Int(value as i64)));
        }
        let ending = ending(result);
        out.measure(Sample { series: site.latency, tag: ending.tag(), since, value: now.since(since) });
        if plan.history {
            let what = match (heard, ending) {
                (Ok(answer), Ending::Ok | Ending::Reject) => Asked::Hears(answer),
                (_, Ending::Fail) => Asked::Fails,
                (_, Ending::Ok | Ending::Info | Ending::Reject) => Asked::KnowsNothing,
            };
            out.output(Output::Store(Told { store: site.store, process, operation, what }));
        }
        if plan.stores[site.store as usize].remembered
            && let Ok(Answer::Value(value)) = heard
        {
            self.remember(number, (site.store, operation.key()), value);
        }
        if heard.is_ok() {
            let wanted = plan.stores[site.store as usize].wanted(operation);
            self.routing(plan, site.store).answered(wanted, place);
        }
        match result {
            CallResult::Ok => self.ready.push(number),
            CallResult::Failed(failure) => self.otherwise(plan, now, number, (failure, site.otherwise), out),
        }
    }

    /// What a frame waits for, if it still waits for this request.
    fn consulting(&self, number: u32, request: u64) -> Option<Consulting> {
        let consulting = self.frames.at(number)?.consulting.as_deref()?;
        (consulting.number == request).then_some(*consulting)
    }

    /// Steps that wait for a store.
    pub(super) fn open_consultations(&self, plan: &Plan, each: &mut impl FnMut(SeriesId, Time)) {
        if plan.accesses.is_empty() {
            return;
        }
        for consulting in self.frames.iter().filter_map(|frame| frame.consulting.as_deref()) {
            each(plan.accesses[usize::from(consulting.access)].latency, consulting.since);
        }
    }

    fn routing(&mut self, plan: &Plan, store: u32) -> &mut Routing {
        let machines = plan.stores[store as usize].nodes as usize;
        let me = self.me;
        self.routings.entry(store).or_insert_with(|| Routing::new(me, machines))
    }

    /// In whose name a store is asked: a client's, or that of this one request.
    fn process_of(&self, plan: &Plan, number: u32, request: u64) -> u64 {
        let caller = self.frames.at(number).map(|frame| frame.caller);
        match (&self.role, caller) {
            (Role::Clients(_), Some(Caller::User(user, number))) => {
                self.process(self.workload(plan).0, Some(user), number)
            }
            (Role::Clients(_), Some(Caller::Arrival(number))) => self.process(self.workload(plan).0, None, number),
            _ => (1 << 60) | u64::from(self.me.0) << 44 | request & ((1 << 44) - 1),
        }
    }

    fn last_read(&self, number: u32, row: (u32, u64)) -> Option<u64> {
        let Role::Clients(clients) = &self.role else { return None };
        let Caller::User(user, _) = self.frames.at(number)?.caller else { return None };
        clients.last_read(user, row)
    }

    fn remember(&mut self, number: u32, row: (u32, u64), value: Option<u64>) {
        let caller = self.frames.get(number).caller;
        if let (Role::Clients(clients), Caller::User(user, _)) = (&mut self.role, caller) {
            clients.remember(user, row, value);
        }
    }
}

impl StorePlan {
    /// Whom a request is for.
    fn wanted(&self, operation: Operation) -> Wanted {
        match &self.keeping {
            Keeping::Ordered(plan) => plan.wanted(operation),
            Keeping::Quorum(plan) => Wanted::Anyone(plan.coordinator),
        }
    }
}

impl Access {
    /// What is asked, if its values are whole numbers.
    fn operation(&self, key: u64, variables: &Variables) -> Option<Operation> {
        let number = |assignment: &Assignment| assignment.value(variables).and_then(whole);
        Some(match &self.wants {
            Wants::Read { .. } => Operation::Read { key },
            Wants::Delete => Operation::Delete { key },
            Wants::Write { value } => Operation::Write { key, value: number(value)? },
            Wants::Cas { expected, value, .. } => {
                let expected = match expected.value(variables)? {
                    Value::Null => None,
                    other @ (Value::Int(_) | Value::Bool(_) | Value::Text(_)) => Some(whole(other)?),
                };
                Operation::Cas { key, expected, value: number(value)? }
            }
        })
    }
}

/// A whole number as stores keep it.
fn whole(value: Value) -> Option<u64> {
    if let Value::Int(number) = value { Some(number as u64) } else { None }
}
