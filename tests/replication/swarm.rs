//! Worlds drawn from seeds: the honest store keeps its promises in all of them, each mistake breaks one in some.

use std::collections::BTreeSet;

use cluster::Transport;
use systems::replication::leader_follower::{Acks, Choice, LeaseClock, Mutant, Reads};

use crate::judge::Judge;
use crate::world::{HEAL, Wanted, World, finish, lease, run};

/// A mutant is caught within so many seeds.
pub(crate) const SEEDS_MAX: u64 = 500;

/// Whether the whole campaign is asked for.
pub(crate) fn long() -> bool {
    std::env::var_os("STORMGLASS_LONG").is_some()
}

/// The first seed in whose world a promise does not hold.
fn first_broken(wanted: Wanted, promise: &str) -> Option<u64> {
    (0..SEEDS_MAX).find(|seed| run(*seed, wanted).broken().contains(promise))
}

#[test]
fn the_honest_store_keeps_its_promises_in_a_swarm_of_faults() {
    let seeds = if long() { 5_000 } else { 1_000 };
    let (mut told, mut elections, mut agreed, mut snapshots, mut silent) = (0, 0, 0, 0, 0);
    for seed in 0..seeds {
        let judge = run(seed, Wanted::default());
        told += judge.told;
        elections += judge.leaders().len();
        agreed += judge.agreed().len();
        snapshots += judge.snapshots;
        // A tcp connection that has lost much waits for up to 15 s before it tries again.
        let patient = World::draw(seed, Wanted::default()).hardware.links[0].transport == Transport::Tcp;
        silent += u64::from(judge.last_told < HEAL && !patient);
        assert_eq!(judge.broken(), BTreeSet::new(), "seed {seed}");
    }
    println!(
        "{seeds} seeds: {told} answers, {elections} elections, {agreed} agreed entries, {snapshots} snapshots sent"
    );
    assert!(
        told > 50 * seeds && elections as u64 > 5 * seeds && snapshots > seeds,
        "a world in which nothing happens shows nothing"
    );
    assert_eq!(silent, 0, "after the faults there are answers again");
}

#[test]
fn each_mutant_is_caught_by_the_check_named_for_it() {
    let mut quiet = Vec::new();
    println!("{:<18} {:<22} {:>10}", "mutant", "check", "first seed");
    for (mutant, name, promise) in Mutant::ALL {
        let reads = (mutant == Mutant::ReadAlone).then_some(Reads::Quorum(Choice::Nearest));
        let seed = first_broken(Wanted { mutant: Some(mutant), reads, ..Wanted::default() }, promise);
        println!("{name:<18} {promise:<22} {:>10}", seed.map_or("-".to_owned(), |seed| seed.to_string()));
        quiet.extend(seed.is_none().then_some(name));
    }
    assert!(quiet.is_empty(), "not caught within {SEEDS_MAX} seeds: {quiet:?}");
    let two_leaders = Wanted { mutant: Some(Mutant::VoteTwice), ..Wanted::default() };
    assert!(first_broken(two_leaders, "log_matching").is_some(), "this check, too, can fail");
}

#[test]
fn designs_that_promise_less_are_as_bad_as_documented() {
    let reads = |reads| Wanted { reads: Some(reads), ..Wanted::default() };
    let designs = [
        ("leader reads", reads(Reads::Leader), "linearizable"),
        ("reads anywhere", reads(Reads::Memory(Choice::Any)), "linearizable"),
        ("nearest reads", reads(Reads::Memory(Choice::Nearest)), "linearizable"),
        ("sticky reads", reads(Reads::Memory(Choice::Sticky)), "linearizable"),
        ("acks of the leader", Wanted { acks: Some(Acks::Leader), ..Wanted::default() }, "linearizable"),
        ("unfenced", Wanted { unfenced: true, ..Wanted::default() }, "fenced"),
    ];
    for (name, wanted, promise) in designs {
        let seed = first_broken(wanted, promise);
        println!("{name:<18} {promise:<22} {seed:?}");
        assert!(seed.is_some(), "{name}");
    }
}

#[test]
fn reads_that_ask_a_majority_of_replicas_are_linearizable() {
    let reads = Some(Reads::Quorum(Choice::Nearest));
    let (mut told, seeds) = (0, if long() { 5_000 } else { 300 });
    for seed in 0..seeds {
        let judge = run(seed, Wanted { reads, ..Wanted::default() });
        told += judge.told;
        assert_eq!(judge.broken(), BTreeSet::new(), "seed {seed}");
    }
    println!("reads of a quorum, {seeds} seeds: {told} answers");
    assert!(told > 50 * seeds, "a world in which nothing is told shows nothing");
    // What is told before a majority has it can be missed.
    let early = Wanted { reads, acks: Some(Acks::Leader), ..Wanted::default() };
    assert!(first_broken(early, "linearizable").is_some());
}

#[test]
fn leases_by_a_clock_that_only_drifts_do_not_mind_jumps() {
    let wanted = Wanted { jumps: true, reads: Some(lease(LeaseClock::Monotonic)), ..Wanted::default() };
    assert_eq!(first_broken(wanted, "linearizable"), None);
}

#[test]
fn the_same_seed_is_the_same_run() {
    let fingerprint = |seed| {
        let (mut cluster, mut judge) = (World::draw(seed, Wanted::default()).begin(), Judge::default());
        finish(&mut cluster, &mut judge, HEAL);
        cluster.fingerprint()
    };
    for seed in 0..20 {
        assert_eq!(fingerprint(seed), fingerprint(seed), "seed {seed}");
    }
    assert_ne!(fingerprint(0), fingerprint(1));
}
