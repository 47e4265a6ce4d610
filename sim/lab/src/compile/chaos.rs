//! `[chaos]`: schedules of faults that nobody wrote down, as instances that are as explicit as written ones.
//!
//! A schedule is a function of the model and the seed alone, not of the run: whoever wants it written down (`repro`) gets the
//! same from here. Every family draws by its own key, so that leaving one out moves no instance of another; only budgets look at
//! all of them. Intensities are drawn by doublings, which is log-uniform to six per cent and needs no logarithm.

use kernel::{Distribution, Key, Seed, Span, Time};

use crate::model::{
    Chaos, ChaosProfile, Direction, Dist, Family, Fault, FaultBudget, FaultKind, LinkEnds, Listed, Model, Pick, Place,
    Target, TargetKind, Trigger, Window,
};
use crate::names::Names;

/// Instances of one family; more are left out, with all that would have come later.
const INSTANCES_MAX: u32 = 64;

/// `low` times two to the power of a number from 0 to `doublings`, each as likely as any other.
#[derive(Clone, Copy)]
struct Scale {
    low: f64,
    doublings: f64,
}

impl Scale {
    fn at(self, share: f64) -> f64 {
        let steps = share * self.doublings;
        let whole = steps as u32;
        self.low * f64::from(1_u32 << whole.min(31)) * (1.0 + steps - f64::from(whole))
    }
}

/// How hard a profile is.
struct Hardness {
    /// Its families.
    families: &'static [Family],
    /// The chance that a seed has a family at all.
    family: f64,
    /// How many instances of a family are expected in the chaos phase.
    count: Scale,
    /// How long one lasts, in shares of the chaos phase.
    length: Scale,
    /// Which share of messages a loss, copies or redelivery hits.
    chance: Scale,
    /// How many times as long slow CPUs need.
    factor: Scale,
    /// By how many nanoseconds a clock is set at most.
    offset: Scale,
    /// Whether a seed may cut one way only.
    one_way: bool,
}

const fn scale(low: f64, doublings: f64) -> Scale {
    Scale { low, doublings }
}

const EVERY: &[Family] = &[
    Family::Crash,
    Family::Pause,
    Family::Partition,
    Family::Loss,
    Family::Duplicate,
    Family::SlowCpu,
    Family::ClockJump,
    Family::Redeliver,
];

const fn hardness(profile: ChaosProfile) -> Option<Hardness> {
    match profile {
        ChaosProfile::None | ChaosProfile::Exhaustive => None,
        ChaosProfile::Gentle => Some(Hardness {
            families: &[Family::Pause, Family::Loss, Family::Duplicate, Family::SlowCpu],
            family: 1.0,
            count: scale(1.0, 0.0),
            length: scale(0.002, 3.0),
            chance: scale(0.001, 4.0),
            factor: scale(1.5, 1.0),
            offset: scale(1e6, 0.0),
            one_way: false,
        }),
        ChaosProfile::Realistic => Some(Hardness {
            families: EVERY,
            family: 1.0,
            count: scale(1.0, 1.0),
            length: scale(0.01, 3.0),
            chance: scale(0.005, 3.0),
            factor: scale(2.0, 2.0),
            offset: scale(1e7, 4.0),
            one_way: false,
        }),
        ChaosProfile::Harsh => Some(Hardness {
            families: EVERY,
            family: 1.0,
            count: scale(4.0, 1.0),
            length: scale(0.02, 3.0),
            chance: scale(0.05, 3.0),
            factor: scale(4.0, 3.0),
            offset: scale(1e8, 5.0),
            one_way: true,
        }),
        ChaosProfile::Swarm => Some(Hardness {
            families: EVERY,
            family: 0.5,
            count: scale(1.0, 4.0),
            length: scale(0.0025, 6.0),
            chance: scale(0.005, 6.0),
            factor: scale(2.0, 5.0),
            offset: scale(1e6, 12.0),
            one_way: true,
        }),
    }
}

/// A machine that chaos may hit.
struct Machine<'a> {
    /// The service, store or broker it belongs to, or the database of one: `orders.db`.
    part: &'a str,
    number: u32,
}

impl Machine<'_> {
    fn target(&self, place: Place) -> Target {
        let pick = if self.part.contains('.') { Pick::All } else { Pick::Numbers(vec![self.number]) };
        Target { kind: TargetKind::Nodes { name: self.part.to_owned(), pick }, place }
    }
}

/// The machines that are ours, and that `targets` names if it names any.
fn machines<'a>(model: &Model, names: &'a Names) -> Vec<Machine<'a>> {
    let ours = |node: &&crate::names::Node| {
        let part = node.part.strip_suffix(".db").unwrap_or(&node.part);
        !node.name.starts_with("workloads.") && is_ours(model, part) && wanted(&model.chaos, part)
    };
    names.nodes.iter().filter(ours).map(|node| Machine { part: &node.part, number: node.number }).collect()
}

