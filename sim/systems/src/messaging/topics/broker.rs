//! The broker's side: logs, what groups have committed, and who waits for more.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use kernel::{CellId, Delta, Effects, Frame, Hit, NodeId, Sample, SeriesId, Time, fold};

use super::alone::Role;
use super::wire::{Message, Record, Stand, Timer};
use super::{Mutant, Plan, Repeats};
use crate::messaging::broker::Chance;
use crate::messaging::wire::{Confirm, Letter, Payload};

/// A broker, with the topics that live on its machine.
#[derive(Clone, Debug)]
pub struct TopicBroker<P> {
    me: NodeId,
    /// By topic and partition; those of other brokers stay empty.
    logs: Vec<Vec<Log<P>>>,
    /// By group and partition: the first offset that is not committed.
    committed: Vec<Vec<u64>>,
    /// Commits whose record is not durable yet, with who made the last.
    committing: BTreeMap<(u32, u32), Vec<(Stand, u64)>>,
    /// Readers that wait for more: the offset they want.
    waiting: BTreeMap<(u32, u32), (Stand, u64)>,
    pending: BTreeMap<u64, Pending<P>>,
    tickets: u64,
    /// By topic: how often a letter is handed to its reader twice.
    troubles: BTreeMap<u32, Chance>,
}

#[derive(Clone, Debug)]
struct Log<P> {
    entries: Vec<(Letter<P>, Time)>,
    /// The letters there.
    known: BTreeSet<u64>,
}

#[derive(Clone, Debug)]
struct Pending<P> {
    from: NodeId,
    topic: u32,
    partition: u32,
    letter: Letter<P>,
    hop: u64,
    confirm: Confirm,
}

impl<P: Payload> TopicBroker<P> {
    /// A broker with empty memory.
    pub fn new(plan: &Plan, me: NodeId) -> Self {
        let log = Log { entries: Vec::new(), known: BTreeSet::new() };
        let partitions = |topic: u32| plan.topics[topic as usize].partitions as usize;
        Self {
            me,
            logs: (0..plan.topics.len() as u32).map(|topic| vec![log.clone(); partitions(topic)]).collect(),
            committed: plan.groups.iter().map(|group| vec![0; partitions(group.topic)]).collect(),
            committing: BTreeMap::new(),
            waiting: BTreeMap::new(),
            pending: BTreeMap::new(),
            tickets: 0,
            troubles: BTreeMap::new(),
        }
    }

