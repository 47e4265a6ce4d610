//! A quorum store alone on a cluster: machines with copies, and clients with lists of orders. Clients do not crash: one that
//! did would number its requests anew.

use alloc::vec::Vec;

use kernel::{CellId, Effects, NodeId, Process, Time};

use super::Plan;
use super::client::{Client, Script};
use super::node::Node;
use super::wire::{Message, Output, Record, Timer};

/// One node of a cluster that is nothing but a store.
#[derive(Clone, Debug)]
pub enum Role {
    /// Keeps copies and coordinates.
    Node(Node),
    /// Gives orders.
    Client(Client),
}

/// What a cluster of roles is configured with.
#[derive(Clone, Debug)]
pub struct Play {
    /// How the store is carried out.
    pub plan: Plan,
    /// Who plays what, by node; those with copies are those of the plan.
    pub cast: Vec<Cast>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Cast {
    /// A machine of the store.
    Node,
    /// A client with its orders.
    Client(Script),
}

impl Play {
    fn script(&self, client: NodeId) -> &Script {
        let Cast::Client(script) = &self.cast[client.0 as usize] else { unreachable!("only clients have a script") };
        script
    }
}

impl Process for Role {
    type Plan = Play;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Output = Output;

    fn boot(play: &Play, me: NodeId) -> Self {
        match play.cast[me.0 as usize] {
            Cast::Node => Self::Node(Node::new(me)),
            Cast::Client(_) => Self::Client(Client::new(me)),
        }
    }

    fn on_start(&mut self, play: &Play, now: Time, log: &[Record], out: &mut impl Effects<Self>) {
        match self {
            Self::Node(node) => node.start(&play.plan, log),
            Self::Client(client) => client.wait(play.script(client.me), now, out),
        }
    }

    fn on_message(&mut self, play: &Play, now: Time, _from: NodeId, message: Message, out: &mut impl Effects<Self>) {
        match self {
            Self::Node(node) => node.on_message(&play.plan, message, out),
            Self::Client(client) => client.on_message(play.script(client.me), now, &message, out),
        }
    }

    fn on_timer(&mut self, play: &Play, now: Time, timer: Timer, out: &mut impl Effects<Self>) {
        match (self, timer) {
            (Self::Node(node), timer) => node.on_timer(timer),
            (Self::Client(client), timer) => client.on_timer(&play.plan, play.script(client.me), now, timer, out),
        }
    }

    /// A client's patience is a timer.
    fn on_reset(&mut self, _: &Play, _: Time, _: NodeId, _: Message, _: &mut impl Effects<Self>) {}

    fn unfinished(&self) -> u64 {
        match self {
            Self::Node(node) => node.unfinished(),
            Self::Client(client) => client.unfinished(),
        }
    }

    /// A coordinator writes nothing down: clients ask again.
    fn owed(_: &Play, _: NodeId, _: &[Record]) -> u64 {
        0
    }

    fn volatile_cells(&self, _: &Play, _: &mut impl FnMut(CellId, u64, i64)) {}
}
