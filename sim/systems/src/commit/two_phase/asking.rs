//! One transaction at its coordinator: from the question to the last acknowledgement.

use alloc::vec::Vec;

use kernel::{Delay, Effects, FactKind, NodeId};

use super::alone::Role;
use super::wire::{Ballot, Head, Message, Output, Party, Record, Timer};
use super::{DecisionLog, Kind, Mutant, Presumption, Recovery};
use crate::commit::{Reason, Resource};

/// Messages of a restarted coordinator count from here, so that their draws are not those of its earlier life.
pub(super) const AFTER_RESTART: u16 = 1 << 12;
/// Answers are counted like the questions, with this bit set.
pub(super) const ANSWER: u16 = 1 << 15;

/// The next attempt. Counts from 1 again after 4095, so that a message that is said for hours neither overflows nor
/// repeats one draw for ever; 0 is the first of an incarnation only.
pub(super) const fn next(attempt: u16) -> u16 {
    let count = attempt % AFTER_RESTART;
    attempt - count + count % (AFTER_RESTART - 1) + 1
}

#[derive(Clone, Debug)]
pub(super) struct Open<W> {
    pub(super) head: Head,
    pub(super) parties: Vec<Party>,
    pub(super) client: Option<NodeId>,
    pub(super) phase: Phase<W>,
    /// Something is in the log that an end record must close.
    pub(super) logged: bool,
    pub(super) attempt: u16,
}

#[derive(Clone, Debug)]
pub(super) enum Phase<W> {
    /// The begin record is being written.
    Beginning { work: Vec<W> },
    /// Prepare is sent: who has not voted, and who voted yes.
    Voting { silent: Vec<Party>, yes: Vec<Party> },
    /// The decision record is being written.
    Deciding { outcome: Result<(), Reason>, tell: Vec<Party> },
    /// The decision binds.
    Telling { commit: bool, unacked: Vec<Party> },
}

/// Whether the transaction is over at the coordinator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Stays,
    Ends,
}

impl<W: crate::commit::Work> Open<W> {
    /// Asks everybody. From here on, `prepare_timeout` runs.
    pub(super) fn send_prepares<R: Resource<Work = W>>(
        &mut self,
        rules: &Kind,
        out: &mut impl Effects<Role<R>>,
    ) -> Then {
        let voting = Phase::Voting { silent: self.parties.clone(), yes: Vec::new() };
        let Phase::Beginning { work } = core::mem::replace(&mut self.phase, voting) else {
            unreachable!("prepare is sent once, at the end of Beginning")
        };
        out.fact(rules.protocol, self.head.transaction, FactKind::Begun { participants: self.parties.len() as u32 });
        rules.point(rules.points.before_prepare_sent, out);
        out.set_timer(Timer::VotesLate(self.head.transaction), Delay::Fixed(rules.prepare_timeout));
        for (party, work) in self.parties.iter().zip(work) {
            let peers = match rules.recovery {
                Recovery::AskCoordinator => Vec::new(),
                Recovery::Cooperative => self.parties.iter().copied().filter(|peer| peer != party).collect(),
            };
            out.send(party.node, Message::Prepare { head: self.head.to(party.part, self.attempt), work, peers });
        }
        if self.parties.is_empty() { self.decide(rules, Ok(()), out) } else { Then::Stays }
    }

    /// A vote came in. The first no decides; the last yes does.
    pub(super) fn count<R: Resource<Work = W>>(
        &mut self,
        rules: &Kind,
        part: u16,
        ballot: Ballot,
        out: &mut impl Effects<Role<R>>,
    ) -> Then {
        let Phase::Voting { silent, yes } = &mut self.phase else { unreachable!("votes are counted while Voting") };
        // A second copy of a vote finds nobody.
        let Some(place) = silent.iter().position(|party| party.part == part) else { return Then::Stays };
        let voter = silent.remove(place);
        if ballot == Ballot::Yes {
            yes.push(voter);
        }
        let last = silent.is_empty();
        if last {
            rules.point(rules.points.after_last_vote, out);
        }
        match ballot {
            Ballot::No(reason) => self.decide(rules, Err(reason), out),
            Ballot::Yes | Ballot::ReadOnly if last => self.decide(rules, Ok(()), out),
            Ballot::Yes | Ballot::ReadOnly => Then::Stays,
        }
    }

