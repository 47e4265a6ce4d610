//! Heat maps of a sweep: how likely a run is to fail, and what was measured, over the values of the matrix; over points and
//! promises where there is no matrix of two sides. As values for the page, and as pictures.

use super::{Point, SweepSummary};
use crate::charts::canvas::{Area, Drawn, Picture, Scale, fitted, render, width};
use crate::charts::colour::{AXIS, BLUE, FAINT, GRID, TEXT, TITLE, VERMILION};
use crate::number::{percent, quantity};
use lab::outcome::Quantity;
use plotters::prelude::{Color, DrawingBackend, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{RGBColor, WHITE};

/// As many rows, and as many columns, as a map has; a larger one is not drawn.
pub const SIDE_MAX: usize = 40;

/// A map.
#[derive(Clone, PartialEq, Debug)]
pub struct HeatMap {
    /// The name of its files: `heat-failures`.
    pub file: &'static str,
    /// What its cells show.
    pub title: String,
    /// What its rows are.
    pub rows_are: String,
    /// What its columns are.
    pub columns_are: String,
    /// The columns.
    pub columns: Vec<String>,
    /// The rows, each with a cell per column.
    pub rows: Vec<(String, Vec<Cell>)>,
    /// What the palest and the strongest colour stand for.
    pub ends: (String, String),
    /// Which colour.
    pub heat: Heat,
}

/// Which colour a map has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heat {
    /// Of failures.
    Failures,
    /// Of something measured.
    Measured,
}

/// A cell.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// Something is known.
    Known {
        /// The number.
        text: String,
        /// Its interval.
        interval: String,
        /// How strong its colour is, 0 to 1.
        heat: f64,
    },
    /// It was run, and nothing is known.
    Unknown,
    /// It was not run.
    NotRun,
}

/// The maps of a sweep: none for a single point with one promise or none.
pub fn maps(summary: &SweepSummary) -> Vec<HeatMap> {
    let variants = summary.points.iter().any(|point| point.variant != summary.points[0].variant);
    let two_sides = summary.axes.len() + usize::from(variants) >= 2 && !summary.axes.is_empty();
    let maps = if two_sides {
        [Some(over_matrix(summary, variants, Heat::Failures)), Some(over_matrix(summary, variants, Heat::Measured))]
    } else {
        [Some(by_promise(summary)), None]
    };
    let fits = |map: &HeatMap| {
        let sides = [map.rows.len(), map.columns.len()];
        let any = map.rows.iter().flat_map(|(_, cells)| cells).any(|cell| matches!(cell, Cell::Known { .. }));
        any && sides.iter().all(|side| (1..=SIDE_MAX).contains(side)) && sides.iter().any(|side| *side > 1)
    };
    maps.into_iter().flatten().filter(fits).collect()
}

/// The pictures: `heat-failures.svg`, `heat-failures.png`, …
pub fn files(summary: &SweepSummary) -> Vec<(String, Vec<u8>)> {
    let pictures = maps(summary).into_iter().map(|map| (map.file, render(&map)));
    let files = pictures
        .flat_map(|(file, (svg, png))| [(format!("{file}.svg"), svg.into_bytes()), (format!("{file}.png"), png)]);
    files.collect()
}

