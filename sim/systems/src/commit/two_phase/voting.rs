//! One transaction at its participant: bound by a yes, until it hears the decision.

use alloc::vec::Vec;

use kernel::{Delay, Effects, FactKind, NodeId, Sample, SeriesId, Span, Time};

use super::alone::Role;
use super::asking::next;
use super::wire::{Ask, Ballot, Head, Message, Party, Record, Timer};
use super::{Kind, Locks, Mutant};
use crate::commit::{Reason, Resource};
use crate::locks::Refusal;

#[derive(Clone, Debug)]
pub(super) struct Open<W> {
    pub(super) head: Head,
    pub(super) coordinator: NodeId,
    pub(super) peers: Vec<Party>,
    pub(super) work: W,
    pub(super) phase: Phase,
    /// Questions asked, votes repeated.
    pub(super) attempt: u16,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Waiting { since: Time },
    Voting,
    Prepared { since: Time },
    Closing { commit: bool, attempt: u16 },
}

/// How a transaction ended here.
#[derive(Clone, Debug)]
pub(super) enum Finished<W> {
    /// `again` is kept for the mutant that applies twice.
    Committed {
        again: Option<W>,
    },
    Aborted,
    Refused(Reason),
    ReadOnly,
}

/// The attempt of answers to a message that does not count attempts.
pub(super) const REPEATED: u16 = 1 << 14;

impl<W: crate::commit::Work> Open<W> {
    /// Binds itself. What is said after `persist` happens when the record is durable: write-ahead is the order of lines.
    pub(super) fn vote_yes<R: Resource<Work = W>>(&mut self, rules: &Kind, now: Time, out: &mut impl Effects<Role<R>>) {
        let Self { head, coordinator, peers, work, .. } = self.clone();
        let (transaction, vote) = (head.transaction, Message::Vote(head, Ballot::Yes));
        if rules.has(Mutant::VoteBeforePersist) {
            out.fact(rules.protocol, transaction, FactKind::Voted { yes: true });
            out.send(coordinator, vote);
            out.persist(Record::Voted { head, coordinator, peers, work, time: now });
            rules.point(rules.points.after_vote_logged, out);
        } else {
            out.persist(Record::Voted { head, coordinator, peers, work, time: now });
            rules.point(rules.points.after_vote_logged, out);
            out.fact(rules.protocol, transaction, FactKind::Voted { yes: true });
            out.send(coordinator, vote);
        }
        rules.point(rules.points.after_vote_sent, out);
        out.wake(Timer::Voted(transaction));
        self.wait_for_decision(rules, rules.decision_timeout, out);
    }

    pub(super) fn wait_for_decision<R: Resource<Work = W>>(
        &self,
        rules: &Kind,
        wait: Span,
        out: &mut impl Effects<Role<R>>,
    ) {
        if !rules.has(Mutant::NeverAsk) {
            out.set_timer(Timer::DecisionLate(self.head.transaction), Delay::Fixed(wait));
        }
    }

    /// In doubt for too long: asks whom the plan allows, and will ask again.
    pub(super) fn ask<R: Resource<Work = W>>(&mut self, rules: &Kind, out: &mut impl Effects<Role<R>>) {
        self.attempt = next(self.attempt);
        out.send(self.coordinator, Message::Ask(self.head.attempted(self.attempt)));
        for peer in &self.peers {
            let ask = Ask { from: self.head.part, to: peer.part };
            out.send(peer.node, Message::AskPeer(self.head.to(peer.part, self.attempt), ask));
        }
        self.wait_for_decision(rules, rules.decision_timeout, out);
    }
}

impl<W> Finished<W> {
    pub(super) fn committed(rules: &Kind, work: W) -> Self {
        Self::Committed { again: rules.has(Mutant::ApplyTwice).then_some(work) }
    }
}

impl From<Refusal> for Reason {
    fn from(why: Refusal) -> Self {
        match why {
            Refusal::Wounded => Self::WOUNDED,
            Refusal::Died => Self::DIED,
            Refusal::Deadlock => Self::DEADLOCK,
        }
    }
}

pub(super) fn rows<R: Resource>(resource: &R, work: &R::Work) -> Vec<u64> {
    resource.rows(work).into_iter().map(|(row, _)| row).collect()
}

/// Acknowledges where the presumption asks for it.
pub(super) fn acknowledge<R: Resource>(
    rules: &Kind,
    coordinator: NodeId,
    head: &Head,
    commit: bool,
    out: &mut impl Effects<Role<R>>,
) {
    if rules.acknowledged(commit) {
        out.send(coordinator, Message::Ack(*head));
    }
}

/// The wait for locks ended (tag 0 granted, 1 not): measured, and its timer forgotten.
pub(super) fn lock_wait<R: Resource>(
    rules: &Kind,
    now: Time,
    since: Time,
    tag: u16,
    id: u64,
    out: &mut impl Effects<Role<R>>,
) {
    if let Locks::Exclusive { timeout, .. } = rules.locks {
        measure(rules.series.lock_wait, tag, since, now, out);
        if timeout.is_some() {
            out.cancel_timer(Timer::LockLate(id));
        }
    }
}

pub(super) fn measure<R: Resource>(
    series: Option<SeriesId>,
    tag: u16,
    since: Time,
    now: Time,
    out: &mut impl Effects<Role<R>>,
) {
    if let Some(series) = series {
        out.measure(Sample { series, tag, since, value: now.since(since) });
    }
}
