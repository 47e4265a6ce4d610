//! Where the page comes from: what makes the run this run, its phases, and the identities that were checked in it. Nothing
//! of the machine or the day it was made on.

use super::Section;
use super::markup::Markup;
use crate::number::thousands;
use kernel::Span;
use lab::outcome::Outcome;

/// Names and values.
#[expect(clippy::unnecessary_wraps, reason = "every section is made alike")]
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let times = &outcome.times;
    let mut facts = vec![
        ("scenario hash", outcome.scenario_hash.clone()),
        ("seed", outcome.seed.to_string()),
        ("run id", outcome.run_id.clone()),
        ("fingerprint over every event", format!("{:016x}", outcome.fingerprint)),
        ("events", thousands(outcome.events)),
        ("engine", crate::ENGINE.to_owned()),
        ("measured from", times.warmup.to_string()),
        ("faults are revoked at", times.heal.to_string()),
        ("load ends at", times.duration.to_string()),
        ("the run ended at", outcome.end.to_string()),
        ("one window of the charts", Span(times.window.0).to_string()),
        ("moments at rest", thousands(outcome.rests)),
    ];
    if !outcome.little.is_empty() {
        let exact = outcome.little.iter().filter(|queue| queue.integral == queue.sojourns).count();
        facts.push(("Little’s law, exact in integers", format!("on {exact} of {} queues", outcome.little.len())));
    }
    if !outcome.message_queues.is_empty() {
        let exact = outcome.message_queues.iter().filter(|queue| queue.identity.violations == 0).count();
        let told = format!("on {exact} of {} queues", outcome.message_queues.len());
        facts.push(("brokers’ books, after every change", told));
    }
    let mut body = Markup::default();
    body.node("dl", &[("class", "facts wide")], |list| {
        for (name, value) in &facts {
            list.node("div", &[], |pair| {
                pair.leaf("dt", &[], name).leaf("dd", &[], value);
            });
        }
    });
    let told = "The same scenario, seed and engine give this page again, byte for byte. The numbers behind it stand beside it: \
                summary.json and the CSV tables.";
    body.leaf("p", &[("class", "note")], told);
    Some(Section { id: "provenance", title: "Provenance", body })
}
