//! What a run leaves behind, as values: verdicts, statistics, series, faults. `reports` turns it into files and pictures.
//!
//! Everything here is a function of the scenario, the seed and the engine; wall times stand elsewhere.

mod evidence;
mod parts;
mod stores;
mod topology;

use kernel::{Histogram, Span, Time};
use systems::app::spent::Waiting;

pub use evidence::{Contradiction, Ended, Evidence, LineValue, Refused, StoreHistory, StoreLine, StoreOperation, Wish};
pub use parts::{
    BreakerResult, BreakerSpan, BreakerState, GroupResult, Identity, MessageQueueResult, MessageWindow, OutboxResult,
    RetryResult, RetryWindow, SagaResult, SagaStepCounts,
};
pub use stores::{GapsResult, Leading, StoreResult};
pub use topology::{Link, LinkKind, Part, Topology};

use crate::measure::Value;

/// Who says how long the warm-up is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WarmupBy {
    /// The scenario.
    Scenario,
    /// MSER-5, from a pilot run.
    Mser5,
    /// Nobody: it was to be chosen, and there was nothing to choose it by.
    Nobody,
}

/// The result of one run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The scenario's name.
    pub scenario: String,
    /// Its question, or empty.
    pub question: String,
    /// The variant, if not the base.
    pub variant: Option<String>,
    /// The seed.
    pub seed: u64,
    /// Run id: 8 hex digits.
    pub run_id: String,
    /// Hash of the resolved scenario: 32 hex digits.
    pub scenario_hash: String,
    /// The resolved scenario, every default written out.
    pub resolved: String,
    /// Rolling hash over every event.
    pub fingerprint: u64,
    /// Events handled.
    pub events: u64,
    /// Virtual time when the run ended.
    pub end: Time,
    /// The run's phases.
    pub times: Times,
    /// Who says how long the warm-up is.
    pub warmup_by: WarmupBy,
    /// How often nothing was in flight.
    pub rests: u64,
    /// Per invariant.
    pub invariants: Vec<InvariantResult>,
    /// Per threshold.
    pub thresholds: Vec<ThresholdResult>,
    /// The whole run's verdict and how it compares with `[expect]`.
    pub verdict: RunVerdict,
    /// Per operation, as its callers see it. Workload operations first, then calls between services.
    pub operations: Vec<OperationResult>,
    /// Per queue: the requests waiting for a worker and being served.
    pub queues: Vec<QueueResult>,
    /// Per service.
    pub services: Vec<ServiceResult>,
    /// Per transaction type.
    pub transactions: Vec<TransactionResult>,
    /// Per queue of a broker.
    pub message_queues: Vec<MessageQueueResult>,
    /// Per kind of saga.
    pub sagas: Vec<SagaResult>,
    /// Per operation and caller that tries again.
    pub retries: Vec<RetryResult>,
    /// Per breaker.
    pub breakers: Vec<BreakerResult>,
    /// Per group that reads a topic.
    pub groups: Vec<GroupResult>,
    /// Per outbox.
    pub outboxes: Vec<OutboxResult>,
    /// Per replicated store.
    pub stores: Vec<StoreResult>,
    /// Messages by sender, receiver and kind.
    pub messages: Vec<MessageCount>,
    /// Every fault instance.
    pub faults: Vec<FaultResult>,
    /// Little's law on every queue.
    pub little: Vec<LittleResult>,
    /// What `Options::wanted` asked for, in its order; `None` where there was nothing to measure.
    pub estimates: Vec<Option<Value>>,
    /// The parts and who calls whom.
    pub topology: Topology,
    /// The operations of the clients, in order of their events; empty unless asked for.
    pub history: Vec<HistoryLine>,
    /// Per replicated store what its clients asked and were told; empty unless asked for.
    pub store_histories: Vec<StoreHistory>,
    /// How the first broken promise came to be broken, if somebody asked for it.
    pub story: Option<Box<crate::explain::Story>>,
    /// Things worth telling: faults without effect, promises never evaluated.
    pub warnings: Vec<String>,
}

/// The phases of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Times {
    /// Left out of metrics before here.
    pub warmup: Time,
    /// Faults are revoked here.
    pub heal: Time,
    /// Load ends here.
    pub duration: Time,
    /// The run ends here at the latest.
    pub limit: Time,
    /// Width of one window of every time series.
    pub window: Span,
}

/// How a promise came out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Status {
    /// It holds.
    Holds,
    /// It is broken.
    Violated,
    /// It could not be decided.
    Unknown,
    /// It was never evaluated.
    Vacuous,
}

