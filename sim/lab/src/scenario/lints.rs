//! What is allowed and yet probably not meant. Few, and each with its numbers.

mod calls;
mod flow;

use std::collections::BTreeSet;

use kernel::Span;

use super::diagnostic::Diagnostic;
use super::targets::variables;
use super::values::{duration, write_duration};
use crate::model::{
    Destination, DestinationKind, Disk, Form, Limit, Load, LockMode, Model, Step, Transport, Trigger, Verb,
};
use flow::Flow;

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
        calls::check(model, &mut warnings);
    }
    queues(model, &mut warnings);
    sagas(model, &mut warnings);
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
        let texts = step.verb.expressions();
        texts.iter().any(|text| variables(&text.value).iter().any(|(name, _)| *name == "now"))
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
            let owner = |step: &Step| step.verb.row().is_some_and(|row| row.owner == name);
            transaction.coordinator.value == name || transaction.work.iter().any(owner)
        })
    };
    for (name, service) in &model.services {
        let Disk { fsync, throughput, group_commit, capacity } = &service.disk;
        let free = duration(&fsync.text) == Ok(0)
            && (*throughput, *capacity) == (Limit::Unlimited, Limit::Unlimited)
            && *group_commit == Span::ZERO;
        let log = !service.state.is_empty() || service.outbox.is_some();
        let log = log || model.sagas.iter().any(|(_, s)| s.coordinator.as_ref().is_some_and(|c| c.value == name.value));
        if !free && !log && !writes(&name.value) {
            let label = format!("`{}` has no state, and takes part in no transaction", name.value);
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

/// Work that arrives per second against workers: a lower bound, since blocking calls hold workers too.
fn utilisation(model: &Model, flow: &Flow<'_>, warnings: &mut Vec<Diagnostic>) {
    for (name, service) in &model.services {
        let Some(workers) = service.workers else { continue };
        let mut busy = 0.0;
        for (op, body) in &service.ops {
            let rate = flow.per_second.get(&format!("{}.{}", name.value, op.value)).copied().unwrap_or(0.0);
            let work = |step: &Step| {
                if let Verb::Work(work) = &step.verb { step.chance * work.law.mean() / 1e9 } else { 0.0 }
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
            let owners = t.work.iter().filter_map(|s| Some(s.verb.row()?.owner.as_str()));
            owners.chain([t.coordinator.value.as_str()])
        })
        .collect();
    let coordinates = |service: &str| {
        model.sagas.iter().any(|(_, saga)| saga.coordinator.as_ref().is_some_and(|c| c.value == service))
    };
    for (name, service) in &model.services {
        let called = |op: &str| flow.reached.contains(&format!("{}.{op}", name.value));
        let used = service.ops.iter().any(|(op, _)| called(&op.value))
            || !service.consumers.is_empty()
            || coordinates(&name.value)
            || in_transactions.contains(name.value.as_str());
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
    for (name, saga) in &model.sagas {
        if !flow.reached.contains(&format!("sagas.{}", name.value)) {
            let label = match &saga.trigger {
                Some(_) => "no workload leads to a message of its `trigger`",
                None => "it has no `trigger`, and nobody calls it",
            };
            let message = format!("nothing begins `sagas.{}`", name.value);
            warnings.push(Diagnostic::warning(name.place, message, label));
        }
    }
}

/// Messages that stay where they are.
fn queues(model: &Model, warnings: &mut Vec<Diagnostic>) {
    for (name, _) in &model.queues {
        let here = |to: &Destination| to.kind == DestinationKind::Queue && to.name == name.value;
        let consumers = model.services.iter().flat_map(|(_, service)| &service.consumers);
        let taken = consumers.map(|(_, consumer)| &consumer.from);
        let sagas = model.sagas.iter().filter_map(|(_, saga)| saga.trigger.as_ref()).map(|trigger| &trigger.from);
        let dead = model.queues.iter().filter_map(|(_, queue)| queue.dead_letter.as_ref()).map(|dead| &dead.to);
        if !taken.chain(sagas).chain(dead).any(here) {
            let message = format!("nobody takes from `queues.{}`", name.value);
            let label = "no consumer, no saga; and no queue sends its dead letters here";
            warnings.push(Diagnostic::warning(name.place, message, label));
        }
    }
}

/// Steps before the pivot that nothing undoes.
fn sagas(model: &Model, warnings: &mut Vec<Diagnostic>) {
    for (name, saga) in &model.sagas {
        let Some(pivot) = saga.steps.iter().position(|step| step.pivot) else { continue };
        for step in saga.steps[..pivot].iter().filter(|step| step.compensate.is_none()) {
            let message = format!("nothing undoes the step `{}` of `{}`", step.name.value, name.value);
            let label = format!("it has no `compensate`, and the pivot is `{}`", saga.steps[pivot].name.value);
            warnings.push(Diagnostic::warning(step.place, message, label).also(saga.steps[pivot].place, "the pivot"));
        }
    }
}

fn at_rest(model: &Model, warnings: &mut Vec<Diagnostic>) {
    let open = model.workloads.iter().any(|(_, w)| matches!(w.load, Load::Rate { .. }));
    for (name, invariant) in &model.invariants {
        if let (Form::AtRest { .. }, 0, true) = (&invariant.form, model.run.quiesce.0, open) {
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
            Trigger::Every(_)
            | Trigger::Rate(_)
            | Trigger::Point { .. }
            | Trigger::After { .. }
            | Trigger::Always
            | Trigger::Listed(_) => None,
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
