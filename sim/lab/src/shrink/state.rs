//! A candidate: what each fault came to, which operations are begun, and what else is set.

use std::collections::BTreeMap;
use std::fmt;

use cluster::Hit;
use kernel::{Span, Time};

use super::Size;
use super::timeline::Begin;
use crate::model::Load;
use crate::repro::{Came, Struck, Written};
use crate::scenario::{Scenario, toml_duration, toml_text};

/// A scenario that is being made smaller.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct State {
    /// What each declared fault came to.
    pub(super) faults: Vec<Written>,
    /// By workload, the operations that are begun, in order.
    pub(super) operations: Vec<(String, Vec<u64>)>,
    /// Other values.
    pub(super) sets: BTreeMap<String, String>,
    /// When load ends, if that was cut.
    pub(super) end: Option<u64>,
}

/// Something that can be left out.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Element {
    Fault(String),
    Instance(String, u32),
    Message(String, u32, Hit),
    Operation(String, u64),
}

impl fmt::Display for Element {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(name) => write!(out, "faults.{name}"),
            Self::Instance(name, number) => write!(out, "faults.{name}, instance {number}"),
            Self::Message(name, number, Hit { operation, hop, number: n }) => {
                write!(out, "faults.{name}, instance {number}, message {operation}/{hop}/{n}")
            }
            Self::Operation(workload, number) => write!(out, "workloads.{workload}, operation {number}"),
        }
    }
}

impl State {
    /// What has to be set.
    pub(super) fn sets(&self) -> Vec<(String, String)> {
        let mut sets: Vec<(String, String)> = self.faults.iter().flat_map(Written::sets).collect();
        for (workload, numbers) in &self.operations {
            sets.push((format!("workloads.{workload}.only"), ranges(numbers)));
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
            operations: self.operations.iter().map(|(_, numbers)| numbers.len()).sum(),
            machines: machines.sum(),
            duration: self.end.unwrap_or(model.run.duration.0),
        }
    }

    fn set_number(&self, path: &str) -> Option<u32> {
        self.sets.get(path)?.parse().ok()
    }

    /// All faults that are still there.
    pub(super) fn whole_faults(&self) -> Vec<Element> {
        let there = self.faults.iter().filter(|fault| fault.came != Came::Nothing);
        there.map(|fault| Element::Fault(fault.name.clone())).collect()
    }

    /// All instances of faults that have several, or have lengths.
    pub(super) fn instances(&self) -> Vec<Element> {
        let of = |fault: &Written| match &fault.came {
            Came::Instances(all) => all.iter().map(|one| Element::Instance(fault.name.clone(), one.number)).collect(),
            Came::Nothing | Came::Settled(_) => Vec::new(),
        };
        self.faults.iter().flat_map(of).collect()
    }

    /// All messages that faults hit.
    pub(super) fn hits(&self) -> Vec<Element> {
        let mut hits = Vec::new();
        for fault in &self.faults {
            let Came::Instances(all) = &fault.came else { continue };
            for one in all {
                let of = |hit: &Hit| Element::Message(fault.name.clone(), one.number, *hit);
                hits.extend(one.hits.iter().flatten().map(of));
            }
        }
        hits
    }

    /// All operations.
    pub(super) fn operations(&self) -> Vec<Element> {
        let of = |(workload, numbers): &(String, Vec<u64>)| -> Vec<Element> {
            numbers.iter().map(|&number| Element::Operation(workload.clone(), number)).collect()
        };
        self.operations.iter().flat_map(of).collect()
    }

