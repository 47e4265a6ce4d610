//! Which charts a run gets, and the points of their series.
//!
//! A series has one entry per row of its table, `None` where the table has no value: a gap in the line.

mod parts;
mod spent;

use super::colour::{ASKED, BLUE, ORANGE, PURPLE, SKY, SUBJECTS, VERMILION};
use super::lanes::{Lane, lanes};
use crate::names::operation_name;
use crate::number::plain;
use crate::tables::{every_series, maxima, means, shares, workloads};
use crate::windows::window;
use kernel::Span;
use lab::outcome::{LevelResult, OperationResult, Outcome, QueueResult, TransactionResult};
use plotters::style::RGBColor;

/// One chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Name of its file, without folder and ending.
    pub file: String,
    /// What is seen.
    pub title: String,
    /// How it was measured, of which run.
    pub subtitle: String,
    /// The x axis.
    pub horizontal: Horizontal,
    /// What the y axis shows: `latency`.
    pub quantity: &'static str,
    /// Its sort, which chooses the unit.
    pub measure: Measure,
    /// The lines.
    pub series: Vec<Series>,
    /// Bars in rows, from above, instead of lines; then there is no y axis, and series only explain colours.
    pub rows: Vec<Row>,
    /// What is not seen: `14 more in queues.csv`.
    pub note: Option<String>,
    /// Shaded behind the series; empty unless `horizontal` is time.
    pub lanes: Vec<Lane>,
}

/// The x axis.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Horizontal {
    /// Virtual time from 0 to this many seconds.
    Time(f64),
    /// Share of all samples, drawn as log10(1 / (1 − share)).
    Share,
    /// Numbers from 0 to this.
    Count(f64),
}

/// A row of bars.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// What it is about.
    pub name: String,
    /// Its number, if it has one.
    pub value: Option<String>,
    /// In order.
    pub bars: Vec<Bar>,
}

/// A bar.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bar {
    /// Where it begins on the x axis.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Its colour.
    pub colour: RGBColor,
}

/// What a y axis measures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// Times, in seconds.
    Seconds,
    /// Rates per second.
    PerSecond,
    /// Numbers of this.
    Count(&'static str),
    /// Shares; 1 is all.
    Share,
}

/// How a line looks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ink {
    /// Its colour.
    pub colour: RGBColor,
    /// Its width in pixels.
    pub width: f64,
    /// 1 is opaque.
    pub opacity: f64,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// It has a row of its own in the legend; the maximum of a level shares the row and the colour of its mean.
    pub listed: bool,
    /// How it looks.
    pub ink: Ink,
    /// x (seconds or share) and y (SI); `None`: no sample.
    pub points: Vec<Option<(f64, f64)>>,
}

/// As many subjects as one chart shows.
const MOST: usize = SUBJECTS.len();
/// How broad the samples of bars are in a legend.
const BAR_INK: f64 = 8.0;
/// As many charts of one sort as a run gets.
const MOST_CHARTS: usize = 8;

/// Every chart of a run that has data, except the topology.
pub fn plan(outcome: &Outcome) -> Vec<Chart> {
    let mut charts = Vec::new();
    charts.extend(latency(outcome));
    charts.extend(percentile_curve(outcome));
    charts.extend(spent::chart(outcome));
    charts.extend(load(outcome));
    charts.extend(queues(outcome));
    charts.extend(utilisation(outcome));
    charts.extend(transactions(outcome));
    charts.extend(parts::charts(outcome));
    let points = |series: &Series| series.points.iter().any(Option::is_some);
    charts.retain(|chart| chart.series.iter().any(points) || chart.rows.iter().any(|row| !row.bars.is_empty()));
    charts
}

fn latency(outcome: &Outcome) -> Vec<Chart> {
    let external: Vec<&OperationResult> = outcome.operations.iter().filter(|operation| operation.external).collect();
    let name = |operation: &OperationResult| format!("{} {}", operation.name, operation.from);
    let mut files = Files::new("latency", external.len());
    let charts = external.into_iter().take(MOST_CHARTS).map(|operation| {
        let line = |label: &str, percentile: usize, colour, width| Series {
            name: label.to_owned(),
            listed: true,
            ink: Ink { colour, width, opacity: 1.0 },
            points: over_time(
                outcome,
                operation.windows.iter().map(|counts| counts.percentiles.map(|three| three[percentile] as f64 / 1e9)),
            ),
        };
        Chart {
            file: files.name(&name(operation)),
            title: format!("Latency of {}, called by {}", operation.name, operation.from),
            subtitle: format!("percentiles of what ended in each window of {} · {}", width(outcome), of_run(outcome)),
            quantity: "latency",
            measure: Measure::Seconds,
            series: vec![line("p99", 2, VERMILION, 2.0), line("p90", 1, BLUE, 2.0), line("p50", 0, SKY, 2.0)],
            ..over(outcome)
        }
    });
    charts.collect()
}

