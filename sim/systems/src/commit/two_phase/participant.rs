//! The participant: locks the rows, votes once, and is bound by its yes until it hears the decision.
//!
//! A transaction is `Waiting` (for locks), `Voting` (its vote is being written), `Prepared` (in doubt) or `Closing` (its
//! outcome is being written). Rows change, locks are released and the outcome is acknowledged at one instant: when the
//! outcome is durable. Before its vote a participant may refuse at any time; after it, it may not do anything on its own.
//!
//! Read `on_message` first: it is the table of what comes in which phase. The resource is lent to every call.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kernel::{CellId, Delay, Delta, Effects, FactKind, NodeId, Time};

use super::alone::Role;
use super::asking::{AFTER_RESTART, next};
use super::level::Level;
use super::remembered::{Memory, Remembered};
use super::voting::{Finished, Open, Phase, REPEATED, acknowledge, lock_wait, measure, rows};
use super::wire::{Ballot, Head, Message, Part, Record, Timer, frame};
use super::{Kind, Locks, Mutant, Plan, ReadOnly, Recovery};
use crate::commit::{Access, Reason, Resource};
use crate::locks::{Event, LockTable};

/// A participant in any number of transactions.
#[derive(Clone, Debug)]
pub struct Participant<R: Resource> {
    open: BTreeMap<u64, Open<R::Work>>,
    finished: Remembered<Finished<R::Work>>,
    locks: LockTable,
    in_doubt: Level,
    locks_held: Level,
}

/// What is known of a transaction, for the table.
#[derive(Clone, Copy)]
enum Stage {
    New,
    Stale,
    Waiting,
    Voting,
    Prepared,
    Closing,
    Committed,
    Aborted,
    Refused(Reason),
    ReadOnly,
}

impl<R: Resource> Participant<R> {
    /// A participant with empty memory on node `me`.
    pub fn new(plan: &Plan, me: NodeId) -> Self {
        Self {
            open: BTreeMap::new(),
            finished: Remembered::new(plan.remembered),
            locks: LockTable::default(),
            in_doubt: Level::new(me, plan.kinds.len()),
            locks_held: Level::new(me, 1),
        }
    }

