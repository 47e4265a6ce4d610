//! One transmission over one link: whether it is lost, when it leaves and how long it takes.
//!
//! What a link can do is decided when the world is built: a link that only delays costs nothing of what stands here. All
//! draws are keyed by the message (operation, hop, transmission), so deleting one operation leaves those of all others.
//! Two things are physics and depend on who else is there: the queue of a link with limited bandwidth, and in which state
//! the chain of a link with bursts of loss is.

use alloc::vec::Vec;

use kernel::hashing::Map;
use kernel::{Distribution, Hit, Key, Keyed, Lane, Process, Queue, Route, Seed, Span, Time};

use crate::event::Event;
use crate::hardware::{Bandwidth, Link, Loss, Opening, Transport};
use crate::network::{Network, Stream};
use crate::nuisance::{Does, Nuisance};
use crate::pairs::Pairs;
use crate::plan::Wire;
use crate::watch::{Passage, Reason, Watch};
use crate::world::World;

/// Which draw of a transmission is meant, above the number of the transmission.
pub(crate) mod purpose {
    /// The message itself.
    pub(crate) const MESSAGE: u64 = 0;
    /// The second latency of a message that is reordered.
    pub(crate) const DETOUR: u64 = 1 << 32;
    /// The copy of a message.
    pub(crate) const COPY: u64 = 2 << 32;
    /// The question that opens a connection.
    pub(crate) const OPEN: u64 = 3 << 32;
    /// The answer to it.
    pub(crate) const ACCEPT: u64 = 4 << 32;
}

/// A link, with what is known of it beforehand.
#[derive(Clone)]
pub(crate) struct Resolved {
    /// Its latency, if that is constant.
    constant: Option<(Span, Lane)>,
    /// Nothing but a latency ever happens to a message, and no connection has to be opened for it.
    ideal: bool,
    /// Nothing but a latency ever happens to a message.
    only_delays: bool,
    /// Its connections cost a round trip.
    pub(crate) opens: bool,
    link: Link,
}

/// One message on its way once.
#[derive(Clone, Copy)]
pub(crate) struct Transmission {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) route: Route,
    /// Which transmission of the message, and a `purpose`.
    pub(crate) number: u64,
    pub(crate) bytes: u32,
}

/// What links remember of each pair of machines, and the keys of their draws.
#[derive(Clone)]
pub(crate) struct Wires {
    latency: Key,
    loss: Key,
    bursts: Key,
    first_state: Key,
    duplicate: Key,
    reorder: Key,
    corrupt: Key,
    /// When each line of limited bandwidth will have sent what it was given.
    free_at: Pairs<Time>,
    /// Which chains are in the bad state.
    bad: Map<u64, bool>,
}

impl Resolved {
    pub(crate) fn new<E: Copy>(link: &Link, queue: &mut Queue<E>) -> Self {
        // A constant takes nothing from the draw it is given.
        let constant = matches!(link.latency, Distribution::Constant { .. }).then(|| {
            let latency = link.latency.span(&mut Key(0).draw(0, 0, 0));
            (latency, queue.lane(latency))
        });
        let only_delays = link.only_delays();
        Self { constant, ideal: only_delays, only_delays, opens: false, link: link.clone() }
    }

    /// Whether connections cost something depends on the way back too: a round trip without latency is free.
    pub(crate) fn with_way_back(&self, back: &Self) -> Self {
        let takes_time = |way: &Self| way.constant.is_none_or(|(latency, _)| latency > Span::ZERO);
        let connects = self.link.opening == Opening::RoundTrip && self.link.transport != Transport::Udp;
        let opens = connects && (takes_time(self) || takes_time(back));
        Self { opens, ideal: self.only_delays && !opens, ..self.clone() }
    }

    /// The lane of all messages, if nothing but a constant latency ever happens to them.
    pub(crate) fn lane(&self) -> Option<Lane> {
        let (_, lane) = self.constant?;
        self.ideal.then_some(lane)
    }

    /// Its latency, if that is constant, and the lane for it.
    #[inline]
    pub(crate) fn constant_lane(&self) -> Option<(Span, Lane)> {
        self.constant
    }

    /// What a message has to stay in order with.
    #[inline]
    pub(crate) fn stream(&self, from: u32, to: u32, parcel: u32) -> Stream {
        (from, to, if self.link.transport == Transport::Pool { parcel + 1 } else { 0 })
    }

    /// Its latencies differ, and yet its messages must not overtake each other.
    #[inline]
    pub(crate) fn jitters_in_order(&self) -> bool {
        self.is_ordered() && self.constant.is_none()
    }

    /// What is lost is sent again.
    #[inline]
    pub(crate) fn is_reliable(&self) -> bool {
        self.link.transport != Transport::Udp
    }

    /// All messages of a pair of machines share one connection, in order.
    #[inline]
    pub(crate) fn is_ordered(&self) -> bool {
        self.link.transport == Transport::Tcp
    }

