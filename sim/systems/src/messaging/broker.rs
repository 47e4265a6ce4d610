//! A broker: what comes in is handed to the part that knows it, and afterwards the figures of every queue that was touched
//! are told as one change.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kernel::{CellId, Delta, Effects, Hit, Key, NodeId, Sample, SeriesId, Time};

use super::alone::Role;
use super::plan::{AtRest, Durability, FIGURES, Figure, Plan, QueuePlan};
use super::queue::{Queue, Stage};
use super::storing::Pending;
use super::wire::{Letter, Message, Payload, Tag, Timer};

/// A broker, with the queues that live on its machine.
#[derive(Clone, Debug)]
pub struct Broker<P> {
    pub(super) me: NodeId,
    /// When it started.
    pub(super) epoch: Time,
    /// By number; those of other brokers stay empty.
    pub(super) queues: Vec<Queue<P>>,
    /// Publishes that wait for room or for the disk, by ticket.
    pub(super) pending: BTreeMap<u64, Pending<P>>,
    /// Tickets by publisher and letter.
    pub(super) by_letter: BTreeMap<(NodeId, u64), u64>,
    pub(super) tickets: u64,
    /// Per exchange.
    pub(super) unroutable: Vec<i64>,
    /// Queues whose figures may have changed in this step.
    pub(super) touched: Vec<u32>,
    pub(super) troubles: BTreeMap<(u32, Trouble), Chance>,
    changes: Vec<Delta>,
}

/// What a fault does to a queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Trouble {
    /// A message is sent twice, under one tag: the first settlement counts, the other is stale.
    Redeliver,
    /// An acknowledgement is lost in the broker. The message is delivered again when its visibility timeout has passed; at
    /// once if the queue has none.
    LostAck,
}

impl Trouble {
    /// The number by which a fault names trouble with a queue.
    pub const fn number(self, queue: u32) -> u32 {
        queue << 1 | self as u32
    }

    /// The queue and the trouble of such a number.
    pub const fn of(number: u32) -> (u32, Self) {
        (number >> 1, if number & 1 == 0 { Self::Redeliver } else { Self::LostAck })
    }
}

/// How often trouble strikes: keyed by the letter's id, the queue and the delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chance {
    /// The key of the draws.
    pub key: Key,
    /// The share of draws that strike, in 2⁻⁶⁴; the greatest number is always.
    pub threshold: u64,
    /// The instance of the fault, which is told each time it strikes.
    pub instance: u32,
}

/// A message in a queue, for whoever looks at it from outside.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Held<'a, P> {
    /// Its number in the queue.
    pub number: u64,
    /// The message.
    pub letter: &'a Letter<P>,
    /// How often it was delivered.
    pub deliveries: u32,
    /// Whether it is in flight, or on its way out.
    pub in_flight: bool,
}

impl<P: Payload> Broker<P> {
    /// A broker with empty memory.
    pub fn new(plan: &Plan, me: NodeId) -> Self {
        assert!(plan.queues.iter().all(|queue| queue.priorities > 0), "a queue has at least one level of priority");
        assert!(plan.queues.iter().all(|queue| queue.message_ttl.is_none_or(|ttl| ttl.0 > 0)), "a life has a length");
        Self {
            me,
            epoch: Time::ZERO,
            queues: plan.queues.iter().map(|queue| Queue::new(plan, queue)).collect(),
            pending: BTreeMap::new(),
            by_letter: BTreeMap::new(),
            tickets: 0,
            unroutable: alloc::vec![0; plan.exchanges.len()],
            touched: Vec::new(),
            troubles: BTreeMap::new(),
            changes: Vec::new(),
        }
    }

    /// A message for [`Part::Broker`](super::Part::Broker) arrived.
    pub fn on_message(
        &mut self,
        plan: &Plan,
        now: Time,
        from: NodeId,
        message: Message<P>,
        out: &mut impl Effects<Role<P>>,
    ) {
        match message {
            Message::Publish { to, letter, hop, confirm } => {
                self.publish(plan, now, Pending::new(from, to, letter, (hop, confirm)), out);
            }
            Message::Subscribe { consumer, node, incarnation, .. } => {
                self.subscribe(plan, now, (consumer, node), incarnation, out);
            }
            Message::Settle { tag, how, .. } => self.settle(plan, now, tag, how, out),
            Message::Published { .. } | Message::Hello { .. } | Message::Deliver { .. } => {
                unreachable!("for publishers and consumers")
            }
        }
        self.tell(plan, out);
    }