/// Whether a part is there and not `external`.
fn is_ours(model: &Model, part: &str) -> bool {
    let service = model.services.iter().find(|(name, _)| name.value == part).map(|(_, one)| one.external);
    let store = || model.stores.iter().find(|(name, _)| name.value == part).map(|(_, one)| one.external);
    let broker = || model.brokers.iter().find(|(name, _)| name.value == part).map(|(_, one)| one.external);
    service.or_else(store).or_else(broker) == Some(false)
}

fn wanted(chaos: &Chaos, part: &str) -> bool {
    chaos.targets.is_empty() || chaos.targets.iter().any(|target| target.value == part)
}

/// The faults of a seed, by name, as if they had been written: `chaos_crash` and so on.
pub(crate) fn schedule(model: &Model, names: &Names, seed: Seed) -> Vec<(String, Fault)> {
    let Some(hard) = hardness(model.chaos.profile) else { return Vec::new() };
    let machines = machines(model, names);
    let mut drafts: Vec<Draft> = Vec::new();
    for family in Family::ALL {
        let asked = model.chaos.families.is_empty() || model.chaos.families.contains(&family);
        if hard.families.contains(&family) && asked {
            drafts.extend(Generator { model, hard: &hard, machines: &machines, family, seed }.drafts());
        }
    }
    drafts.sort_by_key(|draft| (draft.at, draft.fault.clone(), draft.number));
    budgets(model, &machines, &mut drafts);
    let targets: Vec<Target> = machines.iter().map(|machine| machine.target(model.chaos.place)).collect();
    faults(model, &hard, seed, &targets, drafts)
}

/// An instance, before it is known whether a budget forbids it.
struct Draft {
    /// The name of its fault.
    fault: String,
    family: Family,
    number: u32,
    at: Time,
    length: Span,
    /// Which machines it hits, by place.
    hits: Vec<usize>,
    /// Of a partition, which clients are cut off with them: workloads, by place.
    clients: Vec<usize>,
    over: Option<FaultBudget>,
}

impl Draft {
    const fn end(&self) -> u64 {
        self.at.0.saturating_add(self.length.0)
    }

    /// It takes its machines out of service, rather than making something worse.
    const fn takes_down(&self) -> bool {
        matches!(self.family, Family::Crash | Family::Pause | Family::Partition)
    }
}

struct Generator<'a> {
    model: &'a Model,
    hard: &'a Hardness,
    machines: &'a [Machine<'a>],
    family: Family,
    seed: Seed,
}

impl Generator<'_> {
    fn key(&self, purpose: &str) -> Key {
        self.seed.key(&format!("chaos.{}", self.family.word()), purpose)
    }

    fn drafts(&self) -> Vec<Draft> {
        let Window { from, to } = Window { from: self.model.run.warmup, to: self.model.run.heal };
        let phase = to.0.saturating_sub(from.0);
        if self.key("family").draw(0, 0, 0).share() >= self.hard.family || phase == 0 {
            return Vec::new();
        }
        let count = self.hard.count.at(self.key("count").draw(0, 0, 0).share());
        let Ok(gap) = Distribution::exponential(phase as f64 / count) else { return Vec::new() };
        let (times, lengths) = (self.key("time"), self.key("length"));
        let (mut at, mut drafts) = (from.0, Vec::new());
        for number in 0..INSTANCES_MAX {
            at = at.saturating_add(gap.span(&mut times.draw(number.into(), 0, 0)).0);
            if at >= to.0 {
                break;
            }
            let share = self.hard.length.at(lengths.draw(number.into(), 0, 0).share());
            let length = match self.family {
                Family::ClockJump => 0,
                Family::Crash
                | Family::Pause
                | Family::Partition
                | Family::Loss
                | Family::Duplicate
                | Family::SlowCpu
                | Family::Redeliver => whole_micros((phase as f64 * share) as u64).max(1_000),
            };
            let aim = self.aim(number);
            drafts.extend(aim.map(|(fault, hits)| Draft {
                fault,
                family: self.family,
                number,
                at: Time(whole_micros(at)),
                length: Span(length),
                hits,
                clients: self.clients(number),
                over: None,
            }));
        }
        drafts
    }

    /// The fault an instance belongs to, and whom it hits; none if there is nobody.
    fn aim(&self, number: u32) -> Option<(String, Vec<usize>)> {
        let name = format!("chaos_{}", self.family.word());
        let key = self.key("target");
        let pick = |of: usize, n: u64| ((u128::from(key.draw(number.into(), 0, n).bits()) * of as u128) >> 64) as usize;
        match self.family {
            Family::Loss | Family::Duplicate => Some((name, Vec::new())),
            Family::Redeliver => {
                let of = sources(self.model);
                let chosen = (!of.is_empty()).then(|| &of[pick(of.len(), 0)])?;
                Some((format!("{name}_{}", chosen.1), Vec::new()))
            }
            Family::Crash | Family::Pause | Family::SlowCpu | Family::ClockJump => {
                (!self.machines.is_empty()).then(|| (name, vec![pick(self.machines.len(), 0)]))
            }
            // One machine alone half of the time, else up to half of them.
            Family::Partition => {
                let mut left: Vec<usize> = (0..self.machines.len()).collect();
                let alone = left.len() < 4 || key.draw(number.into(), 1, 0).share() < 0.5;
                let count = if alone { 1 } else { 1 + pick(left.len() / 2, 1_000) };
                let mut hits: Vec<usize> = Vec::new();
                while hits.len() < count && !left.is_empty() {
                    hits.push(left.swap_remove(pick(left.len(), hits.len() as u64)));
                }
                hits.sort_unstable();
                (!hits.is_empty()).then_some((name, hits))
            }
        }
    }

    /// The clients on the side of a partition that is cut off: each with a chance of one half.
    fn clients(&self, number: u32) -> Vec<usize> {
        let key = self.key("clients");
        let inside =
            |n: &usize| self.family == Family::Partition && key.draw(number.into(), *n as u64, 0).share() < 0.5;
        (0..self.model.workloads.len()).filter(inside).collect()
    }
}

