//! Probabilistically bounded staleness: the quorum store with the laws of the paper on its links.
//!
//! WARS: a write takes W to each copy and its acknowledgement A back, a question takes R and its answer S. Writes and
//! reads are coordinated by machines of their own without copies, so the four are laws of four links; the client is no
//! time away from both, and it alone measures. Every trial writes a key and, so much later than it was told that this is
//! done, reads it: stale is what was not this write. A key comes again after 64 trials, by when its last write is known
//! everywhere or older than what is asked for. Reads mend nothing.

use std::sync::Arc;

use cluster::{Cluster, FaultPlan, Watch};
use kernel::{Distribution, NodeId, Seed, Span, Time};
use rayon::prelude::*;
use systems::replication::quorum::{
    Asked, Cast, Order, Output, Plan, Play, Repair, Request, Role, Row, Script, Via, Wish,
};
use systems::replication::routing::Choice;

use crate::rows::find;
use crate::stage::{Found, MILLISECOND, constant, exponential, hardware, percentile, share};

const COPIES: usize = 3;
const WRITER: NodeId = NodeId(3);
const READER: NodeId = NodeId(4);
/// Trials are a minute apart.
const ROUND: u64 = 60_000_000_000;
const KEYS: u64 = 64;
/// Trials of one world.
const WORLD: u64 = 25_000;

/// Which laws the links have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Laws {
    /// Table 3, LinkedIn with solid state disks.
    Ssd,
    /// With spinning disks.
    Disk,
    /// Yammer.
    Slow,
    /// All exponential: A, R and S with a mean of 1 ms, W with one of so many microseconds.
    Exponential(u32),
}

impl Laws {
    /// W, and that of A, R and S.
    fn of(self) -> (Distribution, Distribution) {
        let mixture = |share: f64, (min, alpha): (f64, f64), rate: f64| {
            let pareto = Distribution::pareto(min * MILLISECOND, alpha).expect("a law");
            Distribution::mixture(&[(share, pareto), (1.0 - share, exponential(1.0 / rate))]).expect("shares")
        };
        let ssd = mixture(0.9122, (0.235, 10.0), 1.66);
        match self {
            Self::Ssd => (ssd.clone(), ssd),
            Self::Disk => (mixture(0.38, (1.05, 1.51), 0.183), ssd),
            Self::Slow => (mixture(0.939, (3.0, 3.5), 0.0028), mixture(0.982, (1.5, 3.8), 0.0217)),
            Self::Exponential(micros) => (exponential(f64::from(micros) / 1000.0), exponential(1.0)),
        }
    }
}

/// What a row wants of the trials.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// The percentile 99.9 of reads.
    Read,
    /// That of writes.
    Write,
    /// Which share is fresh.
    Fresh,
    /// How many are stale.
    Stale,
    /// After what time 99.9 % are fresh.
    Visible,
}

/// A store, when it is read, and the rows that this answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) laws: Laws,
    /// R and W.
    pub(crate) quorums: (usize, usize),
    pub(crate) wait: Wait,
    /// In the short form and in the long one.
    pub(crate) trials: (u64, u64),
    pub(crate) rows: &'static [(&'static str, What)],
}

/// How long after the acknowledgement the read is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    /// So many milliseconds.
    Fixed(f64),
    /// In turn a bit less and a bit more than that, to find between them when 99.9 % are fresh.
    Around(f64),
}

/// What was seen.
#[derive(Clone, Default)]
struct Seen {
    begun: Time,
    reads: Vec<u32>,
    writes: Vec<u32>,
    /// Of the reads after each of two waits: how many, and how many of them stale.
    waits: [(u64, u64); 2],
}

impl Seen {
    fn add(mut self, mut other: Self) -> Self {
        self.reads.append(&mut other.reads);
        self.writes.append(&mut other.writes);
        for (mine, others) in self.waits.iter_mut().zip(other.waits) {
            *mine = (mine.0 + others.0, mine.1 + others.1);
        }
        self
    }
}

impl Watch<Role> for Seen {
    fn output(&mut self, now: Time, _client: NodeId, output: &Output) {
        match *output {
            Output::Asks(_) => self.begun = now,
            Output::Told(request, row) => self.told(now, request, row),
            Output::Unknown(_) => unreachable!("nobody loses his patience"),
        }
    }
}

impl Seen {
    fn told(&mut self, now: Time, request: Request, row: Option<Row>) {
        let took = u32::try_from(now.since(self.begun).0).unwrap_or(u32::MAX);
        let Wish::Read = request.wish else { return self.writes.push(took) };
        self.reads.push(took);
        // A trial is a write and then a read.
        let fresh = row.is_some_and(|row| row.version.number + 1 == request.version.number);
        let wait = &mut self.waits[(request.version.number / 2 - 1) as usize % 2];
        *wait = (wait.0 + 1, wait.1 + u64::from(!fresh));
    }
}

