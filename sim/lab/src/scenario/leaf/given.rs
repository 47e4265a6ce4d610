//! Values that requests and messages carry (grammar §3, "value"), and what names places for them.

use super::super::targets;
use super::super::template::{Part, template};
use super::super::tree::{Node, Table, Value};
use super::super::values::{self, Bad, clip, is_name, write_duration};
use super::{Checked, Problem, Result, assigned, found, integer, list, plain, point, text, words};

/// A number, truth, `"$x"`, `"= expression"`, or text with variables in it.
pub(super) fn value(node: &Node) -> Result<Checked> {
    match &node.value {
        Value::Integer(number) => Ok(plain(Value::Integer(*number))),
        Value::Boolean(truth) => Ok(plain(Value::Boolean(*truth))),
        Value::Text(written) => {
            value_text(written)?;
            Ok(text(written.clone()))
        }
        Value::Float(_) => Err(Bad::new("there are no fractions in state and messages; count in smaller units").into()),
        Value::Date(_) | Value::Array(_) | Value::Table(_) => {
            Err(found(node, "a whole number, true or false, text, \"$x\" or \"= expression\"").into())
        }
    }
}

fn value_text(written: &str) -> core::result::Result<(), Bad> {
    if let Some(expression) = written.strip_prefix('=') {
        return if expression.trim().is_empty() { Err(Bad::new("nothing is written after `=`")) } else { Ok(()) };
    }
    if written.len() > 2 && written.starts_with('\'') && written.ends_with('\'') {
        let inner = &written[1..written.len() - 1];
        return Err(Bad::new("text needs no inner quotes here").help(format!("\"{}\"?", clip(inner))));
    }
    let parts = template(written)?;
    let reads = parts.iter().any(|part| matches!(part, Part::Variable { .. }));
    let calculates = [" + ", " - ", " * ", " / ", " % "].iter().any(|sign| written.contains(sign));
    if reads && calculates {
        let bad = Bad::new("looks like an expression but is text; start it with `=`");
        return Err(bad.help(format!("\"= {}\"", clip(written.trim()))));
    }
    Ok(())
}

/// A table of fields.
pub(super) fn fields(table: &Table) -> Result<Checked> {
    let mut checked = Table::default();
    for (name, entry) in &table.entries {
        if !is_name(name) {
            let label = "fields are called in lower case letters, digits and `_`";
            return Err(Problem { place: Some(entry.key), ..Bad::new(label).into() });
        }
        let one = value(&entry.node).map_err(|problem| within(problem, &entry.node))?;
        checked.insert(name.clone(), entry.key, Node::new(one.value, entry.node.place));
    }
    Ok(plain(Value::Table(checked)))
}

/// A problem of an element points at the element.
fn within(problem: Problem, node: &Node) -> Problem {
    Problem { place: Some(problem.place.unwrap_or(node.place)), range: None, ..problem }
}

/// `set` of an `update`: what a counter becomes, or the fields of a map's row.
pub(super) fn set(node: &Node) -> Result<Checked> {
    match &node.value {
        Value::Table(table) if table.entries.is_empty() => Err(Bad::new("no field is set").into()),
        Value::Table(table) => fields(table),
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Date(_) | Value::Array(_) => {
            assigned(node)
        }
    }
}

/// A number, or a table of fields.
pub(super) fn initial(node: &Node) -> Result<Checked> {
    match &node.value {
        Value::Table(table) => fields(table),
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Date(_) | Value::Array(_) => {
            integer(node, i64::MIN, i64::MAX)
        }
    }
}

