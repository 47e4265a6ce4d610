//! What the log of a machine holds: records of whichever protocols live on it.
//!
//! Logs grow as long as a run lasts, and most of their records are small beside the largest: so a log holds where they are.
//! Worlds that are cloned share them.

use alloc::sync::Arc;

use kernel::Digest;

use super::guest::Entry;
use super::keeper;
use super::message::Mail;
use super::rows::Work;
use crate::commit::two_phase;
use crate::database::Commit;
use crate::messaging::{self, topics};

/// What the log holds.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    /// A commit protocol's record.
    Commit(Arc<two_phase::Record<Work>>),
    /// A commit of the service's database.
    Database(Arc<Commit>),
    /// A broker's record.
    Mail(Arc<messaging::Record<Mail>>),
    /// The record of a broker of topics.
    Topic(Arc<topics::Record<Mail>>),
    /// The record of a machine of a replicated store.
    Kept(Arc<keeper::Record>),
    /// The record of a process that plays a service.
    Guest(Entry),
}

impl Record {
    /// The commit protocol's, if it is that.
    pub(super) fn commit(&self) -> Option<&two_phase::Record<Work>> {
        match self {
            Self::Commit(record) => Some(record),
            Self::Database(_) | Self::Mail(_) | Self::Topic(_) | Self::Kept(_) | Self::Guest(_) => None,
        }
    }

    /// The broker's, if it is that.
    pub(super) fn mail(&self) -> Option<&messaging::Record<Mail>> {
        match self {
            Self::Mail(record) => Some(record),
            Self::Commit(_) | Self::Database(_) | Self::Topic(_) | Self::Kept(_) | Self::Guest(_) => None,
        }
    }

    /// That of a broker of topics, if it is that.
    pub(super) fn topic(&self) -> Option<&topics::Record<Mail>> {
        match self {
            Self::Topic(record) => Some(record),
            Self::Commit(_) | Self::Database(_) | Self::Mail(_) | Self::Kept(_) | Self::Guest(_) => None,
        }
    }

    /// The database's, if it is that.
    pub(super) fn database(&self) -> Option<&Commit> {
        match self {
            Self::Database(commit) => Some(commit),
            Self::Commit(_) | Self::Mail(_) | Self::Topic(_) | Self::Kept(_) | Self::Guest(_) => None,
        }
    }

    /// That of a machine of a replicated store, if it is that.
    pub(super) fn kept(&self) -> Option<&keeper::Record> {
        match self {
            Self::Kept(record) => Some(record),
            Self::Commit(_) | Self::Database(_) | Self::Mail(_) | Self::Topic(_) | Self::Guest(_) => None,
        }
    }

    /// That of a process that plays a service, if it is that.
    pub(super) fn guest(&self) -> Option<&Entry> {
        match self {
            Self::Guest(entry) => Some(entry),
            Self::Commit(_) | Self::Database(_) | Self::Mail(_) | Self::Topic(_) | Self::Kept(_) => None,
        }
    }
}

impl Digest for Record {
    fn digest(&self) -> u64 {
        match self {
            Self::Commit(record) => record.digest(),
            Self::Database(commit) => commit.digest(),
            Self::Mail(record) => record.digest(),
            Self::Topic(record) => record.digest(),
            Self::Kept(record) => record.digest(),
            Self::Guest(entry) => entry.0.digest(),
        }
    }
}

impl kernel::Record for Record {
    fn bytes(&self) -> u32 {
        match self {
            Self::Commit(record) => record.bytes(),
            Self::Database(commit) => commit.bytes(),
            Self::Mail(record) => record.bytes(),
            Self::Topic(record) => record.bytes(),
            Self::Kept(record) => record.bytes(),
            Self::Guest(entry) => entry.0.bytes(),
        }
    }
}
