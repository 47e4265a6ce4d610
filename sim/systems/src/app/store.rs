//! A service's database at work: it is asked, makes durable what it must, and answers when that may be told.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use kernel::{Delta, Effects, FactKind, Frame as Barrier, NodeId, SagaFact, Sample, Time, fold};

use super::machine::{Machine, Record, Timer};
use super::message::Message;
use super::plan::{MarkKind, Plan, Service};
use super::question::{Ask, Question, Tell, Told};
use crate::database::{
    Asker, Commit, Database, DatabasePlan, Effect, Means, Outcome, Owner, SagaEntry, SagaKey, SagaRow, Touch, When,
};
use crate::variables::Variables;

/// A database, and who waits for it.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    /// By commit: what may be told when it is durable.
    waiting: VecDeque<(u64, Told)>,
    /// What the commit at hand changes; empty between two commits.
    changes: Vec<Delta>,
    /// Relays that wait for messages.
    fetching: Vec<(Asker, Owner, u32)>,
    /// By commit, in their order: guarded rows that were touched.
    touches: VecDeque<(u64, Vec<Touch>)>,
    /// Sagas that are not over, by kind, as was told.
    open: Vec<i64>,
    /// The nodes of its service: the first, and how many.
    clients: (NodeId, u32),
}

impl Store {
    /// A database of a machine with empty memory.
    pub fn new(plan: &Plan, service: &Service, state: &Arc<DatabasePlan>) -> Self {
        Self {
            database: Database::new(state),
            waiting: VecDeque::new(),
            changes: Vec::new(),
            fetching: Vec::new(),
            touches: VecDeque::new(),
            open: alloc::vec![0; plan.sagas.len()],
            clients: (service.first, service.nodes),
        }
    }

