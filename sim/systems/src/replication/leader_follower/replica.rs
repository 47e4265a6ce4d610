//! One copy of the store: what it holds, what a restart reads, and how it steps down.
//!
//! `election` has how a leader is found, `replicating` how its log spreads and becomes agreed, `catching_up` what a
//! follower does with it, `reading` who may answer a read.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use kernel::{CellId, Delay, Delta, Effects, FactKind, NodeId, Process, Span, Time};

use super::alone::Role;
use super::inquiring::Inquiry;
use super::log::{Log, Snapshot};
use super::reading::Lookup;
use super::replicating::Lead;
use super::state::State;
use super::wire::{Body, Message, Output, Record, Timer};
use super::{LeaseClock, Mutant, Plan, Reads};
use crate::replication::keys::{Answer, Request};

/// What time it is, and what the clocks of the machine show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// True time: for draws, never for decisions.
    pub now: Time,
    /// The clock that only drifts, in nanoseconds.
    pub monotonic: i64,
    /// The clock that tells the time of day, in nanoseconds.
    pub wall: i64,
}

impl Moment {
    /// What the machine shows now that these effects are of.
    pub fn here<P: Process>(now: Time, out: &impl Effects<P>) -> Self {
        Self { now, monotonic: out.monotonic(now), wall: out.clock(now) }
    }
}

/// A copy of the store.
#[derive(Clone, Debug)]
pub struct Replica {
    pub(super) me: NodeId,
    /// The newest term it has heard of, and whom it voted for there.
    pub(super) term: u64,
    pub(super) vote: Option<NodeId>,
    pub(super) log: Log,
    /// Up to where the log is known to be agreed.
    pub(super) agreed: u64,
    /// Up to where it is executed: as far as it is agreed, or further where the leader does not wait for that.
    pub(super) executed: u64,
    pub(super) state: State,
    pub(super) standing: Standing,
    /// Who leads the term, as far as is known.
    pub(super) leader: Option<NodeId>,
    /// Until when nobody else is elected, by the clock of the lease.
    pub(super) promised: i64,
    /// Reads for which it asks a majority.
    pub(super) inquiries: Vec<Inquiry>,
    /// The last round in which it has asked for one.
    pub(super) asked: u64,
    /// What its cells show.
    shown: [i64; 5],
}

/// What a replica is in its term.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    Follower,
    Candidate(Candidacy),
    Leader(Box<Lead>),
}

/// What a candidate has.
#[derive(Clone, Debug)]
pub(super) struct Candidacy {
    /// Its own vote is among them as soon as it is durable.
    pub(super) votes: BTreeSet<NodeId>,
    /// How often it has asked.
    pub(super) asked: u64,
}

impl Replica {
    /// One with empty memory.
    pub fn new(me: NodeId) -> Self {
        Self {
            me,
            term: 0,
            vote: None,
            log: Log::default(),
            agreed: 0,
            executed: 0,
            state: State::default(),
            standing: Standing::Follower,
            leader: None,
            promised: i64::MIN,
            inquiries: Vec::new(),
            asked: 0,
            shown: [0; 5],
        }
    }

    /// The newest term it has heard of.
    pub const fn term(&self) -> u64 {
        self.term
    }

    /// It believes to lead its term.
    pub const fn leads(&self) -> bool {
        matches!(self.standing, Standing::Leader(_))
    }

    /// Its log, with what is not durable yet.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Up to where it knows its log to be agreed.
    pub const fn agreed(&self) -> u64 {
        self.agreed
    }

    /// What executing its log has given.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// What executing all of its log would give.
    pub fn logged(&self) -> State {
        self.log.state_after(self.log.last().index)
    }

    /// Requests that it has taken and not answered.
    pub fn unfinished(&self) -> u64 {
        let taken = match &self.standing {
            Standing::Leader(lead) => lead.waiting.len() + lead.reads.len(),
            Standing::Follower | Standing::Candidate(_) => 0,
        };
        (taken + self.inquiries.len()) as u64
    }

