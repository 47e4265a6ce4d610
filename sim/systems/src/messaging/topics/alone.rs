//! Topics alone on a cluster: each node is a broker, a writer with a list of orders, or a reader.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use kernel::{CellId, Delay, Effects, NodeId, Process, SeriesId, Span, Time, fold};

use super::Plan;
use super::broker::TopicBroker;
use super::member::Member;
use super::wire::{Message, Output, Record, Timer, owed};
use crate::messaging::plan::Latency;
use crate::messaging::wire::{Confirm, Letter, Payload};

/// One node of a cluster that does nothing but read and write topics.
#[derive(Clone, Debug)]
pub enum Role<P: Payload> {
    /// Keeps topics.
    Broker(TopicBroker<P>, u64),
    /// Publishes.
    Writer(Writer),
    /// Reads.
    Reader(Reader<P>),
}

/// What a cluster of roles is configured with.
#[derive(Clone, Debug)]
pub struct Play<P: Payload> {
    /// The topics and all that belongs to them.
    pub plan: Plan,
    /// Who plays what, by node.
    pub cast: Vec<Cast<P>>,
}

/// What a node is at the start.
#[derive(Clone, Debug)]
pub enum Cast<P: Payload> {
    /// A broker.
    Broker,
    /// A writer.
    Writer {
        /// What it publishes, again and again until it is told that it is there.
        orders: Vec<Order<P>>,
        /// How long it waits for an answer.
        patience: Span,
    },
    /// A reader.
    Reader {
        /// Its group.
        group: u32,
        /// How long a letter takes; keyed by its id.
        work: Latency,
    },
}

/// One letter that a writer publishes.
#[derive(Clone, Debug)]
pub struct Order<P> {
    /// When.
    pub at: Time,
    /// Where to.
    pub topic: u32,
    /// What.
    pub letter: Letter<P>,
}

/// A writer: remembers which letters are there.
#[derive(Clone, Debug)]
pub struct Writer {
    me: NodeId,
    attempts: BTreeMap<u64, u64>,
    told: BTreeSet<u64>,
}

/// A reader, and what it works on.
#[derive(Clone, Debug)]
pub struct Reader<P> {
    me: NodeId,
    member: Option<Member<P>>,
    working: BTreeMap<u32, u64>,
    /// Letters it has worked off in this life, in order.
    worked: Vec<u64>,
}

impl Writer {
    /// The letters that are known to be there.
    pub fn told(&self) -> impl Iterator<Item = u64> {
        self.told.iter().copied()
    }
}

impl<P> Reader<P> {
    /// The letters it has worked off in this life, in order.
    pub fn worked(&self) -> &[u64] {
        &self.worked
    }
}

impl<P: Payload> Process for Role<P> {
    type Plan = Play<P>;
    type Message = Message<P>;
    type Timer = Timer;
    type Record = Record<P>;
    type Output = Output;

    fn boot(play: &Play<P>, me: NodeId) -> Self {
        match &play.cast[me.0 as usize] {
            Cast::Broker => Self::Broker(TopicBroker::new(&play.plan, me), 0),
            Cast::Writer { .. } => Self::Writer(Writer { me, attempts: BTreeMap::new(), told: BTreeSet::new() }),
            Cast::Reader { .. } => {
                Self::Reader(Reader { me, member: None, working: BTreeMap::new(), worked: Vec::new() })
            }
        }
    }

    fn on_start(&mut self, play: &Play<P>, now: Time, log: &[Record<P>], out: &mut impl Effects<Self>) {
        match (self, &play.cast) {
            (Self::Broker(broker, lag), _) => {
                broker.start(&play.plan, now, log, out);
                *lag = broker.unfinished(&play.plan);
            }
            (Self::Writer(writer), cast) => {
                let Cast::Writer { orders, .. } = &cast[writer.me.0 as usize] else { unreachable!("its own part") };
                for (n, order) in (0..).zip(orders).filter(|(_, order)| order.at >= now) {
                    out.set_timer(Timer::Order(n), Delay::Fixed(order.at.since(now)));
                }
            }
            (Self::Reader(reader), cast) => {
                let Cast::Reader { group, .. } = &cast[reader.me.0 as usize] else { unreachable!("its own part") };
                reader.member = Some(Member::start(&play.plan, reader.me, now, *group, out));
            }
        }
    }

