//! A broker that comes back: its durable queues are what the log says, its transient ones are empty, and nobody consumes
//! until the consumers, which are told, have subscribed again.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use kernel::{Effects, Time};

use super::alone::Role;
use super::broker::Broker;
use super::mutant::Mutant;
use super::plan::{End, Figure, Plan};
use super::queue::{Entry, Queue, Stage};
use super::removal::Leave;
use super::wire::{Letter, Message, Payload, Place, Record};

impl<P: Payload> Broker<P> {
    /// First event of a life: `log` holds the broker's durable records. What was in flight is ready again, with the deliveries
    /// that were logged. All figures are stated again.
    pub fn start<'a>(
        &mut self,
        plan: &Plan,
        now: Time,
        log: impl IntoIterator<Item = &'a Record<P>>,
        out: &mut impl Effects<Role<P>>,
    ) where
        P: 'a,
    {
        *self = Self::new(plan, self.me);
        self.epoch = now;
        for record in log {
            self.replay(plan, record);
        }
        if now == Time::ZERO {
            return;
        }
        let places = self.line_up(plan, now, out);
        self.restate(plan, out);
        for Place { queue, number } in places {
            if self.often_enough(plan, queue, number) {
                self.leave(plan, now, (queue, number), Leave::Reject, out);
            }
        }
        let mine = |queue: u32| plan.queues[queue as usize].broker == self.me;
        let consumers = plan.consumers.iter().filter(|consumer| mine(consumer.queue));
        let consuming = consumers.flat_map(|consumer| consumer.nodes.iter().copied());
        let nodes: BTreeSet<_> = consuming.chain(plan.publishers.iter().copied()).collect();
        for node in nodes {
            out.send(node, Message::Hello { node, epoch: now });
        }
        self.tell(plan, out);
    }

    fn replay(&mut self, plan: &Plan, record: &Record<P>) {
        match record {
            Record::Stored { letter, places, from, time } => {
                for place in places {
                    self.hold(*place, letter, *time);
                }
                if let Some(from) = from {
                    self.lose(*from, End::DeadLettered);
                }
            }
            Record::Delivered { place, .. } if plan.has(Mutant::ForgetUnackedOnRestart) => {
                self.lose(*place, End::Acknowledged);
            }
            Record::Delivered { place, deliveries } => {
                if let Some(entry) = self.queues[place.queue as usize].entries.get_mut(&place.number) {
                    entry.deliveries = *deliveries;
                }
            }
            Record::Gone { place, end } => self.lose(*place, *end),
        }
    }

    fn hold(&mut self, place: Place, letter: &Letter<P>, since: Time) {
        let queue = &mut self.queues[place.queue as usize];
        queue.numbers = queue.numbers.max(place.number);
        queue.count(Figure::Accepted);
        let entry = Entry { letter: letter.clone(), since, deliveries: 0, place: queue.place(), stage: Stage::Waiting };
        queue.entries.insert(place.number, entry);
    }

    fn lose(&mut self, place: Place, end: End) {
        let queue = &mut self.queues[place.queue as usize];
        if queue.entries.remove(&place.number).is_some() {
            queue.count(end.figure());
        }
    }

    /// Everything waits again, in its old order.
    fn line_up(&mut self, plan: &Plan, now: Time, out: &mut impl Effects<Role<P>>) -> Vec<Place> {
        let all = |(queue, line): (u32, &Queue<P>)| {
            line.entries.keys().map(|number| Place { queue, number: *number }).collect::<Vec<_>>()
        };
        let places: Vec<Place> = (0_u32..).zip(&self.queues).flat_map(all).collect();
        for &Place { queue, number } in &places {
            let entry = self.queues[queue as usize].entry(number);
            let due = entry.since + plan.queues[queue as usize].latency_of(queue, entry.letter.id);
            self.wait(plan, now, (queue, number), due, out);
        }
        places
    }
}
