//! Two-phase commit alone on a cluster: each node plays one role, and a test client gives orders from a list.
//!
//! An enclosing node does not run a `Role`; it names the type, because the handlers say their effects as one.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use kernel::{CellId, Delay, Effects, FactKind, NodeId, Process, Span, Time};

use super::Plan;
use super::coordinator::Coordinator;
use super::participant::Participant;
use super::wire::{Head, Message, Output, Part, Record, Timer, frame, owed};
use crate::commit::{Reason, Resource};

/// One node of a cluster that does nothing but commit.
#[derive(Clone, Debug)]
pub enum Role<R: Resource> {
    /// Coordinates.
    Coordinator(Coordinator<R>),
    /// Takes part, and keeps the rows.
    Participant(Participant<R>, R),
    /// Gives orders.
    Client(Client),
}

/// What a cluster of roles is configured with.
#[derive(Clone, Debug)]
pub struct Play<R: Resource> {
    /// How transactions are carried out.
    pub plan: Plan,
    /// Who plays what, by node.
    pub cast: Vec<Cast<R>>,
}

/// What a node is at the start.
#[derive(Clone, Debug)]
pub enum Cast<R: Resource> {
    /// A coordinator.
    Coordinator,
    /// A participant with these rows.
    Participant(R),
    /// A client with these orders.
    Client {
        /// What it orders.
        orders: Vec<Order<R::Work>>,
        /// How long it waits for an answer.
        patience: Span,
    },
}

/// One transaction that a client wants.
#[derive(Clone, Debug)]
pub struct Order<W> {
    /// When.
    pub at: Time,
    /// Which entry of the plan.
    pub kind: u16,
    /// Its number, unique in the world.
    pub transaction: u64,
    /// Who coordinates it.
    pub coordinator: NodeId,
    /// What each participant shall do.
    pub work: Vec<(NodeId, W)>,
}

/// A client: remembers what it waits for and what it was told.
#[derive(Clone, Debug)]
pub struct Client {
    me: NodeId,
    waiting: BTreeSet<u64>,
    told: BTreeMap<u64, Result<(), Reason>>,
}

impl Client {
    /// What it was told, by transaction. What is missing here has an unknown outcome.
    pub const fn told(&self) -> &BTreeMap<u64, Result<(), Reason>> {
        &self.told
    }
}

impl<R: Resource> Process for Role<R> {
    type Plan = Play<R>;
    type Message = Message<R::Work>;
    type Timer = Timer;
    type Record = Record<R::Work>;
    type Output = Output;

    fn boot(play: &Play<R>, me: NodeId) -> Self {
        match &play.cast[me.0 as usize] {
            Cast::Coordinator => Self::Coordinator(Coordinator::new(&play.plan, me)),
            Cast::Participant(rows) => Self::Participant(Participant::new(&play.plan, me), rows.clone()),
            Cast::Client { .. } => Self::Client(Client { me, waiting: BTreeSet::new(), told: BTreeMap::new() }),
        }
    }

    fn on_start(&mut self, play: &Play<R>, now: Time, log: &[Self::Record], out: &mut impl Effects<Self>) {
        match self {
            Self::Coordinator(coordinator) => coordinator.start(&play.plan, log, out),
            Self::Participant(participant, rows) => participant.start(&play.plan, now, log, rows, out),
            Self::Client(client) => {
                let (orders, _) = play.script(client.me);
                // A restarted client has forgotten what it ordered, and orders only what lies ahead.
                for (n, order) in (0..).zip(orders).filter(|(_, order)| order.at >= now) {
                    out.set_timer(Timer::Order(n), Delay::Fixed(order.at.since(now)));
                }
            }
        }
    }

    fn on_message(
        &mut self,
        play: &Play<R>,
        now: Time,
        from: NodeId,
        message: Self::Message,
        out: &mut impl Effects<Self>,
    ) {
        match self {
            Self::Coordinator(coordinator) => coordinator.on_message(&play.plan, now, from, message, out),
            Self::Participant(participant, rows) => {
                participant.on_message(&play.plan, now, from, message, rows, out);
            }
            Self::Client(client) => client.on_message(play, &message, out),
        }
    }

