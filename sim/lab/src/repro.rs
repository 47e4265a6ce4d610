//! A run written down: what its random faults came to, as instances that are named by what they hit.
//!
//! An instance keeps its number, which keys what it draws besides (what of a write survives a crash, how long a copy
//! travels), so the run that is written down is the run that was. What waits for a point of a protocol, or follows a fault
//! that does, goes on waiting for it: that says more than a time.

mod points;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use kernel::Hit;
use kernel::{Distribution, Span, Time};

use crate::compile::chaos::schedule;
use crate::compile::{Edits, compile};
use crate::model::{
    Direction, Dist, Fault, FaultKind, LinkEnds, Listed, Model, Pick, Place, Target, TargetKind, Trigger,
};
use crate::outcome::{Outcome, Status};
use crate::run::{EPOCH, Go, Options, Progress, Recorded, recorded};
use crate::scenario::{
    Choice, Diagnostic, Scenario, Source, load, named_target, toml_duration as duration, toml_offset, toml_text,
    write_target,
};

/// An instance of a fault, as it was.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Struck {
    /// Its number.
    pub(crate) number: u32,
    /// When it began.
    pub(crate) at: Time,
    /// How long it lasted; `None`: until heal, or the end.
    pub(crate) length: Option<Span>,
    /// Whom it hit, as targets are written; `None`: as the fault says.
    pub(crate) target: Option<Vec<String>>,
    /// The sides of a partition that says more than whom it hit.
    pub(crate) split: Vec<Vec<String>>,
    /// The messages it hit.
    pub(crate) hits: Option<Vec<Hit>>,
    /// By how many nanoseconds clocks were set, if that was drawn.
    pub(crate) offset: Option<i64>,
}

/// What a declared fault came to.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Came {
    /// To nothing.
    Nothing,
    /// To these, instead of its trigger.
    Instances(Vec<Struck>),
    /// To what it says, once these values of it are settled.
    Settled(Vec<(&'static str, String)>),
}

/// A fault and what it came to.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Written {
    /// Its name.
    pub(crate) name: String,
    /// What it came to.
    pub(crate) came: Came,
    /// How it struck first.
    pub(crate) first: Option<Struck>,
    /// It waited for a point to be reached more than once.
    pub(crate) late: bool,
    /// Keys of it that say nothing any more.
    pub(crate) idle: Vec<&'static str>,
    /// It stands for `[chaos]`.
    pub(crate) chaos: bool,
}

/// A run of which everything is kept that can be written down.
pub(crate) fn record(
    scenario: &Scenario,
    seed: u64,
    variant: Option<&str>,
    go: &mut dyn FnMut(Progress) -> Go,
) -> Result<Recorded, Vec<Diagnostic>> {
    let options = Options { named_hits: true, ..Options::lean() };
    recorded(scenario, seed, variant, &options, go)
}

/// What each declared fault of a run came to.
pub(crate) fn written(model: &Model, run: &Recorded) -> Vec<Written> {
    let numbered = |name: &str| model.faults.iter().position(|(fault, _)| fault.value == name);
    let at_a_point = |fault: &Fault| matches!(fault.trigger, Trigger::Point { .. });
    let each = model.faults.iter().enumerate().map(|(n, (name, fault))| {
        let mine: Vec<&cluster::Instance> =
            run.ledger.iter().filter(|one| one.fault == Some(n as u32) && one.start.is_some()).collect();
        let settled = match &fault.trigger {
            Trigger::Point { .. } => mine.first().map(|one| (one, None)),
            Trigger::After { fault: other, .. } => {
                let other = numbered(&other.value).filter(|&other| at_a_point(&model.faults[other].1));
                let began =
                    other.and_then(|other| run.ledger.iter().find(|one| one.fault == Some(other as u32))?.start);
                mine.first().zip(began).map(|(one, began)| (one, Some(began)))
            }
            Trigger::At(_) | Trigger::Every(_) | Trigger::Rate(_) | Trigger::Always | Trigger::Listed(_) => None,
        };
        let first = mine.first().map(|one| struck(fault, one, run, model.run.heal));
        let late = matches!(&fault.trigger, Trigger::Point { nth: Some(_), .. });
        let written =
            |came, idle| Written { name: name.value.clone(), came, first: first.clone(), late, idle, chaos: false };
        match settled {
            Some((one, began)) => {
                let mut values = settle(fault, one, began, run);
                values.extend(points::settled(&fault.trigger, one, model, run));
                written(Came::Settled(values), idle(fault))
            }
            None if mine.is_empty() => written(Came::Nothing, Vec::new()),
            None => {
                let each = mine.iter().flat_map(|one| strikes(fault, one, run, model.run.heal));
                let mut each: Vec<Struck> = each.collect();
                numbered_apart(&mut each);
                written(Came::Instances(each), idle(fault))
            }
        }
    });
    each.chain(points::chaos(model, run)).collect()
}

