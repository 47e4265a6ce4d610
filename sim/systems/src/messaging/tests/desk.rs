//! A broker on a desk: what it is told, and what it says, as lines of text. Its disk writes at once, unless a test holds
//! it back; after every change the identity of every queue is checked.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{CellId, Delta, Effect, NodeId, PointId, Sample, SeriesId, Span, Time};

use crate::messaging::{
    AtRest, Broker, Cells, Confirm, ConsumerPlan, Destination, Durability, Figure, Letter, Message, Ordering, Overflow,
    Payload, Plan, Points, QueuePlan, Record, Role, Series, Settlement, Tag, Timer, Verdict,
};

impl Payload for u64 {
    fn bytes(&self) -> u32 {
        100
    }
}

pub(super) const BROKER: NodeId = NodeId(0);
pub(super) const SHOP: NodeId = NodeId(9);
pub(super) const NOTHING: [&str; 0] = [];
/// Cells of queue q are q · 100 + the figure's number.
const CELLS: u32 = 100;

/// A durable queue that does nothing special.
pub(super) fn queue(number: u32) -> QueuePlan {
    let mut cells = Cells::none(0);
    for (figure, _) in Figure::ALL {
        cells.set(figure, CellId(number * CELLS + figure as u32));
    }
    QueuePlan {
        broker: BROKER,
        of: number,
        durability: Durability::Durable,
        ordering: Ordering::Fifo,
        capacity: None,
        max_length: None,
        overflow: Overflow::RejectPublish,
        visibility_timeout: None,
        max_deliveries: None,
        dead_letter: None,
        message_ttl: None,
        priorities: 1,
        redelivery_delay: Span::ZERO,
        latency: None,
        at_rest: AtRest::Empty,
        cells,
        series: Series { wait: Some(SeriesId(2 * number)), age: Some(SeriesId(2 * number + 1)) },
    }
}

/// Consumer n of the plan takes from queue n, two messages at a time, on nodes 1 to 3.
pub(super) fn plan(queues: Vec<QueuePlan>) -> Plan {
    let nodes = || vec![NodeId(1), NodeId(2), NodeId(3)];
    let consumers = (0..queues.len() as u32).map(|queue| ConsumerPlan { queue, prefetch: Some(2), nodes: nodes() });
    Plan {
        consumers: consumers.collect(),
        queues,
        exchanges: Vec::new(),
        publishers: Vec::new(),
        heartbeat: Span::secs(1),
        points: Points { after_store_before_confirm: Some(PointId(0)), after_deliver_before_ack: Some(PointId(1)) },
        mutant: None,
    }
}

pub(super) fn letter(id: u64) -> Letter<u64> {
    Letter { id, operation: id, key: None, kind: None, priority: 0, from_queue: None, payload: id }
}

pub(super) fn keyed(id: u64, key: u64) -> Letter<u64> {
    Letter { key: Some(key), ..letter(id) }
}

/// Left side minus right side of the identity.
pub(super) fn identity_error(of: impl Fn(Figure) -> i64) -> i64 {
    let left = of(Figure::Ready) + of(Figure::InFlight);
    let gone = of(Figure::Acknowledged) + of(Figure::Expired) + of(Figure::DeadLettered) + of(Figure::Dropped);
    left - (of(Figure::Accepted) - gone)
}

pub(super) struct Desk {
    pub(super) plan: Plan,
    pub(super) broker: Broker<u64>,
    pub(super) now: Time,
    pub(super) log: Vec<Record<u64>>,
    pub(super) samples: Vec<Sample>,
    /// Tags of deliveries, in the order they were made.
    pub(super) tags: Vec<Tag>,
    told: BTreeMap<CellId, i64>,
}

impl Desk {
    pub(super) fn new(queues: Vec<QueuePlan>) -> Self {
        Self::with(plan(queues))
    }

    pub(super) fn with(plan: Plan) -> Self {
        let broker = Broker::new(&plan, BROKER);
        let (log, samples, tags, told) = (Vec::new(), Vec::new(), Vec::new(), BTreeMap::new());
        Self { plan, broker, now: Time::ZERO, log, samples, tags, told }
    }

    pub(super) fn at(&mut self, ms: u64) -> &mut Self {
        self.now = Time(ms * 1_000_000);
        self
    }

    pub(super) fn hear(&mut self, from: NodeId, message: Message<u64>) -> Vec<String> {
        self.say(|broker, plan, now, out| broker.on_message(plan, now, from, message, out))
    }

    pub(super) fn due(&mut self, timer: Timer) -> Vec<String> {
        self.say(|broker, plan, now, out| broker.on_timer(plan, now, timer, out))
    }

    pub(super) fn publish(&mut self, to: Destination, letter: Letter<u64>) -> Vec<String> {
        let hop = self.now.0;
        self.hear(SHOP, Message::Publish { to, letter, hop, confirm: Confirm::Wanted })
    }

    /// Publishes to queue 0; only what follows the answer is returned.
    pub(super) fn put(&mut self, letter: Letter<u64>) -> Vec<String> {
        let mut said = self.publish(Destination::Queue(0), letter);
        said.retain(|line| !line.starts_with("persist stored") && !line.contains("stored") && !line.contains("point"));
        said
    }

    pub(super) fn subscribe(&mut self, consumer: u32, node: u32, life: u64) -> Vec<String> {
        let (node, incarnation) = (NodeId(node), Time(life));
        self.hear(node, Message::Subscribe { consumer, node, incarnation, beat: 1 })
    }

