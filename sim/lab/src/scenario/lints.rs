//! What is allowed and yet probably not meant. Few, and each with its numbers.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Span;

use super::diagnostic::Diagnostic;
use super::targets::variables;
use super::values::{duration, write_duration};
use crate::model::{
    Call, Change, Disk, Form, Limit, Load, LockMode, Model, Place, Service, Step, Transport, Trigger, Verb,
};

/// Calls within calls that are followed.
const DEPTH_MAX: usize = 64;

/// Calls followed in all.
const VISITS_MAX: usize = 100_000;

/// Looks for them in a model without errors.
pub(super) fn check(model: &Model) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    let flow = Flow::of(model);
    for cycle in &flow.cycles {
        let label = "each call waits for the next; no request ever ends";
        warnings.push(Diagnostic::warning(cycle.1, format!("a cycle of calls: {}", cycle.0), label));
    }
    if flow.cycles.is_empty() && flow.complete {
        utilisation(model, &flow, &mut warnings);
        unused(model, &flow, &mut warnings);
    }
    at_rest(model, &mut warnings);
    locks(model, &mut warnings);
    cut_by_heal(model, &mut warnings);
    links(model, &mut warnings);
    precision(model, &mut warnings);
    clocks(model, &mut warnings);
    disks(model, &mut warnings);
    traces(model, &mut warnings);
    warnings
}

/// Times of a trace after its workload has stopped.
fn traces(model: &Model, warnings: &mut Vec<Diagnostic>) {
    for (name, workload) in &model.workloads {
        let Load::Trace(times) = &workload.load else { continue };
        let late = times.iter().filter(|at| **at >= workload.stop).count();
        if late > 0 {
            let label = format!("{late} of {} times are not before {}", times.len(), write_duration(workload.stop.0));
            let message = format!("a part of the trace of `{}` is left out", name.value);
            warnings.push(Diagnostic::warning(name.place, message, label));
        }
    }
}

/// Whether anything reads the clock of this service: a transaction that it coordinates.
pub(super) fn reads_clock(model: &Model, service: &str) -> bool {
    let reads = |step: &Step| {
        let texts: Vec<&str> = match &step.verb {
            Verb::Update(update) => {
                let (Change::Add(change) | Change::Set(change)) = &update.change;
                let guard = update.guard.iter().map(|text| text.value.as_str());
                [update.row.key.value.as_str(), &change.value].into_iter().chain(guard).collect()
            }
            Verb::Read(row) => vec![&row.key.value],
            Verb::Work(_) | Verb::Sleep(_) | Verb::Call(_) | Verb::Fail(_) => Vec::new(),
        };
        texts.iter().any(|text| variables(text).iter().any(|(name, _)| *name == "now"))
    };
    let mut own = model.transactions.iter().filter(|(_, t)| t.coordinator.value == service);
    own.any(|(_, transaction)| transaction.work.iter().any(reads))
}

/// A clock that is set wrong, and nobody looks.
fn clocks(model: &Model, warnings: &mut Vec<Diagnostic>) {
    for (name, service) in &model.services {
        if duration(&service.offset.text) != Ok(0) && !reads_clock(model, &name.value) {
            let label =
                format!("no transaction that `{}` coordinates says `$now`; timers go by `drift` alone", name.value);
            warnings.push(Diagnostic::warning(service.offset.place, "nothing reads this clock", label));
        }
    }
}

/// A disk that is described, and nothing ever writes to it.
fn disks(model: &Model, warnings: &mut Vec<Diagnostic>) {
    let writes = |name: &str| {
        model.transactions.iter().any(|(_, transaction)| {
            let owner = |step: &Step| match &step.verb {
                Verb::Update(update) => update.row.owner == name,
                Verb::Read(row) => row.owner == name,
                Verb::Work(_) | Verb::Sleep(_) | Verb::Call(_) | Verb::Fail(_) => false,
            };
            transaction.coordinator.value == name || transaction.work.iter().any(owner)
        })
    };
    for (name, service) in &model.services {
        let Disk { fsync, throughput, group_commit, capacity } = &service.disk;
        let free = duration(&fsync.text) == Ok(0)
            && (*throughput, *capacity) == (Limit::Unlimited, Limit::Unlimited)
            && *group_commit == Span::ZERO;
        if !free && !writes(&name.value) {
            let label =
                format!("`{}` takes part in no transaction, and nothing else writes in this version", name.value);
            warnings.push(Diagnostic::warning(fsync.place, "nothing is written to this disk", label));
        }
    }
}

