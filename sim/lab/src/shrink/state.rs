//! A candidate: what each fault came to, which operations are begun, and what else is set.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Hit;
use kernel::{Span, Time};

use super::Size;
use super::timeline::Begin;
use crate::model::{self, Load};
use crate::repro::{Came, Struck, Written, written};
use crate::run::Recorded;
use crate::scenario::{Scenario, toml_duration, toml_text};

/// A scenario that is being made smaller.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct State {
    /// What each declared fault came to.
    pub(super) faults: Vec<Written>,
    /// What of each workload is begun.
    pub(super) loads: Vec<Operations>,
    /// Other values.
    pub(super) sets: BTreeMap<String, String>,
    /// When load ends, if that was cut.
    pub(super) end: Option<u64>,
}

/// The operations of a workload that are begun, in the order in which they begin.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Operations {
    /// The workload's name.
    pub(super) workload: String,
    /// Each has its time in the file: in a closed loop the others would move if one were left out.
    pub(super) timed: bool,
    /// All of them.
    pub(super) begins: Vec<Begin>,
}

/// Something that can be left out; faults and workloads by their place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Element {
    Fault(usize),
    Instance(usize, u32),
    Message(usize, u32, Hit),
    Operation(usize, u64),
}

impl Element {
    /// Both are operations of one workload.
    pub(super) fn same_load(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Operation(load, _), Self::Operation(of, _)) if load == of)
    }
}

impl State {
    /// What has to be set.
    pub(super) fn sets(&self) -> Vec<(String, String)> {
        let mut sets: Vec<(String, String)> = self.faults.iter().flat_map(Written::sets).collect();
        for load in &self.loads {
            sets.push((format!("workloads.{}.only", load.workload), load.toml()));
        }
        sets.extend(self.sets.iter().map(|(path, value)| (path.clone(), value.clone())));
        sets
    }

    pub(super) fn size(&self, scenario: &Scenario) -> Size {
        let faults = |written: &Written| match &written.came {
            Came::Nothing => 0,
            Came::Settled(_) => 1,
            Came::Instances(all) => all.iter().map(|one| one.hits.as_ref().map_or(1, Vec::len)).sum(),
        };
        let model = &scenario.model;
        let count = |path: String, nodes: u32| self.set_number(&path).unwrap_or(nodes) as usize;
        let machines = model.services.iter().map(|(n, s)| count(format!("services.{}.nodes", n.value), s.nodes));
        Size {
            faults: self.faults.iter().map(faults).sum(),
            operations: self.loads.iter().map(|load| load.begins.len()).sum(),
            machines: machines.sum(),
            duration: self.end.unwrap_or(model.run.duration.0),
        }
    }

    /// How many users a workload has, if that was changed.
    pub(super) fn users(&self, load: usize) -> Option<u32> {
        self.set_number(&format!("workloads.{}.users", self.loads[load].workload))
    }

    fn set_number(&self, path: &str) -> Option<u32> {
        self.sets.get(path)?.parse().ok()
    }

    /// For people.
    pub(super) fn called(&self, element: &Element) -> String {
        match *element {
            Element::Fault(fault) => format!("faults.{}", self.faults[fault].name),
            Element::Instance(fault, number) => format!("faults.{}, instance {number}", self.faults[fault].name),
            Element::Message(fault, number, Hit { operation, hop, number: n }) => {
                format!("faults.{}, instance {number}, message {operation}/{hop}/{n}", self.faults[fault].name)
            }
            Element::Operation(load, number) => format!("workloads.{}, operation {number}", self.loads[load].workload),
        }
    }

    /// All faults that are still there.
    pub(super) fn whole_faults(&self) -> Vec<Element> {
        let there = self.faults.iter().enumerate().filter(|(_, fault)| fault.came != Came::Nothing);
        there.map(|(n, _)| Element::Fault(n)).collect()
    }

    /// All instances of faults that have several, or have lengths.
    pub(super) fn instances(&self) -> Vec<Element> {
        let of = |(n, fault): (usize, &Written)| match &fault.came {
            Came::Instances(all) => all.iter().map(|one| Element::Instance(n, one.number)).collect(),
            Came::Nothing | Came::Settled(_) => Vec::new(),
        };
        self.faults.iter().enumerate().flat_map(of).collect()
    }

    /// All messages that faults hit.
    pub(super) fn hits(&self) -> Vec<Element> {
        let mut hits = Vec::new();
        for (n, fault) in self.faults.iter().enumerate() {
            let Came::Instances(all) = &fault.came else { continue };
            for one in all {
                hits.extend(one.hits.iter().flatten().map(|hit| Element::Message(n, one.number, *hit)));
            }
        }
        hits
    }

