//! The passes: what is tried to make a failing run smaller, and in which order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use kernel::{Span, Time};

use super::search::{AT_ONCE, Candidate, Search};
use super::state::{Element, State};
use crate::model::Loss;
use crate::repro::record;
use crate::run::Go;
use crate::scenario::toml_text;

/// With so few operations there is no need to look for shortcuts to fewer.
pub(super) const FEW: usize = 3;
/// So long before and after a violation or a fault operations are looked for.
const NEAR: [Span; 7] = [
    Span::millis(20),
    Span::millis(100),
    Span::millis(500),
    Span::secs(2),
    Span::secs(8),
    Span::secs(20),
    Span::secs(60),
];
/// So long before it struck a fault begins to wait for its point.
const EARLIER: [Span; 4] = [Span::ZERO, Span::millis(1), Span::millis(10), Span::millis(100)];
/// An instance's length is halved so often at the most.
const HALVINGS: u32 = 12;

impl Search<'_> {
    /// Every pass, over and over until nothing more goes; whether it is certain that nothing can.
    pub(super) fn passes(&mut self, state: &mut State) -> bool {
        while self.left() {
            let before = state.clone();
            // Before the end is cut off: without a fault the promise may break as well, but later.
            self.elements(state, "faults", State::whole_faults);
            self.network(state);
            self.cut(state);
            self.elements(state, "instances", State::instances);
            self.elements(state, "messages", State::hits);
            self.windows(state);
            self.story(state);
            self.single(state);
            self.near(state);
            self.elements(state, "operations", State::operations);
            self.story(state);
            self.few(state);
            self.stock(state);
            self.alone(state);
            self.timed(state);
            self.machines(state);
            self.lengths(state);
            if *state == before {
                return self.left();
            }
        }
        false
    }

    /// What links do to messages by themselves goes where it can: it is no fault of the file, but chance all the same.
    fn network(&mut self, state: &mut State) {
        let model = &self.scenario.model;
        let links = model.links.iter().map(|(ends, link)| (format!("network.links.{}", toml_text(&ends.text)), link));
        for (of, link) in [("network".to_owned(), &model.network)].into_iter().chain(links) {
            let some = |share: Option<f64>| share.is_some_and(|share| share > 0.0);
            let each = [
                ("loss", link.loss.is_some_and(|loss| loss != Loss::Independent(0.0))),
                ("duplicate", some(link.duplicate)),
                ("reorder", some(link.reorder.as_ref().map(|share| share.value))),
                ("corrupt", some(link.corrupt)),
            ];
            for (key, _) in each.into_iter().filter(|(_, there)| *there) {
                let path = format!("{of}.{key}");
                self.take("network", state, &[(format!("{path} = 0%"), state.with(&path, toml_text("0%")))]);
            }
        }
    }

    /// Load ends earlier: just after the violation, or after a part of the time.
    fn cut(&mut self, state: &mut State) {
        let duration = state.size(self.scenario).duration;
        let Some(broken) = self.broken(state) else { return };
        let after = broken.map(|time| (time.0 / 1_000_000 + 1) * 1_000_000);
        let mut ends: Vec<u64> = after.into_iter().chain([64, 16, 8, 4, 2].map(|part| duration / part)).collect();
        ends.retain(|end| (1_000_000..duration - duration / 16).contains(end));
        ends.sort_unstable();
        let all: Vec<Candidate> =
            ends.into_iter().map(|end| (format!("{end} ns"), state.ending(self.scenario, end))).collect();
        self.take("end", state, &all);
    }

    /// When the promise is first broken, if that has a time; `None` if there is no room to ask.
    #[expect(clippy::option_option, reason = "no room to ask is not the same as no time")]
    pub(super) fn broken(&mut self, state: &State) -> Option<Option<Time>> {
        let all = self.all("as it is", &[("as it is".to_owned(), state.clone())])?;
        Some(all[0].first)
    }

    /// Leaves out elements until none can go alone (delta debugging): ever smaller parts, each in turn, as many at once as
    /// can go together.
    pub(super) fn elements(&mut self, state: &mut State, pass: &'static str, of: fn(&State) -> Vec<Element>) {
        let mut all = of(state);
        if all.is_empty() || (all.len() > 1 && self.take(pass, state, &[without(state, &all, all.len())])) {
            return;
        }
        let share = matches!(all[0], Element::Operation(..));
        let mut size = all.len().div_ceil(2);
        if share {
            self.share(state);
        }
        while self.left() && !all.is_empty() {
            let (mut at, mut fewer) = (0, false);
            while at < all.len() {
                let parts: Vec<&[Element]> = all[at..].chunks(size).take(AT_ONCE).collect();
                let candidates: Vec<Candidate> = parts.iter().map(|part| without(state, part, all.len())).collect();
                let Some(tried) = self.all(pass, &candidates) else { return };
                let can_go: Vec<usize> = (0..parts.len()).filter(|&n| tried[n].breaks).collect();
                let Some(&first) = can_go.first() else {
                    at += size * parts.len();
                    continue;
                };
                let together: Vec<Element> = can_go.iter().flat_map(|&n| parts[n].iter().copied()).collect();
                let all_go = can_go.len() > 1 && self.take(pass, state, &[without(state, &together, all.len())]);
                let gone = if all_go { together } else { parts[first].to_vec() };
                if !all_go {
                    *state = state.without(&gone);
                }
                if share {
                    self.share(state);
                }
                at += size * first;
                let gone: std::collections::BTreeSet<Element> = gone.into_iter().collect();
                all.retain(|element| !gone.contains(element));
                fewer = true;
            }
            if size > 1 {
                size = size.div_ceil(2);
            } else if !fewer {
                return;
            }
        }
    }

    /// What has changed since a fault struck may have it strike at another time.
    fn refresh(&mut self, state: &mut State) {
        let Some(scenario) = self.test.scenario(state) else { return };
        let stop = self.test.stop;
        let mut go = |_| if stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On };
        let ran = catch_unwind(AssertUnwindSafe(|| record(&scenario, self.test.seed, None, &mut go)));
        if let Ok(Ok(run)) = ran {
            *state = state.refreshed(&scenario, &run);
        }
    }

    /// What waits for the nth time that a point is reached needs all the operations before that. It waits for the first
    /// time from shortly before it struck.
    fn windows(&mut self, state: &mut State) {
        self.refresh(state);
        for fault in state.whole_faults() {
            let all: Vec<Candidate> = EARLIER
                .iter()
                .filter_map(|earlier| {
                    let what = format!("{}, from {earlier} before it struck", state.called(&fault));
                    Some((what, state.waiting_from(&fault, *earlier, self.scenario)?))
                })
                .collect();
            self.take("windows", state, &all);
        }
    }

    /// A fault that waits for a point, where that will not do: it strikes at a time instead.
    fn timed(&mut self, state: &mut State) {
        if state.begun() <= FEW {
            return;
        }
        for fault in state.whole_faults() {
            let Some(timed) = state.at_a_time(&fault) else { continue };
            if self.take("at a time", state, &[(state.called(&fault), timed)]) {
                self.near(state);
                self.elements(state, "operations", State::operations);
                self.alone(state);
            }
        }
    }

    /// Only what begins shortly before the violation, or before a fault.
    pub(super) fn near(&mut self, state: &mut State) {
        if state.begun() <= FEW {
            return;
        }
        let Some(broken) = self.broken(state) else { return };
        let struck = state.whole_faults().into_iter().chain(state.instances());
        let centres: Vec<Time> = broken.into_iter().chain(struck.filter_map(|fault| state.strikes(&fault))).collect();
        let mut all = Vec::new();
        for wide in NEAR {
            for &centre in &centres {
                let some = state.within(Time(centre.0.saturating_sub(wide.0)), centre + wide);
                all.push((format!("{wide} round {centre}"), some));
            }
        }
        all.retain(|(_, some)| some.begun() < state.begun());
        self.take("near", state, &all);
    }

    /// What is there at the beginning can stand for the operations that use it up. It is less only where that saves some.
    fn stock(&mut self, state: &mut State) {
        if state.begun() <= FEW {
            return;
        }
        for (path, initial) in state.stocks(self.scenario, self.test.promise()) {
            for less in [0, 1, initial / 2] {
                let mut lower = state.with(&path, less.to_string());
                let what = format!("{path} = {less}");
                let tried = if less < initial { self.all("stock", &[(what, lower.clone())]) } else { continue };
                if tried.is_some_and(|tried| tried[0].breaks) {
                    self.near(&mut lower);
                    self.elements(&mut lower, "operations", State::operations);
                } else {
                    // Those that used it up break other promises now, or this one in another way.
                    self.few(&mut lower);
                }
                if lower.begun() < state.begun() {
                    *state = lower;
                    break;
                }
            }
        }
    }

    /// Services and closed loops get along with one machine, or one user, or half of them.
    fn machines(&mut self, state: &mut State) {
        for (path, count) in state.counts(self.scenario) {
            let mut fewer: Vec<u32> =
                [1, count / 2, count - 1].into_iter().filter(|n| (1..count).contains(n)).collect();
            fewer.dedup();
            let one = |n: u32| (format!("{path} = {n}"), state.with(&path, n.to_string()));
            let all: Vec<Candidate> = fewer.into_iter().map(one).collect();
            self.take("machines", state, &all);
        }
        for candidate in state.fewer_users(self.scenario) {
            self.take("users", state, &[candidate]);
        }
    }

    /// Instances last half as long, as long as that will do.
    fn lengths(&mut self, state: &mut State) {
        for element in state.instances() {
            for _ in 0..HALVINGS {
                let Some(half) = state.halved(&element) else { break };
                if !self.take("lengths", state, &[(state.called(&element), half)]) {
                    break;
                }
            }
        }
    }
}

/// A state without these of so many.
fn without(state: &State, some: &[Element], of: usize) -> Candidate {
    (format!("{} of {of}: {}", some.len(), state.called(&some[0])), state.without(some))
}
