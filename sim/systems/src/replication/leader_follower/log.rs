//! The log in memory: a snapshot of its beginning and the entries behind it. Indices count from 1; 0 is before the first.

use alloc::vec::Vec;

use kernel::{Digest, fold};

use super::state::State;
use crate::replication::keys::Request;

/// One entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// In which term a leader took it.
    pub term: u64,
    /// What is to be executed; nothing for the entry a leader begins its term with.
    pub request: Option<Request>,
}

/// A place in the log. Two logs that have the same at one place are the same up to there (log matching, §5.3).
/// The one of the newer term is newer, then the longer one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Position {
    /// Its term.
    pub term: u64,
    /// Which entry.
    pub index: u64,
}

/// What executing the log up to a place has given.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Snapshot {
    /// The last entry that is in it.
    pub last: Position,
    /// What came of it.
    pub state: State,
}

/// The log of a replica.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Log {
    base: Snapshot,
    entries: Vec<Entry>,
}

impl Log {
    /// What stands for its beginning.
    pub const fn base(&self) -> &Snapshot {
        &self.base
    }

    /// Its last place.
    pub fn last(&self) -> Position {
        let index = self.base.last.index + self.entries.len() as u64;
        Position { index, term: self.entries.last().map_or(self.base.last.term, |entry| entry.term) }
    }

    /// The entry at an index; `None` if it is in the snapshot or not there.
    pub fn entry(&self, index: u64) -> Option<Entry> {
        let behind = index.checked_sub(self.base.last.index + 1)?;
        self.entries.get(behind as usize).copied()
    }

    /// The term at an index; `None` if it is inside the snapshot or not there.
    pub fn term(&self, index: u64) -> Option<u64> {
        if index == self.base.last.index {
            return Some(self.base.last.term);
        }
        self.entry(index).map(|entry| entry.term)
    }

    /// Up to `most` entries from an index on, which is behind the snapshot.
    pub(super) fn from(&self, index: u64, most: usize) -> Vec<Entry> {
        let from = (index - self.base.last.index - 1) as usize;
        self.entries.iter().skip(from).take(most).copied().collect()
    }

    /// Puts an entry at an index, in place of all that was there and behind.
    pub(super) fn put(&mut self, index: u64, entry: Entry) {
        let behind = (index - self.base.last.index - 1) as usize;
        assert!(behind <= self.entries.len(), "a log has no holes");
        self.entries.truncate(behind);
        self.entries.push(entry);
    }

    /// The first index of the run of entries with this one's term: where a leader whose log differs here looks next.
    pub(super) fn first_of_term(&self, index: u64) -> u64 {
        let term = self.term(index);
        let mut first = index;
        while first > self.base.last.index + 1 && self.term(first - 1) == term {
            first -= 1;
        }
        first
    }

    /// A snapshot takes the place of the beginning; what is behind it stays if it goes on from there (§7).
    pub(super) fn install(&mut self, snapshot: Snapshot) {
        let goes_on = self.term(snapshot.last.index) == Some(snapshot.last.term);
        let covered = (snapshot.last.index - self.base.last.index) as usize;
        if goes_on {
            self.entries.drain(..covered);
        } else {
            self.entries.clear();
        }
        self.base = snapshot;
    }

    /// The state after the entry at an index, which is not before the snapshot.
    pub(super) fn state_after(&self, index: u64) -> State {
        let mut state = self.base.state.clone();
        let first = self.base.last.index + 1;
        for (at, entry) in (first..=index).zip(&self.entries) {
            if let Some(request) = entry.request {
                state.execute(at, request);
            }
        }
        state
    }
}

impl Digest for Entry {
    fn digest(&self) -> u64 {
        fold(self.term, self.request.map_or(0, |request| request.digest()))
    }
}

impl Digest for Position {
    fn digest(&self) -> u64 {
        fold(self.index, self.term)
    }
}

impl Digest for Snapshot {
    fn digest(&self) -> u64 {
        fold(self.last.digest(), self.state.digest())
    }
}
