//! One value against one shape: what it means canonically, or what is wrong with it.

mod drawn;
mod given;

use core::ops::Range;

use kernel::Distribution;

use super::data::Files;
use super::diagnostic::Source;
use super::distributions::{self, Sort};
use super::nearest::{listed, nearest};
use super::points::matches_point;
use super::schema::{POINTS, Shape};
use super::targets;
use super::tree::{Node, Value};
use super::values::{self, Bad, clip, is_name, write_duration, write_size};
use crate::model::Place;

/// A value that was understood.
pub(super) struct Checked {
    /// Canonical.
    pub(super) value: Value,
    /// It is drawn from this.
    pub(super) varying: Option<(Distribution, Sort)>,
}

/// Why a value was not.
pub(super) struct Problem {
    pub(super) label: String,
    pub(super) help: Option<String>,
    /// Bytes of the text.
    pub(super) range: Option<Range<usize>>,
    /// Another place than the value's own: an element of it.
    pub(super) place: Option<Place>,
}

impl From<Bad> for Problem {
    fn from(bad: Bad) -> Self {
        Self { label: bad.label, help: bad.help, range: bad.range, place: None }
    }
}

pub(super) use drawn::note;

type Result<T> = core::result::Result<T, Problem>;

fn plain(value: Value) -> Checked {
    Checked { value, varying: None }
}

fn text(text: impl Into<String>) -> Checked {
    plain(Value::Text(text.into()))
}

/// Checks a value that is no table.
pub(super) fn check(node: &Node, shape: Shape, files: &Files) -> Result<Checked> {
    match shape {
        Shape::Version => version(node),
        Shape::Integer(from, to) => integer(node, from, to),
        Shape::Boolean => boolean(node),
        Shape::Percentage => percentage(node),
        Shape::Count(from) => count(node, from),
        Shape::Duration => duration(node),
        Shape::Warmup if node.as_text() == Some("auto") => Ok(text("auto")),
        Shape::Warmup => duration(node).map_err(|problem| match node.as_text() {
            Some(word) if word.starts_with('a') => {
                Problem { help: Some("did you mean \"auto\"?".to_owned()), ..problem }
            }
            Some(_) | None => problem,
        }),
        Shape::Rate => rate(node),
        Shape::Size => Ok(text(write_size(values::size(words(node, "a size: \"64KiB\"")?)?.into()))),
        Shape::Bandwidth => {
            limit(node, "a bandwidth: \"100Mbit/s\"", |text| values::bandwidth(text).map(values::write_bandwidth))
        }
        Shape::Capacity => limit(node, "a size: \"64KiB\"", |text| values::bytes(text).map(write_size)),
        Shape::Distribution(sort) => drawn::distribution(node, sort, files),
        Shape::Variable => drawn::variable(node, files),
        Shape::Word(now, later) => word(node, now, later).map(text),
        Shape::Words(now, later) => list(node, |item| word(item, now, later).map(|w| Value::Text(w.to_owned()))),
        Shape::Name => name(node).map(text),
        Shape::Names => list(node, |item| name(item).map(|n| Value::Text(n.to_owned()))),
        Shape::FileName => match words(node, "text")? {
            name if is_file_name(name) => Ok(text(name)),
            _ => {
                Err(Bad::new("a name has letters, digits, `_`, `-` and `.`, and begins with a letter or digit").into())
            }
        },
        Shape::Text => Ok(text(words(node, "text")?)),
        Shape::Texts => list(node, |item| Ok(Value::Text(words(item, "text")?.to_owned()))),
        Shape::Expression => expression(node),
        Shape::Assigned => given::set(node),
        Shape::Value => given::value(node),
        Shape::Initial => given::initial(node),
        Shape::Factor(least) => given::factor(node, least),
        Shape::CallsOrDuration => given::calls_or_duration(node),
        Shape::Acks => given::acks(node),
        Shape::Effort => given::effort(node),
        Shape::Staleness => given::staleness(node),
        Shape::RateOrUsers => given::rate_or_users(node),
        Shape::Destination(sections) => given::destination(node, sections),
        Shape::Item => given::item(node),
        Shape::Rows => given::rows(node),
        Shape::Events => given::events(node),
        Shape::Pattern => given::pattern(node),
        Shape::Points => given::points(node),
        Shape::Policy(_) => name(node).map(text),
        Shape::Threshold => threshold(node),
        Shape::Window => window(node),
        Shape::WindowOrPhase => match node.as_text() {
            Some(word) if is_name(word) => Ok(text(word)),
            Some(_) | None => window(node),
        },
        Shape::Seeds => {
            let (from, to) = values::seeds(words(node, "a range of seeds: \"0..100\"")?)?;
            Ok(text(format!("{from}..{to}")))
        }
        Shape::Targets => targets_of(node),
        Shape::Sides => sides(node),
        Shape::Hits => given::hits(node),
        Shape::Operations(_) => given::numbers(node),
        Shape::CallTarget => {
            let callee = words(node, "`service`, `service.op`, `transactions.x` or `sagas.x`")?;
            targets::callee(callee)?;
            Ok(text(callee))
        }
        Shape::Row => {
            let row = words(node, "a row: \"accounts[$from]\"")?;
            targets::row(row)?;
            Ok(text(row))
        }
        Shape::Else(_) => otherwise(node),
        Shape::Point => point(node),
        Shape::Path => match words(node, "a path: \"transactions.transfer\"")? {
            path if path.split('.').all(is_name) => Ok(text(path)),
            path => Err(Bad::new(format!("`{}` is no path like `transactions.transfer`", clip(path))).into()),
        },
        Shape::Trace => drawn::trace(node, files),
        Shape::SweepVariants => match node.as_text() {
            Some(word @ ("all" | "none")) => Ok(text(word)),
            Some(_) => Err(Bad::new("`\"all\"`, `\"none\"` or a list of names").into()),
            None => list(node, |item| name(item).map(|n| Value::Text(n.to_owned()))),
        },
        Shape::Matrix => matrix(node),
        Shape::Table(_)
        | Shape::List(_)
        | Shape::Keyed(_)
        | Shape::Links(_)
        | Shape::Verbed(_)
        | Shape::Steps(_)
        | Shape::Variants => Err(found(node, "a table").into()),
    }
}

