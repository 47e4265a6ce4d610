//! The builder has the names of the file: what stands below `sim/cli/builder/keys/` is written here from the grammar, and
//! compared with what stands there. `BLESS=1` writes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use lab::scenario::grammar;
use lab::scenario::grammar::{Entry, Part, Takes};

/// Each table of the grammar, its type, and the file of its keys.
const TYPES: [(&str, &str, &str); 47] = [
    ("a scenario", "Variant", "root"),
    ("`[scenario]`", "Scenario", "world"),
    ("`[run]`", "Run", "world"),
    ("`[network]`", "Network", "world"),
    ("a link", "Link", "world"),
    ("`loss`", "Loss", "world"),
    ("a retry policy", "Retry", "world"),
    ("a backoff", "Backoff", "world"),
    ("a retry budget", "Budget", "world"),
    ("a circuit breaker", "Breaker", "world"),
    ("a service", "Service", "world"),
    ("a queue", "ServiceQueue", "world"),
    ("a disk", "Disk", "world"),
    ("a clock", "Clock", "world"),
    ("an item of state", "State", "world"),
    ("an op", "Op", "world"),
    ("a consumer", "Consumer", "world"),
    ("an outbox", "Outbox", "world"),
    ("a store", "Store", "world"),
    ("a broker", "Broker", "messages"),
    ("a queue of messages", "Queue", "messages"),
    ("a binding", "Binding", "messages"),
    ("`dead_letter`", "DeadLetter", "messages"),
    ("an exchange", "Exchange", "messages"),
    ("a topic", "Topic", "messages"),
    ("a transaction", "Transaction", "messages"),
    ("`locks`", "Locks", "messages"),
    ("a saga", "Saga", "messages"),
    ("a trigger", "Trigger", "messages"),
    ("a step of a saga", "SagaStep", "messages"),
    ("`on_abort`", "OnAbort", "messages"),
    ("`isolation`", "Isolation", "messages"),
    ("a workload", "Workload", "load"),
    ("`client`", "Client", "load"),
    ("a stage", "Stage", "load"),
    ("`[chaos]`", "Chaos", "load"),
    ("a fault", "Fault", "load"),
    ("an instance", "Instance", "load"),
    ("`after`", "After", "load"),
    // A step is one type: which of them may stand where, the loader says.
    ("a step", "Step", "load"),
    ("a step of a transaction", "Step", "load"),
    ("a step of a workload", "Step", "load"),
    ("a step of a mix", "Step", "load"),
    ("an invariant", "Invariant", "promises"),
    ("`[expect]`", "Expect", "promises"),
    ("`[sweep]`", "Sweep", "promises"),
    ("`[repro]`", "Repro", "promises"),
];

/// Tables of named things, and the method that adds one.
const SINGULAR: [(&str, &str); 19] = [
    ("phases", "phase"),
    ("links", "link"),
    ("zones", "zone"),
    ("services", "service"),
    ("stores", "store"),
    ("brokers", "broker"),
    ("queues", "queue"),
    ("exchanges", "exchange"),
    ("topics", "topic"),
    ("transactions", "transaction"),
    ("sagas", "saga"),
    ("workloads", "workload"),
    ("faults", "fault"),
    ("invariants", "invariant"),
    ("thresholds", "threshold"),
    ("variants", "variant"),
    ("ops", "op"),
    ("consumers", "consumer"),
    ("vars", "var"),
    // `[retry.x]`, `[breaker.x]`, `state`, `with` and `matrix` are singular as they are.
];

/// Words of Rust.
const WORDS: [&str; 6] = ["for", "if", "else", "type", "match", "use"];

fn type_of(what: &str) -> (&'static str, &'static str) {
    let known = TYPES.iter().find(|(known, _, _)| *known == what);
    let known =
        known.unwrap_or_else(|| panic!("{what} is a new table: give it a type in TYPES, sim/cli/builder/pieces/"));
    (known.1, known.2)
}

