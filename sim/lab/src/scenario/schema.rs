//! The scenario file as data: every section and key, its shape, its default, one line of documentation.
//!
//! This is the only place that knows which keys exist and what they default to. Validation, the resolved file, the JSON
//! Schema and the list of keys that cannot change a run are read from these tables; a key that is not here is an error.
//! `world`, `steps` and `faults` have the tables of the parts, `promises` those of what is judged, `later` what the
//! grammar has and this version does not.

mod faults;
mod hardware;
mod later;
mod promises;
mod steps;
mod world;

pub(super) use faults::POINTS;
pub(super) use later::{FOREIGN, LATER_SECTIONS};
#[cfg(test)]
pub(super) use promises::INVARIANTS;
pub(super) use world::OP;

use super::distributions::Sort;

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) preset: Preset,
    /// One line.
    pub(super) doc: &'static str,
    /// Why this key cannot change what happens in a run, if it cannot.
    pub(super) judging: Option<&'static str>,
    /// Read only if that sibling is one of these words; if there are none, only if it is there.
    pub(super) only: Option<(&'static str, &'static [&'static str])>,
}

/// What stands there when nothing is written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Preset {
    /// It must be written.
    Required,
    /// It is not there at all.
    Absent,
    /// This text.
    Text(&'static str),
    /// The text that goes with the word of this sibling.
    Chosen(&'static str, &'static [(&'static str, &'static str)]),
    /// This number.
    Integer(i64),
    /// This truth.
    Boolean(bool),
    /// These words.
    Words(&'static [&'static str]),
    /// A table of its own defaults.
    Table,
    /// The file's stem.
    Stem,
    /// `run.duration`.
    RunDuration,
    /// The chaos phase: from `run.warmup` to `run.heal`.
    Chaos,
    /// `0..100`, unless `run.precision` says how many.
    Seeds,
}

/// What a value looks like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// The number 1.
    Version,
    /// From, to, both included.
    Integer(i64, i64),
    Boolean,
    Percentage,
    /// An integer from 0 or 1, or `unlimited`.
    Count(i64),
    Duration,
    /// A duration, or `auto`.
    Warmup,
    Rate,
    Size,
    /// Bits or bytes per second, or `unlimited`.
    Bandwidth,
    /// A size without the limit of a message, or `unlimited`.
    Capacity,
    Distribution(Sort),
    /// A variable of a workload: a distribution of numbers, of texts or of truth, or a sequence.
    Variable,
    /// One of these; the second list is what later versions know.
    Word(&'static [&'static str], &'static [&'static str]),
    /// Some of these.
    Words(&'static [&'static str], &'static [&'static str]),
    /// A name in this file.
    Name,
    /// Names in this file.
    Names,
    /// A name that becomes a directory: hyphens too.
    FileName,
    Text,
    Texts,
    Expression,
    /// `set`: a number, `"$x"`, or `"= expression"`.
    Assigned,
    /// A comparison of metrics.
    Threshold,
    Window,
    WindowOrPhase,
    Seeds,
    /// One target or a list of them; links too where they make sense.
    Targets,
    /// A list of lists of targets.
    Sides,
    /// `service`, `service.op`, `transactions.x`.
    CallTarget,
    /// `owner.item[key]`.
    Row,
    Else,
    /// A protocol point.
    Point,
    /// A path in this file.
    Path,
    /// Arrival times, as a list of durations or a file that has them.
    Trace,
    SweepVariants,
    /// Path → values.
    Matrix,
    /// Variables of a workload: whole-number distributions or numbers.
    Table(&'static Form),
    /// Names → values of one shape.
    Keyed(&'static Shape),
    /// `"a -> b"` → values.
    Links(&'static Form),
    /// A table with one verb.
    Verbed(&'static Verbs),
    /// An array of those.
    Steps(&'static Verbs),
    /// Names → partial scenarios.
    Variants,
}

/// A table with fixed keys.
#[derive(Debug)]
pub(super) struct Form {
    /// `a service`.
    pub(super) what: &'static str,
    pub(super) keys: &'static [Key],
    /// Keys of the grammar that this version does not have.
    pub(super) later: &'static [&'static str],
    /// What a value that is no table stands for.
    pub(super) short: Short,
    pub(super) choices: &'static [Choice],
}

/// Short forms.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Short {
    /// None: a table is a table.
    None,
    /// This key alone.
    Key(&'static str),
    /// An op: text is its `work`, an array its `steps`.
    Op,
}

/// Keys of which one at most may be there.
#[derive(Debug)]
pub(super) struct Choice {
    /// `triggers`.
    pub(super) what: &'static str,
    pub(super) keys: &'static [&'static str],
    /// One must be there.
    pub(super) needed: bool,
}

/// Tables that have exactly one of several verbs.
#[derive(Debug)]
pub(super) struct Verbs {
    /// `step`.
    pub(super) what: &'static str,
    pub(super) each: &'static [Verb],
    /// Keys that go with every verb.
    pub(super) common: &'static [Key],
    /// Verbs of the grammar that this version does not have.
    pub(super) later: &'static [&'static str],
}

/// A verb and the keys that modify it.
#[derive(Debug)]
pub(super) struct Verb {
    pub(super) key: Key,
    pub(super) modifiers: &'static [Key],
    pub(super) later: &'static [&'static str],
    pub(super) choices: &'static [Choice],
}

