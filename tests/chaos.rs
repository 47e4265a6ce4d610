//! `[chaos]`: schedules of faults that nobody wrote down (docs/semantics.md, rule 65).

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use lab::outcome::{FaultResult, Outcome};
use lab::repro::{repro, violated};
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Scenario, Source, load};

use common::outcome;

/// A shop, a store of five machines, and a bank that is not ours.
const TOWN: &str = r#"
version = 1
run = { duration = "6s", warmup = "1s", heal = "5s", quiesce = "4s" }

[services.shop]
nodes = 3
work = "exp(2ms)"

[services.bank]
external = true
work = "exp(2ms)"

[services.desk]
nodes = 2
ops.order = { steps = [{ call = "shop" }, { call = "bank" }] }

[stores.kv]
kind = "leader_follower"
nodes = 5

[workloads.people]
rate = "20/s"
target = "desk.order"

[workloads.readers]
users = 2
think = "exp(50ms)"
client = { timeout = "400ms" }
mix = [{ weight = 1, read = "kv[1]" }, { weight = 1, write = "kv[1]", value = "$unique" }]

[invariants]
linearizable = { check = "linearizable", of = "kv", model = "register" }
"#;

fn town(sets: &[(&str, &str)]) -> Scenario {
    let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    load(&Source::new("town.toml", TOWN), &Choice { sets, ..Choice::default() })
        .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)))
}

/// What was drawn, as it stands in the ledger.
fn drawn(outcome: &Outcome) -> Vec<&FaultResult> {
    outcome.faults.iter().filter(|fault| fault.name.starts_with("chaos_")).collect()
}

/// Name, instance, beginning, target: what a schedule says of an instance.
fn said(fault: &FaultResult) -> (String, u32, u64, String) {
    (fault.name.clone(), fault.instance, fault.from.0, fault.target.clone())
}

#[test]
fn chaos_keeps_to_its_phase_to_its_budgets_and_to_what_is_ours() {
    let (mut reasons, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for profile in ["gentle", "realistic", "harsh", "swarm"] {
        let scenario = town(&[("chaos.profile", profile)]);
        for seed in 0..12 {
            let outcome = outcome(&scenario, seed);
            let all = drawn(&outcome);
            assert!(profile == "swarm" || !all.is_empty(), "{profile}, seed {seed}: nothing was drawn");
            for fault in &all {
                let at = fault.from.seconds();
                assert!((1.0..5.0).contains(&at), "{profile}, seed {seed}: {fault:?} begins outside of its phase");
                assert!(fault.to.is_none_or(|to| to.seconds() <= 5.0), "{fault:?} outlives the healing");
                let hit: Vec<&str> = fault.target.split(", ").collect();
                assert!(!hit.contains(&"bank"), "{fault:?} hits what is not ours");
                reasons.insert(fault.state.clone());
                kinds.insert(fault.kind.clone());
            }
            let began: Vec<&&FaultResult> = all.iter().filter(|one| !one.state.starts_with("skipped")).collect();
            for one in &began {
                let during = |other: &&&&FaultResult| {
                    other.kind != "clock_jump" && other.from <= one.from && other.to.is_some_and(|to| to > one.from)
                };
                let together: Vec<_> = began.iter().filter(during).collect();
                assert!(together.len() <= 2, "{profile}, seed {seed}: {together:?}");
                let down =
                    together.iter().filter(|other| ["crash", "pause", "partition"].contains(&other.kind.as_str()));
                let machines: BTreeSet<&str> =
                    down.flat_map(|other| other.target.split(", ")).filter(|name| name.starts_with("kv[")).collect();
                assert!(machines.len() <= 2, "{profile}, seed {seed}: of five machines {machines:?} are gone");
            }
        }
    }
    for wanted in ["effective", "skipped: max_concurrent", "skipped: keep_quorum"] {
        assert!(reasons.contains(wanted), "`{wanted}` is missing in {reasons:?}");
    }
    let all = ["clock_jump", "crash", "duplicate", "loss", "partition", "pause", "slow_cpu"];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

#[test]
fn a_swarm_takes_each_family_in_or_out_and_leaving_one_out_moves_no_other() {
    let short = [("chaos.profile", "swarm"), ("chaos.max_concurrent", "1000"), ("chaos.keep_quorum", "[]")];
    let scenario = town(&short);
    let alone = town(&[&short[..], &[("chaos.families", "[\"crash\", \"loss\"]")]].concat());
    let seeds = 60;
    let mut with: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..seeds {
        let (every, two) = (outcome(&scenario, seed), outcome(&alone, seed));
        let names: BTreeSet<&str> = drawn(&every).iter().map(|fault| fault.name.as_str()).collect();
        for name in names {
            *with.entry(name.to_owned()).or_default() += 1;
        }
        let of = |outcome: &Outcome, name: &str| -> Vec<_> {
            drawn(outcome).into_iter().filter(|fault| fault.name == name).map(said).collect()
        };
        for name in ["chaos_crash", "chaos_loss"] {
            assert_eq!(of(&every, name), of(&two, name), "seed {seed}");
        }
        assert_eq!(drawn(&two).len(), of(&two, "chaos_crash").len() + of(&two, "chaos_loss").len());
    }
    assert_eq!(with.len(), 7, "{with:?}");
    // A family that is in has an instance unless its count is small: of 60 seeds 30 ± 4 √15 have it in, less a sixth.
    for (name, count) in with {
        assert!((10..=46).contains(&count), "{name} on {count} of {seeds} seeds");
    }
}

/// A store whose leader answers without making sure that it still leads, and none of the faults of the file.
fn careless(sets: &[(&str, &str)]) -> (Source, Choice) {
    let path = format!("{}/scenarios/kv/failover.toml", env!("CARGO_MANIFEST_DIR"));
    let source =
        Source::new("failover.toml", std::fs::read_to_string(path).expect("the scenario is in the repository"));
    let faults = ["leader_cut_off", "second_leader_pauses", "clock_jump"];
    let off = faults.iter().map(|fault| (format!("faults.{fault}"), "none".to_owned()));
    let changes = [("stores.kv.reads", "leader"), ("run.duration", "10s"), ("thresholds", "{}")];
    let changes = changes.map(|(path, value)| (path.to_owned(), value.to_owned()));
    let more = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned()));
    let sets = off.chain(changes).chain(more).collect();
    (source, Choice { sets, ..Choice::default() })
}

