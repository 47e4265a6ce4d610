//! Who led a store when: each stretch in which a machine believed that it leads.

use kernel::{Fact, FactKind, NodeId, Time};

use crate::compile::Compiled;
use crate::model::{Model, StoreKind};
use crate::names::Names;
use crate::outcome::{Leading, StoreResult};

/// The stores of a run, in the order of the file.
#[derive(Clone, Debug)]
pub(super) struct Leaders {
    stores: Vec<Store>,
}

#[derive(Clone, Debug)]
struct Store {
    name: String,
    /// Its facts are those of this protocol, if somebody leads it.
    protocol: Option<u32>,
    first: u32,
    machines: u32,
    over: Vec<Leading>,
    /// What has not ended, in the order in which it began.
    now: Vec<(usize, u64, Time)>,
}

impl Leaders {
    pub(super) fn new(model: &Model, compiled: &Compiled) -> Self {
        let mut stores = Vec::new();
        for ((name, store), plan) in model.stores.iter().zip(&compiled.plan.stores) {
            let path = format!("stores.{}", name.value);
            let protocol = compiled.names.protocols.iter().position(|protocol| *protocol == path);
            stores.push(Store {
                name: name.value.clone(),
                protocol: protocol.filter(|_| matches!(store.kind, StoreKind::Log(_))).map(|number| number as u32),
                first: plan.first.0,
                machines: plan.nodes,
                over: Vec::new(),
                now: Vec::new(),
            });
        }
        Self { stores }
    }

    /// Somebody leads from now on, or no more.
    #[inline]
    pub(super) fn fact(&mut self, fact: &Fact) {
        let Some(store) = self.stores.iter_mut().find(|store| store.protocol == Some(fact.protocol)) else { return };
        if let FactKind::Leads { term } = fact.kind {
            store.ends(fact.node, fact.time);
            store.now.push(((fact.node.0 - store.first) as usize, term, fact.time));
        } else if fact.kind == FactKind::StoodDown {
            store.ends(fact.node, fact.time);
        }
    }

    /// What a machine was, it is no more.
    pub(super) fn crashed(&mut self, now: Time, node: NodeId) {
        for store in &mut self.stores {
            store.ends(node, now);
        }
    }

    /// What came of it; gaps and lags are known elsewhere.
    pub(super) fn results(self, end: Time, names: &Names) -> Vec<StoreResult> {
        let result = |mut store: Store| {
            for machine in 0..store.machines {
                store.ends(NodeId(store.first + machine), end);
            }
            store.over.sort_by_key(|leading| (leading.from, leading.term));
            let machine = |machine| names.node(NodeId(store.first + machine)).to_owned();
            StoreResult {
                machines: (0..store.machines).map(machine).collect(),
                name: store.name,
                leading: store.protocol.map(|_| store.over),
                gaps: Vec::new(),
                lags: Vec::new(),
            }
        };
        self.stores.into_iter().map(result).collect()
    }
}

impl Store {
    fn ends(&mut self, node: NodeId, to: Time) {
        let mut open = self.now.iter();
        let Some(place) = open.position(|(machine, _, _)| self.first + *machine as u32 == node.0) else { return };
        let (machine, term, from) = self.now.remove(place);
        self.over.push(Leading { machine, term, from, to });
    }
}
