//! Two-phase commit, written once: alone on a cluster through [`Role`], and inside a bigger node through
//! `kernel::Within`.
//!
//! A [`Coordinator`] and a [`Participant`] are plain state machines whose handlers say their effects as a `Role`
//! process, so that an enclosing node needs one `Embed` value for both. An enclosing node keeps the `Resource` itself
//! (its local transactions change the same rows) and lends it to each call. Every handler leaves the frame at the
//! transaction's: who goes on saying effects after it names its own frame again.
//!
//! The protocol is Gray's (*Notes on Data Base Operating Systems*, 1978, §5.8.3.3); presumed abort and the read-only
//! optimisation are those of Mohan, Lindsay and Obermarck (*Transaction Management in the R\* Distributed Database
//! Management System*, 1986, §3); cooperative termination is in Bernstein, Hadzilacos and Goodman (*Concurrency Control
//! and Recovery in Database Systems*, 1987, §7.4).
//!
//! **What is written, and when** (forced = what follows waits for it):
//!
//! | | presumed nothing (`2pc`) | presumed abort |
//! |---|---|---|
//! | coordinator, before prepare | `Begun`, forced | – |
//! | participant, yes | `Voted`, forced | `Voted`, forced |
//! | participant, no | – (cooperative: `Outcome`, forced) | – (cooperative: `Outcome`, forced) |
//! | coordinator, commit | `Decided`, forced | `Decided`, forced |
//! | coordinator, abort | `Decided`, forced | – |
//! | participant, commit | `Outcome`, forced, then ack | `Outcome`, forced, then ack |
//! | participant, abort | `Outcome`, forced, then ack | `Outcome`, not forced, no ack |
//! | coordinator, all acks | `Ended` | `Ended` (commit only) |
//!
//! **What may be forgotten, and why "aborted" is the right answer about a transaction nobody knows.** A coordinator
//! forgets a commit only when every participant acknowledged it, and each did so with the outcome durable: none of them
//! can be in doubt again. So whoever is in doubt about an unknown transaction asks about an abort: under presumed abort
//! one that was never written; under presumed nothing one that ended, or one whose `Begun` was lost and that sent no
//! prepare. With `DecisionLog::Memory` this reasoning fails, and that is the lesson of that setting.
//!
//! **Memory.** An open transaction is in memory until it ends. Finished ones are remembered (`remembered`, a bounded
//! number) only to recognise late duplicates; what was forgotten there is older than a watermark, and a prepare from
//! below the watermark is refused.

mod alone;
mod asking;
mod coordinator;
mod level;
mod mutant;
mod participant;
mod remembered;
mod voting;
mod wire;

#[cfg(test)]
mod tests;

pub use alone::{Cast, Client, Order, Play, Role};
pub use coordinator::{Begin, Coordinator};
pub use mutant::Mutant;
pub use participant::Participant;
pub use wire::{Ask, Ballot, Head, KINDS, Message, Output, Part, Party, Record, Timer, owed};

use alloc::vec::Vec;

use kernel::{CellId, Effects, PointId, Process, SeriesId, Span};

use crate::locks::Deadlock;

/// What all nodes of one world agree on: one entry per transaction of the scenario. A message names its entry.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Indexed by `Head::kind`.
    pub kinds: Vec<Kind>,
    /// How many finished transactions a node remembers to recognise late duplicates; at least 1. 4096 is plenty: only
    /// a message that is overtaken by so many later transactions is treated as stale.
    pub remembered: usize,
    /// Level of the rows locked at a participant, over all kinds; row = node. Volatile.
    pub locks_held: Option<CellId>,
}

impl Plan {
    fn kind(&self, kind: u16) -> &Kind {
        &self.kinds[usize::from(kind)]
    }
}

/// How one transaction of the scenario is carried out (scenario grammar §12).
#[derive(Clone, Debug)]
pub struct Kind {
    /// The number that its facts bear, and the `of` of its points.
    pub protocol: u32,
    /// Which presumption.
    pub presumption: Presumption,
    /// From prepare sent to all votes in, lock waits included; then the transaction is aborted.
    pub prepare_timeout: Span,
    /// How long a prepared participant waits before it asks, and the coordinator before it sends the decision again.
    pub decision_timeout: Span,
    /// Whether the coordinator writes its log.
    pub decision_log: DecisionLog,
    /// Whom a participant in doubt asks.
    pub recovery: Recovery,
    /// How rows are locked between prepare and decision.
    pub locks: Locks,
    /// Whether a participant that only reads is left out of the second phase. Without effect when `recovery` is
    /// cooperative: a reader keeps no record, so it could not tell a peer honestly that it voted.
    pub read_only: ReadOnly,
    /// The named moments.
    pub points: Points,
    /// Where samples go.
    pub series: Series,
    /// Where levels go.
    pub cells: Cells,
    /// A deliberate mistake, to show that a check catches it.
    pub mutant: Option<Mutant>,
}

