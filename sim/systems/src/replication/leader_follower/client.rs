//! A client of the store: one request at a time, sent again until it is answered or given up, to whoever is said to lead.

use alloc::vec::Vec;

use kernel::{Delay, Effects, NodeId, Span, Time};

use super::Plan;
use super::alone::Role;
use super::wire::{Body, Message, Output, Timer};
use crate::replication::keys::{Operation, Request, Session};
use crate::replication::routing::Routing;

/// What a client does, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// Not before this, nor before the order before is done or given up.
    pub at: Time,
    /// What.
    pub operation: Operation,
}

/// A list of orders, and how long a client waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// What it wants; the request of the first has number 1.
    pub orders: Vec<Order>,
    /// After this without an answer it asks another replica.
    pub retry: Span,
    /// After this it gives up.
    pub patience: Span,
}

/// A client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    pub(super) me: NodeId,
    /// How many orders it has begun.
    begun: u64,
    open: Option<Request>,
    attempt: u32,
    /// Whom it asks; nobody is known before it starts.
    routing: Option<Routing>,
}

impl Client {
    pub(super) const fn new(me: NodeId) -> Self {
        Self { me, begun: 0, open: None, attempt: 0, routing: None }
    }

    pub(super) const fn unfinished(&self) -> u64 {
        self.open.is_some() as u64
    }

    pub(super) fn start(&mut self, script: &Script, now: Time, out: &mut impl Effects<Role>) {
        // A restarted client has forgotten what it wanted, and wants only what lies ahead.
        self.begun = if now == Time::ZERO { 0 } else { script.orders.partition_point(|order| order.at < now) as u64 };
        self.routing = None;
        self.wait(script, now, out);
    }

    pub(super) fn on_message(
        &mut self,
        plan: &Plan,
        script: &Script,
        now: Time,
        message: &Message,
        out: &mut impl Effects<Role>,
    ) {
        let Some(request) = self.open else { return };
        match message.body {
            Body::Answered { number, answer, .. } if number == request.number => {
                out.output(Output::Told(request, answer));
                self.done(script, now, out);
            }
            Body::Elsewhere { number, leader, .. } if number == request.number => {
                let latest = message.nth == u64::from(self.attempt);
                match leader.filter(|leader| latest && *leader != message.from) {
                    Some(leader) => {
                        self.routing(plan).heard(plan.place(leader));
                        self.send(plan, script, request, out);
                    }
                    None if latest => out.set_timer(Timer::Late(self.attempt), Delay::Fixed(plan.heartbeat)),
                    None => {}
                }
            }
            Body::Answered { .. } | Body::Elsewhere { .. } => {}
            Body::Ask(_)
            | Body::Elect { .. }
            | Body::Vote { .. }
            | Body::Append { .. }
            | Body::Install { .. }
            | Body::Copied { .. }
            | Body::Publish { .. }
            | Body::Published { .. }
            | Body::Inquire
            | Body::Extends(_) => unreachable!("replicas and devices hear that"),
        }
    }

    pub(super) fn on_timer(
        &mut self,
        plan: &Plan,
        script: &Script,
        now: Time,
        timer: Timer,
        out: &mut impl Effects<Role>,
    ) {
        match timer {
            Timer::Order => {
                let Order { operation, .. } = script.orders[self.begun as usize];
                self.begun += 1;
                let request = Request { session: Session::only(self.me), number: self.begun, operation };
                self.open = Some(request);
                self.routing(plan).begin(plan.wanted(operation));
                out.output(Output::Asks(request));
                out.set_timer(Timer::GiveUp(request.number), Delay::Fixed(script.patience));
                self.send(plan, script, request, out);
            }
            Timer::Late(attempt) => {
                if let Some(request) = self.open.filter(|_| attempt == self.attempt) {
                    self.routing(plan).next(plan.wanted(request.operation));
                    self.send(plan, script, request, out);
                }
            }
            Timer::GiveUp(number) => {
                if let Some(Request { operation, .. }) = self.open.filter(|request| request.number == number) {
                    out.output(Output::Unknown { number, operation });
                    self.done(script, now, out);
                }
            }
            Timer::Silence | Timer::Heartbeat | Timer::Stood(_) | Timer::Written { .. } | Timer::Inquire => {
                unreachable!("replicas wait for that")
            }
        }
    }

    fn send(&mut self, plan: &Plan, script: &Script, request: Request, out: &mut impl Effects<Role>) {
        out.cancel_timer(Timer::Late(self.attempt));
        self.attempt += 1;
        let place = self.routing(plan).place(plan.wanted(request.operation));
        let (to, nth) = (plan.replicas[place], u64::from(self.attempt));
        out.send(to, Message { from: self.me, to, nth, body: Body::Ask(request) });
        out.set_timer(Timer::Late(self.attempt), Delay::Fixed(script.retry));
    }

    fn routing(&mut self, plan: &Plan) -> &mut Routing {
        let me = self.me;
        self.routing.get_or_insert_with(|| Routing::new(me, plan.replicas.len()))
    }

    fn done(&mut self, script: &Script, now: Time, out: &mut impl Effects<Role>) {
        out.cancel_timer(Timer::Late(self.attempt));
        out.cancel_timer(Timer::GiveUp(self.begun));
        self.open = None;
        self.wait(script, now, out);
    }

    /// Waits for its next order.
    fn wait(&self, script: &Script, now: Time, out: &mut impl Effects<Role>) {
        if let Some(order) = script.orders.get(self.begun as usize) {
            out.set_timer(Timer::Order, Delay::Fixed(order.at.max(now).since(now)));
        }
    }
}
