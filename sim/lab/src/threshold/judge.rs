//! Comparisons judged, once a run is over.

use kernel::Time;

use super::{Comparison, Expression, Operator, Threshold};
use crate::measure::{Recorder, Stat};
use crate::outcome::{Expectation, Status, ThresholdResult};

/// Judges thresholds by what a recorder found; `recorder` was given the list of wanted terms they were parsed into, and has
/// finished.
pub fn judge(thresholds: &[(String, Threshold)], recorder: &Recorder) -> Vec<ThresholdResult> {
    let mut found = Vec::new();
    for (name, threshold) in thresholds {
        let (left, right) = (number(&threshold.left, recorder), number(&threshold.right, recorder));
        let status = match (left, right) {
            (Some(left), Some(right)) if threshold.comparison.holds(left, right) => Status::Holds,
            (Some(_), Some(_)) => Status::Violated,
            (None, _) | (_, None) => Status::Vacuous,
        };
        found.push(ThresholdResult {
            name: name.clone(),
            says: threshold.says.clone(),
            status,
            value: left.map(|number| threshold.kind.quantity(number)),
            limit: right.map(|number| threshold.kind.quantity(number)),
            at: seen_at(&threshold.left, recorder),
            expected: Expectation::Holds,
        });
    }
    found
}

/// The standard error of the measured side, in its unit, if that is a single term for which batches tell one.
pub fn standard_error(threshold: &Threshold, recorder: &Recorder) -> Option<f64> {
    match threshold.left {
        Expression::Term(term) => recorder.value(term)?.error,
        Expression::Literal(_) | Expression::Negative(_) | Expression::Binary(..) => None,
    }
}

impl Comparison {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => left.total_cmp(&right).is_eq(),
            Self::NotEqual => left.total_cmp(&right).is_ne(),
            Self::Within(share) => (left - right).abs() <= share * right.abs(),
        }
    }
}

/// The value of an expression; `None` if a term had nothing to measure, or a quotient has nothing below.
fn number(expression: &Expression, recorder: &Recorder) -> Option<f64> {
    let value = match expression {
        Expression::Literal(number) => *number,
        Expression::Term(term) => recorder.value(*term)?.number,
        Expression::Negative(inner) => -number(inner, recorder)?,
        Expression::Binary(operator, left, right) => {
            let (left, right) = (number(left, recorder)?, number(right, recorder)?);
            match operator {
                Operator::Add => left + right,
                Operator::Subtract => left - right,
                Operator::Multiply => left * right,
                Operator::Divide => left / right,
            }
        }
    };
    // No negative zero, so that `== 0` means what it says.
    value.is_finite().then_some(value + 0.0)
}

/// When the largest value was seen, if the expression is about one.
fn seen_at(expression: &Expression, recorder: &Recorder) -> Option<Time> {
    match expression {
        Expression::Term(term) if recorder.stat(*term) == Stat::Max => recorder.value(*term)?.at,
        Expression::Term(_) | Expression::Literal(_) => None,
        Expression::Negative(inner) => seen_at(inner, recorder),
        Expression::Binary(_, left, right) => seen_at(left, recorder).or_else(|| seen_at(right, recorder)),
    }
}
