//! The log of sagas: where each has come to, and whose it is.
//!
//! A saga belongs to the node whose record of ownership is last. A node keeps its sagas by asking now and then; one that
//! has not asked for the length of a lease loses them to whoever asks next, and whatever it writes afterwards is refused.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use kernel::{Digest, NodeId, Span, Time, fold};

use super::choreography::Instances;
use super::journal::SagaEntry;
use super::marks::Marks;
use crate::variables::Variables;

/// How long a node that does not ask keeps its sagas.
pub const SAGA_LEASE: Span = Span::secs(5);

/// A saga of a kind; one root request has at most one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SagaKey {
    /// The kind.
    pub saga: u16,
    /// The root request.
    pub operation: u64,
}

/// One life of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Owner {
    /// The node.
    pub node: NodeId,
    /// When this life of it began.
    pub since: Time,
}

impl Digest for Owner {
    fn digest(&self) -> u64 {
        fold(u64::from(self.node.0), self.since.0)
    }
}

/// A saga that is not over.
#[derive(Clone, PartialEq, Debug)]
pub struct SagaRow {
    /// Whose it is.
    pub owner: Owner,
    /// The instruction at which it goes on; none before its first record.
    pub position: Option<u32>,
    /// What it carries.
    pub variables: Variables,
    /// When it began.
    pub since: Time,
}

/// A saga that changes hands.
pub type Adopted = (SagaKey, SagaRow);

/// All sagas.
#[derive(Clone, Debug, Default)]
pub struct Sagas {
    open: BTreeMap<SagaKey, SagaRow>,
    over: BTreeSet<SagaKey>,
    /// Until when each owner keeps its sagas; an owner without an entry has none of them.
    leases: BTreeMap<Owner, Time>,
    /// Those that nobody drives.
    pub choreographed: Instances,
    /// Rows that open sagas keep to themselves.
    pub marks: Marks,
}

impl Sagas {
    pub(super) fn enter(&mut self, entry: &SagaEntry) {
        match entry {
            SagaEntry::Begun { saga, owner, variables, since } => {
                let row = SagaRow { owner: *owner, position: None, variables: variables.clone(), since: *since };
                self.open.insert(*saga, row);
            }
            SagaEntry::At { saga, mark: _, position, variables } => {
                if let Some(row) = self.open.get_mut(saga) {
                    row.position = Some(*position);
                    row.variables = variables.clone();
                }
            }
            SagaEntry::Owned { saga, owner } => {
                if let Some(row) = self.open.get_mut(saga) {
                    row.owner = *owner;
                }
            }
            SagaEntry::Ended { saga, .. } => {
                self.open.remove(saga);
                self.over.insert(*saga);
            }
            SagaEntry::Started { .. }
            | SagaEntry::Step { .. }
            | SagaEntry::Left { .. }
            | SagaEntry::Undone { .. }
            | SagaEntry::Over { .. }
            | SagaEntry::GivenUp { .. } => self.choreographed.enter(entry),
            SagaEntry::Marked { .. } | SagaEntry::Freed { .. } => self.marks.enter(entry),
        }
    }

    /// Sagas that are not over.
    pub fn open(&self) -> u64 {
        (self.open.len() + self.choreographed.open().count()) as u64
    }

    /// Those of one kind.
    pub fn open_of(&self, kind: u16) -> u64 {
        self.open.keys().chain(self.choreographed.open()).filter(|saga| saga.saga == kind).count() as u64
    }

    /// Whether there is, or was, such a saga.
    pub fn knows(&self, saga: SagaKey) -> bool {
        self.open.contains_key(&saga) || self.over.contains(&saga)
    }

    /// A saga that is not over.
    pub fn get(&self, saga: SagaKey) -> Option<&SagaRow> {
        self.open.get(&saga)
    }

    /// Whether it is this one's, now.
    pub fn belongs(&self, saga: SagaKey, owner: Owner) -> bool {
        self.open.get(&saga).is_some_and(|row| row.owner == owner)
    }

    /// Every owner keeps what it has for one more lease: the database has just started, and nobody could ask.
    pub fn restart(&mut self, now: Time) {
        let owners: Vec<Owner> = self.open.values().map(|row| row.owner).collect();
        self.leases.extend(owners.into_iter().map(|owner| (owner, now + SAGA_LEASE)));
    }

    /// Whoever asks for anything lives.
    pub fn lives(&mut self, owner: Owner, now: Time) {
        self.leases.insert(owner, now + SAGA_LEASE);
    }

    /// A node says that it lives. Gives the sagas it may take over: those whose owner has not said so for too long.
    pub fn renew(&mut self, owner: Owner, now: Time) -> Vec<Adopted> {
        self.lives(owner, now);
        if self.leases.len() > 1 || self.open.values().any(|row| row.owner != owner) {
            let leases = &self.leases;
            let lost = |row: &SagaRow| row.owner != owner && leases.get(&row.owner).is_none_or(|until| *until <= now);
            let orphans = self.open.iter().filter(|(_, row)| lost(row));
            let adopted: Vec<Adopted> = orphans.map(|(saga, row)| (*saga, SagaRow { owner, ..row.clone() })).collect();
            self.leases.retain(|_, until| *until > now);
            return adopted;
        }
        Vec::new()
    }
}
