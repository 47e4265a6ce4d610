//! The relay of an outbox: it fetches what was committed, publishes it, and takes it out when the broker has confirmed.
//!
//! Every node of a service asks; the database gives to one of them at a time. A batch is taken out as a whole, so after a
//! crash in between it is published again: at least once.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kernel::{Delay, Effects, Time};

use super::asking::ASK_AGAIN;
use super::machine::{Machine, Timer};
use super::mutant::Mutant;
use super::plan::Plan;
use super::question::Ask;
use crate::database::{Batch, Outgoing};

/// What one node relays.
#[derive(Clone, Debug, Default)]
pub(super) struct Relay {
    /// What it was given, and the broker has not confirmed.
    sent: BTreeMap<u64, Outgoing>,
    /// When it last sent them.
    at: Time,
    /// The numbers of the batch, to be taken out when all are confirmed.
    batch: Vec<u64>,
    /// The batch was as large as allowed: there may be more.
    more: bool,
}

impl Relay {
    /// What the broker has not confirmed.
    pub(super) fn sent(&self) -> impl Iterator<Item = u64> {
        self.sent.keys().copied()
    }
}

impl Machine {
    /// It is time to ask.
    pub(super) fn relay_due(&mut self, plan: &Plan, now: Time, out: &mut impl Effects<Self>) {
        let (service, _) = plan.service(self.me);
        let Some(relay) = service.relay else { return };
        let owner = self.server().life;
        if self.server().relay.batch.is_empty() {
            let ask = Ask::Fetch { owner, most: relay.batch, waits: relay.every.is_none() };
            self.poll(plan, ask, out);
        } else if self.server().relay.sent.is_empty() {
            // All is confirmed, but the database has not said that it knows.
            let numbers = self.server().relay.batch.clone();
            self.poll(plan, Ask::Relayed { numbers }, out);
        } else if now.since(self.server().relay.at) >= ASK_AGAIN {
            // The broker may have been down. Who asks for nothing more stays the relay meanwhile.
            self.poll(plan, Ask::Fetch { owner, most: 0, waits: false }, out);
            self.server().relay.at = now;
            for (number, letter) in self.server().relay.sent.clone() {
                self.relay_message(plan, number, letter, out);
            }
        }
        out.set_timer(Timer::Relay, Delay::Fixed(relay.every.unwrap_or(ASK_AGAIN)));
    }

    /// The database gave messages.
    pub(super) fn relay_batch(&mut self, plan: &Plan, now: Time, batch: Batch, out: &mut impl Effects<Self>) {
        let (service, _) = plan.service(self.me);
        let Some(relay) = service.relay else { return };
        if batch.is_empty() || !self.server().relay.batch.is_empty() {
            return;
        }
        let mine = &mut self.server().relay;
        mine.more = batch.len() >= relay.batch as usize;
        mine.batch = batch.iter().map(|(number, _)| *number).collect();
        mine.sent = batch.iter().cloned().collect();
        mine.at = now;
        for (number, letter) in batch {
            self.relay_message(plan, number, letter, out);
        }
        if let Some(point) = plan.points.outbox_after_send {
            out.point(point, 0);
        }
        if service.mutant == Some(Mutant::RelayBeforeConfirm) {
            // What was sent is taken out without waiting for the broker.
            self.server().relay.sent.clear();
            self.relay_confirmed(plan, 0, out);
        }
    }

    /// The broker has stored a message.
    pub(super) fn relay_confirmed(&mut self, plan: &Plan, number: u64, out: &mut impl Effects<Self>) {
        let mine = &mut self.server().relay;
        mine.sent.remove(&number);
        if !mine.sent.is_empty() || mine.batch.is_empty() {
            return;
        }
        let numbers = mine.batch.clone();
        if let Some(point) = plan.points.outbox_before_mark {
            out.point(point, 0);
        }
        self.poll(plan, Ask::Relayed { numbers }, out);
    }

    /// The messages are out of the outbox.
    pub(super) fn relayed(&mut self, plan: &Plan, now: Time, last: u64, out: &mut impl Effects<Self>) {
        let mine = &mut self.server().relay;
        // It may have been asked twice, and this be the second answer: what is on its way now is another batch.
        if mine.batch.last() != Some(&last) {
            return;
        }
        mine.batch.clear();
        mine.sent.clear();
        let (service, _) = plan.service(self.me);
        let again = core::mem::take(&mut self.server().relay.more);
        if again || service.relay.is_some_and(|relay| relay.every.is_none()) {
            self.relay_due(plan, now, out);
        }
    }
}