/// What can be delivered again: queues and topics on brokers that are ours.
fn sources(model: &Model) -> Vec<(TargetKind, String)> {
    let ours = |broker: &str| is_ours(model, broker) && wanted(&model.chaos, broker);
    let queues = model.queues.iter().filter(|(_, queue)| ours(&queue.broker.value));
    let topics = model.topics.iter().filter(|(_, topic)| ours(&topic.broker.value));
    let queues = queues.map(|(name, _)| (TargetKind::Queue(name.value.clone()), name.value.clone()));
    queues.chain(topics.map(|(name, _)| (TargetKind::Topic(name.value.clone()), name.value.clone()))).collect()
}

/// Marks what would break a budget, in the order of time; it does not count for those after it.
fn budgets(model: &Model, machines: &[Machine<'_>], drafts: &mut [Draft]) {
    for now in 0..drafts.len() {
        let (before, rest) = drafts.split_at_mut(now);
        let draft = &mut rest[0];
        let active: Vec<&Draft> =
            before.iter().filter(|other| other.over.is_none() && other.end() > draft.at.0).collect();
        draft.over = if draft.length > Span::ZERO && active.len() >= model.chaos.max_concurrent as usize {
            Some(FaultBudget::MaxConcurrent)
        } else if breaks_a_quorum(model, machines, draft, &active) {
            Some(FaultBudget::KeepQuorum)
        } else {
            None
        };
    }
}

/// Whether some store would not have more than half of its machines at once; one that has only one machine has no quorum.
fn breaks_a_quorum(model: &Model, machines: &[Machine<'_>], draft: &Draft, active: &[&Draft]) -> bool {
    let kept = |name: &str| match &model.chaos.keep_quorum {
        Some(names) => names.iter().any(|one| one.value == name),
        None => true,
    };
    let mut stores = model.stores.iter().filter(|(name, store)| store.nodes > 1 && kept(&name.value));
    stores.any(|(name, store)| {
        let mine = |hit: &usize| machines[*hit].part == name.value;
        if !draft.takes_down() || !draft.hits.iter().any(mine) {
            return false;
        }
        let down = active.iter().copied().filter(|other| other.takes_down()).chain([draft]);
        let mut hit: Vec<usize> = down.flat_map(|one| one.hits.iter().copied()).filter(mine).collect();
        hit.sort_unstable();
        hit.dedup();
        (store.nodes as usize - hit.len()) * 2 <= store.nodes as usize
    })
}

/// The drafts of each fault become its instances; `targets` are the machines, by place.
fn faults(model: &Model, hard: &Hardness, seed: Seed, targets: &[Target], drafts: Vec<Draft>) -> Vec<(String, Fault)> {
    let mut faults: Vec<(String, Fault)> = Vec::new();
    for draft in drafts {
        let place = model.chaos.place;
        let client = |n: &usize| Target { kind: TargetKind::Workload(model.workloads[*n].0.value.clone()), place };
        let machines = draft.hits.iter().map(|hit| targets[*hit].clone());
        let hit: Vec<Target> = machines.chain(draft.clients.iter().map(client)).collect();
        let at = faults.iter().position(|(name, _)| *name == draft.fault).unwrap_or_else(|| {
            faults.push((draft.fault.clone(), declared(model, hard, seed, &draft)));
            faults.len() - 1
        });
        if let Trigger::Listed(all) = &mut faults[at].1.trigger {
            let partition = draft.family == Family::Partition;
            all.push(Listed {
                number: draft.number,
                at: draft.at,
                length: (draft.length > Span::ZERO).then_some(draft.length),
                targets: (!hit.is_empty() && !partition).then(|| hit.clone()),
                split: if partition { vec![hit] } else { Vec::new() },
                hits: None,
                over: draft.over,
                offset: None,
                place,
            });
        }
    }
    for (_, fault) in &mut faults {
        if let Trigger::Listed(all) = &mut fault.trigger {
            all.sort_by_key(|one| one.number);
        }
    }
    faults.sort_by(|a, b| a.0.cmp(&b.0));
    faults
}

/// The fault of a draft, without its instances; how hard it is is drawn once for each seed.
fn declared(model: &Model, hard: &Hardness, seed: Seed, draft: &Draft) -> Fault {
    let share = |purpose: &str| seed.key(&format!("chaos.{}", draft.family.word()), purpose).draw(0, 0, 0).share();
    let mut chance = 1.0;
    let mut targets = Vec::new();
    // In hundredths of a per cent, tenths and milliseconds: as people would write them.
    let mut per_message = || chance = (hard.chance.at(share("chance")) * 10_000.0).round().max(1.0) / 100.0 / 100.0;
    let kind = match draft.family {
        Family::Crash => FaultKind::Crash { memory: true, unsynced: true, disk: false },
        Family::Pause => FaultKind::Pause,
        Family::Partition => FaultKind::Partition {
            split: Vec::new(),
            direction: match share("direction") {
                n if !hard.one_way || n < 0.5 => Direction::Both,
                n if n < 0.75 => Direction::In,
                _ => Direction::Out,
            },
            hold: false,
        },
        Family::Loss => {
            per_message();
            FaultKind::Loss { links: links(model) }
        }
        Family::Duplicate => {
            per_message();
            FaultKind::Duplicate { links: links(model) }
        }
        Family::SlowCpu => FaultKind::SlowCpu { factor: (hard.factor.at(share("factor")) * 10.0).round() / 10.0 },
        Family::ClockJump => FaultKind::ClockJump { by: offsets(hard.offset.at(share("offset")), model.chaos.place) },
        Family::Redeliver => {
            per_message();
            let of = |(_, name): &&(TargetKind, String)| draft.fault.ends_with(&format!("_{name}"));
            let place = model.chaos.place;
            targets.extend(sources(model).iter().find(of).map(|(kind, _)| Target { kind: kind.clone(), place }));
            FaultKind::Redeliver
        }
    };
    Fault {
        kind,
        targets,
        trigger: Trigger::Listed(Vec::new()),
        window: Window { from: model.run.warmup, to: model.run.heal },
        length: None,
        chance,
        require_effect: false,
        place: model.chaos.place,
    }
}

/// As far ahead as back.
fn offsets(nanos: f64, place: Place) -> Dist {
    let millis = (nanos / 1e6).round().max(1.0);
    let law = Distribution::uniform(-millis * 1e6, millis * 1e6).expect("the lower end is below the upper");
    Dist { law, text: format!("uniform(-{millis}ms, {millis}ms)"), path: "chaos.offset".to_owned(), place }
}

/// The links on which messages are lost and copied: none means all. Those of others are left alone.
fn links(model: &Model) -> Vec<LinkEnds> {
    let services = model.services.iter().map(|(name, one)| (&name.value, one.external));
    let stores = model.stores.iter().map(|(name, one)| (&name.value, one.external));
    let brokers = model.brokers.iter().map(|(name, one)| (&name.value, one.external));
    let parts: Vec<(&String, bool)> = services.chain(stores).chain(brokers).collect();
    if model.chaos.targets.is_empty() && parts.iter().all(|(_, external)| !external) {
        return Vec::new();
    }
    let place = model.chaos.place;
    let ours = || parts.iter().filter(|(_, external)| !external).map(|(name, _)| name.as_str());
    let part = |name: &str| TargetKind::Nodes { name: name.to_owned(), pick: Pick::All };
    let clients = model.workloads.iter().map(|(name, _)| TargetKind::Workload(name.value.clone()));
    let ends: Vec<TargetKind> = ours().map(part).chain(clients).collect();
    let target = |kind: &TargetKind| Target { kind: kind.clone(), place };
    let of = |name: &str| {
        let from = target(&part(name));
        ends.iter()
            .map(move |to| LinkEnds { from: from.clone(), to: target(to), both: true, text: String::new(), place })
            .collect::<Vec<_>>()
    };
    ours().filter(|name| wanted(&model.chaos, name)).flat_map(of).collect()
}

/// To the microsecond, so that it can be read.
const fn whole_micros(nanos: u64) -> u64 {
    nanos / 1_000 * 1_000
}
