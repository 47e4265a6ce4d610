//! The same run again (docs/semantics.md, rules 4, 48 and 49).

use cluster::{Direction, Fault, FaultKind, Target, Transport, Trigger, Window, Wire};
use kernel::{Distribution, Effect, Span, Time};

use crate::puppet::*;

/// Five puppets that chatter over a bad network while everything goes wrong.
fn storm(seed: u64) -> Stage {
    let latency = Distribution::exponential(3e6).expect("3 ms is more than 0");
    let mut stage = stage(5).seed(seed).link(latency, 0.02, Transport::Tcp);
    stage.script.chatter_until = 400;
    stage.hardware.nodes[0].cores = Some(2);
    for node in 0..5 {
        let begin = || vec![send((node + 1) % 5, u64::from(node)), timer(1, ms(50))];
        for cue in (0..500).map(Cue::Restart).chain([Cue::Start]) {
            stage = stage.on(node, cue, begin());
        }
        let write = vec![frame(u64::from(node)), persist(3), send((node + 2) % 5, 50), timer(1, ms(40)), output(1)];
        let write = write.into_iter().chain((2..9).map(|n| Effect::Work(N(n), ms(n)))).collect();
        stage = stage.on(node, Cue::Timer(1), write);
    }
    let any = || vec![Target::Any { of: ids(&[0, 1, 2, 3, 4]), count: 1 }];
    let again = |name: &str, kind, rate| Fault {
        trigger: Trigger::Rate(rate),
        targets: any(),
        window: Window { from: Time::ZERO, to: Time(2_000_000_000) },
        ..fault(name, kind, &[], ms(0), ms(30))
    };
    let cut = |wire| FaultKind::Partition { sides: Vec::new(), direction: Direction::Both, wire };
    stage
        .fault(Fault { targets: any(), trigger: Trigger::Rate(4.0), ..crash(&[], ms(0), ms(60)) })
        .fault(again("pause", FaultKind::Pause, 6.0))
        .fault(again("drop", cut(Wire::Drop), 6.0))
        .fault(again("hold", cut(Wire::Hold), 6.0))
        .fault(again("slow", FaultKind::SlowCpu { factor: 3.3 }, 6.0))
        .fault(again("twice", FaultKind::Duplicate { chance: 0.1, links: Vec::new() }, 6.0))
        .fault(again("disturb", FaultKind::Disturb { what: 1, chance: 0.5 }, 6.0))
        .heal(Span::secs(2))
}

#[test]
fn a_clone_in_the_middle_runs_to_the_same_end_and_listening_changes_nothing() {
    for seed in 0..20 {
        let mut world = storm(seed).world();
        until(&mut world, ms(900), &mut ());
        let mut branch = world.clone();
        let mut notebook = Notebook::default();
        until(&mut world, Span::secs(4), &mut ());
        until(&mut branch, Span::secs(4), &mut notebook);
        assert_eq!((branch.fingerprint(), branch.events()), (world.fingerprint(), world.events()));
        assert!(notebook.lines.len() > 500);
        assert!((0..5).all(|node| world.up(kernel::NodeId(node))), "healed");
    }
}

#[test]
fn every_step_of_two_runs_is_the_same_and_another_seed_differs() {
    let (mut a, mut b, mut c) = (storm(7).world(), storm(7).world(), storm(8).world());
    for _ in 0..5_000 {
        let step = a.step(&mut ());
        assert_eq!(step, b.step(&mut ()));
        assert!(step.is_none_or(|step| step.time == a.now()));
        c.step(&mut ());
    }
    assert_eq!(a.fingerprint(), b.fingerprint());
    assert_ne!(a.fingerprint(), c.fingerprint());
}

#[test]
fn unfinished_is_zero_when_nothing_is_left_to_do() {
    for seed in 0..20 {
        let mut stage = storm(seed);
        stage.script.chatter_until = 30;
        let mut world = stage.world();
        until(&mut world, ms(2_001), &mut ());
        for node in 0..5 {
            // The timers of the script go on for ever; a last crash ends them.
            world.crash_now(kernel::NodeId(node), cluster::Loses { unsynced: true, memory: true, disk: true }, &mut ());
        }
        until(&mut world, Span::secs(60), &mut ());
        assert_eq!((world.unfinished(), world.next_time()), (0, None));
    }
}

fn fingerprint(say: Vec<Say>) -> u64 {
    stage(2).on(0, Cue::Start, say).run().0.fingerprint()
}

#[test]
fn what_happened_and_in_which_order_is_in_the_fingerprint() {
    let base = fingerprint(vec![send(1, 1), send(1, 2), frame(1), persist(3)]);
    assert_eq!(base, fingerprint(vec![send(1, 1), send(1, 2), frame(1), persist(3)]));
    assert_ne!(base, fingerprint(vec![send(1, 2), send(1, 1), frame(1), persist(3)]), "two messages swapped");
    assert_ne!(base, fingerprint(vec![send(1, 1), send(1, 2 ^ 64), frame(1), persist(3)]), "one bit of a message");
    assert_ne!(base, fingerprint(vec![send(1, 1), send(1, 2), frame(1), persist(3 ^ 64)]), "one bit of a record");
    assert_ne!(base, fingerprint(vec![send(1, 1), send(1, 2)]), "an fsync missing");
    let cancelled =
        vec![timer(4, ms(1)), kernel::Effect::CancelTimer(N(4)), send(1, 1), send(1, 2), frame(1), persist(3)];
    assert_ne!(base, fingerprint(cancelled), "sequence numbers moved by a timer that never fired");
    let quick = |record| stage(1).fsync(ms(0)).on(0, Cue::Start, vec![persist(record)]).run().0.fingerprint();
    assert_ne!(quick(3), quick(4), "also where an fsync takes no time");
}

#[test]
fn a_message_and_a_timer_due_at_once_run_in_the_order_they_were_scheduled() {
    let order = |say| stage(1).on(0, Cue::Start, say).run().0;
    assert_eq!(heard(&order(vec![send(0, 1), timer(2, ms(0))]), 0)[1].1, Cue::Hear(1));
    assert_eq!(heard(&order(vec![timer(2, ms(0)), send(0, 1)]), 0)[1].1, Cue::Timer(2));
}

#[test]
fn an_equal_timer_replaces_the_pending_one() {
    let (world, _) = stage(1).on(0, Cue::Start, vec![timer(1, ms(5)), timer(1, ms(9)), timer(2, ms(5))]).run();
    assert_eq!(heard(&world, 0)[1..], [(5_000, Cue::Timer(2)), (9_000, Cue::Timer(1))]);
}

#[test]
fn events_of_one_instant_are_counted() {
    let mut stage = stage(2).link(constant(ms(0)), 0.0, Transport::Tcp).on(0, Cue::Start, vec![send(1, 1)]);
    stage.script.chatter_until = 100;
    let mut world = stage.world();
    until(&mut world, ms(1), &mut ());
    assert_eq!((world.events_in_instant(), world.now()), (102, Time::ZERO));
}