    /// The same without these.
    pub(super) fn without(&self, gone: &[Element]) -> Self {
        let mut state = self.clone();
        let left_out: BTreeMap<&str, std::collections::BTreeSet<u64>> =
            gone.iter().fold(BTreeMap::new(), |mut all, element| {
                if let Element::Operation(workload, number) = element {
                    all.entry(workload.as_str()).or_default().insert(*number);
                }
                all
            });
        for (workload, numbers) in &mut state.operations {
            if let Some(left_out) = left_out.get(workload.as_str()) {
                numbers.retain(|number| !left_out.contains(number));
            }
        }
        for fault in &mut state.faults {
            let is_gone = gone.iter().any(|element| matches!(element, Element::Fault(name) if *name == fault.name));
            if let Came::Instances(all) = &mut fault.came {
                all.retain(|one| !gone.contains(&Element::Instance(fault.name.clone(), one.number)));
                for one in &mut *all {
                    let number = one.number;
                    let name = &fault.name;
                    if let Some(hits) = &mut one.hits {
                        hits.retain(|hit| !gone.contains(&Element::Message(name.clone(), number, *hit)));
                    }
                }
                all.retain(|one| one.hits.as_ref().is_none_or(|hits| !hits.is_empty()));
            }
            if is_gone || fault.came == Came::Instances(Vec::new()) {
                fault.came = Came::Nothing;
            }
        }
        state
    }

    /// When a fault strikes that hits machines, or waits for a point.
    pub(super) fn strikes(&self, element: &Element) -> Option<Time> {
        match element {
            Element::Instance(name, number) => {
                let one = self.struck(name, *number)?;
                (one.hits.is_none() && one.target.is_some()).then_some(one.at)
            }
            Element::Fault(name) => {
                let settled = |fault: &&Written| fault.name == *name && matches!(fault.came, Came::Settled(_));
                self.faults.iter().find(settled)?.first.as_ref().map(|one| one.at)
            }
            Element::Message(..) | Element::Operation(..) => None,
        }
    }

    fn struck(&self, name: &str, number: u32) -> Option<&Struck> {
        let fault = self.faults.iter().find(|fault| fault.name == name)?;
        let Came::Instances(all) = &fault.came else { return None };
        all.iter().find(|one| one.number == number)
    }

    /// The same with a fault at the time at which it struck, right after what happened then.
    pub(super) fn at_a_time(&self, element: &Element) -> Option<Self> {
        let Element::Fault(name) = element else { return None };
        let mut state = self.clone();
        let settled = |fault: &&mut Written| fault.name == *name && matches!(fault.came, Came::Settled(_));
        let fault = state.faults.iter_mut().find(settled)?;
        let first = fault.first.clone().filter(|first| first.target.is_some())?;
        fault.came = Came::Instances(vec![Struck { at: Time(first.at.0 + 1), ..first }]);
        Some(state)
    }

    /// The same with those operations only that began between these moments.
    pub(super) fn within(&self, begins: &[Begin], from: Time, to: Time, scenario: &Scenario) -> Self {
        let mut state = self.clone();
        for (name, numbers) in &mut state.operations {
            let workload = scenario.model.workloads.iter().position(|(other, _)| other.value == *name);
            let kept: std::collections::BTreeSet<u64> = begins
                .iter()
                .filter(|begin| from <= begin.0 && begin.0 <= to && Some(begin.1) == workload)
                .map(|begin| begin.2)
                .collect();
            numbers.retain(|number| kept.contains(number));
        }
        state
    }

    /// The same with one operation, and with this fault or none.
    pub(super) fn only(&self, workload: &str, number: u64, kept: Option<&Element>) -> Self {
        let mut state = self.clone();
        for (name, numbers) in &mut state.operations {
            numbers.retain(|n| name == workload && *n == number);
        }
        for fault in &mut state.faults {
            match kept {
                Some(Element::Fault(name)) if *name == fault.name => {}
                Some(Element::Instance(name, number)) if *name == fault.name => {
                    if let Came::Instances(all) = &mut fault.came {
                        all.retain(|one| one.number == *number);
                    }
                }
                Some(_) | None => fault.came = Came::Nothing,
            }
        }
        state
    }