    /// A message to the participant arrived.
    #[expect(clippy::match_same_arms, reason = "the table shows what comes in which phase, cell by cell")]
    pub fn on_message(
        &mut self,
        plan: &Plan,
        now: Time,
        from: NodeId,
        message: Message<R::Work>,
        resource: &mut R,
        out: &mut impl Effects<Role<R>>,
    ) {
        let head = *message.head();
        let rules = plan.kind(head.kind);
        out.frame(frame(Part::Participant, head.transaction));
        let stage = self.stage(&head);
        match (message, stage) {
            (Message::Prepare { work, peers, .. }, Stage::New) => {
                let open =
                    Open { head, coordinator: from, peers, work, phase: Phase::Waiting { since: now }, attempt: 0 };
                self.prepare(rules, now, open, resource, out);
            }
            // The vote follows as soon as it can be given.
            (Message::Prepare { .. }, Stage::Waiting | Stage::Voting) => {}
            // A duplicate: whoever waits for the vote gets it again.
            (Message::Prepare { .. }, Stage::Prepared) => self.vote_again(head.transaction, out),
            (Message::Prepare { .. }, Stage::Refused(reason)) => {
                out.send(from, Message::Vote(head.attempted(REPEATED), Ballot::No(reason)));
            }
            (Message::Prepare { .. }, Stage::ReadOnly) => {
                out.send(from, Message::Vote(head.attempted(REPEATED), Ballot::ReadOnly));
            }
            (Message::Prepare { .. }, Stage::Stale) => {
                out.send(from, Message::Vote(head.attempted(REPEATED), Ballot::No(Reason::STALE)));
            }
            // Decided long since; an abort may even have overtaken its prepare.
            (Message::Prepare { .. }, Stage::Closing | Stage::Committed | Stage::Aborted) => {}
            (Message::Decision { commit, .. }, Stage::Voting | Stage::Prepared) => {
                self.close(rules, now, &head, commit, out);
            }
            (Message::Decision { commit: false, .. }, Stage::New) => {
                self.finished.add(&head, Finished::Aborted);
                acknowledge(rules, from, &head, false, out);
            }
            (Message::Decision { commit, .. }, Stage::Waiting) => {
                // A commit here is a coordinator's mistake: there is no vote of ours. Nothing is applied.
                self.leave(rules, now, head.transaction, out);
                self.finished.add(&head, Finished::Aborted);
                acknowledge(rules, from, &head, commit, out);
            }
            (Message::Decision { .. }, Stage::Closing) => {}
            (Message::Decision { commit, .. }, Stage::Committed) => {
                self.apply_twice(&head, resource, out);
                acknowledge(rules, from, &head, commit, out);
            }
            // A commit of what is not known (or no longer): acknowledged once already, see the table in `two_phase`.
            (
                Message::Decision { commit, .. },
                Stage::New | Stage::Stale | Stage::Aborted | Stage::Refused(_) | Stage::ReadOnly,
            ) => acknowledge(rules, from, &head, commit, out),
            (Message::AskPeer(_, ask), Stage::New) => {
                self.finished.add(&head, Finished::Refused(Reason::PEER_IN_DOUBT));
                out.persist(Record::Outcome { head, commit: false });
                out.send(from, Message::PeerKnows { head, commit: false, ask });
            }
            (Message::AskPeer(_, ask), Stage::Waiting) => {
                self.refuse(rules, now, head.transaction, Reason::PEER_IN_DOUBT, out);
                out.send(from, Message::PeerKnows { head, commit: false, ask });
            }
            (Message::AskPeer(_, ask), Stage::Committed) => {
                out.send(from, Message::PeerKnows { head, commit: true, ask });
            }
            (Message::AskPeer(_, ask), Stage::Aborted | Stage::Refused(_)) => {
                out.send(from, Message::PeerKnows { head, commit: false, ask });
            }
            // In doubt as well, or not sure any more.
            (
                Message::AskPeer(..),
                Stage::Voting | Stage::Prepared | Stage::Closing | Stage::Stale | Stage::ReadOnly,
            ) => {}
            (Message::PeerKnows { commit, .. }, Stage::Voting | Stage::Prepared) => {
                self.close(rules, now, &head, commit, out);
            }
            (
                Message::PeerKnows { .. },
                Stage::New
                | Stage::Stale
                | Stage::Waiting
                | Stage::Closing
                | Stage::Committed
                | Stage::Aborted
                | Stage::Refused(_)
                | Stage::ReadOnly,
            ) => {}
            (Message::Begin(..) | Message::Answer(..) | Message::Vote(..) | Message::Ack(_) | Message::Ask(_), _) => {
                unreachable!("the enclosing node gives a message to its receiver")
            }
        }
        self.settle(plan, now, resource, out);
    }

    /// A timer of the participant is due, or a record is durable.
    #[expect(clippy::match_same_arms, reason = "the table shows what comes in which phase, cell by cell")]
    pub fn on_timer(
        &mut self,
        plan: &Plan,
        now: Time,
        timer: Timer,
        resource: &mut R,
        out: &mut impl Effects<Role<R>>,
    ) {
        let (Timer::LockLate(id) | Timer::Voted(id) | Timer::DecisionLate(id) | Timer::Outcome(id)) = timer else {
            unreachable!("the enclosing node gives a timer to its owner")
        };
        out.frame(frame(Part::Participant, id));
        let Some(open) = self.open.get_mut(&id) else { return };
        let (head, rules) = (open.head, plan.kind(open.head.kind));
        match (timer, open.phase) {
            (Timer::LockLate(_), Phase::Waiting { .. }) => {
                self.refuse(rules, now, id, Reason::LOCK_TIMEOUT, out);
            }
            (Timer::Voted(_), Phase::Voting) => {
                open.phase = Phase::Prepared { since: now };
                self.in_doubt.add(head.kind, 1, rules.cells.in_doubt, out);
            }
            (Timer::DecisionLate(_), Phase::Prepared { .. }) if rules.has(Mutant::AbortInDoubt) => {
                self.close(rules, now, &head, false, out);
            }
            (Timer::DecisionLate(_), Phase::Voting | Phase::Prepared { .. }) => open.ask(rules, out),
            (Timer::Outcome(_), Phase::Closing { commit, attempt }) => {
                self.finish(rules, now, &head.attempted(attempt), commit, resource, out);
            }
            // Decided before the vote was durable: the outcome is written behind it.
            (Timer::Voted(_), Phase::Closing { .. }) => {}
            // Cancelled when the phase ended.
            (_, Phase::Waiting { .. } | Phase::Voting | Phase::Prepared { .. } | Phase::Closing { .. }) => {}
        }
        self.settle(plan, now, resource, out);
    }

