//! Another future of the same past: from a moment on everything that is left to chance is drawn anew.
//!
//! What has been drawn stays: messages on their way, works in progress, timers, faults that have begun. What is still to be
//! drawn is drawn as with another seed. A fault that was only planned is drawn again under the condition that it has not
//! happened yet: so the futures of a moment are those that somebody who knew the past must expect.

use alloc::format;
use alloc::sync::Arc;

use kernel::{Distribution, Process, Seed, Span, Time};

use crate::cluster::Cluster;
use crate::event::Event;
use crate::faults::Faults;
use crate::ledger::{Skip, State};
use crate::passage::Wires;
use crate::plan::{FaultKind, Trigger};
use crate::watch::Watch;
use crate::world::World;

/// A draw that must come out later than now is tried so often; then it stays as it was.
const TRIES: u64 = 64;

impl<P: Process> Cluster<P> {
    /// From here on draws are those of `seed`. `plan` is the plan of all processes for that seed, the same but for its keys;
    /// `each` tells a process of it, which may have a generator of its own.
    pub fn reseed<W: Watch<P>>(
        &mut self,
        plan: Arc<P::Plan>,
        seed: Seed,
        mut each: impl FnMut(&P::Plan, &mut P),
        watch: &mut W,
    ) {
        self.plan = plan;
        for process in &mut self.processes {
            each(&self.plan, process);
        }
        self.world.reseed(seed);
        let faults = Arc::clone(&self.world.faults.plan);
        for instance in self.world.faults.active() {
            let fault = self.world.faults.ledger[instance as usize].fault;
            if fault.is_some_and(|fault| matches!(faults.faults[fault as usize].kind, FaultKind::Disturb { .. })) {
                self.announce(instance, watch);
            }
        }
    }
}

impl<P: Process> Cluster<P> {
    /// From here on processes follow another plan, which must be the same in all that they have already done by it.
    pub fn replan(&mut self, plan: Arc<P::Plan>) {
        self.plan = plan;
    }
}

impl<P: Process> World<P> {
    fn reseed(&mut self, seed: Seed) {
        self.rekey_disks(seed);
        self.network.wires.rekey(&Wires::new(seed));
        let now = self.now();
        self.faults.rekey(seed);
        for nuisance in &mut self.network.nuisances {
            if let Some(fault) = self.faults.ledger[nuisance.instance as usize].fault {
                nuisance.key = self.faults.keys[fault as usize].effect;
            }
        }
        for (fault, time) in self.faults.plan_again(now, seed) {
            let instance = self.faults.issue(fault, time);
            self.queue.at(time, Event::Strike { instance });
        }
    }
}

impl Faults {
    /// The times of what was planned for later and is left to chance; the old plans are void.
    fn plan_again(&mut self, now: Time, seed: Seed) -> alloc::vec::Vec<(u32, Time)> {
        let plan = Arc::clone(&self.plan);
        let mut times = alloc::vec::Vec::new();
        for (number, fault) in (0..).zip(&plan.faults) {
            match &fault.trigger {
                Trigger::At(time) if !matches!(time, Distribution::Constant { .. }) => {
                    let key = self.trigger_key(number);
                    let later = (0..TRIES).map(|n| Time(time.span(&mut key.draw(0, 0, n)).0)).find(|at| *at > now);
                    if let Some(at) = later
                        && self.void(number)
                    {
                        times.push((number, at));
                    }
                }
                Trigger::Rate(rate) => {
                    let Ok(gap) = Distribution::exponential(1e9 / rate) else { continue };
                    self.void(number);
                    let mut stream = seed.stream(&format!("faults.{}", fault.name));
                    let to = fault.window.to.min(plan.heal);
                    let mut at = now.max(fault.window.from) + gap.span(&mut stream).max(Span(1));
                    while at < to {
                        times.push((number, at));
                        at += gap.span(&mut stream).max(Span(1));
                    }
                }
                Trigger::At(_)
                | Trigger::Every(_)
                | Trigger::Always
                | Trigger::Listed(_)
                | Trigger::Point { .. }
                | Trigger::After { .. } => {}
            }
        }
        self.draw_occurrences(TRIES);
        times
    }

    /// Nothing comes of what is planned of this fault; tells whether something was.
    fn void(&mut self, fault: u32) -> bool {
        let mut any = false;
        for entry in self.ledger.iter_mut().filter(|e| e.fault == Some(fault) && e.state == State::Planned) {
            entry.state = State::Skipped(Skip::OutsideWindow);
            any = true;
        }
        any
    }
}
