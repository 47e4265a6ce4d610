//! Pauses (docs/semantics.md, rule 10).

use cluster::{Fault, Loses, Reason, Target, Trigger};
use kernel::{NodeId, PointId, Span};

use crate::puppet::*;

#[test]
fn what_came_due_in_a_pause_is_handled_in_due_order_at_its_end() {
    let (world, _) = stage(2)
        .on(0, Cue::Start, vec![timer(1, ms(12)), timer(2, ms(14)), timer(3, ms(40))])
        .on(1, Cue::Start, vec![timer(1, ms(12))])
        .on(1, Cue::Timer(1), vec![send(0, 9)])
        .fault(pause(&[0], ms(10), ms(20)))
        .run();
    let late = [(30_000, Cue::Timer(1)), (30_000, Cue::Hear(9)), (30_000, Cue::Timer(2)), (40_000, Cue::Timer(3))];
    assert_eq!(heard(&world, 0)[1..], late);
    assert_eq!(world.ledger()[0].impact.events_delayed, 3);
}

#[test]
fn a_late_timer_can_still_be_cancelled_or_replaced() {
    let (world, _) = stage(1)
        .on(0, Cue::Start, vec![timer(1, ms(12)), timer(2, ms(13)), timer(3, ms(14))])
        .on(0, Cue::Timer(1), vec![kernel::Effect::CancelTimer(N(2)), timer(3, ms(5))])
        .fault(pause(&[0], ms(10), ms(20)))
        .run();
    assert_eq!(heard(&world, 0)[1..], [(30_000, Cue::Timer(1)), (35_000, Cue::Timer(3))]);
}

#[test]
fn a_message_of_the_same_instant_queues_behind_what_waits() {
    let (world, _) = stage(2)
        .on(0, Cue::Start, vec![timer(1, ms(12)), timer(2, ms(13))])
        .on(1, Cue::Start, vec![timer(1, ms(29))])
        .on(1, Cue::Timer(1), vec![send(0, 9)])
        .fault(pause(&[0], ms(10), ms(20)))
        .run();
    let late = [(30_000, Cue::Timer(1)), (30_000, Cue::Timer(2)), (30_000, Cue::Hear(9))];
    assert_eq!(heard(&world, 0)[1..], late);
}

#[test]
fn the_disk_of_a_paused_machine_goes_on_but_nothing_leaves_it() {
    let mut world = stage(2)
        .on(0, Cue::Start, vec![timer(1, ms(8))])
        .on(0, Cue::Timer(1), vec![persist(1), send(1, 2), output(3)])
        .fault(pause(&[0], ms(10), ms(20)))
        .world();
    let mut notebook = Notebook::default();
    until(&mut world, ms(20), &mut notebook);
    assert_eq!((world.durable(NodeId(0)), messages(&world, 1)), (1, vec![]));
    assert!(world.unfinished() > 0, "a message waits");
    until(&mut world, Span::secs(1), &mut notebook);
    assert_eq!((notebook.outputs(), heard(&world, 1)[1]), (vec![(30_000, 3)], (31_000, Cue::Hear(2))));
    assert_eq!(world.unfinished(), 0);
}

#[test]
fn what_a_disk_finishes_in_the_instant_of_the_resume_comes_after_what_it_finished_before() {
    // The first write lasts from 5 to 15 ms, the second to 25 ms, the pause from 10 to 25 ms.
    let (_, notebook) = stage(1)
        .fsync(ms(10))
        .on(0, Cue::Start, vec![timer(1, ms(5)), timer(2, ms(6))])
        .on(0, Cue::Timer(1), vec![persist(1), output(1)])
        .on(0, Cue::Timer(2), vec![persist(2), output(2)])
        .fault(pause(&[0], ms(10), ms(15)))
        .run();
    assert_eq!(notebook.outputs(), [(25_000, 1), (25_000, 2)]);
}

