//! How far the followers of a store are behind its leader. For charts: nobody's threshold asks for it.
//!
//! The leader is the machine with the highest term of those that believe that they lead; without one, its log stays where
//! it was. What a machine had executed counts although a crash sets it back, for it executes its log again.

use kernel::{Delta, Time};

use super::levels::Levels;
use super::wanted::label;
use crate::names::Names;

/// What machines of a store tell.
const FIGURES: [&str; 4] = ["term", "believed_leaders", "log_end", "applied_index"];
const TERM: usize = 0;
const LEADS: usize = 1;
const END: usize = 2;
const EXECUTED: usize = 3;
/// No such cell.
const NONE: u32 = u32::MAX;

/// All stores that somebody leads.
#[derive(Clone, Debug)]
pub(super) struct Replication {
    /// By cell: which store and figure it is, as store × 4 + figure.
    by_cell: Vec<u32>,
    pub(super) stores: Vec<Store>,
    /// Those that the change at hand is about.
    touched: Vec<u32>,
}

/// One store.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) name: String,
    /// By machine.
    now: Vec<[i64; 4]>,
    /// The end of the leader's log.
    end: i64,
    /// By machine: the level of its lag.
    pub(super) levels: Vec<usize>,
}

impl Replication {
    pub(super) fn new(names: &Names, levels: &mut Levels) -> Self {
        let mut stores: Vec<Store> = Vec::new();
        let mut by_cell = vec![NONE; names.cells.len()];
        for (code, cell) in by_cell.iter_mut().zip(&names.cells) {
            let Some(name) = label(&cell.labels, "store") else { continue };
            let view = cell.path.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
            let Some(figure) = FIGURES.iter().position(|figure| Some(*figure) == view) else { continue };
            let store = stores.iter().position(|store| store.name == name).unwrap_or_else(|| {
                let levels = (0..cell.keys).map(|_| levels.add()).collect();
                stores.push(Store { name: name.to_owned(), now: vec![[0; 4]; cell.keys as usize], end: 0, levels });
                stores.len() - 1
            });
            *code = (store * FIGURES.len() + figure) as u32;
        }
        Self { by_cell, stores, touched: Vec::new() }
    }

    /// Whether changes of this cell matter here.
    pub(super) fn knows(&self, cell: usize) -> bool {
        self.by_cell[cell] != NONE
    }

    /// Something changed, all of it at once.
    #[inline]
    pub(super) fn change(&mut self, now: Time, change: &[Delta], levels: &mut Levels) {
        if self.stores.is_empty() {
            return;
        }
        for delta in change {
            let code = self.by_cell[delta.cell.0 as usize];
            if code != NONE {
                self.tell(code as usize, delta);
            }
        }
        while let Some(store) = self.touched.pop() {
            self.stores[store as usize].compare(now, levels);
        }
    }

    fn tell(&mut self, code: usize, delta: &Delta) {
        let (store, figure) = (code / FIGURES.len(), code % FIGURES.len());
        let place = &mut self.stores[store].now[delta.key as usize][figure];
        *place = if figure == EXECUTED { delta.after.max(*place) } else { delta.after };
        if !self.touched.contains(&(store as u32)) {
            self.touched.push(store as u32);
        }
    }
}

impl Store {
    fn compare(&mut self, now: Time, levels: &mut Levels) {
        let leading = self.now.iter().enumerate().filter(|(_, machine)| machine[LEADS] > 0);
        let leader = leading.max_by_key(|(_, machine)| machine[TERM]).map(|(place, _)| place);
        if let Some(leader) = leader {
            self.end = self.now[leader][END];
        }
        for (place, machine) in self.now.iter().enumerate() {
            let lag = if leader == Some(place) { 0 } else { (self.end - machine[EXECUTED]).max(0) };
            levels.set(now, self.levels[place], lag);
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::CellId;

    use super::super::tests::{at, recorder};
    use super::*;
    use crate::names::{Cell, CellSort};

    #[test]
    fn a_lag_is_behind_the_leader_of_the_highest_term_and_a_crash_undoes_nothing() {
        let mut names = Names::default();
        for view in FIGURES {
            let (path, labels) = (format!("kv.{view}"), vec![("store", "kv".to_owned())]);
            names.cell(Cell { path, keys: 3, initial: 0, sort: CellSort::View, metric: None, labels });
        }
        let mut recorder = recorder(&names, &[]);
        let mut tell = |seconds, figure: usize, key, after| {
            recorder.change(at(seconds), &[Delta { cell: CellId(figure as u32), key, before: 0, after }]);
        };
        // The first machine leads in term 1 and has ten entries, of which the second has executed four.
        for (figure, after) in [(TERM, 1), (LEADS, 1), (END, 10), (EXECUTED, 10)] {
            tell(0, figure, 0, after);
        }
        tell(1, EXECUTED, 1, 4);
        // It crashes: what it had executed it will execute again. Nobody leads, and the log stays where it was.
        for figure in [LEADS, END, EXECUTED] {
            tell(2, figure, 0, 0);
        }
        tell(3, EXECUTED, 1, 10);
        // The second leads in term 2 with twelve entries; the first believes once more that it leads, in term 1.
        for (key, figure, after) in [(1, TERM, 2), (1, LEADS, 1), (1, END, 12), (0, LEADS, 1), (0, END, 11)] {
            tell(4, figure, key, after);
        }
        recorder.finish(at(12), &names);
        let lags = recorder.lags("kv");
        let ends: Vec<i64> = lags.iter().map(|lag| lag.end).collect();
        assert_eq!(ends, [2, 0, 12], "the second leads");
        assert_eq!((lags[0].max, lags[1].max), (2, 6), "after the warm-up, which ends at 1 s");
        assert!(recorder.lags("other").is_empty());
    }
}
