//! Messaging alone on a cluster: each node is a broker, a publisher with a list of orders, or a worker.
//!
//! An enclosing node does not run a `Role`; it names the type, because a broker and its consumers say their effects as one.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kernel::{CellId, Delay, Effects, NodeId, Process, SeriesId, Span, Time, fold};

use super::broker::Broker;
use super::consumer::Subscriber;
use super::plan::{Destination, Latency, Plan};
use super::wire::{Confirm, Letter, Message, Output, Payload, Record, Settlement, Tag, Timer, Verdict, owed};

/// One node of a cluster that does nothing but pass messages.
#[derive(Clone, Debug)]
pub enum Role<P: Payload> {
    /// Keeps queues.
    Broker(Broker<P>),
    /// Publishes.
    Publisher(Publisher),
    /// Consumes.
    Worker(Worker<P>),
}

/// What a cluster of roles is configured with.
#[derive(Clone, Debug)]
pub struct Play<P: Payload> {
    /// The queues and all that belongs to them.
    pub plan: Plan,
    /// Who plays what, by node.
    pub cast: Vec<Cast<P>>,
}

/// What a node is at the start.
#[derive(Clone, Debug)]
pub enum Cast<P: Payload> {
    /// A broker.
    Broker,
    /// A publisher with these orders.
    Publisher {
        /// What it publishes.
        orders: Vec<Order<P>>,
        /// How long it waits for an answer before it publishes again.
        patience: Span,
    },
    /// A worker.
    Worker(Job<P>),
}

/// What a worker does.
#[derive(Clone, Debug)]
pub struct Job<P: Payload> {
    /// Which consumer of the plan it is.
    pub consumer: u32,
    /// How long a message takes; keyed by its id and the delivery.
    pub work: Latency,
    /// What becomes of a message.
    pub settles: fn(&Letter<P>) -> Settlement,
}

/// One message that a publisher publishes, again and again until it is told what became of it.
#[derive(Clone, Debug)]
pub struct Order<P> {
    /// When.
    pub at: Time,
    /// Where to.
    pub to: Destination,
    /// What.
    pub letter: Letter<P>,
}

/// A publisher: remembers what it was told.
#[derive(Clone, Debug)]
pub struct Publisher {
    me: NodeId,
    open: u64,
    attempts: BTreeMap<u64, u64>,
    /// Numbers of orders by letter, of those that were not answered.
    numbers: BTreeMap<u64, u64>,
    told: BTreeMap<u64, Verdict>,
}

/// A worker: works on all it was given, side by side.
#[derive(Clone, Debug)]
pub struct Worker<P> {
    me: NodeId,
    subscriber: Option<Subscriber>,
    given: u64,
    working: BTreeMap<u64, (Tag, Letter<P>)>,
}

impl Publisher {
    /// What it was told, by letter.
    pub const fn told(&self) -> &BTreeMap<u64, Verdict> {
        &self.told
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
            Cast::Broker => Self::Broker(Broker::new(&play.plan, me)),
            Cast::Publisher { .. } => Self::Publisher(Publisher {
                me,
                open: 0,
                attempts: BTreeMap::new(),
                numbers: BTreeMap::new(),
                told: BTreeMap::new(),
            }),
            Cast::Worker(_) => Self::Worker(Worker { me, subscriber: None, given: 0, working: BTreeMap::new() }),
        }
    }

    fn on_start(&mut self, play: &Play<P>, now: Time, log: &[Record<P>], out: &mut impl Effects<Self>) {
        match self {
            Self::Broker(broker) => broker.start(&play.plan, now, log, out),
            Self::Publisher(publisher) => {
                let (orders, _) = play.script(publisher.me);
                // A restarted publisher has forgotten what it published, and publishes only what lies ahead.
                for (n, order) in (0..).zip(orders).filter(|(_, order)| order.at >= now) {
                    publisher.open += 1;
                    out.set_timer(Timer::Order(n), Delay::Fixed(order.at.since(now)));
                }
            }
            Self::Worker(worker) => {
                let consumer = play.job(worker.me).consumer;
                worker.subscriber = Some(Subscriber::start(&play.plan, worker.me, now, consumer, out));
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
            Self::Broker(broker) => broker.on_message(&play.plan, now, from, message, out),
            Self::Publisher(publisher) => publisher.on_message(&message, out),
            Self::Worker(worker) => worker.on_message(play, message, out),
        }
    }

    fn on_timer(&mut self, play: &Play<P>, now: Time, timer: Timer, out: &mut impl Effects<Self>) {
        match self {
            Self::Broker(broker) => broker.on_timer(&play.plan, now, timer, out),
            Self::Publisher(publisher) => publisher.on_timer(play, timer, out),
            Self::Worker(worker) => worker.on_timer(play, timer, out),
        }
    }

    fn on_reset(&mut self, play: &Play<P>, now: Time, to: NodeId, message: Message<P>, out: &mut impl Effects<Self>) {
        match self {
            Self::Broker(broker) => broker.on_reset(&play.plan, now, to, &message, out),
            // A publisher publishes again; a heartbeat subscribes again; a settlement that is lost is a delivery too many.
            Self::Publisher(_) | Self::Worker(_) => {}
        }
    }

    fn unfinished(&self) -> u64 {
        match self {
            Self::Broker(broker) => broker.unfinished(),
            Self::Publisher(publisher) => publisher.open,
            Self::Worker(worker) => worker.working.len() as u64,
        }
    }

    fn owed(play: &Play<P>, _me: NodeId, log: &[Record<P>]) -> u64 {
        owed(&play.plan, log)
    }

    fn volatile_cells(&self, play: &Play<P>, each: &mut impl FnMut(CellId, u64, i64)) {
        match self {
            Self::Broker(broker) => broker.volatile_cells(&play.plan, each),
            Self::Publisher(_) | Self::Worker(_) => {}
        }
    }

    fn open_samples(&self, play: &Play<P>, each: &mut impl FnMut(SeriesId, Time)) {
        match self {
            Self::Broker(broker) => broker.open_samples(&play.plan, each),
            Self::Publisher(_) | Self::Worker(_) => {}
        }
    }
}

