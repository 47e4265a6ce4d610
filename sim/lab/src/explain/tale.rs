//! What a message or a timer is about, small enough to be kept of every one of a run: its operation, the question it
//! belongs to, and what it says. `words` says it.

use kernel::{Digest as _, Message as _, NodeId, fold};
use systems::app::keeper;
use systems::app::message::{CallResult, Mail, Message};
use systems::app::question::{Ask, Tell};
use systems::commit::two_phase::{self, Ballot};
use systems::database::{Outcome, Owner};
use systems::messaging::{self, Destination, Settlement, Verdict, topics};
use systems::replication::keys::{Answer, Operation, Session};
use systems::replication::leader_follower::{self, Copied};
use systems::replication::quorum;

/// A message in short.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tale {
    /// The root operation, if the message says it and is about one.
    pub(super) operation: Option<u64>,
    /// Ties a question and its answers together.
    pub(super) exchange: u64,
    /// What it is in its exchange.
    pub(super) turn: Turn,
    /// What it says.
    pub(super) says: Says,
    /// A poll or heartbeat.
    pub(super) background: bool,
}

/// What a message is in its exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    Question,
    Answer,
}

/// How what was asked for went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Went {
    Well,
    /// The error's number.
    Failed(u16),
}

/// What the call of a frame is known by, in requests, replies and timers.
pub(super) fn call(node: NodeId, frame: u32, token: u64) -> u64 {
    fold(fold(fold(1, u64::from(node.0)), u64::from(frame)), token)
}

/// What a message says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Says {
    Request {
        op: u32,
        undoes: bool,
    },
    Reply(Went),
    Script,
    Remember,
    BeginSaga(u16),
    MarkSaga(u16),
    FreeRows,
    Outbox,
    Renew,
    Data(Went),
    Known,
    Locked,
    DataNews(&'static str),
    Prepare,
    Vote(Option<bool>),
    Decision {
        commit: bool,
    },
    Acknowledge,
    InDoubt,
    PeerKnows {
        commit: bool,
    },
    Begin,
    Publish(Destination),
    PublishTopic(u32),
    Published(Option<Verdict>),
    Deliver {
        queue: u32,
        nth: u32,
    },
    Settle {
        queue: u32,
        how: Settlement,
    },
    Fetched {
        letters: u32,
    },
    StoreAsk(Operation),
    StoreAnswer(Answer),
    Elsewhere(Option<NodeId>),
    Elect {
        term: u64,
    },
    ElectVote {
        term: u64,
        granted: bool,
    },
    Append {
        term: u64,
        entries: u32,
    },
    Copied {
        term: u64,
        refused: bool,
    },
    QuorumRow(Option<u64>),
    Put {
        key: u64,
        value: Option<u64>,
    },
    Get {
        key: u64,
    },
    /// Of a process that plays a service: its kind.
    Own(u8),
    Other,
}

impl Says {
    /// Whether the machines of a store say it to each other, for all who ask.
    pub(super) const fn is_shared(self) -> bool {
        match self {
            Self::Append { .. }
            | Self::Copied { .. }
            | Self::Elect { .. }
            | Self::ElectVote { .. }
            | Self::Put { .. }
            | Self::Get { .. }
            | Self::QuorumRow(_) => true,
            Self::Request { .. }
            | Self::Reply(_)
            | Self::Script
            | Self::Remember
            | Self::BeginSaga(_)
            | Self::MarkSaga(_)
            | Self::FreeRows
            | Self::Outbox
            | Self::Renew
            | Self::Data(_)
            | Self::Known
            | Self::Locked
            | Self::DataNews(_)
            | Self::Prepare
            | Self::Vote(_)
            | Self::Decision { .. }
            | Self::Acknowledge
            | Self::InDoubt
            | Self::PeerKnows { .. }
            | Self::Begin
            | Self::Publish(_)
            | Self::PublishTopic(_)
            | Self::Published(_)
            | Self::Deliver { .. }
            | Self::Settle { .. }
            | Self::Fetched { .. }
            | Self::StoreAsk(_)
            | Self::StoreAnswer(_)
            | Self::Elsewhere(_)
            | Self::Own(_)
            | Self::Other => false,
        }
    }
}

