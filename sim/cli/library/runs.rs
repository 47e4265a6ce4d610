//! What came of a scenario's seeds.

use std::collections::BTreeMap;

use lab::outcome::{Found, Quantity, Status};
use lab::sweep::SeedResult;
use lab::trials::Tried;

/// The runs of a [`Check`](crate::Check).
///
/// ```
/// let runs = stormglass::scenario("scenarios/bank/two-phase-commit.toml")
///     .variant("lost_decisions")
///     .set("run.duration", "10s")
///     .seeds(0..3)
///     .run();
/// for (promise, seeds) in runs.broken() {
///     println!("{promise} is broken on seeds {seeds:?}");
/// }
/// assert_eq!(runs.len(), 4); // thresholds are judged on the file's own seed, so that ran too
/// ```
#[derive(Clone, Debug)]
pub struct Runs {
    tried: Tried,
}

impl Runs {
    pub(super) const fn new(tried: Tried) -> Self {
        Self { tried }
    }

    /// How many there are.
    ///
    /// ```
    /// let runs = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s").seeds(0..2).run();
    /// assert_eq!(runs.len(), 3); // and the file's own seed, for its thresholds
    /// ```
    pub fn len(&self) -> usize {
        self.tried.results.len()
    }

    /// There is none.
    ///
    /// ```
    /// let runs = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s").seeds(0..2).run();
    /// assert!(!runs.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.tried.results.is_empty()
    }

    /// Every promise holds on every seed. Thresholds count on the file's own seed, for which they were written.
    ///
    /// ```
    /// let runs = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s").seeds(0..2).run();
    /// assert!(runs.passed());
    /// ```
    pub fn passed(&self) -> bool {
        self.tried.verdict.found == Found::Pass && self.tried.verdict.failing.is_empty()
    }

    /// What happened is what the file's `[expect]` says.
    ///
    /// ```
    /// let check = stormglass::scenario("scenarios/checkout/saga.toml").variant("dual_write").set("run.duration", "30s");
    /// let runs = check.seeds(3..4).run();
    /// println!("as the file expects: {}", runs.as_expected());
    /// ```
    pub fn as_expected(&self) -> bool {
        self.tried.verdict.as_expected
    }

    /// The verdict, in a line.
    ///
    /// ```
    /// let runs = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s").seeds(0..2).run();
    /// assert!(runs.summary().contains("seeds"));
    /// ```
    pub fn summary(&self) -> &str {
        &self.tried.verdict.summary
    }

    /// The seeds that contradict `[expect]` or are undecided, each with the reason.
    ///
    /// ```
    /// let check = stormglass::scenario("scenarios/checkout/saga.toml").variant("dual_write").set("run.duration", "30s");
    /// let runs = check.seeds(3..4).run();
    /// for (seed, why) in runs.unexpected() {
    ///     println!("seed {seed}: {why}");
    /// }
    /// ```
    pub fn unexpected(&self) -> impl Iterator<Item = (u64, &str)> {
        self.tried.verdict.unexpected.iter().map(|(seed, _, why)| (*seed, why.as_str()))
    }

    /// Some seed breaks this promise.
    ///
    /// ```
    /// let check = stormglass::scenario("scenarios/checkout/saga.toml").variant("dual_write").set("run.duration", "30s");
    /// let runs = check.seeds(3..4).run();
    /// assert!(runs.any_broke("no_order_forgotten"));
    /// ```
    pub fn any_broke(&self, promise: &str) -> bool {
        self.seeds_that_break(promise).next().is_some()
    }

    /// The seeds that break this promise.
    ///
    /// ```
    /// let check = stormglass::scenario("scenarios/checkout/saga.toml").variant("dual_write").set("run.duration", "30s");
    /// let runs = check.seeds(3..4).run();
    /// assert!(runs.seeds_that_break("no_order_forgotten").any(|seed| seed == 3));
    /// ```
    pub fn seeds_that_break(&self, promise: &str) -> impl Iterator<Item = u64> {
        let broken = move |result: &&SeedResult| {
            result.promises.iter().any(|p| p.name == promise && p.status == Status::Violated)
        };
        self.tried.results.iter().filter(broken).map(|result| result.seed)
    }

    /// Every promise that some seed breaks, with those seeds.
    ///
    /// ```
    /// let check = stormglass::scenario("scenarios/checkout/saga.toml").variant("dual_write").set("run.duration", "30s");
    /// let runs = check.seeds(3..4).run();
    /// assert!(runs.broken().contains_key("no_order_forgotten"));
    /// ```
    pub fn broken(&self) -> BTreeMap<&str, Vec<u64>> {
        let mut broken: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for result in &self.tried.results {
            for promise in result.promises.iter().filter(|promise| promise.status == Status::Violated) {
                broken.entry(&promise.name).or_default().push(result.seed);
            }
        }
        broken
    }

    /// What a threshold measured, by seed; no value where there was nothing to measure.
    ///
    /// ```
    /// let runs = stormglass::scenario("scenarios/theory/mm1.toml").set("run.duration", "20000s").seeds(0..3).run();
    /// for (seed, value) in runs.measured("p99") {
    ///     println!("{seed} {value:?}");
    /// }
    /// ```
    pub fn measured(&self, threshold: &str) -> Vec<(u64, Option<Quantity>)> {
        let value = |result: &SeedResult| {
            let promise = result.promises.iter().find(|promise| promise.name == threshold)?;
            Some((result.seed, promise.threshold?))
        };
        self.tried.results.iter().filter_map(value).collect()
    }

    /// Seed and fingerprint of every run: equal ones are equal event for event.
    ///
    /// ```
    /// let runs = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s").seeds(0..2).run();
    /// let (seed, fingerprint) = runs.fingerprints()[0];
    /// println!("seed {seed}: {fingerprint:016x}");
    /// ```
    pub fn fingerprints(&self) -> Vec<(u64, u64)> {
        self.tried.results.iter().map(|result| (result.seed, result.fingerprint)).collect()
    }

    pub(super) const fn tried(&self) -> &Tried {
        &self.tried
    }
}
