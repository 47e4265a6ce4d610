//! Sweeps on the command line: what failed earlier comes first, what was killed goes on, shards make up the whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sweeps").join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("the target folder can be written");
    path
}

fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.current_dir(home).args(arguments);
    command
}

fn stormglass(home: &Path, arguments: &[&str]) -> Output {
    command(home, arguments).output().expect("the binary runs")
}

/// It ends with this code; what it printed, and what it noted.
fn ends(home: &Path, code: i32, arguments: &[&str]) -> (String, String) {
    let output = stormglass(home, arguments);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    (out.into_owned(), err.into_owned())
}

fn files_below(path: &Path, root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path, root));
        } else {
            let name = path.strip_prefix(root).expect("it is below").display().to_string();
            found.push((name, fs::read(&path).expect("the file can be read")));
        }
    }
    found.sort();
    found
}

/// What is called so in the results of the sweep of seeds 0 to 40, whatever values it was given.
fn place(home: &Path, out: &str, ending: &str) -> Option<PathBuf> {
    let mut all = fs::read_dir(home.join(out).join("pool")).ok()?.flatten().map(|entry| entry.path());
    all.find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let tail = name.strip_prefix("sweep-0-40").and_then(|rest| rest.strip_suffix(ending));
        tail.is_some_and(|tail| tail.is_empty() || (tail.len() == 9 && tail.starts_with('-')))
    })
}

fn results(home: &Path, out: &str) -> Vec<(String, Vec<u8>)> {
    let root = place(home, out, "").expect("there are results");
    files_below(&root, &root)
}

/// A machine that is slow for a while, if that falls into the run: on some seeds more wait than allowed.
const POOL: &str = r#"
version = 1
run = { duration = "4s", quiesce = "1s" }
[services.s]
workers = 1
work = "exp(10ms)"
[workloads.w]
rate = "60/s"
target = "s"
[faults.slow]
kind = "slow_cpu"
factor = 3
target = "s"
at = "uniform(0s, 8s)"
for = "300ms"
[thresholds]
deep = "max(queue_depth) < 12"
[expect]
verdict = "fail"
fails = ["deep"]
seeds = "some"
"#;

fn pool(name: &str) -> PathBuf {
    let home = folder(name);
    fs::write(home.join("pool.toml"), POOL).expect("the folder can be written");
    home
}

const SWEEP: [&str; 6] = ["sweep", "pool.toml", "--seeds", "0..40", "--jobs", "2"];

fn sweep<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&SWEEP[..], more].concat()
}

/// What a journal holds: point and seed of each line that is whole, and how many are not.
fn runs(journal: &str) -> (Vec<(u64, u64)>, usize) {
    let whole = |line: &str| -> Option<(u64, u64)> {
        let run: serde_json::Value = serde_json::from_str(line.split_once(' ')?.1).ok()?;
        Some((run["p"].as_u64()?, run["s"].as_u64()?))
    };
    let lines: Vec<&str> = journal.lines().skip(1).filter(|line| !line.is_empty()).collect();
    let found: Vec<(u64, u64)> = lines.iter().filter_map(|line| whole(line)).collect();
    let torn = lines.len() - found.len();
    (found, torn)
}

