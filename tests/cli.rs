//! The command line: exit codes, what is printed where, and files that are the same bytes twice.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("the target folder can be written");
    path
}

fn stormglass(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .current_dir(root())
        .args(arguments)
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn files_below(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).expect("the file can be read")));
        }
    }
    found.sort();
    found
}

const SMALL: &str = r#"
version = 1
run = { duration = "5s", quiesce = "1s" }
[services.s]
workers = 2
work = "exp(10ms)"
[workloads.w]
rate = "100/s"
target = "s"
[thresholds]
mean = "mean(latency) < 1s"
"#;

#[test]
fn files_are_found_from_the_folder_of_the_scenario_and_missing_ones_are_told() {
    let home = folder("data");
    let measured = SMALL.replace("exp(10ms)", "empirical('measured/work.csv')");
    let file = home.join("small.toml");
    fs::write(&file, &measured).expect("the folder can be written");
    let (file, out) = (file.display().to_string(), home.join("out").display().to_string());
    let run = || stormglass(&["run", &file, "--out", &out]);
    let missing = run();
    let told = text(&missing.stderr);
    assert_eq!(missing.status.code(), Some(2), "{told}");
    assert!(told.contains("`measured/work.csv` cannot be read") && told.contains("small.toml:6:"), "{told}");
    fs::create_dir(home.join("measured")).expect("the folder can be written");
    fs::write(home.join("measured/work.csv"), "work_ms\n9\n11\n").expect("the folder can be written");
    let found = run();
    assert_eq!(found.status.code(), Some(0), "{}", text(&found.stderr));
    let resolved = files_below(&home.join("out")).into_iter().find(|(name, _)| name.ends_with("scenario.toml"));
    let resolved = text(&resolved.expect("it is written").1);
    assert!(resolved.contains("empirical(9ms, 11ms)"), "{resolved}");
}

