//! A plan: which faults strike when, and which operations are begun.

use core::fmt;
use std::sync::Arc;

use lab::scenario::{Choice, Scenario, Source, load};

use crate::builder::{Builder, Fault, Instance, List, Value, Variant};

/// Kinds of faults that plans are made of: those that `[chaos]` draws, too.
///
/// ```
/// use stormglass::strategies::Kind;
///
/// assert_eq!(Kind::ALL.len(), 8);
/// assert_eq!(Kind::SlowCpu.word(), "slow_cpu");
/// ```
pub use lab::model::Family as Kind;

/// A fault of a plan.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Planned {
    /// `random_crash`.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Other keys of it, with their values: `factor = 10`.
    pub(super) keys: Vec<(&'static str, Value)>,
    pub(super) strikes: Strikes,
}

/// When a planned fault strikes.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Strikes {
    /// At these times.
    Times(Vec<Strike>),
    /// When a protocol comes by a point for the nth time; where that is.
    Point { point: String, of: Option<String>, nth: u64, targets: Vec<String>, length: u64 },
}

/// One time that a fault strikes, in milliseconds.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Strike {
    pub(super) number: i64,
    pub(super) at: u64,
    pub(super) length: u64,
    pub(super) target: String,
}

/// A workload of a plan.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Chosen {
    pub(super) workload: String,
    /// The operations that are begun, in order.
    pub(super) operations: Vec<u64>,
    /// How many there would be; if all are chosen, nothing is said.
    pub(super) all: u64,
    /// How many there are at the pace of the file.
    pub(super) usual: u64,
    /// The key that says how fast they come, and another value for it.
    pub(super) pace: Option<(&'static str, Value)>,
}

/// What is asked of every plan of a strategy.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Base {
    pub(super) source: Source,
    pub(super) variant: Option<String>,
    pub(super) values: Vec<(String, Value)>,
}

/// A plan of what goes wrong in a scenario and what is asked of it: explicit instances of faults, lists of operations.
///
/// It is a list of values to set ([`Plan::sets`]), a scenario ready to run ([`Plan::scenario`]), and, printed, a variant to
/// paste at the end of the file. Every plan that a strategy makes can be loaded.
///
/// ```
/// use proptest::strategy::{Strategy as _, ValueTree as _};
/// use proptest::test_runner::TestRunner;
/// use stormglass::builder::{Builder, Run, Service, Workload};
/// use stormglass::strategies;
///
/// let mut shop = Builder::new("shop");
/// shop.run(Run::new().duration("5s"))
///     .service("front", Service::new().nodes(2).op("buy", "exp(2ms)"))
///     .workload("load", Workload::new().rate("20/s").target("front.buy"));
/// let plans = strategies::faults(&shop.source()).workload("load");
/// let plan = plans.new_tree(&mut TestRunner::deterministic()).unwrap().current();
///
/// assert!(plan.to_string().contains("[variants.found]"));
/// assert!(plan.sets().len() == plan.choice().sets.len() && plan.faults() <= 9);
/// assert_eq!(plan.scenario().model.services.len(), 1);
/// // What it prints can be pasted.
/// let pasted = format!("{}\n{plan}", shop.text());
/// let source = stormglass::lab::scenario::Source::new("shop.toml", pasted);
/// let found = stormglass::lab::scenario::Choice { variant: Some("found".into()), ..Default::default() };
/// let again = stormglass::lab::scenario::load(&source, &found).unwrap();
/// assert_eq!(again.scenario_hash(), plan.scenario().scenario_hash());
/// ```
#[derive(Clone, PartialEq)]
pub struct Plan {
    pub(super) base: Arc<Base>,
    /// Faults of the file that are left out.
    pub(super) left_out: Vec<String>,
    /// Faults of the file that are there.
    pub(super) own: Vec<String>,
    pub(super) planned: Vec<Planned>,
    pub(super) chosen: Vec<Chosen>,
}

impl Base {
    pub(super) fn choice(&self) -> Choice {
        let sets = self.values.iter().map(|(path, value)| (path.clone(), value.to_string())).collect();
        Choice { variant: self.variant.clone(), sets, seed: None }
    }
}

