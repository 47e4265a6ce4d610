//! What two-phase commit sends, writes, waits for and tells.
//!
//! Sizes: a header of 40 bytes (ids, times, position) is in every message; a prepare adds the work and 4 bytes per
//! peer; a begin adds 4 bytes and the work per participant. A record is a header, 4 bytes per party it lists, and the
//! work it promises.

use alloc::vec::Vec;

use alloc::collections::BTreeSet;

use kernel::{Digest, Frame, NodeId, Route, Time, fold};

use crate::commit::{Reason, Work};
use crate::locks::Priority;

/// What every message of a transaction says about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Its number, unique in the world (over all kinds).
    pub transaction: u64,
    /// When it began: with the number, its priority.
    pub began: Time,
    /// Which entry of the plan.
    pub kind: u16,
    /// The position of the participant that sends or is meant, in the transaction's list of participants.
    pub part: u16,
    /// The how many-th message of this sort; answers have the attempt of the question with the top bit set.
    pub attempt: u16,
}

impl Head {
    pub(super) const fn priority(self) -> Priority {
        Priority { began: self.began, id: self.transaction }
    }

    /// The same transaction and participant, another attempt.
    pub(super) const fn attempted(self, attempt: u16) -> Self {
        Self { attempt, ..self }
    }

    /// The same transaction, another participant and attempt.
    pub(super) const fn to(self, part: u16, attempt: u16) -> Self {
        Self { part, attempt, ..self }
    }
}

/// A participant of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Party {
    /// Its position in the list of participants.
    pub part: u16,
    /// Where it is.
    pub node: NodeId,
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message<W> {
    /// Client → coordinator, only when the protocol runs alone.
    Begin(Head, Vec<(NodeId, W)>),
    /// Coordinator → client, only when the protocol runs alone.
    Answer(Head, Result<(), Reason>),
    /// Coordinator → participant: can you? `peers` are the other participants if they may be asked later.
    Prepare {
        /// About what.
        head: Head,
        /// What this participant shall do.
        work: W,
        /// The other participants; empty unless recovery is cooperative.
        peers: Vec<Party>,
    },
    /// Participant → coordinator.
    Vote(Head, Ballot),
    /// Coordinator → participant: the decision, first time, again, or as an answer.
    Decision {
        /// About what.
        head: Head,
        /// Commit, else abort.
        commit: bool,
    },
    /// Participant → coordinator: the outcome is mine.
    Ack(Head),
    /// Participant → coordinator: I am in doubt.
    Ask(Head),
    /// Participant → participant: I am in doubt, do you know?
    AskPeer(Head, Ask),
    /// Participant → participant: this is how it ended, or will.
    PeerKnows {
        /// About what; `part` is that of the answering one.
        head: Head,
        /// Commit, else abort.
        commit: bool,
        /// Who asked.
        ask: Ask,
    },
}

/// Which of the peers is asked: with the asking one's position it makes the message's draws its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ask {
    /// Position of the one that asks.
    pub from: u16,
    /// Position of the one that is asked.
    pub to: u16,
}

/// A vote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ballot {
    /// Ready to commit, and bound to the decision.
    Yes,
    /// Content with either, and out.
    ReadOnly,
    /// It will not be.
    No(Reason),
}

/// For whom a message, timer or record is, on a node that has several roles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The coordinator.
    Coordinator,
    /// The participant.
    Participant,
    /// The client of a protocol that runs alone.
    Client,
}

impl<W> Message<W> {
    /// The common part.
    pub const fn head(&self) -> &Head {
        match self {
            Self::Begin(head, _)
            | Self::Answer(head, _)
            | Self::Vote(head, _)
            | Self::Ack(head)
            | Self::Ask(head)
            | Self::AskPeer(head, _)
            | Self::Prepare { head, .. }
            | Self::Decision { head, .. }
            | Self::PeerKnows { head, .. } => head,
        }
    }

    /// Which role handles it. (A reset goes to the sender's role: see [`Self::sender`].)
    pub const fn receiver(&self) -> Part {
        match self {
            Self::Begin(..) | Self::Vote(..) | Self::Ack(_) | Self::Ask(_) => Part::Coordinator,
            Self::Prepare { .. } | Self::Decision { .. } | Self::AskPeer(..) | Self::PeerKnows { .. } => {
                Part::Participant
            }
            Self::Answer(..) => Part::Client,
        }
    }

    /// Which role sent it.
    pub const fn sender(&self) -> Part {
        match self {
            Self::Prepare { .. } | Self::Decision { .. } | Self::Answer(..) => Part::Coordinator,
            Self::Vote(..) | Self::Ack(_) | Self::Ask(_) | Self::AskPeer(..) | Self::PeerKnows { .. } => {
                Part::Participant
            }
            Self::Begin(..) => Part::Client,
        }
    }
}

const HEADER: u32 = 40;

