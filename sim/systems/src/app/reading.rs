//! Topics: steps and relays publish to them as to queues (`posting`); the nodes of a group read them.
//!
//! A letter goes to the consumers of its group on the node that reads its partition, one after the other; then the next
//! one of the partition is taken. What fails is tried again after a pause, and the partition waits: nothing behind it may
//! overtake it. A crash takes all that was not committed back to the beginning.

use kernel::{Delay, Effects, NodeId, SeriesId, Span, Time, Within, fold};

use super::embed::InMachine;
use super::frame::{Caller, Frame};
use super::interpreter::TRIGGER;
use super::machine::{Machine, Role, Timer};
use super::message::{CallResult, Mail};
use super::plan::{Does, Part, Plan};
use super::posting::told;
use super::station::Admission;
use crate::database::Receipt;
use crate::messaging::topics::{self, Commit, Member, TopicBroker};
use crate::messaging::{Chance, Letter, Verdict};

/// Before a letter that failed is tried again.
const READ_AGAIN: Span = Span::millis(100);

/// A broker of topics on a machine of its own.
#[derive(Clone, Debug)]
pub struct Topics {
    broker: TopicBroker<Mail>,
    /// What was still to be read after the last event.
    unfinished: u64,
}

/// A letter that is worked on.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    letter: Letter<Mail>,
    /// Which of its group's consumers has it, or is next.
    consumer: usize,
    /// How often that one has begun.
    tries: u32,
}

impl Topics {
    /// A broker with empty memory.
    pub fn new(plan: &topics::Plan, me: NodeId) -> Self {
        Self { broker: TopicBroker::new(plan, me), unfinished: 0 }
    }

    /// Reads the log.
    pub fn start<'a>(
        &mut self,
        plan: &topics::Plan,
        now: Time,
        log: impl Iterator<Item = &'a topics::Record<Mail>>,
        out: &mut impl Effects<Machine>,
    ) {
        self.broker.start(plan, now, log, &mut Within::new(out, InMachine));
        self.unfinished = self.broker.unfinished(plan);
    }

    /// Letters that some group has still to read.
    pub fn unfinished(&self) -> u64 {
        self.unfinished
    }

    /// See `kernel::Process::open_samples`.
    pub fn open_samples(&self, plan: &topics::Plan, each: &mut impl FnMut(SeriesId, Time)) {
        self.broker.open_samples(plan, each);
    }

    /// See `TopicBroker::trouble`.
    pub fn trouble(&mut self, topic: u32, chance: Option<Chance>) {
        self.broker.trouble(topic, chance);
    }
}

impl Machine {
    /// A message to or from a broker of topics.
    pub(super) fn topic_message(
        &mut self,
        plan: &Plan,
        now: Time,
        from: NodeId,
        message: topics::Message<Mail>,
        out: &mut impl Effects<Self>,
    ) {
        if let Role::Topics(topics) = &mut self.role {
            topics.broker.on_message(&plan.topics, now, from, message, &mut Within::new(out, InMachine));
            topics.unfinished = topics.broker.unfinished(&plan.topics);
            return;
        }
        match message {
            topics::Message::Published { id, .. } => self.published(plan, now, id, Verdict::Stored, out),
            topics::Message::Fetched { at, .. } | topics::Message::Committed { at, .. } => {
                if let Some(member) = self.server().members.get_mut(&at.group) {
                    member.on_message(&plan.topics, message, &mut Within::new(out, InMachine));
                }
                self.read_on(plan, now, at.group, out);
            }
            topics::Message::Publish { .. } | topics::Message::Fetch { .. } | topics::Message::Commit { .. } => {
                panic!("only a broker is asked so")
            }
        }
    }

    /// A timer of a broker of topics, or of a member of a group.
    pub(super) fn topic_timer(&mut self, plan: &Plan, now: Time, timer: topics::Timer, out: &mut impl Effects<Self>) {
        match (&mut self.role, timer) {
            (Role::Topics(topics), _) => {
                topics.broker.on_timer(&plan.topics, now, timer, &mut Within::new(out, InMachine));
                topics.unfinished = topics.broker.unfinished(&plan.topics);
            }
            (Role::Server(server), topics::Timer::Ask { group, partition }) => {
                if let Some(member) = server.members.get_mut(&group) {
                    member.ask_again(&plan.topics, partition, &mut Within::new(out, InMachine));
                }
            }
            (
                Role::Server(_)
                | Role::Store(_)
                | Role::Broker(_)
                | Role::Keeper(_)
                | Role::Guest(_)
                | Role::Clients(_),
                _,
            ) => {}
        }
    }

    /// A message could not be delivered. Readers ask again by themselves, and so does the relay.
    pub(super) fn topic_reset(
        &mut self,
        plan: &Plan,
        now: Time,
        message: &topics::Message<Mail>,
        out: &mut impl Effects<Self>,
    ) {
        if let (Role::Server(server), topics::Message::Publish { letter, .. }) = (&self.role, message) {
            let waiting = server.posted.get(&letter.id).copied();
            self.post_lost(plan, now, waiting, out);
        }
    }

