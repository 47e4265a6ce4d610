//! What a scenario can say and this release does not simulate yet: each of it is an error, with its place.
//!
//! Whoever builds a part deletes its line here.

use super::Compiler;
use crate::model::{Call, Load, Model, Place, Step, Transaction, Verb, Workload, all_steps};
use crate::scenario::Diagnostic;

impl Compiler<'_> {
    /// Says what is not supported yet.
    pub(super) fn later(&mut self) {
        let mut later = Later { errors: Vec::new() };
        later.model(self.model);
        self.errors.append(&mut later.errors);
    }
}

struct Later {
    errors: Vec<Diagnostic>,
}

impl Later {
    fn not_yet(&mut self, place: Place, what: &str) {
        let label = "it is understood, but this release does not simulate it";
        self.errors.push(Diagnostic::error(place, format!("{what} is not supported yet"), label));
    }

    fn model(&mut self, model: &Model) {
        for (_, service) in &model.services {
            for steps in
                service.ops.iter().map(|(_, op)| &op.steps).chain(service.consumers.iter().map(|(_, c)| &c.steps))
            {
                self.steps(steps);
            }
        }
        for (name, transaction) in &model.transactions {
            self.transaction(name.place, transaction);
        }
        for (_, workload) in &model.workloads {
            self.workload(workload);
        }
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in all_steps(steps) {
            if let Verb::Call(call) = &step.verb {
                self.call(call);
            }
            if let Some((word, place)) = step.stray {
                self.not_yet(place, &format!("`{word}` of a step on the state of its own service"));
            }
        }
    }

    fn transaction(&mut self, _: Place, transaction: &Transaction) {
        for step in &transaction.work {
            let fields = matches!(&step.verb, Verb::Update(u) if matches!(u.change, crate::model::Change::Fields(_)));
            if fields {
                self.not_yet(step.place, "`set` of fields in a transaction");
            }
        }
    }

    fn call(&mut self, call: &Call) {
        let place = call.target.place;
        if call.size.is_some() || call.reply_size.is_some() {
            self.not_yet(place, "the size of one call");
        }
    }

    fn workload(&mut self, workload: &Workload) {
        if let Some(call) = workload.call() {
            self.call(call);
        }
        if let (Some(stage), Load::Users { .. }) = (workload.stages.first(), &workload.load) {
            self.not_yet(stage.place, "`stages` of a closed loop");
        }
    }
}
