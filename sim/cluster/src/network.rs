//! The network: what becomes of a message between two machines.
//!
//! A message is judged when it is sent and when it would arrive. An undisturbed link of constant latency costs nothing
//! but the queue: order follows from the order of sending. Only jittered TCP links remember the last arrival of each
//! connection, and only connections that have lost something have a `Stall`: its messages wait, in order, for the
//! retransmission timer (200 ms, doubled each time; reset 15 s after the first transmission). What was in flight behind a
//! lost message is sent again with it, as by a receiver that keeps nothing out of order (go-back-N, RFC 9293 without
//! selective acknowledgements). A machine's messages to itself do not pass the network.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use kernel::{Distribution, Handle, Key, Lane, Message, Process, Queue, Seed, Span, Time};

use crate::event::Event;
use crate::hardware::{Hardware, Transport};
use crate::hashing::Map;
use crate::plan::{Direction, Wire};
use crate::watch::{Passage, Reason, Watch};
use crate::world::{World, tell};

/// The first retransmission timeout (Linux: `TCP_RTO_MIN`).
pub const RETRANSMIT_AFTER: Span = Span::millis(200);
/// A connection is reset when what it could not deliver is this old.
pub const RESET_AFTER: Span = Span::secs(15);

/// The links and what is wrong with them.
#[derive(Clone)]
pub(crate) struct Network {
    groups: usize,
    group: Vec<u16>,
    links: Vec<Resolved>,
    latency: Key,
    loss: Key,
    /// Messages sent so far.
    messages: u64,
    pub(crate) cuts: Vec<Cut>,
    pub(crate) losses: Vec<Lossy>,
    stalls: BTreeMap<(u16, u16), Stall>,
    /// Messages held by cuts, by their order.
    held: BTreeMap<u64, u32>,
    /// The last arrival of each connection over a jittered link.
    arrivals: Map<u32, Time>,
}

#[derive(Clone)]
struct Resolved {
    /// Its latency, if that is constant.
    constant: Option<(Span, Lane)>,
    latency: Distribution,
    loss: f64,
    transport: Transport,
}

/// An active partition.
#[derive(Clone)]
pub(crate) struct Cut {
    pub(crate) instance: u32,
    /// The side each node is on, from 1; 0 for none.
    pub(crate) side: Vec<u16>,
    pub(crate) direction: Direction,
    pub(crate) wire: Wire,
}

/// An active loss fault.
#[derive(Clone)]
pub(crate) struct Lossy {
    pub(crate) instance: u32,
    pub(crate) chance: f64,
    pub(crate) key: Key,
    /// For each of its links: which nodes send, which receive.
    pub(crate) links: Vec<(Vec<bool>, Vec<bool>)>,
}

/// A connection that has lost something.
#[derive(Clone)]
struct Stall {
    /// What waits, in order; the first was lost, or was behind one that was.
    line: VecDeque<u32>,
    /// When the first in line was first lost.
    since: Time,
    /// How often its timer was doubled.
    doubled: u32,
    timer: Handle,
}

/// What a transmission came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// In flight, or held: no longer the sender's concern.
    Away,
    Lost(Reason),
}

impl Cut {
    fn covers(&self, from: u16, to: u16) -> bool {
        let (a, b) = (self.side[usize::from(from)], self.side[usize::from(to)]);
        a != 0
            && b != 0
            && a != b
            && match self.direction {
                Direction::Both => true,
                Direction::In => b == 1,
                Direction::Out => a == 1,
            }
    }
}

impl Lossy {
    fn covers(&self, from: u16, to: u16) -> bool {
        self.links.iter().any(|(senders, receivers)| senders[usize::from(from)] && receivers[usize::from(to)])
    }
}

