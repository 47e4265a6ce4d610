//! The coordinator: asks, counts votes, decides once, and tells until everybody knows.
//!
//! A transaction is `Beginning` (its begin record is being written), `Voting`, `Deciding` (its decision is being written)
//! or `Telling`. A decision binds when it leaves `Deciding`: until then the coordinator has no opinion, and whoever asks
//! gets no answer and asks again. Read `on_message` and `on_timer` first: they are the tables of what comes in which
//! phase.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kernel::{CellId, Effects, FactKind, NodeId, Time};

use super::alone::Role;
use super::asking::{AFTER_RESTART, ANSWER, Open, Phase, Then, answer, next};
use super::level::Level;
use super::remembered::{Memory, Remembered};
use super::wire::{Ballot, Head, Message, Part, Party, Record, Timer, frame};
use super::{DecisionLog, Mutant, Plan, Presumption};
use crate::commit::{Reason, Resource};

/// A transaction to be carried out.
#[derive(Clone, Debug)]
pub struct Begin<W> {
    /// Which entry of the plan.
    pub kind: u16,
    /// Its number, unique in the world.
    pub transaction: u64,
    /// When it began: its age against others. A retry under a new number may keep the time and so grow older.
    pub began: Time,
    /// What each participant shall do; no node twice.
    pub participants: Vec<(NodeId, W)>,
}

/// A coordinator of any number of transactions.
#[derive(Clone, Debug)]
pub struct Coordinator<R: Resource> {
    open: BTreeMap<u64, Open<R::Work>>,
    finished: Remembered<()>,
    level: Level,
}

/// The phase without its contents, for the tables.
#[derive(Clone, Copy)]
enum Stage {
    Unknown,
    Beginning,
    Voting,
    Deciding,
    Telling { commit: bool },
}

impl<R: Resource> Coordinator<R> {
    /// A coordinator with empty memory on node `me`.
    pub fn new(plan: &Plan, me: NodeId) -> Self {
        Self {
            open: BTreeMap::new(),
            finished: Remembered::new(plan.remembered),
            level: Level::new(me, plan.kinds.len()),
        }
    }

    /// Whether a transaction of this number is open here, or was not long ago.
    pub fn knows(&self, transaction: u64) -> bool {
        self.open.contains_key(&transaction) || self.finished.knows(transaction)
    }

    /// Begins a transaction. One that is open or finished here already is left alone; one that is older than what is
    /// remembered is answered with an abort.
    pub fn begin(&mut self, plan: &Plan, _now: Time, begin: Begin<R::Work>, out: &mut impl Effects<Role<R>>) {
        self.begin_for(plan, None, begin, out);
    }

    fn begin_for(
        &mut self,
        plan: &Plan,
        client: Option<NodeId>,
        begin: Begin<R::Work>,
        out: &mut impl Effects<Role<R>>,
    ) {
        let Begin { kind, transaction, began, participants } = begin;
        let head = Head { transaction, began, kind, part: 0, attempt: 0 };
        out.frame(frame(Part::Coordinator, transaction));
        if self.open.contains_key(&transaction) {
            return;
        }
        match self.finished.of(&head) {
            Memory::Finished(()) => return,
            Memory::Stale => return answer(&head, client, Err(Reason::STALE), out),
            Memory::New => {}
        }
        let rules = plan.kind(kind);
        self.level.add(kind, 1, rules.cells.open, out);
        let (nodes, work): (Vec<NodeId>, Vec<R::Work>) = participants.into_iter().unzip();
        let parties: Vec<Party> = (0..).zip(nodes).map(|(part, node)| Party { part, node }).collect();
        let distinct = parties.iter().all(|one| parties.iter().all(|two| one == two || one.node != two.node));
        assert!(distinct, "a participant has one piece of work per transaction");
        let logged = rules.presumption == Presumption::Nothing && rules.decision_log == DecisionLog::Durable;
        let mut open = Open { head, parties, client, phase: Phase::Beginning { work }, logged, attempt: 0 };
        if logged {
            out.persist(Record::Begun { head, parties: open.parties.clone() });
            out.wake(Timer::Begun(transaction));
            self.open.insert(transaction, open);
        } else {
            let then = open.send_prepares(rules, out);
            self.go_on(plan, open, then, out);
        }
    }

