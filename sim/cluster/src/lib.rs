//! Simulated hardware: machines, their disks and the network between them, and everything that can go wrong with them.
//!
//! A [`Cluster`] runs one [`kernel::Process`] per machine. It never names a system: what a fault must know of one reaches
//! it as plain numbers, through points and cells. It draws no conclusions either: whoever wants to know what happened
//! listens with a [`Watch`], which cannot change a run, and whoever wants to know which fault hit what reads the ledger.
//! What happens in which case is settled in `docs/semantics.md`; the rules are cited by number where they are kept.
//!
//! * [`Cluster`]: `new`, `step` → [`Handled`], `crash_now`, `restart`, `heal`, `unfinished`, `fingerprint`,
//!   `events_in_instant`, `ledger`, …
//! * [`Hardware`], [`NodeHardware`], [`Disk`], [`Clock`], [`Link`], [`Loss`], [`Transport`], …: what the world is made of.
//! * [`FaultPlan`], [`Fault`], [`FaultKind`], [`Loses`], [`Target`], [`Trigger`], [`Window`], …: what goes wrong.
//! * [`Instance`], [`State`], [`Skip`], [`Impact`]: what became of it.
//! * [`Watch`], [`MessageEvent`], [`Passage`], [`Reason`], [`FaultEvent`]: what a run tells.
//!
//! Read `cluster` for the loop, `perform` for effects, `disk` for the persist barrier, `network` for messages, `faults`
//! and `targets` for faults.
#![no_std]

extern crate alloc;

mod cluster;
mod connection;
mod cpu;
mod disk;
mod disturbance;
mod event;
mod faults;
mod habits;
mod hardware;
mod host;
mod lease;
mod ledger;
mod network;
mod nuisance;
mod pairs;
mod passage;
mod perform;
mod plan;
mod reseed;
mod slab;
mod targets;
mod timers;
mod watch;
mod world;

pub use cluster::{Cluster, MACHINE};
pub use cpu::CORES_MAX;
pub use event::{Handled, Kind};
pub use faults::INSTANCE_LIMIT;
pub use hardware::{Bandwidth, Clock, DRIFT_MAX, Disk, Hardware, Link, Loss, NodeHardware, Opening, Transport};
pub use ledger::{FaultBudget, FaultEvent, Impact, Instance, Reached, Skip, State};
pub use network::{RESET_AFTER, RETRANSMIT_AFTER};
pub use plan::{Direction, Fault, FaultKind, FaultPlan, LinkTarget, Listed, Loses, Target, Trigger, Window, Wire};
pub use watch::{MessageEvent, Passage, Reason, Watch};
pub use world::{INBOX_LIMIT, MACHINES_MAX};