    /// First event of a life: `log` holds the broker's durable records. All cells are stated again.
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
        for record in log {
            match record {
                Record::Appended { topic, partition, letter, time } => {
                    let log = &mut self.logs[*topic as usize][*partition as usize];
                    log.known.insert(letter.id);
                    log.entries.push((letter.clone(), *time));
                }
                Record::Committed { group, partition, upto } => {
                    let known = &mut self.committed[*group as usize][*partition as usize];
                    *known = (*known).max(*upto);
                }
            }
        }
        if now > Time::ZERO {
            let mut changes = Vec::new();
            self.each_cell(plan, |cell, key, value| {
                changes.push(Delta { cell, key, before: value, after: value });
            });
            if !changes.is_empty() {
                out.note(&changes);
            }
        }
    }

    /// A message for `Part::Broker` arrived.
    pub fn on_message(
        &mut self,
        plan: &Plan,
        now: Time,
        from: NodeId,
        message: Message<P>,
        out: &mut impl Effects<Role<P>>,
    ) {
        match message {
            Message::Publish { topic, letter, hop, confirm } => {
                let partition = plan.topics[topic as usize].partition(&letter);
                self.publish(plan, now, Pending { from, topic, partition, letter, hop, confirm }, out);
            }
            Message::Fetch { at, from } => {
                let committed = self.committed[at.group as usize][at.partition as usize];
                let begin =
                    if plan.has(Mutant::BeginAtTheEnd) { self.log(plan, at).entries.len() as u64 } else { committed };
                self.waiting.insert((at.group, at.partition), (at, from.unwrap_or(begin)));
                self.serve(plan, (at.group, at.partition), out);
            }
            Message::Commit { at, upto } => {
                out.frame(frame_of_commit(at.group, at.partition));
                // A commit that was overtaken takes nothing back.
                if upto > self.committed[at.group as usize][at.partition as usize] {
                    out.persist(Record::Committed { group: at.group, partition: at.partition, upto });
                }
                self.committing.entry((at.group, at.partition)).or_default().push((at, upto));
                out.wake(Timer::Committed { group: at.group, partition: at.partition });
            }
            Message::Published { .. } | Message::Fetched { .. } | Message::Committed { .. } => {
                unreachable!("for publishers and readers")
            }
        }
    }

    /// A timer of `Part::Broker` is due.
    pub fn on_timer(&mut self, plan: &Plan, now: Time, timer: Timer, out: &mut impl Effects<Role<P>>) {
        match timer {
            Timer::Appended(ticket) => self.appended(plan, now, ticket, out),
            Timer::Committed { group, partition } => self.commit(plan, now, (group, partition), out),
            Timer::Ask { .. } | Timer::Order(_) | Timer::Done(_) => unreachable!("of publishers and readers"),
        }
    }

    /// Begins or, with `None`, ends a fault: a share of the letters of a topic is handed to its readers twice, once more
    /// behind the batch that it came with. Keyed by the letter's id, the group and the partition. A crash ends it.
    pub fn trouble(&mut self, topic: u32, chance: Option<Chance>) {
        match chance {
            Some(chance) => drop(self.troubles.insert(topic, chance)),
            None => drop(self.troubles.remove(&topic)),
        }
    }

    /// Letters that some group has still to read, and publishes that are not in the log yet.
    pub fn unfinished(&self, plan: &Plan) -> u64 {
        let mut lag = 0;
        self.each_lag(plan, |_, _, n| lag += n);
        lag + self.pending.len() as u64
    }

    /// See `kernel::Process::open_samples`: every letter, for every group that has not committed it.
    pub fn open_samples(&self, plan: &Plan, each: &mut impl FnMut(SeriesId, Time)) {
        self.each_lag(plan, |group, partition, lag| {
            let rules = &plan.groups[group];
            let entries = &self.logs[rules.topic as usize][partition].entries;
            if let Some(series) = rules.age {
                entries[entries.len() - lag as usize..].iter().for_each(|(_, since)| each(series, *since));
            }
        });
    }

    fn publish(&mut self, plan: &Plan, now: Time, publish: Pending<P>, out: &mut impl Effects<Role<P>>) {
        let (topic, partition, id) = (publish.topic, publish.partition, publish.letter.id);
        let mut pending = self.pending.values_mut();
        if let Some(waiting) =
            pending.find(|other| (other.from, other.topic, other.letter.id) == (publish.from, topic, id))
        {
            // A repeat of what still waits for the disk takes its place.
            (waiting.hop, waiting.confirm) = (publish.hop, publish.confirm);
            return;
        }
        self.tickets += 1;
        out.frame(frame_of_publish(self.tickets));
        let recognised = plan.topics[topic as usize].repeats == Repeats::Recognised;
        if recognised && self.logs[topic as usize][partition as usize].known.contains(&id) {
            return publish.answer(out);
        }
        if plan.has(Mutant::ConfirmBeforeAppend) {
            publish.answer(out);
        }
        out.persist(Record::Appended { topic, partition, letter: publish.letter.clone(), time: now });
        out.wake(Timer::Appended(self.tickets));
        self.pending.insert(self.tickets, publish);
    }

    fn appended(&mut self, plan: &Plan, now: Time, ticket: u64, out: &mut impl Effects<Role<P>>) {
        let publish = self.pending.remove(&ticket).expect("appended once");
        let (topic, partition) = (publish.topic, publish.partition);
        out.frame(frame_of_publish(ticket));
        if let Some(point) = plan.after_store_before_confirm {
            out.point(point, plan.topics[topic as usize].of);
        }
        publish.answer(out);
        let log = &mut self.logs[topic as usize][partition as usize];
        log.known.insert(publish.letter.id);
        log.entries.push((publish.letter, now));
        let end = log.entries.len() as i64;
        let mut changes = Vec::new();
        let mut change = |cell: Option<CellId>, after: i64| {
            changes.extend(cell.map(|cell| Delta { cell, key: u64::from(partition), before: after - 1, after }));
        };
        change(plan.topics[topic as usize].published, end);
        let groups = (0..).zip(&plan.groups).filter(|(_, rules)| rules.topic == topic);
        for (group, rules) in groups.clone() {
            let committed: u64 = self.committed[group as usize][partition as usize];
            change(rules.lag, end - committed as i64);
        }
        if !changes.is_empty() {
            out.note(&changes);
        }
        for (group, _) in groups {
            self.serve(plan, (group, partition), out);
        }
    }

    /// Answers a reader if there is something for it.
    fn serve(&mut self, plan: &Plan, place: (u32, u32), out: &mut impl Effects<Role<P>>) {
        let Some(&(at, from)) = self.waiting.get(&place) else { return };
        let entries = &self.log(plan, at).entries;
        let batch = plan.groups[at.group as usize].batch as usize;
        let mut letters: Vec<_> =
            entries.iter().skip(from as usize).take(batch).map(|(letter, _)| letter.clone()).collect();
        if letters.is_empty() {
            return;
        }
        self.waiting.remove(&place);
        out.frame(Frame(0));
        let next = from + letters.len() as u64;
        if let Some(chance) = self.troubles.get(&plan.groups[at.group as usize].topic) {
            let struck = |letter: &&Letter<P>| {
                let (group, partition) = (u64::from(at.group), u64::from(at.partition));
                let draw = chance.key.draw(letter.id, group, partition).bits();
                let drawn = draw < chance.threshold || chance.threshold == u64::MAX;
                out.strikes(chance.instance, Hit { operation: letter.id, hop: group, number: partition }, drawn)
            };
            let copies: Vec<_> = letters.iter().filter(struck).cloned().collect();
            letters.extend(copies);
        }
        out.send(at.node, Message::Fetched { at, from, next, letters });
    }

    fn commit(&mut self, plan: &Plan, now: Time, (group, partition): (u32, u32), out: &mut impl Effects<Role<P>>) {
        let Some(waiting) = self.committing.get_mut(&(group, partition)) else { return };
        let (at, upto) = waiting.remove(0);
        if waiting.is_empty() {
            self.committing.remove(&(group, partition));
        }
        let rules = &plan.groups[group as usize];
        let entries = &self.logs[rules.topic as usize][partition as usize].entries;
        let known = &mut self.committed[group as usize][partition as usize];
        let before = *known;
        *known = before.max(upto);
        let lag = |committed: u64| entries.len() as i64 - committed as i64;
        if let Some(cell) = rules.lag
            && *known > before
        {
            out.note(&[Delta { cell, key: u64::from(partition), before: lag(before), after: lag(*known) }]);
        }
        if let Some(series) = rules.age {
            for (_, since) in &entries[before as usize..*known as usize] {
                out.measure(Sample { series, tag: 0, since: *since, value: now.since(*since) });
            }
        }
        out.frame(frame_of_commit(group, partition));
        out.send(at.node, Message::Committed { at, upto });
    }

    fn log(&self, plan: &Plan, at: Stand) -> &Log<P> {
        &self.logs[plan.groups[at.group as usize].topic as usize][at.partition as usize]
    }

    fn each_lag(&self, plan: &Plan, mut each: impl FnMut(usize, usize, u64)) {
        for (group, rules) in plan.groups.iter().enumerate() {
            let logs = self.logs[rules.topic as usize].iter().zip(&self.committed[group]);
            for (partition, (log, committed)) in logs.enumerate() {
                each(group, partition, log.entries.len() as u64 - committed);
            }
        }
    }

    fn each_cell(&self, plan: &Plan, mut each: impl FnMut(CellId, u64, i64)) {
        let mine = |topic: u32| plan.topics[topic as usize].broker == self.me;
        for (topic, rules) in (0..).zip(&plan.topics).filter(|(topic, _)| mine(*topic)) {
            if let Some(cell) = rules.published {
                let logs: &Vec<Log<P>> = &self.logs[topic as usize];
                (0..).zip(logs).for_each(|(partition, log)| each(cell, partition, log.entries.len() as i64));
            }
        }
        self.each_lag(plan, |group, partition, lag| {
            let rules = &plan.groups[group];
            if let Some(cell) = rules.lag.filter(|_| mine(rules.topic)) {
                each(cell, partition as u64, lag as i64);
            }
        });
    }
}

impl<P: Payload> Pending<P> {
    fn answer(&self, out: &mut impl Effects<Role<P>>) {
        let Letter { id, operation, .. } = self.letter;
        match self.confirm {
            Confirm::Wanted => out.send(self.from, Message::Published { id, operation, hop: self.hop }),
            Confirm::Unwanted => {}
        }
    }
}

fn frame_of_commit(group: u32, partition: u32) -> Frame {
    Frame(fold(fold(0xb20e, u64::from(group)), u64::from(partition)))
}

fn frame_of_publish(ticket: u64) -> Frame {
    Frame(fold(0xb20f, ticket))
}
