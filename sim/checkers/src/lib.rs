//! Judges of what happened. They see facts and histories, and know no system, no scenario and no hardware.
//!
//! Judges of facts (`atomic_commit`, `saga`, `saga_isolation`, `leaders`) are told during a run what happened, in order, and at the
//! end say a [`Verdict`]. Judges of histories are given what clients asked and were told, and say a
//! [`history::Judgement`]. None says that all is well because it gave up: what it could not decide is unknown, with the
//! reason. Read `verdict` and `history` first, then any judge.
#![no_std]

extern crate alloc;

pub mod atomic_commit;
pub mod catalogue;
mod hashing;
pub mod history;
pub mod leaders;
pub mod ledgers;
pub mod linearizable;
pub mod models;
pub mod saga;
pub mod saga_isolation;
pub mod sequential;
pub mod sessions;
pub mod story;
pub mod verdict;

pub use atomic_commit::AtomicCommit;
pub use leaders::Leaders;
pub use saga::{Demand, Sagas};
pub use saga_isolation::SagaIsolation;
pub use story::Story;
pub use verdict::{Phrase, Verdict, Witness};
