//! Quorum stores in worlds drawn from seeds: what was acknowledged is seen, and nothing comes back from the dead.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cluster::{Cluster, FaultPlan, Loses, Transport, Watch};
use kernel::{Keyed, NodeId, Seed, Span, Time};
use systems::replication::quorum::{
    Asked, Cast, Mutant, Order, Output, Plan, Play, Repair, Request, Role, Row, Script, Wish,
};
use systems::replication::routing::Choice;

use crate::swarm::{SEEDS_MAX, long};
use crate::world::{CLIENTS, HEAL, KEYS, below, calm_hardware, faults, hardware};

const END: Time = Time(HEAL.0 + 6_000_000_000);

/// What was told, and what is wrong with it.
#[derive(Clone, Default)]
struct Judge {
    /// Every row that a client wanted to write, by key.
    wanted: BTreeSet<(u64, Row)>,
    /// The newest row that was acknowledged, by key.
    acked: BTreeMap<u64, Row>,
    /// What was acknowledged when a request began.
    floor: BTreeMap<NodeId, Option<Row>>,
    broken: BTreeSet<&'static str>,
    told: u64,
    deleted: u64,
}

impl Judge {
    fn read(&mut self, node: NodeId, request: Request, row: Option<Row>) {
        let value = |row: Option<Row>| row.and_then(|row| row.value);
        let floor = self.floor[&node];
        // Nothing, and nothing any more, are the same to a client.
        if row < floor && (value(row), value(floor)) != (None, None) {
            let dead = floor.is_some_and(|floor| floor.value.is_none());
            self.broken.insert(if dead { "no_resurrection" } else { "acked_is_seen" });
        }
        if row.is_some_and(|row| !self.wanted.contains(&(request.key, row))) {
            self.broken.insert("no_phantom");
        }
    }
}

impl Watch<Role> for Judge {
    fn output(&mut self, _now: Time, node: NodeId, output: &Output) {
        match *output {
            Output::Asks(Request { version, key, wish }) => {
                self.floor.insert(node, self.acked.get(&key).copied());
                let value = match wish {
                    Wish::Read => return,
                    Wish::Write(value) => Some(value),
                    Wish::Delete => None,
                };
                self.wanted.insert((key, Row { version, value }));
            }
            Output::Told(request, row) => {
                self.told += 1;
                if request.wish == Wish::Read {
                    return self.read(node, request, row);
                }
                self.deleted += u64::from(request.wish == Wish::Delete);
                let row = row.expect("a write is answered with its row");
                let acked = self.acked.entry(request.key).or_insert(row);
                *acked = row.max(*acked);
            }
            Output::Unknown(_) => {}
        }
    }
}

/// What a world is to be like; what is not said here the seed draws.
#[derive(Clone, Copy, Default)]
struct Wanted {
    /// R and W.
    quorums: Option<(usize, usize)>,
    /// Only as many copies are asked as are waited for.
    enough: bool,
    no_repair: bool,
    mutant: Option<Mutant>,
}

fn scripts(draw: &mut Keyed) -> Vec<Cast> {
    let script = Script { orders: Vec::new(), via: None, retry: Span::millis(80), patience: Span::millis(700) };
    let mut scripts = vec![script; CLIENTS as usize];
    let mut times: Vec<u64> = (0..300).map(|_| below(draw, HEAL.0)).collect();
    times.sort_unstable();
    for (value, at) in (1..).zip(times) {
        let wish = match below(draw, 10) {
            0..=4 => Wish::Read,
            5..=7 => Wish::Write(value),
            _ => Wish::Delete,
        };
        let order = Order { at: Time(at), after: Span::ZERO, key: below(draw, KEYS), wish };
        scripts[below(draw, u64::from(CLIENTS)) as usize].orders.push(order);
    }
    // When the faults are over, everybody looks at everything.
    for script in &mut scripts {
        let order = |n| Order { at: Time(HEAL.0 + 1_000_000_000), after: Span::ZERO, key: n % KEYS, wish: Wish::Read };
        script.orders.extend((0..2 * KEYS).map(order));
    }
    scripts.into_iter().map(Cast::Client).collect()
}

fn world(seed: u64, wanted: Wanted) -> (Cluster<Role>, Transport) {
    let draw = &mut Seed(seed).key("quorum", "all").draw(0, 0, 0);
    let count = [3, 3, 5][below(draw, 3) as usize];
    let nodes: Vec<NodeId> = (0..count).map(NodeId).collect();
    let quorums = [(2, 2), (2, 2), (1, 3), (3, 1)][below(draw, 4) as usize];
    let (read, write) = wanted.quorums.unwrap_or(quorums);
    let plan = Plan {
        store: 1,
        nodes: nodes.clone(),
        copies: 3,
        read,
        write,
        asked: if wanted.enough { Asked::Enough(Seed(seed).key("store", "asked")) } else { Asked::All },
        repair: if wanted.no_repair { Repair::None } else { Repair::OnRead },
        coordinator: Choice::Any,
        timeout: Span::millis(500),
        mutant: wanted.mutant,
    };
    let mut cast = vec![Cast::Node; count as usize];
    cast.extend(scripts(draw));
    let hardware = hardware(draw, cast.len(), cast.len());
    let faults = FaultPlan { faults: faults(draw, &nodes), heal: HEAL, ..FaultPlan::none() };
    let transport = hardware.links[0].transport;
    (Cluster::new(Arc::new(Play { plan, cast }), hardware, faults, Seed(seed)), transport)
}

