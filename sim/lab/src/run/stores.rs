//! What a run tells of replicated stores: what their clients ask and are told, and what is there when it has ended.

use cluster::Cluster;
use kernel::{NodeId, Time};
use systems::app::machine::Machine;
use systems::app::output::Told;
use systems::app::plan::{Keeping, StorePlan};

use crate::compile::Compiled;
use crate::model::Model;
use crate::names::Names;
use crate::outcome::StoreHistory;
use crate::promise::Promises;
use crate::promise::stores::{Copies, Log, Seen};

/// The stores of a run, in the order of the file.
#[derive(Clone)]
pub(super) struct Stores {
    /// Each with its name, and its log if somebody reads that.
    logs: Vec<(String, Option<Log>)>,
    /// The logs are results too.
    kept: bool,
}

impl Stores {
    pub(super) fn new(model: &Model, compiled: &Compiled, kept: bool, promises: &Promises) -> Self {
        debug_assert_eq!(model.stores.len(), compiled.plan.stores.len(), "each store is compiled");
        let log = |store: u32| {
            let ordered = matches!(compiled.plan.stores[store as usize].keeping, Keeping::Ordered(_));
            (kept || promises.checked(store)).then(|| Log::new(ordered))
        };
        let logs = model.stores.iter().zip(0..).map(|((name, _), store)| (name.value.clone(), log(store)));
        Self { logs: logs.collect(), kept }
    }

    /// Somebody reads what clients are told.
    pub(super) const fn wanted(&self) -> bool {
        let mut n = 0;
        while n < self.logs.len() {
            if self.logs.as_slice()[n].1.is_some() {
                return true;
            }
            n += 1;
        }
        false
    }

    #[inline]
    pub(super) fn told(&mut self, now: Time, event: u64, told: &Told) {
        if let Some(log) = &mut self.logs[told.store as usize].1 {
            log.push(now, event, told);
        }
    }

    /// The run has ended: promises are told what was seen.
    pub(super) fn tell(&self, cluster: &Cluster<Machine>, names: &Names, promises: &mut Promises) {
        for ((_, log), store) in self.logs.iter().zip(0..) {
            let Some(log) = log.as_ref().filter(|_| promises.checked(store)) else { continue };
            let copies = copies(cluster, names, &cluster.plan().stores[store as usize]);
            promises.saw(store, Seen { book: log.book(), cut: log.cut(), copies });
        }
    }

    /// The histories, if they were asked for.
    pub(super) fn histories(&self) -> Vec<StoreHistory> {
        let logs = self.logs.iter().filter(|_| self.kept);
        let history = |(store, log): &(String, Option<Log>)| {
            let log = log.as_ref()?;
            let lines = log.lines().collect();
            Some(StoreHistory { ordered: log.ordered(), store: store.clone(), lines, cut: log.cut() })
        };
        logs.filter_map(history).collect()
    }
}

/// What the machines of a store hold now.
fn copies(cluster: &Cluster<Machine>, names: &Names, store: &StorePlan) -> Copies {
    let machine = |node: NodeId| {
        let holds = cluster.up(node).then(|| cluster.process(node).holds()).flatten();
        (names.node(node).to_owned(), holds)
    };
    let shares = match &store.keeping {
        Keeping::Ordered(plan) => plan.replicas.len(),
        Keeping::Quorum(plan) => plan.copies,
    };
    Copies { machines: store.keeping.nodes().iter().map(|node| machine(*node)).collect(), shares }
}