impl Tale {
    /// A message from one node to another in short.
    pub(super) fn of(message: &Message, (from, to): (NodeId, NodeId)) -> Self {
        let mut tale = match message {
            Message::Request(request) => {
                let exchange = call(from, request.frame, request.token);
                let undoes = request.step != 0 && request.step & 1 == 0;
                Self::question(Some(request.operation), exchange, Says::Request { op: request.op, undoes })
            }
            Message::Reply(reply) => {
                let went = match reply.result {
                    CallResult::Ok => Went::Well,
                    CallResult::Failed(failure) => Went::Failed(failure.error),
                };
                let exchange = call(to, reply.frame, reply.token);
                Self::answer(Some(reply.operation), exchange, Says::Reply(went))
            }
            Message::Question(question) => {
                let says = match &question.ask {
                    Ask::Script { .. } => Says::Script,
                    Ask::Remember { .. } => Says::Remember,
                    Ask::Begin { saga, .. } => Says::BeginSaga(saga.saga),
                    Ask::Mark { saga, .. } => Says::MarkSaga(saga.saga),
                    Ask::Renew { owner: Owner { .. } } => Says::Renew,
                    Ask::Fetch { .. } | Ask::Relayed { .. } => Says::Outbox,
                    Ask::Free { .. } => Says::FreeRows,
                };
                let asker = question.asker;
                let exchange = fold(fold(fold(2, u64::from(from.0)), u64::from(asker.frame)), asker.token);
                Self::question(Some(asker.operation), exchange, says)
            }
            Message::Told(told) => {
                let says = match &told.tell {
                    Tell::Outcome(Outcome::Done(_) | Outcome::Answered(_)) => Says::Data(Went::Well),
                    Tell::Outcome(Outcome::Refused(refusal)) => Says::Data(Went::Failed(refusal.error)),
                    Tell::Outcome(Outcome::Known) => Says::Known,
                    Tell::Outcome(Outcome::Locked) => Says::Locked,
                    Tell::Begun { .. } => Says::DataNews("the saga has begun"),
                    Tell::Marked { kept: true } => Says::DataNews("kept"),
                    Tell::Marked { kept: false } => Says::DataNews("not kept: it is somebody else's saga by now"),
                    Tell::Adopted(_) => Says::DataNews("sagas to drive"),
                    Tell::Batch(_) => Says::DataNews("messages of the outbox"),
                    Tell::Relayed { .. } => Says::DataNews("they are out of the outbox"),
                    Tell::Restarted => Says::DataNews("it has restarted"),
                };
                let asker = told.asker;
                let exchange = fold(fold(fold(2, u64::from(asker.node.0)), u64::from(asker.frame)), asker.token);
                Self::answer(Some(asker.operation), exchange, says)
            }
            Message::Commit(message) => Self::of_commit(message),
            Message::Mail(mail) => Self::of_mail(mail),
            Message::Topic(message) => Self::of_topic(message),
            Message::Store(message) => Self::of_store(message),
            // What answers what only that process knows.
            Message::Guest(_) => {
                let operation = Some(message.route().operation);
                Self::question(operation, fold(16, message.digest()), Says::Own(message.kind()))
            }
        };
        tale.operation = tale.operation.filter(|operation| *operation != 0);
        tale.background = message.background();
        tale
    }

    const fn question(operation: Option<u64>, exchange: u64, says: Says) -> Self {
        Self { operation, exchange, turn: Turn::Question, says, background: false }
    }

    const fn answer(operation: Option<u64>, exchange: u64, says: Says) -> Self {
        Self { operation, exchange, turn: Turn::Answer, says, background: false }
    }

    fn of_commit(message: &two_phase::Message<systems::app::rows::Work>) -> Self {
        use two_phase::Message as Commit;
        let head = message.head();
        let transaction = head.transaction;
        let place = |round: u64| fold(fold(fold(3, transaction), u64::from(head.part)), round);
        let (round, turn, says) = match message {
            Commit::Begin(..) => (0, Turn::Question, Says::Begin),
            Commit::Answer(..) => (0, Turn::Answer, Says::Acknowledge),
            Commit::Prepare { .. } => (1, Turn::Question, Says::Prepare),
            Commit::Vote(_, Ballot::Yes) => (1, Turn::Answer, Says::Vote(Some(true))),
            Commit::Vote(_, Ballot::ReadOnly) => (1, Turn::Answer, Says::Vote(None)),
            Commit::Vote(_, Ballot::No(_)) => (1, Turn::Answer, Says::Vote(Some(false))),
            Commit::Decision { commit, .. } => (2, Turn::Question, Says::Decision { commit: *commit }),
            Commit::Ack(_) => (2, Turn::Answer, Says::Acknowledge),
            // It is answered by a decision, which has an answer of its own.
            Commit::Ask(_) => (3, Turn::Question, Says::InDoubt),
            Commit::AskPeer(..) => (4, Turn::Question, Says::InDoubt),
            Commit::PeerKnows { commit, .. } => (4, Turn::Answer, Says::PeerKnows { commit: *commit }),
        };
        Self { operation: Some(transaction), exchange: place(round), turn, says, background: false }
    }

    fn of_mail(message: &messaging::Message<Mail>) -> Self {
        use messaging::Message as Post;
        match message {
            Post::Publish { to, letter, .. } => {
                Self::question(Some(letter.operation), fold(4, letter.id), Says::Publish(*to))
            }
            Post::Published { id, operation, verdict, .. } => {
                Self::answer(Some(*operation), fold(4, *id), Says::Published(Some(*verdict)))
            }
            Post::Deliver { tag, deliveries, letter, .. } => {
                let says = Says::Deliver { queue: tag.queue, nth: *deliveries };
                Self::question(Some(letter.operation), fold(5, tag.digest()), says)
            }
            Post::Settle { tag, operation, how } => {
                let says = Says::Settle { queue: tag.queue, how: *how };
                Self::answer(Some(*operation), fold(5, tag.digest()), says)
            }
            Post::Subscribe { .. } | Post::Hello { .. } => Self::question(None, fold(6, message.digest()), Says::Other),
        }
    }

