//! Messaging: brokers, queues, exchanges, topics, outboxes, consumers. What names no broker gets one here.

use super::super::distributions::{self, Sort};
use super::super::hardware;
use super::{COMPLETE, Reader, steps};
use crate::model::{
    Ack, At, Binding, Broker, BrokerKind, Consumer, DeadLetter, Destination, DestinationKind, Disk, Dist, Exchange,
    ExchangeKind, Limit, Model, Ordering, Outbox, Place, Queue, QueueOverflow, Relay, Topic,
};

/// What an implicit broker is called.
const IMPLICIT: &str = "broker";

impl Reader<'_> {
    /// A name, or the path, of a queue, an exchange or a topic. `references` asks whether only one can be meant.
    pub(super) fn destination(&self, key: &str) -> Destination {
        let at = self.at(key);
        let known = |section: &str, name: &str| self.top(section).table.get(name).is_some();
        let (section, name) = at.value.split_once('.').unwrap_or_else(|| {
            let found = ["queues", "exchanges", "topics"].into_iter().find(|section| known(section, &at.value));
            (found.unwrap_or("queues"), at.value.as_str())
        });
        let kind = match section {
            "exchanges" => DestinationKind::Exchange,
            "topics" => DestinationKind::Topic,
            _ => DestinationKind::Queue,
        };
        Destination { kind, name: name.to_owned(), place: at.place }
    }

    /// The thing of this section that a key names.
    pub(super) fn of_kind(&self, key: &str, kind: DestinationKind) -> Option<Destination> {
        self.maybe_at(key).map(|at| Destination { kind, name: at.value, place: at.place })
    }
}

pub(super) fn broker(r: &Reader<'_>) -> Broker {
    Broker {
        kind: if r.text("kind") == "log" { BrokerKind::Log } else { BrokerKind::Amqp },
        nodes: r.integer("nodes") as u32,
        disk: hardware::disk(&r.below("disk")),
        drift: r.below("clock").maybe_dist("drift", Sort::Drifts).expect(COMPLETE),
        offset: r.below("clock").maybe_dist("offset", Sort::Offsets).expect(COMPLETE),
        zones: hardware::zones(r),
        latency: r.dist("latency"),
        message_time: r.dist("message_time"),
        mutant: r.maybe_at("mutant"),
        external: r.truth("external"),
    }
}

pub(super) fn queue(r: &Reader<'_>) -> Queue {
    Queue {
        broker: r.at("broker"),
        bindings: r.list("bindings", binding),
        durable: r.truth("durable"),
        replicas: r.integer("replicas") as u32,
        ordering: match r.text("ordering") {
            "per_key" => Ordering::PerKey,
            "none" => Ordering::None,
            _ => Ordering::Fifo,
        },
        capacity: r.count("capacity"),
        max_length: r.count("max_length"),
        overflow: match r.text("overflow") {
            "drop_oldest" => QueueOverflow::DropOldest,
            "dead_letter" => QueueOverflow::DeadLetter,
            _ => QueueOverflow::RejectPublish,
        },
        visibility_timeout: r.maybe_span("visibility_timeout"),
        max_deliveries: r.count("max_deliveries"),
        dead_letter: r.node("dead_letter").and_then(|_| dead_letter(&r.below("dead_letter"))),
        message_ttl: r.maybe_span("message_ttl"),
        priorities: r.integer("priorities") as u32,
        latency: r.dist("latency"),
        size: r.size("size").expect(COMPLETE),
        redelivery_delay: r.span("redelivery_delay"),
    }
}

fn dead_letter(r: &Reader<'_>) -> Option<DeadLetter> {
    let queue = r.of_kind("queue", DestinationKind::Queue);
    let to = queue.or_else(|| r.of_kind("exchange", DestinationKind::Exchange))?;
    Some(DeadLetter { to, key: r.value("key") })
}

fn binding(r: &Reader<'_>) -> Binding {
    Binding { exchange: r.at("exchange"), key: r.at("key"), place: r.key }
}

pub(super) fn exchange(r: &Reader<'_>) -> Exchange {
    Exchange {
        kind: match r.text("kind") {
            "topic" => ExchangeKind::Topic,
            "fanout" => ExchangeKind::Fanout,
            _ => ExchangeKind::Direct,
        },
        broker: r.at("broker"),
        bindings: r.list("bindings", binding),
    }
}