impl<P: Payload> Play<P> {
    fn script(&self, publisher: NodeId) -> (&[Order<P>], Span) {
        match &self.cast[publisher.0 as usize] {
            Cast::Publisher { orders, patience } => (orders, *patience),
            Cast::Broker | Cast::Worker(_) => unreachable!("asked by a publisher about itself"),
        }
    }

    fn job(&self, worker: NodeId) -> &Job<P> {
        match &self.cast[worker.0 as usize] {
            Cast::Worker(job) => job,
            Cast::Broker | Cast::Publisher { .. } => unreachable!("asked by a worker about itself"),
        }
    }
}

impl Publisher {
    fn on_message<P: Payload>(&mut self, message: &Message<P>, out: &mut impl Effects<Role<P>>) {
        let Message::Published { id, verdict, .. } = *message else { unreachable!("a publisher hears answers only") };
        // What was answered before, or published in an earlier life, has no number.
        if let Some(n) = self.numbers.remove(&id) {
            self.told.insert(id, verdict);
            self.open -= 1;
            out.cancel_timer(Timer::Order(n));
        }
    }

    fn on_timer<P: Payload>(&mut self, play: &Play<P>, timer: Timer, out: &mut impl Effects<Role<P>>) {
        let Timer::Order(n) = timer else { unreachable!("a publisher sets no other timer") };
        let (orders, patience) = play.script(self.me);
        let order = &orders[n as usize];
        self.numbers.insert(order.letter.id, n);
        let attempt = self.attempts.entry(n).or_default();
        *attempt += 1;
        let (letter, hop) = (order.letter.clone(), fold(n, *attempt));
        out.send(
            play.plan.broker_of(order.to),
            Message::Publish { to: order.to, letter, hop, confirm: Confirm::Wanted },
        );
        out.set_timer(timer, Delay::Fixed(patience));
    }
}

impl<P: Payload> Worker<P> {
    fn on_message(&mut self, play: &Play<P>, message: Message<P>, out: &mut impl Effects<Role<P>>) {
        match message {
            Message::Hello { .. } => self.subscribe(play, out),
            Message::Deliver { tag, letter, copy, .. } => {
                let work = &play.job(self.me).work;
                let mut draw = work.key.draw(letter.id, u64::from(tag.delivery), u64::from(copy));
                self.given += 1;
                self.working.insert(self.given, (tag, letter));
                out.set_timer(Timer::Done(self.given), Delay::Fixed(work.law.span(&mut draw)));
            }
            Message::Publish { .. }
            | Message::Published { .. }
            | Message::Subscribe { .. }
            | Message::Settle { .. } => {
                unreachable!("for brokers and publishers")
            }
        }
    }

    fn on_timer(&mut self, play: &Play<P>, timer: Timer, out: &mut impl Effects<Role<P>>) {
        let Timer::Done(n) = timer else { return self.subscribe(play, out) };
        let (tag, letter) = self.working.remove(&n).expect("its work is done once");
        let settles = play.job(self.me).settles;
        let broker = play.plan.broker_of(Destination::Queue(tag.queue));
        out.send(broker, Message::Settle { tag, operation: letter.operation, how: settles(&letter) });
    }

    fn subscribe(&mut self, play: &Play<P>, out: &mut impl Effects<Role<P>>) {
        self.subscriber.as_mut().expect("started").subscribe(&play.plan, out);
    }
}