    /// Reads the log after a restart, and goes on: [`Self::replay`] of every record, then [`Self::recover`]. The rows that
    /// the log changed are stated again, with `before` equal to `after`: an observer that keeps the last value of a row
    /// learns of an outcome that became durable in the very instant of the crash.
    pub fn start(
        &mut self,
        plan: &Plan,
        now: Time,
        log: &[Record<R::Work>],
        resource: &mut R,
        out: &mut impl Effects<Role<R>>,
    ) {
        let mut changes = Vec::new();
        for record in log {
            self.replay(plan, record, resource, &mut changes);
        }
        changes.clear();
        resource.restate(&mut changes);
        if !changes.is_empty() {
            out.note(&changes);
        }
        self.recover(plan, now, resource, out);
    }

    /// Reads one record of the log after a restart, in its order among the enclosing node's other records; those of the
    /// coordinator are skipped. What it changes in the rows is appended to `changes`: observers saw most of it before
    /// the crash, but not an outcome that became durable in the very instant of the crash.
    pub fn replay(&mut self, plan: &Plan, record: &Record<R::Work>, resource: &mut R, changes: &mut Vec<Delta>) {
        match record {
            Record::Voted { head, coordinator, peers, work, time } => {
                let (peers, work, phase) = (peers.clone(), work.clone(), Phase::Prepared { since: *time });
                let open = Open { head: *head, coordinator: *coordinator, peers, work, phase, attempt: 0 };
                self.open.insert(head.transaction, open);
            }
            Record::Outcome { head, commit } => {
                let finished = match (self.open.remove(&head.transaction), commit) {
                    (Some(open), true) => {
                        resource.apply(&open.work, changes);
                        Finished::committed(plan.kind(head.kind), open.work)
                    }
                    (Some(_), false) => Finished::Aborted,
                    (None, _) => Finished::Refused(Reason::PEER_IN_DOUBT),
                };
                self.finished.add(head, finished);
            }
            Record::Begun { .. } | Record::Decided { .. } | Record::Ended(_) => {}
        }
    }

    /// After the log is read: transactions in doubt get their rows back and ask when their time has come.
    ///
    /// Facts are stated again: what became durable in the very instant of the crash was never stated, and a vote that
    /// nobody knows of may yet count, when a second copy of its prepare arrives.
    pub fn recover(&mut self, plan: &Plan, now: Time, resource: &mut R, out: &mut impl Effects<Role<R>>) {
        for (head, finished) in self.finished.iter() {
            let commit = match finished {
                Finished::Committed { .. } => true,
                Finished::Aborted => false,
                Finished::Refused(_) | Finished::ReadOnly => continue,
            };
            out.fact(plan.kind(head.kind).protocol, head.transaction, FactKind::Applied { commit });
        }
        for (id, open) in &mut self.open {
            let Phase::Prepared { since } = open.phase else { continue };
            out.frame(frame(Part::Participant, *id));
            let rules = plan.kind(open.head.kind);
            out.fact(rules.protocol, *id, FactKind::Voted { yes: true });
            if !rules.has(Mutant::ForgetLocksOnRestart) && !rules.has(Mutant::ReleaseAtVote) {
                match rules.locks {
                    Locks::Exclusive { .. } => {
                        self.locks.restore(now, open.head.priority(), &rows(resource, &open.work));
                    }
                    Locks::None => {}
                }
            }
            open.attempt = AFTER_RESTART;
            self.in_doubt.add(open.head.kind, 1, rules.cells.in_doubt, out);
            open.wait_for_decision(rules, (since + rules.decision_timeout).since(now), out);
        }
        self.settle(plan, now, resource, out);
    }

    /// Transactions that are open here, from the prepare message to the durable outcome.
    pub fn unfinished(&self) -> u64 {
        self.open.len() as u64
    }

    /// Whether the vote on this transaction is still to be given, or to become durable.
    pub fn deliberates(&self, transaction: u64) -> bool {
        self.open.get(&transaction).is_some_and(|open| match open.phase {
            Phase::Waiting { .. } | Phase::Voting => true,
            Phase::Prepared { .. } | Phase::Closing { .. } => false,
        })
    }

