//! A lock service with a bug: found, made small, and mended.
//!
//! Three machines have a vote each. Whoever wants the lock asks one of them, which asks all for their votes; with two of
//! three it holds the lock for a moment, and gives the votes back. A vote that nobody gives back runs out.
//!
//! The bug: a machine says its vote and does not write it down. When it crashes it votes again, for somebody else.
//!
//! ```text
//! cargo run --release --example lock_service
//! ```

use std::collections::BTreeMap;

use stormglass::kernel::{
    CellId, Delay, Delta, Digest, Effects, Frame, Message, NodeId, Process, Record, Route, Span, Time, fold,
};
use stormglass::{Answer, Check, Request, Serve, Stage};

/// The world it lives in. Its ops say what they can answer; what they do, the process says.
const SCENARIO: &str = r#"
version = 1
scenario.question = "Does never more than one hold the lock when voters crash?"
run = { duration = "10s", quiesce = "5s" }
network.latency = "lognormal(p50=1ms, p99=5ms)"

[services.lock]
nodes   = 3
process = "lock"
disk    = { fsync = "exp(2ms)" }
state   = { held = { kind = "counter", keys = 3 } }
ops.use = [{ fail = "busy" }]

[workloads.users]
rate   = "25/s"
target = "lock.use"
client = { timeout = "1s" }

[faults.voters_die]
kind   = "crash"
target = "lock[any(2)]"
rate   = "1/s"
for    = "10ms"

[invariants]
one_holder = { always = "sum(lock.held) <= 1" }
used       = { sometimes = "sum(lock.held) == 1" }
"#;

/// So long a holder has the lock,
const HOLD: Span = Span::millis(50);
/// and so long a vote is bound to whoever got it, unless it is given back.
const LEASE: Span = Span::millis(500);
/// After so long without two votes it is given up.
const PATIENCE: Span = Span::millis(50);

/// What a machine is configured with.
#[derive(Clone, Debug)]
struct Plan {
    nodes: Vec<NodeId>,
    /// Row `n` says how many of the rounds of machine `n` hold the lock.
    held: CellId,
    /// A vote is written down before it is said. Without this there is the bug.
    writes_votes_down: bool,
}

/// What travels. A round is one attempt to get the lock; its number is that of the operation.
#[derive(Clone, Debug)]
enum Said {
    Ask { round: u64 },
    Vote { round: u64, yes: bool },
    Free { round: u64 },
}

impl Message for Said {
    fn route(&self) -> Route {
        match *self {
            Self::Ask { round } => Route { operation: round, hop: 1 },
            Self::Vote { round, yes } => Route { operation: round, hop: 2 + u64::from(yes) },
            Self::Free { round } => Route { operation: round, hop: 4 },
        }
    }
    fn bytes(&self) -> u32 {
        64
    }
    fn kind(&self) -> u8 {
        match self {
            Self::Ask { .. } => 0,
            Self::Vote { .. } => 1,
            Self::Free { .. } => 2,
        }
    }
}