const fn key(name: &'static str, shape: Shape, preset: Preset, doc: &'static str) -> Key {
    Key { name, shape, preset, doc, judging: None, only: None }
}

impl Key {
    const fn judging(mut self, why: &'static str) -> Self {
        self.judging = Some(why);
        self
    }

    const fn only(mut self, sibling: &'static str, words: &'static [&'static str]) -> Self {
        self.only = Some((sibling, words));
        self
    }
}

impl Form {
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|k| k.name == name)
    }
}

impl Verbs {
    pub(super) fn verb(&self, name: &str) -> Option<&'static Verb> {
        self.each.iter().find(|v| v.key.name == name)
    }

    /// The key of this name, whatever the verb.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        let of_verbs = self.each.iter().flat_map(|v| core::iter::once(&v.key).chain(v.modifiers));
        of_verbs.chain(self.common).find(|k| k.name == name)
    }
}

impl Shape {
    /// `run.duration` is not …
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Version => "1",
            Self::Integer(..) => "a whole number in its range",
            Self::Boolean => "true or false",
            Self::Percentage => "a percentage",
            Self::Count(_) => "a count",
            Self::Duration => "a duration",
            Self::Warmup => "a duration or `auto`",
            Self::Rate => "a rate",
            Self::Size => "a size",
            Self::Bandwidth => "a bandwidth",
            Self::Capacity => "a capacity",
            Self::Distribution(Sort::Durations) => "a duration or a distribution of durations",
            Self::Distribution(Sort::Drifts) => "a drift or a distribution of drifts",
            Self::Distribution(Sort::Numbers) => "a number or a distribution of numbers",
            Self::Distribution(Sort::Offsets) => "the offset of a clock or a distribution of offsets",
            Self::Variable => "a variable",
            Self::Distribution(Sort::Counts) => "a count or a distribution of whole numbers",
            Self::Word(..) => "a known word",
            Self::Words(..) => "a list of known words",
            Self::Name => "a name",
            Self::Names => "a list of names",
            Self::FileName => "a name for a directory",
            Self::Text => "text",
            Self::Texts => "a list of texts",
            Self::Expression => "an expression",
            Self::Assigned => "a value",
            Self::Threshold => "a comparison",
            Self::Window => "a window of time",
            Self::WindowOrPhase => "a window of time or a phase",
            Self::Seeds => "a range of seeds",
            Self::Targets => "a target",
            Self::Sides => "a list of sides",
            Self::CallTarget => "something that can be called",
            Self::Row => "a row of state",
            Self::Else => "what `else` can say",
            Self::Point => "a protocol point",
            Self::Path => "a path in this file",
            Self::Trace => "a list of arrival times",
            Self::SweepVariants => "a choice of variants",
            Self::Matrix => "a table of paths and lists of values",
            Self::Table(form) => form.what,
            Self::Keyed(_) => "a table of named things",
            Self::Links(_) => "a table of links",
            Self::Verbed(verbs) => verbs.what,
            Self::Steps(_) => "a list of steps",
            Self::Variants => "a table of named variants",
        }
    }

    /// The word `none` means something of its own here.
    pub(super) fn has_none_word(&self) -> bool {
        match self {
            Self::Word(words, _) => words.contains(&"none"),
            Self::SweepVariants => true,
            Self::Table(form) => match form.short {
                Short::Key(name) => form.key(name).is_some_and(|k| k.shape.has_none_word()),
                Short::None | Short::Op => false,
            },
            Self::Version
            | Self::Integer(..)
            | Self::Boolean
            | Self::Percentage
            | Self::Count(_)
            | Self::Duration
            | Self::Warmup
            | Self::Rate
            | Self::Size
            | Self::Bandwidth
            | Self::Capacity
            | Self::Distribution(_)
            | Self::Variable
            | Self::Words(..)
            | Self::Name
            | Self::Names
            | Self::FileName
            | Self::Text
            | Self::Texts
            | Self::Expression
            | Self::Assigned
            | Self::Threshold
            | Self::Window
            | Self::WindowOrPhase
            | Self::Seeds
            | Self::Targets
            | Self::Sides
            | Self::CallTarget
            | Self::Row
            | Self::Else
            | Self::Point
            | Self::Path
            | Self::Trace
            | Self::Matrix
            | Self::Keyed(_)
            | Self::Links(_)
            | Self::Verbed(_)
            | Self::Steps(_)
            | Self::Variants => false,
        }
    }

    /// The shape of what stands under `name` in a table of this shape, and its key if it is a fixed one.
    pub(super) fn child(&self, name: &str) -> Option<(Shape, Option<&'static Key>)> {
        match self {
            Self::Table(form) => form.key(name).map(|k| (k.shape, Some(k))),
            Self::Keyed(shape) => Some((**shape, None)),
            Self::Links(form) => Some((Self::Table(form), None)),
            Self::Verbed(verbs) => verbs.key(name).map(|k| (k.shape, Some(k))),
            Self::Variants => Some((Self::Table(&ROOT), None)),
            Self::Steps(verbs) => Some((Self::Verbed(verbs), None)),
            Self::Version
            | Self::Integer(..)
            | Self::Boolean
            | Self::Percentage
            | Self::Count(_)
            | Self::Duration
            | Self::Warmup
            | Self::Rate
            | Self::Size
            | Self::Bandwidth
            | Self::Capacity
            | Self::Distribution(_)
            | Self::Variable
            | Self::Word(..)
            | Self::Words(..)
            | Self::Name
            | Self::Names
            | Self::FileName
            | Self::Text
            | Self::Texts
            | Self::Expression
            | Self::Assigned
            | Self::Threshold
            | Self::Window
            | Self::WindowOrPhase
            | Self::Seeds
            | Self::Targets
            | Self::Sides
            | Self::CallTarget
            | Self::Row
            | Self::Else
            | Self::Point
            | Self::Path
            | Self::Trace
            | Self::SweepVariants
            | Self::Matrix => None,
        }
    }
}

