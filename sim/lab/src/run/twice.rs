//! The same run twice, side by side: equal event for event, or the first difference by name.

use kernel::{NodeId, Time};

use super::{Go, Options, Progress, World, warmup};
use crate::outcome::Outcome;
use crate::scenario::{Diagnostic, Scenario};

/// One event as it was handled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRecord {
    /// When.
    pub time: Time,
    /// Its place in the order.
    pub sequence: u64,
    /// Where.
    pub node: String,
    /// What sort.
    pub kind: String,
    /// A digest of its message, timer or record.
    pub digest: u64,
    /// Of the run up to it and with it: differs also where the event is the same and what it did is not.
    pub fingerprint: u64,
}

/// The first event that differs between two runs of the same scenario and seed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Divergence {
    /// Its number, from 1.
    pub event: u64,
    /// In the first run; none if it had ended.
    pub first: Option<EventRecord>,
    /// In the second.
    pub second: Option<EventRecord>,
}

/// Runs twice in lockstep. The outcome is the first run's.
pub fn twice(
    scenario: &Scenario,
    seed: u64,
    variant: Option<&str>,
    options: &Options,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Result<(Outcome, Option<Divergence>), Vec<Diagnostic>> {
    let settled = warmup::settle(scenario, seed, progress)?;
    let scenario = settled.as_ref().map_or(scenario, |settled| &settled.scenario);
    let mut first = World::new(scenario, seed, options)?;
    let mut second = World::new(scenario, seed, &Options::lean())?;
    let limit = first.times.limit;
    let mut divergence = None;
    loop {
        let (a, b) = (first.step(), second.step());
        if a.is_none() && b.is_none() {
            break;
        }
        let same_state = first.cluster.fingerprint() == second.cluster.fingerprint();
        if a != b || !same_state {
            let (one, two) = (a.map(|handled| record(&handled, &first)), b.map(|handled| record(&handled, &second)));
            let event = first.cluster.events().max(second.cluster.events());
            divergence = Some(Divergence { event, first: one, second: two });
            break;
        }
        let events = first.cluster.events();
        if events % super::PROGRESS_EVERY == 0 {
            let at = Progress { now: first.cluster.now(), limit, events };
            if progress(at) == Go::Stop {
                first.listener.interrupted = true;
                break;
            }
        }
    }
    let mut outcome = first.finish(scenario, seed, variant);
    if let Some(settled) = settled {
        settled.tell(&mut outcome);
    }
    Ok((outcome, divergence))
}

fn record(handled: &cluster::Handled, world: &World) -> EventRecord {
    EventRecord {
        time: handled.time,
        sequence: handled.sequence,
        node: world.listener.names.node(NodeId(handled.node.0)).to_owned(),
        kind: format!("{:?}", handled.kind).to_lowercase(),
        digest: handled.digest,
        fingerprint: world.cluster.fingerprint(),
    }
}
