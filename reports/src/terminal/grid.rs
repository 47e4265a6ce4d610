//! Tables with aligned columns: the first to the left, numbers to the right.

use super::columns;
use super::paint::Paint;

/// A table; its first header is the section's name.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Lines that follow a row, indented: (row, text).
    remarks: Vec<(usize, String)>,
}

impl Grid {
    pub(super) fn new(header: &[&str]) -> Self {
        Self { header: header.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new(), remarks: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.header.len(), "a cell per column");
        self.rows.push(cells);
    }

    /// Adds a line below the last row.
    pub(super) fn remark(&mut self, text: String) {
        self.remarks.push((self.rows.len(), text));
    }

    /// Takes out the columns with these headers whose cells are all `empty`.
    pub(super) fn without_empty(mut self, headers: &[&str], empty: &str) -> Self {
        for header in headers {
            let Some(column) = self.header.iter().position(|name| name == header) else { continue };
            if self.rows.iter().all(|row| row[column] == empty) {
                self.header.remove(column);
                for row in &mut self.rows {
                    row.remove(column);
                }
            }
        }
        self
    }

    /// The lines of the table; nothing at all without rows.
    pub(super) fn lines(&self, paint: Paint) -> Vec<String> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let width = |column: usize| {
            let indent = if column == 0 { 2 } else { 0 };
            let cells = self.rows.iter().map(|row| columns(&row[column]) + indent);
            cells.chain([columns(&self.header[column])]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        let numbers = |cells: &[String]| {
            let padded =
                cells.iter().zip(&widths).skip(1).map(|(cell, width)| format!("  {}{cell}", pad(*width, cell)));
            padded.collect::<String>()
        };
        let first = &self.header[0];
        let head = format!("{}{}", pad(widths[0], first), paint.faint(&numbers(&self.header)));
        let mut lines = vec![format!("{}{head}", paint.bold(first))];
        for (number, row) in self.rows.iter().enumerate() {
            let name = format!("  {}", row[0]);
            lines.push(format!("{name}{}{}", pad(widths[0], &name), numbers(row)));
            let after = self.remarks.iter().filter(|(row, _)| *row == number + 1);
            lines.extend(after.map(|(_, text)| format!("    {text}")));
        }
        lines
    }
}

fn pad(width: usize, text: &str) -> String {
    " ".repeat(width.saturating_sub(columns(text)))
}