fn percentile_curve(outcome: &Outcome) -> Option<Chart> {
    let sampled: Vec<&OperationResult> =
        outcome.operations.iter().filter(|operation| !operation.latency.is_empty()).collect();
    let series: Vec<Series> = sampled
        .iter()
        .zip(SUBJECTS)
        .map(|(operation, colour)| Series {
            name: operation_name(outcome, operation),
            listed: true,
            ink: Ink { colour, width: 2.0, opacity: 1.0 },
            points: shares(&operation.latency)
                .into_iter()
                .map(|share| Some((share, operation.latency.quantile(share) as f64 / 1e9)))
                .collect(),
        })
        .collect();
    Some(Chart {
        file: "percentiles".to_owned(),
        title: "Latency by percentile, whole run".to_owned(),
        subtitle: format!("after warm-up, to the last nine the samples can tell · {}", of_run(outcome)),
        horizontal: Horizontal::Share,
        quantity: "latency",
        measure: Measure::Seconds,
        note: more(sampled.len(), "percentiles.csv"),
        rows: Vec::new(),
        series,
        lanes: Vec::new(),
    })
    .filter(|chart| !chart.series.is_empty())
}

fn load(outcome: &Outcome) -> Vec<Chart> {
    let all = every_series(outcome);
    let workloads = workloads(outcome);
    let mut files = Files::new("load", workloads.len());
    let charts = workloads.into_iter().take(MOST_CHARTS).map(|workload| {
        let line = |metric: &str, label: &str, colour, width| {
            let values = all.iter().find(|(name, subject, _)| *name == metric && subject == workload);
            let values = values.map(|(_, _, values)| values.clone()).unwrap_or_default();
            let ink = Ink { colour, width, opacity: 1.0 };
            Series { name: label.to_owned(), listed: true, ink, points: over_time(outcome, values.into_iter()) }
        };
        let mut series = vec![
            line("offered_per_s", "offered", ASKED, 5.0),
            line("served_per_s", "served", BLUE, 2.0),
            line("failed_per_s", "failed", VERMILION, 2.0),
        ];
        let rejected = line("rejected_per_s", "rejected (business)", PURPLE, 2.0);
        if rejected.points.iter().flatten().any(|point| point.1 > 0.0) {
            series.push(rejected);
        }
        Chart {
            file: files.name(workload),
            title: format!("Load of {workload}: offered, served, failed"),
            subtitle: format!("operations per second in each window of {} · {}", width(outcome), of_run(outcome)),
            quantity: "operations",
            measure: Measure::PerSecond,
            series,
            ..over(outcome)
        }
    });
    charts.collect()
}

fn queues(outcome: &Outcome) -> Option<Chart> {
    let mut shown: Vec<(usize, &QueueResult)> = outcome.queues.iter().enumerate().collect();
    shown.sort_by_key(|(_, queue)| std::cmp::Reverse(queue.depth.max));
    shown.truncate(MOST);
    shown.sort_by_key(|(place, _)| *place);
    let series: Vec<Series> = shown
        .iter()
        .zip(SUBJECTS)
        .flat_map(|((_, queue), colour)| mean_and_max(outcome, &queue.name, &queue.depth, colour))
        .collect();
    Some(Chart {
        file: "queues".to_owned(),
        title: "Requests waiting in queues".to_owned(),
        subtitle: format!(
            "thick: time-weighted mean, thin: maximum of each window of {} · {}",
            width(outcome),
            of_run(outcome)
        ),
        quantity: "waiting",
        measure: Measure::Count("requests"),
        note: more(outcome.queues.len(), "queues.csv"),
        series,
        ..over(outcome)
    })
    .filter(|chart| !chart.series.is_empty())
}

fn utilisation(outcome: &Outcome) -> Option<Chart> {
    let all: Vec<(String, Vec<Option<f64>>)> = every_series(outcome)
        .into_iter()
        .filter(|(metric, _, _)| *metric == "utilisation")
        .map(|(_, subject, values)| (subject, values))
        .collect();
    let services = all.len();
    let series: Vec<Series> = all
        .into_iter()
        .zip(SUBJECTS)
        .map(|((name, values), colour)| Series {
            name,
            listed: true,
            ink: Ink { colour, width: 2.0, opacity: 1.0 },
            points: over_time(outcome, values.into_iter()),
        })
        .collect();
    Some(Chart {
        file: "utilisation".to_owned(),
        title: "Utilisation: busy share of each service's workers".to_owned(),
        subtitle: format!("time-weighted mean per window of {} · {}", width(outcome), of_run(outcome)),
        quantity: "utilisation",
        measure: Measure::Share,
        note: more(services, "timeseries.csv"),
        series,
        ..over(outcome)
    })
    .filter(|chart| !chart.series.is_empty())
}