    /// Reads the log.
    pub fn start<'a>(
        &mut self,
        plan: &Plan,
        now: Time,
        log: impl Iterator<Item = &'a Commit> + Clone,
        out: &mut impl Effects<Machine>,
    ) {
        self.database.replay(log.clone());
        self.database.sagas.restart(now);
        if now == Time::ZERO {
            return;
        }
        let mut changes = Vec::new();
        self.database.restate(&mut changes);
        let (first, nodes) = self.clients;
        // Those that begin here; others are counted elsewhere.
        let mine = |kind: usize| plan.services[plan.sagas[kind].service as usize].first == first;
        for (kind, open) in self.open.iter_mut().enumerate().filter(|(kind, _)| mine(*kind)) {
            *open = self.database.sagas.open_of(kind as u16) as i64;
            changes.push(Delta { cell: plan.sagas[kind].open, key: 0, before: *open, after: *open });
        }
        out.note(&changes);
        // What became durable in the very instant of the crash was never told; a judge may hear a fact twice.
        for entry in log.flat_map(|commit| &commit.sagas) {
            // What came after a beginning has been told after it: then it is not told again.
            let last =
                |(saga, at): (SagaKey, u32)| self.database.sagas.get(saga).is_some_and(|row| row.position == Some(at));
            if begins(plan, entry).is_none_or(last) {
                say(plan, entry, out);
            }
        }
        for (n, node) in (first.0..first.0 + nodes).enumerate() {
            let hop = fold(now.0, n as u64);
            let asker = Asker { node: NodeId(node), frame: u32::MAX, token: 0, operation: u64::from(node), hop };
            out.send(NodeId(node), Message::Told(Told { asker, tell: Tell::Restarted }));
        }
    }

    /// What observers must hear if all of this is lost: see `kernel::Process::rows_on_disk`.
    pub fn rows_on_disk(&self, each: &mut impl FnMut(Delta)) {
        self.database.rows_on_disk(each);
    }

    /// What is not over here.
    pub fn unfinished(&self) -> u64 {
        self.database.unfinished()
    }

    /// The database itself.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Somebody asks.
    pub fn question(
        &mut self,
        plan: &Plan,
        now: Time,
        (from, question): (NodeId, Question),
        out: &mut impl Effects<Machine>,
    ) {
        let asker = Asker { node: from, ..question.asker };
        match question.ask {
            Ask::Script { script, asked, variables } => {
                let script = &plan.scripts[script as usize];
                let (outcome, when, commit) = self.database.run(script, variables, (asked, now));
                self.touched(plan, when, out);
                Self::write(asker.operation, when, commit, out);
                if let (Outcome::Done(_), Some(effect)) = (&outcome, plan.effect(asked.effect))
                    && effect.means == Means::Asks
                {
                    say_step(plan, asked.operation, effect, out);
                }
                self.tell(asker, Tell::Outcome(outcome), when, out);
            }
            Ask::Remember { identity, answer } => {
                let (outcome, when, commit) = self.database.remember(identity, answer);
                Self::write(asker.operation, when, commit, out);
                self.tell(asker, Tell::Outcome(outcome), when, out);
            }
            Ask::Begin { saga, owner, variables } => self.begin_saga(plan, now, asker, (saga, owner), &variables, out),
            Ask::Mark { saga, owner, term, marks, position, variables } => {
                self.mark_saga(plan, now, asker, (saga, owner, term), (marks, position, variables), out);
            }
            Ask::Renew { owner } => {
                let (mut adopted, quiet) = self.database.sagas.renew(owner, now);
                let owned = |(saga, _): &(SagaKey, SagaRow)| SagaEntry::Owned { saga: *saga, owner };
                let sagas: Vec<SagaEntry> = adopted.iter().map(owned).collect();
                let when = if sagas.is_empty() {
                    When::Now
                } else {
                    self.begin(asker.operation, Commit { sagas, ..Commit::default() }, out)
                };
                adopted.extend(quiet);
                self.tell(asker, Tell::Adopted(adopted), when, out);
            }
            Ask::Fetch { owner, most, waits } => {
                self.fetching.retain(|(_, other, _)| other.node != owner.node);
                self.fetching.push((asker, owner, most));
                self.hand_out(now, out);
                if !waits && let Some(at) = self.fetching.iter().position(|(_, other, _)| *other == owner) {
                    self.fetching.remove(at);
                    self.tell(asker, Tell::Batch(Vec::new()), When::Now, out);
                }
            }
            Ask::Free { saga } => {
                let when = if self.database.sagas.marks.is_over(saga) {
                    self.database.settled()
                } else {
                    let sagas = alloc::vec![SagaEntry::Freed { saga }];
                    self.begin(asker.operation, Commit { sagas, ..Commit::default() }, out)
                };
                self.tell(asker, Tell::Marked { kept: true }, when, out);
            }
            Ask::Relayed { numbers } => {
                let last = numbers.last().copied().unwrap_or_default();
                let when = self.begin(asker.operation, Commit { relayed: numbers, ..Commit::default() }, out);
                self.tell(asker, Tell::Relayed { last }, when, out);
            }
        }
    }

    /// Judges hear who touched guarded rows, when that is certain.
    fn touched(&mut self, plan: &Plan, when: When, out: &mut impl Effects<Machine>) {
        let touches = self.database.just_touched();
        match when {
            When::Now => say_touches(plan, &touches, out),
            When::After(_) if touches.is_empty() => {}
            When::After(number) => {
                let place = self.touches.partition_point(|(before, _)| *before < number);
                match self.touches.get_mut(place) {
                    Some((same, known)) if *same == number => known.extend(touches),
                    Some(_) | None => self.touches.insert(place, (number, touches)),
                }
            }
        }
    }

    fn begin_saga(
        &mut self,
        plan: &Plan,
        now: Time,
        asker: Asker,
        (saga, owner): (SagaKey, Owner),
        variables: &Variables,
        out: &mut impl Effects<Machine>,
    ) {
        self.database.sagas.lives(owner, now);
        if self.database.sagas.knows(saga) {
            let when = self.database.settled();
            return self.tell(asker, Tell::Begun { known: true }, when, out);
        }
        // With what comes first: one write for both.
        let entry = plan.sagas[usize::from(saga.saga)].entry;
        let records = (entry + 1..).zip(plan.first_records(entry));
        let mut sagas = alloc::vec![SagaEntry::Begun { saga, owner, variables: variables.clone(), since: now }];
        sagas.extend(records.map(|(position, mark)| SagaEntry::At {
            saga,
            mark,
            position,
            variables: variables.clone(),
        }));
        let when = self.begin(asker.operation, Commit { sagas, ..Commit::default() }, out);
        self.tell(asker, Tell::Begun { known: false }, when, out);
    }

    fn mark_saga(
        &mut self,
        plan: &Plan,
        now: Time,
        asker: Asker,
        (saga, owner, term): (SagaKey, Owner, u32),
        ((first, last), position, variables): ((u16, u16), u32, Variables),
        out: &mut impl Effects<Machine>,
    ) {
        self.database.sagas.lives(owner, now);
        let when = self.database.settled();
        let Some(row) = self.database.sagas.get(saga).filter(|row| (row.owner, row.term) == (owner, term)) else {
            return self.tell(asker, Tell::Marked { kept: false }, when, out);
        };
        if row.position == Some(position) {
            // The same was asked before, and the answer got lost.
            return self.tell(asker, Tell::Marked { kept: true }, when, out);
        }
        let since = row.since;
        let entry = |mark: u16| match plan.marks[usize::from(mark)].what {
            // One by one they would be followed by the next.
            MarkKind::At(_) | MarkKind::Free { .. } => {
                let position = position - u32::from(last - mark);
                SagaEntry::At { saga, mark, position, variables: variables.clone() }
            }
            MarkKind::Ended { .. } | MarkKind::GivenUp => SagaEntry::Ended { saga, mark, since },
        };
        let sagas = (first..=last).map(entry).collect();
        let when = self.begin(asker.operation, Commit { sagas, ..Commit::default() }, out);
        self.tell(asker, Tell::Marked { kept: true }, when, out);
    }

    /// Writes what no script did.
    fn begin(&mut self, operation: u64, commit: Commit, out: &mut impl Effects<Machine>) -> When {
        let (number, commit) = self.database.begin(commit);
        let when = When::After(number);
        Self::write(operation, when, Some(commit), out);
        when
    }

    fn write(operation: u64, when: When, commit: Option<Arc<Commit>>, out: &mut impl Effects<Machine>) {
        let (When::After(number), Some(commit)) = (when, commit) else { return };
        out.frame(Barrier(operation));
        out.persist(Record::Database(commit));
        out.wake(Timer::Durable(number));
        out.frame(Barrier(0));
    }

    fn tell(&mut self, asker: Asker, tell: Tell, when: When, out: &mut impl Effects<Machine>) {
        let told = Told { asker, tell };
        match when {
            When::Now => out.send(asker.node, Message::Told(told)),
            When::After(number) => {
                let place = self.waiting.partition_point(|(before, _)| *before <= number);
                self.waiting.insert(place, (number, told));
            }
        }
    }

    /// A commit is durable: it becomes visible, and what rests on it is told.
    pub fn durable(&mut self, plan: &Plan, now: Time, number: u64, out: &mut impl Effects<Machine>) {
        let mut changes = core::mem::take(&mut self.changes);
        let commit = self.database.durable(number, &mut changes);
        if let Some(letters) = self.database.postponed(number) {
            self.begin(0, Commit { letters, ..Commit::default() }, out);
        }
        // Commits become durable in their order.
        if self.touches.front().is_some_and(|(first, _)| *first == number)
            && let Some((_, touches)) = self.touches.pop_front()
        {
            say_touches(plan, &touches, out);
        }
        for entry in &commit.sagas {
            self.saga_changed(plan, now, entry, &mut changes, out);
        }
        if !changes.is_empty() {
            out.note(&changes);
            changes.clear();
        }
        self.changes = changes;
        let due = self.waiting.partition_point(|(after, _)| *after <= number);
        for (_, told) in self.waiting.drain(..due) {
            out.send(told.asker.node, Message::Told(told));
        }
        if !commit.letters.is_empty() {
            if let Some(point) = plan.points.outbox_after_write {
                out.point(point, 0);
            }
            self.hand_out(now, out);
        }
        if let (Some(outbox), false) = (self.database.plan().outbox, commit.relayed.is_empty()) {
            for since in self.database.relay.just_out() {
                out.measure(Sample { series: outbox.lag, tag: 0, since, value: now.since(since) });
            }
        }
    }

    fn saga_changed(
        &mut self,
        plan: &Plan,
        now: Time,
        entry: &SagaEntry,
        changes: &mut Vec<Delta>,
        out: &mut impl Effects<Machine>,
    ) {
        say(plan, entry, out);
        let (saga, by) = match entry {
            SagaEntry::Begun { saga, .. } | SagaEntry::Started { saga, .. } => (saga, 1),
            SagaEntry::Ended { saga, mark, since } => {
                if let MarkKind::Ended { completed } = plan.marks[usize::from(*mark)].what {
                    measure_end(plan, saga, completed, (*since, now), out);
                }
                (saga, -1)
            }
            SagaEntry::Over { saga, completed, since } => {
                measure_end(plan, saga, *completed, (*since, now), out);
                (saga, -1)
            }
            SagaEntry::GivenUp { saga } => (saga, -1),
            SagaEntry::At { .. }
            | SagaEntry::Owned { .. }
            | SagaEntry::Step { .. }
            | SagaEntry::Left { .. }
            | SagaEntry::Undone { .. }
            | SagaEntry::Marked { .. }
            | SagaEntry::Freed { .. } => return,
        };
        let open = &mut self.open[usize::from(saga.saga)];
        let cell = plan.sagas[usize::from(saga.saga)].open;
        changes.push(Delta { cell, key: 0, before: *open, after: *open + by });
        *open += by;
    }

    /// Messages go to the relay, if it waits for some.
    fn hand_out(&mut self, now: Time, out: &mut impl Effects<Machine>) {
        let mut at = 0;
        while let Some(&(asker, owner, most)) = self.fetching.get(at) {
            if self.database.relay.waiting() == 0 || !self.database.relay.is_relay(owner, now) {
                at += 1;
                continue;
            }
            self.fetching.remove(at);
            let batch = self.database.relay.batch(most);
            out.send(asker.node, Message::Told(Told { asker, tell: Tell::Batch(batch) }));
        }
    }
}

