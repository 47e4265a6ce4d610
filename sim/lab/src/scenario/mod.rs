//! The front of the lab: a scenario's text becomes a typed `Model`, or every error at once.
//!
//! Text → `tree` (TOML with places) → `merge` (variant, `--set`, `like`) → `resolve` (checked against `schema`, every
//! default filled in) → `build` (`Model`) → `references` (do the names exist?) → `meaning` (do expressions,
//! thresholds and initial states make sense? The compilers are asked) → `lints`. `resolved` writes the complete tree
//! again, for people and for hashing. Nothing here runs a scenario, and nothing here touches a file.

mod build;
mod data;
pub mod diagnostic;
mod distributions;
mod faults;
pub mod grammar;
mod hardware;
mod hints;
mod json_schema;
mod leaf;
mod lints;
mod meaning;
mod merge;
mod nearest;
mod points;
mod references;
mod resolve;
mod resolved;
mod routes;
mod sample;
mod schema;
mod set;
mod stand_in;
mod targets;
mod template;
mod tree;
mod values;
mod variables;

use kernel::Time;
use tree::{Node, Value};

pub use data::Files;
pub use grammar::grammar;
pub use json_schema::json_schema;

pub use diagnostic::{Colour, Diagnostic, Diagnostics, Severity, Source};
pub(crate) use resolved::{write_key as toml_key, write_text as toml_text};
pub(crate) use targets::write_target;
pub(crate) use values::{write_duration as toml_duration, write_offset as toml_offset};

use crate::code::Code;
use crate::model::{At, Fault, Model, Place, Target, Trigger};

/// What of the file is wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Choice {
    /// This variant instead of the base.
    pub variant: Option<String>,
    /// `--set path=value`, in this order, after the variant.
    pub sets: Vec<(String, String)>,
    /// This seed instead of the file's.
    pub seed: Option<u64>,
}

/// A scenario that was understood.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    /// What it says.
    pub model: Model,
    /// The resolved file: every default written out.
    pub resolved: String,
    /// What is hashed: sorted, without what cannot change a run or its promises.
    pub canonical: String,
    /// Lints.
    pub warnings: Diagnostics,
    /// The texts that places refer to: the file, then each `--set`.
    pub sources: Vec<Source>,
    /// Every leaf written in the file.
    leaves: Vec<Leaf>,
    /// How it was asked for.
    choice: Choice,
}

/// A value written in the file, outside `[variants]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leaf {
    /// As `--set` takes it.
    pub path: String,
    /// As TOML text.
    pub value: String,
    /// Why it cannot change what happens in a run, if it cannot.
    pub judging: Option<&'static str>,
}

/// Proposed to whoever hands in an empty file.
const SMALLEST: &str = "the smallest scenario:\nversion = 1\nrun.duration = \"60s\"\nservices.server.work = \"exp(5ms)\"\n\
                        workloads.load = { rate = \"100/s\", target = \"server\" }";

/// Variants of one file, each of which is checked when the base is.
const VARIANTS_MAX: usize = 200;

/// Reads a scenario: the base or a variant, with changes.
///
/// Whoever loads the base learns the errors of its variants too.
pub fn load(source: &Source, choice: &Choice) -> Result<Scenario, Diagnostics> {
    load_settled(source, choice, None)
}

/// The same, with what `warmup = "auto"` came to.
fn load_settled(source: &Source, choice: &Choice, settled: Option<Time>) -> Result<Scenario, Diagnostics> {
    let mut sources = vec![source.clone()];
    for (path, value) in &choice.sets {
        sources.push(Source::new(format!("--set {path}"), format!("{path}={value}")));
    }
    let mut tree = match tree::parse(0, &source.text) {
        Ok(tree) => tree,
        Err(errors) => return Err(Diagnostics::new(sources, errors)),
    };
    if tree.table().is_some_and(|t| t.entries.is_empty()) {
        let error =
            Diagnostic::error(Place::default(), "the file says nothing", "a scenario begins with `version = 1`");
        return Err(Diagnostics::new(sources, vec![error.help(SMALLEST)]));
    }
    let leaves = set::leaves(&tree);
    merge::expand_services(&mut tree);
    let loaded = load_tree(&sources, &tree, choice, settled);
    let mut errors = loaded.errors;
    // What `--set` changes is meant for this run; the variants are judged as they are written.
    if choice.variant.is_none() && choice.sets.is_empty() && settled.is_none() {
        errors.extend(errors_of_variants(&sources, &tree, choice, &errors));
    }
    match loaded.scenario {
        Some(understood) if errors.is_empty() && understood.resolved.len() > tree::BYTES_MAX => {
            let found = format!("the resolved scenario has {} MiB", understood.resolved.len() >> 20);
            let label = format!("with its files written out it has more than {} MiB", tree::BYTES_MAX >> 20);
            Err(Diagnostics::new(sources, vec![Diagnostic::error(Place::default(), found, label)]))
        }
        Some(understood) if errors.is_empty() => {
            let warnings = Diagnostics::new(sources.clone(), loaded.warnings);
            let Understood { model, resolved, canonical, phases } = understood;
            let leaves = leaves_of(&model, &phases, leaves);
            Ok(Scenario { model, resolved, canonical, warnings, sources, leaves, choice: choice.clone() })
        }
        Some(_) | None => Err(Diagnostics::new(sources, errors)),
    }
}

