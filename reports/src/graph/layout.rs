//! Where the boxes of a topology stand: layers from left to right, and their order in each.
//!
//! An edge over several layers is led through a point in each layer between, so that it does not run through boxes.
//! Everything is a function of the parts' order: equal topologies give equal pictures.

use lab::outcome::{Link, LinkKind, Topology};
use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graph::{DiGraph, NodeIndex};

/// Places of everything, in layers and rows.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Per part: its layer and its row in it (rows have halves).
    pub(super) parts: Vec<Place>,
    /// One per pair of parts that call, and kind of call.
    pub(super) edges: Vec<Edge>,
    /// Number of layers.
    pub(super) layers: usize,
    /// Number of rows of the fullest layer, at least 1.
    pub(super) rows: f64,
}

/// A place on the grid of layers and rows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Place {
    pub(super) layer: usize,
    pub(super) row: f64,
}

/// All calls of one kind of one part to another.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: LinkKind,
    /// What they are called, without repetition.
    pub(super) labels: Vec<String>,
    /// The places between its ends, from `from` to `to`.
    pub(super) through: Vec<Place>,
    /// It runs against the layers (a cycle), or it is a part calling itself.
    pub(super) back: bool,
}

/// A vertex of the layered graph: a part, or where a long edge passes a layer.
#[derive(Clone, Copy, Debug)]
struct Vertex {
    layer: usize,
    /// Its weight when rows are shared out: a passing edge needs less.
    high: f64,
}

/// Lays a topology out.
pub(super) fn layout(topology: &Topology) -> Layout {
    let parts = topology.parts.len();
    let mut edges = merged(topology);
    mark_back_edges(parts, &mut edges);
    let layer = layers(parts, &edges);
    let mut graph: DiGraph<Vertex, ()> = DiGraph::new();
    for &layer in &layer {
        graph.add_node(Vertex { layer, high: 1.0 });
    }
    let mut chains: Vec<Vec<NodeIndex>> = Vec::new();
    for edge in &edges {
        chains.push(chain(&mut graph, edge, &layer));
    }
    let count = layer.iter().max().map_or(0, |last| last + 1);
    let (row, rows) = rows(&graph, count);
    let place = |node: NodeIndex| Place { layer: graph[node].layer, row: row[node.index()] };
    for (edge, chain) in edges.iter_mut().zip(&chains) {
        edge.through = chain.iter().map(|node| place(*node)).collect();
        if edge.back {
            edge.through.reverse();
        }
    }
    Layout { parts: (0..parts).map(|n| place(NodeIndex::new(n))).collect(), edges, layers: count, rows }
}

/// One edge per pair and kind, in order of first appearance; calls to parts that are not there are left out.
fn merged(topology: &Topology) -> Vec<Edge> {
    let mut edges: Vec<Edge> = Vec::new();
    let known = |part: usize| part < topology.parts.len();
    for Link { from, to, label, kind } in topology.calls.iter().filter(|link| known(link.from) && known(link.to)) {
        let found = edges.iter().position(|edge| (edge.from, edge.to, edge.kind) == (*from, *to, *kind));
        let place = found.unwrap_or_else(|| {
            edges.push(Edge {
                from: *from,
                to: *to,
                kind: *kind,
                labels: Vec::new(),
                through: Vec::new(),
                back: false,
            });
            edges.len() - 1
        });
        if !label.is_empty() && !edges[place].labels.contains(label) {
            edges[place].labels.push(label.clone());
        }
    }
    edges
}

/// Marks the edges that close a cycle: those that lead to a part still on the path of a depth-first walk.
fn mark_back_edges(parts: usize, edges: &mut [Edge]) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Not,
        OnPath,
        Done,
    }
    let mut seen = vec![Seen::Not; parts];
    let outgoing: Vec<Vec<usize>> =
        (0..parts).map(|part| (0..edges.len()).filter(|e| edges[*e].from == part).collect()).collect();
    let called: Vec<bool> = (0..parts).map(|part| edges.iter().any(|e| e.to == part && e.from != part)).collect();
    // Parts nobody calls come first: workloads are sources.
    let starts = (0..parts).filter(|part| !called[*part]).chain((0..parts).filter(|part| called[*part]));
    for start in starts {
        if seen[start] != Seen::Not {
            continue;
        }
        seen[start] = Seen::OnPath;
        let mut path = vec![(start, 0)];
        while let Some((part, next)) = path.pop() {
            let Some(&edge) = outgoing[part].get(next) else {
                seen[part] = Seen::Done;
                continue;
            };
            path.push((part, next + 1));
            let to = edges[edge].to;
            match seen[to] {
                Seen::OnPath => edges[edge].back = true,
                Seen::Not => {
                    seen[to] = Seen::OnPath;
                    path.push((to, 0));
                }
                Seen::Done => {}
            }
        }
    }
}

