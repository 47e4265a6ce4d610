//! The table of a sweep: a row per run.

use lab::outcome::Status;
use lab::sweep::Swept;

use crate::summary::found_word;

/// `seeds.csv`: point, seed, what it came to, fingerprint, events, and the promises it broke.
pub fn csv(swept: &Swept) -> Vec<u8> {
    let mut rows = csv::Writer::from_writer(Vec::new());
    let mut write = |row: [String; 6]| rows.write_record(row).expect("memory takes every row");
    write(["point", "seed", "found", "fingerprint", "events", "broken"].map(str::to_owned));
    for result in &swept.results {
        let broken: Vec<&str> =
            result.promises.iter().filter(|p| p.status == Status::Violated).map(|p| p.name.as_str()).collect();
        write([
            swept.points[result.point].name(),
            result.seed.to_string(),
            if result.panic.is_some() { "engine bug" } else { found_word(result.found) }.to_owned(),
            format!("{:016x}", result.fingerprint),
            result.events.to_string(),
            broken.join(" "),
        ]);
    }
    rows.into_inner().expect("memory takes every row")
}