/// A scenario without errors.
struct Understood {
    model: Model,
    resolved: String,
    canonical: String,
    /// Phases that faults name as their window.
    phases: Vec<String>,
}

struct Loaded {
    scenario: Option<Understood>,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

/// Everything after parsing.
fn load_tree(sources: &[Source], tree: &Node, choice: &Choice, settled: Option<Time>) -> Loaded {
    let failed = |errors| Loaded { scenario: None, errors, warnings: Vec::new() };
    let mut merged = match merge::choose_variant(tree.clone(), choice.variant.as_deref()) {
        Ok(merged) => merged,
        Err(errors) => return failed(errors),
    };
    let mut errors = Vec::new();
    for (n, (path, value)) in choice.sets.iter().enumerate() {
        errors.extend(set::apply(&mut merged, n as u32 + 1, path, value).err().map(|error| *error));
    }
    if let Some(seed) = choice.seed {
        let Ok(seed) = i64::try_from(seed) else {
            let label = format!("seeds end at {}", i64::MAX);
            errors.push(Diagnostic::error(Place::default(), format!("the seed {seed} is too large"), label));
            return failed(errors);
        };
        let seed = Node::new(Value::Integer(seed), Place::default());
        if let Some(run) = merged.table_mut().and_then(|t| t.entries.get_mut("run")).and_then(|e| e.node.table_mut()) {
            run.insert("seed", Place::default(), seed);
        }
    }
    let not_copied = merge::resolve_likes(&mut merged, &mut errors);
    merge::strip_none(&mut merged, Some(merge::root()));
    let mut resolver = resolve::Resolver::new(sources);
    resolver.settled = settled;
    resolver.broken.extend(not_copied.iter().cloned());
    resolver.not_copied = not_copied;
    let complete = resolver.root(&merged);
    errors.append(&mut resolver.errors);
    let mut warnings = resolver.warnings;
    let model = build::build(sources, &complete, settled);
    if errors.is_empty() {
        errors.extend(errors_of_matrix(sources, &merged, &model));
    }
    let phases = faults::phases(&complete);
    errors.extend(faults::unknown_phases(&phases, &model));
    errors.extend(references::check(sources, &complete, &model, &resolver.broken));
    errors.extend(meaning::check(&complete, &model, &resolver.broken, &errors));
    if !errors.is_empty() {
        return Loaded { scenario: None, errors, warnings };
    }
    warnings.extend(lints::check(&model));
    let mut model = model;
    model.sort();
    let understood = Understood {
        model,
        resolved: resolved::write_file(&complete),
        canonical: resolved::write_canonical(&complete),
        phases: phases.into_iter().map(|phase| phase.value).collect(),
    };
    Loaded { scenario: Some(understood), errors, warnings }
}

/// Passes over a whole file for what it sweeps are bounded by this many values of it.
const SWEPT_VALUES_MAX: usize = 2_000_000;

/// Each value of `[sweep.matrix]` as if it were set: does its path lead somewhere, is it right there?
fn errors_of_matrix(sources: &[Source], merged: &Node, model: &Model) -> Vec<Diagnostic> {
    let matrix = &model.sweep.matrix;
    let count: usize = matrix.iter().map(|(_, values)| values.len()).sum();
    if let Some((path, _)) = matrix.first().filter(|_| count > SWEPT_VALUES_MAX / merged.size().max(1)) {
        let label = format!("{count} values are too many for a file of this size");
        return vec![Diagnostic::error(path.place, "the matrix is too large", label)];
    }
    let mut errors = Vec::new();
    for (path, values) in matrix {
        for value in values {
            // The text is no source of its own: what is wrong with it is told at the path.
            let mut tree = merged.clone();
            let wrong = set::apply(&mut tree, u32::MAX, &path.value, value).err().map(|error| *error).or_else(|| {
                let mut resolver = resolve::Resolver::new(sources);
                resolver.root(&tree);
                resolver.errors.into_iter().next()
            });
            if let Some(wrong) = wrong {
                let label = format!("with {value}: {}", wrong.label);
                errors.push(Diagnostic::error(path.place, wrong.message, label).maybe_help(wrong.help));
                break;
            }
        }
    }
    errors
}

/// What is wrong in the variants and not already in the base.
fn errors_of_variants(sources: &[Source], tree: &Node, choice: &Choice, known: &[Diagnostic]) -> Vec<Diagnostic> {
    let variants = tree.table().and_then(|t| t.get("variants")).and_then(Node::table);
    let Some(variants) = variants else { return Vec::new() };
    // Each variant costs a pass over the whole file, so a large file may have fewer of them.
    let budget = VARIANTS_MAX.min(2_000_000 / tree.size().max(1) + 1);
    if variants.entries.len() > budget {
        let place = variants.entries[budget].key;
        let label = format!("a file of this size has at most {budget} variants");
        return vec![Diagnostic::error(place, "too many variants", label)];
    }
    let mut found: Vec<Diagnostic> = Vec::new();
    for (name, entry) in variants.entries.iter().filter(|(_, e)| e.node.table().is_some()) {
        let choice = Choice { variant: Some(name.clone()), ..choice.clone() };
        for mut error in load_tree(sources, tree, &choice, None).errors {
            // A circle of variants is met from each of them.
            let circle = error.message.contains("goes round in a circle");
            let same = |f: &Diagnostic| {
                f.place == error.place && f.label == error.label || circle && f.message == error.message
            };
            if known.iter().chain(&found).any(same) {
                continue;
            }
            if entry.key != error.place {
                error.others.push((entry.key, "in this variant".to_owned()));
            }
            found.push(error);
        }
    }
    found
}

/// Phases only sort measurements, unless a fault strikes in one; so does the end of the warm-up.
fn leaves_of(model: &Model, used: &[String], mut leaves: Vec<Leaf>) -> Vec<Leaf> {
    let begins_with_it = |fault: &Fault| {
        fault.window.from == model.run.warmup && !matches!(fault.trigger, Trigger::At(_) | Trigger::Listed(_))
    };
    let drawn = model.chaos.profile != crate::model::ChaosProfile::None;
    if !drawn && !model.faults.iter().any(|(_, fault)| begins_with_it(fault)) {
        for leaf in leaves.iter_mut().filter(|l| l.path == "run.warmup") {
            leaf.judging = Some("it leaves things out of measurements, and no fault waits for its end");
        }
    }
    for leaf in leaves.iter_mut().filter(|l| l.path.starts_with("phases.") && l.judging.is_none()) {
        let name = leaf.path.trim_start_matches("phases.");
        if !used.iter().any(|used| used == name) {
            leaf.judging = Some("it names a window of measurements, and no fault uses it");
        }
    }
    for leaf in &mut leaves {
        let service = leaf.path.strip_prefix("services.").and_then(|path| path.strip_suffix(".clock.offset"));
        if service.is_some_and(|service| !lints::reads_clock(model, service)) {
            leaf.judging = Some("only `$now` reads the offset of a clock, and nothing says it here");
        }
    }
    leaves
}

/// The files that a scenario or these `--set`s name: whoever can read them does, and hands them in by
/// `Source::with_files`.
pub fn files_named(source: &Source, sets: &[(String, String)]) -> std::collections::BTreeSet<String> {
    data::named(&source.text, sets)
}

impl Scenario {
    /// The same scenario with what its `warmup = "auto"` came to; it keeps its run id.
    ///
    /// # Panics
    /// If the warm-up is not over before the run and its faults are: nothing else can be wrong with what was right.
    #[must_use]
    pub fn settled(&self, warmup: Time) -> Self {
        assert!(warmup <= self.model.run.heal && warmup < self.model.run.duration, "a warm-up ends within its run");
        let again = load_settled(&self.sources[0], &self.choice, Some(warmup));
        again.unwrap_or_else(|errors| panic!("what was right is wrong: {}", errors.render(Colour::Plain)))
    }

