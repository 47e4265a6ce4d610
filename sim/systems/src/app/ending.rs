//! How a call or an operation ended; the tag of `latency` samples.

/// How it ended (docs/semantics.md, rule 25).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Ending {
    /// A try succeeded.
    Ok,
    /// Every try is known to have had no effect.
    Fail,
    /// The outcome is unknown.
    Info,
    /// A business error: final, counted in `rejects`.
    Reject,
}

impl Ending {
    /// All of them, by tag.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Fail, Self::Info, Self::Reject];

    /// The tag of a sample that ended so.
    pub const fn tag(self) -> u16 {
        self as u16
    }
}

/// The tag of a sample that was cut short: its machine crashed, or the run ended.
pub const CUT_SHORT: u16 = 255;
