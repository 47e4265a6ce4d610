//! Who calls whom, read from the scenario.

use crate::model::{Load, Model, Stage, Step, StoreKind, Verb, all_steps};
use crate::outcome::{Link, LinkKind, Part, Topology};

/// The parts of a scenario and the calls between them; petgraph draws it.
pub fn topology(model: &Model) -> Topology {
    let mut topology = Topology::default();
    for (name, workload) in &model.workloads {
        let detail = match &workload.load {
            Load::Rate { per_second, .. } => format!("{}/s", over_stages(*per_second, &workload.stages)),
            Load::Users { users, .. } => format!("{} users", over_stages(f64::from(*users), &workload.stages)),
            Load::Trace(times) => format!("{} arrivals", times.len()),
        };
        topology.parts.push(Part { name: name.value.clone(), kind: "workload".to_owned(), detail });
    }
    for (name, service) in &model.services {
        let workers = service.workers.map_or_else(|| "unlimited workers".to_owned(), |w| plural(w, "worker"));
        let detail = if service.nodes == 1 { workers } else { format!("{} nodes × {workers}", service.nodes) };
        topology.parts.push(Part { name: name.value.clone(), kind: "service".to_owned(), detail });
    }
    for (name, store) in &model.stores {
        let kind = match &store.kind {
            StoreKind::Log(_) if store.nodes == 1 => "one copy".to_owned(),
            StoreKind::Log(_) => format!("leader and {}", plural(store.nodes - 1, "follower")),
            StoreKind::Quorum(_) => format!("{} nodes, quorums", store.nodes),
        };
        topology.parts.push(Part { name: name.value.clone(), kind: "store".to_owned(), detail: kind });
    }
    for (name, _) in &model.transactions {
        let detail = "two-phase commit".to_owned();
        topology.parts.push(Part { name: name.value.clone(), kind: "transaction".to_owned(), detail });
    }
    for (name, queue) in &model.queues {
        let detail = queue.capacity.map_or_else(|| "no limit".to_owned(), |most| format!("at most {most}"));
        topology.parts.push(Part { name: name.value.clone(), kind: "queue".to_owned(), detail });
    }
    for (name, exchange) in &model.exchanges {
        let detail = format!("{:?}", exchange.kind).to_lowercase();
        topology.parts.push(Part { name: name.value.clone(), kind: "exchange".to_owned(), detail });
    }
    for (name, saga) in &model.sagas {
        let detail = plural(saga.steps.len() as u32, "step");
        topology.parts.push(Part { name: name.value.clone(), kind: "saga".to_owned(), detail });
    }
    for (name, workload) in &model.workloads {
        if let Some(call) = workload.call() {
            add(&mut topology, &name.value, &call.target.value);
        }
        for step in workload.steps() {
            steps(&mut topology, &name.value, std::slice::from_ref(step));
        }
    }
    messaging(&mut topology, model);
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

/// A load that may change: `20–120` is from the least to the most.
fn over_stages(first: f64, stages: &[Stage]) -> String {
    let all = || stages.iter().filter_map(|stage| stage.to).chain([first]);
    let (least, most) = (all().fold(first, f64::min), all().fold(first, f64::max));
    if least < most { format!("{least}–{most}") } else { first.to_string() }
}

/// What is handed on: by exchanges to queues, by queues to consumers and sagas, by sagas to the services of their steps.
fn messaging(topology: &mut Topology, model: &Model) {
    for (name, queue) in &model.queues {
        for binding in &queue.bindings {
            link(topology, &binding.exchange.value, &name.value, &binding.key.value);
        }
        if let Some(dead) = &queue.dead_letter {
            link(topology, &name.value, &dead.to.name, "dead letters");
        }
    }
    for (name, exchange) in &model.exchanges {
        for binding in &exchange.bindings {
            link(topology, &binding.exchange.value, &name.value, &binding.key.value);
        }
    }
    for (name, service) in &model.services {
        for (consumer, c) in &service.consumers {
            link(topology, &c.from.name, &name.value, &consumer.value);
            steps(topology, &name.value, &c.steps);
        }
    }
    for (name, saga) in &model.sagas {
        if let Some(trigger) = &saga.trigger {
            link(topology, &trigger.from.name, &name.value, "begins");
        }
        for step in &saga.steps {
            add(topology, &name.value, &step.action.target.value);
        }
        for call in saga.steps.iter().filter_map(|step| step.compensate.as_ref()).chain(&saga.on_abort) {
            let (part, op) = part_and_op(&call.target.value);
            insert(topology, &name.value, part, op, LinkKind::Undo);
        }
    }
}

fn steps(topology: &mut Topology, from: &str, steps: &[Step]) {
    for step in all_steps(steps) {
        if let Verb::Publish(publish) = &step.verb {
            link(topology, from, &publish.message.to.name, "publish");
        }
        if let Verb::Outbox(message) = &step.verb {
            link(topology, from, &message.to.name, "outbox");
        }
        if let Verb::Call(call) = &step.verb {
            add(topology, from, &call.target.value);
        }
        if let Verb::Consult(consult) = &step.verb {
            link(topology, from, &consult.store.value, step.verb.word());
        }
        // Rows of the service's own are nobody's link.
        if let Some(row) = step.verb.row().filter(|row| !row.owner.is_empty()) {
            link(topology, from, &row.owner, step.verb.word());
        }
    }
}

fn add(topology: &mut Topology, from: &str, target: &str) {
    let (part, op) = part_and_op(target);
    link(topology, from, part, op);
}

fn part_and_op(target: &str) -> (&str, &str) {
    let target = target.strip_prefix("transactions.").unwrap_or(target);
    target.split_once('.').unwrap_or((target, ""))
}

fn link(topology: &mut Topology, from: &str, to: &str, label: &str) {
    insert(topology, from, to, label, LinkKind::Forward);
}

fn insert(topology: &mut Topology, from: &str, to: &str, label: &str, kind: LinkKind) {
    let find = |name: &str| topology.parts.iter().position(|part| part.name == name);
    if let (Some(from), Some(to)) = (find(from), find(to)) {
        let call = Link { from, to, label: label.to_owned(), kind };
        if !topology.calls.contains(&call) {
            topology.calls.push(call);
        }
    }
}

fn plural(count: u32, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
