//! Claims about the hardware as scenarios describe it: presets, links, zones, transports, disks, clocks.

use kernel::{Span, Time};
use lab::outcome::{Found, Outcome, Status};
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Scenario, Source, load};

/// One user asks one server again and again; 1 ms of work, and no randomness.
const QUIET: &str = r#"version = 1
run = { duration = "20s", quiesce = "10s" }

[services.server]
work = "1ms"

[workloads.user]
users = 1
target = "server"
"#;

/// Transfers between two banks, each with a disk.
const BANK: &str = r#"version = 1
run = { duration = "20s", quiesce = "10s" }

[services.a]
workers = 8
disk.fsync = "1ms"
state.money = { kind = "counter", keys = 100, initial = 100 }

[services.b]
like = "a"

[transactions.t]
protocol = "2pc"
coordinator = "a"
work = [{ update = "a.money[$row]", add = -1 }, { update = "b.money[$row]", add = 1 }]

[workloads.w]
rate = "50/s"
target = "transactions.t"
vars = { row = "int(0, 99)" }
"#;

fn read(text: &str, sets: &[(&str, &str)]) -> Scenario {
    try_read(text, sets).unwrap_or_else(|errors| panic!("{errors}"))
}

fn try_read(text: &str, sets: &[(&str, &str)]) -> Result<Scenario, String> {
    let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    let choice = Choice { variant: None, sets, seed: None };
    load(&Source::new("world.toml", text), &choice).map_err(|errors| errors.render(Colour::Plain))
}

fn outcome(text: &str, sets: &[(&str, &str)]) -> Outcome {
    let scenario = read(text, sets);
    let ran = run(&scenario, 1, None, &Options::lean(), &mut |_| Go::On);
    ran.unwrap_or_else(|errors| panic!("{}", scenario.diagnostics(errors).render(Colour::Plain)))
}

/// The shortest and the longest latency of the only operation, in microseconds.
fn latencies(text: &str, sets: &[(&str, &str)]) -> (u64, u64) {
    let outcome = outcome(text, sets);
    let latency = &outcome.operations[0].latency;
    assert!(latency.count() > 5, "{} operations", latency.count());
    (latency.min() / 1_000, latency.max() / 1_000)
}

fn warnings(text: &str, sets: &[(&str, &str)]) -> Vec<String> {
    read(text, sets).warnings.list.iter().map(|warning| warning.message.clone()).collect()
}

#[test]
fn a_connection_costs_its_first_message_a_round_trip() {
    assert_eq!(latencies(QUIET, &[("network.latency", "5ms")]), (11_000, 21_000));
    assert_eq!(latencies(QUIET, &[("network.latency", "5ms"), ("network.transport", "udp")]), (11_000, 11_000));
    assert_eq!(latencies(QUIET, &[]), (1_000, 1_000), "without latency it is free");
}

#[test]
fn a_preset_gives_what_is_not_written() {
    let resolved = |sets: &[(&str, &str)]| read(QUIET, sets).resolved;
    let lan = resolved(&[("network.preset", "lan")]);
    assert!(lan.contains("latency = \"lognormal(p50=200us, p99=1ms)\"  # mean 254us, p99 1ms\n"), "{lan}");
    let wan = resolved(&[("network.preset", "wan"), ("network.latency", "70ms")]);
    assert!(wan.contains("latency = \"70ms\"\n") && wan.contains("share = \"0.01%\""), "{wan}");
    assert!(resolved(&[]).contains("latency = \"0s\"\n"));
    let explicit = [("network.latency", "lognormal(p50=200us, p99=1ms)")];
    assert_eq!(outcome(QUIET, &explicit).fingerprint, outcome(QUIET, &[("network.preset", "lan")]).fingerprint);
}

const ZONES: &str = r#"
[zones]
eu = { us = "40ms", ap = "85ms" }
us = { ap = "70ms", eu = "10ms" }
"#;

