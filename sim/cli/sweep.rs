//! `stormglass sweep`.

use std::sync::atomic::{AtomicUsize, Ordering};

use lab::model::At;
use lab::outcome::{Found, Quantity, Status};
use lab::scenario::{Choice, Source};
use lab::sweep::{REPLICATIONS_MAX, Request, SeedResult, Step, Swept};
use reports::SweepSummary;
use reports::sweep::{FailureGroup, Mean, Median, Point, Precise, Reruns, Unjudged};

use crate::args::{Format, SweepArgs};
use crate::files;
use crate::progress::{self, Progress};
use crate::run::told;

/// Failing seeds that are written down per point, the smallest.
const SEEDS_WRITTEN: usize = 3;

/// The smallest failing seeds of each point as scenarios of their own.
fn repros(swept: &Swept, args: &SweepArgs, source: &Source) -> Vec<(String, Vec<u8>)> {
    let mut made: Vec<(String, Vec<u8>)> = Vec::new();
    for (index, point) in swept.points.iter().enumerate() {
        let broken = |result: &&SeedResult| {
            result.point == index && result.promises.iter().any(|promise| promise.status == Status::Violated)
        };
        for result in swept.results.iter().filter(broken).take(SEEDS_WRITTEN) {
            let sets = args.choice.sets.iter().chain(&point.sets).cloned().collect();
            let choice = Choice { variant: point.variant.clone(), sets, seed: Some(result.seed) };
            if let Some(repro) = lab::repro::repro(source, &choice, result.events, &progress::INTERRUPTED) {
                let letter = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '_' };
                let mut name: String = point.name().chars().map(letter).collect();
                if made.iter().any(|(other, _)| *other == format!("repro/{name}-{}.toml", result.seed)) {
                    name = format!("{name}-{index}");
                }
                made.push((format!("repro/{name}-{}.toml", result.seed), repro.text.into_bytes()));
            }
        }
    }
    made
}

/// Failing seeds that are listed per point.
const SEEDS_LISTED: usize = 20;

/// Runs a scenario over many seeds.
pub(crate) fn sweep(args: &SweepArgs) -> Result<u8, String> {
    progress::catch_interrupt();
    let matrix = matrix(args)?;
    let each = matrix.iter().flat_map(|(path, values)| values.iter().map(move |value| (path.clone(), value.clone())));
    let sets: Vec<(String, String)> = args.choice.sets.iter().cloned().chain(each).collect();
    let source = files::scenario_with_data(&args.choice.scenario, &sets)?;
    let request = Request {
        sets: args.choice.sets.clone(),
        seeds: args.seeds,
        variants: args.variants.clone(),
        matrix,
        jobs: args.jobs.unwrap_or(0),
        fail_fast: args.fail_fast,
        twice: args.twice,
    };
    let name = args.choice.scenario.file_stem().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let progress = std::sync::OnceLock::new();
    let failing = AtomicUsize::new(0);
    let step = |step: Step| {
        let failing = failing.fetch_add(usize::from(step.failed), Ordering::Relaxed) + usize::from(step.failed);
        let progress = progress.get_or_init(|| Progress::new(&format!("sweep  {name}"), step.all as u64, "runs"));
        progress.at(step.finished as u64, &format!("{failing} failing"));
    };
    let swept = lab::sweep::sweep(&source, &request, &progress::INTERRUPTED, &step)
        .map_err(|errors| told(&errors, args.choice.format))?;
    let took = progress.get().map(Progress::finish);
    let summary = summary(&swept, args);
    let text = reports::json::sweep(&summary);
    let directory = args.choice.out.join(&swept.name).join(format!("sweep-{}-{}", swept.seeds.0, swept.seeds.1));
    let seeds = reports::seeds::csv(&swept);
    let mut made = vec![("sweep.json".to_owned(), text.clone().into_bytes()), ("seeds.csv".to_owned(), seeds)];
    let repros = if swept.interrupted { Vec::new() } else { repros(&swept, args, &source) };
    let count = repros.len();
    made.extend(repros);
    files::directory(&directory, &made)?;
    match args.choice.format {
        Format::Human => {
            files::print(&reports::terminal::sweep(&summary, files::colour()));
            files::print(&format!("results  {}\n", directory.display()));
            if count > 0 {
                let what = if count == 1 { "a failing run" } else { "failing runs" };
                files::print(&format!("repros   {count} in repro/: {what}, with faults as they were\n"));
            }
        }
        Format::Json => files::print(&text),
    }
    if let Some(took) = took {
        let rate = swept.results.len() as f64 / took.as_secs_f64().max(1e-9);
        files::note(&format!("{} runs in {:.1} s, {rate:.1} runs/s\n", swept.results.len(), took.as_secs_f64()));
    }
    Ok(swept.exit)
}

