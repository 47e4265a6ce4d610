//! Axes: which unit, from where to where, and few ticks at round numbers.

use super::plan::{Chart, Horizontal, Measure};
use crate::number::{thousands, trimmed};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// One axis, in the coordinates it is drawn in.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// What is seen and its unit: `latency (ms, log scale)`.
    pub(crate) title: String,
    /// The first coordinate.
    pub(crate) low: f64,
    /// The last coordinate, greater than `low`.
    pub(crate) high: f64,
    /// Coordinate and label, ascending.
    pub(crate) ticks: Vec<(f64, String)>,
    /// How values become coordinates.
    scale: Projection,
}

#[derive(Clone, Copy, Debug)]
enum Projection {
    Linear,
    Logarithmic,
    Nines,
}

/// A unit of time: its name and how many seconds it is.
#[derive(Clone, Copy, Debug)]
struct Unit(&'static str, f64);

const UNITS: [Unit; 5] = [Unit("us", 1e-6), Unit("ms", 1e-3), Unit("s", 1.0), Unit("min", 60.0), Unit("h", 3600.0)];

impl Axis {
    /// Virtual time from 0 to `end` seconds.
    pub(crate) fn time(end: f64) -> Self {
        let end = if end.is_finite() && end > 0.0 { end } else { 1e-9 };
        let unit = match end {
            e if e < 2e-3 => UNITS[0],
            e if e < 2.0 => UNITS[1],
            e if e <= 600.0 => UNITS[2],
            e if e <= 7200.0 * 2.0 => UNITS[3],
            _ => UNITS[4],
        };
        let ticks = linear_ticks(end / unit.1, 10.0).into_iter().filter(|tick| tick.0 <= end / unit.1 * 1.000_001);
        let ticks = ticks.map(|(at, label)| (at * unit.1, label)).collect();
        Self { title: format!("virtual time ({})", unit.0), low: 0.0, high: end, ticks, scale: Projection::Linear }
    }

    /// Virtual time from one moment to another, which may lie close together, in seconds.
    pub(crate) fn stretch(from: f64, to: f64) -> Self {
        let to = to.max(from + 1e-9);
        let (step, decimals) = round_step((to - from) / 5.0);
        let (first, last) = ((from / step).ceil() as u64, (to / step).floor() as u64);
        let ticks = (first..=last).map(|n| (n as f64 * step, tick_label(n as f64 * step, decimals)));
        let (title, scale) = ("virtual time (s)".to_owned(), Projection::Linear);
        Self { title, low: from, high: to, ticks: ticks.collect(), scale }
    }

    /// Things one after the other, each as far from the next, some of them with a label.
    pub(crate) fn steps(count: usize, ticks: Vec<(f64, String)>) -> Self {
        Self { title: String::new(), low: -0.5, high: count.max(1) as f64 - 0.5, ticks, scale: Projection::Linear }
    }

    /// Shares from 0 on, drawn as log10(1 / (1 − share)): every nine is as far from the next.
    pub(crate) fn nines(largest: f64) -> Self {
        let labels = ["0", "50", "90", "99", "99.9", "99.99"];
        let at = [0.0, 2.0_f64.log10(), 1.0, 2.0, 3.0, 4.0];
        let high = nines(largest).max(1.0);
        let ticks = at.into_iter().zip(labels).filter(|(at, _)| *at <= high + 1e-9);
        let ticks = ticks.map(|(at, label)| (at, label.to_owned())).collect();
        let title = "share of operations that ended sooner (%)".to_owned();
        Self { title, low: 0.0, high, ticks, scale: Projection::Nines }
    }

    /// The horizontal axis of a chart.
    pub(crate) fn horizontal(chart: &Chart) -> Self {
        match chart.horizontal {
            Horizontal::Time(end) => Self::time(end),
            Horizontal::Count(max) => Self::values(chart.quantity, chart.measure, &[max]),
            Horizontal::Share => {
                let points = chart.series.iter().flat_map(|series| series.points.iter().flatten());
                Self::nines(points.map(|point| point.0).fold(0.0, f64::max))
            }
        }
    }

    /// An axis for these values: from 0, or logarithmic for times that differ by more than a factor of 20.
    pub(crate) fn values(name: &str, measure: Measure, values: &[f64]) -> Self {
        let max = values.iter().copied().fold(0.0, f64::max);
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        match measure {
            Measure::Seconds if min > 0.0 && max / min > 20.0 => Self::logarithmic(name, min, max),
            Measure::Seconds => {
                let unit = time_unit(max);
                Self::linear(format!("{name} ({})", unit.0), max, unit.1)
            }
            Measure::PerSecond => Self::linear(format!("{name} (1/s)"), max, 1.0),
            Measure::Count(unit) => Self::linear(format!("{name} ({unit})"), max.max(1.0), 1.0),
            Measure::Share => Self::linear(format!("{name} (%)"), if max <= 1.0 { 0.999_999 } else { max }, 0.01),
        }
    }

    fn linear(title: String, max: f64, unit: f64) -> Self {
        let max = if max.is_finite() && max > 0.0 { max / unit } else { 1.0 };
        let ticks = linear_ticks(max, 6.0);
        let high = ticks.last().map_or(max, |tick| tick.0).max(max) * unit;
        let ticks = ticks.into_iter().map(|(at, label)| (at * unit, label)).collect();
        Self { title, low: 0.0, high, ticks, scale: Projection::Linear }
    }

    fn logarithmic(name: &str, min: f64, max: f64) -> Self {
        let unit = time_unit((min * max).sqrt());
        let (min, max) = (min / unit.1, max / unit.1);
        let wide = max / min > 1e4;
        let steps: &[u32] = if wide { &[1] } else { &[1, 2, 5] };
        let decades = (min.log10().floor() as i32 - 1)..=(max.log10().ceil() as i32 + 1);
        let all: Vec<(i32, u32)> = decades.flat_map(|decade| steps.iter().map(move |step| (decade, *step))).collect();
        let value = |(decade, step): (i32, u32)| f64::from(step) * 10.0_f64.powi(decade);
        let first = all.iter().rposition(|tick| value(*tick) <= min).unwrap_or(0);
        let last = all.iter().position(|tick| value(*tick) >= max).unwrap_or(all.len() - 1).max(first + 1);
        let shown = &all[first..=last];
        // Where 1-2-5 steps would crowd, decades are labelled, and of very many decades every second, third, …
        let sparse: Vec<(i32, u32)> =
            shown.iter().filter(|(_, step)| shown.len() <= 12 || *step == 1).copied().collect();
        let stride = sparse.len().div_ceil(12);
        let label = |(decade, step): (i32, u32)| tick_label(value((decade, step)), -decade);
        let place = |v: f64| (v * unit.1).log10();
        Self {
            title: format!("{name} ({}, log scale)", unit.0),
            low: place(value(shown[0])),
            high: place(value(shown[shown.len() - 1])),
            ticks: sparse.iter().step_by(stride).map(|tick| (place(value(*tick)), label(*tick))).collect(),
            scale: Projection::Logarithmic,
        }
    }

    /// The coordinate of a value.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let at = match self.scale {
            Projection::Linear => value,
            Projection::Logarithmic => value.log10(),
            Projection::Nines => nines(value),
        };
        at.clamp(self.low, self.high)
    }

    /// Equal factors are equally far apart.
    pub(crate) fn logarithmic_scale(&self) -> bool {
        matches!(self.scale, Projection::Logarithmic)
    }

    /// The label of the tick nearest to a coordinate.
    pub(crate) fn label(&self, at: f64) -> String {
        let nearest = self.ticks.iter().min_by(|a, b| (a.0 - at).abs().total_cmp(&(b.0 - at).abs()));
        nearest.map(|tick| tick.1.clone()).unwrap_or_default()
    }
}

