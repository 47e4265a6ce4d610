//! What a queue does, rule by rule.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{Distribution, Key, NodeId, Span};

use super::desk::{Desk, NOTHING, keyed, letter, queue};
use crate::messaging::{
    AtRest, Chance, DeadLetter, Destination, Durability, Figure, Latency, Letter, Message, Ordering, Overflow,
    QueuePlan, Settlement, Tag, Timer, Trouble,
};

/// The letters that were delivered, in order.
fn delivered(said: &[String]) -> Vec<u64> {
    let number = |line: &String| {
        let rest = line.split_once("deliver ")?.1;
        rest.split(' ').next()?.parse().ok()
    };
    said.iter().filter(|line| line.starts_with("send")).filter_map(number).collect()
}

const DEAD_LETTER: Option<DeadLetter> = Some(DeadLetter { to: Destination::Queue(1), key: None });

#[test]
fn consumers_compete_in_turn_and_have_no_more_than_their_prefetch() {
    let mut desk = Desk::new(vec![queue(0)]);
    for node in 1..=3 {
        desk.subscribe(0, node, 0);
    }
    let said: Vec<String> = (1..=8).flat_map(|id| desk.put(letter(id))).collect();
    let to: Vec<&str> = said.iter().map(|line| &line[5..6]).collect();
    assert_eq!(to, ["1", "2", "3", "1", "2", "3"], "two each, and two wait");
    assert_eq!(desk.figures(0)[..3], [8, 2, 6]);
    let of_two = desk.tags[1];
    assert_eq!(desk.ack(of_two)[1..], ["send 2 deliver 7 for time 1", "point 1 of 0"]);
    assert_eq!(desk.subscribe(0, 2, 0), NOTHING, "a heartbeat");
}

#[test]
fn fifo_and_per_key_and_none_differ_in_who_waits_for_what_came_back() {
    let orders = [(Ordering::Fifo, [1, 2, 3]), (Ordering::PerKey, [1, 3, 2]), (Ordering::None, [2, 3, 1])];
    for (ordering, order) in orders {
        let mut desk = Desk::new(vec![QueuePlan { ordering, ..queue(0) }]);
        desk.plan.consumers[0].prefetch = Some(1);
        for (id, key) in [(1, 5), (2, 5), (3, 6)] {
            desk.put(keyed(id, key));
        }
        assert_eq!(delivered(&desk.subscribe(0, 1, 0)), [1]);
        let (first, mut found) = (desk.last(), vec![]);
        found.extend(delivered(&desk.settle(first, Settlement::Requeue)));
        // Per key: 1 came back and its key may go on; with it under way again a second consumer gets 3, not 2.
        found.extend(delivered(&desk.subscribe(0, 2, 0)));
        let last = desk.last();
        found.extend(delivered(&desk.ack(last)));
        if ordering == Ordering::PerKey {
            assert_eq!(found, [1, 3], "2 waits for 1");
            let one = desk.tags[1];
            found.extend(delivered(&desk.ack(one)));
        }
        assert_eq!(found, order, "{ordering:?}");
    }
}

#[test]
fn with_a_delay_a_message_that_comes_back_holds_up_its_line() {
    for (ordering, goes_on) in [(Ordering::Fifo, vec![]), (Ordering::PerKey, vec![3]), (Ordering::None, vec![2])] {
        let delay = Span::millis(100);
        let mut desk = Desk::new(vec![QueuePlan { ordering, redelivery_delay: delay, ..queue(0) }]);
        desk.plan.consumers[0].prefetch = Some(1);
        for (id, key) in [(1, 5), (2, 5), (3, 6)] {
            desk.put(keyed(id, key));
        }
        desk.subscribe(0, 1, 0);
        let first = desk.last();
        let said = desk.settle(first, Settlement::Requeue);
        assert_eq!(delivered(&said), goes_on, "{ordering:?}");
        assert_eq!(desk.figure(0, Figure::Ready), 3 - goes_on.len() as i64, "it is ready, though not deliverable");
        if !goes_on.is_empty() {
            let last = desk.last();
            desk.ack(last);
        }
        desk.at(100);
        let said = desk.due(Timer::Due { queue: 0, number: 1 });
        assert_eq!(delivered(&said), if ordering == Ordering::None { vec![] } else { vec![1] }, "{ordering:?}");
    }
}

