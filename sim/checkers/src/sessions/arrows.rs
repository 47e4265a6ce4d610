//! Arrows between operations, and whether they go round.

use alloc::vec;
use alloc::vec::Vec;

/// No reason but the order itself.
const PLAIN: u32 = u32::MAX;

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

    /// A cycle, if there is one: its nodes, each with the read that demands the arrow to the next.
    pub(super) fn cycle(&self) -> Option<Vec<(usize, Option<usize>)>> {
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
