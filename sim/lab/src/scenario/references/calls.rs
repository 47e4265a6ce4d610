//! What steps name: callees, rows, error words; and which variables reach them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::diagnostic::Diagnostic;
use super::super::nearest::{listed, nearest};
use super::super::targets::variables;
use super::super::values::clip;
use super::{BUILT_IN, Checker, find, names};
use crate::expression::LATER;
use crate::model::{At, Call, Change, Otherwise, Row, State, Step, Verb};

impl<'a> Checker<'a> {
    pub(super) fn step(&mut self, step: &'a Step, owner: Option<&str>) {
        match &step.verb {
            Verb::Work(_) | Verb::Sleep(_) => {}
            Verb::Fail(word) => self.error_word(word),
            Verb::Call(call) => {
                self.callee(call);
                self.otherwise(&call.otherwise);
            }
            Verb::Update(update) => {
                self.row(&update.row, owner);
                self.otherwise(&update.otherwise);
            }
            Verb::Read(row) => self.row(row, owner),
        }
    }

    pub(super) fn otherwise(&mut self, otherwise: &'a Otherwise) {
        if let Otherwise::Word(word) = otherwise {
            self.error_word(word);
        }
    }

    /// Business errors must not be called like system errors.
    fn error_word(&mut self, word: &At<String>) {
        let system =
            ["timeout", "unavailable", "overload", "breaker_open", "no_leader", "not_enough_replicas", "corrupt"];
        if system.contains(&word.value.as_str()) {
            let label = "system errors happen, they are not chosen; business errors have words of their own";
            self.errors.push(Diagnostic::error(word.place, format!("`{}` is a system error", word.value), label));
        }
    }

    pub(super) fn callee(&mut self, call: &'a Call) {
        let target = &call.target;
        let Some((first, second)) = target.value.split_once('.') else {
            return self.whole_service(target);
        };
        let rest = first.len() + 1..target.value.len();
        if first == "transactions" {
            if find(&self.model.transactions, second).is_none() {
                let at = At { value: second.to_owned(), place: self.inside(target, &rest) };
                self.unknown_in(&at, "transaction", &self.model.transactions);
            }
            return;
        }
        let Some((name, service)) = find(&self.model.services, first) else {
            let at = At { value: first.to_owned(), place: self.inside(target, &(0..first.len())) };
            return self.unknown_in(&at, "service", &self.model.services);
        };
        if find(&service.ops, second).is_none() && !self.broken(&[&format!("services.{first}.ops")]) {
            let at = self.inside(target, &rest);
            let what = format!("op of `{first}` called");
            let label = format!("`{first}` has {}", listed(names(&service.ops), 12));
            let near = nearest(second, names(&service.ops)).map(|near| format!("did you mean `{first}.{near}`?"));
            let error = Diagnostic::error(at, format!("there is no {what} `{}`", clip(second)), label);
            self.errors.push(error.also(name.place, "this service").maybe_help(near));
        }
    }

    /// A service without an op's name: it must have one op.
    fn whole_service(&mut self, target: &'a At<String>) {
        let Some((name, service)) = find(&self.model.services, &target.value) else {
            if let Some((at, _)) = find(&self.model.transactions, &target.value) {
                let message = format!("there is no service `{}`", target.value);
                let error = Diagnostic::error(target.place, message, "a transaction goes by its path");
                let error = error.also(at.place, "this transaction");
                self.errors.push(error.help(format!("\"transactions.{}\"", target.value)));
                return;
            }
            return self.unknown_in(target, "service", &self.model.services);
        };
        let path = format!("services.{}", target.value);
        if service.ops.len() == 1 || self.broken(&[&path]) || self.broken.iter().any(|b| b.starts_with(&path)) {
            return;
        }
        let error = if service.ops.is_empty() {
            Diagnostic::error(target.place, format!("`{}` has no ops", target.value), "nothing can be asked of it")
        } else {
            let label = format!("it has {}", listed(names(&service.ops), 12));
            let first = &service.ops[0].0.value;
            let message = format!("which op of `{}`?", target.value);
            Diagnostic::error(target.place, message, label).help(format!("for example \"{}.{first}\"", target.value))
        };
        self.errors.push(error.also(name.place, "this service"));
    }

