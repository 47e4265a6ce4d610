//! What is left of a failing run: written down without chance, and made small.

use std::sync::atomic::AtomicBool;

use lab::outcome::Status;
use lab::repro::{Replayed, replayed, repro, violated};
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Source, load};
use lab::shrink::{Refused, Request, Shrunk, shrink};

fn shipped(name: &str) -> Source {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    Source::new(name, std::fs::read_to_string(path).expect("the repository has its scenarios"))
}

fn choice(variant: Option<&str>, seed: u64) -> Choice {
    Choice { variant: variant.map(str::to_owned), sets: Vec::new(), seed: Some(seed) }
}

fn made_small(source: &Source, choice: Choice, promise: Option<&str>, jobs: usize) -> Result<Shrunk, Refused> {
    let request =
        Request { choice, promise: promise.map(str::to_owned), budget: 2000, jobs, known: lab::shrink::Known::new() };
    shrink(source, &request, &AtomicBool::new(false), &mut |_| {})
}

/// Orders that are paid, and a queue between the two whose machine dies; messages are lost, copied, delivered again.
const SHOP: &str = r#"
version = 1
run = { duration = "20s", seed = 3 }
network.latency = "exp(2ms)"   # a slow one

# Whoever pays.
[services.payment]
nodes = 2
state.paid = { kind = "counter" }
ops.pay.steps = [{ work = "exp(3ms)" }, { update = "paid", add = 1 }]

[services.shop]
ops.buy.steps = [{ call = "payment.pay", timeout = "40ms", retry = { attempts = 4, backoff = "20ms" } }]

[workloads.buyers]
rate = "40/s"
target = "shop.buy"

[faults.copies]   # every hundredth message
kind = "duplicate"
target = "shop -> payment"
chance = "1%"

[faults.losses]
kind = "loss"
chance = "0.5%"

[faults.deaths]
kind = "crash"
rate = "0.3/s"
target = "payment[any]"
for = "exp(300ms)"

[faults.cut]
kind = "partition"
split = [["payment[any]"], ["shop"]]
every = "7s"
for = "100ms"

[invariants]
paid_once = { always = "payment.paid < 10_000" }
few = { always = "payment.paid < 500" }

[expect]
verdict = "fail"
fails = ["few"]
"#;

#[test]
fn a_failing_run_is_written_down_without_chance_and_replays_to_the_same() {
    let cases = [
        (Source::new("shop.toml", SHOP), None, 3),
        (shipped("checkout/saga.toml"), Some("dual_write"), 3),
        (shipped("kv/failover.toml"), Some("unfenced"), 9),
    ];
    for (source, variant, seed) in cases {
        let choice = choice(variant, seed);
        let made = repro(&source, &choice, 0, &AtomicBool::new(false));
        let made = made.unwrap_or_else(|| panic!("{} breaks nothing", source.name));
        assert!(made.same && !made.violates.is_empty(), "{}: {:?}", source.name, made.violates);
        let down = load(&Source::new("repro.toml", made.text.clone()), &Choice::default());
        let down = down.unwrap_or_else(|errors| panic!("{}\n{}", errors.render(Colour::Plain), made.text));
        let again = run(&down, down.model.run.seed, None, &Options::lean(), &mut |_| Go::On).expect("it compiles");
        assert_eq!(replayed(&down, &again), Some((Replayed::Same, None)), "{}", source.name);
        assert_eq!(violated(&again), made.violates);
        if variant.is_none() {
            let faults = made.text.split("\n[faults").skip(1).collect::<Vec<_>>().join("");
            let faults = faults.split("\n[invariants").next().unwrap_or("").replace("chance = \"100%\"", "");
            for chancy in ["rate =", "every =", "exp(", "[any]", "chance ="] {
                assert!(!faults.contains(chancy), "{chancy} is left to chance:\n{faults}");
            }
            assert!(faults.contains("hits = [\""), "{faults}");
            // Of another epoch, and changed so that it holds: both are told.
            let other = made.text.replace("epoch = 1", "epoch = 7").replace("< 500", "< 5000000");
            let other = load(&Source::new("repro.toml", other), &Choice::default()).expect("it is right");
            let run = run(&other, 3, None, &Options::lean(), &mut |_| Go::On).expect("it compiles");
            let found = replayed(&other, &run);
            assert_eq!(found, Some((Replayed::Same, Some(7))), "the same events, and no promise is an event");
        }
    }
}

