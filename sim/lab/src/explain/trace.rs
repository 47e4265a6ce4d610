//! What a run did, event by event: what made each happen, which messages it sent, what it changed.
//!
//! A `Tracer` listens; nothing of it is kept in normal runs. Of each event and message a few words are kept, in all at most
//! `EVENTS_MAX` and `LETTERS_MAX`: of longer runs the newest. Where a process goes on with an operation is known by what it
//! was woken with: a message says whose it is, or is of the event that sent it; a timer is of the event that set it.

use std::collections::{BTreeMap, BTreeSet};

use cluster::{FaultEvent, Handled, Instance, Kind, MessageEvent, Passage, Reason, Watch};
use kernel::hashing::Map;
use kernel::{CellId, Delta, Fact, FactKind, NodeId, PointId, SagaFact, Time};
use systems::app::ending::Ending;
use systems::app::machine::{Machine, Record, Timer};
use systems::app::message::Message;
use systems::app::output::{Output, Told};

use super::alarm::{Alarm, alarm};
use super::tale::{Says, Tale, Turn};
use crate::names::{ItemKind, Names};

/// Events that are kept of a run.
pub(super) const EVENTS_MAX: usize = 4_000_000;
/// Messages that are kept of a run.
pub(super) const LETTERS_MAX: usize = 4_000_000;

/// An event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) time: Time,
    pub(super) node: NodeId,
    pub(super) kind: Kind,
    /// The root operation it works for; 0: for none, or for several.
    pub(super) operation: u64,
    pub(super) cause: Cause,
}

/// What made an event happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cause {
    /// Nothing that is known: a machine starts, a fault strikes.
    Nothing,
    /// A message was delivered.
    Letter(u64),
    /// A timer, a work or a write that this event began.
    Event(u64),
}

/// A message and what became of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter {
    pub(super) id: u64,
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) sent: Time,
    /// The event in which it left its sender.
    pub(super) sent_in: u64,
    /// The event in which it was said: earlier, if it had to wait for the disk.
    pub(super) said_in: u64,
    /// The root operation it is about; 0: none.
    pub(super) operation: u64,
    pub(super) tale: Tale,
    /// The message that the link made this copy of.
    pub(super) copy_of: Option<u64>,
    pub(super) delivered: Option<(Time, u64)>,
    /// It will never arrive; without a reason its connection was reset.
    pub(super) dropped: Option<(Time, Option<Reason>)>,
    /// Transmissions that were lost, and the first of them.
    pub(super) losses: u32,
    pub(super) lost: Option<(Time, Reason)>,
    pub(super) held: Option<(Time, Option<Time>)>,
}

/// A change of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub(super) cell: CellId,
    pub(super) key: u64,
    pub(super) before: i64,
    pub(super) after: i64,
}

/// Something that is told of in an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    pub(super) event: u64,
    pub(super) time: Time,
    pub(super) node: NodeId,
    pub(super) what: What,
}

/// What.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// Rows, by their place in `Trace::changes`.
    Changed {
        first: usize,
        count: usize,
    },
    Point(PointId),
    Fact {
        protocol: u32,
        instance: u64,
        kind: FactKind,
    },
    Durable,
    Crashed,
    Restarted,
    Fault {
        instance: u32,
        began: bool,
    },
    Invoked {
        workload: u32,
        number: u64,
    },
    Completed {
        number: u64,
        ending: Ending,
        error: Option<u16>,
    },
    Store(Told),
    /// With the call that it is about, if it is about one.
    Alarm(Alarm, Option<u64>),
}

/// What a run did.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// The number of the first event that is kept; events are numbered from 1.
    first_event: u64,
    events: Vec<Event>,
    first_letter: u64,
    letters: Vec<Letter>,
    pub(super) notes: Vec<Note>,
    first_change: usize,
    changes: Vec<Change>,
    /// By protocol: the instances that began.
    pub(super) instances: BTreeMap<u32, BTreeSet<u64>>,
    /// By how much the sides of the broken equation differed after an event, where that changed.
    pub(super) imbalance: Vec<(u64, i64)>,
}

