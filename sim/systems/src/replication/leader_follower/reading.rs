//! Who may answer a read (Raft, §8; Ongaro's thesis, §6.4).

use alloc::vec::Vec;

use kernel::Effects;

use super::alone::Role;
use super::replica::{Moment, Replica, Standing};
use super::{Mutant, Plan, Reads};
use crate::replication::keys::{Answer, Request};

/// A request, and which attempt of its client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lookup {
    pub(super) request: Request,
    pub(super) nth: u64,
}

impl Lookup {
    /// Whether none of these, of which a session has at most one, is the same request or a later one. What is asked again
    /// only listens for what is said of its last attempt.
    pub(super) fn is_new<'a>(self, mut waiting: impl Iterator<Item = &'a mut Self>) -> bool {
        let Request { session, number, .. } = self.request;
        let Some(asked) = waiting.find(|asked| asked.request.session == session) else { return true };
        if asked.request.number == number {
            *asked = self;
        }
        asked.request.number < number
    }
}

/// A read that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Question {
    pub(super) lookup: Lookup,
    /// A majority must answer something that was sent after this message.
    after: u64,
    /// The log must be executed up to here.
    index: u64,
}

impl Replica {
    /// A leader is asked for a value.
    pub(super) fn read(&mut self, plan: &Plan, at: Moment, lookup: Lookup, out: &mut impl Effects<Role>) {
        let unchecked = plan.reads == Reads::Leader || plan.has(Mutant::StaleLeader);
        if unchecked || self.holds_lease(plan, at) {
            return self.tell_value(lookup, out);
        }
        let Standing::Leader(lead) = &mut self.standing else { return };
        if !lookup.is_new(lead.reads.iter_mut().map(|asked| &mut asked.lookup)) {
            return;
        }
        lead.reads.retain(|asked| asked.lookup.request.session != lookup.request.session);
        // Before an entry of its own term is agreed, a leader does not know how much of its log is.
        let index = self.agreed.max(lead.first);
        lead.reads.push(Question { lookup, after: lead.round, index });
        self.herald(plan, at, out);
        self.look_up(plan, out);
    }

    /// Answers the reads for which everything is there.
    pub(super) fn look_up(&mut self, plan: &Plan, out: &mut impl Effects<Role>) {
        let executed = self.executed;
        let Standing::Leader(lead) = &mut self.standing else { return };
        let peers = &lead.peers;
        let confirmed = |after| peers.iter().filter(|peer| peer.confirmed.round > after).count() + 1;
        let mut ready = Vec::new();
        lead.reads.retain(|question| {
            let waits = executed < question.index || confirmed(question.after) < plan.majority();
            ready.extend((!waits).then_some(question.lookup));
            waits
        });
        out.frame(plan.open_frame());
        for lookup in ready {
            self.tell_value(lookup, out);
        }
    }

    fn tell_value(&self, lookup: Lookup, out: &mut impl Effects<Role>) {
        let value = Answer::Value(self.state.value(lookup.request.operation.key()));
        self.answer(lookup, value, out);
    }

    /// A majority, itself included, elects nobody else for now.
    fn holds_lease(&self, plan: &Plan, at: Moment) -> bool {
        let (Standing::Leader(lead), Reads::Lease(lease)) = (&self.standing, plan.reads) else { return false };
        let clock = Self::clock(plan, at);
        let counts_on = lease.length.0.saturating_sub(lease.margin.0) as i64;
        let stands_by = |sent: i64| clock < sent.saturating_add(counts_on);
        let others = lead.peers.iter().filter(|peer| stands_by(peer.confirmed.clock)).count();
        self.agreed >= lead.first && others + 1 >= plan.majority()
    }
}