/// A value, or `unlimited`.
fn limit(node: &Node, wanted: &str, one: impl Fn(&str) -> core::result::Result<String, Bad>) -> Result<Checked> {
    match words(node, wanted)? {
        "unlimited" => Ok(text("unlimited")),
        written => Ok(text(one(written)?)),
    }
}

fn found(node: &Node, wanted: &str) -> Bad {
    Bad::new(format!("found {}, and this is {wanted}", node.sort()))
}

fn words<'n>(node: &'n Node, wanted: &str) -> core::result::Result<&'n str, Bad> {
    node.as_text().ok_or_else(|| found(node, wanted))
}

fn version(node: &Node) -> Result<Checked> {
    match node.value {
        Value::Integer(1) => Ok(plain(Value::Integer(1))),
        Value::Integer(_) => Err(Bad::new("this version of stormglass reads version 1").into()),
        Value::Text(_) | Value::Float(_) | Value::Boolean(_) | Value::Date(_) | Value::Array(_) | Value::Table(_) => {
            Err(found(node, "the number 1").into())
        }
    }
}

fn integer(node: &Node, from: i64, to: i64) -> Result<Checked> {
    let Value::Integer(number) = node.value else {
        let bad = found(node, "a whole number");
        let better = node.as_text().and_then(|t| t.trim().parse::<i64>().ok());
        return Err(match better {
            Some(number) => bad.help(format!("without quotes: {number}")).into(),
            None => bad.into(),
        });
    };
    if (from..=to).contains(&number) {
        return Ok(plain(Value::Integer(number)));
    }
    let rule = if number < from { format!("at least {from}") } else { format!("at most {to}") };
    Err(Bad::new(format!("{number} is out of range: {rule}")).into())
}

