//! Machines and the links between them.

use std::collections::{BTreeMap, BTreeSet};

use cluster::{Bandwidth, Clock, DRIFT_MAX, Disk, Hardware, Link, Loss, NodeHardware, Opening, Transport};
use kernel::{Distribution, NodeId};
use systems::app::plan::Part;

use super::Compiler;
use crate::model::{self, Dist, LinkEnds, Pick, Target, TargetKind};
use crate::scenario::Diagnostic;

/// So many nodes have links unlike those of all others: sixteen million links.
const GROUPS_MAX: usize = 4_096;

/// How closely a link's ends name two nodes, zones and parts and numbers counting 1, 2 and 4 each; the closest link wins.
type Closeness = u32;

impl Compiler<'_> {
    /// The machines and links. Nodes of one part and zone share a group, but for those that a link names by number.
    pub(super) fn hardware(&mut self) -> Hardware {
        let mut single: BTreeSet<(&str, u32)> = BTreeSet::new();
        for target in self.model.links.iter().flat_map(|(ends, _)| [&ends.from, &ends.to]) {
            if let TargetKind::Nodes { name, pick: Pick::Numbers(numbers) } = &target.kind {
                single.extend(numbers.iter().map(|&number| (name.as_str(), number)));
            }
        }
        let mut nodes = Vec::new();
        // The first node of each group, and which group a part has in a zone.
        let mut groups: Vec<NodeId> = Vec::new();
        let mut shared: BTreeMap<(bool, &str, Option<&str>), u16> = BTreeMap::new();
        let names: Vec<_> = self.names.nodes.iter().map(|node| (node.part.clone(), node.number)).collect();
        for (n, (part, number)) in names.iter().enumerate() {
            let node = NodeId(n as u32);
            let zone = self.zone(node);
            let mut fresh = || {
                groups.push(node);
                (groups.len() - 1) as u16
            };
            let machine = self.is_machine(node);
            let alone = machine && single.contains(&(part.as_str(), *number));
            let group = if alone { fresh() } else { *shared.entry((machine, part, zone)).or_insert_with(fresh) };
            let (disk, clock, cores) = self.machine_of(node, *number);
            nodes.push(NodeHardware { disk, clock, group, cores });
        }
        let named = self.model.links.iter().map(|(ends, _)| ends.place);
        let parts = self.model.services.iter().map(|(name, _)| name.place);
        if groups.len() > GROUPS_MAX
            && let Some(place) = named.chain(parts).next()
        {
            let label = format!("{} kinds of nodes have links of their own; there can be {GROUPS_MAX}", groups.len());
            self.errors.push(Diagnostic::error(place, "links tell too many nodes apart", label));
            return Hardware { nodes: Vec::new(), groups: 0, links: Vec::new() };
        }
        let mut links = Vec::with_capacity(groups.len() * groups.len());
        for &from in &groups {
            for &to in &groups {
                let link = self.link(from, to);
                links.push(link);
            }
        }
        Hardware { nodes, groups: groups.len() as u16, links }
    }

    /// Disk, clock and processors of a machine.
    fn machine_of(&self, node: NodeId, number: u32) -> (Disk, Clock, Option<u32>) {
        let model = self.model;
        match self.plan.nodes[node.0 as usize].part {
            Part::Service(n) => {
                let service = &model.services[n as usize].1;
                let clock = self.clock(number, &service.drift, &service.offset);
                (disk(&service.disk), clock, service.cores)
            }
            Part::Database(n) => (disk(&model.services[n as usize].1.disk), Clock::PERFECT, None),
            Part::Broker(n) | Part::Topics(n) => {
                let broker = &model.brokers[n as usize].1;
                (disk(&broker.disk), self.clock(number, &broker.drift, &broker.offset), None)
            }
            Part::Replica(n) => {
                let store = &model.stores[n as usize].1;
                (disk(&store.disk), self.clock(number, &store.drift, &store.offset), None)
            }
            Part::Workload(_) => (Disk::plain(zero()), Clock::PERFECT, None),
        }
    }

    /// It is a machine, and no clients.
    pub(super) fn is_machine(&self, node: NodeId) -> bool {
        !matches!(self.plan.nodes[node.0 as usize].part, Part::Workload(_))
    }

    /// The service a node belongs to, if it is no client.
    fn service_of(&self, node: NodeId) -> Option<(&str, &model::Service)> {
        let part = &self.names.nodes[node.0 as usize].part;
        // A database is where its service is.
        let part = part.strip_suffix(".db").unwrap_or(part);
        let found = self.model.services.iter().find(|(name, _)| name.value == part);
        found.filter(|_| self.is_machine(node)).map(|(name, service)| (name.value.as_str(), service))
    }

    /// The zone a node or workload is in.
    pub(super) fn zone(&self, node: NodeId) -> Option<&str> {
        let name = &self.names.nodes[node.0 as usize];
        if let Some((_, service)) = self.service_of(node) {
            let zones = &service.zones;
            return zones.get(name.number as usize % zones.len().max(1)).map(|zone| zone.value.as_str());
        }
        if let Part::Replica(n) = self.plan.nodes[node.0 as usize].part {
            let zones = &self.model.stores[n as usize].1.zones;
            return zones.get(name.number as usize % zones.len().max(1)).map(|zone| zone.value.as_str());
        }
        let workload = self.model.workloads.iter().find(|(workload, _)| workload.value == name.part);
        workload.and_then(|(_, workload)| workload.zone.as_ref()).map(|zone| zone.value.as_str())
    }

    /// The clock of one node: its drift and offset are drawn for its name and number.
    fn clock(&self, number: u32, drift: &Dist, offset: &Dist) -> Clock {
        let key = self.seed.key(&drift.path, "drift");
        let ppm = drift.law.sample(&mut key.draw(u64::from(number), 0, 0));
        let most = f64::from(DRIFT_MAX);
        let key = self.seed.key(&offset.path, "offset");
        let offset = offset.law.sample(&mut key.draw(u64::from(number), 0, 0)).round() as i64;
        Clock { drift: (ppm * 1e3).round().clamp(-most, most) as i32, offset }
    }

    fn link(&mut self, from: NodeId, to: NodeId) -> Link {
        let model = self.model;
        let base = &model.network;
        let mut layers: Vec<(Closeness, &LinkEnds, &model::Link)> = Vec::new();
        for (ends, link) in &model.links {
            let forth = self.closeness(ends, from, to);
            let back = if ends.both { self.closeness(ends, to, from) } else { None };
            if let Some(closeness) = forth.max(back) {
                layers.push((closeness, ends, link));
            }
        }
        layers.sort_by_key(|layer| layer.0);
        for pair in layers.windows(2) {
            if pair[0].0 == pair[1].0 {
                let message = "two links are equally specific for the same nodes";
                let error = Diagnostic::error(pair[1].1.place, message, "this link")
                    .also(pair[0].1.place, "and this one")
                    .help("make one of them more specific");
                if !self.errors.contains(&error) {
                    self.errors.push(error);
                }
            }
        }
        let chain = || layers.iter().rev().map(|layer| layer.2).chain([base]);
        let said = chain().take(layers.len()).find_map(|link| link.latency.as_ref());
        let latency = said.or_else(|| self.between(from, to)).or(base.latency.as_ref());
        let transport = chain().find_map(|link| link.transport).unwrap_or(model::Transport::Tcp);
        let bandwidth = chain().find_map(|link| link.bandwidth).and_then(model::Limit::value);
        Link {
            latency: latency.map_or_else(zero, |dist| dist.law.clone()),
            loss: match chain().find_map(|link| link.loss) {
                None => Loss::Share(0.0),
                Some(model::Loss::Independent(share)) => Loss::Share(share),
                Some(model::Loss::GilbertElliott { good_to_bad, bad_to_good, bad }) => {
                    Loss::Bursts { good_to_bad, bad_to_good, bad }
                }
            },
            duplicate: chain().find_map(|link| link.duplicate).unwrap_or(0.0),
            reorder: chain().find_map(|link| link.reorder.as_ref()).map_or(0.0, |reorder| reorder.value),
            corrupt: chain().find_map(|link| link.corrupt).unwrap_or(0.0),
            bandwidth: bandwidth.and_then(Bandwidth::bits_per_second),
            buffer: chain().find_map(|link| link.buffer.as_ref()).and_then(|buffer| buffer.value.value()),
            transport: match transport {
                model::Transport::Tcp | model::Transport::Http2 | model::Transport::Grpc => Transport::Tcp,
                model::Transport::Http1 => Transport::Pool,
                model::Transport::Udp => Transport::Udp,
            },
            opening: Opening::RoundTrip,
        }
    }

    /// The latency between the zones of two nodes: as this way is written, else as the other way is. None within a zone.
    fn between(&self, from: NodeId, to: NodeId) -> Option<&Dist> {
        let (from, to) = (self.zone(from)?, self.zone(to)?);
        let way = |from: &str, to: &str| {
            let path = self.model.zones.iter().find(|path| path.from.value == from && path.to.value == to);
            path.map(|path| &path.latency)
        };
        if from == to { None } else { way(from, to).or_else(|| way(to, from)) }
    }

    fn closeness(&self, ends: &LinkEnds, from: NodeId, to: NodeId) -> Option<Closeness> {
        Some(self.end(&ends.from, from)? + self.end(&ends.to, to)?)
    }

    fn end(&self, target: &Target, node: NodeId) -> Option<Closeness> {
        let name = &self.names.nodes[node.0 as usize];
        let is_machine = self.is_machine(node);
        match &target.kind {
            TargetKind::Everything => Some(0),
            TargetKind::Zone(zone) => (self.zone(node) == Some(zone)).then_some(1),
            TargetKind::Workload(w) => (!is_machine && name.part == *w).then_some(2),
            TargetKind::Nodes { name: part, pick } if is_machine && name.part == *part => match pick {
                Pick::All => Some(2),
                Pick::Numbers(numbers) => numbers.contains(&name.number).then_some(4),
                Pick::Any(_)
                | Pick::Minority
                | Pick::Majority
                | Pick::Fraction(_)
                | Pick::Same
                | Pick::Leader
                | Pick::Followers => None,
            },
            TargetKind::Nodes { .. }
            | TargetKind::HitBy(_)
            | TargetKind::Others
            | TargetKind::Queue(_)
            | TargetKind::Topic(_) => None,
        }
    }
}

fn zero() -> Distribution {
    Distribution::constant(0.0).expect("zero is a duration")
}

fn disk(disk: &model::Disk) -> Disk {
    Disk {
        fsync: disk.fsync.law.clone(),
        throughput: disk.throughput.value().and_then(Bandwidth::bits_per_second),
        group_commit: disk.group_commit,
        capacity: disk.capacity.value(),
    }
}