/// Columns are the values of the last path, rows everything else that tells points apart.
fn over_matrix(summary: &SweepSummary, variants: bool, heat: Heat) -> HeatMap {
    let last = summary.axes.len() - 1;
    let row_of = |point: &Point| {
        let variant = variants.then(|| point.variant.clone().unwrap_or_else(|| "base".to_owned()));
        variant.into_iter().chain(point.values[..last].iter().cloned()).collect::<Vec<_>>().join(", ")
    };
    let columns = summary.axes[last].values.clone();
    let range = medians(summary);
    let mut rows: Vec<(String, Vec<Cell>)> = Vec::new();
    for point in &summary.points {
        let row = row_of(point);
        let at = rows.iter().position(|(name, _)| *name == row).unwrap_or_else(|| {
            rows.push((row, vec![Cell::NotRun; columns.len()]));
            rows.len() - 1
        });
        if let Some(column) = columns.iter().position(|value| Some(value) == point.values.get(last)) {
            rows[at].1[column] = match heat {
                Heat::Failures => failures(point),
                Heat::Measured => measured(point, range),
            };
        }
    }
    let variant = variants.then_some("variant");
    let rest = summary.axes[..last].iter().map(|axis| axis.path.as_str());
    let (file, title, ends) = match heat {
        Heat::Failures => ("heat-failures", "P(fail): the share of runs that failed".to_owned(), shares()),
        Heat::Measured => (
            "heat-measured",
            format!("{}, the median over seeds", summary.measured.as_deref().unwrap_or("nothing is measured")),
            range.map_or_else(shares, |(low, high, like)| (quantity(with(like, low)), quantity(with(like, high)))),
        ),
    };
    HeatMap {
        file,
        title,
        rows_are: variant.into_iter().chain(rest).collect::<Vec<_>>().join(", "),
        columns_are: summary.axes[last].path.clone(),
        columns,
        rows,
        ends,
        heat,
    }
}

/// Columns are the points, rows the promises.
fn by_promise(summary: &SweepSummary) -> HeatMap {
    let mut names: Vec<&str> = Vec::new();
    for promise in summary.points.iter().flat_map(|point| &point.promises) {
        if !names.contains(&promise.name.as_str()) {
            names.push(&promise.name);
        }
    }
    let cell = |point: &Point, name: &str| match point.promises.iter().find(|promise| promise.name == name) {
        None => Cell::NotRun,
        Some(promise) if promise.violation.of == 0 => Cell::NotRun,
        Some(promise) if promise.unknown == promise.violation.of => Cell::Unknown,
        Some(promise) => share(promise.violation),
    };
    let row = |name: &&str| ((*name).to_owned(), summary.points.iter().map(|point| cell(point, name)).collect());
    HeatMap {
        file: "heat-failures",
        title: "P(broken): the share of runs that broke each promise".to_owned(),
        rows_are: "promise".to_owned(),
        columns_are: if summary.axis.is_empty() { "point".to_owned() } else { summary.axis.clone() },
        columns: summary.points.iter().map(|point| point.name.clone()).collect(),
        rows: names.iter().map(row).collect(),
        ends: shares(),
        heat: Heat::Failures,
    }
}

fn shares() -> (String, String) {
    ("0%".to_owned(), "100%".to_owned())
}

fn failures(point: &Point) -> Cell {
    match point.violation.of {
        0 => Cell::NotRun,
        all if point.unknown == all => Cell::Unknown,
        _ => share(point.violation),
    }
}

fn share(share: super::Share) -> Cell {
    let Some(p) = share.p() else { return Cell::NotRun };
    let (low, high) = share.interval();
    Cell::Known { text: percent(p), interval: format!("{}–{}", percent(low), percent(high)), heat: p }
}

/// The smallest and the largest median.
fn medians(summary: &SweepSummary) -> Option<(f64, f64, Quantity)> {
    let all: Vec<Quantity> = summary.points.iter().filter_map(|point| Some(point.median?.value)).collect();
    let low = all.iter().map(|value| super::number(*value)).fold(f64::INFINITY, f64::min);
    let high = all.iter().map(|value| super::number(*value)).fold(f64::NEG_INFINITY, f64::max);
    all.first().map(|like| (low, high, *like))
}

fn with(like: Quantity, number: f64) -> Quantity {
    super::with(like, number)
}

fn measured(point: &Point, range: Option<(f64, f64, Quantity)>) -> Cell {
    match (point.median, range) {
        (Some(median), Some((low, high, _))) => {
            let value = super::number(median.value);
            let interval =
                median.low.zip(median.high).map(|(low, high)| format!("{}–{}", quantity(low), quantity(high)));
            let heat = if high > low { (value - low) / (high - low) } else { 0.0 };
            Cell::Known { text: quantity(median.value), interval: interval.unwrap_or_default(), heat }
        }
        (None, _) | (_, None) if point.violation.of == 0 => Cell::NotRun,
        (None, _) | (_, None) => Cell::Unknown,
    }
}

