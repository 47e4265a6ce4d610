//! Seeds that failed are kept beside the scenario, and tried first from then on.

use std::path::PathBuf;

use lab::scenario::load;
use lab::sweep::{Earlier, earlier};

use super::check::Check;
use super::runs::Runs;
use crate::files;

/// The seeds of this check that failed earlier, by its file of them, if it has one.
pub(super) fn seeds(check: &Check) -> Result<Vec<u64>, String> {
    let Some(path) = path(check) else { return Ok(Vec::new()) };
    let choice = check.choice();
    let mine = |one: &Earlier| {
        let (mut those, mut mine) = (one.sets.clone(), choice.sets.clone());
        those.sort_unstable();
        mine.sort_unstable();
        (one.variant == choice.variant && those == mine).then_some(one.seed)
    };
    Ok(known(&path)?.1.iter().filter_map(mine).collect())
}

/// Adds the seeds that contradict their expectation. A test that fails has more to tell than that this did not work.
pub(super) fn add(check: &Check, runs: &Runs) {
    let Some(path) = path(check) else { return };
    let Ok((text, known)) = known(&path) else { return };
    let choice = check.choice();
    let one = |(seed, why): (u64, &str)| Earlier {
        seed,
        variant: choice.variant.clone(),
        sets: choice.sets.clone(),
        why: why.chars().filter(|c| !c.is_control()).collect(),
    };
    let more: Vec<Earlier> = runs.unexpected().take(1).map(one).collect();
    let (text, fresh) = earlier::added(&runs.tried().scenario.model.name, text.as_deref(), &known, &more);
    if fresh > 0 {
        let _ = files::replace(&path, &text);
    }
}

fn known(path: &std::path::Path) -> Result<(Option<String>, Vec<Earlier>), String> {
    let text = files::text_if_there(path)?;
    let read = text.as_deref().map_or(Ok(Vec::new()), |text| earlier::read(&path.display().to_string(), text));
    read.map(|known| (text, known))
}

/// Of a scenario that is a file.
fn path(check: &Check) -> Option<PathBuf> {
    let file = check.file()?;
    let name = load(&check.source(), &check.choice()).ok()?.model.name;
    Some(files::regressions(file).join(format!("{name}.seeds")))
}