    /// Every value written in the file (not in its variants): what a test may change with `--set`.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// Errors found by a later step, in the same form as those found here.
    pub fn diagnostics(&self, list: Vec<Diagnostic>) -> Diagnostics {
        Diagnostics::new(self.sources.clone(), list)
    }

    /// The place of bytes `start..end` within a text value; all of it where the text was written with escapes.
    pub fn inside(&self, text: &At<String>, start: usize, end: usize) -> Place {
        leaf::inside_text(&self.sources, text.place, &text.value, &(start..end))
    }

    /// What of it is written in Rust.
    pub fn code(&self) -> &Code {
        &self.sources[0].code
    }

    /// xxh3-128 of the canonical text: 32 hex digits.
    pub fn scenario_hash(&self) -> String {
        hash(&self.canonical)
    }

    /// The first 8 hex digits of a hash over engine epoch, seed and canonical text.
    pub fn run_id(&self, epoch: u32, seed: u64) -> String {
        hash(&format!("{epoch}\n{seed}\n{}", self.canonical))[..8].to_owned()
    }
}

fn hash(text: &str) -> String {
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
}

/// The word `none` at this path is a value, and does not take one away: `["sagas", "trip", "isolation", "kind"]`.
pub(crate) fn none_is_a_word(path: &[String]) -> bool {
    schema::none_is_a_word(path)
}

/// What a target means, if it means anything.
pub(crate) fn named_target(text: &str, place: Place) -> Option<Target> {
    targets::target(text, place).ok()
}

/// Why the leaf at this path cannot change what happens in a run, if it cannot: `["scenario", "question"]`.
pub fn judging_only(path: &[String]) -> Option<&'static str> {
    schema::judging_only(path)
}