fn precision(model: &Model, warnings: &mut Vec<Diagnostic>) {
    if let (Some(precision), Some((from, to))) = (&model.run.precision, model.sweep.seeds) {
        let label = format!("`sweep.seeds` says how many: {from}..{to}; what they come to is reported");
        warnings.push(Diagnostic::warning(
            precision.place,
            "`run.precision` does not decide how many seeds run",
            label,
        ));
    }
}

/// Which ops are called how often.
struct Flow<'a> {
    /// `service.op` → calls per second by open workloads.
    per_second: BTreeMap<String, f64>,
    /// `service.op` and `transactions.t` that any workload reaches.
    reached: BTreeSet<String>,
    cycles: Vec<(String, Place)>,
    /// Nothing was left out.
    complete: bool,
    visits: usize,
    model: &'a Model,
}

impl<'a> Flow<'a> {
    fn of(model: &'a Model) -> Self {
        let (per_second, reached) = (BTreeMap::new(), BTreeSet::new());
        let mut flow = Self { per_second, reached, cycles: Vec::new(), complete: true, visits: 0, model };
        for (_, workload) in &model.workloads {
            let rate = match &workload.load {
                Load::Rate { per_second, .. } => *per_second,
                Load::Users { .. } | Load::Trace(_) => 0.0,
            };
            flow.call(&workload.call, rate, &mut Vec::new());
        }
        flow
    }

    fn call(&mut self, call: &Call, rate: f64, stack: &mut Vec<String>) {
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
        for step in steps_of(model, &target) {
            if let Verb::Call(call) = &step.verb {
                self.call(call, rate * step.chance, stack);
            }
        }
        stack.pop();
    }

    fn service(&self, name: &str) -> Option<&'a Service> {
        self.model.services.iter().find(|(n, _)| n.value == name).map(|(_, s)| s)
    }
}

fn steps_of<'a>(model: &'a Model, callee: &str) -> &'a [Step] {
    let Some((service, op)) = callee.split_once('.') else { return &[] };
    let service = model.services.iter().find(|(n, _)| n.value == service);
    let op = service.and_then(|(_, s)| s.ops.iter().find(|(n, _)| n.value == op));
    op.map_or(&[], |(_, op)| &op.steps)
}

/// Work that arrives per second against workers: a lower bound, since blocking calls hold workers too.
fn utilisation(model: &Model, flow: &Flow<'_>, warnings: &mut Vec<Diagnostic>) {
    for (name, service) in &model.services {
        let Some(workers) = service.workers else { continue };
        let mut busy = 0.0;
        for (op, body) in &service.ops {
            let rate = flow.per_second.get(&format!("{}.{}", name.value, op.value)).copied().unwrap_or(0.0);
            let work = |step: &Step| match &step.verb {
                Verb::Work(work) => step.chance * work.law.mean() / 1e9,
                Verb::Sleep(_) | Verb::Call(_) | Verb::Fail(_) | Verb::Update(_) | Verb::Read(_) => 0.0,
            };
            busy += rate * body.steps.iter().map(work).sum::<f64>();
        }
        let servers = f64::from(service.nodes) * f64::from(workers);
        // Rounding must not turn a load of exactly 1 into one just below it.
        if busy >= servers * (1.0 - 1e-9) && busy > 0.0 {
            let percent = (busy / servers * 100.0).round();
            let label = format!("{busy:.3} s of work arrive per second for {servers} workers: {percent}%");
            let then = match service.queue.capacity {
                None => "its queue grows without bound",
                Some(_) => "its queue is full most of the time, and it refuses requests",
            };
            let message = format!("`{}` is overloaded: {then}", name.value);
            warnings.push(Diagnostic::warning(name.place, message, label));
        }
    }
}

