//! Random fault plans and workloads for [`proptest`], which shrink as `stormglass shrink` does.
//!
//! [`faults`] and [`workload`] look at a scenario and make strategies of plans: explicit instances of the faults that its
//! parts allow, lists of the operations that are begun. When a test fails with a plan, the plan is made smaller: whole
//! faults go, then instances, what waits for a point waits for an earlier time, loads go back to what the file says,
//! operations go (delta debugging), lengths are halved; each step is undone if the test passes again, and all of it is
//! done over and over until nothing more can go. What is left, printed, is a variant to paste into the file.
//!
//! ```
//! use proptest::test_runner::{Config, TestError, TestRunner};
//! use stormglass::builder::{Builder, Client, Run, Service, Workload};
//! use stormglass::lab::run::{Go, Options, run};
//! use stormglass::strategies::{self, Kind};
//!
//! let mut shop = Builder::new("shop");
//! shop.run(Run::new().duration("5s").quiesce("5s"))
//!     .service("front", Service::new().op("buy", "2ms"))
//!     .workload("load", Workload::new().rate("20/s").target("front.buy").client(Client::new().timeout("1s")));
//! let plans = strategies::faults(&shop.source()).kinds([Kind::Crash, Kind::Pause]).workload("load");
//!
//! // A promise that no crash keeps: everybody is served.
//! let config = Config { failure_persistence: None, max_shrink_iters: 10_000, ..Config::default() };
//! let mut runner = TestRunner::new(config.clone());
//! # // The same plans whenever this page is tested.
//! # let rng = proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
//! # let mut runner = TestRunner::new_with_rng(config, rng);
//! let result = runner.run(&plans, |plan| {
//!     let outcome = run(&plan.scenario(), 0, None, &Options::lean(), &mut |_| Go::On).unwrap();
//!     let lost: u64 = outcome.operations.iter().map(|operation| operation.failed + operation.unknown).sum();
//!     proptest::prop_assert_eq!(lost, 0, "an operation was lost");
//!     Ok(())
//! });
//! let Err(TestError::Fail(_, plan)) = result else { panic!("a crash loses operations") };
//! assert_eq!((plan.faults(), plan.operations()), (1, 1), "{plan}");
//! ```
//!
//! proptest stops shrinking after four times as many runs as there are cases unless `max_shrink_iters` says more: say it.

/// An example with a shop, and twenty plans of a strategy for it.
macro_rules! planned {
    ($code:literal) => {
        concat!(
            "\n```\n# use proptest::{strategy::{Strategy as _, ValueTree as _}, test_runner::TestRunner};\n",
            "# use stormglass::{builder::*, strategies::{self, Kind, Plan, Plans}};\n",
            "# let mut shop = Builder::new(\"shop\");\n",
            "# shop.run(Run::new().duration(\"5s\")).service(\"front\", Service::new().nodes(2).op(\"buy\", \"2ms\"));\n",
            "# shop.workload(\"load\", Workload::new().rate(\"20/s\").target(\"front.buy\"));\n",
            "# shop.fault(\"slow\", Fault::new().kind(\"slow_cpu\").target(\"front\").factor(3).at(\"1s\"));\n",
            "# shop.variant(\"wide\", Variant::new().set(\"services.front.nodes\", 5));\n",
            "# let shop = shop.source();\n",
            "# let mut runner = TestRunner::deterministic();\n",
            "# let mut twenty = |plans: Plans| -> Vec<Plan> {\n",
            "#     (0..20).map(|_| plans.new_tree(&mut runner).unwrap().current()).collect()\n",
            "# };\n",
            $code,
            "\n```"
        )
    };
}

mod draw;
mod ground;
mod plan;
mod tree;

use core::fmt;
use std::sync::{Arc, OnceLock};

use lab::scenario::{Colour, Source, load};
use proptest::prelude::Rng as _;
use proptest::strategy::{NewTree, Strategy};
use proptest::test_runner::{Reason, TestRunner};

use crate::builder::Value;
use draw::Draw;
use ground::Ground;
use plan::Base;

pub use plan::{Kind, Plan};
pub use proptest;
pub use tree::PlanTree;

/// Random faults in a scenario: one to three, of all kinds that its parts allow, at random times of its chaos phase, or
/// where a protocol comes by a point.
///
/// ```
/// use stormglass::builder::{Builder, Run, Service, Workload};
/// use stormglass::strategies::{self, Kind};
///
/// let mut shop = Builder::new("shop");
/// shop.run(Run::new().duration("5s"))
///     .service("front", Service::new().op("buy", "2ms"))
///     .workload("load", Workload::new().rate("20/s").target("front.buy"));
/// let all = strategies::faults(&shop.source());
/// let some = strategies::faults(&shop.source()).kinds([Kind::Crash]).at_most(1).timed();
/// # let _ = (all, some);
/// ```
pub fn faults(source: &Source) -> Plans {
    Plans { most: FAULTS, ..Plans::new(source) }
}

