//! What candidates have in common at their beginning is run once: worlds are kept on the way of a state's run, and a candidate
//! that begins other operations only from some moment on goes on from a clone of the last world before that.
//!
//! It comes to the same events as if it were run from the beginning. Clients look up what they begin when they begin it; all
//! that a world knows beforehand is which operation each of them begins next, so that must be the same, too.

use kernel::Time;

use super::state::{Operations, State};
use super::timeline::Begin;
use crate::model::Load;
use crate::run::{Options, World};
use crate::scenario::Scenario;

/// Worlds that are kept.
const KEPT: usize = 12;
/// With fewer operations a run takes no longer than a clone.
const OPERATIONS_MIN: usize = 100;

/// Worlds on the way of a state's run.
pub(super) struct Prefix {
    state: State,
    /// In order; nothing has happened from that time on.
    worlds: Vec<(Time, World)>,
}

impl Prefix {
    /// Worlds on the way of this state's run, at moments at which so many operations have begun. Those of a state that it
    /// was made from are taken over as far as they go.
    pub(super) fn new(state: &State, scenario: &Scenario, seed: u64, before: Option<Self>) -> Option<Self> {
        let run = &scenario.model.run;
        if state.begun() < OPERATIONS_MIN || run.automatic_warmup || !moves_no_other(state, scenario) {
            return None;
        }
        let mut worlds = before.map_or_else(Vec::new, |before| {
            let shared = before.shared_at(state);
            before.worlds.into_iter().filter(|(at, _)| Some(*at) <= shared).collect()
        });
        let mut world = match worlds.last() {
            Some((_, world)) => {
                let mut world: World = world.clone();
                world.begin_as(scenario, seed).ok()?;
                world
            }
            None => World::new(scenario, seed, &Options::lean()).ok()?,
        };
        let mut begins: Vec<Time> = state.loads.iter().flat_map(|load| &load.begins).map(|begin| begin.at).collect();
        begins.sort_unstable();
        for part in 1..KEPT {
            let at = begins[begins.len() * part / KEPT];
            if worlds.last().is_some_and(|(last, _)| *last >= at) {
                continue;
            }
            while world.cluster.next_time().is_some_and(|next| next < at) {
                if world.step().is_none() {
                    return Some(Self { state: state.clone(), worlds });
                }
            }
            worlds.push((at, world.clone()));
        }
        Some(Self { state: state.clone(), worlds })
    }

    /// A world from which a candidate can go on.
    pub(super) fn world(&self, candidate: &State) -> Option<&World> {
        let shared = self.shared_at(candidate)?;
        self.worlds.iter().rfind(|(at, _)| *at <= shared).map(|(_, world)| world)
    }

    /// The latest of the moments until which a candidate's run is the same.
    fn shared_at(&self, candidate: &State) -> Option<Time> {
        let State { faults, loads, sets, end } = &self.state;
        if *faults != candidate.faults || *sets != candidate.sets || *end != candidate.end {
            return None;
        }
        let same = |at: Time| loads.iter().zip(&candidate.loads).all(|(one, other)| same_until(one, other, at));
        self.worlds.iter().rev().map(|(at, _)| *at).find(|at| same(*at))
    }
}

/// Whether the others begin when they did if an operation is left out.
fn moves_no_other(state: &State, scenario: &Scenario) -> bool {
    let mut loads = scenario.model.workloads.iter().zip(&state.loads);
    loads.all(|((_, workload), load)| load.timed || !matches!(workload.load, Load::Users { .. }))
}

