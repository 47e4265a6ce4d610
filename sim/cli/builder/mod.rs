//! Scenarios from Rust, with exactly the names of the file: for topologies that no person wants to write by hand.
//!
//! Every table of a scenario file is a type here ([`Service`], [`Op`], [`Fault`]), every key a method of that name, and a
//! table of named things is a method that takes a name (`services.shop` is `service("shop", …)`). Words of Rust have an
//! underscore: `for_`, `if_`, `else_`, `type_`. What a file may write short may be short here: `op("get", "exp(2ms)")`.
//!
//! ```
//! use stormglass::builder::{Builder, Invariant, Run, Service, Step, Workload};
//! use stormglass::lab::run::{Go, Options, run};
//! use stormglass::lab::scenario::{Choice, load};
//!
//! let mut chain = Builder::new("chain");
//! chain.run(Run::new().duration("2s").quiesce("1s"));
//! for n in 0..10 {
//!     let mut get = vec![Step::work("exp(100us)")];
//!     if n < 9 {
//!         get.push(Step::call(format!("s{}.get", n + 1)).timeout("1s"));
//!     }
//!     chain.service(format!("s{n}"), Service::new().workers(8).op("get", get));
//! }
//! chain.workload("load", Workload::new().rate("50/s").target("s0.get"));
//! chain.threshold("fast", "p99(latency) < 100ms");
//!
//! let scenario = load(&chain.source(), &Choice::default())?;
//! let outcome = run(&scenario, 7, None, &Options::lean(), &mut |_| Go::On).unwrap();
//! assert!(outcome.verdict.as_expected);
//! # Ok::<(), stormglass::lab::scenario::Diagnostics>(())
//! ```
//!
//! The pieces are values: a function may return one, several services may share one, a [`Variant`] takes the same. What is
//! wrong in them, the loader tells as it does for files, with the place in the text that was made ([`Builder::text`]).
//! A scenario in which [`Builder::set`] puts values by path can say all that a file can.

mod keys;
mod paths;
mod pieces;
mod text;
mod value;

use lab::scenario::Source;

pub use pieces::load::{After, Step};
pub use pieces::load::{Chaos, Client, Fault, Instance, Stage, Workload};
pub use pieces::messages::{
    Binding, Broker, DeadLetter, Exchange, Isolation, Locks, OnAbort, Queue, Saga, SagaStep, Topic, Transaction,
    Trigger,
};
pub use pieces::promises::{Expect, Invariant, Repro, Sweep};
pub use pieces::world::{
    Backoff, Breaker, Budget, Clock, Consumer, Disk, Link, Loss, Network, Op, Outbox, Retry, Run, Scenario, Service,
    ServiceQueue, State, Store,
};
pub use value::{List, Of, Table, Value};

/// A whole scenario, built piece by piece.
///
/// ```
/// use stormglass::builder::{Builder, Run, Service, Variant, Workload};
///
/// let mut shop = Builder::new("shop");
/// shop.run(Run::new().duration("10s"))
///     .service("front", Service::new().nodes(2).op("buy", "exp(2ms)"))
///     .workload("load", Workload::new().rate("20/s").target("front.buy"))
///     .variant("slow", Variant::new().set("services.front.ops.buy", "exp(20ms)"))
///     .set("services.front.workers", 4);
/// let text = r#"version = 1
///
/// [run]
/// duration = "10s"
///
/// [services.front]
/// nodes   = 2
/// ops     = { buy = "exp(2ms)" }
/// workers = 4
///
/// [workloads.load]
/// rate   = "20/s"
/// target = "front.buy"
///
/// [variants.slow]
/// services.front.ops.buy = "exp(20ms)"
/// "#;
/// assert_eq!(shop.text(), text);
/// assert_eq!(shop.source().name, "shop.toml");
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Builder {
    name: String,
    root: Table,
}

