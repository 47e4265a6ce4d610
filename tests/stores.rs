//! Replicated stores in whole runs: what a run judges is what `stormglass check` judges of the history that it leaves.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn stormglass(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stormglass")).args(arguments).output().expect("the binary runs")
}

/// The folder that a run of a scenario leaves.
fn run(name: &str, more: &[&str]) -> PathBuf {
    let scenario = format!("{}/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("stores").join(more.join("-").replace('.', "-"));
    let out = out.display().to_string();
    let ran = stormglass(&[&["run", &scenario, "--out", &out, "--format", "json"], more].concat());
    let summary: Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&[ran.stdout.clone(), ran.stderr.clone()].concat())));
    let text = |name: &str| summary[name].as_str().expect("the summary names it").to_owned();
    PathBuf::from(out).join(text("scenario")).join(text("run_id"))
}

#[test]
fn the_history_of_a_store_gets_the_verdict_of_the_run() {
    for (variant, broken) in [("any_follower", true), ("whoever_leads", false)] {
        let folder = run("kv/read-your-writes", &["--seed", "1", "--variant", variant]);
        let summary = fs::read_to_string(folder.join("summary.json")).expect("the run wrote it");
        let summary: Value = serde_json::from_str(&summary).expect("it is JSON");
        let history = folder.join("history-profiles.jsonl").display().to_string();
        let invariants = summary["invariants"].as_array().expect("a list");
        for (name, consistency) in [("linearizable", "linearizable"), ("own_writes", "read-your-writes")] {
            let judged = invariants.iter().find(|invariant| invariant["name"] == name).expect("a promise");
            assert_eq!(judged["status"], if broken { "violated" } else { "holds" }, "{variant}: {judged}");
            assert_eq!(judged["evidence"]["contradiction"]["operations"].is_array(), broken, "{judged}");
            let told = stormglass(&["check", &history, "--consistency", consistency]);
            let text = String::from_utf8_lossy(&told.stdout).into_owned();
            assert_eq!(told.status.code(), Some(i32::from(broken)), "{variant}: {text}");
            let operations = format!("{consistency} · {} operations", judged["evaluations"]);
            assert!(text.contains(&operations), "{variant}: {text}");
        }
        assert!(folder.join("history.jsonl").exists(), "what workloads did stands by itself");
    }
}
