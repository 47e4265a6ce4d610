//! What the tests of whole scenarios share: the scenarios of the repository, changed, and what their seeds break.

#![allow(dead_code, reason = "each test uses what it needs of it")]
#![allow(clippy::print_stdout, reason = "what was found is told to whoever runs a test with --nocapture")]

use lab::outcome::{Outcome, Status};
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Scenario, Source, load};

/// `scenarios/<name>.toml` with these changes, and with these machines dying again and again: by the fault's name.
pub(crate) fn scenario(
    name: &str,
    variant: Option<&str>,
    changes: &[(&str, &str)],
    deaths: &[(&str, &str)],
) -> Scenario {
    let path = format!("{}/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the scenario is in the repository");
    let deaths = deaths.iter().flat_map(|(fault, target)| {
        let set = |key: &str, value: &str| (format!("faults.{fault}.{key}"), value.to_owned());
        [set("kind", "crash"), set("target", target), set("at", "none"), set("rate", "0.4/s"), set("for", "exp(400ms)")]
    });
    let changes = changes.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned()));
    let choice =
        Choice { variant: variant.map(str::to_owned), sets: deaths.chain(changes).collect(), ..Choice::default() };
    load(&Source::new(name, text), &choice).unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)))
}

/// How a run ends.
pub(crate) fn outcome(scenario: &Scenario, seed: u64) -> Outcome {
    run(scenario, seed, None, &Options::lean(), &mut |_| Go::On)
        .unwrap_or_else(|errors| panic!("{}", scenario.diagnostics(errors).render(Colour::Plain)))
}

/// The promises that do not hold, with why.
pub(crate) fn wrong(outcome: &Outcome, seed: u64) -> Vec<String> {
    let bad = outcome.invariants.iter().filter(|invariant| invariant.status != Status::Holds);
    bad.map(|bad| format!("seed {seed}: {} {:?}: {:?}", bad.name, bad.status, bad.witness)).collect()
}

/// The names of the promises that a seed breaks.
pub(crate) fn broken(scenario: &Scenario, seed: u64) -> Vec<String> {
    let violated = outcome(scenario, seed).invariants.into_iter().filter(|i| i.status == Status::Violated);
    violated.map(|invariant| invariant.name).collect()
}

/// The first of so many seeds that breaks this promise, and what else it breaks.
pub(crate) fn first_broken(scenario: &Scenario, promise: &str, seeds: u64) -> Option<(u64, Vec<String>)> {
    (0..seeds).find_map(|seed| {
        let mut names = broken(scenario, seed);
        let found = names.iter().position(|name| name == promise)?;
        names.remove(found);
        Some((seed, names))
    })
}

/// A row of the table of mistakes, and whether it was caught.
pub(crate) fn tell_mistake(mistake: &str, promise: &str, found: Option<&(u64, Vec<String>)>) -> bool {
    match found {
        Some((seed, others)) => println!("{mistake:<44} {promise:<20} {seed:>10}   {}", others.join(", ")),
        None => println!("{mistake:<44} {promise:<20} {:>10}", "none"),
    }
    found.is_some()
}
