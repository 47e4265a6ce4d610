//! A replicated store alone on a cluster: replicas, clients with lists of orders, and perhaps a device.

use alloc::vec::Vec;

use kernel::{CellId, Effects, NodeId, Process, Time};

use super::Plan;
use super::client::{Client, Script};
use super::device::Device;
use super::replica::{Moment, Replica};
use super::wire::{Message, Output, Record, Timer};

/// One node of a cluster that is nothing but a store.
#[derive(Clone, Debug)]
pub enum Role {
    /// Keeps a copy.
    Replica(Replica),
    /// Gives orders.
    Client(Client),
    /// Is published to.
    Device(Device),
}

/// What a cluster of roles is configured with.
#[derive(Clone, Debug)]
pub struct Play {
    /// How the store is carried out.
    pub plan: Plan,
    /// Who plays what, by node; the replicas are those of the plan.
    pub cast: Vec<Cast>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Cast {
    /// A replica.
    Replica,
    /// A client with its orders.
    Client(Script),
    /// A device.
    Device,
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
            Cast::Replica => Self::Replica(Replica::new(me)),
            Cast::Client(_) => Self::Client(Client::new(me)),
            Cast::Device => Self::Device(Device::new(me)),
        }
    }

    fn on_start(&mut self, play: &Play, now: Time, log: &[Record], out: &mut impl Effects<Self>) {
        match self {
            Self::Replica(replica) => replica.start(&play.plan, Moment::here(now, out), log, out),
            Self::Client(client) => client.start(play.script(client.me), now, out),
            Self::Device(device) => device.start(log),
        }
    }

    fn on_message(&mut self, play: &Play, now: Time, _from: NodeId, message: Message, out: &mut impl Effects<Self>) {
        match self {
            Self::Replica(replica) => {
                replica.on_message(&play.plan, Moment::here(now, out), message, out);
            }
            Self::Client(client) => client.on_message(&play.plan, play.script(client.me), now, &message, out),
            Self::Device(device) => device.on_message(&play.plan, &message, out),
        }
    }

    fn on_timer(&mut self, play: &Play, now: Time, timer: Timer, out: &mut impl Effects<Self>) {
        match self {
            Self::Replica(replica) => replica.on_timer(&play.plan, Moment::here(now, out), timer, out),
            Self::Client(client) => client.on_timer(&play.plan, play.script(client.me), now, timer, out),
            Self::Device(_) => unreachable!("a device sets no timers"),
        }
    }

    /// Heartbeats and attempts are repeated anyway.
    fn on_reset(&mut self, _: &Play, _: Time, _: NodeId, _: Message, _: &mut impl Effects<Self>) {}

    fn unfinished(&self) -> u64 {
        match self {
            Self::Replica(replica) => replica.unfinished(),
            Self::Client(client) => client.unfinished(),
            Self::Device(_) => 0,
        }
    }

    /// A replica owes nothing that its log knows of: clients ask again.
    fn owed(_: &Play, _: NodeId, _: &[Record]) -> u64 {
        0
    }

    fn volatile_cells(&self, _: &Play, _: &mut impl FnMut(CellId, u64, i64)) {}
}
