//! stormglass: a deterministic simulator of distributed systems.
//!
//! One scenario file describes services, networks, stores, transactions, load, faults and what must hold; one run on
//! virtual time answers *is it right?* and *how does it behave?*. From Rust a scenario is a property-style test:
//!
//! ```no_run
//! #[test]
//! fn checkout_survives_a_payment_crash() {
//!     stormglass::scenario("scenarios/checkout/saga.toml")
//!         .seeds(0..200)
//!         .set("services.payment.nodes", 3)
//!         .assert_passes(); // else panics: promise, seed, the smallest story found, how to replay it
//! }
//! # fn main() {}
//! ```
//!
//! [`Check`] runs it over seeds, judges it, also by promises written in Rust, and makes what fails small. The same seeds
//! give the same result on every machine. [`builder`] makes scenarios of a hundred services, `strategies` random faults and
//! loads for proptest; `docs/library.md` shows all of it. The crates it is made of are named below: `lab` loads and runs scenarios,
//! `kernel` and `cluster` run a protocol by itself.

pub mod builder;
#[doc(hidden)]
pub mod files;
mod library;
#[cfg(feature = "proptest")]
pub mod strategies;

pub use checkers;
pub use cluster;
pub use histories;
pub use kernel;
pub use lab;
pub use reports;
pub use systems;

pub use lab::code::{Judged, Row, View};
pub use lab::outcome::{HistoryLine, Outcome, Word};
pub use library::check::{Check, scenario, source, text};
pub use library::runs::Runs;
pub use systems::app::guest::{Answer, Request, Serve, Stage};

/// The examples of the page are run.
#[cfg(all(doctest, feature = "proptest"))]
#[doc = include_str!("../../docs/library.md")]
pub mod page {}