    pub(super) fn settle(&mut self, tag: Tag, how: Settlement) -> Vec<String> {
        self.hear(NodeId(1), Message::Settle { tag, operation: 0, how })
    }

    pub(super) fn ack(&mut self, tag: Tag) -> Vec<String> {
        self.settle(tag, Settlement::Ack)
    }

    pub(super) fn last(&self) -> Tag {
        *self.tags.last().expect("something was delivered")
    }

    pub(super) fn figure(&self, queue: u32, figure: Figure) -> i64 {
        let told = self.told.get(&CellId(queue * CELLS + figure as u32)).copied().unwrap_or(0);
        assert_eq!(told, self.broker.figure(queue, figure));
        told
    }

    /// Depth, ready, in flight, accepted, acknowledged, expired, dead-lettered, dropped.
    pub(super) fn figures(&self, queue: u32) -> [i64; 8] {
        core::array::from_fn(|n| self.figure(queue, Figure::ALL[n].0))
    }

    /// Crashes, with everything that was written, and comes back `ms` later.
    pub(super) fn restart(&mut self, ms: u64) -> Vec<String> {
        let mut lost = Vec::new();
        self.broker.volatile_cells(&self.plan, &mut |cell, _, before| lost.push((cell, before)));
        for (cell, before) in lost {
            assert_eq!(self.told.insert(cell, 0).unwrap_or(0), before, "what a crash sets back is what was told");
        }
        self.check();
        self.broker = Broker::new(&self.plan, BROKER);
        self.now = Time(self.now.0 + ms * 1_000_000);
        let log = self.log.clone();
        self.say(|broker, plan, now, out| broker.start(plan, now, &log, out))
    }

    pub(super) fn say(
        &mut self,
        go: impl FnOnce(&mut Broker<u64>, &Plan, Time, &mut Vec<Effect<Role<u64>>>),
    ) -> Vec<String> {
        let mut out = Vec::new();
        go(&mut self.broker, &self.plan, self.now, &mut out);
        let mut said = Vec::new();
        let mut wakes = Vec::new();
        for effect in out {
            match effect {
                Effect::Note(changes) => self.note(&changes),
                Effect::Measure(sample) => self.samples.push(sample),
                Effect::Wake(timer) => wakes.push(timer),
                Effect::Frame(_) => {}
                Effect::Persist(record) => {
                    said.push(written(&record));
                    self.log.push(record);
                }
                Effect::Send(to, message) => {
                    if let Message::Deliver { tag, .. } = &message {
                        self.tags.push(*tag);
                    }
                    said.push(format!("send {} {}", to.0, sent(&message)));
                }
                Effect::SetTimer(timer, delay) => said.push(format!("set {timer:?} {delay:?}")),
                Effect::CancelTimer(timer) => said.push(format!("cancel {timer:?}")),
                Effect::Disturbed(instance) => said.push(format!("disturbed by {instance}")),
                Effect::Point(point, of) => said.push(format!("point {} of {of}", point.0)),
                Effect::Work(..) | Effect::Output(_) | Effect::Fact(..) => unreachable!("a broker says no such thing"),
            }
        }
        for timer in wakes {
            said.extend(self.due(timer));
        }
        said
    }

    fn note(&mut self, changes: &[Delta]) {
        for change in changes {
            let before = self.told.insert(change.cell, change.after).unwrap_or(0);
            assert!(change.before == before || change.before == change.after, "{change:?} after {before}");
        }
        self.check();
    }

    fn check(&self) {
        for queue in 0..self.plan.queues.len() as u32 {
            let of = |figure: Figure| self.told.get(&CellId(queue * CELLS + figure as u32)).copied().unwrap_or(0);
            assert_eq!(identity_error(of), 0, "queue {queue}: {:?}", self.told);
            assert_eq!(of(Figure::Depth), of(Figure::Ready) + of(Figure::InFlight));
        }
    }
}

fn sent(message: &Message<u64>) -> String {
    match message {
        Message::Published { id, verdict, .. } => match verdict {
            Verdict::Stored => format!("stored {id}"),
            Verdict::Unroutable => format!("unroutable {id}"),
            Verdict::Refused => format!("refused {id}"),
        },
        Message::Deliver { letter, deliveries, copy: 0, .. } => format!("deliver {} for time {deliveries}", letter.id),
        Message::Deliver { letter, copy, .. } => format!("deliver {} again, copy {copy}", letter.id),
        Message::Hello { .. } => String::from("hello"),
        Message::Publish { .. } | Message::Subscribe { .. } | Message::Settle { .. } => {
            unreachable!("not the broker's")
        }
    }
}

fn written(record: &Record<u64>) -> String {
    match record {
        Record::Stored { letter, places, from, .. } => {
            let places: Vec<String> = places.iter().map(|place| format!("{}.{}", place.queue, place.number)).collect();
            let from = from.map_or(String::new(), |from| format!(" from {}.{}", from.queue, from.number));
            format!("persist stored {} in {}{from}", letter.id, places.join(" "))
        }
        Record::Delivered { place, deliveries } => {
            format!("persist delivered {}.{} {deliveries}", place.queue, place.number)
        }
        Record::Gone { place, end } => format!("persist gone {}.{} {end:?}", place.queue, place.number),
    }
}
