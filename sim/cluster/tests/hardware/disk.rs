//! The persist barrier and the log (docs/semantics.md, rules 9, 15 and 16).

use crate::puppet::*;
use cluster::{Bandwidth, Loses, Passage};
use kernel::{NodeId, Time};

const USUAL: Loses = Loses::USUAL;

#[test]
fn a_send_waits_for_what_its_frame_persisted_before_it() {
    let (world, _) =
        stage(2).on(0, Cue::Start, vec![send(1, 1), persist(7), send(1, 2), timer(3, ms(1)), output(4)]).run();
    assert_eq!(heard(&world, 1), [(0, Cue::Start), (1_000, Cue::Hear(1)), (6_000, Cue::Hear(2))]);
    assert_eq!(heard(&world, 0)[1], (1_000, Cue::Timer(3)), "a timer does not wait");
}

#[test]
fn a_barrier_holds_over_later_steps_of_the_same_frame() {
    let (_, notebook) = stage(1)
        .on(0, Cue::Start, vec![timer(1, ms(2)), frame(9), persist(7)])
        .on(0, Cue::Timer(1), vec![output(1), frame(9), output(2)])
        .run();
    assert_eq!(notebook.outputs(), [(2_000, 1), (5_000, 2)], "the node's own frame has written nothing");
}

#[test]
fn an_fsync_of_one_frame_does_not_delay_another() {
    let (_, notebook) = stage(1).on(0, Cue::Start, vec![frame(1), persist(7), output(1), frame(2), output(2)]).run();
    assert_eq!(notebook.outputs(), [(0, 2), (5_000, 1)]);
}

#[test]
fn writes_that_wait_when_an_fsync_ends_share_the_next_one() {
    let (world, notebook) = stage(1)
        .on(0, Cue::Start, vec![timer(1, ms(1)), timer(2, ms(2)), frame(1), persist(7), output(1)])
        .on(0, Cue::Timer(1), vec![frame(2), persist(8), output(2)])
        .on(0, Cue::Timer(2), vec![frame(3), persist(9), output(3)])
        .run();
    assert_eq!(notebook.outputs(), [(5_000, 1), (10_000, 2), (10_000, 3)]);
    assert_eq!(notebook.times(|line| *line == Line::Fsync(0, 2)), [10_000]);
    assert_eq!(world.log(NodeId(0)).len(), 3);
    assert_eq!(world.unfinished(), 0);
}

#[test]
fn a_wake_passes_when_the_record_is_durable_and_at_once_if_there_is_none() {
    let (world, _) =
        stage(1).on(0, Cue::Start, vec![kernel::Effect::Wake(N(1)), persist(7), kernel::Effect::Wake(N(2))]).run();
    assert_eq!(heard(&world, 0), [(0, Cue::Start), (0, Cue::Timer(1)), (5_000, Cue::Timer(2))]);
}

#[test]
fn a_disk_without_latency_is_durable_in_the_same_instant() {
    let stage = stage(1).fsync(ms(0)).on(0, Cue::Start, vec![persist(7), output(1)]);
    let mut world = stage.world();
    let mut notebook = Notebook::default();
    world.step(&mut notebook);
    assert_eq!((notebook.outputs(), world.durable(NodeId(0))), (vec![(0, 1)], 1));
    assert_eq!(world.next_time(), None, "there is nothing to wait for");
}

#[test]
fn a_crash_loses_what_no_finished_fsync_covers_and_says_none_of_what_waited_for_it() {
    let (world, notebook) = stage(2)
        .on(0, Cue::Start, vec![timer(1, ms(6)), persist(7)])
        .on(0, Cue::Timer(1), vec![persist(8), timer(2, ms(1)), send(1, 1)])
        .on(0, Cue::Timer(2), vec![persist(9)])
        .fault(crash(&[0], ms(8), ms(20)))
        .run();
    let log = world.log(NodeId(0));
    assert!(log == [N(7)] || log == [N(7), N(8)], "9 waited for the next write: {log:?}");
    assert_eq!(heard(&world, 0), [(28_000, Cue::Restart(log.len()))], "memory and timers are gone");
    assert_eq!(messages(&world, 1), [0; 0]);
    let impact = world.ledger()[0].impact;
    assert_eq!((impact.records_lost, impact.messages_unsent), (3 - log.len() as u64, 1));
    assert_eq!(notebook.times(|line| matches!(line, Line::Message(Passage::Sent, _))), [0; 0]);
}

#[test]
fn a_write_in_flight_is_whole_absent_or_a_prefix() {
    let mut kept = [0_u32; 5];
    for seed in 0..300 {
        let mut world = stage(1)
            .seed(seed)
            .on(0, Cue::Start, (1..=4).map(persist).collect())
            .fault(crash(&[0], ms(1), ms(1)))
            .world();
        until(&mut world, ms(2), &mut ());
        kept[world.log(NodeId(0)).len()] += 1;
    }
    // Absent and whole: 1/3 and a share of the last third; over 300 seeds, 4 sigma are 33.
    assert!(kept[0] > 92 - 33 && kept[4] > 67 && kept[1..4].iter().all(|&n| n > 5), "{kept:?}");
    assert_eq!(kept.iter().sum::<u32>(), 300);
}

