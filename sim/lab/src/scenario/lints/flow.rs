//! What workloads lead to, and how often: through calls, messages and sagas.

use std::collections::{BTreeMap, BTreeSet};

use super::super::routes::{Receiver, receivers};
use crate::model::{Call, Destination, Load, Model, Place, Service, Step, Verb};

/// Calls within calls that are followed.
pub(super) const DEPTH_MAX: usize = 64;

/// Calls followed in all.
pub(super) const VISITS_MAX: usize = 100_000;

/// Which ops are called how often.
pub(super) struct Flow<'a> {
    /// `service.op` → calls per second by open workloads.
    pub(super) per_second: BTreeMap<String, f64>,
    /// `service.op` and `transactions.t` that any workload reaches.
    pub(super) reached: BTreeSet<String>,
    /// Sagas that were followed.
    sagas: BTreeSet<String>,
    pub(super) cycles: Vec<(String, Place)>,
    /// Nothing was left out.
    pub(super) complete: bool,
    visits: usize,
    model: &'a Model,
}

impl<'a> Flow<'a> {
    pub(super) fn of(model: &'a Model) -> Self {
        let (per_second, reached, sagas) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        let mut flow = Self { per_second, reached, sagas, cycles: Vec::new(), complete: true, visits: 0, model };
        for (_, workload) in &model.workloads {
            let rate = match &workload.load {
                Load::Rate { per_second, .. } => *per_second,
                Load::Users { .. } | Load::Trace(_) => 0.0,
            };
            if let Some(call) = workload.call() {
                flow.call(call, rate, &mut Vec::new());
            }
        }
        flow
    }

    fn call(&mut self, call: &'a Call, rate: f64, stack: &mut Vec<String>) {
        let mut target = call.target.value.clone();
        if let Some(service) = self.service(&target) {
            target = format!("{target}.{}", service.ops.first().map_or("", |(op, _)| op.value.as_str()));
        }
        self.visits += 1;
        if stack.contains(&target) {
            let mut names = stack[stack.iter().position(|s| *s == target).unwrap_or(0)..].to_vec();
            names.push(target);
            let cycle = (names.join(" → "), call.target.place);
            if !self.cycles.iter().any(|(_, place)| *place == cycle.1) {
                self.cycles.push(cycle);
            }
            return;
        }
        if stack.len() > DEPTH_MAX || self.visits > VISITS_MAX {
            self.complete = false;
            return;
        }
        self.reached.insert(target.clone());
        *self.per_second.entry(target.clone()).or_default() += rate;
        stack.push(target.clone());
        let model = self.model;
        match target.strip_prefix("sagas.") {
            Some(saga) => self.saga(saga),
            None => self.steps(steps_of(model, &target), rate, stack),
        }
        stack.pop();
    }

    /// Steps, and those within them as often as is certain.
    fn steps(&mut self, steps: &'a [Step], rate: f64, stack: &mut Vec<String>) {
        for step in steps {
            let rate = rate * step.chance;
            if let Verb::Call(call) = &step.verb {
                self.call(call, rate, stack);
            }
            if let Some(message) = step.verb.message() {
                self.message(&message.to);
            }
            let inner = match &step.verb {
                Verb::Repeat { times, .. } => rate * times.law.mean(),
                Verb::Transaction { .. } => rate,
                // How often a `when` holds, and what fails, is not known.
                Verb::Work(_)
                | Verb::Sleep(_)
                | Verb::Call(_)
                | Verb::Fail(_)
                | Verb::Reply(_)
                | Verb::When { .. }
                | Verb::Insert(_)
                | Verb::Update(_)
                | Verb::Upsert(_)
                | Verb::Delete(_)
                | Verb::Read(_)
                | Verb::Scan(_)
                | Verb::Write { .. }
                | Verb::Append { .. }
                | Verb::Remove { .. }
                | Verb::Consult(_)
                | Verb::Publish(_)
                | Verb::Outbox(_) => 0.0,
            };
            for (n, steps) in step.verb.within().into_iter().enumerate() {
                self.steps(steps, if n == 0 { inner } else { 0.0 }, stack);
            }
        }
    }

    /// A message waits for nobody: what it leads to is no part of a cycle of calls.
    fn message(&mut self, to: &'a Destination) {
        for receiver in receivers(self.model, to) {
            match receiver {
                Receiver::Saga(name) => self.saga(name),
                Receiver::Consumer(service, name) => {
                    if !self.reached.insert(format!("{service}.consumers.{name}")) {
                        continue;
                    }
                    let service = self.service(service);
                    let consumer = service.and_then(|s| s.consumers.iter().find(|(own, _)| own.value == name));
                    if let Some((_, consumer)) = consumer {
                        self.steps(&consumer.steps, 0.0, &mut Vec::new());
                    }
                }
            }
        }
    }

    /// How often a saga does what is not known here.
    fn saga(&mut self, name: &str) {
        self.reached.insert(format!("sagas.{name}"));
        if !self.sagas.insert(name.to_owned()) {
            return;
        }
        let saga = self.model.sagas.iter().find(|(own, _)| own.value == name);
        for call in saga.map_or(Vec::new(), |(_, saga)| saga.calls()) {
            self.call(call, 0.0, &mut Vec::new());
        }
    }

    pub(super) fn service(&self, name: &str) -> Option<&'a Service> {
        self.model.services.iter().find(|(n, _)| n.value == name).map(|(_, s)| s)
    }
}

pub(super) fn steps_of<'a>(model: &'a Model, callee: &str) -> &'a [Step] {
    let Some((service, op)) = callee.split_once('.') else { return &[] };
    let service = model.services.iter().find(|(n, _)| n.value == service);
    let op = service.and_then(|(_, s)| s.ops.iter().find(|(n, _)| n.value == op));
    op.map_or(&[], |(_, op)| &op.steps)
}
