//! Where the time went: what the calls of each operation waited for.

use super::Section;
use super::markup::Markup;
use super::plot;
use crate::charts::plan;
use lab::outcome::Outcome;

/// A bar per operation.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let chart = plan(outcome).into_iter().find(|chart| chart.file == "spent")?;
    let mut body = Markup::default();
    body.node("div", &[("class", "strip")], |strip| {
        strip.node("div", &[("class", "row")], |row| {
            row.node("div", &[("class", "about")], |about| {
                about.leaf("p", &[("class", "unit")], &plot::axes(&chart).0.title);
                plot::legend(about, &chart);
                let told = "Of all calls that ended, after warm-up; what a callee did is among its caller's. The parts add up to \
                            the latency exactly, whose mean stands behind the name. In seconds: spent.csv.";
                about.leaf("p", &[("class", "how")], told);
            });
            row.node("div", &[("class", "figure")], |figure| plot::draw(figure, &chart, 0));
        });
    });
    Some(Section { id: "spent", title: "Where the time went", body })
}
