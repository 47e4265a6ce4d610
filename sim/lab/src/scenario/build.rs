//! A complete tree as a typed `Model`. Nothing is checked here: what `resolve` made is right in shape, and where the file
//! was wrong it holds stand-ins.

use core::ops::Range;

use kernel::{Span, Time};

use super::data::Files;
use super::diagnostic::Source;
use super::distributions::{self, Sort};
use super::leaf::inside_text;
use super::resolve::{join, step_path};
use super::tree::{Node, Table, Value};
use super::values;
use super::variables::{self, Holds};
use super::{faults, hardware, targets};
use crate::model::{
    At, Call, Change, Deadlock, DecisionLog, Dist, Expect, Expected, Form, Invariant, Link, LinkEnds, Load, LockMode,
    Locks, Mode, Model, Named, Op, Order, Otherwise, Overflow, Place, Protocol, Recovery, Row, Run, Service, State,
    Step, Sweep, SweepVariants, Target, TargetKind, Transaction, Update, Variable, Verb, Waiting, Window, Workload,
};

/// A table being read, its path, and the place of its key.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    pub(super) sources: &'a [Source],
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
        Reader { sources: self.sources, table, path: join(&self.path, name), key: entry.key }
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

    fn inside(&self, at: &At<String>, range: &Range<usize>) -> Place {
        inside_text(self.sources, at.place, &at.value, range)
    }
}

pub(super) fn dist(node: &Node, sort: Sort, path: String) -> Dist {
    let text = node.as_text().unwrap_or("").to_owned();
    let law = distributions::parse(&text, sort).expect(COMPLETE).law;
    Dist { law, text, path, place: node.place }
}

fn variable(node: &Node, path: String) -> Variable {
    let parsed = match &node.value {
        Value::Boolean(value) => variables::truth(*value),
        Value::Text(text) => variables::parse(text, &Files::default()).expect(COMPLETE),
        Value::Integer(_) | Value::Float(_) | Value::Date(_) | Value::Array(_) | Value::Table(_) => {
            panic!("{COMPLETE}: a variable is text or a truth value")
        }
    };
    let dist = Dist { law: parsed.law, text: parsed.text, path, place: node.place };
    match parsed.sort {
        Holds::Number => Variable::Number(dist),
        Holds::Truth => Variable::Truth(dist),
        Holds::Texts(texts) => Variable::Text(dist, texts),
        Holds::Sequence(first) => Variable::Sequence(first),
    }
}

/// Builds the model of a complete tree; `settled` is what `warmup = "auto"` came to.
pub(super) fn build(sources: &[Source], root: &Node, settled: Option<Time>) -> Model {
    let place = Place::default();
    let reader = Reader { sources, table: root.table().expect(COMPLETE), path: String::new(), key: place };
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
    Model {
        name: about.text("name").to_owned(),
        question: about.text("question").to_owned(),
        tags: about.texts("tags").into_iter().map(|t| t.value).collect(),
        network: hardware::link(&network),
        links: ends,
        zones: hardware::zone_paths(&reader.below("zones")),
        services: reader.named("services", service),
        transactions: reader.named("transactions", transaction),
        workloads: reader.named("workloads", workload),
        faults: reader.named("faults", |f| faults::fault(f, &named_windows)),
        invariants: reader.named("invariants", invariant).into_iter().filter_map(|(n, i)| Some((n, i?))).collect(),
        thresholds: thresholds.table.entries.iter().map(threshold).collect(),
        expect: expect(&reader.below("expect")),
        sweep: sweep(&reader.below("sweep")),
        variants: reader.named("variants", |_| ()).into_iter().map(|(name, ())| name).collect(),
        phases: phases.clone(),
        run,
    }
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
        state: r.named("state", |s| State::Counter { keys: s.integer("keys") as u32, initial: s.integer("initial") }),
        mutant: r.maybe_at("mutant"),
        external: r.truth("external"),
    }
}

fn op(r: &Reader<'_>) -> Op {
    let size = |name| values::size(r.text(name)).expect(COMPLETE);
    Op { steps: steps(r, "steps", &r.path), size: size("size"), reply_size: size("reply_size") }
}

/// The steps under `name`, which go by `path`. One whose verb is wrong is left out.
fn steps(r: &Reader<'_>, name: &str, path: &str) -> Vec<Step> {
    let items = r.node(name).and_then(Node::array).unwrap_or(&[]);
    let each = items.iter().enumerate().filter_map(|(n, item)| {
        let table = item.table()?;
        let label = table.get("name").and_then(Node::as_text);
        let path = step_path(path, n, label);
        let reader = Reader { sources: r.sources, table, path: path.clone(), key: item.place };
        let verb = verb(&reader)?;
        Some(Step { name: label.map(str::to_owned), chance: reader.share("chance"), path, place: item.place, verb })
    });
    each.collect()
}

fn verb(r: &Reader<'_>) -> Option<Verb> {
    let has = |name: &str| r.node(name).is_some();
    if has("update") {
        return Some(Verb::Update(Update {
            row: row(r, "update"),
            change: change(r),
            guard: r.maybe_at("if"),
            otherwise: otherwise(r),
        }));
    }
    if has("work") {
        return Some(Verb::Work(r.dist("work")));
    }
    if has("sleep") {
        return Some(Verb::Sleep(r.dist("sleep")));
    }
    if has("call") {
        return Some(Verb::Call(Call {
            target: r.at("call"),
            timeout: r.maybe_span("timeout"),
            otherwise: otherwise(r),
        }));
    }
    if has("fail") {
        return Some(Verb::Fail(r.at("fail")));
    }
    has("read").then(|| Verb::Read(row(r, "read")))
}