const EDGE: f64 = 22.0;
const HEAD: f64 = 78.0;
const FOOT: f64 = 58.0;
const CELL_WIDE: f64 = 112.0;
const CELL_HIGH: f64 = 44.0;
/// As wide as the names of rows may get.
const NAMES_MAX: f64 = 260.0;
const LARGE: f64 = 15.0;
const SMALL: f64 = 12.0;
/// As strong as a colour gets, so that what stands on it can be read.
const STRONGEST: f64 = 0.8;
const LEGEND: f64 = 160.0;

impl HeatMap {
    const fn colour(&self) -> RGBColor {
        match self.heat {
            Heat::Failures => VERMILION,
            Heat::Measured => BLUE,
        }
    }

    /// How wide the names of the rows are.
    fn names(&self) -> f64 {
        let longest = self.rows.iter().map(|(name, _)| name).chain([&self.rows_are]);
        let most = longest.map(|name| name.chars().count()).max().unwrap_or(0);
        (most as f64 * LARGE * 0.56 + 14.0).clamp(80.0, NAMES_MAX)
    }

    fn corner(&self, row: usize, column: usize) -> (f64, f64) {
        (EDGE + self.names() + column as f64 * CELL_WIDE, HEAD + row as f64 * CELL_HIGH)
    }
}

impl Picture for HeatMap {
    fn size(&self) -> (u32, u32) {
        let wide = 2.0 * EDGE + self.names() + self.columns.len() as f64 * CELL_WIDE;
        let high = HEAD + self.rows.len() as f64 * CELL_HIGH + FOOT;
        (wide.max(2.0 * EDGE + 560.0) as u32, high as u32)
    }

    fn title(&self) -> String {
        format!("{}: {} over {}", self.title, self.rows_are, self.columns_are)
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Drawn<DB> {
        let at = |(x, y): (f64, f64)| (scale.px(x), scale.px(y));
        let wide = f64::from(self.size().0);
        let say = |text: &str, place: (f64, f64), style: plotters::style::TextStyle<'static>, limit: f64| {
            area.draw(&Text::new(fitted(text, &style, scale.px(limit)), at(place), style))
        };
        let title = scale.text(17.0, TITLE, HPos::Left, VPos::Center);
        say(&self.title, (EDGE, 20.0), title, wide - 2.0 * EDGE)?;
        let left = EDGE + self.names();
        say(
            &self.rows_are,
            (EDGE, HEAD - 12.0),
            scale.text(SMALL, FAINT, HPos::Left, VPos::Center),
            self.names() - 10.0,
        )?;
        let over = scale.text(SMALL, FAINT, HPos::Left, VPos::Center);
        say(&self.columns_are, (left + 2.0, HEAD - 34.0), over, wide - left - EDGE)?;
        for (column, name) in self.columns.iter().enumerate() {
            let (x, y) = self.corner(0, column);
            let style = scale.text(LARGE, TEXT, HPos::Center, VPos::Center);
            say(name, (x + CELL_WIDE / 2.0, y - 13.0), style, CELL_WIDE - 6.0)?;
        }
        for (row, (name, cells)) in self.rows.iter().enumerate() {
            let (_, y) = self.corner(row, 0);
            let style = scale.text(LARGE, TEXT, HPos::Left, VPos::Center);
            say(name, (EDGE, y + CELL_HIGH / 2.0), style, self.names() - 10.0)?;
            for (column, cell) in cells.iter().enumerate() {
                self.cell(area, scale, self.corner(row, column), cell)?;
            }
        }
        self.legend(area, scale)
    }
}

