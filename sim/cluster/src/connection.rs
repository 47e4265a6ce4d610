//! Connections: what has to be there before a message can go, and what that costs.
//!
//! A TCP connection belongs to a pair of machines, whoever opened it, and to one life of each: a reset or a restart of
//! either end closes it. Opening it takes one round trip, an unanswered question is asked again after the retransmission
//! timeout, and what is to be sent meanwhile waits in line. A `Pool` has as many connections as it needed at once so far;
//! one is busy while a message is on its way in it. Whether the other machine is up makes no difference: what is sent to
//! a dead machine vanishes there (docs/semantics.md, rule 7).

use alloc::collections::{BinaryHeap, VecDeque};
use core::cmp::Reverse;

use kernel::hashing::Map;
use kernel::{Message, Process, Time};

use crate::event::Event;
use crate::network::{Phase, RESET_AFTER, RETRANSMIT_AFTER, Stall, Stream, backoff};
use crate::pairs::Pairs;
use crate::passage::{Transmission, pair, purpose};
use crate::plan::Wire;
use crate::world::World;

/// What a question for a connection has of bytes: IP and TCP headers.
const HEADERS: u32 = 40;

/// Lives of the two ends of a connection.
type Ends = [u16; 2];

/// Open connections. One that belongs to a past life of either end is as good as none.
#[derive(Clone)]
pub(crate) struct Connections {
    /// By pair of machines, the lower number first: whose lives a connection is between.
    open: Pairs<Option<Ends>>,
    pools: Map<u64, (Ends, BinaryHeap<Reverse<Time>>)>,
}

/// The same word for both directions.
fn both(from: u32, to: u32) -> u64 {
    if from < to { pair(from, to) } else { pair(to, from) }
}

impl Connections {
    pub(crate) fn new(machines: usize) -> Self {
        Self { open: Pairs::new(machines), pools: Map::default() }
    }

    pub(crate) fn close(&mut self, from: u32, to: u32) {
        *self.between(from, to) = None;
    }

    #[inline]
    fn between(&mut self, from: u32, to: u32) -> &mut Option<Ends> {
        self.open.at(from.min(to), from.max(to))
    }

    /// Takes a connection of a pool that no message is in; false if there is none.
    pub(crate) fn take(&mut self, from: u32, to: u32, ends: Ends, now: Time) -> bool {
        let Some((lives, pool)) = self.pools.get_mut(&both(from, to)) else { return false };
        if *lives != ends {
            pool.clear();
        }
        let idle = pool.peek().is_some_and(|Reverse(busy_until)| *busy_until <= now);
        idle && pool.pop().is_some()
    }

    /// A connection of a pool is busy until a message has arrived.
    pub(crate) fn put(&mut self, from: u32, to: u32, ends: Ends, busy_until: Time) {
        let (lives, pool) = self.pools.entry(both(from, to)).or_insert((ends, BinaryHeap::new()));
        if *lives != ends {
            *lives = ends;
            pool.clear();
        }
        pool.push(Reverse(busy_until));
    }
}

impl<P: Process> World<P> {
    /// The lives of two machines, the lower number first.
    pub(crate) fn ends(&self, from: u32, to: u32) -> Ends {
        [from.min(to), from.max(to)].map(|node| self.host(node).incarnation)
    }

    /// Finds a connection for a message over a link whose connections cost something. True: the message waits for one.
    #[expect(clippy::inline_always, reason = "a message over a link goes one way through it, and once")]
    #[inline(always)]
    pub(crate) fn waits_for_connection(&mut self, parcel: u32, stream: Stream, ordered: bool) -> bool {
        let (from, to, _) = stream;
        let (now, ends) = (self.now(), self.ends(from, to));
        let found = if ordered {
            *self.network.connections.between(from, to) == Some(ends)
        } else {
            self.network.connections.take(from, to, ends, now)
        };
        !found && self.asks_for_connection(parcel, stream)
    }

    /// The same, if there is none.
    #[inline(never)]
    fn asks_for_connection(&mut self, parcel: u32, stream: Stream) -> bool {
        // A message that is held pays for no connection: it arrives one latency after the cut.
        if self.network.obstacle(stream.0, stream.1) == Some(Wire::Hold) {
            return false;
        }
        self.open_connection(stream, VecDeque::from([parcel]), self.now(), 0);
        true
    }

    /// Asks for a connection; `asked` times so far, first at `since`.
    pub(crate) fn open_connection(&mut self, stream: Stream, line: VecDeque<u32>, since: Time, asked: u32) {
        let (from, to, _) = stream;
        let answer = self.round_trip(from, to, *line.front().expect("a connection is for somebody"), asked);
        let due = answer.unwrap_or_else(|| (self.now() + backoff(RETRANSMIT_AFTER, asked)).min(since + RESET_AFTER));
        let timer = self.queue.at(due, Event::Retransmit { from, to, stream: stream.2 });
        let phase = if answer.is_some() { Phase::Opened } else { Phase::Unanswered };
        self.network.stalls.insert(stream, Stall { line, since, doubled: asked, timer, phase });
    }

    /// When the answer is here; `None` if question or answer is lost.
    #[inline(never)]
    fn round_trip(&mut self, from: u32, to: u32, parcel: u32, asked: u32) -> Option<Time> {
        let now = self.now();
        let route = self.parcels.at(parcel).message.route();
        let way =
            |from, to, purpose| Transmission { from, to, route, number: u64::from(asked) | purpose, bytes: HEADERS };
        let (question, answer) = (way(from, to, purpose::OPEN), way(to, from, purpose::ACCEPT));
        if self.judge(from, to).is_some() || self.judge(to, from).is_some() {
            return None;
        }
        let (there, back) = (self.network.index(from, to), self.network.index(to, from));
        let left = self.leave(there, &question).ok()?;
        self.leave(back, &answer).ok()?;
        let network = &self.network;
        let there = network.wires.latency(network.link(from, to), &question);
        let back = network.wires.latency(network.link(to, from), &answer);
        Some(left.max(now) + there + back)
    }

    /// The answer came: the connection is open, unless an end is down.
    pub(crate) fn opened(&mut self, stream: Stream) {
        let (from, to, _) = stream;
        if self.network.link(from, to).is_ordered() && self.host(from).up() && self.host(to).up() {
            let ends = self.ends(from, to);
            *self.network.connections.between(from, to) = Some(ends);
        }
    }
}