fn otherwise(r: &Reader<'_>) -> Otherwise {
    match r.text("else") {
        "fail" | "" => Otherwise::Fail,
        "skip" => Otherwise::Skip,
        _ => Otherwise::Word(r.at("else")),
    }
}

fn change(r: &Reader<'_>) -> Change {
    if r.node("set").is_none() {
        return Change::Add(if r.node("add").is_some() { r.at("add") } else { At { value: "0".into(), place: r.key } });
    }
    let set = r.at("set");
    if let Some(Value::Integer(number)) = r.node("set").map(|n| &n.value) {
        return Change::Set(At { value: number.to_string(), place: set.place });
    }
    match set.value.strip_prefix('=') {
        Some(rest) => {
            let lead = 1 + rest.len() - rest.trim_start().len();
            let place = r.inside(&set, &(lead..set.value.len()));
            Change::Set(At { value: rest.trim_start().to_owned(), place })
        }
        None => Change::Set(set),
    }
}

fn row(r: &Reader<'_>, name: &str) -> Row {
    let at = r.at(name);
    let Ok(parts) = targets::row(&at.value) else {
        let key = At { value: "0".to_owned(), place: at.place };
        return Row { owner: String::new(), item: String::new(), key, place: at.place };
    };
    let key = match parts.key {
        Some(range) => At { value: at.value[range.clone()].to_owned(), place: r.inside(&at, &range) },
        None => At { value: "0".to_owned(), place: at.place },
    };
    Row { owner: parts.owner.to_owned(), item: parts.item.to_owned(), key, place: at.place }
}

fn transaction(r: &Reader<'_>) -> Transaction {
    let locks = r.below("locks");
    Transaction {
        protocol: match r.text("protocol") {
            "2pc_presumed_abort" => Protocol::TwoPhasePresumedAbort,
            _ => Protocol::TwoPhase,
        },
        coordinator: r.at("coordinator"),
        work: steps(r, "work", &join(&r.path, "work")),
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

fn workload(r: &Reader<'_>) -> Workload {
    let load = if let Some(per_second) = r.rate("rate") {
        Load::Rate { per_second, poisson: r.text("arrivals") != "even" }
    } else if r.node("trace").is_some() {
        let time = |t: At<String>| Time(values::duration(&t.value).expect(COMPLETE));
        Load::Trace(r.texts("trace").into_iter().map(time).collect())
    } else {
        Load::Users { users: r.integer("users") as u32, think: think(r) }
    };
    let vars = r.below("vars");
    let var = |(name, e): (&String, &super::tree::Entry)| {
        (At { value: name.clone(), place: e.key }, variable(&e.node, join(&vars.path, name)))
    };
    Workload {
        load,
        start: r.time("start"),
        stop: r.time("stop"),
        call: Call {
            target: r.at("target"),
            timeout: r.below("client").maybe_span("timeout"),
            otherwise: Otherwise::Fail,
        },
        vars: vars.table.entries.iter().map(var).collect(),
        zone: r.maybe_at("zone"),
    }
}

fn think(r: &Reader<'_>) -> Dist {
    // A workload whose kind of load is wrong has no `think` either; nobody will see this value.
    let none = || Node::text("0s", r.key);
    r.maybe_dist("think", Sort::Durations).unwrap_or_else(|| dist(&none(), Sort::Durations, join(&r.path, "think")))
}

fn invariant(r: &Reader<'_>) -> Option<Invariant> {
    let has = |name: &str| r.node(name).is_some();
    let form = if has("always") {
        Form::Always(r.at("always"))
    } else if has("never") {
        Form::Never(r.at("never"))
    } else if has("at_rest") {
        Form::AtRest(r.at("at_rest"))
    } else if has("finally") {
        Form::Finally { predicate: r.at("finally"), after: r.span("after") }
    } else if has("eventually_after_heal") {
        Form::EventuallyAfterHeal { predicate: r.at("eventually_after_heal"), within: r.maybe_span("within") }
    } else if has("sometimes") {
        Form::Sometimes { predicate: r.at("sometimes"), at_least: r.maybe_share("at_least") }
    } else if has("transition") {
        Form::Transition(r.at("transition"))
    } else if has("leads_to") {
        Form::LeadsTo { when: r.at("when"), then: r.at("leads_to"), within: r.maybe_span("within") }
    } else if has("check") {
        Form::Check { judge: r.at("check"), of: r.at("of") }
    } else {
        return None;
    };
    let text = r.node("text").map(|_| r.text("text").to_owned());
    Some(Invariant { form, text, place: r.key })
}

fn expect(r: &Reader<'_>) -> Expect {
    Expect {
        verdict: match r.text("verdict") {
            "fail" => Expected::Fail,
            "inconclusive" => Expected::Inconclusive,
            _ => Expected::Pass,
        },
        fails: r.texts("fails"),
        may_fail: r.texts("may_fail"),
        vacuous: r.texts("vacuous"),
        some_seed: r.text("seeds") == "some",
    }
}

fn sweep(r: &Reader<'_>) -> Sweep {
    let variants = match r.text("variants") {
        "all" => SweepVariants::All,
        "none" => SweepVariants::Base,
        _ => SweepVariants::Named(r.texts("variants")),
    };
    let matrix = r.below("matrix");
    let axis = |(path, e): (&String, &super::tree::Entry)| {
        let values = e.node.array().unwrap_or(&[]).iter().map(super::resolved::write_value).collect();
        (At { value: path.clone(), place: e.key }, values)
    };
    Sweep {
        seeds: r.node("seeds").map(|_| values::seeds(r.text("seeds")).expect(COMPLETE)),
        variants,
        matrix: matrix.table.entries.iter().map(axis).collect(),
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
