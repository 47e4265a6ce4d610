//! Against theory: queues whose means, tails and losses have been known for decades, and Little's law to the nanosecond.
//!
//! The short form runs each scenario of `scenarios/theory/` for a shortened time and wants every estimate within four of
//! its own standard errors (batch means over 32 batches) of the closed form. Seeds are pinned, so a run is always the
//! same; with a right simulator a new seed would fail a row with probability 4e-4 (Student's t, 31 degrees of freedom).
//! The long form, `STORMGLASS_LONG=1` in a release build, runs the files as they are: each estimate within the tolerance
//! of its row, for which the file is long enough that the tolerance is at least four standard errors; and the file's own
//! thresholds. Both print every row. `rows` says what is compared with what, `formulas` computes it, `little` is the
//! identity.

mod formulas;
mod little;
mod rows;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use kernel::Span;
use lab::measure::{Metric, Stat, Value, Wanted};
use lab::outcome::Outcome;
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Scenario, Source, load};
use rayon::prelude::*;
use rows::{CASES, Case, MM1, Measure, Row};
use systems::app::ending::Ending;

/// Standard errors that the short form allows, and that fit into a tolerance of the long form.
const ERRORS_MAX: f64 = 4.0;
const SECOND: f64 = 1e9;

/// A row measured.
struct Estimate {
    row: &'static Row,
    /// In the unit of the row.
    value: f64,
    error: f64,
    /// How many standard errors lie between the estimate and the closed form.
    distance: f64,
}

/// To the terminal, although the test passes: whoever runs it sees what was compared.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("stderr can be written");
}

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

/// A scenario from text, with changes.
pub(crate) fn scenario(name: &str, text: &str, sets: &[(&str, &str)]) -> Scenario {
    let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    load(&Source::new(name, text), &Choice { sets, ..Choice::default() })
        .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)))
}

/// One run of it, with its own seed, in which Little's law must hold on every queue.
pub(crate) fn outcome(scenario: &Scenario, wanted: Vec<Wanted>) -> Outcome {
    let options = Options { wanted, ..Options::lean() };
    let outcome = run(scenario, scenario.model.run.seed, None, &options, &mut |_| Go::On)
        .unwrap_or_else(|errors| panic!("{}", scenario.diagnostics(errors).render(Colour::Plain)));
    little::assert_identity(&outcome);
    outcome
}

fn mean(metric: Metric, labels: &[(&str, &str)]) -> Wanted {
    Wanted { above: None, ..Wanted::above(metric, labels, Span::ZERO) }
}

/// What must be measured for a row: one or two terms.
fn terms(row: &Row) -> Vec<Wanted> {
    match row.measure {
        Measure::Mean(metric, labels) => vec![mean(metric, labels)],
        Measure::MeanOfGood(metric, labels) => vec![Wanted { tag: Some(Ending::Ok.tag()), ..mean(metric, labels) }],
        Measure::Errors => vec![mean(Metric::Errors, &[])],
        Measure::ShareAboveZero(metric, labels) => vec![Wanted::above(metric, labels, Span::ZERO)],
        Measure::Percentile99(_) => {
            let limit = Span(((row.closed_form)() * SECOND) as u64);
            let percentile = Wanted { stat: Stat::Percentile(0.99), ..mean(Metric::Latency, &[]) };
            vec![Wanted::above(Metric::Latency, &[], limit), percentile]
        }
    }
}

/// The terms of a row as its estimate.
fn estimate(row: &'static Row, values: &[Option<Value>]) -> Estimate {
    let value = |n: usize| values[n].unwrap_or_else(|| panic!("{}: nothing was measured", row.id));
    let error = value(0).error.unwrap_or_else(|| panic!("{}: too few samples for a standard error", row.id));
    match row.measure {
        Measure::Mean(..) | Measure::MeanOfGood(..) | Measure::Errors | Measure::ShareAboveZero(..) => {
            let distance = (value(0).number - (row.closed_form)()) / error;
            Estimate { row, value: value(0).number, error, distance }
        }
        // The share above the theoretical percentile is counted exactly, whereas the percentile is read from a histogram:
        // the distance is that of the share from a hundredth.
        Measure::Percentile99(density) => {
            let distance = (value(0).number - 0.01) / error;
            Estimate { row, value: value(1).number, error: error / density(), distance }
        }
    }
}

/// Runs a case with changes and gives its rows.
fn measure(case: &Case, sets: &[(&str, &str)]) -> (Outcome, Vec<Estimate>) {
    let path = format!("scenarios/theory/{}.toml", case.name);
    let wanted: Vec<Vec<Wanted>> = case.rows.iter().map(terms).collect();
    let outcome = outcome(&scenario(&path, &read(&path), sets), wanted.concat());
    let mut values = &outcome.estimates[..];
    let mut estimates = Vec::new();
    for (row, terms) in case.rows.iter().zip(&wanted) {
        let (mine, rest) = values.split_at(terms.len());
        estimates.push(estimate(row, mine));
        values = rest;
    }
    (outcome, estimates)
}

