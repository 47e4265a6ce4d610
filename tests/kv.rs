//! Replicated stores in whole scenarios: what each of them says, and the mistakes that its checks must catch.

#![allow(clippy::print_stdout, reason = "the table of mistakes is for whoever runs it with --nocapture")]

mod common;

use common::{broken, first_broken, outcome, scenario, tell_mistake, wrong};
use lab::outcome::Status;
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Scenario, Source, load};

/// The swarm with these changes.
fn swarm(changes: &[(&str, &str)]) -> Scenario {
    scenario("kv/swarm", None, changes, &[])
}

/// The same with no other faults than those that follow.
fn calm<'a>(changes: &[(&'a str, &'a str)]) -> Scenario {
    let none = ["crash", "power", "voter", "cut", "pause", "noise", "clock"];
    let none: Vec<String> = none.iter().map(|fault| format!("faults.{fault}")).collect();
    let off = none.iter().map(|fault| (fault.as_str(), "none"));
    let kept = |(path, _): &(&str, &str)| !changes.iter().any(|(change, _)| change.starts_with(path));
    let all: Vec<(&str, &str)> = off.filter(kept).chain(changes.iter().copied()).collect();
    swarm(&all)
}

#[test]
fn what_a_client_asks_twice_happens_once() {
    // Messages are lost and handed over twice, machines die, and requests are sent again: nothing is seen to happen twice.
    for seed in 0..8 {
        let seen = outcome(&swarm(&[]), seed);
        assert_eq!(wrong(&seen, seed), Vec::<String>::new());
        let asked: u64 = seen.operations.iter().map(|operation| operation.ok).sum();
        assert!(asked > 150, "seed {seed}: {asked} operations ended well");
    }
}

#[test]
fn clients_find_the_leader_and_go_on_after_a_failover() {
    let quiet = [("network.loss", "0%"), ("network.duplicate", "0%")];
    let seen = outcome(&calm(&quiet), 1);
    let failed: u64 = seen.operations.iter().map(|operation| operation.failed + operation.unknown).sum();
    assert_eq!(failed, 0, "who asks the wrong machine is told whom to ask");
    let dies = [
        ("network.loss", "0%"),
        ("network.duplicate", "0%"),
        ("faults.crash.rate", "none"),
        ("faults.crash.at", "1s"),
        ("faults.crash.for", "1s"),
        ("faults.crash.target", "kv[leader]"),
        ("thresholds.gap", "max(unavailable{store=kv, workload=people}) < 900ms"),
        ("thresholds.gone_on", "rate(latency{op=kv.write, phase=crash, outcome=ok}) > 5/s"),
        ("thresholds.elected", "count(elections{store=kv}) >= 1"),
    ];
    let seen = outcome(&calm(&dies), 1);
    assert_eq!(wrong(&seen, 1), Vec::<String>::new());
    for threshold in &seen.thresholds {
        assert_eq!(threshold.status, Status::Holds, "{} {threshold:?}", threshold.name);
    }
}

#[test]
fn a_fault_finds_the_leader_and_the_followers() {
    let hit = |target: &str| {
        let changes = [
            ("faults.crash.rate", "none"),
            ("faults.crash.at", "1s"),
            ("faults.crash.for", "200ms"),
            ("faults.crash.target", target),
        ];
        let seen = outcome(&calm(&changes), 3);
        seen.faults.iter().map(|fault| fault.target.clone()).collect::<Vec<_>>()
    };
    assert_eq!(hit("kv[leader]"), ["kv[0]"], "the first to stand for election leads");
    assert_eq!(hit("kv[followers]"), ["kv[1], kv[2]"]);
}

#[test]
fn each_mistake_of_a_store_is_caught_by_its_check() {
    // Elections close to each other, machines that die right after they voted, and disks that take their time show sooner
    // what is wrong with them.
    let close = [
        ("network.latency", "exp(20ms)"),
        ("stores.kv.election_timeout", "uniform(150ms, 180ms)"),
        ("faults.power.rate", "3/s"),
        ("faults.crash.rate", "none"),
        ("faults.crash.point", "raft.after_vote_sent"),
        ("faults.crash.nth", "int(1, 8)"),
        ("faults.crash.for", "5ms"),
        ("faults.crash.target", "kv[same]"),
    ];
    let slow = [("stores.kv.disk.fsync", "exp(30ms)"), ("workloads.people.vars.key", "sequence()")];
    let mistakes = [
        ("vote_twice", "one_leader_per_term", &[][..]),
        ("forget_vote", "one_leader_per_term", &close),
        ("ack_before_fsync", "no_acked_write_lost", &slow),
        ("apply_twice", "linearizable", &[]),
        ("stale_leader", "linearizable", &[]),
    ];
    println!("{:<44} {:<20} {:>10}   also broken", "mistake", "promise", "first seed");
    let mut escaped = Vec::new();
    for (mutant, promise, more) in mistakes {
        let changes = [more, &[("stores.kv.mutant", mutant)]].concat();
        let found = first_broken(&swarm(&changes), promise, 500);
        if !tell_mistake(mutant, promise, found.as_ref()) {
            escaped.push(mutant);
        }
    }
    assert_eq!(escaped, Vec::<&str>::new(), "each is caught within 500 seeds");
}

#[test]
fn a_service_asks_a_store_and_goes_on_with_what_it_read() {
    const SHOP: &str = r#"
version = 1
[run]
duration = "5s"
quiesce  = "2s"
[network]
latency = "1ms"
[stores.prices]
nodes = 1
disk  = { fsync = "1ms" }
[services.shop]
workers = 10
ops.show = [
  { read = "prices[$item]", into = "price" },
  { when = "$price > 0", then = [{ sleep = "1ms" }], else = [{ write = "prices[$item]", value = 7 }] },
]
[workloads.people]
rate   = "50/s"
target = "shop.show"
vars   = { item = "int(0, 9)" }
[invariants]
linearizable = { check = "linearizable", of = "prices", model = "register" }
[thresholds]
mostly_read = "count(latency{op=prices.write}) < 40"
all_read    = "count(latency{op=prices.read}) > 200"
"#;
    let scenario = load(&Source::new("shop", SHOP), &Choice::default())
        .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
    let seen = run(&scenario, 1, None, &Options::lean(), &mut |_| Go::On).expect("it is compiled");
    assert_eq!(wrong(&seen, 1), Vec::<String>::new());
    for threshold in &seen.thresholds {
        assert_eq!(threshold.status, Status::Holds, "{threshold:?}");
    }
}

#[test]
fn the_scenarios_of_stores_end_as_they_say() {
    for (name, variant, fails) in [
        ("kv/async-lost-tail", Some("semi_synchronous"), &[][..]),
        ("kv/split-brain", None, &[]),
        ("kv/split-brain", Some("two_leaders"), &["linearizable"]),
        ("kv/quorum-stale", Some("one_and_one"), &["fresh", "own_writes"]),
        ("kv/read-your-writes", Some("any_follower"), &["linearizable", "never_backwards", "own_writes"]),
        ("kv/clock-jump-lease", Some("no_lease"), &[]),
    ] {
        let mut names = broken(&scenario(name, variant, &[], &[]), 2);
        names.sort();
        assert_eq!(names, fails, "{name} {variant:?}");
    }
}
