//! What thresholds may ask for: the table of metrics, the statistics each sort has, and the phases of a run.
//!
//! `threshold` turns text into [`Wanted`] terms with these words; the recorder decides from them, before the run begins,
//! what it must keep beyond the usual. Adding a metric begins with an entry in [`METRICS`].

use kernel::{Span, Time};

use crate::model::Window;
use crate::names::{Cell, Names, Series};

/// One term of a threshold: a statistic of a metric, over everything that carries all the labels, in one phase.
#[derive(Clone, PartialEq, Debug)]
pub struct Wanted {
    /// Which statistic.
    pub stat: Stat,
    /// Of what.
    pub metric: Metric,
    /// Labels that what is counted must carry: (`op`, `gateway.checkout`). Without `phase` and `outcome`.
    pub labels: Vec<(String, String)>,
    /// `outcome=`: only samples with this tag (of sagas 0 completed, 1 undone); of `aborts` and `rejects`, `reason=`: only those with this error number.
    pub tag: Option<u16>,
    /// `phase=`.
    pub phase: Phase,
    /// Count, for each batch of samples, those longer than this, exactly: what the tests against theory need to judge a
    /// percentile. The term's value is then their share. No threshold sets it.
    pub above: Option<Span>,
}

impl Wanted {
    /// The samples of a metric and how many of them are longer than `above`, with its standard error.
    pub fn above(metric: Metric, labels: &[(&str, &str)], above: Span) -> Self {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { stat: Stat::Mean, metric, labels, tag: None, phase: Phase::Measured, above: Some(above) }
    }
}

/// A part of the run's time. All but `Warmup` lie after the warm-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// From warm-up on; levels and rates until load ends.
    Measured,
    /// `warmup`: from 0 to the end of the warm-up.
    Warmup,
    /// `chaos`: from there until heal.
    Chaos,
    /// `recovery`: from heal until load ends.
    Recovery,
    /// `quiesce`: after load has ended.
    Quiesce,
    /// `steady`: no fault active, nor ended within `settle`, while there is load.
    Steady,
    /// A window of `[phases]`.
    Named(Window),
    /// The windows of a fault, by its number in the file's order.
    Fault(u32),
}

/// A statistic.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Stat {
    /// `mean`; of levels weighted by time. Also what a ratio, written without statistic, has.
    Mean,
    /// `min`.
    Min,
    /// `max`.
    Max,
    /// `end`: of a level, at the end of the run.
    End,
    /// `last`: of samples, the one that ended last.
    Last,
    /// `count`.
    Count,
    /// `rate`: count per second.
    Rate,
    /// `sum`.
    Sum,
    /// `share`: of samples, those with the `outcome` among all; of levels, the part of the time above zero.
    Share,
    /// `p50` … `p99.99`, as a share: 0.5.
    Percentile(f64),
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the table METRICS has a sentence for each")]
pub enum Metric {
    Latency,
    ServiceTime,
    Wait,
    Age,
    SagaTime,
    OutboxLag,
    LeadsToTime,
    Unavailable,
    InDoubt,
    LockWait,
    HoldTime,
    QueueDepth,
    QueueIdentityError,
    InFlight,
    LocksHeld,
    Lag,
    Utilisation,
    Errors,
    Rejects,
    Aborts,
    RetryAmplification,
    Messages,
    Bytes,
    Fsyncs,
    Committed,
    Redelivered,
    DeadLettered,
    Retries,
    Compensated,
    Stuck,
    Elections,
    Offered,
    Throughput,
    Goodput,
}

/// What sort of number a metric is; decides its statistics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// Lengths of time, one by one.
    Samples,
    /// A quantity over time.
    Level,
    /// A share; written without statistic.
    Ratio,
    /// How often.
    Count,
    /// How often per second.
    Rate,
}

/// An entry of [`METRICS`].
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The metric.
    pub metric: Metric,
    /// Its name in thresholds.
    pub name: &'static str,
    /// Its sort.
    pub sort: Sort,
    /// Where it comes from: the metric's name among series or cells, or empty.
    pub source: &'static str,
    /// The labels it may have, beside `phase`.
    pub labels: &'static [&'static str],
    /// One sentence.
    pub doc: &'static str,
}

