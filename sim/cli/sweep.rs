//! `stormglass sweep`.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lab::outcome::Status;
use lab::scenario::{Choice, Source};
use lab::sweep::journal::{self, Header};
use lab::sweep::{Earlier, Known, Prepared, Request, SeedResult, Step, Swept, earlier, prepare};

use crate::args::{Format, SweepArgs};
use crate::journal::{Kept, SHARD_FILE};
use crate::progress::{self, Progress};
use crate::run::told;
use crate::{INTERRUPTED, files};

/// Failing seeds that are written down per point, the smallest.
const SEEDS_WRITTEN: usize = 3;

/// Runs a scenario over many seeds.
pub(crate) fn sweep(args: &SweepArgs) -> Result<u8, String> {
    progress::catch_interrupt();
    let matrix = matrix(args)?;
    let chaos = args.chaos.iter().map(|profile| ("chaos.profile".to_owned(), profile.clone()));
    let chosen: Vec<(String, String)> = args.choice.sets.iter().cloned().chain(chaos).collect();
    let each = matrix.iter().flat_map(|(path, values)| values.iter().map(move |value| (path.clone(), value.clone())));
    let sets: Vec<(String, String)> = chosen.iter().cloned().chain(each).collect();
    let source = files::scenario_with_data(&args.choice.scenario, &sets)?;
    let request = Request {
        sets: chosen,
        seeds: args.seeds,
        variants: args.variants.clone(),
        matrix,
        jobs: args.jobs.unwrap_or(0),
        fail_fast: args.fail_fast,
        twice: args.twice,
        shard: args.shard,
    };
    let prepared = prepare(&source, &request).map_err(|errors| told(&errors, args.choice.format))?;
    refuse(args, &prepared)?;
    let regressions = files::regressions(&args.choice.scenario).join(format!("{}.seeds", prepared.name));
    let (text, earlier) = earlier_failures(&regressions)?;
    let header = Header::of(&prepared, &source, &earlier);
    let folder = args.choice.out.join(&prepared.name);
    let runs = prepared.count();
    let (kept, known) = Kept::open(&folder, &prepared, &header, runs)?;
    let (swept, took, ran) = run(prepared, earlier.clone(), known, &kept);
    kept.complain();
    if let Some(took) = took {
        let rate = ran as f64 / took.as_secs_f64().max(1e-9);
        files::note(&format!("{ran} runs in {:.1} s, {rate:.1} runs/s\n", took.as_secs_f64()));
    }
    if swept.interrupted {
        files::note("interrupted: the same command goes on where this stopped\n");
    }
    let code = match request.shard {
        Some(_) if swept.interrupted => INTERRUPTED,
        Some(_) => shard(args, &folder, &header, &swept)?,
        None => {
            let results = Results { swept: &swept, request: &request, source: &source, out: &args.choice.out };
            results.tell(args.choice.format)?;
            swept.exit
        }
    };
    if args.save {
        save(args, &regressions, text.as_deref(), &earlier, (&swept, &request))?;
    }
    if !swept.interrupted {
        kept.remove()?;
    }
    Ok(code)
}

/// What a part of a sweep cannot know.
fn refuse(args: &SweepArgs, prepared: &Prepared) -> Result<(), String> {
    let Some(shard) = args.shard else { return Ok(()) };
    let why = if args.fail_fast {
        "--fail-fast ends a sweep at its smallest failing seed, and a shard does not know those of the others"
    } else if args.save {
        "--save needs the whole sweep; run it without --shard, or run the failing seeds again"
    } else if prepared.seeds().is_none() {
        "precision decides after each seed whether it was the last, so it cannot be dealt out; give --seeds A..B"
    } else {
        return Ok(());
    };
    Err(format!("--shard {shard}: {why}"))
}

/// What failed earlier, if there is a file of it; and its text.
fn earlier_failures(path: &Path) -> Result<(Option<String>, Vec<Earlier>), String> {
    let text = files::text_if_there(path)?;
    let read = text.as_deref().map_or(Ok(Vec::new()), |text| earlier::read(&path.display().to_string(), text));
    read.map(|earlier| (text, earlier))
}

/// The sweep, how long it took, and how many of its runs were not known before.
fn run(
    prepared: Prepared,
    earlier: Vec<Earlier>,
    known: Vec<SeedResult>,
    kept: &Kept,
) -> (Swept, Option<Duration>, usize) {
    let name = prepared.name.clone();
    let progress = OnceLock::new();
    let (failing, ran) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let step = |step: Step| {
        let failing = failing.fetch_add(usize::from(step.failed), Ordering::Relaxed) + usize::from(step.failed);
        let progress = progress.get_or_init(|| Progress::new(&format!("sweep  {name}"), step.all as u64, "runs"));
        progress.at(step.finished as u64, &format!("{failing} failing"));
    };
    let keep = |result: &SeedResult| {
        ran.fetch_add(1, Ordering::Relaxed);
        kept.add(result);
    };
    let known = Known { earlier, results: known, keep: &keep };
    let swept = prepared.run(known, &progress::INTERRUPTED, &step);
    (swept, progress.get().map(Progress::finish), ran.into_inner())
}