fn boolean(node: &Node) -> Result<Checked> {
    match &node.value {
        Value::Boolean(truth) => Ok(plain(Value::Boolean(*truth))),
        Value::Text(word) if word == "true" || word == "false" => {
            Err(found(node, "true or false").help(format!("without quotes: {word}")).into())
        }
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Date(_) | Value::Array(_) | Value::Table(_) => {
            Err(found(node, "true or false").into())
        }
    }
}

fn percentage(node: &Node) -> Result<Checked> {
    let bare = match node.value {
        Value::Float(share) => Some(share),
        Value::Integer(share) => Some(share as f64),
        Value::Text(_) | Value::Boolean(_) | Value::Date(_) | Value::Array(_) | Value::Table(_) => None,
    };
    if let Some(share) = bare {
        let bad = Bad::new("a probability is written as a percentage");
        let percent = (share * 1e8).round() / 1e6;
        return Err(if (0.0..=1.0).contains(&share) { bad.help(format!("\"{percent}%\"?")) } else { bad }.into());
    }
    Ok(text(values::percentage(words(node, "a percentage: \"1%\"")?)?.1))
}

fn count(node: &Node, from: i64) -> Result<Checked> {
    match &node.value {
        Value::Text(word) if word == "unlimited" => Ok(text("unlimited")),
        Value::Text(word) => {
            let bad = Bad::new(format!("`{}` is neither a whole number nor \"unlimited\"", clip(word)));
            Err(match word.trim().parse::<i64>() {
                Ok(number) => bad.help(format!("without quotes: {number}")).into(),
                Err(_) => bad.into(),
            })
        }
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Date(_)
        | Value::Array(_)
        | Value::Table(_) => integer(node, from, 10_000_000),
    }
}

/// The text of a duration, or why it has none.
fn duration_text<'n>(node: &'n Node, wanted: &str) -> core::result::Result<&'n str, Bad> {
    match &node.value {
        Value::Text(text) => Ok(text),
        Value::Integer(number) if *number >= 0 => Err(values::no_unit(&number.to_string(), 0..0).whole()),
        Value::Float(number) if *number >= 0.0 => Err(values::no_unit(&number.to_string(), 0..0).whole()),
        Value::Integer(_) | Value::Float(_) => Err(Bad::new("a duration is text with a unit, and not negative")),
        Value::Boolean(_) | Value::Date(_) | Value::Array(_) | Value::Table(_) => Err(found(node, wanted)),
    }
}

fn duration(node: &Node) -> Result<Checked> {
    let written = duration_text(node, "a duration: \"5ms\"")?;
    match values::duration(written) {
        Ok(ns) => Ok(text(write_duration(ns))),
        Err(_) if written.contains('(') && distributions::parse(written, Sort::Durations).is_ok() => {
            Err(Bad::new("this is drawn once for all, so it is a plain duration, no distribution").into())
        }
        Err(bad) => Err(bad.into()),
    }
}

fn rate(node: &Node) -> Result<Checked> {
    if let Value::Integer(number) = node.value {
        return Err(Bad::new("per what? The unit of time is missing").help(format!("\"{number}/s\"?")).into());
    }
    let (per_second, written) = values::rate(words(node, "a rate: \"200/s\"")?)?;
    if per_second <= 0.0 {
        return Err(Bad::new("a rate of nothing; leave the table out instead").into());
    }
    Ok(text(written))
}

fn word<'n>(node: &'n Node, now: &[&str], later: &[&str]) -> Result<&'n str> {
    let all = || now.iter().copied();
    let found = words(node, &format!("one of {}", listed(all(), 12)))?;
    if now.contains(&found) {
        return Ok(found);
    }
    let spelt = found.to_ascii_lowercase().replace('-', "_");
    if later.contains(&found) || later.contains(&spelt.as_str()) {
        let label = format!("`{spelt}` is not supported by this version yet; there are {}", listed(all(), 12));
        return Err(Bad::new(label).into());
    }
    let bad = Bad::new(format!("`{}` is none of {}", clip(found), listed(all(), 12)));
    if now.contains(&spelt.as_str()) {
        return Err(bad.help(format!("names use `_` and lower case: \"{spelt}\"")).into());
    }
    match nearest(found, all()) {
        Some(near) => Err(bad.help(format!("did you mean `{near}`?")).into()),
        None => match nearest(found, later.iter().copied()) {
            Some(near) => Err(bad.help(format!("`{near}` is not supported by this version yet")).into()),
            None => Err(bad.into()),
        },
    }
}

