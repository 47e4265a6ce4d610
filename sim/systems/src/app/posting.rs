//! Messages: steps publish them, the relay publishes what is in the outbox, consumers take them from their queues.

use alloc::boxed::Box;
use alloc::vec::Vec;

use kernel::{Delay, Effects, NodeId, Time, Within, fold};

use super::asking::ASK_AGAIN;
use super::embed::InMachine;
use super::frame::{Caller, Frame};
use super::machine::{Machine, Role, Timer};
use super::message::{CallResult, Failure, Mail, Message, system_errors};
use super::mutant::Mutant;
use super::plan::{Addressee, Does, Part, Plan};
use super::station::Admission;
use crate::database::{Outgoing, Receipt};
use crate::expression::Value;
use crate::messaging::{self, Confirm, Destination, Letter, Settlement, Subscriber, Tag, Verdict, topics};
use crate::variables::Variables;

impl Machine {
    /// A frame publishes a message and waits for the broker.
    pub(super) fn publish(&mut self, plan: &Plan, now: Time, number: u32, publish: u16, out: &mut impl Effects<Self>) {
        let site = &plan.publishes[usize::from(publish)];
        let frame = self.frames.get(number);
        let operation = frame.operation;
        let Some(letter) = site.letter.written(&frame.variables, &frame.variables) else {
            let failure = Failure::system(system_errors::INVALID, true);
            return self.otherwise(plan, now, number, (failure, site.otherwise), out);
        };
        let token = self.wait(number);
        self.frames.get(number).posting = Some(publish);
        let id = self.letter_id(number);
        let to = plan.place(letter.to);
        self.post(plan, id, Outgoing { operation, ..letter }, out);
        if !site.confirm {
            self.ready.push(number);
            return;
        }
        if let Some(timeout) = site.timeout {
            out.set_timer(Timer::Unconfirmed { frame: number, token }, Delay::Fixed(timeout));
        }
        if let Addressee::Topic(_) = to {
            // The producer asks again until it is told: the topic knows a letter again.
            out.set_timer(Timer::AskAgain { frame: number, token }, Delay::Fixed(ASK_AGAIN));
        }
        if let Role::Server(server) = &mut self.role {
            server.posted.insert(id, (number, token));
        }
    }

    /// What a frame publishes now is known by this.
    fn letter_id(&mut self, number: u32) -> u64 {
        let frame = self.frames.get(number);
        fold(fold(frame.operation, frame.hop), u64::from(frame.turns) << 32 | u64::from(frame.pc))
    }

    /// A topic has not confirmed: its broker may have been down.
    pub(super) fn post_again(
        &mut self,
        plan: &Plan,
        (number, token): (u32, u64),
        publish: u16,
        out: &mut impl Effects<Self>,
    ) {
        let frame = self.frames.get(number);
        let operation = frame.operation;
        let written = plan.publishes[usize::from(publish)].letter.written(&frame.variables, &frame.variables);
        let Some(letter) = written else { return };
        let id = self.letter_id(number);
        self.post(plan, id, Outgoing { operation, ..letter }, out);
        out.set_timer(Timer::AskAgain { frame: number, token }, Delay::Fixed(ASK_AGAIN));
    }

    /// The relay publishes a message of the outbox.
    pub(super) fn relay_message(&mut self, plan: &Plan, number: u64, letter: Outgoing, out: &mut impl Effects<Self>) {
        self.post(plan, self.outbox_id(plan, number), letter, out);
    }

    /// The id of the nth message of this service's outbox.
    fn outbox_id(&self, plan: &Plan, number: u64) -> u64 {
        fold(0x0b0c ^ u64::from(plan.service(self.me).0.first.0), number)
    }

