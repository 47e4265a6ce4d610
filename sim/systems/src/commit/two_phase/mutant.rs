//! Deliberate mistakes: each is a few lines in the code path of the honest protocol, and each has a promise that must
//! turn red within a modest number of seeds. A check that has never been seen to fail is no check.

/// A mistake, with the promise that must catch it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mutant {
    /// A participant sends its vote before the record is durable. Caught by `atomic_commit`.
    VoteBeforePersist,
    /// The coordinator announces its decision before the record is durable. Caught by `atomic_commit`.
    DecideBeforeLog,
    /// A restarted participant does not lock the rows of its in-doubt transactions again. Caught by `no_overdraft`.
    ForgetLocksOnRestart,
    /// A participant lets go of its rows as soon as it has voted. Caught by `no_overdraft`.
    ReleaseAtVote,
    /// A participant acknowledges a decision before it is durable. Caught by `atomic_commit` and `conservation`.
    AckBeforeFsync,
    /// A repeated commit is applied again. Caught by `conservation`.
    ApplyTwice,
    /// A participant in doubt never asks, and a coordinator sends its decision once only. Caught by `decided_again`
    /// (every transaction in doubt is decided within a bound after heal).
    NeverAsk,
    /// The coordinator commits when votes are missing at `prepare_timeout`. Caught by `atomic_commit` (AC3).
    CommitOnTimeout,
    /// A prepared participant that has waited for `decision_timeout` aborts on its own. Caught by `atomic_commit`.
    AbortInDoubt,
    /// The coordinator answers "committed" about transactions it does not know. Caught by `atomic_commit`.
    PresumeCommit,
    /// The coordinator ends a transaction without waiting for the acknowledgements. Caught by `atomic_commit`.
    ForgetBeforeAcks,
}

impl Mutant {
    /// All of them, with the name each has in a scenario and the promise that must catch it.
    pub const ALL: [(Self, &'static str, &'static str); 11] = [
        (Self::VoteBeforePersist, "vote_before_persist", "atomic_commit"),
        (Self::DecideBeforeLog, "decide_before_log", "atomic_commit"),
        (Self::ForgetLocksOnRestart, "forget_locks_on_restart", "no_overdraft"),
        (Self::ReleaseAtVote, "release_at_vote", "no_overdraft"),
        (Self::AckBeforeFsync, "ack_before_fsync", "conservation"),
        (Self::ApplyTwice, "apply_twice", "conservation"),
        (Self::NeverAsk, "never_ask", "decided_again"),
        (Self::CommitOnTimeout, "commit_on_timeout", "atomic_commit"),
        (Self::AbortInDoubt, "abort_in_doubt", "atomic_commit"),
        (Self::PresumeCommit, "presume_commit", "atomic_commit"),
        (Self::ForgetBeforeAcks, "forget_before_acks", "atomic_commit"),
    ];

    /// The mutant of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.1 == name).map(|entry| entry.0)
    }

    /// Its name in a scenario.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|entry| entry.0 == self).expect("ALL lists every variant: a test says so").1
    }
}
