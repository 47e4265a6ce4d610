//! A plan that shrinks: pass after pass, as the minimiser of the command line goes (`lab::shrink`), one candidate at a time,
//! since it is the test that knows what fails.

use lab::scenario::load;
use lab::shrink::deltas::Deltas;
use proptest::strategy::ValueTree;

use super::plan::{Plan, Strikes};

/// A plan and what was tried to make it smaller.
///
/// ```
/// use proptest::strategy::{Strategy as _, ValueTree as _};
/// use proptest::test_runner::TestRunner;
/// use stormglass::builder::{Builder, Run, Service, Workload};
/// use stormglass::strategies;
///
/// let mut shop = Builder::new("shop");
/// shop.run(Run::new().duration("5s"))
///     .service("front", Service::new().op("buy", "2ms"))
///     .workload("load", Workload::new().rate("20/s").target("front.buy"));
/// let plans = strategies::faults(&shop.source()).workload("load");
/// let mut tree = plans.new_tree(&mut TestRunner::deterministic()).unwrap();
/// // What fails whatever happens needs nothing.
/// while tree.simplify() {}
/// assert_eq!((tree.current().faults(), tree.current().operations()), (0, 0));
/// ```
#[derive(Clone, Debug)]
pub struct PlanTree {
    /// The smallest plan that fails.
    best: Plan,
    /// The plan that is tried.
    current: Plan,
    /// Which pass of `PASSES` it is of.
    pass: usize,
    search: Search,
    /// Something went away in this round.
    smaller: bool,
}

/// One after the other, until a round of them changes nothing.
const PASSES: [Pass; 7] =
    [Pass::Faults, Pass::Instances, Pass::Targets, Pass::Turns, Pass::Paces, Pass::Operations, Pass::Lengths];
/// A length is halved so often at the most.
const HALVINGS: u32 = 12;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pass {
    /// Whole faults, those of the file first.
    Faults,
    /// Times at which a fault strikes.
    Instances,
    /// Whose machines are hit where they come by a point.
    Targets,
    /// What waits for the nth time that a point is reached waits for an earlier one.
    Turns,
    /// Operations come as fast as the file says.
    Paces,
    /// Operations.
    Operations,
    /// Faults last half as long.
    Lengths,
}

/// Where a pass is.
#[derive(Clone, Debug)]
enum Search {
    /// It has not begun.
    New,
    /// Elements of this plan are left out.
    Leaving(Deltas, Plan),
    /// Changes, one by one: which, and how often it did already.
    Changing(usize, u32),
    /// Nothing more can be made smaller.
    Over,
}

impl PlanTree {
    pub(super) fn new(plan: Plan) -> Self {
        Self { current: plan.clone(), best: plan, pass: 0, search: Search::New, smaller: false }
    }

    /// The next candidate that can be loaded becomes the current plan. Without one it is the best again.
    fn propose(&mut self) -> bool {
        while let Some(candidate) = self.candidate() {
            if candidate == self.best {
                // Nothing is lost without it.
                self.told(true);
            } else if PASSES[self.pass] != Pass::Faults || can_be_loaded(&candidate) {
                self.current = candidate;
                return true;
            } else {
                self.told(false);
            }
        }
        self.current = self.best.clone();
        false
    }

    fn candidate(&mut self) -> Option<Plan> {
        loop {
            let pass = PASSES[self.pass];
            match &self.search {
                Search::New => {
                    self.search = match elements(pass, &self.best) {
                        Some(count) => Search::Leaving(Deltas::new(count), self.best.clone()),
                        None => Search::Changing(0, 0),
                    };
                }
                Search::Leaving(deltas, whole) => match deltas.candidate() {
                    Some(kept) => return Some(only(pass, whole, &kept)),
                    None => self.next_pass(),
                },
                Search::Changing(place, times) => match changed(pass, &self.best, *place, *times) {
                    Some(candidate) => return Some(candidate),
                    None => self.next_pass(),
                },
                Search::Over => return None,
            }
        }
    }

    fn next_pass(&mut self) {
        self.search = Search::New;
        self.pass += 1;
        if self.pass == PASSES.len() {
            self.pass = 0;
            if !self.smaller {
                self.search = Search::Over;
            }
            self.smaller = false;
        }
    }

    fn told(&mut self, fails: bool) {
        match &mut self.search {
            Search::Leaving(deltas, _) => deltas.told(fails),
            Search::Changing(place, times) => {
                *times += 1;
                let again = match PASSES[self.pass] {
                    // From the first time upwards: the first that does is the best.
                    Pass::Turns => !fails && *times < TURNS,
                    Pass::Lengths => fails && *times < HALVINGS,
                    Pass::Faults | Pass::Instances | Pass::Targets | Pass::Paces | Pass::Operations => false,
                };
                if !again {
                    (*place, *times) = (*place + 1, 0);
                }
            }
            Search::New | Search::Over => {}
        }
    }
}

impl ValueTree for PlanTree {
    type Value = Plan;

