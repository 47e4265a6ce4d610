//! Sagas.

use super::policies::retry;
use super::{Reader, steps};
use crate::model::{
    At, Call, DecisionLog, DestinationKind, LockedOut, Saga, SagaIsolation, SagaRecovery, SagaStep, SagaStyle,
    SagaTrigger,
};

pub(super) fn saga(r: &Reader<'_>) -> Saga {
    let style = if r.text("style") == "choreographed" { SagaStyle::Choreographed } else { SagaStyle::Orchestrated };
    let mut all = r.list("steps", |step| saga_step(r, step, style));
    // The place of no return, where none is written: the first step that cannot be undone.
    if !all.iter().any(|step| step.pivot) {
        let first = all.iter_mut().find(|step| step.compensate.is_none());
        if let Some(step) = first.filter(|_| style == SagaStyle::Orchestrated) {
            step.pivot = true;
        }
    }
    Saga {
        style,
        coordinator: r.maybe_at("coordinator"),
        log: if r.text("log") == "memory" { DecisionLog::Memory } else { DecisionLog::Durable },
        trigger: r.node("trigger").and_then(|_| trigger(&r.below("trigger"))),
        steps: all,
        on_abort: r.node("on_abort").map(|_| r.below("on_abort")).map(|r| steps::call(&r, r.at("call"))),
        recovery: if r.text("recovery") == "forward" { SagaRecovery::Forward } else { SagaRecovery::Backward },
        topic: r.maybe_at("topic"),
        subject: r.item("subject"),
        inbox: r.truth("inbox"),
        isolation: r.node("isolation").map_or_else(SagaIsolation::default, |_| isolation(&r.below("isolation"))),
        place: r.key,
    }
}

fn trigger(r: &Reader<'_>) -> Option<SagaTrigger> {
    let queue = r.of_kind("queue", DestinationKind::Queue);
    let from = queue.or_else(|| r.of_kind("topic", DestinationKind::Topic))?;
    Some(SagaTrigger { from, kind: r.maybe_at("type") })
}

fn saga_step(saga: &Reader<'_>, r: &Reader<'_>, style: SagaStyle) -> SagaStep {
    let events = |key: &str| if style == SagaStyle::Choreographed { r.texts(key) } else { Vec::new() };
    let event = |key: &str| r.maybe_at(key).filter(|_| style == SagaStyle::Choreographed);
    let compensate =
        |target: At<String>| Call { retry: retry(saga, "compensation_retry"), breaker: None, ..steps::call(r, target) };
    SagaStep {
        name: r.at("name"),
        action: steps::call(r, r.at("action")),
        compensate: r.maybe_at("compensate").map(compensate),
        pivot: r.truth("pivot"),
        on: events("on"),
        emits: event("emits"),
        emits_on_failure: event("emits_on_failure"),
        compensate_on: events("compensate_on"),
        path: r.path.clone(),
        place: r.key,
    }
}

fn isolation(r: &Reader<'_>) -> SagaIsolation {
    let keys = r.texts("keys").iter().map(|at| r.row(at)).collect();
    let others = if r.text("others") == "wait" { LockedOut::Wait } else { LockedOut::Reject };
    SagaIsolation { keys, others: (r.text("kind") == "semantic_lock").then_some(others) }
}
