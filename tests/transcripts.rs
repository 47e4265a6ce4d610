//! What `run` and `sweep` print, word for word, from real runs of the checkout: the texts in `tests/transcripts/`.
//!
//! `BLESS=1 cargo test --test transcripts` writes them anew; look at the difference before you keep it, and take `run.txt` over
//! into README.md.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use snapbox::assert::Action;
use snapbox::{Assert, Data};

const RUN: &[&str] = &["run", "scenarios/checkout/saga.toml"];
const SWEEP: &[&str] =
    &["sweep", "scenarios/checkout/saga.toml", "--seeds", "0..6", "--variants", "dual_write", "--jobs", "2"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn golden(name: &str) -> PathBuf {
    root().join("tests/transcripts").join(name)
}

/// A folder of this transcript's own with the scenario in it, so that the paths that are printed are those of a clone.
fn clone(name: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("transcripts").join(name);
    let _ = fs::remove_dir_all(&home);
    let folder = home.join("scenarios/checkout");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    fs::copy(root().join("scenarios/checkout/saga.toml"), folder.join("saga.toml")).expect("the scenario is there");
    home
}

/// Standard output, which must be the golden text, and the exit code.
fn check(name: &str, arguments: &[&str]) -> Option<i32> {
    let output = Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .current_dir(clone(name))
        .args(arguments)
        .output()
        .expect("the binary runs");
    let printed = String::from_utf8(output.stdout).expect("it prints text");
    let action = if std::env::var_os("BLESS").is_some() { Action::Overwrite } else { Action::Verify };
    Assert::new().action(action).eq(Data::text(printed), Data::read_from(&golden(name), None));
    output.status.code()
}

#[test]
fn a_run_prints_its_transcript() {
    assert_eq!(check("run.txt", RUN), Some(0));
}

#[test]
fn a_sweep_prints_its_transcript() {
    assert_eq!(check("sweep.txt", SWEEP), Some(0));
}

#[test]
fn the_readme_shows_what_its_first_command_prints() {
    let readme = fs::read_to_string(root().join("README.md")).expect("it is there");
    let printed = fs::read_to_string(golden("run.txt")).expect("it is there");
    assert!(readme.contains(&format!("cargo run --release -- {}\n", RUN.join(" "))), "the first command");
    assert!(readme.contains(&format!("```text\n{printed}```\n")), "README.md does not show tests/transcripts/run.txt");
}
