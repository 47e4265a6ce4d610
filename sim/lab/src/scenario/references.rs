//! The second pass: do the names mean something, do the times fit together? Errors show both ends.
//!
//! It reads the model only. A stand-in of the first pass is an empty name or a path in `broken`; neither is told twice.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::{Diagnostic, Source};
use super::leaf::inside_text;
use super::nearest::{listed, nearest};
use super::resolve::PHASES;
use super::targets::{variables, write_target};
use super::tree::Node;
use super::values::{clip, write_duration};
use crate::model::{
    At, Call, Change, Expected, Fault, FaultKind, Form, LinkEnds, Model, Named, Otherwise, Pick, Place, Row, State, Step,
    SweepVariants, Target, TargetKind, Trigger, Verb,
};

/// Request variables that are always there.
const BUILT_IN: [&str; 5] = ["id", "attempt", "client", "unique", "now"];

/// Looks at every reference of the model.
pub(super) fn check(sources: &[Source], complete: &Node, model: &Model, broken: &BTreeSet<String>) -> Vec<Diagnostic> {
    let mut checker = Checker { sources, complete, model, broken, errors: Vec::new() };
    checker.times();
    checker.world();
    checker.ops();
    checker.transactions();
    checker.workloads();
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
        known: impl Iterator<Item = (&'n str, Option<Place>)> + Clone,
    ) {
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
            self.unknown(at.place, &at.value, what, named.iter().map(|(n, _)| (n.value.as_str(), Some(n.place))));
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
                let label = format!("`run.heal` is {heal}; it lies between `run.warmup` ({from}) and `run.duration` ({to})");
                let place = self.run_place("heal");
                self.errors.push(Diagnostic::error(place, "the faults heal outside of the run", label));
            }
        }
    }

    fn world(&mut self) {
        let place = Place::default();
        if self.model.services.is_empty() && !self.broken(&["services"]) {
            let error = Diagnostic::error(place, "nothing serves requests", "a scenario has at least one service");
            self.errors.push(error.help("for example: [services.server] with `work = \"exp(5ms)\"`"));
        }
        if self.model.workloads.is_empty() && !self.broken(&["workloads"]) {
            let error = Diagnostic::error(place, "nothing asks for anything", "a scenario has at least one workload");
            self.errors.push(error.help("for example: [workloads.load] with `rate = \"100/s\"` and `target = \"server\"`"));
        }
        for (name, service) in &self.model.services {
            let path = format!("services.{}", name.value);
            let told = self.broken.iter().any(|b| b.starts_with(&path));
            if service.ops.is_empty() && service.state.is_empty() && !told && !self.coordinates(&name.value) {
                let label = "no `work`, no `steps`, no `ops`, no `state`";
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
        self.model.transactions.iter().any(|(_, t)| t.coordinator.value == service)
    }

    fn ops(&mut self) {
        for (service_name, service) in &self.model.services {
            for (_, op) in &service.ops {
                for step in &op.steps {
                    self.step(step, Some(&service_name.value));
                }
            }
        }
    }

    fn step(&mut self, step: &'a Step, owner: Option<&str>) {
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

    fn otherwise(&mut self, otherwise: &'a Otherwise) {
        if let Otherwise::Word(word) = otherwise {
            self.error_word(word);
        }
    }

    /// Business errors must not be called like system errors.
    fn error_word(&mut self, word: &At<String>) {
        let system = ["timeout", "unavailable", "overload", "breaker_open", "no_leader", "not_enough_replicas", "corrupt"];
        if system.contains(&word.value.as_str()) {
            let label = "system errors happen, they are not chosen; business errors have words of their own";
            self.errors.push(Diagnostic::error(word.place, format!("`{}` is a system error", word.value), label));
        }
    }

    fn callee(&mut self, call: &'a Call) {
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
    fn row(&mut self, row: &'a Row, owner: Option<&str>) {
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
            let label = match service.state.is_empty() {
                true => format!("`{whose}` has no state"),
                false => format!("`{whose}` has {}", listed(names(&service.state), 12)),
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

    fn transactions(&mut self) {
        for (name, transaction) in &self.model.transactions {
            let coordinator = &transaction.coordinator;
            if find(&self.model.services, &coordinator.value).is_none() {
                self.unknown_in(coordinator, "service", &self.model.services);
            }
            for step in &transaction.work {
                self.step(step, None);
                if let Verb::Update(update) = &step.verb {
                    if let Otherwise::Skip = update.otherwise {
                        let label = "a participant votes; it does not skip";
                        self.errors.push(Diagnostic::error(step.place, "`else = \"skip\"` in a transaction", label));
                    }
                }
            }
            let path = format!("transactions.{}", name.value);
            let told = self.broken.iter().any(|b| b.starts_with(&path));
            if transaction.work.is_empty() && !told {
                let message = format!("the transaction `{}` does nothing", name.value);
                self.errors.push(Diagnostic::error(name.place, message, "its `work` has no steps"));
            }
        }
    }

    fn workloads(&mut self) {
        for (name, workload) in &self.model.workloads {
            self.callee(&workload.call);
            let path = format!("workloads.{}", name.value);
            let told = self.broken.iter().any(|b| b.starts_with(&path)) || self.broken(&["run.duration"]);
            if workload.start >= workload.stop && !told {
                let (start, stop) = (write_duration(workload.start.0), write_duration(workload.stop.0));
                let label = format!("`start` is {start}, `stop` is {stop}");
                let message = format!("the workload `{}` ends before it begins", name.value);
                self.errors.push(Diagnostic::error(name.place, message, label));
            }
            for (variable, _) in &workload.vars {
                if BUILT_IN.contains(&variable.value.as_str()) {
                    let label = "this variable is built in";
                    let message = format!("`{}` cannot be set", variable.value);
                    self.errors.push(Diagnostic::error(variable.place, message, label));
                }
            }
        }
    }

    fn links(&mut self) {
        let mut seen: Vec<(String, String, Place)> = Vec::new();
        for (ends, _) in &self.model.links {
            self.link(ends);
            let (from, to) = (write_target(&ends.from), write_target(&ends.to));
            let mut ways = vec![(from.clone(), to.clone())];
            if ends.both {
                ways.push((to, from));
            }
            for (from, to) in ways {
                if let Some((_, _, first)) = seen.iter().find(|(a, b, _)| *a == from && *b == to) {
                    let message = format!("the link from `{from}` to `{to}` is said twice");
                    let error = Diagnostic::error(ends.place, message, "again").also(*first, "first");
                    self.errors.push(error);
                }
                seen.push((from, to, ends.place));
            }
        }
    }

    fn link(&mut self, ends: &'a LinkEnds) {
        for end in [&ends.from, &ends.to] {
            let fits = match &end.kind {
                TargetKind::Everything | TargetKind::Workload(_) => true,
                TargetKind::Nodes { pick: Pick::All | Pick::Numbers(_), .. } => true,
                TargetKind::Nodes { .. } | TargetKind::HitBy(_) | TargetKind::Others => false,
            };
            if fits {
                self.target(end, None);
            } else {
                let label = format!("`{}` depends on the seed or on a fault", write_target(end));
                self.errors.push(Diagnostic::error(end.place, "a link of the network is between fixed ends", label));
            }
        }
    }

    /// `fault`: which fault's target this is.
    fn target(&mut self, target: &'a Target, fault: Option<(&'a At<String>, &'a Fault)>) {
        match &target.kind {
            TargetKind::Everything | TargetKind::Others => {}
            TargetKind::Workload(name) => {
                if find(&self.model.workloads, name).is_none() {
                    let at = At { value: name.clone(), place: target.place };
                    self.unknown_in(&at, "workload", &self.model.workloads);
                }
            }
            TargetKind::HitBy(name) => {
                if find(&self.model.faults, name).is_none() {
                    let at = At { value: name.clone(), place: target.place };
                    self.unknown_in(&at, "fault", &self.model.faults);
                } else if fault.is_some_and(|(own, _)| own.value == *name) {
                    let label = "this is the fault itself";
                    self.errors.push(Diagnostic::error(target.place, "a fault cannot hit what it hit", label));
                }
            }
            TargetKind::Nodes { name, pick } => self.nodes(target.place, name, pick, fault),
        }
    }

    fn nodes(&mut self, place: Place, name: &str, pick: &Pick, fault: Option<(&'a At<String>, &'a Fault)>) {
        let Some((at, service)) = find(&self.model.services, name) else {
            if find(&self.model.workloads, name).is_some() {
                let error = Diagnostic::error(place, format!("there is no service `{name}`"), "a workload goes by its path");
                self.errors.push(error.help(format!("\"workloads.{name}\"")));
            } else {
                let known = self.model.services.iter().map(|(n, _)| (n.value.as_str(), Some(n.place)));
                self.unknown(place, name, "service", known);
            }
            return;
        };
        let wanted = match pick {
            Pick::Numbers(numbers) => numbers.iter().max().map_or(0, |n| n + 1),
            Pick::Any(count) => *count,
            Pick::All | Pick::Minority | Pick::Majority | Pick::Fraction(_) => 0,
            Pick::Same => {
                if fault.is_some_and(|(_, f)| !matches!(f.trigger, Trigger::Point { .. })) {
                    let label = "`[same]` is the node at which this fault's `point` was reached";
                    self.errors.push(Diagnostic::error(place, "this fault has no `point`", label));
                }
                0
            }
        };
        if wanted > service.nodes && !self.broken(&[&format!("services.{name}.nodes")]) {
            let label = match pick {
                Pick::Any(_) => format!("`{name}` has {}", nodes(service.nodes)),
                _ => format!("`{name}` has {}, numbered from 0", nodes(service.nodes)),
            };
            let error = Diagnostic::error(place, "there is no such node", label);
            self.errors.push(error.also(at.place, "this service"));
        }
    }

    fn fault(&mut self, name: &'a At<String>, fault: &'a Fault) {
        let path = format!("faults.{}", name.value);
        let kind_is_known = !self.broken(&[&path, &format!("{path}.kind")]);
        let told = |checker: &Self, key: &str| checker.broken(&[&format!("{path}.{key}")]);
        for target in &fault.targets {
            self.target(target, Some((name, fault)));
        }
        if kind_is_known {
            self.fault_kind(name, fault, told(self, "target") || told(self, "split"));
        }
        if let Some(phase) = find(&self.model.phases, &name.value) {
            let message = format!("`{}` is the name of a phase and of a fault", name.value);
            let error = Diagnostic::error(name.place, message, "a fault is a phase too");
            self.errors.push(error.also(phase.0.place, "the phase"));
        }
        if PHASES.contains(&name.value.as_str()) {
            let message = format!("`{}` is a reserved name", name.value);
            self.errors.push(Diagnostic::error(name.place, message, "this phase is always there"));
        }
        let heal = self.model.run.heal;
        let times_are_known = !self.broken(&["run", "run.heal", "run.duration"]);
        match &fault.trigger {
            Trigger::At(at) => {
                let constant = super::values::duration(&at.text).ok();
                if constant.is_some_and(|ns| ns >= heal.0) && times_are_known {
                    let label = format!("every fault is revoked at {} (`run.heal`)", write_duration(heal.0));
                    self.errors.push(Diagnostic::error(at.place, "this fault would strike after it is healed", label));
                }
            }
            Trigger::Point { of: Some(of), .. } => {
                self.transaction_at(of, "has no such points", "whose point? A path like `transactions.transfer`");
            }
            Trigger::After { fault: other, .. } => {
                if find(&self.model.faults, &other.value).is_none() {
                    self.unknown_in(other, "fault", &self.model.faults);
                }
            }
            Trigger::Point { of: None, .. } | Trigger::Every(_) | Trigger::Rate(_) | Trigger::Always => {}
        }
    }

    fn transaction_at(&mut self, of: &'a At<String>, why: &str, label: &str) {
        match of.value.split_once('.') {
            Some(("transactions", name)) if find(&self.model.transactions, name).is_some() => {}
            Some(("transactions", name)) => {
                let at = At { value: name.to_owned(), place: self.inside(of, &("transactions.".len()..of.value.len())) };
                self.unknown_in(&at, "transaction", &self.model.transactions);
            }
            Some(_) | None if of.value.is_empty() => {}
            Some(_) | None => {
                let message = format!("`{}` {why}", clip(&of.value));
                self.errors.push(Diagnostic::error(of.place, message, label));
            }
        }
    }

    fn fault_kind(&mut self, name: &'a At<String>, fault: &'a Fault, target_is_wrong: bool) {
        let mut needs = |missing: bool, what: &str, example: &str| {
            if missing && !target_is_wrong {
                let error = Diagnostic::error(name.place, format!("`faults.{}` hits nothing", name.value), what);
                self.errors.push(error.help(example));
            }
        };
        match &fault.kind {
            FaultKind::Crash { .. } | FaultKind::Pause => {
                needs(fault.targets.is_empty(), "`target` is missing: which nodes?", "for example `target = \"payment[any]\"`");
                self.only_services(fault);
            }
            FaultKind::Partition { split, .. } => {
                let help = "for example `split = [[\"kv[minority]\"]]`";
                needs(split.is_empty() && fault.targets.is_empty(), "`split` is missing: who is cut off from whom?", help);
                for target in split.iter().flatten() {
                    self.target(target, Some((name, fault)));
                }
            }
            FaultKind::Loss { links } => {
                for end in links.iter().flat_map(|l| [&l.from, &l.to]) {
                    self.target(end, Some((name, fault)));
                }
                if self.model_has_full_loss(name, fault) {
                    let label = "`chance` is missing: which share of the messages?";
                    let error = Diagnostic::error(name.place, format!("`faults.{}` loses everything", name.value), label);
                    self.errors.push(error.help("`chance = \"5%\"`; to cut links write `kind = \"partition\"`"));
                }
            }
        }
    }

    fn model_has_full_loss(&self, name: &At<String>, fault: &Fault) -> bool {
        (fault.chance - 1.0).abs() < f64::EPSILON && !self.broken(&[&format!("faults.{}.chance", name.value)])
    }

    /// Clients have no machine that could die.
    fn only_services(&mut self, fault: &'a Fault) {
        for target in &fault.targets {
            let no_machine = matches!(target.kind, TargetKind::Workload(_) | TargetKind::Everything);
            if no_machine {
                let label = "clients do not crash; name services";
                self.errors.push(Diagnostic::error(target.place, "this fault hits machines", label));
            }
        }
        if let FaultKind::Crash { .. } | FaultKind::Pause = fault.kind {
            for at in fault.targets.iter().filter(|t| matches!(t.kind, TargetKind::Others)) {
                let label = "`others` are those on no side of a partition";
                self.errors.push(Diagnostic::error(at.place, "there are no others here", label));
            }
        }
    }

    fn after_cycles(&mut self) {
        let next: BTreeMap<&str, (&str, Place)> = self
            .model
            .faults
            .iter()
            .filter_map(|(name, fault)| match &fault.trigger {
                Trigger::After { fault, .. } => Some((name.value.as_str(), (fault.value.as_str(), fault.place))),
                Trigger::At(_) | Trigger::Every(_) | Trigger::Rate(_) | Trigger::Point { .. } | Trigger::Always => None,
            })
            .collect();
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for start in next.keys() {
            let mut path = vec![*start];
            while let Some((following, place)) = next.get(path[path.len() - 1]) {
                if told.contains(following) {
                    break;
                }
                if following == start {
                    told.extend(path.iter());
                    path.push(start);
                    let label = format!("{} waits for itself", path.join(" → "));
                    self.errors.push(Diagnostic::error(*place, "these faults wait for each other", label));
                    break;
                }
                if path.contains(following) {
                    break;
                }
                path.push(following);
            }
        }
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
            if let Form::Check { of, .. } = &invariant.form {
                self.transaction_at(of, "cannot be judged", "which one is judged? A path like `transactions.transfer`");
            }
        }
    }

    fn expectations(&mut self) {
        let promises: Vec<&At<String>> = self
            .model
            .invariants
            .iter()
            .map(|(n, _)| n)
            .chain(self.model.thresholds.iter().map(|(n, _)| n))
            .collect();
        let invariants: Vec<&At<String>> = self.model.invariants.iter().map(|(n, _)| n).collect();
        let expect = &self.model.expect;
        for at in expect.fails.iter().chain(&expect.may_fail).chain(&expect.vacuous) {
            if !promises.iter().any(|p| p.value == at.value) && !self.broken.contains(&at.value) {
                let known = promises.iter().map(|p| (p.value.as_str(), Some(p.place)));
                self.unknown(at.place, &at.value, "invariant or threshold", known);
            }
        }
        for at in &self.model.run.abort_on_fail {
            if !invariants.iter().any(|p| p.value == at.value) {
                let known = invariants.iter().map(|p| (p.value.as_str(), Some(p.place)));
                self.unknown(at.place, &at.value, "invariant", known);
            }
        }
        for at in expect.may_fail.iter().filter(|m| expect.fails.iter().any(|f| f.value == m.value)) {
            let label = "it stands in `fails` too, where it must";
            self.errors.push(Diagnostic::error(at.place, format!("`{}` may fail and must fail", at.value), label));
        }
        if let (Expected::Pass, Some(first)) = (expect.verdict, expect.fails.first()) {
            if !self.broken(&["expect.verdict"]) {
                let label = "a run in which this fails is no `pass`";
                let error = Diagnostic::error(first.place, "the expectation contradicts itself", label);
                self.errors.push(error.help("write `verdict = \"fail\"`"));
            }
        }
        if let SweepVariants::Named(named) = &self.model.sweep.variants {
            for at in named.iter().filter(|n| self.model.variants.iter().all(|v| v.value != n.value)) {
                let known = self.model.variants.iter().map(|v| (v.value.as_str(), Some(v.place)));
                self.unknown(at.place, &at.value, "variant", known);
            }
        }
    }

    /// Which variables can be set where: every workload carries its own to all it calls.
    fn flow(&mut self) {
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
    fn canonical_callee(&self, target: &str) -> String {
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
                let known = || set.iter().copied().chain(BUILT_IN);
                let label = format!("nothing on any path to this step sets it; there are {}", listed(known(), 16));
                let error = Diagnostic::error(place, format!("the variable `${name}` is not set"), label);
                self.errors.push(error.maybe_help(nearest(name, known()).map(|near| format!("did you mean `${near}`?"))));
            }
        }
    }
}

fn nodes(count: u32) -> String {
    if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") }
}
