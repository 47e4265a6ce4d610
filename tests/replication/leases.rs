//! A leader is cut off together with a client, and right after that its clock is set back: by the clock that jumps its
//! lease goes on, by the one that only drifts it does not.

use std::collections::BTreeSet;

use cluster::{Direction, Fault, FaultKind, Target, Trigger, Window, Wire};
use kernel::{Distribution, NodeId, Time};
use systems::replication::keys::Operation;
use systems::replication::leader_follower::{LeaseClock, Order};

use crate::judge::Judge;
use crate::world::{HEAL, World, finish, lease, small};

const CUT: Time = Time(1_000_000_000);
const END: Time = Time(4_000_000_000);

/// A world in which one client reads a key again and again and the other writes it.
fn world(clock: LeaseClock) -> World {
    let orders = |every: u64, operation: &dyn Fn(u64) -> Operation| {
        (1..=60).map(|n| Order { at: Time(900_000_000 + n * every), operation: operation(n) }).collect()
    };
    let reads = orders(12_000_000, &|_| Operation::Read { key: 0 });
    small([reads, orders(20_000_000, &|value| Operation::Write { key: 0, value })], lease(clock))
}

fn broken(clock: LeaseClock, back: i64) -> BTreeSet<&'static str> {
    let (mut calm, mut judge) = (world(clock).begin(), Judge::default());
    finish(&mut calm, &mut judge, CUT);
    let leader = *judge.leaders().last_key_value().expect("somebody leads after a second").1;
    let mut world = world(clock);
    let near = vec![Target::All(vec![leader, NodeId(3)])];
    let sides = vec![near, vec![Target::Others]];
    let kind = FaultKind::Partition { sides, direction: Direction::Both, wire: Wire::Drop };
    world.faults.heal = HEAL;
    let constant = |value: f64| Distribution::constant(value).expect("a number");
    let cut = Fault {
        name: "cut".to_owned(),
        kind,
        targets: Vec::new(),
        trigger: Trigger::At(constant(CUT.0 as f64)),
        window: Window { from: Time::ZERO, to: HEAL },
        length: Some(constant(2e9)),
        chance: 1.0,
        require_effect: true,
    };
    let jump = Fault {
        name: "jump".to_owned(),
        kind: FaultKind::ClockJump { by: constant(back as f64) },
        targets: vec![Target::All(vec![leader])],
        trigger: Trigger::At(constant((CUT.0 + 20_000_000) as f64)),
        length: None,
        ..cut.clone()
    };
    world.faults.faults.extend([cut, jump]);
    let (mut cluster, mut judge) = (world.begin(), Judge::default());
    finish(&mut cluster, &mut judge, END);
    assert!(judge.leaders().len() > 1, "the other side elects a leader of its own");
    judge.broken()
}

#[test]
fn a_lease_by_the_clock_that_jumps_outlives_its_leader() {
    assert_eq!(broken(LeaseClock::Wall, -1_000_000_000), BTreeSet::from(["linearizable"]));
    assert_eq!(broken(LeaseClock::Wall, 0), BTreeSet::new(), "nothing is wrong with it while it does not jump");
    assert_eq!(broken(LeaseClock::Monotonic, -1_000_000_000), BTreeSet::new());
}