/// One invariant.
#[derive(Clone, Debug)]
pub struct InvariantResult {
    /// Its name.
    pub name: String,
    /// `always`, `at rest`, `within 30s`: how it is judged.
    pub form: String,
    /// What it says: the expression, or judge and subject.
    pub says: String,
    /// How it came out.
    pub status: Status,
    /// Why: the witness of a violation, the reason of an unknown; one or more lines.
    pub witness: Vec<String>,
    /// When it was first broken, and the number of that event.
    pub first: Option<(Time, u64)>,
    /// How often it was evaluated.
    pub evaluations: u64,
    /// The class of a violation, for grouping and shrinking: `no_overdraft/always`; empty unless violated.
    pub class: String,
    /// Of an equation that was broken first: which side was greater. Too much is another mistake than too little.
    pub tilt: Tilt,
    /// For `sometimes`: whether it was reached. Unless `at_least` is 100% one run does not judge it (`Unknown` if not
    /// reached, and the run's verdict leaves it out); a sweep does.
    pub reached: Option<bool>,
    /// What `[expect]` says of it.
    pub expected: Expectation,
    /// What a judge of histories counted and has to show.
    pub evidence: Option<Box<Evidence>>,
}

impl InvariantResult {
    /// When it can no longer have been kept, if that is known: what takes an acknowledged write away comes after `first`.
    pub fn broken_by(&self) -> Option<(Time, u64)> {
        let at_the_end =
            ["lost", "phantom"].iter().any(|kind| self.class.rsplit_once('/').is_some_and(|of| of.1 == *kind));
        self.first.filter(|_| !at_the_end)
    }
}

/// Which side of an equation is greater.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Tilt {
    /// It is none, or both are alike.
    #[default]
    Neither,
    /// The left one.
    Left,
    /// The right one.
    Right,
}

/// What `[expect]` says of a promise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expectation {
    /// Nothing: it is to hold.
    Holds,
    /// It fails: it stands in `fails`.
    Fails,
    /// The same with `seeds = "some"`: it fails on some seed of a sweep, and in one run perhaps.
    FailsOnSomeSeed,
    /// It may fail: it stands in `may_fail`.
    MayFail,
}

/// One threshold.
#[derive(Clone, Debug)]
pub struct ThresholdResult {
    /// Its name.
    pub name: String,
    /// The comparison as written.
    pub says: String,
    /// How it came out.
    pub status: Status,
    /// The measured left side, if there were samples.
    pub value: Option<Quantity>,
    /// The limit (right side).
    pub limit: Option<Quantity>,
    /// Where the worst was seen, for `max`.
    pub at: Option<Time>,
    /// What `[expect]` says of it.
    pub expected: Expectation,
}

/// A number with its sort.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Quantity {
    /// Seconds.
    Seconds(f64),
    /// A share, 1 is all.
    Ratio(f64),
    /// Per second.
    PerSecond(f64),
    /// A plain number.
    Number(f64),
}

/// The verdict of a run against its expectation.
#[derive(Clone, Debug)]
pub struct RunVerdict {
    /// What happened.
    pub found: Found,
    /// It is what `[expect]` says.
    pub as_expected: bool,
    /// Exit code of `run`: 0, 1 or 3.
    pub exit: u8,
    /// One line: `fails blocking, nothing else`.
    pub summary: String,
}

/// What a run's promises came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// Everything holds.
    Pass,
    /// Something is broken.
    Fail,
    /// Nothing is broken, something is unknown.
    Inconclusive,
}

/// One operation as seen by its callers.
#[derive(Clone, Debug)]
pub struct OperationResult {
    /// `gateway.checkout`, `transactions.transfer`.
    pub name: String,
    /// The workload or service that calls it.
    pub from: String,
    /// Called by a workload.
    pub external: bool,
    /// Calls that ended after warm-up, by how.
    pub ok: u64,
    /// Known to have had no effect.
    pub failed: u64,
    /// Outcome unknown.
    pub unknown: u64,
    /// Business errors, which are no failures.
    pub rejected: u64,
    /// Still open at the end, or cut short by a crash of the caller.
    pub open: u64,
    /// Measured time in seconds (from warm-up to the end of load).
    pub seconds: f64,
    /// Latency of all that ended, nanoseconds.
    pub latency: Histogram,
    /// Where it went.
    pub spent: SpentTime,
    /// Per window of the run.
    pub windows: Vec<OperationWindow>,
}

/// Where the time of an operation's calls went, of those that ended: nanoseconds in all, exactly the sum of their latencies.
/// What a callee did is among its caller's.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SpentTime {
    /// In `work` and `sleep`.
    pub work: u128,
    /// Waiting for a worker.
    pub worker: u128,
    /// On the way, until what is said is durable included.
    pub network: u128,
    /// Waiting for a database, a broker's confirmation, the decision of a commit protocol.
    pub data: u128,
    /// In tries without an answer, and the pauses after them.
    pub retries: u128,
}

