//! The state of a service: a database with local transactions, one log, and what must commit together with the rows.
//!
//! A *script* is what one request asks for: the steps of a `transaction`, or one step that stands alone. It runs at once
//! on the newest rows, also those whose record is still on its way to the disk, and its record follows theirs in the log:
//! so transactions are serialised by the log, nobody waits for a lock, and none can become durable without what it saw.
//! Rows are *visible* (to reading scripts, to promises) from the end of the fsync on; an answer waits for the records it
//! rests on. One record holds all that must be there together: rows, the stored answer of an idempotent request, the
//! receipt of a message, messages for the outbox.
//!
//! This is a state machine without effects: `app` sends its answers and writes its records. Read `script` (what can be
//! asked), `attempt` (how it is carried out), then `Database` below.

mod attempt;
mod choreography;
mod journal;
mod marks;
mod relay;
mod sagas;
mod script;
mod sparse;
mod table;
#[cfg(test)]
mod tests;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use kernel::hashing::Map;
use kernel::{Delta, NodeId, Time};

pub use attempt::{Attempt, Refusal};
pub use choreography::{Effect, Home, Instance, Instances, Means};
pub use journal::{Answer, Commit, Identity, Outgoing, Receipt, SagaEntry, Write};
pub use marks::{Guard, LockedOut, Marks, Touch};
pub use relay::{Batch, Relay};
pub use sagas::{Adopted, Owner, SAGA_LEASE, SAGA_SIGNS, SagaKey, SagaRow, Sagas};
pub use script::{
    Action, Assignment, Condition, DatabasePlan, Into, Letter, Otherwise, OutboxPlan, Part, Place, Script, Sets,
    Source, Step, TableKind, TablePlan,
};
pub use table::{Row, Table, code};

use choreography::Deed;

use crate::app::mutant::Mutant;
use crate::variables::Variables;

/// What a request wants besides its script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The root request.
    pub operation: u64,
    /// The request's answer is stored, and a second request with this identity gets it.
    pub identity: Option<Identity>,
    /// The answer is stored with this script; else a later one of the same op does it.
    pub stores: bool,
    /// The message, or the step of a saga, whose effect this is: it has none a second time.
    pub receipt: Option<Receipt>,
    /// What it is in a choreographed saga, as `DatabasePlan::effects` numbers it; 0: nothing.
    pub effect: u32,
    /// The kind of saga in whose name it is asked.
    pub saga: Option<u16>,
}

impl Asked {
    /// The saga in whose name it is asked.
    fn name(&self) -> Option<SagaKey> {
        self.saga.map(|saga| SagaKey { saga, operation: self.operation })
    }
}

/// How a script went.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// Well; the request's variables as it left them.
    Done(Variables),
    /// It could not be done, and nothing of it remains.
    Refused(Refusal),
    /// The same was asked before: this was the answer.
    Answered(Answer),
    /// The message had its effect before.
    Known,
    /// A row is kept by a saga: who asked tries again.
    Locked,
}

/// When an outcome may be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// It rests on durable rows only.
    Now,
    /// When the commit with this number is durable.
    After(u64),
}

/// A commit that is being written.
#[derive(Clone, Debug)]
struct Pending {
    number: u64,
    commit: Arc<Commit>,
}

/// The rows of one service, and what commits with them.
#[derive(Clone, Debug)]
pub struct Database {
    plan: Arc<DatabasePlan>,
    /// What is durable, and visible.
    tables: Vec<Table>,
    /// Rows that are newer than that, each with the number of the commit that wrote it.
    newer: Map<(u16, i64), (u64, Option<Row>)>,
    answers: Map<Identity, (u64, Answer)>,
    receipts: Map<Receipt, u64>,
    pending: VecDeque<Pending>,
    /// Commits begun so far.
    commits: u64,
    /// Commits that are durable.
    durable: u64,
    /// Mutant: messages that are written when the rows they belong to are durable, by commit.
    postponed: BTreeMap<u64, Vec<Outgoing>>,
    /// Guarded rows that the last script touched.
    touched: Vec<Touch>,
    /// Messages that wait for the relay.
    pub relay: Relay,
    /// Sagas that are not over, and those that are.
    pub sagas: Sagas,
}

impl Database {
    /// Every row at its first value.
    pub fn new(plan: &Arc<DatabasePlan>) -> Self {
        Self {
            tables: plan.tables.iter().map(Table::new).collect(),
            plan: plan.clone(),
            newer: Map::default(),
            answers: Map::default(),
            receipts: Map::default(),
            pending: VecDeque::new(),
            commits: 0,
            durable: 0,
            postponed: BTreeMap::new(),
            touched: Vec::new(),
            relay: Relay::default(),
            sagas: Sagas::default(),
        }
    }

