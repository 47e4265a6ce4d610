//! What sagas name: coordinators, ops, events, rows.

use std::collections::BTreeSet;

use super::super::diagnostic::Diagnostic;
use super::super::nearest::{listed, nearest};
use super::super::values::clip;
use super::{Checker, find};
use crate::model::{At, Call, DestinationKind, Saga, SagaStep, SagaStyle, Value, all_steps};

impl<'a> Checker<'a> {
    pub(super) fn sagas(&mut self) {
        for (name, saga) in &self.model.sagas {
            let path = format!("sagas.{}", name.value);
            if let Some(coordinator) = &saga.coordinator
                && find(&self.model.services, &coordinator.value).is_none()
            {
                self.unknown_in(coordinator, "service", &self.model.services);
            }
            if let Some(topic) = &saga.topic
                && find(&self.model.topics, &topic.value).is_none()
            {
                self.unknown_in(topic, "topic", &self.model.topics);
            }
            if let Some(trigger) = &saga.trigger {
                let at = At { value: trigger.from.name.clone(), place: trigger.from.place };
                match trigger.from.kind {
                    DestinationKind::Topic if find(&self.model.topics, &at.value).is_none() => {
                        self.unknown_in(&at, "topic", &self.model.topics);
                    }
                    DestinationKind::Queue if find(&self.model.queues, &at.value).is_none() => {
                        self.unknown_in(&at, "queue", &self.model.queues);
                    }
                    DestinationKind::Topic | DestinationKind::Queue | DestinationKind::Exchange => {}
                }
            }
            if let Some(subject) = &saga.subject {
                self.map(subject, None);
            }
            let whole = !self.broken.iter().any(|broken| broken.starts_with(&path));
            if whole && saga.isolation.others.is_some() && saga.isolation.keys.is_empty() {
                let message = format!("`{path}.isolation` has no `keys`");
                let error = Diagnostic::error(saga.place, message, "which rows are marked while it is open?");
                self.errors.push(error.help("for example `keys = [\"hotel.rooms[$room]\"]`"));
            }
            for row in &saga.isolation.keys {
                self.row(row, None, None);
            }
            for call in saga.calls() {
                self.op_of_saga(call);
            }
            self.pivots(saga);
            if saga.style == SagaStyle::Choreographed && whole {
                self.events(name, saga);
            }
        }
    }

    /// A step is one op, so that it is done or not done.
    fn op_of_saga(&mut self, call: &'a Call) {
        if call.target.value.starts_with("sagas.") || call.target.value.starts_with("transactions.") {
            let label = "a step of a saga is an op: \"payment.charge\"";
            let message = format!("`{}` is no op", clip(&call.target.value));
            self.errors.push(Diagnostic::error(call.target.place, message, label));
            return;
        }
        self.callee(call);
        for (variable, _) in &call.with {
            self.not_built_in(variable);
        }
    }

    fn pivots(&mut self, saga: &'a Saga) {
        let mut pivots = saga.steps.iter().filter(|step| step.pivot);
        if let (Some(first), Some(second)) = (pivots.next(), pivots.next()) {
            let error = Diagnostic::error(second.place, "a saga has one pivot", "the second");
            self.errors.push(error.also(first.place, "the first"));
        }
    }

    /// Every step of a choreographed saga waits for an event that somebody emits.
    fn events(&mut self, name: &'a At<String>, saga: &'a Saga) {
        let emitted = self.emitted(saga);
        for step in &saga.steps {
            if step.on.is_empty() {
                let message = format!("the step `{}` of `{}` never begins", step.name.value, name.value);
                let label = "`on` is missing: which event begins it?";
                self.errors.push(Diagnostic::error(step.place, message, label));
            }
            for event in step.on.iter().chain(&step.compensate_on) {
                if emitted.contains(event.value.as_str()) {
                    continue;
                }
                let known = || emitted.iter().copied();
                let label = format!("there are {}", listed(known(), 12));
                let error = Diagnostic::error(event.place, format!("nobody emits `{}`", clip(&event.value)), label);
                let near = nearest(&event.value, known()).map(|near| format!("did you mean `{near}`?"));
                self.errors.push(error.maybe_help(near));
            }
            if step.compensate.is_some() && step.compensate_on.is_empty() {
                let message = format!("the step `{}` of `{}` is never undone", step.name.value, name.value);
                let label = "`compensate_on` is missing: which event makes it undo what it did?";
                self.errors.push(Diagnostic::error(step.place, message, label));
            }
            self.outbox_of(step);
        }
    }

    /// Types of the trigger, of steps, and of what others send to the saga's topic.
    fn emitted(&self, saga: &'a Saga) -> BTreeSet<&'a str> {
        let mut emitted: BTreeSet<&str> = BTreeSet::new();
        emitted.extend(saga.trigger.as_ref().and_then(|t| t.kind.as_ref()).map(|kind| kind.value.as_str()));
        let steps = saga.steps.iter().flat_map(|step| [&step.emits, &step.emits_on_failure]);
        emitted.extend(steps.flatten().map(|event| event.value.as_str()));
        let topic = saga.topic.as_ref().map_or("", |topic| topic.value.as_str());
        for (_, service) in &self.model.services {
            let ops = service.ops.iter().map(|(_, op)| &op.steps);
            for steps in ops.chain(service.consumers.iter().map(|(_, consumer)| &consumer.steps)) {
                let sent = all_steps(steps).into_iter().filter_map(|step| step.verb.message());
                for message in sent.filter(|m| m.to.kind == DestinationKind::Topic && m.to.name == topic) {
                    if let Some(At { value: Value::Text(parts), .. }) = &message.kind
                        && let [crate::model::TextPart::Literal(word)] = parts.as_slice()
                    {
                        emitted.insert(word);
                    }
                }
            }
        }
        emitted
    }

    /// An event is written with what the action changes.
    fn outbox_of(&mut self, step: &'a SagaStep) {
        if step.emits.is_none() && step.emits_on_failure.is_none() {
            return;
        }
        let service = step.action.target.value.split('.').next().unwrap_or("");
        let Some((name, body)) = find(&self.model.services, service) else { return };
        if body.outbox.is_none() && !self.broken(&[&format!("services.{service}.outbox")]) {
            let message = format!("`{service}` has no `outbox`");
            let label = "how do the events of this step leave?";
            let error = Diagnostic::error(step.action.target.place, message, label).also(name.place, "this service");
            self.errors.push(error.help("for example `outbox = { relay = \"poll\" }`"));
        }
    }
}
