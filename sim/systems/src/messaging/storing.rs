//! A publish: from its arrival until its letter is in every queue it belongs in.
//!
//! The broker does not know what it stored before: a letter that is published again is stored again, and consumers recognise
//! it by its id. But while a publish still waits, a repeat of it takes its place.

use alloc::vec::Vec;

use kernel::{Delay, Effects, NodeId, Span, Time};

use super::alone::Role;
use super::broker::Broker;
use super::lines::Due;
use super::mutant::Mutant;
use super::plan::{Destination, Durability, Figure, Latency, Overflow, Plan, QueuePlan};
use super::queue::{Entry, Stage};
use super::removal::Leave;
use super::wire::{Confirm, Letter, Message, Payload, Place, Record, Timer, Verdict, publish_frame};

/// A publish that is not answered yet.
#[derive(Clone, Debug)]
pub(super) struct Pending<P> {
    from: NodeId,
    to: Destination,
    letter: Letter<P>,
    hop: u64,
    confirm: Confirm,
    /// Where it will be; empty while it waits for room.
    places: Vec<Place>,
}

/// Where a publish comes from when it is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coming {
    Anew,
    /// From the head of a line of blocked ones.
    FromLineOf(u32),
}

impl<P> Pending<P> {
    pub(super) fn new(from: NodeId, to: Destination, letter: Letter<P>, (hop, confirm): (u64, Confirm)) -> Self {
        Self { from, to, letter, hop, confirm, places: Vec::new() }
    }
}

impl<P: Payload> Broker<P> {
    pub(super) fn publish(&mut self, plan: &Plan, now: Time, publish: Pending<P>, out: &mut impl Effects<Role<P>>) {
        let name = (publish.from, publish.letter.id);
        if let Some(ticket) = self.by_letter.get(&name) {
            let waiting = self.pending.get_mut(ticket).expect("tickets by letter are pending");
            (waiting.hop, waiting.confirm) = (publish.hop, publish.confirm);
            return;
        }
        self.tickets += 1;
        self.by_letter.insert(name, self.tickets);
        self.pending.insert(self.tickets, publish);
        self.judge(plan, now, self.tickets, Coming::Anew, out);
    }

    /// Refused, blocked, or stored.
    fn judge(&mut self, plan: &Plan, now: Time, ticket: u64, coming: Coming, out: &mut impl Effects<Role<P>>) {
        let (to, key) = (self.pending[&ticket].to, self.pending[&ticket].letter.key);
        let queues = plan.route(&to, key);
        if queues.is_empty() {
            if let Destination::Exchange(exchange) = to {
                self.count_unroutable(plan, exchange, out);
            }
            return self.answer(ticket, Verdict::Unroutable, out);
        }
        let mut refused = false;
        for &queue in queues {
            let rules = &plan.queues[queue as usize];
            if rules.overflow == Overflow::RejectPublish && self.queues[queue as usize].is_full(rules) {
                self.queues[queue as usize].count(Figure::Refused);
                self.touch(queue);
                refused = true;
            }
        }
        if refused {
            return self.answer(ticket, Verdict::Refused, out);
        }
        let has_room = |queue: &&u32| {
            let line = &self.queues[**queue as usize];
            let turn = line.blocked.is_empty() || coming == Coming::FromLineOf(**queue);
            line.has_room(&plan.queues[**queue as usize]) && turn
        };
        match queues.iter().find(|queue| !has_room(queue)) {
            Some(&full) => {
                self.queues[full as usize].blocked.push_back(ticket);
                self.touch(full);
            }
            None => self.store(plan, now, ticket, queues, out),
        }
    }

    fn count_unroutable(&mut self, plan: &Plan, exchange: u32, out: &mut impl Effects<Role<P>>) {
        let count = &mut self.unroutable[exchange as usize];
        *count += 1;
        if let Some(cell) = plan.exchanges[exchange as usize].unroutable {
            out.note(&[kernel::Delta { cell, key: 0, before: *count - 1, after: *count }]);
        }
    }

    /// Written, if any of the queues is durable; then there, then confirmed.
    fn store(&mut self, plan: &Plan, now: Time, ticket: u64, queues: &[u32], out: &mut impl Effects<Role<P>>) {
        let places: Vec<Place> = queues.iter().map(|queue| self.reserve(plan, *queue)).collect();
        let durable = on_disk(plan, &places);
        out.frame(publish_frame(ticket));
        if plan.has(Mutant::ConfirmBeforeStore) {
            self.confirm(ticket, Verdict::Stored, out);
        }
        let publish = self.pending.get_mut(&ticket).expect("judged while pending");
        publish.places = places;
        if durable.is_empty() {
            return self.stored(plan, now, ticket, out);
        }
        let letter = publish.letter.clone();
        out.persist(Record::Stored { letter, places: durable, from: None, time: now });
        out.wake(Timer::Stored(ticket));
    }

    /// A place in a queue, for a letter that is not there yet. Numbers of a transient queue are given when it is.
    pub(super) fn reserve(&mut self, plan: &Plan, queue: u32) -> Place {
        let line = &mut self.queues[queue as usize];
        line.reserved += 1;
        let number = match plan.queues[queue as usize].durability {
            Durability::Durable => line.number(),
            Durability::Transient => 0,
        };
        Place { queue, number }
    }

