//! The points of a sweep: the base and the wanted variants, each with every combination of the matrix.

use super::Request;
use crate::model::{Model, SweepVariants};
use crate::scenario::{Choice, Diagnostics, Scenario, Source, load};

/// One variant with one combination of the matrix.
#[derive(Clone, Debug)]
pub struct Point {
    /// The variant; none: the base.
    pub variant: Option<String>,
    /// What the matrix sets here.
    pub sets: Vec<(String, String)>,
    /// The scenario, ready to run.
    pub scenario: Scenario,
    /// It has an expectation; a matrix point is only measured.
    pub judged: bool,
}

impl Point {
    /// `base`, `lost_decisions`, `0.1%, 64`.
    pub fn name(&self) -> String {
        let values: Vec<&str> = self.sets.iter().map(|(_, value)| value.as_str()).collect();
        match (&self.variant, values.is_empty()) {
            (None, true) => "base".to_owned(),
            (Some(variant), true) => variant.clone(),
            (None, false) => values.join(", "),
            (Some(variant), false) => format!("{variant}, {}", values.join(", ")),
        }
    }
}

/// The base and the wanted variants, each with every combination of the matrix.
pub(super) fn points(source: &Source, base: &Model, request: &Request) -> Result<Vec<Point>, Diagnostics> {
    let known: Vec<String> = base.variants.iter().map(|v| v.value.clone()).collect();
    let mut variants: Vec<Option<String>> = vec![None];
    let wanted: Vec<String> = match request.variants.as_deref() {
        Some("all") => known,
        Some("none") => Vec::new(),
        Some(names) => names.split(',').map(|name| name.trim().to_owned()).collect(),
        None => match &base.sweep.variants {
            SweepVariants::Base => Vec::new(),
            SweepVariants::All => known,
            SweepVariants::Named(names) => names.iter().map(|name| name.value.clone()).collect(),
        },
    };
    variants.extend(wanted.into_iter().map(Some));
    let matrix: Vec<(String, Vec<String>)> = if request.matrix.is_empty() {
        base.sweep.matrix.iter().map(|(path, values)| (path.value.clone(), values.clone())).collect()
    } else {
        request.matrix.clone()
    };
    let mut found = Vec::new();
    for variant in variants {
        for sets in combinations(&matrix) {
            let all = request.sets.iter().chain(&sets).cloned().collect();
            let scenario = load(source, &Choice { variant: variant.clone(), sets: all, seed: None })?;
            found.push(Point { variant: variant.clone(), judged: sets.is_empty(), sets, scenario });
        }
    }
    Ok(found)
}

fn combinations(matrix: &[(String, Vec<String>)]) -> Vec<Vec<(String, String)>> {
    let Some(((path, values), rest)) = matrix.split_first() else { return vec![Vec::new()] };
    let tails = combinations(rest);
    let with = |value: &String| {
        let (path, value) = (path.clone(), value.clone());
        tails.iter().map(move |tail| [vec![(path.clone(), value.clone())], tail.clone()].concat()).collect::<Vec<_>>()
    };
    values.iter().flat_map(with).collect()
}
