//! One aggregate over the rows of a cell, kept up to date row by row.
//!
//! Counting forms and sums cost O(1) per changed row; `min` and `max` O(log n), by a tournament tree over the rows (a
//! flat array: no allocation, and the walk to the root ends where nothing changes); `distinct` O(log n), by a multiset.
//! A row that cannot be evaluated makes the whole aggregate a fault until the row changes again. Sums are kept in 128
//! bits, so a sum that leaves 64 bits and comes back is right again.

use std::collections::BTreeMap;

use systems::expression::{Environment, Fault, ItemId, Program, Value, VariableId};

/// What is made of the rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Count,
    Sum,
    Min,
    Max,
    All,
    Any,
    Distinct,
    AllEqual,
}

impl Kind {
    /// The function of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "count" => Self::Count,
            "sum" => Self::Sum,
            "min" => Self::Min,
            "max" => Self::Max,
            "all" => Self::All,
            "any" => Self::Any,
            "distinct" => Self::Distinct,
            "all_equal" => Self::AllEqual,
            _ => return None,
        })
    }
}

/// Where the rows of a cell stand among the mirrored values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rows {
    pub(super) base: u32,
    pub(super) keys: u32,
}

/// The bare name `value` in a predicate over rows.
pub(super) const VALUE: VariableId = VariableId(0);
/// The bare name `key` in a predicate over rows.
pub(super) const KEY: VariableId = VariableId(1);

/// What a predicate over one row sees: the row, and rows with the same key elsewhere (an `ItemId` is a cell's number).
struct RowView<'a> {
    key: u32,
    value: i64,
    values: &'a [i64],
    cells: &'a [Option<Rows>],
}

impl Environment for RowView<'_> {
    fn variable(&self, variable: VariableId) -> Value {
        Value::Int(if variable == VALUE { self.value } else { i64::from(self.key) })
    }

    fn row(&self, item: ItemId, key: i64) -> Value {
        let rows = self.cells[item.0 as usize].expect("every cell a predicate names is mirrored");
        let inside = u32::try_from(key).is_ok_and(|k| k < rows.keys);
        if inside { Value::Int(self.values[rows.base as usize + key as usize]) } else { Value::Null }
    }
}

/// The mirrored values an aggregate reads.
#[derive(Clone, Copy)]
pub(super) struct Mirror<'a> {
    pub(super) values: &'a [i64],
    /// By `CellId`.
    pub(super) cells: &'a [Option<Rows>],
}

/// Whether a row counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Counts,
    Not,
    /// Its predicate cannot be evaluated.
    Broken,
}

/// An aggregate.
#[derive(Clone, Debug)]
pub(super) struct Aggregate {
    pub(super) kind: Kind,
    /// The cell whose rows it is about.
    pub(super) cell: u32,
    pub(super) rows: Rows,
    /// Which rows count; all without it.
    pub(super) filter: Option<Program>,
    /// By row, if there is a filter.
    standings: Vec<Standing>,
    matching: u64,
    sum: i128,
    best: Vec<i64>,
    multiset: BTreeMap<i64, u64>,
    broken_rows: u64,
    fault: Fault,
    /// It has no value now.
    faulty: bool,
}

impl Aggregate {
    /// The aggregate of the rows as they are in `mirror`.
    pub(super) fn new(kind: Kind, cell: u32, rows: Rows, filter: Option<Program>, mirror: Mirror<'_>) -> Self {
        let size = match kind {
            Kind::Min | Kind::Max => 2 * (rows.keys as usize).next_power_of_two(),
            Kind::Count | Kind::Sum | Kind::All | Kind::Any | Kind::Distinct | Kind::AllEqual => 0,
        };
        let mut new = Self {
            kind,
            cell,
            rows,
            standings: vec![Standing::Not; if filter.is_some() { rows.keys as usize } else { 0 }],
            filter,
            matching: 0,
            sum: 0,
            best: vec![0; size],
            multiset: BTreeMap::new(),
            broken_rows: 0,
            fault: Fault::Missing,
            faulty: false,
        };
        let worst = new.worst();
        new.best.fill(worst);
        for key in 0..rows.keys {
            let standing = new.standing(key, mirror);
            if standing == Standing::Counts {
                new.add(key, mirror.values[(rows.base + key) as usize]);
            }
            if let Some(place) = new.standings.get_mut(key as usize) {
                *place = standing;
            }
            new.broken_rows += u64::from(standing == Standing::Broken);
        }
        new.faulty = new.fault().is_some();
        new
    }

    /// What loses against every row.
    const fn worst(&self) -> i64 {
        if matches!(self.kind, Kind::Min) { i64::MAX } else { i64::MIN }
    }

