//! Lanes of nodes: when each was up, down or paused, as the ledger of faults tells it. Nodes that were always up are
//! counted, not drawn.

use super::markup::Markup;
use super::plot;
use crate::charts::axis::Axis;
use lab::outcome::{FaultResult, Outcome};

/// As many lanes as the strip shows.
const MOST: usize = 12;

/// What a node was besides up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    Down,
    Paused,
}

impl Trouble {
    fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Paused => "paused",
        }
    }
}

/// One node and when it was not up, in seconds.
struct Node<'a> {
    name: &'a str,
    spans: Vec<(f64, f64, Trouble)>,
}

fn troubled(outcome: &Outcome) -> Vec<Node<'_>> {
    let mut nodes: Vec<Node<'_>> = Vec::new();
    let end = outcome.end.seconds();
    for (fault, trouble) in outcome.faults.iter().filter_map(|fault| Some((fault, trouble(fault)?))) {
        // A fault that never began has no end.
        let Some(to) = fault.to else { continue };
        let (from, to) = (fault.from.seconds(), to.seconds().min(end));
        for name in fault.target.split(", ").filter(|_| from < to) {
            let place = nodes.iter().position(|node| node.name == name).unwrap_or_else(|| {
                nodes.push(Node { name, spans: Vec::new() });
                nodes.len() - 1
            });
            nodes[place].spans.push((from, to, trouble));
        }
    }
    nodes
}

fn trouble(fault: &FaultResult) -> Option<Trouble> {
    match fault.kind.as_str() {
        "crash" => Some(Trouble::Down),
        "pause" => Some(Trouble::Paused),
        _ => None,
    }
}

/// A row per node that was in trouble.
pub(super) fn rows(strip: &mut Markup, outcome: &Outcome, x: &Axis) {
    let nodes = troubled(outcome);
    for node in nodes.iter().take(MOST) {
        strip.node("div", &[("class", "row lane")], |row| {
            row.node("div", &[("class", "about")], |about| {
                about.say(node.name).say(" ").leaf("span", &[("class", "sort")], words(node));
            });
            row.node("div", &[("class", "figure")], |figure| {
                track(figure, &format!("{}: up, {}", node.name, words(node)), |inner| spans(inner, node, x));
            });
        });
    }
    let machines: usize = outcome.services.iter().map(|service| service.nodes as usize).sum();
    let everything = nodes.iter().any(|node| node.name == "everything");
    let told = match (nodes.len().checked_sub(MOST).filter(|more| *more > 0), machines.checked_sub(nodes.len())) {
        (Some(more), _) => format!("{more} more nodes were down or paused: faults.csv"),
        (None, Some(1)) if !everything && !nodes.is_empty() => "1 other node was up all the time".to_owned(),
        (None, Some(others @ 2..)) if !everything && !nodes.is_empty() => {
            format!("{others} other nodes were up all the time")
        }
        (None, Some(_) | None) => return,
    };
    strip.node("div", &[("class", "row lane")], |row| {
        row.leaf("div", &[("class", "about")], "").leaf("div", &[("class", "figure note")], &told);
    });
}

fn words(node: &Node<'_>) -> &'static str {
    let was = |trouble| node.spans.iter().any(|span| span.2 == trouble);
    match (was(Trouble::Down), was(Trouble::Paused)) {
        (true, true) => "down, paused",
        (true, false) => "down",
        (false, _) => "paused",
    }
}

/// A node is up (a thin line), down (a full block) or paused (a block of half the height).
fn spans(inner: &mut Markup, node: &Node<'_>, x: &Axis) {
    inner.void("rect", &[("class", "up"), ("x", "0"), ("y", "400"), ("width", "10000"), ("height", "200")]);
    for (from, to, trouble) in &node.spans {
        let (left, right) = (plot::across(x, *from), plot::across(x, *to));
        let (left, wide) = (format!("{left:.0}"), format!("{:.0}", (right - left).max(20.0)));
        let (class, top, high) = match trouble {
            Trouble::Down => ("down", "0", "1000"),
            Trouble::Paused => ("paused", "200", "600"),
        };
        inner.node("rect", &[("class", class), ("x", &left), ("y", top), ("width", &wide), ("height", high)], |rect| {
            let told = format!("{} {}: {} to {}", node.name, trouble.word(), plot::moment(*from), plot::moment(*to));
            rect.leaf("title", &[], &told);
        });
    }
}

/// A flat picture, as wide as the charts, over the same time.
pub(super) fn track(figure: &mut Markup, title: &str, inside: impl FnOnce(&mut Markup)) {
    figure.node(
        "svg",
        &[("class", "track"), ("role", "img"), ("viewBox", "0 0 10000 1000"), ("preserveAspectRatio", "none")],
        |svg| {
            svg.leaf("title", &[], title);
            inside(svg);
        },
    );
}
