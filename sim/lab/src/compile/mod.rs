//! From a model to a simulated world: names become numbers, steps a flat program, targets node sets.
//!
//! The scenario was checked for shape before; what is found wrong here (an expression that does not compile, a target
//! that means nothing) is told in the same form. `Compiled` is everything a run needs, and shared by all seeds of a sweep
//! but for the keys of their draws: those depend on the seed, so a world is compiled per seed. It takes microseconds.

mod availability;
mod calls;
pub(crate) mod chaos;
mod choreography;
pub(crate) mod faults;
mod isolation;
mod later;
mod messaging;
mod network;
mod parts;
mod sagas;
mod scripts;
mod sorts;
mod state;
mod steps;
mod stores;
mod topics;
mod transactions;
mod variables;

use std::collections::BTreeMap;
use std::sync::Arc;

use cluster::{FaultPlan, Hardware};
use kernel::{CellId, NodeId, Seed};
use systems::app::plan::{Draw, Place, Plan};

use crate::measure::ServiceInfo;
use crate::model::{Dist, Model};
use crate::names::Names;
use crate::scenario::Diagnostic;

/// Everything a run needs.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The application.
    pub plan: Arc<Plan>,
    /// The machines and links.
    pub hardware: Hardware,
    /// What shall go wrong.
    pub faults: FaultPlan,
    /// What the numbers are called.
    pub names: Names,
    /// Services, for statistics.
    pub services: Vec<ServiceInfo>,
    /// The request variables, by number.
    pub variables: Vec<String>,
    /// Per workload: its name and what it calls.
    pub workloads: Vec<(String, String)>,
    /// `S.up` of the service each node belongs to, and its row.
    pub up: Vec<Option<(CellId, u64)>>,
}

/// Changes to a scenario that have no place in its file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Edits {
    /// Operations left out: workload name and number. No other draw changes.
    pub dropped: Vec<(String, u64)>,
}

/// Compiles a model for one seed.
pub fn compile(model: &Model, seed: Seed, edits: &Edits) -> Result<Compiled, Vec<Diagnostic>> {
    #[cfg(feature = "planted-nondeterminism")]
    let edits = &planted(model, edits);
    let (mut compiler, faults) = software(model, seed, edits);
    let hardware = compiler.hardware();
    if compiler.errors.is_empty() { Ok(compiler.finish(hardware, faults)) } else { Err(compiler.errors) }
}

/// Beyond this many machines their links, one for each two, are compiled for a run only.
const LINKED_MAX: usize = 1_000;

/// Compiles what can be compiled of a model that may be wrong, to know its names, and says what cannot.
pub(crate) fn attempt(model: &Model) -> (Compiled, Vec<Diagnostic>) {
    let (mut compiler, faults) = software(model, Seed(0), &Edits::default());
    let nothing = Hardware { nodes: Vec::new(), groups: 0, links: Vec::new() };
    let hardware = if compiler.plan.nodes.len() <= LINKED_MAX { compiler.hardware() } else { nothing };
    let errors = std::mem::take(&mut compiler.errors);
    (compiler.finish(hardware, faults), errors)
}

/// Everything but machines and links.
fn software<'a>(model: &'a Model, seed: Seed, edits: &Edits) -> (Compiler<'a>, FaultPlan) {
    let mut compiler = Compiler::new(model, seed);
    compiler.later();
    compiler.nodes();
    compiler.moments();
    compiler.messaging();
    compiler.services();
    compiler.replicated_stores();
    compiler.transactions();
    compiler.sagas();
    compiler.consumers();
    compiler.workloads(edits);
    compiler.leads_to();
    compiler.availability();
    compiler.plan.attempt = compiler.variables.attempt();
    compiler.plan.clock = compiler.variables.clock();
    let faults = compiler.faults();
    (compiler, faults)
}

/// Wrong on purpose: every second world that this process compiles leaves out an operation, so that `--twice` has
/// something to find.
#[cfg(feature = "planted-nondeterminism")]
fn planted(model: &Model, edits: &Edits) -> Edits {
    use std::sync::atomic::{AtomicU64, Ordering};
    static WORLDS: AtomicU64 = AtomicU64::new(0);
    let mut edits = edits.clone();
    if WORLDS.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
        edits.dropped.extend(model.workloads.first().map(|(name, _)| (name.value.clone(), 100)));
    }
    edits
}

