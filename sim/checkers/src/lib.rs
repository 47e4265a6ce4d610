//! Judges of what happened. They see facts and histories, and know no system, no scenario and no hardware.
//!
//! A judge is told what happened, in order, and at the end says a [`Verdict`]. It never says `Holds` because it gave up:
//! what it could not decide is `Unknown`, with the reason. Read `verdict` first, then any judge.
#![no_std]

extern crate alloc;

pub mod atomic_commit;
pub mod verdict;

pub use atomic_commit::AtomicCommit;
pub use verdict::{Phrase, Verdict, Witness};
