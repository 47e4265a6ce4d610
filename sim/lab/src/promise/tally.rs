//! What the rows that count come to: how many, their sum, the least, how many different ones.
//!
//! Counts and sums cost O(1) per row; `min` and `max` O(log n), by a tournament tree over the rows' places (a flat array:
//! no allocation but when it grows, and the walk to the root ends where nothing changes); `distinct` O(log n), by a
//! multiset. Sums are kept in 128 bits, so a sum that leaves 64 bits and comes back is right again.

use std::collections::BTreeMap;

use systems::expression::Value;

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

    /// It is about values, not only about which rows there are.
    pub(super) const fn of_values(self) -> bool {
        match self {
            Self::Count | Self::All | Self::Any => false,
            Self::Sum | Self::Min | Self::Max | Self::Distinct | Self::AllEqual => true,
        }
    }

    /// It calculates with the values.
    pub(super) const fn of_numbers(self) -> bool {
        match self {
            Self::Sum | Self::Min | Self::Max => true,
            Self::Count | Self::All | Self::Any | Self::Distinct | Self::AllEqual => false,
        }
    }
}

/// The rows that count, added up.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    kind: Kind,
    matching: u64,
    sum: i128,
    /// The tournament: leaves are the second half, the winner stands at 1.
    best: Vec<i64>,
    multiset: BTreeMap<i64, u64>,
}

impl Tally {
    /// Of no rows; `places` is how many there will be, if that is known.
    pub(super) fn new(kind: Kind, places: usize) -> Self {
        let size = if matches!(kind, Kind::Min | Kind::Max) { 2 * places.next_power_of_two() } else { 0 };
        let best = vec![worst(kind); size];
        Self { kind, matching: 0, sum: 0, best, multiset: BTreeMap::new() }
    }

    /// The row at this place counts, with this value.
    #[inline]
    pub(super) fn add(&mut self, place: u32, value: i64) {
        self.matching += 1;
        match self.kind {
            Kind::Count | Kind::All | Kind::Any => {}
            Kind::Sum => self.sum += i128::from(value),
            Kind::Min | Kind::Max => self.climb(place, value),
            Kind::Distinct | Kind::AllEqual => *self.multiset.entry(value).or_insert(0) += 1,
        }
    }

    /// The row at this place, which counted with this value, counts no more.
    #[inline]
    pub(super) fn remove(&mut self, place: u32, value: i64) {
        self.matching -= 1;
        match self.kind {
            Kind::Count | Kind::All | Kind::Any => {}
            Kind::Sum => self.sum -= i128::from(value),
            Kind::Min | Kind::Max => self.climb(place, worst(self.kind)),
            Kind::Distinct | Kind::AllEqual => {
                let times = self.multiset.get_mut(&value).expect("a row that counts was added before");
                *times -= 1;
                if *times == 0 {
                    self.multiset.remove(&value);
                }
            }
        }
    }

    /// A row that counts has another value now.
    #[inline]
    pub(super) fn replace(&mut self, place: u32, before: i64, after: i64) {
        match self.kind {
            Kind::Sum => self.sum += i128::from(after) - i128::from(before),
            Kind::Min | Kind::Max => self.climb(place, after),
            Kind::Count | Kind::All | Kind::Any | Kind::Distinct | Kind::AllEqual => {
                self.remove(place, before);
                self.add(place, after);
            }
        }
    }

    /// How many rows count.
    pub(super) const fn matching(&self) -> u64 {
        self.matching
    }

    /// The sum has left 64 bits.
    #[inline]
    pub(super) fn overflows(&self) -> bool {
        matches!(self.kind, Kind::Sum) && i64::try_from(self.sum).is_err()
    }

    /// What it comes to among so many rows; null for the least or largest of none.
    #[inline]
    pub(super) fn value(&self, rows: u64) -> Value {
        match self.kind {
            Kind::Count => Value::Int(self.matching as i64),
            Kind::Sum => i64::try_from(self.sum).map_or(Value::Null, Value::Int),
            Kind::Min | Kind::Max if self.matching == 0 => Value::Null,
            Kind::Min | Kind::Max => Value::Int(self.best[1]),
            Kind::All => Value::Bool(self.matching == rows),
            Kind::Any => Value::Bool(self.matching > 0),
            Kind::Distinct => Value::Int(self.multiset.len() as i64),
            Kind::AllEqual => Value::Bool(self.multiset.len() <= 1),
        }
    }

    /// Writes a leaf of the tournament and corrects the winners above it.
    #[inline]
    fn climb(&mut self, place: u32, value: i64) {
        while place as usize >= self.best.len() / 2 {
            self.grow();
        }
        let least = matches!(self.kind, Kind::Min);
        let mut at = self.best.len() / 2 + place as usize;
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

    /// Twice as many leaves: the old tree becomes the left half of the new one, level by level.
    #[cold]
    fn grow(&mut self) {
        let old = std::mem::take(&mut self.best);
        let mut new = vec![worst(self.kind); (2 * old.len()).max(4)];
        let mut level = 1;
        while level < old.len() {
            new[2 * level..3 * level].copy_from_slice(&old[level..2 * level]);
            level *= 2;
        }
        if old.len() > 1 {
            new[1] = old[1];
        }
        self.best = new;
    }
}

/// What loses against every row.
const fn worst(kind: Kind) -> i64 {
    if matches!(kind, Kind::Min) { i64::MAX } else { i64::MIN }
}
