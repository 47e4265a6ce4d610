//! The second pass: do the names mean something, do the times fit together? Errors show both ends.
//!
//! It reads the model only. A stand-in of the first pass is an empty name or a path in `broken`; neither is told twice.

mod calls;
mod checks;
mod faults;
mod flow;
mod listed;
mod messaging;
mod points;
mod processes;
mod sagas;
mod state;
mod stores;
mod zones;

use std::collections::BTreeSet;

use kernel::Span;

use super::diagnostic::{COLLECTED_MAX, Diagnostic, Source};
use super::leaf::inside_text;
use super::nearest::{listed, nearest};
use super::tree::Node;
use super::values::{clip, write_duration};
use crate::model::{Activity, At, Expected, Form, Load, Model, Named, Otherwise, Place, SweepVariants, Workload};
use calls::Standing;

/// Request variables that are always there.
const BUILT_IN: [&str; 5] = ["id", "attempt", "client", "unique", "now"];

/// Names that will be built in.
const RESERVED: [&str; 3] = ["i", "last_read", "message"];

/// Clients are no service.
const CLIENTS: Standing<'static> = Standing { service: None, in_transaction: false };

/// Nodes of services, stores and brokers, and workloads, of one scenario: the hardware has room for their databases too.
pub(super) const MACHINES_MAX: u64 = 1_000_000;
const _: () = assert!(MACHINES_MAX < cluster::MACHINES_MAX as u64);

/// How many there are.
pub(super) fn machines(model: &Model) -> u64 {
    let services = model.services.iter().map(|(_, service)| u64::from(service.nodes)).sum::<u64>();
    let stores = model.stores.iter().map(|(_, store)| u64::from(store.nodes)).sum::<u64>();
    let brokers = model.brokers.iter().map(|(_, broker)| u64::from(broker.nodes)).sum::<u64>();
    services + stores + brokers + model.workloads.len() as u64
}

/// Looks at every reference of the model.
pub(super) fn check(sources: &[Source], complete: &Node, model: &Model, broken: &BTreeSet<String>) -> Vec<Diagnostic> {
    let mut checker = Checker { sources, complete, model, broken, errors: Vec::new() };
    checker.times();
    checker.precision();
    checker.world();
    checker.processes();
    checker.state();
    checker.stores();
    checker.ops();
    checker.messaging();
    checker.sagas();
    checker.transactions();
    checker.workloads();
    checker.variables();
    checker.zones();
    checker.links();
    for (name, fault) in &model.faults {
        checker.fault(name, fault);
    }
    checker.after_cycles();
    checker.promises();
    checker.expectations();
    checker.flow();
    checker.errors
}

struct Checker<'a> {
    sources: &'a [Source],
    complete: &'a Node,
    model: &'a Model,
    broken: &'a BTreeSet<String>,
    errors: Vec<Diagnostic>,
}

fn names<T>(named: &Named<T>) -> impl Iterator<Item = &str> {
    named.iter().map(|(name, _)| name.value.as_str())
}

fn find<'m, T>(named: &'m Named<T>, name: &str) -> Option<(&'m At<String>, &'m T)> {
    named.iter().find(|(n, _)| n.value == name).map(|(n, t)| (n, t))
}

