//! One queue in memory: what it holds, who consumes it, and its figures.
//!
//! The two sides of `ready + in flight = accepted − acknowledged − expired − dead-lettered − dropped` are kept apart: the left
//! is the length of what is here, the right is counted where it happens.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use kernel::{NodeId, Time};

use super::lines::{Due, Lines, Waiting};
use super::mutant::Mutant;
use super::plan::{AtRest, End, FIGURES, Figure, Ordering, Plan, QueuePlan};
use super::wire::{Letter, Place};

#[derive(Clone, Debug)]
pub(super) struct Queue<P> {
    /// Everything that was accepted and is not gone, by number.
    pub(super) entries: BTreeMap<u64, Entry<P>>,
    pub(super) lines: Lines,
    /// Delivered and not settled.
    pub(super) out: BTreeSet<u64>,
    /// Settled, or taken out, by a record that is not durable yet: from `lines`, and from `out`.
    pub(super) leaving_lines: BTreeSet<u64>,
    pub(super) leaving_out: BTreeSet<u64>,
    /// The number of the next message.
    pub(super) numbers: u64,
    /// The place of the next message.
    pub(super) places: u64,
    /// Places promised to letters whose record is not durable yet.
    pub(super) reserved: u32,
    pub(super) subscriptions: Vec<Subscription>,
    /// Whose turn it is.
    pub(super) turn: usize,
    /// Tickets of publishes that wait for room.
    pub(super) blocked: VecDeque<u64>,
    /// For when the expiry timer is set.
    pub(super) expires: Option<Time>,
    pub(super) at_rest: AtRest,
    counts: [i64; FIGURES],
    pub(super) told: [i64; FIGURES],
}

#[derive(Clone, Debug)]
pub(super) struct Entry<P> {
    pub(super) letter: Letter<P>,
    /// When it was accepted.
    pub(super) since: Time,
    pub(super) deliveries: u32,
    /// Its place in the order of delivery.
    pub(super) place: u64,
    pub(super) stage: Stage,
}

#[derive(Clone, Debug)]
pub(super) enum Stage {
    Waiting,
    Out {
        to: Consumer,
        /// Copies that were sent by mistake.
        copies: u32,
    },
    Leaving {
        end: End,
        /// Where it goes to.
        places: Vec<Place>,
    },
}

/// A consumer on one of its nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Consumer {
    pub(super) consumer: u32,
    pub(super) node: NodeId,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Subscription {
    pub(super) who: Consumer,
    pub(super) incarnation: Time,
    pub(super) unsettled: u32,
    pub(super) prefetch: Option<u32>,
}

impl<P> Queue<P> {
    pub(super) fn new(plan: &Plan, queue: &QueuePlan) -> Self {
        let ordering = if plan.has(Mutant::IgnoreKeys) { Ordering::None } else { queue.ordering };
        Self {
            entries: BTreeMap::new(),
            lines: Lines::new(ordering),
            out: BTreeSet::new(),
            leaving_lines: BTreeSet::new(),
            leaving_out: BTreeSet::new(),
            numbers: 0,
            places: 0,
            reserved: 0,
            subscriptions: Vec::new(),
            turn: 0,
            blocked: VecDeque::new(),
            expires: None,
            at_rest: queue.at_rest,
            counts: [0; FIGURES],
            told: [0; FIGURES],
        }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn place(&mut self) -> u64 {
        self.places += 1;
        self.places
    }

    pub(super) fn count(&mut self, figure: Figure) {
        self.counts[figure as usize] += 1;
    }

    /// All figures: levels are the lengths of what is here, the rest was counted.
    pub(super) fn figures(&self) -> [i64; FIGURES] {
        let mut figures = self.counts;
        figures[Figure::Depth as usize] = self.entries.len() as i64;
        figures[Figure::Ready as usize] = i64::from(self.lines.len()) + self.leaving_lines.len() as i64;
        figures[Figure::InFlight as usize] = (self.out.len() + self.leaving_out.len()) as i64;
        figures[Figure::Blocked as usize] = self.blocked.len() as i64;
        figures
    }

    /// A queue with a capacity has room for one more.
    pub(super) fn has_room(&self, plan: &QueuePlan) -> bool {
        plan.capacity.is_none_or(|capacity| self.entries.len() as u32 + self.reserved < capacity)
    }

    /// A queue with a length is at it.
    pub(super) fn is_full(&self, plan: &QueuePlan) -> bool {
        plan.max_length.is_some_and(|most| self.lines.len() + self.reserved >= most)
    }

    pub(super) fn entry(&mut self, number: u64) -> &mut Entry<P> {
        self.entries.get_mut(&number).expect("only what is held is named")
    }

    /// The next consumer in turn that can take one more.
    pub(super) fn next_consumer(&mut self) -> Option<&mut Subscription> {
        let all = self.subscriptions.len();
        let at = (0..all).map(|n| (self.turn + n) % all).find(|at| self.subscriptions[*at].is_free())?;
        self.turn = (at + 1) % all;
        Some(&mut self.subscriptions[at])
    }

    /// One delivery of this consumer is settled.
    pub(super) fn settled(&mut self, who: Consumer) {
        if let Some(subscription) = self.subscriptions.iter_mut().find(|subscription| subscription.who == who) {
            subscription.unsettled -= 1;
        }
    }

    /// The unsettled deliveries of a consumer.
    pub(super) fn deliveries_of(&self, who: Consumer) -> Vec<u64> {
        let is_its = |number: &u64| matches!(self.entries[number].stage, Stage::Out { to, .. } if to == who);
        self.out.iter().copied().filter(is_its).collect()
    }

    /// How a message stands in the lines.
    pub(super) fn waiting(&self, plan: &QueuePlan, number: u64, due: Due) -> Waiting {
        let entry = &self.entries[&number];
        let highest = plan.priorities.saturating_sub(1);
        Waiting { key: entry.letter.key, rank: highest - entry.letter.priority.min(highest), place: entry.place, due }
    }
}

impl Subscription {
    fn is_free(&self) -> bool {
        self.prefetch.is_none_or(|most| self.unsettled < most)
    }
}
