//! Levels of a node, one per kind of transaction, told as changes of a cell's row.

use alloc::vec;
use alloc::vec::Vec;

use kernel::{CellId, Delta, Effects, NodeId, Process};

#[derive(Clone, Debug)]
pub(super) struct Level {
    me: NodeId,
    values: Vec<i64>,
}

impl Level {
    pub(super) fn new(me: NodeId, kinds: usize) -> Self {
        Self { me, values: vec![0; kinds] }
    }

    pub(super) fn add<P: Process>(&mut self, kind: u16, by: i64, cell: Option<CellId>, out: &mut impl Effects<P>) {
        self.set(kind, self.values[usize::from(kind)] + by, cell, out);
    }

    pub(super) fn set<P: Process>(&mut self, kind: u16, after: i64, cell: Option<CellId>, out: &mut impl Effects<P>) {
        let value = &mut self.values[usize::from(kind)];
        let before = core::mem::replace(value, after);
        if let Some(cell) = cell
            && before != after
        {
            out.note(&[Delta { cell, key: u64::from(self.me.0), before, after }]);
        }
    }

    pub(super) fn each(&self, cell: impl Fn(usize) -> Option<CellId>, each: &mut impl FnMut(CellId, u64, i64)) {
        for (kind, value) in self.values.iter().enumerate() {
            if let Some(cell) = cell(kind)
                && *value != 0
            {
                each(cell, u64::from(self.me.0), *value);
            }
        }
    }
}
