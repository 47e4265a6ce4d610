//! Replicated stores: copies of keys and values on several machines, kept alike while machines die, stop, part and lose
//! messages.
//!
//! * [`leader_follower`]: one leader orders all changes in a log that the others copy.
//! * [`keys`]: what both kinds of store are asked and answer.

pub mod keys;
pub mod leader_follower;
