//! The orders that matter, as transcripts.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{CellId, Digest, Effect, Message as _, NodeId, Span, Time};

use super::desk::{Desk, NOTHING, SHOP, keyed, letter, queue};
use crate::messaging::{
    Binding, Broker, Confirm, DeadLetter, Destination, Durability, Exchange, ExchangeKind, Figure, Message, Mutant,
    Place, QueuePlan, Record, Role, Settlement, Tag, Timer, owed, resolve,
};

const QUEUE: Destination = Destination::Queue(0);

#[test]
fn a_publish_is_confirmed_when_it_is_durable_and_delivered_not_before() {
    let desk = Desk::new(vec![queue(0)]);
    let (plan, mut broker, now) = (desk.plan, desk.broker, Time(5));
    let mut out: Vec<Effect<Role<u64>>> = Vec::new();
    let node = NodeId(1);
    broker.on_message(
        &plan,
        now,
        node,
        Message::Subscribe { consumer: 0, node, incarnation: Time(0), beat: 1 },
        &mut out,
    );
    let publish = Message::Publish { to: QUEUE, letter: letter(7), hop: 3, confirm: Confirm::Wanted };
    broker.on_message(&plan, now, SHOP, publish.clone(), &mut out);
    let place = Place { queue: 0, number: 1 };
    let frame = |out: &Vec<Effect<Role<u64>>>| {
        let Some(Effect::Frame(frame)) = out.iter().find(|effect| matches!(effect, Effect::Frame(_))) else {
            panic!("no frame")
        };
        *frame
    };
    let of_publish = frame(&out);
    let stored = Record::Stored { letter: letter(7), places: vec![place], from: None, time: now };
    let expected: Vec<Effect<Role<u64>>> =
        vec![Effect::Frame(of_publish), Effect::Persist(stored), Effect::Wake(Timer::Stored(1))];
    assert_eq!(format!("{out:?}"), format!("{expected:?}"), "neither confirmed nor there");
    assert_eq!(broker.unfinished(), 1);
    out.clear();
    broker.on_message(&plan, now, SHOP, publish, &mut out);
    assert_eq!(out.len(), 0, "a repeat of what still waits takes its place");
    broker.on_timer(&plan, Time(9), Timer::Stored(1), &mut out);
    let tells: Vec<&Effect<_>> =
        out.iter().filter(|effect| matches!(effect, Effect::Point(..) | Effect::Send(..))).collect();
    let Effect::Send(to, Message::Published { hop: 3, .. }) = tells[1] else { panic!("{tells:?}") };
    assert_eq!((*to, tells.len()), (SHOP, 4), "point, confirm, deliver, point: {tells:?}");
    // The frames of two messages differ, so neither waits for the other's record.
    out.clear();
    let another = Message::Publish { to: QUEUE, letter: letter(8), hop: 4, confirm: Confirm::Wanted };
    broker.on_message(&plan, now, SHOP, another, &mut out);
    assert_ne!(frame(&out), of_publish);
}

#[test]
fn a_message_goes_its_way() {
    let mut desk = Desk::new(vec![QueuePlan { max_deliveries: Some(3), ..queue(0) }]);
    assert_eq!(desk.subscribe(0, 1, 0), NOTHING);
    assert_eq!(
        desk.at(5).publish(QUEUE, letter(7)),
        [
            "persist stored 7 in 0.1",
            "point 0 of 0",
            "send 9 stored 7",
            "persist delivered 0.1 1",
            "send 1 deliver 7 for time 1",
            "point 1 of 0"
        ]
    );
    assert_eq!(desk.figures(0), [1, 0, 1, 1, 0, 0, 0, 0]);
    let tag = desk.last();
    assert_eq!(desk.at(8).ack(tag), ["persist gone 0.1 Acknowledged"]);
    assert_eq!(desk.figures(0), [0, 0, 0, 1, 1, 0, 0, 0]);
    assert_eq!(desk.ack(tag), NOTHING);
    assert_eq!(desk.figure(0, Figure::StaleAcks), 1);
    let measured: Vec<_> = desk.samples.iter().map(|sample| (sample.series.0, sample.tag, sample.value)).collect();
    assert_eq!(measured, [(0, 0, Span::ZERO), (1, 0, Span::millis(3))], "wait, then age");
    assert_eq!((desk.broker.unfinished(), owed(&desk.plan, &desk.log)), (0, 0));
}