/// Layer = length of the longest path that leads there.
fn layers(parts: usize, edges: &[Edge]) -> Vec<usize> {
    let mut layer = vec![0; parts];
    let forward = || edges.iter().filter(|edge| !edge.back);
    // A path without cycles has fewer edges than there are parts: by then nothing moves any more.
    for _ in 0..parts {
        let before = layer.clone();
        for edge in forward() {
            layer[edge.to] = layer[edge.to].max(layer[edge.from] + 1);
        }
        if layer == before {
            break;
        }
    }
    layer
}

/// Adds the vertices where an edge passes layers, and its pieces, all of them pointing to the right.
fn chain(graph: &mut DiGraph<Vertex, ()>, edge: &Edge, layer: &[usize]) -> Vec<NodeIndex> {
    let (left, right) = if edge.back { (edge.to, edge.from) } else { (edge.from, edge.to) };
    let mut passed = Vec::new();
    let mut last = NodeIndex::new(left);
    for between in layer[left] + 1..layer[right] {
        let node = graph.add_node(Vertex { layer: between, high: 0.5 });
        graph.add_edge(last, node, ());
        passed.push(node);
        last = node;
    }
    if left != right {
        graph.add_edge(last, NodeIndex::new(right), ());
    }
    passed
}

/// Row per vertex, and how many rows there are.
fn rows(graph: &DiGraph<Vertex, ()>, layers: usize) -> (Vec<f64>, f64) {
    let mut order: Vec<Vec<NodeIndex>> = vec![Vec::new(); layers];
    for node in graph.node_indices() {
        order[graph[node].layer].push(node);
    }
    let total = |layer: &[NodeIndex]| layer.iter().map(|node| graph[*node].high).sum::<f64>();
    let rows = order.iter().map(|layer| total(layer)).fold(1.0, f64::max);
    let mut row = vec![0.0; graph.node_count()];
    for layer in &order {
        spread(graph, layer, rows, &mut row);
    }
    // Sweeps to the right, then to the left: a vertex moves to the mean row of its neighbours on that side.
    for sweep in 0..8 {
        let rightwards = sweep % 2 == 0;
        for step in 1..layers {
            let layer = if rightwards { step } else { layers - 1 - step };
            let side = if rightwards { Incoming } else { Outgoing };
            let wish = |node: NodeIndex| {
                let near: Vec<f64> = graph.neighbors_directed(node, side).map(|other| row[other.index()]).collect();
                if near.is_empty() { row[node.index()] } else { near.iter().sum::<f64>() / near.len() as f64 }
            };
            let mut wishes: Vec<(f64, NodeIndex)> = order[layer].iter().map(|node| (wish(*node), *node)).collect();
            wishes.sort_by(|a, b| a.0.total_cmp(&b.0));
            order[layer] = wishes.iter().map(|(_, node)| *node).collect();
            spread(graph, &order[layer], rows, &mut row);
        }
    }
    (row, rows)
}

/// Gives the vertices of one layer their rows: evenly over the whole height.
fn spread(graph: &DiGraph<Vertex, ()>, layer: &[NodeIndex], rows: f64, row: &mut [f64]) {
    let total: f64 = layer.iter().map(|node| graph[*node].high).sum();
    let stretch = if total > 0.0 { rows / total } else { 1.0 };
    let mut above = 0.0;
    for node in layer {
        let high = graph[*node].high * stretch;
        row[node.index()] = above + high / 2.0 - 0.5;
        above += high;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab::outcome::Part;

    fn of(parts: usize, calls: &[(usize, usize)]) -> Layout {
        let part = |n: usize| Part { name: format!("p{n}"), kind: String::new(), detail: String::new() };
        let calls = calls.iter().map(|(from, to)| Link {
            from: *from,
            to: *to,
            label: format!("{from}{to}"),
            kind: LinkKind::Forward,
        });
        let calls = calls.collect();
        layout(&Topology { parts: (0..parts).map(part).collect(), calls })
    }

    #[test]
    fn callers_stand_left_of_what_they_call() {
        let layout = of(4, &[(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)]);
        assert_eq!(layout.parts.iter().map(|place| place.layer).collect::<Vec<_>>(), [0, 1, 1, 2]);
        let long = layout.edges.iter().find(|edge| (edge.from, edge.to) == (0, 3)).expect("the call was given");
        assert_eq!(long.through.len(), 1, "it passes one layer");
        assert!(layout.parts[1..3].iter().all(|place| (place.row - long.through[0].row).abs() > 0.4), "beside boxes");
    }

    #[test]
    fn cycles_self_calls_and_unknown_parts_are_laid_out() {
        let layout = of(3, &[(0, 1), (1, 2), (2, 0), (1, 1), (7, 0)]);
        assert_eq!(layout.layers, 3);
        let back: Vec<bool> = layout.edges.iter().map(|edge| edge.back).collect();
        assert_eq!(back, [false, false, true, true]);
        assert_eq!(of(0, &[]).layers, 0);
    }
}