    /// What is in the log has happened: the rows are as it says.
    pub fn replay<'a>(&mut self, log: impl Iterator<Item = &'a Commit>) {
        for commit in log {
            self.commits += 1;
            self.enter(commit, self.commits);
            self.apply(commit, None);
            self.durable = self.commits;
        }
        self.newer.clear();
    }

    /// Appends every visible row as it is: observers may have seen others before the crash.
    pub fn restate(&self, changes: &mut Vec<Delta>) {
        for (table, plan) in self.tables.iter().zip(&self.plan.tables) {
            table.restate(plan, changes);
        }
        self.relay.restate(self.plan.outbox.as_ref(), changes);
    }

    /// What observers must hear if all of this is lost: see `kernel::Process::rows_on_disk`.
    pub fn rows_on_disk(&self, each: &mut impl FnMut(Delta)) {
        for (table, plan) in self.tables.iter().zip(&self.plan.tables) {
            table.gone(plan, each);
        }
    }

    /// Runs a script. If it wrote something the second value is the commit to be made durable, under the number that
    /// `durable` wants to be told when it is.
    pub fn run(
        &mut self,
        script: &Script,
        variables: Variables,
        (asked, now): (Asked, Time),
    ) -> (Outcome, When, Option<Arc<Commit>>) {
        if let Some(identity) = asked.identity
            && let Some((number, answer)) = self.answers.get(&identity)
        {
            return (Outcome::Answered(answer.clone()), self.when(*number), None);
        }
        if let Some(receipt) = asked.receipt
            && let Some(&number) = self.receipts.get(&receipt)
        {
            return (Outcome::Known, self.when(number), None);
        }
        let mut attempt = Attempt::new(self, script, variables);
        let went = attempt.run();
        match self.sagas.marks.locked_out(&self.plan.guards, &attempt, asked) {
            Some(LockedOut::Refused(error)) => {
                let refusal = Refusal { error, business: true };
                return (Outcome::Refused(refusal), self.when(self.commits), None);
            }
            Some(LockedOut::Waits(_)) => return (Outcome::Locked, When::Now, None),
            None => {}
        }
        if let Err(refusal) = went {
            // It may rest on what is not durable yet.
            return (Outcome::Refused(refusal), self.when(self.commits), None);
        }
        let mut sagas = self.sagas_of(&attempt, asked, now);
        sagas.extend(self.sagas.marks.made(&self.plan.guards, &attempt, asked));
        let touched = Marks::touched(&self.plan.guards, &attempt, asked);
        let Some(events) = self.events_of(&attempt, asked) else {
            return (Outcome::Refused(Refusal::INVALID), self.when(self.commits), None);
        };
        let Attempt { writes, mut letters, variables, .. } = attempt;
        letters.extend(events);
        let stored = asked.identity.filter(|_| asked.stores);
        let answer = stored.map(|identity| (identity, Answer::Done(script.result(&variables))));
        let receipt = asked.receipt.filter(|_| asked.stores);
        let sent = |letter| Outgoing { operation: asked.operation, since: now, ..letter };
        let mut letters: Vec<Outgoing> = letters.into_iter().map(sent).collect();
        letters.extend(self.over_of(&sagas, now));
        self.touched = touched;
        let mut commit = Commit { writes, answer, receipt, letters, sagas, ..Commit::default() };
        let mut apart = Vec::new();
        if self.plan.mutant == Some(Mutant::OutboxOutsideTransaction) {
            apart = core::mem::take(&mut commit.letters);
        }
        if commit.is_empty() {
            let when = if script.writes { self.when(self.commits) } else { When::Now };
            return (Outcome::Done(variables), when, None);
        }
        let (number, commit) = self.begin(commit);
        if !apart.is_empty() {
            self.postponed.insert(number, apart);
        }
        (Outcome::Done(variables), When::After(number), Some(commit))
    }

    /// What a script means for choreographed sagas.
    fn sagas_of(&self, attempt: &Attempt<'_>, asked: Asked, now: Time) -> Vec<SagaEntry> {
        let effect = self.plan.effect(asked.effect).map(|effect| (effect, asked.effect));
        if effect.is_none() && self.plan.homes.is_empty() {
            return Vec::new();
        }
        let writes: Vec<_> = attempt.writes.iter().map(|w| (w, self.newest(w.table, w.key))).collect();
        let deed = Deed { operation: asked.operation, now, effect, writes: &writes, letters: &attempt.letters };
        self.sagas.choreographed.records(&self.plan.homes, &deed)
    }

    /// The events of the step that a script is the end of.
    fn events_of(&self, attempt: &Attempt<'_>, asked: Asked) -> Option<Vec<Outgoing>> {
        let letters = self.plan.effect(asked.effect).map_or(&[][..], |effect| &effect.letters);
        letters.iter().map(|letter| letter.written(attempt, &attempt.variables)).collect()
    }

    /// What is said of the sagas that are over with a commit.
    fn over_of(&self, entries: &[SagaEntry], now: Time) -> Vec<Outgoing> {
        let mut said = Vec::new();
        for entry in entries {
            let SagaEntry::Over { saga, .. } = entry else { continue };
            let home = self.plan.homes.iter().find(|home| home.saga == saga.saga);
            let nothing = Variables::default();
            let letter = home.and_then(|home| home.over.as_ref()?.written(&nothing, &nothing));
            said.extend(letter.map(|letter| Outgoing { operation: saga.operation, since: now, ..letter }));
        }
        said
    }

    /// The guarded rows that the last script touched.
    pub fn just_touched(&mut self) -> Vec<Touch> {
        core::mem::take(&mut self.touched)
    }

    /// Mutant: what was to be written with this commit, and was not.
    pub fn postponed(&mut self, number: u64) -> Option<Vec<Outgoing>> {
        self.postponed.remove(&number)
    }

    /// Stores an answer without a script: that of an op whose last step wrote nothing, or that failed for good.
    pub fn remember(&mut self, identity: Identity, answer: Answer) -> (Outcome, When, Option<Arc<Commit>>) {
        if let Some((number, known)) = self.answers.get(&identity) {
            return (Outcome::Answered(known.clone()), self.when(*number), None);
        }
        let (number, commit) = self.begin(Commit { answer: Some((identity, answer.clone())), ..Commit::default() });
        (Outcome::Answered(answer), When::After(number), Some(commit))
    }

    /// A commit of something else than rows: sagas, and messages that were relayed.
    pub fn begin(&mut self, commit: Commit) -> (u64, Arc<Commit>) {
        self.commits += 1;
        let (number, commit) = (self.commits, Arc::new(commit));
        self.enter(&commit, number);
        self.pending.push_back(Pending { number, commit: commit.clone() });
        (number, commit)
    }

    /// What later commits see at once.
    fn enter(&mut self, commit: &Commit, number: u64) {
        for write in &commit.writes {
            self.newer.insert((write.table, write.key), (number, write.row.clone()));
        }
        if let Some((identity, answer)) = &commit.answer {
            self.answers.insert(*identity, (number, answer.clone()));
        }
        if let Some(receipt) = commit.receipt {
            self.receipts.insert(receipt, number);
        }
        for entry in &commit.sagas {
            self.sagas.enter(entry);
        }
    }

    /// A commit is durable. What it changed is visible from now on and stands in `changes`. Commits become durable in the
    /// order in which they began.
    pub fn durable(&mut self, number: u64, changes: &mut Vec<Delta>) -> Arc<Commit> {
        let pending = self.pending.pop_front().expect("a commit that becomes durable was begun");
        assert_eq!(pending.number, number, "the log is written in order");
        self.apply(&pending.commit, Some(changes));
        self.durable = number;
        pending.commit
    }

    fn apply(&mut self, commit: &Commit, mut changes: Option<&mut Vec<Delta>>) {
        for write in &commit.writes {
            let plan = &self.plan.tables[usize::from(write.table)];
            self.tables[usize::from(write.table)].put(plan, write.key, write.row.as_ref(), changes.as_deref_mut());
        }
        // Only what no later commit has written again.
        let number = self.durable + 1;
        for write in &commit.writes {
            if self.newer.get(&(write.table, write.key)).is_some_and(|(by, _)| *by == number) {
                self.newer.remove(&(write.table, write.key));
            }
        }
        for entry in &commit.sagas {
            self.sagas.marks.apply(entry);
        }
        let outbox = self.plan.outbox.as_ref();
        self.relay.commit(outbox, commit, changes);
    }

    /// When an answer may be given that rests on all that was asked for so far.
    pub fn settled(&self) -> When {
        self.when(self.commits)
    }

    fn when(&self, number: u64) -> When {
        if number > self.durable { When::After(number) } else { When::Now }
    }

    /// The newest value of a row, durable or not.
    fn newest(&self, table: u16, key: i64) -> Option<&Row> {
        if self.plan.mutant == Some(Mutant::ReadThenWrite) {
            return self.visible(table, key);
        }
        match self.newer.get(&(table, key)) {
            Some((_, row)) => row.as_ref(),
            None => self.tables[usize::from(table)].get(key),
        }
    }

    /// The visible value of a row.
    pub fn visible(&self, table: u16, key: i64) -> Option<&Row> {
        self.tables[usize::from(table)].get(key)
    }

    /// Commits that are being written.
    pub fn being_written(&self) -> u64 {
        self.pending.len() as u64
    }

    /// What is not over here: commits, messages to be relayed, open sagas.
    pub fn unfinished(&self) -> u64 {
        self.being_written() + self.relay.waiting() + self.sagas.open()
    }

    /// The same of a machine that is down, from its log.
    pub fn owed<'a>(log: impl Iterator<Item = &'a Commit>) -> u64 {
        let (mut relay, mut sagas) = (Relay::default(), Sagas::default());
        for commit in log {
            relay.commit(None, commit, None);
            for entry in &commit.sagas {
                sagas.enter(entry);
            }
        }
        relay.waiting() + sagas.open()
    }

    /// The plan it was made from.
    pub fn plan(&self) -> &Arc<DatabasePlan> {
        &self.plan
    }
}

/// Who asked for something, as the answer needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asker {
    /// The node.
    pub node: NodeId,
    /// Its frame,
    pub frame: u32,
    /// and what makes it recognise the answer.
    pub token: u64,
    /// The root operation.
    pub operation: u64,
    /// Position in the call tree.
    pub hop: u64,
}
