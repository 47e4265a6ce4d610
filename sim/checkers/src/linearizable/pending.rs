//! Configurations that wait to be tried.

use alloc::vec::Vec;

use super::search::First;

/// From which link a configuration was reached, and by which item.
pub(super) type Trail = (u32, u32);

#[derive(Clone, Default, Debug)]
struct Stack {
    rows: Vec<u64>,
    trails: Vec<Trail>,
}

/// Stacks by how much was spent; depth first has only one.
#[derive(Debug)]
pub(super) struct Pending {
    first: First,
    words: usize,
    /// How many wait.
    count: usize,
    stacks: Vec<Stack>,
}

impl Pending {
    pub(super) const fn new(first: First, words: usize) -> Self {
        Self { first, words, count: 0, stacks: Vec::new() }
    }

    /// How much memory they take: what grows has twice the room that it needs.
    pub(super) const fn bytes(&self) -> usize {
        2 * self.count * (size_of::<u64>() * self.words + size_of::<Trail>())
    }

    /// One more than the most that anything here has spent.
    pub(super) fn depth(&self) -> usize {
        self.stacks.len()
    }

    pub(super) fn push(&mut self, spent: usize, trail: Trail, row: &[u64]) {
        let stack = match self.first {
            First::Depth => 0,
            First::Breadth => spent,
        };
        if self.stacks.len() <= stack {
            self.stacks.resize(stack + 1, Stack::default());
        }
        self.stacks[stack].rows.extend_from_slice(row);
        self.stacks[stack].trails.push(trail);
        self.count += 1;
    }

    /// Takes the newest that has spent so much.
    pub(super) fn pop(&mut self, spent: usize, row: &mut [u64]) -> Option<Trail> {
        let stack = &mut self.stacks[spent];
        let trail = stack.trails.pop()?;
        self.count -= 1;
        let at = stack.rows.len() - self.words;
        row.copy_from_slice(&stack.rows[at..]);
        stack.rows.truncate(at);
        Some(trail)
    }
}