/// The copies of every key are the same.
fn converged(cluster: &Cluster<Role>) -> bool {
    let row = |node, key| match cluster.process(node) {
        Role::Node(node) => node.row(key),
        Role::Client(_) => unreachable!("clients have no copies"),
    };
    let alike = |key| cluster.plan().plan.copies_of(key).map(|node| row(node, key)).collect::<BTreeSet<_>>().len() == 1;
    (0..KEYS).all(alike)
}

fn run(seed: u64, wanted: Wanted) -> Judge {
    let ((mut cluster, transport), mut judge) = (world(seed, wanted), Judge::default());
    while cluster.step_until(END, &mut judge).is_some() {}
    // A tcp connection that has lost much waits for up to 15 s before it tries again.
    if transport != Transport::Tcp && !converged(&cluster) {
        judge.broken.insert("converged");
    }
    judge
}

fn first_broken(wanted: Wanted, promise: &str) -> Option<u64> {
    (0..SEEDS_MAX).find(|seed| run(*seed, wanted).broken.contains(promise))
}

#[test]
fn what_a_quorum_acknowledged_a_quorum_sees_and_reads_mend_the_copies() {
    let seeds = if long() { 5_000 } else { 1_000 };
    let (mut told, mut deleted) = (0, 0);
    for seed in 0..seeds {
        let judge = run(seed, Wanted::default());
        (told, deleted) = (told + judge.told, deleted + judge.deleted);
        assert_eq!(judge.broken, BTreeSet::new(), "seed {seed}");
    }
    println!("{seeds} seeds: {told} answers, {deleted} of them to deletions");
    assert!(told > 200 * seeds && deleted > 20 * seeds, "a world in which nothing happens shows nothing");
}

#[test]
fn each_mutant_of_a_quorum_is_caught_by_the_check_named_for_it() {
    let mut quiet = Vec::new();
    println!("{:<18} {:<22} {:>10}", "mutant", "check", "first seed");
    for (mutant, name, promise) in Mutant::ALL {
        let seed = first_broken(Wanted { mutant: Some(mutant), ..Wanted::default() }, promise);
        println!("{name:<18} {promise:<22} {:>10}", seed.map_or("-".to_owned(), |seed| seed.to_string()));
        quiet.extend(seed.is_none().then_some(name));
    }
    assert!(quiet.is_empty(), "not caught within {SEEDS_MAX} seeds: {quiet:?}");
}

#[test]
fn quorums_that_do_not_meet_and_copies_that_nobody_mends_are_as_bad_as_documented() {
    for quorums in [(1, 1), (1, 2), (2, 1)] {
        let wanted = Wanted { quorums: Some(quorums), ..Wanted::default() };
        assert!(first_broken(wanted, "acked_is_seen").is_some(), "{quorums:?}");
    }
    let wanted = Wanted { no_repair: true, ..Wanted::default() };
    assert!(first_broken(wanted, "converged").is_some());
    assert_eq!(first_broken(wanted, "acked_is_seen"), None, "repair is not what the promise rests on");
    let wanted = Wanted { enough: true, ..Wanted::default() };
    assert_eq!(first_broken(wanted, "acked_is_seen"), None, "nor is it that all copies are asked");
}

#[test]
fn a_crash_of_a_machine_at_every_event_boundary_hides_nothing_that_was_acknowledged() {
    let orders = |client: u64| {
        let order = |n: u64| {
            let wish = [Wish::Write(1 + n + 100 * client), Wish::Read, Wish::Delete, Wish::Read][(n % 4) as usize];
            Order { at: Time(10_000_000 * n), after: Span::ZERO, key: n / 8 % 2, wish }
        };
        let script = Script { orders: Vec::new(), via: None, retry: Span::millis(80), patience: Span::secs(2) };
        Cast::Client(Script { orders: (0..24).map(order).collect(), ..script })
    };
    let (drawn, _) = world(0, Wanted { quorums: Some((2, 2)), ..Wanted::default() });
    let plan = Plan { nodes: (0..3).map(NodeId).collect(), ..drawn.plan().plan.clone() };
    let cast = vec![Cast::Node, Cast::Node, Cast::Node, orders(0), orders(1)];
    let hardware = calm_hardware(cast.len());
    let mut cluster = Cluster::new(Arc::new(Play { plan, cast }), hardware, FaultPlan::none(), Seed(0));
    let (mut judge, mut tried) = (Judge::default(), 0);
    while cluster.step_until(Time(400_000_000), &mut judge).is_some() {
        for node in (0..3).map(NodeId) {
            let (mut copy, mut judge) = (cluster.clone(), judge.clone());
            copy.crash_for(node, Loses::USUAL, Span::millis(100), &mut judge);
            while copy.step_until(Time(2_500_000_000), &mut judge).is_some() {}
            tried += 1;
            let boundary = cluster.events();
            assert_eq!((judge.told, judge.broken), (48, BTreeSet::new()), "boundary {boundary}, {node:?}");
        }
    }
    println!("{tried} crashes");
    assert!(tried > 1_000, "{tried} are few");
}
