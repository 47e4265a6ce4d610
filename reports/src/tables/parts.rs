//! Tables of brokers' queues, sagas and breakers, and the series of `timeseries.csv` about them.

use super::{Table, Values, ends, maxima, means};
use crate::names::{breaker_name, group_name, retry_name};
use crate::number::{decimal, seconds};
use crate::windows::{Window, per_second, window};
use lab::outcome::{BreakerResult, BreakerState, MessageQueueResult, MessageWindow, Outcome, RetryResult, SagaResult};

/// `messages.csv`: a row per broker's queue and window.
pub fn messages(outcome: &Outcome) -> Vec<u8> {
    let mut table = Table::new(&[
        "queue",
        "window_start_s",
        "window_end_s",
        "accepted_per_s",
        "acknowledged_per_s",
        "redelivered_per_s",
        "accepted_total",
        "acknowledged_total",
        "depth_mean",
        "depth_max",
        "in_flight_mean",
        "in_flight_max",
    ]);
    for queue in &outcome.message_queues {
        let counts = [message_rates(outcome, queue, |w| w.accepted), message_rates(outcome, queue, |w| w.acknowledged)];
        let redelivered = message_rates(outcome, queue, |w| w.redelivered);
        let levels = [&queue.depth, &queue.in_flight].map(|level| (means(level), maxima(level)));
        let totals = [message_totals(queue, |w| w.accepted), message_totals(queue, |w| w.acknowledged)];
        for number in 0..queue.windows.len() {
            let mut row = vec![queue.name.clone()];
            row.extend(ends(window(outcome, number)));
            let rates = counts.iter().chain([&redelivered]).chain(&totals);
            row.extend(rates.map(|rates| cell(rates, number)));
            row.extend(levels.iter().flat_map(|(means, maxima)| [cell(means, number), cell(maxima, number)]));
            table.row(&row);
        }
    }
    table.end()
}

fn cell(values: &[Option<f64>], number: usize) -> String {
    values.get(number).copied().flatten().map(decimal).unwrap_or_default()
}

/// What happened in each window of a queue, per second.
pub(crate) fn message_rates(
    outcome: &Outcome,
    queue: &MessageQueueResult,
    count: fn(&MessageWindow) -> u64,
) -> Vec<Option<f64>> {
    let rate = |(n, counts): (usize, &MessageWindow)| per_second(outcome, n, count(counts));
    queue.windows.iter().enumerate().map(rate).collect()
}

/// How often it happened on a queue from the beginning to the end of each window.
pub(crate) fn message_totals(queue: &MessageQueueResult, count: fn(&MessageWindow) -> u64) -> Vec<Option<f64>> {
    let mut total = 0;
    let add = |counts: &MessageWindow| {
        total += count(counts);
        Some(total as f64)
    };
    queue.windows.iter().map(add).collect()
}

/// `sagas.csv`: how many sagas came how far, a row per stage and step.
pub fn sagas(outcome: &Outcome) -> Vec<u8> {
    let mut table = Table::new(&["saga", "stage", "step", "sagas"]);
    for saga in &outcome.sagas {
        for Stage { name, step, count } in stages(saga) {
            table.row(&[saga.name.clone(), name.to_owned(), step.unwrap_or_default().to_owned(), count.to_string()]);
        }
    }
    table.end()
}

/// One row of `sagas.csv`: where sagas came to.
pub(crate) struct Stage<'a> {
    /// `started`, `done`, `completed`, `failed`, `compensated`, `undone` or `open`.
    pub(crate) name: &'static str,
    /// Which step, if it is about one.
    pub(crate) step: Option<&'a str>,
    pub(crate) count: u64,
}

/// Every stage of a saga in the order they are told: forward to completion, what failed, back from the last step.
pub(crate) fn stages(saga: &SagaResult) -> Vec<Stage<'_>> {
    let whole = |name, count| Stage { name, step: None, count };
    let mut all = vec![whole("started", saga.started)];
    all.extend(saga.steps.iter().map(|step| Stage { name: "done", step: Some(&step.name), count: step.done }));
    all.push(whole("completed", saga.completed));
    all.extend(saga.steps.iter().map(|step| Stage { name: "failed", step: Some(&step.name), count: step.failed }));
    let back = saga.steps.iter().rev();
    all.extend(back.map(|step| Stage { name: "compensated", step: Some(&step.name), count: step.compensated }));
    all.extend([whole("undone", saga.undone), whole("open", saga.open)]);
    all
}

