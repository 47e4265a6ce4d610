//! Cut links (docs/semantics.md, rule 11).

use cluster::{Direction, Fault, FaultKind, Passage, Reason, Target, Transport, Trigger, Wire};
use kernel::{Distribution, PointId, Span};

use crate::puppet::*;

fn cut(wire: Wire, direction: Direction, at: Span, length: Span) -> Fault {
    fault("cut", FaultKind::Partition { sides: Vec::new(), direction, wire }, &[0], at, length)
}

/// Node 0 sends 1 to node 1 at 9.5 ms and 2 at 12 ms; node 1 sends 3 to node 0 at 12 ms. The cut lasts from 10 to 30 ms.
fn two(wire: Wire, direction: Direction, transport: Transport) -> [Vec<(u64, Cue)>; 2] {
    let (world, _) = stage(2)
        .link(constant(ms(1)), 0.0, transport)
        .on(0, Cue::Start, vec![timer(1, Span::micros(9_500)), timer(2, ms(12))])
        .on(0, Cue::Timer(1), vec![send(1, 1)])
        .on(0, Cue::Timer(2), vec![send(1, 2)])
        .on(1, Cue::Start, vec![timer(3, ms(12))])
        .on(1, Cue::Timer(3), vec![send(0, 3)])
        .fault(cut(wire, direction, ms(10), ms(20)))
        .run();
    assert_eq!(world.unfinished(), 0);
    [0, 1].map(|node| heard(&world, node).into_iter().filter(|(_, cue)| matches!(cue, Cue::Hear(_))).collect())
}

#[test]
fn a_message_is_lost_if_its_link_is_cut_when_sent_or_when_it_would_arrive() {
    assert_eq!(two(Wire::Drop, Direction::Both, Transport::Udp), [vec![], vec![]]);
}

#[test]
fn tcp_sends_again_what_a_cut_dropped_with_all_that_was_behind_it() {
    let [first, second] = two(Wire::Drop, Direction::Both, Transport::Tcp);
    assert_eq!(first, [(213_000, Cue::Hear(3))]);
    // 1 was sent at 9.5 ms; 2 waits behind it.
    assert_eq!(second, [(210_500, Cue::Hear(1)), (210_500, Cue::Hear(2))]);
}

#[test]
fn hold_delivers_in_order_one_latency_after_the_cut() {
    let [first, second] = two(Wire::Hold, Direction::Both, Transport::Tcp);
    assert_eq!((first, second), (vec![(31_000, Cue::Hear(3))], vec![(31_000, Cue::Hear(1)), (31_000, Cue::Hear(2))]));
}

#[test]
fn direction_says_which_way_is_cut() {
    let [first, second] = two(Wire::Drop, Direction::In, Transport::Udp);
    assert_eq!((first, second.len()), (vec![], 2), "only messages to node 0");
    let [first, second] = two(Wire::Drop, Direction::Out, Transport::Udp);
    assert_eq!((first.len(), second), (1, vec![]), "only messages from node 0");
}

#[test]
fn sides_are_cut_from_each_other_and_nodes_on_no_side_talk_to_everyone() {
    let side = |nodes: &[u32]| vec![Target::All(ids(nodes))];
    let sides = vec![side(&[0]), side(&[1, 2])];
    let kind = FaultKind::Partition { sides, direction: Direction::Both, wire: Wire::Drop };
    let everyone = |from: u32| (0..4).filter(|&to| to != from).map(|to| send(to, u64::from(from))).collect::<Vec<_>>();
    let mut stage = stage(4).link(constant(ms(1)), 0.0, Transport::Udp);
    for node in 0..4 {
        stage = stage.on(node, Cue::Start, vec![timer(9, ms(2))]).on(node, Cue::Timer(9), everyone(node));
    }
    let (world, _) = stage.fault(fault("split", kind, &[], ms(1), Span::secs(1))).run();
    let from = |node| messages(&world, node);
    assert_eq!([from(0), from(1), from(2), from(3)], [vec![3], vec![2, 3], vec![1, 3], vec![0, 1, 2]]);
    assert_eq!(world.ledger()[0].impact.messages_lost, 4);
}

#[test]
fn others_are_all_that_no_other_side_has() {
    let sides = vec![vec![Target::Others], vec![Target::Any { of: ids(&[0, 1, 2]), count: 1 }]];
    let kind = FaultKind::Partition { sides, direction: Direction::Both, wire: Wire::Drop };
    let mut stage = stage(5).link(constant(ms(1)), 0.0, Transport::Udp).on(4, Cue::Start, vec![timer(9, ms(2))]);
    stage = stage.on(4, Cue::Timer(9), (0..4).map(|to| send(to, 1)).collect());
    let (world, _) = stage.fault(fault("split", kind, &[], ms(1), Span::secs(1))).run();
    let cut_off: Vec<u32> = (0..4).filter(|&node| messages(&world, node).is_empty()).collect();
    assert!(cut_off.len() == 1 && cut_off[0] < 3, "{cut_off:?}");
}

