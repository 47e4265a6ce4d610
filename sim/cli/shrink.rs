//! `stormglass shrink`.

use std::path::PathBuf;

use lab::shrink::{Refused, Request, Shrunk};

use crate::args::{Format, ShrinkArgs};
use crate::progress::{self, Progress};
use crate::run::told;
use crate::{INTERRUPTED, files};

/// The budget was spent before it was known that nothing can be left out.
const INCONCLUSIVE: u8 = 3;

/// Makes a failing run small.
pub(crate) fn shrink(args: &ShrinkArgs) -> Result<u8, String> {
    progress::catch_interrupt();
    let source = files::scenario_with_data(&args.which.choice.scenario, &args.which.choice.sets)?;
    let choice = args.which.choice();
    let mut request = Request {
        choice,
        promise: args.promise.clone(),
        budget: args.budget,
        jobs: args.jobs.unwrap_or(0),
        known: lab::shrink::Known::new(),
    };
    let journal =
        lab::shrink::journal_name(&source, &request).map_err(|errors| told(&errors, args.which.choice.format))?;
    let mut journal = Journal::open(args.which.choice.out.join(journal));
    request.known = journal.known();
    let progress = Progress::new("shrink", args.budget, "runs at the most");
    let mut step = |step: lab::shrink::Step| {
        let left = format!("{}: {} faults, {} operations left", step.pass, step.left.faults, step.left.operations);
        progress.at(step.runs, &left);
        journal.write(&step.journal);
    };
    let made = lab::shrink::shrink(&source, &request, &progress::INTERRUPTED, &mut step);
    progress.finish();
    let shrunk = match made {
        Ok(shrunk) => shrunk,
        Err(Refused::Wrong(errors)) => return Err(told(&errors, args.which.choice.format)),
        Err(Refused::Interrupted) => return Ok(INTERRUPTED),
        Err(Refused::NotBroken(classes)) => return Err(nothing_to_shrink(args, &classes)),
        Err(Refused::NotReproduced(class)) => {
            let what = "its faults were written down as they were, and then it was not broken any more";
            return Err(format!("{class}: {what}; this is a mistake of stormglass"));
        }
    };
    let folder = args.which.choice.out.join(&shrunk.outcome.scenario).join("min").join(&shrunk.outcome.run_id);
    let log: String = shrunk.log.iter().flat_map(|line| [line, "\n"]).collect();
    let made = [("min.toml".to_owned(), shrunk.text.clone().into_bytes()), ("shrink.log".to_owned(), log.into_bytes())];
    files::directory(&folder, &made)?;
    let file = if args.save { saved(args, &shrunk)? } else { folder.join("min.toml") };
    let of = format!(
        "{}, seed {}{}",
        shrunk.outcome.scenario,
        shrunk.outcome.seed,
        args.which.variant.as_ref().map(|variant| format!(", variant {variant}")).unwrap_or_default()
    );
    match args.which.choice.format {
        Format::Human => {
            let file = file.display().to_string();
            files::print(&reports::terminal::shrink(&shrunk, &of, &file, files::colour()));
        }
        Format::Json => files::print(&reports::json::shrink(&shrunk, &file.display().to_string())),
    }
    Ok(if shrunk.necessary { 0 } else { INCONCLUSIVE })
}

/// What was tried, in a file: if this ends before it is through, it goes on from there the next time.
struct Journal {
    path: PathBuf,
    known: lab::shrink::Known,
    /// The file ends in the middle of a line.
    torn: bool,
    failed: bool,
}

impl Journal {
    fn open(path: PathBuf) -> Self {
        let text = files::journal(&path);
        let known = lab::shrink::known(&text);
        if !known.is_empty() {
            files::note(&format!("{} attempts are known from {}\n", known.len(), path.display()));
        }
        Self { path, known, torn: !text.is_empty() && !text.ends_with('\n'), failed: false }
    }

    fn known(&mut self) -> lab::shrink::Known {
        std::mem::take(&mut self.known)
    }

    /// Who cannot write goes on without: it costs time when this is done again, and nothing else.
    fn write(&mut self, lines: &str) {
        if lines.is_empty() || self.failed {
            return;
        }
        let lines = if std::mem::take(&mut self.torn) { format!("\n{lines}") } else { lines.to_owned() };
        if let Err(error) = files::append(&self.path, &lines) {
            self.failed = true;
            files::note(&format!("{error}; it goes on, and is not kept\n"));
        }
    }
}

fn nothing_to_shrink(args: &ShrinkArgs, classes: &[String]) -> String {
    let names: Vec<&str> = classes.iter().filter_map(|class| class.split('/').next()).collect();
    match &args.promise {
        Some(promise) if !names.is_empty() => {
            format!("this run does not break `{promise}`; it breaks {}", names.join(", "))
        }
        Some(_) | None => {
            let which = args.which.seed.map_or_else(String::new, |seed| format!(" with seed {seed}"));
            let file = args.which.choice.scenario.display();
            format!("{file}{which} breaks no promise; `stormglass sweep {file}` finds seeds that do")
        }
    }
}

/// Puts the file among the regressions: in `regressions` of the folder `scenarios` that it is in, else beside it.
fn saved(args: &ShrinkArgs, shrunk: &Shrunk) -> Result<PathBuf, String> {
    let folder = files::regressions(&args.which.choice.scenario);
    let outcome = &shrunk.outcome;
    let variant = args.which.variant.clone();
    let words = [Some(outcome.scenario.clone()), variant, Some(shrunk.promise.clone()), Some(outcome.seed.to_string())];
    let words: Vec<String> = words.into_iter().flatten().map(|word| word.replace(['_', '.'], "-")).collect();
    let path = folder.join(format!("{}.toml", words.join("-")));
    files::replace(&path, &shrunk.text)?;
    Ok(path)
}
