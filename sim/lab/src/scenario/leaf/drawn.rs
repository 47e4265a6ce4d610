//! Values that are drawn: distributions, variables, and arrival times.

use kernel::{Distribution, Span};

use super::super::data::Files;
use super::super::distributions::{self, Sort};
use super::super::tree::{Node, Value};
use super::super::values::{self, Bad, write_duration, write_offset};
use super::super::variables::{self, Holds};
use super::{Checked, Result, boolean, duration, duration_text, found, list, plain};

/// Arrival times in one trace.
const TRACE_MAX: usize = 1_000_000;

pub(super) fn distribution(node: &Node, sort: Sort, files: &Files) -> Result<Checked> {
    let number;
    let written = match (sort, &node.value) {
        (Sort::Durations, _) => duration_text(node, "a duration or a distribution: \"exp(5ms)\"")?,
        (_, Value::Integer(value)) => {
            number = value.to_string();
            &number
        }
        (_, Value::Float(value)) => {
            number = format!("{value}");
            &number
        }
        (_, Value::Text(text)) => text,
        (_, Value::Boolean(_) | Value::Date(_) | Value::Array(_) | Value::Table(_)) => {
            return Err(found(node, "a number or a distribution: \"int(1, 50)\"").into());
        }
    };
    let parsed = distributions::parse_with(written, sort, files)?;
    let varying = parsed.constant.is_none().then_some((parsed.law, sort));
    Ok(Checked { value: Value::Text(parsed.text), varying })
}

pub(super) fn variable(node: &Node, files: &Files) -> Result<Checked> {
    let parsed = match &node.value {
        Value::Boolean(value) => return Ok(plain(Value::Boolean(*value))),
        Value::Text(text) if matches!(text.trim(), "true" | "false") => return boolean(node),
        Value::Text(text) => variables::parse(text, files)?,
        Value::Integer(_) | Value::Float(_) | Value::Date(_) | Value::Array(_) | Value::Table(_) => {
            return distribution(node, Sort::Numbers, files);
        }
    };
    let numbers = !parsed.constant && matches!(parsed.sort, Holds::Number | Holds::Truth);
    Ok(Checked { value: Value::Text(parsed.text), varying: numbers.then_some((parsed.law, Sort::Numbers)) })
}

pub(super) fn trace(node: &Node, files: &Files) -> Result<Checked> {
    if let Some(name) = node.as_text() {
        let mut times = files.column(name, Sort::Durations)?;
        times.sort_by(f64::total_cmp);
        let times = times.into_iter().map(|ns| Node::text(write_duration(ns as u64), node.place));
        return Ok(plain(Value::Array(times.collect())));
    }
    let mut checked = list(node, |item| Ok(duration(item)?.value))?;
    if let Value::Array(times) = &mut checked.value {
        if times.is_empty() || times.len() > TRACE_MAX {
            return Err(Bad::new(format!("a trace has 1 to {TRACE_MAX} times")).into());
        }
        times.sort_by_key(|n| values::duration(n.as_text().unwrap_or("")).unwrap_or(0));
    }
    Ok(checked)
}

/// Mean and 99th percentile, for the resolved file.
pub(in crate::scenario) fn note(law: &Distribution, sort: Sort) -> String {
    let shown = |value: f64| match sort {
        _ if !value.is_finite() => "infinite".to_owned(),
        Sort::Offsets => write_offset(value.clamp(-1e18, 1e18).round()),
        Sort::Durations if value < 1e18 => Span(value.max(0.0).round() as u64).to_string(),
        Sort::Durations => "very long".to_owned(),
        Sort::Numbers | Sort::Counts => format!("{}", (value * 100.0).round() / 100.0),
        Sort::Drifts => format!("{}ppm", (value * 100.0).round() / 100.0),
    };
    format!("mean {}, p99 {}", shown(law.mean()), shown(law.quantile(0.99)))
}
