//! What holds in a hostile world, and that every mutant breaks the promise it is named with.

use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

use kernel::random::Key;
use kernel::{Distribution, NodeId, Span, Time};

use super::desk::{BROKER, keyed, plan, queue};
use super::world::{Climate, World};
use crate::messaging::{
    AtRest, Binding, Cast, DeadLetter, Destination, Durability, Exchange, ExchangeKind, Figure, Job, Latency, Letter,
    Mutant, Order, Ordering, Overflow, Play, QueuePlan, Role, Settlement, Verdict, resolve,
};

const LETTERS: u64 = 60;
const POISON: u64 = 7;
/// By key.
const KEYS: u32 = 0;
/// First come, first served; publishers wait.
const LINE: u32 = 1;
/// Dead letters.
const DEAD: u32 = 2;
/// May lose.
const LOSSY: u32 = 3;
const CLIMATE: Climate = Climate { hostile: true, heal: Time(2_000_000_000), end: Time(20_000_000_000) };

fn settles(letter: &Letter<u64>) -> Settlement {
    if letter.payload.is_multiple_of(POISON) { Settlement::Requeue } else { Settlement::Ack }
}

/// An exchange feeds three queues; node 1 publishes; nodes 2 to 5 work, two of them on `KEYS`.
fn play(mutant: Option<Mutant>, seed: u64) -> Play<u64> {
    let dead_letter = Some(DeadLetter { to: Destination::Queue(DEAD), key: None });
    let visibility_timeout = Some(Span::millis(300));
    let again = QueuePlan { visibility_timeout, redelivery_delay: Span::millis(20), ..queue(0) };
    let often = QueuePlan { max_deliveries: Some(4), dead_letter, ..again.clone() };
    let millisecond = Distribution::exponential(3e6).expect("a length");
    let latency = Some(Latency { law: millisecond.clone(), key: Key(seed) });
    let mut queues = vec![
        QueuePlan { ordering: Ordering::PerKey, latency, ..often.clone() },
        QueuePlan { capacity: Some(8), ..often },
        QueuePlan { at_rest: AtRest::Any, ..queue(2) },
        QueuePlan {
            durability: Durability::Transient,
            ordering: Ordering::None,
            max_length: Some(2),
            max_deliveries: Some(4),
            overflow: Overflow::DropOldest,
            ..again
        },
    ];
    for (n, rules) in (0..).zip(&mut queues) {
        (rules.of, rules.cells, rules.series) = (n, queue(n).cells, queue(n).series);
    }
    let mut plan = plan(queues);
    plan.mutant = mutant;
    plan.heartbeat = Span::millis(500);
    for (consumer, nodes) in plan.consumers.iter_mut().zip([vec![2, 3], vec![4], vec![], vec![5]]) {
        consumer.nodes = nodes.into_iter().map(NodeId).collect();
    }
    let bindings = [KEYS, LINE, LOSSY].map(|queue| Binding { key: "", to: Destination::Queue(queue) }).to_vec();
    plan.exchanges =
        resolve(&[Exchange { kind: ExchangeKind::Fanout, broker: BROKER, unroutable: None, bindings }], &[]);
    let mut chance = Key(seed).draw(9, 9, 9);
    let orders = (1..=LETTERS).map(|id| {
        let at = Time(chance.bits() % 1_500_000_000);
        Order { at, to: Destination::Exchange(0), letter: keyed(id, chance.bits() % 5) }
    });
    let orders: Vec<Order<u64>> = orders.collect();
    let work = |consumer| {
        let work = Latency { law: Distribution::exponential(15e6).expect("a length"), key: Key(seed) };
        Cast::Worker(Job { consumer, work, settles })
    };
    let publisher = Cast::Publisher { orders, patience: Span::millis(150) };
    Play { plan, cast: vec![Cast::Broker, publisher, work(KEYS), work(KEYS), work(LINE), work(LOSSY)] }
}

/// Runs a world to its end; the promises that were broken.
fn run(mutant: Option<Mutant>, seed: u64) -> (World, BTreeSet<&'static str>) {
    let mut world = World::new(play(mutant, seed), CLIMATE, seed);
    world.run();
    let mut broken = world.broken.clone();
    if world.unfinished() > 0 {
        broken.insert("everything_ends");
    }
    let Role::Broker(broker) = world.process(0) else { panic!("node 0 is the broker") };
    let dead: BTreeSet<(u32, u64)> =
        broker.held(DEAD).map(|held| (held.letter.from_queue.expect("it died somewhere"), held.letter.id)).collect();
    for (id, verdict) in world.verdicts() {
        let ended = |queue| dead.contains(&(queue, id)) || world.worked.contains(&(queue, id));
        if verdict == Verdict::Stored && !(ended(KEYS) && ended(LINE)) {
            broken.insert("no_loss");
        }
        if id.is_multiple_of(POISON) && world.worked.contains(&(KEYS, id)) {
            broken.insert("poison_is_never_done");
        }
    }
    (world, broken)
}

#[test]
fn in_a_hostile_world_nothing_confirmed_is_lost_and_keys_keep_their_order() {
    let (mut confirmed, mut crashes, mut seen) = (0, 0, [0; 7]);
    for seed in 0..1000 {
        let (world, broken) = run(None, seed);
        assert_eq!(broken, BTreeSet::new(), "seed {seed}");
        confirmed += world.verdicts().len();
        crashes += world.crashes;
        let Role::Broker(broker) = world.process(0) else { panic!("node 0 is the broker") };
        let figures = [
            (KEYS, Figure::DeadLettered),
            (KEYS, Figure::Redelivered),
            (KEYS, Figure::StaleAcks),
            (LINE, Figure::DeadLettered),
            (LOSSY, Figure::Dropped),
            (LOSSY, Figure::Acknowledged),
            (DEAD, Figure::Ready),
        ];
        for (seen, (queue, figure)) in seen.iter_mut().zip(figures) {
            *seen += broker.figure(queue, figure);
        }
    }
    assert!(confirmed > 50_000 && crashes > 2_000, "a quiet world shows nothing: {confirmed}, {crashes}");
    assert!(seen.iter().all(|figure| *figure > 500), "everything happens: {seen:?}");
}

#[test]
fn every_mutant_of_the_broker_breaks_the_promise_it_is_named_with() {
    let mut quiet = Vec::new();
    for (mutant, name, promise) in Mutant::ALL {
        if !(0..300).any(|seed| run(Some(mutant), seed).1.contains(promise)) {
            quiet.push(name);
        }
    }
    assert!(quiet.is_empty(), "not caught: {quiet:?}");
}
