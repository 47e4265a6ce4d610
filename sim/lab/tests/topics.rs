//! Topics in the application: an outbox fills one, two services read it, machines crash, letters are handed over twice.

use lab::outcome::{Outcome, Status};
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Source, load};

const WORLD: &str = r#"version = 1
run = { duration = "12s", quiesce = "20s" }
network = { preset = "lan" }
topics.orders = { partitions = 4 }
brokers.logs = { kind = "log", disk = { fsync = "exp(2ms)" } }

[services.shop]
nodes = 2
workers = 8
state = { orders = { kind = "map" } }
outbox = { relay = "log_tail" }
ops.place = [
  { work = "exp(2ms)" },
  { transaction = [
    { insert = "orders", set = { status = "new" } },
    { outbox = "orders", type = "placed" },
    { outbox = "orders", type = "noise" },
  ] },
]

[services.stock]
nodes = 2
workers = 4
state = { taken = { kind = "counter", keys = 1, initial = 0 }, seen = { kind = "map" } }

[services.stock.consumers.take]
from = "topics.orders"
types = ["placed"]
inbox = true
prefetch = 4
steps = [
  { work = "exp(3ms)" },
  { fail = "not_now", chance = "1%" },
  { transaction = [{ update = "taken[0]", add = 1 }, { upsert = "seen", set = { by = "take" } }] },
]

[services.mailer]
nodes = 3
state = { sent = { kind = "counter", keys = 1, initial = 0 } }

[services.mailer.consumers.mail]
from = "topics.orders"
types = ["placed"]
group = "mails"
steps = [{ work = "exp(3ms)" }, { update = "sent[0]", add = 1 }]

[workloads.people]
rate = "40/s"
target = "shop.place"

[faults.twice]
kind = "redeliver"
target = "topics.orders"
chance = "5%"
at = "1s"
for = "8s"

[faults.broker_dies]
kind = "crash"
target = "logs"
every = "4s"
for = "500ms"

[faults.reader_dies]
kind = "crash"
target = "stock[any]"
every = "3s"
for = "1s"

[invariants]
taken_once = { always = "stock.taken == count(stock.seen)" }
no_loss = { at_rest = "count(stock.seen) == count(shop.orders)" }
mailed_once = { always = "mailer.sent <= count(shop.orders)" }
all_read = { at_rest = "groups.stock.lag == 0 && groups.mails.lag == 0 && topics.orders.published == 2 * count(shop.orders)" }

[thresholds]
stock_follows = "max(lag{topic=orders, group=stock}) > 0"
mails_follow = "end(lag{group=mails}) == 0"
"#;

fn outcome(seed: u64, sets: &[(&str, &str)]) -> Outcome {
    let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    let choice = Choice { variant: None, sets, seed: None };
    let scenario = load(&Source::new("topics.toml", WORLD), &choice);
    let scenario = scenario.unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
    let ran = run(&scenario, seed, None, &Options::lean(), &mut |_| Go::On);
    ran.unwrap_or_else(|errors| panic!("{}", scenario.diagnostics(errors).render(Colour::Plain)))
}

fn broken(outcome: &Outcome) -> Vec<&str> {
    let violated = outcome.invariants.iter().filter(|invariant| invariant.status == Status::Violated);
    violated.map(|invariant| invariant.name.as_str()).collect()
}

fn judged(outcome: &Outcome, name: &str) -> Status {
    outcome.invariants.iter().find(|invariant| invariant.name == name).expect("it is there").status
}

#[test]
fn an_inbox_makes_once_of_at_least_once() {
    let mut twice = 0;
    for seed in 0..12 {
        let outcome = outcome(seed, &[]);
        let broken = broken(&outcome);
        assert!(broken.is_empty() || broken == ["mailed_once"], "seed {seed}: {broken:?}");
        assert_eq!(judged(&outcome, "no_loss"), Status::Holds, "seed {seed}");
        assert_eq!(judged(&outcome, "all_read"), Status::Holds, "seed {seed}");
        assert!(outcome.thresholds.iter().all(|found| found.status == Status::Holds), "{:?}", outcome.thresholds);
        twice += broken.len();
    }
    assert!(twice > 6, "without one letters have their effect twice: {twice} of 12");
}

#[test]
fn every_mutant_of_a_broker_of_topics_loses_letters() {
    // A reader that is down while its letters are confirmed too early needs a broker that crashes in between.
    let hostile = [
        ("faults.broker_dies.every", "700ms"),
        ("faults.broker_dies.for", "100ms"),
        ("faults.reader_dies.every", "500ms"),
        ("faults.reader_dies.for", "100ms"),
        ("brokers.logs.disk.fsync", "exp(10ms)"),
    ];
    for mutant in [None, Some("confirm_before_append"), Some("commit_when_read"), Some("begin_at_the_end")] {
        let mut sets = hostile.to_vec();
        sets.extend(mutant.map(|name| ("brokers.logs.mutant", name)));
        let lost = (0..8).filter(|seed| broken(&outcome(*seed, &sets)).contains(&"no_loss")).count();
        assert_eq!(lost > 0, mutant.is_some(), "{mutant:?}: {lost} of 8");
    }
}
