//! A complete tree as a typed `Model`. Nothing is checked here: what `resolve` made is right in shape, and where the file
//! was wrong it holds stand-ins.

mod load;
mod messaging;
mod policies;
mod promises;
mod sagas;
mod steps;
mod stores;

use core::ops::Range;

use kernel::{Span, Time};

use super::diagnostic::Source;
use super::distributions::{self, Sort};
use super::leaf::inside_text;
use super::resolve::{join, step_path};
use super::tree::{Node, Table, Value};
use super::values;
use super::{faults, hardware, targets};
use crate::model::{
    At, Deadlock, DecisionLog, Dist, Link, LinkEnds, LockMode, Locks, Mode, Model, Named, Op, Order, Overflow, Place,
    Protocol, Recovery, Repro, Run, Service, State, Target, TargetKind, Transaction, Waiting, Window,
};

/// A table being read, its path, and the place of its key.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    pub(super) sources: &'a [Source],
    /// The whole complete file, where names are looked up.
    pub(super) root: &'a Table,
    pub(super) table: &'a Table,
    pub(super) path: String,
    pub(super) key: Place,
}

/// Why the reader may rely on what it reads.
const COMPLETE: &str = "resolve makes complete tables of checked values";

impl<'a> Reader<'a> {
    pub(super) fn node(&self, name: &str) -> Option<&'a Node> {
        self.table.get(name)
    }

    pub(super) fn text(&self, name: &str) -> &'a str {
        self.node(name).and_then(Node::as_text).unwrap_or("")
    }

    pub(super) fn at(&self, name: &str) -> At<String> {
        At { value: self.text(name).to_owned(), place: self.node(name).map_or(self.key, |n| n.place) }
    }

    pub(super) fn maybe_at(&self, name: &str) -> Option<At<String>> {
        self.node(name).map(|_| self.at(name))
    }

    pub(super) fn integer(&self, name: &str) -> i64 {
        match self.node(name).map(|n| &n.value) {
            Some(Value::Integer(number)) => *number,
            Some(_) | None => 0,
        }
    }

    fn count(&self, name: &str) -> Option<u32> {
        match self.node(name).map(|n| &n.value) {
            Some(Value::Integer(number)) => Some(*number as u32),
            Some(_) | None => None,
        }
    }

    pub(super) fn truth(&self, name: &str) -> bool {
        matches!(self.node(name).map(|n| &n.value), Some(Value::Boolean(true)))
    }

    pub(super) fn maybe_span(&self, name: &str) -> Option<Span> {
        let text = self.node(name).and_then(Node::as_text)?;
        Some(Span(values::duration(text).expect(COMPLETE)))
    }

    pub(super) fn span(&self, name: &str) -> Span {
        self.maybe_span(name).unwrap_or(Span::ZERO)
    }

    fn time(&self, name: &str) -> Time {
        Time(self.span(name).0)
    }

    pub(super) fn share(&self, name: &str) -> f64 {
        self.maybe_share(name).unwrap_or(1.0)
    }

    pub(super) fn maybe_share(&self, name: &str) -> Option<f64> {
        let text = self.node(name).and_then(Node::as_text)?;
        Some(values::percentage(text).expect(COMPLETE).0)
    }

    pub(super) fn rate(&self, name: &str) -> Option<f64> {
        let text = self.node(name).and_then(Node::as_text)?;
        Some(values::rate(text).expect(COMPLETE).0)
    }

    pub(super) fn maybe_dist(&self, name: &str, sort: Sort) -> Option<Dist> {
        let node = self.node(name)?;
        Some(dist(node, sort, join(&self.path, name)))
    }

    pub(super) fn dist(&self, name: &str) -> Dist {
        self.maybe_dist(name, Sort::Durations).expect(COMPLETE)
    }

    pub(super) fn texts(&self, name: &str) -> Vec<At<String>> {
        let items = self.node(name).and_then(Node::array).unwrap_or(&[]);
        items.iter().filter_map(|n| Some(At { value: n.as_text()?.to_owned(), place: n.place })).collect()
    }

    /// A table below this one.
    pub(super) fn below(&self, name: &str) -> Reader<'a> {
        let entry = self.table.entries.get(name).expect(COMPLETE);
        let table = entry.node.table().expect(COMPLETE);
        Reader { sources: self.sources, root: self.root, table, path: join(&self.path, name), key: entry.key }
    }

    /// Every table of a keyed section.
    pub(super) fn named<T>(&self, section: &str, read: impl Fn(&Reader<'a>) -> T) -> Named<T> {
        let section = self.below(section);
        let names = section.table.entries.iter().filter(|(_, e)| e.node.table().is_some());
        let entry = |(name, e): (&String, &super::tree::Entry)| {
            (At { value: name.clone(), place: e.key }, read(&section.below(name)))
        };
        names.map(entry).collect()
    }

    /// A section of the whole file.
    fn top(&self, section: &str) -> Reader<'a> {
        let entry = self.root.entries.get(section).expect(COMPLETE);
        let table = entry.node.table().expect(COMPLETE);
        Reader { sources: self.sources, root: self.root, table, path: section.to_owned(), key: entry.key }
    }

    /// The tables of a list. One with a name goes by it.
    pub(super) fn list<T>(&self, name: &str, read: impl Fn(&Reader<'a>) -> T) -> Vec<T> {
        let items = self.node(name).and_then(Node::array).unwrap_or(&[]);
        let path = join(&self.path, name);
        let each = items.iter().enumerate().filter_map(|(n, item)| {
            let table = item.table()?;
            let path = step_path(&path, n, table.get("name").and_then(Node::as_text));
            Some(read(&Reader { sources: self.sources, root: self.root, table, path, key: item.place }))
        });
        each.collect()
    }

    /// A factor.
    pub(super) fn number(&self, name: &str) -> f64 {
        match self.node(name).map(|n| &n.value) {
            Some(Value::Integer(number)) => *number as f64,
            Some(Value::Float(number)) => *number,
            Some(_) | None => 1.0,
        }
    }

    /// What stands after the `=` of a value.
    fn after_equals(&self, at: &At<String>) -> At<String> {
        let rest = at.value.strip_prefix('=').unwrap_or(&at.value);
        let lead = at.value.len() - rest.trim_start().len();
        let place = self.inside(at, &(lead..at.value.len()));
        At { value: rest.trim_start().to_owned(), place }
    }

    fn inside(&self, at: &At<String>, range: &Range<usize>) -> Place {
        inside_text(self.sources, at.place, &at.value, range)
    }
}

