//! Replicated stores: whether their numbers fit together, and what steps ask of them.

use systems::replication::{leader_follower, quorum};

use super::super::diagnostic::Diagnostic;
use super::super::nearest::{listed, nearest};
use super::super::tree::Node;
use super::super::values::clip;
use super::{Checker, find};
use crate::model::{
    Acks, Activity, At, Consult, Load, LogStore, Place, QuorumStore, Reads, StoreKind, Wants, Workload,
};

/// The only item of a store.
const ITEM: &str = "data";

/// What `client` may say where operations are steps.
const OF_STEPS: &str = "timeout";

impl<'a> Checker<'a> {
    pub(super) fn stores(&mut self) {
        for (name, store) in &self.model.stores {
            let path = format!("stores.{}", name.value);
            if self.broken.iter().any(|broken| broken.starts_with(&path)) {
                continue;
            }
            if self.written(&path, "kind").and_then(Node::as_text) == Some("single") && store.nodes > 1 {
                let place = self.part_place("stores", name, "nodes");
                let label = "a single store is one machine";
                let error = Diagnostic::error(place, format!("`{path}` has {} nodes", store.nodes), label);
                self.errors.push(error.help("`kind = \"leader_follower\"` has copies"));
            }
            match &store.kind {
                StoreKind::Log(log) => self.log_store(name, store.nodes, log),
                StoreKind::Quorum(of) => self.quorum_store(store.nodes, of),
            }
            if let Some(word) = &store.mutant {
                self.mutant_of_store(word, &store.kind);
            }
        }
    }

    fn log_store(&mut self, name: &At<String>, nodes: u32, log: &LogStore) {
        if let Some(leader) = log.leader.filter(|leader| leader.value >= nodes) {
            let label = format!("it has nodes 0 to {}", nodes - 1);
            let message = format!("`{}` has no node {}", name.value, leader.value);
            self.errors.push(Diagnostic::error(leader.place, message, label));
        }
        if let Acks::Count(copies) = log.acks.value {
            self.at_most(log.acks.place, ("acks", copies), ("nodes", nodes));
        }
        for (key, is_zero) in
            [("heartbeat", log.heartbeat.0 == 0), ("election_timeout", log.election_timeout.law.mean() <= 0.0)]
        {
            if is_zero {
                let message = format!("`stores.{}.{key}` must be above 0", name.value);
                let place = self.part_place("stores", name, key);
                self.errors.push(Diagnostic::error(place, message, "nobody would ever be heard of in time"));
            }
        }
    }

    fn quorum_store(&mut self, nodes: u32, of: &QuorumStore) {
        let copies = of.replicas.map_or(nodes, |replicas| replicas.value);
        if let Some(replicas) = of.replicas {
            self.at_most(replicas.place, ("replicas", replicas.value), ("nodes", nodes));
        }
        for (key, quorum) in [("read_quorum", of.read_quorum), ("write_quorum", of.write_quorum)] {
            if let Some(quorum) = quorum {
                self.at_most(quorum.place, (key, quorum.value), ("copies", copies));
            }
        }
        if !matches!(of.reads.value, Reads::Any | Reads::Nearest | Reads::Sticky) {
            let label = "whom a client asks: any, nearest or sticky";
            self.errors.push(Diagnostic::error(
                of.reads.place,
                "a quorum store has no leader that could be read",
                label,
            ));
        }
    }

    fn at_most(&mut self, place: Place, (what, number): (&str, u32), (of, most): (&str, u32)) {
        if number > most {
            let message = format!("`{what}` is {number}, and there are {most} {of}");
            self.errors.push(Diagnostic::error(place, message, format!("1 to {most}")));
        }
    }

    fn mutant_of_store(&mut self, word: &At<String>, kind: &StoreKind) {
        let known: Vec<&str> = match kind {
            StoreKind::Log(_) => leader_follower::Mutant::ALL.iter().map(|(_, name, _)| *name).collect(),
            StoreKind::Quorum(_) => quorum::Mutant::ALL.iter().map(|(_, name, _)| *name).collect(),
        };
        if !known.contains(&word.value.as_str()) {
            let near = nearest(&word.value, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            let label = format!("there are {}", listed(known.iter().copied(), 12));
            let message = format!("no mutant of this kind of store is called `{}`", clip(&word.value));
            self.errors.push(Diagnostic::error(word.place, message, label).maybe_help(near));
        }
    }

    /// A step that asks a store.
    pub(super) fn consult(&mut self, consult: &'a Consult) {
        let Some((name, store)) = find(&self.model.stores, &consult.store.value) else {
            if !consult.row.item.is_empty() {
                self.unknown_in(&consult.store, "store", &self.model.stores);
            }
            return;
        };
        if !consult.row.owner.is_empty() && consult.row.item != ITEM {
            let message = format!("there is no item `{}` in the store `{}`", clip(&consult.row.item), name.value);
            let error = Diagnostic::error(consult.row.place, message, "a store is keys and their values");
            self.errors.push(error.help(format!("\"{}[…]\"", name.value)));
        }
        if consult.row.key.place == consult.row.place {
            let label = format!("write which key: `{}[$key]`", name.value);
            let error = Diagnostic::error(consult.row.place, format!("which key of `{}`?", name.value), label);
            self.errors.push(error.also(name.place, "this store"));
        }
        if matches!((&consult.wants, &store.kind), (Wants::Cas { .. }, StoreKind::Quorum(_))) {
            let label = "its copies agree on no order, so nothing can be compared";
            let error = Diagnostic::error(consult.row.place, "a quorum store has no `cas`", label);
            self.errors.push(error.also(name.place, "this store"));
        }
    }

    /// What `client` says of operations that are steps.
    pub(super) fn client_of_steps(&mut self, name: &'a At<String>, workload: &'a Workload) {
        if matches!(workload.activity, Activity::Call(_)) {
            return;
        }
        let client = self.written(&format!("workloads.{}", name.value), "client").and_then(Node::table);
        for (key, entry) in client.into_iter().flat_map(|client| &client.entries) {
            if key != OF_STEPS && entry.node.as_text() != Some("none") && entry.node.place != name.place {
                let label = "where operations are steps, `client` has a `timeout`";
                let message = format!("`client.{key}` is not supported for steps yet");
                self.errors.push(Diagnostic::error(entry.key, message, label));
            }
        }
    }

    /// A role is held in stores with a leader only.
    pub(super) fn has_leader(&mut self, name: &str, place: Place) {
        let leads = find(&self.model.stores, name).is_some_and(|(_, store)| matches!(store.kind, StoreKind::Log(_)));
        if !leads {
            let label = "`[leader]` and `[followers]` are machines of stores with a leader";
            let message = format!("nobody leads in `{name}`");
            self.errors.push(Diagnostic::error(place, message, label));
        }
    }

    /// Whether clients of this workload remember what they read: those that go on as themselves.
    pub(super) fn remembers(workload: &Workload) -> bool {
        matches!(workload.load, Load::Users { .. })
    }
}
