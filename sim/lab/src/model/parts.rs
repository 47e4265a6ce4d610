//! Services: their workers, ops, consumers and state.

use super::{At, Consumer, Disk, Dist, Fields, Named, Outbox, Step, Value, Variable};

/// `[services.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Service {
    /// Machines.
    pub nodes: u32,
    /// Requests served at once per node; `None`: unlimited.
    pub workers: Option<u32>,
    /// CPUs per node, which `work` shares; `None`: as many as workers.
    pub cores: Option<u32>,
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
    /// `consumers`: what it takes from queues and topics.
    pub consumers: Named<Consumer>,
    /// `outbox`: how messages written in its local transactions leave.
    pub outbox: Option<Outbox>,
    /// `deadline_check`: work whose caller's deadline has passed is not begun.
    pub deadline_check: bool,
    /// `state`.
    pub state: Named<State>,
    /// `mutant`: a built-in wrong behaviour.
    pub mutant: Option<At<String>>,
    /// `process`: written in Rust, of this name, plays its machines.
    pub process: Option<At<String>>,
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
    /// A second request with this value gets the stored answer of the first; `true` is `$id`.
    pub idempotent: Option<At<Value>>,
    /// `vars`: drawn once per execution.
    pub vars: Named<Variable>,
    /// Bytes of a request.
    pub size: u32,
    /// Bytes of a reply.
    pub reply_size: u32,
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
    /// Key → row of named fields.
    Map {
        /// Rows 0 … keys − 1 are there from the beginning; 0 when not written.
        keys: u32,
        /// The fields of those rows.
        initial: Fields,
    },
    /// Values in the order they were appended, the same one perhaps twice; empty at the beginning.
    List,
}
