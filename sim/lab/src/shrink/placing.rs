//! Passes for what cannot be left out one by one, because it holds each other in place: few operations are tried together,
//! and they and faults are moved to other moments.

use kernel::{Span, Time};

use super::passes::FEW;
use super::search::{Candidate, Search};
use super::state::{Element, State};
use super::timeline;
use crate::explain;
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
/// To so many moments, and so many of those that follow, each of two operations is moved.
const PAIRED: usize = 16;
/// So long after the violation operations are moved.
const LATER: Span = Span::millis(100);
/// So many times operations are tried that begin just after one another.
const AFTER_OTHERS: usize = 600;
/// So far apart operations begin that are moved closer to each other.
const CLOSER: [Span; 3] = [Span::millis(1), Span::millis(3), Span::ZERO];
/// So many times an operation is tried alone, with what is there at the beginning or less.
const SINGLES_MAX: usize = 2_500;

impl Search<'_> {
    /// Only the operations that the violation is about: as they are, with less there at the beginning, with one more, with
    /// faults moved to their moments, and moved themselves to the moments of each other.
    pub(super) fn story(&mut self, state: &mut State) {
        if state.begun() <= FEW {
            return;
        }
        let mut told = self.told_of(state);
        told.truncate(STORY_MAX);
        let stocked = self.stocked(state);
        let mut all: Vec<Candidate> = Vec::new();
        for few in (1..=told.len()).map(|count| &told[..count]) {
            all.extend(stocked.iter().map(|(what, less)| (format!("{}{what}", named(state, few)), less.only(few))));
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
        told.truncate(FEW);
        for operation in &told {
            if self.beside(state, &[*operation], &mut CANDIDATES_MAX.clone()) {
                return;
            }
        }
        // With so few operations another machine may lead, or have the work, than with all of them.
        let all =
            stocked.into_iter().chain(state.renamed(self.scenario)).map(|(what, other)| (what, other.only(&told)));
        for (what, few) in all.collect::<Vec<_>>() {
            if self.take("story", state, &[(format!("{}{what}", named(state, &told)), few.clone())])
                || self.placed(state, (&what, &few), &told)
            {
                return;
            }
        }
        // What a user knows (whom to ask, what it has seen) it knows from what it did before.
        for before in told.iter().filter_map(|operation| state.before(operation)).collect::<Vec<_>>() {
            let with: Vec<Element> = told.iter().copied().chain([before]).collect();
            let what = format!(", and {}", state.called(&before));
            let few = state.only(&with);
            if self.take("story", state, &[(format!("{}{what}", named(state, &told)), few.clone())])
                || self.placed(state, (&what, &few), &told)
            {
                return;
            }
        }
        for operation in &told {
            if self.after_others(state, operation) {
                return;
            }
        }
    }

    /// What is there at the beginning as it is, and less of each: with what to call it.
    fn stocked(&self, state: &State) -> Vec<Candidate> {
        let mut all = vec![(String::new(), state.clone())];
        for (path, initial) in state.stocks(self.scenario, self.test.promise()) {
            let less = [0, 1].into_iter().filter(|less| *less < initial);
            all.extend(less.map(|less| (format!(", {path} = {less}"), state.with(&path, less.to_string()))));
        }
        all
    }

    /// Each operation alone, those that begin last before the violation first, with less there at the beginning too: what
    /// chance does to one of many it does to that one alone. Of the workloads of those that the violation is about.
    pub(super) fn single(&mut self, state: &mut State) {
        if state.begun() <= FEW {
            return;
        }
        let Some(broken) = self.broken(state) else { return };
        let about = self.told_of(state);
        let alike = |operation: &Element| about.is_empty() || about.iter().any(|told| told.same_load(operation));
        let mut operations = state.operations();
        operations.retain(|operation| broken.is_none_or(|broken| state.began(operation) <= broken) && alike(operation));
        let stocked = self.stocked(state);
        let all: Vec<(Element, &Candidate)> = operations
            .into_iter()
            .rev()
            .flat_map(|operation| stocked.iter().map(move |less| (operation, less)))
            .take(SINGLES_MAX)
            .collect();
        let candidate = |n: usize| {
            let (operation, (what, less)) = &all[n];
            (format!("{}{what}", state.called(operation)), less.only(&[*operation]))
        };
        if let Some((one, _)) = self.first("single", all.len(), &candidate) {
            *state = one;
        }
    }

    /// A few operations, some of which may move: one of these is at another moment; of two also both.
    fn placed(&mut self, state: &mut State, (what, few): (&str, &State), operations: &[Element]) -> bool {
        let mut ordered: Vec<Element> = operations.to_vec();
        ordered.sort_by_key(|element| few.began(element));
        let struck = few.whole_faults().into_iter().chain(few.instances()).filter_map(|fault| few.strikes(&fault));
        let begins = ordered.iter().map(|element| few.began(element));
        let from = struck.chain(begins).min().unwrap_or(Time::ZERO);
        let to = self.broken(state).flatten().map_or(Time::END, |broken| broken + LATER);
        for moved in ordered.iter().rev() {
            let all = self.at_moments(what, (&few.without(&[*moved]), few), moved, (from, to, MOMENTS));
            if self.take("placed", state, &all) {
                return true;
            }
        }
        let [first, second] = ordered[..] else { return false };
        for (_, early) in self.at_moments(what, (&few.without(operations), few), &first, (from, to, PAIRED)) {
            let all =
                self.at_moments(what, (&early.without(&[second]), &early), &second, (early.began(&first), to, PAIRED));
            if self.take("placed", state, &all) {
                return true;
            }
        }
        false
    }

    /// An operation at each of so many moments at which something happens without it.
    fn at_moments(
        &self,
        what: &str,
        (without, with): (&State, &State),
        moved: &Element,
        (from, to, most): (Time, Time, usize),
    ) -> Vec<Candidate> {
        let Some(scenario) = self.test.scenario(without) else { return Vec::new() };
        let moments = timeline::moments(&scenario, self.test.seed, (from, to), most);
        let at = |at: Time| (format!("{} at {at}{what}", with.called(moved)), with.begun_at(moved, at));
        moments.into_iter().map(at).collect()
    }

    /// The operations of clients that the violation of a candidate's run is about: those of the contradiction by what they
    /// asked and heard, else those of its story.
    fn told_of(&mut self, state: &State) -> Vec<Element> {
        let Some(scenario) = self.test.scenario(state) else { return Vec::new() };
        let outcome = self.test.broken(&scenario).flatten();
        let result = outcome.and_then(|outcome| outcome.invariants.into_iter().find(|i| i.class == self.test.class));
        let Some(result) = result else { return Vec::new() };
        let Some(evidence) = result.evidence.and_then(|evidence| evidence.contradiction) else {
            let named = state.named(&result.witness);
            let about = explain::about(&scenario, self.test.seed, &self.test.class, self.test.stop);
            return named.into_iter().chain(state.numbered(&about)).collect();
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

    /// One of the operations that begin shortly before a fault, with that fault.
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
            for &(operation, _) in before.iter().rev().take(ALONE_TRIED).chain(after.first()) {
                if self.struck(state, &[operation], &fault, &mut room) || room == 0 || !self.left() {
                    return;
                }
            }
        }
    }

    /// An operation with those that began just before it, for which it had to wait: as they are, then closer to each other.
    fn after_others(&mut self, state: &mut State, operation: &Element) -> bool {
        let mut room = AFTER_OTHERS;
        let some: Vec<Vec<Element>> = (2..=FEW).filter_map(|count| state.just_before(operation, count)).collect();
        if some.iter().any(|some| self.beside(state, some, &mut room)) {
            return true;
        }
        let began = state.began(operation);
        for some in &some {
            for apart in CLOSER {
                let mut closer = state.only(some);
                for (before, earlier) in some.iter().rev().zip(0_u64..) {
                    closer = closer.begun_at(before, Time(began.0.saturating_sub(apart.0 * earlier)));
                }
                if self.beside(&mut closer, some, &mut room) {
                    *state = closer;
                    return true;
                }
            }
        }
        false
    }

    /// A few operations with each of the faults in turn.
    fn beside(&mut self, state: &mut State, operations: &[Element], room: &mut usize) -> bool {
        let faults = state.whole_faults().into_iter().chain(state.instances());
        faults.collect::<Vec<_>>().iter().any(|fault| self.struck(state, operations, fault, room))
    }

    /// A few operations with a fault: a fault that strikes at a time misses what it hit as soon as others, for which that
    /// had to wait, are left out; so it is moved to each moment of the last of them, and to the machine that has it now.
    fn struck(&mut self, state: &mut State, operations: &[Element], fault: &Element, room: &mut usize) -> bool {
        let struck = *room > 0 && state.strikes(fault).is_some();
        let Some(last) = operations.last().filter(|_| struck) else { return false };
        let few = state.only(operations);
        let with = few.with_instance(fault, true);
        let what = format!("{}, {}", state.called(fault), named(state, operations));
        let mut all: Vec<Candidate> = with.at_first(fault).map(|first| (what.clone(), first)).into_iter().collect();
        let quiet = self.test.scenario(&few.with_instance(fault, false));
        let began = state.began(last);
        let moments = quiet.map(|scenario| timeline::moments(&scenario, self.test.seed, (began, Time::END), MOMENTS));
        for target in with.places(fault, self.scenario) {
            for &at in moments.iter().flatten() {
                let what = format!("{what}, at {at} on {}", target.join(", "));
                all.extend(with.moved(fault, at, &target).map(|moved| (what, moved)));
            }
        }
        all.truncate(*room);
        *room -= all.len();
        self.take("struck", state, &all)
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
