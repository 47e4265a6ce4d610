//! What the composed application is configured with: names have become numbers, steps a flat program.
//!
//! Made once when a scenario is loaded and shared by every machine; nothing here changes during a run.

mod program;
mod records;
mod stores;
mod workloads;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use kernel::{CellId, Key, NodeId, PointId, SeriesId, Span, Time};

use super::asking::STEP;
use super::mutant::Mutant;
use crate::commit::two_phase;
use crate::database::{DatabasePlan, Effect, Script};
use crate::expression::{Program, VariableId};
use crate::messaging::{self, Destination, topics};
use crate::resilience::{BreakerPlan, Retry};

pub use program::{
    BreakerUse, Call, Consumer, Does, Draw, Instruction, Mark, MarkKind, MessageVariables, Op, Otherwise, Publish,
    Query, Saga, Setting,
};
pub use stores::{Access, Keeping, StorePlan, Wants};
pub use workloads::{Listed, Load, Measured, Only, Variable, Workload};

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
    /// Retry policies of call sites.
    pub retries: Vec<Retry>,
    /// Breaker policies of call sites.
    pub breakers: Vec<BreakerPlan>,
    /// What steps ask of the database of their service.
    pub scripts: Vec<Script>,
    /// Where in the program a script is asked for.
    pub queries: Vec<Query>,
    /// Where in the program a message is published.
    pub publishes: Vec<Publish>,
    /// Replicated stores.
    pub stores: Vec<StorePlan>,
    /// Where in the program a store is asked.
    pub accesses: Vec<Access>,
    /// Conditions of branches, over the variables of a request.
    pub conditions: Vec<Program>,
    /// Variables that are set on the way.
    pub settings: Vec<Setting>,
    /// Queues, exchanges, and who consumes.
    pub mail: messaging::Plan,
    /// Topics, and the groups that read them.
    pub topics: topics::Plan,
    /// Who consumes: first from queues, by the number it has in `mail`, then from topics.
    pub consumers: Vec<Consumer>,
    /// Types of messages that sagas send to themselves: nobody else sees them.
    pub hidden: BTreeSet<u32>,
    /// By group that reads a topic: who consumes what it reads. A letter goes to each of them on its node that wants it,
    /// one after the other.
    pub readers: Vec<Vec<u32>>,
    /// Bytes of a message, by where it is sent.
    pub mail_bytes: Vec<u32>,
    /// Keys of messages that are texts: their symbols.
    pub texts: BTreeSet<u64>,
    /// The variables that tell a consumer of its message, as far as steps read them.
    pub told: MessageVariables,
    /// Kinds of sagas.
    pub sagas: Vec<Saga>,
    /// Records of sagas, by the place in the program where they are written.
    pub marks: Vec<Mark>,
    /// What steps of choreographed sagas commit, from number 1.
    pub effects: Arc<Vec<Effect>>,
    /// By what a request says of the saga's step that asks for it: the effect of the op's last commit.
    pub steps: BTreeMap<u32, u32>,
    /// Points of the program.
    pub moments: Vec<(PointId, u32)>,
    /// Moments of requests that faults can name.
    pub points: RequestPoints,
    /// The variable that says which try of a call a request is, if a step reads it.
    pub attempt: Option<VariableId>,
    /// The variable that is what a node's clock shows when a request reaches it, if a step reads it.
    pub clock: Option<VariableId>,
    /// What pauses between tries are drawn by.
    pub pauses: Key,
    /// Transaction types.
    pub transactions: Vec<Transaction>,
    /// How each transaction type is carried out, by the same index.
    pub commit: two_phase::Plan,
    /// Clients tell their operations as outputs, for the history.
    pub history: bool,
    /// Some link has no connections: what is lost there is not sent again, and nobody is told.
    pub unconnected: bool,
    /// Where the time of calls goes is kept of those that began then or later; if nobody wants to know, of none.
    pub spent_since: Option<Time>,
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
    /// The database of a service of several nodes, by index into `services`.
    Database(u32),
    /// A machine of a broker, by its number.
    Broker(u32),
    /// A machine of a broker of topics, by its number.
    Topics(u32),
    /// A machine of a replicated store, by index into `stores`.
    Replica(u32),
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
    /// Requests whose caller no longer waits are not begun.
    pub deadline_check: bool,
    /// Where its database is: on its only node, or on a machine of its own.
    pub database: NodeId,
    /// What is in it; none if the service has nothing to remember.
    pub state: Option<Arc<DatabasePlan>>,
    /// How messages leave its outbox.
    pub relay: Option<Relay>,
    /// A deliberate mistake.
    pub mutant: Option<Mutant>,
    /// Its nodes drive sagas.
    pub drives: bool,
    /// Who plays its machines, if the program does not.
    pub guest: Option<Arc<dyn super::guest::Host>>,
}

/// How messages leave an outbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relay {
    /// Asks this often; none: it is told as soon as there are some.
    pub every: Option<Span>,
    /// So many at once.
    pub batch: u32,
}