#[test]
fn a_full_queue_of_a_capacity_makes_publishers_wait_and_one_of_a_length_refuses() {
    let mut desk = Desk::new(vec![QueuePlan { capacity: Some(2), ..queue(0) }]);
    desk.subscribe(0, 1, 0);
    let answered = |said: &[String]| said.iter().filter(|line| line.contains("stored ")).count();
    let mut said: Vec<String> = (1..=4).flat_map(|id| desk.publish(Destination::Queue(0), letter(id))).collect();
    assert_eq!((answered(&said), desk.figure(0, Figure::Blocked)), (4, 2), "persisted and confirmed: two");
    said = desk.publish(Destination::Queue(0), letter(3));
    assert_eq!((said, desk.figure(0, Figure::Blocked)), (vec![], 2), "asked again while it waits: still one");
    assert_eq!(desk.broker.unfinished(), 4);
    let first = desk.tags[0];
    said = desk.ack(first);
    assert!(said.contains(&String::from("send 9 stored 3")) && delivered(&said) == [3], "{said:?}");
    assert_eq!((desk.figures(0)[0], desk.figure(0, Figure::Blocked)), (2, 1));

    let limited = QueuePlan { max_length: Some(2), ..queue(0) };
    let mut desk = Desk::new(vec![limited.clone()]);
    desk.subscribe(0, 1, 0);
    let said: Vec<String> = (1..=5).flat_map(|id| desk.publish(Destination::Queue(0), letter(id))).collect();
    assert_eq!(said.last().expect("an answer"), "send 9 refused 5", "two in flight do not count, two ready do");
    assert_eq!((desk.figures(0)[..4].to_vec(), desk.figure(0, Figure::Refused)), (vec![4, 2, 2, 4], 1));

    for (overflow, gone) in [(Overflow::DropOldest, "Dropped"), (Overflow::DeadLetter, "from 0.1")] {
        let dead = QueuePlan { at_rest: AtRest::Any, ..queue(1) };
        let mut desk = Desk::new(vec![QueuePlan { overflow, dead_letter: DEAD_LETTER, ..limited.clone() }, dead]);
        let said: Vec<String> = (1..=3).flat_map(|id| desk.publish(Destination::Queue(0), letter(id))).collect();
        assert!(said.iter().any(|line| line.ends_with(gone)), "{said:?}");
        assert_eq!((desk.figures(0)[0], desk.broker.unfinished()), (2, 2), "dead letters do not count");
        assert_eq!(delivered(&desk.subscribe(0, 1, 0)), [2, 3]);
    }
}

#[test]
fn a_dead_letter_finds_no_room_and_is_dropped() {
    let full = QueuePlan { max_length: Some(1), ..queue(1) };
    let first = QueuePlan { max_deliveries: Some(1), dead_letter: DEAD_LETTER, ..queue(0) };
    let mut desk = Desk::new(vec![first, full]);
    desk.subscribe(0, 1, 0);
    for id in 1..=2 {
        desk.put(letter(id));
        let tag = desk.last();
        desk.settle(tag, Settlement::Requeue);
    }
    assert_eq!(desk.figures(0), [0, 0, 0, 2, 0, 0, 1, 1]);
    assert_eq!(desk.figures(1), [1, 1, 0, 1, 0, 0, 0, 0]);
}

#[test]
fn max_deliveries_counts_the_first_and_dead_letters_or_drops() {
    for (dead_letter, figures) in [(DEAD_LETTER, [0, 0, 0, 1, 0, 0, 1, 0]), (None, [0, 0, 0, 1, 0, 0, 0, 1])] {
        let mut desk = Desk::new(vec![QueuePlan { max_deliveries: Some(3), dead_letter, ..queue(0) }, queue(1)]);
        desk.subscribe(0, 1, 0);
        desk.put(letter(1));
        for time in 1..=3 {
            assert_eq!((desk.tags.len(), desk.figure(0, Figure::Redelivered)), (time, time as i64 - 1));
            let tag = desk.last();
            desk.settle(tag, Settlement::Requeue);
        }
        assert_eq!((desk.figures(0), desk.tags.len()), (figures, 3));
    }
    // Rejected: at once, whatever the number of deliveries.
    let mut desk = Desk::new(vec![QueuePlan { dead_letter: DEAD_LETTER, ..queue(0) }, queue(1)]);
    desk.subscribe(0, 1, 0);
    desk.put(letter(1));
    let tag = desk.last();
    assert_eq!(desk.settle(tag, Settlement::Reject), ["persist stored 1 in 1.1 from 0.1"], "one record for both");
}