impl Trace {
    /// Events that are kept, with their numbers.
    pub(super) fn events(&self) -> impl Iterator<Item = (u64, &Event)> {
        (self.first_event..).zip(&self.events)
    }

    pub(super) fn event(&self, number: u64) -> Option<&Event> {
        self.events.get(usize::try_from(number.checked_sub(self.first_event)?).ok()?)
    }

    /// The number of the last event.
    pub(super) fn last(&self) -> u64 {
        self.first_event + self.events.len() as u64 - u64::from(!self.events.is_empty())
    }

    pub(super) fn letters(&self) -> &[Letter] {
        &self.letters
    }

    pub(super) fn letter(&self, id: u64) -> Option<&Letter> {
        self.letters.get(usize::try_from(id.checked_sub(self.first_letter)?).ok()?)
    }

    /// The notes of an event.
    pub(super) fn notes_of(&self, event: u64) -> &[Note] {
        let from = self.notes.partition_point(|note| note.event < event);
        let to = self.notes.partition_point(|note| note.event <= event);
        &self.notes[from..to]
    }

    /// Rows that were changed in one step.
    pub(super) fn changed(&self, first: usize, count: usize) -> &[Change] {
        let first = first - self.first_change;
        &self.changes[first..first + count]
    }

    fn letter_mut(&mut self, id: u64) -> Option<&mut Letter> {
        self.letters.get_mut(usize::try_from(id.checked_sub(self.first_letter)?).ok()?)
    }

    /// Of a long run the older part is forgotten.
    fn bound(&mut self) {
        if self.events.len() >= EVENTS_MAX {
            self.events.drain(..EVENTS_MAX / 4);
            self.first_event += EVENTS_MAX as u64 / 4;
            let kept = self.notes.partition_point(|note| note.event < self.first_event);
            self.notes.drain(..kept);
            let first = |note: &Note| if let What::Changed { first, .. } = note.what { Some(first) } else { None };
            let all = self.first_change + self.changes.len();
            let first = self.notes.iter().find_map(first).unwrap_or(all);
            self.changes.drain(..first - self.first_change);
            self.first_change = first;
            // What the sides of an equation came to before is the beginning of what is known.
            let known = self.imbalance.partition_point(|(event, _)| *event < self.first_event).saturating_sub(1);
            self.imbalance.drain(..known);
        }
        if self.letters.len() >= LETTERS_MAX {
            self.letters.drain(..LETTERS_MAX / 4);
            self.first_letter = self.letters[0].id;
        }
    }
}

/// Listens, and writes down what it hears.
#[derive(Debug)]
pub(super) struct Tracer {
    pub(super) trace: Trace,
    /// By cell: whether it is a row of a service's state.
    rows: Vec<bool>,
    /// Where pending timers were set, and for which operation.
    armed: Map<(NodeId, Timer), (u64, u64)>,
    /// By number among those that wait: where a message was said, and for which operation.
    withheld: Map<u32, (u64, u64)>,
    /// By question to a store: for which operation it was asked. Answers do not say it.
    asked: Map<u64, u64>,
    /// By node: the events that wrote what is not durable yet, with their operations.
    written: BTreeMap<NodeId, Vec<(u64, u64)>>,
    /// The event that is being handled.
    number: u64,
    operation: u64,
    cause: Cause,
    /// Rows have changed in it.
    pub(super) moved: bool,
}

impl Tracer {
    /// Nothing has been heard.
    pub(super) fn new(names: &Names) -> Self {
        let mut rows = vec![false; names.cells.len()];
        for item in &names.items {
            match &item.kind {
                ItemKind::Counter { cell } | ItemKind::List { size: cell } => rows[cell.0 as usize] = true,
                ItemKind::Map { present, fields, .. } => {
                    rows[present.0 as usize] = true;
                    for field in fields {
                        rows[field.cell.0 as usize] = true;
                    }
                }
            }
        }
        let trace = Trace { first_event: 1, first_letter: 1, ..Trace::default() };
        let (armed, withheld, asked, written) = (Map::default(), Map::default(), Map::default(), BTreeMap::new());
        Self {
            trace,
            rows,
            armed,
            withheld,
            asked,
            written,
            number: 1,
            operation: 0,
            cause: Cause::Nothing,
            moved: false,
        }
    }

