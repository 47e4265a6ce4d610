//! Variables of requests: those that something in the file sets, then the built-in ones that some step reads.
//!
//! What nobody reads is not carried along, so a scenario that uses no built-in variable pays nothing for them.

use systems::app::plan;
use systems::expression::VariableId;

use super::Compiler;
use super::sorts::Sorts;
use crate::expression::{Meaning, Type};
use crate::model::{Model, Variable, Workload};

/// Built-in variables that a request carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum BuiltIn {
    /// `$id`
    Id,
    /// The root of every `$unique`: operations of all workloads counted through.
    Fresh,
    /// `$client`
    Client,
    /// `$now`
    Now,
    /// `$attempt`
    Attempt,
    /// `$last_read`
    LastRead,
}

/// Fresh values of one operation: each place in the file that says `$unique` has its own, which are the last two digits.
const UNIQUES: i64 = 100;

/// The variables of all requests.
#[derive(Clone, Debug)]
pub(super) struct Variables {
    /// By name, in their order.
    declared: Vec<(String, Type)>,
    carried: Vec<BuiltIn>,
    /// Places that say `$unique`.
    uniques: i64,
    /// Some call is tried more than once.
    retried: bool,
}

impl Variables {
    pub(super) fn of(model: &Model, sorts: &Sorts) -> Self {
        let declared = sorts.variables().map(|(name, holds)| (name.to_owned(), holds.sort.unwrap_or(Type::Int)));
        Self { declared: declared.collect(), carried: Vec::new(), uniques: 0, retried: retried(model) }
    }

    /// Those that people have named.
    pub(super) fn declared(&self) -> Vec<String> {
        self.declared.iter().map(|(name, _)| name.clone()).filter(|name| !name.contains('#')).collect()
    }

    /// What people call each variable, by number; hidden ones have no name.
    pub(super) fn names(&self) -> Vec<String> {
        self.declared.iter().map(|(name, _)| if name.contains('#') { String::new() } else { name.clone() }).collect()
    }

    /// The number of one that something sets.
    pub(super) fn id(&self, name: &str) -> Option<VariableId> {
        self.declared.iter().position(|(known, _)| known == name).map(|n| VariableId(n as u32))
    }

    /// What `$name` stands for. Asked once for each place that says it.
    pub(super) fn meaning(&mut self, name: &str) -> Option<(Meaning, Type)> {
        if let Some(n) = self.declared.iter().position(|(known, _)| known == name) {
            return Some((Meaning::Carried(VariableId(n as u32)), self.declared[n].1));
        }
        Some(match name {
            "id" => (Meaning::Carried(self.carry(BuiltIn::Id)), Type::Int),
            "client" => (Meaning::Carried(self.carry(BuiltIn::Client)), Type::Int),
            "now" => (Meaning::Carried(self.carry(BuiltIn::Now)), Type::Duration),
            "attempt" if self.retried => (Meaning::Carried(self.carry(BuiltIn::Attempt)), Type::Int),
            "last_read" => (Meaning::Carried(self.carry(BuiltIn::LastRead)), Type::Int),
            // No call has a second try.
            "attempt" => (Meaning::Number(1), Type::Int),
            "unique" if self.uniques < UNIQUES => {
                self.uniques += 1;
                (Meaning::Scaled(self.carry(BuiltIn::Fresh), UNIQUES, self.uniques - 1), Type::Int)
            }
            _ => return None,
        })
    }

    fn carry(&mut self, what: BuiltIn) -> VariableId {
        let found = self.carried.iter().position(|known| *known == what);
        let at = found.unwrap_or_else(|| {
            self.carried.push(what);
            self.carried.len() - 1
        });
        VariableId((self.declared.len() + at) as u32)
    }

    /// The variable that a node's clock is read into, if a step reads it.
    pub(super) fn clock(&self) -> Option<VariableId> {
        self.carried_as(BuiltIn::Now)
    }

    /// The variable that says which try it is, if a step reads it.
    pub(super) fn attempt(&self) -> Option<VariableId> {
        self.carried_as(BuiltIn::Attempt)
    }

    /// The variable that what a client last read goes into, if a step reads it.
    pub(super) fn last_read(&self) -> Option<VariableId> {
        self.carried_as(BuiltIn::LastRead)
    }

    fn carried_as(&self, what: BuiltIn) -> Option<VariableId> {
        let at = self.carried.iter().position(|known| *known == what)?;
        Some(VariableId((self.declared.len() + at) as u32))
    }
}

impl Compiler<'_> {
    /// Where the variables of a workload's operations come from. Every step has been compiled before.
    pub(super) fn variables_of(&mut self, index: usize, workload: &Workload) -> Vec<plan::Variable> {
        let workloads = self.model.workloads.len() as i64;
        let mut all = Vec::new();
        for (name, _) in self.variables.declared.clone() {
            let own = workload.vars.iter().find(|(own, _)| own.value == name).map(|(_, variable)| variable);
            all.push(own.map_or(plan::Variable::Unset, |own| self.variable(own)));
        }
        all.extend(self.variables.carried.iter().map(|what| match what {
            BuiltIn::Id => plan::Variable::Operation,
            BuiltIn::Fresh => plan::Variable::Sequence { first: workloads + index as i64, step: workloads },
            BuiltIn::Client => plan::Variable::Client,
            // Nodes and steps set them.
            BuiltIn::Now | BuiltIn::Attempt | BuiltIn::LastRead => plan::Variable::Unset,
        }));
        all
    }

    pub(super) fn variable(&mut self, written: &Variable) -> plan::Variable {
        match written {
            Variable::Number(dist) => plan::Variable::Number(self.draw(dist)),
            Variable::Truth(dist) => plan::Variable::Truth(self.draw(dist)),
            Variable::Sequence(first) => plan::Variable::Sequence { first: *first, step: 1 },
            Variable::Text(dist, texts) => {
                let symbols = texts.iter().map(|text| self.names.symbol(text)).collect();
                plan::Variable::Text(self.draw(dist), symbols)
            }
        }
    }
}

fn retried(model: &Model) -> bool {
    use crate::model::{Verb, all_steps};
    let steps = model.services.iter().flat_map(|(_, service)| super::sorts::steps_of(service));
    let in_steps = steps.flat_map(all_steps).any(|step| matches!(&step.verb, Verb::Call(call) if call.retry.is_some()));
    let workloads =
        model.workloads.iter().any(|(_, workload)| workload.call().is_some_and(|call| call.retry.is_some()));
    let sagas = model.sagas.iter().flat_map(|(_, saga)| &saga.steps);
    in_steps || workloads || sagas.into_iter().any(|step| step.action.retry.is_some() || step.compensate.is_some())
}
