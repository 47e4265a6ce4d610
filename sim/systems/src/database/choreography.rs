//! Choreographed sagas: nobody drives them, each service reacts to the events of others. What a database has to do with it.
//!
//! **Where state lives.** A saga has no log of its own. Its *events* are letters of one topic, under the request's number
//! as key, so those of one saga are in one partition, in order. What a step has done is in the *database of its service*.
//! Whether the saga is over is known at its *home*, the database from whose outbox the event came that began it.
//!
//! **A step** is a consumer in the group of its service, and a little program without a worker: it asks whether the step
//! was done (`Means::Asks`), calls the op of its own service on its own node, and leaves. The op's last commit holds four
//! things, or none of them: its rows, the event that follows (in the outbox), the mark in the inbox under (saga, step), and
//! the facts that judges read. If the op does not write at its end, or fails for a business reason, a commit of its own holds
//! the last three. A compensation is the same with `compensation_retry`, and says by an event of its own that it is done.
//!
//! **What a crash leaves.** Before that commit: nothing; the letter was not committed by the group, is read again, and the
//! step begins again. Behind it: everything; the letter is read again, and the inbox knows the step. The event leaves by the
//! relay at least once, and the topic knows a letter again by its id. The home's bookkeeping is in its own commits: an
//! event that began a saga begins it in the commit that writes the event.
//!
//! **Duplicates** are a letter handed over twice, or a step begun twice: both find the inbox. Without `inbox` nobody
//! remembers, and the step has its effect twice: this is what the switch is there to show. The home's own notes may be
//! said twice without harm.
//!
//! **The end.** The row of the subject has left its first status, in whatever commit; or, without a subject, a step
//! that emits nothing is done; *and* every compensation is done that this end's event calls for. It is over in the commit
//! that makes the last of these true. A compensation that is given up makes the saga stuck: it is closed, and never ends.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kernel::hashing::Set;
use kernel::{SagaFact, Time};

use super::journal::{Outgoing, SagaEntry, Write};
use super::sagas::SagaKey;
use super::script::Letter;
use super::table::{Row, code};

/// What is committed with a step of a saga, or asked before it.
#[derive(Clone, PartialEq, Debug)]
pub struct Effect {
    /// The saga.
    pub saga: u16,
    /// What the inbox remembers it under: the same for all that one step may do.
    pub inbox: Option<u32>,
    /// Events.
    pub letters: Vec<Letter>,
    /// Facts, in their order.
    pub says: Vec<SagaFact>,
    /// What it means for the saga.
    pub means: Means,
}

/// What an [`Effect`] means for its saga.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Means {
    /// It is only asked whether the inbox knows the step; what is said is said at once.
    Asks,
    /// A step was done, or has failed.
    Step {
        /// It is one of those that complete the saga.
        completes: bool,
        /// Nothing follows: without a subject the saga is over.
        last: bool,
        /// If it is over by this: the steps to be undone, a bit for each.
        due: u64,
    },
    /// The saga's home hears that a step was undone.
    Undone(u32),
    /// The saga's home hears that a compensation was given up.
    GivenUp,
    /// It is over, and keeps no row to itself any more.
    Frees,
}

/// A kind of saga that begins in this database.
#[derive(Clone, PartialEq, Debug)]
pub struct Home {
    /// The saga.
    pub saga: u16,
    /// Where the event goes that begins one,
    pub to: u16,
    /// and its type.
    pub kind: u32,
    /// The row that says what became of it has the request's number: its table, and the column of its status.
    pub subject: Option<(u16, u16)>,
    /// What is sent when it is over, if anybody waits for that.
    pub over: Option<Letter>,
}

/// A saga that is not over, at its home.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instance {
    /// When it began.
    pub since: Time,
    /// How it will end, and which compensations that needs.
    pub left: Option<(bool, u64)>,
    /// Compensations that are done.
    pub undone: u64,
}

/// The choreographed sagas that began here.
#[derive(Clone, Debug, Default)]
pub struct Instances {
    open: BTreeMap<SagaKey, Instance>,
    over: Set<SagaKey>,
}

