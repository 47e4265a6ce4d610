//! `check`: whether a judge judges what it is given, and is told what it asks.

use super::super::diagnostic::Diagnostic;
use super::super::values::clip;
use super::{Checker, find};
use crate::model::{Check, Place, StoreKind, Verb, Wants, all_steps};
use crate::promise::{About, Modifier, about};

impl<'a> Checker<'a> {
    pub(super) fn check_of(&mut self, check: &'a Check) {
        match about(&check.judge.value) {
            Some(About::Saga) => {
                self.saga_at(&check.of, "cannot be judged", "which one is judged? A path like `sagas.checkout`");
            }
            Some(About::Transaction) => {
                let label = "which one is judged? A path like `transactions.transfer`";
                self.transaction_at(&check.of, "cannot be judged", label);
            }
            Some(About::Store) => self.store_of(check),
            None => {}
        }
        let place = check.judge.place;
        self.modifier(check, Modifier::Within, check.within.map(|_| place));
        self.modifier(check, Modifier::Model, check.model.as_ref().map(|at| at.place));
        self.modifier(check, Modifier::Limit, check.limit.map(|at| at.place));
        self.modifier(check, Modifier::Max, check.max.map(|at| at.place));
        if check.judge.value == "bounded_staleness" && check.max.is_none() {
            let label = "how far may a read be behind?";
            let error = Diagnostic::error(place, "`bounded_staleness` needs `max`", label);
            self.errors.push(error.help("a duration, `max = \"500ms\"`, or a number of versions, `max = 3`"));
        }
    }

    /// A modifier that only some judges have.
    fn modifier(&mut self, check: &Check, modifier: Modifier, written: Option<Place>) {
        let Some(place) = written else { return };
        let judges = modifier.judges();
        if judges.contains(&check.judge.value.as_str()) {
            return;
        }
        let judges: Vec<String> = judges.iter().map(|judge| format!("`{judge}`")).collect();
        let label = match (modifier, judges.as_slice()) {
            (Modifier::Within, _) => "only `saga_ends` has a limit of time".to_owned(),
            (_, [only]) => format!("only {only} has it"),
            (_, [all @ .., last]) => format!("only {} and {last} have it", all.join(", ")),
            (_, []) => String::new(),
        };
        let message = format!("`{}` has no `{}`", check.judge.value, modifier.word());
        self.errors.push(Diagnostic::error(place, message, label));
    }

    /// What is judged is a store, and one that the judge can judge.
    fn store_of(&mut self, check: &'a Check) {
        let Check { judge, of, model, .. } = check;
        if of.value.is_empty() {
            return;
        }
        if of.value.contains('.') {
            let error =
                Diagnostic::error(of.place, format!("`{}` cannot be judged", clip(&of.value)), "a store like `kv`");
            let help = format!("`{}` judges what clients of a store saw; a store goes by its bare name", judge.value);
            self.errors.push(error.help(help));
            return;
        }
        let Some((name, store)) = find(&self.model.stores, &of.value) else {
            self.unknown_in(of, "store", &self.model.stores);
            return;
        };
        if judge.value == "one_leader_per_term" && matches!(store.kind, StoreKind::Quorum(_)) {
            let error =
                Diagnostic::error(of.place, format!("nobody leads in `{}`", of.value), "a quorum store has no leader");
            self.errors.push(error.also(name.place, "this store"));
        }
        if let Some(model) = model.as_ref().filter(|model| model.value == "register")
            && let Some(cas) = self.cas_at(&of.value)
        {
            let label = "a register is only read and written";
            let error = Diagnostic::error(model.place, format!("`{}` is asked for `cas`", of.value), label);
            self.errors.push(error.also(cas, "here").help("`model = \"cas_register\"`?"));
        }
    }

    /// Where this store is asked for a `cas`.
    fn cas_at(&self, store: &str) -> Option<Place> {
        let model = self.model;
        let of_clients = model.workloads.iter().flat_map(|(_, workload)| workload.steps());
        let of_services = model.services.iter().flat_map(|(_, service)| {
            let ops = service.ops.iter().flat_map(|(_, op)| all_steps(&op.steps));
            ops.chain(service.consumers.iter().flat_map(|(_, consumer)| all_steps(&consumer.steps)))
        });
        of_clients.chain(of_services).find_map(|step| {
            let Verb::Consult(consult) = &step.verb else { return None };
            let compares = consult.store.value == store && matches!(consult.wants, Wants::Cas { .. });
            compares.then_some(consult.row.place)
        })
    }
}
