//! A scenario as typed values: what the file says, checked for shape, with every default filled in.
//!
//! `scenario` makes it from text; `compile` turns it into plans for the simulated world. References between parts are
//! still names here; every name and expression remembers its place, so that the second pass can point at both ends.

use kernel::{Distribution, Span, Time};

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
#[derive(Clone, PartialEq, Debug)]
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
    /// `[retry.*]`: none yet; calls have one try.
    /// `[services.*]` in the order of the file.
    pub services: Named<Service>,
    /// `[transactions.*]`.
    pub transactions: Named<Transaction>,
    /// `[workloads.*]`.
    pub workloads: Named<Workload>,
    /// `[faults.*]`.
    pub faults: Named<Fault>,
    /// `[invariants]`.
    pub invariants: Named<Invariant>,
    /// `[thresholds]`: the comparison as text.
    pub thresholds: Named<At<String>>,
    /// `[expect]` of the base or of the variant.
    pub expect: Expect,
    /// `[sweep]`.
    pub sweep: Sweep,
    /// The names of all variants in the file.
    pub variants: Vec<At<String>>,
}

impl Model {
    /// Puts what is addressed by name into the order of the names: moving a table in the file moves no number, no event
    /// and no draw.
    pub fn sort(&mut self) {
        self.services.sort_by(|a, b| a.0.value.cmp(&b.0.value));
        self.transactions.sort_by(|a, b| a.0.value.cmp(&b.0.value));
        self.workloads.sort_by(|a, b| a.0.value.cmp(&b.0.value));
        self.faults.sort_by(|a, b| a.0.value.cmp(&b.0.value));
        for (_, service) in &mut self.services {
            service.ops.sort_by(|a, b| a.0.value.cmp(&b.0.value));
            service.state.sort_by(|a, b| a.0.value.cmp(&b.0.value));
        }
    }
}

/// `[run]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Load arrives from 0 to here.
    pub duration: Time,
    /// Left out of every metric before here.
    pub warmup: Time,
    /// Every fault is revoked here.
    pub heal: Time,
    /// At most this long after `duration`.
    pub quiesce: Span,
    /// How long after a fault `phase=steady` begins again.
    pub settle: Span,
    /// The seed (of the file, or the flag's).
    pub seed: u64,
    /// Stop at the first violation of these.
    pub abort_on_fail: Vec<At<String>>,
}

/// A half-open window of virtual time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// From here,
    pub from: Time,
    /// until before here.
    pub to: Time,
}

/// The keys of `[network]` and of one link; `None`: as the less specific one says.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// One way.
    pub latency: Option<Dist>,
    /// Which messages get lost.
    pub loss: Option<Loss>,
    /// Share of messages handed over twice, 0 to 1.
    pub duplicate: Option<f64>,
    /// Share of messages that take a second latency, 0 to 1.
    pub reorder: Option<At<f64>>,
    /// Share of messages whose checksum fails, 0 to 1.
    pub corrupt: Option<f64>,
    /// Bits per second.
    pub bandwidth: Option<Limit>,
    /// Bytes that may wait for the bandwidth.
    pub buffer: Option<At<Limit>>,
    /// What connections there are.
    pub transport: Option<Transport>,
}

/// Which messages a link loses by itself; all numbers from 0 to 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Loss {
    /// This share, independently.
    Independent(f64),
    /// By a chain of two states.
    GilbertElliott {
        /// The chance to go from the good to the bad state, per transmission.
        good_to_bad: f64,
        /// The chance to go back.
        bad_to_good: f64,
        /// The share lost in the bad state.
        bad: f64,
    },
}

/// A number, or no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// At most this.
    At(u64),
    /// `unlimited`.
    Unlimited,
}

impl Limit {
    /// The number, if there is one.
    pub const fn value(self) -> Option<u64> {
        match self {
            Self::At(value) => Some(value),
            Self::Unlimited => None,
        }
    }
}

/// How a link treats order and loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// Ordered; a loss costs a retransmission.
    Tcp,
    /// Lost is lost.
    Udp,
    /// A pool of connections: a loss costs one message a retransmission.
    Http1,
    /// As TCP: one connection.
    Http2,
    /// As HTTP/2.
    Grpc,
}

/// One entry of `[zones]`.
#[derive(Clone, PartialEq, Debug)]
pub struct ZonePath {
    /// From this zone
    pub from: At<String>,
    /// to this one,
    pub to: At<String>,
    /// one way.
    pub latency: Dist,
}