#[test]
fn a_crash_may_lose_less_or_more() {
    let run = |loses: Loses| {
        let mut world = stage(1)
            .on(0, Cue::Start, vec![timer(1, ms(6)), persist(7)])
            .on(0, Cue::Timer(1), vec![persist(8)])
            .world();
        until(&mut world, ms(7), &mut ());
        world.crash_now(NodeId(0), loses, &mut ());
        world.restart(NodeId(0), &mut ());
        heard(&world, 0).last().copied()
    };
    assert_eq!(
        run(Loses { unsynced: false, ..USUAL }),
        Some((6_000, Cue::Restart(2))),
        "a process crash keeps the cache"
    );
    assert_eq!(run(Loses { disk: true, ..USUAL }), Some((6_000, Cue::Restart(0))), "a new disk");
}

#[test]
fn what_a_process_persists_while_it_reads_its_log_comes_after_it() {
    let (world, _) = stage(1)
        .fsync(ms(0))
        .on(0, Cue::Start, vec![persist(1), persist(2)])
        .on(0, Cue::Restart(2), vec![persist(3)])
        .fault(crash(&[0], ms(8), ms(1)))
        .run();
    assert_eq!(world.log(NodeId(0)), [N(1), N(2), N(3)]);
    assert_eq!(world.now(), Time(9_000_000));
}

#[test]
fn a_write_takes_its_fsync_and_its_bytes() {
    // A record has 1 000 bytes: 1 ms.
    let (_, notebook) = stage(1)
        .disks(|disk| disk.throughput = Bandwidth::bits_per_second(8_000_000))
        .on(0, Cue::Start, vec![timer(1, ms(1)), persist(1), output(1)])
        .on(0, Cue::Timer(1), vec![persist(2), persist(3), output(2)])
        .run();
    assert_eq!(notebook.outputs(), [(6_000, 1), (13_000, 2)]);
}

#[test]
fn a_write_waits_to_gather_records_but_not_again_behind_a_write() {
    let (_, notebook) = stage(1)
        .disks(|disk| disk.group_commit = ms(2))
        .on(0, Cue::Start, vec![timer(1, ms(1)), timer(2, ms(3)), persist(1), output(1)])
        .on(0, Cue::Timer(1), vec![frame(2), persist(2), output(2)])
        .on(0, Cue::Timer(2), vec![frame(3), persist(3), output(3)])
        .run();
    assert_eq!(notebook.outputs(), [(7_000, 1), (7_000, 2), (12_000, 3)], "begun at 2 and 7 ms");
    assert_eq!(notebook.times(|line| *line == Line::Fsync(0, 2)), [7_000]);
}

#[test]
fn a_crash_while_a_write_gathers_loses_its_records() {
    let (world, notebook) = stage(1)
        .disks(|disk| disk.group_commit = ms(2))
        .on(0, Cue::Start, vec![persist(1), output(1)])
        .on(0, Cue::Restart(0), vec![persist(2), output(2)])
        .fault(crash(&[0], ms(1), ms(1)))
        .run();
    assert_eq!(notebook.outputs(), [(9_000, 2)]);
    assert_eq!((world.log(NodeId(0)), world.unfinished()), (&[N(2)][..], 0));
}

#[test]
fn a_full_disk_ends_no_write_and_the_run_goes_on() {
    let stage = || {
        stage(1)
            .disks(|disk| disk.capacity = Some(2_500))
            .on(0, Cue::Start, vec![timer(1, ms(10)), timer(2, ms(20)), persist(1), persist(2), output(1)])
            .on(0, Cue::Timer(1), vec![persist(3), output(2)])
            .on(0, Cue::Timer(2), vec![persist(4), frame(9), output(3)])
    };
    let (world, notebook) = stage().run();
    assert_eq!(notebook.outputs(), [(5_000, 1), (20_000, 3)], "another frame does not wait");
    assert_eq!(notebook.times(|line| *line == Line::DiskFull(0)), [10_000], "it is said once");
    assert_eq!((world.durable(NodeId(0)), world.unfinished()), (2, 1), "not at rest, and nothing is pending");
    let (world, notebook) = stage().fault(crash(&[0], ms(30), ms(1))).on(0, Cue::Restart(2), vec![persist(5)]).run();
    assert_eq!(notebook.times(|line| *line == Line::DiskFull(0)), [10_000, 31_000], "what was written takes its space");
    assert_eq!(world.durable(NodeId(0)), 2);
    let new = Loses { disk: true, ..USUAL };
    let mut world = stage().on(0, Cue::Restart(0), vec![persist(5)]).world();
    until(&mut world, ms(30), &mut ());
    world.crash_now(NodeId(0), new, &mut ());
    world.restart(NodeId(0), &mut ());
    until(&mut world, ms(60), &mut ());
    assert_eq!(world.durable(NodeId(0)), 1, "a new disk is empty");
}