impl<W: Work> kernel::Message for Message<W> {
    fn route(&self) -> Route {
        let head = self.head();
        let ask = match self {
            Self::AskPeer(_, ask) | Self::PeerKnows { ask, .. } => u64::from(ask.from) << 16 | u64::from(ask.to),
            Self::Begin(..)
            | Self::Answer(..)
            | Self::Prepare { .. }
            | Self::Vote(..)
            | Self::Decision { .. }
            | Self::Ack(_)
            | Self::Ask(_) => 0,
        };
        let place = u64::from(self.kind()) << 32 | u64::from(head.part) << 16 | u64::from(head.attempt);
        Route { operation: head.transaction, hop: fold(place, ask) }
    }

    fn bytes(&self) -> u32 {
        match self {
            Self::Begin(_, work) => HEADER + work.iter().map(|(_, work)| 4 + work.bytes()).sum::<u32>(),
            Self::Prepare { work, peers, .. } => HEADER + work.bytes() + 4 * peers.len() as u32,
            Self::Answer(..)
            | Self::Vote(..)
            | Self::Decision { .. }
            | Self::Ack(_)
            | Self::Ask(_)
            | Self::AskPeer(..)
            | Self::PeerKnows { .. } => HEADER,
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Begin(..) => 0,
            Self::Answer(..) => 1,
            Self::Prepare { .. } => 2,
            Self::Vote(..) => 3,
            Self::Decision { .. } => 4,
            Self::Ack(_) => 5,
            Self::Ask(_) => 6,
            Self::AskPeer(..) => 7,
            Self::PeerKnows { .. } => 8,
        }
    }
}

/// The names of the message kinds, in the order of their numbers.
pub const KINDS: [&str; 9] = ["begin", "answer", "prepare", "vote", "decision", "ack", "ask", "ask_peer", "peer_knows"];

/// A timer, or the news that something is durable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// Coordinator: the begin record is durable.
    Begun(u64),
    /// Coordinator: votes are missing for too long.
    VotesLate(u64),
    /// Coordinator: the decision is durable.
    Decided(u64),
    /// Coordinator: acknowledgements are missing for too long.
    AcksLate(u64),
    /// Participant: a lock is missing for too long.
    LockLate(u64),
    /// Participant: the vote is durable.
    Voted(u64),
    /// Participant: the decision is missing for too long.
    DecisionLate(u64),
    /// Participant: the outcome is durable.
    Outcome(u64),
    /// Client, alone: time for its nth order.
    Order(u64),
    /// Client, alone: no answer to this transaction came.
    AnswerLate(u64),
}

impl Timer {
    /// Which role it belongs to.
    pub const fn owner(self) -> Part {
        match self {
            Self::Begun(_) | Self::VotesLate(_) | Self::Decided(_) | Self::AcksLate(_) => Part::Coordinator,
            Self::LockLate(_) | Self::Voted(_) | Self::DecisionLate(_) | Self::Outcome(_) => Part::Participant,
            Self::Order(_) | Self::AnswerLate(_) => Part::Client,
        }
    }
}

/// A log record. [`Part::Coordinator`] writes the first, second and last, [`Part::Participant`] the others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record<W> {
    /// Presumed nothing: these may be prepared from now on.
    Begun {
        /// About what.
        head: Head,
        /// All participants.
        parties: Vec<Party>,
    },
    /// The decision.
    Decided {
        /// About what.
        head: Head,
        /// Commit, else abort.
        commit: bool,
        /// Who must hear of it.
        tell: Vec<Party>,
    },
    /// A yes vote.
    Voted {
        /// About what.
        head: Head,
        /// Whom to ask.
        coordinator: NodeId,
        /// Whom else to ask.
        peers: Vec<Party>,
        /// What was voted for.
        work: W,
        /// When.
        time: Time,
    },
    /// How it ended here.
    Outcome {
        /// About what.
        head: Head,
        /// Commit, else abort.
        commit: bool,
    },
    /// Everybody acknowledged.
    Ended(Head),
}

impl<W> Record<W> {
    /// The common part.
    pub const fn head(&self) -> &Head {
        match self {
            Self::Begun { head, .. }
            | Self::Decided { head, .. }
            | Self::Voted { head, .. }
            | Self::Outcome { head, .. }
            | Self::Ended(head) => head,
        }
    }

    /// Which role wrote it.
    pub const fn owner(&self) -> Part {
        match self {
            Self::Begun { .. } | Self::Decided { .. } | Self::Ended(_) => Part::Coordinator,
            Self::Voted { .. } | Self::Outcome { .. } => Part::Participant,
        }
    }
}

impl<W: Work> kernel::Record for Record<W> {
    fn bytes(&self) -> u32 {
        let parties = |parties: &[Party]| 4 * parties.len() as u32;
        match self {
            Self::Begun { parties: list, .. } => HEADER + parties(list),
            Self::Decided { tell, .. } => HEADER + parties(tell),
            Self::Voted { peers, work, .. } => HEADER + parties(peers) + work.bytes(),
            Self::Outcome { .. } | Self::Ended(_) => HEADER,
        }
    }
}

