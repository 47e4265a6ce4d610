//! What neither compiler nor clippy checks, and what a reviewer should not have to: lengths, forbidden words, the crate
//! graph, and that the documents tell the truth about names.
//!
//! Every rule is a function from text to what is wrong with it. `each_rule_is_seen_to_fail` gives each a planted mistake:
//! a check that cannot fail is no check. The other tests apply the rules to the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a Rust file, tests included: what is longer has a second noun in it.
const RUST_LINES_MAX: usize = 500;
/// Documents that must stay short enough to be read, and their lines.
const SHORT_DOCUMENTS: [(&str, usize); 2] = [("ARCHITECTURE.md", 250), ("STYLE.md", 200)];
/// Documents that must be there.
const DOCUMENTS: [&str; 12] = [
    "README.md",
    "ARCHITECTURE.md",
    "STYLE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "docs/semantics.md",
    "docs/scenario-grammar.md",
    "docs/interface.md",
    "docs/library.md",
    "docs/tutorial.md",
];
/// The crates without standard library.
const CORE: [&str; 4] = ["kernel", "cluster", "systems", "checkers"];
/// What a core crate may use from outside.
const CORE_DEPENDENCIES: [&str; 4] = ["hashbrown", "libm", "rand", "rand_chacha"];
/// Each crate, its folder, and our own crates that it may depend on.
const GRAPH: [(&str, &str, &[&str]); 8] = [
    ("kernel", "sim/kernel", &[]),
    ("cluster", "sim/cluster", &["kernel"]),
    ("systems", "sim/systems", &["kernel"]),
    ("checkers", "sim/checkers", &["kernel"]),
    ("histories", "sim/histories", &["checkers"]),
    ("lab", "sim/lab", &["kernel", "cluster", "systems", "checkers"]),
    ("reports", "reports", &["kernel", "lab", "checkers"]),
    ("stormglass", ".", &["kernel", "cluster", "systems", "checkers", "histories", "lab", "reports"]),
];
/// Folders with sources and documents.
const SOURCES: [&str; 6] = ["sim", "reports", "tests", "benches", "scenarios", "docs"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

/// Every file below the source folders and at the root with one of these endings, relative to the root, in order.
fn files(endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root()).expect("the root can be listed").flatten() {
        found.extend(entry.path().is_file().then(|| entry.path()));
    }
    for folder in SOURCES.iter().map(|folder| root().join(folder)).filter(|folder| folder.exists()) {
        walk(&folder, &mut found);
    }
    let mut names: Vec<String> = found.iter().map(|path| relative(path)).collect();
    names.retain(|name| endings.iter().any(|ending| name.ends_with(ending)));
    names.sort();
    names
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a source folder can be listed").flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn relative(path: &Path) -> String {
    let inside = path.strip_prefix(root()).unwrap_or(path);
    inside.to_string_lossy().replace('\\', "/")
}

// The rules.

fn too_long(text: &str, most: usize) -> Option<String> {
    let lines = text.lines().count();
    (lines > most).then(|| format!("{lines} lines, at most {most}"))
}

/// Lines that contain one of `words`. They are put together here so that this file does not contain them.
fn lines_with(text: &str, words: &[String]) -> Vec<String> {
    let bad = |line: &&str| words.iter().any(|word| line.contains(word.as_str()));
    text.lines().filter(bad).map(|line| line.trim().to_owned()).collect()
}

fn ignored_tests() -> Vec<String> {
    vec![format!("#[{}", "ignore")]
}

/// Folders of somebody's machine.
fn machine_paths() -> Vec<String> {
    ["home", "root", "work", "tmp", "Users"].map(|folder| format!("/{folder}/")).to_vec()
}

/// Uses of the standard library's hash maps, or of a hash map whose hasher is not named.
fn random_maps(text: &str) -> Vec<String> {
    let bad = |line: &&str| {
        let code = line.split("//").next().unwrap_or("");
        ["HashMap", "HashSet"].iter().any(|map| {
            code.match_indices(map).any(|(at, _)| !code[..at].ends_with("hashbrown::") && !code[..at].ends_with('_'))
        })
    };
    text.lines().filter(bad).map(|line| line.trim().to_owned()).collect()
}

