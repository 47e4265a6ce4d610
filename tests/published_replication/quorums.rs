//! Quorums that meet by chance, what they cost each machine, whether there is one, and what is lost with a copy that
//! acknowledged alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use cluster::{
    Cluster, Direction, Fault, FaultKind, FaultPlan, Hardware, Loses, MessageEvent, Passage, Target, Trigger, Watch,
    Window, Wire,
};
use kernel::{Distribution, NodeId, Seed, Span, Time};
use rayon::prelude::*;
use systems::replication::quorum::{
    Asked, Cast, Order, Output, Plan, Play, Repair, Request, Role, Row, Script, Via, Wish,
};

use systems::replication::routing::Choice;

use crate::lifetimes::{LIFE, dies};
use crate::stage::{Found, HOUR, MILLISECOND, constant, exponential, hardware, mean, share, time};

/// A store of so many nodes, of which so many have copies, with R and W.
pub(crate) fn plan(nodes: u32, copies: usize, quorums: (usize, usize), asked: Asked) -> Plan {
    Plan {
        store: 1,
        nodes: (0..nodes).map(NodeId).collect(),
        copies,
        read: quorums.0,
        write: quorums.1,
        asked,
        repair: Repair::None,
        coordinator: Choice::Any,
        timeout: Span::secs(1),
        mutant: None,
    }
}

/// A client that says nothing twice.
pub(crate) fn script(orders: Vec<Order>, via: Option<Via>) -> Cast {
    Cast::Client(Script { orders, via, retry: Span::secs(2), patience: Span::secs(1) })
}

pub(crate) fn order(at: Time, key: u64, wish: Wish) -> Order {
    Order { at, after: Span::ZERO, key, wish }
}

/// A cluster of the nodes of a plan and some clients.
pub(crate) fn begin(plan: Plan, clients: Vec<Cast>, hardware: Hardware, faults: FaultPlan, seed: u64) -> Cluster<Role> {
    let mut cast = vec![Cast::Node; plan.nodes.len()];
    cast.extend(clients);
    Cluster::new(Arc::new(Play { plan, cast }), hardware, faults, Seed(seed))
}

/// Adds up what so many worlds count.
fn count<const N: usize>(worlds: u64, world: impl Fn(u64) -> [u64; N] + Sync + Send) -> [u64; N] {
    let add = |a: [u64; N], b: [u64; N]| std::array::from_fn(|n| a[n] + b[n]);
    (0..worlds).into_par_iter().map(world).reduce(|| [0; N], add)
}

/// What was told, and which messages reached the first machine.
#[derive(Default)]
struct Heard {
    told: Vec<(Request, Option<Row>)>,
    unknown: u64,
    touched: u64,
}

/// The kinds of messages by which a coordinator asks a copy.
const ASKING: [u8; 2] = [2, 4];

impl Watch<Role> for Heard {
    fn output(&mut self, _now: Time, _client: NodeId, output: &Output) {
        match *output {
            Output::Asks(_) => {}
            Output::Told(request, row) => self.told.push((request, row)),
            Output::Unknown(_) => self.unknown += 1,
        }
    }

    fn message(&mut self, _now: Time, message: MessageEvent) {
        let asked = message.to == NodeId(0) && message.passage == Passage::Delivered;
        self.touched += u64::from(asked && ASKING.contains(&message.kind));
    }
}

/// Three writes that each reach one copy of three, and a read of one copy: one of these three versions?
pub(crate) fn within_three_versions(long: bool) -> Vec<Found> {
    const TRIALS: u64 = 10_000;
    let worlds = if long { 40 } else { 1 };
    let [hits] = count(worlds, |seed| {
        let wish = |n| if n % 4 == 3 { Wish::Read } else { Wish::Write(n) };
        let orders = (0..4 * TRIALS).map(|n| order(Time::ZERO, 0, wish(n))).collect();
        let plan = plan(3, 3, (1, 1), Asked::Enough(Seed(seed).key("store", "asked")));
        let hardware = hardware(&[0; 4], &|_, _| constant(1.0));
        let mut cluster = begin(plan, vec![script(orders, None)], hardware, FaultPlan::none(), seed);
        let mut heard = Heard::default();
        while cluster.step(&mut heard).is_some() {}
        assert_eq!(heard.told.len() as u64, 4 * TRIALS);
        let reads = heard.told.iter().filter(|(request, _)| request.wish == Wish::Read);
        let recent = |number, row: Row| row.version.number + 3 >= number;
        [reads.filter(|(request, row)| row.is_some_and(|row| recent(request.version.number, row))).count() as u64]
    });
    vec![share("D-kstale-k3", hits, worlds * TRIALS)]
}

/// How many of the requests speak to a given one of five copies.
pub(crate) fn load_of_a_copy(long: bool) -> Vec<Found> {
    const REQUESTS: u64 = 20_000;
    let worlds = if long { 16 } else { 1 };
    let [touched] = count(worlds, |seed| {
        let wish = |n| if n % 2 == 0 { Wish::Write(n) } else { Wish::Read };
        let orders = (0..REQUESTS).map(|n| order(Time::ZERO, n % 7, wish(n))).collect();
        let plan = plan(5, 5, (3, 3), Asked::Enough(Seed(seed).key("store", "asked")));
        let hardware = hardware(&[0; 6], &|_, _| constant(1.0));
        let mut cluster = begin(plan, vec![script(orders, None)], hardware, FaultPlan::none(), seed);
        let mut heard = Heard::default();
        while cluster.step(&mut heard).is_some() {}
        assert_eq!(heard.told.len() as u64, REQUESTS);
        [heard.touched]
    });
    vec![share("D-load-majority", touched, worlds * REQUESTS)]
}

