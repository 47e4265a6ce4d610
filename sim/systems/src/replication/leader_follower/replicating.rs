//! What a leader does: takes requests into its log, sends everybody what is lacking, and counts copies (Raft, §5.3, §5.4.2).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{Delay, Effects, NodeId};

use super::alone::Role;
use super::log::{Entry, Position};
use super::reading::{Lookup, Question};
use super::replica::{Moment, Replica, Standing};
use super::wire::{Body, Copied, Record, Stamp, Timer};
use super::{Mutant, Plan};
use crate::replication::keys::{Request, Session};

/// What a leader knows of its term.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    /// The entry it began its term with.
    pub(super) first: u64,
    /// One per replica, in their order; its own has only `has`.
    pub(super) peers: Vec<Peer>,
    /// How many messages it has sent to followers.
    pub(super) round: u64,
    /// Who waits for a change: which request, and the entry it is. A session has one at a time.
    pub(super) waiting: BTreeMap<Session, (Lookup, u64)>,
    /// Reads that wait for a majority to confirm.
    pub(super) reads: Vec<Question>,
    /// Up to where the device has been told.
    pub(super) published: u64,
}

/// What a leader knows of one replica.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// The first entry to send.
    next: u64,
    /// Up to here it has the leader's log, durably.
    has: u64,
    /// The last of the leader's messages it has answered.
    pub(super) confirmed: Stamp,
    /// The message with which entries are on their way: no more are sent before its answer or the next heartbeat.
    busy: Option<u64>,
}

impl Lead {
    pub(super) fn new(plan: &Plan, next: u64) -> Self {
        let peer = Peer { next, has: 0, confirmed: Stamp { round: 0, clock: i64::MIN }, busy: None };
        Self {
            first: next,
            peers: vec![peer; plan.replicas.len()],
            round: 0,
            waiting: BTreeMap::new(),
            reads: Vec::new(),
            published: 0,
        }
    }

    /// What it will not answer any more.
    pub(super) fn abandoned(&self) -> impl Iterator<Item = Lookup> {
        self.waiting.values().map(|waiting| waiting.0).chain(self.reads.iter().map(|question| question.lookup))
    }

    /// How far so many replicas have the log.
    fn copied(&self, copies: usize) -> u64 {
        let mut has: Vec<u64> = self.peers.iter().map(|peer| peer.has).collect();
        has.sort_unstable();
        has[has.len() - copies]
    }
}

impl Replica {
    /// A client wants a change, or a read by way of the log.
    pub(super) fn propose(&mut self, plan: &Plan, at: Moment, asked: Lookup, out: &mut impl Effects<Role>) {
        let Request { session, number, .. } = asked.request;
        let Standing::Leader(lead) = &mut self.standing else { return };
        if let Some((waits, _)) = lead.waiting.get_mut(&session).filter(|(waits, _)| waits.request.number >= number) {
            // Asked again: it only listens for what is said of its last attempt.
            *waits = if waits.request.number == number { asked } else { *waits };
            return;
        }
        match self.state.executed(session) {
            Some(last) if last.number > number => {}
            Some(last) if last.number == number => {
                lead.waiting.insert(session, (asked, last.index));
                self.settle(plan, out);
            }
            Some(_) | None => {
                lead.waiting.insert(session, (asked, self.log.last().index + 1));
                let entry = Entry { term: self.term, request: Some(asked.request) };
                self.append(plan, entry, out);
                self.spread(plan, at, out);
            }
        }
    }

    /// The leader's log grows by an entry.
    pub(super) fn append(&mut self, plan: &Plan, entry: Entry, out: &mut impl Effects<Role>) {
        let index = self.log.last().index + 1;
        self.log.put(index, entry);
        out.frame(plan.log_frame());
        out.persist(Record::Entry { index, entry });
        if plan.has(Mutant::AckBeforeFsync) {
            self.written(plan, (self.term, index), out);
        } else {
            out.wake(Timer::Written { term: self.term, index });
        }
    }

    /// The leader's own copy is durable up to an index.
    pub(super) fn written(&mut self, plan: &Plan, what: (u64, u64), out: &mut impl Effects<Role>) {
        let (term, index) = what;
        let Standing::Leader(lead) = &mut self.standing else { return };
        if term == self.term {
            let own = &mut lead.peers[plan.place(self.me)];
            own.has = own.has.max(index);
            self.advance(plan, out);
        }
    }

    /// It is time to be heard of: a leader sends everybody what is lacking, a candidate asks again.
    pub(super) fn beat(&mut self, plan: &Plan, at: Moment, out: &mut impl Effects<Role>) {
        match &mut self.standing {
            Standing::Follower => {}
            Standing::Candidate(_) => self.canvass(plan, out),
            Standing::Leader(lead) => {
                for peer in &mut lead.peers {
                    peer.busy = None;
                }
                out.set_timer(Timer::Heartbeat, Delay::Fixed(plan.heartbeat));
                self.herald(plan, at, out);
                self.publish(plan, out);
            }
        }
    }

    /// Says something to every follower: entries, or at least that it still leads.
    pub(super) fn herald(&mut self, plan: &Plan, at: Moment, out: &mut impl Effects<Role>) {
        let me = self.me;
        for replica in plan.replicas.iter().filter(|replica| **replica != me) {
            self.supply(plan, at, *replica, out);
        }
    }

