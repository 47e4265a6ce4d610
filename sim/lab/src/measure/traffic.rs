//! Things that only count: messages by sender, receiver and kind, disk writes, what transactions came to.

use kernel::{Fact, FactKind, NodeId};

use crate::names::Names;
use crate::outcome::MessageCount;

/// What happens to a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passage {
    /// Handed to the network.
    Sent,
    /// Handed to the receiver.
    Delivered,
    /// Lost for good.
    Lost,
    /// Sent again after a loss.
    Retransmitted,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Counts {
    sent: u64,
    delivered: u64,
    lost: u64,
    retransmitted: u64,
    bytes: u64,
}

/// What became of the transactions of one type.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Decisions {
    pub(super) begun: u64,
    pub(super) committed: u64,
    pub(super) aborted: u64,
}

/// Which messages.
#[derive(Clone, Default, Debug)]
pub(super) struct Through {
    pub(super) from: Option<usize>,
    pub(super) to: Option<usize>,
    pub(super) kind: Option<usize>,
}

/// No block yet.
const NONE: u32 = u32::MAX;
/// Up to so many nodes have a place for each pair of them.
const TABLE_MAX: usize = 128;

/// The counters.
#[derive(Clone, Debug)]
pub(super) struct Traffic {
    pub(super) parts: Vec<String>,
    /// By node.
    part: Vec<u32>,
    /// By node: where the pairs begin of which it is the sender.
    row: Vec<u32>,
    kinds: usize,
    /// By (from part, to part): where its block of kinds begins in `counts`.
    pairs: Vec<u32>,
    /// The same by (from node, to node), as long as there are few nodes.
    blocks: Vec<u32>,
    counts: Vec<Counts>,
    /// By part.
    pub(super) fsyncs: Vec<u64>,
    /// By protocol.
    pub(super) decisions: Vec<Decisions>,
}

impl Traffic {
    pub(super) fn new(names: &Names) -> Self {
        let mut parts: Vec<String> = Vec::new();
        let mut part = Vec::new();
        for node in &names.nodes {
            let found = parts.iter().position(|known| *known == node.part);
            part.push(found.unwrap_or_else(|| {
                parts.push(node.part.clone());
                parts.len() - 1
            }) as u32);
        }
        Self {
            row: part.iter().map(|part| part * parts.len() as u32).collect(),
            part,
            kinds: names.kinds.len(),
            pairs: vec![NONE; parts.len() * parts.len()],
            blocks: if names.nodes.len() <= TABLE_MAX { vec![NONE; names.nodes.len().pow(2)] } else { Vec::new() },
            counts: Vec::new(),
            fsyncs: vec![0; parts.len()],
            decisions: vec![Decisions::default(); names.protocols.len()],
            parts,
        }
    }

    #[expect(clippy::inline_always, reason = "at each call `what` is known, and all but one counter falls away")]
    #[inline(always)]
    pub(super) fn message(&mut self, what: Passage, from: NodeId, to: NodeId, kind: u8, bytes: u32) {
        let between = u64::from(from.0) * u64::from(self.part.len() as u32) + u64::from(to.0);
        let block = match self.blocks.get(between as usize) {
            Some(&block) if block != NONE => block,
            _ => self.find(from, to),
        };
        let counts = &mut self.counts[block as usize + usize::from(kind)];
        match what {
            Passage::Sent => {
                counts.sent += 1;
                counts.bytes += u64::from(bytes);
            }
            Passage::Delivered => counts.delivered += 1,
            Passage::Lost => counts.lost += 1,
            Passage::Retransmitted => {
                counts.retransmitted += 1;
                counts.bytes += u64::from(bytes);
            }
        }
    }

    /// The block of two nodes by their parts; a new one if there is none yet.
    #[inline(never)]
    fn find(&mut self, from: NodeId, to: NodeId) -> u32 {
        let pair = self.row[from.0 as usize] as usize + self.part[to.0 as usize] as usize;
        if self.pairs[pair] == NONE {
            self.pairs[pair] = self.counts.len() as u32;
            self.counts.resize(self.counts.len() + self.kinds, Counts::default());
        }
        let between = from.0 as usize * self.part.len() + to.0 as usize;
        if let Some(block) = self.blocks.get_mut(between) {
            *block = self.pairs[pair];
        }
        self.pairs[pair]
    }

