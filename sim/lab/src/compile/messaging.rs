//! Messaging: brokers, queues, exchanges, who consumes, and what is sent to them.

use std::collections::BTreeMap;

use kernel::{Distribution, NodeId};
use systems::app::message::DEFAULT_SIZE;
use systems::app::plan::{self, Does, Instruction, Part};
use systems::messaging::{self, AtRest, Cells, ConsumerPlan, Durability, Figure, Latency, QueuePlan, topics};

use super::Compiler;
use super::scripts::Site;
use super::topics::Reader;
use crate::measure::queue_metric;
use crate::model::{
    self, Ack, Binding, BrokerKind, Consumer, DeadLetter, Destination, DestinationKind, Otherwise, Publish, Queue,
    SagaStyle,
};
use crate::names::{Cell, CellSort};
use crate::scenario::Diagnostic;

impl<'a> Compiler<'a> {
    /// The machines of brokers, and their queues and exchanges.
    pub(super) fn messaging(&mut self) {
        let model = self.model;
        for (index, (name, broker)) in model.brokers.iter().enumerate() {
            for (dist, key) in [(&broker.latency, "latency"), (&broker.message_time, "message_time")] {
                if dist.law != zero() {
                    self.not_yet(dist.place, &format!("`{key}` of a broker"));
                }
            }
            let first = NodeId(self.plan.nodes.len() as u32);
            for number in 0..broker.nodes {
                let lane = if broker.nodes == 1 { name.value.clone() } else { format!("{}[{number}]", name.value) };
                let part = match broker.kind {
                    BrokerKind::Amqp => Part::Broker(index as u32),
                    BrokerKind::Log => Part::Topics(index as u32),
                };
                self.plan.nodes.push(plan::Place { part, number });
                self.names.nodes.push(crate::names::Node { name: lane, part: name.value.clone(), number });
            }
            self.first.insert(name.value.clone(), (first, broker.nodes));
            if let Some(word) = &broker.mutant {
                self.broker_mutant(broker.kind, word);
            }
        }
        let homes = self.homes();
        for (n, (name, queue)) in model.queues.iter().enumerate() {
            let compiled = self.queue((n, homes[n]), &name.value, queue);
            self.plan.mail.queues.push(compiled);
            self.plan.mail_bytes.push(queue.size);
        }
        self.exchanges(&homes);
        let places = model.queues.len() + model.exchanges.len() + model.topics.len();
        self.plan.mail_bytes.resize(places, DEFAULT_SIZE);
        self.topics();
    }

    /// A mutant of one broker is one of all brokers of its kind.
    fn broker_mutant(&mut self, kind: BrokerKind, word: &model::At<String>) {
        let (known, names): (bool, Vec<&str>) = match kind {
            BrokerKind::Amqp => {
                self.plan.mail.mutant = messaging::Mutant::named(&word.value);
                (self.plan.mail.mutant.is_some(), messaging::Mutant::ALL.iter().map(|entry| entry.1).collect())
            }
            BrokerKind::Log => {
                self.plan.topics.mutant = topics::Mutant::named(&word.value);
                (self.plan.topics.mutant.is_some(), topics::Mutant::ALL.iter().map(|entry| entry.1).collect())
            }
        };
        if !known {
            let message = format!("no mutant is called `{}`", word.value);
            self.errors.push(Diagnostic::error(word.place, message, format!("there are {}", names.join(", "))));
        }
    }

