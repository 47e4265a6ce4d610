//! `stormglass test`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use lab::scenario::Source;
use lab::suite::pins::{self, Pins};
use lab::suite::{Request, State, Tested, Tried};
use reports::suite::{SuiteSummary, word};

use crate::args::{TestArgs, TestFormat};
use crate::files;
use crate::progress::{self, Progress};

/// A file to test, and where its fingerprints are pinned.
struct Subject {
    path: PathBuf,
    /// The folder of the pins, and the file's path from there.
    pins: (PathBuf, String),
}

/// Runs every variant of many files and says whether all is as they expect.
pub(crate) fn test(args: &TestArgs) -> Result<u8, String> {
    progress::catch_interrupt();
    let (subjects, sources) = subjects(&args.paths)?;
    let before = read_pins(&subjects)?;
    let pinned = |file: usize, variant: Option<&str>| {
        let (folder, path) = &subjects[file].pins;
        if args.bless.is_some() { None } else { before.get(folder)?.of(path, variant) }
    };
    let request =
        Request { seeds: args.seeds, jobs: args.jobs.unwrap_or(0), twice: args.twice, clock: progress::since_start };
    let names: Vec<String> = subjects.iter().map(|subject| subject.path.display().to_string()).collect();
    let bar = std::sync::OnceLock::new();
    let over = AtomicUsize::new(0);
    let step = |tried: &Tried, all: usize| {
        let bar = bar.get_or_init(|| Progress::new("test", all as u64, "tests"));
        bar.passed(over.fetch_add(1, Ordering::Relaxed) as u64 + 1, &line(&names[tried.file], tried));
    };
    progress::since_start();
    let tested = lab::suite::test(&sources, &request, &pinned, &progress::INTERRUPTED, &step);
    bar.get().map(Progress::finish);
    let summary = SuiteSummary::new(&names, &tested);
    if let Some(path) = &args.junit {
        files::replace(path, &reports::suite::junit(&summary))?;
    }
    match args.format {
        TestFormat::Human => files::print(&reports::terminal::suite(&summary, files::colour())),
        TestFormat::Json => files::print(&reports::json::suite(&summary)),
        TestFormat::Github => {
            files::print(&reports::suite::github(&summary));
            files::print(&reports::terminal::suite(&summary, false));
        }
    }
    if let Some(reason) = &args.bless {
        bless(&subjects, &before, &tested, reason)?;
    }
    Ok(summary.exit)
}

/// `PASS [   0.123s] scenarios/theory/mm1.toml  base`
fn line(file: &str, tried: &Tried) -> String {
    let word = if tried.state == State::AsExpected { "PASS".to_owned() } else { word(tried.state).to_uppercase() };
    let variant = tried.variant.as_deref().unwrap_or("base");
    format!("{word:>15} [{:>8.3}s] {file}  {variant}", tried.took.as_secs_f64())
}

fn subjects(paths: &[PathBuf]) -> Result<(Vec<Subject>, Vec<Source>), String> {
    let (mut subjects, mut sources): (Vec<Subject>, Vec<Source>) = (Vec::new(), Vec::new());
    for root in paths {
        for path in files::find(std::slice::from_ref(root))? {
            let pins = pins_of(&path, root)?;
            if subjects.iter().any(|known| known.pins == pins) {
                continue;
            }
            sources.push(files::scenario_with_data(&path, &[])?);
            subjects.push(Subject { path, pins });
        }
    }
    if subjects.is_empty() {
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(format!("there is no scenario in {}", names.join(", ")));
    }
    Ok((subjects, sources))
}

/// The nearest folder above a file that has pins, wherever the command is given; else the one that was named, or that of
/// the file.
fn pins_of(path: &Path, root: &Path) -> Result<(PathBuf, String), String> {
    let whole = |path: &Path| path.canonicalize().map_err(|error| format!("cannot read {}: {error}", path.display()));
    let (path, root) = (whole(path)?, whole(root)?);
    let own = path.parent().unwrap_or(&path);
    let named = if root.is_dir() { &root } else { own };
    let nearest = own.ancestors().find(|folder| folder.join(pins::NAME).is_file());
    let folder = nearest.unwrap_or(named);
    let below = path.strip_prefix(folder).unwrap_or(&path);
    let parts: Vec<String> = below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    Ok((folder.to_path_buf(), parts.join("/")))
}

/// A path as people here call it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}

fn read_pins(subjects: &[Subject]) -> Result<BTreeMap<PathBuf, Pins>, String> {
    let mut read = BTreeMap::new();
    for folder in subjects.iter().map(|subject| &subject.pins.0) {
        let path = folder.join(pins::NAME);
        if read.contains_key(folder) {
            continue;
        }
        let pins = match std::fs::read_to_string(&path) {
            Ok(text) => Pins::read(&text).map_err(|error| format!("{}: {error}", shown(&path)))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Pins::default(),
            Err(error) => return Err(format!("cannot read {}: {error}", shown(&path))),
        };
        read.insert(folder.clone(), pins);
    }
    Ok(read)
}

/// Pins what every file did all of whose variants are as expected; forgets files that are gone.
fn bless(subjects: &[Subject], before: &BTreeMap<PathBuf, Pins>, tested: &Tested, reason: &str) -> Result<(), String> {
    for (folder, before) in before {
        let mut pins = before.clone();
        pins.keep(|path| folder.join(path).is_file());
        for (file, subject) in subjects.iter().enumerate().filter(|(_, subject)| subject.pins.0 == *folder) {
            let runs = || tested.tried.iter().filter(move |tried| tried.file == file);
            if runs().all(|tried| tried.state == State::AsExpected) && runs().count() > 0 && !tested.interrupted {
                let prints = runs().filter_map(|tried| Some((tried.variant.clone(), tried.fingerprint?)));
                pins.pin(&subject.pins.1, prints);
            } else {
                files::note(&format!("not blessed: {}\n", subject.path.display()));
            }
        }
        let path = folder.join(pins::NAME);
        match pins.blessed(before, reason) {
            Some(pins) => {
                files::replace(&path, &pins.write())?;
                files::print(&format!("blessed  {}: epoch {}, {} runs\n", shown(&path), pins.epoch, pins.len()));
            }
            None => files::print(&format!("blessed  {}: nothing has changed\n", shown(&path))),
        }
    }
    Ok(())
}

/// A reason that says something.
pub(crate) fn reason(text: &str) -> Result<String, String> {
    let words = text.split_whitespace().count();
    if words < 2 {
        return Err("a reason is a sentence: what changed, and why that is right".to_owned());
    }
    Ok(text.trim().to_owned())
}
