//! Files that a scenario names: what is read, what it does to the run id, and that the resolved file needs none of them.

use std::collections::BTreeMap;

use lab::outcome::Outcome;
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Diagnostics, Files, Scenario, Source, files_named, load};

const SERVER: &str = r#"
version = 1
run     = { duration = "10s" }

[services.server]
work = "1ms + empirical(\"work.csv\")"

[workloads.replay]
trace  = "arrivals.csv"
target = "server"
vars   = { items = "empirical('items.csv')" }

[variants.slow]
services.server.work = "empirical('slow.csv')"
"#;

fn read(text: &str, files: &[(&str, &str)]) -> Result<Scenario, Diagnostics> {
    let contents = |(name, text): &(&str, &str)| ((*name).to_owned(), Ok((*text).to_owned()));
    let mut files: BTreeMap<String, Result<String, String>> = files.iter().map(contents).collect();
    files.entry("slow.csv".to_owned()).or_insert(Ok("1s\n".to_owned()));
    load(&Source::new("server.toml", text).with_files(Files::new(files)), &Choice::default())
}

const FILES: [(&str, &str); 3] =
    [("work.csv", "latency_ms\n5\n7\n"), ("arrivals.csv", "2s\n1s\n3s\n"), ("items.csv", "1\n2\n")];

fn outcome(scenario: &Scenario) -> Outcome {
    run(scenario, 7, None, &Options::lean(), &mut |_| Go::On).expect("it compiles")
}

#[test]
fn contents_are_drawn_from_enter_the_run_id_and_stand_in_the_resolved_file() {
    let scenario = read(SERVER, &FILES).unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
    let first = outcome(&scenario);
    let latency = &first.operations[0].latency;
    assert_eq!((latency.count(), first.operations[0].ok), (3, 3), "one operation for each arrival");
    assert!(latency.min() >= 6_000_000 && latency.max() <= 8_100_000, "{} to {}", latency.min(), latency.max());
    let again = load(&Source::new("resolved.toml", &*scenario.resolved), &Choice::default());
    let again = again.unwrap_or_else(|errors| panic!("{}\n{}", errors.render(Colour::Plain), scenario.resolved));
    let again = outcome(&again);
    let name = |outcome: &Outcome| (outcome.fingerprint, outcome.events);
    assert_eq!(name(&again), name(&first), "the resolved file needs no other");
    for (n, (path, text)) in [("work.csv", "latency_ms\n5\n8\n"), ("arrivals.csv", "2s\n1s\n4s\n"), ("items.csv", "3")]
        .into_iter()
        .enumerate()
    {
        let mut files = FILES;
        files[n] = (path, text);
        let other = read(SERVER, &files).expect("it is right");
        assert_ne!(other.run_id(1, 7), scenario.run_id(1, 7), "{path} enters the run id");
    }
    let mut files = FILES;
    files[0].1 = "# another order, and seconds\nlatency_s\n0.007\n0.005\n";
    assert_eq!(read(SERVER, &files).expect("it is right").run_id(1, 7), scenario.run_id(1, 7), "by its values");
}

#[test]
fn all_files_are_asked_for_and_each_that_is_wrong_is_told() {
    let matrix = [("workloads.replay.trace".to_owned(), "other.csv".to_owned())];
    let named: Vec<String> = files_named(&Source::new("server.toml", SERVER), &matrix).into_iter().collect();
    assert_eq!(named, ["arrivals.csv", "items.csv", "other.csv", "slow.csv", "work.csv"]);
    let errors = read(SERVER, &[("work.csv", "latency_ms\n5\nx\ny\n"), ("items.csv", "1ms\n")]).expect_err("wrong");
    let shown = errors.render(Colour::Plain);
    for told in [
        "in `work.csv`, line 3: `x`: this is no number",
        "also line 4: `y`: this is no number",
        "in `items.csv`, line 1: `1ms`: this is no number",
        "the contents of `arrivals.csv` are not at hand",
        "server.toml:6:8",
        "server.toml:9:10",
        "server.toml:11:31",
    ] {
        assert!(shown.contains(told), "{told}\n{shown}");
    }
}
