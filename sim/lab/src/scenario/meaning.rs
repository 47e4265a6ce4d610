//! The third pass: do expressions, thresholds and initial states mean something? The compilers say so.
//!
//! They go over the model as far as it could be built. What they find is told unless it was told already, or is about
//! something that is wrong itself: then it may be right once that is mended.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::diagnostic::{COLLECTED_MAX, Diagnostic};
use super::references::{MACHINES_MAX, machines};
use super::tree::Node;
use crate::compile::attempt;
use crate::model::{Call, Model, Place, Update, Verb};
use crate::names::path_of_op;
use crate::promise::Promises;
use crate::threshold;

/// Compiles `model`, and says what is wrong with it beside what was `told`.
pub(super) fn check(complete: &Node, model: &Model, broken: &BTreeSet<String>, told: &[Diagnostic]) -> Vec<Diagnostic> {
    if told.len() >= COLLECTED_MAX || machines(model) > MACHINES_MAX {
        return Vec::new();
    }
    let known = Known::new(complete, model, broken, told);
    let model = without_broken_variables(model, broken);
    let (compiled, mut errors) = attempt(&model);
    let promises = Promises::compile(&model, &compiled.names).err();
    let thresholds = threshold::compile(&model, &compiled, &mut Vec::new()).err();
    errors.extend(promises.into_iter().chain(thresholds).flatten().map(Diagnostic::from));
    errors.retain(|error| !overlaps(told, error.place) && !error.about.iter().any(|path| known.is_wrong(path)));
    errors
}

/// A variable whose law is wrong has no type yet.
fn without_broken_variables<'a>(model: &'a Model, broken: &BTreeSet<String>) -> Cow<'a, Model> {
    let mut model = Cow::Borrowed(model);
    if broken.iter().any(|path| path.starts_with("workloads.") && path.contains(".vars.")) {
        for (name, workload) in &mut model.to_mut().workloads {
            workload.vars.retain(|(v, _)| !broken.contains(&format!("workloads.{}.vars.{}", name.value, v.value)));
        }
    }
    model
}

/// Something was told of this place, or of a part of it.
fn overlaps(told: &[Diagnostic], at: Place) -> bool {
    let shares = |a: Place| a.source == at.source && a.start < at.end && at.start < a.end;
    told.iter().any(|error| error.place == at || shares(error.place))
}

/// What is wrong already.
struct Known<'a> {
    complete: &'a Node,
    /// Paths of values that are wrong, and of keys that there are not.
    broken: BTreeSet<String>,
    /// Some call leads nowhere, so it is not known what is called.
    calls: bool,
}

impl<'a> Known<'a> {
    fn new(complete: &'a Node, model: &Model, broken: &BTreeSet<String>, told: &[Diagnostic]) -> Self {
        let mut known = Self { complete, broken: broken.clone(), calls: false };
        known.calls = broken.iter().any(|path| path.starts_with("workloads") || path.contains(".ops"));
        for (name, workload) in &model.workloads {
            known.call(&workload.call, format!("workloads.{}.target", name.value), told);
        }
        for step in model.services.iter().flat_map(|(_, s)| &s.ops).flat_map(|(_, op)| &op.steps) {
            if let Verb::Call(call) = &step.verb {
                known.call(call, step.path.clone(), told);
            }
        }
        for (name, transaction) in &model.transactions {
            let coordinator = &transaction.coordinator;
            let mut wrong = Vec::new();
            if overlaps(told, coordinator.place) {
                wrong.push(format!("services.{}", coordinator.value));
            }
            for step in transaction.work.iter().filter(|step| overlaps(told, step.place)) {
                let (Verb::Update(Update { row, .. }) | Verb::Read(row)) = &step.verb else { continue };
                let item = format!("services.{}.state.{}", row.owner, row.item);
                if overlaps(told, row.place) && !known.is_there(&item) {
                    wrong.push(item);
                }
            }
            if !wrong.is_empty() {
                known.broken.insert(format!("transactions.{}.work", name.value));
                known.broken.extend(wrong);
            }
        }
        known
    }

    /// A call that leads nowhere, and what it names.
    fn call(&mut self, call: &Call, path: String, told: &[Diagnostic]) {
        if overlaps(told, call.target.place) {
            self.broken.extend([path, path_of_op(&call.target.value)]);
            self.calls = true;
        }
    }

    /// What is, or would be, at this path is wrong.
    fn is_wrong(&self, path: &str) -> bool {
        let within = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        // The name of nothing stands for one that could not be read.
        if path.ends_with('.') || self.broken.iter().any(|broken| within(broken, path) || within(path, broken)) {
            return true;
        }
        // It is there and was not found among what is called.
        let called = path.contains(".ops") || path.starts_with("workloads.") || path.starts_with("transactions.");
        self.calls && called && self.is_there(path)
    }

    fn is_there(&self, path: &str) -> bool {
        let below = |node: &'a Node, key: &str| node.table().and_then(|table| table.get(key));
        path.split('.').try_fold(self.complete, below).is_some()
    }
}