/// Keys that say nothing once instances are written down.
fn idle(fault: &Fault) -> Vec<&'static str> {
    let mut idle: Vec<&'static str> = match fault.trigger {
        Trigger::At(_) => vec!["at"],
        Trigger::Every(_) => vec!["every"],
        Trigger::Rate(_) => vec!["rate"],
        Trigger::After { .. } => vec!["after"],
        Trigger::Point { .. } => vec!["point", "of", "nth"],
        Trigger::Always | Trigger::Listed(_) => Vec::new(),
    };
    idle.extend(["window", "for"]);
    match fault.kind {
        FaultKind::Redeliver => idle.push("chance"),
        FaultKind::Loss { .. } | FaultKind::Duplicate { .. } => idle.extend(["chance", "target"]),
        FaultKind::Partition { .. } => idle.extend(["chance", "target", "split"]),
        FaultKind::Crash { .. } | FaultKind::Pause | FaultKind::ClockJump { .. } | FaultKind::SlowCpu { .. } => {
            idle.extend(["chance", "target"]);
        }
    }
    idle
}

/// An instance; where clocks were set by draws, one for each machine.
fn strikes(fault: &Fault, one: &cluster::Instance, run: &Recorded, heal: Time) -> Vec<Struck> {
    let whole = struck(fault, one, run, heal);
    let FaultKind::ClockJump { by } = &fault.kind else { return vec![whole] };
    if matches!(by.law, Distribution::Constant { .. }) {
        return vec![whole];
    }
    let each = one.nodes.iter().zip(&one.offsets);
    let name = |node: &kernel::NodeId| run.names.node(*node).to_owned();
    each.map(|(node, by)| Struck { target: Some(vec![name(node)]), offset: Some(*by), ..whole.clone() }).collect()
}

/// What was one instance and is several now has several numbers; clocks that are set draw nothing by them.
fn numbered_apart(all: &mut [Struck]) {
    let mut taken = std::collections::BTreeSet::new();
    let mut next = all.iter().map(|one| one.number).max().unwrap_or(0);
    for one in all {
        if !taken.insert(one.number) {
            next += 1;
            one.number = next;
        }
    }
}

/// An offset that is not drawn.
fn constant(by: i64, place: Place) -> Dist {
    let law = Distribution::constant(by as f64).expect("a whole number of nanoseconds is a number");
    Dist { law, text: toml_offset(by as f64), path: String::new(), place }
}

/// The machines that an instance hit, and for how long.
fn machines(one: &cluster::Instance, run: &Recorded, heal: Time) -> Struck {
    let at = one.start.unwrap_or(one.planned);
    let length = one.end.filter(|end| *end < heal).map(|end| end.since(at));
    let target = one.nodes.iter().map(|&node| run.names.node(node).to_owned()).collect();
    Struck { number: one.number, at, length, target: Some(target), split: Vec::new(), hits: None, offset: None }
}

fn struck(fault: &Fault, one: &cluster::Instance, run: &Recorded, heal: Time) -> Struck {
    let at = one.start.unwrap_or(one.planned);
    let names =
        |nodes: &[kernel::NodeId]| nodes.iter().map(|&node| run.names.node(node).to_owned()).collect::<Vec<_>>();
    let length = one.end.filter(|end| *end < heal).map(|end| end.since(at));
    let (mut target, mut split, mut hits) = (None, Vec::new(), None);
    match fault.kind {
        FaultKind::Loss { .. } | FaultKind::Duplicate { .. } | FaultKind::Redeliver => hits = Some(one.hits.clone()),
        FaultKind::Partition { .. } => {
            let all: usize = one.sides.iter().map(Vec::len).sum();
            if one.sides.len() == 2 && all == run.names.nodes.len() {
                target = Some(names(&one.sides[0]));
            } else {
                split = one.sides.iter().map(|side| names(side)).collect();
            }
        }
        FaultKind::Crash { .. } | FaultKind::Pause | FaultKind::ClockJump { .. } | FaultKind::SlowCpu { .. } => {
            target = Some(names(&one.nodes));
        }
    }
    Struck { number: one.number, at, length, target, split, hits, offset: None }
}

