//! The sections about sagas, brokers' queues, groups of readers, retries and breakers.

use super::clean;
use super::grid::Grid;
use super::paint::Paint;
use super::sections::{MOST_ROWS, NONE, rest};
use crate::names::{breaker_name, group_name, retry_name};
use crate::number::{percent, plain, quantile, thousands, thousands_signed};
use lab::outcome::{BreakerResult, MessageQueueResult, OutboxResult, Outcome, RetryResult};

pub(super) fn sagas(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let mut grid = Grid::new(&["SAGAS", "started", "completed", "undone", "open at end", "p50", "p95", "p99", "max"]);
    for saga in outcome.sagas.iter().take(MOST_ROWS) {
        let mut row = vec![clean(&saga.name)];
        row.extend([saga.started, saga.completed, saga.undone, saga.open].map(thousands));
        row.extend([0.5, 0.95, 0.99, 1.0].map(|q| quantile(&saga.time, q)));
        grid.row(row);
    }
    rest(&mut grid, outcome.sagas.len(), "summary.json");
    grid.lines(paint)
}

pub(super) fn messages(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let mut grid = Grid::new(&[
        "MESSAGES",
        "in",
        "out",
        "redelivered",
        "dead",
        "expired",
        "dropped",
        "refused",
        "depth",
        "max",
        "at end",
        "wait p50",
        "p99",
        "age p99",
    ]);
    for queue in outcome.message_queues.iter().take(MOST_ROWS) {
        let mut row = vec![clean(&queue.name)];
        let counts = [queue.accepted, queue.acknowledged, queue.redelivered, queue.dead_lettered];
        row.extend(counts.map(thousands));
        row.extend([queue.expired, queue.dropped, queue.refused].map(thousands));
        row.push(plain(queue.depth.mean));
        row.extend([queue.depth.max, queue.depth.end].map(thousands_signed));
        row.extend([quantile(&queue.wait, 0.5), quantile(&queue.wait, 0.99), quantile(&queue.age, 0.99)]);
        grid.row(row);
        if queue.identity.violations > 0 {
            grid.remark(paint.bad(&books(queue)));
        }
    }
    rest(&mut grid, outcome.message_queues.len(), "messages.csv");
    grid.without_empty(&["expired", "dropped", "refused"], "0").lines(paint)
}

pub(super) fn groups(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let mut grid = Grid::new(&["GROUPS", "read", "lag mean", "max", "at end", "age p50", "p95", "p99", "longest"]);
    for group in outcome.groups.iter().take(MOST_ROWS) {
        let mut row = vec![clean(&group_name(group)), thousands(group.age.count()), plain(group.lag.mean)];
        row.extend([group.lag.max, group.lag.end].map(thousands_signed));
        row.extend([0.5, 0.95, 0.99, 1.0].map(|q| quantile(&group.age, q)));
        grid.row(row);
    }
    rest(&mut grid, outcome.groups.len(), "summary.json");
    grid.lines(paint)
}

pub(super) fn outboxes(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let mut grid =
        Grid::new(&["OUTBOXES", "messages", "waiting mean", "max", "at end", "lag p50", "p95", "p99", "longest"]);
    let seen: Vec<&OutboxResult> = outcome.outboxes.iter().filter(|o| o.depth.max > 0 || !o.lag.is_empty()).collect();
    for outbox in seen.iter().take(MOST_ROWS) {
        let mut row = vec![clean(&outbox.service), thousands(outbox.lag.count()), plain(outbox.depth.mean)];
        row.extend([outbox.depth.max, outbox.depth.end].map(thousands_signed));
        row.extend([0.5, 0.95, 0.99, 1.0].map(|q| quantile(&outbox.lag, q)));
        grid.row(row);
    }
    rest(&mut grid, seen.len(), "summary.json");
    grid.lines(paint)
}

/// Whether a queue's books balanced, in words.
pub(crate) fn books(queue: &MessageQueueResult) -> String {
    let identity = &queue.identity;
    match identity.first {
        None => format!("balanced after each of {} changes", thousands(identity.checked)),
        Some(first) => format!(
            "did not balance after {} of {} changes, first at {first}, by up to {}",
            thousands(identity.violations),
            thousands(identity.checked),
            thousands(identity.worst)
        ),
    }
}

pub(super) fn retries(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let mut grid = Grid::new(&["RETRIES", "calls", "retries", "tries per call"]);
    let seen: Vec<&RetryResult> = outcome.retries.iter().filter(|result| result.retries > 0).collect();
    for result in seen.iter().take(MOST_ROWS) {
        let amplification = result.amplification().map_or(NONE.to_owned(), plain);
        let counts = [result.calls, result.retries].map(thousands);
        grid.row([clean(&retry_name(result))].into_iter().chain(counts).chain([amplification]).collect());
    }
    rest(&mut grid, seen.len(), "summary.json");
    grid.lines(paint)
}

pub(super) fn breakers(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let mut grid = Grid::new(&["BREAKERS", "opened", "open", "half open"]);
    let seen: Vec<&BreakerResult> = outcome.breakers.iter().filter(|result| result.opened > 0).collect();
    for result in seen.iter().take(MOST_ROWS) {
        let shares = [result.open_share, result.half_open_share].map(percent);
        grid.row([clean(&breaker_name(result)), thousands(result.opened)].into_iter().chain(shares).collect());
    }
    rest(&mut grid, seen.len(), "breakers.csv");
    grid.lines(paint)
}
