//! Who calls whom, read from the scenario.

use crate::model::{Model, Step, Verb};
use crate::outcome::{Part, Topology};

/// The parts of a scenario and the calls between them; petgraph draws it.
pub fn topology(model: &Model) -> Topology {
    let mut topology = Topology::default();
    for (name, workload) in &model.workloads {
        let detail = match &workload.load {
            crate::model::Load::Rate { per_second, .. } => format!("{per_second}/s"),
            crate::model::Load::Users { users, .. } => format!("{users} users"),
            crate::model::Load::Trace(times) => format!("{} arrivals", times.len()),
        };
        topology.parts.push(Part { name: name.value.clone(), kind: "workload".to_owned(), detail });
    }
    for (name, service) in &model.services {
        let workers = service.workers.map_or_else(|| "unlimited workers".to_owned(), |w| plural(w, "worker"));
        let detail = if service.nodes == 1 { workers } else { format!("{} nodes × {workers}", service.nodes) };
        topology.parts.push(Part { name: name.value.clone(), kind: "service".to_owned(), detail });
    }
    for (name, _) in &model.transactions {
        let detail = "two-phase commit".to_owned();
        topology.parts.push(Part { name: name.value.clone(), kind: "transaction".to_owned(), detail });
    }
    for (name, workload) in &model.workloads {
        add(&mut topology, &name.value, &workload.call.target.value);
    }
    for (name, service) in &model.services {
        for (_, op) in &service.ops {
            steps(&mut topology, &name.value, &op.steps);
        }
    }
    for (name, transaction) in &model.transactions {
        add(&mut topology, &name.value, &transaction.coordinator.value);
        steps(&mut topology, &transaction.coordinator.value, &transaction.work);
    }
    topology
}

fn steps(topology: &mut Topology, from: &str, steps: &[Step]) {
    for step in steps {
        match &step.verb {
            Verb::Call(call) => add(topology, from, &call.target.value),
            Verb::Update(update) => link(topology, from, &update.row.owner, "update"),
            Verb::Read(row) => link(topology, from, &row.owner, "read"),
            Verb::Work(_) | Verb::Sleep(_) | Verb::Fail(_) => {}
        }
    }
}

fn add(topology: &mut Topology, from: &str, target: &str) {
    let target = target.strip_prefix("transactions.").unwrap_or(target);
    let (part, op) = target.split_once('.').unwrap_or((target, ""));
    link(topology, from, part, op);
}

fn link(topology: &mut Topology, from: &str, to: &str, label: &str) {
    let find = |name: &str| topology.parts.iter().position(|part| part.name == name);
    if let (Some(from), Some(to)) = (find(from), find(to)) {
        let call = (from, to, label.to_owned());
        if !topology.calls.contains(&call) {
            topology.calls.push(call);
        }
    }
}

fn plural(count: u32, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