#[test]
fn zones_are_apart_by_their_ways_and_within_one_it_is_the_network() {
    let text = &format!("{QUIET}{ZONES}");
    let between = |user, server| {
        let sets = [("network.latency", "2ms"), ("workloads.user.zone", user), ("services.server.zone", server)];
        latencies(text, &sets).0
    };
    assert_eq!(between("eu", "us"), 51_000, "both ways stand: 40 ms there, 10 ms back");
    assert_eq!(between("us", "ap"), 141_000, "one stands: it counts for both");
    assert_eq!(between("ap", "eu"), 171_000);
    assert_eq!(between("ap", "ap"), 5_000);
    assert_eq!(latencies(text, &[("network.latency", "2ms"), ("services.server.zone", "us")]).0, 5_000);
}

#[test]
fn links_win_over_zones_and_the_closer_link_over_the_wider() {
    let text = &format!(
        "{QUIET}{ZONES}\n[network.links]\n\"zones.eu -> zones.us\" = {{ loss = \"0%\" }}\n\
         \"* -> zones.us\" = {{ latency = \"3ms\" }}\n\"server -> *\" = {{ latency = \"4ms\" }}\n"
    );
    let placed = [("workloads.user.zone", "eu"), ("services.server.zone", "us")];
    assert_eq!(latencies(text, &placed).0, 8_000, "3 ms there, 4 ms back");
}

#[test]
fn nodes_are_dealt_to_zones_in_turn() {
    let zones = [("services.server.nodes", "3"), ("services.server.zones", "[\"eu\", \"us\"]")];
    let text = &format!("{QUIET}{ZONES}");
    let sets = [zones[0], zones[1], ("workloads.user.zone", "eu"), ("network.latency", "2ms")];
    let outcome = outcome(text, &sets);
    let latency = &outcome.operations[0].latency;
    let near = latency.share_at_most(10_000_000);
    assert!((near - 2.0 / 3.0).abs() < 0.01, "{near}: two of three nodes are in eu");
}

#[test]
fn a_zone_is_a_target_of_faults() {
    let fault = |zone: &str, rest: &str| {
        let split = format!("{QUIET}{ZONES}[faults.cut]\nat = \"5s\"\nfor = \"5s\"\n{rest}");
        let sets = [("workloads.user.zone", "eu"), ("services.server.zone", zone)];
        outcome(&split, &sets).faults[0].clone()
    };
    let cut = fault("us", "kind = \"partition\"\nsplit = [[\"zones.us\"]]\n");
    assert_eq!((cut.target.as_str(), cut.effective), ("server", true));
    let crash = fault("eu", "kind = \"crash\"\ntarget = \"zones.eu\"\n");
    assert_eq!((crash.target.as_str(), crash.effective), ("server", true), "clients do not crash");
}

#[test]
fn bandwidth_and_buffer_are_a_queue_on_the_link() {
    let narrow = [("services.server.ops.run", "{ work = \"1ms\", reply_size = \"2KiB\" }")];
    let narrow = [narrow[0], ("network.bandwidth", "8192bit/s")];
    assert_eq!(latencies(QUIET, &narrow), (3_001_000, 3_001_000), "1 KiB takes a second");
    let crowd = [narrow[0], ("workloads.user.users", "3"), ("network.bandwidth", "81920bit/s")];
    let queued = outcome(QUIET, &crowd);
    assert!(queued.operations[0].failed + queued.operations[0].unknown == 0);
    assert!(queued.operations[0].latency.max() >= 600_000_000, "three replies of 200 ms share a line");
    let full = outcome(QUIET, &[crowd[0], crowd[1], crowd[2], ("network.buffer", "1KiB")]);
    assert_ne!(full.fingerprint, queued.fingerprint, "what does not fit is sent again");
}

