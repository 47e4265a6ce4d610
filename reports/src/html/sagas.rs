//! The sagas: how many completed, how many were undone, how long it took, and how far they came.

use super::Section;
use super::markup::Markup;
use super::plot;
use super::table::{Table, most, numbers, words};
use crate::charts::plan;
use crate::number::{quantile, thousands, thousands_signed};
use lab::outcome::Outcome;

/// A row per saga, and the funnel.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let (shown, note) = most(&outcome.sagas, "those begun most", "summary.json", |result| result.started);
    if shown.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        words("saga"),
        numbers("started", ""),
        numbers("completed", ""),
        numbers("undone", ""),
        numbers("open at end", ""),
        numbers("open max", ""),
        numbers("p50", ""),
        numbers("p95", ""),
        numbers("p99", ""),
        numbers("longest", ""),
    ]);
    for result in shown {
        let mut cells = vec![result.name.clone()];
        cells.extend([result.started, result.completed, result.undone, result.open].map(thousands));
        cells.push(thousands_signed(result.open_level.max));
        cells.extend([0.5, 0.95, 0.99, 1.0].map(|q| quantile(&result.time, q)));
        table.row(cells);
    }
    let mut body = Markup::default();
    body.leaf(
        "p",
        &[("class", "lead")],
        "Of the sagas begun after the warm-up. Completed: every step is done; undone: every step that may have happened is \
         compensated.",
    );
    table.write(&mut body, note.as_deref());
    let charts = plan(outcome);
    let funnels: Vec<_> = charts.iter().filter(|chart| chart.file.starts_with("funnel")).collect();
    if !funnels.is_empty() {
        body.node("div", &[("class", "strip")], |strip| {
            for chart in funnels {
                strip.node("div", &[("class", "row")], |row| {
                    row.node("div", &[("class", "about")], |about| {
                        about.leaf("h3", &[], &chart.title).leaf("p", &[("class", "unit")], &plot::axes(chart).0.title);
                        let told = "Forward from the top, then what failed, then back from the last step. sagas.csv has all of it.";
                        about.leaf("p", &[("class", "how")], told);
                    });
                    row.node("div", &[("class", "figure")], |figure| plot::draw(figure, chart, 0));
                });
            }
        });
    }
    Some(Section { id: "sagas", title: "Sagas", body })
}
