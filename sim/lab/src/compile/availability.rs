//! Series of stores that the run itself fills: how long nobody was answered, how often somebody began to lead.

use super::Compiler;
use crate::model::{Step, StoreKind, Verb, all_steps};

impl Compiler<'_> {
    /// Gives them their numbers.
    pub(super) fn availability(&mut self) {
        let model = self.model;
        for (name, store) in &model.stores {
            let asks = |step: &&Step| matches!(&step.verb, Verb::Consult(asked) if asked.store.value == name.value);
            for (workload, body) in &model.workloads {
                if body.steps().iter().any(asks) {
                    let labels = vec![("store", name.value.clone()), ("workload", workload.value.clone())];
                    self.names.series("unavailable", labels);
                }
            }
            for (service, body) in &model.services {
                let of_ops = body.ops.iter().flat_map(|(_, op)| all_steps(&op.steps));
                let of_consumers = body.consumers.iter().flat_map(|(_, consumer)| all_steps(&consumer.steps));
                if of_ops.chain(of_consumers).any(|step| asks(&step)) {
                    let labels = vec![("store", name.value.clone()), ("service", service.value.clone())];
                    self.names.series("unavailable", labels);
                }
            }
            if matches!(store.kind, StoreKind::Log(_)) {
                self.names.series("elections", vec![("store", name.value.clone())]);
            }
        }
    }
}