/// Paths with their values, none of them twice.
fn matrix(args: &SweepArgs) -> Result<Vec<(String, Vec<String>)>, String> {
    let axis = |(path, values): &(String, String)| {
        let values = split_values(values);
        let twice = values.iter().enumerate().find(|(n, value)| values[..*n].contains(value));
        match twice {
            Some((_, value)) => Err(format!("--matrix {path} has the value `{value}` twice")),
            None => Ok((path.clone(), values)),
        }
    };
    args.matrix.iter().map(axis).collect()
}

/// `a,b` at the top level: commas inside brackets and quotes belong to the value.
fn split_values(text: &str) -> Vec<String> {
    let (mut values, mut depth, mut quoted, mut word) = (Vec::new(), 0_i32, false, String::new());
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if depth == 0 && !quoted => {
                values.push(std::mem::take(&mut word).trim().to_owned());
                continue;
            }
            _ => {}
        }
        word.push(c);
    }
    values.push(word.trim().to_owned());
    values
}

fn summary(swept: &Swept, args: &SweepArgs) -> SweepSummary {
    let measured = measured(swept);
    let points = swept.points.iter().enumerate().map(|(index, point)| {
        let mine = || swept.results.iter().filter(move |r| r.point == index);
        let count = |found: Found| mine().filter(|r| r.found == found).count() as u64;
        let unjudged = mine().filter(|r| only_unjudged(point, r)).count() as u64;
        let values: Vec<Quantity> = measured
            .iter()
            .flat_map(|name| mine().filter_map(|r| r.promises.iter().find(|p| p.name == *name)?.threshold?))
            .collect();
        Point {
            name: point.name(),
            pass: count(Found::Pass),
            fail: count(Found::Fail),
            unknown: count(Found::Inconclusive),
            as_expected: swept.verdicts[index].as_ref().map(|verdict| verdict.as_expected),
            median: Median::of(&values),
            precision: swept.precisions[index].as_ref().map(precise),
            unjudged: (unjudged > 0).then_some(Unjudged { seeds: unjudged, judged_on: point.scenario.model.run.seed }),
            failing: mine().filter(|r| r.found == Found::Fail).map(|r| r.seed).take(SEEDS_LISTED).collect(),
        }
    });
    let axis: Vec<&str> = swept
        .points
        .iter()
        .flat_map(|p| p.sets.iter().skip(args.choice.sets.len()).map(|(path, _)| path.as_str()))
        .collect();
    let failures = failures(swept);
    let told = |(point, verdict): (&lab::sweep::Point, &Option<_>)| -> Option<String> {
        let verdict: &lab::promise::SweepVerdict = verdict.as_ref()?;
        Some(format!("{}: {}", point.name(), verdict.summary))
    };
    let reasons: Vec<String> = swept.points.iter().zip(&swept.verdicts).filter_map(told).chain(vague(swept)).collect();
    SweepSummary {
        scenario: swept.name.clone(),
        seeds: swept.seeds,
        axis: axis.first().map_or_else(
            || if swept.points.len() > 1 { "variant".to_owned() } else { String::new() },
            |first| (*first).to_owned(),
        ),
        points: points.collect(),
        measured,
        failures,
        reruns: args.twice.then(|| Reruns {
            seeds: swept.results.len() as u64,
            identical: swept.results.iter().filter(|r| r.divergence.is_none() && r.panic.is_none()).count() as u64,
        }),
        interrupted: swept.interrupted.then_some(swept.results.len() as u64),
        as_expected: swept.exit == 0,
        exit: swept.exit,
        summary: reasons.join(" · "),
        next: first_unexpected(swept).map(|(point, seed)| replay(args, &swept.points[point], seed)),
    }
}

