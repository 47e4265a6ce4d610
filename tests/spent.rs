//! Where the time of requests went: its parts add up to the latency exactly, and each is what it says.

use lab::outcome::{OperationResult, Outcome, SpentTime};
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Source, load};

fn outcome(name: &str, text: &str) -> Outcome {
    let scenario = load(&Source::new(name, text), &Choice::default())
        .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
    run(&scenario, scenario.model.run.seed, None, &Options::full(), &mut |_| Go::On)
        .unwrap_or_else(|errors| panic!("{}", scenario.diagnostics(errors).render(Colour::Plain)))
}

fn total(operation: &OperationResult) -> u128 {
    operation.spent.parts().iter().map(|(_, part)| part).sum()
}

#[test]
fn its_parts_are_the_latency_exactly_through_crashes_retries_and_transactions() {
    for file in ["checkout/saga.toml", "bank/two-phase-commit.toml", "sharing/users-orders.toml"] {
        let path = format!("{}/scenarios/{file}", env!("CARGO_MANIFEST_DIR"));
        let outcome = outcome(file, &std::fs::read_to_string(path).expect("the scenario is there"));
        for operation in &outcome.operations {
            assert!(!operation.latency.is_empty(), "{file}: nothing to compare of {}", operation.name);
            assert_eq!(total(operation), operation.latency.sum(), "{file}: {}", operation.name);
        }
        if file == "checkout/saga.toml" {
            let charge = outcome.operations.iter().find(|operation| operation.name == "payment.charge");
            let SpentTime { work, worker, network, data, retries } = charge.expect("it is called").spent;
            assert!([work, worker, network, data, retries].iter().all(|part| *part > 0), "{:?}", outcome.operations);
        }
    }
}

#[test]
fn each_part_is_what_it_says() {
    let text = r#"
version = 1
run = { duration = "3s", quiesce = "20s" }
network = { latency = "10ms" }
retry.twice = { attempts = 2, backoff = { kind = "constant", base = "100ms", jitter = "none" } }
[services.front]
workers = 1
mode = "blocking"
steps = [
  { work = "1500ms" },
  { call = "back", else = "skip", timeout = "1s", retry = "twice" },
]
[services.back]
workers = "unlimited"
steps = [{ sleep = "3s" }]
[workloads.w]
rate = "1/s"
arrivals = "even"
target = "front"
client = { timeout = "20s" }
"#;
    let outcome = outcome("parts.toml", text);
    let operation = outcome.operations.iter().find(|operation| operation.external).expect("there is one");
    assert_eq!(operation.ok, 2, "they begin at 1 s and 2 s");
    let ms = |n: u128| n * 1_000_000;
    let wanted = SpentTime {
        work: ms(2 * 1500),
        // The first holds the only worker for 1.5 s of work and 2.1 s of a call; the second comes a second after it, and is
        // there sooner, for the first has opened the connection: 20 ms more.
        worker: ms(1500 + 2100 - 1000 + 20),
        network: ms(2 * 20 + 20),
        data: 0,
        retries: ms(2 * 2100),
    };
    assert_eq!(operation.spent, wanted);
}
