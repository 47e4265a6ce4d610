//! How a leader is found (Raft, §5.2, §5.4.1).

use alloc::boxed::Box;
use alloc::collections::BTreeSet;

use kernel::{Delay, Effects, FactKind, NodeId};

use super::alone::Role;
use super::log::{Entry, Position};
use super::replica::{Candidacy, Moment, Replica, Standing};
use super::replicating::Lead;
use super::wire::{Body, Output, Record, Timer};
use super::{Mutant, Plan};

impl Replica {
    /// Waits anew for a leader to be heard of.
    pub(super) fn listen(&self, plan: &Plan, at: Moment, out: &mut impl Effects<Role>) {
        let after = plan.election_timeout.span(&mut plan.key.draw(u64::from(self.me.0), 0, at.now.0));
        out.set_timer(Timer::Silence, Delay::Fixed(after));
    }

    /// Nothing was heard of a leader: stands for election, unless it has promised not to elect anybody yet.
    pub(super) fn stand(&mut self, plan: &Plan, at: Moment, out: &mut impl Effects<Role>) {
        if self.leads() {
            return;
        }
        self.listen(plan, at, out);
        if self.bound(plan, at) {
            return;
        }
        self.term += 1;
        (self.vote, self.leader) = (Some(self.me), None);
        self.standing = Standing::Candidate(Candidacy { votes: BTreeSet::new(), asked: 0 });
        out.frame(plan.log_frame());
        out.persist(Record::Promise { term: self.term, vote: self.vote });
        out.wake(Timer::Stood(self.term));
    }

    /// Its own vote is durable: it counts, and the others are asked.
    pub(super) fn stood(&mut self, plan: &Plan, at: Moment, term: u64, out: &mut impl Effects<Role>) {
        if self.term != term {
            return;
        }
        self.count(plan, at, (self.me, term), true, out);
        if matches!(self.standing, Standing::Candidate(_)) {
            self.canvass(plan, out);
        }
    }

    /// Asks everybody who has not said yes.
    pub(super) fn canvass(&mut self, plan: &Plan, out: &mut impl Effects<Role>) {
        let Standing::Candidate(candidacy) = &mut self.standing else { return };
        candidacy.asked += 1;
        let (asked, votes) = (candidacy.asked, candidacy.votes.clone());
        out.frame(plan.log_frame());
        for replica in plan.replicas.iter().filter(|replica| !votes.contains(replica)) {
            self.send(*replica, asked, Body::Elect { term: self.term, last: self.log.last() }, out);
        }
        out.set_timer(Timer::Heartbeat, Delay::Fixed(plan.heartbeat));
    }

    /// Somebody wants to be elected.
    pub(super) fn elect(
        &mut self,
        plan: &Plan,
        at: Moment,
        candidate: (NodeId, u64),
        wanted: (u64, Position),
        out: &mut impl Effects<Role>,
    ) {
        let ((from, nth), (term, last)) = (candidate, wanted);
        if self.bound(plan, at) {
            return;
        }
        if term > self.term {
            self.step_down(plan, at, term, out);
        }
        let own = self.log.last();
        let complete = last >= own;
        let free = self.vote.is_none() || self.vote == Some(from) || plan.has(Mutant::VoteTwice);
        let granted = term == self.term && matches!(self.standing, Standing::Follower) && complete && free;
        out.frame(plan.log_frame());
        if granted {
            if self.vote != Some(from) {
                self.vote = Some(from);
                out.persist(Record::Promise { term, vote: self.vote });
            }
            self.listen(plan, at, out);
            plan.point(plan.points.after_vote_persisted, out);
        }
        self.send(from, nth, Body::Vote { term: self.term, granted }, out);
        if granted {
            plan.point(plan.points.after_vote_sent, out);
        }
    }

    /// A vote came in.
    pub(super) fn count(
        &mut self,
        plan: &Plan,
        at: Moment,
        voter: (NodeId, u64),
        granted: bool,
        out: &mut impl Effects<Role>,
    ) {
        let (from, term) = voter;
        if term > self.term {
            return self.step_down(plan, at, term, out);
        }
        let Standing::Candidate(candidacy) = &mut self.standing else { return };
        if term == self.term && granted {
            candidacy.votes.insert(from);
            if candidacy.votes.len() >= plan.majority() {
                self.lead(plan, at, out);
            }
        }
    }

    /// It is elected: its term begins with an entry of its own.
    fn lead(&mut self, plan: &Plan, at: Moment, out: &mut impl Effects<Role>) {
        let term = self.term;
        self.leader = Some(self.me);
        out.cancel_timer(Timer::Silence);
        out.frame(plan.open_frame());
        out.fact(plan.store, term, FactKind::Leads { term });
        if plan.told {
            out.output(Output::Leads { term });
        }
        plan.point(plan.points.after_elected, out);
        self.standing = Standing::Leader(Box::new(Lead::new(plan, self.log.last().index + 1)));
        self.append(plan, Entry { term, request: None }, out);
        self.beat(plan, at, out);
    }
}
