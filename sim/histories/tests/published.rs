//! Histories with published verdicts, which nobody here wrote. They are not part of the repository: they lie in the folder
//! that `STORMGLASS_VALIDATION` names, else in `shared/validation` beside the repository. Without them the test says so.

use std::fs;
use std::path::PathBuf;

use checkers::catalogue::{self, Question};
use checkers::history::Judgement;
use checkers::linearizable::Budget;

/// Histories of transactions, for which there is no judge yet.
const TRANSACTIONAL: [&str; 2] = ["list-append", "rw-register"];

/// The folder with the published histories, if it is there.
fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/validation");
    let folder = std::env::var_os("STORMGLASS_VALIDATION").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = folder.join("histories");
    folder.join("index.csv").exists().then_some(folder)
}

#[test]
fn every_published_history_is_judged_as_published() {
    let Some(folder) = folder() else {
        eprintln!("skipped: no published histories; name their folder in STORMGLASS_VALIDATION");
        return;
    };
    let mut rows = csv::Reader::from_path(folder.join("index.csv")).unwrap();
    let (mut agreed, mut differ, mut transactional) = (0, Vec::new(), 0);
    for row in rows.records() {
        let row = row.unwrap();
        let (file, model, consistency, expected, notes) = (&row[0], &row[3], &row[4], &row[5], &row[16]);
        if TRANSACTIONAL.contains(&model) {
            transactional += 1;
            continue;
        }
        let path = folder.join(file.strip_prefix("public/").unwrap_or(file));
        let said = judged(&fs::read_to_string(path).unwrap(), model, consistency);
        if said == expected {
            agreed += 1;
        } else if !notes.starts_with("DISPUTED") {
            differ.push(format!("{file}: {model} {consistency}: published {expected}, said {said}"));
        }
    }
    eprintln!("{agreed} agree, {transactional} of transactions are not judged");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(agreed >= 80, "only {agreed} were found");
}

fn judged(text: &str, model: &str, consistency: &str) -> String {
    let read = histories::read(text).expect("a published history");
    let question = Question {
        model: catalogue::model(model).expect("a model"),
        consistency: catalogue::consistency(consistency).expect("a consistency"),
        initial: read.initial,
        budget: Budget::USUAL,
    };
    match catalogue::judge(&read.events, read.dialect, &question) {
        Ok((_, Judgement::Valid(_))) => "true".into(),
        Ok((_, Judgement::Violated(_))) => "false".into(),
        Ok((_, Judgement::Unknown { .. })) => "unknown".into(),
        Err(refusal) => format!("refused: {refusal}"),
    }
}
