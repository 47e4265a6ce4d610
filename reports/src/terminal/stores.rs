//! The section about replicated stores.

use super::clean;
use super::grid::Grid;
use super::paint::Paint;
use super::sections::{MOST_ROWS, NONE, rest};
use crate::number::thousands;
use crate::stores::{gaps_told, ledger};
use lab::outcome::Outcome;

pub(super) fn stores(outcome: &Outcome, paint: Paint) -> Vec<String> {
    let mut grid = Grid::new(&["STORES", "elections", "leader at end", "term", "acknowledged", "lost"]);
    for store in outcome.stores.iter().take(MOST_ROWS) {
        let or_none = |told: Option<String>| told.unwrap_or_else(|| NONE.to_owned());
        let (leads, ledger) = (store.leads_at(outcome.end), ledger(outcome, &store.name));
        grid.row(vec![
            clean(&store.name),
            or_none(store.elections().map(|count| thousands(count as u64))),
            or_none(leads.map(|(machine, _)| clean(machine))),
            or_none(leads.map(|(_, term)| thousands(term))),
            or_none(ledger.map(|(acknowledged, _)| thousands(acknowledged))),
            or_none(ledger.map(|(_, lost)| thousands(lost))),
        ]);
        for gaps in store.gaps.iter().filter(|gaps| gaps.count > 0) {
            grid.remark(format!("unavailable to {}: {}", clean(&gaps.who), gaps_told(gaps)));
        }
    }
    rest(&mut grid, outcome.stores.len(), "summary.json");
    grid.without_empty(&["elections", "leader at end", "term", "acknowledged", "lost"], NONE).lines(paint)
}