fn world(setting: &Setting, waits: [f64; 2], trials: u64, seed: u64) -> Seen {
    let (write, other) = setting.laws.of();
    // Copies, writing machine, reading machine, client.
    let latency = |from, to| match (from, to) {
        (1, 0) => write.clone(),
        (0, 1 | 2) | (2, 0) => other.clone(),
        _ => constant(0.0),
    };
    let nodes: Vec<NodeId> = (0..5).map(NodeId).collect();
    let trial = |n: u64| {
        // Keys whose ring begins at the first machine.
        let (at, key) = (Time(n * ROUND), n % KEYS * nodes.len() as u64);
        let after = Span((waits[n as usize % 2] * MILLISECOND) as u64);
        let write = Order { at, after: Span::ZERO, key, wish: Wish::Write(n) };
        [write, Order { at, after, key, wish: Wish::Read }]
    };
    let patient = Span::secs(1_000_000);
    let via = Some(Via { writes: WRITER, reads: READER });
    let orders = (0..trials).flat_map(trial).collect();
    let client = Cast::Client(Script { orders, via, retry: patient, patience: patient });
    let mut cast = vec![Cast::Node; nodes.len()];
    cast.push(client);
    let (read, write) = setting.quorums;
    let plan = Plan {
        store: 1,
        nodes,
        copies: COPIES,
        read,
        write,
        asked: Asked::All,
        repair: Repair::None,
        coordinator: Choice::Any,
        timeout: patient,
        mutant: None,
    };
    let hardware = hardware(&[0, 0, 0, 1, 2, 3], &latency);
    let mut cluster = Cluster::new(Arc::new(Play { plan, cast }), hardware, FaultPlan::none(), Seed(seed));
    let mut seen = Seen::default();
    while cluster.step(&mut seen).is_some() {}
    assert_eq!((seen.writes.len(), seen.reads.len()), (trials as usize, trials as usize), "everybody is answered");
    seen
}

/// Runs a setting, with draws that no other one has.
pub(crate) fn measure(which: u64, setting: &Setting, long: bool) -> Vec<Found> {
    let trials = if long { setting.trials.1 } else { setting.trials.0 };
    let spread = if long { 0.06 } else { 0.25 };
    let waits = match setting.wait {
        Wait::Fixed(wait) => [wait; 2],
        Wait::Around(wait) => [(1.0 - spread) * wait, (1.0 + spread) * wait],
    };
    let worlds = (0..trials.div_ceil(WORLD)).into_par_iter().map(|nth| {
        let mine = WORLD.min(trials - nth * WORLD);
        world(setting, waits, mine, (which << 32) + nth)
    });
    let mut seen = worlds.reduce(Seen::default, Seen::add);
    let (reads, stale) = (trials, seen.waits[0].1 + seen.waits[1].1);
    let mut answer = |(id, what): &(&'static str, What)| match what {
        What::Read => percentile(id, &mut seen.reads, 0.999),
        What::Write => percentile(id, &mut seen.writes, 0.999),
        What::Fresh => share(id, reads - stale, reads),
        What::Stale => Found { id, value: stale as f64, error: 0.0 },
        What::Visible => visible(id, waits, seen.waits),
    };
    setting.rows.iter().map(&mut answer).collect()
}

/// When a thousandth is stale: between two waits the share falls exponentially, as the tails of most laws do. (Of a power
/// of the time, as with spinning disks, this makes 3 % too much in the short form and 0.2 % in the long one.)
#[expect(clippy::disallowed_methods, reason = "what becomes of it is compared within a tenth of a per cent at best")]
fn visible(id: &'static str, waits: [f64; 2], seen: [(u64, u64); 2]) -> Found {
    let stale = seen.map(|(reads, stale)| stale as f64 / reads as f64);
    assert!(stale[0] > stale[1] && stale[1] > 0.0, "{id}: too few trials, stale are {seen:?}");
    let rate = (stale[0] / stale[1]).ln() / (waits[1] - waits[0]);
    let reads = (seen[0].0 + seen[1].0) as f64;
    Found { id, value: waits[0] + (stale[0] / 0.001).ln() / rate, error: 1.0 / rate / (0.001 * reads).sqrt() }
}

/// When 99.9 % are fresh, according to the table's own simulation.
fn around(id: &str) -> Wait {
    Wait::Around(find(id).reference().0)
}