impl<'a> Checker<'a> {
    /// An unknown name: what there is, where it is, what was probably meant.
    fn unknown<'n>(
        &mut self,
        at: Place,
        name: &str,
        what: &str,
        known: &(impl Iterator<Item = (&'n str, Option<Place>)> + Clone),
    ) {
        if self.errors.len() >= COLLECTED_MAX {
            return;
        }
        let mut all = known.clone().map(|(name, _)| name).peekable();
        let label = match all.peek() {
            Some(_) => format!("there are {}", listed(all, 12)),
            None => "this scenario has none".to_owned(),
        };
        let mut error = Diagnostic::error(at, format!("there is no {what} `{}`", clip(name)), label);
        if let Some(near) = nearest(name, known.clone().map(|(name, _)| name)) {
            error = error.help(format!("did you mean `{near}`?"));
            if let Some(place) = known.clone().find(|(name, _)| *name == near).and_then(|(_, place)| place) {
                error = error.also(place, format!("`{near}` is here"));
            }
        }
        self.errors.push(error);
    }

    fn unknown_in<T>(&mut self, at: &At<String>, what: &str, named: &'a Named<T>) {
        if !at.value.is_empty() {
            let known = named.iter().map(|(n, _)| (n.value.as_str(), Some(n.place)));
            self.unknown(at.place, &at.value, what, &known);
        }
    }

    /// A place within a text.
    fn inside(&self, at: &At<String>, range: &core::ops::Range<usize>) -> Place {
        inside_text(self.sources, at.place, &at.value, range)
    }

    /// One of these, or a table it lies in, was told already.
    fn broken(&self, paths: &[&str]) -> bool {
        let ends = |path: &str, end: usize| self.broken.contains(&path[..end]);
        let within = |path: &str| path.match_indices('.').any(|(dot, _)| ends(path, dot)) || self.broken.contains(path);
        paths.iter().any(|path| within(path))
    }

    /// Where a value of `[run]` is written; a default has the place of the table.
    fn run_place(&self, name: &str) -> Place {
        let run = self.complete.table().and_then(|t| t.get("run")).and_then(Node::table);
        run.and_then(|t| t.get(name)).map_or(Place::default(), |n| n.place)
    }

    /// Where a key of a part is written; a default has the place of the part's name.
    fn part_place(&self, section: &str, name: &At<String>, key: &str) -> Place {
        let parts = self.complete.table().and_then(|t| t.get(section)).and_then(Node::table);
        let part = parts.and_then(|t| t.get(&name.value)).and_then(Node::table);
        part.and_then(|t| t.get(key)).map_or(name.place, |n| n.place)
    }

    /// The order of the instants of `[run]`.
    fn times(&mut self) {
        let run = &self.model.run;
        if !self.broken(&["run", "run.duration", "run.warmup"]) && run.warmup >= run.duration {
            let (warmup, duration) = (write_duration(run.warmup.0), write_duration(run.duration.0));
            let label = format!("`run.warmup` is {warmup}, `run.duration` is {duration}");
            let place = self.run_place("warmup");
            let error = Diagnostic::error(place, "nothing is measured: the run ends within its warm-up", label);
            self.errors.push(error.also(self.run_place("duration"), "the end"));
        }
        if !self.broken(&["run", "run.duration", "run.heal", "run.warmup"]) && run.warmup < run.duration {
            let heal = write_duration(run.heal.0);
            if run.heal > run.duration || run.heal < run.warmup {
                let (from, to) = (write_duration(run.warmup.0), write_duration(run.duration.0));
                let label =
                    format!("`run.heal` is {heal}; it lies between `run.warmup` ({from}) and `run.duration` ({to})");
                let place = self.run_place("heal");
                self.errors.push(Diagnostic::error(place, "the faults heal outside of the run", label));
            }
        }
    }

    fn precision(&mut self) {
        let known = !self.broken(&["run", "run.precision"]);
        let Some(At { value: precision, place }) = self.model.run.precision.filter(|_| known) else { return };
        if precision <= 0.0 {
            let error = Diagnostic::error(place, "no number of seeds gives this precision", "more than 0%");
            self.errors.push(error.help("\"2%\": half the interval is at most 2 % of the mean"));
        }
        if self.model.thresholds.is_empty() && !self.broken(&["thresholds"]) {
            let label = "the means of thresholds are to be this precise, and there are none";
            let error = Diagnostic::error(place, "`run.precision` is about nothing", label);
            self.errors.push(error.help("for example [thresholds] with `typical = \"mean(latency) < 1s\"`"));
        }
    }

    fn world(&mut self) {
        let place = Place::default();
        if self.model.services.is_empty() && self.model.stores.is_empty() && !self.broken(&["services", "stores"]) {
            let error =
                Diagnostic::error(place, "nothing serves requests", "a scenario has at least one service or store");
            self.errors.push(error.help("for example: [services.server] with `work = \"exp(5ms)\"`"));
        }
        if self.model.workloads.is_empty() && !self.broken(&["workloads"]) {
            let error = Diagnostic::error(place, "nothing asks for anything", "a scenario has at least one workload");
            self.errors
                .push(error.help("for example: [workloads.load] with `rate = \"100/s\"` and `target = \"server\"`"));
        }
        let machines = machines(self.model);
        if machines > MACHINES_MAX {
            let most = self.model.services.iter().max_by_key(|(_, service)| service.nodes);
            let label = format!("{machines} nodes and workloads in all; there can be {MACHINES_MAX}");
            let place = most.map_or(place, |(name, _)| name.place);
            self.errors.push(Diagnostic::error(place, "too many machines", label));
        }
        for (name, service) in &self.model.services {
            let path = format!("services.{}", name.value);
            let told = self.broken.iter().any(|b| b.starts_with(&path));
            let idle = service.ops.is_empty() && service.state.is_empty() && service.consumers.is_empty();
            if idle && !told && !self.coordinates(&name.value) {
                let label = "no `work`, no `steps`, no `ops`, no `consumers`, no `state`";
                let error = Diagnostic::error(name.place, format!("the service `{}` does nothing", name.value), label);
                self.errors.push(error.help("what it is asked for is an op: `work = \"exp(5ms)\"` is the shortest"));
            }
            for (item, _) in &service.state {
                if ["up", "queue_depth", "in_flight"].contains(&item.value.as_str()) {
                    let label = "every service has a view of this name";
                    let message = format!("`{}` is a reserved name here", item.value);
                    self.errors.push(Diagnostic::error(item.place, message, label));
                }
            }
        }
    }

    fn coordinates(&self, service: &str) -> bool {
        let of_sagas = self.model.sagas.iter().filter_map(|(_, saga)| saga.coordinator.as_ref());
        let mut all = self.model.transactions.iter().map(|(_, t)| &t.coordinator).chain(of_sagas);
        // A coordinator that could not be read may be this one.
        all.any(|coordinator| coordinator.value == service || coordinator.value.is_empty())
    }

    fn ops(&mut self) {
        for (service_name, service) in &self.model.services {
            let standing = Standing { service: Some(&service_name.value), in_transaction: false };
            for (_, op) in &service.ops {
                self.steps(&op.steps, standing);
            }
            for (_, consumer) in &service.consumers {
                self.steps(&consumer.steps, standing);
            }
        }
    }

    fn transactions(&mut self) {
        for (name, transaction) in &self.model.transactions {
            let coordinator = &transaction.coordinator;
            if find(&self.model.services, &coordinator.value).is_none() {
                self.unknown_in(coordinator, "service", &self.model.services);
            }
            self.steps(&transaction.work, Standing { service: None, in_transaction: false });
            for step in &transaction.work {
                let what = match step.verb.otherwise() {
                    Some(Otherwise::Skip) => "`else = \"skip\"` in a transaction",
                    Some(Otherwise::Steps(_)) => "steps in the `else` of a transaction",
                    Some(Otherwise::Fail | Otherwise::Word(_)) | None => continue,
                };
                if self.broken.iter().any(|broken| broken.starts_with(&step.path)) {
                    continue;
                }
                let label = "a participant votes; it does not skip";
                self.errors.push(Diagnostic::error(step.place, what, label));
            }
            let path = format!("transactions.{}", name.value);
            let timeouts =
                [("prepare_timeout", transaction.prepare_timeout), ("decision_timeout", transaction.decision_timeout)];
            for (key, timeout) in timeouts {
                if timeout == Span::ZERO && !self.broken(&[&format!("{path}.{key}")]) {
                    let message = format!("`{path}.{key}` must be above 0");
                    let place = self.part_place("transactions", name, key);
                    self.errors.push(Diagnostic::error(place, message, "whoever waits so long never hears an answer"));
                }
            }
            let told = self.broken.iter().any(|b| b.starts_with(&path));
            if transaction.work.is_empty() && !told {
                let message = format!("the transaction `{}` does nothing", name.value);
                self.errors.push(Diagnostic::error(name.place, message, "its `work` has no steps"));
            }
        }
    }

    fn workloads(&mut self) {
        for (name, workload) in &self.model.workloads {
            if let Some(call) = workload.call() {
                self.callee(call);
            }
            self.client_of_steps(name, workload);
            match &workload.activity {
                Activity::Call(_) => {}
                Activity::Steps(steps, _) => self.steps(steps, CLIENTS),
                Activity::Mix(mix, _) => {
                    for (_, step) in mix {
                        self.steps(std::slice::from_ref(step), CLIENTS);
                    }
                }
            }
            let path = format!("workloads.{}", name.value);
            let told = self.broken.iter().any(|b| b.starts_with(&path)) || self.broken(&["run.duration"]);
            if workload.start >= workload.stop && !told {
                let (start, stop) = (write_duration(workload.start.0), write_duration(workload.stop.0));
                let label = format!("`start` is {start}, `stop` is {stop}");
                let message = format!("the workload `{}` ends before it begins", name.value);
                self.errors.push(Diagnostic::error(name.place, message, label));
            }
            self.stages(name, workload);
            self.listed(name, workload);
        }
    }

    /// Stages lead to rates, or to users, as the workload begins.
    fn stages(&mut self, name: &'a At<String>, workload: &'a Workload) {
        let path = format!("workloads.{}.stages", name.value);
        let (Some(first), false) = (workload.stages.first(), self.broken(&[&path])) else { return };
        let rates = match &workload.load {
            Load::Rate { .. } => true,
            Load::Users { .. } => false,
            Load::Trace(_) => {
                let label = "the times of a trace are all written";
                self.errors.push(Diagnostic::error(first.place, "a trace has no stages", label));
                return;
            }
        };
        let written = self.written(&format!("workloads.{}", name.value), "stages").and_then(Node::array);
        for (n, item) in written.unwrap_or(&[]).iter().enumerate() {
            if self.broken(&[&format!("{path}[{n}].to")]) {
                continue;
            }
            let Some(to) = item.table().and_then(|table| table.get("to")) else { continue };
            if to.as_text().is_some() != rates {
                let label = if rates { "to a rate: \"120/s\"" } else { "to a number of users: 40" };
                let message = format!("a stage of `{}` leads elsewhere", name.value);
                self.errors.push(Diagnostic::error(to.place, message, label));
            }
        }
    }

    /// What the complete file has under a path of tables.
    fn written(&self, path: &str, key: &str) -> Option<&'a Node> {
        let mut table = self.complete.table()?;
        for name in path.split('.') {
            table = table.get(name)?.table()?;
        }
        table.get(key)
    }