fn transactions(outcome: &Outcome) -> Vec<Chart> {
    let moved = |result: &&TransactionResult| result.in_doubt_level.max > 0 || result.locks_held.max > 0;
    let seen: Vec<&TransactionResult> = outcome.transactions.iter().filter(moved).collect();
    let mut files = Files::new("in-doubt", seen.len());
    let charts = seen.into_iter().take(MOST_CHARTS).map(|result| {
        let mut series = Vec::new();
        series.extend(mean_and_max(outcome, "locks held", &result.locks_held, BLUE));
        series.extend(mean_and_max(outcome, "in doubt", &result.in_doubt_level, ORANGE));
        Chart {
            file: files.name(&result.name),
            title: format!("Participants in doubt and row locks held: {}", result.name),
            subtitle: format!(
                "thick: time-weighted mean, thin: maximum of each window of {} · {}",
                width(outcome),
                of_run(outcome)
            ),
            quantity: "in doubt, locks held",
            measure: Measure::Count("number"),
            series,
            ..over(outcome)
        }
    });
    charts.collect()
}

/// A level: its mean as a thick line, and in the same colour its maximum as a thin one.
fn mean_and_max(outcome: &Outcome, name: &str, level: &LevelResult, colour: RGBColor) -> [Series; 2] {
    let max = Series {
        name: format!("{name}, max"),
        listed: false,
        ink: Ink { colour, width: 1.0, opacity: 0.6 },
        points: over_time(outcome, maxima(level).into_iter()),
    };
    let mean = Series {
        name: name.to_owned(),
        listed: true,
        ink: Ink { colour, width: 2.0, opacity: 1.0 },
        points: over_time(outcome, means(level).into_iter()),
    };
    [max, mean]
}

/// A chart over time, still without anything of its own.
fn over(outcome: &Outcome) -> Chart {
    Chart {
        file: String::new(),
        title: String::new(),
        subtitle: String::new(),
        horizontal: Horizontal::Time(outcome.end.seconds()),
        quantity: "",
        measure: Measure::Share,
        series: Vec::new(),
        rows: Vec::new(),
        note: None,
        lanes: lanes(outcome),
    }
}

/// The values of windows 0, 1, …, each in the middle of its window.
fn over_time(outcome: &Outcome, values: impl Iterator<Item = Option<f64>>) -> Vec<Option<(f64, f64)>> {
    let point = |(number, value): (usize, Option<f64>)| {
        value.filter(|v| v.is_finite()).map(|value| (window(outcome, number).middle(), value))
    };
    values.enumerate().map(point).collect()
}

/// The values at the ends of windows 0, 1, ….
fn at_ends(outcome: &Outcome, values: impl Iterator<Item = Option<f64>>) -> Vec<Option<(f64, f64)>> {
    let point = |(number, value): (usize, Option<f64>)| value.map(|v| (window(outcome, number).to_ns as f64 / 1e9, v));
    values.enumerate().map(point).collect()
}

fn width(outcome: &Outcome) -> Span {
    outcome.times.window
}

/// What ends every subtitle: of which run it is.
pub(crate) fn of_run(outcome: &Outcome) -> String {
    let variant = outcome.variant.as_ref().map(|variant| format!(" {variant}")).unwrap_or_default();
    format!("{}{variant}, seed {}", outcome.scenario, outcome.seed)
}

fn more(subjects: usize, file: &str) -> Option<String> {
    (subjects > MOST).then(|| format!("{} more in {file}", plain((subjects - MOST) as f64)))
}

/// Names of files: the sort alone if there is one chart of it, else with what it shows, made safe and unique.
struct Files {
    sort: &'static str,
    alone: bool,
    given: Vec<String>,
}

impl Files {
    fn new(sort: &'static str, charts: usize) -> Self {
        Self { sort, alone: charts <= 1, given: Vec::new() }
    }

    fn name(&mut self, subject: &str) -> String {
        if self.alone {
            return self.sort.to_owned();
        }
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '.' { c } else { '-' };
        let base = format!("{}-{}", self.sort, subject.chars().map(safe).take(80).collect::<String>());
        let taken = self.given.iter().filter(|given| **given == base).count();
        self.given.push(base.clone());
        if taken == 0 { base } else { format!("{base}--{}", taken + 1) }
    }
}
