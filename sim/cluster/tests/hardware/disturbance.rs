//! Faults that act inside a process (docs/semantics.md, rule 53).

use cluster::{Fault, FaultKind, Target, Trigger};
use kernel::{Effect, PointId, Span};

use crate::puppet::*;

fn disturb(name: &str, what: u32, nodes: &[u32], at: Span, length: Span) -> Fault {
    fault(name, FaultKind::Disturb { what, chance: 1.0 }, nodes, at, length)
}

/// What node 0 heard of disturbances, in microseconds.
fn told(stage: Stage) -> Vec<(u64, u32, bool)> {
    let told = |(time, cue)| if let Cue::Disturbance(what, active) = cue { Some((time, what, active)) } else { None };
    heard(&stage.run().0, 0).into_iter().filter_map(told).collect()
}

#[test]
fn a_process_hears_when_a_disturbance_begins_and_ends() {
    let two = || stage(2).fault(disturb("a", 7, &[0], ms(2), ms(6))).fault(disturb("b", 8, &[0, 1], ms(4), ms(9)));
    assert_eq!(told(two()), [(2_000, 7, true), (4_000, 8, true), (8_000, 7, false), (13_000, 8, false)]);
    assert_eq!(told(two().heal(ms(5)))[2..], [(5_000, 7, false), (5_000, 8, false)], "heal revokes them");
    let paused = two().fault(pause(&[0], ms(3), ms(10)));
    assert_eq!(told(paused)[1..], [(13_000, 8, true), (13_000, 7, false), (13_000, 8, false)], "late, in order");
    let crashed = two().fault(crash(&[0], ms(3), ms(2)));
    assert_eq!(told(crashed), [(5_000, 7, true), (5_000, 8, true), (8_000, 7, false), (13_000, 8, false)]);
    assert_eq!(told(two().fault(crash(&[0], ms(3), ms(20)))), [], "nothing is left of them when it is back");
    let both = two().fault(crash(&[0], ms(3), ms(2))).fault(pause(&[0], ms(3), ms(3)));
    assert_eq!(told(both)[..2], [(6_000, 7, true), (6_000, 8, true)], "after a start that was late");
}

#[test]
fn a_disturbance_at_a_point_begins_right_after_the_event() {
    let trigger = Trigger::Point { points: vec![PointId(5)], of: None, nth: number(1) };
    let same = Fault { targets: vec![Target::Same(ids(&[0, 1]))], trigger, ..disturb("a", 7, &[], ms(0), ms(3)) };
    let say = vec![timer(1, ms(2)), timer(2, ms(2))];
    let stage = stage(2).on(0, Cue::Start, say).on(0, Cue::Timer(1), vec![point(5), send(1, 1)]).fault(same);
    let (world, _) = stage.run();
    let cues: Vec<Cue> = heard(&world, 0)[1..].iter().map(|(_, cue)| *cue).collect();
    assert_eq!(cues, [Cue::Timer(1), Cue::Disturbance(7, true), Cue::Timer(2), Cue::Disturbance(7, false)]);
    assert_eq!(messages(&world, 1), [1], "what is said behind the point happens");
    assert_eq!(heard(&world, 1).len(), 2, "the other machine heard of nothing");
}

#[test]
fn a_process_draws_by_key_whether_it_is_disturbed_and_the_ledger_counts() {
    let run = |numbers: Vec<u64>, chance| {
        let kind = FaultKind::Disturb { what: 7, chance };
        let say = numbers.into_iter().map(|n| send(1, n)).collect();
        let stage = stage(2).on(0, Cue::Start, vec![timer(98, ms(1))]).on(0, Cue::Timer(98), say);
        let stage = stage.fault(fault("a", kind.clone(), &[1], ms(0), ms(9)));
        let (world, _) = stage.fault(fault("idle", kind, &[0], ms(0), ms(9))).run();
        assert!(!world.ledger()[1].impact.effective(), "nothing came to node 0");
        world.ledger()[0].impact.disturbances
    };
    let all = run((1..=20_000).collect(), 0.25);
    // Binomial: 4 sigma are 4 · sqrt(20 000 · 0.25 · 0.75) = 245.
    assert!(all.abs_diff(5_000) <= 245, "{all}");
    assert_eq!(run((1..=10_000).collect(), 0.25) + run((10_001..=20_000).collect(), 0.25), all, "each for itself");
    assert_eq!((run((1..=100).collect(), 0.0), run((1..=100).collect(), 1.0)), (0, 100));
}

#[test]
fn a_crash_at_the_same_point_takes_what_a_disturbance_would_have_said() {
    let at = |fault: Fault| Fault {
        targets: vec![Target::Same(ids(&[0]))],
        trigger: Trigger::Point { points: vec![PointId(5)], of: None, nth: number(1) },
        ..fault
    };
    let stage = stage(2)
        .on(0, Cue::Start, vec![frame(1), persist(1), point(5), send(1, 1)])
        .on(0, Cue::Disturbance(7, true), vec![Effect::Disturbed(1), send(1, 2)])
        .fault(at(crash(&[], ms(0), ms(1))))
        .fault(at(disturb("a", 7, &[], ms(0), Span::millis(500))));
    let (world, _) = stage.run();
    let [crash, disturbance] = [0, 1].map(|n| world.ledger()[n].impact);
    assert_eq!((crash.messages_unsent, disturbance.messages_unsent), (1, 0), "the crash lost what waited");
    // Told once, when the machine was back.
    assert_eq!((disturbance.disturbances, messages(&world, 1)), (1, vec![2]));
}
