//! From a scenario file and a seed to an outcome: parse, compile, run, judge, sweep.
//!
//! Takes and returns values; it touches no file, no argument and no stdout. Only this crate starts threads (`sweep`, `suite`).
//! Read `model` (what a scenario says), `compile` (how it becomes a simulated world), `run` (one run).

pub mod code;
pub mod compile;
pub mod explain;
pub mod expression;
mod facts;
pub mod measure;
pub mod model;
pub mod names;
pub mod nearest;
pub mod outcome;
pub mod promise;
pub mod repro;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod suite;
pub mod sweep;
pub mod threshold;
pub mod trials;
