//! What is left of a failing run: written down without chance, and made small.

use std::sync::atomic::AtomicBool;

use lab::model::{Begin, Only};
use lab::outcome::{Status, Tilt};
use lab::repro::{Replayed, replayed, repro, violated};
use lab::run::{Go, Options, World, run};
use lab::scenario::{Choice, Colour, Source, load};
use lab::shrink::{Known, Refused, Request, Shrunk, known, shrink};

fn shipped(name: &str) -> Source {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    Source::new(name, std::fs::read_to_string(path).expect("the repository has its scenarios"))
}

fn choice(variant: Option<&str>, seed: u64) -> Choice {
    Choice { variant: variant.map(str::to_owned), sets: Vec::new(), seed: Some(seed) }
}

fn made_small(source: &Source, choice: Choice, promise: Option<&str>, jobs: usize) -> Result<Shrunk, Refused> {
    let request = Request { choice, promise: promise.map(str::to_owned), budget: 2000, jobs, known: Known::new() };
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
        // What a broker delivers again by chance.
        (shipped("checkout/choreography.toml"), Some("no_lock"), 0),
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
        if source.name == "checkout/choreography.toml" {
            let twice = made.text.split("[faults.events_twice]").nth(1).expect("it is there");
            let twice = twice.split("\n[").next().unwrap_or("").replace("chance = \"100%\"", "");
            assert!(twice.contains("hits = [\"") && !twice.contains("chance"), "{twice}");
        }
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
    // What a queue delivers again is named, too.
    let again = |instances: Option<&str>| {
        let set = |path: &str, value: &str| (path.to_owned(), value.to_owned());
        let mut sets = vec![set("run.duration", "5s"), set("run.quiesce", "5s")];
        sets.extend(instances.map(|instances| set("faults.events_twice.instances", instances)));
        let choice = Choice { sets, ..Choice::default() };
        let scenario = load(&shipped("checkout/choreography.toml"), &choice).expect("it is right");
        let outcome = run(&scenario, 0, None, &Options::lean(), &mut |_| Go::On).expect("it compiles");
        outcome.faults.iter().any(|fault| fault.name == "events_twice" && fault.effective)
    };
    assert!(again(None) && !again(Some("[{ at = \"0s\", hits = [] }]")));
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
        // A closed loop: one user writes, and reads.
        ("kv/read-your-writes.toml", Some("sticky"), 0, Some("own_writes"), (0, 3)),
        ("kv/split-brain.toml", Some("two_leaders"), 0, Some("linearizable"), (1, 2)),
        // Another machine leads when there is so little to do; two sagas meet only if one of them is moved.
        ("kv/failover.toml", Some("lease_reads"), 3, None, (2, 2)),
        ("checkout/choreography.toml", Some("no_lock"), 0, None, (1, 2)),
        // A write is lost if the one before it keeps it waiting when the leader dies: the crash moves with both.
        ("kv/async-lost-tail.toml", None, 17, None, (1, 2)),
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
        assert!(
            small.edited && (!name.contains("saga") || small.text.contains("# ----------------")),
            "{name}: comments are kept"
        );
        let schema = |text: &str| text.starts_with("#:schema");
        assert_eq!(
            schema(&small.text),
            schema(&source.text),
            "{name}: what tells an editor of the schema stands first"
        );
        each_operation_is_needed(&small, seed);
        each_fault_is_needed(&small, seed);
        // The file alone, as anybody would run it: the same violation.
        let alone = load(&Source::new("min.toml", small.text.clone()), &Choice::default()).expect("it is right");
        let outcome = run(&alone, seed, None, &Options::lean(), &mut |_| Go::On).expect("it compiles");
        assert!(violated(&outcome).contains(&small.class), "{name}");
        assert_eq!(alone.model.run.seed, seed);
        assert_eq!(outcome.invariants.iter().filter(|i| i.status == Status::Violated).count(), 1);
        // However many threads there are.
        if name.starts_with("kv") {
            let again = made_small(&source, choice(variant, seed), promise, 1).expect("it was found before");
            assert_eq!((again.text, again.log), (small.text, small.log), "{name}");
        }
    }
}

