//! A bounded memory of what is finished, so that late duplicates do nothing.
//!
//! The last so-many transactions are remembered exactly. When one is forgotten, the watermark rises to its begin time:
//! an unknown transaction that began no later than the watermark *may* be a finished one, and is treated as such. So
//! nothing finished is ever taken for new, with bounded memory and without a guess about how long a message can be
//! under way; the price is that a message overtaken by that many later transactions is refused.

use alloc::collections::{BTreeMap, VecDeque};

use kernel::Time;

use super::wire::Head;

#[derive(Clone, Debug)]
pub(super) struct Remembered<T> {
    limit: usize,
    known: BTreeMap<u64, (Head, T)>,
    order: VecDeque<u64>,
    watermark: Option<Time>,
}

/// What the memory says about a transaction that is not open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Memory<T> {
    Finished(T),
    /// Perhaps finished, certainly long ago.
    Stale,
    New,
}

impl<T> Remembered<T> {
    pub(super) fn new(limit: usize) -> Self {
        assert!(limit > 0, "a memory of nothing would refuse everything");
        Self { limit, known: BTreeMap::new(), order: VecDeque::new(), watermark: None }
    }

    pub(super) fn add(&mut self, head: &Head, what: T) {
        if self.known.insert(head.transaction, (*head, what)).is_some() {
            return;
        }
        self.order.push_back(head.transaction);
        if self.order.len() > self.limit {
            let oldest = self.order.pop_front().expect("longer than a positive limit");
            let (head, _) = self.known.remove(&oldest).expect("the order lists what is known");
            self.watermark = self.watermark.max(Some(head.began));
        }
    }

    pub(super) fn of(&self, head: &Head) -> Memory<&T> {
        match self.known.get(&head.transaction) {
            Some((_, what)) => Memory::Finished(what),
            None if self.watermark >= Some(head.began) => Memory::Stale,
            None => Memory::New,
        }
    }

    pub(super) fn knows(&self, transaction: u64) -> bool {
        self.known.contains_key(&transaction)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Head, T)> {
        self.known.values()
    }
}
