//! How long until something is lost, with machines that die and are repaired for hundreds of years.
//!
//! A machine's crashes are a fault with a rate: those that fall on a machine that is down are skipped, so its lives are
//! exponential, and the length of the fault is the repair. What the store makes of it is asked at every change: a client
//! of each world has one order, and gives it whenever it is restarted.

use cluster::{Cluster, Fault, FaultKind, FaultPlan, Loses, Target, Trigger, Watch, Window};
use kernel::{Distribution, NodeId, Span, Time};
use rayon::prelude::*;
use systems::replication::quorum::{Asked, Output, Plan, Repair, Role, Via, Wish};

use crate::quorums::{begin, order, plan, script};
use crate::stage::{Found, HOUR, constant, hardware, ratio};

/// How long a world lasts: 2.5 million hours, as long as a clock can count nanoseconds.
pub(crate) const LIFE: Time = Time(9_000_000_000_000_000_000);
const ALL: Loses = Loses { memory: true, unsynced: true, disk: true };

/// A machine lives so many nanoseconds on average, and is repaired.
pub(crate) fn dies(node: u32, life: f64, repair: &Distribution, loses: Loses) -> Fault {
    Fault {
        name: format!("machine{node}"),
        kind: FaultKind::Crash(loses),
        targets: vec![Target::All(vec![NodeId(node)])],
        trigger: Trigger::Rate(1e9 / life),
        window: Window { from: Time::ZERO, to: LIFE },
        length: Some(repair.clone()),
        chance: 1.0,
        require_effect: true,
    }
}

/// What happened since it was last looked at.
#[derive(Default)]
struct News {
    crashed: Vec<(Time, NodeId)>,
    restarted: Vec<(Time, NodeId)>,
    /// What clients heard.
    told: Vec<(Time, NodeId, Heard)>,
}

/// What came of a client's order.
enum Heard {
    /// It was told a row: the one it wrote or read.
    Row,
    /// There is none.
    NoRow,
    /// Nobody answered.
    Silence,
}

impl Watch<Role> for News {
    fn crashed(&mut self, now: Time, node: NodeId) {
        self.crashed.push((now, node));
    }

    fn restarted(&mut self, now: Time, node: NodeId) {
        self.restarted.push((now, node));
    }

    fn output(&mut self, now: Time, client: NodeId, output: &Output) {
        match *output {
            Output::Asks(_) => {}
            Output::Told(_, Some(_)) => self.told.push((now, client, Heard::Row)),
            Output::Told(_, None) => self.told.push((now, client, Heard::NoRow)),
            Output::Unknown(_) => self.told.push((now, client, Heard::Silence)),
        }
    }
}

/// `copies` machines, one more that coordinates and never dies, and clients behind it, each with one order.
fn mortal(copies: u32, plan: Plan, wishes: &[Wish], repair_hours: f64, seed: u64) -> Cluster<Role> {
    let repair = Distribution::exponential(repair_hours * HOUR).expect("a law");
    let loses = if copies == 2 { ALL } else { Loses::USUAL };
    let faults = (0..copies).map(|node| dies(node, 1000.0 * HOUR, &repair, loses)).collect();
    let coordinator = NodeId(copies);
    let client = |wish: &Wish| {
        let via = Via { writes: coordinator, reads: coordinator };
        script(vec![order(Time::ZERO, 0, *wish)], Some(via))
    };
    let hardware = hardware(&vec![0; copies as usize + 1 + wishes.len()], &|_, _| constant(1.0));
    // A machine that has come back is asked again long before the next thing happens.
    let plan = Plan { timeout: Span::millis(10), ..plan };
    begin(
        plan,
        wishes.iter().map(client).collect(),
        hardware,
        FaultPlan { faults, heal: LIFE, ..FaultPlan::none() },
        seed,
    )
}

fn hours(from: Time, to: Time) -> f64 {
    to.since(from).0 as f64 / HOUR
}

/// Two copies, whose disks are lost with their machines. A read mends a machine that comes back; when no machine that is
/// up has the row any more, it is lost, and written again when both are back.
pub(crate) fn mirrored_pair(long: bool) -> Vec<Found> {
    let worlds: Vec<(f64, f64)> = (0..if long { 600 } else { 6 }).into_par_iter().map(pair).collect();
    vec![ratio("D-mirror-mttdl", &worlds)]
}