#[test]
fn what_a_link_does_changes_the_run_and_saying_the_default_does_not() {
    let base = [("network.latency", "exp(1ms)"), ("network.transport", "udp"), ("workloads.user.client.timeout", "1s")];
    let with =
        |key, value| outcome(BANK, &[base[0], base[1], ("workloads.w.client.timeout", "1s"), (key, value)]).fingerprint;
    let plain = with("network.loss", "0%");
    for (key, value) in [
        ("network.loss", "1%"),
        ("network.loss", "{ kind = \"gilbert_elliott\", good_to_bad = \"1%\", bad_to_good = \"20%\" }"),
        ("network.duplicate", "1%"),
        ("network.reorder", "1%"),
        ("network.corrupt", "1%"),
        ("network.bandwidth", "10Mbit/s"),
        ("network.transport", "tcp"),
        ("network.transport", "http1"),
        ("services.a.disk.throughput", "1MB/s"),
        ("services.a.disk.group_commit", "2ms"),
    ] {
        assert_ne!(with(key, value), plain, "{key} = {value}");
    }
    for (key, value) in [
        ("network.preset", "ideal"),
        ("network.loss", "{ share = \"0%\" }"),
        ("network.duplicate", "0%"),
        ("network.bandwidth", "unlimited"),
        ("services.a.disk.capacity", "1GB"),
        ("services.a.disk.throughput", "unlimited"),
        ("services.a.clock.drift", "0ppm"),
    ] {
        assert_eq!(with(key, value), plain, "{key} = {value}");
    }
}

#[test]
fn http2_and_grpc_are_one_connection_and_http1_is_many() {
    let with = |transport| {
        let sets = [("network.latency", "exp(1ms)"), ("network.loss", "2%"), ("network.transport", transport)];
        outcome(BANK, &sets).fingerprint
    };
    assert_eq!((with("http2"), with("grpc")), (with("tcp"), with("tcp")));
    assert_ne!(with("http1"), with("tcp"));
}

#[test]
fn messages_that_come_twice_break_no_transaction() {
    let text = &format!(
        "{BANK}\n[invariants]\nkept = {{ at_rest = \"sum(a.money) + sum(b.money) == 20_000\" }}\n\
         whole = {{ check = \"atomic_commit\", of = \"transactions.t\" }}\n"
    );
    let sets = [("network.latency", "exp(2ms)"), ("network.duplicate", "20%"), ("workloads.w.client.timeout", "5s")];
    let outcome = outcome(text, &sets);
    assert!(outcome.verdict.as_expected, "{}", outcome.verdict.summary);
    assert!(outcome.transactions[0].committed > 500);
}

#[test]
fn a_full_disk_is_a_warning_and_the_run_ends() {
    let outcome = outcome(BANK, &[("services.b.disk.capacity", "20kB"), ("workloads.w.client.timeout", "2s")]);
    let warned = outcome.warnings.iter().filter(|warning| warning.contains("the disk of b was full at")).count();
    assert_eq!(warned, 1, "{:?}", outcome.warnings);
    assert!(
        outcome.transactions[0].committed > 50 && outcome.operations[0].failed + outcome.operations[0].rejected > 0
    );
}

#[test]
fn throughput_and_gathering_make_a_vote_wait() {
    let typical = |key, value| outcome(BANK, &[(key, value)]).operations[0].latency.quantile(0.5);
    let plain = typical("services.b.disk.capacity", "unlimited");
    assert!(typical("services.b.disk.group_commit", "7ms") >= plain + 6_000_000);
    assert!(typical("services.b.disk.throughput", "8kB/s") >= plain + 5_000_000);
}

#[test]
fn a_clock_that_runs_fast_ends_sleep_early() {
    let slept = |drift| {
        let sets = [("services.server.ops.run", "[{ sleep = \"1s\" }]"), ("services.server.clock.drift", drift)];
        latencies(QUIET, &sets)
    };
    assert_eq!(slept("100000ppm"), (909_090, 909_090));
    assert_eq!(slept("-50000ppm"), (1_052_631, 1_052_631));
    let several = [
        ("services.server.ops.run", "[{ sleep = \"1s\" }]"),
        ("services.server.nodes", "2"),
        ("services.server.clock.drift", "uniform(-1000ppm, 1000ppm)"),
    ];
    let (least, most) = latencies(QUIET, &several);
    assert!(least < most && least > 998_000 && most < 1_002_000, "each node draws its own: {least} {most}");
}

