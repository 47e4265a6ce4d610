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
        text.extend(suite.iter().map(case));
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{SuiteSummary, Test, Trouble, github};
    use super::junit;

    fn test(state: &'static str, told: &str) -> Test {
        Test {
            file: "a <b>, & \"c\".toml".to_owned(),
            variant: Some("100%".to_owned()),
            seeds: 1,
            state,
            summary: format!("{told}\nmore"),
            complaints: vec![Trouble { line: 7, seed: Some(3), what: "x: y".to_owned(), told: vec![told.to_owned()] }],
            fingerprint: None,
            pin: None,
            events: 0,
            took: Duration::from_millis(1500),
        }
    }

    #[test]
    fn whatever_names_and_witnesses_hold_the_documents_keep_their_form() {
        let tests =
            vec![test("as expected", ""), test("not as expected", "]]>\u{1} 5 % < 6 %\nnext"), test("invalid", "?")];
        let summary = SuiteSummary { tests, files: 1, interrupted: false, exit: 2 };
        let text = junit(&summary);
        let document = roxmltree::Document::parse(&text).expect("it is XML");
        let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).expect("one suite");
        let counts = ["tests", "failures", "errors", "time"].map(|name| suite.attribute(name).expect("it is there"));
        assert_eq!(counts, ["3", "1", "1", "4.500"]);
        let failure = document.descendants().find(|node| node.has_tag_name("failure")).and_then(|node| node.text());
        assert!(failure.is_some_and(|told| told.starts_with("x: y (line 7, seed 3): ]]>\u{FFFD} 5 % < 6 %")), "{text}");
        let lines = github(&summary);
        assert_eq!(lines.lines().count(), 2, "one line each: {lines}");
        let head =
            "::error file=a <b>%2C & \"c\".toml,line=7,title=x%3A y (100%25%2C seed 3)::]]>\u{1} 5 %25 < 6 %25%0Anext";
        assert!(lines.starts_with(head), "{lines}");
    }
}