    pub(super) fn fsync(&mut self, node: NodeId) {
        self.fsyncs[self.part[node.0 as usize] as usize] += 1;
    }

    pub(super) fn fact(&mut self, fact: &Fact) {
        let decisions = self.decisions.get_mut(fact.protocol as usize);
        match (fact.kind, decisions) {
            (FactKind::Begun { .. }, Some(found)) => found.begun += 1,
            (FactKind::Decided { commit: true }, Some(found)) => found.committed += 1,
            (FactKind::Decided { commit: false }, Some(found)) => found.aborted += 1,
            // Facts about a machine belong to no protocol; the rest is for the judges.
            (FactKind::Begun { .. } | FactKind::Decided { .. }, None)
            | (
                FactKind::Voted { .. }
                | FactKind::VotedReadOnly
                | FactKind::Applied { .. }
                | FactKind::Told { .. }
                | FactKind::Crashed
                | FactKind::Recovered
                | FactKind::Saga(_)
                | FactKind::Leads { .. }
                | FactKind::StoodDown,
                _,
            ) => {}
        }
    }

    /// Messages and bytes so far.
    pub(super) fn through(&self, which: &Through) -> (u64, u64) {
        let fits = |wanted: Option<usize>, found: usize| wanted.is_none_or(|wanted| wanted == found);
        let (mut messages, mut bytes) = (0, 0);
        for (from, to, kind, counts) in self.each() {
            if fits(which.from, from) && fits(which.to, to) && fits(which.kind, kind) {
                messages += counts.sent;
                bytes += counts.bytes;
            }
        }
        (messages, bytes)
    }

    fn each(&self) -> impl Iterator<Item = (usize, usize, usize, &Counts)> + '_ {
        let open = self.pairs.iter().enumerate().filter(|(_, block)| **block != NONE);
        open.flat_map(move |(pair, &block)| {
            let (from, to) = (pair / self.parts.len(), pair % self.parts.len());
            let block = &self.counts[block as usize..][..self.kinds];
            block.iter().enumerate().map(move |(kind, counts)| (from, to, kind, counts))
        })
    }

    /// For the outcome: what was counted since `before` was copied, in the order of parts and kinds.
    pub(super) fn result(&self, before: &Self, names: &Names) -> Vec<MessageCount> {
        let earlier = |from: usize, to: usize, kind: usize| -> Counts {
            let block = before.pairs[from * before.parts.len() + to];
            if block == NONE { Counts::default() } else { before.counts[block as usize + kind] }
        };
        let mut found = Vec::new();
        for (from, to, kind, counts) in self.each() {
            let earlier = earlier(from, to, kind);
            if *counts == earlier {
                continue;
            }
            found.push(MessageCount {
                from: self.parts[from].clone(),
                to: self.parts[to].clone(),
                kind: names.kinds[kind].clone(),
                sent: counts.sent - earlier.sent,
                delivered: counts.delivered - earlier.delivered,
                lost: counts.lost - earlier.lost,
                retransmitted: counts.retransmitted - earlier.retransmitted,
                bytes: counts.bytes - earlier.bytes,
            });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Node;

    /// With a place for each pair of nodes, and with more nodes than have one.
    #[test]
    fn messages_are_counted_by_part_however_many_nodes_there_are() {
        for nodes in [TABLE_MAX, 2 * TABLE_MAX] {
            let mut names = Names { kinds: vec!["ask".into(), "tell".into()], ..Names::default() };
            let node = |n: usize| Node { name: format!("n{n}"), part: ["a", "b"][n % 2].into(), number: 0 };
            names.nodes = (0..nodes).map(node).collect();
            let mut traffic = Traffic::new(&names);
            let before = traffic.clone();
            let last = NodeId(nodes as u32 - 1);
            for (what, to) in [(Passage::Sent, NodeId(1)), (Passage::Sent, last), (Passage::Delivered, last)] {
                traffic.message(what, NodeId(0), to, 1, 100);
            }
            traffic.message(Passage::Retransmitted, last, NodeId(1), 0, 10);
            let told: Vec<String> = traffic
                .result(&before, &names)
                .iter()
                .map(|m| {
                    format!("{}→{} {} {} {} {} {}", m.from, m.to, m.kind, m.sent, m.delivered, m.retransmitted, m.bytes)
                })
                .collect();
            assert_eq!(told, ["a→b tell 2 1 0 200", "b→b ask 0 0 1 10"], "{nodes} nodes");
        }
    }
}
