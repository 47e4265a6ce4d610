//! A merged tree against the schema: every key known, every value understood, every default filled in.
//!
//! What comes out is complete: where the file is wrong, an error is recorded and a harmless value stands in its place, so
//! that the passes after this one can go on and find the other errors. They ask `broken` before they judge such a value.

mod lists;
mod unknown;
mod verbs;

use std::collections::BTreeSet;

use kernel::Time;

use super::data::Files;
use super::diagnostic::{COLLECTED_MAX, Diagnostic, Source};
use super::leaf;
use super::merge::grow;
use super::nearest::listed;
use super::resolved::write_key;
use super::schema::{Choice, Form, Key, Preset, Shape, Short};
use super::stand_in::stand_in;
use super::tree::{Entry, Node, Table, Value};
use super::values::{clip, is_name, write_duration};
use crate::model::Place;

/// Distributions whose mean and percentile are computed for the resolved file; the percentile of a sum takes a while.
const NOTES_MAX: usize = 500;

/// Elements of one list,
const ELEMENTS_MAX: usize = 1000;
/// but of operations that begin at times of their own.
const BEGINS_MAX: usize = 100_000;

/// Names that no thing of a section may have.
const RESERVED: [&str; 15] = [
    "queues",
    "exchanges",
    "topics",
    "groups",
    "transactions",
    "sagas",
    "workloads",
    "zones",
    "faults",
    "base",
    "any",
    "all",
    "others",
    "same",
    "none",
];

/// Phases that are always there.
pub(super) const PHASES: [&str; 5] = ["warmup", "chaos", "recovery", "quiesce", "steady"];