fn name(node: &Node) -> Result<&str> {
    let found = words(node, "a name")?;
    if is_name(found) {
        return Ok(found);
    }
    let better = found.to_ascii_lowercase().replace(['-', ' '], "_");
    let bad = Bad::new(format!("`{}` is not a name: lower case letters, digits and `_`", clip(found)));
    Err(if is_name(&better) { bad.help(format!("\"{better}\"?")).into() } else { bad.into() })
}

fn list(node: &Node, one: impl Fn(&Node) -> Result<Value>) -> Result<Checked> {
    let Some(items) = node.array() else {
        let bad = found(node, "a list");
        let help = node.as_text().map(|word| format!("[\"{}\"]?", clip(word)));
        return Err(Problem { help, ..bad.into() });
    };
    let mut values = Vec::new();
    for item in items {
        let value =
            one(item).map_err(|problem| Problem { place: Some(problem.place.unwrap_or(item.place)), ..problem })?;
        values.push(Node::new(value, item.place));
    }
    Ok(plain(Value::Array(values)))
}

fn expression(node: &Node) -> Result<Checked> {
    match &node.value {
        Value::Integer(number) => Ok(text(number.to_string())),
        Value::Text(written) if !written.trim().is_empty() => Ok(text(written.clone())),
        Value::Text(_) => Err(Bad::new("nothing is written here").into()),
        Value::Boolean(_) | Value::Float(_) | Value::Date(_) | Value::Array(_) | Value::Table(_) => {
            Err(found(node, "an expression: \"stock >= 1\"").into())
        }
    }
}

/// `set`: text without `=` or `$` is text, and a counter holds none.
fn assigned(node: &Node) -> Result<Checked> {
    match &node.value {
        Value::Integer(number) => Ok(plain(Value::Integer(*number))),
        Value::Text(written) if written.starts_with('=') && written.len() > 1 => Ok(text(written.clone())),
        Value::Text(written) if written.strip_prefix('$').is_some_and(is_name) => Ok(text(written.clone())),
        Value::Text(written) if written.contains(['$', '+', '*']) => {
            let bad = Bad::new("looks like an expression but is text; start it with `=`");
            Err(bad.help(format!("\"= {}\"", clip(written.trim()))).into())
        }
        Value::Text(written) => Err(Bad::new("this is text, and a counter holds whole numbers")
            .help(format!("fields of a map's row are a table: `{{ status = \"{}\" }}`", clip(written)))
            .into()),
        Value::Boolean(_) | Value::Float(_) | Value::Date(_) | Value::Array(_) | Value::Table(_) => {
            Err(found(node, "a whole number, \"$x\" or \"= expression\"").into())
        }
    }
}

fn threshold(node: &Node) -> Result<Checked> {
    let written = words(node, "a comparison: \"p99(latency) < 250ms\"")?;
    let compares = written.contains(['<', '>']) || written.contains("==") || written.contains(" within ");
    if !compares {
        let bad =
            Bad::new("nothing is compared here").help("for example \"p99(latency{op=gateway.checkout}) < 250ms\"");
        return Err(bad.into());
    }
    Ok(text(written))
}

fn window(node: &Node) -> Result<Checked> {
    let (from, to) = values::window(words(node, "a window: \"10s..40s\"")?)?;
    Ok(text(format!("{}..{}", write_duration(from), write_duration(to))))
}

/// A target or a link, written canonically.
fn one_target(node: &Node) -> core::result::Result<String, Bad> {
    let written = words(node, "a target")?;
    if targets::looks_like_link(written) {
        return targets::link(written, node.place).map(|link| targets::write_link(&link));
    }
    targets::target(written, node.place).map(|target| targets::write_target(&target))
}