    /// It reads what its log says, and listens for a leader.
    pub fn start(&mut self, plan: &Plan, at: Moment, log: &[Record], out: &mut impl Effects<Role>) {
        for record in log {
            match record {
                Record::Promise { term, vote } => (self.term, self.vote) = (*term, *vote),
                Record::Entry { index, entry } => self.log.put(*index, *entry),
                Record::Snapshot(snapshot) => self.log.install(Snapshot::clone(snapshot)),
                Record::Published { .. } => unreachable!("a device writes that"),
            }
        }
        if plan.has(Mutant::ForgetVote) {
            self.vote = None;
        }
        self.agreed = self.log.base().last.index;
        self.execute_agreed();
        // Whoever still answers the one before it answers an earlier round.
        self.asked = at.now.0;
        // It may have promised right before it went down.
        self.promise(plan, at);
        self.listen(plan, at, out);
        if plan.replicas.len() == 1 || (plan.first == Some(self.me) && self.term == 0) {
            out.set_timer(Timer::Silence, Delay::Fixed(Span::ZERO));
        }
        self.show(plan, out);
    }

    /// A message for a replica came in.
    pub fn on_message(&mut self, plan: &Plan, at: Moment, message: Message, out: &mut impl Effects<Role>) {
        let Message { from, nth, body, .. } = message;
        match body {
            Body::Ask(request) => self.ask(plan, at, (request, nth), out),
            Body::Elect { term, last } => self.elect(plan, at, (from, nth), (term, last), out),
            Body::Vote { term, granted } => self.count(plan, at, (from, term), granted, out),
            Body::Append { term, stamp, previous, entries, agreed } => {
                if self.obeys(plan, at, (from, nth), (term, stamp), out) {
                    let copied = self.take(plan, previous, &entries, agreed, out);
                    self.report(plan, (from, nth), (term, stamp), copied, out);
                }
            }
            Body::Install { term, stamp, snapshot } => {
                if self.obeys(plan, at, (from, nth), (term, stamp), out) {
                    let copied = self.install(plan, *snapshot, out);
                    self.report(plan, (from, nth), (term, stamp), copied, out);
                }
            }
            Body::Copied { term, stamp, copied } => self.copied(plan, at, (from, term), (stamp, copied), out),
            Body::Published { term, index } => self.published(plan, at, (term, index), out),
            Body::Inquire => self.tell_extent(plan, (from, nth), out),
            Body::Extends(extent) => self.extends(plan, (from, nth), extent, out),
            Body::Answered { .. } | Body::Elsewhere { .. } | Body::Publish { .. } => {
                unreachable!("clients and devices hear that")
            }
        }
        self.settle_inquiries(plan, out);
        self.show(plan, out);
    }

    /// A timer of a replica is due.
    pub fn on_timer(&mut self, plan: &Plan, at: Moment, timer: Timer, out: &mut impl Effects<Role>) {
        match timer {
            Timer::Silence => self.stand(plan, at, out),
            Timer::Stood(term) => self.stood(plan, at, term, out),
            Timer::Heartbeat => self.beat(plan, at, out),
            Timer::Written { term, index } => self.written(plan, (term, index), out),
            Timer::Inquire => self.inquire_again(plan, out),
            Timer::Order | Timer::Late(_) | Timer::GiveUp(_) => unreachable!("clients wait for that"),
        }
        self.settle_inquiries(plan, out);
        self.show(plan, out);
    }

    /// The cells that a crash sets back.
    pub fn volatile_cells(&self, plan: &Plan, each: &mut impl FnMut(CellId, u64, i64)) {
        let Some(cells) = plan.cells else { return };
        for (cell, shown) in cells.all().into_iter().zip(self.shown) {
            each(cell, plan.place(self.me) as u64, shown);
        }
    }

    /// Brings its cells up to date.
    fn show(&mut self, plan: &Plan, out: &mut impl Effects<Role>) {
        let Some(cells) = plan.cells else { return };
        let now = [self.term, u64::from(self.leads()), self.agreed, self.executed, self.log.last().index];
        let now = now.map(|number| number as i64);
        if now == self.shown {
            return;
        }
        let key = plan.place(self.me) as u64;
        let rows = cells.all().into_iter().zip(self.shown.into_iter().zip(now));
        let changed = rows.filter(|(_, (before, after))| before != after);
        let change: Vec<Delta> = changed.map(|(cell, (before, after))| Delta { cell, key, before, after }).collect();
        self.shown = now;
        out.note(&change);
    }

