//! A machine of a replicated store: the protocol of its kind does all of it, and here it only gets its messages.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use kernel::{CellId, Digest, Effects, Message as Wire, NodeId, Record as Logged, Route, Time, Within, fold};

use super::embed::InMachine;
use super::machine::{Machine, Role};
use super::plan::{Keeping, Plan, StorePlan};
use crate::replication::{leader_follower, quorum};

/// What keeps the copies of one machine.
#[derive(Clone, Debug)]
pub enum Keeper {
    /// A replica of a log.
    Ordered(Box<leader_follower::Replica>),
    /// A machine with copies that vote.
    Quorum(quorum::Node),
}

/// What a machine of a store holds, for those who look at it from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Holding {
    /// A replica of a log.
    Ordered {
        /// The term that it believes to lead.
        leads: Option<u64>,
        /// The values that it has executed.
        executed: BTreeMap<u64, u64>,
        /// The values that its whole log gives.
        logged: BTreeMap<u64, u64>,
    },
    /// Rows with their versions, tombstones included.
    Versions(BTreeMap<u64, quorum::Row>),
}

/// To or from a machine of a store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// Of a store with a leader.
    Ordered(leader_follower::Message),
    /// Of one without.
    Quorum(quorum::Message),
}

/// A keeper's own timer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// Of a store with a leader.
    Ordered(leader_follower::Timer),
    /// Of one without.
    Quorum(quorum::Timer),
}

/// What a keeper writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// Of a store with a leader.
    Ordered(leader_follower::Record),
    /// Of one without.
    Quorum(quorum::Record),
}

impl Keeper {
    /// One with empty memory.
    pub fn new(store: &StorePlan, me: NodeId) -> Self {
        match store.keeping {
            Keeping::Ordered(_) => Self::Ordered(Box::new(leader_follower::Replica::new(me))),
            Keeping::Quorum(_) => Self::Quorum(quorum::Node::new(me)),
        }
    }

    /// What it holds now.
    pub fn holds(&self) -> Holding {
        match self {
            Self::Ordered(replica) => Holding::Ordered {
                leads: replica.leads().then(|| replica.term()),
                executed: replica.state().values().collect(),
                logged: replica.logged().values().collect(),
            },
            Self::Quorum(node) => Holding::Versions(node.rows().clone()),
        }
    }

    pub(super) fn start<'a>(
        &mut self,
        store: &StorePlan,
        now: Time,
        log: impl Iterator<Item = &'a Record>,
        out: &mut impl Effects<Machine>,
    ) {
        match (self, &store.keeping) {
            (Self::Ordered(replica), Keeping::Ordered(plan)) => {
                let log: alloc::vec::Vec<_> = log.filter_map(Record::ordered).cloned().collect();
                let at = leader_follower::Moment::here::<Machine>(now, out);
                replica.start(plan, at, &log, &mut Within::new(out, InMachine));
            }
            (Self::Quorum(node), Keeping::Quorum(plan)) => {
                let log: alloc::vec::Vec<_> = log.filter_map(Record::quorum).copied().collect();
                node.start(plan, &log);
            }
            (Self::Ordered(_) | Self::Quorum(_), _) => unreachable!("a store is of one kind"),
        }
    }

    pub(super) fn on_message(
        &mut self,
        store: &StorePlan,
        now: Time,
        message: Message,
        out: &mut impl Effects<Machine>,
    ) {
        match (self, &store.keeping, message) {
            (Self::Ordered(replica), Keeping::Ordered(plan), Message::Ordered(message)) => {
                let at = leader_follower::Moment::here::<Machine>(now, out);
                replica.on_message(plan, at, message, &mut Within::new(out, InMachine));
            }
            (Self::Quorum(node), Keeping::Quorum(plan), Message::Quorum(message)) => {
                node.on_message(plan, message, &mut Within::new(out, InMachine));
            }
            (Self::Ordered(_) | Self::Quorum(_), ..) => unreachable!("a store is of one kind"),
        }
    }

    pub(super) fn on_timer(&mut self, store: &StorePlan, now: Time, timer: Timer, out: &mut impl Effects<Machine>) {
        match (self, &store.keeping, timer) {
            (Self::Ordered(replica), Keeping::Ordered(plan), Timer::Ordered(timer)) => {
                let at = leader_follower::Moment::here::<Machine>(now, out);
                replica.on_timer(plan, at, timer, &mut Within::new(out, InMachine));
            }
            (Self::Quorum(node), Keeping::Quorum(_), Timer::Quorum(timer)) => node.on_timer(timer),
            (Self::Ordered(_) | Self::Quorum(_), ..) => unreachable!("a store is of one kind"),
        }
    }

    pub(super) fn unfinished(&self) -> u64 {
        match self {
            Self::Ordered(replica) => replica.unfinished(),
            Self::Quorum(node) => node.unfinished(),
        }
    }

    pub(super) fn volatile_cells(&self, store: &StorePlan, each: &mut impl FnMut(CellId, u64, i64)) {
        if let (Self::Ordered(replica), Keeping::Ordered(plan)) = (self, &store.keeping) {
            replica.volatile_cells(plan, each);
        }
    }
}

