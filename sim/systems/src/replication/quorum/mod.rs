//! A store of kind `quorum`: every key has `copies` (N) copies, a write is done when `write` (W) of them have it durably, and
//! a read asks all (see [`Asked`]) and believes the newest of the first `read` (R) answers. No leader, no order of changes: the last writer
//! wins. After G. DeCandia and others, "Dynamo: Amazon's Highly Available Key-value Store", 2007, §4.5, with the versions of
//! Cassandra in place of vector clocks.
//!
//! **Versions.** A write has a [`Version`]: what its client's own clock showed when it began, and whose request it is, so that
//! no two writes have the same, and one that is sent again stays the same. A copy keeps the row with the greatest version
//! it has heard of, in whatever order they come. Clocks that are wrong make a later write lose: it is acknowledged all the
//! same.
//!
//! **What is promised.** If R + W > N, a read that begins after a write was acknowledged sees this version or a greater one:
//! the W copies that have it and the R that answer share one. Nothing more: two reads at once may see a new and then
//! an old version, and a write that was not acknowledged may appear later. There is no compare-and-set.
//!
//! **What is written.** A row, forced: a copy says "kept" when the greatest version it knows is durable, and says what it
//! has when that is durable. Whichever machine a client asks coordinates the request, and writes nothing of that: what it
//! forgets in a crash the client sends again, to another one.
//!
//! **Deleting** is writing a *tombstone*, a row without value. Without it, a copy that missed the deletion could not be told
//! from one that has something new. Tombstones are never dropped.
//!
//! **Read repair.** The coordinator of a read sends the newest row to every copy that answered with an older one, also
//! to those that answer after the client was told.
//!
//! Not here: hinted handoff, sloppy quorums, anti-entropy, siblings.

mod alone;
mod client;
mod mutant;
mod node;
mod wire;

#[cfg(test)]
mod tests;

pub use alone::{Cast, Play, Role};
pub use client::{Client, Order, Script, Via};
pub use mutant::Mutant;
pub use node::Node;
pub use wire::{Body, KINDS, Message, Output, Record, Request, Row, Ticket, Timer, Version, Wish};

use alloc::vec::Vec;

use super::routing::Choice;
use kernel::{Frame, Key, NodeId, Span, fold};

/// How one store is carried out; the same on all its nodes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which of several stores of one world it is: keeps their frames apart.
    pub store: u32,
    /// The machines.
    pub nodes: Vec<NodeId>,
    /// N: on how many of them a key is; at least 1, at most all.
    pub copies: usize,
    /// R: how many answers a read waits for; 1 to N.
    pub read: usize,
    /// W: how many copies a write waits for; 1 to N.
    pub write: usize,
    /// Which copies are asked.
    pub asked: Asked,
    /// Whether reads mend what they find.
    pub repair: Repair,
    /// Whom a client asks to coordinate.
    pub coordinator: Choice,
    /// How long a coordinator remembers a request.
    pub timeout: Span,
    /// A deliberate mistake, to show that a check catches it.
    pub mutant: Option<Mutant>,
}

/// Which copies of a key a coordinator speaks to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// All of them, and the first answers count.
    All,
    /// As many as it waits for, drawn evenly for each attempt by this key: every copy bears the least load (M. Naor,
    /// A. Wool, "The Load, Capacity, and Availability of Quorum Systems", 1998), a slow or dead one costs another attempt,
    /// and the others hear of a write only when a read mends them.
    Enough(Key),
}

/// Whether reads mend what they find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repair {
    /// Copies that answer with an old row are sent the newest.
    OnRead,
    /// They stay as they are until the next write.
    None,
}

impl Plan {
    /// The machines with copies of a key: neighbours on a ring.
    pub fn copies_of(&self, key: u64) -> impl Iterator<Item = NodeId> {
        let (nodes, first) = (&self.nodes, (key % self.nodes.len() as u64) as usize);
        (0..self.copies).map(move |n| nodes[(first + n) % nodes.len()])
    }

    /// What is said of a key waits for what is written of it.
    fn frame(&self, key: u64) -> Frame {
        Frame(fold(fold(u64::from(self.store), 3), key))
    }

    /// What waits for no disk: nothing is ever written in it.
    fn open_frame(&self) -> Frame {
        Frame(fold(u64::from(self.store), 4))
    }

    fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}
