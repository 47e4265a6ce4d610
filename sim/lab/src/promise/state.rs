//! The part of the world's state that promises read, mirrored: rows of counters, rows of maps, and the aggregates over
//! them.
//!
//! Only cells that some promise names are mirrored. A change touches its cell's aggregates and says which promises read
//! the cell; cells that no promise names cost one look. All of a change is written first; then the rows of maps that it
//! touched are judged, each once (`settle`), and what is empty is given away (`sweep`).

use kernel::{CellId, Delta, NULL};
use systems::expression::{Environment, Fault, ItemId, Program, Value, VariableId};

use super::aggregate::{Aggregate, Over};
use super::reading::{KEY, Mirror, Named, Rows, decoded, present};
use super::table::Table;
use super::tally::Kind;
use crate::expression::Type;
use crate::names::{ItemKind, Names};

/// What a name in a predicate reads; a `VariableId` numbers these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leaf {
    /// A mirrored row of a counter.
    Slot(u32),
    /// A field of one row of a map, whose slot is pinned.
    Field { column: u32, slot: u32, sort: Type },
    /// Whether a map has the row of a pinned slot.
    Present { column: u32, slot: u32 },
    /// An aggregate.
    Aggregate(u32),
    /// What another leaf was before the change.
    Before(u32),
}

/// A promise that reads a cell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Reader {
    /// The only row it reads, if it is one.
    pub(super) key: Option<u64>,
    /// The promise.
    pub(super) watch: u32,
}

/// Where a cell is mirrored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Rows(Rows),
    Column(u32),
}

/// Who must know of a cell's changes.
#[derive(Clone, Default, Debug)]
struct Dependents {
    aggregates: Vec<u32>,
    /// One of them is over the rows of a map.
    maps: bool,
    /// Promises that judge each row by itself.
    each: Vec<u32>,
    readers: Vec<Reader>,
    /// There is nobody but those that read it, each of them once and at any change.
    plain: bool,
}

/// The mirrored state.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    values: Vec<i64>,
    pub(super) table: Table,
    /// By `CellId`: where its rows are mirrored, if they are.
    cells: Vec<Option<Place>>,
    /// By `CellId`.
    dependents: Vec<Dependents>,
    pub(super) aggregates: Vec<Aggregate>,
    /// By aggregate: what its predicate reads, in the order of its first mention.
    pub(super) reads: Vec<Vec<VariableId>>,
    /// By aggregate: the item whose rows it is about.
    pub(super) items: Vec<String>,
    leaves: Vec<Leaf>,
    /// What names in predicates over rows read.
    readings: Vec<Named>,
    /// By `Leaf::Before`: which leaf, and its value before the change.
    before: Vec<(VariableId, Value)>,
    /// How many aggregates have no value now.
    faulty: u32,
    /// Aggregates over maps and the slots in which something changed.
    dirty: Vec<(u32, u32)>,
    /// Promises about each row, and the keys under which something changed.
    pub(super) moved: Vec<(u32, u64)>,
    /// Texts by symbol: those of the scenario, then those that only promises name.
    texts: Vec<String>,
    /// How often a row was judged.
    judged: u64,
}

impl State {
    /// Nothing is mirrored yet.
    pub(super) fn new(names: &Names) -> Self {
        Self {
            cells: vec![None; names.cells.len()],
            dependents: vec![Dependents::default(); names.cells.len()],
            texts: names.texts.clone(),
            ..Self::default()
        }
    }

    /// Mirrors the cell of a counter, a view or the size of a list.
    pub(super) fn rows(&mut self, cell: CellId, names: &Names) -> Rows {
        let place = &mut self.cells[cell.0 as usize];
        let place = *place.get_or_insert_with(|| {
            let cell = &names.cells[cell.0 as usize];
            // A cell without fixed keys that is no map's has one row: the size of a list.
            let rows = Rows { base: self.values.len() as u32, keys: cell.keys.max(1) };
            self.values.extend(std::iter::repeat_n(cell.initial, rows.keys as usize));
            Place::Rows(rows)
        });
        let Place::Rows(rows) = place else { unreachable!("a map's cell is a column") };
        rows
    }

    /// Mirrors a cell of a map; `kind` is its item's, which says what there is before the run.
    pub(super) fn column(&mut self, cell: CellId, kind: &ItemKind) -> u32 {
        if let Some(place) = self.cells[cell.0 as usize] {
            let Place::Column(column) = place else { unreachable!("a counter's cell has rows") };
            return column;
        }
        let ItemKind::Map { present, initial, fields } = kind else { unreachable!("only maps have columns") };
        let (empty, first) = if let Some(field) = fields.iter().find(|field| field.cell == cell) {
            (NULL, field.initial)
        } else {
            assert!(*present == cell, "a column is the presence or a field of its map");
            (0, 1)
        };
        let column = self.table.column(empty);
        for key in 0..u64::from(*initial) {
            if first != empty {
                let slot = self.table.make(key);
                self.table.write(column, slot, first);
            }
        }
        self.cells[cell.0 as usize] = Some(Place::Column(column));
        column
    }