impl HeatMap {
    fn cell<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale, (x, y): (f64, f64), cell: &Cell) -> Drawn<DB> {
        let at = |x: f64, y: f64| (scale.px(x), scale.px(y));
        let (low, high) = (at(x + 1.0, y + 1.0), at(x + CELL_WIDE - 1.0, y + CELL_HIGH - 1.0));
        let (middle, centre) = (x + CELL_WIDE / 2.0, y + CELL_HIGH / 2.0);
        let frame = Rectangle::new([low, high], GRID.stroke_width(scale.line(1.0)));
        let say = |text: &str, y: f64, size: f64, colour: RGBColor| {
            let style = scale.text(size, colour, HPos::Center, VPos::Center);
            area.draw(&Text::new(fitted(text, &style, scale.px(CELL_WIDE - 8.0)), at(middle, y), style))
        };
        match cell {
            Cell::Known { text, interval, heat } => {
                area.draw(&Rectangle::new([low, high], shade(self.colour(), *heat).filled()))?;
                area.draw(&frame)?;
                let lift = if interval.is_empty() { 0.0 } else { 9.0 };
                say(text, centre - lift, LARGE, TITLE)?;
                say(interval, centre + 10.0, SMALL, TEXT)
            }
            Cell::Unknown => {
                area.draw(&Rectangle::new([low, high], GRID.filled()))?;
                say("unknown", centre, SMALL, TEXT)
            }
            Cell::NotRun => {
                area.draw(&frame)?;
                let line = vec![at(x + 1.0, y + CELL_HIGH - 1.0), at(x + CELL_WIDE - 1.0, y + 1.0)];
                area.draw(&PathElement::new(line, GRID.stroke_width(scale.line(1.0))))?;
                let style = scale.text(SMALL, FAINT, HPos::Center, VPos::Center);
                let wide = f64::from(width("not run", &style)) / 2.0 + f64::from(scale.px(4.0));
                let (x, y) = at(middle, centre);
                let room = [(x - wide as i32, y - scale.px(8.0)), (x + wide as i32, y + scale.px(8.0))];
                area.draw(&Rectangle::new(room, WHITE.filled()))?;
                area.draw(&Text::new("not run", (x, y), style))
            }
        }
    }

    /// What the colours mean, below the map.
    fn legend<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Drawn<DB> {
        let y = HEAD + self.rows.len() as f64 * CELL_HIGH + 24.0;
        let at = |x: f64, y: f64| (scale.px(x), scale.px(y));
        let small = |horizontal| scale.text(SMALL, TEXT, horizontal, VPos::Center);
        let low = fitted(&self.ends.0, &small(HPos::Left), scale.px(90.0));
        let from = EDGE + f64::from(width(&low, &small(HPos::Left))) / f64::from(scale.px(1.0)) + 8.0;
        area.draw(&Text::new(low, at(EDGE, y), small(HPos::Left)))?;
        let steps = 32;
        for step in 0..steps {
            let part = |step: u32| from + LEGEND * f64::from(step) / f64::from(steps);
            let heat = (f64::from(step) + 0.5) / f64::from(steps);
            let block = [at(part(step), y - 7.0), at(part(step + 1), y + 7.0)];
            area.draw(&Rectangle::new(block, shade(self.colour(), heat).filled()))?;
        }
        let frame = [at(from, y - 7.0), at(from + LEGEND, y + 7.0)];
        area.draw(&Rectangle::new(frame, AXIS.stroke_width(scale.line(0.7))))?;
        let high = fitted(&self.ends.1, &small(HPos::Left), scale.px(90.0));
        area.draw(&Text::new(high, at(from + LEGEND + 8.0, y), small(HPos::Left)))?;
        let note = "below each number its 95 % interval";
        let style = scale.text(SMALL, FAINT, HPos::Left, VPos::Center);
        area.draw(&Text::new(note, at(from + LEGEND + 84.0, y), style))
    }
}

/// The colour, mixed with white.
fn shade(colour: RGBColor, heat: f64) -> RGBColor {
    let share = heat.clamp(0.0, 1.0) * STRONGEST;
    let mix = |part: u8| (255.0 - (255.0 - f64::from(part)) * share).round() as u8;
    RGBColor(mix(colour.0), mix(colour.1), mix(colour.2))
}
