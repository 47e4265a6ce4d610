//! The timeline: charts below each other over one time axis, with the windows of faults behind them, above them the lanes
//! of faults and of the nodes that were down or paused.

use super::markup::Markup;
use super::{Section, nodes, plot};
use crate::charts::axis::Axis;
use crate::charts::{Chart, Horizontal, Lane, lanes, of_run, plan};
use crate::number::thousands;
use lab::outcome::Outcome;

/// As many charts of one sort (of latency, of load) as the strip shows.
const MOST_OF_A_SORT: usize = 4;
const HIGH: u32 = 118;

/// The strip.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let mut charts = plan(outcome);
    charts.retain(|chart| matches!(chart.horizontal, Horizontal::Time(_)));
    // What was asked of the system stands above what it did.
    charts.sort_by_key(|chart| sort(chart) != "load");
    let all = charts.len();
    let mut charts = few_of_each(charts);
    if charts.is_empty() {
        return None;
    }
    let lanes = shown_lanes(outcome);
    for chart in &mut charts {
        chart.lanes.clone_from(&lanes);
    }
    let x = Axis::time(outcome.end.seconds());
    let mut body = Markup::default();
    body.node("div", &[("class", "strip")], |strip| {
        for lane in &lanes {
            lane_row(strip, outcome, lane, &x);
        }
        nodes::rows(strip, outcome, &x);
        for chart in &charts {
            chart_row(strip, outcome, chart);
        }
    });
    let throughout = lanes.iter().any(|lane| lane.shade <= 0.0);
    let but = if throughout { ", but of those that last nearly throughout" } else { "" };
    let told = format!("All over {}. Shaded: the windows of faults{but}, and in grey what was not measured.", x.title);
    body.leaf("p", &[("class", "note")], &told);
    if all > charts.len() {
        let more = thousands((all - charts.len()) as u64);
        body.leaf("p", &[("class", "note")], &format!("… {more} more charts in charts/"));
    }
    Some(Section { id: "timeline", title: "Over time", body })
}

/// The lanes of the pictures, without unmeasured time so short that it could not be seen.
pub(super) fn shown_lanes(outcome: &Outcome) -> Vec<Lane> {
    let end = outcome.end.seconds();
    let long = |lane: &Lane| lane.spans.iter().map(|(from, to)| to - from).sum::<f64>() > end * 0.002;
    lanes(outcome).into_iter().filter(|lane| plot::is_fault(lane) || long(lane)).collect()
}

/// `latency` of `latency-gateway.checkout-shoppers`.
fn sort(chart: &Chart) -> &str {
    let sorts = ["load", "latency", "in-doubt", "flow", "messages", "outbox-lag", "replication-lag"];
    sorts.into_iter().find(|sort| chart.file.starts_with(sort)).unwrap_or(&chart.file)
}

fn few_of_each(charts: Vec<Chart>) -> Vec<Chart> {
    let mut kept: Vec<Chart> = Vec::new();
    for chart in charts {
        if kept.iter().filter(|other| sort(other) == sort(&chart)).count() < MOST_OF_A_SORT {
            kept.push(chart);
        }
    }
    kept
}

/// The row of a lane of faults.
pub(super) fn lane_row(strip: &mut Markup, outcome: &Outcome, lane: &Lane, x: &Axis) {
    strip.node("div", &[("class", "row lane")], |row| {
        row.node("div", &[("class", "about")], |about| {
            about.say(&lane.name);
            // What sort of fault, unless its name says it.
            let kind = outcome.faults.iter().find(|fault| fault.name == lane.name).map(|fault| &fault.kind);
            if let Some(kind) = kind.filter(|kind| !lane.name.contains(kind.as_str())) {
                about.say(" ").leaf("span", &[("class", "sort")], kind);
            }
        });
        row.node("div", &[("class", "figure")], |figure| {
            nodes::track(figure, &lane.name, |inner| plot::bands(inner, lane, x));
        });
    });
}

fn chart_row(strip: &mut Markup, outcome: &Outcome, chart: &Chart) {
    strip.node("div", &[("class", "row")], |row| {
        row.node("div", &[("class", "about")], |about| {
            about.leaf("h3", &[], &chart.title);
            if chart.rows.is_empty() {
                about.leaf("p", &[("class", "unit")], &plot::axes(chart).1.title);
            }
            plot::legend(about, chart);
            let told = chart.subtitle.strip_suffix(&format!(" · {}", of_run(outcome))).unwrap_or(&chart.subtitle);
            about.leaf("p", &[("class", "how")], told);
        });
        row.node("div", &[("class", "figure")], |figure| plot::draw(figure, chart, HIGH));
    });
}