const CALLS: &[&str] = &["op", "workload", "from", "tx"];
const REJECTED_CALLS: &[&str] = &["op", "workload", "from", "tx", "reason"];
const ENDED_CALLS: &[&str] = &["op", "workload", "from", "tx", "outcome"];
const QUEUES: &[&str] = &["service", "node"];
const ALL_QUEUES: &[&str] = &["service", "node", "queue"];
const BROKERS: &[&str] = &["queue"];
const SAGAS: &[&str] = &["saga"];
const TRANSACTIONS: &[&str] = &["tx"];

/// Every metric.
pub const METRICS: &[Entry] = &[
    entry(
        Metric::Latency,
        "latency",
        Sort::Samples,
        "latency",
        ENDED_CALLS,
        "from the intended start of a call to its end",
    ),
    entry(Metric::ServiceTime, "service_time", Sort::Samples, "service_time", QUEUES, "how long a worker was held"),
    entry(
        Metric::Wait,
        "wait",
        Sort::Samples,
        "wait",
        ALL_QUEUES,
        "from arrival at a node to a worker; with `queue`, from accepted by a broker to the first delivery",
    ),
    entry(Metric::Age, "age", Sort::Samples, "age", BROKERS, "from accepted by a broker's queue to gone from it"),
    entry(
        Metric::SagaTime,
        "saga_time",
        Sort::Samples,
        "saga_time",
        &["saga", "outcome"],
        "from the beginning of a saga to its end, completed or undone",
    ),
    entry(
        Metric::OutboxLag,
        "outbox_lag",
        Sort::Samples,
        "outbox_lag",
        &["service"],
        "from the commit of a message to an outbox to its confirm by the broker",
    ),
    entry(
        Metric::LeadsToTime,
        "leads_to_time",
        Sort::Samples,
        "leads_to_time",
        &["invariant"],
        "from what begins a `leads_to` to what it leads to",
    ),
    entry(
        Metric::Unavailable,
        "unavailable",
        Sort::Samples,
        "unavailable",
        &["store", "workload", "service"],
        "how long a store that was asked gave nobody an answer",
    ),
    entry(
        Metric::InDoubt,
        "in_doubt",
        Sort::Samples,
        "in_doubt",
        TRANSACTIONS,
        "prepared without knowing the decision",
    ),
    entry(Metric::LockWait, "lock_wait", Sort::Samples, "lock_wait", TRANSACTIONS, "how long a lock was waited for"),
    entry(Metric::HoldTime, "hold_time", Sort::Samples, "hold_time", TRANSACTIONS, "how long a lock was held"),
    entry(
        Metric::QueueDepth,
        "queue_depth",
        Sort::Level,
        "queue_depth",
        ALL_QUEUES,
        "requests waiting for a worker; with `queue`, messages ready and in flight at a broker",
    ),
    entry(
        Metric::QueueIdentityError,
        "queue_identity_error",
        Sort::Level,
        "accepted",
        BROKERS,
        "|ready + in flight − (accepted − acknowledged − expired − dead-lettered − dropped)|, after every change",
    ),
    entry(
        Metric::InFlight,
        "in_flight",
        Sort::Level,
        "in_flight",
        &["op", "workload", "from", "tx", "service", "node"],
        "open calls of an op, or requests at a service",
    ),
    entry(Metric::LocksHeld, "locks_held", Sort::Level, "locks_held", TRANSACTIONS, "row locks held"),
    entry(Metric::Lag, "lag", Sort::Level, "lag", &["topic", "group"], "letters that a group has still to read"),
    entry(Metric::Utilisation, "utilisation", Sort::Level, "busy", QUEUES, "busy workers / workers"),
    entry(
        Metric::Errors,
        "errors",
        Sort::Ratio,
        "latency",
        CALLS,
        "calls that failed or whose outcome is unknown / all",
    ),
    entry(
        Metric::Rejects,
        "rejects",
        Sort::Ratio,
        "latency",
        REJECTED_CALLS,
        "calls that ended in a business error / all",
    ),
    entry(Metric::Aborts, "aborts", Sort::Ratio, "", &["tx", "reason"], "transactions aborted / begun"),
    entry(
        Metric::RetryAmplification,
        "retry_amplification",
        Sort::Ratio,
        "latency",
        &["op", "from"],
        "tries / calls, tries that a breaker refused included; without labels, of all calls between services",
    ),
    entry(Metric::Messages, "messages", Sort::Count, "", &["from", "to", "kind"], "messages handed to the network"),
    entry(Metric::Bytes, "bytes", Sort::Count, "", &["from", "to", "kind"], "bytes handed to the network"),
    entry(Metric::Fsyncs, "fsyncs", Sort::Count, "", &["service"], "disk writes made durable"),
    entry(Metric::Committed, "committed", Sort::Count, "", &["tx"], "transactions decided commit"),
    entry(
        Metric::Redelivered,
        "redelivered",
        Sort::Count,
        "redelivered",
        BROKERS,
        "deliveries that were not the first",
    ),
    entry(
        Metric::DeadLettered,
        "dead_lettered",
        Sort::Count,
        "dead_lettered",
        BROKERS,
        "messages moved to a dead-letter queue",
    ),
    entry(Metric::Retries, "retries", Sort::Count, "retries", &["op", "from"], "tries after the first, of calls"),
    entry(Metric::Compensated, "compensated", Sort::Count, "sagas_open", SAGAS, "sagas that ended undone"),
    entry(
        Metric::Stuck,
        "stuck",
        Sort::Count,
        "sagas_open",
        SAGAS,
        "sagas that are open when the run has ended, or were given up",
    ),
    entry(
        Metric::Elections,
        "elections",
        Sort::Count,
        "elections",
        &["store"],
        "how often a machine of a store began to lead, after the first time",
    ),
    entry(Metric::Offered, "offered", Sort::Rate, "latency", CALLS, "operations begun per second"),
    entry(Metric::Throughput, "throughput", Sort::Rate, "latency", CALLS, "operations ended per second"),
    entry(Metric::Goodput, "goodput", Sort::Rate, "latency", CALLS, "operations ended ok per second"),
];