impl Network {
    pub(crate) fn new<E: Copy>(hardware: &Hardware, queue: &mut Queue<E>, seed: Seed) -> Self {
        let groups = usize::from(hardware.groups);
        assert_eq!(hardware.links.len(), groups * groups, "there is one link from each group to each");
        let group: Vec<u16> = hardware.nodes.iter().map(|node| node.group).collect();
        assert!(group.iter().all(|&g| g < hardware.groups), "every machine is in a group that has links");
        let resolve = |link: &crate::hardware::Link| {
            let constant = matches!(link.latency, Distribution::Constant { .. });
            // A constant takes nothing from the draw it is given.
            let constant = constant.then(|| {
                let latency = link.latency.span(&mut Key(0).draw(0, 0, 0));
                (latency, queue.lane(latency))
            });
            Resolved { constant, latency: link.latency.clone(), loss: link.loss, transport: link.transport }
        };
        Self {
            links: hardware.links.iter().map(resolve).collect(),
            groups,
            group,
            latency: seed.key("network", "latency"),
            loss: seed.key("network", "loss"),
            messages: 0,
            cuts: Vec::new(),
            losses: Vec::new(),
            stalls: BTreeMap::new(),
            held: BTreeMap::new(),
            arrivals: Map::default(),
        }
    }

    #[inline]
    pub(crate) fn number(&mut self) -> u64 {
        self.messages += 1;
        self.messages
    }

    #[inline]
    fn link(&self, from: u16, to: u16) -> &Resolved {
        let (from, to) = (self.group[usize::from(from)], self.group[usize::from(to)]);
        &self.links[usize::from(from) * self.groups + usize::from(to)]
    }

    /// Links do no worse than they always do.
    #[inline]
    fn is_quiet(&self) -> bool {
        self.cuts.is_empty() && self.losses.is_empty() && self.stalls.is_empty()
    }

    /// Something may happen to a message at the end of its way.
    #[inline]
    pub(crate) fn is_cut(&self) -> bool {
        !self.cuts.is_empty()
    }

    /// No message is held.
    pub(crate) fn holds_nothing(&self) -> bool {
        self.held.is_empty()
    }
}

impl<P: Process> World<P> {
    /// A message leaves its sender.
    #[inline]
    pub(crate) fn dispatch<W: Watch<P>>(&mut self, parcel: u32, watch: &mut W) {
        let now = self.now();
        let order = self.network.number();
        let papers = self.parcels.at_mut(parcel);
        let (from, to) = (papers.from, papers.to);
        (papers.sent, papers.order) = (now, order);
        papers.to_incarnation = self.hosts[usize::from(to)].incarnation;
        tell::<P, W>(now, papers, Passage::Sent, watch);
        let network = &self.network;
        let link = network.link(from, to);
        let quiet = link.loss <= 0.0 && network.is_quiet();
        let lane =
            if from == to { Some(Queue::<Event<P::Timer>>::at_once()) } else { link.constant.map(|(_, lane)| lane) };
        if let Some(lane) = lane.filter(|_| quiet || from == to) {
            papers.flight = self.queue.arm(lane, Event::Deliver { parcel });
            papers.attempt = 1;
            return;
        }
        self.disturbed(parcel, watch);
    }

    /// A message leaves its sender over a link on which something may happen to it.
    fn disturbed<W: Watch<P>>(&mut self, parcel: u32, watch: &mut W) {
        let papers = self.parcels.at(parcel);
        let (from, to, now) = (papers.from, papers.to, papers.sent);
        let link = self.network.link(from, to);
        let tcp = link.transport == Transport::Tcp;
        if tcp && let Some(stall) = self.network.stalls.get_mut(&(from, to)) {
            stall.line.push_back(parcel);
            return;
        }
        if let Fate::Lost(reason) = self.transmit(parcel, watch) {
            if tcp {
                self.tell(parcel, Passage::Lost(reason), watch);
                self.stall((from, to), VecDeque::from([parcel]), now, 0);
            } else {
                self.discard(parcel, reason, watch);
            }
        }
    }

