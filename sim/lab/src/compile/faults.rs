//! Faults: targets become node sets, points numbers.

use cluster::{Direction, Fault, FaultKind, FaultPlan, LinkTarget, Loses, Target as Nodes, Trigger, Window, Wire};
use kernel::{Distribution, PointId};

use super::Compiler;
use crate::model::{self, LinkEnds, Pick, Target, TargetKind};
use crate::scenario::Diagnostic;

impl Compiler<'_> {
    /// The fault plan.
    pub(super) fn faults(&mut self) -> FaultPlan {
        let model = self.model;
        let faults = model.faults.iter().map(|(name, fault)| self.fault(&name.value, fault)).collect();
        FaultPlan { faults, heal: model.run.heal }
    }

    fn fault(&mut self, name: &str, fault: &model::Fault) -> Fault {
        // One side alone is what the fault acts on: everybody else is the other side.
        let one_side = match &fault.kind {
            model::FaultKind::Partition { split, .. } if split.len() == 1 => Some(&split[0]),
            model::FaultKind::Partition { .. }
            | model::FaultKind::Crash { .. }
            | model::FaultKind::Pause
            | model::FaultKind::Loss { .. } => None,
        };
        let kind = match &fault.kind {
            model::FaultKind::Crash { memory, unsynced, disk } => {
                FaultKind::Crash(Loses { memory: *memory, unsynced: *unsynced, disk: *disk })
            }
            model::FaultKind::Pause => FaultKind::Pause,
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
        // The chance of a loss is per message, not per instance.
        let chance = if matches!(kind, FaultKind::Loss { .. }) { 1.0 } else { fault.chance };
        let mut targets = self.targets(one_side.unwrap_or(&fault.targets));
        if matches!(kind, FaultKind::Crash(_) | FaultKind::Pause) {
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
            nodes.retain(|node| self.is_service(*node));
        }
    }

    fn trigger(&mut self, fault: &model::Fault) -> Trigger {
        match &fault.trigger {
            model::Trigger::At(dist) => Trigger::At(dist.law.clone()),
            model::Trigger::Every(span) => Trigger::Every(*span),
            model::Trigger::Rate(per_second) => Trigger::Rate(*per_second),
            model::Trigger::Point { point, of, nth } => Trigger::Point {
                points: self.points(point),
                of: of
                    .as_ref()
                    .and_then(|of| self.names.protocols.iter().position(|p| *p == of.value))
                    .map(|n| n as u32),
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
        }
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
                })
            }
        }
    }

    fn unknown(&mut self, target: &Target, message: &str) -> Option<Nodes> {
        let error = Diagnostic::error(target.place, message, "named here");
        let error = match &target.kind {
            TargetKind::Nodes { name, .. } => error.about(format!("services.{name}.nodes")),
            TargetKind::Workload(name) => error.about(format!("workloads.{name}")),
            TargetKind::HitBy(name) => error.about(format!("faults.{name}")),
            TargetKind::Everything | TargetKind::Others | TargetKind::Zone(_) => error,
        };
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
        None
    }
}

/// Whether a pattern with `*` matches all of `text`.
fn matches(pattern: &str, text: &str) -> bool {
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