    /// Decides in memory, and writes the decision unless the presumption or the design spares it.
    pub(super) fn decide<R: Resource<Work = W>>(
        &mut self,
        rules: &Kind,
        outcome: Result<(), Reason>,
        out: &mut impl Effects<Role<R>>,
    ) -> Then {
        let commit = outcome.is_ok();
        out.cancel_timer(Timer::VotesLate(self.head.transaction));
        rules.point(rules.points.before_decision_logged, out);
        let deciding = Phase::Deciding { outcome, tell: Vec::new() };
        let Phase::Voting { silent, yes: mut tell } = core::mem::replace(&mut self.phase, deciding) else {
            unreachable!("decided once, at the end of Voting")
        };
        // Who has not voted may be prepared already, its vote on the way.
        tell.extend(silent);
        tell.sort_unstable();
        let forced = match (rules.decision_log, rules.presumption) {
            (DecisionLog::Memory, Presumption::Nothing | Presumption::Abort) => false,
            (DecisionLog::Durable, Presumption::Nothing) => true,
            (DecisionLog::Durable, Presumption::Abort) => commit && !tell.is_empty(),
        };
        self.phase = Phase::Deciding { outcome, tell: tell.clone() };
        if !forced {
            return self.announce(rules, out);
        }
        self.logged = true;
        let record = Record::Decided { head: self.head, commit, tell };
        if rules.has(Mutant::DecideBeforeLog) {
            let then = self.announce(rules, out);
            out.persist(record);
            return then;
        }
        out.persist(record);
        out.wake(Timer::Decided(self.head.transaction));
        Then::Stays
    }

    /// The decision binds: whoever uses the protocol hears it, then the participants.
    pub(super) fn announce<R: Resource<Work = W>>(&mut self, rules: &Kind, out: &mut impl Effects<Role<R>>) -> Then {
        let deciding = Phase::Telling { commit: false, unacked: Vec::new() };
        let Phase::Deciding { outcome, tell } = core::mem::replace(&mut self.phase, deciding) else {
            unreachable!("announced once, at the end of Deciding")
        };
        let commit = outcome.is_ok();
        self.phase = Phase::Telling { commit, unacked: tell };
        out.fact(rules.protocol, self.head.transaction, FactKind::Decided { commit });
        rules.point(rules.points.after_decision_logged, out);
        answer(&self.head, self.client, outcome, out);
        self.tell(rules, out)
    }

    /// Sends the decision to all who have not acknowledged it.
    pub(super) fn tell<R: Resource<Work = W>>(&mut self, rules: &Kind, out: &mut impl Effects<Role<R>>) -> Then {
        let Phase::Telling { commit, unacked } = &self.phase else { unreachable!("told while Telling") };
        let first_round = self.attempt.is_multiple_of(AFTER_RESTART);
        for (n, party) in unacked.iter().enumerate() {
            let head = self.head.to(party.part, self.attempt);
            out.send(party.node, Message::Decision { head, commit: *commit });
            if n == 0 && first_round {
                rules.point(rules.points.after_first_decision_sent, out);
            }
        }
        if unacked.is_empty() || !rules.acknowledged(*commit) || rules.has(Mutant::ForgetBeforeAcks) {
            return Then::Ends;
        }
        if !rules.has(Mutant::NeverAsk) {
            out.set_timer(Timer::AcksLate(self.head.transaction), Delay::Fixed(rules.decision_timeout));
        }
        Then::Stays
    }

    pub(super) fn acknowledged(&mut self, part: u16) -> Then {
        let Phase::Telling { unacked, .. } = &mut self.phase else {
            unreachable!("acknowledgements are counted while Telling")
        };
        unacked.retain(|party| party.part != part);
        if unacked.is_empty() { Then::Ends } else { Then::Stays }
    }
}

/// Tells whoever uses the protocol, and the client of a protocol that runs alone.
pub(super) fn answer<R: Resource>(
    head: &Head,
    client: Option<NodeId>,
    outcome: Result<(), Reason>,
    out: &mut impl Effects<Role<R>>,
) {
    out.output(Output::Decided { transaction: head.transaction, kind: head.kind, outcome });
    if let Some(client) = client {
        out.send(client, Message::Answer(*head, outcome));
    }
}
