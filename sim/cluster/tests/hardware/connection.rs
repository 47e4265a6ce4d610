//! Opening connections, and what they have to do with order (docs/semantics.md, rule 12).

use cluster::{Direction, FaultKind, Opening, Reason, Transport, Wire};
use kernel::{Distribution, Span};

use crate::puppet::*;

/// Links of 1 ms whose connections cost a round trip.
fn opening(count: usize, transport: Transport) -> Stage {
    stage(count).link(constant(ms(1)), 0.0, transport).links(|link| link.opening = Opening::RoundTrip)
}

#[test]
fn the_first_message_of_a_connection_costs_a_round_trip_more() {
    let play = |transport| {
        let (world, _) = opening(2, transport)
            .on(0, Cue::Start, vec![send(1, 1), timer(1, ms(1)), timer(2, ms(10))])
            .on(0, Cue::Timer(1), vec![send(1, 2)])
            .on(0, Cue::Timer(2), vec![send(1, 3)])
            .on(1, Cue::Hear(3), vec![send(0, 4)])
            .run();
        let answer = heard(&world, 0).last().copied();
        (heard(&world, 1)[1..].iter().map(|(time, _)| *time).collect::<Vec<_>>(), answer)
    };
    let answer = Some((12_000, Cue::Hear(4)));
    assert_eq!(play(Transport::Tcp), (vec![3_000, 3_000, 11_000], answer), "2 waits in line; 4 needs no new one");
    assert_eq!(play(Transport::Pool), (vec![3_000, 4_000, 11_000], answer), "2 opens its own");
    assert_eq!(play(Transport::Udp), (vec![1_000, 2_000, 11_000], answer));
}

#[test]
fn a_pool_has_as_many_connections_as_it_needed_at_once() {
    let (world, _) = opening(2, Transport::Pool)
        .on(0, Cue::Start, vec![send(1, 1), send(1, 2), timer(1, ms(10))])
        .on(0, Cue::Timer(1), vec![send(1, 3), send(1, 4), send(1, 5)])
        .run();
    let times: Vec<u64> = heard(&world, 1)[1..].iter().map(|(time, _)| *time).collect();
    assert_eq!(times, [3_000, 3_000, 11_000, 11_000, 13_000]);
}

#[test]
fn a_lost_message_stalls_all_behind_it_on_tcp_and_only_itself_in_a_pool() {
    let play = |transport| {
        let loss = FaultKind::Loss { chance: 1.0, links: Vec::new() };
        let (world, _) = stage(2)
            .link(constant(ms(1)), 0.0, transport)
            .on(0, Cue::Start, ready())
            .on(0, READY, vec![send(1, 1), timer(1, ms(20))])
            .on(0, Cue::Timer(1), vec![send(1, 2)])
            .fault(fault("rain", loss, &[1], ms(0), ms(10)))
            .run();
        heard(&world, 1)[1..].to_vec()
    };
    assert_eq!(play(Transport::Tcp), [(201_000, Cue::Hear(1)), (201_000, Cue::Hear(2))]);
    assert_eq!(play(Transport::Pool), [(21_000, Cue::Hear(2)), (201_000, Cue::Hear(1))]);
}

#[test]
fn a_pool_gives_up_each_message_after_fifteen_seconds_and_a_dead_sender_at_once() {
    let loss = || fault("rain", FaultKind::Loss { chance: 1.0, links: Vec::new() }, &[1], ms(0), Span::secs(20));
    let stage = || {
        let stage = stage(2).link(constant(ms(1)), 0.0, Transport::Pool).on(0, Cue::Start, ready());
        stage.on(0, READY, vec![send(1, OPEN), send(1, 2)]).fault(loss())
    };
    let (world, _) = stage().run();
    assert_eq!(heard(&world, 0)[2..], [(15_000_000, Cue::Reset(OPEN)), (15_000_000, Cue::Reset(2))]);
    let (world, notebook) = stage().fault(crash(&[0], ms(100), ms(10))).run();
    assert_eq!((notebook.dropped(Reason::CrashedSender), world.unfinished()), (2, 0));
    assert_eq!(world.ledger()[1].impact.messages_unsent, 2);
}

