//! Services and clients through scenario text: what holds a worker, what a full queue does, who is called next.

use lab::outcome::Outcome;
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Scenario, Source, load};

fn scenario(text: &str) -> Scenario {
    let source = Source::new("test.toml", text);
    load(&source, &Choice::default()).unwrap_or_else(|errors| panic!("{}", errors.render(lab::scenario::Colour::Plain)))
}

fn outcome_of(text: &str) -> Outcome {
    let scenario = scenario(text);
    run(&scenario, scenario.model.run.seed, None, &Options::full(), &mut |_| Go::On)
        .unwrap_or_else(|errors| panic!("{}", scenario.diagnostics(errors).render(lab::scenario::Colour::Plain)))
}

/// Two users without pause; one worker in front of a second of sleep elsewhere.
fn front(mode: &str) -> String {
    format!(
        r#"
version = 1
run = {{ duration = "100s" }}
[services.front]
workers = 1
mode = "{mode}"
steps = [{{ call = "back" }}]
[services.back]
workers = "unlimited"
steps = [{{ sleep = "1s" }}]
[workloads.w]
users = 2
target = "front"
"#
    )
}

#[test]
fn a_blocking_service_holds_its_worker_while_a_call_is_out_and_an_async_one_does_not() {
    let done = |mode| outcome_of(&front(mode)).operations.iter().find(|o| o.external).map(|o| o.ok + o.open);
    // Load stops at 100 s; what was begun before ends after it or is still open.
    assert_eq!(done("blocking"), Some(101), "one at a time, and one more waiting");
    assert_eq!(done("async"), Some(200), "both at once");
}

#[test]
fn a_full_queue_refuses_the_newcomer_and_drop_oldest_refuses_who_waited_longest() {
    let text = |overflow: &str| {
        format!(
            r#"
version = 1
run = {{ duration = "10s", quiesce = "10s" }}
[services.s]
workers = 1
queue = {{ capacity = 1, overflow = "{overflow}" }}
work = "4s"
[workloads.w]
rate = "1/s"
arrivals = "even"
target = "s"
"#
        )
    };
    // Arrivals at 1 … 9 s, one of 4 s served at a time, one waiting.
    let refusing = outcome_of(&text("reject"));
    let dropping = outcome_of(&text("drop_oldest"));
    for outcome in [&refusing, &dropping] {
        let load = &outcome.operations[0];
        assert_eq!((load.ok, load.failed), (4, 5), "served at 1, 5, 9 and 13 s; five found no room");
        assert_eq!(outcome.queues[0].refused, 5);
        assert!(outcome.little.iter().all(|l| l.integral == l.sojourns));
    }
    // Refusing serves who came first, dropping who came last: they have waited less.
    let waited = |outcome: &Outcome| outcome.queues[0].wait.mean();
    assert!(waited(&dropping) < waited(&refusing), "{} {}", waited(&dropping), waited(&refusing));
}

#[test]
fn a_call_has_one_try_and_a_late_reply_changes_nothing() {
    let outcome = outcome_of(
        r#"
version = 1
run = { duration = "10s", quiesce = "5s" }
[services.s]
workers = "unlimited"
work = "1s"
[workloads.w]
rate = "1/s"
arrivals = "even"
target = "s"
client = { timeout = "400ms" }
"#,
    );
    let load = &outcome.operations[0];
    assert_eq!((load.ok, load.unknown, load.open), (0, 9, 0), "every operation ends as info at its timeout");
    assert_eq!(load.latency.max(), 400_000_000, "and not when the reply comes");
    assert_eq!(outcome.queues[0].left, 9, "the work went on and was done once each");
}

#[test]
fn a_call_is_tried_again_until_it_is_answered_or_its_tries_are_used_up() {
    let file = r#"
version = 1
run = { duration = "10s", quiesce = "5s" }
[services.s]
workers = 1
queue = 0
work = "3500ms"
[workloads.w]
rate = "1/s"
arrivals = "even"
target = "s"
client = { retry = { attempts = 3, backoff = { kind = "exponential", base = "100ms", jitter = "none" } } }
"#;
    let outcome = outcome_of(file);
    let load = &outcome.operations[0];
    // At 1 s the worker begins for 3.5 s: those of 2, 3 and 4 s find it busy three times, with pauses of 100 and 200 ms; the
    // one of 5 s is served, those of 6, 7 and 8 s are not, 9 s is.
    assert_eq!((load.ok, load.failed, load.unknown), (3, 6, 0), "refused tries have surely had no effect");
    assert_eq!(load.latency.min(), 300_000_000, "two pauses and no waiting");
    let deadline = file.replace("client = { retry", "client = { timeout = \"1s\", retry");
    let outcome = outcome_of(&deadline);
    let load = &outcome.operations[0];
    assert_eq!((load.ok, load.failed), (0, 6), "each try has its timeout, and a slow one is tried again");
    assert_eq!(load.unknown, 3, "whatever a later try brings, the first may have had its effect");
}

