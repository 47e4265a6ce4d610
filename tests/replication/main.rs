//! Replicated stores on simulated hardware: what they promise while machines die, stop, part, lose messages and have wrong
//! clocks, and that each deliberate mistake breaks a promise.
//!
//! `swarm` runs many worlds with many faults, `boundaries` one short world with a crash at every place of it, `leases` the
//! one in which a clock is set at the wrong moment. `world` has machines, clients and faults, drawn from a seed; `judge` says what did not hold.

#![allow(clippy::print_stdout, reason = "what was found is told to whoever runs it with --nocapture")]

mod boundaries;
mod judge;
mod leases;
mod quorum;
mod register;
mod swarm;
mod world;
