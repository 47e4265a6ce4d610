//! Ops as programs: instructions, and what they refer to by number.

use alloc::vec::Vec;

use kernel::{CellId, Distribution, Key, PointId, SagaFact, SeriesId, Span};

use crate::database::{Assignment, Letter};
use crate::expression::{Program, VariableId};

use super::Variable;
use crate::app::spent::SpentSeries;

/// An op: where its steps begin.
#[derive(Clone, Debug)]
pub struct Op {
    /// The service that serves it.
    pub service: u32,
    /// First instruction.
    pub entry: u32,
    /// Bytes of a request.
    pub size: u32,
    /// Bytes of a reply.
    pub reply_size: u32,
    /// What makes a request the same as an earlier one, which is then answered as that was.
    pub idempotent: Option<Program>,
    /// The variables that are its answer.
    pub result: Vec<VariableId>,
}

/// One instruction of the flat program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Instruction {
    /// CPU time by this draw; in an async service a worker is held for it.
    Work(u16),
    /// Time without CPU.
    Sleep(u16),
    /// A call.
    Call(u16),
    /// Fails with this error.
    Fail(u16),
    /// Goes on at `otherwise` unless the draw (0 or 1) gives 1.
    Chance {
        /// The draw.
        draw: u16,
        /// Where to go else.
        otherwise: u32,
    },
    /// Runs a transaction of this type; the op ends with its outcome.
    Transaction(u16),
    /// Asks the database of the service.
    Query(u16),
    /// Publishes a message and waits until the broker has confirmed it.
    Publish(u16),
    /// Asks a replicated store and waits for its answer.
    Consult(u16),
    /// Goes on at `otherwise` unless the condition holds.
    Branch {
        /// The condition.
        condition: u16,
        /// Where to go else.
        otherwise: u32,
    },
    /// Goes on there.
    Jump(u32),
    /// Sets a variable.
    Set(u16),
    /// Answers the caller; the rest goes on without it.
    Reply,
    /// Writes a record of a saga.
    Mark(u16),
    /// Says that a point is reached.
    Point(u16),
    /// Ends the op.
    Return,
}

impl Instruction {
    /// A frame goes on with the next one at once.
    #[inline]
    pub(in crate::app) fn takes_no_time(self) -> bool {
        matches!(
            self,
            Self::Chance { .. } | Self::Branch { .. } | Self::Jump(_) | Self::Set(_) | Self::Reply | Self::Point(_)
        )
    }
}

/// Where a script is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Query {
    /// The script.
    pub script: u32,
    /// The answer of an idempotent op is stored with it.
    pub stores: bool,
    /// What it is in a choreographed saga; 0: nothing, or what the step says that asks for the op.
    pub effect: u32,
    /// What a refusal does.
    pub otherwise: Otherwise,
}

/// Where a message is published.
#[derive(Clone, PartialEq, Debug)]
pub struct Publish {
    /// The message.
    pub letter: Letter,
    /// It is waited for until the broker has it.
    pub confirm: bool,
    /// How long that may take.
    pub timeout: Option<Span>,
    /// What happens if it is refused or late.
    pub otherwise: Otherwise,
}

/// A variable that is set on the way.
#[derive(Clone, Debug)]
pub enum Setting {
    /// From others.
    Value(VariableId, Assignment),
    /// By a draw, once per execution.
    Drawn(VariableId, Variable),
}

/// What a service takes from a queue or a topic.
#[derive(Clone, PartialEq, Debug)]
pub struct Consumer {
    /// The service.
    pub service: u32,
    /// What is done with a message.
    pub does: Does,
    /// Types of message it wants, symbols; the others are acknowledged unseen. Empty: all.
    pub kinds: Vec<u32>,
    /// Acknowledged before anything is done.
    pub ack_first: bool,
    /// Messages are remembered with their effect, and have it once.
    pub inbox: bool,
}

impl Consumer {
    /// Whether it wants messages of this type.
    pub fn wants(&self, kind: Option<u32>) -> bool {
        self.kinds.is_empty() || kind.is_some_and(|kind| self.kinds.contains(&kind))
    }
}