/// What links lose is no fault of the file, and yet nothing that a reader should have to think of.
#[test]
fn what_links_lose_by_themselves_goes_where_it_is_not_needed() {
    let text = r#"
version = 1
run = { duration = "2s", seed = 1 }
network.loss = "2%"   # a bad one
network.links."workloads.people -> tally" = { loss = "3%", duplicate = "5%" }
services.tally = { state.n = { kind = "counter" }, ops.add = [{ update = "n", add = 1 }], ops.look = [{ read = "n" }] }
workloads.people = { rate = "20/s", target = "tally.add" }
workloads.onlookers = { rate = "40/s", target = "tally.look" }
invariants.few = { always = "tally.n < 8" }
"#;
    let source = Source::new("tally.toml", text);
    let small = made_small(&source, choice(None, 1), None, 0).expect("it becomes small");
    // Among those that look, and more than are tried together: only leaving out one at a time comes to eight.
    assert_eq!((small.to.faults, small.to.operations, small.necessary), (0, 8, true));
    each_operation_is_needed(&small, 1);
    assert!(small.text.contains("network.loss = \"0%\"   # a bad one"), "{}", small.text);
    assert!(small.text.contains("-> tally\" = { loss = \"0%\", duplicate = \"0%\" }"), "{}", small.text);
}

/// The file once more without each of the faults that are left.
fn each_fault_is_needed(small: &Shrunk, seed: u64) {
    let source = Source::new("min.toml", small.text.clone());
    let model = load(&source, &Choice::default()).expect("it is right").model;
    assert!(model.faults.len() <= small.to.faults, "what came to nothing is not in the file");
    for (name, _) in &model.faults {
        let sets = vec![(format!("faults.{}", name.value), "none".to_owned())];
        let choice = Choice { sets, ..Choice::default() };
        let fewer = load(&source, &choice).unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
        let outcome = run(&fewer, seed, None, &Options::lean(), &mut |_| Go::On).expect("it compiles");
        assert!(!violated(&outcome).contains(&small.class), "it breaks without {} too", name.value);
    }
}

/// The file once more without each of the operations that are left.
fn each_operation_is_needed(small: &Shrunk, seed: u64) {
    let source = Source::new("min.toml", small.text.clone());
    let model = load(&source, &Choice::default()).expect("it is right").model;
    let mut without: Vec<(String, String)> = Vec::new();
    for (name, workload) in &model.workloads {
        let path = format!("workloads.{}.only", name.value);
        match workload.only.as_ref().expect("operations are written down") {
            Only::Numbers(ranges) => {
                let all: Vec<u64> = ranges.iter().cloned().flatten().collect();
                for gone in &all {
                    let left: Vec<String> = all.iter().filter(|n| *n != gone).map(u64::to_string).collect();
                    without.push((path.clone(), format!("[{}]", left.join(", "))));
                }
            }
            Only::Listed(all) => {
                for gone in all {
                    let left = all.iter().filter(|begin| begin.number != gone.number);
                    let user = |user: Option<u32>| user.map(|user| format!(", user = {user}")).unwrap_or_default();
                    let table = |b: &Begin| format!("{{ n = {}, at = \"{}ns\"{} }}", b.number, b.at.0, user(b.user));
                    without.push((path.clone(), format!("[{}]", left.map(table).collect::<Vec<_>>().join(", "))));
                }
            }
        }
    }
    assert_eq!(without.len(), small.to.operations);
    for set in without {
        let choice = Choice { sets: vec![set.clone()], ..Choice::default() };
        let fewer = load(&source, &choice).unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
        let outcome = run(&fewer, seed, None, &Options::lean(), &mut |_| Go::On).expect("it compiles");
        assert!(!violated(&outcome).contains(&small.class), "it breaks with {} too", set.1);
    }
}