impl SpentTime {
    /// Each with its name.
    pub fn parts(&self) -> [(&'static str, u128); 5] {
        let times = [self.work, self.worker, self.network, self.data, self.retries];
        core::array::from_fn(|n| (Waiting::ALL[n].1, times[n]))
    }
}

/// One window of an operation's series; an operation is counted where it began (offered) and where it ended (the rest).
#[derive(Clone, Debug, Default)]
pub struct OperationWindow {
    /// Begun.
    pub offered: u64,
    /// Ended ok.
    pub ok: u64,
    /// Ended otherwise, business errors apart.
    pub failed: u64,
    /// Business errors.
    pub rejected: u64,
    /// Latency percentiles of what ended: 50, 90, 99, nanoseconds; `None` without samples.
    pub percentiles: Option<[u64; 3]>,
}

/// One queue with its servers.
#[derive(Clone, Debug)]
pub struct QueueResult {
    /// The service, `[node]` appended when it has several.
    pub name: String,
    /// The service it belongs to.
    pub service: String,
    /// Entered.
    pub entered: u64,
    /// Left served.
    pub left: u64,
    /// Refused by a full queue.
    pub refused: u64,
    /// Lost in crashes.
    pub lost: u64,
    /// Share of the served that waited at all.
    pub waited_share: f64,
    /// Time in the queue before service, nanoseconds.
    pub wait: Histogram,
    /// Requests waiting.
    pub depth: LevelResult,
    /// Workers busy.
    pub busy: LevelResult,
}

/// A quantity over time.
#[derive(Clone, Debug, Default)]
pub struct LevelResult {
    /// Time-weighted mean after warm-up, until load ends.
    pub mean: f64,
    /// Largest value after warm-up.
    pub max: i64,
    /// When it was first reached.
    pub max_at: Time,
    /// Value at the end of the run.
    pub end: i64,
    /// Time-weighted percentiles 50, 90, 99 after warm-up.
    pub percentiles: [i64; 3],
    /// Time-weighted mean per window.
    pub window_mean: Vec<f64>,
    /// Largest value per window.
    pub window_max: Vec<i64>,
}

/// One service.
#[derive(Clone, Debug)]
pub struct ServiceResult {
    /// Its name.
    pub name: String,
    /// Its machines.
    pub nodes: u32,
    /// Workers per node; `None`: unlimited.
    pub workers: Option<u32>,
    /// Busy share of its workers after warm-up, until load ends.
    pub utilisation: f64,
    /// The same per window.
    pub window_utilisation: Vec<f64>,
    /// Its disk writes.
    pub fsyncs: u64,
}

/// One transaction type.
#[derive(Clone, Debug)]
pub struct TransactionResult {
    /// Its name.
    pub name: String,
    /// Requests of clients.
    pub requests: u64,
    /// Begun at the coordinator.
    pub begun: u64,
    /// Decided commit.
    pub committed: u64,
    /// Decided abort.
    pub aborted: u64,
    /// Aborts by reason.
    pub reasons: Vec<(String, u64)>,
    /// How long participants were prepared without knowing the decision.
    pub in_doubt: Histogram,
    /// How long lock requests waited.
    pub lock_wait: Histogram,
    /// How long locks were held.
    pub hold_time: Histogram,
    /// Participants in doubt.
    pub in_doubt_level: LevelResult,
    /// Row locks held.
    pub locks_held: LevelResult,
    /// Wounded by an older transaction.
    pub wounded: u64,
}

/// Messages of one kind between two parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageCount {
    /// Sender.
    pub from: String,
    /// Receiver.
    pub to: String,
    /// `request`, `reply`, `2pc.prepare`, …
    pub kind: String,
    /// Handed to the network.
    pub sent: u64,
    /// Handed to the receiver.
    pub delivered: u64,
    /// Lost for good.
    pub lost: u64,
    /// Sent again after a loss.
    pub retransmitted: u64,
    /// Bytes handed to the network.
    pub bytes: u64,
}

/// One fault instance.
#[derive(Clone, Debug)]
pub struct FaultResult {
    /// The fault's name in the file.
    pub name: String,
    /// Which instance of it.
    pub instance: u32,
    /// `crash`, `partition`, …
    pub kind: String,
    /// What it hit: `coordinator[0]`.
    pub target: String,
    /// Its window; the end is `None` when it never began.
    pub from: Time,
    /// Its end.
    pub to: Option<Time>,
    /// `effective`, `no effect`, `skipped: already down`.
    pub state: String,
    /// It did something.
    pub effective: bool,
    /// What it did: `772 messages vanished`, …
    pub effects: Vec<String>,
}

/// Little's law on one queue: two sums kept by different code, exactly equal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LittleResult {
    /// The queue.
    pub queue: String,
    /// ∫ N dt in request-nanoseconds.
    pub integral: u128,
    /// Σ (min(exit, end) − enter) in nanoseconds.
    pub sojourns: u128,
}

/// What a variable of an operation holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// A number.
    Number(i64),
    /// True or false.
    Truth(bool),
    /// A text.
    Text(String),
}

/// One line of the history: an operation invoked or completed.
#[derive(Clone, PartialEq, Debug)]
pub struct HistoryLine {
    /// Virtual time.
    pub time: Time,
    /// The client process.
    pub process: u64,
    /// `invoke`, `ok`, `fail`, `info`.
    pub kind: &'static str,
    /// What: the target.
    pub function: String,
    /// The operation's variables, by name; on completion with the error, if any.
    pub value: Vec<(String, Word)>,
    /// The error word.
    pub error: Option<String>,
    /// The operation's number.
    pub operation: u64,
}