/// What this pass makes.
pub(super) struct Resolver<'a> {
    pub(super) sources: &'a [Source],
    pub(super) errors: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
    /// Paths whose value is a stand-in.
    pub(super) broken: BTreeSet<String>,
    /// Paths of tables to which what they are `like` could not be copied.
    pub(super) not_copied: Vec<String>,
    /// The file's stem.
    stem: String,
    /// `run.duration`, `run.warmup`, `run.heal` once known, in nanoseconds.
    duration: u64,
    warmup: u64,
    heal: u64,
    /// What `warmup = "auto"` came to, if a pilot run has told.
    pub(super) settled: Option<Time>,
    /// `run.warmup` is `auto`.
    automatic: bool,
    /// `run.precision` is there.
    precise: bool,
    notes: usize,
    /// Policies that are named: their form, the name, and its place.
    policies: Vec<(&'static Form, String, Place)>,
    /// Stand-ins are being made: what is missing in them was told already.
    quiet: bool,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(sources: &'a [Source]) -> Self {
        let name = sources.first().map_or("", |s| s.name.as_str());
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let stem: String = file.strip_suffix(".toml").unwrap_or(file).to_owned();
        Self {
            sources,
            errors: Vec::new(),
            warnings: Vec::new(),
            broken: BTreeSet::new(),
            not_copied: Vec::new(),
            stem: if leaf::is_file_name(&stem) { stem } else { "scenario".to_owned() },
            duration: 0,
            warmup: 0,
            heal: 0,
            settled: None,
            automatic: false,
            precise: false,
            notes: 0,
            policies: Vec::new(),
            quiet: false,
        }
    }

    /// The whole file.
    pub(super) fn root(&mut self, root: &Node) -> Node {
        let place = Place { source: 0, start: 0, end: 0 };
        let complete = self.value(root, Shape::Table(&super::schema::ROOT), "", place);
        self.named_policies(&complete);
        complete
    }

    fn error(&mut self, path: &str, error: Diagnostic) {
        self.broken.insert(path.to_owned());
        if !self.quiet && self.errors.len() < COLLECTED_MAX {
            self.errors.push(error);
        }
    }

    /// One value; `owner` is what to point at when something is missing in it.
    fn value(&mut self, node: &Node, shape: Shape, path: &str, owner: Place) -> Node {
        match shape {
            Shape::Table(form) => self.table(node, form, path, owner),
            Shape::Verbed(verbs) => self.verbed(node, verbs, path, owner),
            Shape::Keyed(inner) => self.keyed(node, *inner, path),
            Shape::Links(form) => self.links(node, form, path),
            Shape::Steps(of) => self.steps(node, of.verbs(), path),
            Shape::List(form) => self.list(node, (form, ELEMENTS_MAX), path),
            Shape::Policy(form) if node.table().is_some() => self.policy(node, form, path, owner),
            Shape::Operations(form) if of_tables(node) => self.list(node, (form, BEGINS_MAX), path),
            Shape::Else(of) if node.array().is_some() => self.steps(node, of.verbs(), path),
            Shape::Variants => self.variants(node, path),
            Shape::Version
            | Shape::Integer(..)
            | Shape::Boolean
            | Shape::Percentage
            | Shape::Count(_)
            | Shape::Duration
            | Shape::Warmup
            | Shape::Rate
            | Shape::Size
            | Shape::Bandwidth
            | Shape::Capacity
            | Shape::Distribution(_)
            | Shape::Variable
            | Shape::Word(..)
            | Shape::Words(..)
            | Shape::Name
            | Shape::Names
            | Shape::FileName
            | Shape::Text
            | Shape::Texts
            | Shape::Expression
            | Shape::Assigned
            | Shape::Threshold
            | Shape::Window
            | Shape::WindowOrPhase
            | Shape::Seeds
            | Shape::Targets
            | Shape::Sides
            | Shape::Hits
            | Shape::Operations(_)
            | Shape::CallTarget
            | Shape::Row
            | Shape::Else(_)
            | Shape::Policy(_)
            | Shape::Value
            | Shape::Initial
            | Shape::Factor(_)
            | Shape::CallsOrDuration
            | Shape::Acks
            | Shape::Effort
            | Shape::Staleness
            | Shape::RateOrUsers
            | Shape::Destination(_)
            | Shape::Item
            | Shape::Rows
            | Shape::Events
            | Shape::Pattern
            | Shape::Points
            | Shape::Point
            | Shape::Path
            | Shape::Trace
            | Shape::SweepVariants
            | Shape::Matrix => self.leaf(node, shape, path),
        }
    }

    fn leaf(&mut self, node: &Node, shape: Shape, path: &str) -> Node {
        let none = Files::default();
        let files = self.sources.first().map_or(&none, |source| &source.files);
        match leaf::check(node, shape, files) {
            Ok(checked) => {
                if let Shape::Policy(form) = shape {
                    let name = node.as_text().unwrap_or("").to_owned();
                    self.policies.push((form, name, node.place));
                }
                let mut result = Node::new(checked.value, node.place);
                if let Some(law) = checked.varying.filter(|_| self.notes < NOTES_MAX) {
                    self.notes += 1;
                    result.note = Some(leaf::note(&law.0, law.1));
                }
                if let (Shape::Warmup, Some("auto"), Some(settled)) = (shape, result.as_text(), self.settled) {
                    result.note = Some(format!("{} with this seed, by MSER-5", write_duration(settled.0)));
                }
                result
            }
            Err(problem) => {
                let place = problem.range.map_or(node.place, |range| leaf::inside(self.sources, node, &range));
                let place = problem.place.unwrap_or(place);
                let message = format!("`{path}` is not {}", shape.noun());
                self.error(path, Diagnostic::error(place, message, problem.label).maybe_help(problem.help));
                Node::new(stand_in(shape), node.place)
            }
        }
    }

    /// The entries of a table, or an error that it is none.
    fn entries<'n>(&mut self, node: &'n Node, what: &str, path: &str) -> Option<&'n Table> {
        if let Some(table) = node.table() {
            return Some(table);
        }
        let place = node.place;
        let first = node.array().and_then(<[Node]>::first);
        let of_tables = first.is_some_and(|n| n.table().is_some());
        let what = if what.starts_with('`') { "a table" } else { what };
        let mut error = Diagnostic::error(place, format!("`{path}` is not {what}"), format!("found {}", node.sort()));
        if of_tables {
            let name = path.rsplit('.').next().unwrap_or(path);
            let singular = name.strip_suffix('s').unwrap_or(name);
            error = error.help(format!("these are tables by name: `[{path}.my_{singular}]`"));
        }
        self.error(path, error);
        None
    }

    fn table(&mut self, node: &Node, form: &'static Form, path: &str, owner: Place) -> Node {
        let grown;
        let node = if node.table().is_none() && form.short != Short::None {
            grown = grow(form, node.clone());
            &grown
        } else {
            node
        };
        let empty = Table::default();
        let (entries, was_quiet) = match self.entries(node, form.what, path) {
            Some(entries) => (entries, self.quiet),
            None => (&empty, core::mem::replace(&mut self.quiet, true)),
        };
        self.unknown_keys(entries, form, path);
        self.choices(entries, form.choices, path, owner);
        let mut result = Table::default();
        for key in form.keys {
            let read = self.is_read(key, &result, entries, path);
            if !read || key.name == "like" {
                continue;
            }
            let child = join(path, key.name);
            if let Some(entry) = entries.entries.get(key.name) {
                let checked = self.value(&entry.node, key.shape, &op_path(form, key, path, &child), entry.key);
                result.insert(key.name, entry.key, checked);
            } else if let Some(checked) = self.preset(key, &result, path, &child, owner) {
                result.insert(key.name, owner, checked);
            }
            self.remember(&child, &result, key.name);
        }
        self.quiet = was_quiet;
        if form.has_body() {
            work_as_steps(&mut result);
        }
        Node::new(Value::Table(result), node.place)
    }

    /// What later defaults are made of.
    fn remember(&mut self, path: &str, table: &Table, name: &str) {
        let span = || table.get(name).and_then(Node::as_text).and_then(|t| super::values::duration(t).ok());
        match path {
            "run.duration" => self.duration = span().unwrap_or(0),
            "run.warmup" => {
                self.automatic = table.get(name).and_then(Node::as_text) == Some("auto");
                self.warmup = span().unwrap_or(0);
            }
            "run.precision" => self.precise = table.get(name).is_some(),
            "run.heal" => self.heal = span().unwrap_or(0),
            _ => {}
        }
    }

    /// A key that its sibling makes meaningless is left out, with a word about it.
    fn is_read(&mut self, key: &Key, result: &Table, entries: &Table, path: &str) -> bool {
        let Some((sibling, words)) = key.only else { return true };
        let word = result.get(sibling).and_then(Node::as_text).unwrap_or("");
        let fits = if words.is_empty() { result.get(sibling).is_some() } else { words.contains(&word) };
        if fits || self.broken.contains(&join(path, sibling)) {
            return true;
        }
        if let Some(entry) = entries.entries.get(key.name).filter(|_| !self.quiet) {
            let label = match words {
                [] => format!("it goes with `{sibling}`, which is not here"),
                words => format!("`{sibling}` is `{word}`; only {} reads this", listed(words.iter().copied(), 4)),
            };
            let message = format!("`{}` is not read", join(path, key.name));
            self.warnings.push(Diagnostic::warning(entry.key, message, label));
        }
        false
    }

    fn choices(&mut self, entries: &Table, choices: &[Choice], path: &str, owner: Place) {
        for choice in choices {
            let written = choice.keys.iter().filter_map(|k| entries.entries.get(*k).map(|e| (*k, e.key)));
            match written.collect::<Vec<_>>().as_slice() {
                // Perhaps it would have been copied.
                [] if self.not_copied.iter().any(|not_copied| not_copied == path) => {}
                // One of them was misspelt.
                [] if choice.keys.iter().any(|key| self.broken.contains(&join(path, key))) => {
                    self.broken.insert(path.to_owned());
                }
                [] if choice.needed => {
                    let label = format!("one of {} is missing", listed(choice.keys.iter().copied(), 9));
                    self.error(path, Diagnostic::error(owner, format!("`{path}` is not complete"), label));
                }
                [(first, first_place), (second, second_place), ..] => {
                    let message = format!("`{path}` has two {}: `{first}` and `{second}`", choice.what);
                    let mut error =
                        Diagnostic::error(*second_place, message, "the second").also(*first_place, "the first");
                    if first_place.source != second_place.source || first_place.start.abs_diff(second_place.start) > 400
                    {
                        error = error.help(format!("to replace an inherited one, write `{first} = \"none\"`"));
                    }
                    self.error(path, error);
                }
                [] | [_] => {}
            }
        }
    }

    fn preset(&mut self, key: &Key, result: &Table, path: &str, child: &str, owner: Place) -> Option<Node> {
        let text = |text: &str| Some(Node::text(text, owner));
        match key.preset {
            Preset::Absent => None,
            Preset::Required if self.broken.contains(child) || self.may_be_copied(path) => {
                self.broken.insert(child.to_owned());
                Some(self.stand_in(key.shape, child, owner))
            }
            // Whether it is needed depends on a word that nobody understands.
            Preset::Required if key.only.is_some_and(|(word, _)| self.broken.contains(&join(path, word))) => None,
            Preset::Required => {
                let error = if path.is_empty() {
                    Diagnostic::error(owner, format!("the scenario has no `{}`", key.name), required_hint(key.name))
                } else {
                    let label = format!("`{}` is missing", key.name);
                    let error = Diagnostic::error(owner, format!("`{path}` has no `{}`", key.name), label);
                    error.help(format!("`{}`: {}", key.name, key.doc))
                };
                self.error(child, error);
                Some(self.stand_in(key.shape, child, owner))
            }
            Preset::Text(word) => text(word),
            Preset::Chosen(sibling, texts) => {
                let word = result.get(sibling).and_then(Node::as_text).unwrap_or("");
                let (_, text) = texts.iter().find(|(chosen, _)| *chosen == word).or(texts.first())?;
                Some(self.value(&Node::text(*text, owner), key.shape, child, owner))
            }
            Preset::Integer(number) => Some(Node::new(Value::Integer(number), owner)),
            Preset::For(sibling, word, number) => {
                let fits = result.get(sibling).and_then(Node::as_text) == Some(word);
                fits.then(|| Node::new(Value::Integer(number), owner))
            }
            Preset::MinCalls => {
                let calls = result.get("window").map(|node| &node.value);
                let Some(Value::Integer(calls)) = calls else { return Some(Node::new(Value::Integer(20), owner)) };
                Some(Node::new(Value::Integer(*calls), owner))
            }
            Preset::Boolean(truth) => Some(Node::new(Value::Boolean(truth), owner)),
            Preset::Words(words) => {
                Some(Node::new(Value::Array(words.iter().map(|w| Node::text(*w, owner)).collect()), owner))
            }
            Preset::Table => {
                let empty = Node::new(Value::Table(Table::default()), owner);
                Some(self.value(&empty, key.shape, child, owner))
            }
            Preset::Stem => text(&self.stem.clone()),
            Preset::RunDuration => text(&write_duration(self.duration)),
            // When it begins is known after the pilot run; the run id must not depend on that.
            Preset::Chaos if self.automatic => text("chaos"),
            Preset::Chaos if self.warmup < self.heal => {
                text(&format!("{}..{}", write_duration(self.warmup), write_duration(self.heal)))
            }
            Preset::Chaos => text("0s..1ns"),
            Preset::Seeds => text("0..100").filter(|_| !self.precise),
        }
    }

    /// What is missing here may stand in what could not be copied.
    fn may_be_copied(&self, path: &str) -> bool {
        let within = |table: &String| path.strip_prefix(table).is_some_and(|r| r.is_empty() || r.starts_with('.'));
        self.not_copied.iter().any(within)
    }

    /// A complete value of this shape that means nothing.
    fn stand_in(&mut self, shape: Shape, path: &str, owner: Place) -> Node {
        let was_quiet = core::mem::replace(&mut self.quiet, true);
        let mut node = Node::new(stand_in(shape), owner);
        if node.table().is_some() {
            node = self.value(&node, shape, path, owner);
        }
        self.quiet = was_quiet;
        node
    }

    fn keyed(&mut self, node: &Node, inner: Shape, path: &str) -> Node {
        let mut result = Table::default();
        let entries = self.entries(node, "a table of named things", path);
        for (name, entry) in entries.into_iter().flat_map(|t| &t.entries) {
            let child = join(path, name);
            self.name(name, entry.key, path);
            let checked = self.value(&entry.node, inner, &child, entry.key);
            result.insert(name.clone(), entry.key, checked);
        }
        Node::new(Value::Table(result), node.place)
    }

    fn name(&mut self, name: &str, place: Place, path: &str) {
        if !is_name(name) {
            let label = "names are lower case letters, digits and `_`, and begin with a letter";
            let error = Diagnostic::error(place, format!("`{}` is not a name", clip(name)), label);
            let better = name.to_ascii_lowercase().replace(['-', ' ', '.'], "_");
            let help = is_name(&better).then(|| format!("did you mean `{better}`?"));
            self.error(&join(path, name), error.maybe_help(help));
            // What was probably meant is as wrong as what is written.
            self.broken.insert(join(path, &better));
        } else if !path.contains('.') && (RESERVED.contains(&name) || (path == "phases" && PHASES.contains(&name))) {
            let label = "this name means something else in paths";
            self.error(&join(path, name), Diagnostic::error(place, format!("`{name}` is a reserved name"), label));
        }
    }
}

