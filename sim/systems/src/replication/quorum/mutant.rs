//! Deliberate mistakes: each is a few lines in the code path of the honest store, and each has a check that must turn red
//! within a modest number of seeds.

/// A mistake.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mutant {
    /// A copy says that it keeps a row before it is durable.
    AckBeforeFsync,
    /// A deletion leaves no tombstone, so that read repair brings back what another copy still has.
    Resurrect,
    /// Read repair gives the row that it sends a version of its own.
    MendAnew,
    /// A coordinator believes the first answer.
    OneAnswer,
}

impl Mutant {
    /// All of them, with the name each has in a scenario and the check that must catch it.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::AckBeforeFsync, "ack_before_fsync", "acked_is_seen"),
        (Self::Resurrect, "resurrect", "no_resurrection"),
        (Self::MendAnew, "mend_anew", "no_phantom"),
        (Self::OneAnswer, "one_answer", "acked_is_seen"),
    ];
    /// The mutant with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name, _)| *name == word).map(|(mutant, ..)| *mutant)
    }
}
