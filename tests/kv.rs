//! Replicated stores in whole scenarios: what each of them says, and the mistakes that its checks must catch.

mod common;

use common::{broken, first_broken, outcome, scenario, tell_mistake, wrong};
use lab::outcome::Status;
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Scenario, Source, load};

/// A store of three machines and four users in three seconds.
const SMALL: &str = r#"
version = 1
[run]
duration = "3s"
heal     = "2500ms"
quiesce  = "3s"
[network]
latency   = "exp(2ms)"
loss      = "2%"
duplicate = "20%"
transport = "udp"
[stores.kv]
kind           = "leader_follower"
nodes          = 3
snapshot_every = 5
disk           = { fsync = "exp(1ms)" }
[workloads.people]
users  = 4
think  = "exp(10ms)"
vars   = { key = "int(0, 2)" }
client = { timeout = "400ms" }
mix    = [
  { weight = 2, read = "kv[$key]" },
  { weight = 2, write = "kv[$key]", value = "$unique" },
  { weight = 1, cas = "kv[$key]", expected = "$last_read", value = "$unique" },
]
[faults.crash]
kind   = "crash"
target = "kv[any]"
rate   = "1.5/s"
for    = "uniform(50ms, 500ms)"
[invariants]
linearizable        = { check = "linearizable", of = "kv", model = "cas_register" }
no_acked_write_lost = { check = "durable_acks", of = "kv" }
one_leader_per_term = { check = "one_leader_per_term", of = "kv" }
"#;

fn small(changes: &[(&str, &str)]) -> Scenario {
    let sets = changes.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    let choice = Choice { sets, ..Choice::default() };
    load(&Source::new("small", SMALL), &choice).unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)))
}

#[test]
fn what_a_client_asks_twice_happens_once() {
    // Messages are lost and handed over twice, machines die, and requests are sent again: nothing is seen to happen twice.
    for seed in 0..8 {
        let seen = outcome(&small(&[]), seed);
        assert_eq!(wrong(&seen, seed), Vec::<String>::new());
        let asked: u64 = seen.operations.iter().map(|operation| operation.ok).sum();
        assert!(asked > 150, "seed {seed}: {asked} operations ended well");
    }
    // Who forgets with a snapshot what was executed does it again.
    let forgetful = small(&[("stores.kv.mutant", "apply_twice"), ("network.duplicate", "60%")]);
    assert!(first_broken(&forgetful, "linearizable", 60).is_some(), "a request that is executed again is seen");
}

#[test]
fn clients_find_the_leader_and_go_on_after_a_failover() {
    let calm = [("network.loss", "0%"), ("network.duplicate", "0%"), ("faults.crash", "none")];
    let seen = outcome(&small(&calm), 1);
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
    let seen = outcome(&small(&dies), 1);
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
        let seen = outcome(&small(&changes), 3);
        seen.faults.iter().map(|fault| fault.target.clone()).collect::<Vec<_>>()
    };
    assert_eq!(hit("kv[leader]"), ["kv[0]"], "the first to stand for election leads");
    assert_eq!(hit("kv[followers]"), ["kv[1], kv[2]"]);
}

#[test]
fn each_mistake_of_a_store_is_caught_by_its_check() {
    let swarm = || {
        vec![
            ("faults.cut.kind", "partition"),
            ("faults.cut.split", r#"[["kv[minority]"]]"#),
            ("faults.cut.rate", "1/s"),
            ("faults.cut.for", "uniform(100ms, 700ms)"),
            ("faults.power.kind", "crash"),
            ("faults.power.target", "kv"),
            ("faults.power.rate", "0.7/s"),
            ("faults.power.for", "20ms"),
            ("faults.voter.kind", "crash"),
            ("faults.voter.target", "kv[same]"),
            ("faults.voter.point", "raft.after_vote_sent"),
            ("faults.voter.nth", "int(1, 4)"),
            ("faults.voter.for", "5ms"),
        ]
    };
    // Elections close to each other, and disks that take their time, show sooner what is wrong with them.
    let close = [("network.latency", "exp(20ms)"), ("stores.kv.election_timeout", "uniform(150ms, 180ms)")];
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
        let mut changes = swarm();
        changes.extend(more);
        changes.push(("stores.kv.mutant", mutant));
        let found = first_broken(&small(&changes), promise, 500);
        if !tell_mistake(mutant, promise, found.as_ref()) {
            escaped.push(mutant);
        }
    }
    assert_eq!(escaped, Vec::<&str>::new(), "each is caught within 500 seeds");
    // The honest one holds under the same faults.
    for seed in 0..20 {
        assert_eq!(broken(&small(&swarm()), seed), Vec::<String>::new(), "seed {seed}");
    }
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
