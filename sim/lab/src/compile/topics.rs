//! Topics: where they live, and the groups that read them.

use kernel::NodeId;
use systems::app::plan;
use systems::messaging::topics::{Commit, GroupPlan, Repeats, TopicPlan};

use super::Compiler;
use crate::model::{Destination, DestinationKind, Place};
use crate::names::{Cell, CellSort};
use crate::scenario::Diagnostic;

/// How many letters a reader without `prefetch` takes at once.
const BATCH_MAX: u32 = 500;

/// How somebody takes messages from a queue or a topic.
pub(super) struct Reader<'a> {
    /// The service.
    pub(super) owner: &'a str,
    /// Whom it shares the messages of a topic with.
    pub(super) group: &'a str,
    /// How many at once.
    pub(super) prefetch: Option<u32>,
}

/// A consumer of a topic.
pub(super) struct Reading {
    topic: u32,
    group: String,
    place: Place,
    nodes: Vec<NodeId>,
    batch: u32,
    /// The group is a saga's: all of its steps in a service see every message.
    shared: bool,
    consumer: plan::Consumer,
}

impl Compiler<'_> {
    /// Topics, each on a machine of its broker.
    pub(super) fn topics(&mut self) {
        let model = self.model;
        for (n, (name, topic)) in model.topics.iter().enumerate() {
            if topic.replicas > 1 {
                self.not_yet(name.place, "`replicas` of a topic");
            }
            let (first, nodes) = self.first.get(&topic.broker.value).copied().unwrap_or((NodeId(0), 1));
            let published = self.names.cell(Cell {
                path: format!("topics.{}.published", name.value),
                keys: topic.partitions,
                initial: 0,
                sort: CellSort::View,
                metric: Some("published"),
                labels: vec![("topic", name.value.clone())],
            });
            let of = self.topic_number(n);
            self.plan.topics.topics.push(TopicPlan {
                broker: NodeId(first.0 + n as u32 % nodes),
                of,
                partitions: topic.partitions,
                repeats: Repeats::Recognised,
                published: Some(published),
            });
        }
    }

    /// The number that points and faults know a topic by: queues come first.
    pub(super) fn topic_number(&self, topic: usize) -> u32 {
        (self.model.queues.len() + topic) as u32
    }

    /// The number of a topic, if it is one.
    pub(super) fn topic_of(&self, to: &Destination) -> Option<u32> {
        let topics = self.model.topics.iter();
        let mut topics = topics.filter(|_| to.kind == DestinationKind::Topic);
        topics.position(|(name, _)| name.value == to.name).map(|n| n as u32)
    }

    /// Somebody reads a topic.
    pub(super) fn reads(&mut self, from: &Destination, reader: &Reader<'_>, consumer: plan::Consumer) {
        let Some(topic) = self.topic_of(from) else { return };
        let nodes = self.nodes_of(reader.owner).unwrap_or_default();
        let (group, place) = (reader.group.to_owned(), from.place);
        let batch = reader.prefetch.unwrap_or(BATCH_MAX);
        self.readings.push(Reading { topic, group, place, nodes, batch, shared: false, consumer });
    }

    /// A step of a choreographed saga reads its topic, in a group of its service's own.
    pub(super) fn reads_for_saga(
        &mut self,
        topic: u32,
        (owner, group): (&str, &str),
        place: Place,
        consumer: plan::Consumer,
    ) {
        let nodes = self.nodes_of(owner).unwrap_or_default();
        let group = group.to_owned();
        self.readings.push(Reading { topic, group, place, nodes, batch: 1, shared: true, consumer });
    }

    /// The groups, when all that read are known: their consumers follow those of queues.
    pub(super) fn groups(&mut self) {
        let mut known: Vec<(u32, String)> = Vec::new();
        for reading in std::mem::take(&mut self.readings) {
            let key = (reading.topic, reading.group.clone());
            let number = known.iter().position(|other| *other == key).unwrap_or_else(|| {
                known.push(key);
                self.group(&reading);
                known.len() - 1
            });
            let group = &mut self.plan.topics.groups[number];
            group
                .nodes
                .extend(reading.nodes.iter().filter(|node| !group.nodes.contains(node)).copied().collect::<Vec<_>>());
            group.batch = group.batch.max(reading.batch);
            let other_way = (group.commit == Commit::Before) != reading.consumer.ack_first;
            let readers = &self.plan.readers[number];
            let again = readers.iter().any(|other| {
                self.plan.consumers[*other as usize].service == reading.consumer.service && !reading.shared
            });
            if again {
                let message = format!("two consumers in the group `{}` of one service", reading.group);
                let error = Diagnostic::error(reading.place, message, "which of them would have a message?");
                self.errors.push(error.help("give one of them another `group`, or make them one with `when`"));
            }
            if other_way {
                self.not_yet(reading.place, "a group whose consumers differ in `ack`");
            }
            self.plan.readers[number].push(self.plan.consumers.len() as u32);
            self.plan.consumers.push(reading.consumer);
        }
    }

    fn group(&mut self, reading: &Reading) {
        let topic = self.model.topics[reading.topic as usize].0.value.clone();
        let partitions = self.plan.topics.topics[reading.topic as usize].partitions;
        // A group may read several topics.
        let (own, long) = (format!("groups.{}.lag", reading.group), format!("groups.{}.{topic}.lag", reading.group));
        let taken = self.names.cells.iter().any(|cell| cell.path == own);
        let labels = || vec![("topic", topic.clone()), ("group", reading.group.clone())];
        let lag = self.names.cell(Cell {
            path: if taken { long } else { own },
            keys: partitions,
            initial: 0,
            sort: CellSort::View,
            metric: Some("lag"),
            labels: labels(),
        });
        let age = self.names.series("age", labels());
        self.plan.topics.groups.push(GroupPlan {
            topic: reading.topic,
            nodes: Vec::new(),
            commit: if reading.consumer.ack_first { Commit::Before } else { Commit::After },
            batch: reading.batch,
            lag: Some(lag),
            age: Some(age),
        });
        self.plan.readers.push(Vec::new());
    }
}