    fn post(&mut self, plan: &Plan, id: u64, letter: Outgoing, out: &mut impl Effects<Self>) {
        let to = plan.place(letter.to);
        let key = match letter.key {
            // Messages are ordered by what caused them if nothing else is said; exchanges route by what is said only.
            Value::Null => match to {
                Addressee::Mail(Destination::Exchange(_)) => None,
                Addressee::Mail(Destination::Queue(_)) | Addressee::Topic(_) => Some(letter.operation),
            },
            Value::Int(number) => Some(number as u64),
            Value::Text(symbol) => Some(u64::from(symbol)),
            Value::Bool(truth) => Some(u64::from(truth)),
        };
        let server = self.server();
        server.polls += 1;
        let hop = fold(id, server.polls);
        let payload = Mail { variables: letter.variables, bytes: plan.mail_bytes[usize::from(letter.to)] };
        let letter =
            Letter { id, operation: letter.operation, key, kind: letter.kind, priority: 0, from_queue: None, payload };
        let confirm = Confirm::Wanted;
        match to {
            Addressee::Mail(to) => {
                let publish = messaging::Message::Publish { to, letter, hop, confirm };
                out.send(plan.mail.broker_of(to), Message::Mail(Box::new(publish)));
            }
            Addressee::Topic(topic) => {
                let publish = topics::Message::Publish { topic, letter, hop, confirm };
                out.send(plan.topics.topics[topic as usize].broker, Message::Topic(Box::new(publish)));
            }
        }
    }

    /// A message to or from a broker.
    pub(super) fn mail(
        &mut self,
        plan: &Plan,
        now: Time,
        from: NodeId,
        mail: messaging::Message<Mail>,
        out: &mut impl Effects<Self>,
    ) {
        if let Role::Broker(broker) = &mut self.role {
            return broker.on_message(&plan.mail, now, from, mail, &mut Within::new(out, InMachine));
        }
        match mail {
            messaging::Message::Published { id, verdict, .. } => self.published(plan, now, id, verdict, out),
            messaging::Message::Hello { .. } => {
                self.subscribe_again(plan, out);
                self.broker_lost(plan, now, from, out);
            }
            messaging::Message::Deliver { consumer, tag, deliveries, copy, letter } => {
                self.delivered(plan, now, (consumer, tag), (deliveries, copy), &letter, out);
            }
            messaging::Message::Publish { .. }
            | messaging::Message::Subscribe { .. }
            | messaging::Message::Settle { .. } => panic!("only a broker is asked so"),
        }
    }

    /// A timer of a broker or a subscription.
    pub(super) fn mail_timer(&mut self, plan: &Plan, now: Time, timer: messaging::Timer, out: &mut impl Effects<Self>) {
        match (&mut self.role, timer) {
            (Role::Broker(broker), _) => broker.on_timer(&plan.mail, now, timer, &mut Within::new(out, InMachine)),
            (Role::Server(server), messaging::Timer::Beat(consumer)) => {
                if let Some(subscriber) = server.subscribers.get_mut(&consumer) {
                    subscriber.subscribe(&plan.mail, &mut Within::new(out, InMachine));
                }
            }
            (
                Role::Server(_)
                | Role::Store(_)
                | Role::Topics(_)
                | Role::Keeper(_)
                | Role::Guest(_)
                | Role::Clients(_),
                _,
            ) => {}
        }
    }

    /// A message could not be delivered.
    pub(super) fn mail_reset(
        &mut self,
        plan: &Plan,
        now: Time,
        to: NodeId,
        mail: &messaging::Message<Mail>,
        out: &mut impl Effects<Self>,
    ) {
        match (&mut self.role, mail) {
            (Role::Broker(broker), _) => broker.on_reset(&plan.mail, now, to, mail, &mut Within::new(out, InMachine)),
            (Role::Server(server), messaging::Message::Publish { letter, .. }) => {
                let waiting = server.posted.get(&letter.id).copied();
                self.post_lost(plan, now, waiting, out);
            }
            // A subscription is said again with the next beat; what is not settled is delivered again.
            (
                Role::Server(_)
                | Role::Store(_)
                | Role::Topics(_)
                | Role::Keeper(_)
                | Role::Guest(_)
                | Role::Clients(_),
                _,
            ) => {}
        }
    }

    /// A message did not reach its broker; whoever waits for the confirmation is told so.
    pub(super) fn post_lost(
        &mut self,
        plan: &Plan,
        now: Time,
        waiting: Option<(u32, u64)>,
        out: &mut impl Effects<Self>,
    ) {
        if let Some(waiting) = waiting {
            let failure = Failure::system(system_errors::UNAVAILABLE, false);
            self.post_ended(plan, now, waiting, Err(failure), out);
        }
    }

