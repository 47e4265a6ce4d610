//! Atomic commitment: AC1 to AC5 of Bernstein, Hadzilacos and Goodman (*Concurrency Control and Recovery in Database
//! Systems*, 1987, §7.3), judged as the facts come.
//!
//! * **AC1** All who reach a decision reach the same: the coordinator's decisions, what participants applied, and what
//!   the client was told.
//! * **AC2** Nobody reverses its decision, not even after a crash.
//! * **AC3** Commit only if every participant voted yes (or was content with either, having only read).
//! * **AC4** If all voted yes and nothing failed, commit. A judge sees crashes, but neither lost messages nor timeouts,
//!   so it cannot tell an unnecessary abort from a late one: such aborts are counted, not condemned.
//! * **AC5** If failures are repaired, everybody decides. Judged at the end, when the system is at rest: who voted yes
//!   has applied the outcome; a commit is applied at every participant; what was begun is decided, unless its
//!   coordinator crashed and nobody was bound (then nothing is left to decide: presumed abort).
//!
//! **Memory.** Facts and votes are kept for open instances only. An instance is closed when it is decided and everybody
//! who voted yes has applied the decision; then 9 bytes of content (instance, decision) remain, about 20 bytes each
//! in fact, so that a late contradiction is still caught. A late yes opens the instance again.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{Fact, FactKind, NodeId};

use crate::story::Story;
use crate::verdict::{Phrase, Verdict, Witness};
use kernel::hashing::Map;

/// The judge of one protocol of the scenario.
#[derive(Clone, Debug)]
pub struct AtomicCommit {
    protocol: u32,
    open: BTreeMap<u64, Instance>,
    closed: Map<u64, bool>,
    first: Option<Witness>,
    counts: Counts,
}

/// What happened, in numbers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Instances begun.
    pub begun: u64,
    /// Decided to commit.
    pub committed: u64,
    /// Decided to abort.
    pub aborted: u64,
    /// Decided to abort although all had voted yes and no machine crashed meanwhile: see AC4.
    pub aborted_though_ready: u64,
    /// Violations, the first included.
    pub violations: u64,
}

#[derive(Clone, Default, Debug)]
struct Instance {
    begun: Option<Fact>,
    participants: u64,
    /// Voted yes: bound until they apply.
    ready: BTreeSet<NodeId>,
    readers: BTreeSet<NodeId>,
    /// The first end that anybody reached.
    end: Option<Fact>,
    decided: Option<Fact>,
    applied: BTreeMap<NodeId, Fact>,
    crashes: Crashes,
    /// It was closed before: its votes were counted then, and are not kept.
    reopened: bool,
    /// Condemned already: one violation per instance is enough.
    condemned: bool,
    story: Story,
}

/// Whose crash fell into the time of an instance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
enum Crashes {
    #[default]
    None,
    SomeMachine,
    Coordinator,
}

impl AtomicCommit {
    /// A judge of facts that bear this protocol's number.
    pub fn new(protocol: u32) -> Self {
        let counts = Counts { begun: 0, committed: 0, aborted: 0, aborted_though_ready: 0, violations: 0 };
        Self { protocol, open: BTreeMap::new(), closed: Map::default(), first: None, counts }
    }

    /// Takes in the next fact. Facts about other protocols are passed over, facts about machines are not.
    pub fn see(&mut self, fact: &Fact) {
        match fact.kind {
            FactKind::Crashed => self.crashed(fact.node),
            FactKind::Recovered | FactKind::Saga(_) | FactKind::Leads { .. } | FactKind::StoodDown => {}
            FactKind::Begun { .. }
            | FactKind::Voted { .. }
            | FactKind::VotedReadOnly
            | FactKind::Decided { .. }
            | FactKind::Applied { .. }
            | FactKind::Told { .. } => {
                if fact.protocol == self.protocol {
                    self.hear(fact);
                }
            }
        }
    }

    /// The first violation so far.
    pub const fn violation(&self) -> Option<&Witness> {
        self.first.as_ref()
    }

    /// What happened so far, in numbers.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The run is over. AC5 is judged if it ended at rest; else what is open is unknown.
    pub fn finish(mut self, at_rest: bool) -> Verdict {
        let open = core::mem::take(&mut self.open);
        let mut waiting = open.iter().filter(|(_, instance)| !instance.condemned).peekable();
        if at_rest {
            for (id, instance) in waiting {
                if let Some(sentence) = instance.unfinished() {
                    self.condemn("AC5", *id, instance, sentence);
                }
            }
        } else if let (Some((id, _)), None) = (waiting.peek(), &self.first) {
            let (id, count) = (**id, waiting.count());
            return Verdict::Unknown(format!("not at rest: {count} open, the first is {id}"));
        }
        match self.first {
            Some(witness) => Verdict::Violated(witness),
            None => Verdict::Holds { judged: self.counts.begun },
        }
    }

