//! `stormglass test`: many files, whether they are as expected, and whether they do what they did before.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A queue that is as it should be, and a variant that says it is not.
const QUEUE: &str = r#"
version = 1
run.duration = "20s"
services.server.work = "exp(5ms)"
workloads.load = { rate = "100/s", target = "server" }

[thresholds]
fast = "p99(latency{op=server.run}) < 1s"

[variants.slow]
thresholds.fast = "p99(latency{op=server.run}) < 1us"
expect = { verdict = "fail", fails = ["fast"] }
"#;

fn folder(name: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("suite").join(name);
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(home.join("scenarios/a & b")).expect("the target folder can be written");
    fs::write(home.join("scenarios/a & b/queue.toml"), QUEUE).expect("it can be written");
    home
}

fn test(home: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let command = Command::new(env!("CARGO_BIN_EXE_stormglass")).current_dir(home).arg("test").args(arguments).output();
    let Output { status, stdout, stderr } = command.expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("it prints text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn what_is_pinned_is_compared_and_only_a_reason_changes_it() {
    let home = folder("pins");
    let lock = home.join("scenarios/fingerprints.lock");
    let (exit, out, err) = test(&home, &[]);
    assert_eq!(exit, Some(0), "{out}{err}");
    assert_eq!(out, "✓ AS EXPECTED  2 tests of 1 file as expected · 2 fingerprints not pinned\n");
    assert!(err.contains("PASS [") && err.contains("scenarios/a & b/queue.toml  slow"), "{err}");
    assert!(!lock.exists(), "nothing is pinned unasked");

    let (exit, out, _) = test(&home, &["--bless", "the first time"]);
    assert_eq!(exit, Some(0));
    assert!(out.ends_with("blessed  scenarios/fingerprints.lock: epoch 1, 2 runs\n"), "{out}");
    let pinned = fs::read_to_string(&lock).expect("it was written");
    assert!(pinned.contains("[runs.\"a & b/queue.toml\"]\nbase = \""), "{pinned}");
    // Named otherwise, twice over, from another folder, and each run twice: the same pins.
    let inside = home.join("scenarios/a & b");
    for (from, paths) in [(&home, ["scenarios/a & b", "scenarios"]), (&inside, [".", "../../scenarios"])] {
        let (exit, out, _) = test(from, &[paths[0], paths[1], "--twice"]);
        let told = "✓ AS EXPECTED  2 tests of 1 file as expected · 2 fingerprints as pinned\n";
        assert_eq!((exit, &*out), (Some(0), told), "{paths:?}");
    }

    fs::write(home.join("scenarios/a & b/queue.toml"), QUEUE.replace("100/s", "101/s")).expect("it can be written");
    let (exit, out, _) = test(&home, &["--junit", "out/tests.xml", "--format", "github"]);
    assert_eq!(exit, Some(1), "{out}");
    assert!(out.contains("2 fingerprints changed"), "{out}");
    assert!(out.contains("::error file=scenarios/a & b/queue.toml,line=1,title=fingerprint (base)::"), "{out}");
    let junit = fs::read_to_string(home.join("out/tests.xml")).expect("it was written");
    assert!(junit.contains("<testsuite name=\"scenarios/a &amp; b/queue.toml\" tests=\"2\" failures=\"2\""), "{junit}");
    assert_eq!(fs::read_to_string(&lock).ok(), Some(pinned), "a test changes no pins");

    let (exit, out, _) = test(&home, &["--bless", "more of them arrive"]);
    assert_eq!(exit, Some(0));
    assert!(out.ends_with("epoch 2, 2 runs\n"), "{out}");
    assert!(fs::read_to_string(&lock).expect("it is there").contains("reason = \"more of them arrive\""));
}

#[test]
fn everything_wrong_is_told_with_its_line_and_the_rest_still_runs() {
    let home = folder("wrong");
    let write = |name: &str, text: &str| fs::write(home.join("scenarios").join(name), text).expect("it can be written");
    write("broken.toml", &QUEUE.replace("\"20s\"", "\"20\""));
    write("crossed.toml", &QUEUE.replace("< 1s", "< 1us"));
    let (exit, out, err) = test(&home, &["--format", "json"]);
    assert_eq!(exit, Some(2), "the worst of all: {err}");
    let told: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    let tests = told["tests"].as_array().expect("a list");
    let states: Vec<&str> = tests.iter().map(|test| test["state"].as_str().expect("a text")).collect();
    assert_eq!(states, ["as expected", "as expected", "invalid", "not as expected", "as expected"]);
    assert_eq!((&tests[2]["complaints"][0]["line"], &tests[3]["complaints"][0]["line"]), (&3.into(), &8.into()));
    assert_eq!(tests[3]["complaints"][0]["what"], "fast");

    let (exit, out, _) = test(&home, &["scenarios/crossed.toml", "--seeds", "0..3"]);
    assert_eq!(exit, Some(1), "{out}");
    assert!(out.contains("stormglass run scenarios/crossed.toml --seed 0"), "{out}");
    // What is wrong is not blessed, what is right is.
    let (exit, out, err) = test(&home, &["--bless", "only the good one"]);
    assert_eq!(exit, Some(2), "{out}");
    assert!(err.contains("not blessed: scenarios/crossed.toml") && out.contains("epoch 1, 2 runs"), "{out}{err}");
    for (arguments, what) in [
        (&["nowhere"][..], "there is no nowhere"),
        (&["--bless", "why"], "a reason is a sentence"),
        (&["--seeds", "0..2", "--bless", "many at once"], "cannot be used with"),
    ] {
        let (exit, _, err) = test(&home, arguments);
        assert_eq!((exit, err.contains(what)), (Some(2), true), "{err}");
    }
    fs::write(home.join("scenarios/fingerprints.lock"), "epoch = 1").expect("it can be written");
    let (exit, _, err) = test(&home, &[]);
    assert_eq!((exit, err.contains("missing field `reason`")), (Some(2), true), "{err}");
}