    /// A message to the coordinator arrived.
    #[expect(clippy::match_same_arms, reason = "the table shows what comes in which phase, cell by cell")]
    pub fn on_message(
        &mut self,
        plan: &Plan,
        _now: Time,
        from: NodeId,
        message: Message<R::Work>,
        out: &mut impl Effects<Role<R>>,
    ) {
        let id = message.head().transaction;
        out.frame(frame(Part::Coordinator, id));
        match (message, self.stage(id)) {
            (Message::Begin(head, participants), Stage::Unknown) => {
                let Head { transaction, began, kind, .. } = head;
                self.begin_for(plan, Some(from), Begin { kind, transaction, began, participants }, out);
            }
            // A duplicate.
            (Message::Begin(..), Stage::Beginning | Stage::Voting | Stage::Deciding | Stage::Telling { .. }) => {}
            (Message::Vote(head, ballot), Stage::Voting) => self.count(plan, &head, ballot, out),
            // Decided without it: the decision reaches the voter, or it asks.
            (Message::Vote(..), Stage::Unknown | Stage::Beginning | Stage::Deciding | Stage::Telling { .. }) => {}
            (Message::Ack(head), Stage::Telling { .. }) => self.acknowledged(plan, &head, out),
            (Message::Ack(_), Stage::Unknown | Stage::Beginning | Stage::Voting | Stage::Deciding) => {}
            // Nobody can be in doubt about a commit that ended: see the table in `two_phase`.
            (Message::Ask(head), Stage::Unknown) => {
                let commit = plan.kind(head.kind).has(Mutant::PresumeCommit);
                out.send(from, Message::Decision { head: head.attempted(head.attempt | ANSWER), commit });
            }
            (Message::Ask(head), Stage::Telling { commit }) => {
                out.send(from, Message::Decision { head: head.attempted(head.attempt | ANSWER), commit });
            }
            // No opinion yet; it will ask again.
            (Message::Ask(_), Stage::Beginning | Stage::Voting | Stage::Deciding) => {}
            (
                Message::Answer(..)
                | Message::Prepare { .. }
                | Message::Decision { .. }
                | Message::AskPeer(..)
                | Message::PeerKnows { .. },
                _,
            ) => unreachable!("the enclosing node gives a message to its receiver"),
        }
    }

    /// A timer of the coordinator is due, or a record is durable.
    pub fn on_timer(&mut self, plan: &Plan, _now: Time, timer: Timer, out: &mut impl Effects<Role<R>>) {
        let (Timer::Begun(id) | Timer::VotesLate(id) | Timer::Decided(id) | Timer::AcksLate(id)) = timer else {
            unreachable!("the enclosing node gives a timer to its owner")
        };
        out.frame(frame(Part::Coordinator, id));
        let stage = self.stage(id);
        let Some(mut open) = self.open.remove(&id) else { return };
        let rules = plan.kind(open.head.kind);
        let then = match (timer, stage) {
            (Timer::Begun(_), Stage::Beginning) => open.send_prepares(rules, out),
            (Timer::VotesLate(_), Stage::Voting) => {
                let commit = rules.has(Mutant::CommitOnTimeout);
                open.decide(rules, if commit { Ok(()) } else { Err(Reason::PREPARE_TIMEOUT) }, out)
            }
            (Timer::Decided(_), Stage::Deciding) => open.announce(rules, out),
            (Timer::AcksLate(_), Stage::Telling { .. }) => {
                open.attempt = next(open.attempt);
                open.tell(rules, out)
            }
            // Each comes once per phase and is cancelled when the phase ends.
            (_, Stage::Unknown | Stage::Beginning | Stage::Voting | Stage::Deciding | Stage::Telling { .. }) => {
                Then::Stays
            }
        };
        self.go_on(plan, open, then, out);
    }

    /// A message of the coordinator could not be delivered. A prepare is as good as refused; a decision is sent again
    /// anyway.
    pub fn on_reset(
        &mut self,
        plan: &Plan,
        _now: Time,
        _to: NodeId,
        message: &Message<R::Work>,
        out: &mut impl Effects<Role<R>>,
    ) {
        let head = *message.head();
        out.frame(frame(Part::Coordinator, head.transaction));
        if let (Message::Prepare { .. }, Stage::Voting) = (message, self.stage(head.transaction)) {
            self.count(plan, &head, Ballot::No(Reason::UNAVAILABLE), out);
        }
    }

