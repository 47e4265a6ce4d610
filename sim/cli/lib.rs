//! stormglass: a deterministic simulator of distributed systems.
//!
//! One scenario file describes services, networks, stores, transactions, load, faults and what must hold; one run on
//! virtual time answers *is it right?* and *how does it behave?*. This crate is the facade: it names the crates it is made
//! of, and adds what tests in Rust need besides: `builder`, `strategies`. Read `lab` to run scenarios from Rust, `kernel` and `cluster` to run a protocol of your own.

pub mod builder;
#[cfg(feature = "proptest")]
pub mod strategies;

pub use checkers;
pub use cluster;
pub use histories;
pub use kernel;
pub use lab;
pub use reports;
pub use systems;

/// The examples of the page are run.
#[cfg(all(doctest, feature = "proptest"))]
#[doc = include_str!("../../docs/library.md")]
pub mod page {}
