//! Which variables can be set where. A request carries its variables to all it calls and sends, with what `with` adds;
//! what `into` and an op's `vars` set stays in the op.

use std::collections::{BTreeMap, BTreeSet};

use super::super::diagnostic::Diagnostic;
use super::super::nearest::{listed, nearest};
use super::super::routes::{Receiver, receivers};
use super::super::targets::variables;
use super::{BUILT_IN, Checker, find};
use crate::expression::LATER;
use crate::model::{
    At, Call, Destination, Fields, Named, Place, Step, TextPart, Value, Variable, Verb, Workload, all_steps,
};

/// What carries a request's variables: an op, a consumer, a transaction, a saga.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Carrier<'a> {
    /// `service.op`
    Op(&'a str, &'a str),
    Consumer(&'a str, &'a str),
    Transaction(&'a str),
    Saga(&'a str),
}

type Names<'a> = BTreeSet<&'a str>;

/// Sets of variables that are still to be handed on.
struct Flow<'a> {
    reach: BTreeMap<Carrier<'a>, Names<'a>>,
    waiting: Vec<Carrier<'a>>,
}

impl<'a> Flow<'a> {
    fn hand(&mut self, to: Option<Carrier<'a>>, names: impl Iterator<Item = &'a str>) {
        let Some(to) = to else { return };
        let known = self.reach.contains_key(&to);
        let reached = self.reach.entry(to.clone()).or_default();
        let before = reached.len();
        reached.extend(names);
        if !known || reached.len() > before {
            self.waiting.push(to);
        }
    }
}

fn keys(fields: &Fields) -> impl Iterator<Item = &str> {
    fields.iter().map(|(name, _)| name.value.as_str())
}

impl<'a> Checker<'a> {
    /// Every variable that is read is set on some path to it.
    pub(super) fn flow(&mut self) {
        if self.broken.iter().any(|path| path.rsplit('.').next() == Some("into")) {
            return;
        }
        let workloads = || self.model.workloads.iter();
        if workloads().any(|(name, _)| self.broken(&[&format!("workloads.{}.vars", name.value)])) {
            return;
        }
        let mut flow = Flow { reach: BTreeMap::new(), waiting: Vec::new() };
        for (_, workload) in &self.model.workloads {
            let own = workload.vars.iter().map(|(name, _)| name.value.as_str());
            match workload.call() {
                Some(call) => flow.hand(self.carrier(&call.target.value), own),
                None => self.read_by_clients(workload, own.collect()),
            }
        }
        while let Some(carrier) = flow.waiting.pop() {
            let carried = flow.reach.get(&carrier).cloned().unwrap_or_default();
            for (call, to) in self.sent_by(&carrier) {
                for carrier in to {
                    flow.hand(Some(carrier), carried.iter().copied().chain(keys(call)));
                }
            }
        }
        for (carrier, set) in &flow.reach {
            self.read_by(carrier, set);
        }
    }

