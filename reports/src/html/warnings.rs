//! What the run itself found odd.

use super::Section;
use super::markup::Markup;
use lab::outcome::Outcome;

/// A line per warning.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    const MOST: usize = 10;
    if outcome.warnings.is_empty() {
        return None;
    }
    let mut body = Markup::default();
    body.node("ul", &[("class", "warnings")], |list| {
        for warning in outcome.warnings.iter().take(MOST) {
            list.leaf("li", &[], warning);
        }
    });
    if let Some(more) = outcome.warnings.len().checked_sub(MOST).filter(|more| *more > 0) {
        body.leaf("p", &[("class", "note")], &format!("… {more} more in summary.json"));
    }
    Some(Section { id: "warnings", title: "Warnings", body })
}