impl Builder {
    /// A scenario of this name that says nothing yet but the version of its format.
    ///
    /// ```
    /// assert_eq!(stormglass::builder::Builder::new("shop").text(), "version = 1\n");
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), root: Table::new().with("version", 1) }
    }

    /// A partial scenario that is merged on this one by who chooses it.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Run, Variant};
    ///
    /// let mut shop = Builder::new("shop");
    /// shop.variant("short", Variant::new().run(Run::new().duration("2s")));
    /// assert!(shop.text().ends_with("[variants.short]\nrun.duration = \"2s\"\n"));
    /// ```
    pub fn variant(&mut self, name: impl Into<String>, variant: Variant) -> &mut Self {
        self.root.inner("variants").add(name, variant);
        self
    }

    /// A value at a path, as `--set` writes it, instead of what stood there; for what the methods do not reach, and for
    /// changes of what is built already. What leads nowhere is told when the scenario is loaded.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Run};
    ///
    /// let mut shop = Builder::new("shop");
    /// shop.run(Run::new().duration("10s")).set("run.duration", "2s");
    /// assert!(shop.text().ends_with("[run]\nduration = \"2s\"\n"));
    /// ```
    pub fn set(&mut self, path: &str, value: impl Into<Value>) -> &mut Self {
        paths::set(&mut self.root, path, value.into());
        self
    }

    /// The scenario as a file.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Service};
    ///
    /// let mut shop = Builder::new("shop");
    /// shop.service("front", Service::new().nodes(2).op("buy", "exp(2ms)"));
    /// assert_eq!(shop.text(), "version = 1\n\n[services.front]\nnodes = 2\nops   = { buy = \"exp(2ms)\" }\n");
    /// ```
    pub fn text(&self) -> String {
        text::file(&self.root, keys::SECTIONS)
    }

    /// The scenario as [`load`](lab::scenario::load) and the rest of the library take it. In what is wrong with it, it is
    /// called as it is, with `.toml` at the end. Files that it names are added with `with_files`.
    ///
    /// ```
    /// use stormglass::builder::Builder;
    /// use stormglass::lab::scenario::{Choice, load};
    ///
    /// let source = Builder::new("shop").source();
    /// assert_eq!(source.name, "shop.toml");
    /// assert!(load(&source, &Choice::default()).is_err(), "it says how long it runs nowhere");
    /// ```
    pub fn source(&self) -> Source {
        Source::new(format!("{}.toml", self.name), self.text())
    }
}

/// A partial scenario under a name; whoever chooses it gets the scenario with this merged on it.
///
/// ```
/// use stormglass::builder::{Builder, Expect, Fault, Service, Variant};
///
/// let crash = Fault::new().kind("crash").target("front[0]").at("3s").for_("1s");
/// let variant = Variant::new()
///     .like("slow")
///     .service("front", Service::new().nodes(1))
///     .fault("crash", crash)
///     .set("workloads.load.rate", "5/s")
///     .expect(Expect::new().verdict("fail").fails(["fast"]));
/// let mut shop = Builder::new("shop");
/// shop.variant("alone", variant);
/// assert!(shop.text().ends_with(r#"
/// [variants.alone]
/// like                 = "slow"
/// services.front.nodes = 1
/// faults.crash         = { kind = "crash", target = "front[0]", at = "3s", for = "1s" }
/// workloads.load.rate  = "5/s"
/// expect               = { verdict = "fail", fails = ["fast"] }
/// "#));
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Variant(Table);

impl Variant {
    /// A variant that changes nothing yet.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Variant};
    ///
    /// let mut shop = Builder::new("shop");
    /// shop.variant("same", Variant::new());
    /// assert!(shop.text().ends_with("[variants.same]\n"));
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins with what that variant says.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Variant};
    ///
    /// let mut shop = Builder::new("shop");
    /// shop.variant("slow_and_wide", Variant::new().like("slow").set("services.front.nodes", 5));
    /// assert!(shop.text().contains("= \"slow\"\n"));
    /// ```
    #[must_use]
    pub fn like(mut self, variant: impl Into<Value>) -> Self {
        self.0.put("like", variant.into());
        self
    }

    /// A value at a path, as `--set` writes it. `"none"` takes away what is there.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Variant};
    ///
    /// let mut shop = Builder::new("shop");
    /// shop.variant("calm", Variant::new().set("faults.crash", "none"));
    /// assert!(shop.text().ends_with("[variants.calm]\nfaults.crash = \"none\"\n"));
    /// ```
    #[must_use]
    pub fn set(mut self, path: &str, value: impl Into<Value>) -> Self {
        paths::set(&mut self.0, path, value.into());
        self
    }
}

impl From<Variant> for Value {
    fn from(variant: Variant) -> Self {
        Self::Table(variant.0)
    }
}
