//! The same scenario and seed give the same bytes: run again, in parallel, by another build, with one operation left out
//! (docs/semantics.md, rules 1, 2, 46 and 49).
//!
//! What each single event contributes to the fingerprint (two messages swapped, one bit of a payload, an fsync that is
//! missing) is shown in `sim/cluster/tests/hardware/determinism.rs`; what each key of a file does, in `leaves.rs`.
//!
//! A build that is wrong on purpose must be found out:
//! `cargo test --features planted-nondeterminism --test determinism planted`.

#![allow(clippy::print_stdout, reason = "what was found is told to whoever runs it with --nocapture")]

use lab::run::{Go, Options, twice};
use lab::scenario::{Choice, Colour, Scenario, Source, load};

fn scenario(name: &str, sets: &[(&str, &str)]) -> Scenario {
    let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    load(&source(name), &Choice { sets, ..Choice::default() })
        .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)))
}

fn source(name: &str) -> Source {
    let path = format!("{}/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Source::new(name, std::fs::read_to_string(path).expect("the scenario is in the repository"))
}

/// The bank for six seconds, with its coordinator dead for one of them.
const BANK: (&str, &[(&str, &str)]) = (
    "bank/two-phase-commit",
    &[
        ("run.duration", "6s"),
        ("faults.coordinator_dies_in_doubt.nth", "200"),
        ("faults.coordinator_dies_in_doubt.for", "1s"),
    ],
);

/// In a build with the planted mistake, `--twice` names the first event that differs, and both values of it.
#[cfg(feature = "planted-nondeterminism")]
#[test]
fn planted_nondeterminism_is_found_with_the_first_event_that_differs() {
    let (name, sets) = BANK;
    let scenario = scenario(name, sets);
    let (_, divergence) = twice(&scenario, 7, None, &Options::lean(), &mut |_| Go::On).expect("it loaded");
    let found = divergence.expect("the second world lacks an operation");
    assert!(found.event > 1_000, "both worlds agree for a hundred transfers: {found:?}");
    assert!(found.first.is_some() && found.second.is_some() && found.first != found.second, "{found:?}");
    println!("{found:#?}");
}

#[cfg(not(feature = "planted-nondeterminism"))]
mod honest {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::process::Command;
    use std::sync::atomic::AtomicBool;

    use lab::compile::Edits;
    use lab::outcome::Outcome;
    use lab::run::{History, run};
    use lab::sweep::{Request, sweep};

    use super::*;

    fn outcome(scenario: &Scenario, seed: u64, options: &Options) -> Outcome {
        run(scenario, seed, None, options, &mut |_| Go::On).expect("it loaded, so it compiles")
    }

    #[test]
    fn two_worlds_side_by_side_agree_in_every_event() {
        for (name, sets) in [BANK, ("bank/swarm", &[]), ("theory/four-stations", &[("run.duration", "11s")])] {
            let scenario = scenario(name, sets);
            for seed in 0..5 {
                let (outcome, found) =
                    twice(&scenario, seed, None, &Options::full(), &mut |_| Go::On).expect("it loaded");
                assert_eq!(found, None, "{name}, seed {seed}");
                assert!(outcome.events > 1_000, "{name}: {} events show little", outcome.events);
            }
        }
    }

    #[test]
    fn two_runs_leave_the_same_bytes_and_looking_changes_nothing() {
        let (name, sets) = BANK;
        let scenario = scenario(name, sets);
        let all = |outcome: &Outcome| {
            let mut files = reports::files(outcome);
            files.extend(reports::charts::files(outcome));
            files
        };
        let (first, second) = (outcome(&scenario, 7, &Options::full()), outcome(&scenario, 7, &Options::full()));
        let (first, second) = (all(&first), all(&second));
        assert!(first.len() > 10, "tables, texts and pictures: {}", first.len());
        for ((name, one), (_, two)) in first.iter().zip(&second) {
            assert!(one == two, "{name} differs between two runs");
        }
        let full = outcome(&scenario, 7, &Options::full());
        let lean = outcome(&scenario, 7, &Options { history: History::Never, ..Options::lean() });
        assert_eq!((full.fingerprint, full.events), (lean.fingerprint, lean.events));
        let blind = crate::scenario(
            "bank/two-phase-commit",
            &[sets, &[("invariants", "none"), ("thresholds", "none"), ("expect", "none")]].concat(),
        );
        assert_eq!(outcome(&blind, 7, &Options::lean()).fingerprint, full.fingerprint, "promises only listen");
    }

    /// Everything a sweep says of its seeds. In a world where every third seed or so fails.
    fn swept(jobs: usize, fail_fast: bool) -> String {
        let sets = [("services.coordinator.mutant", "ack_before_fsync"), ("run.duration", "1s")];
        let sets = sets.map(|(path, value)| (path.to_owned(), value.to_owned())).to_vec();
        let variants = Some("presumed_nothing".to_owned());
        let request = Request { sets, seeds: Some((0, 40)), variants, jobs, fail_fast, ..Request::default() };
        let swept = sweep(&source("bank/swarm"), &request, &AtomicBool::new(false), &|_| ())
            .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
        format!("{} {:#?} {:#?}", swept.exit, swept.results, swept.verdicts)
    }

    #[test]
    fn a_sweep_is_the_same_with_one_two_and_seven_jobs() {
        let (one, fast) = (swept(1, false), swept(1, true));
        assert!(one.contains("Violated") && fast.len() < one.len(), "the first failing seed ends it");
        for jobs in [2, 7] {
            assert!(one == swept(jobs, false), "{jobs} jobs");
            assert!(fast == swept(jobs, true), "{jobs} jobs, until the first failure");
        }
    }

    /// By number of the operation, what happened to it: when, how, and with which variables.
    type Operations = BTreeMap<u64, Vec<(u64, &'static str, Vec<lab::outcome::Word>)>>;

    fn operations(scenario: &Scenario, dropped: Vec<(String, u64)>) -> Operations {
        let options = Options { edits: Edits { dropped }, ..Options::full() };
        let mut found = Operations::new();
        for line in outcome(scenario, 3, &options).history {
            let values = line.value.iter().map(|(_, value)| value.clone()).collect();
            found.entry(line.operation).or_default().push((line.time.0, line.kind, values));
        }
        found
    }

    /// Nobody waits for anybody here: workers without limit, rows without locks, disks without a common queue.
    const APART: &str = r#"
version = 1
run = { duration = "2s", quiesce = "10s" }
network = { latency = "lognormal(p50=2ms, p99=40ms)", loss = "5%", transport = "udp" }
[services.coordinator]
workers = "unlimited"
[services.bank]
workers = "unlimited"
state.accounts = { kind = "counter", keys = 10, initial = 0 }
[transactions.pay]
protocol = "2pc"
coordinator = "coordinator"
locks = "none"
decision_timeout = "50ms"
work = [{ update = "bank.accounts[$to]", add = "$amount" }]
[workloads.payers]
rate = "100/s"
target = "transactions.pay"
client = { timeout = "1s" }
vars = { to = "int(0, 9)", amount = "int(1, 50)" }
"#;

    #[test]
    fn deleting_one_operation_leaves_the_latency_of_all_others() {
        let scenario = load(&Source::new("apart.toml", APART), &Choice::default())
            .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
        let all = operations(&scenario, Vec::new());
        assert!(all.len() > 150 && all.values().any(|lines| lines[1].1 == "info"), "some messages are lost");
        for number in [0, 17, 100] {
            let mut rest = operations(&scenario, vec![("payers".to_owned(), number)]);
            let mut expected = all.clone();
            assert!(expected.remove(&number).is_some() && !rest.contains_key(&number));
            // Numbers in the history are those of the operations, whoever is missing.
            expected.retain(|number, lines| rest.remove(number).is_none_or(|found| found != *lines));
            assert!(expected.is_empty() && rest.is_empty(), "without {number}: {expected:?} {rest:?}");
        }
    }

    /// Set `STORMGLASS_OTHER_BINARY` to a build of another profile: it must leave the same bytes.
    #[test]
    fn another_build_leaves_the_same_bytes() {
        let Some(other) = std::env::var_os("STORMGLASS_OTHER_BINARY") else {
            println!("skipped: STORMGLASS_OTHER_BINARY names no binary to compare with");
            return;
        };
        let place = std::env::temp_dir().join(format!("stormglass-profiles-{}", std::process::id()));
        let run = |binary: &Path, name: &str| {
            let out = place.join(name);
            let scenario = format!("{}/scenarios/bank/two-phase-commit.toml", env!("CARGO_MANIFEST_DIR"));
            let mut command = Command::new(binary);
            command.args(["run", &scenario, "--seed", "7", "--format", "json", "--out"]).arg(&out);
            let said = command.output().expect("the binary can be run");
            let mut files = BTreeMap::new();
            collect(&out, &out, &mut files);
            (said.status.code(), files)
        };
        let mine = run(Path::new(env!("CARGO_BIN_EXE_stormglass")), "mine");
        let theirs = run(Path::new(&other), "theirs");
        assert!(mine.1.keys().any(|name| name.ends_with("summary.json")), "a run leaves files: {:?}", mine.1.keys());
        assert_eq!(mine.0, theirs.0, "exit codes");
        assert!(mine.1.keys().eq(theirs.1.keys()), "{:?} and {:?}", mine.1.keys(), theirs.1.keys());
        for (name, bytes) in &mine.1 {
            assert!(theirs.1[name] == *bytes, "{name} differs between two builds");
        }
        std::fs::remove_dir_all(&place).expect("the directory is ours");
    }

    /// All files below a folder but `meta.json`, which tells wall times.
    fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).expect("the run left a folder").flatten() {
            let path = entry.path();
            if path.is_symlink() || path.ends_with("meta.json") {
                continue;
            }
            if path.is_dir() {
                collect(root, &path, files);
            } else {
                let name = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
                files.insert(name, std::fs::read(&path).expect("a file of the run"));
            }
        }
    }
}