/// `breakers.csv`: every stretch in which a breaker was not closed.
pub fn breakers(outcome: &Outcome) -> Vec<u8> {
    let mut table = Table::new(&["from", "to", "state", "from_s", "to_s"]);
    for breaker in &outcome.breakers {
        for span in &breaker.spans {
            let state = match span.state {
                BreakerState::HalfOpen => "half_open",
                BreakerState::Open => "open",
            };
            let (from, to) = (breaker.from.clone(), breaker.to.clone());
            table.row(&[from, to, state.to_owned(), seconds(span.from.0), seconds(span.to.0)]);
        }
    }
    table.end()
}

/// The series of `timeseries.csv` about sagas, retries, breakers, groups, stores and outboxes.
pub(super) fn series(outcome: &Outcome) -> Vec<Values> {
    let mut all = Vec::new();
    for saga in &outcome.sagas {
        all.push(("sagas_open_mean", saga.name.clone(), means(&saga.open_level)));
        all.push(("sagas_open_max", saga.name.clone(), maxima(&saga.open_level)));
    }
    for retry in &outcome.retries {
        all.push(("retries_per_s", retry_name(retry), retry_rates(outcome, retry)));
        let amplification = retry.windows.iter().map(|window| window.amplification()).collect();
        all.push(("retry_amplification", retry_name(retry), amplification));
    }
    for breaker in outcome.breakers.iter().filter(|breaker| breaker.opened > 0) {
        all.push(("breaker_open", breaker_name(breaker), state_shares(outcome, breaker, BreakerState::Open)));
        all.push(("breaker_half_open", breaker_name(breaker), state_shares(outcome, breaker, BreakerState::HalfOpen)));
    }
    for group in &outcome.groups {
        all.push(("lag_mean", group_name(group), means(&group.lag)));
        all.push(("lag_max", group_name(group), maxima(&group.lag)));
    }
    for store in &outcome.stores {
        for (machine, lag) in store.machines.iter().zip(&store.lags) {
            all.push(("replication_lag_mean", machine.clone(), means(lag)));
            all.push(("replication_lag_max", machine.clone(), maxima(lag)));
        }
    }
    for outbox in &outcome.outboxes {
        all.push(("outbox_depth_mean", outbox.service.clone(), means(&outbox.depth)));
        all.push(("outbox_depth_max", outbox.service.clone(), maxima(&outbox.depth)));
        for (metric, percentile) in [("outbox_lag_p50_s", 0), ("outbox_lag_p99_s", 2)] {
            let value = |three: &Option<[u64; 3]>| three.map(|three| three[percentile] as f64 / 1e9);
            all.push((metric, outbox.service.clone(), outbox.lag_windows.iter().map(value).collect()));
        }
    }
    all
}

fn retry_rates(outcome: &Outcome, retry: &RetryResult) -> Vec<Option<f64>> {
    retry.windows.iter().enumerate().map(|(n, counts)| per_second(outcome, n, counts.retries)).collect()
}

/// The share of each window in which a breaker was in a state.
fn state_shares(outcome: &Outcome, breaker: &BreakerResult, state: BreakerState) -> Vec<Option<f64>> {
    let width = outcome.times.window.0.max(1);
    let windows = outcome.end.0.div_ceil(width) as usize;
    let share = |Window { from_ns, to_ns }: Window| {
        let within = breaker.spans.iter().filter(|span| span.state == state);
        let length: u64 = within.map(|span| span.to.0.min(to_ns).saturating_sub(span.from.0.max(from_ns))).sum();
        length as f64 / to_ns.saturating_sub(from_ns).max(1) as f64
    };
    (0..windows.min(MOST_WINDOWS)).map(|n| Some(share(window(outcome, n)))).collect()
}

/// A run has at most 240 windows.
const MOST_WINDOWS: usize = 1_000;
