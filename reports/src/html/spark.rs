//! A small line beside a threshold: what it is about, over the run, with the limit where both have the same unit.
//!
//! A threshold comes as text; what is understood here is a metric with its labels, `max(in_doubt{tx=transfer}) < 1s`. The
//! line is the nearest series there is, and its caption says which. Sums, quotients and metrics without a series have none.

use super::markup::Markup;
use super::plot::{bands, moment};
use super::strip::shown_lanes;
use crate::charts::axis::Axis;
use crate::number::quantity;
use crate::windows::{per_second, window};
use lab::outcome::{LevelResult, OperationResult, OperationWindow, Outcome, Quantity, ThresholdResult};
use std::fmt::Write as _;
use std::mem::discriminant;

/// Metric, statistic and labels of a threshold with one term.
#[derive(PartialEq, Debug)]
struct Subject<'a> {
    statistic: &'a str,
    metric: &'a str,
    labels: Vec<(&'a str, &'a str)>,
}

/// What is drawn.
struct Line {
    caption: &'static str,
    points: Vec<Option<f64>>,
    /// How values are written.
    sort: fn(f64) -> Quantity,
}

/// Draws it, if there is a series.
pub(super) fn draw(row: &mut Markup, outcome: &Outcome, result: &ThresholdResult) {
    let Some(line) = subject(&result.says).and_then(|subject| series(outcome, &subject)) else { return };
    let Some((at, top)) = peak(&line.points) else { return };
    let comparable = |limit: &Quantity| discriminant(limit) == discriminant(&(line.sort)(0.0));
    let limit = result.limit.filter(comparable).map(|limit| crate::number::number_and_unit(limit).0);
    let high =
        limit.filter(|limit| limit.is_finite()).map_or(top, |limit| limit.max(top)).max(f64::MIN_POSITIVE) * 1.06;
    let down = |value: f64| 1000.0 - (value / high).clamp(0.0, 1.0) * 1000.0;
    row.node("figure", &[("class", "spark")], |figure| {
        figure.node("svg", &[("role", "img"), ("viewBox", "0 0 10000 1000"), ("preserveAspectRatio", "none")], |svg| {
            svg.leaf("title", &[], line.caption);
            let time = Axis::time(outcome.end.seconds());
            for lane in shown_lanes(outcome).into_iter().filter(|lane| lane.shade > 0.0) {
                bands(svg, &lane, &time);
            }
            if let Some(limit) = limit {
                let y = format!("{:.0}", down(limit));
                svg.void("line", &[("class", "limit"), ("x1", "0"), ("x2", "10000"), ("y1", &y), ("y2", &y)]);
            }
            svg.void("path", &[("class", "line"), ("d", &path(&line.points, down))]);
        });
        let when = moment(window(outcome, at).middle());
        figure.node("figcaption", &[], |caption| {
            caption.say(line.caption).say(", at most ").leaf("b", &[], &quantity((line.sort)(top)));
            caption.say(&format!(" near {when}"));
            if limit.is_some() {
                caption.say("; dashed: the limit");
            }
        });
    });
}

fn peak(points: &[Option<f64>]) -> Option<(usize, f64)> {
    let known = points.iter().enumerate().filter_map(|(n, value)| Some((n, (*value)?)));
    known.filter(|(_, value)| value.is_finite()).reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// At most 300 points, the largest of each stretch: what a threshold is crossed by.
fn path(points: &[Option<f64>], down: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let chunks: Vec<Option<f64>> = points
        .chunks(points.len().div_ceil(300).max(1))
        .map(|chunk| chunk.iter().flatten().copied().reduce(f64::max))
        .collect();
    let mut broken = true;
    for (number, value) in chunks.iter().enumerate() {
        let Some(value) = value else {
            broken = true;
            continue;
        };
        let across = (number as f64 + 0.5) / chunks.len() as f64 * 10_000.0;
        let _ = write!(path, "{}{across:.0} {:.0}", if broken { 'M' } else { 'L' }, down(*value));
        if broken {
            path.push_str("h1");
        }
        broken = false;
    }
    path
}

/// Reads the left side; `None` for arithmetic.
fn subject(says: &str) -> Option<Subject<'_>> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let mut rest = says.trim();
    let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
    let (first, after) = rest.split_at(end);
    let (statistic, metric);
    if let Some(inside) = after.strip_prefix('(') {
        let end = inside.find(|c| !word(c))?;
        (statistic, metric) = (first, &inside[..end]);
        rest = &inside[end..];
    } else {
        (statistic, metric) = ("", first);
        rest = after;
    }
    let mut labels = Vec::new();
    if let Some(inside) = rest.trim_start().strip_prefix('{') {
        let (list, after) = inside.split_once('}')?;
        for label in list.split(',').filter(|label| !label.trim().is_empty()) {
            let (name, value) = label.split_once('=')?;
            labels.push((name.trim(), value.trim()));
        }
        rest = after;
    }
    let rest = if statistic.is_empty() { rest } else { rest.trim_start().strip_prefix(')')? };
    let compares = ["<", ">", "=", "!", "within"].iter().any(|sign| rest.trim_start().starts_with(sign));
    (compares && !metric.is_empty()).then_some(Subject { statistic, metric, labels })
}

