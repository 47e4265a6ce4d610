//! Replicated stores on simulated hardware: what they promise while machines die, stop, part, lose messages and have wrong
//! clocks, and that each deliberate mistake breaks a promise.
//!
//! `swarm` runs many worlds of one leader and its followers with many faults, `boundaries` one short world with crashes at
//! every place of it, `leases` the one in which a clock is set at the wrong moment; `quorum` does the first two for stores
//! without a leader. `world` has machines, clients and faults, drawn from a seed; `judge` and `register` say what did not hold.
//!
//! `STORMGLASS_LONG=1 cargo test --release --test replication -- --nocapture` looks at 5 000 seeds instead of 1 000.

#![allow(clippy::print_stdout, reason = "what was found is told to whoever runs it with --nocapture")]

mod boundaries;
mod judge;
mod leases;
mod quorum;
mod register;
mod swarm;
mod world;
