//! What queues, exchanges, topics, brokers and consumers name, and whether it fits together.

use std::collections::BTreeSet;

use super::super::diagnostic::Diagnostic;
use super::super::nearest::{listed, nearest};
use super::super::targets::DATABASE;
use super::super::values::clip;
use super::{Checker, find, names};
use crate::model::{
    At, Binding, Broker, BrokerKind, DeadLetter, Destination, DestinationKind, Named, Place, QueueOverflow,
};

const fn section(kind: DestinationKind) -> &'static str {
    match kind {
        DestinationKind::Queue => "queues",
        DestinationKind::Exchange => "exchanges",
        DestinationKind::Topic => "topics",
    }
}

impl<'a> Checker<'a> {
    pub(super) fn messaging(&mut self) {
        self.things_with_nodes();
        for (name, queue) in &self.model.queues {
            let path = format!("queues.{}", name.value);
            let broker = self.broker(&queue.broker, &path, BrokerKind::Amqp);
            self.copies(&path, queue.replicas, broker);
            self.bindings(&queue.bindings, &queue.broker);
            if let Some(dead) = &queue.dead_letter {
                self.dead_letter(name, dead);
            }
            if queue.overflow == QueueOverflow::DeadLetter && queue.dead_letter.is_none() && !self.broken(&[&path]) {
                let place = self.written(&path, "overflow").map_or(name.place, |node| node.place);
                let label = "`dead_letter` is missing: where do they go?";
                self.errors.push(Diagnostic::error(place, "this queue has no place for dead letters", label));
            }
        }
        for (name, exchange) in &self.model.exchanges {
            self.broker(&exchange.broker, &format!("exchanges.{}", name.value), BrokerKind::Amqp);
            self.bindings(&exchange.bindings, &exchange.broker);
        }
        for (name, topic) in &self.model.topics {
            let path = format!("topics.{}", name.value);
            let broker = self.broker(&topic.broker, &path, BrokerKind::Log);
            self.copies(&path, topic.replicas, broker);
            if topic.min_isr > topic.replicas && !self.broken(&[&path]) {
                let place = self.written(&path, "min_isr").map_or(name.place, |node| node.place);
                let label = format!("`replicas` is {}", topic.replicas);
                self.errors.push(Diagnostic::error(place, "more copies in sync than copies", label));
            }
        }
        for (service, body) in &self.model.services {
            for (name, consumer) in &body.consumers {
                if let Some((op, _)) = find(&body.ops, &name.value) {
                    let message = format!("`{}.{}` is an op and a consumer", service.value, name.value);
                    let error = Diagnostic::error(name.place, message, "they share the names of a service");
                    self.errors.push(error.also(op.place, "the op"));
                }
                self.source(&consumer.from, &format!("services.{}.consumers.{}", service.value, name.value));
            }
        }
    }

    /// A lane of every trace and chart is called like one thing only.
    fn things_with_nodes(&mut self) {
        for (name, _) in &self.model.stores {
            if let Some((first, _)) = find(&self.model.services, &name.value) {
                let message = format!("the name `{}` is used twice", name.value);
                let error = Diagnostic::error(name.place, message, "a store").also(first.place, "a service");
                self.errors.push(error);
            }
        }
        for (n, (name, _)) in self.model.brokers.iter().enumerate() {
            let service = find(&self.model.services, &name.value).map(|(at, _)| (at, "a service"));
            let store = || find(&self.model.stores, &name.value).map(|(at, _)| (at, "a store"));
            let service = service.or_else(store);
            let broker = self.model.brokers[..n].iter().find(|(at, _)| at.value == name.value);
            if let Some((first, what)) = service.or(broker.map(|(at, _)| (at, "a broker"))) {
                let implicit = self.written("brokers", &name.value).is_none();
                let message = format!("the name `{}` is used twice", name.value);
                let label = if implicit { "this needs a broker, which would have that name" } else { "a broker" };
                let error = Diagnostic::error(name.place, message, label).also(first.place, what);
                let help = "for example `[brokers.mq]` with `kind = \"amqp\"`".to_owned();
                self.errors.push(error.maybe_help(implicit.then_some(help)));
            }
        }
    }