/// Machines that are up 19 hours and down one, on average; every fifth hour somebody writes or reads at three of five.
pub(crate) fn majority_of_five(long: bool) -> Vec<Found> {
    const REQUESTS: u64 = 20_000;
    let worlds = if long { 12 } else { 1 };
    let [answered] = count(worlds, |seed| {
        let wish = |n| if n % 2 == 0 { Wish::Write(n) } else { Wish::Read };
        let at = |n| Time(((10 + 5 * n) as f64 * HOUR) as u64);
        let orders = (0..REQUESTS).map(|n| order(at(n), 0, wish(n))).collect();
        let coordinator = NodeId(5);
        let client = script(orders, Some(Via { writes: coordinator, reads: coordinator }));
        let repair = Distribution::exponential(HOUR).expect("a law");
        let faults = FaultPlan {
            faults: (0..5).map(|node| dies(node, 19.0 * HOUR, &repair, Loses::USUAL)).collect(),
            heal: LIFE,
            ..FaultPlan::none()
        };
        let hardware = hardware(&[0; 7], &|_, _| constant(1.0));
        let mut cluster = begin(plan(6, 5, (3, 3), Asked::All), vec![client], hardware, faults, seed);
        let mut heard = Heard::default();
        while cluster.step_until(at(REQUESTS), &mut heard).is_some() {}
        assert_eq!(heard.told.len() as u64 + heard.unknown, REQUESTS);
        [heard.told.len() as u64]
    });
    vec![share("D-majority5", answered, worlds * REQUESTS)]
}

/// A copy that acknowledges alone is lost for good, with all that is still on its way from it.
pub(crate) fn lost_with_the_primary(long: bool) -> Vec<Found> {
    /// Twenty times the lag.
    const LOST: Time = time(400);
    let worlds = if long { 30_000 } else { 1_500 };
    let losses: Vec<f64> = (0..worlds)
        .into_par_iter()
        .map(|seed| {
            let (gap, mut stream) = (exponential(10.0), Seed(seed).stream("writes"));
            let mut at = Time::ZERO;
            let mut orders = Vec::new();
            while at < LOST {
                at += gap.span(&mut stream);
                orders.push(order(at, orders.len() as u64, Wish::Write(1)));
            }
            orders.retain(|order| order.at < LOST);
            let primary = vec![Target::All(vec![NodeId(0)])];
            let fault = |name: &str, kind, targets| Fault {
                name: name.to_owned(),
                kind,
                targets,
                trigger: Trigger::At(Distribution::constant(LOST.0 as f64).expect("a time")),
                window: Window { from: Time::ZERO, to: Time::END },
                length: None,
                chance: 1.0,
                require_effect: true,
            };
            let (direction, wire) = (Direction::Both, Wire::Drop);
            let cut = FaultKind::Partition { sides: Vec::new(), direction, wire };
            let dies = FaultKind::Crash(Loses { memory: true, unsynced: true, disk: true });
            let faults = vec![fault("cut", cut, primary.clone()), fault("dies", dies, primary)];
            let faults = FaultPlan { faults, ..FaultPlan::none() };
            let hardware = hardware(&[0, 1, 2], &|from, to| match (from, to) {
                (0, 1) => exponential(20.0),
                _ => constant(0.0),
            });
            let via = Some(Via { writes: NodeId(0), reads: NodeId(0) });
            let clients = vec![script(orders, via)];
            let mut cluster = begin(plan(2, 2, (1, 1), Asked::All), clients, hardware, faults, seed);
            let mut heard = Heard::default();
            while cluster.step_until(time(2_000), &mut heard).is_some() {}
            let Role::Node(replica) = cluster.process(NodeId(1)) else { unreachable!("the second keeps copies") };
            heard.told.iter().filter(|(request, _)| replica.row(request.key).is_none()).count() as f64
        })
        .collect();
    let none = losses.iter().filter(|lost| **lost == 0.0).count() as u64;
    vec![mean("D-async-loss-mean", &losses), share("D-async-loss-p0", none, worlds)]
}

/// Who writes at one copy and reads from the memory of the other 100 ms later.
pub(crate) fn sees_its_own_write(long: bool) -> Vec<Found> {
    const TRIALS: u64 = 10_000;
    let worlds = if long { 16 } else { 1 };
    let [seen] = count(worlds, |seed| {
        let trial = |n| {
            let read = Order { after: Span::millis(100), ..order(Time::ZERO, n, Wish::Read) };
            [order(time(5_000 * n), n, Wish::Write(n)), read]
        };
        let orders = (0..TRIALS).flat_map(trial).collect();
        let client = script(orders, Some(Via { writes: NodeId(0), reads: NodeId(1) }));
        let hardware = hardware(&[0, 1, 2], &|from, to| match (from, to) {
            (0, 1) => Distribution::exponential(50.0 * MILLISECOND).expect("a law"),
            _ => constant(0.0),
        });
        let mut cluster = begin(plan(2, 2, (1, 1), Asked::All), vec![client], hardware, FaultPlan::none(), seed);
        let mut heard = Heard::default();
        while cluster.step(&mut heard).is_some() {}
        let reads: Vec<_> = heard.told.iter().filter(|(request, _)| request.wish == Wish::Read).collect();
        assert_eq!(reads.len() as u64, TRIALS);
        let keys: BTreeSet<u64> = reads.iter().filter(|(_, row)| row.is_some()).map(|(read, _)| read.key).collect();
        [keys.len() as u64]
    });
    vec![share("D-ryw-lag", seen, worlds * TRIALS)]
}