fn is_no_std(text: &str) -> bool {
    text.lines().any(|line| line.trim() == "#![no_std]")
}

/// The dependencies in a manifest, those of tests and builds included.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]") && !line.starts_with("[workspace");
        } else if inside && !line.starts_with('#') && line.contains('=') {
            let name = line.split(['=', '.']).next().unwrap_or("").trim();
            names.push(name.to_owned());
        }
    }
    names
}

/// Edges of the crate graph that must not be there.
fn forbidden_edges(name: &str, allowed: &[&str], manifest: &str) -> Vec<String> {
    let ours = |dependency: &str| GRAPH.iter().any(|(other, _, _)| *other == dependency);
    let bad = |dependency: &String| {
        let dependency = dependency.as_str();
        if ours(dependency) {
            !allowed.contains(&dependency)
        } else {
            CORE.contains(&name) && !CORE_DEPENDENCIES.contains(&dependency)
        }
    };
    dependencies(manifest).into_iter().filter(bad).map(|dependency| format!("{name} → {dependency}")).collect()
}

fn takes_the_lints(manifest: &str) -> bool {
    manifest.split("\n[").any(|section| section.starts_with("lints]") && section.contains("workspace = true"))
}

/// The numbered rules of docs/semantics.md: number and text.
fn numbered_rules(text: &str) -> Vec<(usize, String)> {
    let mut rules: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let number = line.split_once(". ").and_then(|(number, _)| number.parse::<usize>().ok());
        match number {
            Some(number) => {
                rules.push((number, line.to_owned()));
                open = true;
            }
            None if line.starts_with('#') => open = false,
            None if open => {
                let rule = rules.last_mut().expect("a rule is open");
                rule.1.push('\n');
                rule.1.push_str(line);
            }
            None => {}
        }
    }
    rules
}

/// What is wrong with the way the rules name their tests; `tests` are all functions there are.
fn untested_rules(text: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (place, (number, rule)) in numbered_rules(text).into_iter().enumerate() {
        if number != place + 1 {
            wrong.push(format!("rule {number} stands in place {}", place + 1));
        }
        match rule.split_once("Test: ") {
            Some((_, named)) => {
                let named: Vec<&str> = backticked(named).collect();
                if named.is_empty() {
                    wrong.push(format!("rule {number} names no test"));
                }
                let missing = named.iter().filter(|name| !tests.contains(**name));
                wrong.extend(missing.map(|name| format!("rule {number}: there is no test `{name}`")));
            }
            None if rule.contains("No test yet.") || rule.contains("not in this release") => {}
            None => wrong.push(format!("rule {number} says neither its test, nor that there is none")),
        }
    }
    wrong
}

