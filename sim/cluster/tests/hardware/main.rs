//! One test per sentence of docs/semantics.md that the hardware keeps, played by puppets.

mod clock;
mod connection;
mod cpu;
mod crash;
mod determinism;
mod disk;
mod disturbance;
mod growth;
mod link;
mod network;
mod partition;
mod pause;
mod plan;
mod puppet;