fn method(entry: &Entry) -> String {
    let name = match entry.takes {
        Takes::EachValue | Takes::EachPart(_) => {
            SINGULAR.iter().find(|(many, _)| *many == entry.name).map_or(entry.name, |(_, one)| *one)
        }
        Takes::Value | Takes::Part(_) | Takes::List(_) => entry.name,
    };
    if WORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// An example: what is put into the parentheses of a method, and what stands behind the key in the file.
struct Example {
    rust: String,
    toml: String,
}

/// The verbs and keys of each table, and of each type.
type Types = BTreeMap<&'static str, (Vec<Entry>, Vec<Entry>)>;

/// A value of an entry; of a table one with its first key.
fn value(entry: &Entry, types: &Types) -> Example {
    let sample = || entry.sample.clone().unwrap_or_else(|| panic!("`{}` has no sample", entry.name));
    match entry.takes {
        Takes::Value | Takes::EachValue => Example { rust: sample(), toml: sample() },
        Takes::Part(what) | Takes::EachPart(what) => piece(what, entry.name, types),
        Takes::List(what) => {
            let Example { rust, toml } = piece(what, entry.name, types);
            Example { rust: format!("[{rust}]"), toml: format!("[{toml}]") }
        }
    }
}

/// A table with its first key, or its first verb that may stand there.
fn piece(what: &str, within: &str, types: &Types) -> Example {
    let ((verbs, keys), name) = (&types[what], type_of(what).0);
    let plain = |entry: &&Entry| {
        entry.takes == Takes::Value && entry.name != "like" && (within != "transaction" || entry.name == "insert")
    };
    let (first, rust) = if let Some(verb) = verbs.iter().find(plain) {
        (verb, format!("{name}::{}", method(verb)))
    } else {
        let key = keys.iter().find(plain).unwrap_or_else(|| panic!("{name} has no key with a plain value"));
        (key, format!("{name}::new().{}", method(key)))
    };
    let Example { rust: value, toml } = value(first, types);
    Example { rust: format!("{rust}({value})"), toml: format!("{{ {} = {toml} }}", first.name) }
}

/// The call of a method, and what it puts behind its key.
fn call(entry: &Entry, types: &Types) -> Example {
    let Example { rust, toml } = value(entry, types);
    let one = if entry.name == "links" { "a -> b" } else { "x" };
    match entry.takes {
        Takes::Value | Takes::Part(_) | Takes::List(_) => Example { rust: format!("{}({rust})", method(entry)), toml },
        Takes::EachValue | Takes::EachPart(_) => {
            let key = if one == "x" { one.to_owned() } else { format!("\"{one}\"") };
            Example { rust: format!("{}(\"{one}\", {rust})", method(entry)), toml: format!("{{ {key} = {toml} }}") }
        }
    }
}

/// A method of a type with its line and its example: how it is called, and what it writes.
fn line(name: &str, entry: &Entry, types: &Types) -> String {
    let takes = match entry.takes {
        Takes::Value => "value".to_owned(),
        Takes::Part(what) => format!("part {}", type_of(what).0),
        Takes::List(what) => format!("list {}", type_of(what).0),
        Takes::EachValue => "each".to_owned(),
        Takes::EachPart(what) => format!("each {}", type_of(what).0),
    };
    let Example { rust, toml } = call(entry, types);
    let (verbs, _) = &types[name];
    let own = format!("{} = {toml}", entry.name);
    let (how, writes) = if name == "Variant" {
        // Sections are written in many ways; what stands in the innermost table is there in all of them.
        (rust, innermost(&own).to_owned())
    } else if verbs.iter().any(|verb| verb.name == entry.name) {
        (format!("{name}::{rust}"), format!("{{ {own} }}"))
    } else if let Some(first) = verbs.first() {
        let verb = verbs.iter().find(|verb| Some(verb.name) == entry.with).unwrap_or(first);
        let Example { rust: begin, toml } = call(verb, types);
        (format!("{name}::{begin}.{rust}"), format!("{{ {} = {toml}, {own} }}", verb.name))
    } else {
        (format!("{name}::new().{rust}"), format!("{{ {own} }}"))
    };
    let doc = format!("    /// {}\n", entry.doc);
    format!("{doc}    {} \"{}\" {takes} = r#\"{how}\"# r#\"{writes}\"#;\n", method(entry), entry.name)
}

/// `nodes = 3` of `services = { x = { nodes = 3 } }`.
fn innermost(text: &str) -> &str {
    let begins = text.rfind("{ ").map_or(0, |at| at + 2);
    let ends = text.find(" }").unwrap_or(text.len());
    &text[begins..ends]
}

/// Keys of several tables that share a type. `set` is the fields of a row or the value of a counter: a value.
fn united(parts: &[Part]) -> Vec<(&'static str, &'static str, Vec<Entry>, Vec<Entry>)> {
    let mut all: Vec<(&str, &str, Vec<Entry>, Vec<Entry>)> = Vec::new();
    for part in parts {
        let (name, file) = type_of(part.what);
        let place = all.iter().position(|(known, ..)| *known == name).unwrap_or_else(|| {
            all.push((name, file, Vec::new(), Vec::new()));
            all.len() - 1
        });
        let (_, _, verbs, keys) = &mut all[place];
        for (into, from) in [(verbs, &part.verbs), (keys, &part.keys)] {
            for entry in from {
                if into.iter().all(|known| known.name != entry.name) {
                    let takes = if name == "Step" && entry.name == "set" { Takes::Value } else { entry.takes };
                    into.push(Entry { takes, ..entry.clone() });
                }
            }
        }
    }
    all
}

fn written() -> BTreeMap<&'static str, String> {
    let head = "//! Written by `tests/builder_keys.rs` from the tables of the grammar.\n\n";
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    let all = united(&grammar());
    let mut types: Types = all.iter().map(|(name, _, verbs, keys)| (*name, (verbs.clone(), keys.clone()))).collect();
    types.extend(grammar().into_iter().map(|part| (part.what, (part.verbs, part.keys))));
    for (name, file, verbs, keys) in all {
        let text = files.entry(file).or_insert_with(|| {
            let uses = if file == "root" { "{keys, sections}" } else { "{keys, verbs}" };
            let uses = if matches!(file, "world" | "messages") { "keys" } else { uses };
            format!("{head}use super::{uses};\n")
        });
        let each = |entries: &[Entry]| entries.iter().map(|entry| line(name, entry, &types)).collect::<String>();
        if file == "root" {
            let names: Vec<String> = keys.iter().map(|key| format!("    \"{}\",\n", key.name)).collect();
            let _ = write!(
                text,
                "\n/// The sections in the order of the file.\npub(in crate::builder) const SECTIONS: &[&str] = &[\n{}];\n",
                names.concat()
            );
            // A variant has no variants, so this one is written by hand.
            let keys: Vec<Entry> = keys.into_iter().filter(|key| key.name != "variants").collect();
            let _ = write!(text, "\nsections! {{\n{}}}\n", each(&keys));
        } else {
            if !verbs.is_empty() {
                let _ = write!(text, "\nverbs! {{ {name} {{\n{}}} }}\n", each(&verbs));
            }
            let _ = write!(text, "\nkeys! {{ {name} {{\n{}}} }}\n", each(&keys));
        }
    }
    files
}

