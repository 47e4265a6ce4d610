//! Harmless values, to go on with where the file is wrong.

use super::distributions::Sort;
use super::schema::Shape;
use super::tree::{Table, Value};

/// A correct value of this shape, to go on with where the file is wrong.
pub(super) fn stand_in(shape: Shape) -> Value {
    let text = |text: &str| Value::Text(text.to_owned());
    match shape {
        Shape::Version => Value::Integer(1),
        Shape::Integer(from, to) => Value::Integer(1.clamp(from, to)),
        Shape::Boolean => Value::Boolean(false),
        Shape::Percentage => text("100%"),
        Shape::Duration | Shape::Warmup | Shape::Distribution(Sort::Durations) => text("0s"),
        Shape::Rate => text("1/s"),
        Shape::Size => text("0B"),
        Shape::Count(_) | Shape::Bandwidth | Shape::Capacity => text("unlimited"),
        Shape::Distribution(Sort::Drifts) => text("0ppm"),
        Shape::Distribution(Sort::Offsets) => text("0s"),
        Shape::Distribution(Sort::Numbers | Sort::Counts) | Shape::Variable | Shape::Expression => text("1"),
        Shape::Word(words, _) => text(words.first().copied().unwrap_or("")),
        Shape::Window | Shape::WindowOrPhase => text("0s..1ns"),
        Shape::Seeds => text("0..1"),
        Shape::Assigned | Shape::Value | Shape::Initial | Shape::RateOrUsers | Shape::Acks => Value::Integer(0),
        Shape::CallsOrDuration | Shape::Effort | Shape::Staleness | Shape::Factor(_) => Value::Integer(1),
        Shape::Else(_) => text("fail"),
        Shape::SweepVariants => text("none"),
        Shape::Row
        | Shape::Name
        | Shape::FileName
        | Shape::Text
        | Shape::Threshold
        | Shape::CallTarget
        | Shape::Point
        | Shape::Destination(_)
        | Shape::Item
        | Shape::Pattern
        | Shape::Policy(_)
        | Shape::Path => text(""),
        Shape::Words(..)
        | Shape::Names
        | Shape::Texts
        | Shape::Targets
        | Shape::Sides
        | Shape::Hits
        | Shape::Operations(_)
        | Shape::Trace
        | Shape::Rows
        | Shape::Events
        | Shape::Points
        | Shape::List(_)
        | Shape::Steps(_) => Value::Array(Vec::new()),
        Shape::Matrix | Shape::Table(_) | Shape::Keyed(_) | Shape::Links(_) | Shape::Verbed(_) | Shape::Variants => {
            Value::Table(Table::default())
        }
    }
}
