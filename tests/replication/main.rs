//! Replicated stores on simulated hardware: what they promise while machines die, stop, part, lose messages and have wrong
//! clocks, and that each deliberate mistake breaks a promise.
//!
//! `world` has machines, clients and faults, drawn from a seed; `judge` says what did not hold.

#![allow(clippy::print_stdout, reason = "what was found is told to whoever runs it with --nocapture")]

mod boundaries;
mod judge;
mod register;
mod swarm;
mod world;