/// What is being compiled.
pub(crate) struct Compiler<'a> {
    model: &'a Model,
    seed: Seed,
    names: Names,
    plan: Plan,
    errors: Vec<Diagnostic>,
    /// First node of each service, then of each workload.
    first: BTreeMap<String, (NodeId, u32)>,
    workload_nodes: BTreeMap<String, NodeId>,
    /// `service.op` and `transactions.t` → op.
    ops: BTreeMap<String, u32>,
    op_names: Vec<String>,
    sorts: sorts::Sorts,
    variables: variables::Variables,
    /// Breakers, by who calls whom with which policy.
    breakers: Vec<(String, systems::app::plan::BreakerUse)>,
    call_series: BTreeMap<(String, String), calls::CallSeries>,
    up: Vec<Option<(CellId, u64)>>,
    /// Who reads which topics; they become groups when all are known.
    readings: Vec<topics::Reading>,
}

impl<'a> Compiler<'a> {
    fn new(model: &'a Model, seed: Seed) -> Self {
        let owned = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect();
        let names = Names {
            kinds: owned(systems::app::message::kinds()),
            errors: owned(systems::app::message::system_errors::words()),
            ..Names::default()
        };
        let sorts = sorts::Sorts::of(model);
        let mut plan = Plan::empty();
        plan.pauses = seed.key("retry", "pause");
        let mut links = core::iter::once(&model.network).chain(model.links.iter().map(|(_, link)| link));
        plan.unconnected = links.any(|link| link.transport == Some(crate::model::Transport::Udp));
        Self {
            model,
            seed,
            names,
            plan,
            errors: Vec::new(),
            first: BTreeMap::new(),
            workload_nodes: BTreeMap::new(),
            ops: BTreeMap::new(),
            op_names: Vec::new(),
            variables: variables::Variables::of(model, &sorts),
            sorts,
            breakers: Vec::new(),
            call_series: BTreeMap::new(),
            up: Vec::new(),
            readings: Vec::new(),
        }
    }

    fn finish(mut self, hardware: Hardware, faults: FaultPlan) -> Compiled {
        self.up.resize(self.plan.nodes.len(), None);
        let services = self
            .model
            .services
            .iter()
            .map(|(name, s)| ServiceInfo { name: name.value.clone(), nodes: s.nodes, workers: s.workers })
            .collect();
        let workloads =
            self.model.workloads.iter().map(|(name, w)| (name.value.clone(), self.target_of(&name.value, w)));
        let workloads = workloads.collect();
        self.names.ops = self.op_names;
        Compiled {
            plan: Arc::new(self.plan),
            hardware,
            faults,
            services,
            variables: self.variables.names(),
            workloads,
            up: self.up,
            names: self.names,
        }
    }

    /// A distribution with the key of its draws.
    fn draw(&self, dist: &Dist) -> Draw {
        Draw { law: dist.law.clone(), key: self.seed.key(&dist.path, "draw") }
    }

    /// Puts a distribution into the plan.
    fn put_draw(&mut self, dist: &Dist) -> u16 {
        let draw = self.draw(dist);
        self.plan.draws.push(draw);
        (self.plan.draws.len() - 1) as u16
    }

    /// The number of an error word, new ones at the end.
    fn error(&mut self, word: &str) -> u16 {
        let found = self.names.errors.iter().position(|e| e == word);
        found.unwrap_or_else(|| {
            self.names.errors.push(word.to_owned());
            self.names.errors.len() - 1
        }) as u16
    }

    /// `service.op` for whatever a call may say.
    fn target_name(&self, written: &str) -> String {
        sorts::target(self.model, written)
    }

    /// What the operations of a workload are called.
    fn target_of(&self, name: &str, workload: &crate::model::Workload) -> String {
        workload.call().map_or_else(|| format!("workloads.{name}"), |call| self.target_name(&call.target.value))
    }

    /// How long each `leads_to` takes is a series, for thresholds.
    fn leads_to(&mut self) {
        for (name, invariant) in &self.model.invariants {
            if matches!(invariant.form, crate::model::Form::LeadsTo { .. }) {
                self.names.series("leads_to_time", vec![("invariant", name.value.clone())]);
            }
        }
    }

    /// The nodes of a part.
    fn nodes_of(&self, name: &str) -> Option<Vec<NodeId>> {
        self.first.get(name).map(|&(first, count)| (first.0..first.0 + count).map(NodeId).collect())
    }

    fn all_nodes(&self) -> Vec<NodeId> {
        (0..self.plan.nodes.len() as u32).map(NodeId).collect()
    }