/// Random choices of what a workload begins: all of its operations, a stretch of them, or some here and there; as fast as
/// the file says, or faster or slower.
///
/// ```
/// use proptest::strategy::{Strategy as _, ValueTree as _};
/// use proptest::test_runner::TestRunner;
/// use stormglass::builder::{Builder, Run, Service, Workload};
/// use stormglass::strategies;
///
/// let mut shop = Builder::new("shop");
/// shop.run(Run::new().duration("5s"))
///     .service("front", Service::new().op("buy", "2ms"))
///     .workload("load", Workload::new().rate("20/s").target("front.buy"));
/// let loads = strategies::workload(&shop.source(), "load");
/// let plan = loads.new_tree(&mut TestRunner::deterministic()).unwrap().current();
/// assert_eq!(plan.faults(), 0);
/// // A name that is none is told.
/// let wrong = strategies::workload(&shop.source(), "laod");
/// assert!(wrong.new_tree(&mut TestRunner::deterministic()).unwrap_err().message().contains("laod"));
/// ```
pub fn workload(source: &Source, name: &str) -> Plans {
    Plans::new(source).workload(name)
}

/// So many faults at the most, if nothing else is said.
const FAULTS: usize = 3;
/// More are not planned.
const FAULTS_MAX: usize = 100;

/// A strategy of plans. What is wrong with the scenario is told when the first plan is made.
///
/// ```
/// use proptest::strategy::{Strategy as _, ValueTree as _};
/// use proptest::test_runner::TestRunner;
/// use stormglass::builder::{Builder, Fault, Run, Service, Variant, Workload};
/// use stormglass::strategies::{self, Kind};
///
/// let mut shop = Builder::new("shop");
/// shop.run(Run::new().duration("5s"))
///     .service("front", Service::new().nodes(2).op("buy", "2ms"))
///     .workload("load", Workload::new().rate("20/s").target("front.buy"))
///     .fault("slow", Fault::new().kind("slow_cpu").target("front").factor(3).at("1s"))
///     .variant("wide", Variant::new().set("services.front.nodes", 5));
/// let plans = strategies::faults(&shop.source())
///     .variant("wide")
///     .set("run.duration", "2s")
///     .kinds([Kind::Crash, Kind::Partition])
///     .at_most(2)
///     .timed()
///     .alone()
///     .workload("load");
/// let plan = plans.new_tree(&mut TestRunner::deterministic()).unwrap().current();
/// assert!(plan.sets().contains(&("faults.slow".into(), "none".into())));
/// assert_eq!(plan.scenario().model.services[0].1.nodes, 5);
/// ```
#[derive(Clone)]
pub struct Plans {
    base: Base,
    kinds: Vec<Kind>,
    points: Option<Vec<String>>,
    most: usize,
    alone: bool,
    workloads: Vec<String>,
    /// What the scenario has, once somebody asked.
    ground: Arc<OnceLock<Result<Ground, String>>>,
}

impl Plans {
    fn new(source: &Source) -> Self {
        Self {
            base: Base { source: source.clone(), variant: None, values: Vec::new() },
            kinds: Kind::ALL.to_vec(),
            points: None,
            most: 0,
            alone: false,
            workloads: Vec::new(),
            ground: Arc::default(),
        }
    }

    /// In this variant of the scenario.
    #[doc = planned!(
        r##"let plans = twenty(strategies::faults(&shop).variant("wide"));
assert!(plans.iter().all(|plan| plan.scenario().model.services[0].1.nodes == 5));"##
    )]
    #[must_use]
    pub fn variant(mut self, name: impl Into<String>) -> Self {
        self.base.variant = Some(name.into());
        self.ground = Arc::default();
        self
    }

    /// With this value set, by its path, before anything is planned.
    #[doc = planned!(
        r##"let plans = twenty(strategies::faults(&shop).set("services.front.nodes", 7));
assert!(plans.iter().all(|plan| plan.scenario().model.services[0].1.nodes == 7));"##
    )]
    #[must_use]
    pub fn set(mut self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.base.values.push((path.into(), value.into()));
        self.ground = Arc::default();
        self
    }

    /// Faults of these kinds only.
    #[doc = planned!(
        r##"let plans = twenty(strategies::faults(&shop).kinds([Kind::Pause]).alone());