    /// The same with this fault at each of these moments, on each machine that is like the one that it hits; one that waits
    /// for a point, at the first, second and third time that it is reached.
    pub(super) fn moved(&self, element: &Element, moments: &[Time], scenario: &Scenario) -> Vec<(String, Self)> {
        let mut all = Vec::new();
        let (name, one) = match element {
            Element::Fault(name) => {
                let path = format!("faults.{name}.nth");
                all.extend((1..=3).map(|n| (format!("{path} = {n}"), self.with(&path, n.to_string()))));
                let first = self.faults.iter().find(|fault| fault.name == *name).and_then(|fault| fault.first.clone());
                (name, first)
            }
            Element::Instance(name, number) => (name, self.struck(name, *number).cloned()),
            Element::Message(..) | Element::Operation(..) => return all,
        };
        let Some(one) = one else { return all };
        let targets = one.target.as_deref().map_or_else(Vec::new, |target| alike(target, scenario));
        for target in targets {
            for &at in moments {
                let mut state = self.clone();
                if let Some(fault) = state.faults.iter_mut().find(|fault| fault.name == *name) {
                    fault.came = Came::Instances(vec![Struck { at, target: Some(target.clone()), ..one.clone() }]);
                }
                all.push((format!("{element} at {at} on {}", target.join(", ")), state));
            }
        }
        all
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
        state.end = Some(end);
        state
    }

    /// How many machines and users there are, where there are several.
    pub(super) fn counts(&self, scenario: &Scenario) -> Vec<(String, u32)> {
        let model = &scenario.model;
        let services = model.services.iter().map(|(name, s)| (format!("services.{}.nodes", name.value), s.nodes));
        let users = model.workloads.iter().filter_map(|(name, workload)| match workload.load {
            Load::Users { users, .. } => Some((format!("workloads.{}.users", name.value), users)),
            Load::Rate { .. } | Load::Trace(_) => None,
        });
        let now = |(path, count): (String, u32)| {
            let count = self.set_number(&path).unwrap_or(count);
            (path, count)
        };
        services.chain(users).map(now).filter(|(_, count)| *count > 1).collect()
    }

    /// The same, with this instance half as long.
    pub(super) fn halved(&self, element: &Element) -> Option<Self> {
        let Element::Instance(name, number) = element else { return None };
        let mut state = self.clone();
        let fault = state.faults.iter_mut().find(|fault| fault.name == *name)?;
        let Came::Instances(all) = &mut fault.came else { return None };
        let one = all.iter_mut().find(|one| one.number == *number)?;
        let half = one.length?.0 / 2;
        // A whole number of milliseconds reads well.
        let half = if half > 2_000_000 { half / 1_000_000 * 1_000_000 } else { half };
        one.length = Some(Span(half)).filter(|half| half.0 > 0);
        one.length?;
        Some(state)
    }
}

/// A target, and others like it: if it is one machine of several, each of them, at most four.
fn alike(target: &[String], scenario: &Scenario) -> Vec<Vec<String>> {
    let mut all = vec![target.to_vec()];
    if let [one] = target
        && let Some((name, _)) = one.split_once('[')
    {
        let model = &scenario.model;
        let services = model.services.iter().map(|(n, service)| (&n.value, service.nodes));
        let stores = model.stores.iter().map(|(n, store)| (&n.value, store.nodes));
        let nodes = services.chain(stores).find(|(n, _)| *n == name).map_or(0, |(_, nodes)| nodes);
        let others = (0..nodes).map(|n| vec![format!("{name}[{n}]")]).filter(|other| other != target);
        all.extend(others.take(3));
    }
    all
}

/// Numbers as a list in which neighbours are ranges.
fn ranges(numbers: &[u64]) -> String {
    let mut texts = Vec::new();
    let mut at = 0;
    while at < numbers.len() {
        let mut end = at + 1;
        while end < numbers.len() && numbers[end] == numbers[end - 1] + 1 {
            end += 1;
        }
        texts.push(match end - at {
            1 => numbers[at].to_string(),
            _ => format!("\"{}..{}\"", numbers[at], numbers[end - 1] + 1),
        });
        at = end;
    }
    format!("[{}]", texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn neighbours_are_ranges() {
        assert_eq!(ranges(&[]), "[]");
        assert_eq!(ranges(&[3]), "[3]");
        assert_eq!(ranges(&[0, 1, 2, 7, 9, 10]), "[\"0..3\", 7, \"9..11\"]");
    }
}
