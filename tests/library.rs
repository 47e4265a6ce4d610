//! The library: promises written in Rust are judged like those of a file, and what fails is told whole.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use stormglass::{Check, Judged, Word};

/// Accounts between which money is sent by two writes: a crash between them loses it.
const CARELESS: &str = r#"
version = 1
run = { duration = "10s", quiesce = "10s", seed = 1 }
network.latency = "1ms"

[services.bank]
nodes = 1
state = { from = { kind = "counter", initial = 1000, keys = 10 }, to = { kind = "counter", keys = 10 } }
ops.send = [
  { update = "from[$account]", add = -1 },
  { work = "5ms" },
  { update = "to[$account]", add = 1 },
]

[workloads.people]
rate = "20/s"
target = "bank.send"
vars = { account = "int(0, 9)" }
client.timeout = "1s"

[faults.dies]
kind = "crash"
target = "bank"
rate = "0.2/s"
for = "1s"
"#;

fn bank() -> Check {
    let out = std::env::temp_dir().join(format!("stormglass-library-{}", std::process::id()));
    stormglass::text("careless", CARELESS).out(out)
}

fn panics(what: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(what)).expect_err("it panics");
    payload.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_promise_in_rust_is_broken_where_one_of_the_file_is_and_the_story_is_small() {
    let money = |state: &stormglass::View<'_>| {
        let all = state.sum("bank.from") + state.sum("bank.to");
        if all == 10_000 { Ok(()) } else { Err(format!("there is {all}, and was 10000")) }
    };
    let in_the_file =
        CARELESS.to_owned() + "[invariants]\nmoney = { at_rest = \"sum(bank.from) + sum(bank.to) == 10000\" }\n";
    let both = stormglass::text("careless", in_the_file).at_rest("money in Rust", money).seeds(0..20).run();
    let seeds = |promise| both.seeds_that_break(promise).collect::<Vec<_>>();
    assert!(!seeds("money").is_empty(), "{}", both.summary());
    assert_eq!(seeds("money"), seeds("money in Rust"));

    let text = panics(|| bank().at_rest("money in Rust", money).seeds(0..20).assert_passes());
    let said = [
        "careless: ",
        "broken: money in Rust",
        "and was 10000",
        "faults 3 → 1",
        "nothing that is left can go",
        ".seed(",
    ];
    for part in said {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    let file = text.lines().find_map(|line| line.strip_prefix("file:")).expect("a file was written").trim();
    let small = std::fs::read_to_string(file).unwrap();
    // The file is a scenario: with the same code it shows the same.
    assert!(stormglass::text("min", small).at_rest("money in Rust", money).run().any_broke("money in Rust"));
    std::fs::remove_dir_all(std::path::Path::new(file).ancestors().nth(4).unwrap()).unwrap();
}

#[test]
fn code_sees_every_change_and_the_state_before_the_run() {
    let runs = bank()
        .invariant("never more than a unit under way", |state| {
            (0..10).all(|key| state.number("bank.from", key) + state.number("bank.to", key) >= 990)
        })
        .invariant("broken from the start", |state| state.sum("bank.from") < 10_000)
        .invariant("undecided", |_| Judged::Unknown("nobody knows".to_owned()))
        .seed(0)
        .run();
    assert!(!runs.any_broke("never more than a unit under way"));
    assert!(runs.any_broke("broken from the start"));
    assert!(runs.summary().contains("undecided") || !runs.passed());
    let outcome = bank().invariant("broken from the start", |state| state.sum("bank.from") < 10_000).seed(0).outcome();
    assert_eq!(outcome.invariants[0].first.map(|(time, event)| (time.0, event)), Some((0, 0)));
}

#[test]
fn operations_are_judged_as_clients_saw_them_and_code_changes_nothing() {
    let plain = bank().seeds(0..3).run();
    let judged = bank()
        .operations("accounts are numbered 0 to 9", |history| {
            let account = |(name, word): &(String, Word)| name == "account" && matches!(word, Word::Number(0..=9));
            history.len() > 100 && history.iter().all(|line| line.value.iter().any(account))
        })
        .operations("nobody is told of a failure", |history| {
            history.iter().all(|line| ["invoke", "ok"].contains(&line.kind))
        })
        .seeds(0..3)
        .run();
    assert!(!judged.any_broke("accounts are numbered 0 to 9"));
    assert!(judged.any_broke("nobody is told of a failure"), "{}", judged.summary());
    assert_eq!(plain.fingerprints(), judged.fingerprints());
    assert_eq!(judged.fingerprints(), bank().seeds(0..3).jobs(1).run().fingerprints());
}

#[test]
fn mistakes_are_told_whole() {
    let text = panics(|| _ = stormglass::text("bad", "version = 1\nrun.duration = \"60\"\nservces.x = {}\n").run());
    assert!(text.contains("bad:2:17") && text.contains("a unit is missing") && text.contains("servces"), "{text}");
    let text = panics(|| _ = stormglass::scenario("scenarios/nowhere.toml").run());
    assert!(text.contains("cannot read scenarios/nowhere.toml"), "{text}");
    let runs = bank().invariant("asks for nothing", |state| state.sum("bank.form") == 0).seed(0).run();
    assert!(runs.summary().contains("no counter or view `bank.form`; `bank.from`?"), "{}", runs.summary());
}

#[test]
fn a_nightly_job_asks_for_more_seeds() {
    let inner = std::env::var("STORMGLASS_SEEDS").is_ok();
    if inner {
        assert_eq!(bank().seeds(0..1).run().len(), 7);
        return;
    }
    let again = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_nightly_job_asks_for_more_seeds"])
        .env("STORMGLASS_SEEDS", "3..10")
        .output()
        .unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stdout));
    assert_eq!(bank().seeds(0..1).run().len(), 1);
}

#[test]
fn a_seed_that_failed_is_kept_beside_the_file_and_tried_first() {
    let folder = std::env::temp_dir().join(format!("stormglass-remembers-{}", std::process::id()));
    let file = folder.join("scenarios/shop/careless.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let money = "[invariants]\nmoney = { at_rest = \"sum(bank.from) + sum(bank.to) == 10000\" }\n";
    std::fs::write(&file, CARELESS.to_owned() + money).unwrap();
    let check = || stormglass::scenario(&file).out(folder.join("out")).shrink_budget(0);
    let text = panics(|| check().seeds(0..20).assert_passes());
    assert!(text.contains("stormglass run") && text.contains("--seed 5"), "{text}");
    let kept = std::fs::read_to_string(folder.join("scenarios/regressions/careless.seeds")).unwrap();
    assert!(kept.contains("\n--seed 5  # "), "{kept}");
    // It is tried though nobody asks for it; and with other values set it is not the same run.
    assert_eq!(check().seeds(0..2).run().fingerprints().iter().map(|(seed, _)| *seed).collect::<Vec<_>>(), [5, 0, 1]);
    assert_eq!(check().seeds(0..2).set("run.quiesce", "9s").run().len(), 2);
    assert!(panics(|| check().seeds(0..2).assert_passes()).contains("seed 5 (1 seed run)"));
    std::fs::remove_dir_all(folder).unwrap();
}
