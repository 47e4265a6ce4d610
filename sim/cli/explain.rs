//! `stormglass explain`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use lab::explain::{About, Effort, Explained, Nearest, Refused, Request};
use lab::scenario::Choice;

use crate::args::{AboutArgs, ExplainArgs, Format};
use crate::progress::{self, Progress};
use crate::run::told;
use crate::{INTERRUPTED, files};

/// Tells why.
pub(crate) fn explain(args: &ExplainArgs) -> Result<u8, String> {
    progress::catch_interrupt();
    let (file, seed) = scenario_of(&args.choice.scenario, args.seed)?;
    let source = files::scenario_with_data(&file, &args.choice.sets)?;
    let choice = Choice { variant: args.variant.clone(), sets: args.choice.sets.clone(), seed };
    let request = Request { choice, about: about(&args.about), effort: effort(args), passing: Nearest::LookedFor };
    let progress = OnceLock::new();
    let mut step = |at: lab::run::Progress| {
        let progress = progress.get_or_init(|| Progress::new("explain", at.limit.0 / 1_000_000, "ms"));
        progress.at(at.now.0 / 1_000_000, &at.now.to_string());
    };
    let made = lab::explain::explain(&source, &request, &progress::INTERRUPTED, &mut step);
    progress.get().map(Progress::finish);
    let Explained { story, outcome } = match made {
        Ok(explained) => explained,
        Err(Refused::Wrong(errors)) => return Err(told(&errors, args.choice.format)),
        Err(Refused::Unknown(what)) => return Err(what),
        Err(Refused::Interrupted) => return Ok(INTERRUPTED),
    };
    let variant = outcome.variant.as_ref().map(|variant| format!(", variant {variant}")).unwrap_or_default();
    let of = format!("{}, seed {}{variant}", outcome.scenario, outcome.seed);
    let text = reports::terminal::story(&story, &of, false);
    let json = reports::json::story(&story, &outcome);
    let folder = args.choice.out.join(&outcome.scenario).join("why").join(&outcome.run_id).join(slug(&story.title));
    let mut made = vec![
        ("story.txt".to_owned(), text.into_bytes()),
        ("story.json".to_owned(), json.clone().into_bytes()),
        ("spacetime.svg".to_owned(), reports::spacetime::svg(&story).into_bytes()),
    ];
    let chance = story.doom.as_ref().and_then(reports::chance::svg);
    made.extend(chance.map(|picture| ("chance.svg".to_owned(), picture.into_bytes())));
    files::directory(&folder, &made)?;
    match args.choice.format {
        Format::Human => {
            files::print(&reports::terminal::story(&story, &of, files::colour()));
            files::print(&format!("\npicture  {}\n", folder.join("spacetime.svg").display()));
        }
        Format::Json => files::print(&json),
    }
    Ok(0)
}

/// A run's folder stands for the scenario in it, and its seed.
fn scenario_of(path: &Path, seed: Option<u64>) -> Result<(PathBuf, Option<u64>), String> {
    if !path.is_dir() {
        return Ok((path.to_owned(), seed));
    }
    let summary = path.join("summary.json");
    let name = summary.display();
    if !summary.is_file() {
        return Err(format!("{} is not the folder of a run: it has no summary.json", path.display()));
    }
    let text = files::summary(&summary)?;
    let summary: serde_json::Value = serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
    let its = summary.get("seed").and_then(serde_json::Value::as_u64);
    let its = its.ok_or_else(|| format!("{name} does not say with which seed it was run"))?;
    Ok((path.join("scenario.toml"), Some(seed.unwrap_or(its))))
}

fn effort(args: &ExplainArgs) -> Option<Effort> {
    let (futures, budget) = (args.futures, args.budget);
    (futures > 0).then(|| Effort { futures, budget, jobs: args.jobs.unwrap_or(0) })
}

fn about(args: &AboutArgs) -> Option<About> {
    let named = [
        args.op.clone().map(About::Operation),
        args.saga.clone().map(About::Saga),
        args.transaction.clone().map(About::Transaction),
        args.at.map(About::At),
        args.violation.map(About::Violation),
    ];
    named.into_iter().flatten().next()
}

/// A title as the name of a folder.
fn slug(title: &str) -> String {
    let plain: String = title.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }).collect();
    plain.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}