    #[inline]
    fn draw(&self, key: Key, of: &Transmission, purpose: u64) -> Span {
        match self.constant {
            Some((latency, _)) => latency,
            None => self.link.latency.span(&mut keyed(key, of, purpose)),
        }
    }
}

/// The name of a message for faults.
pub(crate) const fn hit(of: &Transmission) -> Hit {
    Hit { operation: of.route.operation, hop: of.route.hop, number: of.number }
}

fn keyed(key: Key, of: &Transmission, purpose: u64) -> Keyed {
    key.draw(of.route.operation, of.route.hop, of.number | purpose)
}

#[inline]
fn happens(share: f64, key: Key, of: &Transmission) -> bool {
    share > 0.0 && keyed(key, of, purpose::MESSAGE).share() < share
}

impl Wires {
    pub(crate) fn new(seed: Seed) -> Self {
        let key = |purpose| seed.key("network", purpose);
        Self {
            latency: key("latency"),
            loss: key("loss"),
            bursts: key("bursts"),
            first_state: key("first state"),
            duplicate: key("duplicate"),
            reorder: key("reorder"),
            corrupt: key("corrupt"),
            free_at: Pairs::sparse(),
            bad: Map::default(),
        }
    }

    /// Draws as those do; what the lines remember stays.
    pub(crate) fn rekey(&mut self, other: &Self) {
        let Self { latency, loss, bursts, first_state, duplicate, reorder, corrupt, free_at: _, bad: _ } = other;
        (self.latency, self.loss, self.bursts, self.first_state) = (*latency, *loss, *bursts, *first_state);
        (self.duplicate, self.reorder, self.corrupt) = (*duplicate, *reorder, *corrupt);
    }

    /// When the message has left its machine, or why it is lost. What is lost on the way has used its bandwidth.
    #[expect(clippy::inline_always, reason = "a message over a link goes one way through it, and once")]
    #[inline(always)]
    fn leave(&mut self, over: &Resolved, of: &Transmission, now: Time) -> Result<Time, Reason> {
        if over.only_delays {
            return Ok(now);
        }
        let departure = self.queue(over, of, now)?;
        let lost = match over.link.loss {
            Loss::Share(share) => happens(share, self.loss, of),
            Loss::Bursts { good_to_bad, bad_to_good, bad } => self.burst([good_to_bad, bad_to_good, bad], of),
        };
        if lost {
            Err(Reason::Loss)
        } else if happens(over.link.corrupt, self.corrupt, of) {
            Err(Reason::Corrupt)
        } else {
            Ok(departure)
        }
    }

    /// Waits until what was there before has left.
    #[inline]
    fn queue(&mut self, over: &Resolved, of: &Transmission, now: Time) -> Result<Time, Reason> {
        over.link.bandwidth.map_or(Ok(now), |bandwidth| self.line_up(bandwidth, over, of, now))
    }

    /// The same where a line sends so much at a time. An idle one takes any message.
    #[inline(never)]
    fn line_up(&mut self, bandwidth: Bandwidth, over: &Resolved, of: &Transmission, now: Time) -> Result<Time, Reason> {
        let free_at = self.free_at.at_swept(of.from, of.to, |free_at| *free_at > now);
        let waiting = bandwidth.bytes(free_at.since(now));
        let full = over.link.buffer.is_some_and(|buffer| waiting.saturating_add(u64::from(of.bytes)) > buffer);
        if full && waiting > 0 {
            return Err(Reason::BufferFull);
        }
        *free_at = now.max(*free_at) + bandwidth.span(u64::from(of.bytes));
        Ok(*free_at)
    }

    /// One step of the chain of this pair of machines, and whether the message is lost in the state it comes to. The
    /// first state is drawn as if the chain had always been there.
    fn burst(&mut self, [good_to_bad, bad_to_good, bad]: [f64; 3], of: &Transmission) -> bool {
        let pair = pair(of.from, of.to);
        let share = if good_to_bad > 0.0 { good_to_bad / (good_to_bad + bad_to_good) } else { 0.0 };
        let first = self.first_state;
        let state = self.bad.entry(pair).or_insert_with(|| first.draw(pair, 0, 0).share() < share);
        let mut draw = keyed(self.bursts, of, purpose::MESSAGE);
        let moves = draw.share();
        *state = if *state { moves >= bad_to_good } else { moves < good_to_bad };
        *state && draw.share() < bad
    }

    /// How long the message is on its way.
    #[expect(clippy::inline_always, reason = "a message over a link goes one way through it, and once")]
    #[inline(always)]
    pub(crate) fn latency(&self, over: &Resolved, of: &Transmission) -> Span {
        let latency = over.draw(self.latency, of, purpose::MESSAGE);
        if over.only_delays || over.is_ordered() || !happens(over.link.reorder, self.reorder, of) {
            return latency;
        }
        latency + over.draw(self.latency, of, purpose::DETOUR)
    }

