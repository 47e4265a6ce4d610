//! Replicated stores against published results: quorums, staleness (PBS), availability, failover.
//!
//! Nothing here computes a formula: the stores run on simulated machines, with their own messages on links of the law that
//! a row names, and with machines that a plan of faults lets die. What is measured is what clients were told and when.
//!
//! The short form, in every `cargo test`, wants each number within four of its own standard errors of the closed form.
//! Where the published figure is itself another simulation's, and rounded, it is the table's own simulation of the same model
//! that ours is held against, with both standard errors, and the published figure may be off by the row's tolerance more.
//! The long form, `STORMGLASS_LONG=1` in a release build, wants that too, and each number within the tolerance of its row;
//! it is long enough that the tolerance is at least four standard errors. Seeds are pinned.
//!
//! `rows` has what is published and what is left out; `wars`, `quorums`, `leader` and `lifetimes` have the worlds, and
//! `stage` what they are made of.

mod leader;
mod lifetimes;
mod quorums;
mod rows;
mod stage;
mod wars;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rows::{LEFT_OUT, ROWS, Row, Tolerance, find};
use stage::Found;
use wars::{Laws, Setting};

/// Standard errors that a number may be off, and that fit into a tolerance of the long form.
const ERRORS_MAX: f64 = 4.0;

/// To the terminal, although the test passes: whoever runs it sees what was compared.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("stderr can be written");
}

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// How many standard errors lie between what was found and the best known figure.
fn distance(row: &Row, found: &Found) -> f64 {
    let (reference, error) = row.reference();
    let (off, error) = (found.value - reference, found.error.hypot(error));
    if off == 0.0 { 0.0 } else { off / error }
}

/// As `docs/validation.md` has it.
fn line(found: &Found) -> String {
    let (Found { id, value, error }, row) = (found, find(found.id));
    let fit = if *error > 0.0 { format!(" = {:.1} σ", row.tolerance() / error) } else { String::new() };
    let model = row.model.map_or("–".to_owned(), |(value, _)| format!("{value:.6}"));
    let distance = distance(row, found);
    let (expected, tolerance) = (row.expected, row.tolerance());
    format!("| {id} | {value:.6} | {error:.6} | {expected} | {model} | {distance:+.2} σ | {tolerance:.6}{fit} |")
}

/// What is wrong with it.
fn wrong(found: &Found, long: bool) -> Option<String> {
    let (Found { id, value, error }, row) = (found, find(found.id));
    let (off, distance) = ((value - row.expected).abs(), distance(row, found));
    // The tolerance of a closed form is for the long form alone.
    let allowed = if long || row.model.is_some() { row.tolerance() } else { f64::INFINITY };
    let reach = if long { 0.0 } else { ERRORS_MAX * error };
    if *error > 0.0 && distance.abs() > ERRORS_MAX {
        Some(format!("{id}: {value} is {distance:+.2} standard errors off"))
    } else if off > allowed + reach || (*error == 0.0 && off > row.tolerance()) {
        Some(format!("{id}: {value} is {off} off {}, allowed are {}", row.expected, row.tolerance()))
    } else if long && ERRORS_MAX * error > row.tolerance() {
        Some(format!("{id}: run too short, σ is {error} and the tolerance {}", row.tolerance()))
    } else {
        None
    }
}

/// Every row, measured.
fn measure_all(long: bool) -> Vec<Found> {
    type Job = Box<dyn Fn() -> Vec<Found> + Sync + Send>;
    let plain: [fn(bool) -> Vec<Found>; 11] = [
        quorums::within_three_versions,
        quorums::load_of_a_copy,
        quorums::majority_of_five,
        quorums::lost_with_the_primary,
        quorums::sees_its_own_write,
        lifetimes::mirrored_pair,
        lifetimes::quorum_of_five,
        lifetimes::up_and_down,
        leader::first_candidate,
        leader::majority_of_exponential_round_trips,
        leader::majority_from_virginia,
    ];
    let mut jobs: Vec<Job> = plain.into_iter().map(|job| -> Job { Box::new(move || job(long)) }).collect();
    for (which, setting) in wars::settings().into_iter().enumerate() {
        jobs.push(Box::new(move || wars::measure(which as u64, &setting, long)));
    }
    let mut found: Vec<Found> = jobs.par_iter().flat_map_iter(|job| job()).collect();
    found.sort_by_key(|found| ROWS.iter().position(|row| row.id == found.id));
    found
}

