//! The kernel: virtual time, keyed randomness, distributions, the event queue, and the shape of a protocol.
//!
//! It knows no network, no disk, no service and no file. Everything here is `no_std`, deterministic and cheap to clone.
//! Read `process` first: it is the contract between a protocol (what should happen) and a host (what then happens).
#![no_std]

extern crate alloc;

pub mod distribution;
pub mod fact;
pub mod fingerprint;
pub mod hashing;
pub mod histogram;
pub mod observe;
pub mod process;
pub mod queue;
pub mod ramp;
pub mod random;
pub mod statistics;
pub mod time;

pub use distribution::Distribution;
pub use fact::{Fact, FactKind, SagaFact};
pub use fingerprint::{Digest, Fingerprint, fold};
pub use histogram::Histogram;
pub use observe::{CellId, Delta, NULL, PointId, Sample, SeriesId};
pub use process::{
    Delay, Disturbance, Effect, Effects, Embed, Frame, Hit, Message, NodeId, Process, Record, Route, Within,
};
pub use queue::{Handle, Lane, Queue};
pub use ramp::Ramp;
pub use random::{Key, Keyed, Seed};
pub use time::{Span, Time};