    /// How long its copy is on its way, if it gets one.
    #[inline]
    pub(crate) fn copy(&self, over: &Resolved, of: &Transmission) -> Option<Span> {
        let copied = !over.only_delays && happens(over.link.duplicate, self.duplicate, of);
        copied.then(|| over.draw(self.latency, of, purpose::COPY))
    }
}

impl Network {
    /// Jitter does not let a message overtake another one of the same connection: when it arrives instead.
    #[inline]
    pub(crate) fn keep_order(&mut self, from: u32, to: u32, now: Time, arrival: Time) -> Time {
        let latest = self.arrivals.at_swept(from, to, |latest| *latest > now);
        *latest = arrival.max(*latest);
        *latest
    }
}

impl<P: Process> World<P> {
    /// What the active cuts do to a message on its way; each that does something notes it.
    pub(crate) fn judge(&mut self, from: u32, to: u32) -> Option<Wire> {
        let mut judgement = None;
        for cut in self.network.cuts.iter().filter(|cut| cut.covers(from, to)) {
            let impact = &mut self.faults.ledger[cut.instance as usize].impact;
            match cut.wire {
                Wire::Drop => {
                    impact.messages_lost += 1;
                    judgement = Some(Wire::Drop);
                }
                Wire::Hold => {
                    impact.messages_held += 1;
                    judgement = judgement.or(Some(Wire::Hold));
                }
            }
        }
        judgement
    }

    /// A message gets through to the other end of this link, or is lost: by the link itself, or by a fault.
    #[expect(clippy::inline_always, reason = "a message over a link goes one way through it, and once")]
    #[inline(always)]
    pub(crate) fn leave(&mut self, link: usize, transmission: &Transmission) -> Result<Time, Reason> {
        let now = self.now();
        let (from, to, route) = (transmission.from, transmission.to, transmission.route);
        let network = &mut self.network;
        let mut departure = network.wires.leave(&network.links[link], transmission, now);
        if network.nuisances.is_empty() {
            return departure;
        }
        for fault in network.nuisances.iter().filter(|fault| fault.covers(Does::Lose, from, to)) {
            let drawn = fault.key.draw(route.operation, route.hop, transmission.number).share() < fault.chance;
            if fault.hits(hit(transmission), drawn) {
                departure = departure.and(Err(Reason::Loss));
                self.faults.hit(fault.instance, hit(transmission)).messages_lost += 1;
            }
        }
        departure
    }

    /// Each active fault that copies messages may make a copy of this one, with a latency of its own.
    pub(crate) fn hand_over_again<W: Watch<P>>(
        &mut self,
        parcel: u32,
        transmission: &Transmission,
        departure: Time,
        watch: &mut W,
    ) {
        let (from, to) = (transmission.from, transmission.to);
        let network = &self.network;
        let happens = |fault: &&Nuisance| {
            let drawn = || happens(fault.chance, fault.key, transmission);
            fault.covers(Does::Copy, from, to) && fault.hits(hit(transmission), drawn())
        };
        let latency = |fault: &Nuisance| network.link(from, to).draw(fault.key, transmission, purpose::COPY);
        let copies: Vec<(u32, Span)> =
            network.nuisances.iter().filter(happens).map(|fault| (fault.instance, latency(fault))).collect();
        for (instance, latency) in copies {
            self.faults.hit(instance, hit(transmission)).messages_duplicated += 1;
            self.hand_over_twice(parcel, departure + latency, watch);
        }
    }

    /// The link makes a copy of a message. Nobody sent it, and it is not lost by itself.
    pub(crate) fn hand_over_twice<W: Watch<P>>(&mut self, parcel: u32, mut arrival: Time, watch: &mut W) {
        let mut copy = self.parcels.at(parcel).clone();
        let of = copy.order;
        copy.order = self.network.number();
        watch.copied(self.now(), copy.order, of);
        self.unfinished += u64::from(!copy.background);
        let (from, to) = (copy.from, copy.to);
        let copy = self.parcels.put(copy);
        self.tell(copy, Passage::Duplicated, watch);
        if self.network.link(from, to).jitters_in_order() {
            arrival = self.network.keep_order(from, to, self.queue.now(), arrival);
        }
        self.parcels.at_mut(copy).flight = self.queue.at(arrival, Event::Deliver { parcel: copy });
    }
}

/// Two machines, in this order, as one word. It keys draws: the lower halves of both numbers stand together, so that what
/// small clusters draw is what they drew when a machine had sixteen bits.
pub(crate) fn pair(from: u32, to: u32) -> u64 {
    let halves = |high: u32, low: u32| u64::from(high) << 16 | u64::from(low);
    halves(from >> 16, to >> 16) << 32 | halves(from & 0xffff, to & 0xffff)
}
