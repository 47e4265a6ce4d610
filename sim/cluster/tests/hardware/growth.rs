//! Many machines.

use cluster::Transport;
use kernel::{Distribution, NodeId};

use crate::puppet::*;

/// More than sixteen bits can tell apart.
const MANY: u32 = 70_000;

#[test]
fn of_seventy_thousand_machines_the_right_one_hears_a_message() {
    // With sixteen bits these two would be one machine, and the way between them a way to itself.
    let (far, twin) = (MANY - 1, MANY - 1 - (1 << 16));
    let jitter = Distribution::uniform(1e6, 2e6).expect("1 ms is less than 2 ms");
    for transport in [Transport::Tcp, Transport::Pool, Transport::Udp] {
        let stage = stage(MANY as usize).link(jitter.clone(), 0.0, transport);
        let stage = stage.on(twin, Cue::Start, vec![send(far, 1)]).on(far, Cue::Hear(1), vec![send(twin, 2)]);
        let (world, _) = stage.on(twin, Cue::Hear(2), vec![send(far, 3), send(0, 4)]).run();
        assert_eq!([far, twin, 0].map(|node| messages(&world, node)), [vec![1, 3], vec![2], vec![4]]);
        let others = (0..MANY).filter(|node| ![far, twin, 0].contains(node));
        assert_eq!(others.filter(|&node| !messages(&world, node).is_empty()).count(), 0);
    }
}

#[test]
fn a_crash_hits_the_right_one_of_seventy_thousand_machines() {
    let (far, twin) = (MANY - 1, MANY - 1 - (1 << 16));
    let stage = stage(MANY as usize).fault(crash(&[far], ms(1), ms(10)));
    let stage = stage.on(0, Cue::Start, vec![timer(5, ms(4))]);
    let (world, _) = stage.on(0, Cue::Timer(5), vec![send(far, 1), send(twin, 2)]).run();
    assert_eq!([far, twin].map(|node| messages(&world, node)), [vec![], vec![2]]);
    assert_eq!(world.ledger()[0].nodes, [NodeId(far)]);
    assert!(heard(&world, far).iter().any(|(_, cue)| *cue == Cue::Restart(0)), "it comes back");
}