#[test]
fn a_message_leaves_when_the_record_of_it_is_durable() {
    let mut desk = Desk::new(vec![queue(0)]);
    desk.put(keyed(7, 1));
    desk.subscribe(0, 1, 0);
    let tag = desk.last();
    let mut out: Vec<Effect<Role<u64>>> = Vec::new();
    let ack = || Message::Settle { tag, operation: 0, how: Settlement::Ack };
    desk.broker.on_message(&desk.plan, desk.now, NodeId(1), ack(), &mut out);
    let held: Vec<_> = desk.broker.held(0).map(|held| (held.number, held.in_flight)).collect();
    assert_eq!(held, [(1, true)], "until then it counts");
    assert!(matches!(
        out[..],
        [Effect::Frame(_), Effect::Persist(_), Effect::Wake(Timer::Gone { queue: 0, number: 1 })]
    ));
    desk.broker.on_message(&desk.plan, desk.now, NodeId(1), ack(), &mut out);
    desk.broker.on_timer(&desk.plan, desk.now, Timer::Gone { queue: 0, number: 1 }, &mut out);
    assert_eq!(desk.broker.figure(0, Figure::StaleAcks), 1, "a second acknowledgement finds it settled");
    assert_eq!(desk.broker.unfinished(), 0);
}

#[test]
fn one_publish_is_stored_in_all_its_queues_and_confirmed_once() {
    let mut desk = Desk::new(vec![queue(0), QueuePlan { durability: Durability::Transient, ..queue(1) }, queue(2)]);
    let bindings = [("order.*", 0), ("order.#", 1), ("#", 2)];
    let bindings = bindings.map(|(key, to)| Binding { key, to: Destination::Queue(to) }).to_vec();
    let shop = Exchange { kind: ExchangeKind::Topic, broker: NodeId(0), unroutable: None, bindings };
    let direct =
        Exchange { kind: ExchangeKind::Direct, broker: NodeId(0), unroutable: Some(CellId(999)), bindings: vec![] };
    desk.plan.exchanges = resolve(&[shop, direct], &[(1, "order.new"), (2, "order")]);
    desk.broker = Broker::new(&desk.plan, NodeId(0));
    let said = desk.publish(Destination::Exchange(0), keyed(7, 1));
    assert_eq!(
        said,
        ["persist stored 7 in 0.1 2.1", "point 0 of 0", "point 0 of 1", "point 0 of 2", "send 9 stored 7"]
    );
    assert_eq!([0, 1, 2].map(|queue| desk.figure(queue, Figure::Ready)), [1, 1, 1]);
    desk.publish(Destination::Exchange(0), keyed(8, 2));
    assert_eq!([0, 1, 2].map(|queue| desk.figure(queue, Figure::Ready)), [1, 2, 2]);
    assert_eq!(desk.publish(Destination::Exchange(1), keyed(9, 1)), ["send 9 unroutable 9"], "a confirm, but counted");
    let mut lost = vec![];
    desk.broker.volatile_cells(&desk.plan, &mut |cell, _, value| lost.extend((cell == CellId(999)).then_some(value)));
    assert_eq!(lost, [1]);
    let unanswered = Message::Publish { to: QUEUE, letter: letter(10), hop: 0, confirm: Confirm::Unwanted };
    assert_eq!(desk.hear(SHOP, unanswered), ["persist stored 10 in 0.2", "point 0 of 0"]);
}

