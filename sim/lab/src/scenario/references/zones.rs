//! Zones: does every name mean one, and is the way between any two of them known?

use std::collections::{BTreeMap, BTreeSet};

use super::super::diagnostic::Diagnostic;
use super::Checker;
use crate::model::{At, Place};

impl<'a> Checker<'a> {
    /// Who is in which zone: the names as services and workloads write them.
    fn settled(&self) -> impl Iterator<Item = &'a At<String>> + use<'a> {
        let services = self.model.services.iter().flat_map(|(_, service)| &service.zones);
        let brokers = self.model.brokers.iter().flat_map(|(_, broker)| &broker.zones);
        services.chain(brokers).chain(self.model.workloads.iter().filter_map(|(_, workload)| workload.zone.as_ref()))
    }

    pub(super) fn zones(&mut self) {
        if self.broken(&["zones"]) {
            return;
        }
        let known = self.known_zones();
        for path in &self.model.zones {
            if path.from.value == path.to.value {
                let label = "within a zone it is `network.latency`";
                self.errors.push(Diagnostic::error(path.to.place, "a zone has no way to itself", label));
            }
        }
        // The first place of each zone that somebody is in.
        let mut used: BTreeMap<&str, Place> = BTreeMap::new();
        for zone in self.settled().filter(|zone| !zone.value.is_empty()) {
            if known.iter().any(|(name, _)| *name == zone.value) {
                used.entry(&zone.value).or_insert(zone.place);
            } else {
                self.unknown(zone.place, &zone.value, "zone", &known.iter().map(|(name, at)| (*name, Some(*at))));
            }
        }
        let ways: BTreeSet<(&str, &str)> =
            self.model.zones.iter().map(|path| (path.from.value.as_str(), path.to.value.as_str())).collect();
        for (n, (one, first)) in used.iter().enumerate() {
            for (other, second) in used.iter().skip(n + 1) {
                if !ways.contains(&(*one, *other)) && !ways.contains(&(*other, *one)) {
                    let message = format!("the way from zone `{one}` to zone `{other}` is not known");
                    let error = Diagnostic::error(*second, message, "somebody is here").also(*first, "and here");
                    let help = format!("in `[zones]`: `{one} = {{ {other} = \"40ms\" }}`");
                    self.errors.push(error.help(help));
                }
            }
        }
    }

    /// Every zone of `[zones]`, on either side of a way.
    fn known_zones(&self) -> Vec<(&'a str, Place)> {
        let mut known: BTreeMap<&str, Place> = BTreeMap::new();
        for path in &self.model.zones {
            for end in [&path.from, &path.to] {
                known.entry(&end.value).or_insert(end.place);
            }
        }
        known.into_iter().collect()
    }

    /// A target or an end of a link: a zone that somebody is in.
    pub(super) fn zone_target(&mut self, place: Place, name: &'a str) {
        let known = self.known_zones();
        if known.iter().all(|(zone, _)| *zone != name) {
            self.unknown(place, name, "zone", &known.iter().map(|(name, at)| (*name, Some(*at))));
        } else if self.settled().all(|zone| zone.value != name) {
            let label = "no service and no workload says `zone` or `zones` with this name";
            self.errors.push(Diagnostic::error(place, format!("nobody is in the zone `{name}`"), label));
        }
    }
}
