//! What a broker says, rule by rule; what holds of it in a hostile world; and theory.

mod desk;
mod hostile;
mod rules;
mod theory;
mod transcripts;
mod world;