    /// Sends entries to every follower that lacks some and waits for none.
    fn spread(&mut self, plan: &Plan, at: Moment, out: &mut impl Effects<Role>) {
        let (me, last) = (self.me, self.log.last().index);
        for (place, replica) in plan.replicas.iter().enumerate().filter(|(_, replica)| **replica != me) {
            let Standing::Leader(lead) = &self.standing else { return };
            if lead.peers[place].next <= last && lead.peers[place].busy.is_none() {
                self.supply(plan, at, *replica, out);
            }
        }
    }

    /// Sends one follower what it lacks.
    fn supply(&mut self, plan: &Plan, at: Moment, to: NodeId, out: &mut impl Effects<Role>) {
        let Standing::Leader(lead) = &mut self.standing else { return };
        lead.round += 1;
        let stamp = Stamp { round: lead.round, clock: Self::clock(plan, at) };
        let peer = &mut lead.peers[plan.place(to)];
        let (term, next) = (self.term, peer.next);
        let body = if let Some(before) = self.log.term(next - 1) {
            let most = if peer.busy.is_none() { plan.batch } else { 0 };
            let entries = self.log.from(next, most);
            if !entries.is_empty() {
                peer.busy = Some(stamp.round);
            }
            let previous = Position { index: next - 1, term: before };
            Body::Append { term, stamp, previous, entries, agreed: self.agreed }
        } else {
            peer.busy = Some(stamp.round);
            Body::Install { term, stamp, snapshot: Box::new(self.log.base().clone()) }
        };
        out.frame(plan.open_frame());
        self.send(to, stamp.round, body, out);
    }

    /// A follower has answered.
    pub(super) fn copied(
        &mut self,
        plan: &Plan,
        at: Moment,
        follower: (NodeId, u64),
        answer: (Stamp, Copied),
        out: &mut impl Effects<Role>,
    ) {
        let ((from, term), (stamp, copied)) = (follower, answer);
        if term > self.term {
            return self.step_down(plan, at, term, out);
        }
        let Standing::Leader(lead) = &mut self.standing else { return };
        if term < self.term {
            return;
        }
        let peer = &mut lead.peers[plan.place(from)];
        match copied {
            // In its own term: a message from when it led an older one. That confirms nothing.
            Copied::Refused => return,
            Copied::UpTo(index) => {
                peer.has = peer.has.max(index);
                peer.next = peer.next.max(peer.has + 1);
            }
            // An old answer may speak of what has been copied since.
            Copied::NotThere(next) => peer.next = next.min(peer.next).max(peer.has + 1),
        }
        peer.confirmed = peer.confirmed.max(stamp);
        peer.busy = peer.busy.filter(|round| *round != stamp.round);
        self.advance(plan, out);
        self.spread(plan, at, out);
    }

    /// What enough replicas have is agreed, executed and answered.
    fn advance(&mut self, plan: &Plan, out: &mut impl Effects<Role>) {
        let Standing::Leader(lead) = &self.standing else { return };
        out.frame(plan.open_frame());
        let (most, ahead) = (lead.copied(plan.majority()), lead.copied(plan.copies()));
        // An older entry may still be replaced by a leader that never had it: only one of the own term is counted.
        let counts = self.log.term(most) == Some(self.term) || plan.has(Mutant::CommitOldTerm);
        if most > self.agreed && counts {
            if self.agreed < lead.first {
                plan.point(plan.points.after_first_agreed, out);
            }
            plan.point(plan.points.after_agreed, out);
            self.agree(plan, most, out);
        }
        if plan.copies() < plan.majority() {
            self.execute(ahead);
        }
        self.settle(plan, out);
        self.look_up(plan, out);
    }

    /// Tells the clients whose changes have enough copies.
    fn settle(&mut self, plan: &Plan, out: &mut impl Effects<Role>) {
        let Standing::Leader(lead) = &mut self.standing else { return };
        let until = self.executed.min(lead.copied(plan.copies()));
        let (state, mut told) = (&self.state, Vec::new());
        lead.waiting.retain(|session, (lookup, index)| {
            let done = *index <= until;
            if let (true, Some(last)) = (done, state.executed(*session)) {
                told.extend((last.number == lookup.request.number).then_some((*lookup, last.answer)));
            }
            !done
        });
        out.frame(plan.open_frame());
        for (lookup, answer) in told {
            self.answer(lookup, answer, out);
        }
    }

    /// Tells the device how far the log is agreed, until it has heard.
    fn publish(&mut self, plan: &Plan, out: &mut impl Effects<Role>) {
        let Standing::Leader(lead) = &self.standing else { return };
        if let Some(device) = plan.device.filter(|_| self.agreed > lead.published) {
            let (nth, body) = (lead.round, Body::Publish { term: self.term, index: self.agreed });
            out.frame(plan.open_frame());
            self.send(device, nth, body, out);
        }
    }

    /// The device has heard, or knows a newer term.
    pub(super) fn published(&mut self, plan: &Plan, at: Moment, heard: (u64, u64), out: &mut impl Effects<Role>) {
        let (term, index) = heard;
        if term > self.term {
            return self.step_down(plan, at, term, out);
        }
        if let Standing::Leader(lead) = &mut self.standing {
            lead.published = lead.published.max(if term == self.term { index } else { 0 });
        }
    }
}