    /// A broker says what became of a message.
    pub(super) fn published(
        &mut self,
        plan: &Plan,
        now: Time,
        id: u64,
        verdict: Verdict,
        out: &mut impl Effects<Self>,
    ) {
        let failed = match verdict {
            Verdict::Stored | Verdict::Unroutable => None,
            Verdict::Refused => Some(Failure::system(system_errors::OVERLOAD, true)),
        };
        if let Some(waiting) = self.server().posted.remove(&id) {
            return self.post_ended(plan, now, waiting, failed.map_or(Ok(()), Err), out);
        }
        let sent: Vec<u64> = self.server().relay.sent().collect();
        if let Some(number) = sent.into_iter().find(|number| self.outbox_id(plan, *number) == id)
            && failed.is_none()
        {
            self.relay_confirmed(plan, number, out);
        }
    }

    /// A broker is back that has forgotten what it was to confirm: it may have stored it.
    fn broker_lost(&mut self, plan: &Plan, now: Time, broker: NodeId, out: &mut impl Effects<Self>) {
        let waiting: Vec<(u64, (u32, u64))> = self.server().posted.iter().map(|(id, at)| (*id, *at)).collect();
        for (id, (number, token)) in waiting {
            let publish = self.frames.current(number, token).and_then(|frame| frame.posting);
            let there = publish.is_some_and(|publish| {
                let to = plan.publishes[usize::from(publish)].letter.to;
                matches!(plan.place(to), Addressee::Mail(to) if plan.mail.broker_of(to) == broker)
            });
            if there {
                self.server().posted.remove(&id);
                let failure = Failure::system(system_errors::UNAVAILABLE, false);
                self.post_ended(plan, now, (number, token), Err(failure), out);
            }
        }
    }

    /// No confirmation came in time.
    pub(super) fn unconfirmed(&mut self, plan: &Plan, now: Time, waiting: (u32, u64), out: &mut impl Effects<Self>) {
        let failure = Failure::system(system_errors::TIMEOUT, false);
        self.post_ended(plan, now, waiting, Err(failure), out);
    }

    fn post_ended(
        &mut self,
        plan: &Plan,
        now: Time,
        (number, token): (u32, u64),
        result: Result<(), Failure>,
        out: &mut impl Effects<Self>,
    ) {
        let fresh = self.frames.token();
        let Some(frame) = self.frames.current(number, token) else { return };
        let Some(publish) = frame.posting.take() else { return };
        frame.token = fresh;
        out.frame(kernel::Frame(frame.operation));
        out.cancel_timer(Timer::Unconfirmed { frame: number, token });
        out.cancel_timer(Timer::AskAgain { frame: number, token });
        match result {
            Ok(()) => self.ready.push(number),
            Err(failure) => {
                let otherwise = plan.publishes[usize::from(publish)].otherwise;
                self.otherwise(plan, now, number, (failure, otherwise), out);
            }
        }
    }

    /// The node says to every broker that it is there.
    pub(super) fn subscribe_all(&mut self, plan: &Plan, now: Time, out: &mut impl Effects<Self>) {
        let Part::Service(mine) = plan.nodes[self.me.0 as usize].part else { return };
        let me = self.me;
        // Those that read topics come behind.
        let queues = plan.mail.consumers.len();
        for (number, consumer) in (0..).zip(&plan.consumers[..queues]) {
            if consumer.service == mine {
                let out = &mut Within::new(out, InMachine);
                let subscriber = Subscriber::start(&plan.mail, me, now, number, out);
                self.server().subscribers.insert(number, subscriber);
            }
        }
    }

    fn subscribe_again(&mut self, plan: &Plan, out: &mut impl Effects<Self>) {
        for subscriber in self.server().subscribers.values_mut() {
            subscriber.subscribe(&plan.mail, &mut Within::new(out, InMachine));
        }
    }

