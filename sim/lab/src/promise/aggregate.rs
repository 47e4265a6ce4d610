//! One aggregate over the rows of a counter or a map, kept up to date row by row.
//!
//! When something changes that its predicate reads at a key, the row of that key is judged again, and no other. A row
//! that cannot be evaluated makes the whole aggregate a fault until the row changes again. What is made of the rows that
//! count stands in `tally`; what a predicate over a row sees, in `reading`.

use systems::expression::{Fault, Program, Value};

use super::reading::{Mirror, Rows};
use super::tally::{Kind, Tally};
use kernel::NULL;

/// The rows it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Over {
    /// All rows of a counter's cell.
    Counter { cell: u32, rows: Rows },
    /// The rows of a map that are there; `value` is the column of the field that is added up, if one is.
    Map { present: u32, value: Option<u32> },
}

/// Whether a row counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    /// There is no such row.
    Absent,
    Counts,
    Not,
    /// Its predicate cannot be evaluated.
    Broken,
}

/// An aggregate.
#[derive(Clone, Debug)]
pub(super) struct Aggregate {
    pub(super) kind: Kind,
    pub(super) over: Over,
    /// Which rows count; all without it.
    pub(super) filter: Option<Program>,
    /// By place (a counter's key, a map's slot), for a map or with a filter.
    standings: Vec<Standing>,
    /// By slot, for a map: the value that a row which counts was added with.
    given: Vec<i64>,
    /// How many rows there are.
    rows: u64,
    tally: Tally,
    broken_rows: u64,
    fault: Fault,
    /// It has no value now.
    faulty: bool,
}

impl Aggregate {
    /// The aggregate of the rows as they are in `mirror`.
    pub(super) fn new(kind: Kind, over: Over, filter: Option<Program>, mirror: Mirror<'_>) -> Self {
        let places = match over {
            Over::Counter { rows, .. } => rows.keys,
            Over::Map { .. } => mirror.table.len(),
        };
        let standings = match over {
            Over::Counter { .. } if filter.is_none() => 0,
            Over::Counter { .. } | Over::Map { .. } => places as usize,
        };
        let mut new = Self {
            kind,
            over,
            filter,
            standings: vec![Standing::Absent; standings],
            given: Vec::new(),
            rows: 0,
            tally: Tally::new(kind, places as usize),
            broken_rows: 0,
            fault: Fault::Missing,
            faulty: false,
        };
        for place in 0..places {
            match over {
                Over::Counter { rows, .. } => {
                    let value = mirror.values[(rows.base + place) as usize];
                    if new.filter.is_some() {
                        new.judge(place, u64::from(place), value, mirror);
                    } else {
                        new.rows += 1;
                        new.tally.add(place, value);
                    }
                }
                Over::Map { .. } => new.judge_slot(place, mirror),
            }
        }
        new.faulty = new.fault().is_some();
        new
    }

    /// The value of a counter's row, if it counts.
    pub(super) fn row(&self, key: u64, value: i64, mirror: Mirror<'_>) -> Result<Option<i64>, Fault> {
        let Some(filter) = &self.filter else { return Ok(Some(value)) };
        Ok(filter.truth(&mirror.row(key, mirror.table.slot(key), value))?.then_some(value))
    }

    /// Whether the row of a map that stands here is there, and counts, with its value; what is missing is left out.
    pub(super) fn slot(&self, slot: u32, mirror: Mirror<'_>) -> Result<Option<i64>, Fault> {
        let Over::Map { present, value } = self.over else { return Ok(None) };
        if mirror.table.value(present, Some(slot)) == 0 {
            return Ok(None);
        }
        if let Some(filter) = &self.filter
            && !filter.truth(&mirror.row(mirror.table.key(slot), Some(slot), 0))?
        {
            return Ok(None);
        }
        Ok(value.map_or(Some(0), |column| Some(mirror.table.value(column, Some(slot))).filter(|&v| v != NULL)))
    }