/// `disk` of everything with nodes.
#[derive(Clone, PartialEq, Debug)]
pub struct Disk {
    /// How long a write takes to be durable.
    pub fsync: Dist,
    /// Bits per second, on top of that.
    pub throughput: Limit,
    /// How long a write waits to gather more records.
    pub group_commit: Span,
    /// Bytes of log it holds.
    pub capacity: Limit,
}

/// The ends of `"a -> b"` or `"a <-> b"`.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkEnds {
    /// The left end.
    pub from: Target,
    /// The right end.
    pub to: Target,
    /// `<->`.
    pub both: bool,
    /// The whole text's place.
    pub place: Place,
}

/// A target (grammar §5), by name.
#[derive(Clone, PartialEq, Debug)]
pub struct Target {
    /// Which things.
    pub kind: TargetKind,
    /// The text's place.
    pub place: Place,
}

/// The forms of a target.
#[derive(Clone, PartialEq, Debug)]
pub enum TargetKind {
    /// `*` in a link.
    Everything,
    /// `payment`, `payment[0..2]`, `payment[any]`: a thing with nodes, and which of its nodes.
    Nodes {
        /// Its name.
        name: String,
        /// Which.
        pick: Pick,
    },
    /// `workloads.near`.
    Workload(String),
    /// `faults.f`: the nodes that fault hit.
    HitBy(String),
    /// `zones.eu`: the nodes and workloads in it.
    Zone(String),
    /// `others`: everything not named in this fault.
    Others,
}

/// Which nodes of a thing.
#[derive(Clone, PartialEq, Debug)]
pub enum Pick {
    /// All of them.
    All,
    /// Those with these numbers.
    Numbers(Vec<u32>),
    /// The seed picks this many.
    Any(u32),
    /// Fewer than half.
    Minority,
    /// More than half.
    Majority,
    /// This share, 0 to 1, rounded, at least one.
    Fraction(f64),
    /// Where the fault's point was reached.
    Same,
}

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

/// `[transactions.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Transaction {
    /// Which protocol.
    pub protocol: Protocol,
    /// A service.
    pub coordinator: At<String>,
    /// `update` and `read` steps on owners: the owners are the participants.
    pub work: Vec<Step>,
    /// From prepare sent to abort.
    pub prepare_timeout: Span,
    /// How long a prepared participant waits before it acts, and between two tries.
    pub decision_timeout: Span,
    /// Decisions survive a crash.
    pub decision_log: DecisionLog,
    /// Whom an in-doubt participant asks.
    pub recovery: Recovery,
    /// `locks`.
    pub locks: Locks,
}

/// Commit protocols.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// Presumed nothing.
    TwoPhase,
    /// Presumed abort.
    TwoPhasePresumedAbort,
}

/// Where decisions are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecisionLog {
    /// On disk.
    Durable,
    /// In memory: lost by a crash.
    Memory,
}

/// Whom an in-doubt participant asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recovery {
    /// The coordinator.
    AskCoordinator,
    /// The other participants too.
    Cooperative,
}

/// `locks`.
#[derive(Clone, PartialEq, Debug)]
pub struct Locks {
    /// Exclusive, or none at all (a bad design, to be shown).
    pub mode: LockMode,
    /// What is done about deadlocks.
    pub deadlock: Deadlock,
    /// A wait longer than this is a vote no.
    pub timeout: Option<Span>,
}

/// Lock modes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockMode {
    /// One transaction per row.
    Exclusive,
    /// No locks.
    None,
}

/// Deadlock policies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deadlock {
    /// The older takes the lock from an unprepared younger, the younger waits.
    WoundWait,
    /// The older waits, the younger gives up.
    WaitDie,
    /// A cycle among waiters at one participant is broken at its youngest.
    Detect,
    /// Only the timeout.
    Timeout,
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
    pub vars: Vec<(At<String>, Dist)>,
    /// `zone`.
    pub zone: Option<At<String>>,
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

/// `[faults.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    /// What it does.
    pub kind: FaultKind,
    /// What it acts on (for a loss: links; for a split partition: empty).
    pub targets: Vec<Target>,
    /// When it strikes.
    pub trigger: Trigger,
    /// Where `every`, `rate` and `point` may strike.
    pub window: Window,
    /// Each instance's length; `None`: until heal.
    pub length: Option<Dist>,
    /// Whether it strikes; per message for a loss.
    pub chance: f64,
    /// No effect is an error.
    pub require_effect: bool,
    /// The table's place.
    pub place: Place,
}