    /// The broker that something lives on.
    fn broker(&mut self, broker: &'a At<String>, path: &str, kind: BrokerKind) -> Option<(&'a At<String>, &'a Broker)> {
        if self.broken(&[path, "brokers"]) {
            return None;
        }
        if broker.value.is_empty() {
            let brokers = self.model.brokers.iter().filter(|(_, b)| b.kind == kind);
            let known = listed(brokers.map(|(name, _)| name.value.as_str()), 12);
            let message = format!("on which broker does `{path}` live?");
            self.errors.push(Diagnostic::error(
                broker.place,
                message,
                format!("`broker` is missing; there are {known}"),
            ));
            return None;
        }
        let Some((name, found)) = find(&self.model.brokers, &broker.value) else {
            self.unknown_in(broker, "broker", &self.model.brokers);
            return None;
        };
        let implicit = self.written("brokers", &name.value).is_none();
        if found.kind != kind && !implicit && !self.broken(&[&format!("brokers.{}.kind", name.value)]) {
            let (is, lives) = match found.kind {
                BrokerKind::Amqp => ("amqp", "queues and exchanges"),
                BrokerKind::Log => ("log", "topics"),
            };
            let message = format!("`{path}` cannot live on `{}`", name.value);
            let label = format!("its `kind` is `{is}`: it has {lives}");
            self.errors.push(Diagnostic::error(broker.place, message, label).also(name.place, "this broker"));
            return None;
        }
        Some((name, found))
    }

    fn copies(&mut self, path: &str, replicas: u32, broker: Option<(&'a At<String>, &'a Broker)>) {
        let Some((name, broker)) = broker else { return };
        if replicas > broker.nodes && !self.broken(&[path, &format!("brokers.{}", name.value)]) {
            let place = self.written(path, "replicas").map_or(name.place, |node| node.place);
            let nodes = if broker.nodes == 1 { "1 node".to_owned() } else { format!("{} nodes", broker.nodes) };
            let label = format!("`{}` has {nodes}, and each copy needs its own", name.value);
            let error = Diagnostic::error(place, format!("`{path}` has {replicas} copies"), label);
            self.errors.push(error.also(name.place, "this broker"));
        }
    }

    fn bindings(&mut self, bindings: &'a [Binding], broker: &At<String>) {
        for binding in bindings {
            let Some((name, exchange)) = find(&self.model.exchanges, &binding.exchange.value) else {
                self.unknown_in(&binding.exchange, "exchange", &self.model.exchanges);
                continue;
            };
            if exchange.broker.value != broker.value && !exchange.broker.value.is_empty() && !broker.value.is_empty() {
                let message = format!("`{}` lives on another broker", name.value);
                let label = format!("it lives on `{}`, and this on `{}`", exchange.broker.value, broker.value);
                let error = Diagnostic::error(binding.exchange.place, message, label);
                self.errors.push(error.also(name.place, "this exchange"));
            }
        }
    }

    fn dead_letter(&mut self, own: &'a At<String>, dead: &'a DeadLetter) {
        let at = At { value: dead.to.name.clone(), place: dead.to.place };
        match dead.to.kind {
            DestinationKind::Queue if find(&self.model.queues, &at.value).is_none() => {
                self.unknown_in(&at, "queue", &self.model.queues);
            }
            DestinationKind::Exchange if find(&self.model.exchanges, &at.value).is_none() => {
                self.unknown_in(&at, "exchange", &self.model.exchanges);
            }
            DestinationKind::Queue if at.value == own.value => {
                let label = "what cannot be had here would come back for ever";
                self.errors.push(Diagnostic::error(at.place, "a queue is its own place for dead letters", label));
            }
            DestinationKind::Queue | DestinationKind::Exchange | DestinationKind::Topic => {}
        }
    }

