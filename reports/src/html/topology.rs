//! Who calls whom: the picture of `crate::graph` in the page's colours, with what was measured on each call.

use super::Section;
use super::markup::Markup;
use super::operations::ended;
use crate::graph::{BOX_HIGH, BOX_WIDE, Call, Shapes, UNDO, shapes};
use crate::number::{duration, percent, plain};
use kernel::Span;
use lab::outcome::{LinkKind, OperationResult, Outcome, Part};
use std::fmt::Write as _;

/// More parts than this are no picture; the file beside the page can be enlarged.
const MOST_PARTS: usize = 60;
/// As small as the picture gets before it scrolls: six layers then fit the page, and its texts can still be read.
const SMALLEST: f64 = 0.65;
/// As wide as a printed page that stands upright, in pixels.
const PAPER: f64 = 690.0;

/// The picture.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let parts = outcome.topology.parts.len();
    if parts == 0 {
        return None;
    }
    let mut body = Markup::default();
    if parts > MOST_PARTS {
        body.leaf("p", &[("class", "note")], &format!("{parts} parts are too many for this page: charts/topology.svg"));
        return Some(Section { id: "topology", title: "Who calls whom", body });
    }
    let shapes = shapes(&outcome.topology);
    let class = if f64::from(shapes.size.0) * SMALLEST > PAPER { "scroll wide" } else { "scroll" };
    body.node("div", &[("class", class), ("tabindex", "0")], |scroll| draw(scroll, outcome, &shapes));
    let told = "On a call: how often, the 99th percentile of its latency, and the share that failed, after warm-up.";
    let any_measured = shapes.calls.iter().any(|call| measured(outcome, call).is_some());
    let dashed = shapes.calls.iter().any(|call| call.kind == LinkKind::Undo).then(|| capital(UNDO) + ".");
    let told: Vec<&str> = any_measured.then_some(told).into_iter().chain(dashed.as_deref()).collect();
    if !told.is_empty() {
        body.leaf("p", &[("class", "note")], &told.join(" "));
    }
    Some(Section { id: "topology", title: "Who calls whom", body })
}

