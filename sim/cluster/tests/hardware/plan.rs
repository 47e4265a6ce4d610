//! Faults from declaration to ledger: triggers, targets, effects.

use std::collections::BTreeSet;

use cluster::{Cluster, Fault, FaultKind, Skip, State, Target, Trigger, Window};
use kernel::{Distribution, NodeId, Span, Time};

use crate::puppet::*;

fn starts(world: &Cluster<Puppet>, fault: u32) -> Vec<u64> {
    let entries = world.ledger().iter().filter(|entry| entry.fault == Some(fault));
    entries.filter_map(|entry| entry.start).map(|time| time.0 / 1_000_000).collect()
}

fn window(from: u64, to: u64) -> Window {
    Window { from: Time(from * 1_000_000), to: Time(to * 1_000_000) }
}

#[test]
fn every_instance_is_in_the_ledger_before_it_is_due() {
    let every = Fault { trigger: Trigger::Every(ms(10)), window: window(20, 55), ..pause(&[0], ms(0), ms(1)) };
    let mut world = stage(1).fault(every).world();
    assert!(world.ledger().iter().all(|entry| entry.state == State::Planned));
    until(&mut world, Span::secs(1), &mut ());
    assert_eq!(starts(&world, 0), [30, 40, 50]);
    assert!(world.ledger().iter().all(|entry| !entry.impact.effective()), "there was nothing to delay");
}

#[test]
fn a_rate_gives_as_many_instances_as_it_says() {
    let rate = Fault { trigger: Trigger::Rate(50.0), window: window(0, 20_000), ..pause(&[0], ms(0), ms(1)) };
    let (world, _) = stage(1).fault(rate.clone()).run();
    // Poisson with mean 1 000: 4 sigma are 127.
    let instances = starts(&world, 0);
    assert!((873..=1_127).contains(&instances.len()), "{}", instances.len());
    let other = Fault { name: "other".into(), ..rate.clone() };
    let (both, _) = stage(1).fault(other).fault(rate).run();
    assert_eq!(starts(&both, 1), instances, "another fault shifts nothing");
    assert_ne!(starts(&both, 0), instances);
}

#[test]
fn a_fault_can_follow_another_and_hit_the_same_nodes() {
    let any = Target::Any { of: ids(&[0, 1, 2, 3]), count: 2 };
    let first = Fault { targets: vec![any], ..crash(&[], ms(10), ms(5)) };
    let trigger = Trigger::After { fault: 0, delay: constant(ms(7)) };
    let again = Fault { name: "again".into(), targets: vec![Target::NodesOf(0)], trigger, ..crash(&[], ms(0), ms(5)) };
    let (world, _) = stage(4).fault(first).fault(again).run();
    let ledger = world.ledger();
    assert_eq!((starts(&world, 1), &ledger[0].nodes), (vec![17], &ledger[1].nodes));
    assert_eq!(ledger[0].nodes.len(), 2);
}

#[test]
fn the_seed_picks_targets_evenly_and_as_many_as_asked_for() {
    let picks = |target: Target| -> Vec<Vec<NodeId>> {
        let pick = |seed| {
            let mut world =
                stage(5).seed(seed).fault(Fault { targets: vec![target.clone()], ..crash(&[], ms(0), ms(1)) }).world();
            until(&mut world, ms(5), &mut ());
            world.ledger()[0].nodes.clone()
        };
        (0..200).map(pick).collect()
    };
    let five = || ids(&[0, 1, 2, 3, 4]);
    for (target, count) in [
        (Target::Any { of: five(), count: 1 }, 1),
        (Target::Minority(five()), 2),
        (Target::Majority(five()), 3),
        (Target::Fraction { of: five(), share: 0.3 }, 2),
        (Target::Others, 5),
    ] {
        let picks = picks(target.clone());
        assert!(picks.iter().all(|nodes| nodes.len() == count), "{target:?}");
        let once = |node: &NodeId| picks.iter().filter(|nodes| nodes.contains(node)).count();
        // Binomial with p = count/5 over 200 seeds: 4 sigma are at most 28.
        assert!(five().iter().all(|node| once(node).abs_diff(40 * count) <= 28), "{target:?}");
    }
}

#[test]
fn chance_and_missing_targets_are_reasons_in_the_ledger() {
    let half =
        Fault { chance: 0.5, trigger: Trigger::Every(ms(1)), window: window(0, 1_001), ..pause(&[0], ms(0), ms(0)) };
    let nobody = Fault { name: "nobody".into(), targets: vec![Target::Same(ids(&[0]))], ..crash(&[], ms(3), ms(1)) };
    let (world, _) = stage(1).fault(half).fault(nobody).run();
    let skipped = world.ledger().iter().filter(|entry| entry.state == State::Skipped(Skip::Chance)).count();
    // Binomial: 4 sigma of 1 000 halves are 63.
    assert!(skipped.abs_diff(500) <= 63, "{skipped}");
    let last = world.ledger().last().map(|entry| entry.state);
    assert_eq!(last, Some(State::Skipped(Skip::NoTarget)));
}

#[test]
fn a_fault_that_hits_something_is_effective_and_one_that_does_not_is_not() {
    let idle = Fault { name: "idle".into(), ..crash(&[1], ms(5), ms(1)) };
    let (world, _) =
        stage(2).on(0, Cue::Start, vec![timer(1, ms(9))]).fault(crash(&[0], ms(5), ms(1))).fault(idle).run();
    let effective: Vec<bool> = world.ledger().iter().map(|entry| entry.impact.effective()).collect();
    assert_eq!(effective, [true, false]);
}

#[test]
fn without_a_trigger_a_fault_lasts_for_its_window() {
    let kind = FaultKind::Loss { chance: 1.0, links: Vec::new() };
    let rain = Fault {
        trigger: Trigger::Always,
        length: None,
        window: window(5, 8),
        targets: Vec::new(),
        ..fault("rain", kind, &[], ms(0), ms(0))
    };
    let (world, _) = stage(2).fault(rain).run();
    let entry = &world.ledger()[0];
    assert_eq!((entry.start, entry.end), (Some(Time(5_000_000)), Some(Time(8_000_000))));
}

#[test]
fn times_and_lengths_may_be_drawn_and_are_the_seed_s() {
    let at = Distribution::uniform(0.0, 1e9).expect("0 is less than 1 s");
    let run = |seed| {
        let random = Fault { trigger: Trigger::At(at.clone()), length: Some(at.clone()), ..pause(&[0], ms(0), ms(0)) };
        let (world, _) = stage(1).seed(seed).fault(random).run();
        (world.ledger()[0].start, world.ledger()[0].end)
    };
    assert_eq!(run(3), run(3));
    let different: BTreeSet<_> = (0..50).map(run).collect();
    assert_eq!(different.len(), 50);
}
