//! One chart: title, lanes, plot, legend.
//!
//! The plot's left and right edges are the same in every chart, so that charts over time stand exactly below each other.
//! Names stand in the column on the right, never on the data.

use super::axis::Axis;
use super::canvas::{Area, Drawn, Picture, Scale, fitted};
use super::colour::{AXIS, FAINT, GRID, TEXT, TITLE};
use super::plan::{Chart, Series};
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, Circle, Color, DrawingBackend, FontTransform, LineSeries, PathElement,
    Rectangle, ShapeStyle, Text,
};
use plotters::style::text_anchor::{HPos, VPos};

const WIDE: f64 = 1000.0;
const EDGE: f64 = 16.0;
const PLOT_LEFT: f64 = 88.0;
const PLOT_RIGHT: f64 = 790.0;
const PLOT_HIGH: f64 = 260.0;
const NAMES_LEFT: f64 = 802.0;
const TITLE_SIZE: f64 = 19.0;
const TEXT_SIZE: f64 = 14.0;
const LANES_TOP: f64 = 62.0;
const LANE: f64 = 17.0;
const BELOW: f64 = 54.0;
const ROW: f64 = 22.0;
const BAR: f64 = 12.0;
const LEGEND: f64 = 21.0;
/// Where names stand beside the plot, the legend begins so far below it.
const LEGEND_BELOW: f64 = 18.0;

/// A chart that can be drawn.
pub(crate) struct Framed<'a> {
    pub(crate) chart: &'a Chart,
}

type Plot<'a, DB> = ChartContext<'a, DB, Cartesian2d<Axis, Axis>>;

impl Framed<'_> {
    fn plot_top(&self) -> f64 {
        let lanes = self.chart.lanes.len() as f64 * LANE;
        if lanes > 0.0 { LANES_TOP + lanes + 6.0 } else { LANES_TOP + 4.0 }
    }

    fn plot_high(&self) -> f64 {
        let rows = self.chart.rows.len() as f64;
        if rows > 0.0 { rows * ROW + 8.0 } else { PLOT_HIGH }
    }

    /// Room for the labels of the axis and, where names stand beside the plot, for the legend.
    fn below(&self) -> f64 {
        let listed = self.chart.series.iter().filter(|series| series.listed).count();
        if self.chart.rows.is_empty() { BELOW } else { BELOW.max(LEGEND_BELOW + 14.0 + listed as f64 * LEGEND) }
    }

    fn axes(&self) -> (Axis, Axis) {
        let points = || self.chart.series.iter().flat_map(|series| series.points.iter().flatten());
        let horizontal = Axis::horizontal(self.chart);
        let values: Vec<f64> = points().map(|point| point.1).collect();
        (horizontal, Axis::values(self.chart.quantity, self.chart.measure, &values))
    }
}

impl Picture for Framed<'_> {
    fn size(&self) -> (u32, u32) {
        (WIDE as u32, (self.plot_top() + self.plot_high() + self.below()) as u32)
    }

    fn title(&self) -> String {
        format!("{} ({})", self.chart.title, self.chart.subtitle)
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Drawn<DB> {
        let (horizontal, vertical) = self.axes();
        self.head(area, scale)?;
        let (top, left, right) = (scale.px(self.plot_top()), scale.px(PLOT_LEFT), scale.px(PLOT_RIGHT));
        let inner = area.clone().shrink((left, top), ((right - left) as u32, scale.px(self.plot_high()) as u32));
        let mut plot = ChartBuilder::on(&inner).build_cartesian_2d(horizontal.clone(), vertical.clone())?;
        self.shades(&mut plot, &horizontal, &vertical)?;
        if self.chart.rows.is_empty() {
            let grid = GRID.stroke_width(scale.line(1.0));
            plot.configure_mesh().disable_x_mesh().disable_axes().bold_line_style(grid).draw()?;
        }
        self.rows(area, &horizontal, scale)?;
        self.ticks(area, &horizontal, &vertical, scale)?;
        for series in &self.chart.series {
            line(&mut plot, series, &horizontal, &vertical, scale)?;
        }
        self.lanes(area, &horizontal, scale)?;
        self.legend(area, scale)
    }
}