fn draw(scroll: &mut Markup, outcome: &Outcome, shapes: &Shapes) {
    let (wide, high) = shapes.size;
    let frame = format!("0 0 {wide} {high}");
    let style = format!("max-width:{wide}px;min-width:{:.0}px", f64::from(wide) * SMALLEST);
    scroll.node("svg", &[("class", "topology"), ("role", "img"), ("viewBox", &frame), ("style", &style)], |svg| {
        svg.leaf("title", &[], "Parts of the scenario and who calls whom");
        svg.node(
            "marker",
            &[
                ("id", "tip"),
                ("viewBox", "0 0 10 8"),
                ("refX", "9"),
                ("refY", "4"),
                ("markerWidth", "10"),
                ("markerHeight", "8"),
                ("markerUnits", "userSpaceOnUse"),
                ("orient", "auto"),
            ],
            |marker| {
                marker.void("path", &[("d", "M0 0L10 4L0 8Z")]);
            },
        );
        for call in &shapes.calls {
            let class = match call.kind {
                LinkKind::Forward => "call",
                LinkKind::Undo => "call undo",
            };
            svg.void("path", &[("class", class), ("marker-end", "url(#tip)"), ("d", &path(&call.curve))]);
        }
        for call in &shapes.calls {
            let twin = shapes.calls.iter().find(|other| call.is_undone_by(other));
            let alone = call.kind == LinkKind::Forward || !shapes.calls.iter().any(|other| other.is_undone_by(call));
            if alone {
                label(svg, outcome, call, twin);
            }
        }
        for (part, corner) in outcome.topology.parts.iter().zip(&shapes.corners) {
            part_box(svg, part, *corner);
        }
    });
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

fn path(curve: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (number, (x, y)) in curve.iter().enumerate() {
        let _ = write!(path, "{}{x:.1} {y:.1}", if number == 0 { 'M' } else { 'L' });
    }
    path
}

/// What is told of a call, with the name of its twin that undoes it.
fn label(svg: &mut Markup, outcome: &Outcome, call: &Call, twin: Option<&Call>) {
    let Some((x, y)) = call.curve.get((call.curve.len() / 2).min(12)) else { return };
    // The lines stand on the arrow.
    let mut lines = Vec::new();
    let name = if call.kind == LinkKind::Undo { "name undo" } else { "name" };
    lines.extend(names(call).map(|names| (name, shortened(&names, 18))));
    if let Some(measured) = measured(outcome, call) {
        lines.push(("seen", measured.usual));
        lines.extend(measured.failed.map(|failed| ("seen bad", failed)));
    }
    lines.extend(twin.and_then(names).map(|names| ("name undo", shortened(&format!("undo: {names}"), 20))));
    for (number, (class, text)) in lines.iter().enumerate() {
        let (x, y) = (format!("{x:.1}"), format!("{:.1}", y - 7.0 - (lines.len() - 1 - number) as f64 * 15.0));
        svg.leaf("text", &[("class", class), ("x", &x), ("y", &y)], text);
    }
}

/// What calls are called, the first few.
fn names(call: &Call) -> Option<String> {
    match &call.labels[..] {
        [] => None,
        [only] => Some(only.clone()),
        [first, second] => Some(format!("{first}, {second}")),
        [first, rest @ ..] => Some(format!("{first} +{} more", rest.len())),
    }
}

/// What was measured on a call.
struct Measured {
    /// `998/s, p99 31ms`.
    usual: String,
    /// `16.8% failed`.
    failed: Option<String>,
}

fn measured(outcome: &Outcome, call: &Call) -> Option<Measured> {
    let (from, to) = (&outcome.topology.parts[call.from], &outcome.topology.parts[call.to].name);
    let is_it = |operation: &&OperationResult| {
        let name = operation.name.strip_prefix("transactions.").unwrap_or(&operation.name);
        let rest = name.strip_prefix(to.as_str()).map(|rest| rest.strip_prefix('.').unwrap_or(rest));
        let calls = match from.kind.as_str() {
            // A saga's calls are made by the service that keeps it.
            "saga" => rest.is_some_and(|op| call.labels.iter().any(|l| l == op) && only_caller(outcome, call, op)),
            _ => {
                (name == to || name.strip_prefix(to.as_str()).is_some_and(|rest| rest.starts_with('.')))
                    && operation.from == from.name
            }
        };
        calls && ended(operation) > 0 && operation.seconds > 0.0
    };
    let all: Vec<&OperationResult> = outcome.operations.iter().filter(is_it).collect();
    let rate: f64 = all.iter().map(|operation| ended(operation) as f64 / operation.seconds).sum();
    let p99 = all.iter().filter(|o| !o.latency.is_empty()).map(|operation| operation.latency.quantile(0.99)).max()?;
    let (failed, ended): (u64, u64) =
        all.iter().fold((0, 0), |sum, o| (sum.0 + o.failed + o.unknown, sum.1 + ended(o)));
    let failed = (failed > 0).then(|| format!("{} failed", percent(failed as f64 / ended as f64)));
    Some(Measured { usual: format!("{}/s, p99 {}", plain(rate), duration(Span(p99))), failed })
}

/// Nobody but this caller calls an operation of the part it calls.
fn only_caller(outcome: &Outcome, call: &Call, operation: &str) -> bool {
    let calls = &outcome.topology.calls;
    calls.iter().all(|link| link.to != call.to || link.label != operation || link.from == call.from)
}

fn part_box(svg: &mut Markup, part: &Part, (left, top): (f64, f64)) {
    let class = match part.kind.as_str() {
        "workload" => "part green",
        "transaction" | "saga" => "part orange",
        "queue" | "exchange" => "part purple",
        _ => "part blue",
    };
    let place = [left, top, BOX_WIDE, BOX_HIGH].map(|n| format!("{n:.0}"));
    svg.node("g", &[("class", class)], |group| {
        let [x, y, wide, high] = &place;
        group.leaf("title", &[], &format!("{} {}: {}", part.kind, part.name, part.detail));
        group.void("rect", &[("x", x), ("y", y), ("width", wide), ("height", high), ("rx", "9")]);
        let middle = format!("{:.0}", left + BOX_WIDE / 2.0);
        let line = |y: f64| format!("{:.0}", top + y);
        let detail = if part.detail.is_empty() { &part.kind } else { &part.detail };
        group.leaf("text", &[("class", "name"), ("x", &middle), ("y", &line(25.0))], &shortened(&part.name, 17));
        group.leaf("text", &[("class", "detail"), ("x", &middle), ("y", &line(43.0))], &shortened(detail, 24));
    });
}

/// Shortened in its middle.
fn shortened(text: &str, most: usize) -> String {
    let all: Vec<char> = text.chars().collect();
    if all.len() <= most {
        return text.to_owned();
    }
    let (head, tail) = (most / 2, most - most / 2 - 1);
    [&all[..head], &['…'], &all[all.len() - tail..]].concat().into_iter().collect()
}