    /// A message has come.
    fn delivered(
        &mut self,
        plan: &Plan,
        now: Time,
        (consumer, tag): (u32, Tag),
        (deliveries, copy): (u32, u32),
        letter: &Letter<Mail>,
        out: &mut impl Effects<Self>,
    ) {
        let what = &plan.consumers[consumer as usize];
        let of = match what.does {
            Does::Op(op) => op,
            Does::Saga(saga) => u32::from(saga),
            Does::React(_) => unreachable!("steps of sagas react to topics"),
        };
        if !what.wants(letter.kind) {
            return Self::settle(plan, (tag, letter.operation, of), CallResult::Ok, out);
        }
        out.frame(kernel::Frame(letter.operation));
        if let Some(point) = plan.points.consumer_after_deliver {
            out.point(point, of);
        }
        let variables = told(plan, letter, deliveries);
        let ack_first = what.ack_first || self.is(plan, Mutant::AckBeforeProcessing);
        if ack_first {
            Self::settle(plan, (tag, letter.operation, of), CallResult::Ok, out);
        }
        let hop = fold(letter.id, u64::from(deliveries) << 32 | u64::from(copy));
        match what.does {
            Does::Saga(saga) => {
                let frame = Frame::new(Caller::Trigger(tag), 0, letter.operation, variables, now);
                let number = self.frames.put(Frame { hop, ..frame });
                self.begin_saga(plan, number, saga, out);
            }
            Does::React(_) => unreachable!("steps of sagas react to topics"),
            Does::Op(op) => {
                let entry = plan.ops[op as usize].entry;
                let caller = Caller::Delivery { tag, settled: ack_first };
                let frame = Frame::new(caller, entry, letter.operation, variables, now);
                let receipt = what.inbox.then_some(Receipt { consumer, message: letter.id });
                let number = self.frames.put(Frame { hop, op: Some(op), receipt, ..frame });
                self.admit_delivery(plan, now, number, out);
            }
        }
    }

    /// The frame of a consumer wants a worker, or begins without one.
    pub(super) fn admit_work(
        &mut self,
        plan: &Plan,
        now: Time,
        number: u32,
        out: &mut impl Effects<Self>,
    ) -> Admission {
        let (service, node) = plan.service(self.me);
        let station = &mut self.server().station;
        if !service.blocking {
            station.enter(service, node, out);
            self.ready.push(number);
            return Admission::Waits;
        }
        let admission = station.arrive(service, node, number, now, out);
        if admission == Admission::Served {
            self.serve(now, number);
        }
        admission
    }

    fn admit_delivery(&mut self, plan: &Plan, now: Time, number: u32, out: &mut impl Effects<Self>) {
        match self.admit_work(plan, now, number, out) {
            Admission::Served | Admission::Waits => {}
            Admission::Refused => {
                // There is no room: somebody else, or a later time.
                let frame = self.frames.get(number);
                let (caller, operation, of) = (frame.caller, frame.operation, frame.op.unwrap_or(0));
                self.frames.end(number);
                if let Caller::Delivery { tag, settled: false } = caller {
                    let failure = Failure::system(system_errors::OVERLOAD, true);
                    Self::settle(plan, (tag, operation, of), CallResult::Failed(failure), out);
                }
            }
            Admission::Replaces(oldest) => self.overloaded(plan, now, oldest, out),
        }
    }

    /// The broker is told what became of a delivery: what failed is delivered again, as often as the queue allows.
    pub(super) fn settle(
        plan: &Plan,
        (tag, operation, of): (Tag, u64, u32),
        result: CallResult,
        out: &mut impl Effects<Self>,
    ) {
        let how = match result {
            CallResult::Ok => Settlement::Ack,
            CallResult::Failed(_) => Settlement::Requeue,
        };
        if let Some(point) = plan.points.consumer_after_effect {
            out.point(point, of);
        }
        let broker = plan.mail.queues[tag.queue as usize].broker;
        out.send(broker, Message::Mail(Box::new(messaging::Message::Settle { tag, operation, how })));
        if let Some(point) = plan.points.consumer_after_ack {
            out.point(point, of);
        }
    }
}

/// What a consumer knows of its message.
pub(super) fn told(plan: &Plan, letter: &Letter<Mail>, deliveries: u32) -> Variables {
    let mut variables = letter.payload.variables.clone();
    let worth = |key| if plan.texts.contains(&key) { Value::Text(key as u32) } else { Value::Int(key as i64) };
    let key = letter.key.map_or(Value::Null, worth);
    let told = [
        (plan.told.key, key),
        (plan.told.kind, letter.kind.map_or(Value::Null, Value::Text)),
        (plan.told.deliveries, Value::Int(i64::from(deliveries))),
    ];
    for (variable, value) in told {
        if let Some(variable) = variable {
            variables.set(variable, value);
        }
    }
    variables
}