    /// A queue or a topic that somebody takes messages from.
    pub(super) fn source(&mut self, from: &'a Destination, path: &str) {
        if from.kind == DestinationKind::Exchange && find(&self.model.exchanges, &from.name).is_some() {
            let label = "an exchange keeps nothing";
            let error = Diagnostic::error(from.place, format!("`{path}` takes from an exchange"), label);
            let help = format!("bind a queue: `bindings = [{{ exchange = \"{}\", key = \"#\" }}]`", from.name);
            self.errors.push(error.help(help));
            return;
        }
        self.destination(from, "take from");
    }

    /// It exists, and only one thing can be meant.
    pub(super) fn destination(&mut self, to: &'a Destination, verb: &str) {
        if to.name.is_empty() {
            return;
        }
        let model = self.model;
        let sections: [(DestinationKind, Vec<(&str, Place)>); 3] = [
            (DestinationKind::Queue, places(&model.queues)),
            (DestinationKind::Exchange, places(&model.exchanges)),
            (DestinationKind::Topic, places(&model.topics)),
        ];
        let written = self
            .sources
            .get(to.place.source as usize)
            .and_then(|source| source.text.get(to.place.start as usize..to.place.end as usize));
        let is_path = written.is_some_and(|text| text.contains('.'));
        let has = |entry: &&(DestinationKind, Vec<(&str, Place)>)| entry.1.iter().any(|(name, _)| *name == to.name);
        let found: Vec<_> = sections.iter().filter(has).filter(|(kind, _)| !is_path || *kind == to.kind).collect();
        match found.as_slice() {
            [_] => {}
            [] => {
                let names = || sections.iter().flat_map(|(_, names)| names.iter().map(|(name, _)| *name));
                let known = || names().collect::<BTreeSet<_>>();
                let message = format!("there is nothing called `{}` to {verb}", clip(&to.name));
                let label = match listed(known(), 12) {
                    all if all.is_empty() => "this scenario has no queues, exchanges and topics".to_owned(),
                    all => format!("there are {all}"),
                };
                let near = nearest(&to.name, known());
                let place = near.and_then(|near| {
                    sections.iter().flat_map(|(_, names)| names).find(|(name, _)| *name == near).map(|(_, at)| *at)
                });
                let mut error = Diagnostic::error(to.place, message, label);
                if let (Some(near), Some(place)) = (near, place) {
                    error = error.help(format!("did you mean `{near}`?")).also(place, format!("`{near}` is here"));
                }
                self.errors.push(error);
            }
            several => {
                let paths: Vec<String> =
                    several.iter().map(|(kind, _)| format!("\"{}.{}\"", section(*kind), to.name)).collect();
                let message = format!("`{}` can mean several things", to.name);
                let error = Diagnostic::error(to.place, message, "the name alone does not say which");
                self.errors.push(error.help(paths.join(" or ")));
            }
        }
    }

    /// What has nodes: services and brokers.
    pub(super) fn with_nodes(&self, name: &str) -> Option<(&'a At<String>, u32)> {
        if let Some(service) = name.strip_suffix(DATABASE) {
            let found = find(&self.model.services, service).filter(|(_, service)| service.nodes > 1);
            return found.map(|(at, _)| (at, 1));
        }
        let service = find(&self.model.services, name).map(|(at, service)| (at, service.nodes));
        let store = || find(&self.model.stores, name).map(|(at, store)| (at, store.nodes));
        service.or_else(store).or_else(|| find(&self.model.brokers, name).map(|(at, broker)| (at, broker.nodes)))
    }

    /// Their names.
    pub(super) fn names_with_nodes(&self) -> Vec<(&'a str, Option<Place>)> {
        // An implicit broker stands nowhere.
        let written = |name: &str| self.written("brokers", name).is_some();
        let brokers = places(&self.model.brokers).into_iter().map(|(name, at)| (name, written(name).then_some(at)));
        let stores = places(&self.model.stores);
        let known = places(&self.model.services).into_iter().chain(stores).map(|(name, at)| (name, Some(at)));
        known.chain(brokers).collect()
    }
}

fn places<T>(named: &Named<T>) -> Vec<(&str, Place)> {
    names(named).zip(named.iter().map(|(at, _)| at.place)).collect()
}
