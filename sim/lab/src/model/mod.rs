//! A scenario as typed values: what the file says, checked for shape, with every default filled in.
//!
//! `scenario` makes it from text; `compile` turns it into plans for the simulated world. References between parts are
//! still names here; every name and expression remembers its place, so that the second pass can point at both ends.

mod faults;
mod load;
mod messaging;
mod parts;
mod policies;
mod promises;
mod protocols;
mod sagas;
mod steps;
mod stores;
mod verbs;
mod world;

use kernel::{Distribution, Span, Time};

pub use faults::{Chaos, ChaosProfile, Direction, Family, Fault, FaultBudget, FaultKind, Listed, Trigger};
pub use load::{Activity, Begin, Load, Only, Stage, Variable, Workload};
pub use messaging::{
    Ack, Binding, Broker, BrokerKind, Consumer, DeadLetter, Destination, DestinationKind, Exchange, ExchangeKind,
    Ordering, Outbox, Queue, QueueOverflow, Relay, Topic,
};
pub use parts::{Mode, Op, Order, Overflow, Service, State, Waiting};
pub use policies::{Backoff, Breaker, BreakerScope, BreakerWindow, Budget, Jitter, Retry, Slow};
pub use promises::{Check, Expect, Expected, Form, Invariant, Staleness, Sweep, SweepVariants};
pub use protocols::{Deadlock, DecisionLog, LockMode, Locks, Protocol, Recovery, Transaction};
pub use sagas::{LockedOut, Saga, SagaIsolation, SagaRecovery, SagaStep, SagaStyle, SagaTrigger};
pub use steps::{
    Call, Change, Delete, Fields, Insert, ItemPath, Message, Otherwise, Publish, Read, Row, Scan, Step, TextPart,
    Update, Upsert, Value, VariablePath, Verb,
};
pub use stores::{Acks, Consult, LogStore, QuorumStore, Reads, Store, StoreKind, Wants};
pub use verbs::all_steps;
pub use world::{Disk, Limit, Link, LinkEnds, Loss, Pick, Target, TargetKind, Transport, ZonePath};

/// Where something stands: bytes `start..end` of a source (0 is the file, others are `--set` texts).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Place {
    /// Which source.
    pub source: u32,
    /// First byte.
    pub start: u32,
    /// After the last byte.
    pub end: u32,
}

/// A value and where it stands. A default has the place of the table that lacks it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub place: Place,
}

/// A distribution as written, and what it means.
#[derive(Clone, PartialEq, Debug)]
pub struct Dist {
    /// Durations in nanoseconds, numbers as they are.
    pub law: Distribution,
    /// As written: `exp(2ms)`.
    pub text: String,
    /// Its path in the file, which keys its draws: `services.gateway.ops.checkout[0].work`.
    pub path: String,
    /// Its place.
    pub place: Place,
}

/// A named part.
pub type Named<T> = Vec<(At<String>, T)>;

/// A whole scenario.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    /// `scenario.name`, default the file's stem.
    pub name: String,
    /// One sentence, or empty.
    pub question: String,
    /// For `list`.
    pub tags: Vec<String>,
    /// `[run]`.
    pub run: Run,
    /// `[phases]`: named windows.
    pub phases: Vec<(At<String>, Window)>,
    /// `[network]` without its links.
    pub network: Link,
    /// `[network.links]`.
    pub links: Vec<(LinkEnds, Link)>,
    /// `[zones]`.
    pub zones: Vec<ZonePath>,
    /// `[services.*]`.
    pub services: Named<Service>,
    /// `[stores.*]`.
    pub stores: Named<Store>,
    /// `[brokers.*]`, and the implicit one if it is needed.
    pub brokers: Named<Broker>,
    /// `[queues.*]`.
    pub queues: Named<Queue>,
    /// `[exchanges.*]`.
    pub exchanges: Named<Exchange>,
    /// `[topics.*]`.
    pub topics: Named<Topic>,
    /// `[transactions.*]`.
    pub transactions: Named<Transaction>,
    /// `[sagas.*]`.
    pub sagas: Named<Saga>,
    /// `[workloads.*]`.
    pub workloads: Named<Workload>,
    /// `[chaos]`.
    pub chaos: Chaos,
    /// `[faults.*]`.
    pub faults: Named<Fault>,
    /// `[invariants]`.
    pub invariants: Named<Invariant>,
    /// `[thresholds]`: the comparison as text.
    pub thresholds: Named<At<String>>,
    /// `[expect]` of the base or of the variant.
    pub expect: Expect,
    /// `[repro]`.
    pub repro: Option<Repro>,
    /// `[sweep]`.
    pub sweep: Sweep,
    /// The names of all variants in the file.
    pub variants: Vec<At<String>>,
}

impl Model {
    /// Puts what is addressed by name into the order of the names: moving a table in the file moves no number, no event
    /// and no draw.
    pub fn sort(&mut self) {
        by_name(&mut self.services);
        by_name(&mut self.stores);
        by_name(&mut self.brokers);
        by_name(&mut self.queues);
        by_name(&mut self.exchanges);
        by_name(&mut self.topics);
        by_name(&mut self.transactions);
        by_name(&mut self.sagas);
        by_name(&mut self.workloads);
        by_name(&mut self.faults);
        for (_, service) in &mut self.services {
            by_name(&mut service.ops);
            by_name(&mut service.consumers);
            by_name(&mut service.state);
        }
    }
}

fn by_name<T>(named: &mut Named<T>) {
    named.sort_by(|a, b| a.0.value.cmp(&b.0.value));
}

/// `[run]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Load arrives from 0 to here.
    pub duration: Time,
    /// Left out of every metric before here.
    pub warmup: Time,
    /// `warmup = "auto"`: `warmup` is 0 until a pilot run has told it.
    pub automatic_warmup: bool,
    /// Every fault is revoked here.
    pub heal: Time,
    /// At most this long after `duration`.
    pub quiesce: Span,
    /// How long after a fault `phase=steady` begins again.
    pub settle: Span,
    /// The seed (of the file, or the flag's).
    pub seed: u64,
    /// `precision`: half the width of a threshold's interval over seeds, relative to its mean.
    pub precision: Option<At<f64>>,
    /// Stop at the first violation of these.
    pub abort_on_fail: Vec<At<String>>,
}

/// Of which run a scenario is what it came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Repro {
    /// The engine's version of the event order.
    pub epoch: u32,
    /// Over every event.
    pub fingerprint: String,
    /// The classes of its violations.
    pub violates: Vec<String>,
}

/// A half-open window of virtual time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// From here,
    pub from: Time,
    /// until before here.
    pub to: Time,
}
