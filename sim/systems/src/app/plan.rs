//! What the composed application is configured with: names have become numbers, steps a flat program.
//!
//! Made once when a scenario is loaded and shared by every machine; nothing here changes during a run.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use kernel::{CellId, Distribution, Key, NodeId, SeriesId, Span, Time};

use crate::commit::two_phase;
use crate::expression::{Program, VariableId};

/// The whole application.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What each node is, by `NodeId`.
    pub nodes: Vec<Place>,
    /// Services.
    pub services: Vec<Service>,
    /// Ops of all services; then one per transaction type, served by its coordinator.
    pub ops: Vec<Op>,
    /// Client populations.
    pub workloads: Vec<Workload>,
    /// The steps of every op, flat.
    pub program: Vec<Instruction>,
    /// Distributions, each with the key of its draws.
    pub draws: Vec<Draw>,
    /// Call sites.
    pub calls: Vec<Call>,
    /// Transaction types.
    pub transactions: Vec<Transaction>,
    /// How each transaction type is carried out, by the same index.
    pub commit: two_phase::Plan,
    /// Clients tell their operations as outputs, for the history.
    pub history: bool,
}

/// What a node is.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// A machine of a service, or a workload's clients.
    pub part: Part,
    /// Which of that part's nodes.
    pub number: u32,
}

/// A part of the application.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// By index into `services`.
    Service(u32),
    /// By index into `workloads`.
    Workload(u32),
}

/// A service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its first node; the others follow.
    pub first: NodeId,
    /// How many nodes.
    pub nodes: u32,
    /// Requests served at once per node.
    pub workers: u32,
    /// A worker is held from dequeue to reply; else only during `work`.
    pub blocking: bool,
    /// How many may wait for a worker.
    pub capacity: u32,
    /// The newest waiting request is served first.
    pub newest_first: bool,
    /// A full queue drops the one that waited longest; else it refuses the newcomer.
    pub drop_oldest: bool,
    /// Its cells: a row per node.
    pub cells: ServiceCells,
    /// Series per node.
    pub series: Vec<ServiceSeries>,
    /// Its state, and what transactions do to it.
    pub rows: Arc<RowsPlan>,
    /// It takes part in transactions, as coordinator or as participant.
    pub commits: bool,
}

/// Cells of a service; one row per node.
#[derive(Clone, Copy, Debug)]
pub struct ServiceCells {
    /// Requests waiting for a worker.
    pub queue_depth: CellId,
    /// Workers busy.
    pub busy: CellId,
    /// Requests here: waiting, served, or waiting for others.
    pub in_system: CellId,
}

/// Series of one node of a service.
#[derive(Clone, Copy, Debug)]
pub struct ServiceSeries {
    /// From wanting a worker to having one.
    pub wait: SeriesId,
    /// From dequeue to reply.
    pub service_time: SeriesId,
    /// From arrival to reply.
    pub sojourn: SeriesId,
    /// Refused by a full queue.
    pub refused: SeriesId,
}

/// An op: where its steps begin.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    /// The service that serves it.
    pub service: u32,
    /// First instruction.
    pub entry: u32,
    /// Bytes of a request.
    pub size: u32,
    /// Bytes of a reply.
    pub reply_size: u32,
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
    /// Ends the op.
    Return,
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
    /// Latency as this caller sees it; the clients' own calls are measured as operations instead.
    pub latency: Option<SeriesId>,
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
}

/// A client population.
#[derive(Clone, Debug)]
pub struct Workload {
    /// How operations come.
    pub load: Load,
    /// The first may begin here,
    pub start: Time,
    /// none begins from here on.
    pub stop: Time,
    /// First instruction of an operation.
    pub entry: u32,
    /// By number: where it comes from, once per operation.
    pub variables: Vec<Variable>,
    /// Latency of its operations.
    pub latency: SeriesId,
    /// Operations in flight.
    pub in_flight: CellId,
    /// The transaction type its operations call directly, if any.
    pub transaction: Option<u32>,
    /// Operations (by their number here) that are left out; nobody else's draws change.
    pub dropped: BTreeSet<u64>,
}

/// Where a variable of a request comes from.
#[derive(Clone, Debug)]
pub enum Variable {
    /// Nowhere: this workload does not set it.
    Unset,
    /// A number that is drawn.
    Number(Draw),
    /// True if what is drawn is not 0.
    Truth(Draw),
    /// The text whose index is drawn; by index its symbol.
    Text(Draw, Vec<u32>),
    /// This for the first operation, one more for each that follows.
    Sequence(i64),
    /// The operation's id: the same for all that it causes.
    Operation,
    /// The user of a closed loop; in an open loop every operation is a client of its own.
    Client,
}

/// How operations come.
#[derive(Clone, Debug)]
pub enum Load {
    /// Open loop.
    Rate {
        /// Between two arrivals: exponential or constant, in nanoseconds.
        gap: Distribution,
        /// What the generator's stream is seeded with.
        seed: kernel::Seed,
        /// The path that names the stream.
        path: alloc::string::String,
    },
    /// Closed loop.
    Users {
        /// How many.
        users: u32,
        /// Between an answer and the next operation.
        think: Draw,
    },
    /// At these times, ascending.
    Trace(Vec<Time>),
}

/// A transaction type.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The owners whose rows it touches, in the order of its work.
    pub participants: Vec<NodeId>,
    /// Its aborts, each with the error's number as tag.
    pub aborted: SeriesId,
    /// The variable that is what the coordinator's clock shows when it begins, if the work reads it.
    pub clock: Option<VariableId>,
}

/// The state a service brings into transactions: counters, and the steps that touch them.
#[derive(Clone, PartialEq, Debug)]
pub struct RowsPlan {
    /// Counter items: (cell, rows, initial value).
    pub items: Vec<Item>,
    /// The steps on them, by transaction type.
    pub steps: Vec<Vec<RowStep>>,
}

/// One counter item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item {
    /// Its cell.
    pub cell: CellId,
    /// Rows 0 … keys − 1.
    pub keys: u32,
    /// Their first value.
    pub initial: i64,
}

/// One step of a transaction's work on one owner.
#[derive(Clone, PartialEq, Debug)]
pub struct RowStep {
    /// Which item.
    pub item: u32,
    /// Which row.
    pub key: Program,
    /// What happens to it.
    pub change: RowChange,
    /// Must be true, else the vote is no.
    pub guard: Option<Program>,
    /// The reason of that no.
    pub refusal: u16,
}

/// What a step does to its row.
#[derive(Clone, PartialEq, Debug)]
pub enum RowChange {
    /// Nothing: it is read.
    Read,
    /// Add the value.
    Add(Program),
    /// Become the value.
    Set(Program),
}

impl Plan {
    /// A plan of nothing, to be filled.
    pub fn empty() -> Self {
        Self {
            nodes: Vec::new(),
            services: Vec::new(),
            ops: Vec::new(),
            workloads: Vec::new(),
            program: Vec::new(),
            draws: Vec::new(),
            calls: Vec::new(),
            transactions: Vec::new(),
            commit: two_phase::Plan { kinds: Vec::new(), remembered: 4096, locks_held: None },
            history: false,
        }
    }
    /// The plan of a node's service.
    ///
    /// # Panics
    /// If the node is no machine of a service.
    #[inline]
    pub fn service(&self, me: NodeId) -> (&Service, u32) {
        match self.nodes[me.0 as usize] {
            Place { part: Part::Service(n), number } => (&self.services[n as usize], number),
            Place { part: Part::Workload(_), .. } => panic!("node {} is no machine of a service", me.0),
        }
    }
}
