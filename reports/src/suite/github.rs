//! Workflow commands: what is wrong is shown at the line of the scenario that says otherwise.

use super::{SuiteSummary, Test, Trouble};

/// A line `::error file=…,line=…,title=…::…` for everything that is not as expected.
pub fn github(summary: &SuiteSummary) -> String {
    let of = |test: &Test| test.complaints.iter().map(|trouble| line(test, trouble)).collect::<String>();
    summary.tests.iter().filter(|test| !test.passed()).map(of).collect()
}

fn line(test: &Test, trouble: &Trouble) -> String {
    let seed = trouble.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
    let title = format!("{} ({}{seed})", trouble.what, test.name());
    let mut told = trouble.told.join("\n");
    if let Some(again) = test.again() {
        told.push('\n');
        told.push_str(&again);
    }
    format!("::error file={},line={},title={}::{}\n", property(&test.file), trouble.line, property(&title), data(&told))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