#[test]
fn two_runs_leave_the_same_bytes_but_for_meta_json() {
    let home = folder("two-runs");
    let file = home.join("small.toml");
    fs::write(&file, SMALL).expect("a scenario can be written");
    let run = |out: &str| {
        let out = home.join(out);
        let output =
            stormglass(&["run", &file.display().to_string(), "--seed", "3", "--out", &out.display().to_string()]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let strip = out.display().to_string();
        let files = files_below(&out).into_iter().map(|(name, bytes)| (name.replace(&strip, ""), bytes));
        (
            files.filter(|(name, _)| !name.ends_with("meta.json")).collect::<Vec<_>>(),
            text(&output.stdout).replace(&strip, ""),
        )
    };
    let (first, second) = (run("a"), run("b"));
    assert!(first.0.iter().any(|(name, _)| name.ends_with("latency.png")), "charts are among them");
    assert_eq!(first, second);
}

#[test]
fn exit_codes_say_what_happened() {
    let home = folder("exit-codes");
    let check = |name: &str, body: &str, arguments: &[&str], code: i32, said: &str| {
        let file = home.join(name);
        fs::write(&file, body).expect("a scenario can be written");
        let (file, out) = (file.display().to_string(), home.join("out").display().to_string());
        let mut all = vec!["run", file.as_str(), "--out", out.as_str()];
        all.extend(arguments);
        let output = stormglass(&all);
        let told = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{name}: {told}");
        assert!(told.contains(said), "{name}: `{said}` is missing in {told}");
    };
    check("pass.toml", SMALL, &[], 0, "PASS");
    check("fail.toml", &SMALL.replace("< 1s", "< 1us"), &[], 1, "FAIL");
    let expected = SMALL.replace("< 1s", "< 1us") + "[expect]\nverdict = \"fail\"\nfails = [\"mean\"]\n";
    check("expected.toml", &expected, &[], 0, "AS EXPECTED");
    check("broken.toml", &SMALL.replace("work =", "wrok ="), &[], 2, "did you mean `work`");
    check("empty.toml", "", &[], 2, "version");
    check("set.toml", SMALL, &["--set", "services.s.wrkers=2"], 2, "workers");
    check("variant.toml", SMALL, &["--variant", "nope"], 2, "nope");
    check("huge-seed.toml", SMALL, &["--seed", "99999999999999999999"], 2, "99999999999999999999");
    check("negative-seed.toml", SMALL, &["--seed", "-1"], 2, "a seed is a whole number from 0");
    let missing = stormglass(&["run", "no/such/file.toml"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("cannot read no/such/file.toml"));
}

/// Ctrl-C in a run that would take hours.
#[cfg(unix)]
#[test]
fn an_interrupt_keeps_what_was_found_and_ends_with_130() {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::Stdio;

    let home = folder("interrupt");
    let file = home.join("long.toml");
    fs::write(&file, SMALL.replace("5s", "10000h")).expect("a scenario can be written");
    let out = home.join("out");
    let mut child = Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .args(["run", &file.display().to_string(), "--out", &out.display().to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // The first line is printed once interrupts are caught.
    let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
    errors.read_line(&mut String::new()).expect("a line");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
    let mut told = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut told).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{told}");
    assert!(told.contains("INCONCLUSIVE") && told.contains("interrupted at"), "{told}");
    assert!(files_below(&out).iter().any(|(name, _)| name.ends_with("summary.json")), "partial results are kept");
}

#[test]
fn results_go_to_stdout_and_no_colour_without_a_terminal() {
    let home = folder("streams");
    let file = home.join("small.toml");
    fs::write(&file, SMALL).expect("a scenario can be written");
    let out = home.join("out").display().to_string();
    let output = stormglass(&["run", &file.display().to_string(), "--format", "json", "--out", &out]);
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("stdout is one JSON value");
    assert_eq!(summary["seed"], 0);
    let human = stormglass(&["run", &file.display().to_string(), "--out", &out]);
    assert!(!text(&human.stdout).contains('\u{1b}'), "no colour codes in a pipe");
    assert!(text(&human.stdout).contains("THRESHOLDS"));
}

#[test]
fn a_sweep_tells_points_seeds_and_how_to_get_a_failure_back() {
    let home = folder("sweep");
    let file = home.join("small.toml");
    fs::write(&file, SMALL.replace("< 1s", "< 15ms")).expect("a scenario can be written");
    let (file, out) = (file.display().to_string(), home.join("out").display().to_string());
    let sweep = |jobs: &str| {
        let matrix = "services.s.work=exp(10ms),exp(12ms)";
        stormglass(&["sweep", &file, "--seeds", "0..6", "--matrix", matrix, "--jobs", jobs, "--out", &out])
    };
    let one = sweep("1");
    assert_eq!(one.status.code(), Some(0), "a matrix is measured, not judged: {}", text(&one.stderr));
    assert!(text(&one.stdout).contains("exp(12ms)"), "{}", text(&one.stdout));
    assert_eq!(one.stdout, sweep("2").stdout, "jobs change nothing");
}

#[test]
fn every_shipped_scenario_is_listed_and_the_schema_file_is_what_the_command_prints() {
    let listed = stormglass(&["list", "scenarios"]);
    assert_eq!(listed.status.code(), Some(0), "{}", text(&listed.stderr));
    let told = text(&listed.stdout);
    for name in
        ["mm1", "mmc10", "mm1k", "md1", "mlognormal1", "erlang-b", "tandem3", "four-stations", "two-phase-commit"]
    {
        assert!(told.contains(&format!("{name}.toml")), "{name} is missing in {told}");
    }
    let schema = stormglass(&["schema"]);
    let file = fs::read_to_string(root().join("scenarios/scenario.schema.json")).expect("the schema is shipped");
    assert!(text(&schema.stdout) == file, "out of date: stormglass schema > scenarios/scenario.schema.json");
}
