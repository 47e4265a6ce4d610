//! Mistakes that tests plant into the search, to see that they are found. Without tests there are none.

/// A pruning that goes too far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mistake {
    /// What may never have happened is taken for what never happened.
    ForgetsCrashed,
    /// What changes nothing here is made at once, although it would change something elsewhere.
    HurriesWrites,
    /// Operations that may never have happened are interchangeable whatever they wrote.
    MergesCrashed,
    /// Fewer spent operations are better, whichever they are.
    CountsSpentAlone,
    /// Fewer spent operations are better, whatever was completed.
    ForgetsCompleted,
    /// Once one object is found well, the others are.
    StopsAtFirstObject,
    /// A state from which the next answer seems out of reach is given up although something may forget it.
    ForgetsThatPutsForget,
}

impl Mistake {
    #[cfg(test)]
    pub(super) const ALL: [Self; 7] = [
        Self::ForgetsCrashed,
        Self::HurriesWrites,
        Self::MergesCrashed,
        Self::CountsSpentAlone,
        Self::ForgetsCompleted,
        Self::StopsAtFirstObject,
        Self::ForgetsThatPutsForget,
    ];
}

/// Which mistake is in, if any.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Planted {
    #[cfg(test)]
    pub(super) mistake: Option<Mistake>,
}

impl Planted {
    #[cfg(test)]
    pub(super) fn has(self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests have one with a mistake in it")]
    pub(super) const fn has(self, _: Mistake) -> bool {
        false
    }
}