#[test]
fn a_restarted_broker_has_what_its_log_says_and_deliveries_of_before_are_stale() {
    let dead = Some(DeadLetter { to: Destination::Queue(1), key: Some(5) });
    let first = QueuePlan { max_deliveries: Some(2), dead_letter: dead, ..queue(0) };
    let mut desk = Desk::new(vec![first, queue(1), QueuePlan { durability: Durability::Transient, ..queue(2) }]);
    desk.at(1).put(letter(1));
    desk.put(letter(2));
    desk.put(letter(3));
    desk.publish(Destination::Queue(2), letter(4));
    desk.subscribe(0, 1, 0);
    let [one, two] = desk.tags[..] else { panic!("two at a time") };
    desk.at(3).settle(two, Settlement::Requeue);
    assert_eq!((desk.last().number, desk.last().delivery), (2, 2));
    desk.ack(one);
    let before = desk.figures(0);
    let open = open_samples(&desk);
    assert_eq!(open, [(1, 2), (1, 3), (4, 4), (5, 4)], "ages, and a wait that has not ended");
    let said = desk.restart(10);
    assert_eq!(
        said,
        ["persist stored 2 in 1.1 from 0.2", "send 1 hello", "send 2 hello", "send 3 hello"],
        "delivered twice already, so it is dead; what was delivered once is not delivered for the first time again"
    );
    assert_eq!((before, desk.figures(0)), ([2, 0, 2, 3, 1, 0, 0, 0], [1, 1, 0, 3, 1, 0, 1, 0]));
    assert_eq!(desk.figures(1), [1, 1, 0, 1, 0, 0, 0, 0]);
    assert_eq!(desk.figures(2), [0; 8], "nothing is known of a transient queue");
    let dead: Vec<_> = desk.broker.held(1).map(|held| (held.letter.key, held.letter.from_queue)).collect();
    assert_eq!(dead, [(Some(5), Some(0))]);
    assert_eq!(desk.subscribe(0, 1, 0), ["persist delivered 0.3 2", "send 1 deliver 3 for time 2", "point 1 of 0"]);
    let stale = Tag { epoch: Time(0), ..desk.last() };
    assert_eq!(desk.ack(stale), NOTHING);
    assert_eq!(desk.figure(0, Figure::StaleAcks), 1);
    assert_eq!(owed(&desk.plan, &desk.log), 2);
}

/// Series and letter of what is being measured.
fn open_samples(desk: &Desk) -> Vec<(u32, u64)> {
    let mut open = Vec::new();
    desk.broker.open_samples(&desk.plan, &mut |series, since| open.push((series.0, since.0)));
    let mut letters = Vec::new();
    for queue in 0..3 {
        for held in desk.broker.held(queue) {
            letters.push((2 * queue + 1, held.letter.id));
            letters.extend((held.deliveries == 0).then_some((2 * queue, held.letter.id)));
        }
    }
    assert_eq!(open.len(), letters.len());
    letters.sort_unstable();
    letters
}

#[test]
fn every_message_of_a_letter_draws_for_itself() {
    let tag = |delivery, epoch| Tag { queue: 0, delivery, number: 1, epoch: Time(epoch) };
    let deliver = |tag, copy| Message::Deliver { consumer: 0, tag, deliveries: 1, copy, letter: letter(7) };
    let settle = |tag, how| Message::Settle { tag, operation: 7, how };
    let publish = |hop| Message::Publish { to: QUEUE, letter: letter(7), hop, confirm: Confirm::Wanted };
    let beat = |node, beat| Message::Subscribe { consumer: 0, node: NodeId(node), incarnation: Time(0), beat };
    let hello = |node, epoch| Message::Hello { node: NodeId(node), epoch: Time(epoch) };
    let messages: Vec<Message<u64>> = vec![
        publish(1),
        publish(2),
        deliver(tag(1, 0), 0),
        deliver(tag(1, 0), 1),
        deliver(tag(2, 0), 0),
        deliver(tag(1, 5), 0),
        settle(tag(1, 0), Settlement::Ack),
        settle(tag(2, 0), Settlement::Ack),
        settle(tag(1, 0), Settlement::Requeue),
        beat(1, 1),
        beat(1, 2),
        beat(2, 1),
        hello(1, 1),
        hello(2, 1),
        hello(1, 2),
    ];
    for (n, one) in messages.iter().enumerate() {
        for two in &messages[..n] {
            assert_ne!(one.route(), two.route(), "{one:?} {two:?}");
            assert_ne!(one.digest(), two.digest());
        }
    }
}

#[test]
fn timers_stay_small_and_mutants_have_names() {
    assert!(size_of::<Timer>() <= 16);
    for (mutant, name, _) in Mutant::ALL {
        assert_eq!((Mutant::named(name), mutant.name()), (Some(mutant), name));
    }
}
