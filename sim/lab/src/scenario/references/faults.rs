//! What faults and links name: targets, points, other faults; and whether they can strike at all.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Time;

use super::super::diagnostic::Diagnostic;
use super::super::resolve::PHASES;
use super::super::targets::write_target;
use super::super::values::{clip, duration, write_duration};
use super::{Checker, find};
use crate::model::{At, Fault, FaultKind, LinkEnds, Listed, Pick, Place, Target, TargetKind, Trigger};

impl<'a> Checker<'a> {
    pub(super) fn links(&mut self) {
        let mut seen: Vec<(String, String, Place)> = Vec::new();
        for (ends, _) in &self.model.links {
            self.link(ends);
            let (from, to) = (write_target(&ends.from), write_target(&ends.to));
            let mut ways = vec![(from.clone(), to.clone())];
            if ends.both {
                ways.push((to, from));
            }
            for (from, to) in ways {
                if let Some((_, _, first)) = seen.iter().find(|(a, b, _)| *a == from && *b == to) {
                    let message = format!("the link from `{from}` to `{to}` is said twice");
                    let error = Diagnostic::error(ends.place, message, "again").also(*first, "first");
                    self.errors.push(error);
                }
                seen.push((from, to, ends.place));
            }
        }
    }

    fn link(&mut self, ends: &'a LinkEnds) {
        for end in [&ends.from, &ends.to] {
            let fits = match &end.kind {
                TargetKind::Everything
                | TargetKind::Workload(_)
                | TargetKind::Zone(_)
                | TargetKind::Nodes { pick: Pick::All | Pick::Numbers(_), .. } => true,
                TargetKind::Nodes { .. }
                | TargetKind::HitBy(_)
                | TargetKind::Others
                | TargetKind::Queue(_)
                | TargetKind::Topic(_) => false,
            };
            if fits {
                self.target(end, None);
            } else {
                let label = format!("`{}` depends on the seed or on a fault", write_target(end));
                self.errors.push(Diagnostic::error(end.place, "a link of the network is between fixed ends", label));
            }
        }
    }

    /// Whom `[chaos]` may hit, and which stores it leaves a quorum.
    pub(super) fn chaos(&mut self) {
        let model = self.model;
        let services = model.services.iter().map(|(name, one)| (name, one.external));
        let stores = model.stores.iter().map(|(name, one)| (name, one.external));
        let brokers = model.brokers.iter().map(|(name, one)| (name, one.external));
        let parts: Vec<(&At<String>, bool)> = services.chain(stores).chain(brokers).collect();
        for target in &model.chaos.targets {
            match parts.iter().find(|(name, _)| name.value == target.value) {
                None => {
                    let known = parts.iter().map(|(name, _)| (name.value.as_str(), Some(name.place)));
                    self.unknown(target.place, &target.value, "service, store or broker", &known);
                }
                Some((name, true)) => {
                    let message = format!("`{}` is external: chaos leaves it alone", target.value);
                    let error = Diagnostic::error(target.place, message, "not ours");
                    self.errors.push(error.also(name.place, "here").help("a fault of its own may hit it"));
                }
                Some((_, false)) => {}
            }
        }
        for store in model.chaos.keep_quorum.iter().flatten() {
            if find(&model.stores, &store.value).is_none() {
                self.unknown_in(store, "store", &model.stores);
            }
        }
    }

    /// `fault`: which fault's target this is.
    fn target(&mut self, target: &'a Target, fault: Option<(&'a At<String>, &'a Fault)>) {
        match &target.kind {
            TargetKind::Everything | TargetKind::Others => {}
            TargetKind::Queue(name) => {
                if find(&self.model.queues, name).is_none() {
                    let at = At { value: name.clone(), place: target.place };
                    self.unknown_in(&at, "queue", &self.model.queues);
                }
            }
            TargetKind::Topic(name) => {
                if find(&self.model.topics, name).is_none() {
                    let at = At { value: name.clone(), place: target.place };
                    self.unknown_in(&at, "topic", &self.model.topics);
                }
            }
            TargetKind::Workload(name) => {
                if find(&self.model.workloads, name).is_none() {
                    let at = At { value: name.clone(), place: target.place };
                    self.unknown_in(&at, "workload", &self.model.workloads);
                }
            }
            TargetKind::HitBy(name) => {
                if find(&self.model.faults, name).is_none() {
                    let at = At { value: name.clone(), place: target.place };
                    self.unknown_in(&at, "fault", &self.model.faults);
                } else if fault.is_some_and(|(own, _)| own.value == *name) {
                    let label = "this is the fault itself";
                    self.errors.push(Diagnostic::error(target.place, "a fault cannot hit what it hit", label));
                }
            }
            TargetKind::Zone(name) => self.zone_target(target.place, name),
            TargetKind::Nodes { name, pick } => self.nodes(target.place, name, pick, fault),
        }
    }

