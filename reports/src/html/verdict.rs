//! The verdict bar: what came out, of what, how much was judged, and how to get the same again.

use super::markup::Markup;
use super::promises::class;
use crate::number::thousands;
use crate::terminal::{counts, missed, over_its_seeds, simply_passed, verdict_mark, virtual_time};
use kernel::Span;
use lab::outcome::Outcome;

/// The head of the page.
pub(super) fn header(page: &mut Markup, outcome: &Outcome) {
    let (told, mood) = verdict_mark(outcome);
    let (mark, word) = told.split_once(' ').unwrap_or(("", told));
    page.node("header", &[("class", class(mood))], |head| {
        head.node("p", &[("class", "verdict")], |line| {
            line.leaf("span", &[("class", "mark"), ("aria-hidden", "true")], mark).say(" ").leaf("strong", &[], word);
            line.leaf("span", &[("class", "counts")], &counts(outcome).join(" · "));
        });
        head.node("h1", &[], |title| {
            title.say(&outcome.scenario);
            if let Some(variant) = &outcome.variant {
                title.leaf("span", &[("class", "variant")], &format!("variant {variant}"));
            }
        });
        if !outcome.verdict.summary.is_empty() && !simply_passed(outcome) {
            head.leaf("p", &[("class", "summary")], &outcome.verdict.summary);
        }
        if !outcome.question.is_empty() {
            head.leaf("p", &[("class", "question")], &outcome.question);
        }
        head.node("dl", &[("class", "facts")], |list| {
            let mut fact = |name: &str, value: &str| {
                list.node("div", &[], |pair| {
                    pair.leaf("dt", &[], name).leaf("dd", &[], value);
                });
            };
            fact("seed", &outcome.seed.to_string());
            fact("run", &outcome.run_id);
            fact("fingerprint", &format!("{:016x}", outcome.fingerprint));
            fact("engine", crate::ENGINE);
            fact("virtual time", &virtual_time(outcome.end));
            fact("events", &thousands(outcome.events));
            if outcome.warmup_by == lab::outcome::WarmupBy::Mser5 {
                fact("measured from", &format!("{}, chosen by MSER-5", Span(outcome.times.warmup.0)));
            }
        });
        head.node("p", &[("class", "replay")], |line| {
            line.leaf("span", &[], "Replay, in this folder");
            line.leaf("code", &[], &format!("stormglass run scenario.toml --seed {} --twice", outcome.seed));
        });
        if missed(outcome) {
            head.node("p", &[("class", "replay")], |line| {
                line.leaf("span", &[], "Seeds on which it fails").leaf("code", &[], &over_its_seeds(""));
            });
        }
    });
}
