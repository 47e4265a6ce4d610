//! JUnit's XML, as CI systems read it: a suite per file, a case per variant. Times are wall times.

use std::fmt::Write as _;
use std::time::Duration;

use super::{SuiteSummary, Test};

/// The document.
pub fn junit(summary: &SuiteSummary) -> String {
    let mut suites: Vec<&[Test]> = Vec::new();
    suites.extend(summary.tests.chunk_by(|one, next| one.file == next.file));
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(text, "<testsuites name=\"stormglass\" {}>", counts(&summary.tests));
    for suite in suites {
        let _ = writeln!(text, "  <testsuite name=\"{}\" {}>", escaped(&suite[0].file), counts(suite));
        suite.iter().for_each(|test| text.push_str(&case(test)));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// Who is wrong about the system is a failure; who could not be judged is an error.
fn kind(test: &Test) -> Option<&'static str> {
    match (test.passed(), test.state) {
        (true, _) => None,
        (false, "not as expected") => Some("failure"),
        (false, _) => Some("error"),
    }
}

fn counts(tests: &[Test]) -> String {
    let count = |wanted: &str| tests.iter().filter(|test| kind(test) == Some(wanted)).count();
    let took: Duration = tests.iter().map(|test| test.took).sum();
    let (failures, errors) = (count("failure"), count("error"));
    format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{:.3}\"", tests.len(), took.as_secs_f64())
}

fn case(test: &Test) -> String {
    let (class, name) = (escaped(&test.file), escaped(test.name()));
    let head = format!("    <testcase classname=\"{class}\" name=\"{name}\" time=\"{:.3}\"", test.took.as_secs_f64());
    let Some(kind) = kind(test) else { return format!("{head}/>\n") };
    let mut told = String::new();
    for trouble in &test.complaints {
        let seed = trouble.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
        let _ = writeln!(told, "{} (line {}{seed}): {}", trouble.what, trouble.line, trouble.told.join("\n  "));
    }
    told.extend(test.again());
    let first = test.summary.lines().next().unwrap_or_default();
    let message = format!("message=\"{}\" type=\"{}\"", escaped(first), escaped(test.state));
    format!("{head}>\n      <{kind} {message}>{}</{kind}>\n    </testcase>\n", escaped(&told))
}

/// As text or attribute; what XML cannot hold becomes `�`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}
