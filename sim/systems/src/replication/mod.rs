//! Replicated stores: copies of keys and values on several machines, kept alike while machines die, stop, part and lose
//! messages.
//!
//! * [`leader_follower`]: one leader orders all changes in a log that the others copy.
//! * [`quorum`]: no leader; enough copies are written and enough are read, and the last writer wins.
//! * [`keys`]: what a leader is asked and answers.
//! * [`routing`]: whom a client asks.

pub mod keys;
pub mod leader_follower;
pub mod quorum;
pub mod routing;