/// A saga that began at the first of these times is over at the second.
fn measure_end(
    plan: &Plan,
    saga: &SagaKey,
    completed: bool,
    (since, now): (Time, Time),
    out: &mut impl Effects<Machine>,
) {
    let series = plan.sagas[usize::from(saga.saga)].time;
    out.measure(Sample { series, tag: u16::from(!completed), since, value: now.since(since) });
}

/// The saga of which a record says that something is about to be done, and where it goes on.
fn begins(plan: &Plan, entry: &SagaEntry) -> Option<(SagaKey, u32)> {
    let SagaEntry::At { saga, mark, position, .. } = entry else { return None };
    let what = plan.marks[usize::from(*mark)].what;
    let begins = matches!(what, MarkKind::At(SagaFact::Intent { .. } | SagaFact::Compensating { .. }));
    begins.then_some((*saga, *position))
}

/// What a record of a saga says to its judges.
fn say(plan: &Plan, entry: &SagaEntry, out: &mut impl Effects<Machine>) {
    let (saga, fact) = match entry {
        SagaEntry::Begun { saga, .. } | SagaEntry::Started { saga, .. } => {
            (saga, SagaFact::Begun { steps: plan.sagas[usize::from(saga.saga)].steps })
        }
        SagaEntry::At { saga, mark, .. } | SagaEntry::Ended { saga, mark, .. } => {
            let fact = match plan.marks[usize::from(*mark)].what {
                MarkKind::At(fact) => fact,
                MarkKind::Ended { completed } => SagaFact::Ended { completed },
                MarkKind::GivenUp => SagaFact::Stuck,
                MarkKind::Free { .. } => return,
            };
            (saga, fact)
        }
        SagaEntry::Over { saga, completed, .. } => (saga, SagaFact::Ended { completed: *completed }),
        SagaEntry::Step { saga, effect } => {
            if let Some(effect) = plan.effect(*effect) {
                say_step(plan, saga.operation, effect, out);
            }
            return;
        }
        SagaEntry::GivenUp { saga } => (saga, SagaFact::Stuck),
        SagaEntry::Owned { .. }
        | SagaEntry::Left { .. }
        | SagaEntry::Undone { .. }
        | SagaEntry::Marked { .. }
        | SagaEntry::Freed { .. } => return,
    };
    out.fact(plan.sagas[usize::from(saga.saga)].protocol, saga.operation, FactKind::Saga(fact));
}

/// Who touched which guarded rows, for judges.
fn say_touches(plan: &Plan, touches: &[Touch], out: &mut impl Effects<Machine>) {
    for &Touch { saga, operation, cell, key, write, own } in touches {
        let fact = SagaFact::Touched { cell, key: key as u64, write, own };
        out.fact(plan.sagas[usize::from(saga)].protocol, operation, FactKind::Saga(fact));
    }
}

/// What a step of a choreographed saga says to judges.
fn say_step(plan: &Plan, operation: u64, effect: &Effect, out: &mut impl Effects<Machine>) {
    let protocol = plan.sagas[usize::from(effect.saga)].protocol;
    for fact in &effect.says {
        out.fact(protocol, operation, FactKind::Saga(*fact));
    }
}
