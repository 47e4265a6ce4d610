//! The text of a story: what is wrong, who did what when, and why that matters.

use super::paint::Paint;
use super::{INDENT, WIDTH, clean, columns, wrapped};
use crate::number::thousands;
use lab::explain::{Change, Line, Mood, Story, moment};

/// Columns of what happened, before its outcome; longer ones push it to the right.
const WHAT_MAX: usize = 46;

/// The text, with a line feed at its end. `of` is the run: `saga, seed 3, variant dual_write`.
pub fn story(story: &Story, of: &str, colour: bool) -> String {
    let paint = Paint { colour };
    let mark = if story.promise.is_some() { paint.bad("✗ WHY") } else { paint.bold("WHY") };
    let mut lines = vec![format!("{mark}  {} → {}", clean(of), paint.bold(&clean(&story.title)))];
    let indent = " ".repeat(INDENT);
    let told = story.says.iter().flat_map(|line| wrapped(line, WIDTH - INDENT));
    lines.extend(told.map(|line| format!("{indent}{line}")));
    lines.push(String::new());
    lines.extend(table(&story.lines, paint));
    lines.push(String::new());
    if let Some(doom) = &story.doom {
        lines.extend(block("doomed", &crate::chance::told(doom)));
    }
    if story.passing.is_some() || story.tried > 0 {
        lines.extend(block("nearest", &passing(story)));
    }
    lines.extend(counts(story).into_iter().map(|line| paint.faint(&line)));
    lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// The lines, in columns.
fn table(lines: &[Line], paint: Paint) -> Vec<String> {
    let wide = |text: fn(&Line) -> &str, most: usize| {
        lines.iter().map(|line| columns(text(line))).filter(|wide| *wide <= most).max().unwrap_or(0)
    };
    let (lane, what) = (wide(|line| &line.lane, 24), wide(|line| &line.what, WHAT_MAX));
    let each = lines.iter().map(|line| {
        let (who, did) = (pad(&clean(&line.lane), lane), pad(&clean(&line.what), what));
        let outcome = match line.mood {
            Mood::Good => paint.good(&clean(&line.outcome)),
            Mood::Bad => paint.bad(&clean(&line.outcome)),
            Mood::Plain => clean(&line.outcome),
        };
        let did = if line.mood == Mood::Bad && line.outcome.is_empty() { paint.bad(&did) } else { did };
        let note =
            if line.note.is_empty() { String::new() } else { paint.doubtful(&format!("  ← {}", clean(&line.note))) };
        format!("  {}  {who}  {did}  {outcome}{note}", moment(line.time))
    });
    each.collect()
}

fn pad(text: &str, wide: usize) -> String {
    format!("{text}{}", " ".repeat(wide.saturating_sub(columns(text))))
}

/// Lines behind a word.
fn block(word: &str, lines: &[String]) -> Vec<String> {
    let cut = lines.iter().flat_map(|line| wrapped(line, WIDTH - INDENT)).enumerate();
    cut.map(|(number, line)| format!("{:INDENT$}{line}", if number == 0 { word } else { "" })).collect()
}

/// What the nearest run that keeps the promise does differently.
pub(crate) fn passing(story: &Story) -> Vec<String> {
    let Some(passing) = &story.passing else {
        return vec![format!(
            "{} runs near this one were tried, and none keeps the promise",
            thousands(story.tried as u64)
        )];
    };
    let change = match &passing.change {
        Change::WithoutFault(name) => format!("without the fault {name} the promise is kept"),
        Change::WithoutOperation(workload, number) => {
            format!("without operation {workload}/{number} the promise is kept")
        }
        Change::Seed(seed) => {
            format!("with seed {seed} the promise is kept, and everything differs from the beginning")
        }
    };
    let mut lines = vec![change];
    if let Some(differs) = &passing.differs {
        let here = if differs.failing.is_empty() { "nothing more" } else { &differs.failing };
        let here = format!("{} {here} (event {})", moment(differs.time), thousands(differs.event));
        lines.push(match &differs.passing {
            Some((time, there)) => format!("first difference: {} {there}; here instead {here}", moment(*time)),
            None => format!("first difference: there nothing more happens, here {here}"),
        });
    }
    lines
}

/// How much of the run this is.
pub(crate) fn counts(story: &Story) -> Vec<String> {
    let counts = story.counts;
    let about = if story.promise.is_some() { "up to there" } else { "in all" };
    let mut lines = vec![format!(
        "{} events {about}; {} of them are about it, {} led to it",
        thousands(counts.events),
        thousands(counts.own),
        thousands(counts.caused)
    )];
    if counts.left_out > 0 {
        lines.push(format!("{} lines that say least are left out", thousands(counts.left_out)));
    }
    if counts.forgotten {
        lines.push("the run is so long that its beginning was forgotten".to_owned());
    }
    lines
}
