//! Variables of requests that are no numbers, and those that are built in.

use lab::outcome::{Outcome, Status, Word};
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Scenario, Source, load};

/// A hundred orders, one every millisecond; each writes its own row of every item.
const SHOP: &str = r#"
version = 1
run     = { duration = "1s", quiesce = "1s" }

[services.shop]
workers = "unlimited"
clock   = { offset = "5s" }
disk    = "100us"
state.tickets = { kind = "counter", keys = 100 }
state.others  = { kind = "counter", keys = 100 }
state.ids     = { kind = "counter", keys = 100 }
state.times   = { kind = "counter", keys = 100 }
state.clients = { kind = "counter", keys = 100 }

[transactions.order]
protocol    = "2pc"
coordinator = "shop"
work = [
  { update = "shop.tickets[$n]", set = "= $unique" },
  { update = "shop.others[$n]", set = "= $unique" },
  { update = "shop.ids[$n]", set = "= $id * $attempt" },
  { update = "shop.times[$n]", set = "= $now / 1ms" },
  { update = "shop.clients[$n]", set = "= $client", if = "$tier != 'banned' && !$declined", else = "no" },
]

[workloads.orders]
users  = 4
think  = "exp(1ms)"
target = "transactions.order"
vars   = { n = "sequence()", tier = "choice('gold': 1, 'plain': 3)", declined = false }

[invariants]
fresh     = { finally = "distinct(shop.tickets) == 100 && distinct(shop.others) == 100" }
fresher   = { finally = "all(shop.tickets, value != shop.others[key])" }
own       = { finally = "distinct(shop.ids) == 100" }
late      = { finally = "all(shop.times, value >= 5000 && value < 6000)" }
four      = { finally = "distinct(shop.clients) == 4 && max(shop.clients) == 3" }
"#;

fn try_read(sets: &[(&str, &str)]) -> Result<Scenario, String> {
    let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    let choice = Choice { sets, ..Choice::default() };
    load(&Source::new("shop.toml", SHOP), &choice).map_err(|errors| errors.render(Colour::Plain))
}

fn read(sets: &[(&str, &str)]) -> Scenario {
    try_read(sets).unwrap_or_else(|errors| panic!("{errors}"))
}

fn outcome(sets: &[(&str, &str)]) -> Outcome {
    let scenario = read(sets);
    run(&scenario, 7, None, &Options::full(), &mut |_| Go::On)
        .unwrap_or_else(|errors| panic!("{}", scenario.diagnostics(errors).render(Colour::Plain)))
}

fn broken(outcome: &Outcome) -> Vec<&str> {
    let failed = outcome.invariants.iter().filter(|i| i.status != Status::Holds);
    failed.map(|i| i.name.as_str()).collect()
}

#[test]
fn built_in_variables_are_what_they_say() {
    let all = outcome(&[]);
    assert_eq!(broken(&all), Vec::<&str>::new(), "{:?}", all.invariants);
    let reader = &all.transactions[0];
    assert!(reader.committed >= 100 && reader.aborted > 0, "rows beyond 99 do not exist: {reader:?}");
    // Each promise is seen to fail when the variable is another one.
    for (path, value, name) in [
        ("transactions.order.work[0].set", "= $id / 2", "fresh"),
        ("transactions.order.work[1].set", "= $id * 100", "fresher"),
        ("transactions.order.work[2].set", "= $client", "own"),
        ("services.shop.clock.offset", "4s", "late"),
        ("workloads.orders.users", "5", "four"),
    ] {
        let found = outcome(&[(path, value)]);
        assert!(broken(&found).contains(&name), "{path} = {value}: {:?}", broken(&found));
    }
}

#[test]
fn texts_and_truth_decide_and_stand_in_the_history() {
    let refused = outcome(&[("workloads.orders.vars.tier", "choice('banned': 1, 'plain': 3)")]);
    let none = outcome(&[("workloads.orders.vars.declined", "chance(100%)")]);
    assert_eq!(none.transactions[0].committed, 0, "all are declined");
    let tier = |line: &lab::outcome::HistoryLine| line.value.iter().find(|(name, _)| name == "tier").cloned();
    let mut banned = 0;
    for line in refused.history.iter().filter(|line| line.kind != "invoke") {
        let (_, Word::Text(tier)) = tier(line).expect("it is set") else { panic!("{line:?} has no text") };
        banned += usize::from(tier == "banned");
        assert!(tier == "plain" || line.kind != "ok", "{line:?}: who is banned is refused");
    }
    assert!(banned > 10, "{banned} banned show little");
}

#[test]
fn an_offset_changes_what_reads_the_clock_and_is_told_when_nothing_does() {
    let fingerprint = |sets: &[(&str, &str)]| outcome(sets).fingerprint;
    assert_ne!(fingerprint(&[]), fingerprint(&[("services.shop.clock.offset", "uniform(-1s, 1s)")]));
    let unread = ("transactions.order.work[3].set", "= $n");
    let warned = |sets: &[(&str, &str)]| read(sets).warnings.render(Colour::Plain).contains("nothing reads this clock");
    assert!(warned(&[unread]) && !warned(&[]) && !warned(&[unread, ("services.shop.clock.offset", "none")]));
    let listed = |scenario: &Scenario| {
        let leaf = scenario.leaves().iter().find(|leaf| leaf.path == "services.shop.clock.offset").cloned();
        leaf.expect("it is in the file").judging.is_some()
    };
    assert!(listed(&read(&[unread])) && !listed(&read(&[])), "what changes nothing is on the list");
    assert_eq!(fingerprint(&[unread]), fingerprint(&[unread, ("services.shop.clock.offset", "9s")]));
}

#[test]
fn expressions_know_the_types_of_variables() {
    for (value, told) in [
        ("$tier == 1", "`==` cannot be applied to text and a number"),
        ("$declined", ""),
        ("$now == 5", "`==` cannot be applied to a duration and a number"),
        ("$unique > 0 && $client >= 0 && $attempt == 1 && $tier in ['gold'] && $now < 5h", ""),
    ] {
        match try_read(&[("transactions.order.work[4].if", value)]) {
            Ok(_) => assert!(told.is_empty(), "{value} was accepted"),
            Err(shown) => assert!(!told.is_empty() && shown.contains(told), "{value}: {shown}"),
        }
    }
}