fn series(outcome: &Outcome, subject: &Subject<'_>) -> Option<Line> {
    if subject.labels.iter().any(|(name, _)| matches!(*name, "phase" | "outcome" | "reason")) {
        return None;
    }
    let line = |caption, points, sort| Some(Line { caption, points, sort });
    match subject.metric {
        "latency" => {
            let operations = operations(outcome, subject);
            let [operation] = operations[..] else { return None };
            let (place, caption) = match subject.statistic {
                "p50" => (0, "median latency per window"),
                "p90" => (1, "p90 of latency per window"),
                "p99" | "max" | "p99.9" | "p99.99" => (2, "p99 of latency per window"),
                _ => return None,
            };
            let value = |seen: &OperationWindow| seen.percentiles.map(|three| three[place] as f64 / 1e9);
            line(caption, operation.windows.iter().map(value).collect(), Quantity::Seconds)
        }
        "errors" | "rejects" => {
            let pick: fn(&OperationWindow) -> u64 =
                if subject.metric == "errors" { |seen| seen.failed } else { |seen| seen.rejected };
            let sums =
                summed(&operations(outcome, subject), |seen| (pick(seen), seen.ok + seen.failed + seen.rejected));
            let share = |(some, all): &(u64, u64)| (*all > 0).then(|| *some as f64 / *all as f64);
            let caption = if subject.metric == "errors" {
                "share that failed, per window"
            } else {
                "share that was rejected, per window"
            };
            line(caption, sums.iter().map(share).collect(), Quantity::Ratio)
        }
        "offered" | "throughput" | "goodput" => {
            let pick: fn(&OperationWindow) -> u64 = match subject.metric {
                "offered" => |seen| seen.offered,
                "goodput" => |seen| seen.ok,
                _ => |seen| seen.ok + seen.failed + seen.rejected,
            };
            let sums = summed(&operations(outcome, subject), |seen| (pick(seen), 0));
            let rate = |(n, (some, _)): (usize, &(u64, u64))| per_second(outcome, n, *some);
            line("per second, in each window", sums.iter().enumerate().map(rate).collect(), Quantity::PerSecond)
        }
        "in_doubt" => line("participants in doubt", maxima(transaction(outcome, subject)?.0), Quantity::Number),
        "locks_held" | "lock_wait" | "hold_time" => {
            line("row locks held", maxima(transaction(outcome, subject)?.1), Quantity::Number)
        }
        "queue_depth" | "wait" | "age" if subject.labels.iter().any(|(name, _)| *name == "queue") => {
            let named = named(subject, &["queue"])?;
            let queue =
                outcome.message_queues.iter().find(|queue| queue.name == named.trim_start_matches("queues."))?;
            line("messages ready and in flight", maxima(&queue.depth), Quantity::Number)
        }
        "saga_time" | "stuck" | "compensated" => {
            let named = named(subject, &["saga"])?;
            let saga = outcome.sagas.iter().find(|saga| saga.name == named.trim_start_matches("sagas."))?;
            line("sagas open", maxima(&saga.open_level), Quantity::Number)
        }
        "outbox_lag" => {
            let named = named(subject, &["service"])?;
            let outbox = outcome.outboxes.iter().find(|outbox| outbox.service == named)?;
            let place = if subject.statistic == "p50" { 0 } else { 2 };
            let caption = if place == 0 { "median lag per window" } else { "p99 of lag per window" };
            let value = |three: &Option<[u64; 3]>| three.map(|three| three[place] as f64 / 1e9);
            line(caption, outbox.lag_windows.iter().map(value).collect(), Quantity::Seconds)
        }
        "retry_amplification" | "retries" => {
            let named = named(subject, &["op"])?;
            let mut found = outcome.retries.iter().filter(|result| result.operation == named);
            let (result, None) = (found.next()?, found.next()) else { return None };
            let tries = result.windows.iter().map(|window| window.amplification()).collect();
            line("tries per call, of calls begun in each window", tries, Quantity::Number)
        }
        "queue_depth" | "wait" => {
            let named = named(subject, &["service", "node"])?;
            let mut found = outcome.queues.iter().filter(|queue| queue.name == named || queue.service == named);
            let (queue, None) = (found.next()?, found.next()) else { return None };
            line("requests waiting", maxima(&queue.depth), Quantity::Number)
        }
        "utilisation" => {
            let named = named(subject, &["service"])?;
            let service = outcome.services.iter().find(|service| service.name == named && service.workers.is_some())?;
            let points = service.window_utilisation.iter().map(|share| Some(*share)).collect();
            line("busy share of the workers, per window", points, Quantity::Ratio)
        }
        _ => None,
    }
}