/// Hours in which there was something to lose, and how often it was lost.
fn pair(seed: u64) -> (f64, f64) {
    const READER: NodeId = NodeId(3);
    const WRITER: NodeId = NodeId(4);
    let store = Plan { repair: Repair::OnRead, ..plan(3, 2, (2, 2), Asked::All) };
    let mut cluster = mortal(2, store, &[Wish::Read, Wish::Write(1)], 10.0, seed);
    let mut news = News::default();
    let (mut since, mut exposed, mut lost) = (None, 0.0, 0.0);
    while cluster.step_until(Time(LIFE.0 - 1), &mut news).is_some() {
        for (now, node) in std::mem::take(&mut news.crashed) {
            let has = |node| matches!(cluster.process(node), Role::Node(node) if node.row(0).is_some());
            let copies = (0..2).map(NodeId).filter(|node| cluster.up(*node) && has(*node)).count();
            if let Some(written) = since.filter(|_| node.0 < 2 && copies == 0) {
                exposed += hours(written, now);
                (since, lost) = (None, lost + 1.0);
            }
        }
        for (_, node) in std::mem::take(&mut news.restarted) {
            if node.0 < 2 {
                cluster.crash_for(READER, Loses::USUAL, Span(1), &mut news);
            }
        }
        for (now, client, answer) in std::mem::take(&mut news.told) {
            match answer {
                Heard::Row if client == WRITER => since = Some(now),
                Heard::Row => assert!(since.is_some(), "the store does not know that it is lost"),
                Heard::NoRow => {
                    assert!(since.is_none(), "the store has lost what should still be there");
                    cluster.crash_for(WRITER, Loses::USUAL, Span(1), &mut news);
                }
                Heard::Silence => {}
            }
        }
    }
    (exposed + since.map_or(0.0, |written| hours(written, LIFE)), lost)
}

/// Five machines: from when all are up until fewer than three are. There a write is not answered; with three it is.
pub(crate) fn quorum_of_five(long: bool) -> Vec<Found> {
    let worlds: Vec<(f64, f64)> = (0..if long { 720 } else { 6 }).into_par_iter().map(five).collect();
    vec![ratio("D-quorumloss-5", &worlds)]
}

fn five(seed: u64) -> (f64, f64) {
    const CLIENT: NodeId = NodeId(6);
    let mut cluster = mortal(5, plan(6, 5, (3, 3), Asked::All), &[Wish::Write(1)], 20.0, seed);
    let mut news = News::default();
    let (mut since, mut exposed, mut lost) = (Some(Time::ZERO), 0.0, 0.0);
    let up = |cluster: &Cluster<Role>| (0..5).filter(|node| cluster.up(NodeId(*node))).count();
    // When the question was asked, and how many machines were up.
    let (mut asked, mut changed, mut compared) = (None, Time::ZERO, 0);
    while cluster.step_until(Time(LIFE.0 - 1), &mut news).is_some() {
        for (now, node) in std::mem::take(&mut news.crashed) {
            let left = up(&cluster);
            if node == CLIENT {
                continue;
            }
            changed = now;
            if let Some(all) = since.filter(|_| left < 3) {
                exposed += hours(all, now);
                (since, lost) = (None, lost + 1.0);
            }
            if left <= 3 {
                asked = Some((now, left));
                cluster.crash_for(CLIENT, Loses::USUAL, Span(1), &mut news);
            }
        }
        for (now, node) in std::mem::take(&mut news.restarted) {
            changed = if node == CLIENT { changed } else { now };
            since = since.or_else(|| (up(&cluster) == 5).then_some(now));
        }
        for (_, _, answer) in std::mem::take(&mut news.told) {
            if let Some((_, left)) = asked.take().filter(|(when, _)| *when == changed) {
                assert_eq!(
                    matches!(answer, Heard::Row),
                    left >= 3,
                    "the store has a quorum with three, and with fewer none"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 0 && lost > 0.0, "{lost} losses, {compared} of them asked about");
    (exposed + since.map_or(0.0, |all| hours(all, LIFE)), lost)
}

/// The share of its life that a machine is up.
pub(crate) fn up_and_down(long: bool) -> Vec<Found> {
    let machines = if long { 150 } else { 8 };
    let worlds: Vec<(f64, f64)> = (0..machines).into_par_iter().map(one).collect();
    vec![ratio("D-steady-avail", &worlds)]
}

/// Hours up, and all hours.
fn one(seed: u64) -> (f64, f64) {
    // The coefficient of variation of a lognormal law whose logarithm has a deviation of 1.
    let spread = (std::f64::consts::E - 1.0).sqrt();
    let repair = Distribution::lognormal_mean_cv(10.0 * HOUR, spread).expect("a law");
    let faults =
        FaultPlan { faults: vec![dies(0, 1000.0 * HOUR, &repair, Loses::USUAL)], heal: LIFE, ..FaultPlan::none() };
    let hardware = hardware(&[0], &|_, _| constant(1.0));
    let mut cluster = begin(plan(1, 1, (1, 1), Asked::All), Vec::new(), hardware, faults, seed);
    let mut news = News::default();
    while cluster.step_until(Time(LIFE.0 - 1), &mut news).is_some() {}
    let back = news.restarted.iter().map(|(at, _)| *at).chain([LIFE]);
    let down: f64 = news.crashed.iter().zip(back).map(|((from, _), to)| hours(*from, to)).sum();
    let all = hours(Time::ZERO, LIFE);
    (all - down, all)
}
