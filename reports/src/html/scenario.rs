//! The scenario as it was run, folded.

use super::Section;
use super::markup::Markup;
use crate::number::thousands;
use lab::outcome::Outcome;

/// As many lines as the page carries; a scenario with measured data can have many.
const MOST_LINES: usize = 2000;

/// The resolved file.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let lines = outcome.resolved.lines().count();
    if lines == 0 {
        return None;
    }
    let told = format!("scenario.toml, every default written out: {} lines", thousands(lines as u64));
    let mut body = Markup::default();
    body.node("details", &[], |details| {
        details.leaf("summary", &[], &told);
        let shown: String = outcome.resolved.split_inclusive('\n').take(MOST_LINES).collect();
        details.leaf("pre", &[], &shown);
        if lines > MOST_LINES {
            details.leaf(
                "p",
                &[("class", "note")],
                &format!("the first {MOST_LINES} lines; all of them are in scenario.toml"),
            );
        }
    });
    Some(Section { id: "scenario", title: "Scenario", body })
}
