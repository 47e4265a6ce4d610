//! Faults that struck where a protocol reached a point: which point, whose, and for the how manieth time.

use cluster::{Instance, Reached};

use super::{Came, Written, machines};
use crate::compile::faults::whose;
use crate::model::{ChaosProfile, Model, Trigger};
use crate::run::Recorded;
use crate::scenario::{toml_duration as duration, toml_text};

/// What the crash of `[chaos]` is called when it stands by itself; `chaos` is the name of a phase.
const CRASH: &str = "chaos_crash";

/// What of a point was left to chance, as it was.
pub(super) fn settled(trigger: &Trigger, one: &Instance, model: &Model, run: &Recorded) -> Vec<(&'static str, String)> {
    let (Trigger::Point { of, nth: Some(nth), .. }, Some(reached)) = (trigger, one.reached) else { return Vec::new() };
    if nth.text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    // Everybody's occurrences are counted apart, and each has its own draw.
    let whose = of.is_none().then(|| of_whom(model, run, reached)).flatten();
    let whose = whose.map(|whose| ("of", toml_text(&whose)));
    whose.into_iter().chain([("nth", reached.nth.to_string())]).collect()
}

/// Whose the point was, as files say it.
fn of_whom(model: &Model, run: &Recorded, reached: Reached) -> Option<String> {
    let point = run.names.points.get(reached.point.0 as usize)?;
    whose(model, point).into_iter().find(|(_, number)| *number == reached.of).map(|(path, _)| path)
}

/// The crash of `[chaos]`, as a fault with a name of its own, if `[chaos]` is there.
pub(super) fn chaos(model: &Model, run: &Recorded) -> Option<Written> {
    let named = |(name, _): &(crate::model::At<String>, crate::model::Fault)| name.value == CRASH;
    if model.chaos.profile == ChaosProfile::None || model.faults.iter().any(named) {
        return None;
    }
    let written =
        |came, first| Written { name: CRASH.to_owned(), came, first, late: true, idle: Vec::new(), chaos: true };
    let number = Some(model.faults.len() as u32);
    let struck_at = run.ledger.iter().find(|one| one.fault == number && one.start.is_some());
    let Some((one, reached)) = struck_at.and_then(|one| Some((one, one.reached?))) else {
        return Some(written(Came::Nothing, None));
    };
    let first = machines(one, run, model.run.heal);
    let mut values = vec![
        ("kind", "\"crash\"".to_owned()),
        ("target", same(first.target.as_deref().unwrap_or(&[]))),
        ("point", toml_text(run.names.points.get(reached.point.0 as usize)?)),
    ];
    values.extend(of_whom(model, run, reached).map(|whose| ("of", toml_text(&whose))));
    values.push(("nth", reached.nth.to_string()));
    values.extend(first.length.map(|length| ("for", toml_text(&duration(length.0)))));
    Some(written(Came::Settled(values), Some(first)))
}

/// The machine that gets there, among those like this one.
fn same(machines: &[String]) -> String {
    let same = |name: &String| match name.split_once('[') {
        Some((service, _)) => toml_text(&format!("{service}[same]")),
        None => toml_text(&format!("{name}[same]")),
    };
    format!("[{}]", machines.iter().map(same).collect::<Vec<_>>().join(", "))
}
