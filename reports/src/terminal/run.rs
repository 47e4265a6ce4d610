//! The text of one run.

use super::paint::Paint;
use super::{INDENT, WIDTH, clean, columns, wrapped};
use super::{parts, sections, stores};
use crate::mood::Mood;
use crate::number::{plain, thousands};
use kernel::{Span, Time};
use lab::outcome::{Expectation, Found, Outcome, Status, WarmupBy};

/// The text of a run, with a line feed at its end. `out_dir` is where its files are; ANSI colours only if asked for.
pub fn run(outcome: &Outcome, out_dir: &str, colour: bool) -> String {
    let paint = Paint { colour };
    let mut blocks = vec![head(outcome, paint)];
    blocks.push(sections::invariants(outcome, paint));
    blocks.push(sections::thresholds(outcome, paint));
    blocks.push(sections::operations(outcome, paint));
    blocks.push(sections::queues(outcome, paint));
    blocks.push(sections::transactions(outcome, paint));
    blocks.push(stores::stores(outcome, paint));
    blocks.push(parts::sagas(outcome, paint));
    blocks.push(parts::messages(outcome, paint));
    blocks.push(parts::groups(outcome, paint));
    blocks.push(parts::outboxes(outcome, paint));
    blocks.push(parts::retries(outcome, paint));
    blocks.push(parts::breakers(outcome, paint));
    blocks.push(sections::faults(outcome, paint));
    blocks.push(sections::warnings(outcome, paint));
    blocks.push(foot(outcome, out_dir, paint));
    blocks.retain(|block| !block.is_empty());
    let mut text = String::new();
    for (number, block) in blocks.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        for line in block {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

fn head(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let (mark, mood) = verdict_mark(outcome);
    let variant = outcome.variant.as_ref().map(|variant| format!("   variant {}", clean(variant))).unwrap_or_default();
    let name = format!("{}  seed {}{variant}", clean(&outcome.scenario), outcome.seed);
    let told = Some(&outcome.verdict.summary).filter(|told| !told.is_empty() && !simply_passed(outcome));
    let counts = counts(outcome);
    let in_one = counts.join(", ");
    let mut lines = vec![format!("{}   {}", paint.mood(mood, mark), paint.bold(&name))];
    if columns(mark) + 3 + columns(&name) + 5 + columns(&in_one) <= WIDTH {
        lines[0] += "     ";
        lines[0] += &in_one;
    } else {
        lines.extend(counts.iter().map(|line| indented(line)));
    }
    lines.extend(told.into_iter().flat_map(|told| wrapped(told, WIDTH - INDENT)).map(|line| indented(&line)));
    if !outcome.question.is_empty() {
        lines.extend(wrapped(&outcome.question, WIDTH - INDENT).into_iter().map(|line| paint.faint(&indented(&line))));
    }
    if outcome.warmup_by == WarmupBy::Mser5 {
        lines.push(indented(&format!("measured from {} on: warm-up chosen by MSER-5", Span(outcome.times.warmup.0))));
    }
    lines.push(indented(&format!(
        "{} virtual · {} events · run {} · engine {}",
        virtual_time(outcome.end),
        thousands(outcome.events),
        outcome.run_id,
        crate::ENGINE
    )));
    lines
}

/// The mark and word of the verdict, and how it is to be taken.
pub(crate) fn verdict_mark(outcome: &Outcome) -> (&'static str, Mood) {
    match (outcome.verdict.found, outcome.verdict.as_expected) {
        (Found::Pass, true) if missed(outcome) => ("✓ HOLDS ON THIS SEED", Mood::Doubtful),
        (Found::Pass, true) => ("✓ PASS", Mood::Good),
        (Found::Fail | Found::Inconclusive, true) => ("✓ AS EXPECTED", Mood::Good),
        (Found::Pass | Found::Fail, false) => ("✗ FAIL", Mood::Bad),
        (Found::Inconclusive, false) => ("? INCONCLUSIVE", Mood::Doubtful),
    }
}

/// Whether there is nothing to say but that everything holds.
pub(crate) fn simply_passed(outcome: &Outcome) -> bool {
    outcome.verdict.found == Found::Pass && outcome.verdict.as_expected && !missed(outcome)
}

/// Whether something that has to fail on some seed does not on this one.
pub(crate) fn missed(outcome: &Outcome) -> bool {
    let invariants = outcome.invariants.iter().map(|result| (result.status, result.expected));
    let thresholds = outcome.thresholds.iter().map(|result| (result.status, result.expected));
    let mut all = invariants.chain(thresholds);
    all.any(|(status, expected)| expected == Expectation::FailsOnSomeSeed && status != Status::Violated)
}

/// The command that runs the seeds of the scenario in this folder.
pub(crate) fn over_its_seeds(folder: &str) -> String {
    format!("stormglass sweep {folder}scenario.toml")
}

fn indented(text: &str) -> String {
    format!("{}{text}", " ".repeat(INDENT))
}

/// `60 s`, `63.4 s`; minutes and hours as spans have them.
pub(crate) fn virtual_time(end: Time) -> String {
    match end.0 {
        1_000_000_000..120_000_000_000 => format!("{} s", plain(end.seconds())),
        _ => Span(end.0).to_string(),
    }
}

/// How many promises there are and what became of them: one text for invariants, one for thresholds.
pub(crate) fn counts(outcome: &Outcome) -> Vec<String> {
    let judged = outcome.invariants.iter().filter(|result| !sections::left_to_sweeps(result));
    let invariants: Vec<Status> = judged.map(|result| result.status).collect();
    let thresholds: Vec<Status> = outcome.thresholds.iter().map(|result| result.status).collect();
    let parts = [
        counted(&invariants, "invariant", "broken", "hold", "holds"),
        counted(&thresholds, "threshold", "crossed", "met", "met"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { vec!["no promises".to_owned()] } else { parts }
}

/// `1 of 4 invariants broken`, `4 invariants hold`, `1 of 4 invariants undecided`.
fn counted(all: &[Status], noun: &str, broken: &str, many_hold: &str, one_holds: &str) -> Option<String> {
    if all.is_empty() {
        return None;
    }
    let plural = if all.len() == 1 { "" } else { "s" };
    let with = |status: Status| all.iter().filter(|found| **found == status).count();
    let bad = [
        (with(Status::Violated), broken),
        (with(Status::Unknown), "undecided"),
        (with(Status::Vacuous), "never evaluated"),
    ];
    let told: Vec<(usize, &str)> = bad.into_iter().filter(|(count, _)| *count > 0).collect();
    let Some(((first, what), rest)) = told.split_first() else {
        let holds = if all.len() == 1 { one_holds } else { many_hold };
        return Some(format!("{} {noun}{plural} {holds}", all.len()));
    };
    let rest: Vec<String> = rest.iter().map(|(count, what)| format!("{count} {what}")).collect();
    let rest = if rest.is_empty() { String::new() } else { format!(" ({})", rest.join(", ")) };
    Some(format!("{first} of {} {noun}{plural} {what}{rest}", all.len()))
}

fn foot(outcome: &Outcome, out_dir: &str, paint: Paint) -> Vec<String> {
    let dir = out_dir.trim_end_matches('/');
    let mut lines = vec![format!("{}   {dir}/report.html", paint.faint("report"))];
    if !crate::charts::plan(outcome).is_empty() || !outcome.topology.parts.is_empty() {
        lines.push(format!("{}   {dir}/charts/", paint.faint("charts")));
    }
    let label = paint.faint("next  ");
    if !outcome.verdict.as_expected {
        lines.push(format!("{label}   stormglass run {dir}/scenario.toml --seed {} --twice", outcome.seed));
    } else if missed(outcome) {
        lines.push(format!("{label}   {}   finds seeds on which it fails", over_its_seeds(&format!("{dir}/"))));
    }
    lines
}
