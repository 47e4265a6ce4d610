//! The scenario file as data: every section and key, its shape, its default, one line of documentation.
//!
//! This is the only place that knows which keys exist and what they default to. Validation, the resolved file, the JSON
//! Schema and the list of keys that cannot change a run are read from these tables; a key that is not here is an error.
//! `world`, `policies`, `steps`, `messaging`, `sagas`, `workloads` and `faults` have the tables of the parts, `promises` those of what is judged, `later` what the
//! grammar has and this version does not.

mod faults;
mod hardware;
mod later;
mod messaging;
mod policies;
mod promises;
mod sagas;
mod shape;
mod steps;
mod stores;
mod workloads;
mod world;

pub(super) use faults::POINTS;
pub(super) use later::{FOREIGN, LATER_SECTIONS};
pub(super) use policies::POLICIES;
#[cfg(test)]
pub(super) use promises::INVARIANTS;

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
    /// This number if the sibling is this word; else it is not there.
    For(&'static str, &'static str, i64),
    /// `min_calls` of a breaker: its window if that counts calls, else 20.
    MinCalls,
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
    /// `set` of an `update`: a number, `"$x"`, `"= expression"`, or a table of fields.
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
    /// Messages that a fault hit: `operation/hop/transmission`.
    Hits,
    /// Numbers from 0, and ranges of them: `[3, "20..40"]`; or a list of these tables.
    Operations(&'static Form),
    /// `service`, `service.op`, `transactions.x`.
    CallTarget,
    /// `owner.item[key]`.
    Row,
    /// A protocol point.
    Point,
    /// One of the values of §3: a number, truth, text with variables in it, `"$x"`, or `"= expression"`.
    Value,
    /// The first value of an item of state: a number, or a table of fields.
    Initial,
    /// A number above 0 and not below this.
    Factor(f64),
    /// Calls, or a duration.
    CallsOrDuration,
    /// `leader`, `majority`, `all`, or a number of copies.
    Acks,
    /// How many steps a search may take: `50M`.
    Effort,
    /// How far a read may be behind: a duration, or versions.
    Staleness,
    /// Where a stage leads: a rate, or users.
    RateOrUsers,
    /// A queue, an exchange or a topic: its name, or its path.
    Destination(&'static [&'static str]),
    /// `owner.item`.
    Item,
    /// Several rows.
    Rows,
    /// One name of an event, or several.
    Events,
    /// A pattern of routing keys.
    Pattern,
    /// Protocol points.
    Points,
    /// What happens when a step cannot be done; steps of this sort too.
    Else(StepsOf),
    /// The name of a policy, or the policy itself.
    Policy(&'static Form),
    /// An array of tables.
    List(&'static Form),
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
    Steps(StepsOf),
    /// Names → partial scenarios.
    Variants,
}

/// Where steps stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StepsOf {
    /// In an op, or in a step of one.
    Op,
    /// In `[transactions.*]`.
    Transaction,
    /// In `steps` of a workload.
    Client,
    /// In `mix` of a workload: each has a weight.
    Mix,
}

impl StepsOf {
    pub(super) fn verbs(self) -> &'static Verbs {
        match self {
            Self::Op => &steps::STEPS,
            Self::Transaction => &steps::TRANSACTION_STEPS,
            Self::Client => &steps::CLIENT_STEPS,
            Self::Mix => &steps::MIX_STEPS,
        }
    }
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
    /// None; but it has `work` or `steps` as an op has, and its steps go by its own path.
    Body,
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
    /// Its steps go by its own path.
    pub(super) fn has_body(&self) -> bool {
        matches!(self.short, Short::Op | Short::Body)
    }

    /// Where policies of this form have their names.
    pub(super) fn section(&self) -> &'static str {
        if self.what == policies::BREAKER.what { "breaker" } else { "retry" }
    }

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
        key("retry", Shape::Keyed(&policies::RETRY_SHAPE), Preset::Table, "How failed calls are tried again."),
        key("breaker", Shape::Keyed(&policies::BREAKER_SHAPE), Preset::Table, "When calls are not even tried."),
        key("services", Shape::Keyed(&world::SERVICE_SHAPE), Preset::Table, "Things with nodes that serve requests."),
        key("stores", Shape::Keyed(&stores::STORE_SHAPE), Preset::Table, "Things with nodes that keep copies of keys."),
        key("brokers", Shape::Keyed(&messaging::BROKER_SHAPE), Preset::Table, "Things with nodes that keep messages."),
        key("queues", Shape::Keyed(&messaging::QUEUE_SHAPE), Preset::Table, "Each message to one consumer."),
        key("exchanges", Shape::Keyed(&messaging::EXCHANGE_SHAPE), Preset::Table, "They hand messages on to queues."),
        key("topics", Shape::Keyed(&messaging::TOPIC_SHAPE), Preset::Table, "Logs: each message to every group."),
        key(
            "transactions",
            Shape::Keyed(&world::TRANSACTION_SHAPE),
            Preset::Table,
            "Distributed transactions by a commit protocol.",
        ),
        key("sagas", Shape::Keyed(&sagas::SAGA_SHAPE), Preset::Table, "Steps over services, each with what undoes it."),
        key("workloads", Shape::Keyed(&workloads::WORKLOAD_SHAPE), Preset::Table, "Clients and what they ask for."),
        key("chaos", Shape::Table(&faults::CHAOS), Preset::Table, "Random schedules of faults."),
        key("faults", Shape::Keyed(&faults::FAULT_SHAPE), Preset::Table, "What goes wrong, and when."),
        key("invariants", Shape::Keyed(&promises::INVARIANT_SHAPE), Preset::Table, "Is it right?").judging(JUDGED),
        key("thresholds", Shape::Keyed(&Shape::Threshold), Preset::Table, "How does it behave?").judging(JUDGED),
        key("expect", Shape::Table(&promises::EXPECT), Preset::Table, "How the promises are expected to come out.")
            .judging("an expectation is compared with a run after it ended"),
        key("sweep", Shape::Table(&promises::SWEEP), Preset::Table, "Which seeds and variants `sweep` and `test` run.")
            .judging("it chooses runs and changes none of them"),
        key("repro", Shape::Table(&faults::REPRO), Preset::Absent, "Of which run this is what it came to.")
            .judging("it is compared with a run after it ended"),
        key("variants", Shape::Variants, Preset::Table, "Partial scenarios that are merged on this one.")
            .judging("a variant changes only the runs that choose it"),
    ],
    later: &[],
    short: Short::None,
    choices: &[],
};

/// The word `none` at `path` is a value, and does not take one away.
pub(super) fn none_is_a_word(path: &[String]) -> bool {
    let child = |shape: Shape, name: &String| shape.child(name).map(|(next, _)| next);
    path.iter().try_fold(Shape::Table(&ROOT), child).is_some_and(|shape| shape.has_none_word())
}

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