let planned: Vec<String> = plans.iter().flat_map(Plan::sets).map(|(_, fault)| fault).filter(|it| it != "none").collect();
assert!(!planned.is_empty() && planned.iter().all(|fault| fault.contains(r#"kind = "pause""#)));"##
    )]
    #[must_use]
    pub fn kinds(mut self, kinds: impl Into<Vec<Kind>>) -> Self {
        self.kinds = kinds.into();
        self
    }

    /// Crashes and pauses that wait for a point wait for one of these: `"service.after_write"`, `"2pc.coordinator.*"`.
    #[doc = planned!(
        r##"let plans = twenty(strategies::faults(&shop).kinds([Kind::Crash]).points(["service.after_write"]));
let mut points = plans.iter().flat_map(Plan::sets).filter(|(_, fault)| fault.contains("point = ")).peekable();
assert!(points.peek().is_some() && points.all(|(_, fault)| fault.contains("service.after_write")));"##
    )]
    #[must_use]
    pub fn points<P: Into<String>>(mut self, points: impl IntoIterator<Item = P>) -> Self {
        self.points = Some(points.into_iter().map(Into::into).collect());
        self
    }

    /// Faults at times only, none at points of protocols.
    #[doc = planned!(
        r##"let with_points = |plans: Vec<Plan>| plans.iter().flat_map(Plan::sets).filter(|(_, fault)| fault.contains("point = ")).count();
assert!(with_points(twenty(strategies::faults(&shop))) > 0);
assert_eq!(with_points(twenty(strategies::faults(&shop).timed())), 0);"##
    )]
    #[must_use]
    pub fn timed(self) -> Self {
        self.points::<&str>([])
    }

    /// At most so many faults; each that strikes at times does so up to three times.
    #[doc = planned!(
        r##"let plans = twenty(strategies::faults(&shop).at_most(1).alone());
let most = plans.iter().map(Plan::faults).max();
assert!(most.is_some_and(|most| (1..=3).contains(&most)));"##
    )]
    #[must_use]
    pub fn at_most(mut self, faults: usize) -> Self {
        self.most = faults.min(FAULTS_MAX);
        self
    }

    /// Without the faults of the file. Else those are there too, and shrinking tries to do without them.
    #[doc = planned!(
        r##"let plans = twenty(strategies::faults(&shop).alone());
assert!(plans.iter().all(|plan| plan.sets().contains(&("faults.slow".into(), "none".into()))));"##
    )]
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// Plans what this workload begins, too: shrinking then leaves out operations.
    #[doc = planned!(
        r##"let plans = twenty(strategies::faults(&shop).workload("load"));
assert!(plans.iter().all(|plan| plan.operations() > 0));
assert!(plans.iter().any(|plan| plan.sets().iter().any(|(path, _)| path == "workloads.load.only")));"##
    )]
    #[must_use]
    pub fn workload(mut self, name: &str) -> Self {
        self.workloads.push(name.to_owned());
        self
    }

    fn drawn(&self, ground: &Ground, bits: u64) -> Result<Plan, String> {
        let base = Arc::new(self.base.clone());
        let mut draw = Draw::new(ground, bits);
        let mut plan = Plan { base, left_out: Vec::new(), own: Vec::new(), planned: Vec::new(), chosen: Vec::new() };
        let own = if self.alone { &mut plan.left_out } else { &mut plan.own };
        own.clone_from(&ground.own);
        for name in &self.workloads {
            plan.chosen.push(draw.workload(name)?);
        }
        let loaded = |plan: &Plan| load(&self.base.source, &plan.choice());
        loaded(&plan).map_err(|errors| errors.render(Colour::Plain))?;
        for _ in 0..draw.count(self.most) {
            let Some(fault) = draw.fault(&self.kinds, self.points.as_deref(), &plan.planned) else { continue };
            plan.planned.push(fault);
            // A scenario may have what rules out a fault that its parts allow.
            if loaded(&plan).is_err() {
                plan.planned.pop();
            }
        }
        Ok(plan)
    }
}

/// What was asked for.
impl fmt::Debug for Plans {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut plans = out.debug_struct("Plans");
        plans.field("source", &self.base.source.name).field("variant", &self.base.variant);
        plans.field("kinds", &self.kinds).field("points", &self.points).field("most", &self.most);
        plans.field("alone", &self.alone).field("workloads", &self.workloads).finish_non_exhaustive()
    }
}

impl Strategy for Plans {
    type Tree = PlanTree;
    type Value = Plan;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let ground = self.ground.get_or_init(|| ground::ground(&self.base.source, &self.base.choice()));
        let bits = runner.rng().next_u64();
        let plan = ground.as_ref().map_err(Clone::clone).and_then(|ground| self.drawn(ground, bits));
        plan.map(PlanTree::new).map_err(Reason::from)
    }
}