#[cfg(unix)]
#[test]
fn a_sweep_that_is_killed_goes_on_without_losing_or_repeating_a_seed() {
    let home = pool("killed");
    // A run long enough to be killed in the middle of.
    let long = ["--set", "run.duration=40s"];
    let whole = sweep(&[&long[..], &["--out", "whole"]].concat());
    ends(&home, 0, &whole);
    let killed = sweep(&[&long[..], &["--out", "killed"]].concat());
    let path = || place(&home, "killed", ".journal");
    let read = || path().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let mut child = command(&home, &killed).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while runs(&read()).0.len() < 5 {
        assert!(child.try_wait().expect("it can be asked").is_none(), "it was over before it could be killed");
        std::thread::yield_now();
    }
    // SIGKILL: nothing is put in order.
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let journal = read();
    let (before, _) = runs(&journal);
    assert!((5..40).contains(&before.len()), "{} runs were over", before.len());
    // A line that is torn in the middle, as by a power failure.
    let torn = journal.trim_end().len() - 40;
    fs::write(path().expect("it is there"), &journal[..torn]).expect("the journal can be written");
    let (left, lost) = runs(&journal[..torn]);
    assert_eq!((left.len(), lost), (before.len() - 1, 1));
    let (_, told) = ends(&home, 0, &killed);
    assert!(told.contains(&format!("going on: {} of 40 runs stand in", left.len())), "{told}");
    assert!(told.contains(&format!("{} runs in ", 40 - left.len())), "no finished seed is run again: {told}");
    assert!(path().is_none(), "what is complete needs no journal");
    assert_eq!(results(&home, "killed"), results(&home, "whole"));
    let names: BTreeSet<String> = results(&home, "whole").into_iter().map(|(name, _)| name).collect();
    assert!(names.contains("sweep.json") && names.iter().any(|name| name.starts_with("repro/")), "{names:?}");
}

#[test]
fn a_journal_of_another_sweep_is_not_used_and_that_is_said() {
    let home = pool("another");
    ends(&home, 0, &sweep(&["--out", "whole"]));
    let (text, journal) = (POOL.replace("10ms", "9ms"), home.join("out/pool/sweep-0-40.journal"));
    // A journal of the same seeds: that of a shard of another scenario is one.
    fs::write(home.join("pool.toml"), text).expect("the scenario can be written");
    ends(&home, 0, &sweep(&["--shard", "1/2"]));
    fs::copy(home.join("out/pool/sweep-0-40-shard-1-of-2/shard.jsonl"), &journal).expect("it can be copied");
    fs::write(home.join("pool.toml"), POOL).expect("the scenario can be written");
    let (_, told) = ends(&home, 0, &sweep(&[]));
    assert!(told.contains("is of another sweep") && told.contains("40 runs in "), "{told}");
    fs::write(&journal, "no journal\n").expect("it can be written");
    let (_, told) = ends(&home, 0, &sweep(&[]));
    assert!(told.contains("is no journal of a sweep") && told.contains("40 runs in "), "{told}");
    assert_eq!(results(&home, "out"), results(&home, "whole"));
}

#[test]
fn one_two_and_sixty_four_shards_make_the_same_bytes_as_the_whole_sweep() {
    let home = pool("shards");
    let matrix = ["--matrix", "services.s.workers=1,2"];
    ends(&home, 0, &sweep(&[&matrix[..], &["--out", "whole"]].concat()));
    for count in [1, 2, 64] {
        let out = format!("in-{count}");
        // In any order, of which the last is given first.
        let mut folders = Vec::new();
        for number in (1..=count).rev() {
            let shard = format!("{number}/{count}");
            ends(&home, 0, &sweep(&[&matrix[..], &["--shard", &shard, "--out", &out]].concat()));
            let part = place(&home, &out, &format!("-shard-{number}-of-{count}")).expect("the shard is there");
            folders.push(part.display().to_string());
        }
        let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
        ends(&home, 0, &[&["merge"], &folders[..], &["--out", &out]].concat());
        assert_eq!(results(&home, &out), results(&home, "whole"), "{count} shards");
    }
}