    /// By queue, then by exchange: the broker's machine it lives on. What hands messages on to each other lives together,
    /// the other groups on the broker's machines in turn.
    fn homes(&self) -> Vec<NodeId> {
        let model = self.model;
        let queues = model.queues.len();
        let number = |to: &Destination| match self.address(to) {
            Some(messaging::Destination::Queue(queue)) => Some(queue as usize),
            Some(messaging::Destination::Exchange(exchange)) => Some(queues + exchange as usize),
            None => None,
        };
        let exchange = |name: &str| model.exchanges.iter().position(|(n, _)| n.value == name).map(|n| queues + n);
        let mut together: Vec<usize> = (0..queues + model.exchanges.len()).collect();
        let mut join = |a: usize, b: Option<usize>| {
            let Some(b) = b else { return };
            let (low, high) = (together[a].min(together[b]), together[a].max(together[b]));
            together.iter_mut().filter(|group| **group == high).for_each(|group| *group = low);
        };
        for (n, (_, queue)) in model.queues.iter().enumerate() {
            queue.bindings.iter().for_each(|binding| join(n, exchange(&binding.exchange.value)));
            join(n, queue.dead_letter.as_ref().and_then(|dead| number(&dead.to)));
        }
        for (n, (_, other)) in model.exchanges.iter().enumerate() {
            other.bindings.iter().for_each(|binding| join(queues + n, exchange(&binding.exchange.value)));
        }
        let mut groups: Vec<usize> = together.clone();
        groups.sort_unstable();
        groups.dedup();
        let brokers = model.queues.iter().map(|(_, q)| &q.broker).chain(model.exchanges.iter().map(|(_, e)| &e.broker));
        let home = |(group, broker): (&usize, &model::At<String>)| {
            let (first, nodes) = self.first.get(&broker.value).copied().unwrap_or((NodeId(0), 1));
            let turn = groups.iter().position(|known| known == group).unwrap_or(0);
            NodeId(first.0 + turn as u32 % nodes)
        };
        together.iter().zip(brokers).map(home).collect()
    }

    fn queue(&mut self, (number, home): (usize, NodeId), name: &str, queue: &Queue) -> QueuePlan {
        if queue.replicas > 1 {
            self.not_yet(queue.broker.place, "`replicas` of a queue");
        }
        let label = || vec![("queue", name.to_owned())];
        let mut cells = Cells::none(0);
        for (figure, word) in Figure::ALL {
            let cell = self.names.cell(Cell {
                path: format!("queues.{name}.{word}"),
                keys: 1,
                initial: 0,
                sort: CellSort::View,
                metric: Some(queue_metric(figure)),
                labels: label(),
            });
            cells.set(figure, cell);
        }
        let series = messaging::Series {
            wait: Some(self.names.series("wait", label())),
            age: Some(self.names.series("age", label())),
        };
        let dead = self.model.queues.iter().any(|(_, other)| {
            let to = other.dead_letter.as_ref().map(|dead| &dead.to);
            to.is_some_and(|to| to.kind == DestinationKind::Queue && to.name == name)
        });
        let consumed = self.consumed(name);
        QueuePlan {
            broker: home,
            of: number as u32,
            durability: if queue.durable { Durability::Durable } else { Durability::Transient },
            ordering: match queue.ordering {
                model::Ordering::PerKey => messaging::Ordering::PerKey,
                model::Ordering::Fifo => messaging::Ordering::Fifo,
                model::Ordering::None => messaging::Ordering::None,
            },
            capacity: queue.capacity,
            max_length: queue.max_length,
            overflow: match queue.overflow {
                model::QueueOverflow::RejectPublish => messaging::Overflow::RejectPublish,
                model::QueueOverflow::DropOldest => messaging::Overflow::DropOldest,
                model::QueueOverflow::DeadLetter => messaging::Overflow::DeadLetter,
            },
            visibility_timeout: queue.visibility_timeout,
            max_deliveries: queue.max_deliveries,
            dead_letter: queue.dead_letter.as_ref().and_then(|dead| self.dead_letter(dead)),
            message_ttl: queue.message_ttl,
            priorities: queue.priorities.min(255) as u8,
            redelivery_delay: queue.redelivery_delay,
            latency: (queue.latency.law != zero())
                .then(|| Latency { law: queue.latency.law.clone(), key: self.seed.key(&queue.latency.path, "draw") }),
            // Dead letters lie where they are.
            at_rest: if dead && !consumed { AtRest::Any } else { AtRest::Empty },
            cells,
            series,
        }
    }

    fn consumed(&self, queue: &str) -> bool {
        let is_it = |from: &Destination| from.kind == DestinationKind::Queue && from.name == queue;
        let mut consumers = self.model.services.iter().flat_map(|(_, s)| &s.consumers);
        let mut triggers = self.model.sagas.iter().filter_map(|(_, saga)| saga.trigger.as_ref());
        consumers.any(|(_, c)| is_it(&c.from)) || triggers.any(|t| is_it(&t.from))
    }