#[test]
fn dead_lettering_unblocks_the_key() {
    let keys = QueuePlan { ordering: Ordering::PerKey, max_deliveries: Some(1), ..queue(0) };
    let mut desk = Desk::new(vec![keys]);
    desk.subscribe(0, 1, 0);
    assert_eq!(delivered(&desk.put(keyed(1, 5))), [1]);
    assert_eq!(delivered(&desk.put(keyed(2, 5))), [0; 0]);
    assert_eq!(delivered(&desk.put(letter(3))), [3], "without a key it waits for nobody");
    let one = desk.tags[0];
    assert_eq!(delivered(&desk.settle(one, Settlement::Requeue)), [2]);
}

#[test]
fn a_message_is_delivered_again_when_its_time_is_over_or_its_consumer_is_gone() {
    let timed = QueuePlan { visibility_timeout: Some(Span::secs(5)), ..queue(0) };
    let mut desk = Desk::new(vec![timed]);
    desk.subscribe(0, 1, 0);
    let said = desk.put(letter(1));
    assert_eq!(said, ["send 1 deliver 1 for time 1", "set Unsettled { queue: 0, number: 1 } Fixed(Span(5000000000))"]);
    let first = desk.last();
    desk.at(5_000);
    assert_eq!(delivered(&desk.due(Timer::Unsettled { queue: 0, number: 1 })), [1]);
    assert_eq!(desk.ack(first), NOTHING, "too late: it was delivered again");
    assert_eq!((desk.figure(0, Figure::StaleAcks), desk.figure(0, Figure::Redelivered)), (1, 1));
    // In a new life the consumer has nothing of the old one.
    assert_eq!(delivered(&desk.subscribe(0, 1, 7)), [1]);
    assert_eq!(desk.subscribe(0, 1, 0), NOTHING, "a word from the life before, overtaken");
    // Another one is there when the connection is lost.
    desk.subscribe(0, 2, 0);
    let said = desk.say(|broker, plan, now, out| broker.consumer_gone(plan, now, NodeId(1), out));
    assert_eq!(said.iter().filter(|line| line.starts_with("send 2 deliver")).count(), 1, "{said:?}");
    let message = Message::Deliver { consumer: 0, tag: desk.last(), deliveries: 4, copy: 0, letter: letter(1) };
    let said = desk.say(|broker, plan, now, out| broker.on_reset(plan, now, NodeId(2), &message, out));
    assert_eq!((delivered(&said), desk.figures(0)[..3].to_vec()), (vec![], vec![1, 1, 0]), "nobody is left");
    let tag = desk.last();
    assert_eq!(delivered(&desk.subscribe(0, 2, 0)), [1], "the same life may come again");
    let now = desk.last();
    assert_eq!((desk.ack(tag).len(), desk.ack(now).len()), (0, 2), "settled: the timer is cancelled");
}

#[test]
fn what_waits_too_long_expires_on_time_but_not_in_flight() {
    let short = QueuePlan { message_ttl: Some(Span::secs(1)), ..queue(0) };
    let mut desk = Desk::new(vec![short.clone()]);
    desk.plan.consumers[0].prefetch = Some(1);
    assert_eq!(desk.put(letter(1)), ["set Expire(0) Fixed(Span(1000000000))"]);
    assert_eq!(desk.at(400).put(letter(2)), NOTHING, "one timer, for the oldest");
    desk.subscribe(0, 1, 0);
    let first = desk.last();
    assert_eq!(desk.at(1_000).due(Timer::Expire(0)), ["set Expire(0) Fixed(Span(400000000))"], "1 is in flight");
    assert_eq!(desk.at(1_400).due(Timer::Expire(0)), ["persist gone 0.2 Expired"]);
    let said = desk.settle(first, Settlement::Requeue);
    assert_eq!(said, ["set Expire(0) Fixed(Span(0))", "persist gone 0.1 Expired"], "it came back too late");
    assert_eq!((desk.figures(0)[..6].to_vec(), desk.tags.len()), (vec![0, 0, 0, 2, 0, 2], 1));
    // With somewhere to go it is a dead letter.
    let mut desk = Desk::new(vec![QueuePlan { dead_letter: DEAD_LETTER, ..short }, queue(1)]);
    desk.put(letter(1));
    desk.at(1_000).due(Timer::Expire(0));
    assert_eq!((desk.figures(0)[4..].to_vec(), desk.figures(1)[1]), (vec![0, 0, 1, 0], 1));
}