    fn nodes(&mut self, place: Place, name: &str, pick: &Pick, fault: Option<(&'a At<String>, &'a Fault)>) {
        let Some((at, count)) = self.with_nodes(name) else {
            let message_place = [
                ("queues", find(&self.model.queues, name).map(|(at, _)| at.place)),
                ("topics", find(&self.model.topics, name).map(|(at, _)| at.place)),
            ];
            if let Some((section, Some(at))) = message_place.into_iter().find(|(_, at)| at.is_some()) {
                let message = format!("no thing with nodes is called `{name}`");
                let error = Diagnostic::error(place, message, format!("what is in `[{section}]` goes by its path"));
                self.errors.push(error.also(at, "this one").help(format!("\"{section}.{name}\"")));
            } else if find(&self.model.workloads, name).is_some() {
                let error =
                    Diagnostic::error(place, format!("there is no service `{name}`"), "a workload goes by its path");
                self.errors.push(error.help(format!("\"workloads.{name}\"")));
            } else {
                let known = self.names_with_nodes();
                let what = if self.model.brokers.is_empty() { "service" } else { "service or broker" };
                self.unknown(place, name, what, &known.iter().copied());
            }
            return;
        };
        let wanted = match pick {
            Pick::Numbers(numbers) => numbers.iter().max().map_or(0, |n| n + 1),
            Pick::Any(count) => *count,
            Pick::All | Pick::Minority | Pick::Majority | Pick::Fraction(_) => 0,
            Pick::Leader | Pick::Followers => {
                self.has_leader(name, place);
                0
            }
            Pick::Same => {
                if fault.is_some_and(|(_, f)| !matches!(f.trigger, Trigger::Point { .. })) {
                    let label = "`[same]` is the node at which this fault's `point` was reached";
                    self.errors.push(Diagnostic::error(place, "this fault has no `point`", label));
                }
                0
            }
        };
        let sections = ["services", "brokers", "stores"].map(|section| format!("{section}.{name}.nodes"));
        if wanted > count && !self.broken(&sections.each_ref().map(String::as_str)) {
            let numbered = if matches!(pick, Pick::Numbers(_)) { ", numbered from 0" } else { "" };
            let label = format!("`{name}` has {}{numbered}", nodes(count));
            let error = Diagnostic::error(place, "there is no such node", label);
            self.errors.push(error.also(at.place, "this service"));
        }
    }

    pub(super) fn fault(&mut self, name: &'a At<String>, fault: &'a Fault) {
        let path = format!("faults.{}", name.value);
        let kind_is_known = !self.broken(&[&path, &format!("{path}.kind")]);
        let told = |checker: &Self, key: &str| checker.broken(&[&format!("{path}.{key}")]);
        for target in &fault.targets {
            self.target(target, Some((name, fault)));
        }
        if kind_is_known {
            self.fault_kind(name, fault, told(self, "target") || told(self, "split"));
        }
        if let Some(phase) = find(&self.model.phases, &name.value) {
            let message = format!("`{}` is the name of a phase and of a fault", name.value);
            let error = Diagnostic::error(name.place, message, "a fault is a phase too");
            self.errors.push(error.also(phase.0.place, "the phase"));
        }
        if PHASES.contains(&name.value.as_str()) {
            let message = format!("`{}` is a reserved name", name.value);
            self.errors.push(Diagnostic::error(name.place, message, "this phase is always there"));
        }
        let heal = self.model.run.heal;
        let times_are_known = !self.broken(&["run", "run.heal", "run.duration"]);
        match &fault.trigger {
            Trigger::At(at) => {
                let constant = duration(&at.text).ok();
                if constant.is_some_and(|ns| ns >= heal.0) && times_are_known {
                    let label = format!("every fault is revoked at {} (`run.heal`)", write_duration(heal.0));
                    self.errors.push(Diagnostic::error(at.place, "this fault would strike after it is healed", label));
                }
            }
            Trigger::Point { of: Some(of), point, .. } => {
                if !told(self, "point") {
                    self.point_of(of, &point.value);
                }
            }
            Trigger::After { fault: other, .. } => {
                if find(&self.model.faults, &other.value).is_none() {
                    self.unknown_in(other, "fault", &self.model.faults);
                }
            }
            Trigger::Listed(all) => self.instances(name, fault, all, times_are_known.then_some(heal)),
            Trigger::Point { of: None, .. } | Trigger::Every(_) | Trigger::Rate(_) | Trigger::Always => {}
        }
    }

