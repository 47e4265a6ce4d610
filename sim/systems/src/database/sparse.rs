//! Rows that come and go: found by a hash of their keys, told in the order of their keys.

use alloc::vec::Vec;

use kernel::hashing::Map;

use super::table::Row;

/// Rows by key.
#[derive(Clone, Default, Debug)]
pub struct SparseRows {
    /// By key: the place of its row.
    places: Map<i64, usize>,
    rows: Vec<(i64, Row)>,
}

impl SparseRows {
    /// The row with this key, if there is one.
    pub(super) fn get(&self, key: i64) -> Option<&Row> {
        let place = *self.places.get(&key)?;
        Some(&self.rows[place].1)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// A row becomes this. Gives what it was.
    pub(super) fn insert(&mut self, key: i64, row: Row) -> Option<Row> {
        if let Some(&place) = self.places.get(&key) {
            return Some(core::mem::replace(&mut self.rows[place].1, row));
        }
        self.places.insert(key, self.rows.len());
        self.rows.push((key, row));
        None
    }

    /// A row goes. Gives what it was.
    pub(super) fn remove(&mut self, key: i64) -> Option<Row> {
        let place = self.places.remove(&key)?;
        let (_, row) = self.rows.swap_remove(place);
        if let Some((moved, _)) = self.rows.get(place) {
            self.places.insert(*moved, place);
        }
        Some(row)
    }

    /// All of them, in the order of their keys.
    pub(super) fn in_order(&self) -> Vec<&(i64, Row)> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        rows
    }
}

impl FromIterator<(i64, Row)> for SparseRows {
    fn from_iter<I: IntoIterator<Item = (i64, Row)>>(rows: I) -> Self {
        let mut all = Self::default();
        for (key, row) in rows {
            all.insert(key, row);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::sync::Arc;

    /// The same operations on the rows and on an ordered map.
    #[test]
    fn behave_as_an_ordered_map() {
        let (mut rows, mut model) = (SparseRows::default(), BTreeMap::new());
        let mut state = 1;
        for version in 0..10_000 {
            state = kernel::fold(state, version);
            let (key, row) = ((state % 40) as i64 - 20, Row { values: Arc::new([]), version });
            if state >> 60 < 8 {
                assert_eq!(rows.insert(key, row.clone()), model.insert(key, row));
            } else {
                assert_eq!(rows.remove(key), model.remove(&key));
            }
            assert_eq!((rows.get(key), rows.len()), (model.get(&key), model.len()));
        }
        let in_order: Vec<_> = rows.in_order().into_iter().cloned().collect();
        assert_eq!(in_order, model.into_iter().collect::<Vec<_>>());
    }
}
