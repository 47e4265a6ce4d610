//! A crash of each replica, or of all at once, between any two events of a short run breaks no promise.
//!
//! The world is run once; at every boundary copies of it lose one replica each, or all of them, for a while and run on.

use cluster::{Disk, Loses};
use kernel::{Distribution, NodeId, Span, Time};
use systems::replication::keys::Operation;
use systems::replication::leader_follower::{Acks, Mutant, Order, Reads};

use crate::judge::Judge;
use crate::world::{World, finish, small};

/// From the first election on until everybody has what he wanted.
const BOUNDARIES_UNTIL: Time = Time(900_000_000);
const END: Time = Time(3_000_000_000);
/// Of each of two clients.
const ORDERS: u64 = 20;

fn world(acks: Acks, mutant: Option<Mutant>) -> World {
    let orders = |client: u64| {
        (0..ORDERS)
            .map(|n| {
                let (key, value) = (n % 2, 1 + n + 100 * client);
                let operation = match n % 5 {
                    0 | 2 => Operation::Write { key, value },
                    1 | 4 => Operation::Read { key },
                    _ => Operation::Cas { key, expected: Some(value - 2), value },
                };
                Order { at: Time(300_000_000 + 10_000_000 * n), operation }
            })
            .collect()
    };
    let mut world = small([orders(0), orders(1)], Reads::ReadIndex);
    (world.play.plan.acks, world.play.plan.mutant) = (acks, mutant);
    world
}

/// How many crashes of these groups of replicas were tried, and which broke what.
fn campaign(world: &dyn Fn() -> World, groups: &[&[u32]], down: Span) -> (usize, Vec<String>) {
    let (mut cluster, mut judge) = (world().begin(), Judge::default());
    let (mut tried, mut wrong) = (0, Vec::new());
    while cluster.step_until(BOUNDARIES_UNTIL, &mut judge).is_some() {
        let boundary = cluster.events();
        for group in groups {
            let (mut copy, mut judge) = (cluster.clone(), judge.clone());
            for replica in *group {
                copy.crash_for(NodeId(*replica), Loses::USUAL, down, &mut judge);
            }
            finish(&mut copy, &mut judge, END);
            tried += 1;
            if judge.told < 2 * ORDERS {
                wrong.push(format!("boundary {boundary}, {group:?}: {} answers", judge.told));
            }
            let broken = judge.broken();
            if !broken.is_empty() {
                wrong.push(format!("boundary {boundary}, {group:?}: {broken:?}"));
            }
        }
    }
    (tried, wrong)
}

#[test]
fn a_crash_of_one_or_all_replicas_at_every_event_boundary_loses_nothing_and_everybody_is_answered() {
    for down in [Span::millis(2), Span::millis(600)] {
        let (tried, wrong) = campaign(&|| world(Acks::Majority, None), &[&[0], &[1], &[2], &[0, 1, 2]], down);
        println!("{tried} crashes, {} of them wrong", wrong.len());
        assert!(tried > 1_500, "{tried} are few");
        assert!(wrong.is_empty(), "{} of {tried}: {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
    }
}

#[test]
fn with_acks_of_the_leader_alone_a_crash_at_some_boundary_loses_what_was_told() {
    let (tried, wrong) = campaign(&|| world(Acks::Leader, None), &[&[0], &[1], &[2]], Span::millis(600));
    println!("acks = leader: {} of {tried} crashes", wrong.len());
    assert!(wrong.iter().any(|wrong| wrong.contains("linearizable")), "{wrong:#?}");
}

#[test]
fn who_acks_before_the_fsync_loses_what_was_told_when_the_power_fails() {
    // Disks that take longer than the network.
    let slow = |mutant| {
        let mut world = world(Acks::Majority, mutant);
        let disk = Disk::plain(Distribution::constant(20e6).expect("a length"));
        world.hardware.nodes.iter_mut().for_each(|node| node.disk = disk.clone());
        world
    };
    let lost = |mutant| campaign(&|| slow(mutant), &[&[0, 1, 2]], Span::millis(2)).1;
    assert_eq!(lost(None), Vec::<String>::new());
    let wrong = lost(Some(Mutant::AckBeforeFsync));
    println!("ack before fsync: {} crashes lose something", wrong.len());
    assert!(wrong.iter().any(|wrong| wrong.contains("linearizable")), "{wrong:#?}");
}