/// All of them.
pub(crate) fn settings() -> Vec<Setting> {
    use Laws::{Disk, Exponential, Slow, Ssd};
    use What::{Fresh, Read, Stale, Visible, Write};
    let setting = |laws, quorums, wait, trials, rows| Setting { laws, quorums, wait, trials, rows };
    // With R = 2 the tolerance of reads is the narrowest, in standard errors.
    let long = |laws, (read, _)| if (laws, read) == (Ssd, 2) { 1_000_000 } else { 600_000 };
    let latencies = |laws, quorums: (usize, usize), rows| {
        setting(laws, quorums, Wait::Fixed(0.0), (8_000, long(laws, quorums)), rows)
    };
    vec![
        setting(
            Ssd,
            (1, 1),
            around("D-pbs-ssd-R1W1-t999x"),
            (20_000, 2_600_000),
            &[
                ("D-pbs-ssd-R1W1-t999", Visible),
                ("D-pbs-ssd-R1W1-t999x", Visible),
                ("D-pbs-ssd-R1W1-Lr999", Read),
                ("D-pbs-ssd-R1W1-Lw999", Write),
            ],
        ),
        setting(
            Ssd,
            (1, 2),
            around("D-pbs-ssd-R1W2-t999x"),
            (20_000, 2_800_000),
            &[
                ("D-pbs-ssd-R1W2-t999", Visible),
                ("D-pbs-ssd-R1W2-t999x", Visible),
                ("D-pbs-ssd-R1W2-Lr999", Read),
                ("D-pbs-ssd-R1W2-Lw999", Write),
            ],
        ),
        latencies(Ssd, (2, 1), &[("D-pbs-ssd-R2W1-Lr999", Read), ("D-pbs-ssd-R2W1-Lw999", Write)]),
        latencies(Ssd, (2, 2), &[("D-pbs-ssd-R2W2-Lr999", Read), ("D-pbs-ssd-R2W2-Lw999", Write)]),
        latencies(Ssd, (3, 1), &[("D-pbs-ssd-R3W1-Lr999", Read), ("D-pbs-ssd-R3W1-Lw999", Write)]),
        latencies(Ssd, (1, 3), &[("D-pbs-ssd-R1W3-Lr999", Read), ("D-pbs-ssd-R1W3-Lw999", Write)]),
        setting(
            Disk,
            (1, 1),
            around("D-pbs-disk-R1W1-t999x"),
            (20_000, 10_000_000),
            &[
                ("D-pbs-disk-R1W1-t999", Visible),
                ("D-pbs-disk-R1W1-t999x", Visible),
                ("D-pbs-disk-R1W1-Lr999", Read),
                ("D-pbs-disk-R1W1-Lw999", Write),
            ],
        ),
        setting(
            Disk,
            (1, 2),
            around("D-pbs-disk-R1W2-t999x"),
            (20_000, 8_000_000),
            &[
                ("D-pbs-disk-R1W2-t999", Visible),
                ("D-pbs-disk-R1W2-t999x", Visible),
                ("D-pbs-disk-R1W2-Lr999", Read),
                ("D-pbs-disk-R1W2-Lw999", Write),
            ],
        ),
        setting(
            Disk,
            (2, 1),
            around("D-pbs-disk-R2W1-t999x"),
            (20_000, 1_200_000),
            &[
                ("D-pbs-disk-R2W1-t999", Visible),
                ("D-pbs-disk-R2W1-t999x", Visible),
                ("D-pbs-disk-R2W1-Lr999", Read),
                ("D-pbs-disk-R2W1-Lw999", Write),
            ],
        ),
        latencies(Disk, (2, 2), &[("D-pbs-disk-R2W2-Lr999", Read), ("D-pbs-disk-R2W2-Lw999", Write)]),
        latencies(Disk, (3, 1), &[("D-pbs-disk-R3W1-Lr999", Read), ("D-pbs-disk-R3W1-Lw999", Write)]),
        setting(
            Disk,
            (1, 3),
            Wait::Fixed(0.0),
            (8_000, 2_500_000),
            &[("D-pbs-disk-R1W3-Lr999", Read), ("D-pbs-disk-R1W3-Lw999", Write)],
        ),
        setting(Ssd, (1, 1), Wait::Fixed(0.0), (8_000, 300_000), &[("D-pbs-ssd-R1W1-pc0", Fresh)]),
        setting(Disk, (1, 1), Wait::Fixed(0.0), (8_000, 300_000), &[("D-pbs-disk-R1W1-pc0", Fresh)]),
        setting(Slow, (2, 2), Wait::Fixed(0.0), (20_000, 100_000), &[("D-pbs-strict", Stale)]),
        setting(Disk, (1, 1), Wait::Fixed(10.0), (8_000, 300_000), &[("D-pbs-disk-pc10ms", Fresh)]),
        setting(Exponential(250), (1, 1), Wait::Fixed(0.0), (8_000, 300_000), &[("D-pbs-exp-W4-pc0", Fresh)]),
        setting(Exponential(10_000), (1, 1), Wait::Fixed(0.0), (8_000, 3_000_000), &[("D-pbs-exp-W01-pc0", Fresh)]),
        setting(
            Exponential(10_000),
            (1, 1),
            around("D-pbs-exp-W01-t999"),
            (20_000, 500_000),
            &[("D-pbs-exp-W01-t999", Visible)],
        ),
    ]
}