    /// The variable that reads one row of a counter.
    pub(super) fn slot(&mut self, rows: Rows, key: u32) -> VariableId {
        self.leaf(Leaf::Slot(rows.base + key))
    }

    /// The variable that reads a field of one row of a map, or without a sort whether there is that row.
    pub(super) fn field(&mut self, column: u32, key: u64, sort: Option<Type>) -> VariableId {
        let slot = self.table.pin(key);
        self.leaf(match sort {
            Some(sort) => Leaf::Field { column, slot, sort },
            None => Leaf::Present { column, slot },
        })
    }

    /// The variable of a reading in predicates over rows; equal ones are kept once.
    pub(super) fn reading(&mut self, new: Named) -> VariableId {
        let found = self.readings.iter().position(|known| known.reading == new.reading);
        let number = found.unwrap_or_else(|| {
            self.readings.push(new);
            self.readings.len() - 1
        });
        VariableId(KEY.0 + 1 + number as u32)
    }

    /// What a variable of a predicate over rows reads; `None` for `value` and `key`.
    pub(super) fn named(&self, variable: VariableId) -> Option<&Named> {
        Some(&self.readings[variable.0.checked_sub(KEY.0 + 1)? as usize])
    }

    /// The variable that reads an aggregate; equal ones are kept once. `filter` has what it reads; it is about
    /// rows of `item`, and must know of the changes of `cells`.
    pub(super) fn aggregate(
        &mut self,
        kind: Kind,
        over: Over,
        filter: Option<(Program, Vec<VariableId>)>,
        (item, cells): (&str, &[CellId]),
    ) -> VariableId {
        let (filter, reads) = filter.map_or((None, Vec::new()), |(program, reads)| (Some(program), reads));
        let found = self.aggregates.iter().position(|a| a.kind == kind && a.over == over && a.filter == filter);
        let number = found.unwrap_or_else(|| {
            let new = Aggregate::new(kind, over, filter, self.mirror());
            self.faulty += u32::from(new.fault().is_some());
            self.aggregates.push(new);
            self.reads.push(reads);
            self.items.push(item.to_owned());
            let number = self.aggregates.len() - 1;
            for cell in cells {
                let list = &mut self.dependents[cell.0 as usize].aggregates;
                if list.last() != Some(&(number as u32)) {
                    list.push(number as u32);
                }
                self.dependents[cell.0 as usize].maps |= matches!(over, Over::Map { .. });
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

    /// `watch` judges each row by itself, and reads this cell at the row's key.
    pub(super) fn depend_each(&mut self, cell: CellId, watch: u32) {
        let each = &mut self.dependents[cell.0 as usize].each;
        if !each.contains(&watch) {
            each.push(watch);
        }
    }

    /// The cells that a promise reads.
    pub(super) fn read_by(&self, watch: u32) -> impl Iterator<Item = CellId> {
        let reads = move |of: &Dependents| of.readers.iter().any(|r| r.watch == watch) || of.each.contains(&watch);
        let numbers = self.dependents.iter().enumerate().filter(move |(_, of)| reads(of));
        numbers.map(|(cell, _)| CellId(cell as u32))
    }

    /// The symbol of a text. One that the scenario does not know is a new one, which no state ever holds.
    pub(super) fn symbol(&mut self, text: &str) -> u32 {
        let found = self.texts.iter().position(|t| t == text);
        found.unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        }) as u32
    }

    /// The text of a symbol.
    pub(super) fn text(&self, symbol: u32) -> &str {
        self.texts.get(symbol as usize).map_or("?", String::as_str)
    }

    /// Some promise names the cell.
    #[inline]
    pub(super) fn names(&self, cell: usize) -> bool {
        self.cells[cell].is_some()
    }

    /// Takes in one change and names the promises that read it. Panics if the cell had another value than the change
    /// says: then the engine and what it tells about itself have come apart. When a change is complete it is settled.
    #[inline]
    pub(super) fn apply(&mut self, delta: &Delta, reads: impl FnMut(u32)) {
        match self.cells[delta.cell.0 as usize] {
            None => {}
            Some(Place::Rows(rows)) => self.apply_to_row(delta, rows, reads),
            Some(Place::Column(column)) => self.apply_to_column(delta, column, reads),
        }
    }

    /// All promises are known: `always` says of one whether it only looks whether something holds.
    pub(super) fn find_plain(&mut self, always: impl Fn(u32) -> bool) {
        for of in &mut self.dependents {
            let mut watches: Vec<u32> = of.readers.iter().map(|reader| reader.watch).collect();
            watches.sort_unstable();
            watches.dedup();
            let once = watches.len() == of.readers.len() && watches.iter().all(|&watch| always(watch));
            of.plain = once && of.aggregates.is_empty() && of.each.is_empty() && !of.maps;
        }
    }

    /// A row of a counter has another value, of which only those must know that read it (`reader`): how many there are.
    /// None, and then nothing has happened, if there may be more to it.
    #[inline]
    pub(super) fn apply_plainly(&mut self, delta: &Delta) -> Option<usize> {
        let Some(Some(Place::Rows(rows))) = self.cells.get(delta.cell.0 as usize) else { return None };
        let dependents = self.dependents.get(delta.cell.0 as usize).filter(|of| of.plain)?;
        if delta.key >= u64::from(rows.keys) || delta.before == delta.after {
            return None;
        }
        let value = self.values.get_mut(rows.base as usize + delta.key as usize)?;
        check(delta, *value);
        *value = delta.after;
        Some(dependents.readers.len())
    }

    /// One of those that read a cell.
    #[inline]
    pub(super) fn reader(&self, cell: CellId, number: usize) -> Reader {
        self.dependents[cell.0 as usize].readers[number]
    }

    #[inline]
    fn apply_to_row(&mut self, delta: &Delta, rows: Rows, reads: impl FnMut(u32)) {
        assert!(delta.key < u64::from(rows.keys), "a change of row {} of a cell with {} rows", delta.key, rows.keys);
        let place = rows.base as usize + delta.key as usize;
        check(delta, self.values[place]);
        let before = std::mem::replace(&mut self.values[place], delta.after);
        if before == delta.after && delta.before == delta.after {
            return;
        }
        let slot = if self.dependents[delta.cell.0 as usize].maps { self.table.slot(delta.key) } else { None };
        self.tell(delta, before, slot, reads);
    }

    #[inline]
    fn apply_to_column(&mut self, delta: &Delta, column: u32, reads: impl FnMut(u32)) {
        let slot = self.table.slot(delta.key);
        let before = self.table.value(column, slot);
        check(delta, before);
        if before == delta.after {
            return;
        }
        let slot = slot.unwrap_or_else(|| self.table.make(delta.key));
        self.table.write(column, slot, delta.after);
        self.tell(delta, before, Some(slot), reads);
    }

    /// Tells whoever depends on a cell.
    #[inline]
    fn tell(&mut self, delta: &Delta, before: i64, slot: Option<u32>, mut reads: impl FnMut(u32)) {
        let Self { values, table, readings, dependents, aggregates, dirty, moved, faulty, judged, .. } = self;
        let dependents = &dependents[delta.cell.0 as usize];
        let mirror = Mirror { values, table, readings };
        for &number in &dependents.aggregates {
            let aggregate = &mut aggregates[number as usize];
            match (aggregate.over, slot) {
                (Over::Counter { .. }, _) => {
                    *judged += 1;
                    let turned = aggregate.update(delta.cell.0, delta.key, before, mirror);
                    *faulty = faulty.saturating_add_signed(turned);
                }
                (Over::Map { .. }, Some(slot)) => dirty.push((number, slot)),
                (Over::Map { .. }, None) => {}
            }
        }
        moved.extend(dependents.each.iter().map(|&watch| (watch, delta.key)));
        for reader in &dependents.readers {
            if reader.key.is_none_or(|k| k == delta.key) {
                reads(reader.watch);
            }
        }
    }

    /// The change is complete: judges the rows of maps that it touched.
    #[inline]
    pub(super) fn settle(&mut self) {
        if self.dirty.is_empty() {
            return;
        }
        let Self { values, table, readings, aggregates, dirty, faulty, judged, .. } = self;
        let mirror = Mirror { values, table, readings };
        dirty.sort_unstable();
        dirty.dedup();
        *judged += dirty.len() as u64;
        for (number, slot) in dirty.drain(..) {
            let turned = aggregates[number as usize].update_slot(slot, mirror);
            *faulty = faulty.saturating_add_signed(turned);
        }
    }

    /// The change is judged: forgets the rows that are gone.
    #[inline]
    pub(super) fn sweep(&mut self) {
        self.table.sweep();
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
    #[inline]
    pub(super) fn mirror(&self) -> Mirror<'_> {
        Mirror { values: &self.values, table: &self.table, readings: &self.readings }
    }

    /// How often a row of an aggregate was judged since the start.
    pub(super) const fn judged(&self) -> u64 {
        self.judged
    }
}

/// A restart restates what its log says: before and after are equal, and the mirror may not have it yet.
#[inline]
fn check(delta: &Delta, known: i64) {
    let fits = delta.before == delta.after || known == delta.before;
    assert!(fits, "a change of cell {} from a value it did not have", delta.cell.0);
}

impl Environment for State {
    #[inline]
    fn variable(&self, variable: VariableId) -> Value {
        match self.leaves[variable.0 as usize] {
            Leaf::Slot(place) => Value::Int(self.values[place as usize]),
            Leaf::Field { column, slot, sort } => decoded(self.table.value(column, Some(slot)), sort),
            Leaf::Present { column, slot } => present(self.table.value(column, Some(slot))),
            Leaf::Aggregate(number) => self.aggregates[number as usize].value(),
            Leaf::Before(number) => self.before[number as usize].1,
        }
    }

    fn row(&self, item: ItemId, key: i64) -> Value {
        unreachable!("row {key} of {item:?}: predicates read rows through variables")
    }
}