    /// The event is over.
    pub(super) fn end(&mut self, handled: &Handled) {
        let Handled { time, node, kind, .. } = *handled;
        self.trace.events.push(Event { time, node, kind, operation: self.operation, cause: self.cause });
        self.trace.bound();
        (self.number, self.operation, self.cause, self.moved) = (self.number + 1, 0, Cause::Nothing, false);
    }

    fn note(&mut self, time: Time, node: NodeId, what: What) {
        self.trace.notes.push(Note { event: self.number, time, node, what });
    }

    fn push(&mut self, letter: Letter) {
        if self.trace.letters.is_empty() {
            self.trace.first_letter = letter.id;
        }
        self.trace.letters.push(letter);
    }
}

impl Watch<Machine> for Tracer {
    fn output(&mut self, now: Time, node: NodeId, output: &Output) {
        let what = match *output {
            Output::Invoked { workload, number, .. } => {
                // A new operation: what is done for it from here on is its own.
                self.operation = systems::app::clients::operation(workload, number);
                What::Invoked { workload, number }
            }
            Output::Completed { workload, number, ending, error, .. } => {
                self.operation = systems::app::clients::operation(workload, number);
                What::Completed { number, ending, error }
            }
            Output::Store(told) => What::Store(told),
        };
        self.note(now, node, what);
    }

    fn fact(&mut self, fact: Fact) {
        let Fact { time, node, protocol, instance, kind } = fact;
        match kind {
            FactKind::Begun { .. } | FactKind::Saga(SagaFact::Begun { .. }) => {
                let known = self.trace.instances.entry(protocol).or_default();
                if known.len() < LETTERS_MAX {
                    known.insert(instance);
                }
            }
            FactKind::Crashed | FactKind::Recovered => return,
            FactKind::Voted { .. }
            | FactKind::VotedReadOnly
            | FactKind::Decided { .. }
            | FactKind::Applied { .. }
            | FactKind::Told { .. }
            | FactKind::Saga(_)
            | FactKind::Leads { .. }
            | FactKind::StoodDown => {}
        }
        self.note(time, node, What::Fact { protocol, instance, kind });
    }

    fn change(&mut self, now: Time, node: NodeId, change: &[Delta]) {
        let first = self.trace.first_change + self.trace.changes.len();
        let own = |delta: &&Delta| self.rows[delta.cell.0 as usize] && delta.before != delta.after;
        self.trace.changes.extend(change.iter().filter(own).map(|delta| {
            let Delta { cell, key, before, after } = *delta;
            Change { cell, key, before, after }
        }));
        let count = self.trace.first_change + self.trace.changes.len() - first;
        if count > 0 {
            self.note(now, node, What::Changed { first, count });
        }
        self.moved |= change.iter().any(|delta| self.rows[delta.cell.0 as usize]);
    }

    fn point(&mut self, now: Time, node: NodeId, point: PointId, _: u32) {
        self.note(now, node, What::Point(point));
    }

    fn letter(&mut self, now: Time, id: u64, (from, to): (NodeId, NodeId), message: &Message, waited: Option<u32>) {
        let tale = Tale::of(message, (from, to));
        let said = waited.and_then(|number| self.withheld.remove(&number));
        let (said_in, for_operation) = said.unwrap_or((self.number, self.operation));
        let mut operation = tale.operation.unwrap_or(for_operation);
        if let Says::StoreAsk(_) = tale.says {
            if self.asked.len() >= LETTERS_MAX {
                self.asked.clear();
            }
            self.asked.insert(tale.exchange, operation);
        } else if tale.operation.is_none() && tale.turn == Turn::Answer {
            operation = self.asked.get(&tale.exchange).copied().unwrap_or(operation);
        }
        self.push(Letter {
            id,
            from,
            to,
            sent: now,
            sent_in: self.number,
            said_in,
            operation,
            tale,
            copy_of: None,
            delivered: None,
            dropped: None,
            losses: 0,
            lost: None,
            held: None,
        });
    }