    fn on_message(
        &mut self,
        play: &Play<P>,
        now: Time,
        from: NodeId,
        message: Message<P>,
        out: &mut impl Effects<Self>,
    ) {
        match self {
            Self::Broker(broker, lag) => {
                broker.on_message(&play.plan, now, from, message, out);
                *lag = broker.unfinished(&play.plan);
            }
            Self::Writer(writer) => {
                let Message::Published { id, .. } = message else { unreachable!("a writer hears answers only") };
                writer.told.insert(id);
            }
            Self::Reader(reader) => {
                reader.member.as_mut().expect("started").on_message(&play.plan, message, out);
                reader.work(play, out);
            }
        }
    }

    fn on_timer(&mut self, play: &Play<P>, now: Time, timer: Timer, out: &mut impl Effects<Self>) {
        match self {
            Self::Broker(broker, lag) => {
                broker.on_timer(&play.plan, now, timer, out);
                *lag = broker.unfinished(&play.plan);
            }
            Self::Writer(writer) => writer.write(play, timer, out),
            Self::Reader(reader) => {
                let member = reader.member.as_mut().expect("started");
                match timer {
                    Timer::Done(partition) => {
                        reader.worked.extend(reader.working.remove(&partition));
                        member.done(&play.plan, partition, out);
                    }
                    Timer::Ask { partition, .. } => member.ask_again(&play.plan, partition, out),
                    Timer::Appended(_) | Timer::Committed { .. } | Timer::Order(_) => unreachable!("not a reader's"),
                }
                reader.work(play, out);
            }
        }
    }

    fn on_reset(&mut self, _: &Play<P>, _: Time, _: NodeId, _: Message<P>, _: &mut impl Effects<Self>) {
        // Everybody asks again.
    }

    fn unfinished(&self) -> u64 {
        match self {
            Self::Broker(_, lag) => *lag,
            Self::Writer(writer) => (writer.attempts.len() - writer.told.len()) as u64,
            Self::Reader(reader) => reader.member.as_ref().map_or(0, Member::unfinished),
        }
    }

    fn owed(play: &Play<P>, _me: NodeId, log: &[Record<P>]) -> u64 {
        owed(&play.plan, log)
    }

    fn volatile_cells(&self, _play: &Play<P>, _each: &mut impl FnMut(CellId, u64, i64)) {}

    fn open_samples(&self, play: &Play<P>, each: &mut impl FnMut(SeriesId, Time)) {
        match self {
            Self::Broker(broker, _) => broker.open_samples(&play.plan, each),
            Self::Writer(_) | Self::Reader(_) => {}
        }
    }
}

impl Writer {
    fn write<P: Payload>(&mut self, play: &Play<P>, timer: Timer, out: &mut impl Effects<Role<P>>) {
        let (Timer::Order(n), Cast::Writer { orders, patience }) = (timer, &play.cast[self.me.0 as usize]) else {
            unreachable!("a writer sets no other timer")
        };
        let Order { topic, letter, .. } = orders[n as usize].clone();
        if self.told.contains(&letter.id) {
            return;
        }
        let attempt = self.attempts.entry(n).or_default();
        *attempt += 1;
        let hop = fold(n, *attempt);
        out.send(
            play.plan.topics[topic as usize].broker,
            Message::Publish { topic, letter, hop, confirm: Confirm::Wanted },
        );
        out.set_timer(timer, Delay::Fixed(*patience));
    }
}

impl<P: Payload> Reader<P> {
    fn work(&mut self, play: &Play<P>, out: &mut impl Effects<Role<P>>) {
        let Cast::Reader { work, .. } = &play.cast[self.me.0 as usize] else { unreachable!("its own part") };
        while let Some((partition, letter)) = self.member.as_mut().expect("started").take() {
            self.working.insert(partition, letter.id);
            let span = work.law.span(&mut work.key.draw(letter.id, 0, 0));
            out.set_timer(Timer::Done(partition), Delay::Fixed(span));
        }
    }
}
