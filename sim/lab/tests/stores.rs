//! What is told of a replicated store after a run: who led when, when nobody was answered, how far followers were behind.

use kernel::Time;
use lab::outcome::{Outcome, Quantity};
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Source, load};

/// The leader crashes at 4 s for 3 s.
const WORLD: &str = r#"version = 1
run = { duration = "10s", quiesce = "5s" }
network = { preset = "lan" }

[stores.kv]
kind = "leader_follower"
nodes = 3
leader = 0
acks = "majority"

[workloads.w]
users = 4
think = "exp(20ms)"
vars = { key = "int(0, 9)" }
client = { timeout = "500ms" }
mix = [{ weight = 1, read = "kv[$key]" }, { weight = 1, write = "kv[$key]", value = "$unique" }]

[faults.down]
kind = "crash"
target = "kv[0]"
at = "4s"
for = "3s"

[thresholds]
gap = "max(unavailable{store=kv, workload=w}) < 5s"
"#;

fn outcome(options: &Options) -> Outcome {
    let source = Source::new("world.toml", WORLD);
    let scenario = load(&source, &Choice { variant: None, sets: Vec::new(), seed: None })
        .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
    run(&scenario, 1, None, options, &mut |_| Go::On)
        .unwrap_or_else(|errors| panic!("{}", scenario.diagnostics(errors).render(Colour::Plain)))
}

#[test]
fn a_leader_leads_until_it_crashes_and_another_after_it() {
    let full = outcome(&Options::full());
    let store = &full.stores[0];
    let leading = store.leading.as_ref().expect("somebody leads it");
    let crash = Time(4_000_000_000);
    assert_eq!(leading[0].machine, 0);
    let at_crash: Vec<_> = leading.iter().filter(|leading| leading.from < crash && crash <= leading.to).collect();
    assert!(at_crash.len() == 1 && at_crash[0].machine == 0 && at_crash[0].to == crash, "{leading:?}");
    let next = leading.iter().find(|leading| leading.from > crash).expect("another is elected");
    assert!(next.machine != 0 && next.term > at_crash[0].term, "{leading:?}");
    assert_eq!(store.elections(), Some(leading.len() - 1));
    assert!(leading.iter().all(|leading| leading.from < leading.to && leading.to <= full.end));
    assert!(store.leads_at(full.end).is_some_and(|(machine, _)| machine.starts_with("kv[")));
}

#[test]
fn gaps_are_those_the_threshold_measures_and_a_lean_run_tells_the_same_of_leaders() {
    let full = outcome(&Options::full());
    let gaps = &full.stores[0].gaps[0];
    let longest = gaps.spans.iter().map(|(from, to)| to.since(*from)).max().expect("the crash made a gap");
    assert_eq!((gaps.who.as_str(), gaps.count, gaps.longest), ("w", gaps.spans.len() as u64, longest));
    let Some(Quantity::Seconds(measured)) = full.thresholds[0].value else { panic!("{:?}", full.thresholds[0].value) };
    assert!((longest.0 as f64 / 1e9 - measured).abs() < 0.01 * measured, "{longest} and {measured} s");
    let lags = &full.stores[0].lags;
    assert!(lags[0].max > 50, "who is down for 3 s is behind: {}", lags[0].max);
    assert!(lags.iter().all(|lag| lag.end <= 1), "all catch up");
    let lean = outcome(&Options::lean());
    assert_eq!(lean.fingerprint, full.fingerprint, "who looks on changes nothing");
    assert_eq!(lean.stores[0].leading, full.stores[0].leading);
    assert!(lean.stores[0].lags.is_empty());
}