/// plotters asks for the ticks twice: for strong grid lines, then for fine ones between them, which we leave out.
impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, at: &f64, limit: (i32, i32)) -> i32 {
        let share = (at - self.low) / (self.high - self.low);
        limit.0 + (f64::from(limit.1 - limit.0) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.iter().map(|tick| tick.0).collect() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, at: &f64) -> String {
        self.label(*at)
    }
}

fn nines(share: f64) -> f64 {
    -(1.0 - share).max(1e-12).log10()
}

/// The unit in which a time has one to four digits before the point.
fn time_unit(seconds: f64) -> Unit {
    match seconds {
        s if s < 1e-3 => UNITS[0],
        s if s < 2.0 => UNITS[1],
        s if s < 600.0 => UNITS[2],
        s if s < 14_400.0 => UNITS[3],
        _ => UNITS[4],
    }
}

/// Ticks from 0 to the first round number at or above `max`, at most about `most`, in steps of 1, 2 or 5 times a power of
/// ten.
fn linear_ticks(max: f64, most: f64) -> Vec<(f64, String)> {
    let (step, decimals) = round_step(max / most);
    let count = (max / step * 0.999_999).ceil() as usize;
    (0..=count).map(|n| (n as f64 * step, tick_label(n as f64 * step, decimals))).collect()
}

