//! Damaged scenario files: each is refused, with a place, in words that are pinned in `damaged/expected.txt`.
//!
//! `BLESS=1 cargo test -p lab --test damaged` rewrites the expected text; read the difference before committing it.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use lab::scenario::{Choice, Colour, Diagnostics, Severity, Source, load};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/damaged")
}

fn refused(name: &str, text: &str) -> Diagnostics {
    match load(&Source::new(name, text), &Choice::default()) {
        Ok(_) => panic!("{name} is damaged and was accepted"),
        Err(errors) => errors,
    }
}

#[test]
fn every_damaged_file_is_told_what_is_wrong_and_where() {
    let mut names: Vec<String> = fs::read_dir(folder())
        .expect("the folder of damaged files")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
        .filter(|name| name != "expected.txt")
        .collect();
    names.sort();
    assert!(names.len() >= 100, "only {} damaged files", names.len());
    let mut shown = String::new();
    for name in names {
        let text = fs::read_to_string(folder().join(&name)).expect("a damaged file");
        let errors = refused(&name, &text);
        assert!(errors.list.iter().all(|d| d.severity == Severity::Error), "{name}: warnings hide errors");
        // What is missing altogether, and the end of a text, have no bytes to underline.
        let placed = errors.list.iter().any(|d| d.place.end > d.place.start);
        assert!(placed || name.starts_with("missing") || name.starts_with("syntax"), "{name}: nothing is underlined");
        let _ = writeln!(shown, "=== {name}\n{}", errors.render(Colour::Plain));
        assert_eq!(errors.json().len(), errors.list.len());
    }
    let golden = folder().join("expected.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&golden, &shown).expect("the expected text can be written");
    }
    let expected = fs::read_to_string(&golden).expect("expected.txt");
    if let Some((n, (a, b))) = expected.lines().zip(shown.lines()).enumerate().find(|(_, (a, b))| a != b) {
        panic!("line {} of expected.txt\n  expected {a}\n  found    {b}", n + 1);
    }
    assert_eq!(expected.lines().count(), shown.lines().count(), "expected.txt has another length");
}

/// Bytes that look random and are always the same.
fn noise(bytes: usize) -> String {
    let mut word = 1u64;
    let mut next = || {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b' ' + (word >> 33) as u8 % 95)
    };
    (0..bytes).map(|n| if n % 61 == 60 { '\n' } else { next() }).collect()
}

fn wrong_keys(count: usize) -> String {
    (0..count).fold(String::new(), |text, n| text + &format!("k{n}=1\n"))
}

/// Texts made to hurt. The limit on size bounds the time of all of them; that no stack overflows is the point of most.
#[test]
fn texts_made_to_hurt_are_refused() {
    let mega = 4_000_000;
    for (name, text) in [
        ("ten megabytes of noise", noise(10_000_000)),
        ("one line of ten megabytes", "x".repeat(10_000_000)),
        ("four megabytes of noise", noise(mega)),
        ("one line of four megabytes", format!("x = \"{}\"", "y".repeat(mega))),
        ("one line of noise", noise(mega).replace('\n', " ")),
        ("open brackets", "[".repeat(mega)),
        ("open arrays", format!("a = {}", "[".repeat(100_000))),
        ("open tables", format!("a = {}", "{a=".repeat(100_000))),
        ("dots", format!("{}a = 1", "a.".repeat(1_000_000))),
        ("dots in a header", format!("[{}a]", "a.".repeat(1_000_000))),
        ("quoted dots", format!("{}a = 1", "\"a\".".repeat(100_000))),
        ("many keys", (0..200_000).fold(String::new(), |t, n| t + &format!("k{n} = 1\n"))),
        ("many wrong keys", (0..1000).fold(String::new(), |t, n| t + &format!("[services.s{n}]\n{}", wrong_keys(400)))),
        (
            "many tables",
            (0..100_000).fold(String::new(), |t, n| t + &format!("[services.s{n}]\nlike = \"s{}\"\n", n + 1)),
        ),
        ("one key again and again", "k = 1\n".repeat(200_000)),
        ("a long name", format!("[services.{}]", "n".repeat(mega))),
        ("a deep distribution", format!("run.duration = \"{}\"", "mix(100%: ".repeat(100_000))),
        ("a long sum", format!("network.latency = \"1ms{}\"", " + exp(1ms)".repeat(100_000))),
        ("a long number", format!("run.duration = \"{}s\"", "9".repeat(mega))),
        ("nothing but quotes", "'".repeat(mega)),
        ("null bytes", "\0".repeat(1_000_000)),
    ] {
        let errors = refused(name, &text);
        assert!(!errors.list.is_empty(), "{name}");
        let shown = errors.render(Colour::Plain);
        assert!(shown.len() < 200_000, "{name}: {} bytes of errors", shown.len());
        assert!(!errors.json().is_empty());
    }
}