#[test]
fn keys_without_effect_are_told() {
    assert_eq!(warnings(QUIET, &[("network.reorder", "1%")]), ["`reorder` has no effect here"]);
    assert_eq!(warnings(QUIET, &[("network.reorder", "1%"), ("network.transport", "udp")]), [""; 0]);
    assert_eq!(warnings(QUIET, &[("network.buffer", "1MB")]), ["`buffer` has no effect here"]);
    assert_eq!(warnings(QUIET, &[("network.loss", "{ bad = \"1%\" }")]), ["`network.loss.bad` is not read"]);
}

#[test]
fn the_resolved_file_has_every_key_of_the_world_and_means_the_same() {
    let sets = [
        ("network.preset", "multi_zone"),
        ("network.loss", "{ kind = \"gilbert_elliott\", good_to_bad = \"1%\", bad_to_good = \"20%\" }"),
        ("network.bandwidth", "10MiB/s"),
        ("network.buffer", "64KiB"),
        ("network.transport", "http1"),
        ("services.server.disk", "{ fsync = \"1ms\", throughput = \"0.5Gbit/s\", capacity = \"40GiB\" }"),
        ("services.server.clock.drift", "normal(0ppm, 20.5ppm)"),
        ("services.server.zones", "[\"eu\", \"us\"]"),
        ("workloads.user.zone", "ap"),
    ];
    let scenario = read(&format!("{QUIET}{ZONES}"), &sets);
    for written in [
        "preset = \"multi_zone\"",
        "bandwidth = \"10MiB/s\"",
        "throughput = \"500Mbit/s\"",
        "capacity = \"40GiB\"",
        "drift = \"normal(0ppm, 20.5ppm)\"",
        "zones = [\"eu\", \"us\"]",
        "zone = \"ap\"",
        "bad = \"100%\"",
        "duplicate = \"0%\"",
        "group_commit = \"0s\"",
    ] {
        assert!(scenario.resolved.contains(written), "{written}\n{}", scenario.resolved);
    }
    let again = read(&scenario.resolved, &[]);
    assert_eq!((&again.canonical, &again.resolved), (&scenario.canonical, &scenario.resolved));
    assert_eq!((&again.model.network.loss, &again.model.services[0].1.drift.text), {
        let model = &scenario.model;
        (&model.network.loss, &model.services[0].1.drift.text)
    });
}

#[test]
fn an_interrupted_run_is_about_the_time_before_and_decides_no_threshold() {
    let sets = [("run.duration", "1000h"), ("thresholds.quick", "max(latency) < 1us")];
    let mut text = QUIET.to_owned();
    let stopped = |text: &str| {
        let scenario = read(text, &sets);
        let mut calls = 0;
        let ran = run(&scenario, 1, None, &Options::full(), &mut |_| {
            calls += 1;
            if calls == 2 { Go::Stop } else { Go::On }
        });
        ran.expect("the scenario compiles")
    };
    let partial = stopped(&text);
    assert_eq!((partial.verdict.found, partial.verdict.exit), (Found::Inconclusive, 3));
    assert_eq!(partial.thresholds[0].status, Status::Unknown, "what is left could be quick");
    assert!(partial.verdict.summary.starts_with("interrupted at"), "{}", partial.verdict.summary);
    // Three events a request of a millisecond: far from 1000 hours.
    assert!(partial.end < Time::ZERO + Span::secs(100), "{}", partial.end);
    assert_eq!(partial.operations[0].windows.len(), 1, "the charts end where the run ended");
    // What is broken stays broken, however the run ends.
    text += "[invariants]\nidle.always = \"server.busy == 0\"\n";
    assert_eq!(stopped(&text).verdict.found, Found::Fail);
}

/// What a crash of a participant costs, with promises that watch its rows.
const CRASHED: &[(&str, &str)] = &[
    ("faults.f.kind", "crash"),
    ("faults.f.target", "a"),
    ("faults.f.at", "5s"),
    ("faults.f.for", "1s"),
    ("workloads.w.client.timeout", "2s"),
    ("invariants.moves.transition", "after(a.money[3]) != before(a.money[3])"),
    ("invariants.whole.at_rest", "sum(a.money) + sum(b.money) == 20000"),
];

