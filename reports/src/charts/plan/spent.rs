//! Where the time went: per operation a bar, divided by what its calls waited for.

use super::{BAR_INK, Bar, Chart, Horizontal, Ink, Measure, Row, Series, of_run};
use crate::charts::colour::{BLUE, ORANGE, PURPLE, SKY, VERMILION};
use crate::names::operation_name;
use crate::number::{duration, thousands};
use kernel::Span;
use lab::outcome::{OperationResult, Outcome};
use plotters::style::RGBColor;

/// As many operations as the chart shows.
const MOST_ROWS: usize = 16;

/// What parts are called, and their colours, in the order of `SpentTime::parts`.
const PARTS: [(&str, RGBColor); 5] = [
    ("work", BLUE),
    ("waiting for a worker", ORANGE),
    ("network", SKY),
    ("database, broker, commit", PURPLE),
    ("failed tries and pauses", VERMILION),
];

/// The chart, if anything took time.
pub(super) fn chart(outcome: &Outcome) -> Option<Chart> {
    let took = |operation: &&OperationResult| operation.spent.parts().iter().any(|(_, ns)| *ns > 0);
    let all: Vec<&OperationResult> = outcome.operations.iter().filter(took).collect();
    let rows: Vec<Row> = all.iter().take(MOST_ROWS).map(|operation| row(outcome, operation)).collect();
    let seen = |colour: RGBColor| rows.iter().flat_map(|row| &row.bars).any(|bar| bar.colour == colour);
    let legend = |(name, colour): (&str, RGBColor)| Series {
        name: name.to_owned(),
        listed: true,
        ink: Ink { colour, width: BAR_INK, opacity: 1.0 },
        points: Vec::new(),
    };
    let series = PARTS.into_iter().filter(|(_, colour)| seen(*colour)).map(legend).collect();
    let more = all.len().saturating_sub(MOST_ROWS);
    (!rows.is_empty()).then(|| Chart {
        file: "spent".to_owned(),
        title: "Where the time went".to_owned(),
        subtitle: format!(
            "of all calls that ended, after warm-up; with what callees did; mean latency · {}",
            of_run(outcome)
        ),
        horizontal: Horizontal::Count(1.0),
        quantity: "share of the latency",
        measure: Measure::Share,
        series,
        note: (more > 0).then(|| format!("{} more in spent.csv", thousands(more as u64))),
        rows,
        lanes: Vec::new(),
    })
}

fn row(outcome: &Outcome, operation: &OperationResult) -> Row {
    let parts = operation.spent.parts();
    let all: u128 = parts.iter().map(|(_, ns)| ns).sum();
    let mut from = 0;
    let mut bars = Vec::new();
    for ((_, ns), (_, colour)) in parts.into_iter().zip(PARTS) {
        let share = |ns: u128| ns as f64 / all as f64;
        if ns > 0 {
            bars.push(Bar { from: share(from), to: share(from + ns), colour });
        }
        from += ns;
    }
    let mean = duration(Span((all / u128::from(operation.latency.count().max(1))) as u64));
    Row { name: operation_name(outcome, operation), value: Some(mean), bars }
}
