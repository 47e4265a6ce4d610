//! What did not hold in a run: plain checks over what the store told and over the logs of its replicas.

use std::collections::{BTreeMap, BTreeSet};

use cluster::{Cluster, MessageEvent, Passage, Watch};
use kernel::{NodeId, Time};
use systems::replication::keys::{Operation, Request};
use systems::replication::leader_follower::{Entry, Output, Role};

use crate::register::{Call, linearizable};

/// Everything that was told in a run, and what is wrong with it so far.
#[derive(Clone, Default)]
pub(crate) struct Judge {
    /// Who leads a term.
    leaders: BTreeMap<u64, NodeId>,
    /// What is agreed, by index.
    agreed: BTreeMap<u64, Entry>,
    /// The newest term that was published.
    published: u64,
    open: BTreeMap<NodeId, (Time, Request)>,
    /// By key.
    calls: BTreeMap<u64, Vec<Call>>,
    broken: BTreeSet<&'static str>,
    /// Requests that were answered.
    pub(crate) told: u64,
    /// Snapshots that reached a follower.
    pub(crate) snapshots: u64,
    pub(crate) last_told: Time,
}

impl Judge {
    fn call(&mut self, call: Call) {
        self.calls.entry(call.operation.key()).or_default().push(call);
    }

    /// Who leads, term by term.
    pub(crate) fn leaders(&self) -> &BTreeMap<u64, NodeId> {
        &self.leaders
    }

    /// What is agreed.
    pub(crate) fn agreed(&self) -> &BTreeMap<u64, Entry> {
        &self.agreed
    }

    /// Looks at the logs of all replicas: entries with one index and term are the same, and so is all before them; and a
    /// leader has all that is agreed before its term.
    pub(crate) fn look(&mut self, cluster: &Cluster<Role>) {
        let mut before: BTreeMap<(u64, u64), (Option<Request>, Option<u64>)> = BTreeMap::new();
        for node in 0..cluster.len() as u32 {
            let Role::Replica(replica) = cluster.process(NodeId(node)) else { continue };
            let log = replica.log();
            for index in log.base().last.index + 1..=log.last().index {
                let entry = log.entry(index).expect("it is in the log");
                let seen = (entry.request, log.term(index - 1));
                if *before.entry((index, entry.term)).or_insert(seen) != seen {
                    self.broken.insert("log_matching");
                }
            }
            let newest = self.leaders.last_key_value().is_some_and(|(term, _)| *term == replica.term());
            if replica.leads() && newest {
                for (index, entry) in self.agreed.range(log.base().last.index + 1..) {
                    if log.entry(*index) != Some(*entry) {
                        self.broken.insert("agreed_is_kept");
                    }
                }
            }
        }
    }

    /// The promises that do not hold; to be asked when nothing more happens.
    pub(crate) fn broken(mut self) -> BTreeSet<&'static str> {
        for (_, (asked, request)) in std::mem::take(&mut self.open) {
            self.call(Call { asked, told: None, operation: request.operation });
        }
        for calls in self.calls.values() {
            match linearizable(calls) {
                Some(true) => {}
                Some(false) => drop(self.broken.insert("linearizable")),
                None => drop(self.broken.insert("undecided")),
            }
        }
        self.broken
    }
}

/// The kind of a message that brings a snapshot.
const INSTALL: u8 = 6;

impl Watch<Role> for Judge {
    fn message(&mut self, _now: Time, message: MessageEvent) {
        self.snapshots += u64::from(message.kind == INSTALL && message.passage == Passage::Delivered);
    }

    fn output(&mut self, now: Time, node: NodeId, output: &Output) {
        match *output {
            Output::Leads { term } => {
                if *self.leaders.entry(term).or_insert(node) != node {
                    self.broken.insert("one_leader_per_term");
                }
            }
            Output::Agreed { index, entry } => {
                if *self.agreed.entry(index).or_insert(entry) != entry {
                    self.broken.insert("agreed_is_kept");
                }
            }
            Output::Published { term, .. } => {
                if term < self.published {
                    self.broken.insert("fenced");
                }
                self.published = self.published.max(term);
            }
            Output::Asks(request) => drop(self.open.insert(node, (now, request))),
            Output::Told(request, answer) => {
                let (asked, _) = self.open.remove(&node).expect("it was asked");
                self.told += 1;
                self.last_told = now;
                self.call(Call { asked, told: Some((now, answer)), operation: request.operation });
            }
            Output::Unknown { operation, .. } => {
                let (asked, _) = self.open.remove(&node).expect("it was asked");
                self.call(Call { asked, told: None, operation });
            }
        }
    }
}

/// The keys whose writes a judge can tell apart need values that are written once.
pub(crate) fn operation(key: u64, which: u64, value: u64, guess: Option<u64>) -> Operation {
    match which % 10 {
        0..=3 => Operation::Read { key },
        4..=7 => Operation::Write { key, value },
        _ => Operation::Cas { key, expected: guess, value },
    }
}