    /// Row `key` of the counter `cell` went from `before` to what `mirror` says now. Returns by how much the number of
    /// aggregates without a value changes.
    #[inline]
    pub(super) fn update(&mut self, cell: u32, key: u64, before: i64, mirror: Mirror<'_>) -> i32 {
        let Over::Counter { cell: own, rows } = self.over else { return 0 };
        if key >= u64::from(rows.keys) {
            return 0;
        }
        let value = mirror.values[rows.base as usize + key as usize];
        if self.filter.is_none() {
            self.tally.replace(key as u32, before, value);
        } else {
            // Another cell that the predicate reads may have changed, and not the row itself.
            self.judge(key as u32, key, if cell == own { before } else { value }, mirror);
        }
        self.turned()
    }

    /// Something in this slot has changed. Returns as `update`.
    #[inline]
    pub(super) fn update_slot(&mut self, slot: u32, mirror: Mirror<'_>) -> i32 {
        self.judge_slot(slot, mirror);
        self.turned()
    }

    #[inline]
    fn turned(&mut self) -> i32 {
        let faulty = self.fault().is_some();
        i32::from(faulty) - i32::from(std::mem::replace(&mut self.faulty, faulty))
    }

    /// Takes a counter's row out with the value it had, and puts it in again if it counts now.
    #[inline]
    fn judge(&mut self, place: u32, key: u64, before: i64, mirror: Mirror<'_>) {
        let Over::Counter { rows, .. } = self.over else { return };
        let value = mirror.values[(rows.base + place) as usize];
        let now = match self.row(key, value, mirror) {
            Ok(Some(_)) => Standing::Counts,
            Ok(None) => Standing::Not,
            Err(fault) => self.broken(fault),
        };
        self.stand(place, now, before, value);
    }

    /// The same for a map's row, whose value at the time is kept.
    #[inline]
    fn judge_slot(&mut self, slot: u32, mirror: Mirror<'_>) {
        let Over::Map { present, .. } = self.over else { return };
        if slot as usize >= self.standings.len() {
            self.standings.resize(slot as usize + 1, Standing::Absent);
        }
        let mut value = 0;
        let now = match self.slot(slot, mirror) {
            Ok(Some(counted)) => {
                value = counted;
                Standing::Counts
            }
            Ok(None) if mirror.table.value(present, Some(slot)) == 0 => Standing::Absent,
            Ok(None) => Standing::Not,
            Err(fault) => self.broken(fault),
        };
        if !self.kind.of_values() {
            self.stand(slot, now, 0, 0);
            return;
        }
        if slot as usize >= self.given.len() {
            self.given.resize(slot as usize + 1, 0);
        }
        let before = std::mem::replace(&mut self.given[slot as usize], value);
        self.stand(slot, now, before, value);
    }

    fn broken(&mut self, fault: Fault) -> Standing {
        self.fault = fault;
        Standing::Broken
    }

    /// The row at this place, whose value went from `before` to `value`, stands so now.
    #[inline]
    fn stand(&mut self, place: u32, now: Standing, before: i64, value: i64) {
        let was = std::mem::replace(&mut self.standings[place as usize], now);
        self.rows = self.rows + u64::from(now != Standing::Absent) - u64::from(was != Standing::Absent);
        if was == Standing::Counts {
            if now == Standing::Counts {
                if before != value {
                    self.tally.replace(place, before, value);
                }
                return;
            }
            self.tally.remove(place, before);
        }
        if now == Standing::Counts {
            self.tally.add(place, value);
        }
        self.broken_rows = self.broken_rows + u64::from(now == Standing::Broken) - u64::from(was == Standing::Broken);
    }

    /// Why it has no value now, if it has none.
    #[inline]
    pub(super) fn fault(&self) -> Option<Fault> {
        if self.broken_rows > 0 {
            return Some(self.fault);
        }
        self.tally.overflows().then_some(Fault::Overflow)
    }

    /// Its value; null for the least or largest of no rows, and while it is a fault.
    #[inline]
    pub(super) fn value(&self) -> Value {
        self.tally.value(self.rows)
    }

    /// How many rows count.
    pub(super) const fn matching(&self) -> u64 {
        self.tally.matching()
    }
}
