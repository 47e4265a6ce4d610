//! Tables: units in the headers, numbers right-aligned, a limit of rows with a note where the rest stands.

use super::markup::Markup;
use std::cmp::Reverse;

/// As many rows as a table shows; all of them stand in the files.
pub(super) const MOST_ROWS: usize = 40;
/// A cell without a value.
pub(super) const NONE: &str = "–";

/// A column: its name, its unit, and whether it holds numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    name: &'static str,
    unit: &'static str,
    sort: Sort,
}

/// How the cells of a column are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sort {
    Words,
    /// Words that stay in one line.
    Moment,
    /// What stands in the scenario.
    Code,
    Number,
}

/// A column of words.
pub(crate) const fn words(name: &'static str) -> Column {
    Column { name, unit: "", sort: Sort::Words }
}

/// A column of moments, which stay in one line.
pub(crate) const fn moments(name: &'static str) -> Column {
    Column { name, unit: "", sort: Sort::Moment }
}

/// A column of what stands in the scenario.
pub(crate) const fn code(name: &'static str) -> Column {
    Column { name, unit: "", sort: Sort::Code }
}

/// A column of numbers; `unit` may be empty.
pub(crate) const fn numbers(name: &'static str, unit: &'static str) -> Column {
    Column { name, unit, sort: Sort::Number }
}

/// A table in the making.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// `data`, or `stacked`: on a narrow page each row becomes a small block.
    class: &'static str,
    columns: Vec<Column>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    cells: Vec<String>,
    /// A line below the row, over its whole width.
    below: Option<String>,
    faint: bool,
}

impl Table {
    /// A table with these columns and no rows; the first column says what a row is about.
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self { class: "data", columns: columns.to_vec(), rows: Vec::new() }
    }

    /// On a narrow page each row becomes a small block.
    pub(crate) fn stacked(self) -> Self {
        Self { class: "stacked", ..self }
    }

    /// A row, with a cell per column.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.columns.len(), "a row has a cell per column");
        self.rows.push(Row { cells, below: None, faint: false });
    }

    /// A line below the last row.
    pub(crate) fn below(&mut self, text: String) {
        let row = self.rows.last_mut().expect("it stands below a row");
        row.below = Some(text);
    }

    /// The last row matters less.
    pub(crate) fn faint(&mut self) {
        let row = self.rows.last_mut().expect("a row was added");
        row.faint = true;
    }

    /// Takes out the named columns that hold nothing but this.
    pub(crate) fn without_empty(mut self, names: &[&str], nothing: &[&str]) -> Self {
        for place in (0..self.columns.len()).rev() {
            let empty = self.rows.iter().all(|row| nothing.contains(&row.cells[place].as_str()));
            if empty && names.contains(&self.columns[place].name) {
                self.columns.remove(place);
                self.rows.iter_mut().for_each(|row| drop(row.cells.remove(place)));
            }
        }
        self
    }

    /// Writes it, in a box of its own that scrolls where the page is too narrow, with a note below.
    pub(crate) fn write(&self, page: &mut Markup, note: Option<&str>) {
        page.node("div", &[("class", "scroll"), ("tabindex", "0")], |scroll| {
            scroll.node("table", &[("class", self.class)], |table| {
                table.node("thead", &[], |head| {
                    head.node("tr", &[], |row| self.columns.iter().for_each(|column| header(row, *column)));
                });
                table.node("tbody", &[], |body| self.rows.iter().for_each(|row| self.line(body, row)));
            });
        });
        if let Some(note) = note {
            page.leaf("p", &[("class", "note")], note);
        }
    }

    fn line(&self, body: &mut Markup, row: &Row) {
        let class = match (row.faint, row.below.is_some()) {
            (false, false) => "",
            (false, true) => "above",
            (true, false) => "faint",
            (true, true) => "faint above",
        };
        body.node("tr", &[("class", class)][..usize::from(!class.is_empty())], |line| {
            for (place, (cell, column)) in row.cells.iter().zip(&self.columns).enumerate() {
                match (place, column.sort) {
                    (0, _) => line.leaf("th", &[("scope", "row")], cell),
                    (_, Sort::Number) => line.leaf("td", &[("class", "n")], cell),
                    (_, Sort::Moment) => line.leaf("td", &[("class", "moment")], cell),
                    (_, Sort::Words) => line.leaf("td", &[], cell),
                    (_, Sort::Code) => line.node("td", &[("class", "says")], |inside| {
                        inside.leaf("code", &[], cell);
                    }),
                };
            }
        });
        if let Some(text) = &row.below {
            let class = if row.faint { "below faint" } else { "below" };
            body.node("tr", &[("class", class)], |line| {
                line.leaf("td", &[("colspan", &self.columns.len().to_string())], text);
            });
        }
    }
}

fn header(row: &mut Markup, column: Column) {
    let class: &[(&'static str, &str)] =
        if column.sort == Sort::Number { &[("scope", "col"), ("class", "n")] } else { &[("scope", "col")] };
    row.node("th", class, |cell| {
        cell.say(column.name);
        if !column.unit.is_empty() {
            cell.say(" ").leaf("span", &[("class", "unit")], column.unit);
        }
    });
}

/// At most as many as a table shows, those with the largest keys, in their own order; and a note if some are left out:
/// `40 of 200, the deepest; all in queues.csv`.
pub(super) fn most<'a, T, K: Ord>(
    all: &'a [T],
    which: &str,
    file: &str,
    key: impl Fn(&T) -> K,
) -> (Vec<&'a T>, Option<String>) {
    let mut places: Vec<usize> = (0..all.len()).collect();
    places.sort_by_key(|place| Reverse(key(&all[*place])));
    places.truncate(MOST_ROWS);
    places.sort_unstable();
    let left_out = all.len() > MOST_ROWS;
    let note = left_out.then(|| format!("{MOST_ROWS} of {}, {which}; all of them are in {file}", all.len()));
    (places.into_iter().map(|place| &all[place]).collect(), note)
}