    fn promises(&mut self) {
        for (name, _) in &self.model.thresholds {
            if let Some((other, _)) = find(&self.model.invariants, &name.value) {
                let message = format!("the name `{}` is used twice", name.value);
                let error = Diagnostic::error(name.place, message, "a threshold").also(other.place, "an invariant");
                self.errors.push(error.help("invariants and thresholds share one namespace"));
            }
        }
        for (name, invariant) in &self.model.invariants {
            if self.broken(&[&format!("invariants.{}.check", name.value)]) {
                continue;
            }
            match &invariant.form {
                Form::Check(check) => self.check_of(check),
                Form::AtRest { of: Some(of), .. } => {
                    self.saga_at(of, "does not come to rest by itself", "a path like `sagas.checkout`");
                }
                Form::LeadsTo { for_each: Some(item), .. } => self.map(item, None),
                Form::Always(_)
                | Form::Never(_)
                | Form::AtRest { of: None, .. }
                | Form::Finally { .. }
                | Form::EventuallyAfterHeal { .. }
                | Form::Sometimes { .. }
                | Form::Transition(_)
                | Form::LeadsTo { for_each: None, .. } => {}
            }
        }
    }

    fn expectations(&mut self) {
        let promises: Vec<&At<String>> =
            self.model.invariants.iter().map(|(n, _)| n).chain(self.model.thresholds.iter().map(|(n, _)| n)).collect();
        let invariants: Vec<&At<String>> = self.model.invariants.iter().map(|(n, _)| n).collect();
        let expect = &self.model.expect;
        for at in expect.fails.iter().chain(&expect.may_fail).chain(&expect.vacuous) {
            let (invariant, threshold) = (format!("invariants.{}", at.value), format!("thresholds.{}", at.value));
            let told = self.broken(&[&invariant, &threshold]);
            if !promises.iter().any(|p| p.value == at.value) && !told {
                let known = promises.iter().map(|p| (p.value.as_str(), Some(p.place)));
                self.unknown(at.place, &at.value, "invariant or threshold", &known);
            }
        }
        for at in &self.model.run.abort_on_fail {
            let told = self.broken(&[&format!("invariants.{}", at.value)]);
            if !invariants.iter().any(|p| p.value == at.value) && !told {
                let known = invariants.iter().map(|p| (p.value.as_str(), Some(p.place)));
                self.unknown(at.place, &at.value, "invariant", &known);
            }
        }
        for at in expect.may_fail.iter().filter(|m| expect.fails.iter().any(|f| f.value == m.value)) {
            let label = "it stands in `fails` too, where it must";
            self.errors.push(Diagnostic::error(at.place, format!("`{}` may fail and must fail", at.value), label));
        }
        if let (Expected::Pass, Some(first), false) =
            (expect.verdict, expect.fails.first(), self.broken(&["expect.verdict"]))
        {
            let label = "a run in which this fails is no `pass`";
            let error = Diagnostic::error(first.place, "the expectation contradicts itself", label);
            self.errors.push(error.help("write `verdict = \"fail\"`"));
        }
        self.chaos();
        if let SweepVariants::Named(named) = &self.model.sweep.variants {
            for at in named.iter().filter(|n| self.model.variants.iter().all(|v| v.value != n.value)) {
                let known = self.model.variants.iter().map(|v| (v.value.as_str(), Some(v.place)));
                self.unknown(at.place, &at.value, "variant", &known);
            }
        }
    }
}
