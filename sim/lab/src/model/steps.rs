//! Steps: what an op, a consumer or a transaction does, one after the other.

use kernel::Span;

use super::{At, Breaker, Consult, Destination, Dist, Named, Place, Retry};

/// One step, with the modifiers every step may have.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// `name`, for traces and `--set`.
    pub name: Option<String>,
    /// `chance`: skipped otherwise; 1 when not written.
    pub chance: f64,
    /// Its path in the file.
    pub path: String,
    /// Its place.
    pub place: Place,
    /// The verb.
    pub verb: Verb,
    /// A key that only steps on stores have, and this is none: its word and place.
    pub stray: Option<(&'static str, Place)>,
}

/// What a step does.
#[derive(Clone, PartialEq, Debug)]
pub enum Verb {
    /// CPU time; uses a worker.
    Work(Dist),
    /// Time without CPU.
    Sleep(Dist),
    /// A call.
    Call(Call),
    /// Fails with this business error.
    Fail(At<String>),
    /// Answers now; the later steps go on without the caller.
    Reply(At<Value>),
    /// One way or the other; never fails by itself.
    When {
        /// An expression.
        condition: At<String>,
        /// If it holds.
        then: Vec<Step>,
        /// If it does not.
        otherwise: Vec<Step>,
    },
    /// The same steps several times; `$i` counts from 0.
    Repeat {
        /// What is repeated.
        steps: Vec<Step>,
        /// How often.
        times: Dist,
    },
    /// `transaction`: steps on the state of one owner, all or none of them.
    Transaction {
        /// Its steps.
        steps: Vec<Step>,
        /// `else`, when a step in it fails: nothing of it remains.
        otherwise: Otherwise,
    },
    /// `insert = "owner.item[key]"`: fails if the row is there.
    Insert(Insert),
    /// `update = "owner.item[key]"`: fails if the row is missing, or `if` is false.
    Update(Update),
    /// `upsert = "owner.item[key]"`: writes the row, whether it is there or not.
    Upsert(Upsert),
    /// `delete = "owner.item[key]"`: fails if the row is missing, or `if` is false.
    Delete(Delete),
    /// `read = "owner.item[key]"`: a missing row reads null.
    Read(Read),
    /// `scan = "owner.item"`: the rows of a map.
    Scan(Scan),
    /// `write = "owner.item[key]"` with `value`: a counter becomes this.
    Write {
        /// Which row.
        row: Row,
        /// What it becomes.
        value: At<Value>,
    },
    /// `append = "owner.item"` with `value`: at the end of a list.
    Append {
        /// Which list.
        row: Row,
        /// What is appended.
        value: At<Value>,
    },
    /// `remove = "owner.item"` with `value`: the first that is equal; fails if there is none.
    Remove {
        /// Which list.
        row: Row,
        /// What is removed.
        value: At<Value>,
        /// `else`.
        otherwise: Otherwise,
    },
    /// `read`, `write`, `delete` or `cas` on a key of a replicated store.
    Consult(Consult),
    /// `publish`: a message to a queue, an exchange or a topic.
    Publish(Publish),
    /// `outbox`: the same, written with the transaction it stands in, and sent by the relay.
    Outbox(Message),
}

/// A call step, or the call of a workload's `target`, or one of a saga.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// `service`, `service.op`, `transactions.x` or `sagas.x`.
    pub target: At<String>,
    /// Variables that the callee sees besides those of the request, or instead of them.
    pub with: Fields,
    /// The variable that the answer goes into.
    pub into: Option<At<String>>,
    /// Per try.
    pub timeout: Option<Span>,
    /// What is done about failures.
    pub retry: Option<Retry>,
    /// When it is not even tried.
    pub breaker: Option<Breaker>,
    /// Its deadline goes with it: `deadline = "propagate"`.
    pub deadline: bool,
    /// Bytes of the request, instead of what the op says.
    pub size: Option<u32>,
    /// Bytes of the reply, instead of what the op says.
    pub reply_size: Option<u32>,
    /// What `else` says about a failure.
    pub otherwise: Otherwise,
}

/// `else` of a step.
#[derive(Clone, PartialEq, Debug)]
pub enum Otherwise {
    /// The request fails with the step's error.
    Fail,
    /// Go on.
    Skip,
    /// The request fails with this business error.
    Word(At<String>),
    /// Do this, and go on.
    Steps(Vec<Step>),
}