    /// Gives every machine and every workload its number.
    fn nodes(&mut self) {
        use systems::app::plan::Part;
        for (index, (name, service)) in self.model.services.iter().enumerate() {
            let first = NodeId(self.plan.nodes.len() as u32);
            self.first.insert(name.value.clone(), (first, service.nodes));
            for number in 0..service.nodes {
                self.plan.nodes.push(Place { part: Part::Service(index as u32), number });
                let lane = if service.nodes == 1 { name.value.clone() } else { format!("{}[{number}]", name.value) };
                self.names.nodes.push(crate::names::Node { name: lane, part: name.value.clone(), number });
            }
        }
        self.store_nodes();
        for (index, (name, _)) in self.model.workloads.iter().enumerate() {
            let node = NodeId(self.plan.nodes.len() as u32);
            self.workload_nodes.insert(name.value.clone(), node);
            self.plan.nodes.push(Place { part: Part::Workload(index as u32), number: 0 });
            let lane = format!("workloads.{}", name.value);
            self.names.nodes.push(crate::names::Node { name: lane, part: name.value.clone(), number: 0 });
        }
    }

    /// The machine of a service's database.
    fn database_node(&mut self, service: &str) -> NodeId {
        let index = self.model.services.iter().position(|(name, _)| name.value == service);
        let index = index.expect("a service that is compiled is in the model");
        self.machine(systems::app::plan::Part::Database(index as u32), &format!("{service}.db"))
    }

    /// A machine that no table of the file is: the database behind a service of several nodes.
    fn machine(&mut self, part: systems::app::plan::Part, name: &str) -> NodeId {
        let node = NodeId(self.plan.nodes.len() as u32);
        self.first.insert(name.to_owned(), (node, 1));
        self.plan.nodes.push(Place { part, number: 0 });
        self.names.nodes.push(crate::names::Node { name: name.to_owned(), part: name.to_owned(), number: 0 });
        node
    }

    /// Some fault names this point.
    fn names_point(&self, point: &str) -> bool {
        let model = self.model;
        let by_fault = model.faults.iter().any(|(_, fault)| match &fault.trigger {
            crate::model::Trigger::Point { point: pattern, .. } => faults::matches(&pattern.value, point),
            crate::model::Trigger::At(_)
            | crate::model::Trigger::Every(_)
            | crate::model::Trigger::Rate(_)
            | crate::model::Trigger::After { .. }
            | crate::model::Trigger::Always
            | crate::model::Trigger::Listed(_) => false,
        });
        let chaos = &model.chaos;
        let by_chaos = chaos.profile == crate::model::ChaosProfile::Exhaustive
            && (chaos.points.is_empty() || chaos.points.iter().any(|p| faults::matches(&p.value, point)));
        by_fault || by_chaos
    }

    /// The number of a point, if some fault names it.
    fn named_moment(&mut self, name: &str) -> Option<kernel::PointId> {
        self.names_point(name).then(|| self.names.point(name))
    }

    /// Moments of requests, as far as some fault names them.
    fn moments(&mut self) {
        let points = systems::app::plan::RequestPoints {
            before_write: self.named_moment("service.before_write"),
            after_write: self.named_moment("service.after_write"),
            before_reply: self.named_moment("service.before_reply"),
            before_action: self.named_moment("saga.step.before_action"),
            after_action: self.named_moment("saga.step.after_action"),
            before_compensate: self.named_moment("saga.step.before_compensate"),
            after_compensate: self.named_moment("saga.step.after_compensate"),
            outbox_after_write: self.named_moment("outbox.after_write"),
            outbox_after_send: self.named_moment("outbox.after_send"),
            outbox_before_mark: self.named_moment("outbox.before_mark"),
            consumer_after_deliver: self.named_moment("consumer.after_deliver"),
            consumer_after_effect: self.named_moment("consumer.after_effect_before_ack"),
            consumer_after_ack: self.named_moment("consumer.after_ack"),
        };
        let of_mail = systems::messaging::Points {
            after_store_before_confirm: self.named_moment("broker.after_store_before_confirm"),
            after_deliver_before_ack: self.named_moment("broker.after_deliver_before_ack"),
        };
        (self.plan.points, self.plan.mail.points) = (points, of_mail);
        self.plan.topics.after_store_before_confirm = self.plan.mail.points.after_store_before_confirm;
    }
}

impl From<crate::expression::Problem> for Diagnostic {
    fn from(problem: crate::expression::Problem) -> Self {
        let mut diagnostic = Self::error(problem.place, problem.message, problem.label);
        diagnostic.help = problem.help;
        diagnostic.others = problem.others;
        diagnostic.about = problem.about;
        diagnostic
    }
}