/// What stands between backticks, line by line: blocks of code are not looked into.
fn backticked(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Names of functions in Rust text.
fn functions(text: &str) -> BTreeSet<String> {
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    text.split("fn ").skip(1).map(word).filter(|name| !name.is_empty()).collect()
}

/// Files that a document names in backticks and that are not there. Names with `*`, `<` or `…` are patterns.
fn missing_files(text: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let is_file = |name: &&str| {
        let whole = !name.contains(['*', '<', '…', ' ', '{']) && !name.starts_with("out/") && name.contains('/');
        whole && ([".rs", ".md", ".toml"].iter().any(|ending| name.ends_with(ending)) || name.ends_with('/'))
    };
    backticked(text).filter(is_file).filter(|name| !exists(name)).map(str::to_owned).collect()
}

/// Keys and words of the JSON Schema, except those of variants, which are a partial scenario again.
fn schema_words(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
    if let Some(object) = schema.as_object() {
        for (name, inner) in object {
            match (name.as_str(), inner) {
                ("properties", serde_json::Value::Object(keys)) => {
                    found.extend(keys.keys().cloned());
                    keys.values().for_each(|key| schema_words(key, found));
                }
                ("enum", serde_json::Value::Array(words)) => {
                    found.extend(words.iter().filter_map(|word| word.as_str().map(str::to_owned)));
                }
                ("description" | "default" | "definitions", _) => {}
                (_, inner) => schema_words(inner, found),
            }
        }
    }
    for inner in schema.as_array().into_iter().flatten() {
        schema_words(inner, found);
    }
}

/// Words of `needed` that a text nowhere has in backticks.
fn undocumented(needed: &BTreeSet<String>, text: &str) -> Vec<String> {
    let letters = |c: char| c.is_alphanumeric() || "_.".contains(c);
    let words: BTreeSet<&str> = backticked(text).flat_map(|code| code.split(|c| !letters(c))).collect();
    needed.iter().filter(|word| !words.contains(word.as_str())).cloned().collect()
}

// The repository.

/// Panics with all that is wrong.
fn expect_none(rule: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{rule}\n  {}", wrong.join("\n  "));
}

/// Applies a rule to every file with these endings.
fn over(endings: &[&str], rule: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in files(endings) {
        wrong.extend(rule(&read(&name)).into_iter().map(|what| format!("{name}: {what}")));
    }
    wrong
}

#[test]
fn files_are_short_enough_to_be_read() {
    let long = over(&[".rs"], |text| too_long(text, RUST_LINES_MAX).into_iter().collect());
    expect_none("a Rust file has a second noun in it: split it", &long);
    let documents =
        SHORT_DOCUMENTS.iter().filter_map(|(name, most)| Some(format!("{name}: {}", too_long(&read(name), *most)?)));
    expect_none("a document grew too long to be read", &documents.collect::<Vec<_>>());
}

#[test]
fn no_test_is_switched_off_and_no_machine_is_named() {
    expect_none("a test that does not run is none", &over(&[".rs"], |text| lines_with(text, &ignored_tests())));
    let texts = [".rs", ".toml", ".md", ".yml", ".json"];
    expect_none("a path of somebody's machine", &over(&texts, |text| lines_with(text, &machine_paths())));
    expect_none("half a merge", &over(&texts, |text| lines_with(text, &merge_marks())));
}

/// What a merge leaves where nobody has decided; written apart, for this file is looked at, too.
fn merge_marks() -> Vec<String> {
    ["<", ">"].iter().map(|mark| format!("{} ", mark.repeat(7))).collect()
}

#[test]
fn core_crates_have_no_std_and_no_random_maps() {
    for name in CORE {
        assert!(is_no_std(&read(&format!("sim/{name}/src/lib.rs"))), "{name} is one of the core crates: `#![no_std]`");
        let inside = |file: &&String| file.starts_with(&format!("sim/{name}/"));
        let wrong: Vec<String> = files(&[".rs"])
            .iter()
            .filter(inside)
            .flat_map(|file| random_maps(&read(file)).into_iter().map(move |line| format!("{file}: {line}")))
            .collect();
        expect_none("a map whose order is random", &wrong);
    }
}

#[test]
fn crates_keep_to_the_graph_and_to_the_lints() {
    for (name, folder, allowed) in GRAPH {
        let manifest = read(&format!("{folder}/Cargo.toml"));
        expect_none("an edge that must be absent (ARCHITECTURE.md)", &forbidden_edges(name, allowed, &manifest));
        assert!(takes_the_lints(&manifest), "{folder}/Cargo.toml lacks `[lints]` with `workspace = true`");
    }
}

#[test]
fn documents_are_there_and_name_files_that_exist() {
    let missing: Vec<String> =
        DOCUMENTS.iter().filter(|name| !root().join(name).exists()).map(|name| (*name).to_owned()).collect();
    expect_none("a document is missing", &missing);
    let wrong = over(&[".md"], |text| missing_files(text, |name| root().join(name).exists()));
    expect_none("a document names a file that is not there", &wrong);
}

#[test]
fn every_rule_of_the_semantics_names_tests_that_exist() {
    let text = read("docs/semantics.md");
    assert!(numbered_rules(&text).len() >= 49, "rules are not taken out");
    let tests: BTreeSet<String> = files(&[".rs"]).iter().flat_map(|file| functions(&read(file))).collect();
    expect_none("docs/semantics.md", &untested_rules(&text, &tests));
}

#[test]
fn the_grammar_names_every_key_word_and_metric() {
    let mut needed = BTreeSet::new();
    schema_words(&lab::scenario::json_schema(), &mut needed);
    assert!(needed.len() > 100, "the schema lists its keys: {needed:?}");
    needed.extend(lab::measure::METRICS.iter().map(|entry| entry.name.to_owned()));
    needed.extend(lab::measure::METRICS.iter().flat_map(|entry| entry.labels).map(|label| (*label).to_owned()));
    needed.extend(systems::commit::two_phase::Mutant::ALL.map(|(_, name, _)| name.to_owned()));
    expect_none("docs/scenario-grammar.md does not mention", &undocumented(&needed, &read("docs/scenario-grammar.md")));
}

#[test]
fn each_rule_is_seen_to_fail() {
    assert!(too_long("a\nb\nc", 2).is_some() && too_long("a\nb", 2).is_none());
    let off = format!("{}]\nfn a() {{}}", ignored_tests()[0]);
    assert_eq!(lines_with(&off, &ignored_tests()).len(), 1);
    assert_eq!(lines_with(&format!("a\n{}HEAD\nb", merge_marks()[0]), &merge_marks()).len(), 1);
    assert_eq!(lines_with(&format!("see {}me/x", machine_paths()[0]), &machine_paths()).len(), 1);
    assert_eq!(random_maps("use std::collections::HashMap;").len(), 1);
    assert_eq!(random_maps("let a: HashSet<u8> = x; // fine").len(), 1);
    assert_eq!(random_maps("type Map<K, V> = hashbrown::HashMap<K, V, Fixed>; // no HashMap of std"), [""; 0]);
    assert!(!is_no_std("//! A crate.\n// #![no_std]\n") && is_no_std("//! A crate.\n#![no_std]\n"));
    let manifest = "[package]\nname = \"cluster\"\n\n[dependencies]\nkernel.workspace = true\nrayon = \"1\"\n\n[dev-dependencies]\nsystems = { path = \"x\" }\n";
    assert_eq!(dependencies(manifest), ["kernel", "rayon", "systems"]);
    assert_eq!(forbidden_edges("cluster", &["kernel"], manifest), ["cluster → rayon", "cluster → systems"]);
    assert_eq!(forbidden_edges("reports", &["kernel", "lab"], manifest), ["reports → systems"]);
    assert!(!takes_the_lints(manifest) && takes_the_lints("[package]\n\n[lints]\nworkspace = true\n"));
    let known = functions("#[test]\nfn it_holds() {}\n");
    let rules = "1. A.\n   Test: `it_holds`.\n2. B.\n   Test: `it_breaks`.\n4. C.\n## More\nnone\n";
    assert_eq!(
        untested_rules(rules, &known),
        [
            "rule 2: there is no test `it_breaks`",
            "rule 4 stands in place 3",
            "rule 4 says neither its test, nor that there is none"
        ]
    );
    assert_eq!(untested_rules("1. A.\n   Test: none.\n", &known), ["rule 1 names no test"]);
    assert_eq!(missing_files("`a/b.rs`, `a/*.rs`, `c.rs`, `d/e.md`", |name| name == "a/b.rs"), ["d/e.md"]);
    let mut words = BTreeSet::new();
    let schema = serde_json::json!({ "properties": { "nodes": { "description": "x", "enum": ["one"] }, "gone": {} } });
    schema_words(&schema, &mut words);
    assert_eq!(undocumented(&words, "`nodes = one`, gone"), ["gone"]);
}
