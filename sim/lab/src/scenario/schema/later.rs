//! What the grammar has and this version does not, and what other tools call things.

/// Sections that a later version will have.
pub(in crate::scenario) const LATER_SECTIONS: &[&str] =
    &["limit", "bulkhead", "hedge", "shed", "concurrency", "auth", "caches", "registries", "compare"];

/// Keys that people bring from other tools or from older drafts, and what they are called here.
pub(in crate::scenario) const FOREIGN: &[(&str, &str)] = &[
    ("executor", "an open loop is `rate = \"200/s\"`, a closed loop is `users = 5`"),
    ("vus", "a closed loop is `users = 5`"),
    ("arrival_rate", "an open loop is `rate = \"200/s\"`"),
    ("rps", "an open loop is `rate = \"200/s\"`"),
    ("replicas", "machines are `nodes`; `replicas` counts copies of data"),
    ("instances", "machines are `nodes`"),
    ("count", "machines are `nodes`"),
    ("threads", "requests served at once are `workers`"),
    ("concurrency", "requests served at once are `workers`"),
    ("on", "what a fault acts on is its `target`"),
    ("probability", "a probability is `chance = \"1%\"`"),
    ("restart_after", "how long a fault lasts is `for = \"5s\"`"),
    ("duration", "the length of the run is `run.duration`; how long a fault lasts is `for = \"5s\"`"),
    ("expr", "the verb says how a predicate is judged: `always = \"…\"`"),
    ("when_false", "use `else`"),
    ("otherwise", "what happens when a step fails is `else`"),
    ("type", "which sort of thing it is, is its `kind`"),
    ("drain", "the time after the load is `run.quiesce`"),
    ("slo", "promises about behaviour are `[thresholds]`"),
    ("slos", "promises about behaviour are `[thresholds]`"),
    ("assertions", "promises about right and wrong are `[invariants]`"),
    ("checks", "promises about right and wrong are `[invariants]`"),
    ("service", "services are a table by name: `[services.orders]`"),
    ("latency_ms", "durations have their unit with them: `latency = \"5ms\"`"),
    ("think_time", "the time between two operations of a user is `think`"),
    ("delay", "a step that waits is `sleep = \"5ms\"`; what messages need is `network.latency`"),
    ("ramp", "a load that changes is `stages = [{ to = \"100/s\", over = \"10s\" }]`"),
];
