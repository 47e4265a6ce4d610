//! What a follower does with what its leader sends, and how logs are cut (Raft, §5.3, §7).

use alloc::boxed::Box;

use kernel::{Effects, NodeId};

use super::alone::Role;
use super::log::{Entry, Position, Snapshot};
use super::replica::{Moment, Replica};
use super::wire::{Body, Copied, Record, Stamp};
use super::{Fencing, Mutant, Plan};

impl Replica {
    /// Whether a leader is obeyed. If so it has been heard of; if not it has been told.
    pub(super) fn obeys(
        &mut self,
        plan: &Plan,
        at: Moment,
        sender: (NodeId, u64),
        sent: (u64, Stamp),
        out: &mut impl Effects<Role>,
    ) -> bool {
        let (from, term) = (sender.0, sent.0);
        let fenced = plan.fencing == Fencing::Term && !plan.has(Mutant::UnfencedWrite);
        if term < self.term && fenced {
            self.report(plan, sender, (self.term, sent.1), Copied::Refused, out);
            return false;
        }
        if self.leads() && term <= self.term {
            // Only a mutant has a second leader in its term, or hears of an older one.
            return false;
        }
        if term >= self.term {
            self.step_down(plan, at, term, out);
            self.leader = Some(from);
        }
        self.listen(plan, at, out);
        self.promise(plan, at);
        true
    }

    /// Tells the leader how far its log is here: what is said of it is durable by then.
    pub(super) fn report(
        &self,
        plan: &Plan,
        leader: (NodeId, u64),
        sent: (u64, Stamp),
        copied: Copied,
        out: &mut impl Effects<Role>,
    ) {
        let ((to, nth), (term, stamp)) = (leader, sent);
        let early = plan.has(Mutant::AckBeforeFsync);
        out.frame(if early { plan.open_frame() } else { plan.log_frame() });
        self.send(to, nth, Body::Copied { term, stamp, copied }, out);
    }

    /// Takes the entries of a leader, if the log here is the leader's up to the place before them.
    pub(super) fn take(
        &mut self,
        plan: &Plan,
        previous: Position,
        entries: &[Entry],
        agreed: u64,
        out: &mut impl Effects<Role>,
    ) -> Copied {
        let base = self.log.base().last.index;
        out.frame(plan.log_frame());
        match self.log.term(previous.index) {
            // Inside the snapshot: what is in there is agreed, hence the leader's.
            None if previous.index < base => {}
            None => return Copied::NotThere(self.log.last().index + 1),
            Some(term) if term == previous.term => {}
            Some(_) => return Copied::NotThere(self.log.first_of_term(previous.index)),
        }
        let (mut index, mut wrote) = (previous.index, false);
        for entry in entries {
            index += 1;
            if index > base && self.log.term(index) != Some(entry.term) {
                self.put(index, *entry);
                out.persist(Record::Entry { index, entry: *entry });
                wrote = true;
            }
        }
        if wrote {
            plan.point(plan.points.after_entries_persisted, out);
        }
        let until = agreed.min(index);
        if until > self.agreed {
            self.agree(plan, until, out);
        }
        Copied::UpTo(index)
    }

    /// An entry of the leader, in place of a tail that no majority had.
    fn put(&mut self, index: u64, entry: Entry) {
        self.log.put(index, entry);
        // Only under a mutant, or without fencing, something agreed is replaced; the machine goes on all the same.
        if index <= self.agreed {
            self.agreed = index - 1;
            self.execute_agreed();
        }
    }

    /// Takes a leader's snapshot, unless it has all of that.
    pub(super) fn install(&mut self, plan: &Plan, snapshot: Snapshot, out: &mut impl Effects<Role>) -> Copied {
        let last = snapshot.last;
        if last.index > self.agreed {
            self.log.install(snapshot.clone());
            self.agreed = last.index;
            self.execute_agreed();
            out.frame(plan.log_frame());
            out.persist(Record::Snapshot(Box::new(snapshot)));
        }
        Copied::UpTo(last.index)
    }

    /// Cuts the log if it has grown long: a snapshot of what is agreed takes the place of its beginning.
    pub(super) fn cut(&mut self, plan: &Plan, out: &mut impl Effects<Role>) {
        let Some(term) = self.log.term(self.agreed) else { return };
        if self.agreed - self.log.base().last.index < plan.snapshot_every {
            return;
        }
        let last = Position { index: self.agreed, term };
        let state = self.log.state_after(self.agreed);
        let state = if plan.has(Mutant::ApplyTwice) { state.forgetful() } else { state };
        let snapshot = Snapshot { last, state };
        self.log.install(snapshot.clone());
        out.frame(plan.log_frame());
        out.persist(Record::Snapshot(Box::new(snapshot)));
        plan.point(plan.points.after_snapshot, out);
    }
}
