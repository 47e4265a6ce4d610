//! Pictures of a run, as SVG and PNG from the same drawing code.
//!
//! `plan` decides what is drawn and takes it from the same series as the CSV tables; `axis` chooses units and ticks;
//! `frame` draws one chart with plotters; `canvas` turns a drawing into bytes. Every chart over time has the same time axis
//! and the same width, with fault windows shaded behind the series, so that charts can be read one below the other.

pub(crate) mod axis;
mod bitmap;
pub(crate) mod canvas;
pub(crate) mod colour;
mod frame;
mod lanes;
mod plan;

pub use canvas::init_fonts;
pub use lanes::{Lane, lanes};
pub(crate) use plan::of_run;
pub use plan::{Bar, Chart, Horizontal, Ink, Measure, Row, Series, plan};

use lab::outcome::Outcome;

/// One chart as SVG text.
pub fn svg(chart: &Chart) -> String {
    canvas::svg(&frame::Framed { chart })
}

/// The pictures of a run: `charts/latency.svg`, `charts/latency.png`, …, and `charts/topology.*`. A chart without data is
/// left out; the bytes are the same each time.
pub fn files(outcome: &Outcome) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for chart in plan(outcome) {
        let (svg, png) = canvas::render(&frame::Framed { chart: &chart });
        files.push((format!("charts/{}.svg", chart.file), svg.into_bytes()));
        files.push((format!("charts/{}.png", chart.file), png));
    }
    if !outcome.topology.parts.is_empty() {
        let (svg, png, dot) = crate::graph(&outcome.topology);
        files.push(("charts/topology.svg".to_owned(), svg));
        files.push(("charts/topology.png".to_owned(), png));
        files.push(("charts/topology.dot".to_owned(), dot));
    }
    files
}
