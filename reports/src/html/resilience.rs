//! Retries and circuit breakers: who tried again how often, and who stopped calling whom.

use super::Section;
use super::markup::Markup;
use super::table::{NONE, Table, most, numbers, words};
use crate::names::{breaker_name, retry_name};
use crate::number::{percent, plain, thousands};
use lab::outcome::Outcome;

/// A row per operation and caller that tries again, and per breaker that opened.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    if outcome.retries.is_empty() && outcome.breakers.is_empty() {
        return None;
    }
    let mut body = Markup::default();
    if !outcome.retries.is_empty() {
        let (shown, note) = most(&outcome.retries, "those tried again most", "summary.json", |result| result.retries);
        let mut table = Table::new(&[
            words("operation"),
            numbers("calls", ""),
            numbers("retries", ""),
            numbers("tries per call", ""),
        ]);
        for result in shown {
            let amplification = result.amplification().map_or(NONE.to_owned(), plain);
            let counts = [result.calls, result.retries].map(thousands);
            table.row([retry_name(result)].into_iter().chain(counts).chain([amplification]).collect());
            if result.retries == 0 {
                table.faint();
            }
        }
        table.write(&mut body, note.as_deref());
    }
    let opened: Vec<_> = outcome.breakers.iter().filter(|result| result.opened > 0).collect();
    if !opened.is_empty() {
        let (shown, note) = most(&opened, "those opened most", "breakers.csv", |result| result.opened);
        let mut table = Table::new(&[
            words("breaker"),
            numbers("opened", ""),
            numbers("open", "of the time"),
            numbers("half open", "of the time"),
        ]);
        for result in shown {
            let shares = [result.open_share, result.half_open_share].map(percent);
            table.row([breaker_name(result), thousands(result.opened)].into_iter().chain(shares).collect());
        }
        table.write(&mut body, note.as_deref());
    }
    if !outcome.breakers.is_empty() {
        let (all, never) = (outcome.breakers.len(), outcome.breakers.len() - opened.len());
        let told = format!("{} of {} breakers never opened.", thousands(never as u64), thousands(all as u64));
        body.leaf("p", &[("class", "note")], &told);
    }
    Some(Section { id: "resilience", title: "Retries and breakers", body })
}