    /// A client wants something.
    fn ask(&mut self, plan: &Plan, at: Moment, asked: (Request, u64), out: &mut impl Effects<Role>) {
        let (request, nth) = asked;
        out.frame(plan.open_frame());
        match (&self.standing, request.operation.reads(), plan.reads) {
            (_, true, Reads::Memory(_)) => {
                let value = Answer::Value(self.state.value(request.operation.key()));
                self.answer(Lookup { request, nth }, value, out);
            }
            (_, true, Reads::Quorum(_)) => self.inquire(plan, Lookup { request, nth }, out),
            (Standing::Follower | Standing::Candidate(_), _, _) => self.elsewhere((request, nth), out),
            (Standing::Leader(_), true, Reads::Leader | Reads::ReadIndex | Reads::Lease(_)) => {
                self.read(plan, at, Lookup { request, nth }, out);
            }
            (Standing::Leader(_), true, Reads::Log)
            | (
                Standing::Leader(_),
                false,
                Reads::Leader | Reads::ReadIndex | Reads::Lease(_) | Reads::Log | Reads::Quorum(_) | Reads::Memory(_),
            ) => self.propose(plan, at, Lookup { request, nth }, out),
        }
    }

    pub(super) fn send(&self, to: NodeId, nth: u64, body: Body, out: &mut impl Effects<Role>) {
        out.send(to, Message { from: self.me, to, nth, body });
    }

    pub(super) fn answer(&self, lookup: Lookup, answer: Answer, out: &mut impl Effects<Role>) {
        let Lookup { request: Request { session, number, .. }, nth } = lookup;
        self.send(session.node, nth, Body::Answered { seat: session.seat, number, answer }, out);
    }

    pub(super) fn elsewhere(&self, asked: (Request, u64), out: &mut impl Effects<Role>) {
        let (Request { session, number, .. }, nth) = asked;
        self.send(session.node, nth, Body::Elsewhere { seat: session.seat, number, leader: self.leader }, out);
    }

    /// Another term, or a leader in this one: whatever this replica was, it follows from now on.
    pub(super) fn step_down(&mut self, plan: &Plan, at: Moment, term: u64, out: &mut impl Effects<Role>) {
        if term > self.term {
            (self.term, self.vote, self.leader) = (term, None, None);
            out.frame(plan.log_frame());
            out.persist(Record::Promise { term, vote: None });
        }
        match core::mem::replace(&mut self.standing, Standing::Follower) {
            Standing::Follower => return,
            Standing::Candidate(_) => {}
            Standing::Leader(lead) => {
                out.frame(plan.open_frame());
                out.fact(plan.store, self.term, FactKind::StoodDown);
                for Lookup { request, nth } in lead.abandoned() {
                    self.elsewhere((request, nth), out);
                }
            }
        }
        out.cancel_timer(Timer::Heartbeat);
        if self.executed > self.agreed {
            self.execute_agreed();
        }
        self.listen(plan, at, out);
    }

    /// Executes the log anew, as far as it is agreed.
    pub(super) fn execute_agreed(&mut self) {
        self.state = self.log.state_after(self.agreed);
        self.executed = self.agreed;
    }

    /// Executes the log up to an index.
    pub(super) fn execute(&mut self, until: u64) {
        for index in self.executed + 1..=until {
            let entry = self.log.entry(index).expect("what is behind the snapshot is in the log");
            if let Some(request) = entry.request {
                self.state.execute(index, request);
            }
        }
        self.executed = self.executed.max(until);
    }

    /// The log is agreed up to an index.
    pub(super) fn agree(&mut self, plan: &Plan, until: u64, out: &mut impl Effects<Role>) {
        for index in self.agreed + 1..=until {
            let entry = self.log.entry(index).expect("what is behind the snapshot is in the log");
            if plan.told {
                out.output(Output::Agreed { index, entry });
            }
        }
        self.agreed = until;
        self.execute(until);
        self.cut(plan, out);
    }

    /// The clock that leases go by, where there are leases.
    pub(super) const fn clock(plan: &Plan, at: Moment) -> i64 {
        match plan.reads {
            Reads::Lease(lease) => match lease.clock {
                LeaseClock::Monotonic => at.monotonic,
                LeaseClock::Wall => at.wall,
            },
            Reads::Leader | Reads::ReadIndex | Reads::Log | Reads::Quorum(_) | Reads::Memory(_) => 0,
        }
    }

    /// Nobody else is elected for the length of a lease.
    pub(super) const fn promise(&mut self, plan: &Plan, at: Moment) {
        if let Reads::Lease(lease) = plan.reads {
            self.promised = Self::clock(plan, at).saturating_add(lease.length.0 as i64);
        }
    }

    /// It has promised not to elect anybody else yet.
    pub(super) const fn bound(&self, plan: &Plan, at: Moment) -> bool {
        matches!(plan.reads, Reads::Lease(_)) && Self::clock(plan, at) < self.promised
    }
}
