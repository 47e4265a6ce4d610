//! One replica of three, and what it says, as lines.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{Distribution, Effect, Key, NodeId, Span, Time};

use crate::replication::keys::{Operation, Request, Session};
use crate::replication::leader_follower::{
    Acks, Body, Entry, Extent, Fencing, Message, Moment, Plan, Points, Position, Reads, Record, Replica, Role, Stamp,
    Timer,
};

pub(super) const CLIENT: Session = Session::only(NodeId(7));

pub(super) struct Stage {
    pub(super) plan: Plan,
    pub(super) replica: Replica,
    pub(super) now: u64,
}

pub(super) fn plan() -> Plan {
    Plan {
        store: 1,
        replicas: vec![NodeId(0), NodeId(1), NodeId(2)],
        acks: Acks::Majority,
        reads: Reads::ReadIndex,
        heartbeat: Span::millis(50),
        election_timeout: Distribution::uniform(150e6, 300e6).expect("it is a range"),
        key: Key(1),
        fencing: Fencing::Term,
        snapshot_every: 100,
        batch: 100,
        device: None,
        first: None,
        told: true,
        cells: None,
        points: Points::default(),
        mutant: None,
    }
}

pub(super) fn write(number: u64) -> Request {
    Request { session: CLIENT, number, operation: Operation::Write { key: 1, value: 10 * number } }
}

pub(super) fn entry(term: u64, number: u64) -> Entry {
    Entry { term, request: (number > 0).then(|| write(number)) }
}

pub(super) fn append(term: u64, previous: (u64, u64), entries: &[Entry], agreed: u64) -> Body {
    let (index, before) = previous;
    let previous = Position { index, term: before };
    Body::Append { term, stamp: Stamp { round: 9, clock: 0 }, previous, entries: entries.to_vec(), agreed }
}

impl Stage {
    /// Node 0, which has started with this log.
    pub(super) fn new(plan: Plan, log: &[Record]) -> Self {
        let mut stage = Self { plan, replica: Replica::new(NodeId(0)), now: 0 };
        stage.replica.start(&stage.plan, stage.moment(), log, &mut Vec::new());
        stage
    }

    /// As the leader of term 1 after 200 ms, its first entry durable here.
    pub(super) fn leading(plan: Plan) -> Self {
        let mut stage = Self::new(plan, &[]);
        stage.now = 200_000_000;
        stage.due(Timer::Silence);
        stage.due(Timer::Stood(1));
        stage.hear(1, Body::Vote { term: 1, granted: true });
        stage.due(Timer::Written { term: 1, index: 1 });
        stage
    }

    fn moment(&self) -> Moment {
        Moment { now: Time(self.now), monotonic: self.now as i64, wall: self.now as i64 }
    }

    pub(super) fn hear(&mut self, from: u32, body: Body) -> Vec<String> {
        self.hear_nth(from, 9, body)
    }

    pub(super) fn hear_nth(&mut self, from: u32, nth: u64, body: Body) -> Vec<String> {
        let (mut out, moment) = (Vec::new(), self.moment());
        let message = Message { from: NodeId(from), to: NodeId(0), nth, body };
        self.replica.on_message(&self.plan, moment, message, &mut out);
        self.lines(&out)
    }

    pub(super) fn due(&mut self, timer: Timer) -> Vec<String> {
        let (mut out, moment) = (Vec::new(), self.moment());
        self.replica.on_timer(&self.plan, moment, timer, &mut out);
        self.lines(&out)
    }

    /// A line is marked when it waits for the disk.
    fn lines(&self, out: &[Effect<Role>]) -> Vec<String> {
        let (mut lines, mut waits) = (Vec::new(), "");
        for effect in out {
            lines.push(match effect {
                Effect::Frame(frame) => {
                    waits = if *frame == self.plan.log_frame() { " (forced)" } else { "" };
                    continue;
                }
                Effect::Send(to, message) => format!("send {} {}{waits}", to.0, body(&message.body)),
                Effect::SetTimer(timer, _) => format!("set {timer:?}"),
                Effect::CancelTimer(timer) => format!("cancel {timer:?}"),
                Effect::Persist(record) => format!("persist {}", written(record)),
                Effect::Wake(timer) => format!("wake {timer:?}"),
                Effect::Output(output) => format!("tell {output:?}"),
                // Who leads is told to judges, too: in the same breath as the output.
                Effect::Fact(..) => continue,
                Effect::Work(..) | Effect::Point(..) | Effect::Note(_) | Effect::Measure(_) | Effect::Disturbed(_) => {
                    unreachable!("a replica does none of this without points")
                }
            });
        }
        lines
    }
}

fn body(body: &Body) -> String {
    match body {
        Body::Append { term, previous, entries, agreed, .. } => {
            format!("append of term {term}: {} behind {}, agreed {agreed}", entries.len(), previous.index)
        }
        Body::Install { term, snapshot, .. } => format!("snapshot of term {term} up to {}", snapshot.last.index),
        Body::Elect { term, last } => format!("elect me in {term}, I have {} of {}", last.index, last.term),
        Body::Vote { term, granted } => format!("vote in {term}: {granted}"),
        Body::Copied { term, copied, .. } => format!("copied in {term}: {copied:?}"),
        Body::Answered { number, answer, .. } => format!("answer {number}: {answer:?}"),
        Body::Elsewhere { number, leader, .. } => format!("elsewhere {number}: {:?}", leader.map(|leader| leader.0)),
        Body::Inquire => "inquire".into(),
        Body::Extends(Extent { last, agreed }) => {
            format!("log up to {} of {}, agreed up to {} of {}", last.index, last.term, agreed.index, agreed.term)
        }
        Body::Ask(_) | Body::Publish { .. } | Body::Published { .. } => format!("{body:?}"),
    }
}

fn written(record: &Record) -> String {
    match record {
        Record::Promise { term, vote } => format!("promise {term} {:?}", vote.map(|vote| vote.0)),
        Record::Entry { index, entry } => format!("entry {index} of {}", entry.term),
        Record::Snapshot(snapshot) => format!("snapshot up to {}", snapshot.last.index),
        Record::Published { .. } => format!("{record:?}"),
    }
}