/// The first line that is not as it should be.
fn difference(there: &str, wanted: &str) -> Option<String> {
    let mut wanted = wanted.lines();
    for line in there.lines() {
        match wanted.next() {
            Some(other) if other == line => {}
            other => return Some(format!("it says `{line}`, the grammar `{}`", other.unwrap_or("nothing more"))),
        }
    }
    wanted.next().map(|line| format!("the grammar has `{line}`"))
}

#[test]
fn every_key_of_the_grammar_is_a_method_of_the_builder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sim/cli/builder/keys");
    for (file, wanted) in written() {
        let path = folder.join(format!("{file}.rs"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &wanted).expect("the lists can be written");
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some(difference) = difference(&there, &wanted) {
            panic!("sim/cli/builder/keys/{file}.rs: {difference}\nBLESS=1 cargo test --test builder_keys writes it");
        }
    }
}

#[test]
fn a_new_key_is_noticed() {
    let mut parts = grammar();
    let service = parts.iter_mut().find(|part| part.what == "a service").expect("there are services");
    let key = Entry {
        name: "brandnew",
        doc: "A key.".to_owned(),
        takes: Takes::Value,
        sample: Some("3".to_owned()),
        with: None,
    };
    service.keys.push(key);
    let (_, _, verbs, keys) = united(&parts).into_iter().find(|(name, ..)| *name == "Service").expect("a type");
    let types = Types::from([("Service", (verbs, keys.clone()))]);
    let text = line("Service", keys.last().expect("it has keys"), &types);
    let there = &written()["world"];
    assert!(text.contains("brandnew \"brandnew\" value = ") && !there.contains("brandnew"));
    assert!(difference("a\nb\n", "a\nc\n").is_some() && difference("a\n", "a\nb\n").is_some());
    assert!(difference("a\nb\n", "a\n").is_some() && difference("a\n", "a\n").is_none());
}
