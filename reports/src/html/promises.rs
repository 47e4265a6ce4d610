//! The promises: first those that failed, stayed open or surprised, each with its witness or its numbers; then those that
//! hold.

use super::markup::Markup;
use super::table::{NONE, Table, code, numbers, words};
use super::{Section, contradiction, spark};
use crate::mood::Mood;
use crate::number::{quantity, thousands};
use crate::terminal::{expectation, invariant_told, left_to_sweeps};
use lab::outcome::{Expectation, InvariantResult, Outcome, Status, ThresholdResult};

/// The class that gives a result its colour.
pub(crate) fn class(mood: Mood) -> &'static str {
    match mood {
        Mood::Bad => "bad",
        Mood::Doubtful => "doubt",
        Mood::Good => "good",
    }
}

fn mark(status: Status) -> &'static str {
    match status {
        Status::Holds => "✓",
        Status::Violated => "✗",
        Status::Unknown => "?",
        Status::Vacuous => "○",
    }
}

/// One promise of either sort.
#[derive(Clone, Copy)]
enum Promise<'a> {
    Invariant(&'a InvariantResult),
    Threshold(&'a ThresholdResult),
}

impl Promise<'_> {
    fn mood(self) -> Mood {
        Mood::of(self.status(), self.expected())
    }

    fn expected(self) -> Expectation {
        match self {
            Self::Invariant(result) => result.expected,
            Self::Threshold(result) => result.expected,
        }
    }

    fn status(self) -> Status {
        match self {
            Self::Invariant(result) => result.status,
            Self::Threshold(result) => result.status,
        }
    }
}

fn all(outcome: &Outcome) -> Vec<Promise<'_>> {
    let invariants = outcome.invariants.iter().map(Promise::Invariant);
    invariants.chain(outcome.thresholds.iter().map(Promise::Threshold)).collect()
}

/// What did not simply hold: the wrong first, then the doubtful, invariants before thresholds.
pub(super) fn failed(outcome: &Outcome) -> Option<Section> {
    let mut shown = all(outcome);
    shown.retain(|promise| promise.mood() != Mood::Good);
    let allowed = |promise: &Promise| promise.expected() == Expectation::MayFail;
    shown.sort_by_key(|promise| (promise.mood(), promise.status() != Status::Violated, allowed(promise)));
    let title = match shown.first()?.mood() {
        Mood::Bad => "What failed",
        Mood::Doubtful | Mood::Good if shown[0].status() != Status::Violated => "What stayed open",
        Mood::Doubtful | Mood::Good if allowed(&shown[0]) => "What failed, as is allowed",
        Mood::Doubtful | Mood::Good => "What failed, as expected",
    };
    let mut body = Markup::default();
    for promise in shown {
        body.node("article", &[("class", class(promise.mood()))], |card| match promise {
            Promise::Invariant(result) => invariant(card, result),
            Promise::Threshold(result) => threshold(card, outcome, result),
        });
    }
    Some(Section { id: "failed", title, body })
}

fn head(card: &mut Markup, status: Status, name: &str, sort: &str, expected: Expectation) {
    card.node("h3", &[], |title| {
        title.leaf("span", &[("class", "mark")], mark(status)).say(" ").leaf("span", &[("class", "name")], name);
        title.leaf("span", &[("class", "sort")], sort);
        if let Some(told) = expectation(status, expected) {
            title.leaf("span", &[("class", "tag")], told);
        }
    });
}

fn invariant(card: &mut Markup, result: &InvariantResult) {
    head(card, result.status, &result.name, &format!("invariant, {}", result.form), result.expected);
    if !result.says.is_empty() {
        card.node("p", &[("class", "says")], |line| {
            line.leaf("code", &[], &result.says);
        });
    }
    let when = invariant_told(result);
    if !when.is_empty() {
        card.leaf("p", &[("class", "when")], &when);
    }
    if !result.witness.is_empty() && !left_to_sweeps(result) {
        card.node("div", &[("class", "witness")], |story| {
            result.witness.iter().flat_map(|text| text.lines()).for_each(|line| told(story, line));
        });
    }
    if let Some(shown) = result.evidence.as_ref().and_then(|evidence| evidence.contradiction.as_ref()) {
        contradiction::draw(card, shown);
    }
}

/// A line of a witness; a moment at its beginning stands in a column of its own.
fn told(story: &mut Markup, line: &str) {
    let is_time = |word: &str| word.contains(':') && word.chars().all(|c| c.is_ascii_digit() || ":.".contains(c));
    match line.split_once(' ').filter(|(word, _)| is_time(word)) {
        Some((moment, what)) => story.node("p", &[("class", "step")], |step| {
            step.leaf("time", &[], moment).leaf("span", &[], what);
        }),
        None => story.leaf("p", &[], line),
    };
}

fn threshold(card: &mut Markup, outcome: &Outcome, result: &ThresholdResult) {
    head(card, result.status, &result.name, "threshold", result.expected);
    card.node("p", &[("class", "says")], |line| {
        line.leaf("code", &[], &result.says);
    });
    card.node("div", &[("class", "measured")], |row| {
        row.node("dl", &[("class", "figures")], |list| {
            let mut figure = |name: &str, value: &str, class: &str| {
                list.node("div", &[("class", class)], |pair| {
                    pair.leaf("dt", &[], name).leaf("dd", &[], value);
                });
            };
            figure("measured", &measured(result), "value");
            if let Some(limit) = result.limit {
                figure("limit", &quantity(limit), "");
            }
            if let Some(at) = result.at {
                figure("worst at", &at.to_string(), "");
            }
        });
        spark::draw(row, outcome, result);
    });
}

fn measured(result: &ThresholdResult) -> String {
    let value = result.value.map(quantity);
    match (result.status, value) {
        (Status::Holds | Status::Violated, value) => value.unwrap_or_else(|| NONE.to_owned()),
        (Status::Unknown, value) => value.map_or("undecided".to_owned(), |value| format!("{value}, undecided")),
        (Status::Vacuous, value) => value.map_or("no samples".to_owned(), |value| format!("{value}, never evaluated")),
    }
}

/// What holds, in a line each.
pub(super) fn held(outcome: &Outcome) -> Option<Section> {
    let mut shown = all(outcome);
    shown.retain(|promise| promise.mood() == Mood::Good);
    if shown.is_empty() {
        return None;
    }
    let mut table = Table::new(&[words("promise"), numbers("measured", ""), code("says"), words("judged")]).stacked();
    for promise in shown {
        table.row(match promise {
            Promise::Invariant(result) => {
                let judged = format!("{}, {} times", result.form, thousands(result.evaluations));
                vec![format!("✓\u{a0}{}", result.name), String::new(), result.says.clone(), judged]
            }
            Promise::Threshold(result) => {
                let at = result.at.map(|at| format!("worst at {at}")).unwrap_or_default();
                vec![format!("✓\u{a0}{}", result.name), measured(result), result.says.clone(), at]
            }
        });
    }
    let mut body = Markup::default();
    table.without_empty(&["measured", "judged"], &[""]).write(&mut body, None);
    Some(Section { id: "held", title: "What holds", body })
}
