//! The table of a sweep: a row per run.

use lab::outcome::Status;
use lab::sweep::Swept;

use crate::summary::found_word;

/// `seeds.csv`: point, seed, what it came to, fingerprint, events, the promises it broke, in which way, and the faults that
/// had an effect before its first violation in that order.
pub fn csv(swept: &Swept) -> Vec<u8> {
    let mut rows = csv::Writer::from_writer(Vec::new());
    let mut write = |row: [String; 8]| rows.write_record(row).expect("memory takes every row");
    write(["point", "seed", "found", "fingerprint", "events", "broken", "classes", "faults"].map(str::to_owned));
    for result in &swept.results {
        let violations = || result.promises.iter().filter_map(|promise| promise.violation.as_ref());
        let classes: Vec<&str> = violations().map(|violation| violation.class.as_str()).collect();
        let broken: Vec<&str> =
            result.promises.iter().filter(|p| p.status == Status::Violated).map(|p| p.name.as_str()).collect();
        write([
            swept.points[result.point].name(),
            result.seed.to_string(),
            if result.panic.is_some() { "engine bug" } else { found_word(result.found) }.to_owned(),
            format!("{:016x}", result.fingerprint),
            result.events.to_string(),
            broken.join(" "),
            classes.join("; "),
            violations().next().map(|violation| violation.signature.join(" ")).unwrap_or_default(),
        ]);
    }
    rows.into_inner().expect("memory takes every row")
}
