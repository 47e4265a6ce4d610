//! The log of sagas: where each has come to, and whose it is.
//!
//! A saga belongs to the node whose record of ownership is last. A node keeps its sagas by asking now and then; one that
//! has not asked for the length of a lease loses them to whoever asks next, and whatever it writes afterwards is refused.
//!
//! A node may own a saga and not know it: the record became durable and the answer got lost. So a saga without a new record
//! for the length of a lease is handed to its owner again, who passes over those that it drives.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kernel::hashing::Set;
use kernel::{Digest, NodeId, Span, Time, fold};

use super::choreography::Instances;
use super::journal::SagaEntry;
use super::marks::Marks;
use crate::variables::Variables;

/// How long a node that does not ask keeps its sagas.
pub const SAGA_LEASE: Span = Span::secs(5);
/// How often a node asks in the length of a lease.
pub const SAGA_SIGNS: u64 = 3;

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
    /// How often it has changed hands: whoever had it before, be it the same node, has lost it.
    pub term: u32,
    /// The instruction at which it goes on; none before its first record.
    pub position: Option<u32>,
    /// What it carries.
    pub variables: Variables,
    /// When it began.
    pub since: Time,
    /// How often its owner has asked since its last record, or since it was handed over last.
    pub quiet: u64,
}

/// A saga that changes hands, or is handed to its owner again.
pub type Adopted = (SagaKey, SagaRow);

/// All sagas.
#[derive(Clone, Debug, Default)]
pub struct Sagas {
    open: BTreeMap<SagaKey, SagaRow>,
    over: Set<SagaKey>,
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
                let row = SagaRow {
                    owner: *owner,
                    term: 0,
                    position: None,
                    variables: variables.clone(),
                    since: *since,
                    quiet: 0,
                };
                self.open.insert(*saga, row);
            }
            SagaEntry::At { saga, mark: _, position, variables } => {
                if let Some(row) = self.open.get_mut(saga) {
                    row.position = Some(*position);
                    row.variables = variables.clone();
                    row.quiet = 0;
                }
            }
            SagaEntry::Owned { saga, owner } => {
                if let Some(row) = self.open.get_mut(saga) {
                    row.owner = *owner;
                    row.term += 1;
                    row.quiet = 0;
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
        (self.open.len() + self.choreographed.open().len()) as u64
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

    /// Every owner keeps what it has for one more lease: the database has just started, and nobody could ask.
    pub fn restart(&mut self, now: Time) {
        let owners: Vec<Owner> = self.open.values().map(|row| row.owner).collect();
        self.leases.extend(owners.into_iter().map(|owner| (owner, now + SAGA_LEASE)));
    }

    /// Whoever asks for anything lives.
    pub fn lives(&mut self, owner: Owner, now: Time) {
        self.leases.insert(owner, now + SAGA_LEASE);
    }

    /// A node says that it lives. Gives the sagas it may take over, those whose owner has not said so for too long, and
    /// those of its own of which there was no record for as long.
    pub fn renew(&mut self, owner: Owner, now: Time) -> (Vec<Adopted>, Vec<Adopted>) {
        self.lives(owner, now);
        let (mut lost, mut quiet) = (Vec::new(), Vec::new());
        for (saga, row) in &mut self.open {
            if row.owner == owner {
                row.quiet += 1;
                if row.quiet > SAGA_SIGNS {
                    row.quiet = 0;
                    quiet.push((*saga, row.clone()));
                }
            } else if self.leases.get(&row.owner).is_none_or(|until| *until <= now) {
                lost.push((*saga, SagaRow { owner, term: row.term + 1, ..row.clone() }));
            }
        }
        self.leases.retain(|_, until| *until > now);
        (lost, quiet)
    }
}
