//! Draws a chart of `crate::charts` as SVG for the page.
//!
//! The pictures in `charts/` have fixed colours and a fixed size. Here colours are classes that `page.css` fills for light
//! and dark, and the width is that of the page: lines live in an inner `viewBox` that is stretched without stretching their
//! strokes, while text stands outside of it at shares of the width and keeps its size. Axes, units and ticks are those of
//! the pictures.

use super::markup::Markup;
use crate::charts::axis::Axis;
use crate::charts::colour::{self, FAULTS};
use crate::charts::{Chart, Horizontal, Lane, Row, Series};
use plotters::style::RGBColor;
use std::fmt::Write as _;

/// Size of the inner `viewBox`: fine enough for whole numbers.
pub(super) const WIDE: f64 = 10_000.0;
const HIGH: f64 = 1_000.0;
/// As many points as a line has; the lowest and highest of each stretch are kept.
const MOST_POINTS: usize = 600;
/// As many labels as fit at a vertical axis.
const MOST_LABELS: usize = 6;
/// Room above the plot for half a label, and below it for the labels of the horizontal axis.
const ABOVE: u32 = 7;
const BELOW: u32 = 21;
/// A row of bars with its name.
const ROW: u32 = 28;

type Point = (f64, f64);

/// The axes of a chart.
pub(super) fn axes(chart: &Chart) -> (Axis, Axis) {
    let points = || chart.series.iter().flat_map(|series| series.points.iter().flatten());
    let values: Vec<f64> = points().map(|point| point.1).collect();
    (Axis::horizontal(chart), Axis::values(chart.quantity, chart.measure, &values))
}

/// The chart without its title and legend, `high` pixels high.
pub(super) fn draw(page: &mut Markup, chart: &Chart, high: u32) {
    let (x, y) = axes(chart);
    let counted = matches!(chart.horizontal, Horizontal::Count(_));
    let high = if chart.rows.is_empty() { high } else { chart.rows.len() as u32 * ROW };
    let about = if chart.rows.is_empty() { &y.title[..] } else { "bars" };
    page.node("svg", &[("class", "plot"), ("role", "img"), ("height", &(ABOVE + high + BELOW).to_string())], |svg| {
        svg.leaf("title", &[], &format!("{}; {about}, over {}", chart.title, x.title));
        for (at, label) in if chart.rows.is_empty() { thinned_ticks(&y) } else { Vec::new() } {
            let down = f64::from(ABOVE) + (1.0 - share(&y, at)) * f64::from(high);
            let line = format!("{down:.1}");
            svg.void("line", &[("class", "grid"), ("x1", "0"), ("x2", "100%"), ("y1", &line), ("y2", &line)]);
            svg.leaf("text", &[("class", "y"), ("x", "-8"), ("y", &format!("{:.1}", down + 4.0))], &label);
        }
        let size = high.to_string();
        let frame = [
            ("viewBox", "0 0 10000 1000"),
            ("preserveAspectRatio", "none"),
            ("y", "7"),
            ("width", "100%"),
            ("height", size.as_str()),
        ];
        svg.node("svg", &frame, |inner| {
            for lane in chart.lanes.iter().filter(|lane| lane.shade > 0.0) {
                bands(inner, lane, &x);
            }
            if let [first, .., last] = &chart.series[..]
                && (first.name.as_str(), last.name.as_str()) == ("p99", "p50")
            {
                between(inner, first, last, &x, &y);
            }
            for series in &chart.series {
                line(inner, series, &x, &y);
            }
        });
        for (number, row) in chart.rows.iter().enumerate() {
            bars(svg, row, ABOVE + number as u32 * ROW, &x);
        }
        // The last label says the unit, unless it is what stands above.
        floor(svg, &x, ABOVE + high, if counted { "" } else { unit(&x) });
    });
}

/// The horizontal axis at this height, with its labels below it.
pub(super) fn floor(svg: &mut Markup, x: &Axis, at: u32, unit: &str) {
    let (line, words) = (at.to_string(), (at + 16).to_string());
    svg.void("line", &[("class", "axis"), ("x1", "0"), ("x2", "100%"), ("y1", &line), ("y2", &line)]);
    for (number, (at, label)) in x.ticks.iter().enumerate() {
        let across = percent(share(x, *at));
        // Every other one has no room on a narrow page; the last has the unit.
        let left = x.ticks.len() - 1 - number;
        let class = if left.is_multiple_of(2) { "x" } else { "x odd" };
        let unit = if left == 0 { unit } else { "" };
        svg.leaf("text", &[("class", class), ("x", &across), ("y", &words)], format!("{label} {unit}").trim_end());
    }
}