    /// `owner` is the service the step runs in; a transaction's steps run in none and say whose row it is.
    pub(super) fn row(&mut self, row: &'a Row, owner: Option<&str>) {
        if row.item.is_empty() {
            return;
        }
        let whose = match (row.owner.as_str(), owner) {
            ("", Some(own)) => own,
            ("", None) => {
                let message = format!("whose `{}`?", row.item);
                let label = "a transaction's step names the owner: \"bank_a.accounts[$from]\"";
                self.errors.push(Diagnostic::error(row.place, message, label));
                return;
            }
            (other, Some(own)) if other != own => {
                if find(&self.model.services, other).is_some() {
                    let message = format!("`{other}.{}` is another service's state", row.item);
                    let error = Diagnostic::error(row.place, message, format!("this step runs in `{own}`"));
                    let help = format!("call `{other}`, or change both in a `[transactions.x]`");
                    self.errors.push(error.help(help));
                    return;
                }
                other
            }
            (other, _) => other,
        };
        let Some((name, service)) = find(&self.model.services, whose) else {
            let at = At { value: whose.to_owned(), place: row.place };
            return self.unknown_in(&at, "service", &self.model.services);
        };
        if self.broken(&[&format!("services.{whose}.state")]) {
            return;
        }
        let Some((item, State::Counter { keys, .. })) = find(&service.state, &row.item) else {
            let label = if service.state.is_empty() {
                format!("`{whose}` has no state")
            } else {
                format!("`{whose}` has {}", listed(names(&service.state), 12))
            };
            let near = nearest(&row.item, names(&service.state)).map(|near| format!("did you mean `{whose}.{near}`?"));
            let message = format!("there is no item `{}` in the state of `{whose}`", clip(&row.item));
            let error = Diagnostic::error(row.place, message, label).also(name.place, "this service");
            self.errors.push(error.maybe_help(near));
            return;
        };
        // A key that is not written has the place of the whole row.
        if *keys > 1 && row.key.place == row.place && row.key.value == "0" {
            let label = format!("`{}` has {keys} rows: write which, `{}[$key]`", row.item, row.item);
            let error = Diagnostic::error(row.place, format!("which row of `{whose}.{}`?", row.item), label);
            self.errors.push(error.also(item.place, "declared here"));
        }
    }

    /// Which variables can be set where: every workload carries its own to all it calls.
    pub(super) fn flow(&mut self) {
        let workloads = || self.model.workloads.iter();
        if workloads().any(|(name, _)| self.broken(&[&format!("workloads.{}.vars", name.value)])) {
            return;
        }
        let mut reach: BTreeMap<String, BTreeSet<&'a str>> = BTreeMap::new();
        for (_, workload) in &self.model.workloads {
            let own: BTreeSet<&str> = workload.vars.iter().map(|(n, _)| n.value.as_str()).collect();
            let mut waiting = vec![self.canonical_callee(&workload.call.target.value)];
            let mut seen = BTreeSet::new();
            while let Some(callee) = waiting.pop() {
                if !seen.insert(callee.clone()) {
                    continue;
                }
                for step in self.steps_of(&callee) {
                    if let Verb::Call(call) = &step.verb {
                        waiting.push(self.canonical_callee(&call.target.value));
                    }
                }
                reach.entry(callee).or_default().extend(&own);
            }
        }
        for (callee, set) in reach {
            for step in self.steps_of(&callee) {
                self.step_variables(step, &set);
            }
        }
    }

    /// `service.op` for a service with one op.
    pub(super) fn canonical_callee(&self, target: &str) -> String {
        match find(&self.model.services, target).and_then(|(_, s)| s.ops.first()) {
            Some((op, _)) => format!("{target}.{}", op.value),
            None => target.to_owned(),
        }
    }

    fn steps_of(&self, callee: &str) -> &'a [Step] {
        let Some((first, second)) = callee.split_once('.') else { return &[] };
        if first == "transactions" {
            return find(&self.model.transactions, second).map_or(&[], |(_, t)| &t.work);
        }
        let op = find(&self.model.services, first).and_then(|(_, s)| find(&s.ops, second));
        op.map_or(&[], |(_, op)| &op.steps)
    }

    fn step_variables(&mut self, step: &'a Step, set: &BTreeSet<&str>) {
        let mut texts: Vec<&At<String>> = Vec::new();
        match &step.verb {
            Verb::Work(_) | Verb::Sleep(_) | Verb::Call(_) | Verb::Fail(_) => {}
            Verb::Read(row) => texts.push(&row.key),
            Verb::Update(update) => {
                texts.push(&update.row.key);
                match &update.change {
                    Change::Add(text) | Change::Set(text) => texts.push(text),
                }
                texts.extend(&update.guard);
            }
        }
        for text in texts {
            for (name, range) in variables(&text.value) {
                if set.contains(name) || BUILT_IN.contains(&name) {
                    continue;
                }
                let place = self.inside(text, &range);
                if let Some((_, why)) = LATER.iter().find(|(later, _)| later.split('.').next() == Some(name)) {
                    let message = format!("`${name}` is not supported by this version yet");
                    self.errors.push(Diagnostic::error(place, message, *why));
                    continue;
                }
                let known = || set.iter().copied().chain(BUILT_IN);
                let label = format!("nothing on any path to this step sets it; there are {}", listed(known(), 16));
                let error = Diagnostic::error(place, format!("the variable `${name}` is not set"), label);
                self.errors
                    .push(error.maybe_help(nearest(name, known()).map(|near| format!("did you mean `${near}`?"))));
            }
        }
    }
}