    fn crashed(&mut self, node: NodeId) {
        for instance in self.open.values_mut() {
            let coordinator = instance.begun.is_some_and(|fact| fact.node == node);
            instance.crashes =
                instance.crashes.max(if coordinator { Crashes::Coordinator } else { Crashes::SomeMachine });
        }
    }

    fn hear(&mut self, fact: &Fact) {
        let id = fact.instance;
        if let Some(&commit) = self.closed.get(&id) {
            self.hear_late(fact, commit);
            return;
        }
        let mut instance = self.open.remove(&id).unwrap_or_default();
        instance.story.keep(fact);
        if let FactKind::Begun { .. } = fact.kind {
            self.counts.begun += u64::from(instance.begun.is_none());
        }
        if let FactKind::Decided { commit } = fact.kind
            && instance.decided.is_none()
        {
            let ready = instance.everybody_voted() && instance.crashes == Crashes::None;
            self.counts.committed += u64::from(commit);
            self.counts.aborted += u64::from(!commit);
            self.counts.aborted_though_ready += u64::from(!commit && ready);
        }
        let breach = instance.take(fact);
        if let Some((rule, sentence)) = breach
            && !instance.condemned
        {
            self.condemn(rule, id, &instance, sentence);
            instance.condemned = true;
        }
        match instance.closes() {
            Some(commit) => drop(self.closed.insert(id, commit)),
            None => drop(self.open.insert(id, instance)),
        }
    }

    /// A fact about a closed instance: another decision is a contradiction, a yes binds its voter anew.
    fn hear_late(&mut self, fact: &Fact, commit: bool) {
        match fact.kind {
            FactKind::Decided { commit: late }
            | FactKind::Applied { commit: late }
            | FactKind::Told { commit: late } => {
                if late != commit {
                    let mut instance = Instance::default();
                    instance.story.keep(fact);
                    let mut sentence = did(fact);
                    sentence.extend([Phrase::Text(", but the decision had been "), Phrase::Text(word(commit))]);
                    self.condemn("AC1", fact.instance, &instance, sentence);
                }
            }
            FactKind::Voted { yes: true } => {
                self.closed.remove(&fact.instance);
                let end = Fact { kind: FactKind::Decided { commit }, ..*fact };
                let mut instance =
                    Instance { end: Some(end), decided: Some(end), reopened: true, ..Instance::default() };
                instance.story.keep(fact);
                instance.ready.insert(fact.node);
                self.open.insert(fact.instance, instance);
            }
            FactKind::Begun { .. }
            | FactKind::Voted { yes: false }
            | FactKind::VotedReadOnly
            | FactKind::Crashed
            | FactKind::Recovered
            | FactKind::Saga(_)
            | FactKind::Leads { .. }
            | FactKind::StoodDown => {}
        }
    }

    fn condemn(&mut self, rule: &'static str, id: u64, instance: &Instance, sentence: Vec<Phrase>) {
        self.counts.violations += 1;
        self.first.get_or_insert_with(|| instance.story.witness(rule, id, sentence));
    }
}

impl Instance {
    /// Takes a fact in, and says which rule it breaks.
    fn take(&mut self, fact: &Fact) -> Option<(&'static str, Vec<Phrase>)> {
        match fact.kind {
            FactKind::Begun { participants } => {
                self.participants = u64::from(participants);
                self.begun.get_or_insert(*fact);
                None
            }
            FactKind::Voted { yes: true } => {
                self.ready.insert(fact.node);
                None
            }
            FactKind::VotedReadOnly => {
                self.readers.insert(fact.node);
                None
            }
            // A no binds nobody; after a crash that forgot it, the same participant may even say yes.
            FactKind::Voted { yes: false }
            | FactKind::Crashed
            | FactKind::Recovered
            | FactKind::Saga(_)
            | FactKind::Leads { .. }
            | FactKind::StoodDown => None,
            FactKind::Decided { commit } => {
                let before = self.decided.replace(*fact);
                reversed(before.as_ref(), fact).or_else(|| self.ends(fact, commit))
            }
            FactKind::Applied { commit } => {
                let before = self.applied.insert(fact.node, *fact);
                reversed(before.as_ref(), fact).or_else(|| self.ends(fact, commit))
            }
            FactKind::Told { commit } => self.ends(fact, commit),
        }
    }