/// What of a fault at a point, or after one, was left to chance.
fn settle(fault: &Fault, one: &cluster::Instance, after: Option<Time>, run: &Recorded) -> Vec<(&'static str, String)> {
    let mut settled = Vec::new();
    let at = one.start.unwrap_or(one.planned);
    if fault.chance < 1.0 && fault.kind != FaultKind::Redeliver {
        settled.push(("chance", "\"100%\"".to_owned()));
    }
    if let Some(began) = after {
        settled.push(("after.delay", toml_text(&duration(at.since(began).0))));
    }
    if let (Some(length), Some(end)) = (&fault.length, one.end)
        && !length.text.starts_with(|c: char| c.is_ascii_digit())
    {
        settled.push(("for", toml_text(&duration(end.since(at).0))));
    }
    if let (FaultKind::ClockJump { by }, [first, rest @ ..]) = (&fault.kind, &one.offsets[..])
        && !matches!(by.law, Distribution::Constant { .. })
        && rest.iter().all(|other| other == first)
    {
        settled.push(("offset", toml_text(&toml_offset(*first as f64))));
    }
    if fault.targets.iter().any(picked) {
        let nodes: Vec<String> = one.nodes.iter().map(|&node| toml_text(run.names.node(node))).collect();
        settled.push(("target", format!("[{}]", nodes.join(", "))));
    }
    settled
}

/// The seed picks, or the state of the run does.
fn picked(target: &Target) -> bool {
    match &target.kind {
        TargetKind::Nodes { pick, .. } => match pick {
            Pick::Any(_) | Pick::Minority | Pick::Majority | Pick::Fraction(_) | Pick::Leader | Pick::Followers => true,
            Pick::All | Pick::Numbers(_) | Pick::Same => false,
        },
        TargetKind::Everything
        | TargetKind::Others
        | TargetKind::Workload(_)
        | TargetKind::Zone(_)
        | TargetKind::HitBy(_)
        | TargetKind::Queue(_)
        | TargetKind::Topic(_) => false,
    }
}

impl Written {
    /// What has to be set so that the fault is what it came to.
    pub(crate) fn sets(&self) -> Vec<(String, String)> {
        let path = |key: &str| format!("faults.{}.{key}", self.name);
        match &self.came {
            Came::Nothing if self.chaos => vec![("chaos".to_owned(), "none".to_owned())],
            Came::Nothing => vec![(format!("faults.{}", self.name), "none".to_owned())],
            Came::Settled(values) => {
                let chaos = self.chaos.then(|| ("chaos".to_owned(), "none".to_owned()));
                chaos.into_iter().chain(values.iter().map(|(key, value)| (path(key), value.clone()))).collect()
            }
            Came::Instances(all) => {
                let texts: Vec<String> = all.iter().map(Struck::toml).collect();
                let chaos = self.chaos.then(|| ("chaos".to_owned(), "none".to_owned()));
                let kind = self.chaos.then(|| (path("kind"), "\"crash\"".to_owned()));
                let idle = self.idle.iter().map(|key| (path(key), "none".to_owned()));
                let made = chaos.into_iter().chain(kind);
                made.chain(idle).chain([(path("instances"), format!("[{}]", texts.join(", ")))]).collect()
            }
        }
    }
}

impl Struck {
    /// As a model has it.
    pub(crate) fn listed(&self, place: Place) -> Listed {
        let all = |names: &Vec<String>| names.iter().filter_map(|name| named_target(name, place)).collect();
        Listed {
            number: self.number,
            at: self.at,
            length: self.length,
            targets: self.target.as_ref().map(all),
            split: self.split.iter().map(all).collect(),
            hits: self.hits.clone(),
            over: None,
            offset: self.offset.map(|by| constant(by, place)),
            place,
        }
    }