fn required_hint(name: &str) -> String {
    match name {
        "version" => "the first line is `version = 1`".to_owned(),
        "run" => "how long does it run? `run.duration = \"60s\"`".to_owned(),
        _ => format!("`{name}` is missing"),
    }
}

/// `path.name`.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { write_key(name) } else { format!("{path}.{}", write_key(name)) }
}

/// The steps of an op go by the op's own path.
fn op_path(form: &Form, key: &Key, path: &str, child: &str) -> String {
    if form.has_body() && key.name == "steps" { path.to_owned() } else { child.to_owned() }
}

/// `ops.checkout[0]`, or `ops.checkout.charge` for a step with a name.
pub(super) fn step_path(path: &str, n: usize, name: Option<&str>) -> String {
    match name.filter(|name| is_name(name)) {
        Some(name) => format!("{path}.{name}"),
        None => format!("{path}[{n}]"),
    }
}

/// Some of these are tables.
fn of_tables(node: &Node) -> bool {
    node.array().is_some_and(|items| items.iter().any(|item| item.table().is_some()))
}

/// An op's `work` is its only step.
fn work_as_steps(op: &mut Table) {
    let Some(Entry { key, node }) = op.remove("work") else { return };
    if op.get("steps").is_some() {
        return;
    }
    let place = node.place;
    let mut step = Table::default();
    step.insert("work", key, node);
    step.insert("chance", key, Node::text("100%", place));
    op.insert("steps", key, Node::new(Value::Array(vec![Node::new(Value::Table(step), place)]), place));
}
