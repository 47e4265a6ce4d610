//! Queues of which the theory is known.

use alloc::vec;

use kernel::random::Key;
use kernel::{Distribution, NodeId, SeriesId, Span, Time};

use super::desk::{letter, plan, queue};
use super::world::{Climate, World};
use crate::messaging::{Cast, Destination, Figure, Job, Latency, Order, Play, Role, Settlement};

/// One consumer with a prefetch of one, no network and no disk: M/M/1. With λ = 0.7 and μ = 1 per ms a message waits
/// ρ / (μ − λ) = 7/3 ms on average, and stays 1 / (μ − λ) = 10/3 ms.
#[test]
fn a_queue_with_one_consumer_is_an_m_m_1() {
    const N: u64 = 60_000;
    let interval = Distribution::exponential(1e6 / 0.7).expect("a length");
    let mut at = Time::ZERO;
    let orders = (1..=N).map(|id| {
        at += interval.span(&mut Key(1).draw(id, 0, 0));
        Order { at, to: Destination::Queue(0), letter: letter(id) }
    });
    let publisher = Cast::Publisher { orders: orders.collect(), patience: Span::secs(1) };
    let work = Latency { law: Distribution::exponential(1e6).expect("a length"), key: Key(2) };
    let worker = Cast::Worker(Job { consumer: 0, work, settles: |_| Settlement::Ack });
    let mut plan = plan(vec![queue(0)]);
    plan.consumers[0].prefetch = Some(1);
    plan.consumers[0].nodes = vec![NodeId(2)];
    plan.heartbeat = Span::secs(10);
    let climate = Climate { hostile: false, heal: Time::ZERO, end: Time(at.0 + 1_000_000_000) };
    let mut world = World::new(Play { plan, cast: vec![Cast::Broker, publisher, worker] }, climate, 1);
    world.run();
    let mean = |series| {
        let (sum, count) = world.samples[&SeriesId(series)];
        assert_eq!(count, N);
        sum as f64 / N as f64 / 1e6
    };
    // The mean of n waits has a variance of about 2ρ(1 + ρ…)/((1 − ρ)⁴ n μ²): here a standard error of 0.06 ms (Whitt 1989).
    let (wait, age) = (mean(0), mean(1));
    assert!((wait - 7.0 / 3.0).abs() < 0.25 && (age - 10.0 / 3.0).abs() < 0.25, "{wait}, {age}");
    let Role::Broker(broker) = world.process(0) else { panic!("node 0 is the broker") };
    assert_eq!((broker.figure(0, Figure::Acknowledged), broker.figure(0, Figure::Depth)), (N as i64, 0));
}
