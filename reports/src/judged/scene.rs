//! What of a judged history is shown: the operations round those that matter, and when each of them takes effect.

use super::Judged;
use checkers::catalogue::Consistency;
use checkers::history::{Certificate, Clock, Judgement, NEVER, Operation, Value};
use std::collections::BTreeMap;

/// As many operations as a picture shows.
const MOST: usize = 48;

/// Operations and the events between which they lie. Every event is as far from the next: a history has bursts and lulls,
/// and what matters is what came before what.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Scene<'a> {
    /// In the order in which they begin.
    pub(super) shown: Vec<Shown<'a>>,
    /// The two events of each: the line, and the time if it is known; in order.
    pub(super) events: Vec<(u32, Option<i64>)>,
    /// How many more operations there are that could be shown.
    pub(super) more: usize,
    /// What stands earlier was seen earlier; else only of one process.
    pub(super) timed: bool,
}

/// An operation that is shown.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Shown<'a> {
    /// Its index in the history.
    pub(super) index: u32,
    /// The operation.
    pub(super) operation: &'a Operation,
    /// The numbers of its events in the scene; the second is `None` if nothing is known to be over then.
    pub(super) between: (usize, Option<usize>),
    /// Its place in the order that explains answers, from 1, and the moment at which it takes effect, counted in events, if
    /// the order keeps to real time.
    pub(super) effect: Option<(usize, Option<f64>)>,
    /// What it is in this story.
    pub(super) role: Role,
}

/// What an operation is in a story.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// No order has a place for it.
    Refused,
    /// It is one of those that show it.
    Witness,
    /// It happened beside them.
    Beside,
}

/// The scene of a violation, or the beginning of the longest order that explains answers; `None` if neither is known.
pub(super) fn of(judged: &Judged) -> Option<Scene<'_>> {
    let all = &judged.history.operations;
    let (chosen, order, more) = match &judged.judgement {
        Judgement::Violated(told) => {
            let refused: Vec<u32> = told.refused.iter().map(|refused| refused.operation).collect();
            let mut chosen: BTreeMap<u32, Role> = BTreeMap::new();
            chosen.extend(told.operations.iter().rev().take(MOST).map(|&index| (index, Role::Witness)));
            chosen.extend(refused.iter().take(MOST / 2).map(|&index| (index, Role::Refused)));
            let more = add_nearest(&mut chosen, all, told.key.as_ref());
            (chosen, &told.prefix[..], more)
        }
        Judgement::Valid(Certificate::Orders(orders)) => {
            let longest = orders.iter().rev().max_by_key(|order| order.operations.len())?;
            let first = &longest.operations[..longest.operations.len().min(MOST)];
            let chosen = first.iter().map(|&index| (index, Role::Witness)).collect();
            (chosen, first, longest.operations.len() - first.len())
        }
        Judgement::Valid(Certificate::Counts(_)) | Judgement::Unknown { .. } => return None,
    };
    let timed = judged.history.dialect.clock == Clock::Shared;
    let real_time = timed && judged.question.consistency == Consistency::Linearizable;
    let mut scene = placed(all, &chosen, order, more);
    scene.timed = timed;
    if !real_time {
        let effects = scene.shown.iter_mut().filter_map(|shown| shown.effect.as_mut());
        effects.for_each(|(_, moment)| *moment = None);
    }
    (!chosen.is_empty()).then_some(scene)
}

/// Fills up with what began last before they were over, of the same object; tells how many operations it has more.
fn add_nearest(chosen: &mut BTreeMap<u32, Role>, all: &[Operation], key: Option<&Value>) -> usize {
    let over = |&index: &u32| {
        let Operation { invoked, returned, .. } = all[index as usize];
        if returned == NEVER { invoked } else { returned }
    };
    let Some(over) = chosen.keys().map(over).max() else { return 0 };
    let same = |(_, operation): &(u32, &Operation)| key.is_none() || operation.key.as_ref() == key;
    let others: Vec<(u32, &Operation)> =
        (0..).zip(all).filter(same).filter(|(index, _)| !chosen.contains_key(index)).collect();
    let began = others.partition_point(|(_, operation)| operation.invoked < over);
    let room = MOST.saturating_sub(chosen.len()).min(began);
    chosen.extend(others[began - room..began].iter().map(|&(index, _)| (index, Role::Beside)));
    others.len() - room
}

fn placed<'a>(all: &'a [Operation], chosen: &BTreeMap<u32, Role>, order: &[u32], more: usize) -> Scene<'a> {
    let operation = |index: u32| &all[index as usize];
    let mut positions: Vec<(u32, u32, Option<i64>)> = Vec::new();
    for &index in chosen.keys() {
        let Operation { invoked, returned, lines, times, .. } = operation(index);
        positions.push((*invoked, lines.0, times.0));
        positions.extend((*returned != NEVER).then_some((*returned, lines.1, times.1)));
    }
    positions.sort_unstable();
    positions.dedup_by_key(|event| event.0);
    let number = |position: u32| positions.partition_point(|event| event.0 < position);
    let effects = effects(chosen, order, |index| operation(index).invoked, |at| number(at + 1) - 1);
    let shown = chosen.iter().map(|(&index, &role)| {
        let operation = operation(index);
        let until = (operation.returned != NEVER).then(|| number(operation.returned));
        let between = (number(operation.invoked), until);
        Shown { index, operation, between, effect: effects.get(&index).copied(), role }
    });
    let shown = shown.collect();
    let events = positions.into_iter().map(|(_, line, time)| (line, time)).collect();
    Scene { shown, events, more, timed: true }
}

/// When each takes effect: as early as it can, after everything that comes before it in the order. Those between the same
/// two events stand at equal distances.
fn effects(
    chosen: &BTreeMap<u32, Role>,
    order: &[u32],
    invoked: impl Fn(u32) -> u32,
    number: impl Fn(u32) -> usize,
) -> BTreeMap<u32, (usize, Option<f64>)> {
    let (mut moment, mut after) = (0, BTreeMap::<usize, Vec<(u32, usize)>>::new());
    for (place, &index) in order.iter().enumerate() {
        moment = moment.max(invoked(index));
        if chosen.contains_key(&index) {
            after.entry(number(moment)).or_default().push((index, place + 1));
        }
    }
    let mut effects = BTreeMap::new();
    for (event, few) in after {
        let step = 1.0 / (few.len() + 1) as f64;
        for (n, (index, place)) in few.into_iter().enumerate() {
            effects.insert(index, (place, Some(step.mul_add((n + 1) as f64, event as f64))));
        }
    }
    effects
}
