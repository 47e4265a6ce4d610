//! How a commit protocol sits inside a machine: its messages, timers and records wrapped, its outputs as wake-ups.

use alloc::boxed::Box;
use alloc::sync::Arc;

use kernel::Embed;

use super::keeper;
use super::machine::{Machine, Record, Timer};
use super::message::{Mail, Message};
use super::rows::{Rows, Work};
use crate::commit::two_phase::{self, Output};
use crate::messaging::{self, topics};
use crate::replication::{leader_follower, quorum};

/// What a machine's commit roles say their effects as.
pub type Role = two_phase::Role<Rows>;

/// The wrapping.
#[derive(Clone, Copy, Debug)]
pub struct InMachine;

impl Embed<Role, Machine> for InMachine {
    fn message(&self, message: two_phase::Message<Work>) -> Message {
        Message::Commit(message)
    }

    fn timer(&self, timer: two_phase::Timer) -> Timer {
        Timer::Commit(timer)
    }

    fn record(&self, record: two_phase::Record<Work>) -> Record {
        Record::Commit(Arc::new(record))
    }

    fn output(&self, output: Output) -> Timer {
        match output {
            Output::Decided { transaction, kind, outcome } => {
                Timer::Decided { transaction, kind, reason: outcome.err().map(|reason| reason.0) }
            }
        }
    }
}

/// What a machine's broker and subscriptions say their effects as.
pub type MailRole = messaging::Role<Mail>;

impl Embed<MailRole, Machine> for InMachine {
    fn message(&self, message: messaging::Message<Mail>) -> Message {
        Message::Mail(Box::new(message))
    }

    fn timer(&self, timer: messaging::Timer) -> Timer {
        Timer::Mail(timer)
    }

    fn record(&self, record: messaging::Record<Mail>) -> Record {
        Record::Mail(Arc::new(record))
    }

    fn output(&self, output: messaging::Output) -> Timer {
        match output {}
    }
}

/// What a machine's topics, and its memberships of groups that read them, say their effects as.
pub type TopicRole = topics::Role<Mail>;

impl Embed<TopicRole, Machine> for InMachine {
    fn message(&self, message: topics::Message<Mail>) -> Message {
        Message::Topic(Box::new(message))
    }

    fn timer(&self, timer: topics::Timer) -> Timer {
        Timer::Topic(timer)
    }

    fn record(&self, record: topics::Record<Mail>) -> Record {
        Record::Topic(Arc::new(record))
    }

    fn output(&self, output: topics::Output) -> Timer {
        match output {}
    }
}

impl Embed<leader_follower::Role, Machine> for InMachine {
    fn message(&self, message: leader_follower::Message) -> Message {
        Message::Store(Box::new(keeper::Message::Ordered(message)))
    }

    fn timer(&self, timer: leader_follower::Timer) -> Timer {
        Timer::Keep(keeper::Timer::Ordered(timer))
    }

    fn record(&self, record: leader_follower::Record) -> Record {
        Record::Kept(Arc::new(keeper::Record::Ordered(record)))
    }

    fn output(&self, output: leader_follower::Output) -> Timer {
        unreachable!("only clients of its own, and who asks for it, are told {output:?}")
    }
}

impl Embed<quorum::Role, Machine> for InMachine {
    fn message(&self, message: quorum::Message) -> Message {
        Message::Store(Box::new(keeper::Message::Quorum(message)))
    }

    fn timer(&self, timer: quorum::Timer) -> Timer {
        Timer::Keep(keeper::Timer::Quorum(timer))
    }

    fn record(&self, record: quorum::Record) -> Record {
        Record::Kept(Arc::new(keeper::Record::Quorum(record)))
    }

    fn output(&self, output: quorum::Output) -> Timer {
        unreachable!("only clients of its own, and who asks for it, are told {output:?}")
    }
}
