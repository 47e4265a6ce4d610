//! Passes for what cannot be left out one by one, because it holds each other in place: few operations are tried together,
//! and they and faults are moved to other moments.

use kernel::Time;

use super::passes::FEW;
use super::search::{Candidate, Search};
use super::state::{Element, State};
use super::timeline;
use crate::model::Load;

/// So many operations that begin before a fault are tried alone with it.
const ALONE_TRIED: usize = 6;
/// To so many moments a fault or an operation is moved.
const MOMENTS: usize = 100;
/// Candidates of one pass, at the most.
const CANDIDATES_MAX: usize = 2_500;
/// The operations of a story; one with more is not tried.
const STORY_MAX: usize = 6;
/// Out of more operations no story is tried with one more.
const STORY_OF_MAX: usize = 400;

impl Search<'_> {
    /// Only the operations that the witness tells of: as they are, with less there at the beginning, with one more, and with
    /// each moved to the moments of the others.
    pub(super) fn story(&mut self, state: &mut State) {
        if state.begun() <= FEW {
            return;
        }
        let mut told = self.told_of(state);
        told.truncate(STORY_MAX);
        let mut all: Vec<Candidate> = Vec::new();
        for few in (1..=told.len()).map(|count| &told[..count]) {
            let (what, alone) = (named(state, few), state.only(few));
            for (path, initial) in state.stocks(self.scenario, self.test.promise()) {
                let less = [0, 1].into_iter().filter(|less| *less < initial);
                all.extend(less.map(|less| (format!("{what}, {path} = {less}"), alone.with(&path, less.to_string()))));
            }
            all.push((what, alone));
        }
        if told.is_empty() || self.take("story", state, &all) {
            return;
        }
        let what = named(state, &told);
        let others = state.operations().into_iter().filter(|element| !told.contains(element));
        let all: Vec<Candidate> = others
            .take(STORY_OF_MAX + 1)
            .map(|other| {
                let with: Vec<Element> = told.iter().copied().chain([other]).collect();
                (format!("{what}, and {}", state.called(&other)), state.only(&with))
            })
            .collect();
        if told.len() < FEW && all.len() <= STORY_OF_MAX && self.take("story", state, &all) {
            return;
        }
        if told.len() <= FEW {
            let alone = state.only(&told);
            self.placed(state, &alone, &told);
        }
    }

    /// A few operations, of which one is at another moment.
    fn placed(&mut self, state: &mut State, few: &State, operations: &[Element]) -> bool {
        let from = operations.iter().map(|element| few.began(element)).min().unwrap_or(Time::ZERO);
        for moved in operations.iter().rev() {
            let still: Vec<Element> = operations.iter().filter(|element| *element != moved).copied().collect();
            let Some(scenario) = self.test.scenario(&few.only(&still)) else { continue };
            let moments = timeline::moments(&scenario, self.test.seed, from, MOMENTS);
            let all: Vec<Candidate> = moments
                .into_iter()
                .map(|at| (format!("{} at {at}", few.called(moved)), few.begun_at(moved, at)))
                .collect();
            if self.take("placed", state, &all) {
                return true;
            }
        }
        false
    }

    /// The operations of clients that the witness of a candidate's run tells of: by what they asked and heard, or by number.
    fn told_of(&mut self, state: &State) -> Vec<Element> {
        let outcome = self.test.scenario(state).and_then(|scenario| self.test.broken(&scenario)).flatten();
        let result = outcome.and_then(|outcome| outcome.invariants.into_iter().find(|i| i.class == self.test.class));
        let Some(result) = result else { return Vec::new() };
        let Some(evidence) = result.evidence.and_then(|evidence| evidence.contradiction) else {
            return state.numbered(&result.witness);
        };
        let mut told = Vec::new();
        for operation in evidence.against.iter().filter_map(|&n| evidence.operations.get(n)) {
            let (load, who) = ((operation.process >> 40) as usize, operation.process as u64 & ((1 << 40) - 1));
            let Some((_, workload)) = self.scenario.model.workloads.get(load) else { continue };
            let users = match workload.load {
                Load::Users { users, .. } => Some(state.users(load).unwrap_or(users)),
                Load::Rate { .. } | Load::Trace(_) => None,
            };
            let element = state.under_way(load, who, users, operation.began);
            told.extend(element.filter(|element| !told.contains(element)));
        }
        told
    }

    /// Every two of the operations that are left, then every three.
    pub(super) fn few(&mut self, state: &mut State) {
        let all = state.operations();
        if all.len() <= FEW {
            return;
        }
        for size in 2..=FEW {
            let chosen = choices(all.len(), size);
            if chosen.len() > CANDIDATES_MAX {
                return;
            }
            let candidate = |n: usize| {
                let some: Vec<Element> = chosen[n].iter().map(|&at| all[at]).collect();
                let what = some.iter().map(|element| state.called(element)).collect::<Vec<_>>().join(", ");
                (what, state.only(&some))
            };
            if let Some((fewer, _)) = self.first("few", chosen.len(), &candidate) {
                *state = fewer;
                return;
            }
        }
    }

    /// One operation with a fault: a fault that strikes at a time misses what it hit as soon as others, for which that had
    /// to wait, are left out; so it is moved to each moment of that operation, and to the machine that has it now.
    pub(super) fn alone(&mut self, state: &mut State) {
        if state.begun() <= FEW {
            return;
        }
        let operations: Vec<(Element, Time)> =
            state.operations().into_iter().map(|element| (element, state.began(&element))).collect();
        let mut room = CANDIDATES_MAX;
        for fault in state.whole_faults().into_iter().chain(state.instances()) {
            let Some(at) = state.strikes(&fault) else { continue };
            let (before, after) = operations.split_at(operations.partition_point(|(_, began)| *began <= at));
            for &(operation, began) in before.iter().rev().take(ALONE_TRIED).chain(after.first()) {
                let one = state.only(&[operation]);
                let with = one.with_instance(&fault, true);
                let what = format!("{}, {}", state.called(&fault), state.called(&operation));
                let mut all: Vec<Candidate> =
                    with.at_first(&fault).map(|first| (what.clone(), first)).into_iter().collect();
                let quiet = self.test.scenario(&one.with_instance(&fault, false));
                let moments = quiet.map(|scenario| timeline::moments(&scenario, self.test.seed, began, MOMENTS));
                for target in with.places(&fault, self.scenario) {
                    for &at in moments.iter().flatten() {
                        let what = format!("{what}, at {at} on {}", target.join(", "));
                        all.extend(with.moved(&fault, at, &target).map(|moved| (what, moved)));
                    }
                }
                all.truncate(room);
                room -= all.len();
                if room == 0 || !self.left() || self.take("one operation", state, &all) {
                    return;
                }
            }
        }
    }
}

/// Elements, for people.
fn named(state: &State, some: &[Element]) -> String {
    some.iter().map(|element| state.called(element)).collect::<Vec<_>>().join(", ")
}

/// All choices of so many of so many, or one more than are tried.
fn choices(of: usize, size: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = Vec::new();
    let mut now: Vec<usize> = (0..size).collect();
    while size <= of && all.len() <= CANDIDATES_MAX {
        all.push(now.clone());
        // The last that can still go up does, and those behind it follow it.
        let Some(up) = (0..size).rev().find(|&at| now[at] < of - size + at) else { break };
        now[up] += 1;
        for at in up + 1..size {
            now[at] = now[at - 1] + 1;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::choices;

    #[test]
    fn every_choice_is_there_once() {
        assert_eq!(choices(4, 2), [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]);
        assert_eq!(choices(3, 3), [[0, 1, 2]]);
        assert!(choices(2, 3).is_empty());
        assert_eq!(choices(18, 3).len(), 816);
    }
}