/// How many transactions a durable log leaves unfinished: begun or decided and not ended by the coordinator, voted for
/// and without outcome at the participant.
pub fn owed<'a, W: 'a>(log: impl IntoIterator<Item = &'a Record<W>>) -> u64 {
    let (mut begun, mut voted) = (BTreeSet::new(), BTreeSet::new());
    for record in log {
        let id = record.head().transaction;
        match record {
            Record::Begun { .. } => begun.insert(id),
            // Nobody to tell: the end record is a formality.
            Record::Decided { tell, .. } => {
                if tell.is_empty() {
                    begun.remove(&id)
                } else {
                    begun.insert(id)
                }
            }
            Record::Ended(_) => begun.remove(&id),
            Record::Voted { .. } => voted.insert(id),
            Record::Outcome { .. } => voted.remove(&id),
        };
    }
    (begun.len() + voted.len()) as u64
}

/// What is told to whoever uses the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Output {
    /// The coordinator's decision is binding: answer the client. Said once by the incarnation that decided.
    Decided {
        /// Which transaction,
        transaction: u64,
        /// of which type.
        kind: u16,
        /// Committed, or why not.
        outcome: Result<(), Reason>,
    },
}

/// The frame of a transaction in one role: a node that has both roles waits for the disk in each separately.
pub(super) fn frame(part: Part, transaction: u64) -> Frame {
    let salt = match part {
        Part::Coordinator => 0x2bc0,
        Part::Participant => 0x2bc1,
        Part::Client => 0x2bc2,
    };
    Frame(fold(salt, transaction))
}

impl Digest for Head {
    fn digest(&self) -> u64 {
        let small = u64::from(self.kind) << 32 | u64::from(self.part) << 16 | u64::from(self.attempt);
        fold(fold(self.transaction, self.began.0), small)
    }
}

impl Digest for Ballot {
    fn digest(&self) -> u64 {
        match self {
            Self::Yes => 1 << 16,
            Self::ReadOnly => 2 << 16,
            Self::No(reason) => 3 << 16 | u64::from(reason.0),
        }
    }
}

fn parties(state: u64, parties: &[Party]) -> u64 {
    let state = fold(state, parties.len() as u64);
    parties.iter().fold(state, |state, party| fold(state, u64::from(party.part) << 32 | u64::from(party.node.0)))
}

impl<W: Work> Digest for Message<W> {
    fn digest(&self) -> u64 {
        let state = fold(u64::from(kernel::Message::kind(self)), self.head().digest());
        match self {
            Self::Begin(_, work) => {
                work.iter().fold(state, |state, (node, work)| fold(fold(state, u64::from(node.0)), work.digest()))
            }
            Self::Answer(_, Ok(())) => fold(state, 1 << 16),
            Self::Answer(_, Err(reason)) => fold(state, u64::from(reason.0)),
            Self::Prepare { work, peers, .. } => parties(fold(state, work.digest()), peers),
            Self::Vote(_, ballot) => fold(state, ballot.digest()),
            Self::Decision { commit, .. } => fold(state, u64::from(*commit)),
            Self::Ack(_) | Self::Ask(_) => state,
            Self::AskPeer(_, ask) => fold(state, u64::from(ask.from) << 16 | u64::from(ask.to)),
            Self::PeerKnows { commit, ask, .. } => {
                fold(fold(state, u64::from(*commit)), u64::from(ask.from) << 16 | u64::from(ask.to))
            }
        }
    }
}

impl Digest for Timer {
    fn digest(&self) -> u64 {
        let (kind, of) = match *self {
            Self::Begun(of) => (0, of),
            Self::VotesLate(of) => (1, of),
            Self::Decided(of) => (2, of),
            Self::AcksLate(of) => (3, of),
            Self::LockLate(of) => (4, of),
            Self::Voted(of) => (5, of),
            Self::DecisionLate(of) => (6, of),
            Self::Outcome(of) => (7, of),
            Self::Order(of) => (8, of),
            Self::AnswerLate(of) => (9, of),
        };
        fold(kind, of)
    }
}

impl<W: Work> Digest for Record<W> {
    fn digest(&self) -> u64 {
        let head = self.head().digest();
        match self {
            Self::Begun { parties: list, .. } => parties(fold(1, head), list),
            Self::Decided { commit, tell, .. } => parties(fold(fold(2, head), u64::from(*commit)), tell),
            Self::Voted { coordinator, peers, work, time, .. } => {
                let state = fold(fold(fold(3, head), work.digest()), time.0);
                parties(fold(state, u64::from(coordinator.0)), peers)
            }
            Self::Outcome { commit, .. } => fold(fold(4, head), u64::from(*commit)),
            Self::Ended(_) => fold(5, head),
        }
    }
}