    fn current(&self) -> Plan {
        self.current.clone()
    }

    fn simplify(&mut self) -> bool {
        if self.current != self.best {
            self.best = self.current.clone();
            self.smaller = true;
            self.told(true);
        }
        self.propose()
    }

    fn complicate(&mut self) -> bool {
        if self.current == self.best {
            return false;
        }
        self.told(false);
        self.propose()
    }
}

/// A fault of the file may be one that something else refers to; everything else that goes is nobody's.
fn can_be_loaded(plan: &Plan) -> bool {
    load(&plan.base.source, &plan.choice()).is_ok()
}

/// How many elements a pass may leave out, if it does that.
fn elements(pass: Pass, plan: &Plan) -> Option<usize> {
    match pass {
        Pass::Faults => Some(plan.own.len() + plan.planned.len()),
        Pass::Instances => Some(plan.planned.iter().map(|fault| times(&fault.strikes)).sum()),
        Pass::Targets => Some(plan.planned.iter().map(|fault| parts(&fault.strikes)).sum()),
        Pass::Operations => Some(plan.operations()),
        Pass::Turns | Pass::Paces | Pass::Lengths => None,
    }
}

fn times(strikes: &Strikes) -> usize {
    match strikes {
        Strikes::Times(all) => all.len(),
        Strikes::Point { .. } => 0,
    }
}

fn parts(strikes: &Strikes) -> usize {
    match strikes {
        Strikes::Times(_) => 0,
        Strikes::Point { targets, .. } => targets.len(),
    }
}

/// The plan with these elements only.
fn only(pass: Pass, plan: &Plan, kept: &[usize]) -> Plan {
    let mut plan = plan.clone();
    let mut kept = kept.iter().copied().peekable();
    let mut number = 0..;
    // Elements are asked for in their order, and so they are kept.
    let mut stays = || kept.next_if_eq(&number.next().unwrap_or(usize::MAX)).is_some();
    match pass {
        Pass::Faults => {
            let gone: Vec<String> = plan.own.iter().filter(|_| !stays()).cloned().collect();
            plan.own.retain(|name| !gone.contains(name));
            plan.left_out.extend(gone);
            plan.planned.retain(|_| stays());
        }
        Pass::Instances => {
            for fault in &mut plan.planned {
                if let Strikes::Times(all) = &mut fault.strikes {
                    all.retain(|_| stays());
                }
            }
            plan.planned.retain(|fault| parts(&fault.strikes) + times(&fault.strikes) > 0);
        }
        Pass::Targets => {
            for fault in &mut plan.planned {
                if let Strikes::Point { targets, .. } = &mut fault.strikes {
                    targets.retain(|_| stays());
                }
            }
            plan.planned.retain(|fault| parts(&fault.strikes) + times(&fault.strikes) > 0);
        }
        Pass::Operations => {
            for chosen in &mut plan.chosen {
                chosen.operations.retain(|_| stays());
            }
        }
        Pass::Turns | Pass::Paces | Pass::Lengths => {}
    }
    plan
}

/// So many turns of a point are tried: the first four, a quarter, half, and one less.
const TURNS: u32 = 7;

/// The plan with one change, or none if there are not that many things to change. What cannot change is the same plan.
fn changed(pass: Pass, plan: &Plan, place: usize, tried: u32) -> Option<Plan> {
    let mut plan = plan.clone();
    match pass {
        Pass::Turns => {
            let fault = plan.planned.get_mut(place)?;
            if let Strikes::Point { nth, .. } = &mut fault.strikes {
                let earlier = match tried {
                    0..4 => u64::from(tried) + 1,
                    4 => *nth / 4,
                    5 => *nth / 2,
                    _ => nth.saturating_sub(1),
                };
                *nth = earlier.clamp(1, *nth);
            }
        }
        Pass::Paces => {
            let chosen = plan.chosen.get_mut(place)?;
            if chosen.pace.take().is_some() {
                chosen.all = chosen.usual;
                // There may be fewer then: as many as there were, from the first on.
                if chosen.operations.last().is_some_and(|last| *last >= chosen.usual) {
                    chosen.operations = (0..chosen.usual.min(chosen.operations.len() as u64)).collect();
                }
            }
        }
        Pass::Lengths => {
            let instance = |strikes: &Strikes| times(strikes).max(1);
            let mut left = place;
            for fault in &mut plan.planned {
                let count = instance(&fault.strikes);
                if left >= count {
                    left -= count;
                    continue;
                }
                let length = match &mut fault.strikes {
                    Strikes::Times(all) => all.get_mut(left).map(|strike| &mut strike.length),
                    Strikes::Point { length, .. } => Some(length),
                };
                if let Some(length) = length {
                    *length = (*length / 2).max(1);
                }
                return Some(plan);
            }
            return None;
        }
        Pass::Faults | Pass::Instances | Pass::Targets | Pass::Operations => return None,
    }
    Some(plan)
}