pub(super) fn dist(node: &Node, sort: Sort, path: String) -> Dist {
    let text = node.as_text().unwrap_or("").to_owned();
    let law = distributions::parse(&text, sort).expect(COMPLETE).law;
    Dist { law, text, path, place: node.place }
}

/// Builds the model of a complete tree; `settled` is what `warmup = "auto"` came to.
pub(super) fn build(sources: &[Source], root: &Node, settled: Option<Time>) -> Model {
    let place = Place::default();
    let table = root.table().expect(COMPLETE);
    let reader = Reader { sources, root: table, table, path: String::new(), key: place };
    let (about, network) = (reader.below("scenario"), reader.below("network"));
    let links = network.below("links");
    let ends = links.table.entries.iter().map(|(name, e)| {
        let ends = targets::link(name, e.key).expect(COMPLETE);
        (ends, hardware::link(&links.below(name)))
    });
    let phases = reader.below("phases");
    let named_window = |(name, e): (&String, &super::tree::Entry)| {
        (At { value: name.clone(), place: e.key }, window_text(e.node.as_text().unwrap_or("")))
    };
    let phases: Vec<(At<String>, Window)> = phases.table.entries.iter().map(named_window).collect();
    let thresholds = reader.below("thresholds");
    let threshold = |(name, e): (&String, &super::tree::Entry)| {
        let text = At { value: e.node.as_text().unwrap_or("").to_owned(), place: e.node.place };
        (At { value: name.clone(), place: e.key }, text)
    };
    let chaos = |run: &Run| Window { from: run.warmup, to: run.heal };
    let run = run(&reader.below("run"), settled);
    let ends: Vec<(LinkEnds, Link)> = ends.collect();
    let named_windows =
        faults::Windows { chaos: chaos(&run), duration: run.duration, limit: run.quiesce, named: &phases };
    let mut model = Model {
        name: about.text("name").to_owned(),
        question: about.text("question").to_owned(),
        tags: about.texts("tags").into_iter().map(|t| t.value).collect(),
        network: hardware::link(&network),
        links: ends,
        zones: hardware::zone_paths(&reader.below("zones")),
        services: reader.named("services", service),
        stores: reader.named("stores", stores::store),
        brokers: reader.named("brokers", messaging::broker),
        queues: reader.named("queues", messaging::queue),
        exchanges: reader.named("exchanges", messaging::exchange),
        topics: reader.named("topics", messaging::topic),
        sagas: reader.named("sagas", sagas::saga),
        chaos: faults::chaos(&reader.below("chaos")),
        transactions: reader.named("transactions", transaction),
        workloads: reader.named("workloads", load::workload),
        faults: reader.named("faults", |f| faults::fault(f, &named_windows)),
        invariants: reader
            .named("invariants", promises::invariant)
            .into_iter()
            .filter_map(|(n, i)| Some((n, i?)))
            .collect(),
        thresholds: thresholds.table.entries.iter().map(threshold).collect(),
        expect: promises::expect(&reader.below("expect")),
        repro: reader.node("repro").map(|_| {
            let repro = reader.below("repro");
            let violates = repro.texts("violates").into_iter().map(|class| class.value).collect();
            let fingerprint = repro.text("fingerprint").to_owned();
            Repro { epoch: repro.integer("epoch") as u32, fingerprint, violates }
        }),
        sweep: promises::sweep(&reader.below("sweep")),
        variants: reader.named("variants", |_| ()).into_iter().map(|(name, ())| name).collect(),
        phases: phases.clone(),
        run,
    };
    messaging::settle(&mut model);
    model
}

