//! Leases: how crashes and pauses begin and end on machines.
//!
//! An instance of a fault holds a lease on each of its machines. A machine is down while there is a lease of a crash on it
//! and paused while there is one of a pause, so overlapping faults need no further rule.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{Delta, Fact, FactKind, NodeId, Process, Span, fold};

use crate::cluster::{Cluster, MACHINE};
use crate::event::Event;
use crate::host::Late;
use crate::ledger::{FaultEvent, Skip};
use crate::plan::{FaultKind, Loses};
use crate::watch::Watch;

impl<P: Process> Cluster<P> {
    /// Crashes a machine between two events. It stays down until `restart`. A machine that is down stays as it is.
    pub fn crash_now<W: Watch<P>>(&mut self, node: NodeId, loses: Loses, watch: &mut W) {
        self.crash_by_hand(node, loses, None, watch);
    }

    /// Crashes a machine between two events; it comes back after `length`.
    pub fn crash_for<W: Watch<P>>(&mut self, node: NodeId, loses: Loses, length: Span, watch: &mut W) {
        self.crash_by_hand(node, loses, Some(length), watch);
    }

    fn crash_by_hand<W: Watch<P>>(&mut self, node: NodeId, loses: Loses, length: Option<Span>, watch: &mut W) {
        let now = self.now();
        let instance = self.world.faults.enter(None, 0, now);
        self.world.faults.by_hand.insert(instance, loses);
        if !self.up(node) {
            self.world.skip(instance, Skip::AlreadyDown, watch);
            return;
        }
        self.world.began(instance, vec![node], watch);
        self.world.strikes.push_back(instance);
        self.settle(watch);
        if let Some(length) = length {
            self.world.queue.after(length, Event::End { instance });
        }
    }

    /// Ends every crash that was injected by hand on this machine.
    pub fn restart<W: Watch<P>>(&mut self, node: NodeId, watch: &mut W) {
        for instance in self.world.faults.active() {
            let entry = &self.world.faults.ledger[instance as usize];
            if entry.fault.is_none() && entry.nodes.binary_search(&node).is_ok() {
                self.end(instance, watch);
            }
        }
        self.settle(watch);
    }

    /// Revokes every fault; none begins any more.
    pub fn heal<W: Watch<P>>(&mut self, watch: &mut W) {
        for instance in self.world.faults.close() {
            self.world.skip(instance, Skip::Healed, watch);
        }
        for instance in self.world.faults.active() {
            self.end(instance, watch);
        }
        self.settle(watch);
        let world = &self.world;
        assert!(world.faults.active().is_empty(), "no fault is active after heal");
        assert!(world.network.is_mended(), "no link is disturbed after heal");
        assert!(world.network.holds_nothing(), "no message is held after heal");
        for host in &world.hosts {
            assert!(host.crashes == 0 && host.pauses == 0, "every machine runs after heal");
            assert!(
                host.cpu.as_ref().is_none_or(|cpu| cpu.is_unhindered()),
                "every machine has its full speed after heal"
            );
        }
    }

    /// The crashes that were decided during this event happen now, and processes hear of disturbances.
    pub(crate) fn settle<W: Watch<P>>(&mut self, watch: &mut W) {
        while let Some(instance) = self.world.strikes.pop_front() {
            let entry = &self.world.faults.ledger[instance as usize];
            let loses = match entry.fault.map(|fault| &self.world.faults.plan.faults[fault as usize].kind) {
                None => self.world.faults.by_hand[&instance],
                Some(FaultKind::Crash(loses)) => *loses,
                Some(FaultKind::Disturb { .. }) => {
                    self.announce(instance, watch);
                    continue;
                }
                Some(
                    FaultKind::Pause
                    | FaultKind::SlowCpu { .. }
                    | FaultKind::ClockJump { .. }
                    | FaultKind::Partition { .. }
                    | FaultKind::Loss { .. }
                    | FaultKind::Duplicate { .. },
                ) => unreachable!("only crashes and disturbances wait for the end of an event"),
            };
            for node in entry.nodes.clone() {
                self.fall(node, loses, instance, watch);
            }
        }
    }

