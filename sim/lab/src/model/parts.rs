//! Services with their ops and steps, and the workloads that call them.

use kernel::{Span, Time};

use super::{At, Disk, Dist, Named, Place};

/// `[services.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Service {
    /// Machines.
    pub nodes: u32,
    /// Requests served at once per node; `None`: unlimited.
    pub workers: Option<u32>,
    /// What holds a worker.
    pub mode: Mode,
    /// `queue`.
    pub queue: Waiting,
    /// `disk` of each node.
    pub disk: Disk,
    /// `clock.drift`, in parts per million, drawn for each node.
    pub drift: Dist,
    /// `clock.offset`, in nanoseconds, drawn for each node.
    pub offset: Dist,
    /// `zone`, or `zones`: dealt to its nodes in turn. Empty: in none.
    pub zones: Vec<At<String>>,
    /// `ops`; a `work` or `steps` of the service itself is the op `run`.
    pub ops: Named<Op>,
    /// `state`.
    pub state: Named<State>,
    /// `mutant`: a built-in wrong behaviour.
    pub mutant: Option<At<String>>,
    /// `external`.
    pub external: bool,
}

/// What holds a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// The request, from dequeue to reply.
    Blocking,
    /// Only `work` and local state.
    Async,
}

/// `queue` of a service: the requests that wait for a worker.
#[derive(Clone, PartialEq, Debug)]
pub struct Waiting {
    /// How many may wait; `None`: unlimited.
    pub capacity: Option<u32>,
    /// Who is next.
    pub order: Order,
    /// What a full queue does.
    pub overflow: Overflow,
}

/// Who is served next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// The oldest.
    Fifo,
    /// The newest.
    Lifo,
}

/// What a full queue does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overflow {
    /// The newcomer fails with `overload`.
    Reject,
    /// The one that waited longest fails with `overload`.
    DropOldest,
}

/// `ops.*`.
#[derive(Clone, PartialEq, Debug)]
pub struct Op {
    /// Its steps.
    pub steps: Vec<Step>,
    /// Bytes of a request.
    pub size: u32,
    /// Bytes of a reply.
    pub reply_size: u32,
}

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
    /// `update = "owner.item[key]"`.
    Update(Update),
    /// `read = "owner.item[key]"`.
    Read(Row),
}

/// A call step, or the call of a workload's `target`.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// `service`, `service.op` or `transactions.x`.
    pub target: At<String>,
    /// Per try.
    pub timeout: Option<Span>,
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
}

/// `update`, with `set` or `add`.
#[derive(Clone, PartialEq, Debug)]
pub struct Update {
    /// Which row.
    pub row: Row,
    /// `add` (expression) or `set`/`value` (expression).
    pub change: Change,
    /// `if`.
    pub guard: Option<At<String>>,
    /// `else`.
    pub otherwise: Otherwise,
}

/// How a counter row changes.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// Add this.
    Add(At<String>),
    /// Become this.
    Set(At<String>),
}

/// `owner.item[key]`; the key is an expression, `0` when not written.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The service that owns the state; empty: the service of this op.
    pub owner: String,
    /// The item.
    pub item: String,
    /// The key's expression.
    pub key: At<String>,
    /// The whole text's place.
    pub place: Place,
}

/// `state.*` of a service.
#[derive(Clone, PartialEq, Debug)]
pub enum State {
    /// One integer per key 0 … keys − 1.
    Counter {
        /// How many; 1 when not written.
        keys: u32,
        /// Their first value.
        initial: i64,
    },
}

/// `[workloads.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Workload {
    /// Open or closed.
    pub load: Load,
    /// `start`.
    pub start: Time,
    /// `stop`.
    pub stop: Time,
    /// What an operation does: one call.
    pub call: Call,
    /// Drawn once per operation.
    pub vars: Vec<(At<String>, Variable)>,
    /// `zone`.
    pub zone: Option<At<String>>,
}

/// One of `vars`.
#[derive(Clone, PartialEq, Debug)]
pub enum Variable {
    /// A number.
    Number(Dist),
    /// True if what is drawn is not 0.
    Truth(Dist),
    /// One of these texts, by the index that is drawn.
    Text(Dist, Vec<String>),
    /// Counted from this number, one for each operation.
    Sequence(i64),
}

/// How operations come.
#[derive(Clone, PartialEq, Debug)]
pub enum Load {
    /// Open loop: this many per second, poisson or even.
    Rate {
        /// Per second.
        per_second: f64,
        /// Poisson, else evenly spaced.
        poisson: bool,
    },
    /// Closed loop: users with one operation at a time and think time between.
    Users {
        /// How many.
        users: u32,
        /// Between an answer and the next operation.
        think: Dist,
    },
    /// Arrivals at these times.
    Trace(Vec<Time>),
}
