//! Simulated software: commit protocols, locks, and the composed application that scenario files describe.
//!
//! Systems never see the network, the disk or the world's clock. They are state machines (`kernel::Process`) that say what
//! should happen; `cluster` is one host of theirs, a `Vec` of effects in a test is another.
#![no_std]

extern crate alloc;

pub mod app;
pub mod commit;
pub mod database;
pub mod expression;
pub mod locks;
pub mod messaging;
pub mod replication;
pub mod resilience;
pub mod variables;
