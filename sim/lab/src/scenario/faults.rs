//! Faults, from their complete table to the model.

use kernel::{Span, Time};

use super::build::{Reader, one_target, split_targets, window_text};
use super::diagnostic::Diagnostic;
use super::distributions::Sort;
use super::nearest::{listed, nearest};
use super::tree::Node;
use super::values;
use crate::model::{
    At, Chaos, ChaosProfile, Direction, Family, Fault, FaultKind, Listed, Model, Target, Trigger, Window,
};

/// The phases a fault's window may name.
pub(super) struct Windows<'a> {
    pub(super) chaos: Window,
    pub(super) duration: Time,
    /// `run.quiesce`.
    pub(super) limit: Span,
    pub(super) named: &'a [(At<String>, Window)],
}

impl Windows<'_> {
    /// What a word or a window means; `references` has said so if it means nothing.
    fn find(&self, text: &str) -> Window {
        match text {
            "chaos" => self.chaos,
            "warmup" => Window { from: Time::ZERO, to: self.chaos.from },
            "recovery" => Window { from: self.chaos.to, to: self.duration },
            "quiesce" => Window { from: self.duration, to: self.duration + self.limit },
            _ if text.contains("..") => window_text(text),
            _ => self.named.iter().find(|(name, _)| name.value == text).map_or(self.chaos, |(_, window)| *window),
        }
    }
}

/// Phases a window may name without being declared.
const FIXED: [&str; 4] = ["warmup", "chaos", "recovery", "quiesce"];

/// The phases that faults name as their window.
pub(super) fn phases(complete: &Node) -> Vec<At<String>> {
    let faults = complete.table().and_then(|t| t.get("faults")).and_then(Node::table);
    let windows = faults.into_iter().flat_map(|t| t.entries.values()).filter_map(|e| e.node.table()?.get("window"));
    let words = windows.filter(|n| n.as_text().is_some_and(|text| !text.contains("..")));
    words.map(|n| At { value: n.as_text().unwrap_or("").to_owned(), place: n.place }).collect()
}

/// Those of them that are no phase whose window is known before the run.
pub(super) fn unknown_phases(phases: &[At<String>], model: &Model) -> Vec<Diagnostic> {
    let known = || FIXED.into_iter().chain(model.phases.iter().map(|(name, _)| name.value.as_str()));
    let unknown = phases.iter().filter(|phase| known().all(|k| k != phase.value));
    let error = |phase: &At<String>| {
        let (message, label) = if phase.value == "steady" || model.faults.iter().any(|(n, _)| n.value == phase.value) {
            let message = format!("the window of `{}` is known only after the run", phase.value);
            (message, "a fault strikes in a window that is known before".to_owned())
        } else {
            (format!("there is no phase `{}`", phase.value), format!("phases here: {}", listed(known(), 12)))
        };
        let near = nearest(&phase.value, known()).map(|near| format!("did you mean `{near}`?"));
        Diagnostic::error(phase.place, message, label).maybe_help(near)
    };
    unknown.map(error).collect()
}

/// `[faults.*]`.
pub(super) fn fault(r: &Reader<'_>, windows: &Windows<'_>) -> Fault {
    let (targets, links) = split_targets(r, "target");
    let kind = match r.text("kind") {
        "pause" => FaultKind::Pause,
        "partition" => partition(r),
        "loss" => FaultKind::Loss { links },
        "duplicate" => FaultKind::Duplicate { links },
        "slow_cpu" => FaultKind::SlowCpu { factor: r.number("factor") },
        "redeliver" => FaultKind::Redeliver,
        "clock_jump" => FaultKind::ClockJump { by: r.maybe_dist("offset", Sort::Offsets).expect("an offset is there") },
        _ => {
            let loses = r.texts("loses");
            let loses = |what: &str| loses.iter().any(|l| l.value == what);
            FaultKind::Crash { memory: loses("memory"), unsynced: loses("unsynced"), disk: loses("disk") }
        }
    };
    Fault {
        kind,
        targets,
        trigger: trigger(r),
        window: windows.find(r.text("window")),
        length: r.maybe_dist("for", Sort::Durations),
        chance: r.share("chance"),
        require_effect: r.truth("require_effect"),
        place: r.key,
    }
}

/// An instance whose number is its place.
const UNNUMBERED: u32 = u32::MAX;

fn instance(r: &Reader<'_>) -> Listed {
    let hits = r.node("hits").map(|_| r.texts("hits").iter().filter_map(|hit| values::hit(&hit.value)).collect());
    Listed {
        number: if r.node("n").is_some() { r.integer("n") as u32 } else { UNNUMBERED },
        at: Time(r.span("at").0),
        length: r.maybe_span("for"),
        targets: r.node("target").map(|_| split_targets(r, "target").0),
        split: sides(r),
        hits,
        over: None,
        offset: r.maybe_dist("offset", Sort::Offsets),
        place: r.key,
    }
}

fn sides(r: &Reader<'_>) -> Vec<Vec<Target>> {
    let side = |side: &Node| -> Vec<Target> {
        let items = side.array().unwrap_or(&[]);
        let text = |n: &Node| At { value: n.as_text().unwrap_or("").to_owned(), place: n.place };
        items.iter().map(|n| one_target(&text(n))).collect()
    };
    r.node("split").and_then(Node::array).unwrap_or(&[]).iter().map(side).collect()
}

fn partition(r: &Reader<'_>) -> FaultKind {
    FaultKind::Partition {
        split: sides(r),
        direction: match r.text("direction") {
            "in" => Direction::In,
            "out" => Direction::Out,
            _ => Direction::Both,
        },
        hold: r.text("wire") == "hold",
    }
}

fn trigger(r: &Reader<'_>) -> Trigger {
    if let Some(at) = r.maybe_dist("at", Sort::Durations) {
        return Trigger::At(at);
    }
    if let Some(every) = r.maybe_span("every") {
        return Trigger::Every(every);
    }
    if let Some(rate) = r.rate("rate") {
        return Trigger::Rate(rate);
    }
    if let Some(point) = r.maybe_at("point") {
        return Trigger::Point { point, of: r.maybe_at("of"), nth: r.maybe_dist("nth", Sort::Counts) };
    }
    if r.node("instances").is_some() {
        let mut all = r.list("instances", instance);
        // What has no number has that of its place.
        (0..).zip(&mut all).filter(|(_, listed)| listed.number == UNNUMBERED).for_each(|(n, listed)| listed.number = n);
        return Trigger::Listed(all);
    }
    if r.node("after").is_some() {
        let after = r.below("after");
        return Trigger::After { fault: after.at("fault"), delay: after.dist("delay") };
    }
    Trigger::Always
}

/// `[chaos]`.
pub(super) fn chaos(r: &Reader<'_>) -> Chaos {
    Chaos {
        profile: match r.text("profile") {
            "exhaustive" => ChaosProfile::Exhaustive,
            "gentle" => ChaosProfile::Gentle,
            "realistic" => ChaosProfile::Realistic,
            "harsh" => ChaosProfile::Harsh,
            "swarm" => ChaosProfile::Swarm,
            _ => ChaosProfile::None,
        },
        families: Family::ALL
            .into_iter()
            .filter(|one| r.texts("families").iter().any(|f| f.value == one.word()))
            .collect(),
        targets: r.texts("targets"),
        max_concurrent: r.integer("max_concurrent") as u32,
        keep_quorum: r.node("keep_quorum").map(|_| r.texts("keep_quorum")),
        points: r.texts("points"),
        nth: r.maybe_dist("nth", Sort::Counts),
        length: r.maybe_dist("for", Sort::Durations),
        place: r.key,
    }
}
