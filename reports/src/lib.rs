//! From an outcome to what people and programs read: text for the terminal, JSON, CSV, charts, a page.
//!
//! Everything here is a function of `lab::outcome::Outcome` or, in `judged`, of a judged history: no file is touched, no clock is read, nothing is printed, and
//! the same outcome gives the same bytes. The caller writes the files and adds wall times (`meta`).
//! Read `files` for what a run leaves behind, `charts` for the pictures, `html` for the page, `terminal` for the text.

pub mod chance;
pub mod charts;
pub mod graph;
pub mod history;
pub mod html;
pub mod json;
pub mod judged;
pub mod meta;
pub mod seeds;
pub mod spacetime;
mod stores;
pub mod suite;
pub mod summary;
pub mod sweep;
pub mod tables;
pub mod terminal;

mod mood;
mod names;
mod number;
mod windows;

use lab::outcome::Outcome;

pub use graph::graph;
pub use meta::{Meta, meta};
pub use sweep::SweepSummary;

/// The data files of a run, as paths relative to its directory and contents: `summary.json`, `scenario.toml`, the CSV
/// tables (those of brokers' queues, sagas and breakers if there are any), and
/// `history.jsonl` and, of each store, `history-STORE.jsonl`, if histories were kept. The pictures come from [`charts::files`], `meta.json` from [`meta()`].
pub fn files(outcome: &Outcome) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("summary.json".to_owned(), json::run(outcome).into_bytes()),
        ("scenario.toml".to_owned(), outcome.resolved.clone().into_bytes()),
        ("operations.csv".to_owned(), tables::operations(outcome)),
        ("percentiles.csv".to_owned(), tables::percentiles(outcome)),
        ("spent.csv".to_owned(), tables::spent(outcome)),
        ("queues.csv".to_owned(), tables::queues(outcome)),
        ("timeseries.csv".to_owned(), tables::timeseries(outcome)),
        ("faults.csv".to_owned(), tables::faults(outcome)),
    ];
    let more = [
        ("messages.csv", outcome.message_queues.is_empty(), tables::messages as fn(&Outcome) -> Vec<u8>),
        ("sagas.csv", outcome.sagas.is_empty(), tables::sagas),
        ("breakers.csv", outcome.breakers.is_empty(), tables::breakers),
    ];
    let more = more.into_iter().filter(|(_, empty, _)| !empty);
    files.extend(more.map(|(name, _, table)| (name.to_owned(), table(outcome))));
    if !outcome.history.is_empty() {
        files.push(("history.jsonl".to_owned(), history::lines(outcome)));
    }
    files.extend(outcome.store_histories.iter().map(history::of_store));
    if let Some(story) = &outcome.story {
        let variant = outcome.variant.as_ref().map(|variant| format!(", variant {variant}")).unwrap_or_default();
        let of = format!("{}, seed {}{variant}", outcome.scenario, outcome.seed);
        files.push(("story.txt".to_owned(), terminal::story(story, &of, false).into_bytes()));
        files.push(("spacetime.svg".to_owned(), spacetime::svg(story).into_bytes()));
        let chance = story.doom.as_ref().and_then(chance::svg);
        files.extend(chance.map(|picture| ("chance.svg".to_owned(), picture.into_bytes())));
    }
    files
}

/// The engine's version, as it stands in every output.
pub const ENGINE: &str = env!("CARGO_PKG_VERSION");

/// A word of a command, as a shell reads it.
pub fn quoted_for_shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=+,%".contains(c);
    if word.chars().all(plain) && !word.is_empty() {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