/// Kinds of fault.
#[derive(Clone, PartialEq, Debug)]
pub enum FaultKind {
    /// The machine dies and comes back.
    Crash {
        /// Memory is lost.
        memory: bool,
        /// Writes not yet synced are lost.
        unsynced: bool,
        /// The disk is lost.
        disk: bool,
    },
    /// The machine stands still.
    Pause,
    /// Links are cut.
    Partition {
        /// Sides that cannot reach each other; one side only: it against all others.
        split: Vec<Vec<Target>>,
        /// Which way.
        direction: Direction,
        /// `hold`, else `drop`.
        hold: bool,
    },
    /// Messages are lost.
    Loss {
        /// On these links; empty: on all links of the targets, or everywhere.
        links: Vec<LinkEnds>,
    },
}

/// Which way a partition cuts, seen from the first side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Both.
    Both,
    /// Nothing comes in.
    In,
    /// Nothing goes out.
    Out,
}

/// When a fault strikes.
#[derive(Clone, PartialEq, Debug)]
pub enum Trigger {
    /// Once, at a time.
    At(Dist),
    /// Again and again.
    Every(Span),
    /// Poisson, per second.
    Rate(f64),
    /// At a protocol point.
    Point {
        /// Its name.
        point: At<String>,
        /// Of which transaction or op; `None`: any.
        of: Option<At<String>>,
        /// Its nth occurrence.
        nth: Option<Dist>,
    },
    /// Some time after another fault.
    After {
        /// That fault.
        fault: At<String>,
        /// How long.
        delay: Dist,
    },
    /// Over all of the window.
    Always,
}

/// `[invariants]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Invariant {
    /// How it is judged.
    pub form: Form,
    /// For the report.
    pub text: Option<String>,
    /// The table's place.
    pub place: Place,
}

/// Forms of invariants; predicates are expressions.
#[derive(Clone, PartialEq, Debug)]
pub enum Form {
    /// After every change.
    Always(At<String>),
    /// After every change, must be false.
    Never(At<String>),
    /// When nothing is in flight, and at the end.
    AtRest(At<String>),
    /// Once, at the end.
    Finally {
        /// What must hold.
        predicate: At<String>,
        /// Not sooner than this after load ends.
        after: Span,
    },
    /// Must turn true after heal and stay.
    EventuallyAfterHeal {
        /// What must hold.
        predicate: At<String>,
        /// How soon.
        within: Option<Span>,
    },
    /// Reached at least once.
    Sometimes {
        /// What must happen.
        predicate: At<String>,
        /// Share of seeds, 0 to 1; `None`: one seed.
        at_least: Option<f64>,
    },
    /// Each change; `before(x)`, `after(x)`.
    Transition(At<String>),
    /// Whenever `when` turns true, `then` must follow.
    LeadsTo {
        /// The trigger.
        when: At<String>,
        /// What must follow.
        then: At<String>,
        /// How soon.
        within: Option<Span>,
    },
    /// A named judge.
    Check {
        /// Its name.
        judge: At<String>,
        /// What it judges.
        of: At<String>,
    },
}

/// `[expect]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Expect {
    /// The verdict.
    pub verdict: Expected,
    /// Must fail.
    pub fails: Vec<At<String>>,
    /// May fail.
    pub may_fail: Vec<At<String>>,
    /// These and no others are vacuous.
    pub vacuous: Vec<At<String>>,
    /// `seeds = "some"`: on at least one seed of a sweep.
    pub some_seed: bool,
}

/// The expected verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// Everything holds.
    Pass,
    /// Something is broken.
    Fail,
    /// A checker or a budget gives up.
    Inconclusive,
}

/// `[sweep]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Sweep {
    /// Seeds `from..to`.
    pub seeds: (u64, u64),
    /// Which variants: names, `all` → every one, `none` → base only.
    pub variants: SweepVariants,
    /// Path → values (as TOML text); the cross product.
    pub matrix: Vec<(At<String>, Vec<String>)>,
}

/// Which variants a sweep runs.
#[derive(Clone, PartialEq, Debug)]
pub enum SweepVariants {
    /// The base only.
    Base,
    /// The base and every variant.
    All,
    /// The base and these.
    Named(Vec<At<String>>),
}
