//! Faults that lose or copy messages on links.

use alloc::vec::Vec;

use kernel::{Hit, Key};

/// What a nuisance does to some messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    Lose,
    Copy,
}

/// An active fault that loses or copies messages.
#[derive(Clone)]
pub(crate) struct Nuisance {
    pub(crate) instance: u32,
    pub(crate) does: Does,
    pub(crate) chance: f64,
    pub(crate) key: Key,
    /// For each of its links: which nodes send, which receive.
    pub(crate) links: Vec<(Vec<bool>, Vec<bool>)>,
    /// These messages and no others, sorted.
    pub(crate) only: Option<Vec<Hit>>,
}

impl Nuisance {
    pub(crate) fn covers(&self, does: Does, from: u32, to: u32) -> bool {
        self.does == does
            && self.links.iter().any(|(senders, receivers)| senders[from as usize] && receivers[to as usize])
    }

    /// Whether it hits a message on a link that it covers, whose draw says so.
    pub(crate) fn hits(&self, hit: Hit, drawn: bool) -> bool {
        self.only.as_ref().map_or(drawn, |only| only.binary_search(&hit).is_ok())
    }
}
