//! Judges of what happened. They see facts and histories, and know no system, no scenario and no hardware.
//!
//! A judge is told what happened, in order, and at the end says a [`Verdict`]. It never says `Holds` because it gave up:
//! what it could not decide is `Unknown`, with the reason. Read `verdict` first, then any judge.
#![no_std]

extern crate alloc;

pub mod atomic_commit;
pub mod saga;
pub mod saga_isolation;
pub mod story;
pub mod verdict;

pub use atomic_commit::AtomicCommit;
pub use saga::{Demand, Sagas};
pub use saga_isolation::SagaIsolation;
pub use story::Story;
pub use verdict::{Phrase, Verdict, Witness};
