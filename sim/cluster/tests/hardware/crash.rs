//! Crashes and restarts (docs/semantics.md, rules 5, 7, 8 and 12), and points.

use crate::puppet::*;
use cluster::{Fault, FaultKind, Loses, Reason, Skip, State, Target, Trigger, Window};
use kernel::{CellId, Delta, Effect, FactKind, NodeId, PointId, Span, Time};

fn at_point(target: Target, nth: u32) -> Fault {
    let trigger = Trigger::Point { points: vec![PointId(5)], of: None, nth: number(nth) };
    Fault { targets: vec![target], trigger, ..crash(&[], ms(0), ms(10)) }
}

#[test]
fn messages_on_the_wire_to_others_arrive_and_messages_to_it_vanish() {
    let (world, notebook) = stage(2)
        .on(0, Cue::Start, vec![timer(1, ms(4)), timer(2, ms(6))])
        .on(0, Cue::Timer(1), vec![send(1, 1)])
        .on(1, Cue::Hear(1), vec![send(0, 2)])
        .fault(crash(&[0], Span::micros(4_500), ms(10)))
        .run();
    assert_eq!(heard(&world, 1), [(0, Cue::Start), (5_000, Cue::Hear(1))]);
    assert_eq!(heard(&world, 0), [(14_500, Cue::Restart(0))], "the timer died with its incarnation");
    assert_eq!(notebook.dropped(Reason::CrashedReceiver), 1);
    let entry = &world.ledger()[0];
    assert_eq!((entry.impact.messages_vanished, entry.impact.timers_lost), (1, 1));
    assert_eq!((entry.start, entry.end), (Some(Time(4_500_000)), Some(Time(14_500_000))));
}

#[test]
fn messages_to_an_old_incarnation_are_dropped() {
    let (world, notebook) = stage(2)
        .on(1, Cue::Start, vec![timer(1, ms(4)), timer(2, ms(6))])
        .on(1, Cue::Timer(1), vec![send(0, 1)])
        .on(1, Cue::Timer(2), vec![send(0, 2)])
        .fault(crash(&[0], Span::micros(4_200), Span::micros(500)))
        .run();
    assert_eq!(messages(&world, 0), [2]);
    assert_eq!(notebook.dropped(Reason::StaleIncarnation), 1);
}

#[test]
fn a_crash_sets_back_volatile_cells_and_is_a_fact() {
    let (world, notebook) =
        stage(2).on(1, Cue::Start, vec![send(0, OPEN), send(0, OPEN + 1)]).fault(crash(&[0], ms(3), ms(4))).run();
    let after: Vec<&Line> = notebook.lines.iter().filter(|(t, _)| t.0 >= 3_000_000).map(|(_, line)| line).collect();
    let delta = Delta { cell: CellId(0), key: 0, before: 2, after: 0 };
    let at = |line: Line| after.iter().position(|l| **l == line);
    assert!(at(Line::Change(delta)).is_some() && at(Line::Fact(0, FactKind::Crashed)).is_some());
    assert!(at(Line::Restarted(0)) < at(Line::Fact(0, FactKind::Recovered)));
    assert_eq!(world.ledger()[0].impact.work_lost, 2);
}

#[test]
fn what_the_log_owes_counts_while_the_machine_is_down() {
    let mut world = stage(1).fsync(ms(0)).on(0, Cue::Start, vec![persist(OPEN), persist(1)]).world();
    world.step(&mut ());
    assert_eq!(world.unfinished(), 0);
    world.crash_now(NodeId(0), Loses::USUAL, &mut ());
    assert!(!world.up(NodeId(0)));
    assert_eq!(world.unfinished(), 1);
    world.restart(NodeId(0), &mut ());
    assert_eq!(world.unfinished(), 0);
}

#[test]
fn a_crash_at_a_point_suppresses_the_rest_of_the_step() {
    let (world, notebook) = stage(2)
        .on(0, Cue::Start, vec![timer(1, ms(2))])
        .on(0, Cue::Timer(1), vec![send(1, 1), point(5), send(1, 2), output(3), timer(4, ms(1)), persist(6)])
        .fault(at_point(Target::Same(ids(&[0])), 1))
        .run();
    assert_eq!(messages(&world, 1), [1]);
    assert_eq!(heard(&world, 0), [(12_000, Cue::Restart(0))]);
    assert_eq!((notebook.outputs(), world.log(NodeId(0)).len()), (vec![], 0));
}

#[test]
fn a_point_behind_a_record_is_reached_when_the_record_is_durable() {
    let (world, notebook) = stage(2)
        .on(
            0,
            Cue::Start,
            vec![frame(1), persist(1), send(1, 1), point(5), send(1, 2), frame(2), persist(2), send(1, 3)],
        )
        .fault(at_point(Target::Same(ids(&[0])), 1))
        .run();
    assert_eq!(notebook.times(|line| matches!(line, Line::Point(..))), [5_000]);
    assert_eq!(messages(&world, 1), [1], "nothing that waited behind the point happens");
    assert_eq!(heard(&world, 0), [(15_000, Cue::Restart(2))], "what is durable stays");
    assert_eq!(world.unfinished(), 0);
}

#[test]
fn a_point_on_one_machine_may_crash_another_right_after_the_event() {
    let (world, _) = stage(2)
        .on(0, Cue::Start, vec![timer(1, ms(2))])
        .on(0, Cue::Timer(1), vec![point(5), send(0, 1)])
        .fault(at_point(Target::All(ids(&[1])), 1))
        .run();
    assert_eq!((messages(&world, 0), heard(&world, 1)), (vec![1], vec![(12_000, Cue::Restart(0))]));
}