fn status(outcome: &Outcome, name: &str) -> Status {
    outcome.invariants.iter().find(|invariant| invariant.name == name).expect("the promise").status
}

#[test]
fn a_restart_says_again_what_is_and_that_is_no_change() {
    let crashed = outcome(BANK, CRASHED);
    assert!(crashed.faults[0].effective, "the crash happens");
    assert_eq!(status(&crashed, "moves"), Status::Holds, "a transition is a change, not a restatement");
    assert_eq!(status(&crashed, "whole"), Status::Holds);
}

#[test]
fn rows_on_a_lost_disk_are_seen_to_be_lost() {
    let lost = outcome(BANK, &[CRASHED, &[("faults.f.loses", "[\"memory\", \"unsynced\", \"disk\"]")]].concat());
    assert_eq!(status(&lost, "whole"), Status::Violated, "what was moved before the crash is gone from one bank only");
}

#[test]
fn every_abort_has_a_reason_also_that_of_a_coordinator_that_crashed() {
    let point = [("faults.f.at", "none"), ("faults.f.point", "2pc.coordinator.after_last_vote")];
    let crashed = outcome(BANK, &[CRASHED, &point].concat());
    let bank = &crashed.transactions[0];
    let reasons: u64 = bank.reasons.iter().map(|(_, count)| count).sum();
    assert_eq!(reasons, bank.aborted, "{:?}", bank.reasons);
    assert!(bank.reasons.iter().any(|(reason, _)| reason == "coordinator_crashed"), "{:?}", bank.reasons);
}

#[test]
fn what_would_have_no_effect_is_refused() {
    for (sets, said) in [
        (vec![("transactions.t.work[0].chance", "50%")], "chance"),
        (vec![("services.a.mutant", "never_ask"), ("services.b.mutant", "ack_before_fsync")], "two mutants"),
        ([CRASHED, &[("faults.f.loses", "[\"unsynced\"]")]].concat(), "keeps the memory"),
        (vec![("services.c.work", "1ms"), ("services.c.mutant", "never_ask")], "takes part in no transaction"),
    ] {
        let scenario = try_read(BANK, &sets);
        let told = match scenario {
            Err(told) => told,
            Ok(scenario) => match run(&scenario, 1, None, &Options::lean(), &mut |_| Go::On) {
                Ok(_) => panic!("{said} is accepted"),
                Err(errors) => scenario.diagnostics(errors).render(Colour::Plain),
            },
        };
        assert!(told.contains(said), "{told}");
    }
}

#[test]
fn what_never_ended_is_told() {
    let crash = ("faults.f", "{ kind = \"crash\", target = \"a\", at = \"5s\", for = \"1s\" }");
    let lost = outcome(BANK, &[crash]);
    assert!(lost.warnings.iter().any(|warning| warning.contains("never ended")), "{:?}", lost.warnings);
    let bounded = outcome(BANK, &[crash, ("workloads.w.client.timeout", "2s")]);
    assert!(!bounded.warnings.iter().any(|warning| warning.contains("never ended")), "{:?}", bounded.warnings);
}

#[test]
fn a_trace_outside_of_the_run_and_a_bounded_queue_that_overflows_are_told() {
    let text = QUIET.replace("users = 1", "trace = [\"1s\", \"70s\"]");
    let warned = read(&text, &[]).warnings.render(Colour::Plain);
    assert!(warned.contains("1 of 2 times are not before 20s"), "{warned}");
    let text = QUIET.replace("users = 1", "rate = \"2000/s\"");
    assert!(read(&text, &[]).warnings.render(Colour::Plain).contains("grows without bound"));
    let bounded = read(&text, &[("services.server.queue.capacity", "3")]).warnings.render(Colour::Plain);
    assert!(bounded.contains("refuses requests") && !bounded.contains("without bound"), "{bounded}");
}