    fn dead_letter(&mut self, dead: &DeadLetter) -> Option<messaging::DeadLetter> {
        let to = self.address(&dead.to)?;
        let key = match &dead.key {
            None => None,
            Some(key) => match &key.value {
                model::Value::Integer(number) => Some(*number as u64),
                model::Value::Text(parts) => {
                    let text: Vec<String> = self.sorts.template(parts)?.into_iter().collect();
                    Some(u64::from(self.names.symbol(text.first()?)))
                }
                model::Value::Truth(_) | model::Value::Variable(_) | model::Value::Expression(_) => {
                    self.not_yet(key.place, "a key of dead letters that is no constant");
                    None
                }
            },
        };
        Some(messaging::DeadLetter { to, key })
    }

    fn address(&self, to: &Destination) -> Option<messaging::Destination> {
        match to.kind {
            DestinationKind::Queue => {
                let at = self.model.queues.iter().position(|(name, _)| name.value == to.name)?;
                Some(messaging::Destination::Queue(at as u32))
            }
            DestinationKind::Exchange => {
                let at = self.model.exchanges.iter().position(|(name, _)| name.value == to.name)?;
                Some(messaging::Destination::Exchange(at as u32))
            }
            DestinationKind::Topic => None,
        }
    }

    fn exchanges(&mut self, homes: &[NodeId]) {
        let model = self.model;
        let texts = self.sorts.texts_of("message.key");
        let keys: Vec<(u64, String)> =
            texts.into_iter().map(|text| (u64::from(self.names.symbol(&text)), text)).collect();
        self.plan.texts = keys.iter().map(|(number, _)| *number).collect();
        // Who takes from which exchange.
        let mut bindings: BTreeMap<&str, Vec<messaging::Binding<'_>>> = BTreeMap::new();
        let mut bind = |to: messaging::Destination, from: &'a [Binding]| {
            for binding in from {
                let Some((name, _)) = model.exchanges.iter().find(|(name, _)| name.value == binding.exchange.value)
                else {
                    continue;
                };
                let key = binding.key.value.as_str();
                bindings.entry(name.value.as_str()).or_default().push(messaging::Binding { key, to });
            }
        };
        for (n, (_, queue)) in model.queues.iter().enumerate() {
            bind(messaging::Destination::Queue(n as u32), &queue.bindings);
        }
        for (n, (_, exchange)) in model.exchanges.iter().enumerate() {
            bind(messaging::Destination::Exchange(n as u32), &exchange.bindings);
        }
        let mut exchanges = Vec::new();
        for (n, (name, exchange)) in model.exchanges.iter().enumerate() {
            let unroutable = self.names.cell(Cell {
                path: format!("exchanges.{}.unroutable", name.value),
                keys: 1,
                initial: 0,
                sort: CellSort::View,
                metric: Some("unroutable"),
                labels: vec![("exchange", name.value.clone())],
            });
            let broker = homes[model.queues.len() + n];
            exchanges.push(messaging::Exchange {
                kind: match exchange.kind {
                    model::ExchangeKind::Direct => messaging::ExchangeKind::Direct,
                    model::ExchangeKind::Topic => messaging::ExchangeKind::Topic,
                    model::ExchangeKind::Fanout => messaging::ExchangeKind::Fanout,
                },
                broker,
                unroutable: Some(unroutable),
                bindings: bindings.remove(name.value.as_str()).unwrap_or_default(),
            });
        }
        let keys: Vec<(u64, &str)> = keys.iter().map(|(number, text)| (*number, text.as_str())).collect();
        self.plan.mail.exchanges = messaging::resolve(&exchanges, &keys);
    }

    /// Consumers of services, and sagas that messages begin.
    pub(super) fn consumers(&mut self) {
        let model = self.model;
        for (index, (service, s)) in model.services.iter().enumerate() {
            for (name, consumer) in &s.consumers {
                self.consumer(index as u32, (&service.value, &name.value), consumer);
            }
        }
        for (index, (name, saga)) in model.sagas.iter().enumerate() {
            if saga.style == SagaStyle::Choreographed {
                continue;
            }
            let (Some(trigger), Some(coordinator)) = (&saga.trigger, &saga.coordinator) else { continue };
            let Some(service) = model.services.iter().position(|(n, _)| n.value == coordinator.value) else { continue };
            let kinds = trigger.kind.iter().map(|kind| self.names.symbol(&kind.value)).collect();
            let does = Does::Saga(index as u16);
            let consumer = plan::Consumer { service: service as u32, does, kinds, ack_first: false, inbox: false };
            let reader =
                Reader { owner: &coordinator.value, group: &format!("sagas.{}", name.value), prefetch: Some(1) };
            self.consumes(&trigger.from, &reader, consumer);
        }
        self.plan.mail.publishers = self.publishers();
        self.groups();
        self.plan.told = plan::MessageVariables {
            key: self.variables.id("message.key"),
            kind: self.variables.id("message.type"),
            deliveries: self.variables.id("message.deliveries"),
        };
    }

    /// The machines of services whose ops publish by themselves; a relay asks again on its own.
    fn publishers(&self) -> Vec<NodeId> {
        let publishes = |steps: &[model::Step]| {
            model::all_steps(steps).iter().any(|step| matches!(step.verb, model::Verb::Publish(_)))
        };
        let services = self.model.services.iter();
        let publishing = services.filter(|(_, service)| super::sorts::steps_of(service).any(publishes));
        publishing.flat_map(|(name, _)| self.nodes_of(&name.value).unwrap_or_default()).collect()
    }

    fn consumer(&mut self, service: u32, (owner, name): (&str, &str), consumer: &Consumer) {
        let path = format!("{owner}.{name}");
        let entry = self.plan.program.len() as u32;
        self.whole(Site { service: owner, path: &path }, &consumer.steps);
        self.plan.program.push(Instruction::Return);
        let idempotent = consumer.idempotent.as_ref().and_then(|key| self.identity(owner, key));
        let op = self.plan.ops.len() as u32;
        self.ops.insert(path.clone(), op);
        self.op_names.push(path.clone());
        let (size, reply_size) = (DEFAULT_SIZE, DEFAULT_SIZE);
        self.plan.ops.push(plan::Op { service, entry, size, reply_size, idempotent, result: Vec::new() });
        let kinds = consumer.types.iter().map(|kind| self.names.symbol(&kind.value)).collect();
        let (ack_first, inbox) = (consumer.ack == Ack::Before, consumer.inbox);
        let compiled = plan::Consumer { service, does: Does::Op(op), kinds, ack_first, inbox };
        let reader = Reader { owner, group: &consumer.group.value, prefetch: consumer.prefetch };
        self.consumes(&consumer.from, &reader, compiled);
    }

    fn consumes(&mut self, from: &Destination, reader: &Reader<'_>, consumer: plan::Consumer) {
        if from.kind == DestinationKind::Topic {
            return self.reads(from, reader, consumer);
        }
        let Some(queue) = self.model.queues.iter().position(|(n, _)| n.value == from.name) else { return };
        let nodes = self.nodes_of(reader.owner).unwrap_or_default();
        self.plan.mail.consumers.push(ConsumerPlan { queue: queue as u32, prefetch: reader.prefetch, nodes });
        self.plan.consumers.push(consumer);
    }

    /// The number of a destination: queues first, then exchanges, then topics.
    pub(super) fn destination(&self, to: &Destination) -> Option<u16> {
        let queues = self.model.queues.len();
        match self.address(to) {
            Some(messaging::Destination::Queue(queue)) => Some(queue as u16),
            Some(messaging::Destination::Exchange(exchange)) => Some((queues + exchange as usize) as u16),
            None => {
                let topic = self.topic_of(to)?;
                Some((queues + self.model.exchanges.len() + topic as usize) as u16)
            }
        }
    }

    /// Appends a message that is published at once.
    pub(super) fn publish(&mut self, site: Site<'_>, publish: &Publish) {
        if let Some(retry) = &publish.retry {
            self.not_yet(retry.place, "`retry` of a publish");
        }
        let Some(letter) = self.letter(site.service, &publish.message) else { return };
        let otherwise = match &publish.otherwise {
            Otherwise::Fail | Otherwise::Steps(_) => plan::Otherwise::Fail,
            Otherwise::Skip => plan::Otherwise::Skip,
            Otherwise::Word(word) => plan::Otherwise::Word(self.error(&word.value)),
        };
        let (timeout, confirm) = (publish.timeout, publish.confirm);
        self.plan.publishes.push(plan::Publish { letter, confirm, timeout, otherwise });
        let at = self.plan.publishes.len() - 1;
        self.plan.program.push(Instruction::Publish(at as u16));
        if let Otherwise::Steps(steps) = &publish.otherwise {
            let here = self.otherwise_steps(site, steps);
            self.plan.publishes[at].otherwise = here;
        }
    }
}

pub(super) fn zero() -> Distribution {
    Distribution::constant(0.0).expect("zero is a duration")
}
