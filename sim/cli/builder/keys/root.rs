//! Written by `tests/builder_keys.rs` from the tables of the grammar.

use super::{keys, sections};

/// The sections in the order of the file.
pub(in crate::builder) const SECTIONS: &[&str] = &[
    "version",
    "scenario",
    "run",
    "phases",
    "network",
    "zones",
    "retry",
    "breaker",
    "services",
    "stores",
    "brokers",
    "queues",
    "exchanges",
    "topics",
    "transactions",
    "sagas",
    "workloads",
    "chaos",
    "faults",
    "invariants",
    "thresholds",
    "expect",
    "sweep",
    "repro",
    "variants",
];

sections! {
    /// The version of this file format.
    version "version" value = r#"version(1)"# r#"version = 1"#;
    /// What the file is about.
    scenario "scenario" part Scenario = r#"scenario(Scenario::new().name("shop"))"# r#"name = "shop""#;
    /// How long it runs.
    run "run" part Run = r#"run(Run::new().duration("2s"))"# r#"duration = "2s""#;
    /// Named windows of virtual time.
    phase "phases" each = r#"phase("x", "3s..5s")"# r#"x = "3s..5s""#;
    /// What messages meet on their way.
    network "network" part Network = r#"network(Network::new().preset("ideal"))"# r#"preset = "ideal""#;
    /// One-way latencies from zone to zone.
    zone "zones" each = r#"zone("x", "exp(2ms)")"# r#"x = "exp(2ms)""#;
    /// How failed calls are tried again.
    retry "retry" each Retry = r#"retry("x", Retry::new().attempts(3))"# r#"attempts = 3"#;
    /// When calls are not even tried.
    breaker "breaker" each Breaker = r#"breaker("x", Breaker::new().failure_rate("5%"))"# r#"failure_rate = "5%""#;
    /// Things with nodes that serve requests.
    service "services" each Service = r#"service("x", Service::new().nodes(3))"# r#"nodes = 3"#;
    /// Things with nodes that keep copies of keys.
    store "stores" each Store = r#"store("x", Store::new().kind("single"))"# r#"kind = "single""#;
    /// Things with nodes that keep messages.
    broker "brokers" each Broker = r#"broker("x", Broker::new().kind("amqp"))"# r#"kind = "amqp""#;
    /// Each message to one consumer.
    queue "queues" each Queue = r#"queue("x", Queue::new().broker("shop"))"# r#"broker = "shop""#;
    /// They hand messages on to queues.
    exchange "exchanges" each Exchange = r#"exchange("x", Exchange::new().kind("direct"))"# r#"kind = "direct""#;
    /// Logs: each message to every group.
    topic "topics" each Topic = r#"topic("x", Topic::new().broker("shop"))"# r#"broker = "shop""#;
    /// Distributed transactions by a commit protocol.
    transaction "transactions" each Transaction = r#"transaction("x", Transaction::new().protocol("2pc"))"# r#"protocol = "2pc""#;
    /// Steps over services, each with what undoes it.
    saga "sagas" each Saga = r#"saga("x", Saga::new().style("orchestrated"))"# r#"style = "orchestrated""#;
    /// Clients and what they ask for.
    workload "workloads" each Workload = r#"workload("x", Workload::new().rate("20/s"))"# r#"rate = "20/s""#;
    /// Random schedules of faults.
    chaos "chaos" part Chaos = r#"chaos(Chaos::new().profile("none"))"# r#"profile = "none""#;
    /// What goes wrong, and when.
    fault "faults" each Fault = r#"fault("x", Fault::new().kind("crash"))"# r#"kind = "crash""#;
    /// Is it right?
    invariant "invariants" each Invariant = r#"invariant("x", Invariant::always("$amount > 100"))"# r#"always = "$amount > 100""#;
    /// How does it behave?
    threshold "thresholds" each = r#"threshold("x", "p99(latency) < 100ms")"# r#"x = "p99(latency) < 100ms""#;
    /// How the promises are expected to come out.
    expect "expect" part Expect = r#"expect(Expect::new().verdict("pass"))"# r#"verdict = "pass""#;
    /// Which seeds and variants `sweep` and `test` run.
    sweep "sweep" part Sweep = r#"sweep(Sweep::new().seeds("0..100"))"# r#"seeds = "0..100""#;
    /// Of which run this is what it came to.
    repro "repro" part Repro = r#"repro(Repro::new().epoch(3))"# r#"epoch = 3"#;
}