#[test]
fn what_a_frame_says_after_the_resume_comes_behind_what_it_said_before() {
    // The write lasts from 5 to 15 ms, the pause from 10 to 25 ms; a message comes in at 12 ms, before the write ends.
    let (_, notebook) = stage(2)
        .fsync(ms(10))
        .on(0, Cue::Start, vec![timer(1, ms(5))])
        .on(0, Cue::Timer(1), vec![frame(7), persist(1), output(1)])
        .on(1, Cue::Start, vec![timer(1, ms(11))])
        .on(1, Cue::Timer(1), vec![send(0, 9)])
        .on(0, Cue::Hear(9), vec![frame(7), output(2)])
        .fault(pause(&[0], ms(10), ms(15)))
        .run();
    assert_eq!(notebook.outputs(), [(25_000, 1), (25_000, 2)]);
}

#[test]
fn a_pause_at_a_point_keeps_what_is_said_afterwards_until_its_end() {
    let trigger = Trigger::Point { points: vec![PointId(5)], of: None, nth: number(1) };
    let (world, notebook) = stage(2)
        .on(0, Cue::Start, vec![output(1), point(5), output(2), send(1, 3)])
        .fault(Fault { trigger, targets: vec![Target::Same(ids(&[0, 1]))], ..pause(&[], ms(0), ms(20)) })
        .run();
    assert_eq!(notebook.outputs(), [(0, 1), (20_000, 2)]);
    assert_eq!(heard(&world, 1)[1], (21_000, Cue::Hear(3)));
}

#[test]
fn overlapping_pauses_end_with_the_last() {
    let second = Fault { name: "second".into(), ..pause(&[0], ms(15), ms(20)) };
    let (world, _) =
        stage(1).on(0, Cue::Start, vec![timer(1, ms(12))]).fault(pause(&[0], ms(10), ms(10))).fault(second).run();
    assert_eq!(heard(&world, 0)[1], (35_000, Cue::Timer(1)));
}

#[test]
fn a_crash_in_a_pause_empties_the_inbox_and_the_restart_waits_for_the_end() {
    let (world, notebook) = stage(2)
        .on(0, Cue::Start, vec![timer(1, ms(12))])
        .on(1, Cue::Start, vec![timer(1, ms(12)), timer(2, ms(25))])
        .on(1, Cue::Timer(1), vec![send(0, 8)])
        .on(1, Cue::Timer(2), vec![send(0, 9)])
        .fault(pause(&[0], ms(10), ms(20)))
        .fault(crash(&[0], ms(15), ms(5)))
        .run();
    assert_eq!(heard(&world, 0), [(30_000, Cue::Restart(0)), (30_000, Cue::Hear(9))]);
    assert_eq!(notebook.dropped(Reason::CrashedReceiver), 1);
    assert_eq!(world.unfinished(), 0);
}

#[test]
fn a_full_inbox_drops_messages() {
    let mut stage = stage(2);
    let many = cluster::INBOX_LIMIT + 3;
    stage = stage.on(1, Cue::Start, (1..=u64::from(many)).map(|n| send(0, n)).collect());
    let mut world = stage.fault(pause(&[0], ms(0), ms(20))).world();
    let mut notebook = Notebook::default();
    until(&mut world, Span::secs(1), &mut notebook);
    assert_eq!(notebook.dropped(Reason::InboxFull), 3);
    assert_eq!(messages(&world, 0).len() as u32, cluster::INBOX_LIMIT);
    assert_eq!(world.ledger()[0].impact.messages_vanished, 3);
    world.crash_now(NodeId(0), Loses::USUAL, &mut ());
    assert_eq!(world.unfinished(), 0);
}

#[test]
fn what_an_overlapping_pause_delays_is_its_own_once_the_first_is_over() {
    let (world, _) = stage(1)
        .on(0, Cue::Start, vec![timer(1, ms(12)), timer(2, ms(35))])
        .fault(pause(&[0], ms(10), ms(20)))
        .fault(pause(&[0], ms(20), ms(40)))
        .run();
    assert_eq!(heard(&world, 0)[1..], [(60_000, Cue::Timer(1)), (60_000, Cue::Timer(2))]);
    assert_eq!([0, 1].map(|n| world.ledger()[n].impact.events_delayed), [1, 1]);
}
