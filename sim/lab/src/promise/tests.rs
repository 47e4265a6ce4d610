//! Promises against hand-made streams, and the incremental evaluation against a naive one.

mod forms;
mod property;
mod rows;
mod rows_property;
mod shop;
mod sweeps;

use super::*;
use crate::model::{Chaos, ChaosProfile, Expect, Expected, Link, Place, Run, Sweep, SweepVariants};
use crate::names::{Cell, CellSort, Node};
use kernel::{CellId, NodeId};

/// Two banks with 4 accounts of 100 (cells 0, 1), a counter `shop.stock` of 5 (2), whether the 3 nodes of `shop` are up
/// (3), a view `queues.q.depth` of 0 (4), and the protocol `transactions.transfer`.
fn names() -> Names {
    let mut names = Names::default();
    let cells = [
        ("bank_a.accounts", 4, 100, CellSort::State),
        ("bank_b.accounts", 4, 100, CellSort::State),
        ("shop.stock", 1, 5, CellSort::State),
        ("shop.up", 3, 1, CellSort::View),
        ("queues.q.depth", 1, 0, CellSort::View),
    ];
    for (path, keys, initial, sort) in cells {
        names.cell(Cell { path: path.to_owned(), keys, initial, sort, metric: None, labels: Vec::new() });
    }
    for name in ["coordinator", "bank_a", "bank_b"] {
        names.nodes.push(Node { name: name.to_owned(), part: name.to_owned(), number: 0 });
    }
    names.protocols = vec!["transactions.book".to_owned(), "transactions.transfer".to_owned()];
    names
}

fn at(text: &str) -> At<String> {
    At { value: text.to_owned(), place: Place { source: 0, start: 0, end: text.len() as u32 } }
}

fn model(invariants: Vec<(&str, model::Form)>) -> Model {
    let none = Link {
        latency: None,
        loss: None,
        duplicate: None,
        reorder: None,
        corrupt: None,
        bandwidth: None,
        buffer: None,
        transport: None,
    };
    let invariants =
        invariants.into_iter().map(|(name, form)| (at(name), Invariant { form, text: None, place: Place::default() }));
    Model {
        name: "test".to_owned(),
        question: String::new(),
        tags: Vec::new(),
        run: Run {
            duration: Time(100),
            warmup: Time::ZERO,
            automatic_warmup: false,
            heal: Time(100),
            quiesce: Span(100),
            settle: Span::ZERO,
            seed: 7,
            precision: None,
            abort_on_fail: Vec::new(),
        },
        phases: Vec::new(),
        network: none,
        links: Vec::new(),
        zones: Vec::new(),
        stores: Vec::new(),
        services: Vec::new(),
        brokers: Vec::new(),
        queues: Vec::new(),
        exchanges: Vec::new(),
        topics: Vec::new(),
        transactions: Vec::new(),
        sagas: Vec::new(),
        workloads: Vec::new(),
        chaos: Chaos {
            profile: ChaosProfile::None,
            families: Vec::new(),
            targets: Vec::new(),
            max_concurrent: 2,
            keep_quorum: None,
            points: Vec::new(),
            nth: None,
            length: None,
            place: Place::default(),
        },
        faults: Vec::new(),
        invariants: invariants.collect(),
        thresholds: Vec::new(),
        expect: Expect {
            verdict: Expected::Pass,
            fails: Vec::new(),
            may_fail: Vec::new(),
            vacuous: Vec::new(),
            some_seed: false,
        },
        repro: None,
        sweep: Sweep { seeds: Some((0, 1)), variants: SweepVariants::Base, matrix: Vec::new() },
        variants: Vec::new(),
    }
}

/// A change of one row.
fn delta(cell: u32, key: u64, before: i64, after: i64) -> Delta {
    Delta { cell: CellId(cell), key, before, after }
}

/// A fact of `transactions.transfer`.
fn fact(time: u64, node: u32, kind: kernel::FactKind) -> Fact {
    Fact { time: Time(time), node: NodeId(node), protocol: 1, instance: 42, kind }
}
