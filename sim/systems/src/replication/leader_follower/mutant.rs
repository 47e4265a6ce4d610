//! Deliberate mistakes: each is a few lines in the code path of the honest store, and each has a check that must turn red
//! within a modest number of seeds.

/// A mistake.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mutant {
    /// A follower votes for everybody who asks in a term.
    VoteTwice,
    /// A replica counts and answers for entries that are not durable yet.
    AckBeforeFsync,
    /// A leader takes an entry of an older term for agreed as soon as a majority has it (Raft, figure 8).
    CommitOldTerm,
    /// A restarted replica knows its term but not whom it voted for.
    ForgetVote,
    /// A snapshot does not say which requests of whom were executed: they are executed again.
    ApplyTwice,
    /// A leader answers reads without making sure that it still is one.
    StaleLeader,
    /// A replica that is to ask a majority before it answers a read asks nobody.
    ReadAlone,
    /// Followers and the device obey a leader of an older term.
    UnfencedWrite,
}

impl Mutant {
    /// All of them, with the name each has in a scenario and the check that must catch it.
    pub const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::VoteTwice, "vote_twice", "one_leader_per_term"),
        (Self::AckBeforeFsync, "ack_before_fsync", "agreed_is_kept"),
        (Self::CommitOldTerm, "commit_old_term", "agreed_is_kept"),
        (Self::ForgetVote, "forget_vote", "one_leader_per_term"),
        (Self::ApplyTwice, "apply_twice", "linearizable"),
        (Self::StaleLeader, "stale_leader", "linearizable"),
        (Self::ReadAlone, "read_alone", "linearizable"),
        (Self::UnfencedWrite, "unfenced_write", "fenced"),
    ];
    /// The mutant with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name, _)| *name == word).map(|(mutant, ..)| *mutant)
    }
}
