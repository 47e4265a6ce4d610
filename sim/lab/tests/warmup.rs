//! `run.warmup = "auto"`: what is chosen, by what, and what it leaves alone.

use lab::outcome::{Outcome, WarmupBy};
use lab::run::{EPOCH, Go, Options, run};
use lab::scenario::{Choice, Colour, Scenario, Source, load};

/// A server whose line is long at first: a burst of work for the first hundred operations, then an easy load.
const SLOW_START: &str = r#"
version = 1
run     = { duration = "400s", warmup = "auto" }

[services.server]
work = "exp(100ms)"

[workloads.load]
rate   = "5/s"
target = "server"

[workloads.opening]
rate     = "20/s"
stop     = "20s"
arrivals = "even"
target   = "server"

[faults.stop]
kind   = "pause"
target = "server"
every  = "100s"
for    = "1s"
"#;

fn read(text: &str, sets: &[(&str, &str)]) -> Scenario {
    let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    let choice = Choice { sets, ..Choice::default() };
    load(&Source::new("slow.toml", text), &choice).unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)))
}

fn outcome(scenario: &Scenario) -> Outcome {
    run(scenario, 7, None, &Options::lean(), &mut |_| Go::On).expect("it compiles")
}

#[test]
fn the_chosen_warm_up_is_past_the_opening_and_means_the_same_when_written() {
    let scenario = read(SLOW_START, &[]);
    let auto = outcome(&scenario);
    let chosen = auto.times.warmup;
    // 400 operations of 100 ms within 20 s, and 5 a second besides: the line is worked off at about 60 s.
    assert!(auto.warmup_by == WarmupBy::Mser5 && (20.0..150.0).contains(&chosen.seconds()), "chosen {chosen}");
    let written = outcome(&read(SLOW_START, &[("run.warmup", &format!("{}ns", chosen.0))]));
    assert_eq!((auto.fingerprint, auto.events), (written.fingerprint, written.events), "faults begin after it, too");
    let counts = |outcome: &Outcome| outcome.operations.iter().map(|o| (o.ok, o.latency.max())).collect::<Vec<_>>();
    assert_eq!(counts(&auto), counts(&written));
    assert!(
        auto.faults[0].from >= chosen + kernel::Span::nanos(100_000_000_000),
        "{:?} after {chosen}",
        auto.faults[0].from
    );
}

#[test]
fn the_run_id_is_that_of_the_file_and_the_resolved_file_says_what_was_chosen() {
    let scenario = read(SLOW_START, &[]);
    let auto = outcome(&scenario);
    assert_eq!(auto.run_id, scenario.run_id(EPOCH, 7), "what is chosen does not enter the run id");
    let told = auto.resolved.lines().find(|line| line.contains("warmup")).expect("it is in the file").to_owned();
    assert!(told.contains("\"auto\"") && told.contains(&format!("{}ms", auto.times.warmup.0 / 1_000_000)), "{told}");
    let again = outcome(&read(&auto.resolved, &[("run.seed", "7")]));
    assert_eq!((again.run_id, again.fingerprint, again.times), (auto.run_id, auto.fingerprint, auto.times));
}

#[test]
fn a_run_that_never_settles_says_so() {
    // Twice the load the server can take: the line grows to the end.
    let grows = outcome(&read(SLOW_START, &[("workloads.load.rate", "20/s"), ("run.duration", "100s")]));
    let told = |outcome: &Outcome| outcome.warnings.iter().any(|w| w.contains("too short to tell, or never settles"));
    assert!(told(&grows), "{:?}", grows.warnings);
    assert!(!told(&outcome(&read(SLOW_START, &[]))), "and one that does, does not");
    let nothing = outcome(&read(SLOW_START, &[("run.duration", "1s"), ("workloads.opening", "none")]));
    assert!(
        nothing.warnings.iter().any(|w| w.contains("no workload that lasts has 50 operations")),
        "{:?}",
        nothing.warnings
    );
    assert_eq!((nothing.times.warmup.0, nothing.warmup_by), (0, WarmupBy::Nobody));
}