#[test]
fn stores_agree_with_published_results() {
    let long = std::env::var_os("STORMGLASS_LONG").is_some_and(|value| value == "1");
    let all = measure_all(long);
    say("| row | here | standard error | published | model | distance | tolerance |");
    for found in &all {
        say(&line(found));
    }
    for (id, why) in LEFT_OUT {
        say(&format!("left out: {id}: {why}"));
    }
    assert!(all.iter().map(|found| found.id).eq(ROWS.iter().map(|row| row.id)), "every row is measured once");
    let wrong: Vec<String> = all.iter().filter_map(|found| wrong(found, long)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A law or a quorum that is not the row's is noticed, in the short form.
#[test]
fn a_wrong_law_or_quorum_is_noticed() {
    let settings = wars::settings();
    let change = |id: &str, change: &dyn Fn(&mut Setting)| {
        let (which, setting) =
            settings.iter().enumerate().find(|(_, setting)| setting.rows[0].0 == id).expect("it is one");
        let mut setting = *setting;
        change(&mut setting);
        wars::measure(which as u64, &setting, false)
    };
    let changed = [
        ("W with a mean of 0.5 ms", change("D-pbs-exp-W4-pc0", &|setting| setting.laws = Laws::Exponential(500))),
        ("R = W = 1", change("D-pbs-strict", &|setting| setting.quorums = (1, 1))),
        ("W of solid state disks", change("D-pbs-disk-R1W1-pc0", &|setting| setting.laws = Laws::Ssd)),
        ("R = 3", change("D-pbs-ssd-R2W2-Lr999", &|setting| setting.quorums = (3, 2))),
    ];
    for (what, all) in changed {
        for found in all {
            let wrong = wrong(&found, false);
            say(&format!("negative control, {what}: {}", wrong.as_deref().unwrap_or(found.id)));
            // Writes do not wait for what is read.
            assert!(wrong.is_some() || found.id.ends_with("Lw999"), "{} would not be noticed", found.id);
        }
    }
}

#[test]
fn figures_are_those_of_the_published_table() {
    let path = file("../shared/validation/published.csv");
    if !path.exists() {
        say(
            "published_replication: the table of published values is not at hand; the comparison with it is SKIPPED, and",
        );
        say("published_replication: the figures embedded in tests/published_replication/rows.rs are used alone");
        return;
    }
    let mut table = csv::Reader::from_path(path).expect("the table can be read");
    let heads = table.headers().expect("the table has heads").clone();
    let column = |name: &str| heads.iter().position(|head| head == name).expect("the table has this column");
    let [id, expected, sort, tolerance, kind, model, half] =
        ["id", "expected", "tol_type", "tol", "kind", "mc_estimate", "mc_ci99"].map(column);
    let mut names = BTreeSet::new();
    for record in table.records().map(|record| record.expect("a whole record")) {
        let number = |n: usize| record[n].parse::<f64>().expect("a number");
        if !record[id].starts_with("D-") {
            continue;
        }
        names.insert(record[id].to_owned());
        let Some(row) = ROWS.iter().find(|row| row.id == &record[id]) else { continue };
        let allowed = match &record[sort] {
            "rel" => Tolerance::Relative(number(tolerance)),
            _ => Tolerance::Absolute(number(tolerance)),
        };
        assert_eq!((row.expected, row.tolerance), (number(expected), allowed), "{}", row.id);
        let simulated = (&record[kind] != "exact").then(|| (number(model), number(half)));
        assert_eq!(row.model, simulated, "{}", row.id);
    }
    let here = ROWS.iter().map(|row| row.id).chain(LEFT_OUT.map(|row| row.0)).map(str::to_owned);
    assert_eq!(names, here.collect(), "every row of the table is here or left out");
}

#[test]
fn the_document_has_every_row() {
    let text = std::fs::read_to_string(file("docs/validation.md")).expect("it can be read");
    for id in ROWS.iter().map(|row| row.id).chain(LEFT_OUT.map(|row| row.0)) {
        assert!(text.contains(&format!("| {id} |")), "docs/validation.md lacks {id}");
    }
}
