//! What a test that failed says: the promise, the seed, the smallest story found, how to see it again.

use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;

use lab::outcome::Status;
use lab::scenario::Choice;
use lab::shrink::{Request, Shrunk, shrink};
use lab::sweep::SeedResult;

use super::check::Check;
use super::runs::Runs;
use crate::files;

/// A file that was made small is shown if it has so many lines at most.
const LINES_SHOWN: usize = 80;

/// The text of the panic.
pub(super) fn told(check: &Check, runs: &Runs) -> String {
    let tried = runs.tried();
    let model = &tried.scenario.model;
    let mut text = format!("{}: {}\n", model.name, runs.summary());
    let broken = |result: &&SeedResult| result.panic.is_some() || !result.findings.failing.is_empty();
    let unexpected = tried.verdict.unexpected.first().map(|(seed, _, _)| *seed);
    let first = tried.results.iter().find(|result| unexpected == Some(result.seed));
    let Some(result) = first.or_else(|| tried.results.iter().find(broken)) else { return text };
    let all = tried.results.len();
    let _ = writeln!(text, "seed {} ({all} {} run)", result.seed, if all == 1 { "seed" } else { "seeds" });
    let violated = || result.promises.iter().filter(|promise| promise.status == Status::Violated);
    let names: Vec<&str> = violated().map(|promise| promise.name.as_str()).collect();
    for promise in violated() {
        let _ = writeln!(text, "  broken: {}", promise.name);
        for line in promise.violation.iter().flat_map(|violation| &violation.witness) {
            let _ = writeln!(text, "    {line}");
        }
    }
    if let Some(why) = &result.panic {
        let _ = writeln!(text, "  the run panicked: {why}");
    }
    if let Some(shrunk) = names.first().and_then(|promise| made_small(check, promise, result.seed)) {
        let _ = write!(text, "{}", story(check, &shrunk));
    }
    let _ = writeln!(text, "{}", replay(check, names.first().copied(), result.seed));
    text
}

fn made_small(check: &Check, promise: &str, seed: u64) -> Option<Shrunk> {
    if check.budget() == 0 {
        return None;
    }
    let choice = Choice { seed: Some(seed), ..check.choice() };
    let request = Request {
        choice,
        promise: Some(promise.to_owned()),
        budget: check.budget(),
        jobs: check.threads(),
        known: lab::shrink::Known::new(),
    };
    shrink(&check.source(), &request, &AtomicBool::new(false), &mut |_| {}).ok()
}

/// The smallest one, and where it was written.
fn story(check: &Check, shrunk: &Shrunk) -> String {
    let (from, to) = (shrunk.from, shrunk.to);
    let mut text = format!(
        "minimised: faults {} → {}, operations {} → {} ({} runs, the same violation each time{})\n",
        from.faults,
        to.faults,
        from.operations,
        to.operations,
        shrunk.runs,
        if shrunk.necessary { "; nothing that is left can go" } else { "" }
    );
    let folder = check.folder().join(&shrunk.outcome.scenario).join("min").join(&shrunk.outcome.run_id);
    match files::directory(&folder, &[("min.toml".to_owned(), shrunk.text.clone().into_bytes())]) {
        Ok(()) => {
            let file = folder.join("min.toml");
            let _ = writeln!(text, "file:   {}", file.display());
            if !check.in_code(&shrunk.promise) {
                let _ =
                    writeln!(text, "replay: stormglass run {}", reports::quoted_for_shell(&file.display().to_string()));
            }
        }
        Err(why) => {
            let _ = writeln!(text, "{why}");
            for line in shrunk.text.lines().take(LINES_SHOWN) {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    text
}

/// How the run itself is seen again.
fn replay(check: &Check, promise: Option<&str>, seed: u64) -> String {
    let choice = check.choice();
    match check.file() {
        Some(file) if promise.is_none_or(|promise| !check.in_code(promise)) => {
            let mut text = format!("run:    stormglass run {}", reports::quoted_for_shell(&file.display().to_string()));
            if let Some(variant) = &choice.variant {
                let _ = write!(text, " --variant {variant}");
            }
            for (path, value) in &choice.sets {
                let _ = write!(text, " --set {}", reports::quoted_for_shell(&format!("{path}={value}")));
            }
            text + &format!(" --seed {seed}")
        }
        Some(_) | None => format!("again:  with `.seed({seed})` in place of other seeds"),
    }
}