    /// The value of a row, if it counts.
    pub(super) fn row(&self, key: u32, mirror: Mirror<'_>) -> Result<Option<i64>, Fault> {
        let value = mirror.values[(self.rows.base + key) as usize];
        let Some(filter) = &self.filter else { return Ok(Some(value)) };
        let view = RowView { key, value, values: mirror.values, cells: mirror.cells };
        Ok(filter.truth(&view)?.then_some(value))
    }

    #[inline]
    fn standing(&mut self, key: u32, mirror: Mirror<'_>) -> Standing {
        match self.row(key, mirror) {
            Ok(Some(_)) => Standing::Counts,
            Ok(None) => Standing::Not,
            Err(fault) => {
                self.fault = fault;
                Standing::Broken
            }
        }
    }

    /// Row `key` of cell `cell` went from `before` to what `mirror` says now. Returns by how much the number of
    /// aggregates without a value changes.
    #[inline]
    pub(super) fn update(&mut self, cell: u32, key: u32, before: i64, mirror: Mirror<'_>) -> i32 {
        if key >= self.rows.keys {
            return 0;
        }
        let value = mirror.values[(self.rows.base + key) as usize];
        if self.filter.is_none() {
            match self.kind {
                Kind::Sum => self.sum += i128::from(value) - i128::from(before),
                Kind::Min | Kind::Max => self.climb(key, value),
                Kind::Count | Kind::All | Kind::Any | Kind::Distinct | Kind::AllEqual => {
                    self.remove(key, before);
                    self.add(key, value);
                }
            }
        } else {
            // Another cell that the predicate reads may have changed, and not the row itself.
            self.judge(key, if cell == self.cell { before } else { value }, value, mirror);
        }
        let faulty = self.fault().is_some();
        i32::from(faulty) - i32::from(std::mem::replace(&mut self.faulty, faulty))
    }

    /// Takes the row out with the value it had, and puts it in again if it counts now.
    fn judge(&mut self, key: u32, before: i64, value: i64, mirror: Mirror<'_>) {
        let now = self.standing(key, mirror);
        let was = std::mem::replace(&mut self.standings[key as usize], now);
        match was {
            Standing::Counts => self.remove(key, before),
            Standing::Not => {}
            Standing::Broken => self.broken_rows -= 1,
        }
        match now {
            Standing::Counts => self.add(key, value),
            Standing::Not => {}
            Standing::Broken => self.broken_rows += 1,
        }
    }

    #[inline]
    fn remove(&mut self, key: u32, value: i64) {
        self.matching -= 1;
        match self.kind {
            Kind::Count | Kind::All | Kind::Any => {}
            Kind::Sum => self.sum -= i128::from(value),
            Kind::Min | Kind::Max => self.climb(key, self.worst()),
            Kind::Distinct | Kind::AllEqual => {
                let times = self.multiset.get_mut(&value).expect("a row that counts was added before");
                *times -= 1;
                if *times == 0 {
                    self.multiset.remove(&value);
                }
            }
        }
    }

    #[inline]
    fn add(&mut self, key: u32, value: i64) {
        self.matching += 1;
        match self.kind {
            Kind::Count | Kind::All | Kind::Any => {}
            Kind::Sum => self.sum += i128::from(value),
            Kind::Min | Kind::Max => self.climb(key, value),
            Kind::Distinct | Kind::AllEqual => *self.multiset.entry(value).or_insert(0) += 1,
        }
    }

    /// Writes a leaf of the tournament tree and corrects the winners above it.
    #[inline]
    fn climb(&mut self, key: u32, value: i64) {
        let least = matches!(self.kind, Kind::Min);
        let mut at = self.best.len() / 2 + key as usize;
        let mut winner = value;
        while self.best[at] != winner {
            self.best[at] = winner;
            if at == 1 {
                return;
            }
            let other = self.best[at ^ 1];
            winner = if least { winner.min(other) } else { winner.max(other) };
            at /= 2;
        }
    }

    /// Why it has no value now, if it has none.
    #[inline]
    pub(super) fn fault(&self) -> Option<Fault> {
        if self.broken_rows > 0 {
            return Some(self.fault);
        }
        let beyond = matches!(self.kind, Kind::Sum) && i64::try_from(self.sum).is_err();
        beyond.then_some(Fault::Overflow)
    }

    /// Its value; null for the least or largest of no rows, and while it is a fault.
    #[inline]
    pub(super) fn value(&self) -> Value {
        match self.kind {
            Kind::Count => Value::Int(self.matching as i64),
            Kind::Sum => i64::try_from(self.sum).map_or(Value::Null, Value::Int),
            Kind::Min | Kind::Max if self.matching == 0 => Value::Null,
            Kind::Min | Kind::Max => Value::Int(self.best[1]),
            Kind::All => Value::Bool(self.matching == u64::from(self.rows.keys)),
            Kind::Any => Value::Bool(self.matching > 0),
            Kind::Distinct => Value::Int(self.multiset.len() as i64),
            Kind::AllEqual => Value::Bool(self.multiset.len() <= 1),
        }
    }
}
