//! Something outside of the store that its leader writes to, and that refuses a leader of the past: the term is the
//! fencing token.

use kernel::{Effects, NodeId};

use super::alone::Role;
use super::wire::{Body, Message, Output, Record};
use super::{Fencing, Mutant, Plan};

/// A machine that leaders publish to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    me: NodeId,
    term: u64,
    index: u64,
}

impl Device {
    /// One that knows of no leader.
    pub const fn new(me: NodeId) -> Self {
        Self { me, term: 0, index: 0 }
    }

    /// What the last leader that was not refused has published.
    pub const fn published(&self) -> u64 {
        self.index
    }

    /// It reads who published last.
    pub fn start(&mut self, log: &[Record]) {
        for record in log {
            let Record::Published { term, index } = *record else { unreachable!("replicas write that") };
            (self.term, self.index) = (term, index);
        }
    }

    /// A leader publishes.
    pub fn on_message(&mut self, plan: &Plan, message: &Message, out: &mut impl Effects<Role>) {
        let Message { from, nth, body: Body::Publish { term, index }, .. } = *message else {
            unreachable!("a device is only published to")
        };
        let fenced = plan.fencing == Fencing::Term && !plan.has(Mutant::UnfencedWrite);
        out.frame(plan.log_frame());
        if term >= self.term || !fenced {
            (self.term, self.index) = (term, index);
            out.persist(Record::Published { term, index });
            out.output(Output::Published { term, index });
        }
        let body = Body::Published { term: self.term, index };
        out.send(from, Message { from: self.me, to: from, nth, body });
    }
}