    fn withheld(&mut self, _: Time, _: NodeId, waiting: u32) {
        self.withheld.insert(waiting, (self.number, self.operation));
    }

    fn copied(&mut self, now: Time, copy: u64, of: u64) {
        let Some(&original) = self.trace.letter(of) else { return };
        self.push(Letter {
            id: copy,
            sent: now,
            sent_in: self.number,
            copy_of: Some(of),
            delivered: None,
            dropped: None,
            losses: 0,
            lost: None,
            held: None,
            ..original
        });
    }

    fn armed(&mut self, _: Time, node: NodeId, timer: &Timer) {
        self.armed.insert((node, *timer), (self.number, self.operation));
    }

    fn fires(&mut self, now: Time, node: NodeId, timer: &Timer) {
        let set = self.armed.remove(&(node, *timer));
        let (said, own) = alarm(node, timer);
        if let Some((event, operation)) = set {
            self.operation = own.unwrap_or(operation);
            self.cause = if own == Some(0) { Cause::Nothing } else { Cause::Event(event) };
        }
        if let Some((alarm, of)) = said {
            self.note(now, node, What::Alarm(alarm, of));
        }
    }

    fn hears_reset(&mut self, _: Time, _: NodeId, id: u64) {
        if let Some(letter) = self.trace.letter(id) {
            (self.cause, self.operation) = (Cause::Event(letter.said_in), letter.operation);
        }
    }

    fn persists(&mut self, _: Time, node: NodeId, _: &Record) {
        self.written.entry(node).or_default().push((self.number, self.operation));
    }

    fn message(&mut self, now: Time, message: MessageEvent) {
        let number = self.number;
        let Some(letter) = self.trace.letter_mut(message.id) else { return };
        match message.passage {
            Passage::Sent | Passage::Retransmitted | Passage::Duplicated => {}
            Passage::Delivered => {
                letter.delivered = Some((now, number));
                (self.cause, self.operation) = (Cause::Letter(message.id), letter.operation);
            }
            Passage::Lost(reason) => {
                letter.losses += 1;
                letter.lost.get_or_insert((now, reason));
            }
            Passage::Held => letter.held = Some((now, None)),
            Passage::Released => letter.held = letter.held.map(|(since, _)| (since, Some(now))),
            Passage::Dropped(reason) => letter.dropped = Some((now, Some(reason))),
            Passage::Reset => letter.dropped = Some((now, None)),
        }
    }

    fn fault(&mut self, now: Time, instance: &Instance, event: FaultEvent) {
        let began = match event {
            FaultEvent::Began => true,
            FaultEvent::Ended => false,
            FaultEvent::Skipped(_) => return,
        };
        self.note(now, NodeId(0), What::Fault { instance: instance.id, began });
    }

    fn fsync(&mut self, now: Time, node: NodeId, _: u32) {
        let Some(written) = self.written.get_mut(&node) else { return };
        let all = std::mem::take(written);
        if self.cause == Cause::Nothing
            && let Some(&(event, operation)) = all.last()
        {
            let one = all.iter().all(|(_, other)| *other == operation);
            (self.cause, self.operation) = (Cause::Event(event), if one { operation } else { 0 });
        }
        self.note(now, node, What::Durable);
    }

    fn crashed(&mut self, now: Time, node: NodeId) {
        self.written.remove(&node);
        self.note(now, node, What::Crashed);
    }

    fn restarted(&mut self, now: Time, node: NodeId) {
        self.note(now, node, What::Restarted);
    }
}
