//! The network: what becomes of a message between two machines.
//!
//! A message is judged when it is sent and when it would arrive. An undisturbed link of constant latency costs nothing
//! but the queue: order follows from the order of sending. Only jittered TCP links remember the last arrival of each
//! connection, and only connections that have lost something have a `Stall`: its messages wait, in order, for the
//! retransmission timer (200 ms, doubled each time; reset 15 s after the first transmission). What was in flight behind a
//! lost message is sent again with it, as by a receiver that keeps nothing out of order (go-back-N, RFC 9293 without
//! selective acknowledgements). A lost message of a `Pool` stalls nobody but itself. A machine's messages to itself do not
//! pass the network. `passage` has what a link does to one transmission, `connection` what has to be there before.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use kernel::{Handle, Lane, Message, NodeId, Process, Queue, Seed, Span, Time};

use crate::connection::Connections;
use crate::event::Event;
use crate::hardware::Hardware;
use crate::nuisance::Nuisance;
use crate::pairs::Pairs;
use crate::passage::{Resolved, Transmission, Wires, purpose};
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
    group: Vec<u16>,
    /// By machine: where the links begin of which its group is the sender.
    first: Vec<u32>,
    pub(crate) links: Vec<Resolved>,
    /// By pair of groups: the lane of a link that never does more than delay a message by a constant.
    lanes: Vec<Option<Lane>>,
    pub(crate) wires: Wires,
    pub(crate) connections: Connections,
    /// Messages sent so far.
    messages: u64,
    pub(crate) cuts: Vec<Cut>,
    pub(crate) nuisances: Vec<Nuisance>,
    pub(crate) stalls: BTreeMap<Stream, Stall>,
    /// Messages held by cuts, by their order.
    held: BTreeMap<u64, u32>,
    /// The last arrival of each connection over a jittered link; time 0 if there was none.
    pub(crate) arrivals: Pairs<Time>,
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

/// Sender, receiver, and what has to stay in order: 0 is the one connection of the pair, n + 1 the parcel n alone.
pub(crate) type Stream = (u32, u32, u32);

/// A stream that has lost something, or has no connection yet.
#[derive(Clone)]
pub(crate) struct Stall {
    /// What waits, in order; the first was lost, or was behind one that was.
    pub(crate) line: VecDeque<u32>,
    /// When the first in line was first lost.
    pub(crate) since: Time,
    /// How often its timer was doubled.
    pub(crate) doubled: u32,
    pub(crate) timer: Handle,
    pub(crate) phase: Phase,
}

/// What happens when the timer of a stall is due.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The line is sent again.
    Lost,
    /// A connection is asked for again.
    Unanswered,
    /// The connection is open: the line is sent.
    Opened,
}

/// What a transmission came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// In flight, or held: no longer the sender's concern.
    Away,
    Lost(Reason),
}

