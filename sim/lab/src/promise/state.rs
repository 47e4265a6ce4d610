//! The part of the world's state that promises read, mirrored: values by (cell, row), and the aggregates over them.
//!
//! Only cells that some promise names are mirrored. A change touches its cell's aggregates and says which promises read
//! the cell; cells that no promise names cost one look.

use kernel::{CellId, Delta};
use systems::expression::{Environment, Fault, ItemId, Program, Value, VariableId};

use super::aggregate::{Aggregate, Kind, Mirror, Rows};
use crate::names::Names;

/// What a name in a predicate reads; a `VariableId` numbers these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leaf {
    /// A mirrored value.
    Slot(u32),
    /// An aggregate.
    Aggregate(u32),
    /// What another leaf was before the change.
    Before(u32),
}

/// A promise that reads a cell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Reader {
    /// The only row it reads, if it is one.
    pub(super) key: Option<u32>,
    /// The promise.
    pub(super) watch: u32,
}

/// Who must know of a cell's changes.
#[derive(Clone, Default, Debug)]
struct Dependents {
    aggregates: Vec<u32>,
    readers: Vec<Reader>,
}

/// The mirrored state.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    values: Vec<i64>,
    /// By `CellId`: where its rows are mirrored, if they are.
    cells: Vec<Option<Rows>>,
    /// By `CellId`.
    dependents: Vec<Dependents>,
    pub(super) aggregates: Vec<Aggregate>,
    leaves: Vec<Leaf>,
    /// By `Leaf::Before`: which leaf, and its value before the change.
    before: Vec<(VariableId, Value)>,
    /// How many aggregates have no value now.
    faulty: u32,
}

impl State {
    /// Nothing is mirrored yet.
    pub(super) fn new(names: &Names) -> Self {
        Self {
            cells: vec![None; names.cells.len()],
            dependents: vec![Dependents::default(); names.cells.len()],
            ..Self::default()
        }
    }

    /// Mirrors a cell.
    pub(super) fn rows(&mut self, cell: CellId, names: &Names) -> Rows {
        let place = &mut self.cells[cell.0 as usize];
        *place.get_or_insert_with(|| {
            let cell = &names.cells[cell.0 as usize];
            let rows = Rows { base: self.values.len() as u32, keys: cell.keys };
            self.values.extend(std::iter::repeat_n(cell.initial, cell.keys as usize));
            rows
        })
    }

    /// The variable that reads one row.
    pub(super) fn slot(&mut self, rows: Rows, key: u32) -> VariableId {
        self.leaf(Leaf::Slot(rows.base + key))
    }

    /// The variable that reads an aggregate; equal ones are kept once.
    pub(super) fn aggregate(
        &mut self,
        kind: Kind,
        cell: CellId,
        filter: Option<(Program, Vec<CellId>)>,
        names: &Names,
    ) -> VariableId {
        let rows = self.rows(cell, names);
        let (filter, others) = filter.map_or((None, Vec::new()), |(program, others)| (Some(program), others));
        let found = self.aggregates.iter().position(|a| a.kind == kind && a.cell == cell.0 && a.filter == filter);
        let number = found.unwrap_or_else(|| {
            let mirror = Mirror { values: &self.values, cells: &self.cells };
            let new = Aggregate::new(kind, cell.0, rows, filter, mirror);
            self.faulty += u32::from(new.fault().is_some());
            self.aggregates.push(new);
            let number = self.aggregates.len() - 1;
            for cell in others.into_iter().chain([cell]) {
                let list = &mut self.dependents[cell.0 as usize].aggregates;
                if list.last() != Some(&(number as u32)) {
                    list.push(number as u32);
                }
            }
            number
        });
        self.leaf(Leaf::Aggregate(number as u32))
    }

    /// The variable that reads what `leaf` was before the change, and its number among those.
    pub(super) fn before(&mut self, leaf: VariableId) -> (VariableId, u32) {
        let number = self.before.len() as u32;
        self.before.push((leaf, self.variable(leaf)));
        self.leaves.push(Leaf::Before(number));
        (VariableId(self.leaves.len() as u32 - 1), number)
    }