const fn entry(
    metric: Metric,
    name: &'static str,
    sort: Sort,
    source: &'static str,
    labels: &'static [&'static str],
    doc: &'static str,
) -> Entry {
    Entry { metric, name, sort, source, labels, doc }
}

impl Metric {
    /// Its entry in the table.
    pub fn entry(self) -> &'static Entry {
        METRICS.iter().find(|entry| entry.metric == self).expect("every metric is in the table")
    }
}

/// Whether `carried` labels hold every one of `asked`. `transactions.transfer` is also `transfer`, `payment` also
/// `payment[0]`, for the last name is enough where only one section can be meant.
pub(crate) fn carries(carried: &[(&'static str, String)], asked: &[(String, String)]) -> bool {
    asked.iter().all(|(name, value)| carried.iter().any(|(n, v)| n == name && is_called(v, name, value)))
}

fn is_called(carried: &str, label: &str, asked: &str) -> bool {
    let section = match label {
        "tx" => "transactions.",
        "saga" => "sagas.",
        "queue" => "queues.",
        "topic" => "topics.",
        "group" => "groups.",
        "workload" | "from" | "to" => "workloads.",
        _ => "",
    };
    let bare = |text: &str| -> String {
        let text = text.strip_prefix(section).unwrap_or(text);
        if label == "node" { text.strip_suffix("[0]").unwrap_or(text).to_owned() } else { text.to_owned() }
    };
    carried == asked || bare(carried) == bare(asked)
}

/// Of calls without an op: those that workloads make, as their clients see them.
fn names_calls(asked: &[(String, String)]) -> bool {
    asked.iter().any(|(name, _)| matches!(name.as_str(), "op" | "tx" | "from" | "service" | "node"))
}

/// The waits and depths of brokers' queues are asked for by name; else those of services are meant.
fn of_the_right_queues(metric: Metric, labels: &[(&'static str, String)], asked: &[(String, String)]) -> bool {
    let either = matches!(metric, Metric::Wait | Metric::QueueDepth);
    !either || has(labels, "queue") == asked.iter().any(|(name, _)| name == "queue")
}

/// The series a term is about, by number.
pub(crate) fn series_of(names: &Names, wanted: &Wanted) -> Vec<usize> {
    let Wanted { metric, labels, .. } = wanted;
    let source = metric.entry().source;
    let fits = |series: &Series| {
        let seen = match (*metric, source) {
            // Without labels: what services try, not what clients do.
            (Metric::RetryAmplification, _) => !labels.is_empty() || !has(&series.labels, "workload"),
            (_, "latency") => names_calls(labels) || has(&series.labels, "workload"),
            (_, _) => of_the_right_queues(*metric, &series.labels, labels),
        };
        series.metric == source && seen && carries(&series.labels, labels)
    };
    (0..names.series.len()).filter(|&n| fits(&names.series[n])).collect()
}

/// The series of calls that were rejected, by number: of those that a term is about.
pub(crate) fn rejected_of(names: &Names, calls: &[usize]) -> Vec<usize> {
    let of = |series: &Series| calls.iter().any(|&call| names.series[call].labels == series.labels);
    let found = (0..names.series.len()).filter(|&n| names.series[n].metric == "rejected" && of(&names.series[n]));
    found.collect()
}

/// The series of retries a term is about, by number.
pub(crate) fn retries_of(names: &Names, wanted: &Wanted) -> Vec<usize> {
    let fits = |series: &Series| series.metric == "retries" && carries(&series.labels, &wanted.labels);
    (0..names.series.len()).filter(|&n| fits(&names.series[n])).collect()
}

/// The cells and rows a term is about.
pub(crate) fn rows_of(names: &Names, wanted: &Wanted) -> Vec<(usize, u64)> {
    let mut source = wanted.metric.entry().source;
    // In flight at a service are its requests; else the open calls of a caller.
    if wanted.labels.iter().any(|(name, _)| level_source(source, name) != source) {
        source = "in_system";
    }
    let mut rows = rows_called(names, source, &wanted.labels);
    if source == "in_flight" && !names_calls(&wanted.labels) {
        rows.retain(|(cell, _)| has(&names.cells[*cell].labels, "workload"));
    }
    rows.retain(|(cell, _)| of_the_right_queues(wanted.metric, &names.cells[*cell].labels, &wanted.labels));
    rows
}

/// Which metric of cells a label of a level speaks of.
pub(crate) fn level_source<'a>(source: &'a str, label: &str) -> &'a str {
    if source == "in_flight" && matches!(label, "service" | "node") { "in_system" } else { source }
}

/// The cells and rows whose metric is `source` and that carry all of the labels.
pub(crate) fn rows_called(names: &Names, source: &str, labels: &[(String, String)]) -> Vec<(usize, u64)> {
    let mut found = Vec::new();
    for (number, cell) in names.cells.iter().enumerate().filter(|(_, cell)| cell.metric == Some(source)) {
        for row in (0..u64::from(cell.keys)).filter(|&row| carries(&row_labels(cell, row), labels)) {
            found.push((number, row));
        }
    }
    found
}

/// The labels of one row: a view of a service has one row per node.
pub(crate) fn row_labels(cell: &Cell, row: u64) -> Vec<(&'static str, String)> {
    let mut labels = cell.labels.clone();
    let service = labels.iter().find(|(name, _)| *name == "service").map(|(_, service)| service.clone());
    if let Some(service) = service.filter(|_| !has(&labels, "node")) {
        labels.push(("node", format!("{service}[{row}]")));
    }
    labels
}

pub(crate) fn has(labels: &[(&'static str, String)], name: &str) -> bool {
    label(labels, name).is_some()
}

/// The value of a label.
pub(crate) fn label<'a>(labels: &'a [(&'static str, String)], name: &str) -> Option<&'a str> {
    labels.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
}

/// The width of a run's time windows: the least 1, 2 or 5 × 10^k nanoseconds that gives at most 240 of them.
pub fn window_width(limit: Time) -> Span {
    let mut unit = 1_u64;
    loop {
        for width in [unit, unit.saturating_mul(2), unit.saturating_mul(5)] {
            if limit.0.div_ceil(width) <= 240 {
                return Span(width);
            }
        }
        unit = unit.saturating_mul(10);
    }
}