    fn instances(&mut self, name: &'a At<String>, fault: &'a Fault, all: &'a [Listed], heal: Option<Time>) {
        let mut numbers: BTreeMap<u32, Place> = BTreeMap::new();
        for one in all {
            for target in one.targets.iter().flatten().chain(one.split.iter().flatten()) {
                self.target(target, Some((name, fault)));
            }
            self.sides(&one.split);
            if let Some(first) = numbers.insert(one.number, one.place) {
                let message = format!("two instances have the number {}", one.number);
                let error = Diagnostic::error(one.place, message, "numbers name what an instance draws");
                self.errors.push(error.also(first, "also here"));
            }
            if let Some(heal) = heal.filter(|heal| one.at >= *heal) {
                let label = format!("every fault is revoked at {} (`run.heal`)", write_duration(heal.0));
                self.errors.push(Diagnostic::error(one.place, "this fault would strike after it is healed", label));
            }
        }
    }

    pub(super) fn transaction_at(&mut self, of: &'a At<String>, why: &str, label: &str) {
        match of.value.split_once('.') {
            Some(("transactions", name)) if find(&self.model.transactions, name).is_some() => {}
            Some(("transactions", name)) => {
                let at =
                    At { value: name.to_owned(), place: self.inside(of, &("transactions.".len()..of.value.len())) };
                self.unknown_in(&at, "transaction", &self.model.transactions);
            }
            Some(_) | None if of.value.is_empty() => {}
            Some(_) | None => {
                let message = format!("`{}` {why}", clip(&of.value));
                self.errors.push(Diagnostic::error(of.place, message, label));
            }
        }
    }

    fn fault_kind(&mut self, name: &'a At<String>, fault: &'a Fault, target_is_wrong: bool) {
        let told = |one: &Listed| one.targets.is_some() || !one.split.is_empty();
        let each_told = matches!(&fault.trigger, Trigger::Listed(all) if all.iter().all(told));
        let each_hit = matches!(&fault.trigger, Trigger::Listed(all) if all.iter().all(|one| one.hits.is_some()));
        let mut needs = |missing: bool, what: &str, example: &str| {
            if missing && !target_is_wrong && !each_told {
                let error = Diagnostic::error(name.place, format!("`faults.{}` hits nothing", name.value), what);
                self.errors.push(error.help(example));
            }
        };
        match &fault.kind {
            FaultKind::Crash { .. } | FaultKind::Pause | FaultKind::SlowCpu { .. } | FaultKind::ClockJump { .. } => {
                needs(
                    fault.targets.is_empty(),
                    "`target` is missing: which nodes?",
                    "for example `target = \"payment[any]\"`",
                );
                self.only_services(fault);
                if let FaultKind::Crash { memory: false, .. } = fault.kind
                    && !self.broken(&[&format!("faults.{}.loses", name.value)])
                {
                    let message = format!("`faults.{}` is a crash that keeps the memory", name.value);
                    let error = Diagnostic::error(name.place, message, "`loses` must name `memory`");
                    self.errors.push(error.help("what keeps its memory is `kind = \"pause\"`"));
                }
            }
            FaultKind::Partition { split, .. } => {
                let help = "for example `split = [[\"kv[minority]\"]]`";
                needs(
                    split.is_empty() && fault.targets.is_empty(),
                    "`split` is missing: who is cut off from whom?",
                    help,
                );
                for target in split.iter().flatten() {
                    self.target(target, Some((name, fault)));
                }
                self.sides(split);
            }
            FaultKind::Redeliver => {
                let help = "for example `target = \"queues.order_events\"`";
                needs(fault.targets.is_empty(), "`target` is missing: which queues or topics?", help);
                for target in &fault.targets {
                    let unknown =
                        matches!(&target.kind, TargetKind::Nodes { name, .. } if self.with_nodes(name).is_none());
                    if !unknown && !matches!(target.kind, TargetKind::Queue(_) | TargetKind::Topic(_)) {
                        let label = "messages are delivered again from `queues.q` and `topics.t`";
                        self.errors.push(Diagnostic::error(target.place, "this is no queue and no topic", label));
                    }
                }
                if !each_hit {
                    self.share_is_written(name, "`chance` is missing: which share of the messages?");
                }
            }
            FaultKind::Duplicate { links } => {
                for end in links.iter().flat_map(|l| [&l.from, &l.to]) {
                    self.target(end, Some((name, fault)));
                }
                if each_hit {
                    return;
                }
                self.share_is_written(name, "`chance` is missing: which share of the messages?");
            }
            FaultKind::Loss { links } => {
                for end in links.iter().flat_map(|l| [&l.from, &l.to]) {
                    self.target(end, Some((name, fault)));
                }
                let path = format!("faults.{}.chance", name.value);
                if self.part_place("faults", name, "chance") == name.place && !self.broken(&[&path]) && !each_hit {
                    let label = "`chance` is missing: which share of the messages?";
                    let error =
                        Diagnostic::error(name.place, format!("`faults.{}` loses everything", name.value), label);
                    self.errors.push(error.help("`chance = \"5%\"`; to cut links write `kind = \"partition\"`"));
                }
            }
        }
    }

