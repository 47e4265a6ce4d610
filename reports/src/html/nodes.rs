//! Lanes of nodes: when each was up, down or paused, as the ledger of faults tells it. Nodes that were always up are
//! counted by service, not drawn.

use super::markup::Markup;
use super::plot;
use crate::charts::axis::Axis;
use lab::outcome::{FaultResult, Outcome};

/// As many lanes as the strip shows.
const MOST: usize = 12;

/// What a node was besides up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    Down,
    Paused,
}

impl Trouble {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Paused => "paused",
        }
    }
}

/// One node and when it was not up, in seconds.
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) spans: Vec<(f64, f64, Trouble)>,
}

pub(super) fn troubled(outcome: &Outcome) -> Vec<Node<'_>> {
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
    let told = match nodes.len().checked_sub(MOST).filter(|more| *more > 0) {
        Some(more) => format!("{more} more nodes were down or paused: faults.csv"),
        None => others(outcome, &nodes),
    };
    if told.is_empty() {
        return;
    }
    strip.node("div", &[("class", "row lane")], |row| {
        row.leaf("div", &[("class", "about")], "").leaf("div", &[("class", "figure note")], &told);
    });
}

/// The nodes that were always up of each service of which one was not: `always up: 1 other node of payment`.
fn others(outcome: &Outcome, nodes: &[Node<'_>]) -> String {
    let of_service = |service: &lab::outcome::ServiceResult| {
        let its = |node: &&Node<'_>| node.name.split('[').next() == Some(service.name.as_str());
        let troubled = nodes.iter().filter(its).count();
        let others = (service.nodes as usize).saturating_sub(troubled);
        (troubled > 0 && others > 0).then(|| {
            let plural = if others == 1 { "" } else { "s" };
            format!("{others} other node{plural} of {}", service.name)
        })
    };
    let told: Vec<String> = outcome.services.iter().filter_map(of_service).collect();
    if told.is_empty() { String::new() } else { format!("always up: {}", told.join(", ")) }
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
