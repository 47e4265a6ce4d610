//! A machine of a quorum store: it keeps copies, and coordinates what it is asked.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use kernel::{Delay, Digest, Effects, NodeId};

use super::alone::Role;
use super::wire::{Body, Message, Record, Request, Row, Ticket, Timer, Version, Wish};
use super::{Asked, Mutant, Plan, Repair};

/// A machine with copies.
#[derive(Clone, Debug)]
pub struct Node {
    pub(super) me: NodeId,
    rows: BTreeMap<u64, Row>,
    /// What it coordinates.
    open: BTreeMap<Ticket, Open>,
    /// How often it was asked.
    asked: u64,
}

/// An attempt that is under way.
#[derive(Clone, Debug)]
struct Open {
    request: Request,
    /// Which of what it was asked.
    number: u64,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    /// What the copies have, as far as they have said so.
    Reading { has: BTreeMap<NodeId, Option<Row>>, told: bool },
    /// Who has the row.
    Writing { row: Row, kept: BTreeSet<NodeId> },
}

impl Node {
    /// One without rows.
    pub const fn new(me: NodeId) -> Self {
        Self { me, rows: BTreeMap::new(), open: BTreeMap::new(), asked: 0 }
    }

    /// What it has of a key, tombstones included.
    pub fn row(&self, key: u64) -> Option<Row> {
        self.rows.get(&key).copied()
    }

    /// All that it has, tombstones included.
    pub const fn rows(&self) -> &BTreeMap<u64, Row> {
        &self.rows
    }

    /// Attempts that it coordinates and has not forgotten.
    pub fn unfinished(&self) -> u64 {
        self.open.len() as u64
    }

    /// It reads its rows.
    pub fn start(&mut self, plan: &Plan, log: &[Record]) {
        for Record { key, row } in log {
            self.keep(plan, *key, *row);
        }
    }

    /// A message for a copy or a coordinator came in.
    pub fn on_message(&mut self, plan: &Plan, message: Message, out: &mut impl Effects<Role>) {
        let Message { from, ticket, body, .. } = message;
        match body {
            Body::Ask(request) => self.coordinate(plan, (ticket, request), out),
            Body::Put { key, row } => {
                self.put(plan, key, row, out);
                let early = plan.has(Mutant::AckBeforeFsync);
                out.frame(if early { plan.open_frame() } else { plan.frame(key) });
                self.send(from, ticket, Body::Kept, out);
            }
            Body::Mend { key, row } => self.put(plan, key, row, out),
            Body::Get { key } => {
                out.frame(plan.frame(key));
                self.send(from, ticket, Body::Has(self.row(key)), out);
            }
            Body::Kept => self.kept(plan, (from, ticket), out),
            Body::Has(row) => self.has(plan, (from, ticket), row, out),
            Body::Answered { .. } => unreachable!("clients hear that"),
        }
    }

    /// A timer of a coordinator is due.
    pub fn on_timer(&mut self, timer: Timer) {
        match timer {
            // Whatever its copies still say is not waited for.
            Timer::Forget(asked) => self.open.retain(|_, open| open.number != asked),
            Timer::Order | Timer::Late(_) | Timer::GiveUp(_) => unreachable!("clients wait for that"),
        }
    }

    fn coordinate(&mut self, plan: &Plan, asked: (Ticket, Request), out: &mut impl Effects<Role>) {
        let (ticket, request) = asked;
        // A copy of a message that was here already.
        if self.open.contains_key(&ticket) {
            return;
        }
        let Request { version, key, wish } = request;
        let write = match wish {
            Wish::Read => None,
            Wish::Write(value) => Some(Row { version, value: Some(value) }),
            Wish::Delete => Some(Row { version, value: None }),
        };
        out.frame(plan.open_frame());
        let (phase, body) = match write {
            None => (Phase::Reading { has: BTreeMap::new(), told: false }, Body::Get { key }),
            Some(row) => (Phase::Writing { row, kept: BTreeSet::new() }, Body::Put { key, row }),
        };
        self.asked += 1;
        let number = self.asked;
        self.open.insert(ticket, Open { request, number, phase });
        out.set_timer(Timer::Forget(number), Delay::Fixed(plan.timeout));
        for copy in asked_for(plan, ticket, request) {
            self.send(copy, ticket, body.clone(), out);
        }
    }

