//! Faults: targets become node sets, points numbers.

use cluster::{
    Direction, Fault, FaultKind, FaultPlan, LinkTarget, Listed, Loses, Target as Nodes, Trigger, Window, Wire,
};
use kernel::{Distribution, NodeId, PointId};
use systems::app::plan::Part;
use systems::messaging::Trouble;

use super::Compiler;
use crate::model::{self, LinkEnds, Pick, Target, TargetKind};
use crate::scenario::Diagnostic;

/// Whose a point can be, as files say it, with the number by which it knows.
pub(crate) fn whose(model: &model::Model, point: &str) -> Vec<(String, u32)> {
    let (compiler, _) = super::software(model, kernel::Seed(0), &super::Edits::default());
    let number = |n: usize| n as u32;
    if point.starts_with("broker.") {
        let queues = model.queues.iter().zip(0..).map(|((name, _), n)| (format!("queues.{}", name.value), n));
        let topics = model.topics.iter().enumerate();
        let topics = topics.map(|(n, (name, _))| (format!("topics.{}", name.value), compiler.topic_number(n)));
        return queues.chain(topics).collect();
    }
    if point.starts_with("saga.") {
        let steps = model.sagas.iter().enumerate().flat_map(|(saga, (name, declared))| {
            let first = compiler.saga_steps(saga as u16);
            let steps = declared.steps.iter().zip(first..);
            steps.map(|(step, n)| (format!("sagas.{}.{}", name.value, step.name.value), n)).collect::<Vec<_>>()
        });
        return steps.collect();
    }
    if point.starts_with("service.") || point.starts_with("consumer.") {
        return compiler.ops.iter().map(|(path, n)| (path.clone(), *n)).collect();
    }
    if point.starts_with("2pc.") {
        let protocols = compiler.names.protocols.iter().enumerate();
        return protocols.map(|(n, path)| (path.clone(), number(n))).collect();
    }
    Vec::new()
}

/// What the crash of an exhaustive search is called in the ledger.
pub(crate) const CHAOS: &str = "chaos";

