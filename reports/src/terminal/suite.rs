//! The text of a suite: what is not as expected, each with the command that shows it, and the sum.

use super::paint::Paint;
use super::{INDENT, WIDTH, clean, wrapped};
use crate::mood::Mood;
use crate::number::thousands;
use crate::suite::{SuiteSummary, Test};

/// Complaints of one variant that are told.
const COMPLAINTS_SHOWN: usize = 4;

/// The text, with a line feed at its end; ANSI colours only if asked for.
pub fn suite(summary: &SuiteSummary, colour: bool) -> String {
    let paint = Paint { colour };
    let mut lines = Vec::new();
    for test in summary.tests.iter().filter(|test| !test.passed()) {
        lines.extend(failed(test, paint));
        lines.push(String::new());
    }
    lines.push(sum(summary, paint));
    lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

fn failed(test: &Test, paint: Paint) -> Vec<String> {
    if test.state == "invalid" {
        let title = paint.bad(&format!("✗ INVALID  {}", clean(&test.file)));
        let errors = test.summary.lines().map(clean);
        return [title].into_iter().chain(errors).collect();
    }
    let (mark, mood) = if test.state == "inconclusive" { ("?", Mood::Doubtful) } else { ("✗", Mood::Bad) };
    let title = paint.mood(mood, &format!("{mark} {}", test.state.to_uppercase()));
    let mut lines = vec![format!("{title}  {}  {}", clean(&test.file), clean(test.name()))];
    let indent = " ".repeat(INDENT);
    lines.extend(wrapped(&test.summary, WIDTH - INDENT).into_iter().map(|line| format!("{indent}{line}")));
    // What the summary says already is not said again.
    let news = || test.complaints.iter().filter(|trouble| trouble.told != [test.summary.as_str()]);
    for trouble in news().take(COMPLAINTS_SHOWN) {
        let seed = trouble.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
        lines.push(format!("{indent}{} (line {}{seed})", paint.bold(&clean(&trouble.what)), trouble.line));
        let told = trouble.told.iter().flat_map(|line| wrapped(line, WIDTH - INDENT - 2));
        lines.extend(told.map(|line| format!("{indent}  {line}")));
    }
    if news().count() > COMPLAINTS_SHOWN {
        lines.push(format!("{indent}and {} more", news().count() - COMPLAINTS_SHOWN));
    }
    lines.extend(test.again().map(|again| format!("again    {again}")));
    lines
}

fn sum(summary: &SuiteSummary, paint: Paint) -> String {
    let tests = &summary.tests;
    let passed = tests.iter().filter(|test| test.passed()).count();
    let some = |count: usize, one: &str, many: &str| {
        format!("{} {}", thousands(count as u64), if count == 1 { one } else { many })
    };
    let of = format!("{} of {}", some(tests.len(), "test", "tests"), some(summary.files as usize, "file", "files"));
    let pins = |wanted: &str| tests.iter().filter(|test| test.pin == Some(wanted)).count();
    let mut parts = Vec::new();
    if passed < tests.len() {
        parts.push(format!(
            "{} as expected, {} not",
            thousands(passed as u64),
            thousands((tests.len() - passed) as u64)
        ));
    }
    let pinned = [
        (pins("as pinned"), "fingerprint as pinned", "fingerprints as pinned"),
        (pins("changed"), "fingerprint changed", "fingerprints changed"),
        (pins("new"), "fingerprint not pinned", "fingerprints not pinned"),
    ];
    parts.extend(pinned.into_iter().filter(|(count, ..)| *count > 0).map(|(count, one, many)| some(count, one, many)));
    let rest: String = parts.iter().flat_map(|part| [" · ", part]).collect();
    match (summary.interrupted, summary.exit) {
        (true, _) => paint.doubtful(&format!("INTERRUPTED after {of}{rest}")),
        (false, 0) => format!("{}  {of} as expected{rest}", paint.good("✓ AS EXPECTED")),
        (false, 3) => format!("{}  {of}{rest}", paint.doubtful("? INCONCLUSIVE")),
        (false, _) => format!("{}  {of}{rest}", paint.bad("✗ FAIL")),
    }
}
