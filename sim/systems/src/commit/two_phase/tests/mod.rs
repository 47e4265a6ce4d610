//! What two-phase commit says, order by order; and what holds of it in a hostile world.

mod bank;
mod recovery;
mod transcripts;
mod world;
