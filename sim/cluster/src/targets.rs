//! Who is hit: targets become nodes when an instance begins, by draws keyed with the fault and the instance's number.

use alloc::vec;
use alloc::vec::Vec;

use kernel::{Key, NodeId};

use crate::faults::Faults;
use crate::plan::{Fault, FaultKind, LinkTarget, Target};

/// The choice of nodes for one instance.
pub(crate) struct Choice<'a> {
    faults: &'a Faults,
    key: Key,
    number: u64,
    /// How many targets have been chosen for: keys their draws.
    asked: u64,
    /// The node at which the fault's point was reached.
    at: Option<NodeId>,
    /// What was picked so far, for `Others`.
    picked: Vec<bool>,
}

/// Who is hit by an instance, and on which links.
pub(crate) struct Aim {
    pub(crate) nodes: Vec<NodeId>,
    /// Of a partition: the side of each node.
    pub(crate) side: Vec<u16>,
    /// Of losses and copies: senders and receivers.
    pub(crate) links: Vec<(Vec<bool>, Vec<bool>)>,
}

impl<'a> Choice<'a> {
    pub(crate) fn new(faults: &'a Faults, fault: usize, number: u32, at: Option<NodeId>) -> Self {
        let (key, picked) = (faults.keys[fault].target, vec![false; faults.nodes]);
        Self { faults, key, number: u64::from(number), asked: 0, at, picked }
    }

    pub(crate) fn aim(mut self, fault: &Fault) -> Aim {
        match &fault.kind {
            FaultKind::Crash(_)
            | FaultKind::Pause
            | FaultKind::SlowCpu { .. }
            | FaultKind::ClockJump { .. }
            | FaultKind::Disturb { .. } => {
                let nodes = self.pick(&fault.targets);
                Aim { nodes: listed(&nodes), side: Vec::new(), links: Vec::new() }
            }
            FaultKind::Partition { sides, .. } => self.sides(sides, &fault.targets),
            FaultKind::Loss { links, .. } | FaultKind::Duplicate { links, .. } => self.links(links, &fault.targets),
        }
    }

    /// The sides of a partition. If only the targets are named, everybody else is the other side.
    fn sides(&mut self, sides: &[Vec<Target>], targets: &[Target]) -> Aim {
        let mut side = vec![0; self.faults.nodes];
        let apart = [targets.to_vec(), vec![Target::Others]];
        let sides = if sides.is_empty() { &apart[..] } else { sides };
        // `Others` come last, wherever they stand: they are those whom nobody else picked.
        for others in [false, true] {
            for (number, targets) in sides.iter().enumerate() {
                let (rest, named): (Vec<Target>, Vec<Target>) =
                    targets.iter().cloned().partition(|target| *target == Target::Others);
                for (node, _) in
                    self.pick(if others { &rest } else { &named }).iter().enumerate().filter(|(_, in_it)| **in_it)
                {
                    if side[node] == 0 {
                        side[node] = number as u16 + 1;
                    }
                }
            }
        }
        let separates = (1..=sides.len() as u16).filter(|number| side.contains(number)).count() > 1;
        let first: Vec<bool> = side.iter().map(|&s| separates && s != 0 && (targets.is_empty() || s == 1)).collect();
        Aim { nodes: listed(&first), side, links: Vec::new() }
    }

    fn links(&mut self, links: &[LinkTarget], targets: &[Target]) -> Aim {
        let everyone = vec![true; self.faults.nodes];
        let mut chosen = Vec::new();
        for link in links {
            let mut end = |targets: &[Target]| if targets.is_empty() { everyone.clone() } else { self.pick(targets) };
            let from = end(&link.from);
            chosen.push((from, end(&link.to)));
        }
        if links.is_empty() && targets.is_empty() {
            chosen.push((everyone.clone(), everyone));
        } else if links.is_empty() {
            let picked = self.pick(targets);
            chosen.push((picked.clone(), everyone.clone()));
            chosen.push((everyone, picked));
        }
        chosen.retain(|(from, to)| from.contains(&true) && to.contains(&true));
        let mut hit = vec![false; self.faults.nodes];
        if links.is_empty() && !targets.is_empty() {
            hit = chosen.first().map_or(hit, |(from, _)| from.clone());
        } else {
            for (from, to) in &chosen {
                for (node, hit) in hit.iter_mut().enumerate() {
                    *hit |= from[node] || to[node];
                }
            }
        }
        Aim { nodes: listed(&hit), side: Vec::new(), links: chosen }
    }

    /// The union of these targets.
    fn pick(&mut self, targets: &[Target]) -> Vec<bool> {
        let mut union = vec![false; self.faults.nodes];
        for target in targets.iter().filter(|target| **target != Target::Others) {
            for node in self.one(target) {
                union[node.0 as usize] = true;
                self.picked[node.0 as usize] = true;
            }
        }
        if targets.contains(&Target::Others) {
            for (node, others) in self.picked.iter().zip(&mut union) {
                *others |= !node;
            }
        }
        union
    }

    fn one(&mut self, target: &Target) -> Vec<NodeId> {
        self.asked += 1;
        match target {
            Target::All(of) => of.clone(),
            Target::Any { of, count } => self.some(of, *count as usize),
            Target::Minority(of) => self.some(of, of.len().saturating_sub(1) / 2),
            Target::Majority(of) => self.some(of, of.len() / 2 + 1),
            Target::Fraction { of, share } => self.some(of, (nearest(share * of.len() as f64) as usize).max(1)),
            Target::Same(of) => self.at.into_iter().filter(|at| of.contains(at)).collect(),
            Target::NodesOf(fault) => self.faults.latest[*fault].clone(),
            Target::Leader(of) => self.faults.leader(of).into_iter().collect(),
            Target::Followers(of) => match self.faults.leader(of) {
                Some(leader) => of.iter().copied().filter(|node| *node != leader).collect(),
                None => Vec::new(),
            },
            Target::Others => Vec::new(),
        }
    }

    /// `count` of these, each as likely as any other (Fisher and Yates).
    fn some(&self, of: &[NodeId], count: usize) -> Vec<NodeId> {
        let mut left = of.to_vec();
        let mut draw = self.key.draw(self.number, self.asked, 0);
        let mut some = Vec::new();
        while some.len() < count && !left.is_empty() {
            let at = (u128::from(draw.bits()) * left.len() as u128) >> 64;
            some.push(left.swap_remove(at as usize));
        }
        some
    }
}

/// The nearest whole number; halves go up. For shares of a handful of machines, which are not negative.
fn nearest(share: f64) -> f64 {
    let whole = share as u64;
    (whole + u64::from(share - whole as f64 >= 0.5)) as f64
}

fn listed(set: &[bool]) -> Vec<NodeId> {
    set.iter().enumerate().filter(|(_, in_it)| **in_it).map(|(node, _)| NodeId(node as u32)).collect()
}
