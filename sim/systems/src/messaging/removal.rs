//! How a message leaves a queue. What a durable queue loses is gone when the record of it is durable, not before: until then
//! it still counts, holds its key closed, and fills its place.

use alloc::vec::Vec;

use kernel::{Delay, Effects, Time};

use super::alone::Role;
use super::broker::{Broker, measure};
use super::lines::Closes;
use super::mutant::Mutant;
use super::plan::{Durability, End, Overflow, Plan};
use super::queue::Stage;
use super::storing::on_disk;
use super::wire::{Letter, Payload, Place, Record, Timer, place_frame};

/// Why a message is to leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leave {
    /// It was acknowledged.
    Ack,
    /// It waited too long: dead-lettered if there is somewhere to go.
    Expire,
    /// Nobody can have it: dead-lettered if there is somewhere to go, else dropped.
    Reject,
    /// For nowhere.
    Drop,
}

impl<P: Payload> Broker<P> {
    /// A message that waits or is out is to leave.
    pub(super) fn leave(
        &mut self,
        plan: &Plan,
        now: Time,
        (queue, number): (u32, u64),
        why: Leave,
        out: &mut impl Effects<Role<P>>,
    ) {
        let places = match why {
            Leave::Ack | Leave::Drop => Vec::new(),
            Leave::Expire | Leave::Reject => self.places_of_the_dead(plan, queue, number),
        };
        let end = match why {
            Leave::Ack => End::Acknowledged,
            Leave::Drop => End::Dropped,
            Leave::Expire | Leave::Reject if !places.is_empty() => End::DeadLettered,
            Leave::Expire => End::Expired,
            Leave::Reject => End::Dropped,
        };
        let durable = plan.queues[queue as usize].durability == Durability::Durable;
        let place = Place { queue, number };
        let record = match end {
            End::DeadLettered => {
                let places = on_disk(plan, &places);
                (durable || !places.is_empty()).then(|| {
                    let letter = self.dead_letter(plan, queue, number);
                    Record::Stored { letter, places, from: durable.then_some(place), time: now }
                })
            }
            End::Acknowledged | End::Expired | End::Dropped => durable.then_some(Record::Gone { place, end }),
        };
        let line = &mut self.queues[queue as usize];
        match core::mem::replace(&mut line.entry(number).stage, Stage::Leaving { end, places }) {
            Stage::Waiting => {
                line.lines.take(number, Closes::Nothing);
                line.leaving_lines.insert(number);
            }
            Stage::Out { to, .. } => {
                line.out.remove(&number);
                line.leaving_out.insert(number);
                line.settled(to);
                settled_in_time(plan, (queue, number), out);
            }
            Stage::Leaving { .. } => unreachable!("a message leaves once"),
        }
        self.touch(queue);
        match record {
            Some(record) => {
                out.frame(place_frame(place));
                out.persist(record);
                out.wake(Timer::Gone { queue, number });
            }
            None => self.gone(plan, now, (queue, number), out),
        }
    }

    /// A dead letter goes where there is room; it neither waits for room nor makes others leave for a third queue.
    fn places_of_the_dead(&mut self, plan: &Plan, queue: u32, number: u64) -> Vec<Place> {
        let Some(dead) = &plan.queues[queue as usize].dead_letter else { return Vec::new() };
        let key = dead.key.or(self.queues[queue as usize].entry(number).letter.key);
        let mut places = Vec::new();
        for &target in plan.route(&dead.to, key) {
            let rules = &plan.queues[target as usize];
            if rules.overflow == Overflow::DropOldest || !self.queues[target as usize].is_full(rules) {
                places.push(self.reserve(plan, target));
            }
        }
        places
    }

    fn dead_letter(&self, plan: &Plan, queue: u32, number: u64) -> Letter<P> {
        let letter = self.queues[queue as usize].entries[&number].letter.clone();
        let dead = plan.queues[queue as usize].dead_letter.as_ref().expect("it has somewhere to go");
        Letter { key: dead.key.or(letter.key), from_queue: Some(queue), ..letter }
    }

    /// The record of how it left is durable, or there is none.
    pub(super) fn gone(
        &mut self,
        plan: &Plan,
        now: Time,
        (queue, number): (u32, u64),
        out: &mut impl Effects<Role<P>>,
    ) {
        let line = &mut self.queues[queue as usize];
        let Stage::Leaving { end, places } = line.entry(number).stage.clone() else { unreachable!("it is leaving") };
        let letter = (end == End::DeadLettered).then(|| self.dead_letter(plan, queue, number));
        let line = &mut self.queues[queue as usize];
        let entry = line.entries.remove(&number).expect("held until now");
        line.leaving_lines.remove(&number);
        if line.leaving_out.remove(&number) {
            line.lines.release(entry.letter.key);
        }
        if end != End::Dropped || !plan.has(Mutant::ForgetToCount) {
            line.count(end.figure());
        }
        self.touch(queue);
        measure(plan.queues[queue as usize].series.age, end.tag(), entry.since, now, out);
        if let Some(letter) = letter {
            self.accept_all(plan, now, &places, &letter, out);
        }
        self.deliver_all(plan, now, queue, out);
        self.unblock(plan, now, queue, out);
    }

    /// Whoever has waited too long leaves.
    pub(super) fn expire(&mut self, plan: &Plan, now: Time, queue: u32, out: &mut impl Effects<Role<P>>) {
        self.queues[queue as usize].expires = None;
        while let Some((oldest, expires)) = self.oldest(plan, queue)
            && expires <= now
        {
            self.leave(plan, now, (queue, oldest), Leave::Expire, out);
        }
        self.schedule_expiry(plan, now, queue, out);
    }

    /// The ready message that expires first, and when.
    fn oldest(&self, plan: &Plan, queue: u32) -> Option<(u64, Time)> {
        let ttl = plan.queues[queue as usize].message_ttl?;
        let queue = &self.queues[queue as usize];
        let oldest = queue.lines.oldest()?;
        Some((oldest, queue.entries[&oldest].since + ttl))
    }

    pub(super) fn schedule_expiry(&mut self, plan: &Plan, now: Time, queue: u32, out: &mut impl Effects<Role<P>>) {
        if let Some((_, expires)) = self.oldest(plan, queue) {
            let line = &mut self.queues[queue as usize];
            if line.expires.is_none_or(|pending| expires < pending) {
                line.expires = Some(expires);
                out.set_timer(Timer::Expire(queue), Delay::Fixed(expires.since(now)));
            }
        }
    }
}

/// Nobody waits for the settlement any more.
pub(super) fn settled_in_time<P: Payload>(plan: &Plan, (queue, number): (u32, u64), out: &mut impl Effects<Role<P>>) {
    if plan.queues[queue as usize].visibility_timeout.is_some() {
        out.cancel_timer(Timer::Unsettled { queue, number });
    }
}
