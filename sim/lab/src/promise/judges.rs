//! The judges there are: what each judges, and what it must or may be told.

/// What a judge judges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// Transactions, by their facts.
    Transaction,
    /// Sagas, by their facts.
    Saga,
    /// Stores, by what their clients saw, by who led them, or by what is there at the end.
    Store,
}

/// What some judges are told beside their subject.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Modifier {
    /// How soon.
    Within,
    /// What the object is.
    Model,
    /// How many steps it may take.
    Limit,
    /// How far behind.
    Max,
}

const JUDGES: [(&str, About); 15] = [
    ("atomic_commit", About::Transaction),
    ("saga_ends", About::Saga),
    ("saga_atomic", About::Saga),
    ("saga_order", About::Saga),
    ("saga_isolation", About::Saga),
    ("linearizable", About::Store),
    ("sequential", About::Store),
    ("read_your_writes", About::Store),
    ("monotonic_reads", About::Store),
    ("monotonic_writes", About::Store),
    ("writes_follow_reads", About::Store),
    ("bounded_staleness", About::Store),
    ("durable_acks", About::Store),
    ("convergence", About::Store),
    ("one_leader_per_term", About::Store),
];

/// What the judge of this name judges.
pub fn about(judge: &str) -> Option<About> {
    JUDGES.iter().find(|(name, _)| *name == judge).map(|(_, about)| *about)
}

/// The names of all judges.
pub(super) fn names() -> [&'static str; JUDGES.len()] {
    JUDGES.map(|(name, _)| name)
}

impl About {
    /// The section of the file where it stands.
    pub(super) const fn section(self) -> &'static str {
        match self {
            Self::Transaction => "transactions",
            Self::Saga => "sagas",
            Self::Store => "stores",
        }
    }
}

impl Modifier {
    /// Its key in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Model => "model",
            Self::Limit => "limit",
            Self::Max => "max",
        }
    }

    /// The judges that have it.
    pub const fn judges(self) -> &'static [&'static str] {
        match self {
            Self::Within => &["saga_ends"],
            Self::Model => &["linearizable", "sequential"],
            Self::Limit => &[
                "linearizable",
                "sequential",
                "read_your_writes",
                "monotonic_reads",
                "monotonic_writes",
                "writes_follow_reads",
            ],
            Self::Max => &["bounded_staleness"],
        }
    }
}