impl Instances {
    /// What a record says has happened. False if it is about something else.
    pub(super) fn enter(&mut self, entry: &SagaEntry) {
        match entry {
            SagaEntry::Started { saga, since } => {
                self.open.insert(*saga, Instance { since: *since, left: None, undone: 0 });
            }
            SagaEntry::Left { saga, completed, due } => {
                if let Some(instance) = self.open.get_mut(saga) {
                    instance.left = Some((*completed, *due));
                }
            }
            SagaEntry::Undone { saga, step } => {
                if let Some(instance) = self.open.get_mut(saga) {
                    instance.undone |= 1 << step;
                }
            }
            SagaEntry::Over { saga, .. } | SagaEntry::GivenUp { saga } => {
                self.open.remove(saga);
                self.over.insert(*saga);
            }
            SagaEntry::Step { .. }
            | SagaEntry::Begun { .. }
            | SagaEntry::At { .. }
            | SagaEntry::Owned { .. }
            | SagaEntry::Ended { .. }
            | SagaEntry::Marked { .. }
            | SagaEntry::Freed { .. } => {}
        }
    }

    /// Those that are not over.
    pub fn open(&self) -> impl ExactSizeIterator<Item = &SagaKey> {
        self.open.keys()
    }

    /// The records that a commit of this home has, besides what it is for.
    pub(super) fn records(&self, homes: &[Home], deed: &Deed<'_>) -> Vec<SagaEntry> {
        let mut entries = Vec::new();
        let mut left = None;
        let mut undone = None;
        for home in homes {
            let begins = deed.letters.iter().any(|letter| letter.to == home.to && letter.kind == Some(home.kind));
            let saga = SagaKey { saga: home.saga, operation: deed.operation };
            if begins && !self.open.contains_key(&saga) && !self.over.contains(&saga) {
                entries.push(SagaEntry::Started { saga, since: deed.now });
            }
            left = left.or_else(|| self.left(home, deed));
        }
        if let Some((effect, number)) = deed.effect {
            let saga = SagaKey { saga: effect.saga, operation: deed.operation };
            let open = self.open.contains_key(&saga);
            match effect.means {
                Means::Asks => {}
                Means::Step { .. } => entries.push(SagaEntry::Step { saga, effect: number }),
                Means::Undone(step) if open => {
                    entries.push(SagaEntry::Undone { saga, step });
                    undone = Some((saga, step));
                }
                Means::GivenUp if open => entries.push(SagaEntry::GivenUp { saga }),
                Means::Frees => entries.push(SagaEntry::Freed { saga }),
                Means::Undone(_) | Means::GivenUp => {}
            }
        }
        if let Some((saga, completed, due)) = left {
            entries.push(SagaEntry::Left { saga, completed, due });
        }
        let touched = left.map(|(saga, ..)| saga).or(undone.map(|(saga, _)| saga));
        if let Some((saga, instance)) = touched.and_then(|saga| Some((saga, self.open.get(&saga)?)))
            && let Some((completed, due)) = left.map(|(_, completed, due)| (completed, due)).or(instance.left)
            && due & !(instance.undone | undone.map_or(0, |(_, step)| 1 << step)) == 0
        {
            entries.push(SagaEntry::Over { saga, completed, since: instance.since });
        }
        entries
    }

    /// The saga whose end this commit is, how it ends, and what must be undone first.
    fn left(&self, home: &Home, deed: &Deed<'_>) -> Option<(SagaKey, bool, u64)> {
        let step =
            deed.effect.filter(|(effect, _)| effect.saga == home.saga).and_then(|(effect, _)| match effect.means {
                Means::Step { completes, last, due } => Some((completes, last, due)),
                Means::Asks | Means::Undone(_) | Means::GivenUp | Means::Frees => None,
            });
        let operation = match home.subject {
            Some((table, column)) => {
                let status = |row: &Row| code(row.values[usize::from(column)]);
                let changed = |(write, before): &&(&Write, Option<&Row>)| {
                    write.table == table
                        && before.is_some_and(|row| write.row.as_ref().map(status) != Some(status(row)))
                };
                deed.writes.iter().find(changed)?.0.key as u64
            }
            None => step.filter(|(_, last, _)| *last).map(|_| deed.operation)?,
        };
        let saga = SagaKey { saga: home.saga, operation };
        self.open.get(&saga).filter(|instance| instance.left.is_none())?;
        let (completed, due) = step.filter(|_| operation == deed.operation).map_or((false, 0), |(c, _, due)| (c, due));
        Some((saga, completed, due))
    }
}

/// A commit that is about to be made.
pub(super) struct Deed<'a> {
    /// The root request.
    pub(super) operation: u64,
    /// When.
    pub(super) now: Time,
    /// What it is in a saga, with its number.
    pub(super) effect: Option<(&'a Effect, u32)>,
    /// The rows it writes, and what they were.
    pub(super) writes: &'a [(&'a Write, Option<&'a Row>)],
    /// The messages that its steps send.
    pub(super) letters: &'a [Outgoing],
}
