//! A judged history as a graph: what was over before what began, and the order that explains answers.

use super::scene::{self, Role, Shown};
use super::{Judged, clipped, deed, told};
use crate::graph::quoted;
use std::fmt::Write as _;

impl Judged {
    /// The operations of the scene for Graphviz. Grey arrows: one was over before the other began (those that follow from
    /// others are left out). Blue arrows: the order that explains answers. Red: what cannot come next after it, and why.
    pub fn dot(&self) -> String {
        let (model, consistency) = self.names();
        let (_, word, _) = self.mark();
        let mut out =
            String::from("digraph history {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontsize=11];\n");
        let title = format!("{word}: {} as {model}, {consistency}", self.file);
        let _ = writeln!(out, "  label=\"{}\";\n  labelloc=t;", quoted(&title));
        let scene = scene::of(self);
        let timed = scene.as_ref().is_some_and(|scene| scene.timed);
        let shown = scene.map(|scene| scene.shown).unwrap_or_default();
        let shown: Vec<&Shown<'_>> = shown.iter().filter(|shown| shown.role != Role::Beside).collect();
        for one in &shown {
            let why = self.why(one.index).map(|why| format!("\n{}", clipped(why, 300))).unwrap_or_default();
            let label = format!("process {}\n{}{why}", one.operation.process, deed(one.operation));
            let colour = if one.role == Role::Refused { ", color=\"#c4321f\", fontcolor=\"#c4321f\"" } else { "" };
            let (label, told) = (quoted(&label), quoted(&told(one.operation)));
            let _ = writeln!(out, "  o{} [label=\"{label}\", tooltip=\"{told}\"{colour}];", one.index);
        }
        for (earlier, later) in before(&shown, timed) {
            let _ = writeln!(out, "  o{earlier} -> o{later} [color=\"#9aa2ac\", tooltip=\"over before it began\"];");
        }
        let mut order: Vec<(usize, u32)> = shown.iter().filter_map(|one| Some((one.effect?.0, one.index))).collect();
        order.sort_unstable();
        for pair in order.windows(2) {
            let (from, to) = (pair[0].1, pair[1].1);
            let _ = writeln!(
                out,
                "  o{from} -> o{to} [color=\"#0072b2\", constraint=false, label=\"{}\", tooltip=\"the order that explains answers\"];",
                pair[1].0
            );
        }
        out.push_str("}\n");
        out
    }
}

/// Pairs of which the first was over before the second began, without those that others imply; only of one process if
/// nothing else is known.
fn before(shown: &[&Shown<'_>], timed: bool) -> Vec<(u32, u32)> {
    let over = |a: &Shown<'_>, b: &Shown<'_>| {
        (timed || a.operation.process == b.operation.process) && a.between.1.is_some_and(|ended| ended < b.between.0)
    };
    let mut pairs = Vec::new();
    for a in shown {
        for b in shown.iter().filter(|b| over(a, b)) {
            if !shown.iter().any(|c| over(a, c) && over(c, b)) {
                pairs.push((a.index, b.index));
            }
        }
    }
    pairs
}