/// Jobs that are lost, and jobs that are done twice: two mistakes, of which each makes the same equation untrue.
#[test]
fn too_little_is_not_made_small_to_too_much() {
    let text = r#"
        version = 1
        run = { duration = "10s", quiesce = "10s", seed = 11 }
        network.preset = "lan"
        queues.jobs.visibility_timeout = "2s"
        workloads.load = { rate = "30/s", target = "api.post", client = { timeout = "1s" } }
        invariants.all_done = { at_rest = "api.sent == worker.done" }
        [services.api]
        workers = 8
        state.sent = { kind = "counter" }
        outbox = "poll"
        ops.post = [{ transaction = [{ update = "sent", add = 1 }, { outbox = "jobs" }] }]
        [services.worker]
        workers = 2
        state.done = { kind = "counter" }
        [services.worker.consumers.take]
        from = "jobs"
        ack = "before"
        prefetch = 2
        steps = [{ work = "exp(10ms)" }, { update = "done", add = 1 }]
        [faults.worker_dies]
        kind = "crash"
        target = "worker"
        rate = "12/m"
        for = "200ms"
        [faults.noise]
        kind = "slow_cpu"
        target = "api"
        factor = 2
        every = "3s"
        for = "500ms"
    "#;
    let small = made_small(&Source::new("jobs.toml", text), choice(None, 11), None, 0).expect("it is broken");
    let tilt = small.outcome.invariants.iter().find(|promise| promise.name == "all_done").map(|promise| promise.tilt);
    assert_eq!(tilt, Some(Tilt::Left), "more is sent than done: {:?}", small.outcome.invariants[0].witness);
    assert!(small.necessary && small.to.faults <= 1 && small.to.operations <= 2, "{:?}", small.to);
}

/// What of a closed loop is written down: who begins what, and when.
#[test]
fn a_closed_loop_that_is_written_down_is_the_same_run_and_leaving_one_out_moves_no_other() {
    let text = "version = 1\nrun = { duration = \"2s\", seed = 5 }\nnetwork.latency = \"exp(2ms)\"\n\
        [services.shop]\nstate.sold = { kind = \"counter\" }\nops.buy.steps = [{ work = \"exp(3ms)\" }, { update = \"sold\", add = 1 }]\n\
        [workloads.buyers]\nusers = 3\nthink = \"exp(50ms)\"\ntarget = \"shop.buy\"\n";
    let source = Source::new("loop.toml", text);
    let ran = |only: Option<String>| {
        let sets = only.map(|only| ("workloads.buyers.only".to_owned(), only)).into_iter().collect();
        let choice = Choice { sets, ..Choice::default() };
        let scenario = load(&source, &choice).unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
        let mut world = World::new(&scenario, 5, &Options::lean()).expect("it compiles");
        let clients = (0..world.cluster.len() as u32)
            .map(kernel::NodeId)
            .find(|node| world.cluster.process(*node).begun().is_some());
        let clients = clients.expect("there are clients");
        let (mut begins, mut known) = (Vec::new(), 0);
        while let Some(handled) = world.step() {
            let process = world.cluster.process(clients);
            if process.begun() > Some(known) {
                known = process.begun().expect("clients count");
                let (number, user) = process.latest().expect("clients count");
                begins.push((handled.time, number, user.expect("a closed loop has users")));
            }
        }
        (begins, world.finish(&scenario, 5, None).fingerprint)
    };
    let written = |begins: &[(kernel::Time, u64, u32)]| {
        let table =
            |(at, n, user): &(kernel::Time, u64, u32)| format!("{{ n = {n}, at = \"{}ns\", user = {user} }}", at.0);
        format!("[{}]", begins.iter().map(table).collect::<Vec<_>>().join(", "))
    };
    let (begins, fingerprint) = ran(None);
    assert!(begins.len() > 50);
    assert_eq!(ran(Some(written(&begins))), (begins.clone(), fingerprint), "event for event");
    for gone in [0, 7, begins.len() - 1] {
        let mut fewer = begins.clone();
        fewer.remove(gone);
        assert_eq!(ran(Some(written(&fewer))).0, fewer, "without operation {gone} all others begin as they did");
    }
    // Whose user is busy waits for that.
    let (at, first, user) = begins[0];
    let again = vec![(at, first, user), (kernel::Time(at.0 + 1), 60, user)];
    let waited = ran(Some(written(&again))).0;
    assert!(waited.len() == 2 && waited[1].0 > kernel::Time(at.0 + 1) && waited[1].0 < at + kernel::Span::secs(1));
}

