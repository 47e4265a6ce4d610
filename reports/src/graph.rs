//! The topology: who calls whom, as SVG, PNG and Graphviz text.
//!
//! petgraph holds the graph; the layout is the small layered kind (Sugiyama, Tagawa, Toda 1981): break cycles, give layers
//! by longest path, order each layer by the mean place of its neighbours, draw from left to right.

mod layout;
mod picture;

pub(crate) use picture::{BOX_HIGH, BOX_WIDE, Call, Shapes, UNDO};

use crate::charts::canvas;
use lab::outcome::{Link, LinkKind, Topology};
use std::fmt::Write as _;

/// The topology as the contents of three files: SVG, PNG, Graphviz (dot).
pub fn graph(topology: &Topology) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let layout = layout::layout(topology);
    let (svg, png) = canvas::render(&picture::Drawing { topology, layout: &layout });
    (svg.into_bytes(), png, dot(topology).into_bytes())
}

/// Where everything stands in that picture, for whoever draws it otherwise.
pub(crate) fn shapes(topology: &Topology) -> Shapes {
    picture::Drawing { topology, layout: &layout::layout(topology) }.shapes()
}

/// The same for Graphviz.
pub fn dot(topology: &Topology) -> String {
    let mut out = String::from("digraph scenario {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
    for (number, part) in topology.parts.iter().enumerate() {
        let label = if part.detail.is_empty() { part.name.clone() } else { format!("{}\n{}", part.name, part.detail) };
        let _ = writeln!(out, "  n{number} [label=\"{}\", tooltip=\"{}\"];", quoted(&label), quoted(&part.kind));
    }
    for Link { from, to, label, kind } in &topology.calls {
        let style = match kind {
            LinkKind::Forward => "",
            LinkKind::Undo => ", style=dashed, tooltip=\"only to undo\"",
        };
        let _ = writeln!(out, "  n{from} -> n{to} [label=\"{}\"{style}];", quoted(label));
    }
    out.push_str("}\n");
    out
}

/// A text between Graphviz's quotation marks.
pub(crate) fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