/// Whether until then the same operations begin, and what waits for its time is the same.
fn same_until(one: &Operations, other: &Operations, at: Time) -> bool {
    let (one_before, one_after) = one.begins.split_at(one.begins.partition_point(|begin| begin.at < at));
    let (other_before, other_after) = other.begins.split_at(other.begins.partition_point(|begin| begin.at < at));
    if one.timed != other.timed || one_before != other_before {
        return false;
    }
    if !one.timed {
        // What is left out is passed over in its turn; only who begins nothing more waits for nothing.
        return one_after.is_empty() == other_after.is_empty();
    }
    let mut users: Vec<Option<u32>> = one_after.iter().chain(other_after).map(|begin| begin.user).collect();
    users.sort_unstable();
    users.dedup();
    let next = |begins: &[Begin], user| begins.iter().find(|begin| begin.user == user).copied();
    users.into_iter().all(|user| next(one_after, user) == next(other_after, user))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicBool;

    use super::super::candidate::Test;
    use super::super::state::Element;
    use super::super::{Known, Request, loads};
    use super::*;
    use crate::repro::{record, written};
    use crate::run::{Go, run};
    use crate::scenario::{Choice, Source, load};

    const SHOP: &str = "version = 1\nrun = { duration = \"4s\", seed = 3 }\nnetwork.latency = \"exp(2ms)\"\n\
        [services.payment]\nnodes = 2\nstate.paid = { kind = \"counter\" }\n\
        ops.pay.steps = [{ work = \"exp(3ms)\" }, { update = \"paid\", add = 1 }]\n\
        [services.shop]\nops.buy.steps = [{ call = \"payment.pay\", timeout = \"40ms\", retry = { attempts = 4, backoff = \"20ms\" } }]\n\
        [workloads.buyers]\nrate = \"60/s\"\ntarget = \"shop.buy\"\n\
        [workloads.regulars]\nusers = 4\nthink = \"exp(60ms)\"\ntarget = \"shop.buy\"\n\
        [faults.deaths]\nkind = \"crash\"\nrate = \"1/s\"\ntarget = \"payment[any]\"\nfor = \"exp(300ms)\"\n\
        [invariants]\nfew = { always = \"payment.paid < 100\" }\n";

    #[test]
    fn going_on_from_a_world_of_the_prefix_is_the_same_run() {
        let source = Source::new("shop.toml", SHOP.to_owned());
        let scenario = load(&source, &Choice::default()).expect("it is right");
        let recorded = record(&scenario, 3, None, &mut |_| Go::On).expect("it compiles");
        let faults = written(&scenario.model, &recorded);
        let loads = loads(&scenario, 3).expect("it runs");
        let state = State { faults, loads, sets: BTreeMap::new(), end: None };
        let choice = Choice { seed: Some(3), ..Choice::default() };
        let request = Request { choice, promise: None, budget: 1, jobs: 1, known: Known::new() };
        let stop = AtomicBool::new(false);
        let test = Test::new(&source, &request, &scenario, ("few".to_owned(), crate::outcome::Tilt::Neither, 3), &stop);
        let mut prefix = None;
        let mut left = state;
        let (mut shared, mut fewer) = (0, 0);
        for round in 0..24_u64 {
            let scenario = test.scenario(&left).expect("it is right");
            prefix = Prefix::new(&left, &scenario, 3, prefix);
            let worlds = prefix.as_ref().expect("there are many operations, none of which moves another");
            let all = left.operations();
            // Some run of neighbours, late ones and early ones, long ones and single ones, and all the last ones of one load.
            let last = round % 8 == 7;
            let most = if round % 3 == 0 { 1 } else { 40 };
            let count = if last { all.len() / 6 } else { 1 + kernel::fold(round, 1) as usize % most };
            let others = all.len() - count;
            let from = if last { others } else { kernel::fold(round, 2) as usize % others };
            let mut gone: Vec<Element> = all[from..from + count].to_vec();
            // Who still begins something is then not told that there is nothing more for the others.
            gone.retain(|operation| !last || matches!(operation, Element::Operation(0, _)));
            let candidate = left.without(&gone);
            let scenario = test.scenario(&candidate).expect("it is right");
            let whole = run(&scenario, 3, None, &Options::lean(), &mut |_| Go::On).expect("it compiles");
            if let Some(world) = worlds.world(&candidate) {
                let mut world: World = world.clone();
                let before = world.cluster.events();
                world.begin_as(&scenario, 3).expect("it compiles");
                let rest = world.rest(&scenario, 3, None, &mut |_| Go::On);
                assert_eq!((rest.fingerprint, rest.events), (whole.fingerprint, whole.events), "round {round}");
                assert_eq!(rest.invariants[0].first, whole.invariants[0].first);
                shared += before;
            }
            fewer += whole.events;
            if round % 4 == 1 {
                left = candidate;
            }
        }
        // If none were shared nothing would have been compared.
        assert!(shared * 4 > fewer, "{shared} of {fewer} events were not run again");
    }
}