    fn on_timer(&mut self, play: &Play<R>, now: Time, timer: Timer, out: &mut impl Effects<Self>) {
        match self {
            Self::Coordinator(coordinator) => coordinator.on_timer(&play.plan, now, timer, out),
            Self::Participant(participant, rows) => participant.on_timer(&play.plan, now, timer, rows, out),
            Self::Client(client) => client.on_timer(play, timer, out),
        }
    }

    fn on_reset(
        &mut self,
        play: &Play<R>,
        now: Time,
        to: NodeId,
        message: Self::Message,
        out: &mut impl Effects<Self>,
    ) {
        match self {
            Self::Coordinator(coordinator) => coordinator.on_reset(&play.plan, now, to, &message, out),
            // Votes are asked for again by timeouts, questions repeated, and a client's patience is a timer.
            Self::Participant(..) | Self::Client(_) => {}
        }
    }

    fn unfinished(&self) -> u64 {
        match self {
            Self::Coordinator(coordinator) => coordinator.unfinished(),
            Self::Participant(participant, _) => participant.unfinished(),
            Self::Client(client) => client.waiting.len() as u64,
        }
    }

    fn owed(_play: &Play<R>, _me: NodeId, log: &[Self::Record]) -> u64 {
        owed(log)
    }

    fn volatile_cells(&self, play: &Play<R>, each: &mut impl FnMut(CellId, u64, i64)) {
        match self {
            Self::Coordinator(coordinator) => coordinator.volatile_cells(&play.plan, each),
            Self::Participant(participant, _) => participant.volatile_cells(&play.plan, each),
            Self::Client(_) => {}
        }
    }
}

impl<R: Resource> Play<R> {
    fn script(&self, client: NodeId) -> (&[Order<R::Work>], Span) {
        match &self.cast[client.0 as usize] {
            Cast::Client { orders, patience } => (orders, *patience),
            Cast::Coordinator | Cast::Participant(_) => unreachable!("asked by a client about itself"),
        }
    }
}

impl Client {
    fn on_message<R: Resource>(&mut self, play: &Play<R>, message: &Message<R::Work>, out: &mut impl Effects<Role<R>>) {
        let Message::Answer(head, outcome) = *message else { unreachable!("a client hears answers only") };
        // An answer that comes too late, or twice, tells nobody.
        if !self.waiting.remove(&head.transaction) {
            return;
        }
        out.frame(frame(Part::Client, head.transaction));
        out.cancel_timer(Timer::AnswerLate(head.transaction));
        self.told.insert(head.transaction, outcome);
        let told = FactKind::Told { commit: outcome.is_ok() };
        out.fact(play.plan.kind(head.kind).protocol, head.transaction, told);
    }

    fn on_timer<R: Resource>(&mut self, play: &Play<R>, timer: Timer, out: &mut impl Effects<Role<R>>) {
        match timer {
            Timer::Order(n) => {
                let (orders, patience) = play.script(self.me);
                let Order { at: began, kind, transaction, coordinator, work } = orders[n as usize].clone();
                self.waiting.insert(transaction);
                out.frame(frame(Part::Client, transaction));
                let head = Head { transaction, began, kind, part: 0, attempt: 0 };
                out.send(coordinator, Message::Begin(head, work));
                out.set_timer(Timer::AnswerLate(transaction), Delay::Fixed(patience));
            }
            Timer::AnswerLate(transaction) => {
                self.waiting.remove(&transaction);
            }
            Timer::Begun(_)
            | Timer::VotesLate(_)
            | Timer::Decided(_)
            | Timer::AcksLate(_)
            | Timer::LockLate(_)
            | Timer::Voted(_)
            | Timer::DecisionLate(_)
            | Timer::Outcome(_) => unreachable!("a client sets its own timers only"),
        }
    }
}