impl Kind {
    /// A named moment is reached, if anybody cares.
    fn point<P: Process>(&self, point: Option<PointId>, out: &mut impl Effects<P>) {
        if let Some(point) = point {
            out.point(point, self.protocol);
        }
    }

    /// Whether participants acknowledge a decision, so that it is sent again until they did.
    fn acknowledged(&self, commit: bool) -> bool {
        commit || self.presumption == Presumption::Nothing
    }

    fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

/// What an unknown transaction is presumed to be, and so what need not be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presumption {
    /// `2pc`: everything is written and acknowledged.
    Nothing,
    /// `2pc_presumed_abort`: aborts are neither written by the coordinator nor acknowledged.
    Abort,
}

/// Where the coordinator keeps its decisions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecisionLog {
    /// On its disk.
    Durable,
    /// In memory only: a crash loses them. A documented bad design.
    Memory,
}

/// Whom a participant in doubt asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recovery {
    /// The coordinator only.
    AskCoordinator,
    /// The coordinator and the other participants.
    Cooperative,
}

/// The read-only optimisation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadOnly {
    /// A reader votes, lets go of its rows and hears no decision.
    LeavesEarly,
    /// A reader is treated as everybody else.
    Stays,
}

/// How rows are locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Locks {
    /// One transaction per row.
    Exclusive {
        /// What is done about deadlock.
        deadlock: Deadlock,
        /// How long a transaction waits for its locks at one participant.
        timeout: Option<Span>,
    },
    /// No locks at all: votes are given on rows that others may change. A documented bad design.
    None,
}

/// The named moments of the scenario grammar, §12. A moment after a write is reached when the write is durable.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Points {
    /// `coordinator.before_prepare_sent`: begun (and, under presumed nothing, on disk), nothing sent.
    pub before_prepare_sent: Option<PointId>,
    /// `coordinator.after_last_vote`: the last outstanding vote is in.
    pub after_last_vote: Option<PointId>,
    /// `coordinator.before_decision_logged`: decided in memory. Also when the decision is not logged at all.
    pub before_decision_logged: Option<PointId>,
    /// `coordinator.after_decision_logged`: the decision is binding.
    pub after_decision_logged: Option<PointId>,
    /// `coordinator.after_first_decision_sent`: one participant's message is out.
    pub after_first_decision_sent: Option<PointId>,
    /// `coordinator.after_end`: everybody knows.
    pub after_end: Option<PointId>,
    /// `participant.before_vote_logged`: rows locked, ready to vote yes.
    pub before_vote_logged: Option<PointId>,
    /// `participant.after_vote_logged`: in doubt, the coordinator does not know.
    pub after_vote_logged: Option<PointId>,
    /// `participant.after_vote_sent`: in doubt.
    pub after_vote_sent: Option<PointId>,
    /// `participant.after_decision_logged`: the outcome is durable and visible, not acknowledged.
    pub after_participant_decision_logged: Option<PointId>,
}

/// Where samples go; `None` where nobody listens.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Series {
    /// From the request for the rows of one participant until all are held (tag 0) or refused (tag 1).
    pub lock_wait: Option<SeriesId>,
    /// From the first row held to the release of all; tag 1 if the transaction committed.
    pub hold_time: Option<SeriesId>,
    /// From the vote being durable to the decision being known; tag 1 if it is a commit. After a restart it is counted
    /// from the time in the vote record. A wait that has not ended is in [`Participant::in_doubt`].
    pub in_doubt: Option<SeriesId>,
}

/// Where levels go; row = node. All of them are volatile: zero while the machine is down.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Cells {
    /// Coordinator: transactions begun and not ended.
    pub open: Option<CellId>,
    /// Participant: votes durable, decision not known.
    pub in_doubt: Option<CellId>,
}