impl Plan {
    /// What is to be set, besides what the strategy was told to set: as `--set` takes it.
    #[doc = planned!(
        r##"for plan in twenty(strategies::faults(&shop).alone()) {
    assert!(plan.sets().contains(&("faults.slow".into(), "none".into())));
}"##
    )]
    pub fn sets(&self) -> Vec<(String, String)> {
        let left_out = self.left_out.iter().map(|name| (format!("faults.{name}"), "none".to_owned()));
        let planned = self.planned.iter().map(|fault| (format!("faults.{}", fault.name), fault.toml().to_string()));
        let mut sets: Vec<(String, String)> = left_out.chain(planned).collect();
        for chosen in &self.chosen {
            let path = |key: &str| format!("workloads.{}.{key}", chosen.workload);
            sets.extend(chosen.pace.iter().map(|(key, value)| (path(key), value.to_string())));
            sets.extend(chosen.only().map(|only| (path("only"), only.to_string())));
        }
        sets
    }

    /// Variant and values of the strategy, and those of the plan.
    #[doc = planned!(
        r##"for plan in twenty(strategies::faults(&shop).variant("wide")) {
    assert_eq!(plan.choice().variant.as_deref(), Some("wide"));
}"##
    )]
    pub fn choice(&self) -> Choice {
        let mut choice = self.base.choice();
        choice.sets.extend(self.sets());
        choice
    }

    /// The scenario with this plan in it.
    #[doc = planned!(
        r##"for plan in twenty(strategies::faults(&shop).variant("wide")) {
    assert_eq!(plan.scenario().model.services[0].1.nodes, 5);
}"##
    )]
    ///
    /// # Panics
    /// Never: it was loaded before the plan was given away.
    pub fn scenario(&self) -> Scenario {
        load(&self.base.source, &self.choice()).expect("a plan that cannot be loaded is given to nobody")
    }

    /// How many faults there are, each instance counted: those planned, and those of the file that were not left out.
    #[doc = planned!(
        r##"for plan in twenty(strategies::faults(&shop)) {
    assert!(plan.faults() >= 1, "the file has one itself");
}"##
    )]
    pub fn faults(&self) -> usize {
        let instances = |fault: &Planned| match &fault.strikes {
            Strikes::Times(all) => all.len(),
            Strikes::Point { .. } => 1,
        };
        self.own.len() + self.planned.iter().map(instances).sum::<usize>()
    }

    /// How many operations are begun, of the workloads that are planned.
    #[doc = planned!(
        r##"for plan in twenty(strategies::workload(&shop, "load")) {
    assert!(plan.operations() > 0);
}"##
    )]
    pub fn operations(&self) -> usize {
        self.chosen.iter().map(|chosen| chosen.operations.len()).sum()
    }

    /// The plan as a variant.
    fn variant(&self) -> Variant {
        let mut variant = Variant::new();
        if let Some(name) = &self.base.variant {
            variant = variant.like(name);
        }
        for (path, value) in self.base.values.iter().filter(|(path, _)| !is_within_a_list(path)) {
            variant = variant.set(path, value.clone());
        }
        for name in &self.left_out {
            variant = variant.set(&format!("faults.{name}"), "none");
        }
        for fault in &self.planned {
            variant = variant.fault(&fault.name, fault.toml());
        }
        for chosen in &self.chosen {
            let path = |key: &str| format!("workloads.{}.{key}", chosen.workload);
            if let Some((key, value)) = &chosen.pace {
                variant = variant.set(&path(key), value.clone());
            }
            if let Some(only) = chosen.only() {
                variant = variant.set(&path("only"), only);
            }
        }
        variant
    }
}

/// As a variant to paste at the end of the file, and how it is run.
impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut builder = Builder::new("plan");
        builder.variant("found", self.variant());
        let text = builder.text();
        let (_, variant) = text.split_once('\n').unwrap_or(("", &text));
        write!(out, "# stormglass run {} --variant found", self.base.source.name)?;
        for (path, value) in self.base.values.iter().filter(|(path, _)| is_within_a_list(path)) {
            write!(out, " --set '{path}={value}'")?;
        }
        write!(out, "\n{}", variant.trim_start_matches('\n'))
    }
}

/// The same: it is what a failed test shows.
impl fmt::Debug for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\n{self}")
    }
}

/// Elements of lists have no path that a variant could name.
fn is_within_a_list(path: &str) -> bool {
    path.contains('[')
}

impl Planned {
    fn toml(&self) -> Fault {
        let mut fault = Fault::new().kind(self.kind.word());
        match &self.strikes {
            Strikes::Times(all) => {
                let one = |strike: &Strike| {
                    let one = Instance::new().n(strike.number).at(milliseconds(strike.at));
                    one.for_(milliseconds(strike.length)).target([strike.target.as_str()])
                };
                for (key, value) in &self.keys {
                    fault.0.put(key, value.clone());
                }
                fault.instances(all.iter().map(one).collect::<List<Instance>>())
            }
            Strikes::Point { point, of, nth, targets, length } => {
                fault = fault.target(targets.clone()).point(point.as_str());
                if let Some(of) = of {
                    fault = fault.of(of);
                }
                fault = fault.nth(*nth).for_(milliseconds(*length));
                for (key, value) in &self.keys {
                    fault.0.put(key, value.clone());
                }
                fault
            }
        }
    }
}

impl Chosen {
    /// Numbers as a list in which neighbours are ranges, unless all are meant.
    fn only(&self) -> Option<Value> {
        let numbers = &self.operations;
        if numbers.len() as u64 == self.all {
            return None;
        }
        let together = numbers.chunk_by(|one, next| one + 1 == *next);
        let range = |some: &[u64]| match some {
            [first, .., last] => Value::from(format!("{first}..{}", last + 1)),
            [one] => Value::from(*one),
            [] => Value::Array(Vec::new()),
        };
        Some(Value::from(together.map(range).collect::<Vec<Value>>()))
    }
}

fn milliseconds(number: u64) -> Value {
    kernel::Span::millis(number).into()
}
