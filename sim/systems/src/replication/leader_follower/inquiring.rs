//! Reads that ask a majority of replicas instead of the leader (A. Charapko, A. Ailijani, M. Demirbas, "Linearizable Quorum
//! Reads in Paxos", 2019).
//!
//! Any replica takes such a read and asks all others where their logs end. When a majority has said so, itself included, the
//! newest of these logs (the newest term, then the longest, as in elections) has all that was agreed before the question.
//! The replica waits until its own log is agreed that far, and answers from its memory. It asks again every heartbeat, and
//! for a tail that is never agreed from the beginning: the lower of two places will do. Rounds are counted from the moment at
//! which a replica starts, so that what was meant for the one before it is taken for no answer.
//!
//! A change that is told before a majority has it ([`Acks`](super::Acks) below that) may be missed.

use alloc::vec;
use alloc::vec::Vec;

use kernel::{Delay, Effects, NodeId};

use super::alone::Role;
use super::log::Position;
use super::reading::Lookup;
use super::replica::Replica;
use super::wire::{Body, Timer};
use super::{Mutant, Plan};
use crate::replication::keys::Answer;

/// A read for which a majority is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Inquiry {
    lookup: Lookup,
    /// The first round after it was asked, or asked anew: whoever answers this round or a later one has heard of it.
    since: u64,
    /// Who has.
    heard: Vec<NodeId>,
    /// Where the newest log of them ends, and that of its own.
    newest: Position,
    /// As soon as the log is agreed up to here it can be answered; `None` before a majority has been heard.
    until: Option<u64>,
}

/// What a replica tells of its log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Where it ends.
    pub last: Position,
    /// Up to where it is known to be agreed.
    pub agreed: Position,
}

impl Replica {
    /// A client wants to know, and whoever it asks finds out.
    pub(super) fn inquire(&mut self, plan: &Plan, lookup: Lookup, out: &mut impl Effects<Role>) {
        if !lookup.is_new(self.inquiries.iter_mut().map(|asked| &mut asked.lookup)) {
            return;
        }
        self.inquiries.retain(|asked| asked.lookup.request.session != lookup.request.session);
        if self.inquiries.is_empty() {
            out.set_timer(Timer::Inquire, Delay::Fixed(plan.heartbeat));
        }
        let mut inquiry = Inquiry { lookup, since: 0, heard: Vec::new(), newest: Position::default(), until: None };
        self.begin(plan, &mut inquiry);
        self.inquiries.push(inquiry);
        self.ask_around(plan, out);
    }

    /// The next round is the first that counts for this read.
    fn begin(&self, plan: &Plan, inquiry: &mut Inquiry) {
        (inquiry.since, inquiry.newest, inquiry.heard) = (self.asked + 1, self.log.last(), vec![self.me]);
        inquiry.heard_enough(plan);
    }

    /// Asks everybody, for all reads that wait.
    fn ask_around(&mut self, plan: &Plan, out: &mut impl Effects<Role>) {
        self.asked += 1;
        out.frame(plan.open_frame());
        for replica in plan.replicas.iter().filter(|replica| **replica != self.me) {
            self.send(*replica, self.asked, Body::Inquire, out);
        }
    }

    /// It is time to ask again. A place that is still not agreed may be one of a tail that never will be: that is asked anew.
    pub(super) fn inquire_again(&mut self, plan: &Plan, out: &mut impl Effects<Role>) {
        if self.inquiries.is_empty() {
            return;
        }
        let mut inquiries = core::mem::take(&mut self.inquiries);
        for inquiry in inquiries.iter_mut().filter(|inquiry| inquiry.until.is_some()) {
            self.begin(plan, inquiry);
        }
        self.inquiries = inquiries;
        self.ask_around(plan, out);
        out.set_timer(Timer::Inquire, Delay::Fixed(plan.heartbeat));
    }

    /// Tells how far its log goes.
    pub(super) fn tell_extent(&self, plan: &Plan, asked: (NodeId, u64), out: &mut impl Effects<Role>) {
        let (to, nth) = asked;
        let term = self.log.term(self.agreed).expect("what is agreed is in the log, or the end of its snapshot");
        let agreed = Position { index: self.agreed, term };
        out.frame(plan.open_frame());
        self.send(to, nth, Body::Extends(Extent { last: self.log.last(), agreed }), out);
    }

    /// Another replica has told how far its log goes.
    pub(super) fn extends(&mut self, plan: &Plan, from: (NodeId, u64), extent: Extent, out: &mut impl Effects<Role>) {
        let ((from, round), Extent { last, agreed }) = (from, extent);
        // The same entry at the same place: what is agreed there is agreed here.
        if agreed.index > self.agreed && self.log.term(agreed.index) == Some(agreed.term) {
            self.agree(plan, agreed.index, out);
        }
        for inquiry in self.inquiries.iter_mut().filter(|inquiry| inquiry.since <= round) {
            if !inquiry.heard.contains(&from) {
                inquiry.heard.push(from);
                inquiry.newest = inquiry.newest.max(last);
                inquiry.heard_enough(plan);
            }
        }
    }

    /// Answers the reads whose place in the log is agreed.
    pub(super) fn settle_inquiries(&mut self, plan: &Plan, out: &mut impl Effects<Role>) {
        let agreed = self.agreed;
        let ready = |inquiry: &mut Inquiry| inquiry.until.is_some_and(|until| until <= agreed);
        let found: Vec<Inquiry> = self.inquiries.extract_if(.., ready).collect();
        if found.is_empty() {
            return;
        }
        out.frame(plan.open_frame());
        for Inquiry { lookup, .. } in found {
            let value = Answer::Value(self.state.value(lookup.request.operation.key()));
            self.answer(lookup, value, out);
        }
        if self.inquiries.is_empty() {
            out.cancel_timer(Timer::Inquire);
        }
    }
}

impl Inquiry {
    /// Notes how far the log must be agreed, if a majority has been heard.
    fn heard_enough(&mut self, plan: &Plan) {
        let alone = plan.has(Mutant::ReadAlone);
        if alone || self.heard.len() >= plan.majority() {
            let newest = if alone { 0 } else { self.newest.index };
            self.until = Some(self.until.map_or(newest, |until| until.min(newest)));
        }
    }
}
