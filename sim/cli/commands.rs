//! The small commands: `list`, `schema`, `graph`.

use std::path::{Path, PathBuf};

use lab::scenario::{self, Choice};
use serde_json::json;

use crate::args::Format;
use crate::files;
use crate::run::told;

/// Lists scenarios with their questions.
pub(crate) fn list(paths: &[PathBuf], format: Format) -> Result<u8, String> {
    let mut rows = Vec::new();
    let mut broken = 0;
    for path in files::find(paths)? {
        let source = files::scenario_with_data(&path, &[])?;
        match scenario::load(&source, &Choice::default()) {
            Ok(scenario) => rows.push((path, scenario.model)),
            Err(errors) => {
                broken += 1;
                files::note(&told(&errors, Format::Human));
            }
        }
    }
    match format {
        Format::Human => {
            let width = rows.iter().map(|(path, _)| path.display().to_string().chars().count()).max().unwrap_or(0);
            for (path, model) in &rows {
                let variants: Vec<_> = model.variants.iter().map(|v| v.value.as_str()).collect();
                let variants = if variants.is_empty() { String::new() } else { format!("  [{}]", variants.join(", ")) };
                let path = path.display().to_string();
                files::print(&format!("{path:width$}  {}{variants}\n", model.question));
            }
        }
        Format::Json => {
            let rows: Vec<_> = rows
                .iter()
                .map(|(path, model)| {
                    json!({
                        "path": path.display().to_string(),
                        "name": model.name,
                        "question": model.question,
                        "tags": model.tags,
                        "variants": model.variants.iter().map(|v| v.value.clone()).collect::<Vec<_>>(),
                    })
                })
                .collect();
            files::print(&format!("{}\n", serde_json::to_string_pretty(&rows).unwrap_or_default()));
        }
    }
    Ok(if broken > 0 { crate::BAD_INPUT } else { 0 })
}

/// Prints the JSON Schema.
pub(crate) fn schema() -> u8 {
    let text = serde_json::to_string_pretty(&scenario::json_schema()).unwrap_or_default();
    files::print(&format!("{text}\n"));
    0
}

/// Draws who calls whom.
pub(crate) fn graph(path: &Path, variant: Option<String>, out: &Path) -> Result<u8, String> {
    let source = files::scenario_with_data(path, &[])?;
    let choice = Choice { variant, ..Choice::default() };
    let scenario = scenario::load(&source, &choice).map_err(|errors| told(&errors, Format::Human))?;
    let (svg, png, dot) = reports::graph(&lab::run::topology(&scenario.model));
    let directory = out.join(&scenario.model.name).join("graph");
    let all = [("topology.svg".to_owned(), svg), ("topology.png".to_owned(), png), ("topology.dot".to_owned(), dot)];
    files::directory(&directory, &all)?;
    files::print(&format!("graph    {}\n", directory.join("topology.svg").display()));
    Ok(0)
}