    /// A timer of [`Part::Broker`](super::Part::Broker) is due.
    pub fn on_timer(&mut self, plan: &Plan, now: Time, timer: Timer, out: &mut impl Effects<Role<P>>) {
        match timer {
            Timer::Stored(ticket) => self.stored(plan, now, ticket, out),
            Timer::Gone { queue, number } => self.gone(plan, now, (queue, number), out),
            Timer::Due { queue, number } => {
                self.queues[queue as usize].lines.due(number);
                self.deliver_all(plan, now, queue, out);
            }
            Timer::Unsettled { queue, number } => {
                self.requeue(plan, now, (queue, number), out);
                self.deliver_all(plan, now, queue, out);
            }
            Timer::Expire(queue) => self.expire(plan, now, queue, out),
            Timer::Beat(_) | Timer::Order(_) | Timer::Done(_) => unreachable!("of publishers and consumers"),
        }
        self.tell(plan, out);
    }

    /// The connection to `to` was reset before `message` could be delivered: what its consumers had is delivered again.
    pub fn on_reset(
        &mut self,
        plan: &Plan,
        now: Time,
        to: NodeId,
        message: &Message<P>,
        out: &mut impl Effects<Role<P>>,
    ) {
        match message {
            Message::Deliver { .. } => self.consumer_gone(plan, now, to, out),
            // A publisher asks again; a consumer says every so often that it is there.
            Message::Published { .. } | Message::Hello { .. } => {}
            Message::Publish { .. } | Message::Subscribe { .. } | Message::Settle { .. } => {
                unreachable!("sent by publishers and consumers")
            }
        }
    }

    /// The connection to a node is lost: all that its consumers had is delivered again, to others. They may subscribe again.
    pub fn consumer_gone(&mut self, plan: &Plan, now: Time, node: NodeId, out: &mut impl Effects<Role<P>>) {
        self.forget_consumers(plan, now, node, out);
        self.tell(plan, out);
    }

    /// Begins or, with `None`, ends a fault. A crash ends all of them.
    pub fn trouble(&mut self, queue: u32, trouble: Trouble, chance: Option<Chance>) {
        match chance {
            Some(chance) => drop(self.troubles.insert((queue, trouble), chance)),
            None => drop(self.troubles.remove(&(queue, trouble))),
        }
    }

    /// Sends a delivery that is not settled once more, to the same consumer. Returns whether there was one.
    pub fn again(&mut self, plan: &Plan, tag: Tag, out: &mut impl Effects<Role<P>>) -> bool {
        let names_it = self.is_unsettled(tag);
        if names_it {
            self.copy(tag, out);
            self.tell(plan, out);
        }
        names_it
    }

    /// Messages to be consumed, and publishes that are not answered. Dead letters and other queues that may hold something
    /// at rest do not count.
    pub fn unfinished(&self) -> u64 {
        let held = self.queues.iter().filter(|queue| queue.at_rest == AtRest::Empty);
        held.map(|queue| queue.entries.len() as u64).sum::<u64>() + self.pending.len() as u64
    }

    /// See `kernel::Process::volatile_cells`. All figures of a transient queue are volatile, and set to zero in one change:
    /// both sides of the identity at once.
    pub fn volatile_cells(&self, plan: &Plan, each: &mut impl FnMut(CellId, u64, i64)) {
        for (queue, rules) in self.mine(plan) {
            for (figure, _) in Figure::ALL {
                if let Some(cell) = rules.cells.of(figure)
                    && !rules.keeps(figure)
                {
                    each(cell, rules.cells.row, queue.told[figure as usize]);
                }
            }
        }
        for (exchange, count) in plan.exchanges.iter().zip(&self.unroutable) {
            if let Some(cell) = exchange.unroutable.filter(|_| exchange.broker == self.me) {
                each(cell, 0, *count);
            }
        }
    }

    /// See `kernel::Process::open_samples`. A crash cuts them short: in a durable queue the message is still there, and its
    /// age is measured whole when it leaves; in a transient queue it is lost, and this is what counts it.
    pub fn open_samples(&self, plan: &Plan, each: &mut impl FnMut(SeriesId, Time)) {
        for (queue, rules) in self.mine(plan) {
            for entry in queue.entries.values() {
                if let Some(series) = rules.series.age {
                    each(series, entry.since);
                }
                if let Some(series) = rules.series.wait.filter(|_| entry.deliveries == 0) {
                    each(series, entry.since);
                }
            }
        }
    }