    fn ends(&mut self, fact: &Fact, commit: bool) -> Option<(&'static str, Vec<Phrase>)> {
        let first = *self.end.get_or_insert(*fact);
        if decision(&first) != Some(commit) {
            let mut sentence = did(&first);
            sentence.push(Phrase::Text(", but "));
            sentence.extend(did(fact));
            return Some(("AC1", sentence));
        }
        if commit && !self.everybody_voted() {
            let mut sentence = did(fact);
            sentence.extend([
                Phrase::Text(", but only "),
                Phrase::Number(self.votes()),
                Phrase::Text(" of "),
                Phrase::Number(self.participants),
                Phrase::Text(" participants had voted yes"),
            ]);
            return Some(("AC3", sentence));
        }
        None
    }

    fn everybody_voted(&self) -> bool {
        self.reopened || self.begun.is_some() && self.votes() >= self.participants
    }

    fn votes(&self) -> u64 {
        self.ready.union(&self.readers).count() as u64
    }

    fn waits_for(&self) -> Option<NodeId> {
        self.ready.iter().copied().find(|node| !self.applied.contains_key(node))
    }

    /// The decision, if nothing more has to happen.
    fn closes(&self) -> Option<bool> {
        let commit = decision(self.decided.as_ref()?)?;
        (self.waits_for().is_none() && (!commit || self.everybody_voted())).then_some(commit)
    }

    /// At rest: what should have happened and has not.
    fn unfinished(&self) -> Option<Vec<Phrase>> {
        let outcome = self.end.as_ref().and_then(decision);
        if let Some(node) = self.waits_for() {
            let rest = match outcome {
                Some(true) => " voted yes and never applied the commit",
                Some(false) => " voted yes and never applied the abort",
                None => " voted yes and never heard a decision",
            };
            return Some(vec![Phrase::Node(node), Phrase::Text(rest)]);
        }
        let begun = self.begun.as_ref()?;
        let nobody_bound = self.crashes == Crashes::Coordinator && outcome != Some(true);
        (self.decided.is_none() && !nobody_bound).then(|| {
            vec![
                Phrase::Node(begun.node),
                Phrase::Text(" began at "),
                Phrase::Moment(begun.time),
                Phrase::Text(" and never decided"),
            ]
        })
    }
}

fn decision(fact: &Fact) -> Option<bool> {
    match fact.kind {
        FactKind::Decided { commit } | FactKind::Applied { commit } | FactKind::Told { commit } => Some(commit),
        FactKind::Begun { .. }
        | FactKind::Voted { .. }
        | FactKind::VotedReadOnly
        | FactKind::Crashed
        | FactKind::Recovered
        | FactKind::Saga(_)
        | FactKind::Leads { .. }
        | FactKind::StoodDown => None,
    }
}

/// AC2: the same process said otherwise before. Coordinator and participant on one machine are two processes.
fn reversed(before: Option<&Fact>, fact: &Fact) -> Option<(&'static str, Vec<Phrase>)> {
    let before = before.filter(|before| before.node == fact.node && decision(before) != decision(fact))?;
    let mut sentence = did(before);
    sentence.push(Phrase::Text(", and reversed it: "));
    sentence.extend(did(fact));
    Some(("AC2", sentence))
}

const fn word(commit: bool) -> &'static str {
    if commit { "commit" } else { "abort" }
}

/// Who did what, when.
fn did(fact: &Fact) -> Vec<Phrase> {
    let (verb, commit) = match fact.kind {
        FactKind::Decided { commit } => (" decided to ", commit),
        FactKind::Applied { commit } => (" applied ", commit),
        FactKind::Told { commit } => (" was told ", commit),
        FactKind::Begun { .. }
        | FactKind::Voted { .. }
        | FactKind::VotedReadOnly
        | FactKind::Crashed
        | FactKind::Recovered
        | FactKind::Saga(_)
        | FactKind::Leads { .. }
        | FactKind::StoodDown => return vec![Phrase::Node(fact.node)],
    };
    vec![
        Phrase::Node(fact.node),
        Phrase::Text(verb),
        Phrase::Text(word(commit)),
        Phrase::Text(" at "),
        Phrase::Moment(fact.time),
    ]
}