#[test]
fn a_restart_of_either_end_closes_the_connection() {
    for node in [0, 1] {
        let (world, _) = opening(2, Transport::Tcp)
            .on(0, Cue::Start, vec![send(1, 1), timer(2, ms(30))])
            .on(0, Cue::Timer(2), vec![send(1, 2)])
            .on(0, Cue::Restart(0), vec![timer(2, ms(9))])
            .fault(crash(&[node], ms(20), ms(1)))
            .run();
        let last = heard(&world, 1).last().copied();
        assert_eq!(last, Some((33_000, Cue::Hear(2))), "3 ms after it was sent at 30 ms");
    }
}

#[test]
fn what_is_sent_to_a_dead_machine_vanishes_as_ever() {
    let (world, notebook) = opening(2, Transport::Tcp)
        .on(0, Cue::Start, vec![timer(1, ms(25)), timer(2, ms(29)), timer(3, ms(60))])
        .on(0, Cue::Timer(1), vec![send(1, 1)])
        .on(0, Cue::Timer(2), vec![send(1, 2)])
        .on(0, Cue::Timer(3), vec![send(1, 3)])
        .fault(crash(&[1], ms(20), ms(20)))
        .run();
    assert_eq!(heard(&world, 1), [(40_000, Cue::Restart(0)), (63_000, Cue::Hear(3))]);
    assert_eq!((notebook.dropped(Reason::CrashedReceiver), world.unfinished()), (2, 0));
}

#[test]
fn a_question_that_is_lost_is_asked_again_and_a_held_message_needs_no_answer() {
    let cut = |wire| FaultKind::Partition { sides: Vec::new(), direction: Direction::Both, wire };
    let play = |wire| {
        let stage = opening(2, Transport::Tcp).on(0, Cue::Start, ready()).on(0, READY, vec![send(1, 1)]);
        heard(&stage.fault(fault("cut", cut(wire), &[1], ms(0), ms(350))).run().0, 1)[1]
    };
    assert_eq!(play(Wire::Drop), (603_000, Cue::Hear(1)), "asked at 0, 200 and 600 ms");
    assert_eq!(play(Wire::Hold), (351_000, Cue::Hear(1)));
}

#[test]
fn a_connection_that_cannot_be_opened_is_given_up_after_fifteen_seconds() {
    let cut = FaultKind::Partition { sides: Vec::new(), direction: Direction::In, wire: Wire::Drop };
    let (world, _) = opening(2, Transport::Tcp)
        .on(0, Cue::Start, ready())
        .on(0, READY, vec![send(1, 1)])
        .fault(fault("cut", cut, &[0], ms(0), Span::secs(20)))
        .run();
    assert_eq!(heard(&world, 0).last(), Some(&(15_000_000, Cue::Reset(1))), "questions get through, answers do not");
}

#[test]
fn connections_of_a_network_without_latency_cost_nothing() {
    let fingerprint = |opening| {
        let stage = stage(2).link(constant(ms(0)), 0.0, Transport::Tcp).links(|link| link.opening = opening);
        stage.on(0, Cue::Start, vec![send(1, 1), send(1, 2)]).run().0.fingerprint()
    };
    assert_eq!(fingerprint(Opening::RoundTrip), fingerprint(Opening::Free));
}

#[test]
fn order_survives_openings_loss_jitter_and_copies_on_tcp() {
    let jitter = || Distribution::uniform(0.0, 20e6).expect("0 is less than 20 ms");
    let stage = stage(2).link(jitter(), 0.2, Transport::Tcp).links(|link| {
        (link.opening, link.corrupt, link.duplicate) = (Opening::RoundTrip, 0.05, 0.1);
        link.bandwidth = cluster::Bandwidth::bits_per_second(1_000_000);
    });
    let mut heard = messages(&stage.on(0, Cue::Start, (1..=300).map(|n| send(1, n)).collect()).run().0, 1);
    let mut seen = std::collections::BTreeSet::new();
    heard.retain(|n| seen.insert(*n));
    assert_eq!(heard, (1..=300).collect::<Vec<_>>());
}