/// Whether a failing run crossed nothing but thresholds that are not judged on its seed.
fn only_unjudged(point: &lab::sweep::Point, result: &SeedResult) -> bool {
    let (model, findings) = (&point.scenario.model, &result.findings);
    let fails = |name: &String| model.expect.some_seed && model.expect.fails.iter().any(|f| f.value == *name);
    result.found == Found::Fail
        && result.panic.is_none()
        && result.seed != model.run.seed
        && findings.failing.is_empty()
        && findings.vacuous.is_empty()
        && !findings.failing_thresholds.iter().any(fails)
}

/// Points that used up their replications and are not as precise as the file asks.
fn vague(swept: &Swept) -> impl Iterator<Item = String> {
    let points = swept.points.iter().zip(&swept.precisions);
    points.filter_map(|(point, precision)| {
        let precision = precision.as_ref().filter(|p| !p.reached && p.replications >= REPLICATIONS_MAX)?;
        Some(format!("{}: not precise enough after {} seeds", point.name(), precision.replications))
    })
}

fn precise(precision: &lab::sweep::Precision) -> Precise {
    let mean =
        |m: &lab::sweep::Mean| Mean { name: m.name.clone(), mean: m.mean, half_width: m.half_width, narrow: m.narrow };
    Precise {
        wanted: precision.wanted,
        replications: precision.replications,
        reached: precision.reached,
        means: precision.means.iter().map(mean).collect(),
    }
}

/// The first threshold about a percentile, else the first threshold.
fn measured(swept: &Swept) -> Option<String> {
    let names = || swept.results.iter().flat_map(|r| r.promises.iter()).filter(|p| p.threshold.is_some());
    names()
        .find(|p| matches!(p.threshold, Some(Some(Quantity::Seconds(_)))))
        .or_else(|| names().next())
        .map(|p| p.name.clone())
}

fn failures(swept: &Swept) -> Vec<FailureGroup> {
    let mut groups: Vec<FailureGroup> = Vec::new();
    let stands = |list: &[At<String>], promise: &String| list.iter().any(|name| name.value == *promise);
    for result in &swept.results {
        let point = &swept.points[result.point];
        let expect = &point.scenario.model.expect;
        let broken = result.promises.iter().filter(|p| p.status == Status::Violated).map(|p| p.name.clone());
        for promise in broken.chain(result.panic.iter().map(|_| "engine bug".to_owned())) {
            let place = point.name();
            match groups.iter_mut().find(|g| g.promise == promise && g.point == place) {
                Some(group) => group.runs += 1,
                None => groups.push(FailureGroup {
                    expected: stands(&expect.fails, &promise),
                    allowed: stands(&expect.may_fail, &promise),
                    judged_on: result
                        .promises
                        .iter()
                        .any(|p| p.name == promise && p.threshold.is_some())
                        .then_some(point.scenario.model.run.seed)
                        .filter(|_| !(expect.some_seed && stands(&expect.fails, &promise))),
                    promise,
                    runs: 1,
                    seed: result.seed,
                    point: place,
                }),
            }
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.runs));
    groups
}

/// The first run that contradicts its expectation.
fn first_unexpected(swept: &Swept) -> Option<(usize, u64)> {
    let verdicts = swept.verdicts.iter().enumerate().filter_map(|(point, verdict)| Some((point, verdict.as_ref()?)));
    let mut found = verdicts.filter_map(|(point, verdict)| Some((point, verdict.unexpected.first()?.0)));
    found.next()
}

fn replay(args: &SweepArgs, point: &lab::sweep::Point, seed: u64) -> String {
    let mut text = format!("stormglass run {} --seed {seed}", args.choice.scenario.display());
    if let Some(variant) = &point.variant {
        text.push_str(" --variant ");
        text.push_str(variant);
    }
    for (path, value) in args.choice.sets.iter().chain(&point.sets) {
        text.extend([" --set '", path, "=", value, "'"]);
    }
    text
}
