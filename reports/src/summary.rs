//! `summary.json`: everything a run came to, except the series.
//!
//! Schema version 1. The order of the keys is the order of the fields here. Units stand last in a name (`_s` seconds);
//! numbers are rounded to nine decimals; what has no samples is `null`.

mod evidence;
mod parts;
mod stores;

use crate::number::{number_and_unit, rounded};
use kernel::{Histogram, Time};
use lab::outcome::{
    Expectation, FaultResult, Found, InvariantResult, LevelResult, MessageCount, OperationResult, Outcome, Quantity,
    QueueResult, ServiceResult, SpentTime, Status, ThresholdResult, TransactionResult, WarmupBy,
};
use serde::Serialize;

/// The version of this layout.
pub const SCHEMA_VERSION: u32 = 1;

/// The document.
#[derive(Serialize, Debug)]
pub struct Summary<'a> {
    schema_version: u32,
    scenario: &'a str,
    question: &'a str,
    variant: Option<&'a str>,
    seed: u64,
    engine: &'static str,
    run_id: &'a str,
    scenario_hash: &'a str,
    fingerprint: String,
    events: u64,
    end_s: Option<f64>,
    times: Phases,
    rests: u64,
    verdict: Verdict<'a>,
    invariants: Vec<Invariant<'a>>,
    thresholds: Vec<Threshold<'a>>,
    operations: Vec<Operation<'a>>,
    queues: Vec<Queue<'a>>,
    services: Vec<Service<'a>>,
    transactions: Vec<Transaction<'a>>,
    message_queues: Vec<parts::MessageQueue<'a>>,
    sagas: Vec<parts::Saga<'a>>,
    retries: Vec<parts::Retry<'a>>,
    breakers: Vec<parts::Breaker<'a>>,
    groups: Vec<parts::Group<'a>>,
    outboxes: Vec<parts::Outbox<'a>>,
    stores: Vec<stores::Store<'a>>,
    messages: Vec<Message<'a>>,
    faults: Vec<Fault<'a>>,
    littles_law: Vec<Little<'a>>,
    warnings: &'a [String],
}

#[derive(Serialize, Debug)]
struct Phases {
    warmup_s: Option<f64>,
    warmup_by: &'static str,
    heal_s: Option<f64>,
    load_end_s: Option<f64>,
    limit_s: Option<f64>,
    window_s: Option<f64>,
}

#[derive(Serialize, Debug)]
struct Verdict<'a> {
    found: &'static str,
    as_expected: bool,
    exit: u8,
    summary: &'a str,
}

#[derive(Serialize, Debug)]
struct Invariant<'a> {
    name: &'a str,
    form: &'a str,
    says: &'a str,
    status: &'static str,
    class: Option<&'a str>,
    reached: Option<bool>,
    witness: &'a [String],
    first_s: Option<f64>,
    first_event: Option<u64>,
    evaluations: u64,
    expected_to_fail: bool,
    may_fail: bool,
    evidence: Option<evidence::Evidence<'a>>,
}

#[derive(Serialize, Debug)]
struct Threshold<'a> {
    name: &'a str,
    says: &'a str,
    status: &'static str,
    value: Option<f64>,
    limit: Option<f64>,
    unit: Option<&'static str>,
    at_s: Option<f64>,
    expected_to_fail: bool,
    may_fail: bool,
}

#[derive(Serialize, Debug)]
struct Operation<'a> {
    name: &'a str,
    from: &'a str,
    external: bool,
    ok: u64,
    failed: u64,
    unknown: u64,
    rejected: u64,
    open: u64,
    measured_s: Option<f64>,
    latency: Option<Durations>,
    spent: Spent,
}

/// Where the time of an operation went, seconds in all.
#[derive(Serialize, Debug)]
struct Spent {
    #[serde(rename = "work_s")]
    work: Option<f64>,
    #[serde(rename = "worker_s")]
    worker: Option<f64>,
    #[serde(rename = "network_s")]
    network: Option<f64>,
    #[serde(rename = "data_s")]
    data: Option<f64>,
    #[serde(rename = "retries_s")]
    retries: Option<f64>,
}

#[derive(Serialize, Debug)]
struct Queue<'a> {
    name: &'a str,
    service: &'a str,
    entered: u64,
    left: u64,
    refused: u64,
    lost: u64,
    waited_share: Option<f64>,
    wait: Option<Durations>,
    depth: Level,
    busy: Level,
}

#[derive(Serialize, Debug)]
struct Service<'a> {
    name: &'a str,
    nodes: u32,
    workers: Option<u32>,
    utilisation: Option<f64>,
    fsyncs: u64,
}

#[derive(Serialize, Debug)]
struct Transaction<'a> {
    name: &'a str,
    requests: u64,
    begun: u64,
    committed: u64,
    aborted: u64,
    abort_reasons: Vec<Reason<'a>>,
    wounded: u64,
    in_doubt: Option<Durations>,
    lock_wait: Option<Durations>,
    hold_time: Option<Durations>,
    in_doubt_level: Level,
    locks_held: Level,
}