    /// One transmission: judged as it is sent.
    fn transmit<W: Watch<P>>(&mut self, parcel: u32, watch: &mut W) -> Fate {
        let now = self.now();
        let papers = self.parcels.at_mut(parcel);
        let (from, to, attempt) = (papers.from, papers.to, u64::from(papers.attempt));
        papers.sent = now;
        papers.attempt = papers.attempt.saturating_add(1);
        let route = papers.message.route();
        match self.judge(from, to) {
            Some(Wire::Drop) => return Fate::Lost(Reason::Cut),
            Some(Wire::Hold) => {
                self.hold(parcel, watch);
                return Fate::Away;
            }
            None => {}
        }
        let network = &self.network;
        let link = network.link(from, to);
        let mut lost =
            link.loss > 0.0 && unit(network.loss.draw(route.operation, route.hop, attempt).bits()) < link.loss;
        for fault in network.losses.iter().filter(|fault| fault.covers(from, to)) {
            if unit(fault.key.draw(route.operation, route.hop, attempt).bits()) < fault.chance {
                lost = true;
                self.faults.ledger[fault.instance as usize].impact.messages_lost += 1;
            }
        }
        if lost {
            return Fate::Lost(Reason::Loss);
        }
        let latency = match link.constant {
            Some((latency, _)) => latency,
            None => link.latency.span(&mut network.latency.draw(route.operation, route.hop, attempt)),
        };
        let mut arrival = now + latency;
        if link.transport == Transport::Tcp && link.constant.is_none() {
            let latest = self.network.arrivals.entry(connection(from, to)).or_insert(arrival);
            arrival = arrival.max(*latest);
            *latest = arrival;
        }
        self.parcels.at_mut(parcel).flight = self.queue.at(arrival, Event::Deliver { parcel });
        Fate::Away
    }

