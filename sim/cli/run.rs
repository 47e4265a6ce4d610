//! `stormglass run`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lab::outcome::Outcome;
use lab::run::{Divergence, EventRecord, Go, Options, Progress as Passed};
use lab::scenario::{self, Choice, Colour, Diagnostics, Scenario};

use crate::args::{Format, RunArgs};
use crate::progress::{self, Progress};
use crate::{INTERRUPTED, NONDETERMINISM, files};

/// Runs one scenario with one seed.
pub(crate) fn run(args: &RunArgs) -> Result<u8, String> {
    progress::catch_interrupt();
    let choice = Choice { variant: args.variant.clone(), sets: args.choice.sets.clone(), seed: args.seed };
    let format = args.choice.format;
    let source = files::scenario_with_data(&args.choice.scenario, &choice.sets)?;
    let scenario = scenario::load(&source, &choice).map_err(|errors| told(&errors, format))?;
    let seed = scenario.model.run.seed;
    if format == Format::Human {
        files::note(&format!("{}  seed {seed}\n", scenario.model.name));
        files::note(&scenario.warnings.render(colour_of_errors()));
        if scenario.model.run.precision.is_some() {
            files::note("this is one run; `stormglass sweep` goes on until `run.precision` is reached\n");
        }
    }
    let (outcome, divergence, took) = simulate(args, &scenario, seed, format)?;
    let out = args.choice.out.join(&outcome.scenario).join(&outcome.run_id);
    let (wrote, report_took) = write(&out, &outcome, took)?;
    debug_assert!(wrote > 0);
    match format {
        Format::Human => {
            files::print(&reports::terminal::run(&outcome, &out.display().to_string(), files::colour()));
            files::note(&wall(&outcome, took, report_took));
        }
        Format::Json => files::print(&reports::json::run(&outcome)),
    }
    if let Some(divergence) = divergence {
        files::print(&divergence_text(&divergence));
        return Ok(NONDETERMINISM);
    }
    if args.twice && format == Format::Human {
        files::print(&format!("twice     identical, event for event: fingerprint {:016x}\n", outcome.fingerprint));
    }
    Ok(if progress::INTERRUPTED.load(Ordering::SeqCst) { INTERRUPTED } else { outcome.verdict.exit })
}

fn simulate(
    args: &RunArgs,
    scenario: &Scenario,
    seed: u64,
    format: Format,
) -> Result<(Outcome, Option<Divergence>, Duration), String> {
    let limit = scenario.model.run.duration + scenario.model.run.quiesce;
    let progress = Progress::new(&scenario.model.name, limit.0 / 1_000_000_000, "virtual s");
    let mut passed = |at: Passed| {
        progress.at(at.now.0 / 1_000_000_000, &format!("{} events", at.events));
        if progress::INTERRUPTED.load(Ordering::Relaxed) { Go::Stop } else { Go::On }
    };
    let variant = args.variant.as_deref();
    let ran = if args.twice {
        lab::run::twice(scenario, seed, variant, &Options::full(), &mut passed)
    } else {
        lab::run::run(scenario, seed, variant, &Options::full(), &mut passed).map(|outcome| (outcome, None))
    };
    let took = progress.finish();
    let (outcome, divergence) = ran.map_err(|list| told(&scenario.diagnostics(list), format))?;
    Ok((outcome, divergence, took))
}

fn write(out: &Path, outcome: &Outcome, took: Duration) -> Result<(usize, Duration), String> {
    let started = progress::clock();
    let mut all = reports::files(outcome);
    all.extend(reports::charts::files(outcome));
    all.push(("report.html".to_owned(), reports::html::report(outcome).into_bytes()));
    let report_took = started.elapsed();
    let meta = reports::Meta {
        engine: reports::ENGINE.to_owned(),
        host: std::env::var("HOSTNAME").unwrap_or_default(),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        arguments: std::env::args().collect(),
        started_unix_s: unix_seconds().saturating_sub(took.as_secs()),
        simulate_wall_s: took.as_secs_f64(),
        report_wall_s: report_took.as_secs_f64(),
        events_per_s: outcome.events as f64 / took.as_secs_f64().max(1e-9),
    };
    all.push(("meta.json".to_owned(), reports::meta(&meta)));
    files::directory(out, &all)?;
    Ok((all.len(), report_took))
}

#[expect(clippy::disallowed_methods, reason = "when a run was started stands in meta.json only")]
fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn wall(outcome: &Outcome, took: Duration, report: Duration) -> String {
    let rate = outcome.events as f64 / took.as_secs_f64().max(1e-9) / 1e6;
    format!(
        "{:.1} s virtual in {:.2} s, {rate:.1} M events/s; charts and tables in {:.2} s\n",
        outcome.end.seconds(),
        took.as_secs_f64(),
        report.as_secs_f64()
    )
}

fn divergence_text(divergence: &Divergence) -> String {
    let mut text = format!("✗ NONDETERMINISM  the same scenario and seed differ at event {}\n", divergence.event);
    for (name, side) in [("first ", &divergence.first), ("second", &divergence.second)] {
        let _ = match side {
            Some(EventRecord { time, sequence, node, kind, digest, fingerprint }) => {
                let what = format!("sequence {sequence}  {kind} at {node}  digest {digest:016x}");
                writeln!(text, "  {name}  {time}  {what}  fingerprint {fingerprint:016x}  {} ns", time.0)
            }
            None => writeln!(text, "  {name}  had ended"),
        };
    }
    text
}

/// What is wrong with a scenario, in the wanted form.
pub(crate) fn told(errors: &Diagnostics, format: Format) -> String {
    match format {
        Format::Human => errors.render(colour_of_errors()),
        Format::Json => {
            let text = serde_json::to_string_pretty(&serde_json::json!({ "errors": errors.json() }));
            files::print(&format!("{}\n", text.unwrap_or_default()));
            "the scenario is not valid".to_owned()
        }
    }
}

/// Whether standard error takes colours.
pub(crate) fn colour_of_errors() -> Colour {
    if files::colour_of_errors() { Colour::Ansi } else { Colour::Plain }
}
