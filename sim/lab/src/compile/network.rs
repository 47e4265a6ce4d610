//! Machines and the links between them.

use cluster::{Disk, Hardware, Link, NodeHardware, Transport};
use kernel::{Distribution, NodeId};

use super::Compiler;
use crate::model::{self, LinkEnds, Pick, Target, TargetKind};
use crate::scenario::Diagnostic;

/// How closely a link's ends name two nodes; the closest link wins.
type Closeness = u32;

impl Compiler<'_> {
    /// The machines and links. Nodes of one part share a group unless a link names single nodes.
    pub(super) fn hardware(&mut self) -> Hardware {
        let single = self.model.links.iter().any(|(ends, _)| names_nodes(&ends.from) || names_nodes(&ends.to));
        let zero = Distribution::constant(0.0).expect("zero is a duration");
        let mut nodes = Vec::new();
        let mut groups: Vec<NodeId> = Vec::new();
        for n in 0..self.plan.nodes.len() as u32 {
            let name = &self.names.nodes[n as usize];
            if single || name.number == 0 {
                groups.push(NodeId(n));
            }
            let service = self.model.services.iter().find(|(s, _)| s.value == name.part && self.first.contains_key(&s.value));
            let is_service = matches!(self.plan.nodes[n as usize].part, systems::app::plan::Part::Service(_));
            let fsync = service.filter(|_| is_service).map_or_else(|| zero.clone(), |(_, s)| s.fsync.law.clone());
            nodes.push(NodeHardware { disk: Disk { fsync }, group: (groups.len() - 1) as u16 });
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

    fn link(&mut self, from: NodeId, to: NodeId) -> Link {
        let base = &self.model.network;
        let mut layers: Vec<(Closeness, &LinkEnds, &model::Link)> = Vec::new();
        for (ends, link) in &self.model.links {
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
        let chain = || std::iter::once(base).chain(layers.iter().map(|layer| layer.2)).rev();
        let latency = chain().find_map(|l| l.latency.as_ref()).map(|d| d.law.clone());
        Link {
            latency: latency.unwrap_or_else(|| Distribution::constant(0.0).expect("zero is a duration")),
            loss: chain().find_map(|l| l.loss).unwrap_or(0.0),
            transport: match chain().find_map(|l| l.transport).unwrap_or(model::Transport::Tcp) {
                model::Transport::Tcp => Transport::Tcp,
                model::Transport::Udp => Transport::Udp,
            },
        }
    }

    fn closeness(&self, ends: &LinkEnds, from: NodeId, to: NodeId) -> Option<Closeness> {
        Some(self.end(&ends.from, from)? + self.end(&ends.to, to)?)
    }

    fn end(&self, target: &Target, node: NodeId) -> Option<Closeness> {
        let name = &self.names.nodes[node.0 as usize];
        let is_service = matches!(self.plan.nodes[node.0 as usize].part, systems::app::plan::Part::Service(_));
        match &target.kind {
            TargetKind::Everything => Some(0),
            TargetKind::Workload(w) => (!is_service && name.part == *w).then_some(1),
            TargetKind::Nodes { name: part, pick } if is_service && name.part == *part => match pick {
                Pick::All => Some(1),
                Pick::Numbers(numbers) => numbers.contains(&name.number).then_some(2),
                Pick::Any(_) | Pick::Minority | Pick::Majority | Pick::Fraction(_) | Pick::Same => None,
            },
            TargetKind::Nodes { .. } | TargetKind::HitBy(_) | TargetKind::Others => None,
        }
    }
}

fn names_nodes(target: &Target) -> bool {
    matches!(&target.kind, TargetKind::Nodes { pick: Pick::Numbers(_), .. })
}