    /// What the active cuts do to a message on its way; each that does something notes it.
    fn judge(&mut self, from: u16, to: u16) -> Option<Wire> {
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

    fn hold<W: Watch<P>>(&mut self, parcel: u32, watch: &mut W) {
        self.tell(parcel, Passage::Held, watch);
        self.network.held.insert(self.parcels.at(parcel).order, parcel);
    }

    /// Judges a message at the end of its way. False: it does not arrive now.
    pub(crate) fn arrives<W: Watch<P>>(&mut self, parcel: u32, watch: &mut W) -> bool {
        let papers = self.parcels.at(parcel);
        let (from, to, sent) = (papers.from, papers.to, papers.sent);
        if from == to {
            return true;
        }
        let Some(wire) = self.judge(from, to) else { return true };
        let tcp = self.network.link(from, to).transport == Transport::Tcp;
        let mut line = VecDeque::from([parcel]);
        if tcp {
            line.extend(self.recall(parcel));
        }
        match wire {
            Wire::Hold => {
                for parcel in line {
                    self.hold(parcel, watch);
                }
            }
            Wire::Drop if tcp => {
                self.tell(parcel, Passage::Lost(Reason::Cut), watch);
                let host = self.host(from);
                if host.up() && host.incarnation == self.parcels.at(parcel).from_incarnation {
                    self.stall((from, to), line, sent, 0);
                } else {
                    // Those behind it have the same sender, who will not send them again.
                    for parcel in line {
                        self.discard(parcel, Reason::CrashedSender, watch);
                    }
                }
            }
            Wire::Drop => self.discard(parcel, Reason::Cut, watch),
        }
        false
    }

    /// Takes out of the air what is in flight behind a message of the same connection, in order.
    fn recall(&mut self, parcel: u32) -> Vec<u32> {
        let first = self.parcels.at(parcel);
        let (from, to, order, incarnation) = (first.from, first.to, first.order, first.from_incarnation);
        let mut behind: Vec<(u64, u32)> = self
            .parcels
            .iter()
            .filter(|(_, p)| p.from == from && p.to == to && p.order > order && p.from_incarnation == incarnation)
            .map(|(at, p)| (p.order, at))
            .collect();
        behind.retain(|&(_, at)| self.queue.cancel(self.parcels.at(at).flight));
        behind.sort_unstable();
        self.network.arrivals.remove(&connection(from, to));
        behind.into_iter().map(|(_, at)| at).collect()
    }

    /// The first in line was lost: the connection waits for its timer. A line may be there already.
    fn stall(&mut self, pair: (u16, u16), mut line: VecDeque<u32>, since: Time, doubled: u32) {
        if let Some(waiting) = self.network.stalls.remove(&pair) {
            self.queue.cancel(waiting.timer);
            line.extend(waiting.line);
            let parcels = &self.parcels;
            line.make_contiguous().sort_unstable_by_key(|&parcel| parcels.at(parcel).order);
        }
        let first = *line.front().expect("a line begins with what was lost");
        let timeout = Span(RETRANSMIT_AFTER.0 << doubled.min(16));
        let due = (self.parcels.at(first).sent + timeout).min(since + RESET_AFTER);
        let timer = self.queue.at(due, Event::Retransmit { from: pair.0, to: pair.1 });
        self.network.stalls.insert(pair, Stall { line, since, doubled, timer });
    }

    /// The retransmission timer of a connection: sends its line again, or gives up.
    pub(crate) fn retransmit<W: Watch<P>>(&mut self, from: u16, to: u16, watch: &mut W) {
        let now = self.now();
        let stall = self.network.stalls.remove(&(from, to)).expect("a timer belongs to a stalled connection");
        let mut line = stall.line;
        if now >= stall.since + RESET_AFTER {
            for parcel in line {
                self.tell(parcel, Passage::Reset, watch);
                self.queue.arm(Queue::<Event<P::Timer>>::at_once(), Event::Reset { parcel });
            }
            return;
        }
        let mut first = true;
        while let Some(&parcel) = line.front() {
            if self.parcels.at(parcel).attempt > 0 {
                self.tell(parcel, Passage::Retransmitted, watch);
            }
            if let Fate::Lost(reason) = self.transmit(parcel, watch) {
                self.tell(parcel, Passage::Lost(reason), watch);
                let (since, doubled) = if first { (stall.since, stall.doubled + 1) } else { (now, 0) };
                self.stall((from, to), line, since, doubled);
                return;
            }
            line.pop_front();
            first = false;
        }
    }

    /// A sender went down: nothing it had not got through is sent again. Returns how many messages that were.
    pub(crate) fn silence<W: Watch<P>>(&mut self, node: u16, watch: &mut W) -> u64 {
        let mut unsent = 0;
        while let Some((&pair, _)) = self.network.stalls.range((node, 0)..=(node, u16::MAX)).next() {
            let stall = self.network.stalls.remove(&pair).expect("it was just found");
            self.queue.cancel(stall.timer);
            for parcel in stall.line {
                unsent += 1;
                self.discard(parcel, Reason::CrashedSender, watch);
            }
        }
        unsent
    }

    /// A cut is over: what it held goes on its way, in order, unless another cut holds it.
    pub(crate) fn mend<W: Watch<P>>(&mut self, instance: u32, watch: &mut W) {
        self.network.cuts.retain(|cut| cut.instance != instance);
        let network = &self.network;
        let parcels = &self.parcels;
        let free = |parcel: u32| {
            let papers = parcels.at(parcel);
            let holds = |cut: &Cut| cut.wire == Wire::Hold && cut.covers(papers.from, papers.to);
            !network.cuts.iter().any(holds)
        };
        let released: Vec<(u64, u32)> =
            network.held.iter().map(|(&order, &parcel)| (order, parcel)).filter(|&(_, p)| free(p)).collect();
        for (order, parcel) in released {
            self.network.held.remove(&order);
            self.tell(parcel, Passage::Released, watch);
            self.resume(parcel, watch);
        }
    }

    /// A message that was held goes on. Its sender may be gone: then it is not sent again if it is lost.
    fn resume<W: Watch<P>>(&mut self, parcel: u32, watch: &mut W) {
        let papers = self.parcels.at(parcel);
        let (from, to, incarnation) = (papers.from, papers.to, papers.from_incarnation);
        let sender = self.host(from);
        let alive = sender.up() && sender.incarnation == incarnation;
        let tcp = self.network.link(from, to).transport == Transport::Tcp;
        let now = self.now();
        if tcp && alive && self.network.stalls.contains_key(&(from, to)) {
            let stall = &self.network.stalls[&(from, to)];
            let (since, doubled) = (stall.since, stall.doubled);
            self.stall((from, to), VecDeque::from([parcel]), since, doubled);
            return;
        }
        if let Fate::Lost(reason) = self.transmit(parcel, watch) {
            if tcp && alive {
                self.tell(parcel, Passage::Lost(reason), watch);
                self.stall((from, to), VecDeque::from([parcel]), now, 0);
            } else {
                self.discard(parcel, if tcp { Reason::CrashedSender } else { reason }, watch);
            }
        }
    }
}

const fn connection(from: u16, to: u16) -> u32 {
    (from as u32) << 16 | to as u32
}

/// A uniform number in [0, 1) from 64 random bits.
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