#[test]
fn priorities_go_first_and_latency_comes_before_delivery() {
    let mut desk = Desk::new(vec![QueuePlan { priorities: 3, ..queue(0) }]);
    for (id, priority) in [(1, 0), (2, 2), (3, 1), (4, 9)] {
        desk.put(Letter { priority, ..letter(id) });
    }
    desk.plan.consumers[0].prefetch = None;
    assert_eq!(delivered(&desk.subscribe(0, 1, 0)), [2, 4, 3, 1], "more than the highest is the highest");
    let law = Distribution::constant(2e6).expect("a length");
    let latency = Some(Latency { law, key: Key(1) });
    let mut desk = Desk::new(vec![QueuePlan { latency, ..queue(0) }]);
    desk.subscribe(0, 1, 0);
    assert_eq!(desk.put(letter(1)), ["set Due { queue: 0, number: 1 } Fixed(Span(2000000))"]);
    assert_eq!(delivered(&desk.at(2).due(Timer::Due { queue: 0, number: 1 })), [1]);
}

#[test]
fn faults_deliver_twice_and_lose_acknowledgements() {
    let always = Some(Chance { key: Key(3), threshold: u64::MAX, instance: 0 });
    for visibility_timeout in [None, Some(Span::secs(5))] {
        let mut desk = Desk::new(vec![QueuePlan { visibility_timeout, ..queue(0) }]);
        desk.subscribe(0, 1, 0);
        desk.broker.trouble(0, Trouble::Redeliver, always);
        let said = desk.put(letter(1));
        assert_eq!(delivered(&said), [1, 1]);
        assert_eq!(desk.figures(0)[..3], [1, 0, 1], "one message, sent twice");
        desk.broker.trouble(0, Trouble::Redeliver, None);
        desk.broker.trouble(0, Trouble::LostAck, always);
        let tag = desk.last();
        let said = desk.ack(tag);
        let again = if visibility_timeout.is_none() { vec![1] } else { vec![] };
        assert_eq!(delivered(&said), again, "at once, or when its time is over");
        desk.broker.trouble(0, Trouble::LostAck, None);
        let tag = desk.last();
        assert!(desk.broker.clone().again(&desk.plan, tag, &mut Vec::new()));
        desk.ack(tag);
        assert_eq!(desk.figures(0)[..5], [0, 0, 0, 1, 1]);
        assert!(!desk.broker.again(&desk.plan, tag, &mut Vec::new()), "settled");
        desk.ack(tag);
        assert_eq!(desk.figure(0, Figure::StaleAcks), 1);
    }
    // The share is that of the chance.
    let half = Chance { key: Key(3), threshold: u64::MAX / 2, instance: 0 };
    let mut desk = Desk::new(vec![QueuePlan { durability: Durability::Transient, ..queue(0) }]);
    desk.plan.consumers[0].prefetch = None;
    desk.subscribe(0, 1, 0);
    desk.broker.trouble(0, Trouble::Redeliver, Some(half));
    let twice = (1..=10_000).filter(|id| delivered(&desk.put(letter(*id))).len() == 2).count();
    assert!((4_800..5_200).contains(&twice), "{twice}: four standard deviations are 200");
}

#[test]
fn a_queue_that_dead_letters_to_itself_starts_anew() {
    let dead_letter = Some(DeadLetter { to: Destination::Queue(0), key: None });
    let again = QueuePlan { max_deliveries: Some(1), dead_letter, ..queue(0) };
    let mut desk = Desk::new(vec![again]);
    desk.subscribe(0, 1, 0);
    desk.put(letter(1));
    let first = desk.last();
    let said = desk.settle(first, Settlement::Requeue);
    assert_eq!(said[0], "persist stored 1 in 0.2 from 0.1");
    assert_eq!(desk.last(), Tag { number: 2, ..first });
    assert_eq!(desk.figures(0), [1, 0, 1, 2, 0, 0, 1, 0]);
}
