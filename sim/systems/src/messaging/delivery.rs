//! Deliveries, what becomes of them, and who gets them.

use kernel::{Delay, Effects, NodeId, Time};

use super::alone::Role;
use super::broker::{Broker, Trouble, measure};
use super::lines::{Closes, Due};
use super::mutant::Mutant;
use super::plan::{Figure, Ordering, Plan};
use super::queue::{Consumer, Stage, Subscription};
use super::removal::{Leave, settled_in_time};
use super::wire::{Message, Payload, Place, Record, Settlement, Tag, Timer, place_frame};

impl<P: Payload> Broker<P> {
    /// Delivers as long as there is a message that may be and a consumer that can take it.
    pub(super) fn deliver_all(&mut self, plan: &Plan, now: Time, queue: u32, out: &mut impl Effects<Role<P>>) {
        while let Some(number) = self.queues[queue as usize].lines.next() {
            let line = &mut self.queues[queue as usize];
            let since = line.entry(number).since;
            if plan.queues[queue as usize].message_ttl.is_some_and(|ttl| since + ttl <= now) {
                self.leave(plan, now, (queue, number), Leave::Expire, out);
                continue;
            }
            let Some(subscription) = line.next_consumer() else { return };
            subscription.unsettled += 1;
            let to = subscription.who;
            line.lines.take(number, Closes::Key);
            line.out.insert(number);
            line.entry(number).stage = Stage::Out { to, copies: 0 };
            self.deliver(plan, now, (queue, number), to, out);
        }
    }

    fn deliver(
        &mut self,
        plan: &Plan,
        now: Time,
        (queue, number): (u32, u64),
        to: Consumer,
        out: &mut impl Effects<Role<P>>,
    ) {
        let rules = &plan.queues[queue as usize];
        let line = &mut self.queues[queue as usize];
        let entry = line.entry(number);
        entry.deliveries += 1;
        let (deliveries, since, letter) = (entry.deliveries, entry.since, entry.letter.clone());
        line.count(Figure::Delivered);
        if deliveries == 1 {
            measure(rules.series.wait, 0, since, now, out);
        } else {
            line.count(Figure::Redelivered);
        }
        self.touch(queue);
        let place = Place { queue, number };
        out.frame(place_frame(place));
        if rules.logs_deliveries() {
            out.persist(Record::Delivered { place, deliveries });
        }
        let tag = Tag { queue, delivery: deliveries, number, epoch: self.epoch };
        let id = letter.id;
        out.send(to.node, Message::Deliver { consumer: to.consumer, tag, deliveries, copy: 0, letter });
        if let Some(point) = plan.points.after_deliver_before_ack {
            out.point(point, rules.of);
        }
        if let Some(timeout) = rules.visibility_timeout {
            out.set_timer(Timer::Unsettled { queue, number }, Delay::Fixed(timeout));
        }
        if self.strikes(queue, Trouble::Redeliver, (id, deliveries), out) {
            self.copy(tag, out);
        }
    }

    /// Sends a delivery once more.
    pub(super) fn copy(&mut self, tag: Tag, out: &mut impl Effects<Role<P>>) {
        let line = &mut self.queues[tag.queue as usize];
        let entry = line.entry(tag.number);
        let Stage::Out { to, copies } = &mut entry.stage else { unreachable!("it is unsettled") };
        *copies += 1;
        let (to, copy, deliveries, letter) = (*to, *copies, entry.deliveries, entry.letter.clone());
        line.count(Figure::Delivered);
        line.count(Figure::Redelivered);
        self.touch(tag.queue);
        out.frame(place_frame(Place { queue: tag.queue, number: tag.number }));
        out.send(to.node, Message::Deliver { consumer: to.consumer, tag, deliveries, copy, letter });
    }

    /// Whether a tag names a delivery that is not settled.
    pub(super) fn is_unsettled(&self, tag: Tag) -> bool {
        tag.epoch == self.epoch
            && self.queues[tag.queue as usize]
                .entries
                .get(&tag.number)
                .is_some_and(|entry| matches!(entry.stage, Stage::Out { .. }) && entry.deliveries == tag.delivery)
    }

    /// A consumer said what became of a delivery.
    pub(super) fn settle(
        &mut self,
        plan: &Plan,
        now: Time,
        tag: Tag,
        how: Settlement,
        out: &mut impl Effects<Role<P>>,
    ) {
        let Some(number) = self.named(plan, tag) else {
            self.queues[tag.queue as usize].count(Figure::StaleAcks);
            return self.touch(tag.queue);
        };
        let place = (tag.queue, number);
        let rules = &plan.queues[tag.queue as usize];
        match how {
            Settlement::Ack => {
                let letter = self.queues[tag.queue as usize].entry(number).letter.id;
                if !self.strikes(tag.queue, Trouble::LostAck, (letter, tag.delivery), out) {
                    self.leave(plan, now, place, Leave::Ack, out);
                } else if rules.visibility_timeout.is_none() {
                    self.requeue(plan, now, place, out);
                }
            }
            Settlement::Requeue => self.requeue(plan, now, place, out),
            Settlement::Reject => self.leave(plan, now, place, Leave::Reject, out),
        }
        self.deliver_all(plan, now, tag.queue, out);
    }

