//! `meta.json`: the only file of a run that differs between two machines.

use crate::json;
use serde::Serialize;

/// What is known about the machine and the moment; the command line fills it.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct Meta {
    /// Version of the engine.
    pub engine: String,
    /// Name of the machine.
    pub host: String,
    /// Operating system and processor: `linux x86_64`.
    pub platform: String,
    /// The command line.
    pub arguments: Vec<String>,
    /// When the run was started: seconds since 1970-01-01 UTC.
    pub started_unix_s: u64,
    /// How long the simulation took, seconds of wall time.
    pub simulate_wall_s: f64,
    /// How long writing the results took, seconds of wall time.
    pub report_wall_s: f64,
    /// Events per second of wall time.
    pub events_per_s: f64,
}

/// The text of `meta.json`.
pub fn meta(meta: &Meta) -> Vec<u8> {
    json::pretty(meta).into_bytes()
}