impl Digest for Said {
    fn digest(&self) -> u64 {
        let Route { operation, hop } = self.route();
        fold(operation, hop)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Timer {
    /// The vote for this round runs out.
    Lease(u64),
    /// Nobody waits longer for the votes of this round.
    Patience(u64),
    /// The holder of this round is done.
    Done(u64),
}

impl Digest for Timer {
    fn digest(&self) -> u64 {
        match *self {
            Self::Lease(round) => fold(1, round),
            Self::Patience(round) => fold(2, round),
            Self::Done(round) => fold(3, round),
        }
    }
}

/// A vote that was given to a round.
#[derive(Clone, Debug)]
struct Voted(u64);

impl Digest for Voted {
    fn digest(&self) -> u64 {
        self.0
    }
}

impl Record for Voted {
    fn bytes(&self) -> u32 {
        16
    }
}

/// A round that this machine leads.
#[derive(Clone, Debug)]
struct Round {
    request: u64,
    yes: usize,
    no: usize,
    holds: bool,
}

/// A machine of the lock service.
#[derive(Clone, Debug)]
struct Lock {
    me: NodeId,
    voted: Option<u64>,
    rounds: BTreeMap<u64, Round>,
}

impl Lock {
    fn vote(&mut self, plan: &Plan, from: NodeId, round: u64, out: &mut impl Effects<Self>) {
        let yes = self.voted.is_none_or(|voted| voted == round);
        if yes {
            self.voted = Some(round);
            if plan.writes_votes_down {
                // What is sent after this waits until it is durable.
                out.persist(Voted(round));
            }
            out.set_timer(Timer::Lease(round), Delay::Fixed(LEASE));
        }
        out.send(from, Said::Vote { round, yes });
    }

    fn counted(&mut self, plan: &Plan, number: u64, yes: bool, out: &mut impl Effects<Self>) {
        let held = self.held();
        let Some(round) = self.rounds.get_mut(&number) else { return };
        *(if yes { &mut round.yes } else { &mut round.no }) += 1;
        let majority = plan.nodes.len() / 2 + 1;
        if round.yes == majority && !round.holds {
            round.holds = true;
            self.note(plan, held, out);
            out.cancel_timer(Timer::Patience(number));
            out.set_timer(Timer::Done(number), Delay::Fixed(HOLD));
        } else if round.no == majority {
            self.end(plan, number, out);
        }
    }

    /// The votes are given back, and whoever asked is told.
    fn end(&mut self, plan: &Plan, number: u64, out: &mut impl Effects<Self>) {
        let held = self.held();
        let Some(Round { request, holds, .. }) = self.rounds.remove(&number) else { return };
        self.note(plan, held, out);
        out.frame(Frame(number));
        for &node in &plan.nodes {
            out.send(node, Said::Free { round: number });
        }
        out.cancel_timer(Timer::Patience(number));
        out.output(if holds { Answer::done(request) } else { Answer::refused(request, "busy") });
    }

    /// How many of its rounds hold the lock.
    fn held(&self) -> i64 {
        self.rounds.values().filter(|round| round.holds).count() as i64
    }

    /// Tells the counter of the file, which had this value.
    fn note(&self, plan: &Plan, before: i64, out: &mut impl Effects<Self>) {
        out.note(&[Delta { cell: plan.held, key: row(plan, self.me), before, after: self.held() }]);
    }
}

fn row(plan: &Plan, me: NodeId) -> u64 {
    plan.nodes.iter().position(|node| *node == me).expect("it is one of them") as u64
}

impl Process for Lock {
    type Plan = Plan;
    type Message = Said;
    type Timer = Timer;
    type Record = Voted;
    type Output = Answer;

    fn boot(_: &Plan, me: NodeId) -> Self {
        Self { me, voted: None, rounds: BTreeMap::new() }
    }

    fn on_start(&mut self, _: &Plan, _: Time, log: &[Voted], out: &mut impl Effects<Self>) {
        // Whoever got the last vote may still hold the lock.
        if let Some(Voted(round)) = log.last() {
            self.voted = Some(*round);
            out.set_timer(Timer::Lease(*round), Delay::Fixed(LEASE));
        }
    }

    fn on_message(&mut self, plan: &Plan, _: Time, from: NodeId, message: Said, out: &mut impl Effects<Self>) {
        match message {
            Said::Ask { round } => self.vote(plan, from, round, out),
            Said::Vote { round, yes } => self.counted(plan, round, yes, out),
            Said::Free { round } => {
                if self.voted == Some(round) {
                    self.voted = None;
                    out.cancel_timer(Timer::Lease(round));
                }
            }
        }
    }

    fn on_timer(&mut self, plan: &Plan, _: Time, timer: Timer, out: &mut impl Effects<Self>) {
        match timer {
            Timer::Lease(round) => self.voted = self.voted.filter(|voted| *voted != round),
            Timer::Patience(round) | Timer::Done(round) => self.end(plan, round, out),
        }
    }

    fn on_reset(&mut self, plan: &Plan, _: Time, _: NodeId, message: Said, out: &mut impl Effects<Self>) {
        // A voter that is down does not vote.
        if let Said::Ask { round } = message {
            self.counted(plan, round, false, out);
        }
    }

    fn unfinished(&self) -> u64 {
        self.rounds.len() as u64
    }

    fn owed(_: &Plan, _: NodeId, _: &[Voted]) -> u64 {
        0
    }

    fn volatile_cells(&self, plan: &Plan, each: &mut impl FnMut(CellId, u64, i64)) {
        each(plan.held, row(plan, self.me), self.held());
    }
}

impl Serve for Lock {
    const KINDS: &'static [&'static str] = &["ask", "vote", "free"];

    fn on_request(&mut self, plan: &Plan, _: Time, request: Request, out: &mut impl Effects<Self>) {
        let round = request.operation;
        self.rounds.insert(round, Round { request: request.id, yes: 0, no: 0, holds: false });
        for &node in &plan.nodes {
            out.send(node, Said::Ask { round });
        }
        out.set_timer(Timer::Patience(round), Delay::Fixed(PATIENCE));
    }
}

/// The scenario, with machines that write their votes down or do not.
pub(crate) fn lock(writes_votes_down: bool) -> Check {
    let plan = move |stage: &Stage| Plan { nodes: stage.nodes.clone(), held: stage.cells["held"], writes_votes_down };
    stormglass::text("lock", SCENARIO).process::<Lock>("lock", plan).seeds(0..50)
}

#[expect(clippy::print_stdout, reason = "an example shows what it finds")]
fn main() {
    let careless = lock(false);
    let runs = careless.run();
    println!("votes are said and not written down: {}\n", runs.summary());
    println!("{}", careless.story(&runs));

    let careful = lock(true);
    careful.assert_passes();
    println!("votes are written down: {}", careful.run().summary());
    let folder = std::path::Path::new("out/lock/mended");
    careful.report(folder);
    println!("report   {}", folder.join("report.html").display());
}
