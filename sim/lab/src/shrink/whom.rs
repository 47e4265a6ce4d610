//! Whom the faults of a candidate hit, and whom they might hit as well.

use std::collections::BTreeSet;

use kernel::Time;

use super::state::{Element, State};
use crate::repro::{Came, Struck, Written};
use crate::scenario::Scenario;

impl State {
    /// The same with this fault at this moment, on these machines.
    pub(super) fn moved(&self, element: &Element, at: Time, target: &[String]) -> Option<Self> {
        let (fault, one) = match *element {
            Element::Fault(fault) => (fault, self.faults[fault].first.clone()?),
            Element::Instance(fault, number) => (fault, self.struck(fault, number)?.clone()),
            Element::Message(..) | Element::Operation(..) => return None,
        };
        let mut state = self.clone();
        state.faults[fault].came = Came::Instances(vec![Struck { at, target: Some(target.to_vec()), ..one }]);
        Some(state)
    }

    /// The machines that a fault hits, and others like them.
    pub(super) fn places(&self, element: &Element, scenario: &Scenario) -> Vec<Vec<String>> {
        let one = match *element {
            Element::Fault(fault) => self.faults[fault].first.as_ref(),
            Element::Instance(fault, number) => self.struck(fault, number),
            Element::Message(..) | Element::Operation(..) => None,
        };
        one.and_then(|one| one.target.as_deref()).map_or_else(Vec::new, |target| alike(target, scenario))
    }

    /// The same with two machines of one kind changing places in all faults: with what to call it.
    pub(super) fn renamed(&self, scenario: &Scenario) -> Vec<(String, Self)> {
        let struck = |fault: &Written| match &fault.came {
            Came::Instances(all) => all.clone(),
            Came::Nothing | Came::Settled(_) => Vec::new(),
        };
        let all: Vec<Struck> = self.faults.iter().flat_map(struck).collect();
        let machines: BTreeSet<&String> =
            all.iter().flat_map(|one| one.target.iter().flatten().chain(one.split.iter().flatten())).collect();
        let mut renamed = Vec::new();
        for one in machines {
            for other in alike(std::slice::from_ref(one), scenario).into_iter().flatten().filter(|other| other != one) {
                let what = format!(", {one} and {other} change places");
                renamed.push((what, self.exchanged(one, &other)));
            }
        }
        renamed
    }

    fn exchanged(&self, one: &str, other: &str) -> Self {
        let mut state = self.clone();
        for fault in &mut state.faults {
            let Came::Instances(all) = &mut fault.came else { continue };
            for struck in all {
                for name in struck.target.iter_mut().flatten().chain(struck.split.iter_mut().flatten()) {
                    if name == one {
                        other.clone_into(name);
                    } else if name == other {
                        one.clone_into(name);
                    }
                }
            }
        }
        state
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
