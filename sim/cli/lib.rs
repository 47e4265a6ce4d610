//! stormglass: a deterministic simulator of distributed systems.
//!
//! One scenario file describes services, networks, stores, transactions, load, faults and what must hold; one run on
//! virtual time answers *is it right?* and *how does it behave?*. This crate is the facade: it only names the crates it is
//! made of. Read `lab` to run scenarios from Rust, `kernel` and `cluster` to run a protocol of your own.

pub mod builder;

pub use checkers;
pub use cluster;
pub use histories;
pub use kernel;
pub use lab;
pub use reports;
pub use systems;