/// As `docs/validation.md` has it, a line per row.
fn line(case: &Case, found: &Estimate) -> String {
    let Estimate { row, value, error, distance } = found;
    let (expected, tolerance) = ((row.closed_form)(), 100.0 * row.tolerance);
    let fit = row.tolerance * expected / error;
    format!(
        "| {} | `{}` | {value:.7} | {error:.7} | {expected:.7} | {distance:+.2} σ | {tolerance:.1} % = {fit:.1} σ | {} | {} |",
        row.id, case.name, row.formula, row.source
    )
}

/// Everything of `cases` in parallel; each row printed.
fn measure_all(long: bool) -> Vec<(&'static Case, Outcome, Vec<Estimate>)> {
    static ALL: [Case; 8] = CASES;
    let results: Vec<_> = ALL
        .par_iter()
        .map(|case| {
            let short = [("run.duration", case.short)];
            let (outcome, estimates) = measure(case, if long { &[] } else { &short });
            (case, outcome, estimates)
        })
        .collect();
    say("| row | scenario | estimate | standard error | expected | distance | tolerance | formula | source |");
    for (case, _, estimates) in &results {
        for found in estimates {
            say(&line(case, found));
        }
    }
    for (case, outcome, _) in &results {
        say(&format!("{}: {} events until {}, seed {}", case.name, outcome.events, outcome.end, outcome.seed));
    }
    results
}

#[test]
fn queues_agree_with_theory() {
    let long = std::env::var_os("STORMGLASS_LONG").is_some_and(|value| value == "1");
    let mut wrong = Vec::new();
    for (case, outcome, estimates) in measure_all(long) {
        for found in estimates {
            let (row, expected) = (found.row, (found.row.closed_form)());
            if !long {
                let near = found.distance.abs() <= ERRORS_MAX;
                wrong.extend((!near).then(|| format!("{}: {:+.2} standard errors off", row.id, found.distance)));
                continue;
            }
            let tolerance = row.tolerance * expected;
            if (found.value - expected).abs() > tolerance {
                wrong.push(format!("{}: {} is not within {tolerance} of {expected}", row.id, found.value));
            }
            if ERRORS_MAX * found.error > tolerance {
                wrong.push(format!("{}: run too short, σ is {} and the tolerance {tolerance}", row.id, found.error));
            }
        }
        if long && outcome.verdict.exit != 0 {
            wrong.push(format!("{}: {}", case.name, outcome.verdict.summary));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Work that takes a fiftieth longer makes the stay a tenth longer; every row must notice in the short form.
#[test]
fn a_server_two_percent_too_slow_is_noticed() {
    let (_, estimates) = measure(&MM1, &[("run.duration", MM1.short), ("services.server.work", "exp(1.02s)")]);
    for found in &estimates {
        say(&format!("negative control, work exp(1.02s): {} {:+.1} σ", found.row.id, found.distance));
    }
    assert!(estimates.iter().all(|found| found.distance > ERRORS_MAX), "a wrong simulator would not be noticed");
}

/// Figures are printed with eight digits, and the percentile of the tandem with six.
#[test]
fn expected_figures_are_those_of_the_formulas() {
    for row in CASES.iter().flat_map(|case| case.rows) {
        let (exact, digits) = ((row.closed_form)(), if row.id == "A-tandem3-p99" { 5e-6 } else { 5e-8 });
        let off = (row.expected / exact - 1.0).abs();
        assert!(off <= digits, "{}: {} is printed, {} = {exact}", row.id, row.expected, row.formula);
    }
}

#[test]
fn expected_figures_are_those_of_the_published_table() {
    let path = file("../shared/validation/published.csv");
    if !path.exists() {
        say("theory: the table of published values is not at hand; the comparison with it is SKIPPED, and the figures");
        say("theory: embedded in tests/theory/rows.rs with their sources are used alone");
        return;
    }
    let mut table = csv::Reader::from_path(path).expect("the table can be read");
    let heads = table.headers().expect("the table has heads").clone();
    let column = |name: &str| heads.iter().position(|head| head == name).expect("the table has this column");
    let [id, expected, kind, tolerance] = ["id", "expected", "tol_type", "tol"].map(column);
    let records: Vec<csv::StringRecord> = table.records().map(|record| record.expect("a whole record")).collect();
    let number = |record: &csv::StringRecord, n: usize| record[n].parse::<f64>().expect("a number");
    for row in CASES.iter().flat_map(|case| case.rows).filter(|row| row.id.starts_with("A-")) {
        let record = records.iter().find(|record| &record[id] == row.id);
        let record = record.unwrap_or_else(|| panic!("{} is not in the table", row.id));
        assert_eq!(&record[kind], "rel", "{}", row.id);
        assert_eq!((number(record, expected), number(record, tolerance)), (row.expected, row.tolerance), "{}", row.id);
    }
    let identity = records.iter().find(|record| &record[id] == "A-little-identity").expect("it is in the table");
    assert!(number(identity, expected) == 0.0 && number(identity, tolerance) >= 0.0, "the identity is exact");
}

#[test]
fn the_document_has_every_row() {
    let text = read("docs/validation.md");
    for row in CASES.iter().flat_map(|case| case.rows) {
        assert!(text.contains(&format!("| {} |", row.id)), "docs/validation.md lacks {}", row.id);
    }
    assert!(text.contains("| A-little-identity |"));
}
