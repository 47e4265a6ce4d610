//! Arrows between operations, and whether they go round.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

/// No reason but the order itself.
const PLAIN: u32 = u32::MAX;

/// Of how many arrows of a cycle it is tried whether there is a shorter way back.
const TRIED_MAX: usize = 8;

/// Nodes in a circle, each with the read that demands the arrow to the next, if one does.
pub(super) type Cycle = Vec<(usize, Option<usize>)>;

pub(super) struct Arrows {
    /// Per node where its arrows lead, and which read demands it.
    to: Vec<Vec<(u32, u32)>>,
    count: u64,
}

impl Arrows {
    pub(super) fn new(nodes: usize) -> Self {
        Self { to: vec![Vec::new(); nodes], count: 0 }
    }

    pub(super) const fn len(&self) -> u64 {
        self.count
    }

    /// One stands before the other, as a read demands.
    pub(super) fn add(&mut self, before: usize, after: usize, because: usize) {
        self.to[before].push((after as u32, because as u32));
        self.count += 1;
    }

    /// One stands before the other by itself.
    pub(super) fn plain(&mut self, before: usize, after: usize) {
        self.to[before].push((after as u32, PLAIN));
        self.count += 1;
    }

    /// A cycle, if there is one, as short as a look at some of its arrows makes it: its nodes, each with the read that
    /// demands the arrow to the next.
    pub(super) fn cycle(&self) -> Option<Cycle> {
        let long = self.some_cycle()?;
        let demanded = (0..long.len()).filter(|&n| long[n].1.is_some()).take(TRIED_MAX);
        let shorter = demanded.filter_map(|n| {
            let (before, after) = (long[n], long[(n + 1) % long.len()].0);
            let mut cycle = self.shortest(after, before.0)?;
            cycle.push(before);
            Some(cycle)
        });
        let shortest = shorter.min_by_key(Vec::len);
        Some(shortest.filter(|shortest| shortest.len() < long.len()).unwrap_or(long))
    }

    /// The shortest way from one node to another, without its last node.
    fn shortest(&self, from: usize, to: usize) -> Option<Cycle> {
        let mut came: Vec<Option<(usize, Option<usize>)>> = vec![None; self.to.len()];
        let mut next = VecDeque::from([from]);
        while let Some(node) = next.pop_front() {
            if node == to {
                let mut way = Vec::new();
                let mut at = to;
                while at != from {
                    let step = came[at]?;
                    way.push(step);
                    at = step.0;
                }
                way.reverse();
                return Some(way);
            }
            for &(after, because) in &self.to[node] {
                let after = after as usize;
                if after != from && came[after].is_none() {
                    came[after] = Some((node, (because != PLAIN).then_some(because as usize)));
                    next.push_back(after);
                }
            }
        }
        None
    }

    fn some_cycle(&self) -> Option<Cycle> {
        const NEW: u8 = 0;
        const OPEN: u8 = 1;
        const DONE: u8 = 2;
        let mut marks = vec![NEW; self.to.len()];
        let mut path: Vec<(usize, usize)> = Vec::new();
        for start in 0..self.to.len() {
            if marks[start] != NEW {
                continue;
            }
            path.push((start, 0));
            marks[start] = OPEN;
            while let Some((node, next)) = path.last_mut() {
                let Some(&(to, _)) = self.to[*node].get(*next) else {
                    marks[*node] = DONE;
                    path.pop();
                    continue;
                };
                *next += 1;
                match marks[to as usize] {
                    NEW => {
                        marks[to as usize] = OPEN;
                        path.push((to as usize, 0));
                    }
                    OPEN => {
                        let from = path.iter().position(|&(node, _)| node == to as usize).unwrap_or(0);
                        let arrow = |&(node, next): &(usize, usize)| {
                            let because = self.to[node][next - 1].1;
                            (node, (because != PLAIN).then_some(because as usize))
                        };
                        return Some(path[from..].iter().map(arrow).collect());
                    }
                    _ => {}
                }
            }
        }
        None
    }
}
