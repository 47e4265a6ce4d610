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
    version "version" value;
    /// What the file is about.
    scenario "scenario" part Scenario;
    /// How long it runs.
    run "run" part Run;
    /// Named windows of virtual time.
    phase "phases" each;
    /// What messages meet on their way.
    network "network" part Network;
    /// One-way latencies from zone to zone.
    zone "zones" each;
    /// How failed calls are tried again.
    retry "retry" each Retry;
    /// When calls are not even tried.
    breaker "breaker" each Breaker;
    /// Things with nodes that serve requests.
    service "services" each Service;
    /// Things with nodes that keep copies of keys.
    store "stores" each Store;
    /// Things with nodes that keep messages.
    broker "brokers" each Broker;
    /// Each message to one consumer.
    queue "queues" each Queue;
    /// They hand messages on to queues.
    exchange "exchanges" each Exchange;
    /// Logs: each message to every group.
    topic "topics" each Topic;
    /// Distributed transactions by a commit protocol.
    transaction "transactions" each Transaction;
    /// Steps over services, each with what undoes it.
    saga "sagas" each Saga;
    /// Clients and what they ask for.
    workload "workloads" each Workload;
    /// Random schedules of faults.
    chaos "chaos" part Chaos;
    /// What goes wrong, and when.
    fault "faults" each Fault;
    /// Is it right?
    invariant "invariants" each Invariant;
    /// How does it behave?
    threshold "thresholds" each;
    /// How the promises are expected to come out.
    expect "expect" part Expect;
    /// Which seeds and variants `sweep` and `test` run.
    sweep "sweep" part Sweep;
    /// Of which run this is what it came to.
    repro "repro" part Repro;
}