    /// Transactions in doubt: kind, and since when.
    pub fn in_doubt(&self) -> impl Iterator<Item = (u16, Time)> + '_ {
        self.open.values().filter_map(|open| match open.phase {
            Phase::Prepared { since } => Some((open.head.kind, since)),
            Phase::Waiting { .. } | Phase::Voting | Phase::Closing { .. } => None,
        })
    }

    /// The transaction that has `row` locked, for local transactions on the same rows.
    pub fn holder(&self, row: u64) -> Option<u64> {
        self.locks.holder(row)
    }

    /// See `kernel::Process::volatile_cells`.
    pub fn volatile_cells(&self, plan: &Plan, each: &mut impl FnMut(CellId, u64, i64)) {
        self.in_doubt.each(|kind| plan.kinds[kind].cells.in_doubt, each);
        self.locks_held.each(|_| plan.locks_held, each);
    }

    fn stage(&self, head: &Head) -> Stage {
        match self.open.get(&head.transaction).map(|open| open.phase) {
            Some(Phase::Waiting { .. }) => Stage::Waiting,
            Some(Phase::Voting) => Stage::Voting,
            Some(Phase::Prepared { .. }) => Stage::Prepared,
            Some(Phase::Closing { .. }) => Stage::Closing,
            None => match self.finished.of(head) {
                Memory::New => Stage::New,
                Memory::Stale => Stage::Stale,
                Memory::Finished(Finished::Committed { .. }) => Stage::Committed,
                Memory::Finished(Finished::Aborted) => Stage::Aborted,
                Memory::Finished(Finished::Refused(reason)) => Stage::Refused(*reason),
                Memory::Finished(Finished::ReadOnly) => Stage::ReadOnly,
            },
        }
    }

    fn prepare(
        &mut self,
        rules: &Kind,
        now: Time,
        open: Open<R::Work>,
        resource: &mut R,
        out: &mut impl Effects<Role<R>>,
    ) {
        let (id, priority) = (open.head.transaction, open.head.priority());
        let rows = rows(resource, &open.work);
        self.open.insert(id, open);
        match rules.locks {
            Locks::None => self.vote(rules, now, id, resource, out),
            Locks::Exclusive { deadlock, timeout } => {
                // `settle` pulls the answer; the timer is cancelled if it is yes.
                self.locks.claim(priority, deadlock, &rows);
                if let Some(timeout) = timeout {
                    out.set_timer(Timer::LockLate(id), Delay::Fixed(timeout));
                }
            }
        }
    }

    /// All rows are locked (or none are wanted): the vote.
    fn vote(&mut self, rules: &Kind, now: Time, id: u64, resource: &mut R, out: &mut impl Effects<Role<R>>) {
        let open = self.open.get_mut(&id).expect("votes are given for open transactions");
        if let Err(reason) = resource.vote(&open.work) {
            return self.refuse(rules, now, id, reason, out);
        }
        if let Phase::Waiting { since } = open.phase {
            lock_wait(rules, now, since, 0, id, out);
        }
        let (head, coordinator) = (open.head, open.coordinator);
        if rules.read_only == ReadOnly::LeavesEarly
            && rules.recovery == Recovery::AskCoordinator
            && resource.rows(&open.work).iter().all(|(_, access)| *access == Access::Read)
        {
            self.open.remove(&id);
            self.release(rules, now, id, 0, out);
            self.finished.add(&head, Finished::ReadOnly);
            out.fact(rules.protocol, id, FactKind::VotedReadOnly);
            return out.send(coordinator, Message::Vote(head, Ballot::ReadOnly));
        }
        open.phase = Phase::Voting;
        rules.point(rules.points.before_vote_logged, out);
        open.vote_yes(rules, now, out);
        if rules.has(Mutant::ReleaseAtVote) {
            self.release(rules, now, id, 0, out);
        } else if matches!(rules.locks, Locks::Exclusive { .. }) {
            self.locks.pin(id);
        }
    }

    fn vote_again(&mut self, id: u64, out: &mut impl Effects<Role<R>>) {
        let open = self.open.get_mut(&id).expect("its stage is Prepared");
        open.attempt = next(open.attempt);
        out.send(open.coordinator, Message::Vote(open.head.attempted(REPEATED | open.attempt), Ballot::Yes));
    }

    /// Votes no. Nothing is held and, unless peers may ask, nothing is written: a crash forgets it, and the coordinator,
    /// which hears no or nothing, aborts either way.
    fn refuse(&mut self, rules: &Kind, now: Time, id: u64, reason: Reason, out: &mut impl Effects<Role<R>>) {
        let open = self.leave(rules, now, id, out);
        self.finished.add(&open.head, Finished::Refused(reason));
        match rules.recovery {
            Recovery::AskCoordinator => {}
            Recovery::Cooperative => out.persist(Record::Outcome { head: open.head, commit: false }),
        }
        out.fact(rules.protocol, id, FactKind::Voted { yes: false });
        out.send(open.coordinator, Message::Vote(open.head, Ballot::No(reason)));
    }

    /// Takes a transaction out that has not voted.
    fn leave(&mut self, rules: &Kind, now: Time, id: u64, out: &mut impl Effects<Role<R>>) -> Open<R::Work> {
        let open = self.open.remove(&id).expect("its stage is Waiting");
        if let Phase::Waiting { since } = open.phase {
            lock_wait(rules, now, since, 1, id, out);
        }
        self.release(rules, now, id, 0, out);
        open
    }

    /// The decision is known.
    fn close(&mut self, rules: &Kind, now: Time, head: &Head, commit: bool, out: &mut impl Effects<Role<R>>) {
        let id = head.transaction;
        let open = self.open.get_mut(&id).expect("its stage is Voting or Prepared");
        out.cancel_timer(Timer::DecisionLate(id));
        if let Phase::Prepared { since } = open.phase {
            self.in_doubt.add(head.kind, -1, rules.cells.in_doubt, out);
            measure(rules.series.in_doubt, u16::from(commit), since, now, out);
        }
        let head = open.head.attempted(head.attempt);
        let record = Record::Outcome { head, commit };
        if !rules.acknowledged(commit) {
            // Presumed abort: if the record is lost, the answer is still "aborted". So nobody waits for it.
            self.aborted(rules, now, &head, out);
            return out.persist(record);
        }
        open.phase = Phase::Closing { commit, attempt: head.attempt };
        if rules.has(Mutant::AckBeforeFsync) {
            acknowledge(rules, open.coordinator, &head, commit, out);
        }
        out.persist(record);
        out.wake(Timer::Outcome(id));
    }

    /// The outcome is durable: at this instant rows change, locks are released, the coordinator may forget.
    fn finish(
        &mut self,
        rules: &Kind,
        now: Time,
        head: &Head,
        commit: bool,
        resource: &mut R,
        out: &mut impl Effects<Role<R>>,
    ) {
        let coordinator = self.open[&head.transaction].coordinator;
        if commit {
            let open = self.open.remove(&head.transaction).expect("its phase is Closing");
            let mut changes = Vec::new();
            resource.apply(&open.work, &mut changes);
            out.note(&changes);
            out.fact(rules.protocol, head.transaction, FactKind::Applied { commit });
            self.release(rules, now, head.transaction, 1, out);
            self.finished.add(head, Finished::committed(rules, open.work));
        } else {
            self.aborted(rules, now, head, out);
        }
        rules.point(rules.points.after_participant_decision_logged, out);
        if !rules.has(Mutant::AckBeforeFsync) {
            acknowledge(rules, coordinator, head, commit, out);
        }
    }

    fn aborted(&mut self, rules: &Kind, now: Time, head: &Head, out: &mut impl Effects<Role<R>>) {
        self.open.remove(&head.transaction);
        out.fact(rules.protocol, head.transaction, FactKind::Applied { commit: false });
        self.release(rules, now, head.transaction, 0, out);
        self.finished.add(head, Finished::Aborted);
    }

    /// Only the mutant does; else a repeated commit is acknowledged, no more.
    fn apply_twice(&mut self, head: &Head, resource: &mut R, out: &mut impl Effects<Role<R>>) {
        if let Memory::Finished(Finished::Committed { again: Some(work) }) = self.finished.of(head) {
            let mut changes = Vec::new();
            resource.apply(work, &mut changes);
            out.note(&changes);
        }
    }

    fn release(&mut self, rules: &Kind, now: Time, id: u64, tag: u16, out: &mut impl Effects<Role<R>>) {
        if let Some(since) = self.locks.release(now, id).and_then(|stay| stay.held_since) {
            measure(rules.series.hold_time, tag, since, now, out);
        }
    }

    /// Lets everybody go on whom a release lets go on, each in its own frame, and tells the level of locks.
    fn settle(&mut self, plan: &Plan, now: Time, resource: &mut R, out: &mut impl Effects<Role<R>>) {
        while let Some(event) = self.locks.next(now) {
            let (Event::Granted(id) | Event::Refused(id, _)) = event;
            let rules = plan.kind(self.open[&id].head.kind);
            out.frame(frame(Part::Participant, id));
            match event {
                Event::Granted(_) => self.vote(rules, now, id, resource, out),
                Event::Refused(_, why) => self.refuse(rules, now, id, Reason::from(why), out),
            }
        }
        self.locks_held.set(0, self.locks.held() as i64, plan.locks_held, out);
    }
}
