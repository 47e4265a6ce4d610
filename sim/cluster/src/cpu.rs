//! The processors of a machine whose work may take longer than its demand (docs/semantics.md, rule 13).
//!
//! All work in progress runs at one speed, so what matters is a single number: how much a work that was there all the time
//! has received so far, `attained`. A work is finished when that is what it was when the work began, and its demand
//! (processor sharing in virtual time, as in A. Parekh and R. Gallager, "A generalized processor sharing approach to flow
//! control", 1993). One event is pending for all of it: the end of the work that ends first.
//!
//! `attained` is a whole number of 2⁻²⁰ ns and rounded down when work begins or ends or the speed changes; the end of a
//! work is rounded up to the nanosecond. So no work ends early, and one is late by less than 2 ns for each of these that it
//! saw. At full speed everything is exact.
//!
//! A machine with unlimited processors that no declared fault may slow has none of this: there a work is an event.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{Handle, NodeId, Process, Span, Time};

use crate::event::Event;
use crate::hardware::NodeHardware;
use crate::plan::{FaultKind, FaultPlan, Target};
use crate::world::World;

/// The most processors a machine can have; more than that are as good as unlimited.
pub const CORES_MAX: u32 = 65_536;

/// Parts of a nanosecond that are counted.
const GRAIN: u128 = 1 << 20;
/// Slowdowns are in millionths.
const FULL_SPEED: u64 = 1_000_000;

/// Processors and what they work on.
#[derive(Clone)]
pub(crate) struct Cpu<T> {
    cores: Option<u32>,
    /// What a work that was always there has received, in grains, at the time beside it.
    attained: (u128, Time),
    /// Work in progress: by what is attained at its end, then in the order in which it began.
    works: BTreeMap<(u128, u64), T>,
    begun: u64,
    /// Which instances slow the machine, and by how much each.
    slowed_by: Vec<(u32, u64)>,
    /// All of that together; rounded up.
    slowdown: u64,
    /// When the first work ends, and its event.
    due: Option<(Time, Handle)>,
}

impl<T: Copy> Cpu<T> {
    pub(crate) fn new(cores: Option<u32>) -> Self {
        assert!(cores.is_none_or(|cores| (1..=CORES_MAX).contains(&cores)), "a machine has 1 to 65 536 processors");
        Self {
            cores,
            attained: (0, Time::ZERO),
            works: BTreeMap::new(),
            begun: 0,
            slowed_by: Vec::new(),
            slowdown: FULL_SPEED,
            due: None,
        }
    }

    /// At which speed each work runs, as a fraction.
    fn speed(&self) -> (u128, u128) {
        let (full, slowed) = (u128::from(FULL_SPEED), u128::from(self.slowdown));
        match (self.cores.map(u128::from), self.works.len() as u128) {
            (Some(cores), works) if works > cores => (full * cores, slowed * works),
            (Some(_) | None, _) => (full, slowed),
        }
    }

    /// Counts what was received until now. Must come before every change of speed.
    fn advance(&mut self, now: Time) {
        let (per, of) = self.speed();
        let (attained, since) = self.attained;
        self.attained = (attained + u128::from(now.since(since).0) * GRAIN * per / of, now);
    }

    /// When the first work ends if the speed stays as it is.
    fn first_end(&self) -> Option<Time> {
        let (&(end, _), _) = self.works.first_key_value()?;
        let (attained, now) = self.attained;
        let (per, of) = self.speed();
        // What does not fit is far behind the end of time.
        let left = end.saturating_sub(attained).checked_mul(of).map(|left| left.div_ceil(GRAIN * per));
        Some(now + left.and_then(|left| u64::try_from(left).ok()).map_or(Span::MAX, Span))
    }

    /// How much work in progress is not finished.
    fn unfinished(&self) -> u64 {
        self.works.range((self.attained.0 + 1, 0)..).count() as u64
    }

    fn weigh(&mut self) {
        let product = self.slowed_by.iter().fold(u128::from(FULL_SPEED), |product, &(_, factor)| {
            u128::from(
                u64::try_from((product * u128::from(factor)).div_ceil(u128::from(FULL_SPEED))).unwrap_or(u64::MAX),
            )
        });
        self.slowdown = u64::try_from(product).unwrap_or(u64::MAX);
    }

    /// Nothing slows the machine.
    pub(crate) fn is_unhindered(&self) -> bool {
        self.slowed_by.is_empty()
    }
}

impl<P: Process> World<P> {
    fn cpu(&mut self, node: u32) -> &mut Cpu<P::Timer> {
        self.host_mut(node).cpu.as_mut().expect("every machine that may be slowed was known at the start")
    }