/// Leaves a part of a sweep behind, for `merge`.
fn shard(args: &SweepArgs, folder: &Path, header: &Header, swept: &Swept) -> Result<u8, String> {
    let Some(shard) = header.request.shard else { return Ok(0) };
    let directory = folder.join(header.request.folder(Some(swept.seeds)));
    let lines = swept.results.iter().chain(&swept.extra).map(|result| journal::line(&header.identity, result));
    let text: String = std::iter::once(header.line()).chain(lines).collect();
    files::directory(&directory, &[(SHARD_FILE.to_owned(), text.into_bytes())])?;
    let (runs, failing) = (swept.results.len(), swept.unexpected().count());
    let directory = directory.display().to_string();
    match args.choice.format {
        Format::Human => files::print(&format!(
            "shard {shard} of the sweep {}: {runs} runs, {failing} not as expected; the verdict is that of all shards\n\
             results  {directory}\n\
             next     stormglass merge {}\n",
            swept.name,
            directory.replace(&format!("-shard-{}-of-", shard.number), "-shard-*-of-")
        )),
        Format::Json => {
            let told = serde_json::json!({
                "scenario": swept.name, "shard": shard.to_string(), "runs": runs, "unexpected": failing,
                "directory": directory,
            });
            files::print(&format!("{told}\n"));
        }
    }
    Ok(0)
}

/// Adds what failed and should not have to the file of earlier failures.
fn save(
    args: &SweepArgs,
    path: &Path,
    text: Option<&str>,
    known: &[Earlier],
    (swept, request): (&Swept, &Request),
) -> Result<(), String> {
    // Another sweep may have added to it meanwhile.
    let now = earlier_failures(path).ok();
    let (text, known) = now.as_ref().map_or((text, known), |(text, known)| (text.as_deref(), known));
    let (text, fresh) = earlier::added(&swept.name, text, known, &earlier::of(swept, &request.sets));
    if fresh > 0 {
        files::replace(path, &text)?;
    }
    let told = match fresh {
        0 => "nothing failed that should not have and is not there yet".to_owned(),
        1 => "1 seed that failed".to_owned(),
        _ => format!("{fresh} seeds that failed"),
    };
    match args.choice.format {
        Format::Human => files::print(&format!("saved    {}: {told}\n", path.display())),
        Format::Json => files::note(&format!("{}: {told}\n", path.display())),
    }
    Ok(())
}

/// What a sweep leaves behind, however its runs came about.
pub(crate) struct Results<'a> {
    pub(crate) swept: &'a Swept,
    pub(crate) request: &'a Request,
    pub(crate) source: &'a Source,
    pub(crate) out: &'a Path,
}

impl Results<'_> {
    /// Writes the files and prints the text.
    pub(crate) fn tell(&self, format: Format) -> Result<(), String> {
        let Self { swept, request, source, out } = self;
        let summary = reports::sweep::of(swept, request, &source.name);
        let text = reports::json::sweep(&summary);
        let directory = out.join(&swept.name).join(request.folder(Some(swept.seeds)));
        let mut made = vec![
            ("sweep.json".to_owned(), text.clone().into_bytes()),
            ("seeds.csv".to_owned(), reports::seeds::csv(swept)),
        ];
        made.extend(reports::sweep::heat::files(&summary));
        made.push(("report.html".to_owned(), reports::html::sweep(&summary, swept).into_bytes()));
        let repros = if swept.interrupted { Vec::new() } else { self.repros() };
        let count = repros.len();
        made.extend(repros);
        files::directory(&directory, &made)?;
        match format {
            Format::Human => {
                files::print(&reports::terminal::sweep(&summary, files::colour()));
                files::print(&format!("results  {}\n", directory.display()));
                files::print(&format!("report   {}\n", directory.join("report.html").display()));
                if count > 0 {
                    let what = if count == 1 { "a failing run" } else { "failing runs" };
                    files::print(&format!("repros   {count} in repro/: {what}, with faults as they were\n"));
                }
            }
            Format::Json => files::print(&text),
        }
        Ok(())
    }

    /// The smallest failing seeds of each point as scenarios of their own.
    fn repros(&self) -> Vec<(String, Vec<u8>)> {
        let mut made: Vec<(String, Vec<u8>)> = Vec::new();
        for (index, point) in self.swept.points.iter().enumerate() {
            let broken = |result: &&SeedResult| {
                result.point == index && result.promises.iter().any(|promise| promise.status == Status::Violated)
            };
            for result in self.swept.results.iter().filter(broken).take(SEEDS_WRITTEN) {
                let sets = self.request.sets.iter().chain(&point.sets).cloned().collect();
                let choice = Choice { variant: point.variant.clone(), sets, seed: Some(result.seed) };
                if let Some(repro) = lab::repro::repro(self.source, &choice, result.events, &progress::INTERRUPTED) {
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
