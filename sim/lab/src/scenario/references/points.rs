//! Whose points a fault waits for: a transaction, an op, a consumer, a queue, a saga or one of its steps.

use super::super::diagnostic::Diagnostic;
use super::super::nearest::{listed, nearest};
use super::super::values::clip;
use super::{Checker, find, names};
use crate::model::At;

impl<'a> Checker<'a> {
    /// `of` of a fault that waits for this point.
    pub(super) fn point_of(&mut self, of: &'a At<String>, point: &str) {
        let protocol = point.split('.').next().unwrap_or("");
        match protocol {
            "saga" => self.saga_or_step(of),
            "broker" => self.queue_or_topic(of),
            "service" | "outbox" | "consumer" => self.part_of_service(of, protocol),
            _ if !protocol.contains('*') => {
                self.transaction_at(of, "has no such points", "whose point? A path like `transactions.transfer`");
            }
            // Any protocol: the path says which.
            _ => match of.value.split('.').next() {
                Some("transactions") => self.transaction_at(of, "has no such points", ""),
                Some("sagas") => self.saga_or_step(of),
                Some("queues" | "topics") => self.queue_or_topic(of),
                Some(_) | None => self.part_of_service(of, "service"),
            },
        }
    }

    /// `sagas.x`.
    pub(super) fn saga_at(&mut self, of: &'a At<String>, why: &str, label: &str) {
        match of.value.split_once('.') {
            Some(("sagas", name)) if find(&self.model.sagas, name).is_some() => {}
            Some(("sagas", name)) => {
                let at = At { value: name.to_owned(), place: self.inside(of, &("sagas.".len()..of.value.len())) };
                self.unknown_in(&at, "saga", &self.model.sagas);
            }
            Some(_) | None if of.value.is_empty() => {}
            Some(_) | None => {
                let message = format!("`{}` {why}", clip(&of.value));
                self.errors.push(Diagnostic::error(of.place, message, label));
            }
        }
    }

    /// `sagas.x` or `sagas.x.charge`.
    fn saga_or_step(&mut self, of: &'a At<String>) {
        let label = "whose point? A path like `sagas.checkout` or `sagas.checkout.charge`";
        let mut parts = of.value.splitn(3, '.');
        let (Some("sagas"), Some(saga), Some(step)) = (parts.next(), parts.next(), parts.next()) else {
            return self.saga_at(of, "has no such points", label);
        };
        let start = "sagas.".len() + saga.len();
        let Some((name, saga)) = find(&self.model.sagas, saga) else {
            let at = At { value: saga.to_owned(), place: self.inside(of, &("sagas.".len()..start)) };
            return self.unknown_in(&at, "saga", &self.model.sagas);
        };
        let steps = || saga.steps.iter().map(|step| step.name.value.as_str());
        if !steps().any(|known| known == step) {
            let place = self.inside(of, &(start + 1..of.value.len()));
            let message = format!("the saga `{}` has no step `{}`", name.value, clip(step));
            let error = Diagnostic::error(place, message, format!("it has {}", listed(steps(), 12)));
            let near = nearest(step, steps()).map(|near| format!("did you mean `{near}`?"));
            self.errors.push(error.also(name.place, "this saga").maybe_help(near));
        }
    }

    fn queue_or_topic(&mut self, of: &'a At<String>) {
        match of.value.split_once('.') {
            Some(("queues", name)) => {
                if find(&self.model.queues, name).is_none() {
                    let at = At { value: name.to_owned(), place: self.inside(of, &("queues.".len()..of.value.len())) };
                    self.unknown_in(&at, "queue", &self.model.queues);
                }
            }
            Some(("topics", name)) => {
                if find(&self.model.topics, name).is_none() {
                    let at = At { value: name.to_owned(), place: self.inside(of, &("topics.".len()..of.value.len())) };
                    self.unknown_in(&at, "topic", &self.model.topics);
                }
            }
            Some(_) | None => {
                let message = format!("`{}` has no such points", clip(&of.value));
                let label = "whose point? A path like `queues.order_events`";
                self.errors.push(Diagnostic::error(of.place, message, label));
            }
        }
    }

    /// `orders`, `orders.place`, or the consumer `orders.on_payment`.
    fn part_of_service(&mut self, of: &'a At<String>, protocol: &str) {
        let (service, part) = of.value.split_once('.').map_or((of.value.as_str(), None), |(s, p)| (s, Some(p)));
        let Some((name, body)) = find(&self.model.services, service) else {
            let at = At { value: service.to_owned(), place: self.inside(of, &(0..service.len())) };
            return self.unknown_in(&at, "service", &self.model.services);
        };
        let Some(part) = part else { return };
        let consumers = || names(&body.consumers);
        let ops = || names(&body.ops).filter(|_| protocol != "consumer");
        if !ops().chain(consumers()).any(|known| known == part) {
            let place = self.inside(of, &(service.len() + 1..of.value.len()));
            let what = if protocol == "consumer" { "consumer" } else { "op or consumer" };
            let message = format!("`{service}` has no {what} `{}`", clip(part));
            let label = match listed(ops().chain(consumers()), 12) {
                known if known.is_empty() => "it has none".to_owned(),
                known => format!("it has {known}"),
            };
            let near = nearest(part, ops().chain(consumers())).map(|near| format!("did you mean `{service}.{near}`?"));
            let error = Diagnostic::error(place, message, label);
            self.errors.push(error.also(name.place, "this service").maybe_help(near));
        }
    }
}
