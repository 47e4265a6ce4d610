//! Variables of requests: those of the workloads, then the built-in ones that some step reads.
//!
//! What nobody reads is not carried along, so a scenario that uses no built-in variable pays nothing for them.

use systems::app::plan;
use systems::expression::VariableId;

use super::Compiler;
use crate::expression::{Meaning, Type};
use crate::model::{Model, Variable, Workload};

/// Built-in variables that a request carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum BuiltIn {
    /// `$id`, and the root of every `$unique`.
    Id,
    /// `$client`
    Client,
    /// `$now`
    Now,
}

/// Fresh values of one operation: each place in the file that says `$unique` has its own.
const UNIQUES: i64 = 128;

/// The variables of all requests.
#[derive(Clone, Debug)]
pub(super) struct Variables {
    /// By name, in their order.
    declared: Vec<(String, Type)>,
    carried: Vec<BuiltIn>,
    /// Places that say `$unique`.
    uniques: i64,
}

impl Variables {
    pub(super) fn of(model: &Model) -> Self {
        let all = model.workloads.iter().flat_map(|(_, workload)| &workload.vars);
        let mut declared: Vec<(String, Type)> = all.map(|(name, v)| (name.value.clone(), type_of(v))).collect();
        declared.sort_by(|a, b| a.0.cmp(&b.0));
        declared.dedup_by(|a, b| a.0 == b.0);
        Self { declared, carried: Vec::new(), uniques: 0 }
    }

    pub(super) fn declared(&self) -> Vec<String> {
        self.declared.iter().map(|(name, _)| name.clone()).collect()
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
            // Calls have one try.
            "attempt" => (Meaning::Number(1), Type::Int),
            "unique" if self.uniques < UNIQUES => {
                self.uniques += 1;
                (Meaning::Scaled(self.carry(BuiltIn::Id), UNIQUES, self.uniques - 1), Type::Int)
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

    /// The variable that the coordinator's clock is read into, if a step reads it.
    pub(super) fn clock(&self) -> Option<VariableId> {
        let at = self.carried.iter().position(|known| *known == BuiltIn::Now)?;
        Some(VariableId((self.declared.len() + at) as u32))
    }
}

fn type_of(variable: &Variable) -> Type {
    match variable {
        Variable::Number(_) | Variable::Sequence(_) => Type::Int,
        Variable::Truth(_) => Type::Bool,
        Variable::Text(..) => Type::Text,
    }
}

impl Compiler<'_> {
    /// Where the variables of a workload's operations come from. Every step has been compiled before.
    pub(super) fn variables_of(&mut self, workload: &Workload) -> Vec<plan::Variable> {
        let mut all = Vec::new();
        for (name, _) in self.variables.declared.clone() {
            let own = workload.vars.iter().find(|(own, _)| own.value == name).map(|(_, variable)| variable);
            all.push(match own {
                None => plan::Variable::Unset,
                Some(Variable::Number(dist)) => plan::Variable::Number(self.draw(dist)),
                Some(Variable::Truth(dist)) => plan::Variable::Truth(self.draw(dist)),
                Some(Variable::Sequence(first)) => plan::Variable::Sequence(*first),
                Some(Variable::Text(dist, texts)) => {
                    let symbols = texts.iter().map(|text| self.names.symbol(text)).collect();
                    plan::Variable::Text(self.draw(dist), symbols)
                }
            });
        }
        all.extend(self.variables.carried.iter().map(|what| match what {
            BuiltIn::Id => plan::Variable::Operation,
            BuiltIn::Client => plan::Variable::Client,
            // The coordinator sets it.
            BuiltIn::Now => plan::Variable::Unset,
        }));
        all
    }
}