    /// The record is durable, or there is none.
    pub(super) fn stored(&mut self, plan: &Plan, now: Time, ticket: u64, out: &mut impl Effects<Role<P>>) {
        let publish = self.pending.get_mut(&ticket).expect("answered only after this");
        let (places, letter) = (core::mem::take(&mut publish.places), publish.letter.clone());
        out.frame(publish_frame(ticket));
        if let Some(point) = plan.points.after_store_before_confirm {
            for place in &places {
                out.point(point, plan.queues[place.queue as usize].of);
            }
        }
        self.answer(ticket, Verdict::Stored, out);
        self.accept_all(plan, now, &places, &letter, out);
    }

    /// The letter is in all these queues from now on.
    pub(super) fn accept_all(
        &mut self,
        plan: &Plan,
        now: Time,
        places: &[Place],
        letter: &Letter<P>,
        out: &mut impl Effects<Role<P>>,
    ) {
        for place in places {
            self.accept(plan, now, *place, letter.clone(), out);
        }
        for place in places {
            self.deliver_all(plan, now, place.queue, out);
        }
    }

    fn accept(&mut self, plan: &Plan, now: Time, place: Place, letter: Letter<P>, out: &mut impl Effects<Role<P>>) {
        let (queue, rules) = (&mut self.queues[place.queue as usize], &plan.queues[place.queue as usize]);
        let number = match rules.durability {
            Durability::Durable => place.number,
            Durability::Transient => queue.number(),
        };
        queue.reserved -= 1;
        queue.count(Figure::Accepted);
        let due = now + rules.latency_of(place.queue, letter.id);
        let entry = Entry { letter, since: now, deliveries: 0, place: queue.place(), stage: Stage::Waiting };
        queue.entries.insert(number, entry);
        self.wait(plan, now, (place.queue, number), due, out);
        self.touch(place.queue);
        self.make_room(plan, now, place.queue, out);
    }

    /// An entry stands in the lines from here on, and may be delivered at `due`.
    pub(super) fn wait(
        &mut self,
        plan: &Plan,
        now: Time,
        (queue, number): (u32, u64),
        due: Time,
        out: &mut impl Effects<Role<P>>,
    ) {
        let (line, rules) = (&mut self.queues[queue as usize], &plan.queues[queue as usize]);
        let when = if due > now { Due::Later } else { Due::Now };
        let waiting = line.waiting(rules, number, when);
        line.lines.add(number, waiting);
        if due > now {
            out.set_timer(Timer::Due { queue, number }, Delay::Fixed(due.since(now)));
        }
        self.schedule_expiry(plan, now, queue, out);
    }

    /// A queue of `max_length` that is too long loses its oldest.
    fn make_room(&mut self, plan: &Plan, now: Time, queue: u32, out: &mut impl Effects<Role<P>>) {
        let rules = &plan.queues[queue as usize];
        let leave = match rules.overflow {
            Overflow::RejectPublish => return,
            Overflow::DropOldest => Leave::Drop,
            Overflow::DeadLetter => Leave::Reject,
        };
        while rules.max_length.is_some_and(|most| self.queues[queue as usize].lines.len() > most) {
            let oldest = self.queues[queue as usize].lines.oldest().expect("longer than zero");
            self.leave(plan, now, (queue, oldest), leave, out);
        }
    }

    /// There may be room again: publishes that wait for it go on, in their order.
    pub(super) fn unblock(&mut self, plan: &Plan, now: Time, queue: u32, out: &mut impl Effects<Role<P>>) {
        while self.queues[queue as usize].has_room(&plan.queues[queue as usize])
            && let Some(ticket) = self.queues[queue as usize].blocked.pop_front()
        {
            self.touch(queue);
            self.judge(plan, now, ticket, Coming::FromLineOf(queue), out);
        }
    }

    /// The publish is over.
    fn answer(&mut self, ticket: u64, verdict: Verdict, out: &mut impl Effects<Role<P>>) {
        out.frame(publish_frame(ticket));
        self.confirm(ticket, verdict, out);
        let publish = self.pending.remove(&ticket).expect("answered once");
        self.by_letter.remove(&(publish.from, publish.letter.id));
    }

    fn confirm(&self, ticket: u64, verdict: Verdict, out: &mut impl Effects<Role<P>>) {
        let publish = &self.pending[&ticket];
        let Letter { id, operation, .. } = publish.letter;
        match publish.confirm {
            Confirm::Wanted => {
                out.send(publish.from, Message::Published { id, operation, hop: publish.hop, verdict });
            }
            Confirm::Unwanted => {}
        }
    }
}

/// Those of the places whose queues write a log.
pub(super) fn on_disk(plan: &Plan, places: &[Place]) -> Vec<Place> {
    let is_durable = |place: &&Place| plan.queues[place.queue as usize].durability == Durability::Durable;
    places.iter().filter(is_durable).copied().collect()
}

impl QueuePlan {
    /// How long a letter takes from accepted to deliverable: the same after a restart.
    pub(super) fn latency_of(&self, queue: u32, letter: u64) -> Span {
        let drawn = |latency: &Latency| latency.law.span(&mut latency.key.draw(letter, u64::from(queue), 0));
        self.latency.as_ref().map_or(Span::ZERO, drawn)
    }
}
