//! Brokers' queues, sagas, retries, breakers and outboxes in `summary.json`.

use super::{Durations, Level, durations, level, time};
use crate::number::rounded;
use lab::outcome::{BreakerResult, GroupResult, MessageQueueResult, OutboxResult, RetryResult, SagaResult};
use serde::Serialize;

#[derive(Serialize, Debug)]
pub(super) struct MessageQueue<'a> {
    name: &'a str,
    accepted: u64,
    acknowledged: u64,
    delivered: u64,
    redelivered: u64,
    expired: u64,
    dead_lettered: u64,
    dropped: u64,
    refused: u64,
    stale_acks: u64,
    wait: Option<Durations>,
    age: Option<Durations>,
    depth: Level,
    in_flight: Level,
    identity: Identity,
}

/// `ready + in flight = accepted − acknowledged − expired − dead-lettered − dropped`, after every change.
#[derive(Serialize, Debug)]
struct Identity {
    checked: u64,
    violations: u64,
    worst: u64,
    first_s: Option<f64>,
}

#[derive(Serialize, Debug)]
pub(super) struct Saga<'a> {
    name: &'a str,
    started: u64,
    completed: u64,
    undone: u64,
    open_at_end: u64,
    time: Option<Durations>,
    open: Level,
    steps: Vec<Step<'a>>,
}

#[derive(Serialize, Debug)]
struct Step<'a> {
    name: &'a str,
    begun: u64,
    done: u64,
    failed: u64,
    compensated: u64,
}

#[derive(Serialize, Debug)]
pub(super) struct Retry<'a> {
    operation: &'a str,
    from: &'a str,
    calls: u64,
    retries: u64,
    amplification: Option<f64>,
}

#[derive(Serialize, Debug)]
pub(super) struct Breaker<'a> {
    from: &'a str,
    to: &'a str,
    opened: u64,
    open_share: Option<f64>,
    half_open_share: Option<f64>,
}

#[derive(Serialize, Debug)]
pub(super) struct Group<'a> {
    topic: &'a str,
    #[serde(rename = "group")]
    name: &'a str,
    lag: Level,
    age: Option<Durations>,
}

#[derive(Serialize, Debug)]
pub(super) struct Outbox<'a> {
    service: &'a str,
    depth: Level,
    lag: Option<Durations>,
}

pub(super) fn message_queue(result: &MessageQueueResult) -> MessageQueue<'_> {
    MessageQueue {
        name: &result.name,
        accepted: result.accepted,
        acknowledged: result.acknowledged,
        delivered: result.delivered,
        redelivered: result.redelivered,
        expired: result.expired,
        dead_lettered: result.dead_lettered,
        dropped: result.dropped,
        refused: result.refused,
        stale_acks: result.stale_acks,
        wait: durations(&result.wait),
        age: durations(&result.age),
        depth: level(&result.depth),
        in_flight: level(&result.in_flight),
        identity: Identity {
            checked: result.identity.checked,
            violations: result.identity.violations,
            worst: result.identity.worst,
            first_s: result.identity.first.and_then(time),
        },
    }
}

pub(super) fn saga(result: &SagaResult) -> Saga<'_> {
    let steps = result.steps.iter().map(|step| Step {
        name: &step.name,
        begun: step.begun,
        done: step.done,
        failed: step.failed,
        compensated: step.compensated,
    });
    Saga {
        name: &result.name,
        started: result.started,
        completed: result.completed,
        undone: result.undone,
        open_at_end: result.open,
        time: durations(&result.time),
        open: level(&result.open_level),
        steps: steps.collect(),
    }
}

pub(super) fn retry(result: &RetryResult) -> Retry<'_> {
    Retry {
        operation: &result.operation,
        from: &result.from,
        calls: result.calls,
        retries: result.retries,
        amplification: result.amplification().and_then(rounded),
    }
}

pub(super) fn breaker(result: &BreakerResult) -> Breaker<'_> {
    Breaker {
        from: &result.from,
        to: &result.to,
        opened: result.opened,
        open_share: rounded(result.open_share),
        half_open_share: rounded(result.half_open_share),
    }
}

pub(super) fn group(result: &GroupResult) -> Group<'_> {
    Group { topic: &result.topic, name: &result.group, lag: level(&result.lag), age: durations(&result.age) }
}

pub(super) fn outbox(result: &OutboxResult) -> Outbox<'_> {
    Outbox { service: &result.service, depth: level(&result.depth), lag: durations(&result.lag) }
}