/// Moments of requests that faults can name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RequestPoints {
    /// Before an op asks its database to write.
    pub before_write: Option<PointId>,
    /// After it was told that this is durable.
    pub after_write: Option<PointId>,
    /// Before its caller is answered.
    pub before_reply: Option<PointId>,
    /// A saga's intent is durable, its action not yet called.
    pub before_action: Option<PointId>,
    /// A saga's action has been answered, which is not recorded yet.
    pub after_action: Option<PointId>,
    /// The same of compensations.
    pub before_compensate: Option<PointId>,
    /// The same of compensations.
    pub after_compensate: Option<PointId>,
    /// A message is in the outbox.
    pub outbox_after_write: Option<PointId>,
    /// The relay has sent a message, which is not confirmed yet.
    pub outbox_after_send: Option<PointId>,
    /// All that the relay sent is confirmed, and still in the outbox.
    pub outbox_before_mark: Option<PointId>,
    /// A message has reached its consumer.
    pub consumer_after_deliver: Option<PointId>,
    /// It has had its effect, and is not acknowledged.
    pub consumer_after_effect: Option<PointId>,
    /// It is acknowledged.
    pub consumer_after_ack: Option<PointId>,
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

/// Where a message is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Addressee {
    /// A queue or an exchange.
    Mail(Destination),
    /// A topic.
    Topic(u32),
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
            retries: Vec::new(),
            breakers: Vec::new(),
            scripts: Vec::new(),
            queries: Vec::new(),
            publishes: Vec::new(),
            stores: Vec::new(),
            accesses: Vec::new(),
            conditions: Vec::new(),
            settings: Vec::new(),
            mail: messaging::Plan {
                queues: Vec::new(),
                exchanges: Vec::new(),
                consumers: Vec::new(),
                publishers: Vec::new(),
                heartbeat: Span::secs(1),
                points: messaging::Points::default(),
                mutant: None,
            },
            topics: topics::Plan {
                topics: Vec::new(),
                groups: Vec::new(),
                patience: Span::secs(1),
                after_store_before_confirm: None,
                mutant: None,
            },
            consumers: Vec::new(),
            hidden: BTreeSet::new(),
            readers: Vec::new(),
            mail_bytes: Vec::new(),
            texts: BTreeSet::new(),
            told: MessageVariables::default(),
            sagas: Vec::new(),
            marks: Vec::new(),
            effects: Arc::default(),
            steps: BTreeMap::new(),
            moments: Vec::new(),
            points: RequestPoints::default(),
            attempt: None,
            clock: None,
            pauses: kernel::Seed(0).key("retry", "pause"),
            transactions: Vec::new(),
            commit: two_phase::Plan { kinds: Vec::new(), remembered: 4096, locks_held: None },
            history: false,
            unconnected: false,
            spent_since: None,
        }
    }
    /// The plan of a node's service, if it is a machine of one.
    pub fn service_of(&self, me: NodeId) -> Option<&Service> {
        match self.nodes[me.0 as usize].part {
            Part::Service(n) => Some(&self.services[n as usize]),
            Part::Database(_) | Part::Broker(_) | Part::Topics(_) | Part::Replica(_) | Part::Workload(_) => None,
        }
    }

    /// The effect with this number; 0 is none.
    pub fn effect(&self, number: u32) -> Option<&Effect> {
        self.effects.get((number as usize).checked_sub(1)?)
    }

    /// The kind of saga in whose name a request with this `step` is made.
    pub fn saga_of(&self, step: u32) -> Option<u16> {
        if step == 0 || self.sagas.is_empty() {
            return None;
        }
        let number = ((step & STEP) - 1) / 2;
        let after = self.sagas.partition_point(|saga| saga.first_step <= number);
        Some(after as u16 - 1)
    }

    /// The effect of the last commit of an op that this step of a saga asks for; 0 is none.
    pub fn effect_of(&self, step: u32) -> u32 {
        if step == 0 { 0 } else { self.steps.get(&step).copied().unwrap_or(0) }
    }

    /// What a number of `mail_bytes` and of letters in an outbox stands for: queues, then exchanges, then topics.
    pub fn place(&self, number: u16) -> Addressee {
        let number = u32::from(number);
        let (queues, exchanges) = (self.mail.queues.len() as u32, self.mail.exchanges.len() as u32);
        match (number.checked_sub(queues), number.checked_sub(queues + exchanges)) {
            (None, _) => Addressee::Mail(Destination::Queue(number)),
            (Some(exchange), None) => Addressee::Mail(Destination::Exchange(exchange)),
            (Some(_), Some(topic)) => Addressee::Topic(topic),
        }
    }

    /// The plan of a node's service.
    ///
    /// # Panics
    /// If the node is no machine of a service.
    #[expect(clippy::inline_always, reason = "every request asks")]
    #[inline(always)]
    pub fn service(&self, me: NodeId) -> (&Service, u32) {
        match self.nodes[me.0 as usize] {
            Place { part: Part::Service(n), number } => (&self.services[n as usize], number),
            Place {
                part: Part::Database(_) | Part::Broker(_) | Part::Topics(_) | Part::Replica(_) | Part::Workload(_),
                ..
            } => {
                panic!("node {} is no machine of a service", me.0)
            }
        }
    }
}
