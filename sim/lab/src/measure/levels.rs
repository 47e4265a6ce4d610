//! All levels of a run: one per row of every cell that is a metric, and sums of rows that thresholds ask for.

use kernel::{Delta, Time};

use super::level::Level;
use super::mail::is_count;
use crate::names::Names;

/// A cell that is no metric.
const NONE: u32 = u32::MAX;

/// What is known of a cell.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// The level of its first row, or `NONE`.
    first: u32,
    /// Who else wants to know of its changes.
    ears: Ears,
}

/// Who else wants to know of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ears(u8);

impl Ears {
    /// Nobody does.
    pub const NOBODY: Self = Self(0);
    /// Statistics that are more than levels.
    pub const STATISTICS: Self = Self(1);
    /// Promises.
    pub const PROMISES: Self = Self(2);

    /// These and those.
    #[inline]
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether those are among them.
    #[inline]
    pub const fn has(self, those: Self) -> bool {
        self.0 & those.0 != 0
    }
}

/// The levels.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    all: Vec<Level>,
    /// By level: in which phase its time counts.
    phase: Vec<usize>,
    cells: Vec<Cell>,
    /// What each sum is of: its rows' levels and its phase.
    known: Vec<(Vec<u32>, usize, usize)>,
}

impl Levels {
    pub(super) fn new(names: &Names) -> Self {
        let (mut all, mut cells) = (Vec::new(), Vec::new());
        for cell in &names.cells {
            let level = cell.metric.is_some_and(|metric| !is_count(metric));
            cells.push(Cell { first: if level { all.len() as u32 } else { NONE }, ears: Ears::NOBODY });
            if level {
                all.extend((0..cell.keys).map(|_| Level::new(cell.initial)));
            }
        }
        Self { phase: vec![0; all.len()], all, cells, known: Vec::new() }
    }

    /// Somebody else wants to know of the changes of these cells: [`Levels::change`] says so.
    pub(super) fn hear(&mut self, who: Ears, wanted: impl Fn(usize) -> bool) {
        for (_, cell) in self.cells.iter_mut().enumerate().filter(|(number, _)| wanted(*number)) {
            cell.ears = cell.ears.and(who);
        }
    }

    /// The level of one row.
    pub(super) fn row(&self, cell: usize, row: u64) -> &Level {
        &self.all[self.cells[cell].first as usize + row as usize]
    }

    pub(super) fn get(&self, level: usize) -> &Level {
        &self.all[level]
    }

    /// A level of its own, which no cell tells: see [`Levels::set`].
    pub(super) fn add(&mut self) -> usize {
        self.all.push(Level::new(0));
        self.phase.push(0);
        self.all.len() - 1
    }

    /// A level that [`Levels::add`] gave has this value from now on. Unlike what cells tell, it is seen even if it stands
    /// for no time at all.
    pub(super) fn set(&mut self, now: Time, level: usize, value: i64) {
        let by = value - self.all[level].value;
        if by == 0 {
            return;
        }
        self.all[level].change(now, by);
        self.change_sums(now, level, by);
        for n in 0..self.all[level].sums.len() {
            let sum = self.all[level].sums[n];
            self.all[sum as usize].glimpse(now);
        }
        self.all[level].glimpse(now);
    }

    /// The level that is the sum of these rows, counted in a phase.
    pub(super) fn together(&mut self, rows: &[(usize, u64)], phase: usize) -> usize {
        let rows = rows.iter().map(|(cell, row)| self.cells[*cell].first + *row as u32).collect();
        self.sum(rows, phase)
    }

    /// The level that is the sum of these, counted in a phase.
    pub(super) fn sum(&mut self, rows: Vec<u32>, phase: usize) -> usize {
        match rows[..] {
            [row] if phase == 0 => return row as usize,
            _ => {}
        }
        if let Some((_, _, level)) = self.known.iter().find(|(r, p, _)| *r == rows && *p == phase) {
            return *level;
        }
        let level = self.all.len();
        self.all.push(Level::new(rows.iter().map(|&row| self.all[row as usize].value).sum()));
        self.phase.push(phase);
        for &row in &rows {
            self.all[row as usize].sums.push(level as u32);
        }
        self.known.push((rows, phase, level));
        level
    }

    /// A row has changed. Gives who else wants to know; none, and then nothing has happened, if there is more to it than
    /// another value of a level that has stood at the last one before.
    #[expect(clippy::inline_always, reason = "it is the innermost loop of what is measured")]
    #[inline(always)]
    pub(super) fn change_known(&mut self, now: Time, delta: &Delta) -> Option<Ears> {
        let cell = *self.cells.get(delta.cell.0 as usize)?;
        if cell.first == NONE {
            return Some(cell.ears);
        }
        let row = self.all.get_mut(cell.first as usize + delta.key as usize)?;
        if delta.before == delta.after || !row.change_known(now, delta.after - delta.before) {
            return None;
        }
        Some(cell.ears)
    }

    /// The same, whatever has changed.
    pub(super) fn change(&mut self, now: Time, delta: &Delta) -> Ears {
        let cell = self.cells[delta.cell.0 as usize];
        if cell.first == NONE {
            return cell.ears;
        }
        let level = cell.first as usize + delta.key as usize;
        let row = &mut self.all[level];
        // What is stated again after a restart may differ from what was told last.
        let by = delta.after - if delta.before == delta.after { row.value } else { delta.before };
        row.change(now, by);
        if !row.sums.is_empty() {
            self.change_sums(now, level, by);
        }
        cell.ears
    }

    /// A row has changed that sums have a part of.
    #[inline(never)]
    fn change_sums(&mut self, now: Time, level: usize, by: i64) {
        for n in 0..self.all[level].sums.len() {
            let sum = self.all[level].sums[n];
            self.all[sum as usize].change(now, by);
        }
    }

    pub(super) fn settle(&mut self, now: Time) {
        for level in &mut self.all {
            level.settle(now);
        }
    }

    pub(super) fn mark(&mut self) {
        for level in &mut self.all {
            level.mark();
        }
    }

    pub(super) fn close_window(&mut self, now: Time) {
        for level in &mut self.all {
            level.close_window(now);
        }
    }

    /// A phase begins or ends: its levels are counted from here on, or no more. Extremes of the measured time are looked
    /// at until the end of the run.
    pub(super) fn turn(&mut self, phase: usize, begins: bool) {
        for (level, _) in self.all.iter_mut().zip(&self.phase).filter(|(_, its)| **its == phase) {
            level.turn(begins, begins || phase == 0);
        }
    }
}