impl Framed<'_> {
    fn head<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Drawn<DB> {
        let lines = [(&self.chart.title, TITLE_SIZE, TITLE, 12.0), (&self.chart.subtitle, TEXT_SIZE, FAINT, 37.0)];
        for (text, size, colour, top) in lines {
            let style = scale.text(size, colour, HPos::Left, VPos::Top);
            let text = fitted(text, &style, scale.px(WIDE - 2.0 * EDGE));
            area.draw(&Text::new(text, (scale.px(EDGE), scale.px(top)), style))?;
        }
        Ok(())
    }

    /// Axis lines, ticks, their labels and the titles of the axes.
    fn ticks<DB: DrawingBackend>(&self, area: &Area<DB>, x: &Axis, y: &Axis, scale: Scale) -> Drawn<DB> {
        let (left, right) = (scale.px(PLOT_LEFT), scale.px(PLOT_RIGHT));
        let (top, bottom) = (scale.px(self.plot_top()), scale.px(self.plot_top() + self.plot_high()));
        let (style, length, gap) = (AXIS.stroke_width(scale.line(1.0)), scale.px(4.0), scale.px(8.0));
        area.draw(&PathElement::new([(left, top), (left, bottom), (right, bottom)], style))?;
        let words = |horizontal, vertical| scale.text(TEXT_SIZE, TEXT, horizontal, vertical);
        for (at, label) in &x.ticks {
            let across = x.map(at, (left, right));
            area.draw(&PathElement::new([(across, bottom), (across, bottom + length)], style))?;
            area.draw(&Text::new(label.as_str(), (across, bottom + gap), words(HPos::Center, VPos::Top)))?;
        }
        let below = (left.midpoint(right), bottom + scale.px(BELOW - 18.0));
        area.draw(&Text::new(x.title.as_str(), below, words(HPos::Center, VPos::Center)))?;
        if !self.chart.rows.is_empty() {
            return Ok(());
        }
        for (at, label) in &y.ticks {
            let down = y.map(at, (bottom, top));
            area.draw(&PathElement::new([(left - length, down), (left, down)], style))?;
            area.draw(&Text::new(label.as_str(), (left - gap, down), words(HPos::Right, VPos::Center)))?;
        }
        let upwards = words(HPos::Center, VPos::Center).transform(FontTransform::Rotate270);
        area.draw(&Text::new(y.title.as_str(), (scale.px(EDGE + 6.0), top.midpoint(bottom)), upwards))
    }

    /// Bars, each on a pale track that leads the eye to its name, with its number behind it.
    fn rows<DB: DrawingBackend>(&self, area: &Area<DB>, x: &Axis, scale: Scale) -> Drawn<DB> {
        let (left, right) = (scale.px(PLOT_LEFT), scale.px(PLOT_RIGHT));
        for (number, row) in self.chart.rows.iter().enumerate() {
            let middle = self.plot_top() + 4.0 + (number as f64 + 0.5) * ROW;
            let line = scale.px(middle);
            area.draw(&PathElement::new([(left, line), (right, line)], GRID.stroke_width(scale.line(1.0))))?;
            for bar in &row.bars {
                let (from, to) = (x.map(&x.place(bar.from), (left, right)), x.map(&x.place(bar.to), (left, right)));
                // What is short is drawn two pixels wide, or it would not be seen.
                let end = to.max(from + scale.px(2.0));
                let corners = [(from, scale.px(middle - BAR / 2.0)), (end, scale.px(middle + BAR / 2.0))];
                area.draw(&Rectangle::new(corners, bar.colour.filled()))?;
            }
            let style = scale.text(TEXT_SIZE, TEXT, HPos::Left, VPos::Center);
            let name = row.value.as_ref().map_or(row.name.clone(), |value| format!("{}: {value}", row.name));
            let name = fitted(&name, &style, scale.px(WIDE - NAMES_LEFT - 6.0));
            area.draw(&Text::new(name, (scale.px(NAMES_LEFT), line), style))?;
        }
        Ok(())
    }

    /// What lies behind the series: one rectangle per span, as high as the plot.
    fn shades<DB: DrawingBackend>(&self, plot: &mut Plot<'_, DB>, x: &Axis, y: &Axis) -> Drawn<DB> {
        for lane in self.chart.lanes.iter().filter(|lane| lane.shade > 0.0) {
            let style = lane.colour.mix(lane.shade).filled();
            let corners = |(from, to): &(f64, f64)| [(x.place(*from), y.high), (x.place(*to), y.low)];
            plot.draw_series(lane.spans.iter().map(|span| Rectangle::new(corners(span), style)))?;
        }
        Ok(())
    }

    /// The same spans as bars above the plot, with their names on the right.
    fn lanes<DB: DrawingBackend>(&self, area: &Area<DB>, x: &Axis, scale: Scale) -> Drawn<DB> {
        let across = |at: f64| x.map(&x.place(at), (scale.px(PLOT_LEFT), scale.px(PLOT_RIGHT)));
        for (number, lane) in self.chart.lanes.iter().enumerate() {
            let middle = LANES_TOP + (number as f64 + 0.5) * LANE;
            let (top, bottom) = (scale.px(middle - 4.5), scale.px(middle + 4.5));
            for (from, to) in &lane.spans {
                let (left, right) = (across(*from), across(*to));
                // A moment is drawn two pixels wide, or it would not be seen.
                let right = right.max(left + scale.px(2.0));
                area.draw(&Rectangle::new([(left, top), (right, bottom)], lane.colour.mix(0.75).filled()))?;
            }
            let style = scale.text(TEXT_SIZE, lane.colour, HPos::Left, VPos::Center);
            let name = fitted(&lane.name, &style, scale.px(WIDE - NAMES_LEFT - 6.0));
            area.draw(&Text::new(name, (scale.px(NAMES_LEFT), scale.px(middle)), style))?;
        }
        Ok(())
    }

    fn legend<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Drawn<DB> {
        const SAMPLE: f64 = 22.0;
        let below = if self.chart.rows.is_empty() { 0.0 } else { self.plot_high() + LEGEND_BELOW };
        let row = |number: usize| self.plot_top() + 14.0 + below + number as f64 * LEGEND;
        let listed: Vec<&Series> = self.chart.series.iter().filter(|series| series.listed).collect();
        for (number, series) in listed.iter().enumerate() {
            let middle = scale.px(row(number));
            let ends = [(scale.px(NAMES_LEFT), middle), (scale.px(NAMES_LEFT + SAMPLE), middle)];
            area.draw(&PathElement::new(ends, ink(series, scale)))?;
            let style = scale.text(TEXT_SIZE, TEXT, HPos::Left, VPos::Center);
            let left = NAMES_LEFT + SAMPLE + 7.0;
            let name = fitted(&series.name, &style, scale.px(WIDE - left - 6.0));
            area.draw(&Text::new(name, (scale.px(left), middle), style))?;
        }
        if let Some(note) = &self.chart.note {
            let style = scale.text(TEXT_SIZE - 1.0, FAINT, HPos::Left, VPos::Center);
            let note = fitted(note, &style, scale.px(WIDE - NAMES_LEFT - 6.0));
            let at = (scale.px(NAMES_LEFT), scale.px(row(listed.len())));
            area.draw(&Text::new(note, at, style))?;
        }
        Ok(())
    }
}

fn ink(series: &Series, scale: Scale) -> ShapeStyle {
    series.ink.colour.mix(series.ink.opacity).stroke_width(scale.line(series.ink.width))
}

/// One polyline per unbroken stretch of samples; a sample without neighbours is a dot.
fn line<DB: DrawingBackend>(plot: &mut Plot<'_, DB>, series: &Series, x: &Axis, y: &Axis, scale: Scale) -> Drawn<DB> {
    let style = ink(series, scale);
    for stretch in series.points.split(Option::is_none) {
        let points: Vec<(f64, f64)> = stretch.iter().flatten().map(|(at, v)| (x.place(*at), y.place(*v))).collect();
        match points[..] {
            [] => {}
            [alone] => {
                let dot = ShapeStyle { filled: true, ..style };
                plot.draw_series([Circle::new(alone, scale.px(series.ink.width + 0.5), dot)])?;
            }
            _ => {
                plot.draw_series(LineSeries::new(points, style))?;
            }
        }
    }
    Ok(())
}