    /// No node is on two sides of a partition, as far as that is known before a seed picks.
    fn sides(&mut self, split: &'a [Vec<Target>]) {
        for (number, side) in split.iter().enumerate() {
            for target in side {
                let first = split[..number].iter().flatten().find(|first| self.overlap(first, target));
                if let Some(first) = first {
                    let error = Diagnostic::error(target.place, "a node is on two sides", "also on this side");
                    self.errors.push(error.also(first.place, "on this side"));
                }
            }
        }
    }

    /// Both are certain to mean one node.
    fn overlap(&self, a: &Target, b: &Target) -> bool {
        let (TargetKind::Nodes { name, pick: one }, TargetKind::Nodes { name: same, pick: other }) = (&a.kind, &b.kind)
        else {
            return a.kind == b.kind;
        };
        let numbers = |pick: &Pick| match pick {
            Pick::Numbers(numbers) => numbers.clone(),
            Pick::All
            | Pick::Any(_)
            | Pick::Minority
            | Pick::Majority
            | Pick::Fraction(_)
            | Pick::Same
            | Pick::Leader
            | Pick::Followers => Vec::new(),
        };
        let shared = || numbers(one).iter().any(|n| numbers(other).contains(n));
        let known = find(&self.model.services, name).is_some();
        known && name == same && (*one == Pick::All || *other == Pick::All || shared())
    }

    /// The share of messages that a fault hits is never left to a default.
    fn share_is_written(&mut self, name: &At<String>, label: &str) {
        let path = format!("faults.{}", name.value);
        let place = self.written(&path, "chance").map(|node| node.place);
        if place.is_none_or(|place| place == name.place) && !self.broken(&[&path, &format!("{path}.chance")]) {
            let error = Diagnostic::error(name.place, format!("`{path}` hits every message"), label);
            self.errors.push(error.help("`chance = \"1%\"`"));
        }
    }

    /// Clients have no machine that could die.
    fn only_services(&mut self, fault: &'a Fault) {
        for target in fault.every_target() {
            if let TargetKind::Queue(_) | TargetKind::Topic(_) = target.kind {
                let label = "its broker has machines; name that";
                self.errors.push(Diagnostic::error(target.place, "this fault hits machines", label));
            }
            let no_machine = matches!(target.kind, TargetKind::Workload(_) | TargetKind::Everything);
            if no_machine {
                let label = "clients do not crash; name services";
                self.errors.push(Diagnostic::error(target.place, "this fault hits machines", label));
            }
        }
        if let FaultKind::Crash { .. } | FaultKind::Pause | FaultKind::SlowCpu { .. } = fault.kind {
            for at in fault.every_target().filter(|t| matches!(t.kind, TargetKind::Others)) {
                let label = "`others` are those on no side of a partition";
                self.errors.push(Diagnostic::error(at.place, "there are no others here", label));
            }
        }
    }

    pub(super) fn after_cycles(&mut self) {
        let next: BTreeMap<&str, (&str, Place)> = self
            .model
            .faults
            .iter()
            .filter_map(|(name, fault)| match &fault.trigger {
                Trigger::After { fault, .. } => Some((name.value.as_str(), (fault.value.as_str(), fault.place))),
                Trigger::At(_)
                | Trigger::Every(_)
                | Trigger::Rate(_)
                | Trigger::Point { .. }
                | Trigger::Always
                | Trigger::Listed(_) => None,
            })
            .collect();
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for start in next.keys() {
            let mut path = vec![*start];
            while let Some((following, place)) = next.get(path[path.len() - 1]) {
                if told.contains(following) {
                    break;
                }
                if following == start {
                    told.extend(path.iter());
                    path.push(start);
                    let label = format!("{} waits for itself", path.join(" → "));
                    self.errors.push(Diagnostic::error(*place, "these faults wait for each other", label));
                    break;
                }
                if path.contains(following) {
                    break;
                }
                path.push(following);
            }
        }
    }
}

fn nodes(count: u32) -> String {
    if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") }
}
