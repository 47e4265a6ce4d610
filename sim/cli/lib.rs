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

/// State, as promises written in Rust see it:
///
/// ```
/// use stormglass::{Judged, Row, View};
///
/// fn no_order_is_free(state: &View<'_>) -> Judged {
///     let free = |row: &Row<'_>| row.text("status") == "paid" && row.number("amount") == 0;
///     match state.rows("orders.orders").find(free) {
///         Some(row) => Judged::Broken(vec![format!("order {} is paid with nothing", row.key)]),
///         None => Judged::Holds,
///     }
/// }
/// # let _ = stormglass::scenario("shop.toml").invariant("no_order_is_free", no_order_is_free);
/// ```
pub use lab::code::{Judged, Row, View};
/// What a run came to:
///
/// ```
/// use stormglass::{HistoryLine, Outcome, Word};
///
/// let bank = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s");
/// let outcome: Outcome = bank.outcome();
/// let refused = |line: &&HistoryLine| line.kind == "fail";
/// println!("{} events, {} refused", outcome.events, outcome.history.iter().filter(refused).count());
/// let amounts = outcome.history.iter().flat_map(|line| &line.value).filter(|(name, _)| name == "amount");
/// assert!(amounts.map(|(_, amount)| amount).all(|amount| matches!(amount, Word::Number(1..))));
/// ```
pub use lab::outcome::{HistoryLine, Outcome, Word};
pub use library::check::{Check, scenario, source, text};
pub use library::runs::Runs;
/// A protocol of one's own, and the scenario that it plays in; `examples/lock_service.rs` has one with messages, timers and
/// a log.
#[doc = include_str!("library/door.md")]
pub use systems::app::guest::{Answer, Request, Serve, Stage};

/// The examples of the page are run.
#[cfg(all(doctest, feature = "proptest"))]
#[doc = include_str!("../../docs/library.md")]
pub mod page {}