/// `insert`.
#[derive(Clone, PartialEq, Debug)]
pub struct Insert {
    /// Which row.
    pub row: Row,
    /// Its fields.
    pub set: Fields,
    /// `else`.
    pub otherwise: Otherwise,
}

/// `update`, with `set` or `add`.
#[derive(Clone, PartialEq, Debug)]
pub struct Update {
    /// Which row.
    pub row: Row,
    /// `add` (expression), `set` (expression, of a counter) or `set` (fields, of a map's row).
    pub change: Change,
    /// `if`.
    pub guard: Option<At<String>>,
    /// The variable that the row as it is then goes into.
    pub into: Option<At<String>>,
    /// `else`.
    pub otherwise: Otherwise,
}

/// How a row changes.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// A counter: add this.
    Add(At<String>),
    /// A counter: become this.
    Set(At<String>),
    /// A row of a map: these fields, the others stay.
    Fields(Fields),
}

/// `upsert`.
#[derive(Clone, PartialEq, Debug)]
pub struct Upsert {
    /// Which row.
    pub row: Row,
    /// Fields that are written; those of a row that is there and not named here stay.
    pub set: Fields,
    /// `if`.
    pub guard: Option<At<String>>,
    /// `else`, when `if` is false.
    pub otherwise: Otherwise,
}

/// `delete`.
#[derive(Clone, PartialEq, Debug)]
pub struct Delete {
    /// Which row.
    pub row: Row,
    /// `if`.
    pub guard: Option<At<String>>,
    /// `else`.
    pub otherwise: Otherwise,
}

/// `read`.
#[derive(Clone, PartialEq, Debug)]
pub struct Read {
    /// Which row.
    pub row: Row,
    /// The variable that it goes into; it is the op's answer too.
    pub into: Option<At<String>>,
}

/// `scan`.
#[derive(Clone, PartialEq, Debug)]
pub struct Scan {
    /// Which map.
    pub item: ItemPath,
    /// `if`: which rows; bare names are their fields.
    pub guard: Option<At<String>>,
    /// At most this many, in the order of their keys; `None`: all.
    pub max: Option<u32>,
    /// The variable that they go into.
    pub into: Option<At<String>>,
}

/// `publish`, with what is waited for.
#[derive(Clone, PartialEq, Debug)]
pub struct Publish {
    /// The message.
    pub message: Message,
    /// The step waits until the broker has confirmed.
    pub confirm: bool,
    /// Until the confirmation, per try.
    pub timeout: Option<Span>,
    /// What is done about a refused or late confirmation.
    pub retry: Option<Retry>,
    /// `else`.
    pub otherwise: Otherwise,
}

/// A message, and where it goes.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    /// A queue, an exchange or a topic.
    pub to: Destination,
    /// `key`: what exchanges route by, and what orders messages; `None`: the root request's id.
    pub key: Option<At<Value>>,
    /// `type`: what consumers and sagas choose by.
    pub kind: Option<At<Value>>,
    /// Variables that its consumer sees besides those of the request, or instead of them.
    pub with: Fields,
    /// Its bytes, instead of what the queue says.
    pub size: Option<u32>,
}

/// Named values: the fields of a row, or variables for a callee.
pub type Fields = Named<At<Value>>;

/// What `set`, `with`, `value`, `reply`, `key` and `type` say.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// True or false.
    Truth(bool),
    /// Text, with variables in it; no part at all is the empty text.
    Text(Vec<TextPart>),
    /// Exactly `$x` or `$x.field`: keeps its type.
    Variable(VariablePath),
    /// `= …`: an expression, without its `=`.
    Expression(At<String>),
}

/// A part of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TextPart {
    /// As it stands; `$$` is a dollar sign here already.
    Literal(String),
    /// What this variable holds.
    Variable(VariablePath),
}

/// `$x`, `$x.field`, `$message.key`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VariablePath {
    /// Without the dollar sign.
    pub name: String,
    /// After it, if there is one.
    pub field: Option<String>,
    /// Its place.
    pub place: Place,
}

/// `owner.item[key]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The service that owns the state; empty: the service of this op.
    pub owner: String,
    /// The item.
    pub item: String,
    /// The key's expression; when not written, `$id` of a map and `0` of anything else.
    pub key: At<String>,
    /// The whole text's place.
    pub place: Place,
}

/// `owner.item`: all of its rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemPath {
    /// The service that owns the state; empty: the service of this op.
    pub owner: String,
    /// The item.
    pub item: String,
    /// The text's place.
    pub place: Place,
}