/// Laws, variables and times of every form, as short as they go.
const FORMS: &str = r#"version=1
run={duration="9s",warmup="auto",precision="2%"}
services.s={work="empirical('a.csv')+empirical(1ms, 2ms)",clock.offset="normal(-1ms,2ms)"}
workloads.w={trace="b.csv",target="s",vars={a="choice('é': 1, 'b': 2)",b="sequence(3)",c=true,d="'x'",e="chance(2%)"}}
thresholds.t="mean(latency)<1s"
"#;

/// Every shipped example damaged at every place: nothing panics, whatever is cut off or put in.
#[test]
fn no_cut_and_no_insertion_panics() {
    let read = |name: &str| fs::read_to_string(folder().join(name)).expect("a file of this folder");
    let (small, saga, flow, trip) = (
        read("three_at_once.toml"),
        read("../examples/checkout_saga.toml"),
        read("../examples/order_flow.toml"),
        read("../examples/choreography.toml"),
    );
    // Every byte of the small ones, and every 13th of the large ones.
    for (text, stride) in [(&*small, 1), (FORMS, 1), (&*saga, 13), (&*flow, 13), (&*trip, 13)] {
        for at in (0..text.len()).step_by(stride).filter(|at| text.is_char_boundary(*at)) {
            let cut = &text[..at];
            let mut inserted = text.to_owned();
            inserted.insert_str(at, ["\"", "]", "none", ".", "[[", "=", "{", "5", "'", "("][at % 10]);
            for text in [cut, &inserted] {
                if let Err(errors) = load(&Source::new("cut.toml", text), &Choice::default()) {
                    assert!(!errors.render(Colour::Plain).is_empty());
                }
            }
        }
    }
}

/// The shipped scenarios that name no other files.
fn shipped() -> Vec<Source> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios"));
    let themes = fs::read_dir(root).expect("the scenarios").filter_map(|entry| fs::read_dir(entry.ok()?.path()).ok());
    let files = themes.flatten().map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    let source = |path: &PathBuf| {
        let name = path.file_name().expect("a file").to_string_lossy();
        Source::new(name, fs::read_to_string(path).expect("a scenario"))
    };
    files.iter().map(source).filter(|source| load(source, &Choice::default()).is_ok()).collect()
}

/// What else in the file rests on a wrong value gets no error of its own.
#[test]
fn a_wrong_value_is_one_error() {
    let shipped = shipped();
    assert!(shipped.len() >= 5, "only {} scenarios", shipped.len());
    for source in shipped {
        for leaf in load(&source, &Choice::default()).expect("a shipped scenario").leaves() {
            for wrong in ["{ no_such_key = [[1]] }", "[[\"no such value\"]]"] {
                let sets = vec![(leaf.path.clone(), wrong.to_owned())];
                let errors = load(&source, &Choice { sets, ..Choice::default() }).expect_err("a wrong value");
                let told = errors.render(Colour::Plain);
                assert_eq!(errors.list.len(), 1, "{}: {} = {wrong}\n{told}", source.name, leaf.path);
            }
        }
    }
}