    /// The node begins to read in every group of its service.
    pub(super) fn join_all(&mut self, plan: &Plan, now: Time, out: &mut impl Effects<Self>) {
        let me = self.me;
        for (group, rules) in (0..).zip(&plan.topics.groups) {
            if rules.nodes.contains(&me) {
                let member = Member::start(&plan.topics, me, now, group, &mut Within::new(out, InMachine));
                self.server().members.insert(group, member);
            }
        }
    }

    /// Letters that may be worked on are.
    fn read_on(&mut self, plan: &Plan, now: Time, group: u32, out: &mut impl Effects<Self>) {
        while let Some((partition, letter)) = self.server().members.get_mut(&group).and_then(Member::take) {
            let reading = Reading { letter, consumer: 0, tries: 0 };
            self.server().letters.insert((group, partition), reading);
            self.hand_on(plan, now, (group, partition), out);
        }
    }

    /// A letter goes to the next consumer that wants it; if there is none, it is worked off.
    pub(super) fn hand_on(&mut self, plan: &Plan, now: Time, at: (u32, u32), out: &mut impl Effects<Self>) {
        let Part::Service(mine) = plan.nodes[self.me.0 as usize].part else { return };
        let Some(reading) = self.server().letters.get_mut(&at) else { return };
        let all = plan.readers[at.0 as usize].iter().skip(reading.consumer);
        let wanted = |number: &u32| {
            let consumer = &plan.consumers[*number as usize];
            let kind = reading.letter.kind;
            let hidden = kind.is_some_and(|kind| plan.hidden.contains(&kind));
            let meant = !hidden || matches!(consumer.does, Does::React(_));
            consumer.service == mine && meant && consumer.wants(kind)
        };
        let Some(next) = all.copied().position(|number| wanted(&number)) else {
            self.server().letters.remove(&at);
            let member = self.server().members.get_mut(&at.0).expect("what is read was taken by a member");
            return member.done(&plan.topics, at.1, &mut Within::new(out, InMachine));
        };
        reading.consumer += next;
        reading.tries += 1;
        let number = plan.readers[at.0 as usize][reading.consumer];
        let (letter, tries) = (reading.letter.clone(), reading.tries);
        self.take_up(plan, now, at, (number, tries), &letter, out);
    }

    /// A consumer begins with a letter.
    fn take_up(
        &mut self,
        plan: &Plan,
        now: Time,
        (group, partition): (u32, u32),
        (consumer, tries): (u32, u32),
        letter: &Letter<Mail>,
        out: &mut impl Effects<Self>,
    ) {
        let what = &plan.consumers[consumer as usize];
        out.frame(kernel::Frame(letter.operation));
        if let Some(point) = plan.points.consumer_after_deliver {
            out.point(point, of(what.does));
        }
        let caller = Caller::Read { group, partition };
        let variables = told(plan, letter, tries);
        let hop = fold(fold(letter.id, u64::from(consumer)), u64::from(tries));
        match what.does {
            Does::Saga(saga) => {
                let frame = Frame::new(caller, 0, letter.operation, variables, now);
                let number = self.frames.put(Frame { hop, ..frame });
                self.begin_saga(plan, number, saga, out);
            }
            Does::React(entry) => {
                let frame = Frame::new(caller, entry, letter.operation, variables, now);
                let number = self.frames.put(Frame { hop, ..frame });
                self.ready.push(number);
            }
            Does::Op(op) => {
                let frame = Frame::new(caller, plan.ops[op as usize].entry, letter.operation, variables, now);
                let receipt = what.inbox.then_some(Receipt { consumer, message: letter.id });
                let number = self.frames.put(Frame { hop, op: Some(op), receipt, ..frame });
                match self.admit_work(plan, now, number, out) {
                    Admission::Served | Admission::Waits => {}
                    Admission::Refused => {
                        self.frames.end(number);
                        Self::try_again_later((group, partition), out);
                    }
                    Admission::Replaces(oldest) => self.overloaded(plan, now, oldest, out),
                }
            }
        }
    }

    /// A consumer has done with a letter, or could not do it.
    pub(super) fn letter_done(
        &mut self,
        plan: &Plan,
        now: Time,
        at: (u32, u32),
        result: CallResult,
        out: &mut impl Effects<Self>,
    ) {
        let Some(reading) = self.server().letters.get_mut(&at) else { return };
        let committed_first = plan.topics.groups[at.0 as usize].commit == Commit::Before;
        if result != CallResult::Ok && !committed_first {
            return Self::try_again_later(at, out);
        }
        let number = plan.readers[at.0 as usize][reading.consumer];
        let of = of(plan.consumers[number as usize].does);
        if let Some(point) = plan.points.consumer_after_effect {
            out.point(point, of);
        }
        (reading.consumer, reading.tries) = (reading.consumer + 1, 0);
        self.hand_on(plan, now, at, out);
        if let Some(point) = plan.points.consumer_after_ack {
            out.point(point, of);
        }
        self.read_on(plan, now, at.0, out);
    }

    fn try_again_later((group, partition): (u32, u32), out: &mut impl Effects<Self>) {
        out.set_timer(Timer::ReadAgain { group, partition }, Delay::Fixed(READ_AGAIN));
    }
}

/// What points know a consumer by.
fn of(does: Does) -> u32 {
    match does {
        Does::Op(op) => op,
        Does::Saga(_) | Does::React(_) => TRIGGER,
    }
}
