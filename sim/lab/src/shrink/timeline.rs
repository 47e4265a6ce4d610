//! When things happen in a candidate's run: when operations begin, and what a fault may be moved to.

use kernel::{NodeId, Time};
use systems::app::plan::Part;

use crate::run::{Options, World};
use crate::scenario::Scenario;

/// Events that are looked at, at the most.
const EVENTS_MAX: u64 = 20_000_000;

/// An operation that begins.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Begin {
    /// When.
    pub(super) at: Time,
    /// Its number in its workload.
    pub(super) number: u64,
    /// Whose it is, in a closed loop.
    pub(super) user: Option<u32>,
}

/// By workload, when each operation of a run begins that has come to its end before.
pub(super) fn begins(scenario: &Scenario, seed: u64) -> Option<Vec<Vec<Begin>>> {
    let mut world = World::new(scenario, seed, &Options::lean()).ok()?;
    let parts = |node: u32, world: &World| match world.cluster.plan().nodes[node as usize].part {
        Part::Workload(n) => Some((NodeId(node), n as usize, 0)),
        Part::Service(_) | Part::Database(_) | Part::Broker(_) | Part::Topics(_) | Part::Replica(_) => None,
    };
    let mut clients: Vec<(NodeId, usize, u64)> =
        (0..world.cluster.len() as u32).filter_map(|node| parts(node, &world)).collect();
    let mut begins = vec![Vec::new(); scenario.model.workloads.len()];
    while let Some(handled) = world.step() {
        for (node, workload, known) in &mut clients {
            let process = world.cluster.process(*node);
            // An event begins one operation at the most.
            if let (Some(begun), Some((number, user))) = (process.begun(), process.latest())
                && begun > *known
            {
                *known = begun;
                if world.cluster.plan().workloads[*workload].begins(number) {
                    begins[*workload].push(Begin { at: handled.time, number, user });
                }
            }
        }
    }
    Some(begins)
}

/// The moments at which something happens from one time to another: the first so many, and as many of all that follow.
pub(super) fn moments(scenario: &Scenario, seed: u64, (from, to): (Time, Time), most: usize) -> Vec<Time> {
    let Ok(mut world) = World::new(scenario, seed, &Options::lean()) else { return Vec::new() };
    let mut moments = Vec::new();
    while let Some(handled) = world.step() {
        if handled.time >= from && moments.last() != Some(&handled.time) {
            moments.push(handled.time);
        }
        if handled.time > to || world.cluster.events() > EVENTS_MAX {
            break;
        }
    }
    let rest = moments.split_off(most.min(moments.len()));
    let step = rest.len().div_ceil(most).max(1);
    moments.extend(rest.into_iter().step_by(step));
    moments
}