/// What is done with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Does {
    /// The steps of this op, which nobody can call.
    Op(u32),
    /// A saga of this kind begins.
    Saga(u16),
    /// The instructions from here on, without a worker: a choreographed saga's step.
    React(u32),
}

/// The variables that tell a consumer of its message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MessageVariables {
    /// Its key.
    pub key: Option<VariableId>,
    /// Its type.
    pub kind: Option<VariableId>,
    /// How often it was delivered.
    pub deliveries: Option<VariableId>,
}

/// A kind of saga. Its program calls the actions one after the other, with a `Mark` before and after each; a saga that
/// changes hands goes on at the instruction its last mark names.
#[derive(Clone, Debug)]
pub struct Saga {
    /// The service whose nodes drive it and whose database has its log.
    pub service: u32,
    /// First instruction.
    pub entry: u32,
    /// Number of the protocol in facts.
    pub protocol: u32,
    /// How many steps it has.
    pub steps: u32,
    /// The number under which requests know the first of them.
    pub first_step: u32,
    /// Sagas that are not over.
    pub open: CellId,
    /// From its beginning to its end; the tag is 0 if it was completed, 1 if it was undone.
    pub time: SeriesId,
}

/// A record of a saga.
#[derive(Clone, PartialEq, Debug)]
pub struct Mark {
    /// The kind.
    pub saga: u16,
    /// What it says.
    pub what: MarkKind,
    /// What is reached when it is durable, and before it is written.
    pub points: (Option<PointId>, Option<PointId>),
    /// Whose points these are: the step.
    pub of: u32,
}

/// What a record of a saga says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarkKind {
    /// It has come here, and this is a fact now.
    At(SagaFact),
    /// It is over.
    Ended {
        /// All its steps are done; else they were undone.
        completed: bool,
    },
    /// A compensation failed for good: nobody goes on with it.
    GivenUp,
    /// The rows it kept to itself in the database of this service are free. It stands in that one's log.
    Free {
        /// The service.
        service: u32,
    },
}

/// A distribution and the key of its draws.
#[derive(Clone, Debug)]
pub struct Draw {
    /// The law.
    pub law: Distribution,
    /// Keyed by seed and path in the file.
    pub key: Key,
}

/// A call site.
#[derive(Clone, Debug)]
pub struct Call {
    /// The op that is called.
    pub op: u32,
    /// Per try.
    pub timeout: Option<Span>,
    /// What a failure does.
    pub otherwise: Otherwise,
    /// Latency as this caller sees it, and where it went; the clients' own calls are measured as operations instead.
    pub latency: Option<(SeriesId, SpentSeries)>,
    /// Those that ended in a business error, which is the tag.
    pub rejected: Option<SeriesId>,
    /// Another try after a failed one, and the series that counts them.
    pub retry: Option<(u16, SeriesId)>,
    /// Not while the callee is ill.
    pub breaker: Option<BreakerUse>,
    /// Variables that the callee has besides those of the request.
    pub with: Vec<(VariableId, Assignment)>,
    /// Where its answer goes.
    pub into: Vec<VariableId>,
    /// The callee is told until when it is waited for.
    pub deadline: bool,
    /// It is made to the caller's own node.
    pub local: bool,
    /// Every failure is tried again, business errors too.
    pub stubborn: bool,
    /// Which step of a saga it is, from 1; else 0.
    pub step: u32,
}

/// The breaker of a call site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BreakerUse {
    /// The policy.
    pub policy: u16,
    /// One for all nodes of the callee; else each has its own.
    pub whole_service: bool,
    /// Its state, a row per caller's node and callee's node.
    pub state: CellId,
}

/// What a failed step does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Otherwise {
    /// The request fails with the step's error.
    Fail,
    /// Goes on.
    Skip,
    /// The request fails with this business error.
    Word(u16),
    /// Goes on there.
    Jump(u32),
    /// Goes on there: where depends on whether it is known to have had no effect.
    Undo {
        /// It had none.
        certain: u32,
        /// It may have had one.
        unknown: u32,
    },
}
