//! A crash of each replica between any two events of a short run breaks no promise.
//!
//! The world is run once; at every boundary copies of it lose one replica each for a while and run on.

use cluster::Loses;
use kernel::{NodeId, Span, Time};
use systems::replication::keys::Operation;
use systems::replication::leader_follower::{Acks, Order, Reads};

use crate::judge::Judge;
use crate::world::{World, finish, small};

/// From the first election on until everybody has what he wanted.
const BOUNDARIES_UNTIL: Time = Time(900_000_000);
const END: Time = Time(3_000_000_000);
/// Of each of two clients.
const ORDERS: u64 = 20;

fn world(acks: Acks) -> World {
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
    world.play.plan.acks = acks;
    world
}

/// How many crashes were tried, and which broke what.
fn campaign(acks: Acks, down: Span) -> (usize, Vec<String>) {
    let (mut cluster, mut judge) = (world(acks).begin(), Judge::default());
    let (mut tried, mut wrong) = (0, Vec::new());
    while cluster.step_until(BOUNDARIES_UNTIL, &mut judge).is_some() {
        let boundary = cluster.events();
        for replica in 0..3 {
            let (mut copy, mut judge) = (cluster.clone(), judge.clone());
            copy.crash_for(NodeId(replica), Loses::USUAL, down, &mut judge);
            finish(&mut copy, &mut judge, END);
            tried += 1;
            if judge.told < 2 * ORDERS {
                wrong.push(format!("boundary {boundary}, replica {replica}: {} answers", judge.told));
            }
            let broken = judge.broken();
            if !broken.is_empty() {
                wrong.push(format!("boundary {boundary}, replica {replica}: {broken:?}"));
            }
        }
    }
    (tried, wrong)
}

#[test]
fn a_crash_of_a_replica_at_every_event_boundary_loses_nothing_and_everybody_is_answered() {
    for down in [Span::millis(2), Span::millis(600)] {
        let (tried, wrong) = campaign(Acks::Majority, down);
        println!("{tried} crashes, {} of them wrong", wrong.len());
        assert!(tried > 1_000, "{tried} are few");
        assert!(wrong.is_empty(), "{} of {tried}: {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
    }
}

#[test]
fn with_acks_of_the_leader_alone_a_crash_at_some_boundary_loses_what_was_told() {
    let (tried, wrong) = campaign(Acks::Leader, Span::millis(600));
    println!("acks = leader: {} of {tried} crashes", wrong.len());
    assert!(wrong.iter().any(|wrong| wrong.contains("linearizable")), "{wrong:#?}");
}
