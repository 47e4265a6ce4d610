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
use crate::model::{At, Call, Form, Model, Place, Verb};
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
    let rests_on_wrong = |error: &Diagnostic| {
        let names_wrong = |text: &str| state_in(text).iter().any(|path| known.is_wrong(path));
        model.invariants.iter().any(|(_, invariant)| {
            let mut texts = predicates(&invariant.form).into_iter();
            let mut rows = String::new();
            if let Form::LeadsTo { for_each: Some(item), .. } = &invariant.form {
                rows = format!("{}.{}", item.owner, item.item);
            }
            texts.any(|text| {
                let here = overlaps(std::slice::from_ref(error), text.place);
                here && (names_wrong(&text.value) || names_wrong(&rows))
            })
        })
    };
    let unknown = values_unknown(broken);
    errors.retain(|error| {
        if unknown && error.about.is_empty() {
            return false;
        }
        let about_wrong = error.about.iter().any(|path| known.is_wrong(path));
        !(overlaps(told, error.place) || about_wrong || error.about.is_empty() && rests_on_wrong(error))
    });
    errors
}

/// Some step or variable whose value has a type is wrong, so the types of others may be: what is said of types is not told.
fn values_unknown(broken: &BTreeSet<String>) -> bool {
    const HOLD: [&str; 12] =
        ["set", "with", "key", "type", "vars", "into", "value", "reply", "kind", "initial", "steps", "transaction"];
    broken.iter().any(|path| path.split(['.', '[']).any(|part| HOLD.contains(&part)))
}

/// The expressions of an invariant.
fn predicates(form: &Form) -> Vec<&At<String>> {
    match form {
        Form::Always(text)
        | Form::Never(text)
        | Form::Transition(text)
        | Form::AtRest { predicate: text, .. }
        | Form::Finally { predicate: text, .. }
        | Form::EventuallyAfterHeal { predicate: text, .. }
        | Form::Sometimes { predicate: text, .. } => vec![text],
        Form::LeadsTo { when, then, .. } => vec![when, then],
        Form::Check(_) => Vec::new(),
    }
}

/// Where the state that an expression names is declared, and what gives its rows their fields.
fn state_in(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
    let named = words.filter_map(|word| {
        let mut parts = word.split('.');
        Some((parts.next()?, parts.next()?))
    });
    let paths = named.map(|(owner, item)| {
        [
            format!("services.{owner}.state.{item}"),
            format!("services.{owner}.ops"),
            format!("services.{owner}.consumers"),
        ]
    });
    paths.flatten().collect()
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
            if let Some(call) = workload.call() {
                known.call(call, format!("workloads.{}.target", name.value), told);
            }
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
                let Some(row) = step.verb.row() else { continue };
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
