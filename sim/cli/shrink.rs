//! `stormglass shrink`.

use std::path::PathBuf;

use lab::scenario::Choice;
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
    let source = files::scenario_with_data(&args.choice.scenario, &args.choice.sets)?;
    let choice = Choice { variant: args.variant.clone(), sets: args.choice.sets.clone(), seed: args.seed };
    let request = Request { choice, promise: args.promise.clone(), budget: args.budget, jobs: args.jobs.unwrap_or(0) };
    let progress = Progress::new("shrink", args.budget, "runs at the most");
    let mut step = |step: lab::shrink::Step| {
        let left = format!("{}: {} faults, {} operations left", step.pass, step.left.faults, step.left.operations);
        progress.at(step.runs, &left);
    };
    let made = lab::shrink::shrink(&source, &request, &progress::INTERRUPTED, &mut step);
    progress.finish();
    let shrunk = match made {
        Ok(shrunk) => shrunk,
        Err(Refused::Wrong(errors)) => return Err(told(&errors, args.choice.format)),
        Err(Refused::Interrupted) => return Ok(INTERRUPTED),
        Err(Refused::NotBroken(classes)) => return Err(nothing_to_shrink(args, &classes)),
        Err(Refused::NotReproduced(class)) => {
            let what = "its faults were written down as they were, and then it was not broken any more";
            return Err(format!("{class}: {what}; this is a mistake of stormglass"));
        }
    };
    let folder = args.choice.out.join(&shrunk.outcome.scenario).join("min").join(&shrunk.outcome.run_id);
    let log: String = shrunk.log.iter().flat_map(|line| [line, "\n"]).collect();
    let made = [("min.toml".to_owned(), shrunk.text.clone().into_bytes()), ("shrink.log".to_owned(), log.into_bytes())];
    files::directory(&folder, &made)?;
    let file = if args.save { saved(args, &shrunk)? } else { folder.join("min.toml") };
    let of = format!(
        "{}, seed {}{}",
        shrunk.outcome.scenario,
        shrunk.outcome.seed,
        args.variant.as_ref().map(|variant| format!(", variant {variant}")).unwrap_or_default()
    );
    match args.choice.format {
        Format::Human => {
            let file = file.display().to_string();
            files::print(&reports::terminal::shrink(&shrunk, &of, &file, files::colour()));
        }
        Format::Json => files::print(&reports::json::shrink(&shrunk, &file.display().to_string())),
    }
    Ok(if shrunk.necessary { 0 } else { INCONCLUSIVE })
}

fn nothing_to_shrink(args: &ShrinkArgs, classes: &[String]) -> String {
    let names: Vec<&str> = classes.iter().filter_map(|class| class.split('/').next()).collect();
    match &args.promise {
        Some(promise) if !names.is_empty() => {
            format!("this run does not break `{promise}`; it breaks {}", names.join(", "))
        }
        Some(_) | None => {
            let which = args.seed.map_or_else(String::new, |seed| format!(" with seed {seed}"));
            let file = args.choice.scenario.display();
            format!("{file}{which} breaks no promise; `stormglass sweep {file}` finds seeds that do")
        }
    }
}

/// Puts the file among the regressions: in `regressions` of the folder `scenarios` that it is in, else beside it.
fn saved(args: &ShrinkArgs, shrunk: &Shrunk) -> Result<PathBuf, String> {
    let file = &args.choice.scenario;
    let folder = files::regressions(file);
    let words = [&shrunk.outcome.scenario, &shrunk.promise].map(|word| word.replace(['_', '.'], "-"));
    let path = folder.join(format!("{}.toml", words.join("-")));
    files::replace(&path, &shrunk.text)?;
    Ok(path)
}