#[test]
fn a_retransmission_overtakes_nothing_when_links_are_slower_than_its_timer() {
    // 300 ms one way: 1 is cut at its arrival (300 ms), at once sent again into the cut, and after 400 ms more sent with
    // 2 and 3, which were in flight behind it.
    let (world, notebook) = stage(2)
        .link(constant(ms(300)), 0.0, Transport::Tcp)
        .on(0, Cue::Start, vec![send(1, 1), timer(2, ms(50)), timer(3, ms(250))])
        .on(0, Cue::Timer(2), vec![send(1, 2)])
        .on(0, Cue::Timer(3), vec![send(1, 3)])
        .fault(cut(Wire::Drop, Direction::Both, ms(299), ms(2)))
        .run();
    assert_eq!(messages(&world, 1), [1, 2, 3]);
    assert_eq!(notebook.times(|line| matches!(line, Line::Message(Passage::Delivered, _)))[0], 1_000_000);
}

#[test]
fn everything_arrives_once_and_in_the_order_sent_through_flapping_cuts() {
    for (seed, wire) in (0..40).flat_map(|seed| [(seed, Wire::Drop), (seed, Wire::Hold)]) {
        let jitter = Distribution::uniform(1e6, 400e6).expect("1 ms is less than 400 ms");
        let mut stage = stage(2).seed(seed).fsync(ms(90)).link(jitter, 0.05, Transport::Tcp);
        stage = stage.on(0, Cue::Start, (1..=60).map(|n| timer(n, Span::millis(n * 23))).collect());
        for n in 1..=60 {
            // Every third waits for the disk and is overtaken by those said after it.
            let write = if n % 3 == 0 { vec![frame(n), persist(n)] } else { Vec::new() };
            stage = stage.on(0, Cue::Timer(n), write).on(0, Cue::Timer(n), vec![send(1, n)]);
        }
        for n in 0..12 {
            let flap = cut(wire, Direction::Both, Span::millis(100 + n * 130), Span::millis(20 + n * 5));
            stage = stage.fault(Fault { name: format!("flap {n}"), ..flap });
        }
        let (world, notebook) = stage.run();
        let sent: Vec<u64> = notebook
            .lines
            .iter()
            .filter_map(|(_, line)| if let Line::Message(Passage::Sent, n) = line { Some(u64::from(*n)) } else { None })
            .collect();
        assert!(sent.len() == 60 && !sent.is_sorted());
        assert_eq!(messages(&world, 1), sent, "seed {seed}, {wire:?}");
        assert_eq!(world.unfinished(), 0);
    }
}

#[test]
fn a_cut_at_a_point_meets_what_is_said_right_after_it() {
    let trigger = Trigger::Point { points: vec![PointId(5)], of: None, nth: number(1) };
    let cut =
        Fault { trigger, targets: vec![Target::Same(ids(&[0]))], ..cut(Wire::Drop, Direction::Out, ms(0), ms(9)) };
    let (world, _) = stage(2)
        .link(constant(ms(0)), 0.0, Transport::Udp)
        .on(0, Cue::Start, vec![timer(1, ms(1))])
        .on(0, Cue::Timer(1), vec![send(1, 1), timer(2, ms(1))])
        .on(0, Cue::Timer(2), vec![point(5), send(1, 2), timer(3, ms(9))])
        .on(0, Cue::Timer(3), vec![send(1, 3)])
        .fault(cut)
        .run();
    assert_eq!(messages(&world, 1), [1, 3]);
}

#[test]
fn what_a_dead_sender_had_held_in_the_network_still_arrives() {
    let (world, notebook) = stage(2)
        .on(0, Cue::Start, vec![timer(1, ms(12)), timer(2, ms(13))])
        .on(0, Cue::Timer(1), vec![send(1, 1)])
        .fault(cut(Wire::Hold, Direction::Both, ms(10), ms(20)))
        .fault(crash(&[0], ms(15), Span::secs(1)))
        .run();
    assert_eq!(heard(&world, 1)[1..], [(31_000, Cue::Hear(1))]);
    assert_eq!(notebook.dropped(Reason::CrashedSender), 0);
    assert_eq!(world.ledger()[0].impact.messages_held, 1);
}
