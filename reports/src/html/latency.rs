//! Latency by percentile, a line per operation: how much worse it is for the unlucky.

use super::Section;
use super::markup::Markup;
use super::plot;
use crate::charts::{Horizontal, plan};
use lab::outcome::Outcome;

/// The percentile curves.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let mut chart = plan(outcome).into_iter().find(|chart| chart.horizontal == Horizontal::Share)?;
    // The luckiest tenth would stretch the axis by decades that nobody asks for.
    for series in &mut chart.series {
        series.points.retain(|point| point.is_none_or(|(share, _)| share >= 0.1));
    }
    chart.series.retain(|series| !series.points.is_empty());
    if chart.series.is_empty() {
        return None;
    }
    let (x, y) = plot::axes(&chart);
    let mut body = Markup::default();
    body.node("div", &[("class", "strip")], |strip| {
        strip.node("div", &[("class", "row")], |row| {
            row.node("div", &[("class", "about")], |about| {
                about.leaf("p", &[("class", "unit")], &y.title);
                plot::legend(about, &chart);
                let told = "The whole run after warm-up, from 10 % to the last nine the samples can tell; every nine is as far from the next. All of it is in percentiles.csv.";
                about.leaf("p", &[("class", "how")], told);
            });
            row.node("div", &[("class", "figure")], |figure| {
                plot::draw(figure, &chart, 220);
                figure.leaf("p", &[("class", "across")], &x.title);
            });
        });
    });
    Some(Section { id: "latency", title: "Latency by percentile", body })
}
