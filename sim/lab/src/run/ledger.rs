//! The ledger of faults, for people: what was planned, what happened, what it did.

use cluster::{Impact, Instance, Skip, State};

use crate::model::{FaultBudget, Model};
use crate::names::Names;
use crate::outcome::FaultResult;

/// Every instance, in the order of the ledger.
pub(super) fn results(ledger: &[Instance], model: &Model, names: &Names) -> Vec<FaultResult> {
    ledger.iter().map(|instance| result(instance, model, names)).collect()
}

fn result(instance: &Instance, model: &Model, names: &Names) -> FaultResult {
    let declared = instance.fault.and_then(|n| model.faults.get(n as usize));
    let drawn = instance.fault.and_then(|n| names.chaos.get((n as usize).checked_sub(model.faults.len())?));
    let effective = instance.impact.effective();
    let state = match instance.state {
        State::Planned => "never due".to_owned(),
        State::Active | State::Ended if effective => "effective".to_owned(),
        State::Active | State::Ended => "no effect".to_owned(),
        State::Skipped(why) => format!("skipped: {}", skip_word(why)),
    };
    FaultResult {
        name: match (declared, drawn) {
            (Some((name, _)), _) => name.value.clone(),
            (None, Some((name, _))) => name.clone(),
            (None, None) => "by hand".to_owned(),
        },
        instance: instance.number,
        kind: match (declared, drawn) {
            (Some((_, fault)), _) => fault.kind.word().to_owned(),
            (None, Some((_, word))) => word.clone(),
            (None, None) => "crash".to_owned(),
        },
        target: target(instance, names),
        from: instance.start.unwrap_or(instance.planned),
        to: instance.end,
        state,
        effective,
        effects: effects(&instance.impact),
    }
}

fn target(instance: &Instance, names: &Names) -> String {
    if instance.nodes.is_empty() {
        return "-".to_owned();
    }
    if instance.nodes.len() == names.nodes.len() {
        return "everything".to_owned();
    }
    instance.nodes.iter().map(|&node| names.node(node)).collect::<Vec<_>>().join(", ")
}

const fn skip_word(why: Skip) -> &'static str {
    match why {
        Skip::AlreadyDown => "already down",
        Skip::Chance => "its chance said no",
        Skip::NoTarget => "no target",
        Skip::OutsideWindow => "outside of its window",
        Skip::Healed => "healed before",
        Skip::Budget(FaultBudget::MaxConcurrent) => "max_concurrent",
        Skip::Budget(FaultBudget::KeepQuorum) => "keep_quorum",
    }
}

fn effects(impact: &Impact) -> Vec<String> {
    [
        (impact.work_lost, "open request in memory lost", "open requests in memory lost"),
        (impact.messages_vanished, "message vanished", "messages vanished"),
        (impact.messages_unsent, "message never sent", "messages never sent"),
        (impact.messages_lost, "transmission lost", "transmissions lost"),
        (impact.messages_held, "message held", "messages held"),
        (impact.records_lost, "log record lost", "log records lost"),
        (impact.timers_lost, "timer lost", "timers lost"),
        (impact.events_delayed, "event delayed", "events delayed"),
        (impact.works_slowed, "work slowed", "works slowed"),
        (impact.messages_duplicated, "message duplicated", "messages duplicated"),
        (impact.disturbances, "time disturbed", "times disturbed"),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
    .collect()
}

/// Faults that tested nothing.
pub(super) fn warnings(faults: &[FaultResult], model: &Model) -> Vec<String> {
    let idle = |name: &str| !faults.iter().any(|f| f.name == name && f.effective);
    let idle = model.faults.iter().filter(|(name, fault)| !fault.require_effect && idle(&name.value));
    idle.map(|(name, _)| format!("fault `{}` had no effect: {}", name.value, why_idle(&name.value, faults))).collect()
}

/// Faults that had to have an effect and had none.
pub(super) fn without_required_effect(faults: &[FaultResult], model: &Model) -> Vec<String> {
    let idle = |name: &str| !faults.iter().any(|f| f.name == name && f.effective);
    let idle = model.faults.iter().filter(|(name, fault)| fault.require_effect && idle(&name.value));
    idle.map(|(name, _)| {
        format!("fault `{}` must have an effect and had none: {}", name.value, why_idle(&name.value, faults))
    })
    .collect()
}

fn why_idle(name: &str, faults: &[FaultResult]) -> String {
    let mut states: Vec<&str> = faults.iter().filter(|f| f.name == name).map(|f| f.state.as_str()).collect();
    states.sort_unstable();
    states.dedup();
    if states.is_empty() { "it never struck".to_owned() } else { states.join(", ") }
}
