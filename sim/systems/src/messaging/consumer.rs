//! The consumer's side of a subscription: it says that it is there when it starts, when the broker has forgotten it, and
//! with every heartbeat, in case either was lost.

use kernel::{Delay, Effects, NodeId, Time};

use super::alone::Role;
use super::plan::Plan;
use super::wire::{Message, Payload, Timer};

/// One consumer of the plan on one of its nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subscriber {
    me: NodeId,
    consumer: u32,
    incarnation: Time,
    beat: u64,
}

impl Subscriber {
    /// A node that starts subscribes.
    pub fn start<P: Payload>(
        plan: &Plan,
        me: NodeId,
        now: Time,
        consumer: u32,
        out: &mut impl Effects<Role<P>>,
    ) -> Self {
        assert!(plan.heartbeat.0 > 0, "a heartbeat without pause would never end");
        let mut new = Self { me, consumer, incarnation: now, beat: 0 };
        new.subscribe(plan, out);
        new
    }

    /// Its `Timer::Beat` is due, or the broker said `Hello`, or a `Subscribe` of its was reset.
    pub fn subscribe<P: Payload>(&mut self, plan: &Plan, out: &mut impl Effects<Role<P>>) {
        let Self { me: node, consumer, incarnation, beat } = *self;
        self.beat += 1;
        let queue = plan.consumers[consumer as usize].queue;
        let broker = plan.queues[queue as usize].broker;
        out.send(broker, Message::Subscribe { consumer, node, incarnation, beat });
        out.set_timer(Timer::Beat(consumer), Delay::Fixed(plan.heartbeat));
    }
}
