//! Messages between machines (docs/semantics.md, rules 1 and 12).

use cluster::{Bandwidth, Direction, Fault, FaultKind, LinkTarget, Loses, Passage, Reason, Target, Transport, Wire};
use kernel::{Distribution, NodeId, Span};

use crate::puppet::*;

fn jitter() -> Distribution {
    Distribution::uniform(0.0, 20e6).expect("0 is less than 20 ms")
}

/// Arrivals at node 1 of messages 1 to `count`, sent at once by node 0, in microseconds.
fn arrivals(count: u64, loss: f64, transport: Transport, latency: Distribution) -> Vec<(u64, Cue)> {
    let stage = stage(2).link(latency, loss, transport);
    heard(&stage.on(0, Cue::Start, (1..=count).map(|n| send(1, n)).collect()).run().0, 1)[1..].to_vec()
}

fn loss_fault(chance: f64, length: Span) -> Fault {
    fault("rain", FaultKind::Loss { chance, links: Vec::new() }, &[1], ms(0), length)
}

#[test]
fn tcp_keeps_the_order_that_udp_does_not() {
    let order =
        |transport| -> Vec<Cue> { arrivals(50, 0.0, transport, jitter()).into_iter().map(|(_, cue)| cue).collect() };
    let sent: Vec<Cue> = (1..=50).map(Cue::Hear).collect();
    assert_eq!(order(Transport::Tcp), sent);
    let mut udp = order(Transport::Udp);
    assert_ne!(udp, sent);
    udp.sort_unstable();
    assert_eq!(udp, sent, "but nothing is lost");
}

#[test]
fn order_survives_loss_and_jitter_on_tcp() {
    let cues: Vec<Cue> = arrivals(300, 0.2, Transport::Tcp, jitter()).into_iter().map(|(_, cue)| cue).collect();
    assert_eq!(cues, (1..=300).map(Cue::Hear).collect::<Vec<_>>());
}

#[test]
fn a_loss_costs_tcp_one_retransmission_timeout_which_doubles() {
    // Everything is lost until 350 ms: sent at 0, 200 and 600 ms.
    let (world, notebook) = stage(2)
        .on(0, Cue::Start, ready())
        .on(0, READY, vec![send(1, 1), send(1, 2)])
        .fault(loss_fault(1.0, ms(350)))
        .run();
    assert_eq!(heard(&world, 1)[1..], [(601_000, Cue::Hear(1)), (601_000, Cue::Hear(2))]);
    let lost = notebook.times(|line| matches!(line, Line::Message(Passage::Lost(Reason::Loss), _)));
    let again = notebook.times(|line| matches!(line, Line::Message(Passage::Retransmitted, _)));
    assert_eq!((lost, again), (vec![0, 200_000], vec![200_000, 600_000]), "message 2 waited and was sent once");
    assert_eq!(world.ledger()[0].impact.messages_lost, 2);
}

#[test]
fn after_fifteen_seconds_the_connection_is_reset_and_the_sender_told_for_each_message() {
    let (world, _) = stage(2)
        .on(0, Cue::Start, ready())
        .on(0, READY, vec![send(1, OPEN), send(1, 2)])
        .on(0, Cue::Reset(2), vec![send(1, 3)])
        .fault(loss_fault(1.0, Span::secs(14)))
        .run();
    assert_eq!(heard(&world, 0)[2..], [(15_000_000, Cue::Reset(OPEN)), (15_000_000, Cue::Reset(2))]);
    assert_eq!(heard(&world, 1)[1..], [(15_001_000, Cue::Hear(3))], "a new connection");
    assert_eq!(world.unfinished(), 0);
}

#[test]
fn a_sender_that_crashes_before_retransmission_never_sends_again() {
    let (world, notebook) = stage(2)
        .on(0, Cue::Start, ready())
        .on(0, READY, vec![send(1, 1), send(1, 2)])
        .fault(loss_fault(1.0, ms(50)))
        .fault(crash(&[0], ms(100), ms(10)))
        .run();
    assert_eq!(messages(&world, 1), [0; 0]);
    assert_eq!(notebook.dropped(Reason::CrashedSender), 2);
    assert_eq!((world.ledger()[1].impact.messages_unsent, world.unfinished()), (2, 0));
}

#[test]
fn udp_loses_what_is_lost_at_the_rate_of_the_link() {
    let lost = 20_000 - arrivals(20_000, 0.1, Transport::Udp, constant(ms(1))).len();
    // Binomial: 4 sigma are 4 · sqrt(20 000 · 0.1 · 0.9) = 170.
    assert!((1_830..=2_170).contains(&lost), "{lost}");
}

#[test]
fn a_loss_fault_hits_its_links_in_its_direction_only() {
    let link = LinkTarget { from: vec![Target::All(ids(&[0]))], to: vec![Target::All(ids(&[1]))] };
    let kind = FaultKind::Loss { chance: 1.0, links: vec![link] };
    let (world, _) = stage(3)
        .link(constant(ms(1)), 0.0, Transport::Udp)
        .on(0, Cue::Start, vec![timer(1, ms(1))])
        .on(0, Cue::Timer(1), vec![send(1, 1), send(2, 2)])
        .on(1, Cue::Start, vec![timer(1, ms(1))])
        .on(1, Cue::Timer(1), vec![send(0, 3)])
        .fault(fault("rain", kind, &[], ms(0), Span::secs(1)))
        .run();
    assert_eq!([0, 1, 2].map(|node| messages(&world, node)), [vec![3], vec![], vec![2]]);
    assert_eq!(world.ledger()[0].nodes, ids(&[0, 1]));
}