#[test]
fn shards_that_are_missing_doubled_or_foreign_are_told_all_at_once() {
    let home = pool("unfit");
    for shard in ["1/4", "2/4"] {
        ends(&home, 0, &sweep(&["--shard", shard]));
    }
    ends(&home, 0, &sweep(&["--shard", "3/4", "--out", "other", "--set", "services.s.workers=2"]));
    let part = |number: u32| format!("out/pool/sweep-0-40-shard-{number}-of-4");
    // Of the second a line is gone.
    let damaged = home.join(part(2)).join("shard.jsonl");
    let text = fs::read_to_string(&damaged).expect("it is there");
    fs::write(&damaged, text.replacen("\"promises\"", "\"promised\"", 1)).expect("it can be written");
    let other = place(&home, "other", "-shard-3-of-4").expect("it is there").display().to_string();
    assert!(!other.contains("sweep-0-40-shard"), "other values have a folder of their own: {other}");
    let (one, two) = (part(1), part(2));
    let (_, told) = ends(&home, 2, &["merge", &one, &two, &one, &other, "nowhere", "--out", "merged"]);
    for wrong in [
        "nowhere has no shard.jsonl",
        "lacks 1 of its runs; 1 of its lines are damaged: run shard 2/4 again",
        "is shard 1/4, and so is out/pool/sweep-0-40-shard-1-of-4",
        "does not belong to out/pool/sweep-0-40-shard-1-of-4: its scenario, seeds or engine are others",
        "shards 3, 4 of 4 are missing",
    ] {
        assert!(told.contains(wrong), "`{wrong}` is missing in\n{told}");
    }
    assert!(!home.join("merged").exists(), "nothing is written");
    let (_, told) = ends(&home, 2, &sweep(&["--shard", "1/4", "--fail-fast"]));
    assert!(told.contains("--fail-fast ends a sweep at its smallest failing seed"), "{told}");
    let (_, told) = ends(&home, 2, &sweep(&["--shard", "5/4"]));
    assert!(told.contains("the last of 4 is 4/4"), "{told}");
}

#[test]
fn what_failed_earlier_is_tried_first_and_counts_by_itself_if_it_is_outside() {
    let home = pool("earlier");
    ends(&home, 0, &sweep(&[]));
    let table = String::from_utf8(results(&home, "out").into_iter().find(|f| f.0 == "seeds.csv").expect("a table").1);
    let table = table.expect("it is text");
    let failing: Vec<&str> =
        table.lines().filter(|l| l.contains(",fail,")).filter_map(|l| l.split(',').nth(1)).collect();
    assert!((2..40).contains(&failing.len()), "{table}");
    // Thresholds are judged on the file's own seed: let it be one that crosses its own.
    let own = format!("run.seed={}", failing[1]);
    let pass = ["expect.fails=[]", "expect.verdict=pass", "expect.seeds=every", &own];
    let pass: Vec<&str> = pass.into_iter().flat_map(|set| ["--set", set]).collect();
    let strict = sweep(&pass);
    let seeds = home.join("regressions/pool.seeds");
    ends(&home, 1, &strict);
    assert!(!seeds.exists(), "nothing is written unless it is asked for");
    let (told, _) = ends(&home, 1, &[&strict[..], &["--save"]].concat());
    assert!(told.contains("regressions/pool.seeds: 1 seed that failed"), "{told}");
    let saved = fs::read_to_string(&seeds).expect("it is there");
    assert!(saved.lines().last().is_some_and(|l| l.starts_with(&format!("--seed {} ", failing[1]))), "{saved}");
    assert!(saved.ends_with("  # deep/crossed\n"), "{saved}");
    let (told, _) = ends(&home, 1, &[&strict[..], &["--save"]].concat());
    assert!(told.contains("nothing failed that should not have and is not there yet"), "{told}");
    // It is the first to be tried, so --fail-fast ends after it alone.
    let (told, notes) = ends(&home, 1, &[&strict[..], &["--fail-fast"]].concat());
    assert!(told.contains("earlier failures: 1 seed tried first"), "{told}");
    assert!(notes.contains("1 runs in "), "{notes}");
    // Outside of the seeds that were asked for it is told apart, and decides.
    let mut outside = strict.clone();
    outside[3] = "100..110";
    let (told, _) = ends(&home, 1, &outside);
    assert!(told.contains(", none of them among these") && told.contains("fails again: deep fails"), "{told}");
    // Of the base as it stands that line is none: other values were set.
    let (told, _) = ends(&home, 0, &sweep(&[]));
    assert!(!told.contains("earlier failures"), "{told}");
    fs::write(&seeds, "--seed x\n").expect("it can be written");
    let (_, told) = ends(&home, 2, &sweep(&[]));
    assert!(told.contains("pool.seeds:1: `x` is no seed"), "{told}");
}
