//! The clocks of machines (docs/semantics.md, rule 6).

use cluster::{Clock, DRIFT_MAX, FaultKind};
use kernel::{Effect, NodeId, Span, Time};

use crate::puppet::*;

/// When a timer of 1 s fires on a machine whose clock drifts by so many parts per 10⁹, in microseconds.
fn fires(drift: i32) -> u64 {
    let mut stage = stage(2).on(0, Cue::Start, vec![timer(1, Span::secs(1))]);
    stage.hardware.nodes[0].clock = Clock { drift, offset: 0 };
    heard(&stage.run().0, 0)[1].0
}

#[test]
fn a_fast_clock_ends_a_timer_early_and_a_slow_one_late() {
    assert_eq!(fires(0), 1_000_000);
    assert_eq!(fires(100_000), 999_900, "100 ppm fast: 1 s / 1.0001");
    assert_eq!(fires(-100_000), 1_000_100, "100 ppm slow: 1 s / 0.9999");
    assert_eq!(Clock { drift: DRIFT_MAX, offset: 0 }.true_span(Span::secs(11)), Span::secs(10));
    assert_eq!(Clock { drift: -DRIFT_MAX, offset: 0 }.true_span(Span::secs(9)), Span::secs(10));
}

#[test]
fn a_clock_shows_the_time_with_its_offset_and_what_it_gained() {
    let hour = Time::ZERO + Span::secs(3600);
    assert_eq!(Clock::PERFECT.reading(hour), 3_600_000_000_000);
    let fast = Clock { drift: 50_000, offset: -2_000_000_000 };
    assert_eq!(fast.reading(Time::ZERO), -2_000_000_000, "set 2 s too early");
    assert_eq!(fast.reading(hour), 3_598_180_000_000, "50 ppm of an hour are 180 ms");
    assert_eq!(Clock { drift: 0, offset: i64::MAX }.reading(hour), i64::MAX, "no overflow");
}

#[test]
fn processors_disks_and_links_do_not_go_by_the_clock() {
    let mut stage = stage(2).on(0, Cue::Start, vec![Effect::Work(N(1), ms(100)), persist(7), send(1, 2)]);
    stage.hardware.nodes[0].clock = Clock { drift: DRIFT_MAX, offset: 0 };
    let (world, _) = stage.run();
    assert_eq!((heard(&world, 0)[1].0, heard(&world, 1)[1].0), (100_000, 6_000));
}

#[test]
fn a_clock_that_is_set_stays_set_and_timers_do_not_mind() {
    let by = kernel::Distribution::constant(-5e8).expect("a number");
    let jump = fault("jump", FaultKind::ClockJump { by }, &[0], ms(10), ms(1));
    let mut world = stage(2).on(0, Cue::Start, vec![timer(1, ms(30)), timer(2, ms(19))]).fault(jump).world();
    until(&mut world, ms(20), &mut Notebook::default());
    assert_eq!(world.clock(NodeId(0)), -481_000_000, "half a second behind, though its instance has ended");
    assert_eq!(world.clock(NodeId(1)), 19_000_000);
    until(&mut world, ms(50), &mut Notebook::default());
    assert_eq!(heard(&world, 0)[2].0, 30_000, "a timer goes by a clock that nobody sets");
    assert_eq!(world.ledger()[0].impact.clocks_set, 1);
}