fn failing(sets: &[(&str, &str)], seeds: u64) -> Vec<(u64, Vec<String>, u64)> {
    let (source, choice) = careless(sets);
    let scenario = load(&source, &choice).unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
    let broken = |seed| {
        let outcome = run(&scenario, seed, None, &Options::lean(), &mut |_| Go::On).expect("it loaded");
        (seed, violated(&outcome), outcome.events)
    };
    (0..seeds).map(broken).filter(|(_, classes, _)| !classes.is_empty()).collect()
}

#[test]
fn a_swarm_finds_what_no_run_without_faults_shows_and_it_is_written_down_without_chance() {
    assert_eq!(failing(&[], 12), [], "nothing goes wrong, so the mistake does not show");
    let swarm = [("chaos.profile", "swarm")];
    let found = failing(&swarm, 12);
    let (seed, classes, events) = found.first().expect("a leader that was cut off answers");
    assert!(classes.contains(&"linearizable/linearizable".to_owned()), "{classes:?}");
    let (source, choice) = careless(&swarm);
    let written = repro(&source, &Choice { seed: Some(*seed), ..choice }, *events, &AtomicBool::new(false));
    let written = written.expect("it broke a promise");
    assert!(written.same && written.violates == *classes, "{:?}", written.violates);
    assert!(
        written.text.contains("[faults.chaos_") && !written.text.contains("swarm\"\n\n[faults"),
        "{}",
        written.text
    );
    let again = load(&Source::new("repro.toml", written.text), &Choice::default());
    let again = again.unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
    assert_eq!(again.model.chaos.profile, lab::model::ChaosProfile::None);
    assert_eq!(violated(&outcome(&again, *seed)), *classes);
}

#[test]
fn chaos_that_names_what_is_not_there_or_not_ours_is_refused() {
    let refused = |sets: &[(&str, &str)]| {
        let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
        let errors = load(&Source::new("town.toml", TOWN), &Choice { sets, ..Choice::default() });
        errors.expect_err("it is wrong").render(Colour::Plain)
    };
    let swarm = ("chaos.profile", "swarm");
    assert!(refused(&[swarm, ("chaos.targets", "[\"bank\"]")]).contains("`bank` is external: chaos leaves it alone"));
    assert!(refused(&[swarm, ("chaos.targets", "[\"shopp\"]")]).contains("did you mean `shop`?"));
    assert!(refused(&[swarm, ("chaos.keep_quorum", "[\"shop\"]")]).contains("there is no store `shop`"));
    assert!(refused(&[swarm, ("chaos.families", "[\"crahs\"]")]).contains("crash"));
}