#[test]
fn calls_go_round_the_nodes_of_a_service_in_turn() {
    let outcome = outcome_of(
        r#"
version = 1
run = { duration = "100s", quiesce = "1s" }
[services.s]
nodes = 3
work = "1ms"
[workloads.w]
rate = "10/s"
arrivals = "even"
target = "s"
"#,
    );
    let entered: Vec<u64> = outcome.queues.iter().map(|q| q.entered).collect();
    assert_eq!(entered, [333, 333, 333], "999 calls, dealt in turn");
}

#[test]
fn a_user_goes_on_under_a_fresh_process_after_an_unknown_outcome() {
    let outcome = outcome_of(
        r#"
version = 1
run = { duration = "2s", quiesce = "1s" }
[network]
latency = "10ms"
[services.c]
workers = 4
[services.b]
workers = 4
disk = { fsync = "100ms" }
state = { rows = { kind = "counter", keys = 4 } }
[transactions.t]
protocol = "2pc"
coordinator = "c"
work = [{ update = "b.rows[$k]", add = 1 }]
[workloads.w]
users = 2
target = "transactions.t"
client = { timeout = "50ms" }
vars = { k = "int(0, 3)" }
"#,
    );
    let mut open: Vec<u64> = Vec::new();
    let mut unknown: Vec<u64> = Vec::new();
    for line in &outcome.history {
        if line.kind == "invoke" {
            assert!(!open.contains(&line.process), "process {} has two open operations", line.process);
            assert!(!unknown.contains(&line.process), "process {} goes on after info", line.process);
            open.push(line.process);
        } else {
            open.retain(|p| *p != line.process);
            if line.kind == "info" {
                unknown.push(line.process);
            }
        }
    }
    assert!(unknown.len() > 10, "the timeout is shorter than the commit: {} unknown", unknown.len());
}

#[test]
fn a_run_id_depends_on_seed_and_meaning_and_not_on_comments_or_questions() {
    let text = front("async");
    let id = |text: &str, seed| scenario(text).run_id(lab::run::EPOCH, seed);
    assert_eq!(id(&text, 1), id(&text, 1));
    assert_ne!(id(&text, 1), id(&text, 2), "another seed");
    assert_ne!(id(&text, 1), id(&text.replace("users = 2", "users = 3"), 1), "another load");
    assert_eq!(id(&text, 1), id(&text.replace("100s", "1m40s"), 1), "the same time written otherwise");
    let told = format!("{text}\n# a comment\n[scenario]\nquestion = \"why?\"\n");
    assert_eq!(id(&text, 1), id(&told, 1), "comments and questions do not run");
}

#[test]
fn a_cycle_without_delay_ends_the_run_instead_of_hanging_it() {
    let outcome = outcome_of(
        r#"
version = 1
run = { duration = "10s" }
[services.a]
workers = "unlimited"
steps = [{ call = "b" }]
[services.b]
workers = "unlimited"
steps = [{ call = "a" }]
[workloads.w]
rate = "1/s"
target = "a"
"#,
    );
    assert_eq!(outcome.verdict.exit, 3, "{}", outcome.verdict.summary);
    assert!(outcome.verdict.summary.contains("events in one instant"), "{}", outcome.verdict.summary);
}

#[test]
fn the_order_of_tables_changes_nothing() {
    let (one, two) = ("[services.a]\nwork = \"exp(1ms)\"\n", "[services.b]\nsteps = [{ call = \"a\" }]\n");
    let (load, more_load) = (
        "[workloads.v]\nrate = \"50/s\"\ntarget = \"a\"\n",
        "[workloads.w]\nrate = \"50/s\"\ntarget = \"b\"\n[network]\nlatency = \"exp(1ms)\"\n",
    );
    let pause = "[faults.x]\nkind = \"pause\"\ntarget = \"a\"\nrate = \"1/s\"\nfor = \"100ms\"\n";
    let crash = "[faults.y]\nkind = \"crash\"\ntarget = \"b\"\nat = \"3s\"\nfor = \"1s\"\n";
    let head = "version = 1\nrun = { duration = \"10s\" }\n";
    let forth = outcome_of(&[head, one, two, load, more_load, pause, crash].concat());
    let back = outcome_of(&[head, crash, pause, more_load, load, two, one].concat());
    assert_eq!(forth.run_id, back.run_id);
    assert_eq!(forth.fingerprint, back.fingerprint, "tables are addressed by name, so moving one moves nothing else");
}