    /// Keeps a row durably, if it is the newest.
    fn put(&mut self, plan: &Plan, key: u64, row: Row, out: &mut impl Effects<Role>) {
        if self.keep(plan, key, row) {
            out.frame(plan.frame(key));
            out.persist(Record { key, row });
        }
    }

    /// Keeps a row in memory, if it is the newest.
    fn keep(&mut self, plan: &Plan, key: u64, row: Row) -> bool {
        let newer = self.row(key).is_none_or(|known| known.version < row.version);
        if newer {
            self.rows.insert(key, row);
            if plan.has(Mutant::Resurrect) && row.value.is_none() {
                self.rows.remove(&key);
            }
        }
        newer
    }

    /// A copy has what is to be written.
    fn kept(&mut self, plan: &Plan, copy: (NodeId, Ticket), out: &mut impl Effects<Role>) {
        let (from, ticket) = copy;
        let Some(Open { request, number: asked, phase: Phase::Writing { row, kept } }) = self.open.get_mut(&ticket)
        else {
            return;
        };
        if kept.insert(from) && kept.len() == plan.write {
            let (Version { session, number, .. }, row, asked) = (request.version, Some(*row), *asked);
            self.open.remove(&ticket);
            out.frame(plan.open_frame());
            out.cancel_timer(Timer::Forget(asked));
            self.send(session.node, ticket, Body::Answered { number, row }, out);
        }
    }

    /// A copy says what it has.
    fn has(&mut self, plan: &Plan, copy: (NodeId, Ticket), row: Option<Row>, out: &mut impl Effects<Role>) {
        let (from, ticket) = copy;
        let Some(Open { request, number: asked, phase: Phase::Reading { has, told } }) = self.open.get_mut(&ticket)
        else {
            return;
        };
        has.insert(from, row);
        let enough = if plan.has(Mutant::OneAnswer) { 1 } else { plan.read };
        if has.len() < enough {
            return;
        }
        let newest = has.values().copied().max().flatten();
        let (request, asked, has, first) = (*request, *asked, has.clone(), !core::mem::replace(told, true));
        out.frame(plan.open_frame());
        if first {
            let Version { session, number, .. } = request.version;
            self.send(session.node, ticket, Body::Answered { number, row: newest }, out);
        }
        if let Some(mut row) = newest.filter(|_| plan.repair == Repair::OnRead) {
            row.version.clock += i64::from(plan.has(Mutant::MendAnew));
            // With the first answers all of them are mended; of later ones who says so now, or all again if it is the newest.
            let who = has
                .iter()
                .filter(|(node, known)| **known < newest && (first || **node == from || has[&from] == newest));
            for (node, _) in who {
                self.send(*node, ticket, Body::Mend { key: request.key, row }, out);
            }
        }
        let all = if plan.asked == Asked::All { plan.copies } else { plan.read };
        if has.len() == all {
            self.open.remove(&ticket);
            out.cancel_timer(Timer::Forget(asked));
        }
    }

    fn send(&self, to: NodeId, ticket: Ticket, body: Body, out: &mut impl Effects<Role>) {
        out.send(to, Message { from: self.me, to, ticket, body });
    }
}

/// The copies that an attempt goes to.
fn asked_for(plan: &Plan, ticket: Ticket, request: Request) -> Vec<NodeId> {
    let mut copies: Vec<NodeId> = plan.copies_of(request.key).collect();
    if let Asked::Enough(key) = plan.asked {
        let enough = if request.wish == Wish::Read { plan.read } else { plan.write };
        let mut draw = key.draw(request.version.digest(), ticket.attempt, 0);
        // Fisher and Yates, from the front.
        for place in 0..enough {
            let left = copies.len() - place;
            copies.swap(place, place + ((u128::from(draw.bits()) * left as u128) >> 64) as usize);
        }
        copies.truncate(enough);
    }
    copies
}