/// Always a list, so that one target and a list of one are the same scenario.
fn targets_of(node: &Node) -> Result<Checked> {
    match &node.value {
        Value::Array(_) => list(node, |item| Ok(Value::Text(one_target(item)?))),
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Date(_) | Value::Table(_) => {
            let one = Value::Text(one_target(node)?);
            Ok(plain(Value::Array(vec![Node::new(one, node.place)])))
        }
    }
}

fn sides(node: &Node) -> Result<Checked> {
    let checked = list(node, |side| match side.array() {
        Some([]) => Err(Bad::new("a side has somebody on it").into()),
        Some(_) => list(side, |item| match one_target(item)? {
            link if targets::looks_like_link(&link) => Err(Bad::new("sides are made of nodes, not of links").into()),
            target => Ok(Value::Text(target)),
        })
        .map(|side| side.value),
        None => Err(found(side, "a side").help("each side is a list: [[\"a\", \"b\"], [\"c\"]]").into()),
    })?;
    if node.array().is_some_and(<[Node]>::is_empty) {
        return Err(Bad::new("there are no sides").into());
    }
    Ok(checked)
}

fn otherwise(node: &Node) -> Result<Checked> {
    match &node.value {
        Value::Text(word) if is_name(word) => Ok(text(word.clone())),
        Value::Array(_)
        | Value::Text(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Date(_)
        | Value::Table(_) => {
            Err(Bad::new("\"fail\", \"skip\", a word of your own (the business error), or steps").into())
        }
    }
}

fn point(node: &Node) -> Result<Checked> {
    let written = words(node, "a point: \"2pc.coordinator.after_last_vote\"")?;
    if POINTS.iter().any(|point| matches_point(written, point)) {
        return Ok(text(written));
    }
    let bad = Bad::new(format!("there is no point `{}`", clip(written)));
    Err(match nearest(written, POINTS.iter().copied()) {
        Some(near) => bad.help(format!("did you mean `{near}`?")).into(),
        None => bad.help(format!("there are {}", listed(POINTS.iter().copied(), 20))).into(),
    })
}

fn matrix(node: &Node) -> Result<Checked> {
    let Some(table) = node.table() else { return Err(found(node, "a table of paths and lists").into()) };
    for (path, entry) in &table.entries {
        let empty = entry.node.array().is_none_or(<[Node]>::is_empty);
        if empty {
            let label = format!("`{}` needs a list of values", clip(path));
            return Err(Problem { place: Some(entry.node.place), ..Bad::new(label).into() });
        }
        let values = entry.node.array().unwrap_or(&[]);
        let twice = values.iter().enumerate().find(|(n, item)| values[..*n].iter().any(|v| v.value == item.value));
        if let Some((_, item)) = twice {
            let label = format!("`{}` has this value twice", clip(path));
            return Err(Problem { place: Some(item.place), ..Bad::new(label).into() });
        }
    }
    Ok(plain(node.value.clone()))
}

/// A name that can be a directory everywhere.
pub(super) fn is_file_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 100
        && !name.ends_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

/// The place of some bytes of a text value. Exact if the text was written without escapes, else all of it.
pub(super) fn inside(sources: &[Source], node: &Node, range: &Range<usize>) -> Place {
    match node.as_text() {
        Some(text) => inside_text(sources, node.place, text, range),
        None => node.place,
    }
}

/// The same for a text and its place.
pub(super) fn inside_text(sources: &[Source], place: Place, text: &str, range: &Range<usize>) -> Place {
    let (start, end) = (place.start as usize, place.end as usize);
    let written = sources.get(place.source as usize).and_then(|s| s.text.get(start..end)).unwrap_or("");
    let offset = if written == text {
        0
    } else {
        let quoted = written.len() == text.len() + 2 && written.starts_with(['"', '\'']);
        if !quoted || written.get(1..=text.len()) != Some(text) {
            return place;
        }
        1
    };
    let at = |byte: usize| place.start + offset + byte.min(text.len()) as u32;
    Place { source: place.source, start: at(range.start), end: at(range.end.max(range.start)) }
}