    /// A work begins on a machine that shares its processors or may be slowed.
    pub(crate) fn begin_work(&mut self, node: u32, done: P::Timer, demand: Span) {
        let now = self.now();
        let cpu = self.cpu(node);
        cpu.advance(now);
        let end = cpu.attained.0 + u128::from(demand.0) * GRAIN;
        cpu.works.insert((end, cpu.begun), done);
        cpu.begun += 1;
        let slowed_by: Vec<u32> = cpu.slowed_by.iter().map(|(instance, _)| *instance).collect();
        for instance in slowed_by {
            self.faults.ledger[instance as usize].impact.works_slowed += u64::from(demand > Span::ZERO);
        }
        self.expect_end(node);
    }

    /// The first work ends: what it says to the process.
    pub(crate) fn end_work(&mut self, node: u32) -> P::Timer {
        let now = self.now();
        let cpu = self.cpu(node);
        cpu.advance(now);
        cpu.due = None;
        let ((end, _), done) = cpu.works.pop_first().expect("an event is pending while there is work");
        assert!(end <= cpu.attained.0, "no work ends early");
        self.expect_end(node);
        done
    }

    /// An instance slows a machine from now on; what is in progress there is its doing, too.
    pub(crate) fn slow_down(&mut self, node: u32, instance: u32, factor: f64) {
        let now = self.now();
        let cpu = self.cpu(node);
        cpu.advance(now);
        cpu.slowed_by.push((instance, millionths(factor)));
        cpu.weigh();
        let works = cpu.unfinished();
        self.faults.ledger[instance as usize].impact.works_slowed += works;
        self.expect_end(node);
    }

    /// An instance slows a machine no longer.
    pub(crate) fn speed_up(&mut self, node: u32, instance: u32) {
        let now = self.now();
        let cpu = self.cpu(node);
        cpu.advance(now);
        cpu.slowed_by.retain(|(by, _)| *by != instance);
        cpu.weigh();
        self.expect_end(node);
    }

    /// A crash ends all work without a word.
    pub(crate) fn abandon_work(&mut self, node: u32) {
        let Some(cpu) = &mut self.host_mut(node).cpu else { return };
        cpu.works.clear();
        if let Some((_, event)) = cpu.due.take() {
            self.queue.cancel(event);
        }
    }

    /// Work or speed changed: the event of the first end moves, if it must.
    fn expect_end(&mut self, node: u32) {
        let cpu = self.cpu(node);
        let due = cpu.first_end();
        if due == cpu.due.map(|(due, _)| due) {
            return;
        }
        let pending = cpu.due.take();
        if let Some((_, event)) = pending {
            self.queue.cancel(event);
        }
        if let Some(due) = due {
            let event = self.queue.at(due, Event::Finished { node });
            self.cpu(node).due = Some((due, event));
        }
    }
}

/// The processors of each machine, where they are limited or a declared fault may slow them.
pub(crate) fn of_machines<T: Copy>(nodes: &[NodeHardware], plan: &FaultPlan) -> Vec<Option<Box<Cpu<T>>>> {
    let slowed = may_be_slowed(plan, nodes.len());
    let cpu = |(node, slowed): (&NodeHardware, bool)| {
        (slowed || node.cores.is_some()).then(|| Box::new(Cpu::new(node.cores)))
    };
    nodes.iter().zip(slowed).map(cpu).collect()
}

/// Which machines some declared fault may slow; it may be more than will be.
fn may_be_slowed(plan: &FaultPlan, nodes: usize) -> Vec<bool> {
    let mut slowed = vec![false; nodes];
    for fault in &plan.faults {
        let FaultKind::SlowCpu { factor } = &fault.kind else { continue };
        assert!(*factor >= 1.0 && factor.is_finite(), "a processor is slowed by a factor of at least 1");
        for target in fault.every_target() {
            match target {
                Target::All(of)
                | Target::Any { of, .. }
                | Target::Minority(of)
                | Target::Majority(of)
                | Target::Fraction { of, .. }
                | Target::Leader(of)
                | Target::Followers(of)
                | Target::Same(of) => of.iter().for_each(|NodeId(node)| slowed[*node as usize] = true),
                Target::NodesOf(_) | Target::Others => slowed.fill(true),
            }
        }
    }
    slowed
}

/// To the nearest millionth; factors are not negative.
fn millionths(factor: f64) -> u64 {
    (factor * FULL_SPEED as f64 + 0.5) as u64
}