    /// Reads the log after a restart, and goes on: [`Self::replay`] of every record, then [`Self::recover`].
    pub fn start(&mut self, plan: &Plan, log: &[Record<R::Work>], out: &mut impl Effects<Role<R>>) {
        for record in log {
            self.replay(record);
        }
        self.recover(plan, out);
    }

    /// Reads one record of the log after a restart; records of the participant are skipped.
    pub fn replay(&mut self, record: &Record<R::Work>) {
        let (head, parties, phase) = match record {
            Record::Begun { head, parties } => {
                (head, parties, Phase::Voting { silent: parties.clone(), yes: Vec::new() })
            }
            Record::Decided { head, commit, tell } => {
                (head, tell, Phase::Telling { commit: *commit, unacked: tell.clone() })
            }
            Record::Ended(head) => {
                self.open.remove(&head.transaction);
                return self.finished.add(head, ());
            }
            Record::Voted { .. } | Record::Outcome { .. } => return,
        };
        let parties = parties.clone();
        let open = Open { head: *head, parties, client: None, phase, logged: true, attempt: AFTER_RESTART };
        self.open.insert(head.transaction, open);
    }

    /// After the log is read: what was begun and not decided is aborted, what was decided and not ended is told again.
    pub fn recover(&mut self, plan: &Plan, out: &mut impl Effects<Role<R>>) {
        for (id, mut open) in core::mem::take(&mut self.open) {
            out.frame(frame(Part::Coordinator, id));
            let rules = plan.kind(open.head.kind);
            self.level.add(open.head.kind, 1, rules.cells.open, out);
            let then = if let Phase::Telling { commit, .. } = open.phase {
                out.fact(rules.protocol, id, FactKind::Decided { commit });
                if rules.has(Mutant::NeverAsk) { Then::Stays } else { open.tell(rules, out) }
            } else {
                open.decide(rules, Err(Reason::COORDINATOR_CRASHED), out)
            };
            self.go_on(plan, open, then, out);
        }
    }

    /// Transactions begun and not ended.
    pub fn unfinished(&self) -> u64 {
        self.open.len() as u64
    }

    /// See `kernel::Process::volatile_cells`.
    pub fn volatile_cells(&self, plan: &Plan, each: &mut impl FnMut(CellId, u64, i64)) {
        self.level.each(|kind| plan.kinds[kind].cells.open, each);
    }

    fn stage(&self, id: u64) -> Stage {
        match self.open.get(&id).map(|open| &open.phase) {
            None => Stage::Unknown,
            Some(Phase::Beginning { .. }) => Stage::Beginning,
            Some(Phase::Voting { .. }) => Stage::Voting,
            Some(Phase::Deciding { .. }) => Stage::Deciding,
            Some(Phase::Telling { commit, .. }) => Stage::Telling { commit: *commit },
        }
    }

    fn count(&mut self, plan: &Plan, head: &Head, ballot: Ballot, out: &mut impl Effects<Role<R>>) {
        let Some(mut open) = self.open.remove(&head.transaction) else { return };
        let then = open.count(plan.kind(head.kind), head.part, ballot, out);
        self.go_on(plan, open, then, out);
    }

    fn acknowledged(&mut self, plan: &Plan, head: &Head, out: &mut impl Effects<Role<R>>) {
        let Some(mut open) = self.open.remove(&head.transaction) else { return };
        let then = open.acknowledged(head.part);
        self.go_on(plan, open, then, out);
    }

    fn go_on(&mut self, plan: &Plan, open: Open<R::Work>, then: Then, out: &mut impl Effects<Role<R>>) {
        match then {
            Then::Stays => {
                self.open.insert(open.head.transaction, open);
            }
            Then::Ends => self.end(plan, &open, out),
        }
    }

    /// Everybody knows who must. The end record is written and not waited for: if it is lost, the decision is told once
    /// more.
    fn end(&mut self, plan: &Plan, open: &Open<R::Work>, out: &mut impl Effects<Role<R>>) {
        let rules = plan.kind(open.head.kind);
        out.cancel_timer(Timer::AcksLate(open.head.transaction));
        if open.logged {
            out.persist(Record::Ended(open.head));
        }
        rules.point(rules.points.after_end, out);
        self.level.add(open.head.kind, -1, rules.cells.open, out);
        self.finished.add(&open.head, ());
    }
}