    /// One lease of a crash on one machine; the first takes it down.
    fn fall<W: Watch<P>>(&mut self, node: NodeId, loses: Loses, instance: u32, watch: &mut W) {
        let now = self.now();
        let host = self.world.host_mut(node.0);
        host.crashes += 1;
        if host.crashes > 1 {
            return;
        }
        host.trouble_mut().crash = Some(instance);
        watch.crashed(now, node);
        watch.fact(Fact { time: now, node, protocol: MACHINE, instance: 0, kind: FactKind::Crashed });
        let process = &mut self.processes[node.0 as usize];
        let mut gone = Vec::new();
        if loses.disk {
            process.rows_on_disk(&self.plan, &mut |row| gone.push(row));
        }
        let mut work = 0;
        if loses.memory {
            let mut change = Vec::new();
            process.volatile_cells(&self.plan, &mut |cell, key, before| {
                if before != 0 {
                    change.push(Delta { cell, key, before, after: 0 });
                }
            });
            if !change.is_empty() {
                watch.change(now, node, &change);
            }
            process.open_samples(&self.plan, &mut |series, since| watch.cut_short(now, node, series, since));
            process.kept_sums(&self.plan, &mut |series, sum| watch.kept_sum(now, node, series, sum));
            work = process.unfinished();
            *process = P::boot(&self.plan, node);
        }
        let mut impact = self.world.power_off(node.0, loses, watch);
        impact.work_lost = work;
        let host = self.world.host_mut(node.0);
        host.trouble_mut().gone.append(&mut gone);
        let owed = if loses.memory { P::owed(&self.plan, node, host.disk.records()) } else { host.unfinished };
        let before = core::mem::replace(&mut host.unfinished, owed);
        self.world.unfinished = self.world.unfinished - before + owed;
        self.world.faults.ledger[instance as usize].impact.add(impact);
    }

    /// An instance is over: its leases end.
    pub(crate) fn end<W: Watch<P>>(&mut self, instance: u32, watch: &mut W) {
        let now = self.now();
        if !self.world.faults.release(instance, now) {
            return;
        }
        let entry = &self.world.faults.ledger[instance as usize];
        let (fault, nodes) = (entry.fault, entry.nodes.clone());
        watch.fault(now, entry, FaultEvent::Ended);
        self.world.fingerprint.eat(now.0, fold(u64::from(instance), 3));
        let plan = Arc::clone(&self.world.faults.plan);
        match fault.map(|fault| &plan.faults[fault as usize].kind) {
            None | Some(FaultKind::Crash(_)) => nodes.into_iter().for_each(|node| self.rise(node, watch)),
            Some(FaultKind::Pause) => nodes.into_iter().for_each(|node| self.resume(node)),
            Some(FaultKind::SlowCpu { .. }) => {
                for node in nodes {
                    self.world.speed_up(node.0, instance);
                }
            }
            Some(FaultKind::Disturb { .. }) => {
                for node in nodes {
                    self.disturb(node.0, instance, false, watch);
                }
            }
            // What was set stays set.
            Some(FaultKind::ClockJump { .. }) => {}
            Some(FaultKind::Partition { .. }) => self.world.mend(instance, watch),
            Some(FaultKind::Loss { .. } | FaultKind::Duplicate { .. }) => {
                self.world.network.nuisances.retain(|nuisance| nuisance.instance != instance);
            }
        }
    }

    /// One lease of a crash ends; with the last one the machine comes back.
    fn rise<W: Watch<P>>(&mut self, node: NodeId, watch: &mut W) {
        let now = self.now();
        let host = self.world.host_mut(node.0);
        host.crashes -= 1;
        if host.crashes > 0 {
            return;
        }
        host.trouble_mut().crash = None;
        watch.restarted(now, node);
        watch.fact(Fact { time: now, node, protocol: MACHINE, instance: 0, kind: FactKind::Recovered });
        let (node, incarnation, late) = (node.0, host.incarnation, host.late);
        let event = Event::Start { node, incarnation };
        if late { self.world.postpone(node, Late::Event(event)) } else { self.start(node, watch) }
    }

    /// One lease of a pause ends; with the last one the machine handles what waited.
    fn resume(&mut self, node: NodeId) {
        let host = self.world.host_mut(node.0);
        host.pauses -= 1;
        if host.pauses == 0 {
            host.trouble_mut().pause = None;
            return self.drain_next(node.0);
        }
        let holders = self.world.faults.active().into_iter().filter(|&instance| {
            let entry = &self.world.faults.ledger[instance as usize];
            let kind = entry.fault.map(|fault| &self.world.faults.plan.faults[fault as usize].kind);
            matches!(kind, Some(FaultKind::Pause)) && entry.nodes.binary_search(&node).is_ok()
        });
        // What is delayed from here on is the doing of one that still holds it.
        let holder = holders.min();
        self.world.host_mut(node.0).trouble_mut().pause = holder;
    }
}