pub(super) fn topic(r: &Reader<'_>) -> Topic {
    Topic {
        broker: r.at("broker"),
        partitions: r.integer("partitions") as u32,
        replicas: r.integer("replicas") as u32,
        min_isr: r.integer("min_isr") as u32,
        replica_lag: r.span("replica_lag"),
    }
}

pub(super) fn outbox(r: &Reader<'_>) -> Outbox {
    Outbox {
        relay: if r.text("relay") == "log_tail" { Relay::LogTail } else { Relay::Poll },
        every: r.span("every"),
        batch: r.integer("batch") as u32,
        place: r.key,
    }
}

pub(super) fn consumer(r: &Reader<'_>) -> Consumer {
    let service = r.path.split('.').nth(1).unwrap_or("").to_owned();
    Consumer {
        from: r.destination("from"),
        steps: steps::steps(r, "steps", &r.path),
        types: r.texts("types"),
        prefetch: r.count("prefetch"),
        ack: if r.text("ack") == "before" { Ack::Before } else { Ack::After },
        inbox: r.truth("inbox"),
        idempotent: r.idempotent(),
        group: r.maybe_at("group").unwrap_or(At { value: service, place: r.key }),
        place: r.key,
    }
}

/// Gives what names no broker the only one of its kind; if none is written, an ideal one called `broker`. With several
/// the name stays empty, and `references` says so.
pub(super) fn settle(model: &mut Model) {
    let only = |kind: BrokerKind| {
        let mut names = model.brokers.iter().filter(|(_, b)| b.kind == kind).map(|(name, _)| name.value.clone());
        (names.next(), names.next())
    };
    let (amqp, log) = (only(BrokerKind::Amqp), only(BrokerKind::Log));
    let mut needed: Option<(Place, BrokerKind)> = None;
    let mut settle = |broker: &mut At<String>, kind: BrokerKind| {
        if !broker.value.is_empty() {
            return;
        }
        match if kind == BrokerKind::Amqp { &amqp } else { &log } {
            (Some(one), None) => broker.value.clone_from(one),
            (None, _) => {
                needed.get_or_insert((broker.place, kind));
                IMPLICIT.clone_into(&mut broker.value);
            }
            (Some(_), Some(_)) => {}
        }
    };
    for (name, queue) in &mut model.queues {
        queue.broker.place = if queue.broker.value.is_empty() { name.place } else { queue.broker.place };
        settle(&mut queue.broker, BrokerKind::Amqp);
    }
    for (name, exchange) in &mut model.exchanges {
        exchange.broker.place = if exchange.broker.value.is_empty() { name.place } else { exchange.broker.place };
        settle(&mut exchange.broker, BrokerKind::Amqp);
    }
    for (name, topic) in &mut model.topics {
        topic.broker.place = if topic.broker.value.is_empty() { name.place } else { topic.broker.place };
        settle(&mut topic.broker, BrokerKind::Log);
    }
    if let Some((place, kind)) = needed {
        model.brokers.push((At { value: IMPLICIT.to_owned(), place }, ideal(place, kind)));
    }
}

/// One node, and everything takes no time.
fn ideal(place: Place, kind: BrokerKind) -> Broker {
    let none = |key: &str, text: &str, sort| Dist {
        law: distributions::parse(text, sort).expect("nothing is a distribution").law,
        text: text.to_owned(),
        path: format!("brokers.{IMPLICIT}.{key}"),
        place,
    };
    Broker {
        kind,
        nodes: 1,
        disk: Disk {
            fsync: none("disk.fsync", "0s", Sort::Durations),
            throughput: Limit::Unlimited,
            group_commit: kernel::Span::ZERO,
            capacity: Limit::Unlimited,
        },
        drift: none("clock.drift", "0ppm", Sort::Drifts),
        offset: none("clock.offset", "0s", Sort::Offsets),
        zones: Vec::new(),
        latency: none("latency", "0s", Sort::Durations),
        message_time: none("message_time", "0s", Sort::Durations),
        mutant: None,
        external: false,
    }
}