impl Cut {
    pub(crate) fn covers(&self, from: u32, to: u32) -> bool {
        let (a, b) = (self.side[from as usize], self.side[to as usize]);
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

impl Network {
    pub(crate) fn new<E: Copy>(hardware: &Hardware, queue: &mut Queue<E>, seed: Seed) -> Self {
        let groups = usize::from(hardware.groups);
        assert_eq!(hardware.links.len(), groups * groups, "there is one link from each group to each");
        let group: Vec<u16> = hardware.nodes.iter().map(|node| node.group).collect();
        assert!(group.iter().all(|&g| g < hardware.groups), "every machine is in a group that has links");
        let ways: Vec<Resolved> = hardware.links.iter().map(|link| Resolved::new(link, queue)).collect();
        let back = |way: usize| &ways[way % groups * groups + way / groups];
        let links: Vec<Resolved> = ways.iter().enumerate().map(|(n, way)| way.with_way_back(back(n))).collect();
        Self {
            lanes: links.iter().map(Resolved::lane).collect(),
            arrivals: Pairs::new(hardware.nodes.len()),
            connections: Connections::new(hardware.nodes.len()),
            links,
            first: group.iter().map(|&sender| u32::from(sender) * u32::from(hardware.groups)).collect(),
            group,
            wires: Wires::new(seed),
            messages: 0,
            cuts: Vec::new(),
            nuisances: Vec::new(),
            stalls: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }

    #[inline]
    pub(crate) fn number(&mut self) -> u64 {
        self.messages += 1;
        self.messages
    }

    #[expect(clippy::inline_always, reason = "every message asks")]
    #[inline(always)]
    pub(crate) fn index(&self, from: u32, to: u32) -> usize {
        self.first[from as usize] as usize + usize::from(self.group[to as usize])
    }

    #[inline]
    pub(crate) fn link(&self, from: u32, to: u32) -> &Resolved {
        &self.links[self.index(from, to)]
    }

    /// Links do no worse than they always do.
    #[inline]
    fn is_quiet(&self) -> bool {
        self.is_mended() && self.stalls.is_empty()
    }

    /// No fault acts on any link.
    #[inline]
    pub(crate) fn is_mended(&self) -> bool {
        self.cuts.is_empty() && self.nuisances.is_empty()
    }

    /// The lane of a message to which nothing can happen but a constant delay: to the machine itself, or over a link
    /// that never does more as long as no link does worse.
    #[expect(clippy::inline_always, reason = "every message asks")]
    #[inline(always)]
    pub(crate) fn quiet_lane(&self, from: u32, to: u32) -> Option<Lane> {
        if from == to {
            return Some(Queue::<()>::at_once());
        }
        let lane = self.lanes[self.index(from, to)]?;
        self.is_quiet().then_some(lane)
    }

    /// Something may happen to a message at the end of its way.
    #[inline]
    pub(crate) fn is_cut(&self) -> bool {
        !self.cuts.is_empty()
    }

    /// What stands in the way of a message; a cut that drops weighs more than one that holds.
    pub(crate) fn obstacle(&self, from: u32, to: u32) -> Option<Wire> {
        let cuts = self.cuts.iter().filter(|cut| cut.covers(from, to));
        cuts.fold(None, |worst, cut| if worst == Some(Wire::Drop) { worst } else { Some(cut.wire) })
    }

    /// What a message has to stay in order with.
    fn stream(&self, from: u32, to: u32, parcel: u32) -> Stream {
        self.link(from, to).stream(from, to, parcel)
    }

    /// No message is held.
    pub(crate) fn holds_nothing(&self) -> bool {
        self.held.is_empty()
    }
}

impl<P: Process> World<P> {
    /// A message that waited for its sender's disk leaves it.
    pub(crate) fn dispatch<W: Watch<P>>(&mut self, parcel: u32, watch: &mut W) {
        let now = self.now();
        let order = self.network.number();
        let papers = self.parcels.at_mut(parcel);
        (papers.sent, papers.order) = (now, order);
        papers.to_incarnation = self.hosts[papers.to as usize].incarnation;
        let ends = (NodeId(papers.from), NodeId(papers.to));
        watch.letter(now, order, ends, &papers.message, Some(parcel));
        tell::<P, W>(now, papers, Passage::Sent, watch);
        if let Some(lane) = self.network.quiet_lane(papers.from, papers.to) {
            papers.flight = self.queue.arm(lane, Event::Deliver { parcel });
            papers.attempt = 1;
            return;
        }
        self.embark(parcel, watch);
    }

    /// A message leaves its sender over a link on which something may happen to it.
    pub(crate) fn embark<W: Watch<P>>(&mut self, parcel: u32, watch: &mut W) {
        let papers = self.parcels.at(parcel);
        let now = papers.sent;
        let (from, to) = (papers.from, papers.to);
        let at = self.network.index(from, to);
        let link = &self.network.links[at];
        let (reliable, ordered, opens) = (link.is_reliable(), link.is_ordered(), link.opens);
        let stream = link.stream(from, to, parcel);
        if ordered
            && !self.network.stalls.is_empty()
            && let Some(stall) = self.network.stalls.get_mut(&stream)
        {
            stall.line.push_back(parcel);
            return;
        }
        if opens && self.waits_for_connection(parcel, stream, ordered) {
            return;
        }
        if let Fate::Lost(reason) = self.transmit(parcel, at, watch) {
            if reliable {
                self.tell(parcel, Passage::Lost(reason), watch);
                self.stall(stream, VecDeque::from([parcel]), now, 0);
            } else {
                self.discard(parcel, reason, watch);
            }
        }
    }

    /// What was held or lost is sent again.
    #[inline(never)]
    fn transmit_again<W: Watch<P>>(&mut self, parcel: u32, watch: &mut W) -> Fate {
        let papers = self.parcels.at(parcel);
        self.transmit(parcel, self.network.index(papers.from, papers.to), watch)
    }

    /// One transmission over the link with this number: judged as it is sent.
    #[expect(clippy::inline_always, reason = "a message over a link goes one way through it, and once")]
    #[inline(always)]
    fn transmit<W: Watch<P>>(&mut self, parcel: u32, at: usize, watch: &mut W) -> Fate {
        let now = self.now();
        let papers = self.parcels.at_mut(parcel);
        let (from, to, attempt) = (papers.from, papers.to, u64::from(papers.attempt));
        papers.sent = now;
        papers.attempt = papers.attempt.saturating_add(1);
        let (route, bytes) = (papers.message.route(), papers.bytes);
        if self.network.is_cut() {
            match self.judge(from, to) {
                Some(Wire::Drop) => return Fate::Lost(Reason::Cut),
                Some(Wire::Hold) => {
                    self.hold(parcel, watch);
                    return Fate::Away;
                }
                None => {}
            }
        }
        let transmission = Transmission { from, to, route, number: attempt | purpose::MESSAGE, bytes };
        let departure = match self.leave(at, &transmission) {
            Ok(departure) => departure,
            Err(reason) => return Fate::Lost(reason),
        };
        let network = &mut self.network;
        let link = &network.links[at];
        let mut arrival = departure + network.wires.latency(link, &transmission);
        let copy = network.wires.copy(link, &transmission);
        let busy = link.opens && !link.is_ordered();
        let lane = link.constant_lane().filter(|(latency, _)| arrival == now + *latency);
        if link.jitters_in_order() {
            arrival = network.keep_order(from, to, now, arrival);
        }
        let event = Event::Deliver { parcel };
        let flight = match lane {
            Some((_, lane)) => self.queue.arm(lane, event),
            None => self.queue.at(arrival, event),
        };
        self.parcels.at_mut(parcel).flight = flight;
        if busy {
            let ends = self.ends(from, to);
            self.network.connections.put(from, to, ends, arrival);
        }
        if let Some(latency) = copy {
            self.hand_over_twice(parcel, departure + latency, watch);
        }
        if !self.network.nuisances.is_empty() {
            self.hand_over_again(parcel, &transmission, departure, watch);
        }
        Fate::Away
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
        let over = self.network.link(from, to);
        let (reliable, ordered) = (over.is_reliable(), over.is_ordered());
        let mut line = VecDeque::from([parcel]);
        if ordered {
            line.extend(self.recall(parcel));
        } else if over.opens {
            // It is not idle now, as it would have been.
            let (ends, now) = (self.ends(from, to), self.now());
            self.network.connections.take(from, to, ends, now);
        }
        match wire {
            Wire::Hold => {
                for parcel in line {
                    self.hold(parcel, watch);
                }
            }
            Wire::Drop if reliable => {
                self.tell(parcel, Passage::Lost(Reason::Cut), watch);
                let host = self.host(from);
                if host.up() && host.incarnation == self.parcels.at(parcel).from_incarnation {
                    self.stall(self.network.stream(from, to, parcel), line, sent, 0);
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
        *self.network.arrivals.at(from, to) = Time::ZERO;
        behind.into_iter().map(|(_, at)| at).collect()
    }

    /// The first in line was lost: the connection waits for its timer. A line may be there already.
    fn stall(&mut self, stream: Stream, mut line: VecDeque<u32>, since: Time, doubled: u32) {
        if let Some(waiting) = self.network.stalls.remove(&stream) {
            self.queue.cancel(waiting.timer);
            line.extend(waiting.line);
            let parcels = &self.parcels;
            line.make_contiguous().sort_unstable_by_key(|&parcel| parcels.at(parcel).order);
        }
        let first = *line.front().expect("a line begins with what was lost");
        let due = (self.parcels.at(first).sent + backoff(RETRANSMIT_AFTER, doubled)).min(since + RESET_AFTER);
        let timer = self.queue.at(due, Event::Retransmit { from: stream.0, to: stream.1, stream: stream.2 });
        self.network.stalls.insert(stream, Stall { line, since, doubled, timer, phase: Phase::Lost });
    }

    /// The retransmission timer of a connection: sends its line again, or gives up.
    pub(crate) fn retransmit<W: Watch<P>>(&mut self, stream: Stream, watch: &mut W) {
        let now = self.now();
        let mut stall = self.network.stalls.remove(&stream).expect("a timer belongs to a stalled connection");
        let mut line = stall.line;
        if stall.phase == Phase::Opened {
            self.opened(stream);
            // What the opening took is no fault of the line.
            (stall.since, stall.doubled) = (now, 0);
        } else if now >= stall.since + RESET_AFTER {
            self.network.connections.close(stream.0, stream.1);
            for parcel in line {
                self.tell(parcel, Passage::Reset, watch);
                self.queue.arm(Queue::<Event<P::Timer>>::at_once(), Event::Reset { parcel });
            }
            return;
        } else if stall.phase == Phase::Unanswered {
            self.open_connection(stream, line, stall.since, stall.doubled + 1);
            return;
        }
        let mut first = stall.phase == Phase::Lost;
        while let Some(&parcel) = line.front() {
            if self.parcels.at(parcel).attempt > 0 {
                self.tell(parcel, Passage::Retransmitted, watch);
            }
            if let Fate::Lost(reason) = self.transmit_again(parcel, watch) {
                self.tell(parcel, Passage::Lost(reason), watch);
                let (since, doubled) = if first { (stall.since, stall.doubled + 1) } else { (now, 0) };
                self.stall(stream, line, since, doubled);
                return;
            }
            line.pop_front();
            first = false;
        }
    }

    /// A sender went down: nothing it had not got through is sent again. Returns how many messages that were.
    pub(crate) fn silence<W: Watch<P>>(&mut self, node: u32, watch: &mut W) -> u64 {
        let mut unsent = 0;
        while let Some((&stream, _)) = self.network.stalls.range((node, 0, 0)..=(node, u32::MAX, u32::MAX)).next() {
            let stall = self.network.stalls.remove(&stream).expect("it was just found");
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
        let reliable = self.network.link(from, to).is_reliable();
        let stream = self.network.stream(from, to, parcel);
        let now = self.now();
        if alive && let Some(stall) = self.network.stalls.get(&stream) {
            let (since, doubled) = (stall.since, stall.doubled);
            self.stall(stream, VecDeque::from([parcel]), since, doubled);
            return;
        }
        if let Fate::Lost(reason) = self.transmit_again(parcel, watch) {
            if reliable && alive {
                self.tell(parcel, Passage::Lost(reason), watch);
                self.stall(stream, VecDeque::from([parcel]), now, 0);
            } else {
                self.discard(parcel, if reliable { Reason::CrashedSender } else { reason }, watch);
            }
        }
    }
}

/// A timeout that was doubled so many times.
pub(crate) const fn backoff(timeout: Span, doubled: u32) -> Span {
    Span(timeout.0 << if doubled < 16 { doubled } else { 16 })
}
