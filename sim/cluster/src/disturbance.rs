//! Faults that act inside a process: who is told of them, and when (docs/semantics.md, rule 53).
//!
//! The hardware knows nothing of what they mean. A process hears of the beginning right after the event that it falls on,
//! as of a crash; while its machine is paused this waits in the inbox like everything else.

use alloc::sync::Arc;
use alloc::vec::Vec;

use kernel::{Disturbance, Key, NodeId, Process, fold};

use crate::cluster::Cluster;
use crate::host::Late;
use crate::ledger::State;
use crate::plan::FaultKind;
use crate::watch::Watch;
use crate::world::World;

impl<P: Process> World<P> {
    /// What a process must know of an instance, if that is a disturbance.
    fn disturbance(&self, instance: u32) -> Option<Disturbance> {
        let entry = &self.faults.ledger[instance as usize];
        let fault = entry.fault? as usize;
        let FaultKind::Disturb { what, chance } = self.faults.plan.faults[fault].kind else { return None };
        let key = Key(fold(self.faults.keys[fault].effect.0, u64::from(entry.number)));
        Some(Disturbance { what, instance, chance, key })
    }
}

impl<P: Process> Cluster<P> {
    /// The process of a machine hears that a disturbance is there, or no longer; later if the machine is paused, and not
    /// at all if it is down.
    pub(crate) fn disturb<W: Watch<P>>(&mut self, node: u32, instance: u32, active: bool, watch: &mut W) {
        let host = self.world.host_mut(node);
        if !host.up() {
            return;
        }
        if host.late {
            host.trouble_mut().inbox.push_back(Late::Disturbance { instance, active });
        } else {
            self.tell_disturbance(node, instance, active, watch);
        }
    }

    pub(crate) fn tell_disturbance<W: Watch<P>>(&mut self, node: u32, instance: u32, active: bool, watch: &mut W) {
        let disturbance = self.world.disturbance(instance).expect("only disturbances are told");
        self.run(node, watch, |process, plan, now, out| process.on_disturbance(plan, now, disturbance, active, out));
    }

    /// A process that has just started hears what is active.
    pub(crate) fn remind<W: Watch<P>>(&mut self, node: u32, watch: &mut W) {
        let plan = Arc::clone(&self.world.faults.plan);
        if !plan.faults.iter().any(|fault| matches!(fault.kind, FaultKind::Disturb { .. })) {
            return;
        }
        let ledger = &self.world.faults.ledger;
        let here = |id: &u32| ledger[*id as usize].nodes.binary_search(&NodeId(node)).is_ok();
        let active: Vec<u32> = self.world.faults.active().into_iter().filter(here).collect();
        for instance in active {
            if self.world.disturbance(instance).is_some() {
                self.tell_disturbance(node, instance, true, watch);
            }
        }
    }

    /// An instance has begun in this event: its processes hear of it, unless it is over again.
    pub(crate) fn announce<W: Watch<P>>(&mut self, instance: u32, watch: &mut W) {
        let entry = &self.world.faults.ledger[instance as usize];
        if entry.state == State::Active {
            for node in entry.nodes.clone() {
                self.disturb(node.0, instance, true, watch);
            }
        }
    }
}