/// Only the time axis, for pictures that consist of lanes.
pub(super) fn time_floor(page: &mut Markup, x: &Axis) {
    page.node("svg", &[("class", "plot"), ("aria-hidden", "true"), ("height", "24")], |svg| floor(svg, x, 2, unit(x)));
}

/// A share of the width.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

/// A row of bars with its name above them; they begin at this height.
fn bars(svg: &mut Markup, row: &Row, top: u32, x: &Axis) {
    let name = row.value.as_ref().map_or(row.name.clone(), |value| format!("{}: {value}", row.name));
    svg.leaf("text", &[("class", "bar"), ("x", "0"), ("y", &(top + 12).to_string())], &name);
    let middle = (top + 20).to_string();
    svg.void("line", &[("class", "grid"), ("x1", "0"), ("x2", "100%"), ("y1", &middle), ("y2", &middle)]);
    for bar in &row.bars {
        let (left, right) = (share(x, x.place(bar.from)), share(x, x.place(bar.to)));
        let class = format!("bar {}", ink(bar.colour));
        let (across, wide) = (format!("{:.3}%", left * 100.0), format!("{:.3}%", ((right - left) * 100.0).max(0.2)));
        let up = (top + 16).to_string();
        svg.void("rect", &[("class", &class), ("x", &across), ("y", &up), ("width", &wide), ("height", "8")]);
    }
}

/// The unit of an axis from its title: `virtual time (s)`.
fn unit(axis: &Axis) -> &str {
    axis.title.split_once('(').map_or("", |(_, unit)| unit.trim_end_matches(')'))
}

/// The names of the lines, each with a sample.
pub(super) fn legend(page: &mut Markup, chart: &Chart) {
    page.node("ul", &[("class", "legend")], |list| {
        for series in chart.series.iter().filter(|series| series.listed) {
            list.node("li", &[], |item| {
                let class = format!("swatch {}", ink(series.ink.colour));
                let thick = format!("height:{}px", series.ink.width.max(2.0));
                item.leaf("span", &[("class", &class), ("style", &thick)], "").leaf("span", &[], &series.name);
            });
        }
    });
    if let Some(note) = &chart.note {
        page.leaf("p", &[("class", "note")], note);
    }
}

/// The spans of a lane over the whole height, at least a hair wide; those that overlap are one.
pub(super) fn bands(inner: &mut Markup, lane: &Lane, x: &Axis) {
    for (from, to) in &united(&lane.spans) {
        let (left, right) = (across(x, *from), across(x, *to));
        let (left, wide) = (format!("{left:.0}"), format!("{:.0}", (right - left).max(1.0)));
        let class = format!("band {}", shade(lane.colour));
        let place = [("class", class.as_str()), ("x", &left), ("y", "0"), ("width", &wide), ("height", "1000")];
        inner.node("rect", &place, |rect| {
            rect.leaf("title", &[], &format!("{}: {} to {}", lane.name, moment(*from), moment(*to)));
        });
    }
}

/// The same stretches of time without overlaps, in order.
fn united(spans: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut sorted = spans.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut all: Vec<(f64, f64)> = Vec::new();
    for (from, to) in sorted {
        match all.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            Some(_) | None => all.push((from, to)),
        }
    }
    all
}

/// A moment as the run writes it.
pub(super) fn moment(seconds: f64) -> String {
    kernel::Time((seconds * 1e9).round() as u64).to_string()
}

/// The place of a time on the inner `viewBox`.
pub(super) fn across(x: &Axis, at: f64) -> f64 {
    share(x, x.place(at)) * WIDE
}

pub(super) fn share(axis: &Axis, coordinate: f64) -> f64 {
    ((coordinate - axis.low) / (axis.high - axis.low)).clamp(0.0, 1.0)
}

fn line(inner: &mut Markup, series: &Series, x: &Axis, y: &Axis) {
    let mut path = String::new();
    for stretch in stretches(&series.points) {
        match &placed(&stretch, x, y)[..] {
            [] => {}
            // A sample without neighbours is a dot: a line of no length with round ends.
            [(across, down)] => {
                let _ = write!(path, "M{across} {down}h1");
            }
            all => push_line(&mut path, 'M', all),
        }
    }
    if path.is_empty() {
        return;
    }
    let (width, opacity) = (series.ink.width.min(4.0).to_string(), series.ink.opacity.to_string());
    let class = format!("line {}", ink(series.ink.colour));
    inner.void("path", &[("class", &class), ("stroke-width", &width), ("opacity", &opacity), ("d", &path)]);
}