#[derive(Serialize, Debug)]
struct Reason<'a> {
    reason: &'a str,
    count: u64,
}

#[derive(Serialize, Debug)]
struct Message<'a> {
    from: &'a str,
    to: &'a str,
    kind: &'a str,
    sent: u64,
    delivered: u64,
    lost: u64,
    retransmitted: u64,
    bytes: u64,
}

#[derive(Serialize, Debug)]
struct Fault<'a> {
    name: &'a str,
    instance: u32,
    kind: &'a str,
    target: &'a str,
    from_s: Option<f64>,
    to_s: Option<f64>,
    state: &'a str,
    effective: bool,
    effects: &'a [String],
}

/// The two sums, as text: they do not fit the numbers of most JSON readers.
#[derive(Serialize, Debug)]
struct Little<'a> {
    queue: &'a str,
    integral_request_ns: String,
    sojourns_ns: String,
    equal: bool,
}

#[derive(Serialize, Debug)]
struct Durations {
    count: u64,
    mean_s: Option<f64>,
    deviation_s: Option<f64>,
    min_s: Option<f64>,
    p50_s: Option<f64>,
    p90_s: Option<f64>,
    p95_s: Option<f64>,
    p99_s: Option<f64>,
    p999_s: Option<f64>,
    max_s: Option<f64>,
}

#[derive(Serialize, Debug)]
struct Level {
    mean: Option<f64>,
    max: i64,
    max_at_s: Option<f64>,
    at_end: i64,
    p50: i64,
    p90: i64,
    p99: i64,
}

/// The summary of a run.
pub fn of(outcome: &Outcome) -> Summary<'_> {
    Summary {
        schema_version: SCHEMA_VERSION,
        scenario: &outcome.scenario,
        question: &outcome.question,
        variant: outcome.variant.as_deref(),
        seed: outcome.seed,
        engine: crate::ENGINE,
        run_id: &outcome.run_id,
        scenario_hash: &outcome.scenario_hash,
        fingerprint: format!("{:016x}", outcome.fingerprint),
        events: outcome.events,
        end_s: time(outcome.end),
        times: phases(outcome),
        rests: outcome.rests,
        verdict: Verdict {
            found: found_word(outcome.verdict.found),
            as_expected: outcome.verdict.as_expected,
            exit: outcome.verdict.exit,
            summary: &outcome.verdict.summary,
        },
        invariants: outcome.invariants.iter().map(invariant).collect(),
        thresholds: outcome.thresholds.iter().map(threshold).collect(),
        operations: outcome.operations.iter().map(operation).collect(),
        queues: outcome.queues.iter().map(queue).collect(),
        services: outcome.services.iter().map(service).collect(),
        transactions: outcome.transactions.iter().map(transaction).collect(),
        message_queues: outcome.message_queues.iter().map(parts::message_queue).collect(),
        sagas: outcome.sagas.iter().map(parts::saga).collect(),
        retries: outcome.retries.iter().map(parts::retry).collect(),
        breakers: outcome.breakers.iter().map(parts::breaker).collect(),
        groups: outcome.groups.iter().map(parts::group).collect(),
        outboxes: outcome.outboxes.iter().map(parts::outbox).collect(),
        stores: outcome.stores.iter().map(stores::store).collect(),
        messages: outcome.messages.iter().map(message).collect(),
        faults: outcome.faults.iter().map(fault).collect(),
        littles_law: littles_law(outcome),
        warnings: &outcome.warnings,
    }
}

/// `holds`, `violated`, `unknown`, `vacuous`.
pub fn status_word(status: Status) -> &'static str {
    match status {
        Status::Holds => "holds",
        Status::Violated => "violated",
        Status::Unknown => "unknown",
        Status::Vacuous => "vacuous",
    }
}

/// `pass`, `fail`, `inconclusive`.
pub fn found_word(found: Found) -> &'static str {
    match found {
        Found::Pass => "pass",
        Found::Fail => "fail",
        Found::Inconclusive => "inconclusive",
    }
}

fn time(time: Time) -> Option<f64> {
    span(time.0)
}

fn span(ns: u64) -> Option<f64> {
    rounded(ns as f64 / 1e9)
}

fn phases(outcome: &Outcome) -> Phases {
    let times = &outcome.times;
    Phases {
        warmup_s: time(times.warmup),
        warmup_by: match outcome.warmup_by {
            WarmupBy::Scenario => "scenario",
            WarmupBy::Mser5 => "mser_5",
            WarmupBy::Nobody => "nobody",
        },
        heal_s: time(times.heal),
        load_end_s: time(times.duration),
        limit_s: time(times.limit),
        window_s: span(times.window.0),
    }
}