/// A number above 0 and not below `least`.
pub(super) fn factor(node: &Node, least: f64) -> Result<Checked> {
    let number = match &node.value {
        Value::Integer(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Text(_) | Value::Boolean(_) | Value::Date(_) | Value::Array(_) | Value::Table(_) => {
            let bad = found(node, "a number: 2 or 1.5");
            let better = node.as_text().and_then(|t| t.trim().parse::<f64>().ok());
            return Err(better.map_or(bad.clone(), |n| bad.help(format!("without quotes: {n}"))).into());
        }
    };
    if !(number.is_finite() && number > 0.0 && (least..=1e6).contains(&number)) {
        let from = if least > 0.0 { format!("at least {least}") } else { "above 0".to_owned() };
        return Err(Bad::new(format!("{number} is out of range: {from}, at most 1000000")).into());
    }
    let whole = number.fract() == 0.0;
    Ok(plain(if whole { Value::Integer(number as i64) } else { Value::Float(number) }))
}

/// `20` or `"10s"`.
pub(super) fn calls_or_duration(node: &Node) -> Result<Checked> {
    match node.as_text() {
        Some(written) => match values::duration(written)? {
            0 => Err(Bad::new("no call lies in a window of no length").into()),
            ns => Ok(text(write_duration(ns))),
        },
        None => integer(node, 1, 1_000_000),
    }
}

/// `"120/s"` or `40`.
pub(super) fn rate_or_users(node: &Node) -> Result<Checked> {
    match node.as_text() {
        Some(written) => Ok(text(values::rate(written)?.1)),
        None => integer(node, 0, 1_000_000),
    }
}

/// When a client is told that its change is done.
pub(super) fn acks(node: &Node) -> Result<Checked> {
    match node.as_text() {
        None => integer(node, 1, 100),
        Some(word @ ("leader" | "majority" | "all")) => Ok(text(word)),
        Some(word) => {
            let words = ["leader", "majority", "all"];
            let bad = Bad::new(format!("`{}` is neither leader, majority, all nor a number of copies", clip(word)));
            let near = crate::nearest::nearest(word, words).map(|near| format!("did you mean `{near}`?"));
            Err(near.map_or(bad.clone(), |near| bad.help(near)).into())
        }
    }
}

/// `50_000_000` or `"50M"`.
pub(super) fn effort(node: &Node) -> Result<Checked> {
    let Some(written) = node.as_text() else { return integer(node, 1, EFFORT_MAX) };
    let digits = written.trim_end_matches(['k', 'M', 'G']);
    let factor = match &written[digits.len()..] {
        "" => Some(1),
        "k" => Some(1_000),
        "M" => Some(1_000_000),
        "G" => Some(1_000_000_000),
        _ => None,
    };
    let number = digits.replace('_', "").parse::<i64>().ok().zip(factor).and_then(|(n, factor)| n.checked_mul(factor));
    if let Some(number) = number.filter(|number| (1..=EFFORT_MAX).contains(number)) {
        return Ok(plain(Value::Integer(number)));
    }
    let label = format!("`{}` is no number of steps from 1 to {}G", clip(written), EFFORT_MAX / 1_000_000_000);
    Err(Bad::new(label).help("for example \"50M\"").into())
}

/// A search that takes more steps than this takes hours.
const EFFORT_MAX: i64 = 1_000_000_000_000;

/// `"500ms"` or `3`.
pub(super) fn staleness(node: &Node) -> Result<Checked> {
    match node.as_text() {
        Some(written) => Ok(text(write_duration(values::duration(written)?))),
        None => integer(node, 0, 1_000_000),
    }
}

/// `order_events` or `queues.order_events`.
pub(super) fn destination(node: &Node, sections: &[&str]) -> Result<Checked> {
    let written = words(node, "the name of a queue, an exchange or a topic")?;
    let (section, name) = written.split_once('.').map_or((None, written), |(section, name)| (Some(section), name));
    if !is_name(name) {
        return Err(Bad::new(format!("`{}` is no name", clip(name))).into());
    }
    match section {
        Some(section) if !sections.contains(&section) => {
            let paths: Vec<String> = sections.iter().map(|section| format!("`{section}.{}`", clip(name))).collect();
            Err(Bad::new(format!("this is a name, or one of {}", paths.join(", "))).into())
        }
        Some(_) | None => Ok(text(written)),
    }
}

/// `owner.item`.
pub(super) fn item(node: &Node) -> Result<Checked> {
    let written = words(node, "an item of state: \"orders.orders\"")?;
    match targets::row(written)?.key {
        Some(range) => Err(Bad::new("all rows are meant, so there is no key").at(range).into()),
        None => Ok(text(written)),
    }
}

pub(super) fn rows(node: &Node) -> Result<Checked> {
    if node.array().is_some_and(<[Node]>::is_empty) {
        return Err(Bad::new("no row is named").into());
    }
    list(node, |item| {
        let written = words(item, "a row: \"hotel.rooms[$room]\"")?;
        targets::row(written)?;
        Ok(Value::Text(written.to_owned()))
    })
}

/// Always a list, so that one event and a list of one are the same scenario.
pub(super) fn events(node: &Node) -> Result<Checked> {
    match node.as_text() {
        Some(one) => Ok(plain(Value::Array(vec![Node::text(one, node.place)]))),
        None => list(node, |item| Ok(Value::Text(words(item, "an event")?.to_owned()))),
    }
}

/// Words between dots; `*` is any one of them, `#` any number.
pub(super) fn pattern(node: &Node) -> Result<Checked> {
    let written = words(node, "a pattern of keys: \"payment.*\"")?;
    let wrong = written.split('.').find(|word| word.len() > 1 && word.contains(['*', '#']));
    match wrong {
        Some(word) => {
            Err(Bad::new(format!("`*` and `#` are whole words between dots, in `{}` they are not", clip(word))).into())
        }
        None => Ok(text(written)),
    }
}

/// Protocol points; the problem of one is told there.
pub(super) fn points(node: &Node) -> Result<Checked> {
    let Some(items) = node.array() else {
        return Err(found(node, "a list of points: [\"outbox.*\", \"service.after_write\"]").into());
    };
    let mut checked = Vec::new();
    for item in items {
        let one = point(item).map_err(|problem| within(problem, item))?;
        checked.push(Node::new(one.value, item.place));
    }
    Ok(plain(Value::Array(checked)))
}

/// Messages by name; the problem of one is told there.
pub(super) fn hits(node: &Node) -> Result<Checked> {
    let Some(items) = node.array() else {
        return Err(found(node, "a list of messages, operation/hop/transmission: [\"17/3/0\"]").into());
    };
    for item in items {
        if item.as_text().and_then(values::hit).is_none() {
            return Err(within(found(item, "a message, operation/hop/transmission: \"17/3/0\"").into(), item));
        }
    }
    Ok(plain(node.value.clone()))
}

/// Numbers from 0 and ranges of them; the problem of one is told there.
pub(super) fn numbers(node: &Node) -> Result<Checked> {
    let Some(items) = node.array() else {
        return Err(found(node, "a list of numbers and ranges: [3, \"20..40\"]").into());
    };
    for item in items {
        let right = match &item.value {
            Value::Integer(number) => *number >= 0,
            Value::Text(range) => values::seeds(range).is_ok(),
            Value::Float(_) | Value::Boolean(_) | Value::Date(_) | Value::Array(_) | Value::Table(_) => false,
        };
        if !right {
            return Err(within(found(item, "a number from 0, or a range, half open: \"20..40\"").into(), item));
        }
    }
    Ok(plain(node.value.clone()))
}