    /// All operations, in the order in which they begin.
    pub(super) fn operations(&self) -> Vec<Element> {
        let of = |(n, load): (usize, &Operations)| -> Vec<(Time, Element)> {
            load.begins.iter().map(|begin| (begin.at, Element::Operation(n, begin.number))).collect()
        };
        let mut all: Vec<(Time, Element)> = self.loads.iter().enumerate().flat_map(of).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, element)| element).collect()
    }

    /// How many operations there are.
    pub(super) fn begun(&self) -> usize {
        self.loads.iter().map(|load| load.begins.len()).sum()
    }

    /// The same without these.
    pub(super) fn without(&self, gone: &[Element]) -> Self {
        let gone: BTreeSet<Element> = gone.iter().copied().collect();
        let mut state = self.clone();
        for (n, load) in state.loads.iter_mut().enumerate() {
            load.begins.retain(|begin| !gone.contains(&Element::Operation(n, begin.number)));
        }
        for (n, fault) in state.faults.iter_mut().enumerate() {
            if let Came::Instances(all) = &mut fault.came {
                all.retain(|one| !gone.contains(&Element::Instance(n, one.number)));
                for one in &mut *all {
                    let number = one.number;
                    if let Some(hits) = &mut one.hits {
                        hits.retain(|hit| !gone.contains(&Element::Message(n, number, *hit)));
                    }
                }
                all.retain(|one| one.hits.as_ref().is_none_or(|hits| !hits.is_empty()));
            }
            if gone.contains(&Element::Fault(n)) || fault.came == Came::Instances(Vec::new()) {
                fault.came = Came::Nothing;
            }
        }
        state
    }

    /// When a fault strikes that hits machines, or waits for a point.
    pub(super) fn strikes(&self, element: &Element) -> Option<Time> {
        match *element {
            Element::Instance(fault, number) => {
                let one = self.struck(fault, number)?;
                (one.hits.is_none() && one.target.is_some()).then_some(one.at)
            }
            Element::Fault(fault) => {
                let fault = &self.faults[fault];
                fault.first.as_ref().filter(|_| matches!(fault.came, Came::Settled(_))).map(|one| one.at)
            }
            Element::Message(..) | Element::Operation(..) => None,
        }
    }

    pub(super) fn struck(&self, fault: usize, number: u32) -> Option<&Struck> {
        let Came::Instances(all) = &self.faults[fault].came else { return None };
        all.iter().find(|one| one.number == number)
    }

    /// The same with a fault at the time at which it struck, right after what happened then.
    pub(super) fn at_a_time(&self, element: &Element) -> Option<Self> {
        let Element::Fault(n) = *element else { return None };
        let mut state = self.clone();
        let fault = &mut state.faults[n];
        let first = fault.first.clone().filter(|first| first.target.is_some())?;
        matches!(fault.came, Came::Settled(_)).then_some(())?;
        fault.came = Came::Instances(vec![Struck { at: Time(first.at.0 + 1), ..first }]);
        Some(state)
    }

    /// When faults strike that wait for a point, or follow one that does, is told anew by a run.
    pub(super) fn refreshed(&self, scenario: &Scenario, run: &Recorded) -> Self {
        let mut state = self.clone();
        let fresh = written(&scenario.model, run);
        for fault in state.faults.iter_mut().filter(|fault| matches!(fault.came, Came::Settled(_))) {
            let now = fresh.iter().find(|other| other.name == fault.name).and_then(|other| other.first.clone());
            fault.first = now.or_else(|| fault.first.take());
        }
        state
    }

    /// When an operation begins.
    pub(super) fn began(&self, element: &Element) -> Time {
        let Element::Operation(load, number) = *element else { return Time::ZERO };
        let begin = self.loads[load].begins.iter().find(|begin| begin.number == number);
        begin.map_or(Time::ZERO, |begin| begin.at)
    }

    /// The same with a fault that waits for the nth time that a point is reached, but for the first time from so long
    /// before it struck.
    pub(super) fn waiting_from(&self, element: &Element, earlier: Span, scenario: &Scenario) -> Option<Self> {
        let Element::Fault(n) = *element else { return None };
        let mut state = self.clone();
        let fault = &mut state.faults[n];
        let began = fault.first.as_ref()?.at;
        let Came::Settled(values) = &mut fault.came else { return None };
        let late = fault.late && !values.iter().any(|(key, _)| *key == "window");
        late.then_some(())?;
        values.retain(|(key, _)| *key != "nth");
        values.extend((!fault.chaos).then(|| ("nth", "none".to_owned())));
        let heal = scenario.model.run.heal.0;
        let (from, to) = (began.0.saturating_sub(earlier.0), self.end.map_or(heal, |end| heal.min(end)));
        (from < to).then_some(())?;
        values.push(("window", toml_text(&format!("{}..{}", toml_duration(from), toml_duration(to)))));
        Some(state)
    }

    /// The same with a fault that waits for a point, for the first time that it is reached.
    pub(super) fn at_first(&self, element: &Element) -> Option<Self> {
        let Element::Fault(n) = *element else { return None };
        let mut state = self.clone();
        let fault = &mut state.faults[n];
        let Came::Settled(values) = &mut fault.came else { return None };
        fault.late.then_some(())?;
        values.retain(|(key, _)| *key != "nth" && *key != "window");
        values.extend((!fault.chaos).then(|| ("nth", "none".to_owned())));
        Some(state)
    }

    /// The first values of counters that this promise does not speak of, above 0.
    pub(super) fn stocks(&self, scenario: &Scenario, promise: &str) -> Vec<(String, i64)> {
        let model = &scenario.model;
        let text =
            model.invariants.iter().find(|(name, _)| name.value == promise).map(|(_, i)| format!("{:?}", i.form));
        let mut all = Vec::new();
        for (service, declared) in &model.services {
            for (item, kept) in &declared.state {
                let named = format!("{}.{}", service.value, item.value);
                let model::State::Counter { initial, .. } = kept else { continue };
                let path = format!("services.{}.state.{}.initial", service.value, item.value);
                if *initial > 0 && text.as_ref().is_some_and(|text| !text.contains(&named)) {
                    let now = self.sets.get(&path).and_then(|value| value.parse().ok()).unwrap_or(*initial);
                    all.push((path, now));
                }
            }
        }
        all.retain(|(_, initial)| *initial > 0);
        all
    }

    /// The same with those operations only that begin between these moments.
    pub(super) fn within(&self, from: Time, to: Time) -> Self {
        let mut state = self.clone();
        for load in &mut state.loads {
            load.begins.retain(|begin| from <= begin.at && begin.at <= to);
        }
        state
    }

    /// The same with these operations only.
    pub(super) fn only(&self, operations: &[Element]) -> Self {
        let mut state = self.clone();
        for (n, load) in state.loads.iter_mut().enumerate() {
            load.begins.retain(|begin| operations.contains(&Element::Operation(n, begin.number)));
        }
        state
    }

    /// The same with this instance of its fault only, or without the fault.
    pub(super) fn with_instance(&self, kept: &Element, there: bool) -> Self {
        let mut state = self.clone();
        match *kept {
            Element::Fault(n) if !there => state.faults[n].came = Came::Nothing,
            Element::Instance(n, _) if !there => state.faults[n].came = Came::Nothing,
            Element::Instance(n, number) => {
                if let Came::Instances(all) = &mut state.faults[n].came {
                    all.retain(|one| one.number == number);
                }
            }
            Element::Fault(_) | Element::Message(..) | Element::Operation(..) => {}
        }
        state
    }

    /// The same with an operation at another time.
    pub(super) fn begun_at(&self, element: &Element, at: Time) -> Self {
        let mut state = self.clone();
        if let Element::Operation(load, number) = *element {
            let load = &mut state.loads[load];
            load.timed = true;
            load.begins.iter_mut().filter(|begin| begin.number == number).for_each(|begin| begin.at = at);
            load.begins.sort_by_key(|begin| (begin.at, begin.number));
        }
        state
    }

    /// The operations that these lines name by workload and number: `writers/566`.
    pub(super) fn named(&self, lines: &[String]) -> Vec<Element> {
        let mut all = Vec::new();
        for (name, number) in lines.iter().flat_map(|line| line.split(' ')).filter_map(|word| word.split_once('/')) {
            let load = self.loads.iter().position(|load| load.workload == name.trim_start_matches("workloads."));
            let begun = |load: &usize, number| self.loads[*load].begins.iter().any(|begin| begin.number == number);
            let number = number.parse::<u64>().ok();
            let found = load.zip(number).filter(|(load, number)| begun(load, *number));
            let found = found.map(|(load, number)| Element::Operation(load, number));
            all.extend(found.filter(|element| !all.contains(element)));
        }
        all
    }

    /// The operations that a run knows by these ids, in their order.
    pub(super) fn numbered(&self, ids: &[u64]) -> Vec<Element> {
        let mut all = Vec::new();
        for id in ids {
            for (n, load) in self.loads.iter().enumerate() {
                let is = |begin: &&Begin| systems::app::clients::operation(n as u32, begin.number) == *id;
                all.extend(load.begins.iter().find(is).map(|begin| Element::Operation(n, begin.number)));
            }
        }
        all
    }

    /// What the user of an operation did before it, in a closed loop.
    pub(super) fn before(&self, element: &Element) -> Option<Element> {
        let Element::Operation(load, number) = *element else { return None };
        let begins = &self.loads[load].begins;
        let at = begins.iter().position(|begin| begin.number == number)?;
        let user = begins[at].user?;
        let before = begins[..at].iter().rfind(|begin| begin.user == Some(user))?;
        Some(Element::Operation(load, before.number))
    }

    /// An operation after those of its workload that began just before it, so many in all.
    pub(super) fn just_before(&self, element: &Element, count: usize) -> Option<Vec<Element>> {
        let Element::Operation(load, number) = *element else { return None };
        let begins = &self.loads[load].begins;
        let at = begins.iter().position(|begin| begin.number == number)?;
        let from = (at + 1).checked_sub(count)?;
        Some(begins[from..=at].iter().map(|begin| Element::Operation(load, begin.number)).collect())
    }

    /// The operation of this user, or of anybody in an open loop, that was under way then.
    pub(super) fn under_way(&self, load: usize, who: u64, users: Option<u32>, then: Time) -> Option<Element> {
        let mine = |begin: &&Begin| match (users, begin.user) {
            (Some(users), Some(user)) => who % u64::from(users) == u64::from(user),
            (None, _) | (_, None) => begin.number == who,
        };
        let begins = &self.loads.get(load)?.begins;
        let begin = begins.iter().filter(mine).take_while(|begin| begin.at <= then).last()?;
        Some(Element::Operation(load, begin.number))
    }

    /// The same with a value.
    pub(super) fn with(&self, path: &str, value: String) -> Self {
        let mut state = self.clone();
        state.sets.insert(path.to_owned(), value);
        state
    }

    /// The same, with load until then.
    pub(super) fn ending(&self, scenario: &Scenario, end: u64) -> Self {
        let mut state = self.with("run.duration", toml_text(&toml_duration(end)));
        let run = &scenario.model.run;
        if run.heal.0 > end && run.heal != run.duration {
            state.sets.insert("run.heal".to_owned(), toml_text(&toml_duration(end)));
        }
        if run.warmup.0 >= end {
            state.sets.insert("run.warmup".to_owned(), "\"0s\"".to_owned());
        }
        for fault in &mut state.faults {
            if let Came::Instances(all) = &mut fault.came {
                all.retain(|one| one.at < Time(end));
                if all.is_empty() {
                    fault.came = Came::Nothing;
                }
            }
        }
        for load in &mut state.loads {
            load.begins.retain(|begin| begin.at < Time(end));
        }
        state.end = Some(end);
        state
    }

    /// How many machines there are, and users of closed loops that are not written down, where there are several.
    pub(super) fn counts(&self, scenario: &Scenario) -> Vec<(String, u32)> {
        let model = &scenario.model;
        let services = model.services.iter().map(|(name, s)| (format!("services.{}.nodes", name.value), s.nodes));
        let users =
            model.workloads.iter().zip(&self.loads).filter_map(|((name, workload), load)| match workload.load {
                Load::Users { users, .. } if !load.timed => Some((format!("workloads.{}.users", name.value), users)),
                Load::Users { .. } | Load::Rate { .. } | Load::Trace(_) => None,
            });
        let now = |(path, count): (String, u32)| {
            let count = self.set_number(&path).unwrap_or(count);
            (path, count)
        };
        services.chain(users).map(now).filter(|(_, count)| *count > 1).collect()
    }

    /// The same with as many users as have something to do, if that is fewer.
    pub(super) fn fewer_users(&self, scenario: &Scenario) -> Vec<(String, Self)> {
        let mut all = Vec::new();
        for (n, load) in self.loads.iter().enumerate().filter(|(_, load)| load.timed && !load.begins.is_empty()) {
            let Load::Users { users, .. } = scenario.model.workloads[n].1.load else { continue };
            let busy: BTreeSet<u32> = load.begins.iter().filter_map(|begin| begin.user).collect();
            let path = format!("workloads.{}.users", load.workload);
            if busy.len() as u32 >= self.set_number(&path).unwrap_or(users) {
                continue;
            }
            let mut state = self.with(&path, busy.len().to_string());
            for begin in &mut state.loads[n].begins {
                begin.user = begin.user.map(|user| busy.range(..user).count() as u32);
            }
            all.push((format!("{path} = {}", busy.len()), state));
        }
        all
    }

    /// The same, with this instance half as long.
    pub(super) fn halved(&self, element: &Element) -> Option<Self> {
        let Element::Instance(fault, number) = *element else { return None };
        let mut state = self.clone();
        let Came::Instances(all) = &mut state.faults[fault].came else { return None };
        let one = all.iter_mut().find(|one| one.number == number)?;
        let half = one.length?.0 / 2;
        // A whole number of milliseconds reads well.
        let half = if half > 2_000_000 { half / 1_000_000 * 1_000_000 } else { half };
        one.length = Some(Span(half)).filter(|half| half.0 > 0);
        one.length?;
        Some(state)
    }
}