fn invariant(result: &InvariantResult) -> Invariant<'_> {
    Invariant {
        name: &result.name,
        form: &result.form,
        says: &result.says,
        status: status_word(result.status),
        class: Some(result.class.as_str()).filter(|class| !class.is_empty()),
        reached: result.reached,
        witness: &result.witness,
        first_s: result.first.and_then(|(at, _)| time(at)),
        first_event: result.first.map(|(_, event)| event),
        evaluations: result.evaluations,
        expected_to_fail: matches!(result.expected, Expectation::Fails | Expectation::FailsOnSomeSeed),
        may_fail: result.expected == Expectation::MayFail,
        evidence: result.evidence.as_deref().map(evidence::evidence),
    }
}

fn threshold(result: &ThresholdResult) -> Threshold<'_> {
    let number = |quantity: Quantity| rounded(number_and_unit(quantity).0);
    Threshold {
        name: &result.name,
        says: &result.says,
        status: status_word(result.status),
        value: result.value.and_then(number),
        limit: result.limit.and_then(number),
        unit: result.value.or(result.limit).map(|quantity| number_and_unit(quantity).1),
        at_s: result.at.and_then(time),
        expected_to_fail: matches!(result.expected, Expectation::Fails | Expectation::FailsOnSomeSeed),
        may_fail: result.expected == Expectation::MayFail,
    }
}

fn operation(result: &OperationResult) -> Operation<'_> {
    Operation {
        name: &result.name,
        from: &result.from,
        external: result.external,
        ok: result.ok,
        failed: result.failed,
        unknown: result.unknown,
        rejected: result.rejected,
        open: result.open,
        measured_s: rounded(result.seconds),
        latency: durations(&result.latency),
        spent: spent(&result.spent),
    }
}

fn spent(time: &SpentTime) -> Spent {
    let [work, worker, network, data, retries] = time.parts().map(|(_, ns)| rounded(ns as f64 / 1e9));
    Spent { work, worker, network, data, retries }
}

fn queue(result: &QueueResult) -> Queue<'_> {
    Queue {
        name: &result.name,
        service: &result.service,
        entered: result.entered,
        left: result.left,
        refused: result.refused,
        lost: result.lost,
        waited_share: rounded(result.waited_share),
        wait: durations(&result.wait),
        depth: level(&result.depth),
        busy: level(&result.busy),
    }
}

fn service(result: &ServiceResult) -> Service<'_> {
    Service {
        name: &result.name,
        nodes: result.nodes,
        workers: result.workers,
        utilisation: result.workers.and_then(|_| rounded(result.utilisation)),
        fsyncs: result.fsyncs,
    }
}

fn transaction(result: &TransactionResult) -> Transaction<'_> {
    Transaction {
        name: &result.name,
        requests: result.requests,
        begun: result.begun,
        committed: result.committed,
        aborted: result.aborted,
        abort_reasons: result.reasons.iter().map(|(reason, count)| Reason { reason, count: *count }).collect(),
        wounded: result.wounded,
        in_doubt: durations(&result.in_doubt),
        lock_wait: durations(&result.lock_wait),
        hold_time: durations(&result.hold_time),
        in_doubt_level: level(&result.in_doubt_level),
        locks_held: level(&result.locks_held),
    }
}

fn message(count: &MessageCount) -> Message<'_> {
    let MessageCount { from, to, kind, sent, delivered, lost, retransmitted, bytes } = count;
    Message {
        from,
        to,
        kind,
        sent: *sent,
        delivered: *delivered,
        lost: *lost,
        retransmitted: *retransmitted,
        bytes: *bytes,
    }
}

fn fault(result: &FaultResult) -> Fault<'_> {
    Fault {
        name: &result.name,
        instance: result.instance,
        kind: &result.kind,
        target: &result.target,
        from_s: time(result.from),
        to_s: result.to.and_then(time),
        state: &result.state,
        effective: result.effective,
        effects: &result.effects,
    }
}

fn littles_law(outcome: &Outcome) -> Vec<Little<'_>> {
    let sums = outcome.little.iter().map(|result| Little {
        queue: &result.queue,
        integral_request_ns: result.integral.to_string(),
        sojourns_ns: result.sojourns.to_string(),
        equal: result.integral == result.sojourns,
    });
    sums.collect()
}

fn durations(histogram: &Histogram) -> Option<Durations> {
    if histogram.is_empty() {
        return None;
    }
    let at = |q: f64| span(histogram.quantile(q));
    Some(Durations {
        count: histogram.count(),
        mean_s: rounded(histogram.mean() / 1e9),
        deviation_s: rounded(histogram.deviation() / 1e9),
        min_s: span(histogram.min()),
        p50_s: at(0.5),
        p90_s: at(0.9),
        p95_s: at(0.95),
        p99_s: at(0.99),
        p999_s: at(0.999),
        max_s: span(histogram.max()),
    })
}

fn level(result: &LevelResult) -> Level {
    Level {
        mean: rounded(result.mean),
        max: result.max,
        max_at_s: time(result.max_at),
        at_end: result.end,
        p50: result.percentiles[0],
        p90: result.percentiles[1],
        p99: result.percentiles[2],
    }
}