/// 1, 2 or 5 times a power of ten, at least `rough`; and the decimals that multiples of it have.
fn round_step(rough: f64) -> (f64, i32) {
    let decade = rough.log10().floor() as i32;
    let power = 10.0_f64.powi(decade);
    let (step, decade) = match rough / power {
        r if r <= 1.000_001 => (power, decade),
        r if r <= 2.000_001 => (2.0 * power, decade),
        r if r <= 5.000_001 => (5.0 * power, decade),
        _ => (10.0 * power, decade + 1),
    };
    (step, -decade)
}

/// A tick's number with at most `decimals` digits after the point.
fn tick_label(value: f64, decimals: i32) -> String {
    match decimals {
        d if d > 9 => format!("{value:.0e}"),
        d if d > 0 => trimmed(&format!("{value:.*}", d as usize)),
        _ if value < 1e15 => thousands(value.round() as u64),
        _ => format!("{value:.0e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.1.as_str()).collect()
    }

    #[test]
    fn time_has_few_round_ticks_within_the_run() {
        let axis = Axis::time(63.4);
        assert_eq!(axis.title, "virtual time (s)");
        assert_eq!(labels(&axis), ["0", "10", "20", "30", "40", "50", "60"]);
        assert_eq!(
            labels(&Axis::time(0.5)),
            ["0", "50", "100", "150", "200", "250", "300", "350", "400", "450", "500"]
        );
        assert_eq!(Axis::time(7200.0).title, "virtual time (min)");
        assert_eq!(Axis::time(1e9).title, "virtual time (h)");
    }

    #[test]
    fn latency_is_linear_when_close_and_logarithmic_when_wide() {
        let close = Axis::values("latency", Measure::Seconds, &[0.004, 0.011]);
        assert_eq!((close.title.as_str(), close.low), ("latency (ms)", 0.0));
        assert_eq!(labels(&close), ["0", "2", "4", "6", "8", "10", "12"]);
        let wide = Axis::values("latency", Measure::Seconds, &[0.0098, 1.2]);
        assert_eq!(wide.title, "latency (ms, log scale)");
        assert_eq!(labels(&wide), ["5", "10", "20", "50", "100", "200", "500", "1 000", "2 000"]);
        assert!(wide.place(0.0098) > wide.low && wide.place(1.2) < wide.high);
    }

    #[test]
    fn no_values_zeros_and_huge_values_still_give_an_axis() {
        let huge = u64::MAX as f64 / 1e9;
        for values in [&[][..], &[0.0], &[1e-9], &[1e-9, huge], &[0.0, huge], &[1e300]] {
            for measure in [Measure::Seconds, Measure::Count("requests"), Measure::PerSecond, Measure::Share] {
                let axis = Axis::values("x", measure, values);
                assert!(axis.low < axis.high, "{values:?} {measure:?}");
                assert!((1..=14).contains(&axis.ticks.len()), "{values:?} {measure:?} {:?}", axis.ticks);
            }
        }
        assert_eq!(labels(&Axis::nines(0.9999)), ["0", "50", "90", "99", "99.9", "99.99"]);
    }
}