    fn toml(&self) -> String {
        let list = |names: &[String]| names.iter().map(|name| toml_text(name)).collect::<Vec<_>>().join(", ");
        let mut text = format!("{{ n = {}, at = {}", self.number, toml_text(&duration(self.at.0)));
        if let Some(length) = self.length {
            let _ = write!(text, ", for = {}", toml_text(&duration(length.0)));
        }
        if let Some(target) = &self.target {
            let _ = write!(text, ", target = [{}]", list(target));
        }
        if !self.split.is_empty() {
            let sides: Vec<String> = self.split.iter().map(|side| format!("[{}]", list(side))).collect();
            let _ = write!(text, ", split = [{}]", sides.join(", "));
        }
        if let Some(hits) = &self.hits {
            let hits: Vec<String> =
                hits.iter().map(|hit| format!("\"{}/{}/{}\"", hit.operation, hit.hop, hit.number)).collect();
            let _ = write!(text, ", hits = [{}]", hits.join(", "));
        }
        if let Some(by) = self.offset {
            let _ = write!(text, ", offset = {}", toml_text(&toml_offset(by as f64)));
        }
        text + " }"
    }
}

/// The same choice with the faults that `[chaos]` draws for its seed as faults of the file, if there are any.
///
/// They are known before the run. They keep their names, which key their draws.
pub(crate) fn without_chaos(source: &Source, choice: &Choice) -> Choice {
    let settled = || {
        let scenario = load(source, choice).ok()?;
        let model = &scenario.model;
        let seed = kernel::Seed(model.run.seed);
        // With a warm-up that a pilot run tells, the chaos phase is known only then.
        let names = compile(model, seed, &Edits::default()).ok().filter(|_| !model.run.automatic_warmup)?.names;
        let faults = schedule(model, &names, seed);
        let mut sets = choice.sets.clone();
        sets.extend((!faults.is_empty()).then(|| ("chaos.profile".to_owned(), "none".to_owned())));
        sets.extend(faults.iter().flat_map(|(name, fault)| drawn(name, fault)));
        let settled = Choice { sets, ..choice.clone() };
        load(source, &settled).is_ok().then_some(settled)
    };
    settled().unwrap_or_else(|| choice.clone())
}

/// What has to be set so that a fault of chaos stands in the file. Instances over budget never were.
fn drawn(name: &str, fault: &Fault) -> Vec<(String, String)> {
    let Trigger::Listed(all) = &fault.trigger else { return Vec::new() };
    let targets = |targets: &[Target]| targets.iter().map(write_target).collect::<Vec<_>>();
    let toml = |one: &Listed| {
        let (number, at, length) = (one.number, one.at, one.length);
        let split = one.split.iter().map(|side| targets(side)).collect();
        let target = one.targets.as_ref().map(|all| targets(all));
        Struck { number, at, length, target, split, hits: None, offset: None }.toml()
    };
    let instances: Vec<String> = all.iter().filter(|one| one.over.is_none()).map(toml).collect();
    if instances.is_empty() {
        return Vec::new();
    }
    let mut sets = vec![("kind", toml_text(fault.kind.word()))];
    let list = |names: &[String]| names.iter().map(|name| toml_text(name)).collect::<Vec<_>>().join(", ");
    match &fault.kind {
        FaultKind::Loss { links } | FaultKind::Duplicate { links } if !links.is_empty() => {
            let ends = |link: &LinkEnds| format!("{} <-> {}", write_target(&link.from), write_target(&link.to));
            sets.push(("target", format!("[{}]", list(&links.iter().map(ends).collect::<Vec<_>>()))));
        }
        FaultKind::Redeliver => sets.push(("target", format!("[{}]", list(&targets(&fault.targets))))),
        FaultKind::Partition { direction, .. } => sets.push((
            "direction",
            toml_text(match direction {
                Direction::Both => "both",
                Direction::In => "in",
                Direction::Out => "out",
            }),
        )),
        FaultKind::ClockJump { by } => sets.push(("offset", toml_text(&by.text))),
        FaultKind::SlowCpu { factor } => sets.push(("factor", format!("{factor}"))),
        FaultKind::Crash { .. } | FaultKind::Pause | FaultKind::Loss { .. } | FaultKind::Duplicate { .. } => {}
    }
    if fault.chance < 1.0 {
        let hundredths = (fault.chance * 10_000.0).round() as u64;
        sets.push(("chance", toml_text(&format!("{}.{:02}%", hundredths / 100, hundredths % 100))));
    }
    sets.push(("instances", format!("[{}]", instances.join(", "))));
    sets.into_iter().map(|(key, value)| (format!("faults.{name}.{key}"), value)).collect()
}