fn unused(model: &Model, flow: &Flow<'_>, warnings: &mut Vec<Diagnostic>) {
    let in_transactions: BTreeSet<&str> = model
        .transactions
        .iter()
        .flat_map(|(_, t)| {
            let owners = t.work.iter().filter_map(|s| match &s.verb {
                Verb::Update(update) => Some(update.row.owner.as_str()),
                Verb::Read(row) => Some(row.owner.as_str()),
                Verb::Work(_) | Verb::Sleep(_) | Verb::Call(_) | Verb::Fail(_) => None,
            });
            owners.chain([t.coordinator.value.as_str()])
        })
        .collect();
    for (name, service) in &model.services {
        let called = |op: &str| flow.reached.contains(&format!("{}.{op}", name.value));
        let used = service.ops.iter().any(|(op, _)| called(&op.value)) || in_transactions.contains(name.value.as_str());
        if !used {
            let message = format!("nobody calls `{}`", name.value);
            warnings.push(Diagnostic::warning(name.place, message, "no workload reaches this service"));
            continue;
        }
        for (op, _) in service.ops.iter().filter(|(op, _)| !called(&op.value)) {
            let message = format!("nobody calls `{}.{}`", name.value, op.value);
            warnings.push(Diagnostic::warning(op.place, message, "no workload reaches this op"));
        }
    }
    for (name, _) in &model.transactions {
        if !flow.reached.contains(&format!("transactions.{}", name.value)) {
            let message = format!("nobody calls `transactions.{}`", name.value);
            warnings.push(Diagnostic::warning(name.place, message, "no workload reaches this transaction"));
        }
    }
}

fn at_rest(model: &Model, warnings: &mut Vec<Diagnostic>) {
    let open = model.workloads.iter().any(|(_, w)| matches!(w.load, Load::Rate { .. }));
    for (name, invariant) in &model.invariants {
        if let (Form::AtRest(_), 0, true) = (&invariant.form, model.run.quiesce.0, open) {
            let label = "with `run.quiesce = \"0s\"` the run may never come to rest";
            let message = format!("`{}` may never be evaluated", name.value);
            warnings.push(Diagnostic::warning(name.place, message, label).help("for example `run.quiesce = \"30s\"`"));
        }
    }
}

fn locks(model: &Model, warnings: &mut Vec<Diagnostic>) {
    for (name, transaction) in &model.transactions {
        let Some(timeout) = transaction.locks.timeout.filter(|_| transaction.locks.mode == LockMode::Exclusive) else {
            continue;
        };
        if timeout >= transaction.prepare_timeout {
            let (lock, prepare) = (write_duration(timeout.0), write_duration(transaction.prepare_timeout.0));
            let label = format!("`locks.timeout` is {lock}, `prepare_timeout` is {prepare}");
            let message = format!("`{}` gives up before a lock does", name.value);
            warnings.push(Diagnostic::warning(name.place, message, label));
        }
    }
}

/// Keys of links that cannot have an effect.
fn links(model: &Model, warnings: &mut Vec<Diagnostic>) {
    let base = &model.network;
    for link in core::iter::once(base).chain(model.links.iter().map(|(_, link)| link)) {
        let transport = link.transport.or(base.transport);
        let ordered = !matches!(transport, Some(Transport::Udp | Transport::Http1));
        if let Some(reorder) = link.reorder.as_ref().filter(|reorder| ordered && reorder.value > 0.0) {
            let label = "one connection puts messages in order again; `udp` and `http1` do not";
            warnings.push(Diagnostic::warning(reorder.place, "`reorder` has no effect here", label));
        }
        let unlimited = link.bandwidth.or(base.bandwidth).is_none_or(|bandwidth| bandwidth == Limit::Unlimited);
        if let Some(buffer) = link.buffer.as_ref().filter(|b| unlimited && b.value != Limit::Unlimited) {
            let label = "nothing waits where `bandwidth` is unlimited";
            warnings.push(Diagnostic::warning(buffer.place, "`buffer` has no effect here", label));
        }
    }
}

fn cut_by_heal(model: &Model, warnings: &mut Vec<Diagnostic>) {
    for (name, fault) in &model.faults {
        let at = match &fault.trigger {
            Trigger::At(at) => duration(&at.text).ok(),
            Trigger::Every(_) | Trigger::Rate(_) | Trigger::Point { .. } | Trigger::After { .. } | Trigger::Always => {
                None
            }
        };
        let length = fault.length.as_ref().and_then(|l| duration(&l.text).ok());
        if let (Some(at), Some(length)) = (at, length) {
            let heal = model.run.heal.0;
            if at + length > heal {
                let (end, heal) = (write_duration(at + length), write_duration(heal));
                let label = format!("it would end at {end}; every fault is revoked at {heal} (`run.heal`)");
                let message = format!("`{}` is cut short", name.value);
                warnings.push(Diagnostic::warning(name.place, message, label));
            }
        }
    }
}