    fn of_topic(message: &topics::Message<Mail>) -> Self {
        use topics::Message as Log;
        match message {
            Log::Publish { topic, letter, .. } => {
                Self::question(Some(letter.operation), fold(7, letter.id), Says::PublishTopic(*topic))
            }
            Log::Published { id, operation, .. } => Self::answer(Some(*operation), fold(7, *id), Says::Published(None)),
            Log::Fetch { at, .. } => Self::question(None, fold(8, at.digest()), Says::Other),
            Log::Fetched { at, letters, .. } => {
                // One of many: of a batch it is not said whose it is.
                let operation = if letters.len() == 1 { Some(letters[0].operation) } else { None };
                Self::answer(operation, fold(8, at.digest()), Says::Fetched { letters: letters.len() as u32 })
            }
            Log::Commit { at, .. } => Self::question(None, fold(9, at.digest()), Says::Other),
            Log::Committed { at, .. } => Self::answer(None, fold(9, at.digest()), Says::Other),
        }
    }

    fn of_store(message: &keeper::Message) -> Self {
        match message {
            keeper::Message::Ordered(message) => Self::of_log(message),
            keeper::Message::Quorum(message) => Self::of_quorum(message),
        }
    }

    fn of_log(message: &leader_follower::Message) -> Self {
        use leader_follower::Body;
        let asked = |node: NodeId, seat: u32, number: u64| fold(fold(fold(10, u64::from(node.0)), seat.into()), number);
        let ends = |leader: NodeId, other: NodeId, round: u64| {
            fold(fold(fold(11, u64::from(leader.0)), u64::from(other.0)), round)
        };
        let (from, to) = (message.from, message.to);
        match &message.body {
            Body::Ask(request) => {
                let Session { node, seat, .. } = request.session;
                Self::question(None, asked(node, seat, request.number), Says::StoreAsk(request.operation))
            }
            Body::Answered { seat, number, answer } => {
                Self::answer(None, asked(to, *seat, *number), Says::StoreAnswer(*answer))
            }
            Body::Elsewhere { seat, number, leader } => {
                Self::answer(None, asked(to, *seat, *number), Says::Elsewhere(*leader))
            }
            Body::Elect { term, .. } => {
                Self::question(None, fold(ends(from, to, *term), 1), Says::Elect { term: *term })
            }
            Body::Vote { term, granted } => {
                let says = Says::ElectVote { term: *term, granted: *granted };
                Self::answer(None, fold(ends(to, from, *term), 1), says)
            }
            Body::Append { term, stamp, entries, .. } => {
                let says = Says::Append { term: *term, entries: entries.len() as u32 };
                Self::question(None, ends(from, to, fold(*term, stamp.round)), says)
            }
            Body::Install { term, stamp, .. } => {
                let says = Says::Append { term: *term, entries: 1 };
                Self::question(None, ends(from, to, fold(*term, stamp.round)), says)
            }
            Body::Copied { term, stamp, copied } => {
                let says = Says::Copied { term: *term, refused: *copied == Copied::Refused };
                Self::answer(None, ends(to, from, fold(*term, stamp.round)), says)
            }
            Body::Publish { .. } | Body::Inquire => Self::question(None, fold(12, message.digest()), Says::Other),
            Body::Published { .. } | Body::Extends(_) => Self::answer(None, fold(13, message.digest()), Says::Other),
        }
    }

    fn of_quorum(message: &quorum::Message) -> Self {
        use quorum::{Body, Wish};
        let ticket = fold(message.ticket.session.digest(), message.ticket.attempt);
        let copy = |node: NodeId| fold(fold(14, ticket), u64::from(node.0));
        let (asking, (from, to)) = (fold(15, ticket), (message.from, message.to));
        let value = |row: &quorum::Row| row.value;
        match &message.body {
            Body::Ask(request) => {
                let says = match request.wish {
                    Wish::Read => Says::StoreAsk(Operation::Read { key: request.key }),
                    Wish::Write(value) => Says::StoreAsk(Operation::Write { key: request.key, value }),
                    Wish::Delete => Says::StoreAsk(Operation::Delete { key: request.key }),
                };
                Self::question(None, asking, says)
            }
            Body::Answered { row, .. } => Self::answer(None, asking, Says::QuorumRow(row.as_ref().and_then(value))),
            Body::Put { key, row } | Body::Mend { key, row } => {
                Self::question(None, fold(copy(to), 1), Says::Put { key: *key, value: row.value })
            }
            Body::Kept => Self::answer(None, fold(copy(from), 1), Says::Acknowledge),
            Body::Get { key } => Self::question(None, fold(copy(to), 2), Says::Get { key: *key }),
            Body::Has(row) => Self::answer(None, fold(copy(from), 2), Says::QuorumRow(row.as_ref().and_then(value))),
        }
    }
}