impl Machine {
    /// What it holds of a replicated store, if it is one of its machines.
    pub fn holds(&self) -> Option<Holding> {
        if let Role::Keeper(keeper) = &self.role { Some(keeper.holds()) } else { None }
    }
}

impl Plan {
    /// The store whose machine this is.
    ///
    /// # Panics
    /// If the node is no machine of a store.
    pub fn store(&self, me: NodeId) -> &StorePlan {
        let super::plan::Part::Replica(store) = self.nodes[me.0 as usize].part else {
            panic!("node {} is no machine of a store", me.0)
        };
        &self.stores[store as usize]
    }
}

impl Message {
    /// Names of their kinds, by number.
    pub const KINDS: [&'static str; leader_follower::KINDS.len() + quorum::KINDS.len()] = {
        let mut names = [""; leader_follower::KINDS.len() + quorum::KINDS.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = if at < leader_follower::KINDS.len() {
                leader_follower::KINDS[at]
            } else {
                quorum::KINDS[at - leader_follower::KINDS.len()]
            };
            at += 1;
        }
        names
    };
}

impl Wire for Message {
    fn route(&self) -> Route {
        match self {
            Self::Ordered(message) => message.route(),
            Self::Quorum(message) => message.route(),
        }
    }

    fn bytes(&self) -> u32 {
        match self {
            Self::Ordered(message) => message.bytes(),
            Self::Quorum(message) => message.bytes(),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Ordered(message) => message.kind(),
            Self::Quorum(message) => leader_follower::KINDS.len() as u8 + message.kind(),
        }
    }

    fn background(&self) -> bool {
        match self {
            Self::Ordered(message) => message.background(),
            Self::Quorum(message) => message.background(),
        }
    }
}

impl Digest for Message {
    fn digest(&self) -> u64 {
        match self {
            Self::Ordered(message) => message.digest(),
            Self::Quorum(message) => fold(message.digest(), 1),
        }
    }
}

impl Digest for Timer {
    fn digest(&self) -> u64 {
        match self {
            Self::Ordered(timer) => timer.digest(),
            Self::Quorum(timer) => fold(timer.digest(), 1),
        }
    }
}

impl Record {
    fn ordered(&self) -> Option<&leader_follower::Record> {
        if let Self::Ordered(record) = self { Some(record) } else { None }
    }

    fn quorum(&self) -> Option<&quorum::Record> {
        if let Self::Quorum(record) = self { Some(record) } else { None }
    }
}

impl Logged for Record {
    fn bytes(&self) -> u32 {
        match self {
            Self::Ordered(record) => record.bytes(),
            Self::Quorum(record) => record.bytes(),
        }
    }
}

impl Digest for Record {
    fn digest(&self) -> u64 {
        match self {
            Self::Ordered(record) => record.digest(),
            Self::Quorum(record) => fold(record.digest(), 1),
        }
    }
}