/// A run as a scenario of its own.
#[derive(Clone, Debug)]
pub struct Repro {
    /// The file: everything written out, faults without chance.
    pub text: String,
    /// The classes of the violations that it shows.
    pub violates: Vec<String>,
    /// Whether it was run, and showed the same.
    pub same: bool,
}

/// A run with more events than this is not done twice more to be written down.
pub const EVENTS_MAX: u64 = 20_000_000;

/// Writes down a run of so many events that broke a promise; `None` if it broke none, is too long, was stopped, or the engine failed: whoever
/// asks has a finished run, which this must not cost them.
pub fn repro(source: &Source, choice: &Choice, events: u64, stop: &AtomicBool) -> Option<Repro> {
    if events > EVENTS_MAX {
        return None;
    }
    catch_unwind(AssertUnwindSafe(|| written_down(source, choice, stop))).ok()?
}

fn written_down(source: &Source, choice: &Choice, stop: &AtomicBool) -> Option<Repro> {
    let mut go = |_: Progress| if stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On };
    let choice = &without_chaos(source, choice);
    let scenario = load(source, choice).ok()?;
    let (seed, variant) = (scenario.model.run.seed, choice.variant.as_deref());
    let run = record(&scenario, seed, variant, &mut go).ok()?;
    let violates = violated(&run.outcome);
    if violates.is_empty() {
        return None;
    }
    let mut sets = choice.sets.clone();
    for written in written(&scenario.model, &run) {
        let mut more = sets.clone();
        more.extend(written.sets());
        // What others refer to stays, though it came to nothing.
        if load(source, &Choice { sets: more.clone(), ..choice.clone() }).is_ok() {
            sets = more;
        }
    }
    // Of which run the file was that this is a run of, it says itself.
    sets.extend(scenario.model.repro.is_some().then(|| ("repro".to_owned(), "none".to_owned())));
    let down = load(source, &Choice { sets, ..choice.clone() }).ok()?;
    let again = record(&down, seed, variant, &mut go).ok()?.outcome;
    if stop.load(Ordering::Relaxed) {
        return None;
    }
    let classes: Vec<String> = violates.iter().map(|class| toml_text(class)).collect();
    let text = format!(
        "# What seed {seed} of {} came to, with its faults as they were: nothing about them is left to chance. What else was drawn (work, latency, `network.loss`) is drawn again, by the same keys.\n\
         {}\n[repro]\nepoch = {EPOCH}\nfingerprint = \"{:016x}\"\nviolates = [{}]\n",
        scenario.model.name,
        down.resolved.trim_end(),
        again.fingerprint,
        classes.join(", ")
    );
    let same = violated(&again) == violates;
    Some(Repro { text, violates, same })
}

/// The classes of the violations of a run, in the order of its promises; a threshold that was crossed is its own class.
pub fn violated(outcome: &Outcome) -> Vec<String> {
    let invariants = outcome.invariants.iter().filter(|i| i.status == Status::Violated).map(|i| i.class.clone());
    let crossed =
        outcome.thresholds.iter().filter(|t| t.status == Status::Violated).map(|t| format!("{}/crossed", t.name));
    invariants.chain(crossed).collect()
}

/// How a run compares with the one that its file is made from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Replayed {
    /// Event for event the same.
    Same,
    /// It breaks the same promises in the same way, by other events.
    SameViolations,
    /// It does not.
    Diverged {
        /// What it was to violate.
        expected: Vec<String>,
        /// What it violates.
        found: Vec<String>,
    },
}

/// Compares a run with the one that its file is made from, if it is; with the epoch of that one if it is another.
pub fn replayed(scenario: &Scenario, outcome: &Outcome) -> Option<(Replayed, Option<u32>)> {
    let repro = scenario.model.repro.as_ref()?;
    let found = violated(outcome);
    let replayed = if format!("{:016x}", outcome.fingerprint) == repro.fingerprint {
        Replayed::Same
    } else if repro.violates.iter().all(|class| found.contains(class)) {
        Replayed::SameViolations
    } else {
        Replayed::Diverged { expected: repro.violates.clone(), found }
    };
    Some((replayed, (repro.epoch != EPOCH).then_some(repro.epoch)))
}
