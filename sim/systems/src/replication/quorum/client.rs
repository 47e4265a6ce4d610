//! A client of a quorum store: one request at a time, sent again to the next machine until it is answered or given up.

use alloc::vec::Vec;

use kernel::{Delay, Effects, NodeId, Span, Time};

use super::Plan;
use super::alone::Role;
use super::wire::{Body, Message, Output, Request, Ticket, Timer, Version, Wish};
use crate::replication::keys::Session;
use crate::replication::routing::{Routing, Wanted};

/// What a client does, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// Not before this,
    pub at: Time,
    /// nor sooner than this after the order before was done or given up: time to think.
    pub after: Span,
    /// About which key.
    pub key: u64,
    /// What.
    pub wish: Wish,
}

/// A list of orders, and how long a client waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// What it wants; the request of the first has number 1.
    pub orders: Vec<Order>,
    /// Whom it asks first; `None`: another machine for each request.
    pub via: Option<Via>,
    /// After this without an answer it asks another machine.
    pub retry: Span,
    /// After this it gives up.
    pub patience: Span,
}

/// The machines that coordinate for a client, as long as they answer in time: one for what it writes and deletes, and one
/// for what it reads. They need not keep copies of its keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Via {
    /// Where it writes.
    pub writes: NodeId,
    /// Where it reads.
    pub reads: NodeId,
}

/// A client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    pub(super) me: NodeId,
    /// How many orders it has begun.
    begun: u64,
    open: Option<Request>,
    attempt: u32,
    /// Whom it asks; nobody is known before its first request.
    routing: Option<Routing>,
}

impl Client {
    pub(super) const fn new(me: NodeId) -> Self {
        Self { me, begun: 0, open: None, attempt: 0, routing: None }
    }

    pub(super) const fn unfinished(&self) -> u64 {
        self.open.is_some() as u64
    }

    pub(super) fn on_message(&mut self, script: &Script, now: Time, message: &Message, out: &mut impl Effects<Role>) {
        let Body::Answered { number, row } = message.body else { unreachable!("a client hears answers only") };
        if let Some(request) = self.open.filter(|request| request.version.number == number) {
            out.output(Output::Told(request, row));
            self.done(script, now, out);
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
                let Order { key, wish, .. } = script.orders[self.begun as usize];
                self.begun += 1;
                let version = Version { clock: out.clock(now), session: Session::only(self.me), number: self.begun };
                let request = Request { version, key, wish };
                self.open = Some(request);
                out.output(Output::Asks(request));
                self.routing(plan).begin(Wanted::Anyone(plan.coordinator));
                out.set_timer(Timer::GiveUp(self.begun), Delay::Fixed(script.patience));
                let to = script.via.map_or_else(|| self.next(plan), |via| via.place_for(wish));
                self.send(script, request, to, out);
            }
            Timer::Late(attempt) => {
                if let Some(request) = self.open.filter(|_| attempt == self.attempt) {
                    self.routing(plan).next(Wanted::Anyone(plan.coordinator));
                    let to = self.next(plan);
                    self.send(script, request, to, out);
                }
            }
            Timer::GiveUp(number) => {
                if let Some(request) = self.open.filter(|request| request.version.number == number) {
                    out.output(Output::Unknown(request));
                    self.done(script, now, out);
                }
            }
            Timer::Forget(_) => unreachable!("coordinators wait for that"),
        }
    }

    /// Whose turn it is to be asked.
    fn next(&mut self, plan: &Plan) -> NodeId {
        plan.nodes[self.routing(plan).place(Wanted::Anyone(plan.coordinator))]
    }

    fn send(&mut self, script: &Script, request: Request, to: NodeId, out: &mut impl Effects<Role>) {
        out.cancel_timer(Timer::Late(self.attempt));
        self.attempt += 1;
        let ticket = Ticket { session: Session::only(self.me), attempt: self.attempt.into() };
        out.send(to, Message { from: self.me, to, ticket, body: Body::Ask(request) });
        out.set_timer(Timer::Late(self.attempt), Delay::Fixed(script.retry));
    }

    fn routing(&mut self, plan: &Plan) -> &mut Routing {
        let me = self.me;
        self.routing.get_or_insert_with(|| Routing::new(me, plan.nodes.len()))
    }

    fn done(&mut self, script: &Script, now: Time, out: &mut impl Effects<Role>) {
        out.cancel_timer(Timer::Late(self.attempt));
        out.cancel_timer(Timer::GiveUp(self.begun));
        self.open = None;
        self.wait(script, now, out);
    }

    /// Waits for its next order.
    pub(super) fn wait(&self, script: &Script, now: Time, out: &mut impl Effects<Role>) {
        if let Some(order) = script.orders.get(self.begun as usize) {
            out.set_timer(Timer::Order, Delay::Fixed(order.at.max(now + order.after).since(now)));
        }
    }
}

impl Via {
    const fn place_for(self, wish: Wish) -> NodeId {
        match wish {
            Wish::Read => self.reads,
            Wish::Write(_) | Wish::Delete => self.writes,
        }
    }
}