fn run(r: &Reader<'_>, settled: Option<Time>) -> Run {
    let automatic_warmup = r.text("warmup") == "auto";
    Run {
        duration: r.time("duration"),
        warmup: if automatic_warmup { settled.unwrap_or(Time::ZERO) } else { r.time("warmup") },
        automatic_warmup,
        heal: r.time("heal"),
        quiesce: r.span("quiesce"),
        settle: r.span("settle"),
        seed: r.integer("seed") as u64,
        precision: r.node("precision").map(|node| At { value: r.share("precision"), place: node.place }),
        abort_on_fail: r.texts("abort_on_fail"),
    }
}

/// `10s..40s`, already checked.
pub(super) fn window_text(text: &str) -> Window {
    let (from, to) = values::window(text).expect(COMPLETE);
    Window { from: Time(from), to: Time(to) }
}

fn service(r: &Reader<'_>) -> Service {
    let queue = r.below("queue");
    Service {
        nodes: r.integer("nodes") as u32,
        workers: r.count("workers"),
        cores: r.count("cores"),
        consumers: r.named("consumers", messaging::consumer),
        outbox: r.node("outbox").map(|_| messaging::outbox(&r.below("outbox"))),
        deadline_check: r.truth("deadline_check"),
        mode: if r.text("mode") == "async" { Mode::Async } else { Mode::Blocking },
        queue: Waiting {
            capacity: queue.count("capacity"),
            order: if queue.text("order") == "lifo" { Order::Lifo } else { Order::Fifo },
            overflow: if queue.text("overflow") == "drop_oldest" { Overflow::DropOldest } else { Overflow::Reject },
        },
        disk: hardware::disk(&r.below("disk")),
        drift: r.below("clock").maybe_dist("drift", Sort::Drifts).expect(COMPLETE),
        offset: r.below("clock").maybe_dist("offset", Sort::Offsets).expect(COMPLETE),
        zones: hardware::zones(r),
        ops: r.named("ops", op),
        state: r.named("state", state),
        mutant: r.maybe_at("mutant"),
        process: r.maybe_at("process"),
        external: r.truth("external"),
    }
}

fn state(r: &Reader<'_>) -> State {
    let keys = r.integer("keys") as u32;
    match r.text("kind") {
        "map" => State::Map { keys, initial: r.fields("initial") },
        "list" => State::List,
        _ => State::Counter { keys, initial: r.integer("initial") },
    }
}

fn op(r: &Reader<'_>) -> Op {
    Op {
        steps: steps::steps(r, "steps", &r.path),
        idempotent: r.idempotent(),
        vars: load::vars(r),
        size: r.size("size").expect(COMPLETE),
        reply_size: r.size("reply_size").expect(COMPLETE),
    }
}

fn transaction(r: &Reader<'_>) -> Transaction {
    let locks = r.below("locks");
    Transaction {
        protocol: match r.text("protocol") {
            "2pc_presumed_abort" => Protocol::TwoPhasePresumedAbort,
            _ => Protocol::TwoPhase,
        },
        coordinator: r.at("coordinator"),
        work: steps::steps(r, "work", &join(&r.path, "work")),
        prepare_timeout: r.span("prepare_timeout"),
        decision_timeout: r.span("decision_timeout"),
        decision_log: if r.text("decision_log") == "memory" { DecisionLog::Memory } else { DecisionLog::Durable },
        recovery: if r.text("recovery") == "cooperative" { Recovery::Cooperative } else { Recovery::AskCoordinator },
        locks: Locks {
            mode: if locks.text("mode") == "none" { LockMode::None } else { LockMode::Exclusive },
            deadlock: match locks.text("deadlock") {
                "wound_wait" => Deadlock::WoundWait,
                "wait_die" => Deadlock::WaitDie,
                "timeout" => Deadlock::Timeout,
                _ => Deadlock::Detect,
            },
            timeout: locks.maybe_span("timeout"),
        },
    }
}

/// The targets of a list, links apart.
pub(super) fn split_targets(r: &Reader<'_>, name: &str) -> (Vec<Target>, Vec<LinkEnds>) {
    let (mut nodes, mut links) = (Vec::new(), Vec::new());
    for at in r.texts(name) {
        if targets::looks_like_link(&at.value) {
            links.push(targets::link(&at.value, at.place).expect(COMPLETE));
        } else {
            nodes.push(one_target(&at));
        }
    }
    (nodes, links)
}

/// A target that was checked.
pub(super) fn one_target(at: &At<String>) -> Target {
    targets::target(&at.value, at.place).unwrap_or(Target { kind: TargetKind::Others, place: at.place })
}
