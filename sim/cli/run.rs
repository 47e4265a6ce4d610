//! `stormglass run`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lab::outcome::Outcome;
use lab::repro::{Replayed, Repro};
use lab::run::{Divergence, EventRecord, Go, Options, Progress as Passed};
use lab::scenario::{self, Colour, Diagnostics, Scenario};

use crate::args::{Format, RunArgs};
use crate::progress::{self, Progress};
use crate::{INTERRUPTED, NONDETERMINISM, files};

/// Runs one scenario with one seed.
pub(crate) fn run(args: &RunArgs) -> Result<u8, String> {
    progress::catch_interrupt();
    let choice = args.which.choice();
    let format = args.which.choice.format;
    let source = files::scenario_with_data(&args.which.choice.scenario, &choice.sets)?;
    let scenario = scenario::load(&source, &choice).map_err(|errors| told(&errors, format))?;
    let seed = scenario.model.run.seed;
    if format == Format::Human {
        files::note(&format!("{}  seed {seed}\n", scenario.model.name));
        files::note(&scenario.warnings.render(colour_of_errors()));
        if scenario.model.run.precision.is_some() {
            files::note("this is one run; `stormglass sweep` goes on until `run.precision` is reached\n");
        }
    }
    let (mut outcome, divergence, took) = simulate(args, &scenario, seed, format)?;
    let out = args.which.choice.out.join(&outcome.scenario).join(&outcome.run_id);
    let broke = !lab::repro::violated(&outcome).is_empty();
    let repro = broke.then(|| lab::repro::repro(&source, &choice, outcome.events, &progress::INTERRUPTED)).flatten();
    if broke {
        let story = lab::explain::unasked(&source, &choice, outcome.events, &progress::INTERRUPTED);
        outcome.story = story.map(Box::new);
    }
    let report_took = write(&out, &outcome, repro.as_ref(), took)?;
    match format {
        Format::Human => {
            files::print(&reports::terminal::run(&outcome, &out.display().to_string(), files::colour()));
            if let Some(repro) = &repro {
                files::print(&repro_text(repro, args, seed));
            }
            if let Some(replayed) = lab::repro::replayed(&scenario, &outcome) {
                files::print(&replayed_text(&replayed));
            }
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
    let variant = args.which.variant.as_deref();
    let ran = if args.twice {
        lab::run::twice(scenario, seed, variant, &Options::full(), &mut passed)
    } else {
        lab::run::run(scenario, seed, variant, &Options::full(), &mut passed).map(|outcome| (outcome, None))
    };
    let took = progress.finish();
    let (outcome, divergence) = ran.map_err(|list| told(&scenario.diagnostics(list), format))?;
    Ok((outcome, divergence, took))
}

fn repro_text(repro: &Repro, args: &RunArgs, seed: u64) -> String {
    let told = if repro.same { "its faults as they were" } else { "as far as it can be: it does not break the same" };
    let mut command =
        format!("stormglass shrink {}", reports::quoted_for_shell(&args.which.choice.scenario.display().to_string()));
    if let Some(variant) = &args.which.variant {
        let _ = write!(command, " --variant {variant}");
    }
    let _ = write!(command, " --seed {seed}");
    for (path, value) in &args.which.choice.sets {
        let _ = write!(command, " --set {}", reports::quoted_for_shell(&format!("{path}={value}")));
    }
    format!(
        "repro    repro.toml beside it: {told}\nsmaller  {command}\nwhy      {}\n",
        command.replacen("shrink", "explain", 1)
    )
}

fn replayed_text((replayed, epoch): &(Replayed, Option<u32>)) -> String {
    let epoch = epoch.map(|epoch| format!("; it was made by epoch {epoch}, this is epoch {}", lab::run::EPOCH));
    let epoch = epoch.unwrap_or_default();
    match replayed {
        Replayed::Same => format!("replay   event for event the run it was made from{epoch}\n"),
        Replayed::SameViolations => format!("replay   other events, the same violations{epoch}\n"),
        Replayed::Diverged { expected, found } => {
            let list = |classes: &[String]| if classes.is_empty() { "none".to_owned() } else { classes.join(", ") };
            format!("replay   DIVERGED: it was to violate {}; it violates {}{epoch}\n", list(expected), list(found))
        }
    }
}

fn write(out: &Path, outcome: &Outcome, repro: Option<&Repro>, took: Duration) -> Result<Duration, String> {
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
    all.extend(repro.map(|repro| ("repro.toml".to_owned(), repro.text.clone().into_bytes())));
    files::directory(out, &all)?;
    Ok(report_took)
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