    /// The message that a settlement is about: none if it is not out any more, or is again.
    fn named(&self, plan: &Plan, tag: Tag) -> Option<u64> {
        let line = &self.queues[tag.queue as usize];
        if plan.has(Mutant::AckTakesOldest) && self.is_unsettled(tag) {
            let Stage::Out { to, .. } = line.entries[&tag.number].stage else { return None };
            return line.deliveries_of(to).first().copied();
        }
        let out_at_all = plan.has(Mutant::AcceptStaleAck) && line.out.contains(&tag.number);
        (self.is_unsettled(tag) || out_at_all).then_some(tag.number)
    }

    /// A delivery came to nothing: the message waits again, unless it was delivered often enough.
    pub(super) fn requeue(
        &mut self,
        plan: &Plan,
        now: Time,
        (queue, number): (u32, u64),
        out: &mut impl Effects<Role<P>>,
    ) {
        let rules = &plan.queues[queue as usize];
        if self.often_enough(plan, queue, number) {
            return self.leave(plan, now, (queue, number), Leave::Reject, out);
        }
        settled_in_time(plan, (queue, number), out);
        let line = &mut self.queues[queue as usize];
        let Stage::Out { to, .. } = core::mem::replace(&mut line.entry(number).stage, Stage::Waiting) else {
            unreachable!("only what is out comes back")
        };
        line.settled(to);
        line.out.remove(&number);
        if rules.ordering == Ordering::None {
            line.entry(number).place = line.places + 1;
            line.places += 1;
        }
        let due = if rules.redelivery_delay.0 > 0 { Due::Later } else { Due::Now };
        let waiting = line.waiting(rules, number, due);
        line.lines.give_back(number, waiting);
        if due == Due::Later {
            out.set_timer(Timer::Due { queue, number }, Delay::Fixed(rules.redelivery_delay));
        }
        self.schedule_expiry(plan, now, queue, out);
        self.touch(queue);
    }

    /// Whether a message has had all the deliveries it may have.
    pub(super) fn often_enough(&self, plan: &Plan, queue: u32, number: u64) -> bool {
        let most = plan.queues[queue as usize].max_deliveries;
        let most = most.map(|most| most + u32::from(plan.has(Mutant::OneDeliveryTooMany)));
        most.is_some_and(|most| self.queues[queue as usize].entries[&number].deliveries >= most)
    }

    /// A consumer is there: new, known, or in a new life, which ends what the old one had.
    pub(super) fn subscribe(
        &mut self,
        plan: &Plan,
        now: Time,
        (consumer, node): (u32, NodeId),
        incarnation: Time,
        out: &mut impl Effects<Role<P>>,
    ) {
        let (who, rules) = (Consumer { consumer, node }, &plan.consumers[consumer as usize]);
        let queue = rules.queue;
        let known = self.queues[queue as usize].subscriptions.iter_mut().find(|known| known.who == who);
        match known {
            Some(known) if known.incarnation >= incarnation => return,
            Some(known) => {
                known.incarnation = incarnation;
                self.take_back(plan, now, queue, who, out);
            }
            None => {
                let new = Subscription { who, incarnation, unsettled: 0, prefetch: rules.prefetch };
                self.queues[queue as usize].subscriptions.push(new);
            }
        }
        self.deliver_all(plan, now, queue, out);
    }

    /// All that a consumer has is to be delivered again.
    fn take_back(&mut self, plan: &Plan, now: Time, queue: u32, who: Consumer, out: &mut impl Effects<Role<P>>) {
        for number in self.queues[queue as usize].deliveries_of(who) {
            self.requeue(plan, now, (queue, number), out);
        }
    }

    /// All consumers of a node are gone.
    pub(super) fn forget_consumers(&mut self, plan: &Plan, now: Time, node: NodeId, out: &mut impl Effects<Role<P>>) {
        for queue in 0..self.queues.len() as u32 {
            let gone = |line: &Self| {
                line.queues[queue as usize].subscriptions.iter().find(|known| known.who.node == node).copied()
            };
            let mut lost = false;
            while let Some(subscription) = gone(self) {
                // Out of the line first: what comes back must not go to the dead.
                self.queues[queue as usize].subscriptions.retain(|known| known.who != subscription.who);
                self.take_back(plan, now, queue, subscription.who, out);
                lost = true;
            }
            if lost {
                self.deliver_all(plan, now, queue, out);
            }
        }
    }
}