#[test]
fn occurrences_of_a_point_are_counted_for_each_of_by_itself() {
    let at = |of: u32| Effect::Point(PointId(5), of);
    let (world, _) = stage(1)
        .on(0, Cue::Start, vec![at(1), at(2), timer(1, ms(3))])
        .on(0, Cue::Timer(1), vec![timer(2, ms(3)), at(2), output(9)])
        .fault(at_point(Target::Same(ids(&[0])), 2))
        .run();
    let entry = &world.ledger()[0];
    assert_eq!((entry.start, entry.impact.timers_lost), (Some(Time(3_000_000)), 1));
    assert_eq!(world.ledger().len(), 1, "it strikes once");
}

#[test]
fn a_point_strikes_for_its_of_at_its_occurrence_in_the_window_if_chance_says_so() {
    let run = |seed, chance| {
        let mut stage = stage(2).seed(seed);
        for node in [0, 1] {
            stage = stage.on(node, Cue::Start, (1..=6).map(|n| timer(n, ms(n))).collect());
            for n in 1..=6 {
                let at = |of| Effect::Point(PointId(5), of);
                stage = stage.on(node, Cue::Timer(n), vec![at(1), output(10 * n + 1), at(2), output(10 * n + 2)]);
            }
        }
        let trigger = Trigger::Point { points: vec![PointId(4), PointId(5)], of: Some(2), nth: number(3) };
        let window = Window { from: Time(2_500_000), to: Time(5_500_000) };
        let (world, notebook) =
            stage.fault(Fault { trigger, window, chance, ..at_point(Target::Same(ids(&[0, 1])), 3) }).run();
        let said = |line: &Line| if let Line::Output(0, n) = line { Some(*n) } else { None };
        let said: Vec<u64> = notebook.lines.iter().filter_map(|(_, line)| said(line)).collect();
        (world.ledger()[0].state, said)
    };
    // Both machines reach it at 3 ms, machine 0 again at 4 ms: it says nothing behind it.
    assert_eq!(run(1, 1.0), (State::Ended, vec![11, 12, 21, 22, 31, 32, 41]));
    let skipped = (0..200).map(|seed| run(seed, 0.5)).filter(|(state, said)| {
        assert_eq!(said.len(), if *state == State::Ended { 7 } else { 12 }, "chance is asked once");
        *state == State::Skipped(Skip::Chance)
    });
    // Binomial: 4 sigma of 200 halves are 28.
    let skipped = skipped.count();
    assert!(skipped.abs_diff(100) <= 28, "{skipped}");
}

#[test]
fn a_machine_is_up_when_its_last_lease_ends() {
    let second = Fault { name: "second".into(), ..crash(&[0, 1], ms(15), ms(20)) };
    let third = Fault { name: "third".into(), ..crash(&[0], ms(17), ms(1)) };
    let (world, notebook) = stage(2).fault(crash(&[0], ms(10), ms(10))).fault(second).fault(third).run();
    assert_eq!(notebook.times(|line| *line == Line::Restarted(0)), [35_000]);
    assert_eq!(notebook.times(|line| *line == Line::Crashed(0)), [10_000]);
    assert_eq!(world.ledger()[2].state, State::Skipped(Skip::AlreadyDown));
}

#[test]
fn heal_revokes_every_lease_and_nothing_begins_after_it() {
    let every = Fault {
        name: "every".into(),
        kind: FaultKind::Pause,
        trigger: Trigger::Every(ms(30)),
        length: None,
        ..crash(&[1], ms(0), ms(0))
    };
    let late = Fault { name: "late".into(), ..crash(&[0], ms(70), ms(10)) };
    let (world, notebook) = stage(2)
        .fault(every)
        .fault(late)
        .fault(Fault { length: None, ..crash(&[0], ms(20), ms(0)) })
        .heal(ms(65))
        .run();
    assert_eq!(notebook.times(|line| *line == Line::Restarted(0)), [65_000]);
    let states: Vec<State> = world.ledger().iter().map(|entry| entry.state).collect();
    assert_eq!(states, [State::Ended, State::Ended, State::Skipped(Skip::Healed), State::Ended]);
    assert!(!world.paused(NodeId(1)));
}

#[test]
fn a_crash_that_keeps_memory_starts_the_same_process_again() {
    let mut world = stage(2).on(1, Cue::Start, vec![send(0, OPEN)]).world();
    until(&mut world, ms(5), &mut ());
    world.crash_for(NodeId(0), Loses { memory: false, ..Loses::USUAL }, ms(2), &mut ());
    assert_eq!((world.up(NodeId(0)), world.unfinished()), (false, 1));
    until(&mut world, ms(9), &mut ());
    assert_eq!(heard(&world, 0), [(0, Cue::Start), (1_000, Cue::Hear(OPEN)), (3_000, Cue::Restart(0))]);
    assert_eq!(world.ledger()[0].impact.work_lost, 0);
}

#[test]
fn every_event_boundary_can_be_a_crash_and_the_run_still_ends() {
    let stage = stage(2)
        .on(0, Cue::Start, vec![persist(1), send(1, 1)])
        .on(1, Cue::Hear(1), vec![persist(2), send(0, 2)])
        .on(0, Cue::Hear(2), vec![output(3)]);
    let mut world = stage.world();
    let mut boundaries = 0;
    loop {
        for node in [0, 1] {
            let mut branch = world.clone();
            branch.crash_for(NodeId(node), Loses::USUAL, ms(3), &mut ());
            until(&mut branch, Span::secs(60), &mut ());
            assert!(branch.up(NodeId(node)));
            assert_eq!(branch.unfinished(), 0);
        }
        boundaries += 1;
        if world.step(&mut ()).is_none() {
            break;
        }
    }
    assert_eq!(boundaries, 7, "two starts, two fsyncs, two messages, and the end");
}