#[test]
fn what_is_written_down_does_what_it_says_and_nothing_else() {
    let text = SHOP.replace("rate = \"0.3/s\"\ntarget = \"payment[any]\"\nfor = \"exp(300ms)\"", "\
        chance = \"1%\"\ninstances = [{ n = 9, at = \"5s\", target = \"shop\", for = \"10ms\" }, { n = 4, at = \"2s\", target = [\"payment[1]\"], for = \"1s\" }]");
    let text = text.replace("chance = \"0.5%\"", "instances = [{ at = \"0s\", hits = [] }]");
    let scenario = load(&Source::new("listed.toml", text), &Choice::default())
        .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
    let outcome = run(&scenario, 3, None, &Options::lean(), &mut |_| Go::On).expect("it compiles");
    let of = |name: &str| -> Vec<(u32, String, u64)> {
        let mine = outcome.faults.iter().filter(|fault| fault.name == name);
        mine.map(|fault| (fault.instance, fault.target.clone(), fault.from.0)).collect()
    };
    assert_eq!(of("deaths"), [(4, "payment[1]".into(), 2_000_000_000), (9, "shop".into(), 5_000_000_000)]);
    assert!(outcome.faults.iter().all(|fault| fault.name != "losses" || !fault.effective), "no message is named");
    let wrong =
        SHOP.replace("rate = \"0.3/s\"", "instances = [{ at = \"30s\" }, { n = 0, at = \"1s\", hits = [\"1/2\"] }]");
    let told =
        load(&Source::new("wrong.toml", wrong), &Choice::default()).expect_err("it is wrong").render(Colour::Plain);
    assert!(told.contains("hits[0]") || told.contains("operation/hop/transmission"), "{told}");
}

#[test]
fn operations_that_are_left_out_shift_nobody_elses_draws() {
    let only = |numbers: &str| {
        let sets = vec![("workloads.buyers.only".to_owned(), numbers.to_owned())];
        let scenario =
            load(&Source::new("shop.toml", SHOP), &Choice { sets, ..Choice::default() }).expect("it is right");
        let options = Options { history: lab::run::History::Never, ..Options::full() };
        run(&scenario, 3, None, &options, &mut |_| Go::On).expect("it compiles")
    };
    let begun = |outcome: &lab::outcome::Outcome| {
        let buyers = outcome.operations.iter().find(|operation| operation.name == "shop.buy").expect("it is asked");
        buyers.ok + buyers.failed + buyers.unknown + buyers.rejected + buyers.open
    };
    assert_eq!(begun(&only("[]")), 0);
    assert_eq!(begun(&only("[3, \"10..15\", 12, 100000]")), 6);
    assert!(only("[3]").events < only("[\"0..100\"]").events);
}

#[test]
fn the_smallest_story_is_found_kept_in_the_users_file_and_each_of_its_parts_is_needed() {
    // Seeds that fail, and how much is left: faults, operations.
    let cases = [
        ("checkout/saga.toml", Some("dual_write"), 3, None, (1, 1)),
        ("checkout/saga.toml", Some("charge_twice"), 4, Some("paid_iff_confirmed"), (1, 1)),
    ];
    for (name, variant, seed, promise, most) in cases {
        let source = shipped(name);
        let small =
            made_small(&source, choice(variant, seed), promise, 0).unwrap_or_else(|why| panic!("{name}: {why:?}"));
        assert!(small.necessary, "{name}: {} runs, {:?}", small.runs, small.to);
        assert!(
            small.to.faults <= most.0 && small.to.operations <= most.1,
            "{name}: {:?} of {:?}",
            small.to,
            small.from
        );
        assert!(small.edited && small.text.contains("# ----------------"), "{name}: comments are kept");
        assert!(small.text.starts_with("#:schema"), "{name}: what tells an editor of the schema stands first");
        // The file alone, as anybody would run it: the same violation.
        let alone = load(&Source::new("min.toml", small.text.clone()), &Choice::default()).expect("it is right");
        let outcome = run(&alone, seed, None, &Options::lean(), &mut |_| Go::On).expect("it compiles");
        assert!(violated(&outcome).contains(&small.class), "{name}");
        assert_eq!(alone.model.run.seed, seed);
        assert_eq!(outcome.invariants.iter().filter(|i| i.status == Status::Violated).count(), 1);
        // However many threads there are.
        let again = made_small(&source, choice(variant, seed), promise, 1).expect("it was found before");
        assert_eq!((again.text, again.log), (small.text, small.log), "{name}");
    }
}

#[test]
fn what_breaks_nothing_is_not_made_small() {
    let source = shipped("checkout/saga.toml");
    let none = made_small(&source, choice(None, 42), None, 0);
    assert!(matches!(none, Err(Refused::NotBroken(classes)) if classes.is_empty()));
    let other = made_small(&source, choice(Some("dual_write"), 3), Some("never_oversold"), 0);
    assert!(matches!(other, Err(Refused::NotBroken(classes)) if !classes.is_empty()));
}