const JUDGED: &str = "a promise judges a run, it does not change it";
const DESCRIBES: &str = "it describes the scenario and changes nothing in it";

/// The whole file.
pub(super) static ROOT: Form = Form {
    what: "a scenario",
    keys: &[
        key("version", Shape::Version, Preset::Required, "The version of this file format.")
            .judging("there is only one"),
        key("scenario", Shape::Table(&world::SCENARIO), Preset::Table, "What the file is about.").judging(DESCRIBES),
        key("run", Shape::Table(&world::RUN), Preset::Required, "How long it runs."),
        key("phases", Shape::Keyed(&Shape::Window), Preset::Table, "Named windows of virtual time."),
        key("network", Shape::Table(&hardware::NETWORK), Preset::Table, "What messages meet on their way."),
        key("zones", Shape::Keyed(&hardware::ZONE_SHAPE), Preset::Table, "One-way latencies from zone to zone."),
        key("services", Shape::Keyed(&world::SERVICE_SHAPE), Preset::Table, "Things with nodes that serve requests."),
        key(
            "transactions",
            Shape::Keyed(&world::TRANSACTION_SHAPE),
            Preset::Table,
            "Distributed transactions by a commit protocol.",
        ),
        key("workloads", Shape::Keyed(&world::WORKLOAD_SHAPE), Preset::Table, "Clients and what they ask for."),
        key("faults", Shape::Keyed(&faults::FAULT_SHAPE), Preset::Table, "What goes wrong, and when."),
        key("invariants", Shape::Keyed(&promises::INVARIANT_SHAPE), Preset::Table, "Is it right?").judging(JUDGED),
        key("thresholds", Shape::Keyed(&Shape::Threshold), Preset::Table, "How does it behave?").judging(JUDGED),
        key("expect", Shape::Table(&promises::EXPECT), Preset::Table, "How the promises are expected to come out.")
            .judging("an expectation is compared with a run after it ended"),
        key("sweep", Shape::Table(&promises::SWEEP), Preset::Table, "Which seeds and variants `sweep` and `test` run.")
            .judging("it chooses runs and changes none of them"),
        key("variants", Shape::Variants, Preset::Table, "Partial scenarios that are merged on this one.")
            .judging("a variant changes only the runs that choose it"),
    ],
    later: &[],
    short: Short::None,
    choices: &[],
};

/// Why the leaf at `path` cannot change a run's fingerprint, if it cannot. Paths of variants are those of their own runs.
pub(super) fn judging_only(path: &[String]) -> Option<&'static str> {
    let mut shape = Shape::Table(&ROOT);
    for name in path {
        let (next, key) = shape.child(name)?;
        if let Some(why) = key.and_then(|k| k.judging) {
            return Some(why);
        }
        shape = next;
    }
    None
}
