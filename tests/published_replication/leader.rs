//! A leader and its followers: how long a change takes to be agreed, and how long nobody leads.

use std::sync::Arc;

use cluster::{Cluster, FaultPlan, Hardware, Loses, MessageEvent, Passage, Watch};
use kernel::{Distribution, Key, NodeId, Seed, Span, Time};
use rayon::prelude::*;
use systems::replication::keys::Operation;
use systems::replication::leader_follower::{
    Acks, Cast, Fencing, Order, Output, Plan, Play, Points, Reads, Role, Script,
};

use crate::stage::{Found, constant, exponential, hardware, mean, milliseconds, time};

const REPLICAS: u32 = 5;
const LEADER: NodeId = NodeId(0);
/// The kind of messages of a leader to its followers, and of a candidate to all.
const APPEND: u8 = 5;
const ELECT: u8 = 3;

fn plan(heartbeat: Span, election_timeout: Distribution, key: Key) -> Plan {
    Plan {
        store: 1,
        replicas: (0..REPLICAS).map(NodeId).collect(),
        acks: Acks::Majority,
        reads: Reads::ReadIndex,
        heartbeat,
        election_timeout,
        key,
        fencing: Fencing::Term,
        snapshot_every: 1_000,
        batch: 100,
        device: None,
        first: None,
        told: true,
        cells: None,
        points: Points::default(),
        mutant: None,
    }
}

/// Seconds.
fn between(from: f64, to: f64) -> Distribution {
    Distribution::uniform(from * 1e9, to * 1e9).expect("it is a range")
}

/// What was told to clients, and by and to whom.
#[derive(Default)]
struct Heard {
    leader: Option<NodeId>,
    begun: Time,
    /// How long each change took, in milliseconds.
    took: Vec<f64>,
    /// When followers last heard of a leader, and how many in that instant.
    beat: (Time, u32),
    /// The first who stood for election since this was last cleared.
    stood: Option<Time>,
}

impl Watch<Role> for Heard {
    fn output(&mut self, now: Time, node: NodeId, output: &Output) {
        match *output {
            Output::Leads { .. } => self.leader = Some(node),
            Output::Asks(_) => self.begun = now,
            Output::Told(..) => self.took.push(milliseconds(now.since(self.begun))),
            Output::Unknown { .. } => unreachable!("nobody loses his patience"),
            Output::Agreed { .. } | Output::Published { .. } => {}
        }
    }

    fn message(&mut self, now: Time, message: MessageEvent) {
        if (message.kind, message.passage) == (APPEND, Passage::Delivered) {
            self.beat = (now, if self.beat.0 == now { self.beat.1 + 1 } else { 1 });
        }
        if (message.kind, message.passage) == (ELECT, Passage::Sent) {
            self.stood = self.stood.or(Some(now));
        }
    }
}

/// The times that `changes` of a client at the leader take: long after the first machine was elected, and one by one.
fn agreement(hardware: &Hardware, changes: u64, seed: u64) -> Vec<f64> {
    const FIRST: u64 = 100_000;
    let world = |key| {
        let order = |n| Order { at: time(FIRST + 500 * n), operation: Operation::Write { key: n % 8, value: n } };
        let orders = (0..changes).map(order).collect();
        let script = Script { orders, retry: Span::secs(30), patience: Span::secs(30) };
        let mut cast = vec![Cast::Replica; REPLICAS as usize];
        cast.push(Cast::Client(script));
        // Heartbeats are rare: an entry that is on its way is not sent again.
        let plan = plan(Span::secs(10), between(30.0, 60.0), Seed(key).key("store", "election_timeout"));
        let play = Arc::new(Play { plan, cast });
        (Cluster::new(play, hardware.clone(), FaultPlan::none(), Seed(seed)), Heard::default())
    };
    let leads = |key: &u64| {
        let (mut cluster, mut heard) = world(*key);
        while heard.leader.is_none() && cluster.step(&mut heard).is_some() {}
        heard.leader == Some(LEADER)
    };
    let key = (1_000 * seed..1_000 * (seed + 1)).find(leads).expect("with some timeouts the first machine is elected");
    let (mut cluster, mut heard) = world(key);
    while (heard.took.len() as u64) < changes && cluster.step(&mut heard).is_some() {}
    assert_eq!(heard.leader, Some(LEADER), "nobody else is elected later");
    heard.took
}

/// Followers whose round trips are exponential: the way there is, and the way back takes no time.
pub(crate) fn majority_of_exponential_round_trips(long: bool) -> Vec<Found> {
    const CHANGES: u64 = 5_000;
    let worlds = if long { 80 } else { 1 };
    let hardware = hardware(&[0, 1, 1, 1, 1, 2], &|from, to| match (from, to) {
        (0, 1) => exponential(1.0),
        _ => constant(0.0),
    });
    let took: Vec<f64> =
        (0..worlds).into_par_iter().flat_map_iter(|seed| agreement(&hardware, CHANGES, seed)).collect();
    vec![mean("D-majority-commit-exp", &took)]
}

/// Followers in four regions, by their round trips to the leader's; half of it each way.
pub(crate) fn majority_from_virginia(_long: bool) -> Vec<Found> {
    const ROUND_TRIPS: [f64; 4] = [72.74, 86.98, 80.55, 145.3];
    let hardware = hardware(&[0, 1, 2, 3, 4, 5], &|from, to| match (from, to) {
        (0, other @ 1..=4) | (other @ 1..=4, 0) => constant(ROUND_TRIPS[usize::from(other) - 1] / 2.0),
        (1..=4, 1..=4) => constant(40.0),
        _ => constant(0.0),
    });
    let took = agreement(&hardware, 100, 0);
    assert!(took.iter().all(|other| other.total_cmp(&took[0]).is_eq()), "nothing is random about it");
    vec![Found { id: "D-geo-majority-va", value: took[0], error: 0.0 }]
}

/// The leader dies when all its followers have just heard of it: how long until the first of them stands for election?
pub(crate) fn first_candidate(long: bool) -> Vec<Found> {
    let (worlds, trials) = if long { (30, 500) } else { (1, 300) };
    let waits = (0..worlds).into_par_iter().flat_map_iter(|seed| candidates(seed, trials));
    vec![mean("D-raft-first-timeout", &waits.collect::<Vec<f64>>())]
}

fn candidates(seed: u64, trials: usize) -> Vec<f64> {
    const CALM: Span = Span::secs(2);
    let key = Seed(seed).key("store", "election_timeout");
    let plan = plan(Span::millis(50), between(0.15, 0.3), key);
    let play = Arc::new(Play { plan, cast: vec![Cast::Replica; REPLICAS as usize] });
    let hardware = hardware(&[0; REPLICAS as usize], &|_, _| constant(1.0));
    let mut cluster = Cluster::new(play, hardware, FaultPlan::none(), Seed(seed));
    let (mut heard, mut calm, mut waits) = (Heard::default(), Time::ZERO + CALM, Vec::new());
    while waits.len() < trials && cluster.step(&mut heard).is_some() {
        let all_have_heard = heard.beat == (cluster.now(), REPLICAS - 1);
        if !all_have_heard || cluster.now() < calm {
            continue;
        }
        let leader = heard.leader.expect("somebody was heard of");
        let died = cluster.now();
        cluster.crash_for(leader, Loses::USUAL, Span::secs(1), &mut heard);
        heard.stood = None;
        while heard.stood.is_none() && cluster.step(&mut heard).is_some() {}
        waits.extend(heard.stood.map(|stood| milliseconds(stood.since(died))));
        calm = died + CALM;
    }
    waits
}