/// The area between two lines that have their gaps in common.
fn between(inner: &mut Markup, above: &Series, below: &Series, x: &Axis, y: &Axis) {
    let (above_all, below_all) = (stretches(&above.points), stretches(&below.points));
    let mut path = String::new();
    for (top, bottom) in above_all.iter().zip(&below_all) {
        let mut back = placed(bottom, x, y);
        back.reverse();
        push_line(&mut path, 'M', &placed(top, x, y));
        push_line(&mut path, 'L', &back);
        path.push('Z');
    }
    let class = format!("area {}", ink(below.ink.colour));
    if above_all.len() == below_all.len() && !path.is_empty() {
        inner.void("path", &[("class", &class), ("d", &path)]);
    }
}

fn push_line(path: &mut String, first: char, points: &[(i64, i64)]) {
    for (number, (across, down)) in points.iter().enumerate() {
        path.push(if number == 0 { first } else { 'L' });
        let _ = write!(path, "{across} {down}");
    }
}

fn placed(points: &[Point], x: &Axis, y: &Axis) -> Vec<(i64, i64)> {
    let place = |(at, value): &Point| {
        let down = (1.0 - share(y, y.place(*value))) * HIGH;
        (across(x, *at).round() as i64, down.round() as i64)
    };
    points.iter().map(place).collect()
}

/// The unbroken stretches of a line, thinned.
fn stretches(points: &[Option<Point>]) -> Vec<Vec<Point>> {
    let thin = thinned(points);
    let all = thin.split(Option::is_none).map(|stretch| stretch.iter().flatten().copied().collect());
    all.filter(|stretch: &Vec<Point>| !stretch.is_empty()).collect()
}

/// At most [`MOST_POINTS`]: of every so many, the lowest and the highest in their order; a gap where none has a value.
fn thinned(points: &[Option<Point>]) -> Vec<Option<Point>> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let mut thin = Vec::with_capacity(MOST_POINTS);
    for chunk in points.chunks(points.len().div_ceil(MOST_POINTS / 2)) {
        let known = || chunk.iter().flatten().copied();
        let low = known().min_by(|a, b| a.1.total_cmp(&b.1));
        let high = known().max_by(|a, b| a.1.total_cmp(&b.1));
        match (low, high) {
            (Some(low), Some(high)) if low.0 < high.0 => thin.extend([Some(low), Some(high)]),
            (Some(low), Some(high)) if low.0 > high.0 => thin.extend([Some(high), Some(low)]),
            (Some(only), _) | (None, Some(only)) => thin.push(Some(only)),
            (None, None) => thin.push(None),
        }
    }
    thin
}

/// Ticks with room between them; of a logarithmic axis those at powers of ten, if some must go.
fn thinned_ticks(axis: &Axis) -> Vec<(f64, String)> {
    let step = axis.ticks.len().div_ceil(MOST_LABELS);
    let decade = |label: &str| label.chars().filter(|c| c.is_ascii_digit() && *c != '0').eq(['1']);
    let first =
        axis.ticks.iter().position(|tick| decade(&tick.1)).filter(|_| axis.logarithmic_scale()).unwrap_or(0) % step;
    axis.ticks.iter().skip(first).step_by(step).cloned().collect()
}

/// The class of a line's colour.
pub(super) fn ink(colour: RGBColor) -> &'static str {
    colour::NAMES.iter().find(|(named, _)| *named == colour).map_or("grey", |(_, name)| name)
}

/// It is a lane of faults, not of unmeasured time.
pub(super) fn is_fault(lane: &Lane) -> bool {
    FAULTS.contains(&lane.colour)
}

/// The class of a lane's colour.
pub(super) fn shade(colour: RGBColor) -> &'static str {
    let classes = ["f1", "f2", "f3", "f4"];
    FAULTS.iter().zip(classes).find(|(fault, _)| **fault == colour).map_or("outside", |(_, class)| class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_spans_are_one() {
        let spans = [(4.0, 6.0), (0.0, 2.0), (1.0, 3.0), (1.5, 1.7), (6.0, 7.0)];
        assert_eq!(united(&spans), [(0.0, 3.0), (4.0, 7.0)]);
    }

    #[test]
    fn a_long_line_keeps_its_extremes_and_its_gaps() {
        let mut points: Vec<Option<Point>> = (0..100_000).map(|n| Some((f64::from(n), f64::from(n % 7)))).collect();
        points[54_321] = Some((54_321.0, 900.0));
        points[12_345] = Some((12_345.0, -900.0));
        points[60_000..70_000].fill(None);
        let thin = thinned(&points);
        assert!(thin.len() <= MOST_POINTS, "{}", thin.len());
        assert!(thin.contains(&Some((54_321.0, 900.0))) && thin.contains(&Some((12_345.0, -900.0))));
        assert!(thin.iter().flatten().is_sorted_by(|a, b| a.0 < b.0), "in their order");
        assert_eq!(stretches(&points).len(), 2);
        assert_eq!(thinned(&points[..600]), points[..600], "a short line stays as it is");
    }
}