    /// What a queue holds, in the order of the numbers.
    pub fn held(&self, queue: u32) -> impl Iterator<Item = Held<'_, P>> {
        self.queues[queue as usize].entries.iter().map(|(number, entry)| Held {
            number: *number,
            letter: &entry.letter,
            deliveries: entry.deliveries,
            in_flight: !matches!(entry.stage, Stage::Waiting),
        })
    }

    /// A figure of a queue, as it was last told.
    pub fn figure(&self, queue: u32, figure: Figure) -> i64 {
        self.queues[queue as usize].told[figure as usize]
    }

    fn mine<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = (&'a Queue<P>, &'a QueuePlan)> {
        self.queues.iter().zip(&plan.queues).filter(|(_, rules)| rules.broker == self.me)
    }

    /// Figures of what was touched, as one change.
    pub(super) fn tell(&mut self, plan: &Plan, out: &mut impl Effects<Role<P>>) {
        self.changes.clear();
        for queue in self.touched.drain(..) {
            let (queue, cells) = (&mut self.queues[queue as usize], &plan.queues[queue as usize].cells);
            let figures = queue.figures();
            let told = core::mem::replace(&mut queue.told, figures);
            push(&mut self.changes, cells, &told, &figures, |before, after| before != after);
        }
        if !self.changes.is_empty() {
            out.note(&self.changes);
        }
    }

    /// All figures again, `before` equal to `after`: what became durable in the instant of a crash was never told.
    pub(super) fn restate(&mut self, plan: &Plan, out: &mut impl Effects<Role<P>>) {
        self.changes.clear();
        self.touched.clear();
        for (queue, rules) in self.queues.iter_mut().zip(&plan.queues) {
            if rules.broker == self.me {
                queue.told = queue.figures();
                push(&mut self.changes, &rules.cells, &queue.told, &queue.told, |_, _| true);
            }
        }
        if !self.changes.is_empty() {
            out.note(&self.changes);
        }
    }

    pub(super) fn touch(&mut self, queue: u32) {
        if self.touched.last() != Some(&queue) && !self.touched.contains(&queue) {
            self.touched.push(queue);
        }
    }

    pub(super) fn strikes(
        &self,
        queue: u32,
        trouble: Trouble,
        (letter, delivery): (u64, u32),
        out: &mut impl Effects<Role<P>>,
    ) -> bool {
        let Some(chance) = self.troubles.get(&(queue, trouble)) else { return false };
        let draw = chance.key.draw(letter, u64::from(queue), u64::from(delivery)).bits();
        let drawn = draw < chance.threshold || chance.threshold == u64::MAX;
        let what = Hit { operation: letter, hop: u64::from(queue), number: u64::from(delivery) };
        out.strikes(chance.instance, what, drawn)
    }
}

impl QueuePlan {
    /// Whether a crash of the broker leaves this figure as it is.
    pub(super) fn keeps(&self, figure: Figure) -> bool {
        self.durability == Durability::Durable && figure.logged()
    }

    /// Whether deliveries are written to the log: only they tell a poison message after a crash.
    pub(super) fn logs_deliveries(&self) -> bool {
        self.durability == Durability::Durable && self.max_deliveries.is_some()
    }
}

fn push(
    changes: &mut Vec<Delta>,
    cells: &super::plan::Cells,
    before: &[i64; FIGURES],
    after: &[i64; FIGURES],
    worth: impl Fn(i64, i64) -> bool,
) {
    for (figure, _) in Figure::ALL {
        let (before, after) = (before[figure as usize], after[figure as usize]);
        if let Some(cell) = cells.of(figure)
            && worth(before, after)
        {
            changes.push(Delta { cell, key: cells.row, before, after });
        }
    }
}

/// Something that began at `since` has ended.
pub(super) fn measure<P: Payload>(
    series: Option<SeriesId>,
    tag: u16,
    since: Time,
    now: Time,
    out: &mut impl Effects<Role<P>>,
) {
    if let Some(series) = series {
        out.measure(Sample { series, tag, since, value: now.since(since) });
    }
}
