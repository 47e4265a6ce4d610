//! When things happen in a candidate's run: what a fault may be moved to.

use kernel::{NodeId, Time};
use systems::app::plan::Part;

use crate::run::{Options, World};
use crate::scenario::Scenario;

/// Events that are looked at, at the most.
const EVENTS_MAX: u64 = 20_000_000;

/// An operation: when it began, of which workload, its number.
pub(super) type Begin = (Time, usize, u64);

/// When each operation began.
pub(super) fn begins(scenario: &Scenario, seed: u64) -> Vec<Begin> {
    let Ok(mut world) = World::new(scenario, seed, &Options::lean()) else { return Vec::new() };
    let parts = |node: u32, world: &World| match world.cluster.plan().nodes[node as usize].part {
        Part::Workload(n) => Some((node, n as usize, 0)),
        Part::Service(_) | Part::Database(_) | Part::Broker(_) | Part::Topics(_) | Part::Replica(_) => None,
    };
    let mut clients: Vec<(u32, usize, u64)> =
        (0..world.cluster.len() as u32).filter_map(|node| parts(node, &world)).collect();
    let mut begins = Vec::new();
    while let Some(handled) = world.step() {
        for (node, workload, known) in &mut clients {
            let begun = world.cluster.process(NodeId(*node)).begun().unwrap_or(0);
            begins.extend((*known..begun).map(|number| (handled.time, *workload, number)));
            *known = begun;
        }
        if world.cluster.events() > EVENTS_MAX {
            break;
        }
    }
    begins
}

/// The moments at which something happens from `began` on: the first so many, and as many of all that follow.
pub(super) fn moments(scenario: &Scenario, seed: u64, began: Time, most: usize) -> Vec<Time> {
    let Ok(mut world) = World::new(scenario, seed, &Options::lean()) else { return Vec::new() };
    let mut moments = Vec::new();
    while let Some(handled) = world.step() {
        if handled.time >= began && moments.last() != Some(&handled.time) {
            moments.push(handled.time);
        }
        if world.cluster.events() > EVENTS_MAX {
            break;
        }
    }
    let rest = moments.split_off(most.min(moments.len()));
    let step = rest.len().div_ceil(most).max(1);
    moments.extend(rest.into_iter().step_by(step));
    moments
}
