//! The reader's side: one node of a group, and the partitions that are its own.
//!
//! Whoever embeds it calls [`Member::take`] after every message and timer, works on what it is given, one letter of a
//! partition at a time, and says [`Member::done`].

use alloc::collections::{BTreeMap, VecDeque};

use kernel::{Delay, Effects, NodeId, Time};

use super::alone::Role;
use super::wire::{Message, Stand, Timer};
use super::{Commit, Mutant, Plan};
use crate::messaging::wire::{Letter, Payload};

/// One node of a group.
#[derive(Clone, Debug)]
pub struct Member<P> {
    group: u32,
    partitions: BTreeMap<u32, Reading<P>>,
}

#[derive(Clone, Debug)]
struct Reading<P> {
    at: Stand,
    stage: Stage,
    /// The offset of the first letter that was not read; unknown at first.
    next: Option<u64>,
    letters: VecDeque<Letter<P>>,
    /// The first of them is being worked on.
    taken: bool,
    /// Asked for, and not known to be durable.
    uncommitted: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Waits for letters.
    Fetching,
    /// Has some, and waits until their commit is durable.
    Committing,
    /// Has some that may be worked on.
    Working,
}

impl<P: Payload> Member<P> {
    /// A node that starts asks for what its group has not committed.
    pub fn start(plan: &Plan, node: NodeId, now: Time, group: u32, out: &mut impl Effects<Role<P>>) -> Self {
        let reading = |partition| {
            let at = Stand { group, partition, node, life: now, turn: 0 };
            let (letters, uncommitted) = (VecDeque::new(), None);
            (partition, Reading { at, stage: Stage::Fetching, next: None, letters, taken: false, uncommitted })
        };
        let mut new = Self { group, partitions: plan.partitions_of(group, node).map(reading).collect() };
        for reading in new.partitions.values_mut() {
            reading.fetch(plan, out);
        }
        new
    }

    /// A message for `Part::Reader` arrived, for this group.
    pub fn on_message(&mut self, plan: &Plan, message: Message<P>, out: &mut impl Effects<Role<P>>) {
        match message {
            Message::Fetched { at, from: _, next, letters } => {
                let Some(reading) = self.partitions.get_mut(&at.partition) else { return };
                if reading.at != at || reading.stage != Stage::Fetching {
                    return;
                }
                reading.next = Some(next);
                reading.letters.extend(letters);
                let early = plan.has(Mutant::CommitWhenRead);
                reading.stage = match plan.groups[self.group as usize].commit {
                    Commit::Before => Stage::Committing,
                    Commit::After => Stage::Working,
                };
                if reading.stage == Stage::Committing || early {
                    reading.uncommitted = reading.next;
                    reading.ask(plan, out);
                }
            }
            Message::Committed { at, upto } => {
                let Some(reading) = self.partitions.get_mut(&at.partition) else { return };
                if reading.at.life != at.life || reading.uncommitted.is_none_or(|uncommitted| upto < uncommitted) {
                    return;
                }
                reading.uncommitted = None;
                if reading.stage == Stage::Committing {
                    reading.stage = Stage::Working;
                }
                if reading.stage == Stage::Working {
                    out.cancel_timer(reading.timer());
                }
            }
            Message::Publish { .. } | Message::Published { .. } | Message::Fetch { .. } | Message::Commit { .. } => {
                unreachable!("for brokers and publishers")
            }
        }
    }

    /// `Timer::Ask` is due: what was asked for is asked for again.
    pub fn ask_again(&mut self, plan: &Plan, partition: u32, out: &mut impl Effects<Role<P>>) {
        if let Some(reading) = self.partitions.get_mut(&partition) {
            reading.ask(plan, out);
        }
    }

    /// The next letter that may be worked on, with its partition; none of it before `done` was said of the last.
    pub fn take(&mut self) -> Option<(u32, Letter<P>)> {
        let free = |reading: &&mut Reading<P>| reading.stage == Stage::Working && !reading.taken;
        let reading = self.partitions.values_mut().find(free)?;
        let letter = reading.letters.front()?.clone();
        reading.taken = true;
        Some((reading.at.partition, letter))
    }

    /// The letter taken from this partition is worked off.
    pub fn done(&mut self, plan: &Plan, partition: u32, out: &mut impl Effects<Role<P>>) {
        let reading = self.partitions.get_mut(&partition).expect("it was taken from here");
        reading.taken = false;
        reading.letters.pop_front();
        if reading.letters.is_empty() {
            if plan.groups[self.group as usize].commit == Commit::After {
                reading.uncommitted = reading.next;
            }
            reading.stage = Stage::Fetching;
            reading.fetch(plan, out);
        }
    }

    /// Letters that were read and are not worked off, and commits that are not known to be durable.
    pub fn unfinished(&self) -> u64 {
        let of = |reading: &Reading<P>| reading.letters.len() as u64 + u64::from(reading.uncommitted.is_some());
        self.partitions.values().map(of).sum()
    }
}

impl<P: Payload> Reading<P> {
    /// Asks for more. A new turn: answers to what was asked before are late.
    fn fetch(&mut self, plan: &Plan, out: &mut impl Effects<Role<P>>) {
        self.at.turn += 1;
        self.ask(plan, out);
    }

    fn ask(&mut self, plan: &Plan, out: &mut impl Effects<Role<P>>) {
        if self.uncommitted.is_none() && self.stage != Stage::Fetching {
            return;
        }
        let broker = plan.broker_of(self.at.group);
        if let Some(upto) = self.uncommitted {
            out.send(broker, Message::Commit { at: self.at, upto });
        }
        if self.stage == Stage::Fetching {
            out.send(broker, Message::Fetch { at: self.at, from: self.next });
        }
        out.set_timer(self.timer(), Delay::Fixed(plan.patience));
    }

    fn timer(&self) -> Timer {
        Timer::Ask { group: self.at.group, partition: self.at.partition }
    }
}