#[test]
fn a_message_to_itself_does_not_pass_the_network() {
    let (world, _) = stage(1).link(constant(ms(1)), 1.0, Transport::Tcp).on(0, Cue::Start, vec![send(0, 1)]).run();
    assert_eq!(heard(&world, 0)[1], (0, Cue::Hear(1)));
}

#[test]
fn messages_to_itself_arrive_at_once_and_in_order_whatever_the_network_does() {
    let cut = |wire| FaultKind::Partition { sides: Vec::new(), direction: Direction::Both, wire };
    let everything = |transport| {
        stage(2)
            .link(jitter(), 0.5, transport)
            .links(|link| (link.duplicate, link.bandwidth) = (0.5, Bandwidth::bits_per_second(1)))
            .on(0, Cue::Start, vec![timer(99, ms(1))])
            .fault(fault("loss", FaultKind::Loss { chance: 1.0, links: Vec::new() }, &[0], ms(0), ms(9)))
            .fault(fault("copy", FaultKind::Duplicate { chance: 1.0, links: Vec::new() }, &[0], ms(0), ms(9)))
            .fault(fault("drop", cut(Wire::Drop), &[0], ms(0), ms(9)))
            .fault(fault("hold", cut(Wire::Hold), &[0], ms(0), ms(9)))
    };
    for transport in [Transport::Tcp, Transport::Pool, Transport::Udp] {
        let stage = everything(transport).on(0, READY, vec![send(0, 1), timer(8, ms(0)), send(0, 2)]);
        let (world, _) = stage.on(0, Cue::Hear(1), vec![send(0, 3)]).run();
        let order = [Cue::Hear(1), Cue::Timer(8), Cue::Hear(2), Cue::Hear(3)];
        assert_eq!(heard(&world, 0)[2..], order.map(|cue| (1_000, cue)));
        assert!(world.ledger().iter().all(|entry| !entry.impact.effective()), "no fault touched them");
        let mut world = everything(transport).on(0, READY, vec![send(0, 1), persist(1), send(0, 2)]).world();
        until(&mut world, Span::micros(1_001), &mut ());
        world.crash_now(NodeId(0), Loses::USUAL, &mut ());
        world.restart(NodeId(0), &mut ());
        until(&mut world, Span::secs(9), &mut ());
        assert_eq!((messages(&world, 0), world.unfinished()), (vec![], 0), "what waited for the disk is lost");
        let at_once = everything(transport).on(0, READY, vec![send(0, 1), send(0, 2)]);
        let mut world = at_once.world();
        while heard(&world, 0).last() != Some(&(1_000, READY)) {
            world.step(&mut ());
        }
        let mut notebook = Notebook::default();
        world.crash_now(NodeId(0), Loses::USUAL, &mut notebook);
        world.restart(NodeId(0), &mut notebook);
        until(&mut world, Span::secs(9), &mut notebook);
        assert_eq!((messages(&world, 0), world.unfinished()), (vec![], 0), "nor what was sent, a moment ago");
        assert_eq!(notebook.dropped(Reason::StaleIncarnation), 2);
    }
}

#[test]
fn links_between_groups_have_their_own_latency() {
    let mut stage = stage(2).on(0, Cue::Start, vec![send(1, 1)]).on(1, Cue::Start, vec![send(0, 2)]);
    let link = |latency| cluster::Link::plain(constant(ms(latency)), 0.0, Transport::Tcp);
    stage.hardware.groups = 2;
    stage.hardware.links = vec![link(1), link(40), link(85), link(1)];
    stage.hardware.nodes[1].group = 1;
    let (world, _) = stage.run();
    assert_eq!((heard(&world, 1)[1], heard(&world, 0)[1]), ((40_000, Cue::Hear(1)), (85_000, Cue::Hear(2))));
}

#[test]
fn deleting_one_operation_leaves_the_latency_of_all_others() {
    let run = |numbers: Vec<u64>| {
        let say = numbers.into_iter().map(|n| send(1, n)).collect();
        let (world, _) = stage(2).link(jitter(), 0.1, Transport::Udp).on(0, Cue::Start, say).run();
        let mut heard = heard(&world, 1)[1..].to_vec();
        heard.sort_unstable_by_key(|(_, cue)| *cue);
        heard
    };
    let mut all = run((1..=200).collect());
    let at = all.iter().position(|(_, cue)| *cue == Cue::Hear(77)).expect("message 77 is not among the lost");
    all.remove(at);
    assert_eq!(run((1..=200).filter(|&n| n != 77).collect()), all);
}

#[test]
fn only_messages_that_are_not_background_keep_the_run_from_being_at_rest() {
    let mut world = stage(2).on(0, Cue::Start, vec![send(1, BACKGROUND), send(1, 1)]).world();
    world.step(&mut ());
    assert_eq!(world.unfinished(), 1);
    until(&mut world, Span::secs(1), &mut ());
    assert_eq!((world.unfinished(), messages(&world, 1).len()), (0, 2));
    assert_eq!(world.process(NodeId(1)).heard.len(), 3);
}
