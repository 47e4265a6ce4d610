//! What a scenario has that faults can hit and workloads can ask: read from the scenario, and from one run of it.

use kernel::Seed;
use lab::compile::{Edits, compile};
use lab::model::{ChaosProfile, Load, Model};
use lab::run::{Go, Options, Progress, recorded};
use lab::scenario::{Choice, Colour, Source, load};

/// A pilot run is stopped after so many events; what it has not begun by then nobody asks for.
const EVENTS_MAX: u64 = 20_000_000;
/// More operations of one workload are not chosen among.
const OPERATIONS_MAX: u64 = 100_000;
/// A millisecond, in nanoseconds: plans strike at whole ones.
const MILLISECOND: u64 = 1_000_000;

/// A scenario as strategies see it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Ground {
    /// Machines that may be hit, part by part: what the part is called, and its nodes as targets.
    pub(super) parts: Vec<(String, Vec<String>)>,
    /// Queues and topics, as targets.
    pub(super) places: Vec<String>,
    /// Points that protocols come by.
    pub(super) points: Vec<String>,
    /// Ops of services: `orders.place`.
    pub(super) ops: Vec<String>,
    /// The file's own faults.
    pub(super) own: Vec<String>,
    /// All workloads.
    pub(super) workloads: Vec<Asked>,
    /// The chaos phase in milliseconds.
    pub(super) chaos: (u64, u64),
    /// What everything planned is called must not be called so.
    pub(super) taken: Vec<String>,
}

/// A workload.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Asked {
    /// Its name.
    pub(super) name: String,
    /// How many operations it begins.
    pub(super) operations: u64,
    /// The key that says how fast they come, and its value; none of a trace.
    pub(super) pace: Option<(&'static str, f64)>,
}

/// Looks at a scenario. An error is what is wrong with it, as a person reads it.
pub(super) fn ground(source: &Source, choice: &Choice) -> Result<Ground, String> {
    let scenario = load(source, choice).map_err(|errors| errors.render(Colour::Plain))?;
    let model = &scenario.model;
    let mut go = |progress: Progress| if progress.events > EVENTS_MAX { Go::Stop } else { Go::On };
    let run = recorded(&scenario, model.run.seed, choice.variant.as_deref(), &Options::lean(), &mut go)
        .map_err(|list| scenario.diagnostics(list).render(Colour::Plain))?;
    let workloads = model.workloads.iter().zip(&run.begun).map(|((name, workload), &begun)| Asked {
        name: name.value.clone(),
        operations: begun.min(OPERATIONS_MAX),
        pace: match &workload.load {
            Load::Rate { per_second, .. } => Some(("rate", *per_second)),
            Load::Users { users, .. } => Some(("users", f64::from(*users))),
            Load::Trace(_) => None,
        },
    });
    let named = |section: &str, name: &String| format!("{section}.{name}");
    let queues = model.queues.iter().map(|(name, _)| named("queues", &name.value));
    let phases = model.phases.iter().map(|(name, _)| name.value.clone());
    let own: Vec<String> = model.faults.iter().map(|(name, _)| name.value.clone()).collect();
    let ops = model.services.iter().flat_map(|(service, of)| {
        of.ops.iter().map(|(op, _)| format!("{}.{}", service.value, op.value)).collect::<Vec<_>>()
    });
    Ok(Ground {
        ops: ops.collect(),
        parts: parts(model),
        places: queues.chain(model.topics.iter().map(|(name, _)| named("topics", &name.value))).collect(),
        points: points(model),
        workloads: workloads.collect(),
        chaos: (model.run.warmup.0.div_ceil(MILLISECOND), model.run.heal.0 / MILLISECOND),
        taken: own.iter().cloned().chain(phases).collect(),
        own,
    })
}

/// Points have numbers only where something waits for them: as if a crash at each of them were asked for.
fn points(model: &Model) -> Vec<String> {
    let mut model = model.clone();
    model.chaos.profile = ChaosProfile::Exhaustive;
    model.chaos.points = Vec::new();
    compile(&model, Seed(model.run.seed), &Edits::default())
        .map_or_else(|_| Vec::new(), |compiled| compiled.names.points)
}

/// Everything with nodes that is ours.
fn parts(model: &Model) -> Vec<(String, Vec<String>)> {
    let services = model.services.iter().map(|(name, service)| (name, service.nodes, service.external));
    let stores = model.stores.iter().map(|(name, store)| (name, store.nodes, store.external));
    let brokers = model.brokers.iter().map(|(name, broker)| (name, broker.nodes, broker.external));
    let ours = services.chain(stores).chain(brokers).filter(|(_, _, external)| !external);
    let targets = |name: &str, nodes| match nodes {
        1 => vec![name.to_owned()],
        _ => (0..nodes).map(|n| format!("{name}[{n}]")).collect(),
    };
    ours.map(|(name, nodes, _)| (name.value.clone(), targets(&name.value, nodes))).collect()
}
