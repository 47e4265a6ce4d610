//! The parts of the invented outcome that scenarios with brokers and sagas have.

use crate::fixture::{Dice, WINDOWS, level};
use kernel::{Histogram, Time};
use lab::outcome::{
    BreakerResult, BreakerSpan, BreakerState, GroupResult, Identity, MessageQueueResult, MessageWindow, OutboxResult,
    RetryResult, RetryWindow, SagaResult, SagaStepCounts,
};

fn times(base_ns: f64, seed: u64) -> Histogram {
    let (mut histogram, mut dice) = (Histogram::new(Histogram::PER_OP), Dice(seed));
    for _ in 0..2000 {
        histogram.record((base_ns * (0.5 + dice.roll() / (1.01 - dice.roll()))) as u64);
    }
    histogram
}

pub(crate) fn message_queues() -> Vec<MessageQueueResult> {
    let mut dice = Dice(31);
    let mut window = |n: usize| MessageWindow {
        accepted: if n < 120 { 40 + (20.0 * dice.roll()) as u64 } else { 0 },
        acknowledged: if n < 122 { 38 + (20.0 * dice.roll()) as u64 } else { 0 },
        redelivered: u64::from(n.is_multiple_of(3)),
    };
    let queue = |name: &str, windows, dead_lettered| MessageQueueResult {
        name: name.to_owned(),
        accepted: 5_884,
        acknowledged: 5_880,
        delivered: 5_943,
        redelivered: 59,
        expired: 0,
        dead_lettered,
        dropped: 0,
        refused: 0,
        stale_acks: 2,
        wait: times(4e6, 5),
        age: times(90e6, 6),
        depth: level(12.0, 32),
        in_flight: level(3.0, 33),
        identity: Identity { checked: 41_188, ..Identity::default() },
        windows,
    };
    vec![
        queue("order_events", (0..WINDOWS).map(&mut window).collect(), 4),
        queue("order_events_dead", (0..WINDOWS).map(&mut window).collect(), 0),
    ]
}

pub(crate) fn sagas() -> Vec<SagaResult> {
    let step = |name: &str, begun, done, failed, compensated| SagaStepCounts {
        name: name.to_owned(),
        begun,
        done,
        failed,
        compensated,
    };
    vec![SagaResult {
        name: "checkout".to_owned(),
        started: 5_884,
        completed: 5_790,
        undone: 93,
        open: 1,
        time: times(120e6, 8),
        open_level: level(20.0, 34),
        steps: vec![
            step("reserve", 5_884, 5_871, 12, 81),
            step("charge", 5_871, 5_790, 81, 40),
            step("confirm", 5_790, 5_790, 0, 0),
        ],
    }]
}

pub(crate) fn retries() -> Vec<RetryResult> {
    let mut dice = Dice(35);
    let window = |n: usize| RetryWindow {
        calls: if n < 120 { 45 } else { 0 },
        of_calls: if (38..58).contains(&n) { (30.0 * dice.roll()) as u64 } else { 0 },
        retries: if (40..60).contains(&n) { (30.0 * dice.roll()) as u64 } else { 0 },
    };
    vec![RetryResult {
        operation: "payment.charge".to_owned(),
        from: "orders".to_owned(),
        calls: 5_400,
        retries: 324,
        windows: (0..WINDOWS).map(window).collect(),
    }]
}

pub(crate) fn breakers() -> Vec<BreakerResult> {
    let span =
        |state, from: u64, to: u64| BreakerSpan { state, from: Time(from * 100_000_000), to: Time(to * 100_000_000) };
    let (open, half_open) = (BreakerState::Open, BreakerState::HalfOpen);
    let breaker = |to: &str, spans: Vec<BreakerSpan>| BreakerResult {
        from: "orders[0]".to_owned(),
        to: to.to_owned(),
        opened: spans.iter().filter(|span| span.state == open).count() as u64,
        open_share: 0.11,
        half_open_share: 0.004,
        spans,
    };
    let spans = vec![span(open, 206, 236), span(half_open, 236, 238), span(open, 238, 268), span(half_open, 268, 269)];
    vec![breaker("payment[0]", Vec::new()), breaker("payment[1]", spans)]
}

pub(crate) fn groups() -> Vec<GroupResult> {
    let group = |name: &str, lag, age| GroupResult {
        topic: "trips".to_owned(),
        group: name.to_owned(),
        lag: level(lag, 38),
        age: times(age, 10),
    };
    vec![group("hotel", 6.0, 8e6), group("flight", 2.0, 5e6)]
}

pub(crate) fn outboxes() -> Vec<OutboxResult> {
    let mut dice = Dice(36);
    let window = |n: usize| {
        let middle = 60_000_000 + (20e6 * dice.roll()) as u64;
        (n < 120 && n % 10 != 7).then_some([middle, middle * 2, middle * 3])
    };
    vec![OutboxResult {
        service: "orders".to_owned(),
        depth: level(4.0, 37),
        lag: times(60e6, 9),
        lag_windows: (0..WINDOWS).map(window).collect(),
    }]
}