    fn leaf(&mut self, leaf: Leaf) -> VariableId {
        let found = self.leaves.iter().position(|&l| l == leaf);
        VariableId(found.unwrap_or_else(|| {
            self.leaves.push(leaf);
            self.leaves.len() - 1
        }) as u32)
    }

    /// What a variable reads.
    pub(super) fn meaning(&self, variable: VariableId) -> Leaf {
        self.leaves[variable.0 as usize]
    }

    /// `watch` reads this row of a cell, or all of them.
    pub(super) fn depend(&mut self, cell: CellId, reader: Reader) {
        let readers = &mut self.dependents[cell.0 as usize].readers;
        if !readers.contains(&reader) {
            readers.push(reader);
        }
    }

    /// The cells that a promise reads.
    pub(super) fn read_by(&self, watch: u32) -> impl Iterator<Item = CellId> {
        let reads = move |of: &Dependents| of.readers.iter().any(|reader| reader.watch == watch);
        let numbers = self.dependents.iter().enumerate().filter(move |(_, of)| reads(of));
        numbers.map(|(cell, _)| CellId(cell as u32))
    }

    /// No promise names the cell.
    #[inline]
    pub(super) fn ignores(&self, delta: &Delta) -> bool {
        self.cells[delta.cell.0 as usize].is_none()
    }

    /// Takes in one change and names the promises that read it. Panics if the cell had another value than the change
    /// says: then the engine and what it tells about itself have come apart.
    #[inline]
    pub(super) fn apply(&mut self, delta: &Delta, mut reads: impl FnMut(u32)) {
        let Some(rows) = self.cells[delta.cell.0 as usize] else { return };
        let dependents = &self.dependents[delta.cell.0 as usize];
        let key = delta.key as u32;
        let place = (rows.base + key) as usize;
        assert!(delta.key < u64::from(rows.keys), "a change of row {} of a cell with {} rows", delta.key, rows.keys);
        // A restart restates what its log says: before and after are equal, and the mirror may not have it yet.
        let known = delta.before == delta.after || self.values[place] == delta.before;
        assert!(known, "a change of cell {} from a value it did not have", delta.cell.0);
        let before = std::mem::replace(&mut self.values[place], delta.after);
        if before == delta.after && delta.before == delta.after {
            return;
        }
        for &number in &dependents.aggregates {
            let mirror = Mirror { values: &self.values, cells: &self.cells };
            let faulty = self.aggregates[number as usize].update(delta.cell.0, key, before, mirror);
            self.faulty = self.faulty.saturating_add_signed(faulty);
        }
        for reader in &dependents.readers {
            if reader.key.is_none_or(|k| k == key) {
                reads(reader.watch);
            }
        }
    }

    /// Evaluates a predicate that reads these aggregates.
    #[inline]
    pub(super) fn holds(&self, program: &Program, aggregates: &[u32]) -> Result<bool, Fault> {
        if self.faulty > 0
            && let Some(fault) = aggregates.iter().find_map(|&a| self.aggregates[a as usize].fault())
        {
            return Err(fault);
        }
        program.truth(self)
    }

    /// Some aggregate has no value now.
    #[inline]
    pub(super) const fn any_fault(&self) -> bool {
        self.faulty > 0
    }

    /// What is now is what will have been before the next change.
    #[inline]
    pub(super) fn remember(&mut self, before: &[u32]) {
        for &number in before {
            let (leaf, _) = self.before[number as usize];
            self.before[number as usize].1 = self.variable(leaf);
        }
    }

    /// The mirror, for looking at single rows.
    pub(super) fn mirror(&self) -> Mirror<'_> {
        Mirror { values: &self.values, cells: &self.cells }
    }
}

impl Environment for State {
    #[inline]
    fn variable(&self, variable: VariableId) -> Value {
        match self.leaves[variable.0 as usize] {
            Leaf::Slot(place) => Value::Int(self.values[place as usize]),
            Leaf::Aggregate(number) => self.aggregates[number as usize].value(),
            Leaf::Before(number) => self.before[number as usize].1,
        }
    }

    fn row(&self, item: ItemId, key: i64) -> Value {
        unreachable!("row {key} of {item:?}: predicates read rows through variables")
    }
}