impl Compiler<'_> {
    /// The fault plan.
    pub(super) fn faults(&mut self) -> FaultPlan {
        let model = self.model;
        let mut faults: Vec<Fault> = model.faults.iter().map(|(name, fault)| self.fault(&name.value, fault)).collect();
        faults.extend(self.chaos());
        self.names.chaos =
            faults[model.faults.len()..].iter().map(|_| (CHAOS.to_owned(), "crash".to_owned())).collect();
        for (name, fault) in super::chaos::schedule(model, &self.names, self.seed) {
            faults.push(self.fault(&name, &fault));
            self.names.chaos.push((name, fault.kind.word().to_owned()));
        }
        FaultPlan { faults, heal: model.run.heal, named_hits: false }
    }

    /// `profile = "exhaustive"`: one crash per run, at one of the points in turn, so that seeds enumerate them; the machine
    /// is the one that gets there.
    fn chaos(&mut self) -> Option<Fault> {
        let model = self.model;
        let chaos = &model.chaos;
        if chaos.profile != model::ChaosProfile::Exhaustive {
            return None;
        }
        let points: Vec<PointId> = if chaos.points.is_empty() {
            (0..self.names.points.len()).map(|n| PointId(n as u32)).collect()
        } else {
            let mut points: Vec<PointId> = chaos.points.iter().flat_map(|pattern| self.points(pattern)).collect();
            points.sort_unstable();
            points.dedup();
            points
        };
        let point = *points.get((self.seed.0 % points.len().max(1) as u64) as usize)?;
        let ours = |node: &NodeId| match self.plan.nodes[node.0 as usize].part {
            Part::Service(n) | Part::Database(n) => !model.services[n as usize].1.external,
            Part::Replica(n) => !model.stores[n as usize].1.external,
            Part::Broker(n) | Part::Topics(n) => !model.brokers[n as usize].1.external,
            Part::Workload(_) => false,
        };
        let one = || Distribution::constant(1.0).expect("one is a number");
        Some(Fault {
            name: CHAOS.to_owned(),
            kind: FaultKind::Crash(Loses::USUAL),
            targets: vec![Nodes::Same(self.all_nodes().into_iter().filter(ours).collect())],
            trigger: Trigger::Point {
                points: vec![point],
                of: None,
                nth: chaos.nth.as_ref().map_or_else(one, |dist| dist.law.clone()),
            },
            window: Window { from: model.run.warmup, to: model.run.heal },
            length: chaos.length.as_ref().map(|dist| dist.law.clone()),
            chance: 1.0,
            require_effect: false,
        })
    }

    fn fault(&mut self, name: &str, fault: &model::Fault) -> Fault {
        // One side alone is what the fault acts on: everybody else is the other side.
        let one_side = match &fault.kind {
            model::FaultKind::Partition { split, .. } if split.len() == 1 => Some(&split[0]),
            model::FaultKind::Partition { .. }
            | model::FaultKind::Crash { .. }
            | model::FaultKind::Pause
            | model::FaultKind::Loss { .. }
            | model::FaultKind::Duplicate { .. }
            | model::FaultKind::SlowCpu { .. }
            | model::FaultKind::ClockJump { .. }
            | model::FaultKind::Redeliver => None,
        };
        let kind = match &fault.kind {
            model::FaultKind::Crash { memory, unsynced, disk } => {
                FaultKind::Crash(Loses { memory: *memory, unsynced: *unsynced, disk: *disk })
            }
            model::FaultKind::Pause => FaultKind::Pause,
            model::FaultKind::ClockJump { by } => FaultKind::ClockJump { by: by.law.clone() },
            model::FaultKind::SlowCpu { factor } => FaultKind::SlowCpu { factor: *factor },
            model::FaultKind::Duplicate { links } => FaultKind::Duplicate {
                chance: fault.chance,
                links: links.iter().flat_map(|ends| self.link_targets(ends)).collect(),
            },
            model::FaultKind::Redeliver => FaultKind::Disturb { what: self.redelivered(fault), chance: fault.chance },
            model::FaultKind::Partition { split, direction, hold } => FaultKind::Partition {
                sides: if one_side.is_some() {
                    Vec::new()
                } else {
                    split.iter().map(|side| self.targets(side)).collect()
                },
                direction: match direction {
                    model::Direction::Both => Direction::Both,
                    model::Direction::In => Direction::In,
                    model::Direction::Out => Direction::Out,
                },
                wire: if *hold { Wire::Hold } else { Wire::Drop },
            },
            model::FaultKind::Loss { links } => FaultKind::Loss {
                chance: fault.chance,
                links: links.iter().flat_map(|ends| self.link_targets(ends)).collect(),
            },
        };
        // These chances are per message, not per instance.
        let per_message =
            matches!(kind, FaultKind::Loss { .. } | FaultKind::Duplicate { .. } | FaultKind::Disturb { .. });
        let chance = if per_message { 1.0 } else { fault.chance };
        let mut targets = self.targets(one_side.unwrap_or(&fault.targets));
        if matches!(kind, FaultKind::Crash(_) | FaultKind::Pause | FaultKind::ClockJump { .. }) {
            for target in &mut targets {
                self.only_machines(target);
            }
        }
        Fault {
            name: name.to_owned(),
            kind,
            targets,
            trigger: self.trigger(fault),
            window: Window { from: fault.window.from, to: fault.window.to },
            length: fault.length.as_ref().map(|dist| dist.law.clone()),
            chance,
            require_effect: fault.require_effect,
        }
    }

    /// Clients do not crash: of a zone, the machines do.
    fn only_machines(&self, target: &mut Nodes) {
        if let Nodes::All(nodes) = target {
            nodes.retain(|node| self.is_machine(*node));
        }
    }

    fn trigger(&mut self, fault: &model::Fault) -> Trigger {
        match &fault.trigger {
            model::Trigger::At(dist) => Trigger::At(dist.law.clone()),
            model::Trigger::Every(span) => Trigger::Every(*span),
            model::Trigger::Rate(per_second) => Trigger::Rate(*per_second),
            model::Trigger::Point { point, of, nth } => Trigger::Point {
                points: self.points(point),
                of: of.as_ref().and_then(|of| self.whose(point, of)),
                nth: nth
                    .as_ref()
                    .map_or_else(|| Distribution::constant(1.0).expect("one is a number"), |dist| dist.law.clone()),
            },
            model::Trigger::After { fault: other, delay } => {
                let found = self.model.faults.iter().position(|(name, _)| name.value == other.value);
                if found.is_none() {
                    let message = format!("no fault is called `{}`", other.value);
                    self.errors.push(Diagnostic::error(other.place, message, "named here"));
                }
                Trigger::After { fault: found.unwrap_or(0), delay: delay.law.clone() }
            }
            model::Trigger::Always => Trigger::Always,
            model::Trigger::Listed(all) => {
                let mut all: Vec<Listed> = all.iter().map(|one| self.instance(fault, one)).collect();
                all.sort_by_key(|one| one.number);
                Trigger::Listed(all)
            }
        }
    }

    fn instance(&mut self, fault: &model::Fault, one: &model::Listed) -> Listed {
        let machines = matches!(
            fault.kind,
            model::FaultKind::Crash { .. } | model::FaultKind::Pause | model::FaultKind::ClockJump { .. }
        );
        let mut targets = one.targets.as_ref().map(|targets| self.targets(targets));
        if machines {
            targets.iter_mut().flatten().for_each(|target| self.only_machines(target));
        }
        let mut sides: Vec<Vec<Nodes>> = one.split.iter().map(|side| self.targets(side)).collect();
        // One side alone is what the fault acts on: everybody else is the other side.
        if sides.len() == 1 {
            targets = sides.pop();
        }
        let mut hits = one.hits.clone();
        if let Some(hits) = &mut hits {
            hits.sort_unstable();
        }
        let offset = one.offset.as_ref().map(|offset| offset.law.clone());
        Listed { number: one.number, at: one.at, targets, sides, length: one.length, hits, over: one.over, offset }
    }

    /// The number of the queue or topic that a fault has messages redelivered from, as brokers understand it.
    fn redelivered(&mut self, fault: &model::Fault) -> u32 {
        let mut queues = Vec::new();
        for target in &fault.targets {
            if let TargetKind::Queue(name) = &target.kind {
                queues.extend(self.model.queues.iter().position(|(queue, _)| queue.value == *name));
            }
            if let TargetKind::Topic(name) = &target.kind {
                let topic = self.model.topics.iter().position(|(topic, _)| topic.value == *name);
                queues.extend(topic.map(|topic| self.topic_number(topic) as usize));
            }
        }
        if queues.len() > 1 {
            self.not_yet(fault.targets[1].place, "several queues or topics in one `redeliver`");
        }
        Trouble::Redeliver.number(queues.first().map_or(0, |n| *n as u32))
    }

    /// The number by which a point knows whose it is.
    fn whose(&mut self, point: &model::At<String>, of: &model::At<String>) -> Option<u32> {
        let protocol = self.names.protocols.iter().position(|p| *p == of.value).map(|n| n as u32);
        let queue = of
            .value
            .strip_prefix("queues.")
            .and_then(|queue| self.model.queues.iter().position(|(name, _)| name.value == queue).map(|n| n as u32));
        let topic = of.value.strip_prefix("topics.").and_then(|topic| {
            self.model.topics.iter().position(|(name, _)| name.value == topic).map(|n| self.topic_number(n))
        });
        let queue = queue.or(topic);
        let step = of.value.strip_prefix("sagas.").and_then(|rest| rest.split_once('.')).and_then(|(saga, step)| {
            let at = self.model.sagas.iter().position(|(name, _)| name.value == saga)?;
            let step = self.model.sagas[at].1.steps.iter().position(|s| s.name.value == step)?;
            Some(self.saga_steps(at as u16) + step as u32)
        });
        let op = self.ops.get(&of.value).copied();
        let found = if point.value.starts_with("broker.") { queue } else { step.or(op).or(queue).or(protocol) };
        if found.is_none() {
            let message = format!("no point `{}` is of `{}`", point.value, of.value);
            self.errors.push(Diagnostic::error(of.place, message, "named here"));
        }
        found
    }

    /// The points a pattern means: `commit.` is the configured protocol, `*` is any run of letters.
    fn points(&mut self, pattern: &model::At<String>) -> Vec<PointId> {
        let wanted = match pattern.value.strip_prefix("commit.") {
            Some(rest) => format!("2pc.{rest}"),
            None => pattern.value.clone(),
        };
        let found: Vec<PointId> = (0..self.names.points.len())
            .filter(|&n| matches(&wanted, &self.names.points[n]))
            .map(|n| PointId(n as u32))
            .collect();
        if found.is_empty() {
            let known = self.names.points.iter().map(String::as_str);
            let nearest = crate::nearest::nearest(&wanted, known).map(|n| format!("did you mean `{n}`?"));
            let message = format!("this scenario never reaches a point `{}`", pattern.value);
            let label = if self.names.points.is_empty() {
                "only transactions have points, and there are none".to_owned()
            } else {
                format!("points here: {}", self.names.points.join(", "))
            };
            let error = Diagnostic::error(pattern.place, message, label).maybe_help(nearest);
            self.errors.push(error.about("transactions"));
        }
        found
    }

    fn link_targets(&mut self, ends: &LinkEnds) -> Vec<LinkTarget> {
        let from = self.end_targets(&ends.from);
        let to = self.end_targets(&ends.to);
        let mut links = vec![LinkTarget { from: from.clone(), to: to.clone() }];
        if ends.both {
            links.push(LinkTarget { from: to, to: from });
        }
        links
    }

    fn end_targets(&mut self, target: &Target) -> Vec<Nodes> {
        if target.kind == TargetKind::Everything { Vec::new() } else { self.targets(std::slice::from_ref(target)) }
    }

    fn targets(&mut self, targets: &[Target]) -> Vec<Nodes> {
        targets.iter().filter_map(|target| self.target(target)).collect()
    }

    fn target(&mut self, target: &Target) -> Option<Nodes> {
        match &target.kind {
            TargetKind::Everything => Some(Nodes::All(self.all_nodes())),
            TargetKind::Others => Some(Nodes::Others),
            TargetKind::Queue(name) => {
                let queue = self.model.queues.iter().position(|(queue, _)| queue.value == *name)?;
                Some(Nodes::All(vec![self.plan.mail.queues.get(queue)?.broker]))
            }
            TargetKind::Topic(name) => {
                let topic = self.model.topics.iter().position(|(topic, _)| topic.value == *name)?;
                Some(Nodes::All(vec![self.plan.topics.topics.get(topic)?.broker]))
            }
            TargetKind::Workload(name) => match self.workload_nodes.get(name) {
                Some(&node) => Some(Nodes::All(vec![node])),
                None => self.unknown(target, &format!("no workload is called `{name}`")),
            },
            TargetKind::Zone(name) => {
                let machines = self.all_nodes().into_iter().filter(|node| self.zone(*node) == Some(name));
                Some(Nodes::All(machines.collect()))
            }
            TargetKind::HitBy(name) => match self.model.faults.iter().position(|(f, _)| f.value == *name) {
                Some(n) => Some(Nodes::NodesOf(n)),
                None => self.unknown(target, &format!("no fault is called `{name}`")),
            },
            TargetKind::Nodes { name, pick } => {
                let Some(of) = self.nodes_of(name) else {
                    return self.unknown(target, &format!("no thing with nodes is called `{name}`"));
                };
                Some(match pick {
                    Pick::All => Nodes::All(of),
                    Pick::Numbers(numbers) => {
                        let picked: Option<Vec<_>> = numbers.iter().map(|&n| of.get(n as usize).copied()).collect();
                        let Some(picked) = picked else {
                            return self.unknown(target, &format!("`{name}` has nodes 0 to {} only", of.len() - 1));
                        };
                        Nodes::All(picked)
                    }
                    Pick::Any(count) => Nodes::Any { of, count: *count },
                    Pick::Minority => Nodes::Minority(of),
                    Pick::Majority => Nodes::Majority(of),
                    Pick::Fraction(share) => Nodes::Fraction { of, share: *share },
                    Pick::Same => Nodes::Same(of),
                    Pick::Leader => Nodes::Leader(of),
                    Pick::Followers => Nodes::Followers(of),
                })
            }
        }
    }

    fn unknown(&mut self, target: &Target, message: &str) -> Option<Nodes> {
        let error = Diagnostic::error(target.place, message, "named here");
        let error = match &target.kind {
            TargetKind::Nodes { name, .. } => {
                error.about(format!("services.{name}.nodes")).about(format!("stores.{name}.nodes"))
            }
            TargetKind::Workload(name) => error.about(format!("workloads.{name}")),
            TargetKind::HitBy(name) => error.about(format!("faults.{name}")),
            TargetKind::Everything
            | TargetKind::Others
            | TargetKind::Zone(_)
            | TargetKind::Queue(_)
            | TargetKind::Topic(_) => error,
        };
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
        None
    }
}

/// Whether a pattern with `*` matches all of `text`.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len()).filter(|&n| tail.is_char_boundary(n)).any(|n| matches(rest, &tail[n..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_run_of_letters() {
        assert!(matches("2pc.*.after_vote_logged", "2pc.participant.after_vote_logged"));
        assert!(matches("2pc.*", "2pc.coordinator.after_end"));
        assert!(!matches("2pc.coordinator.*", "2pc.participant.after_vote_sent"));
        assert!(!matches("2pc.coordinator", "2pc.coordinator.after_end"));
    }
}