#[test]
fn what_nobody_can_begin_is_told() {
    let told = |only: &str, load: &str| {
        let text = SHOP.replace("rate = \"40/s\"", load);
        let sets = vec![("workloads.buyers.only".to_owned(), only.to_owned())];
        let wrong = load_of(&text, sets).expect_err("it is wrong");
        wrong.render(Colour::Plain)
    };
    let open = "rate = \"40/s\"";
    assert!(told("[{ n = 1, at = \"1s\", user = 0 }]", open).contains("only a closed loop has users"));
    assert!(told("[{ n = 1, at = \"1s\" }, { n = 1, at = \"2s\" }]", open).contains("begins twice"));
    assert!(told("[{ n = 1, at = \"1s\" }]", "users = 2").contains("whose it is"));
    assert!(told("[{ n = 1, at = \"1s\", user = 2 }]", "users = 2").contains("users 0 to 1"));
    assert!(told("[{ n = 1, at = \"1s\" }, 5]", open).contains("is not an operation"));
}

fn load_of(text: &str, sets: Vec<(String, String)>) -> Result<lab::scenario::Scenario, lab::scenario::Diagnostics> {
    load(&Source::new("shop.toml", text), &Choice { sets, ..Choice::default() })
}

/// A search that is stopped, and taken up again from its journal, whose last line is torn.
#[test]
fn a_search_that_was_stopped_goes_on_from_its_journal_and_comes_to_the_same_bytes() {
    let source = shipped("kv/read-your-writes.toml");
    let ask = |budget: u64, known: Known| {
        let choice = choice(Some("any_follower"), 0);
        let request = Request { choice, promise: Some("own_writes".to_owned()), budget, jobs: 0, known };
        let mut journal = String::new();
        let made = shrink(&source, &request, &AtomicBool::new(false), &mut |step| journal += &step.journal);
        (made.expect("it is broken"), journal)
    };
    let (whole, journal) = ask(1000, Known::new());
    let (some, first) = ask(20, Known::new());
    assert!(some.runs <= 21 && !some.necessary && journal.starts_with(&first) && !first.is_empty());
    let torn = &first[..first.len() - 5];
    let (again, rest) = ask(1000, known(torn));
    assert_eq!((again.text, again.log, again.runs), (whole.text, whole.log, whole.runs));
    assert_eq!(rest.lines().count() + torn.lines().count() - 1, journal.lines().count(), "nothing is tried twice");
    // All is known: nothing is tried.
    let (last, none) = ask(1000, known(&journal));
    assert!(none.is_empty() && last.necessary);
}

/// A fault that waits for a point for a number of times that is drawn, and a clock set by a draw.
#[test]
fn the_nth_time_of_a_point_and_the_offset_of_a_clock_are_written_down() {
    let text = SHOP.replace(
        "[faults.cut]",
        "[faults.then]\nkind = \"crash\"\ntarget = \"shop\"\npoint = \"service.after_write\"\nnth = \"int(100, 200)\"\nfor = \"100ms\"\n\
         [faults.clock]\nkind = \"clock_jump\"\ntarget = [\"payment[0]\", \"shop\"]\nat = \"uniform(1s, 2s)\"\noffset = \"uniform(-1s, 1s)\"\n\n[faults.cut]",
    );
    let source = Source::new("drawn.toml", text);
    let made = repro(&source, &choice(None, 3), 0, &AtomicBool::new(false)).expect("it breaks a promise");
    assert!(made.same, "{}", made.text);
    let faults = made.text.split("\n[faults").skip(1).collect::<Vec<_>>().join("");
    let faults = faults.split("\n[invariants").next().unwrap_or("");
    assert!(!faults.contains("int(100, 200)") && faults.contains("of = \"payment.pay\""), "{faults}");
    let set = |line: &&str| line.trim_start().starts_with("{ n") && line.contains("offset = \"");
    assert_eq!(faults.lines().filter(set).count(), 2, "{faults}");
    let down = load(&Source::new("repro.toml", made.text), &Choice::default()).expect("it is right");
    let again = run(&down, 3, None, &Options::lean(), &mut |_| Go::On).expect("it compiles");
    assert_eq!(replayed(&down, &again), Some((Replayed::Same, None)));
}

#[test]
fn what_breaks_nothing_is_not_made_small() {
    let source = shipped("checkout/saga.toml");
    let none = made_small(&source, choice(None, 42), None, 0);
    assert!(matches!(none, Err(Refused::NotBroken(classes)) if classes.is_empty()));
    let other = made_small(&source, choice(Some("dual_write"), 3), Some("never_oversold"), 0);
    assert!(matches!(other, Err(Refused::NotBroken(classes)) if !classes.is_empty()));
}