fn maxima(level: &LevelResult) -> Vec<Option<f64>> {
    crate::tables::maxima(level)
}

fn named<'a>(subject: &Subject<'a>, labels: &[&str]) -> Option<&'a str> {
    let [(label, value)] = subject.labels[..] else { return None };
    labels.contains(&label).then_some(value)
}

fn transaction<'a>(outcome: &'a Outcome, subject: &Subject<'_>) -> Option<(&'a LevelResult, &'a LevelResult)> {
    let named = named(subject, &["tx"])?;
    let named = named.strip_prefix("transactions.").unwrap_or(named);
    let found = outcome.transactions.iter().find(|result| result.name == named)?;
    Some((&found.in_doubt_level, &found.locks_held))
}

/// The operations a threshold is about: without labels those of workloads.
fn operations<'a>(outcome: &'a Outcome, subject: &Subject<'_>) -> Vec<&'a OperationResult> {
    let carries = |operation: &&OperationResult| {
        subject.labels.iter().all(|(label, value)| match *label {
            "op" => operation.name == *value,
            "tx" => operation.name.strip_prefix("transactions.") == Some(value.trim_start_matches("transactions.")),
            "workload" => operation.external && operation.from == value.trim_start_matches("workloads."),
            "from" => operation.from == value.trim_start_matches("workloads."),
            _ => false,
        })
    };
    let any = subject.labels.is_empty();
    outcome.operations.iter().filter(|operation| (!any || operation.external) && carries(operation)).collect()
}

fn summed(operations: &[&OperationResult], pick: impl Fn(&OperationWindow) -> (u64, u64)) -> Vec<(u64, u64)> {
    let windows = operations.iter().map(|operation| operation.windows.len()).max().unwrap_or(0);
    let mut sums = vec![(0, 0); windows];
    for operation in operations {
        for (sum, seen) in sums.iter_mut().zip(&operation.windows) {
            let (some, all) = pick(seen);
            *sum = (sum.0 + some, sum.1 + all);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_read_and_arithmetic_is_not() {
        let read = |says| subject(says).map(|s| (s.statistic.to_owned(), s.metric.to_owned(), s.labels.len()));
        let of = |statistic: &str, metric: &str, labels| Some((statistic.to_owned(), metric.to_owned(), labels));
        assert_eq!(read("max(in_doubt{tx=transfer}) < 1s"), of("max", "in_doubt", 1));
        assert_eq!(read("p99.9(latency) <= 1s"), of("p99.9", "latency", 0));
        assert_eq!(read("errors{op=a.b, phase=steady} < 1%"), of("", "errors", 2));
        assert_eq!(read("mean(utilisation{service=s}) within 1% of 50%"), of("mean", "utilisation", 1));
        for says in ["", "max(wait", "p99(latency) / p50(latency) < 3", "2 * max(wait) < 1s", "errors{a} < 1"] {
            assert_eq!(read(says), None, "{says}");
        }
    }
}
