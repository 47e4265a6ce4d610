//! What brokers, groups of readers, sagas, retries, breakers and outboxes came to.

use kernel::{Histogram, Time};

use super::LevelResult;

/// One queue of a broker.
#[derive(Clone, Debug)]
pub struct MessageQueueResult {
    /// Its name.
    pub name: String,
    /// Messages that came in after the warm-up, as everything here.
    pub accepted: u64,
    /// Left by an acknowledgement.
    pub acknowledged: u64,
    /// Deliveries, each to one consumer.
    pub delivered: u64,
    /// Those that were not the first of their message.
    pub redelivered: u64,
    /// Left because nobody had them in time.
    pub expired: u64,
    /// Moved to the dead-letter queue.
    pub dead_lettered: u64,
    /// Left for nowhere: refused for good, or no room.
    pub dropped: u64,
    /// Publishes that were refused.
    pub refused: u64,
    /// Acknowledgements that came too late.
    pub stale_acks: u64,
    /// From accepted to the first delivery, nanoseconds.
    pub wait: Histogram,
    /// From accepted to gone, nanoseconds.
    pub age: Histogram,
    /// Messages in it: ready and in flight.
    pub depth: LevelResult,
    /// Those delivered and not settled.
    pub in_flight: LevelResult,
    /// Whether its books balanced.
    pub identity: Identity,
    /// Per window of the run.
    pub windows: Vec<MessageWindow>,
}

/// One window of a queue's series.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct MessageWindow {
    /// Came in.
    pub accepted: u64,
    /// Left by an acknowledgement.
    pub acknowledged: u64,
    /// Deliveries that were not the first.
    pub redelivered: u64,
}

/// `ready + in flight = accepted − acknowledged − expired − dead-lettered − dropped`, both sides kept by different code and
/// compared after every change of any of them, over the whole run.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Identity {
    /// How often it was compared.
    pub checked: u64,
    /// How often the sides differed: a mistake of the simulator.
    pub violations: u64,
    /// The largest difference.
    pub worst: u64,
    /// When they first differed.
    pub first: Option<Time>,
}

/// One kind of saga: of those that began after the warm-up.
#[derive(Clone, Debug)]
pub struct SagaResult {
    /// Its name.
    pub name: String,
    /// Begun.
    pub started: u64,
    /// All of its steps done.
    pub completed: u64,
    /// Undone.
    pub undone: u64,
    /// Open when the run ended, whenever begun.
    pub open: u64,
    /// From beginning to end, nanoseconds.
    pub time: Histogram,
    /// How many were open.
    pub open_level: LevelResult,
    /// Its steps, in their order.
    pub steps: Vec<SagaStepCounts>,
}

/// How many sagas came to a step, and what became of it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SagaStepCounts {
    /// Its name.
    pub name: String,
    /// Its action was about to be sent.
    pub begun: u64,
    /// Its action was done.
    pub done: u64,
    /// Its action failed, surely or perhaps.
    pub failed: u64,
    /// Its compensation was done.
    pub compensated: u64,
}

/// The calls of one operation by one caller that tries again.
#[derive(Clone, Debug)]
pub struct RetryResult {
    /// What is called.
    pub operation: String,
    /// Who calls.
    pub from: String,
    /// Calls after the warm-up.
    pub calls: u64,
    /// Tries after the first.
    pub retries: u64,
    /// Per window of the run.
    pub windows: Vec<RetryWindow>,
}

impl RetryResult {
    /// Tries per call; `None` without calls.
    pub fn amplification(&self) -> Option<f64> {
        (self.calls > 0).then(|| (self.calls + self.retries) as f64 / self.calls as f64)
    }
}

/// One window of retries.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RetryWindow {
    /// Calls begun.
    pub calls: u64,
    /// Retries of these calls, whenever they were decided.
    pub of_calls: u64,
    /// Retries decided, of calls begun whenever.
    pub retries: u64,
}

impl RetryWindow {
    /// Tries per call, of the calls begun in it; `None` without calls.
    pub fn amplification(self) -> Option<f64> {
        (self.calls > 0).then(|| (self.calls + self.of_calls) as f64 / self.calls as f64)
    }
}

/// A circuit breaker: one caller's view of one callee, node by node.
#[derive(Clone, Debug)]
pub struct BreakerResult {
    /// Who calls: the service, `[node]` appended when it has several.
    pub from: String,
    /// What is called, likewise; the service alone if the breaker is for all of its nodes.
    pub to: String,
    /// How often it opened, over the whole run.
    pub opened: u64,
    /// Share of the time it was open, after warm-up, until load ends.
    pub open_share: f64,
    /// The same for half open.
    pub half_open_share: f64,
    /// When it was not closed, in order; the first few thousand stretches.
    pub spans: Vec<BreakerSpan>,
}

/// A state that is not closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BreakerState {
    /// Some calls pass.
    HalfOpen,
    /// No call passes.
    Open,
}

/// A stretch of one state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BreakerSpan {
    /// Which.
    pub state: BreakerState,
    /// Since when.
    pub from: Time,
    /// Until when.
    pub to: Time,
}

/// A group that reads a topic.
#[derive(Clone, Debug)]
pub struct GroupResult {
    /// The topic.
    pub topic: String,
    /// Who reads it.
    pub group: String,
    /// Letters it has still to read, over all partitions.
    pub lag: LevelResult,
    /// From published to committed, nanoseconds.
    pub age: Histogram,
}

/// A service's outbox.
#[derive(Clone, Debug)]
pub struct OutboxResult {
    /// The service.
    pub service: String,
    /// Messages committed and not yet confirmed by the broker.
    pub depth: LevelResult,
    /// From commit to confirm, nanoseconds.
    pub lag: Histogram,
    /// Percentiles 50, 90, 99 of what was confirmed in each window, nanoseconds; `None` without samples.
    pub lag_windows: Vec<Option<[u64; 3]>>,
}