    fn carrier(&self, target: &'a str) -> Option<Carrier<'a>> {
        match target.split_once('.') {
            Some(("transactions", name)) => Some(Carrier::Transaction(name)),
            Some(("sagas", name)) => Some(Carrier::Saga(name)),
            Some((service, op)) => Some(Carrier::Op(service, op)),
            None => {
                let (name, service) = find(&self.model.services, target)?;
                Some(Carrier::Op(&name.value, &service.ops.first()?.0.value))
            }
        }
    }

    fn steps_of(&self, carrier: &Carrier<'a>) -> &'a [Step] {
        match carrier {
            Carrier::Op(service, op) => {
                let op = find(&self.model.services, service).and_then(|(_, s)| find(&s.ops, op));
                op.map_or(&[], |(_, op)| &op.steps)
            }
            Carrier::Consumer(service, name) => {
                let found = find(&self.model.services, service).and_then(|(_, s)| find(&s.consumers, name));
                found.map_or(&[], |(_, consumer)| &consumer.steps)
            }
            Carrier::Transaction(name) => find(&self.model.transactions, name).map_or(&[], |(_, t)| &t.work),
            Carrier::Saga(_) => &[],
        }
    }

    /// What it calls and sends: what that adds to the variables, and who gets them.
    fn sent_by(&self, carrier: &Carrier<'a>) -> Vec<(&'a Fields, Vec<Carrier<'a>>)> {
        let mut sent: Vec<(&Fields, Vec<Carrier<'a>>)> = Vec::new();
        for step in all_steps(self.steps_of(carrier)) {
            if let Verb::Call(call) = &step.verb {
                sent.push((&call.with, self.carrier(&call.target.value).into_iter().collect()));
            }
            if let Some(message) = step.verb.message() {
                sent.push((&message.with, self.receivers(&message.to)));
            }
        }
        if let Carrier::Saga(name) = carrier {
            let calls = find(&self.model.sagas, name).map_or(Vec::new(), |(_, saga)| saga.calls());
            sent.extend(calls.into_iter().map(|c| (&c.with, self.carrier(&c.target.value).into_iter().collect())));
        }
        sent
    }

    fn receivers(&self, to: &'a Destination) -> Vec<Carrier<'a>> {
        let carrier = |receiver| match receiver {
            Receiver::Consumer(service, name) => Carrier::Consumer(service, name),
            Receiver::Saga(name) => Carrier::Saga(name),
        };
        receivers(self.model, to).into_iter().map(carrier).collect()
    }

    /// The variables that it reads, against those that it may find.
    fn read_by(&mut self, carrier: &Carrier<'a>, carried: &Names<'a>) {
        let mut set = carried.clone();
        let steps = all_steps(self.steps_of(carrier));
        set.extend(steps.iter().filter_map(|step| step.verb.into_variable()).map(|into| into.value.as_str()));
        match carrier {
            Carrier::Op(service, name) => {
                let Some((_, op)) = find(&self.model.services, service).and_then(|(_, s)| find(&s.ops, name)) else {
                    return;
                };
                set.extend(op.vars.iter().map(|(name, _)| name.value.as_str()));
                self.value(op.idempotent.as_ref(), &set);
            }
            Carrier::Consumer(service, name) => {
                set.insert("message");
                let found = find(&self.model.services, service).and_then(|(_, s)| find(&s.consumers, name));
                self.value(found.and_then(|(_, consumer)| consumer.idempotent.as_ref()), &set);
            }
            Carrier::Transaction(_) => {}
            Carrier::Saga(name) => {
                let Some((_, saga)) = find(&self.model.sagas, name) else { return };
                for call in saga.calls() {
                    self.call_values(call, &set);
                }
                for row in &saga.isolation.keys {
                    self.expression(&row.key, &set);
                }
            }
        }
        self.steps_variables(self.steps_of(carrier), &set);
    }

    /// What steps of clients read, against what their workload sets.
    fn read_by_clients(&mut self, workload: &'a Workload, mut set: Names<'a>) {
        let steps = workload.steps();
        set.extend(steps.iter().filter_map(|step| step.verb.into_variable()).map(|into| into.value.as_str()));
        if Self::remembers(workload) {
            set.insert("last_read");
        }
        for step in steps {
            self.steps_variables(std::slice::from_ref(step), &set);
        }
    }

    fn steps_variables(&mut self, steps: &'a [Step], set: &Names<'a>) {
        for step in steps {
            for text in step.verb.expressions() {
                self.expression(text, set);
            }
            for value in step.verb.values() {
                self.value(Some(value), set);
            }
            let mut inner = set.clone();
            if let Verb::Repeat { .. } = &step.verb {
                inner.insert("i");
            }
            for steps in step.verb.within() {
                self.steps_variables(steps, &inner);
            }
        }
    }

    fn call_values(&mut self, call: &'a Call, set: &Names<'a>) {
        for (_, value) in &call.with {
            self.value(Some(value), set);
        }
    }

    fn value(&mut self, value: Option<&'a At<Value>>, set: &Names<'a>) {
        match value.map(|at| &at.value) {
            Some(Value::Expression(text)) => self.expression(text, set),
            Some(Value::Variable(path)) => self.variable(&path.name, path.place, set),
            Some(Value::Text(parts)) => {
                for part in parts {
                    if let TextPart::Variable(path) = part {
                        self.variable(&path.name, path.place, set);
                    }
                }
            }
            Some(Value::Integer(_) | Value::Truth(_)) | None => {}
        }
    }

    fn expression(&mut self, text: &'a At<String>, set: &Names<'a>) {
        for (name, range) in variables(&text.value) {
            let place = self.inside(text, &range);
            self.variable(name, place, set);
        }
    }

    fn variable(&mut self, name: &str, place: Place, set: &Names<'a>) {
        if set.contains(name) || BUILT_IN.contains(&name) {
            return;
        }
        let error = match name {
            "i" => {
                let label = "it counts the turns of a `repeat`, and this step is in none";
                Diagnostic::error(place, "the variable `$i` is not set", label)
            }
            "last_read" => {
                let label = "it is what a user last read of a key: for steps of workloads with `users`";
                Diagnostic::error(place, "the variable `$last_read` is not set", label)
            }
            "message" => {
                let label = "a message is there in the steps of a consumer only";
                Diagnostic::error(place, "the variable `$message` is not set", label)
            }
            _ => {
                let later = LATER.iter().find(|(later, _)| *later == name);
                later.map_or_else(
                    || not_set(name, place, set),
                    |(_, why)| {
                        let message = format!("`${name}` is not supported by this version yet");
                        Diagnostic::error(place, message, *why)
                    },
                )
            }
        };
        // An op that is reached on several ways reads it once.
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    /// A variable has one type, whoever draws it.
    pub(super) fn variables(&mut self) {
        let noun = |variable: &Variable| match variable {
            Variable::Number(_) | Variable::Sequence(_) => "a number",
            Variable::Truth(_) => "true or false",
            Variable::Text(..) => "text",
        };
        let of_workloads = self.model.workloads.iter().map(|(n, w)| (format!("workloads.{}", n.value), &w.vars));
        let of_ops = self.model.services.iter().flat_map(|(service, s)| {
            s.ops.iter().map(move |(op, body)| (format!("services.{}.ops.{}", service.value, op.value), &body.vars))
        });
        let all: Vec<(String, &Named<Variable>)> = of_workloads.chain(of_ops).collect();
        let mut seen: BTreeMap<&str, (&At<String>, &str)> = BTreeMap::new();
        for (path, vars) in &all {
            for (variable, value) in *vars {
                self.not_built_in(variable);
                if self.broken(&[&format!("{path}.vars.{}", variable.value)]) {
                    continue;
                }
                let (first, sort) = *seen.entry(&variable.value).or_insert((variable, noun(value)));
                if sort != noun(value) {
                    let message = format!("the variable `{}` has two types", variable.value);
                    let error = Diagnostic::error(variable.place, message, format!("{} here", noun(value)));
                    self.errors.push(error.also(first.place, format!("{sort} here")));
                }
            }
        }
    }

    /// Nobody sets a variable that is built in.
    pub(super) fn not_built_in(&mut self, variable: &At<String>) {
        if BUILT_IN.iter().chain(&super::RESERVED).any(|name| *name == variable.value) {
            let label = "this variable is built in";
            let message = format!("`{}` cannot be set", variable.value);
            self.errors.push(Diagnostic::error(variable.place, message, label));
        }
    }
}

fn not_set(name: &str, place: Place, set: &Names<'_>) -> Diagnostic {
    let own = || set.iter().copied().filter(|name| !BUILT_IN.contains(name));
    let known = || own().chain(BUILT_IN);
    let label = format!("nothing on any path to this step sets it; there are {}", listed(known(), 16));
    let near = nearest(name, known()).map(|near| format!("did you mean `${near}`?"));
    Diagnostic::error(place, format!("the variable `${name}` is not set"), label).maybe_help(near)
}
