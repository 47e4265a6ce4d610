//! What a replicated log says, order by order, and what a restarted replica reads.

mod recovery;
mod stage;
mod transcripts;
