//! The outbox: messages that were committed with their rows and wait for the relay.
//!
//! One relay at a time reads them in the order of the commits: it holds a lease, which it renews by asking. What the
//! broker has confirmed is taken out by a commit of its own, so after a crash between the two a message is sent again.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kernel::{Delta, Span, Time};

use super::journal::{Commit, Outgoing};
use super::sagas::Owner;
use super::script::OutboxPlan;

/// How long a relay that does not ask keeps its right to be the only one.
pub(super) const RELAY_LEASE: Span = Span::secs(5);

/// Messages that wait for the relay, by number.
#[derive(Clone, Debug, Default)]
pub struct Relay {
    rows: BTreeMap<u64, Outgoing>,
    numbers: u64,
    lease: Option<(Owner, Time)>,
    /// When the messages had been written that the last commit took out.
    out: Vec<Time>,
}

/// What a relay has been given: messages with their numbers, in the order of the commits.
pub type Batch = Vec<(u64, Outgoing)>;

impl Relay {
    /// How many wait.
    pub fn waiting(&self) -> u64 {
        self.rows.len() as u64
    }

    pub(super) fn commit(&mut self, plan: Option<&OutboxPlan>, commit: &Commit, changes: Option<&mut Vec<Delta>>) {
        if commit.letters.is_empty() && commit.relayed.is_empty() {
            return;
        }
        let before = self.rows.len() as i64;
        for letter in &commit.letters {
            // Not from 1 again if the disk was lost: the relay and who reads a topic know a message by its number.
            self.numbers = (self.numbers + 1).max(letter.since.0);
            self.rows.insert(self.numbers, letter.clone());
        }
        self.out.clear();
        self.out.extend(commit.relayed.iter().filter_map(|number| self.rows.remove(number)).map(|letter| letter.since));
        if let (Some(plan), Some(changes)) = (plan, changes) {
            changes.push(Delta { cell: plan.waiting, key: 0, before, after: self.rows.len() as i64 });
        }
    }

    pub(super) fn restate(&self, plan: Option<&OutboxPlan>, changes: &mut Vec<Delta>) {
        let after = self.rows.len() as i64;
        changes.extend(plan.map(|plan| Delta { cell: plan.waiting, key: 0, before: after, after }));
    }

    /// Whether this one is the relay now: nobody else holds the lease. It is renewed.
    pub fn is_relay(&mut self, who: Owner, now: Time) -> bool {
        match self.lease {
            Some((holder, until)) if holder != who && now < until => false,
            Some(_) | None => {
                self.lease = Some((who, now + RELAY_LEASE));
                true
            }
        }
    }

    /// The oldest messages, at most `most`.
    pub fn batch(&self, most: u32) -> Batch {
        self.rows.iter().take(most as usize).map(|(number, letter)| (*number, letter.clone())).collect()
    }

    /// When the messages had been written that the last commit took out.
    pub fn just_out(&self) -> impl Iterator<Item = Time> {
        self.out.iter().copied()
    }

    /// Every message that waits.
    pub fn rows(&self) -> impl Iterator<Item = &Outgoing> {
        self.rows.values()
    }
}
